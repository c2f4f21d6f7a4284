/* SPDX-License-Identifier: MIT */
/* What the typemaps of lang.i call, by file:

     arguments.h      values out of the stack
     sets.h           the sets of select
     poller.h         the members of a poller
     results.h        values onto the stack
     module.h         loading, the metatable
     luasocket.h      the classes of polysock.luasocket
     object.h         the userdata, misuse, collection
     host.h           signals, protected calls, memory that is lent
     large_strings.h  strings that are made where their bytes are
     compat.h         the versions of Lua

   Nothing here makes a system call or keeps anything between calls but what is in the Lua
   registry. A function that raises has allocated nothing that Lua does not collect. */

#ifndef PS_LUA_SUPPORT_H
#define PS_LUA_SUPPORT_H

/* LuaSocket ignores arguments that are too many, and so does this; one that is missed
   becomes nil, and is then misuse like any other. */
#undef SWIG_check_num_args
#define SWIG_check_num_args(name, least, most) \
  if (lua_gettop(L) < (least)) lua_settop(L, least);

#include "arguments.h"
#include "module.h"

#endif
