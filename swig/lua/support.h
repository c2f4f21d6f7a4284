/* SPDX-License-Identifier: MIT */
/* What the typemaps of lang.i call: arguments out of a Lua stack, results onto it. It
   makes no system call and keeps nothing between calls but what is in the Lua registry. A
   function that raises has allocated nothing that Lua does not collect. */

#ifndef PS_LUA_SUPPORT_H
#define PS_LUA_SUPPORT_H

#include <lauxlib.h>
#include <limits.h>
#include <lua.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "polysock.h"

/* LuaSocket ignores arguments that are too many, and so does this; one that is missed
   becomes nil, and is then misuse like any other. */
#undef SWIG_check_num_args
#define SWIG_check_num_args(name, least, most) \
  if (lua_gettop(L) < (least)) lua_settop(L, least);

/* The generator would put two functions of its own among Lua's globals. */
#undef SWIG_Lua_add_function
#define SWIG_Lua_add_function(L, name, function) (void)0

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

/* ---- The host ---- */

typedef struct ps_lua_host {
  ps_host host;
  lua_State *L;
  char *block; /* the memory that grow gave, or NULL: room for a string of Lua's */
  size_t size;
} ps_lua_host;

static int do_nothing(lua_State *L) {
  (void)L;
  return 0;
}

/* Lua runs the hook that a signal handler has set when a function is called, so one is
   called; an error of the hook is left on the stack. The stock interpreter sets its hook
   (every event, count 1) only in the main coroutine, so that one is handed on to the one
   that waits. */
static int interrupted(ps_host *host) {
  lua_State *L = ((ps_lua_host *)host)->L;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  lua_State *main = lua_tothread(L, -1);
  lua_pop(L, 1);
  int every = LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT;
  if (main != L && lua_gethook(L) == NULL && lua_gethookmask(main) == every &&
      lua_gethookcount(main) == 1) {
    lua_sethook(L, lua_gethook(main), every, 1);
    lua_sethook(main, NULL, 0, 0); /* or it would raise a second time there */
  }
  lua_pushcfunction(L, do_nothing);
  return lua_pcall(L, 0, 0, 0) != LUA_OK;
}

/* ---- Large strings ----

   Lua makes a string by copying bytes into a block that it asks its allocator for. While
   a large result becomes a string, an allocator stands in for that one and gives the
   block into which the bytes were read: Lua copies them onto themselves, which costs
   nothing. Without a second block a result of 300 MB takes less than half of the time,
   and half of the memory. */

typedef struct stand_in {
  lua_Alloc allocate; /* the one that is stood in for */
  void *data;
  size_t size; /* of the block */
  char *block; /* NULL: not yet made, or taken */
} stand_in;

static void *give_block(void *data, void *memory, size_t old, size_t size) {
  stand_in *in = data;
  if (memory != NULL || size != in->size || in->block == NULL)
    return in->allocate(in->data, memory, old, size);
  void *block = in->block;
  in->block = NULL;
  return block;
}

static void *note_block(void *data, void *memory, size_t old, size_t size) {
  stand_in *in = data;
  void *made = in->allocate(in->data, memory, old, size);
  if (memory == NULL && size > in->size && in->block == NULL) {
    in->block = made;
    in->size = size;
  }
  return made;
}

static void set_allocator(lua_State *L, lua_Alloc allocate, stand_in *in) {
  in->allocate = lua_getallocf(L, &in->data);
  lua_setallocf(L, allocate, in);
}

/* How many bytes of Lua's are in front of those of a string, in one block; 0 where
   strings are not made as described. All states find the same. */
static atomic_size_t string_head;

enum { SAMPLE = 1000 }; /* bytes, for a string that Lua does not look up */

static int push_sample(lua_State *L) {
  char text[SAMPLE] = {0};
  lua_pushlstring(L, text, SAMPLE);
  return 1;
}

static void find_string_head(lua_State *L) {
  stand_in in = {NULL, NULL, SAMPLE, NULL};
  set_allocator(L, note_block, &in);
  lua_pushcfunction(L, push_sample);
  int error = lua_pcall(L, 0, 1, 0);
  lua_setallocf(L, in.allocate, in.data);
  if (error != LUA_OK) lua_error(L);
  size_t head = (size_t)((uintptr_t)lua_tostring(L, -1) - (uintptr_t)in.block);
  /* Before 5.4 a finaliser that raises would leave the allocator as it must not stay. */
  if (LUA_VERSION_NUM >= 504 && in.size == head + SAMPLE + 1)
    atomic_store(&string_head, head);
  lua_pop(L, 1);
}

