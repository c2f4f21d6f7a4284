/* SPDX-License-Identifier: MIT */
/* Whole conversations in which, run by run, the first, the second, the third … chance for
   a fault is used, until a run has no chance left: no memory, no descriptor, a signal, a
   stop, a spurious wake-up, a short read or write. Whatever failed is simply called
   again, as a program would; in the end every byte must have come once, and nothing may
   be left behind. */

#include <stdlib.h>

#include "os_sim.h"

enum { LARGE = 40000 };

/* What the caller has of a result that may take several calls. */
typedef struct parts {
  char data[LARGE + 1000];
  size_t size;
} parts;

static ps_host *host;
static int failures; /* calls that failed in this run */

/* Notes that the fault has occurred, and ends a permanent fault, so that the program can
   retry. */
static void failed(short code) {
  int expected = code == PS_NOMEMORY || code == PS_INTERRUPTED || code == PS_SYSTEM;
  if (!expected) print_error("failure %d\n", code);
  assert_true(expected);
  assert_true(++failures < 50);
  sim_fault(SIM_NO_FAULT, 0, 0);
}

/* Takes a result or its partial. Returns whether to call again. */
static int take(parts *to, ps_socket *c, ps_bytes got) {
  sim_text text = sim_take(c, got, host);
  /* Stopped, or without memory for a partial: then everything is where it was. */
  int kept = text.size == 0 &&
             (got.status.code == PS_INTERRUPTED || got.status.code == PS_NOMEMORY);
  if (!kept) {
    assert_true(text.size <= sizeof to->data);
    memcpy(to->data, text.data, text.size);
    to->size = text.size;
  }
  if (got.status.code == PS_OK) return 0;
  failed(got.status.code);
  return 1;
}

static void check(const parts *got, const char *text, size_t size) {
  assert_int_equal(got->size, size);
  assert_memory_equal(got->data, text, size);
}

static ps_prefix prefix_of(const parts *from) {
  return (ps_prefix){from->data, from->size};
}

static void receive(ps_socket *c, ps_pattern pattern, size_t maxsize, const char *text,
                    size_t size) {
  parts *got = calloc(1, sizeof *got);
  while (take(got, c, ps_socket_receive(c, pattern, prefix_of(got), maxsize, host))) {
  }
  check(got, text, size);
  free(got);
}

static void receive_until(ps_socket *c, const char *delimiter, const char *text) {
  parts *got = calloc(1, sizeof *got);
  ps_data mark = {delimiter, strlen(delimiter)};
  while (take(got, c, ps_socket_receiveuntil(c, mark, prefix_of(got), 0, host))) {
  }
  check(got, text, strlen(text));
  free(got);
}

static void next(ps_socket *c, ps_pattern pattern, const char *text, size_t size) {
  parts *got = calloc(1, sizeof *got);
  while (take(got, c, ps_socket_next(c, pattern, 0, host)))
    assert_int_equal(got->size, 0);
  check(got, text, size);
  free(got);
}

static void fill(ps_socket *c, const char *text, size_t size) {
  char *room = malloc(size);
  for (size_t have = 0; have < size;) {
    ps_filled got =
        ps_socket_receiveinto(c, (ps_room){room + have, size - have}, -1, host);
    have += got.count;
    if (got.status.code != PS_OK) failed(got.status.code);
  }
  assert_memory_equal(room, text, size);
  free(room);
}

static void send_all(ps_socket *c, const char *text, size_t size) {
  for (long long last = 0; last < (long long)size;) {
    ps_sent got = ps_socket_send(c, (ps_data){text, size}, last + 1, -1, host);
    assert_true(got.last >= last);
    last = got.last;
    if (got.status.code != PS_OK) failed(got.status.code);
  }
}

static char large[LARGE];

static void a_client_talks(void) {
  sim_host("two.test", 0.1, "::1 10.0.0.2");
  sim_route("::1", 0.1, ECONNREFUSED);
  sim_route("10.0.0.2", 0.1, 0);
  ps_object made;
  while (made = ps_tcp(), made.status.code != PS_OK) failed(made.status.code);
  ps_socket *c = made.socket;
  for (ps_status status;
       status = ps_socket_connect(c, "two.test", (ps_port){"echo", 0}, host).status,
       status.code != PS_OK;)
    /* Between a stop and the next call the first address may have refused. */
    if (status.code != PS_REFUSED) failed(status.code);
  assert_string_equal(ps_socket_getkind(c).text, "client");

  sim_writes(sim_takes(3), sim_after(0.1), sim_takes(10000), sim_after(0.1));
  send_all(c, "hello", 5);
  send_all(c, large, LARGE);
  size_t size;
  const char *sent = sim_sent(&size);
  assert_int_equal(size, 5 + LARGE);
  assert_memory_equal(sent, "hello", 5);
  assert_memory_equal(sent + 5, large, LARGE);

  sim_reads("one\r", sim_after(0.1), "\nt", "wo-", sim_after(0.1), "-", sim_after(0.1),
            "-three", sim_after(0.1), "\r\nfour\n", sim_after(0.1), "bou\rn",
            sim_after(0.1), "d\r\n");
  receive(c, PS_LINE, 0, "one", 3);
  receive_until(c, "---", "two");
  receive(c, PS_LINE_WITH_END, 0, "three\r\n", 7);
  next(c, PS_LINE, "four", 4);
  receive(c, PS_LINE, 9, "bound", 5);

  sim_reads("ab", sim_data(large, 100), sim_after(0.1),
            sim_data(large + 100, LARGE - 100));
  fill(c, "ab", 2);
  receive(c, PS_COUNT(LARGE), 0, large, LARGE);
  sim_reads(sim_data(large, LARGE / 2), sim_after(0.1),
            sim_data(large + LARGE / 2, LARGE - LARGE / 2));
  fill(c, large, LARGE);
  sim_reads(sim_data(large, LARGE / 2), sim_after(0.1),
            sim_data(large + LARGE / 2, LARGE - LARGE / 2));
  next(c, PS_COUNT(LARGE), large, LARGE);
  sim_reads("some", sim_after(0.1), "more", sim_after(0.1), "bytes", sim_eof);
  next(c, PS_COUNT(4), "some", 4);
  receive(c, PS_ALL, sizeof(parts), "morebytes", 9);
  assert_int_equal(ps_socket_getstats(c).received,
                   5 + 6 + 7 + 5 + 8 + 2 + 3 * LARGE + 13);
  assert_int_equal(ps_socket_getstats(c).sent, 5 + LARGE);
  ps_socket_close(c, NULL);
  ps_socket_free(c, NULL);
}

