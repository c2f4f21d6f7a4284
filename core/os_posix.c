/* SPDX-License-Identifier: MIT */
/* os.h for POSIX systems: one system call per function where possible. Decisions, such as
   what to do when a call would block, belong to the core. */

#define _GNU_SOURCE /* accept4, dup3, madvise, strerrordesc_np */
#define _FILE_OFFSET_BITS 64
#define _TIME_BITS 64 /* on 32-bit systems: times after 2038 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "os.h"

#ifndef MSG_DONTWAIT
#define MSG_DONTWAIT 0
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

static int answer(int result) { return result < 0 ? errno : 0; }

void *ps__os_realloc(void *memory, size_t size) {
  if (size > 0) return realloc(memory, size);
  free(memory);
  return NULL;
}

void ps__os_populate(void *memory, size_t size) {
#ifdef MADV_POPULATE_WRITE
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t from = ((uintptr_t)memory + page - 1) & ~(page - 1);
  uintptr_t to = ((uintptr_t)memory + size) & ~(page - 1);
  if (from < to)
    madvise((char *)memory + (from - (uintptr_t)memory), to - from, MADV_POPULATE_WRITE);
#else
  (void)memory;
  (void)size;
#endif
}

/* ---- Time ---- */

static double seconds_of(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double ps__os_gettime(void) { return seconds_of(CLOCK_REALTIME); }

double ps__os_monotime(void) { return seconds_of(CLOCK_MONOTONIC); }

/* ---- Sockets ---- */

int ps__os_prepare(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return errno;
  flags = fcntl(fd, F_GETFD);
  if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0) return errno;
#ifdef SO_NOSIGPIPE
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
  return 0;
}

#ifndef SOCK_CLOEXEC
/* As ps__os_prepare for a descriptor that we opened, which is closed on failure. */
static int prepare_new(int fd) {
  int error = ps__os_prepare(fd);
  if (error != 0) close(fd);
  return error;
}
#endif

int ps__os_socket(int family, int *fd) {
#ifdef SOCK_CLOEXEC
  int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  int made = socket(family == 6 ? AF_INET6 : AF_INET, type, 0);
  if (made < 0) return errno;
#else
  int made = socket(family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
  if (made < 0) return errno;
  int error = prepare_new(made);
  if (error != 0) return error;
#endif
  int on = 1;
  if (family == 6) setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  *fd = made;
  return 0;
}

int ps__os_replace(int made, int *fd) {
#ifdef __APPLE__
  int error = answer(dup2(made, *fd));
  if (error == 0) error = ps__os_prepare(*fd);
#else
  int error = answer(dup3(made, *fd, O_CLOEXEC));
#endif
  close(made);
  return error;
}

int ps__os_adopt(int fd, int *family) {
  struct sockaddr_storage name;
  socklen_t size = sizeof name;
  if (getsockname(fd, (struct sockaddr *)&name, &size) < 0) return errno;
  int type = 0;
  size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0) return errno;
  *family = type != SOCK_STREAM          ? 0
            : name.ss_family == AF_INET  ? 4
            : name.ss_family == AF_INET6 ? 6
                                         : 0;
  return 0;
}

int ps__os_bind(int fd, const ps__addr *addr) {
  return answer(bind(fd, (const struct sockaddr *)addr->raw.bytes, addr->size));
}

int ps__os_listen(int fd, int backlog) { return answer(listen(fd, backlog)); }

int ps__os_accept(int fd, int *client) {
#ifdef SOCK_CLOEXEC
  *client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  return answer(*client);
#else
  *client = accept(fd, NULL, NULL);
  return *client < 0 ? errno : prepare_new(*client);
#endif
}

int ps__os_connect(int fd, const ps__addr *addr) {
  int error = answer(connect(fd, (const struct sockaddr *)addr->raw.bytes, addr->size));
  return error == EINTR ? EINPROGRESS : error; /* the connect goes on asynchronously */
}

int ps__os_disconnect(int fd) {
  struct sockaddr none;
  memset(&none, 0, sizeof none);
  none.sa_family = AF_UNSPEC;
  int error = answer(connect(fd, &none, sizeof none));
  return error != EAFNOSUPPORT && error != EINVAL; /* BSD: a datagram socket only */
}

int ps__os_local(int fd, ps__addr *addr) {
  socklen_t size = sizeof addr->raw;
  int error = answer(getsockname(fd, (struct sockaddr *)addr->raw.bytes, &size));
  addr->size = size;
  return error;
}

