/* SPDX-License-Identifier: MIT */
/* The C part of polysock.luasocket: a class for each kind, as in LuaSocket, whose methods
   behave like LuaSocket's where programs rely on it. Each method is a closure that calls
   the method of polysock in the same frame. Objects made by `polysock` itself are not
   affected. */

#ifndef PS_LUA_LUASOCKET_H
#define PS_LUA_LUASOCKET_H

#include <signal.h>

#include "results.h"

/* The names of the classes in the registry, as in LuaSocket; programs use them. */
static const char *const classes[] = {"tcp{master}", "tcp{client}", "tcp{server}"};
enum { MASTER, CLIENT, SERVER, CLASSES };

/* The address of this variable is the key of the list of the classes. */
static const char classes_key = 0;

static int call_original(lua_State *L) {
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* ---- Classes ---- */

static int class_of(const ps_socket *socket) {
  ps_text kind = ps_socket_getkind(socket);
  return kind.text[0] == 'm' ? MASTER : kind.text[0] == 'c' ? CLIENT : SERVER;
}

static void set_class(lua_State *L, int index, int class) {
  lua_getfield(L, LUA_REGISTRYINDEX, classes[class]);
  if (lua_istable(L, -1))
    lua_setmetatable(L, index);
  else
    lua_pop(L, 1);
}

/* Gives a result that is an object the LuaSocket class of its kind. */
static int adopt(lua_State *L) {
  int count = call_original(L), object = lua_gettop(L) - count + 1;
  const ps_lua_object *made = to_object(L, object);
  if (made == NULL) return count; /* a failure */
  ps_socket_setmark(made->socket, ps_socket_getmark(made->socket) | PS_MARK_FROM_START);
  set_class(L, object, class_of(made->socket));
  return count;
}

/* ---- Methods ---- */

/* LuaSocket rounds a number towards zero where polysock wants an integer. */
static void truncate_number(lua_State *L, int index) {
  lua_Number number = lua_tonumber(L, index);
  if (lua_type(L, index) != LUA_TNUMBER || number == trunc(number)) return;
  push_integer(L, (long long)fmax(-1e15, fmin(1e15, number)));
  lua_replace(L, index);
}

/* LuaSocket passes a port as text to the resolver: an invalid port is a failure. */
static void port_as_text(lua_State *L, int index) {
  lua_Number number = lua_tonumber(L, index);
  if (lua_type(L, index) == LUA_TNUMBER && number != trunc(number))
    lua_tostring(L, index);
}

/* In LuaSocket a closed object that binds or connects gets a new socket. */
static void revive(lua_State *L) {
  ps_lua_object *object = to_object(L, 1);
  if (object == NULL || object->socket == NULL || object->pins > 0) return;
  if (ps_socket_getsockname(object->socket).status.code != PS_CLOSED) return;
  ps_object made = ps_tcp();
  if (made.status.code != PS_OK) return;
  ps_limits limits = ps_socket_gettimeout(object->socket);
  ps_socket_settimeout(made.socket, limits.block, "b");
  ps_socket_settimeout(made.socket, limits.total, "t");
  ps_socket_setmark(made.socket, ps_socket_getmark(object->socket));
  ps_socket_free(object->socket, NULL);
  object->socket = made.socket;
}

static int bind_as_luasocket(lua_State *L) {
  port_as_text(L, 3);
  revive(L);
  return call_original(L);
}

/* In LuaSocket the object is a client even after a failed connect. */
static int connect_as_luasocket(lua_State *L) {
  port_as_text(L, 3);
  revive(L);
  int count = call_original(L);
  const ps_lua_object *object = to_object(L, 1);
  if (object->socket != NULL && class_of(object->socket) != SERVER)
    set_class(L, 1, CLIENT);
  return count;
}

static int listen_as_luasocket(lua_State *L) {
  truncate_number(L, 2);
  int count = call_original(L);
  const ps_lua_object *object = to_object(L, 1);
  if (object->socket != NULL && class_of(object->socket) == SERVER)
    set_class(L, 1, SERVER);
  return count;
}

/* In LuaSocket a success has three results, two of them nil. */
static int with_nils(lua_State *L, int count) {
  if (count != 1) return count;
  lua_pushnil(L);
  lua_pushnil(L);
  return 3;
}

/* Waits until bytes or the end of the stream can be received, and takes none. One byte is
   no large result, so no memory is lent. */
static int receive_nothing(lua_State *L, ps_socket *socket) {
  ps_lua_host lent;
  ps_bytes bytes = ps_socket_receiveany(socket, 1, ps_lua_lend(&lent, L));
  if (bytes.status.code != PS_OK) failure(L, bytes.status, "Socket_receive");
  lua_pushliteral(L, "");
  return bytes.status.code == PS_OK ? 1 : 3;
}

static int receive_as_luasocket(lua_State *L) {
  lua_settop(L, 3); /* LuaSocket has no maxsize */
  truncate_number(L, 2);
  const ps_lua_object *object = to_object(L, 1);
  if (object != NULL && object->socket != NULL && lua_isnil(L, 3) &&
      lua_type(L, 2) == LUA_TNUMBER && lua_tonumber(L, 2) == 0)
    return with_nils(L, receive_nothing(L, object->socket));
  int count = call_original(L);
  if (count == 2) lua_pushliteral(L, ""); /* see soften */
  return count == 2 ? 3 : with_nils(L, count);
}

static int send_as_luasocket(lua_State *L) {
  truncate_number(L, 3);
  truncate_number(L, 4);
  return with_nils(L, call_original(L));
}

static int getsockname_as_luasocket(lua_State *L) {
  int count = call_original(L);
  if (count == 3) lua_tostring(L, -2); /* the port is a text */
  return count;
}

static int tostring_as_luasocket(lua_State *L) {
  const ps_lua_object *object = ps_lua_self(L, 1, &socket_class, "Socket___tostring");
  lua_getfield(L, 1, "class");
  char address[32]; /* the %p of some systems has no 0x */
  snprintf(address, sizeof address, "0x%" PRIxPTR, (uintptr_t)object);
  lua_pushfstring(L, "%s: %s", lua_tostring(L, -1), address);
  return 1;
}

/* ---- Opening ---- */

typedef struct adapter {
  const char *name;
  lua_CFunction function;
} adapter;

static const adapter adapted_methods[] = {{"accept", adopt},
                                          {"bind", bind_as_luasocket},
                                          {"connect", connect_as_luasocket},
                                          {"getpeername", call_original},
                                          {"getsockname", getsockname_as_luasocket},
                                          {"listen", listen_as_luasocket},
                                          {"receive", receive_as_luasocket},
                                          {"send", send_as_luasocket},
                                          {"setpeername", connect_as_luasocket},
                                          {"setsockname", bind_as_luasocket},
                                          {"shutdown", call_original},
                                          {NULL, NULL}};

static const adapter adapted_functions[] = {
    {"bind", adopt},     {"connect", adopt}, {"connect4", adopt},
    {"connect6", adopt}, {"fromfd", adopt},  {"tcp", adopt},
    {"tcp4", adopt},     {"tcp6", adopt},    {"select", call_original},
    {NULL, NULL}};

/* Replaces functions of the table on top by closures that wrap them. */
static void adapt(lua_State *L, const adapter *adapters) {
  for (; adapters->name != NULL; adapters++) {
    lua_getfield(L, -1, adapters->name);
    lua_pushcclosure(L, adapters->function, 1);
    lua_setfield(L, -2, adapters->name);
  }
}

static void copy_table(lua_State *L, int from) {
  lua_newtable(L);
  for (lua_pushnil(L); lua_next(L, from) != 0;) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
}

/* Pushes the list of the classes, which it creates at the first call. */
static void push_classes(lua_State *L) {
  get_registry(L, &classes_key);
  if (lua_istable(L, -1)) return;
  lua_pop(L, 1);
  lua_createtable(L, CLASSES, 0);
  get_registry(L, &socket_class);
  int metatable = lua_gettop(L);
  lua_getfield(L, metatable, "__index");
  for (int i = 0; i < CLASSES; i++) {
    copy_table(L, metatable);
    copy_table(L, metatable + 1);
    adapt(L, adapted_methods);
    lua_pushstring(L, classes[i]);
    lua_setfield(L, -2, "class");
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, classes[i]);
    lua_setfield(L, -2, "__name");
    add_function(L, "__tostring", tostring_as_luasocket);
    lua_rawseti(L, metatable - 1, i + 1);
  }
  lua_settop(L, metatable - 1);
  lua_pushvalue(L, -1);
  set_registry(L, &classes_key);
}

/* name(present): adds the classes to the registry by their names, or removes them while
   LuaSocket loads, which would add methods for its own objects to them. */
static int name_classes(lua_State *L) {
  int there = lua_toboolean(L, 1);
  push_classes(L);
  for (int i = 0; i < CLASSES; i++) {
    if (there)
      lua_rawgeti(L, -1, i + 1);
    else
      lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, classes[i]);
  }
  return 0;
}

/* open(module): adapts the functions in a table, and makes the process ignore SIGPIPE, as
   LuaSocket does. polysock does not need that, but LuaSec writes to the descriptors by
   itself and relies on it. */
static int open_as_luasocket(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  adapt(L, adapted_functions);
#ifdef SIGPIPE
  signal(SIGPIPE, SIG_IGN);
#endif
  return 0;
}

#endif
