/* idx.h: files of MNIST's format. SPDX-License-Identifier: MIT */
#ifndef SKP_DATA_IDX_H
#define SKP_DATA_IDX_H

#include "base/error.h"
#include <stdint.h>

/* One IDX file of unsigned bytes, plain or gzip. */
struct skp_idx {
  int64_t dim[3];
  uint8_t *values; /* dim[0]·dim[1]·…; freed with free() */
};
/* Reads a file that must have `rank` dimensions (1 or 3), none of them 0; the others become 1. At most 4 GiB. */
skp_status skp__idx_read(struct skp_idx *out, const char *path, int rank);

#endif
