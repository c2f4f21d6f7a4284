/* SPDX-License-Identifier: MIT */
/* Master, server and client: the kinds of a socket, its moves from one to another, and
   its end. A descriptor's number belongs to the socket from its making to its release,
   and it is never released while a call is under way. */

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

/* ---- Calls ---- */

ps_status ps__kind(const ps_socket *self, unsigned char kinds) {
  if (self == NULL) return ps__misuse(PS_MISUSE_NOTOBJECT, 0, NULL);
  if ((self->kind & kinds) != 0) return PS__DONE;
  return ps__misuse((kinds & PS__MASTER) != 0   ? PS_MISUSE_NOTMASTER
                    : (kinds & PS__CLIENT) != 0 ? PS_MISUSE_NOTCLIENT
                                                : PS_MISUSE_NOTSERVER,
                    0, NULL);
}

typedef struct wish {
  ps__call *call;
  double pause;
} wish;

/* A signal's handler that calls the direction which it interrupted would wait for itself:
   it finds the direction in use. Turns change hands by looking again after a while,
   longer each time: two threads in the same direction are rare, and a lock in every
   socket would cost all others memory and time. */
static int await_turn(void *context, double seconds) {
  wish *wished = context;
  const ps__call *call = wished->call;
  ps__os_sleep(fmin(seconds, wished->pause));
  wished->pause = fmin(wished->pause * 2, 0.02);
  return (atomic_load(&call->self->state) & call->turn) == 0 ? PS__READY : PS__SIGNAL;
}

/* Two locked instructions are 3 ns of the 40 that a short line takes in the core. */
static int is_alone(const ps__call *call) {
  return call->host != NULL && call->host->mode == PS_HOST_HOLD;
}

static ps_status enter(ps__call *call) {
  const ps_socket *self = call->self;
  atomic_uint *state = &call->self->state;
  unsigned now = atomic_load(state);
  if (is_alone(call) && (now & (PS__CLOSED | call->turn)) == 0) {
    atomic_store_explicit(state, (now | call->turn) + PS__CALL, memory_order_relaxed);
    return PS__DONE;
  }
  wish wished = {call, 0.0002};
  for (;;) {
    if ((now & PS__CLOSED) != 0) return ps__failure(PS_CLOSED);
    if ((now & call->turn) == 0) {
      if (atomic_compare_exchange_weak(state, &now, (now | call->turn) + PS__CALL))
        return PS__DONE;
      continue;
    }
    if (self->interrupting) return ps__failure(PS_BUSY);
    ps_status status = ps__timeout_pause(call, await_turn, &wished);
    if (status.code != PS_OK) return status;
    now = atomic_load(state);
  }
}

ps_status ps__begin(ps__call *call, ps_socket *self, ps_host *host, unsigned char kinds,
                    unsigned turn) {
  ps_status status = ps__kind(self, kinds);
  if (status.code != PS_OK) return status;
  *call = (ps__call){self, host, -1, INFINITY, turn, -1, 0};
  ps__timeout_start(call);
  status = enter(call);
  if (status.code != PS_OK) return status;
  call->fd = self->fd;
  if (call->fd >= 0 || (kinds & PS__DECIDED) == 0) return PS__DONE;
  ps__end(call);
  return ps__failure(PS_UNDECIDED);
}

/* Does: gives the descriptor back to the system, which takes its time if the socket
   lingers. No call is under way but the one that ends now. */
static void release(const ps__call *call) {
  ps_socket *self = call->self;
  ps_host *host = call->host;
  int fd = self->fd;
  self->fd = -1;
  if (fd < 0) return;
  if (host != NULL && host->leave != NULL) host->leave(host);
  ps__os_close(fd);
  if (host != NULL && host->enter != NULL) host->enter(host);
}

void ps__end(ps__call *call) {
  ps_socket *self = call->self;
  unsigned leaving = PS__CALL + call->turn;
  unsigned before;
  if (is_alone(call)) {
    before = atomic_load(&self->state);
    atomic_store_explicit(&self->state, before - leaving, memory_order_relaxed);
  } else {
    before = atomic_fetch_sub(&self->state, leaving);
  }
  if ((before & PS__CLOSED) != 0 && before - leaving < PS__CALL) release(call);
}

