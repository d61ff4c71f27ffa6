/* writer.h: an ONNX model put together piece by piece. The first failure is kept and ends in the writer's status, so
 * that who adds need not look at each step. SPDX-License-Identifier: MIT */
#ifndef SKP_ONNX_WRITER_H
#define SKP_ONNX_WRITER_H

#include "base/array.h"
#include <onnx.pb-c.h>
#include <stdbool.h>

/* As ONNX numbers them. */
enum { SKP__ONNX_FLOAT = 1, SKP__ONNX_UINT8 = 2, SKP__ONNX_INT64 = 7 };

struct skp__onnx_writer {
  Skp__ModelProto model;
  Skp__GraphProto graph;
  SKP_ARRAY(Skp__NodeProto *) nodes;
  SKP_ARRAY(Skp__TensorProto *) tensors;
  SKP_ARRAY(Skp__StringStringEntryProto *) meta;
  SKP_ARRAY(void *) owned;
  skp_status status;
};

/* A model of this name, which needs this version of ONNX's set of operators. */
void skp__onnx_begin(struct skp__onnx_writer *w, const char *name, int opset);
/* Writes the file, unless something failed before, and frees all. */
skp_status skp__onnx_end(struct skp__onnx_writer *w, const char *path);

/* Memory of zeros, and a text, that live as long as the writer; NULL after a failure. */
void *skp__onnx_own(struct skp__onnx_writer *w, size_t count, size_t size);
char *skp__onnx_text(struct skp__onnx_writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

void skp__onnx_meta(struct skp__onnx_writer *w, const char *key, const char *value);
/* What the model takes or answers: a batch, of the first extent "N" where that is below 1. */
void skp__onnx_input(struct skp__onnx_writer *w, const char *name, int type, const int64_t *dim, int rank);
void skp__onnx_output(struct skp__onnx_writer *w, const char *name, const int64_t *dim, int rank);

/* Adds constants; `data` must outlive the writer. They return the name. */
const char *skp__onnx_floats(struct skp__onnx_writer *w, const char *name, const float *data, const int64_t *dim,
                             int rank);
const char *skp__onnx_ints(struct skp__onnx_writer *w, const char *name, const int64_t *data, int64_t n);
/* The same of one number. */
const char *skp__onnx_number(struct skp__onnx_writer *w, const char *name, float value);

/* Adds a node that reads up to three values (NULL: not given; one between is left empty) and makes `out`. */
Skp__NodeProto *skp__onnx_node(struct skp__onnx_writer *w, const char *name, const char *type, const char *const in[3],
                               const char *out);
/* The same of any number of values. */
Skp__NodeProto *skp__onnx_join(struct skp__onnx_writer *w, const char *name, const char *type, const char *const *in,
                               size_t n, const char *out);
void skp__onnx_set_int(struct skp__onnx_writer *w, Skp__NodeProto *node, const char *name, int64_t value);
void skp__onnx_set_ints(struct skp__onnx_writer *w, Skp__NodeProto *node, const char *name, const int64_t *value,
                        size_t n);
void skp__onnx_set_float(struct skp__onnx_writer *w, Skp__NodeProto *node, const char *name, double value);
void skp__onnx_set_text(struct skp__onnx_writer *w, Skp__NodeProto *node, const char *name, const char *value);

#endif
