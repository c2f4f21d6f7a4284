/* SPDX-License-Identifier: MIT */
/* Receive and send: asks the reader for a piece, receives bytes through the transport,
   and waits when that would block. A received byte must always be in exactly one place:
   the result, the partial or the reader. Results that bypass the read buffer are in
   direct.c. */

#include <string.h>

#include "internal.h"

enum { CHUNK = 64 * 1024 }; /* bytes to read when the size of the piece is unknown */

/* ---- Views: memory that a thread may read until its next call on the object ---- */

struct ps__view {
  ps__view *next;
  unsigned long thread;
  struct ps__buffer *buffer;
  int dropped; /* its bytes were dropped from the reader */
};

/* Frees the views of a thread; 0: of all threads. */
static void free_views(ps_socket *self, unsigned long thread) {
  for (ps__view **at = &self->views; *at != NULL;) {
    ps__view *view = *at;
    if (thread != 0 && view->thread != thread) {
      at = &view->next;
      continue;
    }
    *at = view->next;
    ps__os_realloc(view->buffer, 0);
    ps__os_realloc(view, 0);
  }
}

/* Leaves the buffer to the thread that has a view of it, and continues with another. */
static short keep_view(ps_socket *self) {
  ps__view *view = ps__os_realloc(NULL, sizeof *view);
  if (view == NULL) return PS_NOMEMORY;
  short code;
  *view =
      (ps__view){self->views, self->viewer, ps__reader_split(&self->reader, &code), 0};
  if (view->buffer == NULL) {
    ps__os_realloc(view, 0);
    if (code != PS_OK) return code;
  } else {
    self->views = view;
  }
  self->viewer = 0;
  return PS_OK;
}

/* Ends the views of the calling thread, and separates the view of another thread. */
static ps_status settle_views(ps_socket *self) {
  if (self->viewer == 0 && self->views == NULL) return PS__DONE;
  unsigned long me = ps__os_thread();
  free_views(self, me);
  if (self->viewer == 0) return PS__DONE;
  if (self->viewer != me) return ps__error_failure(keep_view(self));
  self->viewer = 0;
  ps__reader_take(&self->reader, 0, 0); /* frees a buffer that only the view needed */
  return PS__DONE;
}

/* The system reports the error of a broken connection only once; later calls see end of
   file. So the object remembers the error. */
static void break_connection(ps_socket *self, int error) {
  atomic_store_explicit(&self->broken, (unsigned short)error, memory_order_relaxed);
}

void ps__stream_clear(ps_socket *self) {
  ps__turn_disown(self);
  break_connection(self, 0);
  /* Without memory to separate them, the bytes stay for the view of the other thread. */
  if (self->viewer != 0 && self->viewer != ps__os_thread() && keep_view(self) != PS_OK)
    ps__reader_take(&self->reader, ps__reader_size(&self->reader), 1);
  else
    ps__reader_clear(&self->reader);
  for (ps__view *view = self->views; view != NULL; view = view->next) view->dropped = 1;
  self->revival = atomic_load(&self->revivals);
  ps__stream_count(self);
}

void ps__stream_free(ps_socket *self) {
  ps__turn_disown(self);
  free_views(self, 0);
  ps__reader_clear(&self->reader);
}

/* ---- The receiving call ---- */

size_t ps__stream_size(const ps_socket *self) {
  return ps__stream_outdated(self) ? 0 : ps__reader_size(&self->reader);
}

void ps__stream_count(ps_socket *self) {
  atomic_store_explicit(&self->pending, ps__stream_size(self), memory_order_relaxed);
}

void ps__stream_received(ps_socket *self, size_t count) {
  unsigned long long before = atomic_load_explicit(&self->received, memory_order_relaxed);
  atomic_store_explicit(&self->received, before + count, memory_order_relaxed);
}

