/* SPDX-License-Identifier: MIT */
/* The public functions that receive: they check their arguments and convert them to a
   wish for ps__stream_receive. */

#include <stdint.h>

#include "internal.h"

ps_pattern ps_pattern_of(const char *text, size_t size) {
  int starred = size > 1 && text[0] == '*';
  char letter = size == 0 ? '\0' : starred ? text[1] : text[0];
  int known = letter == 'l' || letter == 'L' || letter == 'a';
  return (ps_pattern){known && (starred || size == 1) ? letter : '?', 0};
}

/* Is a count larger than any buffer of a 64-bit system? The bound is the same on 32-bit
   systems, so that misuse does not depend on the system. */
static int is_too_large(long long count) { return count > INT64_MAX - 65536; }

static int is_pattern(ps_pattern pattern) {
  return pattern.kind == 'l' || pattern.kind == 'L' || pattern.kind == 'a' ||
         (pattern.kind == 'n' && pattern.count >= 0 && !is_too_large(pattern.count));
}

static ps_status check_pattern(ps_pattern pattern, ps_maxsize maxsize) {
  if (!is_pattern(pattern)) return ps__error_misuse(PS_MISUSE_PATTERN, 1, "pattern");
  if (maxsize > 0 && pattern.kind == 'n' && (unsigned long long)pattern.count > maxsize)
    return ps__error_misuse(PS_MISUSE_COUNTSIZE, 1, "pattern");
  return PS__DONE;
}

static ps_status check_prefix(ps_prefix prefix, ps_maxsize maxsize) {
  return maxsize == 0 || prefix.size < maxsize
             ? PS__DONE
             : ps__error_misuse(PS_MISUSE_PREFIXSIZE, 2, "prefix");
}

/* Converts a count to size_t. A count that no memory can hold is never reached, so its
   exact value does not matter; SIZE_MAX has another meaning. */
static size_t count_of(long long count) {
  return (unsigned long long)count < SIZE_MAX ? (size_t)count : SIZE_MAX - 1;
}

/* Returns the limit of a wish. A bound that no memory can reach is no bound. */
static size_t limit_of(ps_prefix prefix, ps_maxsize maxsize) {
  if (maxsize == 0 || maxsize - prefix.size > SIZE_MAX) return SIZE_MAX;
  return (size_t)(maxsize - prefix.size);
}

static ps__wish wish_of(ps_pattern pattern, ps_prefix prefix, ps_maxsize maxsize) {
  ps__wish wish = {.kind = pattern.kind, .prefix = prefix};
  wish.limit = limit_of(prefix, maxsize);
  if (pattern.kind != 'n') return wish;
  size_t count = count_of(pattern.count);
  wish.count = count > prefix.size ? count - prefix.size : 0;
  return wish;
}

/* Fast path: returns a line or a count of bytes that is in the reader already, for a host
   with PS_HOST_HOLD, without turn or clock. Returns whether it was there; if not, nothing
   has changed. */
static inline int at_hand(ps_socket *self, ps_pattern pattern, const ps_host *host,
                          ps_bytes *result) {
  if (!ps__holds(host) || self == NULL || self->reader.buffer == NULL) return 0;
  unsigned state = atomic_load_explicit(&self->state, memory_order_relaxed);
  if ((state & (PS__CLOSED | PS__REPLACED | PS__RECEIVING | PS__ORPHANED)) != 0) return 0;
  if (((uintptr_t)self->viewer | (uintptr_t)self->views) != 0) return 0;
  if (ps__stream_outdated(self)) return 0;
  /* After a timeout the end of the next call updates the poller and ps_socket_wants. */
  if (atomic_load_explicit(&self->starved, memory_order_relaxed)) return 0;
  ps__piece piece;
  if (pattern.kind == 'l') {
    if (!ps__reader_line(&self->reader, &piece)) return 0;
  } else {
    if (pattern.kind != 'n' || pattern.count < 1) return 0;
    if ((unsigned long long)pattern.count > ps__reader_size(&self->reader)) return 0;
    piece.size = piece.used = (size_t)pattern.count;
  }
  result->status = PS__DONE;
  result->head = NULL;
  result->head_size = 0;
  result->data = ps__reader_data(&self->reader);
  result->size = result->raw = piece.size;
  result->held = piece.used;
  result->before = atomic_load_explicit(&self->received, memory_order_relaxed);
  return 1;
}

static PS__APART ps_bytes receive_pattern(ps_socket *self, ps_pattern pattern,
                                          ps_prefix prefix, ps_maxsize maxsize,
                                          ps_host *host) {
  ps_status status = ps__call_kind(self, PS__CLIENT);
  if (status.code == PS_OK) status = check_pattern(pattern, maxsize);
  if (status.code == PS_OK) status = check_prefix(prefix, maxsize);
  if (status.code != PS_OK) return ps__stream_without(status);
  ps__call call;
  status = ps__stream_begin(&call, self, host);
  if (status.code != PS_OK) return ps__stream_not_begun(status, host, prefix);
  ps__wish wish = wish_of(pattern, prefix, maxsize);
  size_t direct = pattern.kind == 'a' && wish.limit == SIZE_MAX ? SIZE_MAX
                  : pattern.kind == 'n'                         ? wish.count
                                                                : 0;
  ps_bytes result;
  if (ps__lends(host) && direct >= PS__DIRECT &&
      direct > ps__reader_size(&self->reader) && !ps__is_marked(self, PS_MARK_KEEP))
    result = ps__direct_receive(&call, &wish, direct);
  else
    result = ps__stream_receive(&call, &wish, 0);
  ps__stream_end(&call, result.status);
  return result;
}

