/* SPDX-License-Identifier: MIT */
/* A model of core/reader.c that is slow and easy to see through, and a driver that plays
   a tape of random bytes on both and compares. The unit test and the fuzzer share it. Who
   includes it defines CHECK(condition) first. */

#ifndef PS_READER_MODEL_H
#define PS_READER_MODEL_H

#include <stdlib.h>
#include <string.h>

#include "reader.h"
#include "reader_test.h"

enum { MODEL_MOST = 4096 };

typedef struct model {
  char bytes[MODEL_MOST];
  size_t size;
} model;

typedef struct model_piece {
  int verdict;
  size_t prefix, used, size;
  char bytes[MODEL_MOST]; /* of the buffer, without dropped CRs */
} model_piece;

static model_piece model_answer(int verdict, const model *self, const ps__wish *wish,
                                size_t size) {
  model_piece piece = {verdict, wish->prefix.size, size, size, {0}};
  memcpy(piece.bytes, self->bytes, size);
  return piece;
}

/* Byte by byte: what is no CR is kept, until LF or until a limit is passed. */
static model_piece model_line(const model *self, const ps__wish *wish, size_t limit,
                              size_t most_returns) {
  model_piece piece = model_answer(PS__MORE, self, wish, 0);
  size_t returns = 0;
  for (size_t at = 0; at < self->size; at++, piece.used++) {
    char byte = self->bytes[at];
    if (byte == '\n') {
      piece.used++;
      piece.verdict = PS__PIECE;
      return piece;
    }
    if (byte == '\r' ? returns == most_returns : piece.size == limit) {
      piece.verdict = PS__OVERSIZED;
      return piece;
    }
    if (byte == '\r')
      returns++;
    else
      piece.bytes[piece.size++] = byte;
  }
  return piece;
}

/* Prefix and buffer in one text, and at each place the delimiter: there, perhaps there
   when more comes, or not. */
static model_piece model_until(const model *self, const ps__wish *wish) {
  ps_data delimiter = wish->delimiter;
  ps_prefix prefix = wish->prefix;
  size_t size = prefix.size + self->size;
  char *text = malloc(size + 1);
  if (prefix.size > 0) memcpy(text, prefix.data, prefix.size);
  memcpy(text + prefix.size, self->bytes, self->size);
  model_piece piece = model_answer(PS__MORE, self, wish, 0);
  for (size_t at = 0; at <= size; at++) {
    if (at + delimiter.size <= prefix.size) continue; /* the caller had it whole */
    if (at > prefix.size && at - prefix.size > wish->limit) {
      piece = model_answer(PS__OVERSIZED, self, wish, wish->limit);
      break;
    }
    size_t there = size - at < delimiter.size ? size - at : delimiter.size;
    if (memcmp(text + at, delimiter.data, there) != 0) continue;
    if (there < delimiter.size) break; /* perhaps */
    size_t taken = at < prefix.size ? 0 : at - prefix.size;
    piece = model_answer(PS__PIECE, self, wish, taken);
    if (at < prefix.size) piece.prefix = at;
    piece.used = at + delimiter.size - prefix.size;
    break;
  }
  free(text);
  return piece;
}

static size_t model_returns(const ps__wish *wish) {
  size_t most = wish->limit + wish->prefix.size;
  return most < wish->limit ? SIZE_MAX : most;
}

static model_piece model_look(const model *self, const ps__wish *wish) {
  size_t size = self->size;
  switch (wish->kind) {
    case 'l': {
      model_piece piece = model_line(self, wish, wish->limit, model_returns(wish));
      if (piece.verdict == PS__MORE) piece.size = piece.used = 0;
      return piece;
    }
    case 'L':
      for (size_t at = 0; at < size && at < wish->limit; at++)
        if (self->bytes[at] == '\n') return model_answer(PS__PIECE, self, wish, at + 1);
      if (size >= wish->limit)
        return model_answer(PS__OVERSIZED, self, wish, wish->limit);
      break;
    case 'a':
      if (size > wish->limit) return model_answer(PS__OVERSIZED, self, wish, wish->limit);
      break;
    case 'n':
      if (size >= wish->count) return model_answer(PS__PIECE, self, wish, wish->count);
      break;
    case 'y':
      if (size > 0)
        return model_answer(PS__PIECE, self, wish,
                            size < wish->count ? size : wish->count);
      break;
    default:
      /* Not even the end of the prefix is looked at before a byte has come. */
      if (size > 0) return model_until(self, wish);
  }
  return model_answer(PS__MORE, self, wish, 0);
}

static model_piece model_rest(const model *self, const ps__wish *wish, int ended) {
  size_t limit = wish->kind == 'n' || wish->kind == 'y' ? SIZE_MAX : wish->limit;
  size_t most = ended || limit == SIZE_MAX ? limit : limit - 1;
  model_piece piece;
  if (wish->kind == 'l') {
    piece = model_line(self, wish, most, ended ? model_returns(wish) : SIZE_MAX);
  } else {
    int over = self->size > most;
    piece = model_answer(over ? PS__OVERSIZED : PS__MORE, self, wish,
                         over ? most : self->size);
  }
  if (!ended) piece.verdict = PS__MORE;
  return piece;
}

