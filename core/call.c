/* SPDX-License-Identifier: MIT */
/* The life of a call: kind, limits, turn, and the end, which gives the descriptor of a
   closed socket back to the system. */

#include <math.h>

#include "internal.h"

ps_status ps__call_kind(const ps_socket *self, unsigned char kinds) {
  if (self == NULL) return ps__error_misuse(PS_MISUSE_NOTOBJECT, 0, NULL);
  if ((atomic_load_explicit(&self->kind, memory_order_relaxed) & kinds) != 0)
    return PS__DONE;
  return ps__error_misuse((kinds & PS__MASTER) != 0   ? PS_MISUSE_NOTMASTER
                          : (kinds & PS__CLIENT) != 0 ? PS_MISUSE_NOTCLIENT
                                                      : PS_MISUSE_NOTSERVER,
                          0, NULL);
}

typedef struct turn_wait {
  ps__call *call;
  double pause;
  int answer;
} turn_wait;

/* A thread that waits for a turn polls for it at growing intervals. Two threads in the
   same direction are rare, and a lock in every socket would cost memory and time. */
static int take_turn(ps_host *host, void *context, double seconds) {
  turn_wait *wait = context;
  wait->answer = ps__turn_enter(wait->call);
  if (wait->answer != PS__TAKEN) return PS__READY;
  ps__host_leave(host);
  ps__os_sleep(fmin(seconds, wait->pause));
  ps__host_enter(host);
  wait->pause = fmin(wait->pause * 2, 0.02);
  return PS__SIGNAL;
}

/* Waits for a turn that another thread has. The call is not counted in the object yet, so
   it waits as a call without a socket. */
static ps_status wait_for_turn(ps__call *call, int *answer) {
  turn_wait wait = {call, 0.0002, PS__TAKEN};
  ps__call outside = *call;
  outside.self = NULL;
  ps_status status = ps__timeout_pause(&outside, take_turn, &wait);
  *answer = wait.answer;
  return status;
}

static ps_status check_entered(ps__call *call, unsigned char kinds) {
  ps_status status =
      ps__call_kind(call->self, kinds); /* the kind may have changed during the wait */
  call->fd = atomic_load_explicit(&call->self->fd, memory_order_relaxed);
  if (status.code == PS_OK && call->fd < 0 && (kinds & PS__DECIDED) != 0)
    status = ps__error_failure(PS_UNDECIDED);
  if (status.code != PS_OK) ps__call_end(call);
  return status;
}

ps_status ps__call_begin(ps__call *call, ps_socket *self, ps_host *host,
                         unsigned char kinds, unsigned turn) {
  ps_status status = ps__call_kind(self, kinds);
  if (status.code != PS_OK) return status;
  *call = (ps__call){.self = self, .host = host, .turn = turn};
  ps__timeout_start(call);
  int answer = ps__turn_enter(call);
  if (answer == PS__TAKEN) status = wait_for_turn(call, &answer);
  if (status.code != PS_OK) return status;
  if (answer == PS__GONE) return ps__error_failure(PS_CLOSED);
  if (answer == PS__NESTED) return ps__error_failure(PS_BUSY);
  return check_entered(call, kinds);
}

ps_status ps__call_try(ps__call *call, ps_socket *self, unsigned char kinds,
                       unsigned turn) {
  ps_status status = ps__call_kind(self, kinds);
  if (status.code != PS_OK) return status;
  *call = (ps__call){.self = self, .turn = turn}; /* it never waits */
  int answer = ps__turn_enter(call);
  if (answer == PS__GONE) return ps__error_failure(PS_CLOSED);
  if (answer != PS__ENTERED) return ps__error_failure(PS_BUSY);
  return check_entered(call, kinds);
}

void ps__call_end(ps__call *call) { ps__timeout_close(call->host, ps__turn_leave(call)); }

ps__call ps__call_alone(ps_host *host, ps_seconds timeout) {
  double end = timeout <= 0 ? INFINITY : ps__os_monotime() + timeout;
  return (ps__call){.host = host, .block = timeout == 0 ? 0 : -1, .end = end};
}
