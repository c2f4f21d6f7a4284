/* SPDX-License-Identifier: MIT */
/* core/os_wait.c on the real system: wakers, what a fork does to them, and who calls.
   Nothing sleeps in order to be on time: a wait that is to end has no limit, and one that
   is to go on has a short one. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
/* cmocka wants some of the above before it. */
#include <cmocka.h>
#include <errno.h>

#include "child.h"
#include "os.h"

enum { CEILING = 5 }; /* seconds that a busy machine may take longer */
static const double SHORT = 0.02;

/* Returns whether a wait of at most so many seconds was woken. */
static int woken_within(double seconds, ps__waker *waker) {
  if (ps__os_poll(NULL, 0, seconds, waker) != 0) return -1;
  return waker->woken;
}

static int descriptors(void) {
  int found = 0;
  for (int fd = 0; fd < 1024; fd++) found += fcntl(fd, F_GETFD) >= 0;
  return found;
}

/* ---- Threads ---- */

enum { THREADS = 8 };
static atomic_int begun, finished;
static atomic_int condition;

static void *wake_until_it_is_heard(void *context) {
  while (!atomic_load(&condition)) {
    ps__os_wake();
    sched_yield();
  }
  return context;
}

/* It is the first test, in a process of one thread. A signal handler of a language may
   start a thread in the middle of a wait. */
static void a_thread_that_is_started_meanwhile_can_wake(void **state) {
  (void)state;
  ps__waker waker;
  pthread_t thread;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  ps_watch watch = {ends[1], 1, 0, 0, NULL};
  ps_sockets set = {&watch, 1};
  ps__os_waker_begin(&waker);
  pthread_create(&thread, NULL, wake_until_it_is_heard, NULL);
  assert_int_equal(ps__os_poll(&set, 1, INFINITY, NULL), 0);
  assert_int_equal(watch.ready, 1);
  if (waker.fd < -1) { /* it was begun without a descriptor: nothing was looked at */
    assert_int_equal(ps__os_poll(&set, 1, INFINITY, &waker), 0);
    assert_int_equal(watch.ready, 0);
    assert_int_equal(waker.woken, 1);
  }
  close(ends[0]);
  close(ends[1]);
  for (int i = 0; i < 3; i++) assert_int_equal(woken_within(CEILING, &waker), 1);
  atomic_store(&condition, 1);
  pthread_join(thread, NULL);
  ps__os_waker_end(&waker);
}

static void *wait_for_condition(void *context) {
  ps__waker waker;
  ps__os_waker_begin(&waker);
  atomic_fetch_add(&begun, 1);
  while (!atomic_load(&condition))
    if (woken_within(INFINITY, &waker) < 0) return context;
  ps__os_waker_end(&waker);
  atomic_fetch_add(&finished, 1);
  return NULL;
}

static void a_wake_ends_the_waits_of_all_threads(void **state) {
  (void)state;
  int before = -1;
  for (int round = 0; round < 100; round++) {
    pthread_t threads[THREADS];
    atomic_store(&begun, 0);
    atomic_store(&finished, 0);
    atomic_store(&condition, 0);
    for (int i = 0; i < THREADS; i++)
      pthread_create(&threads[i], NULL, wait_for_condition, NULL);
    while (atomic_load(&begun) < THREADS) sched_yield();
    if (round % 2 == 0) ps__os_wake(); /* for nothing: they go on */
    atomic_store(&condition, 1);
    ps__os_wake();
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&finished), THREADS);
    if (before < 0) before = descriptors();
  }
  assert_int_equal(descriptors(), before);
}

static void only_waits_that_were_begun_are_woken(void **state) {
  (void)state;
  ps__waker early, late;
  ps__os_waker_begin(&early);
  ps__os_wake();
  ps__os_waker_begin(&late);
  assert_int_equal(woken_within(SHORT, &late), 0);
  assert_int_equal(woken_within(INFINITY, &early), 1);
  assert_int_equal(woken_within(SHORT, &early), 0);
  ps__os_wake();
  assert_int_equal(woken_within(INFINITY, &early), 1);
  assert_int_equal(woken_within(INFINITY, &late), 1);
  ps__os_waker_end(&early);
  ps__os_waker_end(&late);
}

