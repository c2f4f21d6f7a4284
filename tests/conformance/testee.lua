-- SPDX-License-Identifier: MIT
-- The testee for Lua: reads a call per line, makes it, prints what came back. It serves
-- any module with this interface: `lua testee.lua polysock` or `lua testee.lua socket`.
-- It must never improve, hide or judge an answer: that is the driver's work.

local module = assert(arg[1], "usage: testee.lua MODULE")
local socket = require(module)
local slots = {}

-- What Lua 5.1 and LuaJIT call otherwise, or lack.

local compile = loadstring or load -- luacheck: ignore 113
local unpack = table.unpack or unpack -- luacheck: ignore 113
local pack = table.pack or function(...) return { n = select("#", ...), ... } end

-- Before 5.3 all numbers are floats: one without a fraction stands for an integer.
local kind_of = math.type or function(value)
  if type(value) ~= "number" then return nil end
  return value % 1 == 0 and "integer" or "float"
end

-- Values: a letter for the type, then the value; text has its odd bytes as %XX.

local written, read = {}, {}
for byte = 0, 255 do
  local char, code = string.char(byte), ("%%%02X"):format(byte)
  written[char], read[code] = code, char
end

local function encode(value, into)
  local kind = kind_of(value) or type(value)
  if kind == "nil" then return "n" end
  if kind == "boolean" then return value and "t" or "f" end
  if kind == "integer" then return (math.type and "i%d" or "i%.0f"):format(value) end
  if kind == "float" then return ("d%.17g"):format(value) end
  if kind == "string" then return "a" .. value:gsub("[^!-$&-~]", written) end
  for name, object in pairs(slots) do
    if rawequal(object, value) then return "o" .. name end
  end
  if kind == "table" and (#value > 0 or next(value) == nil) then
    local out = { "[" }
    for index, item in ipairs(value) do out[index + 1] = encode(item) end
    return table.concat(out, " ") .. " ]"
  end
  if kind == "table" then
    local out = { "{" }
    for name, item in pairs(value) do
      out[#out + 1] = "a" .. name .. " " .. encode(item)
    end
    return table.concat(out, " ") .. " }"
  end
  if into ~= "-" then slots[into] = value end
  return "o" .. into
end

local decode -- reads one value with `word`, the function that gives the next word

local readers = {
  n = function() return nil end,
  t = function() return true end,
  f = function() return false end,
  -- Beyond 64 bits it is a float, as for everybody who writes it in Lua.
  i = function(body) return (tonumber(body)) end,
  d = function(body) return (tonumber(body) or 0 / 0) + 0.0 end,
  s = function(body) return (body:gsub("%%%x%x", read)) end,
  o = function(body) return slots[body] end,
  ["["] = function(_, word)
    local list = {}
    for item in word do
      if item == "]" then return list end
      list[#list + 1] = decode(item, word)
    end
  end,
  ["{"] = function(_, word)
    local fields = {}
    for name in word do
      if name == "}" then return fields end
      fields[decode(name)] = decode(word(), word)
    end
  end,
}
readers.b = readers.s

function decode(item, word)
  return readers[item:sub(1, 1)](item:sub(2), word)
end

-- Calls. Source text per method, so that Lua's messages name it as they do for a user.

local callers = setmetatable({}, { __index = function(cache, access)
  local body = ("local object = ... return object%s(select(2, ...))"):format(access)
  cache[access] = assert(compile(body, "=call"))
  return cache[access]
end })

local own = { -- what the scenarios ask of the testee itself
  tostring = function(slot) return tostring(slots[slot]) end,
  next = function(slot) return slots[slot]() end,
  field = function(slot, name) return slots[slot][name] end,
  foreign = function(slot, fd, dirty)
    slots[slot] = {
      getfd = function() return fd end,
      dirty = dirty ~= nil and function() return dirty end or nil,
    }
  end,
  keep = function(slot, value) slots[slot] = value end,
  drop = function(slot) slots[slot] = nil; collectgarbage() end,
  reset = function()
    for _, object in pairs(slots) do
      if type(object) == "userdata" then pcall(object.close, object) end
    end
    slots = {}
    collectgarbage()
  end,
}

-- A poller gives an iterator, which is used up by the next wait.
local function pairs_of(ready, ...)
  if not ready then return ready, ... end
  local list = {}
  for token, events in ready do list[#list + 1] = { token, events } end
  return list
end

local function call(slot, method, ...)
  if method == "wait" then return pairs_of(callers[":wait"](slots[slot], ...)) end
  if own[method] then return own[method](slot, ...) end
  local library = slot == "mod" and socket or slot == "dns" and socket.dns
  if not library then return callers[":" .. method](slots[slot], ...) end
  if type(library[method]) ~= "function" then return library[method] end
  return callers["." .. method](library, ...)
end

local function answer(tag, into, done, ...)
  if done then
    local out = pack(...)
    for index = 1, out.n do out[index] = encode(out[index], into) end
    print(table.concat({ tag, "ok", unpack(out) }, " "))
  else
    print(tag, "error", "error", encode(tostring((...))))
  end
end

local function serve(line)
  local word = line:gmatch("%S+")
  local tag, into, slot, method = word(), word(), word(), word()
  local args, count = {}, 0
  for item in word do
    count = count + 1
    args[count] = decode(item, word)
  end
  if tag ~= "0" then print(tag, "tid", 0) end -- no threads here: it runs in the only one
  answer(tag, into, pcall(call, slot, method, unpack(args, 1, count)))
end

-- What the driver has to know: LuaSocket may give integers as floats or as numerals, cuts
-- times to milliseconds, and leaves descriptors open.
local lacks = "kind,strings-apart"
local words = { "suite=1.0" }
if socket._VERSION:find("LuaSocket", 1, true) then
  words = { "suite=1.0", "loose", "coarse", "leaks" }
  lacks = lacks .. ",any,call-timeout,deadline,detach,fromfd,lines,maxsize,monotime,name-limits,"
    .. "pending,poller,rawline,until,wants,option:bindtodevice,option:tcp-user-timeout"
end
words[#words + 1] = "lacks=" .. lacks

io.stdout:setvbuf("line")
print("polysock-testee", 1, (socket._VERSION:gsub(" ", "-")), table.concat(words, " "))
for line in io.lines() do serve(line) end
