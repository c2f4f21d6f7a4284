/* SPDX-License-Identifier: MIT */
/* Limits of time: block, total and deadline, and the one loop in which the core waits.
   The clock is monotonic, and it is read only when a limit needs it. Waiting never starts
   before the operation itself was tried. */

#include <math.h>

#include "internal.h"

void ps__timeout_start(ps__call *call) {
  const ps_socket *self = call->self;
  call->block = self->total == 0 ? 0 : self->block;
  call->end = self->deadline;
  if (self->total > 0) call->end = fmin(call->end, ps__os_monotime() + self->total);
}

static ps_status stopped(const ps__call *call) {
  if (call->self != NULL && (atomic_load(&call->self->state) & PS__CLOSED) != 0)
    return ps__failure(PS_CLOSED);
  ps_host *host = call->host;
  if (host == NULL || host->interrupted == NULL) return PS__DONE;
  if (call->self != NULL) call->self->interrupting++;
  int stop = host->interrupted(host);
  if (call->self != NULL) call->self->interrupting--;
  return stop ? ps__failure(PS_INTERRUPTED) : PS__DONE;
}

/* Without this a peer that never stops sending would hold the call past its end, and
   Ctrl-C with it. */
ps_status ps__timeout_goon(ps__call *call) {
  if (call->end != INFINITY && ps__os_monotime() >= call->end)
    return ps__failure(PS_TIMEOUT);
  return stopped(call);
}

ps_status ps__timeout_pause(ps__call *call, ps__step *step, void *context) {
  if (call->block == 0) return ps__failure(PS_TIMEOUT);
  double end = call->end;
  if (call->block > 0) end = fmin(end, ps__os_monotime() + call->block);
  ps_host *host = call->host;
  for (;;) {
    double left = end == INFINITY ? INFINITY : end - ps__os_monotime();
    if (left <= 0) return ps__failure(PS_TIMEOUT);
    if (host != NULL && host->leave != NULL) host->leave(host);
    int answer = step(context, left);
    if (host != NULL && host->enter != NULL) host->enter(host);
    if (answer == PS__READY || answer == PS__SIGNAL) {
      ps_status status = answer == PS__SIGNAL ? stopped(call) : PS__DONE;
      if (status.code != PS_OK || answer == PS__READY) return status;
    } else if (answer > 0) {
      return ps__socket_error(call->self, answer);
    }
  }
}

int ps__timeout_poll(const ps_sockets *sets, size_t count, double seconds) {
  int error = ps__os_poll(sets, count, seconds);
  if (error != 0) return ps__os_signalled(error) ? PS__SIGNAL : error;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < sets[i].count; j++)
      if (sets[i].watches[j].ready) return PS__READY;
  return PS__TIMEUP;
}

static int poll_one(void *context, double seconds) {
  const ps_sockets *set = context;
  int answer = ps__timeout_poll(set, 1, seconds);
  /* What turns out to be no descriptor never gets ready; the operation says so. */
  return set->watches->fd < 0 ? PS__READY : answer;
}

static int closing(const ps__call *call) {
  return (atomic_load(&call->self->state) & PS__CLOSED) != 0;
}

ps_status ps__timeout_wait(ps__call *call, int writable) {
  /* A close that came before there was this descriptor, or this connect on it, could not
     make it ready. */
  if (closing(call)) return ps__failure(PS_CLOSED);
  ps_watch watch = {call->fd, (char)writable, 0, 0, NULL};
  ps_sockets set = {&watch, 1};
  ps_status status = ps__timeout_pause(call, poll_one, &set);
  /* Another thread's close made the descriptor ready. */
  return status.code == PS_OK && closing(call) ? ps__failure(PS_CLOSED) : status;
}

static int sleep_on(void *context, double seconds) {
  (void)context;
  int error = ps__os_sleep(seconds);
  if (error == 0) return PS__TIMEUP;
  return ps__os_signalled(error) ? PS__SIGNAL : error;
}

ps_nothing ps_sleep(ps_duration seconds, ps_host *host) {
  if (isnan(seconds)) return (ps_nothing){ps__misuse(PS_MISUSE_NAN, 1, "seconds")};
  if (seconds <= 0) return (ps_nothing){PS__DONE};
  ps__call call = {NULL, host, -1, ps__os_monotime() + seconds, 0, -1, 0};
  ps_status status = ps__timeout_pause(&call, sleep_on, NULL);
  if (status.code == PS_TIMEOUT) status = PS__DONE;
  return (ps_nothing){status};
}

ps_seconds ps_gettime(void) { return ps__os_gettime(); }

ps_seconds ps_monotime(void) { return ps__os_monotime(); }

ps_always ps_socket_settimeout(ps_socket *self, ps_seconds value, ps_mode mode) {
  ps_status status = ps__kind(self, PS__ANY);
  if (status.code != PS_OK) return (ps_always){status};
  if (isnan(value)) return (ps_always){ps__misuse(PS_MISUSE_NAN, 1, "value")};
  char letter = mode == NULL ? 'b' : mode[0];
  /* As in LuaSocket, only the first letter counts; r is an old name of t. */
  if (letter == 'b')
    self->block = value;
  else if (letter == 't' || letter == 'r')
    self->total = value;
  else
    return (ps_always){ps__misuse(PS_MISUSE_TIMEOUTMODE, 2, "mode")};
  return (ps_always){PS__DONE};
}

ps_limits ps_socket_gettimeout(const ps_socket *self) {
  return (ps_limits){self->block, self->total};
}

ps_always ps_socket_setdeadline(ps_socket *self, ps_moment seconds) {
  ps_status status = ps__kind(self, PS__ANY);
  if (status.code != PS_OK) return (ps_always){status};
  if (isnan(seconds)) return (ps_always){ps__misuse(PS_MISUSE_NAN, 1, "seconds")};
  self->deadline = ps__os_monotime() + seconds;
  return (ps_always){PS__DONE};
}

ps_left ps_socket_getdeadline(const ps_socket *self) {
  return (ps_left){self->deadline == INFINITY
                       ? INFINITY
                       : fmax(0, self->deadline - ps__os_monotime())};
}
