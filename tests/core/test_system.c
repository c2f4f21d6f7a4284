/* SPDX-License-Identifier: MIT */
/* core/os_*.c on a system that fails now and then, and is asked for what it should be:
   see stand_in.h. After each test the library has nothing more than before. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#if defined __GLIBC__ && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 32)
#include <sys/single_threaded.h>
#define IS_SINGLE_THREADED __libc_single_threaded
#else
#define IS_SINGLE_THREADED 0
#endif

#include "child.h"
#include "locks.h"
#include "stand_in.h"

static int held;

static int setup(void **state) {
  (void)state;
  stand_in_reset();
  held = stand_in_held();
  return 0;
}

static int teardown(void **state) {
  (void)state;
  stand_in_reset();
  assert_int_equal(stand_in_faults(), 0);
  assert_int_equal(stand_in_held(), held);
  return 0;
}

#define system_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* Runs a function in a child. It uses check; one that hangs is a failure. */
static void in_a_process_of_its_own(void (*run)(void)) {
  pid_t child = fork();
  if (child == 0) {
    alarm(60);
    run();
    check(stand_in_faults() == 0);
    _exit(0);
  }
  expect_success(child);
}

/* ---- The first call of a process. These tests are before all others. ---- */

static void fork_once(void) {
  unsigned number = ps__os_process();
  unsigned long thread = ps__os_thread();
  pid_t child = fork();
  if (child == 0) {
    check(ps__os_process() == number + 1 && ps__os_forker() == thread);
    _exit(stand_in_faults());
  }
  int status = -1;
  check(waitpid(child, &status, 0) == child && status == 0);
  check(ps__os_process() == number);
}

static void call_without_handlers(void) {
  system_is.refused_handlers = 2;
  for (int calls = 1; calls <= 3; calls++) {
    check(ps__os_process() == 0);
    check(system_is.handlers == calls);
  }
  fork_once();
  check(system_is.handlers == 3);
}

static void handlers_that_are_refused_are_registered_later(void **state) {
  (void)state;
  in_a_process_of_its_own(call_without_handlers);
}

/* As another thread that forks while this one registers the handlers. If they are there
   already, the child has a number of its own. */
static pid_t early_child;

static void fork_early(void) {
  early_child = fork();
  if (early_child != 0) return;
  int registered = system_is.after_handlers == fork_early;
  check(ps__os_process() == (unsigned)registered);
  check(system_is.handlers == (registered ? 1 : 2));
  fork_once();
  _exit(stand_in_faults());
}

static void register_and_fork(void) {
  check(ps__os_process() == 0);
  check(system_is.handlers == 1);
  fork_once();
  int status = -1;
  check(waitpid(early_child, &status, 0) == early_child && status == 0);
}

static void fork_before_handlers(void) {
  system_is.before_handlers = fork_early;
  register_and_fork();
}

static void fork_after_handlers(void) {
  system_is.after_handlers = fork_early;
  register_and_fork();
}

static void handlers_are_registered_once_in_a_child(void **state) {
  (void)state;
  in_a_process_of_its_own(fork_before_handlers);
  in_a_process_of_its_own(fork_after_handlers);
}

/* Whatever the first call is that has a lock, a fork has to know of it. */
static void wake_first(void) {
  ps__os_wake();
  check(system_is.handlers == 1);
  fork_once();
}

static void *wait_for_ever(void *context) {
  for (;;) pause();
  return context;
}

static void begin_a_waker_first(void) {
  if (!ALLOCATOR_FORKS) return;
  pthread_t thread; /* or it would need no descriptor */
  check(pthread_create(&thread, NULL, wait_for_ever, NULL) == 0);
  ps__waker waker;
  ps__os_waker_begin(&waker);
  check(waker.fd >= 0);
  pid_t child = fork();
  if (child == 0) _exit(fcntl(waker.fd, F_GETFD) >= 0); /* it is the parent's */
  int status = -1;
  check(waitpid(child, &status, 0) == child && status == 0);
}

static void a_fork_knows_of_the_first_call(void **state) {
  (void)state;
  in_a_process_of_its_own(wake_first);
  in_a_process_of_its_own(begin_a_waker_first);
}

/* ---- Wakers ---- */

