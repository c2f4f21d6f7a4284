// SPDX-License-Identifier: MIT
// How each type of argument and each kind of result looks in Python. A typemap is one line that
// calls support.h; nothing is decided here that another language could decide differently.

// SWIG's own module and class are not used (see module.h), so they are not exported. Some versions
// of SWIG generate code for them that causes warnings.
%begin %{
#define SWIGEXPORT static __attribute__((unused))
#ifdef __GNUC__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
%}
%{
#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif
#include "support.h"
%}
%wrapper %{
#include "module.h"
#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
%}

// ---- Arguments. The functions of support.h return 0 when an exception is set.

%define %argument(FUNCTION, TYPES...)
%typemap(in) TYPES {
  if (!FUNCTION($input, &$1, ps_py_at("$symname", $argnum, "$1_name"))) SWIG_fail;
}
%enddef
%define %optional(FUNCTION, TYPES...)
%typemap(in) TYPES {
  if ($input != Py_None &&
      !FUNCTION($input, &$1, ps_py_at("$symname", $argnum, "$1_name"))) SWIG_fail;
}
%enddef

// The interpreter has checked that self is an instance.
%typemap(in) ps_socket *, struct ps_socket * "$1 = socket_of(self);"
%typemap(in) ps_poller *, struct ps_poller * "$1 = poller_of(self);"
// noblock: the result typemap of ps_bytes needs the host, by this name.
%typemap(in, numinputs=0, noblock=1) ps_host * {
  ps_py_host lent;
  $1 = ps_py_lend(&lent);
}

%argument(ps_py_name, ps_name)
%optional(ps_py_name, ps_localname)
%argument(ps_py_text, ps_optionname, ps_kindname, ps_events)
%optional(ps_py_text, ps_servicename)
%optional(ps_py_mode, ps_mode)
%argument(ps_py_port, ps_port)
%optional(ps_py_port, ps_localport)
%argument(ps_py_number, ps_duration)
%optional(ps_py_number, ps_seconds, ps_moment)
%optional(ps_py_given, ps_age)
%argument(ps_py_integer, ps_descriptor)
%optional(ps_py_integer, ps_first, ps_last, ps_backlog)
%optional(ps_py_count, ps_total)
%optional(ps_py_positive, ps_maxsize)
%optional(ps_py_most, ps_most)
%optional(ps_py_pattern, ps_pattern)
%argument(ps_py_option, ps_option)

// Arguments that keep a Python object during the call.
%define %buffer(TYPE, FLAGS, CODE, CONDITION)
%typemap(in) TYPE (Py_buffer view = {0}) {
  if (CONDITION !ps_py_buffer($input, &view, FLAGS, CODE,
                              ps_py_at("$symname", $argnum, "$1_name"))) SWIG_fail;
  if (view.obj != NULL) { $1.data = view.buf; $1.size = (size_t)view.len; }
}
%typemap(freearg) TYPE { if (view$argnum.obj != NULL) PyBuffer_Release(&view$argnum); }
%enddef
%buffer(ps_data, PyBUF_SIMPLE, PS_MISUSE_NOTBYTES, )
%buffer(ps_prefix, PyBUF_SIMPLE, PS_MISUSE_NOTBYTES, $input != Py_None &&)
%buffer(ps_room, PyBUF_WRITABLE, PS_MISUSE_NOTBUFFER, )

%define %sockets(TYPE)
%typemap(arginit) TYPE { $1 = (ps_sockets){NULL, 0}; }
%typemap(in) TYPE (PyObject *items = NULL) {
  if (!ps_py_sockets(self, $input, &$1, &items, ps_py_at("$symname", $argnum, "$1_name"))) SWIG_fail;
}
%typemap(freearg) TYPE { Py_XDECREF(items$argnum); PyMem_Free($1.watches); }
%enddef
%sockets(ps_readables)
%sockets(ps_writables)

// The poller also keeps a reference to the object.
%typemap(in) ps_source (PyObject *member) {
  (void)(member = $input);
  if (!ps_py_source(self, $input, &$1, ps_py_at("$symname", $argnum, "$1_name"))) SWIG_fail;
}
%typemap(in) void * "$1 = $input == Py_None ? NULL : $input;"

// ---- Results. self is the object of a method or the module of a function; it determines whether
// ---- failures are tuples or exceptions.

%define %result(FUNCTION, TYPES...)
%typemap(out) TYPES {
  $result = FUNCTION(self, &$1, "$symname");
  if ($result == NULL) SWIG_fail;
}
%enddef

