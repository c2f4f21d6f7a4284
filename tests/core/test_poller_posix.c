/* SPDX-License-Identifier: MIT */
/* Pollers on the real system, once for each backend that it has: what a simulation cannot
   show. Waits that are to end have no limit or a long one, and waits that are to find
   nothing look only once, or for a short time. */

#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "poller_pairs.h"

static const double SHORT = 0.02;

/* ---- Readiness ---- */

static void it_reports_what_is_ready_each_time(void **state) {
  (void)state;
  ps_poller *poller = make();
  pair a = connected(), b = connected();
  int one, two;
  expect(ps_poller_add(poller, of(a.ours), "r", &one), PS_OK);
  expect(ps_poller_add(poller, of(b.ours), "rw", &two), PS_OK);
  assert_int_equal(ps_poller_count(poller).size, 2);
  assert_string_equal(look(poller, &one), "");
  assert_string_equal(look(poller, &two), "w");
  expect(ps_poller_modify(poller, of(b.ours), "r", &one), PS_OK);
  expect(ps_poller_wait(poller, SHORT, 0, NULL), PS_TIMEOUT);
  send_text(b.far, "x\n");
  for (int i = 0; i < 3; i++) {
    ps_polled got = ps_poller_wait(poller, -1, 0, NULL);
    expect(got, PS_OK);
    assert_int_equal(got.count, 1);
    assert_ptr_equal(got.events[0].token, &one);
    assert_string_equal(got.events[0].events, "r");
  }
  expect_line(b.ours, "x");
  expect(ps_poller_wait(poller, 0, 0, NULL), PS_TIMEOUT);
  ps_socket_close(a.far, NULL);
  ps_polled got = ps_poller_wait(poller, -1, 0, NULL);
  expect(got, PS_OK);
  assert_int_equal(got.count, 1);
  freed(a);
  freed(b);
  ps_poller_free(poller);
}

static void the_shortest_wait_looks_once(void **state) {
  (void)state;
  ps_poller *poller = make();
  pair a = connected();
  expect(ps_poller_add(poller, of(a.ours), "w", &a), PS_OK);
  ps_watch watch = {.socket = a.ours};
  for (int i = 0; i < 50; i++) {
    assert_string_equal(said(ps_poller_wait(poller, 1e-12, 0, NULL), &a), "w");
    expect(ps_select((ps_sockets){NULL, 0}, (ps_sockets){&watch, 1}, 1e-12, NULL), PS_OK);
  }
  freed(a);
  ps_poller_free(poller);
}

static void a_server_is_ready_to_accept(void **state) {
  (void)state;
  ps_poller *poller = make();
  expect(ps_poller_add(poller, of(server), "r", server), PS_OK);
  assert_string_equal(look(poller, server), "");
  ps_address name = ps_socket_getsockname(server);
  ps_object got = ps_connect("127.0.0.1", port(name.port), NULL, port(0), NULL, -1, NULL);
  expect(got, PS_OK);
  assert_string_equal(said(ps_poller_wait(poller, -1, 0, NULL), server), "r");
  ps_object accepted = ps_socket_accept(server, NULL);
  expect(accepted, PS_OK);
  assert_string_equal(look(poller, server), "");
  ps_socket_free(got.socket, NULL);
  ps_socket_free(accepted.socket, NULL);
  ps_poller_free(poller);
}

/* A kernel that is asked for one event again and again would hide this. */
static void all_that_are_ready_are_reported(void **state) {
  (void)state;
  enum { MANY = 150 };
  ps_poller *poller = make();
  int ends[MANY][2], seen[MANY];
  for (int i = 0; i < MANY; i++) {
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]), 0);
    expect(ps_poller_add(poller, number(ends[i][0]), "w", &seen[i]), PS_OK);
  }
  for (int round = 0; round < 2; round++) {
    ps_polled got = ps_poller_wait(poller, -1, 0, NULL);
    assert_int_equal(got.count, MANY);
    for (int i = 0; i < MANY; i++) assert_string_equal(said(got, &seen[i]), "w");
  }
  /* With a limit each comes before the first one comes again. */
  memset(seen, 0, sizeof seen);
  for (int left = MANY; left > 0;) {
    ps_polled got = ps_poller_wait(poller, -1, 7, NULL);
    expect(got, PS_OK);
    assert_true(got.count >= 1 && got.count <= 7);
    for (size_t i = 0; i < got.count && left > 0; i++, left--)
      assert_int_equal((*(int *)got.events[i].token)++, 0);
  }
  for (int i = 0; i < MANY; i++) assert_int_equal(seen[i], 1);
  ps_poller_free(poller);
  for (int i = 0; i < MANY; i++) close(ends[i][0]), close(ends[i][1]);
}

