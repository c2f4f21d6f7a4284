/* SPDX-License-Identifier: MIT */
/* core/poller.c on the simulated system: arguments, time, and what makes a member ready.
   The simulated queue fails a test when it is asked for no reason. */

#include "poller_sim.h"

/* ---- Arguments ---- */

static void expect_misuse(ps_status status, short code, short argument) {
  assert_int_equal(status.code, code);
  assert_int_equal(status.argument, argument);
}

static void wrong_arguments_are_misuse(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  ps_poller *p = make();
  static const char *const wrong[] = {"", "wr", "x", "rr", "rw ", "R", NULL};
  for (int i = 0; i < 7; i++) {
    expect_misuse(ps_poller_add(p, of(c), wrong[i], c).status, PS_MISUSE_EVENTS, 2);
    expect_misuse(ps_poller_modify(p, of(c), wrong[i], c).status, PS_MISUSE_EVENTS, 2);
  }
  expect_misuse(ps_poller_wait(p, NAN, 0, NULL).status, PS_MISUSE_NAN, 1);
  expect_misuse(ps_poller_wait(p, 0, -1, NULL).status, PS_MISUSE_COUNT, 2);
  expect_misuse(ps_poller_add(NULL, of(c), "r", c).status, PS_MISUSE_NOTPOLLER, 0);
  expect_misuse(ps_poller_wait(NULL, NAN, 0, NULL).status, PS_MISUSE_NOTPOLLER, 0);
  expect_misuse(ps_poller_add(NULL, number(-1), "r", c).status, PS_MISUSE_NOTPOLLER, 0);
  expect_misuse(ps_poller_add(NULL, of(c), "x", c).status, PS_MISUSE_NOTPOLLER, 0);
  expect_misuse(ps_poller_modify(NULL, of(c), "r", c).status, PS_MISUSE_NOTPOLLER, 0);
  expect_misuse(ps_poller_remove(NULL, of(c)).status, PS_MISUSE_NOTPOLLER, 0);
  expect_misuse(ps_poller_token(NULL, of(c)).status, PS_MISUSE_NOTPOLLER, 0);
  expect_misuse(ps_poller_ready(NULL, of(c)).status, PS_MISUSE_NOTPOLLER, 0);
  expect_misuse(ps_poller_wait(NULL, 0, 0, NULL).status, PS_MISUSE_NOTPOLLER, 0);
  expect_misuse(ps_poller_wake(NULL).status, PS_MISUSE_NOTPOLLER, 0);
  expect_misuse(ps_poller_close(NULL).status, PS_MISUSE_NOTPOLLER, 0);
  assert_int_equal(ps_poller_count(NULL).size, 0);
  assert_int_equal(ps_poller_getfd(NULL).fd, -1);
  size_t at = 0;
  void *token;
  assert_int_equal(ps_poller_each(NULL, &at, &token), 0);
  assert_int_equal(ps_poller_ended(NULL, &token), 0);
  ps_poller_free(NULL);
  freed(p, c, NULL);
}

static void what_is_no_member_is_told(void **state) {
  (void)state;
  ps_socket *c = sim_client(), *m = ps_tcp().socket;
  int fd = sim_adopt(0);
  ps_poller *p = make(), *q = make();
  sim_expect(ps_poller_add(p, number(-1), "r", NULL), PS_CLOSED);
  sim_expect(ps_poller_add(p, of(m), "r", NULL), PS_UNDECIDED);
  sim_expect(ps_poller_remove(p, of(c)), PS_NOTADDED);
  sim_expect(ps_poller_modify(p, of(c), "r", c), PS_NOTADDED);
  sim_expect(ps_poller_token(p, of(c)), PS_NOTADDED);
  sim_expect(ps_poller_ready(p, of(c)), PS_NOTADDED);
  sim_expect(ps_poller_remove(p, number(fd)), PS_NOTADDED);
  sim_expect(ps_poller_remove(p, number(-1)), PS_NOTADDED);
  sim_expect(ps_poller_remove(p, number(1 << 30)), PS_NOTADDED);
  add(p, c, "r");
  sim_expect(ps_poller_add(p, of(c), "w", c), PS_ALREADY);
  sim_expect(ps_poller_add(q, of(c), "w", c), PS_ELSEWHERE);
  sim_expect(ps_poller_add(p, number(ps_socket_getfd(c).fd), "r", c), PS_ALREADY);
  sim_expect(ps_poller_remove(p, number(ps_socket_getfd(c).fd)), PS_NOTADDED);
  sim_expect(ps_poller_remove(q, of(c)), PS_NOTADDED);
  sim_expect(ps_poller_add(p, number(fd), "r", &fd), PS_OK);
  sim_expect(ps_poller_add(p, number(fd), "r", &fd), PS_ALREADY);
  assert_int_equal(ps_poller_count(p).size, 2);
  assert_int_equal(ps_poller_count(q).size, 0);
  ps_socket *d = sim_client(); /* it has a number that is a member already */
  sim_expect(ps_poller_add(q, number(ps_socket_getfd(d).fd), "r", &fd), PS_OK);
  sim_expect(ps_poller_add(q, of(d), "r", d), PS_ALREADY);
  assert_ptr_equal(ps_poller_token(q, number(ps_socket_getfd(d).fd)).token, &fd);
  sim_expect(ps_poller_remove(q, number(ps_socket_getfd(d).fd)), PS_OK);
  ps_socket_free(d, NULL);
  ps_poller_close(p);
  ps_poller_close(p);
  assert_int_equal(ps_poller_count(p).size, 0);
  assert_int_equal(ps_poller_getfd(p).fd, -1);
  sim_expect(ps_poller_add(p, of(c), "r", c), PS_CLOSED);
  sim_expect(ps_poller_remove(p, of(c)), PS_CLOSED);
  sim_expect(ps_poller_modify(p, of(c), "r", c), PS_CLOSED);
  sim_expect(ps_poller_wait(p, 1, 0, NULL), PS_CLOSED);
  sim_expect(ps_poller_wake(p), PS_OK);
  add(q, c, "r"); /* it is free for another one */
  ps_poller_free(p);
  sim_abandon(fd);
  ps_socket_free(m, NULL);
  freed(q, c, NULL);
}