static void nobody_can_wake_a_wait_without_a_waker(void **state) {
  (void)state;
  ps__waker waker;
  ps__os_waker_begin(&waker);
  ps__os_wake();
  double start = ps__os_monotime();
  assert_int_equal(ps__os_poll(NULL, 0, SHORT, NULL), 0);
  assert_true(ps__os_monotime() - start >= SHORT);
  ps__os_waker_end(&waker);
}

static void sockets_and_a_waker_are_told_apart(void **state) {
  (void)state;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  ps__waker waker;
  ps__os_waker_begin(&waker);
  for (size_t count = 1; count <= 3; count++) {
    ps_watch watches[3] = {
        {ends[0], 0, 0, 1, NULL}, {ends[0], 0, 0, 1, NULL}, {-1, 0, 0, 1, NULL}};
    ps_sockets set = {watches, count};
    ps__os_wake();
    assert_int_equal(ps__os_poll(&set, 1, INFINITY, &waker), 0);
    assert_true(waker.woken);
    for (size_t i = 0; i < count; i++) assert_int_equal(watches[i].ready, 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(ps__os_poll(&set, 1, INFINITY, &waker), 0);
    assert_false(waker.woken);
    for (size_t i = 0; i < count; i++) assert_int_equal(watches[i].ready, i < 2);
    ps__os_wake();
    assert_int_equal(ps__os_poll(&set, 1, INFINITY, &waker), 0);
    assert_true(waker.woken && watches[0].ready);
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 1);
  }
  ps__os_waker_end(&waker);
  close(ends[0]);
  close(ends[1]);
}

/* ---- Descriptors ---- */

/* As in a program that has closed its standard input. */
static void number_0_is_a_descriptor(void **state) {
  (void)state;
  int before = dup(0), ends[2];
  close(0);
  ps__waker waker;
  ps__os_waker_begin(&waker);
  assert_int_equal(waker.fd, 0);
  assert_int_equal(woken_within(SHORT, &waker), 0);
  ps__os_wake();
  assert_int_equal(woken_within(INFINITY, &waker), 1);
  ps__os_waker_end(&waker);
  assert_int_equal(fcntl(0, F_GETFD), -1);
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(ends[0], 0);
  assert_int_equal(write(ends[1], "x", 1), 1);
  for (size_t count = 1; count <= 2; count++) {
    ps_watch watches[2] = {{0, 0, 0, 0, NULL}, {ends[1], 1, 0, 0, NULL}};
    ps_sockets set = {watches, count};
    assert_int_equal(ps__os_poll(&set, 1, INFINITY, NULL), 0);
    assert_int_equal(watches[0].fd, 0);
    for (size_t i = 0; i < count; i++) assert_int_equal(watches[i].ready, 1);
  }
  close(ends[0]);
  close(ends[1]);
  if (before >= 0) {
    dup2(before, 0);
    close(before);
  }
}

/* The memory for a set grows with the highest number in it, wherever that is. */
static void numbers_may_be_in_any_order(void **state) {
  (void)state;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  int ends[2], highest = limit.rlim_cur > 20000 ? 20000 : (int)limit.rlim_cur - 1;
  assert_int_equal(pipe(ends), 0);
  int high = fcntl(ends[0], F_DUPFD, highest);
  if (high < 0) skip();
  assert_int_equal(write(ends[1], "x", 1), 1);
  enum { DIRTY = 100000 };
  char *dirty = malloc(DIRTY); /* what is freed here is used again, as it is */
  memset(dirty, -1, DIRTY);
  free(dirty);
  for (int at = 0; at < 3; at++) {
    ps_watch watches[3];
    for (int i = 0; i < 3; i++)
      watches[i] = (ps_watch){i == at ? high : ends[0], 0, 0, 0, NULL};
    ps_sockets sets[2] = {{watches, 2}, {watches + 2, 1}};
    assert_int_equal(ps__os_poll(sets, 2, INFINITY, NULL), 0);
    for (int i = 0; i < 3; i++) assert_int_equal(watches[i].ready, 1);
  }
  close(high);
  close(ends[0]);
  close(ends[1]);
}

