/* SPDX-License-Identifier: MIT */
/* core/turn.c on the simulated system: the state word. What a host does to an object
   while it is asked in the middle of a call, what another thread meets at that moment,
   and what a forked child finds. */

#include <stdio.h>

#include "os_sim.h"

static const ps_prefix none = {NULL, 0};
static const ps_data hello = {"hello", 5};

static ps_socket *object; /* what the host turns to */
static ps_host *host;
static int other; /* a descriptor for setfd */

static ps_bytes line(void) { return ps_socket_receive(object, PS_LINE, none, 0, host); }

static ps_status connect_to(const char *address) {
  return ps_socket_connect(object, address, (ps_port){NULL, 80}, host).status;
}

static unsigned word(void) { return atomic_load(&object->state); }

/* Each call is made by each kind of host that is asked. */
static void for_each_host(void (*story)(void)) {
  for (int language = SIM_VIEW; language < SIM_LANGUAGES; language++) {
    sim_begin();
    host = sim_language(language);
    story();
    sim_end();
  }
}

/* ---- The same thread, from within ---- */

static void use_both_directions(void *context) {
  (void)context;
  sim_expect_bytes(object, line(), PS_BUSY, "");
  sim_expect_bytes(object, ps_socket_next(object, PS_LINE, 0, host), PS_BUSY, "");
  sim_expect(ps_socket_detach(object), PS_BUSY);
  sim_expect(((ps_done){connect_to("10.0.0.9")}), PS_BUSY);
  sim_expect(ps_socket_send(object, hello, 1, -1, host), PS_OK);
  sim_expect(ps_socket_getsockname(object), PS_OK);
  sim_expect(ps_socket_shutdown(object, "send"), PS_OK);
  assert_int_equal(word() & PS__CALLS, 0);
}

static void a_nested_call_is_busy_story(void) {
  object = sim_client();
  sim_reads(sim_after(1), "one\n");
  sim_signal(0.5);
  sim_when_asked(use_both_directions, NULL);
  sim_expect_bytes(object, line(), PS_OK, "one");
  sim_expect_sent("hello");
  assert_int_equal(word(), 0);
  ps_socket_free(object, NULL);
}

static void a_call_within_the_same_direction_is_busy(void **state) {
  (void)state;
  for_each_host(a_nested_call_is_busy_story);
}

static void receive_within(void *context) {
  (void)context;
  sim_expect_bytes(object, line(), PS_OK, "in");
}

static void a_send_lets_its_host_receive_story(void) {
  object = sim_client();
  sim_reads("in\n");
  sim_writes(sim_takes(2), sim_after(1), sim_takes(9));
  sim_signal(0.5);
  sim_when_asked(receive_within, NULL);
  sim_expect(ps_socket_send(object, hello, 1, -1, host), PS_OK);
  sim_expect_sent("hello");
  ps_socket_free(object, NULL);
}

static void send_within(void *context) {
  (void)context;
  sim_expect(ps_socket_send(object, hello, 1, -1, host), PS_BUSY);
  sim_expect(((ps_done){connect_to("10.0.0.9")}), PS_BUSY);
}

static void a_nested_send_is_busy_story(void) {
  object = sim_client();
  sim_writes(sim_takes(2), sim_after(1), sim_takes(9));
  sim_signal(0.5);
  sim_when_asked(send_within, NULL);
  sim_expect(ps_socket_send(object, hello, 1, -1, host), PS_OK);
  sim_expect_sent("hello");
  assert_int_equal(word(), 0);
  ps_socket_free(object, NULL);
}

static void a_send_within_a_send_is_busy(void **state) {
  (void)state;
  for_each_host(a_nested_send_is_busy_story);
}

static void the_other_direction_is_free_meanwhile(void **state) {
  (void)state;
  for_each_host(a_send_lets_its_host_receive_story);
}

static void close_within(void *context) {
  (void)context;
  sim_expect(ps_socket_close(object, host), PS_OK);
  assert_int_equal(sim_descriptors(), 0); /* nobody else is in it */
}

static void a_close_within_story(void) {
  object = sim_client();
  sim_reads("par", sim_after(1), "tial\n");
  sim_signal(0.5);
  sim_when_asked(close_within, NULL);
  sim_expect_bytes(object, line(), PS_CLOSED, "par");
  assert_int_equal(ps_socket_pending(object).size, 0);
  assert_int_equal(ps_socket_dirty(object).yes, 0);
  ps_socket_free(object, NULL);

  object = sim_client();
  sim_reads("one\ntwo\n");
  sim_expect_bytes(object, line(), PS_OK, "one");
  sim_writes(sim_takes(2), sim_after(1), sim_takes(9));
  sim_signal(0.5);
  sim_when_asked(close_within, NULL);
  ps_sent sent = ps_socket_send(object, hello, 1, -1, host);
  sim_expect(sent, PS_CLOSED);
  assert_int_equal(sent.last, 2);
  sim_expect_bytes(object, line(), PS_CLOSED, ""); /* although it is there */
  ps_socket_free(object, NULL);

  object = sim_server();
  sim_signal(0.5);
  sim_when_asked(close_within, NULL);
  sim_expect(ps_socket_accept(object, host), PS_CLOSED);
  ps_socket_free(object, NULL);

  sim_route("10.0.0.1", 1, 0);
  object = ps_tcp().socket;
  sim_signal(0.5);
  sim_when_asked(close_within, NULL);
  sim_expect(((ps_done){connect_to("10.0.0.1")}), PS_CLOSED);
  ps_socket_free(object, NULL);
}

static void a_close_within_ends_the_call(void **state) {
  (void)state;
  for_each_host(a_close_within_story);
}

