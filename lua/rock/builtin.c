/* SPDX-License-Identifier: MIT */
/* An additional source file of the rock of a release (type builtin), whose rockspec
   cannot pass an option to the linker. In other builds CMakeLists.txt does. */

#define _GNU_SOURCE /* dladdr */
#include <dlfcn.h>
#include <stddef.h>

/* Keeps the module in memory when Lua unloads it, as -z nodelete does: a helper thread
   may still be resolving a name. */
__attribute__((constructor)) static void stay(void) {
  static const char here;
  Dl_info module;
  if (dladdr(&here, &module) != 0)
    (void)dlopen(module.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}
