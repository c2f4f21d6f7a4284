/* SPDX-License-Identifier: MIT */
/* ps_socket_setfd on the real system: what other threads that wait in the object meet,
   and what becomes of the descriptors. No wait has a limit, and nothing sleeps to be on
   time; each story is told so often that its moments differ. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
/* cmocka wants some of the above before it. */
#include <cmocka.h>

#include "internal.h"

enum { TIMES = 100 };

static const ps_prefix none = {NULL, 0};
static const ps_port any_port = {NULL, 0};
static const ps_sockets nobody = {NULL, 0};

static ps_socket *server, *object;
static ps_socket *peers[2]; /* of the descriptor that the object has, and of the next */
static int next_fd;
static ps_status ended; /* how the call of the other thread ended */
static size_t taken;    /* bytes that it got */

static ps_socket *connect_to_server(ps_socket **far_end) {
  ps_port port = {NULL, ps_socket_getsockname(server).port};
  ps_object made = ps_connect("127.0.0.1", port, NULL, any_port, NULL, -1, NULL);
  assert_int_equal(made.status.code, PS_OK);
  *far_end = ps_socket_accept(server, NULL).socket;
  assert_non_null(*far_end);
  return made.socket;
}

static int setup(void **state) {
  (void)state;
  server = ps_bind("127.0.0.1", any_port, 8, NULL).socket;
  return server == NULL ? -1 : 0;
}

static int teardown(void **state) {
  (void)state;
  ps_socket_free(server, NULL);
  return 0;
}

#define setfd_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static void begin(void) {
  object = connect_to_server(&peers[0]);
  ps_socket *other = connect_to_server(&peers[1]);
  next_fd = ps_socket_detach(other).fd;
  ps_socket_free(other, NULL);
}

static void end(void) {
  ps_socket_free(object, NULL);
  ps_socket_free(peers[0], NULL);
  ps_socket_free(peers[1], NULL);
}

static void send_text(ps_socket *from, const char *text) {
  ps_data data = {text, strlen(text)};
  assert_int_equal(ps_socket_send(from, data, 1, -1, NULL).status.code, PS_OK);
}

static void expect_line(ps_socket *from, const char *text) {
  ps_bytes got = ps_socket_receive(from, PS_LINE, none, 0, NULL);
  assert_int_equal(got.status.code, PS_OK);
  assert_int_equal(got.size, strlen(text));
  assert_memory_equal(got.data, text, got.size);
}

/* ---- Calls that wait ---- */

static void *receive_line(void *from) {
  ps_bytes got = ps_socket_receive(from, PS_LINE, none, 0, NULL);
  ended = got.status;
  taken = got.size;
  return NULL;
}

static void *receive_into(void *from) {
  static char room[100000];
  ps_filled got = ps_socket_receiveinto(from, (ps_room){room, sizeof room}, -1, NULL);
  ended = got.status;
  taken = got.count;
  return NULL;
}

static void *iterate(void *from) {
  ps_bytes got = ps_socket_next(from, PS_LINE, 0, NULL);
  ended = got.status;
  taken = got.size;
  return NULL;
}

static void *select_it(void *member) {
  ps_watch watch = {-1, 0, 0, 0, member};
  ended = ps_select((ps_sockets){&watch, 1}, nobody, -1, NULL).status;
  taken = 0;
  return NULL;
}

static void *(*const calls[])(void *) = {receive_line, receive_into, iterate, select_it};
enum { CALLS = sizeof calls / sizeof *calls };

static pthread_t start(void *(*call)(void *), ps_socket *in) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, call, in), 0);
  while (ps__turn_calls(in) == 0) sched_yield();
  return thread;
}

static void a_waiter_never_sees_the_next_descriptor(void **state) {
  (void)state;
  for (int i = 0; i < TIMES; i++) {
    begin();
    int old = ps_socket_getfd(object).fd;
    send_text(peers[1], "secret of a stranger\n");
    pthread_t thread = start(calls[i % CALLS], object);
    ps_socket_setfd(object, next_fd, NULL);
    assert_int_equal(ps__turn_calls(object), 0);
    /* From now on the old number may be anybody's. */
    assert_int_equal(dup2(next_fd, old), old);
    pthread_join(thread, NULL);
    assert_int_equal(ended.code, PS_CLOSED);
    assert_int_equal(taken, 0);
    assert_int_equal(ps_socket_getfd(object).fd, next_fd);
    expect_line(object, "secret of a stranger");
    close(old);
    end();
  }
}