/* An iterator leaves its bytes in the read buffer, but a closed object has none. */
static void a_close_within_leaves_no_bytes_story(void) {
  object = sim_client();
  sim_reads("par", sim_after(1), "tial\n");
  sim_signal(0.5);
  sim_when_asked(close_within, NULL);
  sim_expect_bytes(object, ps_socket_next(object, PS_LINE, 0, host), PS_CLOSED, "");
  assert_int_equal(ps_socket_pending(object).size, 0);
  assert_int_equal(ps_socket_dirty(object).yes, 0);
  ps_socket_free(object, NULL);
}

static void a_closed_object_has_nothing_pending(void **state) {
  (void)state;
  for_each_host(a_close_within_leaves_no_bytes_story);
}

/* Returns a connected descriptor that no object has. */
static int spare(void) {
  ps_socket *made = sim_client();
  int fd = ps_socket_detach(made).fd;
  ps_socket_free(made, NULL);
  return fd;
}

static int replaced; /* the descriptor that setfd has replaced */

static void replace_within(void *closing) {
  replaced = closing != NULL ? -1 : ps_socket_getfd(object).fd;
  if (closing != NULL) ps_socket_close(object, host);
  sim_expect(ps_socket_setfd(object, other, host), PS_OK);
  if (closing != NULL) assert_int_equal(ps_socket_pending(object).size, 0);
}

static int yes = 1;

/* The bytes that came before stay, unless the object was closed between. */
static void a_setfd_within_story(void) {
  for (int closing = 0; closing < 2; closing++)
    for (int buffered = 0; buffered < 2; buffered++) {
      object = sim_client();
      int old = ps_socket_getfd(object).fd;
      other = spare();
      sim_script(old);
      if (buffered) sim_reads("old");
      sim_reads(sim_after(1), "old\n");
      sim_script(other);
      sim_reads("new\n");
      sim_signal(0.5);
      sim_when_asked(replace_within, closing ? &yes : NULL);
      ps_bytes got = ps_socket_next(object, PS_LINE, 0, host);
      sim_expect_bytes(object, got, PS_CLOSED, "");
      assert_int_equal(ps_socket_getfd(object).fd, other);
      int kept = buffered && !closing;
      assert_int_equal(ps_socket_pending(object).size, kept ? 3 : 0);
      sim_expect_bytes(object, line(), PS_OK, kept ? "oldnew" : "new");
      if (replaced >= 0) sim_abandon(replaced);
      ps_socket_free(object, NULL);
    }
}

/* The call does not come back into what setfd has to itself. */
static void a_call_stays_out_of_a_setfd(void **state) {
  (void)state;
  object = sim_client();
  ps__call first = {.self = object, .turn = PS__RECEIVING}, setting = {.self = object};
  unsigned before = 0;
  assert_int_equal(ps__turn_enter(&first), PS__ENTERED);
  assert_int_equal(ps__turn_aside(&first), -1);
  assert_int_equal(ps__turn_replace(&setting), PS__ENTERED);
  assert_int_equal(ps__turn_empty(&setting, &before), 1);
  assert_int_equal(before & PS__BOTH, PS__RECEIVING);
  ps__turn_back(&first);
  assert_true(ps__turn_gone(&first));
  assert_int_equal(ps__turn_calls(object), PS__CALL);
  assert_int_equal(ps__turn_replaced(&setting, 0), -1);
  assert_int_equal(word(), PS__RECEIVING); /* its turn is still its own */
  assert_int_equal(ps__turn_leave(&first), -1);
  assert_int_equal(word(), 0);
  ps_socket_free(object, NULL);
}

/* The host of a call closes the object, in which another thread still is. */
static void a_call_that_is_aside_leaves_the_descriptor_to_others(void **state) {
  (void)state;
  object = sim_client();
  ps__call first = {.self = object, .turn = PS__RECEIVING}, second = {.self = object};
  assert_int_equal(ps__turn_enter(&first), PS__ENTERED);
  assert_int_equal(ps__turn_enter(&second), PS__ENTERED);
  assert_int_equal(ps__turn_aside(&first), -1);
  ps_socket_close(object, NULL);
  ps__turn_back(&first);
  ps__call_end(&first);
  assert_int_equal(sim_descriptors(), 1);
  ps__call_end(&second);
  assert_int_equal(sim_descriptors(), 0);
  ps_socket_free(object, NULL);
}

static void a_setfd_within_ends_the_call(void **state) {
  (void)state;
  for_each_host(a_setfd_within_story);
}

/* Not even before the call that is asked has ended. */
static void a_revived_object_has_nothing_pending_story(void) {
  object = sim_client();
  other = spare();
  sim_script(ps_socket_getfd(object).fd);
  sim_reads("one\nhalf");
  sim_expect_bytes(object, line(), PS_OK, "one");
  assert_int_equal(ps_socket_pending(object).size, 4);
  sim_when_asked(replace_within, &yes); /* it looks */
  sim_signal(0.5);
  sim_expect_bytes(object, ps_socket_next(object, PS_LINE, 0, host), PS_CLOSED, "");
  assert_int_equal(ps_socket_pending(object).size, 0);
  ps_socket_free(object, NULL);
}

static void a_revived_object_has_nothing_pending(void **state) {
  (void)state;
  for_each_host(a_revived_object_has_nothing_pending_story);
}

