/* SPDX-License-Identifier: MIT */
/* The differences between the versions of Lua: 5.1 and LuaJIT, 5.2, 5.3, 5.4 and 5.5.
   Other files call the functions below and never check the version. */

#ifndef PS_LUA_COMPAT_H
#define PS_LUA_COMPAT_H

#include <inttypes.h>
#include <lauxlib.h>
#include <lua.h>

#include "shared.h"

#if LUA_VERSION_NUM < 501 || LUA_VERSION_NUM > 505
#error "polysock is for Lua 5.1 to 5.5 and LuaJIT"
#endif

#ifndef LUA_OK
#define LUA_OK 0
#endif

/* ---- Integers: before 5.3 all numbers are floats, and lua_Integer may be narrow. ----
 */

static int to_number(lua_State *L, int index, lua_Number *value) {
  *value = lua_tonumber(L, index);
  return *value != 0 || lua_isnumber(L, index);
}

/* Returns whether the value is an integer, or a float or text that converts to one. */
static int to_integer(lua_State *L, int index, long long *value) {
#if LUA_VERSION_NUM >= 503
  int good = 0;
  *value = lua_tointegerx(L, index, &good);
  return good;
#else
  lua_Number number;
  *value = 0;
  return to_number(L, index, &number) && is_whole(number, value);
#endif
}

static void push_integer(lua_State *L, long long value) {
#if LUA_VERSION_NUM >= 503
  lua_pushinteger(L, value);
#else
  lua_pushnumber(L, (lua_Number)value);
#endif
}

/* Up to 5.2 lua_pushlstring may run the collector before it copies the bytes, later
   versions only afterwards. */
enum { COLLECTS_BEFORE_COPY = LUA_VERSION_NUM < 503 };

/* ---- Tables ---- */

/* Pushes table[i], respecting __index. The index of the table is positive. */
static void push_member(lua_State *L, int table, int i) {
  lua_pushinteger(L, i);
  lua_gettable(L, table);
}

static void *push_userdata(lua_State *L, size_t size) {
#if LUA_VERSION_NUM >= 504
  return lua_newuserdatauv(L, size, 0);
#else
  return lua_newuserdata(L, size);
#endif
}

/* Pushes a userdata with an associated table, which is initially empty. */
static void *push_owner(lua_State *L, size_t size) {
#if LUA_VERSION_NUM >= 504
  void *made = lua_newuserdatauv(L, size, 1);
#else
  void *made = lua_newuserdata(L, size);
#endif
  lua_newtable(L);
#if LUA_VERSION_NUM >= 504
  lua_setiuservalue(L, -2, 1);
#elif LUA_VERSION_NUM >= 502
  lua_setuservalue(L, -2);
#else
  lua_setfenv(L, -2);
#endif
  return made;
}

/* Pushes the table of such a userdata. */
static void push_owned(lua_State *L, int owner) {
#if LUA_VERSION_NUM >= 504
  lua_getiuservalue(L, owner, 1);
#elif LUA_VERSION_NUM >= 502
  lua_getuservalue(L, owner);
#else
  lua_getfenv(L, owner);
#endif
}

static void get_registry(lua_State *L, const void *key) {
  lua_pushlightuserdata(L, (void *)key);
  lua_rawget(L, LUA_REGISTRYINDEX);
}

/* Pops the value. */
static void set_registry(lua_State *L, const void *key) {
  lua_pushlightuserdata(L, (void *)key);
  lua_insert(L, -2);
  lua_rawset(L, LUA_REGISTRYINDEX);
}

/* ---- Functions for protected calls ---- */

/* In 5.1 pushing a C function allocates memory and may raise, which must not happen just
   before a protected call. There the functions are created when the module loads. */
static void keep_function(lua_State *L, lua_CFunction function) {
#if LUA_VERSION_NUM < 502
  lua_pushcfunction(L, function);
  set_registry(L, (const void *)(uintptr_t)function);
#else
  (void)L, (void)function;
#endif
}

static void push_function(lua_State *L, lua_CFunction function) {
#if LUA_VERSION_NUM < 502
  get_registry(L, (const void *)(uintptr_t)function);
#else
  lua_pushcfunction(L, function);
#endif
}

/* ---- The main coroutine ---- */

/* In 5.1 it is known only if the module was loaded in it. The address of this variable is
   its key in the registry. */
static const char main_key = 0;

static void keep_main(lua_State *L) {
  if (lua_pushthread(L))
    set_registry(L, &main_key);
  else
    lua_pop(L, 1);
}

static lua_State *main_of(lua_State *L) {
#ifdef LUA_RIDX_MAINTHREAD
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
#else
  get_registry(L, &main_key);
#endif
  lua_State *main = lua_tothread(L, -1);
  lua_pop(L, 1);
  return main;
}

#endif
