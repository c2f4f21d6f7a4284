/* SPDX-License-Identifier: MIT */
/* A resolver that answers late or never: linked before the C library, or loaded by
   LD_PRELOAD. Its getaddrinfo hangs for ever for "hang.test". Names that end in
   ".gate.test" wait until they are let through (see slow_resolver.h), and are 10.0.0.1.
   The environment variable TEST_NAMES lists names of its own, as in "slow.test 0.3 ::1
   127.0.0.1; never.test never": each with the seconds that it takes (or `never`) and its
   addresses. For all other names it is the usual one. It must never be part of anything
   but tests. */

#define _GNU_SOURCE /* RTLD_NEXT */
#include "slow_resolver.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

static int usual(const char *host, const char *service, const struct addrinfo *hints,
                 struct addrinfo **found) {
  resolver *next;
  void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
  memcpy(&next, &symbol, sizeof next);
  return next(host, service, hints, found);
}

/* Finds the entry of a host in TEST_NAMES. Returns what follows the name, in memory of
   the caller's; NULL when there is no such entry. */
static char *entry_of(const char *host) {
  const char *names = getenv("TEST_NAMES");
  char *copy = names != NULL ? strdup(names) : NULL;
  char *rest = copy, *entry, *found = NULL;
  while (rest != NULL && found == NULL && (entry = strsep(&rest, ";")) != NULL) {
    entry += strspn(entry, " ");
    size_t size = strcspn(entry, " ");
    if (size == strlen(host) && strncmp(entry, host, size) == 0)
      found = strdup(entry + size);
  }
  free(copy);
  return found;
}

/* Resolves the addresses of an entry and chains the answers, in their order. The C
   library frees such a chain item by item. */
static int chain(char *entry, const char *service, const struct addrinfo *hints,
                 struct addrinfo **found) {
  struct addrinfo numeric = {0}, **last = found;
  if (hints != NULL) numeric = *hints;
  numeric.ai_flags |= AI_NUMERICHOST;
  int failure = EAI_NONAME;
  char *rest = NULL;
  *found = NULL;
  for (char *word = strtok_r(entry, " ", &rest); word != NULL;
       word = strtok_r(NULL, " ", &rest)) {
    int answer = usual(word, service, &numeric, last);
    if (answer != 0) {
      *last = NULL;
      /* An address of the other family is no failure of the name. */
      if (answer == EAI_SERVICE) failure = answer;
      continue;
    }
    while (*last != NULL) last = &(*last)->ai_next;
  }
  return *found != NULL ? 0 : failure;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  if (host == NULL || (hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0))
    return usual(host, service, hints, found);
  while (strcmp(host, "hang.test") == 0) pause();
  if (is_behind_the_gate(host)) {
    wait_at_the_gate(host);
    return usual("10.0.0.1", service, hints, found);
  }
  char *entry = entry_of(host);
  if (entry == NULL) return usual(host, service, hints, found);
  char *addresses = NULL;
  double seconds = strtod(entry, &addresses);
  while (addresses == entry) pause(); /* "never" is no number */
  struct timespec left = {(time_t)seconds, (long)((seconds - (long)seconds) * 1e9)};
  while (nanosleep(&left, &left) != 0) {
  }
  int answer = chain(addresses, service, hints, found);
  free(entry);
  return answer;
}
