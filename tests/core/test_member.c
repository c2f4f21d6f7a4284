/* SPDX-License-Identifier: MIT */
/* core/member.c on the simulated system: what becomes of a registration when its socket
   changes, in other threads and processes, and when something fails. The simulated queue
   fails a test when a descriptor is closed in it, or when another process touches it. */

#include "member.h"
#include "poller_sim.h"

/* ---- Descriptors that change ---- */

static void a_registration_ends_with_its_socket(void **state) {
  (void)state;
  ps_poller *p = make();
  for (int way = 0; way < 4; way++) {
    ps_socket *c = sim_client();
    sim_reads("x");
    add(p, c, "rw");
    int fd = ps_socket_getfd(c).fd;
    if (way == 0) ps_socket_close(c, NULL);
    if (way == 1) assert_int_equal(ps_socket_detach(c).fd, fd);
    if (way == 2) ps_socket_setfd(c, -1, NULL);
    if (way == 1 || way == 2) sim_abandon(fd);
    if (way == 3) ps_socket_free(c, NULL);
    assert_int_equal(ps_poller_count(p).size, 0);
    sim_expect(ps_poller_wait(p, 0.1, 0, NULL), PS_TIMEOUT);
    if (way == 3) continue;
    sim_expect(ps_poller_add(p, of(c), "r", c), PS_CLOSED);
    sim_expect(ps_poller_remove(p, of(c)), PS_NOTADDED);
    ps_socket_free(c, NULL);
  }
  ps_poller_free(p);
}

static void a_removed_one_tells_anew(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = sim_client();
  add(p, c, "r");
  sim_reads("1\n2\n", "3\n4\n");
  expect_line(c, NULL, "1");
  sim_expect(ps_poller_remove(p, of(c)), PS_OK);
  expect_line(c, NULL, "2");
  add(p, c, "r");
  expect_line(c, NULL, "3");
  assert_string_equal(look(p, c), "r");
  freed(p, c, NULL);
}

static void a_socket_in_no_poller_takes_no_lock(void **state) {
  (void)state;
  ps_socket *c = buffered("x\ny\n"), *d = sim_client(), *m = ps_tcp().socket;
  sim_host("slow.test", 2, "10.0.0.7");
  begin_connect(m, "slow.test", NULL);
  int fd = ps_socket_detach(d).fd, old = ps_socket_getfd(c).fd;
  ps_socket_setfd(c, fd, NULL);
  expect_line(c, NULL, "y");
  ps_socket_close(c, NULL);
  ps_socket_close(m, NULL);
  assert_int_equal(sim_locks(), 0);
  sim_abandon(old);
  ps_socket_free(m, NULL);
  ps_socket_free(c, NULL);
  ps_socket_free(d, NULL);
}

/* While the poller knows of the bytes a receive costs no more than without it. */
static void a_poller_is_told_once(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = sim_client();
  add(p, c, "r");
  sim_reads("1\n2\n3\n4\n5\n");
  for (int look_again = 0; look_again < 2; look_again++) {
    int before = sim_locks();
    expect_line(c, NULL, look_again ? "3" : "1");
    assert_int_equal(sim_locks(), before + !look_again);
    expect_line(c, NULL, look_again ? "4" : "2");
    assert_int_equal(sim_locks(), before + !look_again);
    assert_string_equal(look(p, c), "r"); /* it still does */
  }
  freed(p, c, NULL);
}

static void a_refused_detach_changes_nothing(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = buffered("x\ny\n");
  add(p, c, "r");
  sim_expect(ps_socket_detach(c), PS_BUFFERED);
  assert_string_equal(look(p, c), "r");
  freed(p, c, NULL);
}

