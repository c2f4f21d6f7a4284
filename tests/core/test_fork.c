/* SPDX-License-Identifier: MIT */
/* Objects in a forked child, on the real system: a thread of the parent is in the middle
   of a call on an object, and the child uses its copy, closes and frees it, without a
   wait for a thread that it does not have and without harm to the parent's connection. */

#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"
#include "gate.h"
#include "internal.h"

static const ps_prefix none = {NULL, 0};
static const ps_port any_port = {NULL, 0};

static ps_socket *server, *object, *peer;
static ps_status ended; /* how the call of the other thread ended */

static ps_port port_of(ps_socket *bound) {
  return (ps_port){NULL, ps_socket_getsockname(bound).port};
}

static ps_socket *connect_to_server(void) {
  ps_object made =
      ps_connect("127.0.0.1", port_of(server), NULL, any_port, NULL, -1, NULL);
  assert_int_equal(made.status.code, PS_OK);
  return made.socket;
}

static int setup(void **state) {
  if (gate_setup(state) != 0) return -1;
  server = ps_bind("127.0.0.1", any_port, 8, NULL).socket;
  object = connect_to_server();
  peer = ps_socket_accept(server, NULL).socket;
  return peer == NULL ? -1 : 0;
}

static int teardown(void **state) {
  ps_socket_free(object, NULL);
  ps_socket_free(peer, NULL);
  ps_socket_free(server, NULL);
  return gate_teardown(state);
}

#define fork_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* Starts a thread that makes a call, and waits until it is in the object. The call does
   not end before the test lets it. */
static pthread_t start(void *(*call)(void *), ps_socket *in) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, call, in), 0);
  while (ps__turn_calls(in) == 0) sched_yield();
  return thread;
}

static int sends(ps_socket *from, const char *text) {
  ps_data data = {text, strlen(text)};
  return ps_socket_send(from, data, 1, -1, NULL).status.code == PS_OK;
}

static int receives(ps_socket *to, const char *text) {
  ps_bytes got = ps_socket_receive(to, PS_COUNT(strlen(text)), none, 0, NULL);
  return got.status.code == PS_OK && memcmp(got.data, text, strlen(text)) == 0;
}

/* In the child: it ends the object in each way that there is. */
static void end_object(int way, ps_socket *ended_here) {
  if (way == 0) check(ps_socket_close(ended_here, NULL).status.code == PS_OK);
  if (way == 1) check(close(ps_socket_detach(ended_here).fd) == 0);
  if (way == 2) check(ps_socket_setfd(ended_here, -1, NULL).status.code == PS_OK);
  check(ps_socket_getfd(ended_here).fd == -1 || way == 3);
  check(ps_socket_pending(ended_here).size == 0);
  ps_socket_free(ended_here, NULL);
  ps_socket_free(server, NULL);
  ps_socket_free(peer, NULL);
  _exit(0);
}

enum { WAYS = 4 };

/* ---- accept ---- */

static void *accept_one(void *from) {
  ps_object made = ps_socket_accept(from, NULL);
  ended = made.status;
  if (made.status.code == PS_OK) ps_socket_free(made.socket, NULL);
  return NULL;
}

static void a_thread_accepts(void **state) {
  (void)state;
  if (!ALLOCATOR_FORKS) skip();
  for (int way = 0; way < WAYS; way++) {
    pthread_t thread = start(accept_one, server);
    pid_t child = fork();
    if (child == 0) {
      ps_socket_settimeout(server, 0, NULL);
      check(ps_socket_accept(server, NULL).status.code == PS_TIMEOUT);
      ps_socket *mine = server;
      server = NULL;
      end_object(way, mine);
    }
    expect_success(child);
    ps_socket *client = connect_to_server();
    pthread_join(thread, NULL);
    assert_int_equal(ended.code, PS_OK);
    ps_socket_free(client, NULL);
  }
}

/* ---- receive ---- */

static void *receive_line(void *from) {
  ps_bytes got = ps_socket_receive(from, PS_LINE, none, 0, NULL);
  ended = got.status;
  if (got.size != 3 || memcmp(got.data, "one", 3) != 0) ended.code = PS_OVERSIZED;
  return NULL;
}