/* It must be possible to find out by a call what has become of a connection. */
static void what_is_broken_is_ready(void **state) {
  (void)state;
  int ends[2], full[2];
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(pipe(full), 0);
  char block[4096] = "";
  assert_int_equal(ps__os_prepare(full[1]), 0);
  while (write(full[1], block, sizeof block) > 0) continue;
  ps_watch watches[2] = {{ends[0], 0, 0, 0, NULL}, {full[1], 1, 0, 0, NULL}};
  ps_sockets set = {watches, 2};
  assert_int_equal(ps__os_poll(&set, 1, 0, NULL), 0);
  assert_false(watches[0].ready || watches[1].ready);
  close(ends[1]);
  close(full[0]);
  assert_int_equal(ps__os_poll(&set, 1, INFINITY, NULL), 0);
  assert_true(watches[0].ready && watches[1].ready);
  close(ends[0]);
  close(full[1]);
}

/* What can be read does not end a wait for the other direction. */
static void only_what_is_wanted_ends_a_wait(void **state) {
  (void)state;
  int ends[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  char block[4096] = "";
  size_t sent;
  while (ps__os_send(ends[0], block, sizeof block, &sent) == 0) continue;
  assert_int_equal(ps__os_send(ends[1], "x", 1, &sent), 0);
  ps_watch watch = {ends[0], 1, 0, 0, NULL};
  ps_sockets set = {&watch, 1};
  double start = ps__os_monotime();
  assert_int_equal(ps__os_poll(&set, 1, SHORT, NULL), 0);
  assert_false(watch.ready);
  assert_true(ps__os_monotime() - start >= SHORT);
  close(ends[0]);
  close(ends[1]);
}

static void each_of_many_is_told_apart(void **state) {
  (void)state;
  enum { MANY = 20 };
  int ends[MANY][2];
  ps__waker waker;
  ps__os_waker_begin(&waker);
  for (int i = 0; i < MANY; i++) assert_int_equal(pipe(ends[i]), 0);
  for (int count = 1; count <= MANY; count++)
    for (int at = 0; at < count; at++) {
      ps_watch watches[MANY];
      for (int i = 0; i < count; i++) watches[i] = (ps_watch){ends[i][0], 0, 0, 1, NULL};
      ps_sockets set = {watches, (size_t)count};
      char byte = 'x';
      assert_int_equal(write(ends[at][1], &byte, 1), 1);
      assert_int_equal(ps__os_poll(&set, 1, INFINITY, &waker), 0);
      for (int i = 0; i < count; i++) assert_int_equal(watches[i].ready, i == at);
      assert_int_equal(read(ends[at][0], &byte, 1), 1);
    }
  for (int i = 0; i < MANY; i++) {
    close(ends[i][0]);
    close(ends[i][1]);
  }
  ps__os_waker_end(&waker);
}

static void a_descriptor_is_private_and_shared(void **state) {
  (void)state;
  ps__waker waker;
  ps__os_waker_begin(&waker);
  int fd = waker.fd;
  assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  ps__os_waker_end(&waker);
  assert_int_equal(fcntl(fd, F_GETFD), -1);
  int before = descriptors();
  ps__waker other;
  for (int i = 0; i < 3; i++) {
    ps__os_wake(); /* nobody waits: nothing happens */
    ps__os_waker_begin(&waker);
    ps__os_waker_begin(&other);
    assert_int_equal(other.fd, waker.fd);
    assert_int_equal(descriptors(), before + 1);
    ps__os_waker_end(&other);
    ps__os_waker_end(&waker);
    assert_int_equal(descriptors(), before);
  }
  ps__os_waker_begin(&waker);
  ps__os_wake();
  ps__os_waker_end(&waker);
  assert_int_equal(descriptors(), before);
}

/* Without a descriptor nobody can say that the condition has changed. */
static void without_a_descriptor_a_wait_looks_up(void **state) {
  (void)state;
  ps__waker waker;
  ps__os_waker_begin(&waker);
  ps__os_wake();
  ps__os_waker_end(&waker);
  int lowest = dup(0);
  close(lowest);
  struct rlimit before, low;
  getrlimit(RLIMIT_NOFILE, &before);
  low = before;
  low.rlim_cur = (rlim_t)lowest;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  ps__os_waker_begin(&waker);
  assert_int_equal(waker.fd, -1);
  double start = ps__os_monotime();
  assert_int_equal(woken_within(INFINITY, &waker), 1);
  assert_int_equal(woken_within(INFINITY, &waker), 1);
  assert_int_equal(waker.fd, -1);
  assert_true(ps__os_monotime() - start >= 0.1);
  assert_true(ps__os_monotime() - start < 0.1 + CEILING);
  assert_int_equal(woken_within(0, &waker), 0);
  ps__os_wake();
  setrlimit(RLIMIT_NOFILE, &before);
  assert_int_equal(woken_within(INFINITY, &waker), 1);
  assert_true(waker.fd >= 0);
  assert_int_equal(woken_within(SHORT, &waker), 0);
  ps__os_waker_end(&waker);
}

/* As programs do that become daemons. The number may be another file's then, which is
   neither written to nor closed. */
static void a_descriptor_that_somebody_closed_is_given_up(void **state) {
  (void)state;
  int before = descriptors();
  for (int reused = 0; reused < 2; reused++) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    ps__waker waker, other; /* they share it */
    ps__os_waker_begin(&waker);
    ps__os_waker_begin(&other);
    int fd = waker.fd;
    close(fd);
    if (reused) assert_int_equal(dup2(ends[0], fd), fd);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(woken_within(INFINITY, &waker), 1);
    assert_true(waker.fd >= 0);
    assert_int_equal(woken_within(SHORT, &waker), 0);
    ps__os_wake();
    assert_int_equal(woken_within(CEILING, &other), 1);
    assert_int_equal(woken_within(INFINITY, &waker), 1);
    ps__os_waker_end(&waker);
    ps__os_waker_end(&other);
    char byte;
    if (reused) assert_int_equal(read(fd, &byte, 1), 1);
    if (reused) assert_int_equal(close(fd), 0);
    close(ends[0]);
    close(ends[1]);
  }
  assert_int_equal(descriptors(), before);
}

