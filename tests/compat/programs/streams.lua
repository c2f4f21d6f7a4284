-- SPDX-License-Identifier: MIT
-- LTN12's sources and sinks over the objects themselves, and the functions of `socket` that
-- LuaSocket writes in Lua.

local case = require("case")
local socket = require("socket")
local ltn12 = require("ltn12")
local mime = require("mime")
require("socket.http") -- adds a source to socket.sourcet

case.version("ltn12", ltn12._VERSION)

-- Sends data by a sink at one end, in turns with a source at the other: one thread, no threads.
local function carry(source, sink, step)
   local chunk, err = source()
   while chunk do
      local ok, problem = sink(chunk)
      if not ok then
         return nil, problem
      end
      step()
      chunk, err = source()
   end
   sink(nil)
   step()
   return 1, err
end

case("streams.until closed", function(say)
   local near, far, server = case.pair()
   near:settimeout(10)
   far:settimeout(0)
   local data = case.bytes(1000000)
   local got = {}
   local drain = (ltn12.sink.table(got))
   local function step()
      local _, err, partial = far:receive(#data + 1)
      if partial and partial ~= "" then
         drain(partial)
      end
      return err
   end
   say("carry", carry(ltn12.source.string(data), socket.sink("close-when-done", near), step))
   far:settimeout(10)
   local source = socket.source("until-closed", far)
   say("pump", ltn12.pump.all(source, drain))
   say("data", table.concat(got) == data)
   say("source after the end", source())
   say("closed", near:getfd(), far:getfd())
   server:close()
end)

case("streams.by length", function(say)
   local near, far = case.pair()
   near:send("0123456789rest")
   local got = {}
   say("pump", ltn12.pump.all(socket.source("by-length", far, 10), (ltn12.sink.table(got))))
   say("data", table.concat(got))
   near:close()
   say("rest", far:receive("*a"))
end)

case("streams.cut off", function(say)
   local near, far = case.pair()
   near:send("only this")
   near:close()
   local got = {}
   say("pump", ltn12.pump.all(socket.source("by-length", far, 100), (ltn12.sink.table(got))))
   say("data", table.concat(got))
end)

case("streams.block size", function(say)
   local near, far = case.pair()
   near:send(("x"):rep(100))
   local before = socket.BLOCKSIZE
   socket.BLOCKSIZE = 30
   local source, sizes = socket.source("by-length", far, 100), {}
   for chunk in source do
      sizes[#sizes + 1] = #chunk
   end
   socket.BLOCKSIZE = before
   say("sizes", before, table.concat(sizes, " "))
end)

case("streams.filters", function(say)
   local near, far = case.pair()
   local data = case.bytes(50000)
   local filter = ltn12.filter.chain(mime.encode("base64"), mime.wrap("base64"))
   local source = ltn12.source.chain(ltn12.source.string(data), filter)
   say("send", ltn12.pump.all(source, socket.sink("close-when-done", near)))
   local got = {}
   local sink = ltn12.sink.chain(mime.decode("base64"), (ltn12.sink.table(got)))
   say("receive", ltn12.pump.all(socket.source(far), sink))
   say("data", table.concat(got) == data)
end)

case("streams.keep open", function(say)
   local near, far = case.pair()
   local sink = socket.sink("keep-open", near)
   say("send", sink("one\n"), sink("two\n"), sink(nil))
   say("default", socket.sink(near)("three\n"))
   say("lines", far:receive(), far:receive(), far:receive())
end)

case("streams.http chunked", function(say)
   local near, far = case.pair()
   local sink = socket.sink("http-chunked", near)
   say("send", sink("hello "), sink("world"), sink(nil))
   local headers, got = {}, {}
   local source = socket.source("http-chunked", far, headers)
   say("pump", ltn12.pump.all(source, (ltn12.sink.table(got))), table.concat(got))
end)

case("streams.select", function(say)
   -- A source and a sink stand for their socket in select.
   local near, far = case.pair()
   near:send("x")
   local source, sink = socket.source(far), socket.sink(near)
   local readable, writable, err = socket.select({ source }, { sink }, 5)
   say("answer", readable[1] == source, readable[source], writable[1] == sink, err)
end)

case("streams.choose", function(say)
   local ok, err = pcall(socket.source, "no-such-source", {})
   say("unknown", ok, case.words(err))
   say("skip", socket.skip(2, "a", "b", "c", "d"))
end)

case("streams.try", function(say)
   local log = {}
   local try = socket.newtry(function()
      log[#log + 1] = "finalized"
   end)
   local f = socket.protect(function(...)
      return "through", try(...)
   end)
   say("success", f(1, 2, 3))
   say("failure", f(nil, "no", "more"))
   say("false", f(false, "no"))
   say("finalizer", #log)
   say("plain try", socket.protect(socket.try)(nil, "reason"))
   say("value", socket.protect(function()
      socket.try(nil, 42)
   end)())
   say("error", pcall(socket.protect(function()
      error("other", 0)
   end)))
   local other = {}
   local ok, problem = pcall(socket.protect(function()
      error(other)
   end))
   say("table", ok, rawequal(problem, other))
   say("nested", socket.protect(function()
      local result, err = socket.protect(function()
         socket.try(nil, "inner")
      end)()
      socket.try(nil, "outer after " .. err .. tostring(result))
   end)())
   say("finalizer that raises", pcall(socket.protect(function()
      socket.newtry(function()
         error("in the finalizer", 0)
      end)(nil, "reason")
   end)))
   say("not a function", pcall(socket.protect, 1))
   local _, raised = pcall(socket.try, nil, "reason")
   say("try outside", type(raised), raised[1], getmetatable(raised))
end)

case("streams.try in coroutines", function(say)
   if _VERSION == "Lua 5.1" then
      case.skip("LuaSocket cannot yield across protect there")
   end
   local co = coroutine.wrap(socket.protect(function()
      socket.try(nil, coroutine.yield("yielded"))
   end))
   say("coroutine", co())
   say("resumed", co("resumed"))
end)
