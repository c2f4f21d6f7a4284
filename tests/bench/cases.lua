-- SPDX-License-Identifier: MIT
-- One benchmark case for one library of Lua, once. Arguments: library, case, port, count. It
-- prints the seconds of wall clock and of processor that the case took, and for those about
-- memory the bytes. Run by run.py, never by itself.

local library, case, port, count = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4])
local monotime = require("polysock").monotime
local host = "127.0.0.1"
local large, message = 1024 * 1024, 64

-- ---- Measuring

local wall, cpu, bytes
local function start()
   collectgarbage()
   wall, cpu = monotime(), os.clock()
end
local function stop()
   cpu, wall = os.clock() - cpu, monotime() - wall
end

local function memory(field)
   for line in io.lines("/proc/self/status") do
      local kilobytes = line:match(field .. ":%s*(%d+)")
      if kilobytes then
         return kilobytes * 1024
      end
   end
end

-- The most memory that work takes at once beyond what is there before it.
local function peak(work)
   collectgarbage()
   local reset = assert(io.open("/proc/self/clear_refs", "w"))
   reset:write("5")
   reset:close()
   local before = memory("VmRSS")
   work()
   bytes = memory("VmHWM") - before
end

-- ---- What the cases ask the peer for

local function records(size, last, times)
   return ("records %d %d %d\n"):format(size, times or count, last)
end
local commands = {
   line = records(31, 10),
   iterate = records(31, 10),
   line20k = records(20000, 10),
   count16 = records(16, 97),
   count64k = records(65536, 97),
   count1m = records(large, 97),
   all = records(count, 97, 1),
   send64 = "sink\n",
   send1m = "sink\n",
   pingpong = ("echo %d\n"):format(message),
   call = "sink\n",
   ready = "sink\n",
   ["growth-all"] = records(count, 97, 1),
   ["growth-line"] = records(count, 10, 1),
   ["growth-until"] = records(count, 98, 1),
   ["growth-drip"] = ("drip %d\n"):format(count),
}

-- ---- Libraries with LuaSocket's objects: both are driven by the same code

