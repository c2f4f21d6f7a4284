/* SPDX-License-Identifier: MIT */
/* For tests of what another thread finds in the middle of a call: a thread makes the call
   and is stopped by the debugger's interface (ptrace) before machine instructions of
   this program, and the main thread does something there. For Linux on x86 and aarch64;
   elsewhere, and where tracing is not allowed, the reason is given. */

#ifndef STEPS_H
#define STEPS_H

typedef struct steps_case {
  const char *name;
  void (*prepare)(void);   /* in the main thread, before the call */
  void (*call)(void);      /* in the other thread */
  int (*at)(int moment);   /* in the main thread, while the other one is stopped before
                              an instruction, or waits; 0: as it should be, or a line */
  void (*feed)(int stage); /* in the main thread, when the other one waits; from 0 on */
  int (*after)(void);      /* in the main thread, after the call; as `at` */
} steps_case;

typedef struct steps_result {
  int moments;           /* how often `at` ran */
  int waits;             /* how often the call waited */
  int line;              /* of what was wrong; 0: nothing */
  int moment;            /* where that was */
  unsigned long address; /* of the instruction, from the beginning of the program */
  const char *obstacle;  /* why nothing can be stepped here, or NULL */
} steps_result;

/* `at` calls this in the parent as soon as it has forked: a fork may have to wait until
   the other thread has left a lock, and that thread goes on until then. */
void steps_forked(void);

/* Runs a case in a process of its own. every: only one in so many instructions counts. */
steps_result steps_run(const steps_case *it, int every);

/* The same as a test of cmocka, which is skipped where nothing can be stepped, and fails
   if something was wrong. Returns how many moments there were. */
int steps_test(const steps_case *it, int every);

#endif
