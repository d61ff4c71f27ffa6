/* mul.c: the methods of products and of a factor's gradient on OpenCL. SPDX-License-Identifier: MIT */
#include "backend/opencl/pixels.h"
#include <stdio.h>

enum { ITEMS_PER_UNIT = 256, LEAST_PIXELS = 64 }; /* work-items that fill a compute unit; pixels of a part at least */

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig, int width) {
  const struct skp_shape *a = &sig->in[0];
  const int64_t C = skp__channels(a), pixels = skp__shape_count(a) / C;
  const size_t global = skp__pixels_global(pixels, C, width);
  char options[30];
  snprintf(options, sizeof options, "-DWIDTH=%d", width);
  return skp__cl_launch(p, "mul", "mul", options, 1, &global, NULL,
                        SKP_ARGS(SKP_OUT(y, 0), SKP_IN(a, 0), SKP_IN(b, 1), SKP_INT(pixels, (int)pixels),
                                 SKP_INT(C, (int)C),
                                 SKP_INT(per, (int)(skp__shape_count(a) / skp__shape_count(&sig->in[1])))));
}

/* Into how many parts each row's pixels are cut, so that the device is busy. */
static int64_t parts_of(const struct skp__cl *cl, int64_t items, int64_t pixels) {
  const int64_t wanted = (int64_t)cl->units * ITEMS_PER_UNIT / items + 1, most = pixels / LEAST_PIXELS + 1;
  return wanted < most ? wanted : most;
}

static skp_status prepare_db(struct skp_prepared *p, const struct skp_sig *sig, int width) {
  const int64_t C = sig->in[0].dim[3], n = skp__shape_count(&sig->out[0]), rows = n / C;
  const int64_t per = skp__shape_count(&sig->in[0]) / n, wanted = parts_of(skp__cl_of(p), n / width, per);
  const int length = (int)((per + wanted - 1) / wanted), parts = (int)((per + length - 1) / length);
  const size_t global = skp__pixels_global(rows * parts, C, width);
  const size_t all = (size_t)n;
  char options[30];
  snprintf(options, sizeof options, "-DWIDTH=%d", width);
  if (parts > 1) skp__cl_need_workspace(p, 4 * n * parts);
  SKP_TRY(skp__cl_launch(p, "mul", "mul_db", options, 1, &global, NULL,
                         SKP_ARGS(parts > 1 ? SKP_WORK(partial) : SKP_OUT(partial, 0), SKP_IN(dy, 0), SKP_IN(a, 1),
                                  SKP_INT(rows, (int)rows), SKP_INT(C, (int)C), SKP_INT(per, (int)per),
                                  SKP_INT(parts, parts), SKP_INT(length, length))));
  if (parts == 1) return SKP_OK;
  return skp__cl_launch(
      p, "mul", "mul_db_sum", options, 1, &all, NULL,
      SKP_ARGS(SKP_OUT(db, 0), SKP_WORK(partial), SKP_INT(n, (int)n), SKP_INT(C, (int)C), SKP_INT(parts, parts)));
}

SKP_PIXELS_METHODS(mul, prepare);
SKP_PIXELS_METHODS(mul_db, prepare_db);
