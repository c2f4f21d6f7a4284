/* SPDX-License-Identifier: MIT */
/* Helper threads that resolve names: a queue of questions, the threads that resolve them,
   and results that were not collected yet. All of it belongs to the process, and a forked
   child starts without helpers. This file knows no sockets. */

#define _DEFAULT_SOURCE
#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "os_parts.h"

enum { CHAINS = 256 };

/* RESTING: not queued yet; or, in a forked child, not asked about since the fork. */
enum { RESTING, QUEUED, RUNNING, DONE };

/* The lock protects all members without another comment. */
typedef struct question {
  ps__lookup lookup;    /* first: callers have a pointer to it. Constant once DONE */
  atomic_int state;     /* changed under the lock, read without it */
  atomic_int collected; /* a holder has seen that it is DONE */
  unsigned holders;
  unsigned hash;
  double expires; /* later calls do not share the result after this time; 0 until DONE */
  struct question *before, *after; /* neighbours in one of the lists */
  struct question *chain;          /* the next one in the same hash bucket */
  char text[];                     /* host and service */
} question;

typedef struct list {
  question *first, *last;
  unsigned count;
} list;

/* A question with a holder that is DONE or RESTING is in no list, only in its chain. */
static struct {
  atomic_int prepared;
  ps__mutex mutex;
  ps__condition answered; /* any question became DONE */
  list queue, running;
  list kept; /* DONE questions without a holder whose result was not collected */
  question *chains[CHAINS];
  unsigned helpers;
} process = {.mutex = PS__MUTEX};

/* ---- Lists ---- */

static void append(list *to, question *added) {
  added->before = to->last;
  added->after = NULL;
  *(to->last != NULL ? &to->last->after : &to->first) = added;
  to->last = added;
  to->count++;
}

static void take_out(list *from, question *taken) {
  *(taken->before != NULL ? &taken->before->after : &from->first) = taken->after;
  *(taken->after != NULL ? &taken->after->before : &from->last) = taken->before;
  from->count--;
}

static int state_of(const question *asked) {
  return atomic_load_explicit(&asked->state, memory_order_acquire);
}

static void set_state(question *asked, int state) {
  atomic_store_explicit(&asked->state, state, memory_order_release);
}

static void discard(question *asked) {
  question **at = &process.chains[asked->hash % CHAINS];
  while (*at != asked) at = &(*at)->chain;
  *at = asked->chain;
  while (asked->lookup.records != NULL) {
    ps__record *next = asked->lookup.records->next;
    ps__os_realloc(asked->lookup.records, 0);
    asked->lookup.records = next;
  }
  free(asked);
}

/* Frees expired results, and the oldest ones when there are too many. */
static void expire(void) {
  double now = ps__os_monotime();
  for (question *at = process.kept.first, *next; at != NULL; at = next) {
    next = at->after;
    if (process.kept.count <= PS__KEPT && at->expires > now) continue;
    take_out(&process.kept, at);
    discard(at);
  }
}

/* ---- Fork ---- */

static void rest(list *from) {
  while (from->first != NULL) {
    question *asked = from->first;
    take_out(from, asked);
    set_state(asked, RESTING);
    /* Without a holder, the next call of start frees it: it expires at 0. */
    if (asked->holders == 0) append(&process.kept, asked);
  }
}

static void lock(void) { ps__mutex_lock(&process.mutex); }
static void unlock(void) { ps__mutex_unlock(&process.mutex); }

/* In the child there are no helpers, and no threads that wait for them. Nothing is freed
   here: the allocator may not be usable before fork returns. The memory of a helper's
   unfinished result leaks in the child. */
static void give_up_helpers(void) {
  process.helpers = 0;
  rest(&process.queue);
  rest(&process.running);
  ps__os_condition(&process.answered);
  unlock();
}

/* A child that was forked in the middle of it begins anew. */
static void prepare(void) {
  static const ps__forker forker = {lock, unlock, give_up_helpers};
  if (atomic_load_explicit(&process.prepared, memory_order_acquire)) return;
  ps__os_at_fork(PS__FORK_HELPERS, &forker);
  lock();
  if (!atomic_load(&process.prepared)) ps__os_condition(&process.answered);
  atomic_store_explicit(&process.prepared, 1, memory_order_release);
  unlock();
}

/* ---- Answering ---- */

static void publish(question *asked, const ps__lookup *answer) {
  asked->lookup.status = answer->status;
  asked->lookup.records = answer->records;
  memcpy(asked->lookup.canonical, answer->canonical, sizeof answer->canonical);
  memcpy(asked->lookup.servicename, answer->servicename, sizeof answer->servicename);
  asked->expires = ps__os_monotime() + (double)PS__KEPT_SECONDS;
  set_state(asked, DONE);
  if (asked->holders == 0) {
    append(&process.kept, asked);
    expire();
  }
  ps__condition_tell(&process.answered);
}

/* The result is made in memory of the helper, so that a fork never copies an incomplete
   one. A question that is RUNNING is not freed, so its text stays valid. */
