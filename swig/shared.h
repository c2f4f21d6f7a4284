/* SPDX-License-Identifier: MIT */
/* What the bindings of all languages need: names for messages, and rules for values that
   must not differ between languages. Nothing here knows a language, allocates or raises.
 */

#ifndef PS_SHARED_H
#define PS_SHARED_H

#include <limits.h>
#include <math.h>
#include <string.h>

#include "polysock.h"

/* ---- Names and misuse ---- */

/* The place of an argument: the name of the wrapper, its number there, and its own name.
 */
typedef struct place {
  const char *function;
  int number;
  const char *name;
} place;

/* SWIG names a method Class_name, and counts self as its first argument. */
static inline int is_method(const char *function) {
  return *function >= 'A' && *function <= 'Z';
}

static inline const char *name_of(const char *function) {
  return is_method(function)                 ? strchr(function, '_') + 1
         : strncmp(function, "dns_", 4) == 0 ? function + 4
                                             : function;
}

static inline ps_status misuse_at(short code, place at) {
  ps_status status = {code, (short)(at.number - is_method(at.function)), 0, at.name};
  return status;
}

/* ---- Values: a function that returns a short returns a misuse code, or 0 ---- */

static inline int fits(double value) {
  return value >= -9223372036854775808.0 && value < 9223372036854775808.0;
}

/* Is the number an integer? Then it is stored, too. */
static inline int is_whole(double value, long long *integer) {
  int whole = fits(value) && floor(value) == value;
  if (whole) *integer = (long long)value;
  return whole;
}

static inline short text_misuse(const char *text, size_t size) {
  return strlen(text) == size ? 0 : PS_MISUSE_NULBYTE;
}

static inline short set_option_text(ps_option *value, const char *text, size_t size) {
  short code = text_misuse(text, size);
  if (code == 0 && size >= sizeof value->text) code = PS_MISUSE_TOOLONG;
  if (code == 0) memcpy(value->text, text, size + 1);
  value->type = PS_TEXT;
  return code;
}

/* A float beyond the range of integers is a valid number. */
static inline void set_option_number(ps_option *value, double number) {
  value->type = PS_NUMBER;
  value->number = number;
  value->integral = is_whole(number, &value->integer);
}

/* A number that does not fit is no descriptor. */
static inline int descriptor_of(double number) {
  return number >= 0 && number <= INT_MAX ? (int)number : -1;
}

#endif
