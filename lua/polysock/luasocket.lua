-- SPDX-License-Identifier: MIT
-- Makes polysock answer to `socket` and `socket.core`: after require "polysock.luasocket", code
-- that was written for LuaSocket's TCP runs on polysock unchanged. It sets these two names in
-- package.loaded and, like LuaSocket, makes the process ignore SIGPIPE: LuaSec relies on that. It
-- must never change anything else, and never replace a LuaSocket that is in use.
--
-- Only TCP is replaced: socket.udp, udp4 and udp6 load an installed LuaSocket when they are first
-- called, and raise if there is none; `socket.unix`, `socket.serial` and `mime.core` are separate
-- modules of LuaSocket, which require loads as before. LuaSocket's __unload is absent.

local NAMES = { "socket", "socket.core" }

local polysock = require("polysock")

-- Programs that check the version look for the first words.
local VERSION = ("LuaSocket 3.0.0 (%s)"):format(polysock._VERSION)

local before = package.loaded["socket"] or package.loaded["socket.core"]
if before ~= nil then
   local version = type(before) == "table" and before._VERSION
   if version == VERSION and rawequal(before, package.loaded["socket.core"]) then
      return before
   end
   -- The module that loaded it holds its functions. A program with half of its modules on each
   -- library would run, and fail in unexpected places.
   local text = "polysock.luasocket comes too late: 'socket' is loaded already (%s); "
      .. 'require "polysock.luasocket" before anything that requires "socket"'
   error(text:format(tostring(version or before)), 0)
end

-- Loads a module as require does, but neither reads nor changes package.loaded. Returns the result
-- of the loader; without a loader, nil and the places that were searched.
local function fresh(name)
   local sought = {}
   for _, searcher in ipairs(package.searchers or rawget(package, "loaders")) do
      local loader, where = searcher(name)
      if type(loader) == "function" then
         return loader(name, where)
      end
      sought[#sought + 1] = loader
   end
   return nil, table.concat(sought, "\n\t")
end

-- A separate copy of the module's table, because users of LuaSocket write into `socket`:
-- socket.http adds a source, copas replaces protect, others set BLOCKSIZE. None of that may appear
-- in `polysock`. Only newtry and try are shared, so that each protect recognizes both.
local native = require("polysock.core").luasocket
local socket = assert(fresh("polysock"))
socket.newtry, socket.try = polysock.newtry, polysock.try
socket._VERSION = VERSION
native.open(socket)
native.name(true)

--- Like polysock.protect, but a value that is no function raises only when it is called.
---@param func any
---@return fun(...: any): any ... protected
function socket.protect(func)
   local ok, protected = pcall(polysock.protect, func)
   return ok and protected or function(...)
      return func(...)
   end
end

-- LuaSocket has another error message for a name that dns does not find.
for _, name in ipairs({ "toip", "tohostname" }) do
   local resolve = socket.dns[name]
   socket.dns[name] = function(...)
      local answer, more = resolve(...)
      if not answer and more == "host or service not provided, or not known" then
         more = "host not found"
      end
      return answer, more
   end
end

--- How many bytes a datagram of LuaSocket's udp may have by default.
---@type integer
socket._DATAGRAMSIZE = 8192

local luasocket
for _, name in ipairs({ "udp", "udp4", "udp6" }) do
   socket[name] = function(...)
      if not luasocket then
         native.name(false) -- LuaSocket's classes have the same names
         local ok, core, sought = pcall(fresh, "socket.core")
         native.name(true)
         if not ok then
            error(core, 0)
         end
         if type(core) ~= "table" then
            local text = "socket.%s is LuaSocket's, and LuaSocket is not installed:\n\t%s"
            error(text:format(name, sought or "its core gives no table"), 2)
         end
         luasocket = core
      end
      return luasocket[name](...)
   end
end

for _, name in ipairs(NAMES) do
   package.loaded[name] = socket
end

return socket
