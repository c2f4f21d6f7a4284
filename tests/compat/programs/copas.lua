-- SPDX-License-Identifier: MIT
-- copas: a server and hundreds of clients as coroutines of one program, and socket.http among
-- them. It runs with the old copas of the distributions and with copas 4, which adds timeouts.

local case = require("case")
local socket = require("socket")
local copas = require("copas")
local http = require("socket.http")

local port = case.port("HTTP_PORT")
local modern = copas.settimeouts ~= nil
local loaded, copas_http = pcall(require, "copas.http")
case.version("copas", copas._VERSION)
copas.autoclose = true

-- Runs the loop until done() or until nothing could still happen.
local function loop(done)
   local limit = socket.gettime() + 20
   while not done() do
      assert(socket.gettime() < limit, "copas makes no progress")
      copas.step(0.5)
   end
end

local function serve(handler)
   local server = assert(socket.bind("127.0.0.1", 0, 512))
   local _, own = server:getsockname()
   case.hide(own, "COPAS_PORT")
   copas.addserver(server, function(client)
      return handler(copas.wrap(client))
   end)
   return own
end

local function connect(own)
   local client = socket.tcp()
   local ok, err = copas.connect(client, "127.0.0.1", own)
   assert(ok, err)
   return copas.wrap(client), client
end

case("copas.step in time", function(say)
   serve(function() end)
   local start = socket.gettime()
   say("answer", (copas.step(0.1)))
   say("late enough", socket.gettime() - start >= 0.09)
end)

case("copas.echo 300", function(say)
   local own = serve(function(client)
      while true do
         local line = client:receive("*l")
         if not line then
            return
         end
         client:send(line .. "\n")
      end
   end)
   local finished, right = 0, 0
   for i = 1, 300 do
      copas.addthread(function()
         local client, raw = connect(own)
         for round = 1, 5 do
            local word = ("client %d round %d"):format(i, round)
            client:send(word .. "\n")
            if client:receive("*l") == word then
               right = right + 1
            end
         end
         raw:close()
         finished = finished + 1
      end)
   end
   loop(function()
      return finished == 300
   end)
   say("answer", finished, right)
end)

case("copas.large", function(say)
   local data = case.bytes(2000000)
   local own = serve(function(client)
      local length = client:receive("*l")
      client:send(client:receive(tonumber(length)))
   end)
   local finished, right = 0, 0
   for _ = 1, 4 do
      copas.addthread(function()
         local client, raw = connect(own)
         client:send(#data .. "\n" .. data)
         if client:receive(#data) == data then
            right = right + 1
         end
         raw:close()
         finished = finished + 1
      end)
   end
   loop(function()
      return finished == 4
   end)
   say("answer", finished, right)
end)

case("copas.slow peer", function(say)
   -- A line that arrives in three pieces, each when the one before has been seen.
   local heard = {}
   local own = serve(function(client)
      heard[#heard + 1] = client:receive("*l")
      heard[#heard + 1] = client:receive("*l")
      heard[#heard + 1] = tostring(client:receive("*l"))
      heard[#heard + 1] = select(2, client:receive("*l"))
   end)
   local client = assert(socket.connect("127.0.0.1", own))
   for _, piece in ipairs({ "the fi", "rst\r", "\nsecond\nun" }) do
      client:send(piece)
      copas.step(0.1)
      copas.step(0.01) -- the first may have been no more than the accept
   end
   client:close()
   loop(function()
      return #heard == 4
   end)
   say("heard", table.unpack(heard))
end)

case("copas.closed and refused", function(say)
   local results = {}
   local own = serve(function() end) -- closes at once
   copas.addthread(function()
      local client = connect(own)
      results[#results + 1] = { client:receive("*l") }
   end)
   loop(function()
      return #results == 1
   end)
   say("closed", table.unpack(results[1], 1, 3))
   local refusing = case.refusing()
   copas.addthread(function()
      results[#results + 1] = { copas.connect(socket.tcp(), "127.0.0.1", refusing) }
   end)
   loop(function()
      return #results == 2
   end)
   say("refused", table.unpack(results[2], 1, 2))
end)

-- What socket.http needs of an object, with copas behind it.
local function create()
   local client = assert(socket.tcp())
   local wrapped = copas.wrap(client)
   return {
      settimeout = function()
         return 1
      end,
      connect = function(_, ...)
         return copas.connect(client, ...)
      end,
      send = function(_, ...)
         return wrapped:send(...)
      end,
      receive = function(_, pattern, ...)
         return copas.receive(client, pattern, ...)
      end,
      close = function()
         return client:close()
      end,
   }
end

case("copas.socket.http", function(say)
   if modern then
      case.skip("this copas brings copas.http instead")
   end
   local url = ("http://127.0.0.1:%d"):format(port)
   local finished, bodies, sizes = 0, {}, 0
   for _ = 1, 20 do
      copas.addthread(function()
         local got = {}
         http.request({ url = url .. "/small.txt", create = create, sink = function(chunk)
            got[#got + 1] = chunk
            return 1
         end })
         bodies[table.concat(got)] = (bodies[table.concat(got)] or 0) + 1
         http.request({ url = url .. "/medium.bin", create = create, sink = function(chunk)
            sizes = sizes + #(chunk or "")
            return 1
         end })
         finished = finished + 1
      end)
   end
   loop(function()
      return finished == 20
   end)
   for body, times in pairs(bodies) do
      say("body", body, times)
   end
   say("bytes", sizes)
end)

case("copas.http", function(say)
   if not loaded then
      case.skip("this copas has no copas.http")
   end
   local url = ("http://127.0.0.1:%d"):format(port)
   local tls = ("https://127.0.0.1:%d"):format(case.port("HTTPS_PORT"))
   local finished, right, secure, problems = 0, 0, 0, {}
   local data = case.bytes(1000000)
   for _ = 1, 20 do
      copas.addthread(function()
         local body, code = copas_http.request(url .. "/redirect")
         local get = copas_http.request(url .. "/medium.bin")
         local post = copas_http.request(url .. "/echo", data)
         local tls_get, problem = copas_http.request(tls .. "/medium.bin")
         problems[tls_get and "none" or tostring(problem)] = true
         -- No call in these: others run while it waits.
         right = right + (body == "small\n" and code == 200 and 1 or 0)
         right = right + (get == data and 1 or 0) + (post == data and 1 or 0)
         secure = secure + (tls_get == data and 1 or 0)
         finished = finished + 1
      end)
   end
   loop(function()
      return finished == 20
   end)
   say("answer", right, secure)
   for problem in pairs(problems) do
      say("problem", problem)
   end
end)

case("copas.timeouts", function(say)
   if not modern then
      case.skip("this copas has no timeouts of its own")
   end
   local results = {}
   local own = serve(function(client)
      client:send("half a li")
      client:receive("*l") -- until the other end closes
   end)
   copas.addthread(function()
      local client = connect(own)
      client:settimeouts(1, 1, 0.1)
      local start = socket.gettime()
      results = { client:receive("*l") }
      results[4] = socket.gettime() - start >= 0.09
      client:close()
   end)
   loop(function()
      return #results == 4 or results[4] ~= nil
   end)
   say("answer", table.unpack(results, 1, 4))
end)
