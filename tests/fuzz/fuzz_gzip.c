/* fuzz_gzip.c: IDX files as they are distributed. The bytes are taken for what a gzip header is followed by, and for
 * what is compressed: then they are read as if they were not. SPDX-License-Identifier: MIT */
#include "data/idx.h"
#include "parts.h"
#include <zlib.h>

static skp_status read_idx(struct skp_idx *idx, const char *name) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", folder(), name);
  skp_status status = skp__idx_read(idx, path, 3);
  if (status != SKP_OK && (idx->values || !strstr(skp_error_message(), path))) abort();
  return status;
}

static void check_damaged(const uint8_t *bytes, size_t size) {
  static const uint8_t header[] = {31, 139, 8, 0, 0, 0, 0, 0, 0, 3};
  struct skp_idx idx;
  uint8_t *file = malloc(sizeof header + size);
  if (!file) abort();
  memcpy(file, header, sizeof header);
  if (size) memcpy(file + sizeof header, bytes, size);
  folder_put("damaged.gz", file, sizeof header + size);
  read_idx(&idx, "damaged.gz");
  free(idx.values);
  free(file);
}

static void check_whole(const uint8_t *bytes, size_t size) {
  char path[256];
  struct skp_idx plain, packed;
  snprintf(path, sizeof path, "%s/whole.gz", folder());
  gzFile file = gzopen(path, "wb1");
  if (!file || (size && gzwrite(file, bytes, (unsigned)size) != (int)size) || gzclose(file) != Z_OK) abort();
  folder_put("plain", bytes, size);
  const skp_status status = read_idx(&plain, "plain");
  if (read_idx(&packed, "whole.gz") != status && status == SKP_OK) abort();
  if (status == SKP_OK && memcmp(plain.dim, packed.dim, sizeof plain.dim)) abort();
  free(plain.values);
  free(packed.values);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  check_damaged(bytes, size);
  check_whole(bytes, size);
  return 0;
}
