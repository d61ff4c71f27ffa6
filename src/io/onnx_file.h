/* onnx_file.h: an ONNX file in memory: its nodes, and its values by name. SPDX-License-Identifier: MIT */
#ifndef SKP_IO_ONNX_FILE_H
#define SKP_IO_ONNX_FILE_H

#include "base/array.h"
#include "io/safetensors.h"
#include <onnx.pb-c.h>
#include <stdbool.h>

/* A name of the graph: of a constant, of what a node makes, or of what comes in. */
struct skp__onnx_name {
  const char *name;
  const Skp__TensorProto *constant; /* NULL: it is none */
  const Skp__NodeProto *maker;      /* NULL: none */
  int number;                       /* of this row */
};

struct skp__onnx_file {
  const char *name, *folder; /* in errors; where external values lie, NULL: nowhere */
  Skp__ModelProto *model;
  int64_t opset;
  SKP_ARRAY(struct skp__onnx_name) names; /* sorted */
  char *location;                         /* of the external values that were read */
  void *external;
  int64_t external_size;
};

skp_status skp__onnx_open(struct skp__onnx_file *f, const void *bytes, int64_t size);
void skp__onnx_close(struct skp__onnx_file *f); /* also after a failure */

/* NULL: no such name. */
const struct skp__onnx_name *skp__onnx_find(const struct skp__onnx_file *f, const char *name);
const Skp__AttributeProto *skp__onnx_attribute(const Skp__NodeProto *node, const char *name);
/* The constant of that name, through Identity, Cast and Constant nodes; NULL: it is none. */
const Skp__TensorProto *skp__onnx_constant(const struct skp__onnx_file *f, const char *name);
/* How many values its dims say; -1: more than a file can hold, or less than none. */
int64_t skp__onnx_count(const Skp__TensorProto *t);
/* Up to `most` whole numbers of a constant; *n is how many there are. */
skp_status skp__onnx_read_ints(const Skp__TensorProto *t, int64_t *out, int64_t most, int64_t *n);
/* The values as floats in fresh memory. Types: float, double, float16, bfloat16;
 * of int64 a few. */
skp_status skp__onnx_read_floats(struct skp__onnx_file *f, const Skp__TensorProto *t, float **out, int64_t *n);
const char *skp__onnx_metadata(const struct skp__onnx_file *f, const char *key); /* NULL: it has none */

/* Row p, of `size`, has 1 / length where window p of an adaptive pool over `extent` values lies, else 0. */
void skp__onnx_windows(float *out, int64_t size, int64_t extent);

#endif
