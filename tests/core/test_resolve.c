/* SPDX-License-Identifier: MIT */
/* core/resolve.c on the simulated system: ports, names within time limits, and dns.*. A
   numeric address must never start a helper thread, and a look-up must not leak when its
   call ends. */

#include "os_sim.h"

static ps_port number(long long n) { return (ps_port){NULL, n}; }
static ps_port service(const char *text) { return (ps_port){text, 0}; }

static void a_good_port(ps_port port, int expected) {
  ps_object got = ps_connect("10.0.0.1", port, NULL, number(0), NULL, -1, NULL);
  sim_expect(got, PS_OK);
  assert_int_equal(ps_socket_getpeername(got.socket).port, expected);
  ps_socket_free(got.socket, NULL);
}

static void a_port_is_a_number_digits_or_a_name(void **state) {
  (void)state;
  a_good_port(number(1), 1);
  a_good_port(number(65535), 65535);
  a_good_port(service("8080"), 8080);
  a_good_port(service("0008080"), 8080);
  a_good_port(service("echo"), 7);
  sim_expect(ps_connect("10.0.0.1", service("nonesuch"), NULL, number(0), NULL, -1, NULL),
             PS_SERVICE);
  sim_expect(ps_connect("10.0.0.1", service("80x"), NULL, number(0), NULL, -1, NULL),
             PS_SERVICE);
  a_good_port(service("65535"), 65535);
  static const char *const neither[] = {"",    "-1",  "+80", " 80", "80 ",
                                        "8.0", "8 0", "0.",  "80\n"};
  for (int i = 0; i < 9; i++)
    sim_expect(
        ps_connect("10.0.0.1", service(neither[i]), NULL, number(0), NULL, -1, NULL),
        PS_SERVICE);
}

static void a_port_out_of_range_is_misuse(void **state) {
  (void)state;
  static const ps_port bad[] = {
      {NULL, 0},         {NULL, -1},        {NULL, 65536},
      {NULL, INT64_MAX}, {NULL, INT64_MIN}, {"0", 0},
      {"65536", 0},      {"70000", 0},      {"99999999999999999999999", 0},
      {"655350", 0},     {"655359", 0}};
  for (int i = 0; i < 11; i++) {
    ps_status status =
        ps_connect("10.0.0.1", bad[i], NULL, number(0), NULL, -1, NULL).status;
    assert_int_equal(status.code, PS_MISUSE_CONNECTPORT);
    assert_int_equal(status.argument, 2);
    ps_object got = ps_connect("10.0.0.1", number(80), "*", bad[i], NULL, -1, NULL);
    status = got.status;
    ps_socket_free(got.socket, NULL);
    int zero =
        bad[i].service != NULL ? strcmp(bad[i].service, "0") == 0 : bad[i].number == 0;
    assert_int_equal(status.code, zero ? PS_OK : PS_MISUSE_BINDPORT);
    if (!zero) assert_int_equal(status.argument, 4);
  }
}

static void addresses_never_leave_the_thread(void **state) {
  (void)state;
  ps_socket *m = ps_tcp().socket;
  ps_socket_settimeout(m, 0, NULL);
  sim_route("::1", -1, 0);
  sim_expect(ps_socket_connect(m, "::1", number(80), NULL), PS_OK);
  assert_string_equal(ps_socket_getfamily(m).text, "inet6");
  ps_socket_free(m, NULL);
  m = ps_tcp().socket;
  sim_expect(ps_socket_bind(m, "*", number(0), NULL), PS_OK);
  ps_socket_free(m, NULL);
  m = ps_tcp().socket;
  sim_expect(ps_socket_bind(m, "10.0.0.1", number(0), NULL), PS_OK);
  ps_socket_free(m, NULL);
  assert_int_equal(sim_lookups(), 0);
  m = ps_tcp().socket;
  sim_expect(ps_socket_bind(m, "here.test", number(0), NULL), PS_NONAME);
  assert_int_equal(sim_lookups(), 1);
  ps_socket_free(m, NULL);
}

