/* SPDX-License-Identifier: MIT */
/* See play.h: the calls that receive and send bytes. What they return goes to the model.
 */

#include <stdlib.h>

#include "play.h"

/* ---- Receiving ---- */

typedef struct asked {
  receipt got;
  ps_pattern pattern;
  ps_prefix prefix;
  int starts, receive_starts, disturbances;
  long long received;
  limits limits;
} asked;

static const struct {
  const char *text;
  size_t size;
} delimiters[] = {
    {";", 1},
    {"ab", 2},
    {"aab", 3},
    {"QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ", 70}};

static size_t size_of(const action *of) {
  unsigned chance = play_number(of, 1, 16);
  if (chance == 0) return 0;
  if (chance < 12 || played->sizes == 0) return 1 + play_number(of, 2, 60);
  if (chance < 15 || played->sizes == 1) return 1 + play_number(of, 2, 4000);
  return 1 + play_number(of, 2, 400000);
}

/* Sometimes the prefix is made so that it ends like a delimiter begins. */
static void choose_prefix(asked *made, const action *of) {
  static const char *const prefixes[] = {"xyz", "a", "zzaa", "QQQQQQQQ"};
  receipt *got = &made->got;
  if (play_number(of, 3, 3) != 0) return;
  if (got->kind == 'u' && !played->returns) return; /* several may receive: see model.c */
  unsigned which = play_number(of, 4, 4);
  made->prefix = (ps_prefix){prefixes[which], strlen(prefixes[which])};
}

static void choose(asked *made, const action *of) {
  static const char patterns[] = "llLLna";
  receipt *got = &made->got;
  got->object = of->object;
  got->kind = of->what == ACTION_ANY     ? 'y'
              : of->what == ACTION_UNTIL ? 'u'
              : of->what == ACTION_INTO  ? 'n'
                                         : patterns[play_number(of, 0, 6)];
  got->next = of->what == ACTION_NEXT;
  if (of->what == ACTION_RECEIVE || of->what == ACTION_UNTIL) choose_prefix(made, of);
  if (got->kind == 'n' || got->kind == 'y') got->count = size_of(of);
  if (got->next && got->kind == 'n' && got->count == 0) got->count = 1;
  unsigned which = play_number(of, 5, 4);
  got->delimiter = delimiters[which].text;
  got->delimiter_size = delimiters[which].size;
  int bounded = got->kind != 'n' && got->kind != 'y' && of->what != ACTION_INTO;
  if (bounded && play_number(of, 6, 4) == 0)
    got->maxsize = made->prefix.size + 1 + play_number(of, 7, 50);
  made->pattern = (ps_pattern){got->kind, (long long)got->count};
  got->prefix = made->prefix.data;
  got->prefix_size = made->prefix.size;
}

static ps_bytes call_receive(const asked *how, const action *of, ps_host *host) {
  ps_socket *socket = w.objects[of->object].socket;
  const receipt *got = &how->got;
  switch (of->what) {
    case ACTION_RECEIVE:
      return ps_socket_receive(socket, how->pattern, how->prefix, got->maxsize, host);
    case ACTION_ANY:
      return ps_socket_receiveany(socket, got->count, host);
    case ACTION_UNTIL:
      return ps_socket_receiveuntil(socket,
                                    (ps_data){got->delimiter, got->delimiter_size},
                                    how->prefix, got->maxsize, host);
    default:
      return ps_socket_next(socket, how->pattern, got->maxsize, host);
  }
}

/* Takes the bytes as the language takes them. Returns whether they are the caller's. */
static int take(receipt *got, const ps_bytes *bytes, ps_host *host) {
  object *there = &w.objects[got->object];
  int holds = host != NULL && host->mode == PS_HOST_HOLD;
  const lent *given = &w.current->call.lent;
  got->size = ps_bytes_size(bytes);
  char *copy = world_log(got->size + 1);
  world_must(copy != NULL, "no memory for the test");
  ps_bytes_copy(bytes, copy);
  got->data = copy;
  int lends = host != NULL && host->mode == PS_HOST_LEND;
  if (lends && bytes->size > 0)
    world_must(bytes->data == given->memory && bytes->size <= given->size,
               "a result outside of the memory that was lent");
  if (!holds) {
    world_must(bytes->held == 0, "a result is held for a host that does not hold");
    if (!lends && bytes->size > 0) {
      view *kept = &w.current->view;
      kept->at = bytes->data;
      kept->size = bytes->size < sizeof kept->copy ? bytes->size : sizeof kept->copy;
      memcpy(kept->copy, bytes->data, kept->size);
      kept->object = got->object;
      kept->age = there->age;
    }
    return 1;
  }
  int taken = ps_socket_take(there->socket, bytes);
  world_must(taken, "a held view is gone, and no call came between");
  return taken;
}

static long long count_received(const object *of) {
  w.calm++;
  long long count = ps_socket_getstats(of->socket).received;
  w.calm--;
  return count;
}