/* ---- Time ---- */

static void a_wait_has_a_limit(void **state) {
  (void)state;
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    ps_host *host = sim_language(language);
    ps_poller *p = make();
    ps_socket *c = sim_client();
    add(p, c, "r");
    double start = sim_now();
    sim_expect(ps_poller_wait(p, 0, 0, host), PS_TIMEOUT);
    sim_expect_elapsed(start, 0);
    sim_expect(ps_poller_wait(p, 0.25, 0, host), PS_TIMEOUT);
    sim_expect_elapsed(start, 0.25);
    sim_expect(ps_poller_wait(p, 1e-9, 0, host), PS_TIMEOUT);
    static const double values[] = {-1, INFINITY, -INFINITY, 1e300};
    for (int i = 0; i < 4; i++) {
      sim_reads(sim_after(1000), "x\n");
      ps_polled got = ps_poller_wait(p, values[i], 0, host);
      sim_expect(got, PS_OK);
      assert_string_equal(said(got, c), "r");
      expect_line(c, host, "x");
    }
    freed(p, c, NULL);
  }
}

static void signals_have_their_turn(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_HOLD);
  ps_poller *p = make();
  double start = sim_now();
  sim_signal(0.5);
  sim_expect(ps_poller_wait(p, 1, 0, host), PS_TIMEOUT);
  sim_expect_elapsed(start, 1);
  assert_int_equal(sim_questions(), 1);
  sim_stop();
  sim_signal(0.5);
  sim_expect(ps_poller_wait(p, -1, 0, host), PS_INTERRUPTED);
  sim_expect_elapsed(start, 1.5);
  sim_poll_fails(1, EIO);
  assert_int_equal(ps_poller_wait(p, 1, 0, host).status.system, EIO);
  sim_poll_fails(1, ENOMEM);
  sim_expect(ps_poller_wait(p, 0, 0, host), PS_NOMEMORY);
  ps_poller_free(p);
}

/* What a host does when it is asked. */
static ps_poller *asked_poller;
static ps_socket *asked_socket;
static int asked_to_close;

static int answer(ps_host *host) {
  (void)host;
  ps_poller *p = asked_poller;
  sim_expect(ps_poller_wait(p, 1, 0, NULL), PS_BUSY);
  sim_expect(ps_poller_remove(p, of(asked_socket)), PS_OK);
  add(p, asked_socket, "rw");
  if (asked_to_close) ps_poller_close(p);
  return 0;
}

static void a_host_that_is_asked_may_use_the_poller(void **state) {
  (void)state;
  for (asked_to_close = 0; asked_to_close < 2; asked_to_close++) {
    ps_host host = {.interrupted = answer};
    asked_poller = make();
    asked_socket = sim_client();
    add(asked_poller, asked_socket, "r");
    sim_signal(0.5);
    ps_polled got = ps_poller_wait(asked_poller, 1, 0, &host);
    sim_expect(got, asked_to_close ? PS_CLOSED : PS_OK);
    if (!asked_to_close) assert_string_equal(said(got, asked_socket), "w");
    freed(asked_poller, asked_socket, NULL);
  }
}

/* ---- Buffered bytes ---- */