ps_status ps__stream_begin(ps__call *call, ps_socket *self, ps_host *host) {
  ps_status status =
      ps__call_begin(call, self, host, PS__CLIENT | PS__DECIDED, PS__RECEIVING);
  if (status.code != PS_OK) return status;
  if (call->block == 0 && ps__is_marked(self, PS_MARK_BUFFERED)) call->budget = 0;
  if (ps__stream_outdated(self)) ps__stream_clear(self);
  status = settle_views(self);
  if (status.code != PS_OK) ps__call_end(call);
  return status;
}

void ps__stream_end(ps__call *call, ps_status status) {
  ps_socket *self = call->self;
  ps__stream_count(self);
  unsigned char starved = status.code == PS_TIMEOUT;
  if (atomic_load_explicit(&self->starved, memory_order_relaxed) != starved)
    atomic_store_explicit(&self->starved, starved, memory_order_relaxed);
  if (!starved) ps__stream_satisfied(self, 'r');
  /* ps__call_end closes the descriptor, which may wait if the socket lingers. Other
     threads run meanwhile, and must not free the view of this one. */
  if (ps__turn_gone(call)) self->viewer = ps__os_thread();
  ps__call_end(call);
  if (atomic_load(&self->poller) != NULL) ps__member_buffered(self);
}

/* The system has said that the stream has ended. After a reset it says that, too, once it
   has reported the error, perhaps to a call that sends in another thread and has not
   remembered it yet. But then it knows no peer any more. */
static ps_status ended(const ps__call *call) {
  const ps_socket *self = call->self;
  ps_address peer;
  int sending = (atomic_load(&self->state) & PS__SENDING) != 0;
  int lost = sending ? ps__os_name(call->fd, 1, &peer) : 0;
  int error = atomic_load_explicit(&self->broken, memory_order_relaxed);
  if (error != 0) return ps__timeout_error(call, error);
  return (ps_status){.code = PS_CLOSED, .system = lost};
}

ps_status ps__stream_read(ps__call *call, char *data, size_t size, size_t *got) {
  ps_host *host = call->host;
  *got = 0;
  ps_status status = call->again ? ps__timeout_goon(call, 'r') : PS__DONE;
  call->again = 1;
  if (status.code == PS_OK && call->budget == 0) {
    atomic_store_explicit(&call->self->wants, 'r', memory_order_relaxed);
    return ps__error_failure(PS_TIMEOUT);
  }
  if (size > call->budget) size = call->budget;
  int lengthy = size >= PS__LONG_COPY && host != NULL && host->leave != NULL;
  while (status.code == PS_OK) {
    if (lengthy) host->leave(host);
    ps__io io = call->self->transport->receive(call, data, size);
    if (lengthy) host->enter(host);
    switch (io.verdict) {
      case PS__MOVED:
        *got = io.count;
        if (call->budget != SIZE_MAX) call->budget -= io.count;
        return PS__DONE;
      case PS__WOULD_READ:
      case PS__WOULD_WRITE:
        status = ps__timeout_wait(call, io.verdict == PS__WOULD_WRITE);
        break;
      case PS__AGAIN:
        status = ps__timeout_goon(call, 'r');
        break;
      case PS__END:
        return ended(call);
      default:
        break_connection(call->self, io.error);
        return ps__timeout_error(call, io.error);
    }
  }
  return status;
}

ps_status ps__stream_more(ps__call *call, size_t bound) {
  ps__reader *reader = &call->self->reader;
  size_t room, got, size = ps__reader_size(reader);
  /* The rest of one line must not enlarge the buffer for the following ones. */
  size_t want = size < CHUNK / 2 ? CHUNK - size : CHUNK;
  char *memory = ps__reader_room(reader, want, bound, &room);
  if (memory == NULL) return ps__error_failure(PS_NOMEMORY);
  ps_status status = ps__stream_read(call, memory, room, &got);
  /* A forked child may have cleared the reader in the middle of a call that failed then.
   */
  if (status.code == PS_OK || reader->buffer != NULL) ps__reader_filled(reader, got);
  return status;
}

/* A reset, and a close by another thread, are PS_CLOSED, too, but the stream is
   incomplete then. */
int ps__stream_ended(const ps__call *call, ps_status status) {
  return status.code == PS_CLOSED && status.system == 0 && !ps__turn_gone(call);
}

