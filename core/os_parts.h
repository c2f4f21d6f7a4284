/* SPDX-License-Identifier: MIT */
/* What os_*.c and poll_*.c need of the system, by one set of names: the headers of
   sockets, poll, locks, conditions and threads. POSIX has them as they are. Windows has
   locks of its own, which need no library besides the system's: winpthreads would be one
   more DLL to install, and its conditions wait by a clock that can be set. */

#ifndef PS_OS_PARTS_H
#define PS_OS_PARTS_H

#ifdef _WIN32

#define WIN32_LEAN_AND_MEAN
#undef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00 /* Windows 10 */
#include <winsock2.h>
#include <ws2tcpip.h>

#include <windows.h> /* after winsock2.h */

/* Numbers of Windows that older headers lack. */
#ifndef TCP_KEEPCNT
#define TCP_KEEPIDLE 3
#define TCP_KEEPCNT 16
#define TCP_KEEPINTVL 17
#endif
#ifndef TCP_FASTOPEN
#define TCP_FASTOPEN 15
#endif

#else

#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#endif

#include "os.h"

#ifdef __GNUC__
#pragma GCC visibility push(hidden)
#endif

/* Words for a number that is not in errno.def, or NULL. */
const char *ps__os_library_words(int error, char *buffer, size_t size);

#ifdef _WIN32
typedef LPTHREAD_START_ROUTINE ps__thread;
#define PS__THREAD DWORD WINAPI /* what a ps__thread returns */
typedef SRWLOCK ps__mutex;
typedef CONDITION_VARIABLE ps__condition;
#else
typedef void *(*ps__thread)(void *context);
#define PS__THREAD void *
typedef pthread_mutex_t ps__mutex;
typedef pthread_cond_t ps__condition;
#endif

/* Starts a detached thread that receives no signals. The code of the module stays in
   memory while it runs. */
int ps__os_start(ps__thread run);

/* await waits for tell, until a time of the monotonic clock at most; it may end early. */
void ps__os_condition(ps__condition *made);
void ps__os_await(ps__condition *condition, ps__mutex *mutex, double until);

#ifdef _WIN32

/* Before the first call of Winsock. */
void ps__os_begin(void);

/* Why a call of Winsock failed, as a number of errno.h; and that number for one of
   Winsock's. */
int ps__os_reason(void);
int ps__os_number(int winsock);

/* As getsockname, which fails here for a socket that is not bound. */
int ps__os_sockname(int fd, struct sockaddr *addr, socklen_t *size);

/* A socket that becomes readable when it is rung, and stays so until it is silenced. */
int ps__os_bell(int *fd);
void ps__os_ring(int fd);
void ps__os_silence(int fd);

/* As poll(2), with a negative error number for a failure. No signal ends a wait here: a
   wait of more than 50 ms ends with EINTR instead, so that the caller asks its host
   whether to go on. */
enum { PS__SLICE = 50 };
typedef ULONG nfds_t;
int ps__os_poll_entries(struct pollfd *polled, nfds_t count, int milliseconds);

#define PS__MUTEX SRWLOCK_INIT
static inline void ps__mutex_lock(ps__mutex *mutex) { AcquireSRWLockExclusive(mutex); }
static inline void ps__mutex_unlock(ps__mutex *mutex) { ReleaseSRWLockExclusive(mutex); }
static inline void ps__condition_tell(ps__condition *condition) {
  WakeAllConditionVariable(condition);
}

#else

static inline void ps__os_begin(void) {}
static inline int ps__os_reason(void) { return errno; }
static inline int ps__os_number(int number) { return number; }
static inline int ps__os_sockname(int fd, struct sockaddr *addr, socklen_t *size) {
  return getsockname(fd, addr, size);
}

static inline int ps__os_poll_entries(struct pollfd *polled, nfds_t count,
                                      int milliseconds) {
  int found = poll(polled, count, milliseconds);
  return found < 0 ? -errno : found;
}

#define PS__MUTEX PTHREAD_MUTEX_INITIALIZER
static inline void ps__mutex_lock(ps__mutex *mutex) { pthread_mutex_lock(mutex); }
static inline void ps__mutex_unlock(ps__mutex *mutex) { pthread_mutex_unlock(mutex); }
static inline void ps__condition_tell(ps__condition *condition) {
  pthread_cond_broadcast(condition);
}

#endif

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
