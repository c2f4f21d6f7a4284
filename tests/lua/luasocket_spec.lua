-- SPDX-License-Identifier: MIT
-- What polysock.luasocket does that polysock does not, written down: classes for each kind,
-- numbers, ports and results as in LuaSocket. Each program is a process of its own, since this one
-- has LuaSocket. tests/compat compares whole programs with LuaSocket.

local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local support = dofile(folder .. "support.lua")

local header = [[
local socket = require("polysock.luasocket")
local native = require("polysock.core").luasocket
local registry = debug.getregistry()

local function words(...)
   local values = {}
   for i = 1, select("#", ...) do
      local value = select(i, ...)
      values[i] = type(value) == "string" and ("'%s'"):format(value)
         or type(value) == "number" and ("%.14g"):format(value)
         or tostring(value)
   end
   return table.concat(values, " ")
end

local function check(expected, ...)
   local found = words(...)
   if found ~= expected then
      error(("found %s, expected %s"):format(found, expected), 2)
   end
end

local function raises(expected, call, ...)
   local ok, problem = pcall(call, ...)
   if ok or not tostring(problem):find(expected, 1, true) then
      error(("found %s, expected an error: %s"):format(tostring(problem), expected), 2)
   end
end

local server = assert(socket.bind("127.0.0.1", 0))
local host, port = server:getsockname()
local near = assert(socket.connect(host, port))
local far = assert(server:accept())
for _, object in ipairs({ server, near, far }) do
   object:settimeout(5)
end

-- A port that refuses: it is bound, and nobody listens.
local holder = assert(socket.tcp4())
assert(holder:bind("127.0.0.1", 0))
local _, refusing = holder:getsockname()
]]

local function runs(program)
   local child = support.start(header .. program .. '\nprint("good")\n')
   assert.equal("good\n", support.hear(child) .. "\n" .. (support.finish(child)))
end

