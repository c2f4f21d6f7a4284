/* SPDX-License-Identifier: MIT */
/* Connecting: one attempt goes through the name, its addresses and the outcome of each,
   and its progress stays with the object when a call runs out of time, so that the next
   call with the same target goes on. A socket never becomes connected to a target that
   the last call did not name. */

#include <string.h>

#include "internal.h"

struct ps__attempt {
  unsigned replacements;    /* of the socket, when it began */
  ps__answer answer;        /* the addresses of the target */
  const ps__record *record; /* the one that is tried; NULL while the name is resolved */
  int begun;                /* connect was called for it, and its outcome is not known */
  int later;                /* ... by an earlier call */
  const char *address, *service;
  char text[]; /* both of them */
};

static ps__attempt *make_attempt(const char *address, const char *service, int family) {
  size_t size = strlen(address) + 1, rest = strlen(service) + 1;
  ps__attempt *made = ps__os_realloc(NULL, sizeof *made + size + rest);
  if (made == NULL) return NULL;
  memset(made, 0, sizeof *made);
  made->address = memcpy(made->text, address, size);
  made->service = memcpy(made->text + size, service, rest);
  made->answer.question =
      (ps__lookup){.host = made->address, .service = made->service, .family = family};
  return made;
}

void ps__connect_drop(ps_socket *self) {
  ps__attempt *attempt = self->attempt;
  if (attempt == NULL) return;
  self->attempt = NULL;
  if (atomic_exchange(&self->naming, 0)) ps__member_follow(self);
  ps__resolve_drop(&attempt->answer);
  ps__os_realloc(attempt, 0);
}

int ps__connect_news(ps_socket *self) {
  ps__call call;
  if (!atomic_load(&self->naming)) return 0;
  /* A connect that is under way elsewhere collects the answer itself. */
  if (ps__call_try(&call, self, PS__ANY, PS__BOTH).code != PS_OK) return 0;
  int news = self->attempt != NULL && self->attempt->record == NULL &&
             ps__resolve_done(&self->attempt->answer);
  ps__call_end(&call);
  return news;
}

/* The options that were set go along with a socket that changes its family. */
static void copy_options(const ps_socket *self, int from, int to) {
  for (int option = 0; option < PS__OPTIONS; option++)
    if ((self->options >> option & 1) != 0) ps__os_copyoption(from, to, option);
}

/* A descriptor that is there keeps its number, so that another thread that waits on it
   never meets a descriptor of somebody else. */
int ps__connect_open(ps__call *call, int family) {
  ps_socket *self = call->self;
  if (call->fd >= 0 && self->family == family) return 0;
  int made = -1;
  int error = ps__os_socket(family, &made);
  if (error != 0) return error;
  if (call->fd >= 0) {
    copy_options(self, call->fd, made);
    ps__member_hold(self);
    error = ps__os_replace(made, call->fd);
  } else {
    call->fd = made;
    atomic_store(&self->fd, made);
  }
  ps__member_follow(self);
  if (error == 0) atomic_store(&self->family, (unsigned char)family);
  return error;
}

/* An IPv6 address that means an IPv4 one, as in ::ffff:127.0.0.1. */
static int is_mapped(const ps__record *record) {
  return record->addr.family == 6 && strncmp(record->ip, "::ffff:", 7) == 0 &&
         strchr(record->ip, '.') != NULL;
}

/* Begins to connect to the address that is tried. */
static int begin_address(ps__call *call, ps__attempt *attempt) {
  const ps__record *record = attempt->record;
  int error = ps__connect_open(call, record->addr.family);
  if (error != 0) return error;
  if (is_mapped(record) && !call->self->fixed) {
    const ps_option off = {PS_FLAG, 0, 1, 0, 0, ""};
    ps__os_setoption(call->fd, PS__OPTION_V6ONLY, &off);
  }
  error = ps__os_connect(call->fd, &record->addr);
  attempt->begun = error != 0 && ps__os_again(error);
  attempt->later = 0;
  return attempt->begun ? 0 : error;
}

/* How the connect that was begun ended, once the descriptor is writable. A program may
   have asked for the pending error between two calls, and an error that was asked for is
   gone; whether there is a peer tells then. */
static int outcome(ps__call *call, int later) {
  ps_option pending = {PS_NIL, 0, 0, 0, 0, ""};
  int error = ps__os_getoption(call->fd, PS__OPTION_ERROR, &pending);
  if (error == 0) error = (int)pending.integer;
  ps_address peer;
  return error == 0 && later ? ps__os_name(call->fd, 1, &peer) : error;
}

static int is_writable(int fd) {
  ps_watch watch = {.fd = fd, .writable = 1};
  ps_sockets set = {&watch, 1};
  return ps__timeout_poll(NULL, &set, 1, 0, NULL) == PS__READY;
}

/* Tries one address until its outcome is known. */
static ps_status try_address(ps__call *call, ps__attempt *attempt) {
  int error = 0;
  if (!attempt->begun) {
    /* Nobody would close what is opened for an object that setfd is about to change. */
    if (ps__turn_gone(call)) return ps__error_failure(PS_CLOSED);
    error = begin_address(call, attempt);
    if (error != 0) return ps__timeout_error(call, error);
    if (!attempt->begun) return PS__DONE;
  }
  int later = attempt->later;
  attempt->later = 1;
  /* On loopback the peer has answered by now, though the system says "in progress": a
     look is cheaper than a wait, for which the host is left. A first call that may not
     wait does not look, so that its answer does not depend on the network. */
  int look = later || call->block != 0;
  if (!look || !is_writable(call->fd)) {
    ps_status status = ps__timeout_wait(call, 1);
    if (status.code != PS_OK) return status;
  }
  attempt->begun = 0;
  error = outcome(call, later);
  return error == 0 ? PS__DONE : ps__timeout_error(call, error);
}

