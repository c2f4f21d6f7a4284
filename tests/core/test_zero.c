/* SPDX-License-Identifier: MIT */
/* Descriptor 0 on the simulated system: a process that has closed its standard input gets
   that number for the next socket, and it is as good as any. */

#include "os_sim.h"

static const ps_prefix none = {NULL, 0};
static const ps_port eighty = {NULL, 80};

static ps_bytes line(ps_socket *c) {
  return ps_socket_receive(c, PS_LINE, none, 0, NULL);
}

static void close_it(void *socket) { ps_socket_close(socket, NULL); }

static void a_client_works(void **state) {
  (void)state;
  sim_from_zero();
  ps_socket *c = sim_client();
  assert_int_equal(ps_socket_getfd(c).fd, 0);
  sim_reads(sim_after(1), "one\n");
  sim_expect_bytes(c, line(c), PS_OK, "one");
  sim_expect(ps_socket_send(c, (ps_data){"hello", 5}, 1, -1, NULL), PS_OK);
  sim_expect_sent("hello");
  sim_expect(ps_socket_getpeername(c), PS_OK);
  sim_expect(ps_socket_getsockname(c), PS_OK);
  ps_option on = {.type = PS_FLAG, .flag = 1};
  sim_expect(ps_socket_setoption(c, "keepalive", on), PS_OK);
  assert_int_equal(ps_socket_getoption(c, "keepalive").value.flag, 1);
  ps_watch watch = {.fd = -1, .socket = c};
  sim_expect(ps_select((ps_sockets){&watch, 1}, (ps_sockets){NULL, 0}, 1, NULL),
             PS_TIMEOUT);
  sim_expect(ps_socket_shutdown(c, "send"), PS_OK);
  ps_socket_close(c, NULL);
  assert_int_equal(sim_descriptors(), 0);
  ps_socket_free(c, NULL);
}

static void a_close_from_another_thread_closes_it(void **state) {
  (void)state;
  sim_from_zero();
  ps_socket *c = sim_client();
  sim_later(1, close_it, c);
  sim_expect_bytes(c, line(c), PS_CLOSED, "");
  assert_int_equal(sim_descriptors(), 0);
  ps_socket_free(c, NULL);
}

static void a_master_connects(void **state) {
  (void)state;
  sim_from_zero();
  sim_route("10.0.0.1", 0.1, ECONNREFUSED);
  sim_route("10.0.0.2", 0.1, 0);
  ps_socket *m = ps_tcp4().socket;
  assert_int_equal(ps_socket_getfd(m).fd, 0);
  sim_expect(ps_socket_connect(m, "10.0.0.1", eighty, NULL), PS_REFUSED);
  sim_expect(ps_socket_connect(m, "10.0.0.2", eighty, NULL), PS_OK);
  assert_int_equal(ps_socket_getfd(m).fd, 0);
  assert_int_equal(sim_descriptors(), 1);
  ps_socket_free(m, NULL);
}

static void a_master_of_no_family_connects(void **state) {
  (void)state;
  sim_from_zero();
  sim_host("both.test", 0, "10.0.0.1 ::1 10.0.0.2");
  sim_route("10.0.0.1", 0.1, ECONNREFUSED);
  sim_route("::1", 0.1, ECONNREFUSED);
  sim_route("10.0.0.2", 0.1, 0);
  ps_socket *m = ps_tcp().socket;
  sim_expect(ps_socket_connect(m, "both.test", eighty, NULL), PS_OK);
  assert_int_equal(ps_socket_getfd(m).fd, 0); /* both families had it */
  assert_string_equal(ps_socket_getpeername(m).ip, "10.0.0.2");
  assert_int_equal(sim_descriptors(), 1);
  ps_socket_free(m, NULL);
}

/* No other socket takes its place without need. */
static void a_master_keeps_it(void **state) {
  (void)state;
  sim_from_zero();
  sim_without_dup();
  ps_socket *m = ps_tcp4().socket;
  sim_expect(ps_socket_connect(m, "10.0.0.1", eighty, NULL), PS_OK);
  assert_int_equal(ps_socket_getfd(m).fd, 0);
  ps_socket_free(m, NULL);
}

