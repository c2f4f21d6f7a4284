/* SPDX-License-Identifier: MIT */
/* See steps.h. Three parties: the tracer is the process of the test; the case runs in a
   child of it, whose main thread and whose other thread take turns, by pipes. */

#define _GNU_SOURCE
#include "steps.h"

#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
/* cmocka wants some of the above before it. */
#include <cmocka.h>

#if defined __x86_64__
#define PLACE(registers) ((registers).rip)
#elif defined __i386__
#define PLACE(registers) ((registers).eip)
#elif defined __aarch64__
#define PLACE(registers) ((registers).pc)
#endif

#ifdef PLACE

/* The text of this program; the linker defines both. */
extern const char __executable_start, etext;

/* What the tracer asks the main thread to do. */
enum { AT = 'a', FEED = 'f', AFTER = 'e' };

static int commands[2], replies[2], starts[2];
static const steps_case *running;
static atomic_int *forked; /* in memory that the processes share */

void steps_forked(void) { atomic_store(forked, 1); }

static void say(int fd, const void *data, size_t size) {
  if (write(fd, data, size) != (ssize_t)size) _exit(3);
}

static int hear(int fd, void *data, size_t size) {
  ssize_t got;
  do got = read(fd, data, size);
  while (got < 0 && errno == EINTR);
  return got == (ssize_t)size;
}

/* ---- In the child ---- */

/* Both signals are for the tracer, which takes them away. */
static void *other_thread(void *context) {
  (void)context;
  pid_t id = (pid_t)syscall(SYS_gettid);
  say(replies[1], &id, sizeof id);
  char byte;
  if (!hear(starts[0], &byte, 1)) _exit(4);
  raise(SIGUSR1);
  running->call();
  raise(SIGUSR2);
  return NULL;
}

static void serve(void) {
  running->prepare();
  pthread_t thread;
  if (pthread_create(&thread, NULL, other_thread, NULL) != 0) _exit(5);
  char command;
  for (int moment = 0, stage = 0; hear(commands[0], &command, 1);) {
    int line = 0;
    if (command == AT) line = running->at(moment++);
    if (command == FEED) running->feed(stage++);
    if (command == AFTER) {
      pthread_join(thread, NULL);
      line = running->after();
    }
    say(replies[1], &line, sizeof line);
  }
  _exit(0);
}

/* ---- The tracer ---- */

typedef struct trace {
  pid_t process, thread;
  int waiting; /* a step has begun, and has not ended */
  int over;    /* the call has ended */
  steps_result result;
} trace;

static void pause_briefly(void) {
  const struct timespec moment = {0, 100000};
  nanosleep(&moment, NULL);
}

/* Does a thread of the case sleep in the system? */
static int is_asleep(const trace *it, pid_t thread) {
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/%d/task/%d/stat", it->process, thread);
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  size_t size = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[size] = '\0';
  const char *state = strrchr(text, ')');
  return state != NULL && state[1] != '\0' && state[2] == 'S';
}

static unsigned long place(const trace *it) {
  struct user_regs_struct registers;
  struct iovec room = {&registers, sizeof registers};
  if (ptrace(PTRACE_GETREGSET, it->thread, (void *)NT_PRSTATUS, &room) != 0) return 0;
  return (unsigned long)PLACE(registers);
}

/* Begins a step of the thread, or goes on with one. Returns whether it has ended; else
   the thread waits now, and the step ends when what it waits for has come. */
static int step(trace *it) {
  if (it->over) return 1;
  if (!it->waiting) ptrace(PTRACE_SINGLESTEP, it->thread, NULL, NULL);
  it->waiting = 1;
  for (int tries = 0, asleep = 0; asleep < 3; tries++) {
    int status = 0;
    if (waitpid(it->thread, &status, __WALL | WNOHANG) == it->thread) {
      it->waiting = 0;
      it->over = !WIFSTOPPED(status) || WSTOPSIG(status) == SIGUSR2;
      return 1;
    }
    if (tries < 20) {
      sched_yield();
    } else {
      pause_briefly();
      asleep = is_asleep(it, it->thread) ? asleep + 1 : 0;
    }
  }
  return 0;
}

