/* SPDX-License-Identifier: MIT */
/* Runs a Lua program with the module in the global polysock, so that sanitizers and
   valgrind see what it does. */

#include "embed.h"

int main(int count, char **arguments) {
  if (count != 4) die(NULL, "usage: run CORE INIT PROGRAM");
  lua_State *L = luaL_newstate();
  if (L == NULL) die(NULL, "newstate");
  load_module(L, arguments);
  if (luaL_loadfile(L, arguments[3]) != LUA_OK || lua_pcall(L, 0, 0, 0) != LUA_OK)
    die(L, arguments[3]);
  lua_close(L);
  return 0;
}
