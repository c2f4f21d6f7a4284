/* SPDX-License-Identifier: MIT */
/* fork at every moment of a call, on the real system: a thread is stopped before an
   instruction of the library, and while it waits, and the process is forked there. The
   child uses, closes and frees its copies; it waits for no thread of the parent, and
   takes nothing from it. The call then goes on as if nothing had been.

   test_fork_steps EVERY [CASE]: before one in EVERY instructions, at first one in 23. */

#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
/* cmocka wants four of the above before it. */
#include <cmocka.h>

#include "child.h"
#include "internal.h"
#include "steps.h"

static const ps_prefix none = {NULL, 0};
static const ps_port any_port = {NULL, 0};
static const ps_sockets nobody = {NULL, 0};

/* Of the process that is forked. The thread works on the object, or the server. */
static ps_socket *server, *object, *peer, *made;
static ps_poller *poller;
static ps_status ended;
static const char *got; /* valid until the next call of the thread */
static size_t got_size;

enum { LONG = 70000 }; /* a line that is longer than a read: the read buffer grows */

static ps_data text(const char *bytes) { return (ps_data){bytes, strlen(bytes)}; }

static int sends(ps_socket *from, const char *bytes) {
  return ps_socket_send(from, text(bytes), 1, -1, NULL).status.code == PS_OK;
}

static int receives(ps_socket *to, const char *bytes) {
  ps_bytes part = ps_socket_receive(to, PS_COUNT(strlen(bytes)), none, 0, NULL);
  return part.status.code == PS_OK && memcmp(part.data, bytes, strlen(bytes)) == 0;
}

static ps_port port_of(ps_socket *bound) {
  return (ps_port){NULL, ps_socket_getsockname(bound).port};
}

static void keep(ps_bytes bytes) {
  ended = bytes.status;
  got = bytes.data;
  got_size = bytes.size;
}

static int kept(const char *bytes) {
  return ended.code == PS_OK && got_size == strlen(bytes) &&
         memcmp(got, bytes, got_size) == 0;
}

static void prepare(void) {
  server = ps_bind("127.0.0.1", any_port, 8, NULL).socket;
  object =
      ps_connect("127.0.0.1", port_of(server), NULL, any_port, NULL, -1, NULL).socket;
  peer = ps_socket_accept(server, NULL).socket;
  if (object == NULL || peer == NULL) _exit(9);
}

/* ---- In the child ---- */

#define in_child(condition) \
  if (!(condition)) return __LINE__

/* Gives the object's number to a connection of the child's own, whose other end is left
   in *far. The parent's connection is not touched by what follows. */
static int replace_connection(ps_socket *mine, int *far) {
  struct sockaddr_in name = {.sin_family = AF_INET};
  socklen_t size = sizeof name;
  int listener = socket(AF_INET, SOCK_STREAM, 0), near = socket(AF_INET, SOCK_STREAM, 0);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  in_child(bind(listener, (struct sockaddr *)&name, size) == 0);
  in_child(listen(listener, 1) == 0);
  in_child(getsockname(listener, (struct sockaddr *)&name, &size) == 0);
  in_child(connect(near, (struct sockaddr *)&name, size) == 0);
  *far = accept(listener, NULL, NULL);
  in_child(dup2(near, ps_socket_getfd(mine).fd) >= 0);
  return 0;
}

/* The child receives to the end. What the thread had in the read buffer may come first:
   an end of what the peer sent to the parent, and nothing twice. */
static int use_connection(ps_socket *mine) {
  if (ps_socket_getfd(mine).fd < 0) return 0; /* the thread is closing it */
  static const char own[] = "for the child\n";
  int far = -1, line = replace_connection(mine, &far);
  if (line != 0) return line;
  in_child(write(far, own, sizeof own - 1) == sizeof own - 1);
  in_child(shutdown(far, SHUT_WR) == 0);
  in_child(ps_socket_settimeout(mine, 10, NULL).status.code == PS_OK);
  ps_bytes all = ps_socket_receive(mine, PS_ALL, none, 0, NULL);
  in_child(all.status.code == PS_OK && all.size >= sizeof own - 1);
  size_t before = all.size - (sizeof own - 1);
  in_child(memcmp(all.data + before, own, sizeof own - 1) == 0);
  static const char sent[] = "zero\none\ntwo\n";
  in_child(before <= sizeof sent - 1 || all.data[0] == 'm');
  in_child(before > sizeof sent - 1 ||
           memcmp(all.data, sent + sizeof sent - 1 - before, before) == 0 ||
           memcmp(all.data, sent + 5, before) == 0);
  in_child(sends(mine, "back"));
  char answer[4];
  in_child(read(far, answer, 4) == 4 && memcmp(answer, "back", 4) == 0);
  return 0;
}

