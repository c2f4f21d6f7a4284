/* SPDX-License-Identifier: MIT */
/* See os_sim.h. One world at a time and one thread; its state is one struct, made anew by
   sim_begin. Numbers of descriptors are never used again, so that a late use shows. */

#define _DEFAULT_SOURCE /* strtok_r, strcasecmp */
#include "os_sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#ifdef _WIN32 /* addresses as text */
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#include <sys/socket.h>
#endif

enum { ENDS = 256, ITEMS = 512, HOSTS = 16, EVENTS = 16, OPTIONS = 32 };
enum { WAKERS = 16 };
enum {
  LARGE = 60000,
  SPOILT = 4096
}; /* so much of fresh and of freed memory is made garbage */

typedef struct item {
  int kind, error;
  const char *data;
  size_t size;
  double due;
} item;

typedef struct queue {
  item *items;
  size_t at, count, room;
  double due; /* when the last item comes */
} queue;

enum { UNUSED, PLAIN, LISTENING, CONNECTING, CONNECTED, GONE };

typedef struct end {
  int state, family;
  queue reads, writes;
  char *sent;
  size_t sent_size, sent_room;
  double due; /* CONNECTING: when it ends */
  int error;  /* and how; then what is pending */
  int shut_in, shut_out;
  int lonely; /* its peer is forgotten */
  ps_address local, peer;
  ps_option *options; /* once one was set */
} end;

typedef struct place {
  unsigned char ip[16];
  unsigned short port;
} place;

typedef struct event {
  double due;
  void (*happens)(void *context); /* NULL: a signal */
  void *context;
} event;

typedef struct block {
  struct block *next, *before;
  size_t size;
  size_t guard;
} block;

typedef struct question {
  ps__lookup lookup;
  struct question *next;
  double due;
  int finished; /* its helper thread has said so */
  int answered;
  char host[PS_WORDS], service[PS_WORDS];
} question;

/* A waker that was begun. */
struct ps__bell {
  ps__waker *waker; /* NULL: unused */
  int rung;
};

/* An event queue. Events are by place of a descriptor; 0: it is not watched. */
struct ps__queue {
  ps__queue *next;
  unsigned process;
  int rung;
  unsigned events[ENDS], generations[ENDS];
  int next_place; /* those behind it are reported first */
};

static struct world {
  double now, cost;
  int first; /* the number of the first descriptor */
  end ends[ENDS];
  int used, script;
  item words[ITEMS];
  size_t word_count;
  struct {
    const char *name, *addresses, *canonical;
    double seconds;
    short code;
  } hosts[HOSTS];
  int host_count;
  struct {
    const char *address;
    double seconds;
    int error;
  } routes[HOSTS];
  int route_count;
  event events[EVENTS];
  int event_count;
  int option_errors[OPTIONS], option_lacks[OPTIONS];
  int lookups;
  question *open; /* look-ups that were not dropped */
  struct ps__bell wakers[WAKERS];
  ps__queue *queues;
  unsigned process;
  unsigned long thread, forker;
  block *blocks;
  size_t memory;
  int fault, nth, onwards, chances, struck;
  int calls, polls, idle_polls, poll_fails, poll_error;
  size_t asked, populated;
  int clock;
  int locked, locks;
  int without_dup, taken_port, backlog;
  /* The host language. */
  ps_host host;
  ps_host *language;
  int left, leaves, stop, questions;
  void (*does)(void *context); /* when the host is asked */
  void *context;
  void (*adopts)(void *context); /* when a descriptor is adopted */
  void *adopted;
  void (*parses)(void *context); /* when an address is parsed */
  void *parsed;
  void (*finds)(void *context); /* when a queue has found events */
  void *found;
  void (*begins)(void *context); /* when a waker begins */
  void *begun;
  void (*locks_it)(void *context); /* when the lock is taken */
  void *taken_with;
  char *lent, *taken;
  size_t lent_size;
} world;

/* The number of the first descriptor of each world. */
static int first_number = 1000;

static void empty(queue *script) {
  free(script->items);
  *script = (queue){0};
}

/* ---- A test ---- */

void sim_begin(void) {
  memset(&world, 0, offsetof(struct world, ends));
  memset(world.ends, 0, sizeof *world.ends * (size_t)world.used);
  memset(&world.used, 0, offsetof(struct world, words) - offsetof(struct world, used));
  memset(&world.word_count, 0, sizeof world - offsetof(struct world, word_count));
  world.now = 1000;
  world.first = first_number;
  world.thread = 1;
}

static int open_queues(void) {
  int open = 0;
  for (; world.queues != NULL; open++) {
    ps__queue *next = world.queues->next;
    free(world.queues);
    world.queues = next;
  }
  return open;
}

static int open_ends(void) {
  int open = 0;
  for (int i = 0; i < world.used; i++)
    open += world.ends[i].state != UNUSED && world.ends[i].state != GONE;
  return open;
}

void sim_end(void) {
  int descriptors = open_ends(), lookups = 0, wakers = 0;
  for (question *at = world.open; at != NULL; at = at->next) lookups++;
  for (int i = 0; i < WAKERS; i++) wakers += world.wakers[i].waker != NULL;
  size_t memory = world.memory;
  int left = world.left, queues = open_queues();
  for (int i = 0; i < world.used; i++) {
    empty(&world.ends[i].reads);
    empty(&world.ends[i].writes);
    free(world.ends[i].sent);
    free(world.ends[i].options);
    world.ends[i].sent = NULL;
    world.ends[i].options = NULL;
  }
  while (world.blocks != NULL) {
    block *next = world.blocks->next;
    free(world.blocks);
    world.blocks = next;
  }
  free(world.taken);
  world.lent = world.taken = NULL;
  if (descriptors > 0) fail_msg("%d descriptors leaked", descriptors);
  if (memory > 0) fail_msg("%zu bytes of memory leaked", memory);
  if (lookups > 0) fail_msg("%d lookups never dropped", lookups);
  if (wakers > 0) fail_msg("%d wakers never ended", wakers);
  if (queues > 0) fail_msg("%d queues leaked", queues);
  if (left != 0) fail_msg("the host was left and not entered");
}

int sim_setup(void **state) {
  (void)state;
  sim_begin();
  return 0;
}

int sim_teardown(void **state) {
  (void)state;
  sim_end();
  return 0;
}