/* Nobody shares it, so the new one is nobody else's either. */
static void a_closed_descriptor_of_one_waker_leaves_nothing(void **state) {
  (void)state;
  int before = descriptors();
  ps__waker waker;
  ps__os_waker_begin(&waker);
  assert_int_equal(descriptors(), before + 1);
  close(waker.fd);
  assert_int_equal(woken_within(INFINITY, &waker), 1);
  assert_int_equal(descriptors(), before + 1);
  assert_int_equal(woken_within(SHORT, &waker), 0);
  ps__os_waker_end(&waker);
  assert_int_equal(descriptors(), before);
}

/* The new one of the first waker may get the number that the others go on polling. It is
   theirs, too, then: until they end, no other file gets it, and a wake rings it. */
static void those_that_share_a_closed_descriptor_are_woken(void **state) {
  (void)state;
  int before = descriptors();
  for (int ended = 0; ended < 2; ended++) {
    ps__waker waker, other;
    ps__os_waker_begin(&waker);
    ps__os_waker_begin(&other);
    int fd = waker.fd, ends[2], low[64], lower = 0;
    assert_int_equal(pipe(ends), 0);
    while ((low[lower] = dup(ends[0])) < fd) lower++; /* it is the least that is free */
    close(low[lower]);
    close(fd);
    assert_int_equal(woken_within(INFINITY, &waker), 1);
    assert_int_equal(waker.fd, fd);
    if (ended) ps__os_waker_end(&waker);
    int taken = dup(ends[0]);
    assert_int_equal(woken_within(SHORT, &other), 0);
    ps__os_wake();
    assert_int_equal(woken_within(CEILING, &other), 1);
    assert_true(other.fd >= 0);
    assert_int_equal(woken_within(SHORT, &other), 0);
    if (!ended) ps__os_waker_end(&waker);
    ps__os_waker_end(&other);
    close(taken);
    while (lower > 0) close(low[--lower]);
    close(ends[0]);
    close(ends[1]);
  }
  assert_int_equal(descriptors(), before);
}

