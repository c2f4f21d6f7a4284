/* SPDX-License-Identifier: MIT */
/* Receive and send (core/receive.c, stream.c, direct.c) on the simulated system: every
   pattern is compared with a model that sees the whole stream at once, for every
   fragmentation. Also partial results, views and lent memory, interruption, sending. A
   byte may never be lost, repeated or moved. */

#include <stdio.h>
#include <stdlib.h>

#include "os_sim.h"

static const ps_prefix none = {NULL, 0};

static ps_data data_of(const char *text) { return (ps_data){text, strlen(text)}; }

static ps_bytes receive(ps_socket *c, ps_pattern pattern, ps_host *host) {
  return ps_socket_receive(c, pattern, none, 0, host);
}

static ps_bytes line_behind(ps_socket *c, const char *prefix, size_t maxsize,
                            ps_host *host) {
  return ps_socket_receive(c, PS_LINE, data_of(prefix), maxsize, host);
}

static ps_bytes until(ps_socket *c, const char *delimiter, ps_host *host) {
  return ps_socket_receiveuntil(c, data_of(delimiter), none, 0, host);
}

static const int languages[] = {SIM_C, SIM_HOLD, SIM_GROW, SIM_BOTH, SIM_VIEW};

#define for_each_language(host)                                                     \
  for (int l_ = 0; l_ < SIM_LANGUAGES; l_++)                                        \
    for (ps_host *host = (sim_begin(), sim_language(languages[l_])), *once_ = NULL; \
         once_ == NULL; once_ = &dummy, sim_end())
static ps_host dummy;

/* ---- The model ---- */

/* What one call asks for. Kind 'u' is receiveuntil. */
typedef struct question {
  char kind;
  size_t count;
  const char *delimiter, *prefix;
  size_t maxsize;
} question;

typedef struct reply {
  short code;
  char text[64];
  size_t size;
  size_t
      used; /* bytes of the stream that the reply used up; with CRs, how many at least */
} reply;

static void put(reply *to, const char *text, size_t size) {
  memcpy(to->text + to->size, text, size);
  to->size += size;
}

static size_t find(const char *text, size_t size, const char *part, size_t from) {
  size_t length = strlen(part);
  for (size_t at = from; at + length <= size; at++)
    if (memcmp(text + at, part, length) == 0) return at;
  return SIZE_MAX;
}

static void model_line(reply *to, const char *stream, size_t size, size_t limit) {
  for (size_t at = 0, kept = 0; at < size; at++) {
    if (stream[at] == '\n') {
      to->used = at + 1;
      to->code = PS_OK;
      return;
    }
    if (stream[at] == '\r') continue;
    if (kept == limit) {
      to->code = PS_OVERSIZED;
      to->used = at;
      return;
    }
    put(to, stream + at, 1);
    kept++;
  }
  to->used = size;
}

/* Returns the expected result for a stream that ends after size bytes. */
static reply model(const question *asked, const char *stream, size_t size) {
  reply to = {PS_CLOSED, "", 0, 0};
  size_t prefix = strlen(asked->prefix), part = size;
  size_t limit = asked->maxsize == 0 ? SIZE_MAX : asked->maxsize - prefix;
  put(&to, asked->prefix, prefix);
  if (asked->kind == 'l') {
    model_line(&to, stream, size, limit);
    return to;
  }
  if (asked->kind == 'L') {
    size_t end = find(stream, size, "\n", 0);
    if (end != SIZE_MAX && end < limit) to.code = PS_OK;
    if (end != SIZE_MAX) part = end + 1;
    if (part > limit || (end == SIZE_MAX && part == limit)) to.code = PS_OVERSIZED;
  } else if (asked->kind == 'a') {
    if (size > 0) to.code = PS_OK;
    if (size > limit) to.code = PS_OVERSIZED;
  } else if (asked->kind == 'n') {
    size_t rest = asked->count < prefix ? 0 : asked->count - prefix;
    if (rest <= size) to.code = PS_OK;
    if (rest <= size) part = rest;
    limit = SIZE_MAX;
  } else {
    char all[64];
    size_t length = strlen(asked->delimiter);
    memcpy(all, asked->prefix, prefix);
    memcpy(all + prefix, stream, size);
    size_t at = find(all, prefix + size, asked->delimiter,
                     prefix < length ? 0 : prefix - length + 1);
    if (at < prefix) to.size = at;
    if (at != SIZE_MAX && (at < prefix || at - prefix <= limit)) {
      to.code = PS_OK;
      if (at > prefix) put(&to, stream, at - prefix);
      to.used = at + length - prefix;
      return to;
    }
    if (part > limit) to.code = PS_OVERSIZED;
  }
  if (to.code == PS_OVERSIZED) part = limit;
  put(&to, stream, part);
  to.used = part;
  return to;
}

/* ---- The model against the core ---- */

static ps_bytes ask(ps_socket *c, const question *asked, ps_prefix prefix,
                    ps_host *host) {
  if (asked->kind == 'u')
    return ps_socket_receiveuntil(c, data_of(asked->delimiter), prefix, asked->maxsize,
                                  host);
  ps_pattern pattern = {asked->kind, (long long)asked->count};
  return ps_socket_receive(c, pattern, prefix, asked->maxsize, host);
}

static void show(const char *name, const char *text, size_t size) {
  print_error("  %s: \"", name);
  for (size_t i = 0; i < size; i++)
    if (text[i] == '\r')
      print_error("\\r");
    else if (text[i] == '\n')
      print_error("\\n");
    else
      print_error("%c", text[i]);
  print_error("\"\n");
}

static size_t without_returns(char *text, size_t size) {
  size_t kept = 0;
  for (size_t i = 0; i < size; i++)
    if (text[i] != '\r') text[kept++] = text[i];
  return kept;
}

enum { STRAIGHT, RESUMED };

/* Compares the core with the model for a stream that arrives in the fragments of mask: in
   one call, or in a call for each fragment, with the last partial as prefix. The rest of
   the stream must still be there. */
