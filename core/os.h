/* SPDX-License-Identifier: MIT */
/* What the core asks of an operating system: os_posix.c answers it, and
   tests/core/os_sim.c answers it from a script. Functions return 0 or the system's error
   number unless they say otherwise; none waits except poll, sleep and lookup_wait, and
   none restarts after a signal. No other file of the core calls the system. */

#ifndef PS_OS_H
#define PS_OS_H

#include "polysock.h"

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

/* Marks the watches of all sets that are ready, after at most seconds. 0 with none ready:
   the time is over. */
int ps__os_poll(const ps_sockets *sets, size_t count, double seconds);

/* Sockets: close-on-exec, non-blocking, never a SIGPIPE. IPv6 ones speak IPv6 only. */
int ps__os_socket(int family, int *fd);
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
};
int ps__os_setoption(int fd, int option, const ps_option *value);
int ps__os_getoption(int fd, int option, ps_option *value);
int ps__os_hasoption(int option);

/* Which answers of the functions above mean something to the core. */
int ps__os_again(int error);     /* it would have to wait */
int ps__os_signalled(int error); /* a signal came */
short ps__os_code(int error);    /* the PS_ code, PS_SYSTEM for those without one */
int ps__os_notconnected(void);   /* the number for a socket that has no peer */

/* The words of the system for a number, in English whatever the locale. */
const char *ps__os_words(int error, char *buffer, size_t size);

size_t ps__os_setsize(void);
int ps__os_hostname(char *name, size_t size);

/* The resolver. resolve answers in place. start copies the question and asks aside; wait
   returns non-zero when the answer is there; drop ends it, answered or not. */
void ps__os_resolve(ps__lookup *lookup);
int ps__os_lookup_start(const ps__lookup *question, ps__lookup **lookup);
int ps__os_lookup_wait(ps__lookup *lookup, double seconds);
void ps__os_lookup_drop(ps__lookup *lookup);

#endif