int sim_number_0(void **state) {
  (void)state;
  first_number = 0;
  return 0;
}

/* ---- Faults ---- */

void sim_fault(int fault, int nth, int onwards) {
  world.fault = fault;
  world.nth = nth;
  world.onwards = onwards;
  world.chances = world.struck = 0;
}

int sim_struck(void) { return world.struck; }

static int strikes(int fault) {
  if (world.fault != fault) return 0;
  world.chances++;
  if (world.chances != world.nth && !(world.onwards && world.chances > world.nth))
    return 0;
  world.struck++;
  return 1;
}

/* ---- Memory ---- */

static void unlink_block(block *old) {
  if (old->guard != (size_t)old) fail_msg("memory freed that is not there");
  old->guard = 0;
  if (old->before != NULL) old->before->next = old->next;
  if (old->next != NULL) old->next->before = old->before;
  if (world.blocks == old) world.blocks = old->next;
  world.memory -= old->size;
}

/* Some large blocks are kept for the next ones: under a sanitizer each costs as much as a
   thousand calls, and the exhaustive tests make a million. */
enum { SPARES = 4 };
static struct {
  void *memory;
  size_t size;
} spares[SPARES];

static void *fresh(size_t size) {
  for (int i = 0; i < SPARES; i++)
    if (size == spares[i].size) {
      spares[i].size = 0;
      return spares[i].memory;
    }
  return malloc(size);
}

static void spent(block *old) {
  size_t size = sizeof *old + old->size;
  for (int i = 0; i < SPARES && old->size >= LARGE && old->size < LARGE * 3; i++)
    if (spares[i].size == 0) {
      spares[i].memory = old;
      spares[i].size = size;
      return;
    }
  free(old);
}

/* A block that grows always moves, so that a pointer into the old one is caught. */
void *ps__os_realloc(void *memory, size_t size) {
  block *old = memory == NULL ? NULL : (block *)memory - 1;
  block *made = NULL;
  if (size > 0) {
    if (strikes(SIM_ENOMEM) || size > PTRDIFF_MAX / 2) return NULL;
    made = fresh(sizeof *made + size);
    memset(made + 1, 0xA5, size < SPOILT ? size : SPOILT);
    *made = (block){world.blocks, NULL, size, (size_t)made};
    if (old != NULL) memcpy(made + 1, old + 1, old->size < size ? old->size : size);
    if (world.blocks != NULL) world.blocks->before = made;
    world.blocks = made;
    world.memory += size;
  }
  if (old != NULL) {
    unlink_block(old);
    memset(old + 1, 0x5A, old->size < SPOILT ? old->size : SPOILT);
    spent(old);
  }
  return made == NULL ? NULL : made + 1;
}

void ps__os_populate(void *memory, size_t size) {
  const char *from = memory;
  if (size == 0 || from < world.lent || from + size > world.lent + world.lent_size)
    fail_msg("pages of what nobody has lent");
  world.populated += size;
}

size_t sim_memory(void) { return world.memory; }

/* ---- Time ---- */

double sim_now(void) { return world.now; }
void sim_cost(double seconds) { world.cost = seconds; }
double ps__os_gettime(void) { return world.now + 1e9; }
double ps__os_monotime(void) {
  world.clock++;
  return world.now;
}

void sim_later(double seconds, void (*happens)(void *context), void *context) {
  assert_true(world.event_count < EVENTS);
  world.events[world.event_count++] = (event){world.now + seconds, happens, context};
}

void sim_signal(double seconds) { sim_later(seconds, NULL, NULL); }

/* What happens is another thread's doing: it has the language to itself. */
static void happen(void (*happens)(void *context), void *context) {
  int left = world.left;
  world.left = 0;
  happens(context);
  world.left = left;
}

/* Lets time pass until a look-up is finished: its helper thread says so. */
static int finish(question *finished) {
  if (finished->due > world.now) world.now = finished->due;
  finished->finished = 1;
  ps__os_wake();
  return 1;
}

/* Lets time pass up to a moment, or to the first event before it. Returns 1 when there
   was an event, which has happened then; -1 when it was a signal. A look-up that is
   finished is an event, too. */
static int advance(double until) {
  int first = -1;
  question *finished = NULL;
  for (question *at = world.open; at != NULL; at = at->next)
    if (!at->finished && at->due <= until && at->due < INFINITY &&
        (finished == NULL || at->due < finished->due))
      finished = at;
  for (int i = 0; i < world.event_count; i++)
    if (world.events[i].due <= until &&
        (first < 0 || world.events[i].due < world.events[first].due))
      first = i;
  if (finished != NULL && (first < 0 || finished->due < world.events[first].due))
    return finish(finished);
  event found = {until, NULL, NULL};
  if (first >= 0) {
    found = world.events[first];
    world.events[first] = world.events[--world.event_count];
  }
  if (found.due == INFINITY) fail_msg("a wait that nothing can end");
  if (found.due > world.now) world.now = found.due;
  if (world.now > 1e7) fail_msg("waiting for months");
  if (first < 0) return 0;
  if (found.happens == NULL) return -1;
  happen(found.happens, found.context);
  return 1;
}

void sim_pass(double seconds) {
  if (seconds > 0) world.idle_polls = 0;
  for (double until = world.now + seconds; advance(until) != 0;) {
  }
}

/* ---- The process, and its wakers ---- */

void sim_process(unsigned process) {
  world.process = process;
  world.forker = world.thread;
}
void sim_thread(unsigned long thread) { world.thread = thread; }
unsigned ps__os_process(void) { return world.process; }
unsigned long ps__os_thread(void) { return world.thread; }
unsigned long ps__os_forker(void) { return world.forker; }

int sim_wakers(void) {
  int begun = 0;
  for (int i = 0; i < WAKERS; i++) begun += world.wakers[i].waker != NULL;
  return begun;
}

static struct ps__bell *bell_of(const ps__waker *waker) {
  for (int i = 0; i < WAKERS; i++)
    if (world.wakers[i].waker == waker) return &world.wakers[i];
  return NULL;
}

/* The number of its descriptor is none that a test meets otherwise. */
static void renew(ps__waker *waker) {
  waker->bell->rung = 0;
  waker->process = world.process;
  waker->fd = strikes(SIM_EMFILE) ? -1 : 1;
}

void sim_when_begun(void (*does)(void *context), void *context) {
  world.begins = does;
  world.begun = context;
}