static void compare(const question *asked, const char *stream, size_t size, unsigned mask,
                    int language, int mode) {
  sim_begin();
  ps_host *host = sim_language(language);
  ps_socket *c = sim_client();
  if (mode == RESUMED) ps_socket_settimeout(c, 0, NULL);
  for (size_t from = 0; from < size;) {
    size_t to = from + 1;
    while (to < size && (mask >> (to - 1) & 1) == 0) to++;
    if (mode == RESUMED)
      sim_reads(sim_after(1), sim_data(stream + from, to - from));
    else
      sim_reads(sim_eagain, sim_data(stream + from, to - from));
    from = to;
  }
  if (mode == RESUMED)
    sim_reads(sim_after(1), sim_eof);
  else
    sim_reads(sim_eof);

  reply wanted = model(asked, stream, size);
  char text[64];
  size_t have = strlen(asked->prefix);
  memcpy(text, asked->prefix, have);
  ps_bytes answer;
  char rest[64], left[64];
  int wrong = 0;
  for (int calls = 0;; calls++) {
    answer = ask(c, asked, (ps_prefix){text, have}, host);
    /* A view may lie in the prefix itself. */
    sim_text taken = sim_take(c, answer, host);
    have = taken.size;
    memcpy(text, taken.data, have);
    if (answer.status.code != PS_TIMEOUT) break;
    wrong |= mode == STRAIGHT || calls > (int)size + 1;
    wrong |= asked->maxsize > 0 && have >= asked->maxsize;
    if (wrong) break;
    sim_pass(1);
  }
  /* A call that finds the end at once has found no bytes, whatever its prefix. */
  if (mode == RESUMED && asked->kind == 'a' && answer.status.code == PS_CLOSED &&
      size > 0 && wanted.code == PS_OK)
    wanted.code = PS_CLOSED;
  wrong |= answer.status.code != wanted.code || have != wanted.size ||
           memcmp(text, wanted.text, have) != 0;

  sim_pass(100);
  answer = receive(c, PS_ALL, host);
  sim_text taken = sim_take(c, answer, host);
  size_t there = taken.size, expected = size - wanted.used;
  memcpy(rest, taken.data, there);
  memcpy(left, stream + wanted.used, expected);
  if (asked->kind == 'l' && wanted.code == PS_OVERSIZED) {
    there = without_returns(rest, there);
    expected = without_returns(left, expected);
  }
  wrong |= there != expected || memcmp(rest, left, there) != 0;
  wrong |= ps_socket_pending(c).size != 0;
  ps_stats stats = ps_socket_getstats(c);
  wrong |= stats.received != (long long)size;
  ps_socket_free(c, NULL);
  if (wrong) {
    char words[PS_WORDS];
    print_error(
        "%c count %.0f maxsize %.0f mask %#x language %d mode %d: '%s', %lld counted\n",
        asked->kind, (double)asked->count, (double)asked->maxsize, mask, language, mode,
        ps_status_words(answer.status, words), stats.received);
    show("stream", stream, size);
    show("prefix", asked->prefix, strlen(asked->prefix));
    show("delimiter", asked->delimiter, strlen(asked->delimiter));
    show("answer", text, have);
    show("model ", wanted.text, wanted.size);
    show("rest  ", rest, there);
    show("model ", left, expected);
    fail();
  }
  sim_end();
}

/* Compares all streams of this length over these letters, in all fragmentations. */
static void compare_all(const question *asked, const char *letters, size_t size) {
  size_t count = strlen(letters), streams = 1;
  char stream[16];
  for (size_t i = 0; i < size; i++) streams *= count;
  unsigned masks = size < 2 ? 1 : 1u << (size - 1);
  for (size_t number = 0; number < streams; number++) {
    size_t rest = number;
    for (size_t i = 0; i < size; i++, rest /= count) stream[i] = letters[rest % count];
    for (unsigned mask = 0; mask < masks; mask++)
      for (int mode = STRAIGHT; mode <= RESUMED; mode++)
        compare(asked, stream, size, mask, languages[(number + mask) % 4], mode);
  }
}

static void compare_kind(char kind, size_t longest) {
  static const size_t maxsizes[] = {0, 2, 3, 5};
  static const char *const prefixes[] = {"", "p", "\r"};
  for (size_t size = 0; size <= longest; size++)
    for (size_t m = 0; m < 4; m++)
      for (size_t p = 0; p < 3; p++)
        compare_all(&(question){kind, 0, "", prefixes[p], maxsizes[m]}, "a\r\n", size);
}

static void every_line_in_every_fragmentation(void **state) {
  (void)state;
  compare_kind('l', 4);
}

static void every_line_with_end_in_every_fragmentation(void **state) {
  (void)state;
  compare_kind('L', 4);
}

static void everything_in_every_fragmentation(void **state) {
  (void)state;
  compare_kind('a', 4);
}

static void every_count_in_every_fragmentation(void **state) {
  (void)state;
  for (size_t size = 0; size <= 4; size++)
    for (size_t count = 0; count < 7; count++)
      for (int p = 0; p < 2; p++)
        compare_all(&(question){'n', count, "", p ? "pq" : "", 0}, "a\r", size);
}

static void every_delimiter_in_every_fragmentation(void **state) {
  (void)state;
  static const char *const delimiters[] = {"b", "ab", "aa", "aab", "abab"};
  static const char *const prefixes[] = {"", "a", "ba", "aa", "aba"};
  for (size_t size = 0; size <= 5; size++)
    for (size_t d = 0; d < 5; d++)
      for (size_t p = 0; p < 5; p++)
        for (size_t maxsize = 0; maxsize <= 6; maxsize += 2)
          if (maxsize == 0 || maxsize > strlen(prefixes[p]))
            compare_all(&(question){'u', 0, delimiters[d], prefixes[p], maxsize}, "ab",
                        size);
}

/* ---- Lines ---- */

static void lines_arrive_in_pieces(void **state) {
  (void)state;
  for_each_language(host) {
    ps_socket *c = sim_client();
    sim_reads("ab", sim_eagain, sim_eintr, "c\r\nnext\n\r\n", sim_eagain, "end", sim_eof);
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "abc");
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "next");
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "");
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_CLOSED, "end");
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_CLOSED, "");
    ps_socket_free(c, NULL);
  }
}

static void a_line_costs_no_wait_when_it_is_there(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  sim_reads("one\ntwo\n");
  sim_expect_bytes(c, receive(c, PS_LINE, NULL), PS_OK, "one");
  sim_expect_bytes(c, receive(c, PS_LINE, NULL), PS_OK, "two");
  assert_int_equal(sim_polls(), 0);
  assert_int_equal(sim_calls(), 1);
  ps_socket_free(c, NULL);
}

static void a_partial_line_continues_with_itself_as_prefix(void **state) {
  (void)state;
  for_each_language(host) {
    ps_socket *c = sim_client();
    ps_socket_settimeout(c, 0.05, NULL);
    sim_reads("ne\r", sim_after(1), "x\rt\r\n");
    double start = sim_now();
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_TIMEOUT, "ne");
    sim_expect_elapsed(start, 0.05);
    sim_pass(1);
    sim_expect_bytes(c, line_behind(c, "ne", 0, host), PS_OK, "next");
    ps_socket_free(c, NULL);
  }
}

static void returns_alone_never_fill_a_bounded_buffer(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  static char returns[200 * 1024];
  memset(returns, '\r', sizeof returns);
  for (int i = 0; i < 50; i++) sim_reads(sim_data(returns, sizeof returns));
  sim_expect_bytes(c, line_behind(c, "", 3, NULL), PS_OVERSIZED, "");
  assert_true(sim_memory() < 400 * 1024);
  ps_socket_free(c, NULL);
}

