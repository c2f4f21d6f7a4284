/* SPDX-License-Identifier: MIT */
/* The model of a stream: a file keeps every byte that the peer's system accepted, and how
   many of them have come out of the core. A result must be the next bytes, and the piece
   that was asked for; a failure must have a reason. When several threads receive at the
   same time, the order in which they return is not that in which they received: then some
   order must exist in which all their results together are the next bytes. */

#include <stdlib.h>

#include "world.h"

static int are_same(const char *one, const char *other, size_t size) {
  return size == 0 || memcmp(one, other, size) == 0;
}

static file *file_of(const object *of) { return &w.files[of->file]; }

/* Compares data with bytes of the stream, without their CRs if drops is set. */
static int is_same(const char *data, size_t size, const char *log, size_t raw,
                   int drops) {
  if (!drops) return size == raw && are_same(data, log, size);
  size_t at = 0;
  for (size_t i = 0; i < raw; i++) {
    if (log[i] == '\r') continue;
    if (at == size || data[at++] != log[i]) return 0;
  }
  return at == size;
}

static int has_lf(const char *log, size_t size) {
  return size > 0 && memchr(log, '\n', size) != NULL;
}

/* Returns the size of the stream up to and with the first delimiter in prefix and stream
   together that ends in the stream, or 0. */
static size_t find_delimiter(const receipt *got, const char *log, size_t size) {
  for (size_t end = 1; end <= size; end++) {
    size_t match = 0;
    while (match < got->delimiter_size) {
      size_t back = got->delimiter_size - match; /* from the end of the delimiter */
      size_t total = got->prefix_size + end;
      if (back > total) break;
      size_t at = total - back;
      char there = at < got->prefix_size ? got->prefix[at] : log[at - got->prefix_size];
      if (there != got->delimiter[match]) break;
      match++;
    }
    if (match == got->delimiter_size) return end;
  }
  return 0;
}

/* ---- A result of one receiver ---- */

/* Is a piece of this size complete because the stream has ended? */
static int is_last(const receipt *got, const file *from, size_t raw) {
  return got->next && (from->ended || from->shut_in || !got->undisturbed) &&
         from->in.claimed + raw == from->in.delivered;
}

static void check_until(const receipt *got, const file *from, const char *log) {
  size_t found = find_delimiter(got, log, from->in.delivered - from->in.claimed);
  world_must(found > 0 && got->raw == found, "until: %zu bytes instead of %zu", got->raw,
             found);
  size_t size = got->prefix_size + found - got->delimiter_size;
  world_must(got->size == size, "until: a result of %zu bytes instead of %zu", got->size,
             size);
  size_t head = size < got->prefix_size ? size : got->prefix_size;
  world_must(are_same(got->data, got->prefix, head), "until: another prefix");
  world_must(is_same(got->data + head, size - head, log, size - head, 0),
             "until: other bytes");
}

static void check_piece(const receipt *got, const file *from, const char *log,
                        const char *data, size_t size) {
  size_t raw = got->raw;
  int last = is_last(got, from, raw);
  switch (got->kind) {
    case 'l':
      if (last && !has_lf(log, raw)) {
        world_must(is_same(data, size, log, raw, 1), "the last line is another");
      } else {
        world_must(raw > 0 && log[raw - 1] == '\n' && !has_lf(log, raw - 1),
                   "a line ends at another place");
        world_must(is_same(data, size, log, raw - 1, 1), "a line has other bytes");
      }
      return;
    case 'L':
      world_must(raw > 0 && !has_lf(log, raw - 1) && (last || log[raw - 1] == '\n'),
                 "a line with its end ends at another place");
      break;
    case 'n':
      if (got->count <= got->prefix_size)
        world_must(raw == 0, "bytes for a count that the prefix has");
      else
        world_must(last || got->prefix_size + raw == got->count,
                   "%zu bytes instead of %zu", got->prefix_size + raw, got->count);
      break;
    case 'y':
      world_must(raw >= 1 && (got->count == 0 || raw <= got->count),
                 "any: %zu bytes instead of at most %zu", raw, got->count);
      break;
    default:
      break;
  }
  world_must(is_same(data, size, log, raw, 0), "other bytes");
}

