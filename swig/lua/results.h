/* SPDX-License-Identifier: MIT */
/* Pushes results: each function pushes the values of one kind and returns their number.
   Received bytes stay in the read buffer until the Lua string exists, because creating it
   may fail, and may run finalisers that use the object. */

#ifndef PS_LUA_RESULTS_H
#define PS_LUA_RESULTS_H

#include <stdlib.h>

#include "sets.h"

typedef lua_State maker;
#define put_nothing lua_pushnil
#define put_flag lua_pushboolean
#define put_integer push_integer
#define put_number lua_pushnumber
#define put_text lua_pushstring
#define open_list lua_newtable
#define open_table lua_newtable
#define as_item(L) lua_rawseti(L, -2, (int)lua_rawlen(L, -2) + 1)
#define as_field(L, name) lua_setfield(L, -2, name)
#include "values.h"

/* Some misuse is a failure in LuaSocket, and so for the classes of luasocket.h. Their
   methods are recognized by being closures of other functions. Returns whether this is
   such a case. */
static int soften(lua_State *L, ps_status *status, const char *function) {
  if (!lua_iscfunction(L, lua_upvalueindex(1))) return 0;
  int connects = strcmp(name_of(function), "connect") == 0 ||
                 strcmp(name_of(function), "setpeername") == 0;
  short code = status->code;
  if (code == PS_MISUSE_CONNECTPORT) {
    *status = (ps_status){PS_REFUSED, 0, 0, NULL};
  } else if (code == PS_MISUSE_BINDPORT) {
    *status = (ps_status){PS_SERVICE, 0, 0, NULL};
  } else if (code == PS_MISUSE_NOTMASTER && connects) {
    *status = (ps_status){PS_CONNECTED, 0, 0, NULL};
  } else if (code == PS_MISUSE_NOTCLIENT) { /* in LuaSocket it is a client after a failed
                                               connect */
    lua_getfield(L, 1, "class");
    const char *class = lua_tostring(L, -1);
    if (class != NULL && strcmp(class, "tcp{client}") == 0)
      *status = (ps_status){PS_CLOSED, 0, 0, NULL};
    lua_pop(L, 1);
  }
  return status->code != code;
}

/* Handles every result that is no success. */
static int failure(lua_State *L, ps_status status, const char *function) {
  if (status.code >= PS_MISUSED && !soften(L, &status, function))
    return ps_lua_misuse(L, status, function);
  if (status.code == PS_INTERRUPTED)
    return lua_error(L); /* the error of the hook, see interrupted */
  char buffer[PS_WORDS];
  lua_pushnil(L);
  lua_pushstring(L, ps_status_words(status, buffer));
  return 2;
}

static int ps_lua_done(lua_State *L, ps_status status, const char *function) {
  if (status.code != PS_OK) return failure(L, status, function);
  push_integer(L, 1);
  return 1;
}

static int ps_lua_nothing(lua_State *L, ps_status status, const char *function) {
  return status.code != PS_OK ? failure(L, status, function) : 0;
}

static int ps_lua_object_made(lua_State *L, const ps_object *object,
                              const char *function) {
  if (object->status.code != PS_OK) return failure(L, object->status, function);
  push_function(L, push_object);
  int error = protected(L, 0, 1);
  if (error != LUA_OK) ps_socket_free(object->socket, NULL);
  if (!has_memory(L, error))
    return failure(L, (ps_status){PS_NOMEMORY, 0, 0, NULL}, function);
  to_object(L, -1)->socket = object->socket;
  return 1;
}

/* ---- Bytes ---- */

/* Pushes the bytes of a view without its CRs. A short result is assembled on the C stack.
   For a long one the view is pushed as a string first, because allocating the memory for
   the result may run a finaliser that closes the socket. */