static void returns_alone_pass_no_limit_of_time(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_BOTH);
  ps_socket *c = sim_client();
  sim_cost(0.01);
  sim_reads(sim_flood("\r\r\r\r"));
  ps_socket_settimeout(c, 1, "t");
  double start = sim_now();
  sim_expect_bytes(c, line_behind(c, "", 0, host), PS_TIMEOUT, "");
  assert_true(sim_now() - start < 1.02);
  sim_stop();
  sim_expect_bytes(c, line_behind(c, "", 0, host), PS_INTERRUPTED, "");
  ps_socket_free(c, NULL);
}

static char *pattern_bytes(size_t size) {
  char *text = malloc(size);
  for (size_t i = 0; i < size; i++) text[i] = (char)(i * 7 + i / 251);
  return text;
}

static void a_long_line_is_whole(void **state) {
  (void)state;
  enum { SIZE = 3 * 1024 * 1024 };
  char *text = pattern_bytes(SIZE);
  for (size_t i = 0; i < SIZE; i++)
    if (text[i] == '\n') text[i] = '\r';
  char *kept = malloc(SIZE);
  memcpy(kept, text, SIZE);
  size_t left = without_returns(kept, SIZE);
  for_each_language(host) {
    ps_socket *c = sim_client();
    sim_reads(sim_data(text, 1000000), sim_data(text + 1000000, SIZE - 1000000),
              "\nrest\n");
    sim_expect_data(c, receive(c, PS_LINE, host), PS_OK, kept, left);
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "rest");
    assert_int_equal(ps_socket_getstats(c).received, SIZE + 6);
    ps_socket_free(c, NULL);
  }
  free(kept);
  free(text);
}

/* ---- Bounds ---- */

static void oversized_has_exactly_maxsize_bytes(void **state) {
  (void)state;
  for_each_language(host) {
    ps_socket *c = sim_client();
    sim_reads("abcdefgh\n", sim_eof);
    sim_expect_bytes(c, line_behind(c, "", 3, host), PS_OVERSIZED, "abc");
    sim_expect_bytes(c, ps_socket_receive(c, PS_LINE_WITH_END, data_of("x"), 2, host),
                     PS_OVERSIZED, "xd");
    sim_expect_bytes(c, ps_socket_receive(c, PS_ALL, none, 2, host), PS_OVERSIZED, "ef");
    sim_expect_bytes(c, ps_socket_receiveuntil(c, data_of("h"), none, 1, host), PS_OK,
                     "g");
    sim_expect_bytes(c, ps_socket_receive(c, PS_ALL, none, 1, host), PS_OK, "\n");
    ps_socket_free(c, NULL);
  }
}

static void a_partial_of_a_timeout_is_shorter_than_maxsize(void **state) {
  (void)state;
  for_each_language(host) {
    ps_socket *c = sim_client();
    ps_socket_settimeout(c, 0, NULL);
    sim_reads("abcde", sim_after(1), "\n");
    sim_expect_bytes(c, line_behind(c, "", 5, host), PS_TIMEOUT, "abcd");
    assert_int_equal(ps_socket_pending(c).size, 1);
    sim_pass(1);
    sim_expect_bytes(c, line_behind(c, "abcd", 5, host), PS_OK, "abcde");
    ps_socket_free(c, NULL);
  }
}

static void an_oversized_line_comes_without_waiting_for_its_end(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  sim_reads("abcdef");
  sim_expect_bytes(c, line_behind(c, "", 5, NULL), PS_OVERSIZED, "abcde");
  sim_expect_bytes(c, ps_socket_receiveany(c, 0, NULL), PS_OK, "f");
  sim_reads("abcdef");
  sim_expect_bytes(c, ps_socket_receiveuntil(c, data_of("zz"), none, 5, NULL),
                   PS_OVERSIZED, "abcde");
  assert_int_equal(sim_polls(), 0);
  ps_socket_free(c, NULL);
}

static void a_delimiter_that_may_begin_at_the_bound_is_waited_for(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  ps_socket_settimeout(c, 0, NULL);
  sim_reads("abc--", sim_after(1), "-rest", sim_eof);
  sim_expect_bytes(c, ps_socket_receiveuntil(c, data_of("---"), none, 3, NULL),
                   PS_TIMEOUT, "ab");
  sim_pass(1);
  sim_expect_bytes(c, ps_socket_receiveuntil(c, data_of("---"), data_of("ab"), 3, NULL),
                   PS_OK, "abc");
  sim_expect_bytes(c, receive(c, PS_ALL, NULL), PS_OK, "rest");
  ps_socket_free(c, NULL);
}

/* ---- Counts ---- */

static void nothing_is_received_at_once(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  sim_expect_bytes(c, receive(c, PS_COUNT(0), NULL), PS_OK, "");
  sim_expect_bytes(c, ps_socket_receive(c, PS_COUNT(2), data_of("abc"), 0, NULL), PS_OK,
                   "abc");
  assert_int_equal(sim_calls(), 0);
  ps_socket_close(c, NULL);
  sim_expect_bytes(c, receive(c, PS_COUNT(0), NULL), PS_CLOSED, "");
  sim_expect_bytes(c, ps_socket_receive(c, PS_COUNT(2), data_of("abc"), 0, NULL),
                   PS_CLOSED, "abc");
  ps_socket_free(c, NULL);
}

static void a_large_count_goes_straight_into_lent_memory(void **state) {
  (void)state;
  enum { SIZE = 5 * 1024 * 1024 };
  char *text = pattern_bytes(SIZE);
  for_each_language(host) {
    ps_socket *c = sim_client();
    sim_reads("first\n", sim_data(text, 100000), sim_eagain, sim_eintr,
              sim_data(text + 100000, SIZE - 100000), "behind", sim_eof);
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "first");
    ps_bytes got = ps_socket_receive(c, PS_COUNT(SIZE + 2), data_of("pq"), 0, host);
    if (host != NULL && host->grow != NULL) {
      assert_true(sim_memory() < 1024);
      assert_true(sim_leaves() > 1); /* for the wait, and for the long copy */
    }
    char *all = malloc(SIZE + 2);
    memcpy(all, "pq", 2);
    memcpy(all + 2, text, SIZE);
    sim_expect_data(c, got, PS_OK, all, SIZE + 2);
    free(all);
    sim_expect_bytes(c, receive(c, PS_ALL, host), PS_OK, "behind");
    assert_int_equal(ps_socket_getstats(c).received, 6 + SIZE + 6);
    ps_socket_free(c, NULL);
  }
  free(text);
}

static void a_large_count_that_fails_gives_what_there_was(void **state) {
  (void)state;
  enum { SIZE = 100000 };
  char *text = pattern_bytes(SIZE);
  for_each_language(host) {
    ps_socket *c = sim_client();
    ps_socket_settimeout(c, 0.01, NULL);
    sim_reads(sim_data(text, SIZE / 2), sim_after(1),
              sim_data(text + SIZE / 2, SIZE / 2));
    sim_expect_data(c, receive(c, PS_COUNT(SIZE + 1), host), PS_TIMEOUT, text, SIZE / 2);
    sim_pass(1);
    sim_reads(sim_eof);
    ps_prefix half = {text, SIZE / 2};
    sim_expect_data(c, ps_socket_receive(c, PS_COUNT(SIZE + 1), half, 0, host), PS_CLOSED,
                    text, SIZE);
    ps_socket_free(c, NULL);
  }
  free(text);
}

