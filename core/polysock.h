/* SPDX-License-Identifier: MIT */
/* polysock: TCP with LuaSocket's objects, for C and for the languages that bind to it.

   This is the only public header, and it is meant to be read from top to bottom: the
   conventions, the values that go in, the results that come out, then the functions.
   Nothing here prints, exits, raises a signal or jumps. Every function returns one of the
   result kinds below, by value. */

#ifndef POLYSOCK_H
#define POLYSOCK_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined __GNUC__
#define PS_API __attribute__((visibility("default")))
#else
#define PS_API
#endif

/* The version. The build and the packages read it here. */
#define PS_VERSION "0.1.0"

/* ---- Status ---- */

/* A status tells how a call ended. A failure is something that happened to the
   connection or the system (a timeout, a closed peer, no memory); it is an ordinary
   answer. A misuse is an error of the caller (the wrong kind of object, a value out of
   range): nothing was done, and a binding raises it. errors.def lists both with their
   numbers, which never change. */

enum {
  PS_OK = 0,
#define PS_FAILURE(code, number, words) code = number,
#define PS_MISUSE(code, number, words) code = number,
#include "errors.def"
#undef PS_FAILURE
#undef PS_MISUSE
  PS_SYSTEM = 90,      /* any other error number of the system; the words are its own */
  PS_INTERRUPTED = 91, /* the host stopped the call; it knows why */
  PS_ENDED = 92,       /* ps_socket_next only: the stream has ended, nothing is left */
  PS_MISUSED = 100     /* a misuse has this number or a higher one */
};

/* Is the type of an argument wrong, and not its value? */
#define PS_MISUSE_IS_TYPE(code) ((code) > PS_MISUSED && (code) < 200)

typedef struct ps_status {
  short code;         /* PS_OK, or one of the codes above */
  short argument;     /* misuse: the number of the argument, from 1; 0 for the object */
  int system;         /* failure: the system's error number behind it, or 0 */
  const char *detail; /* misuse: fills the %s of the words; lives as long as the arguments
                       */
} ps_status;

/* Size of a buffer that holds any text of ps_status_words or ps_status_misuse. */
#define PS_WORDS 256

/* Writes the words of a failure, or those of a misuse without its place, to buffer.
   Returns buffer or a constant string. Never fails: PS_OK has the words "". */
PS_API const char *ps_status_words(ps_status status, char buffer[PS_WORDS]);

/* Writes the whole sentence of a misuse, which names function and argument, as in "bad
   argument #2 to 'bind' (port: 0 to 65535 expected)". Returns buffer. */
PS_API const char *ps_status_misuse(ps_status status, const char *function,
                                    char buffer[PS_WORDS]);

/* ---- Host ---- */

/* A host is what a language runtime lends to one call. It may be NULL, and so may each of
   its functions: then waits block, signals only restart them, and the mode is
   PS_HOST_VIEW. A binding puts a ps_host at the head of a struct of its own. */

/* Where the bytes of a result are, and who may be in the object meanwhile. */
enum {
  /* A view: the result points into the read buffer and into the caller's prefix. Its
     bytes count as taken. They stay valid until the same thread's next call on the
     object. */
  PS_HOST_VIEW,

  /* Lent memory: every result is copied into, or read straight into, memory of grow. */
  PS_HOST_LEND,

  /* A view that the language copies before any other call is made: its bytes stay in the
     read buffer until ps_socket_take, so that nothing is lost when the copy fails. Calls
     on one object overlap only between leave and enter, as under the global lock of a
     language or in a program of one thread; entering a call is cheaper then. With grow,
     large results are read straight into its memory. */
  PS_HOST_HOLD
};

typedef struct ps_host ps_host;
struct ps_host {
  /* Called before the call may wait or copy much, and after; always in pairs. */
  void (*leave)(ps_host *host);
  void (*enter)(ps_host *host);

  /* Asked when a signal ended a wait, and between two reads or sends of one call.
     Non-zero stops the call with PS_INTERRUPTED; what was read by then stays in the read
     buffer, if there is memory. It must return, and it may call the object: a call in the
     direction that it interrupted fails with PS_BUSY. */
  int (*interrupted)(ps_host *host);

  /* Returns memory for the bytes of a result: size bytes that begin with what the memory
     held before, or NULL, and then the old memory is still good. */
  void *(*grow)(ps_host *host, size_t size);

