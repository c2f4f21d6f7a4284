/* SPDX-License-Identifier: MIT */
/* The members of a poller: a table by descriptor, in pages that come when a descriptor of
   theirs does. member.c keeps it up to date when sockets change, poller.c for callers.
   The lock of os.h guards all of it, and every function here but begin is called with
   that lock held. */

#ifndef PS_MEMBER_H
#define PS_MEMBER_H

#include "internal.h"

/* One registration. A slot without events is free. */
typedef struct ps__slot {
  ps_socket *socket; /* NULL: the descriptor of somebody else */
  void *token;
  int before, after;    /* in the list of those that are looked at, by descriptor */
  unsigned generation;  /* no two registrations of a queue have the same */
  unsigned place;       /* of its event among those of the wait that is under way */
  unsigned char events; /* PS__IN, PS__OUT */
  unsigned char flags;
} ps__slot;

enum {
  PS__ARMED = 1,  /* the queue watches it */
  PS__LISTED = 2, /* each wait looks at it */
  PS__HELD = 4,   /* its descriptor changes right now */
  PS__GIVEN = 8,  /* ps_poller_ready: report it once */
};

/* The registration of a socket that has no descriptor while its name is resolved. */
typedef struct ps__nameless {
  struct ps__nameless *next;
  ps__slot slot;
} ps__nameless;

enum { PS__PAGE = 32 }; /* slots */

struct ps_poller {
  ps__queue *queue; /* NULL: closed */
  unsigned process; /* whose the queue is */
  unsigned generation;
  unsigned changes; /* how often a registration changed */
  ps__slot **pages;
  size_t page_count;
  ps__nameless *nameless;
  int first, last; /* of the list of those that are looked at; -1: none */
  size_t count;    /* members */
  size_t named;    /* the room that ended has got */
  void **ended;    /* tokens of registrations that ended; room for those of all members */
  size_t ended_count;
  short trouble; /* PS_NOMEMORY: a socket could not be followed. For the next wait */
  char keeps;    /* ended tokens wait for ps_poller_ended */
  char closed;
  char busy;         /* a wait is under way */
  char waiting;      /* ... and in the system */
  char woken;        /* the next wait, or this one, ends */
  char nested;       /* somebody waits for the descriptor of the queue */
  char stale;        /* the queue reports what is no member, and cannot be told to stop */
  char turn;         /* who comes first in a wait that cannot report all */
  ps_event *events;  /* of the last wait */
  ps__event *owners; /* whose event each is */
  ps__event *found;  /* what the queue says */
  size_t room;       /* of these three */
};

/* Sees to it that the queue is this process's. 0 or an error number. */
int ps__member_renew(ps_poller *poller);
void ps__member_free_queue(ps_poller *poller);

/* Takes the lock for a call that needs the queue. Without success it is not taken. */
ps_status ps__member_begin(ps_poller *poller);

ps__slot *ps__member_slot(const ps_poller *poller, int fd); /* NULL: none in use */
ps__slot *ps__member_find(const ps_poller *poller, ps_source source);

/* Registers a source that has none, with a socket that is entered. A failure leaves
   nothing. */
ps_status ps__member_add(ps_poller *poller, ps_source source, unsigned events,
                         void *token);
int ps__member_modify(ps_poller *poller, ps_source source, unsigned events);

/* Ends a registration. The token is returned, and kept or forgotten by the caller. */
void *ps__member_remove(ps_poller *poller, ps_source source);
void ps__member_end_all(ps_poller *poller); /* and keeps their tokens */

/* Puts a slot in use into the list, or out of it. */
void ps__member_list(ps_poller *poller, int fd);
void ps__member_unlist(ps_poller *poller, int fd);

/* Watches a slot that is not watched. 0 or an error number. */
int ps__member_arm(ps_poller *poller, int fd, ps__slot *slot);

/* Are bytes buffered? */
int ps__member_has_bytes(const ps_socket *socket);

#endif
