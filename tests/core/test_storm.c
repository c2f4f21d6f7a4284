/* SPDX-License-Identifier: MIT */
/* A stream goes through a connection in both directions while several threads receive
   from it, and others do to it whatever loses nothing: each byte comes out once, and in
   order. How long it takes is bounded by counts. Sanitizers look on. */

#define _GNU_SOURCE
#include "storm.h"

#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

static const ps_port any_port = {NULL, 0};

/* ---- A connection ---- */

static void connected(ps_socket *ends[2]) {
  ps_object server = ps_bind("127.0.0.1", any_port, 8, NULL);
  assert_int_equal(server.status.code, PS_OK);
  ps_port port = {NULL, ps_socket_getsockname(server.socket).port};
  ps_object client = ps_connect("127.0.0.1", port, NULL, any_port, NULL, -1, NULL);
  assert_int_equal(client.status.code, PS_OK);
  ends[0] = client.socket;
  ends[1] = ps_socket_accept(server.socket, NULL).socket;
  assert_non_null(ends[1]);
  ps_socket_free(server.socket, NULL);
}

/* ---- The stream ---- */

/* The stream is made of records that know their number. */
enum { RECORD = 16, RECORDS = 40000, RECEIVERS = 2 };

typedef struct stream {
  ps_socket *from, *to;
  int mode;
  atomic_int received;        /* records */
  atomic_int ended;           /* receivers that met the end */
  atomic_uchar seen[RECORDS]; /* how often */
} stream;

static void write_record(char *to, int number) {
  char text[RECORD + 8];
  snprintf(text, sizeof text, "%08d......\r\n", number);
  memcpy(to, text, RECORD);
}

static int is_passing(short code) {
  return code == PS_TIMEOUT || code == PS_INTERRUPTED || code == PS_CLOSED ||
         code == PS_BUSY;
}

static void *send_stream(void *context) {
  stream *self = context;
  storm_lender lent;
  ps_host *host = storm_host(&lent, self->mode, 7);
  unsigned random = 99;
  static const long long most = (long long)RECORDS * RECORD;
  char *all = malloc((size_t)most);
  for (int i = 0; i < RECORDS; i++) write_record(all + (size_t)i * RECORD, i);
  for (long long last = 0; last < most;) {
    long long end = last + 1 + storm_chance(&random, 9000);
    storm_go_in(self->mode);
    ps_sent sent = ps_socket_send(self->from, (ps_data){all, (size_t)most}, last + 1,
                                  end < most ? end : most, host);
    storm_go_out(self->mode);
    storm_must(sent.last >= last && sent.last <= most);
    storm_must(sent.status.code == PS_OK || is_passing(sent.status.code));
    last = sent.last;
    if (sent.status.code != PS_OK) sched_yield();
  }
  /* Closed for a moment, the object has nothing to shut down. */
  while (atomic_load(&self->ended) < RECEIVERS) {
    storm_go_in(self->mode);
    ps_socket_shutdown(self->from, "send");
    storm_go_out(self->mode);
    sched_yield();
  }
  free(all);
  free(lent.memory);
  return NULL;
}

/* Checks whole records, and that this thread has met none of a later place before. */
static void check_records(stream *self, const char *data, size_t size, int *last) {
  storm_must(size % RECORD == 0);
  for (size_t at = 0; at < size; at += RECORD) {
    char wanted[RECORD];
    int number = atoi(data + at);
    storm_must(number > *last && number < RECORDS);
    write_record(wanted, number);
    storm_must(memcmp(data + at, wanted, RECORD) == 0);
    storm_must(atomic_fetch_add(&self->seen[number], 1) == 0);
    atomic_fetch_add(&self->received, 1);
    *last = number;
  }
}

static ps_bytes receive_some(stream *self, unsigned *random, ps_host *host) {
  switch (storm_chance(random, 3)) {
    case 0:
      return ps_socket_next(self->to, PS_LINE_WITH_END, 0, host);
    case 1:
      return ps_socket_next(self->to, PS_COUNT(RECORD), 0, host);
    default:
      return ps_socket_next(self->to, PS_COUNT(RECORD * (1 + storm_chance(random, 40))),
                            0, host);
  }
}

