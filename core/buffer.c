/* SPDX-License-Identifier: MIT */
/* Receive and send: the read buffer, what each pattern takes out of it, and partial
   results. A byte that came from the system is in the result, in the partial or still in
   the buffer, never in two of them and never in none; a call looks at a byte once or
   twice, however it is fragmented. */

#define _GNU_SOURCE /* memmem */
#include <stdint.h>
#include <string.h>

#include "internal.h"

enum {
  CHUNK = 64 * 1024,  /* what one read asks for when nobody knows how much will come */
  DIRECT = 16 * 1024, /* a count from here on is read past the buffer, if the host can */
  LONG_COPY = 256 * 1024, /* a copy from here on lets other threads run meanwhile */
  FIRST_PART =
      1024 * 1024 /* a result is given this much memory before its bytes arrive */
};

/* ---- The read buffer ---- */

void ps__buffer_free(ps_socket *self) { self->buffer = ps__os_realloc(self->buffer, 0); }

static char *bytes(const ps_socket *self) {
  return self->buffer == NULL ? NULL : self->buffer->data + self->buffer->head;
}

/* Does: takes bytes away from the front; an empty buffer gives its memory back. */
static void discard(ps_socket *self, size_t count) {
  self->buffer->head += count;
  self->buffer->size -= count;
  if (self->buffer->size == 0) ps__buffer_free(self);
}

static void take(ps_socket *self, size_t count) {
  self->received += count;
  discard(self, count);
}

int ps_socket_take(ps_socket *self, const ps_bytes *view) {
  if (view->held == 0) return 1; /* the buffer may be another thread's */
  if (self->received != view->before) return 0;
  if (ps__buffered(self) >= view->held) take(self, view->held); /* else it was closed */
  return 1;
}

/* Does: makes room for more bytes behind those that are there. */
static ps_status reserve(ps_socket *self, size_t room) {
  ps__buffer *buffer = self->buffer;
  size_t size = ps__buffered(self), capacity = buffer == NULL ? 0 : buffer->capacity;
  if (buffer != NULL && capacity - buffer->head - size >= room) return PS__DONE;
  if (room > PTRDIFF_MAX - sizeof *buffer - size) return ps__failure(PS_NOMEMORY);
  if (buffer != NULL && buffer->head > 0) {
    memmove(buffer->data, bytes(self), size);
    buffer->head = 0;
  }
  if (buffer != NULL && capacity - size >= room) return PS__DONE;
  capacity = capacity * 2 > size + room ? capacity * 2 : size + room;
  buffer = ps__os_realloc(buffer, sizeof *buffer + capacity);
  if (buffer == NULL) return ps__failure(PS_NOMEMORY);
  *buffer = (ps__buffer){0, size, capacity};
  self->buffer = buffer;
  return PS__DONE;
}

/* Does: reads once from the system into data, waiting until something is there. A call
   that reads again looks at the time and for signals first. */
static ps_status read_some(ps__call *call, char *data, size_t size, size_t *got) {
  ps_host *host = call->host;
  *got = 0;
  ps_status goon = call->again ? ps__timeout_goon(call) : PS__DONE;
  if (goon.code != PS_OK) return goon;
  call->again = 1;
  int lengthy = size >= LONG_COPY && host != NULL && host->leave != NULL;
  for (;;) {
    if (lengthy) host->leave(host);
    int error = ps__os_recv(call->fd, data, size, got);
    if (lengthy) host->enter(host);
    if (error == 0) return *got > 0 ? PS__DONE : ps__failure(PS_CLOSED);
    ps_status status = PS__DONE;
    if (ps__os_again(error))
      status = ps__timeout_wait(call, 0);
    else if (ps__os_signalled(error))
      status = ps__timeout_goon(call);
    else
      status = ps__socket_error(call->self, error);
    if (status.code != PS_OK) return status;
  }
}

/* Does: reads more into the buffer. */
static ps_status more(ps__call *call) {
  ps_socket *self = call->self;
  /* What is left of one line does not make the buffer for the next ones larger. */
  size_t size = ps__buffered(self);
  ps_status status = reserve(self, size < CHUNK / 2 ? CHUNK - size
                                   : size < CHUNK   ? CHUNK
                                                    : size);
  if (status.code == PS_NOMEMORY) status = reserve(self, 1);
  if (status.code != PS_OK) return status;
  ps__buffer *buffer = self->buffer;
  size_t used = buffer->head + size, got;
  status = read_some(call, buffer->data + used, buffer->capacity - used, &got);
  buffer->size += got;
  if (buffer->size == 0) ps__buffer_free(self);
  return status;
}

