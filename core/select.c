/* SPDX-License-Identifier: MIT */
/* Waiting on many at once, without a limit on how many or on how high a descriptor is. */

#include <math.h>

#include "internal.h"

static int step(void *context, double seconds) {
  return ps__timeout_poll(context, 2, seconds);
}

/* Does: marks what is ready by its buffer, whatever the system said of the descriptor. */
static int mark_buffered(const ps_sockets *set) {
  int any = 0;
  for (size_t i = 0; i < set->count; i++)
    if (set->watches[i].buffered && set->watches[i].fd >= 0)
      any = set->watches[i].ready = 1;
  return any;
}

ps_ready ps_select(ps_sockets recvt, ps_sockets sendt, ps_seconds timeout,
                   ps_host *host) {
  if (isnan(timeout)) return (ps_ready){ps__misuse(PS_MISUSE_NAN, 3, "timeout")};
  ps_sockets sets[2] = {recvt, sendt};

  /* One look first: with a timeout of zero it is the only one. */
  int answer = step(sets, 0);
  if (answer > 0) return (ps_ready){ps__system(answer)};
  if (mark_buffered(&recvt) || answer == PS__READY) return (ps_ready){PS__DONE};
  if (timeout == 0) return (ps_ready){ps__failure(PS_TIMEOUT)};
  double end = timeout < 0 ? INFINITY : ps__os_monotime() + timeout;
  ps__call call = {NULL, host, -1, end, 0, -1};
  return (ps_ready){ps__timeout_pause(&call, step, sets)};
}

ps_size ps_setsize(void) { return (ps_size){ps__os_setsize()}; }
