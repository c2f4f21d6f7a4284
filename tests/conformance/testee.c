/* SPDX-License-Identifier: MIT */
/* The testee for C: reads a call per line, makes it, prints what came back.

   It includes polysock.h and nothing else of the library, and must never improve, hide or
   judge an answer: that is the driver's work. What a C compiler would refuse (text where
   a number belongs, an argument too few or too many) is answered with `error compiler`.

   Here are the protocol, the slots and the threads; testee_kinds.h has the types of the
   arguments and the kinds of the results, and testee_calls.h the calls, which
   interface.py makes from the interface: a new function needs no line here. */

#define _GNU_SOURCE
#include "polysock.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include "testee_windows.h"
#else
#include <unistd.h>
#endif

/* ---- What a line says */

typedef struct value {
  char type; /* n nil, t f boolean, i integer, d number, s b text, o object, [ list, {
                table */
  long long integer;
  double number;
  char *text; /* text, or the name of an object; with a NUL behind it */
  size_t size;
  struct value *items; /* of a list or, name and value in turn, of a table */
  size_t count;
} value;

typedef struct call {
  ps_host host; /* first: `grow` gets a pointer to it and needs the call */
  char *line, *rest;
  char *tag, *into, *slot, *method;
  value args;
  ps_sockets sets[2]; /* of select, for its answer */
  char *memory;       /* for the bytes of a result */
  FILE *out;          /* the answer, printed at once when it is complete */
  char *answer;
  size_t length;
  jmp_buf refused;
} call;

static void *grow(ps_host *host, size_t size) {
  call *c = (call *)host;
  void *memory = realloc(c->memory, size ? size : 1);
  if (memory) c->memory = memory;
  return memory;
}

_Noreturn static void refuse(call *c) { longjmp(c->refused, 1); }

static size_t unescape(char *text) {
  char *to = text;
  for (const char *from = text; *from; from++) {
    if (*from == '%') {
      char code[3] = {from[1], from[2], 0};
      *to++ = (char)strtol(code, NULL, 16);
      from += 2;
    } else {
      *to++ = *from;
    }
  }
  *to = 0;
  return (size_t)(to - text);
}

/* Reads values up to the end of the line or to the bracket that closes. */
static void read_values(char **rest, char end, value *into) {
  char *word;
  while ((word = strtok_r(NULL, " \n", rest)) && *word != end) {
    into->items = realloc(into->items, (into->count + 1) * sizeof(value));
    if (!into->items) abort();
    value *item = &into->items[into->count++];
    *item = (value){.type = *word, .text = word + 1};
    errno = 0;
    if (*word == 'i') item->integer = strtoll(word + 1, NULL, 10);
    if (*word == 'i' || *word == 'd') item->number = strtod(word + 1, NULL);
    if (*word == 'i' && errno == ERANGE) item->type = '?'; /* no C type holds it */
    if (*word == 's' || *word == 'b') item->size = unescape(word + 1);
    if (*word == '[') read_values(rest, ']', item);
    if (*word == '{') read_values(rest, '}', item);
  }
}

static void free_values(value *values) {
  for (size_t i = 0; i < values->count; i++) free_values(&values->items[i]);
  free(values->items);
}

/* ---- Slots */

typedef struct slot {
  struct slot *next;
  char name[64];
  ps_socket *socket;  /* an object, or the one that an iterator reads */
  ps_poller *poller;  /* an object of that class */
  int is_foreign;     /* an object that has nothing but a descriptor */
  int fd;             /* ... its descriptor */
  ps_pattern pattern; /* of an iterator; kind 0: it is none */
  ps_maxsize maxsize; /* of an iterator */
  value kept;         /* a long argument that came ahead of its call */
} slot;

static slot *slots;
static size_t running; /* calls in threads */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;

static slot *find(const char *name) {
  pthread_mutex_lock(&lock);
  slot *s = slots;
  while (s && strcmp(s->name, name) != 0) s = s->next;
  pthread_mutex_unlock(&lock);
  return s;
}

static void empty(slot *s) {
  if (s->socket && !s->pattern.kind) ps_socket_free(s->socket, NULL);
  ps_poller_free(s->poller);
  free(s->kept.text);
  s->socket = NULL;
  s->poller = NULL;
  s->is_foreign = 0;
  s->pattern.kind = 0;
  s->kept = (value){0};
}

/* The slot of that name, emptied, or a new one. */
static slot *clean(const char *name) {
  slot *s = find(name);
  if (s) {
    empty(s);
    return s;
  }
  s = calloc(1, sizeof *s);
  if (!s) abort();
  snprintf(s->name, sizeof s->name, "%s", name);
  pthread_mutex_lock(&lock);
  s->next = slots;
  slots = s;
  pthread_mutex_unlock(&lock);
  return s;
}

#include "testee_kinds.h"

/* ---- What the scenarios ask of the testee itself */

static void t_tostring(call *c) { put_ps_text(c, ps_socket_tostring(self(c))); }

static void t_field(call *c) {
  if (strcmp(text(c, 0), "kind") != 0) refuse(c);
  put_ps_text(c, ps_socket_getkind(self(c)));
}

/* In C it is a number of the documentation and has no name. */
static void t_invalid(call *c) { fputs(" ok i-1", c->out); }

static void t_next(call *c) {
  char words[PS_WORDS];
  slot *s = find(c->slot);
  if (!s || !s->pattern.kind) refuse(c);
  ps_bytes result = ps_socket_next(s->socket, s->pattern, s->maxsize, &c->host);
  if (result.status.code == PS_ENDED) {
    fputs(" ok", c->out);
  } else if (failed(result.status)) {
    fputs(" error failure", c->out);
    put_text(c, ps_status_words(result.status, words));
  } else {
    put_ps_bytes(c, result);
  }
}

