/* SPDX-License-Identifier: MIT */
/* What the core asks of an operating system: os_*.c and poll_*.c answer it, and
   tests/core/os_sim.c answers it from a script. Functions return 0 or the system's error
   number unless they say otherwise; none waits except poll, sleep, queue_wait and
   lookup_wait, and none restarts after a signal. No other file of the core calls the
   system, and no other file has state that belongs to the process. */

#ifndef PS_OS_H
#define PS_OS_H

#include "polysock.h"

/* A function that is better not inlined: its caller would save registers that most calls
   do not use. */
#ifdef __GNUC__
#define PS__APART __attribute__((noinline))
#else
#define PS__APART
#endif

/* An address of a socket, as the system writes it. */
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
  char name[PS_WORDS]; /* PS__NAMES: what the address is called, or the address */
} ps__record;

enum {
  PS__PASSIVE = 1, /* the address is to be bound */
  PS__NUMERIC = 2, /* host is an address, else PS_NONAME: ask nobody */
  PS__NAMES = 4,   /* look up the names of the addresses, too */
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

/* Hints that the memory will be written to soon, so that its pages can come all at once.
 */
void ps__os_populate(void *memory, size_t size);

/* Time. Waits take seconds, infinity included; poll and sleep round up. */
double ps__os_gettime(void);
double ps__os_monotime(void);
int ps__os_sleep(double seconds);

/* The process and the thread that call. A forked child has a number one higher than its
   parent, so whatever is kept with this number is known to be of another process. The
   identity of a thread is never 0, is the same after a fork, and may be given to another
   thread once this one has ended. */
unsigned ps__os_process(void);
unsigned long ps__os_thread(void);

/* What a part of the system's files does around a fork: it takes its lock before, and
   gives it back after, in the parent and in the child. Locks are taken in the order of
   the parts, behind that of ps__os_lock. For the system's own files. */
typedef struct ps__forker {
  void (*before)(void);
  void (*parent)(void);
  void (*child)(void);
} ps__forker;
enum { PS__FORK_WAKERS, PS__FORK_HELPERS, PS__FORKERS };
void ps__os_at_fork(int part, const ps__forker *forker);

/* What lets ps__os_wake end a wait. The waiting thread owns it. */
typedef struct ps__waker {
  struct ps__bell *bell; /* the system's */
  unsigned process;      /* where it was begun */
  int fd;                /* -1: none was to be had; -2: none is needed */
  char woken;            /* set by poll */
} ps__waker;

/* ps__os_wake ends every poll of this process whose waker was begun before. A thread
   begins a waker, then checks the condition that it is to wait for, then polls; whoever
   changes the condition does so before ps__os_wake. So no wake is missed. Nobody has to
   end and begin a waker that was woken: poll renews it. After a fork, the first poll of
   the child with a waker of the parent says woken. In a process of one thread a waker
   costs nothing; in others a descriptor while any thread has one. The first poll after a
   process got its second thread says woken, too. */
void ps__os_waker_begin(ps__waker *waker);
void ps__os_waker_end(ps__waker *waker);
void ps__os_wake(void);

/* Marks the watches of all sets that are ready, after at most seconds. 0 with none ready:
   the time is over, or waker->woken is set. waker may be NULL: nobody can wake the wait.
   A waker without a descriptor is woken every 50 ms, for want of a better way. */
int ps__os_poll(const ps_sockets *sets, size_t count, double seconds, ps__waker *waker);

/* The lock of what sockets and pollers know of each other. There is one in a process: it
   is held for a few instructions, or for a system call that does not wait, and a fork
   waits for it, so that no child finds it taken. While it is held, functions of this
   header that do not wait may be called. */
void ps__os_lock(void);
void ps__os_unlock(void);

/* Event queues: what a poller asks the system. poll_epoll.c, poll_kqueue.c and
   poll_poll.c answer it. All but wait are called with the lock held, wait without, by one
   thread at a time. A queue is used by the process that made it alone: after a fork the
   child makes another, and frees the copy. Each event brings the generation that was
   given last with the descriptor. The file of a descriptor is removed before that is
   closed, or the queue may go on reporting it. modify fails when another file has the
   number now; remove never fails. wait looks up at once after wake, without events if
   none is there, and when the waker (or NULL) is woken; an event may be reported twice,
   once for each direction. */
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

/* Sockets: close-on-exec, non-blocking, never a SIGPIPE. IPv6 ones speak IPv6 only.
   adopt changes nothing. recv and send do not block on a descriptor that is in blocking
   mode, accept does. */
int ps__os_socket(int family, int *fd);
int ps__os_replace(int made, int fd);  /* fd becomes what made is, and made is closed */
int ps__os_adopt(int fd, int *family); /* 0: it is no TCP socket */
int ps__os_prepare(int fd);            /* makes another's descriptor like ours */
int ps__os_bind(int fd, const ps__addr *addr);
int ps__os_listen(int fd, int backlog);
int ps__os_accept(int fd, int *client);
int ps__os_connect(int fd, const ps__addr *addr);
int ps__os_disconnect(int fd); /* makes a failed or begun connect undone */
int ps__os_recv(int fd, void *data, size_t size, size_t *got);
int ps__os_send(int fd, const void *data, size_t size, size_t *sent);
int ps__os_shutdown(int fd, const char *mode);
int ps__os_close(int fd);
int ps__os_name(int fd, int peer, ps_address *name);

/* Options. Flags, counts, seconds of linger, milliseconds and error numbers are in
   integer; asking for the pending error clears it. */
enum {
#define PS_OPTION(id, name, type, level, number) PS__OPTION_##id,
#include "options.def"
#undef PS_OPTION
  PS__OPTIONS /* how many there are */
};
int ps__os_setoption(int fd, int option, const ps_option *value);
int ps__os_getoption(int fd, int option, ps_option *value);
int ps__os_hasoption(int option);

/* Copies the value of one option between descriptors. An option that has the same value
   already is not set; the pending error is not copied, which is EINVAL. */
int ps__os_copyoption(int from, int to, int option);

/* Which answers of the functions above mean something to the core. */
int ps__os_again(int error);     /* it would have to wait */
int ps__os_signalled(int error); /* a signal came */
int ps__os_sendonly(int error);  /* nothing can be sent, but something may be received */
short ps__os_code(int error);    /* the PS_ code, PS_SYSTEM for those without one */

/* The words of the system for a number, in English whatever the locale. */
const char *ps__os_words(int error, char *buffer, size_t size);

size_t ps__os_setsize(void);
int ps__os_hostname(char *name, size_t size);

/* The resolver. resolve answers in place. */
void ps__os_resolve(ps__lookup *lookup);

/* Helper threads resolve names that may take long. At most so many run at a time in a
   process; further look-ups wait in a queue, in order. A server that does not answer
   holds a helper for half a minute or so, and this many keep the other names going
   meanwhile; yet their stacks cost a program that can only retry no more than 32 MiB of
   address space. */
enum { PS__HELPERS = 32 };

/* start returns a look-up that is to be dropped once. It joins one of the same question
   that is queued or running, or takes an answer that nobody has collected: the call that
   asked gave up. Such answers are kept for PS__KEPT_SECONDS, and at most PS__KEPT of
   them. done tells whether the answer is there, and wait waits for it: whoever got
   non-zero from either has collected it. From then until its drop it may read status,
   records, canonical and servicename, and nobody changes them. A helper that has an
   answer calls ps__os_wake. In a forked child, look-ups without an answer start anew
   when they are asked about. */
enum { PS__KEPT = 32, PS__KEPT_SECONDS = 5 };
int ps__os_lookup_start(const ps__lookup *question, ps__lookup **lookup);
int ps__os_lookup_done(ps__lookup *lookup);
int ps__os_lookup_wait(ps__lookup *lookup, double seconds);
void ps__os_lookup_drop(ps__lookup *lookup);

#endif
