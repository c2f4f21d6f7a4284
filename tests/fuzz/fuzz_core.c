/* SPDX-License-Identifier: MIT */
/* The C API on the simulated system: each input is a far end that sends, stalls, ends and
   resets, and a program that calls whatever there is, with faults and with calls in the
   middle of others. The simulation finds what is leaked, used after its end, waited for
   in vain or asked in place; here each byte that a receive gives is compared with what
   was sent, whatever the pattern, prefix, mode and fault. */

#define _POSIX_C_SOURCE 200112L /* setenv */
#include <stdio.h>
#include <stdlib.h>

#include "os_sim.h"

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { STREAMS = 2, OTHERS = 4, TEXT = 4096, DESCRIPTORS = 200, STEPS = 80, LATER = 8 };

typedef struct stream {
  ps_socket *socket;
  char text[TEXT]; /* all that its far end sends */
  size_t size;
  int marked; /* the mark may hold bytes back */
} stream;

static const unsigned char *at, *end;
static stream streams[STREAMS];
static ps_socket *others[OTHERS];
static ps_poller *poller;
static ps_host *host;
static int descriptors, later;
static char held[TEXT]; /* what the last result was: a prefix, perhaps */
static size_t held_size;

#define CHECK(condition) \
  if (!(condition)) fail_msg("%s", #condition)

static unsigned pull(void) { return at < end ? *at++ : 0; }

/* A text of the input, up to a NUL. */
static const char *pull_text(char *to, size_t room) {
  size_t size = pull() % room;
  for (size_t i = 0; i < size; i++) to[i] = (char)pull();
  to[size] = '\0';
  return to;
}

static double pull_seconds(void) {
  static const double some[] = {0, 0, 0.01, 0.1, 1, 5, 60, 1000, 0.0005, -0.0};
  return some[pull() % 10];
}

static long long pull_number(void) {
  static const long long some[] = {
      0,          1,          -1,          2,         65535,     65536,     70000, -65536,
      4294967296, 2147483647, -2147483647, 1LL << 53, INT64_MAX, INT64_MIN, 80};
  unsigned way = pull();
  return way % 2 == 0 ? (long long)pull() - 16 : some[way / 2 % 15];
}

static ps_socket *pull_socket(void) {
  unsigned which = pull() % (STREAMS + OTHERS);
  return which < STREAMS ? streams[which].socket : others[which - STREAMS];
}

/* ---- Arguments ---- */

static const char *pull_host(void) {
  static char text[64];
  static const char *const some[] = {"two.test",  "slow.test", "none.test", "10.0.0.1",
                                     "::1",       "*",         "10.0.0.2",  "10.0.0.3",
                                     "127.0.0.1", "",          "a b",       "none.test"};
  unsigned way = pull() % 16;
  return way < 12 ? some[way] : pull_text(text, sizeof text);
}

static ps_port pull_port(void) {
  static char text[32];
  static const char *const some[] = {"80", "echo", "0",     "65536",
                                     "-1", "http", "00080", ""};
  unsigned way = pull() % 24;
  if (way < 8) return (ps_port){some[way], 0};
  if (way < 10) return (ps_port){pull_text(text, sizeof text), 0};
  return (ps_port){NULL, way < 18 ? 80 : pull_number()};
}

static const char *pull_option(void) {
  static char text[32];
  static const char *const names[] = {
#define PS_OPTION(id, name, type, level, number) name,
#include "options.def"
#undef PS_OPTION
  };
  unsigned way = pull() % (sizeof names / sizeof *names + 1);
  return way == 0 ? pull_text(text, sizeof text) : names[way - 1];
}

static ps_option pull_value(void) {
  static const double some[] = {0,      1,        -1,  0.5,         1e300,
                                -1e300, INFINITY, NAN, 2147483648.0};
  ps_option value = {.type = (int)(pull() % 6), .flag = (int)(pull() % 3)};
  value.number = some[pull() % 9];
  value.integral = pull() % 2 == 0;
  value.integer = pull_number();
  if (value.type == PS_TEXT) pull_text(value.text, sizeof value.text);
  return value;
}

static const char *pull_mode(void) {
  static const char *const some[] = {"b", "t", NULL, "x", "", "send", "receive", "both"};
  return some[pull() % 8];
}

static ps_maxsize pull_maxsize(void) {
  static const ps_maxsize some[] = {0, 0, 0, 1, 2, 7, 20, 1000, SIZE_MAX, UINT64_MAX};
  return some[pull() % 10];
}

static ps_prefix pull_prefix(void) {
  static char text[40];
  unsigned way = pull() % 4;
  if (way == 0) return (ps_prefix){held, held_size};
  if (way > 1) return (ps_prefix){NULL, 0};
  pull_text(text, sizeof text);
  return (ps_prefix){text, strlen(text)};
}

/* ---- The far end ---- */

/* Adds to what a far end sends: some bytes, a pause, its end. */
static void far_end(stream *to) {
  static const char letters[] = "abc\r\n\n--x-";
  sim_script(ps_socket_getfd(to->socket).fd);
  unsigned way = pull() % 16;
  size_t size = way < 3 ? 600 : pull() % 40, from = to->size;
  if (size > TEXT - from) size = TEXT - from;
  unsigned seed = pull() + 1;
  for (size_t i = 0; i < size; i++, seed = seed * 75 + 74)
    to->text[from + i] = letters[seed / 7 % (sizeof letters - 1)];
  if (way == 3) {
    sim_reads(sim_reset);
  } else if (way == 4) {
    sim_reads(sim_eof);
  } else if (way == 5) {
    sim_reads(sim_error(ETIMEDOUT));
  } else if (way == 6) {
    sim_writes(sim_takes(1 + pull() % 9), sim_after(pull_seconds()), sim_eagain);
  } else if (way == 7) {
    sim_writes(sim_eintr, sim_error(pull() % 2 ? EPIPE : ECONNRESET));
  } else if (size > 0) {
    to->size += size;
    sim_reads(sim_after(pull_seconds()), sim_data(to->text + from, size));
    if (way == 8) sim_reads(sim_eagain, sim_eintr);
  }
}

/* ---- What a receive gives ---- */

typedef struct wanted {
  stream *from;
  size_t before; /* bytes of the text that were taken before */
  ps_prefix prefix;
  ps_data mark; /* what a success ends with, and the result lacks */
  int line;     /* CRs are dropped */
  int may_end;  /* or with the end of the stream */
} wanted;

static size_t taken(const stream *from) {
  return (size_t)ps_socket_getstats(from->socket).received;
}

/* prefix and the bytes that were taken are the result and the mark. */
static void compare(const wanted *what, ps_status status, const char *data, size_t size) {
  static char whole[2 * TEXT];
  size_t after = taken(what->from), count = what->prefix.size;
  CHECK(after >= what->before && after <= what->from->size);
  if (after == what->before && (status.code >= PS_MISUSED || size == 0)) {
    CHECK(status.code != PS_OK || count == 0);
    return;
  }
  if (count > 0) memcpy(whole, what->prefix.data, count);
  for (size_t i = what->before; i < after; i++)
    if (!what->line || what->from->text[i] != '\r') whole[count++] = what->from->text[i];
  size_t mark = status.code == PS_OK ? what->mark.size : 0;
  if (mark > 0 && what->may_end && size == count) mark = 0;
  CHECK(size + mark == count);
  CHECK(size == 0 || memcmp(whole, data, size) == 0);
  CHECK(mark == 0 || memcmp(whole + size, what->mark.data, mark) == 0);
}

static void take(const wanted *what, ps_bytes bytes) {
  CHECK(bytes.raw >= bytes.size);
  sim_text got = sim_take(what->from->socket, bytes, host);
  compare(what, bytes.status, got.data, got.size);
  held_size = got.size < sizeof held ? got.size : 0;
  if (held_size > 0) memcpy(held, got.data, held_size);
}

static void receive(stream *from) {
  static const char kinds[] = "lLan?";
  ps_pattern pattern = {kinds[pull() % 5], pull() % 64};
  wanted what = {.from = from, .before = taken(from), .line = pattern.kind == 'l'};
  if (pattern.kind == 'l') what.mark = (ps_data){"\n", 1};
  if (pull() % 32 == 0) pattern.count = pull_number();
  ps_maxsize maxsize = pull_maxsize();
  static char delimiter[80];
  static char room[700];
  switch (pull() % 6) {
    case 0:
      what.prefix = (ps_prefix){NULL, 0};
      what.mark.size = 0, what.line = 0;
      take(&what, ps_socket_receiveany(from->socket, maxsize, host));
      break;
    case 1:
      pull_text(delimiter, sizeof delimiter);
      if (pull() % 4 > 0) strcpy(delimiter, pull() % 2 ? "--" : "\n");
      what = (wanted){from, what.before, pull_prefix(), {delimiter, strlen(delimiter)}, 0,
                      0};
      take(&what,
           ps_socket_receiveuntil(from->socket, what.mark, what.prefix, maxsize, host));
      break;
    case 2: {
      what = (wanted){.from = from, .before = what.before};
      size_t size = pull() % 3 == 0 ? sizeof room : pull() % 50;
      ps_filled got = ps_socket_receiveinto(from->socket, (ps_room){room, size},
                                            pull() % 4 ? -1 : pull_number(), host);
      CHECK(got.count <= size);
      compare(&what, got.status, room, got.count);
      break;
    }
    case 3:
      what.may_end = 1;
      take(&what, ps_socket_next(from->socket, pattern, maxsize, host));
      break;
    default:
      what.prefix = pull_prefix();
      take(&what, ps_socket_receive(from->socket, pattern, what.prefix, maxsize, host));
  }
}

/* ---- Calls ---- */

/* No call may wait for ever: the simulation has no end for that. */
static void bound(ps_socket *socket) {
  ps_socket_settimeout(socket, pull_seconds(), "t");
}

static void keep(ps_object made) {
  unsigned which = pull() % OTHERS;
  if (made.status.code != PS_OK) return;
  bound(made.socket);
  ps_socket_free(others[which], host);
  others[which] = made.socket;
}

static void make(void) {
  if (++descriptors > DESCRIPTORS / 4) return;
  const char *name = pull_host();
  ps_port port = pull_port();
  static const char *const families[] = {NULL, "inet", "inet6", "unspec", "x"};
  const char *family = families[pull() % 5], *from = pull() % 3 ? NULL : pull_host();
  switch (pull() % 8) {
    case 0:
      keep(ps_tcp());
      break;
    case 1:
      keep(ps_tcp4());
      break;
    case 2:
      keep(ps_tcp6());
      break;
    case 3:
      keep(ps_bind(name, port, pull_number(), host));
      break;
    case 4:
      keep(
          ps_connect(name, port, from, (ps_port){NULL, 0}, family, pull_seconds(), host));
      break;
    case 5:
      keep(ps_connect6(name, port, from, (ps_port){NULL, 0}, pull_seconds(), host));
      break;
    case 6:
      keep(ps_fromfd(pull_number() % 900, pull() % 2 ? "client" : family));
      break;
    default:
      sim_fault(SIM_NO_FAULT, 0, 0);
      keep((ps_object){{PS_OK, 0, 0, NULL}, sim_server()});
  }
}

static void name(void) {
  const char *wanted = pull_host(), *service = pull() % 2 ? NULL : pull_port().service;
  double seconds = pull_seconds();
  ps_resolved resolved = {0};
  switch (pull() % 4) {
    case 0:
      resolved = ps_dns_toip(wanted, seconds, host);
      break;
    case 1:
      resolved = ps_dns_tohostname(wanted, seconds, host);
      break;
    case 2:
      ps_resolved_free(ps_dns_getaddrinfo(wanted, seconds, host).entries);
      break;
    default:
      ps_resolved_free(ps_dns_getnameinfo(wanted, service, seconds, host).names);
  }
  ps_resolved_free(resolved.aliases);
  ps_resolved_free(resolved.ips);
}

static void look(ps_socket *self) {
  char buffer[PS_WORDS];
  ps_status status = {(short)(pull() % 256), (short)(pull() % 8), (int)pull(), "detail"};
  ps_status_words(status, buffer);
  ps_status_misuse(status, "function", buffer);
  ps_socket_getpeername(self);
  ps_socket_getsockname(self);
  ps_socket_getfamily(self);
  CHECK(strlen(ps_socket_tostring(self).text) > 0);
  ps_socket_gettimeout(self);
  ps_socket_getdeadline(self);
  ps_socket_getfd(self);
  ps_socket_wants(self);
  CHECK(ps_socket_dirty(self).yes == (ps_socket_pending(self).size > 0));
}

/* A call on any socket, at any time: also while another one is under way. */
static void any_call(ps_socket *self) {
  char data[64];
  switch (pull() % 16) {
    case 0:
      if (pull() % 4 == 0) ps_socket_close(self, NULL);
      break;
    case 1:
      ps_socket_shutdown(self, pull_mode());
      break;
    case 2:
      ps_socket_setoption(self, pull_option(), pull_value());
      break;
    case 3:
      ps_socket_getoption(self, pull_option());
      break;
    case 4:
      ps_socket_settimeout(self, pull_seconds(), pull() % 8 ? "b" : pull_mode());
      bound(self);
      break;
    case 5:
      ps_socket_setdeadline(self, pull() % 4 ? INFINITY : pull_seconds());
      break;
    case 6:
      ps_socket_setstats(self, -1, pull_number(), pull_seconds());
      break;
    case 7:
      ps_socket_lines(self, (ps_pattern){"lLan"[pull() % 4], pull_number()},
                      pull_maxsize());
      break;
    case 8:
      ps_socket_listen(self, pull_number());
      break;
    case 9:
      if (poller != NULL) ps_poller_remove(poller, (ps_source){self, -1});
      break;
    default:
      pull_text(data, sizeof data);
      look(self);
  }
}

static void when_asked(void *context) { any_call(context); }

static void call(void) {
  ps_socket *self = pull_socket();
  char data[64];
  const char *name = pull_host();
  switch (pull() % 8) {
    case 0:
      if (++descriptors < DESCRIPTORS / 4)
        ps_socket_connect(self, name, pull_port(), host);
      break;
    case 1:
      if (++descriptors < DESCRIPTORS / 4) ps_socket_bind(self, name, pull_port(), host);
      break;
    case 2:
      if (++descriptors < DESCRIPTORS / 4) {
        ps_socket *server = others[pull() % OTHERS];
        int fd = ps_socket_getfd(server).fd;
        if (fd >= 0 && strcmp(ps_socket_getkind(server).text, "server") == 0) {
          sim_script(fd);
          sim_accepts(sim_after(pull_seconds()), sim_comes);
        }
        keep(ps_socket_accept(server, host));
      }
      break;
    case 3:
    case 4: {
      pull_text(data, sizeof data);
      ps_data sent = {data, strlen(data)};
      long long i = pull() % 4 ? 1 : pull_number(), j = pull() % 4 ? -1 : pull_number();
      ps_sent got = ps_socket_send(self, sent, i, j, host);
      CHECK(got.last <= (long long)sent.size || got.last == i - 1);
      break;
    }
    default:
      any_call(self);
  }
}

static void poll(void) {
  ps_socket *self = pull_socket();
  static const char *const some[] = {"r", "w", "rw", "x"};
  ps_events events = some[pull() % 4];
  ps_source source = {self, -1};
  if (poller == NULL) poller = ps_poller_make().poller;
  switch (pull() % 8) {
    case 0:
      ps_poller_free(poller);
      poller = NULL;
      break;
    case 1:
      ps_poller_modify(poller, source, events, self);
      break;
    case 2:
      ps_poller_remove(poller, source);
      break;
    case 3:
      ps_poller_wake(poller);
      break;
    case 4:
      ps_poller_ready(poller, source);
      ps_poller_token(poller, source);
      break;
    case 5: {
      ps_polled got = ps_poller_wait(poller, pull_seconds(), pull() % 3, host);
      for (size_t i = 0; got.status.code == PS_OK && i < got.count; i++)
        CHECK(strchr("rw", got.events[i].events[0]) != NULL);
      break;
    }
    default:
      ps_poller_add(poller, source, events, self);
  }
}

static void choose(void) {
  ps_watch watches[4];
  for (int i = 0; i < 4; i++) watches[i] = (ps_watch){.fd = -1, .socket = pull_socket()};
  size_t split = pull() % 5;
  ps_select((ps_readables){watches, split}, (ps_writables){watches + split, 4 - split},
            pull_seconds(), host);
}

static void fault(void) {
  int which = (int)(pull() % SIM_FAULTS), nth = (int)(pull() % 8 + 1);
  /* Signals without end would leave no time for anything. */
  int onwards = which == SIM_ENOMEM || which == SIM_EGROW || which == SIM_EMFILE;
  sim_fault(which, nth, onwards && pull() % 4 == 0);
  if (pull() % 2 == 0) sim_when_asked(when_asked, pull_socket());
  if (later < LATER && ++later > 0) sim_signal(pull_seconds());
}

static void step(void) {
  stream *one = &streams[pull() % STREAMS];
  switch (pull() % 16) {
    case 0:
    case 1:
    case 2:
      if (ps_socket_getfd(one->socket).fd >= 0) far_end(one);
      break;
    case 3:
      make();
      break;
    case 4:
      name();
      break;
    case 5:
    case 6:
      call();
      break;
    case 7:
      poll();
      break;
    case 8:
      choose();
      break;
    case 9:
      fault();
      return; /* it strikes in the next step */
    case 10:
      ps_socket_setmark(one->socket, (int)(pull() & 14));
      break;
    case 11:
      ps_sleep(pull_seconds(), host);
      break;
    default:
      receive(one);
  }
  sim_fault(SIM_NO_FAULT, 0, 0);
  sim_when_asked(NULL, NULL);
  sim_pass(0.001);
}

static void begin(void) {
  sim_begin();
  sim_host("two.test", 0.05, "::1 10.0.0.1");
  sim_host("slow.test", 30, "10.0.0.2");
  sim_host_fails("none.test", 0.01, PS_NONAME);
  sim_route("10.0.0.2", 0.5, ECONNREFUSED);
  sim_route("10.0.0.3", INFINITY, 0);
  sim_route("::1", -1, ENETUNREACH);
  descriptors = later = 0;
  held_size = 0;
  poller = NULL;
  host = sim_language((int)(pull() % SIM_LANGUAGES));
  for (int i = 0; i < STREAMS; i++) {
    streams[i].socket = sim_client();
    streams[i].size = 0;
    bound(streams[i].socket);
    far_end(&streams[i]);
  }
}

/* What is left of a stream comes as it is, unless something has ended it. */
static void rest(stream *from) {
  wanted what = {.from = from, .before = taken(from)};
  size_t left = from->size - what.before;
  ps_socket_setmark(from->socket, 0);
  ps_socket_setdeadline(from->socket, INFINITY);
  ps_socket_settimeout(from->socket, 100000, "t");
  ps_socket_settimeout(from->socket, -1, "b");
  if (left > 0)
    take(&what, ps_socket_receive(from->socket, PS_COUNT(left), what.prefix, 0, host));
}

int LLVMFuzzerInitialize(int *count, char ***arguments) {
  (void)count, (void)arguments;
  return setenv("CMOCKA_TEST_ABORT", "1", 1);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  at = data;
  end = data + size;
  begin();
  for (int steps = 0; at < end && steps < STEPS; steps++) step();
  sim_fault(SIM_NO_FAULT, 0, 0);
  sim_when_asked(NULL, NULL);
  for (int i = 0; i < STREAMS; i++) rest(&streams[i]);
  for (int i = 0; i < STREAMS; i++) ps_socket_free(streams[i].socket, NULL);
  for (int i = 0; i < OTHERS; i++) ps_socket_free(others[i], NULL), others[i] = NULL;
  ps_poller_free(poller);
  sim_end();
  return 0;
}
