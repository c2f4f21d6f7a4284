/* SPDX-License-Identifier: MIT */
/* core/select.c on the simulated system: which watches are marked, and how long it waits.
 */

#include "os_sim.h"

static ps_sockets set_of(ps_watch *watches, size_t count) {
  return (ps_sockets){watches, count};
}

static const ps_sockets nobody = {NULL, 0};

static void the_ready_ones_are_marked(void **state) {
  (void)state;
  ps_socket *a = sim_client(), *b = sim_client(), *s = sim_server();
  int fd_a = ps_socket_getfd(a).fd, fd_b = ps_socket_getfd(b).fd,
      fd_s = ps_socket_getfd(s).fd;
  ps_watch reads[] = {{fd_a, 0, 0, 0, NULL},
                      {fd_b, 0, 0, 1, NULL},
                      {fd_s, 0, 0, 0, NULL},
                      {-1, 0, 0, 1, NULL}};
  ps_watch writes[] = {{fd_a, 1, 0, 0, NULL}, {-1, 1, 0, 1, NULL}};
  sim_script(fd_a);
  sim_writes(sim_after(2), sim_takes(9));
  sim_reads(sim_after(1), "x");
  double start = sim_now();
  sim_expect(ps_select(set_of(reads, 4), set_of(writes, 2), 5, NULL), PS_OK);
  sim_expect_elapsed(start, 1);
  assert_int_equal(reads[0].ready, 1);
  assert_int_equal(reads[1].ready, 0);
  assert_int_equal(reads[2].ready, 0);
  assert_int_equal(reads[3].ready, 0);
  assert_int_equal(writes[0].ready, 0);
  sim_script(fd_s);
  sim_accepts(sim_comes);
  sim_pass(1);
  sim_expect(ps_select(set_of(reads, 4), set_of(writes, 2), 5, NULL), PS_OK);
  assert_int_equal(reads[2].ready, 1);
  assert_int_equal(writes[0].ready, 1);
  assert_int_equal(writes[1].ready, 0);
  ps_socket_free(a, NULL);
  ps_socket_free(b, NULL);
  ps_socket_free(s, NULL);
}

static void nothing_in_time_is_a_timeout(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  ps_watch reads[] = {{ps_socket_getfd(c).fd, 0, 0, 1, NULL}};
  double start = sim_now();
  sim_expect(ps_select(set_of(reads, 1), nobody, 0.25, NULL), PS_TIMEOUT);
  sim_expect_elapsed(start, 0.25);
  assert_int_equal(reads[0].ready, 0);
  start = sim_now();
  sim_expect(ps_select(set_of(reads, 1), nobody, 0, NULL), PS_TIMEOUT);
  sim_expect_elapsed(start, 0);
  sim_expect(ps_select(nobody, nobody, 1.5, NULL), PS_TIMEOUT);
  sim_expect_elapsed(start, 1.5);
  ps_socket_free(c, NULL);
}

/* A foreign object has bytes, and a descriptor that is none: it ends no wait. */
static void what_has_no_descriptor_is_waited_for_once(void **state) {
  (void)state;
  ps_watch reads[] = {{SIM_NO_DESCRIPTOR, 0, 1, 0, NULL}};
  double start = sim_now();
  sim_expect(ps_select(set_of(reads, 1), nobody, 0.25, NULL), PS_TIMEOUT);
  sim_expect_elapsed(start, 0.25);
  assert_int_equal(sim_polls(), 2);
}

static void without_a_limit_it_waits_on(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  ps_watch reads[] = {{ps_socket_getfd(c).fd, 0, 0, 0, NULL}};
  static const double values[] = {-1, INFINITY, -INFINITY, 1e300};
  for (int i = 0; i < 4; i++) {
    sim_reads(sim_after(1000), "x");
    sim_expect(ps_select(set_of(reads, 1), nobody, values[i], NULL), PS_OK);
    assert_int_equal(reads[0].ready, 1);
    ps_socket_receiveany(c, 0, NULL);
  }
  ps_socket_free(c, NULL);
}

