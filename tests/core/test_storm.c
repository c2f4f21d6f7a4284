/* SPDX-License-Identifier: MIT */
/* The whole core on the real system under a storm: every function of polysock.h, from
   several threads at once, on the same objects. In the first story a stream goes through
   it, of which each byte must come out once and in order; in the second the objects
   themselves come and go. How long it takes is bounded by counts. Sanitizers look on. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants some of the above before it. */
#include <cmocka.h>

#include "polysock.h"

/* ThreadSanitizer takes a connect for what makes a descriptor. A poller may register one
   at that moment, which was there before. */
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) {
  return "race:^ps__os_connect$\nrace:^ps__os_disconnect$\n";
}

static const ps_prefix none = {NULL, 0};
static const ps_port any_port = {NULL, 0};

static int descriptors(void) {
  int found = 0;
  for (int fd = 0; fd < 1024; fd++) found += fcntl(fd, F_GETFD) >= 0;
  return found;
}

/* A failure in a thread of its own must not jump. */
#define must(condition)                                                        \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: %s is wrong\n", __FILE__, __LINE__, #condition); \
      abort();                                                                 \
    }                                                                          \
  } while (0)

/* ---- Hosts ---- */

static pthread_mutex_t language = PTHREAD_MUTEX_INITIALIZER; /* of those that hold */

typedef struct lender {
  ps_host host;
  char *memory;
  unsigned random, stops; /* interrupted says stop once in so many times; 0: never */
  void (*within)(void *context); /* what interrupted does now and then, or NULL */
  void *context;
} lender;

static unsigned chance(unsigned *state, unsigned of) {
  *state = *state * 1664525u + 1013904223u;
  return (*state >> 8) % of;
}

static void leave(ps_host *host) {
  (void)host;
  pthread_mutex_unlock(&language);
}

static void enter(ps_host *host) {
  (void)host;
  pthread_mutex_lock(&language);
}

static int interrupted(ps_host *host) {
  lender *self = (lender *)host;
  if (self->within != NULL && chance(&self->random, 8) == 0) self->within(self->context);
  return self->stops > 0 && chance(&self->random, self->stops) == 0;
}

static void *grow(ps_host *host, size_t size) {
  lender *self = (lender *)host;
  void *grown = realloc(self->memory, size + 1);
  if (grown != NULL) self->memory = grown;
  return grown;
}

enum { PLAIN, VIEW, LEND, HOLD, HOLD_AND_LEND, MODES };

static ps_host *host_of(lender *self, int mode, unsigned seed) {
  *self =
      (lender){{NULL, NULL, interrupted, NULL, PS_HOST_VIEW}, NULL, seed, 64, NULL, NULL};
  if (mode == PLAIN) return NULL;
  if (mode == LEND) self->host.mode = PS_HOST_LEND;
  if (mode >= HOLD) {
    self->host.mode = PS_HOST_HOLD;
    self->host.leave = leave;
    self->host.enter = enter;
  }
  if (mode == LEND || mode == HOLD_AND_LEND) self->host.grow = grow;
  return &self->host;
}

/* Threads that hold run one at a time, except between leave and enter. */
static void go_in(int mode) {
  if (mode >= HOLD) pthread_mutex_lock(&language);
}
static void go_out(int mode) {
  if (mode >= HOLD) pthread_mutex_unlock(&language);
}

/* ---- A connection ---- */

static void connected(ps_socket *ends[2]) {
  ps_object server = ps_bind("127.0.0.1", any_port, 8, NULL);
  assert_int_equal(server.status.code, PS_OK);
  ps_port port = {NULL, ps_socket_getsockname(server.socket).port};
  ps_object client = ps_connect("127.0.0.1", port, NULL, any_port, NULL, -1, NULL);
  assert_int_equal(client.status.code, PS_OK);
  ends[0] = client.socket;
  ends[1] = ps_socket_accept(server.socket, NULL).socket;
  assert_non_null(ends[1]);
  ps_socket_free(server.socket, NULL);
}

/* ---- The first story: a stream ---- */

/* The stream is made of records that know their number. */
enum { RECORD = 16, RECORDS = 40000, RECEIVERS = 2 };

