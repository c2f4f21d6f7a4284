/* SPDX-License-Identifier: MIT */
/* core/reader.c by itself: each kind of piece at the boundaries of its limit, in every
   fragmentation, without memory, and random wishes against a model. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define CHECK(condition) assert_true(condition)
#include "reader_model.h"

enum { NEVER = 99 };

static ps_data data_of(const char *text) { return (ps_data){text, strlen(text)}; }

static ps__wish line_within(size_t limit) {
  return (ps__wish){.kind = 'l', .limit = limit};
}

static ps__wish until(const char *delimiter, const char *prefix, size_t limit) {
  return (ps__wish){.kind = 'u',
                    .delimiter = data_of(delimiter),
                    .prefix = data_of(prefix),
                    .limit = limit};
}

static void feed(ps__reader *reader, const char *data, size_t size) {
  size_t there;
  char *room = ps__reader_room(reader, size + ps__reader_size(reader), SIZE_MAX, &there);
  assert_non_null(room);
  assert_true(there >= size);
  memcpy(room, data, size);
  ps__reader_filled(reader, size);
}

static void feed_text(ps__reader *reader, const char *text) {
  feed(reader, text, strlen(text));
}

static ps__piece look(ps__reader *reader, const ps__wish *wish) {
  short code;
  ps__piece piece = ps__reader_look(reader, wish, &code);
  assert_int_equal(code, PS_OK);
  return piece;
}

static void same(const ps__reader *reader, ps__piece piece, int verdict,
                 const char *text) {
  char copy[64];
  assert_int_equal(piece.verdict, verdict);
  assert_true(piece.size <= sizeof copy);
  ps__reader_copy(copy, ps__reader_data(reader), piece.size, piece.raw);
  assert_int_equal(piece.size, strlen(text));
  assert_memory_equal(copy, text, piece.size);
}

/* Looks for the piece in the stream, takes it, and compares what is left. */
static void finds(const char *stream, ps__wish wish, int verdict, const char *text,
                  const char *left) {
  ps__reader reader = {NULL};
  feed_text(&reader, stream);
  ps__piece piece = look(&reader, &wish);
  same(&reader, piece, verdict, text);
  ps__reader_take(&reader, piece.used, 0);
  assert_int_equal(ps__reader_size(&reader), strlen(left));
  if (*left != '\0') assert_memory_equal(ps__reader_data(&reader), left, strlen(left));
  ps__reader_clear(&reader);
  assert_int_equal(memory_blocks, 0);
}

static void test_lines(void **state) {
  (void)state;
  ps__wish wish = line_within(SIZE_MAX);
  finds("one\ntwo\n", wish, PS__PIECE, "one", "two\n");
  finds("one\r\ntwo\n", wish, PS__PIECE, "one", "two\n");
  finds("\n", wish, PS__PIECE, "", "");
  finds("\r\r\n", wish, PS__PIECE, "", "");
  finds("\ro\r\rn\re\r\r\nx", wish, PS__PIECE, "one", "x");
  finds("one\r", wish, PS__MORE, "", "one\r");
  wish.kind = 'L';
  finds("\ro\rne\r\ntwo\n", wish, PS__PIECE, "\ro\rne\r\n", "two\n");
  finds("\n", wish, PS__PIECE, "\n", "");
  finds("one\r", wish, PS__MORE, "", "one\r");
}