/* A fork may wait for a lock that the stopped thread holds: then the thread goes on, step
   by step, until the fork has it. */
static void let_fork(trace *it) {
  for (int asleep = 0; !atomic_load(forked) && asleep < 3;) {
    asleep = is_asleep(it, it->process) ? asleep + 1 : 0;
    pause_briefly();
  }
  while (!it->over && !it->waiting && !atomic_load(forked)) step(it);
}

/* Has the main thread do something. */
static int ask(trace *it, char command) {
  int line;
  atomic_store(forked, 0);
  say(commands[1], &command, 1);
  if (command == AT) let_fork(it);
  return hear(replies[0], &line, sizeof line) ? line : -1;
}

static void ask_there(trace *it) {
  unsigned long address = it->waiting ? 0 : place(it);
  int line = ask(it, AT);
  if (line != 0 && it->result.line == 0) {
    it->result.line = line;
    it->result.moment = it->result.moments;
    it->result.address = address - (unsigned long)&__executable_start;
  }
  it->result.moments++;
}

static int is_ours(unsigned long address) {
  return address >= (unsigned long)&__executable_start && address < (unsigned long)&etext;
}

/* The thread has stopped with the first signal. Goes on to the second one. */
static void step_through(trace *it, int every) {
  int left = 1; /* until one counts */
  while (!it->over && it->result.line == 0) {
    if (step(it)) {
      if (it->over || !is_ours(place(it)) || --left > 0) continue;
      left = every;
      ask_there(it);
    } else {
      ask_there(it);
      it->result.waits++;
      ask(it, FEED);
    }
  }
}

static const char *attach(trace *it) {
  int status;
  if (ptrace(PTRACE_SEIZE, it->thread, NULL, NULL) != 0) return strerror(errno);
  say(starts[1], "x", 1);
  if (waitpid(it->thread, &status, __WALL) != it->thread || !WIFSTOPPED(status) ||
      WSTOPSIG(status) != SIGUSR1)
    return "the thread does not stop";
  return NULL;
}

steps_result steps_run(const steps_case *it, int every) {
  trace made = {0};
  running = it;
  forked = mmap(NULL, sizeof *forked, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                -1, 0);
  if (forked == MAP_FAILED) abort();
  if (pipe(commands) != 0 || pipe(replies) != 0 || pipe(starts) != 0) abort();
  made.process = fork();
  if (made.process == 0) {
    close(commands[1]);
    close(starts[1]);
    serve();
  }
  if (!hear(replies[0], &made.thread, sizeof made.thread)) made.result.line = -2;
  if (made.result.line == 0) made.result.obstacle = attach(&made);
  if (made.result.obstacle == NULL && made.result.line == 0) {
    step_through(&made, every);
    ptrace(PTRACE_DETACH, made.thread, NULL, NULL);
    if (made.result.line == 0) made.result.line = ask(&made, AFTER);
  }
  kill(made.process, SIGKILL);
  while (waitpid(made.process, NULL, 0) < 0 && errno == EINTR) continue;
  munmap(forked, sizeof *forked);
  for (int i = 0; i < 2; i++) {
    close(commands[i]);
    close(replies[i]);
    close(starts[i]);
  }
  return made.result;
}

#else

void steps_forked(void) {}

steps_result steps_run(const steps_case *it, int every) {
  (void)it;
  (void)every;
  return (steps_result){.obstacle = "unknown registers"};
}

#endif

int steps_test(const steps_case *it, int every) {
  steps_result result = steps_run(it, every);
  if (result.obstacle != NULL) {
    print_message("cannot be stepped here: %s\n", result.obstacle);
    skip();
  }
  print_message("%s: %d moments, %d of them in waits\n", it->name, result.moments,
                result.waits);
  if (result.line != 0)
    fail_msg("line %d at moment %d, instruction %#lx", result.line, result.moment,
             result.address);
  return result.moments;
}
