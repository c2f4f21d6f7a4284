/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors, on all systems: poll, and the wakers that let another thread
   end a poll. */

#define _DEFAULT_SOURCE
#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#ifndef _WIN32
#include <fcntl.h>
#include <unistd.h>
#endif
#ifdef __linux__
#include <sys/eventfd.h>
#endif
#if defined __GLIBC__ && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 32)
#include <sys/single_threaded.h>
#define IS_SINGLE_THREADED __libc_single_threaded
#else
#define IS_SINGLE_THREADED 0
#endif

#include "os_parts.h"

/* The descriptor of a waker that needs none. */
enum { UNWATCHED = -2 };

/* A wait without a descriptor for its waker polls at this interval, in seconds. */
static const double SLICE = 0.05;

/* A descriptor that a wake makes readable, permanently. Threads that begin a waker after
   that use a new bell, so that a wake affects only the threads that wait at that moment.
   The last waker that uses a bell frees it: its descriptor is never closed during a poll.
 */
typedef struct ps__bell {
  struct ps__bell *next; /* in all or stale */
  int fd;                /* -1: closed by the program */
  int end;               /* closing this end of the pipe rings; -1: it is no pipe */
  unsigned users;        /* wakers, and bells whose heir it is */
  struct ps__bell *heir; /* fd is -1: its users may poll the descriptor of this one */
} bell;

static struct {
  ps__mutex mutex;
  bell *current; /* not rung yet, and it has users; or NULL */
  bell *all;
  bell *stale; /* those of the parent, to be freed */
} wakers = {.mutex = PS__MUTEX};

static void lock(void) { ps__mutex_lock(&wakers.mutex); }
static void unlock(void) { ps__mutex_unlock(&wakers.mutex); }

static void close_bell(bell *closed) {
  if (closed->fd >= 0) ps__os_close(closed->fd);
  if (closed->end >= 0) ps__os_close(closed->end);
}

/* The child shares the bells with its parent: ringing one would wake threads of the
   parent. Nothing is freed here: the allocator may not be usable before fork returns. */
static void give_up_bells(void) {
  bell **last = &wakers.all;
  for (; *last != NULL; last = &(*last)->next) close_bell(*last);
  *last = wakers.stale;
  wakers.stale = wakers.all;
  wakers.all = wakers.current = NULL;
  unlock();
}

static const ps__forker forker = {lock, unlock, give_up_bells};
static atomic_int watching;

/* No harm if two threads do it, or a thread and a child that was forked meanwhile. */
static void watch_forks(void) {
  if (atomic_load_explicit(&watching, memory_order_acquire)) return;
  ps__os_at_fork(PS__FORK_WAKERS, &forker);
  atomic_store_explicit(&watching, 1, memory_order_release);
}

/* ---- Wakers ---- */

#ifdef _WIN32

static int open_bell(bell *made) { return ps__os_bell(&made->fd) == 0; }

static void ring(bell *rung) { ps__os_ring(rung->fd); }

#elif defined EFD_CLOEXEC

static int open_bell(bell *made) {
  made->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return made->fd >= 0;
}

static void ring(bell *rung) {
  uint64_t one = 1;
  /* It cannot fail: nothing was written to this eventfd before. */
  if (write(rung->fd, &one, sizeof one) < 0) return;
}

#else

static int set_flags(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) >= 0 &&
         fcntl(fd, F_SETFD, FD_CLOEXEC) >= 0;
}

static int open_bell(bell *made) {
  int ends[2];
  if (pipe(ends) < 0) return 0;
  made->fd = ends[0];
  made->end = ends[1];
  if (set_flags(made->fd) && set_flags(made->end)) return 1;
  close_bell(made);
  return 0;
}

static void ring(bell *rung) {
  close(rung->end);
  rung->end = -1;
}

#endif

static bell *make_bell(void) {
  bell *made = malloc(sizeof *made);
  if (made == NULL) return NULL;
  *made = (bell){.next = wakers.all, .end = -1};
  if (!open_bell(made)) {
    free(made);
    return NULL;
  }
  return wakers.all = made;
}

static void free_bell(bell *freed) {
  bell **at = &wakers.all;
  while (*at != freed) at = &(*at)->next;
  *at = freed->next;
  close_bell(freed);
  free(freed);
}

static void join(ps__waker *waker) {
  while (wakers.stale != NULL) {
    bell *next = wakers.stale->next;
    free(wakers.stale);
    wakers.stale = next;
  }
  if (wakers.current == NULL) wakers.current = make_bell();
  waker->bell = wakers.current;
  waker->fd = waker->bell != NULL ? waker->bell->fd : -1;
  if (waker->bell != NULL) waker->bell->users++;
  waker->process = ps__os_process();
}

static void drop(bell *left) {
  while (left != NULL && --left->users == 0) {
    bell *heir = left->heir;
    if (left == wakers.current) wakers.current = NULL;
    free_bell(left);
    left = heir;
  }
}

static void leave(const ps__waker *waker) {
  if (waker->bell != NULL && waker->process == ps__os_process()) drop(waker->bell);
}

void ps__os_waker_begin(ps__waker *waker) {
  watch_forks();
  if (IS_SINGLE_THREADED) { /* no other thread could wake it */
    *waker = (ps__waker){.process = ps__os_process(), .fd = UNWATCHED};
    return;
  }
  lock();
  join(waker);
  unlock();
}

