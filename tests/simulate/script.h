/* SPDX-License-Identifier: MIT */
/* A script: what the threads of one world do, made from a seed. An action means the same
   whichever others are left out, so that a failing script can be made shorter. */

#ifndef SCRIPT_H
#define SCRIPT_H

#include "world.h"

#define ACTIONS(ACTION)           \
  ACTION(RECEIVE, "receive")      \
  ACTION(ANY, "receiveany")       \
  ACTION(UNTIL, "receiveuntil")   \
  ACTION(NEXT, "next")            \
  ACTION(INTO, "receiveinto")     \
  ACTION(SEND, "send")            \
  ACTION(SHUTDOWN, "shutdown")    \
  ACTION(CLOSE, "close")          \
  ACTION(FREE, "free")            \
  ACTION(SETFD, "setfd")          \
  ACTION(LIMITS, "settimeout")    \
  ACTION(MARK, "setmark")         \
  ACTION(LOOK, "look")            \
  ACTION(OPTION, "option")        \
  ACTION(ACCEPT, "accept")        \
  ACTION(CONNECT, "connect")      \
  ACTION(BIND, "bind")            \
  ACTION(LISTEN, "listen")        \
  ACTION(MAKE, "make")            \
  ACTION(DIAL, "ps_connect")      \
  ACTION(SERVE, "ps_bind")        \
  ACTION(MEET, "meet")            \
  ACTION(SELECT, "select")        \
  ACTION(ADD, "poller add")       \
  ACTION(MODIFY, "poller modify") \
  ACTION(REMOVE, "poller remove") \
  ACTION(READY, "poller ready")   \
  ACTION(WAIT, "poller wait")     \
  ACTION(WAKE, "poller wake")     \
  ACTION(POLLER, "poller")        \
  ACTION(NAMES, "dns")            \
  ACTION(SLEEP, "sleep")          \
  ACTION(CLONE, "fork")

enum {
#define ACTION(id, name) ACTION_##id,
  ACTIONS(ACTION)
#undef ACTION
      ACTION_COUNT
};

enum { MOST_ACTIONS = 400 };

typedef struct action {
  unsigned char fiber, what, object, poller;
  uint64_t number; /* its other arguments */
} action;

typedef struct script {
  uint64_t seed;
  int mode, players, pairs, returns, sizes, switches;
  unsigned rates[FAULTS];
  action actions[MOST_ACTIONS];
  int count;
} script;

/* What calls have done, over all worlds: how often each action ended with each code. */
typedef struct tally {
  unsigned long long calls[ACTION_COUNT][PS_MISUSED + 1]; /* the last: a misuse */
} tally;

extern const script *played;
extern tally tallied;
extern const char *const action_names[ACTION_COUNT];

void script_make(script *made, uint64_t seed);
void script_print(const script *printed);

#endif