/* Checks that a regular end is one: each byte has come out, and no reset came before. */
static void check_end(const receipt *got, const file *from, size_t raw) {
  if (!got->undisturbed) return;
  world_must(from->ended || from->shut_in, "an end of the stream that nobody sent");
  world_must(from->ended || from->shut_in || !from->reset_told,
             "a reset is taken for an end");
  /* A last line of nothing but CRs is none. */
  size_t rest = from->in.delivered - from->in.claimed - raw;
  const char *log = from->in.log + from->in.claimed + raw;
  world_must(rest == 0 || (got->kind == 'l' && is_same("", 0, log, rest, 1)),
             "the stream ends while %zu bytes are buffered", rest);
  world_must(from->shut_in || from->in.delivered == from->in.written,
             "the stream ends before its last byte");
}

/* Was there a whole piece when a call gave up? */
static void check_timeout(const receipt *got, const file *from, const char *log) {
  size_t size = from->in.delivered - from->in.claimed;
  if (got->maxsize == 0 && !got->keep && !got->next && got->kind != 'y')
    world_must(got->raw == size, "a timeout leaves %zu bytes in the buffer",
               size - got->raw);
  if (got->kind == 'l' || got->kind == 'L')
    world_must(!has_lf(log, size), "a timeout though a line is there");
  if (got->kind == 'n')
    world_must(got->prefix_size + size < got->count, "a timeout though all is there");
  if (got->kind == 'u')
    world_must(find_delimiter(got, log, size) == 0,
               "a timeout though a delimiter is there");
  if (got->kind == 'y') world_must(size == 0, "a timeout though there are bytes");
}

/* Checks the part of a failure. */
static void check_partial(const receipt *got, const file *from, const char *log,
                          const char *data, size_t size) {
  short code = got->status.code;
  if (code == PS_OVERSIZED && !got->next)
    world_must(got->size == got->maxsize, "oversized with %zu bytes of %zu", got->size,
               got->maxsize);
  if (code == PS_TIMEOUT && got->status.system == 0 && got->maxsize > 0 &&
      got->kind != 'n')
    world_must(got->size < got->maxsize, "a timeout with as many bytes as maxsize");
  world_must(is_same(data, size, log, got->raw, got->kind == 'l'),
             "the partial of a failure (%d) has other bytes: kind %c size %zu raw %zu "
             "maxsize %zu prefix %zu",
             code, got->kind, size, got->raw, got->maxsize, got->prefix_size);
  if (code == PS_TIMEOUT && got->status.system == 0 && got->alone)
    check_timeout(got, from, log);
}

static int is_bare(const receipt *got) {
  short code = got->status.code;
  return code == PS_INTERRUPTED || code == PS_NOMEMORY || code >= PS_MISUSED ||
         (got->next && code != PS_OK) || (got->keep && code == PS_TIMEOUT);
}

static void check_single(const receipt *got, const object *of) {
  file *from = file_of(of);
  const char *log = from->in.log + from->in.claimed;
  short code = got->status.code;
  world_must(from->in.claimed + got->raw <= from->in.delivered,
             "%zu bytes came out that were never read", got->raw);
  if (code == PS_OK && got->kind == 'u') {
    check_until(got, from, log);
  } else if (is_bare(got) && got->size == 0) {
    int dropped = got->kind == 'l' && is_same("", 0, log, got->raw, 1);
    world_must(got->raw == 0 || (code == PS_TIMEOUT && dropped),
               "a failure (%d) without bytes took %zu", code, got->raw);
    if (code == PS_TIMEOUT && got->alone && got->status.system == 0)
      check_timeout(got, from, log);
  } else {
    world_must(got->size >= got->prefix_size &&
                   are_same(got->data, got->prefix, got->prefix_size),
               "the result does not begin with the prefix");
    const char *data = got->data + got->prefix_size;
    size_t size = got->size - got->prefix_size;
    if (code == PS_OK)
      check_piece(got, from, log, data, size);
    else
      check_partial(got, from, log, data, size);
  }
  int ended = (code == PS_CLOSED && got->status.system == 0) || code == PS_ENDED ||
              (code == PS_OK && got->kind == 'a');
  if (ended) check_end(got, from, got->raw);
  from->in.claimed += got->raw;
}

