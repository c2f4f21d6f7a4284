/* SPDX-License-Identifier: MIT */
/* core/timeout.c on the simulated system, whose clock moves only in waits: which limit
   ends a call, when, and what never does. No limit may end a call early, and none may be
   forgotten. */

#include "os_sim.h"

static const ps_prefix none = {NULL, 0};

static ps_bytes line(ps_socket *c, ps_host *host) {
  return ps_socket_receive(c, PS_LINE, none, 0, host);
}

static ps_bytes count(ps_socket *c, long long size) {
  return ps_socket_receive(c, PS_COUNT(size), none, 0, NULL);
}

static void block_limits_one_wait(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  ps_socket_settimeout(c, 0.5, "b");
  sim_reads(sim_after(0.4), "a", sim_after(0.4), "b", sim_after(0.4), "c\n",
            sim_after(0.6), "d\n");
  double start = sim_now();
  sim_expect_bytes(c, line(c, NULL), PS_OK, "abc");
  sim_expect_elapsed(start, 1.2);
  start = sim_now();
  sim_expect_bytes(c, line(c, NULL), PS_TIMEOUT, "");
  sim_expect_elapsed(start, 0.5);
  sim_expect_bytes(c, line(c, NULL), PS_OK, "d");
  ps_socket_free(c, NULL);
}

static void total_limits_the_call(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  ps_socket_settimeout(c, 1, "t");
  sim_reads(sim_after(0.4), "a", sim_after(0.4), "b", sim_after(0.4), "c\n");
  double start = sim_now();
  sim_expect_bytes(c, line(c, NULL), PS_TIMEOUT, "ab");
  sim_expect_elapsed(start, 1);
  sim_expect_bytes(c, line(c, NULL), PS_OK, "c");
  sim_expect_elapsed(start, 1.2);
  ps_socket_free(c, NULL);
}

static void of_two_limits_the_nearer_ends_it(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  ps_socket_settimeout(c, 0.3, "b");
  ps_socket_settimeout(c, 0.5, "t");
  double start = sim_now();
  sim_expect_bytes(c, line(c, NULL), PS_TIMEOUT, "");
  sim_expect_elapsed(start, 0.3);
  sim_reads(sim_after(0.2), "a", sim_after(0.2), "b");
  start = sim_now();
  sim_expect_bytes(c, line(c, NULL), PS_TIMEOUT, "ab");
  sim_expect_elapsed(start, 0.5);
  ps_socket_settimeout(c, 0.3, "t");
  ps_socket_settimeout(c, -1, "b");
  start = sim_now();
  sim_expect_bytes(c, line(c, NULL), PS_TIMEOUT, "");
  sim_expect_elapsed(start, 0.3);
  ps_socket_free(c, NULL);
}

static void a_deadline_is_shared_by_all_calls(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  sim_expect(ps_socket_setdeadline(c, 1), PS_OK);
  sim_reads(sim_after(0.6), "a\n", sim_after(0.6), "b\n");
  sim_expect_bytes(c, line(c, NULL), PS_OK, "a");
  assert_true(fabs(ps_socket_getdeadline(c).seconds - 0.4) < 0.002);
  double start = sim_now();
  sim_expect_bytes(c, line(c, NULL), PS_TIMEOUT, "");
  sim_expect_elapsed(start, 0.4);
  assert_true(ps_socket_getdeadline(c).seconds == 0);
  sim_pass(1);
  /* It has passed: nothing is waited for, and what is there is still had. */
  sim_expect_bytes(c, line(c, NULL), PS_OK, "b");
  start = sim_now();
  sim_expect_bytes(c, line(c, NULL), PS_TIMEOUT, "");
  sim_expect_elapsed(start, 0);
  sim_expect(ps_socket_setdeadline(c, INFINITY), PS_OK);
  assert_true(ps_socket_getdeadline(c).seconds == INFINITY);
  sim_reads(sim_after(5000), "c\n");
  sim_expect_bytes(c, line(c, NULL), PS_OK, "c");
  sim_expect(ps_socket_setdeadline(c, -INFINITY), PS_OK);
  assert_true(ps_socket_getdeadline(c).seconds == 0);
  sim_expect_bytes(c, line(c, NULL), PS_TIMEOUT, "");
  ps_socket_free(c, NULL);
}

