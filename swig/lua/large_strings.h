/* SPDX-License-Identifier: MIT */
/* Large results become strings of Lua without a copy.

   Lua makes a string by copying bytes into a block that it asks its allocator for. While
   a large result becomes a string, an allocator stands in for that one and gives the
   block into which the bytes were read: Lua copies them onto themselves, which costs
   nothing. Without a second block a result of 300 MB takes less than half of the time,
   and half of the memory.

   This is done from Lua 5.4 on, and only if a sample at loading shows that strings are
   made so. Before 5.4 a finaliser that raises would leave the stand-in in its place.
   (External strings of 5.5 want the length before the bytes are there, and cost a call to
   free each: they replace nothing here.) */

#ifndef PS_LUA_LARGE_STRINGS_H
#define PS_LUA_LARGE_STRINGS_H

#include <lua.h>
#include <stdatomic.h>
#include <stdint.h>

#include "compat.h"

/* Memory for a string, which belongs to nobody else until it is one. */
typedef struct large_string {
  char *block; /* NULL: there is none */
  size_t size;
} large_string;

/* How many bytes of Lua's are in front of those of a string, in one block; 0 where
   strings are not made as described. All states find the same. */
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

/* Pushes length bytes that were read into the block. It needs no more memory. */
static void large_push(lua_State *L, large_string *large, size_t length) {
  size_t head = head_of_strings();
  if (large->size > head + length + 1) large_grow(L, large, length);
  stand_in in = {NULL, NULL, head + length + 1, large->block};
  set_allocator(L, give_block, &in);
  lua_pushlstring(L, large->block + head, length);
  lua_setallocf(L, in.allocate, in.data);
  large->block = in.block; /* unless a short one was there already */
  large_free(L, large);
}

enum { SAMPLE = 1000 }; /* bytes, for a string that Lua does not look up */

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