typedef struct stream {
  ps_socket *from, *to;
  int mode;
  atomic_int received;        /* records */
  atomic_int ended;           /* receivers that met the end */
  atomic_uchar seen[RECORDS]; /* how often */
} stream;

static void write_record(char *to, int number) {
  char text[RECORD + 8];
  snprintf(text, sizeof text, "%08d......\r\n", number);
  memcpy(to, text, RECORD);
}

static int is_passing(short code) {
  return code == PS_TIMEOUT || code == PS_INTERRUPTED || code == PS_CLOSED ||
         code == PS_BUSY;
}

static void *send_stream(void *context) {
  stream *self = context;
  lender lent;
  ps_host *host = host_of(&lent, self->mode, 7);
  unsigned random = 99;
  static const long long most = (long long)RECORDS * RECORD;
  char *all = malloc((size_t)most);
  for (int i = 0; i < RECORDS; i++) write_record(all + (size_t)i * RECORD, i);
  for (long long last = 0; last < most;) {
    long long end = last + 1 + chance(&random, 9000);
    go_in(self->mode);
    ps_sent sent = ps_socket_send(self->from, (ps_data){all, (size_t)most}, last + 1,
                                  end < most ? end : most, host);
    go_out(self->mode);
    must(sent.last >= last && sent.last <= most);
    must(sent.status.code == PS_OK || is_passing(sent.status.code));
    last = sent.last;
    if (sent.status.code != PS_OK) sched_yield();
  }
  /* Closed for a moment, the object has nothing to shut down. */
  while (atomic_load(&self->ended) < RECEIVERS) {
    go_in(self->mode);
    ps_socket_shutdown(self->from, "send");
    go_out(self->mode);
    sched_yield();
  }
  free(all);
  free(lent.memory);
  return NULL;
}

/* Checks whole records, and that this thread has met none of a later place before. */
static void check_records(stream *self, const char *data, size_t size, int *last) {
  must(size % RECORD == 0);
  for (size_t at = 0; at < size; at += RECORD) {
    char wanted[RECORD];
    int number = atoi(data + at);
    must(number > *last && number < RECORDS);
    write_record(wanted, number);
    must(memcmp(data + at, wanted, RECORD) == 0);
    must(atomic_fetch_add(&self->seen[number], 1) == 0);
    atomic_fetch_add(&self->received, 1);
    *last = number;
  }
}

/* Returns the bytes of a result as the language takes them, or NULL when another call has
   them. */
static char *take(ps_socket *socket, const ps_bytes *got) {
  size_t size = ps_bytes_size(got);
  char *copy = malloc(size + 1);
  ps_bytes_copy(got, copy);
  copy[size] = '\0';
  if (ps_socket_take(socket, got)) return copy;
  free(copy);
  return NULL;
}

static ps_bytes receive_some(stream *self, unsigned *random, ps_host *host) {
  switch (chance(random, 3)) {
    case 0:
      return ps_socket_next(self->to, PS_LINE_WITH_END, 0, host);
    case 1:
      return ps_socket_next(self->to, PS_COUNT(RECORD), 0, host);
    default:
      return ps_socket_next(self->to, PS_COUNT(RECORD * (1 + chance(random, 40))), 0,
                            host);
  }
}

static void *receive_stream(void *context) {
  stream *self = context;
  unsigned random = 1 + (unsigned)(uintptr_t)&random;
  lender lent;
  int last = -1;
  for (int ended = 0; !ended;) {
    /* Each call of a thread may have another host, but all of them hold, or none. */
    int mode =
        self->mode >= HOLD ? HOLD + (int)chance(&random, 2) : (int)chance(&random, HOLD);
    ps_host *host = host_of(&lent, mode, random);
    go_in(self->mode);
    ps_bytes got = receive_some(self, &random, host);
    char *data = take(self->to, &got);
    go_out(self->mode);
    size_t size = ps_bytes_size(&got);
    if (got.status.code == PS_OK)
      check_records(self, data, size, &last);
    else
      must(size == 0 && (is_passing(got.status.code) || got.status.code == PS_ENDED));
    ended = got.status.code == PS_ENDED;
    free(data);
    free(lent.memory);
    if (got.status.code != PS_OK) sched_yield();
  }
  atomic_fetch_add(&self->ended, 1);
  return NULL;
}