static void a_registration_follows_a_descriptor(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = sim_client(), *d = sim_client(), *e = sim_client();
  add(p, c, "r");
  add(p, e, "r");
  int old = ps_socket_getfd(c).fd, fd = ps_socket_detach(d).fd;
  ps_socket_setfd(c, fd, NULL);
  sim_script(old);
  sim_reads("old");
  assert_string_equal(look(p, c), "");
  sim_script(fd);
  sim_reads("new");
  assert_string_equal(look(p, c), "r");
  /* The number of another member: that one is no member any more. */
  int others = ps_socket_getfd(e).fd;
  ps_socket_setfd(c, others, NULL);
  assert_int_equal(ps_poller_count(p).size, 1);
  sim_expect(ps_poller_remove(p, of(e)), PS_NOTADDED);
  sim_script(others);
  sim_reads("x");
  assert_string_equal(look(p, c), "r");
  ps_socket_setfd(e, -1, NULL);
  sim_abandon(old);
  sim_abandon(fd);
  ps_socket_free(d, NULL);
  freed(p, c, e);
}

static void buffered_bytes_follow_with_their_socket(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = buffered("x\ny\n"), *d = sim_client();
  add(p, c, "r");
  int old = ps_socket_getfd(c).fd, fd = ps_socket_detach(d).fd;
  for (int i = 0; i < 2; i++) {
    ps_socket_setfd(c, i == 0 ? fd : old, NULL);
    assert_string_equal(look(p, c), "r");
  }
  expect_line(c, NULL, "y");
  assert_string_equal(look(p, c), "");
  sim_abandon(fd);
  freed(p, c, d);
}

static void another_family_is_another_file(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = ps_tcp().socket;
  sim_host("both.test", 0, "10.0.0.1 fe80::1");
  sim_route("10.0.0.1", 1, ECONNREFUSED);
  sim_route("fe80::1", 1, 0);
  begin_connect(c, "10.0.0.1", NULL);
  add(p, c, "w");
  sim_pass(1);
  sim_expect(ps_socket_connect(c, "10.0.0.1", port(80), NULL), PS_REFUSED);
  int fd = ps_socket_getfd(c).fd;
  sim_expect(ps_socket_connect(c, "fe80::1", port(80), NULL), PS_TIMEOUT);
  assert_int_equal(ps_socket_getfd(c).fd, fd);
  assert_string_equal(said(ps_poller_wait(p, -1, 0, NULL), c), "w");
  sim_expect(ps_socket_connect(c, "fe80::1", port(80), NULL), PS_OK);
  ps_socket_free(c, NULL);
  c = ps_tcp().socket;
  sim_expect(ps_socket_bind(c, "127.0.0.1", port(0), NULL), PS_OK);
  add(p, c, "r");
  freed(p, c, NULL);
}

static void a_look_up_may_end_with_its_descriptor(void **state) {
  (void)state;
  sim_host("slow.test", 2, "10.0.0.7");
  ps_poller *p = make();
  ps_socket *c = ps_tcp4().socket;
  begin_connect(c, "slow.test", NULL);
  add(p, c, "w");
  int fd = ps_socket_getfd(c).fd;
  sim_fault(SIM_ENOMEM, 1, 1);
  ps_socket_setfd(c, -1, NULL);
  sim_fault(SIM_NO_FAULT, 0, 0);
  assert_int_equal(ps_poller_count(p).size, 0);
  sim_expect(ps_poller_wait(p, 3, 0, NULL), PS_TIMEOUT);
  sim_abandon(fd);
  freed(p, c, NULL);
}

/* ---- Other threads ---- */

static void wake_it(void *poller) { ps_poller_wake(poller); }
static void close_it(void *socket) { ps_socket_close(socket, NULL); }
static void close_poller(void *poller) { ps_poller_close(poller); }

static void a_wake_ends_one_wait(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_host *host = sim_language(SIM_HOLD);
  for (int early = 0; early < 2; early++) {
    double start = sim_now();
    if (early)
      ps_poller_wake(p);
    else
      sim_later(0.5, wake_it, p);
    ps_polled got = ps_poller_wait(p, -1, 0, host);
    sim_expect(got, PS_OK);
    assert_int_equal(got.count, 0);
    sim_expect_elapsed(start, early ? 0 : 0.5);
    sim_expect(ps_poller_wait(p, 1, 0, host), PS_TIMEOUT);
  }
  ps_poller_free(p);
}

