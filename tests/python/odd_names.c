/* SPDX-License-Identifier: MIT */
/* Preloaded by test_names.py: a system whose names and texts are not UTF-8. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ODD "h\xf6st.test"

static void *next(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL) abort();
  return found;
}

int gethostname(char *name, size_t size) {
  if (getenv("NAMELESS") != NULL) {
    errno = ENODEV;
    return -1;
  }
  snprintf(name, size, "%s", ODD);
  return 0;
}

int getnameinfo(const struct sockaddr *address, socklen_t length, char *host,
                socklen_t host_size, char *service, socklen_t service_size, int flags) {
  int (*system)(const struct sockaddr *, socklen_t, char *, socklen_t, char *, socklen_t,
                int) = next("getnameinfo");
  int plain = (flags & ~NI_NAMEREQD) | NI_NUMERICHOST;
  int answer = system(address, length, host, host_size, service, service_size, plain);
  if (answer == 0 && (flags & NI_NUMERICHOST) == 0 && host != NULL)
    snprintf(host, host_size, "%s", ODD);
  if (answer == 0 && (flags & NI_NUMERICSERV) == 0 && service != NULL)
    snprintf(service, service_size, "s\xe9rvice");
  return answer;
}

/* plain.test is 127.0.0.1, whose canonical name is the odd one. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  int (*system)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
      next("getaddrinfo");
  int numeric = hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0;
  int ours = host != NULL && !numeric && strcmp(host, "plain.test") == 0;
  int answer = system(ours ? "127.0.0.1" : host, service, hints, found);
  if (answer == 0 && ours && (*found)->ai_canonname != NULL) {
    free((*found)->ai_canonname);
    (*found)->ai_canonname = strdup(ODD);
  }
  return answer;
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *size) {
  int (*system)(int, int, int, void *, socklen_t *) = next("getsockopt");
  if (level != SOL_SOCKET || name != SO_BINDTODEVICE)
    return system(fd, level, name, value, size);
  *size = (socklen_t)snprintf(value, *size, "eth\xff") + 1;
  return 0;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size) {
  int (*system)(int, int, int, const void *, socklen_t) = next("setsockopt");
  if (level != SOL_SOCKET || name != SO_BINDTODEVICE)
    return system(fd, level, name, value, size);
  if (size >= 4 && memcmp(value, "eth\xff", 4) == 0) return 0;
  errno = ENODEV;
  return -1;
}

/* A system's reason for which the library has no words of its own. */
int getsockname(int fd, struct sockaddr *address, socklen_t *size) {
  int (*system)(int, struct sockaddr *, socklen_t *) = next("getsockname");
  if (fd != INT_MAX) return system(fd, address, size);
  errno = EXDEV;
  return -1;
}

const char *strerrordesc_np(int number) {
  (void)number;
  return "Fehler \xa7";
}
