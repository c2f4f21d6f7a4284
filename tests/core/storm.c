/* SPDX-License-Identifier: MIT */
/* See storm.h. */

#define _GNU_SOURCE
#include "storm.h"

#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

/* ThreadSanitizer takes a connect for what makes a descriptor. A poller may register one
   at that moment, which was there before. */
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) {
  return "race:^ps__os_connect$\nrace:^ps__os_disconnect$\n";
}

int storm_descriptors(void) {
  int found = 0;
  for (int fd = 0; fd < 1024; fd++) found += fcntl(fd, F_GETFD) >= 0;
  return found;
}

/* ---- Hosts ---- */

static pthread_mutex_t language = PTHREAD_MUTEX_INITIALIZER; /* of those that hold */

unsigned storm_chance(unsigned *state, unsigned of) {
  *state = *state * 1664525u + 1013904223u;
  return (*state >> 8) % of;
}

static void leave(ps_host *host) {
  (void)host;
  pthread_mutex_unlock(&language);
}

static void enter(ps_host *host) {
  (void)host;
  pthread_mutex_lock(&language);
}

static int interrupted(ps_host *host) {
  storm_lender *self = (storm_lender *)host;
  if (self->within != NULL && storm_chance(&self->random, 8) == 0)
    self->within(self->context);
  return self->stops > 0 && storm_chance(&self->random, self->stops) == 0;
}

static void *grow(ps_host *host, size_t size) {
  storm_lender *self = (storm_lender *)host;
  void *grown = realloc(self->memory, size + 1);
  if (grown != NULL) self->memory = grown;
  return grown;
}

ps_host *storm_host(storm_lender *self, int mode, unsigned seed) {
  *self = (storm_lender){
      {NULL, NULL, interrupted, NULL, PS_HOST_VIEW}, NULL, seed, 64, NULL, NULL};
  if (mode == STORM_PLAIN) return NULL;
  if (mode == STORM_LEND) self->host.mode = PS_HOST_LEND;
  if (mode >= STORM_HOLD) {
    self->host.mode = PS_HOST_HOLD;
    self->host.leave = leave;
    self->host.enter = enter;
  }
  if (mode == STORM_LEND || mode == STORM_HOLD_AND_LEND) self->host.grow = grow;
  return &self->host;
}

void storm_go_in(int mode) {
  if (mode >= STORM_HOLD) pthread_mutex_lock(&language);
}
void storm_go_out(int mode) {
  if (mode >= STORM_HOLD) pthread_mutex_unlock(&language);
}

char *storm_take(ps_socket *socket, const ps_bytes *got) {
  size_t size = ps_bytes_size(got);
  char *copy = malloc(size + 1);
  ps_bytes_copy(got, copy);
  copy[size] = '\0';
  if (ps_socket_take(socket, got)) return copy;
  free(copy);
  return NULL;
}

void storm_disturb(ps_socket *socket, unsigned *random, ps_host *host) {
  ps_option on = {PS_FLAG, 1, 1, 1, 0, ""};
  ps_watch watch = {-1, 0, 0, 0, socket};
  ps_detached detached;
  switch (storm_chance(random, 16)) {
    case 0:
      ps_socket_settimeout(socket, 0.001, NULL);
      break;
    case 1:
      ps_socket_settimeout(socket, 0, NULL);
      break;
    case 2:
      ps_socket_settimeout(socket, 0.002, "t");
      break;
    case 3:
      ps_socket_setdeadline(socket, storm_chance(random, 2) ? 0.001 : INFINITY);
      break;
    case 4:
      ps_socket_pending(socket);
      break;
    case 5:
      ps_socket_dirty(socket);
      ps_socket_wants(socket);
      ps_socket_getdeadline(socket);
      ps_socket_gettimeout(socket);
      break;
    case 6:
      ps_socket_getstats(socket);
      ps_socket_setstats(socket, -1, -1, 1);
      break;
    case 7:
      ps_socket_getpeername(socket);
      ps_socket_getsockname(socket);
      break;
    case 8:
      ps_socket_setoption(socket, "tcp-nodelay", on);
      break;
    case 9:
      ps_socket_getoption(socket, "error");
      ps_socket_getoption(socket, "tcp-nodelay");
      break;
    case 10:
      ps_socket_getfd(socket);
      ps_socket_getkind(socket);
      ps_socket_getfamily(socket);
      ps_socket_tostring(socket);
      break;
    case 11:
      ps_select((ps_sockets){&watch, 1}, (ps_sockets){NULL, 0}, 0.001, host);
      break;
    case 12:
      ps_select((ps_sockets){NULL, 0}, (ps_sockets){&watch, 1}, 0, host);
      break;
    case 13:
      ps_socket_setmark(socket, ps_socket_getmark(socket));
      break;
    case 14:
      detached = ps_socket_detach(socket);
      if (detached.status.code != PS_OK) break;
      storm_must(ps_socket_getfd(socket).fd == -1);
      while (ps_socket_setfd(socket, detached.fd, host).status.code != PS_OK) {
      }
      break;
    default:
      sched_yield();
  }
}

void storm_look(void *context) {
  ps_socket *socket = context;
  ps_socket_pending(socket);
  ps_socket_getstats(socket);
  ps_socket_getsockname(socket);
}
