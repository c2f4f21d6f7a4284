/* SPDX-License-Identifier: MIT */
/* What a call that may not wait takes from a peer that floods, what memory a bounded call
   needs, and what wants() says afterwards; on the simulated system, in all host modes. */

#include "os_sim.h"

#include <stdlib.h>

static const ps_prefix none = {NULL, 0};
static char much[40000]; /* no line ends in it */
static ps_host *host;

static ps_socket *flooded(int passed) {
  ps_socket *c = sim_client();
  if (much[0] == '\0') memset(much, 'x', sizeof much);
  sim_reads(sim__word(SIM__FLOOD, 0, much, sizeof much));
  if (passed)
    ps_socket_setdeadline(c, -1);
  else
    ps_socket_settimeout(c, 0, NULL);
  return c;
}

/* ---- Functions that receive: each returns how many bytes it gave ---- */

static size_t taken(ps_socket *c, ps_bytes got) {
  assert_int_equal(got.status.code, PS_TIMEOUT);
  sim_text text = sim_take(c, got, host);
  for (size_t i = 0; i < text.size; i++)
    if (text.data[i] != 'x') fail_msg("byte %zu is wrong", i);
  return text.size;
}

static size_t line(ps_socket *c) {
  return taken(c, ps_socket_receive(c, PS_LINE, none, 0, host));
}
static size_t line_with_end(ps_socket *c) {
  return taken(c, ps_socket_receive(c, PS_LINE_WITH_END, none, 0, host));
}
static size_t all(ps_socket *c) {
  return taken(c, ps_socket_receive(c, PS_ALL, none, 0, host));
}
static size_t bounded_all(ps_socket *c) {
  return taken(c, ps_socket_receive(c, PS_ALL, none, 1u << 24, host));
}
static size_t much_counted(ps_socket *c) {
  return taken(c, ps_socket_receive(c, PS_COUNT(1 << 24), none, 0, host));
}
static size_t until(ps_socket *c) {
  return taken(c, ps_socket_receiveuntil(c, (ps_data){"xy", 2}, none, 0, host));
}
static size_t next(ps_socket *c) {
  sim_expect_bytes(c, ps_socket_next(c, PS_LINE, 0, host), PS_TIMEOUT, "");
  return ps_socket_pending(c).size;
}
static size_t into(ps_socket *c) {
  static char room[1 << 22];
  ps_filled got = ps_socket_receiveinto(c, (ps_room){room, sizeof room}, -1, host);
  sim_expect(got, PS_TIMEOUT);
  return got.count;
}

static size_t (*const receivers[])(ps_socket *c) = {
    line, line_with_end, all, bounded_all, much_counted, until, next, into};

static void a_call_that_may_not_wait_takes_so_much(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof receivers / sizeof *receivers; i++)
    for (int language = SIM_C; language < SIM_LANGUAGES; language++)
      for (int passed = 0; passed < 2; passed++) {
        sim_begin();
        host = sim_language(language);
        ps_socket *c = flooded(passed);
        assert_int_equal(receivers[i](c), PS_AT_HAND);
        assert_string_equal(ps_socket_wants(c).direction, "r");
        assert_int_equal(sim_polls(), 0);
        /* What comes next is there: nothing was lost between. */
        ps_socket_settimeout(c, -1, NULL);
        ps_socket_setdeadline(c, INFINITY);
        ps_bytes got = ps_socket_receiveany(c, 1, host);
        sim_expect_bytes(c, got, PS_OK, "x");
        ps_socket_close(c, NULL);
        ps_socket_free(c, NULL);
        sim_end();
      }
}