/* Returns: whether the peer ended its stream. A reset, and a close from another thread,
   read "closed" too, but what came before them is not all. */
static int ended(const ps__call *call, ps_status status) {
  return status.code == PS_CLOSED && status.system == 0 &&
         (atomic_load(&call->self->state) & PS__CLOSED) == 0;
}

/* ---- Results ---- */

/* What a receive is to hold to, apart from its pattern. */
typedef struct want {
  ps_prefix prefix;
  size_t limit; /* bytes that may come behind the prefix; SIZE_MAX: any number */
  int drop;     /* CRs are no part of the result */
  int keep;     /* a failure leaves its bytes in the buffer: see ps_socket_next */
} want;

static const ps_bytes nothing;

static ps_bytes without_bytes(ps_status status) {
  ps_bytes result = nothing;
  result.status = status;
  return result;
}

static int holds(const ps_host *host) {
  return host != NULL && host->mode == PS_HOST_HOLD;
}

static int lends(const ps_host *host) { return host != NULL && host->grow != NULL; }

/* Does: copies the bytes of a view into memory of the host. */
static ps_bytes lent(ps_host *host, ps_bytes view) {
  size_t size = view.head_size + view.size;
  char *memory = host->grow(host, size);
  if (memory == NULL) return without_bytes(ps__failure(PS_NOMEMORY));
  if (view.head_size > 0) memcpy(memory, view.head, view.head_size);
  if (view.size > 0) memcpy(memory + view.head_size, view.data, view.size);
  return (ps_bytes){view.status, NULL, 0, memory, size, size, 0, 0};
}

/* Does: gives the prefix and the first size bytes of the buffer as a result that uses up
   held bytes of it. */
static ps_bytes deliver(ps__call *call, ps_status status, ps_prefix prefix, size_t size,
                        size_t held) {
  ps_socket *self = call->self;
  ps_host *host = call->host;
  ps_bytes result = {status, prefix.data, prefix.size, bytes(self),
                     size,   size,        held,        self->received};
  if (holds(host)) return result;
  result.held = 0;
  if (lends(host)) {
    result = lent(host, result);
    /* Its code does not tell: the failure may be that there is no memory already. */
    if (result.data != NULL && held > 0) take(self, held);
  } else {
    /* The view is the caller's until the next call, so its memory stays for so long. */
    self->received += held;
    if (held > 0) self->buffer->head += held;
    if (held > 0) self->buffer->size -= held;
  }
  return result;
}

/* Does: drops every CR from the bytes [from, to) of the buffer. The smaller side moves,
   so that neither a long line nor what is behind a short one is moved again and again.
   Returns: where those bytes end now. */
static size_t drop_returns(ps_socket *self, size_t from, size_t to) {
  if (from == to) return to;
  char *start = bytes(self), *end = start + to;
  char *kept = memchr(start + from, '\r', to - from);
  if (kept == NULL) return to;
  for (char *at = kept + 1; at <= end;) {
    char *next = at < end ? memchr(at, '\r', (size_t)(end - at)) : NULL;
    size_t count = (size_t)((next == NULL ? end : next) - at);
    memmove(kept, at, count);
    kept += count;
    at += count + 1;
  }
  ps__buffer *buffer = self->buffer;
  size_t stop = (size_t)(kept - start), gap = to - stop;
  if (buffer->size - to <= stop) {
    memmove(kept, end, buffer->size - to);
  } else {
    memmove(start + gap, start, stop);
    buffer->head += gap;
  }
  buffer->size -= gap;
  self->received += gap;
  return stop;
}

/* Does: gives the failure, with what the buffer holds as its partial. */
static ps_bytes fail(ps__call *call, ps_status status, const want *wanted) {
  ps_socket *self = call->self;
  if (status.code == PS_INTERRUPTED) return without_bytes(status);
  int closed = status.code == PS_CLOSED;
  if (wanted->keep && !closed) return deliver(call, status, (ps_prefix){NULL, 0}, 0, 0);
  if (wanted->drop) drop_returns(self, 0, ps__buffered(self));
  if (closed && ps__buffered(self) > wanted->limit) status = ps__failure(PS_OVERSIZED);
  size_t size = ps__buffered(self);
  if (status.code == PS_OVERSIZED)
    size = wanted->limit;
  else if (!closed && size >= wanted->limit)
    size = wanted->limit - 1; /* or the partial could not be passed back as prefix */
  if (wanted->keep && size > 0) status = PS__DONE;
  return deliver(call, status, wanted->prefix, size, size);
}

