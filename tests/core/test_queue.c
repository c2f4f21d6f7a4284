/* SPDX-License-Identifier: MIT */
/* The event queue of core/os.h on the real system, once for each backend: what is
   watched, what wakes it, and what it does without memory. Its allocations come through
   here, and so does poll(2). */

#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
/* cmocka wants some of the above before it. */
#include <cmocka.h>
#include <errno.h>

#include "os.h"

static const double SHORT = 0.03;

/* ---- Memory ---- */

static int blocks, chances, failing; /* the allocation that fails; 0: none */

void *__real_ps__os_realloc(void *memory, size_t size);
void *__wrap_ps__os_realloc(void *memory, size_t size);

void *__wrap_ps__os_realloc(void *memory, size_t size) {
  if (size > 0 && ++chances == failing) return NULL;
  blocks += (size > 0) - (memory != NULL);
  return __real_ps__os_realloc(memory, size);
}

/* ---- The lock ---- */

static int locked;

void __real_ps__os_lock(void);
void __wrap_ps__os_lock(void);
void __real_ps__os_unlock(void);
void __wrap_ps__os_unlock(void);

void __wrap_ps__os_lock(void) {
  __real_ps__os_lock();
  locked = 1;
}

void __wrap_ps__os_unlock(void) {
  assert_true(locked);
  locked = 0;
  __real_ps__os_unlock();
}

/* ---- Another thread ---- */

static void (*meanwhile)(void); /* once, when the system has answered a poll */

static int asked; /* the milliseconds of the last wait */

int __real_epoll_wait(int epoll, void *events, int room, int milliseconds);
int __wrap_epoll_wait(int epoll, void *events, int room, int milliseconds);

int __wrap_epoll_wait(int epoll, void *events, int room, int milliseconds) {
  asked = milliseconds;
  assert_true(room <= 65536);
  return __real_epoll_wait(epoll, events, room, milliseconds);
}

static int frees_0; /* the number 0, before the last descriptor is made */

int __real_epoll_create1(int flags);
int __wrap_epoll_create1(int flags);

int __wrap_epoll_create1(int flags) {
  int made = __real_epoll_create1(flags);
  if (frees_0) close(0);
  return made;
}

int __real_pipe(int *ends);
int __wrap_pipe(int *ends);

int __wrap_pipe(int *ends) {
  if (frees_0) close(0);
  return __real_pipe(ends);
}

int __real_poll(struct pollfd *polled, nfds_t count, int milliseconds);
int __wrap_poll(struct pollfd *polled, nfds_t count, int milliseconds);

int __wrap_poll(struct pollfd *polled, nfds_t count, int milliseconds) {
  assert_false(locked);
  asked = milliseconds;
  int found = __real_poll(polled, count, milliseconds);
  void (*does)(void) = meanwhile;
  meanwhile = NULL;
  if (does != NULL) does();
  return found;
}

/* ---- A test ---- */

static ps__queue *queue;

static int descriptors(void) {
  int found = 0;
  for (int fd = 0; fd < 1024; fd++) found += fcntl(fd, F_GETFD) >= 0;
  return found;
}

static int open_before;

static int setup(void **state) {
  (void)state;
  blocks = failing = 0;
  open_before = descriptors();
  ps__os_lock();
  int error = ps__os_queue_make(&queue);
  ps__os_unlock();
  return error;
}

static int teardown(void **state) {
  (void)state;
  ps__os_lock();
  ps__os_queue_free(queue);
  ps__os_unlock();
  return blocks != 0 || descriptors() != open_before;
}

static int added(int fd, unsigned events, unsigned generation) {
  ps__os_lock();
  int error = ps__os_queue_add(queue, fd, events, generation);
  ps__os_unlock();
  return error;
}

static void add(int fd, unsigned events, unsigned generation) {
  assert_int_equal(added(fd, events, generation), 0);
}

static int modified(int fd, unsigned events, unsigned generation) {
  ps__os_lock();
  int error = ps__os_queue_modify(queue, fd, events, generation);
  ps__os_unlock();
  return error;
}

