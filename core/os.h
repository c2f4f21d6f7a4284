/* SPDX-License-Identifier: MIT */
/* The interface to the operating system. os_*.c and poll_*.c implement it, and
   tests/core/os_sim.c simulates it from a script. Functions return 0 or the system's
   error number (that of errno.h) unless a comment says otherwise. Only poll, sleep,
   queue_wait and lookup_wait wait, and none restarts after a signal; where a signal ends
   no wait, they report one from time to time (see os_windows.c). No other file of the
   core makes system calls, and no other file has state that belongs to the process. */

#ifndef PS_OS_H
#define PS_OS_H

#include "polysock.h"

/* No other program sees these functions, however the core is compiled. */
#ifdef __GNUC__
#pragma GCC visibility push(hidden)
#endif

/* Prevents inlining of a rarely called function, so that its caller does not save
   registers for it. */
#ifdef __GNUC__
#define PS__APART __attribute__((noinline))
#else
#define PS__APART
#endif

/* An address of a socket in the system's format (a sockaddr). */
typedef struct ps__addr {
  int family; /* 4 or 6 */
  unsigned size;
  union {
    unsigned char bytes[32];
    double alignment;
  } raw;
} ps__addr;

/* One answer of the resolver. */
typedef struct ps__record {
  struct ps__record *next;
  ps__addr addr;
  char ip[64];         /* the address as text */
  char name[PS_WORDS]; /* PS__NAMES: the name of the address, or the address */
} ps__record;

enum {
  PS__PASSIVE = 1, /* the address is to be bound */
  PS__NUMERIC = 2, /* fail with PS_NONAME unless host is a numeric address */
  PS__NAMES = 4,   /* also look up the names of the addresses */
  PS__NAMED = 8    /* with PS__NAMES: fail when an address has no name */
};

/* A question to the resolver and its answer. */
typedef struct ps__lookup {
  const char *host;    /* NULL: none, or all interfaces when passive */
  const char *service; /* NULL: none */
  int family;          /* 4, 6 or 0 for both */
  int flags;
  ps_status status;
  ps__record *records;
  char canonical[PS_WORDS];
  char servicename[PS_WORDS];
} ps__lookup;

/* Memory: as realloc; size 0 frees and returns NULL. */
void *ps__os_realloc(void *memory, size_t size);

/* Tells the system that memory will be written soon, so that it maps the pages at once.
 */
void ps__os_populate(void *memory, size_t size);

/* Time, in seconds. A wait may be infinite; poll and sleep round up. */
double ps__os_gettime(void);
double ps__os_monotime(void);
int ps__os_sleep(double seconds);

/* Identify the calling process and thread. The number of a forked child is one higher
   than its parent's; state that was stored with another number belongs to another
   process. The identity of a thread is never 0, stays the same after a fork, and may be
   reused after the thread has ended. forker is the thread that forked this process, 0 in
   a process that this library has not seen being forked. */
unsigned ps__os_process(void);
unsigned long ps__os_thread(void);
unsigned long ps__os_forker(void);

/* Handlers around a fork, for os_*.c only: each part locks before the fork, and unlocks
   after it in the parent and in the child. Locks are taken in the order of the parts,
   after that of ps__os_lock. */
typedef struct ps__forker {
  void (*before)(void);
  void (*parent)(void);
  void (*child)(void);
} ps__forker;
enum { PS__FORK_WAKERS, PS__FORK_HELPERS, PS__FORKERS };
void ps__os_at_fork(int part, const ps__forker *forker);

/* Lets ps__os_wake end a wait. The waiting thread owns it. */
typedef struct ps__waker {
  struct ps__bell *bell; /* see os_wait.c */
  unsigned process;      /* the process that began it */
  int fd;                /* -1: none was available; -2: none is needed */
  char woken;            /* set by poll */
} ps__waker;

/* ps__os_wake ends every poll of this process whose waker was begun before. A thread
   begins a waker, then checks the condition that it waits for, then polls; a thread that
   changes the condition does so before it calls ps__os_wake. So no wake is missed. poll
   renews a waker that was woken. After a fork, the child's first poll with a waker of the
   parent sets woken. In a process with one thread a waker costs nothing; otherwise all
   wakers together use a file descriptor. The first poll after a process has started its
   second thread sets woken, too. */
void ps__os_waker_begin(ps__waker *waker);
void ps__os_waker_end(ps__waker *waker);
void ps__os_wake(void);

/* Waits at most `seconds` and marks the watches of all sets that are ready. It returns 0
   with none ready when the time has expired or waker->woken is set. With a NULL waker
   nothing wakes the wait. A waker without a descriptor is woken every 50 ms instead. */
int ps__os_poll(const ps_sockets *sets, size_t count, double seconds, ps__waker *waker);

/* The lock of the links between sockets and pollers. There is one per process. It is held
   for a few instructions, or during a system call that does not wait. A fork takes it
   first, so that it is never locked in the child. While it is held, functions of this
   header that do not wait may be called. */
void ps__os_lock(void);
void ps__os_unlock(void);