ps_always ps_socket_close(ps_socket *self, ps_host *host) {
  ps_status status = ps__kind(self, PS__ANY);
  if (status.code != PS_OK) return (ps_always){status};
  unsigned before = atomic_load(&self->state);
  do {
    if ((before & PS__CLOSED) != 0) return (ps_always){PS__DONE};
  } while (!atomic_compare_exchange_weak(&self->state, &before,
                                         (before | PS__CLOSED) + PS__CALL));
  /* The last of the calls under way releases the descriptor. Shutting it down wakes them;
     only then, since it would end the connection for a process that shares it. What they
     leave may be a view into the buffer, which goes with the object then. */
  if (before < PS__CALL) ps__buffer_free(self);
  if (before >= PS__CALL && self->fd >= 0) ps__os_shutdown(self->fd, "both");
  ps__call call = {self, host, -1, INFINITY, PS__SHARED, self->fd, 0};
  ps__end(&call);
  return (ps_always){PS__DONE};
}

void ps_socket_free(ps_socket *self, ps_host *host) {
  if (self == NULL) return;
  ps_socket_close(self, host);
  ps__buffer_free(self);
  ps__os_realloc(self, 0);
}

/* ---- Making one ---- */

static ps_object make(unsigned char kind, int family, int fd) {
  ps_socket *self = ps__os_realloc(NULL, sizeof *self);
  if (self == NULL) return (ps_object){ps__failure(PS_NOMEMORY), NULL};
  memset(self, 0, sizeof *self);
  atomic_init(&self->state, 0);
  self->fd = fd;
  self->kind = kind;
  self->family = (unsigned char)family;
  self->block = self->total = -1;
  self->deadline = INFINITY;
  self->birth = ps__os_monotime();
  return (ps_object){PS__DONE, self};
}

/* Does: makes a socket for a descriptor that was opened for it. */
static ps_object make_opened(int error, unsigned char kind, int family, int fd) {
  if (error != 0) return (ps_object){ps__system(error), NULL};
  ps_object result = make(kind, family, fd);
  if (result.status.code != PS_OK) ps__os_close(fd);
  return result;
}

static ps_object make_fixed(int family) {
  int fd = -1;
  int error = ps__os_socket(family, &fd);
  ps_object result = make_opened(error, PS__MASTER, family, fd);
  if (result.status.code == PS_OK) result.socket->fixed = 1;
  return result;
}

ps_object ps_tcp(void) { return make(PS__MASTER, 0, -1); }

ps_object ps_tcp4(void) { return make_fixed(4); }

ps_object ps_tcp6(void) { return make_fixed(6); }

ps_object ps_fromfd(ps_descriptor fd, ps_kindname kind) {
  ps_object result = {PS__DONE, NULL};
  unsigned char found = kind == NULL                  ? 0
                        : strcmp(kind, "master") == 0 ? PS__MASTER
                        : strcmp(kind, "client") == 0 ? PS__CLIENT
                        : strcmp(kind, "server") == 0 ? PS__SERVER
                                                      : 0;
  if (fd < 0 || fd > INT_MAX)
    result.status = ps__misuse(PS_MISUSE_ADOPTED, 1, "fd");
  else if (found == 0)
    result.status = ps__misuse(PS_MISUSE_KIND, 2, "kind");
  if (result.status.code != PS_OK) return result;
  int family = 0;
  int error = ps__os_adopt((int)fd, &family);
  if (error == 0 && family == 0) result.status = ps__failure(PS_BADFAMILY);
  if (error == 0 && family != 0) error = ps__os_prepare((int)fd);
  if (error != 0) result.status = ps__system(error);
  if (result.status.code != PS_OK) return result;
  result = make(found, family, (int)fd);
  if (result.status.code == PS_OK) result.socket->fixed = 1;
  return result;
}

