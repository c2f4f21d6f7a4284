-- SPDX-License-Identifier: MIT
-- What an object is to Lua: collection, to-be-closed variables, iteration, text, and what
-- happens when something else is passed off as one.

local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local support = dofile(folder .. "support.lua")
local luasocket = require("socket")
local polysock = require("polysock")

describe("an object", function()
   local client, peer

   before_each(function()
      client, peer = support.pair()
      client:settimeout(5)
   end)

   after_each(function()
      client:close()
      peer:close()
   end)

   describe("that is collected", function()
      it("is closed", function()
         local one, other = support.pair()
         assert.is_userdata(one)
         one = nil -- luacheck: ignore
         collectgarbage()
         collectgarbage()
         assert.same({ nil, "closed", "" }, { other:receive(1) })
         other:close()
      end)

      it("may be used by the finaliser of another one, in any order", function()
         local texts = {}
         local function finalise(self)
            texts[#texts + 1] = tostring(self.socket:close())
            for _, method in ipairs({ "getfd", "getstats", "receive", "dirty", "close" }) do
               local ok, err = pcall(self.socket[method], self.socket)
               assert(ok or err:find("on bad self (tcp{", 1, true), err)
            end
         end
         for before = 1, 2 do
            local owner = { socket = before == 2 and polysock.tcp4() }
            owner.finaliser = support.finaliser(finalise, owner)
            owner.socket = owner.socket or polysock.tcp4()
         end
         collectgarbage()
         collectgarbage()
         assert.same({ "1", "1" }, texts)
      end)

      it("may be in use when a finaliser receives from it or closes it", function()
         for _, method in ipairs({ "receive", "close" }) do
            client:close()
            peer:close()
            client, peer = support.pair()
            local lines, known, seen = {}, {}, {}
            for i = 1, 1000 do
               lines[i] = ("%d%s"):format(i, ("x"):rep(i % 90))
               known[lines[i]] = true
            end
            peer:send(table.concat(lines, "\n") .. "\n")
            client:settimeout(0) -- all of it is there, and a finaliser must not wait
            local function note(line)
               if line and line ~= 1 then
                  assert.is_true(known[line]) -- one that was sent, and for the first time
                  known[line] = false
                  seen[#seen + 1] = line
               end
            end
            local restore = support.collect_often()
            local finalised, over = false, false
            for i = 1, 5000 do
               if i % 3 == 0 then
                  support.finaliser(function()
                     if not over then
                        finalised = true
                        note((client[method](client)))
                     end
                  end)
               end
               if #seen == 1000 then
                  break
               end
               local line, err = client:receive("*l", "")
               note(line)
               if err == "closed" then
                  break
               end
            end
            restore()
            over = true
            assert.is_true(finalised)
            assert.equal(method == "receive" and 1000 or #seen, #seen)
            assert.equal(0, client:pending())
         end
      end)

      it("bears its finaliser any number of times, and with anything", function()
         local finalise = getmetatable(client).__gc
         local lines = client:lines()
         finalise(client)
         finalise(client)
         assert.equal(1, client:close())
         assert.has_error(function()
            client:receive()
         end, "calling 'receive' on bad self (tcp{any} expected)")
         assert.has_error(function()
            tostring(client)
         end)
         assert.has_error(lines)
         assert.same({ {}, {}, "timeout" }, { polysock.select({ client }, nil, 0) })
         for _, value in ipairs({ 5, "text", {}, io.stdout, print, polysock.tcp4 }) do
            assert.equal(0, select("#", finalise(value)))
         end
         assert.equal(0, select("#", finalise()))
         assert.equal(0, select("#", finalise(peer)))
         assert.equal(0, select("#", finalise(client)))
         assert.equal(0, select("#", finalise(polysock.tcp4())))
      end)

      it("goes through the end of the state with everything open", function()
         local rest, ok = support.finish(support.start([[
            server = assert(polysock.bind("127.0.0.1", 0))
            host, port = server:getsockname()
            client = assert(polysock.connect(host, port))
            lines = client:lines()
            holder = finaliser(function()
               print(client:close(), server:close())
               print(pcall(lines))
            end)
            coroutine.wrap(function() local keep = server:accept() coroutine.yield(keep) end)()
         ]]))
         assert.is_true(ok)
         assert.matches("^1\t1\n", rest)
      end)
   end)

   it("keeps its text through its kinds", function()
      local one = polysock.tcp()
      assert.matches("^tcp{master}: 0x%x+$", tostring(one))
      assert(one:bind("127.0.0.1", 0))
      assert(one:listen())
      assert.matches("^tcp{server}: 0x%x+$", tostring(one))
      local number = tostring(one):match("0x%x+")
      one:close()
      assert.equal("tcp{server}: " .. number, tostring(one))
      assert.matches("^tcp{client}: ", tostring(client))
   end)

   it("is equal to itself alone, and a good key", function()
      local other = polysock.tcp4()
      assert.is_true(client == client and client ~= other)
      assert.is_false(client == 5 or client == tostring(client) or client == io.stdout)
      local table_ = { [client] = 1, [other] = 2 }
      client:close()
      assert.same({ 1, 2 }, { table_[client], table_[other] })
      other:close()
   end)

   it("has no fields of a program's own", function()
      assert.is_nil(client.nothing)
      assert.has_error(function()
         client.nothing = 5
      end)
      if _VERSION >= "Lua 5.4" then -- before that each userdata has a place for a value
         assert.is_nil((debug.setuservalue(client, 5, 1)))
      end
   end)

   it("ignores arguments that are too many", function()
      assert.equal(0, client:pending(1, 2, 3))
      assert.equal(1, client:settimeout(5, "b", "more", {}))
      assert.equal(3, client:send("abc", 1, 3, "more", print))
      assert.equal("abc", peer:receive(3))
      assert.is_number(polysock.gettime("more"))
      assert.equal(1, client:close("more"))
   end)

   it("is not what other libraries or programs have", function()
      local others = {
         io.stdout, require("lfs").dir(".") and select(2, require("lfs").dir(".")), peer,
         require("socket").tcp(), {}, 5, "text", true, print, coroutine.create(function() end),
         setmetatable({}, getmetatable(client)), setmetatable({}, { __index = client }),
      }
      local methods = {}
      for name, method in pairs(getmetatable(client).__index) do
         if type(method) == "function" then
            methods[#methods + 1] = name
         end
      end
      assert.is_true(#methods >= 30)
      for _, name in ipairs(methods) do
         for index = 0, #others do
            local ok, err = pcall(client[name], others[index])
            assert.is_false(ok)
            assert.equal(
               ("calling '%s' on bad self (tcp{any} expected)"):format(name), err)
         end
         assert.is_false(pcall(client[name]))
      end
   end)

   -- LuaJIT has one hook for all coroutines.
   local with_hook = rawget(_G, "jit") and function() end or it
   with_hook("lets the error of a hook through, and loses nothing", function()
      client:settimeout(5)
      local line = ("x"):rep(5000)
      for count = 1, 6 do
         peer:send(line .. "\n")
         local calls = 0
         local routine = coroutine.create(function()
            return client:receive("*l")
         end)
         debug.sethook(routine, function()
            calls = calls + 1
            if calls == count then
               error("the hook's")
            end
         end, "c")
         local good, found, err = coroutine.resume(routine)
         assert.is_nil(err)
         if good then
            assert.equal(line, found)
         else
            assert.matches("the hook's", found)
            assert.equal(line, client:receive("*l"))
         end
      end
   end)

   -- Before 5.4 Lua copies it: see swig/lua/large_strings.h.
   local large = _VERSION >= "Lua 5.4" and it or function() end
   large("needs memory for a large result once", function()
      local size = 32 * 1024 * 1024
      local listener = assert(luasocket.bind("127.0.0.1", 0))
      local _, port = listener:getsockname()
      local child = support.start(([[
         local client = assert(polysock.connect("127.0.0.1", %d))
         local function peak()
            for line in io.lines("/proc/self/status") do
               local kilobytes = line:match("VmHWM:%%s*(%%d+)")
               if kilobytes then
                  return kilobytes * 1024
               end
            end
         end
         local before = peak()
         local data = client:receive("*a")
         print(#data, peak() - before)
      ]]):format(port))
      local sender = assert(listener:accept())
      sender:send(("x"):rep(size))
      sender:close()
      listener:close()
      local received, memory = support.finish(child):match("(%d+)%s+(%d+)")
      assert.equal(size, tonumber(received))
      assert.is_true(tonumber(memory) < 1.3 * size)
   end)

   local limited = os.execute("command -v prlimit >/dev/null") == true and large or function() end
   limited("gives what came where there is no memory to keep it for later", function()
      local size = 15 * 512 * 1024 -- the memory for it is 8 MiB then
      local mebibyte = 1024 * 1024
      local listener = assert(luasocket.bind("127.0.0.1", 0))
      local _, port = listener:getsockname()
      local child = support.start(([[
         local client = assert(polysock.connect("127.0.0.1", %d))
         print("ready")
         assert(client:receive(1))
         local data, err, partial = client:receive(16 * 1024 * 1024)
         local good = true
         for i = 1, #partial, 16 do
            good = good and partial:find("0123456789abcdef", i, true) == i
         end
         print(data, err, #partial, good)
      ]]):format(port))
      local sender = assert(listener:accept())
      listener:close()
      assert.equal("ready", support.hear(child))
      local file = assert(io.open("/proc/" .. child.pid .. "/statm"))
      local limit = file:read("n") * 4096 + 12 * mebibyte
      file:close()
      assert(os.execute(("prlimit --pid %s --as=%d:"):format(child.pid, limit)))
      assert(sender:send("!" .. ("0123456789abcdef"):rep(size / 16)))
      sender:close()
      assert.equal(("nil\tclosed\t%d\ttrue\n"):format(size), (support.finish(child)))
   end)

   it("leaves a hook as it was", function()
      local line = ("x"):rep(5000)
      peer:send(line .. "\n")
      local function hook() end
      debug.sethook(hook, "c", 1000000)
      local found = client:receive("*l")
      local after, mask, count = debug.gethook()
      debug.sethook()
      assert.equal(line, found)
      assert.equal(hook, after)
      assert.equal("c", mask)
      assert.equal(1000000, count)
   end)

   -- What makes the results runs without the hook, which could raise and lose them.
   with_hook("runs no hook of the program inside a call", function()
      for _, call in ipairs({ polysock.tcp4, polysock.poller }) do
         local calls, inside = 0, 0
         debug.sethook(function()
            local outer = debug.getinfo(3, "f")
            calls = calls + 1
            inside = inside + (outer and outer.func == call and 1 or 0)
         end, "c")
         local found = call()
         debug.sethook()
         found:close()
         assert.is_true(calls > 0)
         assert.equal(0, inside)
      end
   end)

   with_hook("leaves the hook that a finaliser sets inside a call", function()
      local function own() end
      local function another() end
      for _, before in ipairs({ own, false }) do
         local finalised = false
         local start, restore = support.pause_collector()
         support.finaliser(function()
            finalised = true
            debug.sethook(another, "", 2000000)
         end)
         if before then
            debug.sethook(before, "", 1000000)
         end
         start()
         local made = polysock.tcp4()
         restore()
         collectgarbage()
         local after, _, count = debug.gethook()
         debug.sethook()
         made:close()
         assert.is_true(finalised)
         -- Where it runs outside the call, the hook is the last one all the same.
         assert.equal(another, after)
         assert.equal(2000000, count)
      end
   end)

   large("lets the error of a hook through that a finaliser sets inside a call", function()
      for _, call in ipairs({ polysock.tcp4, polysock.poller }) do
         local before = support.descriptors()
         local start, restore = support.pause_collector()
         support.finaliser(function()
            debug.sethook(function()
               debug.sethook()
               error("the hook's", 0)
            end, "r")
         end)
         start()
         local good, err = pcall(call)
         restore()
         debug.sethook()
         assert.same({ false, "the hook's" }, { good, err })
         collectgarbage()
         collectgarbage()
         assert.equal(before, support.descriptors())
      end
   end)

   it("gives what came of a large number of bytes", function()
      for _, size in ipairs({ 20000, 90000, 300000 }) do
         local one, other = support.own_pair()
         local data = ("0123456789"):rep(size / 10)
         other:send(data)
         one:settimeout(0.05)
         local found, err, partial = one:receive(size + 10)
         assert.is_nil(found)
         assert.equal("timeout", err)
         assert.equal(data, partial)
         other:send(data)
         other:close()
         one:settimeout(5)
         found, err, partial = one:receive(size + 10)
         assert.is_nil(found)
         assert.equal("closed", err)
         assert.equal(data, partial)
         one:close()
      end
   end)

   it("lets a finaliser make a text as large as the one that it makes", function()
      local data = ("x"):rep(100000)
      for _ = 1, 5 do
         peer:send(data)
         local good, text
         local start, restore = support.pause_collector()
         support.finaliser(function()
            good, text = pcall(string.rep, "y", #data)
         end)
         start()
         local found = client:receive(#data)
         restore()
         collectgarbage()
         assert.is_true(good, text)
         assert.equal(("y"):rep(#data), text)
         assert.equal(data, found)
      end
   end)

   it("lets a finaliser make a large text while it gives one that is there already", function()
      local rest, ok = support.finish(support.start([[
         local server = assert(polysock.bind("127.0.0.1", 0))
         local host, port = server:getsockname()
         local client = assert(polysock.connect(host, port))
         local peer = assert(server:accept())
         local known, grows = "hello", {}
         local half, text = ("x"):rep(50000), nil
         local function join()
            text = half .. half
         end
         local function descend(depth)
            return depth > 0 and 1 + descend(depth - 1) or 0
         end
         assert(peer:send(known))
         peer:close()
         collectgarbage("setpause", 1)
         collectgarbage("setstepmul", 1000)
         if _VERSION == "Lua 5.4" then
            collectgarbage("incremental", 0, 0, 30) -- 2 ^ 30 a step
         end
         collectgarbage("stop")
         collectgarbage()
         descend(8) -- so that the call of the finaliser itself needs no memory
         finaliser(join)
         collectgarbage("restart")
         for i = 1, 1000 do
            grows[i] = i -- needs memory, for which the collector does not run
         end
         local early = text ~= nil
         local found = client:receive("*a")
         print(found == known, _VERSION ~= "Lua 5.4" or not early and #text == 100000)
      ]]))
      assert.is_true(ok, rest)
      assert.equal("true\ttrue\n", rest)
   end)

   it("stays alive as a member of select, whatever becomes of the table", function()
      local member, other = support.own_pair()
      local weak = setmetatable({ member }, { __mode = "v" })
      local set = { member }
      set[2] = {
         getfd = function()
            set[1] = nil
            collectgarbage()
            collectgarbage()
            return other:getfd()
         end,
         dirty = function()
            return true
         end,
      }
      member = nil
      local ready = polysock.select(set, nil, 0)
      assert.equal(1, #ready)
      assert.is_nil(member)
      ready, set = nil, nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      assert.is_nil(weak[1])
   end)

   describe("and the types of arguments:", function()
      it("numbers are taken for text", function()
         assert.equal(2, client:send(42))
         assert.equal("42", peer:receive(2))
         assert.equal(3, client:send(1.5))
         peer:send("x\n")
         assert.equal("7x", client:receive("*l", 7))
         peer:send("a5b")
         assert.equal("a", client:receiveuntil(5))
      end)

      it("text for the system is whole", function()
         local one = polysock.tcp4()
         local done, err = one:setoption("bindtodevice", "lo")
         if not done then
            assert.matches("permitted", err) -- older systems want privileges
         else
            assert.equal("lo", one:getoption("bindtodevice"))
         end
         one:close()
      end)

      it("seconds have fractions", function()
         local function has_fractions(clock)
            for _ = 1, 1000 do
               if clock() % 1 ~= 0 then
                  return true
               end
            end
         end
         assert.is_true(has_fractions(polysock.monotime))
         client:setdeadline(5)
         assert.is_true(has_fractions(function()
            return client:getdeadline()
         end))
      end)

      it("text is taken for numbers", function()
         peer:send("abcdef")
         assert.equal("ab", client:receive("2"))
         assert.equal("c", client:receive("0x1"))
         assert.equal(2, client:send("abc", "1", "2"))
         assert.equal(1, client:settimeout("0.5"))
         assert.equal(0.5, (client:gettimeout()))
         assert.equal("def", client:receive(3.0))
      end)

      it("a backlog that no integer holds is the largest", function()
         local one = assert(polysock.tcp4())
         assert(one:bind("127.0.0.1", 0))
         assert(one:listen(-2 ^ 60))
         local host, port = one:getsockname()
         local clients = {}
         for i = 1, 8 do -- nobody accepts them
            clients[i] = assert(polysock.connect(host, port, nil, nil, nil, 20))
         end
         for _, object in ipairs(clients) do
            object:close()
         end
         one:close()
      end)

      it("an integer that no float holds is one for the system", function()
         local largest = math.maxinteger or 2 ^ 53 -- before Lua 5.3 all numbers are floats
         local done, err = client:setoption("recv-buffer-size", largest)
         assert.is_nil(done)
         assert.equal("Invalid argument", err)
      end)

      it("other types are misuse that names the argument", function()
         local bad = {
            { "receive", {}, "#1 to 'receive' (pattern: " },
            { "receive", true, "#1 to 'receive' (pattern: " },
            { "receive", 2.5, "#1 to 'receive' (pattern: " },
            { "receive", "2.5", "#1 to 'receive' (pattern: " },
            { "receiveuntil", nil, "#1 to 'receiveuntil' (delimiter: " },
            { "receiveuntil", {}, "#1 to 'receiveuntil' (delimiter: " },
            { "send", nil, "#1 to 'send' (data: " },
            { "send", print, "#1 to 'send' (data: " },
            { "settimeout", "soon", "#1 to 'settimeout' (value: " },
            { "settimeout", 0 / 0, "#1 to 'settimeout' (value: " },
            { "setdeadline", {}, "#1 to 'setdeadline' (seconds: " },
            { "setfd", nil, "#1 to 'setfd' (fd: " },
            { "setfd", 2 ^ 40, "#1 to 'setfd' (fd: " },
            { "shutdown", io.stdout, "#1 to 'shutdown' (mode: " },
            { "setstats", "x", "#1 to 'setstats' (received: " },
            { "receiveany", 0, "#1 to 'receiveany' (max: " },
            { "lines", "*x", "#1 to 'lines' (pattern: " },
         }
         for _, case in ipairs(bad) do
            local ok, err = pcall(client[case[1]], client, case[2])
            assert.is_false(ok, case[3])
            assert.equal("bad argument " .. case[3], err:sub(1, #case[3] + 13))
         end
         assert.has_error(function()
            client:receive("*l", nil, -1)
         end, "bad argument #3 to 'receive' (maxsize: integer from 1 expected)")
         assert.has_error(function()
            client:setoption("bindtodevice", ("x"):rep(300))
         end, "bad argument #2 to 'setoption' (value: text too long)")
         assert.has_error(function()
            client:send("x", {})
         end, "bad argument #2 to 'send' (i: integer expected)")
         assert.has_error(function()
            client:setoption("linger", { on = 1, timeout = 1 })
         end)
         assert.has_error(function()
            client:setoption("linger", setmetatable({}, { __index = error }))
         end)
      end)
   end)

   describe("with lines in a generic for", function()
      it("gives one after the other", function()
         peer:send("one\r\ntwo\n\nlast")
         peer:close()
         local seen = {}
         for line in client:lines() do
            seen[#seen + 1] = line
         end
         assert.same({ "one", "two", "", "last" }, seen)
      end)

      it("shares the stream between two", function()
         peer:send("1\n2\n3\n4\n5")
         peer:close()
         local seen = {}
         for line in client:lines("*L") do
            seen[#seen + 1] = line
            local inner = client:lines("*l")
            seen[#seen + 1] = inner()
         end
         assert.same({ "1\n", "2", "3\n", "4", "5" }, seen)
      end)

      it("keeps the object alive", function()
         local one, other = support.pair()
         local lines = one:lines()
         one = nil -- luacheck: ignore
         collectgarbage()
         collectgarbage()
         other:send("still here\n")
         assert.equal("still here", lines())
         other:close()
         assert.is_nil(lines())
         assert.is_nil(lines())
         assert.equal(1, select("#", lines()))
      end)

      it("raises other failures and keeps what came", function()
         client:settimeout(0.01)
         peer:send("par")
         local lines = client:lines()
         assert.has_error(lines, "timeout")
         assert.has_error(lines, "timeout")
         peer:send("tial\n")
         client:settimeout(5)
         assert.equal("partial", lines())
      end)

      it("raises when it is closed inside", function()
         peer:send("1\n2\n3\n")
         local count = 0
         local ok, err = pcall(function()
            for _ in client:lines() do
               count = count + 1
               client:close()
            end
         end)
         assert.is_false(ok)
         assert.matches("^%S*objects_spec%.lua:%d+: closed$", err) -- the place of the loop
         assert.equal(1, count)
      end)

      it("ends only once the last piece was given", function()
         peer:send("1\n2")
         peer:close()
         local lines = client:lines()
         assert.same({ "1", "2", nil }, { lines(), lines(), lines() })
         assert.is_nil(lines())
      end)
   end)

   it("works in coroutines", function()
      local seen = {}
      local reader = coroutine.wrap(function()
         client:settimeout(0)
         local partial = ""
         while true do
            local line, err
            line, err, partial = client:receive("*l", partial)
            if line then
               seen[#seen + 1], partial = line, ""
            elseif err == "timeout" then
               coroutine.yield()
            else
               return
            end
         end
      end)
      for _, piece in ipairs({ "fir", "st\nsec", "ond\n", "third\n" }) do
         reader()
         peer:send(piece)
      end
      while #seen < 3 do
         reader()
      end
      assert.same({ "first", "second", "third" }, seen)
   end)
end)