static void a_buffered_one_makes_it_look_without_waiting(void **state) {
  (void)state;
  ps_socket *a = sim_client(), *b = sim_client();
  sim_reads("x");
  ps_watch reads[] = {{ps_socket_getfd(a).fd, 0, 1, 0, NULL},
                      {ps_socket_getfd(b).fd, 0, 0, 0, NULL}};
  double start = sim_now();
  sim_expect(ps_select(set_of(reads, 2), nobody, -1, NULL), PS_OK);
  assert_int_equal(reads[1].ready, 1);
  ps_socket_receiveany(b, 0, NULL);
  sim_expect(ps_select(set_of(reads, 2), nobody, -1, NULL), PS_OK);
  assert_int_equal(reads[1].ready, 0);
  sim_expect(ps_select(set_of(reads, 2), nobody, 0, NULL), PS_OK);
  sim_expect_elapsed(start, 0);
  ps_socket_free(a, NULL);
  ps_socket_free(b, NULL);
}

static void a_socket_brings_what_it_has(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_HOLD);
  ps_socket *a = sim_client(), *b = sim_client(), *m = ps_tcp().socket;
  sim_script(ps_socket_getfd(a).fd);
  sim_reads("one\ntwo");
  sim_expect_bytes(a, ps_socket_receive(a, PS_LINE, (ps_prefix){NULL, 0}, 0, host), PS_OK,
                   "one");
  ps_watch reads[] = {
      {-1, 0, 0, 1, a}, {-1, 0, 1, 1, b}, {-1, 0, 0, 1, m}, {7, 0, 0, 1, b}};
  ps_watch writes[] = {{-1, 1, 0, 0, a}};
  sim_script(ps_socket_getfd(b).fd);
  sim_reads(sim_after(1), "x");
  sim_script(ps_socket_getfd(a).fd);
  sim_writes(sim_after(2), sim_takes(9));
  double start = sim_now();
  sim_expect(ps_select(set_of(reads, 4), set_of(writes, 1), 5, host), PS_OK);
  sim_expect_elapsed(start, 0);
  assert_int_equal(reads[0].ready, 1);
  for (int i = 1; i < 4; i++) assert_int_equal(reads[i].ready, 0);
  sim_expect(ps_select(set_of(reads + 1, 3), nobody, 5, host), PS_OK);
  sim_expect_elapsed(start, 1);
  assert_int_equal(reads[1].ready + reads[3].ready, 2);
  sim_pass(1);
  sim_expect(ps_select(nobody, set_of(writes, 1), 5, host), PS_OK);
  assert_int_equal(writes[0].buffered, 0); /* what it has is nothing to send */
  ps_socket_close(b, NULL);
  sim_expect(ps_select(set_of(reads + 1, 3), nobody, 0.5, host), PS_TIMEOUT);
  sim_expect_elapsed(start, 2.5);
  ps_socket_free(a, NULL);
  ps_socket_free(b, NULL);
  ps_socket_free(m, NULL);
}

/* Else a loop would turn round and round, and receive nothing. */
static void half_a_line_that_stays_is_nothing_new(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_HOLD);
  ps_socket *a = sim_client();
  ps_watch reads[] = {{-1, 0, 0, 0, a}};
  ps_socket_settimeout(a, 0, NULL);
  sim_script(ps_socket_getfd(a).fd);
  sim_reads("ha");
  sim_expect(ps_socket_next(a, PS_LINE, 0, host), PS_TIMEOUT);
  assert_int_equal(ps_socket_pending(a).size, 2);
  double start = sim_now();
  sim_expect(ps_select(set_of(reads, 1), nobody, 1, host), PS_TIMEOUT);
  sim_expect_elapsed(start, 1);
  sim_expect_bytes(a, ps_socket_receive(a, PS_COUNT(1), (ps_prefix){NULL, 0}, 0, host),
                   PS_OK, "h");
  sim_expect(ps_select(set_of(reads, 1), nobody, 1, host), PS_OK);
  sim_expect_elapsed(start, 1);
  ps_socket_free(a, NULL);
}

