/* SPDX-License-Identifier: MIT */
/* What the tests of pollers on the simulated system share. */

#ifndef PS_POLLER_SIM_H
#define PS_POLLER_SIM_H

#include "os_sim.h"

static const ps_prefix none = {NULL, 0};

static inline ps_source of(ps_socket *socket) { return (ps_source){socket, -1}; }
static inline ps_source number(int fd) { return (ps_source){NULL, fd}; }
static inline ps_port port(long long number) { return (ps_port){NULL, number}; }

static inline ps_poller *make(void) {
  ps_pollerobject made = ps_poller_make();
  sim_expect(made, PS_OK);
  return made.poller;
}

static inline void add(ps_poller *poller, ps_socket *socket, const char *events) {
  sim_expect(ps_poller_add(poller, of(socket), events, socket), PS_OK);
}

/* What a wait says of a token; "" is nothing. */
static const char *said(ps_polled got, const void *token) {
  const char *events = "";
  sim_check_entered();
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

static inline void expect_line(ps_socket *c, ps_host *host, const char *text) {
  sim_expect_bytes(c, ps_socket_receive(c, PS_LINE, none, 0, host), PS_OK, text);
}

/* A socket with buffered bytes of another script. */
static inline ps_socket *buffered(const char *script) {
  ps_socket *made = sim_client();
  sim_reads(script);
  expect_line(made, NULL, "x");
  return made;
}

static inline void freed(ps_poller *poller, ps_socket *a, ps_socket *b) {
  ps_socket_free(a, NULL);
  ps_socket_free(b, NULL);
  ps_poller_free(poller);
}

static inline void begin_connect(ps_socket *c, const char *name, ps_host *host) {
  ps_socket_settimeout(c, 0, NULL);
  sim_expect(ps_socket_connect(c, name, port(80), host), PS_TIMEOUT);
}

#endif