static void a_count_that_nobody_can_have_costs_nothing(void **state) {
  (void)state;
  for_each_language(host) {
    ps_socket *c = sim_client();
    sim_reads("abc", sim_eof);
    ps_bytes got = receive(c, PS_COUNT(PTRDIFF_MAX - 70000), host);
    sim_expect_bytes(c, got, PS_CLOSED, "abc");
    ps_socket_free(c, NULL);
  }
}

/* ---- All ---- */

static void all_is_what_comes_until_the_peer_closes(void **state) {
  (void)state;
  enum { SIZE = 3000000 };
  char *text = pattern_bytes(SIZE);
  for_each_language(host) {
    ps_socket *c = sim_client();
    sim_reads(sim_data(text, 1000000), sim_eagain,
              sim_data(text + 1000000, SIZE - 1000000), sim_eof);
    sim_expect_data(c, receive(c, PS_ALL, host), PS_OK, text, SIZE);
    sim_expect_bytes(c, receive(c, PS_ALL, host), PS_CLOSED, "");
    sim_expect_bytes(c, ps_socket_receive(c, PS_ALL, data_of("p"), 0, host), PS_CLOSED,
                     "p");
    ps_socket_free(c, NULL);
  }
  free(text);
}

static void a_reset_is_no_end_of_all(void **state) {
  (void)state;
  for_each_language(host) {
    ps_socket *c = sim_client();
    sim_reads("half", sim_reset, sim_eof);
    ps_bytes got = receive(c, PS_ALL, host);
    assert_int_equal(got.status.system, ECONNRESET);
    sim_expect_bytes(c, got, PS_CLOSED, "half");
    ps_socket_free(c, NULL);
    c = sim_client();
    sim_reads("half", sim_reset, sim_eof);
    sim_expect_bytes(c, ps_socket_receive(c, PS_ALL, none, 9, host), PS_CLOSED, "half");
    ps_socket_free(c, NULL);
  }
}

static void close_it(void *socket) { ps_socket_close(socket, NULL); }

static void a_close_from_elsewhere_is_no_end_of_all(void **state) {
  (void)state;
  for_each_language(host) {
    ps_socket *c = sim_client();
    sim_reads("half");
    sim_later(1, close_it, c);
    sim_expect_bytes(c, receive(c, PS_ALL, host), PS_CLOSED, "half");
    ps_socket_free(c, NULL);
    c = sim_client();
    sim_reads("half");
    sim_later(1, close_it, c);
    sim_expect_bytes(c, ps_socket_receive(c, PS_ALL, none, 9, host), PS_CLOSED, "half");
    ps_socket_free(c, NULL);
  }
}

/* ---- Any ---- */

static void any_gives_what_is_there(void **state) {
  (void)state;
  for_each_language(host) {
    ps_socket *c = sim_client();
    sim_reads("abcdef", "gh", sim_after(1), "i", sim_eof);
    sim_expect_bytes(c, ps_socket_receiveany(c, 2, host), PS_OK, "ab");
    sim_expect_bytes(c, ps_socket_receiveany(c, 0, host), PS_OK, "cdef");
    sim_expect_bytes(c, ps_socket_receiveany(c, 9, host), PS_OK, "gh");
    assert_int_equal(sim_polls(), 0);
    sim_expect_bytes(c, ps_socket_receiveany(c, 9, host), PS_OK, "i");
    sim_expect_bytes(c, ps_socket_receiveany(c, 9, host), PS_CLOSED, "");
    ps_socket_free(c, NULL);
  }
}

/* ---- Until ---- */

static void a_delimiter_is_found_across_prefix_and_pieces(void **state) {
  (void)state;
  for_each_language(host) {
    ps_socket *c = sim_client();
    ps_socket_settimeout(c, 0, NULL);
    sim_reads("head\r", "\n\r", sim_after(1), "\nbody", sim_eof);
    sim_expect_bytes(c, until(c, "\r\n\r\n", host), PS_TIMEOUT, "head\r\n\r");
    sim_pass(1);
    sim_expect_bytes(
        c, ps_socket_receiveuntil(c, data_of("\r\n\r\n"), data_of("head\r\n\r"), 0, host),
        PS_OK, "head");
    sim_expect_bytes(c, until(c, "never", host), PS_CLOSED, "body");
    ps_socket_free(c, NULL);
  }
}

static void a_delimiter_may_hold_any_bytes(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  static const char stream[] = "a\0b\0\0c";
  sim_reads(sim_data(stream, 6), sim_eof);
  sim_expect_data(c, ps_socket_receiveuntil(c, (ps_data){"\0\0", 2}, none, 0, NULL),
                  PS_OK, "a\0b", 3);
  sim_expect_bytes(c, receive(c, PS_ALL, NULL), PS_OK, "c");
  ps_socket_free(c, NULL);
}

/* ---- Into ---- */

static void a_room_is_filled(void **state) {
  (void)state;
  enum { SIZE = 100000 };
  char *text = pattern_bytes(SIZE), *room = malloc(SIZE);
  for_each_language(host) {
    ps_socket *c = sim_client();
    ps_socket_settimeout(c, 0.5, NULL);
    sim_reads("ab\ncd", sim_data(text, SIZE), "tail", sim_after(2), "late", sim_eof);
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "ab");
    ps_filled got = ps_socket_receiveinto(c, (ps_room){room, 2}, -1, host);
    sim_expect(got, PS_OK);
    assert_int_equal(got.count, 2);
    assert_memory_equal(room, "cd", 2);
    got = ps_socket_receiveinto(c, (ps_room){room, SIZE}, SIZE, host);
    sim_expect(got, PS_OK);
    assert_int_equal(got.count, SIZE);
    assert_memory_equal(room, text, SIZE);
    assert_int_equal(ps_socket_receiveinto(c, (ps_room){room, 9}, 0, host).status.code,
                     PS_OK);
    got = ps_socket_receiveinto(c, (ps_room){room, 9}, 8, host);
    sim_expect(got, PS_TIMEOUT);
    assert_int_equal(got.count, 4);
    assert_memory_equal(room, "tail", 4);
    got = ps_socket_receiveinto(c, (ps_room){room, 9}, -1, host);
    sim_expect(got, PS_TIMEOUT);
    sim_pass(1);
    got = ps_socket_receiveinto(c, (ps_room){room, 9}, -1, host);
    sim_expect(got, PS_CLOSED);
    assert_int_equal(got.count, 4);
    ps_socket_close(c, NULL);
    sim_expect(ps_socket_receiveinto(c, (ps_room){room, 9}, -1, host), PS_CLOSED);
    ps_socket_free(c, NULL);
  }
  free(text);
  free(room);
}