void ps__os_waker_begin(ps__waker *waker) {
  void (*begins)(void *context) = world.begins;
  world.begins = NULL;
  if (begins != NULL) happen(begins, world.begun);
  if (bell_of(waker) != NULL) fail_msg("a waker is begun twice");
  waker->bell = bell_of(NULL);
  if (waker->bell == NULL) fail_msg("too many wakers");
  waker->bell->waker = waker;
  waker->woken = 0;
  renew(waker);
}

void ps__os_waker_end(ps__waker *waker) {
  struct ps__bell *bell = bell_of(waker);
  if (bell == NULL) fail_msg("a waker is ended that was not begun");
  bell->waker = NULL;
}

void ps__os_wake(void) {
  for (int i = 0; i < WAKERS; i++) {
    const ps__waker *waker = world.wakers[i].waker;
    if (waker != NULL && waker->fd >= 0 && waker->process == world.process)
      world.wakers[i].rung = 1;
  }
}

/* As the real ones do: whole milliseconds, rounded up, and no sleep is longer than a day.
 */
enum { DAY = 86400 };
static double rounded(double seconds) {
  return seconds == INFINITY ? INFINITY : ceil(seconds * 1000) / 1000;
}

static void check_left(double seconds) {
  if (seconds > 0 && world.language != NULL && !world.left)
    fail_msg("a wait of %g seconds without leaving the host", seconds);
}

int ps__os_sleep(double seconds) {
  if (strikes(SIM_EINTR)) return EINTR;
  for (double until = world.now + rounded(fmin(seconds, DAY));;) {
    int happened = advance(until);
    if (happened == 0) return 0;
    if (happened < 0) return EINTR;
  }
}

/* ---- The far end ---- */

static end *at(int fd) {
  if (fd < world.first || fd >= world.first + world.used)
    fail_msg("no descriptor: %d", fd);
  end *found = &world.ends[fd - world.first];
  if (found->state == GONE) fail_msg("descriptor %d is closed", fd);
  return found;
}

static void check_unwatched(int fd);

static int open_end(int state, int family) {
  assert_true(world.used < ENDS);
  end *made = &world.ends[world.used];
  *made = (end){.state = state, .family = family};
  made->local.port = 40000 + world.used;
  made->local.family = family == 6 ? "inet6" : "inet";
  strcpy(made->local.ip, family == 6 ? "::1" : "10.0.0.99");
  return world.first + world.used++;
}

void sim_from_zero(void) {
  assert_int_equal(world.used, 0);
  world.first = 0;
}

int sim_adopt(int family) { return open_end(PLAIN, family); }
void sim_abandon(int fd) { at(fd)->state = GONE; }
int sim_descriptors(void) { return open_ends(); }
void sim_script(int fd) { world.script = fd; }

static ps_socket *adopted(int state, const char *kind) {
  int fd = open_end(state, 4);
  ps_object made = ps_fromfd(fd, kind);
  assert_int_equal(made.status.code, PS_OK);
  sim_script(fd);
  return made.socket;
}

ps_socket *sim_client(void) {
  ps_socket *made = adopted(CONNECTED, "client");
  end *there = at(world.script);
  there->peer.port = 7;
  there->peer.family = "inet";
  strcpy(there->peer.ip, "10.0.0.1");
  return made;
}

ps_socket *sim_server(void) { return adopted(LISTENING, "server"); }

void sim_pends(int error) { at(world.script)->error = error; }

void sim_forget_peer(void) { at(world.script)->lonely = 1; }

const char *sim__word(int kind, int error, const void *data, size_t size) {
  assert_true(world.word_count < ITEMS);
  item *made = &world.words[world.word_count++];
  *made = (item){kind, error, data, size, 0};
  return (const char *)made;
}

enum { AFTER = -1 };

const char *sim_after(double seconds) {
  const char *word = sim__word(AFTER, 0, NULL, 0);
  world.words[world.word_count - 1].due = seconds;
  return word;
}

static void add(queue *script, const char *word) {
  if (script->due < world.now) script->due = world.now;
  item made = {SIM__BYTES, 0, word, 0, 0};
  uintptr_t from = (uintptr_t)world.words, to = (uintptr_t)(world.words + ITEMS);
  if ((uintptr_t)word >= from && (uintptr_t)word < to)
    memcpy(&made, word, sizeof made);
  else
    made.size = strlen(word);
  if (made.kind == AFTER) {
    script->due += made.due;
    return;
  }
  made.due = script->due;
  if (made.kind == SIM__BYTES && made.size == 0) return;
  if (script->count == script->room) {
    script->room = script->room * 2 + 16;
    script->items = realloc(script->items, script->room * sizeof *script->items);
  }
  script->items[script->count++] = made;
}

void sim__reads(const char *const *script) {
  for (; *script != NULL; script++) add(&at(world.script)->reads, *script);
}

void sim__writes(const char *const *script) {
  for (; *script != NULL; script++) add(&at(world.script)->writes, *script);
}

const char *sim_sent(size_t *size) {
  end *there = &world.ends[world.script - world.first];
  *size = there->sent_size;
  there->sent_size = 0;
  return there->sent;
}

static item *head(queue *script) {
  return script->at < script->count ? &script->items[script->at] : NULL;
}

static item *arrived(queue *script) {
  item *first = head(script);
  return first != NULL && first->due <= world.now ? first : NULL;
}

/* ---- Waiting ---- */

/* Returns: when it is ready; infinity for never. */
static double ready_at(int fd, int writable) {
  end *here = at(fd);
  if (here->state == PLAIN) return world.now; /* hung up */
  if (here->state == CONNECTING) return here->due;
  if (writable ? here->shut_out : here->shut_in) return world.now;
  item *first = head(writable ? &here->writes : &here->reads);
  if (first != NULL) return first->due;
  return writable && here->state == CONNECTED ? world.now : INFINITY;
}

static double mark(const ps_sockets *sets, size_t count, int *found) {
  double first = INFINITY;
  *found = 0;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < sets[i].count; j++) {
      ps_watch *watch = &sets[i].watches[j];
      if (watch->fd == SIM_NO_DESCRIPTOR) watch->fd = -1;
      double ready = watch->fd < 0 ? INFINITY : ready_at(watch->fd, watch->writable);
      watch->ready = ready <= world.now;
      *found |= watch->ready;
      first = fmin(first, ready);
    }
  return first;
}

