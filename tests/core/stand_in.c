/* SPDX-License-Identifier: MIT */
/* See stand_in.h. */

#define _GNU_SOURCE
#include "stand_in.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The linker's names: __wrap_f is called for f, and __real_f is f. */
#define STAND_IN(type, name, ...)  \
  type __real_##name(__VA_ARGS__); \
  type __wrap_##name(__VA_ARGS__); \
  type __wrap_##name(__VA_ARGS__)

static const stand_in usual = {.connect = AS_EVER,
                               .setsockopt = AS_EVER,
                               .getrlimit = AS_EVER,
                               .nanosleep = AS_EVER,
                               .poll = AS_EVER,
                               .eventfd = AS_EVER,
                               .pthread_create = AS_EVER,
                               .pthread_attr_init = AS_EVER,
                               .resolver = AS_EVER,
                               .names = AS_EVER,
                               .numbers = AS_EVER};
stand_in system_is;
static atomic_int held, faults, allocations;

void stand_in_reset(void) {
  system_is = usual;
  atomic_store(&allocations, 0);
}

int stand_in_held(void) { return atomic_load(&held); }
int stand_in_faults(void) { return atomic_load(&faults); }

static int answer(int error) {
  errno = error;
  return error == 0 ? 0 : -1;
}

/* ---- Memory ---- */

void stand_in_memory_ends(int number) { atomic_store(&allocations, number); }
int stand_in_memory_ended(void) { return atomic_load(&allocations) <= 0; }

static int is_the_last(void) {
  if (atomic_load(&allocations) <= 0 || atomic_fetch_sub(&allocations, 1) != 1) return 0;
  errno = ENOMEM;
  return 1;
}

static void *kept(void *made) {
  if (made != NULL) atomic_fetch_add(&held, 1);
  return made;
}

STAND_IN(void *, malloc, size_t size) {
  return is_the_last() ? NULL : kept(__real_malloc(size));
}

STAND_IN(void *, calloc, size_t count, size_t size) {
  return is_the_last() ? NULL : kept(__real_calloc(count, size));
}

STAND_IN(void *, realloc, void *memory, size_t size) {
  if (is_the_last()) return NULL;
  return memory == NULL ? kept(__real_malloc(size)) : __real_realloc(memory, size);
}

STAND_IN(void, free, void *memory) {
  if (memory != NULL) atomic_fetch_sub(&held, 1);
  __real_free(memory);
}

/* ---- Threads ---- */

STAND_IN(int, pthread_atfork, void (*before)(void), void (*parent)(void),
         void (*child)(void)) {
  system_is.handlers++;
  if (system_is.refused_handlers > 0) {
    system_is.refused_handlers--;
    return ENOMEM;
  }
  if (system_is.before_handlers != NULL && system_is.handlers == 1)
    system_is.before_handlers();
  int error = __real_pthread_atfork(before, parent, child);
  if (system_is.after_handlers != NULL) system_is.after_handlers();
  return error;
}

STAND_IN(int, pthread_attr_init, pthread_attr_t *attributes) {
  if (system_is.pthread_attr_init != AS_EVER) return system_is.pthread_attr_init;
  atomic_fetch_add(&held, 1);
  return __real_pthread_attr_init(attributes);
}

STAND_IN(int, pthread_attr_destroy, pthread_attr_t *attributes) {
  atomic_fetch_sub(&held, 1);
  return __real_pthread_attr_destroy(attributes);
}

STAND_IN(int, pthread_condattr_init, pthread_condattr_t *attributes) {
  atomic_fetch_add(&held, 1);
  return __real_pthread_condattr_init(attributes);
}

STAND_IN(int, pthread_condattr_destroy, pthread_condattr_t *attributes) {
  atomic_fetch_sub(&held, 1);
  return __real_pthread_condattr_destroy(attributes);
}

STAND_IN(int, pthread_create, pthread_t *thread, const pthread_attr_t *attributes,
         void *(*run)(void *), void *context) {
  if (attributes == NULL) /* the test's own */
    return __real_pthread_create(thread, attributes, run, context);
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, NULL, &blocked);
  system_is.signals_blocked =
      sigismember(&blocked, SIGUSR1) == 1 && sigismember(&blocked, SIGTERM) == 1;
  pthread_attr_getdetachstate(attributes, &system_is.detached);
  system_is.detached = system_is.detached == PTHREAD_CREATE_DETACHED;
  pthread_attr_getstacksize(attributes, &system_is.stack);
  if (system_is.pthread_create != AS_EVER) return system_is.pthread_create;
  return __real_pthread_create(thread, attributes, run, context);
}