/* In C it is a bare descriptor; what it has buffered is said by another call. */
static void t_foreign(call *c) {
  int fd = (int)integer(c, 0);
  if (!absent(c, 1)) refuse(c);
  slot *s = clean(c->slot);
  s->is_foreign = 1;
  s->fd = fd;
  fputs(" ok", c->out);
}

static void t_keep(call *c) {
  const value *v = arg(c, 0);
  slot *s = clean(c->slot);
  s->kept = *v;
  s->kept.text = malloc(v->size + 1);
  if (!s->kept.text) abort();
  memcpy(s->kept.text, v->text, v->size + 1);
  fputs(" ok", c->out);
}

static void t_drop(call *c) {
  slot *s = find(c->slot);
  if (s) empty(s);
  fputs(" ok", c->out);
}

static void t_reset(call *c) {
  /* Closing wakes every call in a thread; nothing is freed before they have ended. */
  for (slot *s = slots; s; s = s->next) {
    if (s->socket && !s->pattern.kind) ps_socket_close(s->socket, NULL);
    if (s->poller) ps_poller_wake(s->poller);
  }
  pthread_mutex_lock(&lock);
  while (running) pthread_cond_wait(&ended, &lock);
  pthread_mutex_unlock(&lock);
  while (slots) {
    slot *next = slots->next;
    empty(slots);
    free(slots);
    slots = next;
  }
  forget_tokens();
  fputs(" ok", c->out);
}

/* ---- Serving */

struct operation {
  const char *owner, *name; /* "mod", "dns" or a type, and what is called there */
  size_t count;             /* of its arguments */
  void (*play)(call *c);
};

#include "testee_calls.h"

static const struct operation own[] = {
    {"object", "tostring", 0, t_tostring}, {"object", "field", 1, t_field},
    {"object", "next", 0, t_next},         {"object", "keep", 1, t_keep},
    {"object", "drop", 0, t_drop},         {"object", "reset", 0, t_reset},
    {"object", "foreign", 2, t_foreign},   {"mod", "_SOCKETINVALID", 0, t_invalid},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct operation *search(const struct operation *op, size_t count,
                                      const char *owner, const char *name) {
  for (; count > 0; op++, count--) {
    if (strcmp(op->owner, owner) == 0 && strcmp(op->name, name) == 0) return op;
  }
  return NULL;
}

static void play(call *c) {
  const char *owner = c->slot, *type = owner;
  if (strcmp(owner, "mod") != 0 && strcmp(owner, "dns") != 0) {
    owner = "object";
    type = type_of(c);
  }
  const struct operation *op = search(own, COUNT(own), owner, c->method);
  if (!op) op = search(calls, COUNT(calls), type, c->method);
  if (!op) refuse(c);
  for (size_t i = op->count; i < c->args.count; i++) {
    if (!absent(c, i)) refuse(c);
  }
  op->play(c);
}

static void serve(call *c) {
  c->host.grow = grow;
  c->host.mode = PS_HOST_LEND;
  c->out = open_memstream(&c->answer, &c->length);
  if (!c->out) abort();
  if (setjmp(c->refused) == 0) {
    play(c);
    fclose(c->out);
  } else {
    fclose(c->out);
    free(c->answer);
    c->answer = strdup(" error compiler");
    c->length = strlen(c->answer);
  }
  flockfile(stdout);
  fputs(c->tag, stdout);
  fwrite(c->answer, 1, c->length, stdout);
  putchar('\n');
  fflush(stdout);
  funlockfile(stdout);
  free(c->answer);
  free(c->memory);
  free(c->sets[0].watches);
  free(c->sets[1].watches);
  free_values(&c->args);
  free(c->line);
  free(c);
}

/* The driver looks at the thread with this number; 0 when the system has no such thing.
 */
static int thread_number(void) {
#ifdef __linux__
  return (int)gettid();
#else
  return 0;
#endif
}

static void *serve_in_thread(void *c) {
  flockfile(stdout);
  printf("%s tid %d\n", ((call *)c)->tag, thread_number());
  fflush(stdout);
  funlockfile(stdout);
  serve(c);
  pthread_mutex_lock(&lock);
  running--;
  pthread_cond_signal(&ended);
  pthread_mutex_unlock(&lock);
  return NULL;
}

int main(void) {
  char *line = NULL;
  size_t size = 0;
#ifdef _WIN32
  use_bytes();
#endif
  /* An object lives until it is freed, and an object of another library is a bare
     descriptor. */
  printf(
      "polysock-testee 1 polysock-%s suite=1.0 threads "
      "names=_VERSION:version,_SETSIZE:setsize "
      "lacks=collects,foreign-dirty,strings-apart\n",
      PS_VERSION);
  fflush(stdout);
  while (getline(&line, &size, stdin) > 0) {
    call *c = calloc(1, sizeof *c);
    if (!c) abort();
    c->line = line;
    line = NULL;
    c->tag = strtok_r(c->line, " \n", &c->rest);
    c->into = strtok_r(NULL, " \n", &c->rest);
    c->slot = strtok_r(NULL, " \n", &c->rest);
    c->method = strtok_r(NULL, " \n", &c->rest);
    if (!c->method) abort();
    read_values(&c->rest, 0, &c->args);
    if (strcmp(c->tag, "0") == 0) {
      serve(c);
      continue;
    }
    pthread_t thread;
    pthread_mutex_lock(&lock);
    running++;
    pthread_mutex_unlock(&lock);
    if (pthread_create(&thread, NULL, serve_in_thread, c) != 0) abort();
    pthread_detach(thread);
  }
  free(line);
  return 0;
}
