/* SPDX-License-Identifier: MIT */
/* The wait of a poller: merges the events of the system and of the sockets into one list.
   It must not visit members that are not ready, and must not hold the lock while it waits
   or calls the host's interrupted. */

#include <math.h>
#include <stdint.h>

#include "member.h"

typedef struct poller_wait {
  ps_poller *poller;
  ps_host *host;
  size_t most;      /* the greatest number of events to report */
  size_t count;     /* events reported so far */
  ps_status status; /* why the wait ends, or PS_OK */
  int woken;
  int known;  /* a member is ready without asking the system */
  int naming; /* a member waits for a name */
} poller_wait;

enum { ROOM = 64 }; /* initial capacity for events */

/* Makes room for a number of events. */
static int make_event_room(ps_poller *self, size_t room) {
  if (self->room >= room) return 1;
  void *events = ps__os_realloc(self->events, room * sizeof *self->events);
  if (events != NULL) self->events = events;
  void *owners = ps__os_realloc(self->owners, room * sizeof *self->owners);
  if (owners != NULL) self->owners = owners;
  void *found = ps__os_realloc(self->found, room * sizeof *self->found);
  if (found != NULL) self->found = found;
  if (events == NULL || owners == NULL || found == NULL) return 0;
  self->room = room;
  return 1;
}

/* Has this wait already reported an event of the slot? */
static int is_reported(const poller_wait *wait, const ps__slot *slot) {
  return slot->place < wait->count &&
         wait->poller->owners[slot->place].generation == slot->generation;
}

/* Reports events of a slot. Returns whether there was memory. */
static int report(poller_wait *wait, ps__slot *slot, unsigned events) {
  static const char *const texts[] = {"", "r", "w", "rw"};
  ps_poller *self = wait->poller;
  if (!is_reported(wait, slot)) {
    if (wait->count == self->room && !make_event_room(self, self->room * 2)) return 0;
    slot->place = (unsigned)wait->count++;
    self->owners[slot->place] = (ps__owner){slot->generation, 0};
  }
  ps__owner *owner = &self->owners[slot->place];
  owner->events |= events;
  self->events[slot->place] = (ps_event){slot->token, texts[owner->events]};
  return 1;
}

/* Returns the events that a listed member is ready for without asking the system. The
   call that asks whether its name is resolved closes no descriptor here, with the lock
   held: a close ends the registration first, and needs the lock for that. */
static unsigned known_events(poller_wait *wait, int fd, ps__slot *slot) {
  ps_socket *socket = slot->socket;
  unsigned events = (slot->flags & PS__GIVEN) != 0 ? PS__IN : 0;
  if (socket == NULL) return events & slot->events;
  if (ps__has_news(socket)) events |= PS__IN;
  if (atomic_load(&socket->naming)) {
    wait->naming = 1;
    if (ps__connect_news(socket)) events |= PS__OUT;
  } else if (fd >= 0 && (slot->flags & (PS__ARMED | PS__HELD)) == 0) {
    int error = ps__member_arm(wait->poller, fd, slot);
    if (error != 0) wait->status = ps__error_system(error);
  }
  return events & slot->events;
}

/* Must later waits check a member that is not ready? */
static int stays_listed(const ps__slot *slot) {
  const ps_socket *socket = slot->socket;
  return socket != NULL &&
         (atomic_load(&socket->naming) || (slot->flags & (PS__ARMED | PS__HELD)) == 0);
}

static void unlist(poller_wait *wait, int fd, ps__slot *slot) {
  ps__member_unlist(wait->poller, fd);
  slot->flags &= (unsigned char)~PS__GIVEN;
  if (slot->socket == NULL) return;
  atomic_store(&slot->socket->told, 0);
  /* Bytes that arrived before that were not notified: the next check reports them. */
  if (!ps__has_news(slot->socket) || (slot->events & PS__IN) == 0) return;
  ps__member_list(wait->poller, fd);
  wait->known = 1;
}

/* Checks the listed members, and reports the ready ones up to a total of most. Those that
   are reported move to the end of the list. */
