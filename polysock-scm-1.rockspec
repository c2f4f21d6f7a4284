-- SPDX-License-Identifier: MIT
-- Builds a clone, by CMake and SWIG. The rockspec of a release, which needs neither, is made
-- from this one by tools/dist.sh.
rockspec_format = "3.0"
package = "polysock"
version = "scm-1"
source = {
   url = "git+file://.",
}
description = {
   summary = "TCP with LuaSocket's objects, timeouts and partial results, from one C core",
   detailed = [[
      TCP for Lua from a C core that it shares with Python: LuaSocket's master, client and server
      objects, its read patterns, and limits of time for single waits, whole calls and many
      calls. What was received before a failure is always in the result. Programs written for
      LuaSocket run on it unchanged.]],
   homepage = "https://polysock.example",
   issues_url = "https://polysock.example/issues",
   labels = { "network", "socket", "tcp" },
   license = "MIT",
}
dependencies = {
   "lua >= 5.1",
}
test = {
   type = "command",
   script = "tests/lua/installed.lua",
}
build = {
   type = "cmake",
   variables = {
      CMAKE_BUILD_TYPE = "Release",
      POLYSOCK_C = "OFF",
      POLYSOCK_PYTHON = "OFF",
      LUA_INCLUDE_DIR = "$(LUA_INCDIR)",
      POLYSOCK_LUA_CPATH = "$(LIBDIR)",
      POLYSOCK_LUA_PATH = "$(LUADIR)",
      CMAKE_INSTALL_PREFIX = "$(PREFIX)",
   },
}
