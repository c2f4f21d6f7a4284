/* SPDX-License-Identifier: MIT */
/* What receiving asks for, on the simulated system: the clock, the system, memory of the
   language. And the bounds between one way of receiving and another, to the byte. What
   comes out of it is in test_stream.c. */

#include <stdlib.h>

#include "os_sim.h"

enum { PART = 1024 * 1024, CHUNK = 64 * 1024 }; /* as in direct.c and stream.c */

static const ps_prefix none = {NULL, 0};

static ps_bytes receive(ps_socket *c, ps_pattern pattern, ps_host *host) {
  return ps_socket_receive(c, pattern, none, 0, host);
}

static char *letters(size_t size) {
  char *text = malloc(size);
  for (size_t i = 0; i < size; i++) text[i] = (char)('a' + i % 23);
  return text;
}

/* Ends a world for one language and begins one for the next. */
static ps_host *another(int language) {
  sim_end();
  sim_begin();
  return sim_language(language);
}

/* ---- At hand ---- */

/* With a limit, a call reads the clock. What is in the read buffer needs none. */
static void what_is_at_hand_needs_no_clock(void **state) {
  (void)state;
  static const int languages[] = {SIM_HOLD, SIM_BOTH};
  for (int i = 0; i < 2; i++) {
    ps_host *host = another(languages[i]);
    ps_socket *c = sim_client();
    ps_socket_settimeout(c, 5, "t");
    sim_reads("one\ntwo\r\n\n12345x67\nend\nrest!");
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "one");
    int before = sim_clock();
    assert_true(before > 0);
    ps_bytes view = receive(c, PS_LINE, host);
    sim_expect_bytes(c, view, PS_OK, "two");
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "");
    sim_expect_bytes(c, receive(c, PS_COUNT(5), host), PS_OK, "12345");
    sim_expect_bytes(c, receive(c, PS_COUNT(1), host), PS_OK, "x");
    sim_expect_bytes(c, ps_socket_next(c, PS_COUNT(2), 0, host), PS_OK, "67");
    sim_expect_bytes(c, ps_socket_next(c, PS_LINE, 0, host), PS_OK, "");
    sim_expect_bytes(c, ps_socket_next(c, PS_LINE, 0, host), PS_OK, "end");
    sim_expect_bytes(c, receive(c, PS_COUNT(5), host), PS_OK, "rest!");
    assert_int_equal(sim_clock(), before);
    assert_null(view.head);
    assert_int_equal(ps_socket_getstats(c).received, 28);
    assert_int_equal(sim_memory(), sizeof(ps_socket));
    ps_socket_free(c, NULL);
  }
}

/* The long way is for all others, and gives the same. */
static void what_is_not_at_hand_is_received(void **state) {
  (void)state;
  static const int languages[] = {SIM_HOLD, SIM_BOTH};
  for (int i = 0; i < 2; i++) {
    ps_host *host = another(languages[i]);
    ps_socket *c = sim_client();
    sim_reads("one\no\rn\r\nL\n", sim_eagain, "a\n", sim_eagain, "12345", sim_eof);
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "one");
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "on");
    sim_expect_bytes(c, receive(c, PS_COUNT(0), host), PS_OK, "");
    /* Only that kind has a count. */
    sim_expect_bytes(c, receive(c, (ps_pattern){'L', 1}, host), PS_OK, "L\n");
    sim_expect_bytes(c, receive(c, PS_COUNT(1), host), PS_OK, "a");
    sim_expect_bytes(c, receive(c, PS_COUNT(3), host), PS_OK, "\n12");
    assert_int_equal(receive(c, PS_COUNT(-1), host).status.code, PS_MISUSE_PATTERN);
    assert_int_equal(ps_socket_next(c, PS_COUNT(0), 0, host).status.code,
                     PS_MISUSE_POSITIVE);
    sim_expect_bytes(c, receive(c, PS_COUNT(4), host), PS_CLOSED, "345");
    ps_socket_free(c, NULL);
  }
}

/* ---- The system ---- */

