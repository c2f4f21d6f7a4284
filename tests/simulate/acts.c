/* SPDX-License-Identifier: MIT */
/* See play.h: all calls but those that receive and send. */

#include <stdlib.h>

#include "play.h"

static const ps_port any_port = {NULL, 0};
static const double waits[] = {0, 0, 0.0004, 0.002, 0.005, 0.02, 0.05, -1};

static double wait_of(const action *of) { return waits[play_number(of, 20, 8)]; }

static const char *address_of(const action *of) {
  static const char *const names[] = {
      "10.0.0.1", "10.0.0.1",  "10.0.0.1",  "10.0.0.1",        "10.0.0.1",  "10.0.0.1",
      "10.0.0.1", "10.0.0.1",  "10.0.0.1",  "10.0.0.2",        "10.0.0.3",  "10.0.0.4",
      "fd00::1",  "good.test", "good.test", "late.test",       "many.test", "six.test",
      "bad.test", "hole.test", "odd.test",  "::ffff:10.0.0.1", "never.test"};
  return names[play_number(of, 21, 23)];
}

static int is_name(const char *address) { return net_address(address) < 0; }

static ps_port port_of(const action *of) {
  return (ps_port){NULL, 2000 + play_number(of, 22, 4) * play_number(of, 23, 2)};
}

/* ---- The end of an object, and its descriptor ---- */

static void close_one(const action *of) {
  object *there = &w.objects[of->object];
  ps_host *host = play_host(of);
  if (!play_begin("close", of->object, host)) return;
  ps_status status = PS__DONE;
  /* A setfd under way has the descriptor of the test. */
  if (there->setting == 0) {
    play_disturb(of->object);
    there->state = OBJECT_CLOSING;
    there->ended = 0;
    status = ps_socket_close(there->socket, host).status;
    world_must(status.code == PS_OK, "close returns %d", status.code);
    w.calm++;
    world_must(ps_socket_getfd(there->socket).fd == -1,
               "a closed object has a descriptor");
    w.calm--;
    there->ended = w.steps;
    play_disturbed(of->object);
  }
  play_end(of, status);
}

static void free_one(const action *of) {
  object *there = &w.objects[of->object];
  ps_host *host = play_host(of);
  world_language_take();
  if (there->socket == NULL || there->users > 0) {
    world_language_give();
    return;
  }
  w.calm++;
  model_check_end(there);
  w.calm--;
  play_use(of->object); /* nobody takes the place meanwhile */
  call_record *call = &w.current->call;
  *call = (call_record){.under_way = 1,
                        .name = "free",
                        .object = of->object,
                        .serial = call->serial + 1,
                        .host = host};
  play_free(of->object, host);
  play_end(of, PS__DONE);
}

/* Sets a descriptor until that succeeds: the host may say stop. */
static int set_descriptor(ps_socket *socket, int fd, ps_host *host) {
  for (int i = 0; i < 50; i++) {
    w.current->call.stopped = 0;
    short code = ps_socket_setfd(socket, fd, host).status.code;
    if (code == PS_OK) return 1;
    world_must(code == PS_INTERRUPTED || code == PS_BUSY, "setfd returns %d", code);
  }
  return 0;
}

static int float_file(int fd) {
  file *there = net_file(fd);
  if (there == NULL) return -1;
  there->owner = -1;
  there->floating = 1;
  return fd;
}

static void detach_and_set(object *there, int place, ps_host *host) {
  ps_detached got = ps_socket_detach(there->socket);
  if (got.status.code != PS_OK) {
    world_must(got.status.code == PS_BUSY || got.status.code == PS_BUFFERED ||
                   got.status.code == PS_CLOSED || got.status.code == PS_UNDECIDED,
               "detach returns %d", got.status.code);
    return;
  }
  world_must(w.polled[got.fd] == 0, "a detached descriptor is waited for");
  os_check_unwatched(got.fd);
  float_file(got.fd);
  net_file(got.fd)->owner = place;
  if (set_descriptor(there->socket, got.fd, host)) {
    net_file(got.fd)->floating = 0;
    /* What the object knew of the connection is forgotten with it. */
    if (net_file(got.fd)->reset_told) there->strict = 0;
  } else {
    there->state = OBJECT_CLOSING;
    net_close(got.fd);
  }
}

