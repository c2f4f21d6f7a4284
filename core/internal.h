/* SPDX-License-Identifier: MIT */
/* What the files of the core know of each other: the socket, the call that is under way
   on it, and the functions that cross from one file to another, lowest file first. A file
   calls only files above it in this header. Never included outside. */

#ifndef PS_INTERNAL_H
#define PS_INTERNAL_H

#include <stdatomic.h>

#include "os.h"
#include "polysock.h"
#include "reader.h"

/* PS__DECIDED asks that there be a descriptor, which tcp() does not have at first. */
enum { PS__MASTER = 1, PS__CLIENT = 2, PS__SERVER = 4, PS__ANY = 7, PS__DECIDED = 8 };

/* The state word of a socket: who has which turn, whether it is closed, how many calls
   are under way, and in which process. A fork copies the word, but not the threads whose
   calls it counts; so calls of another process do not count. */
enum {
  PS__SHARED = 0, /* a call that wants no turn */
  PS__RECEIVING = 1,
  PS__SENDING = 2,
  PS__BOTH = PS__RECEIVING | PS__SENDING,
  PS__CLOSED = 4,
  PS__REPLACED = 8, /* setfd waits until the calls under way have left */
  PS__CALL = 16,
  PS__CALLS = 0xffff0,
  PS__PROCESS_SHIFT = 20
};
#define PS__PROCESS (~0u << PS__PROCESS_SHIFT)

typedef struct ps__attempt ps__attempt; /* see connect.c */
typedef struct ps__view ps__view;       /* see stream.c */
typedef struct ps__transport ps__transport;

/* A socket. What a call changes belongs to the turn that it has; what other threads may
   read meanwhile is atomic. An idle one is all that a connection costs the core. */
struct ps_socket {
  atomic_uint state;
  atomic_int fd; /* -1: closed, or undecided between IPv4 and IPv6 */
  const ps__transport *transport;
  ps__reader reader;     /* of the receiving turn */
  atomic_size_t pending; /* bytes in the reader, for everybody else */
  unsigned long viewer; /* receiving turn: the thread whose view is in the reader, or 0 */
  ps__view *views;      /* receiving turn: buffers that other threads look at */
  atomic_ulong owner[3]; /* the threads that receive, that send, that replace the fd */
  ps__attempt *attempt;  /* both turns: a connect under way */
  _Atomic(ps_poller *) poller; /* changed under the lock of os.h; NULL: in none */
  int watched; /* under the lock: the number that the poller knows, or -1 */
  _Atomic double block, total;  /* limits in seconds; negative: none */
  _Atomic double deadline;      /* monotonic time; infinity: none */
  _Atomic double birth;         /* monotonic time */
  atomic_ullong received, sent; /* bytes; they wrap */
  atomic_uint options;          /* bit n: option n was set */
  atomic_uint replacements;     /* how often the descriptor was replaced */
  atomic_uint revivals;         /* ... of an object that was closed */
  unsigned revival;     /* receiving turn: the one that the reader's bytes are of */
  atomic_ushort broken; /* error number of what broke the connection, see stream.c */
  atomic_ushort error;  /* error number that a failure's words hide */
  atomic_uchar kind;    /* PS__MASTER, PS__CLIENT or PS__SERVER */
  atomic_uchar family;  /* 4, 6, or 0 while undecided */
  atomic_uchar wants;   /* 'r', 'w' or 0: see ps_socket_wants */
  atomic_uchar naming;  /* the attempt waits for a name */
  atomic_uchar told;    /* the poller knows that bytes are buffered */
  atomic_uchar mark;    /* the binding's */
  unsigned char fixed;  /* family was given, not found by bind or connect */
  unsigned char bound;
  atomic_uchar foreign; /* the descriptor came by setfd: it may block */
};

static inline int ps__is_marked(const ps_socket *self, int bit) {
  return (atomic_load_explicit(&self->mark, memory_order_relaxed) & bit) != 0;
}

/* A call under way: what it works on, and how long it may take. */
typedef struct ps__call {
  ps_socket *self; /* NULL: a wait on no socket of its own */
  ps_host *host;
  double block;  /* limit of one wait; 0: never wait */
  double end;    /* monotonic time by which the call returns */
  size_t budget; /* bytes that a call that may not wait can still move */
  unsigned turn;
  unsigned process;      /* as in the state word */
  unsigned replacements; /* of the socket, when the call began */
  int fd;                /* -1 while undecided */
  char aside;            /* not counted at the moment: the host is asked */
  char again;            /* it has moved bytes before */
} ps__call;

#define PS__DONE ((ps_status){PS_OK, 0, 0, NULL})

static inline int ps__lends(const ps_host *host) {
  return host != NULL && host->grow != NULL;
}
static inline int ps__holds(const ps_host *host) {
  return host != NULL && host->mode == PS_HOST_HOLD;
}
static inline void ps__host_leave(ps_host *host) {
  if (host != NULL && host->leave != NULL) host->leave(host);
}
static inline void ps__host_enter(ps_host *host) {
  if (host != NULL && host->enter != NULL) host->enter(host);
}

