/* SPDX-License-Identifier: MIT */
/* ps_select, without a limit on the number of members or of a descriptor. Each poll
   enters every socket among the members, so that no descriptor is replaced or closed
   meanwhile. Between two polls, when the host's interrupted may run, no socket is
   entered. */

#include <math.h>

#include "internal.h"

typedef struct wait_set {
  ps_sockets sets[2]; /* to receive, to send */
  ps_host *host;
  unsigned process; /* the process in which the sockets were entered */
  int known;        /* a member is ready without asking the system */
  int naming;       /* a member waits for a name */
  int closed;       /* a member was closed meanwhile */
} wait_set;

/* Bits of `buffered` during the call. ENTERED: this poll has entered the socket. MEMBER:
   this or an earlier poll has. */
enum { BUFFERED = 1, ENTERED = 2, MEMBER = 4 };

static int is_closed(const ps_socket *self) {
  return (atomic_load_explicit(&self->state, memory_order_relaxed) & PS__CLOSED) != 0;
}

/* Enters the socket of a watch. One that was closed before the first poll is ignored; one
   that was closed between two polls ends the wait. */
static void enter(wait_set *wait, ps_watch *watch) {
  ps_socket *self = watch->socket;
  ps__call call = {.self = self};
  watch->fd = -1;
  watch->buffered &= MEMBER;
  if (ps__turn_enter(&call) != PS__ENTERED) {
    if (watch->buffered != 0 && is_closed(self)) wait->closed = 1;
    return;
  }
  wait->process = call.process;
  watch->fd = atomic_load_explicit(&self->fd, memory_order_relaxed);
  int known = !watch->writable && ps__has_news(self);
  int naming = atomic_load_explicit(&self->naming, memory_order_relaxed);
  if (watch->fd < 0 || naming) {
    atomic_store(&self->missed, 1); /* before it looks again */
    watch->fd = atomic_load(&self->fd);
    naming = atomic_load(&self->naming);
  }
  if (naming) {
    watch->fd = -1; /* not connecting yet: poll would report it as ready for everything */
    known = watch->writable && ps__connect_news(self);
    wait->naming = 1;
  }
  watch->buffered = (char)(ENTERED | MEMBER | (known ? BUFFERED : 0));
}

/* Is a watch ready without asking the system? */
static int is_known(const ps_watch *watch) {
  int member = watch->socket != NULL || watch->fd >= 0;
  return member && (watch->buffered & BUFFERED) != 0;
}

static void enter_all(wait_set *wait) {
  wait->known = wait->closed = 0;
  for (int i = 0; i < 2; i++)
    for (size_t j = 0; j < wait->sets[i].count; j++) {
      ps_watch *watch = &wait->sets[i].watches[j];
      if (watch->socket != NULL) enter(wait, watch);
      if (is_known(watch)) wait->known = 1;
    }
}

/* Leaves the socket of a watch, which is not ready if it has been closed. */
static void leave(wait_set *wait, ps_watch *watch) {
  ps__call call = {.self = watch->socket, .process = wait->process};
  if (ps__turn_gone(&call)) {
    watch->ready = 0;
    wait->closed = 1;
  }
  ps__timeout_close(wait->host, ps__turn_leave(&call));
}

static void leave_all(wait_set *wait) {
  for (int i = 0; i < 2; i++)
    for (size_t j = 0; j < wait->sets[i].count; j++) {
      ps_watch *watch = &wait->sets[i].watches[j];
      if (is_known(watch)) watch->ready = 1;
      if (watch->socket != NULL && (watch->buffered & ENTERED) != 0) leave(wait, watch);
    }
}

static int any_ready(const wait_set *wait) {
  for (int i = 0; i < 2; i++)
    for (size_t j = 0; j < wait->sets[i].count; j++)
      if (wait->sets[i].watches[j].ready) return 1;
  return 0;
}

static int look(ps_host *host, wait_set *wait, double seconds) {
  ps__waker waker;
  int wakeable = ps__timeout_wakeable(host);
  if (wakeable) ps__os_waker_begin(&waker);
  enter_all(wait);
  if (wait->naming && !wakeable) { /* a helper thread wakes the wait */
    ps__os_waker_begin(&waker);
    wakeable = 1;
    leave_all(wait);
    enter_all(wait);
  }
  int answer =
      ps__timeout_poll(host, wait->sets, 2, wait->known || wait->closed ? 0 : seconds,
                       wakeable ? &waker : NULL);
  leave_all(wait);
  if (wakeable) ps__os_waker_end(&waker);
  return answer;
}

static int look_at_all(ps_host *host, void *context, double seconds) {
  wait_set *wait = context;
  int answer = look(host, wait, seconds), closed = wait->closed;
  /* A close ends the wait, but a signal has ended the poll before it saw who is ready. */
  if (closed && answer == PS__SIGNAL) answer = look(host, wait, 0);
  if (answer > 0) return answer;
  return closed || any_ready(wait) ? PS__READY : answer;
}

static void prepare(ps_sockets set, char writable) {
  for (size_t i = 0; i < set.count; i++) {
    ps_watch *watch = &set.watches[i];
    watch->writable = writable;
    watch->ready = 0;
    watch->buffered = watch->socket == NULL && !writable && watch->buffered;
  }
}

static void restore(ps_sockets set) {
  for (size_t i = 0; i < set.count; i++) set.watches[i].buffered &= BUFFERED;
}

ps_ready ps_select(ps_readables recvt, ps_writables sendt, ps_seconds timeout,
                   ps_host *host) {
  if (isnan(timeout)) return (ps_ready){ps__error_misuse(PS_MISUSE_NAN, 3, "timeout")};
  wait_set wait = {.sets = {recvt, sendt}, .host = host};
  prepare(recvt, 0);
  prepare(sendt, 1);
  ps_status status;
  if (timeout == 0) {
    int answer = look_at_all(host, &wait, 0);
    status = answer < 0 ? ps__error_failure(PS_TIMEOUT) : ps__error_system(answer);
  } else {
    ps__call call = ps__call_alone(host, timeout);
    status = ps__timeout_pause(&call, look_at_all, &wait);
  }
  restore(recvt);
  restore(sendt);
  if (status.code == PS_OK && !any_ready(&wait))
    status = ps__error_failure(PS_CLOSED); /* the ready ones were closed meanwhile */
  return (ps_ready){status};
}

ps_size ps_setsize(void) { return (ps_size){ps__os_setsize()}; }
