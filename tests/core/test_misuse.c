/* SPDX-License-Identifier: MIT */
/* What callers get wrong, on the simulated system: NULL for an object in each function,
   numbers beyond all types, texts that have to be cut. */

#include "os_sim.h"

#include <limits.h>
#include <stdio.h>

static const ps_prefix none = {NULL, 0};
static const ps_data hello = {"hello", 5};
static const ps_port zero = {NULL, 0};

/* ---- NULL ---- */

static void calls_on_nobody_are_misuse(void **state) {
  (void)state;
  char room[4];
  ps_option on = {PS_FLAG, 1, 1, 1, 0, ""};
  for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
    ps_host *host = sim_language(language);
    const ps_status statuses[] = {
        ps_socket_accept(NULL, host).status,
        ps_socket_bind(NULL, "*", zero, host).status,
        ps_socket_listen(NULL, 1).status,
        ps_socket_connect(NULL, "10.0.0.1", (ps_port){NULL, 80}, host).status,
        ps_socket_receive(NULL, PS_LINE, none, 0, host).status,
        ps_socket_receive(NULL, PS_COUNT(3), none, 0, host).status,
        ps_socket_receiveany(NULL, 0, host).status,
        ps_socket_receiveuntil(NULL, hello, none, 0, host).status,
        ps_socket_receiveinto(NULL, (ps_room){room, 4}, -1, host).status,
        ps_socket_next(NULL, PS_LINE, 0, host).status,
        ps_socket_lines(NULL, PS_LINE, 0).status,
        ps_socket_send(NULL, hello, 1, -1, host).status,
        ps_socket_shutdown(NULL, NULL).status,
        ps_socket_getpeername(NULL).status,
        ps_socket_getsockname(NULL).status,
        ps_socket_setstats(NULL, 1, 1, 1).status,
        ps_socket_settimeout(NULL, 1, NULL).status,
        ps_socket_setdeadline(NULL, 1).status,
        ps_socket_setoption(NULL, "keepalive", on).status,
        ps_socket_getoption(NULL, "keepalive").status,
        ps_socket_setfd(NULL, 1, host).status,
        ps_socket_detach(NULL).status,
        ps_socket_close(NULL, host).status,
    };
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
      assert_int_equal(statuses[i].code, PS_MISUSE_NOTOBJECT);
      assert_int_equal(statuses[i].argument, 0);
    }
  }
}

static void questions_about_nobody_have_an_answer(void **state) {
  (void)state;
  assert_string_equal(ps_socket_getfamily(NULL).text, "inet4");
  assert_string_equal(ps_socket_getkind(NULL).text, "master");
  assert_int_equal(strncmp(ps_socket_tostring(NULL).text, "tcp{master}", 11), 0);
  assert_int_equal(ps_socket_getstats(NULL).received, 0);
  assert_int_equal(ps_socket_getstats(NULL).sent, 0);
  assert_true(ps_socket_getstats(NULL).age == 0);
  assert_true(ps_socket_gettimeout(NULL).block < 0);
  assert_true(ps_socket_gettimeout(NULL).total < 0);
  assert_true(isinf(ps_socket_getdeadline(NULL).seconds));
  assert_int_equal(ps_socket_dirty(NULL).yes, 0);
  assert_int_equal(ps_socket_pending(NULL).size, 0);
  assert_null(ps_socket_wants(NULL).direction);
  assert_int_equal(ps_socket_getfd(NULL).fd, -1);
  assert_int_equal(ps_socket_getmark(NULL), 0);
  ps_socket_setmark(NULL, 5);
  ps_bytes view = {.status = PS__DONE};
  assert_int_equal(ps_socket_take(NULL, &view), 1);
  view.held = 3;
  assert_int_equal(ps_socket_take(NULL, &view), 0);
  ps_watch watches[] = {{7, 0, 1, 1, NULL}, {-1, 0, 1, 1, NULL}};
  watches[0].fd = -1;
  sim_expect(ps_select((ps_sockets){watches, 2}, (ps_sockets){NULL, 0}, 0.1, NULL),
             PS_TIMEOUT);
  ps_socket_free(NULL, NULL);
  ps_resolved_free(NULL);
}

/* ---- Numbers ---- */