  int mode; /* PS_HOST_VIEW, PS_HOST_LEND or PS_HOST_HOLD */
};

/* ---- Arguments ---- */

/* Plain values whose type says what they mean, so that a binding maps each once. */

typedef struct ps_socket ps_socket;

typedef const char *ps_name;        /* a host: address or name; "*" in bind: all */
typedef const char *ps_localname;   /* the same, or NULL */
typedef const char *ps_servicename; /* a service: digits or a name, or NULL */
typedef const char *ps_optionname;  /* see options.def */
typedef const char *ps_kindname;    /* "master", "client" or "server" */
typedef const char *ps_mode;        /* a word that chooses; NULL for the default */
typedef double ps_duration;         /* seconds; negative counts as 0 */
typedef double ps_seconds;          /* a limit in seconds; negative: no limit */
typedef double ps_moment;           /* seconds from now; infinity: never */
typedef double ps_age;              /* seconds; NaN: leave as it is */
typedef long long ps_total;         /* bytes; negative: leave as it is */
typedef long long ps_first;         /* index of a byte as in string.sub, 1 is the first */
typedef long long ps_last;          /* index of a byte as in string.sub, -1 is the last */
typedef long long ps_backlog;       /* connections that may wait for accept; negative or
                                       too large: as many as the system allows */
typedef long long ps_descriptor;    /* of a socket; -1 is none */
typedef unsigned long long ps_maxsize; /* bytes; 0: no bound */

typedef struct ps_port {
  const char *service; /* digits or a service name; NULL: number counts */
  long long number;
} ps_port;
typedef ps_port ps_localport; /* the same; may be absent, which is 0 */

typedef struct ps_pattern {
  char kind; /* 'l' line, 'L' line with its end, 'a' all, 'n' count; others are misuse */
  long long count;
} ps_pattern;

#ifdef __cplusplus
#define PS_PATTERN(kind, count) (ps_pattern{kind, count})
#else
#define PS_PATTERN(kind, count) ((ps_pattern){kind, count})
#endif
#define PS_LINE PS_PATTERN('l', 0)
#define PS_LINE_WITH_END PS_PATTERN('L', 0)
#define PS_ALL PS_PATTERN('a', 0)
#define PS_COUNT(n) PS_PATTERN('n', (long long)(n))

/* Returns the pattern that a text means ("*l", "l", "*L", "L", "*a", "a"); a misuse
   pattern for any other text. As in LuaSocket, only the letter behind a star counts
   ("*line"). */
PS_API ps_pattern ps_pattern_of(const char *text, size_t size);

/* Bytes of the caller. A call reads them and keeps no pointer. */
typedef struct ps_data {
  const char *data;
  size_t size;
} ps_data;
typedef ps_data ps_prefix; /* the same; may be absent, which is empty */

/* Memory of the caller that a call fills. */
typedef struct ps_room {
  char *data;
  size_t size;
} ps_room;

/* The value of an option, in and out. */
enum { PS_NIL, PS_FLAG, PS_NUMBER, PS_TEXT, PS_LINGER };
typedef struct ps_option {
  int type;            /* one of the above: which members count */
  int flag;            /* PS_FLAG; PS_LINGER: on */
  int integral;        /* PS_NUMBER: integer counts, else number; PS_LINGER: see number */
  long long integer;   /* PS_NUMBER */
  double number;       /* PS_NUMBER; PS_LINGER: seconds, NaN when it was missing */
  char text[PS_WORDS]; /* PS_TEXT */
} ps_option;

/* One member of a set to wait for: a socket, or a bare descriptor whose bytes may be
   buffered elsewhere. A socket brings its descriptor and what it has buffered. */
typedef struct ps_watch {
  int fd;            /* negative: never ready */
  char writable;     /* set by ps_select: 0 wait to receive, 1 wait to send */
  char buffered;     /* in recvt: ready whatever the descriptor says */
  char ready;        /* set by ps_select */
  ps_socket *socket; /* NULL: fd and buffered count, else ps_select sets them */
} ps_watch;

typedef struct ps_sockets {
  ps_watch *watches;
  size_t count;
} ps_sockets;
typedef ps_sockets ps_readables; /* to be waited for until they can be received from */
typedef ps_sockets ps_writables; /* until they can be sent to */

/* What a poller watches: a socket, or the descriptor of somebody else. */
typedef struct ps_source {
  ps_socket *socket; /* NULL: fd counts */
  int fd;
} ps_source;

