/* conv_clblast.c: linear layers and 1×1 convolutions as CLBlast's GEMM. Built without CLBlast it refuses all of them.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"

#ifdef SKP_CLBLAST
#include <clblast_c.h>

enum {
  SUM = 8192,      /* pixels of a weight gradient in one product: longer float sums would lose digits */
  LEAST_GROUP = 64 /* work-items of CLBlast's smallest groups; which it takes is known when it runs */
};

const char *skp__conv_clblast_refuse(const struct skp__cl *cl, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  if (g.R > 1 || g.S > 1 || g.stride > 1 || g.pad || g.groups > 1)
    return "not a matrix product: only 1×1 convolutions of stride 1 in one group without padding";
  if (cl->max_group < LEAST_GROUP || !cl->local_memory) return "CLBlast wants groups of 64 work-items and local memory";
  return skp__cl_refuse_huge(cl, sig);
}

/* C {M, N} = A · B + beta · C, all row-major, A and B beginning at those elements; transposed on request. */
static skp_status gemm(struct skp__cl *cl, bool transpose_a, bool transpose_b, int M, int N, int D, cl_mem A,
                       size_t a_at, cl_mem B, size_t b_at, float beta, cl_mem C) {
  const int code = SKP_CALL(cl, "CLBlastSgemm", "",
                            CLBlastSgemm(CLBlastLayoutRowMajor, transpose_a ? CLBlastTransposeYes : CLBlastTransposeNo,
                                         transpose_b ? CLBlastTransposeYes : CLBlastTransposeNo, (size_t)M, (size_t)N,
                                         (size_t)D, 1.0f, A, a_at, (size_t)(transpose_a ? M : D), B, b_at,
                                         (size_t)(transpose_b ? D : N), beta, C, 0, (size_t)N, &cl->queue, NULL));
  if (code == CLBlastInvalidLocalThreadsTotal || code == CLBlastInvalidLocalThreadsDim ||
      code == CLBlastInvalidLocalMemUsage)
    return skp__fail(SKP_UNSUPPORTED, "CLBlast wants larger groups, or more local memory, than %s has", cl->name);
  return skp__cl_check(cl, code, "CLBlastSgemm", "");
}

static skp_status forward(struct skp__cl *cl, const struct skp_sig *sig, const cl_mem *in, const cl_mem *out,
                          cl_mem workspace, const void *data) {
  struct skp__conv g = skp__conv_of(sig);
  (void)workspace, (void)data;
  return gemm(cl, false, false, g.N * g.H * g.W, g.K, g.C, in[0], 0, in[1], 0, 0.0f, out[0]);
}

static skp_status backward_x(struct skp__cl *cl, const struct skp_sig *sig, const cl_mem *in, const cl_mem *out,
                             cl_mem workspace, const void *data) {
  struct skp__conv g = skp__conv_of(sig);
  (void)workspace, (void)data;
  return gemm(cl, false, true, g.N * g.H * g.W, g.C, g.K, in[0], 0, in[1], 0, 0.0f, out[0]);
}

static skp_status backward_w(struct skp__cl *cl, const struct skp_sig *sig, const cl_mem *in, const cl_mem *out,
                             cl_mem workspace, const void *data) {
  struct skp__conv g = skp__conv_of(sig);
  (void)workspace, (void)data;
  int64_t pixels = (int64_t)g.N * g.H * g.W;
  for (int64_t from = 0; from < pixels; from += SUM) {
    int n = (int)(pixels - from < SUM ? pixels - from : SUM);
    SKP_TRY(gemm(cl, true, false, g.C, g.K, n, in[0], (size_t)(from * g.C), in[1], (size_t)(from * g.K),
                 from ? 1.0f : 0.0f, out[0]));
  }
  return SKP_OK;
}

skp_status skp__conv_clblast(struct skp_prepared *p, const struct skp_sig *sig) {
  SKP_TRY(skp__cl_add_call(p, "clblast", forward, NULL));
  SKP_TRY(skp__conv_finish(p, sig));
  return skp__conv_statistics(p, sig);
}

skp_status skp__conv_clblast_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  SKP_TRY(skp__cl_add_call(p, "clblast", backward_x, NULL));
  return skp__conv_finish(p, sig);
}

skp_status skp__conv_clblast_dw(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  if (sig->out[1].rank) SKP_TRY(skp__conv_db(p, &g));
  return skp__cl_add_call(p, "clblast", backward_w, NULL);
}

void skp__conv_clblast_forget(struct skp__cl *cl) { SKP_CALL(cl, "CLBlastClearCache", "", CLBlastClearCache()); }

#else

const char *skp__conv_clblast_refuse(const struct skp__cl *cl, const struct skp_sig *sig) {
  (void)cl, (void)sig;
  return "Skipper was built without CLBlast";
}

static skp_status fail(void) { return skp__fail(SKP_UNSUPPORTED, "Skipper was built without CLBlast"); }

skp_status skp__conv_clblast(struct skp_prepared *p, const struct skp_sig *sig) { return (void)p, (void)sig, fail(); }
skp_status skp__conv_clblast_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  return (void)p, (void)sig, fail();
}
skp_status skp__conv_clblast_dw(struct skp_prepared *p, const struct skp_sig *sig) {
  return (void)p, (void)sig, fail();
}

void skp__conv_clblast_forget(struct skp__cl *cl) { (void)cl; }

#endif