static void a_member_that_is_closed_lets_the_wait_go_on(void **state) {
  (void)state;
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    ps_host *host = sim_language(language);
    ps_poller *p = make();
    ps_socket *a = sim_client(), *b = sim_client();
    add(p, a, "r");
    add(p, b, "r");
    sim_reads(sim_after(2), "x");
    sim_later(1, close_it, a);
    ps_polled got = ps_poller_wait(p, -1, 0, host);
    assert_int_equal(got.count, 1);
    assert_string_equal(said(got, b), "r");
    freed(p, a, b);
  }
}

static ps_poller *shared;
static void add_it(void *socket) { add(shared, socket, "r"); }

static void a_socket_is_added_while_another_thread_receives(void **state) {
  (void)state;
  shared = make();
  ps_socket *c = sim_client();
  sim_reads(sim_after(2), "one\ntwo\n");
  sim_later(1, add_it, c);
  expect_line(c, NULL, "one");
  assert_int_equal(ps_poller_count(shared).size, 1);
  assert_string_equal(look(shared, c), "r");
  freed(shared, c, NULL);
}

static void replace_it(void *call) {
  assert_int_equal(ps__turn_replace(call), PS__ENTERED);
}

/* Neither the close nor the setfd has found a poller to tell. */
static void a_socket_that_is_closed_meanwhile_is_not_added(void **state) {
  (void)state;
  ps_poller *p = make();
  for (int way = 0; way < 2; way++) {
    ps_socket *c = sim_client();
    ps__call setting = {.self = c};
    if (way == 0) sim_when_locked(close_it, c);
    if (way == 1) sim_when_locked(replace_it, &setting);
    sim_expect(ps_poller_add(p, of(c), "rw", c), PS_CLOSED);
    assert_int_equal(ps_poller_count(p).size, 0);
    sim_expect(ps_poller_remove(p, of(c)), PS_NOTADDED);
    if (way == 1) assert_int_equal(ps__turn_replaced(&setting, 0), -1);
    ps_socket_free(c, NULL);
    assert_int_equal(sim_descriptors(), 0);
  }
  ps_poller_free(p);
}

/* The queue has found an event of the registration that another thread ends. */
static void add_anew(void *socket) {
  sim_expect(ps_poller_remove(shared, of(socket)), PS_OK);
  add(shared, socket, "r");
}
static void hold_it(void *socket) { ps__member_hold(socket); }
static void set_it_anew(void *socket) {
  ps_socket_setfd(socket, ps_socket_getfd(socket).fd, NULL);
}
static void fork_it(void *context) {
  (void)context;
  sim_process(1);
}

static void an_event_is_for_the_registration_that_had_it(void **state) {
  (void)state;
  shared = make();
  ps_socket *c = sim_client();
  add(shared, c, "r");
  sim_reads("x\n");
  sim_when_found(close_it, c);
  sim_expect(ps_poller_wait(shared, 0, 0, NULL), PS_TIMEOUT);
  ps_socket_free(c, NULL);
  c = sim_client();
  add(shared, c, "r");
  sim_reads("x\n");
  sim_when_found(add_anew, c);
  sim_expect(ps_poller_wait(shared, 0, 0, NULL), PS_TIMEOUT);
  assert_string_equal(look(shared, c), "r");
  sim_when_found(hold_it, c); /* its descriptor is about to be another file's */
  sim_expect(ps_poller_wait(shared, 0, 0, NULL), PS_TIMEOUT);
  sim_expect(ps_poller_wait(shared, 1, 0, NULL), PS_TIMEOUT);
  ps__member_follow(c);
  assert_string_equal(look(shared, c), "r");
  sim_when_found(set_it_anew, c); /* and now it is */
  sim_expect(ps_poller_wait(shared, 0, 0, NULL), PS_TIMEOUT);
  assert_string_equal(look(shared, c), "r");
  assert_int_equal(shared->stale, 0); /* the queue had done no wrong */
  freed(shared, c, NULL);
}

static void nothing_watches_a_descriptor_that_is_being_replaced(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = buffered("x\ny\n");
  add(p, c, "r");
  ps__member_hold(c);
  assert_string_equal(look(p, c), "r"); /* what it has is there all the same */
  const ps__slot *slot = ps__member_slot(p, ps_socket_getfd(c).fd);
  assert_int_equal(slot->flags & PS__ARMED, 0);
  ps__member_follow(c);
  assert_int_equal(slot->flags & PS__ARMED, PS__ARMED);
  freed(p, c, NULL);
}