static int look(ps_socket *mine) {
  ps_watch watch = {-1, 1, 0, 0, mine};
  in_child(ps_socket_settimeout(mine, 0, NULL).status.code == PS_OK);
  short code = ps_select(nobody, (ps_sockets){&watch, 1}, 0, NULL).status.code;
  in_child(code == PS_OK || code == PS_TIMEOUT);
  in_child(ps_socket_pending(mine).size <= LONG);
  in_child(ps_socket_getpeername(mine).status.code != PS_BUSY);
  in_child(ps_socket_getoption(mine, "keepalive").status.code != PS_BUSY);
  (void)ps_socket_getstats(mine);
  (void)ps_socket_dirty(mine);
  (void)ps_socket_wants(mine);
  return 0;
}

/* Each of the ways to end an object, in turn; `may_use`: one more is to use it. */
static int end_one(ps_socket *mine, int moment, int may_use) {
  switch (moment % 6) {
    case 0:
      in_child(ps_socket_close(mine, NULL).status.code == PS_OK);
      in_child(ps_socket_getfd(mine).fd == -1);
      break;
    case 1: {
      ps_detached taken = ps_socket_detach(mine);
      in_child(taken.status.code != PS_BUSY);
      in_child(taken.status.code != PS_OK || close(taken.fd) == 0);
      break;
    }
    case 2:
      in_child(ps_socket_setfd(mine, -1, NULL).status.code == PS_OK);
      in_child(ps_socket_pending(mine).size == 0);
      break;
    case 3: {
      int line = look(mine);
      if (line != 0) return line;
      break;
    }
    case 4: {
      int line = may_use ? use_connection(mine) : 0;
      if (line != 0) return line;
      break;
    }
    default:
      break;
  }
  ps_socket_free(mine, NULL);
  return 0;
}

/* Objects of the child's own work, whatever the thread of the parent was doing. */
static int work_alone(void) {
  ps_socket *own = ps_bind("127.0.0.1", any_port, 1, NULL).socket;
  in_child(own != NULL);
  ps_socket *client =
      ps_connect("127.0.0.1", port_of(own), NULL, any_port, NULL, 10, NULL).socket;
  in_child(client != NULL);
  ps_pollerobject queue = ps_poller_make();
  in_child(queue.status.code == PS_OK);
  in_child(ps_poller_add(queue.poller, (ps_source){own, -1}, "r", own).status.code ==
           PS_OK);
  ps_polled found = ps_poller_wait(queue.poller, 10, 0, NULL);
  in_child(found.count == 1 && found.events[0].token == own);
  ps_socket_free(client, NULL);
  ps_socket_free(own, NULL);
  ps_poller_free(queue.poller);
  return 0;
}

static int child_of(int moment, ps_socket *mine, int may_use) {
  int line = end_one(mine, moment, may_use);
  if (line == 0 && moment % 6 == 5) line = work_alone();
  if (line == 0) ps_socket_free(peer, NULL);
  return line;
}

static int at_fork(int moment, int (*child)(int)) {
  pid_t process = fork();
  if (process == 0) {
    alarm(30);
    int line = child(moment);
    /* A line may be a multiple of 256. */
    _exit(line == 0 ? 0 : line % 255 + 1);
  }
  steps_forked();
  int status = -1;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFSIGNALED(status)) return 10000 + WTERMSIG(status);
  return WEXITSTATUS(status);
}

