/* SPDX-License-Identifier: MIT */
/* Functions of the test in the place of the system's, put there by the linker: they fail
   when they are told to, note what they are asked, and see whether all that is taken is
   given back. Only calls that the library makes come here. For Linux. */

#ifndef STAND_IN_H
#define STAND_IN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above before it. */
#include <cmocka.h>
#include <sys/resource.h>

#include "os_parts.h"

enum { AS_EVER = -1 };

typedef struct stand_in {
  /* Told by the test. An error number, 0: success; or AS_EVER. */
  int connect, setsockopt, getrlimit, nanosleep, poll;
  int eventfd, pthread_create, pthread_attr_init;         /* AS_EVER or an error number */
  rlim_t limit;                                           /* what getrlimit says */
  int refused_handlers;                                   /* so many registrations fail */
  void (*before_handlers)(void), (*after_handlers)(void); /* called by the first one */
  int resolver, resolver_error; /* what getaddrinfo returns, and errno */
  struct addrinfo *found;       /* its answer */
  int names, numbers;           /* what getnameinfo returns where it is to find one */

  /* Noted. */
  int handlers;           /* attempts to register some */
  struct timespec slept;  /* what the last sleep was to last */
  int milliseconds;       /* the last poll */
  socklen_t address_size; /* of the last address to connect to */
  int options;            /* that were set */
  socklen_t option_size;  /* of the last one */
  int detached, signals_blocked;
  size_t stack;          /* of the last thread */
  struct addrinfo asked; /* of getaddrinfo; its pointers mean nothing */
  const char *asked_service;
  int name_flags;
} stand_in;

extern stand_in system_is;

/* As ever, and nothing is noted. */
void stand_in_reset(void);

/* How many things the library has now: blocks of memory, attributes of threads, answers
   of the resolver. */
int stand_in_held(void);

/* How often it closed what was not open. */
int stand_in_faults(void);

/* The allocation of that number fails, from 1 for the next one; 0: none. */
void stand_in_memory_ends(int number);
int stand_in_memory_ended(void); /* whether it has failed */

#endif