static void *grow(ps_host *host, size_t size) {
  ps_lua_host *lent = (ps_lua_host *)host;
  size_t head = atomic_load_explicit(&string_head, memory_order_relaxed);
  if (size > PTRDIFF_MAX - head - 1) return NULL;
  void *data;
  lua_Alloc allocate = lua_getallocf(lent->L, &data);
  size_t old = lent->block != NULL ? lent->size : LUA_TSTRING;
  char *block = allocate(data, lent->block, old, head + size + 1);
  if (block == NULL) return NULL;
  lent->block = block;
  lent->size = head + size + 1;
  return block + head;
}

static void drop(ps_lua_host *lent) {
  void *data;
  lua_Alloc allocate = lua_getallocf(lent->L, &data);
  if (lent->block != NULL) allocate(data, lent->block, lent->size, 0);
  lent->block = NULL;
}

/* Does: frees what grow gave if the result is not in it.
   Returns: whether it is. */
static int is_lent(ps_lua_host *lent, const ps_bytes *bytes) {
  if (lent->block == NULL) return 0;
  size_t head = atomic_load_explicit(&string_head, memory_order_relaxed);
  int used = bytes->data == lent->block + head && bytes->status.code < PS_INTERRUPTED;
  if (!used) drop(lent);
  return used;
}

/* Does: pushes what was read into the memory that grow gave. It needs no more memory. */
static void push_lent(ps_lua_host *lent, size_t length) {
  size_t head = atomic_load_explicit(&string_head, memory_order_relaxed);
  if (lent->size > head + length + 1) grow(&lent->host, length);
  stand_in in = {NULL, NULL, head + length + 1, lent->block};
  set_allocator(lent->L, give_block, &in);
  lua_pushlstring(lent->L, lent->block + head, length);
  lua_setallocf(lent->L, in.allocate, in.data);
  lent->block = in.block; /* unless a short one was there already */
  drop(lent);
}

static ps_host *ps_lua_lend(ps_lua_host *lent, lua_State *L) {
  int lends = atomic_load_explicit(&string_head, memory_order_relaxed) > 0;
  *lent = (ps_lua_host){
      {NULL, NULL, interrupted, lends ? grow : NULL, PS_HOST_HOLD}, L, NULL, 0};
  return &lent->host;
}

/* ---- Arguments ---- */

/* The address of this variable is the key of the socket's metatable in the registry. */
static const char metatable_key = 0;

/* An object is known by the type that the generator has written into it, the address of a
   variable of this module. A comparison of metatables made a call without input or output
   take 710 instructions instead of 434. */
static swig_lua_userdata *to_object(lua_State *L, int index) {
  swig_lua_userdata *object = lua_touserdata(L, index);
  /* A light userdata has no length. */
  int ours = object != NULL && lua_rawlen(L, index) == sizeof *object &&
             object->type == SWIGTYPE_p_ps_socket;
  return ours ? object : NULL;
}

/* Returns: the socket; NULL for what is no object of ours, or one that was collected. */
static ps_socket *to_socket(lua_State *L, int index) {
  const swig_lua_userdata *object = to_object(L, index);
  return object != NULL ? object->ptr : NULL;
}

static ps_socket *ps_lua_self(lua_State *L, int index, const char *function) {
  ps_socket *self = to_socket(L, index);
  if (self == NULL) {
    ps_status status = {PS_MISUSE_NOTOBJECT, 0, 0, NULL};
    ps_lua_misuse(L, status, function);
  }
  return self;
}

static const char *ps_lua_text(lua_State *L, int index, const char *function, int number,
                               const char *name) {
  size_t size = 0;
  const char *text = lua_tolstring(L, index, &size);
  if (text == NULL) bad(L, PS_MISUSE_NOTTEXT, function, number, name);
  if (strlen(text) != size) bad(L, PS_MISUSE_NULBYTE, function, number, name);
  return text;
}

static lua_Number ps_lua_number(lua_State *L, int index, const char *function, int number,
                                const char *name) {
  int good = 0;
  lua_Number value = lua_tonumberx(L, index, &good);
  if (!good) bad(L, PS_MISUSE_NOTNUMBER, function, number, name);
  return value;
}

