/* SPDX-License-Identifier: MIT */
/* Servers of C for the benchmarks: a bare loop of epoll, and the same on polysock's
   poller and select. Arguments: library (epoll, poller or select), case, backlog or
   count, and a port if others share it (0 lets the system choose). It prints its port.

     echo    what comes goes back
     line    a line goes back when all of it is there
     accept  waits for a line on standard input, then accepts COUNT connections that are
             there already, and prints the seconds of wall clock and processor of that

   The bare loop does what a careful program does, and no more: three system calls for
   each request, or fewer where several are ready at once. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "polysock.h"

enum { EVENTS = 256, LINE = 4096, ROOM = 64 * 1024 };

static int lines;
static const char *shared_port;
static long long number; /* the backlog, or how many to accept */

static void check(int good, const char *what) {
  if (good) return;
  fprintf(stderr, "serve: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double clock_of(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void tell_port(int fd) {
  struct sockaddr_in name;
  socklen_t size = sizeof name;
  check(getsockname(fd, (struct sockaddr *)&name, &size) == 0, "getsockname");
  printf("%d\n", ntohs(name.sin_port));
  fflush(stdout);
}

static double wall, cpu;

static void start(void) {
  while (getchar() != '\n') continue;
  wall = clock_of(CLOCK_MONOTONIC);
  cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

static void stop(void) {
  cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  wall = clock_of(CLOCK_MONOTONIC) - wall;
  printf("{\"wall\": %.9f, \"cpu\": %.9f}\n", wall, cpu);
}

/* ---- The bare loop ---- */

/* What is there of a line that has not ended. */
typedef struct connection {
  char *part;
  size_t size;
} connection;

static connection *connections; /* by descriptor */
static size_t connection_room;
static int epoll;
static char data[ROOM + LINE];

static int listen_bare(int backlog) {
  struct sockaddr_in name = {.sin_family = AF_INET};
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  if (shared_port != NULL) {
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    name.sin_port = htons((uint16_t)atoi(shared_port));
  }
  check(bind(fd, (struct sockaddr *)&name, sizeof name) == 0, "bind");
  check(listen(fd, backlog) == 0, "listen");
  tell_port(fd);
  return fd;
}

static void watch(int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

static void accept_bare(int listener) {
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    if ((size_t)fd >= connection_room) {
      size_t room = (size_t)fd * 2 + 64;
      connections = realloc(connections, room * sizeof *connections);
      check(connections != NULL, "realloc");
      memset(connections + connection_room, 0,
             (room - connection_room) * sizeof *connections);
      connection_room = room;
    }
    watch(fd);
  }
}

static void end(int fd) {
  free(connections[fd].part);
  connections[fd] = (connection){NULL, 0};
  close(fd);
}

/* Sends the lines that are complete, and keeps the rest. Returns whether all is well. */
static int answer_lines(int fd, size_t size) {
  connection *self = &connections[fd];
  const char *at = data, *last = memrchr(data, '\n', size);
  size_t whole = last == NULL ? 0 : (size_t)(last + 1 - data);
  for (const char *next; at < data + whole; at = next) {
    next = (const char *)memchr(at, '\n', size) + 1;
    if (send(fd, at, (size_t)(next - at), MSG_NOSIGNAL) != next - at) return 0;
  }
  self->size = size - whole;
  if (self->size > LINE) return 0;
  if (self->size > 0 && self->part == NULL) self->part = malloc(LINE);
  if (self->size > 0) {
    check(self->part != NULL, "malloc");
    memcpy(self->part, data + whole, self->size);
  }
  return 1;
}

static void answer_bare(int fd) {
  size_t kept = connections[fd].size;
  if (kept > 0) memcpy(data, connections[fd].part, kept);
  ssize_t size = recv(fd, data + kept, ROOM, 0);
  if (size < 0 && errno == EAGAIN) return;
  if (size <= 0 || (lines ? !answer_lines(fd, kept + (size_t)size)
                          : send(fd, data, (size_t)size, MSG_NOSIGNAL) != size))
    end(fd);
}

static void run_epoll(void) {
  struct epoll_event events[EVENTS];
  int listener = listen_bare((int)number);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  watch(listener);
  for (;;) {
    int count = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++)
      if (events[i].data.fd == listener)
        accept_bare(listener);
      else
        answer_bare(events[i].data.fd);
  }
}

static void accept_epoll(void) {
  int listener = listen_bare(4096);
  start();
  for (long long i = 0; i < number; i++)
    check(accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) >= 0, "accept");
  stop();
}

/* ---- polysock ---- */

/* As a program of one thread does it, see ps_host. */
static ps_host host = {.mode = PS_HOST_HOLD};

