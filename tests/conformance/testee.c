/* SPDX-License-Identifier: MIT */
/* The testee for C: reads a call per line, makes it, prints what came back.

   It includes polysock.h and nothing else of the library, and must never improve, hide or
   judge an answer: that is the driver's work. What a C compiler would refuse (text where
   a number belongs, an argument too few) is answered with `error compiler`. */

#define _GNU_SOURCE
#include "polysock.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- What a line says
 * ------------------------------------------------------------------ */

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
  char *memory; /* for the bytes of a result */
  FILE *out;    /* the answer, printed at once when it is complete */
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

/* ---- Slots
 * ----------------------------------------------------------------------------- */

typedef struct slot {
  struct slot *next;
  char name[64];
  ps_socket *socket;  /* an object, or the one that an iterator reads */
  ps_pattern pattern; /* of an iterator; kind 0: it is none */
  ps_maxsize maxsize; /* of its pieces */
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
  free(s->kept.text);
  s->socket = NULL;
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

/* ---- Arguments: the types of polysock.h
 * ------------------------------------------------ */

static const value *arg(call *c, size_t i) {
  static const value nil = {.type = 'n'};
  if (i >= c->args.count) return &nil;
  const value *v = &c->args.items[i];
  slot *s = v->type == 'o' ? find(v->text) : NULL;
  return s && s->kept.type ? &s->kept : v;
}

static int absent(call *c, size_t i) { return arg(c, i)->type == 'n'; }

static ps_socket *socket_of(const value *v) {
  slot *s = v->type == 'o' ? find(v->text) : NULL;
  return s && !s->pattern.kind ? s->socket : NULL;
}

static ps_socket *self(call *c) {
  slot *s = find(c->slot);
  if (!s || !s->socket || s->pattern.kind) refuse(c);
  return s->socket;
}

static const char *text(call *c, size_t i) {
  const value *v = arg(c, i);
  if (v->type != 's' || strlen(v->text) != v->size) refuse(c);
  return v->text;
}

static const char *maybe_text(call *c, size_t i) {
  return absent(c, i) ? NULL : text(c, i);
}

static double number(call *c, size_t i) {
  const value *v = arg(c, i);
  if (v->type != 'i' && v->type != 'd') refuse(c);
  return v->number;
}

static long long integer(call *c, size_t i) {
  const value *v = arg(c, i);
  if (v->type == 'i') return v->integer;
  if (v->type != 'd' || v->number != floor(v->number) || isinf(v->number)) refuse(c);
  return (long long)v->number;
}

static long long maybe_integer(call *c, size_t i, long long otherwise) {
  return absent(c, i) ? otherwise : integer(c, i);
}

static double maybe_number(call *c, size_t i, double otherwise) {
  return absent(c, i) ? otherwise : number(c, i);
}

static ps_data data(call *c, size_t i) {
  const value *v = arg(c, i);
  if (v->type != 'b') refuse(c);
  return (ps_data){v->text, v->size};
}

static ps_prefix prefix(call *c, size_t i) {
  return absent(c, i) ? (ps_prefix){NULL, 0} : data(c, i);
}

static ps_port port(call *c, size_t i) {
  if (arg(c, i)->type == 's') return (ps_port){text(c, i), 0};
  return (ps_port){NULL, integer(c, i)};
}

static ps_port maybe_port(call *c, size_t i) {
  return absent(c, i) ? (ps_port){NULL, 0} : port(c, i);
}

static ps_pattern pattern(call *c, size_t i) {
  const value *v = arg(c, i);
  if (v->type == 'n') return PS_LINE;
  if (v->type == 's') return ps_pattern_of(v->text, v->size);
  return PS_COUNT(integer(c, i));
}

static ps_seconds seconds(call *c, size_t i) { return maybe_number(c, i, -1); }
static ps_maxsize maxsize(call *c, size_t i) {
  long long size = maybe_integer(c, i, 0);
  /* In C 0 is the way to say "no bound", and less than that cannot be said. */
  if (size < 0 || (size == 0 && !absent(c, i))) refuse(c);
  return (ps_maxsize)size;
}

static int flag(call *c, const value *v) {
  if (v->type != 't' && v->type != 'f') refuse(c);
  return v->type == 't';
}

static ps_option option(call *c, size_t i) {
  const value *v = arg(c, i);
  ps_option o = {.type = PS_NIL, .number = NAN};
  if (v->type == 't' || v->type == 'f') {
    o.type = PS_FLAG;
    o.flag = v->type == 't';
  } else if (v->type == 'i' || v->type == 'd') {
    o.type = PS_NUMBER;
    o.integral =
        v->type == 'i' || (fabs(v->number) < 1e15 && v->number == floor(v->number));
    if (o.integral) o.integer = v->type == 'i' ? v->integer : (long long)v->number;
    o.number = v->number;
  } else if (v->type == 's') {
    o.type = PS_TEXT;
    if (v->size >= sizeof o.text) refuse(c);
    memcpy(o.text, v->text, v->size + 1);
  } else if (v->type == '{') {
    o.type = PS_LINGER;
    int on = 0;
    for (size_t k = 0; k + 1 < v->count; k += 2) {
      const value *field = &v->items[k + 1];
      if (strcmp(v->items[k].text, "on") == 0) {
        o.flag = flag(c, field);
        on = 1;
      } else if (strcmp(v->items[k].text, "timeout") == 0) {
        if (field->type != 'i' && field->type != 'd') refuse(c);
        o.number = field->number;
      }
    }
    if (!on) refuse(c);
  } else if (v->type != 'n') {
    refuse(c);
  }
  return o;
}

/* ---- Answers: the result kinds of polysock.h
 * ------------------------------------------- */

static void put_bytes(call *c, const char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    unsigned char byte = (unsigned char)bytes[i];
    if (byte > ' ' && byte < 127 && byte != '%') {
      putc(byte, c->out);
    } else {
      fprintf(c->out, "%%%02X", byte);
    }
  }
}

