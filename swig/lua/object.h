/* SPDX-License-Identifier: MIT */
/* The userdata of an object, how misuse is raised, and when an object is freed. It must
   never assume that a userdata, or the argument of a metamethod, is an object.

   Lua calls __gc when nothing refers to an object. But a program may also call it at any
   time, even from a hook or a finaliser during a call on the object; then the object is
   closed, and its memory is kept. */

#ifndef PS_LUA_OBJECT_H
#define PS_LUA_OBJECT_H

#include "compat.h"

/* ---- Misuse ---- */

static int ps_lua_misuse(lua_State *L, ps_status status, const char *function) {
  char buffer[PS_WORDS];
  return luaL_error(L, "%s", ps_status_misuse(status, name_of(function), buffer));
}

static int bad(lua_State *L, short code, const char *function, int number,
               const char *name) {
  return ps_lua_misuse(L, misuse_at(code, (place){function, number, name}), function);
}

/* Adds a function to the table on top. */
static void add_function(lua_State *L, const char *name, lua_CFunction function) {
  lua_pushcfunction(L, function);
  lua_setfield(L, -2, name);
}

/* ---- The userdata ---- */

/* A class of objects. Its address is the key of its metatable in the registry. */
typedef struct ps_lua_class {
  short expected; /* the misuse code for other values */
  void (*close)(void *);
  void (*free)(void *);
} ps_lua_class;

typedef struct ps_lua_object {
  const void *ours;          /* identifies our userdata: the address of the key below */
  const ps_lua_class *class; /* its class */
  union {                    /* NULL: it was freed */
    void *it;
    ps_socket *socket;
    ps_poller *poller;
  };
  int pins; /* hooks running inside a call on it: it must not be freed now */
} ps_lua_object;

static const char ours_key = 0;

static void close_socket(void *socket) { ps_socket_close(socket, NULL); }
static void free_socket(void *socket) { ps_socket_free(socket, NULL); }
static const ps_lua_class socket_class = {PS_MISUSE_NOTOBJECT, close_socket, free_socket};

/* An object is recognized by the class stored in its userdata. With a comparison of
   metatables a call without I/O took 710 instructions instead of 434. */
static ps_lua_object *to_instance(lua_State *L, int index, const ps_lua_class *class) {
  ps_lua_object *object = lua_touserdata(L, index);
  /* A light userdata has no length. */
  int known =
      object != NULL && lua_rawlen(L, index) >= sizeof *object && object->class == class;
  return known ? object : NULL;
}

static ps_lua_object *to_object(lua_State *L, int index) {
  return to_instance(L, index, &socket_class);
}

/* The same for any class. */
static ps_lua_object *to_any(lua_State *L, int index) {
  ps_lua_object *object = lua_touserdata(L, index);
  int known = object != NULL && lua_rawlen(L, index) >= sizeof *object &&
              object->ours == &ours_key;
  return known ? object : NULL;
}

static ps_lua_object *ps_lua_self(lua_State *L, int index, const ps_lua_class *class,
                                  const char *function) {
  ps_lua_object *self = to_instance(L, index, class);
  if (self == NULL) bad(L, class->expected, function, is_method(function), NULL);
  return self;
}

/* Returns the pointer of an object for the core. Called after all arguments were read,
   because reading them may run code of the program that frees the object. */
static void *ps_lua_it(lua_State *L, const ps_lua_object *self, const char *function) {
  if (self->it == NULL)
    bad(L, self->class->expected, function, is_method(function), NULL);
  return self->it;
}

/* Pushes an object whose pointer is NULL. The caller sets it after the protected call,
   and owns the socket until then: a hook may raise even when the function returns. */
static void push_instance(lua_State *L, const ps_lua_class *class, ps_lua_object *made) {
  *made = (ps_lua_object){&ours_key, class, {NULL}, 0};
  get_registry(L, class);
  lua_setmetatable(L, -2);
}

static int push_object(lua_State *L) {
  push_instance(L, &socket_class, push_userdata(L, sizeof(ps_lua_object)));
  return 1;
}

/* ---- Pins ---- */

/* Pins or unpins the object that the running function is called on: a method's first
   argument, an iterator's upvalue, or the members of the sets of select. */
static void pin(lua_State *L, int by) {
  const int places[] = {1, 2, lua_upvalueindex(1)};
  for (int i = 0; i < 3; i++) {
    ps_lua_object *object = to_any(L, places[i]);
    if (object != NULL) object->pins += by;
    if (object != NULL || !lua_istable(L, places[i])) continue;
    for (int member = 1;; member++) {
      lua_rawgeti(L, places[i], member);
      int over = lua_isnil(L, -1);
      object = to_any(L, -1);
      if (object != NULL) object->pins += by;
      lua_pop(L, 1);
      if (over) break;
    }
  }
}

/* ---- Closing ---- */

/* The finaliser of another object may use an object after its own finaliser has run. It
   is closed then, and closing it again has no effect. */
static int close_instance(lua_State *L, const ps_lua_class *class, const char *function) {
  const ps_lua_object *object = ps_lua_self(L, 1, class, function);
  if (object->it != NULL) class->close(object->it);
  push_integer(L, 1);
  return 1;
}

static int close_object(lua_State *L) {
  return close_instance(L, &socket_class, "Socket_close");
}

static int collect(lua_State *L) {
  ps_lua_object *object = to_any(L, 1);
  if (object == NULL || object->it == NULL) return 0;
  void *it = object->it;
  if (object->pins > 0) {
    object->class->close(it);
  } else {
    object->it = NULL;
    object->class->free(it);
  }
  return 0;
}

#endif
