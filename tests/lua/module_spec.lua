-- SPDX-License-Identifier: MIT
-- The module as Lua sees it: loading, select on tables, exceptions, sources and sinks, and that
-- memory and descriptors come back.

local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local support = dofile(folder .. "support.lua")
local polysock = require("polysock")
local ltn12 = require("ltn12")

describe("loading", function()
   it("leaves the globals alone", function()
      local rest = support.finish(support.start([[
         for name in pairs(_G) do
            if name:find("^swig") or name:find("^polysock") then print(name) end
         end
         print(package.loaded["polysock.core"] ~= nil)
      ]]))
      assert.equal("true\n", rest)
   end)

   it("works in a coroutine", function()
      -- Before Lua 5.2 nothing tells the module its main coroutine then, which it looks for between
      -- two reads.
      local rest = support.finish(support.start([[
         local server = assert(polysock.bind("127.0.0.1", 0))
         local host, port = server:getsockname()
         local client = assert(polysock.connect(host, port))
         local peer = assert(server:accept())
         local data = ("x"):rep(300000)
         assert(peer:send(data))
         print(client:receive(#data) == data)
         assert(peer:send(data .. "\n"))
         coroutine.wrap(function()
            print(client:receive() == data)
         end)()
      ]], 'export LUA_INIT="coroutine.wrap(function() require [[polysock]] end)()";'))
      assert.equal("true\ntrue\n", rest)
   end)

   it("works again after package.loaded was emptied, beside the first", function()
      local first = polysock.tcp4()
      local loaded = { package.loaded["polysock"], package.loaded["polysock.core"] }
      package.loaded["polysock"], package.loaded["polysock.core"] = nil, nil
      local again = require("polysock")
      package.loaded["polysock"], package.loaded["polysock.core"] = support.unpack(loaded)
      assert.are_not.equal(polysock, again)
      local second = again.tcp4()
      for _, one in ipairs({ first, second }) do
         assert.is_true(one:getfd() >= 0)
         assert.matches("^tcp{master}", tostring(one))
         assert.equal(first.close, one.close == first.close and one.close or first.close)
         assert.equal(1, again.tcp4().close(one))
      end
      first, second = nil, nil -- luacheck: ignore
      collectgarbage()
   end)
end)

describe("select", function()
   local client, peer

   before_each(function()
      client, peer = support.pair()
   end)

   after_each(function()
      client:close()
      peer:close()
      collectgarbage() -- other tests are about memory
   end)

   it("gives tables that are keyed both ways", function()
      peer:send("x")
      local readable, writable, err = polysock.select({ client }, { client }, 5)
      assert.is_nil(err)
      if not readable[client] then
         readable = polysock.select({ client }, nil, 5)
      end
      assert.same({ client, 1 }, { readable[1], readable[client] })
      assert.same({ client, 1 }, { writable[1], writable[client] })
      assert.is_nil(readable[2])
   end)

   it("takes the table that it gave", function()
      local _, writable = polysock.select(nil, { client }, 5)
      _, writable = polysock.select(nil, writable, 5)
      assert.equal(client, writable[1])
   end)

   it("takes objects of others and ignores what is none", function()
      local things = { 5, "text", true, print, {}, io.stdout, peer,
         coroutine.create(function() end),
         setmetatable({}, { __index = function() return nil end }), client }
      local _, writable = polysock.select(things, things, 0)
      assert.same({ peer, client }, { writable[1], writable[2] })
      assert.equal(2, #writable)
      assert.equal(1, writable[peer])
   end)

   it("counts members from 1 to the first nil, by __index too", function()
      local function ready(set)
         local _, writable, err = polysock.select(nil, set, 0)
         return #writable, err
      end
      local function by_function(_, index)
         return index == 1 and client or index == 2 and peer or nil
      end
      assert.equal(2, ready(setmetatable({}, { __index = { client, peer } })))
      assert.equal(2, ready(setmetatable({ client }, { __index = by_function })))
      assert.equal(1, ready(setmetatable({}, {
         __index = { client },
         __len = function() return 1e9 end,
      })))
      assert.equal(1, ready({ client, nil, peer }))
      assert.equal(1, ready({ client, client, client }))
      assert.same({ 0, "timeout" }, { ready({ nil, client }) })
      assert.same({ 0, "timeout" }, { ready({ [0] = client, [2] = client, x = client }) })
      local many = {}
      for i = 1, 100 do
         many[i] = i % 2 == 0 and client or i
      end
      assert.equal(1, ready(setmetatable({}, { __index = many })))
   end)

   it("takes a set of very many", function()
      local set = {}
      for i = 1, 3000 do
         set[i] = client
      end
      local _, writable = polysock.select({}, set, 5)
      assert.same({ 1, client }, { #writable, writable[1] })
   end)

   it("takes a set of more members than it makes room for at first", function()
      -- A process of its own, since other tests are about memory.
      local rest = support.finish(support.start([[
         local server = assert(polysock.bind("127.0.0.1", 0))
         local host, port = server:getsockname()
         local client = assert(polysock.connect(host, port))
         polysock.select({ server }, nil, 5)
         local set = {}
         for i = 1, 2 ^ 20 do
            set[i] = i -- is ignored
         end
         set[#set + 1] = server
         local readable = polysock.select(set, nil, 0)
         print(#readable, readable[1] == server, client:close())
      ]]))
      assert.equal("1\ttrue\t1\n", rest)
   end)

   it("asks for members by integers", function()
      local kinds = {}
      local set = setmetatable({}, { __index = function(_, index)
         kinds[#kinds + 1] = tostring(index)
         return ({ peer, client })[index]
      end })
      local _, writable = polysock.select(nil, set, 5)
      assert.same({ "1", "2", "3" }, kinds)
      assert.same({ peer, client }, { writable[1], writable[2] })
   end)

   it("keeps what it knows of a set while it reads the next one, however long", function()
      for _ = 1, 5 do
         local members = {}
         for i = 1, 200 do
            members[i] = { getfd = function()
               if i == 100 or i == 200 then
                  collectgarbage()
                  for j = 1, 50 do
                     members[-j] = ("%d"):format(j):rep(40 + j)
                  end
               end
               return peer:getfd()
            end }
         end
         local readable, writable = polysock.select({ client, peer },
            setmetatable({}, { __index = members }), 5)
         assert.equal(0, #readable)
         assert.equal(200, #writable)
      end
   end)

   it("takes no socket for a set", function()
      local source = polysock.source(client)
      for _, socket in ipairs({ client, peer, source }) do
         assert.has_error(function() polysock.select(socket, nil, 0) end,
            "bad argument #1 to 'select' (recvt: set of sockets expected)")
         assert.has_error(function() polysock.select(nil, socket, 0) end,
            "bad argument #2 to 'select' (sendt: set of sockets expected)")
      end
   end)

   it("sees members that are added by their methods", function()
      local set = {}
      set[1] = { getfd = function()
         set[2] = client
         return peer:getfd()
      end }
      local _, writable = polysock.select(nil, set, 0)
      assert.same({ 2, client }, { #writable, writable[2] })
   end)

   it("lets the errors of methods through", function()
      local broken = { getfd = function() error({ "mine" }) end }
      local ok, err = pcall(polysock.select, { broken }, nil, 0)
      assert.is_false(ok)
      assert.equal("mine", err[1])
      broken = { getfd = function() return peer:getfd() end, dirty = error }
      assert.is_false(pcall(polysock.select, { broken }, nil, 0))
   end)

   it("does not ask for buffered bytes before it writes", function()
      local one = { getfd = function() return peer:getfd() end, dirty = error }
      local _, writable = polysock.select(nil, { one }, 5)
      assert.equal(one, writable[1])
   end)

   it("believes no odd descriptor", function()
      for _, fd in ipairs({ -1, 2 ^ 31, 2 ^ 62, 0 / 0, 1 / 0, "x", {}, true }) do
         local odd = { getfd = function() return fd end }
         assert.same({ {}, {}, "timeout" }, { polysock.select({ odd }, { odd }, 0) })
      end
   end)

   it("does not believe a length", function()
      -- A process of its own, as above. Lua doubles an index until it finds nil.
      local rest = support.finish(support.start([[
         local server = assert(polysock.bind("127.0.0.1", 0))
         local client = assert(polysock.connect("127.0.0.1", (select(2, server:getsockname()))))
         local words = {}
         for power = 0, 31 do
            words[#words + 1] = ("[%d] = ..."):format(2 ^ power)
         end
         local text = ("return { %s }"):format(table.concat(words, ", "))
         local sparse = assert((rawget(_G, "loadstring") or load)(text))(client)
         local _, writable = polysock.select(nil, sparse, 5)
         print(#writable, writable[1] == client, server:close())
      ]]))
      assert.equal("1\ttrue\t1\n", rest)
   end)

   it("bears methods that yield no further than to it", function()
      local yielding = { getfd = function() coroutine.yield() end }
      local ok, err = coroutine.resume(coroutine.create(function()
         return polysock.select({ yielding }, nil, 0)
      end))
      assert.is_false(ok)
      assert.matches("attempt to yield across .*C%-call boundary", err)
   end)

   it("bears methods that empty the table", function()
      local members
      members = { { getfd = function()
         for index in pairs(members) do
            members[index] = nil
         end
         collectgarbage()
         return peer:getfd()
      end }, polysock.tcp4(), polysock.tcp4() }
      assert.has_no_error(function()
         polysock.select(members, nil, 0)
      end)
   end)

   it("says what is wrong with its arguments", function()
      assert.has_error(function() polysock.select(5) end,
         "bad argument #1 to 'select' (recvt: set of sockets expected)")
      assert.has_error(function() polysock.select({}, client) end,
         "bad argument #2 to 'select' (sendt: set of sockets expected)")
      assert.has_error(function() polysock.select({}, {}, {}) end,
         "bad argument #3 to 'select' (timeout: number expected)")
   end)
end)

describe("try, newtry and protect", function()
   it("pass values on", function()
      assert.same({ 1, nil, 3, nil }, { polysock.try(1, nil, 3, nil) })
      assert.equal(4, select("#", polysock.try(1, nil, 3, nil)))
      assert.same({ "a", "b" }, { polysock.protect(function(...) return ... end)("a", "b") })
   end)

   it("turn failures back into values", function()
      local calls = 0
      local try = polysock.newtry(function() calls = calls + 1 end)
      local func = polysock.protect(function(ok)
         return try(ok, "words", "more")
      end)
      assert.same({ nil, "words" }, { func(nil) })
      assert.equal(1, calls)
      assert.same({ true, "words", "more" }, { func(true) })
      assert.equal(1, calls)
   end)

   it("let any object be the words", function()
      local object = setmetatable({}, { __tostring = function() return "odd" end })
      local _, err = polysock.protect(function() polysock.try(nil, object) end)()
      assert.equal(object, err)
      assert.same({ nil, nil }, { polysock.protect(function() polysock.try(nil) end)() })
   end)

   it("let other errors through as they are", function()
      local object = { "nothing of ours" }
      for _, problem in ipairs({ object, "text", 5, io.stdout, true }) do
         local ok, err = pcall(polysock.protect(function() error(problem, 0) end))
         assert.is_false(ok)
         assert.equal(problem, err)
      end
      assert.is_false(pcall(polysock.protect(function() error() end)))
   end)

   it("read well when nobody protects", function()
      local ok, err = pcall(polysock.try, nil, "the words")
      assert.is_false(ok)
      assert.equal("the words", tostring(err))
   end)

   it("go through coroutines and their yields", function()
      local func = polysock.protect(function(value)
         local got = coroutine.yield(value)
         return polysock.try(got, "failed after a yield")
      end)
      local thread = coroutine.create(func)
      assert.same({ true, "out" }, { coroutine.resume(thread, "out") })
      assert.same({ true, nil, "failed after a yield" }, { coroutine.resume(thread, nil) })
      thread = coroutine.create(func)
      coroutine.resume(thread, "out")
      assert.same({ true, "in", "failed after a yield" }, { coroutine.resume(thread, "in") })
   end)

   it("nest, and the inner one answers", function()
      local inner = polysock.protect(function() polysock.try(nil, "inner") end)
      local outer = polysock.protect(function()
         local _, err = inner()
         polysock.try(nil, "outer and " .. err)
      end)
      assert.same({ nil, "outer and inner" }, { outer() })
   end)

   it("raise the error of a finaliser", function()
      local try = polysock.newtry(function() error("finaliser", 0) end)
      assert.has_error(function() try(nil, "words") end, "finaliser")
   end)

   it("say what is wrong with their arguments", function()
      assert.has_error(function() polysock.newtry(5) end,
         "bad argument #1 to 'newtry' (finalizer: function expected)")
      assert.has_error(function() polysock.protect(nil) end,
         "bad argument #1 to 'protect' (func: function expected)")
   end)
end)

describe("sources, sinks, choose and skip", function()
   local one, other, server

   before_each(function()
      one, other, server = support.own_pair()
   end)

   after_each(function()
      one:close()
      other:close()
      server:close()
   end)

   it("pump through ltn12", function()
      local text = ("0123456789"):rep(1000)
      assert(ltn12.pump.all(ltn12.source.string(text), polysock.sink("close-when-done", one)))
      local pieces = {}
      assert(ltn12.pump.all(polysock.source("until-closed", other), (ltn12.sink.table(pieces))))
      assert.equal(text, table.concat(pieces))
      assert.equal(-1, one:getfd())
      assert.equal(-1, other:getfd())
   end)

   it("keep open and stop at a length", function()
      local sink = polysock.sink(one)
      assert(ltn12.pump.all(ltn12.source.string("abcdefgh"), sink))
      assert.is_true(one:getfd() >= 0)
      local pieces = {}
      assert(ltn12.pump.all(polysock.source("by-length", other, 5), (ltn12.sink.table(pieces))))
      assert.equal("abcde", table.concat(pieces))
      assert.equal("fgh", other:receive(3))
      assert.is_nil(polysock.source("by-length", other, 0)())
   end)

   it("hand failures on", function()
      other:settimeout(0)
      assert.same({ nil, "timeout" }, { polysock.source(other)() })
      assert.same({ nil, "timeout" }, { polysock.source("by-length", other, 5)() })
      one:close()
      local _, err = ltn12.pump.all(ltn12.source.string("x"), polysock.sink(one))
      assert.equal("closed", err)
   end)

   for _, case in ipairs({ { "until-closed" }, { "by-length", 19 }, { "by-length", 100, "closed" },
      { "by-length", 3 * 19, "closed" } }) do
      it(("lose nothing to timeouts or the end: %s %s"):format(case[1], case[2] or ""), function()
         local source = polysock.source(case[1], other, case[2])
         other:settimeout(0)
         local pieces = { "first,", "second,", "third." }
         local chunks = {}
         for i, piece in ipairs(pieces) do
            one:send(piece)
            if i == #pieces then
               one:shutdown("send")
            end
            other:settimeout(5)
            polysock.select({ other }, nil, 5)
            other:settimeout(0)
            local chunk, err = source()
            chunks[#chunks + 1] = chunk
            assert.equal(not chunk and "timeout" or nil, err)
         end
         while true do
            local chunk, err = source()
            if not chunk and err ~= "timeout" then
               assert.equal(case[3], err)
               break
            end
            chunks[#chunks + 1] = chunk
         end
         assert.equal(table.concat(pieces), table.concat(chunks))
         assert.same({ nil, case[3] }, { source() })
      end)
   end

   it("lose nothing to a pump that a timeout ends", function()
      local source, pieces = polysock.source(other), {}
      local sink = ltn12.sink.table(pieces)
      other:settimeout(0)
      one:send(("x"):rep(1000))
      polysock.select({ other }, nil, 5)
      assert.same({ nil, "timeout" }, { ltn12.pump.all(source, sink) })
      one:send(("y"):rep(1000))
      one:close()
      other:settimeout(5)
      assert.equal(1, (ltn12.pump.all(source, sink)))
      assert.equal(("x"):rep(1000) .. ("y"):rep(1000), table.concat(pieces))
   end)

   it("say what is wrong with their arguments", function()
      local receives = "bad argument #1 to 'source' (socket: object with method 'receive' expected)"
      local sends = "bad argument #1 to 'sink' (socket: object with method 'send' expected)"
      for _, value in ipairs({ 5, true, {}, io.stdout, print }) do
         assert.has_error(function() polysock.source(value) end, receives)
         assert.has_error(function() polysock.source("by-length", value, 5) end, receives)
         assert.has_error(function() polysock.sink(value) end, sends)
         assert.has_error(function() polysock.sink("close-when-done", value) end, sends)
      end
      assert.has_error(function() polysock.source() end, receives)
      assert.has_error(function() polysock.sink() end, sends)
      assert.has_error(function() polysock.source("by-length", other) end,
         "bad argument #2 to 'source' (length: number expected)")
      assert.has_error(function() polysock.choose() end,
         "bad argument #1 to 'choose' (makers: table expected)")
      for _, value in ipairs({ -1, 1.5, "x", {} }) do
         assert.has_error(function() polysock.skip(value) end,
            "bad argument #1 to 'skip' (d: integer from 0 expected)")
      end
      assert.has_error(function() polysock.choose({})(5) end, "unknown key (default)")
   end)

   it("take what has the methods of a socket", function()
      local wrapped = setmetatable({}, { __index = { receive = function() return "chunk" end } })
      assert.equal("chunk", polysock.source(wrapped)())
   end)

   it("can be selected", function()
      local source, sink = polysock.source(other), polysock.sink(one)
      local _, writable = polysock.select(nil, { sink }, 5)
      assert.equal(sink, writable[1])
      one:send("x")
      assert.equal(source, polysock.select({ source }, nil, 5)[1])
      assert.equal(other:getfd(), source:getfd())
      assert.is_false(source:dirty())
   end)

   it("choose by name, with a default", function()
      local chosen = polysock.choose({
         default = function(...) return "default", ... end,
         named = function(...) return "named", ... end,
      })
      assert.same({ "named", 1, 2 }, { chosen("named", 1, 2) })
      assert.same({ "default", 1, 2 }, { chosen(1, 2) })
      assert.has_error(function() chosen("unknown") end)
      assert.has_error(function() polysock.source("unknown", other) end)
   end)

   it("skip", function()
      assert.same({ "c" }, { polysock.skip(2, "a", "b", "c") })
      assert.equal(0, select("#", polysock.skip(3, "a", "b", "c")))
      assert.same({ "a" }, { polysock.skip(0, "a") })
   end)
end)

-- Another library plays a system that has no name: see tests/python/test_names.py.
local compiler = os.execute("command -v cc >/dev/null")
compiler = compiler == true or compiler == 0 -- in Lua 5.1 it is a number
local linux = compiler and io.open("/proc/self/statm") and it or function() end
linux("a host without a name has a failure for it", function()
   local library = os.tmpname()
   local source = folder .. "../python/odd_names.c"
   assert(os.execute(("cc -shared -fPIC -o %s %s -ldl"):format(library, source)))
   local rest = support.finish(support.start([[
      print(select("#", polysock.dns.gethostname()), (polysock.dns.gethostname()))
   ]], ("export NAMELESS=1 LD_PRELOAD=%s;"):format(library)))
   os.remove(library)
   assert.equal("2\tnil\n", rest)
end)

describe("many operations", function()
   it("leave no memory and no descriptors behind", function()
      local client, peer = support.pair()
      local server = polysock.bind("127.0.0.1", 0)
      local host, port = server:getsockname()
      server:settimeout(5)
      client:settimeout(5)
      client:setoption("tcp-nodelay", true)
      local function all()
         peer:send("line\r\nuntil--" .. ("x"):rep(5000))
         client:receive("*l", "prefix")
         client:receiveuntil("--")
         client:receive(5000)
         client:send("abc", 2)
         peer:receive(2)
         client:settimeout(0)
         client:receive("*l", "partial")
         client:settimeout(5)
         peer:send("a\nb\n")
         local lines = client:lines()
         lines()
         lines()
         local _ = { tostring(client), client:getsockname(), client:getstats() }
         client:getoption("linger")
         polysock.select({ client, server, 5 }, { client }, 0)
         pcall(client.receive, client, "*x")
         pcall(client.setoption, client, "linger", {})
         polysock.dns.toip("127.0.0.1")
         polysock.dns.getaddrinfo("127.0.0.1")
         polysock.connect("127.0.0.1", 1)
         polysock.protect(polysock.try)(nil, "words")
         local made = polysock.connect(host, port)
         server:accept():close()
         made:close()
         polysock.tcp4() -- for the collector
      end
      local function settle(rounds)
         for _ = 1, rounds do
            all()
         end
         collectgarbage()
         collectgarbage()
      end
      local jit = rawget(_G, "jit")
      if jit then
         jit.off() -- its traces are memory, too
      end
      settle(100)
      local before, open = collectgarbage("count"), support.descriptors()
      local resident = support.resident()
      settle(1000)
      assert.is_true(collectgarbage("count") - before < 40)
      assert.equal(open, support.descriptors())
      assert.is_true(support.resident() - resident < 2 * 1024 * 1024)
      if jit then
         jit.on()
      end
      client:close()
      peer:close()
      server:close()
   end)

   it("gives back what the core found for a name", function()
      local function resolve(count)
         for _ = 1, count do
            assert(polysock.dns.getaddrinfo("127.0.0.1"))
            assert(polysock.dns.toip("127.0.0.1"))
         end
         collectgarbage()
      end
      local jit = rawget(_G, "jit")
      if jit then
         jit.off() -- its traces are memory, too
      end
      resolve(1000)
      local before = support.resident()
      resolve(20000)
      local grown = support.resident() - before
      if jit then
         jit.on()
      end
      assert.is_true(grown < 2 * 1024 * 1024, grown)
   end)
end)
