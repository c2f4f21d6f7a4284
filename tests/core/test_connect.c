/* SPDX-License-Identifier: MIT */
/* core/connect.c on the simulated system: progress by name in calls that are too short,
   and what becomes of an attempt when something else is done to the object. */

#include "os_sim.h"

static const ps_prefix none = {NULL, 0};

static ps_status connect_to(ps_socket *m, const char *address) {
  return ps_socket_connect(m, address, (ps_port){NULL, 80}, NULL).status;
}

static ps_socket *impatient(double limit) {
  ps_socket *made = ps_tcp().socket;
  ps_socket_settimeout(made, limit, NULL);
  return made;
}

#define expect_code(status_, code_) sim_expect(((ps_done){status_}), code_)
#define expect_kind(socket, kind) \
  assert_string_equal(ps_socket_getkind(socket).text, kind)
#define expect_peer(socket, address) \
  assert_string_equal(ps_socket_getpeername(socket).ip, address)

static int is_writable(ps_socket *socket, double seconds) {
  ps_watch watch = {-1, 1, 0, 0, socket};
  ps_status status =
      ps_select((ps_sockets){NULL, 0}, (ps_sockets){&watch, 1}, seconds, NULL).status;
  assert_int_equal(status.code, watch.ready ? PS_OK : PS_TIMEOUT);
  return watch.ready;
}

/* ---- Progress ---- */

static void short_calls_make_progress(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  sim_route("10.0.0.1", 1, 0);
  static const double limits[] = {0, 0.001, 0.1};
  for (int i = 0; i < 3; i++) {
    int before = sim_lookups(), calls = 0;
    double start = sim_now();
    ps_socket *m = impatient(limits[i]);
    while (connect_to(m, "slow.test").code == PS_TIMEOUT) {
      assert_string_equal(ps_socket_wants(m).direction, "w");
      sim_pass(0.05);
      assert_true(++calls < 100);
    }
    assert_null(ps_socket_wants(m).direction);
    expect_peer(m, "10.0.0.1");
    assert_int_equal(sim_lookups() - before, 1);
    assert_true(sim_now() - start < 2.3);
    ps_socket_free(m, NULL);
  }
}

static void the_time_of_the_name_makes_it_a_client_once_there_is_an_address(
    void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  sim_route("10.0.0.1", 1, 0);
  ps_socket *m = impatient(0);
  expect_code(connect_to(m, "slow.test"), PS_TIMEOUT);
  expect_kind(m, "master");
  assert_int_equal(sim_descriptors(), 0);
  assert_false(is_writable(m, 0));
  assert_true(is_writable(m, -1));
  expect_code(connect_to(m, "slow.test"), PS_TIMEOUT);
  expect_kind(m, "client");
  assert_false(is_writable(m, 0));
  assert_true(is_writable(m, -1));
  expect_code(connect_to(m, "slow.test"), PS_OK);
  ps_socket_free(m, NULL);
}

static void a_name_that_fails_is_told_by_a_later_call(void **state) {
  (void)state;
  sim_host_fails("none.test", 1, PS_NONAME);
  ps_socket *m = impatient(0);
  expect_code(connect_to(m, "none.test"), PS_TIMEOUT);
  assert_true(is_writable(m, -1));
  expect_code(connect_to(m, "none.test"), PS_NONAME);
  expect_kind(m, "master");
  expect_code(connect_to(m, "10.0.0.1"), PS_TIMEOUT);
  expect_code(connect_to(m, "10.0.0.1"), PS_OK);
  ps_socket_free(m, NULL);
}

/* The limit of the call ends exactly when an address fails: it is not tried again. */
static void the_next_address_is_for_the_next_call(void **state) {
  (void)state;
  sim_host("two.test", 0, "10.0.0.1 10.0.0.2");
  sim_route("10.0.0.1", 1, ECONNREFUSED);
  sim_route("10.0.0.2", 0.5, 0);
  ps_socket *m = ps_tcp().socket;
  ps_socket_settimeout(m, 1, "t");
  expect_code(connect_to(m, "two.test"), PS_TIMEOUT);
  double start = sim_now();
  expect_code(connect_to(m, "two.test"), PS_OK);
  sim_expect_elapsed(start, 0.5);
  expect_peer(m, "10.0.0.2");
  ps_socket_free(m, NULL);
}

static void another_thread_does_not_see_a_name_that_is_waited_for(void *socket) {
  sim_thread(2);
  assert_false(is_writable(socket, 0));
  sim_thread(1);
}