/* A connect may open a descriptor between the question for the old one and the setfd. It
   is the caller's then, like the old one. */
static void close_opened(int place, int fd) {
  for (int i = 0; i < w.file_count; i++) {
    const file *one = &w.files[i];
    if (one->owner == place && one->fd >= 0 && one->fd != fd && one->kind != FILE_GONE)
      net_close(one->fd);
  }
}

/* Gives the object another descriptor, or none. */
static void swap(object *there, int place, int fd, ps_host *host) {
  there->strict = 0;
  w.calm++;
  int old = ps_socket_getfd(there->socket).fd;
  w.calm--;
  if (old >= 0) float_file(old);
  for (int i = 0; i < w.file_count; i++) /* one that was closed may still be in use */
    if (w.files[i].owner == place && w.files[i].fd != fd) w.files[i].owner = -1;
  int done = set_descriptor(there->socket, fd, host);
  if (done) {
    there->state = fd < 0 ? OBJECT_CLOSING : OBJECT_OPEN;
    if (old >= 0) world_must(w.polled[old] == 0, "setfd left while a thread waits");
    if (old >= 0) net_close(old);
    if (fd >= 0) net_file(fd)->floating = 0;
    close_opened(place, fd);
    return;
  }
  there->state = old >= 0 ? OBJECT_OPEN : OBJECT_CLOSING;
  if (old >= 0) net_file(old)->owner = place;
  if (old >= 0) net_file(old)->floating = 0;
  if (fd >= 0) net_close(fd);
}

static void set_one(const action *of) {
  object *there = &w.objects[of->object];
  ps_host *host = play_host(of);
  if (!play_begin("setfd", of->object, host)) return;
  unsigned which = play_number(of, 24, 8);
  if (there->disturbers == 0) {
    play_disturb(of->object);
    there->setting++;
    w.current->has_fd[of->object]++;
    w.calm++;
    int fd = ps_socket_getfd(there->socket).fd;
    w.calm--;
    if (which < 3 && fd >= 0) {
      detach_and_set(there, of->object, host);
    } else if (which < 6 && fd >= 0) {
      set_descriptor(there->socket, fd, host);
    } else if (which == 6) {
      swap(there, of->object, -1, host);
    } else if (which == 7) {
      int made = net_adopt(of->object);
      if (made >= 0) net_file(made)->floating = 1;
      if (made >= 0) swap(there, of->object, made, host);
    }
    there->setting--;
    w.current->has_fd[of->object]--;
    play_disturbed(of->object);
  }
  w.current->call.stopped = 0;
  play_end(of, PS__DONE);
}

/* ---- Limits, and questions ---- */

static void set_limits(const action *of) {
  object *there = &w.objects[of->object];
  if (!play_begin("settimeout", of->object, NULL)) return;
  double value = wait_of(of);
  there->limits++;
  switch (play_number(of, 25, 4)) {
    case 0:
      ps_socket_settimeout(there->socket, there->total = value, "t");
      break;
    case 1:
      ps_socket_setdeadline(there->socket, value < 0 ? INFINITY : value);
      w.calm++; /* another thread may have set it meanwhile */
      there->deadline = w.now + ps_socket_getdeadline(there->socket).seconds;
      w.calm--;
      break;
    default:
      ps_socket_settimeout(there->socket, there->block = value, NULL);
  }
  ps_limits got = ps_socket_gettimeout(there->socket);
  (void)got;
  there->limits++;
  play_end(of, PS__DONE);
}