static void buffered_bytes_are_reported(void **state) {
  (void)state;
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    ps_host *host = sim_language(language);
    ps_poller *p = make();
    ps_socket *c = sim_client(), *other = sim_client();
    add(p, c, "r");
    add(p, other, "r");
    sim_script(ps_socket_getfd(c).fd);
    sim_reads("one\ntwo\n");
    assert_string_equal(look(p, c), "r");
    expect_line(c, host, "one");
    double start = sim_now();
    for (int i = 0; i < 3; i++)
      assert_string_equal(said(ps_poller_wait(p, -1, 0, host), c), "r");
    sim_expect_elapsed(start, 0);
    expect_line(c, host, "two");
    sim_expect(ps_poller_wait(p, 1, 0, host), PS_TIMEOUT);
    sim_reads("three\nfour\n");
    assert_string_equal(look(p, c), "r");
    expect_line(c, host, "three");
    assert_string_equal(look(p, c), "r");
    sim_expect(ps_poller_modify(p, of(c), "w", c), PS_OK);
    assert_string_equal(look(p, c), "w");
    sim_expect(ps_poller_modify(p, of(c), "r", c), PS_OK);
    assert_string_equal(look(p, c), "r");
    sim_expect(ps_poller_modify(p, of(c), "rw", c), PS_OK);
    assert_string_equal(look(p, c), "rw");
    sim_expect(ps_poller_remove(p, of(c)), PS_OK);
    add(p, c, "r");
    assert_string_equal(look(p, c), "r");
    ps_socket_close(c, NULL);
    sim_expect(ps_poller_wait(p, 0, 0, host), PS_TIMEOUT);
    freed(p, c, other);
  }
}

static void send_only_members_do_not_look_at_the_buffer(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = sim_client();
  sim_writes(sim_after(5), sim_takes(9));
  add(p, c, "w");
  sim_reads("one\ntwo\n");
  expect_line(c, NULL, "one");
  double start = sim_now();
  assert_string_equal(said(ps_poller_wait(p, -1, 0, NULL), c), "w");
  sim_expect_elapsed(start, 5);
  freed(p, c, NULL);
}

static void receive_line(void *socket) { expect_line(socket, NULL, "one"); }

static void bytes_that_another_thread_leaves_end_the_wait(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = sim_client();
  add(p, c, "r");
  sim_reads(sim_after(1), "one\ntwo\n");
  sim_later(1, receive_line, c); /* before the poller sees what has come */
  double start = sim_now();
  assert_string_equal(said(ps_poller_wait(p, 9, 0, NULL), c), "r");
  sim_expect_elapsed(start, 1);
  expect_line(c, NULL, "two");
  sim_expect(ps_poller_wait(p, 0, 0, NULL), PS_TIMEOUT);
  freed(p, c, NULL);
}

static void bytes_that_are_left_at_the_last_moment_are_reported(void **state) {
  (void)state;
  for (int max = 0; max < 3; max++) {
    ps_poller *p = make();
    ps_socket *c = sim_client(), *d = sim_client();
    add(p, c, "r");
    add(p, d, "r");
    sim_script(ps_socket_getfd(c).fd);
    sim_reads(sim_after(1), "one\ntwo\n");
    sim_later(1, receive_line, c);
    assert_string_equal(said(ps_poller_wait(p, 1, max, NULL), c), "r");
    freed(p, c, d);
  }
}

static void take_two(void *socket) { expect_line(socket, NULL, "y"); }

/* It was to be reported after what the queue has. */
static void a_member_that_a_thread_empties_is_not_waited_for(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = buffered("x\ny\n");
  add(p, c, "r");
  assert_string_equal(said(ps_poller_wait(p, 0, 1, NULL), c), "r");
  double start = sim_now();
  sim_later(0, take_two, c);
  sim_expect(ps_poller_wait(p, 1, 1, NULL), PS_TIMEOUT);
  sim_expect_elapsed(start, 1);
  freed(p, c, NULL);
}

enum { MANY = 65 }; /* one more than are asked for at first */
static ps_socket *many[MANY];

static void take_many(void *context) {
  (void)context;
  for (int i = 0; i < MANY; i++) expect_line(many[i], NULL, "z");
}

static void all_that_are_ready_are_reported(void **state) {
  (void)state;
  for (int way = 0; way < 3; way++) { /* by the system, in part, or by their buffers */
    ps_poller *p = make();
    for (int i = 0; i < MANY; i++) {
      int full = way == 2 || (way == 1 && i < MANY - 1);
      many[i] = full ? buffered("x\ny\n") : sim_client();
      if (way < 2) sim_reads("z\n");
      add(p, many[i], "r");
    }
    ps_polled got = ps_poller_wait(p, -1, 0, NULL);
    assert_int_equal(got.count, MANY);
    for (int i = 0; i < MANY; i++) assert_string_equal(said(got, many[i]), "r");
    for (int i = 0; i < MANY; i++) ps_socket_free(many[i], NULL);
    ps_poller_free(p);
  }
}

/* A thread takes them before the queue is asked for more. */
static void those_that_are_found_end_the_wait(void **state) {
  (void)state;
  ps_poller *p = make();
  for (int i = 0; i < MANY; i++) {
    many[i] = sim_client();
    sim_reads("z\n");
    add(p, many[i], "r");
  }
  double start = sim_now();
  sim_when_found(take_many, NULL);
  assert_int_equal(ps_poller_wait(p, 9, 0, NULL).count, MANY - 1);
  sim_expect_elapsed(start, 0);
  sim_expect(ps_poller_wait(p, 0, 0, NULL), PS_TIMEOUT);
  for (int i = 0; i < MANY; i++) ps_socket_free(many[i], NULL);
  ps_poller_free(p);
}

