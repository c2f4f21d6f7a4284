/* SPDX-License-Identifier: MIT */
/* The event queue of os.h on any other system: poll(2), and a pipe that wakes it, or what
   Windows has in their place. The cost of a wait is proportional to the number of
   descriptors, as with every use of poll(2). */

#define _DEFAULT_SOURCE
#define _FILE_OFFSET_BITS 64 /* 32-bit systems: fstat fails for large inodes */
#include "queue.h"

#if PS__POLLER == PS__POLL

#include <errno.h>
#include <math.h>
#include <string.h>
#ifndef _WIN32
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include "os_parts.h"

/* Data of a descriptor in addition to its pollfd. poll(2) knows numbers, not open files,
   so a file is identified by its device and inode numbers. */
typedef struct owner {
  unsigned generation;
  unsigned file;
} owner;

struct ps__queue {
  int bell, ring; /* the ends of the pipe: to read, to write; -1: it is no pipe */
  struct pollfd *watched;
  owner *owners;
  size_t count, room;
  unsigned *places; /* indexed by descriptor: 1 + its index in watched */
  size_t numbers;
  struct pollfd *polled; /* the copy that a wait uses, with two more entries at its end */
  owner *polled_owners;
  size_t polled_count, polled_room;
  size_t next;  /* where the next wait begins to report */
  char changed; /* polled is no longer equal to watched */
};

/* ---- Waking ---- */

#ifdef _WIN32

static int open_bell(ps__queue *made) { return ps__os_bell(&made->bell); }

static void silence(const ps__queue *queue) { ps__os_silence(queue->bell); }

void ps__os_queue_wake(ps__queue *queue) { ps__os_ring(queue->bell); }

#else

static int prepare(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) >= 0 &&
                 fcntl(fd, F_SETFD, FD_CLOEXEC) >= 0
             ? 0
             : errno;
}

static int open_bell(ps__queue *made) {
  int ends[2];
  if (pipe(ends) < 0) return errno;
  made->bell = ends[0];
  made->ring = ends[1];
  int error = prepare(made->bell);
  return error == 0 ? prepare(made->ring) : error;
}

static void silence(const ps__queue *queue) {
  char rings[64];
  while (read(queue->bell, rings, sizeof rings) == sizeof rings) {
  }
}

void ps__os_queue_wake(ps__queue *queue) {
  /* It fails when the pipe is full; then it is readable anyway. */
  if (write(queue->ring, "", 1) < 0) return;
}

#endif

int ps__os_queue_make(ps__queue **queue) {
  ps__queue *made = ps__os_realloc(NULL, sizeof *made);
  if (made == NULL) return ENOMEM;
  memset(made, 0, sizeof *made);
  made->bell = made->ring = -1;
  made->changed = 1;
  int error = open_bell(made);
  if (error == 0)
    *queue = made;
  else
    ps__os_queue_free(made);
  return error;
}

void ps__os_queue_free(ps__queue *queue) {
  if (queue == NULL) return;
  if (queue->bell >= 0) ps__os_close(queue->bell);
  if (queue->ring >= 0) ps__os_close(queue->ring);
  void *arrays[] = {queue->watched, queue->owners, queue->places, queue->polled,
                    queue->polled_owners};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
    ps__os_realloc(arrays[i], 0);
  ps__os_realloc(queue, 0);
}

/* ---- What is watched ---- */

static int identify(int fd, unsigned *file) {
  *file = 0;
#ifdef _WIN32 /* the file of a socket has no number of its own */
  int family;
  return ps__os_adopt(fd, &family);
#else
  struct stat told;
  if (fstat(fd, &told) < 0) return errno;
  unsigned long long number = (unsigned long long)told.st_ino;
  *file = (unsigned)(number ^ number >> 32) ^ (unsigned)told.st_dev * 16777619u;
  return 0;
#endif
}

static short bits_of(unsigned events) {
  return (short)(((events & PS__IN) != 0 ? POLLIN : 0) |
                 ((events & PS__OUT) != 0 ? POLLOUT : 0));
}

/* Returns the index of a descriptor, or count. */
static size_t find(const ps__queue *queue, int fd) {
  size_t place = (size_t)fd < queue->numbers ? queue->places[fd] : 0;
  return place > 0 ? place - 1 : queue->count;
}

/* Arrays grow in small steps, to limit the memory per member. */
static int grow_arrays(ps__queue *queue) {
  if (queue->count < queue->room) return 0;
  size_t room = queue->room + queue->room / 8 + 8;
  void *watched = ps__os_realloc(queue->watched, room * sizeof *queue->watched);
  if (watched != NULL) queue->watched = watched;
  void *owners = ps__os_realloc(queue->owners, room * sizeof *queue->owners);
  if (owners != NULL) queue->owners = owners;
  if (watched == NULL || owners == NULL) return ENOMEM;
  queue->room = room;
  return 0;
}

static int grow_places(ps__queue *queue, int fd) {
  size_t needed = (size_t)fd + 1;
  if (needed <= queue->numbers) return 0;
  size_t numbers = needed + needed / 8 + 8;
  unsigned *places = ps__os_realloc(queue->places, numbers * sizeof *places);
  if (places == NULL) return ENOMEM;
  memset(places + queue->numbers, 0, (numbers - queue->numbers) * sizeof *places);
  queue->places = places;
  queue->numbers = numbers;
  return 0;
}

