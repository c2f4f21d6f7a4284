/* SPDX-License-Identifier: MIT */
/* Runs the core in simulated worlds, one after another, each made from a number. The
   first world in which a rule is broken is made shorter as long as it still fails alike,
   then it is printed with what was called, and with how to play it again. A step is one
   call of the core into the system or its host: a place where another thread may continue
   and a fault may strike.

     simulate --seconds 8          worlds from number 1 on, and some from a random number
     simulate --random             only from a random number; --fixed: none of these
     simulate --seed 77 [--trace]  one world, which is made shorter if it fails

   --from and --worlds say which, --keep-on does not stop at a failure, --tally prints how
   often each call ended how, --no-shrink prints only the number of a failing world. */

#define _DEFAULT_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "play.h"

static script now; /* the script that runs */
static sigjmp_buf crashed;
static volatile sig_atomic_t running;
static uint64_t all_steps, all_worlds;
static unsigned long long all_struck[FAULTS];

typedef struct fault_found {
  const char *site; /* NULL: none */
  int line;
  char reason[512];
} fault_found;

/* ---- One world ---- */

static void on_crash(int number) {
  if (running) siglongjmp(crashed, number);
  signal(number, SIG_DFL);
  raise(number);
}

static volatile uint64_t watched;
static uint64_t seen;

/* A loop in which no step is made never ends by itself. */
static void on_alarm(int number) {
  (void)number;
  if (running && seen == w.steps + (watched << 32)) {
    static const char text[] = "the core does not come back\n";
    if (write(2, text, sizeof text - 1) < 0) _exit(3);
    fprintf(stderr, "seed %llu\n", (unsigned long long)now.seed);
    _exit(3);
  }
  seen = w.steps + (watched << 32);
  alarm(60);
}

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define SIMULATE_ASAN 1
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined SIMULATE_ASAN
#include <sanitizer/common_interface_defs.h>
static void say_seed(void) {
  fprintf(stderr, "again: simulate --seed %llu --trace\n", (unsigned long long)now.seed);
}
#endif

static void handle_signals(void) {
  static char stack[1 << 16];
  stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&other, NULL);
  struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER};
  static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGILL};
#if defined __SANITIZE_ADDRESS__ || defined SIMULATE_ASAN
  (void)signals; /* the sanitizer has its own */
  (void)action;
  __sanitizer_set_death_callback(say_seed);
#else
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
    sigaction(signals[i], &action, NULL);
#endif
  struct sigaction ring = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &ring, NULL);
  alarm(60);
}

static fault_found run(const script *what, uint64_t schedule, int trace) {
  memset(&w, 0, sizeof w);
  w.random = schedule * 0x9e3779b97f4a7c15u + what->seed;
  w.mode = what->mode;
  w.switches = 4;
  w.least_capacity = what->sizes == 2 ? 5000 : what->sizes == 1 ? 50 : 1;
  w.most_steps = 400000;
  w.now = 1000;
  w.wall = 1e9;
  w.trace = trace;
  played = what;
  watched++;
  fault_found found = {NULL, 0, ""};
  int number = sigsetjmp(crashed, 0);
  if (number == 0) {
    running = 1;
    world_run(play_body);
  } else {
    w.site = "crash";
    w.line = number;
    snprintf(w.reason, sizeof w.reason, "signal %d", number);
  }
  running = 0;
  all_steps += w.steps;
  all_worlds++;
  for (int i = 0; i < FAULTS; i++) all_struck[i] += w.struck[i];
  if (w.site == NULL) return found;
  found.site = w.site;
  found.line = w.line;
  memcpy(found.reason, w.reason, sizeof found.reason);
  return found;
}

/* ---- Making a failing script shorter ---- */

enum { SCHEDULES = 12 }; /* which a shorter script may need */

static int fails_alike(const script *what, const fault_found *like, uint64_t *schedule) {
  uint64_t first = *schedule;
  for (uint64_t i = 0; i < SCHEDULES; i++) {
    uint64_t tried = i == 0 ? first : i;
    fault_found found = run(what, tried, 0);
    if (found.site == NULL || found.line != like->line ||
        strcmp(found.site, like->site) != 0)
      continue;
    *schedule = tried;
    return 1;
  }
  return 0;
}

static void leave_out(script *from, int at, int count) {
  memmove(from->actions + at, from->actions + at + count,
          (size_t)(from->count - at - count) * sizeof *from->actions);
  from->count -= count;
}

static int shorten_by(script *best, int chunk, const fault_found *like,
                      uint64_t *schedule) {
  int shorter = 0;
  for (int at = 0; at + chunk <= best->count;) {
    static script tried;
    tried = *best;
    leave_out(&tried, at, chunk);
    if (fails_alike(&tried, like, schedule)) {
      *best = tried;
      shorter = 1;
    } else {
      at += chunk;
    }
  }
  return shorter;
}

static void shorten(script *best, const fault_found *like, uint64_t *schedule) {
  for (int i = 0; i < FAULTS; i++) {
    static script tried;
    tried = *best;
    tried.rates[i] = 0;
    if (best->rates[i] > 0 && fails_alike(&tried, like, schedule)) *best = tried;
  }
  for (int chunk = best->count / 2; chunk >= 1;) {
    int shorter = shorten_by(best, chunk, like, schedule);
    if (chunk == 1 && !shorter) break;
    if (!shorter || chunk > best->count / 2) chunk = chunk > 1 ? chunk / 2 : 1;
  }
}

