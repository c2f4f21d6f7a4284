/* SPDX-License-Identifier: MIT */
/* See locks.h. */

#include "locks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* The linker's names: __wrap_f is called for f, and __real_f is f. */
int __real_pthread_mutex_lock(pthread_mutex_t *);
int __real_pthread_mutex_unlock(pthread_mutex_t *);
int __wrap_pthread_mutex_lock(pthread_mutex_t *);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *);

enum { MOST = 8 };
static _Thread_local pthread_mutex_t *mine[MOST]; /* those that the thread has */
static atomic_int taken;

int locks_taken(void) { return atomic_load(&taken); }

/* The place of a lock, or a free one for NULL. */
static pthread_mutex_t **place_of(const pthread_mutex_t *mutex) {
  for (int i = 0; i < MOST; i++)
    if (mine[i] == mutex) return &mine[i];
  fputs("a lock is given up that was not taken, or there are many\n", stderr);
  abort();
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex) {
  int error = __real_pthread_mutex_lock(mutex);
  *place_of(NULL) = mutex;
  atomic_fetch_add(&taken, 1);
  return error;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex) {
  *place_of(mutex) = NULL;
  return __real_pthread_mutex_unlock(mutex);
}
