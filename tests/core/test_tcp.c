/* SPDX-License-Identifier: MIT */
/* core/tcp.c on the simulated system: kinds and their moves, connects that take their
   time, several addresses, closing at bad moments, turns. No descriptor may leak, be
   closed twice or be used after its end; the simulation watches that in every test. */

#include "os_sim.h"

static const ps_prefix none = {NULL, 0};

static ps_port port(long long number) { return (ps_port){NULL, number}; }

static ps_status connect_to(ps_socket *m, const char *address, ps_host *host) {
  return ps_socket_connect(m, address, port(80), host).status;
}

#define expect_kind(socket, kind) \
  assert_string_equal(ps_socket_getkind(socket).text, kind)
#define expect_code(status_, code_) sim_expect(((ps_done){status_}), code_)

static ps_bytes line(ps_socket *c, ps_host *host) {
  return ps_socket_receive(c, PS_LINE, none, 0, host);
}

static void close_it(void *socket) { ps_socket_close(socket, NULL); }

/* ---- Making ---- */

static void masters_are_made(void **state) {
  (void)state;
  ps_socket *m = ps_tcp().socket, *four = ps_tcp4().socket, *six = ps_tcp6().socket;
  expect_kind(m, "master");
  assert_int_equal(ps_socket_getfd(m).fd, -1);
  assert_int_equal(sim_descriptors(), 2);
  assert_string_equal(ps_socket_getfamily(m).text, "inet4");
  assert_string_equal(ps_socket_getfamily(four).text, "inet4");
  assert_string_equal(ps_socket_getfamily(six).text, "inet6");
  ps_socket_free(m, NULL);
  ps_socket_free(four, NULL);
  ps_socket_free(six, NULL);
  ps_socket_free(NULL, NULL);
}

static void without_memory_or_descriptors_none_is_made(void **state) {
  (void)state;
  sim_fault(SIM_ENOMEM, 1, 1);
  sim_expect(ps_tcp(), PS_NOMEMORY);
  sim_expect(ps_tcp4(), PS_NOMEMORY);
  sim_expect(ps_bind("*", port(0), 5, NULL), PS_NOMEMORY);
  sim_expect(ps_connect("10.0.0.1", port(80), NULL, port(0), NULL, -1, NULL),
             PS_NOMEMORY);
  int fd = sim_adopt(4);
  ps_object got = ps_fromfd(fd, "client");
  sim_expect(got, PS_NOMEMORY);
  assert_null(got.socket);
  sim_abandon(fd); /* it stayed the caller's */
  sim_fault(SIM_EMFILE, 1, 1);
  got = ps_tcp6();
  sim_expect(got, PS_SYSTEM);
  assert_int_equal(got.status.system, EMFILE);
  assert_int_equal(ps_bind("*", port(0), 5, NULL).status.system, EMFILE);
  assert_int_equal(
      ps_connect4("10.0.0.1", port(80), NULL, port(0), -1, NULL).status.system, EMFILE);
  ps_socket *m = ps_tcp().socket;
  assert_int_equal(connect_to(m, "10.0.0.1", NULL).system, EMFILE);
  expect_kind(m, "master");
  sim_fault(SIM_NO_FAULT, 0, 0);
  expect_code(connect_to(m, "10.0.0.1", NULL), PS_OK);
  ps_socket_free(m, NULL);
}

static void descriptors_are_adopted(void **state) {
  (void)state;
  static const char *const kinds[] = {"master", "client", "server"};
  for (int i = 0; i < 3; i++) {
    int fd = sim_adopt(6);
    ps_object got = ps_fromfd(fd, kinds[i]);
    sim_expect(got, PS_OK);
    expect_kind(got.socket, kinds[i]);
    assert_string_equal(ps_socket_getfamily(got.socket).text, "inet6");
    assert_int_equal(ps_socket_getfd(got.socket).fd, fd);
    ps_socket_free(got.socket, NULL);
  }
  /* A master keeps the family of its descriptor. */
  sim_host("both.test", 0, "::1 10.0.0.2");
  int own = sim_adopt(4);
  ps_socket *m = ps_fromfd(own, "master").socket;
  expect_code(connect_to(m, "::1", NULL), PS_BADFAMILY);
  expect_code(connect_to(m, "both.test", NULL), PS_OK);
  assert_string_equal(ps_socket_getpeername(m).ip, "10.0.0.2");
  assert_int_equal(ps_socket_getfd(m).fd, own);
  ps_socket_free(m, NULL);
  int fd = sim_adopt(0);
  sim_expect(ps_fromfd(fd, "client"), PS_BADFAMILY);
  sim_abandon(fd);
  assert_int_equal(ps_fromfd(5, "client").status.system, EBADF);
  assert_int_equal(ps_fromfd(-1, "client").status.code, PS_MISUSE_ADOPTED);
  assert_int_equal(ps_fromfd(1LL << 32, "client").status.code, PS_MISUSE_ADOPTED);
  assert_int_equal(ps_fromfd(5, "clients").status.code, PS_MISUSE_KIND);
  assert_int_equal(ps_fromfd(5, NULL).status.code, PS_MISUSE_KIND);
}

/* ---- Kinds ---- */

static void each_kind_does_its_own(void **state) {
  (void)state;
  ps_socket *m = ps_tcp4().socket, *c = sim_client(), *s = sim_server();
  assert_int_equal(ps_socket_accept(m, NULL).status.code, PS_MISUSE_NOTSERVER);
  assert_int_equal(ps_socket_accept(c, NULL).status.code, PS_MISUSE_NOTSERVER);
  assert_int_equal(ps_socket_bind(c, "*", port(0), NULL).status.code,
                   PS_MISUSE_NOTMASTER);
  assert_int_equal(ps_socket_bind(s, "*", port(0), NULL).status.code,
                   PS_MISUSE_NOTMASTER);
  assert_int_equal(ps_socket_listen(c, 5).status.code, PS_MISUSE_NOTMASTER);
  assert_int_equal(ps_socket_listen(s, 5).status.code, PS_MISUSE_NOTMASTER);
  assert_int_equal(connect_to(s, "10.0.0.1", NULL).code, PS_MISUSE_NOTMASTER);
  assert_int_equal(ps_socket_shutdown(m, NULL).status.code, PS_MISUSE_NOTCLIENT);
  assert_int_equal(ps_socket_shutdown(s, NULL).status.code, PS_MISUSE_NOTCLIENT);
  sim_expect(ps_socket_getpeername(c), PS_OK);
  assert_int_equal(ps_socket_getpeername(m).status.system, ENOTCONN);
  assert_int_equal(ps_socket_getpeername(s).status.system, ENOTCONN);
  sim_expect(ps_socket_getsockname(m), PS_OK);
  sim_expect(ps_socket_getsockname(s), PS_OK);
  ps_socket_free(m, NULL);
  ps_socket_free(c, NULL);
  ps_socket_free(s, NULL);
}

