/* SPDX-License-Identifier: MIT */
/* polysock: TCP with LuaSocket's objects, for C and for the languages that bind to it.

   This is the only public header, and it is meant to be read from top to bottom: the
   conventions, the values that go in, the results that come out, then the functions.
   No function prints, exits, raises a signal or calls longjmp. Every function returns one
   of the result kinds below, by value. */

#ifndef POLYSOCK_H
#define POLYSOCK_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* PS_EMBEDDED is for a module that contains the core: no other one sees its functions.
   Only a DLL that is being built has PS_EXPORTS. */
#if defined _WIN32 && defined PS_EXPORTS
#define PS_API __declspec(dllexport)
#elif defined _WIN32
#define PS_API
#elif defined __GNUC__ && defined PS_EMBEDDED
#define PS_API __attribute__((visibility("hidden")))
#elif defined __GNUC__
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
  PS_SYSTEM = 90,      /* any other error number of the system, with the system's words */
  PS_INTERRUPTED = 91, /* the host stopped the call: see ps_host.interrupted */
  PS_ENDED = 92,       /* ps_socket_next only: the stream has ended, nothing is left */
  PS_MISUSED = 100     /* a misuse has this number or a higher one */
};

/* Is the type of an argument wrong, and not its value? */
#define PS_MISUSE_IS_TYPE(code) ((code) > PS_MISUSED && (code) < 200)

typedef struct ps_status {
  short code;         /* PS_OK, or one of the codes above */
  short argument;     /* misuse: the number of the argument, from 1; 0 for the object */
  int system;         /* failure: the error number behind it, as in errno.h, or 0 */
  const char *detail; /* misuse: replaces %s in the words; as valid as the arguments */
} ps_status;

/* Size of a buffer that holds any text of ps_status_words or ps_status_misuse. */
#define PS_WORDS 256

/* Returns the words of a failure, or those of a misuse without function and argument:
   either buffer, to which they were written, or a constant string. Never fails: the words
   of PS_OK are "", those of a number that errors.def does not list "unknown status". */
PS_API const char *ps_status_words(ps_status status, char buffer[PS_WORDS]);

/* Writes the message of a misuse with the names of function and argument to buffer, for
   example "bad argument #2 to 'bind' (port: 0 to 65535 expected)". Returns buffer. */
PS_API const char *ps_status_misuse(ps_status status, const char *function,
                                    char buffer[PS_WORDS]);

/* ---- Host ---- */

/* A host is a table of functions that a language runtime passes to one call. It may be
   NULL, and so may each of its functions: then waits block the thread, a wait that a
   signal interrupts is restarted, and the mode is PS_HOST_VIEW. A binding puts a ps_host
   at the start of a struct of its own. */

/* Where the bytes of a result are, and whether calls on one object may overlap. */
enum {
  /* A view: the result points into the read buffer and into the caller's prefix. Its
     bytes are no longer part of the read buffer, but stay valid until the same thread's
     next call on the object. */
  PS_HOST_VIEW,

  /* Lent memory: every result is copied, or read directly, into memory from grow. */
  PS_HOST_LEND,

  /* A held view: the language copies it before it makes another call. Its bytes stay in
     the read buffer until ps_socket_take, so that nothing is lost when the copy fails.
     Calls on one object may overlap only between leave and enter, as with a global lock
     or in a program of one thread; this makes calls cheaper. With grow, large results are
     read directly into its memory. */
  PS_HOST_HOLD
};

typedef struct ps_host ps_host;
struct ps_host {
  /* Called before the call waits or copies many bytes, and afterwards; always in pairs.
   */
  void (*leave)(ps_host *host);
  void (*enter)(ps_host *host);

  /* Called when a signal interrupted a wait, and between two reads or sends of one call.
     Non-zero stops the call with PS_INTERRUPTED; bytes read by then stay in the read
     buffer, if there is memory. It must return (no longjmp). It may call functions on the
     object, but a call in the interrupted direction fails with PS_BUSY. */
  int (*interrupted)(ps_host *host);

  /* Resizes the memory of a result to size bytes, like realloc. Returns NULL when there
     is no memory; the old memory is then still valid. */
  void *(*grow)(ps_host *host, size_t size);

