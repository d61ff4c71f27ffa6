/* nodes.h: what export.c and nodes.c share while a network is written as ONNX. SPDX-License-Identifier: MIT */
#ifndef SKP_ONNX_NODES_H
#define SKP_ONNX_NODES_H

#include "onnx/onnx.h"
#include "onnx/writer.h"

struct skp__onnx_network {
  struct skp__onnx_writer w;
  const struct skp_model *m;
  const struct skp_onnx_export *options;
  const struct skp_graph *g; /* in evaluation, for one image */
  const float *params, *state;
  int opset;
  skp_value last;                 /* the value that is the logits: of a node that has a form of its own */
  const char **name;              /* of each value, in the file */
  const struct skp_node **folded; /* of each value: the batchnorm that became part of what makes it, or NULL */
};

/* One node of the network on its way. */
struct skp__onnx_job {
  struct skp__onnx_network *e;
  const struct skp_node *node;
  const char *name; /* of the node, no other has it */
  int parts;        /* values between, so far */
};

/* What an op that a network in evaluation may have becomes. */
struct skp__onnx_form {
  const struct skp_op *op;
  void (*emit)(struct skp__onnx_job *j); /* NULL: no node: the result is the first input */
};
/* NULL: ONNX has none. */
const struct skp__onnx_form *skp__onnx_form(const struct skp_op *op);
/* The name of the node's result. */
const char *skp__onnx_result(const struct skp__onnx_job *j);
/* Adds what makes of the pixels of "input" what the network takes; the name of that. */
const char *skp__onnx_pixels(struct skp__onnx_network *e);

#endif
