/* SPDX-License-Identifier: MIT */
/* The core on the real system, core/os_posix.c, over the loopback: what a simulation
   cannot show. Ports are the system's choice, and nothing sleeps in order to be on time:
   threads are waited for, and elapsed times have a floor and only a generous ceiling. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
/* cmocka wants some of the above before it. */
#include <cmocka.h>
#include <errno.h>

#include "internal.h"

enum { CEILING = 5 }; /* seconds that a busy machine may take longer */

static const ps_prefix none = {NULL, 0};

static ps_port port(long long number) { return (ps_port){NULL, number}; }

static void expect_at(ps_status status, short code, int at) {
  char words[PS_WORDS];
  if (status.code != code)
    print_error("line %d: '%s' (%d)\n", at, ps_status_words(status, words), status.code);
  assert_int_equal(status.code, code);
}
#define expect(result, code) expect_at((result).status, code, __LINE__)

/* Two ends of a connection, and the server that made them meet. */
typedef struct pair {
  ps_socket *server, *client, *peer;
} pair;

static pair connected(void) {
  pair made;
  ps_object got = ps_bind("127.0.0.1", port(0), 5, NULL);
  expect(got, PS_OK);
  made.server = got.socket;
  ps_address name = ps_socket_getsockname(made.server);
  got = ps_connect("127.0.0.1", port(name.port), NULL, port(0), NULL, -1, NULL);
  expect(got, PS_OK);
  made.client = got.socket;
  got = ps_socket_accept(made.server, NULL);
  expect(got, PS_OK);
  made.peer = got.socket;
  return made;
}

static void freed(pair made) {
  ps_socket_free(made.client, NULL);
  ps_socket_free(made.peer, NULL);
  ps_socket_free(made.server, NULL);
}

static ps_bytes line(ps_socket *c, ps_host *host) {
  return ps_socket_receive(c, PS_LINE, none, 0, host);
}

static ps_sent send_text(ps_socket *c, const char *text) {
  return ps_socket_send(c, (ps_data){text, strlen(text)}, 1, -1, NULL);
}

static void expect_text(ps_bytes got, const char *text) {
  assert_int_equal(got.head_size + got.size, strlen(text));
  if (got.size > 0) assert_memory_equal(got.data, text + got.head_size, got.size);
}

/* ---- Descriptors ---- */

static void expect_private(int fd) {
  assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
}

static void descriptors_are_private(void **state) {
  (void)state;
  pair p = connected();
  expect_private(ps_socket_getfd(p.server).fd);
  expect_private(ps_socket_getfd(p.client).fd);
  expect_private(ps_socket_getfd(p.peer).fd);
  freed(p);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  ps_object got = ps_fromfd(fd, "master");
  expect(got, PS_OK);
  expect_private(fd);
  ps_socket_free(got.socket, NULL);
  assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void a_descriptor_keeps_its_number_when_its_family_changes(void **state) {
  (void)state;
  int fd = -1, family = 0;
  assert_int_equal(ps__os_socket(4, &fd), 0);
  int made = -1;
  if (ps__os_socket(6, &made) != 0) skip();
  assert_int_equal(ps__os_replace(made, &fd), 0);
  assert_int_equal(fcntl(made, F_GETFD), -1);
  expect_private(fd);
  assert_int_equal(ps__os_adopt(fd, &family), 0);
  assert_int_equal(family, 6);
  ps_option value = {PS_NIL, 0, 0, 0, 0, ""};
  assert_int_equal(ps__os_getoption(fd, PS__OPTION_V6ONLY, &value), 0);
  assert_int_equal(value.integer, 1);
  assert_int_equal(ps__os_close(fd), 0);
}

static void only_tcp_is_adopted(void **state) {
  (void)state;
  int pipes[2], pairs[2], udp = socket(AF_INET, SOCK_DGRAM, 0);
  assert_int_equal(pipe(pipes), 0);
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs), 0);
  expect(ps_fromfd(udp, "client"), PS_BADFAMILY);
  expect(ps_fromfd(pairs[0], "client"), PS_BADFAMILY);
  assert_int_equal(ps_fromfd(pipes[0], "client").status.system, ENOTSOCK);
  close(udp);
  assert_int_equal(ps_fromfd(udp, "client").status.system, EBADF);
  close(pipes[0]);
  close(pipes[1]);
  close(pairs[0]);
  close(pairs[1]);
}

