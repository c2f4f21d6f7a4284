/* SPDX-License-Identifier: MIT */
/* What the tests of core/reader.c share: an allocator that counts and can be told to
   fail, and how bytes come in. */

#ifndef PS_READER_TEST_H
#define PS_READER_TEST_H

#include <stdlib.h>
#include <string.h>

#include "os.h"
#include "reader.h"

static size_t memory_blocks, memory_bytes, memory_most, memory_copied;
static size_t memory_bound; /* bytes that there are; 0: any number */
static int memory_fails; /* the n-th allocation from now on, and all after it; 0: none */
static int memory_failed;

static void *allocate(size_t size) {
  CHECK(size <= PTRDIFF_MAX); /* no more than memory can have */
  if (memory_fails > 0 && --memory_fails == 0) memory_fails = 1, memory_failed = 1;
  if (memory_fails > 0 && memory_failed) return NULL;
  if (memory_bound > 0 && size > memory_bound - memory_bytes) return NULL;
  size_t *block = malloc(sizeof *block * 2 + size); /* exact, for the sanitizers */
  if (block == NULL) return NULL;
  block[0] = size;
  memory_blocks++;
  memory_bytes += size;
  if (memory_bytes > memory_most) memory_most = memory_bytes;
  return block + 2;
}

/* Always moves, so that who keeps a pointer is found out. */
void *ps__os_realloc(void *memory, size_t size) {
  size_t *block = memory == NULL ? NULL : (size_t *)memory - 2;
  void *made = size == 0 ? NULL : allocate(size);
  if (size > 0 && made == NULL) return NULL;
  if (block == NULL) return made;
  size_t kept = block[0] < size ? block[0] : size;
  if (made != NULL) memcpy(made, memory, kept);
  memory_copied += kept;
  memory_blocks--;
  memory_bytes -= block[0];
  free(block);
  return made;
}

static inline void memory_fail_at(int count) {
  memory_fails = count;
  memory_failed = 0;
}

/* Does memory lie within the buffer's block? */
static inline int is_inside(const ps__reader *reader, const char *data, size_t size) {
  const size_t *block = (const size_t *)(const void *)reader->buffer - 2;
  const char *start = reader->buffer->data;
  size_t capacity = block[0] - (size_t)(start - (const char *)reader->buffer);
  return data >= start && size <= capacity && (size_t)(data - start) <= capacity - size;
}

static inline void feed(ps__reader *reader, const char *data, size_t size) {
  size_t there;
  char *room = ps__reader_room(reader, size + ps__reader_size(reader), SIZE_MAX, &there);
  CHECK(room != NULL && there >= size && is_inside(reader, room, there));
  memcpy(room, data, size);
  ps__reader_filled(reader, size);
}

static inline void feed_text(ps__reader *reader, const char *text) {
  feed(reader, text, strlen(text));
}

static inline ps__piece look(ps__reader *reader, const ps__wish *wish) {
  short code;
  ps__piece piece = ps__reader_look(reader, wish, &code);
  CHECK(code == PS_OK);
  return piece;
}

#endif