static void put_text(call *c, const char *words) {
  fputs(" s", c->out);
  put_bytes(c, words, strlen(words));
}

/* Prints a failure or a misuse; non-zero when the call succeeded. */
static int good(call *c, ps_status status) {
  char words[PS_WORDS];
  if (status.code == PS_OK) {
    fputs(" ok", c->out);
    return 1;
  }
  if (status.code >= PS_MISUSED) {
    fputs(" error misuse", c->out);
    put_text(c, ps_status_misuse(status, c->method, words));
  } else {
    fputs(" ok n", c->out);
    put_text(c, ps_status_words(status, words));
  }
  return 0;
}

static int failed(ps_status status) {
  return status.code != PS_OK && status.code < PS_MISUSED;
}

static void done(call *c, ps_status status) {
  if (good(c, status)) fputs(" i1", c->out);
}

static void nothing(call *c, ps_status status) { good(c, status); }

static void object(call *c, ps_object result) {
  if (!good(c, result.status)) return;
  if (strcmp(c->into, "-") == 0) {
    ps_socket_free(result.socket, NULL);
    fputs(" o", c->out);
    return;
  }
  clean(c->into)->socket = result.socket;
  fprintf(c->out, " o%s", c->into);
}

static void bytes(call *c, ps_bytes result) {
  if (!good(c, result.status) && !failed(result.status)) return;
  fputs(" b", c->out);
  put_bytes(c, result.head, result.head_size);
  put_bytes(c, result.data, result.size);
}

static void address(call *c, ps_address result) {
  if (!good(c, result.status)) return;
  put_text(c, result.ip);
  fprintf(c->out, " i%d", result.port);
  put_text(c, result.family);
}

static void put_texts(call *c, const ps_entry *entries) {
  fputs(" [", c->out);
  for (; entries; entries = entries->next) put_text(c, entries->text);
  fputs(" ]", c->out);
}

static void resolved(call *c, ps_resolved result) {
  if (!good(c, result.status)) return;
  put_text(c, result.text);
  fputs(" { sname", c->out);
  put_text(c, result.name);
  fputs(" salias", c->out);
  put_texts(c, result.aliases);
  fputs(" sip", c->out);
  put_texts(c, result.ips);
  fputs(" }", c->out);
  ps_resolved_free(result.aliases);
  ps_resolved_free(result.ips);
}

/* ---- The module
 * ------------------------------------------------------------------------ */

