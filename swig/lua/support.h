/* SPDX-License-Identifier: MIT */
/* The functions that the typemaps of lang.i call, by file:

     arguments.h      read arguments from the stack
     sets.h           the sets of select
     poller.h         the members of a poller
     results.h        push results
     module.h         loading, the metatables
     luasocket.h      the classes of polysock.luasocket
     object.h         the userdata, misuse, garbage collection
     host.h           signals, protected calls, memory for large results
     large_strings.h  Lua strings without a copy
     compat.h         the versions of Lua

   Nothing here makes a system call, and all state is in the Lua registry. A function that
   raises must not have allocated memory that Lua does not collect. */

#ifndef PS_LUA_SUPPORT_H
#define PS_LUA_SUPPORT_H

/* As in LuaSocket, surplus arguments are ignored. A missing argument becomes nil, and is
   then misuse like any other invalid value. */
#undef SWIG_check_num_args
#define SWIG_check_num_args(name, least, most) \
  if (lua_gettop(L) < (least)) lua_settop(L, least);

#include "arguments.h"
#include "module.h"

#endif
