-- SPDX-License-Identifier: MIT
-- lua-redis against redis-server: single commands, pipelines, transactions, large values,
-- subscriptions, and a server that is killed in the middle of a call.

local case = require("case")
local socket = require("socket")
local redis = require("redis")

-- lua-redis was written for Lua 5.1, whose table.insert takes any position.
local insert = table.insert
function table.insert(list, ...) -- luacheck: ignore
   local position, value = ...
   if select("#", ...) == 2 and position > #list then
      list[position] = value
   else
      insert(list, ...)
   end
end

local port = case.port("REDIS_PORT")
case.version("lua-redis", redis._VERSION)

local function connect()
   return redis.connect({ host = "127.0.0.1", port = port, timeout = 10 })
end

local function sorted(list)
   table.sort(list)
   return table.concat(list, " ")
end

local client = connect()

case("redis.commands", function(say)
   say("ping", client:ping())
   say("set", client:set("key", "value"), client:get("key"), client:get("absent"))
   say("number", client:set("count", 41), client:incr("count"), client:get("count"))
   say("list", client:rpush("list", 1, 2, 3), table.concat(client:lrange("list", 0, -1), " "))
   say("hash", client:hmset("hash", { a = 1, b = 2 }), client:hget("hash", "b"))
   say("set", client:sadd("set", "x", "y"), sorted(client:smembers("set")))
   say("binary", client:set("binary", "\0\r\n\255"), client:get("binary"))
   say("empty", client:set("empty", ""), client:get("empty"))
   local ok, err = pcall(client.incr, client, "key")
   say("error", ok, case.words(err))
end)

case("redis.large values", function(say)
   for _, size in ipairs({ 1, 8191, 8192, 8193, 1000000, 30000000 }) do
      local data = case.bytes(size)
      say("size " .. size, client:set("large", data), client:get("large") == data)
   end
   client:del("large")
end)

case("redis.pipeline", function(say)
   local replies, count = client:pipeline(function(p)
      for i = 1, 5000 do
         p:set("p:" .. i, ("v"):rep(i % 100))
      end
      for i = 1, 5000 do
         p:get("p:" .. i)
      end
   end)
   local right = 0
   for i = 1, 5000 do
      if replies[i] == true and replies[5000 + i] == ("v"):rep(i % 100) then
         right = right + 1
      end
   end
   say("answer", count, #replies, right)
end)

case("redis.transaction", function(say)
   local replies, count = client:transaction(function(t)
      t:set("in", 1)
      t:incrby("in", 41)
      t:get("in")
   end)
   say("answer", count, table.unpack(replies))
   local other = connect()
   local tries = 0
   local ok = client:transaction({ watch = "in", cas = true, retry = 2 }, function(t)
      tries = tries + 1
      local value = tonumber(t:get("in"))
      if tries == 1 then
         other:set("in", 100) -- in between: the first try fails
      end
      t:multi()
      t:set("in", value + 1)
   end)
   say("watched", tries, ok ~= nil, client:get("in"))
   say("quit", other:quit())
end)

case("redis.subscription", function(say)
   local publisher = connect()
   local heard = {}
   local subscriber = connect()
   for message, abort in subscriber:pubsub({ subscribe = { "news" } }) do
      if message.kind == "subscribe" then
         publisher:publish("news", "first")
         publisher:publish("news", "second")
      else
         heard[#heard + 1] = message.payload
         if #heard == 2 then
            abort()
         end
      end
   end
   say("heard", table.unpack(heard))
end)

case("redis.timeout", function(say)
   local waiting = redis.connect({ host = "127.0.0.1", port = port, timeout = 0.2 })
   local start = socket.gettime()
   local ok, err = pcall(waiting.blpop, waiting, "no such list", 0)
   say("answer", ok, case.words(err))
   say("late enough", socket.gettime() - start >= 0.19)
   waiting.network.socket:close()
end)

case("redis.refused", function(say)
   local ok, err = pcall(redis.connect, "127.0.0.1", case.refusing())
   say("answer", ok, case.words(err))
end)

case("redis.killed", function(say)
   local other = connect()
   local killer -- kept: a pipe that is collected waits for its command
   local ok, err = pcall(client.pipeline, client, function(p)
      p:set("last", case.bytes(1000000))
      p:get("last")
      p:blpop("no such list", 0) -- and here it waits
      p:ping()
      -- The shell kills it when redis says that a client is blocked.
      killer = case.command(
         (
            "until redis-cli -p %d exists last | grep -q 1 && "
            .. "redis-cli -p %d info clients | grep -q blocked_clients:1; do :; done; kill -9 %s; "
            .. "while redis-cli -p %d ping 2>&1 | grep -q PONG; do :; done"
         ):format(port, port, os.getenv("REDIS_PID"), port)
      )
   end)
   say("waiting", ok, case.words(err))
   killer:close()
   local ok2, err2 = pcall(other.ping, other)
   say("next", ok2, case.words(err2))
   local ok3, err3 = pcall(other.ping, other)
   say("and again", ok3, case.words(err3))
   local ok4, err4 = pcall(connect)
   say("connect", ok4, case.words(err4))
end)