typedef struct tape {
  const unsigned char *at, *end;
} tape;

static unsigned pull(tape *self) { return self->at < self->end ? *self->at++ : 0; }

static size_t pull_below(tape *self, size_t bound) {
  return bound == 0 ? 0 : (pull(self) | pull(self) << 8) % bound;
}

enum { DRIVER_PREFIX = 300, DRIVER_DELIMITER = 200 };

typedef struct driver {
  tape *tape;
  ps__reader reader;
  model model;
  ps__wish wish;
  char prefix[DRIVER_PREFIX], delimiter[DRIVER_DELIMITER];
  int known; /* the wish may say again */
  int kept;  /* an empty buffer may be there */
} driver;

/* Bytes that make lines, and parts of delimiters, likely. */
static void pull_bytes(driver *self, char *to, size_t size) {
  static const char letters[] = "aaabab\r\n";
  ps_data delimiter = self->wish.delimiter;
  unsigned way = pull(self->tape) % 4;
  size_t from = pull_below(self->tape, delimiter.size);
  unsigned period = 1 + pull(self->tape) % 4, seed = pull(self->tape);
  for (size_t at = 0; at < size; at++) {
    if (way == 0 && delimiter.size > 0)
      to[at] = delimiter.data[(from + at) % delimiter.size];
    else if (way == 1)
      to[at] = letters[(seed >> at % period) % 8];
    else if (way == 2)
      to[at] = (char)('a' + (pull(self->tape) & 1));
    else
      to[at] = letters[pull(self->tape) % 8];
  }
}

static size_t pull_size(driver *self, size_t bound) {
  unsigned way = pull(self->tape);
  return way % 2 == 0 ? pull_below(self->tape, bound < 9 ? bound : 9)
                      : pull_below(self->tape, bound);
}

static void play_wish(driver *self) {
  static const char kinds[] = "lLanyuuu";
  ps__wish *wish = &self->wish;
  wish->kind = kinds[pull(self->tape) % 8];
  wish->count = pull(self->tape) % 8 == 0 ? SIZE_MAX : pull_size(self, 100);
  unsigned change = pull(self->tape);
  if (wish->delimiter.size == 0 || change % 4 == 0) {
    size_t size = 1 + pull_size(self, DRIVER_DELIMITER);
    pull_bytes(self, self->delimiter, size);
    wish->delimiter = (ps_data){self->delimiter, size};
  }
  size_t size = change % 3 == 0 ? 0 : pull_size(self, DRIVER_PREFIX);
  pull_bytes(self, self->prefix, size);
  wish->prefix = (ps_prefix){size == 0 ? NULL : self->prefix, size};
  wish->limit = change % 5 == 0 ? SIZE_MAX : 1 + pull_size(self, 150);
  self->known = 0;
}

static void play_feed(driver *self) {
  size_t want = 1 + pull_size(self, 300), size = 0, count;
  size_t bound = pull(self->tape) % 2 == 0 ? SIZE_MAX : pull_size(self, 400);
  if (pull(self->tape) % 8 == 0) memory_fail_at(1 + (int)pull(self->tape) % 3);
  char *room = ps__reader_room(&self->reader, want, bound, &size);
  CHECK((room == NULL) <= memory_failed);
  CHECK(room == NULL || (size > 0 && is_inside(&self->reader, room, size)));
  size_t held = self->model.size, least = held <= want / 2 ? want - held : want;
  CHECK(room == NULL || memory_failed || size >= least || held > bound);
  memory_fail_at(0);
  self->kept = self->kept && room == NULL;
  if (room == NULL) return;
  memset(room, 'r', size); /* all of it is ours */
  count = pull_size(self, size + 1);
  if (count > MODEL_MOST - self->model.size) count = MODEL_MOST - self->model.size;
  pull_bytes(self, room, count);
  memcpy(self->model.bytes + self->model.size, room, count);
  self->model.size += count;
  ps__reader_filled(&self->reader, count);
}

static void model_take(model *self, size_t count) {
  memmove(self->bytes, self->bytes + count, self->size - count);
  self->size -= count;
}

static void drive_take(driver *self, size_t count) {
  int keep = pull(self->tape) % 4 == 0, there = self->kept || self->model.size > 0;
  ps__reader_take(&self->reader, count, keep);
  model_take(&self->model, count);
  self->kept = keep && there && self->model.size == 0;
  self->known = 0;
}

