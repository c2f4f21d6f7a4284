/* SPDX-License-Identifier: MIT */
/* os.h for Windows, from version 10 2004 on: before that WSAPoll does not report a
   connect that failed. A descriptor is a handle of Winsock, of which only 32 bits are
   used; error numbers are those of errno.h. Locks and threads are those of the system
   itself (see os_parts.h). There is no fork. */

#ifdef _WIN32

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "os_parts.h"

#ifndef WSA_FLAG_NO_HANDLE_INHERIT
#define WSA_FLAG_NO_HANDLE_INHERIT 0x80
#endif

/* ---- Error numbers ---- */

int ps__os_number(int winsock) {
#define SAME(name) \
  case WSA##name:  \
    return name;
  switch (winsock) {
    SAME(EACCES)
    SAME(EADDRINUSE)
    SAME(EADDRNOTAVAIL)
    SAME(EAFNOSUPPORT)
    SAME(EALREADY)
    SAME(EBADF)
    SAME(ECONNABORTED)
    SAME(ECONNREFUSED)
    SAME(ECONNRESET)
    SAME(EDESTADDRREQ)
    SAME(EFAULT)
    SAME(EHOSTUNREACH)
    SAME(EINPROGRESS)
    SAME(EINTR)
    SAME(EINVAL)
    SAME(EISCONN)
    SAME(EMFILE)
    SAME(EMSGSIZE)
    SAME(ENETDOWN)
    SAME(ENETRESET)
    SAME(ENETUNREACH)
    SAME(ENOBUFS)
    SAME(ENOPROTOOPT)
    SAME(ENOTCONN)
    SAME(ENOTSOCK)
    SAME(EOPNOTSUPP)
    SAME(EPROTONOSUPPORT)
    SAME(EPROTOTYPE)
    SAME(ETIMEDOUT)
    SAME(EWOULDBLOCK)
    case WSAESHUTDOWN:
      return EPIPE;
    case WSA_NOT_ENOUGH_MEMORY:
      return ENOMEM;
    default:
      return winsock;
  }
#undef SAME
}

int ps__os_reason(void) { return ps__os_number(WSAGetLastError()); }

static int answer(int result) { return result == SOCKET_ERROR ? ps__os_reason() : 0; }

const char *ps__os_library_words(int error, char *buffer, size_t size) {
  DWORD options = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
  DWORD language = MAKELANGID(LANG_ENGLISH, SUBLANG_ENGLISH_US);
  if (error < WSABASEERR) {
    if (strerror_s(buffer, size, error) != 0) return NULL;
    return strncmp(buffer, "Unknown error", 13) == 0 ? NULL : buffer;
  }
  DWORD length =
      FormatMessageA(options, NULL, (DWORD)error, language, buffer, (DWORD)size, NULL);
  while (length > 0 && strchr(".\r\n ", buffer[length - 1]) != NULL) length--;
  buffer[length] = '\0';
  return length > 0 ? buffer : NULL;
}

/* ---- The process ---- */

void *ps__os_realloc(void *memory, size_t size) {
  if (size > 0) return realloc(memory, size);
  free(memory);
  return NULL;
}

void ps__os_populate(void *memory, size_t size) {
  (void)memory;
  (void)size;
}

static INIT_ONCE once = INIT_ONCE_STATIC_INIT;

/* A failure is told by the first call of Winsock. */
static BOOL CALLBACK start_winsock(PINIT_ONCE self, PVOID parameter, PVOID *context) {
  WSADATA told;
  (void)self;
  (void)parameter;
  (void)context;
  WSAStartup(MAKEWORD(2, 2), &told);
  return TRUE;
}

void ps__os_begin(void) { InitOnceExecuteOnce(&once, start_winsock, NULL, NULL); }

static SRWLOCK members = SRWLOCK_INIT;

void ps__os_lock(void) { AcquireSRWLockExclusive(&members); }
void ps__os_unlock(void) { ReleaseSRWLockExclusive(&members); }

unsigned ps__os_process(void) { return 0; }

unsigned long ps__os_thread(void) { return GetCurrentThreadId(); }
unsigned long ps__os_forker(void) { return 0; }

void ps__os_at_fork(int part, const ps__forker *forker) {
  (void)part;
  (void)forker;
}

