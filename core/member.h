/* SPDX-License-Identifier: MIT */
/* The members of a poller: a table indexed by descriptor, whose pages are allocated when
   needed. member.c updates it when sockets change, poller.c for callers. The lock of os.h
   protects it; every function here but begin is called with that lock held. */

#ifndef PS_MEMBER_H
#define PS_MEMBER_H

#include "internal.h"

#ifdef __GNUC__
#pragma GCC visibility push(hidden)
#endif

/* One registration. A slot without events is free. */
typedef struct ps__slot {
  ps_socket *socket; /* NULL: a descriptor with another owner */
  void *token;
  int before,
      after; /* neighbours in the list of slots that each wait checks, by descriptor */
  unsigned generation;  /* unique among the registrations of a poller */
  unsigned place;       /* index of its event in the wait under way */
  unsigned char events; /* PS__IN, PS__OUT */
  unsigned char flags;
} ps__slot;

enum {
  PS__ARMED = 1,  /* registered with the queue */
  PS__LISTED = 2, /* in the list that each wait checks */
  PS__HELD = 4,   /* its descriptor is being replaced */
  PS__GIVEN = 8,  /* ps_poller_ready was called: report it once */
};

/* The registration of a socket that has no descriptor while its name is resolved. */
typedef struct ps__nameless {
  struct ps__nameless *next;
  ps__slot slot;
} ps__nameless;

enum { PS__PAGE = 32 }; /* slots */

/* Whose event one is, and what it says so far. */
typedef struct ps__owner {
  unsigned generation;
  unsigned events;
} ps__owner;

struct ps_poller {
  ps__queue *queue; /* NULL: closed */
  unsigned process; /* the process that made the queue */
  unsigned generation;
  unsigned changes; /* number of changes of registrations */
  ps__slot **pages;
  size_t page_count;
  ps__nameless *nameless;
  int first, last; /* of the list of slots that each wait checks; -1: none */
  size_t count;    /* members */
  size_t named;    /* capacity of ended */
  void **ended;    /* tokens of ended registrations; has room for all members */
  size_t ended_count;
  short
      trouble; /* PS_NOMEMORY: updating a registration failed; the next wait reports it */
  char keeps;  /* ended tokens are kept for ps_poller_ended */
  char closed;
  char busy;        /* a wait is under way */
  char waiting;     /* a wait is in the system call */
  char woken;       /* ps_poller_wake was called: end this or the next wait */
  char nested;      /* another loop waits for the descriptor of the queue */
  char stale;       /* the queue reports a former member that cannot be removed from it */
  char turn;        /* counts waits, so that the list and the queue alternate */
  ps_event *events; /* of the last wait */
  ps__owner *owners; /* of each event */
  ps__event *found;  /* events that the queue reported */
  size_t room;       /* capacity of these three arrays */
};

/* Makes a new queue if this is a forked child. Returns 0 or an error number. */
int ps__member_renew(ps_poller *poller);
void ps__member_free_queue(ps_poller *poller);

/* Takes the lock for a call that needs the queue. After a failure it is not taken. */
ps_status ps__member_begin(ps_poller *poller);

ps__slot *ps__member_slot(const ps_poller *poller, int fd); /* NULL: none in use */
ps__slot *ps__member_find(const ps_poller *poller, ps_source source);

/* Registers a source that is not registered. A call has entered its socket. A failure
   changes nothing. */
ps_status ps__member_add(ps_poller *poller, ps_source source, unsigned events,
                         void *token);
int ps__member_modify(ps_poller *poller, ps_source source, unsigned events);

/* Ends a registration and returns its token. */
void *ps__member_remove(ps_poller *poller, ps_source source);
void ps__member_end_all(ps_poller *poller); /* keeps their tokens */

/* Adds a slot to the list or removes it. */
void ps__member_list(ps_poller *poller, int fd);
void ps__member_unlist(ps_poller *poller, int fd);

/* Registers a slot with the queue. Returns 0 or an error number. */
int ps__member_arm(ps_poller *poller, int fd, ps__slot *slot);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
