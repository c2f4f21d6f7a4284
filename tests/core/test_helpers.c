/* SPDX-License-Identifier: MIT */
/* core/os_helpers.c on the real system, with a resolver that can be made to wait: how
   look-ups are shared, how many threads there may be, and what a fork does. Threads are
   counted in /proc, so this is for Linux. Nothing sleeps in order to be on time. */

#define _GNU_SOURCE
#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka wants some of the above before it. */
#include <cmocka.h>
#include <errno.h>

#include "os.h"
#include "slow_resolver.h"

/* ThreadSanitizer would not let a child make threads. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "die_after_fork=0"; }

/* The linker puts these in place of the functions that they are named after. */
static atomic_int refusals;  /* so many threads are not made */
static _Atomic double later; /* than it is */

int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
double __real_ps__os_monotime(void);
double __wrap_ps__os_monotime(void);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *context) {
  if (atomic_load(&refusals) == 0)
    return __real_pthread_create(thread, attributes, run, context);
  atomic_fetch_sub(&refusals, 1);
  return EAGAIN;
}

double __wrap_ps__os_monotime(void) {
  return __real_ps__os_monotime() + atomic_load(&later);
}

/* ---- A test ---- */

static int gate[2];
static int others; /* threads that are no helpers */
static int before; /* calls of earlier tests */

static int threads(void) {
  int found = 0;
  DIR *tasks = opendir("/proc/self/task");
  while (readdir(tasks) != NULL) found++;
  closedir(tasks);
  return found - 2;
}

static int helpers(void) { return threads() - others; }
static int calls(void) { return slow_resolver_calls(NULL) - before; }

static void wait_for_calls(int wanted) {
  while (calls() < wanted) sched_yield();
}

static void *read_byte(void *from) {
  char byte;
  return read(*(int *)from, &byte, 1) == 1 ? from : NULL;
}

/* Some sanitizers start a thread of their own with the first one of the program. */
static void count_others(void) {
  int hold[2];
  pthread_t first;
  if (pipe(hold) != 0 || pthread_create(&first, NULL, read_byte, &hold[0]) != 0) abort();
  others = threads() - 1;
  if (write(hold[1], "x", 1) != 1) abort();
  pthread_join(first, NULL);
  while (threads() != others) sched_yield();
  close(hold[0]);
  close(hold[1]);
}

/* They end when nothing is queued. */
static void wait_for_helpers(int wanted) {
  while (helpers() != wanted) sched_yield();
}

static void open_gate(void) {
  if (gate[1] >= 0) close(gate[1]);
  gate[1] = -1;
}

static int teardown(void **state) {
  (void)state;
  open_gate();
  wait_for_helpers(0);
  close(gate[0]);
  return 0;
}

static ps__lookup question(const char *host, const char *service) {
  ps__lookup made;
  memset(&made, 0, sizeof made);
  made.host = host;
  made.service = service;
  return made;
}

static ps__lookup *start(const char *host) {
  ps__lookup asked = question(host, "80"), *lookup = NULL;
  assert_int_equal(ps__os_lookup_start(&asked, &lookup), 0);
  return lookup;
}

/* Names that differ in a number. */
static ps__lookup *start_numbered(int number) {
  char host[32];
  snprintf(host, sizeof host, "%d.gate.test", number);
  return start(host);
}

static int has_answer(const ps__lookup *lookup) {
  return lookup->status.code == PS_OK && lookup->records != NULL &&
         strcmp(lookup->records->ip, "10.0.0.1") == 0;
}

/* As a call does whose time is over while a helper works for it. */
static void give_up(const char *host) {
  ps__lookup *lookup = start(host);
  while (slow_resolver_calls(host) == 0) sched_yield();
  ps__os_lookup_drop(lookup);
}

static void finish(ps__lookup *lookup) {
  while (!ps__os_lookup_wait(lookup, INFINITY)) {
  }
  assert_true(has_answer(lookup));
  ps__os_lookup_drop(lookup);
}

static int setup(void **state) {
  (void)state;
  if (pipe(gate) != 0) return -1;
  slow_resolver_gate(gate[0]);
  atomic_store(&refusals, 0);
  atomic_store(&later, PS__KEPT_SECONDS); /* so that nothing is left of an earlier test */
  ps__lookup *lookup = start("127.0.0.1");
  while (!ps__os_lookup_wait(lookup, INFINITY)) {
  }
  ps__os_lookup_drop(lookup);
  wait_for_helpers(0);
  atomic_store(&later, 0);
  before = slow_resolver_calls(NULL);
  return 0;
}

/* ---- Sharing ---- */

