/* SPDX-License-Identifier: MIT */
/* The functions that the typemaps of lang.i call: the objects, failures and misuse, calls
   without Ruby's global lock, arguments, results. A function that raises does so by
   longjmp, so nothing here holds memory that Ruby's collector does not free.

   Calls that may wait run without the global lock, so two threads can be in one object,
   and another thread may change an argument meanwhile. Therefore arguments are frozen
   copies (which share their bytes), and results are received into a new string that no
   other thread knows; large ones into memory that is copied to a string. */

#ifndef PS_RUBY_SUPPORT_H
#define PS_RUBY_SUPPORT_H

#include <ruby/encoding.h>
#include <ruby/thread.h>

#include "shared.h"

/* ---- Objects ---- */

/* The module, and the classes, which SWIG creates after it. */
static VALUE polysock;
static const VALUE *socket_class, *poller_class;

static rb_data_type_t type_of(const char *name, void (*drop)(void *)) {
  return {
      name, {NULL, drop, NULL, NULL, {NULL}}, NULL, NULL, RUBY_TYPED_FREE_IMMEDIATELY};
}
static const rb_data_type_t socket_type =
    type_of("Polysock::Socket", [](void *it) { ps_socket_free((ps_socket *)it, NULL); });
static const rb_data_type_t poller_type =
    type_of("Polysock::Poller", [](void *it) { ps_poller_free((ps_poller *)it); });

static ps_socket *socket_of(VALUE self) {
  return (ps_socket *)rb_check_typeddata(self, &socket_type);
}

static int is_socket(VALUE value) { return rb_typeddata_is_kind_of(value, &socket_type); }
static int is_number(VALUE value) { return RTEST(rb_obj_is_kind_of(value, rb_cNumeric)); }

/* ---- Texts, failures and misuse ---- */

static VALUE text_of(const char *text) { return rb_utf8_str_new_cstr(text); }
static VALUE symbol(const char *name) { return ID2SYM(rb_intern(name)); }
static VALUE truth_of(int flag) { return flag ? Qtrue : Qfalse; }

template <typename... Values>
static VALUE array_of(Values... values) {
  return rb_ary_new_from_args(sizeof...(values), values...);
}

static void misuse(ps_status status, const char *function) {
  char buffer[PS_WORDS];
  VALUE text = text_of(ps_status_misuse(status, name_of(function), buffer));
  VALUE whole = rb_str_scrub(text, Qnil); /* the words may end within a character */
  VALUE type = PS_MISUSE_IS_TYPE(status.code) ? rb_eTypeError : rb_eArgError;
  rb_exc_raise(rb_exc_new_str(type, NIL_P(whole) ? text : whole));
}

static void bad(short code, place at) {
  if (code != 0) misuse(misuse_at(code, at), at.function);
}

/* The system's words are in the encoding of the locale. */
static VALUE words_of(ps_status status) {
  char buffer[PS_WORDS];
  const char *words = ps_status_words(status, buffer);
  return status.code < PS_SYSTEM ? text_of(words) : rb_locale_str_new_cstr(words);
}

/* Raises the failure or misuse of a status, if it is one. value is the partial result of
   a call that receives, the last index of one that sends, or nil. */
static void ps_rb_check(ps_status status, const char *function, VALUE value = Qnil) {
  if (status.code == PS_OK) return;
  if (status.code >= PS_MISUSED) misuse(status, function);
  VALUE number = status.system != 0 ? INT2NUM(status.system) : Qnil;
  VALUE type = rb_const_get(polysock, rb_intern("Error"));
  rb_exc_raise(rb_funcall(type, rb_intern("of"), 4, INT2FIX(status.code),
                          words_of(status), number, value));
}

/* Calls make, which may raise; then it calls drop, and the error goes on. */
template <typename Make, typename Drop>
static VALUE made_or(Make make, Drop drop) {
  const auto run = [](VALUE it) { return (*(Make *)it)(); };
  int error = 0;
  VALUE made = rb_protect(run, (VALUE)&make, &error);
  if (error != 0) drop(), rb_jump_tag(error);
  return made;
}

/* ---- Calls that may wait ---- */

typedef struct ps_rb_host {
  ps_host host;
  VALUE thread, bytes; /* bytes: memory for a result */
  size_t size;         /* what grow was asked for before there was large */
  char *large;         /* memory if that of bytes is too small, or NULL */
  int raised;          /* a state of rb_protect: a signal or another thread has raised */
  int locked;          /* it did so where the thread has the lock again */
} ps_rb_host;