static void removed(int fd) {
  ps__os_lock();
  ps__os_queue_remove(queue, fd);
  ps__os_unlock();
}

static void wake(void) {
  ps__os_lock();
  ps__os_queue_wake(queue);
  ps__os_unlock();
}

enum { ROOM = 64 };
static ps__event found[ROOM];

static size_t wait_for(double seconds, ps__waker *waker) {
  size_t count = ROOM + 1;
  assert_int_equal(ps__os_queue_wait(queue, found, ROOM, seconds, waker, &count), 0);
  return count;
}

static void expect_event(size_t at, int fd, unsigned generation, unsigned events) {
  assert_int_equal(found[at].fd, fd);
  assert_int_equal(found[at].generation, generation);
  assert_int_equal(found[at].events, events);
}

static void expect_one(int fd, unsigned generation, unsigned events) {
  assert_int_equal(wait_for(9, NULL), 1);
  expect_event(0, fd, generation, events);
}

/* It looks at once, and then once more after a while. */
static void expect_nothing(void) {
  assert_int_equal(wait_for(0, NULL), 0);
  double start = ps__os_monotime();
  assert_int_equal(wait_for(SHORT, NULL), 0);
  assert_true(ps__os_monotime() - start > SHORT * 0.9);
}

static void make_pair(int ends[2]) {
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
}

static void close_pair(const int ends[2]) {
  close(ends[0]);
  close(ends[1]);
}

static void send_byte(int fd) { assert_int_equal(write(fd, "x", 1), 1); }

/* ---- What is watched ---- */

static void an_event_says_what_is_ready(void **state) {
  (void)state;
  int ends[2];
  make_pair(ends);
  add(ends[0], PS__IN, 7);
  expect_nothing();
  send_byte(ends[1]);
  for (int i = 0; i < 3; i++) expect_one(ends[0], 7, PS__IN);
  assert_int_equal(modified(ends[0], PS__IN | PS__OUT, 0x80000001u), 0);
  expect_one(ends[0], 0x80000001u, PS__IN | PS__OUT);
  assert_int_equal(modified(ends[0], PS__OUT, 0xffffffffu), 0);
  expect_one(ends[0], 0xffffffffu, PS__OUT);
  removed(ends[0]);
  expect_nothing();
  add(ends[0], PS__OUT, 8);
  expect_one(ends[0], 8, PS__OUT);
  removed(ends[0]);
  removed(ends[0]); /* it is there no more */
  expect_nothing();
  close_pair(ends);
}

/* Then a call in either direction fails at once. */
static void an_end_is_ready_for_everything(void **state) {
  (void)state;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  add(ends[0], PS__IN, 1);
  expect_nothing();
  close(ends[1]); /* it hangs up */
  expect_one(ends[0], 1, PS__IN | PS__OUT);
  removed(ends[0]);
  close(ends[0]);
  assert_int_equal(pipe(ends), 0);
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  while (write(ends[1], found, sizeof found) > 0) {
  }
  add(ends[1], PS__OUT, 2);
  expect_nothing();
  close(ends[0]); /* an error */
  expect_one(ends[1], 2, PS__IN | PS__OUT);
  removed(ends[1]);
  close(ends[1]);
}

static void a_wait_may_ask_for_one_or_many(void **state) {
  (void)state;
  int ends[2];
  make_pair(ends);
  for (unsigned i = 0; i < 2; i++) add(ends[i], PS__OUT, i);
  size_t count;
  assert_int_equal(ps__os_queue_wait(queue, found, 1, 9, NULL, &count), 0);
  assert_int_equal(count, 1);
  /* More than the system is asked for at a time. */
  assert_int_equal(ps__os_queue_wait(queue, found, 65537, 9, NULL, &count), 0);
  assert_int_equal(count, 2);
  assert_int_equal(wait_for(9, NULL), 2);
  for (int i = 0; i < 2; i++) removed(ends[i]);
  close_pair(ends);
}

