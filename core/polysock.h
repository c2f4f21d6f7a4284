/* SPDX-License-Identifier: MIT */
/* polysock: TCP as LuaSocket means it, for C and for the languages that bind to it.

   This is the only public header, and it is meant to be read from top to bottom: the
   conventions, the values that go in, the results that come out, then the functions.
   Nothing here prints, exits, keeps global state, raises a signal or jumps; every
   function returns one of the result kinds below, by value. */

#ifndef POLYSOCK_H
#define POLYSOCK_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/* The one place where the version stands; the build and the packages read it here. */
#define PS_VERSION "0.1.0"

/* ---- Status
   ----------------------------------------------------------------------------

   A status tells how a call ended. Failure is what the world did (a timeout, a closed
   peer, no memory) and is an ordinary answer. Misuse is what the caller did (the wrong
   kind of object, a value out of range): nothing was done, and a binding raises it. */

enum {
  PS_OK = 0,
#define PS_FAILURE(code, words) PS_##code,
#define PS_MISUSE(code, words)
#include "errors.def"
#undef PS_FAILURE
  PS_SYSTEM,      /* any other error number of the system; the words are the system's */
  PS_INTERRUPTED, /* the host stopped the call; it knows why */
  PS_MISUSED = 1000,
#define PS_FAILURE(code, words)
#undef PS_MISUSE
#define PS_MISUSE(code, words) PS_MISUSE_##code,
#include "errors.def"
#undef PS_FAILURE
#undef PS_MISUSE
};

/* Is it the type of an argument that is wrong, and not its value? */
#define PS_MISUSE_IS_TYPE(code) ((code) > PS_MISUSED && (code) < PS_MISUSE_NULBYTE)

typedef struct ps_status {
  short code;     /* PS_OK, or one of the codes above */
  short argument; /* misuse: the number of the argument, from 1; 0 for the object */
  int system;     /* failure: the system's error number behind it, or 0 */
  const char
      *detail; /* misuse: fills the %s of the words; lives as long as the arguments */
} ps_status;

/* Size of a buffer that holds any text of ps_status_words or ps_status_misuse. */
#define PS_WORDS 256

/* Does: writes the words of a failure, or those of a misuse without its place, to buffer.
   Returns: buffer, or a constant string. Never fails: PS_OK has the words "". */
const char *ps_status_words(ps_status status, char buffer[PS_WORDS]);

/* Does: writes the whole sentence of a misuse, which names function and argument, as in
   "bad argument #2 to 'bind' (port: 0 to 65535 expected)".
   Returns: buffer. */
const char *ps_status_misuse(ps_status status, const char *function,
                             char buffer[PS_WORDS]);

/* ---- Host
   ------------------------------------------------------------------------------

   What a language runtime lends to one call. Every member may be NULL, and so may the
   host itself: then waits simply block, signals only restart them, and results are views.
   A binding puts a ps_host at the head of a struct of its own. */

typedef struct ps_host ps_host;
struct ps_host {
  /* Called before the call may wait or copy much, and after; always in pairs. */
  void (*leave)(ps_host *host);
  void (*enter)(ps_host *host);

  /* Asked when a signal ended a wait, and between two reads or sends of one call.
     Non-zero stops the call with PS_INTERRUPTED; what was read by then stays in the read
     buffer, if there is memory. Must return. */
  int (*interrupted)(ps_host *host);

  /* Gives memory for the bytes of a result: size bytes that begin with what the memory
     held before, or NULL, and then the old memory is still good. Large reads go straight
     there, and the result is in it. All other results are copied there, too, unless the
     host holds. Without it, a result points into the read buffer and into the caller's
     prefix. */
  void *(*grow)(ps_host *host, size_t size);

  /* Non-zero: bytes of a view stay in the read buffer until ps_socket_take, so that
     nothing is lost when the language fails to make its own copy; a failure leaves a
     view, if there is memory for its bytes in the read buffer. Zero: they count as taken
     at once, and stay valid until the next call on the object. */
  int hold;

  /* Non-zero: calls on one object overlap only between leave and enter, as under the
     global lock of a language or in a program of one thread. A call then enters and
     leaves without the processor's locked instructions, and with hold a line or a count
     that is in the read buffer is given without entering at all. */
  int alone;
};

/* ---- Arguments
   -------------------------------------------------------------------------

   Plain values whose type says what they mean, so that a binding maps each once. */

typedef struct ps_socket ps_socket;

