/* SPDX-License-Identifier: MIT */
/* See fiber.h. A switch saves the registers that a function must keep, and the pointer of
   the stack. Each machine needs a few lines of assembly here;
   tests/simulate/CMakeLists.txt names those that have them. */

#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "fiber.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define UNPOISON(memory, size) __asan_unpoison_memory_region(memory, size)
#define START_SWITCH(from, to, gone) \
  __sanitizer_start_switch_fiber((gone) ? NULL : &(from)->fake, (to)->stack, (to)->size)
#define FINISH_SWITCH(self) __sanitizer_finish_switch_fiber((self)->fake, NULL, NULL)
#define FIRST_SWITCH(from) \
  __sanitizer_finish_switch_fiber(NULL, &(from)->stack, &(from)->size)
#else
#define UNPOISON(memory, size) ((void)(memory), (void)(size))
#define START_SWITCH(from, to, gone) (void)(gone)
#define FINISH_SWITCH(self)
#define FIRST_SWITCH(from)
#endif

#if defined __x86_64__

void fiber__swap(void **save, void *load);
__asm__(
    ".text\n"
    ".globl fiber__swap\n"
    ".type fiber__swap, @function\n"
    "fiber__swap:\n"
    "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n"
    "  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n"
    "  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n"
    "  popq %r12\n  popq %rbx\n  popq %rbp\n"
    "  ret\n"
    ".size fiber__swap, .-fiber__swap\n");

/* Six registers, the address to go to, and one word: a function begins with the pointer 8
   below a multiple of 16. */
static void *first_frame(void *end, void (*run)(void)) {
  void **top = (void **)end - 8;
  memset(top, 0, 8 * sizeof *top);
  memcpy(top + 6, &run, sizeof run);
  return top;
}

#elif defined __aarch64__

void fiber__swap(void **save, void *load);
__asm__(
    ".text\n"
    ".globl fiber__swap\n"
    ".type fiber__swap, %function\n"
    "fiber__swap:\n"
    "  sub sp, sp, #160\n"
    "  stp x19, x20, [sp]\n  stp x21, x22, [sp, #16]\n  stp x23, x24, [sp, #32]\n"
    "  stp x25, x26, [sp, #48]\n  stp x27, x28, [sp, #64]\n  stp x29, x30, [sp, #80]\n"
    "  stp d8, d9, [sp, #96]\n  stp d10, d11, [sp, #112]\n"
    "  stp d12, d13, [sp, #128]\n  stp d14, d15, [sp, #144]\n"
    "  mov x9, sp\n  str x9, [x0]\n  mov sp, x1\n"
    "  ldp x19, x20, [sp]\n  ldp x21, x22, [sp, #16]\n  ldp x23, x24, [sp, #32]\n"
    "  ldp x25, x26, [sp, #48]\n  ldp x27, x28, [sp, #64]\n  ldp x29, x30, [sp, #80]\n"
    "  ldp d8, d9, [sp, #96]\n  ldp d10, d11, [sp, #112]\n"
    "  ldp d12, d13, [sp, #128]\n  ldp d14, d15, [sp, #144]\n"
    "  add sp, sp, #160\n"
    "  ret\n"
    ".size fiber__swap, .-fiber__swap\n");

static void *first_frame(void *end, void (*run)(void)) {
  void **top = (void **)end - 20;
  memset(top, 0, 20 * sizeof *top);
  memcpy(top + 11, &run, sizeof run); /* x30 */
  return top;
}

#else
#error "no switch of stacks for this machine"
#endif

void *fiber_stack(size_t size) {
  void *made =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (made == MAP_FAILED) abort();
  mprotect(made, 4096, PROT_NONE); /* behind its end */
  return made;
}

void fiber_prepare(fiber_context *made, void *stack, size_t size, void (*run)(void)) {
  char *first = (char *)stack + 4096;
  UNPOISON(first, size - 4096);
  *made =
      (fiber_context){first_frame((char *)stack + size, run), first, size - 4096, NULL};
}

void fiber_switch(fiber_context *from, fiber_context *to, int gone) {
  START_SWITCH(from, to, gone);
  fiber__swap(&from->pointer, to->pointer);
  FINISH_SWITCH(from);
}

void fiber_begin(fiber_context *self, fiber_context *from) {
  (void)self;
  (void)from;
  FIRST_SWITCH(from);
}
