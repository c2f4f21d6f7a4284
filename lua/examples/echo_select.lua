-- SPDX-License-Identifier: MIT
-- An echo server for many clients in one thread: what a client sends goes back to it. A client that
-- is silent, resets or does not read holds up nobody else. Usage: echo_select.lua [PORT]
local polysock = require("polysock")

local LIMIT = 65536 -- bytes that may wait for a client that does not read

local server = assert(polysock.bind("127.0.0.1", arg[1] or 0))
server:settimeout(0)
print("listening", server:getsockname())
io.stdout:flush()

local clients = {} -- by object: data that goes back, and whether the client has ended

local function drop(client)
   clients[client] = nil
   client:close()
end

local function accept()
   local client, err = server:accept()
   if client then
      client:settimeout(0)
      clients[client] = { data = "", ended = false }
   elseif err ~= "timeout" then
      polysock.sleep(0.1) -- as when there are no descriptors left
   end
end

local function receive(client)
   local state = clients[client]
   local data, err = client:receiveany()
   if data then
      state.data = state.data .. data
   elseif err ~= "timeout" then
      state.ended = true
   end
end

local function send(client)
   local state = clients[client]
   local last, err, sent = client:send(state.data)
   state.data = state.data:sub((last or sent) + 1)
   if err and err ~= "timeout" then
      drop(client)
   end
end

while true do
   local readers, writers = { server }, {}
   for client, state in pairs(clients) do
      if state.data ~= "" then
         writers[#writers + 1] = client
      elseif state.ended then
         drop(client)
      end
      if not state.ended and #state.data < LIMIT then
         readers[#readers + 1] = client
      end
   end
   local readable, writable = polysock.select(readers, writers)
   for _, socket in ipairs(readable) do
      if socket == server then
         accept()
      else
         receive(socket)
      end
   end
   for _, client in ipairs(writable) do
      send(client)
   end
end