/* Returns whether a wait with this waker is over, however it goes with its sockets. */
static int is_woken(ps__waker *waker) {
  if (waker == NULL) return 0;
  if (bell_of(waker) == NULL) fail_msg("a wait with a waker that was not begun");
  waker->woken = waker->bell->rung || waker->process != world.process;
  if (waker->woken) renew(waker);
  return waker->woken;
}

/* Returns 0, or how the wait begins to fail. */
static int disturb(double seconds) {
  if (seconds == 0 && ++world.idle_polls > 3) fail_msg("a busy wait");
  if (seconds > 0) world.idle_polls = 0;
  if (seconds > 0) check_left(seconds);
  if (strikes(SIM_EINTR)) return EINTR;
  if (strikes(SIM_STOP)) {
    world.stop = 1;
    return EINTR;
  }
  return 0;
}

int ps__os_poll(const ps_sockets *sets, size_t count, double seconds, ps__waker *waker) {
  if (!(seconds >= 0)) fail_msg("a wait of %g seconds", seconds);
  world.polls++;
  if (world.poll_fails > 0 && --world.poll_fails == 0) return world.poll_error;
  int found, woken = is_woken(waker);
  int sliced = waker != NULL && waker->fd < 0 && seconds > 0;
  double until = world.now + rounded(sliced ? fmin(seconds, 0.05) : seconds);
  double first = mark(sets, count, &found);
  if (found || woken) {
    world.idle_polls = 0;
    return 0;
  }
  int error = disturb(seconds);
  if (error != 0) return error;
  while (!found && !woken) {
    int happened = advance(fmin(first, until));
    if (happened < 0) return EINTR;
    first = mark(sets, count, &found);
    woken = is_woken(waker);
    if (happened == 0 && world.now >= until) break;
  }
  if (sliced && !found && !woken) {
    renew(waker);
    waker->woken = 1;
  }
  return 0;
}

/* ---- Event queues ---- */

static void check_queue(const ps__queue *queue) {
  const ps__queue *found = world.queues;
  while (found != NULL && found != queue) found = found->next;
  if (found == NULL) fail_msg("a queue is used after its end");
  if (queue->process != world.process) fail_msg("the queue of another process is used");
}

static int place_in(const ps__queue *queue, int fd) {
  check_queue(queue);
  at(fd);
  return fd - world.first;
}

/* Called when a descriptor is closed or its file replaced. */
static void check_unwatched(int fd) {
  for (const ps__queue *queue = world.queues; queue != NULL; queue = queue->next)
    if (queue->process == world.process && queue->events[fd - world.first] != 0)
      fail_msg("descriptor %d is closed while a queue watches it", fd);
}

/* The memory is not the core's: tests count what that takes. */
int ps__os_queue_make(ps__queue **queue) {
  if (strikes(SIM_EMFILE)) return EMFILE;
  if (strikes(SIM_ENOMEM)) return ENOMEM;
  *queue = calloc(1, sizeof **queue);
  (*queue)->next = world.queues;
  (*queue)->process = world.process;
  world.queues = *queue;
  return 0;
}

void ps__os_queue_free(ps__queue *queue) {
  if (queue == NULL) return;
  ps__queue **place = &world.queues;
  while (*place != NULL && *place != queue) place = &(*place)->next;
  if (*place == NULL) fail_msg("a queue is freed twice");
  *place = queue->next;
  free(queue);
}

int ps__os_queue_add(ps__queue *queue, int fd, unsigned events, unsigned generation) {
  int place = place_in(queue, fd);
  if (strikes(SIM_EWATCH)) return ENOSPC;
  if (queue->events[place] != 0) return EEXIST;
  queue->events[place] = events;
  queue->generations[place] = generation;
  return 0;
}

int ps__os_queue_modify(ps__queue *queue, int fd, unsigned events, unsigned generation) {
  check_queue(queue);
  int place = fd - world.first;
  if (world.ends[place].state == GONE) return EBADF;
  if (queue->events[place] == 0) return ENOENT;
  if (strikes(SIM_EWATCH)) return ENOMEM;
  queue->events[place] = events;
  queue->generations[place] = generation;
  return 0;
}

void ps__os_queue_remove(ps__queue *queue, int fd) {
  check_queue(queue);
  if (queue->events[fd - world.first] == 0) fail_msg("%d is removed without need", fd);
  queue->events[fd - world.first] = 0;
}

void ps__os_queue_wake(ps__queue *queue) {
  check_queue(queue);
  queue->rung = 1;
}

/* The number of its descriptor is none that a test meets otherwise. */
int ps__os_queue_fd(const ps__queue *queue) {
  check_queue(queue);
  return 2;
}

int sim_rung(void) {
  int rung = 0;
  for (const ps__queue *queue = world.queues; queue != NULL; queue = queue->next)
    rung += queue->rung;
  return rung;
}

static void tell_found(void) {
  void (*finds)(void *context) = world.finds;
  world.finds = NULL;
  if (finds != NULL) happen(finds, world.found);
}

void sim_when_found(void (*does)(void *context), void *context) {
  world.finds = does;
  world.found = context;
}

/* Returns when the first member is ready, and lists those that are. */
static double find(ps__queue *queue, ps__event *events, size_t room, size_t *count) {
  double first = INFINITY;
  *count = 0;
  int start = queue->next_place;
  for (int i = 0; i < world.used; i++) {
    int place = (start + i) % world.used, fd = world.first + place;
    unsigned wanted = queue->events[place], ready = 0;
    if (wanted == 0 || world.ends[place].state == GONE) continue;
    for (unsigned event = PS__IN; event <= PS__OUT; event <<= 1) {
      if ((wanted & event) == 0) continue;
      double due = ready_at(fd, event == PS__OUT);
      if (due <= world.now) ready |= event;
      first = fmin(first, due);
    }
    if (ready == 0 || *count == room) continue;
    events[(*count)++] = (ps__event){fd, queue->generations[place], ready};
    queue->next_place = place + 1;
  }
  return first;
}

