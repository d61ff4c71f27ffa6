/* onnx.h: networks to and from ONNX files. SPDX-License-Identifier: MIT */
#ifndef SKP_ONNX_ONNX_H
#define SKP_ONNX_ONNX_H

#include "model/model.h"

/* The versions of ONNX's set of operators that can be written, and the one that is unless another is asked for. */
enum { SKP_ONNX_LEAST = 13, SKP_ONNX_MOST = 21, SKP_ONNX_USUAL = 17 };

struct skp_onnx_export {
  int opset;          /* 0: the usual one */
  bool dynamic_batch; /* it takes any number of images, not one */
  bool fold;          /* a batchnorm becomes part of the convolution that it follows */
  bool preprocessing; /* it takes pixels from 0 to 255 as bytes, and normalises them */
  char **class_names; /* the first of the network's classes; NULL: unknown */
  int names;
};

/* Writes the network with these values (as skp__session_pull gives them): images N × C × H × W, "input", become
 * "logits". Metadata: "class_names", "mean" and "std" as lists in JSON, "input" in words. */
skp_status skp__onnx_export(const char *path, const struct skp_model *m, const float *params, const float *state,
                            const struct skp_onnx_export *options);

#endif
