-- SPDX-License-Identifier: MIT
-- An echo server, as README shows it. tests/examples has clients that misbehave.
local polysock = require("polysock")

local server = assert(polysock.bind("127.0.0.1", arg[1] or 7007))
print(server:getsockname())

while true do
   local client = assert(server:accept())
   client:settimeout(10, "t") -- for each line
   client:setdeadline(60) -- for all of them
   repeat
      local line = client:receive("*L", "", 4096)
   until not line or not client:send(line)
   client:close()
end
