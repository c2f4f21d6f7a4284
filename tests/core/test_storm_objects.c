/* SPDX-License-Identifier: MIT */
/* Objects come and go while several threads make all calls of polysock.h on them, and
   pollers have them as members. At the end everything is given back. How long it takes is
   bounded by counts. Sanitizers look on. */

#define _GNU_SOURCE
#include "storm.h"

#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

static const ps_prefix none = {NULL, 0};
static const ps_port any_port = {NULL, 0};

/* ---- The objects, and what is done to them ---- */

enum { SLOTS = 5, WORKERS = 7, OPERATIONS = 10000 };

static struct slot {
  pthread_rwlock_t lock; /* written to by who frees */
  ps_socket *socket;
} slots[SLOTS];
static int port; /* of the server in the first slot */
static atomic_int working;

static ps_socket *make_one(unsigned *random) {
  ps_object made = {{0, 0, 0, NULL}, NULL};
  switch (storm_chance(random, 4)) {
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
  char *data = storm_take(socket, &got); /* a sanitizer sees what is not there any more */
  storm_must(data == NULL || strlen(data) <= ps_bytes_size(&got));
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
  switch (storm_chance(random, 7)) {
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
  switch (storm_chance(random, 11)) {
    case 0:
      accepted = ps_socket_accept(self, host);
      if (accepted.status.code == PS_OK) talk(accepted.socket);
      break;
    case 1:
      ps_socket_bind(self, names[storm_chance(random, 3)], any_port, host);
      break;
    case 2:
      ps_socket_listen(self, 5);
      break;
    case 3:
    case 4:
      ps_socket_connect(self, names[storm_chance(random, 4)], (ps_port){NULL, port},
                        host);
      break;
    case 5:
    case 6:
      receive_somehow(self, random, host);
      break;
    case 7:
      ps_socket_send(self, (ps_data){"a line\n", 7}, 1, -1, host);
      break;
    case 8:
      ps_socket_shutdown(self, storm_chance(random, 2) ? "send" : NULL);
      break;
    case 9:
      if (storm_chance(random, 4) == 0) ps_socket_close(self, host);
      break;
    default:
      storm_disturb(self, random, host);
      if (storm_chance(random, 8) == 0) ps_socket_settimeout(self, -1, NULL);
  }
}

/* Waits for a moment at most: whoever frees one of the two only wakes who waits there. */
static void do_with_two(ps_socket *one, ps_socket *other, unsigned *random,
                        ps_host *host) {
  ps_watch watches[] = {{-1, 0, 0, 0, one}, {-1, 0, 0, 0, other}, {-1, 0, 0, 0, one}};
  switch (storm_chance(random, 3)) {
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
    struct slot *one = &slots[storm_chance(&random, SLOTS)], *other = one;
    if (storm_chance(&random, 4) == 0) other = &slots[storm_chance(&random, SLOTS)];
    storm_lender lent;
    int used = mode >= STORM_HOLD ? STORM_HOLD + (int)storm_chance(&random, 2)
                                  : (int)storm_chance(&random, STORM_HOLD);
    ps_host *host = storm_host(&lent, used, random);
    pthread_rwlock_rdlock(&one->lock);
    int both = other != one && pthread_rwlock_tryrdlock(&other->lock) == 0;
    lent.within = storm_look;
    lent.context = one->socket;
    storm_go_in(mode);
    if (both)
      do_with_two(one->socket, other->socket, &random, host);
    else
      do_anything(one->socket, &random, host);
    storm_go_out(mode);
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
  switch (storm_chance(random, 5)) {
    case 0:
    case 1:
      ps_poller_add(poller, source, events[storm_chance(random, 3)], slot);
      break;
    case 2:
      ps_poller_modify(poller, source, events[storm_chance(random, 3)], slot);
      break;
    case 3:
      token = ps_poller_token(poller, source);
      storm_must(token.status.code != PS_OK || token.token == slot);
      ps_poller_ready(poller, source);
      break;
    default:
      ps_poller_remove(poller, source);
  }
  storm_must(ps_poller_count(poller).size <= SLOTS);
}

static void *poll_members(void *context) {
  waiter *self = context;
  unsigned random = 3 + (unsigned)(uintptr_t)&random;
  while (atomic_load(&working) > 0) {
    struct slot *slot = &slots[storm_chance(&random, SLOTS)];
    storm_lender lent;
    ps_host *host = storm_host(&lent, self->mode, random);
    if (pthread_rwlock_tryrdlock(&slot->lock) == 0) {
      storm_go_in(self->mode);
      change_members(self->poller, slot, &random);
      storm_go_out(self->mode);
      pthread_rwlock_unlock(&slot->lock);
    }
    storm_go_in(self->mode);
    ps_polled got = ps_poller_wait(self->poller, storm_chance(&random, 2) ? 0.001 : 0,
                                   storm_chance(&random, 3), host);
    storm_go_out(self->mode);
    for (size_t i = 0; i < got.count; i++) {
      const struct slot *met = got.events[i].token;
      storm_must(met >= slots && met < slots + SLOTS);
    }
    free(lent.memory);
  }
  return NULL;
}

/* Closes what is in a slot, which wakes whoever waits there, and puts another in. */
static void renew(struct slot *slot, int mode, unsigned *random) {
  storm_lender lent;
  ps_host *host = storm_host(&lent, mode, 1);
  storm_go_in(mode);
  ps_socket_close(slot->socket, host);
  storm_go_out(mode);
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
    renew(&slots[storm_chance(&random, SLOTS)], mode, &random);
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
  while (storm_descriptors() != wanted && ps_monotime() < end) sched_yield();
  return storm_descriptors();
}

static void objects_come_and_go(void **state) {
  (void)state;
  int before = storm_descriptors();
  objects_survive(STORM_PLAIN);
  objects_survive(STORM_HOLD);
  assert_int_equal(descriptors_left(before), before);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(objects_come_and_go)};
  return cmocka_run_group_tests_name("storm_objects", tests, NULL, NULL);
}
