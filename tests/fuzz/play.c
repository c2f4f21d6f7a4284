/* SPDX-License-Identifier: MIT */
/* Plays files on a fuzzer that is compiled without libFuzzer, by any compiler: for
   coverage, and to play an input again. A folder stands for the files in it. */

#define _POSIX_C_SOURCE 200809L /* opendir */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
#pragma weak LLVMFuzzerInitialize

enum { MOST = 1 << 20 };

static unsigned played;

static void play_file(const char *path) {
  static unsigned char data[MOST];
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  size_t size = fread(data, 1, sizeof data, file);
  fclose(file);
  LLVMFuzzerTestOneInput(data, size);
  played++;
}

static void play_folder(DIR *folder, const char *path) {
  char name[4096];
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
    play_file(name);
  }
  closedir(folder);
}

int main(int count, char **arguments) {
  if (LLVMFuzzerInitialize != NULL) LLVMFuzzerInitialize(&count, &arguments);
  for (int i = 1; i < count; i++) {
    DIR *folder = opendir(arguments[i]);
    if (folder != NULL)
      play_folder(folder, arguments[i]);
    else
      play_file(arguments[i]);
  }
  printf("played %u files\n", played);
  return played == 0;
}
