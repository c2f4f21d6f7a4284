/* SPDX-License-Identifier: MIT */
/* The public functions of a poller, except the wait, which is in poller_wait.c. member.c
   implements registrations. Functions here wait only for the lock. */

#include <string.h>

#include "member.h"

/* ---- The object ---- */

ps_pollerobject ps_poller_make(void) {
  ps_pollerobject result = {PS__DONE, ps__os_realloc(NULL, sizeof *result.poller)};
  ps_poller *made = result.poller;
  if (made == NULL) {
    result.status = ps__error_failure(PS_NOMEMORY);
    return result;
  }
  memset(made, 0, sizeof *made);
  made->first = made->last = -1;
  made->process = ps__os_process();
  ps__os_lock();
  int error = ps__os_queue_make(&made->queue);
  ps__os_unlock();
  if (error == 0) return result;
  ps__os_realloc(made, 0);
  return (ps_pollerobject){ps__error_system(error), NULL};
}

ps_always ps_poller_close(ps_poller *self) {
  if (self == NULL) return (ps_always){ps__error_misuse(PS_MISUSE_NOTPOLLER, 0, NULL)};
  ps__os_lock();
  if (!self->closed) {
    self->closed = 1;
    ps__member_end_all(self);
    int waiting = self->waiting && self->process == ps__os_process();
    if (waiting)
      ps__os_queue_wake(self->queue); /* the wait under way frees the queue */
    else
      ps__member_free_queue(self);
  }
  ps__os_unlock();
  return (ps_always){PS__DONE};
}

void ps_poller_free(ps_poller *self) {
  if (self == NULL) return;
  ps_poller_close(self);
  for (size_t i = 0; i < self->page_count; i++) ps__os_realloc(self->pages[i], 0);
  ps__os_realloc(self->pages, 0);
  ps__os_realloc(self->ended, 0);
  ps__os_realloc(self->events, 0);
  ps__os_realloc(self->owners, 0);
  ps__os_realloc(self->found, 0);
  ps__os_realloc(self, 0);
}

/* ---- Members ---- */

/* Takes the lock for a call on a member. After a failure it is not taken. */
static ps_status begin_with(ps_poller *self, ps_source source) {
  ps_status status = ps__member_begin(self);
  if (status.code != PS_OK || ps__member_find(self, source) != NULL) return status;
  ps__os_unlock();
  return ps__error_failure(PS_NOTADDED);
}

static unsigned events_of(ps_events text) {
  if (text == NULL) return 0;
  return strcmp(text, "r") == 0    ? PS__IN
         : strcmp(text, "w") == 0  ? PS__OUT
         : strcmp(text, "rw") == 0 ? PS__IN | PS__OUT
                                   : 0;
}

static ps_status check_events(const ps_poller *self, ps_events events) {
  if (self == NULL) return ps__error_misuse(PS_MISUSE_NOTPOLLER, 0, NULL);
  if (events_of(events) == 0) return ps__error_misuse(PS_MISUSE_EVENTS, 2, "events");
  return PS__DONE;
}

static ps_status check_new(const ps_poller *self, ps_source source) {
  if (source.socket == NULL) {
    const ps__slot *there = ps__member_slot(self, source.fd);
    return there != NULL && there->socket != NULL ? ps__error_failure(PS_ALREADY)
                                                  : PS__DONE;
  }
  const ps_poller *other = atomic_load(&source.socket->poller);
  return other == NULL   ? PS__DONE
         : other == self ? ps__error_failure(PS_ALREADY)
                         : ps__error_failure(PS_ELSEWHERE);
}

/* A close before the socket was in the poller has notified nobody; a later one waits for
   the lock. */
static int is_late(ps_source source) {
  return source.socket != NULL &&
         (atomic_load(&source.socket->state) & (PS__CLOSED | PS__REPLACED)) != 0;
}

/* Tells another loop that waits for the poller of a member that the next wait checks
   without asking the system. */
static void announce(const ps_poller *self, ps_source source) {
  const ps__slot *slot = self->nested ? ps__member_find(self, source) : NULL;
  if (slot == NULL) return;
  int nameless = source.socket != NULL && source.socket->watched < 0;
  if (nameless || (slot->flags & PS__LISTED) != 0) ps__os_queue_wake(self->queue);
}

static ps_status add(ps_poller *self, ps_source source, unsigned events, void *token) {
  ps_status status = ps__member_begin(self);
  if (status.code != PS_OK) return status;
  status = check_new(self, source);
  if (status.code == PS_OK) status = ps__member_add(self, source, events, token);
  if (status.code == PS_OK && is_late(source)) {
    /* Without memory to follow another descriptor it may have left again. */
    if (ps__member_find(self, source) != NULL) ps__member_remove(self, source);
    status = ps__error_failure(PS_CLOSED);
  }
  if (status.code == PS_OK) announce(self, source);
  ps__os_unlock();
  return status;
}