/* The child goes on with the call of its parent. */
static void a_host_may_fork_when_it_is_asked(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  ps_poller *p = make();
  ps_socket *c = sim_client();
  add(p, c, "r");
  sim_reads(sim_after(2), "x");
  sim_signal(1);
  sim_when_asked(fork_it, NULL);
  double start = sim_now();
  assert_string_equal(said(ps_poller_wait(p, 9, 0, host), c), "r");
  sim_expect_elapsed(start, 2);
  freed(p, c, NULL);
}

/* A queue that reports a former member is replaced, though not beneath a wait. */
static void add_to_stale(void *socket) {
  shared->stale = 1;
  add(shared, socket, "r");
}

static void a_queue_is_not_replaced_during_a_wait(void **state) {
  (void)state;
  shared = make();
  ps_socket *c = sim_client(), *d = sim_client();
  add(shared, c, "r");
  sim_reads(sim_after(2), "x");
  sim_later(1, add_to_stale, d);
  assert_string_equal(said(ps_poller_wait(shared, 9, 0, NULL), d), "r");
  assert_int_equal(shared->stale, 1);
  const ps__queue *before = shared->queue;
  assert_string_equal(look(shared, d), "r");
  assert_int_equal(shared->stale, 0);
  assert_ptr_not_equal(shared->queue, before);
  freed(shared, c, d);
}

static void connect_by_name(void *socket) { begin_connect(socket, "slow.test", NULL); }

static void a_look_up_of_another_thread_is_noticed(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = ps_tcp4().socket;
  sim_host("slow.test", 2, "10.0.0.7");
  sim_route("10.0.0.9", 100, 0);
  begin_connect(c, "10.0.0.9", NULL);
  add(p, c, "w");
  double start = sim_now();
  sim_later(1, connect_by_name, c);
  assert_string_equal(said(ps_poller_wait(p, -1, 0, NULL), c), "w");
  assert_true(sim_now() - start > 2.9 && sim_now() - start < 3.1);
  freed(p, c, NULL);
}

static void a_poller_that_is_closed_ends_its_wait(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = sim_client();
  add(p, c, "r");
  double start = sim_now();
  sim_later(1, close_poller, p);
  sim_expect(ps_poller_wait(p, -1, 0, NULL), PS_CLOSED);
  sim_expect_elapsed(start, 1);
  sim_expect(ps_poller_wait(p, -1, 0, NULL), PS_CLOSED);
  freed(p, c, NULL);
}

/* ---- Tokens ---- */

static void ended_tokens_come_back(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *a = sim_client(), *b = sim_client();
  void *token = NULL;
  add(p, a, "r");
  ps_socket_close(a, NULL);
  assert_int_equal(ps_poller_ended(p, &token), 0); /* nobody had asked for it */
  add(p, b, "r");
  sim_expect(ps_poller_modify(p, of(b), "r", &token), PS_OK);
  assert_ptr_equal(ps_poller_token(p, of(b)).token, &token);
  sim_expect(ps_poller_remove(p, of(b)), PS_OK);
  assert_int_equal(ps_poller_ended(p, &token), 0);
  add(p, b, "r");
  ps_socket_close(b, NULL);
  assert_int_equal(ps_poller_ended(p, &token), 1);
  assert_ptr_equal(token, b);
  assert_int_equal(ps_poller_ended(p, &token), 0);
  ps_socket *c = sim_client();
  add(p, c, "r");
  ps_poller_close(p);
  assert_int_equal(ps_poller_ended(p, &token), 1);
  assert_ptr_equal(token, c);
  ps_socket_free(c, NULL);
  freed(p, a, b);
}

static void many_ended_tokens_are_kept(void **state) {
  (void)state;
  enum { MANY = 40 };
  ps_poller *p = make();
  void *token;
  assert_int_equal(ps_poller_ended(p, &token), 0);
  for (int i = 0; i < MANY; i++) {
    ps_socket *c = sim_client();
    add(p, c, "r");
    ps_socket_free(c, NULL);
  }
  int found = 0;
  while (ps_poller_ended(p, &token)) found++;
  assert_int_equal(found, MANY);
  ps_poller_free(p);
}