static void a_wait_needs_no_more_memory_than_the_last(void **state) {
  (void)state;
  for (int count = 1; count <= MANY; count += MANY - 1) {
    ps_poller *p = make();
    for (int i = 0; i < count; i++) {
      many[i] = sim_client();
      add(p, many[i], "w");
    }
    assert_int_equal(ps_poller_wait(p, 0, 0, NULL).count, count);
    size_t before = sim_memory();
    sim_fault(SIM_ENOMEM, 1, 1);
    for (int i = 0; i < 3; i++)
      assert_int_equal(ps_poller_wait(p, 0, 0, NULL).count, count);
    assert_int_equal(sim_struck(), 0);
    sim_fault(SIM_NO_FAULT, 0, 0);
    assert_int_equal(sim_memory(), before);
    for (int i = 0; i < count; i++) ps_socket_free(many[i], NULL);
    ps_poller_free(p);
  }
}

/* Without memory for its event a member is reported by a later wait. */
static void what_was_called_ready_is_not_forgotten(void **state) {
  (void)state;
  ps_poller *p = make();
  sim_expect(ps_poller_wait(p, 1, 0, NULL), PS_TIMEOUT);
  for (int i = 0; i < MANY; i++) {
    many[i] = sim_client();
    add(p, many[i], "r");
    sim_expect(ps_poller_ready(p, of(many[i])), PS_OK);
  }
  sim_fault(SIM_ENOMEM, 1, 1);
  assert_int_equal(ps_poller_wait(p, 0, 0, NULL).count, MANY - 1);
  sim_fault(SIM_NO_FAULT, 0, 0);
  ps_polled got = ps_poller_wait(p, 0, 0, NULL);
  assert_int_equal(got.count, 1);
  assert_string_equal(said(got, many[MANY - 1]), "r");
  sim_expect(ps_poller_wait(p, 1, 0, NULL), PS_TIMEOUT);
  for (int i = 0; i < MANY; i++) ps_socket_free(many[i], NULL);
  ps_poller_free(p);
}

static void all_get_their_turn(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c[6];
  for (int i = 0; i < 6; i++) {
    c[i] = i < 3 ? buffered("x\ny\n") : sim_client();
    if (i >= 3) sim_reads("z\n");
    add(p, c[i], "r");
  }
  for (int max = 1; max < 8; max++) {
    int seen[6] = {0};
    for (int round = 0; round < 24; round++) {
      ps_polled got = ps_poller_wait(p, -1, max, NULL);
      sim_expect(got, PS_OK);
      assert_true(got.count >= 1 && got.count <= (size_t)max);
      if (max >= 6) assert_int_equal(got.count, 6);
      for (size_t i = 0; i < got.count; i++)
        for (int j = 0; j < 6; j++) seen[j] += got.events[i].token == c[j];
    }
    for (int j = 0; j < 6; j++) assert_true(seen[j] >= 24 * (max < 6 ? max : 6) / 12);
  }
  for (int i = 0; i < 6; i++) ps_socket_free(c[i], NULL);
  ps_poller_free(p);
}

static void a_limit_hides_nothing(void **state) {
  (void)state;
  ps_poller *p = make(), *q = make();
  ps_socket *c = buffered("x\ny\n"), *d = ps_tcp().socket, *e = sim_client();
  sim_host("slow.test", 2, "10.0.0.7");
  add(p, c, "r");
  add(q, e, "w");
  for (int i = 0; i < 4; i++) {
    assert_string_equal(said(ps_poller_wait(p, 0, 1, NULL), c), "r");
    assert_string_equal(look(q, e), "w"); /* or the simulation sees a busy wait */
  }
  begin_connect(d, "slow.test", NULL);
  add(p, d, "w");
  sim_pass(3);
  int seen = 0;
  for (int i = 0; i < 8; i++) {
    seen += said(ps_poller_wait(p, 0, 1, NULL), d)[0] == 'w';
    assert_string_equal(look(q, e), "w");
  }
  assert_int_equal(seen, 4); /* they take turns */
  freed(p, c, d);
  freed(q, e, NULL);
}

