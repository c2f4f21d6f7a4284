-- SPDX-License-Identifier: MIT
-- LuaSec over the objects, which hand it their descriptor by getfd and setfd: as a client of
-- openssl s_server, as a server of openssl s_client, and both ends in one program.

local case = require("case")
local socket = require("socket")
local ssl = require("ssl")

local folder = os.getenv("TLS_FOLDER")
local port = case.port("S_SERVER_PORT")
case.version("LuaSec", ssl._VERSION)

local client_parameters = {
   mode = "client",
   protocol = "any",
   options = { "all" },
   verify = { "peer" },
   cafile = folder .. "/ca.pem",
}
local server_parameters = {
   mode = "server",
   protocol = "any",
   options = { "all" },
   verify = "none",
   key = folder .. "/server.key",
   certificate = folder .. "/server.pem",
}

local function changed(parameters, changes)
   return setmetatable(changes, { __index = parameters })
end

local function plain(parameters)
   local result = {}
   for _, name in ipairs({ "mode", "protocol", "options", "verify", "cafile", "key",
      "certificate" }) do
      result[name] = parameters[name]
   end
   return result
end

-- The words of OpenSSL, without its numbers.
local function reason(err)
   return (tostring(err):gsub("^error:%x+:", ""))
end

case("tls.handover", function(say)
   local near, far = case.pair()
   local fd = near:getfd()
   local context = assert(ssl.newcontext(plain(client_parameters)))
   local wrapped = assert(ssl.wrap(near, context))
   say("descriptor", near:getfd(), wrapped:getfd() == fd)
   say("after", near:send("x"))
   say("receive", near:receive())
   say("peer name", near:getpeername())
   say("dirty", near:dirty())
   say("timeout", near:settimeout(1))
   say("close", near:close())
   far:settimeout(0)
   say("still open", far:receive())
   wrapped:close()
   far:settimeout(10)
   say("closed", far:receive())
end)