static int with_object(int moment) { return child_of(moment, object, 1); }
static int with_master(int moment) { return child_of(moment, object, 0); }
static int with_server(int moment) { return child_of(moment, server, 0); }
static int at_object(int moment) { return at_fork(moment, with_object); }
static int at_master(int moment) { return at_fork(moment, with_master); }
static int at_server(int moment) { return at_fork(moment, with_server); }

/* ---- The calls ---- */

/* In the parent, after the call: the connection is as good as before. */
static int is_alive(void) {
  in_child(sends(peer, "still\n") && receives(object, "still\n"));
  in_child(sends(object, "here\n") && receives(peer, "here\n"));
  return 0;
}

static void receive_line(void) {
  keep(ps_socket_receive(object, PS_LINE, none, 0, NULL));
}
static void feed_line(int stage) {
  if (stage < 2) sends(peer, stage == 0 ? "on" : "e\n");
}
static int got_line(void) {
  in_child(kept("one"));
  return is_alive();
}

static void prepare_lines(void) {
  prepare();
  sends(peer, "zero\none\ntwo\n");
  if (!receives(object, "zero\n")) _exit(8);
}
static int got_buffered_line(void) {
  in_child(kept("one") && receives(object, "two\n"));
  return is_alive();
}

static void receive_until(void) {
  keep(ps_socket_receiveuntil(object, text("\n"), none, 0, NULL));
}

static void receive_any(void) { keep(ps_socket_receiveany(object, 0, NULL)); }
static void feed_once(int stage) {
  if (stage == 0) sends(peer, "one");
}

static void *grow(ps_host *host, size_t size) {
  static void *memory;
  (void)host;
  if (size == 0) return NULL;
  void *larger = realloc(memory, size);
  if (larger != NULL) memory = larger;
  return larger;
}
static void receive_much(void) {
  ps_host host = {.grow = grow, .mode = PS_HOST_LEND};
  keep(ps_socket_receive(object, PS_COUNT(40000), none, 0, &host));
}
static void feed_much(int stage) {
  static char much[40000];
  memset(much, 'm', sizeof much);
  if (stage == 0) sends(peer, "m");
  if (stage == 1) ps_socket_send(peer, (ps_data){much, 20000}, 1, -1, NULL);
  if (stage == 2) ps_socket_send(peer, (ps_data){much, 19999}, 1, -1, NULL);
}
static int got_much(void) {
  in_child(ended.code == PS_OK && got_size == 40000);
  for (size_t i = 0; i < got_size; i++) in_child(got[i] == 'm');
  return is_alive();
}

static void prepare_long(void) {
  static char line[LONG];
  prepare();
  memset(line, 'm', sizeof line);
  line[LONG - 1] = '\n';
  ps_option size = {.type = PS_NUMBER, .integral = 1, .integer = 1 << 20};
  ps_socket_setoption(peer, "send-buffer-size", size);
  ps_socket_setoption(object, "recv-buffer-size", size);
  ps_socket_send(peer, (ps_data){line, LONG}, 1, -1, NULL);
}
static int got_long(void) {
  in_child(ended.code == PS_OK && got_size == LONG - 1);
  for (size_t i = 0; i < got_size; i++) in_child(got[i] == 'm');
  return is_alive();
}

enum { MUCH = 1 << 20 };
static char much_sent[MUCH];
static size_t drained;
static void prepare_send(void) {
  prepare();
  ps_option size = {.type = PS_NUMBER, .integral = 1, .integer = 65536};
  ps_socket_setoption(object, "send-buffer-size", size);
  ps_socket_setoption(peer, "recv-buffer-size", size);
}
static void send_much(void) {
  ended = ps_socket_send(object, (ps_data){much_sent, MUCH}, 1, -1, NULL).status;
}
static void drain(int stage) {
  (void)stage;
  ps_socket_settimeout(peer, 0.01, NULL);
  for (;;) {
    ps_bytes part = ps_socket_receiveany(peer, 0, NULL);
    if (part.status.code != PS_OK) break;
    drained += part.size;
  }
  ps_socket_settimeout(peer, -1, NULL);
}
static int sent_much(void) {
  drain(0);
  in_child(ended.code == PS_OK && drained == MUCH);
  return is_alive();
}