static void a_foreign_one_may_be_called_ready(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = sim_client();
  int fd = sim_adopt(0);
  sim_abandon(fd); /* it is never ready by itself */
  fd = ps_socket_getfd(c).fd;
  sim_expect(ps_poller_add(p, number(fd), "r", &fd), PS_OK);
  sim_expect(ps_poller_wait(p, 0, 0, NULL), PS_TIMEOUT);
  sim_expect(ps_poller_ready(p, number(fd)), PS_OK);
  sim_expect(ps_poller_ready(p, number(fd)), PS_OK);
  assert_string_equal(said(ps_poller_wait(p, -1, 0, NULL), &fd), "r");
  sim_expect(ps_poller_wait(p, 0, 0, NULL), PS_TIMEOUT);
  sim_expect(ps_poller_modify(p, number(fd), "w", &fd), PS_OK);
  sim_writes(sim_after(3), sim_takes(1));
  sim_expect(ps_poller_ready(p, number(fd)), PS_OK);
  double start = sim_now();
  assert_string_equal(said(ps_poller_wait(p, -1, 0, NULL), &fd), "w");
  sim_expect_elapsed(start, 3);
  sim_expect(ps_poller_ready(p, number(fd)), PS_OK);
  sim_expect(ps_poller_remove(p, number(fd)), PS_OK);
  sim_expect(ps_poller_wait(p, 0, 0, NULL), PS_TIMEOUT);
  add(p, c, "r");
  sim_expect(ps_poller_ready(p, of(c)), PS_OK);
  assert_string_equal(look(p, c), "r");
  sim_expect(ps_poller_wait(p, 0, 0, NULL), PS_TIMEOUT);
  /* It is for the next wait, and not for one after a modify. */
  ps_socket_free(c, NULL);
  c = sim_client();
  add(p, c, "w");
  sim_writes(sim_after(9), sim_takes(1));
  sim_expect(ps_poller_ready(p, of(c)), PS_OK);
  sim_expect(ps_poller_wait(p, 1, 0, NULL), PS_TIMEOUT);
  sim_expect(ps_poller_modify(p, of(c), "r", c), PS_OK);
  sim_reads("one\ntwo\n");
  expect_line(c, NULL, "one");
  expect_line(c, NULL, "two");
  sim_expect(ps_poller_wait(p, 0, 0, NULL), PS_TIMEOUT);
  freed(p, c, NULL);
}

/* ---- Another loop, which waits for its descriptor ---- */

static void another_loop_learns_of_what_is_there(void **state) {
  (void)state;
  sim_host("slow.test", 2, "10.0.0.7");
  for (int i = 0; i < 9; i++) {
    int way = (i + 1) % 9;
    ps_poller *p = make();
    int full = way == 1 || way == 5 || way == 6;
    ps_socket *c = full ? buffered("x\ny\n") : sim_client(), *d = ps_tcp().socket;
    add(p, c, way == 6 ? "w" : "r");
    if (way == 5) expect_line(c, NULL, "y"); /* it was full */
    if (way == 5 || way == 6) look(p, c);
    if (way == 7) sim_expect(ps_poller_modify(p, of(c), "w", c), PS_OK);
    if (way == 8) sim_process(1);
    if (way == 2) ps_poller_wake(p);
    if (way == 3) begin_connect(d, "slow.test", NULL);
    if (way == 3) add(p, d, "w");
    if (way == 4) sim_expect(ps_poller_ready(p, of(c)), PS_OK);
    assert_int_equal(sim_rung(), 0); /* nobody had asked */
    assert_true(ps_poller_getfd(p).fd >= 0);
    assert_int_equal(sim_rung(), way > 0 && way < 5);
    freed(p, c, d);
  }
}

static void another_loop_is_woken_when_there_is_something(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = sim_client();
  add(p, c, "r");
  ps_poller_getfd(p);
  sim_reads("1\n2\n3\n4\n");
  expect_line(c, NULL, "1");
  assert_int_equal(sim_rung(), 1);
  for (int i = 0; i < 2; i++) { /* and as long as there is */
    assert_string_equal(look(p, c), "r");
    assert_int_equal(sim_rung(), 1);
  }
  sim_expect(ps_poller_modify(p, of(c), "w", c), PS_OK);
  assert_string_equal(look(p, c), "w");
  expect_line(c, NULL, "2");
  assert_int_equal(sim_rung(), 0); /* nobody wants to receive */
  sim_expect(ps_poller_modify(p, of(c), "r", c), PS_OK);
  expect_line(c, NULL, "3");
  assert_string_equal(look(p, c), "r");
  expect_line(c, NULL, "4");
  sim_expect(ps_poller_wait(p, 0, 0, NULL), PS_TIMEOUT);
  sim_reads("5\n");
  expect_line(c, NULL, "5");
  assert_int_equal(sim_rung(), 0); /* nothing is left */
  freed(p, c, NULL);
}

/* A call on the poller that leaves something for the next wait tells the other loop, too,
   and that of a child, which has another descriptor. */
static void another_loop_is_woken_by_what_is_added(void **state) {
  (void)state;
  sim_host("slow.test", 2, "10.0.0.7");
  for (int way = 0; way < 5; way++) {
    ps_poller *p = make();
    ps_socket *c = way == 4 ? sim_client() : buffered("x\ny\n"), *d = ps_tcp().socket;
    if (way > 0) add(p, c, way == 1 ? "w" : "r");
    if (way == 1) assert_string_equal(look(p, c), "w");
    if (way == 2) expect_line(c, NULL, "y");
    if (way == 2) sim_expect(ps_poller_wait(p, 0, 0, NULL), PS_TIMEOUT);
    ps_poller_getfd(p);
    assert_int_equal(sim_rung(), way == 3);
    if (way == 0) add(p, c, "r");
    if (way == 1) sim_expect(ps_poller_modify(p, of(c), "rw", c), PS_OK);
    if (way == 2) sim_expect(ps_poller_ready(p, of(c)), PS_OK);
    if (way == 3) {
      assert_string_equal(look(p, c), "r");
      sim_process(1);
      assert_true(ps_poller_getfd(p).fd >= 0);
    }
    if (way == 4) {
      begin_connect(d, "slow.test", NULL);
      sim_pass(2);
      add(p, d, "w");
    }
    assert_int_equal(sim_rung(), 1);
    freed(p, c, d);
  }
}