/* What wakes the queue is one of its own events, and takes nobody's place. */
static void a_wake_hides_nobody(void **state) {
  (void)state;
  enum { FEW = 64 };
  ps_poller *poller = make();
  int ends[FEW][2];
  ps_poller_getfd(poller);
  ps_poller_wake(poller);
  for (int i = 0; i < FEW; i++) {
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]), 0);
    expect(ps_poller_add(poller, number(ends[i][0]), "w", NULL), PS_OK);
  }
  assert_int_equal(ps_poller_wait(poller, 0, 0, NULL).count, FEW);
  ps_poller_free(poller);
  for (int i = 0; i < FEW; i++) close(ends[i][0]), close(ends[i][1]);
}

/* Nor the only one that there is. */
static void a_wake_hides_nobody_where_there_is_a_limit(void **state) {
  (void)state;
  for (int limit = 1; limit < 3; limit++) {
    ps_poller *poller = make();
    pair a = connected(), b = connected();
    expect(ps_poller_add(poller, of(a.ours), "r", &a), PS_OK);
    ps_poller_getfd(poller);
    send_text(a.far, "one\ntwo\n");
    expect_line(a.ours, "one"); /* what is left wakes another loop */
    expect_line(a.ours, "two");
    expect(ps_poller_add(poller, of(b.ours), "w", &b), PS_OK);
    if (limit == 2) expect(ps_poller_add(poller, of(b.far), "w", &b), PS_OK);
    assert_int_equal(ps_poller_wait(poller, 0, limit, NULL).count, limit);
    freed(a);
    freed(b);
    ps_poller_free(poller);
  }
}

static void an_end_is_something_to_receive(void **state) {
  (void)state;
  ps_poller *poller = make();
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  expect(ps_poller_add(poller, number(ends[0]), "r", ends), PS_OK);
  assert_string_equal(look(poller, ends), "");
  close(ends[1]);
  assert_string_equal(said(ps_poller_wait(poller, -1, 0, NULL), ends), "r");
  ps_poller_free(poller);
  close(ends[0]);
}

static void buffered_bytes_make_it_ready(void **state) {
  (void)state;
  ps_poller *poller = make();
  pair a = connected();
  expect(ps_poller_add(poller, of(a.ours), "r", &a), PS_OK);
  send_text(a.far, "one\ntwo\nthree");
  assert_string_equal(said(ps_poller_wait(poller, -1, 0, NULL), &a), "r");
  expect_line(a.ours, "one");
  for (int i = 0; i < 2; i++) assert_string_equal(look(poller, &a), "r");
  expect_line(a.ours, "two");
  assert_string_equal(look(poller, &a), "r");
  ps_socket_settimeout(a.ours, 0, NULL);
  ps_bytes got = ps_socket_receive(a.ours, PS_LINE, none, 0, NULL);
  expect(got, PS_TIMEOUT);
  assert_string_equal(look(poller, &a), "");
  send_text(a.far, "\n\n");
  assert_string_equal(said(ps_poller_wait(poller, -1, 0, NULL), &a), "r");
  /* What is buffered already when it is added. */
  expect_line(a.ours, "");
  expect(ps_poller_remove(poller, of(a.ours)), PS_OK);
  expect(ps_poller_add(poller, of(a.ours), "w", &a), PS_OK);
  assert_string_equal(look(poller, &a), "w");
  expect(ps_poller_modify(poller, of(a.ours), "rw", &a), PS_OK);
  assert_string_equal(look(poller, &a), "rw");
  freed(a);
  ps_poller_free(poller);
}