/* Has the host or the clock stopped the call, and not the far end? */
static int is_stopped(ps_status status) {
  return status.system == 0 &&
         (status.code == PS_TIMEOUT || status.code == PS_INTERRUPTED);
}

/* May the next address be tried after this failure? The limit of one wait may be over for
   one address; that of the call, the host or a close ends it. */
static ps_status may_go_on(ps__call *call, ps_status status) {
  if (call->block == 0) return status; /* then the first address is the only one */
  if (status.system != 0) return PS__DONE;
  if (status.code == PS_INTERRUPTED || status.code == PS_CLOSED) return status;
  return ps__timeout_goon(call);
}

static ps_status try_addresses(ps__call *call, ps__attempt *attempt) {
  for (;;) {
    ps_status status = try_address(call, attempt);
    if (status.code == PS_OK || attempt->record->next == NULL) return status;
    ps_status go_on = may_go_on(call, status);
    if (go_on.code != PS_OK) return go_on;
    if (call->fd >= 0) ps__os_disconnect(call->fd);
    attempt->record = attempt->record->next;
    attempt->begun = 0;
  }
}

static ps_status go_on(ps__call *call, ps__attempt *attempt) {
  ps_socket *self = call->self;
  if (attempt->record == NULL) {
    if (!atomic_exchange(&self->naming, 1)) ps__member_follow(self);
    ps_status status = ps__resolve_ask(call, &attempt->answer);
    if (status.code == PS_TIMEOUT && status.system == 0) atomic_store(&self->wants, 'w');
    if (status.code != PS_OK) return status;
    atomic_store(&self->naming, 0);
    ps__member_follow(self);
    attempt->record = ps__resolve_found(&attempt->answer)->records;
  }
  return try_addresses(call, attempt);
}

/* Makes the socket what the outcome says. While the name is resolved it stays a master.
 */
static void settle_attempt(ps__call *call, ps_status status) {
  ps_socket *self = call->self;
  ps__attempt *attempt = self->attempt;
  if (is_stopped(status) && !ps__turn_gone(call)) {
    if (attempt->record != NULL) atomic_store(&self->kind, PS__CLIENT);
    return;
  }
  ps__connect_drop(self);
  ps__stream_satisfied(self, 'w');
  if (status.code == PS_OK) {
    atomic_store(&self->error, 0); /* of an address before */
    atomic_store(&self->kind, PS__CLIENT);
  } else {
    atomic_store(&self->kind, PS__MASTER);
    ps__stream_clear(self); /* of a connection that was made after all, and is gone */
    if (call->fd >= 0 && !ps__turn_gone(call)) ps__os_disconnect(call->fd);
  }
}

static int is_target(const ps__attempt *attempt, const char *address,
                     const char *service) {
  return strcmp(attempt->address, address) == 0 && strcmp(attempt->service, service) == 0;
}

/* Gives an attempt up for one with another target. */
static void abandon(ps__call *call) {
  ps_socket *self = call->self;
  if (self->attempt->begun) ps__os_disconnect(call->fd);
  ps__connect_drop(self);
  ps__stream_clear(self); /* it may have been connected, and received from */
  atomic_store(&self->kind, PS__MASTER);
}

/* Is an attempt about another descriptor? setfd could not drop it if a call had both
   turns. */
static int is_outdated(const ps__call *call, const ps__attempt *attempt) {
  return attempt->replacements != call->replacements;
}

static ps_status connect_call(ps__call *call, const char *address, const char *service) {
  ps_socket *self = call->self;
  if (self->attempt != NULL && is_outdated(call, self->attempt)) ps__connect_drop(self);
  if (self->attempt != NULL && !is_target(self->attempt, address, service)) abandon(call);
  if (self->attempt == NULL) {
    if (self->kind == PS__CLIENT) return ps__error_failure(PS_CONNECTED);
    int family = self->fixed || self->bound ? self->family : 0;
    self->attempt = make_attempt(address, service, family);
    if (self->attempt == NULL) return ps__error_failure(PS_NOMEMORY);
    self->attempt->replacements = call->replacements;
  }
  ps_status status = go_on(call, self->attempt);
  settle_attempt(call, status);
  return status;
}

ps_done ps_socket_connect(ps_socket *self, ps_name address, ps_port port, ps_host *host) {
  ps_status status = ps__call_kind(self, PS__MASTER | PS__CLIENT);
  char digits[16];
  const char *service;
  if (status.code == PS_OK) status = ps__resolve_name(address, 1, "address");
  if (status.code == PS_OK)
    status = ps__resolve_port(port, 2, "port", 1, digits, &service);
  if (status.code != PS_OK) return (ps_done){status};
  ps__call call;
  status = ps__call_begin(&call, self, host, PS__MASTER | PS__CLIENT, PS__BOTH);
  if (status.code != PS_OK) return (ps_done){status};
  status = connect_call(&call, address, service);
  ps__stream_count(self);
  ps__call_end(&call);
  return (ps_done){status};
}