static void report(const fault_found *found, int shrink) {
  printf("world %llu: %s (%s:%d)\n", (unsigned long long)now.seed, found->reason,
         found->site, found->line);
  printf("again: simulate --seed %llu --trace\n", (unsigned long long)now.seed);
  if (!shrink) return;
  int before = now.count;
  uint64_t schedule = 0;
  shorten(&now, found, &schedule);
  printf("%d of %d actions are left, in the order of schedule %llu:\n", now.count, before,
         (unsigned long long)schedule);
  script_print(&now);
  fault_found again = run(&now, schedule, 1);
  printf("%s (%s:%d)\n", again.site == NULL ? "it does not fail again" : again.reason,
         again.site == NULL ? "" : again.site, again.line);
}

/* ---- Many worlds ---- */

static double clock_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static double cpu_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void print_faults(void) {
  static const char *const names[] = {
#define FAULT(id, name) name,
      WORLD_FAULTS(FAULT)
#undef FAULT
  };
  printf("faults:");
  for (int i = 0; i < FAULTS; i++) printf(" %s %llu", names[i], all_struck[i]);
  printf("\n");
}

/* How often each call ended how: a test whose calls all fail would be of no use. */
static void print_tally(void) {
  for (int i = 0; i < ACTION_COUNT; i++) {
    printf("%-14s", action_names[i]);
    for (int code = 0; code <= PS_MISUSED; code++)
      if (tallied.calls[i][code] > 0) {
        char words[PS_WORDS];
        ps_status status = {(short)code, 0, 0, NULL};
        const char *text = code == PS_OK        ? "ok"
                           : code == PS_MISUSED ? "misuse"
                           : code == PS_SYSTEM  ? "system"
                           : code == PS_ENDED   ? "ended"
                                                : ps_status_words(status, words);
        printf(" | %.24s %llu", text, tallied.calls[i][code]);
      }
    printf("\n");
  }
}

typedef struct wishes {
  double seconds;
  uint64_t first, worlds, schedule;
  int one, trace, keep_on, tally, shrink, fixed, random;
} wishes;

static int run_many(const wishes *wished) {
  double began = clock_now(), cpu = cpu_now();
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  uint64_t chosen =
      ((uint64_t)time.tv_sec * 1000003u + (uint64_t)time.tv_nsec) % 1000000000000u;
  uint64_t number = wished->first;
  int failures = 0;
  if (wished->random) number = chosen;
  printf("worlds from %llu on", (unsigned long long)number);
  if (!wished->fixed && !wished->random)
    printf(", and every hundredth from %llu on", (unsigned long long)chosen);
  printf("\n");
  fflush(stdout);
  for (uint64_t i = 0; i < wished->worlds; i++) {
    if ((i & 15) == 0 && clock_now() - began >= wished->seconds) break;
    int is_chosen = i % 100 == 99 && !wished->fixed && !wished->random;
    script_make(&now, is_chosen ? chosen++ : number++);
    fault_found found = run(&now, 0, 0);
    if (found.site == NULL) continue;
    failures++;
    if (!wished->keep_on) {
      report(&found, wished->shrink);
      break;
    }
    printf("world %llu: %s (%s:%d)\n", (unsigned long long)now.seed, found.reason,
           found.site, found.line);
    fflush(stdout);
  }
  cpu = cpu_now() - cpu;
  printf("%llu worlds, %llu steps, %.1f s, %.2f million steps a second\n",
         (unsigned long long)all_worlds, (unsigned long long)all_steps, cpu,
         (double)all_steps / cpu / 1e6);
  print_faults();
  printf("results with bytes: %llu compared alone, ", model_single);
  printf("%llu among those of other threads, %llu not\n", model_merged, model_free);
  if (wished->tally) print_tally();
  if (failures > 0) printf("%d failed\n", failures);
  return failures > 0;
}

static int run_one(const wishes *wished) {
  script_make(&now, wished->first);
  if (wished->trace) script_print(&now);
  fault_found found = run(&now, wished->schedule, wished->trace);
  if (found.site == NULL) {
    printf("world %llu: all is well after %llu steps\n", (unsigned long long)now.seed,
           (unsigned long long)all_steps);
    return 0;
  }
  report(&found, wished->shrink);
  return 1;
}

int main(int count, char **arguments) {
  wishes wished = {.seconds = 5, .first = 1, .worlds = UINT64_MAX, .shrink = 1};
  for (int i = 1; i < count; i++) {
    const char *name = arguments[i];
    if (strcmp(name, "--trace") == 0)
      wished.trace = 1;
    else if (strcmp(name, "--keep-on") == 0)
      wished.keep_on = 1;
    else if (strcmp(name, "--tally") == 0)
      wished.tally = 1;
    else if (strcmp(name, "--no-shrink") == 0)
      wished.shrink = 0;
    else if (strcmp(name, "--random") == 0)
      wished.random = 1;
    else if (strcmp(name, "--fixed") == 0)
      wished.fixed = 1;
    else if (i + 1 == count)
      return fprintf(stderr, "simulate: %s?\n", name), 2;
    else if (strcmp(name, "--seconds") == 0)
      wished.seconds = atof(arguments[++i]);
    else if (strcmp(name, "--from") == 0)
      wished.first = strtoull(arguments[++i], NULL, 10);
    else if (strcmp(name, "--worlds") == 0)
      wished.worlds = strtoull(arguments[++i], NULL, 10);
    else if (strcmp(name, "--schedule") == 0)
      wished.schedule = strtoull(arguments[++i], NULL, 10);
    else if (strcmp(name, "--seed") == 0) {
      wished.one = 1;
      wished.first = strtoull(arguments[++i], NULL, 10);
    } else
      return fprintf(stderr, "simulate: %s?\n", name), 2;
  }
  world_setup();
  play_setup();
  handle_signals();
  return wished.one ? run_one(&wished) : run_many(&wished);
}