/* ---- Names ---- */

static void names_that_are_resolved_together_are_all_reported(void **state) {
  (void)state;
  sim_host("slow.test", 2, "10.0.0.7");
  ps_poller *p = make();
  ps_socket *all[4];
  for (int i = 0; i < 4; i++) {
    all[i] = i < 2 ? ps_tcp().socket : ps_tcp4().socket;
    begin_connect(all[i], "slow.test", NULL);
    add(p, all[i], "w");
  }
  sim_pass(2);
  double start = sim_now();
  ps_polled got = ps_poller_wait(p, 9, 0, NULL);
  sim_expect_elapsed(start, 0);
  assert_int_equal(got.count, 4);
  for (int i = 0; i < 4; i++) assert_string_equal(said(got, all[i]), "w");
  for (int i = 0; i < 4; i++) ps_socket_free(all[i], NULL);
  ps_poller_free(p);
}

static int begun; /* wakers, each for one look at the system */

static void count_wakers(void *context) {
  if (++begun > 9) sim_pass(1); /* or a wait that wakes itself would never end */
  sim_when_begun(count_wakers, context);
}

/* A select asked for the name, and has ended. The wait that learns of it tells the others
   once, and goes on. */
static void a_name_that_is_resolved_wakes_whoever_asked_once(void **state) {
  (void)state;
  sim_host("slow.test", 2, "10.0.0.7");
  ps_poller *p = make();
  ps_socket *m = ps_tcp().socket;
  begin_connect(m, "slow.test", NULL);
  ps_watch watch = {-1, 0, 0, 0, m};
  ps_sockets set = {&watch, 1}, nobody = {NULL, 0};
  sim_expect(ps_select(nobody, set, 0, NULL), PS_TIMEOUT);
  add(p, m, "r");
  sim_pass(2);
  begun = 0;
  sim_when_begun(count_wakers, NULL);
  double start = sim_now();
  sim_expect(ps_poller_wait(p, 0.5, 0, NULL), PS_TIMEOUT);
  sim_expect_elapsed(start, 0.5);
  assert_int_equal(begun, 1);
  freed(p, m, NULL);
}

static void *wakers_begun; /* as many as are expected */
static void check_wakers(void *expected) {
  assert_int_equal(sim_wakers(), expected == NULL ? 0 : 1);
  wakers_begun = expected;
}

static void a_waker_is_for_names(void **state) {
  (void)state;
  sim_host("slow.test", 9, "10.0.0.7");
  ps_poller *p = make();
  ps_socket *c = sim_client(), *d = ps_tcp().socket;
  add(p, c, "r");
  sim_later(1, check_wakers, NULL);
  sim_expect(ps_poller_wait(p, 2, 0, NULL), PS_TIMEOUT);
  begin_connect(d, "slow.test", NULL);
  add(p, d, "w");
  sim_later(1, check_wakers, d);
  sim_expect(ps_poller_wait(p, 2, 0, NULL), PS_TIMEOUT);
  assert_ptr_equal(wakers_begun, d);
  sim_later(0, check_wakers, NULL); /* what does not wait needs none */
  sim_expect(ps_poller_wait(p, 0, 0, NULL), PS_TIMEOUT);
  assert_null(wakers_begun);
  freed(p, c, d);
}

static void a_short_wait_ends_with_a_name(void **state) {
  (void)state;
  sim_host("slow.test", 0.2, "10.0.0.7");
  ps_poller *p = make();
  ps_socket *d = ps_tcp().socket;
  double start = sim_now();
  begin_connect(d, "slow.test", NULL);
  add(p, d, "w");
  assert_string_equal(said(ps_poller_wait(p, 0.5, 0, NULL), d), "w");
  sim_expect_elapsed(start, 0.2);
  freed(p, d, NULL);
}

static void resolve_it(void *context) {
  (void)context;
  sim_pass(2);
}

/* Its helper thread has woken whoever waited then. */
static void a_name_that_is_resolved_before_the_wait_begins_ends_it(void **state) {
  (void)state;
  sim_host("slow.test", 2, "10.0.0.7");
  ps_poller *p = make();
  ps_socket *d = ps_tcp().socket;
  begin_connect(d, "slow.test", NULL);
  add(p, d, "w");
  sim_when_begun(resolve_it, NULL);
  double start = sim_now();
  assert_string_equal(said(ps_poller_wait(p, 9, 0, NULL), d), "w");
  sim_expect_elapsed(start, 2);
  freed(p, d, NULL);
}

