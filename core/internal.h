/* SPDX-License-Identifier: MIT */
/* What the files of the core know of each other: the socket, the call that is under way
   on it, and the few functions that cross from one file to another. Never included
   outside. */

#ifndef PS_INTERNAL_H
#define PS_INTERNAL_H

#include <stdatomic.h>

#include "os.h"
#include "polysock.h"

/* PS__DECIDED asks that there be a descriptor, which tcp() does not have at first. */
enum { PS__MASTER = 1, PS__CLIENT = 2, PS__SERVER = 4, PS__ANY = 7, PS__DECIDED = 8 };

/* The state of a socket in one word, so that a call enters and leaves with one atomic
   each: who has which turn, whether it is closing, and above these how many calls are
   under way. */
enum {
  PS__SHARED = 0, /* no turn wanted */
  PS__RECEIVING = 1,
  PS__SENDING = 2,
  PS__CLOSED = 4,
  PS__CALL = 8
};

/* The read buffer: size bytes from data + head are there. */
typedef struct ps__buffer {
  size_t head, size, capacity;
  char data[];
} ps__buffer;

/* An idle one is all that a connection costs the core: it is kept small by the order of
   its members, and by a buffer that has its numbers with it. */
struct ps_socket {
  atomic_uint state;
  int fd;                  /* -1: closed, or undecided between IPv4 and IPv6 */
  unsigned short error;    /* the last error number that the words of a failure hide */
  unsigned char kind;      /* PS__MASTER, PS__CLIENT or PS__SERVER */
  unsigned char family;    /* 4, 6, or 0 while undecided */
  unsigned char fixed : 1; /* family was given, not found by bind or connect */
  unsigned char bound : 1;
  unsigned char connecting;   /* a connect has begun and its outcome is not known */
  unsigned char interrupting; /* a call is asking its host about a signal */
  unsigned char mark;         /* the binding's */
  double block, total;        /* limits in seconds; negative: none */
  double deadline;            /* monotonic time; infinity: none */
  double birth;               /* monotonic time */
  unsigned long long received, sent; /* bytes; they wrap */
  ps__buffer *buffer;                /* NULL: nothing is buffered */
};

static inline size_t ps__buffered(const ps_socket *self) {
  return self->buffer == NULL ? 0 : self->buffer->size;
}

/* A call under way: what it works on, and how long it may take. */
typedef struct ps__call {
  ps_socket *self;
  ps_host *host;
  double block; /* limit of one wait */
  double end;   /* monotonic time by which the call returns */
  unsigned turn;
  int fd;    /* -1 while undecided */
  int again; /* it has read before */
} ps__call;

#define PS__DONE ((ps_status){PS_OK, 0, 0, NULL})

/* error.c */
ps_status ps__failure(short code);
ps_status ps__misuse(short code, short argument, const char *detail);
ps_status ps__system(int error);
ps_status ps__socket_error(ps_socket *self, int error); /* remembers the number as well */

/* tcp.c: every call that needs the descriptor stands between begin and end. begin checks
   the kind and that the socket is open, and takes the turn. */
ps_status ps__begin(ps__call *call, ps_socket *self, ps_host *host, unsigned char kinds,
                    unsigned turn);
void ps__end(ps__call *call);
ps_status ps__kind(const ps_socket *self, unsigned char kinds);

/* timeout.c */
void ps__timeout_start(ps__call *call);
ps_status ps__timeout_wait(ps__call *call, int writable); /* until fd is ready */
ps_status ps__timeout_goon(ps__call *call); /* between two steps that did not wait */

/* The waiting loop: it takes steps, each at most so many seconds long, until one is
   ready, the time is over or the host stops it. A step answers with one of these or an
   error number; the signals' turn comes at each PS__SIGNAL. */
enum { PS__READY = 0, PS__SIGNAL = -1, PS__TIMEUP = -2 };
typedef int ps__step(void *context, double seconds);
ps_status ps__timeout_pause(ps__call *call, ps__step *step, void *context);
int ps__timeout_poll(const ps_sockets *sets, size_t count,
                     double seconds); /* a step's body */

/* buffer.c */
void ps__buffer_free(ps_socket *self);

/* resolve.c */
ps_status ps__resolve(ps__call *call, ps__lookup *lookup);
ps_status ps__resolve_port(ps_port port, short argument, const char *name, int least,
                           char digits[16], const char **service);
void ps__resolve_free(ps__record *records);

#endif