int ps__os_start(ps__thread run) {
  HMODULE here;
  DWORD how = GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
  if (!GetModuleHandleExA(how, (LPCSTR)(void *)&once, &here)) return EAGAIN;
  HANDLE thread = CreateThread(NULL, 0, run, NULL, 0, NULL);
  if (thread == NULL) return EAGAIN;
  CloseHandle(thread);
  return 0;
}

void ps__os_condition(ps__condition *made) { InitializeConditionVariable(made); }

void ps__os_await(ps__condition *condition, ps__mutex *mutex, double until) {
  double left = ceil(fmax(until - ps__os_monotime(), 0) * 1000);
  SleepConditionVariableSRW(condition, mutex, (DWORD)fmin(left, 86400000), 0);
}

size_t ps__os_setsize(void) { return INT_MAX; }

int ps__os_hostname(char *name, size_t size) {
  ps__os_begin();
  name[size - 1] = '\0';
  return answer(gethostname(name, (int)size - 1));
}

/* ---- Time ---- */

double ps__os_gettime(void) {
  FILETIME now; /* 100 ns since 1601 */
  GetSystemTimePreciseAsFileTime(&now);
  return ((double)now.dwHighDateTime * 4294967296.0 + (double)now.dwLowDateTime) / 1e7 -
         11644473600.0;
}

double ps__os_monotime(void) {
  LARGE_INTEGER now, second;
  QueryPerformanceCounter(&now);
  QueryPerformanceFrequency(&second);
  return (double)now.QuadPart / (double)second.QuadPart;
}

int ps__os_sleep(double seconds) {
  double milliseconds = ceil(seconds * 1000);
  Sleep((DWORD)fmin(milliseconds, PS__SLICE));
  return milliseconds > PS__SLICE ? EINTR : 0;
}

/* ---- Waiting ---- */

int ps__os_bell(int *fd) {
  ps__os_begin();
  SOCKET made = WSASocketW(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_NO_HANDLE_INHERIT);
  if (made == INVALID_SOCKET) return ps__os_reason();
  struct sockaddr_in here = {.sin_family = AF_INET};
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  struct sockaddr *addr = (struct sockaddr *)&here;
  int size = sizeof here;
  u_long on = 1;
  /* It is connected to itself, so that nobody else can ring it. */
  if (bind(made, addr, size) == 0 && getsockname(made, addr, &size) == 0 &&
      connect(made, addr, size) == 0 && ioctlsocket(made, FIONBIO, &on) == 0) {
    *fd = (int)made;
    return 0;
  }
  int error = ps__os_reason();
  closesocket(made);
  return error;
}

void ps__os_ring(int fd) { send(fd, "", 1, 0); }

void ps__os_silence(int fd) {
  char rings[64];
  while (recv(fd, rings, sizeof rings, 0) > 0) {
  }
}

/* WSAPoll marks entries whose handle is none of a socket, but does not count them, and it
   fails when there are no others. */
static int count_invalid(struct pollfd *polled, nfds_t count) {
  int found = 0;
  for (nfds_t i = 0; i < count; i++) found += (polled[i].revents & POLLNVAL) != 0;
  return found;
}

int ps__os_poll_entries(struct pollfd *polled, nfds_t count, int milliseconds) {
  int slice = milliseconds < PS__SLICE ? milliseconds : PS__SLICE, found = 0, error = 0;
  if (count == 0)
    Sleep((DWORD)slice);
  else
    found = WSAPoll(polled, count, slice);
  if (found == SOCKET_ERROR) error = ps__os_reason();
  if (found <= 0) found = count_invalid(polled, count);
  if (found > 0) return found;
  return error != 0 ? -error : slice < milliseconds ? -EINTR : 0;
}

/* ---- Sockets ---- */

int ps__os_prepare(int fd) {
  u_long on = 1;
  if (ioctlsocket(fd, FIONBIO, &on) != 0) return ps__os_reason();
  SetHandleInformation((HANDLE)(SOCKET)fd, HANDLE_FLAG_INHERIT, 0);
  return 0;
}