/* The call that is asked sends. What was received before goes with its connection. */
static void a_setfd_within_a_send_story(void) {
  for (int closing = 0; closing < 2; closing++) {
    object = sim_client();
    sim_reads("one\ntwo\n");
    sim_writes(sim_takes(2), sim_after(1), sim_takes(9));
    sim_expect_bytes(object, line(), PS_OK, "one");
    int old = ps_socket_getfd(object).fd;
    other = spare();
    sim_script(other);
    sim_reads("new\n");
    sim_script(old);
    sim_signal(0.5);
    sim_when_asked(replace_within, closing ? &yes : NULL);
    sim_expect(ps_socket_send(object, hello, 1, -1, host), PS_CLOSED);
    assert_int_equal(ps_socket_pending(object).size, closing ? 0 : 4);
    if (!closing) sim_expect_bytes(object, line(), PS_OK, "two");
    sim_expect_bytes(object, line(), PS_OK, "new");
    assert_int_equal(ps_socket_pending(object).size, 0);
    if (replaced >= 0) sim_abandon(replaced);
    ps_socket_free(object, NULL);
  }
}

static void a_setfd_within_ends_a_send(void **state) {
  (void)state;
  for_each_host(a_setfd_within_a_send_story);
}

static void a_setfd_within_a_connect_story(void) {
  sim_host("slow.test", 1, "10.0.0.1 10.0.0.2");
  sim_route("10.0.0.1", 1, ECONNREFUSED);
  for (int closing = 0; closing < 2; closing++)
    for (int named = 0; named < 2; named++)
      for (int decided = 0; decided < 2; decided++) {
        object = decided ? ps_tcp4().socket : ps_tcp().socket;
        other = sim_adopt(4);
        sim_signal(0.5);
        sim_when_asked(replace_within, closing ? &yes : NULL);
        const char *address = named ? "slow.test" : "10.0.0.1";
        sim_expect(((ps_done){connect_to(address)}), PS_CLOSED);
        assert_int_equal(ps_socket_getfd(object).fd, other);
        if (replaced >= 0) sim_abandon(replaced);
        ps_socket_free(object, NULL);
      }
}

static void a_setfd_within_ends_a_connect(void **state) {
  (void)state;
  for_each_host(a_setfd_within_a_connect_story);
}

/* A thread that is in the object keeps setfd waiting, and so its host is asked. */
static ps__call staying, short_one;

static void go_out_first(void *context) {
  (void)context;
  assert_int_equal(ps__turn_leave(&short_one), -1);
}

static void go_out(void *context) {
  (void)context;
  assert_int_equal(ps__turn_leave(&staying), -1);
}

static int asked;

static void replace_again_within(void *context) {
  (void)context;
  asked = 1;
  sim_expect(ps_socket_setfd(object, other, host), PS_BUSY);
  sim_expect_bytes(object, line(), PS_CLOSED, "");
}

static void setfd_within_setfd_story(void) {
  object = sim_client();
  int old = ps_socket_getfd(object).fd;
  other = spare();
  staying = (ps__call){.self = object, .turn = PS__SENDING};
  short_one = (ps__call){.self = object, .turn = PS__RECEIVING};
  sim_thread(2);
  assert_int_equal(ps__turn_enter(&staying), PS__ENTERED);
  sim_thread(3);
  assert_int_equal(ps__turn_enter(&short_one), PS__ENTERED);
  sim_thread(1);
  sim_later(0, go_out_first, NULL); /* before the host is asked */
  sim_later(1, go_out, NULL);
  asked = 0;
  sim_when_asked(replace_again_within, NULL);
  sim_expect(ps_socket_setfd(object, other, host), PS_OK);
  assert_true(asked);
  assert_int_equal(ps_socket_getfd(object).fd, other);
  sim_abandon(old);
  ps_socket_free(object, NULL);
}

static void setfd_within_setfd_is_busy(void **state) {
  (void)state;
  for_each_host(setfd_within_setfd_story);
}

/* The calling thread is in the middle of a call in one direction, and another thread has
   the other turn, or replaces the descriptor: that ends without this thread's doing, so
   it is waited for. */
static ps__call theirs_now;

static void finish_theirs(void *context) {
  (void)context;
  assert_int_equal(ps__turn_replaced(&theirs_now, 0), -1);
}

static void enter_as_another_thread(unsigned turn) {
  sim_thread(2);
  theirs_now = (ps__call){.self = object, .turn = turn};
  if (turn == PS__REPLACED)
    assert_int_equal(ps__turn_replace(&theirs_now), PS__ENTERED);
  else
    assert_int_equal(ps__turn_enter(&theirs_now), PS__ENTERED);
  sim_thread(1);
}

static void meet_another_thread(void *turn) {
  double start = sim_now();
  ps_socket_settimeout(object, 0.125, NULL);
  if (turn == NULL) {
    enter_as_another_thread(PS__REPLACED);
    sim_later(0.125, finish_theirs, NULL);
    other = ps_socket_getfd(object).fd;
    sim_expect(ps_socket_setfd(object, other, host), PS_OK);
  } else if (*(unsigned *)turn == PS__SENDING) {
    sim_expect(ps_socket_send(object, hello, 1, -1, host), PS_TIMEOUT);
  } else {
    sim_expect_bytes(object, line(), PS_TIMEOUT, "");
  }
  sim_expect_elapsed(start, 0.125);
  ps_socket_settimeout(object, -1, NULL);
}

static void another_threads_turn_story(void) {
  unsigned turns[] = {PS__SENDING, PS__RECEIVING};
  for (int receives = 0; receives < 2; receives++)
    for (int replaces = 0; replaces < 2; replaces++) {
      object = sim_client();
      sim_reads(sim_after(1), "one\n");
      sim_writes(sim_after(1), sim_takes(9));
      unsigned *turn = replaces ? NULL : &turns[!receives];
      if (!replaces) enter_as_another_thread(*turn);
      sim_signal(0.5);
      sim_when_asked(meet_another_thread, turn);
      ps_status status =
          receives ? line().status : ps_socket_send(object, hello, 1, -1, host).status;
      sim_expect(((ps_done){status}), replaces ? PS_CLOSED : PS_OK);
      if (receives) sim_take(object, (ps_bytes){.status = status}, NULL);
      if (!replaces) assert_int_equal(word() & PS__BOTH, *turn); /* they still have it */
      if (!replaces) assert_int_equal(ps__turn_leave(&theirs_now), -1);
      ps_socket_free(object, NULL);
    }
}

