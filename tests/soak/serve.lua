-- SPDX-License-Identifier: MIT
-- A server for the soak test, on polysock. Argument: what it waits with, poller or select. serve.py
-- says what it answers.

local polysock = require("polysock")
local longest, chunk, buffer, backlog = 200, 50, 16384, 1024
local remembered, stalls = {}, 0

-- ---- One client: what it has sent of a line, and what it has not received yet

local connection = {}
connection.__index = connection

local function wrap(sock)
   sock:settimeout(0)
   sock:setoption("send-buffer-size", buffer)
   return setmetatable({ sock = sock, out = "", sent = 0, flooded = 0, flood = 0 }, connection)
end

-- Makes the next lines of a flood when all before them went out.
function connection:refill()
   if self.sent < #self.out then
      return true
   end
   self.out, self.sent = "", 0
   if self.flooded < self.flood then
      local lines = {}
      for i = self.flooded + 1, math.min(self.flood, self.flooded + chunk) do
         lines[#lines + 1] = ("%099d\n"):format(i)
      end
      self.flooded = self.flooded + #lines
      self.out = table.concat(lines)
   end
   return self.out ~= ""
end

-- Sends what it can. Returns whether all is sent; nil when the client is gone.
function connection:push()
   while self:refill() do
      local last, reason, partial = self.sock:send(self.out, self.sent + 1)
      self.sent = last or partial
      if not last then
         stalls = stalls + 1
         if reason == "timeout" then
            return false
         end
         return nil
      end
   end
   return true
end

local answers = {}

function answers.add(self, id, number)
   number = math.tointeger(number)
   assert((remembered[id] or 0) + 1 == number, "out of order")
   remembered[id] = number
   self.out = ("ok %d\n"):format(number)
end

function answers.last(self, id)
   self.out = ("last %s %d\n"):format(id, remembered[id] or 0)
end

function answers.flood(self, number)
   self.flooded, self.flood = 0, math.tointeger(number)
end

function answers.stalls(self)
   self.out = ("stalls %d\n"):format(stalls)
end

function answers.quit()
   os.exit(0, true)
end

-- Reads a line and answers it, if there is one. Returns nil when the client is gone.
function connection:pull()
   local line, reason, partial = self.sock:receive("*l", self.part, longest)
   self.part = partial
   if line then
      local word, id, number = line:match("^(%l+) ?(%S*) ?(%S*)$")
      assert(answers[word], line)(self, id, number)
   end
   return line or reason == "timeout" or nil
end

-- Goes on with a client; returns what it waits for, or nil when it is gone. While it has not
-- received an answer, nothing more is read from it.
function connection:handle()
   local pushed = self:push()
   if pushed and self:pull() then
      pushed = self:push()
   elseif pushed then
      pushed = nil
   end
   if pushed == nil then
      self.sock:close()
      return nil
   end
   return pushed and "r" or "w"
end

-- ---- Waiting

-- Accepts what waits; a client that is gone already is passed over.
local function accept_all(server, use)
   while true do
      local sock, reason = server:accept()
      if sock then
         use(wrap(sock))
      elseif reason == "timeout" then
         return
      end
   end
end

local waiting = {}

function waiting.select(server)
   local clients, waits = {}, {}
   local function handle(sock)
      if sock == server then
         return accept_all(server, function(client)
            clients[client.sock], waits[client.sock] = client, "r"
         end)
      end
      waits[sock] = clients[sock]:handle()
      if not waits[sock] then
         clients[sock] = nil
      end
   end
   while true do
      local sets = { r = { server }, w = {} }
      for sock, events in pairs(waits) do
         table.insert(sets[events], sock)
      end
      local readable, writable = assert(polysock.select(sets.r, sets.w))
      for _, ready in ipairs({ readable, writable }) do
         for _, sock in ipairs(ready) do
            handle(sock)
         end
      end
   end
end

function waiting.poller(server)
   local poller, waits = assert(polysock.poller()), {}
   poller:add(server, "r")
   local function handle(client)
      local events = client:handle()
      if events and events ~= waits[client] then
         assert(poller:modify(client.sock, events, client))
      end
      waits[client] = events
   end
   local function add(client)
      assert(poller:add(client.sock, "r", client))
      waits[client] = "r"
   end
   while true do
      for client in assert(poller:wait()) do
         if client == server then
            accept_all(server, add)
         else
            handle(client)
         end
      end
   end
end

local server = assert(polysock.bind("127.0.0.1", 0, backlog))
server:settimeout(0)
print((select(2, server:getsockname())))
io.stdout:flush()
waiting[arg[1]](server)
