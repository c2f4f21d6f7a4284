/* SPDX-License-Identifier: MIT */
/* What the results consist of that are not one plain value, for all languages. A language
   defines, before it includes this file, the type maker and functions that put a value
   into it:

     put_nothing, put_flag, put_integer, put_number, put_text
     open_list, open_table      put an empty list, or an empty table with named fields
     as_item, as_field          move the last value into the list or table before it

   Nothing here knows a language. */

#ifndef PS_VALUES_H
#define PS_VALUES_H

static inline void put_text_field(maker *to, const char *name, const char *text) {
  put_text(to, text);
  as_field(to, name);
}

static inline void put_option(maker *to, const ps_option *value) {
  if (value->type == PS_FLAG) {
    put_flag(to, value->flag);
  } else if (value->type == PS_TEXT) {
    put_text(to, value->text);
  } else if (value->type == PS_NUMBER && value->integral) {
    put_integer(to, value->integer);
  } else if (value->type == PS_NUMBER) {
    put_number(to, value->number);
  } else if (value->type == PS_LINGER) {
    open_table(to);
    put_flag(to, value->flag);
    as_field(to, "on");
    put_integer(to, value->integer);
    as_field(to, "timeout");
  } else {
    put_nothing(to);
  }
}

static inline void put_texts(maker *to, const ps_entry *entries) {
  open_list(to);
  for (; entries != NULL; entries = entries->next) {
    put_text(to, entries->text);
    as_item(to);
  }
}

static inline void put_addresses(maker *to, const ps_addresses *addresses) {
  open_list(to);
  for (const ps_entry *at = addresses->entries; at != NULL; at = at->next) {
    open_table(to);
    put_text_field(to, "family", at->family);
    put_text_field(to, "addr", at->text);
    as_item(to);
  }
}

/* Two values. */
static inline void put_resolved(maker *to, const ps_resolved *resolved) {
  put_text(to, resolved->text);
  open_table(to);
  put_text_field(to, "name", resolved->name);
  put_texts(to, resolved->aliases);
  as_field(to, "alias");
  put_texts(to, resolved->ips);
  as_field(to, "ip");
}

/* Two values. */
static inline void put_names(maker *to, const ps_names *names) {
  put_texts(to, names->names);
  if (names->service[0] != '\0')
    put_text(to, names->service);
  else
    put_nothing(to);
}

#endif
