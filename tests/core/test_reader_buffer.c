/* SPDX-License-Identifier: MIT */
/* The buffer of core/reader.c: how it grows, moves and goes, and what there is when
   memory is not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define CHECK(condition) assert_true(condition)
#include "reader_test.h"

static const ps__wish line = {.kind = 'l', .limit = SIZE_MAX};

/* The bytes that are moved are the fewer ones, and what is behind stays as it was. */
static void test_flatten(void **state) {
  (void)state;
  static const char *const behind[] = {"", "x", "much more than what is in front"};
  for (size_t i = 0; i < 3; i++) {
    ps__reader reader = {NULL};
    feed_text(&reader, "\ra\rb\rc\r\n");
    feed_text(&reader, behind[i]);
    const char *before = ps__reader_data(&reader);
    ps__piece piece = ps__reader_flatten(&reader, look(&reader, &line));
    assert_memory_equal(ps__reader_data(&reader), "abc", 3);
    assert_int_equal(ps__reader_data(&reader) - before, i < 2 ? 0 : 3);
    ps__reader_take(&reader, piece.used, 0);
    assert_int_equal(ps__reader_size(&reader), strlen(behind[i]));
    if (*behind[i] != '\0')
      assert_memory_equal(ps__reader_data(&reader), behind[i], strlen(behind[i]));
    ps__reader_clear(&reader);
  }
  ps__reader reader = {NULL};
  feed_text(&reader, "\r\r");
  ps__piece piece = ps__reader_flatten(&reader, ps__reader_rest(&reader, &line, 0));
  assert_int_equal(piece.size, 0);
  ps__reader_take(&reader, piece.used, 0);
  assert_null(reader.buffer);
}

static void test_buffer_exists_while_it_holds_bytes(void **state) {
  (void)state;
  ps__reader reader = {NULL};
  size_t size;
  assert_int_equal(ps__reader_size(&reader), 0);
  assert_null(ps__reader_data(&reader));
  assert_non_null(ps__reader_room(&reader, 10, SIZE_MAX, &size));
  ps__reader_filled(&reader, 0);
  assert_null(reader.buffer);
  feed_text(&reader, "abc");
  ps__reader_take(&reader, 2, 0);
  assert_int_equal(*ps__reader_data(&reader), 'c');
  const char *view = ps__reader_data(&reader);
  ps__reader_take(&reader, 1, 1); /* the view stays */
  assert_int_equal(ps__reader_size(&reader), 0);
  assert_int_equal(*view, 'c');
  ps__reader_take(&reader, 0, 0);
  assert_null(reader.buffer);
  ps__reader_take(&reader, 0, 0);
  ps__reader_clear(&reader);
  assert_int_equal(memory_blocks, 0);
}

static void test_split(void **state) {
  (void)state;
  ps__reader reader = {NULL};
  short code;
  assert_null(ps__reader_split(&reader, &code));
  assert_int_equal(code, PS_OK);
  feed_text(&reader, "view|rest");
  const char *view = ps__reader_data(&reader);
  ps__reader_take(&reader, 5, 1);
  memory_fail_at(1);
  assert_null(ps__reader_split(&reader, &code));
  assert_int_equal(code, PS_NOMEMORY);
  memory_fail_at(0);
  struct ps__buffer *old = ps__reader_split(&reader, &code);
  assert_int_equal(code, PS_OK);
  feed_text(&reader, "!");
  assert_memory_equal(view, "view|", 5);
  assert_memory_equal(ps__reader_data(&reader), "rest!", 5);
  ps__os_realloc(old, 0);
  ps__reader_take(&reader, 5, 1);
  old = ps__reader_split(&reader, &code);
  assert_non_null(old);
  assert_null(reader.buffer);
  ps__os_realloc(old, 0);
  assert_int_equal(memory_blocks, 0);
}

