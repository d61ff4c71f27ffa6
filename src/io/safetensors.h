/* safetensors.h: reading and writing the safetensors format (huggingface/safetensors README: 8 bytes little-endian
 * header length, JSON header, data). Files are not trusted: everything is checked before it is used.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_IO_SAFETENSORS_H
#define SKP_IO_SAFETENSORS_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

struct skp_st_tensor {
  char *name;
  char dtype[8]; /* as in the file: "F32", "I64", … */
  int rank;
  int64_t dim[8];
  int64_t bytes;
  const void *data; /* within the file's memory; 8-byte aligned is not promised: memcpy from it */
  void *own;        /* or fresh memory, freed with the tensor; NULL: it is not */
};

struct skp_st_meta {
  char *key, *value;
};

struct skp_st_file {
  struct skp_st_tensor *tensor; /* in order of the data */
  size_t tensors;
  struct skp_st_meta *meta;
  size_t metas;
  void *memory; /* the whole file */
  int64_t size;
};

/* Reads and checks a whole file: header length (at most 100 MB and the file's size), JSON, no duplicate names, known
 * dtypes, shape × dtype = length, offsets in the file, no overlap and no hole. The error
 * names the file, the tensor and the defect. */
skp_status skp__st_read(struct skp_st_file *out, const char *path);
/* The same from memory (copied); `name` stands for the path in errors. */
skp_status skp__st_parse(struct skp_st_file *out, const void *bytes, int64_t size, const char *name);
void skp__st_free(struct skp_st_file *f); /* an all-zero struct is fine */
/* What stands in the way of printing and finding a tensor by this name; NULL: nothing. */
const char *skp__st_name_defect(const char *name);
const struct skp_st_tensor *skp__st_find(const struct skp_st_file *f, const char *name);
const char *skp__st_meta(const struct skp_st_file *f, const char *key); /* NULL if absent */

/* Writes a file atomically (see skp__file_write_atomic). Tensors are laid out sorted by dtype size (descending), then
 * name, header padded to 8 bytes: the same content gives the same bytes. Uses name, dtype, rank, dim, data of `tensor`.
 * In metadata values each byte that is not UTF-8 becomes U+FFFD; a tensor's name that is not UTF-8 is refused. */
skp_status skp__st_write(const char *path, const struct skp_st_tensor *tensor, size_t tensors,
                         const struct skp_st_meta *meta, size_t metas);

#endif
