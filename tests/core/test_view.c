/* SPDX-License-Identifier: MIT */
/* Views on the simulated system: the bytes of a result stay as they are until the same
   thread's next call on the object, whatever other threads do to it meanwhile. Memory
   that is freed is garbage here, and a sanitizer sees each use of it. */

#include "os_sim.h"

static const ps_prefix none = {NULL, 0};
static const ps_data hello = {"hello", 5};

static ps_socket *object;

static ps_bytes line(ps_host *host) {
  return ps_socket_receive(object, PS_LINE, none, 0, host);
}

/* Returns a connected descriptor that no object has. */
static int spare(void) {
  ps_socket *made = sim_client();
  int fd = ps_socket_detach(made).fd;
  ps_socket_free(made, NULL);
  return fd;
}

static void expect_bytes(ps_bytes view, const char *text) {
  assert_int_equal(view.size, strlen(text));
  assert_memory_equal(view.data, text, view.size);
}

static void expect_view(ps_bytes view, const char *text) {
  sim_expect(view, PS_OK);
  expect_bytes(view, text);
}

/* ---- What other threads do ---- */

static void they_receive(void) {
  sim_expect_bytes(object, line(NULL), PS_OK, "second");
  sim_expect_bytes(object, line(NULL), PS_OK, "third");
}

static void they_wait(void) {
  ps_socket_settimeout(object, 0.5, NULL);
  sim_expect_bytes(object, ps_socket_receive(object, PS_ALL, none, 0, NULL), PS_TIMEOUT,
                   "second\nthird\n");
}

static void they_fill(void) {
  char room[7];
  ps_filled got = ps_socket_receiveinto(object, (ps_room){room, 7}, -1, NULL);
  sim_expect(got, PS_OK);
  assert_memory_equal(room, "second\n", 7);
}

static void they_send(void) {
  sim_expect(ps_socket_send(object, hello, 1, -1, NULL), PS_OK);
}

static void they_close(void) { sim_expect(ps_socket_close(object, NULL), PS_OK); }

static void they_replace(void) {
  int old = ps_socket_getfd(object).fd, fd = spare();
  sim_expect(ps_socket_setfd(object, fd, NULL), PS_OK);
  sim_reads("new\n");
  sim_expect_bytes(object, line(NULL), PS_OK, "second");
  sim_expect_bytes(object, line(NULL), PS_OK, "third");
  sim_expect_bytes(object, line(NULL), PS_OK, "new");
  sim_abandon(old);
}

static void they_close_and_replace(void) {
  they_close();
  int fd = spare();
  sim_expect(ps_socket_setfd(object, fd, NULL), PS_OK);
  sim_reads("new\n", "newer\n");
  sim_expect_bytes(object, line(NULL), PS_OK, "new");
  sim_expect_bytes(object, line(NULL), PS_OK, "newer");
}

static void they_take_it_away(void) {
  sim_expect_bytes(object, ps_socket_receiveany(object, 0, NULL), PS_OK,
                   "second\nthird\n");
  int fd = ps_socket_detach(object).fd;
  assert_true(fd >= 0);
  sim_expect(ps_socket_setfd(object, fd, NULL), PS_OK);
  sim_reads("new\n");
  sim_expect_bytes(object, line(NULL), PS_OK, "new");
}

static void they_misunderstand(void) {
  sim_expect(ps_socket_connect(object, "10.0.0.1", (ps_port){NULL, 80}, NULL),
             PS_CONNECTED);
  they_close_and_replace();
}

static void they_come_one_by_one(void) {
  sim_expect_bytes(object, line(NULL), PS_OK, "second");
  sim_thread(3);
  sim_expect_bytes(object, line(NULL), PS_OK, "third");
  sim_thread(4);
  they_close();
}

static void (*const deeds[])(void) = {
    they_receive,
    they_wait,
    they_fill,
    they_send,
    they_close,
    they_replace,
    they_close_and_replace,
    they_take_it_away,
    they_misunderstand,
    they_come_one_by_one,
};

static void a_view_outlasts_what_others_do(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
    sim_begin();
    object = sim_client();
    sim_reads("fi\rrst\r\nsecond\nthird\n");
    ps_bytes view = line(NULL);
    expect_view(view, "first");
    sim_thread(2);
    deeds[i]();
    expect_view(view, "first");
    sim_thread(1);
    if (ps_socket_getfd(object).fd >= 0) {
      ps_socket_settimeout(object, 0, NULL);
      ps_socket_receiveany(object, 0, NULL); /* ends it */
    }
    ps_socket_free(object, NULL);
    sim_end();
  }
}

