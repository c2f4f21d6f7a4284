-- SPDX-License-Identifier: MIT
-- What the specs of the Lua module share: connected pairs, programs in processes of their own,
-- signals to them, and what the system says about this process. Peers are LuaSocket's wherever
-- polysock is not to judge itself.

local polysock = require("polysock")
local luasocket = require("socket")

local support = {}

--- Gives a polysock client and its peer, which is an object of LuaSocket.
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

--- Gives two connected polysock objects, and their server.
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
   file:write('io.stdout:setvbuf("line")\nlocal polysock = require("polysock")\n', program)
   file:close()
   local command = ("%s exec %s %s 2>&1"):format(environment or "", "lua5.4", name)
   local output = assert(io.popen("echo $$; " .. command))
   return { output = output, pid = output:read("l"), name = name }
end

--- Gives the next line of a program.
function support.hear(child)
   return child.output:read("l")
end

--- Waits for a program to end. Gives the rest of its output, and whether it ended well.
function support.finish(child)
   local rest = child.output:read("a")
   local ok, _, code = child.output:close()
   os.remove(child.name)
   return rest, ok, code
end

--- Waits until a program sleeps in the system.
function support.until_asleep(child)
   local seen = 0
   while seen < 3 do
      local file = io.open("/proc/" .. child.pid .. "/stat")
      if not file then
         return
      end
      local state = file:read("a"):match("^.*%) (%a)")
      file:close()
      seen = state == "S" and seen + 1 or 0
   end
end

--- Sends a signal to a program that sleeps. Gives when that was, on the clock of all processes.
function support.signal(child, signal)
   support.until_asleep(child)
   local now = polysock.monotime()
   assert(os.execute(("kill -%s %s"):format(signal, child.pid)))
   return now
end

--- Gives how many descriptors this process has open.
function support.descriptors()
   local count = 0
   for _ in require("lfs").dir("/proc/self/fd") do
      count = count + 1
   end
   return count
end

--- Gives how many bytes of memory this process occupies.
function support.resident()
   local file = assert(io.open("/proc/self/statm"))
   local pages = file:read("n", "n") and file:seek("set") and file:read("a"):match("^%d+ (%d+)")
   file:close()
   return tonumber(pages) * 4096
end

return support
