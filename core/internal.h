/* SPDX-License-Identifier: MIT */
/* Private declarations of the core: the socket, a call under way on it, and the functions
   that one file calls in another, lowest file first. A file calls only functions of files
   above its own section. Never included outside of core/ and its tests. */

#ifndef PS_INTERNAL_H
#define PS_INTERNAL_H

#include <stdatomic.h>

#include "os.h"
#include "polysock.h"
#include "reader.h"

#ifdef __GNUC__
#pragma GCC visibility push(hidden)
#endif

/* PS__DECIDED requires that there is a descriptor, which ps_tcp creates only later. */
enum { PS__MASTER = 1, PS__CLIENT = 2, PS__SERVER = 4, PS__ANY = 7, PS__DECIDED = 8 };

/* The state word of a socket: who has which turn, whether it is closed, how many calls
   are under way, and in which process. A fork copies the word, but not the threads whose
   calls it counts, so calls of another process are ignored. */
enum {
  PS__SHARED = 0, /* a call that wants no turn */
  PS__RECEIVING = 1,
  PS__SENDING = 2,
  PS__BOTH = PS__RECEIVING | PS__SENDING,
  PS__CLOSED = 4,
  PS__REPLACED = 8,  /* setfd waits until the calls under way have left */
  PS__ORPHANED = 16, /* the read buffer belongs to a thread of the parent, see disown */
  PS__CALL = 32,
  PS__CALLS = 0xfffe0,
  PS__PROCESS_SHIFT = 20
};
#define PS__PROCESS (~0u << PS__PROCESS_SHIFT)

typedef struct ps__attempt ps__attempt; /* see connect.c */
typedef struct ps__view ps__view;       /* see stream.c */
typedef struct ps__transport ps__transport;

/* A socket. A call changes only members that belong to its turn; members that other
   threads may read at the same time are atomic. An idle connection needs no other memory.
 */
struct ps_socket {
  atomic_uint state;
  atomic_int fd; /* -1: closed, or undecided between IPv4 and IPv6 */
  const ps__transport *transport;
  ps__reader reader;     /* receiving turn */
  atomic_size_t pending; /* bytes in the reader, for threads without the receiving turn */
  unsigned long viewer; /* receiving turn: the thread whose view is in the reader, or 0 */
  ps__view *views;      /* receiving turn: buffers that hold views of other threads */
  atomic_ulong owner[3]; /* the threads that receive, that send, that replace the fd */
  ps__attempt *attempt;  /* both turns: a connect under way */
  _Atomic(ps_poller *) poller; /* changed with the lock of os.h held; NULL: in none */
  int watched; /* with the lock held, in a poller: the descriptor it watches, or -1 */
  _Atomic double block, total;  /* limits in seconds; negative: none */
  _Atomic double deadline;      /* monotonic time; infinity: none */
  _Atomic double birth;         /* monotonic time */
  atomic_ullong received, sent; /* bytes; they wrap */
  atomic_uint options;          /* bit n: option n was set */
  atomic_uint replacements;     /* how often the descriptor was replaced */
  atomic_uint revivals;         /* how often that happened to a closed object */
  unsigned revival; /* receiving turn: value of revivals for the bytes in the reader */
  atomic_ushort broken; /* error number of what broke the connection, see stream.c */
  atomic_ushort error;  /* error number of the last failure, for option error */
  atomic_uchar kind;    /* PS__MASTER, PS__CLIENT or PS__SERVER */
  atomic_uchar family;  /* 4, 6, or 0 while undecided */
  atomic_uchar wants;   /* 'r', 'w' or 0: see ps_socket_wants */
  atomic_uchar naming;  /* the attempt waits for a name */
  atomic_uchar missed;  /* somebody waits for the end of a call that connects or binds */
  atomic_uchar told;    /* the poller knows that bytes are buffered */
  atomic_uchar starved; /* the last receive examined all buffered bytes and timed out */
  atomic_uchar mark;    /* see ps_socket_setmark */
  unsigned char fixed;  /* family is that of ps_tcp4 or ps_tcp6, not chosen later */
  unsigned char bound;
  atomic_uchar foreign; /* the descriptor came by setfd: it may block */
};

