-- SPDX-License-Identifier: MIT
-- One half of `make demo`, in Lua: `demo.lua serve` is the server, `demo.lua talk PORT` the
-- client. demo.py says the same things on the wire.
local polysock = require("polysock")

local function show(call, ...)
   local values = table.pack(...)
   for i = 1, values.n do
      local value = values[i]
      values[i] = type(value) == "string" and ("%q"):format(value) or tostring(value)
   end
   print(("lua     %-28s %s"):format(call, table.concat(values, ", ")))
   return ...
end

local function serve()
   local server = assert(polysock.bind("127.0.0.1", 0))
   local _, port = server:getsockname()
   io.write(port, "\n"):flush()
   local client <close> = assert(server:accept())
   server:close() -- so that a second connect is refused
   client:send("a line\r\n")
   client:send("0123456789")
   client:send("half a l")
   show("server:receive()", client:receive()) -- the client has seen its timeout
   client:send("ine\n")
end

local function talk(port)
   local client = assert(polysock.connect("127.0.0.1", port))
   show("client:receive()", client:receive())
   show("client:receive(10)", client:receive(10))
   client:settimeout(0.2)
   local _, _, partial = show("client:receive()", client:receive())
   client:send("go on\n")
   client:settimeout(nil)
   show("client:receive('*l', partial)", client:receive("*l", partial))
   show("client:receive()", client:receive())
   client:close()
   show("polysock.connect(...)", polysock.connect("127.0.0.1", port))
end

if arg[1] == "serve" then
   serve()
else
   talk(arg[2])
end
