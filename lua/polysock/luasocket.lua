-- SPDX-License-Identifier: MIT
-- Makes polysock answer to `socket` and `socket.core`: after require "polysock.luasocket", code
-- that was written for LuaSocket's TCP runs on polysock unchanged. It enters these two names and,
-- as LuaSocket does, lets the process ignore SIGPIPE: LuaSec relies on that. It must never change
-- anything else, and never replace a LuaSocket that is in use.
--
-- What is not TCP stays LuaSocket's: socket.udp, udp4 and udp6 load an installed LuaSocket when
-- they are first called, and raise if there is none; `socket.unix`, `socket.serial` and
-- `mime.core` are modules of their own, which require finds as ever. LuaSocket's __unload is
-- refused: it is absent here.

local NAMES = { "socket", "socket.core" }

local polysock = require("polysock")

-- What programs look for that ask for the version, and what it is in truth.
local VERSION = ("LuaSocket 3.0.0 (%s)"):format(polysock._VERSION)

local before = package.loaded["socket"] or package.loaded["socket.core"]
if before ~= nil then
   local version = type(before) == "table" and before._VERSION
   if version == VERSION and rawequal(before, package.loaded["socket.core"]) then
      return before
   end
   -- Whoever loaded it holds its functions. Half a program on each library would run, and fail
   -- in places where nobody looks.
   local text = "polysock.luasocket comes too late: 'socket' is loaded already (%s); "
      .. 'require "polysock.luasocket" before anything that requires "socket"'
   error(text:format(tostring(version or before)), 0)
end

-- Does what require does, but neither looks into package.loaded nor writes there. Returns what the
-- loader returns; without a loader, nil and where it was sought.
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

-- A polysock of its own, since users of LuaSocket write into `socket`: socket.http adds a source,
-- copas replaces protect, others set BLOCKSIZE. None of that is to appear in `polysock`. Only the
-- exceptions are shared, so that what one raises the other recognizes.
local native = require("polysock.core").luasocket
local socket = assert(fresh("polysock"))
socket.newtry, socket.try = polysock.newtry, polysock.try
socket._VERSION = VERSION
native.open(socket)
native.name(true)

--- As polysock.protect, but what is no function raises when it is called.
---@param func any
---@return fun(...: any): any ... protected
function socket.protect(func)
   local ok, protected = pcall(polysock.protect, func)
   return ok and protected or function(...)
      return func(...)
   end
end

-- LuaSocket has words of its own for a name that dns does not find.
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
