/* SPDX-License-Identifier: MIT */
/* See world.h: the waits of core/os.h, wakers, event queues, names and errors. Once
   what a thread waits for is there, it may go on; the scheduler decides when it does. */

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "world.h"

/* ---- Wakers ---- */

static void renew(ps__waker *waker) {
  waker->bell->rung = 0;
  waker->process = w.process;
  waker->fd = world_strikes(FAULT_EMFILE) ? -1 : 1;
}

void ps__os_waker_begin(ps__waker *waker) {
  world_step();
  int free = 0;
  while (free < WAKERS && w.bells[free].used) free++;
  world_must(free < WAKERS, "too many wakers");
  waker->bell = &w.bells[free];
  *waker->bell = (struct ps__bell){1, 0, w.current->id, w.current->call.serial};
  waker->woken = 0;
  renew(waker);
}

void ps__os_waker_end(ps__waker *waker) {
  world_step();
  world_must(waker->bell->used, "a waker is ended that was not begun");
  waker->bell->used = 0;
}

static void ring_all(void) {
  for (int i = 0; i < WAKERS; i++) w.bells[i].rung = 1;
}

void ps__os_wake(void) {
  world_step();
  ring_all();
}

/* A waker without a descriptor is not rung: its wait ends soon anyway. */
static int is_woken(const ps__waker *waker) {
  if (waker == NULL) return 0;
  return (waker->fd >= 0 && waker->bell->rung) || waker->process != w.process;
}

/* ---- Waiting ---- */

/* Whole milliseconds, rounded up. */
static double rounded(double seconds) {
  return seconds == INFINITY ? INFINITY : ceil(seconds * 1000) / 1000;
}

static void check_left(double seconds) {
  world_must(!(seconds > 0) || w.current->call.host == NULL ||
                 w.current->call.host->leave == NULL || w.current->left,
             "a wait of %g seconds without leaving the host", seconds);
  world_must(w.lock_owner != w.current, "a wait with the lock");
}

/* Has the user ended the wait? */
static int is_killed(void) {
  fiber *self = w.current;
  int killed = self->killed;
  self->killed = 0;
  if (killed) self->call.stopped |= 2;
  return killed;
}

/* Sometimes a signal ends a wait before its time. Returns whether this one. */
static int is_signalled(double *until) {
  if (world_strikes(FAULT_STOP))
    w.current->call.stopped |= 2; /* see play.c */
  else if (!world_strikes(FAULT_EINTR))
    return 0;
  *until = fmin(*until, w.now + world_chance(3000) * 1e-6);
  return 1;
}

int ps__os_sleep(double seconds) {
  world_step();
  check_left(seconds);
  world_must(seconds >= 0, "a sleep of %g seconds", seconds);
  double until = w.now + rounded(seconds);
  int signalled = is_signalled(&until);
  world_wait(WAIT_TIME, until);
  w.current->call.slept = w.now;
  return signalled ? EINTR : 0;
}

int os_poll_over(const fiber *one) {
  if (is_woken(one->waker)) return 1;
  for (size_t i = 0; i < one->set_count; i++)
    for (size_t j = 0; j < one->sets[i].count; j++) {
      const ps_watch *watch = &one->sets[i].watches[j];
      if (watch->fd < 0) continue;
      file *there = net_file(watch->fd);
      if (there == NULL) return 1; /* it is reported when the wait goes on */
      if (watch->writable ? net_writable(there) : net_readable(there)) return 1;
    }
  return 0;
}

static int count_polled(const ps_sockets *sets, size_t count, int change) {
  int found = 0;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < sets[i].count; j++) {
      ps_watch *watch = &sets[i].watches[j];
      watch->ready = 0;
      if (watch->fd < 0) continue;
      file *there = net_file(watch->fd);
      world_must(there != NULL, "a wait for descriptor %d, which is closed", watch->fd);
      world_must(w.current->call.object < 0 || there->owner < 0 ||
                     there->owner == w.current->call.object,
                 "a wait for the descriptor of another object");
      w.polled[watch->fd] += change;
      watch->ready = watch->writable ? net_writable(there) : net_readable(there);
      found |= watch->ready;
    }
  return found;
}

