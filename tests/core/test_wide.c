/* SPDX-License-Identifier: MIT */
/* Numbers beyond 32 bits mean the same on every system: where a size has 32 bits only,
   they are compared before they are made one. On the simulated system, in all host modes.
 */

#include "os_sim.h"

#include <limits.h>

static const ps_prefix none = {NULL, 0};
static const long long WIDE = 1LL << 32;
static ps_host *host;

#define for_each_language    \
  for (int language = SIM_C; \
       language < SIM_LANGUAGES && (host = sim_language(language), 1); language++)

static void counts_are_not_cut(void **state) {
  (void)state;
  const ps_prefix prefix = {"abc", 3};
  static const long long counts[] = {3000000000, (1LL << 32) - 1, 1LL << 32,
                                     (1LL << 32) + 3, 1LL << 62};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) for_each_language {
      ps_socket *c = sim_client();
      sim_reads("abc", sim_after(10), "def", sim_eof);
      ps_socket_settimeout(c, 0.5, NULL);
      const ps_pattern pattern = PS_COUNT(counts[i]);
      ps_bytes got = ps_socket_receive(c, pattern, none, 0, host);
      sim_expect_bytes(c, got, PS_TIMEOUT, "abc");
      sim_expect_bytes(c, ps_socket_receive(c, pattern, prefix, 0, host), PS_TIMEOUT,
                       "abc");
      ps_socket_settimeout(c, -1, NULL);
      sim_expect_bytes(c, ps_socket_receive(c, pattern, none, 0, host), PS_CLOSED, "def");
      ps_socket_free(c, NULL);
    }
}

/* A piece for an iterator, which is what the end of the stream leaves. */
static void counts_of_iterators_are_not_cut(void **state) {
  (void)state;
  for_each_language {
    ps_socket *c = sim_client();
    sim_reads("abcdef", sim_eof);
    assert_int_equal(ps_socket_lines(c, PS_COUNT(WIDE + 3), 0).status.code, PS_OK);
    sim_expect_bytes(c, ps_socket_next(c, PS_COUNT(WIDE + 3), 0, host), PS_OK, "abcdef");
    ps_socket_free(c, NULL);
  }
}

static void counts_are_misuse_alike(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  const ps_pattern large = PS_COUNT(LLONG_MAX);
  sim_expect(ps_socket_receive(c, large, none, 0, NULL), PS_MISUSE_PATTERN);
  const ps_pattern wide = PS_COUNT(WIDE + 3);
  sim_expect(ps_socket_receive(c, wide, none, 5, NULL), PS_MISUSE_COUNTSIZE);
  sim_expect(ps_socket_lines(c, wide, 5), PS_MISUSE_COUNTSIZE);
  ps_socket_free(c, NULL);
}

static void maxsizes_are_not_cut(void **state) {
  (void)state;
  const ps_maxsize wide = (1ull << 32) + 5;
  for_each_language {
    ps_socket *c = sim_client();
    sim_reads("01234567\nabcdefgh\nABCDEFGH;ijklmn", sim_eof);
    sim_expect_bytes(c, ps_socket_receive(c, PS_LINE, none, wide, host), PS_OK,
                     "01234567");
    sim_expect_bytes(c, ps_socket_next(c, PS_LINE, wide, host), PS_OK, "abcdefgh");
    ps_data end = {";", 1};
    sim_expect_bytes(c, ps_socket_receiveuntil(c, end, none, wide, host), PS_OK,
                     "ABCDEFGH");
    sim_expect_bytes(c, ps_socket_receive(c, PS_COUNT(3), none, wide, host), PS_OK,
                     "ijk");
    sim_expect_bytes(c, ps_socket_receiveany(c, (1ull << 32) + 1, host), PS_OK, "lmn");
    ps_socket_free(c, NULL);
  }
}

static void rooms_are_not_overrun(void **state) {
  (void)state;
  char room[3] = "xyz";
  ps_socket *c = sim_client();
  sim_reads("abc", sim_eof);
  const ps_room buffer = {room, sizeof room};
  sim_expect(ps_socket_receiveinto(c, buffer, WIDE + 3, NULL), PS_MISUSE_BUFFERSIZE);
  assert_memory_equal(room, "xyz", 3);
  assert_int_equal(ps_socket_receiveinto(c, buffer, -WIDE, NULL).count, 3);
  ps_socket_free(c, NULL);
}

static void ranges_are_not_cut(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  const ps_data data = {"abcdef", 6};
  ps_sent sent = ps_socket_send(c, data, 1, WIDE + 2, NULL);
  sim_expect(sent, PS_OK);
  assert_int_equal(sent.last, 6);
  sent = ps_socket_send(c, data, WIDE + 1, -1, NULL);
  sim_expect(sent, PS_OK);
  assert_true(sent.last == WIDE);
  sent = ps_socket_send(c, data, -WIDE - 1, -WIDE + 2, NULL);
  assert_int_equal(sent.last, 0);
  sim_expect_sent("abcdef");
  ps_socket_free(c, NULL);
}

static void descriptors_and_ports_are_not_cut(void **state) {
  (void)state;
  ps_socket *c = sim_client();
  const int fd = ps_socket_getfd(c).fd;
  sim_expect(ps_fromfd(WIDE + fd, "client"), PS_MISUSE_ADOPTED);
  sim_expect(ps_socket_setfd(c, WIDE + fd, NULL), PS_MISUSE_DESCRIPTOR);
  ps_socket_free(c, NULL);
  ps_socket *m = ps_tcp4().socket;
  const ps_port port = {NULL, WIDE + 80};
  sim_expect(ps_socket_bind(m, "127.0.0.1", port, NULL), PS_MISUSE_BINDPORT);
  sim_expect(ps_socket_connect(m, "127.0.0.1", port, NULL), PS_MISUSE_CONNECTPORT);
  ps_socket_free(m, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      sim_test(counts_are_not_cut),
      sim_test(counts_of_iterators_are_not_cut),
      sim_test(counts_are_misuse_alike),
      sim_test(maxsizes_are_not_cut),
      sim_test(rooms_are_not_overrun),
      sim_test(ranges_are_not_cut),
      sim_test(descriptors_and_ports_are_not_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
