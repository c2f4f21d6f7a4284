/* SPDX-License-Identifier: MIT */
/* Properties of a socket except options: addresses, texts, statistics, limits. Nothing
   here waits. NULL counts as a closed master where misuse is not possible. */

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

#define GET(member) atomic_load_explicit(&self->member, memory_order_relaxed)
#define SET(member, value) \
  atomic_store_explicit(&self->member, value, memory_order_relaxed)

static ps_address name_of(ps_socket *self, int peer) {
  ps_address result = {.family = ""};
  ps__call call;
  result.status = ps__call_begin(&call, self, NULL, PS__ANY | PS__DECIDED, PS__SHARED);
  if (result.status.code != PS_OK) return result;
  int error = ps__os_name(call.fd, peer, &result);
  if (error != 0) result.status = ps__error_system(error);
  ps__call_end(&call);
  return result;
}

ps_address ps_socket_getpeername(ps_socket *self) { return name_of(self, 1); }

ps_address ps_socket_getsockname(ps_socket *self) { return name_of(self, 0); }

static ps_text text_of(const char *words) {
  ps_text result = {""};
  snprintf(result.text, sizeof result.text, "%s", words);
  return result;
}

ps_text ps_version(void) { return text_of("polysock " PS_VERSION); }

ps_text ps_socket_getfamily(const ps_socket *self) {
  return text_of(self != NULL && GET(family) == 6 ? "inet6" : "inet4");
}

static const char *kind_of(const ps_socket *self) {
  unsigned char kind = self == NULL ? PS__MASTER : GET(kind);
  return kind == PS__MASTER ? "master" : kind == PS__CLIENT ? "client" : "server";
}

ps_text ps_socket_getkind(const ps_socket *self) { return text_of(kind_of(self)); }

ps_text ps_socket_tostring(const ps_socket *self) {
  ps_text result = {""};
  snprintf(result.text, sizeof result.text, "tcp{%s}: 0x%" PRIxPTR, kind_of(self),
           (uintptr_t)self);
  return result;
}

ps_stats ps_socket_getstats(const ps_socket *self) {
  if (self == NULL) return (ps_stats){0, 0, 0};
  return (ps_stats){(long long)GET(received), (long long)GET(sent),
                    ps__os_monotime() - GET(birth)};
}

ps_always ps_socket_setstats(ps_socket *self, ps_total received, ps_total sent,
                             ps_age age) {
  ps_status status = ps__call_kind(self, PS__ANY);
  if (status.code != PS_OK) return (ps_always){status};
  if (received >= 0) SET(received, (unsigned long long)received);
  if (sent >= 0) SET(sent, (unsigned long long)sent);
  if (!isnan(age)) SET(birth, ps__os_monotime() - age);
  return (ps_always){PS__DONE};
}

ps_always ps_socket_settimeout(ps_socket *self, ps_seconds value, ps_mode mode) {
  ps_status status = ps__call_kind(self, PS__ANY);
  if (status.code != PS_OK) return (ps_always){status};
  if (isnan(value)) return (ps_always){ps__error_misuse(PS_MISUSE_NAN, 1, "value")};
  char letter = mode == NULL ? 'b' : mode[0];
  /* As in LuaSocket, only the first letter counts; r is an old name for t. */
  if (letter == 'b')
    SET(block, value);
  else if (letter == 't' || letter == 'r')
    SET(total, value);
  else
    return (ps_always){ps__error_misuse(PS_MISUSE_TIMEOUTMODE, 2, "mode")};
  return (ps_always){PS__DONE};
}

ps_limits ps_socket_gettimeout(const ps_socket *self) {
  if (self == NULL) return (ps_limits){-1, -1};
  return (ps_limits){GET(block), GET(total)};
}

ps_always ps_socket_setdeadline(ps_socket *self, ps_moment seconds) {
  ps_status status = ps__call_kind(self, PS__ANY);
  if (status.code != PS_OK) return (ps_always){status};
  if (isnan(seconds)) return (ps_always){ps__error_misuse(PS_MISUSE_NAN, 1, "seconds")};
  SET(deadline, ps__os_monotime() + seconds);
  return (ps_always){PS__DONE};
}

ps_left ps_socket_getdeadline(const ps_socket *self) {
  double deadline = self == NULL ? INFINITY : GET(deadline);
  return (ps_left){fmax(0, deadline - ps__os_monotime())};
}

ps_wants ps_socket_wants(const ps_socket *self) {
  unsigned char wants = self == NULL ? 0 : GET(wants);
  return (ps_wants){wants == 'r' ? "r" : wants == 'w' ? "w" : NULL};
}

int ps_socket_getmark(const ps_socket *self) { return self == NULL ? 0 : GET(mark); }

void ps_socket_setmark(ps_socket *self, int mark) {
  if (self != NULL) SET(mark, (unsigned char)mark);
}