static void a_client_takes_all(void) {
  ps_object made;
  while (made = ps_connect("10.0.0.1", (ps_port){NULL, 80}, "*", (ps_port){NULL, 0}, NULL,
                           -1, host),
         made.status.code != PS_OK)
    failed(made.status.code);
  ps_socket *c = made.socket;
  sim_reads("x\n", sim_data(large, LARGE / 2), sim_after(0.1),
            sim_data(large + LARGE / 2, LARGE - LARGE / 2), sim_after(0.1), sim_eof);
  receive(c, PS_LINE, 0, "x", 1);
  next(c, PS_ALL, large, LARGE);
  ps_socket_free(c, NULL);
}

static void a_server_accepts(void) {
  ps_object made;
  while (made = ps_bind("*", (ps_port){NULL, 8080}, 5, host), made.status.code != PS_OK)
    failed(made.status.code);
  ps_socket *s = made.socket;
  sim_script(ps_socket_getfd(s).fd);
  sim_accepts(sim_after(0.1), sim_comes, sim_comes, sim_comes);
  /* One that the system has given and nobody can hold is gone. */
  for (int there = 0; there < 2; there++) {
    while (made = ps_socket_accept(s, host), made.status.code != PS_OK)
      failed(made.status.code);
    ps_socket *c = made.socket;
    sim_reads("hi", sim_after(0.1), "\n");
    receive(c, PS_LINE, 0, "hi", 2);
    ps_socket_free(c, NULL);
  }
  ps_socket_free(s, NULL);
}

static void (*const stories[])(void) = {a_client_talks, a_client_takes_all,
                                        a_server_accepts};

static void every_chance(int fault, int onwards) {
  for (size_t i = 0; i < LARGE; i++) large[i] = (char)(i * 7 + i / 251);
  for (size_t story = 0; story < 3; story++)
    for (int language = SIM_C; language < SIM_LANGUAGES; language++)
      for (int nth = 1, struck = 1; struck > 0; nth++) {
        sim_begin();
        host = sim_language(language);
        failures = 0;
        sim_fault(fault, nth, onwards);
        stories[story]();
        struck = sim_struck() + failures;
        sim_end();
        assert_true(nth < 100000);
      }
}

static void no_fault_at_all(void **state) {
  (void)state;
  every_chance(SIM_NO_FAULT, 0);
}

static void memory_fails_once(void **state) {
  (void)state;
  every_chance(SIM_ENOMEM, 0);
}

static void memory_fails_until_it_is_noticed(void **state) {
  (void)state;
  every_chance(SIM_ENOMEM, 1);
}

static void the_language_has_no_memory(void **state) {
  (void)state;
  every_chance(SIM_EGROW, 0);
}

static void a_signal_comes(void **state) {
  (void)state;
  every_chance(SIM_EINTR, 0);
}

static void a_signal_stops_the_call(void **state) {
  (void)state;
  every_chance(SIM_STOP, 0);
}

static void nothing_was_there_after_all(void **state) {
  (void)state;
  every_chance(SIM_EAGAIN, 0);
}

static void one_transfer_is_short(void **state) {
  (void)state;
  every_chance(SIM_SHORT, 0);
}

static void descriptors_run_out(void **state) {
  (void)state;
  every_chance(SIM_EMFILE, 0);
  every_chance(SIM_EMFILE, 1);
}

/* Every single byte comes and goes alone. */
static void all_transfers_are_short(void **state) {
  (void)state;
  for (size_t story = 0; story < 3; story++)
    for (int language = SIM_C; language < SIM_LANGUAGES; language++) {
      sim_begin();
      host = sim_language(language);
      failures = 0;
      sim_fault(SIM_SHORT, 1, 1);
      stories[story]();
      sim_end();
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_fault_at_all),
      cmocka_unit_test(memory_fails_once),
      cmocka_unit_test(memory_fails_until_it_is_noticed),
      cmocka_unit_test(the_language_has_no_memory),
      cmocka_unit_test(a_signal_comes),
      cmocka_unit_test(a_signal_stops_the_call),
      cmocka_unit_test(nothing_was_there_after_all),
      cmocka_unit_test(one_transfer_is_short),
      cmocka_unit_test(descriptors_run_out),
      cmocka_unit_test(all_transfers_are_short),
  };
  return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