static ps_bytes oversized(ps__call *call, const want *wanted) {
  want cut = *wanted;
  cut.drop = 0; /* what is dropped was dropped, and the rest is for another call */
  return fail(call, ps__failure(PS_OVERSIZED), &cut);
}

/* ---- What the buffer can hold: lines, delimiters, small counts, all under a limit ----
 */

static char *find_byte(const ps_socket *self, int byte, size_t from) {
  return from < ps__buffered(self)
             ? memchr(bytes(self) + from, byte, ps__buffered(self) - from)
             : NULL;
}

/* Returns: how many bytes it takes from the first, of which from are no CR, until more
   than limit are none; at most to. */
static size_t reach(const ps_socket *self, size_t from, size_t to, size_t limit) {
  const char *start = bytes(self);
  size_t at = from;
  for (size_t kept = from; at < to && kept <= limit; at++) kept += start[at] != '\r';
  return at;
}

static ps_bytes receive_line(ps__call *call, const want *wanted) {
  ps_socket *self = call->self;
  for (size_t searched = 0;;) {
    char *end = find_byte(self, '\n', searched);
    size_t size = end != NULL ? (size_t)(end - bytes(self)) : ps__buffered(self);
    if (size > wanted->limit) {
      /* Only here CRs are dropped while a line still comes: a peer that sends nothing
         else shall not fill the memory that the limit protects. */
      size_t bound = reach(self, searched, size, wanted->limit);
      size_t left = drop_returns(self, searched, bound);
      if (left > wanted->limit) return oversized(call, wanted);
      size -= bound - left;
    }
    if (end != NULL) {
      char *start = bytes(self);
      size_t line = size - (size > 0 && start[size - 1] == '\r');
      if (line > 0 && memchr(start, '\r', line) != NULL)
        line = size = drop_returns(self, 0, size);
      return deliver(call, PS__DONE, wanted->prefix, line, size + 1);
    }
    searched = wanted->limit == SIZE_MAX ? size : drop_returns(self, searched, size);
    ps_status status = more(call);
    if (status.code != PS_OK) return fail(call, status, wanted);
  }
}

static ps_bytes receive_line_with_end(ps__call *call, const want *wanted) {
  ps_socket *self = call->self;
  for (size_t searched = 0;;) {
    char *end = find_byte(self, '\n', searched);
    size_t size = end != NULL ? (size_t)(end - bytes(self)) + 1 : ps__buffered(self);
    /* Without its end the line is at least one byte longer. */
    if (size + (end == NULL) > wanted->limit) return oversized(call, wanted);
    if (end != NULL) return deliver(call, PS__DONE, wanted->prefix, size, size);
    searched = size;
    ps_status status = more(call);
    if (status.code != PS_OK) return fail(call, status, wanted);
  }
}

static ps_bytes receive_count(ps__call *call, const want *wanted, size_t count) {
  ps_socket *self = call->self;
  while (ps__buffered(self) < count) {
    ps_status status = more(call);
    if (status.code != PS_OK) return fail(call, status, wanted);
  }
  return deliver(call, PS__DONE, wanted->prefix, count, count);
}

static ps_bytes receive_all(ps__call *call, const want *wanted) {
  ps_socket *self = call->self;
  while (ps__buffered(self) <= wanted->limit) {
    ps_status status = more(call);
    if (ended(call, status) && ps__buffered(self) > 0)
      return deliver(call, PS__DONE, wanted->prefix, ps__buffered(self),
                     ps__buffered(self));
    if (status.code != PS_OK) return fail(call, status, wanted);
  }
  return oversized(call, wanted);
}

/* Does: looks for a delimiter that begins in the prefix and ends in the buffer.
   Returns: how many bytes of the prefix belong to it, 0 for none; more than the delimiter
   has when that shows only with the next bytes. */
