/* SPDX-License-Identifier: MIT */
/* Single calls of core/os_posix.c on real sockets: options that are copied, descriptors
   whose mode belongs to somebody else, addresses; and on memory. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
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

static void a_descriptor_is_prepared_whatever_its_mode(void **state) {
  (void)state;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  errno = 0;
  for (int i = 0; i < 2; i++) { /* one is for reading only, the other for writing */
    int mode = fcntl(ends[i], F_GETFL);
    assert_int_equal(ps__os_prepare(ends[i]), 0);
    assert_int_equal(fcntl(ends[i], F_GETFL), mode | O_NONBLOCK);
    assert_int_equal(fcntl(ends[i], F_GETFD), FD_CLOEXEC);
    assert_int_equal(ps__os_close(ends[i]), 0);
    assert_int_equal(ps__os_prepare(ends[i]), EBADF);
  }
}

/* As in a program that has closed its standard input. */
static void number_0_is_a_descriptor(void **state) {
  (void)state;
  int before = dup(0), fd = -1, family = 0;
  close(0);
  assert_int_equal(ps__os_socket(4, &fd), 0);
  assert_int_equal(fd, 0);
  assert_int_equal(ps__os_adopt(fd, &family), 0);
  assert_int_equal(family, 4);
  assert_int_equal(ps__os_listen(fd, 1), 0);
  ps__addr addr;
  assert_int_equal(ps__os_local(fd, &addr), 0);
  int client = opened(4), server = -1;
  assert_int_equal(ps__os_replace(fd, &client), 0);
  assert_int_equal(fcntl(0, F_GETFD), -1);
  int error = ps__os_connect(opened(4), &addr); /* that one has the number 0 */
  assert_true(error == 0 || ps__os_again(error));
  do error = ps__os_accept(client, &server);
  while (ps__os_again(error));
  assert_int_equal(error, 0);
  ps__os_close(server);
  assert_int_equal(ps__os_replace(client, &fd), 0);
  assert_int_equal(ps__os_listen(0, 1), 0);
  ps__os_close(0);
  if (before >= 0) {
    dup2(before, 0);
    close(before);
  }
}

static void an_address_may_be_used_again(void **state) {
  (void)state;
  int fd = opened(4);
  assert_int_equal(integer_of(fd, PS__OPTION_REUSEADDR), 0);
  assert_int_equal(ps__os_reuse(fd), 0);
  assert_int_equal(integer_of(fd, PS__OPTION_REUSEADDR), 1);
  ps__os_close(fd);
}

static void without_a_descriptor_there_is_no_socket(void **state) {
  (void)state;
  int lowest = dup(0), fd = -1;
  close(lowest);
  struct rlimit before, low;
  getrlimit(RLIMIT_NOFILE, &before);
  low = before;
  low.rlim_cur = (rlim_t)lowest;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  int error = ps__os_socket(4, &fd);
  setrlimit(RLIMIT_NOFILE, &before);
  assert_int_equal(error, EMFILE);
  assert_int_equal(fd, -1);
}

static void nothing_can_be_sent(void **state) {
  (void)state;
  int ends[2];
  size_t sent = 7;
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  errno = EIO;
  assert_int_equal(ps__os_send(ends[0], "", 0, &sent), 0);
  assert_int_equal(sent, 0);
  close(ends[0]);
  close(ends[1]);
}

static void each_way_can_be_shut(void **state) {
  (void)state;
  static const struct {
    const char *way;
    int receives, sends;
  } ways[] = {{"send", 1, 0}, {"receive", 0, 1}, {"both", 0, 0}};
  for (int i = 0; i < 3; i++) {
    int ends[2];
    char byte;
    size_t moved = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(ps__os_shutdown(ends[0], ways[i].way), 0);
    assert_int_equal(ps__os_send(ends[0], "x", 1, &moved), ways[i].sends ? 0 : EPIPE);
    int error = ps__os_recv(ends[0], &byte, 1, &moved);
    if (ways[i].receives)
      assert_true(ps__os_again(error));
    else
      assert_true(error == 0 && moved == 0);
    assert_int_equal(ps__os_shutdown(ends[0], ways[i].way), 0);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(ps__os_shutdown(ends[0], ways[i].way), EBADF);
  }
}

/* ---- Addresses ---- */

