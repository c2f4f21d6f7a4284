/* SPDX-License-Identifier: MIT */
/* core/reader.c against its model, on whatever tape libFuzzer finds. */

#define CHECK(condition)                \
  do {                                  \
    if (!(condition)) __builtin_trap(); \
  } while (0)
#include "reader_model.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
  play(data, size);
  return 0;
}
