/* SPDX-License-Identifier: MIT */
/* The simulated world: a process with several threads of control, a clock, memory,
   descriptors, a network and a resolver, all in one thread of the real system and all
   decided by one random number. world.c has the threads, the clock, memory and faults,
   net.c the sockets, and os_world.c the rest of core/os.h.

   It is not tests/core/os_sim.c: there a script says what one socket meets, for one
   thread, and numbers of descriptors are never used again, so that a test reads like a
   story. Here both ends of a connection are objects of the core, any call into the system
   may continue another thread, numbers of descriptors are used again at once as in a real
   process, and the next answer must cost some tens of nanoseconds. The two have no code
   in common that would be shorter if it were shared.

   A rule that the core breaks is reported with world_must, which ends the run. */

#ifndef WORLD_H
#define WORLD_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "fiber.h"
#include "internal.h"
#include "member.h"

enum {
  FIBERS = 6, /* the last one makes the objects and ends the world */
  OBJECTS = 12,
  POLLERS = 2,
  FDS = 96,
  FILES = 192,
  LOOKUPS = 48,
  WAKERS = 24,
  BACKLOG = 8,
  SEGMENTS = 8,
  ADDRESSES = 6
};

/* ---- Numbers ---- */

static inline uint64_t random_next(uint64_t *state) {
  uint64_t word = (*state += 0x9e3779b97f4a7c15u);
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
  word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
  return word ^ (word >> 31);
}

/* ---- Faults ---- */

#define WORLD_FAULTS(FAULT) \
  FAULT(SHORT, "short")     \
  FAULT(EINTR, "eintr")     \
  FAULT(STOP, "stop")       \
  FAULT(EAGAIN, "eagain")   \
  FAULT(RESET, "reset")     \
  FAULT(ENOMEM, "enomem")   \
  FAULT(EMFILE, "emfile")   \
  FAULT(EWATCH, "ewatch")   \
  FAULT(CLOCK, "clock")     \
  FAULT(STALL, "stall")     \
  FAULT(NESTED, "nested")   \
  FAULT(FORK, "fork")

enum {
#define FAULT(id, name) FAULT_##id,
  WORLD_FAULTS(FAULT)
#undef FAULT
      FAULTS
};

/* ---- Files ---- */

enum {
  FILE_FREE,
  FILE_PLAIN,
  FILE_LISTENING,
  FILE_CONNECTING,
  FILE_CONNECTED,
  FILE_GONE
};

/* The bytes on their way to a file, from the first one on. */
typedef struct stream {
  char *log;
  size_t room;
  size_t written;   /* by the peer */
  size_t arrived;   /* may be read */
  size_t delivered; /* have been read */
  size_t claimed;   /* have come out of the core: see model.c */
  struct {
    size_t end;
    double due;
  } segments[SEGMENTS];
  int segment_count;
  double fin_due; /* infinity: no end yet */
} stream;

typedef struct file {
  int kind, family, fd;
  int owner;           /* an object, or -1 */
  int fiber, call;     /* in which call it was made */
  int sender, sending; /* the thread and the call that sent last */
  int peer;            /* a file, or -1 */
  int shut_in, shut_out;
  int floating;   /* the test has the descriptor, and no object */
  int reset;      /* it has happened */
  int reset_told; /* the core has seen its number */
  int dropped;    /* bytes that had not been read were lost */
  int ended;      /* the core has seen the end of the stream */
  int error;      /* pending */
  int outcome;    /* of a connect under way */
  double due;     /* CONNECTING: when it ends */
  double reset_due;
  double latency;
  size_t capacity;
  stream in;
  int address, port; /* bound to */
  int queue[BACKLOG], queued, backlog;
  long long options[PS__OPTIONS];
} file;

/* ---- Threads ---- */