typedef const char *ps_events; /* "r" receive, "w" send, "rw" both */
typedef long long ps_most;     /* how many at most; 0: all */

/* ---- Results ---- */

/* Each function returns one of these. The members behind status count as each says. */

typedef struct ps_done { /* success says no more than that */
  ps_status status;
} ps_done;

typedef struct ps_always { /* cannot fail; misuse is possible */
  ps_status status;
} ps_always;

typedef struct ps_nothing { /* cannot fail and has nothing to say; misuse is possible */
  ps_status status;
} ps_nothing;

typedef struct ps_object {
  ps_status status;
  ps_socket *socket; /* on success; the caller's, to be freed with ps_socket_free */
} ps_object;

/* Bytes: on success the result, on failure the partial. The result is head, then the size
   bytes at data: the first raw bytes there, without their CRs if raw > size.
   ps_bytes_copy puts it together. raw == size in the modes view and lend. */
typedef struct ps_bytes {
  ps_status status;
  const char *head; /* of the caller's prefix, or NULL */
  size_t head_size;
  const char *data;
  size_t size;
  size_t raw;
  size_t held;               /* bytes of the read buffer that ps_socket_take takes out */
  unsigned long long before; /* bytes that were taken before these */
} ps_bytes;

typedef struct ps_lines { /* what an iterator passes to ps_socket_next */
  ps_status status;
  ps_pattern pattern;
  ps_maxsize maxsize;
} ps_lines;

typedef struct ps_sent {
  ps_status status;
  long long last; /* index of the last byte that went out, on failure too */
} ps_sent;

typedef struct ps_filled {
  ps_status status;
  size_t count; /* bytes that are in the room, on failure too */
} ps_filled;

typedef struct ps_address {
  ps_status status;
  char ip[64];
  int port;
  const char *family; /* "inet" or "inet6" */
} ps_address;

typedef struct ps_value {
  ps_status status;
  ps_option value; /* PS_NIL is a value: no error is pending */
} ps_value;

typedef struct ps_stats {
  long long received; /* bytes that the caller has taken */
  long long sent;     /* bytes that the system has accepted */
  double age;         /* seconds */
} ps_stats;

typedef struct ps_limits {
  double block; /* seconds; -1: none */
  double total;
} ps_limits;

typedef struct ps_left {
  double seconds; /* not negative; infinity: there is no deadline */
} ps_left;

typedef struct ps_wants {
  const char *direction; /* "r" receive, "w" send, NULL: nothing */
} ps_wants;

typedef struct ps_yes {
  int yes;
} ps_yes;

typedef struct ps_size {
  size_t size;
} ps_size;

typedef struct ps_fd {
  int fd; /* -1 when there is none */
} ps_fd;

typedef struct ps_detached {
  ps_status status;
  int fd;
} ps_detached;

typedef struct ps_text {
  char text[64];
} ps_text;

typedef struct ps_ready { /* the answers are in the watches */
  ps_status status;
} ps_ready;

typedef struct ps_poller ps_poller;

typedef struct ps_pollerobject {
  ps_status status;
  ps_poller *poller; /* on success; the caller's, to be freed with ps_poller_free */
} ps_pollerobject;

typedef struct ps_event { /* a member that is ready */
  void *token;
  ps_events events; /* a constant: what it is ready for, of what it was added for */
} ps_event;

typedef struct ps_polled { /* the events live until the next call on the poller */
  ps_status status;
  const ps_event *events;
  size_t count;
} ps_polled;

typedef struct ps_token {
  ps_status status;
  void *token;
} ps_token;

typedef struct ps_hostname {
  ps_status status;
  char text[PS_WORDS];
} ps_hostname;

/* One answer of the resolver. The list is the caller's, to be freed with
   ps_resolved_free. */
typedef struct ps_entry {
  struct ps_entry *next;
  const char *family;  /* "inet" or "inet6" */
  char text[PS_WORDS]; /* an address, or a name */
} ps_entry;

typedef struct ps_resolved { /* one host: its main answer and all of them */
  ps_status status;
  char text[PS_WORDS]; /* the answer: an address for toip, a name for tohostname */
  char name[PS_WORDS]; /* the host's canonical name */
  ps_entry *aliases;
  ps_entry *ips;
} ps_resolved;