static void set_mark(const action *of) {
  object *there = &w.objects[of->object];
  static const int marks[] = {0, 0, PS_MARK_FROM_START, PS_MARK_KEEP,
                              PS_MARK_KEEP | PS_MARK_BUFFERED};
  if (!play_begin("setmark", of->object, NULL)) return;
  there->limits++;
  there->mark = marks[play_number(of, 26, 5)];
  ps_socket_setmark(there->socket, there->mark);
  there->limits++;
  play_end(of, PS__DONE);
}

static void look(const action *of) {
  object *there = &w.objects[of->object];
  ps_socket *socket = there->socket;
  if (!play_begin("look", of->object, NULL)) return;
  socket = there->socket;
  ps_status status = PS__DONE;
  switch (play_number(of, 27, 7)) {
    case 0:
      status = ps_socket_getpeername(socket).status;
      break;
    case 1:
      status = ps_socket_getsockname(socket).status;
      break;
    case 2:
      ps_socket_tostring(socket);
      ps_socket_getfamily(socket);
      ps_socket_getkind(socket);
      break;
    case 3:
      ps_socket_setstats(socket, -1, -1, 1);
      world_must(ps_socket_getstats(socket).age >= 0, "the age is negative");
      break;
    case 4:
      ps_socket_dirty(socket);
      ps_socket_wants(socket);
      ps_socket_getmark(socket);
      break;
    case 5:
      world_must(ps_socket_getdeadline(socket).seconds >= 0, "less than no time is left");
      ps_gettime();
      break;
    default:
      ps_socket_pending(socket);
      ps_socket_getfd(socket);
  }
  play_end(of, status);
}

static void option(const action *of) {
  static const char *const names[] = {"tcp-nodelay",      "keepalive",
                                      "recv-buffer-size", "linger",
                                      "tcp-user-timeout", "tcp-defer-accept"};
  object *there = &w.objects[of->object];
  const char *name = names[play_number(of, 28, 6)];
  if (!play_begin("option", of->object, NULL)) return;
  ps_status status;
  if (play_number(of, 29, 2)) {
    ps_option value = {PS_FLAG, 1, 1, 1000, 5, ""};
    if (name[0] == 'r' || strcmp(name, "tcp-defer-accept") == 0) value.type = PS_NUMBER;
    if (name[0] == 'l') value.type = PS_LINGER;
    if (strcmp(name, "tcp-user-timeout") == 0)
      value = (ps_option){PS_NUMBER, 0, 0, 0, 5, ""};
    status = ps_socket_setoption(there->socket, name, value).status;
  } else {
    if (play_number(of, 30, 4) == 0) name = "error";
    /* A receive at the same moment may take a reset whose error is read here for an end:
       only one of two threads that ask the system gets its answer. */
    play_disturb(of->object);
    status = ps_socket_getoption(there->socket, name).status;
    play_disturbed(of->object);
  }
  world_must(status.code < PS_MISUSED, "an option is misuse: %d", status.code);
  play_end(of, status);
}

/* ---- Connections ---- */

/* Reserves a place for an object that a call will make. Returns -1 for none. */
static int reserve(void) {
  int place = play_free_place();
  if (place >= 0) play_use(place);
  return place;
}

static void fill(int place, ps_object made, int strict) {
  if (made.socket != NULL) play_fill(place, made.socket, strict);
  play_leave(place);
}

static void accept_one(const action *of) {
  object *there = &w.objects[of->object];
  ps_host *host = play_host(of);
  if (!play_begin("accept", of->object, host)) return;
  limits at = play_limits(there);
  int place = reserve();
  ps_status status = PS__DONE;
  if (place >= 0) {
    ps_object made = ps_socket_accept(there->socket, host);
    status = made.status;
    world_must((made.socket != NULL) == (status.code == PS_OK), "accept and no object");
    fill(place, made, 1);
    play_check_status(status);
    play_check_limits(&at, there, status, 0);
  }
  play_end(of, status);
}

static void change_member(const action *of);

