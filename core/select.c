/* SPDX-License-Identifier: MIT */
/* Waiting on many at once, without a limit on how many or on how high a descriptor is. */

#include <math.h>

#include "internal.h"

static int step(void *context, double seconds) {
  return ps__timeout_poll(context, 2, seconds);
}

/* Does: makes the wait a call on each member that is a socket, so that a close wakes it
   and no descriptor changes hands meanwhile. */
static void begin(const ps_sockets *set, ps_host *host) {
  for (size_t i = 0; i < set->count; i++) {
    ps_watch *watch = &set->watches[i];
    if (watch->socket == NULL) continue;
    ps__call call;
    ps_status status = ps__begin(&call, watch->socket, host, PS__ANY, PS__SHARED);
    watch->fd = status.code == PS_OK ? call.fd : -1;
    watch->buffered = (char)(!watch->writable && ps__buffered(watch->socket) > 0);
    if (status.code != PS_OK) watch->socket = NULL;
  }
}

/* A member that was closed meanwhile is not ready. */
static void end(const ps_sockets *set, ps_host *host) {
  for (size_t i = 0; i < set->count; i++) {
    ps_watch *watch = &set->watches[i];
    if (watch->socket == NULL) continue;
    if ((atomic_load(&watch->socket->state) & PS__CLOSED) != 0) watch->ready = 0;
    ps__call call = {watch->socket, host, -1, INFINITY, PS__SHARED, watch->fd, 0};
    ps__end(&call);
  }
}

/* Does: marks what is ready by its buffer, whatever the system said of the descriptor. */
static int mark_buffered(const ps_sockets *set) {
  int any = 0;
  for (size_t i = 0; i < set->count; i++)
    if (set->watches[i].buffered && set->watches[i].fd >= 0)
      any = set->watches[i].ready = 1;
  return any;
}

static int any_ready(const ps_sockets *set) {
  for (size_t i = 0; i < set->count; i++)
    if (set->watches[i].ready) return 1;
  return 0;
}

static ps_status wait(ps_sockets sets[2], double timeout, ps_host *host) {
  /* One look first: with a timeout of zero it is the only one. */
  int answer = step(sets, 0);
  if (answer > 0) return ps__system(answer);
  if (mark_buffered(&sets[0]) || answer == PS__READY) return PS__DONE;
  if (timeout == 0) return ps__failure(PS_TIMEOUT);
  double until = timeout < 0 ? INFINITY : ps__os_monotime() + timeout;
  ps__call call = {NULL, host, -1, until, 0, -1, 0};
  return ps__timeout_pause(&call, step, sets);
}

ps_ready ps_select(ps_readables recvt, ps_writables sendt, ps_seconds timeout,
                   ps_host *host) {
  if (isnan(timeout)) return (ps_ready){ps__misuse(PS_MISUSE_NAN, 3, "timeout")};
  for (size_t i = 0; i < recvt.count; i++) recvt.watches[i].writable = 0;
  for (size_t i = 0; i < sendt.count; i++) sendt.watches[i].writable = 1;
  ps_sockets sets[2] = {recvt, sendt};
  begin(&recvt, host);
  begin(&sendt, host);
  ps_status status = wait(sets, timeout, host);
  end(&recvt, host);
  end(&sendt, host);
  if (status.code == PS_OK && !any_ready(&recvt) && !any_ready(&sendt))
    status = ps__failure(PS_CLOSED); /* the ready ones were closed meanwhile */
  return (ps_ready){status};
}

ps_size ps_setsize(void) { return (ps_size){ps__os_setsize()}; }