static void addresses_are_told(void **state) {
  (void)state;
  struct sockaddr_in name;
  ps__addr addr;
  ps_address told;
  memset(&addr, 0xff, sizeof addr);
  int fd = opened(4);
  socklen_t size = sizeof name;
  assert_int_equal(ps__os_listen(fd, 1), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
  assert_int_equal(ps__os_local(fd, &addr), 0);
  assert_int_equal(addr.size, size);
  assert_memory_equal(addr.raw.bytes, &name, size);
  assert_int_equal(ps__os_name(fd, 0, &told), 0);
  assert_string_equal(told.ip, "0.0.0.0");
  assert_string_equal(told.family, "inet");
  assert_int_equal(told.port, ntohs(name.sin_port));
  assert_int_equal(ps__os_name(fd, 1, &told), ENOTCONN);
  ps__os_close(fd);
  assert_int_equal(ps__os_local(fd, &addr), EBADF);
  assert_int_equal(ps__os_name(fd, 0, &told), EBADF);
}

static void a_name_may_be_empty(void **state) {
  (void)state;
  int ends[2];
  ps_address told;
  memset(&told, 0xff, sizeof told);
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  for (int peer = 0; peer < 2; peer++) {
    assert_int_equal(ps__os_name(ends[0], peer, &told), 0);
    assert_int_equal(told.port, 0);
    assert_string_equal(told.family, "inet");
  }
  close(ends[0]);
  close(ends[1]);
}

static void the_name_of_the_host_stays_in_its_room(void **state) {
  (void)state;
  char whole[256], room[256];
  assert_int_equal(ps__os_hostname(whole, sizeof whole), 0);
  size_t length = strlen(whole);
  assert_true(length > 0);
  for (size_t size = 1; size <= length + 2; size++) {
    memset(room, '#', sizeof room);
    int error = ps__os_hostname(room, size);
    for (size_t i = size; i < sizeof room; i++) assert_int_equal(room[i], '#');
    assert_true(strlen(room) < size || error != 0);
    if (size == length + 2) assert_int_equal(error, 0);
    if (error == 0) assert_memory_equal(room, whole, strlen(room));
  }
}

/* ---- Memory ---- */

#ifdef MADV_POPULATE_WRITE

enum { PAGES = 8 };

/* Which pages are there; -1: the system does not tell. */
static int present(char *memory, size_t page) {
  unsigned char there[PAGES];
  int found = 0;
  if (mincore(memory, PAGES * page, there) != 0) return -1;
  for (int i = 0; i < PAGES; i++) found |= (there[i] & 1) << i;
  return found;
}

/* Pages between others that cannot be used, so that none comes with its neighbours. */
static char *fresh_pages(size_t page) {
  char *room =
      mmap(NULL, (PAGES + 2) * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(room != MAP_FAILED);
  assert_int_equal(mprotect(room + page, PAGES * page, PROT_READ | PROT_WRITE), 0);
  return room + page;
}

#endif

static void whole_pages_are_populated(void **state) {
  (void)state;
#ifdef MADV_POPULATE_WRITE
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  static const struct {
    int first, last; /* the page in which it begins, and that before which it ends */
    int from, to;    /* bytes behind these */
    int present;     /* afterwards, a bit for each page */
  } parts[] = {
      {0, 8, 0, 0, 255},  {1, 3, 0, 0, 6},   {2, 5, 0, 0, 28},   {1, 4, 1, 0, 12},
      {2, 6, 100, 0, 56}, {1, 3, 0, 1, 6},   {2, 4, 0, 100, 12}, {1, 2, 0, 0, 2},
      {1, 5, -1, -1, 14}, {2, 6, -1, 1, 60}, {3, 3, 0, 50, 0},   {3, 4, 1, 0, 0},
      {3, 4, 1, -1, 0},   {3, 4, 1, 2, 0},   {3, 5, 1, -1, 0},   {0, 0, 0, 0, 0}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    char *memory = fresh_pages(page), *other = fresh_pages(page);
    if (present(memory, page) != 0 ||
        madvise(other, PAGES * page, MADV_POPULATE_WRITE) != 0 ||
        present(other, page) != 255)
      skip(); /* an older system, or one that does not tell */
    char *from = memory + (size_t)parts[i].first * page + parts[i].from;
    char *to = memory + (size_t)parts[i].last * page + parts[i].to;
    ps__os_populate(from, (size_t)(to - from));
    assert_int_equal(present(memory, page), parts[i].present);
    munmap(memory - page, (PAGES + 2) * page);
    munmap(other - page, (PAGES + 2) * page);
  }
#else
  skip();
#endif
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
      cmocka_unit_test(a_descriptor_is_prepared_whatever_its_mode),
      cmocka_unit_test(number_0_is_a_descriptor),
      cmocka_unit_test(an_address_may_be_used_again),
      cmocka_unit_test(without_a_descriptor_there_is_no_socket),
      cmocka_unit_test(nothing_can_be_sent),
      cmocka_unit_test(each_way_can_be_shut),
      cmocka_unit_test(addresses_are_told),
      cmocka_unit_test(a_name_may_be_empty),
      cmocka_unit_test(the_name_of_the_host_stays_in_its_room),
      cmocka_unit_test(whole_pages_are_populated),
  };
  return cmocka_run_group_tests_name("sockets", tests, NULL, NULL);
}
