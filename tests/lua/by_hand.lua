-- SPDX-License-Identifier: MIT
-- Calls __gc by hand wherever a program can: while a call waits, reads its arguments or makes its
-- result. The object is closed then, and no memory is used after it was freed, which is for
-- sanitizers and valgrind to see. run.c runs it; each case must end with the object unusable.

-- luacheck: globals polysock newproxy ring unpack
local collect = getmetatable(polysock.tcp()).__gc
local server = assert(polysock.bind("127.0.0.1", 0))
local host, port = server:getsockname()

local function pair()
   local client = assert(polysock.connect(host, port))
   client:settimeout(5)
   return client, assert(server:accept())
end

-- Makes an object that calls when it is collected. In Lua 5.1 only userdata does that.
local function finaliser(call)
   local made, proxy = pcall(newproxy, true)
   if not made then
      return setmetatable({}, { __gc = call })
   end
   getmetatable(proxy).__gc = call
   return proxy
end

-- Lua 5.5 has other names for it.
local function tune(option, parameter, value)
   if not pcall(collectgarbage, option, value) then
      collectgarbage("param", parameter, value)
   end
end

local function unusable(object)
   local usable, fd = pcall(object.getfd, object)
   return not usable or fd == -1
end

-- A hook that runs while the call waits for its signal's turn: between two reads.
local function in_hook(call)
   local client, peer = pair()
   peer:send(("x"):rep(1000000))
   local seen = false
   local method = client[call]
   debug.sethook(function()
      local outer = debug.getinfo(3, "f")
      if outer and outer.func == method then
         debug.sethook()
         seen = true
         collect(client)
      end
   end, "c")
   pcall(method, client, call == "send" and ("y"):rep(5000000) or 900000)
   debug.sethook()
   assert(seen, "the hook did not run inside " .. call)
   assert(client:getfd() == -1, call .. ": in use, it is closed and stays")
   peer:close()
end

-- The same whenever a signal interrupts the wait of an iterator or of select. Nothing stays
-- on the stack of the call, however often a hook runs in it, and once it has ended nothing keeps
-- what the members hold.
local function in_waits(call, objects)
   local times, sizes = 0, {}
   ring(0.001)
   debug.sethook(function()
      local outer = debug.getinfo(3, "f")
      if outer and outer.func == call then
         times = times + 1
         local size = 0
         while debug.getlocal(3, size + 1) do
            size = size + 1
         end
         sizes[size] = true
         if times == 30 then
            for _, object in ipairs(objects) do
               collect(object)
               assert(object:getfd() == -1, "in use, it is closed and stays")
            end
         end
      end
   end, "c")
   return function(...)
      local found = { pcall(call, ...) }
      debug.sethook()
      ring(0)
      assert(times >= 30, "the hook did not run inside")
      assert(next(sizes, (next(sizes))) == nil, "something stays on the stack")
      for _, object in ipairs(objects) do
         collect(object)
         assert(not pcall(object.getfd, object), "it is not in use any more")
      end
      return (table.unpack or unpack)(found)
   end
end

do
   local client, peer = pair()
   local lines = client:lines()
   local good, words = in_waits(lines, { client })()
   assert(not good and words:find("closed"), words)
   peer:close()

   local one, one_peer = pair()
   local two, two_peer = pair()
   local three = assert(polysock.bind("127.0.0.1", 0)) -- it is never writable
   assert(in_waits(polysock.select, { one, two, three })({ one, two, one }, { three }, 5))
   for _, object in ipairs({ one_peer, two_peer }) do
      object:close()
   end
end

-- A finaliser that runs when Lua makes a string, or anything else.
local total = 0
local function in_finaliser(prepare, call)
   local finalised = 0
   for _ = 1, 40 do
      local client, peer = pair()
      prepare(peer)
      polysock.select({ client }, nil, 5)
      client:settimeout(0)
      local armed = false
      collectgarbage("stop")
      collectgarbage()
      for _ = 1, 20 do
         finaliser(function()
            if armed then
               armed = false
               finalised = finalised + 1
               collect(client)
            end
         end)
      end
      armed = true
      collectgarbage("restart")
      tune("setpause", "pause", 1)
      tune("setstepmul", "stepmul", 10000)
      pcall(call, client)
      armed = false
      collectgarbage()
      peer:close()
   end
   -- When the collector works is not the same in all versions.
   assert(finalised > 0 or _VERSION ~= "Lua 5.4", "no finaliser ran inside the call")
   total = total + finalised
