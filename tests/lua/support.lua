-- SPDX-License-Identifier: MIT
-- What the specs of the Lua module share: connected pairs, programs in processes of their own,
-- signals to them, and what the system says about this process. Peers are LuaSocket's wherever
-- polysock is not to judge itself.

local polysock = require("polysock")
local luasocket = require("socket")

local support = {}

support.unpack = table.unpack or rawget(_G, "unpack")

-- What a program of its own needs, too: finaliser(call) gives an object that calls when it is
-- collected. Lua 5.1 has finalisers for userdata alone.
local finaliser = [[
local function finaliser(call, object)
   local metatable = { __gc = function() call(object) end }
   if _VERSION ~= "Lua 5.1" then
      return setmetatable({}, metatable)
   end
   local proxy = newproxy(true)
   getmetatable(proxy).__gc = metatable.__gc
   return proxy
end
]]
support.finaliser = assert((rawget(_G, "loadstring") or load)(finaliser .. "return finaliser"))()

--- The interpreter that runs this.
support.lua = "lua"
for i = -1, -10, -1 do
   support.lua = arg[i] or support.lua
end

--- Makes the collector run often. Returns a function that ends that.
function support.collect_often()
   local pause = collectgarbage("setpause", 100)
   local multiplier = collectgarbage("setstepmul", 400)
   return function()
      collectgarbage("setpause", pause)
      collectgarbage("setstepmul", multiplier)
   end
end

--- Stops the collector, with all garbage collected. Returns a function that starts it, so that it
--- collects everything when something is allocated next, and a function that ends this.
function support.pause_collector()
   local pause = collectgarbage("setpause", 1)
   local multiplier = collectgarbage("setstepmul", 1000)
   local mode = _VERSION == "Lua 5.4" and collectgarbage("incremental", 0, 0, 30) -- 2 ^ 30 a step
   local function start()
      collectgarbage("restart")
   end
   local function restore()
      collectgarbage("setpause", pause)
      collectgarbage("setstepmul", multiplier)
      if mode then
         collectgarbage("incremental", 0, 0, 13)
         collectgarbage(mode) -- busted has chosen another one
      end
   end
   collectgarbage("stop")
   collectgarbage()
   return start, restore
end

--- Returns a polysock client and its peer, which is an object of LuaSocket.
function support.pair()
   local listener = assert(luasocket.bind("127.0.0.1", 0))
   local host, port = listener:getsockname()
   local client = assert(polysock.connect(host, port))
   local peer = assert(listener:accept())
   listener:close()
   peer:settimeout(5)
   peer:setoption("tcp-nodelay", true)
   return client, peer
end

--- Returns two connected polysock objects, and their server.
function support.own_pair()
   local server = assert(polysock.bind("127.0.0.1", 0))
   local host, port = server:getsockname()
   local client = assert(polysock.connect(host, port))
   return client, assert(server:accept()), server
end

--- Runs a program under the stock interpreter. Its output is a file; its number comes first.
function support.start(program, environment)
   local name = os.tmpname()
   local file = assert(io.open(name, "w"))
   file:write('io.stdout:setvbuf("line")\nlocal polysock = require("polysock")\n')
   file:write(finaliser, program)
   file:close()
   -- The shell gives its number to the program; its status is in a file, for Lua 5.1.
   local command = ("sh -c 'echo $$; %s exec %s %s 2>&1'; echo $? >%s.status"):format(
      environment or "", support.lua, name, name)
   local output = assert(io.popen(command))
   return { output = output, pid = output:read("*l"), name = name }
end

--- Returns the next line of a program.
function support.hear(child)
   return child.output:read("*l")
end

--- Waits for a program to end. Returns the rest of its output, whether it succeeded, its status.
function support.finish(child)
   local rest = child.output:read("*a")
   child.output:close()
   local file = assert(io.open(child.name .. ".status"))
   local status = file:read("*n")
   file:close()
   os.remove(child.name .. ".status")
   os.remove(child.name)
   return rest, status == 0, status
end

--- Waits until a program sleeps in the system.
function support.until_asleep(child)
   local seen = 0
   while seen < 3 do
      local file = io.open("/proc/" .. child.pid .. "/stat")
      if not file then
         return
      end
      local state = file:read("*a"):match("^.*%) (%a)")
      file:close()
      seen = state == "S" and seen + 1 or 0
   end
end

--- Sends a signal to a program that sleeps. Returns the time, on the clock of all processes.
function support.signal(child, signal)
   support.until_asleep(child)
   local now = polysock.monotime()
   assert(os.execute(("kill -%s %s"):format(signal, child.pid)))
   return now
end

--- Returns how many descriptors this process has open.
function support.descriptors()
   local count = 0
   for _ in require("lfs").dir("/proc/self/fd") do
      count = count + 1
   end
   return count
end

--- Returns how many bytes of memory this process occupies.
function support.resident()
   local file = assert(io.open("/proc/self/statm"))
   local pages = file:read("*n") and file:seek("set") and file:read("*a"):match("^%d+ (%d+)")
   file:close()
   return tonumber(pages) * 4096
end

return support