static void the_turn_of_another_thread_is_waited_for(void **state) {
  (void)state;
  for_each_host(another_threads_turn_story);
}

/* The object is empty, and setfd is about to change it. */
static void close_from_another_thread(void *context) {
  (void)context;
  sim_thread(2);
  ps_socket_close(object, NULL);
  sim_thread(1);
  assert_int_equal(ps_socket_getfd(object).fd, -1);
}

static void a_close_in_the_middle_of_setfd_is_not_lost(void **state) {
  (void)state;
  for (int pending = 0; pending < 2; pending++) {
    sim_host("slow.test", 1, "10.0.0.1");
    object = pending ? ps_tcp4().socket : sim_client();
    ps_socket_settimeout(object, 0, NULL);
    host = NULL;
    if (pending) sim_expect(((ps_done){connect_to("slow.test")}), PS_TIMEOUT);
    int old = ps_socket_getfd(object).fd;
    other = spare();
    sim_when_adopted(close_from_another_thread, NULL);
    sim_expect(ps_socket_setfd(object, other, NULL), PS_OK);
    assert_int_equal(ps_socket_getfd(object).fd, -1);
    sim_expect(ps_socket_getsockname(object), PS_CLOSED);
    assert_int_equal(sim_descriptors(), 1); /* the old one is the caller's */
    sim_abandon(old);
    ps_socket_free(object, NULL);
  }
}

/* ---- Another thread, at that moment ---- */

static void come_from_another_thread(void *context) {
  (void)context;
  sim_thread(2);
  ps_socket_settimeout(object, 0.125, NULL);
  double start = sim_now();
  sim_expect_bytes(object, line(), PS_TIMEOUT, "");
  sim_expect_elapsed(start, 0.125);
  ps_socket_settimeout(object, 0, NULL);
  sim_expect_bytes(object, line(), PS_TIMEOUT, "");
  ps_socket_settimeout(object, -1, NULL);
  sim_thread(1);
}

static void another_thread_waits_story(void) {
  object = sim_client();
  sim_reads(sim_after(1), "one\ntwo\n");
  sim_signal(0.5);
  sim_when_asked(come_from_another_thread, NULL);
  sim_expect_bytes(object, line(), PS_OK, "one");
  sim_thread(2);
  sim_expect_bytes(object, line(), PS_OK, "two");
  sim_thread(1);
  ps_socket_free(object, NULL);
}

static void another_thread_waits_for_its_turn(void **state) {
  (void)state;
  for_each_host(another_thread_waits_story);
}

/* The thread that had a turn may ask for it again once the call is over. */
static void a_turn_has_no_owner_afterwards(void **state) {
  (void)state;
  host = sim_language(SIM_VIEW);
  object = sim_client();
  sim_reads("one\ntwo\n");
  sim_expect_bytes(object, line(), PS_OK, "one");
  sim_expect(ps_socket_send(object, hello, 1, -1, host), PS_OK);
  sim_expect(ps_socket_setfd(object, ps_socket_getfd(object).fd, host), PS_OK);
  for (int i = 0; i < 3; i++) assert_int_equal(object->owner[i], 0);
  atomic_fetch_or(&object->state, PS__BOTH); /* by somebody else */
  ps_socket_settimeout(object, 0.1, NULL);
  sim_expect_bytes(object, line(), PS_TIMEOUT, "");
  sim_expect(ps_socket_send(object, hello, 1, -1, host), PS_TIMEOUT);
  atomic_fetch_and(&object->state, ~(unsigned)PS__BOTH);
  enter_as_another_thread(PS__REPLACED);
  sim_later(0.1, finish_theirs, NULL);
  object->owner[2] = 0; /* it has not said yet who it is */
  sim_expect(ps_socket_setfd(object, ps_socket_getfd(object).fd, host), PS_OK);
  ps_socket_free(object, NULL);
}

/* Half of what the count can hold is for calls that come back from their host, and for
   closing. */
static void a_count_that_is_half_full_makes_new_calls_wait(void **state) {
  (void)state;
  host = sim_language(SIM_VIEW);
  object = sim_client();
  const unsigned half = PS__CALLS / 2 / PS__CALL * PS__CALL;
  ps__call first = {.self = object}, second = {.self = object}, third = {.self = object};
  assert_int_equal(ps__turn_enter(&first), PS__ENTERED);
  atomic_fetch_add(&object->state, half - PS__CALL); /* by other threads */
  assert_int_equal(ps__turn_enter(&second), PS__ENTERED);
  assert_int_equal(ps__turn_enter(&third), PS__TAKEN);
  ps_socket_settimeout(object, 0.1, NULL);
  sim_expect(ps_socket_send(object, hello, 1, -1, host), PS_TIMEOUT);
  assert_int_equal(ps__turn_aside(&first), -1);
  assert_int_equal(ps__turn_enter(&third), PS__ENTERED);
  ps__turn_back(&first);
  assert_false(ps__turn_gone(&first));
  assert_int_equal(ps__turn_calls(object), half + 2 * PS__CALL);
  assert_int_equal(ps__turn_leave(&third), -1);
  sim_expect(ps_socket_close(object, host), PS_OK);
  assert_int_equal(ps__turn_leave(&second), -1);
  atomic_fetch_sub(&object->state, half - PS__CALL);
  assert_int_equal(sim_descriptors(), 1);
  ps__call_end(&first);
  assert_int_equal(sim_descriptors(), 0);
  ps_socket_free(object, NULL);
}

