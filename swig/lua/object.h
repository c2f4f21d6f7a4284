/* SPDX-License-Identifier: MIT */
/* The userdata that an object is to Lua, how misuse is raised, and when an object may be
   freed. It must never trust a userdata, or a metamethod's argument, to be an object.

   Lua calls __gc when nothing refers to an object. A program may call it at any time,
   even from a hook or a finaliser in the middle of a call on the object. Then the object
   is closed, and its memory stays. */

#ifndef PS_LUA_OBJECT_H
#define PS_LUA_OBJECT_H

#include <string.h>

#include "compat.h"
#include "polysock.h"

/* ---- Misuse ---- */

/* The generator calls a method Socket_name, and counts self as its first argument. */
static int is_method(const char *function) {
  return strncmp(function, "Socket_", 7) == 0;
}

static const char *name_of(const char *function) {
  return is_method(function)                 ? function + 7
         : strncmp(function, "dns_", 4) == 0 ? function + 4
                                             : function;
}

static int ps_lua_misuse(lua_State *L, ps_status status, const char *function) {
  char buffer[PS_WORDS];
  return luaL_error(L, "%s", ps_status_misuse(status, name_of(function), buffer));
}

static int bad(lua_State *L, short code, const char *function, int number,
               const char *name) {
  ps_status status = {code, (short)(number - is_method(function)), 0, name};
  return ps_lua_misuse(L, status, function);
}

/* Adds a function to the table on top. */
static void add_function(lua_State *L, const char *name, lua_CFunction function) {
  lua_pushcfunction(L, function);
  lua_setfield(L, -2, name);
}

/* ---- The userdata ---- */

typedef struct ps_lua_object {
  const void *type;  /* says that this userdata is one: the address of the key below */
  ps_socket *socket; /* NULL: it was freed */
  int pins;          /* hooks that run inside a call on it: it is not freed now */
} ps_lua_object;

/* The address of this variable is the key of the metatable in the registry. */
static const char metatable_key = 0;

/* An object is known by the type that is written into it. A comparison of metatables made
   a call without input or output take 710 instructions instead of 434. */
static ps_lua_object *to_object(lua_State *L, int index) {
  ps_lua_object *object = lua_touserdata(L, index);
  /* A light userdata has no length. */
  int ours = object != NULL && lua_rawlen(L, index) == sizeof *object &&
             object->type == &metatable_key;
  return ours ? object : NULL;
}

static ps_lua_object *ps_lua_self(lua_State *L, int index, const char *function) {
  ps_lua_object *self = to_object(L, index);
  if (self == NULL) bad(L, PS_MISUSE_NOTOBJECT, function, is_method(function), NULL);
  return self;
}

/* The socket of an object, once all arguments are there: to read them may run code of the
   program, which may free it. */
static ps_socket *ps_lua_socket(lua_State *L, const ps_lua_object *self,
                                const char *function) {
  if (self->socket == NULL)
    bad(L, PS_MISUSE_NOTOBJECT, function, is_method(function), NULL);
  return self->socket;
}

static int push_object(lua_State *L) {
  ps_lua_object *made = push_userdata(L, sizeof *made);
  *made = (ps_lua_object){&metatable_key, NULL, 0};
  get_registry(L, &metatable_key);
  lua_setmetatable(L, -2);
  made->socket = lua_touserdata(L, 1); /* last: until then it is the caller's */
  return 1;
}

/* ---- Pins ---- */

/* Pins or unpins the object that the running function is called on: a method's first
   argument, an iterator's upvalue, or the members of the sets of select. */
static void pin(lua_State *L, int by) {
  const int places[] = {1, 2, lua_upvalueindex(1)};
  for (int i = 0; i < 3; i++) {
    ps_lua_object *object = to_object(L, places[i]);
    if (object != NULL) object->pins += by;
    if (object != NULL || !lua_istable(L, places[i])) continue;
    for (int member = 1;; member++) {
      lua_rawgeti(L, places[i], member);
      int over = lua_isnil(L, -1);
      object = to_object(L, -1);
      if (object != NULL) object->pins += by;
      lua_pop(L, 1);
      if (over) break;
    }
  }
}

/* ---- Its end ---- */

/* An object may be used after it was collected: by the finaliser of another one. It is
   closed then, and closing it again is fine. */
static int close_object(lua_State *L) {
  const ps_lua_object *object = ps_lua_self(L, 1, "Socket_close");
  if (object->socket != NULL) ps_socket_close(object->socket, NULL);
  push_integer(L, 1);
  return 1;
}

static int collect(lua_State *L) {
  ps_lua_object *object = to_object(L, 1);
  if (object == NULL || object->socket == NULL) return 0;
  ps_socket *socket = object->socket;
  if (object->pins > 0) {
    ps_socket_close(socket, NULL);
  } else {
    object->socket = NULL;
    ps_socket_free(socket, NULL);
  }
  return 0;
}

#endif