static void *receive_stream(void *context) {
  stream *self = context;
  unsigned random = 1 + (unsigned)(uintptr_t)&random;
  storm_lender lent;
  int last = -1;
  for (int ended = 0; !ended;) {
    /* Each call of a thread may have another host, but all of them hold, or none. */
    int mode = self->mode >= STORM_HOLD ? STORM_HOLD + (int)storm_chance(&random, 2)
                                        : (int)storm_chance(&random, STORM_HOLD);
    ps_host *host = storm_host(&lent, mode, random);
    storm_go_in(self->mode);
    ps_bytes got = receive_some(self, &random, host);
    char *data = storm_take(self->to, &got);
    storm_go_out(self->mode);
    size_t size = ps_bytes_size(&got);
    if (got.status.code == PS_OK)
      check_records(self, data, size, &last);
    else
      storm_must(size == 0 &&
                 (is_passing(got.status.code) || got.status.code == PS_ENDED));
    ended = got.status.code == PS_ENDED;
    free(data);
    free(lent.memory);
    if (got.status.code != PS_OK) sched_yield();
  }
  atomic_fetch_add(&self->ended, 1);
  return NULL;
}

/* The same for a client that nobody closes. Calls that are under way fail with PS_CLOSED,
   and are made again. */
static void disturb_client(ps_socket *client, unsigned *random, ps_host *host) {
  int fd = ps_socket_getfd(client).fd;
  switch (storm_chance(random, 24)) {
    case 0:
      if (fd >= 0) ps_socket_setfd(client, fd, host);
      break;
    case 1:
      storm_must(ps_socket_listen(client, 1).status.code == PS_MISUSE_NOTMASTER);
      break;
    case 2:
      storm_must(
          ps_socket_connect(client, "127.0.0.1", (ps_port){NULL, 1}, host).status.code !=
          PS_OK);
      break;
    default:
      storm_disturb(client, random, host);
  }
}

typedef struct disturber {
  ps_socket *ends[2];
  stream *streams;
  int mode;
  unsigned random;
} disturber;

static int is_over(const stream *streams) {
  return atomic_load(&streams[0].ended) == RECEIVERS &&
         atomic_load(&streams[1].ended) == RECEIVERS;
}

static void *disturb_streams(void *context) {
  disturber *self = context;
  storm_lender lent;
  ps_host *host = storm_host(&lent, self->mode, self->random);
  while (!is_over(self->streams)) {
    storm_go_in(self->mode);
    disturb_client(self->ends[storm_chance(&self->random, 2)], &self->random, host);
    storm_go_out(self->mode);
  }
  free(lent.memory);
  return NULL;
}

static void streams_pass_through(int mode) {
  ps_socket *ends[2];
  connected(ends);
  stream *streams = calloc(2, sizeof *streams);
  pthread_t threads[2 * (1 + RECEIVERS) + 1];
  size_t count = 0;
  for (int i = 0; i < 2; i++) {
    streams[i].from = ends[i];
    streams[i].to = ends[1 - i];
    streams[i].mode = mode;
    pthread_create(&threads[count++], NULL, send_stream, &streams[i]);
    for (int j = 0; j < RECEIVERS; j++)
      pthread_create(&threads[count++], NULL, receive_stream, &streams[i]);
  }
  disturber noise = {{ends[0], ends[1]}, streams, mode, 4711};
  pthread_create(&threads[count++], NULL, disturb_streams, &noise);
  for (size_t i = 0; i < count; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(atomic_load(&streams[i].received), RECORDS);
    assert_int_equal(ps_socket_pending(ends[i]).size, 0);
    ps_socket_close(ends[i], NULL);
    ps_socket_free(ends[i], NULL);
  }
  free(streams);
}

static void every_byte_comes_once_and_in_order(void **state) {
  (void)state;
  int before = storm_descriptors();
  streams_pass_through(STORM_PLAIN);
  streams_pass_through(STORM_HOLD);
  assert_int_equal(storm_descriptors(), before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_byte_comes_once_and_in_order)};
  return cmocka_run_group_tests_name("storm", tests, NULL, NULL);
}