static PS__THREAD help(void *context) {
  (void)context;
  lock();
  while (process.queue.first != NULL) {
    question *asked = process.queue.first;
    take_out(&process.queue, asked);
    append(&process.running, asked);
    set_state(asked, RUNNING);
    unlock();
    const ps__lookup *its = &asked->lookup;
    ps__lookup answer = {.host = its->host,
                         .service = its->service,
                         .family = its->family,
                         .flags = its->flags};
    ps__os_resolve(&answer);
    lock();
    take_out(&process.running, asked);
    publish(asked, &answer);
    unlock();
    ps__os_wake();
    lock();
  }
  process.helpers--;
  unlock();
  return 0;
}

static int start_helper(void) {
  int error = ps__os_start(help);
  if (error == 0) process.helpers++;
  return error;
}

/* Queues a RESTING question. A helper ends only when the queue is empty, so one running
   helper is enough to process it. */
static int enqueue(question *asked) {
  if (state_of(asked) != RESTING) return 0;
  int error = process.helpers < PS__HELPERS ? start_helper() : 0;
  if (process.helpers == 0) return error;
  set_state(asked, QUEUED);
  append(&process.queue, asked);
  return 0;
}

/* ---- Asking ---- */

static int same(const char *one, const char *other) {
  return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

static unsigned add_hash(unsigned hash, const char *text) {
  for (; text != NULL && *text != '\0'; text++)
    hash = (hash ^ (unsigned char)*text) * 16777619u;
  return (hash ^ (text != NULL)) * 16777619u;
}

static unsigned hash_of(const ps__lookup *asked) {
  return add_hash(add_hash(2166136261u, asked->host), asked->service);
}

/* Returns a question that a new holder may join, or NULL. */
static question *find(const ps__lookup *wanted, unsigned hash) {
  question *at = process.chains[hash % CHAINS];
  for (; at != NULL; at = at->chain) {
    const ps__lookup *its = &at->lookup;
    if (at->hash != hash || its->family != wanted->family || its->flags != wanted->flags)
      continue;
    if (!same(its->host, wanted->host) || !same(its->service, wanted->service)) continue;
    if (state_of(at) != DONE) return at;
    if (!atomic_load(&at->collected) && at->expires > ps__os_monotime()) return at;
  }
  return NULL;
}

static question *make(const ps__lookup *wanted, unsigned hash) {
  size_t host = wanted->host != NULL ? strlen(wanted->host) + 1 : 0;
  size_t service = wanted->service != NULL ? strlen(wanted->service) + 1 : 0;
  question *made = calloc(1, sizeof *made + host + service);
  if (made == NULL) return NULL;
  made->lookup.family = wanted->family;
  made->lookup.flags = wanted->flags;
  if (host > 0) made->lookup.host = memcpy(made->text, wanted->host, host);
  if (service > 0)
    made->lookup.service = memcpy(made->text + host, wanted->service, service);
  atomic_init(&made->state, RESTING);
  atomic_init(&made->collected, 0);
  made->holders = 1;
  made->hash = hash;
  made->chain = process.chains[hash % CHAINS];
  process.chains[hash % CHAINS] = made;
  return made;
}

static void hold(question *asked) {
  if (asked->holders++ == 0 && state_of(asked) == DONE) take_out(&process.kept, asked);
}

static void let_go(question *asked) {
  if (--asked->holders > 0) return;
  int state = state_of(asked);
  if (state == RUNNING) return; /* its helper still uses it */
  if (state == QUEUED) take_out(&process.queue, asked);
  if (state != DONE || atomic_load(&asked->collected)) {
    discard(asked);
  } else {
    append(&process.kept, asked);
    expire();
  }
}

int ps__os_lookup_start(const ps__lookup *wanted, ps__lookup **lookup) {
  prepare();
  unsigned hash = hash_of(wanted);
  lock();
  expire();
  question *asked = find(wanted, hash);
  if (asked != NULL)
    hold(asked);
  else
    asked = make(wanted, hash);
  int error = ENOMEM;
  if (asked != NULL) {
    error = enqueue(asked);
    if (error != 0) let_go(asked);
  }
  unlock();
  if (error == 0) *lookup = &asked->lookup;
  return error;
}

/* Queues a RESTING question. If that fails, the question becomes DONE with the failure.
 */
static void resume(question *asked) {
  int error = enqueue(asked);
  if (error == 0) return;
  ps__lookup failure = {.status = {.code = ps__os_code(error), .system = error}};
  publish(asked, &failure);
}

static int collect(question *asked) {
  if (state_of(asked) != DONE) return 0;
  atomic_store(&asked->collected, 1);
  return 1;
}

int ps__os_lookup_done(ps__lookup *lookup) {
  question *asked = (question *)lookup;
  if (state_of(asked) == RESTING) {
    lock();
    resume(asked);
    unlock();
  }
  return collect(asked);
}

int ps__os_lookup_wait(ps__lookup *lookup, double seconds) {
  question *asked = (question *)lookup;
  double until = ps__os_monotime() + fmin(seconds, 86400);
  lock();
  resume(asked);
  while (state_of(asked) != DONE && ps__os_monotime() < until)
    ps__os_await(&process.answered, &process.mutex, until);
  unlock();
  return collect(asked);
}

void ps__os_lookup_drop(ps__lookup *lookup) {
  lock();
  let_go((question *)lookup);
  unlock();
}