static int poll_for(double seconds, ps__waker *waker) {
  return ps__os_poll(NULL, 0, seconds, waker);
}

/* Before there is a second thread. */
static void in_one_thread_a_waker_costs_nothing(void **state) {
  (void)state;
  if (!IS_SINGLE_THREADED) skip();
  ps__waker waker;
  int locks = 0, before = 0;
  for (int times = 0; times < 2; times++) {
    memset(&waker, 0x55, sizeof waker);
    before = locks_taken();
    ps__os_waker_begin(&waker);
    assert_int_equal(waker.fd, -2);
    assert_int_equal(poll_for(0, &waker), 0);
    assert_false(waker.woken);
    ps__os_waker_end(&waker);
    locks = locks_taken() - before;
  }
  assert_int_equal(locks, 0);
  assert_int_equal(stand_in_held(), held);
}

static int hold[2];
static pthread_t second;

static void *wait_at_the_end(void *context) {
  char byte;
  return read(hold[0], &byte, 1) < 0 ? context : NULL;
}

static void there_is_a_second_thread(void **state) {
  (void)state;
  assert_int_equal(pipe(hold), 0);
  assert_int_equal(pthread_create(&second, NULL, wait_at_the_end, NULL), 0);
}

static void a_waker_needs_a_descriptor_and_memory(void **state) {
  (void)state;
  for (int fault = 0; fault < 2; fault++) {
    ps__waker waker, other;
    if (fault == 0)
      system_is.eventfd = EMFILE;
    else
      stand_in_memory_ends(1);
    ps__os_waker_begin(&waker);
    assert_int_equal(waker.fd, -1);
    stand_in_reset();
    assert_int_equal(stand_in_held(), held);
    ps__os_waker_begin(&other);
    assert_true(other.fd >= 0);
    ps__os_waker_end(&waker);
    ps__os_waker_end(&other);
  }
}

/* A child frees what it cannot use when it first waits, not while it is forked. */
static void what_a_fork_leaves_is_freed(void **state) {
  (void)state;
  if (!ALLOCATOR_FORKS) skip();
  ps__waker waker;
  ps__os_waker_begin(&waker);
  assert_int_equal(stand_in_held(), held + 1);
  pid_t child = fork();
  if (child == 0) {
    check(stand_in_held() == held + 1);
    pid_t grandchild = fork();
    if (grandchild == 0) {
      pthread_t thread; /* or it would need no bell */
      check(pthread_create(&thread, NULL, wait_at_the_end, NULL) == 0);
      ps__waker other;
      ps__os_waker_begin(&other);
      check(other.fd >= 0 && stand_in_held() == held + 1);
      ps__os_waker_end(&other);
      ps__os_waker_end(&waker);
      check(stand_in_held() == held);
      _exit(stand_in_faults());
    }
    int status = -1;
    check(waitpid(grandchild, &status, 0) == grandchild && status == 0);
    _exit(stand_in_faults());
  }
  expect_success(child);
  ps__os_waker_end(&waker);
}

/* A wait is rounded up to milliseconds. It is sliced when nobody could wake it. */
static void waits_are_as_long_as_they_should(void **state) {
  (void)state;
  static const struct {
    double seconds;
    int milliseconds, sliced;
  } waits[] = {{0, 0, 0},
               {1e-9, 1, 1},
               {0.0101, 11, 11},
               {0.05, 50, 50},
               {0.051, 51, 50},
               {3, 3000, 50},
               {86400, 86400000, 50},
               {86400.5, 86400000, 50},
               {INFINITY, 86400000, 50}};
  ps__waker with, without;
  ps__os_waker_begin(&with);
  ps__os_wake(); /* the next one has a descriptor of its own */
  system_is.eventfd = EMFILE;
  ps__os_waker_begin(&without);
  system_is.poll = 0;
  for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
    assert_int_equal(poll_for(waits[i].seconds, NULL), 0);
    assert_int_equal(system_is.milliseconds, waits[i].milliseconds);
    assert_int_equal(poll_for(waits[i].seconds, &with), 0);
    assert_int_equal(system_is.milliseconds, waits[i].milliseconds);
    assert_false(with.woken);
    assert_int_equal(poll_for(waits[i].seconds, &without), 0);
    assert_int_equal(system_is.milliseconds, waits[i].sliced);
    assert_int_equal(without.woken, waits[i].seconds > 0);
  }
  system_is.poll = EINTR;
  assert_int_equal(poll_for(1, &with), EINTR);
  ps__os_waker_end(&with);
  ps__os_waker_end(&without);
}

