/* SPDX-License-Identifier: MIT */
/* What other threads see of a member, of a poller or of a set, in the middle of a call,
   on the real system: a thread is stopped before each instruction of the library. While
   its registration moves to another descriptor, the poller of a member is known, because
   a close that found none would leave the registration, and its descriptor in the queue.
   A name that two ask for at the same moment is told to both. Bytes that are left at any
   moment end the wait. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants four of the above before it. */
#include <cmocka.h>

#include "internal.h"
#include "steps.h"

static const ps_port any_port = {NULL, 0};

/* Of the process in which the call is made. */
static ps_socket *server, *object;
static ps_poller *poller;
static int other;
static ps_status ended;

static ps_port port_of(ps_socket *bound) {
  return (ps_port){NULL, ps_socket_getsockname(bound).port};
}

static void make_member(ps_socket *made) {
  object = made;
  poller = ps_poller_make().poller;
  if (object == NULL || poller == NULL) _exit(9);
  ps_source source = {object, -1};
  if (ps_poller_add(poller, source, "w", object).status.code != PS_OK) _exit(9);
}

static void prepare_client(void) {
  server = ps_bind("127.0.0.1", any_port, 8, NULL).socket;
  if (server == NULL) _exit(9);
  make_member(
      ps_connect("127.0.0.1", port_of(server), NULL, any_port, NULL, -1, NULL).socket);
  other = fcntl(ps_socket_getfd(object).fd, F_DUPFD_CLOEXEC, 0);
}

/* It has no descriptor yet. */
static void prepare_master(void) {
  setenv("TEST_NAMES", "slow.test 0.05 127.0.0.1", 1);
  server = ps_bind("127.0.0.1", any_port, 8, NULL).socket;
  ps_socket *made = ps_tcp().socket;
  if (server == NULL || made == NULL) _exit(9);
  ps_socket_settimeout(made, 0, NULL);
  (void)ps_socket_connect(made, "slow.test", port_of(server), NULL);
  ps_socket_settimeout(made, -1, NULL);
  make_member(made);
}

static void set_another(void) {
  int before = ps_socket_getfd(object).fd;
  ended = ps_socket_setfd(object, other, NULL).status;
  close(before);
}

static void connect_it(void) {
  ended = ps_socket_connect(object, "slow.test", port_of(server), NULL).status;
}

static int has_its_poller(int moment) {
  (void)moment;
  steps_forked();
  return atomic_load(&object->poller) == poller ? 0 : __LINE__;
}

static void wait_longer(int stage) { (void)stage; }

static int is_ready(void) {
  ps_polled got = ps_poller_wait(poller, -1, 0, NULL);
  if (ended.code != PS_OK || got.count != 1 || got.events[0].token != object)
    return __LINE__;
  ps_socket_free(object, NULL);
  if (ps_poller_count(poller).size != 0) return __LINE__;
  ps_poller_free(poller);
  return 0;
}

/* ---- A name ---- */

static short told = -1; /* what the main thread was told */

static short select_one(void) {
  ps_watch watch = {-1, 0, 0, 0, object};
  ps_sockets one = {&watch, 1}, nobody = {NULL, 0};
  return ps_select(nobody, one, 5, NULL).status.code;
}

static void prepare_name(void) {
  prepare_master();
  if (select_one() != PS_OK) _exit(9);
}

static void select_it(void) { ended.code = select_one(); }

/* When the thread that was stopped has both turns, in order to look. */
static int asks_too(int moment) {
  (void)moment;
  int looks = (atomic_load(&object->state) & PS__BOTH) == PS__BOTH;
  if (looks && told < 0) told = select_one();
  steps_forked();
  return 0;
}

static int both_are_told(void) {
  if (ended.code != PS_OK || told != PS_OK) return __LINE__;
  ps_socket_free(object, NULL);
  ps_poller_free(poller);
  return 0;
}

/* ---- Bytes that a thread leaves ---- */

static ps_socket *peer;
static int chosen = -1; /* the moment */
static int left, late;

static void say(const char *text) {
  ps_data data = {text, strlen(text)};
  if (ps_socket_send(peer, data, 1, -1, NULL).status.code != PS_OK) _exit(9);
}

static void expect_line(void) {
  const ps_prefix none = {NULL, 0};
  if (ps_socket_receive(object, PS_LINE, none, 0, NULL).status.code != PS_OK) _exit(9);
}

/* The poller knows of bytes, which are taken meanwhile. */
static void prepare_told(void) {
  server = ps_bind("127.0.0.1", any_port, 8, NULL).socket;
  poller = ps_poller_make().poller;
  object =
      ps_connect("127.0.0.1", port_of(server), NULL, any_port, NULL, -1, NULL).socket;
  peer = ps_socket_accept(server, NULL).socket;
  if (poller == NULL || object == NULL || peer == NULL) _exit(9);
  ps_source source = {object, -1};
  if (ps_poller_add(poller, source, "r", object).status.code != PS_OK) _exit(9);
  say("one\ntwo\n");
  expect_line();
  if (ps_poller_wait(poller, 0, 0, NULL).count != 1) _exit(9);
  expect_line();
}

static void wait_for_bytes(void) { ended = ps_poller_wait(poller, -1, 0, NULL).status; }

/* Fails at the first moment at which the poller has forgotten that it was told. */
static int is_forgotten(int moment) {
  (void)moment;
  steps_forked();
  return atomic_load(&object->told) ? 0 : __LINE__;
}

static int leaves_bytes(int moment) {
  if (moment == chosen) {
    say("one\ntwo\n");
    expect_line();
    left = 1;
  }
  steps_forked();
  return 0;
}

static void end_the_wait(int stage) {
  (void)stage;
  late = left;
  say("three\n");
}

static int is_told(void) {
  if (ended.code != PS_OK || late) return __LINE__;
  ps_socket_free(object, NULL);
  ps_socket_free(peer, NULL);
  ps_poller_free(poller);
  return 0;
}

static void bytes_that_are_left_then_end_the_wait(void **state) {
  (void)state;
  static const steps_case search = {"",           prepare_told, wait_for_bytes,
                                    is_forgotten, end_the_wait, is_told};
  static const steps_case deed = {"",           prepare_told, wait_for_bytes,
                                  leaves_bytes, end_the_wait, is_told};
  steps_result found = steps_run(&search, 1);
  if (found.obstacle != NULL) skip();
  assert_int_not_equal(found.line, 0);
  for (chosen = found.moment - 9; chosen <= found.moment; chosen++) {
    steps_result result = steps_run(&deed, 1);
    if (result.line != 0)
      fail_msg("line %d, left at moment %d", result.line, chosen - found.moment);
  }
}

static const steps_case cases[] = {
    {"setfd", prepare_client, set_another, has_its_poller, wait_longer, is_ready},
    {"connect", prepare_master, connect_it, has_its_poller, wait_longer, is_ready},
    {"select", prepare_name, select_it, asks_too, wait_longer, both_are_told},
};

static void at_every_moment(void **state) { assert_true(steps_test(*state, 1) > 100); }

int main(void) {
  enum { COUNT = sizeof cases / sizeof *cases };
  struct CMUnitTest tests[COUNT + 1] = {
      [COUNT] = cmocka_unit_test(bytes_that_are_left_then_end_the_wait)};
  for (size_t i = 0; i < COUNT; i++)
    tests[i] = (struct CMUnitTest){cases[i].name, at_every_moment, NULL, NULL,
                                   (void *)&cases[i]};
  return cmocka_run_group_tests_name("member_steps", tests, NULL, NULL);
}
