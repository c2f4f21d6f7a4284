-- SPDX-License-Identifier: MIT
-- The poller in Lua: what it keeps alive and lets go, foreign members, and finalisers that come in
-- between. What it waits for is told by tests/conformance.

local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local support = dofile(folder .. "support.lua")
local polysock = require("polysock")

-- Returns what a wait finds, as lists of tokens and of events; or nil and the error.
local function found(poller, timeout, max)
   local ready, err = poller:wait(timeout, max)
   if not ready then
      return nil, err
   end
   local tokens, events = {}, {}
   for token, its in ready do
      tokens[#tokens + 1], events[#events + 1] = token, its
   end
   return tokens, events
end

local function collect()
   for _ = 1, 3 do
      collectgarbage()
   end
end

describe("a poller", function()
   local poller, client, peer, server

   before_each(function()
      poller = assert(polysock.poller())
      client, peer, server = support.own_pair()
   end)

   after_each(function()
      for _, each in ipairs({ poller, client, peer, server }) do
         each:close()
      end
   end)

   describe("gives an iterator", function()
      it("that a loop takes as it is", function()
         poller:add(client, "w", "one")
         poller:add(peer, "w", false)
         local seen = {}
         for token, events in poller:wait(5) do
            seen[#seen + 1] = tostring(token) .. events
         end
         table.sort(seen)
         assert.same({ "falsew", "onew" }, seen)
      end)

      it("that leaves out what was removed or closed by poller's calls meanwhile", function()
         for _, leave in ipairs({
            function(object)
               poller:remove(object)
            end,
            function(object)
               object:close()
               poller:remove(server) -- any call notes what is closed
            end,
            function(object)
               poller:remove(object)
               poller:add(server, "r") -- perhaps in its place
               poller:remove(server)
               poller:add(server, "r", "added")
            end,
         }) do
            local one, other, listener = support.own_pair()
            poller:add(one, "w")
            poller:add(other, "w")
            local count = 0
            for token in poller:wait(5) do
               count = count + 1
               leave(token == one and other or one)
            end
            assert.equal(1, count)
            one:close()
            other:close()
            listener:close()
            poller:remove(server)
         end
      end)

      it("that does not give what was added meanwhile", function()
         poller:add(client, "w", "client")
         local seen = {}
         for token in poller:wait(5) do
            seen[#seen + 1] = token
            poller:add(peer, "w", "peer")
         end
         assert.same({ "client" }, seen)
         assert.equal(2, #found(poller, 5))
      end)

      it("that ends for good, and with the next wait", function()
         poller:add(client, "w")
         poller:add(peer, "w")
         local ready = poller:wait(5)
         assert.is_userdata((ready()))
         poller:modify(client, "r")
         poller:modify(peer, "r")
         assert.same({ nil, "timeout" }, { poller:wait(0) })
         assert.is_nil(ready())
         assert.is_nil(ready())
         poller:modify(client, "w")
         ready = poller:wait(5)
         poller:close()
         assert.is_nil(ready())
         assert.equal(1, select("#", ready()))
      end)

      it("without garbage", function()
         for i = 1, 50 do
            poller:add({
               getfd = function()
                  return client:getfd()
               end,
            }, "w", i)
         end
         poller:add(peer, "w")
         local function waits()
            for _ = 1, 100 do
               for _ in poller:wait() do -- luacheck: ignore
               end
            end
         end
         waits()
         collectgarbage()
         collectgarbage("stop")
         local before = collectgarbage("count")
         waits()
         local grown = collectgarbage("count") - before
         collectgarbage("restart")
         assert.is_true(grown < 1, grown)
      end)
   end)

   describe("keeps", function()
      it("its members alive", function()
         local one, other = support.pair()
         poller:add(one, "r", "kept")
         one = nil -- luacheck: ignore
         collect()
         other:send("x")
         assert.same({ "kept" }, (found(poller, 5)))
         poller:close()
         collect()
         assert.same({ nil, "closed", "" }, { other:receive(1) })
         other:close()
      end)

      it("tokens as long as they are in use", function()
         local weak = setmetatable({}, { __mode = "v" })
         weak[1], weak[2], weak[3], weak[4] = {}, {}, {}, {}
         poller:add(client, "w", weak[1])
         poller:add(peer, "w", weak[3])
         collect()
         assert.is_table(weak[1])
         poller:modify(client, "w", weak[2] or {})
         collect()
         assert.is_nil(weak[1])
         poller:remove(client)
         peer:close()
         poller:count()
         assert.same({ nil, "timeout" }, { poller:wait(0) })
         collect()
         assert.is_nil(weak[3])
         poller:add(client, "w", { "again" })
         assert.equal("again", found(poller, 5)[1][1])
      end)

      it("nothing of what was removed or not added, whichever it was", function()
         local weak = setmetatable({}, { __mode = "k" })
         local function new()
            local made = {}
            weak[made] = true
            return made
         end
         for _, object in ipairs({ client, peer, server }) do
            assert.equal(1, poller:add(object, "r", new()))
            assert.is_nil((poller:add(object, "r", new())))
            assert.equal(1, poller:modify(object, "r", new()))
         end
         local others = {}
         for i = 1, 3 do
            others[i] = { getfd = function()
               return 900 + i -- no descriptor
            end }
            weak[others[i]] = true
            assert.is_nil((poller:add(others[i], "r")))
         end
         others = nil -- luacheck: ignore
         collect()
         local left = 0
         for _ in pairs(weak) do
            left = left + 1
         end
         assert.equal(3, left)
         local last = assert(polysock.tcp4())
         weak[last] = true
         poller:add(last, "r")
         poller:remove(last)
         for _, object in ipairs({ server, peer, client }) do
            assert.equal(1, poller:remove(object))
         end
         last = nil -- luacheck: ignore
         collect()
         assert.is_nil(next(weak))
      end)

      it("no object that was removed, wherever its place is", function()
         local orders = { { 1, 2, 3, 4 }, { 4, 3, 2, 1 }, { 2, 4, 1, 3 }, { 3, 1, 4, 2 } }
         for _, order in ipairs(orders) do
            local weak = setmetatable({}, { __mode = "k" })
            local objects = {}
            for i = 1, 4 do
               objects[i] = assert(polysock.tcp4())
               weak[objects[i]] = true
               poller:add(objects[i], "r")
            end
            for _, i in ipairs(order) do
               poller:remove(objects[i])
            end
            objects = nil -- luacheck: ignore
            collect()
            assert.is_nil(next(weak))
         end
      end)

      it("no more memory after many members than it needs for those at a time", function()
         local function turns(count)
            for _ = 1, count do
               poller:add(client, "r")
               poller:add(peer, "r")
               poller:remove(client)
               poller:remove(peer)
            end
            collect()
            return collectgarbage("count")
         end
         local before = turns(100)
         local grown = turns(5000) - before
         assert.is_true(grown < 50, grown)
      end)

      it("the token of each member that modify gives", function()
         poller:add(client, "w", "client")
         poller:add(peer, "w", "peer")
         poller:modify(peer, "w", "new")
         local tokens = found(poller, 5)
         table.sort(tokens)
         assert.same({ "client", "new" }, tokens)
      end)

      it("no cycle alive, and is closed when it is collected", function()
         local before = support.descriptors()
         for _, cycle in ipairs({
            function(one)
               return one
            end,
            function(one)
               return function()
                  return one
               end
            end,
            function(one)
               return { one, poller = one }
            end,
         }) do
            local one = assert(polysock.poller())
            one:add(client, "r", cycle(one))
            local ready = one:wait(0) -- luacheck: ignore
            one = nil -- luacheck: ignore
            collect()
            assert.equal(before, support.descriptors())
            assert.equal(1, poller:add(client, "r"))
            poller:remove(client)
         end
      end)
   end)

   it("tells that no more can be made", function()
      local rest = support.finish(support.start([[
         local made = {}
         for i = 1, 200 do
            local one, err = polysock.poller()
            if not one then
               print(type(err))
               os.exit(0)
            end
            made[i] = one
         end
         -- Here it takes no descriptor, or the limit was none.
         print(made[1]:getfd() >= 0 and "no limit" or "string")
      ]], "ulimit -n 40;"))
      assert.equal("string\n", rest)
   end)

   it("is closed at the end of its scope", function()
      local scoped = assert(polysock.poller())
      scoped:add(client, "r")
      getmetatable(scoped).__close(scoped) -- what Lua 5.4 calls then
      assert.equal(1, poller:add(client, "r"))
   end)

   it("tells what it is", function()
      if _VERSION >= "Lua 5.4" then
         assert.equal(("poller: %p"):format(poller), tostring(poller))
      end
      assert.matches("^poller: 0x%x+$", tostring(poller))
      assert.not_equal(tostring(poller), tostring(polysock.poller()))
   end)

   it("refuses to be anything else", function()
      for name, method in pairs(getmetatable(poller).__index) do
         for _, other in ipairs({ client, 5, {}, io.stdout }) do
            assert.error_matches(function()
               method(other, client, "r")
            end, ("calling '%s' on bad self %%(poller expected%%)"):format(name))
         end
         assert.error_matches(function()
            client.receive(poller)
         end, "calling 'receive' on bad self %(tcp{any} expected%)")
      end
   end)

   it("is no member of itself, but of another one", function()
      local outer = assert(polysock.poller())
      assert.equal(1, outer:add(poller, "r", "inner"))
      assert.same({ nil, "timeout" }, { outer:wait(0) })
      poller:add(client, "w")
      assert.same({ "inner" }, (found(outer, 5)))
      assert.is_nil((poller:add(poller, "r")))
      assert.equal(1, poller:count())
      outer:close()
   end)

   it("has many members, of any number", function()
      local limit = polysock._SETSIZE
      local many, count = {}, math.min(1500, limit - 100)
      for i = 1, count do
         many[i] = assert(polysock.tcp4())
         assert(poller:add(many[i], "r", i))
      end
      assert.equal(count, poller:count())
      local tokens = found(poller, 5) -- a socket that is not connected is hung up
      table.sort(tokens)
      assert.equal(count, #tokens)
      for i = 1, count do
         assert.equal(i, tokens[i])
      end
      assert.equal(7, #found(poller, 5, 7))
      for i = 1, count do
         many[i]:close()
      end
      assert.equal(0, poller:count())
   end)

   describe("takes foreign objects", function()
      local function foreign(fd, dirty)
         local its = { fd = fd, buffered = dirty }
         function its:getfd()
            return self.fd
         end
         if dirty ~= nil then
            function its:dirty()
               return self.buffered
            end
         end
         return its
      end

      it("that LuaSocket made", function()
         local socket = require("socket")
         local listener = assert(socket.bind("127.0.0.1", 0))
         assert.equal(1, poller:add(listener, "r"))
         assert.same({ nil, "timeout" }, { poller:wait(0) })
         local host, port = listener:getsockname()
         local one = assert(socket.connect(host, port))
         assert.same({ listener }, (found(poller, 5)))
         one:close()
         listener:close()
      end)

      it("that buffer, and asks them at each wait", function()
         local one, other = foreign(client:getfd(), true), foreign(peer:getfd(), false)
         poller:add(one, "r")
         poller:add(other, "r")
         for _ = 1, 2 do
            assert.same({ one }, (found(poller, 0)))
         end
         one.buffered, other.buffered = false, true
         assert.same({ other }, (found(poller, 0)))
         poller:remove(other)
         assert.same({ nil, "timeout" }, { poller:wait(0) })
      end)

      it("that buffer, whatever their methods leave behind", function()
         local fd = client:getfd()
         local one = {
            getfd = function()
               local a, b, c, d -- luacheck: ignore (they leave nil above the stack)
               return fd
            end,
            dirty = function()
               return true
            end,
         }
         assert.equal(1, poller:add(one, "r"))
         assert.same({ one }, (found(poller, 0)))
      end)

      it("and forgets those that are removed, wherever they are in its list", function()
         local objects, asked = {}, {}
         for i, object in ipairs({ client, peer, server }) do
            objects[i] = foreign(object:getfd(), false)
            objects[i].dirty = function()
               asked[#asked + 1] = i
               return false
            end
         end
         for _, order in ipairs({ { 1, 2, 3 }, { 3, 2, 1 }, { 2, 1, 3 }, { 2, 3, 1 } }) do
            local left = {}
            for i = 1, 3 do
               poller:add(objects[i], "r")
               left[i] = true
            end
            for _, gone in ipairs(order) do
               poller:remove(objects[gone])
               left[gone] = nil
               asked = {}
               assert.same({ nil, "timeout" }, { poller:wait(0) })
               local seen = {}
               for _, i in ipairs(asked) do
                  assert.is_nil(seen[i])
                  seen[i] = true
               end
               assert.same(left, seen)
            end
         end
      end)

      it("but asks no object of its own", function()
         local methods = getmetatable(client).__index
         local getfd, dirty = methods.getfd, methods.dirty
         local calls = 0
         methods.getfd = function(...)
            calls = calls + 1
            return getfd(...)
         end
         methods.dirty = function(...)
            calls = calls + 1
            return dirty(...)
         end
         poller:add(client, "w")
         assert.same({ client }, (found(poller, 5)))
         poller:modify(client, "r")
         poller:remove(client)
         methods.getfd, methods.dirty = getfd, dirty
         assert.equal(0, calls)
      end)

      it("and nothing that is none, or none any more", function()
         assert.has_error(function()
            poller:remove(nil)
         end)
         assert.has_error(function()
            poller:modify(nil, "r")
         end)
         local gone = polysock.tcp4()
         getmetatable(gone).__gc(gone)
         assert.same({ nil, "closed" }, { poller:add(gone, "r") })
         assert.equal(0, poller:count())
      end)

      it("and leaves those that it has alone when it is given none", function()
         assert.equal(1, poller:add(foreign(client:getfd()), "w", "first"))
         for _, name in ipairs({ "add", "modify", "remove" }) do
            assert.error_matches(function()
               poller[name](poller, nil, "r")
            end, "^bad argument #1 to '" .. name .. "' %(sock: ")
         end
         assert.equal(1, poller:count())
         assert.same({ "first" }, (found(poller, 5)))
      end)

      it("by the descriptors that they had when they were added", function()
         local one, other = foreign(client:getfd()), foreign(peer:getfd())
         poller:add(one, "w", "one")
         poller:add(other, "w", "other")
         one.fd, other.fd = 900, 901
         assert.equal(1, poller:modify(one, "w", "new"))
         assert.equal(1, poller:remove(other))
         assert.same({ "new" }, (found(poller, 5)))
         assert.equal(1, poller:remove(one))
         assert.equal(0, poller:count())
      end)

      it("with the descriptor 0", function()
         local rest = support.finish(support.start([[
            local other = assert(polysock.bind("127.0.0.1", 0))
            local poller = polysock.poller()
            local object = { getfd = function(self) return self.fd end, fd = other:getfd() }
            print(poller:add(object, "r", "before"))
            object.fd = 0
            print(poller:add(object, "r", "zero"), poller:count())
            for token, events in poller:wait(5) do print(token, events) end
            object.getfd = function() return 0 end
            print(#polysock.select({ object }, nil, 5))
         ]], "echo x |"))
         assert.equal("1\n1\t1\nzero\tr\n1\n", rest)
      end)

      it("and asks none twice that moved in its list while it was removed", function()
         local asked, objects = {}, {}
         for i, object in ipairs({ client, peer, server }) do
            objects[i] = foreign(object:getfd(), false)
            objects[i].dirty = function()
               asked[#asked + 1] = i
               if i == 3 then
                  poller:remove(objects[1])
                  poller:remove(objects[3])
               end
            end
            poller:add(objects[i], "r")
         end
         assert.same({ nil, "timeout" }, { poller:wait(0) })
         assert.same({ 3, 2 }, asked)
      end)

      it("that release the poller when they are asked for their methods", function()
         local one = assert(polysock.poller())
         local evil = setmetatable({}, { __index = function(_, name)
            if name == "dirty" then
               getmetatable(one).__gc(one)
            end
            return name == "getfd" and function()
               return client:getfd()
            end or nil
         end })
         assert.has_error(function()
            one:add(evil, "r")
         end, "calling 'add' on bad self (poller expected)")
      end)

      it("whose methods raise", function()
         local one = foreign(client:getfd(), true)
         poller:add(one, "r")
         one.dirty = function()
            error("no answer", 0)
         end
         assert.has_error(function()
            poller:wait(0)
         end, "no answer")
         assert.has_error(function()
            poller:add({ getfd = one.dirty }, "r")
         end, "no answer")
         one.dirty = nil
         assert.same({ nil, "timeout" }, { poller:wait(0) })
         assert.equal(1, poller:count())
      end)

      it("whose methods change the poller", function()
         for _, change in ipairs({
            function(objects)
               for _, object in ipairs(objects) do
                  poller:remove(object)
               end
            end,
            function(_, self)
               poller:remove(self)
               poller:add(self, "r")
            end,
            function()
               for i = 1, 40 do
                  local fd = i % 2 == 0 and peer:getfd() or server:getfd()
                  poller:add(foreign(fd, true), "r")
               end
            end,
            function()
               poller:wait(0)
            end,
            function()
               client:close()
            end,
         }) do
            local objects = {}
            for i = 1, 3 do
               objects[i] = foreign(({ client, peer, server })[i]:getfd(), true)
               poller:add(objects[i], "r")
            end
            local active = true
            for i = 1, 3 do
               objects[i].dirty = function(self)
                  if active then
                     active = false
                     change(objects, self)
                  end
                  return true
               end
            end
            local tokens = found(poller, 0) or {}
            for _, token in ipairs(tokens) do
               assert.is_function(token.getfd)
            end
            for i = 1, 3 do
               poller:remove(objects[i])
            end
            poller:close()
            poller = assert(polysock.poller())
         end
      end)

      it("that have got another descriptor", function()
         local one = foreign(client:getfd())
         poller:add(one, "r", "first")
         assert.same({ nil, "already added" }, { poller:add(one, "r") })
         one.fd = peer:getfd()
         assert.equal(1, poller:add(one, "r", "second"))
         assert.equal(1, poller:count())
         peer:send("x")
         assert.same({ nil, "timeout" }, { poller:wait(0.05) })
         client:send("x")
         assert.same({ "second" }, (found(poller, 5)))
      end)

      it("that have got another descriptor, which cannot be added", function()
         local token = setmetatable({ {} }, { __mode = "v" })
         local one, other = foreign(client:getfd()), foreign(server:getfd())
         poller:add(other, "r", "other")
         poller:add(one, "r", token[1])
         one.fd = 900
         assert.is_nil((poller:add(one, "r", "second")))
         assert.equal(1, poller:count())
         collect()
         assert.is_nil(token[1])
         one.fd = peer:getfd()
         assert.equal(1, poller:add(one, "w", "third"))
         local tokens = { "third" }
         for i = 1, 5 do
            tokens[#tokens + 1] = "member " .. i
            poller:add(assert(polysock.tcp4()), "r", "member " .. i)
         end
         local seen = found(poller, 5)
         table.sort(seen)
         table.sort(tokens)
         assert.same(tokens, seen)
         assert.equal(7, poller:count())
      end)
   end)

   it("has all members that a finaliser adds while it makes room for one", function()
      local many, tokens = {}, {}
      local function add(i)
         many[i] = assert(polysock.tcp4())
         tokens[i] = i
         return assert(poller:add(many[i], "r", i))
      end
      for i = 1, 16 do
         add(i)
      end
      many[100] = assert(polysock.tcp4())
      local finalised = false
      local start, restore = support.pause_collector()
      support.finaliser(function()
         finalised = true
         for i = 17, 60 do
            add(i)
         end
      end)
      start()
      local added = poller:add(many[100], "r", 61)
      restore()
      collectgarbage()
      assert.equal(1, added)
      assert.is_true(finalised)
      tokens[61] = 61
      local seen = found(poller, 5)
      table.sort(seen)
      assert.same(tokens, seen)
      for _, each in pairs(many) do
         each:close()
      end
   end)

   -- Calls add with a poller that must make room for a member, so that the finaliser runs inside.
   local function add_while(finalise, member, events, token, first)
      local others = {}
      for i = 1, first and 0 or 16 - poller:count() do
         others[i] = assert(polysock.tcp4())
         assert(poller:add(others[i], "r"))
      end
      local finalised = false
      local start, restore = support.pause_collector()
      support.finaliser(function()
         finalised = true
         finalise(others)
      end)
      start()
      local good, added = pcall(poller.add, poller, member, events, token)
      restore()
      debug.sethook()
      assert.is_true(finalised)
      for _, each in ipairs(others) do
         each:close()
      end
      return { good, added }
   end

   local function foreign(fd)
      return { fd = fd, getfd = function(self)
         return self.fd
      end }
   end

   local function set_hook()
      debug.sethook(function()
         debug.sethook()
         error("the hook's", 0)
      end, "r")
   end

   -- Elsewhere the collector does not do all of its work at once.
   local inside = _VERSION >= "Lua 5.4" and it or function() end
   for _, first in ipairs({ true, false }) do
      local what = first and "its first object" or "an object"
      inside(("keeps nothing of %s when a hook raises as it is added"):format(what), function()
         local kept = setmetatable({}, { __mode = "k" })
         local object, token = assert(polysock.tcp4()), {}
         kept[object], kept[token] = true, true
         assert.same({ false, "the hook's" }, add_while(set_hook, object, "r", token, first))
         assert.equal(0, poller:count()) -- the others are closed
         object, token = nil, nil -- luacheck: ignore 311
         collect()
         assert.is_nil(next(kept))
      end)
   end

   inside("still knows a member when a hook raises as it is added again", function()
      local member = foreign(client:getfd())
      assert(poller:add(member, "w", "member"))
      assert.same({ false, "the hook's" }, add_while(set_hook, member, "w", "again"))
      member.fd = -1
      assert.same({ "member" }, found(poller, 5))
      assert.equal(1, poller:remove(member))
      assert.equal(0, poller:count())
   end)

   inside("does not know an object that a finaliser removes as it is added again", function()
      local member, other = foreign(client:getfd()), foreign(peer:getfd())
      assert(poller:add(member, "w", "member"))
      local result = add_while(function()
         poller:remove(member)
         assert(poller:add(other, "w", "other"))
         member.added = poller:add(foreign(client:getfd()), "w", "third")
      end, member, "w", "again")
      assert.same({ true }, result)
      assert.equal(1, member.added)
      member.fd = -1
      assert.is_nil((poller:remove(member)))
      local seen = found(poller, 5)
      table.sort(seen)
      assert.same({ "other", "third" }, seen)
   end)

   it("outlives finalisers that use it in the middle of its calls", function()
      local calls = 0
      local function arm()
         support.finaliser(function()
            calls = calls + 1
            poller:wait(0)
            poller:add(peer, "w", "peer")
            poller:modify(client, "w", "client")
            if calls % 3 == 0 then
               poller:remove(peer)
            end
         end)
      end
      local collect_as_before = support.collect_often()
      for round = 1, 400 do
         arm()
         poller:add(client, "w", "client")
         local others = {}
         for i = 1, round % 40 do
            others[i] = {
               getfd = function()
                  return peer:getfd()
               end,
            }
            poller:add(others[i], "w", "peer")
         end
         for token, events in poller:wait(0) or function() end do
            assert.is_true(token == "client" or token == "peer")
            assert.equal("w", events)
         end
         poller:remove(client)
      end
      collect_as_before()
      assert.is_true(calls > 10)
   end)
end)
