-- SPDX-License-Identifier: MIT
-- As many connections in one process as it may have descriptors: many.lua LIMIT. Both
-- ends are here. It says what it found, word by word, in lines.

local polysock = require "polysock"
local most = tonumber(arg[1])
local function say(...) print(table.concat({ ... }, " ")) end
local function memory()
  for line in io.lines("/proc/self/status") do
    local found = line:match "^VmRSS:%s*(%d+)"
    if found then return tonumber(found) end
  end
end

local poller = assert(polysock.poller())
local server = assert(polysock.bind("127.0.0.1", 0, 128))
local _, port = server:getsockname()
local before = memory()
local clients, others, place = {}, {}, {}
local pairs_of = (most - 40) // 2
for i = 1, pairs_of do
  clients[i] = assert(polysock.connect("127.0.0.1", port))
  others[i] = assert(server:accept())
  place[others[i]] = i
  assert(poller:add(others[i], "r", i))
end
local highest = others[pairs_of]:getfd()
say("open", pairs_of, highest, (memory() - before) * 1024 // (2 * pairs_of))

local chosen = {}
for i = 1, pairs_of, pairs_of // 10 do
  chosen[i] = true
  assert(clients[i]:send(i .. "\n"))
end
local function missing(found)
  local count = 0
  for i in pairs(chosen) do count = count + (found[i] and 0 or 1) end
  for i in pairs(found) do count = count + (chosen[i] and 0 or 1) end
  return count
end
local found = {}
for i in assert(poller:wait(30)) do found[i] = true end
say("poller", missing(found))
found = {}
for _, one in ipairs(polysock.select(others, nil, 30)) do found[place[one]] = true end
say("select", missing(found))
local good = true
for i in pairs(chosen) do good = good and others[i]:receive() == tostring(i) end
say("lines", tostring(good))

local spare = {}
local last
repeat
  local made, failure = polysock.tcp4()
  spare[#spare + 1], last = made, failure
until last
say("full", last)
say("refused", select(2, polysock.connect("127.0.0.1", port)))
for _, one in ipairs(spare) do one:close() end
assert(polysock.connect("127.0.0.1", port)):close()
for i = 1, pairs_of do
  clients[i]:setoption("linger", { on = true, timeout = 0 })
  clients[i]:close()
  others[i]:close()
end
say("left", poller:count())