static void m_tcp(call *c) { object(c, ps_tcp()); }
static void m_tcp4(call *c) { object(c, ps_tcp4()); }
static void m_tcp6(call *c) { object(c, ps_tcp6()); }
static void m_bind(call *c) {
  object(c, ps_bind(text(c, 0), port(c, 1), maybe_integer(c, 2, 32), &c->host));
}
static void m_connect(call *c) {
  object(c, ps_connect(text(c, 0), port(c, 1), maybe_text(c, 2), maybe_port(c, 3),
                       maybe_text(c, 4), seconds(c, 5), &c->host));
}
static void m_connect4(call *c) {
  object(c, ps_connect4(text(c, 0), port(c, 1), maybe_text(c, 2), maybe_port(c, 3),
                        seconds(c, 4), &c->host));
}
static void m_connect6(call *c) {
  object(c, ps_connect6(text(c, 0), port(c, 1), maybe_text(c, 2), maybe_port(c, 3),
                        seconds(c, 4), &c->host));
}
static void m_fromfd(call *c) { object(c, ps_fromfd(integer(c, 0), text(c, 1))); }
static void m_gettime(call *c) { fprintf(c->out, " ok d%.17g", ps_gettime()); }
static void m_monotime(call *c) { fprintf(c->out, " ok d%.17g", ps_monotime()); }
static void m_sleep(call *c) { nothing(c, ps_sleep(number(c, 0), &c->host).status); }
static void m_version(call *c) {
  fputs(" ok", c->out);
  put_text(c, "polysock " PS_VERSION);
}
static void m_setsize(call *c) { fprintf(c->out, " ok i%zu", ps_setsize().size); }
static void m_invalid(call *c) { fputs(" ok i-1", c->out); }

/* A set for select: the sockets of a list that are open. */
static ps_sockets watches(call *c, size_t i) {
  const value *v = arg(c, i);
  ps_sockets set = {NULL, 0};
  set.watches = calloc(v->count + 1, sizeof *set.watches);
  if (!set.watches) abort();
  set.count = v->count;
  for (size_t k = 0; k < v->count; k++) {
    ps_socket *socket = socket_of(&v->items[k]);
    set.watches[k] = (ps_watch){.fd = -1, .socket = socket};
  }
  return set;
}

static void put_ready(call *c, size_t i, ps_sockets set) {
  fputs(" [", c->out);
  for (size_t k = 0; k < set.count; k++) {
    if (set.watches[k].ready) fprintf(c->out, " o%s", arg(c, i)->items[k].text);
  }
  fputs(" ]", c->out);
}

/* select answers with both sets, whatever the words behind them. */
static int good_or_timeout(call *c, ps_status status) {
  return good(c, failed(status) ? (ps_status){0} : status);
}

static void m_select(call *c) {
  char words[PS_WORDS];
  double seconds = maybe_number(c, 2, -1);
  for (size_t i = 0; i < 2; i++) {
    if (!absent(c, i) && arg(c, i)->type != '[') refuse(c);
  }
  ps_sockets recvt = watches(c, 0), sendt = watches(c, 1);
  ps_ready result = ps_select(recvt, sendt, seconds, &c->host);
  if (good_or_timeout(c, result.status)) {
    put_ready(c, 0, recvt);
    put_ready(c, 1, sendt);
    if (failed(result.status)) put_text(c, ps_status_words(result.status, words));
  }
  free(recvt.watches);
  free(sendt.watches);
}

static void d_gethostname(call *c) {
  ps_hostname result = ps_dns_gethostname();
  if (good(c, result.status)) put_text(c, result.text);
}
static void d_toip(call *c) {
  resolved(c, ps_dns_toip(text(c, 0), seconds(c, 1), &c->host));
}
static void d_tohostname(call *c) {
  resolved(c, ps_dns_tohostname(text(c, 0), seconds(c, 1), &c->host));
}
static void d_getaddrinfo(call *c) {
  ps_addresses result = ps_dns_getaddrinfo(text(c, 0), seconds(c, 1), &c->host);
  if (!good(c, result.status)) return;
  fputs(" [", c->out);
  for (const ps_entry *entry = result.entries; entry; entry = entry->next) {
    fputs(" { sfamily", c->out);
    put_text(c, entry->family);
    fputs(" saddr", c->out);
    put_text(c, entry->text);
    fputs(" }", c->out);
  }
  fputs(" ]", c->out);
  ps_resolved_free(result.entries);
}
static void d_getnameinfo(call *c) {
  ps_names result =
      ps_dns_getnameinfo(maybe_text(c, 0), maybe_text(c, 1), seconds(c, 2), &c->host);
  if (!good(c, result.status)) return;
  put_texts(c, result.names);
  if (*result.service) put_text(c, result.service);
  ps_resolved_free(result.names);
}

