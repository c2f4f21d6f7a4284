/* SPDX-License-Identifier: MIT */
/* core/os_helpers.c on the real system: how look-ups are shared, which answers are kept,
   and how many threads there may be. */

#define _GNU_SOURCE
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gate.h"

/* ---- Sharing ---- */

static void holders_of_one_question_share_its_answer(void **state) {
  (void)state;
  ps__lookup *one = gate_start("a.gate.test"), *two = gate_start("a.gate.test");
  gate_wait_for_calls(1);
  ps__lookup *three = gate_start("a.gate.test");
  assert_false(ps__os_lookup_done(one));
  assert_false(ps__os_lookup_wait(two, 0.01));
  gate_open();
  while (!ps__os_lookup_done(one)) sched_yield();
  ps__os_lookup_drop(one);
  gate_finish(two);
  gate_finish(three);
  assert_int_equal(gate_calls(), 1);
  assert_int_equal(slow_resolver_calls("a.gate.test"), 1);
}

static void other_questions_are_other_calls(void **state) {
  (void)state;
  ps__lookup asked[6], *lookups[6];
  for (int i = 0; i < 6; i++) asked[i] = gate_question("b.gate.test", "80");
  asked[1].host = "c.gate.test";
  asked[2].service = "81";
  asked[3].service = NULL;
  asked[4].family = 4;
  asked[5].flags = PS__PASSIVE;
  for (int i = 0; i < 6; i++)
    assert_int_equal(ps__os_lookup_start(&asked[i], &lookups[i]), 0);
  gate_wait_for_calls(6);
  gate_open();
  for (int i = 0; i < 6; i++) gate_finish(lookups[i]);
  assert_int_equal(gate_calls(), 6);
}

/* However long or short it is, and whatever is around it in memory. */
static void a_question_is_its_text(void **state) {
  (void)state;
  static const char empty[] = "\0x", other[] = "\0\0y";
  static char zeros[60000];
  memset(zeros, '0', sizeof zeros - 1);
  const ps__lookup asked[] = {gate_question("n.gate.test", empty),
                              gate_question("n.gate.test", NULL),
                              gate_question(empty, "80"), gate_question(NULL, "80"),
                              gate_question("n.gate.test", zeros)};
  enum { ALL = sizeof asked / sizeof *asked };
  ps__lookup *lookups[ALL];
  for (int i = 0; i < ALL; i++) {
    ps__lookup *again;
    assert_int_equal(ps__os_lookup_start(&asked[i], &lookups[i]), 0);
    for (int j = 0; j < i; j++) assert_ptr_not_equal(lookups[i], lookups[j]);
    assert_int_equal(ps__os_lookup_start(&asked[i], &again), 0);
    assert_ptr_equal(again, lookups[i]);
    ps__os_lookup_drop(again);
  }
  const ps__lookup elsewhere[] = {
      gate_question("n.gate.test", other), gate_question(&"an.gate.test"[1], NULL),
      gate_question(other, &"180"[1]), gate_question(NULL, &"280"[1])};
  for (int i = 0; i < 4; i++) {
    ps__lookup *same;
    assert_int_equal(ps__os_lookup_start(&elsewhere[i], &same), 0);
    assert_ptr_equal(same, lookups[i]);
    ps__os_lookup_drop(same);
  }
  gate_open();
  for (int i = 0; i < ALL; i++) {
    while (!ps__os_lookup_wait(lookups[i], INFINITY)) continue;
    ps__os_lookup_drop(lookups[i]);
  }
  assert_int_equal(gate_calls(), 3);
}

/* The answers are found by a hash, which is 32 bits of FNV-1a. These have the same one.
 */
static void names_with_the_same_hash_are_told_apart(void **state) {
  (void)state;
  static const char *const hosts[] = {"10.0.107.237", "10.2.219.40"};
  ps__lookup *lookups[2];
  for (int i = 0; i < 2; i++) lookups[i] = gate_start(hosts[i]);
  assert_ptr_not_equal(lookups[0], lookups[1]);
  for (int i = 0; i < 2; i++) {
    while (!ps__os_lookup_wait(lookups[i], INFINITY)) continue;
    assert_string_equal(lookups[i]->records->ip, hosts[i]);
    ps__os_lookup_drop(lookups[i]);
  }
}