static VALUE check_interrupts(VALUE host) {
  static const auto check = [](VALUE) { return rb_thread_check_ints(), Qnil; };
  const auto run = [](void *it) { return rb_protect(check, Qnil, (int *)it), it; };
  rb_thread_call_with_gvl(run, &((ps_rb_host *)host)->raised);
  return Qnil;
}

/* Ruby interrupts a wait for a signal, Thread#raise, Thread#kill and Timeout. An
   interrupt that comes when the lock is about to be released again raises there. An error
   must not leave the core; the call ends, and ps_rb_run goes on with it. */
static int interrupted(ps_host *host) {
  ps_rb_host *lent = (ps_rb_host *)host;
  if (lent->raised == 0 && rb_thread_interrupted(lent->thread)) {
    rb_protect(check_interrupts, (VALUE)host, &lent->locked);
    if (lent->locked != 0) lent->raised = lent->locked;
  }
  return lent->raised != 0;
}

/* Called without the lock, so it cannot allocate memory of Ruby. */
static void *grow(ps_host *host, size_t size) {
  ps_rb_host *lent = (ps_rb_host *)host;
  if (lent->large == NULL && size <= rb_str_capacity(lent->bytes))
    return lent->size = size, RSTRING_PTR(lent->bytes);
  char *more = size > LONG_MAX / 2 ? NULL : (char *)realloc(lent->large, size);
  if (more == NULL) return NULL;
  if (lent->large == NULL) memcpy(more, RSTRING_PTR(lent->bytes), lent->size);
  return lent->large = more;
}

static ps_host *ps_rb_lend(ps_rb_host *lent) {
  const ps_host host = {NULL, NULL, interrupted, grow, PS_HOST_LEND};
  *lent = (ps_rb_host){host, rb_thread_current(), Qnil, 0, NULL, 0, 0};
  return &lent->host;
}

/* Makes a call without the lock. An interrupt that is pending is handled before the call,
   but not after it, because the result would be lost. */
template <typename Call>
static void ps_rb_run(ps_rb_host &lent, void *, Call call) {
  const auto whole = [&] {
    call();
    if (lent.locked != 0) free(lent.large), rb_jump_tag(lent.raised);
  };
  const auto run = [](void *it) { return (*(decltype(whole) *)it)(), it; };
  while (rb_thread_call_without_gvl2(run, (void *)&whole, RUBY_UBF_IO, NULL) == NULL)
    rb_thread_check_ints();
  if (lent.raised != 0) free(lent.large), rb_jump_tag(lent.raised);
}

/* Memory for bytes is allocated before the call; most lines then need no more. */
template <typename Call>
static void ps_rb_run(ps_rb_host &lent, ps_bytes *, Call call) {
  lent.bytes = rb_str_buf_new(250);
  ps_rb_run(lent, (void *)NULL, call);
}

/* A call without a host does not wait. */
template <typename None, typename Call>
static void ps_rb_run(const None &, void *, Call call) {
  call();
}

/* ---- Arguments ---- */

/* Returns a frozen copy of a string or symbol, or nil. */
static VALUE string_of(VALUE value) {
  if (RB_SYMBOL_P(value)) value = rb_sym2str(value);
  return RB_TYPE_P(value, T_STRING) ? rb_str_new_frozen(value) : Qnil;
}

static void ps_rb_text(VALUE value, const char **text, VALUE *kept, place at) {
  *kept = string_of(value);
  if (NIL_P(*kept) || !rb_enc_asciicompat(rb_enc_get(*kept))) bad(PS_MISUSE_NOTTEXT, at);
  *text = RSTRING_PTR(*kept);
  bad(text_misuse(*text, (size_t)RSTRING_LEN(*kept)), at);
}

static void ps_rb_data(VALUE value, ps_data *data, VALUE *kept, place at) {
  *kept = RB_TYPE_P(value, T_STRING) ? rb_str_new_frozen(value) : Qnil;
  if (NIL_P(*kept)) bad(PS_MISUSE_NOTBYTES, at);
  *data = (ps_data){RSTRING_PTR(*kept), (size_t)RSTRING_LEN(*kept)};
}

/* An integer that does not fit is clamped: every valid range is smaller. */
static int to_integer(VALUE value, long long *integer) {
  if (RB_FLOAT_TYPE_P(value)) return is_whole(RFLOAT_VALUE(value), integer);
  if (!RB_INTEGER_TYPE_P(value)) return 0;
  const int flags = INTEGER_PACK_NATIVE_BYTE_ORDER | INTEGER_PACK_2COMP;
  int sign = rb_integer_pack(value, integer, 1, sizeof *integer, 0, flags);
  if (sign > 1 || (sign == 1 && *integer < 0)) *integer = LLONG_MAX;
  if (sign < -1 || (sign == -1 && *integer >= 0)) *integer = LLONG_MIN;
  return 1;
}