enum {
  WAIT_TIME,
  WAIT_POLL,
  WAIT_QUEUE,
  WAIT_LOOKUP,
  WAIT_LOCK,
  WAIT_LANGUAGE,
  WAIT_QUIET /* until all others wait for ever, or are done */
};
enum { FIBER_NONE, FIBER_RUNS, FIBER_WAITS, FIBER_DONE };

typedef struct lent {
  char *memory;
  size_t size;
} lent;

/* The call that a thread makes, as far as the world checks it. */
typedef struct call_record {
  int under_way;
  const char *name;
  int object; /* the one it is for; -1: several */
  int serial; /* number of calls of the thread */
  ps_host *host;
  double began, progress, slept; /* slept: its last sleep, for its turn, ended */
  uint64_t began_step;
  double stalled;        /* of the world when it began */
  const char *data;      /* send: the next byte that the system must get */
  size_t left;           /* and how many there are */
  size_t sent, received; /* bytes that the system took or gave */
  int stopped;           /* 1: interrupted said stop; 2: it will */
  int sending_began;
  int receiving;
  lent lent;
} call_record;

typedef struct view { /* bytes that must not change until the next call */
  const char *at;
  char copy[64];
  size_t size;
  int object, age;
} view;

typedef struct fiber {
  fiber_context context;
  void *stack;
  int id, state;
  int kind; /* what it waits for, and the members below */
  double until;
  const ps_sockets *sets;
  size_t set_count;
  ps__waker *waker;
  ps__queue *queue;
  const ps__lookup *lookup;
  int left;   /* the host is left */
  int killed; /* the user ends its wait */
  call_record call;
  ps_host host;
  view view;
  char uses[OBJECTS], receives[OBJECTS], disturbs[OBJECTS], has_fd[OBJECTS];
} fiber;

/* ---- Objects ---- */

enum { OBJECT_NONE, OBJECT_OPEN, OBJECT_CLOSING };

typedef struct piece { /* what came out while several threads received: see model.c */
  struct piece *next;
  int fiber;
  int at_end;        /* what follows it may be missing at the end of the stream */
  size_t size, skip; /* bytes behind it that are dropped */
  char data[];
} piece;

typedef struct object {
  ps_socket *socket;
  int state;
  int users, starts; /* calls under way, and calls so far */
  int age;           /* how many objects were in this place before */
  int file;          /* of the connection, or -1 */
  int strict;        /* each byte is followed */
  int receivers, receive_starts;
  int disturbers, disturbances; /* close, setfd, detach: under way, and so far */
  int setting;                  /* the test has its descriptor at the moment */
  piece *pieces, **last_piece;
  int limits; /* how often limits or marks were changed */
  double block, total, deadline;
  int mark;
  unsigned added; /* pollers that it was ever added to */
  uint64_t ended; /* the step after which it can be in none; 0: it may be in one */
  long long sent;
} object;

typedef struct poller {
  ps_poller *poller;
  int users, wakers, closed;
  int fd; /* a descriptor that no object has */
} poller;

typedef struct lookup {
  ps__lookup lookup; /* first */
  int used, finished, answered, collected;
  unsigned process;
  double due, takes;
  char host[64], service[32];
} lookup;

struct ps__bell {
  int used, rung, fiber, call;
};

struct ps__queue {
  unsigned process;
  int used, rung, fiber, call, next;
  unsigned char events[FDS];
  unsigned generations[FDS];
};
enum { QUEUES = 16 };

/* ---- The world ---- */

typedef struct block {
  size_t size;
  uint32_t mark;
  int fiber, call;
  int orphaned; /* a forked child does not free it */
  struct block *next, *before;
} block;

enum { MODE_FREE, MODE_LOCKED, MODE_ALONE }; /* how hosts are: see play.c */