/* A short rest is read together with what follows it; a large one has its own memory. */
static void a_read_asks_for_what_is_missing_or_for_a_portion(void **state) {
  (void)state;
  static const int languages[] = {SIM_GROW, SIM_BOTH};
  for (int i = 0; i < 2; i++) {
    ps_host *host = another(languages[i]);
    ps_socket *c = sim_client();
    ps_socket_settimeout(c, 0, NULL);
    sim_expect_bytes(c, receive(c, PS_COUNT(PS__DIRECT), host), PS_TIMEOUT, "");
    assert_int_equal(sim_asked(), PS__DIRECT);
    sim_expect_bytes(c, receive(c, PS_COUNT(PS__DIRECT - 1), host), PS_TIMEOUT, "");
    assert_int_equal(sim_asked(), CHUNK);
    static char room[PS__DIRECT];
    sim_expect(ps_socket_receiveinto(c, (ps_room){room, PS__DIRECT}, -1, host),
               PS_TIMEOUT);
    assert_int_equal(sim_asked(), PS__DIRECT);
    sim_expect(ps_socket_receiveinto(c, (ps_room){room, PS__DIRECT - 1}, -1, host),
               PS_TIMEOUT);
    assert_int_equal(sim_asked(), CHUNK);
    ps_socket_free(c, NULL);
  }
}

/* Whatever the portions are: the last one may end one byte before. */
static void a_call_that_may_not_wait_stops_at_the_byte(void **state) {
  (void)state;
  size_t size = PS_AT_HAND + 2;
  char *text = letters(size);
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    ps_host *host = another(language);
    ps_socket *c = sim_client();
    ps_socket_settimeout(c, 0, NULL);
    sim_reads(sim_data(text, PS_AT_HAND - 1));
    for (size_t i = PS_AT_HAND - 1; i < size; i++) sim_reads(sim_data(text + i, 1));
    ps_bytes got = receive(c, PS_COUNT(3 * (long long)PS_AT_HAND), host);
    sim_expect_data(c, got, PS_TIMEOUT, text, PS_AT_HAND);
    got = ps_socket_receiveany(c, 0, host);
    sim_expect_data(c, got, PS_OK, text + PS_AT_HAND, 1);

    sim_writes(sim_takes(PS_AT_HAND - 1), sim_takes(1), sim_takes(1), sim_takes(1));
    ps_sent sent = ps_socket_send(c, (ps_data){text, size}, 1, -1, host);
    sim_expect(sent, PS_TIMEOUT);
    assert_int_equal(sent.last, PS_AT_HAND);
    ps_socket_free(c, NULL);
  }
  free(text);
}

/* What is left of a portion is not paid for again in the next one. */
static void a_rest_does_not_enlarge_the_buffer(void **state) {
  (void)state;
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    ps_host *host = another(language);
    ps_socket *c = sim_client();
    ps_socket_settimeout(c, 0, NULL);
    sim_reads("one\ntw");
    for (int i = 0; i < 5; i++) {
      sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, i == 0 ? "one" : "two");
      sim_expect_bytes(c, ps_socket_next(c, PS_LINE, 0, host), PS_TIMEOUT, "");
      assert_in_range(sim_memory(), CHUNK, CHUNK + 1000);
      sim_reads("o\ntw");
    }
    ps_socket_free(c, NULL);
  }
}

/* A signal may come in the middle of a read, not only of a wait. */
static void a_read_that_a_signal_interrupts_asks_the_host(void **state) {
  (void)state;
  for (int language = SIM_VIEW; language < SIM_LANGUAGES; language++) {
    ps_host *host = another(language);
    ps_socket *c = sim_client();
    sim_reads(sim_eintr, sim_eintr, "one\n");
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "one");
    assert_int_equal(sim_questions(), 2);
    sim_reads(sim_eintr, "two\n");
    sim_stop();
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_INTERRUPTED, "");
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "two");
    assert_int_equal(sim_polls(), 0);
    ps_socket_free(c, NULL);
  }
}

/* From this size on, other threads run meanwhile. */
static void a_long_copy_leaves_the_host(void **state) {
  (void)state;
  static char block[PS__LONG_COPY];
  for (size_t size = PS__LONG_COPY - 1; size <= PS__LONG_COPY; size++) {
    ps_host *host = another(SIM_BOTH);
    ps_socket *c = sim_client();
    int leaves = size == PS__LONG_COPY;
    sim_expect(ps_socket_send(c, (ps_data){block, size}, 1, -1, host), PS_OK);
    assert_int_equal(sim_leaves(), leaves);
    sim_reads(sim_data(block, size));
    sim_expect(ps_socket_receiveinto(c, (ps_room){block, size}, -1, host), PS_OK);
    assert_int_equal(sim_leaves(), 2 * leaves);
    ps_socket_free(c, NULL);
  }
}

/* ---- Memory of the language ---- */

static void *(*grow)(ps_host *host, size_t size);
static ps_socket *announced;
static size_t grown; /* the largest size that was asked for */