/* Does: gives a master a descriptor of this family. One that is there already keeps its
   number when it has to change, so that a close from elsewhere never meets another's. */
static int open_for(ps__call *call, int family) {
  ps_socket *self = call->self;
  if (call->fd >= 0 && self->family == family) return 0;
  int error = ps__os_socket(family, &call->fd);
  if (error != 0) return error;
  self->fd = call->fd;
  self->family = (unsigned char)family;
  return 0;
}

static int wanted_family(const ps_socket *self) {
  return self->fixed || self->bound ? self->family : 0;
}

/* ---- Bind and listen ---- */

static ps_status bind_to(ps__call *call, ps_name address, const char *service,
                         int reuse) {
  ps_socket *self = call->self;
  int family = wanted_family(self);
  ps__lookup lookup = {address, service, family, PS__PASSIVE, PS__DONE, NULL, "", ""};
  if (strcmp(address, "*") == 0) {
    lookup.host = NULL;
    if (family == 0) lookup.family = 4;
  }
  ps_status status = ps__resolve(call, &lookup);
  for (ps__record *at = lookup.records; at != NULL; at = at->next) {
    int error = open_for(call, at->addr.family);
    ps_option on = {PS_FLAG, 1, 1, 1, 0, ""};
    if (error == 0 && reuse)
      error = ps__os_setoption(call->fd, PS__OPTION_REUSEADDR, &on);
    if (error == 0) error = ps__os_bind(call->fd, &at->addr);
    status = error == 0 ? PS__DONE : ps__system(error);
    if (error == 0) self->bound = 1;
    if (error == 0) break;
  }
  ps__resolve_free(lookup.records);
  return status;
}

static ps_status bind_socket(ps_socket *self, ps_name address, ps_port port,
                             short argument, const char *name, int reuse, ps_host *host) {
  ps_status status = ps__kind(self, PS__MASTER);
  char digits[16];
  const char *service;
  if (status.code == PS_OK)
    status = ps__resolve_port(port, argument, name, 0, digits, &service);
  if (status.code != PS_OK) return status;
  ps__call call;
  status = ps__begin(&call, self, host, PS__MASTER, PS__RECEIVING | PS__SENDING);
  if (status.code != PS_OK) return status;
  status = bind_to(&call, address, service, reuse);
  ps__end(&call);
  return status;
}

ps_done ps_socket_bind(ps_socket *self, ps_name address, ps_port port, ps_host *host) {
  return (ps_done){bind_socket(self, address, port, 2, "port", 0, host)};
}

ps_done ps_socket_listen(ps_socket *self, ps_backlog backlog) {
  ps_status status = ps__kind(self, PS__MASTER);
  if (status.code != PS_OK) return (ps_done){status};
  ps__call call;
  status = ps__begin(&call, self, NULL, PS__MASTER | PS__DECIDED, PS__SHARED);
  if (status.code != PS_OK) return (ps_done){status};
  int error =
      ps__os_listen(call.fd, backlog < 0 || backlog > INT_MAX ? INT_MAX : (int)backlog);
  if (error == 0) self->kind = PS__SERVER;
  ps__end(&call);
  return (ps_done){error == 0 ? PS__DONE : ps__system(error)};
}

/* Returns: the object, or the failure in its place. */
static ps_object finish(ps_object made, ps_status status) {
  if (status.code == PS_OK) return made;
  ps_socket_free(made.socket, NULL);
  return (ps_object){status, NULL};
}

ps_object ps_bind(ps_name address, ps_port port, ps_backlog backlog, ps_host *host) {
  ps_object made = ps_tcp();
  if (made.status.code != PS_OK) return made;
  ps_status status = bind_socket(made.socket, address, port, 2, "port", 1, host);
  if (status.code == PS_OK) status = ps_socket_listen(made.socket, backlog).status;
  return finish(made, status);
}

/* ---- Accept ---- */

