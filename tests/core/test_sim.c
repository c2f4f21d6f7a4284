/* SPDX-License-Identifier: MIT */
/* The simulated system itself, where other tests rely on it: what wakes a wait, and
   look-ups that outlive the call that began them. */

#include <stdlib.h>

#include "os_sim.h"

static const ps_sockets nothing = {NULL, 0};

static void wake(void *context) {
  (void)context;
  ps__os_wake();
}

static void a_wake_ends_a_wait(void **state) {
  (void)state;
  ps__waker waker;
  ps__os_waker_begin(&waker);
  assert_int_equal(sim_wakers(), 1);
  sim_later(0.5, wake, NULL);
  double start = sim_now();
  assert_int_equal(ps__os_poll(&nothing, 1, INFINITY, &waker), 0);
  assert_true(waker.woken);
  sim_expect_elapsed(start, 0.5);
  /* It is fresh again. */
  assert_int_equal(ps__os_poll(&nothing, 1, 1, &waker), 0);
  assert_false(waker.woken);
  sim_expect_elapsed(start, 1.5);
  ps__os_wake();
  assert_int_equal(ps__os_poll(&nothing, 1, INFINITY, &waker), 0);
  assert_true(waker.woken);
  sim_expect_elapsed(start, 1.5);
  ps__os_waker_end(&waker);
  assert_int_equal(sim_wakers(), 0);
}

static void a_wake_before_the_begin_is_not_felt(void **state) {
  (void)state;
  ps__waker waker;
  ps__os_wake();
  ps__os_waker_begin(&waker);
  assert_int_equal(ps__os_poll(&nothing, 1, 1, &waker), 0);
  assert_false(waker.woken);
  ps__os_waker_end(&waker);
}

static void without_a_descriptor_a_wait_looks_up(void **state) {
  (void)state;
  ps__waker waker;
  sim_fault(SIM_EMFILE, 1, 1);
  ps__os_waker_begin(&waker);
  assert_int_equal(waker.fd, -1);
  double start = sim_now();
  assert_int_equal(ps__os_poll(&nothing, 1, INFINITY, &waker), 0);
  assert_true(waker.woken);
  sim_expect_elapsed(start, 0.05);
  ps__os_waker_end(&waker);
}

static void a_child_looks_up_at_once(void **state) {
  (void)state;
  ps__waker waker;
  ps__os_waker_begin(&waker);
  sim_process(ps__os_process() + 1);
  double start = sim_now();
  assert_int_equal(ps__os_poll(&nothing, 1, INFINITY, &waker), 0);
  assert_true(waker.woken);
  assert_true(sim_now() == start);
  ps__os_waker_end(&waker);
}

static void process_and_thread_are_what_a_test_says(void **state) {
  (void)state;
  assert_int_equal(ps__os_process(), 0);
  assert_int_equal(ps__os_thread(), 1);
  sim_process(3);
  sim_thread(7);
  assert_int_equal(ps__os_process(), 3);
  assert_int_equal(ps__os_thread(), 7);
}

static void a_lookup_goes_on_without_its_call(void **state) {
  (void)state;
  sim_host("slow.test", 2, "10.0.0.1");
  ps__lookup question = {"slow.test", "80", 0, 0, PS__DONE, NULL, "", ""}, *lookup;
  assert_int_equal(ps__os_lookup_start(&question, &lookup), 0);
  assert_false(ps__os_lookup_wait(lookup, 0.5));
  sim_pass(1);
  assert_false(ps__os_lookup_done(lookup));
  ps__waker waker;
  ps__os_waker_begin(&waker);
  double start = sim_now();
  assert_int_equal(ps__os_poll(&nothing, 1, INFINITY, &waker), 0);
  assert_true(waker.woken);
  sim_expect_elapsed(start, 0.5);
  assert_true(ps__os_lookup_done(lookup));
  assert_string_equal(lookup->records->ip, "10.0.0.1");
  ps__os_waker_end(&waker);
  ps__os_lookup_drop(lookup);
}

static void options_are_copied(void **state) {
  (void)state;
  int from = sim_adopt(4), to = sim_adopt(4);
  ps_option value = {.type = PS_NUMBER, .integral = 1, .integer = 33};
  assert_int_equal(ps__os_setoption(from, PS__OPTION_KEEPIDLE, &value), 0);
  assert_int_equal(ps__os_copyoption(from, to, PS__OPTION_KEEPIDLE), 0);
  value.integer = 0;
  assert_int_equal(ps__os_getoption(to, PS__OPTION_KEEPIDLE, &value), 0);
  assert_int_equal(value.integer, 33);
  assert_int_equal(ps__os_copyoption(from, to, PS__OPTION_ERROR), EINVAL);
  sim_option_fails(PS__OPTION_KEEPIDLE, EACCES);
  assert_int_equal(ps__os_copyoption(from, to, PS__OPTION_KEEPIDLE), EACCES);
  sim_abandon(from);
  sim_abandon(to);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      sim_test(a_wake_ends_a_wait),
      sim_test(a_wake_before_the_begin_is_not_felt),
      sim_test(without_a_descriptor_a_wait_looks_up),
      sim_test(a_child_looks_up_at_once),
      sim_test(process_and_thread_are_what_a_test_says),
      sim_test(a_lookup_goes_on_without_its_call),
      sim_test(options_are_copied),
  };
  return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}
