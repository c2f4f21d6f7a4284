/* SPDX-License-Identifier: MIT */
/* The Lua module: calls.lua makes a program of each input, in a state of its own. Crashes
   are found by the sanitizers; the checks in calls.lua and world.c find what is left
   open, and answers of a wrong shape. */

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

int luaopen_polysock_core(lua_State *L);
int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* ---- An allocator that fails on demand ---- */

static unsigned countdown; /* allocations until one fails, and all after it; 0: none */
static size_t live;

static void *allocate(void *data, void *memory, size_t before, size_t size) {
  (void)data;
  if (memory == NULL) before = 0;
  if (size > before && countdown > 0 && (countdown == 1 || --countdown == 1)) return NULL;
  live += size - before;
  if (size > 0) return realloc(memory, size);
  free(memory);
  return NULL;
}

/* ---- The chunks, compiled once ---- */

typedef struct chunk {
  const char *file;
  char *code;
  size_t size;
} chunk;

static chunk init = {SOURCE "/lua/polysock/init.lua", NULL, 0};
static chunk luasocket = {SOURCE "/lua/polysock/luasocket.lua", NULL, 0};
static chunk calls = {SOURCE "/tests/fuzz/calls.lua", NULL, 0};

static void die(lua_State *L) {
  fprintf(stderr, "%s\n", lua_tostring(L, -1));
  abort();
}

static int keep_code(lua_State *L, const void *code, size_t size, void *data) {
  (void)L;
  chunk *to = data;
  to->code = realloc(to->code, to->size + size);
  if (to->code == NULL) return 1;
  memcpy(to->code + to->size, code, size);
  to->size += size;
  return 0;
}

static void compile(chunk *to) {
  lua_State *L = luaL_newstate();
  if (luaL_loadfile(L, to->file) != LUA_OK) die(L);
  lua_dump(L, keep_code, to, 0);
  lua_close(L);
}

static void push_chunk(lua_State *L, const chunk *from) {
  if (luaL_loadbufferx(L, from->code, from->size, from->file, "b") != LUA_OK) die(L);
}

int LLVMFuzzerInitialize(int *count, char ***arguments) {
  (void)count, (void)arguments;
  compile(&init);
  compile(&luasocket);
  compile(&calls);
  return 0;
}

/* ---- What calls.lua may ask of the world ---- */

/* call(lua, core, signals, f, ...) is pcall(f, ...) while the allocation of this number
   fails in Lua, and in the core, and so many waits are interrupted. */
static int call(lua_State *L) {
  unsigned outer = countdown;
  unsigned lua = (unsigned)luaL_checkinteger(L, 1);
  world_memory((unsigned)luaL_checkinteger(L, 2));
  world_signals((unsigned)luaL_checkinteger(L, 3));
  /* Without memory Lua calls no finalizer, and never again for that object. */
  int collects = lua_gc(L, LUA_GCISRUNNING);
  if (lua > 0) lua_gc(L, LUA_GCSTOP);
  countdown = lua;
  int status = lua_pcall(L, lua_gettop(L) - 4, LUA_MULTRET, 0);
  countdown = outer;
  if (lua > 0 && collects == 1) lua_gc(L, LUA_GCRESTART);
  world_memory(0);
  world_signals(0);
  if (!lua_checkstack(L, 1)) return 0;
  lua_pushboolean(L, status == LUA_OK);
  lua_replace(L, 3);
  return lua_gettop(L) - 2;
}

static int stray(lua_State *L) {
  (void)L;
  world_stray();
  return 0;
}

static int signalled(lua_State *L) {
  lua_pushinteger(L, world_signalled());
  return 1;
}

static void preload(lua_State *L, const char *name, const chunk *from) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  if (from != NULL)
    push_chunk(L, from);
  else
    lua_pushcfunction(L, luaopen_polysock_core);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

/* Errors that a hook of calls.lua raises, wherever it strikes. */
static int is_harmless(lua_State *L) {
  const char *words = lua_tostring(L, -1);
  return words != NULL && (strcmp(words, "hook") == 0 || strstr(words, "memory") != NULL);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  countdown = 0;
  world_begin();
  lua_State *L = lua_newstate(allocate, NULL);
  CHECK(L != NULL, "no state");
  luaL_openlibs(L);
  preload(L, "polysock.core", NULL);
  preload(L, "polysock", &init);
  preload(L, "polysock.luasocket", &luasocket);
  push_chunk(L, &calls);
  lua_pushlstring(L, (const char *)data, size);
  lua_pushcfunction(L, call);
  lua_pushcfunction(L, stray);
  lua_pushcfunction(L, signalled);
  if (lua_pcall(L, 4, 2, 0) != LUA_OK) die(L);
  lua_insert(L, 1);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK && !is_harmless(L)) die(L);
  lua_sethook(L, NULL, 0, 0);
  lua_settop(L, 1);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK) die(L);
  lua_close(L);
  CHECK(live == 0, "Lua's memory was left behind");
  world_end();
  return 0;
}
