/* SPDX-License-Identifier: MIT */
/* Updates the registration of a socket in a poller when the socket is closed, gets
   another descriptor, or has buffered bytes. A descriptor is removed from the queue
   before it is closed, because a copy of it in another process would keep it registered.
   Functions here wait only for the lock. */

#include <stdint.h>
#include <string.h>

#include "member.h"

/* ---- The table ---- */

static ps__slot *place_of(const ps_poller *poller, int fd) {
  size_t page = (size_t)fd / PS__PAGE;
  if (fd < 0 || page >= poller->page_count || poller->pages[page] == NULL) return NULL;
  return &poller->pages[page][(size_t)fd % PS__PAGE];
}

ps__slot *ps__member_slot(const ps_poller *poller, int fd) {
  ps__slot *slot = place_of(poller, fd);
  return slot != NULL && slot->events != 0 ? slot : NULL;
}

static int make_place(ps_poller *poller, int fd) {
  size_t page = (size_t)fd / PS__PAGE;
  if (page >= poller->page_count) {
    size_t count = page + 1 + page / 2;
    ps__slot **grown = ps__os_realloc(poller->pages, count * sizeof *grown);
    if (grown == NULL) return 0;
    for (size_t i = poller->page_count; i < count; i++) grown[i] = NULL;
    poller->pages = grown;
    poller->page_count = count;
  }
  if (poller->pages[page] != NULL) return 1;
  ps__slot *made = ps__os_realloc(NULL, PS__PAGE * sizeof *made);
  if (made == NULL) return 0;
  memset(made, 0, PS__PAGE * sizeof *made);
  poller->pages[page] = made;
  return 1;
}

static ps__nameless **nameless_of(ps_poller *poller, const ps_socket *socket) {
  ps__nameless **at = &poller->nameless;
  while (*at != NULL && (*at)->slot.socket != socket) at = &(*at)->next;
  return at;
}

static ps__slot *slot_of(const ps_poller *poller, const ps_socket *socket) {
  if (socket->watched >= 0) return place_of(poller, socket->watched);
  ps__nameless *at = poller->nameless;
  while (at->slot.socket != socket) at = at->next;
  return &at->slot;
}

ps__slot *ps__member_find(const ps_poller *poller, ps_source source) {
  if (source.socket != NULL)
    return atomic_load(&source.socket->poller) == poller ? slot_of(poller, source.socket)
                                                         : NULL;
  ps__slot *slot = ps__member_slot(poller, source.fd);
  return slot != NULL && slot->socket == NULL ? slot : NULL;
}

/* ---- The list of slots that each wait checks ---- */

void ps__member_list(ps_poller *poller, int fd) {
  ps__slot *slot = place_of(poller, fd);
  if ((slot->flags & PS__LISTED) != 0) return;
  slot->flags |= PS__LISTED;
  slot->before = poller->last;
  slot->after = -1;
  if (poller->last >= 0)
    place_of(poller, poller->last)->after = fd;
  else
    poller->first = fd;
  poller->last = fd;
}

void ps__member_unlist(ps_poller *poller, int fd) {
  ps__slot *slot = place_of(poller, fd);
  if ((slot->flags & PS__LISTED) == 0) return;
  slot->flags &= (unsigned char)~PS__LISTED;
  if (slot->before >= 0)
    place_of(poller, slot->before)->after = slot->after;
  else
    poller->first = slot->after;
  if (slot->after >= 0)
    place_of(poller, slot->after)->before = slot->before;
  else
    poller->last = slot->before;
}

/* ---- The queue ---- */

/* Was the queue made by this process? The copy of a parent's queue is never changed,
   because that would change the parent's queue. The first call that needs a queue makes
   one. */
static int is_ours(const ps_poller *poller) {
  return poller->process == ps__os_process();
}

/* Wakes a wait under way so that it checks the list. */
static void notify(const ps_poller *poller) {
  if (is_ours(poller) && (poller->waiting || poller->nested))
    ps__os_queue_wake(poller->queue);
}