end

for _, call in ipairs({ "receive", "send" }) do
   in_hook(call)
end

local texts = { ("x"):rep(20000) .. "\nmore\n", ("a\rb"):rep(2000) .. "\r\nmore\n", "short\n" }
for _, text in ipairs(texts) do
   local function prepare(peer)
      peer:send(text)
   end
   for _, pattern in ipairs({ "*l", "*L", 2000 }) do
      in_finaliser(prepare, function(client)
         return client:receive(pattern)
      end)
      in_finaliser(prepare, function(client)
         return client:receive(pattern, ("p"):rep(500))
      end)
      in_finaliser(prepare, function(client)
         return client:lines(pattern)()
      end)
   end
   in_finaliser(prepare, function(client)
      return client:receive("*l", nil, 1500)
   end)
end
local function one_byte(peer)
   peer:send("x")
end
in_finaliser(one_byte, function(client)
   for i = 1, 100 do
      client:send(i + 0.5) -- becomes a text
   end
end)
in_finaliser(one_byte, function(client)
   return client:getsockname(), client:getpeername(), client:lines()
end)
assert(total > 0, "no finaliser ran inside any call")

-- Methods of members, and of an option's value.
for _, method in ipairs({ "getfd", "dirty" }) do
   local victim, peer = pair()
   local evil = {
      getfd = function()
         return 0
      end,
      dirty = function()
         return true
      end,
   }
   local plain = evil[method]
   evil[method] = function()
      collect(victim)
      return plain()
   end
   local ready = polysock.select({ victim, evil, victim }, { victim, evil }, 0)
   assert(ready[victim] == nil)
   assert(unusable(victim))
   peer:close()
end

local victim, peer = pair()
pcall(victim.setoption, victim, "linger", setmetatable({}, {
   __index = function(_, name)
      collect(victim)
      return name == "on" and true or 1
   end,
}))
assert(unusable(victim))
peer:close()

-- A poller, and its members.
local collect_poller = getmetatable(polysock.poller()).__gc

local function with_poller(call)
   local poller = assert(polysock.poller())
   local client, other = pair()
   call(poller, client)
   assert(unusable(poller) or unusable(client))
   assert(poller == nil or not pcall(poller.wait, poller, 0) or poller:count() == 0)
   client:close()
   other:close()
end

for _, method in ipairs({ "getfd", "dirty" }) do
   for _, release in ipairs({ collect_poller, collect }) do
      with_poller(function(poller, client)
         local active = method == "getfd"
         local evil = {
            getfd = function()
               return server:getfd()
            end,
            dirty = function()
               return true
            end,
         }
         local plain = evil[method]
         evil[method] = function()
            if active then
               release(release == collect and client or poller)
            end
            return plain()
         end
         poller:add(client, "rw")
         pcall(poller.add, poller, evil, "r")
         active = true
         pcall(poller.wait, poller, 0)
         pcall(poller.remove, poller, evil)
         pcall(poller.remove, poller, client)
      end)
   end
end

-- A poller, or the object, while it makes room for a member.
for _, release in ipairs({ collect_poller, collect }) do
   with_poller(function(poller, client)
      local objects = {}
      for i = 1, 16 do
         objects[i] = assert(polysock.tcp4())
         poller:add(objects[i], "r")
      end
      collectgarbage()
      collectgarbage("stop")
      local seen = false
      finaliser(function()
         seen = true
         release(release == collect and client or poller)
      end)
      tune("setpause", "pause", 1)
      tune("setstepmul", "stepmul", 10000)
      local mode = _VERSION == "Lua 5.4" and collectgarbage("incremental", 0, 0, 30)
      collectgarbage("restart")
      pcall(poller.add, poller, client, "r")
      assert(seen or not mode, "no finaliser ran inside add")
      if mode then
         collectgarbage("incremental", 0, 0, 13)
      end
      for _, object in ipairs(objects) do
         object:close()
      end
   end)
end

-- What a wait gave may be used when the poller is gone.
with_poller(function(poller, client)
   poller:add(client, "w")
   local ready = poller:wait(5)
   collect_poller(poller)
   assert(ready() == client and ready() == nil)
end)

with_poller(function(poller, client)
   poller:add(client, "w", "token")
   collect(client)
   assert(poller:wait(0) == nil and poller:count() == 0)
end)
