/* SPDX-License-Identifier: MIT */
/* State of the process: its number, which changes in a forked child; the lock of sockets
   and pollers; and the handlers that take and release all locks around a fork, so that
   none is locked in the child. */

#define _DEFAULT_SOURCE /* pthread_atfork */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "os.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_int watching; /* the handlers are registered */
static unsigned number; /* this and forker: changed before fork returns in the child */
static unsigned long forker;

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

static void after_fork_in_child(void) {
  number++;
  forker = ps__os_thread();
  for (int part = PS__FORKERS; part-- > 0;)
    if (parts.of[part] != NULL) parts.of[part]->child();
  pthread_mutex_unlock(&parts.mutex);
  ps__os_unlock();
}

static void watch_forks(void) {
  if (pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0)
    atomic_store_explicit(&watching, 1, memory_order_release);
}

unsigned ps__os_process(void) {
  if (!atomic_load_explicit(&watching, memory_order_acquire))
    pthread_once(&once, watch_forks);
  return number;
}

void ps__os_at_fork(int part, const ps__forker *forker) {
  ps__os_process();
  pthread_mutex_lock(&parts.mutex);
  parts.of[part] = forker;
  pthread_mutex_unlock(&parts.mutex);
}

unsigned long ps__os_forker(void) { return forker; }
