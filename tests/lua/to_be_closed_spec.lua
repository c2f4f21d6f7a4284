-- SPDX-License-Identifier: MIT
-- Objects in to-be-closed variables, which Lua has from 5.4 on.

local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
local support = dofile(folder .. "support.lua")
local polysock = require("polysock")

describe("an object in a to-be-closed variable", function()
   local client, peer

   before_each(function()
      client, peer = support.pair()
   end)

   after_each(function()
      client:close()
      peer:close()
   end)

   it("is closed at the end of its block", function()
      do
         local one <close> = client
         assert.is_true(one:getfd() >= 0)
      end
      assert.equal(-1, client:getfd())
   end)

   it("is closed by an error, and the error goes on", function()
      local ok, err = pcall(function()
         local one <close> = client
         error({ "mine", one })
      end)
      assert.is_false(ok)
      assert.equal("mine", err[1])
      assert.equal(-1, client:getfd())
   end)

   it("is closed with a coroutine, by return, break and goto", function()
      local thread = coroutine.create(function()
         local one <close> = client
         coroutine.yield(one)
      end)
      coroutine.resume(thread)
      assert.is_true(client:getfd() >= 0)
      coroutine.close(thread)
      assert.equal(-1, client:getfd())
      local another = polysock.tcp4()
      while true do
         local one <close> = another
         if one then
            break
         end
      end
      assert.equal(-1, another:getfd())
   end)

   it("may have been closed before, and take nil and false beside it", function()
      do
         local one <close> = client
         local two <close> = polysock.connect("127.0.0.1", 1)
         assert.is_nil(two)
         one:close()
      end
      assert.equal(1, client:close())
   end)
end)
