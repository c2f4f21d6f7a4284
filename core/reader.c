/* SPDX-License-Identifier: MIT */
/* The reader: the read buffer, and the search for a piece in it. It must never search a
   byte twice because a piece arrived in several parts, and never lose or change a byte
   because there is no memory. */

#define _GNU_SOURCE /* memmem */
#include "reader.h"

#include <string.h>

#include "os.h"

enum { SHORT = 64 }; /* the search for a delimiter up to this size allocates nothing */

static const size_t MOST = PTRDIFF_MAX - sizeof(ps__buffer); /* capacity of a buffer */

static char *bytes(ps__buffer *buffer) { return buffer->data + buffer->head; }

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static size_t sum(size_t a, size_t b) { return a < SIZE_MAX - b ? a + b : SIZE_MAX; }

static PS__APART void forget(ps__buffer *buffer) {
  if (buffer->borders != NULL) buffer->borders = ps__os_realloc(buffer->borders, 0);
  buffer->searched = buffer->returns = buffer->counted = 0;
  buffer->length = buffer->match = 0;
}

static inline ps__piece answer(int verdict, const ps__wish *wish, size_t size) {
  return (ps__piece){verdict, wish->prefix.size, size, size, size};
}

static PS__APART size_t count_returns(const char *data, size_t size) {
  size_t count = 0;
  for (size_t at = 0; at < size; at++) count += data[at] == '\r';
  return count;
}

/* Returns how many CRs a line may have. */
static size_t most_returns(const ps__wish *wish) {
  size_t most = sum(wish->limit, wish->prefix.size), least = PS__RETURNS;
  return most < least ? least : most;
}

/* Returns the length of the longest prefix of data that has at most `limit` bytes other
   than CR and at most `returns` CRs. *kept is the number of its bytes other than CR. */
static size_t reach(const char *data, size_t size, size_t limit, size_t returns,
                    size_t *kept) {
  size_t at = 0, dropped = 0;
  for (; at < size; at++) {
    int drop = data[at] == '\r';
    if (drop ? dropped == returns : at - dropped == limit) break;
    dropped += (size_t)drop;
  }
  *kept = at - dropped;
  return at;
}

/* Returns the line in the first `size` bytes, without CRs at its end. */
static inline ps__piece line(int verdict, const ps__wish *wish, const char *data,
                             size_t size, size_t used) {
  while (size > 0 && data[size - 1] == '\r') size--;
  size_t kept = size;
  const char *found = size > 0 ? memchr(data, '\r', size) : NULL;
  if (found != NULL) kept -= count_returns(found, (size_t)(data + size - found));
  return (ps__piece){verdict, wish->prefix.size, kept, size, used};
}

/* Finds LF in the first `end` bytes; if there is none, remembers that. */
static inline const char *find_end(ps__buffer *buffer, const char *start, size_t end) {
  size_t from = buffer->length == 0 ? buffer->searched : 0;
  if (from >= end) return NULL;
  const char *found = memchr(start + from, '\n', end - from);
  if (found == NULL) {
    if (buffer->length != 0) forget(buffer);
    buffer->searched = end;
  }
  return found;
}

/* Looks for a line whose LF is not within the limit, but may be once its CRs are dropped.
   The bytes after `end` were not searched. */
static PS__APART ps__piece look_long_line(ps__buffer *buffer, const ps__wish *wish,
                                          const char *found, size_t end) {
  const char *start = bytes(buffer);
  size_t most = most_returns(wish), size;
  if (buffer->counted > end) buffer->counted = buffer->returns = 0;
  buffer->returns += count_returns(start + buffer->counted, end - buffer->counted);
  buffer->counted = end;
  if (buffer->returns > most || end - buffer->returns > wish->limit) {
    size_t raw = reach(start, end, wish->limit, most, &size);
    return (ps__piece){PS__OVERSIZED, wish->prefix.size, size, raw, raw};
  }
  return found == NULL ? answer(PS__MORE, wish, 0)
                       : line(PS__PIECE, wish, start, end, end + 1);
}