static void close_it(void *socket) { ps_socket_close(socket, NULL); }

static void a_close_ends_the_wait(void **state) {
  (void)state;
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    ps_host *host = sim_language(language);
    ps_socket *a = sim_client(), *b = sim_client();
    ps_watch reads[] = {{-1, 0, 0, 0, a}, {-1, 0, 0, 0, b}, {-1, 0, 0, 0, a}};
    ps_watch writes[] = {{-1, 1, 0, 0, a}};
    sim_script(ps_socket_getfd(a).fd);
    sim_writes(sim_after(9), sim_takes(9));
    int before = sim_descriptors();
    double start = sim_now();
    sim_later(0.5, close_it, a);
    sim_expect(ps_select(set_of(reads, 3), set_of(writes, 1), 5, host), PS_CLOSED);
    sim_expect_elapsed(start, 0.5);
    assert_int_equal(reads[0].ready + reads[2].ready + writes[0].ready, 0);
    assert_int_equal(sim_descriptors(), before - 1);
    ps_socket_free(a, NULL);
    ps_socket_free(b, NULL);
  }
}

static void a_close_leaves_the_others_ready(void **state) {
  (void)state;
  for (int writable = 0; writable < 2; writable++) {
    ps_socket *a = sim_client(), *b = sim_client();
    ps_watch both[] = {{-1, 0, 0, 0, b}, {-1, 0, 0, 0, a}};
    sim_script(ps_socket_getfd(b).fd);
    sim_reads(sim_after(0.5), "x");
    sim_writes(sim_after(0.5), sim_takes(1));
    sim_script(ps_socket_getfd(a).fd);
    sim_reads(sim_after(0.5), "x"); /* too late */
    sim_writes(sim_after(0.5), sim_takes(1));
    sim_later(0.5, close_it, a);
    ps_sockets set = set_of(both, 2);
    sim_expect(
        writable ? ps_select(nobody, set, 5, NULL) : ps_select(set, nobody, 5, NULL),
        PS_OK);
    assert_int_equal(both[0].ready, 1);
    assert_int_equal(both[1].ready, 0);
    ps_socket_free(a, NULL);
    ps_socket_free(b, NULL);
  }
}

static ps_socket *closed_meanwhile;
static void close_meanwhile(ps_host *host) {
  (void)host;
  sim_pass(0.1);
  ps_socket_close(closed_meanwhile, NULL);
}

/* A signal has ended the wait; before the thread goes on, one member is closed, and
   another one is ready. */
static void a_close_after_a_signal_hides_nobody(void **state) {
  (void)state;
  ps_host host = {.enter = close_meanwhile};
  for (int foreign = 0; foreign < 2; foreign++) {
    ps_socket *a = sim_client(), *b = sim_client();
    ps_watch reads[] = {{-1, 0, 0, 0, a}, {-1, 0, 0, 0, b}};
    if (foreign) reads[1] = (ps_watch){ps_socket_getfd(b).fd, 0, 0, 0, NULL};
    sim_reads(sim_after(0.55), "x");
    closed_meanwhile = a;
    sim_signal(0.5);
    sim_expect(ps_select(set_of(reads, 2), nobody, 5, &host), PS_OK);
    assert_int_equal(reads[0].ready, 0);
    assert_int_equal(reads[1].ready, 1);
    ps_socket_free(a, NULL);
    ps_socket_free(b, NULL);
  }
}

static void a_closed_one_is_left_alone(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  int fd = sim_adopt(4);
  ps_socket_close(c, NULL);
  ps_watch watch = {-1, 0, 0, 0, c};
  sim_expect(ps_select(set_of(&watch, 1), nobody, 0, NULL), PS_TIMEOUT);
  /* No call of it is left over, which would keep the descriptor. */
  ps_socket_setfd(c, fd, NULL);
  ps_socket_close(c, NULL);
  assert_int_equal(sim_descriptors(), 0);
  ps_socket_free(c, NULL);
}

