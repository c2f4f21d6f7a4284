/* SPDX-License-Identifier: MIT */
/* Time limits, and the only loop in which the core waits. The clock is monotonic, and is
   read only when a limit needs it. A call tries its operation before it waits. */

#include <math.h>

#include "internal.h"

static double load(const _Atomic double *value) {
  return atomic_load_explicit(value, memory_order_relaxed);
}

void ps__timeout_start(ps__call *call) {
  ps_socket *self = call->self;
  double total = load(&self->total);
  call->block = total == 0 ? 0 : load(&self->block);
  call->end = load(&self->deadline);
  call->budget = SIZE_MAX;
  int from_start = call->block > 0 && ps__is_marked(self, PS_MARK_FROM_START);
  if (total > 0 || from_start || call->end != INFINITY) {
    double now = ps__os_monotime();
    if (total > 0) call->end = fmin(call->end, now + total);
    if (from_start) call->end = fmin(call->end, now + call->block);
    if (call->end <= now) call->block = 0; /* a deadline that has passed */
  }
  if (call->block == 0) { /* it does not depend on the clock: it never waits */
    call->end = INFINITY;
    call->budget = PS_AT_HAND;
  }
}

ps_status ps__timeout_error(const ps__call *call, int error) {
  if (call->self == NULL) return ps__error_system(error);
  /* An error after another thread has closed the socket is a result of that close. */
  if (ps__turn_gone(call)) return ps__error_failure(PS_CLOSED);
  atomic_store_explicit(&call->self->error, (unsigned short)error, memory_order_relaxed);
  return ps__error_system(error);
}

void ps__timeout_close(ps_host *host, int fd) {
  if (fd < 0) return;
  ps__host_leave(host);
  ps__os_close(fd);
  ps__host_enter(host);
}

static ps_status ask_host(ps__call *call) {
  if (call->self != NULL && ps__turn_gone(call)) return ps__error_failure(PS_CLOSED);
  ps_host *host = call->host;
  if (host == NULL || host->interrupted == NULL) return PS__DONE;
  if (call->self == NULL)
    return host->interrupted(host) ? ps__error_failure(PS_INTERRUPTED) : PS__DONE;
  ps__timeout_close(host, ps__turn_aside(call));
  int stop = host->interrupted(host);
  ps__turn_back(call);
  if (stop) return ps__error_failure(PS_INTERRUPTED);
  return ps__turn_gone(call) ? ps__error_failure(PS_CLOSED) : PS__DONE;
}

/* Checks limits and signals. Without it, a peer that sends without a pause could keep the
   call beyond its limit, and Ctrl-C would not end it. */
ps_status ps__timeout_goon(ps__call *call, char direction) {
  if (call->end == INFINITY || ps__os_monotime() < call->end) return ask_host(call);
  atomic_store_explicit(&call->self->wants, direction, memory_order_relaxed);
  return ps__error_failure(PS_TIMEOUT);
}

ps_status ps__timeout_pause(ps__call *call, ps__step *step, void *context) {
  if (call->block == 0) return ps__error_failure(PS_TIMEOUT);
  double end = call->end;
  if (call->block > 0) end = fmin(end, ps__os_monotime() + call->block);
  /* A wait without a socket has not tried anything yet, even if its limit has expired. */
  for (int first = call->self == NULL;; first = 0) {
    double left = end == INFINITY ? INFINITY : end - ps__os_monotime();
    if (left <= 0 && !first) return ps__error_failure(PS_TIMEOUT);
    int answer = step(call->host, context, fmax(left, 0));
    if (answer == PS__READY || answer == PS__SIGNAL) {
      ps_status status = answer == PS__SIGNAL ? ask_host(call) : PS__DONE;
      if (status.code != PS_OK || answer == PS__READY) return status;
    } else if (answer > 0) {
      return ps__timeout_error(call, answer);
    }
  }
}

int ps__timeout_wakeable(const ps_host *host) {
  return host == NULL || host->leave != NULL || host->mode != PS_HOST_HOLD;
}

int ps__timeout_poll(ps_host *host, const ps_sockets *sets, size_t count, double seconds,
                     ps__waker *waker) {
  if (seconds > 0) ps__host_leave(host);
  int error = ps__os_poll(sets, count, seconds, waker);
  if (seconds > 0) ps__host_enter(host);
  if (error != 0) return ps__os_signalled(error) ? PS__SIGNAL : error;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < sets[i].count; j++)
      if (sets[i].watches[j].ready) return PS__READY;
  return waker != NULL && waker->woken ? PS__SIGNAL : PS__TIMEUP;
}

/* The context of a step that waits for one descriptor. */
typedef struct single {
  ps_watch watch;
  ps__waker *waker;
} single;

static int poll_single(ps_host *host, void *context, double seconds) {
  single *waited = context;
  ps_sockets set = {&waited->watch, 1};
  int answer = ps__timeout_poll(host, &set, 1, seconds, waited->waker);
  /* An invalid descriptor never becomes ready; let the operation fail. */
  return waited->watch.fd < 0 ? PS__READY : answer;
}

ps_status ps__timeout_wait(ps__call *call, int writable) {
  ps_socket *self = call->self;
  ps_status status;
  if (call->block == 0) {
    status = ps__error_failure(PS_TIMEOUT);
  } else {
    ps__waker waker;
    int wakeable = ps__timeout_wakeable(call->host);
    single waited = {{.fd = call->fd, .writable = (char)writable},
                     wakeable ? &waker : NULL};
    if (wakeable) ps__os_waker_begin(&waker);
    /* A close before the waker began has not woken it. */
    status = ps__turn_gone(call) ? ps__error_failure(PS_CLOSED)
                                 : ps__timeout_pause(call, poll_single, &waited);
    if (wakeable) ps__os_waker_end(&waker);
    if (status.code == PS_OK && ps__turn_gone(call))
      status = ps__error_failure(PS_CLOSED);
  }
  if (status.code == PS_TIMEOUT)
    atomic_store_explicit(&self->wants, writable ? 'w' : 'r', memory_order_relaxed);
  return status;
}

static int sleep_step(ps_host *host, void *context, double seconds) {
  (void)context;
  ps__host_leave(host);
  int error = ps__os_sleep(seconds);
  ps__host_enter(host);
  if (error == 0) return PS__TIMEUP;
  return ps__os_signalled(error) ? PS__SIGNAL : error;
}

ps_nothing ps_sleep(ps_duration seconds, ps_host *host) {
  if (isnan(seconds)) return (ps_nothing){ps__error_misuse(PS_MISUSE_NAN, 1, "seconds")};
  if (seconds <= 0) return (ps_nothing){PS__DONE};
  ps__call call = {.host = host, .block = -1, .end = ps__os_monotime() + seconds};
  ps_status status = ps__timeout_pause(&call, sleep_step, NULL);
  if (status.code == PS_TIMEOUT) status = PS__DONE;
  return (ps_nothing){status};
}

ps_seconds ps_gettime(void) { return ps__os_gettime(); }

ps_seconds ps_monotime(void) { return ps__os_monotime(); }