static PS__APART ps__piece look_line(ps__buffer *buffer, const ps__wish *wish) {
  const char *start = bytes(buffer);
  size_t end = buffer->size;
  if (end > wish->limit) end = smaller(end, sum(ps__reader_bound(wish), 1));
  const char *found = find_end(buffer, start, end);
  if (found != NULL) end = (size_t)(found - start);
  if (end > wish->limit) return look_long_line(buffer, wish, found, end);
  if (found == NULL) return answer(PS__MORE, wish, 0);
  return line(PS__PIECE, wish, start, end, end + 1);
}

int ps__reader_line(const ps__reader *self, ps__piece *piece) {
  const ps__buffer *buffer = self->buffer;
  if (buffer->searched > 0) return 0;
  const char *start = buffer->data + buffer->head;
  const char *end = memchr(start, '\n', buffer->size);
  if (end == NULL) return 0;
  size_t size = (size_t)(end - start);
  piece->used = size + 1;
  if (size > 0 && start[size - 1] == '\r') size--;
  if (size > 0 && memchr(start, '\r', size) != NULL) return 0;
  piece->size = piece->raw = size;
  return 1;
}

static PS__APART ps__piece look_line_with_end(ps__buffer *buffer, const ps__wish *wish) {
  const char *start = bytes(buffer);
  const char *found = find_end(buffer, start, smaller(buffer->size, wish->limit));
  if (found != NULL) return answer(PS__PIECE, wish, (size_t)(found - start) + 1);
  /* There is no LF yet, so the line has at least one more byte. */
  return buffer->size >= wish->limit ? answer(PS__OVERSIZED, wish, wish->limit)
                                     : answer(PS__MORE, wish, 0);
}

/* The search for a delimiter: the algorithm of Knuth, Morris and Pratt, with memmem. */
typedef struct search {
  ps__buffer *buffer;
  const ps__wish *wish;
  const char *delimiter;
  size_t length;
  size_t match;    /* the searched bytes end with so many bytes of the delimiter */
  size_t *borders; /* NULL: not needed yet */
  size_t *few;     /* memory for the borders of a short delimiter */
} search;

/* Identifies a delimiter together with its length: up to 8 bytes, the mark is the
   delimiter itself; for longer ones it is a hash. */
static uint64_t mark_of(ps_data delimiter) {
  uint64_t mark = 14695981039346656037u; /* FNV-1a */
  if (delimiter.size <= sizeof mark) {
    memcpy(&mark, delimiter.data, delimiter.size);
    return mark;
  }
  for (size_t at = 0; at < delimiter.size; at++)
    mark = (mark ^ (unsigned char)delimiter.data[at]) * 1099511628211u;
  return mark;
}

/* Makes this delimiter the one whose search the buffer remembers. */
static void claim(ps__buffer *buffer, const ps__wish *wish) {
  if (buffer->length != 0) return; /* it is already: recall has checked that */
  if (buffer->searched != 0) forget(buffer);
  buffer->length = wish->delimiter.size;
  buffer->mark = mark_of(wish->delimiter);
}

/* Forgets an earlier search for something else, or one whose partial match began in the
   prefix of an earlier call. Returns whether an earlier search can be continued. */
static int recall(ps__buffer *buffer, const ps__wish *wish) {
  if (buffer->length == 0) return 0;
  if (wish->again) return 1;
  if (buffer->length == wish->delimiter.size && buffer->match <= buffer->searched &&
      buffer->mark == mark_of(wish->delimiter))
    return 1;
  forget(buffer);
  return 0;
}

/* Returns the failure function of the algorithm: for each prefix of the delimiter, the
   length of its longest border (a proper prefix that is also a suffix). NULL without
   memory. */