describe("the LuaSocket side: a class", function()
   it("is that of the kind, for whatever makes an object", function()
      runs([[
         for kind, object in pairs({ master = socket.tcp(), server = server, client = near }) do
            local name = ("tcp{%s}"):format(kind)
            check(words(name), object.class)
            assert(getmetatable(object) == registry[name])
            assert(getmetatable(object).__index.class == name)
            assert(getmetatable(object).__name == name)
            assert(tostring(object):find("^tcp{" .. kind .. "}: 0x%x+$"), tostring(object))
         end
         assert(getmetatable(near) == getmetatable(far))
         check("'tcp{master}' 'tcp{master}'", socket.tcp4().class, socket.tcp6().class)
         check("'tcp{client}'", socket.connect4(host, port).class)
         local taken = socket.fromfd(near:getfd(), "client")
         check("'tcp{client}'", taken.class)
         taken:detach()
         assert(tostring(near) ~= tostring(far) and tostring(near) == tostring(near))
         check("nil", polysock.tcp().class)
         check("1", select("#", socket.tcp()))
      ]])
   end)

   it("changes with the object", function()
      runs([[
         local one = socket.tcp()
         assert(one:bind("127.0.0.1", 0))
         check("'tcp{master}'", one.class)
         assert(one:listen())
         check("'tcp{server}'", one.class)
         one:close()
         check("'tcp{server}' 1", one.class, one:close())
         one = socket.tcp()
         assert(one:connect(host, port))
         check("'tcp{client}'", one.class)
         one = socket.tcp()
         one:close()
         check("nil 'closed'", one:listen())
         check("'tcp{master}'", one.class)
      ]])
   end)

   it("has methods that a program may replace, for this kind alone", function()
      runs([[
         local methods = registry["tcp{client}"].__index
         local receive = methods.receive
         methods.receive = function(...) return "patched", receive(...) end
         methods.mine = "mine"
         far:send("line\n")
         check("'patched' 'line' nil nil", near:receive())
         check("'mine' 'mine' nil nil", near.mine, far.mine, server.mine, socket.tcp().mine)
         near = polysock.connect(host, port)
         far = polysock.tcp()
         check("nil nil", near.mine, far.mine)
         assert(near.receive ~= methods.receive and near.receive == far.receive)
      ]])
   end)

   it("is found by its name, is always the same, and may be away for a while", function()
      runs([[
         local class = getmetatable(near)
         check("", native.name(false))
         for _, kind in ipairs({ "master", "client", "server" }) do
            check("nil", registry[("tcp{%s}"):format(kind)])
         end
         local plain = socket.tcp4() -- no class to give it: that of polysock
         check("nil true", plain.class, getmetatable(plain) == getmetatable(polysock.tcp4()))
         check("1", select("#", socket.tcp4()))
         check("'tcp{client}'", near.class)
         check("", native.name(true))
         assert(registry["tcp{client}"] == class)
         check("'tcp{master}'", socket.tcp4().class)
         local count = 0
         for name in pairs(registry) do
            count = count + (tostring(name):find("^tcp{") and 1 or 0)
         end
         check("3", count)
      ]])
   end)

   it("is found by its name or away as the argument says, whatever is above it", function()
      runs([[
         -- What select was given is what the stack holds above the argument of the next call.
         select("#", nil, nil, nil)
         native.name(true)
         assert(registry["tcp{master}"])
         select("#", true, true, true)
         native.name(false)
         check("nil", registry["tcp{master}"])
         native.name(true)
      ]])
   end)

   it("refuses what is no object", function()
      runs([[
         local methods = getmetatable(near).__index
         for _, value in ipairs({ {}, 5, "text", io.stdout }) do
            for name, method in pairs(methods) do
               if name ~= "class" then
                  raises("on bad self (tcp{", method, value)
                  raises("on bad self (tcp{", method, value, 0)
                  raises("on bad self (tcp{", method, value, "127.0.0.1", 0)
               end
            end
            raises("on bad self (tcp{", getmetatable(near).__tostring, value)
         end
         local gone = socket.tcp()
         getmetatable(gone).__gc(gone)
         raises("calling 'bind' on bad self", gone.bind, gone, "127.0.0.1", 0)
         raises("calling 'connect' on bad self", gone.connect, gone, host, port)
         raises("calling 'listen' on bad self", gone.listen, gone)
         raises("calling 'receive' on bad self", gone.receive, gone, 0)
      ]])
   end)

   it("is given by functions that take a table", function()
      runs([[
         raises("table expected", native.open, 5)
         raises("table expected", native.open)
         local copy = {}
         for name, value in pairs(polysock) do
            copy[name] = value
         end
         check("", native.open(copy, "ignored"))
         check("'tcp{master}'", copy.tcp().class)
         assert(polysock.tcp ~= copy.tcp)
      ]])
   end)
end)