static void nobody_is_no_object(void **state) {
  (void)state;
  short code = PS_MISUSE_NOTOBJECT;
  assert_int_equal(ps_socket_accept(NULL, NULL).status.code, code);
  assert_int_equal(ps_socket_bind(NULL, "*", port(0), NULL).status.code, code);
  assert_int_equal(ps_socket_listen(NULL, 1).status.code, code);
  assert_int_equal(connect_to(NULL, "*", NULL).code, code);
  assert_int_equal(ps_socket_shutdown(NULL, NULL).status.code, code);
  assert_int_equal(ps_socket_getpeername(NULL).status.code, code);
  assert_int_equal(ps_socket_getsockname(NULL).status.code, code);
  assert_int_equal(ps_socket_setstats(NULL, 1, 1, 1).status.code, code);
  assert_int_equal(ps_socket_setfd(NULL, 1, NULL).status.code, code);
  assert_int_equal(ps_socket_detach(NULL).status.code, code);
  assert_int_equal(ps_socket_close(NULL, NULL).status.code, code);
}

static void after_close_everything_says_closed(void **state) {
  (void)state;
  ps_socket *m = ps_tcp().socket, *c = sim_client(), *s = sim_server();
  ps_socket *all[] = {m, c, s};
  for (int i = 0; i < 3; i++) {
    for (int again = 0; again < 2; again++)
      sim_expect(ps_socket_close(all[i], NULL), PS_OK);
    assert_int_equal(ps_socket_getfd(all[i]).fd, -1);
    sim_expect(ps_socket_getsockname(all[i]), PS_CLOSED);
    sim_expect(ps_socket_getpeername(all[i]), PS_CLOSED);
    sim_expect(ps_socket_detach(all[i]), PS_CLOSED);
    sim_expect(ps_socket_settimeout(all[i], 1, "b"), PS_OK);
    sim_expect(ps_socket_setstats(all[i], 1, 2, 3), PS_OK);
    assert_int_equal(ps_socket_getstats(all[i]).sent, 2);
    assert_false(ps_socket_dirty(all[i]).yes);
  }
  sim_expect(ps_socket_bind(m, "*", port(0), NULL), PS_CLOSED);
  sim_expect(ps_socket_listen(m, 5), PS_CLOSED);
  expect_code(connect_to(m, "10.0.0.1", NULL), PS_CLOSED);
  expect_code(connect_to(c, "10.0.0.1", NULL), PS_CLOSED);
  sim_expect(ps_socket_shutdown(c, "both"), PS_OK);
  sim_expect(ps_socket_accept(s, NULL), PS_CLOSED);
  for (int i = 0; i < 3; i++) ps_socket_free(all[i], NULL);
}

static void stats_are_kept(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  sim_reads("abc\nrest");
  sim_expect_bytes(c, line(c, NULL), PS_OK, "abc");
  ps_socket_send(c, (ps_data){"hello", 5}, 2, 3, NULL);
  sim_pass(2);
  ps_stats stats = ps_socket_getstats(c);
  assert_int_equal(stats.received, 4);
  assert_int_equal(stats.sent, 2);
  assert_true(stats.age == 2);
  sim_expect(ps_socket_setstats(c, 100, -1, NAN), PS_OK);
  sim_expect(ps_socket_setstats(c, -1, 200, 50), PS_OK);
  stats = ps_socket_getstats(c);
  assert_int_equal(stats.received, 100);
  assert_int_equal(stats.sent, 200);
  assert_true(stats.age == 50);
  sim_expect(ps_socket_setstats(c, 0, 0, 0), PS_OK);
  stats = ps_socket_getstats(c);
  assert_int_equal(stats.received, 0);
  assert_int_equal(stats.sent, 0);
  assert_true(stats.age == 0);
  assert_int_equal(ps_socket_getmark(c), 0);
  ps_socket_setmark(c, 255);
  assert_int_equal(ps_socket_getmark(c), 255);
  ps_socket_free(c, NULL);
}

/* ---- Bind, listen, accept ---- */

static void a_server_is_bound_and_listens(void **state) {
  (void)state;
  ps_object got = ps_bind("*", port(8080), 32, NULL);
  sim_expect(got, PS_OK);
  expect_kind(got.socket, "server");
  ps_address name = ps_socket_getsockname(got.socket);
  assert_string_equal(name.ip, "0.0.0.0");
  assert_int_equal(name.port, 8080);
  assert_string_equal(name.family, "inet");
  ps_value reuse = ps_socket_getoption(got.socket, "reuseaddr");
  assert_int_equal(reuse.value.flag, 1);
  ps_socket_free(got.socket, NULL);

  ps_socket *m = ps_tcp6().socket;
  sim_expect(ps_socket_bind(m, "*", port(0), NULL), PS_OK);
  assert_string_equal(ps_socket_getsockname(m).ip, "::");
  ps_socket_free(m, NULL);
}

/* A name may have addresses that cannot be bound. */
static void a_server_has_the_first_address_that_it_can(void **state) {
  (void)state;
  sim_host("two.test", 0, "10.0.0.1 10.0.0.2");
  ps_object got = ps_bind("two.test", port(8080), 5, NULL);
  sim_expect(got, PS_OK);
  assert_string_equal(ps_socket_getsockname(got.socket).ip, "10.0.0.1");
  ps_socket_free(got.socket, NULL);
  sim_host("both.test", 0, "::1 10.0.0.2");
  sim_fault(SIM_EMFILE, 2, 0); /* the first chance is the resolver's thread */
  got = ps_bind("both.test", port(8081), 5, NULL);
  sim_expect(got, PS_OK);
  assert_int_equal(sim_struck(), 1);
  assert_string_equal(ps_socket_getsockname(got.socket).ip, "10.0.0.2");
  ps_socket_free(got.socket, NULL);
}

static void a_bind_that_fails_tells_why(void **state) {
  (void)state;
  sim_expect(ps_bind("*", port(81), 1, NULL), PS_INUSE);
  sim_expect(ps_bind("*", port(80), 1, NULL), PS_PERMISSION);
  sim_expect(ps_bind("nobody.test", port(0), 1, NULL), PS_NONAME);
  assert_int_equal(ps_bind("*", port(0), 13, NULL).status.system, EOPNOTSUPP);
  assert_int_equal(ps_bind("*", port(65536), 1, NULL).status.code, PS_MISUSE_BINDPORT);
  sim_option_fails(PS__OPTION_REUSEADDR, EIO);
  assert_int_equal(ps_bind("*", port(0), 1, NULL).status.system, EIO);
  ps_socket *m = ps_tcp().socket;
  sim_expect(ps_socket_listen(m, 5), PS_UNDECIDED);
  sim_expect(ps_socket_bind(m, "*", port(81), NULL), PS_INUSE);
  expect_kind(m, "master");
  sim_expect(ps_socket_bind(m, "::1", port(8081), NULL),
             PS_OK); /* and the family is free yet */
  assert_string_equal(ps_socket_getfamily(m).text, "inet6");
  assert_int_equal(sim_descriptors(), 1);
  sim_expect(ps_socket_bind(m, "10.0.0.1", port(8081), NULL), PS_BADFAMILY);
  ps_socket_free(m, NULL);
}