static void a_helper_asks_the_whole_question(void **state) {
  (void)state;
  gate_open();
  ps__lookup *lookups[4], *held = gate_start("o.gate.test");
  while (!ps__os_lookup_done(held)) sched_yield();
  assert_string_equal(held->canonical, "10.0.0.1");
  ps__os_lookup_drop(held);
  ps__lookup asked[4] = {gate_question("10.0.0.1", "80"), gate_question(NULL, "80"),
                         gate_question("p.gate.test", "80"),
                         gate_question("10.0.0.1", "80")};
  asked[0].family = 6;
  asked[1].family = 4;
  asked[1].flags = PS__PASSIVE;
  asked[2].flags = asked[3].flags = PS__NUMERIC;
  for (int i = 0; i < 4; i++) {
    assert_int_equal(ps__os_lookup_start(&asked[i], &lookups[i]), 0);
    while (!ps__os_lookup_wait(lookups[i], INFINITY)) continue;
    assert_int_equal(lookups[i]->status.code, i % 2 == 0 ? PS_NONAME : PS_OK);
    /* Nothing is left of the answer before. musl names an address without being asked. */
    if (i < 3) assert_string_equal(lookups[i]->canonical, "");
    assert_string_equal(lookups[i]->servicename, "");
  }
  assert_string_equal(lookups[1]->records->ip, "0.0.0.0");
  assert_true(gate_has_answer(lookups[3]) == 1);
  ps__lookup *named, of_service = gate_question("127.0.0.1", "80");
  of_service.flags = PS__NAMES;
  assert_int_equal(ps__os_lookup_start(&of_service, &named), 0);
  while (!ps__os_lookup_wait(named, INFINITY)) continue;
  assert_int_equal(named->status.code, PS_OK);
  assert_true(named->servicename[0] != '\0');
  ps__os_lookup_drop(named);
  for (int i = 0; i < 4; i++) ps__os_lookup_drop(lookups[i]);
  assert_int_equal(gate_calls(), 1);
}

static void a_collected_answer_is_not_given_again(void **state) {
  (void)state;
  gate_open();
  ps__lookup *held = gate_start("d.gate.test");
  while (!ps__os_lookup_done(held)) sched_yield();
  gate_finish(gate_start("d.gate.test"));
  assert_int_equal(gate_calls(), 2);
  ps__os_lookup_drop(held);
  gate_finish(gate_start("d.gate.test"));
  assert_int_equal(gate_calls(), 3);
}

static void an_answer_that_was_given_up_is_the_next_calls(void **state) {
  (void)state;
  gate_give_up("e.gate.test");
  gate_open();
  gate_wait_for_helpers(0);
  for (int i = 0; i < 2; i++)
    ps__os_lookup_drop(gate_start("e.gate.test")); /* not looked at */
  ps__lookup *lookup = gate_start("e.gate.test");
  assert_true(ps__os_lookup_done(lookup));
  assert_true(gate_has_answer(lookup));
  ps__os_lookup_drop(lookup);
  assert_int_equal(gate_calls(), 1);
  gate_finish(gate_start("e.gate.test"));
  assert_int_equal(gate_calls(), 2);
}

static void an_answer_that_was_given_up_expires(void **state) {
  (void)state;
  gate_open();
  gate_time_stands_still();
  ps__lookup *held = gate_start("f.gate.test");
  gate_give_up("g.gate.test");
  gate_wait_for_helpers(0);
  assert_int_equal(gate_calls(), 2);
  gate_time_passes(PS__KEPT_SECONDS);
  gate_finish(gate_start("f.gate.test"));
  gate_finish(gate_start("g.gate.test"));
  assert_int_equal(gate_calls(), 4);
  gate_finish(held);
}

