/* SPDX-License-Identifier: MIT */
/* What the machine gives to a bare loop of C, and what polysock's own C interface makes
   of it. Arguments: library (c or core), case, port, count; see cases.lua for the cases.
   It prints the seconds of wall clock and of processor that the case took. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "polysock.h"

enum { MESSAGE = 64, CHUNK = 64 * 1024, LARGE = 1024 * 1024 };

static int port;
static char block[LARGE];

static double clock_of(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double wall, cpu;

static void start(void) {
  wall = clock_of(CLOCK_MONOTONIC);
  cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

static void stop(void) {
  wall = clock_of(CLOCK_MONOTONIC) - wall;
  cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
}

static void check(int good, const char *what) {
  if (good) return;
  fprintf(stderr, "reference: %s\n", what);
  exit(1);
}

static void send_all(int fd, const char *data, size_t size) {
  while (size > 0) {
    ssize_t count = send(fd, data, size, MSG_NOSIGNAL);
    check(count > 0, "send");
    data += count;
    size -= (size_t)count;
  }
}

/* Returns: a connection that has given the peer its command. */
static int begin(const char *format, ...) {
  char command[100];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(command, sizeof command, format, arguments);
  va_end(arguments);
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  check(connect(fd, (struct sockaddr *)&name, sizeof name) == 0, "connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  send_all(fd, command, strlen(command));
  return fd;
}

static ps_socket *adopt(int fd) {
  ps_object made = ps_fromfd(fd, "client");
  check(made.status.code == PS_OK, "fromfd");
  return made.socket;
}

/* ---- The bare loops ---- */

static void c_count1m(size_t count) {
  int fd = begin("records %d %zu 97\n", LARGE, count);
  start();
  for (size_t left = count * LARGE; left > 0;) {
    ssize_t got = recv(fd, block, left < LARGE ? left : LARGE, 0);
    check(got > 0, "recv");
    left -= (size_t)got;
  }
  stop();
}

static void c_send1m(size_t count) {
  int fd = begin("sink\n");
  start();
  for (size_t i = 0; i < count; i++) send_all(fd, block, LARGE);
  shutdown(fd, SHUT_WR);
  check(recv(fd, block, 1, 0) == 0, "end");
  stop();
}

static void c_pingpong(size_t count) {
  int fd = begin("echo %d\n", MESSAGE);
  start();
  for (size_t i = 0; i < count; i++) {
    send_all(fd, block, MESSAGE);
    check(recv(fd, block, MESSAGE, 0) == MESSAGE, "recv");
  }
  stop();
}

/* The same with a descriptor that does not block, as whoever has limits of time needs. */
static void c_pingpong_poll(size_t count) {
  int fd = begin("echo %d\n", MESSAGE);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  start();
  for (size_t i = 0; i < count; i++) {
    send_all(fd, block, MESSAGE);
    while (recv(fd, block, MESSAGE, 0) != MESSAGE) {
      struct pollfd polled = {fd, POLLIN, 0};
      check(poll(&polled, 1, 10000) == 1, "poll");
    }
  }
  stop();
}

static void c_line(size_t count) {
  int fd = begin("records 31 %zu 10\n", count);
  static char buffer[CHUNK];
  size_t found = 0;
  start();
  for (size_t held = 0; found < count;) {
    ssize_t got = recv(fd, buffer + held, sizeof buffer - held, 0);
    check(got > 0, "recv");
    char *at = buffer, *end = buffer + held + got;
    for (char *lf; (lf = memchr(at, '\n', (size_t)(end - at))) != NULL; at = lf + 1)
      found++;
    held = (size_t)(end - at);
    memmove(buffer, at, held);
  }
  stop();
}

static void c_connect(size_t count) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  start();
  for (size_t i = 0; i < count; i++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(fd, (struct sockaddr *)&name, sizeof name) == 0, "connect");
    close(fd);
  }
  stop();
}

/* ---- The core ---- */