static void test_lines_at_their_limit(void **state) {
  (void)state;
  ps__wish wish = line_within(3);
  finds("abc\nd", wish, PS__PIECE, "abc", "d");
  finds("\ra\rb\rc\nd", wish, PS__PIECE, "abc", "d");
  finds("abc", wish, PS__MORE, "", "abc");
  finds("abc\r\r\r", wish, PS__MORE, "", "abc\r\r\r");
  finds("abcd\n", wish, PS__OVERSIZED, "abc", "d\n");
  finds("a\rbcde\n", wish, PS__OVERSIZED, "abc", "de\n");
  finds("a\rb\rc\rd\n", wish, PS__OVERSIZED, "abc", "d\n");
  /* More CRs than bytes. */
  finds("\r\r\r\n", wish, PS__PIECE, "", "");
  finds("\r\r\r\r\n", wish, PS__OVERSIZED, "", "\r\n");
  finds("a\r\r\r\rb\n", wish, PS__OVERSIZED, "a", "\rb\n");
  wish.prefix = data_of("p"); /* it had room for one when it came */
  finds("\r\r\r\r\n", wish, PS__PIECE, "", "");
  finds("\r\r\r\r\r\n", wish, PS__OVERSIZED, "", "\r\n");

  wish = line_within(3);
  wish.kind = 'L';
  finds("ab\nd", wish, PS__PIECE, "ab\n", "d");
  finds("ab", wish, PS__MORE, "", "ab");
  finds("abc", wish, PS__OVERSIZED, "abc", "");
  finds("abc\n", wish, PS__OVERSIZED, "abc", "\n");
  finds("a\r\n", wish, PS__PIECE, "a\r\n", "");
}

static void test_counts(void **state) {
  (void)state;
  ps__wish wish = {.kind = 'n', .count = 3, .limit = SIZE_MAX};
  finds("abcd", wish, PS__PIECE, "abc", "d");
  finds("abc", wish, PS__PIECE, "abc", "");
  finds("ab", wish, PS__MORE, "", "ab");
  wish.count = 0;
  finds("a", wish, PS__PIECE, "", "a");
  finds("", wish, PS__PIECE, "", "");
  wish = (ps__wish){.kind = 'y', .count = 3, .limit = SIZE_MAX};
  finds("abcd", wish, PS__PIECE, "abc", "d");
  finds("a", wish, PS__PIECE, "a", "");
  finds("", wish, PS__MORE, "", "");
  wish.count = SIZE_MAX;
  finds("abcd", wish, PS__PIECE, "abcd", "");
  wish = (ps__wish){.kind = 'a', .limit = SIZE_MAX};
  finds("abcd", wish, PS__MORE, "", "abcd");
  wish.limit = 4;
  finds("abcd", wish, PS__MORE, "", "abcd");
  wish.limit = 3;
  finds("abcd", wish, PS__OVERSIZED, "abc", "d");
}

static void test_delimiters(void **state) {
  (void)state;
  finds("one--two", until("--", "", SIZE_MAX), PS__PIECE, "one", "two");
  finds("--two", until("--", "", SIZE_MAX), PS__PIECE, "", "two");
  finds("one-", until("--", "", SIZE_MAX), PS__MORE, "", "one-");
  finds("one;", until(";", "", SIZE_MAX), PS__PIECE, "one", "");
  finds("---+x", until("--+", "", SIZE_MAX), PS__PIECE, "-", "x");
  /* The limit counts what is in front, wherever the delimiter ends. */
  finds("abc--", until("--", "", 3), PS__PIECE, "abc", "");
  finds("abc-", until("--", "", 3), PS__MORE, "", "abc-");
  finds("abc-x--", until("--", "", 3), PS__OVERSIZED, "abc", "-x--");
  finds("abcd--", until("--", "", 3), PS__OVERSIZED, "abc", "d--");
  finds("abcd", until("--", "", 3), PS__OVERSIZED, "abc", "d");
  finds("aaaa", until("aab", "", 1), PS__OVERSIZED, "a", "aaa");
  finds("aaa", until("aab", "", 1), PS__MORE, "", "aaa");
  finds("aaab", until("aab", "", 1), PS__PIECE, "a", "");
}

/* Looks behind a prefix, at once and byte by byte. */
static void straddles(const char *prefix, const char *stream, const char *delimiter,
                      size_t left, const char *text, const char *behind) {
  for (size_t portion = 1; portion <= strlen(stream); portion++) {
    ps__reader reader = {NULL};
    ps__wish wish = until(delimiter, prefix, SIZE_MAX);
    ps__piece piece = {.verdict = PS__MORE};
    size_t fed = 0;
    while (piece.verdict == PS__MORE && fed < strlen(stream)) {
      size_t rest = strlen(stream) - fed;
      feed(&reader, stream + fed, portion < rest ? portion : rest);
      fed += portion < rest ? portion : rest;
      piece = look(&reader, &wish);
      wish.again = portion % 2 == 1;
    }
    same(&reader, piece, PS__PIECE, text);
    assert_int_equal(piece.prefix, left);
    ps__reader_take(&reader, piece.used, 0);
    feed_text(&reader, stream + fed);
    assert_int_equal(ps__reader_size(&reader), strlen(behind));
    ps__reader_clear(&reader);
  }
}