/* ---- The objects
 * ----------------------------------------------------------------------- */

static void o_accept(call *c) { object(c, ps_socket_accept(self(c), &c->host)); }
static void o_bind(call *c) {
  done(c, ps_socket_bind(self(c), text(c, 0), port(c, 1), &c->host).status);
}
static void o_listen(call *c) {
  done(c, ps_socket_listen(self(c), maybe_integer(c, 0, 32)).status);
}
static void o_connect(call *c) {
  done(c, ps_socket_connect(self(c), text(c, 0), port(c, 1), &c->host).status);
}
static void o_receive(call *c) {
  bytes(c,
        ps_socket_receive(self(c), pattern(c, 0), prefix(c, 1), maxsize(c, 2), &c->host));
}
static void o_receiveany(call *c) {
  bytes(c, ps_socket_receiveany(self(c), maxsize(c, 0), &c->host));
}
static void o_receiveuntil(call *c) {
  bytes(c, ps_socket_receiveuntil(self(c), data(c, 0), prefix(c, 1), maxsize(c, 2),
                                  &c->host));
}
static void o_lines(call *c) {
  ps_socket *socket = self(c);
  ps_lines result = ps_socket_lines(socket, pattern(c, 0), maxsize(c, 1));
  if (!good(c, result.status)) return;
  slot *iterator = clean(c->into);
  iterator->socket = socket;
  iterator->pattern = result.pattern;
  iterator->maxsize = result.maxsize;
  fprintf(c->out, " o%s", c->into);
}
static void o_send(call *c) {
  ps_sent result = ps_socket_send(self(c), data(c, 0), maybe_integer(c, 1, 1),
                                  maybe_integer(c, 2, -1), &c->host);
  if (good(c, result.status) || failed(result.status)) {
    fprintf(c->out, " i%lld", result.last);
  }
}
static void o_shutdown(call *c) {
  done(c, ps_socket_shutdown(self(c), maybe_text(c, 0)).status);
}
static void o_getpeername(call *c) { address(c, ps_socket_getpeername(self(c))); }
static void o_getsockname(call *c) { address(c, ps_socket_getsockname(self(c))); }
static void o_getfamily(call *c) {
  ps_text family = ps_socket_getfamily(self(c));
  fputs(" ok", c->out);
  put_text(c, family.text);
}
static void o_getstats(call *c) {
  ps_stats stats = ps_socket_getstats(self(c));
  fprintf(c->out, " ok i%lld i%lld d%.17g", stats.received, stats.sent, stats.age);
}
static void o_setstats(call *c) {
  done(c, ps_socket_setstats(self(c), maybe_integer(c, 0, -1), maybe_integer(c, 1, -1),
                             maybe_number(c, 2, NAN))
              .status);
}
static void o_settimeout(call *c) {
  done(c, ps_socket_settimeout(self(c), maybe_number(c, 0, -1), maybe_text(c, 1)).status);
}
static void o_gettimeout(call *c) {
  ps_limits limits = ps_socket_gettimeout(self(c));
  fprintf(c->out, " ok d%.17g d%.17g", limits.block, limits.total);
}
static void o_setdeadline(call *c) {
  done(c, ps_socket_setdeadline(self(c), maybe_number(c, 0, INFINITY)).status);
}
static void o_getdeadline(call *c) {
  double seconds = ps_socket_getdeadline(self(c)).seconds;
  fputs(" ok", c->out);
  if (!isinf(seconds)) fprintf(c->out, " d%.17g", seconds);
}
static void o_setoption(call *c) {
  done(c, ps_socket_setoption(self(c), text(c, 0), option(c, 1)).status);
}
static void o_getoption(call *c) {
  ps_value result = ps_socket_getoption(self(c), text(c, 0));
  if (!good(c, result.status)) return;
  const ps_option *o = &result.value;
  if (o->type == PS_FLAG) fputs(o->flag ? " t" : " f", c->out);
  if (o->type == PS_NUMBER && o->integral) fprintf(c->out, " i%lld", o->integer);
  if (o->type == PS_NUMBER && !o->integral) fprintf(c->out, " d%.17g", o->number);
  if (o->type == PS_TEXT) put_text(c, o->text);
  if (o->type == PS_LINGER) {
    fprintf(c->out, " { son %c stimeout i%.0f }", o->flag ? 't' : 'f', o->number);
  }
}
static void o_dirty(call *c) {
  fputs(ps_socket_dirty(self(c)).yes ? " ok t" : " ok f", c->out);
}
static void o_pending(call *c) {
  fprintf(c->out, " ok i%zu", ps_socket_pending(self(c)).size);
}
static void o_getfd(call *c) { fprintf(c->out, " ok i%d", ps_socket_getfd(self(c)).fd); }
static void o_setfd(call *c) {
  nothing(c, ps_socket_setfd(self(c), integer(c, 0), &c->host).status);
}
static void o_detach(call *c) {
  ps_detached result = ps_socket_detach(self(c));
  if (good(c, result.status)) fprintf(c->out, " i%d", result.fd);
}
static void o_close(call *c) { done(c, ps_socket_close(self(c), NULL).status); }