/* What changes nothing that the stream would notice, unless the core gets it wrong. */
static void disturb(ps_socket *socket, unsigned *random, ps_host *host) {
  ps_option on = {PS_FLAG, 1, 1, 1, 0, ""};
  ps_watch watch = {-1, 0, 0, 0, socket};
  ps_detached detached;
  switch (chance(random, 16)) {
    case 0:
      ps_socket_settimeout(socket, 0.001, NULL);
      break;
    case 1:
      ps_socket_settimeout(socket, 0, NULL);
      break;
    case 2:
      ps_socket_settimeout(socket, 0.002, "t");
      break;
    case 3:
      ps_socket_setdeadline(socket, chance(random, 2) ? 0.001 : INFINITY);
      break;
    case 4:
      must(ps_socket_pending(socket).size <= (size_t)RECORDS * RECORD);
      break;
    case 5:
      ps_socket_dirty(socket);
      ps_socket_wants(socket);
      ps_socket_getdeadline(socket);
      ps_socket_gettimeout(socket);
      break;
    case 6:
      ps_socket_getstats(socket);
      ps_socket_setstats(socket, -1, -1, 1);
      break;
    case 7:
      ps_socket_getpeername(socket);
      ps_socket_getsockname(socket);
      break;
    case 8:
      ps_socket_setoption(socket, "tcp-nodelay", on);
      break;
    case 9:
      ps_socket_getoption(socket, "error");
      ps_socket_getoption(socket, "tcp-nodelay");
      break;
    case 10:
      ps_socket_getfd(socket);
      ps_socket_getkind(socket);
      ps_socket_getfamily(socket);
      ps_socket_tostring(socket);
      break;
    case 11:
      ps_select((ps_sockets){&watch, 1}, (ps_sockets){NULL, 0}, 0.001, host);
      break;
    case 12:
      ps_select((ps_sockets){NULL, 0}, (ps_sockets){&watch, 1}, 0, host);
      break;
    case 13:
      ps_socket_setmark(socket, ps_socket_getmark(socket));
      break;
    case 14:
      detached = ps_socket_detach(socket);
      if (detached.status.code != PS_OK) break;
      must(ps_socket_getfd(socket).fd == -1);
      while (ps_socket_setfd(socket, detached.fd, host).status.code != PS_OK) {
      }
      break;
    default:
      sched_yield();
  }
}

/* The same for a client that nobody closes. Calls that are under way fail with PS_CLOSED,
   and are made again. */
static void disturb_client(ps_socket *client, unsigned *random, ps_host *host) {
  int fd = ps_socket_getfd(client).fd;
  switch (chance(random, 24)) {
    case 0:
      if (fd >= 0) ps_socket_setfd(client, fd, host);
      break;
    case 1:
      must(ps_socket_listen(client, 1).status.code == PS_MISUSE_NOTMASTER);
      break;
    case 2:
      must(ps_socket_connect(client, "127.0.0.1", (ps_port){NULL, 1}, host).status.code !=
           PS_OK);
      break;
    default:
      disturb(client, random, host);
  }
}

typedef struct disturber {
  ps_socket *ends[2];
  stream *streams;
  int mode;
  unsigned random;
} disturber;

static int is_over(const stream *streams) {
  return atomic_load(&streams[0].ended) == RECEIVERS &&
         atomic_load(&streams[1].ended) == RECEIVERS;
}

static void *disturb_streams(void *context) {
  disturber *self = context;
  lender lent;
  ps_host *host = host_of(&lent, self->mode, self->random);
  while (!is_over(self->streams)) {
    go_in(self->mode);
    disturb_client(self->ends[chance(&self->random, 2)], &self->random, host);
    go_out(self->mode);
  }
  free(lent.memory);
  return NULL;
}

/* What a signal handler may do. */
static void look_within(void *context) {
  ps_socket *socket = context;
  ps_socket_pending(socket);
  ps_socket_getstats(socket);
  ps_socket_getsockname(socket);
}