typedef struct ps_addresses {
  ps_status status;
  ps_entry *entries;
} ps_addresses;

typedef struct ps_names {
  ps_status status;
  ps_entry *names;        /* NULL when no host was given */
  char service[PS_WORDS]; /* "" when no service was given */
} ps_names;

/* Size of a result: head_size + size. */
PS_API size_t ps_bytes_size(const ps_bytes *bytes);

/* Copies a result to memory of ps_bytes_size bytes, without the CRs that it drops. */
PS_API void ps_bytes_copy(const ps_bytes *bytes, char *to);

/* ---- Module ---- */

/* Functions that may wait take a host last. */

PS_API ps_text ps_version(void); /* "polysock " and PS_VERSION */

/* Makes a master. ps_tcp chooses IPv4 or IPv6 at the first bind or connect; ps_tcp6
   speaks IPv6 only. Fails with PS_NOMEMORY, or the system's reason when it has no socket
   to give. */
PS_API ps_object ps_tcp(void);
PS_API ps_object ps_tcp4(void);
PS_API ps_object ps_tcp6(void);

/* Makes a server that is bound to address and port, with reuseaddr set, and listens.
   Fails as ps_socket_bind and ps_socket_listen do. */
PS_API ps_object ps_bind(ps_name address, ps_port port, ps_backlog backlog,
                         ps_host *host);

/* Makes a client that is connected to address and port, from locaddr and locport unless
   locaddr is NULL. family is "inet", "inet6" or "unspec" (NULL). timeout limits the whole
   call, names and all addresses included; the client has no limit. Fails as
   ps_socket_bind and ps_socket_connect do. */
PS_API ps_object ps_connect(ps_name address, ps_port port, ps_localname locaddr,
                            ps_localport locport, ps_mode family, ps_seconds timeout,
                            ps_host *host);
PS_API ps_object ps_connect4(ps_name address, ps_port port, ps_localname locaddr,
                             ps_localport locport, ps_seconds timeout, ps_host *host);
PS_API ps_object ps_connect6(ps_name address, ps_port port, ps_localname locaddr,
                             ps_localport locport, ps_seconds timeout, ps_host *host);

/* Makes an object of the open descriptor of a TCP socket, which becomes close-on-exec and
   non-blocking. Fails with PS_BADFAMILY when it is no internet socket, or with the
   system's reason when it is none at all; the descriptor stays the caller's then. */
PS_API ps_object ps_fromfd(ps_descriptor fd, ps_kindname kind);

/* Waits until a watch is ready, or for timeout, and marks the ready ones. A buffered
   watch is ready at once. A socket whose connect waits for a name is ready to send when
   the name is resolved. Closed sockets are ignored; a member that is closed meanwhile
   ends the wait. Fails with PS_TIMEOUT when none is ready, PS_CLOSED when none is since
   one was closed, PS_NOMEMORY. */
PS_API ps_ready ps_select(ps_readables recvt, ps_writables sendt, ps_seconds timeout,
                          ps_host *host);

/* Waits. A signal gives the host its turn; the rest of the time is then waited. */
PS_API ps_nothing ps_sleep(ps_duration seconds, ps_host *host);

PS_API ps_seconds ps_gettime(void);  /* seconds since 1970 */
PS_API ps_seconds ps_monotime(void); /* seconds of a clock that is never set */

/* How many descriptors this process may have. */
PS_API ps_size ps_setsize(void);

/* Names. Numeric addresses are read in place; a name is resolved in a helper thread, so
   that timeout (of the whole call) and the host's signals are heeded. Fail with
   PS_TIMEOUT, PS_NONAME, PS_AGAIN, PS_FAIL, PS_NOMEMORY, the system's reason. */
PS_API ps_hostname ps_dns_gethostname(void);
PS_API ps_resolved ps_dns_toip(ps_name address, ps_seconds timeout, ps_host *host);
PS_API ps_resolved ps_dns_tohostname(ps_name address, ps_seconds timeout, ps_host *host);
PS_API ps_addresses ps_dns_getaddrinfo(ps_name address, ps_seconds timeout,
                                       ps_host *host);
PS_API ps_names ps_dns_getnameinfo(ps_localname address, ps_servicename service,
                                   ps_seconds timeout, ps_host *host);
PS_API void ps_resolved_free(ps_entry *entries);

/* ---- Sockets ---- */

