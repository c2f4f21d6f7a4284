-- SPDX-License-Identifier: MIT
-- What require "polysock.luasocket" does to a process, and what it must not do: each case is a
-- Lua of its own. Runs once; it asserts what it wants.

local case = require("case")

local header = [[
local function equal(got, expected)
   if got ~= expected then
      error(("got %s, expected %s"):format(tostring(got), tostring(expected)), 2)
   end
end
]]

-- Runs code in a new Lua, with variables set in its environment, and wants "good" from it.
local function lua(code, environment)
   local file = os.tmpname()
   local out = assert(io.open(file, "w"))
   out:write(header, code, '\nprint("good")\n')
   out:close()
   local words = {}
   for name, value in pairs(environment or {}) do
      words[#words + 1] = name .. "='" .. value .. "'"
   end
   local pipe = case.command(("%s %s %s"):format(table.concat(words, " "), case.lua, file))
   local output = pipe:read("*a")
   pipe:close()
   os.remove(file)
   if output ~= "good\n" then
      error(output, 0)
   end
end

case("switch.names", function()
   lua([[
      local socket = require("polysock.luasocket")
      equal(require("socket"), socket)
      equal(require("socket.core"), socket)
      equal(socket._VERSION, "LuaSocket 3.0.0 (" .. require("polysock")._VERSION .. ")")
      equal(tostring(socket.tcp()):sub(1, 12), "tcp{master}:")
   ]])
end)

case("switch.twice", function()
   lua([[
      local socket = require("polysock.luasocket")
      equal(require("polysock.luasocket"), socket)
      package.loaded["polysock.luasocket"] = nil
      equal(require("polysock.luasocket"), socket)
      equal(require("socket"), socket)
   ]])
end)

case("switch.by an option of lua", function()
   local pipe = case.command(
      ("%s -l polysock.luasocket -e 'print(require([[socket]])._VERSION)'"):format(case.lua)
   )
   local output = pipe:read("*a")
   pipe:close()
   assert(output:find("(polysock ", 1, true), output)
end)

case("switch.too late", function()
   lua([[
      local socket = require("socket")
      local ok, err = pcall(require, "polysock.luasocket")
      equal(ok, false)
      assert(err:find("polysock.luasocket comes too late: 'socket' is loaded already (LuaSocket ",
         1, true), err)
      assert(err:find('require "polysock.luasocket" before', 1, true), err)
      equal(require("socket"), socket)
      equal(package.loaded["polysock.luasocket"], nil)
   ]])
   lua([[
      require("socket.core")
      equal(pcall(require, "polysock.luasocket"), false)
   ]])
   lua([[
      package.loaded["socket"] = true
      equal(pcall(require, "polysock.luasocket"), false)
      package.loaded["socket"] = nil
      equal(pcall(require, "polysock.luasocket"), true)
   ]])
end)

case("switch.nothing else changes", function()
   lua([[
      local function copy(from)
         local to = {}
         for key, value in pairs(from) do
            to[key] = value
         end
         return to
      end
      local polysock = require("polysock")
      local known = { [_G] = "_G", [package] = "package", [package.preload] = "preload",
         [package.searchers] = "searchers", [polysock] = "polysock",
         [polysock.dns] = "dns", [polysock.sourcet] = "sourcet", [polysock.sinkt] = "sinkt" }
      local before, loaded = {}, copy(package.loaded)
      for value in pairs(known) do
         before[value] = copy(value)
      end
      local path, cpath = package.path, package.cpath
      local socket = require("polysock.luasocket")
      require("socket.http")
      socket.BLOCKSIZE = 1
      socket.protect = nil
      socket.dns.toip = nil
      for value, name in pairs(known) do
         for key in pairs(value) do
            equal(name .. "." .. tostring(key) .. ": " .. tostring(value[key]),
               name .. "." .. tostring(key) .. ": " .. tostring(before[value][key]))
         end
         for key in pairs(before[value]) do
            assert(value[key] ~= nil, key)
         end
      end
      equal(package.path, path)
      equal(package.cpath, cpath)
      for name, value in pairs(package.loaded) do
         if loaded[name] ~= value then
            assert(("polysock.luasocket socket socket.core socket.http socket.url socket.headers "
               .. "ltn12 mime mime.core "):find(name .. " ", 1, true), name)
         end
      end
   ]])
end)

case("switch.SIGPIPE", function()
   if not io.open("/proc/self/status") then
      case.skip("no /proc")
   end
   lua([[
      local function status()
         for line in io.lines("/proc/self/status") do
            local mask = line:match("^SigIgn:%s*(%x+)")
            if mask then
               return tonumber(mask, 16)
            end
         end
      end
      local before = status()
      require("polysock")
      equal(status(), before) -- polysock alone changes no signal
      require("polysock.luasocket")
      equal(status(), before | 1 << 12)
   ]])
end)

case("switch.udp passes through", function()
   lua([[
      local socket = require("polysock.luasocket")
      for _, name in ipairs({ "udp", "udp4" }) do
         local udp = assert(socket[name]())
         equal(tostring(udp):sub(1, 4), "udp{")
         assert(udp:setsockname("127.0.0.1", 0))
         local sender = socket[name]()
         assert(sender:sendto("datagram", udp:getsockname()))
         equal(socket.select({ udp }, nil, 10)[1], udp)
         equal(udp:receive(), "datagram")
      end
      equal(tostring(assert(socket.udp6())):sub(1, 4), "udp{")
      equal(socket._DATAGRAMSIZE, 8192)
      equal(require("socket"), socket)
      equal(tostring(socket.tcp()):sub(1, 4), "tcp{")
      assert(socket._VERSION:find("(polysock ", 1, true))
      local server = assert(socket.bind("127.0.0.1", 0))
      local host, port = server:getsockname()
      local client = assert(socket.connect(host, port))
      equal(client.class, "tcp{client}")
      equal(debug.getregistry()["tcp{client}"], getmetatable(client))
      equal(socket.__unload, nil)
   ]])
end)

case("switch.unix and serial pass through", function()
   lua([[
      local socket = require("polysock.luasocket")
      local unix = require("socket.unix")
      local path = os.tmpname()
      os.remove(path)
      local server = assert(unix.stream())
      assert(server:bind(path))
      assert(server:listen())
      local client = assert(unix.stream())
      assert(client:connect(path))
      equal(socket.select({ server }, nil, 10)[1], server)
      local far = server:accept()
      far:send("line\n")
      equal(client:receive(), "line")
      os.remove(path)
      assert(require("socket.serial"))
   ]])
end)

case("switch.patches stay there", function()
   lua([[
      local polysock = require("polysock")
      local server = assert(polysock.bind("127.0.0.1", 0))
      local host, port = server:getsockname()
      local mine = assert(polysock.connect(host, port))
      local socket = require("polysock.luasocket")
      local theirs = assert(socket.connect(host, port))
      getmetatable(theirs).__index.receive = function() return "patched" end
      debug.getregistry()["tcp{client}"].__index.more = print
      equal(theirs:receive(), "patched")
      equal(theirs.more, print)
      equal(mine.more, nil)
      equal(mine.class, nil)
      assert(mine.receive ~= theirs.receive)
      equal(select("#", mine:send("x")), 1)
      local far = assert(server:accept())
      equal(getmetatable(far), getmetatable(mine))
      equal(far:receive(1), "x")
      local made = assert(socket.bind("127.0.0.1", 0))
      host, port = made:getsockname()
      mine = assert(polysock.connect(host, port))
      equal(getmetatable(made:accept()), getmetatable(theirs))
   ]])
end)

case("switch.LuaSocket that is linked in", function()
   lua([[
      -- As in programs that carry their modules: the loader is in package.preload.
      local path = package.searchpath("socket.core", package.cpath)
      local open, opened = assert(package.loadlib(path, "luaopen_socket_core")), 0
      package.preload["socket.core"] = function(...)
         opened = opened + 1
         return open(...)
      end
      local socket = require("polysock.luasocket")
      equal(opened, 0)
      equal(tostring(assert(socket.udp())):sub(1, 4), "udp{")
      equal(tostring(assert(socket.udp())):sub(1, 4), "udp{")
      equal(opened, 1)
      equal(tostring(assert(socket.tcp())):sub(1, 4), "tcp{")
      assert(require("socket.core")._VERSION:find("(polysock ", 1, true))
   ]])
end)

case("switch.without LuaSocket", function()
   -- The paths hold nothing but polysock.
   local function only(path, name)
      for entry in path:gmatch("[^;]+") do
         if package.searchpath(name, entry) then
            return entry
         end
      end
      error("no polysock in " .. path)
   end
   local cpath = only(package.cpath, "polysock.core")
   if package.searchpath("socket.core", cpath) then
      case.skip("LuaSocket and polysock are in one folder")
   end
   lua(
      [[
      local socket = require("polysock.luasocket")
      for _, name in ipairs({ "udp", "udp4", "udp6" }) do
         local ok, err = pcall(socket[name])
         equal(ok, false)
         assert(err:find("socket." .. name .. " is LuaSocket's, and LuaSocket is not installed:", 1,
            true), err)
         assert(err:find("no file '[^']*socket"), err)
      end
      local ok, err = pcall(require, "socket.unix")
      equal(ok, false)
      assert(err:find("module 'socket.unix' not found", 1, true), err)
      local server = assert(socket.bind("127.0.0.1", 0))
      local ip, port = server:getsockname()
      local client = assert(socket.connect(ip, port))
      assert(client:send("x"))
   ]],
      {
         LUA_PATH = only(package.path, "polysock.luasocket")
            .. ";"
            .. only(package.path, "polysock"),
         LUA_CPATH = cpath,
      }
   )
end)

case("switch.socket.lua of LuaSocket on our core", function()
   lua([[
      -- A program that drops `socket` and requires it again gets LuaSocket's own Lua file, and
      -- that one asks for socket.core.
      local ours = require("polysock.luasocket")
      package.loaded["socket"] = nil
      local socket = require("socket")
      equal(socket, ours)
      local server = assert(socket.bind("*", 0))
      local _, port = server:getsockname()
      local client = assert(socket.connect4("127.0.0.1", port))
      local far = assert(server:accept())
      assert(socket.sink("close-when-done", client)("some bytes"))
      client:close()
      equal(socket.source(far)(), "some bytes")
      assert(socket.bind("localhost", 0))
      equal(select(2, socket.protect(function() socket.try(nil, "x") end)()), "x")
   ]])
end)