ps_object ps_socket_accept(ps_socket *self, ps_host *host) {
  ps_object result = {PS__DONE, NULL};
  ps__call call;
  result.status = ps__begin(&call, self, host, PS__SERVER | PS__DECIDED, PS__SHARED);
  if (result.status.code != PS_OK) return result;
  int fd = -1, error = 0;
  while (result.status.code == PS_OK) {
    error = ps__os_accept(call.fd, &fd);
    if (error == 0) {
      result = make_opened(0, PS__CLIENT, self->family, fd);
      break;
    }
    if (ps__os_again(error)) result.status = ps__timeout_wait(&call, 0);
    /* A connection that was given up while it queued is no failure of the server. */
    else if (ps__os_signalled(error) || ps__os_code(error) == PS_CLOSED)
      result.status = ps__timeout_goon(&call);
    else
      result.status = ps__socket_error(self, error);
  }
  ps__end(&call);
  return result;
}

/* ---- Connect ---- */

/* Returns: how the connect that has begun ended, once the descriptor is writable. */
static ps_status outcome(ps__call *call) {
  ps_option pending = {PS_NIL, 0, 0, 0, 0, ""};
  int error = ps__os_getoption(call->fd, PS__OPTION_ERROR, &pending);
  if (error == 0) error = (int)pending.integer;
  return error == 0 ? PS__DONE : ps__socket_error(call->self, error);
}

/* The same for a call after the one that began it: a program may have asked for the
   error meanwhile, and an error that was asked for is gone. */
static ps_status later_outcome(ps__call *call) {
  ps_status status = outcome(call);
  if (status.code != PS_OK) return status;
  ps_address peer;
  int error = ps__os_name(call->fd, 1, &peer);
  return error == 0 ? PS__DONE : ps__socket_error(call->self, error);
}

static ps_status attempt(ps__call *call, const ps__addr *addr) {
  int error = open_for(call, addr->family);
  if (error == 0) error = ps__os_connect(call->fd, addr);
  if (error == 0) return PS__DONE;
  if (!ps__os_again(error)) return ps__socket_error(call->self, error);
  call->self->connecting = 1;
  ps_status status = ps__timeout_wait(call, 1);
  return status.code == PS_OK ? outcome(call) : status;
}

/* Returns: whether a connect stopped with its outcome open, rather than failed. */
static int stopped(ps_status status) {
  return status.system == 0 &&
         (status.code == PS_TIMEOUT || status.code == PS_INTERRUPTED);
}

/* Does: makes the socket what the outcome of its connect says. */
static void settle(ps__call *call, ps_status status) {
  ps_socket *self = call->self;
  self->connecting = self->connecting && stopped(status);
  if (status.code == PS_OK) self->error = 0; /* of an attempt before */
  if (status.code == PS_OK || self->connecting) {
    self->kind = PS__CLIENT;
  } else {
    self->kind = PS__MASTER;
    ps__buffer_free(self); /* of a connection that was made after all, and is gone */
    if (call->fd >= 0) ps__os_disconnect(call->fd);
  }
}

static ps_status connect_to(ps__call *call, ps_name address, const char *service) {
  ps_socket *self = call->self;
  ps__lookup lookup = {address, service, wanted_family(self), 0, PS__DONE, NULL, "", ""};
  ps_status status = ps__resolve(call, &lookup);
  for (ps__record *at = lookup.records; at != NULL; at = at->next) {
    status = attempt(call, &at->addr);
    if (status.code == PS_OK || at->next == NULL) break;
    if (call->block == 0) break;   /* then the first address is the only one */
    int ours = status.system == 0; /* and no answer of the far end */
    if (ours && (status.code == PS_INTERRUPTED || status.code == PS_CLOSED)) break;
    /* The limit of one wait may be over for one address; that of the call ends it. */
    ps_status goon = stopped(status) ? ps__timeout_goon(call) : PS__DONE;
    if (goon.code != PS_OK) {
      status = goon;
      break;
    }
    self->connecting = 0;
    if (call->fd >= 0) ps__os_disconnect(call->fd);
  }
  ps__resolve_free(lookup.records);
  return status;
}