/* The last bytes of the buffer were taken, and the buffer is the view. */
static void detach_leaves_the_view_of_another_thread(void **state) {
  (void)state;
  object = sim_client();
  sim_reads("first\n");
  ps_bytes view = line(NULL);
  sim_thread(2);
  int fd = ps_socket_detach(object).fd;
  sim_expect(ps_socket_setfd(object, fd, NULL), PS_OK);
  expect_view(view, "first");
  sim_thread(1);
  ps_socket_free(object, NULL);
}

static void each_thread_has_its_own_view(void **state) {
  (void)state;
  object = sim_client();
  sim_reads("1\n2\n3\n4\n");
  ps_bytes views[5];
  static const char *const texts[] = {"", "1", "2", "3", "4"};
  for (int i = 1; i <= 3; i++) {
    sim_thread((unsigned long)i);
    views[i] = line(NULL);
    for (int j = 1; j <= i; j++) expect_view(views[j], texts[j]);
  }
  size_t before = sim_memory();
  sim_thread(1);
  views[4] = line(NULL);
  for (int j = 2; j <= 4; j++) expect_view(views[j], texts[j]);
  assert_true(sim_memory() <= before); /* its first one is gone */
  sim_thread(5);
  ps_socket_free(object, NULL);
}

static void without_memory_to_keep_a_view_the_call_fails(void **state) {
  (void)state;
  for (int nth = 1; nth <= 2; nth++) {
    object = sim_client();
    sim_reads("first\nsecond\n");
    ps_bytes view = line(NULL);
    sim_thread(2);
    sim_fault(SIM_ENOMEM, nth, 0);
    ps_bytes got = ps_socket_receive(object, PS_LINE, (ps_prefix){"p", 1}, 0, NULL);
    sim_expect_bytes(object, got, PS_NOMEMORY, "p");
    expect_view(view, "first");
    sim_expect_bytes(object, line(NULL), PS_OK, "second");
    expect_view(view, "first");
    /* A close finds a way. */
    sim_thread(1);
    sim_reads("third\nfourth\n");
    view = line(NULL);
    sim_thread(2);
    sim_fault(SIM_ENOMEM, 1, 0);
    ps_socket_close(object, NULL);
    sim_fault(SIM_NO_FAULT, 0, 0);
    expect_view(view, "third");
    assert_int_equal(ps_socket_pending(object).size, 0);
    int fd = spare();
    ps_socket_setfd(object, fd, NULL);
    sim_reads("new\n");
    sim_expect_bytes(object, line(NULL), PS_OK, "new");
    expect_view(view, "third");
    sim_thread(1);
    ps_socket_free(object, NULL);
  }
}

/* Not even for the descriptor that follows is there memory. */
static void without_memory_old_bytes_are_dropped_all_the_same(void **state) {
  (void)state;
  object = sim_client();
  sim_reads("first\nsecond\n");
  ps_bytes view = line(NULL);
  sim_thread(2);
  int fd = spare();
  sim_fault(SIM_ENOMEM, 1, 1);
  ps_socket_close(object, NULL);
  sim_expect(ps_socket_setfd(object, fd, NULL), PS_OK);
  sim_fault(SIM_NO_FAULT, 0, 0);
  expect_view(view, "first");
  sim_reads("new\n");
  sim_expect_bytes(object, line(NULL), PS_OK, "new");
  expect_view(view, "first");
  sim_thread(1);
  ps_socket_free(object, NULL);
}

/* ---- Held ---- */

static void close_it(void *context) {
  (void)context;
  ps_socket_close(object, NULL);
}

static void what_is_held_can_be_taken_after_other_calls(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_HOLD);
  object = sim_client();
  sim_reads("one\ntwo\nthree\n");
  ps_bytes view = line(host);
  expect_view(view, "one");
  assert_int_equal(ps_socket_pending(object).size, 14);
  sim_expect(ps_socket_send(object, hello, 1, -1, host), PS_OK);
  sim_expect(ps_socket_detach(object), PS_BUFFERED);
  assert_true(ps_socket_take(object, &view));
  assert_int_equal(ps_socket_pending(object).size, 10);
  assert_int_equal(ps_socket_getstats(object).received, 4);
  assert_false(ps_socket_take(object, &view)); /* once */
  /* The language did not manage to copy it: it is there again. */
  view = line(host);
  view = line(host);
  expect_view(view, "two");
  assert_true(ps_socket_take(object, &view));
  view = line(host);
  ps_socket_close(object, host);
  assert_true(ps_socket_take(object, &view));
  ps_socket_free(object, NULL);
}

