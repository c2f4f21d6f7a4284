/* SPDX-License-Identifier: MIT */
/* The TCP transport. A transport tries an operation once and returns the result; it never
   waits, and knows no limits, patterns or buffers. Another transport (Unix sockets, TLS,
   the one in memory of the tests) is another file with the same four functions. */

#include "internal.h"

static ps__io outcome_of(int error, size_t count, int wait) {
  if (error == 0) return (ps__io){.verdict = PS__MOVED, .count = count};
  if (ps__os_again(error)) return (ps__io){.verdict = wait};
  if (ps__os_signalled(error)) return (ps__io){.verdict = PS__AGAIN};
  return (ps__io){.verdict = PS__BROKEN, .error = error};
}

static ps__io tcp_receive(ps__call *call, char *data, size_t size) {
  size_t got = 0;
  int error = ps__os_recv(call->fd, data, size, &got);
  if (error == 0 && got == 0) return (ps__io){.verdict = PS__END};
  return outcome_of(error, got, PS__WOULD_READ);
}

static ps__io tcp_send(ps__call *call, const char *data, size_t size) {
  size_t sent = 0;
  int error = ps__os_send(call->fd, data, size, &sent);
  return outcome_of(error, sent, PS__WOULD_WRITE);
}

static int tcp_shutdown(ps__call *call, const char *mode) {
  return ps__os_shutdown(call->fd, mode);
}

static size_t tcp_pending(const ps_socket *self) {
  (void)self;
  return 0;
}

const ps__transport ps__transport_tcp = {tcp_receive, tcp_send, tcp_shutdown,
                                         tcp_pending};
