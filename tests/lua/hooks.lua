-- SPDX-License-Identifier: MIT
-- On Ctrl-C the interpreter sets a hook that is a function of C, and in the main coroutine. When
-- another coroutine waits, it runs there. Any other hook stays where it is. run.c runs this.

-- luacheck: globals polysock hook hooked jit
if jit then
   return -- it has one hook for all coroutines
end

local server = assert(polysock.bind("127.0.0.1", 0))
local host, port = server:getsockname()
local client = assert(polysock.connect(host, port))
local peer = assert(server:accept())

local function equal(expected, found, what)
   if found ~= expected then
      error(("%s: found %s, expected %s"):format(what, tostring(found), tostring(expected)), 2)
   end
end

-- Returns a function that receives in a coroutine with several reads, and so with hooks between
-- them. It gives the hook of that coroutine afterwards.
local function receive(own, mask, count)
   local routine = coroutine.wrap(function()
      if own then
         debug.sethook(own, mask, count)
      end
      coroutine.yield()
      assert(client:receive("*l"))
      return debug.gethook()
   end)
   routine()
   assert(peer:send(("x"):rep(300000) .. "\n"))
   return routine
end

local function with_hook(mask, count, after, ...)
   local routine = receive(...)
   hook(mask, count, after)
   local its, its_mask, its_count = routine()
   local calls, name, returns, number = hooked()
   return { calls = calls, name = name, returns = returns, number = number,
      its = its, its_mask = its_mask, its_count = its_count }
end

-- The hook of the interpreter ends itself when it runs.
local found = with_hook("crl", 1, "ends")
equal(1, found.calls, "calls of the interpreter's hook")
equal("none", found.name, "what is left in the main coroutine")
equal(0, found.number, "the count that is left there")
equal(nil, found.its, "what is left in the other one")

-- One that stays is a debugger's, and is back where it was.
found = with_hook("crl", 1)
assert(found.calls > 0, "it ran in the other coroutine")
equal("note", found.name, "the hook of the main coroutine")
equal(true, found.returns, "its mask")
equal(1, found.number, "its count")
equal(nil, found.its, "what is left in the other one")

found = with_hook("crl", 1, "another")
assert(found.calls > 0, "it ran in the other coroutine")
equal("another", found.name, "the hook that was set meanwhile")

-- What is not called for everything is not the interpreter's.
for _, case in ipairs({ { "c", 1 }, { "r", 1 }, { "l", 1 }, { "cr", 0 }, { "crl", 0 }, { "crl", 2 },
   { "cl", 1 }, { "rl", 1 } }) do
   found = with_hook(case[1], case[2])
   local what = ("a hook for %s and %d"):format(case[1], case[2])
   equal(0, found.calls, what)
   equal("note", found.name, what)
   equal(case[2], found.number, what)
end

-- The other coroutine's own hook comes back, too.
local function own() end
found = with_hook("crl", 1, "ends", own, "r", 1000000)
equal(1, found.calls, "calls beside an own hook")
equal("none", found.name, "what is left in the main coroutine")
equal(own, found.its, "the own hook")
equal("r", found.its_mask, "its mask")
equal(1000000, found.its_count, "its count")

-- Hooks that Lua functions set are one function of C. Each is called for its own events only.
local events, none = {}, function() end
local routine = receive(function(event) events[event] = true end, "l")
debug.sethook(none, "crl", 1)
routine()
local its, mask, count = debug.gethook()
debug.sethook()
equal(nil, next(events, next(events)), "a second kind of event")
equal(true, events.line, "lines")
equal(none, its, "the hook of the main coroutine")
equal("crl", mask, "its mask")
equal(1, count, "its count")

for _, object in ipairs({ client, peer, server }) do
   object:close()
end
