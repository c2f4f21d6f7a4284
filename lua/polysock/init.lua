-- SPDX-License-Identifier: MIT
-- The module that `require "polysock"` gives: the functions of the core, and what LuaSocket
-- writes in Lua, too. Nothing here touches a byte of a stream.

local core = require("polysock.core")

local polysock = { dns = {} }

--- The name and the version of this library.
---@type string
polysock._VERSION = core.version()

--- How many descriptors this process may have; select itself has no limit.
---@type integer
polysock._SETSIZE = core.setsize()

--- What getfd gives for no descriptor, and what setfd takes for one.
---@type integer
polysock._SOCKETINVALID = -1

--- Whether this is a build for debugging.
---@type boolean
polysock._DEBUG = false

for name, value in pairs(core) do
   local dns = name:match("^dns_(.+)")
   if dns then
      polysock.dns[dns] = value
   elseif type(value) == "function" and name ~= "version" and name ~= "setsize" then
      polysock[name] = value
   end
end

-- ---- Exceptions for those who want them. A failure travels as a table with this metatable, so
-- ---- that protect tells it from other errors, even from errors that are tables.

local failure = { __metatable = false }
failure.__tostring = function(self)
   return tostring(self[1])
end

local function misuse(level, number, name, text)
   error(("bad argument #%d to '%s' (%s expected)"):format(number, name, text), level + 1)
end

local function check_function(value, name, parameter)
   if type(value) ~= "function" then
      misuse(3, 1, name, parameter .. ": function")
   end
end

--- Makes a function like try that calls finalizer before it raises.
---@param finalizer? fun()
---@return fun(...: any): any ... try
function polysock.newtry(finalizer)
   if finalizer ~= nil then
      check_function(finalizer, "newtry", "finalizer")
   end
   return function(...)
      local first, message = ...
      if first then
         return ...
      end
      if finalizer then
         finalizer()
      end
      error(setmetatable({ message }, failure), 0)
   end
end

--- Gives its arguments back, or raises the second when the first is nil.
---@param ... any
---@return any ...
polysock.try = polysock.newtry()

-- Lua 5.1 cannot yield across pcall. There a function that is called in a coroutine gets another
-- one, which passes on what it yields and what it is resumed with.
local function call_in_coroutine(func, ...)
   local routine = coroutine.create(function(...)
      return func(...)
   end)
   local function step(ok, ...)
      if ok and coroutine.status(routine) == "suspended" then
         return step(coroutine.resume(routine, coroutine.yield(...)))
      end
      return ok, ...
   end
   return step(coroutine.resume(routine, ...))
end

local can_yield = coroutine.create(function()
   pcall(coroutine.yield)
end)
coroutine.resume(can_yield)
local protected_call = pcall
if coroutine.status(can_yield) == "dead" then
   protected_call = function(func, ...)
      return (coroutine.running() and call_in_coroutine or pcall)(func, ...)
   end
end

local function unprotect(ok, ...)
   if ok then
      return ...
   end
   local problem = ...
   if rawequal(debug.getmetatable(problem), failure) then
      return nil, problem[1]
   end
   return error(problem, 0)
end

--- Makes a function that gives nil and the error where func raises by try; other errors go
--- through.
---@param func function
---@return fun(...: any): any ... protected
function polysock.protect(func)
   check_function(func, "protect", "func")
   return function(...)
      return unprotect(protected_call(func, ...))
   end
end

-- ---- Sources and sinks, as LTN12 has them.

--- Makes a function that chooses from a table of makers by name, "default" if absent.
---@param makers table<string, function>
---@return function choice
function polysock.choose(makers)
   if type(makers) ~= "table" then
      misuse(2, 1, "choose", "makers: table")
   end
   return function(name, ...)
      local named = type(name) == "string"
      local key = named and name or "default"
      local maker = makers[key]
      if not maker then
         error("unknown key (" .. key .. ")", 2)
      elseif named then
         return maker(...)
      end
      return maker(name, ...)
   end
end

--- How many bytes a source reads at once.
---@type integer
polysock.BLOCKSIZE = 2048

-- A socket may be anything that has the method: LuaSec's objects, copas' wrappers.
local function check_socket(socket, method, name)
   local kind = type(socket)
   if kind ~= "table" and kind ~= "userdata" or not socket[method] then
      misuse(3, 1, name, ("socket: object with method '%s'"):format(method))
   end
end

-- select has to see the socket behind a source or a sink.
local function behind(socket, call)
   return setmetatable({
      getfd = function()
         return socket:getfd()
      end,
      dirty = function()
         return socket:dirty()
      end,
   }, { __call = call })
end

-- Reads blocks of a size that a function gives. What came before a timeout stays for the next
-- pull. What came before any other failure is the last block, and the pull after it fails.
local function blocks(socket, size)
   local kept, failure_words = "", nil
   return function()
      if failure_words then
         return nil, failure_words
      end
      local chunk, err, partial = socket:receive(size(), kept)
      if chunk then
         kept = ""
         return chunk
      elseif err == "timeout" then
         kept = partial or kept
         return nil, err
      end
      failure_words = err
      return partial ~= "" and partial or nil, err
   end
end

--- The makers of sources by name: "by-length" reads so many bytes, "until-closed" (the default)
--- reads to the end and closes the socket.
---@type table<string, function>
polysock.sourcet = {
   ["by-length"] = function(socket, length)
      check_socket(socket, "receive", "source")
      if type(length) ~= "number" then
         misuse(2, 2, "source", "length: number")
      end
      local pull = blocks(socket, function()
         return math.min(polysock.BLOCKSIZE, length)
      end)
      return behind(socket, function()
         if length <= 0 then
            return nil
         end
         local chunk, err = pull()
         if not chunk then
            return nil, err
         end
         length = length - #chunk
         return chunk
      end)
   end,

   ["until-closed"] = function(socket)
      check_socket(socket, "receive", "source")
      local pull = blocks(socket, function()
         return polysock.BLOCKSIZE
      end)
      local done = false
      return behind(socket, function()
         if done then
            return nil
         end
         local chunk, err = pull()
         if err == "closed" then
            socket:close()
            done = true
            return chunk
         elseif chunk then
            return chunk
         end
         return nil, err
      end)
   end,
}
polysock.sourcet.default = polysock.sourcet["until-closed"]

--- Makes an LTN12 source that reads from a socket: source([name,] socket [, length]).
---@param ... any
---@return table source
polysock.source = polysock.choose(polysock.sourcet)

local function sends(socket, at_end)
   check_socket(socket, "send", "sink")
   return behind(socket, function(_, chunk)
      if chunk then
         return socket:send(chunk)
      end
      at_end()
      return 1
   end)
end

--- The makers of sinks by name: "close-when-done" closes the socket at the end, "keep-open" (the
--- default) does not.
---@type table<string, function>
polysock.sinkt = {
   ["close-when-done"] = function(socket)
      return sends(socket, function()
         socket:close()
      end)
   end,

   ["keep-open"] = function(socket)
      return sends(socket, function() end)
   end,
}
polysock.sinkt.default = polysock.sinkt["keep-open"]

--- Makes an LTN12 sink that sends to a socket: sink([name,] socket).
---@param ... any
---@return table sink
polysock.sink = polysock.choose(polysock.sinkt)

--- Gives its arguments without the first d.
---@param d integer
---@param ... any
---@return any ...
function polysock.skip(d, ...)
   local count = tonumber(d)
   if not count or count < 0 or count % 1 ~= 0 then
      misuse(2, 1, "skip", "d: integer from 0")
   end
   return select(count + 1, ...)
end

return polysock
