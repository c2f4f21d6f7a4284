-- SPDX-License-Identifier: MIT
-- Several processes on one port: start it twice with the same port, and the system shares the
-- connections among them. When one ends, the others go on. The second argument is its name.

local polysock = require("polysock")

local name = arg[2] or "somebody"
local server = assert(polysock.tcp4())
assert(server:setoption("reuseaddr", true))
assert(server:setoption("reuseport", true)) -- before bind, in each of the processes
assert(server:bind("127.0.0.1", arg[1] or 7007))
assert(server:listen(128))
print(server:getsockname())

while true do
   local client <close> = assert(server:accept())
   client:settimeout(10, "t")
   local line = client:receive("*l", "", 4096)
   if line then
      client:send(name .. " heard " .. line .. "\n")
   end
end
