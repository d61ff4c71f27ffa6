/* verify.h: is an op right on a backend? One case (inputs, expected results) is run by one method and judged. The
 * golden files, the generated cases of the self-test and the tests all come through here.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_VERIFY_VERIFY_H
#define SKP_VERIFY_VERIFY_H

#include "backend/backend.h"
#include <stdio.h>

struct skp_verify_options {
  const char *cases; /* the files ops/OP.safetensors below this folder; NULL: the generated cases instead */
  const char *op;    /* only this op (golden name: conv2d, batchnorm, …); NULL: all */
  uint64_t seed;     /* of the generated cases */
  bool quick;        /* of these only a few an op */
  bool json;
  FILE *to; /* where lines go */
};

struct skp_verify_result {
  int passed, failed; /* an op or gradient op of a case by one method, each */
};

/* Runs each case by every method that can take it. A golden case covers the forward op and its gradient ops, each
 * judged as golden/README.md says: per tensor, max |got - want| <= 8 · float32_error + 2e-6 · (1 + max |want|).
 * Generated cases compare with the ops' plain C. Around each value lie guard words that must stay untouched. Each
 * failure is told as it happens, with op, case, tensor, index, got, want, method; then one line for each method, and at
 * the end "N passed, N failed". With `json` one object: passed, failed, methods, failures. An error is a file that
 * cannot be used, no case of such an op, or a device that failed for good. */
skp_status skp__verify(struct skp_verify_result *out, struct skp_backend *b, const struct skp_verify_options *options);

#endif
