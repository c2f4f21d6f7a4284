-- SPDX-License-Identifier: MIT
-- LuaSocket and polysock in one program: each one's select takes the other's objects, and bytes
-- and descriptors go from one to the other. Runs once; it asserts what it wants.

local case = require("case")
local luasocket = require("socket")
local polysock = require("polysock")
local ltn12 = require("ltn12")
local unix = require("socket.unix")

case.version("polysock", polysock._VERSION)

local function equal(got, expected)
   if got ~= expected then
      error(("got %s, expected %s"):format(tostring(got), tostring(expected)), 2)
   end
end

-- Two connected clients of different libraries: the first of `one`, the second of `other`.
local function pair(one, other)
   local server = assert(other.bind("127.0.0.1", 0))
   local _, port = server:getsockname()
   local near = assert(one.connect("127.0.0.1", port))
   local far = assert(server:accept())
   near:settimeout(10)
   far:settimeout(10)
   return near, far, server
end

local function selects(name, chooser, one, other)
   case("both." .. name .. " readable and writable", function()
      local near, far, server = pair(one, other)
      local r, w, err = chooser.select({ near, far, server }, { near }, 10)
      equal(#r, 0)
      equal(w[1], near)
      equal(w[near], 1)
      equal(err, nil)
      near:send("x")
      r, w, err = chooser.select({ near, far, server }, nil, 10)
      equal(#r, 1)
      equal(r[1], far)
      equal(r[far], 1)
      equal(#w, 0)
      equal(err, nil)
      local ip, port = server:getsockname()
      local third = assert(one.connect(ip, port))
      r = chooser.select({ server }, nil, 10)
      equal(r[1], server)
      third:close()
   end)

   case("both." .. name .. " buffered bytes", function()
      local near, far = pair(one, other)
      near:send("one\ntwo\n")
      equal(far:receive(), "one")
      equal(far:dirty(), true)
      local r = chooser.select({ far }, nil, 10)
      equal(r[1], far)
      equal(far:receive(), "two")
      local _, _, err = chooser.select({ far }, nil, 0)
      equal(err, "timeout")
   end)

   case("both." .. name .. " closed objects", function()
      local near, far = pair(one, other)
      near:close()
      local r = chooser.select({ near, far }, nil, 10)
      equal(#r, 1)
      equal(r[1], far)
      far:close()
      local r2, w2, err = chooser.select({ near, far }, { near, far }, 0)
      equal(#r2 + #w2, 0)
      equal(err, "timeout")
   end)
end

selects("select of LuaSocket: our server", luasocket, luasocket, polysock)
selects("select of LuaSocket: our client", luasocket, polysock, luasocket)
selects("select of polysock: its server", polysock, polysock, luasocket)
selects("select of polysock: its client", polysock, luasocket, polysock)

case("both.a loop of LuaSocket serves with our objects", function()
   local server = assert(polysock.bind("127.0.0.1", 0))
   local ip, port = server:getsockname()
   local clients, watched, echoed = {}, { server }, 0
   for i = 1, 20 do
      clients[i] = assert(luasocket.connect(ip, port))
      clients[i]:send("line " .. i .. "\n")
   end
   while echoed < 20 do
      local ready, _, err = luasocket.select(watched, nil, 10)
      equal(err, nil)
      for _, object in ipairs(ready) do
         if object == server then
            watched[#watched + 1] = assert(server:accept())
         else
            object:send(assert(object:receive()) .. "\n")
            echoed = echoed + 1
            for i, other in ipairs(watched) do
               if other == object then
                  table.remove(watched, i)
                  break
               end
            end
         end
      end
   end
   for i = 1, 20 do
      equal(clients[i]:receive(), "line " .. i)
   end
end)

case("both.udp and unix sockets in our select", function()
   local udp = assert(luasocket.udp())
   assert(udp:setsockname("127.0.0.1", 0))
   local first = assert(unix.stream())
   local path = os.tmpname()
   os.remove(path)
   assert(first:bind(path))
   assert(first:listen())
   local client = assert(unix.stream())
   assert(client:connect(path))
   local ready = polysock.select({ udp, first }, nil, 10)
   equal(#ready, 1)
   equal(ready[1], first)
   local far = assert(first:accept())
   local sender = luasocket.udp()
   assert(sender:sendto("datagram", udp:getsockname()))
   far:send("stream")
   ready = polysock.select({ udp, client }, { sender }, 10)
   equal(#ready, 2)
   equal(ready[udp], 1)
   equal(udp:receive(), "datagram")
   equal(client:receive(6), "stream")
   os.remove(path)
end)

case("both.tables with getfd and dirty", function()
   local near, far = pair(polysock, polysock)
   local wrapper = {
      getfd = function()
         return near:getfd()
      end,
      dirty = function()
         return true
      end,
   }
   for _, chooser in ipairs({ luasocket, polysock }) do
      local r = chooser.select({ wrapper }, nil, 10)
      equal(r[1], wrapper)
      local _, w = chooser.select(nil, { wrapper }, 10)
      equal(w[wrapper], 1)
      local r2, w2, err = chooser.select({ {}, {} }, { {} }, 0)
      equal(#r2 + #w2, 0)
      equal(err, "timeout")
   end
   far:close()
end)

case("both.pump from one to the other", function()
   local near, far = pair(polysock, luasocket)
   local data = case.bytes(100000)
   equal(near:send(data), #data)
   near:close()
   local near2, far2 = pair(luasocket, polysock)
   assert(ltn12.pump.all(luasocket.source(far), luasocket.sink("close-when-done", near2)))
   local got = {}
   assert(ltn12.pump.all(polysock.source(far2), (ltn12.sink.table(got))))
   equal(table.concat(got), data)
end)

case("both.a descriptor changes the library", function()
   local near, far = pair(luasocket, luasocket)
   local taken = assert(polysock.fromfd(math.tointeger(near:getfd()), "client"))
   near:setfd(luasocket._SOCKETINVALID)
   equal(taken:send("from polysock\n"), 14)
   equal(far:receive(), "from polysock")
   local back = luasocket.tcp4()
   back:close()
   back:setfd(assert(taken:detach()))
   equal(taken:getfd(), -1)
   equal(near:getfd(), -1)
   back:close()
   equal(select(2, far:receive()), "closed")
end)

case("both.exceptions are told apart", function()
   -- Neither takes the other's exceptions for its own.
   equal(pcall(polysock.protect(luasocket.try), nil, "x"), false)
   equal(pcall(luasocket.protect(polysock.try), nil, "x"), false)
end)
