/* SPDX-License-Identifier: MIT */
/* What core/reader.c costs, without a clock: the compiler calls a function at each step
   from one basic block to the next, and the C library's functions count their bytes.
   Total cost has to be proportional to the bytes that came in, and memory stays in
   bounds. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define CHECK(condition) assert_true(condition)
#include "reader_test.h"

static struct {
  size_t blocks;                  /* basic blocks that were run */
  size_t searches, read, written; /* calls that search, bytes read and written */
} cost;

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void) { cost.blocks++; }

#include "counted.h"
#undef memchr
#undef memmem
#undef memcpy
#undef memmove
#undef memcmp

void *counted_memchr(const void *data, int byte, size_t size) {
  char *found = size == 0 ? NULL : memchr(data, byte, size);
  cost.searches++;
  cost.read += found == NULL ? size : (size_t)(found - (const char *)data) + 1;
  return found;
}

void *counted_memmem(const void *data, size_t size, const void *part, size_t length) {
  const char *at = data, *end = at + size;
  cost.searches++;
  for (; (size_t)(end - at) >= length; at++, cost.read++) {
    if (memcmp(at, part, length) != 0) continue;
    cost.read += length;
    return (void *)(size_t)at; /* as the C library's, it drops const */
  }
  cost.read += length;
  return NULL;
}

void *counted_memcpy(void *to, const void *from, size_t size) {
  cost.written += size;
  return memcpy(to, from, size);
}

void *counted_memmove(void *to, const void *from, size_t size) {
  cost.written += size;
  return memmove(to, from, size);
}

int counted_memcmp(const void *one, const void *other, size_t size) {
  cost.read += size;
  return memcmp(one, other, size);
}

static size_t total(void) {
  return cost.blocks + cost.read + cost.written + memory_copied;
}

static void begin(void) {
  memset(&cost, 0, sizeof cost);
  memory_copied = 0;
  memory_most = memory_bytes;
}

/* With a square of the bytes it would be MANY for each, and more. */
enum { MANY = 20000, EACH = 1000 };

/* Feeds bytes one by one and looks after each, as one call and as many. Calls also look
   when nothing has come. */
static void trickle(ps__wish wish, const char *bytes, size_t count, int calls) {
  ps__reader reader = {NULL};
  begin();
  for (size_t sent = 0; sent < count; sent++) {
    size_t size;
    *ps__reader_room(&reader, 64, ps__reader_bound(&wish), &size) =
        bytes[sent % strlen(bytes)];
    ps__reader_filled(&reader, 1);
    assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
    if (calls) assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
    wish.again = !calls;
  }
  assert_in_range(total(), count, count * EACH + wish.delimiter.size * EACH);
  ps__reader_clear(&reader);
}

static ps_data delimiter_of(char *memory, size_t size) {
  memset(memory, 'a', size);
  memory[size - 1] = 'b';
  return (ps_data){memory, size};
}

static void test_byte_by_byte(void **state) {
  (void)state;
  static char memory[MANY];
  for (int calls = 0; calls < 2; calls++) {
    ps__wish wish = {.kind = 'l', .limit = SIZE_MAX};
    trickle(wish, "a", MANY, calls);
    trickle(wish, "\r", MANY, calls);
    wish.limit = MANY;
    trickle(wish, "\r", MANY, calls);
    trickle(wish, "a\r", 2 * MANY, calls);
    trickle(wish, "aaaaaaa\r", MANY + MANY / 8, calls);
    wish.kind = 'L';
    wish.limit = MANY + 1;
    trickle(wish, "a", MANY, calls);
    wish = (ps__wish){.kind = 'u', .delimiter = {"\r\n.\r\n", 5}, .limit = SIZE_MAX};
    trickle(wish, "\r\n.\r", MANY, calls);
    trickle(wish, "x", MANY, calls);
    wish.delimiter = delimiter_of(memory, 64);
    trickle(wish, "a", MANY, calls);
  }
  ps__wish wish = {.kind = 'u', .limit = SIZE_MAX};
  wish.delimiter = delimiter_of(memory, MANY);
  trickle(wish, "a", 2 * MANY, 0);
  trickle(wish, "aaac", MANY, 0);
}

/* What is there is given in pieces of the limit: the rest is not searched for each. */
static void slices(ps__wish wish, const char *bytes, size_t size) {
  ps__reader reader = {NULL};
  size_t there;
  char *room = ps__reader_room(&reader, size, SIZE_MAX, &there);
  for (size_t i = 0; i < size; i++) room[i] = bytes[i % strlen(bytes)];
  ps__reader_filled(&reader, size);
  begin();
  for (;;) {
    ps__piece piece = look(&reader, &wish);
    if (piece.verdict == PS__MORE) break;
    assert_true(piece.used > 0);
    piece = ps__reader_flatten(&reader, piece);
    ps__reader_take(&reader, piece.used, 0);
  }
  assert_true(ps__reader_size(&reader) < 200);
  assert_in_range(total(), 0, size * EACH);
  ps__reader_clear(&reader);
}