/* ---- Processes ---- */

static void a_child_has_a_number_of_its_own(void **state) {
  (void)state;
  unsigned number = ps__os_process();
  unsigned long thread = ps__os_thread();
  pid_t child = fork();
  if (child == 0) {
    check(ps__os_process() == number + 1);
    check(ps__os_thread() == thread);
    pid_t grandchild = fork();
    if (grandchild == 0) _exit(ps__os_process() == number + 2 ? 0 : 1);
    int status;
    check(waitpid(grandchild, &status, 0) == grandchild && status == 0);
    _exit(0);
  }
  expect_success(child);
  assert_int_equal(ps__os_process(), number);
}

static void *tell_thread(void *context) {
  *(unsigned long *)context = ps__os_thread();
  return NULL;
}

static void a_thread_has_an_identity(void **state) {
  (void)state;
  unsigned long other = 0;
  pthread_t thread;
  pthread_create(&thread, NULL, tell_thread, &other);
  pthread_join(thread, NULL);
  assert_int_not_equal(other, 0);
  assert_int_not_equal(ps__os_thread(), 0);
  assert_int_not_equal(ps__os_thread(), other);
  assert_int_equal(ps__os_thread(), ps__os_thread());
}

static void in_the_child(ps__waker *waker, ps__waker *rung, int old, const int orders[2],
                         const int reports[2]) {
  char byte;
  check(fcntl(old, F_GETFD) < 0 && errno == EBADF);
  check(dup2(orders[0], old) == old); /* it is another file's, and not readable */
  ps__waker second;                   /* its memory may be what that of the others was */
  ps__os_waker_begin(&second);
  check(woken_within(INFINITY, waker) == 1);
  check(woken_within(INFINITY, rung) == 1);
  ps__os_waker_end(rung);
  check(close(old) == 0);
  check(waker->fd >= 0 && woken_within(SHORT, waker) == 0);
  ps__os_wake();
  check(woken_within(INFINITY, waker) == 1);
  check(woken_within(INFINITY, &second) == 1);
  check(write(reports[1], "x", 1) == 1);
  check(read(orders[0], &byte, 1) == 1);
  check(woken_within(SHORT, waker) == 0); /* the parent has called its own */
  ps__os_waker_end(waker);
  ps__os_waker_end(&second);
  _exit(0);
}

static void parent_and_child_wake_only_themselves(void **state) {
  (void)state;
  int orders[2], reports[2];
  assert_int_equal(pipe(orders), 0);
  assert_int_equal(pipe(reports), 0);
  ps__waker waker, rung;
  ps__os_waker_begin(&rung);
  ps__os_wake();
  ps__os_waker_begin(&waker);
  int fd = waker.fd, other = rung.fd;
  pid_t child = fork();
  if (child == 0) {
    check(fcntl(other, F_GETFD) < 0);
    in_the_child(&waker, &rung, fd, orders, reports);
  }
  char byte;
  assert_int_equal(read(reports[0], &byte, 1), 1);
  assert_int_equal(woken_within(SHORT, &waker), 0);
  ps__os_wake();
  assert_int_equal(write(orders[1], "x", 1), 1);
  assert_int_equal(woken_within(INFINITY, &waker), 1);
  expect_success(child);
  ps__os_waker_end(&waker);
  ps__os_waker_end(&rung);
  for (int i = 0; i < 2; i++) {
    close(orders[i]);
    close(reports[i]);
  }
}