static void sigpipe_stays_as_it_was(void **state) {
  (void)state;
  struct sigaction before, after;
  sigaction(SIGPIPE, NULL, &before);
  assert_true(before.sa_handler == SIG_DFL);
  pair p = connected();
  ps_option off = {.type = PS_LINGER, .flag = 1, .number = 0};
  expect(ps_socket_setoption(p.peer, "linger", off), PS_OK);
  ps_socket_close(p.peer, NULL);
  ps_status status = {PS_OK, 0, 0, NULL};
  for (int i = 0; i < 3; i++) status = send_text(p.client, "x").status;
  assert_int_equal(status.code, PS_CLOSED);
  sigaction(SIGPIPE, NULL, &after);
  assert_true(after.sa_handler == SIG_DFL);
  freed(p);
}

/* ---- Talking ---- */

static void two_ends_talk(void **state) {
  (void)state;
  pair p = connected();
  expect(send_text(p.client, "he\rllo\r\nrest"), PS_OK);
  expect_text(line(p.peer, NULL), "hello");
  ps_socket_settimeout(p.peer, 0.02, NULL);
  double start = ps_monotime();
  ps_bytes got = line(p.peer, NULL);
  expect(got, PS_TIMEOUT);
  expect_text(got, "rest");
  assert_true(ps_monotime() - start >= 0.02);
  assert_true(ps_monotime() - start < 0.02 + CEILING);
  expect(ps_socket_shutdown(p.client, "send"), PS_OK);
  expect(line(p.peer, NULL), PS_CLOSED);
  ps_address mine = ps_socket_getsockname(p.client),
             theirs = ps_socket_getpeername(p.peer);
  assert_string_equal(mine.ip, "127.0.0.1");
  assert_string_equal(theirs.family, "inet");
  assert_int_equal(mine.port, theirs.port);
  assert_int_equal(ps_socket_getpeername(p.server).status.code, PS_SYSTEM);
  freed(p);
}

enum { BLOCK = 8 * 1024 * 1024 };

static void *send_block(void *socket) {
  char *block = malloc(BLOCK);
  for (size_t i = 0; i < BLOCK; i++) block[i] = (char)(i * 7 + i / 251);
  ps_socket_send(socket, (ps_data){block, BLOCK}, 1, -1, NULL);
  ps_socket_shutdown(socket, "send");
  free(block);
  return NULL;
}

static void a_large_block_arrives(void **state) {
  (void)state;
  pair p = connected();
  pthread_t sender;
  pthread_create(&sender, NULL, send_block, p.client);
  ps_bytes got = ps_socket_receive(p.peer, PS_ALL, none, 0, NULL);
  pthread_join(sender, NULL);
  expect(got, PS_OK);
  assert_int_equal(got.size, BLOCK);
  for (size_t i = 0; i < BLOCK; i++)
    if (got.data[i] != (char)(i * 7 + i / 251)) fail();
  freed(p);
}

/* As in a program that has closed its standard input: each of three objects has it once.
 */
