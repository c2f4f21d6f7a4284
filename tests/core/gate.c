/* SPDX-License-Identifier: MIT */
/* See gate.h. */

#define _GNU_SOURCE
#include "gate.h"

#include <dirent.h>
#include <malloc.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"

/* ThreadSanitizer would not let a child make threads. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "die_after_fork=0"; }

/* The linker puts these in place of the functions that they are named after. */
static atomic_int refusals;  /* so many threads are not made */
static _Atomic double later; /* than it is */
static _Atomic double still; /* the time at which it stands still, or 0 */
static atomic_int looks;     /* at the clock */

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
  atomic_fetch_add(&looks, 1);
  double now = atomic_load(&still);
  return (now > 0 ? now : __real_ps__os_monotime()) + atomic_load(&later);
}

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

int gate_helpers(void) { return threads() - others; }
int gate_calls(void) { return slow_resolver_calls(NULL) - before; }

size_t gate_allocated(void) {
#if defined __GLIBC__ && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
  return mallinfo2().uordblks;
#else
  return 0;
#endif
}

void gate_wait_for_calls(int wanted) {
  while (gate_calls() < wanted) sched_yield();
}

static void *read_byte(void *from) {
  char byte;
  return read(*(int *)from, &byte, 1) == 1 ? from : NULL;
}

void gate_refuse_threads(int count) { atomic_store(&refusals, count); }
int gate_refusals(void) { return atomic_load(&refusals); }
void gate_time_passes(double seconds) { atomic_store(&later, seconds); }
void gate_time_stands_still(void) { atomic_store(&still, __real_ps__os_monotime()); }
int gate_looks_at_the_clock(void) { return atomic_load(&looks); }

/* Some sanitizers start a thread of their own with the first one of the program. */
void gate_begin(void) {
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
void gate_wait_for_helpers(int wanted) {
  while (gate_helpers() != wanted) sched_yield();
}

void gate_pass_one(void) { assert_int_equal(write(gate[1], "x", 1), 1); }

void gate_open(void) {
  if (gate[1] >= 0) close(gate[1]);
  gate[1] = -1;
}

int gate_teardown(void **state) {
  (void)state;
  gate_open();
  gate_wait_for_helpers(0);
  close(gate[0]);
  return 0;
}

ps__lookup gate_question(const char *host, const char *service) {
  ps__lookup made;
  memset(&made, 0, sizeof made);
  made.host = host;
  made.service = service;
  return made;
}

ps__lookup *gate_start(const char *host) {
  ps__lookup asked = gate_question(host, "80"), *lookup = NULL;
  assert_int_equal(ps__os_lookup_start(&asked, &lookup), 0);
  return lookup;
}

/* Names that differ in a number. */
ps__lookup *gate_start_numbered(int number) {
  char host[32];
  snprintf(host, sizeof host, "%d.gate.test", number);
  return gate_start(host);
}

int gate_has_answer(const ps__lookup *lookup) {
  return lookup->status.code == PS_OK && lookup->records != NULL &&
         strcmp(lookup->records->ip, "10.0.0.1") == 0;
}

/* As a call does whose time is over while a helper works for it. */
void gate_give_up(const char *host) {
  ps__lookup *lookup = gate_start(host);
  while (slow_resolver_calls(host) == 0) sched_yield();
  ps__os_lookup_drop(lookup);
}

void gate_finish(ps__lookup *lookup) {
  while (!ps__os_lookup_wait(lookup, INFINITY)) {
  }
  assert_true(gate_has_answer(lookup));
  ps__os_lookup_drop(lookup);
}

int gate_setup(void **state) {
  (void)state;
  if (pipe(gate) != 0) return -1;
  slow_resolver_gate(gate[0]);
  atomic_store(&refusals, 0);
  atomic_store(&still, 0);
  atomic_store(&later, PS__KEPT_SECONDS); /* so that nothing is left of an earlier test */
  ps__lookup *lookup = gate_start("127.0.0.1");
  while (!ps__os_lookup_wait(lookup, INFINITY)) {
  }
  ps__os_lookup_drop(lookup);
  gate_wait_for_helpers(0);
  atomic_store(&later, 0);
  before = slow_resolver_calls(NULL);
  return 0;
}

static atomic_int rounds; /* that the askers are still to do */

static void *ask_again_and_again(void *context) {
  unsigned seed = (unsigned)(size_t)context;
  while (atomic_fetch_sub(&rounds, 1) > 0) {
    seed = seed * 1103515245u + 12345u;
    char host[32];
    snprintf(host, sizeof host, "10.0.0.%u", seed >> 16 & 3);
    ps__lookup asked = gate_question(host, "80"), *lookup;
    if (ps__os_lookup_start(&asked, &lookup) != 0) return "no look-up";
    int right = (seed >> 20 & 3) == 0 || ps__os_lookup_wait(lookup, INFINITY);
    if (ps__os_lookup_done(lookup)) right = strcmp(lookup->records->ip, host) == 0;
    ps__os_lookup_drop(lookup);
    if (!right) return "no answer";
  }
  return NULL;
}

void gate_start_askers(pthread_t askers[GATE_ASKERS], int number_of_rounds) {
  atomic_store(&rounds, number_of_rounds);
  for (size_t i = 0; i < GATE_ASKERS; i++)
    pthread_create(&askers[i], NULL, ask_again_and_again, (void *)(i + 1));
}

void gate_end_askers(void) { atomic_store(&rounds, 0); }

void gate_join_askers(const pthread_t askers[GATE_ASKERS]) {
  for (int i = 0; i < GATE_ASKERS; i++) {
    void *failure;
    pthread_join(askers[i], &failure);
    assert_null(failure);
  }
}

/* In a child: the gate is open here, and stays as it is for the parent. */
void gate_open_in_child(void) {
  int ends[2];
  check(pipe(ends) == 0);
  close(ends[1]);
  slow_resolver_gate(ends[0]);
}