typedef const char *ps_name; /* a host: address or name, "*" for all interfaces in bind */
typedef const char *ps_localname;   /* the same, or NULL */
typedef const char *ps_servicename; /* a service: digits or a name, or NULL */
typedef const char *ps_mode;        /* a word that chooses; NULL for the default */
typedef double ps_duration;         /* seconds; negative is none */
typedef double ps_seconds;          /* negative: for ever */
typedef double ps_moment;           /* seconds from now; infinity: never */
typedef double ps_age;              /* seconds; NaN: leave as it is */
typedef long long ps_total;         /* bytes; negative: leave as it is */
typedef long long ps_first;         /* index of a byte as in string.sub, 1 is the first */
typedef long long ps_last;          /* index of a byte as in string.sub, -1 is the last */
typedef long long ps_backlog;       /* connections that may wait for accept */
typedef long long ps_descriptor;    /* of a socket; -1 is none */
typedef size_t ps_maxsize;          /* bytes; 0: no bound */

typedef struct ps_port {
  const char *service; /* digits or a service name; NULL: number counts */
  long long number;
} ps_port;
typedef ps_port ps_localport; /* the same; may be absent, which is 0 */

typedef struct ps_pattern {
  char kind; /* 'l' line, 'L' line with its end, 'a' all, 'n' count; others are misuse */
  long long count;
} ps_pattern;

#define PS_LINE ((ps_pattern){'l', 0})
#define PS_LINE_WITH_END ((ps_pattern){'L', 0})
#define PS_ALL ((ps_pattern){'a', 0})
#define PS_COUNT(n) ((ps_pattern){'n', (long long)(n)})

/* Returns: the pattern that a text means ("*l", "l", "*L", "L", "*a", "a"); a misuse
   pattern for any other text. As in LuaSocket, only the letter behind a star counts
   ("*line"). */
ps_pattern ps_pattern_of(const char *text, size_t size);

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

/* One thing to wait for: a socket or a bare descriptor that is to become readable or
   writable. A socket brings its descriptor and what it has buffered; a bare descriptor
   may have bytes buffered elsewhere. */
typedef struct ps_watch {
  int fd;            /* negative: never ready */
  char writable;     /* wanted: 0 readable, 1 writable */
  char buffered;     /* in recvt: ready whatever the descriptor says */
  char ready;        /* set by ps_select */
  ps_socket *socket; /* NULL: fd and buffered count, else ps_select sets them */
} ps_watch;

typedef struct ps_sockets {
  ps_watch *watches;
  size_t count;
} ps_sockets;

/* ---- Results
   ---------------------------------------------------------------------------

   Each function returns one of these. The members behind status count as each says. */

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

typedef struct ps_bytes { /* on success the result, on failure the partial */
  ps_status status;
  const char *head; /* the first bytes: of the caller's prefix, or NULL */
  size_t head_size;
  const char *data; /* the bytes after those */
  size_t size;
  size_t held; /* bytes of the read buffer that ps_socket_take is to take out */
  unsigned long long before; /* bytes that were taken before these */
} ps_bytes;

