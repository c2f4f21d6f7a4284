/* SPDX-License-Identifier: MIT */
/* os.h for POSIX systems: one system call per function where possible. Decisions, such as
   what to do when a call would block, belong to the core. */

#define _GNU_SOURCE /* accept4, dup3, madvise, strerrordesc_np */
#define _FILE_OFFSET_BITS 64
#define _TIME_BITS 64 /* on 32-bit systems: times after 2038 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "os_parts.h"

#ifndef MSG_DONTWAIT
#define MSG_DONTWAIT 0
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

static int answer(int result) { return result < 0 ? errno : 0; }

void *ps__os_realloc(void *memory, size_t size) {
  if (size > 0) return realloc(memory, size);
  free(memory);
  return NULL;
}

void ps__os_populate(void *memory, size_t size) {
#ifdef MADV_POPULATE_WRITE
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t from = ((uintptr_t)memory + page - 1) & ~(page - 1);
  uintptr_t to = ((uintptr_t)memory + size) & ~(page - 1);
  if (from < to)
    madvise((char *)memory + (from - (uintptr_t)memory), to - from, MADV_POPULATE_WRITE);
#else
  (void)memory;
  (void)size;
#endif
}

/* ---- Time ---- */

static double seconds_of(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double ps__os_gettime(void) { return seconds_of(CLOCK_REALTIME); }

double ps__os_monotime(void) { return seconds_of(CLOCK_MONOTONIC); }

/* It is limited to a day: the callers check the clock and sleep again. */
int ps__os_sleep(double seconds) {
  double cut = fmin(seconds, 86400);
  struct timespec time = {(time_t)cut, 0};
  time.tv_nsec = (long)fmin(ceil((cut - (double)time.tv_sec) * 1e9), 999999999);
  return nanosleep(&time, NULL) < 0 ? errno : 0;
}

/* ---- Sockets ---- */

int ps__os_prepare(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return errno;
  flags = fcntl(fd, F_GETFD);
  if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0) return errno;
#ifdef SO_NOSIGPIPE
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
  return 0;
}

#ifndef SOCK_CLOEXEC
/* As ps__os_prepare for a descriptor that we opened, which is closed on failure. */
static int prepare_new(int fd) {
  int error = ps__os_prepare(fd);
  if (error != 0) close(fd);
  return error;
}
#endif

int ps__os_socket(int family, int *fd) {
#ifdef SOCK_CLOEXEC
  int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  int made = socket(family == 6 ? AF_INET6 : AF_INET, type, 0);
  if (made < 0) return errno;
#else
  int made = socket(family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
  if (made < 0) return errno;
  int error = prepare_new(made);
  if (error != 0) return error;
#endif
  int on = 1;
  if (family == 6) setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  *fd = made;
  return 0;
}

int ps__os_replace(int made, int *fd) {
#ifdef __APPLE__
  int error = answer(dup2(made, *fd));
  if (error == 0) error = ps__os_prepare(*fd);
#else
  int error = answer(dup3(made, *fd, O_CLOEXEC));
#endif
  close(made);
  return error;
}

int ps__os_adopt(int fd, int *family) {
  struct sockaddr_storage name;
  name.ss_family = AF_UNSPEC; /* it stays if the name is empty */
  int type;
  socklen_t size = sizeof name, room = sizeof type;
  if (getsockname(fd, (struct sockaddr *)&name, &size) < 0) return errno;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &room) < 0) return errno;
  *family = type != SOCK_STREAM          ? 0
            : name.ss_family == AF_INET  ? 4
            : name.ss_family == AF_INET6 ? 6
                                         : 0;
  return 0;
}

int ps__os_bind(int fd, const ps__addr *addr) {
  return answer(bind(fd, (const struct sockaddr *)addr->raw.bytes, addr->size));
}

int ps__os_listen(int fd, int backlog) { return answer(listen(fd, backlog)); }

int ps__os_accept(int fd, int *client) {
#ifdef SOCK_CLOEXEC
  *client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  return answer(*client);
#else
  *client = accept(fd, NULL, NULL);
  return *client < 0 ? errno : prepare_new(*client);
#endif
}

int ps__os_connect(int fd, const ps__addr *addr) {
  int error = answer(connect(fd, (const struct sockaddr *)addr->raw.bytes, addr->size));
  return error == EINTR ? EINPROGRESS : error; /* the connect goes on asynchronously */
}

int ps__os_disconnect(int fd) {
  const struct sockaddr none = {.sa_family = AF_UNSPEC};
  int error = answer(connect(fd, &none, sizeof none));
  return error != EAFNOSUPPORT && error != EINVAL; /* BSD: a datagram socket only */
}

int ps__os_reuse(int fd) {
  int on = 1;
  return answer(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
}

int ps__os_recv(int fd, void *data, size_t size, size_t *got) {
  ssize_t count = recv(fd, data, size, MSG_DONTWAIT);
  if (count < 0) return errno;
  *got = (size_t)count;
  return 0;
}

int ps__os_send(int fd, const void *data, size_t size, size_t *sent) {
  ssize_t count = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count < 0) return errno;
  *sent = (size_t)count;
  return 0;
}

int ps__os_shutdown(int fd, const char *mode) {
  int how = mode[0] == 's' ? SHUT_WR : mode[0] == 'r' ? SHUT_RD : SHUT_RDWR;
  return answer(shutdown(fd, how));
}

/* close must not be retried after EINTR: the descriptor is closed. */
int ps__os_close(int fd) { return answer(close(fd)); }

/* ---- The process ---- */

/* The words of the C library, in the locale C. Returns NULL for an unknown number. */
const char *ps__os_library_words(int error, char *buffer, size_t size) {
#if defined __GLIBC__ && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 32)
  (void)buffer;
  (void)size;
  return strerrordesc_np(error);
#else
  locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  if (plain == (locale_t)0) return NULL;
#ifdef __APPLE__ /* it has no strerror_l */
  locale_t before = uselocale(plain);
  if (strerror_r(error, buffer, size) != 0) buffer[0] = '\0';
  uselocale(before);
#else
  strncpy(buffer, strerror_l(error, plain), size - 1);
  buffer[size - 1] = '\0';
#endif
  freelocale(plain);
  int unknown = buffer[0] == '\0' || strncmp(buffer, "Unknown error", 13) == 0 ||
                strcmp(buffer, "No error information") == 0;
  return unknown ? NULL : buffer;
#endif
}

size_t ps__os_setsize(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX) return INT_MAX;
  return (size_t)limit.rlim_cur;
}

int ps__os_hostname(char *name, size_t size) {
  int error = answer(gethostname(name, size));
  name[size - 1] = '\0'; /* a name that is cut may lack it */
  return error;
}