static void names_that_are_resolved_take_turns(void **state) {
  (void)state;
  sim_host("slow.test", 2, "10.0.0.7");
  ps_poller *p = make(), *q = make();
  ps_socket *all[3], *e = sim_client();
  int seen[3] = {0};
  add(q, e, "w");
  for (int i = 0; i < 3; i++) {
    all[i] = ps_tcp().socket;
    begin_connect(all[i], "slow.test", NULL);
    add(p, all[i], "w");
  }
  sim_pass(2);
  for (int i = 0; i < 6; i++) {
    ps_polled got = ps_poller_wait(p, 0, 1, NULL);
    assert_int_equal(got.count, 1);
    for (int j = 0; j < 3; j++) seen[j] += got.events[0].token == all[j];
    if (i % 3 == 2)
      for (int j = 0; j < 3; j++) assert_int_equal(seen[j], i / 3 + 1);
    assert_string_equal(look(q, e), "w"); /* or the simulation sees a busy wait */
  }
  for (int i = 0; i < 3; i++) ps_socket_free(all[i], NULL);
  ps_poller_free(p);
  freed(q, e, NULL);
}

/* With a limit half of the events is for those that the system has. */
static void neither_names_nor_buffers_leave_out_the_others(void **state) {
  (void)state;
  sim_host("slow.test", 2, "10.0.0.7");
  for (int kind = 0; kind < 2; kind++)
    for (int max = 2; max < 6; max += 2) {
      ps_poller *p = make();
      ps_socket *all[10];
      for (int i = 0; i < 10; i++) {
        all[i] = i >= 5 ? sim_client() : kind == 0 ? buffered("x\ny\n") : ps_tcp().socket;
        if (i < 5 && kind == 1) begin_connect(all[i], "slow.test", NULL);
        add(p, all[i], i < 5 && kind == 0 ? "r" : "w");
      }
      sim_pass(2);
      for (int round = 0; round < 8; round++) {
        ps_polled got = ps_poller_wait(p, 0, max, NULL);
        assert_int_equal(got.count, max);
        int known = 0;
        for (int i = 0; i < 5; i++) known += said(got, all[i])[0] != '\0';
        assert_int_equal(known, max / 2);
      }
      for (int i = 0; i < 10; i++) ps_socket_free(all[i], NULL);
      ps_poller_free(p);
    }
}

static void what_waits_for_a_name_is_modified(void **state) {
  (void)state;
  sim_host("slow.test", 2, "10.0.0.7");
  for (int kind = 0; kind < 2; kind++) {
    ps_poller *p = make();
    ps_socket *c = kind == 0 ? ps_tcp().socket : ps_tcp4().socket;
    begin_connect(c, "slow.test", NULL);
    add(p, c, "w");
    sim_expect(ps_poller_modify(p, of(c), "r", c), PS_OK);
    sim_expect(ps_poller_wait(p, 3, 0, NULL), PS_TIMEOUT);
    sim_expect(ps_poller_modify(p, of(c), "rw", c), PS_OK);
    assert_string_equal(look(p, c), "w");
    freed(p, c, NULL);
  }
}

static void a_resolved_name_makes_it_ready(void **state) {
  (void)state;
  for (int kind = 0; kind < 3; kind++)
    for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
      ps_host *host = sim_language(language);
      sim_host("slow.test", 2, "10.0.0.7");
      sim_route("10.0.0.7", 3, 0);
      ps_poller *p = make();
      ps_socket *c = kind == 0 ? ps_tcp().socket : ps_tcp4().socket;
      if (kind == 2) add(p, c, "rw"); /* before the look-up */
      if (kind == 2) assert_string_equal(look(p, c), "rw");
      double start = sim_now();
      begin_connect(c, "slow.test", host);
      if (kind < 2) add(p, c, "rw");
      assert_int_equal(ps_poller_count(p).size, 1);
      assert_string_equal(look(p, c), "");
      assert_string_equal(said(ps_poller_wait(p, -1, 0, host), c), "w");
      sim_expect_elapsed(start, 2);
      assert_string_equal(look(p, c), "w");
      sim_expect(ps_socket_connect(c, "slow.test", port(80), NULL), PS_TIMEOUT);
      start = sim_now();
      assert_string_equal(said(ps_poller_wait(p, -1, 0, host), c), "rw");
      sim_expect_elapsed(start, 3);
      sim_expect(ps_socket_connect(c, "slow.test", port(80), NULL), PS_OK);
      assert_string_equal(look(p, c), "w");
      freed(p, c, NULL);
      sim_end();
      sim_begin();
    }
}

