/* SPDX-License-Identifier: MIT */
/* For tests in which several threads make every call of polysock.h at once, on the real
   system: hosts of all modes, and what disturbs a connection without changing what comes
   through it. */

#ifndef STORM_H
#define STORM_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants some of the above before it. */
#include <cmocka.h>

#include "polysock.h"

/* A failure in a thread of its own must not jump. */
#define storm_must(condition)                                                  \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: %s is wrong\n", __FILE__, __LINE__, #condition); \
      abort();                                                                 \
    }                                                                          \
  } while (0)

/* Numbers from 0 that are less than of. */
unsigned storm_chance(unsigned *state, unsigned of);

int storm_descriptors(void); /* how many are open */

typedef struct storm_lender {
  ps_host host;
  char *memory;
  unsigned random, stops; /* interrupted says stop once in so many times; 0: never */
  void (*within)(void *context); /* what interrupted does now and then, or NULL */
  void *context;
} storm_lender;

enum {
  STORM_PLAIN, /* no host */
  STORM_VIEW,
  STORM_LEND,
  STORM_HOLD,
  STORM_HOLD_AND_LEND,
  STORM_MODES
};
ps_host *storm_host(storm_lender *self, int mode, unsigned seed);

/* Threads that hold run one at a time, except between leave and enter. */
void storm_go_in(int mode);
void storm_go_out(int mode);

/* Returns the bytes of a result as the language takes them, and a NUL, or NULL when
   another call has them. */
char *storm_take(ps_socket *socket, const ps_bytes *got);

/* What changes nothing that a stream through the socket would notice: limits, questions,
   options, select, detach and setfd. */
void storm_disturb(ps_socket *socket, unsigned *random, ps_host *host);

/* What a signal handler may do, for `within`. */
void storm_look(void *socket);

#endif
