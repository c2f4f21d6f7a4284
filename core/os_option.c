/* SPDX-License-Identifier: MIT */
/* Options of sockets, for all systems: options.def has their levels and numbers. */

#define _GNU_SOURCE /* numbers that are no part of POSIX */
#include <limits.h>
#include <string.h>

#include "os_parts.h"

#ifndef IFNAMSIZ
#define IFNAMSIZ 16 /* Windows: no option has a name */
#endif
#ifndef TCP_KEEPIDLE
#ifdef TCP_KEEPALIVE
#define TCP_KEEPIDLE TCP_KEEPALIVE
#else
#define TCP_KEEPIDLE -1
#endif
#endif
#ifndef TCP_KEEPCNT
#define TCP_KEEPCNT -1
#endif
#ifndef TCP_KEEPINTVL
#define TCP_KEEPINTVL -1
#endif
#ifndef TCP_DEFER_ACCEPT
#define TCP_DEFER_ACCEPT -1
#endif
#ifndef TCP_FASTOPEN
#define TCP_FASTOPEN -1
#endif
#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT -1
#endif
#ifndef TCP_USER_TIMEOUT
#define TCP_USER_TIMEOUT -1
#endif
#ifndef SO_REUSEPORT
#define SO_REUSEPORT -1
#endif
#ifndef SO_BINDTODEVICE
#define SO_BINDTODEVICE -1
#endif

static int answer(int result) { return result < 0 ? ps__os_reason() : 0; }

static const struct {
  int level, number;
} options[] = {
#define PS_OPTION(id, name, type, level, number) {level, number},
#include "options.def"
#undef PS_OPTION
};

int ps__os_hasoption(int option) { return options[option].number != -1; }

int ps__os_setoption(int fd, int option, const ps_option *value) {
  int level = options[option].level, number = options[option].number;
  /* The system truncates a longer name, which may then be the name of another device. */
  if (option == PS__OPTION_DEVICE && strlen(value->text) >= IFNAMSIZ) return ENODEV;
  if (value->type == PS_TEXT)
    return answer(
        setsockopt(fd, level, number, value->text, (socklen_t)strlen(value->text) + 1));
  if (value->type == PS_LINGER) {
    struct linger linger = {value->flag, (int)value->integer};
    if (linger.l_linger != value->integer) return EINVAL;
    return answer(setsockopt(fd, level, number, (const void *)&linger, sizeof linger));
  }
  if (value->integer < INT_MIN || value->integer > INT_MAX) return EINVAL;
  int integer = (int)value->integer;
  return answer(setsockopt(fd, level, number, (const void *)&integer, sizeof integer));
}

typedef union raw {
  int integer;
  struct linger linger;
  char text[IFNAMSIZ];
} raw;

/* Bytes that the system does not write are 0. */
static int read_option(int fd, int option, raw *room, socklen_t *size) {
  *size = option == PS__OPTION_DEVICE   ? sizeof room->text
          : option == PS__OPTION_LINGER ? sizeof room->linger
                                        : sizeof room->integer;
  int error = answer(
      getsockopt(fd, options[option].level, options[option].number, (void *)room, size));
  if ((size_t)*size < sizeof *room) memset((char *)room + *size, 0, sizeof *room - *size);
  return error;
}

int ps__os_getoption(int fd, int option, ps_option *value) {
  raw room;
  socklen_t size;
  int error = read_option(fd, option, &room, &size);
  if (error != 0) return error;
  if (option == PS__OPTION_DEVICE) {
    memcpy(value->text, room.text, sizeof room.text);
  } else if (option == PS__OPTION_LINGER) {
    value->flag = room.linger.l_onoff != 0;
    value->integer = room.linger.l_linger;
  } else {
    int error_number = option == PS__OPTION_ERROR;
    value->integer = error_number ? ps__os_number(room.integer) : room.integer;
  }
  return 0;
}

int ps__os_copyoption(int from, int to, int option) {
  if (option == PS__OPTION_ERROR) return EINVAL;
  raw wanted, present;
  socklen_t size, other;
  int error = read_option(from, option, &wanted, &size);
  if (error == 0) error = read_option(to, option, &present, &other);
  if (error != 0) return error;
  /* Setting a buffer size, even to the current value, ends its automatic tuning, and
     setting a device may need a privilege. */
  if (memcmp(&wanted, &present, sizeof wanted) == 0) return 0;
#ifdef __linux__
  /* The system doubles the size that it is given. */
  if (option == PS__OPTION_RECVBUFFER || option == PS__OPTION_SENDBUFFER)
    wanted.integer /= 2;
#endif
  return answer(setsockopt(to, options[option].level, options[option].number,
                           (const void *)&wanted, size));
}
