/* SPDX-License-Identifier: MIT */
/* Names: resolution within the limits of a call. A numeric address is parsed here; a
   helper thread resolves a name. The look-up continues after the call has failed with
   PS_TIMEOUT, so that the next call can collect the result. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

/* The wait for a helper thread is not interrupted by signals; the host's interrupted is
   called at this interval, in seconds. */
static const double SLICE = 0.05;

/* The first call waits this long for the resolver, in seconds, even with a timeout of 0:
   enough for names that need no network, such as localhost. */
static const double GRACE = 0.01;

static void free_records(ps__record *records) {
  while (records != NULL) {
    ps__record *next = records->next;
    ps__os_realloc(records, 0);
    records = next;
  }
}

static int await_answer(ps_host *host, void *context, double seconds) {
  ps__host_leave(host);
  int answered = ps__os_lookup_wait(context, fmin(seconds, SLICE));
  ps__host_enter(host);
  return answered ? PS__READY : PS__SIGNAL;
}

/* Answers a question without the resolver if it has a numeric address or no host. Returns
   whether it did. */
static int read_in_place(ps__lookup *question) {
  int flags = question->flags & ~PS__NUMERIC; /* a child may find what is set below */
  int named = question->host != NULL;
  if ((flags & PS__NAMES) != 0) return 0;
  question->flags = flags | (named ? PS__NUMERIC : 0);
  ps__os_resolve(question);
  question->flags = flags;
  return !named || question->status.code != PS_NONAME;
}

/* It has begun once there is a result or a look-up: a forked child may find the answer of
   a call that was here, and begins anew. */
static ps_status begin_lookup(ps__answer *answer) {
  if (!read_in_place(&answer->question)) {
    int error = ps__os_lookup_start(&answer->question, &answer->lookup);
    if (error != 0) return ps__error_system(error);
  }
  answer->begun = 1;
  return PS__DONE;
}

ps_status ps__resolve_ask(ps__call *call, ps__answer *answer) {
  ps__call patient = *call;
  if (!answer->begun) {
    ps_status status = begin_lookup(answer);
    if (status.code != PS_OK) return status;
    if (patient.block == 0) patient.block = GRACE;
  }
  if (!ps__resolve_done(answer)) {
    ps_status status = ps__timeout_pause(&patient, await_answer, answer->lookup);
    call->aside = patient.aside;
    call->process = patient.process;
    if (status.code != PS_OK) return status;
  }
  return ps__resolve_found(answer)->status;
}

int ps__resolve_done(const ps__answer *answer) {
  return answer->lookup == NULL || ps__os_lookup_done(answer->lookup);
}

const ps__lookup *ps__resolve_found(const ps__answer *answer) {
  return answer->lookup != NULL ? answer->lookup : &answer->question;
}

void ps__resolve_drop(ps__answer *answer) {
  if (answer->lookup != NULL) ps__os_lookup_drop(answer->lookup);
  free_records(answer->question.records);
}

