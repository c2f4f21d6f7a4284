/* SPDX-License-Identifier: MIT */
/* Turns, the count of calls under way, and closing, in one atomic word. Nothing here
   waits or makes system calls. A descriptor is returned to be closed only when no call is
   counted any more. */

#include "internal.h"

/* Do no other calls run now? With PS_HOST_HOLD they do only between leave and enter, so
   plain stores replace atomic read-modify-write instructions, which saves 3 ns of the 40
   that a short line takes in the core. */
static int is_alone(const ps__call *call) { return ps__holds(call->host); }

static unsigned process_bits(void) { return ps__os_process() << PS__PROCESS_SHIFT; }

/* The calls of the thread that forked go on in the child. Only a child knows its parent's
   thread, so what a grandchild inherits counts as orphaned. */
static unsigned orphaned(const ps_socket *self, unsigned now, unsigned process) {
  if (((now ^ process) & PS__PROCESS) == 0 || (now & PS__RECEIVING) == 0)
    return now & PS__ORPHANED;
  unsigned long thread = atomic_load_explicit(&self->owner[0], memory_order_relaxed);
  int is_child = process - (now & PS__PROCESS) == 1u << PS__PROCESS_SHIFT;
  return is_child && thread == ps__os_forker() ? 0 : PS__ORPHANED;
}

static PS__APART unsigned drop_calls(ps_socket *self, unsigned now, unsigned process) {
  while (((now ^ process) & PS__PROCESS) != 0) {
    unsigned ours = (now & PS__CLOSED) | orphaned(self, now, process) | process;
    if (atomic_compare_exchange_weak(&self->state, &now, ours)) return ours;
  }
  return now;
}

/* Reads the state word. After a fork it drops the calls of the parent's threads. */
static inline unsigned read_word(ps_socket *self) {
  unsigned now = atomic_load(&self->state), process = process_bits();
  return ((now ^ process) & PS__PROCESS) == 0 ? now : drop_calls(self, now, process);
}

static int change(const ps__call *call, unsigned *now, unsigned then) {
  atomic_uint *state = &call->self->state;
  if (!is_alone(call)) return atomic_compare_exchange_weak(state, now, then);
  atomic_store_explicit(state, then, memory_order_relaxed);
  return 1;
}

static void set_owner(ps_socket *self, unsigned turn, unsigned long thread) {
  if ((turn & PS__RECEIVING) != 0)
    atomic_store_explicit(&self->owner[0], thread, memory_order_relaxed);
  if ((turn & PS__SENDING) != 0)
    atomic_store_explicit(&self->owner[1], thread, memory_order_relaxed);
  if ((turn & PS__REPLACED) != 0)
    atomic_store_explicit(&self->owner[2], thread, memory_order_relaxed);
}

/* Does the calling thread have one of these turns? Only it writes its own number. */
static int is_mine(const ps_socket *self, unsigned turn) {
  unsigned long me = ps__os_thread();
  return ((turn & PS__RECEIVING) != 0 &&
          atomic_load_explicit(&self->owner[0], memory_order_relaxed) == me) ||
         ((turn & PS__SENDING) != 0 &&
          atomic_load_explicit(&self->owner[1], memory_order_relaxed) == me) ||
         ((turn & PS__REPLACED) != 0 &&
          atomic_load_explicit(&self->owner[2], memory_order_relaxed) == me);
}

int ps__turn_enter(ps__call *call) {
  ps_socket *self = call->self;
  unsigned now = read_word(self);
  do {
    if ((now & (PS__CLOSED | PS__REPLACED)) != 0) return PS__GONE;
    if ((now & call->turn) != 0)
      return is_mine(self, call->turn) ? PS__NESTED : PS__TAKEN;
    /* The other half of the range is reserved for ps__turn_back and for closing. */
    if ((now & PS__CALLS) > PS__CALLS / 2) return PS__TAKEN;
  } while (!change(call, &now, (now | call->turn) + PS__CALL));
  if (call->turn != 0) set_owner(self, call->turn, ps__os_thread());
  if ((now & PS__ORPHANED) != 0 && (call->turn & PS__RECEIVING) != 0)
    ps__turn_disown(self);
  call->process = now & PS__PROCESS;
  call->replacements = atomic_load_explicit(&self->replacements, memory_order_relaxed);
  return PS__ENTERED;
}

/* Did the call begin in the parent, before the state word was reset for this process? */
static int is_forgotten(const ps__call *call, unsigned now) {
  return ((now ^ call->process) & PS__PROCESS) != 0;
}

/* Subtracts calls from the count and clears bits of the word. The last call to leave a
   closed object takes the descriptor first, because a setfd may follow immediately. */
static int step_out(const ps__call *call, unsigned calls, unsigned bits) {
  ps_socket *self = call->self;
  unsigned now = atomic_load(&self->state);
  int fd = -1;
  do {
    if (is_forgotten(call, now)) break;
    if (calls > 0 && (now & PS__CLOSED) != 0 && (now & PS__CALLS) == PS__CALL && fd < 0)
      fd = atomic_exchange(&self->fd, -1);
  } while (!change(call, &now, (now & ~bits) - calls));
  return fd;
}