/* ---- Results ---- */

ps_bytes ps__stream_without(ps_status status) { return (ps_bytes){.status = status}; }

/* Copies a result into memory of the host. */
static ps_bytes lend(ps_host *host, ps_bytes view) {
  char *memory = host->grow(host, ps_bytes_size(&view));
  if (memory == NULL) return ps__stream_without(ps__error_failure(PS_NOMEMORY));
  ps_bytes_copy(&view, memory);
  size_t size = ps_bytes_size(&view);
  return (ps_bytes){.status = view.status, .data = memory, .size = size, .raw = size};
}

ps_bytes ps__stream_deliver(ps__call *call, ps_status status, ps_prefix prefix,
                            ps__piece piece) {
  ps_socket *self = call->self;
  ps_host *host = call->host;
  int holds = ps__holds(host), lends = !holds && ps__lends(host);
  if (!holds && !lends && piece.raw > piece.size) {
    ps__stream_received(self, piece.raw - piece.size);
    piece = ps__reader_flatten(&self->reader, piece);
  }
  ps_bytes result = {
      status,     prefix.data, piece.prefix, ps__reader_data(&self->reader),
      piece.size, piece.raw,   piece.used,   0};
  result.before = atomic_load_explicit(&self->received, memory_order_relaxed);
  if (holds) return result;
  result.held = 0;
  if (lends) {
    result = lend(host, result);
    /* A copy that failed has no data. The code cannot tell: the failure that carries the
       bytes may itself be PS_NOMEMORY. */
    if (result.data == NULL) return result;
  } else if (piece.raw > 0) {
    self->viewer = ps__os_thread();
  }
  ps__stream_received(self, piece.used);
  ps__reader_take(&self->reader, piece.used, !lends && piece.raw > 0);
  return result;
}

ps_bytes ps__stream_fail(ps__call *call, ps_status status, const ps__wish *wish,
                         int keep) {
  const ps__piece none = {.verdict = PS__MORE};
  const ps_prefix no_prefix = {NULL, 0};
  if (status.code == PS_INTERRUPTED) return ps__stream_without(status);
  if (status.code == PS_TIMEOUT && ps__is_marked(call->self, PS_MARK_KEEP))
    return ps__stream_deliver(call, status, no_prefix, none);
  ps__piece rest = ps__reader_rest(&call->self->reader, wish, status.code == PS_CLOSED);
  if (rest.verdict == PS__OVERSIZED) status = ps__error_failure(PS_OVERSIZED);
  if (ps__stream_ended(call, status) && (keep || wish->kind == 'a')) {
    if (rest.size > 0) return ps__stream_deliver(call, PS__DONE, wish->prefix, rest);
    if (keep) status.code = PS_ENDED;
  }
  if (keep) return ps__stream_deliver(call, status, no_prefix, none);
  return ps__stream_deliver(call, status, wish->prefix, rest);
}

ps_bytes ps__stream_receive(ps__call *call, ps__wish *wish, int keep) {
  ps__reader *reader = &call->self->reader;
  for (wish->again = 0;; wish->again = 1) {
    short code;
    ps__piece piece = ps__reader_look(reader, wish, &code);
    if (piece.verdict == PS__PIECE)
      return ps__stream_deliver(call, PS__DONE, wish->prefix, piece);
    ps_status status = ps__error_failure(code);
    if (piece.verdict == PS__OVERSIZED) {
      status.code = PS_OVERSIZED;
      if (keep) piece = (ps__piece){.verdict = PS__OVERSIZED};
      return ps__stream_deliver(call, status, wish->prefix, piece);
    }
    if (code == PS_OK) status = ps__stream_more(call, ps__reader_bound(wish));
    if (status.code != PS_OK) return ps__stream_fail(call, status, wish, keep);
  }
}

ps_bytes ps__stream_not_begun(ps_status status, ps_host *host, ps_prefix prefix) {
  if (status.code == PS_INTERRUPTED || status.code >= PS_MISUSED)
    return ps__stream_without(status);
  ps_bytes view = {.status = status, .head = prefix.data, .head_size = prefix.size};
  return ps__lends(host) && !ps__holds(host) ? lend(host, view) : view;
}

