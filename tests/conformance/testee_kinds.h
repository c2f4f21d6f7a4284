/* SPDX-License-Identifier: MIT */
/* How the testee for C reads each type of argument and prints each kind of result.

   take_TYPE(c, i) reads argument i of a call, put_KIND(c, result) prints a result. The
   calls between them are made from the interface (testee_calls.h); a new type or kind
   is a line or a function here. Nothing here converts what a C compiler would refuse. */

/* ---- Arguments */

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

/* The type of the object in the slot of a call, as the interface names it. */
static const char *type_of(call *c) {
  const slot *s = find(c->slot);
  return s && s->poller ? "ps_poller" : "ps_socket";
}

static ps_poller *self_ps_poller(call *c) { return find(c->slot)->poller; }

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

static double maybe_number(call *c, size_t i, double otherwise) {
  return absent(c, i) ? otherwise : number(c, i);
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

/* Types that are one of these; what an absent argument means is in swig/kinds.i. */
#define take_ps_name text
#define take_ps_optionname text
#define take_ps_kindname text
#define take_ps_localname maybe_text
#define take_ps_servicename maybe_text
#define take_ps_mode maybe_text
#define take_ps_duration number
#define take_ps_seconds(c, i) maybe_number(c, i, -1)
#define take_ps_moment(c, i) maybe_number(c, i, INFINITY)
#define take_ps_age(c, i) maybe_number(c, i, NAN)
#define take_ps_descriptor integer
#define take_ps_total(c, i) maybe_integer(c, i, -1)
#define take_ps_first(c, i) maybe_integer(c, i, 1)
#define take_ps_last(c, i) maybe_integer(c, i, -1)
#define take_ps_backlog(c, i) maybe_integer(c, i, 32)
#define take_ps_events text
#define take_ps_readables set_of
#define take_ps_writables set_of
#define self_ps_socket self

static ps_maxsize take_ps_maxsize(call *c, size_t i) {
  long long size = maybe_integer(c, i, 0);
  /* In C 0 is the way to say "no bound", and less than that cannot be said. */
  if (size < 0 || (size == 0 && !absent(c, i))) refuse(c);
  return (ps_maxsize)size;
}

static ps_most take_ps_most(call *c, size_t i) { return (ps_most)take_ps_maxsize(c, i); }

static ps_source take_ps_source(call *c, size_t i) {
  const value *v = arg(c, i);
  const slot *s = v->type == 'o' ? find(v->text) : NULL;
  ps_source source = {socket_of(v), -1};
  if (!source.socket && !(s && s->is_foreign)) refuse(c);
  if (!source.socket) source.fd = s->fd;
  return source;
}

/* What a poller gives back: a value as it is printed. They live until the reset. */
typedef struct token {
  struct token *next;
  char *text;
} token;

static token *tokens;

static void forget_tokens(void) {
  while (tokens) {
    token *next = tokens->next;
    free(tokens->text);
    free(tokens);
    tokens = next;
  }
}

static void put_bytes(call *c, const char *bytes, size_t size);

/* An absent token is the object itself, and for modify the token that it has. */
static void *take_void_pointer(call *c, size_t i) {
  if (absent(c, i) && strcmp(c->method, "modify") == 0)
    return ps_poller_token(self_ps_poller(c), take_ps_source(c, 0)).token;
  const value *v = arg(c, absent(c, i) ? 0 : i);
  token *made = calloc(1, sizeof *made);
  if (!made || v->type == '[' || v->type == '{') abort();
  FILE *out = c->out;
  size_t size;
  c->out = open_memstream(&made->text, &size);
  if (!c->out) abort();
  putc(v->type, c->out);
  if (v->type == 's' || v->type == 'b')
    put_bytes(c, v->text, v->size);
  else
    fputs(v->text, c->out);
  fclose(c->out);
  c->out = out;
  pthread_mutex_lock(&lock);
  made->next = tokens;
  tokens = made;
  pthread_mutex_unlock(&lock);
  return made;
}

static ps_data take_ps_data(call *c, size_t i) {
  const value *v = arg(c, i);
  if (v->type != 'b') refuse(c);
  return (ps_data){v->text, v->size};
}

static ps_prefix take_ps_prefix(call *c, size_t i) {
  return absent(c, i) ? (ps_prefix){NULL, 0} : take_ps_data(c, i);
}

static ps_port take_ps_port(call *c, size_t i) {
  if (arg(c, i)->type == 's') return (ps_port){text(c, i), 0};
  return (ps_port){NULL, integer(c, i)};
}

static ps_localport take_ps_localport(call *c, size_t i) {
  return absent(c, i) ? (ps_localport){NULL, 0} : take_ps_port(c, i);
}

static ps_pattern take_ps_pattern(call *c, size_t i) {
  const value *v = arg(c, i);
  if (v->type == 'n') return PS_LINE;
  if (v->type == 's') return ps_pattern_of(v->text, v->size);
  return PS_COUNT(integer(c, i));
}

static int flag(call *c, const value *v) {
  if (v->type != 't' && v->type != 'f') refuse(c);
  return v->type == 't';
}

static void linger(call *c, const value *v, ps_option *o) {
  int on = 0;
  for (size_t k = 0; k + 1 < v->count; k += 2) {
    const value *field = &v->items[k + 1];
    if (strcmp(v->items[k].text, "on") == 0) {
      o->flag = flag(c, field);
      on = 1;
    } else if (strcmp(v->items[k].text, "timeout") == 0) {
      if (field->type != 'i' && field->type != 'd') refuse(c);
      o->number = field->number;
    }
  }
  if (!on) refuse(c);
}

static ps_option take_ps_option(call *c, size_t i) {
  const value *v = arg(c, i);
  ps_option o = {.type = PS_NIL, .number = NAN};
  if (v->type == 't' || v->type == 'f') {
    o.type = PS_FLAG;
    o.flag = v->type == 't';
  } else if (v->type == 'i' || v->type == 'd') {
    o.type = PS_NUMBER;
    o.integral =
        v->type == 'i' || (fabs(v->number) < 1e15 && v->number == floor(v->number));
    if (o.integral) o.integer = integer(c, i);
    o.number = v->number;
  } else if (v->type == 's') {
    o.type = PS_TEXT;
    if (v->size >= sizeof o.text) refuse(c);
    memcpy(o.text, v->text, v->size + 1);
  } else if (v->type == '{') {
    o.type = PS_LINGER;
    linger(c, v, &o);
  } else if (v->type != 'n') {
    refuse(c);
  }
  return o;
}

/* A set for select: the sockets of a list. */
static ps_sockets set_of(call *c, size_t i) {
  const value *v = arg(c, i);
  if (v->type != 'n' && v->type != '[') refuse(c);
  ps_sockets *set = &c->sets[i];
  set->watches = calloc(v->count + 1, sizeof *set->watches);
  if (!set->watches) abort();
  set->count = v->count;
  for (size_t k = 0; k < v->count; k++) {
    set->watches[k] = (ps_watch){.fd = -1, .socket = socket_of(&v->items[k])};
  }
  return *set;
}

/* ---- Results */

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

static void put_ps_done(call *c, ps_done result) {
  if (good(c, result.status)) fputs(" i1", c->out);
}

static void put_ps_always(call *c, ps_always result) {
  if (good(c, result.status)) fputs(" i1", c->out);
}

static void put_ps_nothing(call *c, ps_nothing result) { good(c, result.status); }

static void put_ps_object(call *c, ps_object result) {
  if (!good(c, result.status)) return;
  if (strcmp(c->into, "-") == 0) {
    ps_socket_free(result.socket, NULL);
    fputs(" o", c->out);
    return;
  }
  clean(c->into)->socket = result.socket;
  fprintf(c->out, " o%s", c->into);
}

static void put_ps_pollerobject(call *c, ps_pollerobject result) {
  if (!good(c, result.status)) return;
  clean(c->into)->poller = result.poller;
  fprintf(c->out, " o%s", c->into);
}

static void put_ps_polled(call *c, ps_polled result) {
  if (!good(c, result.status)) return;
  fputs(" [", c->out);
  for (size_t i = 0; i < result.count; i++) {
    const token *its = result.events[i].token;
    fprintf(c->out, " [ %s s%s ]", its->text, result.events[i].events);
  }
  fputs(" ]", c->out);
}

static void put_ps_bytes(call *c, ps_bytes result) {
  if (!good(c, result.status) && !failed(result.status)) return;
  fputs(" b", c->out);
  put_bytes(c, result.head, result.head_size);
  put_bytes(c, result.data, result.size);
}

static void put_ps_lines(call *c, ps_lines result) {
  ps_socket *socket = self(c);
  if (!good(c, result.status)) return;
  slot *iterator = clean(c->into);
  iterator->socket = socket;
  iterator->pattern = result.pattern;
  iterator->maxsize = result.maxsize;
  fprintf(c->out, " o%s", c->into);
}

static void put_ps_sent(call *c, ps_sent result) {
  if (good(c, result.status) || failed(result.status)) {
    fprintf(c->out, " i%lld", result.last);
  }
}

static void put_ps_address(call *c, ps_address result) {
  if (!good(c, result.status)) return;
  put_text(c, result.ip);
  fprintf(c->out, " i%d", result.port);
  put_text(c, result.family);
}

static void put_ps_value(call *c, ps_value result) {
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

static void put_ps_stats(call *c, ps_stats result) {
  fprintf(c->out, " ok i%lld i%lld d%.17g", result.received, result.sent, result.age);
}

static void put_ps_limits(call *c, ps_limits result) {
  fprintf(c->out, " ok d%.17g d%.17g", result.block, result.total);
}

static void put_ps_left(call *c, ps_left result) {
  fputs(" ok", c->out);
  if (!isinf(result.seconds)) fprintf(c->out, " d%.17g", result.seconds);
}

static void put_ps_seconds(call *c, ps_seconds result) {
  fprintf(c->out, " ok d%.17g", result);
}

static void put_ps_wants(call *c, ps_wants result) {
  fputs(" ok", c->out);
  if (result.direction) put_text(c, result.direction);
}

static void put_ps_yes(call *c, ps_yes result) {
  fputs(result.yes ? " ok t" : " ok f", c->out);
}

static void put_ps_size(call *c, ps_size result) {
  fprintf(c->out, " ok i%zu", result.size);
}

static void put_ps_fd(call *c, ps_fd result) { fprintf(c->out, " ok i%d", result.fd); }

static void put_ps_detached(call *c, ps_detached result) {
  if (good(c, result.status)) fprintf(c->out, " i%d", result.fd);
}

static void put_ps_text(call *c, ps_text result) {
  fputs(" ok", c->out);
  put_text(c, result.text);
}

/* Both sets come back, whatever the words behind them. */
static void put_ps_ready(call *c, ps_ready result) {
  char words[PS_WORDS];
  int empty_handed = failed(result.status);
  if (!good(c, empty_handed ? (ps_status){0} : result.status)) return;
  for (size_t i = 0; i < 2; i++) {
    fputs(" [", c->out);
    for (size_t k = 0; k < c->sets[i].count; k++) {
      if (!c->sets[i].watches[k].ready) continue;
      fprintf(c->out, " o%s", arg(c, i)->items[k].text);
    }
    fputs(" ]", c->out);
  }
  if (empty_handed) put_text(c, ps_status_words(result.status, words));
}

static void put_ps_hostname(call *c, ps_hostname result) {
  if (good(c, result.status)) put_text(c, result.text);
}

static void put_texts(call *c, const ps_entry *entries) {
  fputs(" [", c->out);
  for (; entries; entries = entries->next) put_text(c, entries->text);
  fputs(" ]", c->out);
}

static void put_ps_resolved(call *c, ps_resolved result) {
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

static void put_ps_addresses(call *c, ps_addresses result) {
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

static void put_ps_names(call *c, ps_names result) {
  if (!good(c, result.status)) return;
  put_texts(c, result.names);
  if (*result.service) put_text(c, result.service);
  ps_resolved_free(result.names);
}