static const size_t *borders_of(search *self) {
  if (self->borders != NULL) return self->borders;
  const char *delimiter = self->delimiter;
  size_t *borders = self->few;
  if (self->length > SHORT) {
    if (self->length > MOST / sizeof *borders) return NULL;
    borders = ps__os_realloc(NULL, self->length * sizeof *borders);
    if (borders == NULL) return NULL;
    claim(self->buffer, self->wish);
    self->buffer->borders = borders;
  }
  borders[0] = 0;
  for (size_t at = 1, match = 0; at < self->length; at++) {
    while (match > 0 && delimiter[at] != delimiter[match]) match = borders[match - 1];
    match += delimiter[at] == delimiter[match];
    borders[at] = match;
  }
  return self->borders = borders;
}

/* Finds the first bytes of a delimiter. It searches for at most SHORT bytes, because
   memmem of some C libraries needs time proportional to the product of both lengths. */
static const char *find(const char *data, size_t size, const char *part, size_t length) {
  if (length == 1) return memchr(data, part[0], size);
#if (defined __linux__ || defined __APPLE__ || defined __FreeBSD__ || \
     defined __OpenBSD__ || defined __NetBSD__) &&                    \
    !defined PS__NO_MEMMEM
  return memmem(data, size, part, length);
#else
  const char *last = data + size - length;
  for (; data <= last; data++) {
    data = memchr(data, part[0], (size_t)(last - data) + 1);
    if (data == NULL || memcmp(data, part, length) == 0) return data;
  }
  return NULL;
#endif
}

/* Searches data from *at to end. Returns 1 when a delimiter ends before *at, 0 when there
   is none and *at is end, -1 without memory. */
static int follow(search *self, const char *data, size_t *at, size_t end) {
  const char *delimiter = self->delimiter, *found;
  size_t part = smaller(self->length, SHORT), match = self->match, to = *at;
  while (to < end && match < self->length) {
    if (match == 0) {
      size_t step = end - to >= part ? part : 1;
      found = find(data + to, end - to, delimiter, step);
      match = found != NULL ? step : 0;
      to = found != NULL ? (size_t)(found - data) + step : end - step + 1;
    } else if (data[to] == delimiter[match]) {
      match++;
      to++;
    } else if (match == 1) {
      match = 0;
    } else {
      const size_t *borders = borders_of(self);
      if (borders == NULL) return -1;
      match = borders[match - 1];
    }
  }
  self->match = match;
  *at = to;
  return match == self->length;
}

/* Continues the search where the last one stopped, or with the prefix if that is new, up
   to end. Returns the same as follow. */
static int resume(search *self, size_t *at, size_t end) {
  ps__buffer *buffer = self->buffer;
  ps_prefix prefix = self->wish->prefix;
  size_t before = smaller(prefix.size, self->length - 1), from = 0;
  int known = recall(buffer, self->wish), found = 0;
  self->borders = buffer->borders;
  *at = 0;
  if (before > 0 && (!known || !self->wish->again)) {
    found = follow(self, prefix.data + prefix.size - before, &from, before);
    if (found == 0)
      found = follow(self, bytes(buffer), at, smaller(end, self->length - 1));
  }
  if (found == 0 && known && buffer->searched > *at) {
    *at = buffer->searched;
    self->match = buffer->match;
  }
  return found == 0 ? follow(self, bytes(buffer), at, end) : found;
}

static PS__APART ps__piece look_until(ps__buffer *buffer, const ps__wish *wish,
                                      short *code) {
  size_t few[SHORT];
  search self = {buffer, wish, wish->delimiter.data, wish->delimiter.size, 0, NULL, few};
  size_t at, end = buffer->size, before = wish->prefix.size;
  /* A delimiter that begins after the limit does not matter. */
  if (end > wish->limit) end = smaller(end, sum(wish->limit, self.length));
  int found = resume(&self, &at, end);
  if (found < 0) forget(buffer); /* the search may have been for another prefix */
  if (found < 0) *code = PS_NOMEMORY;
  if (found < 0) return answer(PS__MORE, wish, 0);
  if (found > 0 && at < self.length)
    return (ps__piece){PS__PIECE, before - (self.length - at), 0, 0, at};
  if (found > 0)
    return (ps__piece){PS__PIECE, before, at - self.length, at - self.length, at};
  claim(buffer, wish);
  buffer->searched = at;
  buffer->match = self.match;
  return at > sum(self.match, wish->limit) ? answer(PS__OVERSIZED, wish, wish->limit)
                                           : answer(PS__MORE, wish, 0);
}