int ps__os_queue_wait(ps__queue *queue, ps__event *events, size_t room, double seconds,
                      ps__waker *waker, size_t *count) {
  check_queue(queue);
  if (world.locked) fail_msg("a wait with the lock");
  if (!(seconds >= 0)) fail_msg("a wait of %g seconds", seconds);
  if (room == 0) fail_msg("a wait for no event");
  world.polls++;
  *count = 0;
  if (world.poll_fails > 0 && --world.poll_fails == 0) return world.poll_error;
  int sliced = waker != NULL && waker->fd < 0 && seconds > 0;
  double until = world.now + rounded(sliced ? fmin(seconds, 0.05) : seconds);
  for (int happened = 1;;) {
    double first = find(queue, events, room, count);
    int woken = is_woken(waker) || queue->rung;
    queue->rung = 0;
    if (*count > 0 || woken) world.idle_polls = 0;
    if (*count > 0) tell_found();
    if (*count > 0 || woken || (happened == 0 && world.now >= until)) return 0;
    int error = happened == 1 ? disturb(seconds) : 0;
    if (error != 0) return error;
    happened = advance(fmin(first, until));
    if (happened < 0) return EINTR;
    check_queue(queue);
  }
}

void sim_when_locked(void (*does)(void *context), void *context) {
  world.locks_it = does;
  world.taken_with = context;
}

void ps__os_lock(void) {
  void (*locks_it)(void *context) = world.locks_it;
  world.locks_it = NULL;
  if (locks_it != NULL) happen(locks_it, world.taken_with);
  if (world.locked) fail_msg("the lock is taken twice");
  world.locked = 1;
  world.locks++;
}

int sim_locks(void) { return world.locks; }

void ps__os_unlock(void) {
  if (!world.locked) fail_msg("the lock is not taken");
  world.locked = 0;
}

void sim_poll_fails(int nth, int error) {
  world.poll_fails = nth;
  world.poll_error = error;
}

int sim_polls(void) { return world.polls; }

/* ---- Sockets ---- */

int ps__os_socket(int family, int *fd) {
  if (strikes(SIM_EMFILE)) return EMFILE;
  *fd = open_end(PLAIN, family);
  const ps_option on = {.type = PS_FLAG, .integer = 1};
  if (family == 6) ps__os_setoption(*fd, PS__OPTION_V6ONLY, &on);
  return 0;
}

/* The script of a descriptor is for its number. */
int ps__os_replace(int made, int *number) {
  int fd = *number;
  end *old = at(fd), *from = at(made);
  check_unwatched(fd);
  if (world.without_dup) {
    *number = made;
    return ps__os_close(fd);
  }
  empty(&old->reads);
  empty(&old->writes);
  free(old->sent);
  free(old->options);
  *old = (end){.state = PLAIN, .family = from->family, .local = old->local};
  old->options = from->options;
  from->options = NULL;
  return ps__os_close(made);
}

void sim_when_adopted(void (*does)(void *context), void *context) {
  world.adopts = does;
  world.adopted = context;
}

int ps__os_adopt(int fd, int *family) {
  void (*adopts)(void *context) = world.adopts;
  world.adopts = NULL;
  if (adopts != NULL) adopts(world.adopted);
  if (fd < world.first || fd >= world.first + world.used) return EBADF;
  *family = at(fd)->family;
  return 0;
}

int ps__os_prepare(int fd) {
  return fd < world.first || fd >= world.first + world.used ? EBADF : 0;
}

static void place_of(const ps__addr *addr, ps_address *name) {
  place there;
  memcpy(&there, addr->raw.bytes, sizeof there);
  inet_ntop(addr->family == 6 ? AF_INET6 : AF_INET, there.ip, name->ip, sizeof name->ip);
  name->port = there.port;
  name->family = addr->family == 6 ? "inet6" : "inet";
}

int ps__os_bind(int fd, const ps__addr *addr) {
  end *here = at(fd);
  if (here->family != addr->family) return EINVAL;
  ps_address name;
  place_of(addr, &name);
  if (name.port == 81) return EADDRINUSE;
  if (name.port > 0 && name.port < 1024) return EACCES;
  if (name.port > 0 && name.port == world.taken_port) return EADDRINUSE;
  for (int i = 0; i < world.used && name.port > 0; i++)
    if (world.ends[i].state != GONE && world.ends[i].local.port == name.port)
      return EADDRINUSE;
  if (name.port == 0) name.port = here->local.port;
  here->local = name;
  return 0;
}

int ps__os_listen(int fd, int backlog) {
  if (backlog == 13) return EOPNOTSUPP;
  world.backlog = backlog;
  at(fd)->state = LISTENING;
  return 0;
}

int sim_backlog(void) { return world.backlog; }

static void spend(void) {
  world.calls++;
  sim_pass(world.cost);
}

int sim_calls(void) { return world.calls; }
size_t sim_asked(void) { return world.asked; }
size_t sim_populated(void) { return world.populated; }
int sim_clock(void) { return world.clock; }

int ps__os_accept(int fd, int *client) {
  end *here = at(fd);
  spend();
  if (strikes(SIM_EINTR)) return EINTR;
  if (strikes(SIM_EMFILE)) return EMFILE;
  if (here->shut_in) return EINVAL;
  item *next = arrived(&here->reads);
  if (next == NULL || strikes(SIM_EAGAIN)) return EAGAIN;
  here->reads.at++;
  if (next->kind == SIM__ERROR) return next->error;
  if (next->kind != SIM__COMES) return EAGAIN;
  *client = open_end(CONNECTED, here->family);
  sim_script(*client);
  return 0;
}

int ps__os_connect(int fd, const ps__addr *addr) {
  end *here = at(fd);
  if (here->family != addr->family) return EAFNOSUPPORT;
  if (here->state == CONNECTED) return EISCONN;
  if (here->state == CONNECTING) return EALREADY;
  place_of(addr, &here->peer);
  here->due = world.now;
  here->error = 0;
  here->lonely = 0;
  here->state = CONNECTING;
  for (int i = 0; i < world.route_count; i++) {
    if (strcmp(world.routes[i].address, here->peer.ip) != 0) continue;
    here->error = world.routes[i].error;
    if (world.routes[i].seconds < 0) {
      int error = here->error;
      here->state = error == 0 ? CONNECTED : PLAIN;
      here->error = 0; /* it is not pending as well */
      return error;
    }
    here->due = world.now + world.routes[i].seconds;
  }
  sim_script(fd);
  return EINPROGRESS;
}

void sim_take_port(int port) { world.taken_port = port; }

