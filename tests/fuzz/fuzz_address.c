/* SPDX-License-Identifier: MIT */
/* Addresses, ports and options on the real system, without a resolver and without
   traffic: what the core makes of any text is compared with inet_pton and with what a
   port is. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const unsigned char *at, *end;

static unsigned pull(void) { return at < end ? *at++ : 0; }

static const char *pull_text(char *to, size_t room, const char *const *some,
                             unsigned count) {
  unsigned way = pull();
  size_t size = way % 4 == 0 ? pull() % room : pull() % 24;
  if (way % 4 == 1) return some[way / 4 % count];
  if (size >= room) size = room - 1;
  for (size_t i = 0; i < size; i++) to[i] = (char)pull();
  to[size] = '\0';
  return to;
}

static long long pull_number(void) {
  static const long long some[] = {0,         1,         65535,     65536,
                                   70000,     -1,        1LL << 31, 1LL << 32,
                                   INT64_MAX, INT64_MIN, 1LL << 53, 99};
  unsigned way = pull();
  return way % 2 == 0 ? (long long)(pull() << 8 | pull()) : some[way / 2 % 12];
}

/* ---- Numeric addresses ---- */

/* inet_pton's answer for one family as text, or NULL when the text is none for it. */
static const char *plain(const char *host, int family, char text[64]) {
  unsigned char bytes[16];
  int af = family == 6 ? AF_INET6 : AF_INET;
  if (inet_pton(af, host, bytes) != 1) return NULL;
  return inet_ntop(af, bytes, text, 64);
}

static void check_record(const ps__record *record, int family) {
  char text[64], ip[64];
  CHECK(record->addr.family == 4 || record->addr.family == 6, "a family of its own");
  CHECK(family == 0 || record->addr.family == family, "another family");
  snprintf(ip, sizeof ip, "%s", record->ip);
  ip[strcspn(ip, "%")] = '\0'; /* the zone */
  CHECK(plain(ip, record->addr.family, text) != NULL, "no address");
}

static void resolve(const char *host, const char *service) {
  static const int families[] = {0, 4, 6};
  ps__lookup lookup = {.host = host, .service = service, .family = families[pull() % 3]};
  lookup.flags = PS__NUMERIC | (pull() % 2 ? PS__PASSIVE : 0);
  ps__os_resolve(&lookup);
  char text[64];
  for (int family = 4; family <= 6 && service == NULL; family += 2) {
    if ((lookup.family != 0 && lookup.family != family) || !plain(host, family, text))
      continue;
    CHECK(lookup.status.code == PS_OK && lookup.records != NULL,
          "a plain address failed");
    CHECK(strcmp(lookup.records->ip, text) == 0, "another address");
  }
  CHECK((lookup.status.code == PS_OK) == (lookup.records != NULL),
        "no record, no failure");
  while (lookup.records != NULL) {
    ps__record *next = lookup.records->next;
    check_record(lookup.records, lookup.family);
    ps__os_realloc(lookup.records, 0);
    lookup.records = next;
  }
}

static void names(const char *host, const char *service) {
  ps_resolved resolved = ps_dns_toip(host, 0, NULL);
  char text[64];
  if (plain(host, 4, text)) /* toip asks for these */
    CHECK(resolved.status.code == PS_OK && strcmp(resolved.text, text) == 0, "toip");
  ps_resolved_free(resolved.aliases);
  ps_resolved_free(resolved.ips);
  ps_resolved_free(ps_dns_getaddrinfo(host, 0, NULL).entries);
  ps_resolved_free(ps_dns_getnameinfo(NULL, service, 0, NULL).names);
}

/* ---- Ports ---- */

/* A number out of range is misuse, and no other is this one. The host comes before it. */
static void check_port(ps_status status, ps_port port, int least, short code) {
  if (port.service != NULL) return;
  int good = port.number >= least && port.number <= 65535;
  CHECK(good ? status.code != code : status.code > PS_MISUSED, "the range of a port");
}

