/* SPDX-License-Identifier: MIT */
/* The ps_host of Lua: it runs the hook that a signal has set, and allocates memory for
   large strings. Also the protected calls that make results. */

#ifndef PS_LUA_HOST_H
#define PS_LUA_HOST_H

#include "large_strings.h"
#include "object.h"

typedef struct ps_lua_host {
  ps_host host;
  lua_State *L;
  large_string large;
} ps_lua_host;

/* ---- Signals ---- */

static int do_nothing(lua_State *L) {
  (void)L;
  return 0;
}

typedef struct hook_state {
  lua_State *L;
  lua_Hook hook; /* NULL: none */
  int mask, count;
} hook_state;

static hook_state hook_of(lua_State *L) {
  return (hook_state){L, lua_gethook(L), lua_gethookmask(L), lua_gethookcount(L)};
}

static void set_hook(hook_state state) {
  lua_sethook(state.L, state.hook, state.mask, state.count);
}

/* On a signal the standard interpreter sets a hook, which ends the program at the next
   event of the main coroutine only. When another coroutine waits, the hook must run
   there. Returns the hook of the main coroutine, or none. */
static hook_state borrow_hook(lua_State *L) {
  const int events = LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT;
  const hook_state none = {NULL, NULL, 0, 0};
  lua_State *main = main_of(L);
  if (main == NULL || main == L) return none;
  hook_state lent = hook_of(main);
  if (lent.hook == NULL || lent.hook == lua_gethook(L)) return none;
  if ((lent.mask & events) != events || lent.count != 1) return none;
  lua_sethook(L, lent.hook, lent.mask, lent.count);
  lua_sethook(main, NULL, 0, 0); /* so that it does not raise again there */
  return lent;
}

/* The interpreter's hook removes itself when it runs. One that is still set belongs to
   the program or a debugger, and is restored. */
static void give_back(hook_state own, hook_state lent) {
  if (lent.hook == NULL) return;
  int kept = lua_gethook(own.L) == lent.hook;
  set_hook(own);
  if (kept && lua_gethook(lent.L) == NULL) set_hook(lent);
}

/* Calls a function, because Lua runs a hook at a call. If the hook raises, its error
   stays on the stack. */
static int interrupted(ps_host *host) {
  lua_State *L = ((ps_lua_host *)host)->L;
  hook_state own = hook_of(L), lent = borrow_hook(L);
  pin(L, 1);
  push_function(L, do_nothing);
  int error = lua_pcall(L, 0, 0, 0);
  pin(L, -1);
  give_back(own, lent);
  return error != LUA_OK;
}

/* ---- Memory ---- */

static void *grow(ps_host *host, size_t size) {
  ps_lua_host *lent = (ps_lua_host *)host;
  return large_grow(lent->L, &lent->large, size);
}

static ps_host *ps_lua_lend(ps_lua_host *lent, lua_State *L) {
  *lent = (ps_lua_host){
      {NULL, NULL, interrupted, head_of_strings() > 0 ? grow : NULL, PS_HOST_HOLD},
      L,
      {NULL, 0}};
  return &lent->host;
}

/* Returns whether the result is in the memory of grow; if not, frees that memory. */
static int is_lent(ps_lua_host *lent, const ps_bytes *bytes) {
  if (lent->large.block == NULL) return 0;
  int used = bytes->data == lent->large.block + head_of_strings() &&
             bytes->status.code < PS_INTERRUPTED;
  if (!used) large_free(lent->L, &lent->large);
  return used;
}

/* ---- Protected calls ---- */

/* Calls a function that pushes a result, in protected mode and without the hook of the
   program, which could raise. Always pass the return value to has_memory. */
static int protected(lua_State *L, int arguments, int results) {
  lua_Hook hook = lua_gethook(L);
  int mask = lua_gethookmask(L), count = lua_gethookcount(L);
  if (hook != NULL) lua_sethook(L, NULL, 0, 0);
  int error = lua_pcall(L, arguments, results, 0);
  if (hook != NULL && lua_gethook(L) == NULL) lua_sethook(L, hook, mask, count);
  return error;
}

/* Returns whether there was memory. Any other error is raised again: it is that of a hook
   which a signal has set in the meantime. */
static int has_memory(lua_State *L, int error) {
  if (error == LUA_OK) return 1;
  if (error != LUA_ERRMEM) lua_error(L);
  lua_pop(L, 1);
  return 0;
}

#endif