static void number_0_is_a_socket_like_others(void **state) {
  (void)state;
  int before = dup(0);
  for (int which = 0; which < 3; which++) {
    pair p;
    if (which == 0) close(0);
    p.server = ps_bind("127.0.0.1", port(0), 5, NULL).socket;
    assert_non_null(p.server);
    ps_port there = port(ps_socket_getsockname(p.server).port);
    if (which == 1) close(0);
    p.client = ps_connect("127.0.0.1", there, NULL, port(0), NULL, -1, NULL).socket;
    assert_non_null(p.client);
    if (which == 2) close(0);
    p.peer = ps_socket_accept(p.server, NULL).socket;
    assert_non_null(p.peer);
    ps_socket *its = which == 0 ? p.server : which == 1 ? p.client : p.peer;
    assert_int_equal(ps_socket_getfd(its).fd, 0);
    ps_socket_settimeout(its, 0.01, NULL);
    if (which == 0) {
      assert_int_equal(ps_socket_accept(its, NULL).status.code, PS_TIMEOUT);
    } else {
      ps_socket *other = which == 1 ? p.peer : p.client;
      expect(line(its, NULL), PS_TIMEOUT);
      expect(send_text(other, "there\n"), PS_OK);
      ps_watch watch = {-1, 0, 0, 0, its};
      expect(ps_select((ps_sockets){&watch, 1}, (ps_sockets){NULL, 0}, -1, NULL), PS_OK);
      assert_int_equal(watch.ready, 1);
      ps_socket_settimeout(its, -1, NULL);
      expect_text(line(its, NULL), "there");
      expect(send_text(its, "and back\n"), PS_OK);
      expect_text(line(other, NULL), "and back");
    }
    expect(ps_socket_close(its, NULL), PS_OK);
    assert_int_equal(ps_socket_getfd(its).fd, -1);
    assert_int_equal(fcntl(0, F_GETFD), -1);
    freed(p);
    if (before >= 0) dup2(before, 0);
  }
  close(before);
}

static void a_refused_connect_leaves_a_master(void **state) {
  (void)state;
  ps_socket *server = ps_bind("127.0.0.1", port(0), 5, NULL).socket;
  ps_socket *gone = ps_bind("127.0.0.1", port(0), 5, NULL).socket;
  int there = ps_socket_getsockname(server).port,
      nobody = ps_socket_getsockname(gone).port;
  ps_socket_free(gone, NULL);
  ps_socket *m = ps_tcp().socket;
  expect(ps_socket_connect(m, "127.0.0.1", port(nobody), NULL), PS_REFUSED);
  assert_string_equal(ps_socket_getkind(m).text, "master");
  expect(ps_socket_connect(m, "127.0.0.1", port(there), NULL), PS_OK);
  expect(ps_socket_connect(m, "127.0.0.1", port(there), NULL), PS_CONNECTED);
  ps_object again = ps_bind("127.0.0.1", port(there), 5, NULL);
  expect(again, PS_INUSE);
  ps_socket_free(m, NULL);
  ps_socket_free(server, NULL);
}

static void a_connect_that_does_not_wait_is_finished_later(void **state) {
  (void)state;
  ps_socket *server = ps_bind("127.0.0.1", port(0), 5, NULL).socket;
  int there = ps_socket_getsockname(server).port;
  ps_socket *m = ps_tcp4().socket;
  ps_socket_settimeout(m, 0, NULL);
  ps_status status = ps_socket_connect(m, "127.0.0.1", port(there), NULL).status;
  if (status.code == PS_TIMEOUT) {
    ps_watch watch = {ps_socket_getfd(m).fd, 1, 0, 0, NULL};
    expect(ps_select((ps_sockets){NULL, 0}, (ps_sockets){&watch, 1}, -1, NULL), PS_OK);
    status = ps_socket_connect(m, "127.0.0.1", port(there), NULL).status;
  }
  assert_int_equal(status.code, PS_OK);
  assert_string_equal(ps_socket_getkind(m).text, "client");
  ps_socket_free(m, NULL);
  ps_socket_free(server, NULL);
}

static void ipv6_is_spoken(void **state) {
  (void)state;
  ps_object got = ps_bind("::1", port(0), 5, NULL);
  if (got.status.code != PS_OK) skip();
  ps_address name = ps_socket_getsockname(got.socket);
  assert_string_equal(name.ip, "::1");
  assert_string_equal(name.family, "inet6");
  ps_object client = ps_connect6("::1", port(name.port), NULL, port(0), -1, NULL);
  expect(client, PS_OK);
  ps_socket_free(client.socket, NULL);
  ps_socket_free(got.socket, NULL);
}

/* ---- Options ---- */