static void signals_have_their_turn(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  double start = sim_now();
  sim_signal(0.5);
  sim_expect(ps_select(nobody, nobody, 1, host), PS_TIMEOUT);
  sim_expect_elapsed(start, 1);
  assert_int_equal(sim_questions(), 1);
  start = sim_now();
  sim_stop();
  sim_signal(0.5);
  sim_expect(ps_select(nobody, nobody, 1, host), PS_INTERRUPTED);
  sim_expect_elapsed(start, 0.5);
}

static void many_watches_may_be_the_same_socket(void **state) {
  (void)state;
  enum { MANY = 5000 };
  static ps_watch watches[MANY];
  ps_socket *c = sim_client();
  for (int i = 0; i < MANY; i++) watches[i] = (ps_watch){-1, 0, 0, 0, c};
  sim_reads(sim_after(1), "x");
  sim_expect(ps_select(set_of(watches, MANY), nobody, 5, NULL), PS_OK);
  for (int i = 0; i < MANY; i++) assert_int_equal(watches[i].ready, 1);
  sim_expect_bytes(c, ps_socket_receiveany(c, 0, NULL), PS_OK, "x");
  sim_later(1, close_it, c);
  sim_expect(ps_select(set_of(watches, MANY), nobody, 5, NULL), PS_CLOSED);
  assert_int_equal(sim_descriptors(), 0);
  ps_socket_free(c, NULL);
}

static void only_readers_have_buffers(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  sim_writes(sim_after(9), sim_takes(1));
  int fd = ps_socket_getfd(c).fd;
  ps_watch writer = {fd, 0, 1, 0, NULL}, reader = {fd, 0, 2, 0, NULL};
  sim_expect(ps_select(nobody, set_of(&writer, 1), 0, NULL), PS_TIMEOUT);
  sim_expect(ps_select(set_of(&reader, 1), nobody, 0, NULL), PS_OK);
  ps_socket_free(c, NULL);
}

static void a_child_waits_for_what_it_has_inherited(void **state) {
  (void)state;
  ps_socket *a = sim_client(), *b = sim_client();
  ps_watch reads[] = {{-1, 0, 0, 0, a}, {-1, 0, 0, 0, b}};
  sim_reads(sim_after(1), "x");
  sim_process(1);
  sim_expect(ps_select(set_of(reads, 2), nobody, 0.5, NULL), PS_TIMEOUT);
  sim_expect(ps_select(set_of(reads, 2), nobody, 5, NULL), PS_OK);
  assert_int_equal(reads[0].ready, 0);
  assert_int_equal(reads[1].ready, 1);
  assert_int_equal(reads[0].buffered + reads[1].buffered, 0);
  ps_socket_free(a, NULL);
  ps_socket_free(b, NULL);
}

/* ---- What the host does between two looks ---- */

static ps_socket *member;
static int other;

static void close_member(void *context) {
  (void)context;
  ps_socket_close(member, NULL);
  assert_int_equal(sim_descriptors(), 1);
}

static void replace_member(void *context) {
  (void)context;
  ps_socket_setfd(member, other, NULL);
}

static void detach_member(void *context) {
  *(int *)context = ps_socket_detach(member).fd;
}

static void a_host_may_close_a_member_between_two_looks(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  ps_socket *c = sim_client();
  member = sim_client();
  ps_watch reads[] = {{-1, 0, 0, 0, c}, {-1, 0, 0, 0, member}};
  sim_script(ps_socket_getfd(c).fd);
  sim_reads(sim_after(2), "x");
  sim_signal(1);
  sim_when_asked(close_member, NULL);
  double start = sim_now();
  sim_expect(ps_select(set_of(reads, 2), nobody, -1, host), PS_CLOSED);
  sim_expect_elapsed(start, 1);
  assert_int_equal(atomic_load(&member->state), PS__CLOSED); /* it has left it once */
  /* It is no member of the next one. */
  sim_expect(ps_select(set_of(reads, 2), nobody, -1, host), PS_OK);
  sim_expect_elapsed(start, 2);
  assert_int_equal(reads[0].ready, 1);
  assert_int_equal(reads[0].buffered + reads[1].buffered, 0);
  ps_socket_free(c, NULL);
  ps_socket_free(member, NULL);
}

