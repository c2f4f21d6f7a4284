/* SPDX-License-Identifier: MIT */
/* See script.h. */

#include "script.h"

const char *const action_names[ACTION_COUNT] = {
#define ACTION(id, name) name,
    ACTIONS(ACTION)
#undef ACTION
};

static unsigned below(uint64_t *random, unsigned of) {
  return (unsigned)((random_next(random) >> 32) * of >> 32);
}

/* How often each action comes. */
static const unsigned char weights[ACTION_COUNT] = {
    [ACTION_RECEIVE] = 40, [ACTION_ANY] = 12,    [ACTION_UNTIL] = 14,
    [ACTION_NEXT] = 16,    [ACTION_INTO] = 10,   [ACTION_SEND] = 70,
    [ACTION_SHUTDOWN] = 2, [ACTION_CLOSE] = 2,   [ACTION_FREE] = 4,
    [ACTION_SETFD] = 5,    [ACTION_LIMITS] = 14, [ACTION_MARK] = 5,
    [ACTION_LOOK] = 12,    [ACTION_OPTION] = 4,  [ACTION_ACCEPT] = 10,
    [ACTION_CONNECT] = 10, [ACTION_BIND] = 4,    [ACTION_LISTEN] = 3,
    [ACTION_MAKE] = 6,     [ACTION_DIAL] = 6,    [ACTION_SERVE] = 3,
    [ACTION_SELECT] = 10,  [ACTION_ADD] = 10,    [ACTION_MODIFY] = 4,
    [ACTION_REMOVE] = 4,   [ACTION_READY] = 3,   [ACTION_WAIT] = 12,
    [ACTION_WAKE] = 3,     [ACTION_POLLER] = 3,  [ACTION_NAMES] = 5,
    [ACTION_SLEEP] = 3,    [ACTION_CLONE] = 1,   [ACTION_MEET] = 12};

static int choose_action(uint64_t *random) {
  unsigned total = 0;
  for (int i = 0; i < ACTION_COUNT; i++) total += weights[i];
  unsigned at = below(random, total);
  int found = 0;
  for (; at >= weights[found]; found++) at -= weights[found];
  return found;
}

static void choose_faults(script *made, uint64_t *random) {
  static const unsigned rates[] = {0, 0, 0, 100, 1500, 9000};
  for (int i = 0; i < FAULTS; i++) made->rates[i] = rates[below(random, 6)];
  if (below(random, 16) == 0) made->rates[FAULT_EAGAIN] = 50000; /* a storm */
  made->rates[FAULT_ENOMEM] /= 4;
  made->rates[FAULT_RESET] /= 32;
  made->rates[FAULT_STALL] /= 32;
  made->rates[FAULT_FORK] /= 4;
}

void script_make(script *made, uint64_t seed) {
  uint64_t random = seed * 0x2545f4914f6cdd1du + 7;
  static const unsigned char modes[] = {MODE_FREE,   MODE_FREE,   MODE_FREE, MODE_LOCKED,
                                        MODE_LOCKED, MODE_LOCKED, MODE_ALONE};
  made->seed = seed;
  made->mode = modes[below(&random, 7)];
  made->players = made->mode == MODE_ALONE ? 1 : 2 + (int)below(&random, FIBERS - 2);
  made->pairs = 1 + (int)below(&random, 2);
  made->returns = made->mode == MODE_ALONE || below(&random, 2) == 0;
  made->sizes = (int)below(&random, 8) == 0 ? 2 : (int)below(&random, 2);
  made->switches = 1 << below(&random, 6);
  choose_faults(made, &random);
  made->count = 30 + (int)below(&random, made->sizes == 2 ? 60 : MOST_ACTIONS - 30);
  /* Some scripts are mostly about the connections that are there from the start. */
  unsigned narrow = below(&random, 2);
  for (int i = 0; i < made->count; i++) {
    action *one = &made->actions[i];
    one->fiber = (unsigned char)below(&random, (unsigned)made->players);
    one->what = (unsigned char)choose_action(&random);
    unsigned objects = narrow ? 1 + 2 * (unsigned)made->pairs : OBJECTS;
    one->object = (unsigned char)below(&random, objects);
    if (one->what <= ACTION_SEND && below(&random, 4) != 0)
      one->object = (unsigned char)(1 + below(&random, 2 * (unsigned)made->pairs));
    /* Without the server no new connections come. */
    int ends = one->what == ACTION_CLOSE || one->what == ACTION_FREE ||
               one->what == ACTION_SETFD;
    if (ends && one->object == 0 && below(&random, 4) != 0) one->what = ACTION_ACCEPT;
    one->poller = (unsigned char)below(&random, POLLERS);
    one->number = random_next(&random);
  }
}

void script_print(const script *printed) {
  static const char *const modes[] = {"free", "locked", "alone"};
  static const char *const faults[] = {
#define FAULT(id, name) name,
      WORLD_FAULTS(FAULT)
#undef FAULT
  };
  printf("hosts: %s; threads: %d; a switch every %d steps; faults:", modes[printed->mode],
         printed->players, printed->switches);
  for (int i = 0; i < FAULTS; i++)
    if (printed->rates[i] > 0) printf(" %s", faults[i]);
  printf("\n");
  for (int i = 0; i < printed->count; i++) {
    const action *one = &printed->actions[i];
    printf("  thread %d: %-13s object %2d", one->fiber, action_names[one->what],
           one->object);
    if (one->what >= ACTION_SELECT && one->what <= ACTION_POLLER)
      printf(" poller %d", one->poller);
    printf(" number %016llx\n", (unsigned long long)one->number);
  }
}
