/* SPDX-License-Identifier: MIT */
/* Options: the type of the value of each, and the functions that set and get them. The
   list is options.def; os_posix.c makes the system calls. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

enum type { FLAG, INTEGER, SECONDS, TEXT, LINGER, ERROR };

static const struct {
  const char *name;
  enum type type;
} options[] = {
#define PS_OPTION(id, name, type, level, number) {name, type},
#include "options.def"
#undef PS_OPTION
};

enum { OPTIONS = sizeof options / sizeof *options };

static int find_option(const char *name) {
  for (int i = 0; i < OPTIONS; i++)
    if (strcmp(options[i].name, name) == 0) return i;
  return -1;
}

/* Checks a value against the type of its option and converts it to the
   system's units. */
static ps_status check(enum type type, ps_option *value) {
  short code = 0;
  switch (type) {
    case FLAG:
      if (value->type != PS_FLAG) code = PS_MISUSE_NOTFLAG;
      value->integer = value->flag != 0;
      break;
    case INTEGER:
      if (value->type != PS_NUMBER || !value->integral) code = PS_MISUSE_NOTINTEGER;
      break;
    case SECONDS:
      if (value->type != PS_NUMBER)
        code = PS_MISUSE_NOTNUMBER;
      else if (isnan(value->number))
        code = PS_MISUSE_NAN;
      break;
    case TEXT:
      if (value->type != PS_TEXT) code = PS_MISUSE_NOTTEXT;
      break;
    case LINGER:
      if (value->type != PS_LINGER || !(value->number >= 0)) code = PS_MISUSE_NOTLINGER;
      break;
    case ERROR: /* read-only: the caller has refused it */
      break;
  }
  return code == 0 ? PS__DONE : ps__error_misuse(code, 2, "value");
}

/* Rounds up to a whole number that an int can hold. So a limit never becomes shorter, and
   a short one never becomes 0, which would mean no limit. */
static long long whole(double number) {
  return (long long)fmax(-2147483648.0, fmin(ceil(number), 2147483647.0));
}

static ps_status start(ps__call *call, ps_socket *self, int option) {
  ps_status status = ps__call_begin(call, self, NULL, PS__ANY | PS__DECIDED, PS__SHARED);
  if (status.code != PS_OK || ps__os_hasoption(option)) return status;
  ps__call_end(call);
  return ps__error_failure(PS_NOOPTION);
}

ps_done ps_socket_setoption(ps_socket *self, ps_optionname option, ps_option value) {
  ps_status status = ps__call_kind(self, PS__ANY);
  if (status.code != PS_OK) return (ps_done){status};
  int found = find_option(option);
  if (found < 0 || options[found].type == ERROR)
    return (ps_done){ps__error_misuse(PS_MISUSE_OPTION, 1, option)};
  status = check(options[found].type, &value);
  if (status.code != PS_OK) return (ps_done){status};
  if (options[found].type == SECONDS) value.integer = whole(value.number * 1000);
  if (options[found].type == LINGER) value.integer = whole(value.number);

  ps__call call;
  status = start(&call, self, found);
  if (status.code != PS_OK) return (ps_done){status};
  int error = ps__os_setoption(call.fd, found, &value);
  if (error == 0)
    atomic_fetch_or_explicit(&self->options, 1u << found, memory_order_relaxed);
  ps__call_end(&call);
  return (ps_done){error == 0 ? PS__DONE : ps__error_system(error)};
}

/* Converts a pending error to words: those of the system where the words of the failure
   would not identify the error number. */
static void describe(ps_socket *self, ps_option *value) {
  int hidden = atomic_exchange(&self->error, 0);
  int error = value->integer != 0 ? (int)value->integer : hidden;
  if (value->integer != 0) /* reading it cleared it: the next receive must still fail */
    atomic_store_explicit(&self->broken, (unsigned short)error, memory_order_relaxed);
  value->type = error == 0 ? PS_NIL : PS_TEXT;
  if (error == 0) return;
  ps_status status = ps__error_system(error);
  char buffer[PS_WORDS];
  const char *words = status.code == PS_CLOSED || status.code == PS_TIMEOUT
                          ? ps__os_words(error, buffer, sizeof buffer)
                          : ps_status_words(status, buffer);
  snprintf(value->text, sizeof value->text, "%s", words);
}

ps_value ps_socket_getoption(ps_socket *self, ps_optionname option) {
  ps_value result = {.status = ps__call_kind(self, PS__ANY), .value = {.type = PS_NIL}};
  if (result.status.code != PS_OK) return result;
  int found = find_option(option);
  if (found < 0) {
    result.status = ps__error_misuse(PS_MISUSE_OPTION, 1, option);
    return result;
  }
  ps__call call;
  result.status = start(&call, self, found);
  if (result.status.code != PS_OK) return result;
  ps_option *value = &result.value;
  int error = ps__os_getoption(call.fd, found, value);
  if (error != 0) {
    result.status = ps__error_system(error);
  } else {
    switch (options[found].type) {
      case FLAG:
        value->type = PS_FLAG;
        value->flag = value->integer != 0;
        break;
      case INTEGER:
        value->type = PS_NUMBER;
        value->integral = 1;
        break;
      case SECONDS:
        value->type = PS_NUMBER;
        value->number = (double)value->integer / 1000;
        break;
      case TEXT:
        value->type = PS_TEXT;
        break;
      case LINGER:
        value->type = PS_LINGER;
        value->number = (double)value->integer;
        break;
      case ERROR:
        describe(self, value);
        break;
    }
  }
  ps__call_end(&call);
  return result;
}