static void accept_makes_a_client_without_limits(void **state) {
  (void)state;
  ps_socket *s = sim_server();
  ps_socket_settimeout(s, 1, "b");
  sim_accepts(sim_eagain, sim_eintr, sim_error(ECONNABORTED), sim_after(0.5), sim_comes);
  ps_object got = ps_socket_accept(s, NULL);
  sim_expect(got, PS_OK);
  expect_kind(got.socket, "client");
  assert_true(ps_socket_gettimeout(got.socket).block == -1);
  sim_reads("hi\n");
  sim_expect_bytes(got.socket, line(got.socket, NULL), PS_OK, "hi");
  double start = sim_now();
  sim_expect(ps_socket_accept(s, NULL), PS_TIMEOUT);
  sim_expect_elapsed(start, 1);
  ps_socket_free(got.socket, NULL);
  ps_socket_free(s, NULL);
}

static void an_accept_tells_what_it_waits_for(void **state) {
  (void)state;
  ps_socket *s = sim_server();
  ps_socket_settimeout(s, 0, NULL);
  for (int fails = 0; fails < 2; fails++) {
    sim_expect(ps_socket_accept(s, NULL), PS_TIMEOUT);
    assert_string_equal(ps_socket_wants(s).direction, "r");
    sim_script(ps_socket_getfd(s).fd);
    if (fails)
      sim_accepts(sim_error(EMFILE));
    else
      sim_accepts(sim_comes);
    ps_object got = ps_socket_accept(s, NULL);
    sim_expect(got, fails ? PS_SYSTEM : PS_OK);
    assert_null(ps_socket_wants(s).direction);
    ps_socket_free(got.socket, NULL);
  }
  ps_socket_free(s, NULL);
}

/* A descriptor from setfd may block, so it is only asked when somebody has come. */
static void an_accept_on_a_foreign_descriptor_does_not_block(void **state) {
  (void)state;
  ps_socket *s = sim_server();
  sim_expect(ps_socket_setfd(s, ps_socket_getfd(s).fd, NULL), PS_OK);
  double start = sim_now();
  ps_socket_settimeout(s, 0, NULL);
  sim_expect(ps_socket_accept(s, NULL), PS_TIMEOUT);
  sim_expect_elapsed(start, 0);
  ps_socket_settimeout(s, 0.5, NULL);
  sim_expect(ps_socket_accept(s, NULL), PS_TIMEOUT);
  sim_expect_elapsed(start, 0.5);
  assert_int_equal(sim_calls(), 0);
  sim_accepts(sim_after(0.25), sim_comes);
  ps_object got = ps_socket_accept(s, NULL);
  sim_expect(got, PS_OK);
  sim_expect_elapsed(start, 0.75);
  assert_int_equal(sim_calls(), 1);
  ps_socket_free(got.socket, NULL);
  ps_socket_free(s, NULL);
}

static void an_accept_that_fails_tells_why(void **state) {
  (void)state;
  ps_socket *s = sim_server();
  sim_accepts(sim_error(EMFILE), sim_comes, sim_comes);
  ps_object got = ps_socket_accept(s, NULL);
  assert_int_equal(got.status.system, EMFILE);
  assert_null(got.socket);
  sim_fault(SIM_ENOMEM, 1, 0);
  got = ps_socket_accept(s, NULL);
  sim_expect(got, PS_NOMEMORY);
  assert_null(got.socket);
  assert_int_equal(sim_descriptors(), 1);
  got = ps_socket_accept(s, NULL);
  sim_expect(got, PS_OK);
  ps_socket_free(got.socket, NULL);
  ps_socket_free(s, NULL);
}

static void a_storm_of_aborted_connections_ends_in_time(void **state) {
  (void)state;
  ps_socket *s = sim_server();
  ps_socket_settimeout(s, 1, "t");
  sim_cost(0.01);
  for (int i = 0; i < 300; i++) sim_accepts(sim_error(ECONNABORTED));
  double start = sim_now();
  sim_expect(ps_socket_accept(s, NULL), PS_TIMEOUT);
  assert_true(sim_now() - start < 1.02);
  ps_socket_free(s, NULL);
}

/* ---- Connect ---- */

static void a_master_becomes_a_client(void **state) {
  (void)state;
  sim_route("10.0.0.1", 0.2, 0);
  ps_socket *m = ps_tcp().socket;
  double start = sim_now();
  expect_code(connect_to(m, "10.0.0.1", NULL), PS_OK);
  sim_expect_elapsed(start, 0.2);
  expect_kind(m, "client");
  ps_address peer = ps_socket_getpeername(m);
  assert_string_equal(peer.ip, "10.0.0.1");
  assert_int_equal(peer.port, 80);
  expect_code(connect_to(m, "10.0.0.1", NULL), PS_CONNECTED);
  expect_kind(m, "client");
  ps_socket_free(m, NULL);
}

static void a_connect_that_timed_out_is_asked_for_its_outcome(void **state) {
  (void)state;
  sim_route("10.0.0.1", 1, 0);
  sim_route("10.0.0.2", 1, ECONNREFUSED);
  for (int refused = 0; refused < 2; refused++)
    for (int zero = 0; zero < 2; zero++) {
      const char *address = refused ? "10.0.0.2" : "10.0.0.1";
      ps_socket *m = ps_tcp().socket;
      ps_socket_settimeout(m, zero ? 0 : 0.25, NULL);
      double start = sim_now();
      expect_code(connect_to(m, address, NULL), PS_TIMEOUT);
      expect_kind(m, "client");
      expect_code(connect_to(m, address, NULL), PS_TIMEOUT);
      sim_expect_bytes(m, line(m, NULL), PS_TIMEOUT, "");
      sim_expect_elapsed(start, zero ? 0 : 0.75);
      sim_pass(1);
      expect_code(connect_to(m, address, NULL), refused ? PS_REFUSED : PS_OK);
      expect_kind(m, refused ? "master" : "client");
      if (refused) {
        /* It can be connected again, with the same descriptor. */
        assert_int_not_equal(ps_socket_getfd(m).fd, -1);
        ps_socket_settimeout(m, -1, NULL);
        expect_code(connect_to(m, "10.0.0.3", NULL), PS_OK);
      }
      expect_code(connect_to(m, "10.0.0.1", NULL), PS_CONNECTED);
      ps_socket_free(m, NULL);
    }
}