static void streams_pass_through(int mode) {
  ps_socket *ends[2];
  connected(ends);
  stream *streams = calloc(2, sizeof *streams);
  pthread_t threads[2 * (1 + RECEIVERS) + 1];
  size_t count = 0;
  for (int i = 0; i < 2; i++) {
    streams[i].from = ends[i];
    streams[i].to = ends[1 - i];
    streams[i].mode = mode;
    pthread_create(&threads[count++], NULL, send_stream, &streams[i]);
    for (int j = 0; j < RECEIVERS; j++)
      pthread_create(&threads[count++], NULL, receive_stream, &streams[i]);
  }
  disturber noise = {{ends[0], ends[1]}, streams, mode, 4711};
  pthread_create(&threads[count++], NULL, disturb_streams, &noise);
  for (size_t i = 0; i < count; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(atomic_load(&streams[i].received), RECORDS);
    assert_int_equal(ps_socket_pending(ends[i]).size, 0);
    ps_socket_close(ends[i], NULL);
    ps_socket_free(ends[i], NULL);
  }
  free(streams);
}

static void every_byte_comes_once_and_in_order(void **state) {
  (void)state;
  int before = descriptors();
  streams_pass_through(PLAIN);
  streams_pass_through(HOLD);
  assert_int_equal(descriptors(), before);
}

/* ---- The second story: objects come and go ---- */

enum { SLOTS = 5, WORKERS = 7, OPERATIONS = 10000 };

static struct slot {
  pthread_rwlock_t lock; /* written to by who frees */
  ps_socket *socket;
} slots[SLOTS];
static int port; /* of the server in the first slot */
static atomic_int working;

static ps_socket *make_one(unsigned *random) {
  ps_object made = {{0, 0, 0, NULL}, NULL};
  switch (chance(random, 4)) {
    case 0:
      made = ps_tcp4();
      break;
    case 1:
      made =
          ps_connect("127.0.0.1", (ps_port){NULL, port}, NULL, any_port, NULL, 0.1, NULL);
      break;
    default:
      break;
  }
  return made.socket != NULL ? made.socket : ps_tcp().socket;
}

static void read_all_of(ps_socket *socket, ps_bytes got) {
  char *data = take(socket, &got); /* a sanitizer sees what is not there any more */
  must(data == NULL || strlen(data) <= ps_bytes_size(&got));
  free(data);
}

static void talk(ps_socket *socket) {
  ps_option linger = {.type = PS_LINGER, .flag = 1, .number = 0};
  ps_socket_setoption(socket, "linger", linger);
  ps_socket_settimeout(socket, 0, NULL);
  ps_socket_send(socket, (ps_data){"some\r\nlines\nand more", 20}, 1, -1, NULL);
  ps_socket_free(socket, NULL);
}

static void receive_somehow(ps_socket *socket, unsigned *random, ps_host *host) {
  static const char *const prefix = "prefix";
  char room[20];
  switch (chance(random, 7)) {
    case 0:
      read_all_of(socket, ps_socket_receive(socket, PS_LINE, none, 0, host));
      break;
    case 1:
      read_all_of(socket,
                  ps_socket_receive(socket, PS_ALL, (ps_prefix){prefix, 6}, 9, host));
      break;
    case 2:
      read_all_of(socket, ps_socket_receive(socket, PS_COUNT(70000), none, 0, host));
      break;
    case 3:
      read_all_of(socket, ps_socket_receiveany(socket, 5, host));
      break;
    case 4:
      read_all_of(socket, ps_socket_receiveuntil(socket, (ps_data){"nd", 2},
                                                 (ps_prefix){prefix, 6}, 0, host));
      break;
    case 5:
      read_all_of(socket, ps_socket_next(socket, PS_LINE, 3, host));
      break;
    default:
      ps_socket_receiveinto(socket, (ps_room){room, sizeof room}, -1, host);
  }
}

static void swap_descriptors(ps_socket *one, ps_socket *other, ps_host *host) {
  ps_detached first = ps_socket_detach(one);
  if (first.status.code != PS_OK) return;
  ps_detached second = ps_socket_detach(other);
  int fds[2] = {second.status.code == PS_OK ? second.fd : first.fd, first.fd};
  ps_socket *takers[2] = {one, other};
  for (int i = 0; i < (second.status.code == PS_OK ? 2 : 1); i++)
    while (ps_socket_setfd(takers[i], fds[i], host).status.code != PS_OK) {
    }
}