/* A part, or twice what has come. */
static void *grow_a_little(ps_host *host, size_t size) {
  size_t received = (size_t)ps_socket_getstats(announced).received;
  assert_true(size <= PART || size <= 2 * received);
  grown = size;
  return grow(host, size);
}

static void a_peer_that_announces_much_costs_what_it_sends(void **state) {
  (void)state;
  enum { SIZE = 5 * PART + 1000 };
  static const int languages[] = {SIM_GROW, SIM_BOTH};
  char *text = letters(SIZE);
  for (int i = 0; i < 2; i++)
    for (int all = 0; all < 2; all++) {
      ps_host *host = another(languages[i]);
      grow = host->grow;
      host->grow = grow_a_little;
      ps_socket *c = announced = sim_client();
      for (size_t at = 0; at < SIZE; at += 50000)
        sim_reads(sim_data(text + at, SIZE - at < 50000 ? SIZE - at : 50000));
      sim_reads(sim_eof);
      ps_pattern pattern = all ? PS_ALL : PS_COUNT(100 * (long long)PART);
      sim_expect_data(c, receive(c, pattern, host), all ? PS_OK : PS_CLOSED, text, SIZE);
      assert_int_equal(grown, 8 * PART);
      /* All but the first part and the last. */
      assert_true(sim_populated() >= 3 * PART);
      ps_socket_free(c, NULL);
    }
  free(text);
}

static void one_byte_is_everything(void **state) {
  (void)state;
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    ps_host *host = another(language);
    ps_socket *c = sim_client();
    sim_reads("x", sim_eof);
    sim_expect_bytes(c, receive(c, PS_ALL, host), PS_OK, "x");
    sim_expect_bytes(c, receive(c, PS_ALL, host), PS_CLOSED, "");
    ps_socket_free(c, NULL);
    c = sim_client();
    sim_reads("x", sim_eof);
    sim_expect_bytes(c, ps_socket_next(c, PS_LINE, 0, host), PS_OK, "x");
    sim_expect_bytes(c, ps_socket_next(c, PS_LINE, 0, host), PS_ENDED, "");
    ps_socket_free(c, NULL);
  }
}

static void a_prefix_of_one_byte_is_in_front_of_much(void **state) {
  (void)state;
  enum { SIZE = 100000 };
  char *text = letters(SIZE);
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    ps_host *host = another(language);
    ps_socket *c = sim_client();
    sim_reads(sim_data(text + 1, SIZE - 1));
    ps_prefix prefix = {text, 1};
    sim_expect_data(c, ps_socket_receive(c, PS_COUNT(SIZE), prefix, 0, host), PS_OK, text,
                    SIZE);
    ps_socket_free(c, NULL);
  }
  free(text);
}

/* What is in the read buffer already is held there, however large it is. */
static void a_large_count_that_is_buffered_is_a_view(void **state) {
  (void)state;
  enum { SIZE = 20000 };
  char *text = letters(SIZE + 2);
  text[1] = '\n';
  for (int more = 0; more < 2; more++) {
    ps_host *host = another(SIM_BOTH);
    ps_socket *c = sim_client();
    sim_reads(sim_data(text, SIZE + 2), sim_data(text, 2));
    sim_expect_data(c, receive(c, PS_LINE, host), PS_OK, text, 1);
    ps_bytes got =
        ps_socket_receive(c, PS_COUNT(SIZE + 1 + more), (ps_prefix){"p", 1}, 0, host);
    sim_expect(got, PS_OK);
    assert_int_equal(got.held, more ? 0 : SIZE);
    sim_take(c, got, host);
    ps_socket_free(c, NULL);
  }
  free(text);
}

/* ---- Iterators ---- */

static void an_oversized_piece_stays_for_the_next_call(void **state) {
  (void)state;
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    ps_host *host = another(language);
    ps_socket *c = sim_client();
    sim_reads("abcd\nend\n");
    for (int i = 0; i < 2; i++) {
      sim_expect_bytes(c, ps_socket_next(c, PS_LINE, 3, host), PS_OVERSIZED, "");
      assert_int_equal(ps_socket_pending(c).size, 9);
      assert_int_equal(ps_socket_getstats(c).received, 0);
    }
    sim_expect_bytes(c, ps_socket_next(c, PS_LINE, 4, host), PS_OK, "abcd");
    sim_expect_bytes(c, ps_socket_next(c, PS_LINE, 3, host), PS_OK, "end");
    ps_socket_free(c, NULL);
  }
}

/* ---- Another connection ---- */