static void what_is_complete_by_then_is_a_success(void **state) {
  (void)state;
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    host = sim_language(language);
    ps_socket *c = flooded(0);
    ps_bytes got = ps_socket_receive(c, PS_COUNT(PS_AT_HAND), none, 0, host);
    assert_int_equal(got.status.code, PS_OK);
    assert_int_equal(sim_take(c, got, host).size, PS_AT_HAND);
    assert_null(ps_socket_wants(c).direction);
    static char room[PS_AT_HAND];
    ps_filled filled = ps_socket_receiveinto(c, (ps_room){room, sizeof room}, -1, host);
    sim_expect(filled, PS_OK);
    assert_int_equal(filled.count, PS_AT_HAND);
    got = ps_socket_receive(c, PS_COUNT(PS_AT_HAND + 1), none, 0, host);
    assert_int_equal(got.status.code, PS_TIMEOUT);
    sim_take(c, got, host);
    ps_socket_free(c, NULL);
  }
}

static void a_send_that_may_not_wait_gives_so_much(void **state) {
  (void)state;
  size_t size = 3 * (size_t)PS_AT_HAND;
  char *block = calloc(1, size);
  for (int language = SIM_C; language < SIM_LANGUAGES; language++)
    for (int passed = 0; passed < 2; passed++)
      for (int pieces = 0; pieces < 2; pieces++) {
        host = sim_language(language);
        ps_socket *c = flooded(passed);
        for (int i = 0; pieces && i < 40; i++) sim_writes(sim_takes(50000));
        ps_sent sent = ps_socket_send(c, (ps_data){block, size}, 1, -1, host);
        sim_expect(sent, PS_TIMEOUT);
        assert_int_equal(sent.last, PS_AT_HAND);
        assert_string_equal(ps_socket_wants(c).direction, "w");
        assert_int_equal(ps_socket_getstats(c).sent, PS_AT_HAND);
        sent = ps_socket_send(c, (ps_data){block, size}, -PS_AT_HAND, -1, host);
        sim_expect(sent, PS_OK);
        assert_int_equal(sent.last, (long long)size);
        assert_null(ps_socket_wants(c).direction);
        ps_socket_free(c, NULL);
        sim_end();
        sim_begin();
      }
  free(block);
}

/* ---- Memory ---- */

static size_t peak_of(ps_socket *c, ps_pattern pattern, ps_maxsize maxsize, int calls) {
  size_t peak = 0;
  for (int i = 0; i < calls; i++) {
    ps_bytes got = ps_socket_receive(c, pattern, none, maxsize, host);
    assert_int_equal(got.status.code, PS_OVERSIZED);
    if (sim_memory() > peak) peak = sim_memory();
    assert_int_equal(sim_take(c, got, host).size, maxsize);
  }
  return peak;
}

static void maxsize_bounds_memory(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 1000, 70000, 300000};
  for (int language = SIM_C; language < SIM_LANGUAGES; language++)
    for (int i = 0; i < 4; i++) {
      host = sim_language(language);
      ps_socket *c = flooded(0);
      ps_socket_settimeout(c, -1, NULL);
      size_t bound = sizes[i] + 2 * 65536 + 1024;
      assert_true(peak_of(c, PS_ALL, sizes[i], 5) < bound);
      assert_true(peak_of(c, PS_LINE_WITH_END, sizes[i], 5) < bound);
      /* CRs may be as many again. */
      assert_true(peak_of(c, PS_LINE, sizes[i], 5) < bound + sizes[i] + 65536);
      ps_socket_free(c, NULL);
    }
}

/* ---- wants() ---- */

