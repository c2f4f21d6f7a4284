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

local function check_function(value, name, parameter)
   if type(value) ~= "function" then
      local text = "bad argument #1 to '%s' (%s: function expected)"
      error(text:format(name, parameter), 3)
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
      return unprotect(pcall(func, ...))
   end
end

-- ---- Sources and sinks, as LTN12 has them.

--- Makes a function that chooses from a table of makers by name, "default" if absent.
---@param makers table<string, function>
---@return function choice
function polysock.choose(makers)
   return function(name, ...)
      if type(name) ~= "string" then
         return polysock.choose(makers)("default", name, ...)
      end
      local maker = makers[name]
      if not maker then
         error("unknown key (" .. name .. ")", 2)
      end
      return maker(...)
   end
end

--- How many bytes a source reads at once.
---@type integer
polysock.BLOCKSIZE = 2048

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

--- The makers of sources by name: "by-length" reads so many bytes, "until-closed" (the default)
--- reads to the end and closes the socket.
---@type table<string, function>
polysock.sourcet = {
   ["by-length"] = function(socket, length)
      return behind(socket, function()
         if length <= 0 then
            return nil
         end
         local chunk, err = socket:receive(math.min(polysock.BLOCKSIZE, length))
         if err then
            return nil, err
         end
         length = length - #chunk
         return chunk
      end)
   end,

   ["until-closed"] = function(socket)
      local done = false
      return behind(socket, function()
         if done then
            return nil
         end
         local chunk, err, partial = socket:receive(polysock.BLOCKSIZE)
         if not err then
            return chunk
         elseif err ~= "closed" then
            return nil, err
         end
         socket:close()
         done = true
         return partial
      end)
   end,
}
polysock.sourcet.default = polysock.sourcet["until-closed"]

--- Makes an LTN12 source that reads from a socket: source([name,] socket [, length]).
---@param ... any
---@return table source
polysock.source = polysock.choose(polysock.sourcet)

--- The makers of sinks by name: "close-when-done" closes the socket at the end, "keep-open" (the
--- default) does not.
---@type table<string, function>
polysock.sinkt = {
   ["close-when-done"] = function(socket)
      return behind(socket, function(_, chunk)
         if chunk then
            return socket:send(chunk)
         end
         socket:close()
         return 1
      end)
   end,

   ["keep-open"] = function(socket)
      return behind(socket, function(_, chunk)
         if chunk then
            return socket:send(chunk)
         end
         return 1
      end)
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
   return select(d + 1, ...)
end

return polysock
