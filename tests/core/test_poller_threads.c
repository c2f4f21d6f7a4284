/* SPDX-License-Identifier: MIT */
/* Pollers whose members are in the hands of other threads, and in forked processes, once
   for each backend that the system has. */

#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "poller_pairs.h"
#include "slow_resolver.h"

/* Children start threads, which ThreadSanitizer else refuses. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "die_after_fork=0"; }

static const double SHORT = 0.02;

/* ---- Threads ---- */

static void *wake(void *context) {
  ps_poller_wake(context);
  return NULL;
}

static void another_thread_wakes_a_wait(void **state) {
  (void)state;
  ps_poller *poller = make();
  for (int i = 0; i < 200; i++) {
    pthread_t thread;
    pthread_create(&thread, NULL, wake, poller);
    ps_polled got = ps_poller_wait(poller, -1, 0, NULL);
    expect(got, PS_OK);
    assert_int_equal(got.count, 0);
    pthread_join(thread, NULL);
  }
  expect(ps_poller_wait(poller, 0, 0, NULL), PS_TIMEOUT);
  ps_poller_free(poller);
}

static void *receive_line(void *context) {
  pair *p = context;
  expect_line(p->ours, "one");
  return NULL;
}

/* The thread takes the event away, and the bytes that it leaves are no event of the
   system's. */
static void a_thread_that_leaves_bytes_ends_the_wait(void **state) {
  (void)state;
  ps_poller *poller = make();
  for (int i = 0; i < 200; i++) {
    pair a = connected();
    pthread_t thread;
    pthread_create(&thread, NULL, receive_line, &a);
    if (i % 2 == 0) expect(ps_poller_add(poller, of(a.ours), "r", &a), PS_OK);
    send_text(a.far, "one\ntwo\n");
    if (i % 2 == 1) expect(ps_poller_add(poller, of(a.ours), "r", &a), PS_OK);
    assert_string_equal(said(ps_poller_wait(poller, -1, 0, NULL), &a), "r");
    pthread_join(thread, NULL);
    assert_string_equal(said(ps_poller_wait(poller, -1, 0, NULL), &a), "r");
    expect_line(a.ours, "two");
    expect(ps_poller_wait(poller, 0, 0, NULL), PS_TIMEOUT);
    freed(a);
  }
  ps_poller_free(poller);
}

/* Threads in whose hands connections change while a poller waits on them: bytes come and
   are left, sockets are closed, detached, replaced and freed, and numbers come back. The
   tokens say whose they are: no event is one of a connection that never had bytes. */
enum { STORM_THREADS = 3, STORM_ROUNDS = 150, STORM_SLOTS = 4 };
static ps_poller *stormed;
static pthread_mutex_t storm_lock = PTHREAD_MUTEX_INITIALIZER;
static ps_socket *storm_added[STORM_THREADS * STORM_SLOTS];
static char storm_silent; /* a token */
static atomic_int storm_running;

/* Offers a socket to the thread that has the poller, and waits until it has added it. */
static void offer(int place, ps_socket *socket) {
  pthread_mutex_lock(&storm_lock);
  storm_added[place] = socket;
  pthread_mutex_unlock(&storm_lock);
  ps_poller_wake(stormed);
  for (int left = 1; left;) {
    pthread_mutex_lock(&storm_lock);
    left = storm_added[place] != NULL;
    pthread_mutex_unlock(&storm_lock);
    sched_yield();
  }
}

static void storm_once(int place, unsigned round) {
  pair a = connected();
  offer(place, a.ours);
  unsigned way = round % 5;
  if (place % STORM_SLOTS != 0 && way < 4) {
    send_text(a.far, "one\ntwo\n");
    expect_line(a.ours, "one");
  }
  int fd = -1;
  pair b = {NULL, NULL};
  if (way == 1) ps_socket_close(a.ours, NULL);
  if (way == 2) fd = ps_socket_detach(a.ours).fd;
  if (way == 3) {
    b = connected();
    fd = ps_socket_getfd(a.ours).fd;
    ps_socket_setfd(a.ours, ps_socket_detach(b.ours).fd, NULL);
  }
  if (fd >= 0) close(fd);
  freed(a);
  freed(b); /* its far end is that of the new descriptor */
}