static void wants_is_what_the_last_timeout_waited_for(void **state) {
  (void)state;
  host = sim_language(SIM_VIEW);
  ps_socket *c = sim_client();
  ps_socket_settimeout(c, 0, NULL);
  assert_null(ps_socket_wants(c).direction);
  sim_expect_bytes(c, ps_socket_receiveany(c, 0, host), PS_TIMEOUT, "");
  assert_string_equal(ps_socket_wants(c).direction, "r");
  /* A success in the other direction changes nothing. */
  sim_expect(ps_socket_send(c, (ps_data){"x", 1}, 1, -1, host), PS_OK);
  assert_string_equal(ps_socket_wants(c).direction, "r");
  sim_reads("a\nb\n");
  sim_expect_bytes(c, ps_socket_receive(c, PS_LINE, none, 0, host), PS_OK, "a");
  assert_null(ps_socket_wants(c).direction);
  sim_writes(sim_after(1), sim_takes(1));
  sim_expect(ps_socket_send(c, (ps_data){"x", 1}, 1, -1, host), PS_TIMEOUT);
  assert_string_equal(ps_socket_wants(c).direction, "w");
  sim_expect_bytes(c, ps_socket_next(c, PS_LINE, 0, host), PS_OK, "b");
  assert_string_equal(ps_socket_wants(c).direction, "w");
  ps_socket_close(c, NULL);
  assert_null(ps_socket_wants(c).direction);
  ps_socket_free(c, NULL);

  ps_socket *s = sim_server();
  ps_socket_settimeout(s, 0, NULL);
  sim_expect(ps_socket_accept(s, host), PS_TIMEOUT);
  assert_string_equal(ps_socket_wants(s).direction, "r");
  int fd = ps_socket_getfd(s).fd;
  ps_socket_setfd(s, fd, NULL); /* another one, as far as anybody knows */
  assert_null(ps_socket_wants(s).direction);
  sim_accepts(sim_comes);
  ps_object made = ps_socket_accept(s, host);
  sim_expect(made, PS_OK);
  assert_null(ps_socket_wants(s).direction);
  ps_socket_free(made.socket, NULL);
  ps_socket_free(s, NULL);
}

/* ---- Names that may not wait ---- */

static void names_that_need_no_network_are_known_at_once(void **state) {
  (void)state;
  sim_host("near.test", 0.005, "10.0.0.1");
  sim_host("far.test", 1, "10.0.0.2");
  ps_resolved got = ps_dns_toip("near.test", 0, NULL);
  sim_expect(got, PS_OK);
  assert_string_equal(got.text, "10.0.0.1");
  ps_resolved_free(got.ips);
  double start = sim_now();
  sim_expect(ps_dns_toip("far.test", 0, NULL), PS_TIMEOUT);
  assert_true(sim_now() - start < 0.02);
  sim_expect(ps_connect("near.test", (ps_port){NULL, 80}, NULL, (ps_port){NULL, 0}, NULL,
                        0, NULL),
             PS_TIMEOUT);
}

/* An event loop gives a call up whenever it likes. */
static void a_marked_socket_keeps_what_a_timeout_read(void **state) {
  (void)state;
  const int languages[] = {SIM_C, SIM_HOLD, SIM_GROW, SIM_BOTH};
  for (int i = 0; i < 4; i++) {
    ps_host *host = sim_language(languages[i]);
    ps_socket *c = sim_client();
    const ps_prefix none = {NULL, 0};
    char room[8];
    ps_socket_setmark(c, PS_MARK_KEEP);
    ps_socket_settimeout(c, 0, NULL);
    sim_reads("ab\rc");
    sim_expect_bytes(c, ps_socket_receive(c, PS_LINE, none, 0, host), PS_TIMEOUT, "");
    sim_expect_bytes(c, ps_socket_receive(c, PS_ALL, none, 0, host), PS_TIMEOUT, "");
    sim_expect_bytes(c, ps_socket_receive(c, PS_COUNT(90000), none, 0, host), PS_TIMEOUT,
                     "");
    sim_expect_bytes(c, ps_socket_receiveuntil(c, (ps_data){";", 1}, none, 0, host),
                     PS_TIMEOUT, "");
    ps_filled filled = ps_socket_receiveinto(c, (ps_room){room, 8}, -1, host);
    assert_int_equal(filled.status.code, PS_TIMEOUT);
    assert_int_equal(filled.count, 0);
    assert_int_equal(ps_socket_pending(c).size, 4);
    sim_reads("\nrest", sim_eof);
    sim_expect_bytes(c, ps_socket_receive(c, PS_LINE, none, 0, host), PS_OK, "abc");
    filled = ps_socket_receiveinto(c, (ps_room){room, 8}, -1, host);
    assert_int_equal(filled.status.code, PS_CLOSED);
    assert_int_equal(filled.count, 4);
    assert_memory_equal(room, "rest", 4);
    ps_socket_free(c, NULL);
  }
}

