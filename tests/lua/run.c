/* SPDX-License-Identifier: MIT */
/* Runs a Lua program with the module in the global polysock, so that sanitizers and
   valgrind see what it does, and without LuaSocket. It may use what the interpreter has
   and Lua has not: signals, and hooks that are functions of C. */

#define _XOPEN_SOURCE 700
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "embed.h"

static void hear(int signal) { (void)signal; }

/* ring(seconds): from now on a signal comes so often, and interrupts waits; 0: no more.
 */
static int ring(lua_State *L) {
  long often = (long)(luaL_checknumber(L, 1) * 1e6);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = hear;
  const struct itimerval timer = {{0, often}, {0, often}};
  if (sigaction(SIGALRM, &action, NULL) != 0 || setitimer(ITIMER_REAL, &timer, NULL) != 0)
    die(NULL, "ring");
  return 0;
}

static lua_State *first; /* the main coroutine */
static int calls;        /* of the hook below, in other coroutines */
static char then;        /* what it does there */

static void another(lua_State *L, lua_Debug *event) { (void)L, (void)event; }

static void note(lua_State *L, lua_Debug *event) {
  (void)event;
  if (L == first) return;
  calls++;
  if (then == 'e') lua_sethook(L, NULL, 0, 0);
  if (then == 'a') lua_sethook(first, another, LUA_MASKCALL, 0);
}

/* hook(mask, count, then): sets a hook in the main coroutine, as the interpreter does on
   a signal. In another coroutine it does nothing, ends itself as the interpreter's does
   ("ends"), or sets another one in the main coroutine ("another"). */
static int hook(lua_State *L) {
  const char *letters = luaL_checkstring(L, 1);
  int count = (int)luaL_checkinteger(L, 2), mask = count > 0 ? LUA_MASKCOUNT : 0;
  if (strchr(letters, 'c') != NULL) mask |= LUA_MASKCALL;
  if (strchr(letters, 'r') != NULL) mask |= LUA_MASKRET;
  if (strchr(letters, 'l') != NULL) mask |= LUA_MASKLINE;
  calls = 0;
  then = *luaL_optstring(L, 3, "nothing");
  lua_sethook(first, note, mask, count);
  return 0;
}

/* hooked(): how often it ran in other coroutines, which one is set in the main coroutine
   now and for how many instructions, and ends it. */
static int hooked(lua_State *L) {
  lua_Hook now = lua_gethook(first);
  int mask = lua_gethookmask(first), count = lua_gethookcount(first);
  lua_sethook(first, NULL, 0, 0);
  lua_pushinteger(L, calls);
  lua_pushstring(L, now == note ? "note" : now == another ? "another" : "none");
  lua_pushboolean(L, (mask & LUA_MASKRET) != 0);
  lua_pushinteger(L, count);
  return 4;
}

int main(int count, char **arguments) {
  if (count != 4) die(NULL, "usage: run CORE INIT PROGRAM");
  lua_State *L = luaL_newstate();
  if (L == NULL) die(NULL, "newstate");
  first = L;
  lua_register(L, "ring", ring);
  lua_register(L, "hook", hook);
  lua_register(L, "hooked", hooked);
  load_module(L, arguments);
  if (luaL_loadfile(L, arguments[3]) != LUA_OK || lua_pcall(L, 0, 0, 0) != LUA_OK)
    die(L, arguments[3]);
  lua_close(L);
  return 0;
}