size_t ps_bytes_size(const ps_bytes *bytes) { return bytes->head_size + bytes->size; }

void ps_bytes_copy(const ps_bytes *bytes, char *to) {
  if (bytes->head_size > 0) memcpy(to, bytes->head, bytes->head_size);
  ps__reader_copy(to + bytes->head_size, bytes->data, bytes->size, bytes->raw);
}

/* Is the held view of the calling thread in a buffer that is no longer the reader's? */
static int is_dropped(const ps_socket *self) {
  for (const ps__view *view = self->views; view != NULL; view = view->next)
    if (view->dropped && view->thread == ps__os_thread()) return 1;
  return 0;
}

static inline int take_view(ps_socket *self, const ps_bytes *view) {
  unsigned long long before = atomic_load_explicit(&self->received, memory_order_relaxed);
  if (before != view->before) return 0;
  if (ps__reader_size(&self->reader) < view->held) return 1; /* it was closed */
  atomic_store_explicit(&self->received, before + view->held, memory_order_relaxed);
  ps__reader_take(&self->reader, view->held, 0);
  ps__stream_count(self);
  return 1;
}

static PS__APART int take_beside_views(ps_socket *self, const ps_bytes *view) {
  return is_dropped(self) ? 1 : take_view(self, view);
}

int ps_socket_take(ps_socket *self, const ps_bytes *view) {
  if (view->held == 0) return 1; /* do not read the reader: another thread may use it */
  if (self == NULL) return 0;
  return self->views != NULL ? take_beside_views(self, view) : take_view(self, view);
}

/* ---- Send ---- */

/* Sends once; waits when the transport would block. */
static ps_status send_some(ps__call *call, const char *data, size_t size, size_t *sent) {
  ps_host *host = call->host;
  *sent = 0;
  int lengthy = size >= PS__LONG_COPY && host != NULL && host->leave != NULL;
  if (lengthy) host->leave(host);
  ps__io io = call->self->transport->send(call, data, size);
  if (lengthy) host->enter(host);
  switch (io.verdict) {
    case PS__MOVED:
      *sent = io.count;
      return PS__DONE;
    case PS__WOULD_READ:
    case PS__WOULD_WRITE:
      return ps__timeout_wait(call, io.verdict == PS__WOULD_WRITE);
    case PS__BROKEN:
      if (!ps__os_sendonly(io.error)) break_connection(call->self, io.error);
      return ps__timeout_error(call, io.error);
    default: /* a signal: the host is called before the next try */
      return PS__DONE;
  }
}

static ps_status send_range(ps__call *call, const char *data, long long *done,
                            long long last) {
  ps_socket *self = call->self;
  ps_status status = PS__DONE;
  while (status.code == PS_OK && *done < last) {
    size_t left = (size_t)(last - *done), sent;
    status = call->again ? ps__timeout_goon(call, 'w') : PS__DONE;
    call->again = 1;
    if (status.code != PS_OK) break;
    if (call->budget == 0) {
      atomic_store_explicit(&self->wants, 'w', memory_order_relaxed);
      return ps__error_failure(PS_TIMEOUT);
    }
    if (left > call->budget) left = call->budget;
    status = send_some(call, data + *done, left, &sent);
    *done += (long long)sent;
    if (call->budget != SIZE_MAX) call->budget -= sent;
    unsigned long long before = atomic_load_explicit(&self->sent, memory_order_relaxed);
    atomic_store_explicit(&self->sent, before + sent, memory_order_relaxed);
  }
  return status;
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
  result.status =
      ps__call_begin(&call, self, host, PS__CLIENT | PS__DECIDED, PS__SENDING);
  if (result.status.code != PS_OK) return result;
  result.status = send_range(&call, data.data, &result.last, last);
  if (result.status.code != PS_TIMEOUT) ps__stream_satisfied(self, 'w');
  ps__call_end(&call);
  return result;
}