typedef struct world {
  uint64_t random;
  uint64_t steps, most_steps;
  double now, wall, stalled;
  int mode;
  size_t least_capacity;  /* of a connection */
  int switches;           /* one step of so many continues another thread; a power of 2 */
  unsigned rates[FAULTS]; /* of 65536 */
  unsigned long long struck[FAULTS];
  int calm; /* no fault and no switch: the test itself asks */
  int quiet;
  fiber fibers[FIBERS];
  int fiber_count;
  fiber *current;
  fiber *lock_owner, *language_owner;
  unsigned process;
  unsigned long forker;
  int forked; /* threads are gone; 2: at a moment at which they may have left things */
  object objects[OBJECTS];
  poller pollers[POLLERS];
  file files[FILES];
  int file_count;
  int fds[FDS];    /* files, or -1 */
  int polled[FDS]; /* waits that look at it */
  lookup lookups[LOOKUPS];
  int lookup_count;
  double lookup_due;
  struct ps__bell bells[WAKERS];
  ps__queue queues[QUEUES];
  block blocks; /* head of a ring */
  char *next_byte, *log_byte;
  fiber_context main;
  int trace;
  const char *site; /* where it failed, or NULL */
  int line;
  char reason[512];
} world;

extern world w;

/* ---- world.c ---- */

void world_setup(void); /* once */
/* Runs bodies, one in each thread; the last one is that which ends the world. */
void world_run(void (*body)(int fiber));

_Noreturn void world_fail(const char *site, int line, const char *format, ...);
#define world_must(condition, ...) \
  ((condition) ? (void)0 : world_fail(__FILE__, __LINE__, __VA_ARGS__))

/* A place where another thread may continue. step counts, and costs a microsecond. */
void world_step(void);
void world_yield(void);
void world_wait(int kind, double until);
int world_strikes(int fault);
static inline unsigned world_chance(unsigned of) {
  return (unsigned)((random_next(&w.random) >> 32) * of >> 32);
}
void world_note(const char *format, ...);
#define NOTE(...) (w.trace ? world_note(__VA_ARGS__) : (void)0)

void *world_log(size_t size); /* memory that is not the core's and is never freed */
void world_check_memory(void);
void world_language_take(void);
void world_language_give(void);
void world_fork(void);
void world_crashed(int signal);

/* ---- net.c ---- */

extern const char *const world_addresses[ADDRESSES];
extern const int world_families[ADDRESSES];
int net_address(const char *text); /* -1: it is none */
int net_readable(file *one);
int net_writable(file *one);
double net_next(void);    /* when something happens next */
file *net_file(int fd);   /* an open one, or NULL */
int net_adopt(int owner); /* a descriptor of a new plain socket that the caller owns */
void net_close(int fd);
void net_reset(file *one);

/* ---- os_world.c ---- */

void os_finish_lookups(void);
int os_poll_over(const fiber *one);
int os_queue_over(const fiber *one);
int os_lookup_over(const fiber *one);
void os_forget(int fd); /* queues do: its file is closed */
void os_check_unwatched(int fd);
void os_check_notified(void);

/* ---- model.c ---- */

/* What a receiving call was asked and what it returned. */
typedef struct receipt {
  int object;
  char kind; /* as in reader.h: 'l', 'L', 'a', 'n', 'u', 'y' */
  int next;  /* it is a call for an iterator: a failure has no bytes */
  int keep;  /* bytes stay in the buffer after a timeout */
  size_t count, maxsize;
  const char *delimiter;
  size_t delimiter_size;
  const char *prefix;
  size_t prefix_size;
  ps_status status;
  const char *data; /* the whole result */
  size_t size;
  size_t raw;      /* bytes that left the stream, if it received alone */
  int single;      /* no other call received meanwhile */
  int alone;       /* no other call was in the object */
  int undisturbed; /* nobody closed it or replaced the descriptor */
} receipt;

/* Results with bytes that were compared alone, in some order, and not at all. */
extern unsigned long long model_single, model_merged, model_free;
void model_received(const receipt *got);
void model_merge(object *of); /* once no call receives any more */
void model_check_end(object *of);

#endif