/* One object changes its kind in place: a master becomes a server by listen or a client
   by connect. A call on the wrong kind, or on NULL, is misuse. After close, whatever
   needs the socket fails with PS_CLOSED.

   Every function but ps_socket_free may be called from any thread at any time. One thread
   may receive while another sends; a thread that comes to a direction in use waits for
   its turn, within its limits. A call that may not wait (a limit of 0, or a deadline that
   has passed) takes what is there, but no more than PS_AT_HAND bytes, and answers.

   After fork the child may use, close and free its copy of an object; what threads of the
   parent were doing in it is not under way in the child. */

#define PS_AT_HAND 1048576

/* Closes the object and frees it. NULL is fine. No call may be under way. */
PS_API void ps_socket_free(ps_socket *self, ps_host *host);

/* Waits for a connection and makes it a client, without limits of time. Several threads
   may accept at once. Fails with PS_TIMEOUT, PS_CLOSED, the system's reason. */
PS_API ps_object ps_socket_accept(ps_socket *self, ps_host *host);

/* Gives a master its local address. Port 0 lets the system choose. Fails with PS_INUSE,
   PS_PERMISSION, PS_TIMEOUT and the reasons of the resolver, PS_CLOSED. */
PS_API ps_done ps_socket_bind(ps_socket *self, ps_name address, ps_port port,
                              ps_host *host);
#define ps_socket_setsockname ps_socket_bind

/* Makes a master a server. Fails with PS_CLOSED, PS_UNDECIDED, PS_BUSY while bind or
   connect is under way, the system's reason. */
PS_API ps_done ps_socket_listen(ps_socket *self, ps_backlog backlog);

/* Makes a master a client, trying the addresses of the name in the resolver's order.
   After PS_TIMEOUT the attempt goes on: calling connect again with the same address and
   port tells the outcome, and collects a name that was resolved meanwhile. With another
   target the attempt is dropped and a new one begins. Fails with PS_TIMEOUT,
   PS_CONNECTED, PS_REFUSED and others (the object is a master then), the reasons of the
   resolver, PS_CLOSED. */
PS_API ps_done ps_socket_connect(ps_socket *self, ps_name address, ps_port port,
                                 ps_host *host);
#define ps_socket_setpeername ps_socket_connect

/* Receives what pattern says, behind prefix. maxsize bounds the result, prefix included.
   On failure the bytes are prefix and all that this call read, so that a call with them
   as its prefix continues. Fails with PS_TIMEOUT, PS_CLOSED, PS_OVERSIZED (a partial of
   maxsize bytes, fewer if more than 65536 CRs and more than maxsize are dropped; the rest
   is still buffered),
   PS_NOMEMORY, the system's reason. */
PS_API ps_bytes ps_socket_receive(ps_socket *self, ps_pattern pattern, ps_prefix prefix,
                                  ps_maxsize maxsize, ps_host *host);

/* Receives what is there: at least one byte, at most max. Waits only when nothing is. */
PS_API ps_bytes ps_socket_receiveany(ps_socket *self, ps_maxsize max, ps_host *host);

/* Receives up to delimiter, which is used up and not returned. A prefix that ends in a
   part of the delimiter counts. */
PS_API ps_bytes ps_socket_receiveuntil(ps_socket *self, ps_data delimiter,
                                       ps_prefix prefix, ps_maxsize maxsize,
                                       ps_host *host);

/* Fills the first nbytes of a room; negative nbytes: all of it. */
PS_API ps_filled ps_socket_receiveinto(ps_socket *self, ps_room buffer, ps_total nbytes,
                                       ps_host *host);

/* Receives one piece for an iterator. At the end of the stream an unterminated rest is a
   success, and the call after it answers PS_ENDED. On a failure the bytes stay in the
   read buffer, and the partial is empty; a reset connection, and an object that was
   closed here, fail with PS_CLOSED. */
PS_API ps_bytes ps_socket_next(ps_socket *self, ps_pattern pattern, ps_maxsize maxsize,
                               ps_host *host);

/* Checks what an iterator over ps_socket_next needs. A count of 0 is misuse. */
PS_API ps_lines ps_socket_lines(ps_socket *self, ps_pattern pattern, ps_maxsize maxsize);

/* Takes the bytes of a held view out of the read buffer. Returns 0 if they are gone:
   another call, which a finaliser may have made while the language copied the view, has
   them. */
PS_API int ps_socket_take(ps_socket *self, const ps_bytes *view);