static void an_address_of_the_wrong_family_fails(void **state) {
  (void)state;
  ps_socket *m = ps_tcp4().socket;
  sim_expect(ps_socket_connect(m, "::1", number(80), NULL), PS_BADFAMILY);
  assert_string_equal(ps_socket_getkind(m).text, "master");
  ps_socket_free(m, NULL);
  m = ps_tcp6().socket;
  sim_expect(ps_socket_bind(m, "127.0.0.1", number(0), NULL), PS_BADFAMILY);
  ps_socket_free(m, NULL);
}

static ps_status connect_to(ps_socket *m, const char *name, ps_host *host) {
  return ps_socket_connect(m, name, number(80), host).status;
}

static void a_name_that_hangs_is_abandoned(void **state) {
  (void)state;
  sim_host("hang.test", INFINITY, "10.0.0.1");
  for (int mode = 0; mode < 3; mode++) {
    ps_host *host = sim_language(SIM_VIEW);
    ps_socket *m = ps_tcp().socket;
    if (mode == 0) ps_socket_settimeout(m, 0.3, "b");
    if (mode == 1) ps_socket_settimeout(m, 0.3, "t");
    if (mode == 2) ps_socket_setdeadline(m, 0.3);
    double start = sim_now();
    assert_int_equal(connect_to(m, "hang.test", host).code, PS_TIMEOUT);
    sim_expect_elapsed(start, 0.3);
    assert_string_equal(ps_socket_getkind(m).text, "master");
    if (mode == 2) ps_socket_setdeadline(m, 0.3);
    start = sim_now();
    assert_int_equal(ps_socket_bind(m, "hang.test", number(0), host).status.code,
                     PS_TIMEOUT);
    sim_expect_elapsed(start, 0.3);
    ps_socket_free(m, NULL);
  }
}

static void the_time_of_a_name_counts(void **state) {
  (void)state;
  sim_host("slow.test", 0.6, "10.0.0.1");
  sim_route("10.0.0.1", 0.6, 0);
  ps_socket *m = ps_tcp().socket;
  ps_socket_settimeout(m, 1, "t");
  double start = sim_now();
  assert_int_equal(connect_to(m, "slow.test", NULL).code, PS_TIMEOUT);
  sim_expect_elapsed(start, 1);
  assert_string_equal(ps_socket_getkind(m).text, "client");
  assert_int_equal(connect_to(m, "slow.test", NULL).code, PS_OK);
  sim_expect_elapsed(start, 1.2);
  ps_socket_free(m, NULL);
  m = ps_tcp().socket;
  ps_socket_settimeout(m, 1, "b");
  start = sim_now();
  assert_int_equal(connect_to(m, "slow.test", NULL).code, PS_OK);
  sim_expect_elapsed(start, 1.2);
  ps_socket_free(m, NULL);
}

static void a_stop_ends_a_name_that_hangs(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  sim_host("hang.test", INFINITY, "10.0.0.1");
  ps_socket *m = ps_tcp().socket;
  sim_stop();
  double start = sim_now();
  assert_int_equal(connect_to(m, "hang.test", host).code, PS_INTERRUPTED);
  assert_true(sim_now() - start < 0.1);
  assert_string_equal(ps_socket_getkind(m).text, "master");
  ps_socket_free(m, NULL);
}

static void close_it(void *socket) { ps_socket_close(socket, NULL); }

static void a_close_ends_a_name_that_hangs(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  sim_host("hang.test", INFINITY, "10.0.0.1");
  ps_socket *m = ps_tcp().socket;
  sim_later(0.2, close_it, m);
  double start = sim_now();
  assert_int_equal(connect_to(m, "hang.test", host).code, PS_CLOSED);
  assert_true(sim_now() - start < 0.3);
  ps_socket_free(m, NULL);
}

