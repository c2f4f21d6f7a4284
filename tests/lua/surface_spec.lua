-- SPDX-License-Identifier: MIT
-- What the module and its objects offer is what the interface documents, and no more: the
-- annotations are made from the interface. Metamethods called by hand trust no argument.

local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local support = dofile(folder .. "support.lua")
local polysock = require("polysock")
local core = require("polysock.core")

-- Returns the names that a pattern finds in the annotations.
local function documented(pattern)
   local names = {}
   local file = assert(io.open(folder .. "../../lua/meta/polysock.lua"))
   for line in file:lines() do
      names[#names + 1] = line:match(pattern)
   end
   file:close()
   table.sort(names)
   assert(#names > 3)
   return names
end

local function names_of(table_)
   local names = {}
   for name in pairs(table_) do
      names[#names + 1] = name
   end
   table.sort(names)
   return names
end

local function all_of(...)
   local names = {}
   for _, list in ipairs({ ... }) do
      for _, name in ipairs(list) do
         names[#names + 1] = name
      end
   end
   table.sort(names)
   return names
end

local classes = {
   Socket = { make = polysock.tcp4, expected = "tcp{any} expected" },
   Poller = { make = polysock.poller, expected = "poller expected" },
}

describe("the surface", function()
   for class, its in pairs(classes) do
      local object = its.make()
      local metatable = getmetatable(object)

      it("of a " .. class .. " has its methods", function()
         assert.same(documented("^function " .. class .. ":(%w+)"), names_of(metatable.__index))
         object:close()
      end)

      it("of a metatable of " .. class .. " has Lua's own names", function()
         assert.same({ "__close", "__gc", "__index", "__tostring" }, names_of(metatable))
         assert.is_table(metatable.__index)
         assert.is_nil(getmetatable(metatable) or getmetatable(metatable.__index))
      end)
   end

   it("of the module has its functions and constants", function()
      assert.same(
         all_of(documented("^function polysock%.([%w_]+)"), documented("^polysock%.([%w_]+) =")),
         names_of(polysock)
      )
      assert.same(documented("^function dns%.(%w+)"), names_of(polysock.dns))
   end)

   it("of the compiled module has functions for these, and one table", function()
      for name, value in pairs(core) do
         assert.equal(name == "luasocket" and "table" or "function", type(value))
         assert.matches("^[a-z][a-z0-9_]*$", name)
      end
      assert.is_nil(getmetatable(core))
   end)

   it("leaves nothing of the generator's in the registry", function()
      for name in pairs(debug.getregistry()) do
         assert.is_falsy(tostring(name):lower():find("swig"))
      end
   end)
end)

describe("a metamethod", function()
   for class, its in pairs(classes) do
      for name, method in pairs(getmetatable(its.make())) do
         if type(method) == "function" then
            it(name .. " of a " .. class .. " trusts no argument", function()
               local object = its.make()
               local others = { 5, "text", true, {}, print, io.stdout,
                  coroutine.create(function() end), require("socket").tcp(),
                  setmetatable({}, getmetatable(object)) }
               for other in pairs(classes) do
                  others[#others + 1] = other ~= class and classes[other].make() or nil
               end
               for _, other in ipairs(others) do
                  local lists = { { other }, { other, object }, { other, other, 3 } }
                  for _, arguments in ipairs(lists) do
                     local ok, err = pcall(method, support.unpack(arguments))
                     local words = ("on bad self (%s)"):format(its.expected)
                     assert.is_true(ok or err:find(words, 1, true) ~= nil)
                  end
                  assert.is_false(object == other)
               end
               pcall(method)
               assert.is_true(object:getfd() >= 0)
               object:close()
            end)
         end
      end
   end

   it("is not there for writing", function()
      local object = polysock.tcp4()
      assert.has_error(function()
         object.field = 1
      end)
      object:close()
   end)
end)