/* ---- Descriptors that come and go ---- */

/* Else a loop would turn round and round, and receive nothing. */
static void half_a_line_that_stays_is_nothing_new(void **state) {
  (void)state;
  ps_host *hosts[] = {NULL, &(ps_host){.mode = PS_HOST_HOLD}};
  for (int i = 0; i < 2; i++) {
    ps_poller *poller = make();
    pair a = connected();
    expect(ps_poller_add(poller, of(a.ours), "r", &a), PS_OK);
    ps_socket_settimeout(a.ours, 0, NULL);
    send_text(a.far, "one\ntw");
    assert_string_equal(said(ps_poller_wait(poller, -1, 0, NULL), &a), "r");
    ps_bytes got = ps_socket_next(a.ours, PS_LINE, 0, hosts[i]);
    expect(got, PS_OK);
    assert_true(ps_socket_take(a.ours, &got));
    assert_string_equal(look(poller, &a), "r"); /* nobody has looked at it */
    expect(ps_socket_next(a.ours, PS_LINE, 0, hosts[i]), PS_TIMEOUT);
    assert_int_equal(ps_socket_pending(a.ours).size, 2);
    for (int j = 0; j < 2; j++) assert_string_equal(look(poller, &a), "");
    expect(ps_poller_modify(poller, of(a.ours), "rw", &a), PS_OK);
    assert_string_equal(look(poller, &a), "w");
    /* What takes less shows that there is more. */
    got = ps_socket_receive(a.ours, PS_COUNT(1), none, 0, hosts[i]);
    expect(got, PS_OK);
    assert_true(ps_socket_take(a.ours, &got));
    assert_string_equal(look(poller, &a), "rw");
    expect(ps_socket_next(a.ours, PS_LINE, 0, hosts[i]), PS_TIMEOUT);
    expect(ps_poller_modify(poller, of(a.ours), "r", &a), PS_OK);
    expect(ps_poller_wait(poller, SHORT, 0, NULL), PS_TIMEOUT);
    send_text(a.far, "o\nth");
    assert_string_equal(said(ps_poller_wait(poller, -1, 0, NULL), &a), "r");
    got = ps_socket_next(a.ours, PS_LINE, 0, hosts[i]);
    assert_int_equal(got.size, 2);
    assert_true(ps_socket_take(a.ours, &got));
    assert_string_equal(look(poller, &a), "r");
    freed(a);
    ps_poller_free(poller);
  }
}

static void a_closed_socket_is_no_member(void **state) {
  (void)state;
  ps_poller *poller = make();
  for (int way = 0; way < 4; way++) {
    pair a = connected();
    send_text(a.far, "x");
    expect(ps_poller_add(poller, of(a.ours), "rw", &a), PS_OK);
    int fd = ps_socket_getfd(a.ours).fd, kept = dup(fd); /* as a forked child has it */
    assert_string_equal(look(poller, &a), "rw");
    if (way == 0) ps_socket_close(a.ours, NULL);
    if (way == 1) assert_int_equal(ps_socket_detach(a.ours).fd, fd);
    if (way == 2) ps_socket_setfd(a.ours, -1, NULL);
    if (way == 3) ps_socket_free(a.ours, NULL);
    assert_int_equal(ps_poller_count(poller).size, 0);
    expect(ps_poller_wait(poller, 0, 0, NULL), PS_TIMEOUT);
    if (way != 3) expect(ps_poller_remove(poller, of(a.ours)), PS_NOTADDED);
    if (way != 3) expect(ps_poller_add(poller, of(a.ours), "r", &a), PS_CLOSED);
    if (way == 1 || way == 2) close(fd);
    if (way != 3) ps_socket_free(a.ours, NULL);
    /* The number comes back for another one. */
    pair b = connected();
    if (ps_socket_getfd(b.ours).fd != fd) {
      ps_detached taken = ps_socket_detach(b.ours);
      assert_int_equal(dup2(taken.fd, fd), fd);
      close(taken.fd);
      ps_socket_setfd(b.ours, fd, NULL);
    }
    expect(ps_poller_add(poller, of(b.ours), "r", &b), PS_OK);
    expect(ps_poller_wait(poller, 0, 0, NULL), PS_TIMEOUT);
    expect(ps_poller_remove(poller, of(b.ours)), PS_OK);
    close(kept);
    freed(b);
    ps_socket_free(a.far, NULL);
  }
  ps_poller_free(poller);
}