/* May wait for ever. */
static void do_anything(ps_socket *self, unsigned *random, ps_host *host) {
  static const char *const names[] = {"127.0.0.1", "localhost", "::1", "127.0.0.2"};
  ps_object accepted;
  switch (chance(random, 11)) {
    case 0:
      accepted = ps_socket_accept(self, host);
      if (accepted.status.code == PS_OK) talk(accepted.socket);
      break;
    case 1:
      ps_socket_bind(self, names[chance(random, 3)], any_port, host);
      break;
    case 2:
      ps_socket_listen(self, 5);
      break;
    case 3:
    case 4:
      ps_socket_connect(self, names[chance(random, 4)], (ps_port){NULL, port}, host);
      break;
    case 5:
    case 6:
      receive_somehow(self, random, host);
      break;
    case 7:
      ps_socket_send(self, (ps_data){"a line\n", 7}, 1, -1, host);
      break;
    case 8:
      ps_socket_shutdown(self, chance(random, 2) ? "send" : NULL);
      break;
    case 9:
      if (chance(random, 4) == 0) ps_socket_close(self, host);
      break;
    default:
      disturb(self, random, host);
      if (chance(random, 8) == 0) ps_socket_settimeout(self, -1, NULL);
  }
}

/* Waits for a moment at most: whoever frees one of the two only wakes who waits there. */
static void do_with_two(ps_socket *one, ps_socket *other, unsigned *random,
                        ps_host *host) {
  ps_watch watches[] = {{-1, 0, 0, 0, one}, {-1, 0, 0, 0, other}, {-1, 0, 0, 0, one}};
  switch (chance(random, 3)) {
    case 0:
      if (one != other) swap_descriptors(one, other, host);
      break;
    case 1:
      ps_select((ps_sockets){watches, 3}, (ps_sockets){NULL, 0}, 0.001, host);
      break;
    default:
      ps_select((ps_sockets){NULL, 0}, (ps_sockets){watches, 3}, 0.001, host);
  }
}

static void *work(void *context) {
  int mode = *(int *)context;
  unsigned random = 17 + (unsigned)(uintptr_t)&random;
  for (int i = 0; i < OPERATIONS; i++) {
    struct slot *one = &slots[chance(&random, SLOTS)], *other = one;
    if (chance(&random, 4) == 0) other = &slots[chance(&random, SLOTS)];
    lender lent;
    int used = mode >= HOLD ? HOLD + (int)chance(&random, 2) : (int)chance(&random, HOLD);
    ps_host *host = host_of(&lent, used, random);
    pthread_rwlock_rdlock(&one->lock);
    int both = other != one && pthread_rwlock_tryrdlock(&other->lock) == 0;
    lent.within = look_within;
    lent.context = one->socket;
    go_in(mode);
    if (both)
      do_with_two(one->socket, other->socket, &random, host);
    else
      do_anything(one->socket, &random, host);
    go_out(mode);
    if (both) pthread_rwlock_unlock(&other->lock);
    pthread_rwlock_unlock(&one->lock);
    free(lent.memory);
  }
  atomic_fetch_sub(&working, 1);
  return NULL;
}

/* A thread with a poller of its own, whose members come and go beneath it. */
typedef struct waiter {
  ps_poller *poller;
  int mode;
} waiter;

static void change_members(ps_poller *poller, struct slot *slot, unsigned *random) {
  static const char *const events[] = {"r", "w", "rw"};
  ps_source source = {slot->socket, -1};
  ps_token token;
  switch (chance(random, 5)) {
    case 0:
    case 1:
      ps_poller_add(poller, source, events[chance(random, 3)], slot);
      break;
    case 2:
      ps_poller_modify(poller, source, events[chance(random, 3)], slot);
      break;
    case 3:
      token = ps_poller_token(poller, source);
      must(token.status.code != PS_OK || token.token == slot);
      ps_poller_ready(poller, source);
      break;
    default:
      ps_poller_remove(poller, source);
  }
  must(ps_poller_count(poller).size <= SLOTS);
}

