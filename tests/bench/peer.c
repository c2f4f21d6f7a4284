/* SPDX-License-Identifier: MIT */
/* The far end of every benchmark: a server that generates and swallows load. It prints
   its port; each connection has a thread, says in a line what it wants, and gets it. It
   uses the system directly and nothing of polysock, and it ends when its standard input
   does.

     records SIZE COUNT LAST   COUNT times SIZE bytes 'a', the last of each is LAST
     drip SIZE                 one such record that ends in LF, in packets of one byte
     sink                      reads until the connection ends
     echo SIZE                 sends back what comes, SIZE bytes at a time           */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BLOCK = 256 * 1024 };

static int send_all(int fd, const char *data, size_t size) {
  while (size > 0) {
    ssize_t count = send(fd, data, size, MSG_NOSIGNAL);
    if (count <= 0) return 0;
    data += count;
    size -= (size_t)count;
  }
  return 1;
}

/* As many whole records as a block holds are sent at once; a longer one goes in blocks.
 */
static void send_records(int fd, size_t size, size_t count, char last, char *block) {
  memset(block, 'a', BLOCK);
  size_t together = size <= BLOCK ? BLOCK / size : 0;
  for (size_t i = 1; i <= together; i++) block[i * size - 1] = last;
  while (together > 0 && count > 0) {
    size_t now = count < together ? count : together;
    if (!send_all(fd, block, now * size)) return;
    count -= now;
  }
  for (; count > 0; count--) {
    for (size_t left = size - 1; left > 0;) {
      size_t now = left < BLOCK ? left : BLOCK;
      if (!send_all(fd, block, now)) return;
      left -= now;
    }
    if (!send_all(fd, &last, 1)) return;
  }
}

static void drip(int fd, size_t size) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  for (size_t i = 1; i <= size; i++)
    if (!send_all(fd, i == size ? "\n" : "a", 1)) return;
}

static void echo(int fd, size_t size, char *block) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  while (recv(fd, block, size, MSG_WAITALL) == (ssize_t)size)
    if (!send_all(fd, block, size)) return;
}

static size_t read_command(int fd, char *command, size_t room) {
  size_t size = 0;
  while (size + 1 < room && recv(fd, command + size, 1, 0) == 1)
    if (command[size++] == '\n') break;
  command[size] = '\0';
  return size;
}

static void *serve(void *argument) {
  int fd = (int)(long)argument;
  char command[100], word[16];
  size_t size = 0, count = 0;
  int last = 0;
  if (read_command(fd, command, sizeof command) > 0) {
    char *block = malloc(BLOCK);
    if (block == NULL) abort();
    sscanf(command, "%15s %zu %zu %d", word, &size, &count, &last);
    if (strcmp(word, "records") == 0) send_records(fd, size, count, (char)last, block);
    if (strcmp(word, "drip") == 0) drip(fd, size);
    if (strcmp(word, "echo") == 0) echo(fd, size < BLOCK ? size : BLOCK, block);
    if (strcmp(word, "sink") == 0)
      while (recv(fd, block, BLOCK, 0) > 0) continue;
    free(block);
  }
  close(fd);
  return NULL;
}

static void *accept_all(void *argument) {
  int listener = (int)(long)argument;
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 * 1024);
  pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    pthread_t thread;
    if (fd < 0) continue;
    if (pthread_create(&thread, &small, serve, (void *)(long)fd) != 0) close(fd);
  }
  return NULL;
}

int main(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  struct sockaddr_in name = {.sin_family = AF_INET};
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  pthread_t thread;
  if (bind(listener, (struct sockaddr *)&name, size) < 0 || listen(listener, 4096) < 0 ||
      getsockname(listener, (struct sockaddr *)&name, &size) < 0 ||
      pthread_create(&thread, NULL, accept_all, (void *)(long)listener) != 0) {
    perror("peer");
    return 1;
  }
  printf("%d\n", ntohs(name.sin_port));
  fflush(stdout);
  while (getchar() != EOF) continue;
  return 0;
}
