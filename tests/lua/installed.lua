-- SPDX-License-Identifier: MIT
-- Uses an installed polysock once: `luarocks test` runs it, and tools/test_packages.sh. It needs
-- nothing but the module and loopback.
local polysock = require("polysock")

local server = assert(polysock.bind("127.0.0.1", 0))
local host, port = server:getsockname()
local client = assert(polysock.connect(host, port))
local peer = assert(server:accept())
client:settimeout(5)
assert(peer:send("hello\nhalf") == 10)
assert(client:receive() == "hello")
client:settimeout(0)
local line, err, partial = client:receive()
assert(line == nil and err == "timeout" and partial == "half")
peer:close()
assert(require("polysock.luasocket") == require("socket"))
print(polysock._VERSION)
