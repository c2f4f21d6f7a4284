/* SPDX-License-Identifier: MIT */
/* The sets that select takes and returns. A member is one of our objects, or any other
   object with a method getfd and perhaps dirty. Reading a set runs code of the program,
   which may change the set and free members. */

#ifndef PS_LUA_SETS_H
#define PS_LUA_SETS_H

#include "host.h"

/* ---- In ---- */

/* Pushes a method of a foreign object, or nil if it has none. */
static void push_method(lua_State *L, int object, const char *method) {
  int type = lua_type(L, object);
  int indexable = type == LUA_TTABLE;
  if (type == LUA_TUSERDATA && luaL_getmetafield(L, object, "__index")) {
    lua_pop(L, 1);
    indexable = 1;
  }
  if (indexable)
    lua_getfield(L, object, method);
  else
    lua_pushnil(L);
}

static int has_method(lua_State *L, int object, const char *method) {
  push_method(L, object, method);
  int found = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return found;
}

/* Pushes the result of a method of a foreign object, or nil if it has none. */
static void ask(lua_State *L, int object, const char *method) {
  push_method(L, object, method);
  if (lua_isnil(L, -1)) return;
  lua_pushvalue(L, object);
  lua_call(L, 1, 1);
}

static ps_watch watch_of(lua_State *L, int object, int writable) {
  ps_watch watch = {.fd = -1, .writable = (char)writable};
  if (to_object(L, object) != NULL) return watch; /* see ps_lua_settle */
  lua_Number fd;
  ask(L, object, "getfd");
  if (to_number(L, -1, &fd)) watch.fd = descriptor_of(fd);
  lua_pop(L, 1);
  if (watch.fd < 0 || writable) return watch;
  ask(L, object, "dirty");
  watch.buffered = (char)lua_toboolean(L, -1);
  lua_pop(L, 1);
  return watch;
}

/* A socket in place of a set is an error: it would count as an empty set, and the wait
   would never end. LuaSocket does wait: see luasocket.h. */
static int is_socket(lua_State *L, int index) {
  if (lua_iscfunction(L, lua_upvalueindex(1))) return 0;
  lua_getfield(L, index, "getfd");
  int found = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return found;
}

/* Moves the top of the stack above the places of all arguments, so that a value that one
   argument pushes is not mistaken for an absent later argument. */
static void ps_lua_pad(lua_State *L) { lua_settop(L, LUA_MINSTACK / 2); }

/* As in LuaSocket, members are read from 1 to the first nil, respecting __index. The
   watches are in a userdata that stays on the stack until the call has ended. A new table
   of the members replaces the argument, so that no member is collected even if the
   program changes its own table. */
static ps_sockets sockets_of(lua_State *L, int index, const char *function, int number,
                             const char *name, int writable) {
  ps_sockets sockets = {NULL, 0};
  if (lua_isnil(L, index)) return sockets;
  if (!lua_istable(L, index)) bad(L, PS_MISUSE_NOTSOCKETS, function, number, name);
  int members = lua_gettop(L) + 1, watches = members + 1, member = members + 2;
  size_t room = lua_rawlen(L, index) + 1;
  if (room > 1 << 20) room = 1 << 20; /* only a hint: a proxy may return any length */
  lua_createtable(L, (int)room, 0);
  sockets.watches = push_userdata(L, room * sizeof(ps_watch));
  for (;; sockets.count++) {
    push_member(L, index, (int)sockets.count + 1);
    if (lua_isnil(L, member)) break;
    if (sockets.count == room) {
      room *= 2;
      ps_watch *more = push_userdata(L, room * sizeof(ps_watch));
      memcpy(more, sockets.watches, sockets.count * sizeof(ps_watch));
      lua_replace(L, watches);
      sockets.watches = more;
    }
    sockets.watches[sockets.count] = watch_of(L, member, writable);
    lua_rawseti(L, members, (int)sockets.count + 1);
  }
  lua_pop(L, 1);
  if (sockets.count == 0 && is_socket(L, index))
    bad(L, PS_MISUSE_NOTSOCKETS, function, number, name);
  lua_pushvalue(L, members);
  lua_replace(L, index);
  lua_remove(L, members);
  return sockets;
}

static ps_readables ps_lua_readables(lua_State *L, int index, const char *function,
                                     int number, const char *name) {
  return sockets_of(L, index, function, number, name, 0);
}

static ps_writables ps_lua_writables(lua_State *L, int index, const char *function,
                                     int number, const char *name) {
  return sockets_of(L, index, function, number, name, 1);
}

/* Reads the pointers of our own objects, when no more code of the program runs before the
   call. An object that was freed meanwhile counts as closed. */
static void ps_lua_settle(lua_State *L, int index, const ps_sockets *sockets) {
  for (size_t i = 0; i < sockets->count; i++) {
    lua_rawgeti(L, index, (int)i + 1);
    const ps_lua_object *object = to_object(L, -1);
    if (object != NULL) sockets->watches[i].socket = object->socket;
    lua_pop(L, 1);
  }
}

/* ---- Out ---- */

/* Pushes a table of the ready members, with positions and objects as keys. */
static void push_ready(lua_State *L, int index, const ps_sockets *sockets) {
  lua_newtable(L);
  int found = 0;
  for (size_t i = 0; i < sockets->count; i++) {
    if (!sockets->watches[i].ready) continue;
    lua_rawgeti(L, index, (int)i + 1);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    int twice =
        !lua_isnil(L, -1); /* a member that is in the set twice is reported once */
    lua_pop(L, 1);
    if (twice) {
      lua_pop(L, 1);
      continue;
    }
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, ++found);
    push_integer(L, found);
    lua_rawset(L, -3);
  }
}

#endif