/* Sends bytes i to j of data, counted as string.sub counts. Returns the index of the last
   byte that the system accepted, i - 1 for none. Fails with PS_TIMEOUT, PS_CLOSED, the
   system's reason. */
PS_API ps_sent ps_socket_send(ps_socket *self, ps_data data, ps_first i, ps_last j,
                              ps_host *host);

/* Shuts "both" (NULL), "send" or "receive" down. */
PS_API ps_always ps_socket_shutdown(ps_socket *self, ps_mode mode);

/* Fail with PS_CLOSED, PS_UNDECIDED, the system's reason. */
PS_API ps_address ps_socket_getpeername(ps_socket *self);
PS_API ps_address ps_socket_getsockname(ps_socket *self);

PS_API ps_text ps_socket_getfamily(const ps_socket *self); /* "inet4" or "inet6" */
PS_API ps_text ps_socket_getkind(const ps_socket *self);   /* as ps_kindname */
PS_API ps_text ps_socket_tostring(const ps_socket *self);  /* "tcp{master}: 0x..." */

PS_API ps_stats ps_socket_getstats(const ps_socket *self);
PS_API ps_always ps_socket_setstats(ps_socket *self, ps_total received, ps_total sent,
                                    ps_age age);

/* Limits one wait (mode "b" or NULL) or the whole call (mode "t"). 0: never wait. */
PS_API ps_always ps_socket_settimeout(ps_socket *self, ps_seconds value, ps_mode mode);
PS_API ps_limits ps_socket_gettimeout(const ps_socket *self);

/* Sets the point in time by which all later calls end together. A point that has passed
   lets no call wait. */
PS_API ps_always ps_socket_setdeadline(ps_socket *self, ps_moment seconds);
PS_API ps_left ps_socket_getdeadline(const ps_socket *self);

/* Fail with PS_CLOSED, PS_UNDECIDED, PS_NOOPTION, the system's reason. */
PS_API ps_done ps_socket_setoption(ps_socket *self, ps_optionname option,
                                   ps_option value);
PS_API ps_value ps_socket_getoption(ps_socket *self, ps_optionname option);

PS_API ps_yes ps_socket_dirty(const ps_socket *self); /* are bytes in the read buffer? */
PS_API ps_size ps_socket_pending(const ps_socket *self); /* how many? */

/* What the call that last answered PS_TIMEOUT waits for. */
PS_API ps_wants ps_socket_wants(const ps_socket *self);

PS_API ps_fd ps_socket_getfd(const ps_socket *self);

/* Replaces the descriptor, closes none and changes nothing of either. -1 leaves the
   object closed. Calls under way fail with PS_CLOSED, and setfd returns when they have
   left the old descriptor. Its host may be asked meanwhile, and then another setfd of
   that thread does nothing: its status is PS_BUSY. */
PS_API ps_nothing ps_socket_setfd(ps_socket *self, ps_descriptor fd, ps_host *host);

/* Gives the descriptor away; the object is closed then. Fails with PS_BUFFERED, PS_BUSY
   (a call is under way), PS_CLOSED, PS_UNDECIDED. */
PS_API ps_detached ps_socket_detach(ps_socket *self);

/* Closes the socket, and wakes other threads that wait on it: they fail with PS_CLOSED.
   With option linger the system may wait, and nothing limits that. Closing again is fine.
 */
PS_API ps_always ps_socket_close(ps_socket *self, ps_host *host);

/* A number from 0 to 255, 0 at first. Three of its bits change how the socket behaves;
   the others are a binding's own. */
enum {
  /* The limit of one wait counts from the start of the call, as in LuaSocket. */
  PS_MARK_FROM_START = 2,
  /* A receive that fails with PS_TIMEOUT leaves what it read in the read buffer: the
     partial is empty, and the next receive goes on without a search from the beginning.
     For event loops, which give up a call at any moment. */
  PS_MARK_KEEP = 4,
  /* A receive that may not wait looks at the read buffer alone, and fails with
     PS_TIMEOUT where it would ask the system. For event loops, which know when there is
     news. */
  PS_MARK_BUFFERED = 8
};
PS_API int ps_socket_getmark(const ps_socket *self);
PS_API void ps_socket_setmark(ps_socket *self, int mark);

/* ---- Pollers ---- */