  int mode; /* PS_HOST_VIEW, PS_HOST_LEND or PS_HOST_HOLD */
};

/* ---- Arguments ---- */

/* Plain values. Each meaning has a type of its own, so that a binding maps each once. */

typedef struct ps_socket ps_socket;

typedef const char *ps_name;        /* an address or host name; "*" in bind: all */
typedef const char *ps_localname;   /* the same, or NULL */
typedef const char *ps_servicename; /* a service: digits or a name, or NULL */
typedef const char *ps_optionname;  /* see options.def */
typedef const char *ps_kindname;    /* "master", "client" or "server" */
typedef const char *ps_mode;        /* one of a few words; NULL: the default */
typedef double ps_duration;         /* seconds; negative counts as 0 */
typedef double ps_seconds;          /* a limit in seconds; negative: no limit */
typedef double ps_moment;           /* seconds from now; infinity: never */
typedef double ps_age;              /* seconds; NaN: unchanged */
typedef long long ps_total;         /* bytes; negative: unchanged, or all */
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

/* Parses a pattern: "*l", "l", "*L", "L", "*a" or "a". Returns an invalid pattern, which
   receive rejects as misuse, for any other text. As in LuaSocket, only the letter after a
   star counts ("*line"). */
PS_API ps_pattern ps_pattern_of(const char *text, size_t size);

/* Bytes of the caller. No pointer to them is kept after the call. */
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

/* One member of a set of ps_select: a socket, or a file descriptor whose owner may have
   buffered bytes. ps_select gets the descriptor and the buffered bytes of a socket from
   the socket. */
typedef struct ps_watch {
  int fd;            /* negative: never ready */
  char writable;     /* set by ps_select: 0 wait to receive, 1 wait to send */
  char buffered;     /* in recvt: ready without asking the system */
  char ready;        /* set by ps_select */
  ps_socket *socket; /* NULL: fd and buffered count, else ps_select sets them */
} ps_watch;

typedef struct ps_sockets {
  ps_watch *watches;
  size_t count;
} ps_sockets;
typedef ps_sockets ps_readables; /* the set to receive from */
typedef ps_sockets ps_writables; /* the set to send to */

/* A member of a poller: a socket, or a file descriptor that has another owner. */
typedef struct ps_source {
  ps_socket *socket; /* NULL: fd counts */
  int fd;
} ps_source;

typedef const char *ps_events; /* "r" receive, "w" send, "rw" both */
typedef long long ps_most;     /* the greatest number of events; 0: no bound */

/* ---- Results ---- */

/* Each function returns one of these. A comment says when a member after status is valid.
 */

typedef struct ps_done { /* success or failure, without a value */
  ps_status status;
} ps_done;

typedef struct ps_always { /* cannot fail; misuse is possible */
  ps_status status;
} ps_always;

typedef struct ps_nothing { /* cannot fail and has no result; misuse is possible */
  ps_status status;
} ps_nothing;

typedef struct ps_object {
  ps_status status;
  ps_socket *socket; /* on success; the caller owns it: free it with ps_socket_free */
} ps_object;

/* Bytes: on success the result, on failure the partial. They are the head_size bytes at
   head, followed by size bytes at data. If raw > size, the latter are the first raw bytes
   at data without their CRs. ps_bytes_copy joins both. raw == size in the modes
   PS_HOST_VIEW and PS_HOST_LEND. */
typedef struct ps_bytes {
  ps_status status;
  const char *head; /* of the caller's prefix, or NULL */
  size_t head_size;
  const char *data;
  size_t size;
  size_t raw;
  size_t held;               /* bytes that ps_socket_take removes from the read buffer */
  unsigned long long before; /* bytes of the stream that were taken before these */
} ps_bytes;

typedef struct ps_lines { /* the arguments that an iterator passes to ps_socket_next */
  ps_status status;
  ps_pattern pattern;
  ps_maxsize maxsize;
} ps_lines;

typedef struct ps_sent {
  ps_status status;
  long long last; /* index of the last byte sent, on failure too */
} ps_sent;

typedef struct ps_filled {
  ps_status status;
  size_t count; /* bytes in the room, on failure too */
} ps_filled;

