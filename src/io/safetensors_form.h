/* safetensors_form.h: the form of safetensors files, which is read and written. SPDX-License-Identifier: MIT */
#ifndef SKP_IO_SAFETENSORS_FORM_H
#define SKP_IO_SAFETENSORS_FORM_H

#include "io/safetensors.h"
#include <cjson/cJSON.h>
#include <stdbool.h>

/* Bytes that say how long the header is; the most dimensions. */
enum { SKP_ST_LENGTH = 8, SKP_ST_RANK = sizeof((struct skp_st_tensor *)0)->dim / sizeof(int64_t) };
#define SKP_ST_METADATA "__metadata__" /* the key of what is no tensor */

/* Bytes of an element; 0: unknown. */
int skp__st_dtype(const char *dtype);
/* Bytes of a tensor; false: more than can be told. */
bool skp__st_bytes(int64_t *out, const struct skp_st_tensor *t);
/* Fails if two of the header's keys, or two of the metadata's, are equal; `name` stands for the file. */
skp_status skp__st_unique(const char *name, const cJSON *object);

#endif
