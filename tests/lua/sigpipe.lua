-- SPDX-License-Identifier: MIT
-- polysock.luasocket makes the process ignore SIGPIPE, as LuaSocket does, and polysock does not.
-- run.c runs this: a process that LuaSocket has started may ignore it from the start.

-- luacheck: globals polysock
local function ignores()
   for line in io.lines("/proc/self/status") do
      local mask = line:match("^SigIgn:%s*(%x+)")
      if mask then
         return tonumber(mask:sub(-4), 16) % 0x2000 >= 0x1000
      end
   end
end

if ignores() ~= false then
   return -- what started this does so already
end
polysock.tcp4():close()
assert(ignores() == false)
require("polysock.core").luasocket.open({})
assert(ignores() == true)
