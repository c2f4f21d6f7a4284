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
    ps__piece piece = ps__reader_flatten(&reader, look(&reader, &line));
    assert_memory_equal(ps__reader_data(&reader), "abc", 3);
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
  assert_int_equal(ps__reader_unread(&reader, bytes, SIZE_MAX), PS_NOMEMORY);
  ps__reader_clear(&reader);
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_flatten),
      cmocka_unit_test(test_buffer_exists_while_it_holds_bytes),
      cmocka_unit_test(test_split),
      cmocka_unit_test(test_unread),
      cmocka_unit_test(test_room),
      cmocka_unit_test(test_no_memory_for_a_long_delimiter),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