static void detach_within(void *context) {
  sim_expect(ps_socket_detach(object), PS_OK);
  *(int *)context = 1;
}

/* A server has no turns, and the call that is asked is not counted meanwhile. */
static void a_server_can_be_detached_within_an_accept(void **state) {
  (void)state;
  host = sim_language(SIM_VIEW);
  object = sim_server();
  int fd = ps_socket_getfd(object).fd, detached = 0;
  sim_signal(0.5);
  sim_when_asked(detach_within, &detached);
  sim_expect(ps_socket_accept(object, host), PS_CLOSED);
  assert_true(detached);
  ps_socket_free(object, NULL);
  sim_abandon(fd);
}

static void try_to_detach(void *context) {
  (void)context;
  sim_expect(ps_socket_detach(object), PS_BUSY);
}

static void an_object_in_use_cannot_be_detached(void **state) {
  (void)state;
  object = sim_server();
  sim_accepts(sim_after(1), sim_comes);
  sim_later(0.5, try_to_detach, NULL);
  ps_object made = ps_socket_accept(object, NULL);
  sim_expect(made, PS_OK);
  ps_socket_free(made.socket, NULL);
  ps_socket_free(object, NULL);
  object = sim_client();
  sim_reads(sim_after(1), "x");
  sim_later(0.5, try_to_detach, NULL);
  sim_expect_bytes(object, ps_socket_receiveany(object, 0, NULL), PS_OK, "x");
  ps_socket_free(object, NULL);
}

/* ---- A forked child ---- */

static ps__call call_of(unsigned turn) {
  ps__call call = {.self = object, .turn = turn};
  return call;
}

static void a_child_forgets_the_calls_of_its_parent(void **state) {
  (void)state;
  object = sim_client();
  ps__call receiving = call_of(PS__RECEIVING), sending = call_of(PS__SENDING);
  assert_int_equal(ps__turn_enter(&receiving), PS__ENTERED);
  sim_thread(2);
  assert_int_equal(ps__turn_enter(&sending), PS__ENTERED);
  assert_int_equal(ps__turn_calls(object), 2 * PS__CALL);
  sim_process(1);
  assert_int_equal(ps__turn_calls(object), 0);
  sim_reads("for the child\n");
  ps_socket_settimeout(object, 0, NULL);
  host = NULL;
  sim_expect_bytes(object, line(), PS_OK, "for the child");
  sim_expect(ps_socket_send(object, hello, 1, -1, NULL), PS_OK);
  /* What a copy of the parent's call does when it ends is nothing. */
  for (unsigned turn = PS__RECEIVING; turn <= PS__SENDING; turn++) {
    ps__call mine = call_of(turn), nested = call_of(turn);
    assert_int_equal(ps__turn_enter(&mine), PS__ENTERED);
    assert_int_equal(ps__turn_leave(turn == PS__RECEIVING ? &receiving : &sending), -1);
    assert_int_equal(ps__turn_calls(object), PS__CALL);
    assert_int_equal(ps__turn_enter(&nested), PS__NESTED);
    assert_int_equal(ps__turn_leave(&mine), -1);
  }
  ps_socket_close(object, NULL);
  assert_int_equal(sim_descriptors(), 0);
  ps_socket_free(object, NULL);
}

/* The parent closed it, and the last of its calls was to give the descriptor back. */
static void a_child_closes_what_its_parent_was_closing(void **state) {
  (void)state;
  for (int looked = 0; looked < 2; looked++) {
    sim_process(0);
    object = sim_client();
    ps__call receiving = call_of(PS__RECEIVING);
    assert_int_equal(ps__turn_enter(&receiving), PS__ENTERED);
    sim_thread(2);
    ps_socket_close(object, NULL);
    assert_int_equal(sim_descriptors(), 1);
    sim_process(1);
    if (looked) sim_expect(ps_socket_getsockname(object), PS_CLOSED);
    ps_socket_close(object, NULL);
    assert_int_equal(sim_descriptors(), 0);
    ps_socket_close(object, NULL);
    ps_socket_free(object, NULL);
    sim_thread(1);
  }
}

/* And so does a child that replaces it. */
static void a_child_replaces_what_its_parent_was_closing(void **state) {
  (void)state;
  host = NULL;
  object = sim_client();
  ps__call receiving = call_of(PS__RECEIVING);
  assert_int_equal(ps__turn_enter(&receiving), PS__ENTERED);
  sim_thread(2);
  ps_socket_close(object, NULL);
  sim_process(1);
  other = spare();
  assert_int_equal(sim_descriptors(), 2);
  sim_expect(ps_socket_setfd(object, other, NULL), PS_OK);
  assert_int_equal(sim_descriptors(), 1);
  sim_reads("new\n");
  sim_expect_bytes(object, line(), PS_OK, "new");
  ps_socket_free(object, NULL);
}

static void fork_here(void *context) {
  (void)context;
  sim_process(1);
}

/* setfd waits for a thread that does not exist in the child. */
static void a_child_goes_on_with_a_setfd_story(void) {
  for (int forked = 0; forked < 2; forked++) {
    sim_process(0);
    object = sim_client();
    int old = ps_socket_getfd(object).fd;
    other = spare();
    ps__call sending = call_of(PS__SENDING);
    sim_thread(2);
    assert_int_equal(ps__turn_enter(&sending), PS__ENTERED);
    sim_thread(1);
    if (forked) fork_here(NULL);
    if (!forked) sim_when_asked(fork_here, NULL);
    sim_expect(ps_socket_setfd(object, other, host), PS_OK);
    assert_int_equal(word(), 1u << PS__PROCESS_SHIFT);
    sim_script(other);
    sim_reads("new\n");
    sim_expect_bytes(object, line(), PS_OK, "new");
    sim_abandon(old);
    ps_socket_free(object, NULL);
  }
}