static void each_token_is_found(void **state) {
  (void)state;
  sim_host("slow.test", 2, "10.0.0.7");
  ps_poller *p = make();
  ps_socket *all[7];
  size_t at = 0;
  void *token;
  assert_int_equal(ps_poller_each(p, &at, &token), 0);
  for (int i = 0; i < 7; i++) {
    all[i] = i < 4 ? sim_client() : ps_tcp().socket;
    if (i >= 4) begin_connect(all[i], "slow.test", NULL);
    add(p, all[i], "r");
  }
  int seen = 0;
  for (at = 0; ps_poller_each(p, &at, &token); seen++) {
    int found = 0;
    for (int i = 0; i < 7; i++) found += all[i] == token;
    assert_int_equal(found, 1);
  }
  assert_int_equal(seen, 7);
  for (int i = 0; i < 7; i++) ps_socket_free(all[i], NULL);
  ps_poller_free(p);
}

static void a_member_costs_little(void **state) {
  (void)state;
  enum { MANY = 200 };
  assert_true(sizeof(ps_socket) <= 256);
  ps_socket *all[MANY];
  for (int i = 0; i < MANY; i++) all[i] = sim_client();
  ps_poller *p = make();
  size_t before = sim_memory();
  for (int i = 0; i < MANY; i++) add(p, all[i], "r");
  assert_true(sim_memory() - before <= (size_t)MANY * 64);
  for (int i = 0; i < MANY; i++) ps_socket_free(all[i], NULL);
  ps_poller_free(p);
}

/* ---- Processes ---- */

/* The simulated queue fails the test when another process than its own touches it. */
static void a_child_has_a_queue_of_its_own(void **state) {
  (void)state;
  for (int way = 0; way < 7; way++) {
    ps_poller *p = make();
    ps_socket *c = buffered("x\ny\n"), *d = sim_client();
    add(p, c, "r");
    add(p, d, "rw");
    ps_poller_getfd(p); /* what somebody waits for is rung now and then */
    int fd = ps_socket_getfd(c).fd;
    sim_process(1);
    sim_script(ps_socket_getfd(d).fd);
    sim_reads("1\n2\n");
    expect_line(d, NULL, "1");
    expect_line(d, NULL, "2");
    if (way == 0) ps_socket_close(d, NULL);
    if (way == 1) ps_socket_setfd(c, -1, NULL);
    if (way == 2) sim_expect(ps_poller_modify(p, of(d), "r", d), PS_OK);
    if (way == 3) sim_expect(ps_poller_remove(p, of(d)), PS_OK);
    if (way == 4) ps_poller_close(p);
    if (way == 5) sim_expect(ps_poller_wake(p), PS_OK);
    if (way == 6) {
      sim_fault(SIM_EMFILE, 1, 0);
      assert_int_equal(ps_poller_wait(p, 0, 0, NULL).status.system, EMFILE);
      assert_int_equal(ps_poller_count(p).size, 2);
    }
    ps_polled got = ps_poller_wait(p, 0, 0, NULL);
    sim_expect(got, way == 4 ? PS_CLOSED : way == 1 ? PS_OK : PS_OK);
    if (way == 5) got = ps_poller_wait(p, 0, 0, NULL); /* the wake's own */
    if (way == 2) assert_string_equal(said(got, d), "");
    if (way == 3 || way == 0) assert_int_equal(got.count, 1);
    if (way == 5 || way == 6) {
      assert_string_equal(said(got, c), "r");
      assert_string_equal(said(got, d), "w");
    }
    if (way == 1) sim_abandon(fd);
    freed(p, c, d);
    sim_end();
    sim_begin();
  }
}

static void a_child_tries_again_what_it_could_not_watch(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = sim_client(), *d = sim_client();
  add(p, c, "w");
  add(p, d, "w");
  sim_process(1);
  sim_fault(SIM_EWATCH, 1, 0);
  ps_polled got = ps_poller_wait(p, -1, 0, NULL);
  assert_int_equal(sim_struck(), 1);
  assert_string_equal(said(got, c), "w");
  assert_string_equal(said(got, d), "w");
  freed(p, c, d);
}