static void what_is_not_there_is_refused(void **state) {
  (void)state;
  int ends[2], others[2];
  make_pair(ends);
  assert_int_equal(modified(ends[0], PS__IN, 1), ENOENT);
  assert_int_not_equal(modified(1023, PS__IN, 1), 0);
  removed(1023);
  add(ends[0], PS__IN, 1);
  add(ends[1], PS__IN, 1);
  removed(1023);
  assert_int_not_equal(modified(1023, PS__IN, 2), 0);
  send_byte(ends[0]);
  expect_one(ends[1], 1, PS__IN);
  send_byte(ends[1]);
  assert_int_equal(wait_for(9, NULL), 2);
  close(ends[1]);
  assert_int_equal(modified(ends[1], PS__IN, 2), EBADF);
  assert_int_equal(added(ends[1], PS__IN, 2), EBADF);
  removed(ends[1]);
  make_pair(others);
  dup2(others[0], ends[0]); /* another file has the number */
  assert_int_equal(modified(ends[0], PS__IN, 2), ENOENT);
  send_byte(others[1]);
  expect_nothing();
  removed(ends[0]);
  add(ends[0], PS__IN, 3);
  expect_one(ends[0], 3, PS__IN);
  removed(ends[0]);
  close(ends[0]);
  close_pair(others);
}

/* Two devices may have the same number for a file, as these have for their roots. */
static void a_file_of_another_device_is_another_file(void **state) {
  (void)state;
  int fd = open("/proc", O_RDONLY | O_DIRECTORY);
  int other = open("/sys", O_RDONLY | O_DIRECTORY);
  int error = fd < 0 || other < 0 ? ENOENT : added(fd, PS__IN, 1);
  if (error == 0) {
    dup2(other, fd);
    error = modified(fd, PS__IN, 2);
    removed(fd);
  } else {
    assert_true(error == ENOENT || error == EPERM); /* epoll watches no folders */
    error = ENOENT;
  }
  close(fd);
  close(other);
  assert_int_equal(error, ENOENT);
}

enum { MANY = 40 };

static void each_is_watched_by_itself(void **state) {
  (void)state;
  int ends[MANY][2], seen[MANY];
  for (int i = 0; i < MANY; i++) {
    make_pair(ends[i]);
    add(ends[i][0], PS__IN, (unsigned)i);
  }
  for (int gone = 0; gone < MANY; gone++) {
    memset(seen, 0, sizeof seen);
    int place = gone % 2 == 0 ? gone / 2 : MANY - 1 - gone / 2; /* from both ends */
    send_byte(ends[place][1]);
    expect_one(ends[place][0], (unsigned)place, PS__IN);
    for (int i = 0; i < 2; i++) removed(ends[place][0]);
    assert_int_equal(wait_for(0, NULL), 0);
  }
  for (int i = 0; i < MANY; i++) add(ends[i][0], PS__IN, (unsigned)(MANY + i));
  /* With less room those that were left out come first. */
  for (size_t room = 1; room < MANY; room += 6) {
    memset(seen, 0, sizeof seen);
    for (size_t left = MANY, count; left > 0; left -= count) {
      assert_int_equal(ps__os_queue_wait(queue, found, room, 9, NULL, &count), 0);
      assert_true(count >= 1 && count <= room);
      if (count > left) count = left;
      for (size_t i = 0; i < count; i++) {
        assert_int_equal(ends[found[i].generation - MANY][0], found[i].fd);
        seen[found[i].generation - MANY]++;
      }
    }
    for (int i = 0; i < MANY; i++) assert_int_equal(seen[i], 1);
  }
  assert_int_equal(wait_for(9, NULL), MANY);
  for (int i = 0; i < MANY; i++) {
    removed(ends[i][0]);
    close_pair(ends[i]);
  }
}