ps_bytes ps_socket_receive(ps_socket *self, ps_pattern pattern, ps_prefix prefix,
                           ps_maxsize maxsize, ps_host *host) {
  ps_bytes result;
  if (prefix.size == 0 && maxsize == 0 && at_hand(self, pattern, host, &result))
    return result;
  return receive_pattern(self, pattern, prefix, maxsize, host);
}

static ps_bytes receive_wish(ps_socket *self, ps__wish *wish, int keep, ps_host *host) {
  ps__call call;
  ps_status status = ps__stream_begin(&call, self, host);
  if (status.code != PS_OK) return ps__stream_not_begun(status, host, wish->prefix);
  ps_bytes result = ps__stream_receive(&call, wish, keep);
  ps__stream_end(&call, result.status);
  return result;
}

ps_bytes ps_socket_receiveany(ps_socket *self, ps_maxsize max, ps_host *host) {
  ps__wish wish = {.kind = 'y', .limit = SIZE_MAX};
  wish.count = max == 0 || max > SIZE_MAX ? SIZE_MAX : (size_t)max;
  return receive_wish(self, &wish, 0, host);
}

ps_bytes ps_socket_receiveuntil(ps_socket *self, ps_data delimiter, ps_prefix prefix,
                                ps_maxsize maxsize, ps_host *host) {
  ps_status status = ps__call_kind(self, PS__CLIENT);
  if (status.code == PS_OK && delimiter.size == 0)
    status = ps__error_misuse(PS_MISUSE_DELIMITER, 1, "delimiter");
  if (status.code == PS_OK) status = check_prefix(prefix, maxsize);
  if (status.code != PS_OK) return ps__stream_without(status);
  ps__wish wish = {.kind = 'u', .delimiter = delimiter, .prefix = prefix};
  wish.limit = limit_of(prefix, maxsize);
  return receive_wish(self, &wish, 0, host);
}

/* Fills memory only when the reader has all bytes, or when no more will come. */
static ps_status fill_at_once(ps__call *call, char *memory, size_t size, size_t *have) {
  ps__reader *reader = &call->self->reader;
  ps_status status = PS__DONE;
  while (status.code == PS_OK && ps__reader_size(reader) < size)
    status = ps__stream_more(call, size);
  if (status.code == PS_TIMEOUT || status.code == PS_INTERRUPTED) return status;
  size_t there = ps__reader_size(reader);
  if (there > size) there = size;
  ps__direct_fill(call, memory, there, there, have);
  return status;
}

ps_filled ps_socket_receiveinto(ps_socket *self, ps_room buffer, ps_total nbytes,
                                ps_host *host) {
  ps_filled result = {ps__call_kind(self, PS__CLIENT), 0};
  if (result.status.code != PS_OK) return result;
  if (nbytes > 0 && (unsigned long long)nbytes > buffer.size)
    result.status = ps__error_misuse(PS_MISUSE_BUFFERSIZE, 2, "nbytes");
  if (result.status.code != PS_OK) return result;
  size_t size = nbytes < 0 ? buffer.size : (size_t)nbytes;
  ps__call call;
  result.status = ps__stream_begin(&call, self, host);
  if (result.status.code != PS_OK) return result;
  if (ps__is_marked(self, PS_MARK_KEEP))
    result.status = fill_at_once(&call, buffer.data, size, &result.count);
  else
    result.status = ps__direct_fill(&call, buffer.data, size, size, &result.count);
  if (result.status.code == PS_INTERRUPTED &&
      ps__direct_unread(self, buffer.data, result.count) == PS_OK)
    result.count = 0;
  ps__stream_end(&call, result.status);
  return result;
}

ps_lines ps_socket_lines(ps_socket *self, ps_pattern pattern, ps_maxsize maxsize) {
  ps_status status = ps__call_kind(self, PS__CLIENT);
  if (status.code == PS_OK) status = check_pattern(pattern, maxsize);
  if (status.code == PS_OK && pattern.kind == 'n' && pattern.count == 0)
    status = ps__error_misuse(PS_MISUSE_POSITIVE, 1,
                              "pattern"); /* the iterator would never end */
  return (ps_lines){status, pattern, maxsize};
}

static PS__APART ps_bytes next_piece(ps_socket *self, ps_pattern pattern,
                                     ps_maxsize maxsize, ps_host *host) {
  ps_status status = ps_socket_lines(self, pattern, maxsize).status;
  if (status.code != PS_OK) return ps__stream_without(status);
  ps__wish wish = wish_of(pattern, (ps_prefix){NULL, 0}, maxsize);
  return receive_wish(self, &wish, 1, host);
}

ps_bytes ps_socket_next(ps_socket *self, ps_pattern pattern, ps_maxsize maxsize,
                        ps_host *host) {
  ps_bytes result;
  if (maxsize == 0 && at_hand(self, pattern, host, &result)) return result;
  return next_piece(self, pattern, maxsize, host);
}

ps_yes ps_socket_dirty(const ps_socket *self) {
  return (ps_yes){ps_socket_pending(self).size > 0};
}

ps_size ps_socket_pending(const ps_socket *self) {
  if (self == NULL) return (ps_size){0};
  unsigned state = atomic_load_explicit(&self->state, memory_order_relaxed);
  if ((state & PS__CLOSED) != 0) return (ps_size){0};
  size_t buffered = atomic_load_explicit(&self->pending, memory_order_relaxed);
  if (buffered > 0 && ps__turn_orphaned(self)) buffered = 0;
  return (ps_size){buffered + self->transport->pending(self)};
}