/* A number for a type in which NaN has a meaning of its own. */
static lua_Number ps_lua_given(lua_State *L, int index, const char *function, int number,
                               const char *name) {
  lua_Number value = ps_lua_number(L, index, function, number, name);
  if (isnan(value)) bad(L, PS_MISUSE_NAN, function, number, name);
  return value;
}

static lua_Integer ps_lua_integer(lua_State *L, int index, const char *function,
                                  int number, const char *name) {
  int good = 0;
  lua_Integer value = lua_tointegerx(L, index, &good);
  if (!good) bad(L, PS_MISUSE_NOTINTEGER, function, number, name);
  return value;
}

static lua_Integer ps_lua_count(lua_State *L, int index, const char *function, int number,
                                const char *name) {
  lua_Integer value = ps_lua_integer(L, index, function, number, name);
  if (value < 0) bad(L, PS_MISUSE_COUNT, function, number, name);
  return value;
}

static ps_maxsize ps_lua_positive(lua_State *L, int index, const char *function,
                                  int number, const char *name) {
  lua_Integer value = ps_lua_integer(L, index, function, number, name);
  if (value < 1) bad(L, PS_MISUSE_POSITIVE, function, number, name);
  return (ps_maxsize)value;
}

static ps_port ps_lua_port(lua_State *L, int index, const char *function, int number,
                           const char *name) {
  ps_port port = {NULL, 0};
  if (lua_type(L, index) == LUA_TSTRING) {
    port.service = ps_lua_text(L, index, function, number, name);
  } else {
    int good = 0;
    port.number = lua_tointegerx(L, index, &good);
    if (!good) bad(L, PS_MISUSE_NOTPORT, function, number, name);
  }
  return port;
}

/* Nil leaves the pattern as it is. A text is looked up before it is tried as a number,
   which costs more than the rest of receive. */
static void ps_lua_pattern(lua_State *L, int index, ps_pattern *pattern,
                           const char *function, int number, const char *name) {
  int type = lua_type(L, index), good = 0;
  if (type == LUA_TNIL) return;
  if (type == LUA_TSTRING) {
    size_t size = 0;
    const char *letters = lua_tolstring(L, index, &size);
    *pattern = ps_pattern_of(letters, size);
    if (pattern->kind != '?') return;
  }
  lua_Integer count = lua_tointegerx(L, index, &good);
  if (good)
    *pattern = PS_COUNT(count);
  else if (type != LUA_TSTRING || lua_isnumber(L, index))
    bad(L, PS_MISUSE_NOTPATTERN, function, number, name);
}

static ps_data ps_lua_data(lua_State *L, int index, const char *function, int number,
                           const char *name) {
  ps_data data = {NULL, 0};
  data.data = lua_tolstring(L, index, &data.size);
  if (data.data == NULL) bad(L, PS_MISUSE_NOTBYTES, function, number, name);
  return data;
}

static ps_option ps_lua_option(lua_State *L, int index, const char *function, int number,
                               const char *name) {
  ps_option value = {PS_NIL, 0, 0, 0, 0, {0}};
  if (lua_type(L, index) == LUA_TBOOLEAN) {
    value.type = PS_FLAG;
    value.flag = lua_toboolean(L, index);
  } else if (lua_isnumber(L, index)) {
    value.type = PS_NUMBER;
    value.number = lua_tonumber(L, index);
    value.integer = lua_tointegerx(L, index, &value.integral);
  } else if (lua_type(L, index) == LUA_TSTRING) {
    value.type = PS_TEXT;
    const char *text = ps_lua_text(L, index, function, number, name);
    if (strlen(text) >= sizeof value.text)
      bad(L, PS_MISUSE_TOOLONG, function, number, name);
    strcpy(value.text, text);
  } else if (lua_type(L, index) == LUA_TTABLE) {
    int good = 0;
    value.type = PS_LINGER;
    if (lua_getfield(L, index, "on") != LUA_TBOOLEAN) value.type = PS_NIL;
    value.flag = lua_toboolean(L, -1);
    lua_getfield(L, index, "timeout");
    value.number = lua_tonumberx(L, -1, &good);
    if (!good) value.number = NAN;
    lua_pop(L, 2);
  }
  return value;
}

/* ---- Sets of sockets ---- */