typedef struct ps_address {
  ps_status status;
  char ip[64];
  int port;
  const char *family; /* "inet" or "inet6" */
} ps_address;

typedef struct ps_value {
  ps_status status;
  ps_option value; /* PS_NIL for option error: no error is pending */
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

typedef struct ps_ready { /* the members ready of the watches tell which are */
  ps_status status;
} ps_ready;

typedef struct ps_poller ps_poller;

typedef struct ps_pollerobject {
  ps_status status;
  ps_poller *poller; /* on success; the caller owns it: free it with ps_poller_free */
} ps_pollerobject;

typedef struct ps_event { /* a member that is ready */
  void *token;
  ps_events events; /* a constant: the ready events among those it was added for */
} ps_event;

typedef struct ps_polled { /* events is valid until the next call on the poller */
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

/* One answer of the resolver. The caller owns the list and frees it with
   ps_resolved_free. */
typedef struct ps_entry {
  struct ps_entry *next;
  const char *family;  /* "inet" or "inet6" */
  char text[PS_WORDS]; /* an address, or a name */
} ps_entry;

typedef struct ps_resolved { /* one host */
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

/* Copies a result without its dropped CRs to memory of ps_bytes_size bytes. */
PS_API void ps_bytes_copy(const ps_bytes *bytes, char *to);

/* ---- Module ---- */

/* The last parameter of functions that may wait is a host. */

PS_API ps_text ps_version(void); /* "polysock " and PS_VERSION */

/* Creates a master. ps_tcp chooses IPv4 or IPv6 at the first bind or connect; ps_tcp6
   uses IPv6 only. Fails with PS_NOMEMORY, or the system's reason when it cannot create a
   socket. */
PS_API ps_object ps_tcp(void);
PS_API ps_object ps_tcp4(void);
PS_API ps_object ps_tcp6(void);

/* Creates a server that is bound to address and port, with option reuseaddr, and listens.
   Fails as ps_socket_bind and ps_socket_listen do. */
PS_API ps_object ps_bind(ps_name address, ps_port port, ps_backlog backlog,
                         ps_host *host);

/* Creates a client that is connected to address and port, bound to locaddr and locport
   unless locaddr is NULL. family is "inet", "inet6" or "unspec" (NULL). timeout limits
   the whole call, name resolution and all addresses included; the new client has no
   limit. Fails as ps_socket_bind and ps_socket_connect do. */
PS_API ps_object ps_connect(ps_name address, ps_port port, ps_localname locaddr,
                            ps_localport locport, ps_mode family, ps_seconds timeout,
                            ps_host *host);
PS_API ps_object ps_connect4(ps_name address, ps_port port, ps_localname locaddr,
                             ps_localport locport, ps_seconds timeout, ps_host *host);
PS_API ps_object ps_connect6(ps_name address, ps_port port, ps_localname locaddr,
                             ps_localport locport, ps_seconds timeout, ps_host *host);

/* Creates an object for the open file descriptor of a TCP socket, which becomes
   close-on-exec and non-blocking; the object owns it. Fails with PS_BADFAMILY when it is
   no internet socket, or with the system's reason when it is no socket; the caller then
   still owns the descriptor. */
PS_API ps_object ps_fromfd(ps_descriptor fd, ps_kindname kind);

/* Waits until a watch is ready, at most for timeout, and marks the ready ones. A watch
   with buffered bytes is ready, unless a receive has examined them all and failed with
   PS_TIMEOUT. A socket whose connect waits for a name is ready to send when the name is
   resolved. Closed sockets are ignored; closing a member during the wait ends it. Fails
   with PS_TIMEOUT when none is ready, with PS_CLOSED when none is ready because one was
   closed, with PS_NOMEMORY. */
PS_API ps_ready ps_select(ps_readables recvt, ps_writables sendt, ps_seconds timeout,
                          ps_host *host);

/* Waits. After a signal it calls the host's interrupted, then waits for the rest. */
PS_API ps_nothing ps_sleep(ps_duration seconds, ps_host *host);

PS_API ps_seconds ps_gettime(void);  /* seconds since 1970 */
PS_API ps_seconds ps_monotime(void); /* seconds of a monotonic clock */

/* Returns how many file descriptors this process may have open. */
PS_API ps_size ps_setsize(void);

/* Names. Numeric addresses are parsed without the resolver; a helper thread resolves a
   name, so that timeout (of the whole call) and signals end the call. Fail with
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
   by connect. A call on the wrong kind, or on NULL, is misuse. After close, every
   function that needs the socket fails with PS_CLOSED.

   Every function but ps_socket_free may be called from any thread at any time. One thread
   may receive while another sends; a call in a direction that another thread uses waits
   for its turn, within its limits. A call that may not wait (a limit of 0, or a deadline
   that has passed) receives or sends at most PS_AT_HAND bytes, then returns.

   After fork the child may use, close and free its copy of an object. The calls of other
   threads of the parent do not exist in the child; if one of them was receiving, the
   bytes in the read buffer are the parent's, and the child's buffer is empty. */

#define PS_AT_HAND 1048576

/* Closes the object and frees it. NULL is allowed. No call may be under way. */
PS_API void ps_socket_free(ps_socket *self, ps_host *host);

/* Waits for a connection and returns it as a new client, which has no time limits.
   Several threads may accept at the same time. Fails with PS_TIMEOUT, PS_CLOSED, the
   system's reason. */
PS_API ps_object ps_socket_accept(ps_socket *self, ps_host *host);

/* Binds a master to a local address. Port 0 lets the system choose. Fails with PS_INUSE,
   PS_PERMISSION, PS_TIMEOUT and the reasons of the resolver, PS_CLOSED. */
PS_API ps_done ps_socket_bind(ps_socket *self, ps_name address, ps_port port,
                              ps_host *host);
#define ps_socket_setsockname ps_socket_bind

/* Turns a master into a server. Fails with PS_CLOSED, PS_UNDECIDED, PS_BUSY while bind or
   connect is under way, the system's reason. */
PS_API ps_done ps_socket_listen(ps_socket *self, ps_backlog backlog);

/* Turns a master into a client: tries the addresses of the name in the resolver's order.
   After PS_TIMEOUT the attempt goes on; calling connect again with the same address and
   port continues it and returns the outcome. With another target the attempt is dropped
   and a new one begins. Fails with PS_TIMEOUT, PS_CONNECTED, PS_REFUSED and others (the
   object is then a master), the reasons of the resolver, PS_CLOSED. */
PS_API ps_done ps_socket_connect(ps_socket *self, ps_name address, ps_port port,
                                 ps_host *host);
#define ps_socket_setpeername ps_socket_connect

/* Receives according to pattern; the result begins with prefix. maxsize bounds the size
   of the result, prefix included. On failure the partial is prefix and everything that
   this call read; a call with the partial as prefix continues. Fails with PS_TIMEOUT,
   PS_CLOSED, PS_OVERSIZED (a partial of maxsize bytes, or fewer if the line has more than
   65536 CRs and more than maxsize; the rest is still buffered), PS_NOMEMORY, the system's
   reason. */
PS_API ps_bytes ps_socket_receive(ps_socket *self, ps_pattern pattern, ps_prefix prefix,
                                  ps_maxsize maxsize, ps_host *host);

/* Receives the available bytes: at least one, at most max. Waits only when there is none.
 */
PS_API ps_bytes ps_socket_receiveany(ps_socket *self, ps_maxsize max, ps_host *host);

/* Receives up to delimiter, which is consumed but not returned. If prefix ends with the
   beginning of the delimiter, the rest of it completes the delimiter. */
PS_API ps_bytes ps_socket_receiveuntil(ps_socket *self, ps_data delimiter,
                                       ps_prefix prefix, ps_maxsize maxsize,
                                       ps_host *host);

/* Receives until the first nbytes of a room are filled; negative nbytes: all of it. */
PS_API ps_filled ps_socket_receiveinto(ps_socket *self, ps_room buffer, ps_total nbytes,
                                       ps_host *host);

/* Receives one piece for an iterator. At the end of the stream an unterminated rest is a
   success, and the next call returns PS_ENDED. On failure the bytes stay in the read
   buffer, and the partial is empty; a reset connection, and an object that was closed
   locally, fail with PS_CLOSED. */
PS_API ps_bytes ps_socket_next(ps_socket *self, ps_pattern pattern, ps_maxsize maxsize,
                               ps_host *host);

/* Checks the arguments of an iterator over ps_socket_next. A count of 0 is misuse. */
PS_API ps_lines ps_socket_lines(ps_socket *self, ps_pattern pattern, ps_maxsize maxsize);

/* Removes the bytes of a held view from the read buffer. Returns 0 if they are no longer
   there because another call has taken them; a finaliser may make such a call while the
   language copies the view. */
PS_API int ps_socket_take(ps_socket *self, const ps_bytes *view);

/* Sends bytes i to j of data, with indices as in string.sub. Returns the index of the
   last byte that the system accepted, i - 1 for none. Fails with PS_TIMEOUT, PS_CLOSED,
   the system's reason. */
PS_API ps_sent ps_socket_send(ps_socket *self, ps_data data, ps_first i, ps_last j,
                              ps_host *host);

/* Shuts down "both" directions (NULL), "send" or "receive". */
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

/* Sets the deadline by which all later calls end, in seconds from now. After the deadline
   no call waits. */
PS_API ps_always ps_socket_setdeadline(ps_socket *self, ps_moment seconds);
PS_API ps_left ps_socket_getdeadline(const ps_socket *self);

/* Fail with PS_CLOSED, PS_UNDECIDED, PS_NOOPTION, the system's reason. */
PS_API ps_done ps_socket_setoption(ps_socket *self, ps_optionname option,
                                   ps_option value);
PS_API ps_value ps_socket_getoption(ps_socket *self, ps_optionname option);

PS_API ps_yes ps_socket_dirty(const ps_socket *self); /* are bytes in the read buffer? */
PS_API ps_size ps_socket_pending(const ps_socket *self); /* bytes in the read buffer */

/* Returns the direction that the last call that failed with PS_TIMEOUT waits for. */
PS_API ps_wants ps_socket_wants(const ps_socket *self);

PS_API ps_fd ps_socket_getfd(const ps_socket *self);

/* Replaces the file descriptor. Neither the old nor the new one is closed or changed. -1
   leaves the object closed. Calls under way fail with PS_CLOSED, and setfd returns when
   none of them uses the old descriptor any more. The host's interrupted may be called
   meanwhile; a setfd on the object that it makes does nothing and returns PS_BUSY. */
PS_API ps_nothing ps_socket_setfd(ps_socket *self, ps_descriptor fd, ps_host *host);

/* Returns the file descriptor, which the caller then owns, and closes the object. Fails
   with PS_BUFFERED, PS_BUSY (a call is under way), PS_CLOSED, PS_UNDECIDED. */
PS_API ps_detached ps_socket_detach(ps_socket *self);

/* Closes the socket. Calls that wait in other threads fail with PS_CLOSED. With option
   linger the system may wait in close, without any limit of this library. Closing again
   has no effect. */
PS_API ps_always ps_socket_close(ps_socket *self, ps_host *host);

/* Flags from 0 to 255, initially 0. Three of the bits change how the socket behaves; a
   binding may use the others. */
enum {
  /* The limit of one wait counts from the start of the call, as in LuaSocket. */
  PS_MARK_FROM_START = 2,
  /* A receive that fails with PS_TIMEOUT leaves its bytes in the read buffer: the partial
     is empty, and the next receive does not search them again. For event loops, which may
     cancel a call at any moment. */
  PS_MARK_KEEP = 4,
  /* A receive that may not wait only looks at the read buffer, and fails with PS_TIMEOUT
     instead of calling the system. For event loops, which know when a descriptor is
     ready.
   */
  PS_MARK_BUFFERED = 8
};
PS_API int ps_socket_getmark(const ps_socket *self);
PS_API void ps_socket_setmark(ps_socket *self, int mark);

/* ---- Pollers ---- */

/* A poller waits for events on the sources that were added to it. The cost of a wait
   depends on how many are ready, not on how many were added. It is level-triggered: each
   wait reports every source that is ready at that moment. A socket is also ready to
   receive while bytes are in its read buffer, unless a receive has examined them all and
   failed with PS_TIMEOUT. A socket whose connect waits for a name is ready to send once
   the name is resolved, and for nothing before. A failed or ended connection is ready for
   the events that it was added for.

   Only one thread may use a poller at a time, but any thread may call ps_poller_wake. Any
   thread may use, close and free the sockets in it at any time. Every call on NULL is
   misuse, except count and getfd, which return 0 and -1. After ps_poller_close every
   function that needs the poller fails with PS_CLOSED.

   After fork the child may use, close and free its copy. Its first call that needs the
   system creates an event queue for the child and registers the members there; it may
   fail as ps_poller_make does. The child never changes what the parent waits for. */

/* Creates an empty poller. Fails with PS_NOMEMORY, the system's reason. */
PS_API ps_pollerobject ps_poller_make(void);

/* Closes the poller and frees it. NULL is allowed. No call may be under way. */
PS_API void ps_poller_free(ps_poller *self);

/* Registers a source for events, with a token that each event carries. A socket may be in
   one poller at a time. The registration of a socket stays when setfd or connect replaces
   the descriptor, and ends when the socket is closed or detached. A descriptor with
   another owner is identified by its number. If the owner has closed it and the number is
   reused for another file, a new registration replaces the old one, which ends. Events
   other than "r", "w" and "rw" are misuse. Fails with PS_ALREADY, PS_ELSEWHERE, PS_CLOSED
   (the poller, the socket, or fd is negative), PS_UNDECIDED (a socket that has no
   descriptor and waits for no name), PS_NOMEMORY, the system's reason. */
PS_API ps_done ps_poller_add(ps_poller *self, ps_source source, ps_events events,
                             void *token);

/* Changes events and token of a member. Fails with PS_NOTADDED, PS_CLOSED, the system's
   reason; nothing has changed then. */
PS_API ps_done ps_poller_modify(ps_poller *self, ps_source source, ps_events events,
                                void *token);

/* Ends a registration. Fails with PS_NOTADDED, PS_CLOSED. */
PS_API ps_done ps_poller_remove(ps_poller *self, ps_source source);

/* Returns the token of a member. Fails with PS_NOTADDED, PS_CLOSED. */
PS_API ps_token ps_poller_token(ps_poller *self, ps_source source);

/* Makes the next wait report a member as ready to receive, once, if it was added for
   that. For a descriptor whose owner has bytes buffered. Fails with PS_NOTADDED,
   PS_CLOSED. */
PS_API ps_done ps_poller_ready(ps_poller *self, ps_source source);

/* Waits until a member is ready, at most for timeout. Reports at most max members, each
   once; members that are left out are reported before the same ones are reported again.
   Members may be added, modified and removed while the events are read. ps_poller_wake
   ends the wait with success and possibly no event. Fails with PS_TIMEOUT (none is ready
   in time), PS_CLOSED, PS_INTERRUPTED, PS_BUSY (a wait is under way), PS_NOMEMORY, the
   system's reason. */
PS_API ps_polled ps_poller_wait(ps_poller *self, ps_seconds timeout, ps_most max,
                                ps_host *host);

/* Ends the wait of another thread immediately, or the next wait if none is under way. */
PS_API ps_always ps_poller_wake(ps_poller *self);

PS_API ps_size ps_poller_count(const ps_poller *self); /* members */

/* Returns a file descriptor that is readable when ps_poller_wait would return
   immediately, so that another event loop can wait for the poller; -1 when the system has
   none or the poller is closed. It does not become readable when a name is resolved. A
   forked child gets another one. Only wait for it: do not read, write or close it. */
PS_API ps_fd ps_poller_getfd(ps_poller *self);

/* Ends all registrations. Sockets stay open. Closing again has no effect. */
PS_API ps_always ps_poller_close(ps_poller *self);

/* For a binding that must release its tokens. ended takes the token of a registration
   that ended in another way than by ps_poller_remove, and returns 0 when there is none.
   The poller keeps such tokens from the first call of ended on; before, it forgets them.
   each iterates over the tokens of all members: *at is 0 at first, and no other call on
   the poller may come between. It returns 0 after the last. */
PS_API int ps_poller_ended(ps_poller *self, void **token);
PS_API int ps_poller_each(const ps_poller *self, size_t *at, void **token);

#ifdef __cplusplus
}
#endif

#endif