/* The call that waits collects the answer; for another thread there is no news. */
static void a_connect_under_way_is_no_news(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  sim_route("10.0.0.1", 1, 0);
  ps_socket *m = ps_tcp().socket;
  sim_later(0.5, another_thread_does_not_see_a_name_that_is_waited_for, m);
  sim_later(1, another_thread_does_not_see_a_name_that_is_waited_for, m);
  expect_code(connect_to(m, "slow.test"), PS_OK);
  assert_true(is_writable(m, 0));
  ps_socket_free(m, NULL);
}

/* It waits for nothing then: somebody has stopped it. */
static void a_stopped_name_wants_nothing(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  sim_host("slow.test", 1, "10.0.0.1");
  ps_socket *m = ps_tcp().socket;
  sim_stop();
  sim_expect(ps_socket_connect(m, "slow.test", (ps_port){NULL, 80}, host),
             PS_INTERRUPTED);
  assert_null(ps_socket_wants(m).direction);
  ps_socket_free(m, NULL);
}

/* On loopback a connection is often there at once: then the language is not left. */
static void a_connection_that_is_there_is_not_waited_for(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  ps_socket *m = ps_tcp().socket;
  sim_expect(ps_socket_connect(m, "10.0.0.1", (ps_port){NULL, 80}, host), PS_OK);
  assert_int_equal(sim_leaves(), 0);
  ps_socket_free(m, NULL);
}

/* The connection came and went between two calls, and the program has read the error. */
static void bytes_of_a_connection_that_has_failed_are_gone(void **state) {
  (void)state;
  sim_route("10.0.0.1", 1, 0);
  ps_socket *m = impatient(0);
  expect_code(connect_to(m, "10.0.0.1"), PS_TIMEOUT);
  sim_reads("one\nrest");
  sim_pass(2);
  sim_expect_bytes(m, ps_socket_receive(m, PS_LINE, none, 0, NULL), PS_OK, "one");
  assert_int_equal(ps_socket_pending(m).size, 4);
  sim_forget_peer();
  assert_int_equal(connect_to(m, "10.0.0.1").system, ENOTCONN);
  expect_kind(m, "master");
  assert_int_equal(ps_socket_pending(m).size, 0);
  expect_code(connect_to(m, "10.0.0.2"), PS_TIMEOUT);
  expect_code(connect_to(m, "10.0.0.2"), PS_OK);
  sim_expect_bytes(m, ps_socket_receiveany(m, 0, NULL), PS_TIMEOUT, "");
  ps_socket_free(m, NULL);
}

/* ---- Another target ---- */

static void another_target_drops_the_attempt(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  sim_route("10.0.0.2", 1, 0);
  static const char *const first[] = {"slow.test", "10.0.0.2"};
  for (int i = 0; i < 2; i++)
    for (int answered = 0; answered < 2; answered++) {
      ps_socket *m = impatient(0);
      expect_code(connect_to(m, first[i]), PS_TIMEOUT);
      if (answered) sim_pass(5);
      expect_code(connect_to(m, "10.0.0.3"), PS_TIMEOUT);
      expect_code(connect_to(m, "10.0.0.3"), PS_OK);
      expect_peer(m, "10.0.0.3");
      assert_int_equal(sim_descriptors(), 1);
      ps_socket_free(m, NULL);
    }
}

static void another_port_is_another_target(void **state) {
  (void)state;
  sim_route("10.0.0.1", 1, 0);
  ps_socket *m = impatient(0);
  expect_code(connect_to(m, "10.0.0.1"), PS_TIMEOUT);
  sim_pass(2);
  sim_expect(ps_socket_connect(m, "10.0.0.1", (ps_port){"81", 0}, NULL), PS_TIMEOUT);
  sim_pass(2);
  sim_expect(ps_socket_connect(m, "10.0.0.1", (ps_port){NULL, 81}, NULL), PS_OK);
  assert_int_equal(ps_socket_getpeername(m).port, 81);
  ps_socket_free(m, NULL);
}

/* The first one was connected after all, and has sent something. */
static void bytes_of_the_first_target_are_not_the_seconds(void **state) {
  (void)state;
  sim_route("10.0.0.1", 1, 0);
  ps_socket *m = impatient(0);
  expect_code(connect_to(m, "10.0.0.1"), PS_TIMEOUT);
  sim_reads("one\nof the first");
  sim_pass(2);
  sim_expect_bytes(m, ps_socket_receive(m, PS_LINE, none, 0, NULL), PS_OK, "one");
  expect_code(connect_to(m, "10.0.0.2"), PS_TIMEOUT);
  assert_int_equal(ps_socket_pending(m).size, 0);
  expect_code(connect_to(m, "10.0.0.2"), PS_OK);
  sim_expect_bytes(m, ps_socket_receiveany(m, 0, NULL), PS_TIMEOUT, "");
  ps_socket_free(m, NULL);
}

