/* SPDX-License-Identifier: MIT */
/* A server for the soak test, on polysock's poller. serve.py says what it answers. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polysock.h"

enum { LONGEST = 200, ROW = 100, CHUNK = 50, BUFFER = 16384, BUCKETS = 4096 };

static void check(int good, const char *what) {
  if (good) return;
  fprintf(stderr, "serve: %s\n", what);
  exit(1);
}

/* ---- What is remembered ---- */

typedef struct entry {
  struct entry *next;
  long number;
  char id[LONGEST];
} entry;

static entry *remembered[BUCKETS];

static entry *entry_of(const char *id) {
  unsigned hash = 0;
  for (const char *at = id; *at != '\0'; at++) hash = hash * 31 + (unsigned char)*at;
  entry **at = &remembered[hash % BUCKETS];
  while (*at != NULL && strcmp((*at)->id, id) != 0) at = &(*at)->next;
  if (*at == NULL) {
    *at = calloc(1, sizeof **at);
    check(*at != NULL, "no memory");
    snprintf((*at)->id, sizeof(*at)->id, "%s", id);
  }
  return *at;
}

static void forget(void) {
  for (size_t i = 0; i < BUCKETS; i++)
    for (entry *at = remembered[i], *next; at != NULL; at = next) {
      next = at->next;
      free(at);
    }
}

/* ---- One client ---- */

typedef struct client {
  ps_socket *socket;
  char part[LONGEST]; /* what it has sent of a line */
  size_t part_size;
  char out[CHUNK * ROW + 1]; /* what it has not received yet, from byte sent on */
  long long size, sent;
  long flooded, flood;
  char waits; /* 'r' or 'w' */
  struct client *before, *after;
} client;

static ps_host host = {.mode = PS_HOST_HOLD};
static ps_poller *poller;
static client *clients;
static long stalls;
static int quit;

static void add_client(ps_socket *socket) {
  ps_option buffer = {.type = PS_NUMBER, .integral = 1, .integer = BUFFER};
  client *made = calloc(1, sizeof *made);
  check(made != NULL, "no memory");
  ps_socket_settimeout(socket, 0, NULL);
  ps_socket_setoption(socket, "send-buffer-size", buffer);
  made->socket = socket;
  made->waits = 'r';
  made->after = clients;
  if (clients != NULL) clients->before = made;
  clients = made;
  ps_source source = {socket, -1};
  check(ps_poller_add(poller, source, "r", made).status.code == PS_OK, "add");
}

static void end_client(client *self) {
  if (self->before != NULL) self->before->after = self->after;
  if (self->after != NULL) self->after->before = self->before;
  if (clients == self) clients = self->after;
  ps_socket_free(self->socket, NULL);
  free(self);
}

static void answer(client *self, char *line) {
  char word[16] = "", id[LONGEST] = "";
  long number = 0;
  int words = sscanf(line, "%15s %199s %ld", word, id, &number);
  if (strcmp(word, "add") == 0 && words == 3) {
    entry *found = entry_of(id);
    check(found->number + 1 == number, "out of order");
    found->number = number;
    self->size = sprintf(self->out, "ok %ld\n", number);
  } else if (strcmp(word, "last") == 0 && words == 2) {
    self->size = sprintf(self->out, "last %s %ld\n", id, entry_of(id)->number);
  } else if (strcmp(word, "flood") == 0 && words == 2) {
    self->flooded = 0;
    self->flood = atol(id);
  } else if (strcmp(word, "stalls") == 0) {
    self->size = sprintf(self->out, "stalls %ld\n", stalls);
  } else {
    check(strcmp(word, "quit") == 0, line);
    quit = 1;
  }
}

/* Makes the next lines of a flood when all before them went out. */
static int refill(client *self) {
  if (self->sent < self->size) return 1;
  self->size = self->sent = 0;
  for (int i = 0; i < CHUNK && self->flooded < self->flood; i++)
    self->size += sprintf(self->out + self->size, "%099ld\n", ++self->flooded);
  return self->size > 0;
}

/* Sends what it can, until there is nothing to send. */
static ps_status push(client *self) {
  ps_status status = {PS_OK, 0, 0, NULL};
  while (status.code == PS_OK && refill(self)) {
    ps_data data = {self->out, (size_t)self->size};
    ps_sent sent = ps_socket_send(self->socket, data, self->sent + 1, -1, &host);
    self->sent = sent.last;
    status = sent.status;
    if (status.code == PS_TIMEOUT) stalls++;
  }
  return status;
}

/* Reads a line and answers it, if there is one. */
static ps_status pull(client *self) {
  ps_prefix part = {self->part, self->part_size};
  char line[LONGEST + 1];
  ps_bytes got = ps_socket_receive(self->socket, PS_LINE, part, LONGEST, &host);
  size_t size = ps_bytes_size(&got);
  if (got.status.code != PS_OK && got.status.code != PS_TIMEOUT) return got.status;
  ps_bytes_copy(&got, line);
  ps_socket_take(self->socket, &got);
  line[size] = '\0';
  self->part_size = 0;
  if (got.status.code == PS_OK) {
    answer(self, line);
  } else {
    memcpy(self->part, line, size);
    self->part_size = size;
  }
  return (ps_status){PS_OK, 0, 0, NULL};
}

/* While a client has not received an answer, nothing more is read from it. */
static void handle(client *self) {
  ps_status status = push(self);
  if (status.code == PS_OK) status = pull(self);
  if (status.code == PS_OK) status = push(self);
  if (status.code != PS_OK && status.code != PS_TIMEOUT) {
    end_client(self);
    return;
  }
  char waits = status.code == PS_OK ? 'r' : 'w';
  if (waits == self->waits) return;
  self->waits = waits;
  ps_source source = {self->socket, -1};
  ps_poller_modify(poller, source, waits == 'r' ? "r" : "w", self);
}

/* A client that is gone already is passed over. */
static void accept_all(ps_socket *server) {
  for (;;) {
    ps_object made = ps_socket_accept(server, &host);
    if (made.status.code == PS_TIMEOUT) return;
    if (made.status.code == PS_OK) add_client(made.socket);
  }
}

int main(void) {
  ps_port any = {NULL, 0};
  ps_object made = ps_bind("127.0.0.1", any, 1024, NULL);
  check(made.status.code == PS_OK, "bind");
  ps_socket *server = made.socket;
  ps_socket_settimeout(server, 0, NULL);
  poller = ps_poller_make().poller;
  ps_source source = {server, -1};
  check(ps_poller_add(poller, source, "r", NULL).status.code == PS_OK, "add");
  printf("%d\n", ps_socket_getsockname(server).port);
  fflush(stdout);
  while (!quit) {
    ps_polled polled = ps_poller_wait(poller, -1, 0, &host);
    check(polled.status.code == PS_OK, "wait");
    for (size_t i = 0; i < polled.count; i++) {
      client *self = polled.events[i].token;
      if (self == NULL)
        accept_all(server);
      else
        handle(self);
    }
  }
  while (clients != NULL) end_client(clients);
  ps_socket_free(server, NULL);
  ps_poller_free(poller);
  forget();
  return 0;
}