static void a_thread_receives(void **state) {
  (void)state;
  if (!ALLOCATOR_FORKS) skip();
  for (int way = 0; way < WAYS; way++) {
    pthread_t thread = start(receive_line, object);
    pid_t child = fork();
    if (child == 0) {
      ps_socket_settimeout(object, 0, NULL);
      ps_bytes got = ps_socket_receive(object, PS_LINE, none, 0, NULL);
      check(got.status.code == PS_TIMEOUT && got.size == 0);
      check(sends(object, "from the child\n"));
      ps_socket *mine = object;
      object = NULL;
      end_object(way, mine);
    }
    expect_success(child);
    assert_true(receives(peer, "from the child\n"));
    assert_true(sends(object, "from the parent\n"));
    assert_true(receives(peer, "from the parent\n"));
    assert_true(sends(peer, "one\n"));
    pthread_join(thread, NULL);
    assert_int_equal(ended.code, PS_OK);
  }
}

/* ---- send ---- */

enum { MUCH = 8 << 20 }; /* more than the system takes when nobody receives */
static char much[MUCH];

/* Left alone, the system would make its buffers larger and larger. */
static void limit_buffers(void) {
  ps_option size = {.type = PS_NUMBER, .integral = 1, .integer = 65536};
  assert_int_equal(ps_socket_setoption(object, "send-buffer-size", size).status.code,
                   PS_OK);
  assert_int_equal(ps_socket_setoption(peer, "recv-buffer-size", size).status.code,
                   PS_OK);
}

static void *send_much(void *to) {
  ended = ps_socket_send(to, (ps_data){much, MUCH}, 1, -1, NULL).status;
  return NULL;
}

static void a_thread_sends(void **state) {
  (void)state;
  if (!ALLOCATOR_FORKS) skip();
  for (size_t i = 0; i < MUCH; i++) much[i] = (char)(i + i / 251);
  static char got[MUCH];
  limit_buffers();
  for (int way = 0; way < WAYS; way++) {
    pthread_t thread = start(send_much, object);
    assert_true(sends(peer, "for the child\n"));
    pid_t child = fork();
    if (child == 0) {
      check(receives(object, "for the child\n"));
      ps_socket_settimeout(object, 0, NULL);
      check(ps_socket_send(object, (ps_data){"", 0}, 1, -1, NULL).status.code == PS_OK);
      ps_socket *mine = object;
      object = NULL;
      end_object(way, mine);
    }
    expect_success(child);
    ps_filled filled = ps_socket_receiveinto(peer, (ps_room){got, MUCH}, -1, NULL);
    assert_int_equal(filled.status.code, PS_OK);
    pthread_join(thread, NULL);
    assert_int_equal(ended.code, PS_OK);
    assert_memory_equal(got, much, MUCH);
  }
}

/* ---- connect ---- */

/* An answer that nobody collected would be there at once. */
static const char *const slow_names[WAYS] = {"a.gate.test", "b.gate.test", "c.gate.test",
                                             "d.gate.test"};
static atomic_int name;

static void *connect_by_name(void *from) {
  ended =
      ps_socket_connect(from, slow_names[atomic_load(&name)], (ps_port){NULL, 80}, NULL)
          .status;
  return NULL;
}

static void a_thread_waits_for_a_name(void **state) {
  (void)state;
  if (!ALLOCATOR_FORKS) skip();
  for (int way = 0; way < WAYS; way++) {
    ps_socket *master = ps_tcp4().socket;
    atomic_store(&name, way);
    pthread_t thread = start(connect_by_name, master);
    while (gate_calls() <= way) sched_yield();
    pid_t child = fork();
    if (child == 0) {
      ps_socket_settimeout(master, 0, NULL);
      check(ps_socket_connect(master, "127.0.0.1", port_of(server), NULL).status.code !=
            PS_BUSY);
      ps_socket *mine = master;
      end_object(way, mine);
    }
    expect_success(child);
    assert_true((atomic_load(&master->state) & PS__CALLS) != 0); /* it still waits */
    ps_socket_close(master, NULL);
    pthread_join(thread, NULL);
    assert_int_equal(ended.code, PS_CLOSED);
    ps_socket_free(master, NULL);
    gate_pass_one();
    gate_wait_for_helpers(0);
  }
}

