-- SPDX-License-Identifier: MIT
-- Runs snippets of the documents, whose names are the arguments. Each has a server, both ends of a
-- connection and a poller of its own. Prints what is not as it should be; documents.py says what
-- calls the checks.

local polysock = require("polysock")

local failed = 0

local function report(where, ...)
   failed = failed + 1
   print(where .. ": " .. table.concat({ ... }, " "))
end

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ['"'] = '\\"', ["\\"] = "\\\\", ["\0"] = "\\0" }

local function show(value)
   if type(value) == "string" then
      return '"' .. value:gsub('[%c"\\]', function(char)
         return ESCAPES[char] or ("\\%d"):format(char:byte())
      end) .. '"'
   elseif type(value) == "table" and not getmetatable(value) then
      local parts = {}
      for _, item in ipairs(value) do
         parts[#parts + 1] = show(item)
      end
      local names = {}
      for name in pairs(value) do
         if type(name) == "string" then
            names[#names + 1] = name
         end
      end
      table.sort(names)
      for _, name in ipairs(names) do
         parts[#parts + 1] = name .. " = " .. show(value[name])
      end
      return "{" .. table.concat(parts, ", ") .. "}"
   end
   return math.type(value) == "float" and ("%.14g"):format(value) or tostring(value)
end

local function is_like(text, expected)
   local pattern = expected:gsub("%p", "%%%0"):gsub("%%%.%%%.%%%.", ".*")
   return text:find("^" .. pattern .. "$") ~= nil
end

local checks = {}

function checks.CHECK(where, expected, ...)
   local values = table.pack(...)
   for i = 1, values.n do
      values[i] = show(values[i])
   end
   local text = table.concat(values, ", ")
   if not is_like(text, expected) then
      report(where, "expected", expected, "got", text)
   end
end

function checks.PRINTS(where, expected, ...)
   local values = table.pack(...)
   for i = 1, values.n do
      values[i] = tostring(values[i])
   end
   local text = table.concat(values, " ")
   if not is_like(text, expected) then
      report(where, "expected", expected, "got", text)
   end
end

function checks.RAISES(where, expected, call)
   local ok, err = pcall(call)
   if ok or not tostring(err):find(expected, 1, true) then
      report(where, "expected error:", expected, "got", tostring(err))
   end
end

for _, name in ipairs(arg) do
   local server = assert(polysock.bind("127.0.0.1", 0))
   local host, port = server:getsockname()
   local client = assert(polysock.connect(host, port))
   local peer = assert(server:accept())
   local poller = assert(polysock.poller())
   local values = {
      polysock = polysock,
      server = server,
      host = host,
      port = port,
      client = client,
      peer = peer,
      poller = poller,
   }
   for check, func in pairs(checks) do
      values[check] = func
   end
   local chunk, err = loadfile(name, "t", setmetatable(values, { __index = _G }))
   local ok
   if chunk then
      ok, err = xpcall(chunk, debug.traceback)
   end
   if not ok then
      report(name, err)
   end
   for _, object in ipairs({ server, client, peer, poller }) do
      object:close()
   end
end
os.exit(failed == 0)