static void test_prefix_that_ends_in_a_part_of_the_delimiter(void **state) {
  (void)state;
  straddles("x-", "-y", "--", 1, "", "y");
  straddles("aa", "b", "aab", 0, "", "");
  straddles("aa", "ab", "aab", 1, "", "");
  straddles("aa", "aab", "aab", 2, "", "");
  straddles("aa", "aaab", "aab", 2, "a", "");
  straddles("a", "aab", "aab", 1, "", "");
  straddles("xaab", "aab", "aab", 4, "", ""); /* one that was whole is past */
  straddles("aaa", "a", "aaa", 1, "", "");
  straddles("abcab", "cabd", "abcabd", 3, "", "");
  straddles("abcab", "xabcabd", "abcabd", 5, "x", "");
}

/* A second call with another prefix: what was searched says nothing about that. */
static void test_prefix_of_another_call(void **state) {
  (void)state;
  ps__reader reader = {NULL};
  feed_text(&reader, "b");
  ps__wish wish = until("ab", "", SIZE_MAX);
  assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
  wish.prefix = data_of("xa");
  ps__piece piece = look(&reader, &wish);
  assert_int_equal(piece.verdict, PS__PIECE);
  assert_int_equal(piece.prefix, 1);
  assert_int_equal(piece.used, 1);
  wish = until("aab", "a", SIZE_MAX);
  ps__reader_clear(&reader);
  feed_text(&reader, "a");
  assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
  wish.prefix = data_of("");
  feed_text(&reader, "b");
  assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
  ps__reader_clear(&reader);
}

/* Feeds a stream in two portions, cut at each place, and looks after both. */
static void whole_in_two(const char *stream, ps__wish wish, const char *text) {
  for (size_t cut = 0; cut <= strlen(stream); cut++) {
    ps__reader reader = {NULL};
    feed(&reader, stream, cut);
    ps__piece piece = look(&reader, &wish);
    if (piece.verdict == PS__MORE) {
      assert_int_equal(piece.size + piece.raw + piece.used, 0);
      feed_text(&reader, stream + cut);
      piece = look(&reader, &wish);
    }
    same(&reader, piece, PS__PIECE, text);
    piece = ps__reader_flatten(&reader, piece);
    assert_int_equal(piece.size, piece.raw);
    same(&reader, piece, PS__PIECE, text);
    ps__reader_clear(&reader);
  }
}

static void test_every_fragmentation(void **state) {
  (void)state;
  whole_in_two("\rhe\r\rllo\r\nbehind this line there is more", line_within(5), "hello");
  whole_in_two("\rhe\r\rllo\r\n", line_within(SIZE_MAX), "hello");
  ps__wish wish = line_within(SIZE_MAX);
  wish.kind = 'L';
  whole_in_two("he\rllo\r\nnext", wish, "he\rllo\r\n");
  whole_in_two("aaaabaaab", until("aaab", "", 1), "a");
  whole_in_two("abababac", until("ababac", "", SIZE_MAX), "ab");
  wish = (ps__wish){.kind = 'n', .count = 7, .limit = SIZE_MAX};
  whole_in_two("seven bytes", wish, "seven b");
}