/* ---- Descriptors and waits ---- */

STAND_IN(int, close, int fd) {
  if (fcntl(fd, F_GETFD) < 0) atomic_fetch_add(&faults, 1);
  return __real_close(fd);
}

STAND_IN(int, eventfd, unsigned count, int flags) {
  if (system_is.eventfd != AS_EVER) return answer(system_is.eventfd);
  return __real_eventfd(count, flags);
}

STAND_IN(int, connect, int fd, const struct sockaddr *addr, socklen_t size) {
  system_is.address_size = size;
  if (system_is.connect != AS_EVER) return answer(system_is.connect);
  return __real_connect(fd, addr, size);
}

STAND_IN(int, setsockopt, int fd, int level, int number, const void *value,
         socklen_t size) {
  system_is.options++;
  system_is.option_size = size;
  if (system_is.setsockopt != AS_EVER) return answer(system_is.setsockopt);
  return __real_setsockopt(fd, level, number, value, size);
}

STAND_IN(int, nanosleep, const struct timespec *time, struct timespec *left) {
  system_is.slept = *time;
  if (system_is.nanosleep != AS_EVER) return answer(system_is.nanosleep);
  return __real_nanosleep(time, left);
}

/* With nothing that is ready. */
STAND_IN(int, poll, struct pollfd *polled, nfds_t count, int milliseconds) {
  system_is.milliseconds = milliseconds;
  if (system_is.poll == AS_EVER) return __real_poll(polled, count, milliseconds);
  for (nfds_t i = 0; i < count; i++) polled[i].revents = 0;
  return answer(system_is.poll);
}

/* What the compiler makes of it where the size of the array is known. */
int __wrap___poll_chk(struct pollfd *, nfds_t, int, size_t);
int __wrap___poll_chk(struct pollfd *polled, nfds_t count, int milliseconds,
                      size_t size) {
  (void)size;
  return __wrap_poll(polled, count, milliseconds);
}

static int limit_of(struct rlimit *limit, int (*usual_one)(struct rlimit *)) {
  if (system_is.getrlimit == AS_EVER) return usual_one(limit);
  limit->rlim_cur = limit->rlim_max = system_is.limit;
  return answer(system_is.getrlimit);
}

static int usual_limit(struct rlimit *limit) { return getrlimit(RLIMIT_NOFILE, limit); }

/* Only ever asked for the limit on descriptors. */
int __wrap_getrlimit(int, struct rlimit *);
int __wrap_getrlimit64(int, struct rlimit *);
int __wrap_getrlimit(int what, struct rlimit *limit) {
  (void)what;
  return limit_of(limit, usual_limit);
}
int __wrap_getrlimit64(int what, struct rlimit *limit) {
  return __wrap_getrlimit(what, limit);
}

/* ---- Names ---- */

STAND_IN(int, getaddrinfo, const char *host, const char *service,
         const struct addrinfo *hints, struct addrinfo **found) {
  system_is.asked = *hints;
  system_is.asked_service = service;
  if (system_is.resolver == AS_EVER) {
    int code = __real_getaddrinfo(host, service, hints, found);
    if (code == 0) atomic_fetch_add(&held, 1);
    return code;
  }
  errno = system_is.resolver_error;
  if (system_is.resolver == 0) atomic_fetch_add(&held, 1);
  if (system_is.resolver == 0) *found = system_is.found;
  return system_is.resolver;
}

STAND_IN(void, freeaddrinfo, struct addrinfo *found) {
  atomic_fetch_sub(&held, 1);
  if (found != system_is.found) __real_freeaddrinfo(found);
}

STAND_IN(int, getnameinfo, const struct sockaddr *addr, socklen_t size, char *host,
         socklen_t host_size, char *service, socklen_t service_size, int flags) {
  if ((flags & NI_NUMERICHOST) == 0) {
    system_is.name_flags = flags;
    if (system_is.names != AS_EVER) return system_is.names;
  } else if (system_is.numbers != AS_EVER) {
    return system_is.numbers;
  }
  return __real_getnameinfo(addr, size, host, host_size, service, service_size, flags);
}