static void counts_that_no_memory_can_hold(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  ps_socket_settimeout(c, 0, NULL);
  sim_reads("abc");
  static const long long counts[] = {LLONG_MAX, LLONG_MAX - 65536, LLONG_MIN, -1};
  for (int i = 0; i < 4; i++) {
    ps_status status = ps_socket_receive(c, PS_COUNT(counts[i]), none, 0, NULL).status;
    assert_int_equal(status.code,
                     counts[i] == LLONG_MAX - 65536 ? PS_TIMEOUT : PS_MISUSE_PATTERN);
    if (status.code == PS_TIMEOUT) sim_reads("abc");
  }
  sim_expect_bytes(c, ps_socket_receive(c, PS_LINE, none, ULLONG_MAX, NULL), PS_TIMEOUT,
                   "abc");
  sim_reads("abc");
  sim_expect_bytes(c, ps_socket_receiveany(c, ULLONG_MAX, NULL), PS_OK, "abc");
  char room[3];
  ps_room three = {room, 3};
  assert_int_equal(ps_socket_receiveinto(c, three, LLONG_MAX, NULL).status.code,
                   PS_MISUSE_BUFFERSIZE);
  assert_int_equal(ps_socket_receiveinto(c, three, 4, NULL).status.code,
                   PS_MISUSE_BUFFERSIZE);
  sim_expect(ps_socket_receiveinto(c, three, LLONG_MIN, NULL), PS_TIMEOUT);
  sim_expect(ps_socket_receiveinto(c, (ps_room){NULL, 0}, -1, NULL), PS_OK);
  ps_socket_free(c, NULL);
}

static void indices_beyond_the_data(void **state) {
  (void)state;
  static const struct {
    long long i, j, last;
    const char *text;
  } cases[] = {
      {LLONG_MIN, LLONG_MAX, 5, "hello"},
      {LLONG_MIN, LLONG_MIN, 0, ""},
      {LLONG_MAX, LLONG_MAX, LLONG_MAX - 1, ""},
      {1, LLONG_MIN, 0, ""},
      {-5, -5, 1, "h"},
      {0, 0, 0, ""},
  };
  ps_socket *c = sim_client();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ps_sent sent = ps_socket_send(c, hello, cases[i].i, cases[i].j, NULL);
    sim_expect(sent, PS_OK);
    assert_true(sent.last == cases[i].last);
    sim_expect_sent(cases[i].text);
  }
  ps_socket_free(c, NULL);
}

static void backlogs_and_ports(void **state) {
  (void)state;
  static const struct {
    long long asked;
    int had;
  } backlogs[] = {{LLONG_MIN, INT_MAX},
                  {-1, INT_MAX},
                  {0, 0},
                  {1, 1},
                  {5, 5},
                  {INT_MAX - 1, INT_MAX - 1},
                  {INT_MAX, INT_MAX},
                  {1LL << 31, INT_MAX},
                  {LLONG_MAX, INT_MAX}};
  for (int i = 0; i < 9; i++) {
    ps_socket *m = ps_tcp4().socket;
    sim_expect(ps_socket_listen(m, backlogs[i].asked), PS_OK);
    assert_int_equal(sim_backlog(), backlogs[i].had);
    ps_socket_free(m, NULL);
  }
  static const long long ports[] = {LLONG_MIN, -1, 65536, 1LL << 32, LLONG_MAX};
  static const char *const digits[] = {"65536", "99999999999999999999999", "4294967376",
                                       "18446744073709551617"};
  ps_socket *m = ps_tcp().socket;
  for (int i = 0; i < 5; i++) {
    ps_port port = {NULL, ports[i]};
    assert_int_equal(ps_socket_bind(m, "*", port, NULL).status.code, PS_MISUSE_BINDPORT);
    assert_int_equal(ps_socket_connect(m, "10.0.0.1", port, NULL).status.code,
                     PS_MISUSE_CONNECTPORT);
  }
  for (int i = 0; i < 4; i++) {
    ps_port port = {digits[i], 0};
    assert_int_equal(ps_socket_bind(m, "*", port, NULL).status.code, PS_MISUSE_BINDPORT);
  }
  assert_int_equal(ps_socket_connect(m, "10.0.0.1", (ps_port){"0", 7}, NULL).status.code,
                   PS_MISUSE_CONNECTPORT);
  ps_socket_free(m, NULL);
}