static void *storm(void *context) {
  int first = *(int *)context * STORM_SLOTS;
  for (unsigned round = 0; round < STORM_ROUNDS; round++)
    storm_once(first + (int)(round % STORM_SLOTS), round);
  atomic_fetch_sub(&storm_running, 1);
  ps_poller_wake(stormed);
  return NULL;
}

static void add_what_is_offered(void) {
  pthread_mutex_lock(&storm_lock);
  for (int i = 0; i < STORM_THREADS * STORM_SLOTS; i++) {
    if (storm_added[i] == NULL) continue;
    void *token = i % STORM_SLOTS == 0 ? (void *)&storm_silent : (void *)storm_added;
    expect(ps_poller_add(stormed, of(storm_added[i]), "r", token), PS_OK);
    storm_added[i] = NULL;
  }
  pthread_mutex_unlock(&storm_lock);
}

static void no_event_reaches_the_wrong_one(void **state) {
  (void)state;
  stormed = make();
  pthread_t threads[STORM_THREADS];
  int numbers[STORM_THREADS];
  atomic_store(&storm_running, STORM_THREADS);
  for (int i = 0; i < STORM_THREADS; i++) {
    numbers[i] = i;
    pthread_create(&threads[i], NULL, storm, &numbers[i]);
  }
  while (atomic_load(&storm_running) > 0) {
    ps_polled got = ps_poller_wait(stormed, -1, 3, NULL);
    expect(got, PS_OK);
    for (size_t i = 0; i < got.count; i++)
      assert_ptr_not_equal(got.events[i].token, &storm_silent);
    add_what_is_offered();
  }
  for (int i = 0; i < STORM_THREADS; i++) pthread_join(threads[i], NULL);
  assert_int_equal(ps_poller_count(stormed).size, 0);
  ps_poller_free(stormed);
}

static void *use_and_free(void *context) {
  pair *pairs = context;
  for (int i = 0; i < 8; i++) {
    send_text(pairs[i].far, "one\ntwo\n");
    expect_line(pairs[i].ours, "one");
    if (i % 2 == 0) ps_socket_close(pairs[i].ours, NULL);
  }
  return NULL;
}

static void a_poller_is_freed_beneath_its_members(void **state) {
  (void)state;
  for (int round = 0; round < 50; round++) {
    ps_poller *poller = make();
    pair pairs[8];
    for (int i = 0; i < 8; i++) {
      pairs[i] = connected();
      expect(ps_poller_add(poller, of(pairs[i].ours), "r", NULL), PS_OK);
    }
    pthread_t thread;
    pthread_create(&thread, NULL, use_and_free, pairs);
    ps_poller_free(poller);
    pthread_join(thread, NULL);
    for (int i = 0; i < 8; i++) freed(pairs[i]);
  }
}

/* ---- Processes ---- */

#define check(condition) \
  if (!(condition)) _exit(__LINE__ % 255 + 1)

