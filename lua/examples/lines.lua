-- SPDX-License-Identifier: MIT
-- A client of a service that answers a line with a line. The deadline holds for all of it, from the
-- name to the last answer, and a line of a stranger may not be longer than the limit.
-- Usage: lines.lua HOST PORT SECONDS LINE...
local polysock = require("polysock")

local LIMIT = 1000 -- bytes of an answer

local function ask(host, port, seconds, lines)
   local ends = polysock.monotime() + seconds
   local client = polysock.try(polysock.connect(host, port, nil, nil, nil, seconds))
   local try = polysock.newtry(function()
      client:close()
   end)
   client:setdeadline(ends - polysock.monotime())
   for _, line in ipairs(lines) do
      try(client:send(line .. "\n"))
      print(try(client:receive("*l", nil, LIMIT)))
   end
   client:close()
   return true
end

local lines = {}
for i = 4, #arg do
   lines[#lines + 1] = arg[i]
end
local done, err = polysock.protect(ask)(arg[1], arg[2], tonumber(arg[3]), lines)
if not done then
   print("failed", err)
end
