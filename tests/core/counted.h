/* SPDX-License-Identifier: MIT */
/* Included in front of a file of the core: its calls of the C library on bytes are
   counted by test_reader_cost.c. */

#ifndef PS_COUNTED_H
#define PS_COUNTED_H

#define _GNU_SOURCE /* as the file itself */
#include <string.h>

void *counted_memchr(const void *data, int byte, size_t size);
void *counted_memmem(const void *data, size_t size, const void *part, size_t length);
void *counted_memcpy(void *to, const void *from, size_t size);
void *counted_memmove(void *to, const void *from, size_t size);
int counted_memcmp(const void *one, const void *other, size_t size);

#define memchr counted_memchr
#define memmem counted_memmem
/* They may be macros already. */
#undef memcpy
#undef memmove
#define memcpy counted_memcpy
#define memmove counted_memmove
#define memcmp counted_memcmp

#endif
