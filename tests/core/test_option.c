/* SPDX-License-Identifier: MIT */
/* core/option.c on the simulated system: names, types, units, and who refuses what. */

#include "os_sim.h"

static ps_option flag(int on) { return (ps_option){.type = PS_FLAG, .flag = on}; }

static ps_option integer(long long number) {
  return (ps_option){
      .type = PS_NUMBER, .integral = 1, .integer = number, .number = (double)number};
}

static ps_option seconds(double number) {
  return (ps_option){.type = PS_NUMBER, .integral = 0, .number = number};
}

static ps_option text(const char *words) {
  ps_option made = {.type = PS_TEXT};
  strncpy(made.text, words, sizeof made.text - 1);
  return made;
}

static ps_option linger(int on, double number) {
  return (ps_option){.type = PS_LINGER, .flag = on, .number = number};
}

static void every_option_can_be_set_and_read(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  static const char *const flags[] = {"keepalive",   "reuseaddr",
                                      "reuseport",   "tcp-nodelay",
                                      "ipv6-v6only", "tcp-fastopen-connect"};
  for (int i = 0; i < 6; i++)
    for (int on = 1; on >= 0; on--) {
      sim_expect(ps_socket_setoption(c, flags[i], flag(on * 2)), PS_OK);
      ps_value got = ps_socket_getoption(c, flags[i]);
      sim_expect(got, PS_OK);
      assert_int_equal(got.value.type, PS_FLAG);
      assert_int_equal(got.value.flag, on);
    }
  static const char *const numbers[] = {
      "tcp-keepidle", "tcp-keepcnt",      "tcp-keepintvl",   "tcp-defer-accept",
      "tcp-fastopen", "recv-buffer-size", "send-buffer-size"};
  for (int i = 0; i < 7; i++) {
    sim_expect(ps_socket_setoption(c, numbers[i], integer(17 + i)), PS_OK);
    ps_value got = ps_socket_getoption(c, numbers[i]);
    sim_expect(got, PS_OK);
    assert_int_equal(got.value.type, PS_NUMBER);
    assert_true(got.value.integral);
    assert_int_equal(got.value.integer, 17 + i);
  }
  sim_expect(ps_socket_setoption(c, "bindtodevice", text("lo")), PS_OK);
  ps_value got = ps_socket_getoption(c, "bindtodevice");
  assert_int_equal(got.value.type, PS_TEXT);
  assert_string_equal(got.value.text, "lo");
  sim_expect(ps_socket_setoption(c, "linger", linger(1, 5)), PS_OK);
  got = ps_socket_getoption(c, "linger");
  assert_int_equal(got.value.type, PS_LINGER);
  assert_true(got.value.flag);
  assert_true(got.value.number == 5);
  ps_socket_free(c, NULL);
}

static void seconds_are_rounded_up(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  static const struct {
    double in, out;
  } values[] = {{1.5, 1.5},
                {0.0001, 0.001},
                {0, 0},
                {0.0011, 0.002},
                {1e300, 2147483.647},
                {INFINITY, 2147483.647},
                {-INFINITY, -2147483.648},
                {2147483.6461, 2147483.647},
                {2147483.648, 2147483.647},
                {3e6, 2147483.647},
                {-2147483.6479, -2147483.647},
                {-2147483.649, -2147483.648},
                {-3e6, -2147483.648},
                {-0.5, -0.5}};
  for (int i = 0; i < 14; i++) {
    sim_expect(ps_socket_setoption(c, "tcp-user-timeout", seconds(values[i].in)), PS_OK);
    ps_value got = ps_socket_getoption(c, "tcp-user-timeout");
    assert_int_equal(got.value.type, PS_NUMBER);
    assert_false(got.value.integral);
    assert_true(got.value.number == values[i].out);
  }
  sim_expect(ps_socket_setoption(c, "tcp-user-timeout", integer(2)), PS_OK);
  assert_true(ps_socket_getoption(c, "tcp-user-timeout").value.number == 2);
  sim_expect(ps_socket_setoption(c, "linger", linger(1, 0.2)), PS_OK);
  assert_true(ps_socket_getoption(c, "linger").value.number == 1);
  ps_socket_free(c, NULL);
}

/* That is how a program resets a connection. */
static void linger_may_be_no_time(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  sim_expect(ps_socket_setoption(c, "linger", linger(1, 5)), PS_OK);
  sim_expect(ps_socket_setoption(c, "linger", linger(1, 0)), PS_OK);
  ps_value got = ps_socket_getoption(c, "linger");
  assert_true(got.value.flag);
  assert_true(got.value.number == 0);
  sim_expect(ps_socket_setoption(c, "linger", linger(0, 0.5)), PS_OK);
  got = ps_socket_getoption(c, "linger");
  assert_false(got.value.flag);
  assert_true(got.value.number == 1);
  ps_socket_free(c, NULL);
}

