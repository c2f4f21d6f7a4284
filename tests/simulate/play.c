/* SPDX-License-Identifier: MIT */
/* See play.h. Hosts are of three kinds: those that take views or lend memory, whose calls
   may overlap anywhere; those that hold, whose calls overlap only where the host is left;
   and all of them in a program of one thread. */

#include "play.h"

#include <errno.h>
#include <stdlib.h>

const script *played;
tally tallied;
const char *play_text;
static char *texts[2]; /* without and with CRs */

static char *make_text(int returns) {
  uint64_t random = 4711;
  char *made = malloc(TEXT + 128);
  for (int i = 0; i < TEXT;) {
    unsigned chance = (unsigned)(random_next(&random) >> 40) % 2400;
    if (chance == 0) {
      memset(made + i, 'Q', 70); /* a long delimiter */
      i += 70;
    } else {
      made[i++] = chance < 100              ? '\n'
                  : chance < 180 && returns ? '\r'
                  : chance < 240            ? ';'
                                            : (char)('a' + chance % 16);
    }
  }
  return made;
}

void play_setup(void) {
  texts[0] = make_text(0);
  texts[1] = make_text(1);
}

/* ---- Hosts ---- */

static void leave(ps_host *host) {
  (void)host;
  world_must(!w.current->left, "the host is left twice");
  w.current->left = 1;
  world_language_give();
  world_step();
}

static void enter(ps_host *host) {
  (void)host;
  world_must(w.current->left, "the host is entered twice");
  world_step();
  world_language_take();
  w.current->left = 0;
}

static void *grow(ps_host *host, size_t size) {
  (void)host;
  world_step();
  lent *given = &w.current->call.lent;
  world_must(!w.current->left, "memory is asked for while the host is left");
  if (world_strikes(FAULT_ENOMEM)) return NULL;
  char *made = world_log(size + 8);
  if (made == NULL) return NULL;
  if (given->memory != NULL) {
    size_t kept = given->size < size ? given->size : size;
    memcpy(made, given->memory, kept);
    memset(given->memory, 0x5a, given->size < 256 ? given->size : 256);
  }
  memset(made + size, 0x77, 8);
  *given = (lent){made, size};
  return made;
}

/* What a signal handler may do to the object of the call. */
static void act_nested(void) {
  call_record *call = &w.current->call;
  if (call->object < 0 || w.objects[call->object].state != OBJECT_OPEN) return;
  object *there = &w.objects[call->object];
  if (there->socket == NULL) return;
  call_record saved = *call;
  ps_host host = w.current->host;
  host.interrupted = NULL;
  ps_bytes got;
  call->host = &host;
  call->lent = (lent){NULL, 0};
  switch (world_chance(6)) {
    case 0:
      ps_socket_getstats(there->socket);
      ps_socket_getfd(there->socket);
      break;
    case 1:
      if (!saved.receiving) break; /* or it waits for the turn: */
      if (atomic_load(&there->socket->owner[0]) != ps__os_thread()) break;
      got = ps_socket_receive(there->socket, PS_LINE, (ps_prefix){NULL, 0}, 0, &host);
      world_must(got.status.code == PS_BUSY || got.status.code == PS_CLOSED ||
                     got.status.code == PS_NOMEMORY,
                 "a receive inside of a receive: %d", got.status.code);
      break;
    case 2:
      if (there->setting > 0 || world_chance(8) != 0) break;
      play_disturb(saved.object);
      there->state = OBJECT_CLOSING;
      ps_socket_close(there->socket, NULL);
      play_disturbed(saved.object);
      break;
    case 3:
      if (world_strikes(FAULT_FORK)) world_fork();
      break;
    default:
      ps_socket_pending(there->socket);
      ps_socket_wants(there->socket);
  }
  double progress = call->progress;
  *call = saved;
  call->progress = progress;
}

static int interrupted(ps_host *host) {
  (void)host;
  world_step();
  call_record *call = &w.current->call;
  world_must(!w.current->left, "the host is asked while it is left");
  world_must(w.lock_owner != w.current, "the host is asked with the lock");
  if (world_strikes(FAULT_NESTED)) act_nested();
  int stop = (call->stopped & 2) != 0 || world_strikes(FAULT_STOP);
  if (stop) call->stopped = 1;
  return stop;
}

/* A host of one kind for the life of an object would hide mistakes; each call may have
   another. */