case("tls.client of s_server", function(say)
   local client = assert(socket.tcp())
   client:settimeout(10)
   assert(client:connect("127.0.0.1", port))
   client = assert(ssl.wrap(client, plain(client_parameters)))
   client:settimeout(10)
   client:sni("localhost")
   say("handshake", client:dohandshake())
   say("verified", client:getpeerverification())
   say("name", client:getpeercertificate():subject()[1].value)
   say("protocol", client:info("protocol"))
   -- s_server -rev turns each line around.
   for _, line in ipairs({ "hello", "a longer line", ("x"):rep(5000) .. "y" }) do
      say("send", client:send(line .. "\n"))
      say("answer", client:receive() == line:reverse())
   end
   local _, writable = socket.select(nil, { client }, 5)
   say("select", #writable, writable[1] == client, writable[client])
   client:close()
end)

case("tls.refused certificate", function(say)
   for _, changes in ipairs({
      { cafile = folder .. "/other.pem" },
      { cafile = folder .. "/other.pem", verify = { "peer", "fail_if_no_peer_cert" } },
   }) do
      local client = assert(socket.tcp())
      client:settimeout(10)
      assert(client:connect("127.0.0.1", port))
      client = assert(ssl.wrap(client, plain(changed(client_parameters, changes))))
      client:settimeout(10)
      local ok, err = client:dohandshake()
      say("handshake", ok, reason(err))
      client:close()
   end
end)

case("tls.not a TLS server", function(say)
   local near, far = case.pair()
   far:send("220 this is something else\r\n")
   near = assert(ssl.wrap(near, plain(client_parameters)))
   near:settimeout(10)
   local ok, err = near:dohandshake()
   say("handshake", ok, reason(err))
end)

case("tls.closed in the handshake", function(say)
   local near, far = case.pair()
   far:close()
   near = assert(ssl.wrap(near, plain(client_parameters)))
   near:settimeout(10)
   say("handshake", near:dohandshake())
end)

case("tls.server of s_client", function(say)
   local server = assert(socket.bind("127.0.0.1", 0))
   local _, own = server:getsockname()
   server:settimeout(10)
   local output = case.command(
      ("printf 'from the client\\n' | openssl s_client -quiet -connect 127.0.0.1:%d "
         .. "-CAfile %s/ca.pem -verify_return_error -servername localhost -ign_eof"):format(
         math.tointeger(own), folder)
   )
   local client = assert(server:accept())
   client = assert(ssl.wrap(client, plain(server_parameters)))
   client:settimeout(10)
   say("handshake", client:dohandshake())
   say("line", client:receive())
   say("send", client:send("from the server\n"))
   client:close()
   say("heard", output:read("*a"):match("from the server"))
   output:close()
end)

case("tls.s_client refuses us", function(say)
   local server = assert(socket.bind("127.0.0.1", 0))
   local _, own = server:getsockname()
   server:settimeout(10)
   local output = case.command(
      ("openssl s_client -quiet -connect 127.0.0.1:%d -CAfile %s/other.pem "
         .. "-verify_return_error </dev/null"):format(math.tointeger(own), folder)
   )
   local client = assert(server:accept())
   client = assert(ssl.wrap(client, plain(server_parameters)))
   client:settimeout(10)
   local ok, err = client:dohandshake()
   if ok then -- TLS 1.3: the server learns of it at its first read
      ok, err = client:receive()
   end
   say("told", ok, reason(err))
   client:close()
   say("verify", output:read("*a"):match("verify error[^\n]*"))
   output:close()
end)

-- Runs bodies that yield an object and what it wants, as an event loop does, and counts the wants.
local function turns(wants, ...)
   local tasks = {}
   for i, body in ipairs({ ... }) do
      tasks[i] = { co = coroutine.create(body) }
   end
   while #tasks > 0 do
      local recvt, sendt, idle = {}, {}, true
      for _, task in ipairs(tasks) do
         if task.want then
            local set = task.want == "wantread" and recvt or sendt
            set[#set + 1] = task.object
         else
            idle = false
         end
      end
      local readable, writable = {}, {}
      if idle then
         local err
         readable, writable, err = socket.select(recvt, sendt, 10)
         assert(not err, err)
      end
      for i = #tasks, 1, -1 do
         local task = tasks[i]
         if not task.want or readable[task.object] or writable[task.object] then
            local ok, object, want = coroutine.resume(task.co)
            assert(ok, object)
            if coroutine.status(task.co) == "dead" then
               table.remove(tasks, i)
            else
               task.object, task.want = object, want
               wants[want] = (wants[want] or 0) + 1
            end
         end
      end
   end
end

case("tls.wantread and wantwrite", function(say)
   local near, far = case.pair()
   local data = case.bytes(8000000) -- more than the system holds: sending comes to a stop

   local client = assert(ssl.wrap(near, plain(client_parameters)))
   local server = assert(ssl.wrap(far, plain(server_parameters)))
   client:settimeout(0)
   server:settimeout(0)
   local wants, got, shaken = {}, {}, 0
   local function handshake(object)
      local ok, err
      repeat
         ok, err = object:dohandshake()
         if not ok then
            assert(err == "wantread" or err == "wantwrite", err)
            coroutine.yield(object, err)
         end
      until ok
      shaken = shaken + 1
   end
   turns(wants, function()
      handshake(client)
      local last = 0
      repeat
         local result, err
         result, err, last = client:send(data, last + 1)
         if not result then
            assert(err == "wantread" or err == "wantwrite", err)
            coroutine.yield(client, err)
         end
      until result
      client:close()
   end, function()
      handshake(server)
      local err, partial, chunk
      repeat
         chunk, err, partial = server:receive(65536)
         got[#got + 1] = chunk or partial
         if err == "wantread" or err == "wantwrite" then
            coroutine.yield(server, err)
         end
      until err == "closed"
   end)
   say("handshakes", shaken)
   say("both came", (wants.wantread or 0) > 0, (wants.wantwrite or 0) > 0)
   say("data", table.concat(got) == data)
end)

case("tls.timeout", function(say)
   local near = case.pair()
   near = assert(ssl.wrap(near, plain(client_parameters)))
   near:settimeout(0.1)
   local start = socket.gettime()
   say("handshake", near:dohandshake())
   say("late enough", socket.gettime() - start >= 0.09)
end)
