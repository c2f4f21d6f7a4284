-- SPDX-License-Identifier: MIT
-- Sends a file and receives it, with the sources, sinks and pumps of LTN12, which comes with
-- LuaSocket. Usage: bulk.lua receive FILE [PORT], then bulk.lua send FILE HOST PORT
local ltn12 = require("ltn12")
local polysock = require("polysock")

polysock.BLOCKSIZE = 65536

local function receive(name, port)
   local server = assert(polysock.bind("127.0.0.1", port or 0))
   print("listening", server:getsockname())
   io.stdout:flush()
   local client = assert(server:accept())
   server:close()
   client:settimeout(10)
   local file = ltn12.sink.file(assert(io.open(name, "wb")))
   assert(ltn12.pump.all(polysock.source("until-closed", client), file))
   print("received", (client:getstats()))
end

local function send(name, host, port)
   local client = assert(polysock.connect(host, port, nil, nil, nil, 10))
   client:settimeout(10)
   local file = ltn12.source.file(assert(io.open(name, "rb")))
   assert(ltn12.pump.all(file, polysock.sink("close-when-done", client)))
   print("sent", (select(2, client:getstats())))
end

if arg[1] == "receive" then
   receive(arg[2], arg[3])
else
   send(arg[2], arg[3], arg[4])
end