static void an_error_that_was_asked_for_fails_the_connect(void **state) {
  (void)state;
  sim_route("10.0.0.2", 1, ECONNREFUSED);
  ps_socket *m = ps_tcp().socket;
  ps_socket_settimeout(m, 0, NULL);
  expect_code(connect_to(m, "10.0.0.2", NULL), PS_TIMEOUT);
  sim_pass(1);
  assert_int_equal(ps_socket_getoption(m, "error").value.type, PS_TEXT);
  ps_status status = connect_to(m, "10.0.0.2", NULL);
  assert_int_equal(status.system, ENOTCONN);
  expect_kind(m, "master");
  ps_socket_free(m, NULL);
}

static void every_address_is_tried(void **state) {
  (void)state;
  sim_host("many.test", 0, "10.0.0.1 ::1 10.0.0.2 10.0.0.3");
  sim_route("10.0.0.1", 0.1, ECONNREFUSED);
  sim_route("::1", -1, ENETUNREACH);
  sim_route("10.0.0.2", 0.1, 0);
  ps_object got = ps_connect("many.test", port(80), NULL, port(0), NULL, -1, NULL);
  sim_expect(got, PS_OK);
  assert_string_equal(ps_socket_getpeername(got.socket).ip, "10.0.0.2");
  assert_string_equal(ps_socket_getfamily(got.socket).text, "inet4");
  assert_int_equal(sim_descriptors(), 1);
  ps_socket_free(got.socket, NULL);
  got = ps_connect6("many.test", port(80), NULL, port(0), -1, NULL);
  assert_int_equal(got.status.system, ENETUNREACH);
  got = ps_connect4("many.test", port(80), NULL, port(0), -1, NULL);
  sim_expect(got, PS_OK);
  ps_socket_free(got.socket, NULL);
}

static void the_last_failure_is_told(void **state) {
  (void)state;
  sim_host("two.test", 0, "10.0.0.1 10.0.0.2");
  sim_route("10.0.0.1", 0, ECONNREFUSED);
  sim_route("10.0.0.2", 0, EHOSTUNREACH);
  ps_socket *m = ps_tcp().socket;
  assert_int_equal(connect_to(m, "two.test", NULL).system, EHOSTUNREACH);
  expect_kind(m, "master");
  sim_expect(ps_socket_bind(m, "*", port(0), NULL), PS_OK);
  ps_socket_free(m, NULL);
}

/* A reset reads "closed"; the next address may answer all the same. */
static void an_address_that_resets_is_not_the_last(void **state) {
  (void)state;
  static const int errors[] = {ECONNRESET, ECONNABORTED, ETIMEDOUT, EIO};
  sim_host("two.test", 0, "10.0.0.1 10.0.0.2");
  for (int i = 0; i < 4; i++) {
    sim_route("10.0.0.1", 0.1, errors[i]);
    ps_socket *m = ps_tcp().socket;
    expect_code(connect_to(m, "two.test", NULL), PS_OK);
    assert_string_equal(ps_socket_getpeername(m).ip, "10.0.0.2");
    ps_socket_free(m, NULL);
  }
}

static void block_limits_each_address_and_total_all(void **state) {
  (void)state;
  sim_host("holes.test", 0, "10.0.0.1 10.0.0.2 10.0.0.3");
  sim_route("10.0.0.1", INFINITY, 0);
  sim_route("10.0.0.2", INFINITY, 0);
  ps_socket *m = ps_tcp().socket;
  ps_socket_settimeout(m, 0.5, "b");
  double start = sim_now();
  expect_code(connect_to(m, "holes.test", NULL), PS_OK);
  sim_expect_elapsed(start, 1);
  assert_string_equal(ps_socket_getpeername(m).ip, "10.0.0.3");
  ps_socket_free(m, NULL);
  m = ps_tcp().socket;
  ps_socket_settimeout(m, 0.5, "b");
  ps_socket_settimeout(m, 0.75, "t");
  start = sim_now();
  expect_code(connect_to(m, "holes.test", NULL), PS_TIMEOUT);
  sim_expect_elapsed(start, 0.75);
  expect_kind(m, "client");
  ps_socket_free(m, NULL);
}

static void with_zero_the_first_address_is_the_only_one(void **state) {
  (void)state;
  ps_socket *m = ps_tcp4().socket;
  ps_socket_settimeout(m, 0, NULL);
  expect_code(connect_to(m, "10.0.0.1", NULL), PS_TIMEOUT);
  expect_kind(m, "client");
  assert_int_equal(sim_polls(), 0);
  expect_code(connect_to(m, "10.0.0.1", NULL), PS_OK);
  ps_socket_free(m, NULL);
}

static void a_stop_leaves_the_connect_under_way(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_GROW);
  sim_host("two.test", 0, "10.0.0.1 10.0.0.2");
  sim_route("10.0.0.1", 1, 0);
  ps_socket *m = ps_tcp().socket;
  sim_stop();
  sim_signal(0.5);
  expect_code(connect_to(m, "two.test", host), PS_INTERRUPTED);
  assert_int_equal(sim_questions(), 1); /* who said stop is not asked again */
  expect_kind(m, "client");
  expect_code(connect_to(m, "two.test", host), PS_OK);
  assert_string_equal(ps_socket_getpeername(m).ip, "10.0.0.1");
  ps_socket_free(m, NULL);
}

static void a_stop_between_two_addresses_is_a_stop(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_GROW);
  sim_host("two.test", 0, "10.0.0.1 10.0.0.2");
  sim_route("10.0.0.1", INFINITY, 0);
  ps_socket *m = ps_tcp().socket;
  ps_socket_settimeout(m, 0.5, "b");
  sim_stop();
  expect_code(connect_to(m, "two.test", host), PS_INTERRUPTED);
  ps_socket_free(m, NULL);
}