static void times_beyond_the_clock(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  static const double values[] = {1e300, INFINITY, 1e18, -INFINITY, -1e300};
  for (int i = 0; i < 5; i++) {
    sim_expect(ps_socket_settimeout(c, values[i], "t"), PS_OK);
    sim_expect(ps_socket_setdeadline(c, values[i] > 0 ? values[i] : INFINITY), PS_OK);
    sim_reads(sim_after(100), "x");
    sim_expect_bytes(c, ps_socket_receiveany(c, 0, NULL), PS_OK, "x");
  }
  sim_expect(ps_socket_setdeadline(c, -INFINITY), PS_OK);
  assert_true(ps_socket_getdeadline(c).seconds == 0);
  sim_expect_bytes(c, ps_socket_receiveany(c, 0, NULL), PS_TIMEOUT, "");
  sim_expect(ps_socket_setstats(c, LLONG_MAX, LLONG_MAX, 1e300), PS_OK);
  assert_true(ps_socket_getstats(c).sent == LLONG_MAX);
  ps_socket_free(c, NULL);
}

static void descriptors_beyond_int(void **state) {
  (void)state;
  static const long long fds[] = {LLONG_MIN, -2, 1LL << 31, (1LL << 32) + 5, LLONG_MAX};
  ps_socket *c = sim_client();
  int fd = ps_socket_getfd(c).fd;
  for (int i = 0; i < 5; i++) {
    assert_int_equal(ps_socket_setfd(c, fds[i], NULL).status.code, PS_MISUSE_DESCRIPTOR);
    assert_int_equal(ps_fromfd(fds[i], "client").status.code, PS_MISUSE_ADOPTED);
  }
  assert_int_equal(ps_socket_getfd(c).fd, fd);
  /* The largest number is one, even if no process has it. */
  assert_int_equal(ps_fromfd(INT_MAX, "client").status.system, EBADF);
  sim_expect(ps_socket_setfd(c, INT_MAX, NULL), PS_OK);
  assert_int_equal(ps_socket_getfd(c).fd, INT_MAX);
  sim_expect(ps_socket_setfd(c, fd, NULL), PS_OK);
  ps_socket_free(c, NULL);
}

#define expect_misuse(result, code_, argument_) \
  do {                                          \
    ps_status met = (result).status;            \
    assert_int_equal(met.code, code_);          \
    assert_int_equal(met.argument, argument_);  \
  } while (0)

static void what_is_no_number_or_would_never_end(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  expect_misuse(ps_socket_lines(c, PS_COUNT(0), 0), PS_MISUSE_POSITIVE, 1);
  expect_misuse(ps_socket_next(c, PS_COUNT(0), 0, NULL), PS_MISUSE_POSITIVE, 1);
  expect_misuse(ps_socket_settimeout(c, NAN, NULL), PS_MISUSE_NAN, 1);
  expect_misuse(ps_socket_setdeadline(c, NAN), PS_MISUSE_NAN, 1);
  expect_misuse(ps_sleep(NAN, NULL), PS_MISUSE_NAN, 1);
  expect_misuse(ps_dns_toip("10.0.0.1", NAN, NULL), PS_MISUSE_NAN, 2);
  expect_misuse(ps_dns_getnameinfo("10.0.0.1", NULL, NAN, NULL), PS_MISUSE_NAN, 3);
  expect_misuse(ps_dns_getnameinfo(NULL, NULL, 1, NULL), PS_MISUSE_NOLOOKUP, 1);
  ps_port port = {NULL, 80};
  expect_misuse(ps_connect("10.0.0.1", port, NULL, zero, NULL, NAN, NULL), PS_MISUSE_NAN,
                6);
  ps_socket_free(c, NULL);
}

#define expect_misuse_of(result, code_, argument_, parameter) \
  do {                                                        \
    ps_status found = (result).status;                        \
    assert_int_equal(found.code, code_);                      \
    assert_int_equal(found.argument, argument_);              \
    assert_string_equal(found.detail, parameter);             \
  } while (0)

