/* SPDX-License-Identifier: MIT */
/* Threads of control that are switched by hand, so that one thread of the system runs all
   of them, in an order that only the scheduler of the simulation decides. A switch costs
   some nanoseconds; that of ucontext.h makes two system calls. */

#ifndef FIBER_H
#define FIBER_H

#include <stddef.h>

/* Where a thread of control can be continued. */
typedef struct fiber_context {
  void *pointer;     /* of its stack, while it does not run */
  const void *stack; /* of AddressSanitizer, and the next two */
  size_t size;
  void *fake;
} fiber_context;

/* Returns a stack, which is there until the program ends. */
void *fiber_stack(size_t size);

/* Makes a context that will run on a stack. What was there before is gone. run must not
   return. */
void fiber_prepare(fiber_context *made, void *stack, size_t size, void (*run)(void));

/* Stops the one that runs and continues another. gone: the former never continues. */
void fiber_switch(fiber_context *from, fiber_context *to, int gone);

/* Each new context calls this first. */
void fiber_begin(fiber_context *self, fiber_context *from);

#endif
