/* SPDX-License-Identifier: MIT */
/* Converts codes to words. This is the only file that makes the text of a failure or a
   misuse. The lists are in errors.def; os_error.c maps the system's error numbers. */

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

ps_status ps__error_failure(short code) { return (ps_status){code, 0, 0, NULL}; }

ps_status ps__error_misuse(short code, short argument, const char *detail) {
  return (ps_status){code, argument, 0, detail};
}

ps_status ps__error_system(int error) {
  return (ps_status){ps__os_code(error), 0, error, NULL};
}

/* Returns the length of a text that is cut to at most `most` bytes without splitting a
   UTF-8 character. */
static int cut(const char *text, size_t most) {
  size_t length = strlen(text);
  if (length <= most) return (int)length;
  while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80) most--;
  return (int)most;
}

/* A caller may have made the status. */
static const char *listed(const char *const *words, size_t count, int code) {
  int known = code >= 0 && (size_t)code < count && words[code] != NULL;
  return known ? words[code] : "unknown status";
}

const char *ps_status_words(ps_status status, char buffer[PS_WORDS]) {
  if (status.code < PS_SYSTEM)
    return listed(failures, sizeof failures / sizeof *failures, status.code);
  if (status.code == PS_SYSTEM) return ps__os_words(status.system, buffer, PS_WORDS);
  if (status.code == PS_INTERRUPTED) return "interrupted";
  if (status.code == PS_ENDED) return failures[PS_CLOSED];
  const char *words =
      listed(misuses, sizeof misuses / sizeof *misuses, status.code - PS_MISUSED);
  const char *place = strstr(words, "%s");
  if (place == NULL) return words;
  const char *detail = status.detail != NULL ? status.detail : "argument";
  snprintf(buffer, PS_WORDS, "%.*s%.*s%s", (int)(place - words), words, cut(detail, 80),
           detail, place + 2);
  return buffer;
}

const char *ps_status_misuse(ps_status status, const char *function,
                             char buffer[PS_WORDS]) {
  char text[PS_WORDS];
  const char *words = ps_status_words(status, text);
  if (status.argument > 0)
    snprintf(buffer, PS_WORDS, "bad argument #%d to '%.*s' (%.*s)", status.argument,
             cut(function, 60), function, cut(words, 160), words);
  else
    snprintf(buffer, PS_WORDS, "calling '%.*s' on bad self (%.*s)", cut(function, 60),
             function, cut(words, 160), words);
  return buffer;
}