static void test_slices(void **state) {
  (void)state;
  char memory[100];
  for (size_t limit = 1; limit <= 100; limit = limit * 3 + 1) {
    ps__wish wish = {.kind = 'l', .limit = limit};
    slices(wish, "a", MANY);
    slices(wish, "a\r", MANY);
    slices(wish, "\r", MANY);
    wish.kind = 'L';
    slices(wish, "a", MANY);
    wish.kind = 'a';
    slices(wish, "a", MANY);
    wish.kind = 'u';
    wish.delimiter = (ps_data){"--", 2};
    slices(wish, "-a", MANY);
    wish.delimiter = delimiter_of(memory, 30);
    slices(wish, "a", MANY);
    wish.delimiter = delimiter_of(memory, 100);
    slices(wish, "a", MANY);
  }
}

/* Short pieces in a large buffer: nothing is moved, and nothing searched behind them. */
static void test_short_pieces(void **state) {
  (void)state;
  static const char line[] = "a line of the usual length\r\n";
  static const char kinds[] = "lLnu";
  size_t size = sizeof line - 1, there;
  for (const char *kind = kinds; *kind != '\0'; kind++) {
    for (int limited = 0; limited < 2; limited++) {
      ps__wish wish = {.kind = *kind,
                       .count = size,
                       .delimiter = {"\n", 1},
                       .limit = limited ? 1000 : SIZE_MAX};
      ps__reader reader = {NULL};
      char *room = ps__reader_room(&reader, 1000 * size, SIZE_MAX, &there);
      for (int i = 0; i < 1000; i++) memcpy(room + i * size, line, size);
      ps__reader_filled(&reader, 1000 * size);
      begin();
      for (int i = 0; i < 1000; i++) {
        ps__piece piece = look(&reader, &wish);
        assert_int_equal(piece.verdict, PS__PIECE);
        ps__reader_take(&reader, piece.used, 0);
      }
      static const size_t searches[] = {2, 1, 0, 1};
      assert_int_equal(cost.searches, 1000 * searches[kind - kinds]);
      assert_in_range(cost.read, 0, 1000 * size * searches[kind - kinds]);
      assert_int_equal(cost.written, 0);
      assert_in_range(cost.blocks, 0, 1000 * (*kind == 'u' ? 200 : 100));
    }
  }
}

/* Portions that end in the middle of lines: what is left of a line moves to the front. */
static void test_stream_of_lines(void **state) {
  (void)state;
  ps__wish wish = {.kind = 'l', .limit = SIZE_MAX};
  ps__reader reader = {NULL};
  size_t came = 0, there;
  begin();
  while (came < 100 * MANY) {
    char *room = ps__reader_room(&reader, 4000, SIZE_MAX, &there);
    for (size_t i = 0; i < 3001; i++)
      room[i] = "some\rbytes in a line\n"[(came + i) % 21];
    ps__reader_filled(&reader, 3001);
    came += 3001;
    for (;;) {
      ps__piece piece = look(&reader, &wish);
      if (piece.verdict == PS__MORE) break;
      piece = ps__reader_flatten(&reader, piece);
      ps__reader_take(&reader, piece.used, 0);
    }
  }
  assert_in_range(memory_most, 4000, 9000);
  assert_in_range(total(), came, came * 20);
  ps__reader_clear(&reader);
}

/* A peer sends the same bytes for ever, and a caller reads on until it is answered.
   Returns the most memory that it took. */
static size_t flood(ps__wish wish, const char *bytes, ps__piece *piece) {
  enum { WANT = 512 };
  ps__reader reader = {NULL};
  begin();
  for (;;) {
    *piece = look(&reader, &wish);
    if (piece->verdict != PS__MORE) break;
    wish.again = 1;
    size_t size;
    char *room = ps__reader_room(&reader, WANT, ps__reader_bound(&wish), &size);
    assert_true(size >= WANT);
    for (size_t i = 0; i < size; i++) room[i] = bytes[i % strlen(bytes)];
    ps__reader_filled(&reader, size);
    assert_true(ps__reader_size(&reader) < 10 * MANY);
  }
  ps__reader_clear(&reader);
  return memory_most;
}

static void test_peer_cannot_fill_memory(void **state) {
  (void)state;
  enum { BESIDE = 1000 }; /* one portion, and the block's own members */
  ps__piece piece;
  ps__wish wish = {.kind = 'l', .limit = MANY};
  size_t copies = 2; /* the allocator always copies: both are there for a moment */
  assert_in_range(flood(wish, "x", &piece), MANY, copies * (2 * MANY + BESIDE));
  assert_int_equal(piece.size, MANY);
  assert_in_range(flood(wish, "\r", &piece), MANY, copies * (2 * MANY + BESIDE));
  assert_int_equal(piece.size, 0);
  assert_int_equal(piece.used, MANY);
  assert_in_range(flood(wish, "x\r", &piece), MANY, copies * (2 * MANY + BESIDE));
  assert_int_equal(piece.size, MANY);
  wish.kind = 'L';
  assert_in_range(flood(wish, "\r", &piece), MANY, copies * (MANY + BESIDE));
  wish.kind = 'a';
  assert_in_range(flood(wish, "\n", &piece), MANY, copies * (MANY + BESIDE));
  wish.kind = 'u';
  wish.delimiter = (ps_data){"xxxxxxxxxxy", 11};
  assert_in_range(flood(wish, "x", &piece), MANY, copies * (MANY + BESIDE));
  assert_int_equal(piece.size, MANY);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_byte_by_byte),
      cmocka_unit_test(test_slices),
      cmocka_unit_test(test_short_pieces),
      cmocka_unit_test(test_stream_of_lines),
      cmocka_unit_test(test_peer_cannot_fill_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