/* ---- error.c: codes and words ---- */

ps_status ps__error_failure(short code);
ps_status ps__error_misuse(short code, short argument, const char *detail);
ps_status ps__error_system(int error);

/* ---- turn.c: who is in an object. Atomic steps only, none waits. ---- */

enum {
  PS__ENTERED,
  PS__TAKEN,  /* another thread has the turn */
  PS__NESTED, /* the calling thread has the turn: it would wait for itself */
  PS__GONE    /* the object is closed */
};
int ps__turn_enter(ps__call *call);

/* leave ends the call; aside takes it out of the count while the host is asked, so that
   what the host does to the object need not wait for it, and back takes it in again,
   unless the object was closed or its descriptor replaced meanwhile. A forked child that
   comes back has the turn again, unless another thread took it. leave and aside return
   the descriptor that the caller is to close, or -1. */
int ps__turn_leave(ps__call *call);
int ps__turn_aside(ps__call *call);
void ps__turn_back(ps__call *call);

/* Must the call fail with PS_CLOSED? */
int ps__turn_gone(const ps__call *call);

/* Closes the object and enters it once more: the call is the closing one. Nothing happens
   in a closed object whose last call is yet to give the descriptor back. In others it may
   be there still: a forked child has no such call. Returns whether the call has entered;
   before is the word as it was. */
int ps__turn_close(ps__call *call, unsigned *before);

/* The three steps of setfd. replace closes the door and returns PS__ENTERED, or PS__TAKEN
   or PS__NESTED if another setfd has, of another thread or of the calling one. Then empty
   enters, once nobody else is in the object, which is open from then on; before is the
   word as it was. replaced opens the door and leaves; it returns the descriptor that the
   caller is to close when the object was closed meanwhile, or -1. closed: the object is
   to be closed from now on. */
int ps__turn_replace(ps__call *call);
int ps__turn_empty(ps__call *call, unsigned *before);
int ps__turn_replaced(ps__call *call, int closed);

/* Closes an object in which the call, which has both turns, is the only one. Returns
   whether it was. */
int ps__turn_detach(const ps__call *call);

/* How many calls of this process are under way. */
unsigned ps__turn_calls(const ps_socket *self);

/* ---- member.c: what a socket tells the poller that it is in ---- */

/* Of a socket that is in no poller each costs one load. */
void ps__member_buffered(ps_socket *self); /* after a receiving call */
void ps__member_end(ps_socket *self); /* it is closed; its descriptor is still open */

/* Around a change of the descriptor, or of the file under its number: hold before, follow
   after, and follow alone when a descriptor came or a look-up began or ended. */
void ps__member_hold(ps_socket *self);
void ps__member_follow(ps_socket *self);

/* ---- timeout.c: limits, and the loop that waits ---- */

void ps__timeout_start(ps__call *call);
ps_status ps__timeout_wait(ps__call *call, int writable); /* until fd is ready */
ps_status ps__timeout_goon(ps__call *call); /* between two steps that did not wait */

/* The status of a call that met an error number. */
ps_status ps__timeout_error(const ps__call *call, int error);

/* The waiting loop: it takes steps, each at most so many seconds long, until one is
   ready, the time is over or the host stops it. A step leaves the host while it waits. It
   answers with one of these or an error number; the host is asked at each PS__SIGNAL. */
enum { PS__READY = 0, PS__SIGNAL = -1, PS__TIMEUP = -2 };
typedef int ps__step(ps_host *host, void *context, double seconds);
ps_status ps__timeout_pause(ps__call *call, ps__step *step, void *context);

/* A step that waits for descriptors. */
int ps__timeout_poll(ps_host *host, const ps_sockets *sets, size_t count, double seconds,
                     ps__waker *waker);

/* Closes a descriptor, unless it is -1. The system waits if the socket lingers. */
void ps__timeout_close(ps_host *host, int fd);

/* Can another thread end a wait of this host's calls? */
int ps__timeout_wakeable(const ps_host *host);

/* ---- call.c: the life of a call ---- */

/* Every call that needs the socket stands between begin and end. begin checks the kind
   and that the socket is open, and takes the turn; try fails with PS_BUSY rather than
   wait for it. end closes the descriptor of a socket that was closed meanwhile. */
ps_status ps__call_begin(ps__call *call, ps_socket *self, ps_host *host,
                         unsigned char kinds, unsigned turn);
ps_status ps__call_try(ps__call *call, ps_socket *self, unsigned char kinds,
                       unsigned turn);
void ps__call_end(ps__call *call);
ps_status ps__call_kind(const ps_socket *self, unsigned char kinds);

/* A call on no socket, with a limit in seconds. */
ps__call ps__call_alone(ps_host *host, ps_seconds timeout);

/* ---- transport.c: how bytes move ---- */

enum {
  PS__MOVED,
  PS__WOULD_READ,  /* nothing moved: wait until the descriptor is readable */
  PS__WOULD_WRITE, /* ... or writable */
  PS__AGAIN,       /* nothing moved: a signal came */
  PS__END,         /* receive: the far end has ended its stream */
  PS__BROKEN       /* see error */
};

