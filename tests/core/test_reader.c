/* SPDX-License-Identifier: MIT */
/* core/reader.c by itself: each kind of piece at the boundaries of its limit, in every
   fragmentation, what it remembers, and random wishes against a model. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define CHECK(condition) assert_true(condition)
#include "reader_model.h"

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
  ps__reader reader = {NULL};
  feed_text(&reader, "one\r\r\ntwo\n");
  ps__piece piece = look(&reader, &wish);
  assert_int_equal(piece.raw, piece.size); /* nothing is to be dropped in between */
  ps__reader_clear(&reader);
  feed_text(&reader, "\r\n");
  piece = look(&reader, &wish);
  assert_int_equal(piece.raw, 0);
  ps__reader_clear(&reader);
  wish.kind = 'L';
  finds("\ro\rne\r\ntwo\n", wish, PS__PIECE, "\ro\rne\r\n", "two\n");
  finds("\n", wish, PS__PIECE, "\n", "");
  finds("one\r", wish, PS__MORE, "", "one\r");
}

/* Asks the fast path for a line behind another one; NULL: it has to leave it to look. */
static void at_once(const char *stream, const char *text, size_t used) {
  ps__reader reader = {NULL};
  feed_text(&reader, "first\n");
  feed_text(&reader, stream);
  ps__reader_take(&reader, 6, 0);
  ps__piece piece = {.verdict = PS__PIECE};
  assert_int_equal(ps__reader_line(&reader, &piece), text != NULL);
  if (text != NULL) {
    assert_int_equal(piece.used, used);
    assert_int_equal(piece.raw, piece.size);
    same(&reader, piece, PS__PIECE, text);
  }
  ps__reader_clear(&reader);
}

static void test_lines_that_are_found_at_once(void **state) {
  (void)state;
  at_once("one\ntwo\n", "one", 4);
  at_once("one\r\ntwo\n", "one", 5);
  at_once("\ntwo\n", "", 1);
  at_once("\r\ntwo\n", "", 2);
  at_once("1\n", "1", 2);
  at_once("1\r\n", "1", 3);
  at_once("one\r", NULL, 0);
  at_once("o\rne\n", NULL, 0);
  at_once("one\r\r\n", NULL, 0);
  at_once("\r\r\n", NULL, 0);
  at_once("\r1\n", NULL, 0);
  /* A CR that was taken is not one of the line. */
  ps__reader reader = {NULL};
  ps__wish wish = line_within(SIZE_MAX);
  ps__piece piece = {.verdict = PS__PIECE};
  feed_text(&reader, "1\r\n2");
  ps__reader_take(&reader, 2, 0);
  same(&reader, look(&reader, &wish), PS__PIECE, "");
  assert_true(ps__reader_line(&reader, &piece));
  assert_int_equal(piece.used, 1);
  same(&reader, piece, PS__PIECE, "");
  ps__reader_clear(&reader);
  /* Look goes on where it stopped; the fast path would begin again. */
  feed_text(&reader, "1");
  assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
  feed_text(&reader, "\n");
  assert_false(ps__reader_line(&reader, &piece));
  same(&reader, look(&reader, &wish), PS__PIECE, "1");
  ps__reader_clear(&reader);
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
  /* The match that began in the prefix goes on. */
  wish = until("abc", "", SIZE_MAX);
  feed_text(&reader, "b");
  assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
  wish.prefix = data_of("xa");
  assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
  feed_text(&reader, "c");
  wish.again = 1;
  piece = look(&reader, &wish);
  assert_int_equal(piece.verdict, PS__PIECE);
  assert_int_equal(piece.prefix, 1);
  assert_int_equal(piece.used, 2);
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
  /* Too many CRs are too long, as in look, but only at the end. */
  ps__reader_clear(&reader);
  feed_text(&reader, "\r\r\r\ra");
  wish = line_within(2);
  same(&reader, ps__reader_rest(&reader, &wish, 0), PS__MORE, "a");
  piece = ps__reader_rest(&reader, &wish, 1);
  same(&reader, piece, PS__OVERSIZED, "");
  assert_int_equal(piece.used, 2);
  ps__reader_clear(&reader);
  feed_text(&reader, "ab\rc\r");
  wish = (ps__wish){.kind = 'n', .count = 99, .limit = 3};
  same(&reader, ps__reader_rest(&reader, &wish, 0), PS__MORE, "ab\rc\r");
  ps__reader_clear(&reader);
}

