/* weights.h: named tensors as other programs write them: safetensors, PyTorch's torch.save, or ONNX. What a file is its
 * content says, not its name. Files are not trusted. SPDX-License-Identifier: MIT */
#ifndef SKP_IO_WEIGHTS_H
#define SKP_IO_WEIGHTS_H

#include "io/safetensors.h"
#include <stdbool.h>

/* Reads a file of any kind; one of torch.save has no metadata, one of ONNX a checkpoint's (onnx.h). skp__st_free also
 * frees this. The error names the file, the defect, and for forms of torch.save that hold no plain tensors (whole
 * objects, the format before version 1.6, TorchScript) the line that converts them; what else is often met under such a
 * name (a pointer of Git LFS, a web page) is said to be that. */
skp_status skp__weights_read(struct skp_st_file *out, const char *path);
/* The same from memory; `name` stands for the path in errors. */
skp_status skp__weights_parse(struct skp_st_file *out, const void *bytes, int64_t size, const char *name);

/* torch.c: a zip archive of torch.save (PyTorch 1.6 and later): NAME/data.pkl and NAME/data/KEY. The tensors are those
 * of the state dict in it, or of the one under a usual key (state_dict, model, …), else under any. A tensor of a type
 * that is not read (quantized, complex) has the dtype "other" and no values. */
bool skp__torch_found(const void *bytes, int64_t size);
skp_status skp__torch_parse(struct skp_st_file *out, const void *bytes, int64_t size, const char *name);

/* Whether a tensor's values can become floats: F16, BF16, F32, F64. */
bool skp__weights_real(const struct skp_st_tensor *t);
/* Its values as floats. A value that is not finite, or too large for a float, is SKP_NUMERIC with its place. */
skp_status skp__weights_floats(float *out, const struct skp_st_tensor *t);

#endif