static ps_status connect_socket(ps_socket *self, ps_name address, ps_port port,
                                ps_host *host) {
  ps_status status = ps__kind(self, PS__MASTER | PS__CLIENT);
  char digits[16];
  const char *service;
  if (status.code == PS_OK)
    status = ps__resolve_port(port, 2, "port", 1, digits, &service);
  if (status.code != PS_OK) return status;
  ps__call call;
  status =
      ps__begin(&call, self, host, PS__MASTER | PS__CLIENT, PS__RECEIVING | PS__SENDING);
  if (status.code != PS_OK) return status;
  if (self->connecting) {
    ps_watch watch = {call.fd, 1, 0, 0, NULL};
    ps_sockets set = {&watch, 1};
    if (ps__timeout_poll(&set, 1, 0) != PS__READY) status = ps__timeout_wait(&call, 1);
    if (status.code == PS_OK) status = later_outcome(&call);
    settle(&call, status);
  } else if (self->kind == PS__CLIENT) {
    status = ps__failure(PS_CONNECTED);
  } else {
    status = connect_to(&call, address, service);
    settle(&call, status);
  }
  ps__end(&call);
  return status;
}

ps_done ps_socket_connect(ps_socket *self, ps_name address, ps_port port, ps_host *host) {
  return (ps_done){connect_socket(self, address, port, host)};
}

ps_object ps_connect(ps_name address, ps_port port, ps_localname locaddr,
                     ps_localport locport, ps_mode family, ps_seconds timeout,
                     ps_host *host) {
  if (family == NULL) family = "unspec";
  int four = strcmp(family, "inet") == 0, six = strcmp(family, "inet6") == 0;
  char digits[16];
  const char *service;
  ps_status status = ps__resolve_port(port, 2, "port", 1, digits, &service);
  if (status.code == PS_OK && !four && !six && strcmp(family, "unspec") != 0)
    status = ps__misuse(PS_MISUSE_FAMILY, 5, "family");
  if (status.code != PS_OK) return (ps_object){status, NULL};
  ps_object made = four ? ps_tcp4() : six ? ps_tcp6() : ps_tcp();
  if (made.status.code != PS_OK) return made;
  ps_socket_settimeout(made.socket, timeout, "t");
  if (locaddr != NULL)
    status = bind_socket(made.socket, locaddr, locport, 4, "locport", 0, host);
  if (status.code == PS_OK) status = connect_socket(made.socket, address, port, host);
  ps_socket_settimeout(made.socket, -1, "t");
  return finish(made, status);
}

ps_object ps_connect4(ps_name address, ps_port port, ps_localname locaddr,
                      ps_localport locport, ps_seconds timeout, ps_host *host) {
  return ps_connect(address, port, locaddr, locport, "inet", timeout, host);
}

ps_object ps_connect6(ps_name address, ps_port port, ps_localname locaddr,
                      ps_localport locport, ps_seconds timeout, ps_host *host) {
  return ps_connect(address, port, locaddr, locport, "inet6", timeout, host);
}

ps_always ps_socket_shutdown(ps_socket *self, ps_mode mode) {
  ps_status status = ps__kind(self, PS__CLIENT);
  if (status.code != PS_OK) return (ps_always){status};
  if (mode == NULL) mode = "both";
  if (strcmp(mode, "both") != 0 && strcmp(mode, "send") != 0 &&
      strcmp(mode, "receive") != 0)
    return (ps_always){ps__misuse(PS_MISUSE_SHUTDOWNMODE, 1, "mode")};
  ps__call call;
  status = ps__begin(&call, self, NULL, PS__CLIENT | PS__DECIDED, PS__SHARED);
  if (status.code == PS_OK) {
    ps__os_shutdown(call.fd, mode);
    ps__end(&call);
  }
  return (ps_always){
      PS__DONE}; /* as documented: a peer that is gone already is no failure */
}

/* ---- What one can ask of a socket ---- */

static ps_address name_of(ps_socket *self, int peer) {
  ps_address result = {PS__DONE, "", 0, ""};
  ps__call call;
  result.status = ps__begin(&call, self, NULL, PS__ANY | PS__DECIDED, PS__SHARED);
  if (result.status.code != PS_OK) return result;
  int error = ps__os_name(call.fd, peer, &result);
  if (error != 0) result.status = ps__system(error);
  ps__end(&call);
  return result;
}