ps_host *play_host(const action *of) {
  ps_host *host = &w.current->host;
  int kind = w.mode == MODE_LOCKED ? HOST_HOLD + (int)play_number(of, 90, 2)
             : w.mode == MODE_FREE ? HOST_NONE + (int)play_number(of, 90, 3)
                                   : HOST_NONE + (int)play_number(of, 90, 5);
  if (kind == HOST_NONE) return NULL;
  *host = (ps_host){leave, enter, interrupted, NULL, PS_HOST_VIEW};
  if (kind == HOST_LEND) host->mode = PS_HOST_LEND;
  if (kind >= HOST_HOLD) host->mode = PS_HOST_HOLD;
  if (kind == HOST_LEND || kind == HOST_HOLD_AND_LEND) host->grow = grow;
  if (w.mode == MODE_ALONE && play_number(of, 91, 2)) host->leave = host->enter = NULL;
  return host;
}

/* ---- The life of a call ---- */

static void check_view(int place) {
  view *kept = &w.current->view;
  if (kept->at == NULL || kept->object != place) return;
  if (kept->age == w.objects[place].age && w.objects[place].state != OBJECT_NONE)
    world_must(memcmp(kept->at, kept->copy, kept->size) == 0, "a view has changed");
  kept->at = NULL;
}

void play_use(int place) {
  w.objects[place].users++;
  w.objects[place].starts++;
  w.current->uses[place]++;
}

/* A closed object has no descriptor once the last call has left. */
static void check_closed(int place) {
  const object *there = &w.objects[place];
  if (there->state != OBJECT_CLOSING || there->users > 0 || there->setting > 0) return;
  if (w.forked) return; /* the parent's calls never leave */
  for (int i = 0; i < w.file_count; i++) {
    const file *one = &w.files[i];
    if (one->owner == place && one->fd >= 0)
      world_must(one->kind == FILE_GONE, "descriptor %d of a closed object is open",
                 one->fd);
  }
}

void play_leave(int place) {
  w.objects[place].users--;
  w.current->uses[place]--;
  check_closed(place);
}

void play_disturb(int place) {
  w.objects[place].disturbers++;
  w.objects[place].disturbances++;
  w.current->disturbs[place]++;
}

void play_disturbed(int place) {
  w.objects[place].disturbers--;
  w.objects[place].disturbances++;
  w.current->disturbs[place]--;
}

int play_begin(const char *name, int place, ps_host *host) {
  world_language_take();
  if (place >= 0 && w.objects[place].socket == NULL) {
    world_language_give();
    return 0;
  }
  if (place >= 0) {
    check_view(place);
    play_use(place);
  }
  int serial = w.current->call.serial + 1;
  w.current->call = (call_record){.under_way = 1, .name = name, .object = place};
  call_record *call = &w.current->call;
  call->serial = serial;
  call->host = host;
  call->began = call->progress = call->slept = w.now;
  call->began_step = w.steps;
  call->stalled = w.stalled;
  return 1;
}

void play_end(const action *of, ps_status status) {
  call_record *call = &w.current->call;
  NOTE("%s on %d: %d (%d)", call->name, call->object, status.code, status.system);
  world_must(!w.current->left, "the host is left at the end of a call");
  world_must(w.lock_owner != w.current, "a call ends with the lock");
  if (call->lent.memory != NULL)
    for (int i = 0; i < 8; i++)
      world_must(call->lent.memory[call->lent.size + (size_t)i] == 0x77,
                 "written behind memory that was lent");
  int stopped = call->stopped == 1;
  if (status.code == PS_INTERRUPTED) world_must(stopped, "interrupted by nobody");
  if (stopped && status.code != PS_CLOSED && status.code != PS_BUSY)
    world_must(status.code == PS_INTERRUPTED, "interrupted, and it returns %d",
               status.code);
  if (of != NULL)
    tallied.calls[of->what][status.code < PS_MISUSED ? status.code : PS_MISUSED]++;
  call->under_way = 0;
  if (call->object >= 0) play_leave(call->object);
  world_language_give();
}

void play_check_status(ps_status status) {
  if (status.code != PS_NOMEMORY) return;
  world_must(w.struck[FAULT_ENOMEM] + w.struck[FAULT_EWATCH] > 0,
             "no memory, but none was missing");
}

/* ---- Limits ---- */

limits play_limits(const object *of) {
  return (limits){of->block, of->total, of->deadline, of->limits, of->mark};
}

/* Steps of other threads cost time, and a suspended process more; each wait is rounded up
   to a millisecond. */
static double slack(void) {
  const call_record *call = &w.current->call;
  return 0.002 + (w.stalled - call->stalled) +
         (double)(w.steps - call->began_step) * 1e-6;
}

static const double EPSILON = 1e-9, GRACE = 0.0101;

