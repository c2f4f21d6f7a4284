/* SPDX-License-Identifier: MIT */
/* What testee.c needs of POSIX and Windows lacks: streams to memory, lines of any length,
   and locks of streams. Threads are those of winpthreads. */

#ifndef TESTEE_WINDOWS_H
#define TESTEE_WINDOWS_H

#define WIN32_LEAN_AND_MEAN
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define flockfile _lock_file
#define funlockfile _unlock_file

/* A stream to memory is a temporary file, which is read when it is closed. */
typedef struct memstream {
  struct memstream *next;
  FILE *file;
  char **text;
  size_t *size;
} memstream;

static memstream *memstreams;
static SRWLOCK memstreams_lock = SRWLOCK_INIT;

static FILE *open_memstream(char **text, size_t *size) {
  char folder[MAX_PATH + 1], name[MAX_PATH + 1];
  if (!GetTempPathA(sizeof folder, folder)) return NULL;
  if (!GetTempFileNameA(folder, "ps", 0, name)) return NULL;
  memstream *made = malloc(sizeof *made);
  FILE *file = fopen(name, "w+bTD"); /* it is deleted when it is closed */
  if (!made || !file) return NULL;
  AcquireSRWLockExclusive(&memstreams_lock);
  *made = (memstream){memstreams, file, text, size};
  memstreams = made;
  ReleaseSRWLockExclusive(&memstreams_lock);
  return file;
}

static int close_memstream(FILE *file) {
  AcquireSRWLockExclusive(&memstreams_lock);
  memstream **at = &memstreams, *closed;
  while ((*at)->file != file) at = &(*at)->next;
  closed = *at;
  *at = closed->next;
  ReleaseSRWLockExclusive(&memstreams_lock);
  size_t size = (size_t)ftell(file);
  char *text = malloc(size + 1);
  rewind(file);
  if (!text || fread(text, 1, size, file) != size) abort();
  text[size] = 0;
  *closed->text = text;
  *closed->size = size;
  free(closed);
  return fclose(file);
}
#define fclose close_memstream

/* The requests have no NUL. */
static long long getline(char **line, size_t *size, FILE *file) {
  size_t used = 0;
  if (!*line) *size = 0;
  for (;;) {
    if (*size < used + 4096) {
      *size = used * 2 + 8192;
      *line = realloc(*line, *size);
      if (!*line) abort();
    }
    if (!fgets(*line + used, (int)(*size - used), file))
      return used ? (long long)used : -1;
    used += strlen(*line + used);
    if ((*line)[used - 1] == '\n') return (long long)used;
  }
}

/* Bytes go in and out as they are. */
static void use_bytes(void) {
  _setmode(_fileno(stdin), _O_BINARY);
  _setmode(_fileno(stdout), _O_BINARY);
}

#endif
