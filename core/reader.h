/* SPDX-License-Identifier: MIT */
/* The reader: bytes come in, pieces go out. It holds what was received and not yet taken,
   and finds in it what a caller asks for. It is pure: it knows no descriptor, clock, host
   or thread, and calls nothing but the allocator. One caller at a time. */

#ifndef PS_READER_H
#define PS_READER_H

#include <stdint.h>

#include "polysock.h"

/* What a caller asks for. */
typedef struct ps__wish {
  char kind; /* 'l' line, 'L' line with its end, 'a' all, 'n' count, 'u' until, 'y' any */
  size_t count; /* 'n': bytes behind the prefix; 'y': at most so many, SIZE_MAX: all */
  ps_data delimiter; /* 'u': at least one byte */
  ps_prefix prefix;  /* bytes of the caller in front of the result */
  size_t limit; /* 'l', 'L', 'a', 'u': most bytes that may follow the prefix, at least
                   1; SIZE_MAX: any number */
  int again; /* the look before was for this wish, answered MORE, and only room and filled
                were called since; 0 is always right, 1 is faster for 'u' */
} ps__wish;

/* What the reader answers. */
enum {
  PS__PIECE,    /* the piece is complete */
  PS__MORE,     /* more bytes are needed */
  PS__OVERSIZED /* the piece is longer than the limit */
};

/* A piece is the first `prefix` bytes of the caller's prefix and the first `raw` bytes of
   the buffer, without their CRs if size < raw. Taking `used` bytes out of the buffer
   takes the piece, and the CRs, the end of the line or the delimiter behind it. */
typedef struct ps__piece {
  int verdict;
  size_t prefix; /* bytes of the prefix in the piece */
  size_t size;   /* bytes of the buffer in the piece, dropped CRs not counted */
  size_t raw;    /* the same, dropped CRs counted */
  size_t used;
} ps__piece;

/* An idle reader is one NULL pointer; the buffer exists only while it holds bytes, or
   between room and filled. */
typedef struct ps__reader {
  struct ps__buffer *buffer;
} ps__reader;

/* size bytes from data + head are there. The rest is what look remembers: the first
   `searched` of them hold no LF (length is 0), or no delimiter of this length, mark. */
typedef struct ps__buffer {
  size_t head, size, capacity;
  size_t searched;
  size_t returns, counted; /* CRs in the first `counted` bytes */
  size_t length, match;    /* delimiter: its first `match` bytes end what was searched */
  uint64_t mark;
  size_t *borders; /* of a long delimiter, or NULL */
  char data[];
} ps__buffer;

/* How many bytes are in the buffer, and the first of them. */
static inline size_t ps__reader_size(const ps__reader *self) {
  return self->buffer == NULL ? 0 : self->buffer->size;
}
static inline const char *ps__reader_data(const ps__reader *self) {
  return self->buffer == NULL ? NULL : self->buffer->data + self->buffer->head;
}

/* Finds the line at the front of a buffer that is there, when that takes a few
   instructions: it is complete, was not looked for before, and has no CR but one at its
   end. Sets size, raw and used. Returns whether it did; if not, look may find it. */
int ps__reader_line(const ps__reader *self, ps__piece *piece);

/* CRs that a line may have whatever its limit. The tests of the reader allow none. */
#ifndef PS__RETURNS
#define PS__RETURNS 65536
#endif

/* Looks for the piece that the wish describes.

   The time of all looks together is proportional to the bytes that came in, however small
   their portions: what a look has searched in vain is remembered, also across calls,
   until a wish searches for something else. A look for a delimiter also takes time for
   the delimiter, and at most as much for the end of the prefix, unless the wish says
   `again` or the delimiter is short.

   MORE has size, raw and used 0. OVERSIZED has used == raw and a piece of exactly `limit`
   bytes, where a CR that is dropped is no byte. It has fewer bytes if more CRs came than
   PS__RETURNS and than the limit and the prefix have bytes: a peer cannot fill memory
   with CRs.

   *code is PS_OK, or PS_NOMEMORY when a delimiter of more than 64 bytes needs memory to
   be searched for and there is none; the verdict is MORE then, and no byte is lost. */
ps__piece ps__reader_look(ps__reader *self, const ps__wish *wish, short *code);

/* The bound for ps__reader_room: a look that finds more bytes than this in the buffer
   does not answer MORE. SIZE_MAX: there is none. */
size_t ps__reader_bound(const ps__wish *wish);

/* What there is of a piece that is not complete: all bytes of the buffer, as the partial
   result of a failure. ended: no more bytes will come; then more than `limit` bytes are
   OVERSIZED, as in look, and anything else is MORE. Not ended: at most limit - 1 bytes,
   so that the partial can be passed back as a prefix. */
ps__piece ps__reader_rest(const ps__reader *self, const ps__wish *wish, int ended);

/* Copies the `size` bytes of a piece, which are the first `raw` bytes at data without
   their CRs if size < raw. */
void ps__reader_copy(char *to, const char *data, size_t size, size_t raw);

/* Drops the CRs of a piece in place, so that its bytes are contiguous: size == raw then,
   and used is less by the CRs dropped. The smaller side of the buffer moves. */
ps__piece ps__reader_flatten(ps__reader *self, ps__piece piece);

/* Gives memory behind the bytes that are there, *size bytes: `want` or more, less those
   that are there already if they are at most half of it, or at least one when memory is
   short. The bytes may move. The buffer grows by doubling, but its capacity passes
   `bound` (SIZE_MAX: none) by no more than `want`. NULL: no memory; the bytes of the
   buffer are as they were. */
char *ps__reader_room(ps__reader *self, size_t want, size_t bound, size_t *size);

/* count bytes were written into the memory of room; 0 is fine. */
void ps__reader_filled(ps__reader *self, size_t count);

/* What take does when nothing is left, or something is remembered. */
void ps__reader_take_rest(ps__reader *self, size_t count, int keep);

/* Takes bytes from the front. An empty buffer gives its memory back, unless keep: then
   the memory stays until the next room, take or clear. */
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

/* Puts bytes of other memory back in front. Returns PS_OK or PS_NOMEMORY, and then
   nothing has changed. */
short ps__reader_unread(ps__reader *self, const char *data, size_t size);

/* Gives the buffer away, for a caller whose view points into it, and goes on with a copy
   of the bytes that are not taken. Returns the old buffer, to be freed with
   ps__os_realloc and size 0; NULL when there was none, or, with PS_NOMEMORY in *code, no
   memory. */
ps__buffer *ps__reader_split(ps__reader *self, short *code);

/* Drops all bytes and frees the buffer. */
void ps__reader_clear(ps__reader *self);

#endif
