/* SPDX-License-Identifier: MIT */
/* Names and addresses, for all systems: the resolver, and the addresses of sockets. Only
   ps__os_resolve waits: the resolver of the system knows no limit of time. */

#define _DEFAULT_SOURCE /* NI_NAMEREQD */
#include <stdlib.h>
#include <string.h>

#include "os_parts.h"

static void describe(const struct sockaddr *addr, socklen_t size, char *ip, size_t room) {
  if (getnameinfo(addr, size, ip, (socklen_t)room, NULL, 0, NI_NUMERICHOST) != 0)
    ip[0] = '\0';
}

int ps__os_name(int fd, int peer, ps_address *name) {
  union {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    struct sockaddr_storage room;
  } addr = {.room = {.ss_family = AF_UNSPEC}}; /* a name may be empty */
  socklen_t size = sizeof addr;
  int result =
      peer ? getpeername(fd, &addr.any, &size) : ps__os_sockname(fd, &addr.any, &size);
  if (result < 0) return ps__os_reason();
  describe(&addr.any, size, name->ip, sizeof name->ip);
  int six = addr.any.sa_family == AF_INET6;
  name->port = ntohs(six ? addr.six.sin6_port : addr.four.sin_port);
  name->family = six ? "inet6" : "inet";
  return 0;
}

int ps__os_local(int fd, ps__addr *addr) {
  socklen_t size = sizeof addr->raw;
  if (ps__os_sockname(fd, (struct sockaddr *)addr->raw.bytes, &size) < 0)
    return ps__os_reason();
  addr->size = (unsigned)size;
  return 0;
}

/* ---- The resolver ---- */

static ps_status resolver_status(int code) {
  static const struct {
    int resolver;
    short code;
  } known[] = {
      {EAI_AGAIN, PS_AGAIN},       {EAI_FAIL, PS_FAIL},     {EAI_FAMILY, PS_BADFAMILY},
      {EAI_MEMORY, PS_NOMEMORY},   {EAI_NONAME, PS_NONAME}, {EAI_SERVICE, PS_SERVICE},
#ifdef EAI_OVERFLOW
      {EAI_OVERFLOW, PS_OVERFLOW},
#endif
  };
  ps_status status = {PS_OK, 0, 0, NULL};
  if (code == 0) return status;
  status.code =
      PS_NONAME; /* other codes mean that a name has no address of this family */
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].resolver == code) status.code = known[i].code;
#ifdef EAI_SYSTEM
  if (code == EAI_SYSTEM) {
    status.system = errno;
    status.code = ps__os_code(errno);
  }
#endif
  return status;
}

static ps_status append(ps__lookup *lookup, ps__record ***last,
                        const struct addrinfo *info) {
  int six = info->ai_family == AF_INET6;
  if ((!six && info->ai_family != AF_INET) ||
      info->ai_addrlen > sizeof(((ps__addr *)0)->raw.bytes))
    return resolver_status(0);
  ps__record *record = calloc(1, sizeof *record);
  if (record == NULL) return resolver_status(EAI_MEMORY);
  **last = record;
  *last = &record->next;
  record->addr.family = six ? 6 : 4;
  record->addr.size = info->ai_addrlen;
  memcpy(record->addr.raw.bytes, info->ai_addr, info->ai_addrlen);
  describe(info->ai_addr, info->ai_addrlen, record->ip, sizeof record->ip);
  if ((lookup->flags & PS__NAMES) == 0) return resolver_status(0);
  return resolver_status(getnameinfo(
      info->ai_addr, info->ai_addrlen, record->name, sizeof record->name,
      lookup->servicename, lookup->service != NULL ? sizeof lookup->servicename : 0,
      (lookup->flags & PS__NAMED) != 0 ? NI_NAMEREQD : 0));
}

void ps__os_resolve(ps__lookup *lookup) {
  int flags = lookup->flags;
  struct addrinfo hints, *found = NULL;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_family = lookup->family == 4   ? AF_INET
                    : lookup->family == 6 ? AF_INET6
                                          : AF_UNSPEC;
  if ((flags & PS__PASSIVE) != 0) hints.ai_flags |= AI_PASSIVE;
  if ((flags & PS__NUMERIC) != 0) hints.ai_flags |= AI_NUMERICHOST;
  if ((flags & (PS__NUMERIC | PS__NAMES)) == 0 && lookup->host != NULL)
    hints.ai_flags |= AI_CANONNAME;
  const char *service = lookup->service;
  if (lookup->host == NULL && service == NULL) service = "0";
  ps__os_begin();
  ps__record **last = &lookup->records;
  *last = NULL;
  lookup->status = resolver_status(getaddrinfo(lookup->host, service, &hints, &found));
  if (found != NULL && found->ai_canonname != NULL)
    strncpy(lookup->canonical, found->ai_canonname, sizeof lookup->canonical - 1);
  for (struct addrinfo *at = found; at != NULL && lookup->status.code == PS_OK;
       at = at->ai_next)
    lookup->status = append(lookup, &last, at);
  if (found != NULL) freeaddrinfo(found);
  if (lookup->status.code == PS_OK && lookup->records == NULL)
    lookup->status = resolver_status(EAI_NONAME);
}