static void a_registration_follows_its_socket(void **state) {
  (void)state;
  ps_poller *poller = make();
  pair a = connected(), b = connected();
  expect(ps_poller_add(poller, of(a.ours), "r", &a), PS_OK);
  int old = ps_socket_getfd(a.ours).fd;
  int fd = ps_socket_detach(b.ours).fd;
  send_text(a.far, "old");
  ps_socket_setfd(a.ours, fd, NULL);
  assert_string_equal(look(poller, &a), "");
  send_text(b.far, "new\n");
  assert_string_equal(said(ps_poller_wait(poller, -1, 0, NULL), &a), "r");
  expect_line(a.ours, "new");
  close(old);
  assert_int_equal(ps_poller_count(poller).size, 1);
  freed(a);
  freed(b);
  /* tcp() gets its descriptor while it is a member, and another one for IPv6. */
  ps_socket *c = ps_tcp().socket;
  expect(ps_poller_add(poller, of(c), "r", c), PS_UNDECIDED);
  expect(ps_socket_bind(c, "127.0.0.1", port(0), NULL), PS_OK);
  expect(ps_poller_add(poller, of(c), "r", c), PS_OK);
  if (ps_socket_bind(c, "::1", port(0), NULL).status.code == PS_OK) {
    expect(ps_socket_listen(c, 5), PS_OK);
    assert_string_equal(look(poller, c), "");
    ps_address name = ps_socket_getsockname(c);
    ps_object got = ps_connect("::1", port(name.port), NULL, port(0), NULL, -1, NULL);
    expect(got, PS_OK);
    assert_string_equal(said(ps_poller_wait(poller, -1, 0, NULL), c), "r");
    ps_socket_free(got.socket, NULL);
  }
  ps_socket_free(c, NULL);
  ps_poller_free(poller);
}

/* Its owner closes it and says nothing. The file lives on in a copy, so the system goes
   on reporting it. */
/* Those of the descriptor before have been told, and were taken. */
static void bytes_of_the_next_descriptor_are_told_too(void **state) {
  (void)state;
  pair a = connected(), b = connected();
  ps_poller *poller = make();
  expect(ps_poller_add(poller, of(a.ours), "r", a.ours), PS_OK);
  send_text(a.far, "1\n2\n");
  expect_line(a.ours, "1");
  expect_line(a.ours, "2");
  int old = ps_socket_getfd(a.ours).fd;
  ps_socket_setfd(a.ours, ps_socket_detach(b.ours).fd, NULL);
  send_text(b.far, "3\n4\n");
  expect_line(a.ours, "3");
  assert_string_equal(look(poller, a.ours), "r");
  expect_line(a.ours, "4");
  assert_string_equal(look(poller, a.ours), "");
  ps_poller_free(poller);
  close(old);
  freed(a);
  freed(b);
}