int ps__member_arm(ps_poller *poller, int fd, ps__slot *slot) {
  slot->generation = ++poller->generation;
  int error = !is_ours(poller)
                  ? 0
                  : ps__os_queue_add(poller->queue, fd, slot->events, slot->generation);
  if (error == 0) slot->flags |= PS__ARMED;
  return error;
}

static void disarm(ps_poller *poller, int fd, ps__slot *slot) {
  poller->changes++;
  if ((slot->flags & PS__ARMED) == 0) return;
  slot->flags &= (unsigned char)~PS__ARMED;
  if (is_ours(poller)) ps__os_queue_remove(poller->queue, fd);
}

/* A descriptor with another owner may have been closed; then it is never ready. */
static void arm_again(ps_poller *poller, int fd, ps__slot *slot) {
  if ((slot->flags & PS__ARMED) == 0) return;
  slot->flags &= (unsigned char)~PS__ARMED;
  if (ps__member_arm(poller, fd, slot) != 0 && slot->socket != NULL)
    ps__member_list(poller, fd);
}

int ps__member_renew(ps_poller *poller) {
  unsigned process = ps__os_process();
  /* A wait in the system call uses the queue until it returns. */
  if (poller->process == process && (!poller->stale || poller->waiting)) return 0;
  ps__queue *queue;
  int error = ps__os_queue_make(&queue);
  if (error != 0) return error;
  ps__os_queue_free(poller->queue);
  poller->queue = queue;
  if (poller->process != process) poller->busy = poller->waiting = poller->nested = 0;
  poller->process = process;
  poller->stale = 0;
  for (size_t i = 0; i < poller->page_count * PS__PAGE; i++) {
    ps__slot *slot = ps__member_slot(poller, (int)i);
    if (slot == NULL) continue;
    arm_again(poller, (int)i, slot);
    /* The thread that was about to notify does not exist in a forked child. */
    if (slot->socket != NULL && ps__has_news(slot->socket))
      ps__member_list(poller, (int)i);
  }
  return 0;
}

void ps__member_free_queue(ps_poller *poller) {
  ps__os_queue_free(poller->queue);
  poller->queue = NULL;
}

ps_status ps__member_begin(ps_poller *poller) {
  if (poller == NULL) return ps__error_misuse(PS_MISUSE_NOTPOLLER, 0, NULL);
  ps__os_lock();
  int error = poller->closed ? 0 : ps__member_renew(poller);
  if (!poller->closed && error == 0) return PS__DONE;
  ps__os_unlock();
  return error == 0 ? ps__error_failure(PS_CLOSED) : ps__error_system(error);
}

/* ---- Registering ---- */

/* Makes room for the tokens of all members and one more. */
static int grow_table(ps_poller *poller) {
  size_t needed = poller->count + 1 + poller->ended_count;
  if (needed <= poller->named) return 1;
  size_t room = needed + needed / 4 + 8;
  void **grown = ps__os_realloc(poller->ended, room * sizeof *grown);
  if (grown == NULL) return 0;
  poller->ended = grown;
  poller->named = room;
  return 1;
}

static void keep_token(ps_poller *poller, void *token) {
  if (poller->keeps) poller->ended[poller->ended_count++] = token;
}

static void forget_socket(ps_socket *socket) {
  if (socket == NULL) return;
  atomic_store(&socket->told, 0);
  atomic_store(&socket->poller, NULL);
}

/* Removes a slot from the table. */
static void empty(ps_poller *poller, int fd, ps__slot *slot) {
  ps__member_unlist(poller, fd);
  disarm(poller, fd, slot);
  slot->events = slot->flags = 0;
}