/* ---- Iterators ---- */

static void lines_end_with_an_unterminated_one(void **state) {
  (void)state;
  for_each_language(host) {
    ps_socket *c = sim_client();
    sim_reads("one\r\ntw", sim_eagain, "o\nth\rree", sim_eof);
    sim_expect(ps_socket_lines(c, PS_LINE, 0), PS_OK);
    sim_expect_bytes(c, ps_socket_next(c, PS_LINE, 0, host), PS_OK, "one");
    sim_expect_bytes(c, ps_socket_next(c, PS_LINE, 0, host), PS_OK, "two");
    sim_expect_bytes(c, ps_socket_next(c, PS_LINE, 0, host), PS_OK, "three");
    sim_expect_bytes(c, ps_socket_next(c, PS_LINE, 0, host), PS_ENDED, "");
    ps_socket_free(c, NULL);
  }
}

static void an_iterator_that_fails_leaves_its_bytes(void **state) {
  (void)state;
  enum { SIZE = 40000 };
  char *text = pattern_bytes(SIZE);
  for_each_language(host) {
    ps_socket *c = sim_client();
    ps_socket_settimeout(c, 0, NULL);
    sim_reads("ab\rc");
    sim_expect_bytes(c, ps_socket_next(c, PS_LINE, 0, host), PS_TIMEOUT, "");
    assert_int_equal(ps_socket_pending(c).size, 4);
    assert_int_equal(ps_socket_getstats(c).received, 0);
    sim_reads("d\n", sim_data(text, SIZE / 2));
    sim_expect_bytes(c, ps_socket_next(c, PS_LINE_WITH_END, 0, host), PS_OK, "ab\rcd\n");
    sim_expect_bytes(c, ps_socket_next(c, PS_COUNT(SIZE), 0, host), PS_TIMEOUT, "");
    assert_int_equal(ps_socket_pending(c).size, SIZE / 2);
    sim_expect_bytes(c, ps_socket_next(c, PS_ALL, 0, host), PS_TIMEOUT, "");
    assert_int_equal(ps_socket_pending(c).size, SIZE / 2);
    assert_int_equal(ps_socket_getstats(c).received, 6);
    sim_reads(sim_data(text + SIZE / 2, SIZE / 2), "rest", sim_eof);
    sim_expect_data(c, ps_socket_next(c, PS_COUNT(SIZE), 0, host), PS_OK, text, SIZE);
    sim_expect_bytes(c, ps_socket_next(c, PS_COUNT(SIZE), 0, host), PS_OK, "rest");
    sim_expect_bytes(c, ps_socket_next(c, PS_COUNT(SIZE), 0, host), PS_ENDED, "");
    sim_expect_bytes(c, ps_socket_next(c, PS_ALL, 0, host), PS_ENDED, "");
    ps_socket_free(c, NULL);
  }
  free(text);
}

/* ---- Interruption ---- */

static void what_was_read_before_a_stop_stays(void **state) {
  (void)state;
  enum { SIZE = 100000 };
  char *text = pattern_bytes(SIZE), *room = malloc(SIZE);
  for_each_language(host) {
    if (host == NULL) continue;
    ps_socket *c = sim_client();
    sim_reads("ab\r");
    sim_stop();
    sim_signal(1);
    sim_expect_bytes(c, receive(c, PS_LINE_WITH_END, host), PS_INTERRUPTED, "");
    sim_reads("c\n");
    sim_expect_bytes(c, receive(c, PS_LINE_WITH_END, host), PS_OK, "ab\rc\n");

    sim_reads("x", sim_data(text, SIZE / 2));
    sim_stop();
    sim_signal(1);
    sim_expect_bytes(c, receive(c, PS_COUNT(SIZE), host), PS_INTERRUPTED, "");
    sim_reads(sim_data(text + SIZE / 2, SIZE / 2));
    sim_expect_bytes(c, ps_socket_receiveany(c, 1, host), PS_OK, "x");

    sim_stop();
    sim_signal(1);
    ps_filled got = ps_socket_receiveinto(c, (ps_room){room, SIZE}, -1, host);
    if (got.status.code == PS_OK) {
      assert_memory_equal(room, text, SIZE);
    } else {
      sim_expect(got, PS_INTERRUPTED);
      assert_int_equal(got.count, 0);
      sim_expect_data(c, receive(c, PS_COUNT(SIZE), host), PS_OK, text, SIZE);
    }
    assert_int_equal(ps_socket_getstats(c).received, 5 + 1 + SIZE);
    ps_socket_free(c, NULL);
  }
  free(text);
  free(room);
}

static void into_puts_back_what_it_took_before_a_stop(void **state) {
  (void)state;
  char room[64];
  for_each_language(host) {
    if (host == NULL) continue;
    ps_socket *c = sim_client();
    sim_reads("abc");
    sim_stop();
    sim_signal(1);
    ps_filled got = ps_socket_receiveinto(c, (ps_room){room, 64}, -1, host);
    sim_expect(got, PS_INTERRUPTED);
    assert_int_equal(got.count, 0);
    assert_int_equal(ps_socket_pending(c).size, 3);
    assert_int_equal(ps_socket_getstats(c).received, 0);
    sim_expect_bytes(c, ps_socket_receiveany(c, 0, host), PS_OK, "abc");
    ps_socket_free(c, NULL);
  }
}

static void a_stop_behind_a_prefix_keeps_what_was_read(void **state) {
  (void)state;
  enum { SIZE = 100000 };
  char *text = pattern_bytes(SIZE), *all = malloc(SIZE + 2);
  memcpy(all, "pq", 2);
  memcpy(all + 2, text, SIZE);
  for_each_language(host) {
    if (host == NULL) continue;
    ps_socket *c = sim_client();
    sim_reads(sim_data(text, SIZE / 2));
    sim_stop();
    sim_signal(1);
    ps_prefix prefix = data_of("pq");
    ps_bytes got = ps_socket_receive(c, PS_COUNT(SIZE + 2), prefix, 0, host);
    sim_expect_bytes(c, got, PS_INTERRUPTED, "");
    assert_int_equal(ps_socket_pending(c).size, SIZE / 2);
    assert_int_equal(ps_socket_getstats(c).received, 0);
    sim_reads(sim_data(text + SIZE / 2, SIZE / 2));
    got = ps_socket_receive(c, PS_COUNT(SIZE + 2), prefix, 0, host);
    sim_expect_data(c, got, PS_OK, all, SIZE + 2);
    ps_socket_free(c, NULL);
  }
  free(text);
  free(all);
}