static void a_foreign_descriptor_may_vanish(void **state) {
  (void)state;
  for (int copied = 0; copied < 2; copied++) {
    ps_poller *poller = make();
    int ends[2], others[2], one, two;
    char byte;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, others), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    expect(ps_poller_add(poller, number(ends[0]), "r", &one), PS_OK);
    expect(ps_poller_add(poller, number(ends[0]), "w", &two), PS_ALREADY);
    assert_string_equal(look(poller, &one), "r");
    int copy = copied ? dup(ends[0]) : -1;
    assert_int_equal(dup2(others[0], ends[0]), ends[0]);
    assert_int_equal(write(others[1], "x", 1), 1);
    if (!copied) expect(ps_poller_wait(poller, SHORT, 0, NULL), PS_TIMEOUT);
    assert_int_equal(read(others[0], &byte, 1), 1);
    expect(ps_poller_add(poller, number(ends[0]), "r", &two), PS_OK);
    assert_int_equal(ps_poller_count(poller).size, 1);
    expect(ps_poller_wait(poller, SHORT, 0, NULL), PS_TIMEOUT);
    assert_int_equal(write(others[1], "x", 1), 1);
    ps_polled got = ps_poller_wait(poller, -1, 0, NULL);
    assert_int_equal(got.count, 1);
    assert_string_equal(said(got, &two), "r");
    assert_int_equal(read(others[0], &byte, 1), 1);
    /* What nobody wants to hear does not keep a loop busy. */
    expect(ps_poller_wait(poller, 0, 0, NULL), PS_TIMEOUT);
    expect(ps_poller_wait(poller, 0, 0, NULL), PS_TIMEOUT);
    struct pollfd outer = {ps_poller_getfd(poller).fd, POLLIN, 0};
    if (outer.fd >= 0) assert_int_equal(poll(&outer, 1, 0), 0);
    close(ends[0]);
    close(others[0]);
    expect(ps_poller_remove(poller, number(ends[0])), PS_OK);
    expect(ps_poller_wait(poller, SHORT, 0, NULL), PS_TIMEOUT);
    ps_poller_free(poller);
    if (copied) close(copy);
    close(ends[1]);
    close(others[1]);
  }
}

/* The system goes on reporting one that was closed before it was removed. */
static void a_former_member_hides_nobody(void **state) {
  (void)state;
  for (int limit = 0; limit < 3; limit++) {
    ps_poller *poller = make();
    int former[2][2], copies[2], ends[2], one;
    for (int i = 0; i < 2; i++) {
      assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, former[i]), 0);
      expect(ps_poller_add(poller, number(former[i][0]), "w", NULL), PS_OK);
      copies[i] = dup(former[i][0]);
      close(former[i][0]);
      expect(ps_poller_remove(poller, number(former[i][0])), PS_OK);
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    expect(ps_poller_add(poller, number(ends[0]), "w", &one), PS_OK);
    ps_polled got = ps_poller_wait(poller, 0, limit, NULL);
    expect(got, PS_OK);
    assert_string_equal(said(got, &one), "w");
    ps_poller_free(poller);
    for (int i = 0; i < 2; i++) close(copies[i]), close(former[i][1]), close(ends[i]);
  }
}

static void the_loop_may_change_the_members(void **state) {
  (void)state;
  enum { MANY = 6 };
  ps_poller *poller = make();
  pair pairs[MANY];
  for (int i = 0; i < MANY; i++) {
    pairs[i] = connected();
    send_text(pairs[i].far, "x\n");
    expect(ps_poller_add(poller, of(pairs[i].ours), "r", &pairs[i]), PS_OK);
  }
  ps_polled got = ps_poller_wait(poller, -1, 0, NULL);
  for (size_t i = 0; i < got.count; i++) {
    pair *ready = got.events[i].token;
    ps_socket *next = pairs[(ready - pairs + 1) % MANY].ours;
    expect_line(ready->ours, "x");
    expect(ps_poller_remove(poller, of(ready->ours)), PS_OK);
    expect(ps_poller_add(poller, of(ready->ours), "w", ready), PS_OK);
    expect(ps_poller_modify(poller, of(next), "w", &pairs[0]), PS_OK);
  }
  assert_int_equal(ps_poller_wait(poller, -1, 0, NULL).count, MANY);
  for (int i = 0; i < MANY; i++) freed(pairs[i]);
  assert_int_equal(ps_poller_count(poller).size, 0);
  ps_poller_free(poller);
}

/* ---- Signals ---- */

static int questions;
static int ask(ps_host *host) {
  (void)host;
  return ++questions == 2;
}
static void ignore(int signal) { (void)signal; }