static void options_reach_the_system(void **state) {
  (void)state;
  pair p = connected();
  static const char *const flags[] = {"keepalive", "reuseaddr", "reuseport",
                                      "tcp-nodelay"};
  for (int i = 0; i < 4; i++)
    for (int on = 1; on >= 0; on--) {
      ps_option value = {.type = PS_FLAG, .flag = on};
      expect(ps_socket_setoption(p.client, flags[i], value), PS_OK);
      assert_int_equal(ps_socket_getoption(p.client, flags[i]).value.flag, on);
    }
  ps_option seconds = {.type = PS_NUMBER, .number = 1.5};
  expect(ps_socket_setoption(p.client, "tcp-user-timeout", seconds), PS_OK);
  assert_true(ps_socket_getoption(p.client, "tcp-user-timeout").value.number == 1.5);
  ps_option linger = {.type = PS_LINGER, .flag = 1, .number = 7};
  expect(ps_socket_setoption(p.client, "linger", linger), PS_OK);
  assert_true(ps_socket_getoption(p.client, "linger").value.number == 7);
  ps_option idle = {.type = PS_NUMBER, .integral = 1, .integer = 33};
  expect(ps_socket_setoption(p.client, "tcp-keepidle", idle), PS_OK);
  assert_int_equal(ps_socket_getoption(p.client, "tcp-keepidle").value.integer, 33);
  idle.integer = -5;
  assert_int_equal(ps_socket_setoption(p.client, "tcp-keepidle", idle).status.system,
                   EINVAL);
  idle.integer = 1LL << 40;
  assert_int_equal(ps_socket_setoption(p.client, "tcp-keepidle", idle).status.system,
                   EINVAL);
  assert_string_equal(ps_socket_getoption(p.client, "bindtodevice").value.text, "");
  ps_option device = {.type = PS_TEXT, .text = "no-such-device"};
  assert_int_not_equal(ps_socket_setoption(p.client, "bindtodevice", device).status.code,
                       PS_OK);
  assert_int_equal(ps_socket_getoption(p.client, "error").value.type, PS_NIL);
  /* It is an IPv4 one, and the system says so. */
  assert_int_not_equal(ps_socket_getoption(p.client, "ipv6-v6only").status.code, PS_OK);
  freed(p);
}

/* ---- Words ---- */

/* The list of the core has no words of its own make. */
static void words_are_those_of_linux(void **state) {
  (void)state;
#ifdef __GLIBC__
  static const int numbers[] = {
#define PS_ERRNO(number, code)
#define PS_ERRNO_WORDS(number, words) number,
#include "errno.def"
#undef PS_ERRNO
#undef PS_ERRNO_WORDS
  };
  char buffer[PS_WORDS];
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    assert_string_equal(ps_status_words(ps__error_system(numbers[i]), buffer),
                        strerror(numbers[i]));
#else
  skip();
#endif
}

static void words_do_not_follow_the_locale(void **state) {
  (void)state;
  static const char *const locales[] = {"C", "de_DE.UTF-8", "fr_FR.UTF-8", "ja_JP.UTF-8",
                                        ""};
  setenv("LANGUAGE", "de:fr", 1);
  for (int i = 0; i < 5; i++) {
    setlocale(LC_ALL, locales[i]);
    char buffer[PS_WORDS];
    assert_string_equal(ps_status_words(ps__error_system(ECONNREFUSED), buffer),
                        "connection refused");
    assert_string_equal(ps_status_words(ps__error_system(EHOSTUNREACH), buffer),
                        "No route to host");
    assert_string_equal(ps_status_words(ps__error_system(EMFILE), buffer),
                        "Too many open files");
    assert_string_equal(ps_status_words(ps__error_system(123456), buffer),
                        "unknown error");
    assert_string_equal(ps_status_words(ps__error_system(-1), buffer), "unknown error");
    assert_string_equal(ps_status_words(ps__error_system(ENOTCONN), buffer),
                        "Transport endpoint is not connected");
    assert_string_equal(ps_status_words(ps__error_system(EADDRNOTAVAIL), buffer),
                        "Cannot assign requested address");
    assert_string_equal(ps_status_words(ps__error_system(EALREADY), buffer),
                        "Operation already in progress");
  }
  setlocale(LC_ALL, "C");
  assert_int_equal(ps__os_code(0), PS_OK);
  static const struct {
    int number;
    short code;
  } known[] = {{ECONNRESET, PS_CLOSED},    {ECONNABORTED, PS_CLOSED},
               {EPIPE, PS_CLOSED},         {ETIMEDOUT, PS_TIMEOUT},
               {ECONNREFUSED, PS_REFUSED}, {EADDRINUSE, PS_INUSE},
               {EISCONN, PS_CONNECTED},    {EACCES, PS_PERMISSION},
               {ENOMEM, PS_NOMEMORY},      {EMFILE, PS_SYSTEM}};
  for (int i = 0; i < 10; i++)
    assert_int_equal(ps__os_code(known[i].number), known[i].code);
}

