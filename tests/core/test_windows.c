/* SPDX-License-Identifier: MIT */
/* core/os_windows.c on the real system: what no scenario of the conformance suite shows.
   Nothing here waits without a limit. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above before it. */
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "internal.h"

#include "os_parts.h"

typedef struct asked {
  ps_host host;
  int count;
} asked;

/* Ctrl-C is noticed when a wait asks its host, which it does again and again. */
static int stop_at_third(ps_host *host) { return ++((asked *)host)->count == 3; }

static asked asking(void) { return (asked){{.interrupted = stop_at_third}, 0}; }

static void expect_stopped(const asked *host, ps_status status, double start) {
  assert_int_equal(status.code, PS_INTERRUPTED);
  assert_int_equal(host->count, 3);
  assert_true(ps_monotime() - start >= 2 * PS__SLICE / 1000.0 - 0.02);
}

static ps_socket *listening(void) {
  ps_object made = ps_bind("127.0.0.1", (ps_port){NULL, 0}, 8, NULL);
  assert_int_equal(made.status.code, PS_OK);
  return made.socket;
}

static void every_wait_asks_its_host(void **state) {
  (void)state;
  ps_socket *server = listening();
  asked host = asking();
  double start = ps_monotime();
  expect_stopped(&host, ps_socket_accept(server, &host.host).status, start);
  host = asking();
  start = ps_monotime();
  expect_stopped(&host, ps_sleep(60, &host.host).status, start);
  host = asking();
  start = ps_monotime();
  ps_watch watch = {-1, 0, 0, 0, server};
  ps_sockets set = {&watch, 1}, none = {NULL, 0};
  expect_stopped(&host, ps_select(set, none, 60, &host.host).status, start);
  ps_poller *poller = ps_poller_make().poller;
  assert_int_equal(ps_poller_add(poller, (ps_source){server, -1}, "r", NULL).status.code,
                   PS_OK);
  host = asking();
  start = ps_monotime();
  expect_stopped(&host, ps_poller_wait(poller, 60, 0, &host.host).status, start);
  ps_poller_free(poller);
  ps_socket_free(server, NULL);
}

static void a_limit_outlives_the_slices_of_a_wait(void **state) {
  (void)state;
  ps_socket *server = listening();
  ps_socket_settimeout(server, 0.3, NULL);
  double start = ps_monotime();
  assert_int_equal(ps_socket_accept(server, NULL).status.code, PS_TIMEOUT);
  assert_true(ps_monotime() - start >= 0.3);
  ps_socket_free(server, NULL);
}

static DWORD WINAPI close_later(void *socket) {
  Sleep(20);
  ps_socket_close(socket, NULL);
  return 0;
}

static void a_close_wakes_a_wait(void **state) {
  (void)state;
  ps_socket *server = listening();
  HANDLE thread = CreateThread(NULL, 0, close_later, server, 0, NULL);
  assert_non_null(thread);
  assert_int_equal(ps_socket_accept(server, NULL).status.code, PS_CLOSED);
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
  ps_socket_free(server, NULL);
}

/* WSAPoll refuses a set with a handle that is not open. */
static void a_handle_that_is_not_open_holds_nothing_up(void **state) {
  (void)state;
  int closed = -1, open = -1;
  assert_int_equal(ps__os_socket(4, &open), 0);
  assert_int_equal(ps__os_socket(4, &closed), 0);
  assert_int_equal(ps__os_close(closed), 0);
  ps_watch watches[2] = {{.fd = open}, {.fd = closed}};
  ps_sockets set = {watches, 2};
  assert_int_equal(ps__os_poll(&set, 1, 0, NULL), 0);
  assert_int_equal(watches[1].fd, -1);
  assert_false(watches[1].ready);
  int family;
  assert_int_equal(ps__os_adopt(closed, &family), EBADF);
  assert_int_equal(ps__os_close(open), 0);
}

static void a_bell_rings_until_it_is_silenced(void **state) {
  (void)state;
  int fd = -1;
  assert_int_equal(ps__os_bell(&fd), 0);
  struct pollfd entry = {(SOCKET)fd, POLLIN, 0};
  assert_int_equal(ps__os_poll_entries(&entry, 1, 0), 0);
  for (int i = 0; i < 100; i++) ps__os_ring(fd);
  assert_int_equal(ps__os_poll_entries(&entry, 1, 10000), 1);
  assert_int_equal(ps__os_poll_entries(&entry, 1, 10000), 1);
  ps__os_silence(fd);
  assert_int_equal(ps__os_poll_entries(&entry, 1, 0), 0);
  assert_int_equal(ps__os_close(fd), 0);
}

static void a_descriptor_is_replaced_by_another(void **state) {
  (void)state;
  int fd = -1, made = -1, family = 0;
  assert_int_equal(ps__os_socket(4, &fd), 0);
  assert_int_equal(ps__os_socket(6, &made), 0);
  int number = made;
  assert_int_equal(ps__os_replace(made, &fd), 0);
  assert_int_equal(fd, number);
  assert_int_equal(ps__os_adopt(fd, &family), 0);
  assert_int_equal(family, 6);
  DWORD flags = HANDLE_FLAG_INHERIT;
  assert_true(GetHandleInformation((HANDLE)(SOCKET)fd, &flags));
  assert_int_equal(flags & HANDLE_FLAG_INHERIT, 0);
  assert_int_equal(ps__os_close(fd), 0);
}

static void numbers_of_winsock_have_the_words_of_all_systems(void **state) {
  (void)state;
  char buffer[PS_WORDS];
  assert_int_equal(ps__os_code(ps__os_number(WSAECONNREFUSED)), PS_REFUSED);
  assert_int_equal(ps__os_code(ps__os_number(WSAECONNRESET)), PS_CLOSED);
  assert_true(ps__os_again(ps__os_number(WSAEWOULDBLOCK)));
  assert_true(ps__os_sendonly(ps__os_number(WSAESHUTDOWN)));
  assert_string_equal(ps__os_words(ps__os_number(WSAENETUNREACH), buffer, PS_WORDS),
                      "Network is unreachable");
  const char *words = ps__os_words(WSASYSNOTREADY, buffer, PS_WORDS);
  assert_true(strlen(words) > 5);
  assert_null(strpbrk(words, "\r\n"));
  assert_string_equal(ps__os_words(123456, buffer, PS_WORDS), "unknown error");
  assert_string_equal(ps__os_words(9999, buffer, PS_WORDS), "unknown error");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_wait_asks_its_host),
      cmocka_unit_test(a_limit_outlives_the_slices_of_a_wait),
      cmocka_unit_test(a_close_wakes_a_wait),
      cmocka_unit_test(a_handle_that_is_not_open_holds_nothing_up),
      cmocka_unit_test(a_bell_rings_until_it_is_silenced),
      cmocka_unit_test(a_descriptor_is_replaced_by_another),
      cmocka_unit_test(numbers_of_winsock_have_the_words_of_all_systems),
  };
  return cmocka_run_group_tests_name("windows", tests, NULL, NULL);
}