static void a_target_without_memory_leaves_a_master(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  for (int nth = 1; nth <= 2; nth++) {
    ps_socket *m = impatient(0);
    expect_code(connect_to(m, "10.0.0.1"), PS_TIMEOUT);
    sim_fault(SIM_ENOMEM, nth, 0);
    expect_code(connect_to(m, "slow.test"), PS_NOMEMORY);
    sim_fault(SIM_NO_FAULT, 0, 0);
    expect_kind(m, "master");
    expect_code(connect_to(m, "10.0.0.2"), PS_TIMEOUT);
    expect_code(connect_to(m, "10.0.0.2"), PS_OK);
    ps_socket_free(m, NULL);
  }
}

/* ---- What else is done meanwhile ---- */

static void bind_it(ps_socket *m) {
  sim_expect(ps_socket_bind(m, "10.0.0.9", (ps_port){NULL, 0}, NULL), PS_OK);
}

static void bind_in_vain(ps_socket *m) {
  sim_expect(ps_socket_bind(m, "10.0.0.9", (ps_port){NULL, 81}, NULL), PS_INUSE);
}

static void listen_it(ps_socket *m) {
  bind_it(m);
  sim_expect(ps_socket_listen(m, 5), PS_OK);
  expect_kind(m, "server");
}

static void close_it(ps_socket *m) { sim_expect(ps_socket_close(m, NULL), PS_OK); }

static void detach_it(ps_socket *m) { sim_expect(ps_socket_detach(m), PS_UNDECIDED); }

static void replace_it(ps_socket *m) {
  sim_expect(ps_socket_setfd(m, sim_adopt(4), NULL), PS_OK);
  assert_false(is_writable(m, 0) && ps_socket_getfd(m).fd < 0);
  expect_code(connect_to(m, "slow.test"), PS_TIMEOUT);
}

static void take_it_away(ps_socket *m) {
  sim_expect(ps_socket_setfd(m, -1, NULL), PS_OK);
  expect_code(connect_to(m, "slow.test"), PS_CLOSED);
}

static void ask_again(ps_socket *m) { assert_false(is_writable(m, 0)); }

static void nothing(ps_socket *m) { (void)m; }

static void (*const deeds[])(ps_socket *m) = {bind_it,      bind_in_vain, listen_it,
                                              close_it,     detach_it,    replace_it,
                                              take_it_away, ask_again,    nothing};

static void a_lookup_is_dropped_in_time(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
    for (int answered = 0; answered < 2; answered++) {
      sim_begin();
      sim_host("slow.test", 1, "10.0.0.1");
      ps_socket *m = impatient(0);
      expect_code(connect_to(m, "slow.test"), PS_TIMEOUT);
      if (answered && deeds[i] != ask_again) sim_pass(5);
      deeds[i](m);
      ps_socket_free(m, NULL);
      sim_end();
    }
}

/* The family of a bound socket is decided, and that of the attempt is not. */
static void a_bind_forgets_the_addresses_of_both_families(void **state) {
  (void)state;
  sim_host("both.test", 1, "::1 10.0.0.2");
  ps_socket *m = impatient(0);
  expect_code(connect_to(m, "both.test"), PS_TIMEOUT);
  bind_it(m);
  ps_socket_settimeout(m, -1, NULL);
  expect_code(connect_to(m, "both.test"), PS_OK);
  assert_int_equal(sim_lookups(), 2);
  expect_peer(m, "10.0.0.2");
  assert_string_equal(ps_socket_getsockname(m).ip, "10.0.0.9");
  ps_socket_free(m, NULL);
}

/* Nothing of an attempt is left, neither its memory nor its look-up. */
static void an_attempt_leaves_no_memory(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  for (int replaces = 0; replaces < 2; replaces++) {
    ps_socket *m = ps_tcp4().socket;
    size_t empty = sim_memory();
    ps_socket_settimeout(m, 0, NULL);
    expect_code(connect_to(m, "slow.test"), PS_TIMEOUT);
    assert_true(sim_memory() > empty);
    int fd = ps_socket_getfd(m).fd;
    if (replaces) {
      sim_expect(ps_socket_setfd(m, fd, NULL), PS_OK);
      sim_pass(5);
      assert_false(ps_socket_wants(m).direction != NULL);
    } else {
      sim_expect(ps_socket_detach(m), PS_OK);
      sim_abandon(fd);
    }
    assert_int_equal(sim_memory(), empty);
    ps_socket_free(m, NULL);
  }
}