/* What a look for one thing has searched says nothing about another. */
static void test_remembers_what_it_searched_for(void **state) {
  (void)state;
  static const char *const texts[] = {"\n",         "ab",           "cd",
                                      "0123456789", "012345678-",   "-123456789",
                                      "012345678",  "0123456789ab", "\r\n"};
  enum { TEXTS = sizeof texts / sizeof *texts };
  for (size_t i = 0; i < TEXTS * TEXTS * TEXTS; i++) {
    const char *order[] = {texts[i % TEXTS], texts[i / TEXTS % TEXTS],
                           texts[i / TEXTS / TEXTS]};
    ps__reader reader = {NULL};
    feed_text(&reader, "ab0123456789ab012345678-123456789cd\r\n");
    for (size_t at = 0; at < 3; at++) {
      ps__wish wish = until(order[at], "", SIZE_MAX);
      if (*order[at] == '\n') wish.kind = 'L';
      /* Once so near that it is not found, and then without a limit. */
      wish.limit = 1;
      look(&reader, &wish);
      wish.limit = SIZE_MAX;
      ps__piece piece = look(&reader, &wish);
      const char *found = strstr("ab0123456789ab012345678-123456789cd\r\n", order[at]);
      assert_int_equal(piece.verdict, found != NULL ? PS__PIECE : PS__MORE);
    }
    ps__reader_clear(&reader);
  }
}

/* As many bytes as are searched for at a time are searched at once, without the table
   that a beginning of the delimiter would need. */
static void test_a_search_at_once_needs_no_memory(void **state) {
  (void)state;
  char stream[64], delimiter[65];
  memset(stream, 'b', sizeof stream);
  memset(delimiter, 'a', sizeof delimiter);
  stream[0] = stream[1] = 'a';
  ps__reader reader = {NULL};
  feed(&reader, stream, sizeof stream);
  ps__wish wish = {.kind = 'u', .delimiter = {delimiter, 65}, .limit = SIZE_MAX};
  short code = PS_OK;
  memory_fail_at(1);
  ps__piece piece = ps__reader_look(&reader, &wish, &code);
  memory_fail_at(0);
  assert_int_equal(code, PS_OK);
  assert_int_equal(piece.verdict, PS__MORE);
  ps__reader_clear(&reader);
  assert_int_equal(memory_blocks, 0);
}

/* Long delimiters have tables, which are not another's. */
static void test_long_delimiters_in_turn(void **state) {
  (void)state;
  char stream[400], one[100], other[100];
  memset(stream, 'a', sizeof stream);
  memset(one, 'a', sizeof one);
  one[99] = stream[150] = 'b';
  for (size_t i = 0; i < sizeof other; i++) other[i] = "abcabd"[i % 6];
  for (size_t i = 0; i < 200; i++) stream[200 + i] = "abcabd"[(i + 2) % 6];
  ps__reader reader = {NULL};
  feed(&reader, stream, sizeof stream);
  ps__wish line = line_within(SIZE_MAX);
  ps__wish wish = {.kind = 'u', .delimiter = {one, 100}, .limit = SIZE_MAX};
  assert_int_equal(look(&reader, &line).verdict, PS__MORE);
  assert_int_equal(look(&reader, &wish).size, 51);
  assert_int_equal(look(&reader, &wish).size, 51);
  wish.delimiter.data = other;
  assert_int_equal(look(&reader, &wish).size, 204);
  wish.delimiter.data = one;
  assert_int_equal(look(&reader, &wish).size, 51);
  ps__reader_clear(&reader);
  assert_int_equal(memory_blocks, 0);
}

/* Two of the same length are told apart, wherever they differ. */
static void test_delimiters_that_differ_in_one_byte(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 2, 7, 8, 9, 16, 64, 65, 200};
  char one[200], other[200];
  memset(one, 'x', sizeof one);
  memset(other, 'x', sizeof other);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (size_t at = 0; at < sizes[i]; at++) {
      ps__reader reader = {NULL};
      ps__wish wish = {.kind = 'u', .delimiter = {one, sizes[i]}, .limit = SIZE_MAX};
      other[at] = 'y';
      feed(&reader, other, sizes[i]);
      assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
      wish.delimiter.data = other;
      assert_int_equal(look(&reader, &wish).verdict, PS__PIECE);
      other[at] = 'x';
      ps__reader_clear(&reader);
    }
}