static void begin_receive(asked *how, const action *of) {
  object *there = &w.objects[of->object];
  w.current->call.receiving = 1;
  there->receivers++;
  w.current->receives[of->object]++;
  how->limits = play_limits(there);
  how->starts = ++there->starts;
  how->receive_starts = ++there->receive_starts;
  how->disturbances = there->disturbances;
  how->got.single = there->receivers == 1;
  how->got.alone = there->users == 1;
  how->got.undisturbed = there->disturbers == 0 && there->state == OBJECT_OPEN;
  how->received = count_received(there);
  if (play_number(of, 8, 6) == 0) /* nothing else sees these */
    ps_socket_lines(there->socket, how->pattern, how->got.maxsize);
}

/* After a timeout a loop of events learns what to wait for. */
static void check_wants(const object *there, ps_status status, int alone,
                        char direction) {
  if (status.code != PS_TIMEOUT || status.system != 0 || !alone) return;
  const char *wants = ps_socket_wants(there->socket).direction;
  world_must(wants != NULL && wants[0] == direction, "after a timeout it wants %s",
             wants == NULL ? "nothing" : wants);
}

static void end_receive(asked *how, const action *of) {
  object *there = &w.objects[of->object];
  receipt *got = &how->got;
  got->single &= how->receive_starts == there->receive_starts;
  got->alone &= how->starts == there->starts;
  got->undisturbed &= how->disturbances == there->disturbances;
  got->keep = (how->limits.mark & PS_MARK_KEEP) != 0;
  if (there->limits != how->limits.version) { /* then nobody knows */
    got->alone = 0;
    got->keep = 1;
  }
  got->raw = (size_t)(count_received(there) - how->received);
  there->receivers--;
  w.current->receives[of->object]--;
  play_check_status(got->status);
  play_check_limits(&how->limits, there, got->status, 0);
  check_wants(there, got->status, got->alone, 'r');
  model_received(got);
  if (there->receivers == 0) model_merge(there);
}

static void receive_into(asked *how, const action *of, ps_host *host) {
  receipt *got = &how->got;
  char *room = world_log(got->count + 1);
  world_must(room != NULL, "no memory for the test");
  room[got->count] = 0x77;
  ps_filled filled =
      ps_socket_receiveinto(w.objects[of->object].socket, (ps_room){room, got->count},
                            play_number(of, 9, 2) ? -1 : (long long)got->count, host);
  world_must(room[got->count] == 0x77, "written behind the room of the caller");
  got->status = filled.status;
  got->data = room;
  got->size = filled.count;
}

void play_receive(const action *of) {
  object *there = &w.objects[of->object];
  asked how = {0};
  choose(&how, of);
  ps_host *host = play_host(of);
  if (!play_begin(action_names[of->what], of->object, host)) return;
  /* The number of CRs before a partial's end is not known from its bytes. */
  if (played->returns && there->receivers > 0) {
    play_end(NULL, PS__DONE);
    return;
  }
  begin_receive(&how, of);
  int whole = 1;
  if (of->what == ACTION_INTO) {
    receive_into(&how, of, host);
  } else {
    ps_bytes bytes = call_receive(&how, of, host);
    how.got.status = bytes.status;
    whole = take(&how.got, &bytes, host);
  }
  if (whole) end_receive(&how, of);
  play_end(of, how.got.status);
}

/* ---- Sending ---- */

void play_send(const action *of) {
  object *there = &w.objects[of->object];
  ps_host *host = play_host(of);
  size_t size = size_of(of);
  if (size == 0) size = played->sizes == 2 ? 100000 : 20;
  const char *data = play_text + play_number(of, 10, (unsigned)(TEXT - size));
  long long first = 1, last = -1, begin = 1, end = (long long)size;
  if (play_number(of, 11, 4) == 0) {
    first = (long long)play_number(of, 12, (unsigned)size + 2) - 1;
    last = (long long)play_number(of, 13, (unsigned)size + 2) - 2;
    begin = first < 0 ? (long long)size + first + 1 : first;
    end = last < 0 ? (long long)size + last + 1 : last;
    if (begin < 1) begin = 1;
    if (end > (long long)size) end = (long long)size;
  }
  if (!play_begin("send", of->object, host)) return;
  limits at = play_limits(there);
  int alone = there->users == 1, starts = there->starts;
  call_record *call = &w.current->call;
  call->data = data + begin - 1;
  call->left = end >= begin ? (size_t)(end - begin + 1) : 0;
  ps_sent sent = ps_socket_send(there->socket, (ps_data){data, size}, first, last, host);
  there->sent += (long long)call->sent;
  world_must(sent.last == begin - 1 + (long long)call->sent,
             "send returns %lld, but the system took %zu", sent.last, call->sent);
  if (sent.status.code == PS_OK)
    world_must(call->left == 0, "send succeeds with %zu bytes left", call->left);
  check_wants(there, sent.status, alone && starts == there->starts, 'w');
  play_check_status(sent.status);
  play_check_limits(&at, there, sent.status, 0);
  play_end(of, sent.status);
}
