/* SPDX-License-Identifier: MIT */
/* The clients of the benchmarks of servers, on bare epoll. Each client of a closed loop
   sends a line of 64 bytes that nobody has sent before, waits until the same line is
   back, and sends the next. A wrong byte, a closed connection or a silence of 20 s ends
   the program with status 1 and a reason. It prints what it measured as JSON.

     serve PORT PROTOCOL CONNECTIONS ACTIVE SECONDS PID...
         opens connections, has the active ones talk, and measures the processor time of
         the servers meanwhile. In the protocol "line" the server is first shown half a
         line, which it must not answer, and then two at once
     herd PORT CONNECTIONS
         begins to connect all at once, and asks once on each connection
     hold PORT CONNECTIONS
         opens connections, says so, and holds them until its standard input ends       */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 64, EVENTS = 512, SILENCE = 20000, SERVERS = 8 };

typedef struct client {
  int fd;
  unsigned number;
  unsigned asked; /* requests that were sent */
  size_t got;     /* bytes of the answer that came */
  char line[SIZE + 1];
} client;

static struct sockaddr_in server = {.sin_family = AF_INET};
static client *clients;
static unsigned long long answers;
static pid_t servers[SERVERS];
static int server_count;

static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("load: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

static double clock_of(clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now) < 0) fail("clock: %s", strerror(errno));
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The processor time of all servers, to the nanosecond. */
static double servers_time(void) {
  double sum = 0;
  for (int i = 0; i < server_count; i++) {
    clockid_t clock;
    if (clock_getcpuclockid(servers[i], &clock) != 0) fail("a server has ended");
    sum += clock_of(clock);
  }
  return sum;
}

/* ---- One client ---- */

/* A client that ends resets its connection, so that none lingers in the system. */
static int make_socket(int flags) {
  int fd = socket(AF_INET, SOCK_STREAM | flags, 0), on = 1;
  struct linger reset = {1, 0};
  if (fd < 0) fail("socket: %s", strerror(errno));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  return fd;
}

static void open_clients(unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    int fd = make_socket(0);
    if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0)
      fail("connection %u: %s", i, strerror(errno));
    clients[i] = (client){.fd = fd, .number = i};
  }
}

static void write_line(client *self) {
  int size = snprintf(self->line, sizeof self->line, "%u %u ", self->number, self->asked);
  memset(self->line + size, 'a', (size_t)(SIZE - 1 - size));
  self->line[SIZE - 1] = '\n';
}

static void ask(client *self) {
  self->asked++;
  self->got = 0;
  write_line(self);
  if (send(self->fd, self->line, SIZE, MSG_NOSIGNAL) != SIZE)
    fail("send on connection %u: %s", self->number, strerror(errno));
}

