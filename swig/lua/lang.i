// SPDX-License-Identifier: MIT
// How each type of argument and each kind of result looks in Lua. A typemap is one line that
// calls support.h; nothing is decided here that another language could decide differently.

%{
#include "support.h"
%}

// ---- Arguments. An argument without a default is always on the stack: absent ones were replaced
// ---- by nil. Memory must belong to Lua, because the next argument may raise.

%define %argument(FUNCTION, TYPES...)
%typemap(in) TYPES { $1 = FUNCTION(L, $input, "$symname", $argnum, "$1_name"); }
%enddef
%define %optional(FUNCTION, TYPES...)
%typemap(in) TYPES {
  if (!lua_isnil(L, $input)) $1 = FUNCTION(L, $input, "$symname", $argnum, "$1_name");
}
%enddef

// The userdata is checked first, its pointer is read last: reading arguments may run code that
// frees the object.
%define %class(TYPE, CLASS)
%typemap(in) TYPE (ps_lua_object *object) {
  object = ps_lua_self(L, $input, &CLASS, "$symname");
}
%typemap(check) TYPE { $1 = ps_lua_it(L, object$argnum, "$symname"); }
%enddef
%class(struct ps_socket *, socket_class)
%class(struct ps_poller *, poller_class)
// noblock: the result typemap of ps_bytes needs the host, by this name.
%typemap(in, numinputs=0, noblock=1) ps_host * {
  ps_lua_host lent;
  $1 = ps_lua_lend(&lent, L);
}

%argument(ps_lua_text, ps_name, ps_optionname, ps_kindname, ps_events)
%optional(ps_lua_text, ps_localname, ps_servicename, ps_mode)
%argument(ps_lua_port, ps_port)
%optional(ps_lua_port, ps_localport)
%argument(ps_lua_number, ps_duration)
%optional(ps_lua_given, ps_seconds, ps_moment, ps_age)
%argument(ps_lua_integer, ps_descriptor)
%optional(ps_lua_integer, ps_first, ps_last)
%optional(ps_lua_clamped, ps_backlog)
%optional(ps_lua_count, ps_total)
%optional(ps_lua_positive, ps_maxsize)
%optional(ps_lua_most, ps_most)
%typemap(in) ps_pattern {
  ps_lua_pattern(L, $input, &$1, "$symname", $argnum, "$1_name");
}
%argument(ps_lua_data, ps_data)
%optional(ps_lua_data, ps_prefix)
%argument(ps_lua_option, ps_option)
%typemap(arginit) ps_readables, ps_writables { ps_lua_pad(L); }
%argument(ps_lua_readables, ps_readables)
%argument(ps_lua_writables, ps_writables)
%typemap(check) ps_readables, ps_writables { ps_lua_settle(L, $argnum, &$1); }
%argument(ps_lua_source, ps_source)
%typemap(in) void * { $1 = NULL; } // see poller.h

// ---- Results: each pushes its values and says how many they are.

%define %result(FUNCTION, TYPES...)
%typemap(out) TYPES { SWIG_arg += FUNCTION(L, &$1, "$symname"); }
%enddef

%typemap(out) ps_done, ps_always { SWIG_arg += ps_lua_done(L, $1.status, "$symname"); }
%typemap(out) ps_nothing { SWIG_arg += ps_lua_nothing(L, $1.status, "$symname"); }
%typemap(out) ps_bytes { SWIG_arg += ps_lua_bytes(L, object1, &$1, &lent, "$symname"); }
%typemap(out) ps_ready { SWIG_arg += ps_lua_ready(L, $1.status, &arg1, &arg2, "$symname"); }
%result(ps_lua_object_made, ps_object)
%result(ps_lua_poller_made, ps_pollerobject)
%result(ps_lua_polled, ps_polled)
%result(ps_lua_lines, ps_lines)
%result(ps_lua_sent, ps_sent)
%result(ps_lua_address, ps_address)
%result(ps_lua_value, ps_value)
%result(ps_lua_detached, ps_detached)
%result(ps_lua_hostname, ps_hostname)
%result(ps_lua_resolved, ps_resolved)
%result(ps_lua_addresses, ps_addresses)
%result(ps_lua_names, ps_names)
%typemap(out) ps_stats { SWIG_arg += ps_lua_stats(L, &$1); }
%typemap(out) ps_limits { SWIG_arg += ps_lua_limits(L, &$1); }
%typemap(out) ps_left { SWIG_arg += ps_lua_left(L, &$1); }
%typemap(out) ps_wants { lua_pushstring(L, $1.direction); SWIG_arg++; }
%typemap(out) ps_yes { lua_pushboolean(L, $1.yes); SWIG_arg++; }
%typemap(out) ps_size { push_integer(L, (long long)$1.size); SWIG_arg++; }
%typemap(out) ps_fd { push_integer(L, $1.fd); SWIG_arg++; }
%typemap(out) ps_text { lua_pushstring(L, $1.text); SWIG_arg++; }
%typemap(out) ps_seconds { lua_pushnumber(L, $1); SWIG_arg++; }

// ---- Lua's own protocols; __gc and __close are in module.h.

%rename(__tostring) tostring;
%extend ps_socket {
  ps_text tostring();
}
%extend ps_poller {
  ps_text tostring();
}

// Objects and tokens are kept by the binding.
%{
#define ps_poller_add(poller, source, events, token) poller_add(L, source, events)
#define ps_poller_modify(poller, source, events, token) poller_modify(L, source, events)
#define ps_poller_remove(poller, source) poller_remove(L, source)
#define ps_poller_wait(poller, timeout, max, host) poller_wait(L, timeout, max, host)
#define ps_poller_tostring(poller) poller_text(L)
%}

%init %{
  const ps_lua_methods classes[] = {{&socket_class, close_object, swig_Socket_methods},
                                    {&poller_class, close_poller, swig_Poller_methods},
                                    {NULL, NULL, NULL}};
  ps_lua_open(L, swig_SwigModule_methods, classes);
%}
