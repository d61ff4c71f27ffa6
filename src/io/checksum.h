/* checksum.h: checksums of what a safetensors file holds, kept in its metadata. SPDX-License-Identifier: MIT */
#ifndef SKP_IO_CHECKSUM_H
#define SKP_IO_CHECKSUM_H

#include "io/safetensors.h"

/* The XXH3 of 64 bits, in hexadecimal digits. */
struct skp__checksum {
  char text[17];
};
struct skp__checksum skp__checksum_of(const void *data, size_t bytes);

/* The metadata's entry for them: JSON, the checksum of each tensor and of each other entry, by name. */
#define SKP__CHECKSUMS_KEY "checksums"

/* Of these tensors (name, bytes, data) and entries; free() the text. */
skp_status skp__checksums_make(char **out, const struct skp_st_tensor *tensor, size_t tensors,
                               const struct skp_st_meta *meta, size_t metas);
/* SKP_FORMAT, with its name, where one is not what it was; `path` is for errors. A file without checksums passes. */
skp_status skp__checksums_check(const struct skp_st_file *f, const char *path);

#endif
