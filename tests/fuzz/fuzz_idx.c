/* fuzz_idx.c: whatever the bytes, the IDX reader fails with a text or yields the values that the sizes tell of.
 * SPDX-License-Identifier: MIT */
#include "data/idx.h"
#include "parts.h"

static uint64_t sum; /* so that the values are really read */

static void check(const char *path, int rank) {
  struct skp_idx idx;
  if (skp__idx_read(&idx, path, rank) == SKP_OK) {
    if (rank == 1 && (idx.dim[1] != 1 || idx.dim[2] != 1)) abort();
    for (int64_t i = 0; i < idx.dim[0] * idx.dim[1] * idx.dim[2]; i++) sum += idx.values[i];
  } else if (idx.values || !strstr(skp_error_message(), path)) {
    abort();
  }
  free(idx.values);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  char path[600];
  folder_put("idx", bytes, size);
  snprintf(path, sizeof path, "%s/idx", folder());
  check(path, 1);
  check(path, 3);
  return 0;
}