/* As a program of one thread does it, see ps_host. */
static void core_line(size_t count) {
  ps_socket *socket = adopt(begin("records 31 %zu 10\n", count));
  ps_prefix none = {NULL, 0};
  ps_host host = {.mode = PS_HOST_HOLD};
  size_t total = 0;
  start();
  for (size_t i = 0; i < count; i++) {
    ps_bytes line = ps_socket_receive(socket, PS_LINE, none, 0, &host);
    total += line.size;
    ps_socket_take(socket, &line);
  }
  stop();
  check(total == count * 30, "lines");
  ps_socket_free(socket, NULL);
}

static void core_count1m(size_t count) {
  ps_socket *socket = adopt(begin("records %d %zu 97\n", LARGE, count));
  start();
  for (size_t i = 0; i < count; i++) {
    ps_filled filled =
        ps_socket_receiveinto(socket, (ps_room){block, LARGE}, LARGE, NULL);
    check(filled.status.code == PS_OK, "receiveinto");
  }
  stop();
  ps_socket_free(socket, NULL);
}

static void core_send1m(size_t count) {
  ps_socket *socket = adopt(begin("sink\n"));
  start();
  for (size_t i = 0; i < count; i++)
    check(ps_socket_send(socket, (ps_data){block, LARGE}, 1, -1, NULL).last == LARGE,
          "send");
  ps_socket_shutdown(socket, "send");
  ps_socket_receiveany(socket, 0, NULL);
  stop();
  ps_socket_free(socket, NULL);
}

static void core_pingpong(size_t count) {
  ps_socket *socket = adopt(begin("echo %d\n", MESSAGE));
  ps_prefix none = {NULL, 0};
  start();
  for (size_t i = 0; i < count; i++) {
    ps_socket_send(socket, (ps_data){block, MESSAGE}, 1, -1, NULL);
    check(ps_socket_receive(socket, PS_COUNT(MESSAGE), none, 0, NULL).size == MESSAGE,
          "receive");
  }
  stop();
  ps_socket_free(socket, NULL);
}

static void core_connect(size_t count) {
  ps_port target = {NULL, port}, any = {NULL, 0};
  start();
  for (size_t i = 0; i < count; i++) {
    ps_object made = ps_connect("127.0.0.1", target, NULL, any, NULL, -1, NULL);
    check(made.status.code == PS_OK, "connect");
    ps_socket_free(made.socket, NULL);
  }
  stop();
}

static void core_call(size_t count) {
  ps_socket *socket = adopt(begin("sink\n"));
  int sum = 0;
  start();
  for (size_t i = 0; i < count; i++) sum |= ps_socket_getfd(socket).fd;
  stop();
  check(sum >= 0, "getfd");
  ps_socket_free(socket, NULL);
}

static const struct {
  const char *library, *name;
  void (*run)(size_t count);
} cases[] = {
    {"c", "line", c_line},
    {"c", "count1m", c_count1m},
    {"c", "send1m", c_send1m},
    {"c", "pingpong", c_pingpong},
    {"c-poll", "pingpong", c_pingpong_poll},
    {"core", "line", core_line},
    {"core", "count1m", core_count1m},
    {"core", "send1m", core_send1m},
    {"core", "pingpong", core_pingpong},
    {"core", "call", core_call},
    {"c", "connect", c_connect},
    {"core", "connect", core_connect},
};

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: reference LIBRARY CASE PORT COUNT\n");
    return 2;
  }
  port = atoi(argv[3]);
  memset(block, 'a', sizeof block);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (strcmp(argv[1], cases[i].library) == 0 && strcmp(argv[2], cases[i].name) == 0) {
      cases[i].run((size_t)strtoull(argv[4], NULL, 10));
      printf("{\"wall\": %.9f, \"cpu\": %.9f}\n", wall, cpu);
      return 0;
    }
  fprintf(stderr, "reference: no case %s of %s\n", argv[2], argv[1]);
  return 2;
}