/* CRs that were counted go with their bytes, to the last one: first where no LF was
   found, then where another search had been remembered. */
static void test_counted_returns_are_taken(void **state) {
  (void)state;
  ps__reader reader = {NULL};
  ps__wish wish = line_within(2);
  feed_text(&reader, "abcd\rxy");
  same(&reader, look(&reader, &wish), PS__OVERSIZED, "ab");
  ps__reader_take(&reader, 4, 0);
  ps__reader_take(&reader, 1, 0);
  wish.limit = 1;
  same(&reader, look(&reader, &wish), PS__OVERSIZED, "x");
  ps__reader_clear(&reader);

  feed_text(&reader, "abc\r\nxy\n");
  wish = until(";", "", 2);
  same(&reader, look(&reader, &wish), PS__OVERSIZED, "ab");
  wish = line_within(3);
  same(&reader, look(&reader, &wish), PS__PIECE, "abc");
  ps__reader_take(&reader, 3, 0);
  ps__reader_take(&reader, 1, 0);
  ps__reader_take(&reader, 1, 0);
  wish.limit = 1;
  same(&reader, look(&reader, &wish), PS__OVERSIZED, "x");
  ps__reader_clear(&reader);
}

/* The table of one that was found is not that of the next one. */
static void test_another_long_delimiter_after_a_find(void **state) {
  (void)state;
  char stream[151 + 101], one[100], other[100];
  memset(stream, 'a', 151);
  memset(stream + 151, 'y', 101);
  memset(one, 'a', sizeof one);
  memset(other, 'y', sizeof other);
  one[99] = stream[150] = 'b';
  other[0] = stream[151] = 'x';
  other[99] = stream[251] = 'z'; /* there is one y too many between */
  ps__reader reader = {NULL};
  feed(&reader, stream, sizeof stream);
  ps__wish wish = {.kind = 'u', .delimiter = {one, 100}, .limit = SIZE_MAX};
  ps__piece piece = look(&reader, &wish);
  assert_int_equal(piece.size, 51);
  wish.delimiter.data = other;
  assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
  ps__reader_clear(&reader);
}

/* A lower limit ends before what was counted, and a higher one goes on behind it. */
static void test_limits_that_change(void **state) {
  (void)state;
  ps__reader reader = {NULL};
  static const size_t limits[] = {4, 2, 7, 3, 6, 1, 7};
  ps__wish wish = line_within(0);
  feed_text(&reader, "abcdefgh");
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    wish.limit = limits[i];
    ps__piece piece = look(&reader, &wish);
    assert_int_equal(piece.verdict, PS__OVERSIZED);
    assert_int_equal(piece.size, limits[i]);
  }
  ps__reader_clear(&reader);
}

/* A delimiter may come to be where CRs are dropped. */
static void test_flatten_makes_a_delimiter(void **state) {
  (void)state;
  ps__reader reader = {NULL};
  ps__wish line = line_within(SIZE_MAX), wish = until("ab", "", SIZE_MAX);
  feed_text(&reader, "xa\rb\nrest");
  assert_int_equal(look(&reader, &wish).verdict, PS__MORE);
  ps__reader_flatten(&reader, look(&reader, &line));
  same(&reader, look(&reader, &wish), PS__PIECE, "x");
  ps__reader_clear(&reader);
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
      cmocka_unit_test(test_lines_that_are_found_at_once),
      cmocka_unit_test(test_lines_at_their_limit),
      cmocka_unit_test(test_counts),
      cmocka_unit_test(test_delimiters),
      cmocka_unit_test(test_prefix_that_ends_in_a_part_of_the_delimiter),
      cmocka_unit_test(test_prefix_of_another_call),
      cmocka_unit_test(test_every_fragmentation),
      cmocka_unit_test(test_rest),
      cmocka_unit_test(test_remembers_what_it_searched_for),
      cmocka_unit_test(test_a_search_at_once_needs_no_memory),
      cmocka_unit_test(test_long_delimiters_in_turn),
      cmocka_unit_test(test_delimiters_that_differ_in_one_byte),
      cmocka_unit_test(test_counted_returns_are_taken),
      cmocka_unit_test(test_limits_that_change),
      cmocka_unit_test(test_another_long_delimiter_after_a_find),
      cmocka_unit_test(test_flatten_makes_a_delimiter),
      cmocka_unit_test(test_against_the_model),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