static void a_client_may_choose_its_end(void **state) {
  (void)state;
  ps_object got =
      ps_connect("10.0.0.1", port(80), "10.0.0.9", port(9999), "inet", -1, NULL);
  sim_expect(got, PS_OK);
  ps_address name = ps_socket_getsockname(got.socket);
  assert_string_equal(name.ip, "10.0.0.9");
  assert_int_equal(name.port, 9999);
  assert_int_equal(ps_socket_getoption(got.socket, "reuseaddr").value.flag, 0);
  ps_socket_free(got.socket, NULL);
  sim_expect(ps_connect("10.0.0.1", port(80), "::1", port(0), NULL, -1, NULL),
             PS_BADFAMILY);
  sim_expect(ps_connect("10.0.0.1", port(80), "*", port(81), NULL, -1, NULL), PS_INUSE);
  sim_expect(ps_connect("::1", port(80), NULL, port(0), "inet", -1, NULL), PS_BADFAMILY);
  static const char *const families[] = {"unspec", "inet6", NULL};
  for (int i = 0; i < 3; i++) {
    got = ps_connect("::1", port(80), NULL, port(0), families[i], -1, NULL);
    sim_expect(got, PS_OK);
    ps_socket_free(got.socket, NULL);
  }
  ps_status status =
      ps_connect("10.0.0.1", port(80), NULL, port(0), "inet5", -1, NULL).status;
  assert_int_equal(status.code, PS_MISUSE_FAMILY);
  assert_int_equal(status.argument, 5);
}

static void the_timeout_of_connect_is_for_connect(void **state) {
  (void)state;
  sim_route("10.0.0.1", 0.6, 0);
  sim_route("10.0.0.2", -1, 0);
  sim_host("slow.test", 0.6, "10.0.0.9");
  static const double enough[] = {0.75, 5, -1, INFINITY};
  for (int i = 0; i < 5; i++) {
    ps_object got =
        i < 4 ? ps_connect("10.0.0.1", port(80), NULL, port(0), NULL, enough[i], NULL)
              : ps_connect("10.0.0.2", port(80), NULL, port(0), NULL, 0, NULL);
    sim_expect(got, PS_OK);
    ps_limits limits = ps_socket_gettimeout(got.socket);
    assert_true(limits.block == -1);
    assert_true(limits.total == -1);
    assert_true(ps_socket_getdeadline(got.socket).seconds == INFINITY);
    ps_socket_free(got.socket, NULL);
  }
  double start = sim_now();
  sim_expect(ps_connect("10.0.0.1", port(80), NULL, port(0), NULL, 0.5, NULL),
             PS_TIMEOUT);
  sim_expect_elapsed(start, 0.5);
  start = sim_now(); /* the name of the own end counts */
  sim_expect(ps_connect("10.0.0.1", port(80), "slow.test", port(0), NULL, 1, NULL),
             PS_TIMEOUT);
  sim_expect_elapsed(start, 1);
  start = sim_now();
  sim_expect(ps_connect("10.0.0.1", port(80), NULL, port(0), NULL, 0, NULL), PS_TIMEOUT);
  sim_expect_elapsed(start, 0);
}

static void a_bound_master_keeps_its_end_when_a_connect_fails(void **state) {
  (void)state;
  sim_route("10.0.0.1", 0, ECONNREFUSED);
  ps_socket *m = ps_tcp().socket;
  sim_expect(ps_socket_bind(m, "10.0.0.9", port(9999), NULL), PS_OK);
  expect_code(connect_to(m, "10.0.0.1", NULL), PS_REFUSED);
  expect_code(connect_to(m, "::1", NULL), PS_BADFAMILY);
  expect_code(connect_to(m, "10.0.0.2", NULL), PS_OK);
  assert_int_equal(ps_socket_getsockname(m).port, 9999);
  ps_socket_free(m, NULL);
}

static void without_a_descriptor_for_one_family_the_other_is_tried(void **state) {
  (void)state;
  sim_host("two.test", 0, "::1 10.0.0.1");
  sim_fault(SIM_EMFILE, 2, 0); /* the first chance is the resolver's thread */
  ps_socket *m = ps_tcp().socket;
  expect_code(connect_to(m, "two.test", NULL), PS_OK);
  assert_int_equal(sim_struck(), 1);
  ps_socket_free(m, NULL);
}

/* ---- Closing at bad moments ---- */

static void a_close_wakes_who_waits(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  ps_socket *c = sim_client();
  sim_later(1, close_it, c);
  double start = sim_now();
  sim_expect_bytes(c, line(c, host), PS_CLOSED, "");
  sim_expect_elapsed(start, 1);
  ps_socket_free(c, NULL);

  c = sim_client();
  sim_writes(sim_takes(2), sim_after(100), sim_takes(9));
  sim_later(1, close_it, c);
  ps_sent sent = ps_socket_send(c, (ps_data){"hello", 5}, 1, -1, host);
  sim_expect(sent, PS_CLOSED);
  assert_int_equal(sent.last, 2);
  ps_socket_free(c, NULL);

  ps_socket *s = sim_server();
  sim_later(1, close_it, s);
  sim_expect(ps_socket_accept(s, host), PS_CLOSED);
  ps_socket_free(s, NULL);

  ps_socket *m = ps_tcp().socket;
  sim_route("10.0.0.1", INFINITY, 0);
  sim_later(1, close_it, m);
  expect_code(connect_to(m, "10.0.0.1", host), PS_CLOSED);
  ps_socket_free(m, NULL);
  assert_int_equal(sim_descriptors(), 0);
}

/* What the calls of the system say then is not for the caller. */
static void a_close_in_the_middle_of_a_call_reads_closed(void **state) {
  (void)state;
  sim_cost(1);
  ps_socket *s = sim_server();
  sim_later(0.5, close_it, s);
  sim_expect(ps_socket_accept(s, NULL), PS_CLOSED);
  ps_socket *c = sim_client();
  sim_later(0.5, close_it, c);
  sim_expect(ps_socket_send(c, (ps_data){"hello", 5}, 1, -1, NULL), PS_OK);
  sim_expect(ps_socket_send(c, (ps_data){"hello", 5}, 1, -1, NULL), PS_CLOSED);
  ps_socket *d = sim_client();
  sim_reads(sim_eagain);
  sim_later(0.5, close_it, d);
  sim_expect_bytes(d, line(d, NULL), PS_CLOSED, "");
  ps_socket_free(s, NULL);
  ps_socket_free(c, NULL);
  ps_socket_free(d, NULL);
}

/* What has come at that moment is for nobody any more. */
static void a_close_at_the_moment_of_the_bytes_is_heard(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  ps_socket *c = sim_client();
  sim_reads(sim_after(1), "one\n");
  sim_later(1, close_it, c);
  sim_expect_bytes(c, line(c, host), PS_CLOSED, "");
  ps_socket_free(c, NULL);
  c = sim_client();
  sim_writes(sim_after(1), sim_takes(9));
  sim_later(1, close_it, c);
  ps_sent sent = ps_socket_send(c, (ps_data){"hello", 5}, 1, -1, host);
  sim_expect(sent, PS_CLOSED);
  assert_int_equal(sent.last, 0);
  sim_expect_sent("");
  ps_socket_free(c, NULL);
  ps_socket *s = sim_server();
  sim_accepts(sim_after(1), sim_comes);
  sim_later(1, close_it, s);
  sim_expect(ps_socket_accept(s, host), PS_CLOSED);
  ps_socket_free(s, NULL);
}