static void sleeps_are_as_long_as_they_should(void **state) {
  (void)state;
#if __SIZEOF_LONG__ == 8 /* elsewhere it has another name, for times after 2038 */
  static const struct {
    double seconds;
    time_t whole;
    long nanoseconds;
  } sleeps[] = {{2, 2, 0},           {2.5, 2, 500000000},          {0.25, 0, 250000000},
                {1e-12, 0, 1},       {0.9999999999, 0, 999999999}, {86400, 86400, 0},
                {86400.5, 86400, 0}, {INFINITY, 86400, 0}};
  system_is.nanosleep = 0;
  for (size_t i = 0; i < sizeof sleeps / sizeof *sleeps; i++) {
    assert_int_equal(ps__os_sleep(sleeps[i].seconds), 0);
    assert_int_equal(system_is.slept.tv_sec, sleeps[i].whole);
    assert_int_equal(system_is.slept.tv_nsec, sleeps[i].nanoseconds);
  }
  system_is.nanosleep = EINTR;
  assert_int_equal(ps__os_sleep(1), EINTR);
#else
  skip();
#endif
}

/* ---- Threads ---- */

static atomic_int ran;

static PS__THREAD run(void *context) {
  atomic_fetch_add(&ran, 1);
  return context;
}

static void threads_of_the_library_are_apart(void **state) {
  (void)state;
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, NULL, &before);
  assert_int_equal(ps__os_start(run), 0);
  while (atomic_load(&ran) == 0) sched_yield();
  pthread_sigmask(SIG_SETMASK, NULL, &after);
  assert_int_equal(sigismember(&after, SIGUSR1), sigismember(&before, SIGUSR1));
  assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
  assert_true(system_is.signals_blocked && system_is.detached);
  /* Some modules of the resolver need more than 256 KiB; see PS__HELPERS. */
  assert_true(system_is.stack > 1 << 18);
  assert_true(system_is.stack * PS__HELPERS <= 1 << 25);
  system_is.pthread_create = EAGAIN;
  assert_int_equal(ps__os_start(run), EAGAIN);
  pthread_sigmask(SIG_SETMASK, NULL, &after);
  assert_int_equal(sigismember(&after, SIGUSR1), sigismember(&before, SIGUSR1));
  system_is.pthread_create = AS_EVER;
  system_is.pthread_attr_init = ENOMEM;
  assert_int_equal(ps__os_start(run), ENOMEM);
  assert_int_equal(atomic_load(&ran), 1);
}

/* ---- Names ---- */

static ps__record nonsense;

static ps__lookup question(const char *host, const char *service, int flags) {
  ps__lookup made;
  memset(&made, 0, sizeof made);
  made.host = host;
  made.service = service;
  made.flags = flags;
  made.canonical[0] = 'x';
  made.records = &nonsense; /* from here on it is all stored */
  return made;
}

static void forget(ps__lookup *lookup) {
  while (lookup->records != NULL) {
    ps__record *next = lookup->records->next;
    ps__os_realloc(lookup->records, 0);
    lookup->records = next;
  }
}