/* In front of bytes that were searched, a delimiter may end in them. */
static void test_unread(void **state) {
  (void)state;
  ps__reader reader = {NULL};
  ps__wish wish = {.kind = 'u', .delimiter = {"ab", 2}, .limit = SIZE_MAX};
  assert_int_equal(ps__reader_unread(&reader, "b", 1), PS_OK);
  assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
  memory_fail_at(1);
  assert_int_equal(ps__reader_unread(&reader, "xyza", 4), PS_NOMEMORY);
  assert_memory_equal(ps__reader_data(&reader), "b", 1);
  memory_fail_at(0);
  assert_int_equal(ps__reader_unread(&reader, "xyza", 4), PS_OK);
  ps__piece piece = look(&reader, &wish);
  assert_int_equal(piece.verdict, PS__PIECE);
  assert_int_equal(piece.used, 5);
  ps__reader_take(&reader, 3, 0);
  assert_int_equal(ps__reader_unread(&reader, "-", 1), PS_OK);
  assert_memory_equal(ps__reader_data(&reader), "-ab", 3);
  assert_int_equal(ps__reader_unread(&reader, NULL, 0), PS_OK);
  static const char bytes[1];
  size_t most = PTRDIFF_MAX - sizeof(ps__buffer);
  assert_int_equal(ps__reader_unread(&reader, bytes, SIZE_MAX), PS_NOMEMORY);
  assert_int_equal(ps__reader_unread(&reader, bytes, most - 2), PS_NOMEMORY);
  assert_memory_equal(ps__reader_data(&reader), "-ab", 3);
  ps__reader_clear(&reader);
}

/* Where there is place for them in the block, they need no memory. */
static void test_unread_into_what_was_taken(void **state) {
  (void)state;
  for (size_t taken = 1; taken <= 3; taken++)
    for (size_t behind = 0; behind < 2; behind++) {
      ps__reader reader = {NULL};
      size_t size;
      assert_non_null(ps__reader_room(&reader, 5 + behind, SIZE_MAX, &size));
      assert_int_equal(size, 5 + behind);
      memcpy(reader.buffer->data, "abcde", 5);
      ps__reader_filled(&reader, 5);
      ps__reader_take(&reader, taken, 0);
      memory_fail_at(1);
      assert_int_equal(ps__reader_unread(&reader, "wxyz", taken + behind), PS_OK);
      memory_fail_at(0);
      assert_int_equal(ps__reader_size(&reader), 5 + behind);
      const char *data = ps__reader_data(&reader);
      assert_memory_equal(data, "wxyz", taken + behind);
      assert_memory_equal(data + taken + behind, &"abcde"[taken], 5 - taken);
      ps__reader_clear(&reader);
    }
}

static void test_room(void **state) {
  (void)state;
  ps__reader reader = {NULL};
  size_t size;
  ps__reader_room(&reader, 100, SIZE_MAX, &size);
  assert_int_equal(size, 100);
  memset(ps__reader_room(&reader, 100, SIZE_MAX, &size), 'x', 100);
  ps__reader_filled(&reader, 100);
  ps__reader_room(&reader, 10, SIZE_MAX, &size); /* doubled */
  assert_int_equal(size, 100);
  ps__reader_take(&reader, 95, 0);
  size_t before = memory_bytes;
  ps__reader_room(&reader, 200, SIZE_MAX, &size); /* to the front is enough */
  assert_int_equal(size, 195);
  assert_int_equal(memory_bytes, before);
  memset(ps__reader_room(&reader, 100, SIZE_MAX, &size), 'x', 195);
  ps__reader_filled(&reader, 195);
  ps__reader_room(&reader, 50, 210, &size); /* 50 past the bound */
  assert_int_equal(size, 60);
  ps__reader_room(&reader, 100, 50, &size); /* it is there already */
  assert_true(size >= 1);
  /* Less than what is wanted when there is no memory for it; then what is there. */
  memset(ps__reader_room(&reader, 1, SIZE_MAX, &size), 'x', size);
  ps__reader_filled(&reader, size);
  memory_fail_at(1);
  assert_null(ps__reader_room(&reader, 100, SIZE_MAX, &size));
  ps__reader_take(&reader, 7, 0);
  assert_non_null(ps__reader_room(&reader, 100, SIZE_MAX, &size));
  assert_int_equal(size, 7);
  memory_fail_at(0);
  ps__reader_clear(&reader);
  memory_bound = 1000;
  assert_non_null(ps__reader_room(&reader, 100000, SIZE_MAX, &size));
  assert_in_range(size, 300, 1000);
  ps__reader_filled(&reader, 0);
  assert_non_null(ps__reader_room(&reader, SIZE_MAX, SIZE_MAX, &size));
  assert_in_range(size, 300, 1000);
  ps__reader_filled(&reader, 0);
  memory_bound = 0;
  assert_non_null(ps__reader_room(&reader, 0, 0, &size));
  assert_true(size >= 1);
  ps__reader_filled(&reader, 0);
  assert_int_equal(memory_blocks, 0);
}