static void connect_one(const action *of) {
  object *there = &w.objects[of->object];
  ps_host *host = play_host(of);
  if (!play_begin("connect", of->object, host)) return;
  if (play_number(of, 64, 3) == 0) { /* so that it is continued, or waited for */
    there->limits++;
    ps_socket_settimeout(there->socket, there->block = 0.001, NULL);
  }
  limits at = play_limits(there);
  const char *address = address_of(of);
  there->strict &= there->file >= 0;
  ps_status status = ps_socket_connect(there->socket, address, port_of(of), host).status;
  play_check_status(status);
  play_check_limits(&at, there, status, is_name(address));
  play_end(of, status);
  if (status.code != PS_TIMEOUT || play_number(of, 63, 2) == 0) return;
  action part = *of;
  part.what = ACTION_ADD;
  change_member(&part);
}

static void bind_one(const action *of) {
  object *there = &w.objects[of->object];
  ps_host *host = play_host(of);
  if (!play_begin("bind", of->object, host)) return;
  limits at = play_limits(there);
  const char *address = play_number(of, 31, 2) ? "*" : address_of(of);
  ps_port port = play_number(of, 32, 2) ? any_port : port_of(of);
  ps_status status = ps_socket_bind(there->socket, address, port, host).status;
  play_check_status(status);
  play_check_limits(&at, there, status, is_name(address));
  play_end(of, status);
}

static void listen_one(const action *of) {
  object *there = &w.objects[of->object];
  if (!play_begin("listen", of->object, NULL)) return;
  play_end(of, ps_socket_listen(there->socket, 1 + play_number(of, 33, 9)).status);
}

static ps_object adopt(int place, unsigned which) {
  static const char *const kinds[] = {"master", "client", "server"};
  int fd = net_adopt(place);
  if (fd < 0) return (ps_object){PS__DONE, NULL};
  ps_object made = ps_fromfd(fd, kinds[which]);
  if (made.socket == NULL) net_close(fd); /* it is still the caller's */
  return made;
}

/* Makes an object in a place that nobody knows yet. */
static void make_one(const action *of) {
  ps_host *host = play_host(of);
  play_begin(action_names[of->what], -1, host);
  int place = reserve();
  ps_object made = {PS__DONE, NULL};
  if (place < 0) {
    play_end(NULL, PS__DONE);
    return;
  }
  w.current->call.object = place;
  double timeout = wait_of(of);
  if (host == NULL) timeout = fabs(timeout); /* nobody could end it: see stop_waits */
  const char *address = address_of(of);
  unsigned which = play_number(of, 34, 3);
  unsigned family = play_number(of, 62, 6);
  if (of->what == ACTION_MAKE && family == 0) {
    made = adopt(place, which);
  } else if (of->what == ACTION_MAKE) {
    made = which == 0 ? ps_tcp() : which == 1 ? ps_tcp4() : ps_tcp6();
  } else if (of->what == ACTION_SERVE) {
    made = ps_bind("*", port_of(of), 5, host);
  } else if (of->what == ACTION_MEET) {
    made =
        ps_connect("10.0.0.1", (ps_port){NULL, 2000}, NULL, any_port, NULL, 0.02, host);
    play_check_timeout(0.02, made.status, 0);
  } else {
    static const char *const families[] = {NULL, NULL, "inet"};
    if (family == 0)
      made = ps_connect4(address, port_of(of), NULL, any_port, timeout, host);
    else if (family == 1)
      made = ps_connect6(address, port_of(of), "fd00::1", any_port, timeout, host);
    else
      made = ps_connect(address, port_of(of), play_number(of, 35, 4) ? NULL : "10.0.0.1",
                        any_port, families[which], timeout, host);
    play_check_timeout(timeout, made.status, is_name(address));
  }
  play_check_status(made.status);
  world_must((made.socket != NULL) == (made.status.code == PS_OK),
             "success and no object");
  w.current->call.object = -1;
  fill(place, made, of->what == ACTION_DIAL || of->what == ACTION_MEET);
  play_end(of, made.status);
}