/* The number and the name of an argument are those of the function that was called. */
static void an_argument_is_named(void **state) {
  (void)state;
  const char *name = "\x80.test";
  ps_port port = {NULL, 80}, none_at_all = {NULL, 0}, high = {NULL, 65536};
  ps_socket *m = ps_tcp().socket;
  expect_misuse_of(ps_socket_bind(m, name, zero, NULL), PS_MISUSE_NOTASCII, 1, "address");
  expect_misuse_of(ps_socket_bind(m, "*", high, NULL), PS_MISUSE_BINDPORT, 2, "port");
  expect_misuse_of(ps_bind(name, zero, 1, NULL), PS_MISUSE_NOTASCII, 1, "address");
  expect_misuse_of(ps_bind("*", high, 1, NULL), PS_MISUSE_BINDPORT, 2, "port");
  expect_misuse_of(ps_socket_connect(m, name, port, NULL), PS_MISUSE_NOTASCII, 1,
                   "address");
  expect_misuse_of(ps_socket_connect(m, "10.0.0.1", none_at_all, NULL),
                   PS_MISUSE_CONNECTPORT, 2, "port");
  for (int which = 0; which < 3; which++) {
    const char *address = which == 2 ? "::1" : "10.0.0.1";
    short last = which == 0 ? 6 : 5;
#define dial(address, port, locaddr, locport, timeout)                             \
  (which == 0   ? ps_connect(address, port, locaddr, locport, NULL, timeout, NULL) \
   : which == 1 ? ps_connect4(address, port, locaddr, locport, timeout, NULL)      \
                : ps_connect6(address, port, locaddr, locport, timeout, NULL))
    expect_misuse_of(dial(name, port, NULL, zero, -1), PS_MISUSE_NOTASCII, 1, "address");
    expect_misuse_of(dial(address, none_at_all, NULL, zero, -1), PS_MISUSE_CONNECTPORT, 2,
                     "port");
    expect_misuse_of(dial(address, port, name, zero, -1), PS_MISUSE_NOTASCII, 3,
                     "locaddr");
    expect_misuse_of(dial(address, port, "*", high, -1), PS_MISUSE_BINDPORT, 4,
                     "locport");
    expect_misuse_of(dial(address, port, NULL, zero, NAN), PS_MISUSE_NAN, last,
                     "timeout");
    /* The first that is wrong is told. */
    expect_misuse_of(dial(name, none_at_all, name, high, NAN), PS_MISUSE_NOTASCII, 1,
                     "address");
    expect_misuse_of(dial(address, none_at_all, name, high, NAN), PS_MISUSE_CONNECTPORT,
                     2, "port");
#undef dial
  }
  expect_misuse_of(ps_connect("10.0.0.1", port, NULL, zero, "inet4", -1, NULL),
                   PS_MISUSE_FAMILY, 5, "family");
  expect_misuse_of(ps_fromfd(-1, "client"), PS_MISUSE_ADOPTED, 1, "fd");
  expect_misuse_of(ps_fromfd(5, "clients"), PS_MISUSE_KIND, 2, "kind");
  expect_misuse_of(ps_socket_setfd(m, -2, NULL), PS_MISUSE_DESCRIPTOR, 1, "fd");
  expect_misuse_of(ps_socket_settimeout(m, NAN, "b"), PS_MISUSE_NAN, 1, "value");
  expect_misuse_of(ps_socket_settimeout(m, 1, "x"), PS_MISUSE_TIMEOUTMODE, 2, "mode");
  expect_misuse_of(ps_socket_setdeadline(m, NAN), PS_MISUSE_NAN, 1, "seconds");
  expect_misuse_of(ps_sleep(NAN, NULL), PS_MISUSE_NAN, 1, "seconds");
  expect_misuse_of(ps_dns_toip(name, -1, NULL), PS_MISUSE_NOTASCII, 1, "address");
  expect_misuse_of(ps_dns_toip("here.test", NAN, NULL), PS_MISUSE_NAN, 2, "timeout");
  expect_misuse_of(ps_dns_tohostname("10.0.0.1", NAN, NULL), PS_MISUSE_NAN, 2, "timeout");
  expect_misuse_of(ps_dns_getaddrinfo("here.test", NAN, NULL), PS_MISUSE_NAN, 2,
                   "timeout");
  expect_misuse_of(ps_dns_getnameinfo(name, NULL, -1, NULL), PS_MISUSE_NOTASCII, 1,
                   "address");
  expect_misuse_of(ps_dns_getnameinfo("here.test", NULL, NAN, NULL), PS_MISUSE_NAN, 3,
                   "timeout");
  expect_misuse_of(ps_dns_getnameinfo(NULL, NULL, -1, NULL), PS_MISUSE_NOLOOKUP, 1,
                   "address");
  ps_socket *c = sim_client();
  expect_misuse(ps_socket_accept(c, NULL), PS_MISUSE_NOTSERVER, 0);
  expect_misuse(ps_socket_bind(c, "*", zero, NULL), PS_MISUSE_NOTMASTER, 0);
  expect_misuse(ps_socket_shutdown(m, NULL), PS_MISUSE_NOTCLIENT, 0);
  expect_misuse_of(ps_socket_shutdown(c, "all"), PS_MISUSE_SHUTDOWNMODE, 1, "mode");
  assert_int_equal(sim_lookups(), 0);
  ps_socket_free(c, NULL);
  ps_socket_free(m, NULL);
}

