// SPDX-License-Identifier: MIT
// How each type of argument and each kind of result looks in Ruby. A typemap is one line that
// calls support.h; nothing is decided here that another language could decide differently. The
// wrapper is C++, because only a lambda can carry any call to where the global lock is released.

%{
#include "support.h"

// The name of a wrapper: $symname is another name in some typemaps of Ruby.
#define ps_rb_here (__func__ + sizeof "_wrap")
#define ps_rb_at(number, name) (place){ps_rb_here, number, name}

// A call with a host may wait and runs without the lock; in others lent is this constant.
static const struct {} lent = {};
%}
%exception %{ ps_rb_run(lent, &result, [&] { $action }); %}

// ---- Arguments. Functions of support.h raise misuse. kept holds a Ruby object during the call. A
// ---- missing argument is nil, and then misuse in the same words as in other languages.

%define %optional(FUNCTION, TYPES...)
%typemap(arginit, noblock=1) TYPES { VALUE kept$argnum; kept$argnum = Qnil; }
%typemap(in) TYPES {
  if (!NIL_P($input)) FUNCTION($input, &$1, &kept$argnum, ps_rb_at($argnum, "$1_name"));
}
%typemap(freearg) TYPES { RB_GC_GUARD(kept$argnum); }
%enddef
%define %argument(FUNCTION, TYPES...)
%optional(FUNCTION, TYPES)
%typemap(in) TYPES { FUNCTION($input, &$1, &kept$argnum, ps_rb_at($argnum, "$1_name")); }
%typemap(default) TYPES ""
%typemap(check) TYPES {
  if (argc < $argnum - is_method(ps_rb_here))
    FUNCTION(Qnil, &$1, &kept$argnum, ps_rb_at($argnum, "$1_name"));
}
%enddef

%typemap(in) struct ps_socket *, ps_socket * "$1 = socket_of(self);"
%typemap(in) struct ps_poller *, ps_poller * "$1 = (ps_poller *)rb_check_typeddata(self, &poller_type);"
// noblock: ps_rb_run and the result typemap of ps_bytes need the host, by this name.
%typemap(in, numinputs=0, noblock=1) ps_host * {
  ps_rb_host lent;
  $1 = ps_rb_lend(&lent);
}

%argument(ps_rb_text, ps_name, ps_optionname, ps_kindname, ps_events)
%optional(ps_rb_text, ps_localname, ps_servicename, ps_mode)
%argument(ps_rb_port, ps_port)
%optional(ps_rb_port, ps_localport)
%argument(ps_rb_number, ps_duration)
%optional(ps_rb_given, ps_seconds, ps_moment, ps_age)
%argument(ps_rb_from<LLONG_MIN>, ps_descriptor)
%optional(ps_rb_from<LLONG_MIN>, ps_first, ps_last, ps_backlog)
%optional(ps_rb_from<0>, ps_total)
%optional(ps_rb_from<1>, ps_maxsize, ps_most)
%optional(ps_rb_pattern, ps_pattern)
%argument(ps_rb_data, ps_data)
%optional(ps_rb_data, ps_prefix)
%argument(ps_rb_option, ps_option)
%optional(ps_rb_sockets, ps_readables, ps_writables)
%typemap(default) ps_readables, ps_writables "$1 = ps_sockets();"
%argument(ps_rb_source, ps_source)
%typemap(in) void * "$1 = (void *)NUM2LL($input);" // see class Poller in polysock.rb

// ---- Results.

%define %result(VALUE, TYPES...)
%typemap(out) TYPES { ps_rb_check($1.status, ps_rb_here); $result = VALUE; }
%enddef

%result(INT2FIX(1), ps_done, ps_always)
%result(Qnil, ps_nothing, ps_lines)
%result(object_of(*socket_class, &socket_type, $1.socket), ps_object)
%result(object_of(*poller_class, &poller_type, $1.poller), ps_pollerobject)
%result(INT2NUM($1.fd), ps_detached)
%result(text_of($1.text), ps_hostname)
%result(rb_ary_entry(values_of(put_option, &$1.value), 0), ps_value)
%result(array_of(text_of($1.ip), INT2FIX($1.port), text_of($1.family)), ps_address)
%result(ps_rb_events(&$1), ps_polled)
// A look-up that fails has no entries, so nothing is left to free.
%result(values_of(put_resolved, &$1, $1.aliases, $1.ips), ps_resolved)
%result(rb_ary_entry(values_of(put_addresses, &$1, $1.entries), 0), ps_addresses)
%result(values_of(put_names, &$1, $1.names), ps_names)
%typemap(out) ps_sent {
  $result = LL2NUM($1.last);
  ps_rb_check($1.status, ps_rb_here, $result);
}
%typemap(out) ps_bytes { $result = ps_rb_bytes(&$1, &lent, ps_rb_here); }
%typemap(out) ps_ready {
  $result = array_of(ready_of(&arg1, kept1), ready_of(&arg2, kept2),
                     $1.status.code != PS_OK ? words_of($1.status) : Qnil);
}
%typemap(out) ps_stats "$result = array_of(LL2NUM($1.received), LL2NUM($1.sent), DBL2NUM($1.age));"
%typemap(out) ps_limits "$result = array_of(DBL2NUM($1.block), DBL2NUM($1.total));"
%typemap(out) ps_left "$result = isinf($1.seconds) ? Qnil : DBL2NUM($1.seconds);"
%typemap(out) ps_wants "$result = $1.direction == NULL ? Qnil : text_of($1.direction);"
%typemap(out) ps_yes "$result = truth_of($1.yes);"
%typemap(out) ps_size "$result = SIZET2NUM($1.size);"
%typemap(out) ps_fd "$result = INT2NUM($1.fd);"
%typemap(out) ps_text "$result = text_of($1.text);"
%typemap(out) ps_seconds "$result = DBL2NUM($1);"

// ---- Methods of Ruby's protocols, and those that polysock.rb builds upon.

%rename(to_s) tostring;
%rename(next_piece) next;
%extend ps_socket {
  ps_text tostring();
  ps_text getkind();
  ps_bytes next(ps_pattern pattern, ps_maxsize maxsize, ps_host *host);
}
%extend ps_poller {
  ps_done ready(ps_source sock);
  void *take_ended();
  ps_token token(ps_source sock);
}
%typemap(out) void * "$result = $1 != NULL ? LL2NUM((intptr_t)$1) : Qnil;"
%typemap(out) ps_token "$result = $1.status.code == PS_OK ? LL2NUM((intptr_t)$1.token) : Qnil;"

%init %{
  polysock = mPolysock;
  socket_class = &SwigClassSocket.klass;
  poller_class = &SwigClassPoller.klass;
%}