static void a_child_makes_pollers_of_its_own(void **state) {
  (void)state;
  sim_process(1);
  ps_poller *p = make();
  ps_socket *c = sim_client();
  sim_fault(SIM_EMFILE, 1, 1); /* one queue is enough for each */
  add(p, c, "w");
  assert_string_equal(look(p, c), "w");
  freed(p, c, NULL);
}

/* Before it is connected it would be ready for everything. */
static void a_child_does_not_watch_what_waits_for_a_name(void **state) {
  (void)state;
  sim_host("slow.test", 2, "10.0.0.7");
  ps_poller *p = make();
  ps_socket *c = ps_tcp4().socket;
  begin_connect(c, "slow.test", NULL);
  add(p, c, "rw");
  sim_process(1);
  assert_string_equal(look(p, c), "");
  freed(p, c, NULL);
}

static void leave_it(void *call) { assert_int_equal(ps__turn_leave(call), -1); }

/* The wait of another thread has both turns while it looks whether the name is there: so
   the close cannot drop the attempt, and the free has to. */
static void a_socket_is_freed_while_a_wait_looks_at_its_name(void **state) {
  (void)state;
  sim_host("slow.test", 2, "10.0.0.7");
  ps_poller *p = make();
  ps_socket *c = ps_tcp4().socket;
  begin_connect(c, "slow.test", NULL);
  add(p, c, "rw");
  ps__call looking = {.self = c, .turn = PS__BOTH};
  assert_int_equal(ps__turn_enter(&looking), PS__ENTERED);
  sim_when_locked(leave_it, &looking);
  ps_socket_free(c, NULL);
  ps_poller_free(p);
}

/* ---- Faults ---- */

/* One that cannot be watched any more is tried again by each wait, which says why. */
static void a_failing_watch_is_told_by_the_wait(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = sim_client(), *d = sim_client(), *e = sim_client();
  sim_fault(SIM_EWATCH, 1, 0);
  assert_int_equal(ps_poller_add(p, of(c), "r", c).status.system, ENOSPC);
  assert_int_equal(ps_poller_count(p).size, 0);
  add(p, c, "r");
  sim_fault(SIM_EWATCH, 1, 0);
  sim_expect(ps_poller_modify(p, of(c), "rw", c), PS_NOMEMORY);
  sim_expect(ps_poller_wait(p, 1, 0, NULL), PS_TIMEOUT); /* nothing has changed */
  add(p, e, "r");
  int fd = ps_socket_detach(d).fd, old = ps_socket_getfd(c).fd;
  sim_fault(SIM_EWATCH, 1, 3);
  ps_socket_setfd(c, fd, NULL);
  assert_int_equal(ps_poller_wait(p, -1, 0, NULL).status.system, ENOSPC);
  sim_script(ps_socket_getfd(e).fd);
  sim_reads("e\n");
  assert_string_equal(look(p, e), "r"); /* others are told before */
  expect_line(e, NULL, "e");
  sim_fault(SIM_NO_FAULT, 0, 0);
  sim_script(fd);
  sim_reads("c\n");
  assert_string_equal(look(p, c), "r");
  sim_abandon(old);
  /* Another file with the same number. */
  sim_fault(SIM_EWATCH, 1, 0);
  ps_socket_setfd(c, fd, NULL);
  assert_int_equal(sim_struck(), 1);
  assert_string_equal(look(p, c), "r");
  ps_socket_free(d, NULL);
  freed(p, c, e);
}

