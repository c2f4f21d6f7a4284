/* SPDX-License-Identifier: MIT */
/* Large results bypass the read buffer: bytes are read directly into memory of the
   language or of the caller. That memory grows as bytes arrive, so a peer that announces
   many bytes without sending them costs no memory. */

#include <stdint.h>
#include <string.h>

#include "internal.h"

enum { PART = 1024 * 1024 }; /* a result gets this much memory before its bytes arrive */

static void take(ps_socket *self, size_t count) {
  ps__stream_received(self, count);
  ps__reader_take(&self->reader, count, 0);
}

ps_status ps__direct_fill(ps__call *call, char *memory, size_t least, size_t size,
                          size_t *have) {
  ps_socket *self = call->self;
  ps_status status = PS__DONE;
  while (*have < least) {
    size_t there = ps__reader_size(&self->reader), left = size - *have;
    if (there > 0) {
      size_t count = there < left ? there : left;
      memcpy(memory + *have, ps__reader_data(&self->reader), count);
      take(self, count);
      *have += count;
      continue;
    }
    /* A short rest is read through the reader, together with the bytes that follow it. */
    if (left < PS__DIRECT) {
      status = ps__stream_more(call, SIZE_MAX);
    } else {
      size_t got;
      status = ps__stream_read(call, memory + *have, left, &got);
      ps__stream_received(self, got);
      *have += got;
    }
    if (status.code != PS_OK) return status;
  }
  return status;
}

/* Fills memory up to size. After the first part pages are mapped part by part; a page
   fault for each page takes a quarter longer (160 ms instead of 125 for 300 MB). */
static ps_status fill_pages(ps__call *call, char *memory, size_t size, size_t *have) {
  ps_status status = PS__DONE;
  while (status.code == PS_OK && *have >= PART && size - *have > PART) {
    size_t part = *have + PART;
    ps__host_leave(call->host);
    ps__os_populate(memory + *have, PART);
    ps__host_enter(call->host);
    status = ps__direct_fill(call, memory, part - PS__DIRECT, part, have);
  }
  return status.code == PS_OK ? ps__direct_fill(call, memory, size, size, have) : status;
}

short ps__direct_unread(ps_socket *self, const char *memory, size_t size) {
  short code = ps__reader_unread(&self->reader, memory, size);
  if (code != PS_OK) return code;
  unsigned long long before = atomic_load_explicit(&self->received, memory_order_relaxed);
  atomic_store_explicit(&self->received, before - size, memory_order_relaxed);
  return PS_OK;
}

static ps_bytes lent(ps_status status, const char *memory, size_t size) {
  return (ps_bytes){.status = status, .data = memory, .size = size, .raw = size};
}

ps_bytes ps__direct_receive(ps__call *call, ps__wish *wish, size_t count) {
  ps_socket *self = call->self;
  ps_host *host = call->host;
  size_t have = 0, room = PART, prefix = wish->prefix.size;
  char *memory = NULL;
  ps_status status = PS__DONE;
  while (status.code == PS_OK && have < count) {
    if (room > count) room = count;
    char *grown = room <= PTRDIFF_MAX - prefix ? host->grow(host, prefix + room) : NULL;
    if (grown == NULL) break;
    if (memory == NULL && prefix > 0) memcpy(grown, wish->prefix.data, prefix);
    memory = grown;
    status = fill_pages(call, memory + prefix, room, &have);
    room = room <= SIZE_MAX / 2 ? room * 2 : SIZE_MAX;
  }
  int whole =
      have == count || (count == SIZE_MAX && have > 0 && ps__stream_ended(call, status));
  if (whole) return lent(PS__DONE, memory, prefix + have);
  const ps__piece none = {.verdict = PS__MORE, .prefix = prefix};
  if (memory == NULL && !ps__holds(host))
    return ps__stream_deliver(call, ps__error_failure(PS_NOMEMORY), wish->prefix, none);
  /* An interrupted call returns no bytes, and a held view must point into the reader: put
     the bytes back. */
  int back = status.code == PS_INTERRUPTED || ps__holds(host);
  if (back &&
      ps__direct_unread(self, memory == NULL ? NULL : memory + prefix, have) == PS_OK) {
    if (status.code != PS_OK) return ps__stream_fail(call, status, wish, 0);
    /* grow had no memory. Use the reader; the language may have memory for the result. */
    return ps__stream_receive(call, wish, 0);
  }
  if (status.code == PS_OK) status = ps__error_failure(PS_NOMEMORY);
  return lent(status, memory, prefix + have);
}