describe("the LuaSocket side: calls", function()
   it("give three results for a success, two of them nil", function()
      runs([[
         check("1 nil nil", near:send("a"))
         check("'a' nil nil", far:receive(1))
         far:settimeout(0)
         check("nil 'timeout' ''", far:receive(1))
         near:close()
         check("nil 'closed' 0", near:send("x"))
         check("nil 'closed' ''", near:receive())
      ]])
   end)

   it("round numbers towards zero", function()
      runs([[
         check("4 nil nil", near:send("0123456789", 1.5, 4.9))
         check("'01' nil nil", far:receive(2.9))
         check("'23' nil nil", far:receive(2))
         check("10 nil nil", near:send("0123456789", -2.5))
         check("'89' nil nil", far:receive(2))
         check("9 nil nil", near:send("0123456789", 1, -2.5))
         check("'012345678' nil nil", far:receive(9))
         check("3 nil nil", near:send("abc", 1, 0 / 0))
         check("'abc' nil nil", far:receive(3))
         check("2 nil nil", near:send("abc", "1", "2"))
         check("'ab' nil nil", far:receive("2"))
         local one = socket.tcp4()
         one:bind("127.0.0.1", 0)
         check("1", one:listen(2.5))
         raises("bad argument #1 to 'listen'", socket.tcp4().listen, one, "2.5")
      ]])
   end)

   it("take a port as a number or a text, and fail for what is none", function()
      runs([[
         for _, one in ipairs({ port, tonumber(port), tonumber(port) + 0.0 }) do
            check("1", socket.tcp():connect("127.0.0.1", one))
         end
         check("nil 'connection refused'", socket.tcp():connect("127.0.0.1", 65536))
         check("nil 'connection refused'", socket.tcp():setpeername("127.0.0.1", -1))
         check("nil 'service not supported for socket type'", socket.tcp():bind("127.0.0.1", 70000))
         check("nil 'service not supported for socket type'",
            socket.tcp():setsockname("127.0.0.1", -1))
         check("nil 'service not supported for socket type'", socket.bind("127.0.0.1", 70000))
         for _, name in ipairs({ "connect", "setpeername", "bind", "setsockname" }) do
            check("nil 'service not supported for socket type'",
               socket.tcp()[name](socket.tcp(), "127.0.0.1", 1.5))
         end
         raises("bad argument #2 to 'connect'", polysock.tcp().connect, polysock.tcp(),
            "127.0.0.1", 65536)
         raises("bad argument #2 to 'bind'", polysock.tcp().bind, polysock.tcp(),
            "127.0.0.1", 70000)
      ]])
   end)

   it("tell the own port as a text, and that of the peer as a number", function()
      runs([[
         check("'string' 'number'", type(select(2, near:getsockname())),
            type(select(2, near:getpeername())))
         check("'127.0.0.1' 'inet'", host, select(3, near:getsockname()))
         check("3", select("#", near:getsockname()))
         local _, own = near:getsockname()
         local _, known = far:getpeername()
         check(words(own), tostring(known))
         near:close()
         check("nil 'closed'", near:getsockname())
      ]])
   end)

   it("of a client that was refused fail as if it had been closed", function()
      runs([[
         local one = socket.tcp()
         check("nil 'connection refused'", one:connect("127.0.0.1", refusing))
         check("'tcp{client}'", one.class)
         assert(tostring(one):find("^tcp{client}: 0x%x+$"), tostring(one))
         check("nil 'closed' 0", one:send("x"))
         check("nil 'closed' ''", one:receive())
         check("nil 'closed' ''", one:receive("*l", "prefix"))
         check("nil 'closed'", one:shutdown())
         check("1 'tcp{client}'", one:connect(host, port), one.class)
         check("1 nil nil", one:send("x"))
      ]])
   end)

   it("raise for another kind, but to connect again is a failure", function()
      runs([[
         raises("calling 'receive' on bad self (tcp{client} expected)", server.receive, server)
         raises("calling 'receive' on bad self", socket.tcp().receive, socket.tcp())
         raises("calling 'accept' on bad self", near.accept, near)
         raises("calling 'bind' on bad self", near.bind, near, "127.0.0.1", 0)
         raises("calling 'listen' on bad self", near.listen, near)
         for _, name in ipairs({ "connect", "setpeername" }) do
            check("nil 'already connected'", near[name](near, host, port))
            check("nil 'already connected'", server[name](server, host, port))
         end
         check("'tcp{client}' 'tcp{server}'", near.class, server.class)
         raises("calling 'shutdown' on bad self", socket.tcp().shutdown, socket.tcp())
         local plain = assert(polysock.bind("127.0.0.1", 0))
         raises("calling 'connect' on bad self", plain.connect, plain, host, port)
      ]])
   end)

   it("that bind or connect give a closed object a new socket, with its limits", function()
      runs([[
         near:settimeout(7)
         near:settimeout(9, "t")
         near:close()
         check("1 'tcp{client}'", near:connect(host, port), near.class)
         check("7 9", near:gettimeout())
         check("1 nil nil", near:send("x"))
         far = server:accept()
         check("'x' nil nil", far:receive(1))
         local fd = near:getfd()
         check("nil 'already connected'", near:connect(host, port))
         assert(near:getfd() == fd)
         server:close()
         check("1", server:bind("127.0.0.1", 0))
         check("1 'tcp{server}'", server:listen(), server.class)
         local one = socket.tcp4()
         assert(one:bind("127.0.0.1", 0))
         fd = one:getfd()
         check("1", one:listen())
         assert(one:getfd() == fd)
      ]])
   end)

   it("leave no memory behind when they do so", function()
      runs([[
         local function resident()
            local file = assert(io.open("/proc/self/statm"))
            local pages = file:read("*l"):match("^%d+ (%d+)")
            file:close()
            return tonumber(pages) * 4096
         end
         local function revive(rounds)
            local one = socket.tcp4()
            for _ = 1, rounds do
               one:close()
               assert(one:bind("127.0.0.1", 0))
            end
            one:close()
            collectgarbage()
         end
         revive(500)
         local before = resident()
         revive(10000)
         assert(resident() - before < 1024 * 1024, resident() - before)
      ]])
   end)

   it("do not replace the socket of a call that is under way", function()
      runs([[
         far:send(("x"):rep(1000000))
         local receive, seen, fd = near.receive, nil, near:getfd()
         debug.sethook(function()
            local outer = debug.getinfo(3, "f")
            if outer and outer.func == receive then
               debug.sethook()
               near:close()
               seen = { near:connect(host, port) }
            end
         end, "c")
         check("nil 'closed'", (near:receive(900000)), (select(2, near:receive(1))))
         debug.sethook()
         check("nil 'closed'", seen[1], seen[2])
      ]])
   end)

   it("take a limit of mode b from their start on", function()
      runs([[
         -- The hook runs between two reads. So there is always a byte to read, and each read
         -- is quick, but all of them take longer than the limit.
         local function limited(client, peer)
            client:settimeout(0.3)
            local receive = client.receive
            debug.sethook(function()
               local outer = debug.getinfo(3, "f")
               if outer and outer.func == receive then
                  polysock.sleep(0.05)
                  peer:send("x")
               end
            end, "c")
            peer:send("x")
            local data, err, partial = client:receive(30)
            debug.sethook()
            return data and "all" or err, #(partial or data) < 30
         end
         check("'timeout' true", limited(near, far))
         near:close()
         near:connect(host, port)
         check("'timeout' true", limited(near, (server:accept())))
         near = polysock.connect(host, port)
         check("'all' false", limited(near, (server:accept())))
      ]])
   end)

   describe("that receive", function()
      it("nothing wait for bytes or the end, and take none", function()
         runs([[
            far:settimeout(0.02)
            check("nil 'timeout' ''", far:receive(0))
            near:send("ab")
            far:settimeout(5)
            check("'' nil nil", far:receive(0))
            check("'' nil nil", far:receive(0.5))
            check("'prefix' nil nil", far:receive(0, "prefix"))
            check("'ab' nil nil", far:receive(2))
            near:close()
            check("nil 'closed' ''", far:receive(0))
         ]])
      end)

      it("know no maxsize", function()
         runs([[
            near:send("0123456789\n0123456789\n")
            check("'0123456789' nil nil", far:receive("*l", nil, 4))
            check("'0123456789' nil nil", far:receive("*l", "", 4))
         ]])
      end)
   end)

   it("of select take a table that is a socket for an empty set", function()
      runs([[
         local wrapper = { getfd = function() return near:getfd() end }
         local readable, writable, err = socket.select(wrapper, wrapper, 0)
         check("0 0 'timeout'", #readable, #writable, err)
         raises("set of sockets expected", polysock.select, wrapper, nil, 0)
      ]])
   end)
end)