static void a_host_may_replace_a_member_between_two_looks(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  ps_socket *c = sim_client();
  sim_reads(sim_after(2), "x");
  other = ps_socket_detach(c).fd;
  ps_socket_free(c, NULL);
  member = sim_client();
  int old = ps_socket_getfd(member).fd;
  ps_watch reads[] = {{-1, 0, 0, 0, member}};
  sim_signal(1);
  sim_when_asked(replace_member, NULL);
  double start = sim_now();
  sim_expect(ps_select(set_of(reads, 1), nobody, 5, host), PS_OK);
  sim_expect_elapsed(start, 2);
  assert_int_equal(reads[0].fd, other);
  ps_socket_free(member, NULL);
  sim_abandon(old);
}

static void a_host_may_detach_a_member_between_two_looks(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  member = sim_client();
  int fd = -1;
  ps_watch reads[] = {{-1, 0, 0, 0, member}};
  sim_signal(1);
  sim_when_asked(detach_member, &fd);
  sim_expect(ps_select(set_of(reads, 1), nobody, 2, host), PS_CLOSED);
  ps_socket_free(member, NULL);
  sim_abandon(fd);
}

/* The object is another's for a moment, and then a member again. */
static ps__call setting;

static void open_the_door(void *context) {
  (void)context;
  assert_int_equal(ps__turn_replaced(&setting, 0), -1);
  ps__os_wake();
}

static void a_member_that_is_being_replaced_comes_back(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  sim_reads("x");
  setting = (ps__call){.self = c};
  assert_int_equal(ps__turn_replace(&setting), PS__ENTERED);
  ps_watch reads[] = {{-1, 0, 0, 0, c}};
  sim_later(1, open_the_door, NULL);
  sim_expect(ps_select(set_of(reads, 1), nobody, 5, NULL), PS_OK);
  ps_socket_free(c, NULL);
}

static void shut_the_door(void *context) {
  (void)context;
  assert_int_equal(ps__turn_replace(&setting), PS__ENTERED);
}

static void a_member_that_is_replaced_between_two_looks_is_not_closed(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  ps_socket *c = sim_client();
  setting = (ps__call){.self = c};
  ps_watch reads[] = {{-1, 0, 0, 0, c}}, writes[] = {{-1, 0, 0, 0, c}};
  sim_writes(sim_after(3), sim_takes(1));
  sim_signal(1);
  sim_when_asked(shut_the_door, NULL);
  sim_later(2, open_the_door, NULL);
  double start = sim_now();
  sim_expect(ps_select(set_of(reads, 1), set_of(writes, 1), 9, host), PS_OK);
  sim_expect_elapsed(start, 3);
  assert_int_equal(writes[0].ready, 1);
  assert_int_equal(atomic_load(&c->state), 0);
  ps_socket_free(c, NULL);
}

/* ---- Names ---- */

static void what_waits_for_a_name_is_a_member_among_others(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    ps_host *host = sim_language(language);
    ps_socket *m = ps_tcp().socket, *c = sim_client();
    ps_socket_settimeout(m, 0, NULL);
    sim_expect(ps_socket_connect(m, "slow.test", (ps_port){NULL, 80}, host), PS_TIMEOUT);
    sim_writes(sim_after(9), sim_takes(1));
    ps_watch reads[] = {{-1, 0, 0, 0, m}, {-1, 0, 0, 0, c}};
    ps_watch writes[] = {{-1, 0, 0, 0, m}, {-1, 0, 0, 0, c}, {-1, 0, 0, 0, m}};
    double start = sim_now();
    sim_expect(ps_select(set_of(reads, 2), set_of(writes, 3), 0.5, host), PS_TIMEOUT);
    sim_expect_elapsed(start, 0.5);
    sim_expect(ps_select(set_of(reads, 2), set_of(writes, 3), 5, host), PS_OK);
    assert_true(sim_now() - start < 1.1);
    assert_int_equal(writes[0].ready + writes[2].ready, 2);
    assert_int_equal(writes[1].ready + reads[0].ready + reads[1].ready, 0);
    sim_expect(ps_socket_connect(m, "slow.test", (ps_port){NULL, 80}, host), PS_TIMEOUT);
    sim_expect(ps_socket_connect(m, "slow.test", (ps_port){NULL, 80}, host), PS_OK);
    ps_socket_free(m, NULL);
    ps_socket_free(c, NULL);
  }
}

