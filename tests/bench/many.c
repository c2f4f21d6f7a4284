/* SPDX-License-Identifier: MIT */
/* Many connections, of which few are active: an echo server on ps_poller, the same on
   bare epoll, and the load for both.

     many serve poller|epoll    prints its port, serves until its standard input ends
     many load PORT CONNECTIONS ACTIVE REQUESTS
                                connects, says "connected", waits for a line, lets ACTIVE
                                connections make REQUESTS requests of 64 bytes together,
                                each after the answer to the one before, and says "done"

   many.py measures the server meanwhile. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "polysock.h"

enum { EVENTS = 512, BLOCK = 64 * 1024, REQUEST = 64, BACKLOG = 4096 };

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int check(int result, const char *what) {
  if (result < 0) fail(what);
  return result;
}

static void *need(ps_status status, void *made) {
  char words[PS_WORDS];
  if (status.code == PS_OK) return made;
  fprintf(stderr, "%s\n", ps_status_words(status, words));
  exit(1);
}

/* ---- On ps_poller ---- */

/* Stays alive as long as the connection. */
static void echo(ps_socket *client) {
  ps_bytes got = ps_socket_receiveany(client, 0, NULL);
  if (got.status.code == PS_OK) {
    ps_data data = {got.data, got.size};
    if (ps_socket_send(client, data, 1, -1, NULL).status.code == PS_OK) return;
  } else if (got.status.code == PS_TIMEOUT) {
    return;
  }
  ps_socket_free(client, NULL);
}

static void take_clients(ps_poller *poller, ps_socket *server) {
  for (;;) {
    ps_object got = ps_socket_accept(server, NULL);
    if (got.status.code == PS_TIMEOUT) return;
    ps_socket *client = need(got.status, got.socket);
    ps_socket_settimeout(client, 0, NULL);
    ps_source source = {client, -1};
    need(ps_poller_add(poller, source, "r", client).status, NULL);
  }
}

static void serve_poller(void) {
  ps_port any = {NULL, 0};
  ps_object made = ps_bind("127.0.0.1", any, BACKLOG, NULL);
  ps_socket *server = need(made.status, made.socket);
  ps_pollerobject object = ps_poller_make();
  ps_poller *poller = need(object.status, object.poller);
  ps_source source = {server, -1}, input = {NULL, STDIN_FILENO};
  ps_socket_settimeout(server, 0, NULL);
  need(ps_poller_add(poller, source, "r", server).status, NULL);
  need(ps_poller_add(poller, input, "r", NULL).status, NULL);
  printf("%d\n", ps_socket_getsockname(server).port);
  fflush(stdout);
  for (;;) {
    ps_polled ready = ps_poller_wait(poller, -1, EVENTS, NULL);
    need(ready.status, NULL);
    for (size_t i = 0; i < ready.count; i++) {
      void *token = ready.events[i].token;
      if (token == NULL) return;
      if (token == server)
        take_clients(poller, server);
      else
        echo(token);
    }
  }
}

/* ---- On bare epoll ---- */

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static int listen_somewhere(void) {
  int fd = check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
  struct sockaddr_in name = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof name;
  check(bind(fd, (struct sockaddr *)&name, size), "bind");
  check(listen(fd, BACKLOG), "listen");
  check(getsockname(fd, (struct sockaddr *)&name, &size), "getsockname");
  printf("%d\n", ntohs(name.sin_port));
  fflush(stdout);
  return fd;
}

static void echo_plain(int fd) {
  static char block[BLOCK];
  ssize_t got = recv(fd, block, sizeof block, 0);
  if (got <= 0 || send(fd, block, (size_t)got, MSG_NOSIGNAL) != got) close(fd);
}

static void serve_epoll(void) {
  int server = listen_somewhere(), epoll = check(epoll_create1(0), "epoll_create1");
  struct epoll_event events[EVENTS];
  watch(epoll, server);
  watch(epoll, STDIN_FILENO);
  for (;;) {
    int count = check(epoll_wait(epoll, events, EVENTS, -1), "epoll_wait");
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd, client;
      if (fd == STDIN_FILENO) return;
      if (fd != server)
        echo_plain(fd);
      else
        while ((client = accept4(server, NULL, NULL, SOCK_NONBLOCK)) >= 0)
          watch(epoll, client);
    }
  }
}

/* ---- Load ---- */

static int connect_to(int port) {
  int fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket"), on = 1;
  struct sockaddr_in name = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  check(connect(fd, (struct sockaddr *)&name, sizeof name), "connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

static void request(int fd) {
  static const char block[REQUEST];
  if (send(fd, block, REQUEST, MSG_NOSIGNAL) != REQUEST) fail("send");
}

/* Every request is answered before the next one of its connection. */
static void converse(int epoll, const int *active, int count, long requests) {
  struct epoll_event events[EVENTS];
  char block[REQUEST];
  long asked = 0, answered = 0;
  for (; asked < count; asked++) request(active[asked]);
  while (answered < requests) {
    int ready = check(epoll_wait(epoll, events, EVENTS, -1), "epoll_wait");
    for (int i = 0; i < ready; i++) {
      if (recv(events[i].data.fd, block, REQUEST, MSG_WAITALL) != REQUEST) fail("recv");
      answered++;
      if (asked++ < requests) request(events[i].data.fd);
    }
  }
}

static void load(int port, int connections, int count, long requests) {
  int epoll = check(epoll_create1(0), "epoll_create1");
  int *active = calloc((size_t)count, sizeof *active);
  if (active == NULL) fail("calloc");
  /* The active ones are spread over all. */
  for (int i = 0, taken = 0; i < connections; i++) {
    int fd = connect_to(port);
    if (taken == count || i < (long long)taken * connections / count) continue;
    active[taken++] = fd;
    watch(epoll, fd);
  }
  puts("connected");
  fflush(stdout);
  if (getchar() == EOF) return;
  converse(epoll, active, count, requests);
  puts("done");
  free(active);
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "serve") == 0)
    strcmp(argv[2], "poller") == 0 ? serve_poller() : serve_epoll();
  else if (argc == 6 && strcmp(argv[1], "load") == 0)
    load(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), atol(argv[5]));
  else
    return 2;
  return 0;
}