/* The child asks the system nothing before it has a waker of its own. */
static void a_wait_with_the_waker_of_the_parent_finds_nobody_ready(void **state) {
  (void)state;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(write(ends[1], "x", 1), 1);
  ps__waker waker;
  ps__os_waker_begin(&waker);
  pid_t child = fork();
  if (child == 0) {
    ps_watch watches[2] = {{ends[0], 0, 1, 0, NULL}, {ends[1], 1, 1, 0, NULL}};
    ps_sockets set = {watches, 2};
    for (int again = 0; again < 2; again++) {
      check(ps__os_poll(&set, 1, INFINITY, &waker) == 0);
      check(waker.woken == !again);
      for (int i = 0; i < 2; i++) check(watches[i].ready == again);
    }
    ps__os_waker_end(&waker);
    _exit(0);
  }
  expect_success(child);
  ps__os_waker_end(&waker);
  close(ends[0]);
  close(ends[1]);
}

static void *wake_again_and_again(void *context) {
  ps__waker waker;
  while (!atomic_load(&condition)) {
    ps__os_waker_begin(&waker);
    ps__os_wake();
    ps__os_waker_end(&waker);
  }
  return context;
}

/* A fork in the middle of anything leaves the child a state that it can use. */
static void a_child_of_many_threads_works(void **state) {
  (void)state;
  if (!ALLOCATOR_FORKS) skip();
  pthread_t threads[2];
  atomic_store(&condition, 0);
  for (int i = 0; i < 2; i++)
    pthread_create(&threads[i], NULL, wake_again_and_again, NULL);
  for (int i = 0; i < 50; i++) {
    pid_t child = fork();
    if (child == 0) {
      ps__waker waker;
      ps__os_waker_begin(&waker);
      ps__os_wake();
      check(woken_within(INFINITY, &waker) == 1);
      check(woken_within(0, &waker) == 0);
      ps__os_waker_end(&waker);
      _exit(0);
    }
    expect_success(child);
  }
  atomic_store(&condition, 1);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}

/* Runs first: only the first waker of a process registers for forks. ThreadSanitizer sees
   whether a fork takes the locks in another order. */
static void a_first_waker_begins_while_the_lock_is_held(void **state) {
  (void)state;
  ps__waker waker;
  ps__os_lock();
  ps__os_waker_begin(&waker);
  ps__os_unlock();
  ps__os_waker_end(&waker);
  pid_t child = fork();
  if (child == 0) _exit(0);
  expect_success(child);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_first_waker_begins_while_the_lock_is_held),
      cmocka_unit_test(a_thread_that_is_started_meanwhile_can_wake),
      cmocka_unit_test(a_wake_ends_the_waits_of_all_threads),
      cmocka_unit_test(only_waits_that_were_begun_are_woken),
      cmocka_unit_test(nobody_can_wake_a_wait_without_a_waker),
      cmocka_unit_test(sockets_and_a_waker_are_told_apart),
      cmocka_unit_test(number_0_is_a_descriptor),
      cmocka_unit_test(numbers_may_be_in_any_order),
      cmocka_unit_test(what_is_broken_is_ready),
      cmocka_unit_test(only_what_is_wanted_ends_a_wait),
      cmocka_unit_test(each_of_many_is_told_apart),
      cmocka_unit_test(a_descriptor_is_private_and_shared),
      cmocka_unit_test(without_a_descriptor_a_wait_looks_up),
      cmocka_unit_test(a_descriptor_that_somebody_closed_is_given_up),
      cmocka_unit_test(a_closed_descriptor_of_one_waker_leaves_nothing),
      cmocka_unit_test(those_that_share_a_closed_descriptor_are_woken),
      cmocka_unit_test(a_child_has_a_number_of_its_own),
      cmocka_unit_test(a_thread_has_an_identity),
      cmocka_unit_test(parent_and_child_wake_only_themselves),
      cmocka_unit_test(a_wait_with_the_waker_of_the_parent_finds_nobody_ready),
      cmocka_unit_test(a_child_of_many_threads_works),
  };
  return cmocka_run_group_tests_name("wake", tests, NULL, NULL);
}