static void a_stop_without_memory_loses_nothing(void **state) {
  (void)state;
  enum { SIZE = 100000 };
  char *text = pattern_bytes(SIZE);
  ps_host *host = sim_language(SIM_GROW);
  ps_socket *c = sim_client();
  sim_reads(sim_data(text, SIZE / 2));
  sim_stop();
  sim_signal(1);
  sim_fault(SIM_ENOMEM, 1, 1);
  ps_bytes got = receive(c, PS_COUNT(SIZE), host);
  sim_fault(SIM_NO_FAULT, 0, 0);
  sim_expect_data(c, got, PS_INTERRUPTED, text, SIZE / 2);
  assert_int_equal(ps_socket_getstats(c).received, SIZE / 2);
  ps_socket_free(c, NULL);
  free(text);
}

static void a_signal_that_stops_nothing_is_waited_out(void **state) {
  (void)state;
  for_each_language(host) {
    ps_socket *c = sim_client();
    ps_socket_settimeout(c, 1, NULL);
    sim_signal(0.25);
    sim_signal(0.5);
    sim_reads("ab", sim_after(0.75), "c\n");
    double start = sim_now();
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "abc");
    sim_expect_elapsed(start, 0.75);
    if (host != NULL) assert_true(sim_questions() >= 2);
    ps_socket_free(c, NULL);
  }
}

/* ---- Memory ---- */

static void held_bytes_stay_until_they_are_taken(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_HOLD);
  ps_socket *c = sim_client();
  sim_reads("one\ntwo\n");
  for (int i = 0; i < 3; i++) {
    ps_bytes got = receive(c, PS_LINE, host);
    assert_int_equal(got.held, 4);
    assert_memory_equal(got.data, "one", 3);
    assert_int_equal(ps_socket_pending(c).size, 8);
    assert_int_equal(ps_socket_getstats(c).received, 0);
  }
  sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "one");
  assert_int_equal(ps_socket_getstats(c).received, 4);
  assert_true(ps_socket_dirty(c).yes);
  sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "two");
  assert_false(ps_socket_dirty(c).yes);
  assert_int_equal(sim_memory(), sizeof(ps_socket));
  ps_socket_free(c, NULL);
}

static void a_language_without_memory_loses_nothing(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_GROW);
  ps_socket *c = sim_client();
  sim_reads("one\n", "two");
  sim_fault(SIM_EGROW, 1, 0);
  sim_expect_bytes(c, receive(c, PS_LINE, host), PS_NOMEMORY, "");
  sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "one");
  sim_fault(SIM_EGROW, 1, 0);
  sim_expect_bytes(c, ps_socket_receiveany(c, 0, host), PS_NOMEMORY, "");
  assert_int_equal(ps_socket_pending(c).size, 3);
  sim_fault(SIM_EGROW, 1, 0);
  sim_expect_bytes(c, receive(c, PS_COUNT(100000), host), PS_NOMEMORY, "");
  assert_int_equal(ps_socket_pending(c).size, 3);
  sim_expect_bytes(c, ps_socket_receiveany(c, 0, host), PS_OK, "two");
  ps_socket_free(c, NULL);
}

static void lent_memory_that_stops_growing_keeps_its_bytes(void **state) {
  (void)state;
  enum { SIZE = 3 * 1024 * 1024 };
  char *text = pattern_bytes(SIZE);
  ps_host *host = sim_language(SIM_GROW);
  ps_socket *c = sim_client();
  sim_reads(sim_data(text, SIZE), sim_eof);
  sim_fault(SIM_EGROW, 2, 0);
  ps_bytes got = receive(c, PS_ALL, host);
  assert_int_equal(sim_struck(), 1);
  size_t have = got.size;
  assert_true(have > 0 && have < SIZE);
  sim_expect_data(c, got, PS_NOMEMORY, text, have);
  sim_expect_data(c, receive(c, PS_ALL, host), PS_OK, text + have, SIZE - have);
  ps_socket_free(c, NULL);
  free(text);
}

static void a_language_that_lends_no_more_is_given_a_view(void **state) {
  (void)state;
  enum { SIZE = 1100000, COUNT = 1058816 };
  char *text = pattern_bytes(SIZE);
  for (int fault = 1; fault <= 2; fault++)
    for (int all = 0; all < 2; all++) {
      ps_host *host = sim_language(SIM_BOTH);
      ps_socket *c = sim_client();
      /* The first part ends in what the buffer has read, and more is behind it. */
      for (size_t at = 0; at < 1040000; at += 20000)
        sim_reads(sim_data(text + at, 20000));
      sim_reads(sim_data(text + 1040000, SIZE - 1040000));
      sim_reads(sim_eof);
      sim_fault(SIM_EGROW, fault, 1);
      ps_bytes got = receive(c, all ? PS_ALL : PS_COUNT(COUNT), host);
      assert_true(sim_struck() > 0);
      sim_fault(SIM_NO_FAULT, 0, 0);
      assert_int_equal(got.held, all ? SIZE : COUNT);
      sim_expect_data(c, got, PS_OK, text, all ? SIZE : COUNT);
      if (!all)
        sim_expect_data(c, receive(c, PS_ALL, host), PS_OK, text + COUNT, SIZE - COUNT);
      ps_socket_free(c, NULL);
    }
  free(text);
}

static void a_view_whose_bytes_are_gone_is_not_taken(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_HOLD);
  ps_socket *c = sim_client();
  sim_reads("one\ntwo\nthree\n");
  ps_bytes outer = receive(c, PS_LINE, host);
  sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "one");
  assert_false(ps_socket_take(c, &outer));
  sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "two");
  outer = receive(c, PS_LINE, host);
  ps_socket_close(c, NULL);
  assert_true(ps_socket_take(c, &outer)); /* nobody else has them */
  assert_int_equal(ps_socket_pending(c).size, 0);
  ps_socket_free(c, NULL);
}

static void without_memory_nothing_is_lost(void **state) {
  (void)state;
  for_each_language(host) {
    ps_socket *c = sim_client();
    sim_reads("one\ntwo\n", sim_eof);
    sim_fault(SIM_ENOMEM, 1, 1);
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_NOMEMORY, "");
    sim_expect_bytes(c, ps_socket_receive(c, PS_LINE, data_of("p"), 0, host), PS_NOMEMORY,
                     "p");
    sim_fault(SIM_ENOMEM, 1, 0); /* a large buffer is not to be had, a small one is */
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "one");
    sim_fault(SIM_NO_FAULT, 0, 0);
    sim_expect_bytes(c, receive(c, PS_ALL, host), PS_OK, "two\n");
    ps_socket_free(c, NULL);
  }
}

static void an_idle_socket_has_no_buffer(void **state) {
  (void)state;
  assert_true(sizeof(ps_socket) <= 256);
  for_each_language(host) {
    if (host == NULL || (host->mode != PS_HOST_HOLD && host->grow == NULL)) continue;
    ps_socket *c = sim_client();
    ps_socket_settimeout(c, 0, NULL);
    assert_int_equal(sim_memory(), sizeof(ps_socket));
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_TIMEOUT, "");
    assert_int_equal(sim_memory(), sizeof(ps_socket));
    sim_reads("ab\ncd");
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "ab");
    assert_true(sim_memory() > sizeof(ps_socket));
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_TIMEOUT, "cd");
    assert_int_equal(sim_memory(), sizeof(ps_socket));
    ps_socket_free(c, NULL);
  }
}