/* Is it closed, or has the peer gone? */
static int is_dead(const object *there) {
  if (there->socket == NULL || there->users > 0) return 0;
  if (there->state == OBJECT_CLOSING) return 1;
  if (there->file < 0) return 0;
  const file *its = &w.files[there->file];
  return its->kind == FILE_GONE || its->peer < 0 || w.files[its->peer].kind == FILE_GONE;
}

/* Removes what is of no use any more, and makes a new connection between two objects. */
static void meet(const action *of) {
  action part = *of;
  for (int i = 0; i < OBJECTS; i++) {
    part.object = (unsigned char)i;
    part.what = ACTION_FREE;
    if (is_dead(&w.objects[i])) free_one(&part);
  }
  part.what = ACTION_MEET;
  make_one(&part);
  int server = 0;
  while (server < OBJECTS && (w.objects[server].state != OBJECT_OPEN ||
                              atomic_load(&w.objects[server].socket->kind) != PS__SERVER))
    server++;
  part.what = server == OBJECTS ? ACTION_SERVE : ACTION_ACCEPT;
  part.object = (unsigned char)server;
  if (server == OBJECTS)
    make_one(&part);
  else
    accept_one(&part);
}

/* ---- Waiting for many ---- */

static int member_of(const action *of, unsigned which) {
  int place = which == 0 ? of->object : (int)play_number(of, 40 + which, OBJECTS);
  return w.objects[place].socket == NULL ? -1 : place;
}

static void select_some(const action *of) {
  enum { MOST = 3 };
  ps_watch watches[2][MOST];
  int places[2 * MOST], used = 0;
  size_t counts[2] = {play_number(of, 36, MOST + 1), play_number(of, 37, MOST)};
  ps_host *host = play_host(of);
  double timeout = wait_of(of);
  if (host == NULL) timeout = fabs(timeout) / 4; /* nobody could end it: see stop_waits */
  play_begin("select", -1, host);
  for (unsigned i = 0; i < 2; i++)
    for (unsigned j = 0; j < counts[i]; j++) {
      int place = member_of(of, i * MOST + j);
      watches[i][j] = (ps_watch){-1, 0, 0, 0, place < 0 ? NULL : w.objects[place].socket};
      if (place < 0) continue;
      play_use(place);
      places[used++] = place;
    }
  ps_status status = ps_select((ps_sockets){watches[0], counts[0]},
                               (ps_sockets){watches[1], counts[1]}, timeout, host)
                         .status;
  int ready = 0;
  for (unsigned i = 0; i < 2; i++)
    for (unsigned j = 0; j < counts[i]; j++) ready += watches[i][j].ready != 0;
  if (status.code == PS_OK)
    world_must(ready > 0, "select succeeds, and nothing is ready");
  if (status.code == PS_TIMEOUT)
    world_must(ready == 0, "a timeout, and something is ready");
  if (status.code == PS_TIMEOUT && w.mode == MODE_ALONE)
    for (unsigned j = 0; j < counts[0]; j++)
      if (watches[0][j].socket != NULL)
        world_must(!ps__has_news(watches[0][j].socket) ||
                       ps_socket_getfd(watches[0][j].socket).fd < 0,
                   "a timeout though bytes are buffered");
  play_check_timeout(timeout, status, 0);
  while (used > 0) play_leave(places[--used]);
  play_end(of, status);
}

static const char *const events[] = {"r", "w", "rw"};

/* The token of an object tells its place and age. */
static void *token_of(int place) {
  return (void *)(uintptr_t)(1 + place + OBJECTS * w.objects[place].age);
}

