/* SPDX-License-Identifier: MIT */
/* Codes and words: the only place where a failure or a misuse becomes text. The lists
   themselves are in errors.def; what a system's number means, os.h knows. */

#include <stdio.h>
#include <string.h>

#include "internal.h"

static const char *const failures[] = {
    [PS_OK] = "",
#define PS_FAILURE(code, number, words) [code] = words,
#define PS_MISUSE(code, number, words)
#include "errors.def"
#undef PS_FAILURE
#undef PS_MISUSE
};

static const char *const misuses[] = {
    [0] = "misuse",
#define PS_FAILURE(code, number, words)
#define PS_MISUSE(code, number, words) [code - PS_MISUSED] = words,
#include "errors.def"
#undef PS_FAILURE
#undef PS_MISUSE
};

ps_status ps__failure(short code) { return (ps_status){code, 0, 0, NULL}; }

ps_status ps__misuse(short code, short argument, const char *detail) {
  return (ps_status){code, argument, 0, detail};
}

ps_status ps__system(int error) {
  return (ps_status){ps__os_code(error), 0, error, NULL};
}

ps_status ps__socket_error(ps_socket *self, int error) {
  /* What a call meets when another thread closes beneath it, is that close. */
  if (self != NULL && (atomic_load(&self->state) & PS__CLOSED) != 0)
    return ps__failure(PS_CLOSED);
  if (self != NULL) self->error = (unsigned short)error;
  return ps__system(error);
}

const char *ps_status_words(ps_status status, char buffer[PS_WORDS]) {
  if (status.code < PS_SYSTEM) return failures[status.code];
  if (status.code == PS_SYSTEM) return ps__os_words(status.system, buffer, PS_WORDS);
  if (status.code == PS_INTERRUPTED) return "interrupted";
  if (status.code == PS_ENDED) return "closed";
  const char *words = misuses[status.code - PS_MISUSED];
  const char *place = strstr(words, "%s");
  if (place == NULL) return words;
  snprintf(buffer, PS_WORDS, "%.*s%.80s%s", (int)(place - words), words,
           status.detail != NULL ? status.detail : "argument", place + 2);
  return buffer;
}

const char *ps_status_misuse(ps_status status, const char *function,
                             char buffer[PS_WORDS]) {
  char text[PS_WORDS];
  const char *words = ps_status_words(status, text);
  if (status.argument > 0)
    snprintf(buffer, PS_WORDS, "bad argument #%d to '%s' (%.160s)", status.argument,
             function, words);
  else
    snprintf(buffer, PS_WORDS, "calling '%s' on bad self (%.160s)", function, words);
  return buffer;
}