static void test_rest(void **state) {
  (void)state;
  ps__reader reader = {NULL};
  ps__wish wish = line_within(3);
  assert_int_equal(ps__reader_rest(&reader, &wish, 0).used, 0);
  feed_text(&reader, "ab\rc\r");
  ps__piece piece = ps__reader_rest(&reader, &wish, 0);
  same(&reader, piece, PS__MORE, "ab"); /* shorter than the limit */
  assert_int_equal(piece.used, 3);
  piece = ps__reader_rest(&reader, &wish, 1);
  same(&reader, piece, PS__MORE, "abc");
  assert_int_equal(piece.used, 5);
  wish.limit = 2;
  same(&reader, ps__reader_rest(&reader, &wish, 1), PS__OVERSIZED, "ab");
  wish = until("c\rd", "", 3); /* it might have been the delimiter, and is not */
  assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
  same(&reader, ps__reader_rest(&reader, &wish, 1), PS__OVERSIZED, "ab\r");
  same(&reader, ps__reader_rest(&reader, &wish, 0), PS__MORE, "ab");
  wish = (ps__wish){.kind = 'n', .count = NEVER, .limit = 3};
  same(&reader, ps__reader_rest(&reader, &wish, 0), PS__MORE, "ab\rc\r");
  ps__reader_clear(&reader);
}

/* The bytes that are moved are the fewer ones, and what is behind stays as it was. */
static void test_flatten(void **state) {
  (void)state;
  static const char *const behind[] = {"", "x", "much more than what is in front"};
  for (size_t i = 0; i < 3; i++) {
    ps__reader reader = {NULL};
    ps__wish wish = line_within(SIZE_MAX);
    feed_text(&reader, "\ra\rb\rc\r\n");
    feed_text(&reader, behind[i]);
    ps__piece piece = ps__reader_flatten(&reader, look(&reader, &wish));
    assert_memory_equal(ps__reader_data(&reader), "abc", 3);
    ps__reader_take(&reader, piece.used, 0);
    assert_int_equal(ps__reader_size(&reader), strlen(behind[i]));
    if (*behind[i] != '\0')
      assert_memory_equal(ps__reader_data(&reader), behind[i], strlen(behind[i]));
    ps__reader_clear(&reader);
  }
  ps__reader reader = {NULL};
  ps__wish wish = line_within(SIZE_MAX);
  feed_text(&reader, "\r\r");
  ps__piece piece = ps__reader_flatten(&reader, ps__reader_rest(&reader, &wish, 0));
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
  ps__wish wish = until("ab", "", SIZE_MAX);
  assert_int_equal(ps__reader_unread(&reader, "b", 1), PS_OK);
  assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
  memory_fail_at(1);
  assert_int_equal(ps__reader_unread(&reader, "xyza", 4), PS_NOMEMORY);
  assert_memory_equal(ps__reader_data(&reader), "b", 1);
  memory_fail_at(0);
  assert_int_equal(ps__reader_unread(&reader, "xyza", 4), PS_OK);
  ps__piece piece = look(&reader, &wish);
  same(&reader, piece, PS__PIECE, "xyz");
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
  memory_bound = 0;
  ps__reader_filled(&reader, 0);
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

/* Tapes of random bytes, always the same ones. */
static void test_against_the_model(void **state) {
  (void)state;
  static unsigned char tape[3000];
  for (unsigned seed = 0; seed < 20000; seed++) {
    uint64_t random = seed * 0x9e3779b97f4a7c15u + 1;
    for (size_t at = 0; at < sizeof tape; at++) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      tape[at] = (unsigned char)(random >> 32);
    }
    play(tape, 200 + seed % 2800);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lines),
      cmocka_unit_test(test_lines_at_their_limit),
      cmocka_unit_test(test_counts),
      cmocka_unit_test(test_delimiters),
      cmocka_unit_test(test_prefix_that_ends_in_a_part_of_the_delimiter),
      cmocka_unit_test(test_prefix_of_another_call),
      cmocka_unit_test(test_every_fragmentation),
      cmocka_unit_test(test_rest),
      cmocka_unit_test(test_flatten),
      cmocka_unit_test(test_buffer_exists_while_it_holds_bytes),
      cmocka_unit_test(test_split),
      cmocka_unit_test(test_unread),
      cmocka_unit_test(test_room),
      cmocka_unit_test(test_no_memory_for_a_long_delimiter),
      cmocka_unit_test(test_against_the_model),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
