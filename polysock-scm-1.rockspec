-- SPDX-License-Identifier: MIT
rockspec_format = "3.0"
package = "polysock"
version = "scm-1"
source = {
   url = "git+file://.",
}
description = {
   summary = "TCP with LuaSocket's objects, timeouts and partial results, from one C core",
   license = "MIT",
}
dependencies = {
   "lua ~> 5.4",
}
build = {
   type = "cmake",
   variables = {
      CMAKE_BUILD_TYPE = "Release",
      POLYSOCK_PYTHON = "OFF",
      LUA_INCLUDE_DIR = "$(LUA_INCDIR)",
      POLYSOCK_LUA_CPATH = "$(LIBDIR)",
      POLYSOCK_LUA_PATH = "$(LUADIR)",
      CMAKE_INSTALL_PREFIX = "$(PREFIX)",
   },
}