void play_check_limits(const limits *at, const object *of, ps_status status, int named) {
  const call_record *call = &w.current->call;
  if (of->limits != at->version) return;
  double end = at->deadline;
  if (at->total > 0) end = fmin(end, call->began + at->total);
  if (at->block > 0 && (at->mark & PS_MARK_FROM_START) != 0)
    end = fmin(end, call->began + at->block);
  int never = at->block == 0 || at->total == 0 || at->deadline <= call->began;
  if (status.code == PS_TIMEOUT && status.system == 0 && !never)
    world_must(w.now >= end - EPSILON ||
                   (at->block > 0 && w.now >= call->progress + at->block - EPSILON),
               "a timeout after %g s, %g too early", w.now - call->began,
               fmin(end, at->block > 0 ? call->progress + at->block : INFINITY) - w.now);
  if (never)
    world_must(w.now - call->began <= slack() + (named ? GRACE : 0),
               "a call that may not wait took %g s", w.now - call->began);
  else
    world_must(w.now <= fmax(end, call->began) + slack() + (named ? GRACE : 0),
               "a call ended %g s too late", w.now - end);
  double since = fmax(call->progress, call->slept);
  if (at->block > 0 && !never)
    world_must(
        w.now <= since + at->block * (named ? 2 : 1) + slack() + (named ? GRACE : 0),
        "a wait of %g s, not %g", w.now - since, at->block);
  if (never)
    world_must(call->received <= PS_AT_HAND && call->sent <= PS_AT_HAND,
               "more than what is at hand");
}

void play_check_timeout(double timeout, ps_status status, int named) {
  const call_record *call = &w.current->call;
  double end = timeout < 0 ? INFINITY : call->began + timeout;
  if (status.code == PS_TIMEOUT && status.system == 0)
    world_must(w.now >= end - EPSILON, "a timeout %g s too early", end - w.now);
  world_must(w.now <= end + slack() + (named ? GRACE : 0), "a call ended %g s too late",
             w.now - end);
}

/* ---- Objects ---- */

int play_free_place(void) {
  for (int i = 0; i < OBJECTS; i++)
    if (w.objects[i].state == OBJECT_NONE && w.objects[i].users == 0) return i;
  return -1;
}

void play_fill(int place, ps_socket *socket, int strict) {
  object *made = &w.objects[place];
  made->socket = socket;
  made->state = OBJECT_OPEN;
  made->age++;
  made->file = -1;
  made->strict = made->disturbances = 0;
  made->block = made->total = -1;
  made->deadline = INFINITY;
  made->mark = 0;
  made->limits++;
  made->added = 0;
  made->ended = 0;
  made->sent = 0;
  made->pieces = NULL;
  w.calm++;
  file *there = net_file(ps_socket_getfd(socket).fd);
  w.calm--;
  if (there == NULL) return;
  there->owner = place;
  there->floating = 0;
  made->strict = strict;
  if (strict) made->file = (int)(there - w.files);
}

void play_free(int place, ps_host *host) {
  object *there = &w.objects[place];
  ps_socket *socket = there->socket;
  there->socket = NULL;
  there->state = OBJECT_CLOSING;
  ps_socket_free(socket, host);
  there->state = OBJECT_NONE;
  there->pieces = NULL;
}

/* ---- The bodies of the threads ---- */

static const ps_port any_port = {NULL, 0};

static ps_socket *made_of(ps_object made) {
  world_must(made.status.code == PS_OK, "the world begins with %d", made.status.code);
  return made.socket;
}

/* Makes a server, pairs of connected objects and pollers, alone and without faults. */
static void make_objects(void) {
  call_record *call = &w.current->call;
  call->object = 0;
  play_fill(0, made_of(ps_bind("*", (ps_port){NULL, 2000}, 32, NULL)), 0);
  for (int i = 0; i < played->pairs; i++) {
    call->object = 1 + 2 * i;
    play_fill(1 + 2 * i,
              made_of(ps_connect("10.0.0.1", (ps_port){NULL, 2000}, NULL, any_port, NULL,
                                 -1, NULL)),
              1);
    call->object = 0;
    play_fill(2 + 2 * i, made_of(ps_socket_accept(w.objects[0].socket, NULL)), 1);
  }
  call->object = -1;
  for (int i = 0; i < POLLERS; i++) {
    w.pollers[i].poller = ps_poller_make().poller;
    w.pollers[i].fd = net_adopt(-1);
  }
  /* Most worlds begin with limits: without one most threads soon wait for ever. */
  uint64_t random = played->seed + 3;
  for (int i = 1; i <= 2 * played->pairs; i++) {
    object *there = &w.objects[i];
    unsigned chance = (unsigned)(random_next(&random) >> 40) % 8;
    if (chance < 4) ps_socket_settimeout(there->socket, there->block = 0.01, "b");
    if (chance == 4) ps_socket_settimeout(there->socket, there->block = 0, "b");
    if (chance == 5) ps_socket_settimeout(there->socket, there->total = 0.03, "t");
  }
}