static void a_view_lives_until_the_next_call(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  sim_reads("one\n");
  ps_bytes got = receive(c, PS_LINE, NULL);
  sim_reads("two\n");
  assert_int_equal(ps_socket_pending(c).size, 0);
  assert_memory_equal(got.data, "one", 3);
  sim_expect_bytes(c, receive(c, PS_LINE, NULL), PS_OK, "two");
  ps_socket_free(c, NULL);
}

static void errors_of_the_system_keep_their_number(void **state) {
  (void)state;
  for_each_language(host) {
    ps_socket *c = sim_client();
    sim_reads("ab", sim_error(EIO), "c\n", sim_error(ETIMEDOUT));
    ps_bytes got = receive(c, PS_LINE, host);
    assert_int_equal(got.status.system, EIO);
    sim_expect_bytes(c, got, PS_SYSTEM, "ab");
    sim_expect_bytes(c, line_behind(c, "ab", 0, host), PS_OK, "abc");
    got = receive(c, PS_LINE, host);
    assert_int_equal(got.status.system, ETIMEDOUT);
    sim_expect_bytes(c, got, PS_TIMEOUT, "");
    ps_socket_free(c, NULL);
  }
}

/* ---- Misuse ---- */

static void misuse_is_told_before_anything_is_done(void **state) {
  (void)state;
  ps_socket *c = sim_client(), *s = sim_server();
  char room[4];
  ps_status status = receive(c, (ps_pattern){'x', 0}, NULL).status;
  assert_int_equal(status.code, PS_MISUSE_PATTERN);
  assert_int_equal(status.argument, 1);
  assert_int_equal(receive(c, (ps_pattern){'\0', 0}, NULL).status.code,
                   PS_MISUSE_PATTERN);
  assert_int_equal(receive(c, PS_COUNT(-1), NULL).status.code, PS_MISUSE_PATTERN);
  status = line_behind(c, "abc", 3, NULL).status;
  assert_int_equal(status.code, PS_MISUSE_PREFIXSIZE);
  assert_int_equal(status.argument, 2);
  status = ps_socket_receive(c, PS_COUNT(4), none, 3, NULL).status;
  assert_int_equal(status.code, PS_MISUSE_COUNTSIZE);
  assert_int_equal(until(c, "", NULL).status.code, PS_MISUSE_DELIMITER);
  status = ps_socket_receiveuntil(c, data_of("x"), data_of("abc"), 3, NULL).status;
  assert_int_equal(status.code, PS_MISUSE_PREFIXSIZE);
  status = ps_socket_receiveinto(c, (ps_room){room, 4}, 5, NULL).status;
  assert_int_equal(status.code, PS_MISUSE_BUFFERSIZE);
  assert_int_equal(status.argument, 2);
  assert_int_equal(ps_socket_lines(c, (ps_pattern){'?', 0}, 0).status.code,
                   PS_MISUSE_PATTERN);
  assert_int_equal(ps_socket_next(c, (ps_pattern){'?', 0}, 0, NULL).status.code,
                   PS_MISUSE_PATTERN);

  assert_int_equal(receive(s, PS_LINE, NULL).status.code, PS_MISUSE_NOTCLIENT);
  assert_int_equal(ps_socket_receiveany(s, 0, NULL).status.code, PS_MISUSE_NOTCLIENT);
  assert_int_equal(until(s, "x", NULL).status.code, PS_MISUSE_NOTCLIENT);
  assert_int_equal(ps_socket_receiveinto(s, (ps_room){room, 4}, -1, NULL).status.code,
                   PS_MISUSE_NOTCLIENT);
  assert_int_equal(ps_socket_lines(s, PS_LINE, 0).status.code, PS_MISUSE_NOTCLIENT);
  assert_int_equal(ps_socket_next(s, PS_LINE, 0, NULL).status.code, PS_MISUSE_NOTCLIENT);
  assert_int_equal(ps_socket_send(s, data_of("x"), 1, -1, NULL).status.code,
                   PS_MISUSE_NOTCLIENT);
  assert_int_equal(receive(NULL, PS_LINE, NULL).status.code, PS_MISUSE_NOTOBJECT);
  assert_int_equal(sim_calls(), 0);
  ps_socket_free(c, NULL);
  ps_socket_free(s, NULL);
}

static void patterns_have_names(void **state) {
  (void)state;
  static const struct {
    const char *text;
    char kind;
  } names[] = {{"*l", 'l'}, {"l", 'l'}, {"*L", 'L'},   {"L", 'L'},
               {"*a", 'a'}, {"a", 'a'}, {"", '?'},     {"*line", 'l'},
               {"*", '?'},  {"x", '?'}, {"line", '?'}, {"*x", '?'},
               {"*n", '?'}, {"n", '?'}, {"xl", '?'},   {"all", '?'}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    ps_pattern found = ps_pattern_of(names[i].text, strlen(names[i].text));
    if (found.kind != names[i].kind)
      print_error("'%s' is %c\n", names[i].text, found.kind);
    assert_int_equal(found.kind, names[i].kind);
    assert_int_equal(found.count, 0);
  }
  assert_int_equal(ps_pattern_of("*l", 1).kind, '?'); /* it ends before */
  assert_int_equal(ps_pattern_of("l", 0).kind, '?');
  assert_int_equal(ps_pattern_of("*\0", 2).kind, '?');
  assert_int_equal(ps_pattern_of("\0", 1).kind, '?');
}

/* ---- Send ---- */

static void send_tells_the_last_byte(void **state) {
  (void)state;
  static const struct {
    ps_first i;
    ps_last j;
    long long last;
    const char *sent;
  } parts[] = {
      {1, -1, 5, "hello"},
      {2, -2, 4, "ell"},
      {2, 3, 3, "el"},
      {-2, -1, 5, "lo"},
      {0, 99, 5, "hello"},
      {-99, 2, 2, "he"},
      {4, 3, 3, ""},
      {9, -1, 8, ""},
      {3, -99, 2, ""},
      {1, 0, 0, ""},
      {-1, -1, 5, "o"},
      {6, -1, 5, ""},
      {INT64_MIN, INT64_MAX, 5, "hello"},
      {1, INT64_MIN, 0, ""},
  };
  for_each_language(host) {
    ps_socket *c = sim_client();
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
      ps_sent got = ps_socket_send(c, data_of("hello"), parts[p].i, parts[p].j, host);
      sim_expect(got, PS_OK);
      assert_int_equal(got.last, parts[p].last);
      sim_expect_sent(parts[p].sent);
    }
    assert_int_equal(ps_socket_send(c, (ps_data){NULL, 0}, 1, -1, host).last, 0);
    ps_socket_free(c, NULL);
  }
}

