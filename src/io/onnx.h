/* onnx.h: ONNX files as sources of networks and weights. Files are not trusted: how much memory their messages may take
 * is bounded by their size, names lead nowhere but into the file's own folder, and every number is checked before it is
 * used. SPDX-License-Identifier: MIT */
#ifndef SKP_IO_ONNX_H
#define SKP_IO_ONNX_H

#include "io/safetensors.h"
#include <stdbool.h>

/* Whether this is how ONNX files begin: the version of the format, then who made it. */
bool skp__onnx_found(const void *bytes, int64_t size);
/* Whether there is such a file. */
bool skp__onnx_file_found(const char *path);
/* The network as a checkpoint of Skipper holds one: weights by name, and in the metadata "model_source", a model file
 * with the same layers, "recipe" and, where the file names them, "classes". `folder` is where values that the file
 * keeps elsewhere lie; NULL: they are refused. An operator that has no layer here is SKP_UNSUPPORTED with the node. */
skp_status skp__onnx_parse(struct skp_st_file *out, const void *bytes, int64_t size, const char *name,
                           const char *folder);

#endif