/* Only one thread may use a poller at a time. One that is closed goes, mostly. */
static int enter_poller(poller *on, const action *of) {
  if (on->users > 0) return 0;
  on->users++;
  if (on->closed && on->wakers == 0 && play_number(of, 54, 4) != 0) {
    ps_poller *old = on->poller;
    ps_pollerobject made = ps_poller_make();
    if (on->wakers > 0) { /* by now */
      ps_poller_free(made.poller);
    } else if (made.status.code == PS_OK) {
      on->poller = made.poller;
      on->closed = 0;
      ps_poller_free(old);
    }
  }
  return 1;
}

static void change_member(const action *of) {
  object *there = &w.objects[of->object];
  poller *on = &w.pollers[of->poller];
  if (!play_begin(action_names[of->what], of->object, NULL)) return;
  if (!enter_poller(on, of)) {
    play_end(NULL, PS__DONE);
    return;
  }
  ps_source source = {there->socket, -1};
  if (play_number(of, 61, 6) == 0) source = (ps_source){NULL, on->fd};
  void *token = source.socket == NULL ? NULL : token_of(of->object);
  const char *wanted = events[play_number(of, 38, 3)];
  ps_status status;
  switch (of->what) {
    case ACTION_ADD:
      there->ended = 0;
      there->added |= 1u << of->poller;
      status = ps_poller_add(on->poller, source, wanted, token).status;
      there->ended = 0;
      break;
    case ACTION_MODIFY:
      status = ps_poller_modify(on->poller, source, wanted, token).status;
      break;
    case ACTION_REMOVE:
      status = ps_poller_remove(on->poller, source).status;
      break;
    default:
      status = ps_poller_ready(on->poller, source).status;
      ps_poller_token(on->poller, source);
  }
  on->users--;
  world_must(status.code < PS_MISUSED, "a poller says misuse: %d", status.code);
  play_check_status(status);
  play_end(of, status);
}

static void check_event(const ps_event *event, int on, uint64_t began) {
  if (event->token == NULL) return; /* the descriptor that no object has */
  uintptr_t token = (uintptr_t)event->token - 1;
  int place = (int)(token % OBJECTS), age = (int)(token / OBJECTS);
  const object *there = &w.objects[place];
  world_must(there->age >= age, "an event of an object that was never there");
  if (there->age != age) return; /* it went while the wait returned */
  world_must((there->added >> on & 1) != 0 || there->state != OBJECT_OPEN,
             "an event of an object that was never added");
  if (there->state == OBJECT_CLOSING && there->ended > 0)
    world_must(there->ended >= began, "an event of an object that was closed before");
}

static void wait_for_events(const action *of) {
  poller *on = &w.pollers[of->poller];
  ps_host *host = play_host(of);
  double timeout = wait_of(of);
  play_begin("poller wait", -1, host);
  uint64_t began = w.steps;
  ps_most most = play_number(of, 39, 3);
  if (!enter_poller(on, of)) {
    play_end(NULL, PS__DONE);
    return;
  }
  ps_polled got = ps_poller_wait(on->poller, timeout, most, host);
  world_must(most == 0 || got.count <= (size_t)most, "more events than were asked for");
  for (size_t i = 0; got.status.code == PS_OK && i < got.count; i++)
    check_event(&got.events[i], of->poller, began);
  on->users--;
  play_check_status(got.status);
  play_check_timeout(timeout, got.status, 0);
  play_end(of, got.status);
}

static void use_poller(const action *of) {
  poller *on = &w.pollers[of->poller];
  play_begin("poller", -1, NULL);
  if (!enter_poller(on, of)) {
    play_end(NULL, PS__DONE);
    return;
  }
  void *token;
  size_t at = 0;
  switch (play_number(of, 50, 6)) {
    case 0:
      ps_poller_getfd(on->poller);
      break;
    case 1:
      while (ps_poller_ended(on->poller, &token)) {
      }
      break;
    case 2:
      while (ps_poller_each(on->poller, &at, &token)) {
      }
      break;
    case 3:
      if (play_number(of, 51, 3) != 0) break;
      on->closed = 1;
      ps_poller_close(on->poller);
      break;
    default:
      ps_poller_count(on->poller);
  }
  on->users--;
  play_end(of, PS__DONE);
}