void sim_without_dup(void) { world.without_dup = 1; }

int ps__os_local(int fd, ps__addr *addr) {
  const end *here = at(fd);
  place there;
  memset(&there, 0, sizeof there);
  inet_pton(here->family == 6 ? AF_INET6 : AF_INET, here->local.ip, there.ip);
  there.port = (int)here->local.port;
  addr->family = here->family;
  memcpy(addr->raw.bytes, &there, sizeof there);
  return 0;
}

int ps__os_reuse(int fd) {
  const ps_option on = {PS_FLAG, 1, 1, 1, 0, ""};
  return ps__os_setoption(fd, PS__OPTION_REUSEADDR, &on);
}

int ps__os_disconnect(int fd) {
  end *here = at(fd);
  if (world.without_dup) return 0;
  if (here->state == CONNECTING || here->state == CONNECTED) here->state = PLAIN;
  here->error = 0;
  return 1;
}

/* Completes a connect when it is due. Returns whether it is connected. */
static int connected(end *here) {
  if (here->state == CONNECTING && here->due <= world.now)
    here->state = here->error == 0 ? CONNECTED : PLAIN;
  return here->state == CONNECTED;
}

int ps__os_recv(int fd, void *data, size_t size, size_t *got) {
  end *here = at(fd);
  *got = 0;
  world.asked = size;
  spend();
  if (size == 0) fail_msg("a read of nothing");
  if (strikes(SIM_EINTR)) return EINTR;
  if (here->state == CONNECTING && !connected(here)) return EAGAIN;
  if (here->state != CONNECTED) return ENOTCONN;
  item *next = arrived(&here->reads);
  if (next == NULL) return here->shut_in ? 0 : EAGAIN;
  if (next->kind == SIM__EOF) return 0;
  if (next->kind == SIM__AGAIN || next->kind == SIM__ERROR) {
    here->reads.at++;
    return next->kind == SIM__AGAIN ? EAGAIN : next->error;
  }
  if (strikes(SIM_EAGAIN)) return EAGAIN;
  if (strikes(SIM_SHORT)) size = 1;
  *got = size < next->size ? size : next->size;
  memcpy(data, next->data, *got);
  if (next->kind == SIM__FLOOD) return 0;
  next->data += *got;
  next->size -= *got;
  if (next->size == 0) here->reads.at++;
  return 0;
}

int ps__os_send(int fd, const void *data, size_t size, size_t *sent) {
  end *here = at(fd);
  *sent = 0;
  spend();
  if (size == 0) fail_msg("a write of nothing");
  if (strikes(SIM_EINTR)) return EINTR;
  if (here->state == CONNECTING && !connected(here)) return EAGAIN;
  if (here->state != CONNECTED) return EPIPE;
  if (here->shut_out) return EPIPE;
  item *next = head(&here->writes);
  if (next != NULL && next->due > world.now) return EAGAIN;
  if (strikes(SIM_EAGAIN)) return EAGAIN;
  if (next != NULL) here->writes.at++;
  if (next != NULL && next->kind == SIM__AGAIN) return EAGAIN;
  if (next != NULL && next->kind == SIM__ERROR) return next->error;
  if (next != NULL && next->size < size) size = next->size;
  if (strikes(SIM_SHORT)) size = 1;
  if (here->sent_size + size > here->sent_room) {
    here->sent_room = (here->sent_size + size) * 2;
    here->sent = realloc(here->sent, here->sent_room);
  }
  memcpy(here->sent + here->sent_size, data, size);
  here->sent_size += size;
  *sent = size;
  return 0;
}

int ps__os_shutdown(int fd, const char *mode) {
  end *here = at(fd);
  if (here->state == PLAIN) return ENOTCONN;
  if (here->state == CONNECTING) here->state = PLAIN;
  if (mode[0] != 's') here->shut_in = 1;
  if (mode[0] != 'r') here->shut_out = 1;
  return 0;
}

int ps__os_close(int fd) {
  check_unwatched(fd);
  at(fd)->state = GONE;
  return 0;
}

int ps__os_name(int fd, int peer, ps_address *name) {
  end *here = at(fd);
  if (peer && (!connected(here) || here->lonely)) return ENOTCONN;
  ps_status status = name->status;
  *name = peer ? here->peer : here->local;
  name->status = status;
  return 0;
}

/* ---- Options ---- */

void sim_option_fails(int option, int error) { world.option_errors[option] = error; }
void sim_option_lacks(int option) { world.option_lacks[option] = 1; }
int ps__os_hasoption(int option) { return !world.option_lacks[option]; }

int ps__os_setoption(int fd, int option, const ps_option *value) {
  end *here = at(fd);
  if (world.option_lacks[option]) fail_msg("option %d is not there", option);
  if (world.option_errors[option] != 0) return world.option_errors[option];
  if (here->options == NULL) here->options = calloc(OPTIONS, sizeof *here->options);
  here->options[option] = *value;
  return 0;
}

int ps__os_getoption(int fd, int option, ps_option *value) {
  end *here = at(fd);
  if (world.option_lacks[option]) fail_msg("option %d is not there", option);
  if (world.option_errors[option] != 0) return world.option_errors[option];
  if (option == PS__OPTION_ERROR) {
    connected(here);
    value->integer = here->error;
    here->error = 0;
    return 0;
  }
  if (here->options == NULL) return 0;
  const ps_option *kept = &here->options[option];
  value->integer = kept->integer;
  value->flag = kept->flag;
  memcpy(value->text, kept->text, sizeof value->text);
  return 0;
}

int ps__os_copyoption(int from, int to, int option) {
  if (option == PS__OPTION_ERROR) return EINVAL;
  ps_option value = {PS_NIL, 0, 0, 0, 0, ""};
  int error = ps__os_getoption(from, option, &value);
  at(to);
  return error != 0 ? error : ps__os_setoption(to, option, &value);
}

/* ---- Errors: core/os_error.c, but for those that it does not know ---- */

const char *ps__os_library_words(int error, char *buffer, size_t size) {
  int words = snprintf(buffer, size, "error %d of the system", error);
  for (int wanted = error - SIM_WORDS; words < wanted && words + 1 < (int)size;)
    buffer[words++] = '.';
  buffer[words] = '\0';
  return buffer;
}

size_t ps__os_setsize(void) { return ENDS; }