/* As in a program that has closed its standard input. */
static void every_number_is_a_number(void **state) {
  (void)state;
  int kept = dup(0), ends[2];
  make_pair(ends);
  dup2(ends[0], 0);
  send_byte(ends[1]);
  add(0, PS__IN, 1);
  expect_one(0, 1, PS__IN);
  assert_int_equal(modified(0, PS__OUT, 2), 0);
  expect_one(0, 2, PS__OUT);
  add(ends[0], PS__IN, 3);
  assert_int_equal(wait_for(9, NULL), 2);
  removed(0);
  expect_one(ends[0], 3, PS__IN);
  removed(ends[0]);
  expect_nothing();
  int error;
  for (frees_0 = 0; frees_0 < 2; frees_0++) { /* one of its own descriptors is 0 */
    if (!frees_0) close(0);
    ps__os_lock();
    ps__os_queue_free(queue);
    error = ps__os_queue_make(&queue);
    ps__os_unlock();
    assert_int_equal(error, 0);
    assert_true(fcntl(0, F_GETFD) >= 0);
    wake();
    assert_int_equal(wait_for(9, NULL), 0);
    add(ends[0], PS__IN, 4);
    expect_one(ends[0], 4, PS__IN);
    removed(ends[0]);
    ps__os_lock();
    ps__os_queue_free(queue);
    queue = NULL;
    ps__os_unlock();
    assert_int_equal(fcntl(0, F_GETFD), -1);
    dup2(ends[0], 0);
  }
  frees_0 = 0;
  close(0);
  if (kept >= 0) dup2(kept, 0);
  if (kept >= 0) close(kept);
  ps__os_lock();
  error = ps__os_queue_make(&queue);
  ps__os_unlock();
  assert_int_equal(error, 0);
  close_pair(ends);
}

static void its_descriptors_are_its_own(void **state) {
  (void)state;
  char there[1024];
  for (int fd = 0; fd < 1024; fd++) there[fd] = fcntl(fd, F_GETFD) >= 0;
  ps__queue *another;
  ps__os_lock();
  int error = ps__os_queue_make(&another);
  ps__os_unlock();
  assert_int_equal(error, 0);
  int made = 0;
  for (int fd = 0; fd < 1024; fd++) {
    int flags = fcntl(fd, F_GETFD);
    if (there[fd] || flags < 0) continue;
    assert_int_equal(flags & FD_CLOEXEC, FD_CLOEXEC);
    made++;
  }
  assert_int_equal(made, 2);
  ps__os_lock();
  ps__os_queue_free(another);
  ps__os_queue_free(NULL);
  ps__os_unlock();
}

/* ---- What ends a wait ---- */

static void a_wake_ends_one_wait(void **state) {
  (void)state;
  static const int times[] = {1, 2, 63, 64, 65, 128, 70000}; /* more than a pipe holds */
  int ends[2];
  make_pair(ends);
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    for (int j = 0; j < times[i]; j++) wake();
    assert_int_equal(wait_for(9, NULL), 0);
    expect_nothing();
  }
  /* What is ready comes all the same. */
  send_byte(ends[1]);
  add(ends[0], PS__IN, 1);
  wake();
  expect_one(ends[0], 1, PS__IN);
  removed(ends[0]);
  expect_nothing();
  close_pair(ends);
}

static void a_wake_is_no_event(void **state) {
  (void)state;
  size_t count = ROOM + 1;
  wake();
  assert_int_equal(ps__os_queue_wait(queue, found, 1, 0, NULL, &count), 0);
  assert_int_equal(count, 0);
}

static void *wait_for_end(void *fd) {
  char byte;
  while (read(*(int *)fd, &byte, 1) > 0) {
  }
  return NULL;
}