static void a_deadline_of_now_has_what_is_at_hand(void **state) {
  (void)state;
  static const double moments[] = {0, -1, -INFINITY};
  for (int i = 0; i < 3; i++) {
    ps_socket *c = sim_client();
    sim_reads("a", "b", sim_after(1), "c\n");
    sim_expect(ps_socket_setdeadline(c, moments[i]), PS_OK);
    int polls = sim_polls();
    double start = sim_now();
    sim_expect_bytes(c, line(c, NULL), PS_TIMEOUT, "ab");
    sim_expect_elapsed(start, 0);
    assert_int_equal(sim_polls(), polls);
    ps_socket_free(c, NULL);
  }
}

/* As in LuaSocket: a timeout in the mode "b" is then one for the call. */
static void a_mark_makes_block_count_from_the_start(void **state) {
  (void)state;
  static const struct {
    double block, total, deadline, elapsed;
    const char *got;
  } cases[] = {
      {0.5, -1, INFINITY, 0.5, "a"},
      {0.5, 0.7, INFINITY, 0.5, "a"},
      {0.7, 0.5, INFINITY, 0.5, "a"},
      {0.7, -1, 0.5, 0.5, "a"},
      {0.5, -1, 0.7, 0.5, "a"},
      {1, -1, INFINITY, 1, "ab"},
      {1.5, -1, INFINITY, 1.5, "abc"},
      {-1, 0.5, INFINITY, 0.5, "a"},
      {-1, -1, 1, 1, "ab"},
      {0, -1, INFINITY, 0, ""},
      {0, 1, 1, 0, ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ps_socket *c = sim_client();
    ps_socket_setmark(c, PS_MARK_FROM_START);
    ps_socket_settimeout(c, cases[i].block, "b");
    ps_socket_settimeout(c, cases[i].total, "t");
    sim_expect(ps_socket_setdeadline(c, cases[i].deadline), PS_OK);
    sim_reads(sim_after(0.4), "a", sim_after(0.4), "b", sim_after(0.4), "c",
              sim_after(0.8), "d\n");
    double start = sim_now();
    sim_expect_bytes(c, line(c, NULL), PS_TIMEOUT, cases[i].got);
    sim_expect_elapsed(start, cases[i].elapsed);
    ps_socket_free(c, NULL);
  }
}

static void zero_never_waits(void **state) {
  (void)state;
  static const char *const modes[] = {"b", "t"};
  for (int m = 0; m < 2; m++) {
    sim_begin();
    ps_socket *c = sim_client(), *s = sim_server();
    ps_socket_settimeout(c, 0, modes[m]);
    ps_socket_settimeout(s, 0, modes[m]);
    sim_script(ps_socket_getfd(c).fd);
    sim_reads("a", "b", sim_after(1), "c\n");
    sim_writes(sim_takes(1), sim_after(1));
    double start = sim_now();
    sim_expect_bytes(c, line(c, NULL), PS_TIMEOUT, "ab");
    sim_expect(ps_socket_accept(s, NULL), PS_TIMEOUT);
    sim_writes(sim_takes(1));
    ps_sent got = ps_socket_send(c, (ps_data){"xyz", 3}, 1, -1, NULL);
    sim_expect(got, PS_TIMEOUT);
    assert_int_equal(got.last, 1);
    sim_expect_elapsed(start, 0);
    assert_int_equal(sim_polls(), 0);
    ps_socket_free(c, NULL);
    ps_socket_free(s, NULL);
    sim_end();
  }
}

static void a_zero_of_block_wins_over_total(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  ps_socket_settimeout(c, 0, "b");
  ps_socket_settimeout(c, 5, "t");
  double start = sim_now();
  sim_expect_bytes(c, line(c, NULL), PS_TIMEOUT, "");
  sim_expect_elapsed(start, 0);
  ps_socket_settimeout(c, 5, "b");
  ps_socket_settimeout(c, 0, "t");
  sim_expect_bytes(c, line(c, NULL), PS_TIMEOUT, "");
  sim_expect_elapsed(start, 0);
  ps_socket_free(c, NULL);
}

static void no_limit_waits_for_weeks(void **state) {
  (void)state;
  static const double values[] = {-1, -0.001, INFINITY, 1e300};
  for (int i = 0; i < 4; i++) {
    sim_begin();
    ps_socket *c = sim_client();
    ps_socket_settimeout(c, values[i], "b");
    ps_socket_settimeout(c, values[i], "t");
    sim_reads(sim_after(3e6), "a\n");
    sim_expect_bytes(c, line(c, NULL), PS_OK, "a");
    ps_socket_free(c, NULL);
    sim_end();
  }
}

static void waits_are_rounded_up(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  static const double values[] = {0.0001, 0.0009,    0.0011, 1e-9,
                                  1e-300, 0.1 + 0.2, 1.0 / 3};
  for (int i = 0; i < 7; i++) {
    ps_socket_settimeout(c, values[i], NULL);
    double start = sim_now();
    int polls = sim_polls();
    sim_expect_bytes(c, line(c, NULL), PS_TIMEOUT, "");
    assert_true(sim_now() - start >= values[i] - 1e-9);
    assert_true(sim_now() - start < values[i] + 0.002);
    assert_true(sim_polls() - polls <= 2);
  }
  ps_socket_free(c, NULL);
}

static void a_peer_that_floods_cannot_pass_the_end(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  sim_cost(0.01);
  sim_reads(sim_flood("never an end "));
  ps_socket_settimeout(c, 1, "t");
  double start = sim_now();
  sim_expect(line(c, NULL), PS_TIMEOUT);
  assert_true(sim_now() - start < 1.02);
  start = sim_now();
  sim_expect(ps_socket_receive(c, PS_ALL, none, 0, NULL), PS_TIMEOUT);
  assert_true(sim_now() - start < 1.02);
  start = sim_now();
  sim_expect(count(c, 1000000), PS_TIMEOUT);
  assert_true(sim_now() - start < 1.02);
  start = sim_now();
  sim_expect(ps_socket_receiveuntil(c, (ps_data){"xx", 2}, none, 0, NULL), PS_TIMEOUT);
  assert_true(sim_now() - start < 1.02);
  char room[50000];
  start = sim_now();
  sim_expect(ps_socket_receiveinto(c, (ps_room){room, sizeof room}, -1, NULL),
             PS_TIMEOUT);
  assert_true(sim_now() - start < 1.02);
  ps_socket_free(c, NULL);
}

/* The result outgrows the first memory that the host lends, and gets pages in parts. */
static void a_flood_of_megabytes_cannot_pass_the_end(void **state) {
  (void)state;
  static char much[40001];
  memset(much, 'x', sizeof much - 1);
  for (int language = SIM_GROW; language <= SIM_BOTH; language++) {
    ps_host *host = sim_language(language);
    ps_socket *c = sim_client();
    sim_cost(0.01);
    sim_reads(sim_flood(much));
    ps_socket_settimeout(c, 1, "t");
    double start = sim_now();
    ps_bytes got = ps_socket_receive(c, PS_ALL, none, 0, host);
    assert_true(sim_now() - start < 1.02);
    assert_int_equal(got.status.code, PS_TIMEOUT);
    assert_true(got.size > 2 * 1024 * 1024);
    sim_take(c, got, host);
    sim_stop();
    got = ps_socket_receive(c, PS_ALL, none, 0, host);
    sim_expect_bytes(c, got, PS_INTERRUPTED, "");
    ps_socket_free(c, NULL);
  }
}

static void a_peer_that_floods_cannot_hold_a_stop_up(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_HOLD);
  ps_socket *c = sim_client();
  sim_reads(sim_flood("never an end "));
  sim_stop();
  sim_expect_bytes(c, line(c, host), PS_INTERRUPTED, "");
  assert_true(ps_socket_dirty(c).yes);
  ps_socket_free(c, NULL);
}

