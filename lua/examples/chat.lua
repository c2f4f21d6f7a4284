-- SPDX-License-Identifier: MIT
-- A chat: what one client says, all others hear. Nobody waits for a client that does not read: what
-- it has not read yet is kept up to a bound, and then it is dropped.

local polysock = require("polysock")

local LONGEST = 1024 -- bytes of a line
local BEHIND = 65536 -- bytes that a client may be behind

local server = assert(polysock.bind("127.0.0.1", arg[1] or 7007, 128))
server:settimeout(0)
print(server:getsockname())

local poller = assert(polysock.poller())
assert(poller:add(server, "r"))
local accepting = true
local members = {} -- by client

local say

local function drop(member)
   members[member.client] = nil
   member.client:close() -- so it leaves the poller
   accepting = accepting or poller:add(server, "r") ~= nil
   say(member.name .. " has left\n")
end

-- Sends what a member is behind. Returns whether the member stays.
local function flush(member)
   local last, err, sent = member.client:send(member.behind)
   member.behind = member.behind:sub((last or sent) + 1)
   poller:modify(member.client, member.behind == "" and "r" or "rw")
   return last or (err == "timeout" and #member.behind <= BEHIND)
end

function say(words, speaker)
   local gone = {}
   for _, member in pairs(members) do
      if member ~= speaker then
         local waits = member.behind ~= ""
         member.behind = member.behind .. words
         if #member.behind > BEHIND or not waits and not flush(member) then
            gone[#gone + 1] = member
         end
      end
   end
   for _, member in ipairs(gone) do
      if members[member.client] then
         drop(member)
      end
   end
end

-- Returns whether the member stays.
local function listen(member)
   local line, err, partial = member.client:receive("*L", member.partial, LONGEST)
   member.partial = partial or ""
   if line then
      say(member.name .. ": " .. line, member)
   end
   return line or err == "timeout"
end

local count = 0
local function accept()
   local client, err = server:accept()
   if client then
      count = count + 1
      client:settimeout(0)
      client:setoption("tcp-nodelay", true) -- lines go out as they come
      if poller:add(client, "r", client) then
         members[client] = { client = client, name = "client " .. count, partial = "", behind = "" }
         say("client " .. count .. " is here\n", members[client])
      else
         client:close()
      end
   elseif err ~= "timeout" and err ~= "closed" then
      accepting = false -- no descriptors, until somebody leaves
      poller:remove(server)
   end
end

while true do
   for client, events in assert(poller:wait()) do
      local member = members[client]
      if client == server then
         accept()
      elseif member then -- it may have been dropped for being behind
         local stays = not events:find("w") or flush(member)
         if not (stays and (not events:find("r") or listen(member))) then
            drop(member)
         end
      end
   end
end