static void a_detach_in_vain_keeps_the_attempt(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  ps_socket *m = ps_tcp4().socket;
  ps_socket_settimeout(m, 0, NULL);
  expect_code(connect_to(m, "slow.test"), PS_TIMEOUT);
  ps__call call = {.self = m};
  assert_int_equal(ps__turn_enter(&call), PS__ENTERED); /* by another thread */
  sim_expect(ps_socket_detach(m), PS_BUSY);
  ps__call_end(&call);
  sim_pass(1);
  expect_code(connect_to(m, "slow.test"), PS_TIMEOUT);
  expect_code(connect_to(m, "slow.test"), PS_OK);
  assert_int_equal(sim_lookups(), 1);
  ps_socket_free(m, NULL);
}

static void a_fixed_master_listens_in_spite_of_a_lookup(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  ps_socket *m = ps_tcp4().socket;
  ps_socket_settimeout(m, 0, NULL);
  expect_code(connect_to(m, "slow.test"), PS_TIMEOUT);
  sim_expect(ps_socket_listen(m, 13), PS_SYSTEM);
  expect_code(connect_to(m, "slow.test"), PS_TIMEOUT);
  assert_int_equal(sim_lookups(), 1);
  sim_expect(ps_socket_listen(m, 5), PS_OK);
  assert_false(is_writable(m, 0));
  sim_pass(5); /* the name is known, and for nobody */
  assert_false(is_writable(m, 0));
  ps_socket_free(m, NULL);
}

static void detached_masters_forget_their_lookup(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  ps_socket *m = ps_tcp4().socket;
  ps_socket_settimeout(m, 0, NULL);
  expect_code(connect_to(m, "slow.test"), PS_TIMEOUT);
  int fd = ps_socket_detach(m).fd;
  expect_code(connect_to(m, "slow.test"), PS_CLOSED);
  sim_abandon(fd);
  ps_socket_free(m, NULL);
}

/* An attempt that connect has begun is about the descriptor that it had. */
static void another_descriptor_has_no_attempt(void **state) {
  (void)state;
  sim_route("10.0.0.1", 5, 0);
  ps_socket *m = impatient(0);
  expect_code(connect_to(m, "10.0.0.1"), PS_TIMEOUT);
  int old = ps_socket_getfd(m).fd;
  ps_socket *c = sim_client();
  sim_expect(ps_socket_setfd(m, ps_socket_detach(c).fd, NULL), PS_OK);
  sim_pass(9);
  expect_code(connect_to(m, "10.0.0.1"), PS_CONNECTED);
  expect_code(connect_to(m, "10.0.0.2"), PS_CONNECTED);
  ps_socket_free(c, NULL);
  ps_socket_free(m, NULL);
  sim_abandon(old);
}

static int new_fd;

static void replace_within(void *socket) {
  sim_expect(ps_socket_setfd(socket, new_fd, sim_language(SIM_VIEW)), PS_OK);
}

/* A receive has its turn while its host replaces the descriptor, so that setfd cannot
   drop the attempt. */
static void an_attempt_that_setfd_could_not_drop_is_over(void **state) {
  (void)state;
  sim_route("10.0.0.1", 5, 0);
  ps_host *host = sim_language(SIM_VIEW);
  ps_socket *m = impatient(0), *c = sim_client();
  new_fd = ps_socket_detach(c).fd;
  expect_code(connect_to(m, "10.0.0.1"), PS_TIMEOUT);
  int old = ps_socket_getfd(m).fd;
  ps_socket_settimeout(m, -1, NULL);
  sim_signal(0.5);
  sim_when_asked(replace_within, m);
  sim_expect_bytes(m, ps_socket_receive(m, PS_LINE, none, 0, host), PS_CLOSED, "");
  assert_int_equal(ps_socket_getfd(m).fd, new_fd);
  expect_code(connect_to(m, "10.0.0.1"), PS_CONNECTED);
  ps_socket_free(c, NULL);
  ps_socket_free(m, NULL);
  sim_abandon(old);
}

static void a_new_descriptor_may_take_several_calls(void **state) {
  (void)state;
  sim_route("10.0.0.1", 1, 0);
  ps_socket *m = impatient(0);
  sim_expect(ps_socket_setfd(m, sim_adopt(4), NULL), PS_OK);
  for (int calls = 0; calls < 2; calls++)
    expect_code(connect_to(m, "10.0.0.1"), PS_TIMEOUT);
  sim_pass(1);
  expect_code(connect_to(m, "10.0.0.1"), PS_OK);
  ps_socket_free(m, NULL);
}