/* That the call fails is a result of the close, whatever the system says. */
static void a_failure_after_a_close_reads_closed(void **state) {
  (void)state;
  sim_cost(1);
  for (int which = 0; which < 3; which++) {
    ps_socket *object = which == 0 ? sim_server() : sim_client();
    sim_later(0.5, close_it, object);
    ps_status status;
    if (which == 0) {
      sim_accepts(sim_error(EMFILE));
      status = ps_socket_accept(object, NULL).status;
    } else if (which == 1) {
      sim_reads(sim_error(EIO));
      status = line(object, NULL).status;
    } else {
      sim_writes(sim_error(EIO));
      status = ps_socket_send(object, (ps_data){"hello", 5}, 1, -1, NULL).status;
    }
    expect_code(status, PS_CLOSED);
    assert_int_equal(status.system, 0);
    ps_socket_free(object, NULL);
  }
}

static void a_close_gives_memory_back(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  for (int named = 0; named < 2; named++) {
    ps_socket *object = named ? ps_tcp().socket : sim_client();
    size_t empty = sim_memory();
    ps_socket_settimeout(object, 0, NULL);
    if (named)
      expect_code(connect_to(object, "slow.test", NULL), PS_TIMEOUT);
    else
      sim_reads("one\ntwo");
    if (!named) sim_expect_bytes(object, line(object, NULL), PS_OK, "one");
    assert_true(sim_memory() > empty);
    ps_socket_close(object, NULL);
    assert_int_equal(sim_memory(), empty);
    ps_socket_free(object, NULL);
  }
}

static ps_socket *idle;

static void close_the_idle_one(void *context) {
  (void)context;
  ps_socket_close(idle, NULL);
}

static void a_close_of_an_idle_object_wakes_nobody(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  idle = sim_client();
  ps_socket *c = sim_client();
  ps_socket_settimeout(c, 1, NULL);
  sim_later(0.5, close_the_idle_one, NULL);
  sim_expect_bytes(c, line(c, host), PS_TIMEOUT, "");
  assert_int_equal(sim_leaves(), 1);
  assert_int_equal(sim_questions(), 0);
  ps_socket_free(c, NULL);
  ps_socket_free(idle, NULL);
}

static void a_close_while_addresses_are_tried_ends_it(void **state) {
  (void)state;
  sim_host("two.test", 0, "10.0.0.1 10.0.0.2");
  sim_route("10.0.0.1", 1, ECONNREFUSED);
  sim_route("10.0.0.2", INFINITY, 0);
  ps_socket *m = ps_tcp().socket;
  sim_later(1, close_it, m);
  expect_code(connect_to(m, "two.test", NULL), PS_CLOSED);
  ps_socket_free(m, NULL);
}

static ps_socket *watched;

static void look_whether_it_is_open(void *fd) {
  assert_int_equal(sim_descriptors(), *(int *)fd);
  assert_int_equal(ps_socket_getfd(watched).fd, -1);
  sim_expect(ps_socket_getsockname(watched), PS_CLOSED);
  ps_socket_close(watched, NULL);
}

static void close_and_look(void *count) {
  ps_socket_close(watched, NULL);
  look_whether_it_is_open(count);
}

/* The descriptor's number may not be free for others while a call still works on it. */
static void a_close_leaves_the_descriptor_to_the_call_under_way(void **state) {
  (void)state;
  int one = 1;
  watched = sim_client();
  sim_later(1, close_and_look, &one);
  sim_expect_bytes(watched, line(watched, NULL), PS_CLOSED, "");
  assert_int_equal(sim_descriptors(), 0);
  ps_socket_free(watched, NULL);
}

/* ---- Turns ---- */

static void take_turn(void *socket) {
  atomic_fetch_add(&((ps_socket *)socket)->state, PS__RECEIVING + PS__CALL);
}

static void give_turn(void *socket) {
  atomic_fetch_sub(&((ps_socket *)socket)->state, PS__RECEIVING + PS__CALL);
}

static void two_receivers_take_turns(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  ps_socket *c = sim_client();
  sim_reads("abc\n");
  take_turn(c);
  sim_later(0.5, give_turn, c);
  double start = sim_now();
  sim_expect_bytes(c, line(c, host), PS_OK, "abc");
  assert_true(sim_now() - start < 0.53);
  ps_socket_free(c, NULL);
}

static void enter_it(ps__call *call, ps_socket *socket, unsigned turn) {
  *call = (ps__call){.self = socket, .turn = turn};
  sim_thread(2);
  assert_int_equal(ps__turn_enter(call), PS__ENTERED);
  sim_thread(1);
}

/* The object was closed while another thread was in it, whose call is not about the
   attempt or the bytes. */
static void what_a_close_could_not_drop_goes_later(void **state) {
  (void)state;
  sim_host("slow.test", 1, "10.0.0.1");
  for (int named = 0; named < 2; named++)
    for (int revived = 0; revived < 2; revived++) {
      ps_socket *object = named ? ps_tcp().socket : sim_client();
      size_t empty = sim_memory();
      ps_socket_settimeout(object, 0, NULL);
      if (named)
        expect_code(connect_to(object, "slow.test", NULL), PS_TIMEOUT);
      else
        sim_reads("one\ntwo");
      if (!named) sim_expect_bytes(object, line(object, NULL), PS_OK, "one");
      ps__call call;
      enter_it(&call, object, PS__SHARED);
      ps_socket_close(object, NULL);
      assert_int_equal(ps_socket_pending(object).size, 0);
      ps__call_end(&call);
      if (revived) {
        sim_expect(ps_socket_setfd(object, sim_adopt(4), NULL), PS_OK);
        assert_int_equal(sim_memory(), empty);
        assert_int_equal(ps_socket_pending(object).size, 0);
      }
      ps_socket_free(object, NULL);
      assert_int_equal(sim_descriptors(), 0);
    }
}

static void a_bind_waits_for_its_turn(void **state) {
  (void)state;
  ps_socket *m = ps_tcp().socket;
  ps__call call;
  enter_it(&call, m, PS__RECEIVING);
  ps_socket_settimeout(m, 0.5, NULL);
  double start = sim_now();
  sim_expect(ps_socket_bind(m, "*", port(0), NULL), PS_TIMEOUT);
  sim_expect_elapsed(start, 0.5);
  assert_int_equal(ps_socket_getfd(m).fd, -1);
  ps__call_end(&call);
  sim_expect(ps_socket_bind(m, "*", port(0), NULL), PS_OK);
  ps_socket_free(m, NULL);
}

/* It looks often at first, as most turns are short, and then does not keep the machine
   busy. */