static size_t straddle(const ps_socket *self, ps_data delimiter, ps_prefix prefix) {
  size_t most = delimiter.size - 1 < prefix.size ? delimiter.size - 1 : prefix.size;
  for (size_t part = most; part > 0; part--) {
    size_t rest = delimiter.size - part;
    size_t there = rest < ps__buffered(self) ? rest : ps__buffered(self);
    if (memcmp(prefix.data + prefix.size - part, delimiter.data, part) == 0 &&
        (there == 0 || memcmp(bytes(self), delimiter.data + part, there) == 0))
      return there == rest ? part : delimiter.size + 1;
  }
  return 0;
}

/* Returns: whether a delimiter may begin within the limit and go on behind the buffer. */
static int may_begin(const ps_socket *self, ps_data delimiter, size_t limit) {
  size_t first =
      ps__buffered(self) < delimiter.size ? 0 : ps__buffered(self) - delimiter.size + 1;
  for (size_t at = first; at <= limit; at++)
    if (at >= ps__buffered(self) ||
        memcmp(bytes(self) + at, delimiter.data, ps__buffered(self) - at) == 0)
      return 1;
  return 0;
}

static ps_bytes receive_until(ps__call *call, const want *wanted, ps_data delimiter) {
  ps_socket *self = call->self;
  size_t undecided = delimiter.size + 1;
  size_t part = undecided; /* of the delimiter, in the prefix */
  for (size_t searched = 0;;) {
    if (part == undecided) part = straddle(self, delimiter, wanted->prefix);
    if (part > 0 && part != undecided) {
      ps_prefix before = {wanted->prefix.data, wanted->prefix.size - part};
      return deliver(call, PS__DONE, before, 0, delimiter.size - part);
    }
    if (part == 0) {
      size_t again = delimiter.size - 1; /* bytes that may begin one and were looked at */
      size_t from = searched > again ? searched - again : 0;
      char *start = bytes(self);
      char *found = ps__buffered(self) - from >= delimiter.size
                        ? memmem(start + from, ps__buffered(self) - from, delimiter.data,
                                 delimiter.size)
                        : NULL;
      size_t size = found != NULL ? (size_t)(found - start) : 0;
      if (found != NULL && size <= wanted->limit)
        return deliver(call, PS__DONE, wanted->prefix, size, size + delimiter.size);
      if (ps__buffered(self) > wanted->limit &&
          (found != NULL || !may_begin(self, delimiter, wanted->limit)))
        return oversized(call, wanted);
    }
    searched = ps__buffered(self);
    ps_status status = more(call);
    if (status.code != PS_OK) return fail(call, status, wanted);
  }
}

/* ---- What goes past the buffer: large results, straight into the memory of the caller
 * ---- */

/* Does: fills memory, first from the buffer, until *have is least or more, but at most
   size. */
static ps_status fill(ps__call *call, char *memory, size_t least, size_t size,
                      size_t *have) {
  ps_socket *self = call->self;
  ps_status status = PS__DONE;
  while (*have < least) {
    if (ps__buffered(self) > 0) {
      size_t count =
          ps__buffered(self) < size - *have ? ps__buffered(self) : size - *have;
      memcpy(memory + *have, bytes(self), count);
      take(self, count);
      *have += count;
      continue;
    }
    size_t got = 0;
    /* A short rest comes by way of the buffer, with whatever is behind it. */
    if (size - *have < DIRECT) {
      status = more(call);
    } else {
      status = read_some(call, memory + *have, size - *have, &got);
      self->received += got;
      *have += got;
    }
    if (status.code != PS_OK) return status;
  }
  return status;
}

/* Does: fills memory up to size. Behind the first part the system is asked for pages in
   parts, too: to fault for each page takes a quarter longer (160 ms instead of 125 for
   300 MB). */
static ps_status fill_pages(ps__call *call, char *memory, size_t size, size_t *have) {
  ps_host *host = call->host;
  ps_status status = PS__DONE;
  while (status.code == PS_OK && *have >= FIRST_PART && size - *have > FIRST_PART) {
    size_t part = *have + FIRST_PART;
    if (host->leave != NULL) host->leave(host);
    ps__os_populate(memory + *have, FIRST_PART);
    if (host->enter != NULL) host->enter(host);
    status = fill(call, memory, part - DIRECT, part, have);
  }
  return status.code == PS_OK ? fill(call, memory, size, size, have) : status;
}

/* Does: puts bytes that fill took back in front of the buffer. */
static ps_status put_back(ps_socket *self, const char *memory, size_t size) {
  ps_status status = size > 0 ? reserve(self, size) : PS__DONE;
  if (status.code != PS_OK || size == 0) return status;
  memmove(bytes(self) + size, bytes(self), self->buffer->size);
  memcpy(bytes(self), memory, size);
  self->buffer->size += size;
  self->received -= size;
  return status;
}

