/* SPDX-License-Identifier: MIT */
/* The event queue of os.h on Linux: epoll, and an eventfd that wakes it. */

#include "queue.h"

#if PS__POLLER == PS__EPOLL

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct ps__queue {
  int epoll, bell;
  struct epoll_event *found; /* memory for epoll_wait */
  size_t room;
};

/* The data of the eventfd's events; no descriptor has this number. */
static const uint64_t BELL = UINT64_MAX;

static int control(const ps__queue *queue, int operation, int fd, unsigned events,
                   uint64_t data) {
  struct epoll_event event = {.data.u64 = data};
  if ((events & PS__IN) != 0) event.events |= EPOLLIN;
  if ((events & PS__OUT) != 0) event.events |= EPOLLOUT;
  return epoll_ctl(queue->epoll, operation, fd, &event) < 0 ? errno : 0;
}

static uint64_t data_of(int fd, unsigned generation) {
  return (uint64_t)generation << 32 | (unsigned)fd;
}

int ps__os_queue_make(ps__queue **queue) {
  ps__queue *made = ps__os_realloc(NULL, sizeof *made);
  if (made == NULL) return ENOMEM;
  *made = (ps__queue){epoll_create1(EPOLL_CLOEXEC), -1, NULL, 0};
  int error = made->epoll < 0 ? errno : 0;
  if (error == 0) {
    made->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    error = made->bell < 0 ? errno : 0;
  }
  if (error == 0) error = control(made, EPOLL_CTL_ADD, made->bell, PS__IN, BELL);
  if (error == 0)
    *queue = made;
  else
    ps__os_queue_free(made);
  return error;
}

int ps__os_queue_add(ps__queue *queue, int fd, unsigned events, unsigned generation) {
  return control(queue, EPOLL_CTL_ADD, fd, events, data_of(fd, generation));
}

int ps__os_queue_modify(ps__queue *queue, int fd, unsigned events, unsigned generation) {
  return control(queue, EPOLL_CTL_MOD, fd, events, data_of(fd, generation));
}

void ps__os_queue_remove(ps__queue *queue, int fd) {
  control(queue, EPOLL_CTL_DEL, fd, 0, 0);
}

static int make_room(ps__queue *queue, size_t room) {
  if (queue->room >= room) return 0;
  void *grown = ps__os_realloc(queue->found, room * sizeof *queue->found);
  if (grown == NULL) return ENOMEM;
  queue->found = grown;
  queue->room = room;
  return 0;
}

/* A waker has another descriptor in each wait, so it is polled together with the queue
   instead of being added to it. */
static int poll_first(const ps__queue *queue, double seconds, ps__waker *waker) {
  ps_watch watch = {.fd = queue->epoll};
  ps_sockets set = {&watch, 1};
  return ps__os_poll(&set, 1, seconds, waker);
}

static unsigned events_of(uint32_t found) {
  unsigned events = 0;
  if ((found & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) events |= PS__IN;
  if ((found & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) events |= PS__OUT;
  return events;
}

static ps__event event_of(const struct epoll_event *found) {
  uint64_t data = found->data.u64;
  return (ps__event){(int)(uint32_t)data, (unsigned)(data >> 32),
                     events_of(found->events)};
}

/* The bell had a place; there may be a descriptor for it. */
static PS__APART void fill_place(const ps__queue *queue, ps__event *events,
                                 size_t *count) {
  struct epoll_event last;
  if (epoll_wait(queue->epoll, &last, 1, 0) == 1 && last.data.u64 != BELL)
    events[(*count)++] = event_of(&last);
}

int ps__os_queue_wait(ps__queue *queue, ps__event *events, size_t room, double seconds,
                      ps__waker *waker, size_t *count) {
  *count = 0;
  if (room > 65536) room = 65536;
  int error = make_room(queue, room);
  if (error == 0 && waker != NULL) error = poll_first(queue, seconds, waker);
  if (error != 0) return error;
  if (waker != NULL) seconds = 0;
  int milliseconds = seconds > 86400 ? 86400000 : (int)ceil(seconds * 1000);
  int found = epoll_wait(queue->epoll, queue->found, (int)room, milliseconds);
  if (found < 0) return errno;
  for (int i = 0; i < found; i++) {
    uint64_t rung;
    if (queue->found[i].data.u64 != BELL)
      events[(*count)++] = event_of(&queue->found[i]);
    else if (read(queue->bell, &rung, sizeof rung) < 0)
      continue; /* another wait has read it */
  }
  if (*count + 1 == room && (size_t)found == room) fill_place(queue, events, count);
  return 0;
}

void ps__os_queue_wake(ps__queue *queue) {
  uint64_t one = 1;
  /* It fails only when the counter is at its maximum; then it is readable anyway. */
  if (write(queue->bell, &one, sizeof one) < 0) return;
}

int ps__os_queue_fd(const ps__queue *queue) { return queue->epoll; }

void ps__os_queue_free(ps__queue *queue) {
  if (queue == NULL) return;
  if (queue->epoll >= 0) close(queue->epoll);
  if (queue->bell >= 0) close(queue->bell);
  ps__os_realloc(queue->found, 0);
  ps__os_realloc(queue, 0);
}

#endif