/* A buffer of so many bytes, of which some were taken and some are held. */
static ps__reader buffer_of(size_t capacity, size_t taken, size_t held) {
  ps__reader reader = {NULL};
  size_t size;
  char *room = ps__reader_room(&reader, capacity, SIZE_MAX, &size);
  assert_int_equal(size, capacity);
  memset(room, 'x', taken + held);
  ps__reader_filled(&reader, taken + held);
  ps__reader_take(&reader, taken, 0);
  return reader;
}

/* Returns how much room there is then. The block is the same one, unless it grows. */
static size_t room_in(size_t capacity, size_t taken, size_t held, size_t want,
                      int grows) {
  ps__reader reader = buffer_of(capacity, taken, held);
  const ps__buffer *before = reader.buffer;
  size_t size;
  char *room = ps__reader_room(&reader, want, SIZE_MAX, &size);
  assert_true(is_inside(&reader, room, size));
  assert_ptr_equal(room, ps__reader_data(&reader) + held);
  assert_int_equal(reader.buffer != before, grows);
  ps__reader_clear(&reader);
  return size;
}

static void test_room_is_made_in_front_or_behind(void **state) {
  (void)state;
  /* As much as is wanted is there, to the byte. */
  assert_int_equal(room_in(100, 10, 40, 50, 0), 50);
  /* Half of what is wanted is there already: the other half is missing. */
  assert_int_equal(room_in(50, 0, 50, 100, 1), 50);
  assert_int_equal(room_in(51, 0, 51, 100, 1), 100);
  /* The bytes move to the front if they are as few as were taken, or as are wanted. */
  assert_int_equal(room_in(130, 60, 60, 20, 0), 70);
  assert_int_equal(room_in(130, 59, 61, 20, 1), 199);
  assert_int_equal(room_in(200, 50, 100, 100, 0), 100);
  assert_int_equal(room_in(201, 50, 100, 101, 0), 101);
  assert_int_equal(room_in(199, 50, 100, 100, 1), 298);
  assert_int_equal(room_in(100, 1, 99, 99, 1), 101);
  /* Twice as large, or more if that is not enough. */
  assert_int_equal(room_in(10, 0, 10, 10, 1), 10);
  assert_int_equal(room_in(10, 0, 10, 25, 1), 15);
  assert_int_equal(room_in(10, 0, 10, 100, 1), 90);
}

/* Of the memory that there is, half is used at least. */
static void test_room_when_memory_is_short(void **state) {
  (void)state;
  for (size_t want = 1000; want < 3000; want += 7) {
    ps__reader reader = {NULL};
    size_t size;
    memory_bound = 1000;
    assert_non_null(ps__reader_room(&reader, want, SIZE_MAX, &size));
    assert_true(2 * size + sizeof *reader.buffer >= memory_bound - 2);
    memory_bound = 0;
    ps__reader_filled(&reader, 0);
  }
  /* One byte more can be had, however much there is already. */
  ps__reader reader = buffer_of(200, 0, 200);
  size_t size;
  assert_non_null(ps__reader_room(&reader, 100, 50, &size));
  assert_int_equal(size, 1);
  ps__reader_clear(&reader);
}

static void test_no_memory_for_a_long_delimiter(void **state) {
  (void)state;
  char stream[300], delimiter[100];
  memset(stream, 'a', sizeof stream);
  memset(delimiter, 'a', sizeof delimiter);
  delimiter[99] = stream[250] = 'b';
  ps__wish wish = {.kind = 'u', .delimiter = {delimiter, 100}, .limit = SIZE_MAX};
  ps__reader reader = {NULL};
  short code;
  feed(&reader, stream, 200);
  for (wish.again = 0; wish.again < 2; wish.again++) {
    memory_fail_at(1);
    ps__piece piece = ps__reader_look(&reader, &wish, &code);
    memory_fail_at(0);
    assert_int_equal(code, PS_NOMEMORY);
    assert_int_equal(piece.verdict, PS__MORE);
    assert_int_equal(piece.used, 0);
    assert_memory_equal(ps__reader_data(&reader), stream, 200);
  }
  wish.again = 0;
  assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
  feed(&reader, stream + 200, 100);
  memory_fail_at(1); /* what it needs, it has */
  ps__piece piece = look(&reader, &wish);
  memory_fail_at(0);
  assert_int_equal(piece.verdict, PS__PIECE);
  assert_int_equal(piece.size, 151);
  assert_memory_equal(ps__reader_data(&reader), stream, 300);
  ps__reader_take(&reader, piece.used, 0);
  ps__reader_clear(&reader);
  assert_int_equal(memory_blocks, 0);
}