/* ---- What the scenarios ask of the testee itself
 * --------------------------------------- */

static void t_tostring(call *c) {
  char name[96];
  ps_socket *socket = self(c);
  snprintf(name, sizeof name, "tcp{%s}: %p", ps_socket_getkind(socket).text,
           (void *)socket);
  fputs(" ok", c->out);
  put_text(c, name);
}
static void t_field(call *c) {
  fputs(" ok", c->out);
  if (strcmp(text(c, 0), "kind") != 0) refuse(c);
  put_text(c, ps_socket_getkind(self(c)).text);
}
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
    bytes(c, result);
  }
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
  fputs(" ok", c->out);
}

/* ---- Serving
 * --------------------------------------------------------------------------- */

static const struct operation {
  const char *name;
  void (*play)(call *c);
} module[] = {{"tcp", m_tcp},
              {"tcp4", m_tcp4},
              {"tcp6", m_tcp6},
              {"bind", m_bind},
              {"connect", m_connect},
              {"connect4", m_connect4},
              {"connect6", m_connect6},
              {"fromfd", m_fromfd},
              {"select", m_select},
              {"gettime", m_gettime},
              {"monotime", m_monotime},
              {"sleep", m_sleep},
              {"_VERSION", m_version},
              {"_SETSIZE", m_setsize},
              {"_SOCKETINVALID", m_invalid},
              {0}},
  dns[] = {{"gethostname", d_gethostname}, {"toip", d_toip},
           {"tohostname", d_tohostname},   {"getaddrinfo", d_getaddrinfo},
           {"getnameinfo", d_getnameinfo}, {0}},
  methods[] = {{"accept", o_accept},
               {"bind", o_bind},
               {"setsockname", o_bind},
               {"listen", o_listen},
               {"connect", o_connect},
               {"setpeername", o_connect},
               {"receive", o_receive},
               {"receiveany", o_receiveany},
               {"receiveuntil", o_receiveuntil},
               {"lines", o_lines},
               {"send", o_send},
               {"shutdown", o_shutdown},
               {"getpeername", o_getpeername},
               {"getsockname", o_getsockname},
               {"getfamily", o_getfamily},
               {"getstats", o_getstats},
               {"setstats", o_setstats},
               {"settimeout", o_settimeout},
               {"gettimeout", o_gettimeout},
               {"setdeadline", o_setdeadline},
               {"getdeadline", o_getdeadline},
               {"setoption", o_setoption},
               {"getoption", o_getoption},
               {"dirty", o_dirty},
               {"pending", o_pending},
               {"getfd", o_getfd},
               {"setfd", o_setfd},
               {"detach", o_detach},
               {"close", o_close},
               {"tostring", t_tostring},
               {"field", t_field},
               {"next", t_next},
               {"keep", t_keep},
               {"drop", t_drop},
               {"reset", t_reset},
               {0}};

static void play(call *c) {
  const struct operation *op = methods;
  if (strcmp(c->slot, "mod") == 0) op = module;
  if (strcmp(c->slot, "dns") == 0) op = dns;
  while (op->name && strcmp(op->name, c->method) != 0) op++;
  if (!op->name) refuse(c);
  op->play(c);
}

static void serve(call *c) {
  c->host.grow = grow;
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
  free_values(&c->args);
  free(c->line);
  free(c);
}

static void *serve_in_thread(void *c) {
  flockfile(stdout);
  printf("%s tid %d\n", ((call *)c)->tag, (int)gettid());
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
  printf("polysock-testee 1 polysock-%s threads\n", PS_VERSION);
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
