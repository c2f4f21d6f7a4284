/* SPDX-License-Identifier: MIT */
/* Makes Lua strings of large results without a copy.

   Lua creates a string by copying bytes into a block from its allocator. While a large
   result becomes a string, this file replaces the allocator by one that returns the block
   into which the bytes were read: Lua then copies them onto themselves, which costs
   almost nothing. Without the second block a result of 300 MB takes less than half the
   time and half the memory.

   This is done from Lua 5.4 on, and only if a test when the module loads shows that
   strings are created this way. Before 5.4 a finaliser that raises would leave the
   replacement in place. (The external strings of 5.5 need the length before the bytes are
   read, and a call to free each, so they are no alternative.) */

#ifndef PS_LUA_LARGE_STRINGS_H
#define PS_LUA_LARGE_STRINGS_H

#include <lua.h>
#include <stdatomic.h>
#include <stdint.h>

#include "compat.h"

/* Memory for a string that does not exist yet. */
typedef struct large_string {
  char *block; /* NULL: there is none */
  size_t size;
} large_string;

/* The size of Lua's header before the bytes of a string in the same block; 0 if strings
   are not created as described. It is the same for all states. */
static atomic_size_t string_head;

static size_t head_of_strings(void) {
  return atomic_load_explicit(&string_head, memory_order_relaxed);
}

static void *large_grow(lua_State *L, large_string *large, size_t size) {
  size_t head = head_of_strings();
  if (size > PTRDIFF_MAX - head - 1) return NULL;
  void *data;
  lua_Alloc allocate = lua_getallocf(L, &data);
  size_t old = large->block != NULL ? large->size : LUA_TSTRING;
  char *block = allocate(data, large->block, old, head + size + 1);
  if (block == NULL) return NULL;
  large->block = block;
  large->size = head + size + 1;
  return block + head;
}

static void large_free(lua_State *L, large_string *large) {
  void *data;
  lua_Alloc allocate = lua_getallocf(L, &data);
  if (large->block != NULL) allocate(data, large->block, large->size, 0);
  large->block = NULL;
}

typedef struct stand_in {
  lua_Alloc allocate; /* the allocator of the state */
  void *data;
  size_t size; /* of the block */
  char *block; /* NULL: not allocated yet, or used */
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

/* Pushes length bytes that were read into the block. It allocates no memory. */
static void large_push(lua_State *L, large_string *large, size_t length) {
  size_t head = head_of_strings();
  if (large->size > head + length + 1) large_grow(L, large, length);
  stand_in in = {NULL, NULL, head + length + 1, large->block};
  set_allocator(L, give_block, &in);
  lua_pushlstring(L, large->block + head, length);
  lua_setallocf(L, in.allocate, in.data);
  large->block = in.block; /* not used: Lua had the same short string already */
  large_free(L, large);
}

enum { SAMPLE = 1000 }; /* bytes: long strings are not interned */

static int push_sample(lua_State *L) {
  char text[SAMPLE] = {0};
  lua_pushlstring(L, text, SAMPLE);
  return 1;
}

static void find_string_head(lua_State *L) {
  if (LUA_VERSION_NUM < 504) return;
  stand_in in = {NULL, NULL, SAMPLE, NULL};
  set_allocator(L, note_block, &in);
  lua_pushcfunction(L, push_sample);
  int error = lua_pcall(L, 0, 1, 0);
  lua_setallocf(L, in.allocate, in.data);
  if (error != LUA_OK) lua_error(L);
  size_t head = (size_t)((uintptr_t)lua_tostring(L, -1) - (uintptr_t)in.block);
  if (in.size == head + SAMPLE + 1) atomic_store(&string_head, head);
  lua_pop(L, 1);
}

#endif