static void ports(const char *host, ps_port port) {
  ps_socket *self = (pull() % 3 == 0 ? ps_tcp()
                     : pull() % 2    ? ps_tcp4()
                                     : ps_tcp6())
                        .socket;
  CHECK(self != NULL, "no socket");
  ps_socket_settimeout(self, 0, "t");
  ps_status bound = ps_socket_bind(self, host, port, NULL).status;
  check_port(bound, port, 0, PS_MISUSE_BINDPORT);
  if (bound.code == PS_OK) {
    ps_address name = ps_socket_getsockname(self);
    CHECK(name.status.code == PS_OK, "no name");
    if (port.service == NULL && port.number > 0)
      CHECK(name.port == port.number, "another port");
    ps_socket_listen(self, pull_number());
  }
  ps_socket_free(self, NULL);
  self = ps_tcp().socket;
  CHECK(self != NULL, "no socket");
  ps_socket_settimeout(self, 0, "t");
  ps_status status = ps_socket_connect(self, host, port, NULL).status;
  check_port(status, port, 1, PS_MISUSE_CONNECTPORT);
  ps_socket_free(self, NULL);
}

/* ---- Options ---- */

static void options(void) {
  static const char *const known[] = {
#define PS_OPTION(id, name, type, level, number) name,
#include "options.def"
#undef PS_OPTION
  };
  static const double numbers[] = {0, 1, -1, 0.5, 2.5, 1e300, -1e300, INFINITY, NAN, 4e9};
  char text[64];
  ps_socket *self = (pull() % 2 ? ps_tcp4() : ps_tcp6()).socket;
  CHECK(self != NULL, "no socket");
  for (int i = 0; i < 4 && at < end; i++) {
    const char *name = pull_text(text, sizeof text, known, PS__OPTIONS);
    ps_option value = {.type = (int)(pull() % 6), .flag = (int)(pull() % 3)};
    value.integral = pull() % 2 == 0;
    value.integer = pull_number();
    value.number = value.integral ? (double)value.integer : numbers[pull() % 10];
    static const char *const texts[] = {"lo", "", "eth0", "no such device"};
    if (value.type == PS_TEXT) {
      char other[PS_WORDS];
      strcpy(value.text, pull_text(other, sizeof other, texts, 4));
    }
    ps_status set = ps_socket_setoption(self, name, value).status;
    ps_value got = ps_socket_getoption(self, name);
    CHECK(got.status.code != PS_OK ||
              (got.value.type >= PS_NIL && got.value.type <= PS_LINGER),
          "a value of no type");
    CHECK(memchr(got.value.text, '\0', sizeof got.value.text) != NULL, "an endless text");
    if (set.code == PS_OK && got.status.code == PS_OK && value.type == PS_FLAG)
      CHECK(got.value.type == PS_FLAG && got.value.flag == (value.flag != 0), "a flag");
  }
  ps_socket_free(self, NULL);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  static const char *const hosts[] = {
      "127.0.0.1",       "::1", "*",          "localhost", "0x7f.1", "127.1",
      "1.2.3",           "::",  "fe80::1%lo", "::1%1",     "[::1]",  "1e3.0.0.0",
      "::ffff:127.0.0.1"};
  static const char *const services[] = {"80",    "http", "0",   "65535",
                                         "65536", "-1",   " 80", ""};
  char host[300], service[64];
  at = data;
  end = data + size;
  world_begin();
  const char *name = pull_text(host, sizeof host, hosts, 13);
  const char *wanted = pull_text(service, sizeof service, services, 8);
  resolve(name, NULL);
  if (pull() % 2 == 0) resolve(name, wanted);
  if (pull() % 8 == 0) names(name, wanted);
  if (pull() % 2 == 0)
    ports(pull() % 4 ? "127.0.0.1" : name,
          pull() % 2 ? (ps_port){wanted, 0} : (ps_port){NULL, pull_number()});
  options();
  world_end();
  return 0;
}