/* Does: asks an object that is no socket of ours, as LuaSocket does, with the method on
   top. Leaves the stack as it was, but for the method. */
static void ask(lua_State *L, int object, const char *method, int *answered) {
  *answered = 0;
  int type = lua_type(L, object);
  if (type != LUA_TTABLE && type != LUA_TUSERDATA) {
    lua_pushnil(L);
  } else if (type == LUA_TUSERDATA && !luaL_getmetafield(L, object, "__index")) {
    lua_pushnil(L);
  } else {
    if (type == LUA_TUSERDATA) lua_pop(L, 1);
    lua_getfield(L, object, method);
    if (!lua_isnil(L, -1)) {
      lua_pushvalue(L, object);
      lua_call(L, 1, 1);
      *answered = 1;
    }
  }
}

static ps_watch watch_of(lua_State *L, int object, int writable) {
  ps_watch watch = {.fd = -1, .socket = to_socket(L, object)};
  if (watch.socket != NULL) return watch;
  if (to_object(L, object) != NULL) return watch; /* a collected one: see close_object */
  int answered = 0, number = 0;
  ask(L, object, "getfd", &answered);
  lua_Number fd = lua_tonumberx(L, -1, &number);
  lua_pop(L, 1);
  if (!answered || !number || !(fd >= 0 && fd <= 2147483647)) return watch;
  watch.fd = (int)fd;
  if (writable) return watch;
  ask(L, object, "dirty", &answered);
  watch.buffered = (char)(answered && lua_toboolean(L, -1));
  lua_pop(L, 1);
  return watch;
}

/* Does: makes room on the stack for what an argument pushes, above all arguments: those
   that are absent would take it for theirs. */
static void ps_lua_pad(lua_State *L) { lua_settop(L, LUA_MINSTACK / 2); }

/* The watches are in a userdata that stays on the stack until the call is over, and so
   does a table of the members in place of the argument: whatever the program does to its
   own one meanwhile, no member is collected. */
static ps_sockets sockets_of(lua_State *L, int index, const char *function, int number,
                             const char *name, int writable) {
  ps_sockets sockets = {NULL, 0};
  if (lua_isnil(L, index)) return sockets;
  if (!lua_istable(L, index)) bad(L, PS_MISUSE_NOTSOCKETS, function, number, name);
  size_t count = lua_rawlen(L, index);
  lua_createtable(L, (int)(count < INT_MAX ? count : 0), 0);
  for (lua_Integer i = 1; i <= (lua_Integer)count; i++) {
    lua_rawgeti(L, index, i);
    lua_rawseti(L, -2, i);
  }
  lua_replace(L, index);
  sockets.watches = lua_newuserdatauv(L, (count + 1) * sizeof(ps_watch), 0);
  sockets.count = count;
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, index, (lua_Integer)i + 1);
    sockets.watches[i] = watch_of(L, lua_gettop(L), writable);
    lua_pop(L, 1);
  }
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

/* ---- Results ---- */

/* Does: what every result that is no success does. */
static int failure(lua_State *L, ps_status status, const char *function) {
  if (status.code >= PS_MISUSED) return ps_lua_misuse(L, status, function);
  if (status.code == PS_INTERRUPTED)
    return lua_error(L); /* the hook's, see interrupted */
  char buffer[PS_WORDS];
  lua_pushnil(L);
  lua_pushstring(L, ps_status_words(status, buffer));
  return 2;
}

static int ps_lua_done(lua_State *L, ps_status status, const char *function) {
  if (status.code != PS_OK) return failure(L, status, function);
  lua_pushinteger(L, 1);
  return 1;
}

static int ps_lua_nothing(lua_State *L, ps_status status, const char *function) {
  return status.code != PS_OK ? failure(L, status, function) : 0;
}

/* Does: calls what pushes a result, without the program's hook, which could raise here.
   Returns: how that ended; be sure to pass it to has_memory. */
static int protected(lua_State *L, int arguments, int results) {
  lua_Hook hook = lua_gethook(L);
  int mask = lua_gethookmask(L), count = lua_gethookcount(L);
  if (hook != NULL) lua_sethook(L, NULL, 0, 0);
  int error = lua_pcall(L, arguments, results, 0);
  if (hook != NULL && lua_gethook(L) == NULL) lua_sethook(L, hook, mask, count);
  return error;
}