int ps__os_poll(const ps_sockets *sets, size_t count, double seconds, ps__waker *waker) {
  world_step();
  fiber *self = w.current;
  unsigned process = w.process;
  world_must(seconds >= 0, "a wait of %g seconds", seconds);
  check_left(seconds);
  if (waker != NULL && (waker->woken = (char)is_woken(waker))) renew(waker);
  int found = count_polled(sets, count, 1);
  int signalled = 0, sliced = waker != NULL && waker->fd < 0 && seconds > 0;
  NOTE("poll for %g s: %d", seconds, found);
  if (!found && seconds > 0 && (waker == NULL || !waker->woken)) {
    double until = w.now + rounded(sliced ? fmin(seconds, 0.05) : seconds);
    signalled = is_signalled(&until);
    self->sets = sets;
    self->set_count = count;
    self->waker = waker;
    world_wait(WAIT_POLL, until);
    signalled |= is_killed();
    if (waker != NULL && (waker->woken = (char)is_woken(waker))) renew(waker);
  }
  found = count_polled(sets, count, process == w.process ? -1 : 0);
  if (found) self->call.progress = w.now;
  if (found || (waker != NULL && waker->woken)) return 0;
  if (signalled) return EINTR;
  if (sliced) {
    renew(waker);
    waker->woken = 1;
  }
  return 0;
}

/* ---- Event queues ---- */

static void check_queue(const ps__queue *queue) {
  world_must(queue != NULL && queue->used, "a queue is used after its end");
  world_must(queue->process == w.process, "the queue of another process is used");
}

int ps__os_queue_make(ps__queue **queue) {
  world_step();
  if (world_strikes(FAULT_EMFILE)) return EMFILE;
  if (world_strikes(FAULT_ENOMEM)) return ENOMEM;
  int free = 0;
  while (free < QUEUES && w.queues[free].used) free++;
  if (free == QUEUES) return ENOMEM;
  *queue = &w.queues[free];
  memset(*queue, 0, sizeof **queue);
  (*queue)->used = 1;
  (*queue)->process = w.process;
  (*queue)->fiber = w.current->id;
  (*queue)->call = w.current->call.serial;
  return 0;
}

void ps__os_queue_free(ps__queue *queue) {
  world_step();
  if (queue == NULL) return;
  world_must(queue->used, "a queue is freed twice");
  queue->used = 0;
}

int ps__os_queue_add(ps__queue *queue, int fd, unsigned events, unsigned generation) {
  world_step();
  check_queue(queue);
  if (net_file(fd) == NULL) return EBADF;
  if (world_strikes(FAULT_EWATCH)) return ENOSPC;
  if (queue->events[fd] != 0) return EEXIST;
  queue->events[fd] = (unsigned char)events;
  queue->generations[fd] = generation;
  return 0;
}

int ps__os_queue_modify(ps__queue *queue, int fd, unsigned events, unsigned generation) {
  world_step();
  check_queue(queue);
  if (net_file(fd) == NULL) return EBADF;
  if (queue->events[fd] == 0) return ENOENT;
  if (world_strikes(FAULT_EWATCH)) return ENOMEM;
  queue->events[fd] = (unsigned char)events;
  queue->generations[fd] = generation;
  return 0;
}

void ps__os_queue_remove(ps__queue *queue, int fd) {
  world_step();
  check_queue(queue);
  queue->events[fd] = 0;
}

void ps__os_queue_wake(ps__queue *queue) {
  world_step();
  check_queue(queue);
  queue->rung = 1;
}

int ps__os_queue_fd(const ps__queue *queue) {
  world_step();
  check_queue(queue);
  return FDS + 1; /* nobody waits for it here */
}

/* A poller to which a socket is added while its descriptor is replaced watches the old
   file for a moment. */
void os_forget(int fd) {
  for (int i = 0; i < QUEUES; i++) w.queues[i].events[fd] = 0;
}

void os_check_unwatched(int fd) {
  for (int i = 0; i < QUEUES; i++) {
    const ps__queue *queue = &w.queues[i];
    if (queue->used && queue->process == w.process)
      world_must(queue->events[fd] == 0,
                 "descriptor %d is closed while a queue watches it", fd);
  }
}

static unsigned ready_events(const ps__queue *queue, int fd) {
  unsigned wanted = queue->events[fd];
  if (wanted == 0) return 0;
  file *there = net_file(fd);
  if (there == NULL) return 0;
  return ((wanted & PS__IN) != 0 && net_readable(there) ? PS__IN : 0u) |
         ((wanted & PS__OUT) != 0 && net_writable(there) ? PS__OUT : 0u);
}

int os_queue_over(const fiber *one) {
  if (is_woken(one->waker) || one->queue->rung || !one->queue->used) return 1;
  for (int fd = 0; fd < FDS; fd++)
    if (one->queue->events[fd] != 0 && ready_events(one->queue, fd) != 0) return 1;
  return 0;
}