static ps_socket *listen_core(long long backlog) {
  ps_object made = ps_tcp4();
  ps_option on = {.type = PS_FLAG, .flag = 1};
  ps_port port = {.service = shared_port};
  check(made.status.code == PS_OK, "tcp4");
  if (shared_port != NULL) ps_socket_setoption(made.socket, "reuseport", on);
  check(ps_socket_bind(made.socket, "127.0.0.1", port, NULL).status.code == PS_OK,
        "bind");
  check(ps_socket_listen(made.socket, backlog).status.code == PS_OK, "listen");
  tell_port(ps_socket_getfd(made.socket).fd);
  return made.socket;
}

/* A client, and what is there of a line that has not ended. */
typedef struct client {
  ps_socket *socket;
  size_t size;
  char part[];
} client;

static client *accept_one(ps_socket *listener) {
  ps_object made = ps_socket_accept(listener, &host);
  if (made.status.code != PS_OK) return NULL;
  ps_socket_settimeout(made.socket, 0, NULL);
  client *self = malloc(sizeof *self + (lines ? LINE : 0));
  check(self != NULL, "malloc");
  *self = (client){made.socket, 0};
  return self;
}

static void leave(client *self) {
  ps_socket_free(self->socket, NULL);
  free(self);
}

/* Returns whether the connection goes on. */
static int answer_core(client *self) {
  ps_prefix part = {self->part, self->size};
  ps_bytes got =
      lines ? ps_socket_receive(self->socket, PS_LINE_WITH_END, part, LINE, &host)
            : ps_socket_receiveany(self->socket, ROOM, &host);
  char *text = data;
  if (got.status.code == PS_TIMEOUT) {
    if (lines) ps_bytes_copy(&got, self->part);
    self->size = ps_bytes_size(&got);
    return ps_socket_take(self->socket, &got);
  }
  if (got.status.code != PS_OK) return 0;
  if (got.head_size > 0 || got.raw != got.size)
    ps_bytes_copy(&got, text);
  else
    text = (char *)got.data;
  ps_data answer = {text, ps_bytes_size(&got)};
  ps_sent sent = ps_socket_send(self->socket, answer, 1, -1, &host);
  ps_socket_take(self->socket, &got);
  self->size = 0;
  return sent.status.code == PS_OK;
}

static void run_poller(void) {
  ps_socket *listener = listen_core(number);
  ps_socket_settimeout(listener, 0, NULL);
  ps_poller *poller = ps_poller_make().poller;
  ps_poller_add(poller, (ps_source){listener, -1}, "r", NULL);
  for (;;) {
    ps_polled polled = ps_poller_wait(poller, -1, 0, &host);
    for (size_t i = 0; i < polled.count; i++) {
      client *self = polled.events[i].token;
      if (self != NULL) {
        if (!answer_core(self)) leave(self);
        continue;
      }
      while ((self = accept_one(listener)) != NULL)
        ps_poller_add(poller, (ps_source){self->socket, -1}, "r", self);
    }
  }
}

static void run_select(void) {
  size_t count = 1, room = 1 << 15;
  ps_watch *watches = calloc(room, sizeof *watches);
  client **clients = calloc(room, sizeof *clients), *made;
  check(watches != NULL && clients != NULL, "calloc");
  watches[0].socket = listen_core(number);
  ps_socket_settimeout(watches[0].socket, 0, NULL);
  for (;;) {
    ps_select((ps_readables){watches, count}, (ps_writables){NULL, 0}, -1, &host);
    /* From the last to the first, so that an end moves only what was looked at. */
    for (size_t i = count; i-- > 1;)
      if (watches[i].ready && !answer_core(clients[i])) {
        leave(clients[i]);
        watches[i] = watches[--count];
        clients[i] = clients[count];
      }
    while (watches[0].ready && count < room &&
           (made = accept_one(watches[0].socket)) != NULL) {
      clients[count] = made;
      watches[count++] = (ps_watch){.socket = made->socket};
    }
  }
}

static void accept_core(void) {
  ps_socket *listener = listen_core(4096);
  start();
  for (long long i = 0; i < number; i++)
    check(ps_socket_accept(listener, &host).status.code == PS_OK, "accept");
  stop();
}

static const struct {
  const char *library;
  void (*run)(void), (*accept)(void);
} libraries[] = {
    {"epoll", run_epoll, accept_epoll},
    {"poller", run_poller, accept_core},
    {"select", run_select, accept_core},
};

int main(int argc, char **argv) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  if (argc < 4) return 2;
  lines = strcmp(argv[2], "line") == 0;
  number = atoll(argv[3]);
  shared_port = argc > 4 ? argv[4] : NULL;
  for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
    if (strcmp(libraries[i].library, argv[1]) == 0)
      (strcmp(argv[2], "accept") == 0 ? libraries[i].accept : libraries[i].run)();
  return 0;
}