/* Where the language gives its lock away while the descriptor is closed, others come. */
static void what_is_held_outlasts_the_end_of_its_call(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_HOLD);
  object = sim_client();
  sim_reads("par", sim_after(1), "tial");
  sim_later(0.5, close_it, NULL);
  ps_bytes view = line(host);
  assert_int_equal(view.status.code, PS_CLOSED);
  sim_thread(2);
  int fd = spare();
  sim_expect(ps_socket_setfd(object, fd, host), PS_OK);
  sim_reads("new\n");
  sim_expect_bytes(object, line(host), PS_OK, "new");
  assert_memory_equal(view.data, "par", 3);
  sim_thread(1);
  ps_socket_free(object, NULL);
}

/* The bytes that are taken are those that were held, not those of a later connection. */
static void what_is_held_is_not_taken_from_the_next_connection(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_HOLD);
  object = sim_client();
  sim_reads("par", sim_after(1), "tial");
  sim_later(0.5, close_it, NULL);
  ps_bytes view = line(host);
  assert_int_equal(view.status.code, PS_CLOSED);
  sim_thread(2);
  int fd = spare();
  sim_expect(ps_socket_setfd(object, fd, host), PS_OK);
  ps_socket_settimeout(object, 0, NULL);
  sim_reads("new li");
  sim_expect_bytes(object, ps_socket_next(object, PS_LINE, 0, host), PS_TIMEOUT, "");
  sim_thread(1);
  assert_memory_equal(view.data, "par", 3);
  assert_true(ps_socket_take(object, &view));
  assert_int_equal(ps_socket_pending(object).size, 6);
  sim_reads("ne\n");
  sim_expect_bytes(object, ps_socket_next(object, PS_LINE, 0, host), PS_OK, "new line");
  ps_socket_free(object, NULL);
}

/* There are fewer bytes than were held, and they are others. */
static void what_is_held_is_not_taken_from_what_is_less(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_HOLD);
  object = sim_client();
  sim_reads("one\n");
  ps_bytes view = line(host);
  ps_socket_close(object, host);
  int fd = spare();
  sim_expect(ps_socket_setfd(object, fd, host), PS_OK);
  ps_socket_settimeout(object, 0, NULL);
  sim_reads("new");
  sim_expect_bytes(object, ps_socket_next(object, PS_LINE, 0, host), PS_TIMEOUT, "");
  assert_true(ps_socket_take(object, &view));
  assert_int_equal(ps_socket_pending(object).size, 3);
  sim_expect_bytes(object, ps_socket_receiveany(object, 0, host), PS_OK, "new");
  ps_socket_free(object, NULL);
}

/* The bytes of a thread's next call are taken, although the view of its last one was
   dropped. */
static void what_is_held_next_is_taken(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_HOLD);
  object = sim_client();
  sim_reads("par", sim_after(1), "tial");
  sim_later(0.5, close_it, NULL);
  assert_int_equal(line(host).status.code, PS_CLOSED);
  sim_thread(2);
  int fd = spare();
  sim_expect(ps_socket_setfd(object, fd, host), PS_OK);
  sim_reads("one\ntwo\nthree\n");
  ps_bytes view = line(host);
  assert_true(ps_socket_take(object, &view));
  sim_thread(1);
  view = line(host);
  expect_view(view, "two");
  assert_true(ps_socket_take(object, &view));
  sim_expect_bytes(object, line(host), PS_OK, "three");
  ps_socket_free(object, NULL);
}

static void replace_it(void *fd) {
  sim_expect(ps_socket_setfd(object, *(int *)fd, NULL), PS_OK);
}

/* The connection is another one, but the stream goes on: nobody gets the bytes again. */
static void what_is_held_is_taken_once_after_setfd(void **state) {
  (void)state;
  ps_host *host = sim_language(SIM_HOLD);
  object = sim_client();
  int old = ps_socket_getfd(object).fd, fd = spare();
  sim_script(old);
  sim_reads("par", sim_after(1), "tial");
  sim_signal(0.5);
  sim_when_asked(replace_it, &fd);
  ps_bytes view = line(host);
  assert_int_equal(view.status.code, PS_CLOSED);
  expect_bytes(view, "par");
  sim_thread(2);
  ps_socket_settimeout(object, 0, NULL);
  sim_expect_bytes(object, ps_socket_next(object, PS_LINE, 0, host), PS_TIMEOUT, "");
  sim_thread(1);
  expect_bytes(view, "par");
  assert_true(ps_socket_take(object, &view));
  assert_int_equal(ps_socket_pending(object).size, 0);
  assert_int_equal(ps_socket_getstats(object).received, 3);
  sim_abandon(old);
  ps_socket_free(object, NULL);
}

/* ---- Memory ---- */