static void without_a_descriptor_the_object_is_closed(void **state) {
  (void)state;
  for (int i = 0; i < TIMES; i++) {
    begin();
    int old = ps_socket_getfd(object).fd;
    pthread_t thread = start(calls[i % CALLS], object);
    ps_socket_setfd(object, -1, NULL);
    assert_int_equal(ps__turn_calls(object), 0);
    assert_int_equal(ps_socket_getfd(object).fd, -1);
    send_text(peers[0], "for whoever has the descriptor\n");
    pthread_join(thread, NULL);
    assert_int_equal(ended.code, PS_CLOSED);
    assert_int_equal(taken, 0);
    /* It was not closed, and nothing was read from it. */
    ps_socket_setfd(object, old, NULL);
    expect_line(object, "for whoever has the descriptor");
    close(next_fd);
    end();
  }
}

/* Returns NULL when it failed with PS_CLOSED. */
static void *accept_one(void *from) {
  ps_object made = ps_socket_accept(from, NULL);
  ps_socket_free(made.socket, NULL);
  return made.status.code == PS_CLOSED ? NULL : from;
}

static void who_accepts_is_woken(void **state) {
  (void)state;
  for (int i = 0; i < TIMES; i++) {
    ps_socket *other = ps_bind("127.0.0.1", any_port, 8, NULL).socket;
    int next = ps_socket_detach(other).fd, old = ps_socket_getfd(server).fd;
    ps_socket_free(other, NULL);
    pthread_t threads[2];
    for (int j = 0; j < 2; j++) pthread_create(&threads[j], NULL, accept_one, server);
    while (ps__turn_calls(server) < 2 * PS__CALL) sched_yield();
    ps_socket_setfd(server, next, NULL);
    assert_int_equal(ps__turn_calls(server), 0);
    close(old);
    for (int j = 0; j < 2; j++) {
      void *failed;
      pthread_join(threads[j], &failed);
      assert_null(failed);
    }
  }
}

enum { MUCH = 8 << 20 }; /* more than the system takes when nobody receives */
static char much[MUCH];

/* Left alone, the system would make its buffers larger and larger. */
static void limit_buffers(void) {
  ps_option size = {.type = PS_NUMBER, .integral = 1, .integer = 65536};
  assert_int_equal(ps_socket_setoption(object, "send-buffer-size", size).status.code,
                   PS_OK);
  assert_int_equal(ps_socket_setoption(peers[0], "recv-buffer-size", size).status.code,
                   PS_OK);
}

static void *send_much(void *to) {
  ps_sent sent = ps_socket_send(to, (ps_data){much, MUCH}, 1, -1, NULL);
  ended = sent.status;
  taken = (size_t)sent.last;
  return NULL;
}

static void a_sender_never_sends_to_the_next_descriptor(void **state) {
  (void)state;
  for (int i = 0; i < 10; i++) {
    begin();
    limit_buffers();
    int old = ps_socket_getfd(object).fd;
    pthread_t thread = start(send_much, object);
    ps_socket_setfd(object, next_fd, NULL);
    pthread_join(thread, NULL);
    assert_int_equal(ended.code, PS_CLOSED);
    assert_true(taken < MUCH);
    close(old);
    send_text(object, "a line\n");
    expect_line(peers[1], "a line");
    end();
  }
}

/* ---- A select that meets a closed door ---- */

static atomic_int receives, stays, waits;
static pthread_t selecting;

static void about_to_receive(ps_host *host) { (void)host, atomic_store(&receives, 1); }
static void stay(ps_host *host) {
  (void)host;
  while (atomic_load(&stays)) sched_yield();
}
static void about_to_wait(ps_host *host) { (void)host, atomic_store(&waits, 1); }
static void do_nothing(ps_host *host) { (void)host; }