static size_t list_events(ps__queue *queue, ps__event *events, size_t room) {
  size_t count = 0;
  int start = queue->next;
  for (int i = 0; i < FDS && count < room; i++) {
    int fd = (start + i) % FDS;
    unsigned ready = ready_events(queue, fd);
    if (ready == 0) continue;
    events[count++] = (ps__event){fd, queue->generations[fd], ready};
    queue->next = (fd + 1) % FDS;
  }
  return count;
}

int ps__os_queue_wait(ps__queue *queue, ps__event *events, size_t room, double seconds,
                      ps__waker *waker, size_t *count) {
  world_step();
  fiber *self = w.current;
  check_queue(queue);
  check_left(seconds);
  world_must(seconds >= 0, "a wait of %g seconds", seconds);
  world_must(room > 0, "a wait for no event");
  int sliced = waker != NULL && waker->fd < 0 && seconds > 0, signalled = 0;
  self->queue = queue;
  self->waker = waker;
  if (seconds > 0 && !os_queue_over(self)) {
    double until = w.now + rounded(sliced ? fmin(seconds, 0.05) : seconds);
    signalled = is_signalled(&until);
    world_wait(WAIT_QUEUE, until);
    signalled |= is_killed();
  }
  check_queue(queue);
  *count = list_events(queue, events, room);
  int woken = queue->rung || is_woken(waker);
  queue->rung = 0;
  NOTE("wait of a queue: %zu events, %d", *count, woken);
  return *count == 0 && !woken && signalled ? EINTR : 0;
}

/* All threads wait. No wait of a poller may have missed what another thread has
   left in a read buffer. A select is not told of that. */
void os_check_notified(void) {
  for (int i = 0; i < FIBERS; i++) {
    const fiber *one = &w.fibers[i];
    if (one->state != FIBER_WAITS) continue;
    if (one->kind != WAIT_QUEUE) continue;
    for (int j = 0; j < OBJECTS; j++) {
      const object *there = &w.objects[j];
      if (there->state != OBJECT_OPEN || there->socket == NULL) continue;
      const ps_poller *poller = atomic_load(&there->socket->poller);
      if (poller == NULL || poller->queue != one->queue) continue;
      const ps__slot *slot = ps__member_find(poller, (ps_source){there->socket, -1});
      world_must((slot->events & PS__IN) == 0 || !ps__has_news(there->socket),
                 "a poller waits though bytes are buffered");
    }
  }
}

/* ---- Names ---- */

static const struct {
  const char *name;
  double takes;
  short code;
  const char *addresses; /* digits */
} hosts[] = {{"good.test", 0.0005, PS_OK, "0"},  {"late.test", 0.03, PS_OK, "0"},
             {"many.test", 0.002, PS_OK, "130"}, {"six.test", 0.001, PS_OK, "40"},
             {"hole.test", 0.001, PS_OK, "20"},  {"bad.test", 0.004, PS_NONAME, ""},
             {"never.test", 20, PS_AGAIN, ""},   {"odd.test", 0.02, PS_AGAIN, ""}};

static int host_named(const char *name) {
  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
    if (strcmp(hosts[i].name, name) == 0) return (int)i;
  return -1;
}

static short append(ps__lookup *lookup, ps__record ***last, int address, int port) {
  int family = world_families[address];
  if (lookup->family != 0 && lookup->family != family) return PS_OK;
  ps__record *made = ps__os_realloc(NULL, sizeof *made);
  if (made == NULL) return PS_NOMEMORY;
  const struct { int address, port; } there = {address, port};
  memset(made, 0, sizeof *made);
  made->addr.family = family;
  made->addr.size = sizeof there;
  memcpy(made->addr.raw.bytes, &there, sizeof there);
  strcpy(made->ip, world_addresses[address]);
  strcpy(made->name, "name.test");
  **last = made;
  *last = &made->next;
  return PS_OK;
}