static void a_turn_is_looked_for_at_growing_intervals(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  ps_socket *c = sim_client();
  ps__call call;
  enter_it(&call, c, PS__RECEIVING);
  ps_socket_settimeout(c, 0.01, NULL);
  sim_expect_bytes(c, line(c, host), PS_TIMEOUT, "");
  assert_in_range(sim_leaves(), 6, 8);
  int before = sim_leaves();
  ps_socket_settimeout(c, 1, NULL);
  sim_expect_bytes(c, line(c, host), PS_TIMEOUT, "");
  assert_in_range(sim_leaves() - before, 50, 60);
  ps__call_end(&call);
  ps_socket_free(c, NULL);
}

static void what_is_at_hand_has_its_turn(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_BOTH);
  ps_socket *c = sim_client();
  sim_reads("one\ntwo\n");
  sim_expect_bytes(c, line(c, host), PS_OK, "one");
  ps_socket_settimeout(c, 0, NULL);
  take_turn(c);
  sim_expect_bytes(c, line(c, host), PS_TIMEOUT, "");
  sim_expect_bytes(c, ps_socket_next(c, PS_LINE, 0, host), PS_TIMEOUT, "");
  sim_expect_bytes(c, ps_socket_receive(c, PS_COUNT(3), (ps_prefix){NULL, 0}, 0, host),
                   PS_TIMEOUT, "");
  give_turn(c);
  sim_expect_bytes(c, line(c, host), PS_OK, "two");
  ps_socket_free(c, NULL);
}

static void waiting_for_a_turn_obeys_the_limits(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  ps_socket *c = sim_client();
  take_turn(c);
  ps_socket_settimeout(c, 0.3, NULL);
  double start = sim_now();
  sim_expect_bytes(c, ps_socket_receive(c, PS_LINE, (ps_prefix){"p", 1}, 0, host),
                   PS_TIMEOUT, "p");
  sim_expect_elapsed(start, 0.3);
  ps_socket_settimeout(c, 0, NULL);
  sim_expect_bytes(c, line(c, host), PS_TIMEOUT, "");
  ps_socket_settimeout(c, -1, NULL);
  sim_stop();
  sim_expect_bytes(c, line(c, host), PS_INTERRUPTED, "");
  ps_socket_settimeout(c, 0.3, "t");
  expect_code(connect_to(c, "10.0.0.1", host), PS_TIMEOUT); /* it wants both */
  give_turn(c);
  ps_socket_free(c, NULL);
}

static void a_sender_does_not_wait_for_a_receiver(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  take_turn(c);
  double start = sim_now();
  sim_expect(ps_socket_send(c, (ps_data){"hello", 5}, 1, -1, NULL), PS_OK);
  sim_expect(ps_socket_getpeername(c), PS_OK);
  sim_expect(ps_socket_shutdown(c, "send"), PS_OK);
  sim_expect(ps_socket_detach(c), PS_BUSY);
  sim_expect_elapsed(start, 0);
  give_turn(c);
  ps_socket_free(c, NULL);
}

static void a_close_wakes_who_waits_for_a_turn(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  take_turn(c);
  sim_later(0.5, close_it, c);
  sim_expect_bytes(c, line(c, NULL), PS_CLOSED, "");
  assert_int_equal(sim_descriptors(), 1);
  /* The other call ends now, and with it the descriptor. */
  ps__call call = {.self = c, .turn = PS__RECEIVING, .process = c->state & PS__PROCESS};
  ps__call_end(&call);
  assert_int_equal(sim_descriptors(), 0);
  ps_socket_free(c, NULL);
}

/* ---- Descriptors come and go ---- */

static void a_detached_descriptor_is_the_callers(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  int fd = ps_socket_getfd(c).fd;
  sim_reads("one\ntwo");
  sim_expect_bytes(c, line(c, NULL), PS_OK, "one");
  ps_detached got = ps_socket_detach(c);
  sim_expect(got, PS_BUFFERED);
  assert_int_equal(got.fd, -1);
  sim_expect_bytes(c, ps_socket_receiveany(c, 0, NULL), PS_OK, "two");
  got = ps_socket_detach(c);
  sim_expect(got, PS_OK);
  assert_int_equal(got.fd, fd);
  assert_int_equal(ps_socket_getfd(c).fd, -1);
  sim_expect_bytes(c, line(c, NULL), PS_CLOSED, "");
  ps_socket_close(c, NULL);
  ps_socket_free(c, NULL);
  assert_int_equal(sim_descriptors(), 1);
  sim_abandon(fd);
  ps_socket *m = ps_tcp().socket;
  sim_expect(ps_socket_detach(m), PS_UNDECIDED);
  ps_socket_free(m, NULL);
}

static void a_descriptor_can_be_replaced(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  int fd = ps_socket_getfd(c).fd, other = sim_adopt(6);
  sim_expect(ps_socket_setfd(c, -1, NULL), PS_OK);
  assert_int_equal(ps_socket_getfd(c).fd, -1);
  sim_expect_bytes(c, line(c, NULL), PS_CLOSED, "");
  sim_expect(ps_socket_close(c, NULL), PS_OK);
  sim_expect(ps_socket_setfd(c, other, NULL), PS_OK);
  assert_int_equal(ps_socket_getfd(c).fd, other);
  assert_string_equal(ps_socket_getfamily(c).text, "inet6");
  assert_int_equal(ps_socket_pending(c).size, 0);
  assert_false(ps_socket_dirty(c).yes);
  /* Something that is no socket has no family. */
  int none_at_all = sim_adopt(0);
  sim_expect(ps_socket_setfd(c, none_at_all, NULL), PS_OK);
  assert_string_equal(ps_socket_getfamily(c).text, "inet6");
  sim_abandon(none_at_all);
  sim_expect(ps_socket_setfd(c, fd, NULL), PS_OK);
  sim_reads("hi\n");
  sim_expect_bytes(c, line(c, NULL), PS_OK, "hi");
  assert_int_equal(ps_socket_setfd(c, -2, NULL).status.code, PS_MISUSE_DESCRIPTOR);
  assert_int_equal(ps_socket_setfd(c, 1LL << 31, NULL).status.code, PS_MISUSE_DESCRIPTOR);
  assert_int_equal(ps_socket_getfd(c).fd, fd);
  ps_socket_free(c, NULL);
  assert_int_equal(sim_descriptors(), 1);
  sim_abandon(other);
}

static void stay_a_while(void *call) { assert_int_equal(ps__turn_leave(call), -1); }