/* An integer that is not less than a limit. */
template <long long least, typename Integer>
static void ps_rb_from(VALUE value, Integer *integer, VALUE *, place at) {
  long long number = 0;
  if (!to_integer(value, &number)) bad(PS_MISUSE_NOTINTEGER, at);
  if (number < least) bad(least == 0 ? PS_MISUSE_COUNT : PS_MISUSE_POSITIVE, at);
  *integer = (Integer)number;
}

static void ps_rb_number(VALUE value, double *number, VALUE *, place at) {
  if (!is_number(value)) bad(PS_MISUSE_NOTNUMBER, at);
  *number = NUM2DBL(value);
}

/* A number for a type in which NaN means "absent": a NaN from the program is misuse. */
static void ps_rb_given(VALUE value, double *number, VALUE *kept, place at) {
  ps_rb_number(value, number, kept, at);
  if (isnan(*number)) bad(PS_MISUSE_NAN, at);
}

static void ps_rb_port(VALUE value, ps_port *port, VALUE *kept, place at) {
  *port = (ps_port){NULL, 0};
  if (RB_TYPE_P(value, T_STRING))
    ps_rb_text(value, &port->service, kept, at);
  else if (!to_integer(value, &port->number))
    bad(PS_MISUSE_NOTPORT, at);
}

static void ps_rb_pattern(VALUE value, ps_pattern *pattern, VALUE *kept, place at) {
  *pattern = PS_COUNT(0);
  if (!NIL_P(*kept = string_of(value)))
    *pattern = ps_pattern_of(RSTRING_PTR(*kept), (size_t)RSTRING_LEN(*kept));
  else if (!to_integer(value, &pattern->count))
    bad(PS_MISUSE_NOTPATTERN, at);
}

static void ps_rb_option(VALUE value, ps_option *option, VALUE *kept, place at) {
  const char *text = NULL;
  *option = (ps_option){PS_NIL, 0, 0, 0, 0, {0}};
  if (value == Qtrue || value == Qfalse) {
    option->type = PS_FLAG;
    option->flag = value == Qtrue;
  } else if (is_number(value)) {
    set_option_number(option, NUM2DBL(value));
    if (RB_INTEGER_TYPE_P(value)) option->integral = to_integer(value, &option->integer);
  } else if (!NIL_P(*kept = string_of(value))) {
    ps_rb_text(value, &text, kept, at);
    bad(set_option_text(option, text, strlen(text)), at);
  } else if (RB_TYPE_P(value, T_HASH)) {
    VALUE on = rb_hash_lookup(value, symbol("on")),
          seconds = rb_hash_lookup(value, symbol("timeout"));
    option->type = on == Qtrue || on == Qfalse ? PS_LINGER : PS_NIL;
    option->flag = on == Qtrue;
    option->number = NAN;
    if (is_number(seconds)) option->number = NUM2DBL(seconds);
  }
}

/* Calls a method of an object; returns nil if it has none. */
static VALUE ask(VALUE object, const char *method) {
  ID name = rb_intern(method);
  return rb_respond_to(object, name) ? rb_funcall(object, name, 0) : Qnil;
}

/* Returns whether an object tells its descriptor, which may be -1. */
static int has_descriptor(VALUE object, int *fd) {
  VALUE answer = ask(object, "getfd");
  if (NIL_P(answer)) answer = ask(object, "fileno");
  *fd = RB_INTEGER_TYPE_P(answer) ? descriptor_of(NUM2DBL(answer)) : -1;
  return RB_INTEGER_TYPE_P(answer);
}

static void ps_rb_source(VALUE value, ps_source *source, VALUE *, place at) {
  *source = (ps_source){is_socket(value) ? socket_of(value) : NULL, -1};
  if (source->socket == NULL && !has_descriptor(value, &source->fd))
    bad(PS_MISUSE_NOTSOURCE, at);
}