static int all_done(void) {
  for (int i = 0; i < played->players; i++)
    if (w.fibers[i].state != FIBER_DONE) return 0;
  return 1;
}

/* Closes something, so that whoever waits for it goes on. Returns 0 if nothing is open.
 */
static int close_something(void) {
  int start = (int)world_chance(OBJECTS + POLLERS);
  for (int i = 0; i < OBJECTS + POLLERS; i++) {
    int at = (start + i) % (OBJECTS + POLLERS);
    if (at >= OBJECTS) {
      poller *there = &w.pollers[at - OBJECTS];
      if (there->closed && there->users == 0) continue;
      play_begin("the end of a poller", -1, NULL);
      if (there->users > 0) /* only one thread may use it, but any may wake it */
        ps_poller_wake(there->poller);
      else
        there->closed = 1;
      if (there->closed) ps_poller_close(there->poller);
      play_end(NULL, PS__DONE);
      return 1;
    }
    object *there = &w.objects[at];
    if (there->state != OBJECT_OPEN || there->setting > 0) continue;
    if (!play_begin("close", at, NULL)) return 1; /* it went while the host was left */
    if (there->setting == 0) {
      play_disturb(at);
      there->state = OBJECT_CLOSING;
      ps_socket_close(there->socket, NULL);
      play_disturbed(at);
    }
    play_end(NULL, PS__DONE);
    return 1;
  }
  return 0;
}

/* Ends what no other thread can end: a select of nothing that is open, and the waits of a
   program of one thread. */
static int stop_waits(void) {
  int some = 0;
  for (int i = 0; i < played->players; i++) {
    fiber *one = &w.fibers[i];
    const ps_host *host = one->call.host;
    if (one->state == FIBER_DONE) continue;
    if (host == NULL || host->interrupted == NULL) continue;
    int place = one->call.object; /* one that is being made cannot be closed */
    if (place >= 0 && w.objects[place].socket != NULL && ps__timeout_wakeable(host))
      continue;
    one->killed = some = 1;
  }
  return some;
}

static void end_world(void) {
  memset(w.rates, 0, sizeof w.rates);
  w.calm = 1;
  for (int i = 0; i < OBJECTS; i++) {
    model_merge(&w.objects[i]);
    model_check_end(&w.objects[i]);
  }
  w.calm = 0;
  w.current->call.object = -1;
  for (int i = 0; i < OBJECTS; i++)
    if (w.objects[i].socket != NULL) play_free(i, NULL);
  for (int i = 0; i < POLLERS; i++) {
    ps_poller_free(w.pollers[i].poller);
    net_close(w.pollers[i].fd);
  }
  world_check_memory();
}

static void rule_world(void) {
  make_objects();
  memcpy(w.rates, played->rates, sizeof w.rates);
  w.switches = played->switches;
  for (int i = 0; i < played->players; i++) w.fibers[i].state = FIBER_RUNS;
  for (;;) {
    world_wait(WAIT_QUIET, w.now + 0.5); /* who waits for a turn looks again and again */
    int quiet = w.quiet;
    w.quiet = 0;
    if (all_done()) break;
    if (!close_something() && quiet)
      world_must(stop_waits(), "all is closed, and a thread still waits");
  }
  end_world();
}

/* Most calls are made on an object on which they may succeed: which kind has it? */
static unsigned kind_for(int what) {
  switch (what) {
    case ACTION_ACCEPT:
      return PS__SERVER;
    case ACTION_CONNECT:
    case ACTION_BIND:
    case ACTION_LISTEN:
      return PS__MASTER;
    default:
      return what <= ACTION_SHUTDOWN ? PS__CLIENT : PS__ANY;
  }
}

static action aimed(const action *of) {
  action made = *of;
  if (play_number(of, 80, 8) == 0) return made;
  for (int i = 0; i < OBJECTS; i++) {
    int place = (of->object + i) % OBJECTS;
    const object *there = &w.objects[place];
    if (there->state != OBJECT_OPEN || there->socket == NULL) continue;
    if ((atomic_load(&there->socket->kind) & kind_for(of->what)) == 0) continue;
    made.object = (unsigned char)place;
    return made;
  }
  return made;
}

void play_body(int id) {
  play_text = texts[played->returns];
  if (id == FIBERS - 1) {
    rule_world();
    return;
  }
  for (int i = 0; i < played->count; i++) {
    const action *one = &played->actions[i];
    if (one->fiber != id) continue;
    action made = aimed(one);
    if (made.what < ACTION_SEND)
      play_receive(&made);
    else if (made.what == ACTION_SEND)
      play_send(&made);
    else
      play_act(&made);
  }
}