static void wrong_types_are_misuse(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  const struct {
    const char *name;
    ps_option value;
    short code;
  } wrong[] = {
      {"keepalive", integer(1), PS_MISUSE_NOTFLAG},
      {"keepalive", {.type = PS_NIL}, PS_MISUSE_NOTFLAG},
      {"tcp-keepidle", flag(1), PS_MISUSE_NOTINTEGER},
      {"tcp-keepidle", seconds(2.5), PS_MISUSE_NOTINTEGER},
      {"tcp-user-timeout", text("x"), PS_MISUSE_NOTNUMBER},
      {"tcp-user-timeout", seconds(NAN), PS_MISUSE_NAN},
      {"bindtodevice", integer(1), PS_MISUSE_NOTTEXT},
      {"linger", flag(1), PS_MISUSE_NOTLINGER},
      {"linger", linger(1, NAN), PS_MISUSE_NOTLINGER},
      {"linger", linger(1, -0.001), PS_MISUSE_NOTLINGER},
      {"linger", {.type = PS_NIL}, PS_MISUSE_NOTLINGER},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    ps_status status = ps_socket_setoption(c, wrong[i].name, wrong[i].value).status;
    assert_int_equal(status.code, wrong[i].code);
    assert_int_equal(status.argument, 2);
  }
  ps_socket_free(c, NULL);
}

static void unknown_names_are_misuse(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  static const char *const names[] = {"", "keepaliv", "keepalives", "KEEPALIVE",
                                      "tcp_nodelay"};
  char buffer[PS_WORDS];
  for (int i = 0; i < 5; i++) {
    ps_status status = ps_socket_setoption(c, names[i], flag(1)).status;
    assert_int_equal(status.code, PS_MISUSE_OPTION);
    assert_int_equal(status.argument, 1);
    assert_string_equal(status.detail, names[i]);
    status = ps_socket_getoption(c, names[i]).status;
    assert_int_equal(status.code, PS_MISUSE_OPTION);
    assert_int_equal(status.argument, 1);
    assert_string_equal(status.detail, names[i]);
  }
  ps_status status = ps_socket_setoption(c, "x", flag(1)).status;
  assert_string_equal(ps_status_words(status, buffer), "unsupported option 'x'");
  assert_int_equal(ps_socket_setoption(c, "error", text("x")).status.code,
                   PS_MISUSE_OPTION);
  assert_int_equal(ps_socket_setoption(NULL, "keepalive", flag(1)).status.code,
                   PS_MISUSE_NOTOBJECT);
  assert_int_equal(ps_socket_getoption(NULL, "keepalive").status.code,
                   PS_MISUSE_NOTOBJECT);
  /* Who has no object is told that first. */
  assert_int_equal(ps_socket_setoption(NULL, "x", flag(1)).status.code,
                   PS_MISUSE_NOTOBJECT);
  assert_int_equal(ps_socket_setoption(NULL, "keepalive", text("x")).status.code,
                   PS_MISUSE_NOTOBJECT);
  assert_int_equal(ps_socket_getoption(NULL, "x").status.code, PS_MISUSE_NOTOBJECT);
  ps_socket_free(c, NULL);
}

static void refusals_have_the_systems_reason(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  sim_option_fails(PS__OPTION_KEEPCNT, EINVAL);
  sim_option_fails(PS__OPTION_DEVICE, EACCES);
  sim_option_lacks(PS__OPTION_FASTOPEN);
  ps_status status = ps_socket_setoption(c, "tcp-keepcnt", integer(-1)).status;
  assert_int_equal(status.code, PS_SYSTEM);
  assert_int_equal(status.system, EINVAL);
  assert_int_equal(ps_socket_getoption(c, "tcp-keepcnt").status.system, EINVAL);
  sim_expect(ps_socket_setoption(c, "bindtodevice", text("eth0")), PS_PERMISSION);
  sim_expect(ps_socket_setoption(c, "tcp-fastopen", integer(1)), PS_NOOPTION);
  sim_expect(ps_socket_getoption(c, "tcp-fastopen"), PS_NOOPTION);
  ps_socket_free(c, NULL);
}

static void without_a_socket_there_are_no_options(void **state) {
  (void)state;
  ps_socket *m = ps_tcp().socket;
  sim_expect(ps_socket_setoption(m, "keepalive", flag(1)), PS_UNDECIDED);
  sim_expect(ps_socket_getoption(m, "keepalive"), PS_UNDECIDED);
  assert_int_equal(ps_socket_setoption(m, "keepalive", integer(1)).status.code,
                   PS_MISUSE_NOTFLAG);
  ps_socket_close(m, NULL);
  sim_expect(ps_socket_setoption(m, "keepalive", flag(1)), PS_CLOSED);
  sim_expect(ps_socket_getoption(m, "keepalive"), PS_CLOSED);
  ps_socket_free(m, NULL);
}