ps__piece ps__reader_look(ps__reader *self, const ps__wish *wish, short *code) {
  ps__buffer *buffer = self->buffer;
  *code = PS_OK;
  if (buffer == NULL || buffer->size == 0)
    return answer(wish->kind == 'n' && wish->count == 0 ? PS__PIECE : PS__MORE, wish, 0);
  if (wish->kind == 'l') return look_line(buffer, wish);
  switch (wish->kind) {
    case 'L':
      return look_line_with_end(buffer, wish);
    case 'a':
      return buffer->size > wish->limit ? answer(PS__OVERSIZED, wish, wish->limit)
                                        : answer(PS__MORE, wish, 0);
    case 'n':
      return buffer->size >= wish->count ? answer(PS__PIECE, wish, wish->count)
                                         : answer(PS__MORE, wish, 0);
    case 'y':
      return answer(PS__PIECE, wish, smaller(buffer->size, wish->count));
    default:
      return look_until(buffer, wish, code);
  }
}

size_t ps__reader_bound(const ps__wish *wish) {
  return wish->kind == 'l'   ? sum(wish->limit, most_returns(wish))
         : wish->kind == 'u' ? sum(wish->limit, wish->delimiter.size)
         : wish->kind == 'n' ? wish->count
                             : wish->limit;
}

ps__piece ps__reader_rest(const ps__reader *self, const ps__wish *wish, int ended) {
  size_t size = ps__reader_size(self), kept = size, raw = size;
  size_t most = wish->kind == 'n' || wish->kind == 'y' ? SIZE_MAX : wish->limit;
  if (!ended) most--;
  if (size > most && wish->kind == 'l')
    raw = reach(ps__reader_data(self), size, most, ended ? most_returns(wish) : SIZE_MAX,
                &kept);
  else if (size > most)
    kept = raw = most;
  if (ended && raw < size)
    return (ps__piece){PS__OVERSIZED, wish->prefix.size, kept, raw, raw};
  return wish->kind == 'l' ? line(PS__MORE, wish, ps__reader_data(self), raw, raw)
                           : answer(PS__MORE, wish, raw);
}

/* Copies all bytes but CRs to memory that may overlap. Returns the end of the copy. */
static char *drop_returns(char *to, const char *data, const char *end) {
  for (;;) {
    const char *next = memchr(data, '\r', (size_t)(end - data));
    size_t run = (size_t)((next == NULL ? end : next) - data);
    memmove(to, data, run);
    to += run;
    if (next == NULL) return to;
    data = next + 1;
  }
}

void ps__reader_copy(char *to, const char *data, size_t size, size_t raw) {
  if (size == raw && size > 0) memcpy(to, data, size);
  if (size < raw && size > 0) drop_returns(to, data, data + raw);
}

ps__piece ps__reader_flatten(ps__reader *self, ps__piece piece) {
  size_t gap = piece.raw - piece.size;
  if (gap == 0) return piece;
  ps__buffer *buffer = self->buffer;
  char *start = bytes(buffer), *end = start + piece.raw;
  char *kept = memchr(start, '\r', piece.raw);
  kept = drop_returns(kept, kept + 1, end);
  if (buffer->length != 0 || buffer->searched < piece.raw) forget(buffer);
  if (buffer->searched > 0) buffer->searched -= gap;
  buffer->counted = buffer->returns = 0;
  size_t behind = buffer->size - piece.raw;
  if (behind <= piece.size) {
    memmove(kept, end, behind);
  } else {
    memmove(start + gap, start, piece.size);
    buffer->head += gap;
  }
  buffer->size -= gap;
  piece.raw -= gap;
  piece.used -= gap;
  return piece;
}

