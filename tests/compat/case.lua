-- SPDX-License-Identifier: MIT
-- What the programs of this folder have in common: a case is a function that says what it sees,
-- one labelled line each, for the runner to compare between the two libraries. It must never
-- decide whether polysock or LuaSocket is right. It hides ports and addresses, which no two runs
-- share, and two differences that would be everywhere: 1 and 1.0 look alike, and so do a missing
-- value and nil at the end. programs/deviations.lua measures these two.

local socket = require("socket")

local case = {}

-- What the programs use and older versions of Lua lack.
local function lacks(library, name, value)
   if library[name] == nil then
      rawset(library, name, value)
   end
end
lacks(table, "unpack", rawget(_G, "unpack"))
lacks(table, "pack", function(...)
   return { n = select("#", ...), ... }
end)
lacks(math, "tointeger", function(value)
   value = tonumber(value)
   return value and value % 1 == 0 and value or nil
end)

-- Port numbers come from the runner; lines name them instead.
local ports = {}
function case.port(name)
   local port = assert(os.getenv(name), name .. " is not set: start this by run.py")
   ports[port] = "$" .. name
   return math.tointeger(port)
end

--- Hides another number that differs from run to run.
function case.hide(number, name)
   ports[tostring(math.tointeger(number))] = "$" .. name
end

local function line(...)
   io.stdout:write(table.concat({ ... }, "\t"), "\n")
   io.stdout:flush()
end

local function text(value)
   if type(value) ~= "string" then
      value = tostring(math.tointeger(value) or value)
   else
      value = ("%q"):format(value):gsub("\\\n", "\\n"):gsub("\r", "\\r"):gsub("\t", "\\t")
   end
   value = value:gsub("%f[%d]%d+%f[^%d]", ports)
   return (value:gsub("0x%x+", "0x"))
end

--- Tells the runner which version of a program was at work.
function case.version(name, version)
   line("VERSION", name, (tostring(version):gsub("\n.*", "")))
end

--- Runs one case: body(say) with say(label, value...).
function case.run(name, body)
   local function say(label, ...)
      local values = table.pack(...)
      while values.n > 1 and values[values.n] == nil do
         values.n = values.n - 1
      end
      values.n = math.max(values.n, 1)
      for i = 1, values.n do
         values[i] = text(values[i])
      end
      line(name, label, table.concat(values, ", "))
   end
   local ok, problem = xpcall(function()
      body(say)
   end, function(problem)
      return type(problem) == "string" and debug.traceback(problem) or problem
   end)
   if ok then
      line(name, "DONE")
   elseif type(problem) == "table" and problem.skip then
      line(name, "SKIPPED", problem.skip)
   else
      line(name, "RAISED", text(problem))
   end
end

--- Ends a case that cannot run here.
function case.skip(reason)
   error({ skip = reason }, 0)
end

--- Bytes that repeat late, so that a piece in the wrong place is seen.
function case.bytes(size)
   local block = {}
   for i = 1, 1024 do
      block[i] = string.char((i * 7 + math.floor(i / 256) * 13) % 256)
   end
   block = table.concat(block)
   local pieces = {}
   for i = 1, size / 1024 + 1 do
      pieces[i] = ("%08d"):format(i) .. block:sub(9)
   end
   return table.concat(pieces):sub(1, size)
end

--- Two clients that are connected to each other, and the server that made them.
function case.pair()
   local server = assert(socket.bind("127.0.0.1", 0))
   local _, port = server:getsockname()
   case.hide(port, "SERVER_PORT")
   local near = assert(socket.connect("127.0.0.1", port))
   local far = assert(server:accept())
   return near, far, server
end

--- A port that refuses: it is bound, so that nobody else gets it, and does not listen.
function case.refusing()
   local holder = assert(socket.tcp4())
   assert(holder:bind("127.0.0.1", 0))
   local _, port = holder:getsockname()
   case.hide(port, "REFUSING_PORT")
   case.holder = holder
   return math.tointeger(port)
end

--- The Lua that runs this program.
case.lua = arg[0]
for i = -1, -10, -1 do
   case.lua = arg[i] or case.lua
end

--- The words of an error, without the place where it was raised.
function case.words(problem)
   return (tostring(problem):gsub("^[^ ]*%.lua:%d+: ", ""))
end

--- Runs a shell command in the background. Returns a function that returns its output.
function case.command(words)
   return assert(io.popen(words .. " 2>&1", "r"))
end

case.version("socket", socket._VERSION)

return setmetatable(case, {
   __call = function(_, name, body)
      return case.run(name, body)
   end,
})