static int spare(void) {
  ps_socket *made = sim_client();
  int fd = ps_socket_detach(made).fd;
  ps_socket_free(made, NULL);
  return fd;
}

/* An error is that of its connection: the next one of the object ends in its own way. */
static void an_error_is_not_that_of_the_next_connection(void **state) {
  (void)state;
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    ps_host *host = another(language);
    ps_socket *c = sim_client();
    sim_reads("half", sim_reset, sim_eof);
    assert_int_equal(receive(c, PS_ALL, host).status.system, ECONNRESET);
    assert_int_equal(receive(c, PS_LINE, host).status.system, ECONNRESET);
    ps_socket_close(c, host);
    int fd = spare();
    sim_expect(ps_socket_setfd(c, fd, host), PS_OK);
    sim_reads("whole", sim_eof);
    sim_expect_bytes(c, receive(c, PS_ALL, host), PS_OK, "whole");
    ps_bytes got = receive(c, PS_LINE, host);
    assert_int_equal(got.status.system, 0);
    sim_expect_bytes(c, got, PS_CLOSED, "");
    ps_socket_free(c, NULL);
  }
}

static void a_call_that_cannot_begin_returns_the_prefix(void **state) {
  (void)state;
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    ps_host *host = another(language);
    ps_socket *c = sim_client();
    ps_socket_close(c, host);
    ps_bytes got = ps_socket_receive(c, PS_LINE, (ps_prefix){"half", 4}, 0, host);
    sim_expect_bytes(c, got, PS_CLOSED, "half");
    ps_socket_free(c, NULL);
  }
}

/* ---- Marked sockets ---- */

/* The bytes are not even touched, so a stop needs no memory to put them back. */
static void a_stop_leaves_a_marked_socket_as_it_is(void **state) {
  (void)state;
  char room[8];
  for (int language = SIM_VIEW; language < SIM_LANGUAGES; language++) {
    ps_host *host = another(language);
    ps_socket *c = sim_client();
    ps_socket_setmark(c, PS_MARK_KEEP);
    sim_reads("abc");
    sim_stop();
    sim_signal(1);
    sim_fault(SIM_ENOMEM, 2, 1); /* the first is for the read buffer */
    ps_filled got = ps_socket_receiveinto(c, (ps_room){room, 8}, -1, host);
    sim_expect(got, PS_INTERRUPTED);
    assert_int_equal(got.count, 0);
    assert_int_equal(sim_struck(), 0);
    assert_int_equal(ps_socket_pending(c).size, 3);
    sim_fault(SIM_NO_FAULT, 0, 0);
    ps_socket_free(c, NULL);
  }
}

static void a_marked_socket_fills_what_fits(void **state) {
  (void)state;
  char room[8];
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    ps_host *host = another(language);
    ps_socket *c = sim_client();
    ps_socket_setmark(c, PS_MARK_KEEP);
    sim_reads("abcdef", sim_eof);
    for (int i = 0; i < 2; i++) {
      ps_filled got = ps_socket_receiveinto(c, (ps_room){room, 8}, 3, host);
      sim_expect(got, PS_OK);
      assert_int_equal(got.count, 3);
      assert_memory_equal(room, i == 0 ? "abc" : "def", 3);
    }
    sim_expect(ps_socket_receiveinto(c, (ps_room){room, 8}, 0, host), PS_OK);
    sim_expect(ps_socket_receiveinto(c, (ps_room){room, 8}, 3, host), PS_CLOSED);
    ps_socket_free(c, NULL);
  }
}

/* What fills a room leaves nothing behind. */
static void an_emptied_buffer_is_freed(void **state) {
  (void)state;
  char room[2];
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    ps_host *host = another(language);
    ps_socket *c = sim_client();
    sim_reads("one\nab");
    sim_expect_bytes(c, receive(c, PS_LINE, host), PS_OK, "one");
    sim_expect(ps_socket_receiveinto(c, (ps_room){room, 2}, -1, host), PS_OK);
    assert_int_equal(sim_memory(), sizeof(ps_socket));
    ps_socket_free(c, NULL);
  }
}

/* A transport may have bytes of its own, as one that decrypts them. */
static size_t seven(const ps_socket *self) {
  (void)self;
  return 7;
}

static void what_the_transport_has_is_pending(void **state) {
  (void)state;
  ps__transport other = ps__transport_tcp;
  other.pending = seven;
  ps_socket *c = sim_client();
  c->transport = &other;
  assert_int_equal(ps_socket_pending(c).size, 7);
  sim_reads("one\ntwo\n");
  sim_expect_bytes(c, receive(c, PS_LINE, NULL), PS_OK, "one");
  assert_int_equal(ps_socket_pending(c).size, 4 + 7);
  ps_socket_close(c, NULL);
  assert_int_equal(ps_socket_pending(c).size, 0);
  ps_socket_free(c, NULL);
}

