-- SPDX-License-Identifier: MIT
-- LuaSocket's socket.http, socket.url, ltn12 and mime, as the distribution installs them, against
-- nginx; and a client that keeps its connection, which socket.http does not.

local case = require("case")
local socket = require("socket")
local http = require("socket.http")
local https = require("ssl.https")
local ltn12 = require("ltn12")
local mime = require("mime")
local url = require("socket.url")

local port = case.port("HTTP_PORT")
local tls_port = case.port("HTTPS_PORT")
local base = "http://127.0.0.1:" .. port
http.TIMEOUT = 10
case.version("mime", mime._VERSION)
case.version("ssl.https", https._VERSION)

-- The headers that tell nothing of the moment.
local function headers(list)
   local names = {}
   for name, value in pairs(list) do
      if name ~= "date" and name ~= "last-modified" and name ~= "etag" then
         names[#names + 1] = name .. "=" .. value
      end
   end
   table.sort(names)
   return table.concat(names, "; ")
end

case("http.get", function(say)
   local body, code, list, status = http.request(base .. "/small.txt")
   say("answer", body, code, status)
   say("headers", headers(list))
end)

case("http.get absent", function(say)
   local body, code, list, status = http.request(base .. "/absent")
   say("answer", #body > 0, code, status)
   say("headers", headers(list))
end)

case("http.head", function(say)
   local body, code, list, status = http.request({ method = "HEAD", url = base .. "/small.txt" })
   say("answer", body, code, status)
   say("headers", headers(list))
end)

case("http.user agent", function(say)
   say("answer", http.request(base .. "/agent") == socket._VERSION .. "\n")
end)

case("http.post form", function(say)
   local body, code, _, status = http.request(base .. "/echo", "a=1&b=%20two")
   say("answer", body, code, status)
end)

case("http.post large", function(say)
   local data = case.bytes(3000000)
   local got = {}
   local ok, code = http.request({
      method = "POST",
      url = base .. "/echo",
      headers = { ["content-length"] = #data, ["content-type"] = "application/octet-stream" },
      source = ltn12.source.string(data),
      sink = ltn12.sink.table(got),
   })
   say("answer", ok, code, table.concat(got) == data)
end)

case("http.post chunked", function(say)
   local data = case.bytes(100000)
   local got = {}
   local ok, code = http.request({
      method = "POST",
      url = base .. "/echo",
      source = ltn12.source.string(data), -- no length: LuaSocket sends it in chunks
      sink = ltn12.sink.table(got),
   })
   say("answer", ok, code, table.concat(got) == data)
end)

case("http.put", function(say)
   local data = case.bytes(500000)
   local ok, code = http.request({
      method = "PUT",
      url = base .. "/upload/data",
      headers = { ["content-length"] = #data },
      source = ltn12.source.string(data),
   })
   say("answer", ok, code)
   say("back", http.request(base .. "/upload/data") == data)
end)

case("http.redirect", function(say)
   local body, code, list = http.request(base .. "/redirect")
   say("followed", body, code, list["content-length"])
   local ok, code2, list2 = http.request({ url = base .. "/redirect", redirect = false })
   say("not followed", ok, code2, list2.location)
   local ok3, err = http.request({ url = base .. "/circle", maxredirects = 3 })
   say("circle", ok3, err)
end)

case("http.chunked", function(say)
   local body, code, list = http.request(base .. "/chunked.html")
   say("answer", body, code, list["transfer-encoding"], list["content-length"])
end)

case("http.large", function(say)
   local expected, size, right = case.bytes(20000000), 0, true
   local ok, code, list = http.request({
      url = base .. "/large.bin",
      sink = function(chunk)
         if chunk then
            right = right and expected:sub(size + 1, size + #chunk) == chunk
            size = size + #chunk
         end
         return 1
      end,
   })
   say("answer", ok, code, list["content-length"], size, right)
end)

case("http.authentication", function(say)
   local plain = base:gsub("//", "//user:secret@")
   say("right", http.request(plain .. "/private/small.txt"))
   local _, code = http.request(base .. "/private/small.txt")
   say("missing", code)
end)

case("http.proxy", function(say)
   local got = {}
   local ok, code = http.request({
      url = "http://elsewhere.invalid/small.txt",
      proxy = base,
      sink = ltn12.sink.table(got),
   })
   say("answer", ok, code, table.concat(got))
end)

case("http.refused", function(say)
   say("answer", http.request("http://127.0.0.1:" .. case.refusing() .. "/"))
end)

case("http.closed early", function(say)
   local server = assert(socket.bind("127.0.0.1", 0))
   local ip, own = server:getsockname()
   local ok, err = http.request({
      url = ("http://%s:%d/"):format(ip, own),
      create = function()
         -- The request is sent to a peer that has closed by the time the answer is read.
         local client = socket.tcp()
         return setmetatable({
            connect = function(_, ...)
               local result = assert(client:connect(...))
               server:accept():close()
               return result
            end,
         }, {
            __index = function(_, name)
               return function(_, ...)
                  return client[name](client, ...)
               end
            end,
         })
      end,
   })
   say("answer", ok, err)
end)

case("http.timeout", function(say)
   local server = assert(socket.bind("127.0.0.1", 0)) -- accepts nothing, answers nothing
   local ip, own = server:getsockname()
   http.TIMEOUT = 0.2
   local start = socket.gettime()
   say("answer", http.request(("http://%s:%d/"):format(ip, own)))
   say("in time", socket.gettime() - start >= 0.19)
   http.TIMEOUT = 10
end)

case("http.keep alive", function(say)
   local client = assert(socket.tcp())
   client:settimeout(10)
   say("connect", client:connect("127.0.0.1", port))
   say("option", client:setoption("keepalive", true), client:setoption("tcp-nodelay", true))
   for i = 1, 5 do
      client:send("GET /small.txt HTTP/1.1\r\nHost: x\r\n\r\n")
      local status, length = client:receive(), nil
      repeat
         local header = client:receive()
         length = length or header:lower():match("^content%-length: (%d+)")
      until header == ""
      say("answer " .. i, status, client:receive(tonumber(length)))
   end
   local received, sent = client:getstats()
   say("sent", math.tointeger(sent), received > 500)
   client:send("GET /small.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
   say("last", client:receive("*a"):match("\r\n\r\n(.*)"))
   say("closed", client:receive())
   say("close", client:close())
end)

case("http.tls", function(say)
   local tls = "https://127.0.0.1:" .. tls_port
   local body, code, list, status = https.request(tls .. "/small.txt")
   say("answer", body, code, status)
   say("headers", headers(list))
   local got = {}
   local ok, code2 = https.request({ url = tls .. "/large.bin", sink = ltn12.sink.table(got) })
   say("large", ok, code2, table.concat(got) == case.bytes(20000000))
   local data = case.bytes(200000)
   local echo = https.request(tls .. "/echo", data)
   say("post", echo == data)
end)

case("http.tls by scheme", function(say)
   -- socket.http of LuaSocket 3 asks LuaSec for https by itself.
   local body, code = http.request("https://127.0.0.1:" .. tls_port .. "/small.txt")
   say("answer", body, code)
end)

case("http.url and mime", function(say)
   local parsed = url.parse("http://user@host:8080/a/b?c#d")
   say("parse", parsed.host, parsed.port, parsed.path, parsed.query, parsed.fragment)
   say("build", url.build(parsed), url.absolute("http://a/b/c", "../d"), url.escape("a b/ä"))
   say("mime", mime.b64("any bytes\0\255"), mime.unb64("YWJj"), (mime.qp("ä=\t\r\n")))
end)