/* What an earlier look has found out was for another prefix. */
static void test_no_memory_behind_another_prefix(void **state) {
  (void)state;
  char delimiter[200], prefix[199], stream[72];
  memset(delimiter, 'a', sizeof delimiter);
  memset(prefix, 'a', sizeof prefix);
  memset(stream, 'a', sizeof stream);
  delimiter[0] = prefix[0] = prefix[71] = 'x'; /* it begins twice */
  delimiter[199] = stream[71] = 'b';
  ps__wish wish = {.kind = 'u', .delimiter = {delimiter, 200}, .limit = SIZE_MAX};
  ps__reader reader = {NULL};
  short code;
  feed(&reader, stream, sizeof stream);
  assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
  wish.prefix = (ps_prefix){prefix, sizeof prefix};
  memory_fail_at(1);
  ps__reader_look(&reader, &wish, &code);
  memory_fail_at(0);
  assert_int_equal(code, PS_NOMEMORY);
  wish.again = 1;
  ps__piece piece = look(&reader, &wish);
  assert_int_equal(piece.verdict, PS__PIECE);
  assert_int_equal(piece.prefix, 71);
  assert_int_equal(piece.used, sizeof stream);
  ps__reader_clear(&reader);
}

/* All that is left is the beginning of a delimiter: its table is still there. The next
   call has the same delimiter, though elsewhere and before another byte. */
static void test_a_partial_match_is_remembered(void **state) {
  (void)state;
  char stream[150], delimiter[101], other[101];
  memset(stream, 'a', sizeof stream);
  memset(delimiter, 'a', sizeof delimiter);
  delimiter[99] = 'b';
  memcpy(other, delimiter, sizeof other);
  other[100] = 'x';
  ps__wish wish = {.kind = 'u', .delimiter = {delimiter, 100}, .limit = SIZE_MAX};
  ps__reader reader = {NULL};
  feed(&reader, stream, sizeof stream);
  assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
  ps__reader_take(&reader, 51, 0);
  feed_text(&reader, "ab");
  wish.delimiter.data = other;
  memory_fail_at(1);
  ps__piece piece = look(&reader, &wish);
  memory_fail_at(0);
  assert_int_equal(piece.verdict, PS__PIECE);
  assert_int_equal(piece.size, 1);
  ps__reader_clear(&reader);
}

/* One table serves for all the pieces with this delimiter. */
static void test_a_table_outlasts_its_pieces(void **state) {
  (void)state;
  char stream[302], delimiter[100];
  memset(stream, 'a', sizeof stream);
  memset(delimiter, 'a', sizeof delimiter);
  delimiter[99] = stream[150] = stream[300] = 'b';
  ps__wish wish = {.kind = 'u', .delimiter = {delimiter, 100}, .limit = SIZE_MAX};
  ps__reader reader = {NULL};
  feed(&reader, stream, sizeof stream);
  for (int i = 0; i < 2; i++) {
    if (i == 1) memory_fail_at(1);
    ps__piece piece = look(&reader, &wish);
    memory_fail_at(0);
    assert_int_equal(piece.verdict, PS__PIECE);
    assert_int_equal(piece.size, i == 0 ? 51 : 50);
    ps__reader_take(&reader, piece.used, 0);
  }
  ps__reader_clear(&reader);
  assert_int_equal(memory_blocks, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_flatten),
      cmocka_unit_test(test_buffer_exists_while_it_holds_bytes),
      cmocka_unit_test(test_split),
      cmocka_unit_test(test_unread),
      cmocka_unit_test(test_unread_into_what_was_taken),
      cmocka_unit_test(test_room),
      cmocka_unit_test(test_room_is_made_in_front_or_behind),
      cmocka_unit_test(test_room_when_memory_is_short),
      cmocka_unit_test(test_no_memory_for_a_long_delimiter),
      cmocka_unit_test(test_no_memory_behind_another_prefix),
      cmocka_unit_test(test_a_table_outlasts_its_pieces),
      cmocka_unit_test(test_a_partial_match_is_remembered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