static void a_peer_that_drips_cannot_pass_the_end(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  for (int i = 0; i < 100; i++) sim_reads(sim_after(0.09), "x");
  for (int i = 0; i < 100; i++) sim_writes(sim_after(0.09), sim_takes(1));
  ps_socket_settimeout(c, 0.1, "b");
  ps_socket_settimeout(c, 1, "t");
  double start = sim_now();
  sim_expect_bytes(c, line(c, NULL), PS_TIMEOUT, "xxxxxxxxxxx");
  sim_expect_elapsed(start, 1);
  start = sim_now();
  char text[200] = {0};
  sim_expect(ps_socket_send(c, (ps_data){text, 200}, 1, -1, NULL), PS_TIMEOUT);
  sim_expect_elapsed(start, 1);
  ps_socket_free(c, NULL);
}

static void a_peer_that_takes_little_cannot_pass_the_end(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  ps_socket *c = sim_client();
  char text[300] = {0};
  sim_cost(0.01);
  for (int i = 0; i < 300; i++) sim_writes(sim_takes(1));
  ps_socket_settimeout(c, 1, "t");
  double start = sim_now();
  ps_sent got = ps_socket_send(c, (ps_data){text, 300}, 1, -1, host);
  sim_expect(got, PS_TIMEOUT);
  assert_true(sim_now() - start < 1.02);
  assert_true(got.last > 50 && got.last < 150);
  sim_stop();
  sim_expect(ps_socket_send(c, (ps_data){text, 300}, 1, -1, host), PS_INTERRUPTED);
  ps_socket_free(c, NULL);
}