static void a_look_up_may_end_otherwise(void **state) {
  (void)state;
  for (int kind = 0; kind < 2; kind++)
    for (int way = 0; way < 5; way++) {
      sim_host("slow.test", 2, "10.0.0.7");
      sim_host_fails("none.test", 2, PS_NONAME);
      ps_poller *p = make();
      ps_socket *c = kind == 0 ? ps_tcp().socket : ps_tcp4().socket;
      begin_connect(c, way == 0 ? "none.test" : "slow.test", NULL);
      add(p, c, "w");
      if (way == 0) { /* the name has no address */
        assert_string_equal(said(ps_poller_wait(p, -1, 0, NULL), c), "w");
        sim_expect(ps_socket_connect(c, "none.test", port(80), NULL), PS_NONAME);
        if (kind == 0) sim_expect(ps_poller_wait(p, 1, 0, NULL), PS_TIMEOUT);
        if (kind == 1) assert_string_equal(look(p, c), "w");
      } else if (way == 1) { /* the socket is closed meanwhile */
        ps_socket_close(c, NULL);
        assert_int_equal(ps_poller_count(p).size, 0);
        sim_expect(ps_poller_wait(p, 5, 0, NULL), PS_TIMEOUT);
      } else if (way == 2) { /* or connected elsewhere */
        sim_expect(ps_socket_connect(c, "10.0.0.9", port(80), NULL), PS_TIMEOUT);
        assert_string_equal(said(ps_poller_wait(p, -1, 0, NULL), c), "w");
        sim_expect(ps_socket_connect(c, "10.0.0.9", port(80), NULL), PS_OK);
        assert_string_equal(look(p, c), "w");
      } else if (way == 3) { /* or removed */
        sim_expect(ps_poller_remove(p, of(c)), PS_OK);
        sim_expect(ps_poller_wait(p, 5, 0, NULL), PS_TIMEOUT);
      } else { /* or gets a descriptor from elsewhere */
        int fd = sim_adopt(4), old = ps_socket_getfd(c).fd;
        ps_socket_setfd(c, fd, NULL);
        if (old >= 0) sim_abandon(old);
        assert_string_equal(look(p, c), "w");
        sim_expect(ps_poller_token(p, of(c)), PS_OK);
      }
      freed(p, c, NULL);
      sim_end();
      sim_begin();
    }
}

static void without_a_waker_names_are_looked_at(void **state) {
  (void)state;
  sim_host("slow.test", 2, "10.0.0.7");
  ps_poller *p = make();
  ps_socket *c = ps_tcp().socket;
  begin_connect(c, "slow.test", NULL);
  add(p, c, "w");
  sim_fault(SIM_EMFILE, 1, 1);
  double start = sim_now();
  assert_string_equal(said(ps_poller_wait(p, -1, 0, NULL), c), "w");
  assert_true(sim_now() - start < 2.06);
  assert_true(sim_struck() > 0);
  freed(p, c, NULL);
}

/* A fork comes when another thread has left bytes in the buffer, and before it has told
   the poller. */
static void a_child_learns_of_buffered_bytes(void **state) {
  (void)state;
  ps_poller *poller = make();
  ps_socket *c = sim_client();
  add(poller, c, "r");
  sim_reads("one\ntwo\n");
  atomic_store(&c->poller, NULL); /* so that it is not told */
  expect_line(c, NULL, "one");
  atomic_store(&c->poller, poller);
  sim_process(1);
  assert_string_equal(look(poller, c), "r");
  freed(poller, c, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      sim_test(a_child_learns_of_buffered_bytes),
      sim_test(wrong_arguments_are_misuse),
      sim_test(what_is_no_member_is_told),
      sim_test(a_wait_has_a_limit),
      sim_test(signals_have_their_turn),
      sim_test(a_host_that_is_asked_may_use_the_poller),
      sim_test(buffered_bytes_are_reported),
      sim_test(send_only_members_do_not_look_at_the_buffer),
      sim_test(bytes_that_another_thread_leaves_end_the_wait),
      sim_test(bytes_that_are_left_at_the_last_moment_are_reported),
      sim_test(a_member_that_a_thread_empties_is_not_waited_for),
      sim_test(all_that_are_ready_are_reported),
      sim_test(those_that_are_found_end_the_wait),
      sim_test(a_wait_needs_no_more_memory_than_the_last),
      sim_test(what_was_called_ready_is_not_forgotten),
      sim_test(all_get_their_turn),
      sim_test(a_limit_hides_nothing),
      sim_test(a_foreign_one_may_be_called_ready),
      sim_test(another_loop_learns_of_what_is_there),
      sim_test(another_loop_is_woken_when_there_is_something),
      sim_test(another_loop_is_woken_by_what_is_added),
      sim_test(names_that_are_resolved_together_are_all_reported),
      sim_test(a_name_that_is_resolved_wakes_whoever_asked_once),
      sim_test(a_waker_is_for_names),
      sim_test(a_short_wait_ends_with_a_name),
      sim_test(a_name_that_is_resolved_before_the_wait_begins_ends_it),
      sim_test(names_that_are_resolved_take_turns),
      sim_test(neither_names_nor_buffers_leave_out_the_others),
      sim_test(what_waits_for_a_name_is_modified),
      sim_test(a_resolved_name_makes_it_ready),
      sim_test(a_look_up_may_end_otherwise),
      sim_test(without_a_waker_names_are_looked_at),
  };
  int failed = cmocka_run_group_tests_name("poller", tests, NULL, NULL);
  return failed +
         cmocka_run_group_tests_name("poller, from 0", tests, sim_number_0, NULL);
}