static void the_pending_error_is_told_once(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  assert_int_equal(ps_socket_getoption(c, "error").value.type, PS_NIL);
  sim_reads(sim_reset, sim_error(ECONNREFUSED), sim_error(EIO), sim_error(ETIMEDOUT));
  ps_prefix none = {NULL, 0};
  char words[PS_WORDS];
  ps_socket_receive(c, PS_LINE, none, 0, NULL);
  ps_value got = ps_socket_getoption(c, "error");
  sim_expect(got, PS_OK);
  assert_int_equal(got.value.type, PS_TEXT);
  /* The number behind "closed" is told by the system's own words. */
  assert_string_equal(got.value.text, ps__os_words(ECONNRESET, words, sizeof words));
  assert_int_equal(ps_socket_getoption(c, "error").value.type, PS_NIL);
  ps_socket_receive(c, PS_LINE, none, 0, NULL);
  assert_string_equal(ps_socket_getoption(c, "error").value.text, "connection refused");
  ps_socket_receive(c, PS_LINE, none, 0, NULL);
  assert_string_equal(ps_socket_getoption(c, "error").value.text,
                      ps__os_words(EIO, words, sizeof words));
  ps_socket_receive(c, PS_LINE, none, 0, NULL);
  /* And it is no limit that has expired. */
  got = ps_socket_getoption(c, "error");
  assert_string_not_equal(got.value.text, "timeout");
  assert_string_equal(got.value.text, ps__os_words(ETIMEDOUT, words, sizeof words));
  ps_socket_free(c, NULL);
}

/* Reading the error clears it, and then the system says that the stream has ended. But it
   has not: whoever receives has to know. */
static void an_error_that_was_read_still_fails_the_receive(void **state) {
  (void)state;
  ps_prefix none = {NULL, 0};
  ps_socket *c = sim_client();
  sim_reads("half", sim_eof);
  sim_pends(ECONNRESET);
  assert_int_equal(ps_socket_getoption(c, "error").value.type, PS_TEXT);
  assert_int_equal(ps_socket_getoption(c, "error").value.type, PS_NIL);
  ps_bytes got = ps_socket_receive(c, PS_ALL, none, 0, NULL);
  assert_int_equal(got.status.system, ECONNRESET);
  sim_expect_bytes(c, got, PS_CLOSED, "half");
  ps_socket_free(c, NULL);
  c = sim_client(); /* the same if a receive has met it before */
  sim_reads(sim_reset, sim_eof);
  sim_expect(ps_socket_receive(c, PS_LINE, none, 0, NULL), PS_CLOSED);
  assert_int_equal(ps_socket_getoption(c, "error").value.type, PS_TEXT);
  assert_int_equal(ps_socket_getoption(c, "error").value.type, PS_NIL);
  got = ps_socket_receive(c, PS_ALL, none, 0, NULL);
  assert_int_equal(got.status.system, ECONNRESET);
  ps_socket_free(c, NULL);
}

/* It is known to the system, and older ones do not matter. */
static void the_error_of_the_system_is_the_one_told(void **state) {
  (void)state;
  ps_prefix none = {NULL, 0};
  ps_socket *c = sim_client();
  sim_reads(sim_error(ECONNREFUSED));
  sim_expect(ps_socket_receive(c, PS_LINE, none, 0, NULL), PS_REFUSED);
  sim_pends(EACCES);
  assert_string_equal(ps_socket_getoption(c, "error").value.text, "permission denied");
  assert_int_equal(ps_socket_getoption(c, "error").value.type, PS_NIL);
  ps_socket_free(c, NULL);
}

static void a_pending_error_of_the_system_comes_first(void **state) {
  (void)state;
  ps_socket *m = ps_tcp4().socket;
  ps_socket_settimeout(m, 0, NULL);
  sim_route("10.0.0.1", 1, ECONNREFUSED);
  sim_expect(ps_socket_connect(m, "10.0.0.1", (ps_port){NULL, 80}, NULL), PS_TIMEOUT);
  sim_pass(1);
  assert_string_equal(ps_socket_getoption(m, "error").value.text, "connection refused");
  assert_int_equal(ps_socket_getoption(m, "error").value.type, PS_NIL);
  ps_socket_free(m, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      sim_test(every_option_can_be_set_and_read),
      sim_test(seconds_are_rounded_up),
      sim_test(linger_may_be_no_time),
      sim_test(wrong_types_are_misuse),
      sim_test(unknown_names_are_misuse),
      sim_test(refusals_have_the_systems_reason),
      sim_test(without_a_socket_there_are_no_options),
      sim_test(the_pending_error_is_told_once),
      sim_test(an_error_that_was_read_still_fails_the_receive),
      sim_test(the_error_of_the_system_is_the_one_told),
      sim_test(a_pending_error_of_the_system_comes_first),
  };
  return cmocka_run_group_tests_name("option", tests, NULL, NULL);
}