static void a_storm_of_signals_neither_shortens_nor_lengthens(void **state) {
  (void)state;
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    sim_begin();
    ps_host *host = sim_language(language);
    ps_socket *c = sim_client();
    ps_socket_settimeout(c, 1, NULL);
    for (int i = 1; i <= 9; i++) sim_signal(i * 0.1);
    double start = sim_now();
    sim_expect_bytes(c, line(c, host), PS_TIMEOUT, "");
    sim_expect_elapsed(start, 1);
    if (host != NULL) assert_int_equal(sim_questions(), 9);
    if (host != NULL) assert_int_equal(sim_leaves(), 10);
    ps_socket_free(c, NULL);
    sim_end();
  }
}

static void a_storm_of_nothing_ends_in_time(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  sim_cost(0.01);
  for (int i = 0; i < 400; i++) sim_reads(sim_eagain);
  ps_socket_settimeout(c, 1, "t");
  double start = sim_now();
  sim_expect_bytes(c, line(c, NULL), PS_TIMEOUT, "");
  assert_true(sim_now() - start < 1.02);
  ps_socket_free(c, NULL);
}

static void the_host_is_left_only_for_waits(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_GROW);
  ps_socket *c = sim_client();
  sim_reads("ab\n", sim_after(1), "cd\n");
  sim_expect_bytes(c, line(c, host), PS_OK, "ab");
  assert_int_equal(sim_leaves(), 0);
  sim_expect_bytes(c, line(c, host), PS_OK, "cd");
  assert_int_equal(sim_leaves(), 1);
  ps_socket_free(c, NULL);
}

static void a_host_may_lend_nothing(void **state) {
  (void)state;
  ps_host bare = {.mode = PS_HOST_VIEW};
  ps_socket *c = sim_client();
  sim_signal(0.5);
  sim_reads(sim_after(1), "ab\n");
  sim_expect_bytes(c, line(c, &bare), PS_OK, "ab");
  sim_signal(0.5);
  sim_expect(ps_sleep(1, &bare), PS_OK);
  ps_socket_free(c, NULL);
}

static void sleep_sleeps(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  double start = sim_now();
  sim_expect(ps_sleep(0, host), PS_OK);
  sim_expect(ps_sleep(-1, host), PS_OK);
  sim_expect(ps_sleep(-INFINITY, host), PS_OK);
  assert_int_equal(sim_leaves(), 0);
  sim_expect(ps_sleep(0.25, host), PS_OK);
  sim_expect_elapsed(start, 0.25);
  assert_int_equal(sim_questions(), 0);
  assert_int_equal(sim_leaves(), 1);
  start = sim_now();
  sim_signal(0.5);
  sim_expect(ps_sleep(1.5, host), PS_OK);
  sim_expect_elapsed(start, 1.5);
  assert_int_equal(sim_questions(), 1);
  start = sim_now();
  sim_stop();
  sim_signal(0.5);
  sim_expect(ps_sleep(INFINITY, host), PS_INTERRUPTED);
  sim_expect_elapsed(start, 0.5);
  ps_status status = ps_sleep(NAN, host).status;
  assert_int_equal(status.code, PS_MISUSE_NAN);
  assert_int_equal(status.argument, 1);
}

/* The system may end one of its sleeps early. */
static void a_sleep_of_days_lasts_so_long(void **state) {
  (void)state;
  double start = sim_now();
  sim_expect(ps_sleep(3.5 * 86400, NULL), PS_OK);
  sim_expect_elapsed(start, 3.5 * 86400);
}

static int wakers;

static void count_wakers(void *context) {
  (void)context;
  wakers = sim_wakers();
}

static void stay_away(ps_host *host) { (void)host; }