/* One that waits by itself is not concerned, nor is one that sends. */
static void a_marked_socket_looks_at_its_buffer_alone(void **state) {
  (void)state;
  const int languages[] = {SIM_C, SIM_HOLD, SIM_GROW, SIM_BOTH};
  for (int i = 0; i < 4; i++) {
    ps_host *host = sim_language(languages[i]);
    ps_socket *c = sim_client();
    const ps_prefix none = {NULL, 0};
    char room[2];
    sim_reads("one\ntwo\nthr", "ee\n");
    sim_expect_bytes(c, ps_socket_receive(c, PS_LINE, none, 0, host), PS_OK, "one");
    ps_socket_setmark(c, PS_MARK_KEEP | PS_MARK_BUFFERED);
    ps_socket_settimeout(c, 0, NULL);
    sim_expect_bytes(c, ps_socket_receive(c, PS_LINE, none, 0, host), PS_OK, "two");
    sim_expect_bytes(c, ps_socket_receive(c, PS_LINE, none, 0, host), PS_TIMEOUT, "");
    assert_string_equal(ps_socket_wants(c).direction, "r");
    assert_int_equal(ps_socket_pending(c).size, 3);
    sim_expect_bytes(c, ps_socket_receiveany(c, 1, host), PS_OK, "t");
    sim_expect(ps_socket_receiveinto(c, (ps_room){room, 2}, -1, host), PS_OK);
    sim_expect_bytes(c, ps_socket_receiveany(c, 0, host), PS_TIMEOUT, "");
    sim_expect(ps_socket_send(c, (ps_data){"x", 1}, 1, -1, host), PS_OK);
    ps_socket_settimeout(c, 1, NULL);
    sim_expect_bytes(c, ps_socket_receive(c, PS_LINE, none, 0, host), PS_OK, "ee");
    ps_socket_free(c, NULL);
  }
}

/* The limit of the call passes between two steps, of which none has waited. */
static void wants_is_known_without_a_wait(void **state) {
  (void)state;
  host = sim_language(SIM_VIEW);
  sim_cost(0.01);
  ps_socket *c = sim_client();
  ps_socket_settimeout(c, 0.015, "t");
  sim_reads("a", "b", "c");
  sim_expect_bytes(c, ps_socket_receive(c, PS_COUNT(9), none, 0, host), PS_TIMEOUT, "ab");
  assert_string_equal(ps_socket_wants(c).direction, "r");
  sim_writes(sim_takes(1), sim_takes(1), sim_takes(1));
  sim_expect(ps_socket_send(c, (ps_data){"hello", 5}, 1, -1, host), PS_TIMEOUT);
  assert_string_equal(ps_socket_wants(c).direction, "w");
  ps_socket_free(c, NULL);
  ps_socket *s = sim_server();
  ps_socket_settimeout(s, 0.015, "t");
  sim_accepts(sim_error(ECONNABORTED), sim_error(ECONNABORTED), sim_comes);
  sim_expect(ps_socket_accept(s, host), PS_TIMEOUT);
  assert_string_equal(ps_socket_wants(s).direction, "r");
  ps_socket_free(s, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      sim_test(a_marked_socket_keeps_what_a_timeout_read),
      sim_test(a_marked_socket_looks_at_its_buffer_alone),
      cmocka_unit_test(a_call_that_may_not_wait_takes_so_much),
      sim_test(what_is_complete_by_then_is_a_success),
      sim_test(a_send_that_may_not_wait_gives_so_much),
      sim_test(maxsize_bounds_memory),
      sim_test(wants_is_what_the_last_timeout_waited_for),
      sim_test(wants_is_known_without_a_wait),
      sim_test(names_that_need_no_network_are_known_at_once),
  };
  return cmocka_run_group_tests_name("bounds", tests, NULL, NULL);
}