static void a_signal_asks_the_host(void **state) {
  (void)state;
  ps_poller *poller = make();
  ps_host host = {.interrupted = ask};
  struct sigaction action = {.sa_handler = ignore}, before;
  sigaction(SIGALRM, &action, &before);
  struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
  questions = 0;
  setitimer(ITIMER_REAL, &often, NULL);
  expect(ps_poller_wait(poller, -1, 0, &host), PS_INTERRUPTED);
  expect(ps_poller_wait(poller, 0.1, 0, NULL), PS_TIMEOUT);
  setitimer(ITIMER_REAL, &never, NULL);
  sigaction(SIGALRM, &before, NULL);
  assert_int_equal(questions, 2);
  ps_poller_free(poller);
}

/* ---- Limits ---- */

static void without_descriptors_there_is_no_poller(void **state) {
  (void)state;
  int lowest = dup(0);
  close(lowest);
  struct rlimit before, low;
  getrlimit(RLIMIT_NOFILE, &before);
  for (int spare = 0; spare < 2; spare++) {
    low = before;
    low.rlim_cur = (rlim_t)(lowest + spare);
    setrlimit(RLIMIT_NOFILE, &low);
    ps_pollerobject made = ps_poller_make();
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(made.status.system, EMFILE);
    assert_null(made.poller);
  }
}

static void what_the_system_cannot_watch_is_refused(void **state) {
  (void)state;
  ps_poller *poller = make();
  int fd = dup(0);
  close(fd);
  assert_int_equal(ps_poller_add(poller, number(fd), "r", NULL).status.system, EBADF);
  assert_int_equal(ps_poller_count(poller).size, 0);
  ps_poller_free(poller);
}

static void another_loop_may_wait_for_it(void **state) {
  (void)state;
  ps_poller *poller = make();
  struct pollfd outer = {ps_poller_getfd(poller).fd, POLLIN, 0};
  if (outer.fd < 0) {
    ps_poller_free(poller);
    skip();
  }
  pair a = connected();
  expect(ps_poller_add(poller, of(a.ours), "r", &a), PS_OK);
  assert_int_equal(poll(&outer, 1, 0), 0);
  send_text(a.far, "one\ntwo\n");
  assert_int_equal(poll(&outer, 1, -1), 1);
  assert_string_equal(look(poller, &a), "r");
  expect_line(a.ours, "one");
  assert_int_equal(poll(&outer, 1, 0), 1);
  assert_string_equal(look(poller, &a), "r");
  assert_int_equal(poll(&outer, 1, 0), 1);
  expect_line(a.ours, "two");
  assert_string_equal(look(poller, &a), "");
  assert_int_equal(poll(&outer, 1, 0), 0);
  ps_poller_wake(poller);
  assert_int_equal(poll(&outer, 1, 0), 1);
  expect(ps_poller_wait(poller, 0, 0, NULL), PS_OK);
  assert_int_equal(poll(&outer, 1, 0), 0);
  freed(a);
  ps_poller_free(poller);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_reports_what_is_ready_each_time),
      cmocka_unit_test(the_shortest_wait_looks_once),
      cmocka_unit_test(a_server_is_ready_to_accept),
      cmocka_unit_test(all_that_are_ready_are_reported),
      cmocka_unit_test(a_wake_hides_nobody),
      cmocka_unit_test(a_wake_hides_nobody_where_there_is_a_limit),
      cmocka_unit_test(an_end_is_something_to_receive),
      cmocka_unit_test(buffered_bytes_make_it_ready),
      cmocka_unit_test(half_a_line_that_stays_is_nothing_new),
      cmocka_unit_test(a_closed_socket_is_no_member),
      cmocka_unit_test(a_registration_follows_its_socket),
      cmocka_unit_test(bytes_of_the_next_descriptor_are_told_too),
      cmocka_unit_test(a_foreign_descriptor_may_vanish),
      cmocka_unit_test(a_former_member_hides_nobody),
      cmocka_unit_test(the_loop_may_change_the_members),
      cmocka_unit_test(a_signal_asks_the_host),
      cmocka_unit_test(without_descriptors_there_is_no_poller),
      cmocka_unit_test(what_the_system_cannot_watch_is_refused),
      cmocka_unit_test(another_loop_may_wait_for_it),
  };
  int before = descriptors();
  int failed = cmocka_run_group_tests_name("poller", tests, setup, teardown);
  return failed != 0 ? failed : descriptors() != before;
}
