/* SPDX-License-Identifier: MIT */
/* See world.h: descriptors, connections and what goes through them. The bytes on their
   way are kept, so that what comes out can be compared with what went in. A descriptor is
   checked at each use: it is open, and it is of the object that the call is for. */

#include <errno.h>
#include <stdlib.h>

#include "world.h"

/* ---- Addresses: a table, as parsing would cost more than all the rest ---- */

enum { HERE, REFUSING, HOLE, UNREACHABLE, HERE6, MAPPED };
const char *const world_addresses[ADDRESSES] = {
    "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "fd00::1", "::ffff:10.0.0.1"};
const int world_families[ADDRESSES] = {4, 4, 4, 4, 6, 6};

int net_address(const char *text) {
  for (int i = 0; i < ADDRESSES; i++)
    if (strcmp(world_addresses[i], text) == 0) return i;
  return -1;
}

/* ---- Files ---- */

static file *open_file(int kind, int family, int owner) {
  int fd = 0;
  while (fd < FDS && w.fds[fd] >= 0) fd++;
  if (fd == FDS || w.file_count == FILES) return NULL;
  w.fds[fd] = w.file_count;
  file *made = &w.files[w.file_count++];
  made->kind = kind;
  made->family = family;
  made->fd = fd;
  made->owner = owner;
  made->fiber = w.current->id;
  made->call = w.current->call.serial;
  made->peer = -1;
  made->port = 40000 + w.file_count;
  made->address = family == 6 ? HERE6 : HERE;
  made->due = made->reset_due = made->in.fin_due = INFINITY;
  made->latency = world_chance(4) == 0 ? world_chance(5000) * 1e-6 : 20e-6;
  static const size_t capacities[] = {1, 7, 300, 5000, 65536, 1 << 18, 1 << 18, 1 << 18};
  made->capacity = capacities[world_chance(8)];
  if (made->capacity < w.least_capacity) made->capacity = w.least_capacity;
  return made;
}

file *net_file(int fd) {
  return fd >= 0 && fd < FDS && w.fds[fd] >= 0 ? &w.files[w.fds[fd]] : NULL;
}

static file *use(int fd, const char *what) {
  file *one = net_file(fd);
  const call_record *call = &w.current->call;
  world_must(one != NULL, "%s uses descriptor %d, which is closed", what, fd);
  world_must(one->owner < 0 || call->object < 0 || one->owner == call->object,
             "%s uses descriptor %d of another object", what, fd);
  return one;
}

static double soon(const file *one) {
  return w.now + one->latency * (1 + world_chance(100)) / 100;
}

static void end_stream(stream *in, double due) {
  if (in->fin_due < INFINITY) return;
  if (in->segment_count > 0) due = fmax(due, in->segments[in->segment_count - 1].due);
  in->fin_due = due;
}

static void reset_at(file *one, double due) {
  if (one->kind == FILE_GONE || one->reset) return;
  if (one->in.segment_count > 0)
    due = fmax(due, one->in.segments[one->in.segment_count - 1].due);
  if (one->in.fin_due < INFINITY) due = fmax(due, one->in.fin_due);
  one->reset_due = fmin(one->reset_due, due);
}

/* Takes in what has arrived by now. */
static void settle(file *one) {
  stream *in = &one->in;
  if (one->kind == FILE_CONNECTING && one->due <= w.now) {
    one->kind = one->outcome == 0 ? FILE_CONNECTED : FILE_PLAIN;
    one->error = one->outcome;
  }
  int done = 0;
  while (done < in->segment_count && in->segments[done].due <= w.now)
    in->arrived = in->segments[done++].end;
  if (done > 0) {
    in->segment_count -= done;
    memmove(in->segments, in->segments + done,
            (size_t)in->segment_count * sizeof *in->segments);
  }
  if (one->kind != FILE_CONNECTED || one->reset || one->reset_due > w.now) return;
  one->reset = 1;
  int ended = in->fin_due <= w.now && in->segment_count == 0;
  one->error = ended ? EPIPE : ECONNRESET;
  in->segment_count = 0;
  if (!ended && (one->fd & 1) != 0) in->arrived = in->delivered; /* some systems do */
  if (in->arrived < in->written) one->dropped = 1;
}

static int has_ended(const file *one) {
  return one->in.fin_due <= w.now && one->in.segment_count == 0 && !one->dropped;
}

static int has_room(const file *one) {
  if (one->peer < 0 || w.files[one->peer].kind == FILE_GONE) return 1;
  const stream *out = &w.files[one->peer].in;
  if (w.files[one->peer].shut_in) return 1;
  return out->written - out->delivered < one->capacity;
}

int net_readable(file *one) {
  settle(one);
  if (one->kind == FILE_LISTENING)
    return one->queued > 0 && w.files[one->queue[0]].due <= w.now;
  if (one->kind != FILE_CONNECTED) return one->kind == FILE_PLAIN;
  return one->reset || one->shut_in || one->in.arrived > one->in.delivered ||
         has_ended(one);
}

int net_writable(file *one) {
  settle(one);
  if (one->kind != FILE_CONNECTED) return one->kind == FILE_PLAIN;
  return one->reset || one->shut_out || has_room(one);
}

double net_next(void) {
  double next = INFINITY;
  for (int i = 0; i < w.file_count; i++) {
    const file *one = &w.files[i];
    if (one->kind == FILE_GONE) continue;
    if (one->due > w.now && one->due < next) next = one->due;
    if (one->reset_due > w.now && one->reset_due < next) next = one->reset_due;
    if (one->in.fin_due > w.now && one->in.fin_due < next) next = one->in.fin_due;
    for (int j = 0; j < one->in.segment_count; j++) {
      double due = one->in.segments[j].due;
      if (due > w.now && due < next) next = due;
    }
  }
  return next;
}

int net_adopt(int owner) {
  file *made = open_file(FILE_PLAIN, 4, owner);
  return made == NULL ? -1 : made->fd;
}

void net_reset(file *one) {
  if (one->kind != FILE_CONNECTED) return;
  reset_at(one, w.now);
  if (one->peer >= 0) reset_at(&w.files[one->peer], soon(one));
}

static void drop_queue(file *one) {
  for (int i = 0; i < one->queued; i++) {
    file *waiting = &w.files[one->queue[i]];
    waiting->kind = FILE_GONE;
    if (waiting->peer >= 0) reset_at(&w.files[waiting->peer], soon(one));
  }
  one->queued = 0;
}

/* The end of an open file. */
static void finish(file *one) {
  settle(one);
  drop_queue(one);
  if (one->peer >= 0 && w.files[one->peer].kind != FILE_GONE) {
    file *peer = &w.files[one->peer];
    if (one->in.delivered < one->in.written || one->kind == FILE_CONNECTING)
      reset_at(peer, soon(one));
    else
      end_stream(&peer->in, soon(one));
  }
  one->kind = FILE_GONE;
}

void net_close(int fd) {
  file *one = net_file(fd);
  world_must(one != NULL, "the test closes descriptor %d, which is closed", fd);
  os_check_unwatched(fd);
  finish(one);
  w.fds[fd] = -1;
}

/* ---- core/os.h: sockets ---- */

int ps__os_socket(int family, int *fd) {
  world_step();
  if (world_strikes(FAULT_EMFILE)) return EMFILE;
  file *made = open_file(FILE_PLAIN, family, w.current->call.object);
  if (made == NULL) return EMFILE;
  *fd = made->fd;
  NOTE("socket = %d", *fd);
  return 0;
}

int ps__os_replace(int made, int *replaced) {
  world_step();
  int fd = *replaced;
  file *from = use(made, "replace"), *old = use(fd, "replace");
  NOTE("replace %d by %d", fd, made);
  os_forget(fd);
  finish(old);
  w.fds[fd] = (int)(from - w.files);
  w.fds[made] = -1;
  from->fd = fd;
  return 0;
}

int ps__os_adopt(int fd, int *family) {
  world_step();
  const file *one = net_file(fd);
  if (one == NULL) return EBADF;
  *family = one->family;
  return 0;
}

int ps__os_prepare(int fd) {
  world_step();
  return net_file(fd) == NULL ? EBADF : 0;
}

typedef struct place {
  int address, port;
} place;

static place place_of(const ps__addr *addr) {
  place there;
  memcpy(&there, addr->raw.bytes, sizeof there);
  return there;
}

static int family_of(int family) { return family == 6 ? 6 : 4; }

static const file *bound_to(int port, int listens) {
  for (int i = 0; i < w.file_count; i++) {
    const file *one = &w.files[i];
    if (one->kind == FILE_LISTENING || (!listens && one->kind == FILE_PLAIN))
      if (one->port == port) return one;
  }
  return NULL;
}

int ps__os_bind(int fd, const ps__addr *addr) {
  world_step();
  file *one = use(fd, "bind");
  place there = place_of(addr);
  NOTE("bind %d to %d", fd, there.port);
  if (one->family != family_of(addr->family)) return EINVAL;
  if (one->kind != FILE_PLAIN) return EINVAL;
  if (there.port > 0 && there.port < 1024) return EACCES;
  if (there.port > 0 && bound_to(there.port, 0) != NULL) return EADDRINUSE;
  if (there.port > 0) one->port = there.port;
  one->address = there.address;
  return 0;
}

int ps__os_local(int fd, ps__addr *addr) {
  world_step();
  const file *one = use(fd, "local");
  place here = {one->address, one->port};
  memcpy(addr->raw.bytes, &here, sizeof here);
  return 0;
}

int ps__os_reuse(int fd) {
  world_step();
  use(fd, "reuse")->options[PS__OPTION_REUSEADDR] = 1;
  return 0;
}

int ps__os_listen(int fd, int backlog) {
  world_step();
  file *one = use(fd, "listen");
  if (one->kind != FILE_PLAIN && one->kind != FILE_LISTENING) return EINVAL;
  if (bound_to(one->port, 1) != NULL && one->kind == FILE_PLAIN) return EADDRINUSE;
  one->kind = FILE_LISTENING;
  one->backlog = backlog > 0 && backlog < BACKLOG ? backlog : BACKLOG;
  return 0;
}

int ps__os_accept(int fd, int *client) {
  world_step();
  file *one = use(fd, "accept");
  call_record *call = &w.current->call;
  call->progress = w.now;
  if (one->kind != FILE_LISTENING) return EINVAL;
  if (world_strikes(FAULT_EINTR)) return EINTR;
  if (world_strikes(FAULT_EMFILE)) return EMFILE;
  if (world_strikes(FAULT_EAGAIN) || !net_readable(one)) return EAGAIN;
  file *made = &w.files[one->queue[0]];
  int free = 0;
  while (free < FDS && w.fds[free] >= 0) free++;
  if (free == FDS) return EMFILE;
  one->queued--;
  memmove(one->queue, one->queue + 1, (size_t)one->queued * sizeof *one->queue);
  settle(made);
  if (made->reset && world_chance(2) == 0) {
    finish(made);
    return ECONNABORTED;
  }
  made->fd = free;
  made->fiber = w.current->id;
  made->call = call->serial;
  w.fds[free] = (int)(made - w.files);
  *client = free;
  NOTE("accept on %d = %d", fd, free);
  world_step();
  return 0;
}

/* Puts the other end of a connection into the queue of a server. */
static int join(file *one, file *server) {
  if (w.file_count == FILES) return ECONNREFUSED;
  file *made = &w.files[w.file_count];
  int fd = 0;
  while (fd < FDS && w.fds[fd] >= 0) fd++;
  if (fd == FDS) return ECONNREFUSED;
  made = open_file(FILE_CONNECTED, one->family, -1);
  w.fds[made->fd] = -1; /* accept gives it one */
  made->fd = -1;
  made->port = server->port;
  made->address = server->address;
  made->peer = (int)(one - w.files);
  one->peer = (int)(made - w.files);
  one->due = made->due = soon(one);
  made->in.fin_due = INFINITY;
  server->queue[server->queued++] = one->peer;
  return 0;
}

int ps__os_connect(int fd, const ps__addr *addr) {
  world_step();
  file *one = use(fd, "connect");
  place there = place_of(addr);
  w.current->call.progress = w.now;
  settle(one);
  NOTE("connect %d to %d:%d", fd, there.address, there.port);
  if (one->family != family_of(addr->family)) return EAFNOSUPPORT;
  if (one->kind == FILE_CONNECTED) return EISCONN;
  if (one->kind == FILE_CONNECTING) return EALREADY;
  if (one->kind != FILE_PLAIN) return EINVAL;
  if (there.address == UNREACHABLE) return EHOSTUNREACH;
  one->error = 0;
  one->outcome = 0;
  one->shut_in = one->shut_out = one->reset = one->dropped = 0;
  one->reset_due = INFINITY;
  one->in = (stream){.fin_due = INFINITY};
  file *server = NULL;
  for (int i = 0; i < w.file_count; i++)
    if (w.files[i].kind == FILE_LISTENING && w.files[i].port == there.port)
      server = &w.files[i];
  if (there.address == HOLE) {
    one->due = INFINITY;
  } else if (there.address == REFUSING || server == NULL ||
             server->queued >= server->backlog || join(one, server) != 0) {
    one->due = soon(one);
    one->outcome = ECONNREFUSED;
    if (world_chance(4) == 0) return ECONNREFUSED;
  }
  one->kind = FILE_CONNECTING;
  if (one->outcome != 0 || one->due == INFINITY || world_chance(4) != 0)
    return EINPROGRESS;
  one->kind = FILE_CONNECTED; /* in place */
  one->due = w.files[one->peer].due = w.now;
  return 0;
}

int ps__os_disconnect(int fd) {
  world_step();
  file *one = use(fd, "disconnect");
  NOTE("disconnect %d", fd);
  settle(one);
  if (one->kind != FILE_CONNECTING && one->kind != FILE_CONNECTED) return 1;
  if (one->peer >= 0) reset_at(&w.files[one->peer], soon(one));
  one->kind = FILE_PLAIN;
  one->error = 0;
  one->peer = -1;
  one->due = one->reset_due = INFINITY;
  one->in = (stream){.fin_due = INFINITY};
  return 1;
}

static int tell_error(file *one) {
  int error = one->error;
  one->error = 0;
  if (error == ECONNRESET || error == EPIPE) one->reset_told = 1;
  return error;
}

int ps__os_recv(int fd, void *data, size_t size, size_t *got) {
  world_step();
  file *one = use(fd, "receive");
  stream *in = &one->in;
  call_record *call = &w.current->call;
  *got = 0;
  call->progress = w.now;
  world_must(size > 0, "a read of nothing");
  if (world_strikes(FAULT_EINTR)) return EINTR;
  if (world_strikes(FAULT_RESET)) net_reset(one);
  settle(one);
  if (one->kind == FILE_CONNECTING) return EAGAIN;
  if (one->kind != FILE_CONNECTED) return ENOTCONN;
  if (world_strikes(FAULT_EAGAIN)) return EAGAIN;
  int error = 0;
  if (one->shut_in) { /* what comes is discarded */
  } else if (in->arrived > in->delivered) {
    size_t count = in->arrived - in->delivered;
    if (count > size) count = size;
    if (world_strikes(FAULT_SHORT)) count = 1 + world_chance((unsigned)count);
    memcpy(data, in->log + in->delivered, count);
    in->delivered += count;
    call->received += count;
    *got = count;
  } else if (has_ended(one)) {
    one->ended = 1;
  } else if (one->error != 0) {
    error = tell_error(one);
  } else if (!one->reset) {
    error = EAGAIN;
  }
  NOTE("receive on %d: %zu bytes, %d", fd, *got, error);
  call->progress = w.now;
  world_step();
  return error;
}

static int append(stream *to, const char *data, size_t size, double due) {
  if (to->written + size > to->room) {
    size_t room = (to->written + size) * 2 + 256;
    char *log = world_log(room);
    if (log == NULL) return 0;
    if (to->written > 0) memcpy(log, to->log, to->written);
    to->log = log;
    to->room = room;
  }
  memcpy(to->log + to->written, data, size);
  to->written += size;
  int last = to->segment_count - 1;
  if (last >= 0 && (to->segments[last].due >= due || last + 1 == SEGMENTS)) {
    to->segments[last].end = to->written;
  } else {
    to->segments[to->segment_count].end = to->written;
    to->segments[to->segment_count++].due = due;
  }
  return 1;
}

/* The bytes must be the next ones of the call, and those of one call stay together. */
static void check_sent(file *one, const char *data, size_t size) {
  const call_record *call = &w.current->call;
  world_must(data == call->data && size <= call->left,
             "sent are not the next bytes of the call");
  if (call->sending_began)
    world_must(one->sender == w.current->id && one->sending == call->serial,
               "bytes of two calls are mixed");
}

int ps__os_send(int fd, const void *data, size_t size, size_t *sent) {
  world_step();
  file *one = use(fd, "send");
  call_record *call = &w.current->call;
  *sent = 0;
  call->progress = w.now;
  world_must(size > 0, "a write of nothing");
  check_sent(one, data, size);
  if (world_strikes(FAULT_EINTR)) return EINTR;
  if (world_strikes(FAULT_RESET)) net_reset(one);
  settle(one);
  if (one->kind == FILE_CONNECTING) return EAGAIN;
  if (one->kind != FILE_CONNECTED || one->shut_out) return EPIPE;
  if (one->error != 0) return tell_error(one);
  if (one->reset) return EPIPE;
  if (world_strikes(FAULT_EAGAIN) || !has_room(one)) return EAGAIN;
  size_t count = size;
  file *peer = one->peer < 0 ? NULL : &w.files[one->peer];
  if (peer == NULL || peer->kind == FILE_GONE) {
    reset_at(one, soon(one));
  } else {
    size_t room = one->capacity - (peer->in.written - peer->in.delivered);
    if (count > room && !peer->shut_in) count = room;
    if (world_strikes(FAULT_SHORT)) count = 1 + world_chance((unsigned)count);
    if (!append(&peer->in, data, count, soon(one))) return ENOBUFS;
  }
  *sent = count;
  call->data += count;
  call->left -= count;
  call->sent += count;
  call->sending_began = 1;
  one->sender = w.current->id;
  one->sending = call->serial;
  NOTE("send on %d: %zu bytes", fd, count);
  call->progress = w.now;
  world_step();
  return 0;
}

int ps__os_shutdown(int fd, const char *mode) {
  world_step();
  file *one = use(fd, "shutdown");
  settle(one);
  NOTE("shutdown %d %s", fd, mode);
  if (one->kind != FILE_CONNECTED) return ENOTCONN;
  if (mode[0] != 's') one->shut_in = 1;
  if (mode[0] == 'r' || one->shut_out) return 0;
  one->shut_out = 1;
  if (one->peer >= 0) end_stream(&w.files[one->peer].in, soon(one));
  return 0;
}

int ps__os_close(int fd) {
  world_step();
  file *one = net_file(fd);
  NOTE("close %d", fd);
  world_must(one != NULL, "descriptor %d is closed twice", fd);
  const call_record *call = &w.current->call;
  world_must(one->owner < 0 || call->object < 0 || one->owner == call->object,
             "a descriptor of another object is closed");
  world_must(one->owner < 0 || w.objects[one->owner].state != OBJECT_OPEN,
             "the descriptor of an open object is closed");
  world_must(w.polled[fd] == 0, "descriptor %d is closed while a thread waits for it",
             fd);
  os_check_unwatched(fd);
  finish(one);
  w.fds[fd] = -1;
  world_step();
  return 0;
}

int ps__os_name(int fd, int peer, ps_address *name) {
  world_step();
  file *one = use(fd, "name");
  settle(one);
  if (peer && (one->kind != FILE_CONNECTED || one->reset || one->peer < 0))
    return ENOTCONN;
  const file *named = peer ? &w.files[one->peer] : one;
  strcpy(name->ip, world_addresses[named->address]);
  name->port = named->port;
  name->family = one->family == 6 ? "inet6" : "inet";
  return 0;
}

/* ---- core/os.h: options ---- */

int ps__os_hasoption(int option) { return option != PS__OPTION_DEFERACCEPT; }

int ps__os_setoption(int fd, int option, const ps_option *value) {
  world_step();
  file *one = use(fd, "setoption");
  one->options[option] = value->integer;
  return 0;
}

int ps__os_getoption(int fd, int option, ps_option *value) {
  world_step();
  file *one = use(fd, "getoption");
  settle(one);
  value->integer = one->options[option];
  if (option == PS__OPTION_ERROR) value->integer = tell_error(one);
  world_step();
  return 0;
}

int ps__os_copyoption(int from, int to, int option) {
  world_step();
  if (option == PS__OPTION_ERROR) return EINVAL;
  use(to, "copyoption")->options[option] = use(from, "copyoption")->options[option];
  return 0;
}
