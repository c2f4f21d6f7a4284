/* SPDX-License-Identifier: MIT */
/* Names: the resolver under the limits of a call. A numeric address is read in place; a
   name is asked for aside, and left to itself when the call has no more time. */

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "internal.h"

/* The resolver's thread cannot interrupt a wait as a signal does; so often the signals'
   turn comes while it is asked. */
static const double SLICE = 0.05;

/* What a call that never waits gives the resolver all the same: names that need no
   network, such as localhost, are known by then, and nobody sees a timeout that is so
   little late. */
static const double GRACE = 0.02;

void ps__resolve_free(ps__record *records) {
  while (records != NULL) {
    ps__record *next = records->next;
    ps__os_realloc(records, 0);
    records = next;
  }
}

static int wait_aside(void *context, double seconds) {
  if (ps__os_lookup_wait(context, fmin(seconds, SLICE))) return PS__READY;
  return PS__SIGNAL;
}

ps_status ps__resolve(ps__call *call, ps__lookup *lookup) {
  int flags = lookup->flags;
  int numeric = lookup->host == NULL;
  if (!numeric || (flags & PS__NAMES) == 0) {
    lookup->flags = (flags & ~PS__NAMES) | (numeric ? 0 : PS__NUMERIC);
    ps__os_resolve(lookup);
    lookup->flags = flags;
    if (lookup->status.code != PS_NONAME && (flags & PS__NAMES) == 0)
      return lookup->status;
    if (numeric) return lookup->status;
    ps__resolve_free(lookup->records);
    lookup->records = NULL;
  }
  ps__lookup *aside;
  int error = ps__os_lookup_start(lookup, &aside);
  if (error != 0) return ps__system(error);
  ps__call patient = *call;
  if (call->block == 0) patient.block = GRACE;
  ps_status status = ps__timeout_pause(&patient, wait_aside, aside);
  if (status.code == PS_OK) {
    lookup->status = status = aside->status;
    lookup->records = aside->records;
    aside->records = NULL;
    memcpy(lookup->canonical, aside->canonical, sizeof lookup->canonical);
    memcpy(lookup->servicename, aside->servicename, sizeof lookup->servicename);
  }
  ps__os_lookup_drop(aside);
  return status;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

ps_status ps__resolve_port(ps_port port, short argument, const char *name, int least,
                           char digits[16], const char **service) {
  long long number = port.number;
  if (port.service != NULL) {
    /* A name has a letter. Without one the resolver would read a number its own way: it
       takes a sign, blanks and nothing at all, and it wraps what is too large. */
    if (strpbrk(port.service, LETTERS) != NULL) {
      *service = port.service;
      return PS__DONE;
    }
    size_t length = strspn(port.service, "0123456789");
    if (length == 0 || port.service[length] != '\0') return ps__failure(PS_SERVICE);
    number = 0;
    for (const char *at = port.service; *at != '\0' && number <= 65535; at++)
      number = number * 10 + (*at - '0');
  }
  if (number < least || number > 65535)
    return ps__misuse(least == 0 ? PS_MISUSE_BINDPORT : PS_MISUSE_CONNECTPORT, argument,
                      name);
  snprintf(digits, 16, "%d", (int)number);
  *service = digits;
  return PS__DONE;
}

/* ---- dns.* ---- */

void ps_resolved_free(ps_entry *entries) {
  while (entries != NULL) {
    ps_entry *next = entries->next;
    ps__os_realloc(entries, 0);
    entries = next;
  }
}

static ps_entry *entry(const char *text, int family) {
  ps_entry *made = ps__os_realloc(NULL, sizeof *made);
  if (made == NULL) return NULL;
  made->next = NULL;
  made->family = family == 6 ? "inet6" : "inet";
  snprintf(made->text, sizeof made->text, "%s", text);
  return made;
}

/* Does: lists the addresses or the names of records. */
static ps_status list(const ps__record *records, int names, ps_entry **entries) {
  ps_entry **last = entries;
  for (; records != NULL; records = records->next) {
    *last = entry(names ? records->name : records->ip, records->addr.family);
    if (*last == NULL) {
      ps_resolved_free(*entries);
      *entries = NULL;
      return ps__failure(PS_NOMEMORY);
    }
    last = &(*last)->next;
  }
  return PS__DONE;
}

static ps_status ask(ps__lookup *lookup, ps_seconds timeout, ps_host *host) {
  double end = timeout < 0 ? INFINITY : ps__os_monotime() + timeout;
  ps__call call = {NULL, host, -1, end, 0, -1, 0};
  return ps__resolve(&call, lookup);
}

ps_hostname ps_dns_gethostname(void) {
  ps_hostname result = {PS__DONE, ""};
  int error = ps__os_hostname(result.text, sizeof result.text);
  if (error != 0) result.status = ps__system(error);
  return result;
}

/* Does: describes one host. A host has the alias under which it was asked for, when that
   is neither its name nor an address. */
static ps_resolved describe(ps_name address, int family, int flags, ps_seconds timeout,
                            ps_host *host) {
  ps_resolved result = {PS__DONE, "", "", NULL, NULL};
  ps__lookup lookup = {address, NULL, family, flags, PS__DONE, NULL, "", ""};
  result.status = ask(&lookup, timeout, host);
  if (result.status.code == PS_OK) {
    int named = (flags & PS__NAMES) != 0;
    const char *name = named                         ? lookup.records->name
                       : lookup.canonical[0] != '\0' ? lookup.canonical
                                                     : address;
    snprintf(result.name, sizeof result.name, "%s", name);
    snprintf(result.text, sizeof result.text, "%s", named ? name : lookup.records->ip);
    result.status = list(lookup.records, 0, &result.ips);
    if (result.status.code == PS_OK && !named && strcasecmp(name, address) != 0) {
      result.aliases = entry(address, 0);
      if (result.aliases == NULL) result.status = ps__failure(PS_NOMEMORY);
    }
    if (result.status.code != PS_OK) {
      ps_resolved_free(result.ips);
      result.ips = NULL;
    }
  }
  ps__resolve_free(lookup.records);
  return result;
}

/* Returns: PS_OK for an address, PS_NONAME for another text. */
static ps_status look_at_address(ps_name text) {
  ps__lookup lookup = {text, NULL, 0, PS__NUMERIC, PS__DONE, NULL, "", ""};
  ps__os_resolve(&lookup);
  ps__resolve_free(lookup.records);
  return lookup.status;
}

ps_resolved ps_dns_toip(ps_name address, ps_seconds timeout, ps_host *host) {
  return describe(address, 4, 0, timeout, host);
}

ps_resolved ps_dns_tohostname(ps_name address, ps_seconds timeout, ps_host *host) {
  ps_status numeric = look_at_address(address);
  if (numeric.code == PS_OK)
    return describe(address, 0, PS__NAMES | PS__NAMED, timeout, host);
  if (numeric.code != PS_NONAME) return (ps_resolved){numeric, "", "", NULL, NULL};
  ps_resolved result = describe(address, 4, 0, timeout, host);
  memcpy(result.text, result.name, sizeof result.text);
  return result;
}

ps_addresses ps_dns_getaddrinfo(ps_name address, ps_seconds timeout, ps_host *host) {
  ps_addresses result = {PS__DONE, NULL};
  ps__lookup lookup = {address, NULL, 0, 0, PS__DONE, NULL, "", ""};
  result.status = ask(&lookup, timeout, host);
  if (result.status.code == PS_OK)
    result.status = list(lookup.records, 0, &result.entries);
  ps__resolve_free(lookup.records);
  return result;
}

ps_names ps_dns_getnameinfo(ps_localname address, ps_servicename service,
                            ps_seconds timeout, ps_host *host) {
  ps_names result = {PS__DONE, NULL, ""};
  if (address == NULL && service == NULL) {
    result.status = ps__misuse(PS_MISUSE_NOLOOKUP, 1, "address");
    return result;
  }
  ps__lookup lookup = {address, service, 0, PS__NAMES, PS__DONE, NULL, "", ""};
  result.status = ask(&lookup, timeout, host);
  if (result.status.code == PS_OK && address != NULL)
    result.status = list(lookup.records, 1, &result.names);
  if (service != NULL) memcpy(result.service, lookup.servicename, sizeof result.service);
  ps__resolve_free(lookup.records);
  return result;
}