static void prepare_server(void) {
  server = ps_bind("127.0.0.1", any_port, 8, NULL).socket;
  if (server == NULL) _exit(9);
}
static void accept_one(void) {
  ps_object found = ps_socket_accept(server, NULL);
  ended = found.status;
  made = found.socket;
}
static void feed_caller(int stage) {
  if (stage == 0)
    peer =
        ps_connect("127.0.0.1", port_of(server), NULL, any_port, NULL, -1, NULL).socket;
}
static int got_caller(void) {
  in_child(ended.code == PS_OK);
  object = made;
  return is_alive();
}

static void prepare_master(void) {
  prepare_server();
  object = ps_tcp().socket;
  if (object == NULL) _exit(9);
}
static const char *address = "127.0.0.1";
static void connect_one(void) {
  ended = ps_socket_connect(object, address, port_of(server), NULL).status;
}
static int connected(void) {
  in_child(ended.code == PS_OK);
  peer = ps_socket_accept(server, NULL).socket;
  in_child(peer != NULL);
  return is_alive();
}
static void prepare_name(void) {
  setenv("TEST_NAMES", "slow.test 0.2 127.0.0.1", 1);
  address = "slow.test";
  prepare_master();
}
static void wait_longer(int stage) { (void)stage; }

static void select_one(void) {
  ps_watch watch = {-1, 0, 0, 0, object};
  ended = ps_select((ps_sockets){&watch, 1}, nobody, -1, NULL).status;
  if (!watch.ready) ended.code = PS_BUSY;
}
static int selected(void) {
  in_child(ended.code == PS_OK && receives(object, "one"));
  return is_alive();
}

static void prepare_poller(void) {
  prepare();
  poller = ps_poller_make().poller;
  if (poller == NULL) _exit(9);
  ps_poller_add(poller, (ps_source){peer, -1}, "r", peer);
  ps_poller_add(poller, (ps_source){object, -1}, "r", object);
}
static void wait_for_one(void) {
  ps_polled found = ps_poller_wait(poller, -1, 0, NULL);
  ended = found.status;
  if (found.count != 1 || found.events[0].token != object) ended.code = PS_BUSY;
}
static void change_members(void) {
  ended = ps_poller_modify(poller, (ps_source){object, -1}, "rw", object).status;
  if (ended.code == PS_OK)
    ended = ps_poller_remove(poller, (ps_source){object, -1}).status;
  if (ended.code == PS_OK)
    ended = ps_poller_add(poller, (ps_source){object, -1}, "r", object).status;
}
static int members_are_there(void) {
  in_child(ended.code == PS_OK && ps_poller_count(poller).size == 2);
  sends(peer, "one");
  wait_for_one();
  return selected();
}
/* The child's first call on the poller makes a queue of its own. */
static int with_poller(int moment) {
  if (moment % 2 == 0) {
    ps_polled found = ps_poller_wait(poller, 0, 0, NULL);
    in_child(found.status.code == PS_OK || found.status.code == PS_TIMEOUT);
    (void)ps_poller_add(poller, (ps_source){server, -1}, "r", server);
    in_child(ps_poller_count(poller).size > 0);
  }
  if (moment % 3 == 0) ps_poller_free(poller);
  int line = child_of(moment, object, 0);
  if (line == 0 && moment % 3 != 0) ps_poller_free(poller);
  return line;
}
static int at_poller(int moment) { return at_fork(moment, with_poller); }

static void close_it(void) { ended = ps_socket_close(object, NULL).status; }
static int is_closed_here(void) {
  in_child(ended.code == PS_OK && ps_socket_getfd(object).fd == -1);
  in_child(ps_socket_receiveany(peer, 0, NULL).status.code == PS_CLOSED);
  return 0;
}

static void set_another(void) {
  int fd = dup(ps_socket_getfd(object).fd), before = ps_socket_getfd(object).fd;
  ended = ps_socket_setfd(object, fd, NULL).status;
  close(before);
}
static int is_set(void) {
  in_child(ended.code == PS_OK);
  return is_alive();
}