static void the_resolver_is_asked_what_is_wanted(void **state) {
  (void)state;
  static const struct {
    const char *host, *service;
    int family, flags;
    const char *its_service;
    int its_family, its_flags;
  } questions[] = {
      {"a.test", "80", 0, 0, "80", AF_UNSPEC, AI_CANONNAME},
      {"a.test", NULL, 4, 0, NULL, AF_INET, AI_CANONNAME},
      {"a.test", "", 6, 0, "", AF_INET6, AI_CANONNAME},
      {"::1", "80", 0, PS__NUMERIC, "80", AF_UNSPEC, AI_NUMERICHOST},
      {"a.test", "80", 0, PS__NAMES, "80", AF_UNSPEC, 0},
      {"a.test", "80", 0, PS__NAMES | PS__NAMED, "80", AF_UNSPEC, 0},
      {"a.test", "80", 0, PS__PASSIVE, "80", AF_UNSPEC, AI_PASSIVE | AI_CANONNAME},
      {NULL, "80", 0, PS__PASSIVE, "80", AF_UNSPEC, AI_PASSIVE},
      {NULL, NULL, 0, PS__PASSIVE, "0", AF_UNSPEC, AI_PASSIVE},
  };
  system_is.resolver = EAI_NONAME;
  for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
    ps__lookup asked =
        question(questions[i].host, questions[i].service, questions[i].flags);
    asked.family = questions[i].family;
    ps__os_resolve(&asked);
    assert_int_equal(asked.status.code, PS_NONAME);
    assert_null(asked.records);
    assert_int_equal(system_is.asked.ai_socktype, SOCK_STREAM);
    assert_int_equal(system_is.asked.ai_protocol, 0);
    assert_int_equal(system_is.asked.ai_family, questions[i].its_family);
    assert_int_equal(system_is.asked.ai_flags, questions[i].its_flags);
    if (questions[i].its_service == NULL)
      assert_null(system_is.asked_service);
    else
      assert_string_equal(system_is.asked_service, questions[i].its_service);
  }
}

static void the_resolvers_failures_have_codes(void **state) {
  (void)state;
  static const struct {
    int resolver, error;
    short code;
  } failures[] = {
      {EAI_AGAIN, 0, PS_AGAIN},          {EAI_FAIL, 0, PS_FAIL},
      {EAI_FAMILY, 0, PS_BADFAMILY},     {EAI_MEMORY, 0, PS_NOMEMORY},
      {EAI_NONAME, 0, PS_NONAME},        {EAI_SERVICE, 0, PS_SERVICE},
      {EAI_OVERFLOW, 0, PS_OVERFLOW},    {EAI_BADFLAGS, 0, PS_NONAME},
      {EAI_SYSTEM, EMFILE, PS_SYSTEM},   {EAI_SYSTEM, EACCES, PS_PERMISSION},
      {EAI_SYSTEM, ENOMEM, PS_NOMEMORY},
  };
  for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
    system_is.resolver = failures[i].resolver;
    system_is.resolver_error = failures[i].error;
    ps__lookup asked = question("a.test", "80", 0);
    ps__os_resolve(&asked);
    assert_int_equal(asked.status.code, failures[i].code);
    assert_int_equal(asked.status.system, failures[i].error);
    assert_int_equal(asked.status.argument, 0);
    assert_null(asked.records);
  }
}

/* Addresses that the resolver finds, in their order. */
enum { LOCAL, FOUR, SIX, FULL, TOO_LARGE, ANSWERS };
static struct addrinfo answers[ANSWERS];

static struct addrinfo *find(int first, int last) {
  static struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/tmp/x"};
  static struct sockaddr_in four = {.sin_family = AF_INET};
  static struct sockaddr_in6 six = {.sin6_family = AF_INET6};
  static struct sockaddr_storage huge = {.ss_family = AF_INET};
  static char name[2 * PS_WORDS];
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  six.sin6_addr = in6addr_loopback;
  static void *const addresses[] = {&local, &four, &six, &huge, &huge};
  static const socklen_t sizes[] = {sizeof local, sizeof four, sizeof six,
                                    sizeof(((ps__addr *)0)->raw.bytes), sizeof huge};
  memset(name, 'n', sizeof name - 1);
  for (int i = 0; i < ANSWERS; i++) {
    struct sockaddr *address = addresses[i];
    answers[i] = (struct addrinfo){.ai_family = address->sa_family,
                                   .ai_addr = address,
                                   .ai_addrlen = sizes[i],
                                   .ai_canonname = i == first ? name : NULL,
                                   .ai_next = i < last ? &answers[i + 1] : NULL};
  }
  return &answers[first];
}