static int prepare_new(SOCKET made, int *fd) {
  if (made == INVALID_SOCKET) return ps__os_reason();
  int error = ps__os_prepare((int)made);
  if (error != 0) closesocket(made);
  *fd = (int)made;
  return error;
}

int ps__os_socket(int family, int *fd) {
  ps__os_begin();
  int error =
      prepare_new(WSASocketW(family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM, IPPROTO_TCP,
                             NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT),
                  fd);
  DWORD on = 1;
  if (error == 0 && family == 6)
    setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, (const char *)&on, sizeof on);
  return error;
}

int ps__os_replace(int made, int *fd) {
  closesocket(*fd); /* if it was not open, nothing is lost */
  *fd = made;
  return 0;
}

static int describe_socket(int fd, WSAPROTOCOL_INFOW *told) {
  int size = sizeof *told;
  ps__os_begin();
  return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)told, &size);
}

int ps__os_adopt(int fd, int *family) {
  WSAPROTOCOL_INFOW told;
  if (describe_socket(fd, &told) != 0) {
    DWORD flags;
    int error = ps__os_reason();
    int open = GetHandleInformation((HANDLE)(SOCKET)fd, &flags);
    return error == ENOTSOCK && !open ? EBADF : error;
  }
  *family = told.iSocketType != SOCK_STREAM   ? 0
            : told.iAddressFamily == AF_INET  ? 4
            : told.iAddressFamily == AF_INET6 ? 6
                                              : 0;
  return 0;
}

int ps__os_sockname(int fd, struct sockaddr *addr, socklen_t *size) {
  WSAPROTOCOL_INFOW told;
  int result = getsockname(fd, addr, size);
  if (result == 0 || WSAGetLastError() != WSAEINVAL) return result;
  if (describe_socket(fd, &told) != 0) return SOCKET_ERROR;
  int used = told.iAddressFamily == AF_INET6 ? sizeof(struct sockaddr_in6)
                                             : sizeof(struct sockaddr_in);
  memset(addr, 0, (size_t)used);
  addr->sa_family = (ADDRESS_FAMILY)told.iAddressFamily;
  *size = used;
  return 0;
}

int ps__os_bind(int fd, const ps__addr *addr) {
  return answer(bind(fd, (const struct sockaddr *)addr->raw.bytes, (int)addr->size));
}

/* Here a server may always bind an address that only old connections use, and
   SO_REUSEADDR would let two servers share one. */
int ps__os_reuse(int fd) {
  (void)fd;
  return 0;
}

int ps__os_listen(int fd, int backlog) {
  int error = answer(listen(fd, backlog));
  if (error != EINVAL) return error;
  /* It is not bound; other systems bind it to all interfaces. */
  ps__addr any;
  error = ps__os_local(fd, &any);
  if (error == 0) error = ps__os_bind(fd, &any);
  return error == 0 ? answer(listen(fd, backlog)) : error;
}

int ps__os_accept(int fd, int *client) {
  return prepare_new(accept(fd, NULL, NULL), client);
}

int ps__os_connect(int fd, const ps__addr *addr) {
  return answer(connect(fd, (const struct sockaddr *)addr->raw.bytes, (int)addr->size));
}

int ps__os_disconnect(int fd) {
  (void)fd;
  return 0;
}

int ps__os_recv(int fd, void *data, size_t size, size_t *got) {
  int count = recv(fd, data, size > INT_MAX ? INT_MAX : (int)size, 0);
  int error = count < 0 ? ps__os_reason() : 0;
  *got = count < 0 ? 0 : (size_t)count;
  return error == EPIPE ? 0 : error; /* after shutdown: the end, as elsewhere */
}

int ps__os_send(int fd, const void *data, size_t size, size_t *sent) {
  int count = send(fd, data, size > INT_MAX ? INT_MAX : (int)size, 0);
  if (count < 0) return ps__os_reason();
  *sent = (size_t)count;
  return 0;
}

int ps__os_shutdown(int fd, const char *mode) {
  int how = mode[0] == 's' ? SD_SEND : mode[0] == 'r' ? SD_RECEIVE : SD_BOTH;
  return answer(shutdown(fd, how));
}

int ps__os_close(int fd) { return answer(closesocket(fd)); }

#else

typedef int ps__os_windows; /* a file is not empty */

#endif
