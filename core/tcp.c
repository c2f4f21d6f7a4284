/* SPDX-License-Identifier: MIT */
/* Creates sockets, changes their kind (master, server, client), and closes them. */

#include <limits.h>
#include <math.h>
#include <string.h>

#include "internal.h"

/* ---- Making one ---- */

static ps_object failed(ps_status status) { return (ps_object){status, NULL}; }

static ps_object make_socket(unsigned char kind, int family, int fd) {
  ps_socket *self = ps__os_realloc(NULL, sizeof *self);
  if (self == NULL) return failed(ps__error_failure(PS_NOMEMORY));
  memset(self, 0, sizeof *self);
  atomic_init(&self->fd, fd);
  atomic_init(&self->kind, kind);
  atomic_init(&self->family, (unsigned char)family);
  atomic_init(&self->block, -1);
  atomic_init(&self->total, -1);
  atomic_init(&self->deadline, INFINITY);
  atomic_init(&self->birth, ps__os_monotime());
  self->transport = &ps__transport_tcp;
  return (ps_object){PS__DONE, self};
}

/* Creates a socket for a descriptor that was just opened, or closes the descriptor. */
static ps_object make_opened(int error, unsigned char kind, int family, int fd) {
  if (error != 0) return failed(ps__error_system(error));
  ps_object result = make_socket(kind, family, fd);
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

ps_object ps_tcp(void) { return make_socket(PS__MASTER, 0, -1); }

ps_object ps_tcp4(void) { return make_fixed(4); }

ps_object ps_tcp6(void) { return make_fixed(6); }

static unsigned char kind_named(ps_kindname name) {
  if (name == NULL) return 0;
  return strcmp(name, "master") == 0   ? PS__MASTER
         : strcmp(name, "client") == 0 ? PS__CLIENT
         : strcmp(name, "server") == 0 ? PS__SERVER
                                       : 0;
}

ps_object ps_fromfd(ps_descriptor fd, ps_kindname kind) {
  unsigned char found = kind_named(kind);
  if (fd < 0 || fd > INT_MAX) return failed(ps__error_misuse(PS_MISUSE_ADOPTED, 1, "fd"));
  if (found == 0) return failed(ps__error_misuse(PS_MISUSE_KIND, 2, "kind"));
  int family = 0;
  int error = ps__os_adopt((int)fd, &family);
  if (error == 0 && family == 0) return failed(ps__error_failure(PS_BADFAMILY));
  if (error == 0) error = ps__os_prepare((int)fd);
  if (error != 0) return failed(ps__error_system(error));
  ps_object result = make_socket(found, family, (int)fd);
  if (result.status.code == PS_OK) result.socket->fixed = 1;
  return result;
}

/* ---- Bind and listen ---- */

static int bind_record(ps__call *call, const ps__record *record, int reuse) {
  int error = ps__connect_open(call, record->addr.family);
  if (error == 0 && reuse) error = ps__os_reuse(call->fd);
  return error == 0 ? ps__os_bind(call->fd, &record->addr) : error;
}

static ps_status bind_call(ps__call *call, ps_name address, const char *service,
                           int reuse) {
  ps_socket *self = call->self;
  int all = strcmp(address, "*") == 0;
  int family = self->fixed || self->bound ? self->family : all ? 4 : 0;
  ps__answer answer = {.question = {.host = all ? NULL : address,
                                    .service = service,
                                    .family = family,
                                    .flags = PS__PASSIVE}};
  ps__connect_drop(self); /* an attempt to connect may wait for its name */
  ps_status status = ps__resolve_ask(call, &answer);
  const ps__record *record =
      status.code == PS_OK ? ps__resolve_found(&answer)->records : NULL;
  if (record != NULL && ps__turn_gone(call)) {
    status = ps__error_failure(PS_CLOSED); /* a descriptor opened now would leak */
    record = NULL;
  }
  for (; record != NULL; record = record->next) {
    int error = bind_record(call, record, reuse);
    status = error == 0 ? PS__DONE : ps__error_system(error);
    if (error != 0) continue;
    self->bound = 1;
    break;
  }
  ps__resolve_drop(&answer);
  return status;
}

/* The numbers of the arguments in the function that the caller called. */
typedef struct bind_place {
  short address, port;
  const char *address_name, *port_name;
} bind_place;

static ps_status bind_socket(ps_socket *self, ps_name address, ps_port port,
                             bind_place place, int reuse, ps_host *host) {
  ps_status status = ps__call_kind(self, PS__MASTER);
  char digits[PS__DIGITS];
  const char *service;
  if (status.code == PS_OK)
    status = ps__resolve_name(address, place.address, place.address_name);
  if (status.code == PS_OK)
    status = ps__resolve_port(port, place.port, place.port_name, 0, digits, &service);
  if (status.code != PS_OK) return status;
  ps__call call;
  status = ps__call_begin(&call, self, host, PS__MASTER, PS__BOTH);
  if (status.code != PS_OK) return status;
  status = bind_call(&call, address, service, reuse);
  ps__call_end(&call);
  ps__connect_tell(self);
  return status;
}

static const bind_place bind_arguments = {1, 2, "address", "port"};

ps_done ps_socket_bind(ps_socket *self, ps_name address, ps_port port, ps_host *host) {
  return (ps_done){bind_socket(self, address, port, bind_arguments, 0, host)};
}

ps_done ps_socket_listen(ps_socket *self, ps_backlog backlog) {
  ps__call call;
  ps_status status = ps__call_try(&call, self, PS__MASTER | PS__DECIDED, PS__BOTH);
  if (status.code != PS_OK) return (ps_done){status};
  int most = backlog < 0 || backlog > INT_MAX ? INT_MAX : (int)backlog;
  int error = ps__os_listen(call.fd, most);
  if (error == 0) {
    ps__connect_drop(self);
    atomic_store(&self->kind, PS__SERVER);
  }
  ps__call_end(&call);
  return (ps_done){error == 0 ? PS__DONE : ps__error_system(error)};
}

/* Returns the object, or frees it and returns the failure. */
static ps_object finish_making(ps_object made, ps_status status) {
  if (status.code == PS_OK) return made;
  ps_socket_free(made.socket, NULL);
  return failed(status);
}

ps_object ps_bind(ps_name address, ps_port port, ps_backlog backlog, ps_host *host) {
  ps_object made = ps_tcp();
  if (made.status.code != PS_OK) return made;
  ps_status status = bind_socket(made.socket, address, port, bind_arguments, 1, host);
  if (status.code == PS_OK) status = ps_socket_listen(made.socket, backlog).status;
  return finish_making(made, status);
}

/* ---- Accept ---- */

/* Would accept not block? Only a descriptor from setfd may be in blocking mode. An
   invalid one never becomes ready; let accept fail. */
static int is_waiting(const ps__call *call) {
  if (!atomic_load_explicit(&call->self->foreign, memory_order_relaxed)) return 1;
  ps_watch watch = {.fd = call->fd};
  ps_sockets set = {&watch, 1};
  return ps__timeout_poll(NULL, &set, 1, 0, NULL) == PS__READY || watch.fd < 0;
}

ps_object ps_socket_accept(ps_socket *self, ps_host *host) {
  ps_object result = {PS__DONE, NULL};
  ps__call call;
  result.status = ps__call_begin(&call, self, host, PS__SERVER | PS__DECIDED, PS__SHARED);
  if (result.status.code != PS_OK) return result;
  while (result.status.code == PS_OK && result.socket == NULL) {
    int fd = -1;
    int waiting = is_waiting(&call);
    int error = waiting ? ps__os_accept(call.fd, &fd) : 0;
    if (waiting && error == 0)
      result = make_opened(0, PS__CLIENT, self->family, fd);
    else if (!waiting || ps__os_again(error))
      result.status = ps__timeout_wait(&call, 0);
    /* A connection that its peer aborted before accept is no failure of the server. */
    else if (ps__os_signalled(error) || ps__os_code(error) == PS_CLOSED)
      result.status = ps__timeout_goon(&call, 'r');
    else
      result.status = ps__timeout_error(&call, error);
  }
  if (result.status.code != PS_TIMEOUT) ps__stream_satisfied(self, 'r');
  ps__call_end(&call);
  return result;
}

/* ---- Create and connect ---- */

/* limit is the number of the argument timeout. */
static ps_object connect_as(ps_object (*make_master)(void), ps_name address, ps_port port,
                            ps_localname locaddr, ps_localport locport,
                            ps_seconds timeout, short limit, ps_host *host) {
  static const bind_place local = {3, 4, "locaddr", "locport"};
  char digits[PS__DIGITS];
  const char *service;
  ps_status status = ps__resolve_name(address, 1, "address");
  if (status.code == PS_OK)
    status = ps__resolve_port(port, 2, "port", 1, digits, &service);
  if (status.code == PS_OK && isnan(timeout))
    status = ps__error_misuse(PS_MISUSE_NAN, limit, "timeout");
  if (status.code != PS_OK) return failed(status);
  ps_object made = make_master();
  if (made.status.code != PS_OK) return made;
  ps_socket *self = made.socket;
  /* One limit for bind and connect together. */
  if (timeout == 0)
    ps_socket_settimeout(self, 0, NULL);
  else if (timeout > 0)
    ps_socket_setdeadline(self, timeout);
  if (locaddr != NULL) status = bind_socket(self, locaddr, locport, local, 0, host);
  if (status.code == PS_OK) status = ps_socket_connect(self, address, port, host).status;
  ps_socket_settimeout(self, -1, NULL);
  ps_socket_setdeadline(self, INFINITY);
  return finish_making(made, status);
}

ps_object ps_connect(ps_name address, ps_port port, ps_localname locaddr,
                     ps_localport locport, ps_mode family, ps_seconds timeout,
                     ps_host *host) {
  if (family == NULL) family = "unspec";
  ps_object (*make_master)(void) = strcmp(family, "inet") == 0     ? ps_tcp4
                                   : strcmp(family, "inet6") == 0  ? ps_tcp6
                                   : strcmp(family, "unspec") == 0 ? ps_tcp
                                                                   : NULL;
  if (make_master == NULL) return failed(ps__error_misuse(PS_MISUSE_FAMILY, 5, "family"));
  return connect_as(make_master, address, port, locaddr, locport, timeout, 6, host);
}

ps_object ps_connect4(ps_name address, ps_port port, ps_localname locaddr,
                      ps_localport locport, ps_seconds timeout, ps_host *host) {
  return connect_as(ps_tcp4, address, port, locaddr, locport, timeout, 5, host);
}

ps_object ps_connect6(ps_name address, ps_port port, ps_localname locaddr,
                      ps_localport locport, ps_seconds timeout, ps_host *host) {
  return connect_as(ps_tcp6, address, port, locaddr, locport, timeout, 5, host);
}

/* ---- The end ---- */

ps_always ps_socket_shutdown(ps_socket *self, ps_mode mode) {
  ps_status status = ps__call_kind(self, PS__CLIENT);
  if (status.code != PS_OK) return (ps_always){status};
  if (mode == NULL) mode = "both";
  if (strcmp(mode, "both") != 0 && strcmp(mode, "send") != 0 &&
      strcmp(mode, "receive") != 0)
    return (ps_always){ps__error_misuse(PS_MISUSE_SHUTDOWNMODE, 1, "mode")};
  ps__call call;
  status = ps__call_begin(&call, self, NULL, PS__CLIENT | PS__DECIDED, PS__SHARED);
  if (status.code == PS_OK) {
    self->transport->shutdown(&call, mode);
    ps__call_end(&call);
  }
  /* By contract it is no failure if the peer has disconnected already. */
  return (ps_always){PS__DONE};
}

/* Drops the buffered bytes and the connect attempt of an object that is closed or in
   which no call is under way. */
static void forget_connection(ps_socket *self) {
  ps__connect_drop(self);
  ps__stream_clear(self);
}

ps_always ps_socket_close(ps_socket *self, ps_host *host) {
  ps_status status = ps__call_kind(self, PS__ANY);
  if (status.code != PS_OK) return (ps_always){status};
  ps__call call = {.self = self, .host = host};
  unsigned before;
  if (!ps__turn_close(&call, &before)) return (ps_always){PS__DONE};
  ps__member_end(self);
  /* The last of the calls under way closes the descriptor. */
  if ((before & (PS__CALLS | PS__BOTH)) == 0) forget_connection(self);
  atomic_store_explicit(&self->pending, 0, memory_order_relaxed);
  atomic_store_explicit(&self->wants, 0, memory_order_relaxed);
  if ((before & PS__CALLS) != 0) ps__os_wake();
  ps__call_end(&call);
  return (ps_always){PS__DONE};
}

void ps_socket_free(ps_socket *self, ps_host *host) {
  if (self == NULL) return;
  ps_socket_close(self, host);
  ps__connect_drop(self);
  ps__stream_free(self);
  ps__os_realloc(self, 0);
}

/* ---- The descriptor ---- */

ps_fd ps_socket_getfd(const ps_socket *self) {
  if (self == NULL) return (ps_fd){-1};
  unsigned state = atomic_load_explicit(&self->state, memory_order_relaxed);
  if ((state & PS__CLOSED) != 0) return (ps_fd){-1};
  return (ps_fd){atomic_load_explicit(&self->fd, memory_order_relaxed)};
}

typedef struct replacement {
  ps__call call;
  int answer;      /* result of ps__turn_replace */
  unsigned before; /* the state word when the object was empty */
} replacement;

static int pause_shortly(ps_host *host, double seconds) {
  ps__host_leave(host);
  ps__os_sleep(fmin(seconds, 0.0005));
  ps__host_enter(host);
  return PS__SIGNAL;
}

/* Waits until another setfd has finished, then until the calls under way have left. */
static int await_door(ps_host *host, void *context, double seconds) {
  replacement *made = context;
  made->answer = ps__turn_replace(&made->call);
  return made->answer != PS__TAKEN ? PS__READY : pause_shortly(host, seconds);
}

static int await_empty(ps_host *host, void *context, double seconds) {
  replacement *made = context;
  if (ps__turn_empty(&made->call, &made->before)) return PS__READY;
  ps__os_wake();
  return pause_shortly(host, seconds);
}

/* Replaces the descriptor of an object that no other call can enter. A call whose host
   runs interrupted, which may have called this function, still has its turn: members that
   belong to the turn are left to it, or to the next call. */
static void replace(const replacement *made, int fd) {
  ps_socket *self = made->call.self;
  int family = 0, closed = (made->before & PS__CLOSED) != 0;
  if (fd >= 0 && ps__os_adopt(fd, &family) == 0 && family != 0)
    atomic_store(&self->family, (unsigned char)family);
  ps__member_hold(self);
  int old = atomic_exchange(&self->fd, fd);
  if (closed)
    ps__timeout_close(made->call.host, old); /* in a forked child it may still be open */
  atomic_store(&self->foreign, 1);
  atomic_fetch_add(&self->replacements, 1);
  if (closed) atomic_fetch_add(&self->revivals, 1);
  if ((made->before & PS__BOTH) == 0 && closed) forget_connection(self);
  if ((made->before & PS__BOTH) == 0) ps__connect_drop(self);
  atomic_store(&self->naming, 0);
  atomic_store(&self->wants, 0);
  if (closed) atomic_store(&self->pending, 0);
  if (fd < 0)
    ps__member_end(self);
  else
    ps__member_follow(self);
}

ps_nothing ps_socket_setfd(ps_socket *self, ps_descriptor fd, ps_host *host) {
  ps_status status = ps__call_kind(self, PS__ANY);
  if (status.code == PS_OK && (fd < -1 || fd > INT_MAX))
    status = ps__error_misuse(PS_MISUSE_DESCRIPTOR, 1, "fd");
  if (status.code != PS_OK) return (ps_nothing){status};
  replacement made = {.call = {.self = self, .host = host}};
  ps__call wait = ps__call_alone(host, -1);
  status = ps__timeout_pause(&wait, await_door, &made);
  if (status.code == PS_OK && made.answer == PS__NESTED)
    status = ps__error_failure(PS_BUSY);
  if (status.code != PS_OK) return (ps_nothing){status};
  status = ps__timeout_pause(&wait, await_empty, &made);
  if (status.code == PS_OK) replace(&made, (int)fd);
  int closed = status.code == PS_OK && fd < 0;
  ps__timeout_close(host, ps__turn_replaced(&made.call, closed));
  ps__os_wake(); /* a ps_select that could not enter the object checks it again */
  return (ps_nothing){status};
}

ps_detached ps_socket_detach(ps_socket *self) {
  ps_detached result = {PS__DONE, -1};
  ps__call call;
  result.status = ps__call_try(&call, self, PS__ANY | PS__DECIDED, PS__BOTH);
  if (result.status.code != PS_OK) return result;
  if (ps__stream_size(self) > 0)
    result.status = ps__error_failure(PS_BUFFERED);
  else if (!ps__turn_detach(&call))
    result.status = ps__error_failure(PS_BUSY);
  else
    ps__member_end(self);
  if (result.status.code == PS_OK) result.fd = atomic_exchange(&self->fd, -1);
  if (result.status.code == PS_OK) ps__connect_drop(self);
  ps__call_end(&call);
  return result;
}