static void *receive_and_stay(void *from) {
  ps_host host = {about_to_receive, stay, NULL, NULL, PS_HOST_VIEW};
  ended = ps_socket_receive(from, PS_LINE, none, 0, &host).status;
  return NULL;
}

/* Returns the member if it became ready. */
static void *select_meanwhile(void *member) {
  ps_host host = {about_to_wait, do_nothing, NULL, NULL, PS_HOST_VIEW};
  ps_watch watch = {-1, 0, 0, 0, member};
  ps_status status = ps_select((ps_sockets){&watch, 1}, nobody, -1, &host).status;
  return status.code == PS_OK && watch.ready ? member : NULL;
}

/* The setfd has to wait, for it is not alone in the object. */
static void select_in_another_thread(ps_host *host) {
  (void)host;
  if (atomic_load(&stays) == 0) return;
  assert_int_equal(pthread_create(&selecting, NULL, select_meanwhile, object), 0);
  while (!atomic_load(&waits)) sched_yield();
  atomic_store(&stays, 0);
}

static void a_select_goes_on_with_the_next_descriptor(void **state) {
  (void)state;
  for (int i = 0; i < TIMES; i++) {
    begin();
    int old = ps_socket_getfd(object).fd;
    send_text(peers[1], "for the next descriptor\n");
    atomic_store(&receives, 0);
    atomic_store(&waits, 0);
    atomic_store(&stays, 1);
    pthread_t receiving;
    assert_int_equal(pthread_create(&receiving, NULL, receive_and_stay, object), 0);
    while (!atomic_load(&receives)) sched_yield();
    ps_host host = {select_in_another_thread, do_nothing, NULL, NULL, PS_HOST_VIEW};
    ps_socket_setfd(object, next_fd, &host);
    void *ready;
    pthread_join(selecting, &ready);
    pthread_join(receiving, NULL);
    assert_ptr_equal(ready, object);
    assert_int_equal(ended.code, PS_CLOSED);
    close(old);
    end();
  }
}

/* ---- At the same time ---- */

static void *close_it(void *what) {
  ps_socket_close(what, NULL);
  return NULL;
}

static int is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

/* One comes first. What the object has at the end is open, and what it has not is not. */
static void a_close_at_the_same_time_is_not_lost(void **state) {
  (void)state;
  for (int i = 0; i < TIMES * 5; i++) {
    begin();
    int old = ps_socket_getfd(object).fd;
    pthread_t closer, waiter = start(calls[i % CALLS], object);
    pthread_create(&closer, NULL, close_it, object);
    ps_socket_setfd(object, next_fd, NULL);
    pthread_join(closer, NULL);
    pthread_join(waiter, NULL);
    int fd = ps_socket_getfd(object).fd;
    assert_true(fd == -1 || fd == next_fd);
    assert_int_equal(is_open(next_fd), fd != -1);
    /* The close has closed one of them; the other is its owner's. */
    if (fd == -1 && is_open(old)) close(old);
    if (fd == next_fd) assert_false(is_open(old));
    end();
  }
}

static void *replace_by_itself(void *what) {
  for (int i = 0; i < TIMES; i++) ps_socket_setfd(what, ps_socket_getfd(what).fd, NULL);
  return NULL;
}

static void two_may_replace_it(void **state) {
  (void)state;
  begin();
  pthread_t threads[2];
  for (int i = 0; i < 2; i++)
    pthread_create(&threads[i], NULL, replace_by_itself, object);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  send_text(peers[0], "a line\n");
  expect_line(object, "a line");
  close(next_fd);
  end();
}

/* ---- Bytes and flags ---- */

static void bytes_stay_unless_it_was_closed(void **state) {
  (void)state;
  for (int way = 0; way < 3; way++) {
    begin();
    int old = ps_socket_getfd(object).fd;
    send_text(peers[0], "one\ntwo");
    expect_line(object, "one");
    if (way == 1) ps_socket_close(object, NULL);
    if (way == 2) ps_socket_setfd(object, -1, NULL);
    assert_int_equal(ps_socket_pending(object).size, way == 0 ? 3 : 0);
    ps_socket_setfd(object, next_fd, NULL);
    assert_int_equal(ps_socket_pending(object).size, way == 0 ? 3 : 0);
    send_text(peers[1], "more\n");
    expect_line(object, way == 0 ? "twomore" : "more");
    if (way != 1) close(old);
    end();
  }
}

