/* SPDX-License-Identifier: MIT */
/* Connecting: one attempt resolves the name, then tries its addresses in order. When a
   call fails with PS_TIMEOUT, the attempt stays with the object, and the next call with
   the same target continues it. A socket must never become connected to another target
   than that of the last call. */

#include <string.h>

#include "internal.h"

struct ps__attempt {
  unsigned replacements;    /* of the socket, when it began */
  ps__answer answer;        /* the addresses of the target */
  const ps__record *record; /* the address being tried; NULL while the name is resolved */
  int begun; /* connect was called for record, and its outcome is unknown */
  int later; /* begun by an earlier call */
  const char *address, *service;
  char text[]; /* address and port */
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

void ps__connect_tell(ps_socket *self) {
  if (atomic_load(&self->missed) && atomic_exchange(&self->missed, 0)) ps__os_wake();
}

static int try_both(ps__call *call, ps_socket *self) {
  return ps__call_try(call, self, PS__ANY, PS__BOTH).code == PS_OK;
}

int ps__connect_news(ps_socket *self) {
  ps__call call;
  if (!try_both(&call, self)) {
    /* A connect under way in another thread collects the answer itself, unless something
       else ends it. Either it sees this when it has left, or it has left already. */
    atomic_store(&self->missed, 1);
    if (!try_both(&call, self)) return 0;
  }
  int news = self->attempt != NULL && self->attempt->record == NULL &&
             ps__resolve_done(&self->attempt->answer);
  ps__call_end(&call);
  if (news) ps__connect_tell(self); /* who asked at the same time */
  return news;
}

/* Copies the options that were set to a new socket. */
static void copy_options(const ps_socket *self, int from, int to) {
  for (int option = 0; option < PS__OPTIONS; option++)
    if ((self->options >> option & 1) != 0) ps__os_copyoption(from, to, option);
}

/* Replaces the socket by a new one, which is bound to an address unless that is NULL.
   Where the system can, an existing descriptor keeps its number, so that a thread that
   waits on it never waits on another file. */
static int replace_socket(ps__call *call, int family, const ps__addr *local) {
  ps_socket *self = call->self;
  int made = -1;
  int error = ps__os_socket(family, &made);
  if (error != 0) return error;
  if (call->fd >= 0) {
    copy_options(self, call->fd, made);
    ps__member_hold(self);
    error = ps__os_replace(made, &call->fd);
  } else {
    call->fd = made;
  }
  atomic_store(&self->fd, call->fd);
  if (error == 0 && local != NULL) { /* the old socket used the address until now */
    error = ps__os_bind(call->fd, local);
    self->bound = error == 0;
  }
  ps__member_follow(self);
  if (error == 0) atomic_store(&self->family, (unsigned char)family);
  return error;
}

int ps__connect_open(ps__call *call, int family) {
  if (call->fd >= 0 && call->self->family == family) return 0;
  return replace_socket(call, family, NULL);
}

/* Makes a socket whose connect failed or is under way one that can connect again. */
static int disconnect(ps__call *call) {
  const ps_socket *self = call->self;
  if (call->fd < 0 || ps__os_disconnect(call->fd)) return 0;
  ps__addr local = {.family = self->family};
  int error = self->bound ? ps__os_local(call->fd, &local) : 0;
  return error != 0 ? error
                    : replace_socket(call, self->family, self->bound ? &local : NULL);
}

/* Is it an IPv4-mapped IPv6 address, such as ::ffff:127.0.0.1? */
static int is_mapped(const ps__record *record) {
  return strncmp(record->ip, "::ffff:", 7) == 0 && strchr(record->ip, '.') != NULL;
}

/* Begins to connect to the current address. */
static int begin_address(ps__call *call, ps__attempt *attempt) {
  const ps__record *record = attempt->record;
  int error = ps__connect_open(call, record->addr.family);
  if (error != 0) return error;
  if (is_mapped(record) && !call->self->fixed) {
    const ps_option off = {.type = PS_FLAG};
    ps__os_setoption(call->fd, PS__OPTION_V6ONLY, &off);
  }
  error = ps__os_connect(call->fd, &record->addr);
  attempt->begun = ps__os_again(error);
  attempt->later = 0;
  return attempt->begun ? 0 : error;
}

/* Returns the outcome of a connect once the descriptor is writable: 0 or an error number.
   A program may have read the pending error between two calls, which clears it; then
   getpeername tells whether the socket is connected. */
static int outcome(ps__call *call, int later) {
  ps_option pending = {.type = PS_NIL};
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
  if (!attempt->begun) {
    /* A descriptor opened now would leak if setfd is about to replace it. */
    if (ps__turn_gone(call)) return ps__error_failure(PS_CLOSED);
    int error = begin_address(call, attempt);
    if (error != 0) return ps__timeout_error(call, error);
    if (!attempt->begun) return PS__DONE;
  }
  int later = attempt->later;
  attempt->later = 1;
  /* On loopback the connection is often established already, though connect returned
     EINPROGRESS; checking that is cheaper than a wait with the host's leave and enter.
     The first call of an attempt with a timeout of 0 does not check, so that its result
     does not depend on the network. */
  int look = later || call->block != 0;
  if (!look || !is_writable(call->fd)) {
    ps_status status = ps__timeout_wait(call, 1);
    if (status.code != PS_OK) return status;
  }
  int error = outcome(call, later);
  return error == 0 ? PS__DONE : ps__timeout_error(call, error);
}

/* Did the host or a limit end the call, and not the peer? */
static int is_stopped(ps_status status) {
  return status.system == 0 &&
         (status.code == PS_TIMEOUT || status.code == PS_INTERRUPTED);
}

/* Returns PS_OK if the next address may be tried after this failure. The limit of one
   wait ends only the try of one address; the limit of the call, the host or a close ends
   the attempt. */
static ps_status may_go_on(ps__call *call, ps_status status) {
  if (call->block == 0)
    return status; /* with timeout 0 only the first address is tried */
  if (status.system != 0) return PS__DONE;
  if (status.code == PS_INTERRUPTED || status.code == PS_CLOSED) return status;
  return ps__timeout_goon(call, 'w');
}

static ps_status try_addresses(ps__call *call, ps__attempt *attempt) {
  for (;;) {
    ps_status status = try_address(call, attempt);
    if (status.code == PS_OK || ps__turn_gone(call) || attempt->record->next == NULL)
      return status;
    ps_status go_on = may_go_on(call, status);
    if (go_on.code != PS_OK) return go_on;
    int error = disconnect(call);
    if (error != 0) return ps__timeout_error(call, error);
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

/* Sets the kind of the socket after the outcome. It stays a master while the name is
   being resolved. */
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
    atomic_store(&self->error, 0); /* that of an earlier address */
    atomic_store(&self->kind, PS__CLIENT);
  } else {
    atomic_store(&self->kind, PS__MASTER);
    ps__stream_clear(self); /* bytes of a connection that has ended */
    if (!ps__turn_gone(call)) disconnect(call);
  }
}

static int is_target(const ps__attempt *attempt, const char *address,
                     const char *service) {
  return strcmp(attempt->address, address) == 0 && strcmp(attempt->service, service) == 0;
}

/* Abandons an attempt because the target is another one now. */
static int abandon(ps__call *call) {
  ps_socket *self = call->self;
  int error = self->attempt->begun ? disconnect(call) : 0;
  ps__connect_drop(self);
  ps__stream_clear(self); /* it may have been connected and have received */
  atomic_store(&self->kind, PS__MASTER);
  return error;
}

/* Did an attempt begin before the descriptor was replaced? setfd cannot drop it while a
   call has both turns. */
static int is_outdated(const ps__call *call, const ps__attempt *attempt) {
  return attempt->replacements != call->replacements;
}

static ps_status connect_call(ps__call *call, const char *address, const char *service) {
  ps_socket *self = call->self;
  if (self->attempt != NULL && is_outdated(call, self->attempt)) ps__connect_drop(self);
  int error = 0;
  if (self->attempt != NULL && !is_target(self->attempt, address, service))
    error = abandon(call);
  if (error != 0) return ps__timeout_error(call, error);
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
  char digits[PS__DIGITS];
  const char *service;
  if (status.code == PS_OK) status = ps__resolve_name(address, 1, "address");
  if (status.code == PS_OK)
    status = ps__resolve_port(port, 2, "port", 1, digits, &service);
  if (status.code != PS_OK) return (ps_done){status};
  ps__call call;
  status = ps__call_begin(&call, self, host, PS__MASTER | PS__CLIENT, PS__BOTH);
  if (status.code != PS_OK) return (ps_done){status};
  status = connect_call(&call, address, service);
  ps__call_end(&call);
  ps__connect_tell(self);
  return (ps_done){status};
}
