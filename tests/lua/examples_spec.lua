-- SPDX-License-Identifier: MIT
-- The examples do what they say. LuaSocket is at the other end.

local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local support = dofile(folder .. "support.lua")
local luasocket = require("socket")

local function example(name, ...)
   local command = { support.lua, folder .. "../../lua/examples/" .. name .. ".lua" }
   for _, word in ipairs({ ... }) do
      command[#command + 1] = ("'%s'"):format(word)
   end
   return assert(io.popen("exec " .. table.concat(command, " ") .. " 2>&1"))
end

local function listening(output)
   local line = output:read("*l")
   return tonumber(line:match("^listening%s+127%.0%.0%.1%s+(%d+)")), line
end

local function listener()
   local server = assert(luasocket.bind("127.0.0.1", 0))
   server:settimeout(10)
   local _, port = server:getsockname()
   return server, tonumber(port)
end

-- Serves one connection: it hears lines up to an empty one, and says what is next.
local function serve(server, ...)
   local client = assert(server:accept())
   client:settimeout(10)
   for _, answer in ipairs({ ... }) do
      repeat
         local line = assert(client:receive())
      until line == ""
      client:send(answer)
   end
   return client
end

describe("the example", function()
   it("echo serves many, whatever one of them does", function()
      local command = "echo $$; exec %s %s../../lua/examples/echo_select.lua 2>&1"
      local output = assert(io.popen(command:format(support.lua, folder)))
      local pid = output:read("*l")
      local port = listening(output)
      local silent = assert(luasocket.connect("127.0.0.1", port))
      local resets = assert(luasocket.connect("127.0.0.1", port))
      resets:send("x")
      resets:setoption("linger", { on = true, timeout = 0 })
      resets:close()
      local client = assert(luasocket.connect("127.0.0.1", port))
      client:settimeout(10)
      local data = ("0123456789"):rep(3000)
      for _ = 1, 3 do
         client:send(data)
         assert.equal(data, client:receive(#data))
      end
      client:send("the end")
      client:shutdown("send")
      assert.equal("the end", client:receive("*a"))
      client:close()
      silent:close()
      os.execute("kill " .. pid)
      output:close()
   end)

   it("lines asks and hears", function()
      local server, port = listener()
      local output = example("lines", "127.0.0.1", port, 10, "one", "two")
      local client = assert(server:accept())
      client:settimeout(10)
      for _, wanted in ipairs({ "one", "two" }) do
         assert.equal(wanted, client:receive())
         client:send("heard " .. wanted .. "\r\n")
      end
      assert.equal("heard one\nheard two\n", output:read("*a"))
      output:close()
      client:close()
      server:close()
   end)

   it("lines bears no long line and no long wait", function()
      local server, port = listener()
      local output = example("lines", "127.0.0.1", port, 10, "one")
      local client = assert(server:accept())
      client:receive()
      client:send(("x"):rep(1001))
      assert.equal("failed\toversized\n", output:read("*a"))
      output:close()
      client:close()
      output = example("lines", "127.0.0.1", port, 0.05, "one")
      client = assert(server:accept())
      assert.equal("failed\ttimeout\n", output:read("*a"))
      output:close()
      client:close()
      server:close()
   end)

   it("http keeps the connection, and reads every kind of body", function()
      local server, port = listener()
      local output = example("http", "127.0.0.1", port,
         "/length", "/chunks", "/empty", "/end", "/new")
      local client = serve(server,
         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            .. "6;x=y\r\nchunks\r\nA\r\n and chunk\r\n0\r\nTrailer: 1\r\n\r\n",
         "HTTP/1.1 204 No Content\r\n\r\n",
         "HTTP/1.1 200 OK\r\n\r\nup to the end")
      client:close()
      client = serve(server, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno")
      assert.equal("/length\t200\t5\nhello\n/chunks\t200\t16\nchunks and chunk\n/empty\t204\t0\n\n"
         .. "/end\t200\t13\nup to the end\n/new\t404\t2\nno\n", output:read("*a"))
      output:close()
      client:close()
      server:close()
   end)

   it("http says what is malformed", function()
      local server, port = listener()
      for _, case in ipairs({
         { "SMTP\r\n\r\n", "malformed status" },
         { "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "malformed header" },
         { "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "malformed length" },
         { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "malformed chunk" },
         { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234", "closed" },
         { ("x"):rep(9000), "oversized" },
      }) do
         local output = example("http", "127.0.0.1", port, "/")
         local client = serve(server, case[1])
         client:close()
         assert.equal("failed\t" .. case[2] .. "\n", output:read("*a"))
         output:close()
      end
      server:close()
   end)

   it("bulk moves a file", function()
      local from, to = os.tmpname(), os.tmpname()
      local data = ("some bytes \0\r\n"):rep(100000)
      local file = assert(io.open(from, "wb"))
      file:write(data)
      file:close()
      local receiver = example("bulk", "receive", to)
      local sender = example("bulk", "send", from, "127.0.0.1", (listening(receiver)))
      assert.equal(("sent\t%d\n"):format(#data), sender:read("*a"))
      assert.equal(("received\t%d\n"):format(#data), receiver:read("*a"))
      sender:close()
      receiver:close()
      file = assert(io.open(to, "rb"))
      assert.is_true(file:read("*a") == data)
      file:close()
      os.remove(from)
      os.remove(to)
   end)
end)