static void a_child_goes_on_with_a_setfd(void **state) {
  (void)state;
  for_each_host(a_child_goes_on_with_a_setfd_story);
}

/* In the child, too, a setfd that is stopped lets others in again. */
static void a_child_stops_a_setfd(void **state) {
  (void)state;
  host = sim_language(SIM_VIEW);
  object = sim_client();
  sim_process(1);
  sim_thread(2);
  ps__call sending = call_of(PS__SENDING);
  assert_int_equal(ps__turn_enter(&sending), PS__ENTERED);
  sim_thread(1);
  sim_stop();
  other = sim_adopt(4);
  sim_expect(ps_socket_setfd(object, other, host), PS_INTERRUPTED);
  sim_abandon(other);
  sim_script(ps_socket_getfd(object).fd);
  sim_reads("one\n");
  sim_expect_bytes(object, line(), PS_OK, "one");
  assert_int_equal(ps__turn_leave(&sending), -1);
  ps_socket_free(object, NULL);
}

/* A thread of the parent was in the middle of a change of the read buffer, which is
   invalid in the child. */
static ps__buffer *theirs;
static void fork_within_a_change(unsigned parent, unsigned forker, unsigned process,
                                 const char *rest) {
  sim_process(parent);
  sim_thread(2);
  object = sim_client();
  host = NULL;
  char text[16];
  snprintf(text, sizeof text, "one\n%s", rest);
  sim_reads(text);
  sim_expect_bytes(object, line(), PS_OK, "one");
  ps__call receiving = call_of(PS__RECEIVING);
  assert_int_equal(ps__turn_enter(&receiving), PS__ENTERED);
  assert_int_equal(ps_socket_pending(object).size, strlen(rest));
  theirs = object->reader.buffer;
  object->reader.buffer = (ps__buffer *)&theirs;
  object->views = (ps__view *)&theirs;
  object->viewer = 3;
  sim_thread(forker);
  sim_process(process);
}

static void a_child_has_no_buffer_in_the_middle_of_a_change(void **state) {
  (void)state;
  for (unsigned way = 0; way < 12; way++) {
    /* A child, or a grandchild. */
    fork_within_a_change(0, 1, way % 2 + 1, way % 3 == 0 ? "x" : "two\n");
    assert_int_equal(ps_socket_pending(object).size, 0);
    assert_int_equal(ps_socket_dirty(object).yes, 0);
    assert_int_equal(ps__has_news(object), 0);
    if (way % 4 > 1) {
      sim_expect(ps_socket_send(object, hello, 1, -1, NULL), PS_OK);
      assert_int_equal(ps_socket_pending(object).size, 0);
      assert_true((word() & PS__ORPHANED) != 0); /* they are for the next receive */
    }
    if (way < 4) {
      sim_reads("for the child\nmore\n");
      sim_expect_bytes(object, line(), PS_OK, "for the child");
      assert_int_equal(ps_socket_pending(object).size, 5);
      sim_expect_bytes(object, line(), PS_OK, "more");
      ps_detached got = ps_socket_detach(object);
      sim_expect(got, PS_OK);
      ps__os_close(got.fd);
    } else if (way < 8) {
      ps_socket_close(object, NULL);
    }
    ps_socket_free(object, NULL);
    ps__os_realloc(theirs, 0);
    sim_thread(1);
  }
}

/* The first receive of the child disowns it, before it waits. */
static void a_receive_of_the_child_begins_without_a_buffer(void **state) {
  (void)state;
  fork_within_a_change(0, 1, 1, "two\n");
  ps__call mine = call_of(PS__RECEIVING);
  assert_int_equal(ps__turn_enter(&mine), PS__ENTERED);
  assert_int_equal(word() & PS__ORPHANED, 0);
  assert_null(object->reader.buffer);
  assert_null(object->views);
  assert_int_equal(object->viewer, 0);
  assert_int_equal(ps_socket_pending(object).size, 0);
  assert_int_equal(ps__turn_leave(&mine), -1);
  ps_socket_free(object, NULL);
  ps__os_realloc(theirs, 0);
}

static void leave_it(void *call) { assert_int_equal(ps__turn_leave(call), -1); }

/* The wait of another thread of the child has entered it: so the close cannot abandon the
   buffer, and the free has to. */
static void a_child_frees_it_while_a_wait_looks_at_it(void **state) {
  (void)state;
  fork_within_a_change(0, 1, 1, "two\n");
  ps_poller *poller = ps_poller_make().poller;
  sim_expect(ps_poller_add(poller, (ps_source){object, -1}, "r", object), PS_OK);
  ps__call looking = call_of(0);
  assert_int_equal(ps__turn_enter(&looking), PS__ENTERED);
  sim_when_locked(leave_it, &looking);
  ps_socket_free(object, NULL);
  ps_poller_free(poller);
  ps__os_realloc(theirs, 0);
}

static void fork_as_the_sender(void *context) {
  (void)context;
  sim_process(1);
  theirs = object->reader.buffer;
  object->reader.buffer = (ps__buffer *)&theirs;
}

