/* SPDX-License-Identifier: MIT */
/* What the programs that embed Lua share: a state in which the module is loaded from the
   files that the command line names. */

#ifndef EMBED_H
#define EMBED_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef LUA_OK
#define LUA_OK 0
#endif

static void die(lua_State *L, const char *what) {
  const char *words = L != NULL ? lua_tostring(L, -1) : NULL;
  fprintf(stderr, "%s: %s\n", what, words != NULL ? words : "(no words)");
  exit(1);
}

/* Leaves the module in the global polysock. arguments: as main has them. */
static void load_module(lua_State *L, char **arguments) {
  static const char loader[] =
      "local core, init = ...\n"
      "package.preload['polysock.core'] ="
      "  assert(package.loadlib(core, 'luaopen_polysock_core'))\n"
      "polysock = assert(loadfile(init))()\n"
      "package.loaded.polysock = polysock\n";
  luaL_openlibs(L);
  if (luaL_loadstring(L, loader) != LUA_OK) die(L, "loader");
  lua_pushstring(L, arguments[1]);
  lua_pushstring(L, arguments[2]);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) die(L, "load");
}

#endif