static void only_addresses_of_tcp_are_answers(void **state) {
  (void)state;
  system_is.resolver = 0;
  system_is.found = find(LOCAL, TOO_LARGE);
  ps__lookup asked = question("a.test", "80", 0);
  ps__os_resolve(&asked);
  assert_int_equal(asked.status.code, PS_OK);
  assert_string_equal(asked.records->ip, "127.0.0.1");
  assert_int_equal(asked.records->addr.family, 4);
  assert_int_equal(asked.records->addr.size, sizeof(struct sockaddr_in));
  assert_string_equal(asked.records->next->ip, "::1");
  assert_int_equal(asked.records->next->addr.family, 6);
  assert_int_equal(asked.records->next->addr.size, sizeof(struct sockaddr_in6));
  assert_string_equal(asked.records->next->next->ip, "0.0.0.0");
  assert_null(asked.records->next->next->next);
  assert_int_equal(strlen(asked.canonical), PS_WORDS - 1); /* it is cut */
  forget(&asked);
  system_is.found = find(LOCAL, LOCAL);
  ps__os_resolve(&asked);
  assert_int_equal(asked.status.code, PS_NONAME);
  assert_null(asked.records);
  system_is.found = find(TOO_LARGE, TOO_LARGE);
  ps__os_resolve(&asked);
  assert_int_equal(asked.status.code, PS_NONAME);
}

static void an_address_without_digits_is_empty(void **state) {
  (void)state;
  ps_address name;
  memset(&name, 'x', sizeof name);
  system_is.numbers = EAI_FAIL;
  int fd = -1;
  assert_int_equal(ps__os_socket(4, &fd), 0);
  assert_int_equal(ps__os_name(fd, 0, &name), 0);
  assert_string_equal(name.ip, "");
  ps__os_close(fd);
}

static void names_are_asked_for_when_they_are_wanted(void **state) {
  (void)state;
  system_is.resolver = 0;
  system_is.found = find(FOUR, SIX);
  system_is.names = EAI_AGAIN;
  ps__lookup asked =
      question("a.test", "80", PS__NAMED); /* without names it is nothing */
  ps__os_resolve(&asked);
  assert_int_equal(asked.status.code, PS_OK);
  assert_string_equal(asked.records->name, "");
  forget(&asked);
  for (int named = 0; named <= PS__NAMED; named += PS__NAMED) {
    asked = question("a.test", "80", PS__NAMES | named);
    ps__os_resolve(&asked);
    assert_int_equal(asked.status.code, PS_AGAIN);
    assert_int_equal(system_is.name_flags, named != 0 ? NI_NAMEREQD : 0);
    assert_null(asked.records->next); /* it asks for no more */
    forget(&asked);
  }
}

static void a_service_has_a_name_only_if_one_was_asked_for(void **state) {
  (void)state;
  ps__lookup asked = question("127.0.0.1", "", PS__NAMES);
  ps__os_resolve(&asked);
  assert_int_equal(asked.status.code, PS_OK);
  assert_string_equal(asked.servicename, "0");
  forget(&asked);
  asked = question("127.0.0.1", NULL, PS__NAMES);
  ps__os_resolve(&asked);
  assert_int_equal(asked.status.code, PS_OK);
  assert_string_equal(asked.servicename, "");
  assert_true(asked.records->name[0] != '\0');
  forget(&asked);
}

/* ---- Memory that ends ---- */

static void no_helper_is_left(void) {
  /* It has given back all its memory when its number is 0, which no call tells. */
  while (stand_in_held() > held) sched_yield();
}

/* Before there is any helper, who would do it. */
static void a_lookup_without_a_thread_fails(void **state) {
  (void)state;
  ps__lookup asked = question("127.0.0.1", "80", 0), *lookup = NULL;
  system_is.pthread_create = EAGAIN;
  assert_int_equal(ps__os_lookup_start(&asked, &lookup), EAGAIN);
  assert_null(lookup);
}

static void a_lookup_without_memory_fails(void **state) {
  (void)state;
  for (int at = 1, over = 0; !over; at++) {
    ps__lookup asked = question("127.0.0.1", "80", 0), *lookup = NULL;
    asked.canonical[0] = '\0';
    stand_in_memory_ends(at);
    int error = ps__os_lookup_start(&asked, &lookup);
    while (error == 0 && !ps__os_lookup_wait(lookup, INFINITY)) continue;
    over = !stand_in_memory_ended();
    stand_in_memory_ends(0);
    if (error != 0) {
      assert_int_equal(error, ENOMEM);
      assert_false(over);
    } else {
      if (over)
        assert_string_equal(lookup->records->ip, "127.0.0.1");
      else if (lookup->status.code != PS_OK)
        assert_int_equal(lookup->status.code, PS_NOMEMORY);
      ps__os_lookup_drop(lookup);
    }
    no_helper_is_left();
  }
}