/* A wait needs a waker if another thread can run meanwhile. */
static void a_language_without_threads_needs_no_waker(void **state) {
  (void)state;
  ps_host hosts[] = {
      {.mode = PS_HOST_VIEW},
      {.mode = PS_HOST_LEND},
      {.mode = PS_HOST_HOLD, .leave = stay_away, .enter = stay_away},
      {.mode = PS_HOST_HOLD},
  };
  ps_socket *c = sim_client();
  ps_socket_settimeout(c, 1, NULL);
  for (int i = 0; i < 5; i++) {
    sim_later(0.5, count_wakers, NULL);
    sim_expect(line(c, i < 4 ? &hosts[i] : NULL), PS_TIMEOUT);
    assert_int_equal(wakers, i == 3 ? 0 : 1);
  }
  ps_socket_free(c, NULL);
}

static void limits_are_answered_as_they_were_given(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  ps_limits limits = ps_socket_gettimeout(c);
  assert_true(limits.block == -1 && limits.total == -1);
  ps_socket_settimeout(c, 2.5, NULL);
  ps_socket_settimeout(c, 7, "total");
  limits = ps_socket_gettimeout(c);
  assert_true(limits.block == 2.5 && limits.total == 7);
  ps_socket_settimeout(c, -3, "b");
  ps_socket_settimeout(c, INFINITY, "r");
  limits = ps_socket_gettimeout(c);
  assert_true(limits.block == -3 && limits.total == INFINITY);
  ps_socket_close(c, NULL);
  sim_expect(ps_socket_settimeout(c, 1, "b"), PS_OK);
  sim_expect(ps_socket_setdeadline(c, 1), PS_OK);
  ps_socket_free(c, NULL);
}

static void limits_can_be_misused(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  ps_status status = ps_socket_settimeout(c, NAN, "b").status;
  assert_int_equal(status.code, PS_MISUSE_NAN);
  assert_int_equal(status.argument, 1);
  status = ps_socket_settimeout(c, 1, "x").status;
  assert_int_equal(status.code, PS_MISUSE_TIMEOUTMODE);
  assert_int_equal(status.argument, 2);
  assert_int_equal(ps_socket_settimeout(c, 1, "").status.code, PS_MISUSE_TIMEOUTMODE);
  assert_int_equal(ps_socket_setdeadline(c, NAN).status.code, PS_MISUSE_NAN);
  assert_int_equal(ps_socket_settimeout(NULL, 1, "b").status.code, PS_MISUSE_NOTOBJECT);
  assert_int_equal(ps_socket_setdeadline(NULL, 1).status.code, PS_MISUSE_NOTOBJECT);
  ps_limits limits = ps_socket_gettimeout(c);
  assert_true(limits.block == -1 && limits.total == -1);
  assert_true(ps_socket_getdeadline(c).seconds == INFINITY);
  ps_socket_free(c, NULL);
}

static void clocks_go(void **state) {
  (void)state;
  double mono = ps_monotime(), time = ps_gettime();
  sim_pass(2);
  assert_true(ps_monotime() == mono + 2);
  assert_true(ps_gettime() == time + 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      sim_test(block_limits_one_wait),
      sim_test(total_limits_the_call),
      sim_test(of_two_limits_the_nearer_ends_it),
      sim_test(a_deadline_is_shared_by_all_calls),
      sim_test(a_deadline_of_now_has_what_is_at_hand),
      sim_test(a_mark_makes_block_count_from_the_start),
      cmocka_unit_test(zero_never_waits),
      sim_test(a_zero_of_block_wins_over_total),
      cmocka_unit_test(no_limit_waits_for_weeks),
      sim_test(waits_are_rounded_up),
      sim_test(a_peer_that_floods_cannot_pass_the_end),
      sim_test(a_flood_of_megabytes_cannot_pass_the_end),
      sim_test(a_peer_that_floods_cannot_hold_a_stop_up),
      sim_test(a_peer_that_drips_cannot_pass_the_end),
      sim_test(a_peer_that_takes_little_cannot_pass_the_end),
      cmocka_unit_test(a_storm_of_signals_neither_shortens_nor_lengthens),
      sim_test(a_storm_of_nothing_ends_in_time),
      sim_test(the_host_is_left_only_for_waits),
      sim_test(a_host_may_lend_nothing),
      sim_test(sleep_sleeps),
      sim_test(a_sleep_of_days_lasts_so_long),
      sim_test(a_language_without_threads_needs_no_waker),
      sim_test(limits_are_answered_as_they_were_given),
      sim_test(limits_can_be_misused),
      sim_test(clocks_go),
  };
  return cmocka_run_group_tests_name("timeout", tests, NULL, NULL);
}