/* Takes a registration out. For other threads the socket is still in the poller. */
static void *take_out(ps_poller *poller, ps_source source) {
  ps_socket *socket = source.socket;
  int fd = socket != NULL ? socket->watched : source.fd;
  ps__slot *slot = ps__member_find(poller, source);
  void *token = slot->token;
  if (fd >= 0) {
    empty(poller, fd, slot);
  } else {
    ps__nameless **at = nameless_of(poller, socket), *found = *at;
    *at = found->next;
    ps__os_realloc(found, 0);
  }
  poller->count--;
  return token;
}

void *ps__member_remove(ps_poller *poller, ps_source source) {
  void *token = take_out(poller, source);
  forget_socket(source.socket);
  return token;
}

static void end_slot(ps_poller *poller, ps_source source) {
  keep_token(poller, ps__member_remove(poller, source));
}

void ps__member_end_all(ps_poller *poller) {
  for (size_t i = 0; i < poller->page_count * PS__PAGE; i++) {
    const ps__slot *slot = ps__member_slot(poller, (int)i);
    if (slot != NULL) end_slot(poller, (ps_source){slot->socket, (int)i});
  }
  while (poller->nameless != NULL)
    end_slot(poller, (ps_source){.socket = poller->nameless->slot.socket});
}

/* Makes the slot of a descriptor available. If one with its number is registered already,
   that is either a registration of the same file, which stays, or of a file that its
   owner has closed, which ends. */
static short take_place(ps_poller *poller, int fd, int anyway) {
  ps__slot *there = ps__member_slot(poller, fd);
  if (there == NULL) return make_place(poller, fd) ? PS_OK : PS_NOMEMORY;
  int same =
      !anyway &&
      (there->socket != NULL ||
       ((there->flags & PS__ARMED) != 0 && is_ours(poller) &&
        ps__os_queue_modify(poller->queue, fd, there->events, there->generation) == 0));
  if (same) return PS_ALREADY;
  end_slot(poller, (ps_source){there->socket, fd});
  return PS_OK;
}

static int is_named(const ps_socket *socket) { return !atomic_load(&socket->naming); }

/* Moves the registration of a socket to another descriptor. A close by another thread,
   which looks without the lock, must find the poller at every moment. */
static short move_slot(ps_poller *poller, ps_socket *socket, int fd) {
  ps__slot moved = *slot_of(poller, socket);
  short code = take_place(poller, fd, 1);
  if (code != PS_OK) return code;
  take_out(poller, (ps_source){.socket = socket});
  moved.flags = 0;
  *place_of(poller, fd) = moved;
  poller->count++;
  socket->watched = fd;
  atomic_store(&socket->told, 0);
  return PS_OK;
}

/* Updates the registration to the state of the socket. Returns 0 or an error number;
   after an error the next wait retries. Without a descriptor, the socket waits for a
   name, or a setfd that takes the descriptor away ends the registration next. */
static int settle_slot(ps_poller *poller, ps_socket *socket) {
  int fd = atomic_load(&socket->fd), error = 0;
  if (fd < 0) return 0;
  if (fd != socket->watched && move_slot(poller, socket, fd) != PS_OK) {
    poller->trouble = PS_NOMEMORY;
    end_slot(poller, (ps_source){.socket = socket});
    return 0;
  }
  ps__slot *slot = place_of(poller, fd);
  slot->flags &= (unsigned char)~PS__HELD;
  disarm(poller, fd, slot);
  int named = is_named(socket);
  if (named) error = ps__member_arm(poller, fd, slot);
  if (!named || error != 0 || ps__has_news(socket)) ps__member_list(poller, fd);
  return error;
}

