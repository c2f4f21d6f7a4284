-- SPDX-License-Identifier: MIT
-- Runs without standard descriptors, so that sockets, pollers and what wakes threads get
-- the numbers 0, 1 and 2: closed.lua HOST PORT. It says over its first connection how
-- everything went.

local polysock = require "polysock"
local first = assert(polysock.connect(arg[1], tonumber(arg[2])))
local function say(...) assert(first:send(table.concat({ ... }, " ") .. "\n")) end

local done, failure = pcall(function()
  local poller = assert(polysock.poller())
  local server = assert(polysock.bind("127.0.0.1", 0))
  say("numbers", first:getfd(), poller:getfd(), server:getfd())
  assert(poller:add(first, "r"))
  assert(poller:add(server, "r"))
  local _, port = server:getsockname()
  local client = assert(polysock.connect("localhost", port))
  for token, events in assert(poller:wait(30)) do
    say("ready", tostring(token == server), events)
  end
  local other = assert(server:accept())
  assert(poller:remove(first))
  assert(#select(2, polysock.select({ other }, { first }, 30)) == 1)
  client:send("line\n")
  say("line", other:receive())
  say("asked", first:receive())
  other:settimeout(0.05)
  say(select(2, other:receive()))
  for _, one in ipairs { poller, server, client, other } do one:close() end
  say("again", assert(polysock.tcp4()):getfd())
end)
say("done", tostring(done), tostring(failure))
