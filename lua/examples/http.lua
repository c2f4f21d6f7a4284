-- SPDX-License-Identifier: MIT
-- A client of HTTP/1.1 that asks for several paths over one connection: bodies with a length, in
-- chunks, or up to the end. Usage: http.lua HOST PORT PATH...
local polysock = require("polysock")

local LIMIT = 8192 -- bytes of a line: a stranger says how long it is
local HEADERS = 100 -- lines

local function read_headers(client, try)
   local headers = {}
   for _ = 1, HEADERS do
      local line = try(client:receive("*l", nil, LIMIT))
      if line == "" then
         return headers
      end
      local name, value = line:match("^([^:%s]+):%s*(.-)%s*$")
      try(name, "malformed header")
      headers[name:lower()] = value
   end
   return try(nil, "too many headers")
end

local function read_chunks(client, try)
   local chunks = {}
   while true do
      local line = try(client:receive("*l", nil, LIMIT))
      local size = try(tonumber(line:match("^%x+") or "", 16), "malformed chunk")
      if size == 0 then
         read_headers(client, try) -- those that may follow the last chunk
         return table.concat(chunks)
      end
      chunks[#chunks + 1] = try(client:receive(size))
      try(client:receive("*l", nil, LIMIT) == "", "malformed chunk")
   end
end

local function read_body(client, try, status, headers)
   if status == 204 or status == 304 then
      return ""
   elseif (headers["transfer-encoding"] or ""):lower() == "chunked" then
      return read_chunks(client, try)
   elseif headers["content-length"] then
      local length = try(tonumber(headers["content-length"]:match("^%d+$")), "malformed length")
      return try(client:receive(length))
   end
   headers.connection = "close"
   local body, err, partial = client:receive("*a")
   return body or try(err == "closed" and partial, err)
end

-- Gives status and body, and whether the connection goes on.
local function get(client, try, host, path)
   try(client:send(("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n"):format(path, host)))
   local status, headers
   repeat
      local line = try(client:receive("*l", nil, LIMIT))
      status = try(tonumber(line:match("^HTTP/1%.%d (%d%d%d)")), "malformed status")
      headers = read_headers(client, try)
   until status >= 200 -- those below are on the way
   local body = read_body(client, try, status, headers)
   return status, body, (headers.connection or ""):lower() ~= "close"
end

local main = polysock.protect(function(host, port, paths)
   local client
   local try = polysock.newtry(function()
      if client then
         client:close()
      end
   end)
   for _, path in ipairs(paths) do
      if not client then
         client = try(polysock.connect(host, port, nil, nil, nil, 10))
         client:settimeout(10)
      end
      local status, body, goes_on = get(client, try, host, path)
      print(path, status, #body)
      print(body)
      if not goes_on then
         client:close()
         client = nil
      end
   end
   if client then
      client:close()
   end
   return true
end)

local paths = {}
for i = 3, #arg do
   paths[#paths + 1] = arg[i]
end
local done, err = main(arg[1], arg[2], paths)
if not done then
   print("failed", err)
end