/* Reads what is there. Returns whether the answer is complete. */
static int hear(client *self) {
  char data[SIZE + 1];
  ssize_t count = recv(self->fd, data, SIZE + 1 - self->got, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return 0;
  if (count < 0) fail("connection %u: %s", self->number, strerror(errno));
  if (count == 0) fail("the server closed connection %u", self->number);
  if (self->got + (size_t)count > SIZE ||
      memcmp(data, self->line + self->got, (size_t)count) != 0)
    fail("connection %u: a wrong answer", self->number);
  self->got += (size_t)count;
  if (self->got < SIZE) return 0;
  answers++;
  return 1;
}

static void await(int fd, int milliseconds, int expected) {
  struct pollfd polled = {fd, POLLIN, 0};
  if (poll(&polled, 1, milliseconds) != expected)
    fail(expected ? "no answer" : "half a line was answered");
}

static void show_lines(client *self) {
  char two[2 * SIZE];
  self->asked++;
  write_line(self);
  memcpy(two, self->line, SIZE);
  memcpy(two + SIZE, self->line, SIZE);
  send(self->fd, two, SIZE / 2, MSG_NOSIGNAL);
  await(self->fd, 20, 0);
  send(self->fd, two + SIZE / 2, sizeof two - SIZE / 2, MSG_NOSIGNAL);
  for (size_t got = 0; got < sizeof two;) {
    char data[sizeof two];
    await(self->fd, SILENCE, 1);
    ssize_t count = recv(self->fd, data, sizeof two - got, 0);
    if (count <= 0 || memcmp(data, two + got, (size_t)count) != 0)
      fail("two lines at once: a wrong answer");
    got += (size_t)count;
  }
}

/* ---- Many clients ---- */

static int make_epoll(void) {
  int made = epoll_create1(EPOLL_CLOEXEC);
  if (made < 0) fail("epoll: %s", strerror(errno));
  return made;
}

static void watch(int epoll, client *self, unsigned events, int operation) {
  struct epoll_event event = {.events = events, .data.ptr = self};
  if (epoll_ctl(epoll, operation, self->fd, &event) < 0)
    fail("epoll: %s", strerror(errno));
}

static int wait_for(int epoll, struct epoll_event *events) {
  int count = epoll_wait(epoll, events, EVENTS, SILENCE);
  if (count <= 0) fail("no answer");
  return count;
}

static void talk(int epoll, double seconds) {
  struct epoll_event events[EVENTS];
  double end = clock_of(CLOCK_MONOTONIC) + seconds;
  while (clock_of(CLOCK_MONOTONIC) < end) {
    int count = wait_for(epoll, events);
    for (int i = 0; i < count; i++)
      if (hear(events[i].data.ptr)) ask(events[i].data.ptr);
  }
}

/* The active ones are spread over all, and the last connection is one of them: when it
   has an answer, the server has accepted all. */
static void serve(const char *protocol, unsigned count, unsigned active, double seconds) {
  double began = clock_of(CLOCK_MONOTONIC), cpu = servers_time();
  int epoll = make_epoll();
  open_clients(count);
  client *last = &clients[count - 1];
  do {
    ask(last);
    await(last->fd, SILENCE, 1);
  } while (!hear(last));
  if (strcmp(protocol, "line") == 0) show_lines(last);
  double opened = clock_of(CLOCK_MONOTONIC) - began;
  double opening = servers_time() - cpu;
  for (unsigned i = 0; i < active; i++) {
    client *self = &clients[(unsigned long long)(i + 1) * count / active - 1];
    watch(epoll, self, EPOLLIN, EPOLL_CTL_ADD);
    ask(self);
  }
  talk(epoll, seconds / 5);
  double wall = clock_of(CLOCK_MONOTONIC), mine = clock_of(CLOCK_PROCESS_CPUTIME_ID);
  unsigned long long before = answers;
  cpu = servers_time();
  talk(epoll, seconds);
  printf(
      "{\"requests\": %llu, \"cpu\": %.9f, \"wall\": %.9f, \"load\": %.9f, "
      "\"opened\": %.9f, \"opening\": %.9f}\n",
      answers - before, servers_time() - cpu, clock_of(CLOCK_MONOTONIC) - wall,
      clock_of(CLOCK_PROCESS_CPUTIME_ID) - mine, opened, opening);
}

static int by_size(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return left < right ? -1 : left > right;
}

static void herd(unsigned count) {
  struct epoll_event events[EVENTS];
  double *took = calloc(count, sizeof *took);
  unsigned done = 0;
  int epoll = make_epoll();
  if (took == NULL) fail("no memory");
  double began = clock_of(CLOCK_MONOTONIC);
  for (unsigned i = 0; i < count; i++) {
    int fd = make_socket(SOCK_NONBLOCK);
    if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0 &&
        errno != EINPROGRESS)
      fail("connection %u: %s", i, strerror(errno));
    clients[i] = (client){.fd = fd, .number = i};
    watch(epoll, &clients[i], EPOLLOUT, EPOLL_CTL_ADD);
  }
  double begun = clock_of(CLOCK_MONOTONIC) - began;
  while (done < count) {
    int found = wait_for(epoll, events);
    for (int i = 0; i < found; i++) {
      client *self = events[i].data.ptr;
      if (self->asked == 0) {
        ask(self);
        watch(epoll, self, EPOLLIN, EPOLL_CTL_MOD);
      } else if (hear(self)) {
        took[done++] = clock_of(CLOCK_MONOTONIC) - began;
        watch(epoll, self, 0, EPOLL_CTL_DEL);
      }
    }
  }
  qsort(took, count, sizeof *took, by_size);
  printf("{\"begun\": %.6f, \"half\": %.6f, \"most\": %.6f, \"all\": %.6f}\n", begun,
         took[count / 2], took[count * 99 / 100], took[count - 1]);
}

static void hold(unsigned count) {
  open_clients(count);
  puts("held");
  fflush(stdout);
  while (getchar() != EOF) continue;
}

int main(int argc, char **argv) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  const char *what = argc > 3 ? argv[1] : "";
  int serves = strcmp(what, "serve") == 0 && argc > 6;
  unsigned count = argc > 3 ? (unsigned)strtoul(argv[serves ? 4 : 3], NULL, 10) : 0;
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  server.sin_port = htons((uint16_t)(argc > 3 ? atoi(argv[2]) : 0));
  clients = calloc(count + 1, sizeof *clients);
  if (clients == NULL) fail("no memory");
  for (int i = 7; serves && i < argc && server_count < SERVERS; i++)
    servers[server_count++] = (pid_t)atoi(argv[i]);
  if (serves)
    serve(argv[3], count, (unsigned)strtoul(argv[5], NULL, 10), strtod(argv[6], NULL));
  else if (strcmp(what, "herd") == 0)
    herd(count);
  else if (strcmp(what, "hold") == 0)
    hold(count);
  else
    fail("usage: load serve|herd|hold PORT ...");
  return 0;
}
