-- SPDX-License-Identifier: MIT
-- An echo server: every line that a client sends goes back to it.
local polysock = require("polysock")

local server = assert(polysock.bind("127.0.0.1", arg[1] or 0))
print("listening", server:getsockname())

while true do
   local client <close> = assert(server:accept())
   for line in client:lines("*L") do
      client:send(line)
   end
end
