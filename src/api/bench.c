/* bench.c: how fast a network is. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "base/host.h"
#include "train/measure/peak.h"
#include <stdlib.h>

skp_peaks skp__api_peaks(const struct skp_backend_peaks *p) {
  return (skp_peaks){
      .fma = p->fma, .narrow = p->narrow, .read = p->read, .write = p->write, .triad = p->triad, .launch = p->launch};
}

skp_status skp_device_measure(skp_device *device, skp_peaks *out, char *file, size_t size) {
  struct skp_backend_peaks peaks;
  char *path;
  *out = (skp_peaks){.fma = 0};
  SKP_TRY(skp__peak_find(&peaks, &path, device, true));
  *out = skp__api_peaks(&peaks);
  if (file && size) snprintf(file, size, "%s", path ? path : "");
  free(path);
  return SKP_OK;
}

skp_status skp_bench(skp_session *session, const skp_bench_options *options, skp_speed *out) {
  static const skp_bench_options usual;
  const skp_bench_options *o = options ? options : &usual;
  const struct skp__bench_options own = {.train = !o->evaluate,
                                         .samples = o->samples > 0 ? o->samples : 20,
                                         .layers = o->layers,
                                         .trace = o->trace,
                                         .say = o->report};
  struct skp__bench *b = &session->bench;
  *out = (skp_speed){.batch = 0};
  skp__bench_free(b);
  SKP_TRY(skp__recipe_check(&session->model->m->recipe));
  session->trained = session->trained || own.train;
  SKP_TRY(skp__bench_run(b, session->s, &own));
  if (o->layers && o->table) SKP_TRY(skp__option_written("table", skp__timing_write(&b->timing, o->table)));
  *out = (skp_speed){.img_per_s = (double)b->batch / b->median,
                     .best_img_per_s = (double)b->batch / b->best,
                     .gflops = b->flops / b->median * 1e-9,
                     .cold_start = b->cold_start,
                     .loss = b->loss,
                     .batch = b->batch,
                     .ops = b->ops,
                     .launches = b->launches,
                     .layers = b->timing.layers.at,
                     .n_layers = b->timing.layers.n,
                     .peaks = skp__api_peaks(&b->peaks)};
  return SKP_OK;
}
