-- SPDX-License-Identifier: MIT
-- Signals under the stock interpreter: Ctrl-C during a wait raises "interrupted!" at once and
-- loses nothing; other hooks run and the wait goes on; a name that the resolver holds does not
-- hold the program. Each test signals a process of its own once it sleeps in the system.

local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local support = dofile(folder .. "support.lua")

local setup = [[
local server = assert(polysock.bind("127.0.0.1", 0))
local host, port = server:getsockname()
local client = assert(polysock.connect(host, port))
local other = assert(server:accept())
local full = assert(polysock.connect(host, port))
local sink = assert(server:accept())
full:settimeout(0)
repeat until select(2, full:send(("x"):rep(65536)))
full:settimeout()
]]

local waits = {
   { "receive", "client:receive()" },
   { "receive with limits", "client:settimeout(60) client:settimeout(90, 't') client:receive(10)" },
   { "receive of much", "client:receive(2^20)" },
   { "receive of all", "client:receive('*a')" },
   { "receiveany", "client:receiveany()" },
   { "receiveuntil", "client:receiveuntil('--')" },
   { "lines", "for line in client:lines() do print(line) end" },
   { "send", "full:send(('y'):rep(2^24))" },
   { "accept", "server:accept()" },
   { "select", "polysock.select({ client }, nil)" },
   { "select with a limit", "polysock.select({ client }, nil, 60)" },
   { "a poller", "local poller = polysock.poller() poller:add(client, 'r') poller:wait()" },
   { "a poller with a limit", "polysock.poller():wait(60)" },
   { "sleep", "polysock.sleep(60)" },
   { "a coroutine", "assert(coroutine.resume(coroutine.create(function() client:receive() end)))" },
   { "a wrapped coroutine in another", "coroutine.wrap(function() coroutine.wrap(function()" ..
      " polysock.select({ client }) end)() end)()" },
   { "a method of a source", "polysock.source(client)()" },
   { "protect", "polysock.protect(function() client:receive() end)()" },
}

describe("Ctrl-C", function()
   for _, case in ipairs(waits) do
      it("is heard at once in " .. case[1], function()
         local best = math.huge
         for _ = 1, 4 do -- a busy machine is not the module's fault
            local child = support.start(setup .. ([[
               print("waiting")
               local ok, err = pcall(function() %s end)
               print(polysock.monotime())
               print(ok, err)
            ]]):format(case[2]))
            assert.equal("waiting", support.hear(child))
            local sent = support.signal(child, "INT")
            local heard = tonumber(support.hear(child))
            local rest = support.finish(child)
            assert.is_number(heard, rest)
            assert.matches("^false\t.*interrupted!", rest)
            best = math.min(best, heard - sent)
            if best < 0.1 then
               break
            end
         end
         assert.is_true(best < 0.1)
      end)
   end

   it("ends a program that does not catch it", function()
      local child = support.start(setup .. 'print("waiting") client:receive()')
      assert.equal("waiting", support.hear(child))
      support.signal(child, "INT")
      local rest, ok, code = support.finish(child)
      assert.matches("^[^:]*: interrupted!", rest)
      assert.is_falsy(ok)
      assert.equal(1, code)
   end)

   for _, call in ipairs({ "receive()", "receive('*L')", "receive(20)", "receive(2^20)",
      "receive('*a')", "receive('*a', '', 1000)", "receiveuntil('--')", "lines()()",
      "lines('*a')()", "lines(1000)()" }) do
      it("loses nothing that was read by " .. call, function()
         local child = support.start(setup .. ([[
            other:send("part ")
            print("waiting")
            print(pcall(function() client:%s end))
            print(client:getstats())
            other:send("and more\n")
            client:settimeout(5)
            print(client:receive())
         ]]):format(call))
         assert.equal("waiting", support.hear(child))
         support.signal(child, "INT")
         local rest = support.finish(child)
         assert.matches("^false\t.*interrupted!\n0\t0\t[^\n]*\npart and more\n$", rest)
      end)
   end

   it("loses nothing in a coroutine either", function()
      local child = support.start(setup .. [[
         other:send("part ")
         print("waiting")
         pcall(coroutine.wrap(function() client:receive() end))
         other:send("and more\n")
         print(client:receive())
      ]])
      assert.equal("waiting", support.hear(child))
      support.signal(child, "INT")
      assert.equal("part and more\n", (support.finish(child)))
   end)

   it("leaves the object as it was", function()
      local child = support.start(setup .. [[
         print("waiting")
         pcall(client.receive, client)
         print(client:getfd() >= 0, client:send("x"), other:receive(1), client:close())
      ]])
      assert.equal("waiting", support.hear(child))
      support.signal(child, "INT")
      assert.equal("true\t1\tx\t1\n", (support.finish(child)))
   end)
end)

