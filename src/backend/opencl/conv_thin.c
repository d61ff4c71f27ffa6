/* conv_thin.c: convolution and its gradients for small images with few channels, for CPUs. What such a layer costs is
 * starting kernels and moving bytes, so each direction is one launch of a few work-items that take whole images.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"

enum {
  GROUPS_PER_UNIT = 4, /* work-groups that a compute unit should have, to even out */
  MAX_IMAGE = 8192,    /* floats of a padded image: it should stay in the first cache */
  MAX_CODE = 160,      /* taps × channels that become straight code */
  MAX_WEIGHTS = 2048   /* floats */
};

static const size_t one[1] = {1};

/* Channels that fill vectors, or so few that the other side's four do. */
static bool fits(int out, int in) { return out % 4 == 0 || (out < 4 && in == 4); }

static const char *refuse(const struct skp__conv *g) {
  if (g->groups > 1 || g->dilation > 1) return "groups or dilation";
  if (g->stride > 2) return "stride above 2";
  if (g->pad >= g->R || g->pad >= g->S) return "padding as large as the window";
  if ((g->H + 2 * g->pad) * (g->W + 2 * g->pad) * g->C > MAX_IMAGE || (g->P + g->R) * (g->Q + g->S) * g->K > MAX_IMAGE)
    return "the image is not small";
  if (g->R * g->S * g->C * g->K > MAX_WEIGHTS || g->R * g->S * g->C > MAX_CODE || g->R * g->S * g->K > MAX_CODE)
    return "more than few channels";
  return NULL;
}

const char *skp__conv_thin_refuse(const struct skp__cl *cl, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  const char *reason = skp__cl_refuse_huge(cl, sig);
  if (reason || (reason = refuse(&g))) return reason;
  return fits(g.K, g.C) && (g.K % 4 == 0 || g.stride == 1) ? NULL : "channels of y fill no vector";
}

const char *skp__conv_thin_dx_refuse(const struct skp__cl *cl, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  const char *reason = skp__cl_refuse_huge(cl, sig);
  if (reason || (reason = refuse(&g))) return reason;
  return fits(g.C, g.K) ? NULL : "channels of dx fill no vector";
}

const char *skp__conv_thin_dw_refuse(const struct skp__cl *cl, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  const char *reason = skp__conv_thin_refuse(cl, sig);
  if (reason) return reason;
  return g.R * g.S * g.C <= 12 || g.C % 8 == 0 || g.K % 4 ? NULL : "channels of x do not fit the registers";
}

/* The options of one layer, the same in all directions. */
static const char *options_of(char text[160], const struct skp__conv *g) {
  snprintf(text, 160, "-DC=%d -DK=%d -DH=%d -DW=%d -DR=%d -DS=%d -DSTRIDE=%d -DPAD=%d", g->C, g->K, g->H, g->W, g->R,
           g->S, g->stride, g->pad);
  return text;
}

/* How many images a work-item takes, and how many work-items that makes. */
static int images_of(const struct skp__cl *cl, const struct skp__conv *g, size_t *items) {
  int wanted = cl->units * GROUPS_PER_UNIT, images = (g->N + wanted - 1) / wanted;
  *items = (size_t)((g->N + images - 1) / images);
  return images;
}

skp_status skp__conv_thin(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  struct skp__epilogue e = skp__epilogue_of(sig);
  char options[160];
  size_t items;
  int images = images_of(skp__cl_of(p), &g, &items);
  return skp__cl_launch(
      p, "conv2d_thin", "conv2d_thin", options_of(options, &g), 1, &items, one,
      SKP_ARGS(SKP_OUT(y, 0), SKP_IN(x, 0), SKP_IN(w, 1), SKP__EPILOGUE(e), SKP_INT(N, g.N), SKP_INT(images, images)));
}

skp_status skp__conv_thin_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  struct skp__epilogue e = skp__epilogue_of(sig);
  char options[160];
  size_t items;
  int images = images_of(skp__cl_of(p), &g, &items);
  return skp__cl_launch(p, "conv2d_thin", "conv2d_thin_dx", options_of(options, &g), 1, &items, one,
                        SKP_ARGS(SKP_OUT(dx, 0), SKP_IN(dy, 0), SKP_IN(w, 1), SKP__EPILOGUE(e), SKP_INT(N, g.N),
                                 SKP_INT(images, images)));
}

skp_status skp__conv_thin_dw(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  bool db = sig->out[1].rank > 0;
  char options[160];
  size_t items;
  int images = images_of(skp__cl_of(p), &g, &items);
  skp__cl_need_workspace(p, skp__conv_partial_bytes(&g, (int)items));
  SKP_TRY(skp__cl_launch(p, "conv2d_thin", "conv2d_thin_dw", options_of(options, &g), 1, &items, one,
                         SKP_ARGS(SKP_WORK(partial), SKP_IN(x, 0), SKP_IN(dy, 1), SKP_INT(has_db, db), SKP_INT(N, g.N),
                                  SKP_INT(images, images))));
  return skp__conv_sum(p, &g, (int)items, db);
}
