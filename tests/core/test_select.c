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
  ps_watch reads[] = {{fd_a, 0, 0, 0}, {fd_b, 0, 0, 1}, {fd_s, 0, 0, 0}, {-1, 0, 0, 1}};
  ps_watch writes[] = {{fd_a, 1, 0, 0}, {-1, 1, 0, 1}};
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
  ps_socket_free(a);
  ps_socket_free(b);
  ps_socket_free(s);
}

static void nothing_in_time_is_a_timeout(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  ps_watch reads[] = {{ps_socket_getfd(c).fd, 0, 0, 1}};
  double start = sim_now();
  sim_expect(ps_select(set_of(reads, 1), nobody, 0.25, NULL), PS_TIMEOUT);
  sim_expect_elapsed(start, 0.25);
  assert_int_equal(reads[0].ready, 0);
  start = sim_now();
  sim_expect(ps_select(set_of(reads, 1), nobody, 0, NULL), PS_TIMEOUT);
  sim_expect_elapsed(start, 0);
  sim_expect(ps_select(nobody, nobody, 1.5, NULL), PS_TIMEOUT);
  sim_expect_elapsed(start, 1.5);
  ps_socket_free(c);
}

static void without_a_limit_it_waits_on(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  ps_watch reads[] = {{ps_socket_getfd(c).fd, 0, 0, 0}};
  static const double values[] = {-1, INFINITY, -INFINITY, 1e300};
  for (int i = 0; i < 4; i++) {
    sim_reads(sim_after(1000), "x");
    sim_expect(ps_select(set_of(reads, 1), nobody, values[i], NULL), PS_OK);
    assert_int_equal(reads[0].ready, 1);
    ps_socket_receiveany(c, 0, NULL);
  }
  ps_socket_free(c);
}

static void a_buffered_one_makes_it_look_without_waiting(void **state) {
  (void)state;
  ps_socket *a = sim_client(), *b = sim_client();
  sim_reads("x");
  ps_watch reads[] = {{ps_socket_getfd(a).fd, 0, 1, 0}, {ps_socket_getfd(b).fd, 0, 0, 0}};
  double start = sim_now();
  sim_expect(ps_select(set_of(reads, 2), nobody, -1, NULL), PS_OK);
  assert_int_equal(reads[1].ready, 1);
  ps_socket_receiveany(b, 0, NULL);
  sim_expect(ps_select(set_of(reads, 2), nobody, -1, NULL), PS_OK);
  assert_int_equal(reads[1].ready, 0);
  sim_expect(ps_select(set_of(reads, 2), nobody, 0, NULL), PS_OK);
  sim_expect_elapsed(start, 0);
  ps_socket_free(a);
  ps_socket_free(b);
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

static void not_a_number_is_misuse(void **state) {
  (void)state;
  ps_status status = ps_select(nobody, nobody, NAN, NULL).status;
  assert_int_equal(status.code, PS_MISUSE_NAN);
  assert_int_equal(status.argument, 3);
}

static void a_failing_wait_is_told(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  sim_poll_fails(1, ENOMEM);
  sim_expect(ps_select(nobody, nobody, 1, host), PS_NOMEMORY);
  sim_poll_fails(2, EIO);
  ps_status status = ps_select(nobody, nobody, 1, host).status;
  assert_int_equal(status.code, PS_SYSTEM);
  assert_int_equal(status.system, EIO);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      sim_test(the_ready_ones_are_marked),
      sim_test(nothing_in_time_is_a_timeout),
      sim_test(without_a_limit_it_waits_on),
      sim_test(a_buffered_one_makes_it_look_without_waiting),
      sim_test(signals_have_their_turn),
      sim_test(not_a_number_is_misuse),
      sim_test(a_failing_wait_is_told),
  };
  return cmocka_run_group_tests_name("select", tests, NULL, NULL);
}