static void a_master_that_cannot_be_undone_is_replaced(void **state) {
  (void)state;
  sim_from_zero();
  sim_without_dup();
  sim_host("two.test", 0, "10.0.0.1 10.0.0.2");
  sim_route("10.0.0.1", 0.1, ECONNREFUSED);
  ps_socket *m = ps_tcp4().socket;
  sim_expect(ps_socket_connect(m, "two.test", eighty, NULL), PS_OK);
  assert_int_not_equal(ps_socket_getfd(m).fd, 0);
  assert_int_equal(sim_descriptors(), 1);
  ps_socket_free(m, NULL);
}

static void a_server_accepts(void **state) {
  (void)state;
  sim_from_zero();
  ps_socket *s = sim_server();
  assert_int_equal(ps_socket_getfd(s).fd, 0);
  sim_accepts(sim_after(1), sim_comes);
  ps_object made = ps_socket_accept(s, NULL);
  sim_expect(made, PS_OK);
  ps_socket_free(made.socket, NULL);
  /* The same as one that may block. */
  sim_expect(ps_socket_setfd(s, 0, NULL), PS_OK);
  ps_socket_settimeout(s, 0, NULL);
  int calls = sim_calls();
  sim_expect(ps_socket_accept(s, NULL), PS_TIMEOUT);
  assert_int_equal(sim_calls(), calls);
  ps_socket_free(s, NULL);
  assert_int_equal(sim_descriptors(), 0);
}

static void it_is_adopted_detached_and_replaced(void **state) {
  (void)state;
  sim_from_zero();
  int zero = sim_adopt(6), one = sim_adopt(4);
  assert_int_equal(zero, 0);
  ps_object made = ps_fromfd(one, "client");
  sim_expect(made, PS_OK);
  ps_socket *c = made.socket;
  assert_string_equal(ps_socket_getfamily(c).text, "inet4");
  sim_expect(ps_socket_setfd(c, zero, NULL), PS_OK);
  assert_int_equal(ps_socket_getfd(c).fd, zero);
  assert_string_equal(ps_socket_getfamily(c).text, "inet6");
  sim_expect(ps_socket_getsockname(c), PS_OK); /* it is open */
  ps_detached got = ps_socket_detach(c);
  sim_expect(got, PS_OK);
  assert_int_equal(got.fd, zero);
  ps_socket_free(c, NULL);
  made = ps_fromfd(zero, "client");
  sim_expect(made, PS_OK);
  assert_int_equal(ps_socket_getfd(made.socket).fd, zero);
  ps_socket_free(made.socket, NULL);
  assert_int_equal(sim_descriptors(), 1);
  sim_abandon(one);
}

static void a_poller_watches_it(void **state) {
  (void)state;
  sim_from_zero();
  ps_poller *poller = ps_poller_make().poller;
  ps_socket *c = sim_client();
  sim_expect(ps_poller_add(poller, (ps_source){c, -1}, "r", c), PS_OK);
  sim_reads(sim_after(1), "one\n", sim_after(1), "two\n");
  double start = sim_now();
  sim_expect(ps_poller_wait(poller, -1, 0, NULL), PS_OK);
  sim_expect_elapsed(start, 1);
  sim_expect_bytes(c, line(c), PS_OK, "one");
  sim_expect(ps_socket_setfd(c, 0, NULL), PS_OK); /* it stays a member */
  sim_expect(ps_poller_wait(poller, -1, 0, NULL), PS_OK);
  sim_expect_elapsed(start, 2);
  sim_expect_bytes(c, line(c), PS_OK, "two");
  ps_socket_close(c, NULL);
  assert_int_equal(sim_descriptors(), 0);
  ps_socket_free(c, NULL);
  ps_poller_free(poller);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      sim_test(a_client_works),      sim_test(a_close_from_another_thread_closes_it),
      sim_test(a_master_connects),   sim_test(a_master_of_no_family_connects),
      sim_test(a_master_keeps_it),   sim_test(a_master_that_cannot_be_undone_is_replaced),
      sim_test(a_server_accepts),    sim_test(it_is_adopted_detached_and_replaced),
      sim_test(a_poller_watches_it),
  };
  return cmocka_run_group_tests_name("zero", tests, NULL, NULL);
}
