// SPDX-License-Identifier: MIT
// The result kinds and argument types of the interface. How each looks in a language is defined in
// lang.i of that language, which the include path selects. This file has the parts that all
// languages share, and makes a missing type an error of the build.

%{
#include <math.h>

#include "polysock.h"
%}

// Names lose the prefix of the core. The names of classes begin with a capital letter, and so do the
// names of the wrappers of their methods; by this the bindings distinguish methods from functions.
%rename("%(strip:[ps_])s") "";
%rename(Socket) ps_socket;
%rename(Poller) ps_poller;
%nodefaultctor ps_socket;
%nodefaultctor ps_poller;

// A result or an argument of a type without a typemap in lang.i is an error of the build.
%define %untyped(TYPE)
%typemap(out) TYPE %{
%#error "$symname returns a type that is no result kind: see swig/kinds.i"
%}
%typemap(in) TYPE %{
%#error "$symname takes a type that is no argument type: see swig/kinds.i"
%}
%enddef
%untyped(SWIGTYPE)
%untyped(SWIGTYPE *)
%untyped(bool)
%untyped(char)
%untyped(char *)
%untyped(const char *)
%untyped(short)
%untyped(int)
%untyped(unsigned int)
%untyped(long)
%untyped(unsigned long)
%untyped(long long)
%untyped(unsigned long long)
%untyped(size_t)
%untyped(float)
%untyped(double)

// Argument types. Those with a default may be absent; nil or None is absent, too. void * is a token:
// any value of the language, which is returned unchanged.
typedef const char *ps_name;
typedef const char *ps_localname;
typedef const char *ps_servicename;
typedef const char *ps_optionname;
typedef const char *ps_kindname;
typedef const char *ps_mode;
typedef double ps_duration;
typedef double ps_seconds;
typedef double ps_moment;
typedef double ps_age;
typedef long long ps_total;
typedef long long ps_first;
typedef long long ps_last;
typedef long long ps_backlog;
typedef long long ps_descriptor;
typedef unsigned long long ps_maxsize;
typedef const char *ps_events;
typedef long long ps_most;

%typemap(default) ps_localname, ps_servicename, ps_mode, void * "$1 = NULL;"
%typemap(default) ps_localport "$1 = (ps_localport){NULL, 0};"
%typemap(default) ps_pattern "$1 = PS_LINE;"
%typemap(default) ps_prefix "$1 = (ps_prefix){NULL, 0};"
%typemap(default) ps_maxsize, ps_most "$1 = 0;"
%typemap(default) ps_first "$1 = 1;"
%typemap(default) ps_last "$1 = -1;"
%typemap(default) ps_backlog "$1 = 32;"
%typemap(default) ps_total, ps_seconds "$1 = -1;"
%typemap(default) ps_moment "$1 = INFINITY;"
%typemap(default) ps_age "$1 = NAN;"
%typemap(default) ps_option "$1 = (ps_option){PS_NIL, 0, 0, 0, 0, {0}};"
