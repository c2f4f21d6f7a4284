/* SPDX-License-Identifier: MIT */
/* Loads the module: its table, and the metatables of its objects. Only the functions that
   SWIG generates are used. Its classes share a registry table with those of other
   modules, their metamethods trust their arguments, and some members leak. */

#ifndef PS_LUA_MODULE_H
#define PS_LUA_MODULE_H

#include "luasocket.h"
#include "poller.h"

/* Adds functions to the table on top, except those whose names begin with an underscore.
 */
static void add_functions(lua_State *L, const swig_lua_method *functions) {
  for (; functions->name != NULL; functions++) {
    if (functions->name[0] == '_') continue;
    lua_pushcfunction(L, functions->func);
    lua_setfield(L, -2, functions->name);
  }
}

/* A class, the function that closes its objects, and its generated methods. */
typedef struct ps_lua_methods {
  const ps_lua_class *class;
  lua_CFunction close;
  const swig_lua_method *methods;
} ps_lua_methods;

/* Fills the metatable on top. */
static void fill_metatable(lua_State *L, const ps_lua_methods *class) {
  const swig_lua_method *methods = class->methods;
  lua_newtable(L);
  add_functions(L, methods);
  add_function(L, "close", class->close);
  lua_setfield(L, -2, "__index");
  for (; methods->name != NULL; methods++)
    if (strcmp(methods->name, "__tostring") == 0)
      add_function(L, methods->name, methods->func);
  add_function(L, "__close", class->close);
  add_function(L, "__gc", collect);
}

/* A second load of the module uses the same classes. */
static void add_class(lua_State *L, const ps_lua_methods *class) {
  get_registry(L, class->class);
  int there = !lua_isnil(L, -1);
  lua_pop(L, 1);
  if (there) return;
  lua_newtable(L);
  fill_metatable(L, class);
  set_registry(L, class->class);
}

static void keep_functions(lua_State *L) {
  static const lua_CFunction kept[] = {do_nothing, push_object,   push_large,
                                       push_data,  push_resolved, push_addresses,
                                       push_names, push_poller,   keep_member};
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) keep_function(L, kept[i]);
}

/* Pushes the module's table. The last entry of classes is NULL. */
static void ps_lua_open(lua_State *L, const swig_lua_method *functions,
                        const ps_lua_methods *classes) {
  find_string_head(L);
  keep_main(L);
  keep_functions(L);
  for (; classes->class != NULL; classes++) add_class(L, classes);
  lua_newtable(L);
  add_functions(L, functions);
  /* In a table of their own, because init.lua exports all functions of the module. */
  lua_createtable(L, 0, 2);
  add_function(L, "name", name_classes);
  add_function(L, "open", open_as_luasocket);
  lua_setfield(L, -2, "luasocket");
}

/* What SWIG generates is seen by this file alone, but for the function that loads it. */
#ifdef __GNUC__
#pragma GCC visibility push(hidden)
#endif
void SWIG_init_user(lua_State *L); /* calls ps_lua_open: see lang.i */
extern const char *SWIG_LUACODE;
#ifdef __GNUC__
#pragma GCC visibility pop
#endif

SWIGEXPORT int luaopen_polysock_core(lua_State *L) {
  SWIG_init_user(L);
  return 1;
}

/* SWIG's own loading function is not used, so it is static. */
#undef SWIG_init
#define SWIG_init open_generated
#undef SWIGEXPORT
#define SWIGEXPORT static

#endif