static void calls_that_want_the_same_share_an_answer(void **state) {
  (void)state;
  ps_resolved found;
  do { /* what is given up before a helper has begun with it is not asked */
    found = ps_dns_toip("s.gate.test", 0, NULL);
    assert_int_equal(found.status.code, PS_TIMEOUT);
  } while (gate_calls() == 0);
  gate_pass_one();
  gate_wait_for_helpers(0);
  found = ps_dns_tohostname("s.gate.test", 0, NULL);
  assert_int_equal(found.status.code, PS_OK);
  assert_int_equal(gate_calls(), 1);
  ps_resolved_free(found.ips);
  ps_resolved_free(found.aliases);
}

static void so_many_answers_are_kept(void **state) {
  (void)state;
  enum { MORE = 8, ALL = PS__KEPT + MORE };
  ps__lookup *lookups[ALL];
  gate_open();
  for (int i = 0; i < ALL; i++) lookups[i] = gate_start_numbered(i);
  gate_wait_for_helpers(0);
  assert_int_equal(gate_calls(), ALL);
  for (int i = 0; i < ALL; i++) ps__os_lookup_drop(lookups[i]);
  gate_finish(gate_start_numbered(ALL - 1));
  assert_int_equal(gate_calls(), ALL); /* the newest is there */
  for (int i = 0; i < ALL - 1; i++) gate_finish(gate_start_numbered(i));
  assert_int_equal(gate_calls(), ALL + MORE);
}

/* ---- Threads ---- */

static void helpers_are_bounded(void **state) {
  (void)state;
  enum { ALL = 2 * PS__HELPERS };
  ps__lookup *lookups[ALL];
  for (int i = 0; i < ALL; i++) lookups[i] = gate_start_numbered(i);
  assert_int_equal(gate_helpers(), PS__HELPERS);
  gate_wait_for_calls(PS__HELPERS);
  for (int i = 0; i < ALL; i++) ps__os_lookup_drop(lookups[i]);
  gate_open();
  gate_wait_for_helpers(0);
  assert_int_equal(gate_calls(),
                   PS__HELPERS); /* what nobody wanted any more was not asked */
}

static void questions_wait_in_order(void **state) {
  (void)state;
  enum { ALL = PS__HELPERS + 3 };
  ps__lookup *lookups[ALL];
  for (int i = 0; i < ALL; i++) lookups[i] = gate_start_numbered(i);
  gate_wait_for_calls(PS__HELPERS);
  ps__os_lookup_drop(lookups[PS__HELPERS + 1]);
  static const int next[] = {PS__HELPERS, PS__HELPERS + 2};
  for (int i = 0; i < 2; i++) {
    char host[32];
    snprintf(host, sizeof host, "%d.gate.test", next[i]);
    int earlier = slow_resolver_calls(host);
    gate_pass_one();
    while (slow_resolver_calls(host) == earlier) sched_yield();
    assert_int_equal(gate_calls(), PS__HELPERS + 1 + i);
  }
  gate_open();
  for (int i = 0; i < ALL; i++)
    if (i != PS__HELPERS + 1) gate_finish(lookups[i]);
}

static void retries_of_a_name_that_hangs_make_no_further_thread(void **state) {
  (void)state;
  gate_time_stands_still(); /* a wait of 0 seconds is over all the same */
  for (int i = 0; i < 100; i++) {
    ps__lookup *lookup = gate_start("h.gate.test");
    assert_false(ps__os_lookup_wait(lookup, 0));
    gate_wait_for_calls(1);
    ps__os_lookup_drop(lookup);
  }
  assert_int_equal(gate_helpers(), 1);
  assert_int_equal(gate_calls(), 1);
}

/* Each second each of 40 names is asked for, and given up. */
static void an_hour_of_retries_grows_nothing(void **state) {
  (void)state;
  enum { NAMES = PS__HELPERS + 8 };
  ps__lookup *lookups[PS__HELPERS];
  for (int i = 0; i < PS__HELPERS; i++) lookups[i] = gate_start_numbered(i);
  gate_wait_for_calls(PS__HELPERS);
  for (int i = 0; i < PS__HELPERS; i++) ps__os_lookup_drop(lookups[i]);
  size_t before = gate_allocated();
  for (int second = 0; second < 3600; second++) {
    gate_time_passes(second);
    for (int i = 0; i < NAMES; i++) {
      ps__lookup *lookup = gate_start_numbered(i);
      assert_false(ps__os_lookup_wait(lookup, 0));
      ps__os_lookup_drop(lookup);
    }
  }
  assert_true(gate_allocated() < before + 4096);
  assert_int_equal(gate_helpers(), PS__HELPERS);
  assert_int_equal(gate_calls(), PS__HELPERS);
}