typedef struct ps_lines { /* an iterator is to call ps_socket_next with the pattern */
  ps_status status;
  ps_pattern pattern;
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

typedef struct ps_hostname {
  ps_status status;
  char text[PS_WORDS];
} ps_hostname;

/* What the resolver knows. The list is the caller's, to be freed with ps_resolved_free.
 */
typedef struct ps_entry {
  struct ps_entry *next;
  const char *family; /* "inet" or "inet6" */
  char text[];        /* an address, or a name */
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

/* ---- Module
   ----------------------------------------------------------------------------

   Functions that wait take a host last. */

ps_text ps_version(void); /* Returns: "polysock " and PS_VERSION */

/* Does: makes a master. ps_tcp chooses IPv4 or IPv6 at the first bind or connect; ps_tcp6
   speaks IPv6 only.
   Fails: PS_NOMEMORY; the system's reason when it has no socket to give. */
ps_object ps_tcp(void);
ps_object ps_tcp4(void);
ps_object ps_tcp6(void);

/* Does: makes a server that is bound to address and port, with reuseaddr set, and
   listens. Fails: as ps_socket_bind and ps_socket_listen. */
ps_object ps_bind(ps_name address, ps_port port, ps_backlog backlog, ps_host *host);

/* Does: makes a client that is connected to address and port, from locaddr and locport
   unless locaddr is NULL. family is "inet", "inet6" or "unspec" (NULL). Fails: as
   ps_socket_bind and ps_socket_connect. */
ps_object ps_connect(ps_name address, ps_port port, ps_localname locaddr,
                     ps_localport locport, ps_mode family, ps_host *host);
ps_object ps_connect4(ps_name address, ps_port port, ps_localname locaddr,
                      ps_localport locport, ps_host *host);
ps_object ps_connect6(ps_name address, ps_port port, ps_localname locaddr,
                      ps_localport locport, ps_host *host);

/* Does: adopts the descriptor of a TCP socket as kind "master", "client" or "server", and
   makes it close-on-exec and non-blocking. Fails: PS_BADFAMILY when it is no internet
   socket; the system's reason when it is none at all. The descriptor stays the caller's
   then. */
ps_object ps_fromfd(ps_descriptor fd, ps_mode kind);

/* Does: waits until a watch is ready, or for timeout, and marks the ready ones. A
   buffered watch makes it look without waiting. Closed sockets are ignored; one with a
   descriptor that is closed meanwhile ends the wait. Fails: PS_TIMEOUT when none is
   ready; PS_CLOSED when none is since one was closed; PS_NOMEMORY. */
ps_ready ps_select(ps_sockets recvt, ps_sockets sendt, ps_seconds timeout, ps_host *host);

/* Does: waits. Signals get their turn; the rest of the time is then waited. */
ps_nothing ps_sleep(ps_duration seconds, ps_host *host);

ps_seconds ps_gettime(void);  /* Returns: seconds since 1970 */
ps_seconds ps_monotime(void); /* Returns: seconds of a clock that is never set */

/* Returns: how many descriptors this process may have. */
ps_size ps_setsize(void);

/* Names. The resolver runs aside, so the host's signals are heard; numeric addresses are
   read in place. Fails: PS_NONAME, PS_AGAIN, PS_FAIL, PS_NOMEMORY, the system's reason.
 */
ps_hostname ps_dns_gethostname(void);
ps_resolved ps_dns_toip(ps_name address, ps_host *host);
ps_resolved ps_dns_tohostname(ps_name address, ps_host *host);
ps_addresses ps_dns_getaddrinfo(ps_name address, ps_host *host);
ps_names ps_dns_getnameinfo(ps_localname address, ps_servicename service, ps_host *host);
void ps_resolved_free(ps_entry *entries);

/* ---- Sockets
   ---------------------------------------------------------------------------

   One object changes its kind in place: master, then server by listen or client by
   connect. A call on the wrong kind is misuse. After close, whatever needs the socket
   fails with PS_CLOSED. One thread may receive while another sends; a thread that comes
   to a direction in use waits for its turn. Results that are views need one thread per
   direction. */

/* Does: closes the object and frees it. NULL is fine. No call may be under way. */
void ps_socket_free(ps_socket *self, ps_host *host);

/* Does: waits for a connection. Threads may do so together.
   Returns: a client. It has no limits of time, whatever those of the server are.
   Fails: PS_TIMEOUT, PS_CLOSED, the system's reason. */
ps_object ps_socket_accept(ps_socket *self, ps_host *host);

/* Does: gives a master its local address. Port 0 lets the system choose.
   Fails: PS_INUSE, PS_PERMISSION, PS_TIMEOUT and the reasons of the resolver, PS_CLOSED.
 */
ps_done ps_socket_bind(ps_socket *self, ps_name address, ps_port port, ps_host *host);
#define ps_socket_setsockname ps_socket_bind

/* Does: makes a master a server.
   Fails: PS_CLOSED, PS_UNDECIDED, the system's reason. */
ps_done ps_socket_listen(ps_socket *self, ps_backlog backlog);

/* Does: makes a master a client, trying the addresses of the name in the resolver's
   order. A client whose connect timed out asks for the outcome by calling it again.
   Fails: PS_TIMEOUT (a client now, under way), PS_CONNECTED, PS_REFUSED and others (a
   master still), the reasons of the resolver, PS_CLOSED. */
ps_done ps_socket_connect(ps_socket *self, ps_name address, ps_port port, ps_host *host);
#define ps_socket_setpeername ps_socket_connect

/* Does: reads what pattern says, behind prefix. maxsize bounds the result, prefix
   included. Returns: the bytes; on failure all that this call read and the prefix, so
   that a call with that as its prefix continues. Fails: PS_TIMEOUT, PS_CLOSED,
   PS_OVERSIZED (a partial of maxsize bytes, the rest is still buffered), PS_NOMEMORY, the
   system's reason. Lifetime: see ps_host. */
ps_bytes ps_socket_receive(ps_socket *self, ps_pattern pattern, ps_prefix prefix,
                           ps_maxsize maxsize, ps_host *host);

/* Does: reads what is there, at least one byte, at most max; waits only when nothing is.
 */
ps_bytes ps_socket_receiveany(ps_socket *self, ps_maxsize max, ps_host *host);

/* Does: reads up to delimiter, which is consumed and not returned. A prefix that ends in
   a part of the delimiter counts. */
ps_bytes ps_socket_receiveuntil(ps_socket *self, ps_data delimiter, ps_prefix prefix,
                                ps_maxsize maxsize, ps_host *host);

/* Does: fills the first nbytes of a room; negative nbytes: all of it. */
ps_filled ps_socket_receiveinto(ps_socket *self, ps_room buffer, ps_total nbytes,
                                ps_host *host);

/* Does: reads as receive, for an iterator. At the end of the stream an unterminated rest
   is a success, and the call after it fails with PS_CLOSED. On any failure the bytes read
   stay in the read buffer, and the partial is empty. */
ps_bytes ps_socket_next(ps_socket *self, ps_pattern pattern, ps_host *host);

/* Does: checks what an iterator over ps_socket_next needs. A count of 0 is misuse. */
ps_lines ps_socket_lines(ps_socket *self, ps_pattern pattern);

/* Does: takes the bytes of a held view out of the read buffer.
   Returns: 0 if they are gone: another call was made meanwhile, as a finaliser may do
   while the language copies the view, and has them. */
int ps_socket_take(ps_socket *self, const ps_bytes *view);

/* Does: sends bytes i to j of data, counted as string.sub counts.
   Returns: the index of the last byte that the system accepted, i - 1 for none.
   Fails: PS_TIMEOUT, PS_CLOSED, the system's reason. */
ps_sent ps_socket_send(ps_socket *self, ps_data data, ps_first i, ps_last j,
                       ps_host *host);

/* Does: shuts "both" (NULL), "send" or "receive" down. */
ps_always ps_socket_shutdown(ps_socket *self, ps_mode mode);

/* Fails: PS_CLOSED, PS_UNDECIDED, the system's reason. */
ps_address ps_socket_getpeername(ps_socket *self);
ps_address ps_socket_getsockname(ps_socket *self);

ps_text ps_socket_getfamily(const ps_socket *self); /* "inet4" or "inet6" */
ps_text ps_socket_getkind(const ps_socket *self);   /* "master", "client" or "server" */
ps_text ps_socket_tostring(const ps_socket *self);  /* "tcp{master}: 0x..." */

ps_stats ps_socket_getstats(const ps_socket *self);
ps_always ps_socket_setstats(ps_socket *self, ps_total received, ps_total sent,
                             ps_age age);

/* Does: limits one wait (mode "b" or NULL) or the whole call (mode "t"). Negative: no
   limit; zero: never wait. */
ps_always ps_socket_settimeout(ps_socket *self, ps_seconds value, ps_mode mode);
ps_limits ps_socket_gettimeout(const ps_socket *self);

/* Does: sets the point in time by which all later calls end together. A point that has
   passed lets no call wait. */
ps_always ps_socket_setdeadline(ps_socket *self, ps_moment seconds);
ps_left ps_socket_getdeadline(const ps_socket *self);

/* Fails: PS_CLOSED, PS_UNDECIDED, PS_NOOPTION, the system's reason. */
ps_done ps_socket_setoption(ps_socket *self, ps_name option, ps_option value);
ps_value ps_socket_getoption(ps_socket *self, ps_name option);

ps_yes ps_socket_dirty(const ps_socket *self);    /* are bytes in the read buffer? */
ps_size ps_socket_pending(const ps_socket *self); /* how many? */

ps_fd ps_socket_getfd(const ps_socket *self);

/* Does: replaces the descriptor, and closes neither. -1 leaves the object closed. */
ps_nothing ps_socket_setfd(ps_socket *self, ps_descriptor fd);

/* Does: gives the descriptor away; the object is closed then.
   Fails: PS_BUFFERED, PS_BUSY, PS_CLOSED, PS_UNDECIDED. */
ps_detached ps_socket_detach(ps_socket *self);

/* Does: closes the socket, and wakes other threads that wait on it: they fail with
   PS_CLOSED. With option linger the system may wait, and nothing limits that. Closing
   again is fine. */
ps_always ps_socket_close(ps_socket *self, ps_host *host);

/* A number from 0 to 255 that the core only keeps, for a binding's own use; 0 at first.
 */
int ps_socket_getmark(const ps_socket *self);
void ps_socket_setmark(ps_socket *self, int mark);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
