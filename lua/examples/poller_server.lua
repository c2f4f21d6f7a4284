-- SPDX-License-Identifier: MIT
-- Answers each line with itself, to as many clients as there are descriptors. One that is silent,
-- does not read or never ends its line is dropped after LIMIT seconds, and holds nobody up.

local polysock = require("polysock")

local LIMIT = 10 -- seconds for a line and its answer
local LONGEST = 4096 -- bytes of a line

local server = assert(polysock.bind("127.0.0.1", arg[1] or 7007, 128))
server:settimeout(0)
print(server:getsockname())

local poller = assert(polysock.poller())
assert(poller:add(server, "r"))
local accepting = true

-- Connections by the second in which their time may be over. A line costs no more than a number.
local due = {}
local second = math.floor(polysock.monotime())

local function expect(connection)
   local its = math.ceil(connection.ends)
   due[its] = due[its] or {}
   table.insert(due[its], connection)
end

local function drop(connection)
   connection.client:close() -- so it leaves the poller
   if not accepting then -- there is a descriptor again
      accepting = poller:add(server, "r") ~= nil
   end
end

local function accept(now)
   while true do
      local client, err = server:accept()
      if client then
         local connection = { client = client, events = "r", partial = "", ends = now + LIMIT }
         client:settimeout(0)
         client:setoption("tcp-nodelay", true) -- answers go out as they come
         if poller:add(client, "r", connection) then
            expect(connection)
         else
            client:close()
         end
      elseif err == "timeout" then
         return
      elseif err ~= "closed" then -- no descriptors, or no memory: not before there are some again
         poller:remove(server)
         accepting = false
         return
      end
   end
end

-- Receives a line or sends it, once: what is still buffered makes the client ready in the next
-- wait. Returns whether the client stays.
local function serve(connection, now)
   local client = connection.client
   if not connection.line then
      local line, err, partial = client:receive("*L", connection.partial, LONGEST)
      connection.line, connection.partial, connection.sent = line, partial or "", 0
      if not line then
         return err == "timeout"
      end
   end
   local last, err, sent = client:send(connection.line, connection.sent + 1)
   connection.sent = last or sent
   if last then
      connection.line = nil
      connection.ends = now + LIMIT
   end
   local events = last and "r" or "w"
   if events ~= connection.events then
      connection.events = events
      poller:modify(client, events)
   end
   return last or err == "timeout"
end

-- Drops those whose time is over, and looks again later at those that got more.
local function expire(now)
   while second < math.floor(now) do
      second = second + 1
      for _, connection in ipairs(due[second] or {}) do
         if connection.client:getfd() ~= -1 then
            if connection.ends > now then
               expect(connection)
            else
               drop(connection)
            end
         end
      end
      due[second] = nil
   end
   if not accepting then
      accepting = poller:add(server, "r") ~= nil
   end
end

while true do
   local ready, err = poller:wait(1)
   local now = polysock.monotime()
   if ready then
      for token in ready do
         if token == server then
            accept(now)
         elseif not serve(token, now) then
            drop(token)
         end
      end
   else
      assert(err == "timeout", err)
   end
   expire(now)
end