void ps__os_waker_end(ps__waker *waker) {
  if (waker->bell == NULL) return;
  lock();
  leave(waker);
  unlock();
}

/* Attaches a waker that was woken to the current bell. The current bell has not been
   rung. If it woke the poll all the same, the program closed its descriptor, as daemons
   do, and the number may now belong to another file: it must not be used or closed. If it
   is that of the next bell, the wakers that poll it need that bell as long as they last.
 */
static void renew(ps__waker *waker) {
  lock();
  bell *old = waker->bell;
  int closed = old != NULL && old == wakers.current && waker->process == ps__os_process();
  int shared = closed && old->users > 1;
  if (closed) {
    old->fd = old->end = -1;
    wakers.current = NULL;
  }
  leave(waker);
  join(waker);
  if (shared && waker->bell != NULL) {
    old->heir = waker->bell;
    old->heir->users++;
  }
  unlock();
}

/* A fork that finds the lock taken must know of it, even if nothing has waited yet. */
void ps__os_wake(void) {
  watch_forks();
  lock();
  if (wakers.current != NULL) {
    ring(wakers.current);
    wakers.current = NULL;
  }
  unlock();
}

/* ---- Waiting ---- */

/* The system counts entries against the limit on descriptors, so each descriptor gets
   only one entry. place is indexed by descriptor: 1 + the index of its entry. */
static nfds_t gather(const ps_sockets *sets, size_t count, struct pollfd *polled,
                     unsigned *place) {
  nfds_t used = 0;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < sets[i].count; j++) {
      const ps_watch *watch = &sets[i].watches[j];
      if (watch->fd < 0) continue;
      nfds_t at = place != NULL ? place[watch->fd] : 0;
      if (at == 0) {
        polled[used++] = (struct pollfd){.fd = watch->fd};
        at = used;
      }
      if (place != NULL) place[watch->fd] = (unsigned)at;
      polled[at - 1].events |= watch->writable ? POLLOUT : POLLIN;
    }
  return used;
}

/* A watch whose descriptor is not open is not polled again. */
static void mark(ps_watch *watch, const struct pollfd *answered) {
  int bad = (answered->revents & POLLNVAL) != 0;
  short wanted = watch->writable ? POLLOUT : POLLIN;
  watch->ready = !bad && (answered->revents & (wanted | POLLERR | POLLHUP)) != 0;
  if (bad) watch->fd = -1;
}

static void mark_all(const ps_sockets *sets, size_t count, const struct pollfd *polled,
                     const unsigned *place, int found) {
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < sets[i].count; j++) {
      ps_watch *watch = &sets[i].watches[j];
      watch->ready = 0;
      if (found > 0 && watch->fd >= 0)
        mark(watch, &polled[place != NULL ? place[watch->fd] - 1 : 0]);
    }
}

/* Polls the entries and, after them, the descriptor of the waker. found is the number of
   ready ones, including the waker. Waits are limited to a day: the callers check the
   clock and wait again. */
static int poll_with(struct pollfd *polled, nfds_t used, double seconds, ps__waker *waker,
                     int *found) {
  int sliced = waker != NULL && waker->fd == -1 && seconds > 0;
  const struct pollfd *answered = &polled[used];
  if (waker != NULL && waker->fd >= 0)
    polled[used++] = (struct pollfd){.fd = waker->fd, .events = POLLIN};
  else
    answered = NULL;
  if (sliced) seconds = fmin(seconds, SLICE);
  int milliseconds = seconds > 86400 ? 86400000 : (int)ceil(seconds * 1000);
  *found = ps__os_poll_entries(polled, used, milliseconds);
  if (*found < 0) return -*found;
  if (waker == NULL) return 0;
  waker->woken = answered != NULL ? answered->revents != 0 : sliced && *found == 0;
  if (waker->woken) renew(waker);
  return 0;
}

/* Was it begun before a fork, or before the process had a second thread? */
static int is_outdated(const ps__waker *waker) {
  return waker->process != ps__os_process() ||
         (waker->fd == UNWATCHED && !IS_SINGLE_THREADED);
}

int ps__os_poll(const ps_sockets *sets, size_t count, double seconds, ps__waker *waker) {
  size_t total = 0;
  int highest = -1;
  for (size_t i = 0; i < count; i++) {
    total += sets[i].count;
    for (size_t j = 0; j < sets[i].count; j++)
      if (sets[i].watches[j].fd > highest) highest = sets[i].watches[j].fd;
  }
  struct pollfd two[2], *polled = two;
  unsigned *place = NULL;
  if (total > 1) {
    polled = calloc(total + 1, sizeof *polled);
    place = calloc((size_t)highest + 2, sizeof *place);
    if (polled == NULL || place == NULL) {
      free(polled);
      free(place);
      return ENOMEM;
    }
  }
  int found = 0, error = 0;
  if (waker != NULL && is_outdated(waker)) {
    renew(waker);
    waker->woken = 1;
  } else {
    error = poll_with(polled, gather(sets, count, polled, place), seconds, waker, &found);
  }
  mark_all(sets, count, polled, place, found);
  if (total > 1) {
    free(polled);
    free(place);
  }
  return error;
}