static void holders_of_one_question_share_its_answer(void **state) {
  (void)state;
  ps__lookup *one = start("a.gate.test"), *two = start("a.gate.test");
  wait_for_calls(1);
  ps__lookup *three = start("a.gate.test");
  assert_false(ps__os_lookup_done(one));
  assert_false(ps__os_lookup_wait(two, 0.01));
  open_gate();
  while (!ps__os_lookup_done(one)) sched_yield();
  ps__os_lookup_drop(one);
  finish(two);
  finish(three);
  assert_int_equal(calls(), 1);
  assert_int_equal(slow_resolver_calls("a.gate.test"), 1);
}

static void other_questions_are_other_calls(void **state) {
  (void)state;
  ps__lookup asked[6], *lookups[6];
  for (int i = 0; i < 6; i++) asked[i] = question("b.gate.test", "80");
  asked[1].host = "c.gate.test";
  asked[2].service = "81";
  asked[3].service = NULL;
  asked[4].family = 4;
  asked[5].flags = PS__PASSIVE;
  for (int i = 0; i < 6; i++)
    assert_int_equal(ps__os_lookup_start(&asked[i], &lookups[i]), 0);
  wait_for_calls(6);
  open_gate();
  for (int i = 0; i < 6; i++) finish(lookups[i]);
  assert_int_equal(calls(), 6);
}

static void a_collected_answer_is_not_given_again(void **state) {
  (void)state;
  open_gate();
  ps__lookup *held = start("d.gate.test");
  while (!ps__os_lookup_done(held)) sched_yield();
  finish(start("d.gate.test"));
  assert_int_equal(calls(), 2);
  ps__os_lookup_drop(held);
  finish(start("d.gate.test"));
  assert_int_equal(calls(), 3);
}

static void an_answer_that_was_given_up_is_the_next_calls(void **state) {
  (void)state;
  give_up("e.gate.test");
  open_gate();
  wait_for_helpers(0);
  for (int i = 0; i < 2; i++)
    ps__os_lookup_drop(start("e.gate.test")); /* not looked at */
  ps__lookup *lookup = start("e.gate.test");
  assert_true(ps__os_lookup_done(lookup));
  assert_true(has_answer(lookup));
  ps__os_lookup_drop(lookup);
  assert_int_equal(calls(), 1);
  finish(start("e.gate.test"));
  assert_int_equal(calls(), 2);
}

static void an_answer_that_was_given_up_expires(void **state) {
  (void)state;
  open_gate();
  ps__lookup *held = start("f.gate.test");
  give_up("g.gate.test");
  wait_for_helpers(0);
  assert_int_equal(calls(), 2);
  atomic_store(&later, PS__KEPT_SECONDS);
  finish(start("f.gate.test"));
  finish(start("g.gate.test"));
  assert_int_equal(calls(), 4);
  finish(held);
}

static void so_many_answers_are_kept(void **state) {
  (void)state;
  enum { MORE = 8, ALL = PS__KEPT + MORE };
  ps__lookup *lookups[ALL];
  open_gate();
  for (int i = 0; i < ALL; i++) lookups[i] = start_numbered(i);
  wait_for_helpers(0);
  assert_int_equal(calls(), ALL);
  for (int i = 0; i < ALL; i++) ps__os_lookup_drop(lookups[i]);
  finish(start_numbered(ALL - 1));
  assert_int_equal(calls(), ALL); /* the newest is there */
  for (int i = 0; i < ALL - 1; i++) finish(start_numbered(i));
  assert_int_equal(calls(), ALL + MORE);
}

/* ---- Threads ---- */

static void helpers_are_bounded(void **state) {
  (void)state;
  enum { ALL = 2 * PS__HELPERS };
  ps__lookup *lookups[ALL];
  for (int i = 0; i < ALL; i++) lookups[i] = start_numbered(i);
  assert_int_equal(helpers(), PS__HELPERS);
  wait_for_calls(PS__HELPERS);
  for (int i = 0; i < ALL; i++) ps__os_lookup_drop(lookups[i]);
  open_gate();
  wait_for_helpers(0);
  assert_int_equal(calls(), PS__HELPERS); /* what nobody wanted any more was not asked */
}