static void a_close_at_the_moment_of_the_answer_is_heard(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  sim_host("slow.test", 0.2, "10.0.0.1");
  sim_route("10.0.0.1", INFINITY, 0);
  ps_socket *m = ps_tcp().socket;
  sim_later(0.2, close_it, m);
  assert_int_equal(connect_to(m, "slow.test", host).code, PS_CLOSED);
  assert_int_equal(ps_socket_getfd(m).fd, -1);
  ps_socket_free(m, NULL);
}

static void the_resolvers_reasons_are_told(void **state) {
  (void)state;
  static const short codes[] = {PS_NONAME, PS_AGAIN, PS_FAIL, PS_NOMEMORY, PS_SERVICE};
  ps_socket *m = ps_tcp().socket;
  static const char *const names[] = {"a.test", "b.test", "c.test", "d.test", "e.test"};
  for (int i = 0; i < 5; i++) {
    sim_host_fails(names[i], 0.1, codes[i]);
    assert_int_equal(connect_to(m, names[i], NULL).code, codes[i]);
    assert_int_equal(ps_socket_bind(m, names[i], number(0), NULL).status.code, codes[i]);
    assert_string_equal(ps_socket_getkind(m).text, "master");
    assert_int_equal(ps_socket_getfd(m).fd, -1);
  }
  assert_int_equal(connect_to(m, "nobody.test", NULL).code, PS_NONAME);
  ps_socket_free(m, NULL);
}

static void without_a_thread_or_memory_a_name_fails(void **state) {
  (void)state;
  sim_host("one.test", 0, "10.0.0.1");
  ps_socket *m = ps_tcp().socket;
  sim_fault(SIM_EMFILE, 1, 0);
  assert_int_equal(connect_to(m, "one.test", NULL).code, PS_SYSTEM);
  for (int n = 1; n <= 2; n++) {
    sim_fault(SIM_ENOMEM, n, 0);
    assert_int_equal(connect_to(m, "one.test", NULL).code, PS_NOMEMORY);
    assert_int_equal(sim_struck(), 1);
  }
  sim_fault(SIM_NO_FAULT, 0, 0);
  assert_int_equal(connect_to(m, "one.test", NULL).code, PS_OK);
  ps_socket_free(m, NULL);
}

/* ---- dns.* ---- */

static void the_hostname_is_told(void **state) {
  (void)state;
  ps_hostname got = ps_dns_gethostname();
  sim_expect(got, PS_OK);
  assert_string_equal(got.text, "here.test");
  sim_fault(SIM_EMFILE, 1, 0);
  assert_int_equal(ps_dns_gethostname().status.system, ENAMETOOLONG);
}

static void toip_tells_addresses(void **state) {
  (void)state;
  sim_host("Two.test", 0.2, "10.0.0.1 ::1 10.0.0.2");
  ps_resolved got = ps_dns_toip("two.test", -1, NULL);
  sim_expect(got, PS_OK);
  assert_string_equal(got.text, "10.0.0.1");
  assert_string_equal(got.name, "Two.test");
  assert_string_equal(got.ips->text, "10.0.0.1");
  assert_string_equal(got.ips->family, "inet");
  assert_string_equal(got.ips->next->text, "10.0.0.2");
  assert_null(got.ips->next->next);
  ps_resolved_free(got.ips);
  ps_resolved_free(got.aliases);
  sim_expect(ps_dns_toip("nobody.test", -1, NULL), PS_NONAME);
  got = ps_dns_toip("10.0.0.9", -1, NULL);
  assert_string_equal(got.text, "10.0.0.9");
  assert_string_equal(got.name, "10.0.0.9");
  ps_resolved_free(got.ips);
  ps_resolved_free(got.aliases);
}