/* ---- Names ---- */

static void addresses_are_read_in_place(void **state) {
  (void)state;
  static const char *const good[] = {"127.0.0.1", "::1", "10.0.0.1", "fe80::1"};
  for (int i = 0; i < 4; i++) {
    ps__lookup lookup = {good[i], "80", 0, PS__NUMERIC, {PS_OK, 0, 0, NULL},
                         NULL,    "",   ""};
    ps__os_resolve(&lookup);
    expect(lookup, PS_OK);
    assert_string_equal(lookup.records->ip, good[i]);
    assert_int_equal(lookup.records->addr.family, strchr(good[i], ':') != NULL ? 6 : 4);
    assert_null(lookup.records->next);
    ps__os_realloc(lookup.records, 0);
  }
  static const char *const bad[] = {"localhost", "hang.test", "300.1.1.1", "1.2.3.4.5",
                                    ""};
  for (int i = 0; i < 5; i++) {
    ps__lookup lookup = {bad[i], "80", 0, PS__NUMERIC, {PS_OK, 0, 0, NULL}, NULL, "", ""};
    ps__os_resolve(&lookup);
    expect(lookup, PS_NONAME);
    assert_null(lookup.records);
  }
}

static void the_local_host_has_names(void **state) {
  (void)state;
  ps_resolved host = ps_dns_toip("localhost", -1, NULL);
  expect(host, PS_OK);
  assert_string_equal(host.text, "127.0.0.1");
  ps_resolved_free(host.ips);
  ps_resolved_free(host.aliases);
  ps_addresses all = ps_dns_getaddrinfo("localhost", -1, NULL);
  expect(all, PS_OK);
  assert_non_null(all.entries);
  ps_resolved_free(all.entries);
  ps_names names = ps_dns_getnameinfo("127.0.0.1", "80", -1, NULL);
  expect(names, PS_OK);
  assert_non_null(names.names);
  ps_resolved_free(names.names);
  ps_hostname name = ps_dns_gethostname();
  expect(name, PS_OK);
  assert_true(name.text[0] != '\0');
  assert_int_not_equal(ps_dns_toip("", -1, NULL).status.code, PS_OK);
}

static void a_resolver_that_hangs_is_left_to_itself(void **state) {
  (void)state;
  ps_socket *m = ps_tcp().socket;
  for (int mode = 0; mode < 3; mode++) {
    double start = ps_monotime();
    ps_socket_settimeout(m, mode == 0 ? 0.05 : -1, "b");
    ps_socket_settimeout(m, mode == 1 ? 0.05 : -1, "t");
    ps_socket_setdeadline(m, mode == 2 ? 0.05 : INFINITY);
    expect(ps_socket_connect(m, "hang.test", port(80), NULL), PS_TIMEOUT);
    assert_true(ps_monotime() - start >= 0.05);
    assert_true(ps_monotime() - start < 0.05 + CEILING);
    assert_string_equal(ps_socket_getkind(m).text, "master");
  }
  ps_socket_free(m, NULL);
}

/* ---- Waits and signals ---- */