/* Does: lets any error go on but the lack of memory: a signal has set its hook just then.
   Returns: whether there was memory. */
static int has_memory(lua_State *L, int error) {
  if (error == LUA_OK) return 1;
  if (error != LUA_ERRMEM) lua_error(L);
  lua_pop(L, 1);
  return 0;
}

static int push_object(lua_State *L) {
  swig_lua_userdata *made = lua_newuserdatauv(L, sizeof *made, 0);
  *made = (swig_lua_userdata){lua_touserdata(L, 2), 0, lua_touserdata(L, 1)};
  lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key);
  lua_setmetatable(L, -2);
  made->own = 1; /* the last step: until then the caller owns the socket */
  return 1;
}

static int ps_lua_object(lua_State *L, const ps_object *object, const char *function) {
  if (object->status.code != PS_OK) return failure(L, object->status, function);
  lua_pushcfunction(L, push_object);
  lua_pushlightuserdata(L, object->socket);
  lua_pushlightuserdata(L, SWIGTYPE_p_ps_socket);
  int error = protected(L, 2, 1);
  if (error != LUA_OK) ps_socket_free(object->socket, NULL);
  if (has_memory(L, error)) return 1;
  return failure(L, (ps_status){PS_NOMEMORY, 0, 0, NULL}, function);
}

