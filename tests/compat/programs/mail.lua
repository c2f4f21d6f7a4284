-- SPDX-License-Identifier: MIT
-- LuaSocket's socket.smtp and socket.ftp, as the distribution installs them, against aiosmtpd and
-- pyftpdlib.

local case = require("case")
local ftp = require("socket.ftp")
local ltn12 = require("ltn12")
local mime = require("mime")
local smtp = require("socket.smtp")
local socket = require("socket")

local smtp_port = case.port("SMTP_PORT")
local ftp_port = case.port("FTP_PORT")
local mailbox = os.getenv("SMTP_MAILBOX")
smtp.TIMEOUT = 10
ftp.TIMEOUT = 10

-- What the mail server has written, without what differs by chance.
local count = 0
local function delivered()
   count = count + 1
   local file = assert(io.open(("%s/%d"):format(mailbox, count), "rb"))
   local text = file:read("*a")
   file:close()
   local boundary = text:match('boundary="([^"]+)"')
   if boundary then
      text = text:gsub(boundary:gsub("%p", "%%%0"), "BOUNDARY")
   end
   return text
end

local function send(mail)
   mail.server, mail.port = "127.0.0.1", smtp_port
   return smtp.send(mail)
end

-- Headers come in the order of a table: one line each, sorted.
local function sorted(text)
   local head, body = text:match("^(.-\r\n)\r\n(.*)$")
   head = head:gsub("X%-Mailer: " .. socket._VERSION:gsub("%p", "%%%0"), "X-Mailer: (the library)")
   local lines = {}
   for line in head:gmatch("([^\r\n]+)") do
      lines[#lines + 1] = line
   end
   table.sort(lines)
   return table.concat(lines, "\n"), body
end

local date = "Thu, 1 Jan 1970 00:00:00 +0000"

case("smtp.send", function(say)
   say("answer", send({
      from = "<one@example.org>",
      rcpt = "<two@example.org>",
      source = smtp.message({
         headers = { subject = "hello", date = date },
         body = "A line.\r\n.A line that begins with a dot\r\n.\r\nbare\nend",
      }),
   }))
   local head, body = sorted(delivered())
   say("head", head)
   say("body", body)
end)

case("smtp.recipients", function(say)
   say("answer", send({
      from = "<one@example.org>",
      rcpt = { "<two@example.org>", "<three@example.org>" },
      source = smtp.message({ headers = { date = date, ["x-mailer"] = "test" }, body = "x" }),
   }))
   say("mail", sorted(delivered()))
end)

case("smtp.refused recipient", function(say)
   say("answer", send({
      from = "<one@example.org>",
      rcpt = { "<two@example.org>", "<refused@example.org>" },
      source = ltn12.source.string("never sent"),
   }))
end)

case("smtp.multipart", function(say)
   local data = case.bytes(300000)
   say("answer", send({
      from = "<one@example.org>",
      rcpt = "<two@example.org>",
      source = smtp.message({
         headers = { date = date, ["x-mailer"] = "test" },
         body = {
            preamble = "before",
            { body = mime.eol(0, "text\nof two lines\n") },
            {
               headers = {
                  ["content-type"] = "application/octet-stream",
                  ["content-transfer-encoding"] = "BASE64",
               },
               body = ltn12.source.chain(
                  ltn12.source.string(data),
                  ltn12.filter.chain(mime.encode("base64"), mime.wrap())
               ),
            },
            epilogue = "after",
         },
      }),
   }))
   local text = delivered()
   local encoded = text:match("BASE64.-\r\n\r\n(.-)\r\n%-%-BOUNDARY")
   say("attachment", encoded and mime.unb64(encoded) == data)
   say("rest", #text - #encoded, select(2, text:gsub("BOUNDARY", "")))
end)

case("smtp.authentication", function(say)
   local function as(password)
      return send({
         from = "<one@example.org>",
         rcpt = "<two@example.org>",
         user = "user",
         password = password,
         source = smtp.message({ headers = { date = date, ["x-mailer"] = "test" }, body = "x" }),
      })
   end
   say("right", as("secret"))
   say("mail", sorted(delivered()))
   say("wrong", as("wrong"))
end)

case("smtp.sequence", function(say)
   local session = smtp.open("127.0.0.1", smtp_port)
   say("greet", (session:greet("localhost"):match("^(%d+)")))
   for i = 1, 20 do
      local data = case.bytes(i * 1000):gsub("[^%w]", "x"):gsub(("."):rep(70), "%0\r\n")
      session:send({
         from = "<one@example.org>",
         rcpt = "<two@example.org>",
         source = ltn12.source.string("x: " .. i .. "\r\n\r\n" .. data .. "\r\n"),
      })
      local text = delivered()
      say("mail " .. i, #text, text:find(data, 1, true) ~= nil)
   end
   say("quit", (tostring(session:quit()):match("^(%d+)")))
   say("close", session:close())
end)

local base = ("ftp://user:secret@127.0.0.1:%d"):format(ftp_port)

case("ftp.put and get", function(say)
   local data = case.bytes(5000000)
   say("put", ftp.put(base .. "/data;type=i", data))
   local back, err = ftp.get(base .. "/data;type=i")
   say("get", back == data, err)
end)

case("ftp.list", function(say)
   local lines = {}
   local ok, err = ftp.get({
      host = "127.0.0.1",
      port = ftp_port,
      user = "user",
      password = "secret",
      command = "nlst",
      path = ".",
      sink = ltn12.sink.table(lines),
   })
   say("answer", ok, err, table.concat(lines))
end)

case("ftp.command", function(say)
   say("size", ftp.command({
      host = "127.0.0.1",
      port = ftp_port,
      user = "user",
      password = "secret",
      command = "size",
      argument = "data",
      check = { 213, 550 },
   }))
end)

case("ftp.absent", function(say)
   say("answer", ftp.get(base .. "/absent"))
end)

case("ftp.wrong password", function(say)
   say("answer", ftp.get((base:gsub("secret", "wrong")) .. "/data"))
end)

case("ftp.stopped by the sink", function(say)
   say("answer", ftp.get({
      host = "127.0.0.1",
      port = ftp_port,
      user = "user",
      password = "secret",
      path = "data",
      type = "i",
      sink = function()
         return nil, "enough"
      end,
   }))
end)
