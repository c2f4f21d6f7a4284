/* SPDX-License-Identifier: MIT */
/* The process and its threads on a POSIX system: the number of the process, which changes
   in a forked child; the lock of sockets and pollers; the handlers that take and release
   all locks around a fork, so that none is locked in the child; threads and conditions.
 */

#define _DEFAULT_SOURCE /* pthread_atfork, pthread_condattr_setclock, sigset_t */
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include "os_parts.h"

/* Modules of the system's resolver, such as LDAP clients, run on this stack, and it
   contains the thread-local memory of every loaded library: 256 KiB have been too small
   for some. Only pages that are touched use memory. */
enum { STACK = 1 << 20 };

static atomic_int watching;    /* the handlers are registered */
static atomic_int registering; /* the process whose thread registers them, or 0 */
static unsigned number; /* this and forked_by: changed before fork returns in the child */
static unsigned long forked_by;

static struct {
  pthread_mutex_t mutex;
  const ps__forker *of[PS__FORKERS];
} parts = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static pthread_mutex_t members = PTHREAD_MUTEX_INITIALIZER;

void ps__os_lock(void) { pthread_mutex_lock(&members); }
void ps__os_unlock(void) { pthread_mutex_unlock(&members); }

/* The lock of the members comes first: a poller has it when its wait registers a part. */
static void before_fork(void) {
  ps__os_lock();
  pthread_mutex_lock(&parts.mutex);
  for (int part = 0; part < PS__FORKERS; part++)
    if (parts.of[part] != NULL) parts.of[part]->before();
}

static void after_fork_in_parent(void) {
  for (int part = PS__FORKERS; part-- > 0;)
    if (parts.of[part] != NULL) parts.of[part]->parent();
  pthread_mutex_unlock(&parts.mutex);
  ps__os_unlock();
}

unsigned long ps__os_thread(void) { return (unsigned long)pthread_self(); }

/* That it runs shows that the handlers are registered. */
static void after_fork_in_child(void) {
  atomic_store_explicit(&watching, 1, memory_order_release);
  number++;
  forked_by = ps__os_thread();
  for (int part = PS__FORKERS; part-- > 0;)
    if (parts.of[part] != NULL) parts.of[part]->child();
  pthread_mutex_unlock(&parts.mutex);
  ps__os_unlock();
}

/* As pthread_once, which would wait for ever in a child that was forked in the middle of
   it, or register the handlers twice. If they were registered before the fork, they have
   said so in the child; if not, the child finds the number of another process. */
static PS__APART void watch_forks(void) {
  int me = (int)getpid();
  while (!atomic_load_explicit(&watching, memory_order_acquire)) {
    int other = atomic_load(&registering);
    if (other == me) {
      sched_yield(); /* another thread is at it */
    } else if (atomic_compare_exchange_strong(&registering, &other, me)) {
      int error = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
      if (error == 0) atomic_store_explicit(&watching, 1, memory_order_release);
      atomic_store(&registering, 0);
      if (error != 0) return;
    }
  }
}

unsigned ps__os_process(void) {
  if (!atomic_load_explicit(&watching, memory_order_acquire)) watch_forks();
  return number;
}

void ps__os_at_fork(int part, const ps__forker *forker) {
  ps__os_process();
  pthread_mutex_lock(&parts.mutex);
  parts.of[part] = forker;
  pthread_mutex_unlock(&parts.mutex);
}

unsigned long ps__os_forker(void) { return forked_by; }

/* ---- Threads ---- */

int ps__os_start(ps__thread run) {
  pthread_attr_t attributes;
  int error = pthread_attr_init(&attributes);
  if (error != 0) return error;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK);
  /* Signals are for the threads of the program. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  error = pthread_create(&thread, &attributes, run, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return error;
}

void ps__os_condition(ps__condition *made) {
  pthread_condattr_t clock;
  pthread_condattr_init(&clock);
#ifndef __APPLE__
  pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
#endif
  pthread_cond_init(made, &clock);
  pthread_condattr_destroy(&clock);
}

void ps__os_await(ps__condition *condition, ps__mutex *mutex, double until) {
#ifdef __APPLE__
  double left = fmax(until - ps__os_monotime(), 0);
  struct timespec time = {(time_t)left, (long)((left - floor(left)) * 1e9)};
  pthread_cond_timedwait_relative_np(condition, mutex, &time);
#else
  struct timespec time = {(time_t)until, (long)((until - floor(until)) * 1e9)};
  pthread_cond_timedwait(condition, mutex, &time);
#endif
}