int ps__os_reuse(int fd) {
  int on = 1;
  return answer(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
}

int ps__os_recv(int fd, void *data, size_t size, size_t *got) {
  ssize_t count = recv(fd, data, size, MSG_DONTWAIT);
  if (count < 0) return errno;
  *got = (size_t)count;
  return 0;
}

int ps__os_send(int fd, const void *data, size_t size, size_t *sent) {
  ssize_t count = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count < 0) return errno;
  *sent = (size_t)count;
  return 0;
}

int ps__os_shutdown(int fd, const char *mode) {
  int how = mode[0] == 's' ? SHUT_WR : mode[0] == 'r' ? SHUT_RD : SHUT_RDWR;
  return answer(shutdown(fd, how));
}

/* close must not be retried after EINTR: the descriptor is closed. */
int ps__os_close(int fd) { return answer(close(fd)); }

static void describe(const struct sockaddr *addr, socklen_t size, char *ip, size_t room) {
  if (getnameinfo(addr, size, ip, (socklen_t)room, NULL, 0, NI_NUMERICHOST) != 0)
    ip[0] = '\0';
}

int ps__os_name(int fd, int peer, ps_address *name) {
  union {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    struct sockaddr_storage room;
  } addr;
  socklen_t size = sizeof addr;
  int result =
      peer ? getpeername(fd, &addr.any, &size) : getsockname(fd, &addr.any, &size);
  if (result < 0) return errno;
  describe(&addr.any, size, name->ip, sizeof name->ip);
  int six = addr.any.sa_family == AF_INET6;
  name->port = ntohs(six ? addr.six.sin6_port : addr.four.sin_port);
  name->family = six ? "inet6" : "inet";
  return 0;
}

/* ---- Options ---- */

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
    return answer(setsockopt(fd, level, number, &linger, sizeof linger));
  }
  if (value->integer < INT_MIN || value->integer > INT_MAX) return EINVAL;
  int integer = (int)value->integer;
  return answer(setsockopt(fd, level, number, &integer, sizeof integer));
}

typedef union raw {
  int integer;
  struct linger linger;
  char text[IFNAMSIZ];
} raw;

/* Bytes that the system does not write are 0. */
static int read_option(int fd, int option, raw *room, socklen_t *size) {
  memset(room, 0, sizeof *room);
  *size = option == PS__OPTION_DEVICE   ? sizeof room->text
          : option == PS__OPTION_LINGER ? sizeof room->linger
                                        : sizeof room->integer;
  int error =
      answer(getsockopt(fd, options[option].level, options[option].number, room, size));
  if (*size < sizeof *room) memset((char *)room + *size, 0, sizeof *room - *size);
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
    value->integer = room.integer;
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
  return answer(
      setsockopt(to, options[option].level, options[option].number, &wanted, size));
}

/* ---- Errors ---- */

int ps__os_again(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINPROGRESS;
}

int ps__os_signalled(int error) { return error == EINTR; }

int ps__os_sendonly(int error) { return error == EPIPE; }

short ps__os_code(int error) {
  switch (error) {
    case 0:
      return PS_OK;
#define PS_ERRNO(number, code) \
  case number:                 \
    return code;
#define PS_ERRNO_WORDS(number, words)
#include "errno.def"
#undef PS_ERRNO
#undef PS_ERRNO_WORDS
    default:
      return PS_SYSTEM;
  }
}

/* Returns NULL for a number that is not in errno.def. */
static const char *own_words(int error) {
  switch (error) {
#define PS_ERRNO(number, code)
#define PS_ERRNO_WORDS(number, words) \
  case number:                        \
    return words;
#include "errno.def"
#undef PS_ERRNO
#undef PS_ERRNO_WORDS
    default:
      return NULL;
  }
}

/* The words of the C library, in the locale C. Returns NULL for an unknown number. */
static const char *library_words(int error, char *buffer, size_t size) {
#if defined __GLIBC__ && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 32)
  (void)buffer;
  (void)size;
  return strerrordesc_np(error);
#else
  locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  if (plain == (locale_t)0) return NULL;
#ifdef __APPLE__ /* it has no strerror_l */
  locale_t before = uselocale(plain);
  if (strerror_r(error, buffer, size) != 0) buffer[0] = '\0';
  uselocale(before);
#else
  strncpy(buffer, strerror_l(error, plain), size - 1);
  buffer[size - 1] = '\0';
#endif
  freelocale(plain);
  int unknown = buffer[0] == '\0' || strncmp(buffer, "Unknown error", 13) == 0 ||
                strcmp(buffer, "No error information") == 0;
  return unknown ? NULL : buffer;
#endif
}

