/* SPDX-License-Identifier: MIT */
/* The meaning of error numbers, for all systems. On Windows the numbers are those of
   errno.h, too: os_windows.c translates those of Winsock. */

#include <errno.h>
#include <stddef.h>

#include "os_parts.h"

int ps__os_again(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINPROGRESS;
}

int ps__os_signalled(int error) { return error == EINTR; }

int ps__os_sendonly(int error) { return error == EPIPE; }

short ps__os_code(int error) {
  switch (error) {
    case 0:
      return PS_OK;
#define PS_ERRNO(number, code) \
  case number:                 \
    return code;
#define PS_ERRNO_WORDS(number, words)
#include "errno.def"
#undef PS_ERRNO
#undef PS_ERRNO_WORDS
    default:
      return PS_SYSTEM;
  }
}

/* Returns NULL for a number that is not in errno.def. */
static const char *own_words(int error) {
  switch (error) {
#define PS_ERRNO(number, code)
#define PS_ERRNO_WORDS(number, words) \
  case number:                        \
    return words;
#include "errno.def"
#undef PS_ERRNO
#undef PS_ERRNO_WORDS
    default:
      return NULL;
  }
}

const char *ps__os_words(int error, char *buffer, size_t size) {
  const char *words = own_words(error);
  if (words == NULL) words = ps__os_library_words(error, buffer, size);
  return words != NULL ? words : "unknown error";
}