ps_address ps_socket_getpeername(ps_socket *self) { return name_of(self, 1); }

ps_address ps_socket_getsockname(ps_socket *self) { return name_of(self, 0); }

ps_text ps_socket_getfamily(const ps_socket *self) {
  ps_text result = {""};
  strcpy(result.text, self->family == 6 ? "inet6" : "inet4");
  return result;
}

ps_text ps_version(void) { return (ps_text){"polysock " PS_VERSION}; }

static const char *kind_of(const ps_socket *self) {
  return self->kind == PS__MASTER   ? "master"
         : self->kind == PS__CLIENT ? "client"
                                    : "server";
}

ps_text ps_socket_getkind(const ps_socket *self) {
  ps_text result = {""};
  strcpy(result.text, kind_of(self));
  return result;
}

ps_text ps_socket_tostring(const ps_socket *self) {
  ps_text result = {""};
  snprintf(result.text, sizeof result.text, "tcp{%s}: %p", kind_of(self),
           (const void *)self);
  return result;
}

ps_stats ps_socket_getstats(const ps_socket *self) {
  return (ps_stats){(long long)self->received, (long long)self->sent,
                    ps__os_monotime() - self->birth};
}

ps_always ps_socket_setstats(ps_socket *self, ps_total received, ps_total sent,
                             ps_age age) {
  ps_status status = ps__kind(self, PS__ANY);
  if (status.code != PS_OK) return (ps_always){status};
  if (received >= 0) self->received = (unsigned long long)received;
  if (sent >= 0) self->sent = (unsigned long long)sent;
  if (!isnan(age)) self->birth = ps__os_monotime() - age;
  return (ps_always){PS__DONE};
}

ps_wants ps_socket_wants(const ps_socket *self) {
  (void)self;
  return (ps_wants){NULL};
}

ps_fd ps_socket_getfd(const ps_socket *self) {
  int closed = (atomic_load(&self->state) & PS__CLOSED) != 0;
  return (ps_fd){closed ? -1 : self->fd};
}

ps_nothing ps_socket_setfd(ps_socket *self, ps_descriptor fd, ps_host *host) {
  (void)host;
  ps_status status = ps__kind(self, PS__ANY);
  if (status.code == PS_OK && (fd < -1 || fd > INT_MAX))
    status = ps__misuse(PS_MISUSE_DESCRIPTOR, 1, "fd");
  if (status.code != PS_OK) return (ps_nothing){status};
  self->fd = (int)fd;
  if (fd < 0) {
    atomic_fetch_or(&self->state, PS__CLOSED);
    return (ps_nothing){PS__DONE};
  }
  int family = 0;
  if (ps__os_adopt(self->fd, &family) == 0 && family != 0)
    self->family = (unsigned char)family;
  ps__os_prepare(self->fd);
  atomic_fetch_and(&self->state, ~(unsigned)PS__CLOSED);
  return (ps_nothing){PS__DONE};
}

ps_detached ps_socket_detach(ps_socket *self) {
  ps_detached result = {PS__DONE, -1};
  ps__call call;
  result.status = ps__begin(&call, self, NULL, PS__ANY | PS__DECIDED, PS__SHARED);
  if (result.status.code != PS_OK) return result;
  unsigned alone = PS__CALL;
  if (ps__buffered(self) > 0) {
    result.status = ps__failure(PS_BUFFERED);
  } else if (!atomic_compare_exchange_strong(&self->state, &alone,
                                             PS__CALL | PS__CLOSED)) {
    result.status = ps__failure(PS_BUSY);
  } else {
    result.fd = call.fd;
    self->fd = -1;
  }
  ps__end(&call);
  return result;
}

int ps_socket_getmark(const ps_socket *self) { return self->mark; }

void ps_socket_setmark(ps_socket *self, int mark) { self->mark = (unsigned char)mark; }