static void questions_wait_in_order(void **state) {
  (void)state;
  enum { ALL = PS__HELPERS + 3 };
  ps__lookup *lookups[ALL];
  for (int i = 0; i < ALL; i++) lookups[i] = start_numbered(i);
  wait_for_calls(PS__HELPERS);
  ps__os_lookup_drop(lookups[PS__HELPERS + 1]);
  static const int next[] = {PS__HELPERS, PS__HELPERS + 2};
  for (int i = 0; i < 2; i++) {
    char host[32];
    snprintf(host, sizeof host, "%d.gate.test", next[i]);
    int earlier = slow_resolver_calls(host);
    assert_int_equal(write(gate[1], "x", 1), 1);
    while (slow_resolver_calls(host) == earlier) sched_yield();
    assert_int_equal(calls(), PS__HELPERS + 1 + i);
  }
  open_gate();
  for (int i = 0; i < ALL; i++)
    if (i != PS__HELPERS + 1) finish(lookups[i]);
}

static void retries_of_a_name_that_hangs_make_no_further_thread(void **state) {
  (void)state;
  for (int i = 0; i < 100; i++) {
    ps__lookup *lookup = start("h.gate.test");
    assert_false(ps__os_lookup_wait(lookup, 0));
    wait_for_calls(1);
    ps__os_lookup_drop(lookup);
  }
  assert_int_equal(helpers(), 1);
  assert_int_equal(calls(), 1);
}

static void without_any_thread_there_is_an_error(void **state) {
  (void)state;
  ps__lookup asked = question("i.gate.test", "80"), *lookup = NULL;
  atomic_store(&refusals, 1);
  assert_int_equal(ps__os_lookup_start(&asked, &lookup), EAGAIN);
  assert_null(lookup);
  open_gate();
  finish(start("i.gate.test"));
  assert_int_equal(calls(), 1);
}

static void one_thread_is_enough(void **state) {
  (void)state;
  ps__lookup *one = start("j.gate.test");
  atomic_store(&refusals, 1);
  ps__lookup *two = start("k.gate.test");
  assert_int_equal(atomic_load(&refusals), 0);
  assert_int_equal(helpers(), 1);
  open_gate();
  finish(one);
  finish(two);
}

static void signals_are_for_the_threads_of_the_program(void **state) {
  (void)state;
  ps__lookup *lookup = start("l.gate.test");
  wait_for_calls(1);
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
  open_gate();
  finish(lookup);
}

static void an_answer_wakes_waits(void **state) {
  (void)state;
  ps__lookup *lookup = start("m.gate.test");
  ps__waker waker;
  ps__os_waker_begin(&waker);
  wait_for_calls(1);
  open_gate();
  while (!ps__os_lookup_done(lookup))
    assert_int_equal(ps__os_poll(NULL, 0, INFINITY, &waker), 0);
  ps__os_waker_end(&waker);
  finish(lookup);
}

static atomic_int stopped;

static void *ask_again_and_again(void *context) {
  unsigned seed = (unsigned)(size_t)context;
  while (!atomic_load(&stopped)) {
    seed = seed * 1103515245u + 12345u;
    char host[32];
    snprintf(host, sizeof host, "10.0.0.%u", seed >> 16 & 3);
    ps__lookup asked = question(host, "80"), *lookup;
    if (ps__os_lookup_start(&asked, &lookup) != 0) return "no look-up";
    int done = (seed >> 20 & 3) == 0 || ps__os_lookup_wait(lookup, 1);
    if (ps__os_lookup_done(lookup)) done = strcmp(lookup->records->ip, host) == 0;
    ps__os_lookup_drop(lookup);
    if (!done) return "no answer";
  }
  return NULL;
}