/* An unconnected descriptor would be ready for everything at once. */
static void what_waits_for_a_name_is_ready_for_nothing_before(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  ps_socket *m = ps_tcp4().socket;
  ps_socket_settimeout(m, 0, NULL);
  sim_expect(ps_socket_connect(m, "slow.test", (ps_port){NULL, 80}, NULL), PS_TIMEOUT);
  ps_watch reads[] = {{-1, 0, 0, 0, m}}, writes[] = {{-1, 0, 0, 0, m}};
  sim_expect(ps_select(set_of(reads, 1), set_of(writes, 1), 0.5, NULL), PS_TIMEOUT);
  sim_expect(ps_select(set_of(reads, 1), set_of(writes, 1), 5, NULL), PS_OK);
  assert_int_equal(reads[0].ready, 0);
  assert_int_equal(writes[0].ready, 1);
  ps_socket_free(m, NULL);
}

/* A program of one thread, as Lua is: nobody but a helper thread can wake it. */
static void a_host_that_nobody_wakes_hears_of_names(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  ps_host host = {.mode = PS_HOST_HOLD};
  ps_socket *m = ps_tcp().socket, *c = sim_client();
  ps_watch reads[] = {{-1, 0, 0, 0, c}}, writes[] = {{-1, 0, 0, 0, m}};
  ps_socket_settimeout(m, 0, NULL);
  sim_expect(ps_select(set_of(reads, 1), set_of(writes, 1), 0, &host), PS_TIMEOUT);
  sim_expect(ps_socket_connect(m, "slow.test", (ps_port){NULL, 80}, &host), PS_TIMEOUT);
  double start = sim_now();
  sim_expect(ps_select(set_of(reads, 1), set_of(writes, 1), -1, &host), PS_OK);
  assert_true(sim_now() - start < 1.1);
  assert_int_equal(writes[0].ready, 1);
  assert_int_equal(atomic_load(&c->state), 0);
  ps_socket_free(m, NULL);
  ps_socket_free(c, NULL);
}

static void connect_it(void *socket) {
  sim_thread(2);
  sim_expect(ps_socket_connect(socket, "10.0.0.1", (ps_port){NULL, 80}, NULL), PS_OK);
  sim_thread(1);
}

static void bind_it(void *socket) {
  sim_thread(2);
  sim_expect(ps_socket_bind(socket, "10.0.0.1", (ps_port){NULL, 8000}, NULL), PS_OK);
  sim_thread(1);
}

/* Whether the other thread had a name to resolve, or the object nothing to do before. */
static void a_descriptor_that_another_thread_opens_is_waited_for(void **state) {
  (void)state;
  for (int way = 0; way < 3; way++) {
    ps_socket *m = ps_tcp().socket;
    ps_watch writes[] = {{-1, 0, 0, 0, m}};
    if (way == 2) {
      sim_host("slow.test", 9, "10.0.0.2");
      ps_socket_settimeout(m, 0, NULL);
      sim_expect(ps_socket_connect(m, "slow.test", (ps_port){NULL, 80}, NULL),
                 PS_TIMEOUT);
      ps_socket_settimeout(m, -1, NULL);
    }
    sim_later(1, way == 1 ? bind_it : connect_it, m);
    double start = sim_now();
    sim_expect(ps_select(nobody, set_of(writes, 1), 5, NULL), PS_OK);
    sim_expect_elapsed(start, 1);
    assert_int_equal(writes[0].ready, 1);
    ps_socket_free(m, NULL);
  }
}

static void resolve_it(void *context) {
  (void)context;
  sim_pass(1);
}