/* The replaced descriptor is the caller's, with what it was doing. */
static void a_setfd_leaves_the_old_connect_alone(void **state) {
  (void)state;
  sim_route("10.0.0.1", 1, 0);
  ps_host *host = sim_language(SIM_VIEW);
  ps_socket *m = ps_tcp4().socket;
  int old = ps_socket_getfd(m).fd;
  new_fd = sim_adopt(4);
  sim_signal(0.5);
  sim_when_asked(replace_within, m);
  sim_expect(ps_socket_connect(m, "10.0.0.1", (ps_port){NULL, 80}, host), PS_CLOSED);
  ps_socket *c = ps_fromfd(old, "client").socket;
  sim_pass(1);
  expect_peer(c, "10.0.0.1");
  ps_socket_free(c, NULL);
  ps_socket_free(m, NULL);
}

static void replace_and_look(void *socket) {
  replace_within(socket);
  assert_true(is_writable(socket, 0)); /* as the new one is: it waits for no name */
}

static void a_new_descriptor_waits_for_no_name(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  ps_host *host = sim_language(SIM_VIEW);
  ps_socket *m = ps_tcp().socket;
  new_fd = sim_adopt(4);
  sim_when_asked(replace_and_look, m);
  sim_expect(ps_socket_connect(m, "slow.test", (ps_port){NULL, 80}, host), PS_CLOSED);
  ps_socket_free(m, NULL);
}

static ps__call setting;

static void begin_to_replace(void *context) {
  (void)context;
  assert_int_equal(ps__turn_replace(&setting), PS__ENTERED);
}

/* Nobody would know of a descriptor that is opened while setfd waits: neither before the
   name has an answer nor at that moment. */
static void a_replaced_master_opens_no_descriptor(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  for (int way = 0; way < 4; way++) {
    int binds = way % 2;
    ps_socket *m = ps_tcp().socket;
    setting = (ps__call){.self = m};
    sim_later(way < 2 ? 0.9 : 1, begin_to_replace, NULL);
    sim_expect(binds ? ps_socket_bind(m, "slow.test", (ps_port){NULL, 0}, NULL)
                     : ps_socket_connect(m, "slow.test", (ps_port){NULL, 80}, NULL),
               PS_CLOSED);
    assert_int_equal(sim_descriptors(), 0);
    assert_int_equal(ps__turn_replaced(&setting, 0), -1);
    ps_socket_free(m, NULL);
  }
}

/* ---- Families ---- */

static void options_go_with_the_family(void **state) {
  (void)state;
  sim_host("both.test", 0, "::1 10.0.0.2");
  sim_route("::1", -1, ECONNREFUSED);
  ps_socket *m = ps_tcp().socket;
  ps_socket_settimeout(m, 0.5, NULL);
  sim_expect(ps_socket_bind(m, "::1", (ps_port){NULL, 0}, NULL), PS_OK);
  ps_socket_free(m, NULL);
  m = ps_tcp().socket;
  sim_route("::2", INFINITY, 0);
  sim_option_lacks(PS__OPTION_FASTOPEN); /* what nobody has set is not copied */
  ps_socket_settimeout(m, 0, NULL);
  expect_code(connect_to(m, "::2"), PS_TIMEOUT);
  int fd = ps_socket_getfd(m).fd;
  ps_option keepalive = {.type = PS_FLAG, .flag = 1};
  ps_option idle = {.type = PS_NUMBER, .integral = 1, .integer = 77};
  sim_expect(ps_socket_setoption(m, "keepalive", keepalive), PS_OK);
  sim_expect(ps_socket_setoption(m, "tcp-keepidle", idle), PS_OK);
  ps_socket_settimeout(m, 0.5, NULL);
  expect_code(connect_to(m, "both.test"), PS_OK);
  expect_peer(m, "10.0.0.2");
  assert_int_equal(ps_socket_getfd(m).fd, fd);
  assert_int_equal(ps_socket_getoption(m, "keepalive").value.flag, 1);
  assert_int_equal(ps_socket_getoption(m, "tcp-keepidle").value.integer, 77);
  assert_int_equal(ps_socket_getoption(m, "tcp-nodelay").value.flag, 0);
  assert_int_equal(sim_descriptors(), 1);
  ps_socket_free(m, NULL);
}

