-- SPDX-License-Identifier: MIT
-- What fuzz_lua.c runs on each input: the bytes become calls of all that the module has, on a few
-- objects, with arguments of right and of wrong types. Hooks, finalizers, methods of foreign
-- objects and memory that is gone do the same in the middle of such calls. It gives two functions:
-- the first plays the input and only raises what a hook raises; the second looks at what is left.

local data, guarded, stray, signalled = ...
local at, fuel, depth, signals_next = 0, 300, 0, 0
local failing = 0 -- calls under way whose memory is gone

local function byte()
   at = at + 1
   return data:byte(at) or 0
end

local function pick(list)
   return list[byte() % #list + 1]
end

-- The next bytes of the input as they are.
local function text()
   local size = byte() % 24
   local taken = data:sub(at + 1, at + size)
   at = at + #taken
   return taken
end

-- To see what an input does: FUZZ_TRACE=1 fuzz_lua INPUT
local trace = os.getenv("FUZZ_TRACE") and print or function() end

local polysock = require("polysock")
if byte() % 4 == 1 then
   polysock = require("polysock.luasocket")
end

-- ---- What can be called

local function names_of(members)
   local names = {}
   for name, value in pairs(members) do
      if type(value) == "function" then
         names[#names + 1] = name
      end
   end
   table.sort(names)
   return names
end

local sample = assert(polysock.tcp())
local sampler = assert(polysock.poller())
local metatables = { debug.getmetatable(sample), debug.getmetatable(sampler) }
local socket_names = names_of(metatables[1].__index)
local poller_names = names_of(metatables[2].__index)
sample:close()
sampler:close()

local functions = {}
for _, name in ipairs(names_of(polysock)) do
   functions[#functions + 1] = { name, polysock[name] }
end
for _, name in ipairs(names_of(polysock.dns)) do
   functions[#functions + 1] = { "dns." .. name, polysock.dns[name] }
end

-- Letters of generators, below: one for each argument.
local shapes = {
   add = "xea",
   bind = "hp",
   connect = "hphpft",
   connect4 = "hphpt",
   connect6 = "hphpt",
   ["dns.getaddrinfo"] = "ht",
   ["dns.getnameinfo"] = "hpt",
   ["dns.tohostname"] = "ht",
   ["dns.toip"] = "ht",
   fromfd = "dk",
   getoption = "o",
   lines = "rm",
   listen = "n",
   modify = "xea",
   receive = "rsm",
   receiveany = "m",
   receiveuntil = "ssm",
   remove = "x",
   select = "SSt",
   send = "snn",
   setdeadline = "t",
   setfd = "d",
   setoption = "ov",
   setpeername = "hp",
   setsockname = "hp",
   setstats = "mmt",
   settimeout = "tb",
   shutdown = "w",
   sleep = "t",
   wait = "tm",
}

-- ---- Values

local pool = {} -- objects, iterators and whatever else calls gave, in eight places
local act

local function object()
   return pool[byte() % 8 + 1]
end

local hosts = { "127.0.0.1", "::1", "*", "0.0.0.0", "::", "", "::ffff:127.0.0.1", "10.1.2.3",
   "1.2.3.4.5",
   "a name", "127.0.0.1\0", "::1%lo", "127.1", "0x7f.1", ("1"):rep(300) }
local numbers = { 0, 1, 2, 3, 5, 16, 100, 1000, 5000, 70000, -1, -2, 2.5, 0.1, 1e300, -1e300,
   math.huge, -math.huge,
   0 / 0, 2 ^ 31, 2 ^ 53, 2 ^ 63, math.maxinteger, math.mininteger, 1 << 31, 1 << 32, 255, 256,
      65535, 65536 }
local options = { "keepalive", "reuseaddr", "reuseport", "tcp-nodelay", "ipv6-v6only",
   "tcp-fastopen-connect",
   "linger", "tcp-keepidle", "tcp-keepcnt", "tcp-keepintvl", "tcp-defer-accept", "tcp-fastopen",
   "recv-buffer-size", "send-buffer-size", "tcp-user-timeout", "bindtodevice", "error",
      "unknown" }

-- An object of another library: its methods do something, and answer anything.
local function foreign()
   local fd = select(2, pcall(function()
      return object():getfd()
   end))
   local made = {}
   for _, name in ipairs({ "getfd", "dirty" }) do
      if byte() % 4 > 0 then
         made[name] = function()
            act()
            return name == "getfd" and byte() % 8 > 0 and fd or pick(numbers)
         end
      end
   end
   return made
end

-- A table that has nothing of its own. In the end it has nothing at all: otherwise it may stand for
-- an object that asks it for its own methods.
local function proxy()
   local seen = object()
   return setmetatable({}, {
      __index = function(_, key)
         fuel = fuel - 1
         act()
         if fuel <= 0 then
            return nil
         end
         return (type(key) ~= "number" or key < 5) and (byte() % 2 == 0 and object() or seen) or nil
      end,
      __len = function()
         return pick(numbers)
      end,
      __gc = byte() % 2 == 0 and act or nil,
   })
end

local value

local generators = {
   a = function() return value() end,
   b = function() return pick({ "b", "t", "x" }) end,
   d = function()
      local fd = select(2, pcall(function()
         return object():getfd()
      end))
      return byte() % 4 == 0 and pick(numbers) or fd
   end,
   e = function() return pick({ "r", "w", "rw", "", "x" }) end,
   f = function() return pick({ "inet", "inet6", "unspec", "x" }) end,
   h = function() return byte() % 4 == 0 and text() or pick(hosts) end,
   k = function() return pick({ "master", "client", "server", "x" }) end,
   m = function() return pick({ 1, 2, 3, 10, 100, 65536, 2 ^ 53, math.maxinteger, 0, -1,
      1.5 }) end,
   n = function() return byte() % 4 == 0 and pick(numbers) or byte() - 128 end,
   o = function() return pick(options) end,
   p = function()
      local _, _, port = pcall(function()
         return object():getsockname()
      end)
      return byte() % 4 > 0 and port or pick({ 0, 1, 65535, 65536, -1, "0", "http", "70000", "",
         1.5, text() })
   end,
   r = function() return byte() % 3 == 0 and byte() * 16 or pick({ "*l", "*L", "*a", "l", "L",
      "a", "*x", "7" }) end,
   s = function()
      local taken = text()
      return byte() % 16 == 0 and (taken .. "ab\r\n"):rep(20000) or taken
   end,
   t = function() return pick({ 0, 0.001, 1, -1, 1e300, math.huge, 0 / 0, -0.0, "1" }) end,
   v = function()
      return pick({ true, false, 1, 0, -1, 2.5, 1e300, "lo", "", { on = true, timeout = 0 },
         { on = false },
         { on = true, timeout = 1e300 }, {}, ("x"):rep(300) })
   end,
   w = function() return pick({ "both", "send", "receive", "x" }) end,
   x = function() return byte() % 4 == 0 and value() or object() end,
   S = function()
      local set = {}
      for _ = 1, byte() % 5 do
         set[#set + 1] = byte() % 3 == 0 and foreign() or object()
      end
      return byte() % 8 == 0 and proxy() or set
   end,
}

local values = { function() return nil end, function() return true end,
   function() return pick(numbers) end,
   function() return pick(numbers) end, text, text, object, object, function() return {} end,
      foreign, proxy,
   function() return act end, function() return coroutine.create(act) end,
      function() return io.stdout end,
   function() return ("x"):rep(byte() * 256) end, function() return setmetatable({},
      metatables[byte() % 2 + 1]) end,
   function() return generators.v() end }

function value()
   return pick(values)()
end

-- ---- Calls

local function keep(result)
   local kind = type(result)
   if kind == "userdata" or kind == "function" or kind == "table" then
      pool[byte() % 8 + 1] = result
   end
end

-- What a call may answer: misuse raises words, a failure is nil and words.
local function check(name, ok, first, second)
   if not ok then
      return
   end
   if first == nil and second ~= nil and type(second) ~= "string" then
      error(("%s gave nil and a %s"):format(name, type(second)))
   end
end

-- Calls, perhaps with a fault. What it gives is kept, as a program may do.
local function call(name, f, ...)
   local how = byte()
   local lua, core, signals = 0, 0, signals_next
   signals_next = 0
   if signals > 0 then
      how = 0
   end
   if how % 8 == 1 then
      lua = byte() % 24 + 2
   elseif how % 8 == 2 then
      core = byte() % 6 + 2
   elseif how % 8 == 3 then
      signals = byte() % 3 + 1
   end
   if name == "detach" or name == "setfd" then
      stray()
   end
   trace(depth, name, lua, core, signals, ...)
   failing = failing + (lua > 0 and 1 or 0)
   local results = table.pack(guarded(lua, core, signals, f, ...))
   failing = failing - (lua > 0 and 1 or 0)
   if lua == 0 then
      check(name, table.unpack(results, 1, 3))
   end
   for i = 2, results.n do
      keep(results[i])
   end
end

local function arguments(name, own)
   local shape = shapes[name]
   local made, count = {}, 0
   if own then
      made[1], count = own, 1
   end
   if shape == nil or byte() % 8 == 0 then
      for _ = 1, byte() % 4 do
         count = count + 1
         made[count] = value()
      end
   else
      for letter in shape:sub(1, byte() % 8 == 0 and byte() % 6 or nil):gmatch(".") do
         count = count + 1
         local way = byte()
         if way % 16 == 0 then
            made[count] = value()
         elseif way % 16 > 3 then
            made[count] = generators[letter]()
         end
      end
   end
   return made, count
end

local function method(chosen)
   local self = chosen or object()
   local names = byte() % 4 == 0 and poller_names or socket_names
   local ok, members = pcall(function()
      return debug.getmetatable(self).__index
   end)
   if ok and type(members) == "table" and members.wake then
      names = poller_names
   elseif ok and type(members) == "table" and members.receive then
      names = socket_names
   end
   local name = pick(names)
   local f = metatables[names == poller_names and 2 or 1].__index[name]
   if byte() % 16 == 0 then
      self = value()
   end
   local made, count = arguments(name, self)
   call(name, f, table.unpack(made, 1, count))
end

local function module_function()
   local chosen = pick(functions)
   if chosen[1] == "try" or chosen[1] == "newtry" or chosen[1] == "protect"
      or chosen[1]:find("udp") then
      return
   end
   local made, count = arguments(chosen[1])
   call(chosen[1], chosen[2], table.unpack(made, 1, count))
end

local function metamethod()
   local metatable = pick(metatables)
   local f = metatable[pick({ "__gc", "__close", "__tostring", "__gc" })]
   call("metamethod", f, byte() % 8 == 0 and value() or object())
end

-- A connected pair, its server and a poller.
local function pair(first)
   local server = polysock.bind("127.0.0.1", 0)
   if not server then
      return
   end
   local host, port = server:getsockname()
   local client = polysock.connect(host, tonumber(port) or 0)
   local peer = server:accept()
   pool[first], pool[first % 8 + 1] = client, peer
   if byte() % 2 == 0 then
      pool[(first + 1) % 8 + 1] = server
   end
end

local function feed()
   local peer = object()
   pcall(function()
      local sent = generators.s() .. pick({ "\n", "", "\r\n", "--", "x\n\n" })
      peer:settimeout(0)
      peer:send(sent)
   end)
end

local function hook()
   local left = byte() % 8 + 1
   local raises = byte() % 4 == 0
   debug.sethook(function()
      left = left - 1
      if left <= 0 then
         debug.sethook()
      end
      act()
      if raises then
         error("hook", 0)
      end
   end, pick({ "c", "r", "cr", "l" }), byte() % 2)
end

-- A call that a signal interrupts, and what happens then to the object that waits.
local function interrupt()
   local victim, before = object(), signalled()
   debug.sethook(function()
      if signalled() == before then
         return
      end
      debug.sethook()
      if byte() % 2 == 0 then
         pcall(pick(metatables)[pick({ "__gc", "__close" })], victim)
      end
      act()
      if byte() % 8 == 0 then
         error("hook", 0)
      end
   end, "c")
   signals_next = byte() % 3 + 1
   method(victim)
   debug.sethook()
end

-- Not without memory: then Lua cannot call a finalizer, of any library.
local collections = {
   function() collectgarbage() end,
   function() collectgarbage("step", byte()) end,
   function() collectgarbage("incremental", 10, 1000, 5) end,
   function() collectgarbage("generational") end,
   function() pool[byte() % 8 + 1] = setmetatable({}, { __gc = act }) end,
   function() pool[byte() % 8 + 1] = nil end,
   function() for i = 1, 8 do pool[i] = nil end end,
}

local function iterate()
   local iterator = object()
   if type(iterator) == "function" and iterator ~= act then
      for _ = 1, byte() % 4 + 1 do
         call("iterator", iterator, value(), value())
      end
   end
end

-- A loop over what is ready, or over lines, that changes things inside.
local function loop()
   local self = object()
   pcall(function()
      local count = 0
      for _, one in (self.wait or self.lines)(self, self.wait and 0 or nil) do
         act()
         count = count + 1
         if count > 8 then
            return one
         end
      end
   end)
end

local function routine()
   local made = coroutine.create(function()
      local to_close <close> = object() -- luacheck: ignore
      act()
      coroutine.yield()
      act()
   end)
   pcall(coroutine.resume, made)
   if byte() % 2 == 0 then
      pcall(coroutine.resume, made)
   end
   pool[byte() % 8 + 1] = byte() % 2 == 0 and made or nil
end

local acts = { method, method, method, method, method, feed, feed, module_function,
   module_function, metamethod,
   function() pair(byte() % 8 + 1) end, function() pool[byte() % 8 + 1] = polysock.poller() end,
      hook, interrupt, interrupt,
   function()
      local chosen = pick(collections)
      if failing == 0 then
         chosen()
      end
   end, iterate, loop, routine }

function act()
   if depth > 3 or fuel <= 0 or at >= #data then
      return
   end
   depth, fuel = depth + 1, fuel - 1
   local before = depth
   local chosen = pick(acts)
   trace(depth, "act", chosen)
   local ok, problem = pcall(chosen)
   depth = before - 1
   -- A hook raises, and so does a call whose memory is gone.
   if not ok and type(problem) == "string" and problem:find(" gave nil and a ", 1, true) then
      fuel = -1
      pool.problem = problem
   end
end

local function run()
   pair(1)
   pool[4] = polysock.poller()
   while at < #data and fuel > 0 do
      depth = 0
      act()
   end
end

-- The hook is gone.
local function finish()
   local problem = pool.problem
   pool = {} -- finalizers look into it
   depth = 9
   collectgarbage()
   collectgarbage()
   if problem then
      error(problem, 0)
   end
   if #data % 16 > 0 then
      return
   end
   -- Whatever was done, new objects work.
   local server <close> = assert(polysock.bind("127.0.0.1", 0))
   local client <close> = assert(polysock.connect("127.0.0.1", tonumber((select(2,
      server:getsockname())))))
   local peer <close> = assert(server:accept())
   assert(client:send("probe\n") == 6)
   assert(peer:receive() == "probe")
end

return run, finish