/* Event queues, for pollers. poll_epoll.c, poll_kqueue.c and poll_poll.c implement them.
   All functions but wait are called with the lock held; wait is called without it, by one
   thread at a time. Only the process that made a queue uses it: after a fork the child
   makes another, and frees its copy. Each event carries the generation that add or modify
   last set for the descriptor. A descriptor must be removed before it is closed, or the
   queue may go on reporting it. modify fails when the number now refers to another file;
   remove never fails. wait returns immediately, perhaps without events, after wake, and
   when the waker (which may be NULL) is woken. It may report a descriptor twice, once for
   each direction. */
enum { PS__IN = 1, PS__OUT = 2 };
typedef struct ps__event {
  int fd;
  unsigned generation;
  unsigned events;
} ps__event;
typedef struct ps__queue ps__queue;
int ps__os_queue_make(ps__queue **queue);
int ps__os_queue_add(ps__queue *queue, int fd, unsigned events, unsigned generation);
int ps__os_queue_modify(ps__queue *queue, int fd, unsigned events, unsigned generation);
void ps__os_queue_remove(ps__queue *queue, int fd);
int ps__os_queue_wait(ps__queue *queue, ps__event *events, size_t room, double seconds,
                      ps__waker *waker, size_t *count);
void ps__os_queue_wake(ps__queue *queue);
int ps__os_queue_fd(const ps__queue *queue); /* -1: the system has no such thing */
void ps__os_queue_free(ps__queue *queue);

/* Sockets: close-on-exec, non-blocking, without SIGPIPE. IPv6 sockets use IPv6 only.
   adopt only asks for the family. recv and send do not block even if the descriptor is in
   blocking mode, but accept does. */
int ps__os_socket(int family, int *fd);

/* Puts made in the place of *fd, which is closed: as dup2(made, *fd), which also closes
   made, or, where descriptors have no such thing, by changing *fd to made. */
int ps__os_replace(int made, int *fd);

int ps__os_adopt(int fd, int *family); /* family 0: it is no TCP socket */
int ps__os_prepare(int fd);            /* sets close-on-exec and non-blocking */
int ps__os_bind(int fd, const ps__addr *addr);
int ps__os_listen(int fd, int backlog);
int ps__os_accept(int fd, int *client);
int ps__os_connect(int fd, const ps__addr *addr);

/* Undoes a connect that failed or is under way. Returns whether it could: on some systems
   such a socket must be replaced. local tells the address that a socket is bound to. */
int ps__os_disconnect(int fd);
int ps__os_local(int fd, ps__addr *addr);

/* Before the bind of a server: as the system lets servers bind an address that old
   connections still use. It never lets two servers share an address. */
int ps__os_reuse(int fd);
int ps__os_recv(int fd, void *data, size_t size, size_t *got);
int ps__os_send(int fd, const void *data, size_t size, size_t *sent);
int ps__os_shutdown(int fd, const char *mode);
int ps__os_close(int fd);
int ps__os_name(int fd, int peer, ps_address *name);

/* Options. integer holds flags, counts, seconds of linger, milliseconds and error
   numbers. Reading the pending error clears it. */
enum {
#define PS_OPTION(id, name, type, level, number) PS__OPTION_##id,
#include "options.def"
#undef PS_OPTION
  PS__OPTIONS /* how many there are */
};
int ps__os_setoption(int fd, int option, const ps_option *value);
int ps__os_getoption(int fd, int option, ps_option *value);
int ps__os_hasoption(int option);

/* Copies the value of one option between descriptors, unless the values are equal. For
   the pending error it returns EINVAL. */
int ps__os_copyoption(int from, int to, int option);

/* The meaning of an error number. */
int ps__os_again(int error);     /* it would block */
int ps__os_signalled(int error); /* a signal interrupted it */
int ps__os_sendonly(int error);  /* sending failed, but bytes may still be received */
short ps__os_code(int error);    /* the PS_ code, PS_SYSTEM for those without one */

/* The words of the system for a number, in English whatever the locale. */
const char *ps__os_words(int error, char *buffer, size_t size);

size_t ps__os_setsize(void);
int ps__os_hostname(char *name, size_t size);

/* The resolver. resolve blocks until it has stored the result in lookup. */
void ps__os_resolve(ps__lookup *lookup);

/* Helper threads resolve names. At most this many run at a time in a process; further
   look-ups wait in a queue, in order. A name server that does not answer blocks a helper
   for about half a minute; with this many helpers other names are still resolved, and the
   stacks use at most 32 MiB of address space. */
enum { PS__HELPERS = 32 };

/* start returns a look-up, which the caller drops once. It shares a look-up of the same
   question that is queued or running, or one whose result was never collected because the
   call gave up. At most PS__KEPT such results are kept, for PS__KEPT_SECONDS. done
   returns whether the result is available, and wait waits for it; a non-zero result of
   either collects it. From then on until drop, status, records, canonical and servicename
   may be read and do not change. A helper that has finished calls ps__os_wake. In a
   forked child, unfinished look-ups restart at the next done or wait. */
enum { PS__KEPT = 32, PS__KEPT_SECONDS = 5 };
int ps__os_lookup_start(const ps__lookup *question, ps__lookup **lookup);
int ps__os_lookup_done(ps__lookup *lookup);
int ps__os_lookup_wait(ps__lookup *lookup, double seconds);
void ps__os_lookup_drop(ps__lookup *lookup);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
