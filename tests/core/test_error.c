/* SPDX-License-Identifier: MIT */
/* core/error.c: every code has its words, no words stand for two codes, and misuse names
   its function and its argument. Words may depend on nothing but their code. */

#include <limits.h>
#include <locale.h>
#include <stdio.h>

#include "os_sim.h"

static const struct {
  short code;
  const char *words;
} failures[] = {
#define PS_FAILURE(code, number, words) {code, words},
#define PS_MISUSE(code, number, words)
#include "errors.def"
#undef PS_FAILURE
#undef PS_MISUSE
};

static const struct {
  short code;
  const char *words;
} misuses[] = {
#define PS_FAILURE(code, number, words)
#define PS_MISUSE(code, number, words) {code, words},
#include "errors.def"
#undef PS_FAILURE
#undef PS_MISUSE
};

enum {
  FAILURES = sizeof failures / sizeof *failures,
  MISUSES = sizeof misuses / sizeof *misuses
};

static const char *words_of(short code, char buffer[PS_WORDS]) {
  return ps_status_words((ps_status){code, 0, 0, NULL}, buffer);
}

static void every_failure_has_words_of_its_own(void **state) {
  (void)state;
  char buffer[PS_WORDS];
  for (int i = 0; i < FAILURES; i++) {
    assert_string_equal(words_of(failures[i].code, buffer), failures[i].words);
    assert_null(strchr(failures[i].words, '%'));
    assert_in_range(failures[i].code, 1, PS_SYSTEM - 1);
    for (int j = 0; j < i; j++)
      assert_string_not_equal(failures[i].words, failures[j].words);
  }
  assert_string_equal(words_of(PS_OK, buffer), "");
  assert_string_equal(words_of(PS_INTERRUPTED, buffer), "interrupted");
  assert_string_equal(words_of(PS_ENDED, buffer), "closed"); /* as any other end */
}

/* The words that programs compare with: they never change. */
static void released_words_stay(void **state) {
  (void)state;
  char buffer[PS_WORDS];
  assert_string_equal(words_of(PS_TIMEOUT, buffer), "timeout");
  assert_string_equal(words_of(PS_CLOSED, buffer), "closed");
  assert_string_equal(words_of(PS_OVERSIZED, buffer), "oversized");
  assert_string_equal(words_of(PS_REFUSED, buffer), "connection refused");
  assert_string_equal(words_of(PS_INUSE, buffer), "address already in use");
  assert_string_equal(words_of(PS_CONNECTED, buffer), "already connected");
  assert_string_equal(words_of(PS_PERMISSION, buffer), "permission denied");
  assert_string_equal(words_of(PS_NOMEMORY, buffer), "memory allocation failure");
  assert_string_equal(words_of(PS_NONAME, buffer),
                      "host or service not provided, or not known");
  assert_string_equal(words_of(PS_SERVICE, buffer),
                      "service not supported for socket type");
  assert_string_equal(words_of(PS_AGAIN, buffer), "temporary failure in name resolution");
  assert_string_equal(words_of(PS_FAIL, buffer),
                      "non-recoverable failure in name resolution");
  assert_string_equal(words_of(PS_NOOPTION, buffer), "option not supported here");
}

static void every_misuse_names_its_argument(void **state) {
  (void)state;
  char buffer[PS_WORDS], sentence[PS_WORDS], wanted[PS_WORDS];
  for (int i = 0; i < MISUSES; i++) {
    ps_status status = ps__error_misuse(misuses[i].code, 2, "thing");
    const char *words = ps_status_words(status, buffer);
    const char *place = strstr(misuses[i].words, "%s");
    assert_true(status.code > PS_MISUSED);
    if (place == NULL) {
      assert_string_equal(words, misuses[i].words);
    } else {
      assert_non_null(strstr(words, "thing"));
      assert_null(strstr(place + 2, "%"));
    }
    snprintf(wanted, sizeof wanted, "bad argument #2 to 'f' (%.200s)", words);
    assert_string_equal(ps_status_misuse(status, "f", sentence), wanted);
  }
}