static void many_are_waited_for(void **state) {
  (void)state;
  enum { MANY = 100 };
  pair p = connected();
  ps_watch watches[MANY];
  for (int i = 0; i < MANY; i++) watches[i] = (ps_watch){-1, 0, 0, 1, NULL};
  watches[77].fd = ps_socket_getfd(p.peer).fd;
  ps_sockets reads = {watches, MANY}, nobody = {NULL, 0};
  double start = ps_monotime();
  expect(ps_select(reads, nobody, 0.0101, NULL), PS_TIMEOUT);
  assert_true(ps_monotime() - start >= 0.0101);
  expect(send_text(p.client, "x"), PS_OK);
  expect(ps_select(reads, nobody, -1, NULL), PS_OK);
  for (int i = 0; i < MANY; i++) assert_int_equal(watches[i].ready, i == 77);
  freed(p);
  start = ps_monotime();
  expect(ps_sleep(0.0101, NULL), PS_OK);
  assert_true(ps_monotime() - start >= 0.0101);
  assert_true(ps_gettime() > 1e9);
  assert_true(ps_setsize().size > 0);
}

static int stops;
static int stop(ps_host *host) {
  (void)host;
  stops++;
  return 1;
}
static void nothing(int number) { (void)number; }

/* The timer goes on until it is taken away, so that none comes too early to be noticed.
 */
static void ring(int on) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on ? nothing : SIG_IGN;
  sigaction(SIGALRM, &action, NULL);
  struct itimerval every = {{0, on ? 5000 : 0}, {0, on ? 5000 : 0}};
  setitimer(ITIMER_REAL, &every, NULL);
}

static void a_signal_reaches_the_host(void **state) {
  (void)state;
  ps_host host = {.interrupted = stop};
  pair p = connected();
  expect(send_text(p.client, "half"), PS_OK);
  ring(1);
  expect(line(p.peer, &host), PS_INTERRUPTED);
  expect(ps_sleep(INFINITY, &host), PS_INTERRUPTED);
  expect(ps_socket_accept(p.server, &host), PS_INTERRUPTED);
  double start = ps_monotime();
  expect(ps_sleep(0.05, NULL), PS_OK);
  assert_true(ps_monotime() - start >= 0.05);
  ring(0);
  assert_true(stops >= 3);
  expect(send_text(p.client, "\n"), PS_OK);
  expect_text(line(p.peer, NULL), "half");
  freed(p);
}

/* ---- Threads ---- */

static ps_status woken;

static void *receive_for_ever(void *socket) {
  woken = ps_socket_receive(socket, PS_ALL, none, 0, NULL).status;
  return NULL;
}

static void *accept_for_ever(void *socket) {
  woken = ps_socket_accept(socket, NULL).status;
  return NULL;
}

static void *send_for_ever(void *socket) {
  static const char block[1 << 16];
  do {
    woken = ps_socket_send(socket, (ps_data){block, sizeof block}, 1, -1, NULL).status;
  } while (woken.code == PS_OK);
  return NULL;
}

static void a_close_wakes_another_thread(void **state) {
  (void)state;
  void *(*const waits[])(void *) = {receive_for_ever, send_for_ever, accept_for_ever};
  for (int i = 0; i < 3; i++)
    for (int round = 0; round < 20; round++) {
      pair p = connected();
      ps_socket *socket = i == 2 ? p.server : p.client;
      pthread_t waiter;
      pthread_create(&waiter, NULL, waits[i], socket);
      while (atomic_load(&socket->state) < PS__CALL) sched_yield();
      expect(ps_socket_close(socket, NULL), PS_OK);
      pthread_join(waiter, NULL);
      assert_int_equal(woken.code, PS_CLOSED);
      assert_int_equal(ps_socket_getfd(socket).fd, -1);
      freed(p);
    }
}

enum { LINES = 200 };

/* A view would be the other thread's by the time it is looked at: memory is lent. */
typedef struct lender {
  ps_host host;
  char memory[64];
  long sum;
  ps_socket *socket;
} lender;

static void *lend(ps_host *host, size_t size) {
  lender *self = (lender *)host;
  return size <= sizeof self->memory ? self->memory : NULL;
}

