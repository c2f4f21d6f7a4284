/* SPDX-License-Identifier: MIT */
/* Single calls of core/os_posix.c on real sockets: options that are copied, and
   descriptors whose mode belongs to somebody else. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
/* cmocka wants some of the above before it. */
#include <cmocka.h>
#include <errno.h>

#include "os.h"

static int opened(int family) {
  int fd = -1;
  if (ps__os_socket(family, &fd) != 0) skip();
  return fd;
}

static long long integer_of(int fd, int option) {
  ps_option value = {PS_NIL, 0, 0, 0, 0, ""};
  assert_int_equal(ps__os_getoption(fd, option, &value), 0);
  return value.integer;
}

static void set(int fd, int option, long long integer) {
  ps_option value = {.type = PS_NUMBER, .integer = integer};
  assert_int_equal(ps__os_setoption(fd, option, &value), 0);
}

static void numbers_are_copied(void **state) {
  (void)state;
  static const struct {
    int option;
    long long integer;
  } options[] = {
      {PS__OPTION_KEEPALIVE, 1},      {PS__OPTION_REUSEADDR, 1},
      {PS__OPTION_REUSEPORT, 1},      {PS__OPTION_NODELAY, 1},
      {PS__OPTION_KEEPIDLE, 33},      {PS__OPTION_KEEPCNT, 5},
      {PS__OPTION_KEEPINTVL, 7},      {PS__OPTION_DEFERACCEPT, 5},
      {PS__OPTION_USERTIMEOUT, 1500}, {PS__OPTION_RECVBUFFER, 12345},
      {PS__OPTION_SENDBUFFER, 23456}, {PS__OPTION_FASTOPENCONNECT, 1},
  };
  int from = opened(4), to = opened(4), plain = opened(4);
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    int option = options[i].option;
    if (!ps__os_hasoption(option)) continue;
    long long before = integer_of(to, option);
    set(from, option, options[i].integer);
    assert_int_not_equal(integer_of(from, option), before);
    for (int times = 0; times < 2; times++)
      assert_int_equal(ps__os_copyoption(from, to, option), 0);
    assert_int_equal(integer_of(to, option), integer_of(from, option));
    assert_int_equal(ps__os_copyoption(plain, to, option), 0); /* and back */
    assert_int_equal(integer_of(to, option), before);
  }
  ps__os_close(plain);
  ps__os_close(from);
  ps__os_close(to);
}

/* The system tunes the size of a buffer until somebody sets it. */
static void a_size_that_nobody_set_is_still_tuned(void **state) {
  (void)state;
#ifdef SO_BUF_LOCK
  int from = opened(4), to = opened(4), locks = -1;
  socklen_t size = sizeof locks;
  if (getsockopt(to, SOL_SOCKET, SO_BUF_LOCK, &locks, &size) < 0) skip();
  assert_int_equal(locks, 0);
  assert_int_equal(ps__os_copyoption(from, to, PS__OPTION_RECVBUFFER), 0);
  assert_int_equal(ps__os_copyoption(from, to, PS__OPTION_SENDBUFFER), 0);
  assert_int_equal(getsockopt(to, SOL_SOCKET, SO_BUF_LOCK, &locks, &size), 0);
  assert_int_equal(locks, 0);
  ps__os_close(from);
  ps__os_close(to);
#else
  skip();
#endif
}

static void linger_is_copied(void **state) {
  (void)state;
  int from = opened(4), to = opened(4);
  ps_option value = {.type = PS_LINGER, .flag = 1, .integer = 7};
  assert_int_equal(ps__os_setoption(from, PS__OPTION_LINGER, &value), 0);
  assert_int_equal(ps__os_copyoption(from, to, PS__OPTION_LINGER), 0);
  value = (ps_option){PS_NIL, 0, 0, 0, 0, ""};
  assert_int_equal(ps__os_getoption(to, PS__OPTION_LINGER, &value), 0);
  assert_true(value.flag);
  assert_int_equal(value.integer, 7);
  ps__os_close(from);
  ps__os_close(to);
}

static void the_device_is_copied(void **state) {
  (void)state;
#ifdef SO_BINDTODEVICE
  int from = opened(4), to = opened(4);
  assert_int_equal(ps__os_copyoption(from, to, PS__OPTION_DEVICE), 0); /* none */
  ps_option value = {.type = PS_TEXT, .text = "lo"};
  if (ps__os_setoption(from, PS__OPTION_DEVICE, &value) != 0) skip();
  char name[IFNAMSIZ];
  socklen_t size = sizeof name;
  if (getsockopt(from, SOL_SOCKET, SO_BINDTODEVICE, name, &size) != 0)
    skip(); /* an emulator that does not know it */
  assert_int_equal(ps__os_copyoption(from, to, PS__OPTION_DEVICE), 0);
  value.text[0] = '\0';
  assert_int_equal(ps__os_getoption(to, PS__OPTION_DEVICE, &value), 0);
  assert_string_equal(value.text, "lo");
  ps__os_close(from);
  ps__os_close(to);
#else
  assert_false(ps__os_hasoption(PS__OPTION_DEVICE));
  skip();
#endif
}

static void copies_fail_with_the_systems_reason(void **state) {
  (void)state;
  int four = opened(4), six = opened(6), none = dup(four);
  close(none);
  assert_int_not_equal(ps__os_copyoption(six, four, PS__OPTION_V6ONLY), 0);
  assert_int_equal(ps__os_copyoption(four, none, PS__OPTION_NODELAY), EBADF);
  assert_int_equal(ps__os_copyoption(none, four, PS__OPTION_NODELAY), EBADF);
  assert_int_equal(ps__os_copyoption(four, six, PS__OPTION_ERROR), EINVAL);
  ps__os_close(four);
  ps__os_close(six);
}

/* The mode of a descriptor is shared with every process that has it. */
static void recv_and_send_never_block(void **state) {
  (void)state;
  int ends[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  int mode = fcntl(ends[0], F_GETFL);
  assert_int_equal(mode & O_NONBLOCK, 0);
  char data[4096] = "";
  size_t moved = 0;
  int error = ps__os_recv(ends[0], data, sizeof data, &moved);
  assert_true(ps__os_again(error));
  do {
    error = ps__os_send(ends[0], data, sizeof data, &moved);
  } while (error == 0);
  assert_true(ps__os_again(error));
  close(ends[1]);
  assert_int_equal(ps__os_send(ends[0], data, 1, &moved), EPIPE); /* and no signal */
  assert_int_equal(fcntl(ends[0], F_GETFL), mode);
  close(ends[0]);
}

static void an_adopted_descriptor_stays_as_it_was(void **state) {
  (void)state;
  int fd = socket(AF_INET, SOCK_STREAM, 0), family = 0;
  int mode = fcntl(fd, F_GETFL), flags = fcntl(fd, F_GETFD);
  assert_int_equal(ps__os_adopt(fd, &family), 0);
  assert_int_equal(family, 4);
  assert_int_equal(fcntl(fd, F_GETFL), mode);
  assert_int_equal(fcntl(fd, F_GETFD), flags);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_are_copied),
      cmocka_unit_test(a_size_that_nobody_set_is_still_tuned),
      cmocka_unit_test(linger_is_copied),
      cmocka_unit_test(the_device_is_copied),
      cmocka_unit_test(copies_fail_with_the_systems_reason),
      cmocka_unit_test(recv_and_send_never_block),
      cmocka_unit_test(an_adopted_descriptor_stays_as_it_was),
  };
  return cmocka_run_group_tests_name("sockets", tests, NULL, NULL);
}
