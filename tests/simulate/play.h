/* SPDX-License-Identifier: MIT */
/* Plays a script: play.c has the hosts, the life of a call and the checks of its limits;
   bytes.c the calls that receive and send, acts.c the others. */

#ifndef PLAY_H
#define PLAY_H

#include "script.h"

enum { HOST_NONE, HOST_VIEW, HOST_LEND, HOST_HOLD, HOST_HOLD_AND_LEND };
enum { TEXT = 1 << 19 };

void play_setup(void); /* once */
void play_body(int fiber);

extern const char *play_text; /* what is sent: TEXT bytes with lines and delimiters */

/* Limits as they are when a call begins. */
typedef struct limits {
  double block, total, deadline;
  int version, mark;
} limits;

/* A number that belongs to an action. */
static inline unsigned play_number(const action *of, unsigned which, unsigned below) {
  uint64_t state = of->number + which * 0x632be59bd9b4e019u;
  return (unsigned)((random_next(&state) >> 32) * below >> 32);
}

ps_host *play_host(const action *of);

/* A call on an object begins and ends; -1: on none, or on several. begin returns 0 when
   there is no such object. */
int play_begin(const char *name, int object, ps_host *host);
void play_end(const action *of, ps_status status);

/* The same for each further object of a call. */
void play_use(int object);
void play_leave(int object);

/* Called around what closes an object or replaces its descriptor. */
void play_disturb(int object);
void play_disturbed(int object);

limits play_limits(const object *of);
void play_check_limits(const limits *limits, const object *of, ps_status status,
                       int named);
void play_check_timeout(double timeout, ps_status status, int named);

/* Checks that a failure has a reason. */
void play_check_status(ps_status status);

int play_free_place(void); /* for a new object; -1: there is none */
void play_fill(int place, ps_socket *socket, int strict);
void play_free(int place, ps_host *host);

/* bytes.c and acts.c */
void play_receive(const action *of);
void play_send(const action *of);
void play_act(const action *of);

#endif
