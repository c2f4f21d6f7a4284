/* SPDX-License-Identifier: MIT */
/* A resolver that never answers: linked before the C library, or loaded by LD_PRELOAD,
   its getaddrinfo hangs for ever for "hang.test" and is the usual one for all other
   names. It must never be part of anything but tests. */

#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int resolver(const char *host, const char *service, const struct addrinfo *hints,
                     struct addrinfo **found);

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  int numeric = hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0;
  while (host != NULL && !numeric && strcmp(host, "hang.test") == 0) pause();
  resolver *usual;
  void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
  memcpy(&usual, &symbol, sizeof usual);
  return usual(host, service, hints, found);
}