static void a_host_knows_its_alias(void **state) {
  (void)state;
  sim_host("www.test", 0, "10.0.0.1");
  sim_canonical("two.test");
  ps_resolved got = ps_dns_toip("www.test", -1, NULL);
  sim_expect(got, PS_OK);
  assert_string_equal(got.name, "two.test");
  assert_string_equal(got.aliases->text, "www.test");
  assert_null(got.aliases->next);
  ps_resolved_free(got.ips);
  ps_resolved_free(got.aliases);
  for (int nth = 1; nth < 5; nth++) {
    sim_fault(SIM_ENOMEM, nth, 0);
    got = ps_dns_toip("www.test", -1, NULL);
    sim_expect(got, PS_NOMEMORY);
    assert_null(got.ips);
    assert_null(got.aliases);
  }
}

/* Names are compared as the resolver does: without regard to case, in ASCII. */
static void another_case_is_no_alias(void **state) {
  (void)state;
  static const struct {
    const char *asked, *canonical;
    int alias;
  } cases[] = {
      {"two.test", "two.test", 0},  {"two.test", "TWO.TEST", 0},
      {"TWO.TEST", "two.test", 0},  {"AzZa.Test", "aZzA.tEST", 0},
      {"two.test", "two.tests", 1}, {"two.tests", "two.test", 1},
      {"two.test", "twp.test", 1},  {"a[.test", "a{.test", 1},
      {"a{.test", "a[.test", 1},    {"a@.test", "a`.test", 1},
      {"a`.test", "a@.test", 1},    {"www.test", "w", 1},
      {"w", "www.test", 1},         {"w", "W", 0},
      {"a-1.test", "A-1.TEST", 0},  {"a-1.test", "am1.test", 1},
      {"a\x15.test", "a5.test", 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sim_begin();
    sim_host(cases[i].asked, 0, "10.0.0.1");
    sim_canonical(cases[i].canonical);
    ps_resolved got = ps_dns_toip(cases[i].asked, -1, NULL);
    sim_expect(got, PS_OK);
    assert_string_equal(got.name, cases[i].canonical);
    assert_int_equal(got.aliases != NULL, cases[i].alias);
    if (got.aliases != NULL) assert_string_equal(got.aliases->text, cases[i].asked);
    if (got.aliases != NULL) assert_null(got.aliases->next);
    ps_resolved_free(got.ips);
    ps_resolved_free(got.aliases);
    sim_end();
  }
}

/* A name that needs no network is had even with a timeout of 0. */
static void dns_has_a_limit(void **state) {
  (void)state;
  static const struct {
    double takes, limit;
    short code;
    double elapsed;
  } cases[] = {
      {0.005, 0, PS_OK, 0.005},
      {0.02, 0, PS_TIMEOUT, 0.01},
      {INFINITY, 0, PS_TIMEOUT, 0.01},
      {INFINITY, 0.5, PS_TIMEOUT, 0.5},
      {INFINITY, 2, PS_TIMEOUT, 2},
      {0.4, 0.5, PS_OK, 0.4},
      {7, -1, PS_OK, 7},
      {7, INFINITY, PS_OK, 7},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int which = 0; which < 4; which++) {
      sim_begin();
      ps_host *host = sim_language(SIM_VIEW);
      double start = sim_now(), limit = cases[i].limit;
      sim_host("some.test", cases[i].takes, "10.0.0.1");
      ps_resolved got = {PS__DONE, "", "", NULL, NULL};
      if (which < 2) {
        got = which == 0 ? ps_dns_toip("some.test", limit, host)
                         : ps_dns_tohostname("some.test", limit, host);
        sim_expect(got, cases[i].code);
      } else if (which == 2) {
        ps_addresses found = ps_dns_getaddrinfo("some.test", limit, host);
        sim_expect(found, cases[i].code);
        got.ips = found.entries;
      } else {
        ps_names found = ps_dns_getnameinfo("some.test", NULL, limit, host);
        sim_expect(found, cases[i].code);
        got.ips = found.names;
      }
      sim_expect_elapsed(start, cases[i].elapsed);
      assert_int_equal(got.ips != NULL, cases[i].code == PS_OK);
      ps_resolved_free(got.ips);
      ps_resolved_free(got.aliases);
      sim_end();
    }
}

/* The first call waits a moment for a name, and no later one does. */
static void a_connect_that_never_waits_has_patience_once(void **state) {
  (void)state;
  sim_host("here.test", 0.005, "10.0.0.1");
  sim_host("far.test", 1, "10.0.0.1");
  sim_route("10.0.0.1", -1, 0);
  ps_socket *m = ps_tcp().socket;
  ps_socket_settimeout(m, 0, NULL);
  double start = sim_now();
  assert_int_equal(connect_to(m, "far.test", NULL).code, PS_TIMEOUT);
  sim_expect_elapsed(start, 0.01);
  start = sim_now();
  assert_int_equal(connect_to(m, "far.test", NULL).code, PS_TIMEOUT);
  sim_expect_elapsed(start, 0);
  assert_int_equal(connect_to(m, "here.test", NULL).code, PS_OK);
  sim_expect_elapsed(start, 0.005);
  ps_socket_free(m, NULL);
}

static void tohostname_tells_names(void **state) {
  (void)state;
  sim_host("two.test", 0.2, "10.0.0.1 10.0.0.2");
  ps_resolved got = ps_dns_tohostname("10.0.0.2", -1, NULL);
  sim_expect(got, PS_OK);
  assert_string_equal(got.text, "two.test");
  assert_string_equal(got.ips->text, "10.0.0.2");
  ps_resolved_free(got.ips);
  ps_resolved_free(got.aliases);
  got = ps_dns_tohostname("two.test", -1, NULL);
  sim_expect(got, PS_OK);
  assert_string_equal(got.text, "two.test");
  ps_resolved_free(got.ips);
  ps_resolved_free(got.aliases);
  sim_expect(ps_dns_tohostname("10.9.9.9", -1, NULL), PS_NONAME);
  /* Of a name it tells what the host is really called. */
  sim_host("www.test", 0, "10.0.0.7");
  sim_canonical("real.test");
  got = ps_dns_tohostname("www.test", -1, NULL);
  sim_expect(got, PS_OK);
  assert_string_equal(got.text, "real.test");
  assert_string_equal(got.name, "real.test");
  assert_string_equal(got.aliases->text, "www.test");
  ps_resolved_free(got.ips);
  ps_resolved_free(got.aliases);
}

static void getaddrinfo_tells_both_families(void **state) {
  (void)state;
  sim_host("two.test", 0.2, "10.0.0.1 ::1");
  ps_addresses got = ps_dns_getaddrinfo("two.test", -1, NULL);
  sim_expect(got, PS_OK);
  assert_string_equal(got.entries->family, "inet");
  assert_string_equal(got.entries->next->family, "inet6");
  assert_string_equal(got.entries->next->text, "::1");
  ps_resolved_free(got.entries);
  got = ps_dns_getaddrinfo("nobody.test", -1, NULL);
  sim_expect(got, PS_NONAME);
  assert_null(got.entries);
}

static void getnameinfo_tells_names_and_services(void **state) {
  (void)state;
  sim_host("two.test", 0.2, "10.0.0.1");
  ps_names got = ps_dns_getnameinfo("10.0.0.1", "7", -1, NULL);
  sim_expect(got, PS_OK);
  assert_string_equal(got.names->text, "two.test");
  assert_string_equal(got.service, "echo");
  ps_resolved_free(got.names);
  got = ps_dns_getnameinfo("10.0.0.1", NULL, -1, NULL);
  sim_expect(got, PS_OK);
  assert_string_equal(got.service, "");
  ps_resolved_free(got.names);
  got = ps_dns_getnameinfo(NULL, "7", -1, NULL);
  sim_expect(got, PS_OK);
  assert_null(got.names);
  assert_string_equal(got.service, "echo");
  assert_int_equal(ps_dns_getnameinfo(NULL, NULL, -1, NULL).status.code,
                   PS_MISUSE_NOLOOKUP);
  sim_expect(ps_dns_getnameinfo("nobody.test", NULL, -1, NULL), PS_NONAME);
  got = ps_dns_getnameinfo("nobody.test", "7", -1, NULL);
  sim_expect(got, PS_NONAME);
  assert_string_equal(got.service, "");
}

static void dns_hears_signals(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_VIEW);
  sim_host("hang.test", INFINITY, "10.0.0.1");
  sim_stop();
  sim_expect(ps_dns_toip("hang.test", -1, host), PS_INTERRUPTED);
  sim_stop();
  sim_expect(ps_dns_tohostname("hang.test", -1, host), PS_INTERRUPTED);
  sim_stop();
  sim_expect(ps_dns_getaddrinfo("hang.test", -1, host), PS_INTERRUPTED);
  sim_stop();
  sim_expect(ps_dns_getnameinfo("hang.test", NULL, -1, host), PS_INTERRUPTED);
}