static void a_send_resumes_behind_the_last_byte(void **state) {
  (void)state;
  for_each_language(host) {
    ps_socket *c = sim_client();
    ps_socket_settimeout(c, 0.1, NULL);
    sim_writes(sim_takes(2), sim_eagain, sim_eintr, sim_takes(1), sim_after(1),
               sim_takes(9));
    double start = sim_now();
    ps_sent got = ps_socket_send(c, data_of("abcdef"), 2, -1, host);
    sim_expect(got, PS_TIMEOUT);
    assert_int_equal(got.last, 4);
    sim_expect_elapsed(start, 0.1);
    sim_pass(1);
    got = ps_socket_send(c, data_of("abcdef"), got.last + 1, -1, host);
    sim_expect(got, PS_OK);
    assert_int_equal(got.last, 6);
    sim_expect_sent("bcdef");
    assert_int_equal(ps_socket_getstats(c).sent, 5);
    ps_socket_free(c, NULL);
  }
}

static void a_send_to_a_closed_peer_fails_closed(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  sim_writes(sim_takes(3), sim_error(EPIPE), sim_error(EIO));
  ps_sent got = ps_socket_send(c, data_of("abcdef"), 1, -1, NULL);
  sim_expect(got, PS_CLOSED);
  assert_int_equal(got.last, 3);
  got = ps_socket_send(c, data_of("abcdef"), 1, -1, NULL);
  assert_int_equal(got.status.system, EIO);
  assert_int_equal(got.last, 0);
  ps_socket_close(c, NULL);
  got = ps_socket_send(c, data_of("abcdef"), 3, -1, NULL);
  sim_expect(got, PS_CLOSED);
  assert_int_equal(got.last, 2);
  ps_socket_free(c, NULL);
}

static void a_large_block_goes_in_one_call(void **state) {
  (void)state;
  enum { SIZE = 1000000 };
  char *text = pattern_bytes(SIZE);
  ps_host *host = sim_language(SIM_GROW);
  ps_socket *c = sim_client();
  ps_sent got = ps_socket_send(c, (ps_data){text, SIZE}, 1, -1, host);
  assert_int_equal(got.last, SIZE);
  assert_int_equal(sim_calls(), 1);
  assert_int_equal(sim_leaves(), 1);
  size_t size;
  const char *sent = sim_sent(&size);
  assert_int_equal(size, SIZE);
  assert_memory_equal(sent, text, SIZE);
  ps_socket_free(c, NULL);
  free(text);
}

static void a_send_that_is_stopped_tells_how_far_it_came(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_GROW);
  ps_socket *c = sim_client();
  sim_writes(sim_takes(2), sim_after(2), sim_takes(9));
  sim_stop();
  sim_signal(1);
  ps_sent got = ps_socket_send(c, data_of("abcdef"), 1, -1, host);
  sim_expect(got, PS_INTERRUPTED);
  assert_int_equal(got.last, 2);
  sim_expect_sent("ab");
  ps_socket_free(c, NULL);
}

static void closing_while_bytes_are_buffered_frees_them(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  sim_reads("one\ntwo");
  sim_expect_bytes(c, receive(c, PS_LINE, NULL), PS_OK, "one");
  assert_int_equal(ps_socket_pending(c).size, 3);
  ps_socket_close(c, NULL);
  assert_false(ps_socket_dirty(c).yes);
  sim_expect_bytes(c, receive(c, PS_LINE, NULL), PS_CLOSED, "");
  ps_socket_free(c, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_line_in_every_fragmentation),
      cmocka_unit_test(every_line_with_end_in_every_fragmentation),
      cmocka_unit_test(everything_in_every_fragmentation),
      cmocka_unit_test(every_count_in_every_fragmentation),
      cmocka_unit_test(every_delimiter_in_every_fragmentation),
      cmocka_unit_test(lines_arrive_in_pieces),
      sim_test(a_line_costs_no_wait_when_it_is_there),
      cmocka_unit_test(a_partial_line_continues_with_itself_as_prefix),
      sim_test(returns_alone_never_fill_a_bounded_buffer),
      sim_test(returns_alone_pass_no_limit_of_time),
      cmocka_unit_test(a_long_line_is_whole),
      cmocka_unit_test(oversized_has_exactly_maxsize_bytes),
      cmocka_unit_test(a_partial_of_a_timeout_is_shorter_than_maxsize),
      sim_test(an_oversized_line_comes_without_waiting_for_its_end),
      sim_test(a_delimiter_that_may_begin_at_the_bound_is_waited_for),
      sim_test(nothing_is_received_at_once),
      cmocka_unit_test(a_large_count_goes_straight_into_lent_memory),
      cmocka_unit_test(a_large_count_that_fails_gives_what_there_was),
      cmocka_unit_test(a_count_that_nobody_can_have_costs_nothing),
      cmocka_unit_test(all_is_what_comes_until_the_peer_closes),
      cmocka_unit_test(a_reset_is_no_end_of_all),
      cmocka_unit_test(a_close_from_elsewhere_is_no_end_of_all),
      cmocka_unit_test(any_gives_what_is_there),
      cmocka_unit_test(a_delimiter_is_found_across_prefix_and_pieces),
      sim_test(a_delimiter_may_hold_any_bytes),
      cmocka_unit_test(a_room_is_filled),
      cmocka_unit_test(lines_end_with_an_unterminated_one),
      cmocka_unit_test(an_iterator_that_fails_leaves_its_bytes),
      cmocka_unit_test(what_was_read_before_a_stop_stays),
      cmocka_unit_test(into_puts_back_what_it_took_before_a_stop),
      sim_test(a_stop_behind_a_prefix_keeps_what_was_read),
      sim_test(a_stop_without_memory_loses_nothing),
      cmocka_unit_test(a_signal_that_stops_nothing_is_waited_out),
      sim_test(held_bytes_stay_until_they_are_taken),
      sim_test(a_language_without_memory_loses_nothing),
      sim_test(lent_memory_that_stops_growing_keeps_its_bytes),
      sim_test(a_language_that_lends_no_more_is_given_a_view),
      sim_test(a_view_whose_bytes_are_gone_is_not_taken),
      cmocka_unit_test(without_memory_nothing_is_lost),
      cmocka_unit_test(an_idle_socket_has_no_buffer),
      sim_test(a_view_lives_until_the_next_call),
      cmocka_unit_test(errors_of_the_system_keep_their_number),
      sim_test(misuse_is_told_before_anything_is_done),
      sim_test(patterns_have_names),
      cmocka_unit_test(send_tells_the_last_byte),
      cmocka_unit_test(a_send_resumes_behind_the_last_byte),
      sim_test(a_send_to_a_closed_peer_fails_closed),
      sim_test(a_large_block_goes_in_one_call),
      sim_test(a_send_that_is_stopped_tells_how_far_it_came),
      sim_test(closing_while_bytes_are_buffered_frees_them),
  };
  return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