/* ---- The rest ---- */

static void free_lists(ps_entry *first, ps_entry *second) {
  ps_resolved_free(first);
  ps_resolved_free(second);
}

static void ask_names(const action *of) {
  const char *address = address_of(of);
  double timeout = wait_of(of);
  ps_host *host = play_host(of);
  play_begin("dns", -1, host);
  ps_status status;
  unsigned which = play_number(of, 52, 4);
  if (which == 0) {
    ps_addresses got = ps_dns_getaddrinfo(address, timeout, host);
    status = got.status;
    free_lists(got.entries, NULL);
  } else if (which == 1) {
    ps_resolved got = ps_dns_toip(address, timeout, host);
    status = got.status;
    free_lists(got.aliases, got.ips);
  } else if (which == 2) {
    ps_resolved got = ps_dns_tohostname(address, timeout, host);
    status = got.status;
    free_lists(got.aliases, got.ips);
  } else {
    ps_names got = ps_dns_getnameinfo(address, NULL, timeout, host);
    status = got.status;
    free_lists(got.names, NULL);
  }
  play_check_status(status);
  play_check_timeout(timeout, status, 1);
  play_end(of, status);
}

static void sleep_some(const action *of) {
  double seconds = fabs(wait_of(of)) / 2;
  ps_host *host = play_host(of);
  play_begin("sleep", -1, host);
  ps_status status = ps_sleep(seconds, host).status;
  if (status.code == PS_OK)
    world_must(w.now >= w.current->call.began + seconds - 1e-9, "a sleep is too short");
  play_check_timeout(seconds, PS__DONE, 0);
  play_end(of, status);
}

static void fork_all(const action *of) {
  if (w.rates[FAULT_FORK] == 0) return;
  play_begin("fork", -1, NULL);
  world_fork();
  play_end(of, PS__DONE);
}

void play_act(const action *of) {
  static void (*const acts[ACTION_COUNT])(const action *of) = {
      [ACTION_CLOSE] = close_one,
      [ACTION_FREE] = free_one,
      [ACTION_SETFD] = set_one,
      [ACTION_LIMITS] = set_limits,
      [ACTION_MARK] = set_mark,
      [ACTION_LOOK] = look,
      [ACTION_OPTION] = option,
      [ACTION_ACCEPT] = accept_one,
      [ACTION_CONNECT] = connect_one,
      [ACTION_BIND] = bind_one,
      [ACTION_LISTEN] = listen_one,
      [ACTION_MAKE] = make_one,
      [ACTION_DIAL] = make_one,
      [ACTION_SERVE] = make_one,
      [ACTION_MEET] = meet,
      [ACTION_SELECT] = select_some,
      [ACTION_ADD] = change_member,
      [ACTION_MODIFY] = change_member,
      [ACTION_REMOVE] = change_member,
      [ACTION_READY] = change_member,
      [ACTION_WAIT] = wait_for_events,
      [ACTION_POLLER] = use_poller,
      [ACTION_NAMES] = ask_names,
      [ACTION_SLEEP] = sleep_some,
      [ACTION_CLONE] = fork_all};
  if (of->what == ACTION_SHUTDOWN) {
    static const char *const modes[] = {"send", "send", "send", "receive", NULL};
    if (!play_begin("shutdown", of->object, NULL)) return;
    ps_mode mode = modes[play_number(of, 53, 5)];
    play_end(of, ps_socket_shutdown(w.objects[of->object].socket, mode).status);
  } else if (of->what == ACTION_WAKE) {
    play_begin("poller wake", -1, NULL);
    w.pollers[of->poller].wakers++;
    ps_poller_wake(w.pollers[of->poller].poller);
    w.pollers[of->poller].wakers--;
    play_end(of, PS__DONE);
  } else {
    acts[of->what](of);
  }
}
