/* SPDX-License-Identifier: MIT */
/* fork for Lua, which has none: fork() gives 0 in the child, wait(process) the status
   with which a child has ended, leave(status) ends this process at once. For tests only.
 */

#include <lauxlib.h>
#include <lua.h>
#include <sys/wait.h>
#include <unistd.h>

static int fork_here(lua_State *L) {
  lua_pushinteger(L, fork());
  return 1;
}

static int wait_for(lua_State *L) {
  int status = -1;
  waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0);
  lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status));
  return 1;
}

static int leave(lua_State *L) { _exit((int)luaL_checkinteger(L, 1)); }

int luaopen_processes(lua_State *L);
int luaopen_processes(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"fork", fork_here}, {"wait", wait_for}, {"leave", leave}, {NULL, NULL}};
  lua_newtable(L);
  luaL_setfuncs(L, functions, 0);
  return 1;
}