/* kept holds a copy of the set, which does not change meanwhile, and the watches. */
static void ps_rb_sockets(VALUE value, ps_sockets *sockets, VALUE *kept, place at) {
  VALUE items = rb_check_array_type(value);
  if (NIL_P(items)) bad(PS_MISUSE_NOTSOCKETS, at);
  items = rb_ary_dup(items);
  size_t count = (size_t)RARRAY_LEN(items);
  VALUE memory = rb_str_buf_new((long)((count + 1) * sizeof(ps_watch)));
  *kept = array_of(items, memory);
  *sockets = (ps_sockets){(ps_watch *)(void *)RSTRING_PTR(memory), 0};
  for (; sockets->count < count; sockets->count++) {
    VALUE item = RARRAY_AREF(items, (long)sockets->count);
    ps_watch watch = {-1, 0, 0, 0, NULL};
    if (is_socket(item))
      watch.socket = socket_of(item);
    else if (has_descriptor(item, &watch.fd) && watch.fd >= 0)
      watch.buffered = (char)RTEST(ask(item, "dirty"));
    sockets->watches[sockets->count] = watch;
  }
}

/* ---- Results ---- */

/* Returns a new object that owns it. With a block, yields it and closes it afterwards. */
static VALUE object_of(VALUE type, const rb_data_type_t *data, void *it) {
  VALUE made = made_or([=] { return rb_data_typed_object_wrap(type, it, data); },
                       [=] { data->function.dfree(it); });
  const auto close = [](VALUE object) {
    return rb_funcall(object, rb_intern("close"), 0);
  };
  return rb_block_given_p() ? rb_ensure(rb_yield, made, close, made) : made;
}

/* Returns the number of a member whose registration the core has ended, or NULL. */
static void *ps_poller_take_ended(ps_poller *poller) {
  void *token;
  return ps_poller_ended(poller, &token) ? token : NULL;
}

static VALUE ps_rb_events(const ps_polled *polled) {
  VALUE made = rb_ary_new();
  for (const ps_event *at = polled->events; at < polled->events + polled->count; at++)
    rb_ary_push(made, array_of(LL2NUM((intptr_t)at->token), text_of(at->events)));
  return made;
}

static VALUE ps_rb_bytes(const ps_bytes *bytes, ps_rb_host *lent, const char *function) {
  VALUE made = lent->bytes;
  const long size = (long)bytes->size;
  const auto drop = [=] { free(lent->large); };
  if (bytes->status.code == PS_ENDED) return drop(), Qnil;
  if (lent->large != NULL)
    made = made_or([=] { return rb_str_new(bytes->data, size); }, drop), drop();
  else
    rb_str_set_len(made, size), rb_str_resize(made, size);
  ps_rb_check(bytes->status, function, made);
  return made;
}

/* The ready members in order; one that is in the set twice is reported once. */
static VALUE ready_of(const ps_sockets *sockets, VALUE kept) {
  VALUE ready = rb_funcall(rb_hash_new(), rb_intern("compare_by_identity"), 0);
  for (size_t i = 0; i < sockets->count; i++)
    if (sockets->watches[i].ready)
      rb_hash_aset(ready, RARRAY_AREF(RARRAY_AREF(kept, 0), (long)i), Qtrue);
  return rb_funcall(ready, rb_intern("keys"), 0);
}

/* The values of values.h: a maker is an array, in which the last value is on top. */
typedef struct maker maker;
static void put(maker *to, VALUE value) { rb_ary_push((VALUE)to, value); }
static VALUE last_of(maker *to) { return rb_ary_entry((VALUE)to, -1); }
static void put_nothing(maker *to) { put(to, Qnil); }
static void put_flag(maker *to, int flag) { put(to, truth_of(flag)); }
static void put_integer(maker *to, long long integer) { put(to, LL2NUM(integer)); }
static void put_number(maker *to, double number) { put(to, DBL2NUM(number)); }
static void put_text(maker *to, const char *text) { put(to, text_of(text)); }
static void open_list(maker *to) { put(to, rb_ary_new()); }
static void open_table(maker *to) { put(to, rb_hash_new()); }
static void as_item(maker *to) {
  VALUE value = rb_ary_pop((VALUE)to);
  rb_ary_push(last_of(to), value);
}
static void as_field(maker *to, const char *name) {
  VALUE value = rb_ary_pop((VALUE)to);
  rb_hash_aset(last_of(to), symbol(name), value);
}

#include "values.h"

/* Returns an array of the values that put makes, and frees the entries in any case. */
template <typename Result>
static VALUE values_of(void (*put)(maker *, const Result *), const Result *result,
                       ps_entry *entries = NULL, ps_entry *others = NULL) {
  const auto drop = [=] { ps_resolved_free(entries), ps_resolved_free(others); };
  VALUE made = rb_ary_new();
  made_or([=] { return put((maker *)made, result), made; }, drop);
  drop();
  return made;
}

#endif