static void a_poll_without_memory_fails(void **state) {
  (void)state;
  ps_watch watch = {hold[1], 1, 0, 0, NULL};
  ps_sockets one = {&watch, 1};
  stand_in_memory_ends(1); /* one descriptor needs none */
  assert_int_equal(ps__os_poll(&one, 1, INFINITY, NULL), 0);
  assert_int_equal(watch.ready, 1);
  for (int at = 1; at <= 3; at++) {
    ps_watch watches[2] = {{hold[0], 0, 0, 0, NULL}, {hold[1], 1, 0, 0, NULL}};
    ps_sockets set = {watches, 2};
    stand_in_memory_ends(at);
    assert_int_equal(ps__os_poll(&set, 1, 0, NULL), at < 3 ? ENOMEM : 0);
    assert_int_equal(watches[1].ready, at == 3);
    assert_int_equal(stand_in_held(), held);
  }
}

/* As many former members as there is room for, which the system still reports, are
   nothing to report. */
static void a_wait_without_memory_for_more_events_goes_on(void **state) {
  (void)state;
  enum { ROOM = 64 };
  ps_poller *p = ps_poller_make().poller;
  assert_int_equal(ps_poller_wait(p, 0, 0, NULL).status.code, PS_TIMEOUT);
  int ends[2], copies[ROOM];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  for (int i = 0; i < ROOM; i++) {
    copies[i] = dup(ends[0]);
    ps_source copy = {NULL, copies[i]};
    assert_int_equal(ps_poller_add(p, copy, "w", NULL).status.code, PS_OK);
  }
  for (int i = 0; i < ROOM; i++) {
    close(copies[i]); /* before it is removed, so the system does not forget it */
    ps_source copy = {NULL, copies[i]};
    assert_int_equal(ps_poller_remove(p, copy).status.code, PS_OK);
  }
  stand_in_memory_ends(1);
  assert_int_equal(ps_poller_wait(p, 0, 0, NULL).status.code, PS_TIMEOUT);
  assert_true(stand_in_memory_ended());
  stand_in_reset();
  ps_poller_free(p);
  close(ends[0]);
  close(ends[1]);
}

static void memory_is_made_larger_and_freed(void **state) {
  (void)state;
  char *memory = ps__os_realloc(NULL, 1);
  assert_non_null(memory);
  memory[0] = 'x';
  memory = ps__os_realloc(memory, 100000);
  assert_non_null(memory);
  assert_int_equal(memory[0], 'x');
  assert_int_equal(stand_in_held(), held + 1);
  assert_null(ps__os_realloc(memory, 0));
  assert_null(ps__os_realloc(NULL, 0));
}

/* ---- Sockets ---- */

static void a_connect_goes_on_after_a_signal(void **state) {
  (void)state;
  static const ps__addr nobody = {.family = 4, .size = sizeof(struct sockaddr_in)};
  system_is.connect = EINTR;
  assert_int_equal(ps__os_connect(hold[0], &nobody), EINPROGRESS);
  assert_int_equal(system_is.address_size, sizeof(struct sockaddr_in));
  system_is.connect = ECONNREFUSED;
  assert_int_equal(ps__os_connect(hold[0], &nobody), ECONNREFUSED);
  system_is.connect = 0;
  assert_int_equal(ps__os_connect(hold[0], &nobody), 0);
}

/* Some systems undo only the connect of a datagram socket. */
static void a_connect_is_undone_where_the_system_can(void **state) {
  (void)state;
  system_is.connect = 0;
  assert_true(ps__os_disconnect(hold[0]));
  system_is.connect = ECONNRESET;
  assert_true(ps__os_disconnect(hold[0]));
  system_is.connect = EAFNOSUPPORT;
  assert_false(ps__os_disconnect(hold[0]));
  system_is.connect = EINVAL;
  assert_false(ps__os_disconnect(hold[0]));
}