/* On Windows, for one. All that the program has set goes with the new socket. */
static void a_socket_is_replaced_where_a_connect_cannot_be_undone(void **state) {
  (void)state;
  sim_without_dup();
  sim_host("two.test", 0, "10.0.0.1 10.0.0.2");
  sim_route("10.0.0.1", 0.1, ECONNREFUSED);
  sim_route("10.0.0.2", 0.1, 0);
  ps_socket *m = ps_tcp4().socket;
  ps_option keepalive = {.type = PS_FLAG, .flag = 1};
  sim_expect(ps_socket_setoption(m, "keepalive", keepalive), PS_OK);
  sim_expect(ps_socket_bind(m, "10.0.0.9", (ps_port){NULL, 4000}, NULL), PS_OK);
  int fd = ps_socket_getfd(m).fd;
  expect_code(connect_to(m, "10.0.0.1"), PS_REFUSED);
  expect_kind(m, "master");
  expect_code(connect_to(m, "two.test"), PS_OK);
  assert_int_not_equal(ps_socket_getfd(m).fd, fd);
  expect_peer(m, "10.0.0.2");
  assert_int_equal(ps_socket_getoption(m, "keepalive").value.flag, 1);
  assert_int_equal(ps_socket_getsockname(m).port, 4000);
  assert_int_equal(sim_descriptors(), 1);
  ps_socket_free(m, NULL);
}

/* Another socket takes the address meanwhile: no connect goes out from another one. */
static void a_replaced_socket_keeps_its_address_or_fails(void **state) {
  (void)state;
  sim_without_dup();
  sim_host("two.test", 0, "10.0.0.1 10.0.0.2");
  for (int abandoned = 0; abandoned < 2; abandoned++) {
    sim_route("10.0.0.1", abandoned ? INFINITY : 0.1, ECONNREFUSED);
    ps_socket *m = ps_tcp4().socket;
    sim_expect(ps_socket_bind(m, "10.0.0.9", (ps_port){NULL, 4000}, NULL), PS_OK);
    ps_socket_settimeout(m, abandoned ? 0 : 1, NULL);
    if (abandoned) expect_code(connect_to(m, "two.test"), PS_TIMEOUT);
    sim_take_port(4000);
    expect_code(connect_to(m, abandoned ? "10.0.0.2" : "two.test"), PS_INUSE);
    expect_kind(m, "master");
    ps_socket_free(m, NULL);
    sim_take_port(0);
  }
}

static void a_socket_that_lost_its_address_is_bound_no_more(void **state) {
  (void)state;
  sim_without_dup();
  sim_route("10.0.0.1", 0.1, ECONNREFUSED);
  ps_socket *m = ps_tcp().socket;
  sim_expect(ps_socket_bind(m, "10.0.0.9", (ps_port){NULL, 4000}, NULL), PS_OK);
  sim_host("two.test", 0, "10.0.0.1 10.0.0.2");
  sim_take_port(4000);
  expect_code(connect_to(m, "two.test"), PS_INUSE);
  expect_code(connect_to(m, "::1"), PS_OK);
  ps_socket_free(m, NULL);
}

/* A poller does not watch the descriptor of a master that waits for a name. */
static void a_poller_follows_a_master_that_has_its_name(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  sim_route("10.0.0.1", 1, 0);
  for (int listens = 0; listens < 2; listens++) {
    ps_poller *poller = ps_poller_make().poller;
    ps_socket *m = ps_tcp4().socket;
    ps_socket_settimeout(m, 0, NULL);
    sim_expect(ps_poller_add(poller, (ps_source){m, -1}, "rw", m), PS_OK);
    expect_code(connect_to(m, "slow.test"), PS_TIMEOUT);
    sim_expect(ps_poller_wait(poller, 0.5, 0, NULL), PS_TIMEOUT);
    if (listens) {
      sim_expect(ps_socket_listen(m, 5), PS_OK);
      sim_script(ps_socket_getfd(m).fd);
      sim_accepts(sim_after(1), sim_comes);
    } else {
      sim_pass(1);
      expect_code(connect_to(m, "slow.test"), PS_TIMEOUT);
    }
    double start = sim_now();
    sim_expect(ps_poller_wait(poller, 5, 0, NULL), PS_OK);
    sim_expect_elapsed(start, 1);
    ps_socket_free(m, NULL);
    ps_poller_free(poller);
  }
}

static void listen_to_one(void *socket) {
  sim_expect(ps_socket_listen(socket, 5), PS_OK);
  sim_script(ps_socket_getfd(socket).fd);
  sim_accepts(sim_after(1), sim_comes);
}