/* Compares a piece with the model's, then takes it in one of several ways. */
static void drive_piece(driver *self, ps__piece piece, const model_piece *expected) {
  char copy[MODEL_MOST];
  CHECK(piece.verdict == expected->verdict);
  CHECK(piece.prefix == expected->prefix);
  CHECK(piece.size == expected->size);
  CHECK(piece.used == expected->used);
  CHECK(piece.size <= piece.raw && piece.raw <= piece.used);
  CHECK(piece.verdict != PS__OVERSIZED || piece.used == piece.raw);
  const char *data = ps__reader_data(&self->reader);
  ps__reader_copy(copy, data, piece.size, piece.raw);
  CHECK(memcmp(copy, expected->bytes, piece.size) == 0);
  unsigned way = pull(self->tape) % 4;
  if (way == 0) return;
  if (way == 1) {
    size_t before = piece.used - piece.raw;
    piece = ps__reader_flatten(&self->reader, piece);
    CHECK(piece.size == expected->size && piece.raw == piece.size);
    CHECK(piece.used == piece.raw + before);
    if (piece.size > 0)
      CHECK(memcmp(ps__reader_data(&self->reader), expected->bytes, piece.size) == 0);
    /* Without its CRs, and with what is behind it as it was. */
    size_t gone = expected->used - piece.used;
    model_take(&self->model, gone);
    memcpy(self->model.bytes, expected->bytes, piece.size);
    self->known = 0;
    if (gone > 0) self->kept = 0;
    if (pull(self->tape) % 4 == 0) return;
  }
  drive_take(self, piece.used);
}

static void play_look(driver *self) {
  short code;
  self->wish.again = self->known && pull(self->tape) % 4 != 0;
  if (pull(self->tape) % 8 == 0) memory_fail_at(1);
  ps__piece piece = ps__reader_look(&self->reader, &self->wish, &code);
  int failed = memory_failed;
  memory_fail_at(0);
  if (code != PS_OK) {
    CHECK(code == PS_NOMEMORY && failed && piece.verdict == PS__MORE);
    CHECK(piece.size == 0 && piece.raw == 0 && piece.used == 0);
    CHECK(self->wish.kind == 'u' && self->wish.delimiter.size > 64);
    return;
  }
  model_piece expected = model_look(&self->model, &self->wish);
  self->known = expected.verdict == PS__MORE;
  if (expected.verdict != PS__MORE) {
    drive_piece(self, piece, &expected);
    return;
  }
  CHECK(piece.verdict == PS__MORE && piece.prefix == self->wish.prefix.size);
  CHECK(piece.size == 0 && piece.raw == 0 && piece.used == 0);
  CHECK(self->model.size <= ps__reader_bound(&self->wish));
  if (pull(self->tape) % 8 != 0) return;
  int ended = pull(self->tape) % 2 == 0;
  expected = model_rest(&self->model, &self->wish, ended);
  drive_piece(self, ps__reader_rest(&self->reader, &self->wish, ended), &expected);
}

static void play_unread(driver *self) {
  char bytes[300];
  size_t size = pull_size(self, sizeof bytes);
  if (size > MODEL_MOST - self->model.size) return;
  pull_bytes(self, bytes, size);
  if (pull(self->tape) % 4 == 0) memory_fail_at(1);
  short code = ps__reader_unread(&self->reader, bytes, size);
  CHECK(code == PS_OK || (code == PS_NOMEMORY && memory_failed));
  memory_fail_at(0);
  if (code != PS_OK || size == 0) return;
  memmove(self->model.bytes + size, self->model.bytes, self->model.size);
  memcpy(self->model.bytes, bytes, size);
  self->model.size += size;
  self->known = self->kept = 0;
}

static void play_split(driver *self) {
  short code;
  const char *view = ps__reader_data(&self->reader);
  size_t size = self->model.size, blocks = memory_blocks;
  if (pull(self->tape) % 4 == 0) memory_fail_at(1);
  struct ps__buffer *old = ps__reader_split(&self->reader, &code);
  CHECK(code == PS_OK || (code == PS_NOMEMORY && memory_failed && old == NULL));
  memory_fail_at(0);
  if (code != PS_OK) return;
  CHECK((old == NULL) == (size == 0 && !self->kept));
  if (size > 0) CHECK(memcmp(view, self->model.bytes, size) == 0);
  CHECK(size == 0 || ps__reader_data(&self->reader) != view);
  ps__os_realloc(old, 0);
  CHECK(memory_blocks <= blocks);
  self->known = self->kept = 0;
}

static void play_step(driver *self) {
  switch (pull(self->tape) % 16) {
    case 0:
    case 1:
      play_wish(self);
      break;
    case 2:
      drive_take(self, pull_size(self, self->model.size + 1));
      break;
    case 3:
      play_unread(self);
      break;
    case 4:
      play_split(self);
      break;
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
      play_feed(self);
      break;
    default:
      play_look(self);
  }
  CHECK(ps__reader_size(&self->reader) == self->model.size);
  if (self->model.size > 0)
    CHECK(memcmp(ps__reader_data(&self->reader), self->model.bytes, self->model.size) ==
          0);
  else
    CHECK(self->kept || self->reader.buffer == NULL);
}

/* Plays a tape to its end, and sees to it that nothing is left. */
static void play(const unsigned char *data, size_t size) {
  tape tape = {data, data + size};
  driver self = {.tape = &tape};
  memory_fail_at(0);
  play_wish(&self);
  while (tape.at < tape.end) play_step(&self);
  ps__reader_clear(&self.reader);
  CHECK(self.reader.buffer == NULL && memory_blocks == 0 && memory_bytes == 0);
}

#endif