static void many_threads_ask_at_once(void **state) {
  (void)state;
  pthread_t askers[4];
  atomic_store(&stopped, 0);
  for (size_t i = 0; i < 4; i++)
    pthread_create(&askers[i], NULL, ask_again_and_again, (void *)(i + 1));
  for (int i = 0; i < 20; i++) {
    ps__lookup *lookup = start("10.0.0.1");
    pid_t child = fork();
    if (child == 0) {
      while (!ps__os_lookup_wait(lookup, INFINITY)) {
      }
      _exit(has_answer(lookup) ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    finish(lookup);
  }
  atomic_store(&stopped, 1);
  for (int i = 0; i < 4; i++) {
    void *failure;
    pthread_join(askers[i], &failure);
    assert_null(failure);
  }
}

/* ---- Fork ---- */

#define check(condition) \
  if (!(condition)) _exit(__LINE__ % 255 + 1)

/* The line in which a child failed, at least its last digits; 0: none did. */
static void expect_success(pid_t child) {
  int status = -1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

/* In a child: the gate is open here, and stays as it is for the parent. */
static void open_gate_of_child(void) {
  int ends[2];
  check(pipe(ends) == 0);
  close(ends[1]);
  slow_resolver_gate(ends[0]);
}

static void in_the_child(ps__lookup *running, ps__lookup *queued, ps__lookup *unwanted) {
  open_gate_of_child();
  ps__lookup asked = question("other.gate.test", "80"), *other = NULL;
  check(ps__os_lookup_start(&asked, &other) == 0);
  while (!ps__os_lookup_wait(other, INFINITY)) {
  }
  check(has_answer(other));
  ps__os_lookup_drop(other);
  check(calls() == PS__HELPERS + 1); /* what only the parent wants is not asked here */
  while (!ps__os_lookup_done(running)) sched_yield();
  check(has_answer(running));
  check(ps__os_lookup_wait(queued, INFINITY));
  check(has_answer(queued));
  check(calls() == PS__HELPERS + 3);
  ps__lookup *again = NULL;
  asked = question("given-up.gate.test", "80");
  check(ps__os_lookup_start(&asked, &again) == 0);
  check(ps__os_lookup_wait(again, INFINITY));
  check(has_answer(again));
  ps__os_lookup_drop(again);
  ps__os_lookup_drop(running);
  ps__os_lookup_drop(queued);
  ps__os_lookup_drop(unwanted);
  _exit(0);
}

static void a_child_asks_again(void **state) {
  (void)state;
  ps__lookup *lookups[PS__HELPERS];
  give_up("given-up.gate.test");
  for (int i = 1; i < PS__HELPERS; i++) lookups[i] = start_numbered(i);
  wait_for_calls(PS__HELPERS);
  ps__lookup *queued = start("queued.gate.test");
  ps__lookup *unwanted = start("unwanted.gate.test");
  pid_t child = fork();
  if (child == 0) in_the_child(lookups[1], queued, unwanted);
  expect_success(child);
  assert_int_equal(calls(), PS__HELPERS);
  for (int i = 1; i < PS__HELPERS; i++) assert_false(ps__os_lookup_done(lookups[i]));
  open_gate();
  for (int i = 1; i < PS__HELPERS; i++) finish(lookups[i]);
  finish(queued);
  finish(unwanted);
}

static void a_child_without_threads_is_told(void **state) {
  (void)state;
  ps__lookup *lookup = start("n.gate.test");
  wait_for_calls(1);
  pid_t child = fork();
  if (child == 0) {
    open_gate_of_child();
    atomic_store(&refusals, 2);
    ps__lookup asked = question("n.gate.test", "80"), *joined = NULL;
    check(ps__os_lookup_start(&asked, &joined) == EAGAIN);
    check(ps__os_lookup_wait(lookup, INFINITY));
    check(lookup->status.system == EAGAIN && lookup->records == NULL);
    ps__os_lookup_drop(lookup);
    check(ps__os_lookup_start(&asked, &joined) == 0);
    check(ps__os_lookup_wait(joined, INFINITY));
    check(has_answer(joined));
    _exit(0);
  }
  expect_success(child);
  open_gate();
  finish(lookup);
}

static void a_child_has_the_answers_that_were_there(void **state) {
  (void)state;
  open_gate();
  ps__lookup *lookup = start("o.gate.test");
  give_up("p.gate.test");
  wait_for_helpers(0);
  pid_t child = fork();
  if (child == 0) {
    check(ps__os_lookup_done(lookup));
    check(has_answer(lookup));
    ps__os_lookup_drop(lookup);
    ps__lookup asked = question("p.gate.test", "80"), *kept = NULL;
    check(ps__os_lookup_start(&asked, &kept) == 0);
    check(ps__os_lookup_done(kept));
    check(calls() == 2);
    ps__os_lookup_drop(kept);
    _exit(0);
  }
  expect_success(child);
  finish(lookup);
  finish(start("p.gate.test"));
  assert_int_equal(calls(), 2);
}

#define helper_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      helper_test(holders_of_one_question_share_its_answer),
      helper_test(other_questions_are_other_calls),
      helper_test(a_collected_answer_is_not_given_again),
      helper_test(an_answer_that_was_given_up_is_the_next_calls),
      helper_test(an_answer_that_was_given_up_expires),
      helper_test(so_many_answers_are_kept),
      helper_test(helpers_are_bounded),
      helper_test(questions_wait_in_order),
      helper_test(retries_of_a_name_that_hangs_make_no_further_thread),
      helper_test(without_any_thread_there_is_an_error),
      helper_test(one_thread_is_enough),
      helper_test(signals_are_for_the_threads_of_the_program),
      helper_test(an_answer_wakes_waits),
      helper_test(many_threads_ask_at_once),
      helper_test(a_child_asks_again),
      helper_test(a_child_without_threads_is_told),
      helper_test(a_child_has_the_answers_that_were_there),
  };
  count_others();
  return cmocka_run_group_tests_name("helpers", tests, NULL, NULL);
}