/* A waker has a descriptor once there is another thread. */
static void a_waker_ends_a_wait(void **state) {
  (void)state;
  int ends[2], gate[2];
  make_pair(ends);
  make_pair(gate);
  ps__waker waker;
  ps__os_waker_begin(&waker);
  if (waker.fd == -2) { /* nobody could wake it, so it takes its time */
    double start = ps__os_monotime();
    assert_int_equal(wait_for(0.1, &waker), 0);
    assert_true(ps__os_monotime() - start > 0.09);
  }
  ps__os_waker_end(&waker);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, wait_for_end, &gate[0]), 0);
  ps__os_waker_begin(&waker);
  assert_true(waker.fd >= 0);
  double start = ps__os_monotime();
  assert_int_equal(wait_for(SHORT, &waker), 0);
  assert_true(ps__os_monotime() - start > SHORT * 0.9);
  ps__os_wake();
  assert_int_equal(wait_for(INFINITY, &waker), 0);
  assert_true(asked == 0 || asked == 86400000); /* it does not wait a second time */
  ps__os_waker_end(&waker);
  ps__os_waker_begin(&waker);
  send_byte(ends[1]);
  add(ends[0], PS__IN, 1);
  assert_int_equal(wait_for(INFINITY, &waker), 1);
  expect_event(0, ends[0], 1, PS__IN);
  removed(ends[0]);
  wake();
  assert_int_equal(wait_for(INFINITY, &waker), 0);
  ps__os_waker_end(&waker);
  int kept = dup(0);
  close(0);
  ps__os_waker_begin(&waker);
  assert_int_equal(waker.fd, 0);
  ps__os_wake();
  assert_int_equal(wait_for(INFINITY, &waker), 0);
  ps__os_waker_end(&waker);
  if (kept >= 0) dup2(kept, 0);
  if (kept >= 0) close(kept);
  close(gate[1]);
  pthread_join(thread, NULL);
  close(gate[0]);
  close_pair(ends);
}

/* There was none for it when it began. */
static void a_waker_without_a_descriptor_is_woken_now_and_then(void **state) {
  (void)state;
  ps__waker waker = {NULL, ps__os_process(), -1, 0};
  assert_int_equal(wait_for(INFINITY, &waker), 0);
  ps__os_waker_end(&waker);
}

static void a_long_wait_ends_as_a_short_one(void **state) {
  (void)state;
  int ends[2];
  make_pair(ends);
  send_byte(ends[1]);
  add(ends[0], PS__IN, 1);
  static const struct {
    double seconds;
    int milliseconds;
  } waits[] = {{0, 0},
               {1e-12, 1},
               {0.001, 1},
               {0.0011, 2},
               {9, 9000},
               {3599.9, 3599900},
               {86399.9, 86399900},
               {86400, 86400000},
               {86400.5, 86400000},
               {90000, 86400000},
               {1e300, 86400000},
               {INFINITY, 86400000}};
  for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
    assert_int_equal(wait_for(waits[i].seconds, NULL), 1);
    assert_int_equal(asked, waits[i].milliseconds); /* rounded up, and a day at most */
  }
  removed(ends[0]);
  close_pair(ends);
}

/* ---- Another thread, between the answer of the system and the report ---- */

static int changed[2];

static void remove_it(void) { removed(changed[0]); }

static void add_it_anew(void) {
  removed(changed[0]);
  add(changed[0], PS__IN, 2);
}

static void put_another_there(void) {
  int others[2];
  make_pair(others);
  dup2(others[0], changed[0]);
  close_pair(others);
}

static void what_has_changed_is_not_reported(void **state) {
  (void)state;
  static void (*const ways[])(void) = {remove_it, add_it_anew, put_another_there};
  int asked = 0;
  for (int way = 0; way < 3; way++) {
    make_pair(changed);
    send_byte(changed[1]);
    add(changed[0], PS__IN, 1);
    meanwhile = ways[way];
    size_t count = wait_for(0, NULL);
    asked += meanwhile == NULL;
    if (meanwhile == NULL) assert_int_equal(count, 0);
    meanwhile = NULL;
    if (way == 1 && asked > 0) expect_one(changed[0], 2, PS__IN);
    removed(changed[0]);
    close_pair(changed);
  }
  if (asked == 0) skip(); /* this backend does not poll */
}

/* ---- Faults ---- */

