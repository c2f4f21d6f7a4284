/* SPDX-License-Identifier: MIT */
/* The real system, as the fuzzers of the wrappers see it. Nothing leaves the machine:
   only numeric addresses are resolved, and only loopback is connected to. No call waits:
   time passes when the core would wait, and a wait that nothing would end fails. Faults
   are injected on demand, and what a run leaves open is found. Linked in by --wrap. */

#ifndef WORLD_H
#define WORLD_H

#include <stddef.h>

/* The words of a failed check go before the stack that the fuzzer prints. */
#define CHECK(condition, words) \
  if (!(condition)) world_fail(words)
_Noreturn void world_fail(const char *words);

/* A run. Descriptors that were open before it cannot be closed by the core. At its end no
   socket may be open, unless the program took descriptors out of objects (strays). */
void world_begin(void);
void world_stray(void);
void world_end(void);

/* The n-th allocation of the core fails, and all after it; 0: none does. */
void world_memory(unsigned nth);

/* So many waits are interrupted by a signal; how many were in this run. */
void world_signals(unsigned count);
unsigned world_signalled(void);

#endif
