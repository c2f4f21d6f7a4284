-- SPDX-License-Identifier: MIT
-- The classes of LuaSocket, one for each kind of object: their names, where programs find and
-- patch them, and objects that are used again after a failure or a close.

local case = require("case")
local socket = require("socket")

local function of_each_kind()
   local near, far, server = case.pair()
   return { master = socket.tcp(), client = near, accepted = far, server = server }
end

local kinds = { "master", "client", "accepted", "server" }

case("classes.names", function(say)
   local objects = of_each_kind()
   for _, kind in ipairs(kinds) do
      local object = objects[kind]
      local metatable = getmetatable(object)
      say(kind, object.class, metatable.__index.class, tostring(object))
      if _VERSION >= "Lua 5.3" then -- before, names of metatables are not in them
         say(kind .. " by Lua", metatable.__name)
      end
      say(kind .. " registered", debug.getregistry()[object.class] == metatable)
   end
   say("accepted is a client", getmetatable(objects.accepted) == getmetatable(objects.client))
   say("other makers", socket.tcp4().class, socket.tcp6().class)
end)

case("classes.moves", function(say)
   local server = socket.tcp()
   server:bind("127.0.0.1", 0)
   say("bound", server.class)
   server:listen()
   say("listening", server.class)
   local client = socket.tcp()
   client:connect(server:getsockname())
   say("connected", client.class)
   local _, port = server:getsockname()
   case.hide(port, "PORT")
   local late = socket.tcp()
   late:settimeout(0)
   late:connect("127.0.0.1", port)
   say("on its way", late.class, tostring(late))
   client:close()
   say("closed", client.class, tostring(client))
end)

case("classes.patched", function(say)
   local objects = of_each_kind()
   -- As mobdebug, copas and others do: methods of their own in one class.
   local methods = debug.getregistry()["tcp{client}"].__index
   methods.greet = function(self, name)
      return "hello " .. name .. " from " .. self.class
   end
   local receive = methods.receive
   methods.receive = function(self, ...)
      return "patched", receive(self, ...)
   end
   objects.accepted:send("line\n")
   say("new method", objects.client:greet("you"), objects.accepted:greet("me"))
   say("patched method", objects.client:receive())
   say("others", objects.master.greet, objects.server.greet)
   methods.greet, methods.receive = nil, receive
   say("gone", objects.client.greet)
   getmetatable(objects.server).__index.greet = methods.send
   say("through an object", objects.server.greet == methods.send, objects.client.greet)
   getmetatable(objects.server).__index.greet = nil
end)

case("classes.refused", function(say)
   local client = socket.tcp()
   say("connect", client:connect("127.0.0.1", case.refusing()))
   say("class", client.class, tostring(client))
   say("send", (client:send("x")))
   say("receive", (client:receive()))
   say("partial", select(3, client:receive("*l", nil)))
   local server = assert(socket.bind("127.0.0.1", 0))
   say("again", client:connect(server:getsockname()))
   say("works", client:send("x"))
end)

case("classes.after close", function(say)
   local near, _, server = case.pair()
   near:settimeout(7)
   near:close()
   say("connect", near:connect(server:getsockname()))
   say("class", near.class, near:getfd() ~= -1)
   say("limits", near:gettimeout())
   local far = server:accept()
   say("send", near:send("x"))
   say("heard", far:receive(1))
   local master = socket.tcp()
   master:close()
   say("bind", master:bind("127.0.0.1", 0))
   say("listen", master:listen(), master.class)
end)

case("classes.receive(0)", function(say)
   local near, far = case.pair()
   far:settimeout(0.05)
   say("silent", far:receive(0))
   near:send("ab")
   socket.select({ far }, nil, 10)
   say("something", far:receive(0))
   say("again", far:receive(0))
   say("with a prefix", far:receive(0, "prefix"))
   say("rest", far:receive(2))
   near:close()
   socket.select({ far }, nil, 10)
   say("end", far:receive(0))
end)

case("classes.numbers", function(say)
   local near, far = case.pair()
   say("part", near:send("0123456789", 1.5, 4.9))
   say("received", far:receive(2.9))
   say("rest", far:receive(2))
   local server = socket.tcp()
   server:bind("127.0.0.1", 0)
   for _, backlog in ipairs({ -1, 0, 2.5, 2 ^ 31, "5" }) do
      local one = socket.tcp()
      one:bind("127.0.0.1", 0)
      say("listen " .. tostring(backlog), one:listen(backlog))
   end
   say("port", select(2, near:getsockname()) == tostring(select(2, far:getpeername())))
   say("results", select("#", near:send("x")), select("#", far:receive(1)))
end)

case("classes.sets", function(say)
   local near, far = case.pair()
   local function ready(set)
      local _, writable, err = socket.select(nil, set, 0)
      return #writable, err
   end
   say("by __index", ready(setmetatable({}, { __index = { near, far } })))
   say("by a function", ready(setmetatable({}, {
      __index = function(_, index)
         return index < 3 and near or nil
      end,
   })))
   say("a hole", ready({ near, nil, far }))
   say("from 0", ready({ [0] = near }))
   say("an object for a set", ready({ getfd = function() return near:getfd() end }))
   say("false", pcall(ready, { near, {}, "text" }))
end)