/* A poller waits on many sources that it knows already: a wait costs by how many are
   ready, not by how many there are. It is level-triggered: each wait reports whatever is
   ready at that moment. A socket is ready to receive while bytes are buffered in it, too;
   one whose connect waits for a name is ready to send once the name is resolved, and for
   nothing before. A failed or ended connection is ready for what it was added for.

   A poller belongs to one thread at a time; only ps_poller_wake may be called from
   others. The sockets in it may be used, closed and freed by any thread at any time.
   Every call on NULL is misuse, count and getfd apart, which answer 0 and -1. After
   ps_poller_close whatever needs the poller fails with PS_CLOSED.

   After fork the child may use, close and free its copy. Its first call that needs the
   system registers the members anew, with a queue of the child's own, and may fail as
   ps_poller_make does. Nothing that the child does changes what the parent waits for. */

/* Makes a poller without members. Fails with PS_NOMEMORY, the system's reason. */
PS_API ps_pollerobject ps_poller_make(void);

/* Closes the poller and frees it. NULL is fine. No call may be under way. */
PS_API void ps_poller_free(ps_poller *self);

/* Registers a source for events, with a token that each report brings. A socket may be in
   one poller at a time. The registration follows the socket: to another descriptor by
   setfd or connect, and it ends when the socket is closed or detached. The descriptor of
   somebody else is known by its number; when its owner has closed it, and the number came
   back as another file, a new registration takes the place of the old one, which ends.
   Other events than "r", "w" and "rw" are misuse. Fails with PS_ALREADY, PS_ELSEWHERE,
   PS_CLOSED (the poller, the socket, or fd is negative), PS_UNDECIDED (a socket that has
   no descriptor and waits for no name), PS_NOMEMORY, the system's reason. */
PS_API ps_done ps_poller_add(ps_poller *self, ps_source source, ps_events events,
                             void *token);

/* Changes events and token of a member. Fails with PS_NOTADDED, PS_CLOSED, the system's
   reason, and has changed nothing then. */
PS_API ps_done ps_poller_modify(ps_poller *self, ps_source source, ps_events events,
                                void *token);

/* Ends a registration. Fails with PS_NOTADDED, PS_CLOSED. */
PS_API ps_done ps_poller_remove(ps_poller *self, ps_source source);

/* Returns the token of a member. Fails with PS_NOTADDED, PS_CLOSED. */
PS_API ps_token ps_poller_token(ps_poller *self, ps_source source);

/* Lets the next wait report a member as ready to receive, once, if it was added for that:
   its owner has bytes buffered. Fails with PS_NOTADDED, PS_CLOSED. */
PS_API ps_done ps_poller_ready(ps_poller *self, ps_source source);

/* Waits until a member is ready, or for timeout. Reports at most max members, each once;
   those that had to be left out come before the same ones are reported again. Members may
   be added, modified and removed while the events are read. A wake ends the wait with
   success, though no member may be ready. Fails with PS_TIMEOUT (none is ready in time),
   PS_CLOSED, PS_INTERRUPTED, PS_BUSY (a wait is under way), PS_NOMEMORY, the system's
   reason. */
PS_API ps_polled ps_poller_wait(ps_poller *self, ps_seconds timeout, ps_most max,
                                ps_host *host);

/* Ends the wait of another thread at once, or the next wait if none is under way. */
PS_API ps_always ps_poller_wake(ps_poller *self);

PS_API ps_size ps_poller_count(const ps_poller *self); /* members */

/* Returns a descriptor that is readable when a wait would not have to wait, for a loop
   around this one; -1 when the system has no such thing or the poller is closed. A name
   that is resolved does not show there. It is another one after a fork. Do nothing with
   it but wait. */
PS_API ps_fd ps_poller_getfd(ps_poller *self);

/* Ends all registrations. Sockets stay open. Closing again is fine. */
PS_API ps_always ps_poller_close(ps_poller *self);

/* For a binding whose tokens need to be released. ended takes the token of a registration
   that ended, but for ps_poller_remove, and returns 0 when there is none. From its first
   call on the poller keeps such tokens until they are taken; before, it forgets them.
   each returns the tokens of all members one by one; *at is 0 at first, and no other call
   on the poller comes between. It returns 0 behind the last. */
PS_API int ps_poller_ended(ps_poller *self, void **token);
PS_API int ps_poller_each(const ps_poller *self, size_t *at, void **token);

#ifdef __cplusplus
}
#endif

#endif