/* The thread that sends forks, while another one changes the read buffer. */
static void a_send_that_goes_on_in_the_child_has_no_buffer_story(void) {
  object = sim_client();
  sim_thread(1);
  sim_reads("one\ntwo\n");
  sim_expect_bytes(object, line(), PS_OK, "one");
  enter_as_another_thread(PS__RECEIVING);
  sim_writes(sim_takes(2), sim_after(1), sim_takes(9));
  sim_signal(0.5);
  sim_when_asked(fork_as_the_sender, NULL);
  sim_expect(ps_socket_send(object, hello, 1, -1, host), PS_OK);
  sim_expect_sent("hello");
  assert_int_equal(ps_socket_pending(object).size, 0);
  sim_reads("for the child\n");
  sim_expect_bytes(object, line(), PS_OK, "for the child");
  ps_socket_free(object, NULL);
  ps__os_realloc(theirs, 0);
}

static void a_send_that_goes_on_in_the_child_has_no_buffer(void **state) {
  (void)state;
  for_each_host(a_send_that_goes_on_in_the_child_has_no_buffer_story);
}

static void the_thread_that_forks_keeps_its_buffer(void **state) {
  (void)state;
  static const unsigned parents[] = {0, 1, 4094, 4095, 4096};
  for (int i = 0; i < 5; i++) {
    fork_within_a_change(parents[i], 2, parents[i] + 1, "two\n");
    object->reader.buffer = theirs;
    object->views = NULL;
    object->viewer = 0;
    assert_int_equal(ps_socket_pending(object).size, 4);
    sim_expect_bytes(object, line(), PS_OK, "two");
    ps_socket_free(object, NULL);
  }
}

/* A thread of the parent that sends does not touch the read buffer. */
static void a_child_has_the_buffer_of_a_parent_that_sends(void **state) {
  (void)state;
  host = NULL;
  for (unsigned process = 1; process <= 2; process++) {
    sim_process(0);
    object = sim_client();
    sim_reads("one\ntwo\n");
    sim_expect_bytes(object, line(), PS_OK, "one");
    ps__call sending = call_of(PS__SENDING);
    assert_int_equal(ps__turn_enter(&sending), PS__ENTERED);
    sim_thread(2);
    sim_process(process);
    assert_int_equal(ps_socket_pending(object).size, 4);
    assert_int_equal(ps__has_news(object), 1);
    sim_expect(ps_socket_send(object, hello, 1, -1, NULL), PS_OK);
    assert_int_equal(ps_socket_pending(object).size, 4);
    sim_expect_bytes(object, line(), PS_OK, "two");
    ps_socket_free(object, NULL);
    sim_thread(1);
  }
}

static void fork_within(void *calls) {
  sim_process(1);
  if (calls != NULL) sim_expect(ps_socket_getsockname(object), PS_OK);
}

/* The child is in the middle of the call that its parent's thread had made. */
static void a_child_goes_on_story(void) {
  for (int calls = 0; calls < 2; calls++) {
    sim_process(0);
    object = sim_client();
    sim_reads("on", sim_after(1), "e\n");
    sim_signal(0.5);
    sim_when_asked(fork_within, calls ? &yes : NULL);
    sim_expect_bytes(object, line(), PS_OK, "one");
    sim_expect(ps_socket_send(object, hello, 1, -1, host), PS_OK);
    assert_int_equal(word() & (PS__CALLS | PS__BOTH), 0);
    ps_socket_close(object, host);
    assert_int_equal(sim_descriptors(), 0);
    ps_socket_free(object, NULL);
  }
}

/* What the child does to the object within the call, which then cannot go on. */
static void fork_and_receive(void *context) {
  (void)context;
  sim_process(1);
  ps_socket_settimeout(object, 0, NULL);
  sim_expect_bytes(object, ps_socket_receiveany(object, 0, host), PS_OK, "on");
}

static void fork_and_send(void *context) {
  (void)context;
  sim_process(1);
  sim_expect(ps_socket_send(object, hello, 1, -1, host), PS_OK);
}

static void a_child_ends_the_send_story(void) {
  for (int sends = 0; sends < 2; sends++) {
    sim_process(0);
    object = sim_client();
    sim_writes(sim_takes(2), sim_after(1), sim_takes(9));
    sim_signal(0.5);
    if (sends) sim_writes(sim_takes(9));
    sim_when_asked(sends ? fork_and_send : fork_within, NULL);
    ps_sent sent = ps_socket_send(object, hello, 1, -1, host);
    sim_expect(sent, sends ? PS_CLOSED : PS_OK);
    assert_int_equal(sent.last, sends ? 2 : 5);
    assert_int_equal(word() & (PS__CALLS | PS__BOTH), 0);
    ps_socket_free(object, NULL);
  }
}

static void a_child_that_sends_ends_the_send_in_which_it_was_forked(void **state) {
  (void)state;
  for_each_host(a_child_ends_the_send_story);
}

static void fork_and_close(void *context) {
  (void)context;
  sim_process(1);
  ps_socket_close(object, host);
}

static void a_child_ends_the_call_story(void) {
  for (int closes = 0; closes < 2; closes++) {
    sim_process(0);
    object = sim_client();
    sim_reads("on", sim_after(1), "e\n");
    sim_signal(0.5);
    sim_when_asked(closes ? fork_and_close : fork_and_receive, NULL);
    ps_bytes got = line();
    assert_int_equal(got.status.code, PS_CLOSED);
    ps_socket_settimeout(object, -1, NULL);
    if (!closes) sim_expect_bytes(object, line(), PS_OK, "e");
    ps_socket_free(object, host);
    assert_int_equal(sim_descriptors(), 0);
  }
}

static void a_child_ends_the_call_in_which_it_was_forked(void **state) {
  (void)state;
  for_each_host(a_child_ends_the_call_story);
}

