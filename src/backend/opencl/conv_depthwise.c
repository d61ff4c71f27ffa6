/* conv_depthwise.c: convolutions with a filter for each channel, and their gradients, in vectors of channels.
 * SPDX-License-Identifier: MIT
 *
 * A value meets few weights, so memory decides: neighbouring work-items take neighbouring channels of the same pixels.
 * On CPUs each work-item goes along a whole row. */
#include "backend/opencl/conv.h"
#include "backend/opencl/pixels.h"
#include <stdio.h>

enum { TILE = 4, CHUNKS_CPU = 64, CHUNKS_GPU = 256 };

const char *skp__conv_depthwise_refuse(const struct skp__cl *cl, const struct skp_sig *sig) {
  const struct skp__conv g = skp__conv_of(sig);
  if (g.groups == 1 || g.groups != g.C || g.C != g.K) return "not one filter a channel";
  return skp__cl_refuse_huge(cl, sig);
}

/* Groups of one work-item on CPUs. */
static const size_t *group_of(const struct skp__cl *cl) {
  static const size_t one = 1;
  return cl->cpu ? &one : NULL;
}

static skp_status gather(struct skp_prepared *p, const struct skp__gather *g, const struct skp__epilogue *e) {
  const struct skp__cl *cl = skp__cl_of(p);
  const int width = skp__pixels_width(cl, g->OC), strip = cl->cpu ? g->w.count : 1;
  if (!skp__gather_pixels(g)) return SKP_OK; /* a phase without positions: the image is smaller than the stride */
  const int64_t strips = skp__ceil_div(g->w.count, strip);
  const size_t global = (size_t)((int64_t)g->N * g->h.count * strips * (g->OC / width));
  char options[40];
  snprintf(options, sizeof options, "-DWIDTH=%d -DTILE=%d", width, cl->cpu ? TILE : 1);
  return skp__cl_launch(p, "conv2d_depthwise", "conv2d_depthwise", options, 1, &global, group_of(cl),
                        SKP_ARGS(SKP_OUT(out, 0), SKP_IN(in, 0), SKP_IN(w, 1), SKP__EPILOGUE(*e), SKP_INT(strip, strip),
                                 SKP_INT(N, g->N), SKP_INT(IH, g->IH), SKP_INT(IW, g->IW), SKP_INT(OH, g->OH),
                                 SKP_INT(OW, g->OW), SKP_INT(C, g->OC), SKP_INT(columns, g->S), SKP__AXIS_INTS(h, g->h),
                                 SKP__AXIS_INTS(v, g->w)));
}

skp_status skp__conv_depthwise(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp__conv conv = skp__conv_of(sig);
  const struct skp__epilogue e = skp__epilogue_of(sig);
  const struct skp__gather g = skp__gather_forward(&conv);
  SKP_TRY(gather(p, &g, &e));
  return skp__conv_statistics(p, sig);
}

skp_status skp__conv_depthwise_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp__conv conv = skp__conv_of(sig);
  const struct skp__epilogue e = skp__epilogue_of(sig);
  for (int phase = 0; phase < conv.stride * conv.stride; phase++) {
    const struct skp__gather g = skp__gather_dx(&conv, phase / conv.stride, phase % conv.stride);
    SKP_TRY(gather(p, &g, &e));
  }
  return SKP_OK;
}

skp_status skp__conv_depthwise_dw(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp__cl *cl = skp__cl_of(p);
  const struct skp__conv g = skp__conv_of(sig);
  const int width = skp__pixels_width(cl, g.C), most = cl->cpu ? CHUNKS_CPU : CHUNKS_GPU;
  const int length = skp__ceil_div((int64_t)g.N * g.P, most), chunks = skp__ceil_div((int64_t)g.N * g.P, length);
  const size_t global = (size_t)((int64_t)chunks * (g.R + 1) * (g.C / width));
  char options[40];
  snprintf(options, sizeof options, "-DWIDTH=%d -DS=%d", width, g.S);
  skp__cl_need_workspace(p, skp__conv_partial_bytes(&g, chunks));
  SKP_TRY(skp__cl_launch(p, "conv2d_depthwise", "conv2d_depthwise_dw", options, 1, &global, group_of(cl),
                         SKP_ARGS(SKP_WORK(partial), SKP_IN(x, 0), SKP_IN(dy, 1), SKP_INT(length, length),
                                  SKP_INT(chunks, chunks), SKP_INT(N, g.N), SKP_INT(H, g.H), SKP_INT(W, g.W),
                                  SKP_INT(C, g.C), SKP_INT(P, g.P), SKP_INT(Q, g.Q), SKP_INT(R, g.R),
                                  SKP_INT(stride, g.stride), SKP_INT(pad, g.pad), SKP_INT(dilation, g.dilation))));
  return skp__conv_sum(p, &g, chunks, sig->out[1].rank > 0);
}