/* The line in which a child failed, at least its last digits; 0: none did. */
static void expect_success(pid_t child) {
  int status = -1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_child_disturbs_nothing(void **state) {
  (void)state;
  ps_poller *poller = make();
  pair a = connected(), b = connected();
  expect(ps_poller_add(poller, of(a.ours), "r", &a), PS_OK);
  expect(ps_poller_add(poller, of(b.ours), "rw", &b), PS_OK);
  for (int way = 0; way < 5; way++) {
    pid_t child = fork();
    if (child == 0) {
      if (way == 0) {
        ps_socket_free(a.ours, NULL);
        check(ps_poller_remove(poller, of(b.ours)).status.code == PS_OK);
        check(ps_poller_wait(poller, 0, 0, NULL).status.code == PS_TIMEOUT);
      }
      if (way == 1) ps_poller_free(poller);
      if (way == 2)
        check(ps_poller_modify(poller, of(b.ours), "r", &a).status.code == PS_OK);
      if (way == 3) {
        check(strcmp(look(poller, &b), "w") == 0);
        check(strcmp(look(poller, &a), "") == 0);
        ps_socket_close(b.ours, NULL);
        check(ps_poller_count(poller).size == 1);
      }
      if (way == 4) {
        check(ps_poller_remove(poller, of(b.ours)).status.code == PS_OK);
        check(ps_poller_wake(poller).status.code == PS_OK);
        ps_polled got = ps_poller_wait(poller, 0, 0, NULL);
        check(got.status.code == PS_OK && got.count == 0);
      }
      _exit(0);
    }
    expect_success(child);
    assert_string_equal(look(poller, &b), "w");
    ps_polled got = ps_poller_wait(poller, 0, 0, NULL);
    assert_int_equal(got.count, 1);
    send_text(a.far, "x\n");
    expect(ps_poller_modify(poller, of(b.ours), "r", &b), PS_OK);
    assert_string_equal(said(ps_poller_wait(poller, -1, 0, NULL), &a), "r");
    expect_line(a.ours, "x");
    expect(ps_poller_modify(poller, of(b.ours), "rw", &b), PS_OK);
  }
  freed(a);
  freed(b);
  ps_poller_free(poller);
}

static void *add_and_remove(void *context) {
  pair *p = context;
  ps_poller *poller = make();
  while (atomic_load(&storm_running) > 0) {
    expect(ps_poller_add(poller, of(p->ours), "r", p), PS_OK);
    expect(ps_poller_remove(poller, of(p->ours)), PS_OK);
  }
  ps_poller_free(poller);
  return NULL;
}

static void *wait_for_wake(void *context) {
  ps_polled got;
  do got = ps_poller_wait(context, -1, 0, NULL);
  while (got.status.code == PS_BUSY); /* the other one looks whether it is */
  expect(got, PS_OK);
  return NULL;
}

/* What the parent's thread waits for, nobody waits for in the child. */
static void a_wait_under_way_stays_in_the_parent(void **state) {
  (void)state;
  pair a = connected();
  ps_poller *poller = make();
  expect(ps_poller_add(poller, of(a.ours), "r", &a), PS_OK);
  pthread_t thread;
  pthread_create(&thread, NULL, wait_for_wake, poller);
  while (ps_poller_wait(poller, 0, 0, NULL).status.code != PS_BUSY) sched_yield();
  pid_t child = fork();
  if (child == 0) {
    check(ps_poller_wait(poller, 0, 0, NULL).status.code == PS_TIMEOUT);
    ps_poller_wake(poller);
    check(ps_poller_wait(poller, 0, 0, NULL).status.code == PS_OK);
    ps_poller_free(poller);
    _exit(0);
  }
  expect_success(child);
  ps_poller_wake(poller);
  pthread_join(thread, NULL);
  freed(a);
  ps_poller_free(poller);
}

/* The lock is never taken in the child by a thread that is not there. */
static void a_child_of_a_busy_process_works(void **state) {
  (void)state;
  pair a = connected(), b = connected();
  ps_poller *poller = make();
  expect(ps_poller_add(poller, of(b.ours), "w", &b), PS_OK);
  pthread_t thread;
  atomic_store(&storm_running, 1);
  pthread_create(&thread, NULL, add_and_remove, &a);
  for (int i = 0; i < 30; i++) {
    pid_t child = fork();
    if (child == 0) {
      alarm(20);
      check(strcmp(look(poller, &b), "w") == 0);
      ps_socket_free(a.ours, NULL);
      _exit(0);
    }
    expect_success(child);
  }
  atomic_store(&storm_running, 0);
  pthread_join(thread, NULL);
  freed(a);
  freed(b);
  ps_poller_free(poller);
}

/* ---- Names ---- */

static void *open_gate(void *end) {
  close(*(int *)end);
  return NULL;
}

static int leaves;
static void count_leave(ps_host *host) {
  (void)host;
  leaves++;
}

/* A helper thread ends the wait, in a forked child one of its own. */
static void a_resolved_name_ends_the_wait(void **state) {
  (void)state;
  for (int forked = 0; forked < 2; forked++) {
    int gate[2];
    assert_int_equal(pipe(gate), 0);
    slow_resolver_gate(gate[0]);
    ps_poller *poller = make();
    ps_socket *c = ps_tcp().socket;
    ps_socket_settimeout(c, 0, NULL);
    const char *name = forked ? "b.gate.test" : "a.gate.test";
    expect(ps_socket_connect(c, name, port(9), NULL), PS_TIMEOUT);
    expect(ps_poller_add(poller, of(c), "w", c), PS_OK);
    ps_host host = {.leave = count_leave};
    leaves = 0;
    expect(ps_poller_wait(poller, SHORT, 0, &host), PS_TIMEOUT);
    assert_true(leaves < 9); /* it waits, and does not look again and again */
    pid_t child = forked ? fork() : 0;
    if (child == 0) {
      pthread_t thread;
      pthread_create(&thread, NULL, open_gate, &gate[1]);
      const char *events = said(ps_poller_wait(poller, -1, 0, NULL), c);
      pthread_join(thread, NULL);
      if (forked) _exit(strcmp(events, "w") == 0 ? 0 : 1);
      assert_string_equal(events, "w");
    } else {
      close(gate[1]);
      expect_success(child);
    }
    ps_socket_free(c, NULL);
    ps_poller_free(poller);
    close(gate[0]);
  }
}

/* A thread that waits for a name: how often it has begun to wait, and what it was told.
 */
static ps_socket *named;
static ps_poller *waited;
static atomic_int waits, seen;
static int opened;
static ps_status answered;

static void count_wait(ps_host *host) {
  (void)host;
  atomic_fetch_add(&waits, 1);
}

static void *wait_for_name(void *context) {
  ps_host host = {.leave = count_wait};
  ps_watch watch = {-1, 0, 0, 0, named};
  ps_sockets one = {&watch, 1}, nobody = {NULL, 0};
  (void)context;
  answered = waited != NULL ? ps_poller_wait(waited, -1, 0, &host).status
                            : ps_select(nobody, one, -1, &host).status;
  return NULL;
}

/* The name is resolved here, and the other thread has looked, in vain, before the call
   ends. */
static int resolve_and_stop(ps_host *host) {
  (void)host;
  atomic_store(&seen, atomic_load(&waits));
  close(opened);
  while (atomic_load(&waits) == atomic_load(&seen)) sched_yield();
  return 1;
}

static void a_name_that_a_stopped_call_leaves_is_told(void **state) {
  (void)state;
  for (int polled = 0; polled < 2; polled++) {
    int gate[2];
    pthread_t thread;
    assert_int_equal(pipe(gate), 0);
    slow_resolver_gate(gate[0]);
    opened = gate[1];
    named = ps_tcp().socket;
    waited = polled ? make() : NULL;
    ps_socket_settimeout(named, 0, NULL);
    const char *name = polled ? "d.gate.test" : "c.gate.test";
    expect(ps_socket_connect(named, name, port(9), NULL), PS_TIMEOUT);
    ps_socket_settimeout(named, -1, NULL);
    if (polled) expect(ps_poller_add(waited, of(named), "w", named), PS_OK);
    atomic_store(&waits, 0);
    pthread_create(&thread, NULL, wait_for_name, NULL);
    while (atomic_load(&waits) == 0) sched_yield();
    ps_host host = {.interrupted = resolve_and_stop};
    expect(ps_socket_connect(named, name, port(9), &host), PS_INTERRUPTED);
    pthread_join(thread, NULL);
    assert_int_equal(answered.code, PS_OK);
    ps_socket_free(named, NULL);
    ps_poller_free(waited);
    close(gate[0]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(another_thread_wakes_a_wait),
      cmocka_unit_test(a_thread_that_leaves_bytes_ends_the_wait),
      cmocka_unit_test(no_event_reaches_the_wrong_one),
      cmocka_unit_test(a_poller_is_freed_beneath_its_members),
      cmocka_unit_test(a_child_disturbs_nothing),
      cmocka_unit_test(a_wait_under_way_stays_in_the_parent),
      cmocka_unit_test(a_child_of_a_busy_process_works),
      cmocka_unit_test(a_resolved_name_ends_the_wait),
      cmocka_unit_test(a_name_that_a_stopped_call_leaves_is_told),
  };
  int before = descriptors();
  int failed = cmocka_run_group_tests_name("poller, threads", tests, setup, teardown);
  return failed != 0 ? failed : descriptors() != before;
}
