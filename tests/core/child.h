/* SPDX-License-Identifier: MIT */
/* For tests that fork. */

#ifndef CHILD_H
#define CHILD_H

#include <sys/wait.h>
#include <unistd.h>

/* In a child, which cannot use cmocka. */
#define check(condition) \
  if (!(condition)) _exit(__LINE__ % 255 + 1)

/* The line in which a child failed, at least its last digits; 0: none did. */
#define expect_success(child)                                    \
  do {                                                           \
    int child_status = -1;                                       \
    assert_int_equal(waitpid(child, &child_status, 0), (child)); \
    assert_true(WIFEXITED(child_status));                        \
    assert_int_equal(WEXITSTATUS(child_status), 0);              \
  } while (0)

/* The allocator of AddressSanitizer may be locked for ever in the child of a process
   whose other threads allocate. */
#if defined __SANITIZE_ADDRESS__
#define ALLOCATOR_FORKS 0
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define ALLOCATOR_FORKS 0
#endif
#endif
#ifndef ALLOCATOR_FORKS
#define ALLOCATOR_FORKS 1
#endif

#endif