static void misuse_of_the_object_is_told(void **state) {
  (void)state;
  char sentence[PS_WORDS];
  assert_string_equal(ps_status_misuse(ps__error_misuse(PS_MISUSE_NOTCLIENT, 0, NULL),
                                       "receive", sentence),
                      "calling 'receive' on bad self (tcp{client} expected)");
  assert_string_equal(
      ps_status_misuse(ps__error_misuse(PS_MISUSE_BINDPORT, 2, "port"), "bind", sentence),
      "bad argument #2 to 'bind' (port: 0 to 65535 expected)");
}

/* Programs look at the number of the system to tell its failures from those of a limit.
 */
static void a_status_has_only_what_it_was_made_of(void **state) {
  (void)state;
  ps_status status = ps__error_failure(PS_BUSY);
  assert_int_equal(status.code, PS_BUSY);
  assert_int_equal(status.argument, 0);
  assert_int_equal(status.system, 0);
  assert_null(status.detail);
  status = ps__error_misuse(PS_MISUSE_NAN, 3, "timeout");
  assert_int_equal(status.code, PS_MISUSE_NAN);
  assert_int_equal(status.argument, 3);
  assert_int_equal(status.system, 0);
  assert_string_equal(status.detail, "timeout");
  status = ps__error_system(ECONNRESET);
  assert_int_equal(status.code, PS_CLOSED);
  assert_int_equal(status.argument, 0);
  assert_int_equal(status.system, ECONNRESET);
  assert_null(status.detail);
}

enum { DETAIL = 80, FUNCTION = 60, WORDS = 160 }; /* the most bytes of each */

/* Returns a text of so many bytes, of the one that is given. */
static const char *text_of(char byte, size_t size) {
  static char texts[2][1000];
  static int next;
  char *text = texts[next++ % 2];
  memset(text, byte, sizeof texts[0]);
  text[size] = '\0';
  return text;
}

static void expect_detail(const char *detail, size_t size) {
  char buffer[PS_WORDS], wanted[PS_WORDS];
  snprintf(wanted, sizeof wanted, "unsupported option '%.*s'", (int)size, detail);
  ps_status status = ps__error_misuse(PS_MISUSE_OPTION, 1, detail);
  assert_string_equal(ps_status_words(status, buffer), wanted);
}

static void a_detail_of_eighty_bytes_fits(void **state) {
  (void)state;
  expect_detail(text_of('x', DETAIL), DETAIL);
  expect_detail(text_of('x', DETAIL + 1), DETAIL);
  expect_detail(text_of('x', 999), DETAIL);
  expect_detail("", 0);
}

/* Half a character would not be text in the language of the caller. */
static void a_character_is_not_cut(void **state) {
  (void)state;
  static const char *const characters[] = {"\xc3\xa4", "\xe2\x82\xac",
                                           "\xf0\x9f\x90\xa7"};
  for (int i = 0; i < 3; i++) {
    size_t size = strlen(characters[i]);
    for (size_t before = DETAIL - size - 1; before <= DETAIL; before++) {
      char detail[DETAIL * 2];
      snprintf(detail, sizeof detail, "%s%s...", text_of('x', before), characters[i]);
      size_t whole = before + size + 3;
      if (whole > DETAIL) whole = before + size <= DETAIL ? DETAIL : before;
      expect_detail(detail, whole);
    }
  }
}

static void expect_sentence(size_t function, int words, size_t size) {
  char sentence[PS_WORDS], text[PS_WORDS], wanted[PS_WORDS * 2];
  for (short argument = 0; argument <= 2; argument++) {
    const char *name = text_of('f', function);
    ps_status status = {PS_SYSTEM, argument, SIM_WORDS + words, NULL};
    const char *all = ps_status_words(status, text);
    assert_int_equal(strlen(all), words);
    int most = function < FUNCTION ? (int)function : FUNCTION;
    if (argument == 0)
      snprintf(wanted, sizeof wanted, "calling '%.*s' on bad self (%.*s)", most, name,
               (int)size, all);
    else
      snprintf(wanted, sizeof wanted, "bad argument #%d to '%.*s' (%.*s)", argument, most,
               name, (int)size, all);
    assert_string_equal(ps_status_misuse(status, name, sentence), wanted);
  }
}