static void gather_listed(poller_wait *wait, size_t most) {
  ps_poller *self = wait->poller;
  int last = self->last, fd = self->first, done = fd < 0;
  while (!done) {
    ps__slot *slot = ps__member_slot(self, fd);
    int next = slot->after;
    done = fd == last;
    unsigned events = known_events(wait, fd, slot);
    if (events != 0) wait->known = 1;
    if (events == 0) {
      if (!stays_listed(slot)) unlist(wait, fd, slot);
    } else if (wait->count >= most && !is_reported(wait, slot)) {
      return;
    } else if (report(wait, slot, events)) {
      slot->flags &= (unsigned char)~PS__GIVEN;
      ps__member_unlist(self, fd);
      ps__member_list(self, fd);
    }
    fd = next;
  }
}

/* The same for members without a descriptor. */
static void gather_nameless(poller_wait *wait, size_t most) {
  ps__nameless **at = &wait->poller->nameless, *reported = NULL, **end = &reported;
  while (*at != NULL) {
    ps__nameless *member = *at;
    unsigned events = known_events(wait, -1, &member->slot);
    if (events != 0) wait->known = 1;
    if (events != 0 && wait->count < most && report(wait, &member->slot, events)) {
      *at = member->next;
      *end = member;
      end = &member->next;
    } else {
      at = &member->next;
    }
  }
  *end = NULL;
  *at = reported;
}

static void gather(poller_wait *wait, size_t most) {
  if ((wait->poller->turn & 2) != 0) {
    gather_nameless(wait, most);
    gather_listed(wait, most);
  } else {
    gather_listed(wait, most);
    gather_nameless(wait, most);
  }
}

/* Reports the events of the queue. */
static void convert(poller_wait *wait, size_t count, unsigned changes) {
  ps_poller *self = wait->poller;
  for (size_t i = 0; i < count; i++) {
    ps__event found = self->found[i];
    ps__slot *slot = ps__member_slot(self, found.fd);
    if (slot == NULL || slot->generation != found.generation ||
        (slot->flags & PS__ARMED) == 0) {
      if (self->changes == changes) self->stale = 1;
      continue;
    }
    unsigned events = found.events & slot->events;
    if (events != 0) report(wait, slot, events);
  }
}

/* Waits in the system call for at most room events. */
static int ask_system(poller_wait *wait, size_t room, double seconds, ps__waker *waker,
                      size_t *count) {
  ps_poller *self = wait->poller;
  ps_host *host = wait->host;
  self->waiting = 1;
  ps__os_unlock();
  if (seconds > 0) ps__host_leave(host);
  int error = ps__os_queue_wait(self->queue, self->found, room, seconds, waker, count);
  if (seconds > 0) ps__host_enter(host);
  ps__os_lock();
  self->waiting = 0;
  return error;
}

/* Asks the queue until all ready members, or the greatest number, are reported. */
static int collect(poller_wait *wait, double seconds, ps__waker *waker) {
  ps_poller *self = wait->poller;
  for (;;) {
    size_t left = wait->most - wait->count, count;
    size_t room = left < self->room ? left : self->room;
    if (room == 0) return 0;
    unsigned changes = self->changes;
    int error = ask_system(wait, room, seconds, waker, &count);
    if (error != 0 || self->closed) return error;
    convert(wait, count, changes);
    /* The wake-up of the queue itself may have used one place. */
    if (count + 1 < room || left <= room) return 0;
    if (!make_event_room(self, self->room * 2)) return 0;
    seconds = 0;
  }
}

/* Checks the list, then asks the system, then checks the list again. With a limit on the
   number of events, the first check may only use half of it, so that neither the list nor
   the system is left out for ever. */