/* The view first: a finaliser may run when a string is made, and close the socket. */
static void push_both(lua_State *L, const ps_bytes *bytes) {
  if (bytes->raw > bytes->size) {
    luaL_Buffer buffer;
    char *memory = luaL_buffinitsize(L, &buffer, ps_bytes_size(bytes));
    ps_bytes_copy(bytes, memory);
    luaL_pushresultsize(&buffer, ps_bytes_size(bytes));
    return;
  }
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

/* Does: pushes the bytes of a view, which are to be taken then. A small string for which
   there is no memory is Lua's own error.
   Returns: whether there was memory. */
static int push_view(lua_State *L, const ps_bytes *bytes) {
  if (bytes->head_size + bytes->size <= LUAL_BUFFERSIZE) {
    push_both(L, bytes);
    return 1;
  }
  lua_pushcfunction(L, push_large);
  lua_pushlightuserdata(L, (void *)bytes);
  return has_memory(L, protected(L, 1, 1));
}

/* Does: pushes the bytes of a success and takes them, or neither.
   Returns: PS_OK, or why it did neither. */
static short push_success(lua_State *L, ps_socket *socket, const ps_bytes *bytes,
                          ps_lua_host *lent) {
  if (is_lent(lent, bytes))
    push_lent(lent, bytes->size);
  else if (!push_view(L, bytes))
    return PS_NOMEMORY;
  if (ps_socket_take(socket, bytes)) return PS_OK;
  lua_pop(L, 1);
  return PS_BUSY; /* a finaliser has received them */
}

/* Does: pushes a failure with its partial. That comes first and is taken last: neither a
   finaliser nor the lack of memory for the words does harm then. */
static int push_failure(lua_State *L, ps_socket *socket, const ps_bytes *bytes,
                        ps_lua_host *lent, const char *function) {
  ps_status status = bytes->status;
  int large = is_lent(lent, bytes), there = 1;
  if (status.code >= PS_INTERRUPTED) return failure(L, status, function);
  if (large)
    push_lent(lent, bytes->size);
  else
    there = push_view(L, bytes);
  if (!there) status.code = PS_NOMEMORY;
  failure(L, status, function);
  if (there && (large || ps_socket_take(socket, bytes)))
    lua_pushvalue(L, -3);
  else
    lua_pushliteral(L, "");
  return 3;
}

static int ps_lua_bytes(lua_State *L, ps_socket *socket, const ps_bytes *bytes,
                        ps_lua_host *lent, const char *function) {
  ps_status status = bytes->status;
  if (status.code != PS_OK) return push_failure(L, socket, bytes, lent, function);
  status.code = push_success(L, socket, bytes, lent);
  if (status.code == PS_OK) return 1;
  failure(L, status, function);
  lua_pushliteral(L, "");
  return 3;
}

/* The iterator of lines: its upvalues are the socket and the pattern. */
static int next_piece(lua_State *L) {
  ps_socket *socket = ((swig_lua_userdata *)lua_touserdata(L, lua_upvalueindex(1)))->ptr;
  const ps_lines *lines = lua_touserdata(L, lua_upvalueindex(2));
  ps_lua_host lent;
  ps_bytes bytes =
      ps_socket_next(socket, lines->pattern, lines->maxsize, ps_lua_lend(&lent, L));
  if (bytes.status.code == PS_OK)
    bytes.status.code = push_success(L, socket, &bytes, &lent);
  if (bytes.status.code == PS_OK) return 1;
  drop(&lent);
  if (bytes.status.code != PS_ENDED) {
    failure(L, bytes.status, "lines");
    return lua_error(L);
  }
  lua_pushnil(L);
  return 1;
}

static int ps_lua_lines(lua_State *L, const ps_lines *lines, const char *function) {
  if (lines->status.code != PS_OK) return failure(L, lines->status, function);
  lua_pushvalue(L, 1);
  ps_lines *kept = lua_newuserdatauv(L, sizeof *kept, 0);
  *kept = *lines;
  lua_pushcclosure(L, next_piece, 2);
  return 1;
}

static int ps_lua_sent(lua_State *L, const ps_sent *sent, const char *function) {
  if (sent->status.code == PS_OK) {
    lua_pushinteger(L, sent->last);
    return 1;
  }
  failure(L, sent->status, function);
  lua_pushinteger(L, sent->last);
  return 3;
}

static int ps_lua_address(lua_State *L, const ps_address *address, const char *function) {
  if (address->status.code != PS_OK) return failure(L, address->status, function);
  lua_pushstring(L, address->ip);
  lua_pushinteger(L, address->port);
  lua_pushstring(L, address->family);
  return 3;
}

static int ps_lua_value(lua_State *L, const ps_value *result, const char *function) {
  if (result->status.code != PS_OK) return failure(L, result->status, function);
  const ps_option *value = &result->value;
  switch (value->type) {
    case PS_FLAG:
      lua_pushboolean(L, value->flag);
      break;
    case PS_NUMBER:
      if (value->integral)
        lua_pushinteger(L, value->integer);
      else
        lua_pushnumber(L, value->number);
      break;
    case PS_TEXT:
      lua_pushstring(L, value->text);
      break;
    case PS_LINGER:
      lua_createtable(L, 0, 2);
      lua_pushboolean(L, value->flag);
      lua_setfield(L, -2, "on");
      lua_pushinteger(L, value->integer);
      lua_setfield(L, -2, "timeout");
      break;
    default:
      lua_pushnil(L);
      break;
  }
  return 1;
}

static int ps_lua_detached(lua_State *L, const ps_detached *detached,
                           const char *function) {
  if (detached->status.code != PS_OK) return failure(L, detached->status, function);
  lua_pushinteger(L, detached->fd);
  return 1;
}

static int ps_lua_stats(lua_State *L, const ps_stats *stats) {
  lua_pushinteger(L, stats->received);
  lua_pushinteger(L, stats->sent);
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

/* Does: pushes a table of the ready ones, keyed by position and by object. */
static void push_ready(lua_State *L, int index, const ps_sockets *sockets) {
  lua_newtable(L);
  lua_Integer found = 0;
  for (size_t i = 0; i < sockets->count; i++) {
    const ps_watch *watch = &sockets->watches[i];
    if (!watch->ready) continue;
    lua_rawgeti(L, index, (lua_Integer)i + 1);
    lua_pushvalue(L, -1);
    int twice = lua_rawget(L, -3) != LUA_TNIL;
    lua_pop(L, 1);
    if (twice) { /* named twice it is ready once */
      lua_pop(L, 1);
      continue;
    }
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, ++found);
    lua_pushinteger(L, found);
    lua_rawset(L, -3);
  }
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

static int ps_lua_hostname(lua_State *L, const ps_hostname *name, const char *function) {
  if (name->status.code != PS_OK) return failure(L, name->status, function);
  lua_pushstring(L, name->text);
  return 1;
}

/* Entries come from the core and are not Lua's, so what builds tables of them runs
 * protected. */
static void push_entries(lua_State *L, const ps_entry *entries, int families) {
  lua_newtable(L);
  for (lua_Integer i = 1; entries != NULL; entries = entries->next, i++) {
    if (families) {
      lua_createtable(L, 0, 2);
      lua_pushstring(L, entries->family);
      lua_setfield(L, -2, "family");
      lua_pushstring(L, entries->text);
      lua_setfield(L, -2, "addr");
    } else {
      lua_pushstring(L, entries->text);
    }
    lua_rawseti(L, -2, i);
  }
}

static int push_resolved(lua_State *L) {
  const ps_resolved *resolved = lua_touserdata(L, 1);
  lua_pushstring(L, resolved->text);
  lua_createtable(L, 0, 3);
  lua_pushstring(L, resolved->name);
  lua_setfield(L, -2, "name");
  push_entries(L, resolved->aliases, 0);
  lua_setfield(L, -2, "alias");
  push_entries(L, resolved->ips, 0);
  lua_setfield(L, -2, "ip");
  return 2;
}

static int push_addresses(lua_State *L) {
  push_entries(L, ((const ps_addresses *)lua_touserdata(L, 1))->entries, 1);
  return 1;
}

static int push_names(lua_State *L) {
  const ps_names *names = lua_touserdata(L, 1);
  push_entries(L, names->names, 0);
  if (names->service[0] == '\0') return 1;
  lua_pushstring(L, names->service);
  return 2;
}

/* Does: pushes a result by a protected call, and frees its entries. */
static int protect(lua_State *L, ps_status status, lua_CFunction push, const void *result,
                   ps_entry *first, ps_entry *second, const char *function) {
  int base = lua_gettop(L), error = LUA_OK;
  if (status.code == PS_OK) {
    lua_pushcfunction(L, push);
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

/* ---- Loading ---- */

/* An object may be used after it was collected: by the finaliser of another one. It is
   closed then, and closing it again is fine. */
static int close_object(lua_State *L) {
  if (to_object(L, 1) == NULL) ps_lua_self(L, 1, "Socket_close");
  ps_socket *self = to_socket(L, 1);
  if (self != NULL) ps_socket_close(self, NULL);
  lua_pushinteger(L, 1);
  return 1;
}

static int collect(lua_State *L) {
  swig_lua_userdata *object = to_object(L, 1);
  if (object == NULL || !object->own) return 0;
  ps_socket *self = object->ptr;
  object->own = 0;
  object->ptr = NULL;
  ps_socket_free(self, NULL);
  return 0;
}

/* Does: what LuaSocket does to a process that loads it. polysock has no need of it, but
   code written for LuaSocket has: LuaSec writes to the descriptors by itself, where only
   the process can be kept from SIGPIPE. Only luasocket.lua calls it. */
static int open_as_luasocket(lua_State *L) {
  (void)L;
#ifdef SIGPIPE
  signal(SIGPIPE, SIG_IGN);
#endif
  return 0;
}

/* Does: finishes the class that the generator has made. Its __index is a function, three
   times slower than the table of methods that replaces it here. */
static void ps_lua_open(lua_State *L) {
  find_string_head(L);
  /* A table, since init.lua offers all functions of the module. */
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, open_as_luasocket);
  lua_setfield(L, -2, "open");
  lua_setfield(L, -2, "luasocket");
  SWIG_Lua_get_class_metatable(L, "Socket");
  lua_getfield(L, -1, ".fn");
  lua_pushliteral(L, "tcp"); /* as LuaSocket's objects have it, but for the kind */
  lua_setfield(L, -2, "class");
  lua_pushcfunction(L, close_object);
  lua_setfield(L, -2, "close");
  lua_pushnil(L);
  lua_setfield(L, -2, "__disown"); /* the generator's: it would leak */
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, close_object);
  lua_setfield(L, -2, "__close");
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &metatable_key);
}

/* The generator's part of loading fills tables that all states share, and takes no care
   of two states that load the module at once: this function, which Lua calls, does. A
   finaliser that runs meanwhile cannot load it, too. */
#undef SWIG_init
#define SWIG_init ps_lua_open_generated
SWIGEXPORT int SWIG_init(lua_State *L);

SWIGEXPORT int luaopen_polysock_core(lua_State *L) {
  static atomic_flag loading = ATOMIC_FLAG_INIT;
  static _Thread_local int here;
  if (here) return luaL_error(L, "polysock is being loaded");
  while (atomic_flag_test_and_set(&loading)) continue;
  here = 1;
  lua_pushcfunction(L, SWIG_init);
  int error = lua_pcall(L, 0, 1, 0);
  here = 0;
  atomic_flag_clear(&loading);
  return error == LUA_OK ? 1 : lua_error(L);
}

#endif
