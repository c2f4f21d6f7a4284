-- SPDX-License-Identifier: MIT
-- Receives more than there is memory for, then the rest: memory.lua HOST PORT HOW SIZE.
-- Whoever starts it limits the memory between "ready" and "go", and lifts that for "on".
-- The bytes count up from 14 to 141, again and again.

local polysock = require "polysock"
local host, port, how, size = arg[1], tonumber(arg[2]), arg[3], tonumber(arg[4])
local client = assert(polysock.connect(host, port))

local ways = {
  count = function() return client:receive(size) end,
  all = function() return client:receive("*a") end,
  line = function() return client:receive("*l") end,
  ["until"] = function() return client:receiveuntil("nowhere") end,
  maxsize = function() return client:receive("*a", "", 2 * size) end,
}

io.stdout:setvbuf("line")
print("ready")
io.read()
local done, data, failure, partial = pcall(ways[how])
print(done and (data and "all of it" or failure) or data)
io.read()

local got, good = 0, true
local function take(piece)
  for at = 1, #piece, 1021 do
    good = good and piece:byte(at) == 14 + (got + at - 1) % 128
  end
  got = got + #piece
end

take(done and partial or "")
partial = nil -- luacheck: ignore 311
collectgarbage()
while true do
  local piece, err = client:receiveany()
  if not piece then
    print(err, good and got == size and client:getstats() == size)
    break
  end
  take(piece)
end