describe("a hook of the program's own", function()
   it("does not end a wait, nor move its end", function()
      local rest = support.finish(support.start(setup .. [[
         local count = 0
         debug.sethook(function() count = count + 1 end, "", 1)
         client:settimeout(0.1)
         local began = polysock.monotime()
         print(client:receive("*l", "kept"))
         debug.sethook()
         local took = polysock.monotime() - began
         print(took >= 0.1, took < 3, count > 0)
      ]]))
      assert.equal("nil\ttimeout\tkept\ntrue\ttrue\ttrue\n", rest)
   end)

   it("stays in the main coroutine when another one waits", function()
      local rest = support.finish(support.start(setup .. [[
         local events = 0
         local function trace() events = events + 1 end
         local routine = coroutine.wrap(function()
            coroutine.yield()
            client:receive(300000) -- more than one read
         end)
         routine()
         debug.sethook(trace, "crl", 1)
         other:send(("x"):rep(300000))
         routine()
         local hook, mask, count = debug.gethook()
         local before = events
         local _ = math.abs(1)
         debug.sethook()
         print(hook == trace, mask, count, events > before)
      ]]))
      assert.equal("true\tcrl\t1\ttrue\n", rest)
   end)

   it("gives way to Ctrl-C", function()
      local child = support.start(setup .. [[
         debug.sethook(function() end, "crl", 1)
         client:settimeout(20)
         print("waiting")
         print(pcall(coroutine.wrap(function() client:receive() end)))
      ]])
      assert.equal("waiting", support.hear(child))
      support.signal(child, "INT")
      assert.matches("^false\t.*interrupted!", (support.finish(child)))
   end)
end)

describe("a name that the resolver holds", function()
   local library = os.tmpname()
   local source = folder .. "../conformance/polysock_conformance/data/slow_resolver.c"
   local built = os.execute(("cc -shared -fPIC -o %s %s -ldl"):format(library, source))
   local environment = "LD_PRELOAD=" .. library

   teardown(function()
      os.remove(library)
   end)

   it("has a resolver to be held by", function()
      assert.is_true(built == true or built == 0)
   end)

   it("is abandoned at the limit, and does not hold the end", function()
      local rest, ok = support.finish(support.start([[
         local one = polysock.tcp()
         one:settimeout(0.05)
         print(one:connect("hang.test", 80))
         one:settimeout(0.05, "t")
         print(one:bind("hang.test", 80))
         print(one:getfd(), one)
      ]], environment))
      assert.is_true(ok)
      assert.matches("^nil\ttimeout\nnil\ttimeout\n%-1\ttcp{master}", rest)
   end)

   it("does not keep Ctrl-C away", function()
      for _, call in ipairs({ "connect('hang.test', 80)", "dns.toip('hang.test')" }) do
         local best = math.huge
         for _ = 1, 4 do
            local child = support.start(([[
               print("waiting")
               local ok, err = pcall(function() return polysock.%s end)
               print(polysock.monotime())
               print(ok, err)
            ]]):format(call), environment)
            assert.equal("waiting", support.hear(child))
            local sent = support.signal(child, "INT")
            best = math.min(best, tonumber(support.hear(child)) - sent)
            local rest, ok = support.finish(child)
            assert.equal("false\tinterrupted!\n", rest)
            assert.is_true(ok)
            if best < 0.1 then
               break
            end
         end
         assert.is_true(best < 0.1)
      end
   end)
end)