const char *ps__os_words(int error, char *buffer, size_t size) {
  const char *words = own_words(error);
  if (words == NULL) words = library_words(error, buffer, size);
  return words != NULL ? words : "unknown error";
}

/* ---- The process ---- */

size_t ps__os_setsize(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX) return INT_MAX;
  return (size_t)limit.rlim_cur;
}

int ps__os_hostname(char *name, size_t size) {
  name[size - 1] = '\0';
  return answer(gethostname(name, size - 1));
}

/* ---- Resolver ---- */

static ps_status resolver_status(int code) {
  static const struct {
    int resolver;
    short code;
  } known[] = {
      {EAI_AGAIN, PS_AGAIN},       {EAI_FAIL, PS_FAIL},     {EAI_FAMILY, PS_BADFAMILY},
      {EAI_MEMORY, PS_NOMEMORY},   {EAI_NONAME, PS_NONAME}, {EAI_SERVICE, PS_SERVICE},
      {EAI_OVERFLOW, PS_OVERFLOW},
  };
  ps_status status = {PS_OK, 0, 0, NULL};
  if (code == 0) return status;
  status.code =
      PS_NONAME; /* other codes mean that a name has no address of this family */
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].resolver == code) status.code = known[i].code;
  if (code == EAI_SYSTEM) {
    status.system = errno;
    status.code = ps__os_code(errno);
  }
  return status;
}

static ps_status append(ps__lookup *lookup, ps__record ***last,
                        const struct addrinfo *info) {
  int six = info->ai_family == AF_INET6;
  if ((!six && info->ai_family != AF_INET) ||
      info->ai_addrlen > sizeof(((ps__addr *)0)->raw.bytes))
    return resolver_status(0);
  ps__record *record = calloc(1, sizeof *record);
  if (record == NULL) return resolver_status(EAI_MEMORY);
  **last = record;
  *last = &record->next;
  record->addr.family = six ? 6 : 4;
  record->addr.size = info->ai_addrlen;
  memcpy(record->addr.raw.bytes, info->ai_addr, info->ai_addrlen);
  describe(info->ai_addr, info->ai_addrlen, record->ip, sizeof record->ip);
  if ((lookup->flags & PS__NAMES) == 0) return resolver_status(0);
  return resolver_status(getnameinfo(
      info->ai_addr, info->ai_addrlen, record->name, sizeof record->name,
      lookup->servicename, lookup->service != NULL ? sizeof lookup->servicename : 0,
      (lookup->flags & PS__NAMED) != 0 ? NI_NAMEREQD : 0));
}

void ps__os_resolve(ps__lookup *lookup) {
  int flags = lookup->flags;
  struct addrinfo hints, *found = NULL;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_family = lookup->family == 4   ? AF_INET
                    : lookup->family == 6 ? AF_INET6
                                          : AF_UNSPEC;
  if ((flags & PS__PASSIVE) != 0) hints.ai_flags |= AI_PASSIVE;
  if ((flags & PS__NUMERIC) != 0) hints.ai_flags |= AI_NUMERICHOST;
  if ((flags & (PS__NUMERIC | PS__NAMES)) == 0 && lookup->host != NULL)
    hints.ai_flags |= AI_CANONNAME;
  const char *service = lookup->service;
  if (lookup->host == NULL && service == NULL) service = "0";
  ps__record **last = &lookup->records;
  *last = NULL;
  lookup->status = resolver_status(getaddrinfo(lookup->host, service, &hints, &found));
  if (found != NULL && found->ai_canonname != NULL)
    strncpy(lookup->canonical, found->ai_canonname, sizeof lookup->canonical - 1);
  for (struct addrinfo *at = found; at != NULL && lookup->status.code == PS_OK;
       at = at->ai_next)
    lookup->status = append(lookup, &last, at);
  if (found != NULL) freeaddrinfo(found);
  if (lookup->status.code == PS_OK && lookup->records == NULL)
    lookup->status = resolver_status(EAI_NONAME);
}