static void *receive_lines(void *context) {
  lender *self = context;
  for (int i = 0; i < LINES / 2; i++) {
    ps_bytes got = line(self->socket, &self->host);
    if (got.status.code != PS_OK) return NULL;
    self->memory[got.size] = '\0';
    self->sum += strtol(self->memory, NULL, 10);
  }
  return NULL;
}

static void two_receivers_share_the_lines(void **state) {
  (void)state;
  pair p = connected();
  lender one = {.host = {.grow = lend}, .socket = p.peer}, two = one;
  pthread_t first, second;
  pthread_create(&first, NULL, receive_lines, &one);
  pthread_create(&second, NULL, receive_lines, &two);
  long sum = 0;
  for (int i = 0; i < LINES; i++) {
    char text[16];
    int size = 0;
    for (int rest = i + 1000; rest > 0; rest /= 10)
      text[15 - ++size] = (char)('0' + rest % 10);
    text[15] = '\n';
    sum += i + 1000;
    ps_data data = {text + 15 - size, (size_t)size + 1};
    expect(ps_socket_send(p.client, data, 1, -1, NULL), PS_OK);
  }
  pthread_join(first, NULL);
  pthread_join(second, NULL);
  assert_int_equal(one.sum + two.sum, sum);
  freed(p);
}

/* The system refuses to poll more entries than a process may have descriptors. */
static void a_set_may_be_longer_than_the_limit_on_descriptors(void **state) {
  (void)state;
  pair p = connected();
  struct rlimit before, low;
  getrlimit(RLIMIT_NOFILE, &before);
  low = before;
  low.rlim_cur = 64;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  enum { MEMBERS = 100 };
  ps_watch readable[MEMBERS], writable[MEMBERS];
  int fd = ps_socket_getfd(p.client).fd;
  for (int i = 0; i < MEMBERS; i++) {
    readable[i] = (ps_watch){i % 2 == 0 ? fd : -1, 0, 0, 0, NULL};
    writable[i] = (ps_watch){i % 2 == 0 ? fd : -1, 1, 0, 0, NULL};
  }
  readable[1].fd = 63; /* is none: it is ignored */
  ps_sockets recvt = {readable, MEMBERS}, sendt = {writable, MEMBERS};
  expect(ps_select(recvt, sendt, 1, NULL), PS_OK);
  for (int i = 0; i < MEMBERS; i++) {
    assert_int_equal(readable[i].ready, 0);
    assert_int_equal(writable[i].ready, i % 2 == 0);
  }
  sendt.count = 0;
  expect(ps_select(recvt, sendt, 0.01, NULL), PS_TIMEOUT);
  setrlimit(RLIMIT_NOFILE, &before);
  freed(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_set_may_be_longer_than_the_limit_on_descriptors),
      cmocka_unit_test(descriptors_are_private),
      cmocka_unit_test(a_descriptor_keeps_its_number_when_its_family_changes),
      cmocka_unit_test(only_tcp_is_adopted),
      cmocka_unit_test(sigpipe_stays_as_it_was),
      cmocka_unit_test(two_ends_talk),
      cmocka_unit_test(a_large_block_arrives),
      cmocka_unit_test(number_0_is_a_socket_like_others),
      cmocka_unit_test(a_refused_connect_leaves_a_master),
      cmocka_unit_test(a_connect_that_does_not_wait_is_finished_later),
      cmocka_unit_test(ipv6_is_spoken),
      cmocka_unit_test(options_reach_the_system),
      cmocka_unit_test(words_are_those_of_linux),
      cmocka_unit_test(words_do_not_follow_the_locale),
      cmocka_unit_test(addresses_are_read_in_place),
      cmocka_unit_test(the_local_host_has_names),
      cmocka_unit_test(a_resolver_that_hangs_is_left_to_itself),
      cmocka_unit_test(many_are_waited_for),
      cmocka_unit_test(a_signal_reaches_the_host),
      cmocka_unit_test(a_close_wakes_another_thread),
      cmocka_unit_test(two_receivers_share_the_lines),
  };
  return cmocka_run_group_tests_name("posix", tests, NULL, NULL);
}