static ps_status add_socket(ps_poller *poller, ps_socket *socket, ps__slot slot) {
  int fd = atomic_load(&socket->fd);
  short code = PS_OK;
  if (fd >= 0) {
    code = take_place(poller, fd, 0);
  } else if (is_named(socket)) {
    code = PS_UNDECIDED;
  } else {
    ps__nameless *made = ps__os_realloc(NULL, sizeof *made);
    if (made == NULL) return ps__error_failure(PS_NOMEMORY);
    *made = (ps__nameless){poller->nameless, slot};
    poller->nameless = made;
  }
  if (code != PS_OK) return ps__error_failure(code);
  if (fd >= 0) *place_of(poller, fd) = slot;
  socket->watched = fd;
  poller->count++;
  /* From here on the socket notifies the poller of changes. Check for earlier ones now.
   */
  atomic_store(&socket->poller, poller);
  int error = settle_slot(poller, socket);
  if (error == 0) return PS__DONE;
  ps__member_remove(poller, (ps_source){.socket = socket});
  return ps__error_system(error);
}

static ps_status add_descriptor(ps_poller *poller, int fd, ps__slot slot) {
  short code = take_place(poller, fd, 0);
  if (code != PS_OK) return ps__error_failure(code);
  ps__slot *place = place_of(poller, fd);
  int error = ps__member_arm(poller, fd, &slot);
  if (error != 0) return ps__error_system(error);
  *place = slot;
  poller->count++;
  return PS__DONE;
}

ps_status ps__member_add(ps_poller *poller, ps_source source, unsigned events,
                         void *token) {
  if (!grow_table(poller)) return ps__error_failure(PS_NOMEMORY);
  poller->changes++;
  ps__slot slot = {.socket = source.socket, .token = token};
  slot.generation = ++poller->generation;
  slot.events = (unsigned char)events;
  return source.socket != NULL ? add_socket(poller, source.socket, slot)
                               : add_descriptor(poller, source.fd, slot);
}

int ps__member_modify(ps_poller *poller, ps_source source, unsigned events) {
  ps__slot *slot = ps__member_find(poller, source);
  int fd = source.socket != NULL ? source.socket->watched : source.fd;
  if (fd >= 0 && (slot->flags & PS__ARMED) != 0 && events != slot->events) {
    int error = ps__os_queue_modify(poller->queue, fd, events, slot->generation);
    if (error != 0) return error;
  }
  poller->changes++;
  slot->events = (unsigned char)events;
  if (fd >= 0 && source.socket != NULL && ps__has_news(source.socket))
    ps__member_list(poller, fd);
  return 0;
}

/* ---- Notifications of sockets ---- */

/* The call has left the object by an atomic operation between its store to `pending` and
   these loads. So either this thread sees that the socket is in a poller, or the poller
   sees the bytes. */
void ps__member_buffered(ps_socket *self) {
  if (!ps__has_news(self) || atomic_load(&self->told)) return;
  ps__os_lock();
  ps_poller *poller = atomic_load(&self->poller);
  ps__slot *slot = poller == NULL ? NULL : slot_of(poller, self);
  if (slot != NULL && self->watched >= 0 && (slot->events & PS__IN) != 0) {
    atomic_store(&self->told, 1);
    ps__member_list(poller, self->watched);
    notify(poller);
  }
  ps__os_unlock();
}

void ps__member_end(ps_socket *self) {
  if (atomic_load(&self->poller) == NULL) return;
  ps__os_lock();
  ps_poller *poller = atomic_load(&self->poller);
  if (poller != NULL) end_slot(poller, (ps_source){.socket = self});
  ps__os_unlock();
}

void ps__member_hold(ps_socket *self) {
  if (atomic_load(&self->poller) == NULL) return;
  ps__os_lock();
  ps_poller *poller = atomic_load(&self->poller);
  if (poller != NULL && self->watched >= 0) {
    ps__slot *slot = place_of(poller, self->watched);
    slot->flags |= PS__HELD;
    disarm(poller, self->watched, slot);
  }
  ps__os_unlock();
}

void ps__member_follow(ps_socket *self) {
  if (atomic_load(&self->poller) == NULL) return;
  ps__os_lock();
  ps_poller *poller = atomic_load(&self->poller);
  if (poller != NULL) {
    settle_slot(poller, self);
    notify(poller);
  }
  ps__os_unlock();
}