%result(ps_py_done, ps_done)
%result(ps_py_always, ps_always)
%result(ps_py_nothing, ps_nothing)
%result(ps_py_object, ps_object)
%result(ps_py_poller, ps_pollerobject)
%result(ps_py_polled, ps_polled)
%typemap(out) ps_bytes {
  $result = ps_py_bytes(self, &$1, &lent, "$symname");
  if ($result == NULL) SWIG_fail;
}
%result(ps_py_lines, ps_lines)
%result(ps_py_sent, ps_sent)
%result(ps_py_filled, ps_filled)
%result(ps_py_address, ps_address)
%result(ps_py_value, ps_value)
%result(ps_py_detached, ps_detached)
%result(ps_py_hostname, ps_hostname)
%result(ps_py_resolved, ps_resolved)
%result(ps_py_addresses, ps_addresses)
%result(ps_py_names, ps_names)
%typemap(out) ps_ready {
  $result = ps_py_ready(self, &$1, &arg1, items1, &arg2, items2, "$symname");
  if ($result == NULL) SWIG_fail;
}
%typemap(out) ps_stats { $result = Py_BuildValue("LLd", $1.received, $1.sent, $1.age); }
%typemap(out) ps_limits { $result = Py_BuildValue("dd", $1.block, $1.total); }
%typemap(out) ps_left { $result = ps_py_left(&$1); }
%typemap(out) ps_wants { $result = ps_py_wants(&$1); }
%typemap(out) ps_yes { $result = PyBool_FromLong($1.yes); }
%typemap(out) ps_size { $result = PyLong_FromSize_t($1.size); }
%typemap(out) ps_fd { $result = PyLong_FromLong($1.fd); }
%typemap(out) ps_text { $result = PyUnicode_FromString($1.text); }
%typemap(out) ps_seconds { $result = PyFloat_FromDouble($1); }

// ---- Methods of Python's protocols; protocols that are slots are in classes.h.

%extend ps_socket {
%feature("docstring")
"The kind of the object: 'master', 'client' or 'server'.";
const ps_text kind;

%feature("docstring")
"Returns the file descriptor as getfd does, but raises ValueError when there is none, as Python's
event loops expect.";
ps_fileno fileno();

%feature("docstring")
"Reads from a client into the first nbytes of a writable buffer, or all of it if nbytes is absent.

Returns the number of bytes in the buffer; a failure carries it, too. No bytes object is
created. Fails with 'timeout', 'closed' or the system's reason.";
ps_filled receiveinto(ps_room buffer, ps_total nbytes, ps_host *host);

%feature("docstring")
"Returns the object itself; the end of the block closes it.";
ps_itself __enter__();

%feature("docstring")
"Closes the object. An exception propagates.";
ps_left_block __exit__(ps_anything type, ps_anything value, ps_anything traceback,
                       ps_host *host);
}

%extend ps_poller {
%feature("docstring")
"Returns the file descriptor as getfd does, but raises ValueError when there is none, as Python's
event loops expect.";
ps_fileno fileno();

%feature("docstring")
"Returns the poller itself; the end of the block closes it.";
ps_itself __enter__();

%feature("docstring")
"Closes the poller. An exception propagates.";
ps_left_block __exit__(ps_anything type, ps_anything value, ps_anything traceback);
}

// Objects and tokens are kept by the binding.
%{
#define ps_poller_add(poller, source, events, token) \
  poller_add(self, member2, source, events, token)
#define ps_poller_modify(poller, source, events, token) \
  poller_modify(self, source, events, token)
#define ps_poller_remove(poller, source) poller_remove(self, source)
#define ps_poller_wait(poller, timeout, max, host) poller_wait(self, timeout, max, host)
#define ps_poller_close(poller) poller_close(self)
#define ps_poller_fileno ps_poller_getfd
#define ps_poller___enter__(poller) ((void *)(poller))
#define ps_poller___exit__(poller, type, value, traceback) poller_close(self)
%}

// Types and typemaps of these protocols.
%{
typedef void *ps_itself;
typedef ps_always ps_left_block;
typedef ps_fd ps_fileno;
typedef PyObject *ps_anything;
#define ps_socket_kind_get ps_socket_getkind
#define ps_socket_fileno ps_socket_getfd
#define ps_socket___enter__(self) (self)
#define ps_socket___exit__(self, type, value, traceback, host) ps_socket_close(self, host)
%}
%typemap(in) ps_anything { $1 = $input; }
%typemap(out) ps_itself { (void)$1; Py_INCREF(self); $result = self; }
%typemap(out) ps_left_block { (void)$1; $result = Py_NewRef(Py_False); }
%typemap(out) ps_fileno {
  $result = ps_py_fileno($1);
  if ($result == NULL) SWIG_fail;
}