/* ---- select ---- */

static void *select_it(void *member) {
  ps_watch watch = {-1, 0, 0, 0, member};
  ended = ps_select((ps_sockets){&watch, 1}, (ps_sockets){NULL, 0}, -1, NULL).status;
  return NULL;
}

static void a_thread_selects(void **state) {
  (void)state;
  if (!ALLOCATOR_FORKS) skip();
  for (int way = 0; way < WAYS; way++) {
    pthread_t thread = start(select_it, object);
    pid_t child = fork();
    if (child == 0) {
      ps_watch watch = {-1, 0, 0, 0, object};
      ps_sockets set = {&watch, 1}, nobody = {NULL, 0};
      check(ps_select(set, nobody, 0, NULL).status.code == PS_TIMEOUT);
      check(ps_select(nobody, set, -1, NULL).status.code == PS_OK);
      ps_socket *mine = object;
      object = NULL;
      end_object(way, mine);
    }
    expect_success(child);
    assert_true(sends(peer, "x"));
    pthread_join(thread, NULL);
    assert_int_equal(ended.code, PS_OK);
    assert_true(receives(object, "x"));
  }
}

/* ---- close ---- */

/* A thread is in the object, so the descriptor is still there, and the child has a copy.
 */
static void a_thread_is_closing(void **state) {
  (void)state;
  ps__call call;
  assert_int_equal(ps__call_begin(&call, object, NULL, PS__CLIENT, PS__RECEIVING).code,
                   PS_OK);
  ps_socket_close(object, NULL);
  pid_t child = fork();
  if (child == 0) {
    ps_socket_free(object, NULL);
    check(receives(peer, "the end is near")); /* the child's copy is open no more */
    check(ps_socket_receiveany(peer, 0, NULL).status.code == PS_CLOSED);
    _exit(0);
  }
  assert_true(ps_socket_getfd(object).fd == -1);
  ps_data data = {"the end is near", 15};
  size_t sent;
  assert_int_equal(ps__os_send(call.fd, data.data, data.size, &sent), 0);
  ps__call_end(&call);
  expect_success(child);
}

/* ---- In the middle of a call ---- */

static atomic_int asked;

static int fork_once(ps_host *host) {
  (void)host;
  if (atomic_exchange(&asked, 1) != 0) return 0;
  pid_t child = fork();
  if (child == 0) return 0; /* and goes on with the call */
  int status = -1;
  if (waitpid(child, &status, 0) != child || status != 0) return 1;
  return 0;
}

static pid_t parent;

static void *receive_with_a_host(void *from) {
  ps_host host = {.interrupted = fork_once};
  ps_bytes got = ps_socket_receive(from, PS_LINE, none, 0, &host);
  ended = got.status;
  int in_child = getpid() != parent;
  const char *wanted = in_child ? "for the child" : "for the parent";
  if (got.size != strlen(wanted) || memcmp(got.data, wanted, got.size) != 0)
    ended.code = PS_OVERSIZED;
  if (!in_child) return NULL;
  check(ended.code == PS_OK);
  check(sends(from, "thanks\n"));
  ps_socket_free(from, NULL);
  _exit(0);
}

static void nothing(int number) { (void)number; }

static void a_child_goes_on_with_the_call(void **state) {
  (void)state;
  if (!ALLOCATOR_FORKS) skip();
  struct sigaction action = {.sa_handler = nothing}, before;
  sigaction(SIGUSR1, &action, &before);
  parent = getpid();
  atomic_store(&asked, 0);
  pthread_t thread = start(receive_with_a_host, object);
  while (!atomic_load(&asked)) {
    pthread_kill(thread, SIGUSR1);
    sched_yield();
  }
  assert_true(sends(peer, "for the child\n"));
  assert_true(receives(peer, "thanks\n"));
  assert_true(sends(peer, "for the parent\n"));
  pthread_join(thread, NULL);
  assert_int_equal(ended.code, PS_OK);
  sigaction(SIGUSR1, &before, NULL);
}

static atomic_int stays, may_leave;
static int status_of_child;