static void what_the_system_would_cut_does_not_reach_it(void **state) {
  (void)state;
  system_is.setsockopt = 0;
  ps_option device = {.type = PS_TEXT, .text = "abcdefghijklmno"};
  assert_int_equal(strlen(device.text), IFNAMSIZ - 1);
  assert_int_equal(ps__os_setoption(hold[0], PS__OPTION_DEVICE, &device), 0);
  assert_int_equal(system_is.option_size, IFNAMSIZ); /* with the 0 behind it */
  ps_option on = {.type = PS_FLAG, .integer = INT_MAX, .text = "abcdefghijklmnopqrst"};
  assert_int_equal(ps__os_setoption(hold[0], PS__OPTION_KEEPIDLE, &on), 0);
  on.integer = INT_MIN;
  assert_int_equal(ps__os_setoption(hold[0], PS__OPTION_KEEPIDLE, &on), 0);
  ps_option linger = {.type = PS_LINGER, .flag = 1, .integer = INT_MAX};
  assert_int_equal(ps__os_setoption(hold[0], PS__OPTION_LINGER, &linger), 0);
  assert_int_equal(system_is.options, 4);
  strcpy(device.text, "abcdefghijklmnop");
  assert_int_equal(ps__os_setoption(hold[0], PS__OPTION_DEVICE, &device), ENODEV);
  on.integer = INT_MAX + 1LL;
  assert_int_equal(ps__os_setoption(hold[0], PS__OPTION_KEEPIDLE, &on), EINVAL);
  on.integer = INT_MIN - 1LL;
  assert_int_equal(ps__os_setoption(hold[0], PS__OPTION_KEEPIDLE, &on), EINVAL);
  linger.integer = 1LL << 32;
  assert_int_equal(ps__os_setoption(hold[0], PS__OPTION_LINGER, &linger), EINVAL);
  assert_int_equal(system_is.options, 4);
}

/* ---- The process ---- */

static void a_set_is_as_large_as_the_limit_on_descriptors(void **state) {
  (void)state;
  static const struct {
    rlim_t limit;
    size_t size;
  } limits[] = {{0, 0},
                {1024, 1024},
                {INT_MAX, INT_MAX},
                {(rlim_t)INT_MAX + 1, INT_MAX},
                {RLIM_INFINITY, INT_MAX}};
  system_is.getrlimit = 0;
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    system_is.limit = limits[i].limit;
    assert_int_equal(ps__os_setsize(), limits[i].size);
  }
  system_is.limit = 5;
  system_is.getrlimit = EPERM;
  assert_int_equal(ps__os_setsize(), INT_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      system_test(handlers_that_are_refused_are_registered_later),
      system_test(handlers_are_registered_once_in_a_child),
      system_test(a_fork_knows_of_the_first_call),
      system_test(in_one_thread_a_waker_costs_nothing),
      system_test(there_is_a_second_thread),
      system_test(a_waker_needs_a_descriptor_and_memory),
      system_test(what_a_fork_leaves_is_freed),
      system_test(waits_are_as_long_as_they_should),
      system_test(sleeps_are_as_long_as_they_should),
      system_test(threads_of_the_library_are_apart),
      system_test(the_resolver_is_asked_what_is_wanted),
      system_test(the_resolvers_failures_have_codes),
      system_test(only_addresses_of_tcp_are_answers),
      system_test(an_address_without_digits_is_empty),
      system_test(names_are_asked_for_when_they_are_wanted),
      system_test(a_service_has_a_name_only_if_one_was_asked_for),
      system_test(a_lookup_without_a_thread_fails),
      system_test(a_lookup_without_memory_fails),
      system_test(a_poll_without_memory_fails),
      system_test(a_wait_without_memory_for_more_events_goes_on),
      system_test(memory_is_made_larger_and_freed),
      system_test(a_connect_goes_on_after_a_signal),
      system_test(a_connect_is_undone_where_the_system_can),
      system_test(what_the_system_would_cut_does_not_reach_it),
      system_test(a_set_is_as_large_as_the_limit_on_descriptors),
  };
  stand_in_reset();
  return cmocka_run_group_tests_name("system", tests, NULL, NULL);
}