static int look_around(poller_wait *wait, double seconds, ps__waker *waker) {
  ps_poller *self = wait->poller;
  int limited = wait->most != SIZE_MAX;
  self->turn++;
  gather(wait, limited ? (wait->most + (self->turn & 1)) / 2 : SIZE_MAX);
  if (wait->naming && seconds > 0 && !wait->known) {
    /* Helper threads wake the wait. Check again for those that finished before it began.
     */
    ps__os_waker_begin(waker);
    gather(wait, wait->most);
  } else {
    waker = NULL;
  }
  if (wait->known || wait->status.code != PS_OK) seconds = 0;
  int error = collect(wait, seconds, waker);
  if (waker != NULL) ps__os_waker_end(waker);
  if (wait->count == 0 || limited) gather(wait, wait->most);
  return error;
}

static int finish_wait(poller_wait *wait, int error) {
  ps_poller *self = wait->poller;
  if (self->closed) wait->status = ps__error_failure(PS_CLOSED);
  wait->woken = self->woken;
  self->woken = 0;
  if (self->nested && wait->known && !self->closed) ps__os_queue_wake(self->queue);
  if (wait->count > 0 && !self->closed) wait->status = PS__DONE;
  if (wait->count > 0 || wait->woken || wait->status.code != PS_OK) return PS__READY;
  if (error == 0) return PS__TIMEUP;
  return ps__os_signalled(error) ? PS__SIGNAL : error;
}

static int look_at_members(ps_host *host, void *context, double seconds) {
  poller_wait *wait = context;
  ps_poller *self = wait->poller;
  ps__waker waker;
  (void)host;
  ps__os_lock();
  int error = self->closed ? 0 : ps__member_renew(self);
  wait->known = wait->naming = 0;
  wait->status = ps__error_failure(self->trouble);
  self->trouble = PS_OK;
  if (error == 0 && !self->closed && wait->status.code == PS_OK)
    error = look_around(wait, self->woken ? 0 : seconds, &waker);
  int answer = finish_wait(wait, error);
  ps__os_unlock();
  return answer;
}

static ps_status wait_for_events(poller_wait *wait, ps_seconds timeout) {
  if (timeout == 0) {
    int answer = look_at_members(wait->host, wait, 0);
    /* A former member may have had the place of one that is ready. */
    if (answer < 0 && wait->poller->stale) answer = look_at_members(wait->host, wait, 0);
    return answer < 0 ? ps__error_failure(PS_TIMEOUT) : ps__error_system(answer);
  }
  ps__call call = ps__call_alone(wait->host, timeout);
  return ps__timeout_pause(&call, look_at_members, wait);
}

static ps_status begin_wait(ps_poller *self, ps_seconds timeout, ps_most max) {
  if (self == NULL) return ps__error_misuse(PS_MISUSE_NOTPOLLER, 0, NULL);
  if (isnan(timeout)) return ps__error_misuse(PS_MISUSE_NAN, 1, "timeout");
  if (max < 0) return ps__error_misuse(PS_MISUSE_COUNT, 2, "max");
  ps_status status = ps__member_begin(self);
  if (status.code != PS_OK) return status;
  if (self->busy)
    status = ps__error_failure(PS_BUSY);
  else if (!make_event_room(self, ROOM))
    status = ps__error_failure(PS_NOMEMORY);
  else
    self->busy = 1;
  ps__os_unlock();
  return status;
}

static void end_wait(ps_poller *self) {
  ps__os_lock();
  self->busy = 0;
  if (self->closed) ps__member_free_queue(self);
  ps__os_unlock();
}

ps_polled ps_poller_wait(ps_poller *self, ps_seconds timeout, ps_most max,
                         ps_host *host) {
  ps_polled result = {begin_wait(self, timeout, max), NULL, 0};
  if (result.status.code != PS_OK) return result;
  poller_wait wait = {.poller = self, .host = host, .status = PS__DONE};
  wait.most = max == 0 || (unsigned long long)max > SIZE_MAX ? SIZE_MAX : (size_t)max;
  result.status = wait_for_events(&wait, timeout);
  if (result.status.code == PS_OK) result.status = wait.status;
  if (result.status.code == PS_OK) {
    result.events = self->events;
    result.count = wait.count;
  }
  end_wait(self);
  return result;
}
