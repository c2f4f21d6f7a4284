/* SPDX-License-Identifier: MIT */
/* See world.h: threads, the clock, memory and faults. Each call of the core into the
   system or into its host is a step, at which another thread may continue. */

#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "world.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define WORLD_ASAN 1
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined WORLD_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(memory, size) __asan_poison_memory_region(memory, size)
#define UNPOISON(memory, size) __asan_unpoison_memory_region(memory, size)
enum { STACK = 1 << 20 };
#else
#define POISON(memory, size) ((void)(memory), (void)(size))
#define UNPOISON(memory, size) ((void)(memory), (void)(size))
enum { STACK = 1 << 17 };
#endif

world w;

static const double TICK = 1e-6; /* what a step costs, in seconds */
enum { ARENA = 1 << 28, LOGS = 1 << 28, SPOILT = 256, MARK = 0x5ca1ab1e };

static char *arena, *logs;
static void (*body_of_all)(int fiber);

static char *map(size_t size) {
  void *made = mmap(NULL, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (made == MAP_FAILED) abort();
  return made;
}

static void *stacks[FIBERS];

void world_setup(void) {
  arena = map(ARENA);
  logs = map(LOGS);
  for (int i = 0; i < FIBERS; i++) stacks[i] = fiber_stack(STACK);
}

/* ---- The end ---- */

/* Leaves all threads where they are: the next world overwrites them. */
_Noreturn void world_fail(const char *site, int line, const char *format, ...) {
  va_list rest;
  va_start(rest, format);
  vsnprintf(w.reason, sizeof w.reason, format, rest);
  va_end(rest);
  w.site = site;
  w.line = line;
  fiber_switch(&w.current->context, &w.main, 1);
  abort();
}

void world_note(const char *format, ...) {
  va_list rest;
  va_start(rest, format);
  printf("  %8llu %.6f [%d] ", (unsigned long long)w.steps, w.now,
         w.current == NULL ? -1 : w.current->id);
  vprintf(format, rest);
  printf("\n");
  va_end(rest);
}

/* ---- Threads ---- */

static int is_over(const fiber *one) {
  switch (one->kind) {
    case WAIT_LOCK:
      return w.lock_owner == NULL;
    case WAIT_LANGUAGE:
      return w.language_owner == NULL;
    case WAIT_QUIET:
      return w.quiet || one->until <= w.now;
    case WAIT_POLL:
      return one->until <= w.now || one->killed || os_poll_over(one);
    case WAIT_QUEUE:
      return one->until <= w.now || one->killed || os_queue_over(one);
    case WAIT_LOOKUP:
      return one->until <= w.now || os_lookup_over(one);
    default:
      return one->until <= w.now;
  }
}

/* Returns one that can go on, or NULL. */
static fiber *find(void) {
  int count = FIBERS, at = (int)world_chance(FIBERS);
  for (int i = 0; i < count; i++, at = at + 1 == count ? 0 : at + 1) {
    fiber *one = &w.fibers[at];
    if (one->state == FIBER_RUNS || (one->state == FIBER_WAITS && is_over(one)))
      return one;
  }
  return NULL;
}

/* Lets time pass until something happens. Returns 0 when nothing ever will. */
static int pass_time(void) {
  double next = fmin(net_next(), w.lookup_due);
  for (int i = 0; i < FIBERS; i++) {
    const fiber *one = &w.fibers[i];
    if (one->state == FIBER_WAITS && one->kind <= WAIT_LOOKUP)
      next = fmin(next, one->until);
  }
  if (next == INFINITY) return 0;
  const fiber *last = &w.fibers[FIBERS - 1];
  if (last->state == FIBER_WAITS) next = fmin(next, last->until);
  if (next > w.now) w.now = next;
  if (w.lookup_due <= w.now) os_finish_lookups();
  return 1;
}

static fiber *find_after_time(void) {
  for (;;) {
    fiber *next = find();
    if (next != NULL) return next;
    if (++w.steps > w.most_steps)
      world_fail(__FILE__, __LINE__, "the world does not end");
    os_check_notified();
    if (pass_time()) continue;
    if (w.quiet) world_fail(__FILE__, __LINE__, "nothing ends what still waits");
    w.quiet = 1;
  }
}

static void go_to(fiber *next) {
  fiber *here = w.current;
  if (next == here) return;
  w.current = next;
  fiber_switch(&here->context, &next->context, 0);
}

void world_yield(void) {
  if (w.calm) return;
  fiber *next = find();
  if (next != NULL) go_to(next);
}

void world_wait(int kind, double until) {
  fiber *self = w.current;
  world_must(!w.calm, "the test waits");
  self->kind = kind;
  self->until = until;
  self->state = FIBER_WAITS;
  go_to(find_after_time());
  self->state = FIBER_RUNS;
}

void world_step(void) {
  if (w.calm) return;
  w.now += TICK;
  if (++w.steps > w.most_steps) world_fail(__FILE__, __LINE__, "the world does not end");
  if (w.lookup_due <= w.now) os_finish_lookups();
  if ((random_next(&w.random) >> 40 & (unsigned)(w.switches - 1)) == 0) {
    if (world_strikes(FAULT_STALL)) {
      double time = world_chance(30000) * 1e-6;
      w.now += time;
      w.stalled += time;
    }
    world_yield();
  }
}

int world_strikes(int fault) {
  if (w.rates[fault] == 0 || w.calm) return 0;
  if (world_chance(65536) >= w.rates[fault]) return 0;
  w.struck[fault]++;
  return 1;
}

static void run_body(void) {
  fiber *self = w.current;
  static fiber_context nowhere;
  fiber_begin(&self->context, self->id == FIBERS - 1 ? &w.main : &nowhere);
  body_of_all(self->id);
  self->state = FIBER_DONE;
  if (self->id == FIBERS - 1) fiber_switch(&self->context, &w.main, 1);
  w.current = find_after_time();
  fiber_switch(&self->context, &w.current->context, 1);
  abort();
}

void world_run(void (*body)(int fiber)) {
  body_of_all = body;
  UNPOISON(arena, ARENA);
  w.next_byte = arena;
  w.log_byte = logs;
  w.blocks.next = w.blocks.before = &w.blocks;
  w.lookup_due = INFINITY;
  for (int i = 0; i < FDS; i++) w.fds[i] = -1;
  for (int i = 0; i < FIBERS; i++) {
    fiber *one = &w.fibers[i];
    one->id = i;
    one->stack = stacks[i];
    fiber_prepare(&one->context, one->stack, STACK, run_body);
  }
  fiber *last = &w.fibers[FIBERS - 1];
  last->state = FIBER_RUNS;
  w.current = last;
  fiber_switch(&w.main, &last->context, 0);
}

/* ---- The process ---- */

unsigned ps__os_process(void) {
  world_step();
  return w.process;
}

unsigned long ps__os_thread(void) { return (unsigned long)w.current->id + 1; }
unsigned long ps__os_forker(void) { return w.forker; }

void ps__os_lock(void) {
  world_step();
  world_must(w.lock_owner != w.current, "the lock is taken twice");
  while (w.lock_owner != NULL) world_wait(WAIT_LOCK, INFINITY);
  w.lock_owner = w.current;
}

void ps__os_unlock(void) {
  world_must(w.lock_owner == w.current, "the lock is given by another thread");
  w.lock_owner = NULL;
  world_step();
}

void world_language_take(void) {
  if (w.mode != MODE_LOCKED) return;
  while (w.language_owner != NULL) world_wait(WAIT_LANGUAGE, INFINITY);
  w.language_owner = w.current;
}

void world_language_give(void) {
  if (w.mode != MODE_LOCKED) return;
  world_must(w.language_owner == w.current, "the host is left by another thread");
  w.language_owner = NULL;
}

/* Was a thread that is gone now at a moment at which it owned nothing but what its call
   had made? */
static int was_waiting(const fiber *one) {
  return one->state == FIBER_WAITS && one->kind != WAIT_LOCK &&
         one->kind != WAIT_LANGUAGE;
}

/* Marks a block, and the blocks that the pointers at its beginning refer to. */
static void orphan(const void *memory) {
  enum { POINTERS = 12 }; /* more than a view or the head of a buffer has */
  for (block *at = w.blocks.next; at != &w.blocks; at = at->next) {
    if ((void *)(at + 1) != memory || at->orphaned) continue;
    at->orphaned = 1;
    const void *pointers[POINTERS] = {NULL};
    memcpy(pointers, at + 1, at->size < sizeof pointers ? at->size : sizeof pointers);
    for (int i = 0; i < POINTERS; i++)
      if (pointers[i] != NULL) orphan(pointers[i]);
  }
}

/* What a thread that vanishes was receiving into is never freed: see ps__turn_disown. */
static void orphan_buffers(const ps_socket *socket) {
  if ((atomic_load(&socket->state) & PS__RECEIVING) == 0) return;
  if (atomic_load(&socket->owner[0]) == ps__os_thread()) return;
  orphan(socket->reader.buffer);
  orphan(socket->views);
}

/* The caller becomes the only thread of the child. Its parent ends at once, so that the
   child has all descriptors for itself. */
void world_fork(void) {
  while (w.lock_owner != NULL) world_wait(WAIT_LOCK, INFINITY);
  NOTE("fork");
  w.forker = ps__os_thread();
  if (w.forked == 0) w.forked = 1;
  for (int i = 0; i < FIBERS - 1; i++) {
    fiber *one = &w.fibers[i];
    if (one == w.current || one->state == FIBER_DONE || one->state == FIBER_NONE)
      continue;
    if (one->call.under_way && !was_waiting(one)) w.forked = 2;
    one->state = FIBER_DONE;
    for (int j = 0; j < OBJECTS; j++) {
      object *there = &w.objects[j];
      there->users -= one->uses[j];
      there->receivers -= one->receives[j];
      there->disturbers -= one->disturbs[j];
      there->setting -= one->has_fd[j];
      if (one->uses[j] || one->receives[j] || one->disturbs[j]) there->strict = 0;
      /* A close that was not made yet is made again. */
      if (one->disturbs[j] && there->state == OBJECT_CLOSING) there->state = OBJECT_OPEN;
    }
  }
  for (int j = 0; j < OBJECTS; j++)
    if (w.objects[j].socket != NULL) orphan_buffers(w.objects[j].socket);
  for (int i = 0; i < POLLERS; i++) w.pollers[i].users = w.pollers[i].wakers = 0;
  memset(w.polled, 0, sizeof w.polled);
  w.process++;
}

/* ---- Time ---- */

double ps__os_monotime(void) {
  world_step();
  return w.now;
}

double ps__os_gettime(void) {
  if (world_strikes(FAULT_CLOCK)) w.wall += (double)world_chance(200000) - 100000;
  return w.now + w.wall;
}

/* ---- Memory ---- */

/* Nothing is used twice in a world, so that whoever comes late meets garbage. */
void *ps__os_realloc(void *memory, size_t size) {
  block *old = memory == NULL ? NULL : (block *)memory - 1, *made = NULL;
  world_step();
  if (old != NULL) world_must(old->mark == MARK, "memory is freed that is not there");
  if (size > 0) {
    size_t whole = (sizeof *made + size + 31) & ~(size_t)15;
    if (world_strikes(FAULT_ENOMEM) || size > ARENA / 4 ||
        whole > (size_t)(arena + ARENA - w.next_byte)) {
      NOTE("realloc %zu: no memory", size);
      return NULL;
    }
    made = (block *)(void *)w.next_byte;
    w.next_byte += whole;
    *made = (block){size, MARK, w.current->id, w.current->call.serial, 0, NULL, NULL};
    made->next = w.blocks.next;
    made->before = &w.blocks;
    made->next->before = made;
    w.blocks.next = made;
    memset(made + 1, 0xa5, size < SPOILT ? size : SPOILT);
    memset((char *)(made + 1) + size, 0x77, 8);
    POISON((char *)(made + 1) + size, whole - sizeof *made - size);
    if (old != NULL) memcpy(made + 1, old + 1, old->size < size ? old->size : size);
  }
  if (old != NULL) {
    char *end = (char *)(old + 1) + old->size;
    UNPOISON(end, 8);
    for (int i = 0; i < 8; i++)
      world_must(end[i] == 0x77, "written behind memory of %zu bytes", old->size);
    old->mark = 0;
    old->next->before = old->before;
    old->before->next = old->next;
    memset(old + 1, 0x5a, old->size < SPOILT ? old->size : SPOILT);
    POISON(old + 1, old->size + 8);
  }
  return made == NULL ? NULL : made + 1;
}

void ps__os_populate(void *memory, size_t size) {
  world_step();
  const lent *given = &w.current->call.lent;
  world_must(size > 0 && (char *)memory >= given->memory &&
                 (char *)memory + size <= given->memory + given->size,
             "pages of memory that nobody has lent");
}

void *world_log(size_t size) {
  char *made = w.log_byte;
  if (size > (size_t)(logs + LOGS - made)) return NULL;
  w.log_byte += (size + 15) & ~(size_t)15;
  return made;
}

/* Did a thread that vanished in a fork make it in its last call? */
static int is_orphan(int maker, int call) {
  const fiber *one = &w.fibers[maker];
  return w.forked && one->call.under_way && call == one->call.serial;
}

void world_check_memory(void) {
  if (w.forked == 2) return;
  for (const block *at = w.blocks.next; at != &w.blocks; at = at->next)
    world_must(at->orphaned || is_orphan(at->fiber, at->call),
               "%zu bytes are never freed", at->size);
  for (int i = 0; i < w.file_count; i++) {
    const file *one = &w.files[i];
    if (one->kind != FILE_FREE && one->kind != FILE_GONE && one->fd >= 0)
      world_must(is_orphan(one->fiber, one->call) || (w.forked && one->floating),
                 "descriptor %d is never closed", one->fd);
  }
  for (int i = 0; i < WAKERS; i++)
    world_must(!w.bells[i].used || is_orphan(w.bells[i].fiber, w.bells[i].call),
               "a waker is never ended");
  for (int i = 0; i < QUEUES; i++)
    world_must(!w.queues[i].used || is_orphan(w.queues[i].fiber, w.queues[i].call),
               "a queue is never freed");
  for (int i = 0; i < w.lookup_count; i++)
    world_must(!w.lookups[i].used || w.forked, "a look-up is never dropped");
}