static void go_on_connecting(void *socket) {
  expect_code(connect_to(socket, "slow.test"), PS_TIMEOUT);
}

/* Another thread waits in the poller meanwhile, and hears of the descriptor. */
static void a_poller_that_waits_follows_a_master_that_has_its_name(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  sim_route("10.0.0.1", 1, 0);
  for (int listens = 0; listens < 2; listens++) {
    ps_poller *poller = ps_poller_make().poller;
    ps_socket *m = ps_tcp4().socket;
    ps_socket_settimeout(m, 0, NULL);
    sim_expect(ps_poller_add(poller, (ps_source){m, -1}, "r", m), PS_OK);
    expect_code(connect_to(m, "slow.test"), PS_TIMEOUT);
    double start = sim_now();
    sim_later(listens ? 0.5 : 1.5, listens ? listen_to_one : go_on_connecting, m);
    sim_expect(ps_poller_wait(poller, 5, 0, NULL), PS_OK);
    sim_expect_elapsed(start, listens ? 1.5 : 2.5);
    ps_socket_free(m, NULL);
    ps_poller_free(poller);
  }
}

static void a_poller_follows_a_socket_that_is_replaced(void **state) {
  (void)state;
  sim_without_dup();
  sim_route("10.0.0.1", 1, 0);
  sim_route("10.0.0.2", 1, 0);
  ps_poller *poller = ps_poller_make().poller;
  ps_socket *m = impatient(0);
  expect_code(connect_to(m, "10.0.0.1"), PS_TIMEOUT);
  sim_expect(ps_poller_add(poller, (ps_source){m, -1}, "w", m), PS_OK);
  expect_code(connect_to(m, "10.0.0.2"), PS_TIMEOUT);
  double start = sim_now();
  sim_expect(ps_poller_wait(poller, -1, 0, NULL), PS_OK);
  sim_expect_elapsed(start, 1);
  expect_code(connect_to(m, "10.0.0.2"), PS_OK);
  expect_peer(m, "10.0.0.2");
  assert_int_equal(sim_descriptors(), 1);
  ps_socket_free(m, NULL);
  ps_poller_free(poller);
}

static void only_tcp_dials_mapped_addresses(void **state) {
  (void)state;
  static const char *const addresses[] = {"::ffff:10.0.0.1", "::ffff:1",
                                          "64:ff9b::10.0.0.1", "::1", "::10.0.0.1"};
  for (int i = 0; i < 5; i++)
    for (int fixed = 0; fixed < 2; fixed++) {
      ps_socket *m = fixed ? ps_tcp6().socket : ps_tcp().socket;
      expect_code(connect_to(m, addresses[i]), PS_OK);
      int only = fixed || i > 0;
      assert_int_equal(ps_socket_getoption(m, "ipv6-v6only").value.flag, only);
      ps_socket_free(m, NULL);
    }
}

/* ---- Faults at each step ---- */

/* Connects by a name of two families in short calls, whatever fails once. */
static void connect_in_spite_of(int fault, int nth, int dup, int *struck) {
  sim_begin();
  if (!dup) sim_without_dup();
  sim_host("slow.test", 0.3, "::1 10.0.0.2");
  sim_route("::1", 0.2, ECONNREFUSED);
  sim_route("10.0.0.2", 0.2, 0);
  sim_fault(fault, nth, 0);
  ps_object made = ps_tcp();
  if (made.status.code != PS_OK) made = ps_tcp();
  ps_socket *m = made.socket;
  ps_socket_settimeout(m, 0.125, "t");
  int failures = 0;
  for (int calls = 0;; calls++) {
    ps_status status = connect_to(m, "slow.test");
    if (status.code == PS_OK) break;
    assert_true(calls < 30);
    if (status.code == PS_TIMEOUT) {
      is_writable(m, 0);
      sim_pass(0.01);
      continue;
    }
    assert_true(status.code == PS_NOMEMORY || status.code == PS_SYSTEM ||
                status.code == PS_AGAIN);
    assert_true(++failures <= 1);
    expect_kind(m, "master");
  }
  expect_peer(m, "10.0.0.2");
  *struck = sim_struck();
  ps_socket_free(m, NULL);
  sim_end();
}

static void whatever_fails_once_the_next_call_goes_on(void **state) {
  (void)state;
  static const int faults[] = {SIM_ENOMEM, SIM_EMFILE, SIM_EINTR, SIM_EAGAIN};
  for (int i = 0; i < 8; i++)
    for (int nth = 1, struck = 1; struck > 0; nth++) {
      connect_in_spite_of(faults[i % 4], nth, i < 4, &struck);
      assert_true(nth < 1000);
    }
}