local function blocking(socket, cases)
   local function begin()
      local client = assert(socket.connect(host, port))
      client:setoption("tcp-nodelay", true)
      assert(client:send(commands[case]))
      return client
   end

   local function receiving(pattern)
      return function()
         local client = begin()
         local data
         start()
         for _ = 1, count do
            data = client:receive(pattern)
         end
         stop()
         assert(data)
      end
   end
   cases.line = receiving("*l")
   cases.line20k = receiving("*l")
   cases.count16 = receiving(16)
   cases.count64k = receiving(65536)
   cases.count1m = receiving(large)

   function cases.iterate()
      local client = begin()
      local lines = client.lines and client:lines() or function()
         return client:receive("*l")
      end
      local found = 0
      start()
      for _ in lines do
         found = found + 1
      end
      stop()
      assert(found == count)
   end

   function cases.all()
      local client = begin()
      start()
      local data = assert(client:receive("*a"))
      stop()
      assert(#data == count)
   end

   local function sending(size)
      return function()
         local client, data = begin(), ("a"):rep(size)
         start()
         for _ = 1, count do
            client:send(data)
         end
         client:shutdown("send")
         client:receive(1)
         stop()
      end
   end
   cases.send64 = sending(message)
   cases.send1m = sending(large)

   function cases.pingpong()
      local client, data = begin(), ("a"):rep(message)
      start()
      for _ = 1, count do
         client:send(data)
         client:receive(message)
      end
      stop()
   end

   function cases.call()
      local client = begin()
      start()
      for _ = 1, count do
         client:getfd()
      end
      stop()
   end

   -- Waits for 100 clients, of which 50 are ready: counts the ready ones.
   function cases.ready()
      local poller = assert(socket.poller())
      for i = 1, 100 do
         assert(poller:add(begin(), i <= 50 and "w" or "r"))
      end
      local found = 0
      start()
      while found < count do
         for client, events in poller:wait() do
            found = found + (client and #events)
         end
      end
      stop()
   end

   function cases.connect()
      start()
      for _ = 1, count do
         socket.connect(host, port):close()
      end
      stop()
   end

   function cases.idle()
      local held = table.move({}, 1, count, 1)
      assert(socket.connect(host, port)):close()
      for i = 1, count do
         held[i] = false
      end
      collectgarbage()
      local before = memory("VmRSS")
      start()
      for i = 1, count do
         held[i] = assert(socket.connect(host, port))
      end
      stop()
      collectgarbage()
      bytes = (memory("VmRSS") - before) / count
   end

   local function growth(receive)
      return function()
         local client = begin()
         local data
         peak(function()
            start()
            data = assert(receive(client))
            stop()
         end)
         assert(#data > count - 20)
      end
   end
   cases["growth-all"] = growth(function(client)
      return client:receive("*a")
   end)
   cases["growth-line"] = growth(function(client)
      return client:receive("*l")
   end)
   cases["growth-drip"] = cases["growth-line"]
   cases["growth-until"] = growth(function(client)
      return client:receiveuntil("aaaaaaaaaaaaaaab")
   end)
end

-- ---- The other libraries

local function copas(cases)
   -- Debian has it for other versions of Lua only; it is the same file.
   package.path = package.path .. ";/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua"
   local socket, loop = require("socket"), require("copas")
   local function inside(work)
      return function()
         local done = false
         loop.addthread(function()
            local client = loop.wrap(assert(socket.connect(host, port)))
            client.socket:setoption("tcp-nodelay", true)
            client:send(commands[case])
            work(client)
            done = true
         end)
         while not done do
            loop.step()
         end
      end
   end

   local function receiving(pattern)
      return inside(function(client)
         local data
         start()
         for _ = 1, count do
            data = client:receive(pattern)
         end
         stop()
         assert(data)
      end)
   end
   cases.line = receiving("*l")
   cases.line20k = receiving("*l")
   cases.count16 = receiving(16)
   cases.count64k = receiving(65536)
   cases.count1m = receiving(large)

   local function sending(size)
      return inside(function(client)
         local data = ("a"):rep(size)
         start()
         for _ = 1, count do
            client:send(data)
         end
         client.socket:shutdown("send")
         client:receive(1)
         stop()
      end)
   end
   cases.send64 = sending(message)
   cases.send1m = sending(large)

   cases.pingpong = inside(function(client)
      local data = ("a"):rep(message)
      start()
      for _ = 1, count do
         client:send(data)
         client:receive(message)
      end
      stop()
   end)
end

local function cqueues(cases)
   local socket = require("cqueues.socket")
   local function begin()
      local client = socket.connect({ host = host, port = port, nodelay = true })
      client:setmode("b", "bn")
      client:setmaxline(large) -- at first it cuts lines at 4096 bytes
      client:write(commands[case])
      return client
   end

   local function receiving(pattern)
      return function()
         local client = begin()
         local data
         start()
         for _ = 1, count do
            data = client:read(pattern)
         end
         stop()
         assert(data)
      end
   end
   cases.line = receiving("*l")
   cases.line20k = receiving("*l")
   cases.count16 = receiving(16)
   cases.count64k = receiving(65536)
   cases.count1m = receiving(large)

   function cases.iterate()
      local client, found = begin(), 0
      start()
      for _ in client:lines() do
         found = found + 1
      end
      stop()
      assert(found == count)
   end

   function cases.all()
      local client = begin()
      start()
      local data = client:read("*a")
      stop()
      assert(#data == count)
   end

   local function sending(size)
      return function()
         local client, data = begin(), ("a"):rep(size)
         start()
         for _ = 1, count do
            client:write(data)
         end
         client:shutdown("w")
         client:read(1)
         stop()
      end
   end
   cases.send64 = sending(message)
   cases.send1m = sending(large)

   function cases.pingpong()
      local client, data = begin(), ("a"):rep(message)
      start()
      for _ = 1, count do
         client:write(data)
         client:read(message)
      end
      stop()
   end

   function cases.call()
      local client = begin()
      start()
      for _ = 1, count do
         client:pollfd()
      end
      stop()
   end

   function cases.connect()
      start()
      for _ = 1, count do
         local client = socket.connect(host, port)
         client:connect()
         client:close()
      end
      stop()
   end
end

-- luv gives chunks to a callback; lines are what a program has to make of them itself.
local function luv(cases)
   local uv = require("luv")
   local function inside(on_data, on_connect)
      return function()
         local client = uv.new_tcp()
         client:connect(host, port, function(problem)
            assert(not problem, problem)
            client:nodelay(true)
            client:write(commands[case])
            start()
            client:read_start(function(failure, chunk)
               assert(not failure, failure)
               on_data(client, chunk)
            end)
            if on_connect then
               on_connect(client)
            end
         end)
         uv.run()
      end
   end

   local function finish(client)
      stop()
      client:close()
   end

   local rest, line = "", nil
   local function split(client, chunk)
      if not chunk then
         assert(line)
         return finish(client)
      end
      local from = 1
      while true do
         local lf = chunk:find("\n", from, true)
         if not lf then
            break
         end
         line = chunk:sub(from, lf - 1)
         if rest ~= "" then
            line, rest = rest .. line, ""
         end
         from = lf + 1
      end
      rest = rest .. chunk:sub(from)
   end
   cases.line = inside(split)
   cases.line20k = cases.line

   local parts = {}
   cases.all = inside(function(client, chunk)
      if chunk then
         parts[#parts + 1] = chunk
         return
      end
      local data = table.concat(parts)
      finish(client)
      assert(#data == count)
   end)

   local function sending(size)
      local data = ("a"):rep(size)
      local written = 0
      local function write(client)
         written = written + 1
         if written > count then
            return client:shutdown()
         end
         client:write(data, function()
            write(client)
         end)
      end
      return inside(function(client, chunk)
         if not chunk then
            finish(client)
         end
      end, write)
   end
   cases.send64 = sending(message)
   cases.send1m = sending(large)

   local data, trips = ("a"):rep(message), 0
   cases.pingpong = inside(function(client)
      trips = trips + 1
      if trips == count then
         return finish(client)
      end
      client:write(data)
   end, function(client)
      client:write(data)
   end)
end

local libraries = {
   polysock = function(cases)
      blocking(require("polysock"), cases)
   end,
   luasocket = function(cases)
      blocking(require("socket"), cases)
   end,
   copas = copas,
   cqueues = cqueues,
   luv = luv,
}

local cases = {}
libraries[library](cases)
cases[case]()
print(('{"wall": %.9f, "cpu": %.9f, "bytes": %s}'):format(wall, cpu, bytes or "null"))