static void push_without_crs(lua_State *L, ps_bytes bytes) {
  char small[1024];
  bytes.head_size = 0;
  if (bytes.raw <= sizeof small) {
    ps_bytes_copy(&bytes, small);
    lua_pushlstring(L, small, bytes.size);
    return;
  }
  lua_pushlstring(L, bytes.data, bytes.raw);
  bytes.data = lua_tostring(L, -1);
  char *copy = push_userdata(L, bytes.size);
  ps_bytes_copy(&bytes, copy);
  lua_pushlstring(L, copy, bytes.size);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

/* The view first, for the same reason. */
static void push_both(lua_State *L, const ps_bytes *bytes) {
  /* Usually the only CR is at the end of the line. */
  if (bytes->raw > bytes->size && memchr(bytes->data, '\r', bytes->size) != NULL)
    push_without_crs(L, *bytes);
  else
    lua_pushlstring(L, bytes->size > 0 ? bytes->data : "", bytes->size);
  if (bytes->head_size == 0) return;
  lua_pushlstring(L, bytes->head, bytes->head_size);
  lua_insert(L, -2);
  lua_concat(L, 2);
}

static int push_large(lua_State *L) {
  push_both(L, lua_touserdata(L, 1));
  return 1;
}

static int push_data(lua_State *L) {
  const ps_data *data = lua_touserdata(L, 1);
  lua_pushlstring(L, data->data, data->size);
  return 1;
}

/* The same for versions in which a finaliser may close the socket before Lua copies the
   view. */
static int push_copy(lua_State *L, const ps_bytes *bytes) {
  char small[1024];
  ps_data copy = {small, ps_bytes_size(bytes)};
  char *large = copy.size <= sizeof small ? NULL : malloc(copy.size);
  if (copy.size > sizeof small && large == NULL) return 0;
  ps_bytes_copy(bytes, large != NULL ? large : small);
  if (large == NULL) {
    lua_pushlstring(L, small, copy.size);
    return 1;
  }
  copy.data = large;
  push_function(L, push_data);
  lua_pushlightuserdata(L, &copy);
  int error = protected(L, 1, 1);
  free(large);
  return has_memory(L, error);
}

/* Pushes the bytes of a view, which the caller then takes. Returns whether there was
   memory. For a short string the lack of memory raises Lua's error instead. */
static int push_view(lua_State *L, const ps_bytes *bytes) {
  if (COLLECTS_BEFORE_COPY) return push_copy(L, bytes);
  if (bytes->head_size + bytes->size <= LUAL_BUFFERSIZE) {
    push_both(L, bytes);
    return 1;
  }
  push_function(L, push_large);
  lua_pushlightuserdata(L, (void *)bytes);
  return has_memory(L, protected(L, 1, 1));
}

/* Removes the bytes of a view from the read buffer. Returns whether they were still
   there: a finaliser may have received them or freed the object. */
static int take(const ps_lua_object *object, const ps_bytes *bytes) {
  return object->socket != NULL && ps_socket_take(object->socket, bytes);
}

/* Pushes the bytes of a success and takes them, or does neither. Returns PS_OK, or the
   reason of the failure. */
static short push_success(lua_State *L, const ps_lua_object *object,
                          const ps_bytes *bytes, ps_lua_host *lent) {
  if (is_lent(lent, bytes))
    large_push(L, &lent->large, bytes->size);
  else if (!push_view(L, bytes))
    return PS_NOMEMORY;
  if (take(object, bytes)) return PS_OK;
  lua_pop(L, 1);
  return PS_BUSY;
}

/* Pushes a failure with its partial. The partial is made first and taken last, so that it
   is not lost when a finaliser runs or there is no memory for the words. */
static int push_failure(lua_State *L, const ps_lua_object *object, const ps_bytes *bytes,
                        ps_lua_host *lent, const char *function) {
  ps_status status = bytes->status;
  int large = is_lent(lent, bytes), there = 1;
  if (status.code >= PS_INTERRUPTED) return failure(L, status, function);
  if (large)
    large_push(L, &lent->large, bytes->size);
  else
    there = push_view(L, bytes);
  if (!there) status.code = PS_NOMEMORY;
  failure(L, status, function);
  if (there && (large || take(object, bytes)))
    lua_pushvalue(L, -3);
  else
    lua_pushliteral(L, "");
  return 3;
}

static int ps_lua_bytes(lua_State *L, const ps_lua_object *object, const ps_bytes *bytes,
                        ps_lua_host *lent, const char *function) {
  ps_status status = bytes->status;
  if (status.code != PS_OK) return push_failure(L, object, bytes, lent, function);
  status.code = push_success(L, object, bytes, lent);
  if (status.code == PS_OK) return 1;
  failure(L, status, function);
  lua_pushliteral(L, "");
  return 3;
}

/* The iterator of lines: its upvalues are the object and its ps_lines. */
static int next_piece(lua_State *L) {
  const ps_lua_object *object = lua_touserdata(L, lua_upvalueindex(1));
  const ps_lines *lines = lua_touserdata(L, lua_upvalueindex(2));
  ps_lua_host lent;
  ps_bytes bytes = ps_socket_next(object->socket, lines->pattern, lines->maxsize,
                                  ps_lua_lend(&lent, L));
  if (bytes.status.code == PS_OK)
    bytes.status.code = push_success(L, object, &bytes, &lent);
  if (bytes.status.code == PS_OK) return 1;
  if (bytes.status.code != PS_ENDED) {
    failure(L, bytes.status, "lines");
    luaL_where(L, 1); /* the line of the loop */
    lua_insert(L, -2);
    lua_concat(L, 2);
    return lua_error(L);
  }
  lua_pushnil(L);
  return 1;
}

static int ps_lua_lines(lua_State *L, const ps_lines *lines, const char *function) {
  if (lines->status.code != PS_OK) return failure(L, lines->status, function);
  lua_pushvalue(L, 1);
  ps_lines *kept = push_userdata(L, sizeof *kept);
  *kept = *lines;
  lua_pushcclosure(L, next_piece, 2);
  return 1;
}

/* ---- Numbers, texts and options ---- */

static int ps_lua_sent(lua_State *L, const ps_sent *sent, const char *function) {
  if (sent->status.code == PS_OK) {
    push_integer(L, sent->last);
    return 1;
  }
  failure(L, sent->status, function);
  push_integer(L, sent->last);
  return 3;
}

static int ps_lua_address(lua_State *L, const ps_address *address, const char *function) {
  if (address->status.code != PS_OK) return failure(L, address->status, function);
  lua_pushstring(L, address->ip);
  push_integer(L, address->port);
  lua_pushstring(L, address->family);
  return 3;
}

static int ps_lua_value(lua_State *L, const ps_value *result, const char *function) {
  if (result->status.code != PS_OK) return failure(L, result->status, function);
  put_option(L, &result->value);
  return 1;
}

static int ps_lua_detached(lua_State *L, const ps_detached *detached,
                           const char *function) {
  if (detached->status.code != PS_OK) return failure(L, detached->status, function);
  push_integer(L, detached->fd);
  return 1;
}

static int ps_lua_stats(lua_State *L, const ps_stats *stats) {
  push_integer(L, stats->received);
  push_integer(L, stats->sent);
  lua_pushnumber(L, stats->age);
  return 3;
}

static int ps_lua_limits(lua_State *L, const ps_limits *limits) {
  lua_pushnumber(L, limits->block);
  lua_pushnumber(L, limits->total);
  return 2;
}

static int ps_lua_left(lua_State *L, const ps_left *left) {
  if (left->seconds == INFINITY)
    lua_pushnil(L);
  else
    lua_pushnumber(L, left->seconds);
  return 1;
}

static int ps_lua_ready(lua_State *L, ps_status status, const ps_sockets *recvt,
                        const ps_sockets *sendt, const char *function) {
  if (status.code >= PS_MISUSED || status.code == PS_INTERRUPTED)
    return failure(L, status, function);
  int ready = status.code == PS_OK;
  ps_sockets none = {NULL, 0};
  push_ready(L, 1, ready ? recvt : &none);
  push_ready(L, 2, ready ? sendt : &none);
  if (ready) return 2;
  char buffer[PS_WORDS];
  lua_pushstring(L, ps_status_words(status, buffer));
  return 3;
}

/* ---- Names ---- */

static int ps_lua_hostname(lua_State *L, const ps_hostname *name, const char *function) {
  if (name->status.code != PS_OK) return failure(L, name->status, function);
  lua_pushstring(L, name->text);
  return 1;
}

/* The entries belong to the core, so tables of them are made in protected mode. */
static int push_resolved(lua_State *L) {
  put_resolved(L, lua_touserdata(L, 1));
  return 2;
}

static int push_addresses(lua_State *L) {
  put_addresses(L, lua_touserdata(L, 1));
  return 1;
}

static int push_names(lua_State *L) {
  put_names(L, lua_touserdata(L, 1));
  return 2;
}

/* Pushes a result in protected mode, and frees its entries. */
static int protect(lua_State *L, ps_status status, lua_CFunction push, const void *result,
                   ps_entry *first, ps_entry *second, const char *function) {
  int base = lua_gettop(L), error = LUA_OK;
  if (status.code == PS_OK) {
    push_function(L, push);
    lua_pushlightuserdata(L, (void *)result);
    error = protected(L, 1, LUA_MULTRET);
  }
  ps_resolved_free(first);
  ps_resolved_free(second);
  if (!has_memory(L, error)) status.code = PS_NOMEMORY;
  return status.code == PS_OK ? lua_gettop(L) - base : failure(L, status, function);
}

static int ps_lua_resolved(lua_State *L, const ps_resolved *result,
                           const char *function) {
  return protect(L, result->status, push_resolved, result, result->aliases, result->ips,
                 function);
}

static int ps_lua_addresses(lua_State *L, const ps_addresses *result,
                            const char *function) {
  return protect(L, result->status, push_addresses, result, result->entries, NULL,
                 function);
}

static int ps_lua_names(lua_State *L, const ps_names *result, const char *function) {
  return protect(L, result->status, push_names, result, result->names, NULL, function);
}

#endif
