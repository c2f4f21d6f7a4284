/* SPDX-License-Identifier: MIT */
/* The reader: the read buffer of a connection. It stores received bytes until they are
   taken, and finds the piece in them that a caller wants: a line, a count of bytes, bytes
   up to a delimiter. It is pure: it uses no descriptor, clock, host or thread, and calls
   nothing but the allocator. Only one thread may use it at a time. */

#ifndef PS_READER_H
#define PS_READER_H

#include <stdint.h>

#include "polysock.h"

#ifdef __GNUC__
#pragma GCC visibility push(hidden)
#endif

/* What a caller wants to receive. */
typedef struct ps__wish {
  char kind; /* 'l' line, 'L' line with its end, 'a' all, 'n' count, 'u' until, 'y' any */
  size_t count; /* 'n': bytes after the prefix; 'y': at most so many, SIZE_MAX: all */
  ps_data delimiter; /* 'u': at least one byte */
  ps_prefix prefix;  /* bytes of the caller, with which the result begins */
  size_t limit; /* 'l', 'L', 'a', 'u': most bytes that may follow the prefix, at least 1;
                   SIZE_MAX: no bound */
  int again;    /* the last look was for this wish and returned MORE, and only room and
                   filled were called since. 0 is always correct, 1 is faster for 'u' */
} ps__wish;

/* The verdict of a look. */
enum {
  PS__PIECE,    /* the piece is complete */
  PS__MORE,     /* more bytes are needed */
  PS__OVERSIZED /* the piece is longer than the limit */
};

/* A piece is the first `prefix` bytes of the caller's prefix and the first `raw` bytes of
   the buffer, without their CRs if size < raw. Taking `used` bytes out of the buffer
   removes the piece together with its CRs, and the end of line or delimiter after it. */
typedef struct ps__piece {
  int verdict;
  size_t prefix; /* bytes of the prefix in the piece */
  size_t size;   /* bytes of the buffer in the piece, without dropped CRs */
  size_t raw;    /* the same, with dropped CRs */
  size_t used;
} ps__piece;

/* The buffer is allocated only while it holds bytes, or between room and filled;
   otherwise the pointer is NULL. */
typedef struct ps__reader {
  struct ps__buffer *buffer;
} ps__reader;

/* The buffer holds size bytes from data + head. The other members remember the last
   search: the first `searched` bytes contain no LF (if length is 0), or not the delimiter
   that length and mark identify. */
typedef struct ps__buffer {
  size_t head, size, capacity;
  size_t searched;
  size_t returns, counted; /* CRs in the first `counted` bytes */
  size_t length,
      match; /* delimiter: the searched bytes end with its first `match` bytes */
  uint64_t mark;
  size_t *borders; /* failure function of a long delimiter, or NULL */
  char data[];
} ps__buffer;

/* The number of bytes in the buffer, and a pointer to the first. */
static inline size_t ps__reader_size(const ps__reader *self) {
  return self->buffer == NULL ? 0 : self->buffer->size;
}
static inline const char *ps__reader_data(const ps__reader *self) {
  return self->buffer == NULL ? NULL : self->buffer->data + self->buffer->head;
}

/* Fast path for a line at the front of an existing buffer: finds it if it is complete,
   was not searched for before, and has no CR except one at its end. Sets size, raw and
   used, and returns whether it found the line; if not, look may still find it. */
int ps__reader_line(const ps__reader *self, ps__piece *piece);

/* A line may have this many CRs, whatever its limit. The tests of the reader set it to 0.
 */
#ifndef PS__RETURNS
#define PS__RETURNS 65536
#endif

/* Looks for the piece that the wish describes.

   The total time of all looks is proportional to the number of received bytes, even if
   they arrive in small parts: bytes that were searched without a result are not searched
   again, also not in a later call, until a wish searches for something else. Unless
   `again` is set or the delimiter is short, a look also takes time in proportion to the
   length of the delimiter.

   With MORE, size, raw and used are 0. With OVERSIZED, used == raw and the piece has
   exactly `limit` bytes, without dropped CRs. It has fewer bytes if the line has more CRs
   than PS__RETURNS and more than limit and prefix together have bytes, so that a peer
   cannot fill the memory with CRs.

   *code is PS_OK, or PS_NOMEMORY when the search for a delimiter of more than 64 bytes
   needs memory and there is none; then the verdict is MORE, and no byte is lost. */
ps__piece ps__reader_look(ps__reader *self, const ps__wish *wish, short *code);

/* Returns the bound for ps__reader_room: with more bytes than this in the buffer, a look
   does not return MORE. SIZE_MAX: there is no bound. */
size_t ps__reader_bound(const ps__wish *wish);

/* Returns the incomplete piece, for the partial result of a failure: all bytes of the
   buffer. If ended, no more bytes will come: the verdict is OVERSIZED for more than
   `limit` bytes, as in look, otherwise MORE. If not ended, it has at most limit - 1
   bytes, so that the partial can be passed again as a prefix. */
ps__piece ps__reader_rest(const ps__reader *self, const ps__wish *wish, int ended);

/* Copies the `size` bytes of a piece, which are the first `raw` bytes at data without
   their CRs if size < raw. */
void ps__reader_copy(char *to, const char *data, size_t size, size_t raw);

/* Drops the CRs of a piece in place, so that its bytes are contiguous: then size == raw,
   and used is reduced by the number of dropped CRs. Moves the smaller side of the buffer.
 */
ps__piece ps__reader_flatten(ps__reader *self, ps__piece piece);

/* Returns free memory of *size bytes after the bytes of the buffer: `want` bytes or more,
   minus the bytes in the buffer if those are at most want / 2; at least one byte when
   memory is short. The bytes of the buffer may move. The buffer grows by doubling, but
   its capacity exceeds `bound` (SIZE_MAX: none) by at most `want`. Returns NULL without
   memory; the bytes of the buffer are unchanged then. */
char *ps__reader_room(ps__reader *self, size_t want, size_t bound, size_t *size);

/* Drops all bytes and frees the buffer. */
void ps__reader_clear(ps__reader *self);

/* Adds count bytes that were written into the memory of room; count may be 0. */
static inline void ps__reader_filled(ps__reader *self, size_t count) {
  self->buffer->size += count;
  if (self->buffer->size == 0) ps__reader_clear(self);
}

/* The slow path of take: no bytes are left, or a search is remembered. */
void ps__reader_take_rest(ps__reader *self, size_t count, int keep);

/* Removes bytes from the front. The memory of an empty buffer is freed; if keep is set,
   only at the next room, take or clear. */
static inline void ps__reader_take(ps__reader *self, size_t count, int keep) {
  ps__buffer *buffer = self->buffer;
  if (buffer == NULL) return;
  if (count == buffer->size || buffer->searched > 0 || buffer->counted > 0) {
    ps__reader_take_rest(self, count, keep);
  } else {
    buffer->head += count;
    buffer->size -= count;
  }
}

/* Inserts bytes at the front. Returns PS_OK, or PS_NOMEMORY without any change. */
short ps__reader_unread(ps__reader *self, const char *data, size_t size);

/* Returns the buffer to a caller whose view points into it, and continues with a copy of
   the bytes that were not taken. The caller frees the old buffer with ps__os_realloc and
   size 0. Returns NULL when there was no buffer, or without memory (PS_NOMEMORY in
   *code). */
ps__buffer *ps__reader_split(ps__reader *self, short *code);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
