/* SPDX-License-Identifier: MIT */
/* A resolver that is as slow as a test wants: linked before the C library, or loaded by
   LD_PRELOAD. Its getaddrinfo hangs for ever for "hang.test". Names that end in
   ".gate.test" wait until they are let through (see slow_resolver.h), and are 10.0.0.1.
   All other names are the usual resolver's. It must never be part of anything but tests.
 */

#define _GNU_SOURCE /* RTLD_NEXT */
#include "slow_resolver.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int resolver(const char *host, const char *service, const struct addrinfo *hints,
                     struct addrinfo **found);

/* No lock: a child that was forked in the middle of a call could not take it. */
enum { CALLS = 1024, LONGEST = 64 };
static struct {
  char host[LONGEST];
  atomic_int written;
} calls[CALLS];
static atomic_int count;
static atomic_int gate = -1;

void slow_resolver_gate(int fd) { atomic_store(&gate, fd); }

int slow_resolver_calls(const char *host) {
  int found = 0;
  for (int i = 0; i < atomic_load(&count); i++)
    found += host == NULL ||
             (atomic_load(&calls[i].written) && strcmp(calls[i].host, host) == 0);
  return found;
}

static int is_behind_the_gate(const char *host) {
  static const char end[] = ".gate.test";
  size_t size = strlen(host);
  return size >= sizeof end && strcmp(host + size - (sizeof end - 1), end) == 0;
}

static void wait_at_the_gate(const char *host) {
  int at = atomic_fetch_add(&count, 1);
  if (at >= CALLS) abort();
  strncpy(calls[at].host, host, LONGEST - 1);
  atomic_store(&calls[at].written, 1);
  char byte;
  while (read(atomic_load(&gate), &byte, 1) < 0)
    if (errno != EINTR) abort();
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  int numeric = hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0;
  while (host != NULL && !numeric && strcmp(host, "hang.test") == 0) pause();
  if (host != NULL && !numeric && is_behind_the_gate(host)) {
    wait_at_the_gate(host);
    host = "10.0.0.1";
  }
  resolver *usual;
  void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
  memcpy(&usual, &symbol, sizeof usual);
  return usual(host, service, hints, found);
}