static inline int ps__is_marked(const ps_socket *self, int bit) {
  return (atomic_load_explicit(&self->mark, memory_order_relaxed) & bit) != 0;
}

/* A call under way: its socket and its limits. */
typedef struct ps__call {
  ps_socket *self; /* NULL: a wait without a socket */
  ps_host *host;
  double block;  /* limit of one wait; 0: never wait */
  double end;    /* monotonic time by which the call returns */
  size_t budget; /* bytes that a call that may not wait may still receive or send */
  unsigned turn;
  unsigned process;      /* as in the state word */
  unsigned replacements; /* of the socket, when the call began */
  int fd;                /* -1 while undecided */
  char aside;            /* not counted at the moment: see ps__turn_aside */
  char again;            /* it has received or sent bytes */
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

/* ---- turn.c: which calls are in an object. Only atomic steps; none waits. ---- */

enum {
  PS__ENTERED,
  PS__TAKEN,  /* another thread has the turn */
  PS__NESTED, /* the calling thread has the turn, so waiting would be a deadlock */
  PS__GONE    /* the object is closed */
};
int ps__turn_enter(ps__call *call);

/* leave ends the call. aside removes the call from the count while the host's interrupted
   runs, so that a close or setfd made there does not wait for it. back counts it again,
   unless the object was closed or its descriptor replaced meanwhile. After a fork inside
   interrupted, the child gets the turn back, unless another thread took it. leave and
   aside return a descriptor that the caller must close, or -1. */
int ps__turn_leave(ps__call *call);
int ps__turn_aside(ps__call *call);
void ps__turn_back(ps__call *call);

/* Must the call fail with PS_CLOSED? */
int ps__turn_gone(const ps__call *call);

/* Marks the object as closed and enters it. Does nothing, and returns 0, in a closed
   object in which a call of this process is still under way: that call closes the
   descriptor. A forked child has no such call, so there the descriptor of a closed object
   may still be open. Returns whether the call has entered; before is the previous state
   word. */
int ps__turn_close(ps__call *call, unsigned *before);

/* The three steps of setfd. replace keeps new calls out and returns PS__ENTERED, or
   PS__TAKEN or PS__NESTED if a setfd of another thread or of the calling thread does so
   already. empty enters when no other call is in the object, which then counts as open;
   before is the previous state word. replaced lets calls in again and leaves; it returns
   a descriptor that the caller must close because the object was closed meanwhile, or -1.
   closed: leave the object closed. */
int ps__turn_replace(ps__call *call);
int ps__turn_empty(ps__call *call, unsigned *before);
int ps__turn_replaced(ps__call *call, int closed);

/* Closes an object in which the call, which has both turns, is the only one. Returns
   whether it was. */
int ps__turn_detach(const ps__call *call);

/* How many calls of this process are under way. */
unsigned ps__turn_calls(const ps_socket *self);

/* A fork may find another thread in the middle of a change of the read buffer or of the
   views. In the child these are orphaned: no bytes count as buffered, and the first call
   with the receiving turn disowns them. Their memory leaks, because it may have been
   freed already. disown does nothing without orphans; it needs the receiving turn, or an
   object in which no call is under way. */
int ps__turn_orphaned(const ps_socket *self);
void ps__turn_disown(ps_socket *self);

/* ---- member.c: how a socket notifies its poller ---- */

/* For a socket in no poller each of these costs one load. */
void ps__member_buffered(ps_socket *self); /* after a receiving call */
void ps__member_end(ps_socket *self); /* it is closed; its descriptor is still open */

/* Call hold before and follow after a change of the descriptor, or of the open file that
   its number refers to; only follow when the socket gets its first descriptor, or when a
   look-up begins or ends. */
void ps__member_hold(ps_socket *self);
void ps__member_follow(ps_socket *self);

/* ---- timeout.c: limits, and the loop that waits ---- */

void ps__timeout_start(ps__call *call);
ps_status ps__timeout_wait(ps__call *call, int writable); /* until fd is ready */
/* Between two steps that did not wait, for ps_socket_wants in this direction. */
ps_status ps__timeout_goon(ps__call *call, char direction);

/* The status of a call that met an error number. */
ps_status ps__timeout_error(const ps__call *call, int error);

/* The waiting loop: it repeats a step, which waits at most `seconds`, until the step is
   ready, the time has expired or the host stops the call. A step calls the host's leave
   and enter around its wait. It returns one of these values or an error number; after
   PS__SIGNAL the loop calls the host's interrupted. */
enum { PS__READY = 0, PS__SIGNAL = -1, PS__TIMEUP = -2 };
typedef int ps__step(ps_host *host, void *context, double seconds);
ps_status ps__timeout_pause(ps__call *call, ps__step *step, void *context);

/* A step that waits for descriptors. */
int ps__timeout_poll(ps_host *host, const ps_sockets *sets, size_t count, double seconds,
                     ps__waker *waker);

/* Closes a descriptor, unless it is -1. The system waits if the socket lingers. */
void ps__timeout_close(ps_host *host, int fd);

/* Can another thread end a wait of a call with this host? */
int ps__timeout_wakeable(const ps_host *host);

/* ---- call.c: the life of a call ---- */

/* Every function that needs the socket calls begin and end. begin checks the kind and
   that the socket is open, and takes the turn; try fails with PS_BUSY instead of waiting
   for it. end closes the descriptor of a socket that was closed meanwhile. */
ps_status ps__call_begin(ps__call *call, ps_socket *self, ps_host *host,
                         unsigned char kinds, unsigned turn);
ps_status ps__call_try(ps__call *call, ps_socket *self, unsigned char kinds,
                       unsigned turn);
void ps__call_end(ps__call *call);
ps_status ps__call_kind(const ps_socket *self, unsigned char kinds);

/* A call on no socket, with a limit in seconds. */
ps__call ps__call_alone(ps_host *host, ps_seconds timeout);

/* ---- transport.c: receives and sends bytes ---- */

enum {
  PS__MOVED,       /* count bytes were received or sent */
  PS__WOULD_READ,  /* would block until the descriptor is readable */
  PS__WOULD_WRITE, /* would block until the descriptor is writable */
  PS__AGAIN,       /* a signal interrupted it */
  PS__END,         /* receive: end of file */
  PS__BROKEN       /* failed: see error */
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
  size_t (*pending)(const ps_socket *self); /* bytes that the transport has buffered */
};

/* Are there bytes that no receive has examined? Bytes that wait for more, such as half a
   line, would make a loop around select or a poller run without end. */
static inline int ps__has_news(const ps_socket *self) {
  return (atomic_load(&self->pending) > 0 && !atomic_load(&self->starved) &&
          !ps__turn_orphaned(self)) ||
         self->transport->pending(self) > 0;
}

extern const ps__transport ps__transport_tcp;

/* ---- resolve.c: names under the limits of a call ---- */

/* A look-up and its result. It outlives the call that began it. */
typedef struct ps__answer {
  ps__lookup question; /* holds the result if no resolver is needed */
  ps__lookup *lookup;  /* otherwise a helper thread resolves it */
  int begun;
} ps__answer;

/* Resolves, or continues a resolution after PS_TIMEOUT. */
ps_status ps__resolve_ask(ps__call *call, ps__answer *answer);
int ps__resolve_done(const ps__answer *answer);
const ps__lookup *ps__resolve_found(const ps__answer *answer);
void ps__resolve_drop(ps__answer *answer);

ps_status ps__resolve_name(const char *name, short argument, const char *parameter);
enum { PS__DIGITS = 16 }; /* room for a port as text */
ps_status ps__resolve_port(ps_port port, short argument, const char *name, int least,
                           char digits[PS__DIGITS], const char **service);

/* ---- stream.c: the driver of receive and send ---- */

enum { PS__LONG_COPY = 256 * 1024 }; /* from this size on a copy lets other threads run */

/* Every receiving call begins and ends with these. */
ps_status ps__stream_begin(ps__call *call, ps_socket *self, ps_host *host);
void ps__stream_end(ps__call *call, ps_status status);

/* Receives a piece. keep: a failure leaves its bytes in the reader, an end of the stream
   completes the last piece, and after that the status is PS_ENDED. */
ps_bytes ps__stream_receive(ps__call *call, ps__wish *wish, int keep);

/* The steps of ps__stream_receive. read: reads once into memory, and waits if that would
   block. more: reads into the reader, which shall hold at most bound bytes. deliver:
   makes a piece a result. fail: makes a failure with the incomplete piece as its partial.
 */
ps_status ps__stream_read(ps__call *call, char *data, size_t size, size_t *got);
ps_status ps__stream_more(ps__call *call, size_t bound);
ps_bytes ps__stream_deliver(ps__call *call, ps_status status, ps_prefix prefix,
                            ps__piece piece);
ps_bytes ps__stream_fail(ps__call *call, ps_status status, const ps__wish *wish,
                         int keep);

/* A failure without a partial, and the failure of a call that could not begin, whose
   partial is the prefix. */
ps_bytes ps__stream_without(ps_status status);
ps_bytes ps__stream_not_begun(ps_status status, ps_host *host, ps_prefix prefix);

/* Did the peer end its stream in the regular way? */
int ps__stream_ended(const ps__call *call, ps_status status);

/* Are the bytes in the reader those of an earlier connection? A setfd that replaces the
   descriptor of a closed object cannot drop them while a call has the receiving turn. */
static inline int ps__stream_outdated(const ps_socket *self) {
  return self->revival != atomic_load_explicit(&self->revivals, memory_order_relaxed);
}

/* size: the number of bytes that can be received without a system call; needs the
   receiving turn. count: publishes it in `pending` for other threads. */
size_t ps__stream_size(const ps_socket *self);
void ps__stream_count(ps_socket *self);
void ps__stream_received(ps_socket *self, size_t count); /* for getstats */

/* A call in this direction succeeded: see ps_socket_wants. */
static inline void ps__stream_satisfied(ps_socket *self, char direction) {
  if (atomic_load_explicit(&self->wants, memory_order_relaxed) == direction)
    atomic_store_explicit(&self->wants, 0, memory_order_relaxed);
}

/* Drops the buffered bytes; views of other threads stay valid. Needs the receiving turn,
   or a closed object in which no call is under way. */
void ps__stream_clear(ps_socket *self);
void ps__stream_free(ps_socket *self);

/* ---- direct.c: large results, which bypass the read buffer ---- */

/* From this size on a result bypasses the reader, if the host has grow. */
enum { PS__DIRECT = 16 * 1024 };

/* Receives count bytes, or everything up to the end of the stream if count is SIZE_MAX,
   into memory of the host. */
ps_bytes ps__direct_receive(ps__call *call, ps__wish *wish, size_t count);

/* Fills memory of size bytes, first from the reader, until *have is at least `least`. */
ps_status ps__direct_fill(ps__call *call, char *memory, size_t least, size_t size,
                          size_t *have);

/* Puts bytes back to the front of the reader. Returns PS_OK or PS_NOMEMORY. */
short ps__direct_unread(ps_socket *self, const char *memory, size_t size);

/* ---- connect.c ---- */

void ps__connect_drop(ps_socket *self); /* frees the attempt; needs both turns */

/* Has the name been resolved that a connect waits for? While a call has both turns there
   is no news. */
int ps__connect_news(ps_socket *self);

/* Wakes the waits that have set `missed`: for lack of a descriptor, or of news. A call
   that connects or binds tells them after it has left. */
void ps__connect_tell(ps_socket *self);

/* Opens a descriptor of a family for a master. Returns 0 or an error number. */
int ps__connect_open(ps__call *call, int family);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