static void dns_without_memory_leaks_nothing(void **state) {
  (void)state;
  for (int which = 0; which < 5; which++)
    for (int nth = 1, struck = 1; struck > 0; nth++) {
      sim_begin();
      sim_host("Two.test", 0.2, "10.0.0.1 10.0.0.2");
      sim_fault(SIM_ENOMEM, nth, 0);
      short code;
      int right = 1;
      if (which < 3) {
        ps_resolved got = which == 0   ? ps_dns_toip("two.test", -1, NULL)
                          : which == 1 ? ps_dns_tohostname("10.0.0.1", -1, NULL)
                                       : ps_dns_tohostname("two.test", -1, NULL);
        code = got.status.code;
        right = strcmp(got.text, which == 0 ? "10.0.0.1" : "Two.test") == 0;
        ps_resolved_free(got.aliases);
        ps_resolved_free(got.ips);
      } else if (which == 3) {
        ps_addresses got = ps_dns_getaddrinfo("two.test", -1, NULL);
        code = got.status.code;
        right = code != PS_OK || strcmp(got.entries->next->text, "10.0.0.2") == 0;
        ps_resolved_free(got.entries);
      } else {
        ps_names got = ps_dns_getnameinfo("two.test", "7", -1, NULL);
        code = got.status.code;
        right = code != PS_OK || strcmp(got.names->text, "Two.test") == 0;
        ps_resolved_free(got.names);
      }
      struck = sim_struck();
      if (code != PS_NOMEMORY || struck == 0) assert_int_equal(code, PS_OK);
      if (code == PS_OK) assert_true(right);
      sim_end();
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      sim_test(a_port_is_a_number_digits_or_a_name),
      sim_test(a_port_out_of_range_is_misuse),
      sim_test(addresses_never_leave_the_thread),
      sim_test(an_address_of_the_wrong_family_fails),
      sim_test(a_name_that_hangs_is_abandoned),
      sim_test(the_time_of_a_name_counts),
      sim_test(a_stop_ends_a_name_that_hangs),
      sim_test(a_close_ends_a_name_that_hangs),
      sim_test(a_close_at_the_moment_of_the_answer_is_heard),
      sim_test(the_resolvers_reasons_are_told),
      sim_test(without_a_thread_or_memory_a_name_fails),
      sim_test(the_hostname_is_told),
      sim_test(toip_tells_addresses),
      sim_test(a_host_knows_its_alias),
      cmocka_unit_test(another_case_is_no_alias),
      cmocka_unit_test(dns_has_a_limit),
      sim_test(a_connect_that_never_waits_has_patience_once),
      sim_test(tohostname_tells_names),
      sim_test(getaddrinfo_tells_both_families),
      sim_test(getnameinfo_tells_names_and_services),
      sim_test(dns_hears_signals),
      cmocka_unit_test(dns_without_memory_leaks_nothing),
  };
  return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