/* A status that a caller has made may have any words. */
static void a_sentence_always_fits(void **state) {
  (void)state;
  expect_sentence(1, 30, 30);
  expect_sentence(FUNCTION, WORDS, WORDS);
  expect_sentence(FUNCTION + 1, WORDS + 1, WORDS);
  expect_sentence(999, PS_WORDS - 1, WORDS);
}

static void long_details_are_cut(void **state) {
  (void)state;
  char detail[1000], function[1000], buffer[PS_WORDS], sentence[PS_WORDS];
  memset(detail, 'x', sizeof detail - 1);
  detail[sizeof detail - 1] = '\0';
  memcpy(function, detail, sizeof function);
  ps_status status = ps__error_misuse(PS_MISUSE_OPTION, 1, detail);
  assert_true(strlen(ps_status_words(status, buffer)) < PS_WORDS);
  assert_true(strlen(ps_status_misuse(status, function, sentence)) < PS_WORDS);
  status.detail = NULL;
  assert_string_equal(ps_status_words(status, buffer), "unsupported option 'argument'");
}

static void the_systems_words_are_asked_for(void **state) {
  (void)state;
  char buffer[PS_WORDS];
  ps_status status = ps__error_system(EIO);
  assert_int_equal(status.code, PS_SYSTEM);
  assert_int_equal(status.system, EIO);
  assert_string_equal(ps_status_words(status, buffer), "Input/output error");
  status = ps__error_system(4095); /* errno.def has no words for it */
  assert_string_equal(ps_status_words(status, buffer), "error 4095 of the system");
  status = ps__error_system(ECONNREFUSED);
  assert_int_equal(status.code, PS_REFUSED);
  assert_int_equal(status.system, ECONNREFUSED);
  assert_string_equal(ps_status_words(status, buffer), "connection refused");
}

static int is_listed(int code) {
  for (int i = 0; i < FAILURES; i++)
    if (failures[i].code == code) return 1;
  for (int i = 0; i < MISUSES; i++)
    if (misuses[i].code == code) return 1;
  return code == PS_OK || code == PS_SYSTEM || code == PS_INTERRUPTED ||
         code == PS_ENDED || code == PS_MISUSED;
}

static void unknown_numbers_are_told(void **state) {
  (void)state;
  char buffer[PS_WORDS], sentence[PS_WORDS];
  for (int code = SHRT_MIN; code <= SHRT_MAX; code++) {
    ps_status status = {(short)code, 1, 0, NULL};
    const char *words = ps_status_words(status, buffer);
    assert_non_null(words);
    assert_true((strlen(words) == 0) == (code == PS_OK));
    assert_int_equal(strcmp(words, "unknown status") != 0, is_listed(code));
    ps_status_misuse(status, "name", sentence);
    assert_non_null(strstr(sentence, words));
  }
}

int main(void) {
  setlocale(LC_ALL, "");
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_failure_has_words_of_its_own),
      cmocka_unit_test(released_words_stay),
      cmocka_unit_test(every_misuse_names_its_argument),
      cmocka_unit_test(misuse_of_the_object_is_told),
      cmocka_unit_test(a_status_has_only_what_it_was_made_of),
      cmocka_unit_test(a_detail_of_eighty_bytes_fits),
      cmocka_unit_test(a_character_is_not_cut),
      cmocka_unit_test(a_sentence_always_fits),
      cmocka_unit_test(long_details_are_cut),
      cmocka_unit_test(the_systems_words_are_asked_for),
      cmocka_unit_test(unknown_numbers_are_told),
  };
  return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