/* ---- Arguments at their bounds ---- */

static void bounds_of_arguments_are_exact(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  char room[2];
  sim_reads("abcdefghijkl");
  sim_expect_bytes(c, ps_socket_receive(c, PS_COUNT(1), none, 1, NULL), PS_OK, "a");
  ps_status status = ps_socket_receive(c, PS_COUNT(2), none, 1, NULL).status;
  assert_int_equal(status.code, PS_MISUSE_COUNTSIZE);
  assert_int_equal(status.argument, 1);
  status = ps_socket_next(c, PS_COUNT(2), 1, NULL).status;
  assert_int_equal(status.code, PS_MISUSE_COUNTSIZE);
  status = ps_socket_lines(c, PS_COUNT(0), 0).status;
  assert_int_equal(status.code, PS_MISUSE_POSITIVE);
  assert_int_equal(status.argument, 1);
  sim_expect(ps_socket_lines(c, PS_COUNT(1), 1), PS_OK);
  status = ps_socket_receiveuntil(c, (ps_data){"", 0}, none, 0, NULL).status;
  assert_int_equal(status.code, PS_MISUSE_DELIMITER);
  assert_int_equal(status.argument, 1);
  status = ps_socket_receive(c, PS_LINE, (ps_prefix){"p", 1}, 1, NULL).status;
  assert_int_equal(status.code, PS_MISUSE_PREFIXSIZE);
  assert_int_equal(status.argument, 2);
  ps_socket *s = sim_server();
  status = ps_socket_receiveinto(s, (ps_room){room, 2}, 3, NULL).status;
  assert_int_equal(status.code, PS_MISUSE_NOTCLIENT);
  ps_socket_free(s, NULL);
  status = ps_socket_receiveinto(c, (ps_room){room, 0}, 1, NULL).status;
  assert_int_equal(status.code, PS_MISUSE_BUFFERSIZE);
  assert_int_equal(status.argument, 2);
  sim_expect(ps_socket_receiveinto(c, (ps_room){room, 2}, 2, NULL), PS_OK);
  assert_memory_equal(room, "bc", 2);
  sim_expect(ps_socket_receiveinto(c, (ps_room){room, 2}, 1, NULL), PS_OK);
  assert_memory_equal(room, "dc", 2);
  sim_expect_bytes(c, ps_socket_receiveany(c, 1, NULL), PS_OK, "e");
  sim_expect_bytes(c, ps_socket_receiveany(c, 2, NULL), PS_OK, "fg");
  sim_expect_bytes(c, ps_socket_receiveany(c, 4, NULL), PS_OK, "hijk");
  assert_true(ps_socket_dirty(c).yes);
  assert_int_equal(ps_socket_pending(c).size, 1);
  sim_expect_bytes(c, ps_socket_receiveany(c, UINT64_MAX, NULL), PS_OK, "l");
  assert_false(ps_socket_dirty(c).yes);
  ps_socket_free(c, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      sim_test(what_is_at_hand_needs_no_clock),
      sim_test(what_is_not_at_hand_is_received),
      sim_test(a_read_asks_for_what_is_missing_or_for_a_portion),
      sim_test(a_call_that_may_not_wait_stops_at_the_byte),
      sim_test(a_rest_does_not_enlarge_the_buffer),
      sim_test(a_read_that_a_signal_interrupts_asks_the_host),
      sim_test(a_long_copy_leaves_the_host),
      sim_test(a_peer_that_announces_much_costs_what_it_sends),
      sim_test(one_byte_is_everything),
      sim_test(a_prefix_of_one_byte_is_in_front_of_much),
      sim_test(a_large_count_that_is_buffered_is_a_view),
      sim_test(an_oversized_piece_stays_for_the_next_call),
      sim_test(an_error_is_not_that_of_the_next_connection),
      sim_test(a_call_that_cannot_begin_returns_the_prefix),
      sim_test(a_stop_leaves_a_marked_socket_as_it_is),
      sim_test(a_marked_socket_fills_what_fits),
      sim_test(an_emptied_buffer_is_freed),
      sim_test(what_the_transport_has_is_pending),
      sim_test(bounds_of_arguments_are_exact),
  };
  return cmocka_run_group_tests_name("receive", tests, NULL, NULL);
}