/* ---- Texts ---- */

static void names_are_ascii(void **state) {
  (void)state;
  const char *name =
      "b\xc3\xbc"
      "cher.test";
  ps_port port = {NULL, 80};
  ps_socket *m = ps_tcp().socket;
  expect_misuse(ps_socket_bind(m, name, zero, NULL), PS_MISUSE_NOTASCII, 1);
  expect_misuse(ps_socket_connect(m, name, port, NULL), PS_MISUSE_NOTASCII, 1);
  expect_misuse(ps_bind(name, zero, 1, NULL), PS_MISUSE_NOTASCII, 1);
  expect_misuse(ps_connect(name, port, NULL, zero, NULL, -1, NULL), PS_MISUSE_NOTASCII,
                1);
  expect_misuse(ps_connect("10.0.0.1", port, name, zero, NULL, -1, NULL),
                PS_MISUSE_NOTASCII, 3);
  expect_misuse(ps_dns_toip(name, -1, NULL), PS_MISUSE_NOTASCII, 1);
  expect_misuse(ps_dns_tohostname(name, -1, NULL), PS_MISUSE_NOTASCII, 1);
  expect_misuse(ps_dns_getaddrinfo(name, -1, NULL), PS_MISUSE_NOTASCII, 1);
  assert_int_equal(sim_lookups(), 0);
  ps_socket_free(m, NULL);
}

static int is_utf8(const char *text) {
  for (; *text != '\0'; text++) {
    unsigned char byte = (unsigned char)*text;
    int more = byte < 0x80 ? 0 : byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
    if ((byte & 0xc0) == 0x80) return 0;
    for (; more > 0; more--)
      if (((unsigned char)*++text & 0xc0) != 0x80) return 0;
  }
  return 1;
}

/* Wherever the cut falls, no character is torn. */
static void texts_are_cut_between_characters(void **state) {
  (void)state;
  static const char *const characters[] = {"\xc3\xa9", "\xe2\x82\xac",
                                           "\xf0\x9f\x8c\xa9"};
  for (int i = 0; i < 3; i++)
    for (size_t shift = 0; shift < 4; shift++) {
      char detail[400] = "xxx", function[400];
      detail[shift] = '\0';
      while (strlen(detail) < sizeof detail - 8) strcat(detail, characters[i]);
      strcpy(function, detail);
      for (int code = 0; code < 300; code++) {
        char words[PS_WORDS], sentence[PS_WORDS];
        if (code != PS_MISUSE_OPTION && code != PS_MISUSE_NAN &&
            code != PS_MISUSE_NOTPATTERN)
          continue;
        for (short argument = 0; argument < 2; argument++) {
          ps_status status = ps__error_misuse((short)code, argument, detail);
          assert_true(is_utf8(ps_status_words(status, words)));
          ps_status_misuse(status, function, sentence);
          assert_true(is_utf8(sentence));
          assert_non_null(strchr(sentence, ')'));
          assert_non_null(strstr(sentence, characters[i]));
        }
      }
    }
}

static void a_text_that_is_no_utf8_is_cut_all_the_same(void **state) {
  (void)state;
  char detail[300], words[PS_WORDS], sentence[PS_WORDS];
  memset(detail, 0xbf, sizeof detail - 1);
  detail[sizeof detail - 1] = '\0';
  ps_status status = ps__error_misuse(PS_MISUSE_OPTION, 1, detail);
  assert_string_equal(ps_status_words(status, words), "unsupported option ''");
  assert_string_equal(ps_status_misuse(status, "f", sentence),
                      "bad argument #1 to 'f' (unsupported option '')");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      sim_test(calls_on_nobody_are_misuse),
      sim_test(questions_about_nobody_have_an_answer),
      sim_test(counts_that_no_memory_can_hold),
      sim_test(indices_beyond_the_data),
      sim_test(backlogs_and_ports),
      sim_test(times_beyond_the_clock),
      sim_test(descriptors_beyond_int),
      sim_test(what_is_no_number_or_would_never_end),
      sim_test(an_argument_is_named),
      sim_test(names_are_ascii),
      sim_test(texts_are_cut_between_characters),
      sim_test(a_text_that_is_no_utf8_is_cut_all_the_same),
  };
  return cmocka_run_group_tests_name("misuse", tests, NULL, NULL);
}