int ps__os_queue_add(ps__queue *queue, int fd, unsigned events, unsigned generation) {
  unsigned file;
  int error = identify(fd, &file);
  if (error == 0) error = grow_arrays(queue);
  if (error == 0) error = grow_places(queue, fd);
  if (error != 0) return error;
  size_t at = queue->count++;
  queue->watched[at] = (struct pollfd){.fd = fd, .events = bits_of(events)};
  queue->owners[at] = (owner){generation, file};
  queue->places[fd] = (unsigned)at + 1;
  queue->changed = 1;
  return 0;
}

int ps__os_queue_modify(ps__queue *queue, int fd, unsigned events, unsigned generation) {
  size_t at = find(queue, fd);
  unsigned file;
  if (at == queue->count) return ENOENT;
  int error = identify(fd, &file);
  if (error != 0) return error;
  if (queue->owners[at].file != file) return ENOENT;
  queue->watched[at].events = bits_of(events);
  queue->owners[at].generation = generation;
  queue->changed = 1;
  return 0;
}

void ps__os_queue_remove(ps__queue *queue, int fd) {
  size_t at = find(queue, fd);
  if (at == queue->count) return;
  queue->places[fd] = 0;
  size_t last = --queue->count;
  if (at < last) {
    queue->watched[at] = queue->watched[last];
    queue->owners[at] = queue->owners[last];
    queue->places[queue->watched[at].fd] = (unsigned)at + 1;
  }
  queue->changed = 1;
}

/* ---- Waiting ---- */

/* Copies what is watched, because that may change during the wait. */
static int copy(ps__queue *queue) {
  size_t count = queue->count;
  if (!queue->changed) return 0;
  if (queue->polled_room < count + 2) {
    size_t room = queue->room + 2;
    void *polled = ps__os_realloc(queue->polled, room * sizeof *queue->polled);
    if (polled != NULL) queue->polled = polled;
    void *owners = ps__os_realloc(queue->polled_owners, room * sizeof(owner));
    if (owners != NULL) queue->polled_owners = owners;
    if (polled == NULL || owners == NULL) return ENOMEM;
    queue->polled_room = room;
  }
  if (count > 0) {
    memcpy(queue->polled, queue->watched, count * sizeof *queue->polled);
    memcpy(queue->polled_owners, queue->owners, count * sizeof(owner));
  }
  queue->polled_count = count;
  queue->changed = 0;
  return 0;
}

static unsigned events_of(short found) {
  unsigned events = 0;
  if ((found & (POLLIN | POLLERR | POLLHUP)) != 0) events |= PS__IN;
  if ((found & (POLLOUT | POLLERR | POLLHUP)) != 0) events |= PS__OUT;
  return events;
}

/* Is a descriptor that was polled still watched, and does it still refer to the file that
   was added? If it is another file, stops watching it. */
static int is_known(ps__queue *queue, size_t at) {
  const struct pollfd *polled = &queue->polled[at];
  size_t there = find(queue, polled->fd);
  if (there == queue->count ||
      queue->owners[there].generation != queue->polled_owners[at].generation)
    return 0;
  unsigned file;
  if ((polled->revents & POLLNVAL) == 0 && identify(polled->fd, &file) == 0 &&
      file == queue->owners[there].file)
    return 1;
  ps__os_queue_remove(queue, polled->fd);
  return 0;
}

/* Called with the lock held, so that no watched descriptor is closed meanwhile. */
static size_t report(ps__queue *queue, ps__event *events, size_t room) {
  size_t reported = 0, count = queue->polled_count, start = queue->next;
  for (size_t i = 0; i < count && reported < room; i++) {
    size_t at = (start + i) % count;
    const struct pollfd *polled = &queue->polled[at];
    if (polled->revents == 0 || !is_known(queue, at)) continue;
    events[reported++] = (ps__event){polled->fd, queue->polled_owners[at].generation,
                                     events_of(polled->revents)};
    queue->next = at + 1;
  }
  return reported;
}

/* The interval at which a waker without a descriptor is woken, in seconds: see os.h. */
static const double SLICE = 0.05;

int ps__os_queue_wait(ps__queue *queue, ps__event *events, size_t room, double seconds,
                      ps__waker *waker, size_t *count) {
  *count = 0;
  ps__os_lock();
  int error = copy(queue);
  ps__os_unlock();
  if (error != 0) return error;
  size_t own = queue->polled_count;
  nfds_t used = (nfds_t)own + 1;
  queue->polled[own] = (struct pollfd){.fd = queue->bell, .events = POLLIN};
  if (waker != NULL && waker->fd >= 0)
    queue->polled[used++] = (struct pollfd){.fd = waker->fd, .events = POLLIN};
  else if (waker != NULL && waker->fd == -1)
    seconds = fmin(seconds, SLICE);
  int milliseconds = seconds > 86400 ? 86400000 : (int)ceil(seconds * 1000);
  int found = ps__os_poll_entries(queue->polled, used, milliseconds);
  if (found <= 0) return -found;
  if (queue->polled[own].revents != 0) silence(queue);
  ps__os_lock();
  *count = report(queue, events, room);
  ps__os_unlock();
  return 0;
}

int ps__os_queue_fd(const ps__queue *queue) {
  (void)queue;
  return -1;
}

#endif