/* Does: reads count bytes, or all when it is SIZE_MAX, into memory of the host, which
   grows as they come: a peer that only announces them costs nothing. */
static ps_bytes receive_direct(ps__call *call, const want *wanted, size_t count) {
  ps_socket *self = call->self;
  ps_host *host = call->host;
  size_t have = 0, room = FIRST_PART, prefix = wanted->prefix.size;
  char *memory = NULL;
  ps_status status = PS__DONE;
  while (status.code == PS_OK && have < count) {
    if (room > count) room = count;
    char *grown = room <= PTRDIFF_MAX - prefix ? host->grow(host, prefix + room) : NULL;
    if (grown == NULL) break;
    if (memory == NULL && prefix > 0) memcpy(grown, wanted->prefix.data, prefix);
    memory = grown;
    status = fill_pages(call, memory + prefix, room, &have);
    room = room <= SIZE_MAX / 2 ? room * 2 : SIZE_MAX;
  }
  int whole = have == count || (count == SIZE_MAX && have > 0 && ended(call, status));
  if (whole)
    return (ps_bytes){PS__DONE, NULL, 0, memory, prefix + have, prefix + have, 0, 0};
  if (memory == NULL && !holds(host))
    return deliver(call, ps__failure(PS_NOMEMORY), wanted->prefix, 0, 0);
  /* Bytes that are not to go out, or are to be held, are for the buffer. */
  int back = status.code == PS_INTERRUPTED || holds(host);
  if (back &&
      put_back(self, memory == NULL ? NULL : memory + prefix, have).code == PS_OK) {
    if (status.code != PS_OK) return fail(call, status, wanted);
    /* Without memory there: the language may find some when it makes the result. */
    return count == SIZE_MAX ? receive_all(call, wanted)
                             : receive_count(call, wanted, count);
  }
  if (status.code == PS_OK) status = ps__failure(PS_NOMEMORY);
  return (ps_bytes){status, NULL, 0, memory, prefix + have, prefix + have, 0, 0};
}

/* ---- The functions ---- */

size_t ps_bytes_size(const ps_bytes *bytes) { return bytes->head_size + bytes->size; }

void ps_bytes_copy(const ps_bytes *bytes, char *to) {
  if (bytes->head_size > 0) memcpy(to, bytes->head, bytes->head_size);
  if (bytes->size > 0) memcpy(to + bytes->head_size, bytes->data, bytes->size);
}

ps_pattern ps_pattern_of(const char *text, size_t size) {
  int starred = size > 1 && text[0] == '*';
  char letter = size == 0 ? '\0' : starred ? text[1] : text[0];
  int known = letter == 'l' || letter == 'L' || letter == 'a';
  return (ps_pattern){known && (starred || size == 1) ? letter : '?', 0};
}

/* Does: gives a line or a count of bytes that the buffer has already, to a host that
   keeps other calls away and holds. Neither turn nor clock is needed then, and a short
   line takes less than half of the instructions of the way through receive. Returns:
   whether it was there; if not, nothing has changed. */
static int at_hand(const ps_socket *self, ps_pattern pattern, const ps_host *host,
                   ps_bytes *result) {
  if (!holds(host) || self == NULL || self->buffer == NULL) return 0;
  if ((atomic_load(&self->state) & (PS__CLOSED | PS__RECEIVING)) != 0) return 0;
  const ps__buffer *buffer = self->buffer;
  const char *start = buffer->data + buffer->head;
  size_t size, held;
  if (pattern.kind == 'l') {
    const char *end = memchr(start, '\n', buffer->size);
    if (end == NULL) return 0;
    size = (size_t)(end - start);
    held = size + 1;
    if (size > 0 && start[size - 1] == '\r') size--;
    if (size > 0 && memchr(start, '\r', size) != NULL) return 0;
  } else {
    size = held = (size_t)pattern.count;
    if (pattern.kind != 'n' || pattern.count < 1 || size > buffer->size) return 0;
  }
  *result = (ps_bytes){PS__DONE, NULL, 0, start, size, size, held, self->received};
  return 1;
}

static int is_pattern(ps_pattern pattern) {
  return pattern.kind == 'l' || pattern.kind == 'L' || pattern.kind == 'a' ||
         (pattern.kind == 'n' && pattern.count >= 0);
}