static void small_calls(void) {
  ps_option on = {.type = PS_FLAG, .flag = 1};
  ps_socket_settimeout(object, 5, "t");
  ps_socket_setdeadline(object, 100);
  ps_socket_setstats(object, 1, 2, 3);
  (void)ps_socket_getpeername(object);
  ended = ps_socket_setoption(object, "keepalive", on).status;
  ps_object one = ps_tcp4();
  ps_socket_free(one.socket, NULL);
  ps_socket_shutdown(object, "receive");
}
static int small_calls_are_done(void) {
  in_child(ended.code == PS_OK);
  in_child(sends(object, "here\n") && receives(peer, "here\n"));
  return 0;
}

static void prepare_nothing(void) {}

/* The first call of all in the process. A child's child works, too. */
static void bind_first(void) {
  made = ps_bind("127.0.0.1", any_port, 8, NULL).socket;
  ended.code = (short)(made != NULL ? PS_OK : PS_NOMEMORY);
}
static int with_a_child(int moment) {
  (void)moment;
  int line = work_alone(), status = 0;
  if (line != 0) return line;
  pid_t grandchild = fork();
  if (grandchild != 0 && waitpid(grandchild, &status, 0) != grandchild) return __LINE__;
  return status != 0 ? __LINE__ : work_alone();
}
static int at_first(int moment) { return at_fork(moment, with_a_child); }
static int is_bound(void) {
  in_child(ended.code == PS_OK);
  return work_alone();
}
/* The shortest of all, and so before every instruction. */
static void wake_nobody(void) { ps__os_wake(); }
static int with_waker(int moment) {
  ps__waker waker;
  (void)moment;
  ps__os_waker_begin(&waker);
  ps__os_wake();
  ps__os_waker_end(&waker);
  return 0;
}
static int at_wake(int moment) { return at_fork(moment, with_waker); }

static const steps_case cases[] = {
    {"a wake", prepare_nothing, wake_nobody, at_wake, wait_longer, work_alone},
    {"the first call", prepare_nothing, bind_first, at_first, wait_longer, is_bound},
    {"a line", prepare, receive_line, at_object, feed_line, got_line},
    {"a buffered line", prepare_lines, receive_line, at_object, feed_line,
     got_buffered_line},
    {"a long line", prepare_long, receive_line, at_object, feed_line, got_long},
    {"until", prepare, receive_until, at_object, feed_line, got_line},
    {"any", prepare, receive_any, at_object, feed_once, got_line},
    {"a count", prepare, receive_much, at_object, feed_much, got_much},
    {"send", prepare_send, send_much, at_object, drain, sent_much},
    {"accept", prepare_server, accept_one, at_server, feed_caller, got_caller},
    {"connect", prepare_master, connect_one, at_master, wait_longer, connected},
    {"connect by name", prepare_name, connect_one, at_master, wait_longer, connected},
    {"select", prepare, select_one, at_object, feed_once, selected},
    {"a poller waits", prepare_poller, wait_for_one, at_poller, feed_once, selected},
    {"a poller changes", prepare_poller, change_members, at_poller, wait_longer,
     members_are_there},
    {"close", prepare, close_it, at_object, wait_longer, is_closed_here},
    {"setfd", prepare, set_another, at_object, wait_longer, is_set},
    {"small calls", prepare, small_calls, at_object, wait_longer, small_calls_are_done},
};

static int every = 23;

static void forks_at_every_moment(void **state) {
  const steps_case *it = *state;
  if (!ALLOCATOR_FORKS) skip();
  int step = it->call == wake_nobody ? 1 : every;
  assert_true(steps_test(it, step) * step > 20);
}

int main(int count, char **words) {
  if (count > 1) every = atoi(words[1]);
  if (count > 2) cmocka_set_test_filter(words[2]);
  enum { COUNT = sizeof cases / sizeof *cases };
  struct CMUnitTest tests[COUNT];
  for (size_t i = 0; i < COUNT; i++)
    tests[i] = (struct CMUnitTest){cases[i].name, forks_at_every_moment, NULL, NULL,
                                   (void *)&cases[i]};
  return cmocka_run_group_tests_name("fork_steps", tests, NULL, NULL);
}
