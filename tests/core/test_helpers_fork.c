/* SPDX-License-Identifier: MIT */
/* core/os_helpers.c on the real system: what a fork does to look-ups. */

#define _GNU_SOURCE
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "child.h"
#include "gate.h"

static void in_the_child(ps__lookup *running, ps__lookup *queued, ps__lookup *unwanted) {
  gate_open_in_child();
  ps__lookup asked = gate_question("other.gate.test", "80"), *other = NULL;
  check(ps__os_lookup_start(&asked, &other) == 0);
  while (!ps__os_lookup_wait(other, INFINITY)) {
  }
  check(gate_has_answer(other));
  ps__os_lookup_drop(other);
  check(gate_calls() ==
        PS__HELPERS + 1); /* what only the parent wants is not asked here */
  while (!ps__os_lookup_done(running)) sched_yield();
  check(gate_has_answer(running));
  check(ps__os_lookup_wait(queued, INFINITY));
  check(gate_has_answer(queued));
  check(gate_calls() == PS__HELPERS + 3);
  ps__lookup *again = NULL;
  asked = gate_question("given-up.gate.test", "80");
  check(ps__os_lookup_start(&asked, &again) == 0);
  check(ps__os_lookup_wait(again, INFINITY));
  check(gate_has_answer(again));
  ps__os_lookup_drop(again);
  ps__os_lookup_drop(running);
  ps__os_lookup_drop(queued);
  ps__os_lookup_drop(unwanted);
  _exit(0);
}

static void a_child_asks_again(void **state) {
  (void)state;
  ps__lookup *lookups[PS__HELPERS];
  gate_give_up("given-up.gate.test");
  for (int i = 1; i < PS__HELPERS; i++) lookups[i] = gate_start_numbered(i);
  gate_wait_for_calls(PS__HELPERS);
  ps__lookup *queued = gate_start("queued.gate.test");
  ps__lookup *unwanted = gate_start("unwanted.gate.test");
  pid_t child = fork();
  if (child == 0) in_the_child(lookups[1], queued, unwanted);
  expect_success(child);
  assert_int_equal(gate_calls(), PS__HELPERS);
  for (int i = 1; i < PS__HELPERS; i++) assert_false(ps__os_lookup_done(lookups[i]));
  gate_open();
  for (int i = 1; i < PS__HELPERS; i++) gate_finish(lookups[i]);
  gate_finish(queued);
  gate_finish(unwanted);
}

/* Nobody in the child waits for them, and its first question frees them. */
static void a_child_frees_what_was_given_up(void **state) {
  (void)state;
  enum { LEAST = 512 }; /* bytes of a question */
  for (int i = 0; i < PS__HELPERS; i++) {
    char host[32];
    snprintf(host, sizeof host, "%d.late.gate.test", i);
    gate_give_up(host);
  }
  pid_t child = fork();
  if (child == 0) {
    ps__lookup asked = gate_question("127.0.0.1", "80"), *lookup = NULL;
    size_t before = gate_allocated();
    check(ps__os_lookup_start(&asked, &lookup) == 0);
    check(ps__os_lookup_wait(lookup, INFINITY));
    check(before == 0 || gate_allocated() + PS__HELPERS / 2 * LEAST < before);
    ps__os_lookup_drop(lookup);
    _exit(0);
  }
  expect_success(child);
}

static void a_child_without_threads_is_told(void **state) {
  (void)state;
  ps__lookup *lookup = gate_start("n.gate.test");
  gate_wait_for_calls(1);
  pid_t child = fork();
  if (child == 0) {
    gate_open_in_child();
    gate_refuse_threads(2);
    ps__lookup asked = gate_question("n.gate.test", "80"), *joined = NULL;
    check(ps__os_lookup_start(&asked, &joined) == EAGAIN);
    check(ps__os_lookup_wait(lookup, INFINITY));
    check(lookup->status.system == EAGAIN && lookup->records == NULL);
    ps__os_lookup_drop(lookup);
    check(ps__os_lookup_start(&asked, &joined) == 0);
    check(ps__os_lookup_wait(joined, INFINITY));
    check(gate_has_answer(joined));
    _exit(0);
  }
  expect_success(child);
  gate_open();
  gate_finish(lookup);
}

static void a_child_has_the_answers_that_were_there(void **state) {
  (void)state;
  gate_open();
  ps__lookup *lookup = gate_start("o.gate.test");
  gate_give_up("p.gate.test");
  gate_wait_for_helpers(0);
  pid_t child = fork();
  if (child == 0) {
    check(ps__os_lookup_done(lookup));
    check(gate_has_answer(lookup));
    ps__os_lookup_drop(lookup);
    ps__lookup asked = gate_question("p.gate.test", "80"), *kept = NULL;
    check(ps__os_lookup_start(&asked, &kept) == 0);
    check(ps__os_lookup_done(kept));
    check(gate_calls() == 2);
    ps__os_lookup_drop(kept);
    _exit(0);
  }
  expect_success(child);
  gate_finish(lookup);
  gate_finish(gate_start("p.gate.test"));
  assert_int_equal(gate_calls(), 2);
}

/* A fork in the middle of anything leaves the child a state that it can use. */
static void a_child_of_many_threads_works(void **state) {
  (void)state;
  if (!ALLOCATOR_FORKS) skip();
  pthread_t askers[GATE_ASKERS];
  gate_start_askers(askers, INT_MAX);
  for (int i = 0; i < 20; i++) {
    ps__lookup *lookup = gate_start("10.0.0.1");
    pid_t child = fork();
    if (child == 0) {
      check(ps__os_lookup_wait(lookup, INFINITY));
      check(gate_has_answer(lookup));
      ps__os_lookup_drop(lookup);
      _exit(0);
    }
    expect_success(child);
    gate_finish(lookup);
  }
  gate_end_askers();
  gate_join_askers(askers);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      gate_test(a_child_asks_again),
      gate_test(a_child_frees_what_was_given_up),
      gate_test(a_child_without_threads_is_told),
      gate_test(a_child_has_the_answers_that_were_there),
      gate_test(a_child_of_many_threads_works),
  };
  gate_begin();
  return cmocka_run_group_tests_name("helpers_fork", tests, NULL, NULL);
}