static void *poll_members(void *context) {
  waiter *self = context;
  unsigned random = 3 + (unsigned)(uintptr_t)&random;
  while (atomic_load(&working) > 0) {
    struct slot *slot = &slots[chance(&random, SLOTS)];
    lender lent;
    ps_host *host = host_of(&lent, self->mode, random);
    if (pthread_rwlock_tryrdlock(&slot->lock) == 0) {
      go_in(self->mode);
      change_members(self->poller, slot, &random);
      go_out(self->mode);
      pthread_rwlock_unlock(&slot->lock);
    }
    go_in(self->mode);
    ps_polled got = ps_poller_wait(self->poller, chance(&random, 2) ? 0.001 : 0,
                                   chance(&random, 3), host);
    go_out(self->mode);
    for (size_t i = 0; i < got.count; i++) {
      const struct slot *met = got.events[i].token;
      must(met >= slots && met < slots + SLOTS);
    }
    free(lent.memory);
  }
  return NULL;
}

/* Closes what is in a slot, which wakes whoever waits there, and puts another in. */
static void renew(struct slot *slot, int mode, unsigned *random) {
  lender lent;
  ps_host *host = host_of(&lent, mode, 1);
  go_in(mode);
  ps_socket_close(slot->socket, host);
  go_out(mode);
  pthread_rwlock_wrlock(&slot->lock);
  ps_socket_free(slot->socket, NULL);
  slot->socket = make_one(random);
  ps_socket_settimeout(slot->socket, 0.002, NULL);
  pthread_rwlock_unlock(&slot->lock);
  free(lent.memory);
}

static void *answer(void *context) {
  ps_socket *server = context;
  for (ps_object got; got = ps_socket_accept(server, NULL), got.status.code != PS_CLOSED;)
    if (got.status.code == PS_OK) talk(got.socket);
  return NULL;
}

static void objects_survive(int mode) {
  ps_socket *server = ps_bind("127.0.0.1", any_port, 64, NULL).socket;
  assert_non_null(server);
  port = ps_socket_getsockname(server).port;
  unsigned random = 5;
  for (size_t i = 0; i < SLOTS; i++) {
    pthread_rwlock_init(&slots[i].lock, NULL);
    slots[i].socket = make_one(&random);
    ps_socket_settimeout(slots[i].socket, 0.002, NULL);
  }
  pthread_t threads[WORKERS], answering, polling[2];
  waiter waiters[2];
  atomic_store(&working, WORKERS);
  pthread_create(&answering, NULL, answer, server);
  for (int i = 0; i < WORKERS; i++) pthread_create(&threads[i], NULL, work, &mode);
  for (int i = 0; i < 2; i++) {
    waiters[i] = (waiter){ps_poller_make().poller, mode};
    assert_non_null(waiters[i].poller);
    pthread_create(&polling[i], NULL, poll_members, &waiters[i]);
  }
  while (atomic_load(&working) > 0) {
    ps_poller_wake(waiters[0].poller);
    renew(&slots[chance(&random, SLOTS)], mode, &random);
    ps_sleep(0.002, NULL);
  }
  for (int i = 0; i < WORKERS; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 2; i++) pthread_join(polling[i], NULL);
  ps_poller_free(waiters[0].poller);
  ps_socket_close(server, NULL);
  pthread_join(answering, NULL);
  ps_socket_free(server, NULL);
  for (size_t i = 0; i < SLOTS; i++) {
    ps_socket_free(slots[i].socket, NULL);
    pthread_rwlock_destroy(&slots[i].lock);
  }
  assert_int_equal(ps_poller_count(waiters[1].poller).size, 0);
  ps_poller_free(waiters[1].poller);
}

/* Look-ups that nobody waits for any more may have a descriptor for a moment. */
static int descriptors_left(int wanted) {
  double end = ps_monotime() + 10;
  while (descriptors() != wanted && ps_monotime() < end) sched_yield();
  return descriptors();
}

static void objects_come_and_go(void **state) {
  (void)state;
  int before = descriptors();
  objects_survive(PLAIN);
  objects_survive(HOLD);
  assert_int_equal(descriptors_left(before), before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_byte_comes_once_and_in_order),
      cmocka_unit_test(objects_come_and_go),
  };
  return cmocka_run_group_tests_name("storm", tests, NULL, NULL);
}
