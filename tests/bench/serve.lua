-- SPDX-License-Identifier: MIT
-- Servers of Lua for the benchmarks, each as its library wants to be used. Arguments: library,
-- case, backlog or count, and a port if others share it (0 lets the system choose). It prints its
-- port; serve.c says what the cases are.

local library, case, number, shared = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4])
local lines = case == "line"
local host, room, longest = "127.0.0.1", 64 * 1024, 4096

local function tell(port)
   print(port)
   io.stdout:flush()
end

-- Times what work does, once somebody says so.
local function timed(work)
   local monotime = require("polysock").monotime
   io.read("l")
   local wall, cpu = monotime(), os.clock()
   work()
   print(('{"wall": %.9f, "cpu": %.9f}'):format(monotime() - wall, os.clock() - cpu))
end

-- A server of polysock or LuaSocket, which has told its port.
local function listen(socket)
   local server = assert(socket.tcp4())
   server:setoption(shared and "reuseport" or "reuseaddr", true)
   assert(server:bind(host, shared or 0))
   assert(server:listen(case == "accept" and 4096 or number))
   local _, port = server:getsockname()
   tell(port)
   return server
end

-- ---- polysock, and LuaSocket with its select

-- Returns a function that answers what one client has sent, and false when it is gone. What a line
-- lacks is the next call's prefix.
local function polysock_answer(parts)
   if not lines then
      return function(client)
         local data, reason = client:receiveany(room)
         if data then
            return client:send(data)
         end
         return reason == "timeout"
      end
   end
   return function(client)
      local line, reason, part = client:receive("*L", parts[client], longest)
      if line then
         parts[client] = nil
         return client:send(line)
      end
      parts[client] = part
      return reason == "timeout"
   end
end

-- LuaSocket has neither lines with their end nor a call that takes what is there.
local function luasocket_answer(parts)
   if not lines then
      return function(client)
         local data, reason, part = client:receive(room)
         if data or reason == "timeout" then
            return client:send(data or part)
         end
      end
   end
   return function(client)
      local line, reason, part = client:receive("*l", parts[client])
      if line then
         parts[client] = nil
         return client:send(line .. "\n")
      end
      parts[client] = part
      return reason == "timeout"
   end
end

local function accept_all(server, use)
   local client = server:accept()
   while client do
      client:settimeout(0)
      use(client)
      client = server:accept()
   end
end

local function selecting(socket, make_answer)
   local server, parts = listen(socket), {}
   local answer = make_answer(parts)
   server:settimeout(0)
   local clients, place = { server }, {}
   local function add(client)
      clients[#clients + 1] = client
      place[client] = #clients
   end
   local function leave(client)
      local at, last = place[client], clients[#clients]
      clients[at], place[last] = last, at
      clients[#clients], place[client], parts[client] = nil, nil, nil
      client:close()
   end
   local select = socket.select
   while true do
      for _, client in ipairs((assert(select(clients, nil)))) do
         if client == server then
            accept_all(server, add)
         elseif not answer(client) then
            leave(client)
         end
      end
   end
end

local function accepting(socket)
   local server, clients = listen(socket), {}
   timed(function()
      for i = 1, number do
         clients[i] = assert(server:accept())
      end
   end)
   return clients
end

local function polling()
   local polysock = require("polysock")
   local server, poller, parts = listen(polysock), assert(polysock.poller()), {}
   local answer = polysock_answer(parts)
   local function add(client)
      poller:add(client, "r")
   end
   server:settimeout(0)
   add(server)
   while true do
      for client in assert(poller:wait()) do
         if client == server then
            accept_all(server, add)
         elseif not answer(client) then
            parts[client] = nil
            client:close()
         end
      end
   end
end

local servers = { poller = polling }

function servers.select()
   selecting(require("polysock"), polysock_answer)
end

function servers.luasocket()
   selecting(require("socket"), luasocket_answer)
end

-- ---- Libraries that run coroutines or callbacks

function servers.copas()
   -- Debian has it for other versions of Lua only; it is the same file.
   package.path = package.path .. ";/usr/share/lua/5.1/?.lua"
   local copas = require("copas")
   local server = listen(require("socket"))
   copas.addserver(server, function(client)
      while true do
         local data, reason, part
         if lines then
            data = copas.receive(client, "*l")
            data = data and data .. "\n"
         else
            data, reason, part = copas.receivePartial(client, room)
            data = data or reason == "timeout" and part
         end
         if not data or not copas.send(client, data) then
            return
         end
      end
   end)
   copas.loop()
end

servers["copas-polysock"] = function()
   require("polysock.luasocket")
   servers.copas()
end

function servers.cqueues()
   local cqueues, socket = require("cqueues"), require("cqueues.socket")
   local loop = cqueues.new()
   local server = assert(socket.listen({ host = host, port = 0, reuseaddr = true }))
   server:listen()
   local _, _, port = server:localname()
   tell(port)
   loop:wrap(function()
      for client in server:clients() do
         client:setmode("bn", "bn")
         client:onerror(function(_, _, reason) return reason end)
         loop:wrap(function()
            while true do
               local data = client:read(lines and "*L" or -room)
               if not data or not client:write(data) then
                  return client:close()
               end
            end
         end)
      end
   end)
   assert(loop:loop())
end

function servers.luv()
   local uv = require("luv")
   local server = uv.new_tcp()
   assert(server:bind(host, 0))
   local function echo(client)
      return function(failed, data)
         if failed or not data then
            return client:close()
         end
         client:write(data)
      end
   end
   local function answer_lines(client)
      local rest = ""
      return function(failed, data)
         if failed or not data then
            return client:close()
         end
         local at = 1
         if rest ~= "" then
            data = rest .. data
         end
         while true do
            local last = data:find("\n", at, true)
            if not last then
               break
            end
            client:write(data:sub(at, last))
            at = last + 1
         end
         rest = data:sub(at)
      end
   end
   assert(server:listen(number, function()
      local client = uv.new_tcp()
      server:accept(client)
      client:read_start((lines and answer_lines or echo)(client))
   end))
   tell(server:getsockname().port)
   uv.run()
end

if case == "accept" then
   accepting(require(library == "luasocket" and "socket" or "polysock"))
else
   servers[library]()
end