static ps_bytes receive(ps__call *call, ps_pattern pattern, want *wanted) {
  /* What is to be kept on a failure is better not taken before the success. */
  int direct = lends(call->host) && !wanted->keep;
  switch (pattern.kind) {
    case 'l':
      wanted->drop = 1;
      return receive_line(call, wanted);
    case 'L':
      return receive_line_with_end(call, wanted);
    case 'a':
      if (direct && wanted->limit == SIZE_MAX)
        return receive_direct(call, wanted, SIZE_MAX);
      return receive_all(call, wanted);
    default:
      break;
  }
  unsigned long long count = (unsigned long long)pattern.count;
  if (count <= wanted->prefix.size) return deliver(call, PS__DONE, wanted->prefix, 0, 0);
  if (count >= SIZE_MAX) return fail(call, ps__failure(PS_NOMEMORY), wanted);
  size_t behind = (size_t)count - wanted->prefix.size;
  if (direct && behind >= DIRECT && behind > ps__buffered(call->self))
    return receive_direct(call, wanted, behind);
  return receive_count(call, wanted, behind);
}

/* Does: what every function that receives does first. */
static ps_status begin(ps__call *call, ps_socket *self, ps_host *host) {
  return ps__begin(call, self, host, PS__CLIENT | PS__DECIDED, PS__RECEIVING);
}

/* Returns: a failure to begin. It has the prefix as its partial, like any other. */
static ps_bytes not_begun(ps_status status, ps_host *host, ps_prefix prefix) {
  if (status.code == PS_INTERRUPTED || status.code >= PS_MISUSED)
    return without_bytes(status);
  ps_bytes view = {status, prefix.data, prefix.size, NULL, 0, 0, 0, 0};
  return lends(host) && !holds(host) ? lent(host, view) : view;
}

static want wanting(ps_prefix prefix, ps_maxsize maxsize) {
  return (want){prefix, maxsize == 0 ? SIZE_MAX : maxsize - prefix.size, 0, 0};
}

static ps_status check_prefix(ps_prefix prefix, ps_maxsize maxsize) {
  return maxsize == 0 || prefix.size < maxsize
             ? PS__DONE
             : ps__misuse(PS_MISUSE_PREFIXSIZE, 2, "prefix");
}

static ps_status check_pattern(ps_pattern pattern, ps_maxsize maxsize) {
  if (!is_pattern(pattern)) return ps__misuse(PS_MISUSE_PATTERN, 1, "pattern");
  if (maxsize > 0 && pattern.kind == 'n' && (unsigned long long)pattern.count > maxsize)
    return ps__misuse(PS_MISUSE_COUNTSIZE, 1, "pattern");
  return PS__DONE;
}

ps_bytes ps_socket_receive(ps_socket *self, ps_pattern pattern, ps_prefix prefix,
                           ps_maxsize maxsize, ps_host *host) {
  ps_bytes result;
  if (prefix.size == 0 && maxsize == 0 && at_hand(self, pattern, host, &result))
    return result;
  ps_status status = ps__kind(self, PS__CLIENT);
  if (status.code == PS_OK) status = check_pattern(pattern, maxsize);
  if (status.code == PS_OK) status = check_prefix(prefix, maxsize);
  if (status.code != PS_OK) return without_bytes(status);
  ps__call call;
  status = begin(&call, self, host);
  if (status.code != PS_OK) return not_begun(status, host, prefix);
  want wanted = wanting(prefix, maxsize);
  result = receive(&call, pattern, &wanted);
  ps__end(&call);
  return result;
}

ps_bytes ps_socket_receiveany(ps_socket *self, ps_maxsize max, ps_host *host) {
  ps__call call;
  ps_prefix none = {NULL, 0};
  ps_status status = begin(&call, self, host);
  if (status.code != PS_OK) return not_begun(status, host, none);
  want wanted = wanting(none, 0);
  if (ps__buffered(self) == 0) status = more(&call);
  size_t size = max > 0 && max < ps__buffered(self) ? max : ps__buffered(self);
  ps_bytes result = status.code == PS_OK ? deliver(&call, status, none, size, size)
                                         : fail(&call, status, &wanted);
  ps__end(&call);
  return result;
}