typedef struct ps__io {
  int verdict;
  int error;
  size_t count;
} ps__io;

struct ps__transport {
  ps__io (*receive)(ps__call *call, char *data, size_t size);
  ps__io (*send)(ps__call *call, const char *data, size_t size);
  int (*shutdown)(ps__call *call, const char *mode);
  size_t (*pending)(const ps_socket *self); /* bytes that it holds itself */
};

extern const ps__transport ps__transport_tcp;

/* ---- resolve.c: names under the limits of a call ---- */

/* A question and, once it is answered, its records. It outlives the call that began it.
 */
typedef struct ps__answer {
  ps__lookup question; /* answered in place when it needs no resolver */
  ps__lookup *lookup;  /* else a helper thread answers */
  int begun;
} ps__answer;

ps_status ps__resolve_ask(ps__call *call,
                          ps__answer *answer); /* again after PS_TIMEOUT */
int ps__resolve_done(const ps__answer *answer);
const ps__lookup *ps__resolve_found(const ps__answer *answer);
void ps__resolve_drop(ps__answer *answer);

ps_status ps__resolve_name(const char *name, short argument, const char *parameter);
ps_status ps__resolve_port(ps_port port, short argument, const char *name, int least,
                           char digits[16], const char **service);

/* ---- stream.c: the driver of receive and send ---- */

enum { PS__LONG_COPY = 256 * 1024 }; /* bytes whose copy lets other threads run */

/* A receiving call stands between these two. */
ps_status ps__stream_begin(ps__call *call, ps_socket *self, ps_host *host);
void ps__stream_end(ps__call *call, ps_status status);

/* Receives a piece. keep: a failure leaves its bytes in the reader, an end of the stream
   completes the last piece, and after that the status is PS_ENDED. */
ps_bytes ps__stream_receive(ps__call *call, ps__wish *wish, int keep);

/* The steps of which that is made: read once into memory, waiting until something is
   there; read more into the reader, which is to hold no more than bound; give a piece as
   a result; give a failure with what there is of the piece. */
ps_status ps__stream_read(ps__call *call, char *data, size_t size, size_t *got);
ps_status ps__stream_more(ps__call *call, size_t bound);
ps_bytes ps__stream_deliver(ps__call *call, ps_status status, ps_prefix prefix,
                            ps__piece piece);
ps_bytes ps__stream_fail(ps__call *call, ps_status status, const ps__wish *wish,
                         int keep);

/* A failure without bytes, and one of a call that could not begin, which has the prefix
   as its partial. */
ps_bytes ps__stream_without(ps_status status);
ps_bytes ps__stream_not_begun(ps_status status, ps_host *host, ps_prefix prefix);

/* Did the far end end its stream, and nothing else happen? */
int ps__stream_ended(const ps__call *call, ps_status status);

/* Bytes of a connection that was closed are not for the next one. Whoever replaced the
   descriptor could not drop them if a call had the receiving turn. */
static inline int ps__stream_outdated(const ps_socket *self) {
  return self->revival != atomic_load_explicit(&self->revivals, memory_order_relaxed);
}

/* Bytes that can be received without the system, to whoever has the receiving turn; and
   their count for other threads. */
size_t ps__stream_size(const ps_socket *self);
void ps__stream_count(ps_socket *self);
void ps__stream_received(ps_socket *self, size_t count); /* for getstats */

/* A call that waited in this direction need not any more: see ps_socket_wants. */
static inline void ps__stream_satisfied(ps_socket *self, char direction) {
  if (atomic_load_explicit(&self->wants, memory_order_relaxed) == direction)
    atomic_store_explicit(&self->wants, 0, memory_order_relaxed);
}

/* Drops what is buffered; what another thread looks at stays until it is done. Of the
   receiving turn, or of a closed object in which no call is under way. */
void ps__stream_clear(ps_socket *self);
void ps__stream_free(ps_socket *self);

/* ---- direct.c: large results, past the read buffer ---- */

/* From so many bytes on a count is read past the reader, if the host can. */
enum { PS__DIRECT = 16 * 1024 };

/* Receives count bytes, or all until the end when it is SIZE_MAX, into memory of the
   host. */
ps_bytes ps__direct_receive(ps__call *call, ps__wish *wish, size_t count);

/* Fills memory, first from the reader, until *have is least or more, but at most size. */
ps_status ps__direct_fill(ps__call *call, char *memory, size_t least, size_t size,
                          size_t *have);

/* Puts bytes that were filled back in front of the reader. PS_OK or PS_NOMEMORY. */
short ps__direct_unread(ps_socket *self, const char *memory, size_t size);

/* ---- connect.c ---- */

void ps__connect_drop(ps_socket *self); /* the attempt; of both turns */

/* Is a name resolved for which a connect waits? */
int ps__connect_news(ps_socket *self);

/* Gives a master a descriptor of a family. */
int ps__connect_open(ps__call *call, int family);

#endif