/* setfd waits for the calls under way. Its host may stop it, and then nothing is done. */
static void a_setfd_can_be_stopped(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  ps_socket *c = sim_client();
  int fd = ps_socket_getfd(c).fd, other = sim_adopt(4);
  ps__call call;
  enter_it(&call, c, PS__SENDING);
  sim_stop();
  sim_expect(ps_socket_setfd(c, other, host), PS_INTERRUPTED);
  assert_int_equal(ps_socket_getfd(c).fd, fd);
  assert_int_equal(ps__turn_calls(c), PS__CALL);
  sim_reads("one\n");
  sim_expect_bytes(c, line(c, host), PS_OK, "one");
  double start = sim_now();
  sim_later(0.5, stay_a_while, &call);
  sim_expect(ps_socket_setfd(c, other, host), PS_OK);
  assert_int_equal(ps_socket_getfd(c).fd, other);
  sim_expect_elapsed(start, 0.5);
  sim_abandon(fd);
  ps_socket_free(c, NULL);
}

static ps__io receive_nothing(ps__call *call, char *data, size_t size) {
  (void)call;
  (void)data;
  (void)size;
  return (ps__io){.verdict = PS__WOULD_READ};
}

static size_t one_is_pending(const ps_socket *self) {
  (void)self;
  return 1;
}

/* One of TLS may have bytes that the system does not know of. */
static void bytes_in_a_transport_are_news(void **state) {
  (void)state;
  static const ps__transport transport = {.receive = receive_nothing,
                                          .pending = one_is_pending};
  ps_socket *c = sim_client();
  assert_false(ps__has_news(c));
  c->transport = &transport;
  assert_true(ps__has_news(c));
  assert_int_equal(ps_socket_pending(c).size, 1);
  ps_watch watch = {.fd = -1, .socket = c};
  sim_expect(ps_select((ps_sockets){&watch, 1}, (ps_sockets){NULL, 0}, 0, NULL), PS_OK);
  ps_socket_free(c, NULL);
}

static void shutdown_ends_one_way_or_both(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  sim_reads("ab\n", "cd");
  sim_expect(ps_socket_shutdown(c, "send"), PS_OK);
  sim_expect(ps_socket_send(c, (ps_data){"x", 1}, 1, -1, NULL), PS_CLOSED);
  sim_expect_bytes(c, line(c, NULL), PS_OK, "ab");
  sim_expect(ps_socket_shutdown(c, "receive"), PS_OK);
  sim_expect_bytes(c, line(c, NULL), PS_CLOSED, "cd");
  sim_expect(ps_socket_shutdown(c, NULL), PS_OK);
  ps_status status = ps_socket_shutdown(c, "reading").status;
  assert_int_equal(status.code, PS_MISUSE_SHUTDOWNMODE);
  assert_int_equal(status.argument, 1);
  ps_socket_free(c, NULL);
}

static void an_object_tells_what_it_is(void **state) {
  (void)state;
  ps_socket *m = ps_tcp().socket, *c = sim_client(), *s = sim_server();
  ps_text text = ps_socket_tostring(m), other = ps_socket_tostring(c);
  assert_memory_equal(text.text, "tcp{master}: 0x", 15);
  assert_memory_equal(other.text, "tcp{client}: 0x", 15);
  assert_string_not_equal(text.text + 11, other.text + 11);
  assert_memory_equal(ps_socket_tostring(s).text, "tcp{server}: 0x", 15);
  ps_socket_free(m, NULL);
  ps_socket_free(c, NULL);
  ps_socket_free(s, NULL);
}

static void an_object_is_small(void **state) {
  (void)state;
  assert_true(sizeof(ps_socket) <= 256);
  ps_socket *c = sim_client();
  assert_true(sim_memory() <= 256);
  ps_socket_free(c, NULL);
}

static void the_process_has_a_limit(void **state) {
  (void)state;
  assert_true(ps_setsize().size > 0);
  assert_string_equal(ps_version().text, "polysock " PS_VERSION);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      sim_test(masters_are_made),
      sim_test(without_memory_or_descriptors_none_is_made),
      sim_test(descriptors_are_adopted),
      sim_test(each_kind_does_its_own),
      sim_test(nobody_is_no_object),
      sim_test(after_close_everything_says_closed),
      sim_test(stats_are_kept),
      sim_test(a_server_is_bound_and_listens),
      sim_test(a_server_has_the_first_address_that_it_can),
      sim_test(a_bind_that_fails_tells_why),
      sim_test(accept_makes_a_client_without_limits),
      sim_test(an_accept_tells_what_it_waits_for),
      sim_test(an_accept_on_a_foreign_descriptor_does_not_block),
      sim_test(an_accept_that_fails_tells_why),
      sim_test(a_storm_of_aborted_connections_ends_in_time),
      sim_test(a_master_becomes_a_client),
      sim_test(a_connect_that_timed_out_is_asked_for_its_outcome),
      sim_test(an_error_that_was_asked_for_fails_the_connect),
      sim_test(every_address_is_tried),
      sim_test(the_last_failure_is_told),
      sim_test(an_address_that_resets_is_not_the_last),
      sim_test(block_limits_each_address_and_total_all),
      sim_test(with_zero_the_first_address_is_the_only_one),
      sim_test(a_stop_leaves_the_connect_under_way),
      sim_test(a_stop_between_two_addresses_is_a_stop),
      sim_test(a_client_may_choose_its_end),
      sim_test(the_timeout_of_connect_is_for_connect),
      sim_test(a_bound_master_keeps_its_end_when_a_connect_fails),
      sim_test(without_a_descriptor_for_one_family_the_other_is_tried),
      sim_test(a_close_wakes_who_waits),
      sim_test(a_close_in_the_middle_of_a_call_reads_closed),
      sim_test(a_close_at_the_moment_of_the_bytes_is_heard),
      sim_test(a_failure_after_a_close_reads_closed),
      sim_test(a_close_gives_memory_back),
      sim_test(a_close_of_an_idle_object_wakes_nobody),
      sim_test(a_close_while_addresses_are_tried_ends_it),
      sim_test(a_close_leaves_the_descriptor_to_the_call_under_way),
      sim_test(two_receivers_take_turns),
      sim_test(what_a_close_could_not_drop_goes_later),
      sim_test(a_bind_waits_for_its_turn),
      sim_test(a_turn_is_looked_for_at_growing_intervals),
      sim_test(what_is_at_hand_has_its_turn),
      sim_test(waiting_for_a_turn_obeys_the_limits),
      sim_test(a_sender_does_not_wait_for_a_receiver),
      sim_test(a_close_wakes_who_waits_for_a_turn),
      sim_test(a_detached_descriptor_is_the_callers),
      sim_test(a_descriptor_can_be_replaced),
      sim_test(a_setfd_can_be_stopped),
      sim_test(bytes_in_a_transport_are_news),
      sim_test(shutdown_ends_one_way_or_both),
      sim_test(an_object_tells_what_it_is),
      sim_test(an_object_is_small),
      sim_test(the_process_has_a_limit),
  };
  return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