ps_bytes ps_socket_receiveuntil(ps_socket *self, ps_data delimiter, ps_prefix prefix,
                                ps_maxsize maxsize, ps_host *host) {
  ps_status status = ps__kind(self, PS__CLIENT);
  if (status.code == PS_OK && delimiter.size == 0)
    status = ps__misuse(PS_MISUSE_DELIMITER, 1, "delimiter");
  if (status.code == PS_OK) status = check_prefix(prefix, maxsize);
  if (status.code != PS_OK) return without_bytes(status);
  ps__call call;
  status = begin(&call, self, host);
  if (status.code != PS_OK) return not_begun(status, host, prefix);
  want wanted = wanting(prefix, maxsize);
  ps_bytes result = receive_until(&call, &wanted, delimiter);
  ps__end(&call);
  return result;
}

ps_filled ps_socket_receiveinto(ps_socket *self, ps_room buffer, ps_total nbytes,
                                ps_host *host) {
  ps_filled result = {ps__kind(self, PS__CLIENT), 0};
  size_t size = nbytes < 0 ? buffer.size : (size_t)nbytes;
  if (result.status.code == PS_OK && size > buffer.size)
    result.status = ps__misuse(PS_MISUSE_BUFFERSIZE, 2, "nbytes");
  if (result.status.code != PS_OK) return result;
  ps__call call;
  result.status = begin(&call, self, host);
  if (result.status.code != PS_OK) return result;
  result.status = fill(&call, buffer.data, size, size, &result.count);
  if (result.status.code == PS_INTERRUPTED &&
      put_back(self, buffer.data, result.count).code == PS_OK)
    result.count = 0;
  ps__end(&call);
  return result;
}

ps_lines ps_socket_lines(ps_socket *self, ps_pattern pattern, ps_maxsize maxsize) {
  ps_status status = ps__kind(self, PS__CLIENT);
  if (status.code == PS_OK) status = check_pattern(pattern, maxsize);
  if (status.code == PS_OK && pattern.kind == 'n' && pattern.count == 0)
    status = ps__misuse(PS_MISUSE_POSITIVE, 1, "pattern"); /* it would never end */
  return (ps_lines){status, pattern, maxsize};
}

ps_bytes ps_socket_next(ps_socket *self, ps_pattern pattern, ps_maxsize maxsize,
                        ps_host *host) {
  ps_bytes result;
  if (maxsize == 0 && at_hand(self, pattern, host, &result)) return result;
  ps_status status = ps_socket_lines(self, pattern, maxsize).status;
  if (status.code != PS_OK) return without_bytes(status);
  ps__call call;
  ps_prefix none = {NULL, 0};
  status = begin(&call, self, host);
  if (status.code != PS_OK) return not_begun(status, host, none);
  want wanted = wanting(none, maxsize);
  wanted.keep = 1;
  result = receive(&call, pattern, &wanted);
  if (ended(&call, result.status)) result.status.code = PS_ENDED;
  ps__end(&call);
  return result;
}

ps_sent ps_socket_send(ps_socket *self, ps_data data, ps_first i, ps_last j,
                       ps_host *host) {
  long long size = (long long)data.size;
  long long first = i < 0 ? size + i + 1 : i;
  long long last = j < 0 ? size + j + 1 : j;
  if (first < 1) first = 1;
  if (last > size) last = size;
  ps_sent result = {PS__DONE, first - 1};
  ps__call call;
  result.status = ps__begin(&call, self, host, PS__CLIENT | PS__DECIDED, PS__SENDING);
  if (result.status.code != PS_OK) return result;
  for (int again = 0; result.last < last; again = 1) {
    if (again && result.status.code == PS_OK) result.status = ps__timeout_goon(&call);
    if (result.status.code != PS_OK) break;
    size_t left = (size_t)(last - result.last), sent = 0;
    int lengthy = left >= LONG_COPY && host != NULL && host->leave != NULL;
    if (lengthy) host->leave(host);
    int error = ps__os_send(call.fd, data.data + result.last, left, &sent);
    if (lengthy) host->enter(host);
    result.last += (long long)sent;
    self->sent += sent;
    if (error != 0 && ps__os_again(error))
      result.status = ps__timeout_wait(&call, 1);
    else if (error != 0 && !ps__os_signalled(error))
      result.status = ps__socket_error(self, error);
  }
  ps__end(&call);
  return result;
}

ps_yes ps_socket_dirty(const ps_socket *self) { return (ps_yes){ps__buffered(self) > 0}; }

ps_size ps_socket_pending(const ps_socket *self) { return (ps_size){ps__buffered(self)}; }