int ps__os_hostname(char *name, size_t size) {
  if (strikes(SIM_EMFILE)) return ENAMETOOLONG;
  snprintf(name, size, "here.test");
  return 0;
}

/* ---- Names and ways ---- */

void sim_host(const char *name, double seconds, const char *addresses) {
  assert_true(world.host_count < HOSTS);
  world.hosts[world.host_count].name = name;
  world.hosts[world.host_count].canonical = name;
  world.hosts[world.host_count].seconds = seconds;
  world.hosts[world.host_count].code = PS_OK;
  world.hosts[world.host_count++].addresses = addresses;
}

void sim_canonical(const char *name) {
  world.hosts[world.host_count - 1].canonical = name;
}

void sim_host_fails(const char *name, double seconds, short code) {
  sim_host(name, seconds, "");
  world.hosts[world.host_count - 1].code = code;
}

void sim_route(const char *address, double seconds, int error) {
  assert_true(world.route_count < HOSTS);
  world.routes[world.route_count].address = address;
  world.routes[world.route_count].seconds = seconds;
  world.routes[world.route_count++].error = error;
}

int sim_lookups(void) { return world.lookups; }

static int host_named(const char *name) {
  for (int i = 0; name != NULL && i < world.host_count; i++)
    if (strcasecmp(world.hosts[i].name, name) == 0) return i;
  return -1;
}

static const char *name_of(const char *ip) {
  for (int i = 0; i < world.host_count; i++)
    if (strstr(world.hosts[i].addresses, ip) != NULL) return world.hosts[i].name;
  return NULL;
}

/* Adds one address, unless it has the wrong family. Returns a code: PS_NONAME when the
   text is no address. */
static short append(ps__lookup *lookup, ps__record ***last, const char *ip, int port) {
  place there = {{0}, (unsigned short)port};
  int six = strchr(ip, ':') != NULL;
  if (inet_pton(six ? AF_INET6 : AF_INET, ip, there.ip) != 1) return PS_NONAME;
  if (lookup->family != 0 && lookup->family != (six ? 6 : 4)) return PS_OK;
  ps__record *made = ps__os_realloc(NULL, sizeof *made);
  if (made == NULL) return PS_NOMEMORY;
  memset(made, 0, sizeof *made);
  made->addr.family = six ? 6 : 4;
  made->addr.size = sizeof there;
  memcpy(made->addr.raw.bytes, &there, sizeof there);
  snprintf(made->ip, sizeof made->ip, "%s", ip);
  **last = made;
  *last = &made->next;
  if ((lookup->flags & PS__NAMES) == 0) return PS_OK;
  const char *name = name_of(ip);
  if (name == NULL && (lookup->flags & PS__NAMED) != 0) return PS_NONAME;
  snprintf(made->name, sizeof made->name, "%s", name != NULL ? name : ip);
  return PS_OK;
}

static short resolve(ps__lookup *lookup) {
  int port = 0;
  lookup->records = NULL;
  const char *service = lookup->service;
  if (service != NULL && strcmp(service, "echo") == 0)
    port = 7;
  else if (service != NULL && strspn(service, "0123456789") == strlen(service))
    port = atoi(service);
  else if (service != NULL)
    return PS_SERVICE;
  if (service != NULL && (lookup->flags & PS__NAMES) != 0)
    snprintf(lookup->servicename, sizeof lookup->servicename, "%s",
             port == 7 ? "echo" : service);
  ps__record **last = &lookup->records;
  short code = PS_OK;
  if (lookup->host == NULL) {
    int passive = (lookup->flags & PS__PASSIVE) != 0;
    return append(lookup, &last,
                  lookup->family == 6 ? (passive ? "::" : "::1")
                  : passive           ? "0.0.0.0"
                                      : "127.0.0.1",
                  port);
  }
  code = append(lookup, &last, lookup->host, port);
  if (code == PS_OK) return lookup->records == NULL ? PS_BADFAMILY : PS_OK;
  int found = (lookup->flags & PS__NUMERIC) != 0 ? -1 : host_named(lookup->host);
  if (code != PS_NONAME || found < 0) return code;
  if (world.hosts[found].code != PS_OK) return world.hosts[found].code;
  snprintf(lookup->canonical, sizeof lookup->canonical, "%s",
           world.hosts[found].canonical);
  char addresses[PS_WORDS];
  snprintf(addresses, sizeof addresses, "%s", world.hosts[found].addresses);
  code = PS_OK;
  for (char *rest, *ip = strtok_r(addresses, " ", &rest); ip != NULL && code == PS_OK;
       ip = strtok_r(NULL, " ", &rest))
    code = append(lookup, &last, ip, port);
  return code == PS_OK && lookup->records == NULL ? PS_NONAME : code;
}

static void answer(ps__lookup *lookup) {
  lookup->status = ps__error_failure(resolve(lookup));
}

void sim_when_parsed(void (*does)(void *context), void *context) {
  world.parses = does;
  world.parsed = context;
}

void ps__os_resolve(ps__lookup *lookup) {
  void (*parses)(void *context) = world.parses;
  world.parses = NULL;
  if (parses != NULL) parses(world.parsed);
  if (lookup->host != NULL && (lookup->flags & PS__NUMERIC) == 0)
    fail_msg("the name '%s' is asked for in place", lookup->host);
  if ((lookup->flags & PS__NAMES) != 0) fail_msg("a name is asked for in place");
  answer(lookup);
}

int ps__os_lookup_start(const ps__lookup *wanted, ps__lookup **lookup) {
  if (strikes(SIM_EMFILE)) return EAGAIN;
  question *made = ps__os_realloc(NULL, sizeof *made);
  if (made == NULL) return ENOMEM;
  memset(made, 0, sizeof *made);
  made->lookup.family = wanted->family;
  made->lookup.flags = wanted->flags;
  if (wanted->host != NULL)
    made->lookup.host = strncpy(made->host, wanted->host, sizeof made->host - 1);
  if (wanted->service != NULL)
    made->lookup.service =
        strncpy(made->service, wanted->service, sizeof made->service - 1);
  int found = host_named(wanted->host);
  made->due = world.now + (found < 0 ? 0 : world.hosts[found].seconds);
  made->next = world.open;
  world.open = made;
  world.lookups++;
  *lookup = &made->lookup;
  return 0;
}

