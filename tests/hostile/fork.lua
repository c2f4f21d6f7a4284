-- SPDX-License-Identifier: MIT
-- A program that forks: fork.lua CASE. Lua has one thread, and the library's helper
-- threads resolve names beside it; late.test takes 0.3 s to resolve.

local polysock = require "polysock"
local processes = require "processes"

-- Runs a function in a child, which ends like any program or at once, and gives its status.
local function in_child(work, at_once)
  io.stdout:flush()
  local process = processes.fork()
  if process == 0 then
    local good, failure = pcall(work)
    if not good then print(failure) end
    if at_once then processes.leave(good and 0 or 1) end
    os.exit(good and 0 or 1, true) -- with all finalisers
  end
  return process
end

local server = assert(polysock.bind("127.0.0.1", 0))
local host, port = server:getsockname()
server:settimeout(20)
local cases = {}

-- A look-up is under way, with its helper thread: both processes get an answer of their own.
function cases.name()
  local one = polysock.tcp()
  one:settimeout(0)
  assert(select(2, one:connect("late.test", port)) == "timeout")
  local function connect_and_say(word)
    one:settimeout(20)
    assert(one:connect("late.test", port))
    assert(one:send(word .. "\n"))
  end
  for _, at_once in ipairs { true, false } do
    local child = in_child(function() connect_and_say("child") end, at_once)
    assert(processes.wait(child) == 0)
    assert(assert(server:accept()):receive() == "child")
  end
  connect_and_say("parent")
  assert(assert(server:accept()):receive() == "parent")
end

-- The bytes in the read buffer are there in both processes; the connection goes on.
function cases.buffered()
  local client, other = assert(polysock.connect(host, port)), server:accept()
  other:send("one\ntwo\nthree")
  assert(client:receive() == "one")
  local child = in_child(function()
    assert(client:receive() == "two")
    assert(client:send("from the child\n"))
    client:close()
    other:close()
    server:close()
  end)
  assert(processes.wait(child) == 0)
  assert(client:receive() == "two" and other:receive() == "from the child")
  other:send(" and more\n")
  assert(client:receive() == "three and more")
  assert(client:send("from the parent\n") and other:receive() == "from the parent")
end

-- A child has a queue of its own; what it adds and removes is not done to the parent's.
function cases.poller()
  local poller = assert(polysock.poller())
  local client, other = assert(polysock.connect(host, port)), server:accept()
  assert(poller:add(client, "r") and poller:add(server, "r"))
  local child = in_child(function()
    assert(poller:remove(client))
    assert(select(2, poller:wait(0)) == "timeout")
    server:close()
    poller:close()
  end)
  assert(processes.wait(child) == 0)
  other:send("x")
  local found = {}
  for token in assert(poller:wait(20)) do found[#found + 1] = token end
  assert(#found == 1 and found[1] == client and poller:count() == 2)
end

-- Children that are collected, closed or left take nothing along; a server of processes.
function cases.listener()
  local children = {}
  for number = 1, 3 do
    children[number] = in_child(function()
      for _ = 1, 10 do
        local one <close> = assert(server:accept())
        assert(one:send(assert(one:receive()) .. "\n"))
      end
      server = nil
      collectgarbage()
    end, number == 1)
  end
  for number = 1, 30 do
    local one <close> = assert(polysock.connect(host, port))
    one:settimeout(20)
    assert(one:send(number .. "\n") and one:receive() == tostring(number))
  end
  for _, child in ipairs(children) do assert(processes.wait(child) == 0) end
  server:settimeout(0)
  assert(select(2, server:accept()) == "timeout")
end

cases[arg[1]]()
print "good"