void ps__reader_clear(ps__reader *self) {
  if (self->buffer == NULL) return;
  forget(self->buffer);
  self->buffer = ps__os_realloc(self->buffer, 0);
}

static void move(ps__buffer *buffer, size_t head) {
  memmove(buffer->data + head, bytes(buffer), buffer->size);
  buffer->head = head;
}

/* Makes the buffer larger. Returns 0 without memory; nothing has changed then. */
static int resize(ps__reader *self, size_t capacity) {
  ps__buffer *buffer = self->buffer;
  buffer = ps__os_realloc(buffer, sizeof *buffer + capacity);
  if (buffer == NULL) return 0;
  if (self->buffer == NULL) memset(buffer, 0, sizeof *buffer);
  buffer->capacity = capacity;
  self->buffer = buffer;
  return 1;
}

char *ps__reader_room(ps__reader *self, size_t want, size_t bound, size_t *size) {
  size_t held = ps__reader_size(self);
  size_t head = self->buffer == NULL ? 0 : self->buffer->head;
  size_t capacity = self->buffer == NULL ? 0 : self->buffer->capacity;
  /* The rest of one piece must not enlarge the buffer for the following ones. */
  size_t need = want == 0 ? 1 : held <= want / 2 ? want - held : want;
  if (capacity - head - held < need) {
    /* Move bytes to the front only if they are at most as many as were taken or wanted.
     */
    int enough = capacity - held >= need && (held <= head || held <= want);
    size_t aim = enough ? capacity : sum(held, need), most = sum(bound, need);
    if (!enough && aim < capacity * 2) aim = capacity * 2;
    if (aim > most) aim = most > held ? most : held + 1;
    if (aim > MOST) aim = MOST;
    if (head > 0) move(self->buffer, 0);
    while (aim > capacity && !resize(self, aim)) aim = held + (aim - held) / 2;
    if (self->buffer == NULL) return NULL;
    capacity = self->buffer->capacity;
    head = 0;
  }
  *size = capacity - head - held;
  return *size > 0 ? self->buffer->data + head + held : NULL;
}

/* Takes bytes that a remembered search covers, or the last bytes. */
void ps__reader_take_rest(ps__reader *self, size_t count, int keep) {
  ps__buffer *buffer = self->buffer;
  /* The rest of a partial match may itself be a shorter partial match. */
  if (count == buffer->size || sum(count, buffer->match) > buffer->searched)
    forget(buffer);
  else
    buffer->searched -= count;
  if (buffer->counted > 0) {
    size_t counted = smaller(count, buffer->counted);
    buffer->returns -= count_returns(bytes(buffer), counted);
    buffer->counted -= counted;
  }
  buffer->head += count;
  buffer->size -= count;
  if (buffer->size == 0 && !keep) ps__reader_clear(self);
}

short ps__reader_unread(ps__reader *self, const char *data, size_t size) {
  if (size == 0) return PS_OK;
  size_t held = ps__reader_size(self);
  if (size > MOST - held) return PS_NOMEMORY;
  if (self->buffer == NULL || self->buffer->capacity < held + size)
    if (!resize(self, held + size)) return PS_NOMEMORY;
  ps__buffer *buffer = self->buffer;
  if (buffer->head < size) move(buffer, size);
  forget(buffer);
  buffer->head -= size;
  buffer->size += size;
  memcpy(bytes(buffer), data, size);
  return PS_OK;
}

struct ps__buffer *ps__reader_split(ps__reader *self, short *code) {
  ps__buffer *old = self->buffer, *made = NULL;
  *code = PS_OK;
  if (old == NULL) return NULL;
  if (old->size > 0) {
    made = ps__os_realloc(NULL, sizeof *made + old->size);
    if (made == NULL) *code = PS_NOMEMORY;
    if (made == NULL) return NULL;
    *made = *old; /* with its borders: the old one will only be freed */
    made->head = 0;
    made->capacity = old->size;
    memcpy(made->data, bytes(old), old->size);
  }
  self->buffer = made;
  return old;
}
