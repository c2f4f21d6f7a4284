/* SPDX-License-Identifier: MIT */
/* See world.h. */

#define _GNU_SOURCE /* EAI_*, NI_* */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os.h"

enum { DESCRIPTORS = 64 }; /* as many as a run is expected to open */

static struct world {
  int floor; /* the first descriptor of the run */
  int strays;
  unsigned memory, signals, signalled;
  _Atomic double now; /* helper threads look at it, too */
} world;

_Noreturn void world_fail(const char *words) {
  fprintf(stderr, "check failed: %s\n", words);
  abort();
}

static int lowest(void) {
  int fd = dup(STDERR_FILENO);
  CHECK(fd >= 0, "no descriptor");
  close(fd);
  return fd;
}

void world_begin(void) {
  world.floor = lowest();
  world.strays = 0;
  world.memory = world.signals = world.signalled = 0;
  world.now = 1000;
}

void world_stray(void) { world.strays = 1; }
void world_memory(unsigned nth) { world.memory = nth; }
void world_signals(unsigned count) { world.signals = count; }
unsigned world_signalled(void) { return world.signalled; }

void world_end(void) {
  world.memory = world.signals = 0;
  for (int fd = world.floor; fd < world.floor + DESCRIPTORS; fd++) {
    int type;
    socklen_t size = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) continue;
    CHECK(world.strays, "a socket was left open");
    close(fd);
  }
}

/* ---- Memory ---- */

void *__real_ps__os_realloc(void *memory, size_t size);
void *__wrap_ps__os_realloc(void *memory, size_t size);
void *__wrap_ps__os_realloc(void *memory, size_t size) {
  if (size > 0 && world.memory > 0 && (world.memory == 1 || --world.memory == 1))
    return NULL;
  return __real_ps__os_realloc(memory, size);
}

/* ---- Time ---- */

double __wrap_ps__os_monotime(void);
double __wrap_ps__os_monotime(void) {
  double now = world.now + 1e-6;
  world.now = now;
  return now;
}

static int signalled(void) {
  if (world.signals == 0) return 0;
  world.signals--;
  world.signalled++;
  return 1;
}

/* Lets the time of a wait pass. One that takes weeks is a failure of the system. */
static int pass(double seconds) {
  if (!(seconds < 1e6)) return EIO;
  world.now = world.now + seconds;
  return 0;
}

int __wrap_ps__os_sleep(double seconds);
int __wrap_ps__os_sleep(double seconds) {
  if (signalled()) return EINTR;
  return pass(seconds);
}

int __real_ps__os_poll(const ps_sockets *sets, size_t count, double seconds,
                       ps__waker *waker);
int __wrap_ps__os_poll(const ps_sockets *sets, size_t count, double seconds,
                       ps__waker *waker);
int __wrap_ps__os_poll(const ps_sockets *sets, size_t count, double seconds,
                       ps__waker *waker) {
  if (signalled()) return EINTR;
  int error = __real_ps__os_poll(sets, count, 0, waker);
  if (error != 0 || (waker != NULL && waker->woken)) return error;
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; k < sets[i].count; k++)
      if (sets[i].watches[k].ready) return 0;
  return pass(seconds);
}

int __real_ps__os_queue_wait(ps__queue *queue, ps__event *events, size_t room,
                             double seconds, ps__waker *waker, size_t *count);
int __wrap_ps__os_queue_wait(ps__queue *queue, ps__event *events, size_t room,
                             double seconds, ps__waker *waker, size_t *count);
int __wrap_ps__os_queue_wait(ps__queue *queue, ps__event *events, size_t room,
                             double seconds, ps__waker *waker, size_t *count) {
  if (signalled()) return EINTR;
  int error = __real_ps__os_queue_wait(queue, events, room, 0, waker, count);
  if (error != 0 || *count > 0 || (waker != NULL && waker->woken)) return error;
  return pass(seconds);
}

/* ---- Descriptors ---- */

int __real_ps__os_close(int fd);
int __wrap_ps__os_close(int fd);
int __wrap_ps__os_close(int fd) {
  return fd < world.floor ? EBADF : __real_ps__os_close(fd);
}

int __real_ps__os_replace(int made, int fd);
int __wrap_ps__os_replace(int made, int fd);
int __wrap_ps__os_replace(int made, int fd) {
  if (fd >= world.floor && fd < world.floor + DESCRIPTORS)
    return __real_ps__os_replace(made, fd);
  __real_ps__os_close(made);
  return EBADF;
}

int __real_ps__os_accept(int fd, int *client);
int __wrap_ps__os_accept(int fd, int *client);
int __wrap_ps__os_accept(int fd, int *client) {
  struct pollfd there = {fd, POLLIN, 0};
  if (poll(&there, 1, 0) == 0) return EAGAIN; /* it may be in blocking mode */
  return __real_ps__os_accept(fd, client);
}

/* While a socket lingers, close waits. */
int __real_ps__os_setoption(int fd, int option, const ps_option *value);
int __wrap_ps__os_setoption(int fd, int option, const ps_option *value);
int __wrap_ps__os_setoption(int fd, int option, const ps_option *value) {
  ps_option given = *value;
  if (option == PS__OPTION_LINGER) given.integer = 0;
  return __real_ps__os_setoption(fd, option, &given);
}

/* ---- Loopback and numeric addresses only ---- */

static int is_loopback(const struct sockaddr *addr) {
  static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF};
  const struct sockaddr_in *four = (const struct sockaddr_in *)addr;
  if (addr->sa_family == AF_INET) {
    unsigned char first = *(const unsigned char *)&four->sin_addr;
    return first == 127 || four->sin_addr.s_addr == INADDR_ANY;
  }
  const struct in6_addr *six = &((const struct sockaddr_in6 *)addr)->sin6_addr;
  return addr->sa_family == AF_INET6 &&
         (IN6_IS_ADDR_LOOPBACK(six) || IN6_IS_ADDR_UNSPECIFIED(six) ||
          (memcmp(six, mapped, sizeof mapped) == 0 && six->s6_addr[12] == 127));
}

int __real_connect(int fd, const struct sockaddr *addr, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t size) {
  if (addr->sa_family != AF_UNSPEC && !is_loopback(addr)) {
    errno = ENETUNREACH;
    return -1;
  }
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return __real_connect(fd, addr, size);
}

int __real_getaddrinfo(const char *host, const char *service,
                       const struct addrinfo *hints, struct addrinfo **result);
int __wrap_getaddrinfo(const char *host, const char *service,
                       const struct addrinfo *hints, struct addrinfo **result);
int __wrap_getaddrinfo(const char *host, const char *service,
                       const struct addrinfo *hints, struct addrinfo **result) {
  struct addrinfo numeric = *hints;
  numeric.ai_flags |= AI_NUMERICHOST;
  return __real_getaddrinfo(host, service, &numeric, result);
}

int __real_getnameinfo(const struct sockaddr *addr, socklen_t size, char *host,
                       socklen_t room, char *service, socklen_t more, int flags);
int __wrap_getnameinfo(const struct sockaddr *addr, socklen_t size, char *host,
                       socklen_t room, char *service, socklen_t more, int flags);
int __wrap_getnameinfo(const struct sockaddr *addr, socklen_t size, char *host,
                       socklen_t room, char *service, socklen_t more, int flags) {
  if (flags & NI_NAMEREQD) return EAI_NONAME;
  return __real_getnameinfo(addr, size, host, room, service, more,
                            flags | NI_NUMERICHOST);
}
