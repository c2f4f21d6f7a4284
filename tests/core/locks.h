/* SPDX-License-Identifier: MIT */
/* Looks at the locks that the library takes, in the place of the system's functions,
   where the linker puts this: a thread that gives up a lock which it has not taken ends
   the program. Locks that nothing else would miss are missed here. For Linux. */

#ifndef LOCKS_H
#define LOCKS_H

int locks_taken(void); /* how often, up to now */

#endif