static void a_child_closes_within_a_connect_story(void) {
  sim_host("slow.test", 1, "10.0.0.1 10.0.0.2");
  sim_route("10.0.0.1", 1, ECONNREFUSED);
  for (int named = 0; named < 2; named++) {
    sim_process(0);
    object = ps_tcp4().socket;
    sim_signal(0.5);
    sim_when_asked(fork_and_close, NULL);
    assert_int_equal(connect_to(named ? "slow.test" : "10.0.0.1").code, PS_CLOSED);
    ps_socket_free(object, host);
    assert_int_equal(sim_descriptors(), 0);
  }
}

static void a_child_closes_within_a_connect(void **state) {
  (void)state;
  for_each_host(a_child_closes_within_a_connect_story);
}

/* Daemons fork twice. */
static void fork_twice(void *context) {
  (void)context;
  sim_process(1);
  sim_process(2);
}

static void a_grandchild_goes_on_story(void) {
  sim_process(0);
  object = sim_client();
  sim_reads("on", sim_after(1), "e\ntwo\nthree\n");
  sim_signal(0.5);
  sim_when_asked(fork_twice, NULL);
  sim_expect_bytes(object, line(), PS_OK, "one");
  assert_int_equal(ps_socket_pending(object).size, 10);
  sim_expect_bytes(object, line(), PS_OK, "two");
  sim_expect_bytes(object, line(), PS_OK, "three");
  ps_socket_free(object, host);
}

static void a_grandchild_goes_on_with_the_call(void **state) {
  (void)state;
  for_each_host(a_grandchild_goes_on_story);
}

static void a_child_goes_on_with_the_call_in_which_it_was_forked(void **state) {
  (void)state;
  for_each_host(a_child_goes_on_story);
}

/* ---- An end of the stream while another thread sends ---- */

/* The send has collected the error of a reset and has not remembered it yet. */
static void receive_after_a_reset(void *context) {
  (void)context;
  sim_thread(2);
  sim_forget_peer();
  ps_bytes all = ps_socket_receive(object, PS_ALL, none, 0, host);
  assert_int_not_equal(all.status.system, 0);
  sim_expect_bytes(object, all, PS_CLOSED, "half");
  sim_expect_bytes(object, ps_socket_next(object, PS_LINE, 0, host), PS_CLOSED, "");
  sim_thread(1);
}

static void receive_after_an_end(void *context) {
  (void)context;
  sim_thread(2);
  sim_expect_bytes(object, ps_socket_receive(object, PS_ALL, none, 0, host), PS_OK,
                   "half");
  sim_expect_bytes(object, ps_socket_next(object, PS_LINE, 0, host), PS_ENDED, "");
  sim_thread(1);
}

static void receive_while_sending(void (*receive)(void *context)) {
  object = sim_client();
  sim_reads("half", sim_eof);
  sim_writes(sim_eintr);
  sim_when_asked(receive, NULL);
  sim_expect(ps_socket_send(object, hello, 1, -1, host), PS_OK);
  ps_socket_free(object, NULL);
}

static void an_end_while_sending_story(void) {
  receive_while_sending(receive_after_a_reset);
  receive_while_sending(receive_after_an_end);
}

static void a_reset_that_another_thread_meets_is_no_end(void **state) {
  (void)state;
  for_each_host(an_end_while_sending_story);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_call_within_the_same_direction_is_busy),
      cmocka_unit_test(a_send_within_a_send_is_busy),
      cmocka_unit_test(the_other_direction_is_free_meanwhile),
      cmocka_unit_test(a_close_within_ends_the_call),
      cmocka_unit_test(a_closed_object_has_nothing_pending),
      sim_test(a_call_stays_out_of_a_setfd),
      sim_test(a_call_that_is_aside_leaves_the_descriptor_to_others),
      cmocka_unit_test(a_setfd_within_ends_the_call),
      cmocka_unit_test(a_revived_object_has_nothing_pending),
      cmocka_unit_test(a_setfd_within_ends_a_send),
      cmocka_unit_test(a_setfd_within_ends_a_connect),
      cmocka_unit_test(setfd_within_setfd_is_busy),
      cmocka_unit_test(the_turn_of_another_thread_is_waited_for),
      sim_test(a_close_in_the_middle_of_setfd_is_not_lost),
      cmocka_unit_test(another_thread_waits_for_its_turn),
      cmocka_unit_test(a_reset_that_another_thread_meets_is_no_end),
      sim_test(a_turn_has_no_owner_afterwards),
      sim_test(a_count_that_is_half_full_makes_new_calls_wait),
      sim_test(a_server_can_be_detached_within_an_accept),
      sim_test(an_object_in_use_cannot_be_detached),
      sim_test(a_child_forgets_the_calls_of_its_parent),
      sim_test(a_child_closes_what_its_parent_was_closing),
      sim_test(a_child_replaces_what_its_parent_was_closing),
      cmocka_unit_test(a_child_goes_on_with_a_setfd),
      sim_test(a_child_stops_a_setfd),
      sim_test(a_child_has_no_buffer_in_the_middle_of_a_change),
      sim_test(a_receive_of_the_child_begins_without_a_buffer),
      sim_test(a_child_frees_it_while_a_wait_looks_at_it),
      cmocka_unit_test(a_send_that_goes_on_in_the_child_has_no_buffer),
      sim_test(the_thread_that_forks_keeps_its_buffer),
      sim_test(a_child_has_the_buffer_of_a_parent_that_sends),
      cmocka_unit_test(a_child_goes_on_with_the_call_in_which_it_was_forked),
      cmocka_unit_test(a_child_ends_the_call_in_which_it_was_forked),
      cmocka_unit_test(a_child_that_sends_ends_the_send_in_which_it_was_forked),
      cmocka_unit_test(a_child_closes_within_a_connect),
      cmocka_unit_test(a_grandchild_goes_on_with_the_call),
  };
  return cmocka_run_group_tests_name("turn", tests, NULL, NULL);
}
