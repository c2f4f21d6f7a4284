/* SPDX-License-Identifier: MIT */
/* Converts arguments on a Lua stack to values of the core. An invalid argument is raised
   by longjmp, so functions here must not allocate memory that Lua does not collect. */

#ifndef PS_LUA_ARGUMENTS_H
#define PS_LUA_ARGUMENTS_H

#include "object.h"

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
  lua_Number value;
  if (!to_number(L, index, &value)) bad(L, PS_MISUSE_NOTNUMBER, function, number, name);
  return value;
}

/* A number for a type in which NaN means "absent": a NaN from the program is misuse. */
static lua_Number ps_lua_given(lua_State *L, int index, const char *function, int number,
                               const char *name) {
  lua_Number value = ps_lua_number(L, index, function, number, name);
  if (isnan(value)) bad(L, PS_MISUSE_NAN, function, number, name);
  return value;
}

static long long ps_lua_integer(lua_State *L, int index, const char *function, int number,
                                const char *name) {
  long long value;
  if (!to_integer(L, index, &value)) bad(L, PS_MISUSE_NOTINTEGER, function, number, name);
  return value;
}

/* An integer; values beyond the range are clamped. */
static long long ps_lua_clamped(lua_State *L, int index, const char *function, int number,
                                const char *name) {
  lua_Number value;
  if (to_number(L, index, &value) && fabs(value) >= 0x1p53)
    return value < 0 ? -1 : LLONG_MAX;
  return ps_lua_integer(L, index, function, number, name);
}

static long long ps_lua_count(lua_State *L, int index, const char *function, int number,
                              const char *name) {
  long long value = ps_lua_integer(L, index, function, number, name);
  if (value < 0) bad(L, PS_MISUSE_COUNT, function, number, name);
  return value;
}

static ps_maxsize ps_lua_positive(lua_State *L, int index, const char *function,
                                  int number, const char *name) {
  long long value = ps_lua_integer(L, index, function, number, name);
  if (value < 1) bad(L, PS_MISUSE_POSITIVE, function, number, name);
  return (ps_maxsize)value;
}

static ps_most ps_lua_most(lua_State *L, int index, const char *function, int number,
                           const char *name) {
  return (ps_most)ps_lua_positive(L, index, function, number, name);
}

static ps_port ps_lua_port(lua_State *L, int index, const char *function, int number,
                           const char *name) {
  ps_port port = {NULL, 0};
  if (lua_type(L, index) == LUA_TSTRING)
    port.service = ps_lua_text(L, index, function, number, name);
  else if (!to_integer(L, index, &port.number))
    bad(L, PS_MISUSE_NOTPORT, function, number, name);
  return port;
}

/* Nil leaves the pattern unchanged. A text is compared with the patterns before it is
   converted to a number, which would cost more than the rest of receive. */
static void ps_lua_pattern(lua_State *L, int index, ps_pattern *pattern,
                           const char *function, int number, const char *name) {
  int type = lua_type(L, index);
  if (type == LUA_TNIL) return;
  if (type == LUA_TSTRING) {
    size_t size = 0;
    const char *letters = lua_tolstring(L, index, &size);
    *pattern = ps_pattern_of(letters, size);
    if (pattern->kind != '?') return;
  }
  long long count;
  if (to_integer(L, index, &count))
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

static void read_linger(lua_State *L, int index, ps_option *value) {
  lua_getfield(L, index, "on");
  value->type = lua_type(L, -1) == LUA_TBOOLEAN ? PS_LINGER : PS_NIL;
  value->flag = lua_toboolean(L, -1);
  lua_getfield(L, index, "timeout");
  if (!to_number(L, -1, &value->number)) value->number = NAN;
  lua_pop(L, 2);
}

static ps_option ps_lua_option(lua_State *L, int index, const char *function, int number,
                               const char *name) {
  ps_option value = {PS_NIL, 0, 0, 0, 0, {0}};
  if (lua_type(L, index) == LUA_TBOOLEAN) {
    value.type = PS_FLAG;
    value.flag = lua_toboolean(L, index);
  } else if (lua_isnumber(L, index)) {
    set_option_number(&value, lua_tonumber(L, index));
    value.integral = to_integer(L, index, &value.integer);
  } else if (lua_type(L, index) == LUA_TSTRING) {
    const char *text = ps_lua_text(L, index, function, number, name);
    short code = set_option_text(&value, text, strlen(text));
    if (code != 0) bad(L, code, function, number, name);
  } else if (lua_istable(L, index)) {
    read_linger(L, index, &value);
  }
  return value;
}

#endif
