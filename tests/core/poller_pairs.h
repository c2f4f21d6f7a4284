/* SPDX-License-Identifier: MIT */
/* What the tests of pollers on the real system share: connections over the loopback, and
   what a wait says. */

#ifndef PS_POLLER_PAIRS_H
#define PS_POLLER_PAIRS_H

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka wants some of the above before it. */
#include <cmocka.h>
#include <errno.h>

#include "internal.h"

static const ps_prefix none = {NULL, 0};

static inline ps_port port(long long number) { return (ps_port){NULL, number}; }

static inline void expect_at(ps_status status, short code, int at) {
  char words[PS_WORDS];
  if (status.code != code)
    print_error("line %d: '%s' (%d)\n", at, ps_status_words(status, words), status.code);
  assert_int_equal(status.code, code);
}
#define expect(result, code) expect_at((result).status, code, __LINE__)

static inline int descriptors(void) {
  int found = 0;
  for (int fd = 0; fd < 1024; fd++) found += fcntl(fd, F_GETFD) >= 0;
  return found;
}

/* Two ends of a connection. */
typedef struct pair {
  ps_socket *ours, *far;
} pair;

static ps_socket *server;
static pthread_mutex_t meeting = PTHREAD_MUTEX_INITIALIZER;

static inline pair connected(void) {
  pair made;
  pthread_mutex_lock(&meeting); /* or a thread would accept what another has connected */
  ps_address name = ps_socket_getsockname(server);
  ps_object got = ps_connect("127.0.0.1", port(name.port), NULL, port(0), NULL, -1, NULL);
  expect(got, PS_OK);
  made.ours = got.socket;
  got = ps_socket_accept(server, NULL);
  pthread_mutex_unlock(&meeting);
  expect(got, PS_OK);
  made.far = got.socket;
  return made;
}

static inline void freed(pair made) {
  ps_socket_free(made.ours, NULL);
  ps_socket_free(made.far, NULL);
}

static inline void send_text(ps_socket *c, const char *text) {
  expect(ps_socket_send(c, (ps_data){text, strlen(text)}, 1, -1, NULL), PS_OK);
}

static inline void expect_line(ps_socket *c, const char *text) {
  ps_bytes got = ps_socket_receive(c, PS_LINE, none, 0, NULL);
  expect(got, PS_OK);
  assert_int_equal(got.size, strlen(text));
  assert_memory_equal(got.data, text, got.size);
}

static inline ps_source of(ps_socket *socket) { return (ps_source){socket, -1}; }
static inline ps_source number(int fd) { return (ps_source){NULL, fd}; }

static inline ps_poller *make(void) {
  ps_pollerobject made = ps_poller_make();
  expect(made, PS_OK);
  return made.poller;
}

/* What a wait says of a token; "" is nothing. */
static const char *said(ps_polled got, const void *token) {
  const char *events = "";
  for (size_t i = 0; i < got.count; i++) {
    if (got.events[i].token != token) continue;
    assert_string_equal(events, ""); /* each comes once */
    events = got.events[i].events;
  }
  return events;
}

static const char *look(ps_poller *poller, const void *token) {
  return said(ps_poller_wait(poller, 0, 0, NULL), token);
}

static inline int setup(void **state) {
  (void)state;
  ps_object got = ps_bind("127.0.0.1", port(0), 64, NULL);
  expect(got, PS_OK);
  server = got.socket;
  return 0;
}

static inline int teardown(void **state) {
  (void)state;
  ps_socket_free(server, NULL);
  return 0;
}

#endif
