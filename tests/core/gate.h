/* SPDX-License-Identifier: MIT */
/* For tests of helper threads on the real system: names that are answered when the test
   opens a gate (see slow_resolver.h), and threads that are counted, or refused. Threads
   are counted in /proc, so this is for Linux. Nothing sleeps in order to be on time. */

#ifndef GATE_H
#define GATE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above before it. */
#include <cmocka.h>
#include <errno.h>

#include "os.h"
#include "slow_resolver.h"

void gate_begin(void); /* before the first test */
int gate_setup(void **state);
int gate_teardown(void **state);
#define gate_test(test) cmocka_unit_test_setup_teardown(test, gate_setup, gate_teardown)

/* Lets one call through, or all calls from now on. */
void gate_pass_one(void);
void gate_open(void);
void gate_open_in_child(void); /* it stays as it is for the parent */

/* Calls of the resolver in this test, and threads that the library has now. */
int gate_calls(void);
int gate_helpers(void);
size_t gate_allocated(void); /* bytes, where the C library tells; else 0 */
void gate_wait_for_calls(int wanted);
void gate_wait_for_helpers(int wanted); /* they end when nothing is queued */

/* So many attempts to make a thread fail from now on. */
void gate_refuse_threads(int count);
int gate_refusals(void); /* how many of them are left */

void gate_time_passes(double seconds); /* the time is so much later than it is */
void gate_time_stands_still(void);     /* but for that, until the end of the test */
int gate_looks_at_the_clock(void);

/* ---- Look-ups ---- */

ps__lookup gate_question(const char *host, const char *service);
ps__lookup *gate_start(const char *host);
ps__lookup *gate_start_numbered(int number); /* of a name that differs in a number */
void gate_give_up(const char *host); /* as a call does when a helper takes too long */
int gate_has_answer(const ps__lookup *lookup);
void gate_finish(ps__lookup *lookup); /* waits for the answer and drops it */

/* Threads that ask and collect, or give up, so many times together. */
enum { GATE_ASKERS = 4 };
void gate_start_askers(pthread_t askers[GATE_ASKERS], int rounds);
void gate_end_askers(void); /* before their rounds are over */
void gate_join_askers(const pthread_t askers[GATE_ASKERS]);

#endif