/* ---- Results of several receivers ---- */

static void keep_piece(const receipt *got, object *of) {
  size_t skip_prefix = got->size < got->prefix_size ? got->size : got->prefix_size;
  size_t size = got->size - skip_prefix;
  int whole = got->status.code == PS_OK;
  size_t skip = !whole             ? 0
                : got->kind == 'l' ? 1
                : got->kind == 'u' ? got->delimiter_size
                                   : 0;
  if (size + skip == 0) return;
  piece *made = world_log(sizeof *made + size);
  if (made == NULL) {
    of->strict = 0;
    return;
  }
  *made = (piece){NULL, w.current->id, got->next, size, skip};
  if (size > 0) memcpy(made->data, got->data + skip_prefix, size);
  if (of->pieces == NULL) of->last_piece = &of->pieces;
  *of->last_piece = made;
  of->last_piece = &made->next;
}

static piece *next_of(piece *from, int fiber) {
  while (from != NULL && from->fiber != fiber) from = from->next;
  return from;
}

/* Tries the orders in which the pieces may have been received. */
static int merge(stream *in, size_t at, piece *heads[FIBERS], int *tries) {
  int some = 0;
  if (++*tries > 20000) return 1; /* give up */
  for (int i = 0; i < FIBERS; i++) {
    piece *head = heads[i];
    if (head == NULL) continue;
    some = 1;
    if (in->delivered - at < head->size ||
        !are_same(in->log + at, head->data, head->size))
      continue;
    size_t end = at + head->size + head->skip;
    if (end > in->delivered && head->at_end) end = in->delivered;
    if (end > in->delivered) continue;
    heads[i] = next_of(head->next, i);
    int done = merge(in, end, heads, tries);
    heads[i] = head;
    if (done) return 1;
  }
  if (!some) in->claimed = at;
  return !some;
}

void model_merge(object *of) {
  if (of->pieces == NULL) return;
  piece *heads[FIBERS];
  int tries = 0;
  for (int i = 0; i < FIBERS; i++) heads[i] = next_of(of->pieces, i);
  of->pieces = NULL;
  if (!of->strict) return;
  stream *in = &file_of(of)->in;
  int done = in->delivered >= in->claimed && merge(in, in->claimed, heads, &tries);
  world_must(done, "what several threads received is not the stream");
  if (tries > 20000) of->strict = 0;
}

/* ---- The whole ---- */

unsigned long long model_single, model_merged, model_free;

void model_received(const receipt *got) {
  object *of = &w.objects[got->object];
  if (!of->strict || of->file < 0)
    model_free += got->size > 0;
  else if (got->single && of->pieces == NULL)
    model_single += got->size > 0;
  else
    model_merged += got->size > 0;
  if (!of->strict || of->file < 0) return;
  /* A held view whose object is closed before it is taken is not counted any more. */
  if (!got->undisturbed && got->raw == 0 && got->size > 0) {
    of->strict = 0;
    return;
  }
  if (got->single && of->pieces == NULL)
    check_single(got, of);
  else
    keep_piece(got, of);
}

/* An object in which no call is under way: its own count, and what is in its buffer. */
void model_check_end(object *of) {
  if (of->socket == NULL || of->state != OBJECT_OPEN) return;
  ps_stats stats = ps_socket_getstats(of->socket);
  world_must(w.forked || stats.sent == of->sent,
             "getstats: %lld bytes sent instead of %lld", stats.sent, of->sent);
  if (!of->strict || of->file < 0) return;
  const stream *in = &file_of(of)->in;
  world_must(stats.received == (long long)in->claimed,
             "getstats: %lld bytes received instead of %zu", stats.received, in->claimed);
  world_must(ps_socket_pending(of->socket).size == in->delivered - in->claimed,
             "%zu bytes are in the buffer instead of %zu",
             ps_socket_pending(of->socket).size, in->delivered - in->claimed);
}
