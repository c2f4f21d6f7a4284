/* SPDX-License-Identifier: MIT */
/* What a rock of type builtin needs besides the core and the wrapper, because its
   rockspec can neither compare versions nor pass an option to the linker: CMakeLists.txt
   does both itself. */

#define _GNU_SOURCE /* dladdr */
#include <dlfcn.h>
#include <lua.h>
#include <stddef.h>

#if LUA_VERSION_NUM < 504
#error "polysock needs Lua 5.4 or newer: luarocks --lua-version 5.4 make"
#endif

/* Keeps the module in memory when Lua unloads it: an abandoned look-up goes on in its
   helper thread. It is what -z nodelete does. */
__attribute__((constructor)) static void stay(void) {
  static const char here;
  Dl_info module;
  if (dladdr(&here, &module) != 0)
    (void)dlopen(module.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}
