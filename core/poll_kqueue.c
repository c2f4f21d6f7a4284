/* SPDX-License-Identifier: MIT */
/* The event queue of os.h on macOS and the BSDs: kqueue, and a user event that wakes it.
   A kqueue forgets a file when its descriptor is closed, and a child does not inherit it.
 */

#include "queue.h"

#if PS__POLLER == PS__KQUEUE

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/types.h>
/* sys/event.h needs the types of sys/types.h. */
#include <sys/event.h>
#include <time.h>
#include <unistd.h>

struct ps__queue {
  int kqueue;
  unsigned process;     /* in a forked child fd may be another file */
  struct kevent *found; /* memory for kevent */
  size_t room;
};

static void *data_of(unsigned generation) { return (void *)(uintptr_t)generation; }

/* Makes one change. Returns 0 or an error number. With EV_RECEIPT the call returns the
   result of the change, and no pending events. */
static int change(const ps__queue *queue, int fd, int filter, int flags,
                  unsigned generation) {
  struct kevent made, receipt = {0};
  EV_SET(&made, (uintptr_t)fd, filter, flags | EV_RECEIPT, 0, 0, data_of(generation));
  int result;
  do result = kevent(queue->kqueue, &made, 1, &receipt, 1, NULL);
  while (result < 0 && errno == EINTR);
  return result < 0 ? errno : result == 0 ? 0 : (int)receipt.data;
}

static int ring(const ps__queue *queue, int flags, unsigned what) {
  struct kevent made;
  EV_SET(&made, 0, EVFILT_USER, flags, what, 0, NULL);
  return kevent(queue->kqueue, &made, 1, NULL, 0, NULL) < 0 ? errno : 0;
}

int ps__os_queue_make(ps__queue **queue) {
  ps__queue *made = ps__os_realloc(NULL, sizeof *made);
  if (made == NULL) return ENOMEM;
  *made = (ps__queue){kqueue(), ps__os_process(), NULL, 0};
  int error =
      made->kqueue < 0 || fcntl(made->kqueue, F_SETFD, FD_CLOEXEC) < 0 ? errno : 0;
  if (error == 0) error = ring(made, EV_ADD | EV_CLEAR, 0);
  if (error == 0)
    *queue = made;
  else
    ps__os_queue_free(made);
  return error;
}

int ps__os_queue_add(ps__queue *queue, int fd, unsigned events, unsigned generation) {
  int error = 0;
  if ((events & PS__IN) != 0) error = change(queue, fd, EVFILT_READ, EV_ADD, generation);
  if (error == 0 && (events & PS__OUT) != 0)
    error = change(queue, fd, EVFILT_WRITE, EV_ADD, generation);
  if (error != 0) ps__os_queue_remove(queue, fd);
  return error;
}

/* EV_ENABLE on an enabled filter only changes its data; it fails if the filter does not
   exist. */
int ps__os_queue_modify(ps__queue *queue, int fd, unsigned events, unsigned generation) {
  int reads = change(queue, fd, EVFILT_READ, EV_ENABLE, generation) == 0;
  int writes = change(queue, fd, EVFILT_WRITE, EV_ENABLE, generation) == 0;
  if (!reads && !writes) return ENOENT;
  int error = 0;
  if ((events & PS__IN) != 0) error = change(queue, fd, EVFILT_READ, EV_ADD, generation);
  if (error == 0 && (events & PS__OUT) != 0)
    error = change(queue, fd, EVFILT_WRITE, EV_ADD, generation);
  /* Remove the read filter: last if it is no longer wanted, after a failure if it is new.
   */
  if (error == 0 ? (events & PS__IN) == 0 : !reads)
    change(queue, fd, EVFILT_READ, EV_DELETE, 0);
  if (error == 0 ? (events & PS__OUT) == 0 : !writes)
    change(queue, fd, EVFILT_WRITE, EV_DELETE, 0);
  return error;
}

void ps__os_queue_remove(ps__queue *queue, int fd) {
  change(queue, fd, EVFILT_READ, EV_DELETE, 0);
  change(queue, fd, EVFILT_WRITE, EV_DELETE, 0);
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
  ps_watch watch = {.fd = queue->kqueue};
  ps_sockets set = {&watch, 1};
  return ps__os_poll(&set, 1, seconds, waker);
}

/* The bell is of no member, and neither is the error of a change. */
static int is_of_member(const struct kevent *found) {
  return found->filter != EVFILT_USER && (found->flags & EV_ERROR) == 0;
}

static ps__event event_of(const struct kevent *found) {
  return (ps__event){(int)found->ident, (unsigned)(uintptr_t)found->udata,
                     found->filter == EVFILT_WRITE ? PS__OUT : PS__IN};
}

/* The bell had a place; there may be a descriptor for it. */
static PS__APART void fill_place(const ps__queue *queue, ps__event *events,
                                 size_t *count) {
  const struct timespec now = {0, 0};
  struct kevent last;
  if (kevent(queue->kqueue, NULL, 0, &last, 1, &now) == 1 && is_of_member(&last))
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
  if (seconds > 86400) seconds = 86400;
  struct timespec time = {(time_t)seconds, 0};
  time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
  int found = kevent(queue->kqueue, NULL, 0, queue->found, (int)room, &time);
  if (found < 0) return errno;
  for (int i = 0; i < found; i++)
    if (is_of_member(&queue->found[i])) events[(*count)++] = event_of(&queue->found[i]);
  if (*count + 1 == room && (size_t)found == room) fill_place(queue, events, count);
  return 0;
}

void ps__os_queue_wake(ps__queue *queue) { ring(queue, 0, NOTE_TRIGGER); }

int ps__os_queue_fd(const ps__queue *queue) { return queue->kqueue; }

void ps__os_queue_free(ps__queue *queue) {
  if (queue == NULL) return;
  if (queue->kqueue >= 0 && queue->process == ps__os_process()) close(queue->kqueue);
  ps__os_realloc(queue->found, 0);
  ps__os_realloc(queue, 0);
}

#endif