static void without_memory_nothing_is_added(void **state) {
  (void)state;
  sim_host("slow.test", 2, "10.0.0.7");
  for (int kind = 0; kind < 3; kind++) {
    int failed = 0;
    for (int nth = 1, struck = 1; struck; nth++) {
      ps_poller *p = make();
      ps_socket *c = kind == 1 ? ps_tcp().socket : sim_client();
      ps_source it = kind == 2 ? number(ps_socket_getfd(c).fd) : of(c);
      if (kind == 1) begin_connect(c, "slow.test", NULL);
      sim_fault(SIM_ENOMEM, nth, 0);
      short code = ps_poller_add(p, it, "r", c).status.code;
      struck = sim_struck();
      sim_fault(SIM_NO_FAULT, 0, 0);
      assert_int_equal(code, struck ? PS_NOMEMORY : PS_OK);
      assert_int_equal(ps_poller_count(p).size, !struck);
      if (struck) sim_expect(ps_poller_add(p, it, "r", c), PS_OK);
      failed += struck;
      sim_expect(ps_poller_remove(p, it), PS_OK);
      freed(p, c, NULL);
    }
    assert_int_equal(failed, kind == 1 ? 2 : 3);
  }
  ps_poller *p = make();
  ps_socket *c = sim_client(), *d = sim_client();
  while (ps_socket_getfd(c).fd / 32 != ps_socket_getfd(d).fd / 32) {
    ps_socket_free(c, NULL);
    c = d;
    d = sim_client();
  }
  add(p, c, "r");
  sim_fault(SIM_ENOMEM, 1, 1);
  add(p, d, "r"); /* there is room for more than one */
  assert_int_equal(sim_struck(), 0);
  freed(p, c, d);
}

static void without_memory_to_follow_it_a_registration_ends(void **state) {
  (void)state;
  ps_poller *p = make();
  ps_socket *c = sim_client();
  add(p, c, "r");
  sim_expect(ps_poller_wait(p, 0, 0, NULL), PS_TIMEOUT);
  int old = ps_socket_getfd(c).fd, fd = old;
  while (fd / 32 == old / 32) {
    if (fd != old) sim_abandon(fd);
    fd = sim_adopt(4);
  }
  sim_fault(SIM_ENOMEM, 1, 0);
  ps_socket_setfd(c, fd, NULL);
  assert_int_equal(sim_struck(), 1);
  assert_int_equal(ps_poller_count(p).size, 0);
  sim_expect(ps_poller_wait(p, 1, 0, NULL), PS_NOMEMORY);
  sim_expect(ps_poller_wait(p, 1, 0, NULL), PS_TIMEOUT);
  add(p, c, "r");
  sim_abandon(old);
  freed(p, c, NULL);
}

static int failures;

/* Whatever fails is called again, as a program would. */
static int failed(ps_status status) {
  if (status.code == PS_OK) return 0;
  int expected = status.code == PS_NOMEMORY || status.code == PS_INTERRUPTED ||
                 status.code == PS_SYSTEM;
  if (!expected) print_error("failure %d\n", status.code);
  assert_true(expected);
  assert_true(++failures < 50);
  sim_fault(SIM_NO_FAULT, 0, 0);
  return 1;
}

static ps_polled wait_for(ps_poller *p, ps_host *host) {
  ps_polled got;
  do got = ps_poller_wait(p, 5, 0, host);
  while (failed(got.status));
  return got;
}

static short connect_again(ps_socket *c, ps_host *host) {
  ps_status status;
  do status = ps_socket_connect(c, "slow.test", port(80), host).status;
  while (status.code != PS_TIMEOUT && failed(status));
  return status.code;
}

static void receive_again(ps_socket *c, ps_host *host) {
  ps_bytes got;
  do got = ps_socket_receive(c, PS_LINE, none, 0, host);
  while (failed(got.status));
  sim_take(c, got, host);
}

static void add_again(ps_poller *p, ps_socket *c, const char *events) {
  while (failed(ps_poller_add(p, of(c), events, c).status)) {
  }
}

enum { MANY = 90 }; /* more than are asked for at first */