static short resolve(ps__lookup *lookup) {
  int port = lookup->service == NULL ? 0 : atoi(lookup->service);
  ps__record **last = &lookup->records;
  *last = NULL;
  if (lookup->service != NULL) strcpy(lookup->servicename, "service");
  if (lookup->host == NULL)
    return append(lookup, &last, lookup->family == 6 ? 4 : 0, port);
  int address = net_address(lookup->host);
  if (address >= 0) {
    short code = append(lookup, &last, address, port);
    return code == PS_OK && lookup->records == NULL ? PS_BADFAMILY : code;
  }
  int host = (lookup->flags & PS__NUMERIC) != 0 ? -1 : host_named(lookup->host);
  if (host < 0) return PS_NONAME;
  if (hosts[host].code != PS_OK) return hosts[host].code;
  strcpy(lookup->canonical, hosts[host].name);
  for (const char *at = hosts[host].addresses; *at != '\0'; at++) {
    short code = append(lookup, &last, *at - '0', port);
    if (code != PS_OK) return code;
  }
  return lookup->records == NULL ? PS_NONAME : PS_OK;
}

void ps__os_resolve(ps__lookup *lookup) {
  world_step();
  world_must(lookup->host == NULL || (lookup->flags & PS__NUMERIC) != 0,
             "a name is resolved in place");
  lookup->status = ps__error_failure(resolve(lookup));
}

/* Helper threads that are done say so. */
void os_finish_lookups(void) {
  w.lookup_due = INFINITY;
  for (int i = 0; i < w.lookup_count; i++) {
    lookup *one = &w.lookups[i];
    if (!one->used || one->finished || one->process != w.process) continue;
    if (one->due <= w.now) {
      one->finished = 1;
      ring_all();
    } else {
      w.lookup_due = fmin(w.lookup_due, one->due);
    }
  }
}

int ps__os_lookup_start(const ps__lookup *question, ps__lookup **made) {
  world_step();
  if (world_strikes(FAULT_EMFILE)) return EAGAIN;
  if (world_strikes(FAULT_ENOMEM) || w.lookup_count == LOOKUPS) return ENOMEM;
  lookup *one = &w.lookups[w.lookup_count++];
  *one = (lookup){.lookup = *question, .used = 1, .process = w.process};
  one->lookup.records = NULL;
  if (question->host != NULL)
    one->lookup.host = strncpy(one->host, question->host, sizeof one->host - 1);
  if (question->service != NULL)
    one->lookup.service =
        strncpy(one->service, question->service, sizeof one->service - 1);
  int host = question->host == NULL ? -1 : host_named(question->host);
  one->takes = host < 0 ? 0.001 : hosts[host].takes;
  one->due = w.now + one->takes;
  w.lookup_due = fmin(w.lookup_due, one->due);
  *made = &one->lookup;
  NOTE("look up %s", question->host);
  return 0;
}

static lookup *asked(ps__lookup *of) {
  lookup *one = (lookup *)of;
  world_must(one->used, "a look-up is used after its drop");
  if (!one->finished && one->process != w.process) { /* it restarts in the child */
    one->process = w.process;
    one->due = w.now + one->takes;
    w.lookup_due = fmin(w.lookup_due, one->due);
  }
  return one;
}

/* The answer comes from the memory of the helper thread, which never fails here. */
int ps__os_lookup_done(ps__lookup *of) {
  world_step();
  lookup *one = asked(of);
  if (!one->finished) return 0;
  if (!one->answered) {
    one->answered = 1; /* first: another thread may ask, too */
    int calm = w.calm;
    w.calm = 1;
    of->status = ps__error_failure(resolve(of));
    w.calm = calm;
  }
  return 1;
}

int os_lookup_over(const fiber *one) { return ((const lookup *)one->lookup)->finished; }

int ps__os_lookup_wait(ps__lookup *of, double seconds) {
  world_step();
  world_must(seconds >= 0, "a wait of %g seconds", seconds);
  if (!asked(of)->finished) {
    check_left(seconds);
    w.current->lookup = of;
    world_wait(WAIT_LOOKUP, w.now + rounded(seconds));
  }
  return ps__os_lookup_done(of);
}

void ps__os_lookup_drop(ps__lookup *of) {
  world_step();
  lookup *one = asked(of);
  one->used = 0;
  while (of->records != NULL) {
    ps__record *next = of->records->next;
    ps__os_realloc(of->records, 0);
    of->records = next;
  }
}

/* ---- Errors: core/os_error.c, but for those that it does not know ---- */

const char *ps__os_library_words(int error, char *buffer, size_t size) {
  snprintf(buffer, size, "error %d of the system", error);
  return buffer;
}

size_t ps__os_setsize(void) { return FDS; }

int ps__os_hostname(char *name, size_t size) {
  world_step();
  if (world_strikes(FAULT_EMFILE)) return ENAMETOOLONG;
  snprintf(name, size, "here.test");
  return 0;
}