ps_status ps__resolve_name(const char *name, short argument, const char *parameter) {
  for (; name != NULL && *name != '\0'; name++)
    if ((unsigned char)*name >= 0x80)
      return ps__error_misuse(PS_MISUSE_NOTASCII, argument, parameter);
  return PS__DONE;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

ps_status ps__resolve_port(ps_port port, short argument, const char *name, int least,
                           char digits[PS__DIGITS], const char **service) {
  long long number = port.number;
  if (port.service != NULL) {
    /* Only a text with a letter is a name. The resolver's parser of numbers is too
       lenient: it accepts signs, blanks and the empty text, and numbers that are too
       large wrap. */
    if (strpbrk(port.service, LETTERS) != NULL) {
      *service = port.service;
      return PS__DONE;
    }
    size_t length = strspn(port.service, "0123456789");
    if (length == 0 || port.service[length] != '\0') return ps__error_failure(PS_SERVICE);
    number = 0;
    for (const char *at = port.service; *at != '\0' && number <= 65535; at++)
      number = number * 10 + (*at - '0');
  }
  if (number < least || number > 65535)
    return ps__error_misuse(least == 0 ? PS_MISUSE_BINDPORT : PS_MISUSE_CONNECTPORT,
                            argument, name);
  snprintf(digits, PS__DIGITS, "%d", (int)number);
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

/* Makes a list of the addresses or the names of records. */
static ps_status list(const ps__record *records, int names, ps_entry **entries) {
  ps_entry **last = entries;
  for (; records != NULL; records = records->next) {
    *last = entry(names ? records->name : records->ip, records->addr.family);
    if (*last == NULL) {
      ps_resolved_free(*entries);
      *entries = NULL;
      return ps__error_failure(PS_NOMEMORY);
    }
    last = &(*last)->next;
  }
  return PS__DONE;
}

/* Resolves a question within one call. */
static ps_status ask(ps__answer *answer, ps_seconds timeout, ps_host *host) {
  if (isnan(timeout)) return ps__error_misuse(PS_MISUSE_NAN, 2, "timeout");
  ps_status status = ps__resolve_name(answer->question.host, 1, "address");
  if (status.code != PS_OK) return status;
  ps__call call = ps__call_alone(host, timeout);
  return ps__resolve_ask(&call, answer);
}

ps_hostname ps_dns_gethostname(void) {
  ps_hostname result = {PS__DONE, ""};
  int error = ps__os_hostname(result.text, sizeof result.text);
  if (error != 0) result.status = ps__error_system(error);
  return result;
}

/* Compares names as the resolver does: without regard to case, in ASCII. */
static int is_same_name(const char *one, const char *other) {
  for (; *one != '\0'; one++, other++) {
    int a = *one >= 'A' && *one <= 'Z' ? *one + 32 : *one;
    int b = *other >= 'A' && *other <= 'Z' ? *other + 32 : *other;
    if (a != b) return 0;
  }
  return *other == '\0';
}

/* Makes the description of a host. Its only alias is the name that was asked for, unless
   that is its canonical name or an address. */
static void list_host(ps_resolved *result, const ps__lookup *found, ps_name address,
                      int named) {
  const char *name = named                         ? found->records->name
                     : found->canonical[0] != '\0' ? found->canonical
                                                   : address;
  snprintf(result->name, sizeof result->name, "%s", name);
  snprintf(result->text, sizeof result->text, "%s", named ? name : found->records->ip);
  result->status = list(found->records, 0, &result->ips);
  if (result->status.code == PS_OK && !named && !is_same_name(name, address)) {
    result->aliases = entry(address, 0);
    if (result->aliases == NULL) result->status = ps__error_failure(PS_NOMEMORY);
  }
  if (result->status.code == PS_OK) return;
  ps_resolved_free(result->ips);
  result->ips = NULL;
}

static ps_resolved host_of(ps_name address, int family, int flags, ps_seconds timeout,
                           ps_host *host) {
  ps_resolved result = {PS__DONE, "", "", NULL, NULL};
  ps__answer answer = {.question = {.host = address, .family = family, .flags = flags}};
  result.status = ask(&answer, timeout, host);
  if (result.status.code == PS_OK)
    list_host(&result, ps__resolve_found(&answer), address, (flags & PS__NAMES) != 0);
  ps__resolve_drop(&answer);
  return result;
}

/* Returns PS_OK for an address, PS_NONAME for another text. */
static ps_status look_at_address(ps_name text) {
  ps__lookup lookup = {.host = text, .flags = PS__NUMERIC};
  ps__os_resolve(&lookup);
  free_records(lookup.records);
  return lookup.status;
}

ps_resolved ps_dns_toip(ps_name address, ps_seconds timeout, ps_host *host) {
  return host_of(address, 4, 0, timeout, host);
}

ps_resolved ps_dns_tohostname(ps_name address, ps_seconds timeout, ps_host *host) {
  ps_status numeric = look_at_address(address);
  if (numeric.code == PS_OK)
    return host_of(address, 0, PS__NAMES | PS__NAMED, timeout, host);
  if (numeric.code != PS_NONAME) return (ps_resolved){numeric, "", "", NULL, NULL};
  ps_resolved result = host_of(address, 4, 0, timeout, host);
  memcpy(result.text, result.name, sizeof result.text);
  return result;
}

ps_addresses ps_dns_getaddrinfo(ps_name address, ps_seconds timeout, ps_host *host) {
  ps_addresses result = {PS__DONE, NULL};
  ps__answer answer = {.question = {.host = address}};
  result.status = ask(&answer, timeout, host);
  if (result.status.code == PS_OK)
    result.status = list(ps__resolve_found(&answer)->records, 0, &result.entries);
  ps__resolve_drop(&answer);
  return result;
}

ps_names ps_dns_getnameinfo(ps_localname address, ps_servicename service,
                            ps_seconds timeout, ps_host *host) {
  ps_names result = {PS__DONE, NULL, ""};
  if (address == NULL && service == NULL) {
    result.status = ps__error_misuse(PS_MISUSE_NOLOOKUP, 1, "address");
    return result;
  }
  ps__answer answer = {
      .question = {.host = address, .service = service, .flags = PS__NAMES}};
  result.status = isnan(timeout) ? ps__error_misuse(PS_MISUSE_NAN, 3, "timeout")
                                 : ask(&answer, timeout, host);
  const ps__lookup *found = ps__resolve_found(&answer);
  if (result.status.code == PS_OK && address != NULL)
    result.status = list(found->records, 1, &result.names);
  if (result.status.code == PS_OK && service != NULL)
    memcpy(result.service, found->servicename, sizeof result.service);
  ps__resolve_drop(&answer);
  return result;
}
