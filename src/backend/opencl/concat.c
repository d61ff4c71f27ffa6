/* concat.c: the method of concatenation and its gradient on OpenCL: a launch for each value that takes part.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/pixels.h"
#include <stdio.h>

/* Channels `from_at` … of a value of from_C become those from to_at on of one of to_C. */
struct copy {
  int64_t pixels, channels;
  int to_C, to_at, from_C, from_at;
};

static skp_status launch(struct skp_prepared *p, const struct copy *c, int input) {
  const int width = skp__pixels_width(skp__cl_of(p), c->channels);
  const size_t global = skp__pixels_global(c->pixels, c->channels, width);
  char options[30];
  snprintf(options, sizeof options, "-DWIDTH=%d", width);
  return skp__cl_launch(p, "concat", "concat", options, 1, &global, NULL,
                        SKP_ARGS(SKP_OUT(to, 0), SKP_IN(from, input), SKP_INT(pixels, (int)c->pixels),
                                 SKP_INT(channels, (int)c->channels), SKP_INT(to_C, c->to_C), SKP_INT(to_at, c->to_at),
                                 SKP_INT(from_C, c->from_C), SKP_INT(from_at, c->from_at)));
}

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp_shape *y = &sig->out[0];
  struct copy c = {.to_C = (int)skp__channels(y)};
  c.pixels = skp__shape_count(y) / c.to_C;
  for (int i = 0; i < sig->n_in; i++) {
    c.channels = c.from_C = (int)skp__channels(&sig->in[i]);
    SKP_TRY(launch(p, &c, i));
    c.to_at += c.from_C;
  }
  return SKP_OK;
}

static skp_status prepare_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp_shape *dy = &sig->in[0];
  struct copy c = {.from_C = (int)skp__channels(dy), .from_at = sig->attrs.concat.from};
  c.channels = c.to_C = sig->attrs.concat.channels;
  c.pixels = skp__shape_count(dy) / c.from_C;
  return launch(p, &c, 0);
}

const struct skp__cl_method skp__cl_concat[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare, 0}, {0}};
const struct skp__cl_method skp__cl_concat_dx[] = {{"plain", SKP_CL_ANY, skp__cl_refuse_huge, prepare_dx, 0}, {0}};