static void a_view_ends_with_its_buffer(void **state) {
  (void)state;
  object = sim_client();
  sim_thread(2);
  sim_reads("first\n");
  expect_view(line(NULL), "first");
  assert_true(sim_memory() > sizeof(ps_socket));
  sim_expect(ps_socket_receiveinto(object, (ps_room){NULL, 0}, 0, NULL), PS_OK);
  assert_int_equal(sim_memory(), sizeof(ps_socket));
  /* The buffer is needed by those that follow: it is not separated, nor copied. */
  sim_reads("second\nthi");
  ps_socket_settimeout(object, 0, NULL);
  expect_view(line(NULL), "second");
  size_t before = sim_memory();
  for (unsigned long i = 0; i < 4; i++) {
    sim_thread(2 + i / 2);
    sim_expect_bytes(object, ps_socket_next(object, PS_LINE, 0, NULL), PS_TIMEOUT, "");
    assert_int_equal(sim_memory(), before);
  }
  ps_socket_free(object, NULL);
}

/* A thread that goes on beside the view of another one does not separate it again, and
   what gave nothing is no view. */
static void a_view_is_separated_once(void **state) {
  (void)state;
  object = sim_client();
  ps_socket_settimeout(object, 0, NULL);
  sim_thread(2);
  sim_reads("first\nsec");
  ps_bytes view = line(NULL);
  expect_view(view, "first");
  sim_thread(3);
  sim_expect_bytes(object, ps_socket_next(object, PS_LINE, 0, NULL), PS_TIMEOUT, "");
  size_t before = sim_memory();
  for (unsigned long thread = 3; thread < 6; thread++) {
    sim_thread(thread);
    sim_expect_bytes(object, ps_socket_next(object, PS_LINE, 0, NULL), PS_TIMEOUT, "");
    assert_int_equal(sim_memory(), before);
  }
  expect_view(view, "first");
  ps_socket_free(object, NULL);
}

/* It was closed before anything came: there is no buffer to separate. */
static void a_call_without_bytes_leaves_no_view(void **state) {
  (void)state;
  object = sim_client();
  sim_thread(2);
  sim_later(0.5, close_it, NULL);
  sim_expect_bytes(object, line(NULL), PS_CLOSED, "");
  sim_thread(3);
  int fd = spare();
  sim_expect(ps_socket_setfd(object, fd, NULL), PS_OK);
  ps_socket_settimeout(object, 0, NULL);
  sim_reads("par");
  sim_expect_bytes(object, ps_socket_next(object, PS_LINE, 0, NULL), PS_TIMEOUT, "");
  size_t before = sim_memory();
  sim_expect_bytes(object, ps_socket_next(object, PS_LINE, 0, NULL), PS_TIMEOUT, "");
  assert_int_equal(sim_memory(), before);
  ps_socket_free(object, NULL);
}

/* The bytes behind the view are gone, and so is what they would need. */
static void a_closed_object_keeps_the_view_alone(void **state) {
  (void)state;
  enum { LITTLE = 100, SIZE = 1000 };
  char rest[SIZE];
  memset(rest, 'x', SIZE);
  memcpy(rest, "first\n", 6);
  object = sim_client();
  sim_reads(sim_data(rest, SIZE));
  ps_bytes view = line(NULL);
  size_t before = sim_memory();
  sim_thread(2);
  ps_socket_close(object, NULL);
  expect_view(view, "first");
  assert_in_range(sim_memory(), before, before + LITTLE);
  sim_thread(1);
  ps_socket_free(object, NULL);
}

static void an_empty_line_keeps_no_buffer(void **state) {
  (void)state;
  object = sim_client();
  size_t idle = sim_memory();
  sim_reads("\n");
  sim_expect_bytes(object, line(NULL), PS_OK, "");
  assert_int_equal(sim_memory(), idle);
  sim_reads("\r\n");
  sim_expect_bytes(object, line(NULL), PS_OK, "");
  assert_int_equal(sim_memory(), idle);
  ps_socket_free(object, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_view_outlasts_what_others_do),
      sim_test(detach_leaves_the_view_of_another_thread),
      sim_test(each_thread_has_its_own_view),
      sim_test(without_memory_to_keep_a_view_the_call_fails),
      sim_test(without_memory_old_bytes_are_dropped_all_the_same),
      sim_test(what_is_held_can_be_taken_after_other_calls),
      sim_test(what_is_held_outlasts_the_end_of_its_call),
      sim_test(what_is_held_is_not_taken_from_the_next_connection),
      sim_test(what_is_held_is_not_taken_from_what_is_less),
      sim_test(what_is_held_next_is_taken),
      sim_test(what_is_held_is_taken_once_after_setfd),
      sim_test(a_view_ends_with_its_buffer),
      sim_test(a_view_is_separated_once),
      sim_test(a_call_without_bytes_leaves_no_view),
      sim_test(a_closed_object_keeps_the_view_alone),
      sim_test(an_empty_line_keeps_no_buffer),
  };
  return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