static void flags_are_the_descriptors_own(void **state) {
  (void)state;
  begin();
  int old = ps_socket_getfd(object).fd;
  int status = fcntl(next_fd, F_GETFL) & ~O_NONBLOCK;
  assert_int_equal(fcntl(next_fd, F_SETFL, status), 0);
  assert_int_equal(fcntl(next_fd, F_SETFD, 0), 0);
  ps_socket_setfd(object, next_fd, NULL);
  ps_socket_settimeout(object, 0, NULL);
  ps_bytes got = ps_socket_receive(object, PS_LINE, none, 0, NULL);
  assert_int_equal(got.status.code, PS_TIMEOUT);
  for (ps_sent sent = {PS__DONE, 1}; sent.last > 0;) { /* until nothing goes out */
    sent = ps_socket_send(object, (ps_data){much, MUCH}, 1, -1, NULL);
    assert_int_equal(sent.status.code, PS_TIMEOUT);
  }
  ps_socket_setfd(object, -1, NULL);
  assert_int_equal(fcntl(next_fd, F_GETFL), status);
  assert_int_equal(fcntl(next_fd, F_GETFD), 0);
  close(next_fd);
  close(old);
  end();
}

static void a_blocking_server_does_not_block(void **state) {
  (void)state;
  int fd = ps_socket_getfd(server).fd;
  assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK), 0);
  ps_socket_setfd(server, fd, NULL);
  ps_socket_settimeout(server, 0, NULL);
  assert_int_equal(ps_socket_accept(server, NULL).status.code, PS_TIMEOUT);
  ps_socket_settimeout(server, 0.01, NULL);
  assert_int_equal(ps_socket_accept(server, NULL).status.code, PS_TIMEOUT);
  ps_socket_settimeout(server, -1, NULL);
  begin();
  close(next_fd);
  end();
}

/* It is never ready, and waiting for it would never end, whatever the limit. */
static void accepting_from_an_invalid_descriptor_fails(void **state) {
  (void)state;
  int fd = ps_socket_getfd(server).fd, invalid = dup(fd);
  close(invalid);
  ps_socket_setfd(server, invalid, NULL);
  ps_status status = ps_socket_accept(server, NULL).status;
  assert_int_equal(status.code, PS_SYSTEM);
  assert_int_equal(status.system, EBADF);
  ps_socket_setfd(server, fd, NULL);
}

static int invalid;

static void close_it_behind(ps_host *host) {
  (void)host;
  close(invalid);
}

/* The same when a program closes it while a call begins to wait. */
static void waiting_for_a_descriptor_that_was_closed_fails(void **state) {
  (void)state;
  begin();
  invalid = ps_socket_getfd(object).fd;
  ps_host host = {close_it_behind, do_nothing, NULL, NULL, PS_HOST_VIEW};
  ps_status status = ps_socket_receive(object, PS_LINE, none, 0, &host).status;
  assert_int_equal(status.code, PS_SYSTEM);
  assert_int_equal(status.system, EBADF);
  ps_socket_setfd(object, next_fd, NULL);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      setfd_test(a_waiter_never_sees_the_next_descriptor),
      setfd_test(without_a_descriptor_the_object_is_closed),
      setfd_test(who_accepts_is_woken),
      setfd_test(a_sender_never_sends_to_the_next_descriptor),
      setfd_test(a_select_goes_on_with_the_next_descriptor),
      setfd_test(a_close_at_the_same_time_is_not_lost),
      setfd_test(two_may_replace_it),
      setfd_test(bytes_stay_unless_it_was_closed),
      setfd_test(flags_are_the_descriptors_own),
      setfd_test(a_blocking_server_does_not_block),
      setfd_test(accepting_from_an_invalid_descriptor_fails),
      setfd_test(waiting_for_a_descriptor_that_was_closed_fails),
  };
  return cmocka_run_group_tests_name("setfd", tests, NULL, NULL);
}