/* ---- A fork during a connect of another thread ---- */

static jmp_buf child;

static void fork_here(void *context) {
  (void)context;
  longjmp(child, 1); /* the other thread does not exist in the child */
}

static void a_child_connects_anew(void **state) {
  (void)state;
  sim_host("some.test", 0, "10.0.0.1");
  static const char *const targets[] = {"10.0.0.1", "some.test"};
  for (int i = 0; i < 2; i++) {
    sim_process(0);
    ps_socket *volatile m = ps_tcp().socket;
    sim_when_parsed(fork_here, NULL);
    if (setjmp(child) == 0) {
      connect_to(m, targets[i]);
      fail_msg("nothing was parsed");
    }
    sim_process(1);
    expect_code(connect_to(m, targets[i]), PS_OK);
    expect_peer(m, "10.0.0.1");
    ps_socket_free(m, NULL);
  }
}

static void fork_the_thread(void *context) {
  (void)context;
  sim_process(1);
}

static void fork_at_the_next_question(void *context) {
  sim_when_asked(fork_the_thread, context);
}

/* The host of the call forks: the child is in the middle of it. */
static void a_child_goes_on_with_a_connect(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  sim_route("10.0.0.1", 1, 0);
  for (int i = 0; i < 2; i++) {
    sim_process(0);
    ps_host *host = sim_language(SIM_VIEW);
    ps_socket *m = ps_tcp().socket;
    sim_signal(i == 0 ? 0.5 : 1.5); /* during the name, or afterwards */
    if (i == 0) sim_when_asked(fork_the_thread, NULL);
    if (i == 1) sim_later(1.4, fork_at_the_next_question, NULL);
    sim_expect(ps_socket_connect(m, "slow.test", (ps_port){NULL, 80}, host), PS_OK);
    assert_int_equal(atomic_load(&m->state), 1u << PS__PROCESS_SHIFT);
    expect_code(connect_to(m, "10.0.0.1"), PS_CONNECTED);
    ps_socket_free(m, NULL);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      sim_test(short_calls_make_progress),
      sim_test(the_time_of_the_name_makes_it_a_client_once_there_is_an_address),
      sim_test(a_name_that_fails_is_told_by_a_later_call),
      sim_test(the_next_address_is_for_the_next_call),
      sim_test(a_connect_under_way_is_no_news),
      sim_test(a_stopped_name_wants_nothing),
      sim_test(a_connection_that_is_there_is_not_waited_for),
      sim_test(bytes_of_a_connection_that_has_failed_are_gone),
      sim_test(another_target_drops_the_attempt),
      sim_test(another_port_is_another_target),
      sim_test(bytes_of_the_first_target_are_not_the_seconds),
      sim_test(a_target_without_memory_leaves_a_master),
      cmocka_unit_test(a_lookup_is_dropped_in_time),
      sim_test(a_bind_forgets_the_addresses_of_both_families),
      sim_test(an_attempt_leaves_no_memory),
      sim_test(a_detach_in_vain_keeps_the_attempt),
      sim_test(a_fixed_master_listens_in_spite_of_a_lookup),
      sim_test(detached_masters_forget_their_lookup),
      sim_test(another_descriptor_has_no_attempt),
      sim_test(an_attempt_that_setfd_could_not_drop_is_over),
      sim_test(a_new_descriptor_may_take_several_calls),
      sim_test(a_setfd_leaves_the_old_connect_alone),
      sim_test(a_new_descriptor_waits_for_no_name),
      sim_test(a_replaced_master_opens_no_descriptor),
      sim_test(options_go_with_the_family),
      sim_test(a_socket_is_replaced_where_a_connect_cannot_be_undone),
      sim_test(a_replaced_socket_keeps_its_address_or_fails),
      sim_test(a_socket_that_lost_its_address_is_bound_no_more),
      sim_test(a_poller_follows_a_master_that_has_its_name),
      sim_test(a_poller_that_waits_follows_a_master_that_has_its_name),
      sim_test(a_poller_follows_a_socket_that_is_replaced),
      sim_test(only_tcp_dials_mapped_addresses),
      sim_test(a_child_connects_anew),
      sim_test(a_child_goes_on_with_a_connect),
      cmocka_unit_test(whatever_fails_once_the_next_call_goes_on),
  };
  return cmocka_run_group_tests_name("connect", tests, NULL, NULL);
}