/* Its helper thread wakes nobody then. */
static void a_name_may_be_resolved_before_the_wait_begins(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  for (int holds = 0; holds < 2; holds++) {
    ps_host host = {.mode = PS_HOST_HOLD};
    ps_socket *m = ps_tcp().socket;
    ps_watch writes[] = {{-1, 0, 0, 0, m}};
    ps_socket_settimeout(m, 0, NULL);
    sim_expect(ps_socket_connect(m, "slow.test", (ps_port){NULL, 80}, NULL), PS_TIMEOUT);
    sim_when_begun(resolve_it, NULL);
    double start = sim_now();
    sim_expect(ps_select(nobody, set_of(writes, 1), 9, holds ? &host : NULL), PS_OK);
    sim_expect_elapsed(start, 1);
    assert_int_equal(writes[0].ready, 1);
    ps_socket_free(m, NULL);
  }
}

static void not_a_number_is_misuse(void **state) {
  (void)state;
  ps_status status = ps_select(nobody, nobody, NAN, NULL).status;
  assert_int_equal(status.code, PS_MISUSE_NAN);
  assert_int_equal(status.argument, 3);
}

static void a_failing_wait_is_told(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  sim_poll_fails(1, EPERM); /* the least number that there is */
  assert_int_equal(ps_select(nobody, nobody, 1, host).status.system, EPERM);
  ps_watch idle = {-1, 0, 0, 1, NULL};
  sim_poll_fails(1, ENOMEM);
  sim_expect(ps_select(set_of(&idle, 1), nobody, 1, host), PS_NOMEMORY);
  assert_int_equal(idle.ready, 0);
  sim_poll_fails(1, EIO);
  ps_status status = ps_select(nobody, nobody, 1, host).status;
  assert_int_equal(status.code, PS_SYSTEM);
  assert_int_equal(status.system, EIO);
  /* Also when one is ready without it. */
  ps_socket *c = sim_client();
  ps_watch watch = {ps_socket_getfd(c).fd, 0, 1, 0, NULL};
  sim_poll_fails(1, EPERM);
  assert_int_equal(ps_select(set_of(&watch, 1), nobody, 1, host).status.system, EPERM);
  ps_socket_free(c, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      sim_test(the_ready_ones_are_marked),
      sim_test(nothing_in_time_is_a_timeout),
      sim_test(what_has_no_descriptor_is_waited_for_once),
      sim_test(without_a_limit_it_waits_on),
      sim_test(a_buffered_one_makes_it_look_without_waiting),
      sim_test(a_socket_brings_what_it_has),
      sim_test(half_a_line_that_stays_is_nothing_new),
      sim_test(a_close_ends_the_wait),
      sim_test(a_close_leaves_the_others_ready),
      sim_test(a_close_after_a_signal_hides_nobody),
      sim_test(a_closed_one_is_left_alone),
      sim_test(signals_have_their_turn),
      sim_test(many_watches_may_be_the_same_socket),
      sim_test(only_readers_have_buffers),
      sim_test(a_child_waits_for_what_it_has_inherited),
      sim_test(a_host_may_close_a_member_between_two_looks),
      sim_test(a_host_may_replace_a_member_between_two_looks),
      sim_test(a_host_may_detach_a_member_between_two_looks),
      sim_test(a_member_that_is_being_replaced_comes_back),
      sim_test(a_member_that_is_replaced_between_two_looks_is_not_closed),
      sim_test(what_waits_for_a_name_is_a_member_among_others),
      sim_test(what_waits_for_a_name_is_ready_for_nothing_before),
      sim_test(a_host_that_nobody_wakes_hears_of_names),
      sim_test(a_descriptor_that_another_thread_opens_is_waited_for),
      sim_test(a_name_may_be_resolved_before_the_wait_begins),
      sim_test(not_a_number_is_misuse),
      sim_test(a_failing_wait_is_told),
  };
  int failed = cmocka_run_group_tests_name("select", tests, NULL, NULL);
  return failed +
         cmocka_run_group_tests_name("select, from 0", tests, sim_number_0, NULL);
}
