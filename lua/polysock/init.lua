-- SPDX-License-Identifier: MIT
-- The module of `require "polysock"`: the functions of the core, and those that LuaSocket, too,
-- implements in Lua. Nothing here touches the bytes of a stream.

local core = require("polysock.core")

local polysock = { dns = {} }

--- The name and the version of this library.
---@type string
polysock._VERSION = core.version()

--- How many file descriptors this process may have open; select has no limit of its own.
---@type integer
polysock._SETSIZE = core.setsize()

--- The value of getfd and setfd that means no descriptor.
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

-- ---- Exceptions. A failure is raised as a table with this metatable, so that protect can tell it
-- ---- from other errors, even from other tables.

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

--- Returns a function like try that calls finalizer before it raises.
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

--- Returns its arguments, or raises the second one when the first is nil or false.
---@param ... any
---@return any ...
polysock.try = polysock.newtry()

-- Lua 5.1 cannot yield across pcall. A function that is called in a coroutine there runs in a new
-- coroutine, and both values that it yields and values that it is resumed with are passed on.
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

--- Returns a function that calls func and returns nil and the error when func raises by try; any
--- other error propagates.
---@param func function
---@return fun(...: any): any ... protected
function polysock.protect(func)
   check_function(func, "protect", "func")
   return function(...)
      return unprotect(protected_call(func, ...))
   end
end

-- ---- Sources and sinks for LTN12.

--- Returns a function that calls one of a table of constructors by name, "default" if absent.
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

-- Any object with the method is a socket: LuaSec's objects, copas' wrappers.
local function check_socket(socket, method, name)
   local kind = type(socket)
   if kind ~= "table" and kind ~= "userdata" or not socket[method] then
      misuse(3, 1, name, ("socket: object with method '%s'"):format(method))
   end
end

-- With these methods select accepts a source or a sink in place of its socket.
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

-- Reads blocks of the size that a function returns. Bytes received before a timeout are kept for
-- the next call. Bytes received before any other failure are the last block, and the next call
-- fails.
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

--- The constructors of sources by name: "by-length" reads a number of bytes, "until-closed" (the
--- default) reads until the peer closes, then closes the socket.
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

--- Returns an LTN12 source that reads from a socket: source([name,] socket [, length]).
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

--- The constructors of sinks by name: "close-when-done" closes the socket at the end, "keep-open"
--- (the default) does not.
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

--- Returns an LTN12 sink that sends to a socket: sink([name,] socket).
---@param ... any
---@return table sink
polysock.sink = polysock.choose(polysock.sinkt)

--- Returns its arguments after the first d.
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
