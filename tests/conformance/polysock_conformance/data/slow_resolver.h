/* SPDX-License-Identifier: MIT */
/* What a program that is linked with the slow resolver can ask of it. */

#ifndef SLOW_RESOLVER_H
#define SLOW_RESOLVER_H

/* The descriptor of the gate from now on. Each byte that can be read there lets one call
   through; its end lets all through. */
void slow_resolver_gate(int fd);

/* How often a name behind the gate was asked for; NULL: all of them together. */
int slow_resolver_calls(const char *host);

#endif