/* Goes through all that a poller does. all[0] receives, all[1] connects. */
static void converse(ps_socket *all[MANY], ps_host *host) {
  ps_pollerobject made;
  do made = ps_poller_make();
  while (failed(made.status));
  ps_poller *p = made.poller;
  void *token;
  assert_int_equal(ps_poller_ended(p, &token), 0);
  assert_int_equal(connect_again(all[1], host), PS_TIMEOUT);
  for (int i = 0; i < MANY; i++) add_again(p, all[i], "w");
  while (wait_for(p, host).count < MANY - 1) {
  }
  for (int i = 2; i < MANY; i++) ps_socket_free(all[i], host);
  while (failed(ps_poller_modify(p, of(all[0]), "r", all[0]).status)) {
  }
  assert_string_equal(said(wait_for(p, host), all[0]), "r");
  receive_again(all[0], host);
  assert_string_equal(said(wait_for(p, host), all[0]), "r");
  while (failed(ps_poller_remove(p, of(all[0])).status)) {
  }
  assert_string_equal(said(wait_for(p, host), all[1]), "w");
  while (connect_again(all[1], host) != PS_OK)
    assert_string_equal(said(wait_for(p, host), all[1]), "w");
  ps_socket_free(all[0], host);
  ps_socket_free(all[1], host);
  int ended = 0;
  while (ps_poller_ended(p, &token)) ended++;
  assert_int_equal(ended, MANY - 1);
  ps_poller_free(p);
}

static void every_step_may_fail(void **state) {
  (void)state;
  static const int faults[] = {SIM_NO_FAULT, SIM_ENOMEM, SIM_EMFILE,
                               SIM_EWATCH,   SIM_EINTR,  SIM_STOP};
  int tried = 0;
  for (int language = SIM_C; language < SIM_LANGUAGES; language++)
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
      for (int nth = 1, struck = 1; struck > 0; nth++) {
        sim_begin();
        ps_host *host = sim_language(language);
        sim_host("slow.test", 2, "10.0.0.7");
        ps_socket *all[MANY];
        for (int j = MANY - 1; j >= 0; j--)
          all[j] = j == 1 ? ps_tcp().socket : sim_client();
        sim_reads(sim_after(1), "x\ny\n");
        ps_socket_settimeout(all[1], 0, NULL);
        failures = 0;
        sim_fault(faults[i], nth, 0);
        converse(all, host);
        struck = sim_struck() + failures;
        tried += struck;
        sim_end();
      }
  assert_true(tried > 400);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      sim_test(a_registration_ends_with_its_socket),
      sim_test(a_removed_one_tells_anew),
      sim_test(a_socket_in_no_poller_takes_no_lock),
      sim_test(a_poller_is_told_once),
      sim_test(a_refused_detach_changes_nothing),
      sim_test(a_registration_follows_a_descriptor),
      sim_test(buffered_bytes_follow_with_their_socket),
      sim_test(another_family_is_another_file),
      sim_test(a_look_up_may_end_with_its_descriptor),
      sim_test(a_wake_ends_one_wait),
      sim_test(a_socket_is_added_while_another_thread_receives),
      sim_test(a_socket_that_is_closed_meanwhile_is_not_added),
      sim_test(an_event_is_for_the_registration_that_had_it),
      sim_test(nothing_watches_a_descriptor_that_is_being_replaced),
      sim_test(a_host_may_fork_when_it_is_asked),
      sim_test(a_queue_is_not_replaced_during_a_wait),
      sim_test(a_member_that_is_closed_lets_the_wait_go_on),
      sim_test(a_look_up_of_another_thread_is_noticed),
      sim_test(a_poller_that_is_closed_ends_its_wait),
      sim_test(ended_tokens_come_back),
      sim_test(many_ended_tokens_are_kept),
      sim_test(each_token_is_found),
      sim_test(a_member_costs_little),
      sim_test(a_child_has_a_queue_of_its_own),
      sim_test(a_child_tries_again_what_it_could_not_watch),
      sim_test(a_child_makes_pollers_of_its_own),
      sim_test(a_child_does_not_watch_what_waits_for_a_name),
      sim_test(a_socket_is_freed_while_a_wait_looks_at_its_name),
      sim_test(a_failing_watch_is_told_by_the_wait),
      sim_test(without_memory_nothing_is_added),
      sim_test(without_memory_to_follow_it_a_registration_ends),
      cmocka_unit_test(every_step_may_fail),
  };
  int failed = cmocka_run_group_tests_name("members", tests, NULL, NULL);
  return failed +
         cmocka_run_group_tests_name("members, from 0", tests, sim_number_0, NULL);
}