static void without_memory_it_is_told_and_tried_again(void **state) {
  (void)state;
  int ends[MANY][2], failures = 0;
  for (int i = 0; i < MANY; i++) make_pair(ends[i]);
  for (int nth = 1, struck = 1; struck; nth++) {
    chances = 0;
    failing = nth;
    struck = 0;
    ps__os_lock();
    ps__os_queue_free(queue);
    int error = ps__os_queue_make(&queue);
    if (error != 0) {
      struck = 1;
      assert_int_equal(error, ENOMEM);
      assert_int_equal(ps__os_queue_make(&queue), 0);
    }
    ps__os_unlock();
    for (int i = 0; i < MANY; i++) {
      error = added(ends[i][0], PS__OUT, (unsigned)i);
      if (error == 0) continue;
      struck = 1;
      assert_int_equal(error, ENOMEM);
      assert_int_not_equal(modified(ends[i][0], PS__OUT, (unsigned)i), 0);
      add(ends[i][0], PS__OUT, (unsigned)i);
    }
    size_t count;
    while (error = ps__os_queue_wait(queue, found, ROOM, 9, NULL, &count), error != 0) {
      struck = 1;
      assert_int_equal(error, ENOMEM);
      assert_int_equal(count, 0);
    }
    assert_int_equal(count, MANY);
    for (size_t i = 0; i < count; i++)
      assert_int_equal(found[i].fd, ends[found[i].generation][0]);
    failures += struck;
    if (!struck) assert_true(chances < nth);
  }
  failing = 0;
  assert_true(failures > 1);
  chances = 0; /* what has been allocated is used again */
  assert_int_equal(wait_for(0, NULL), MANY);
  removed(ends[0][0]);
  add(ends[0][0], PS__OUT, 0);
  assert_int_equal(wait_for(0, NULL), MANY);
  assert_int_equal(chances, 0);
  for (int i = 0; i < MANY; i++) {
    removed(ends[i][0]);
    close_pair(ends[i]);
  }
}

static void without_descriptors_there_is_none(void **state) {
  (void)state;
  int lowest = dup(0), before = descriptors();
  close(lowest);
  struct rlimit usual, low;
  getrlimit(RLIMIT_NOFILE, &usual);
  for (int spare = 0; spare < 2; spare++) {
    low = usual;
    low.rlim_cur = (rlim_t)(lowest + spare);
    setrlimit(RLIMIT_NOFILE, &low);
    ps__queue *none = NULL;
    int kept = blocks;
    ps__os_lock();
    int error = ps__os_queue_make(&none);
    ps__os_unlock();
    setrlimit(RLIMIT_NOFILE, &usual);
    assert_int_equal(error, EMFILE);
    assert_null(none);
    assert_int_equal(blocks, kept);
    assert_int_equal(descriptors(), before - 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_waker_ends_a_wait, setup, teardown),
      cmocka_unit_test_setup_teardown(an_event_says_what_is_ready, setup, teardown),
      cmocka_unit_test_setup_teardown(an_end_is_ready_for_everything, setup, teardown),
      cmocka_unit_test_setup_teardown(a_wait_may_ask_for_one_or_many, setup, teardown),
      cmocka_unit_test_setup_teardown(what_is_not_there_is_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(a_file_of_another_device_is_another_file, setup,
                                      teardown),
      cmocka_unit_test_setup_teardown(each_is_watched_by_itself, setup, teardown),
      cmocka_unit_test_setup_teardown(every_number_is_a_number, setup, teardown),
      cmocka_unit_test_setup_teardown(its_descriptors_are_its_own, setup, teardown),
      cmocka_unit_test_setup_teardown(a_wake_ends_one_wait, setup, teardown),
      cmocka_unit_test_setup_teardown(a_wake_is_no_event, setup, teardown),
      cmocka_unit_test_setup_teardown(a_waker_without_a_descriptor_is_woken_now_and_then,
                                      setup, teardown),
      cmocka_unit_test_setup_teardown(a_long_wait_ends_as_a_short_one, setup, teardown),
      cmocka_unit_test_setup_teardown(what_has_changed_is_not_reported, setup, teardown),
      cmocka_unit_test_setup_teardown(without_memory_it_is_told_and_tried_again, setup,
                                      teardown),
      cmocka_unit_test_setup_teardown(without_descriptors_there_is_none, setup, teardown),
  };
  return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