static void a_wait_is_no_loop(void **state) {
  (void)state;
  ps__lookup *lookup = gate_start("q.gate.test");
  gate_wait_for_calls(1);
  int before = gate_looks_at_the_clock();
  double start = ps__os_monotime();
  assert_false(ps__os_lookup_wait(lookup, 0.1));
  assert_true(ps__os_monotime() - start >= 0.1);
  assert_in_range(gate_looks_at_the_clock() - before, 3, 30);
  gate_open();
  gate_finish(lookup);
}

static void without_any_thread_there_is_an_error(void **state) {
  (void)state;
  ps__lookup asked = gate_question("i.gate.test", "80"), *lookup = NULL;
  gate_refuse_threads(1);
  assert_int_equal(ps__os_lookup_start(&asked, &lookup), EAGAIN);
  assert_null(lookup);
  gate_open();
  gate_finish(gate_start("i.gate.test"));
  assert_int_equal(gate_calls(), 1);
}

static void one_thread_is_enough(void **state) {
  (void)state;
  ps__lookup *one = gate_start("j.gate.test");
  gate_refuse_threads(1);
  ps__lookup *two = gate_start("k.gate.test");
  assert_int_equal(gate_refusals(), 0);
  assert_int_equal(gate_helpers(), 1);
  gate_open();
  gate_finish(one);
  gate_finish(two);
}

static void signals_are_for_the_threads_of_the_program(void **state) {
  (void)state;
  ps__lookup *lookup = gate_start("l.gate.test");
  gate_wait_for_calls(1);
  sigset_t one, old, pending;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &one, &old);
  kill(getpid(), SIGUSR1); /* the end of a process that does not block it everywhere */
  sigpending(&pending);
  assert_true(sigismember(&pending, SIGUSR1));
  int got = 0;
  assert_int_equal(sigwait(&one, &got), 0);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  gate_open();
  gate_finish(lookup);
}

static void an_answer_wakes_waits(void **state) {
  (void)state;
  ps__lookup *lookup = gate_start("m.gate.test");
  ps__waker waker;
  ps__os_waker_begin(&waker);
  gate_wait_for_calls(1);
  gate_open();
  assert_int_equal(ps__os_poll(NULL, 0, INFINITY, &waker), 0);
  assert_true(waker.woken);
  ps__os_waker_end(&waker);
  assert_true(ps__os_lookup_done(lookup));
  gate_finish(lookup);
}

static void many_threads_ask_at_once(void **state) {
  (void)state;
  pthread_t askers[GATE_ASKERS];
  gate_start_askers(askers, 2000);
  gate_join_askers(askers);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      gate_test(holders_of_one_question_share_its_answer),
      gate_test(other_questions_are_other_calls),
      gate_test(a_question_is_its_text),
      gate_test(names_with_the_same_hash_are_told_apart),
      gate_test(a_helper_asks_the_whole_question),
      gate_test(a_collected_answer_is_not_given_again),
      gate_test(an_answer_that_was_given_up_is_the_next_calls),
      gate_test(an_answer_that_was_given_up_expires),
      gate_test(calls_that_want_the_same_share_an_answer),
      gate_test(so_many_answers_are_kept),
      gate_test(helpers_are_bounded),
      gate_test(questions_wait_in_order),
      gate_test(retries_of_a_name_that_hangs_make_no_further_thread),
      gate_test(an_hour_of_retries_grows_nothing),
      gate_test(a_wait_is_no_loop),
      gate_test(without_any_thread_there_is_an_error),
      gate_test(one_thread_is_enough),
      gate_test(signals_are_for_the_threads_of_the_program),
      gate_test(an_answer_wakes_waits),
      gate_test(many_threads_ask_at_once),
  };
  gate_begin();
  return cmocka_run_group_tests_name("helpers", tests, NULL, NULL);
}