ps_done ps_poller_add(ps_poller *self, ps_source source, ps_events events, void *token) {
  ps_status status = check_events(self, events);
  if (status.code != PS_OK) return (ps_done){status};
  if (source.socket == NULL) {
    if (source.fd < 0) return (ps_done){ps__error_failure(PS_CLOSED)};
    return (ps_done){add(self, source, events_of(events), token)};
  }
  /* A counted call in the socket keeps its descriptor open. */
  ps__call call;
  status = ps__call_try(&call, source.socket, PS__ANY, PS__SHARED);
  if (status.code != PS_OK) return (ps_done){status};
  status = add(self, source, events_of(events), token);
  ps__call_end(&call);
  return (ps_done){status};
}

ps_done ps_poller_modify(ps_poller *self, ps_source source, ps_events events,
                         void *token) {
  ps_status status = check_events(self, events);
  if (status.code == PS_OK) status = begin_with(self, source);
  if (status.code != PS_OK) return (ps_done){status};
  int error = ps__member_modify(self, source, events_of(events));
  if (error == 0) ps__member_find(self, source)->token = token;
  announce(self, source);
  ps__os_unlock();
  return (ps_done){error == 0 ? PS__DONE : ps__error_system(error)};
}

ps_done ps_poller_remove(ps_poller *self, ps_source source) {
  ps_status status = begin_with(self, source);
  if (status.code != PS_OK) return (ps_done){status};
  ps__member_remove(self, source);
  ps__os_unlock();
  return (ps_done){PS__DONE};
}

ps_token ps_poller_token(ps_poller *self, ps_source source) {
  ps_token result = {begin_with(self, source), NULL};
  if (result.status.code != PS_OK) return result;
  result.token = ps__member_find(self, source)->token;
  ps__os_unlock();
  return result;
}

ps_done ps_poller_ready(ps_poller *self, ps_source source) {
  ps_status status = begin_with(self, source);
  if (status.code != PS_OK) return (ps_done){status};
  int fd = source.socket != NULL ? source.socket->watched : source.fd;
  if (fd >= 0) {
    ps__member_slot(self, fd)->flags |= PS__GIVEN;
    ps__member_list(self, fd);
  }
  announce(self, source);
  ps__os_unlock();
  return (ps_done){PS__DONE};
}

ps_size ps_poller_count(const ps_poller *self) {
  if (self == NULL) return (ps_size){0};
  ps__os_lock();
  size_t count = self->count;
  ps__os_unlock();
  return (ps_size){count};
}

ps_fd ps_poller_getfd(ps_poller *self) {
  if (ps__member_begin(self).code != PS_OK) return (ps_fd){-1};
  int fd = ps__os_queue_fd(self->queue);
  if (!self->nested && (self->first >= 0 || self->nameless != NULL || self->woken))
    ps__os_queue_wake(self->queue);
  self->nested = 1;
  ps__os_unlock();
  return (ps_fd){fd};
}

ps_always ps_poller_wake(ps_poller *self) {
  if (self == NULL) return (ps_always){ps__error_misuse(PS_MISUSE_NOTPOLLER, 0, NULL)};
  ps__os_lock();
  self->woken = 1;
  if ((self->waiting || self->nested) && !self->closed &&
      self->process == ps__os_process())
    ps__os_queue_wake(self->queue);
  ps__os_unlock();
  return (ps_always){PS__DONE};
}

/* ---- Tokens, for bindings ---- */

int ps_poller_ended(ps_poller *self, void **token) {
  if (self == NULL) return 0;
  ps__os_lock();
  self->keeps = 1;
  int there = self->ended_count > 0;
  if (there) *token = self->ended[--self->ended_count];
  ps__os_unlock();
  return there;
}

int ps_poller_each(const ps_poller *self, size_t *at, void **token) {
  if (self == NULL) return 0;
  ps__os_lock();
  size_t numbers = self->page_count * PS__PAGE;
  const ps__slot *found = NULL;
  while (found == NULL && *at < numbers) found = ps__member_slot(self, (int)(*at)++);
  if (found == NULL) {
    const ps__nameless *left = self->nameless;
    for (size_t i = numbers; left != NULL && i < *at; i++) left = left->next;
    if (left != NULL) found = &left->slot;
    ++*at;
  }
  if (found != NULL) *token = found->token;
  ps__os_unlock();
  return found != NULL;
}