static void stay(ps_host *host) {
  (void)host;
  atomic_store(&stays, 1);
  while (!atomic_load(&may_leave)) sched_yield();
}

static void *stay_in_a_receive(void *from) {
  ps_host host = {.leave = stay};
  ended = ps_socket_receive(from, PS_LINE, none, 0, &host).status;
  return NULL;
}

/* In the child nobody replaces the descriptor, and another thread receives. */
static int fork_and_take_turns(ps_host *host) {
  (void)host;
  if (atomic_load(&may_leave)) return 0;
  pid_t child = fork();
  if (child == 0) {
    pthread_t other;
    check(pthread_create(&other, NULL, receive_line, object) == 0);
    while (ps__turn_calls(object) == 0) sched_yield();
    ps_socket_settimeout(object, 0, NULL);
    check(ps_socket_receive(object, PS_LINE, none, 0, NULL).status.code == PS_TIMEOUT);
    _exit(0);
  }
  if (waitpid(child, &status_of_child, 0) != child) status_of_child = -1;
  atomic_store(&may_leave, 1);
  return 0;
}

static void a_child_of_a_thread_that_was_replacing_waits_for_its_turn(void **state) {
  (void)state;
  if (!ALLOCATOR_FORKS) skip();
  int ends[2], old = ps_socket_getfd(object).fd;
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  atomic_store(&stays, 0);
  atomic_store(&may_leave, 0);
  pthread_t thread = start(stay_in_a_receive, object);
  while (!atomic_load(&stays)) sched_yield();
  ps_host host = {.interrupted = fork_and_take_turns};
  assert_int_equal(ps_socket_setfd(object, ends[0], &host).status.code, PS_OK);
  pthread_join(thread, NULL);
  assert_int_equal(ended.code, PS_CLOSED);
  assert_true(atomic_load(&may_leave));
  assert_int_equal(status_of_child, 0);
  close(old);
  close(ends[1]);
}

/* ---- At any moment ---- */

static atomic_int over;

static void *talk_to_oneself(void *context) {
  (void)context;
  while (!atomic_load(&over)) {
    if (!sends(peer, "line\n")) return "not sent";
    if (!receives(object, "line\n")) return "not received";
  }
  return NULL;
}

/* Where a fork may find the thread anywhere; what it was doing is not under way. */
static void a_thread_is_anywhere(void **state) {
  (void)state;
  if (!ALLOCATOR_FORKS) skip();
  atomic_store(&over, 0);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, talk_to_oneself, NULL), 0);
  for (int i = 0; i < 50; i++) {
    pid_t child = fork();
    if (child == 0) {
      ps_socket_settimeout(object, 0, NULL);
      check(ps_socket_getpeername(object).status.code == PS_OK);
      check(ps_socket_detach(server).status.code == PS_OK);
      /* Whatever the thread was changing, the child can receive. On a descriptor of its
         own, so that it does not take the parent's bytes. */
      int ends[2];
      check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 &&
            write(ends[1], "x", 1) == 1);
      check(ps_socket_setfd(object, ends[0], NULL).status.code == PS_OK);
      check(ps_socket_receiveany(object, 0, NULL).status.code == PS_OK);
      /* The parent's thread may have left bytes in its read buffer. */
      short code = ps_socket_detach(object).status.code;
      check(code == PS_OK || code == PS_BUFFERED);
      ps_socket_close(object, NULL);
      ps_socket_close(peer, NULL);
      _exit(0);
    }
    expect_success(child);
  }
  atomic_store(&over, 1);
  void *failure;
  pthread_join(thread, &failure);
  if (failure != NULL) fail_msg("%s", (const char *)failure);
}

int main(void) {
  gate_begin();
  const struct CMUnitTest tests[] = {
      fork_test(a_thread_accepts),
      fork_test(a_thread_receives),
      fork_test(a_thread_sends),
      fork_test(a_thread_waits_for_a_name),
      fork_test(a_thread_selects),
      fork_test(a_thread_is_closing),
      fork_test(a_child_goes_on_with_the_call),
      fork_test(a_child_of_a_thread_that_was_replacing_waits_for_its_turn),
      fork_test(a_thread_is_anywhere),
  };
  return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}