/* Returns the place of the pointer to a look-up that was not dropped. */
static question **place_of_lookup(const ps__lookup *lookup) {
  question **at = &world.open;
  while (*at != NULL && &(*at)->lookup != lookup) at = &(*at)->next;
  if (*at == NULL) fail_msg("a lookup is used after its drop");
  return at;
}

int ps__os_lookup_done(ps__lookup *lookup) {
  question *asked = *place_of_lookup(lookup);
  if (asked->due > world.now) return 0;
  if (!asked->answered) answer(lookup);
  asked->answered = 1;
  return 1;
}

int ps__os_lookup_wait(ps__lookup *lookup, double seconds) {
  const question *asked = *place_of_lookup(lookup);
  if (!(seconds >= 0)) fail_msg("a wait of %g seconds", seconds);
  if (asked->due > world.now) check_left(seconds);
  double until = fmin(asked->due, world.now + rounded(seconds));
  while (advance(until) > 0) {
  }
  return ps__os_lookup_done(lookup);
}

void ps__os_lookup_drop(ps__lookup *lookup) {
  question **at = place_of_lookup(lookup);
  *at = (*at)->next;
  while (lookup->records != NULL) {
    ps__record *next = lookup->records->next;
    ps__os_realloc(lookup->records, 0);
    lookup->records = next;
  }
  ps__os_realloc(lookup, 0);
}

/* ---- A host language ---- */

static void leave(ps_host *host) {
  (void)host;
  if (world.left) fail_msg("the host is left twice");
  world.left = 1;
  world.leaves++;
}

static void enter(ps_host *host) {
  (void)host;
  if (!world.left) fail_msg("the host is entered twice");
  world.left = 0;
}

static int interrupted(ps_host *host) {
  (void)host;
  if (world.left) fail_msg("the host is asked while it is left");
  world.questions++;
  void (*does)(void *context) = world.does;
  world.does = NULL;
  if (does != NULL) does(world.context);
  int stop = world.stop;
  world.stop = 0;
  return stop;
}

/* As with the core's memory: it moves each time, and what is not kept is garbage. Two
   places are used in turn, since the exhaustive tests lend a megabyte each time. */
static struct {
  char *memory;
  size_t room;
} places[2];
enum { CANARY = 0x77 };

static void check_lent(void) {
  if (world.lent != NULL && world.lent[world.lent_size] != CANARY)
    fail_msg("written behind the memory that was lent");
}

static void *grow(ps_host *host, size_t size) {
  (void)host;
  if (world.left) fail_msg("memory is asked for while the host is left");
  check_lent();
  if (strikes(SIM_EGROW) || size > PTRDIFF_MAX / 2) return NULL;
  int other = world.lent == NULL || world.lent == places[1].memory ? 0 : 1;
  if (places[other].room < size + 1) {
    free(places[other].memory);
    places[other].room = size + 1 + SPOILT;
    places[other].memory = malloc(places[other].room);
    if (places[other].memory == NULL) places[other].room = 0;
    if (places[other].memory == NULL) return NULL;
  }
  char *made = places[other].memory;
  memset(made, 0xA5, size < SPOILT ? size : SPOILT);
  if (world.lent != NULL) {
    memcpy(made, world.lent, world.lent_size < size ? world.lent_size : size);
    memset(world.lent, 0x5A, world.lent_size < SPOILT ? world.lent_size : SPOILT);
  }
  made[size] = CANARY;
  world.lent = made;
  world.lent_size = size;
  return made;
}

ps_host *sim_language(int language) {
  world.host =
      (ps_host){.leave = leave,
                .enter = enter,
                .interrupted = interrupted,
                .grow = language == SIM_GROW || language == SIM_BOTH ? grow : NULL,
                .mode = language == SIM_VIEW   ? PS_HOST_VIEW
                        : language == SIM_GROW ? PS_HOST_LEND
                                               : PS_HOST_HOLD};
  return world.language = language == SIM_C ? NULL : &world.host;
}

void sim_stop(void) { world.stop = 1; }

void sim_when_asked(void (*does)(void *context), void *context) {
  world.does = does;
  world.context = context;
}

int sim_questions(void) { return world.questions; }
int sim_leaves(void) { return world.leaves; }
void sim_check_entered(void) { assert_int_equal(world.left, 0); }

sim_text sim_take(ps_socket *socket, ps_bytes bytes, ps_host *host) {
  sim_check_entered();
  free(world.taken);
  world.taken = malloc(ps_bytes_size(&bytes) + 1);
  ps_bytes_copy(&bytes, world.taken);
  int lent = world.lent != NULL && bytes.data == world.lent;
  int holds = host != NULL && host->mode == PS_HOST_HOLD;
  if (host != NULL && host->grow != NULL && !holds && ps_bytes_size(&bytes) > 0)
    assert_true(lent);
  if (lent) assert_int_equal(bytes.head_size, 0);
  if (lent) assert_true(bytes.size <= world.lent_size);
  if (lent || !holds) assert_int_equal(bytes.held, 0);
  check_lent();
  world.lent = NULL;
  world.lent_size = 0;
  if (holds && !lent) assert_true(ps_socket_take(socket, &bytes));
  return (sim_text){world.taken, bytes.head_size + bytes.size};
}

void sim__expect(ps_socket *socket, ps_bytes bytes, short code, const char *text,
                 size_t size, const char *file, int line) {
  sim_text taken = sim_take(socket, bytes, world.language);
  char words[PS_WORDS], wanted[PS_WORDS];
  if (bytes.status.code != code)
    print_error("%s:%d: '%s' instead of '%s'\n", file, line,
                ps_status_words(bytes.status, words),
                ps_status_words(ps__error_failure(code), wanted));
  else if (taken.size != size || memcmp(taken.data, text, size) != 0)
    print_error("%s:%d: \"%.*s\" instead of \"%.*s\"\n", file, line,
                taken.size < 99 ? (int)taken.size : 99, taken.data,
                size < 99 ? (int)size : 99, text);
  else
    return;
  _fail(file, line);
}

void sim__expect_status(ps_status status, short code, const char *file, int line) {
  char words[PS_WORDS], wanted[PS_WORDS];
  sim_check_entered();
  if (status.code == code) return;
  print_error("%s:%d: '%s' instead of '%s'\n", file, line, ps_status_words(status, words),
              ps_status_words(ps__error_failure(code), wanted));
  _fail(file, line);
}
