/* sum_parts.c: the method of sum_parts on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/cl.h"

/* 0: it is not there, or nobody wants its sum. */
static int size_of(const struct skp_sig *sig, int i) {
  return sig->in[i].rank && sig->out[i].rank ? (int)(sig->in[i].dim[1] * sig->in[i].dim[2]) : 0;
}

static int parts_of(const struct skp_sig *sig, int i) { return sig->in[i].rank ? (int)sig->in[i].dim[0] : 0; }

#define LAYER(n)                                                                                                       \
  SKP_OUT(sum_##n, (n)-1), SKP_IN(parts_##n, (n)-1), SKP_INT(size_##n, size_of(sig, (n)-1)),                           \
      SKP_INT(chunks_##n, parts_of(sig, (n)-1))

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig) {
  size_t global = 0;
  for (int i = 0; i < SKP_SUMS; i++) global += (size_t)size_of(sig, i);
  return skp__cl_launch(p, "sum_parts", "sum_parts", "", 1, &global, NULL,
                        SKP_ARGS(LAYER(1), LAYER(2), LAYER(3), LAYER(4), LAYER(5), LAYER(6), LAYER(7), LAYER(8)));
}

static const char *refuse(const struct skp__cl *cl, const struct skp_sig *sig) {
  int64_t values = 0;
  for (int i = 0; i < SKP_SUMS; i++) values += size_of(sig, i);
  return values > INT32_MAX - 4096 ? "more than 2^31 elements" : skp__cl_refuse_huge(cl, sig);
}

const struct skp__cl_method skp__cl_sum_parts[] = {{"plain", SKP_CL_ANY, refuse, prepare, 0}, {0}};