int ps__turn_leave(ps__call *call) {
  if (call->turn != 0 && !is_forgotten(call, atomic_load(&call->self->state)))
    set_owner(call->self, call->turn, 0);
  return step_out(call, call->aside ? 0 : PS__CALL, call->turn);
}

int ps__turn_aside(ps__call *call) {
  int fd = step_out(call, PS__CALL, 0);
  call->aside = 1;
  return fd;
}

/* After a fork inside interrupted: has no other call of the child had the turn? It would
   have freed or moved the read buffer into which this call receives. */
static int is_untouched(const ps__call *call) {
  unsigned long me = ps__os_thread();
  const atomic_ulong *owner = call->self->owner;
  return ((call->turn & PS__RECEIVING) == 0 ||
          atomic_load_explicit(&owner[0], memory_order_relaxed) == me) &&
         ((call->turn & PS__SENDING) == 0 ||
          atomic_load_explicit(&owner[1], memory_order_relaxed) == me);
}

void ps__turn_back(ps__call *call) {
  ps_socket *self = call->self;
  unsigned now = read_word(self), orphans;
  do {
    if ((now & (PS__CLOSED | PS__REPLACED)) != 0 ||
        atomic_load(&self->replacements) != call->replacements)
      return;
    if (is_forgotten(call, now) && ((now & call->turn) != 0 || !is_untouched(call)))
      return;
    /* A grandchild could not know that the buffer is that of this call. */
    orphans = (call->turn & PS__RECEIVING) != 0 ? PS__ORPHANED : 0;
  } while (!change(call, &now, ((now & ~orphans) | call->turn) + PS__CALL));
  call->process = now & PS__PROCESS;
  call->aside = 0;
}

int ps__turn_gone(const ps__call *call) {
  unsigned now = atomic_load_explicit(&call->self->state, memory_order_relaxed);
  return call->aside || (now & (PS__CLOSED | PS__REPLACED)) != 0;
}

int ps__turn_close(ps__call *call, unsigned *before) {
  ps_socket *self = call->self;
  unsigned now = read_word(self);
  do {
    if ((now & PS__CLOSED) != 0 && (now & (PS__CALLS | PS__REPLACED)) != 0) return 0;
  } while (
      !atomic_compare_exchange_weak(&self->state, &now, (now | PS__CLOSED) + PS__CALL));
  call->process = now & PS__PROCESS;
  *before = now;
  return 1;
}

int ps__turn_replace(ps__call *call) {
  ps_socket *self = call->self;
  unsigned now = read_word(self);
  do {
    if ((now & PS__REPLACED) != 0)
      return is_mine(self, PS__REPLACED) ? PS__NESTED : PS__TAKEN;
  } while (!atomic_compare_exchange_weak(&self->state, &now, now | PS__REPLACED));
  set_owner(self, PS__REPLACED, ps__os_thread());
  call->process = now & PS__PROCESS;
  call->aside = 1;
  return PS__ENTERED;
}

int ps__turn_empty(ps__call *call, unsigned *before) {
  ps_socket *self = call->self;
  unsigned now = read_word(self), then;
  do {
    if ((now & PS__CALLS) != 0) return 0;
    then = (now & ~(unsigned)PS__CLOSED) | PS__REPLACED;
  } while (!atomic_compare_exchange_weak(&self->state, &now, then + PS__CALL));
  call->process = now & PS__PROCESS;
  call->aside = 0;
  *before = now;
  return 1;
}

int ps__turn_replaced(ps__call *call, int closed) {
  if (closed) atomic_fetch_or(&call->self->state, PS__CLOSED);
  set_owner(call->self, PS__REPLACED, 0);
  return step_out(call, call->aside ? 0 : PS__CALL, PS__REPLACED);
}

int ps__turn_detach(const ps__call *call) {
  ps_socket *self = call->self;
  unsigned alone = call->process | PS__BOTH | PS__CALL;
  return atomic_compare_exchange_strong(&self->state, &alone, alone | PS__CLOSED);
}

unsigned ps__turn_calls(const ps_socket *self) {
  unsigned now = atomic_load(&self->state);
  return ((now ^ process_bits()) & PS__PROCESS) != 0 ? 0 : now & PS__CALLS;
}

int ps__turn_orphaned(const ps_socket *self) {
  return orphaned(self, atomic_load(&self->state), process_bits()) != 0;
}

void ps__turn_disown(ps_socket *self) {
  if ((atomic_load(&self->state) & PS__ORPHANED) == 0) return;
  self->reader.buffer = NULL;
  self->views = NULL;
  self->viewer = 0;
  atomic_store(&self->pending, 0);
  atomic_fetch_and(&self->state, ~(unsigned)PS__ORPHANED);
}
