/* bench.h: how fast whole steps are, on random images that stay on the device. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_MEASURE_BENCH_H
#define SKP_TRAIN_MEASURE_BENCH_H

#include "train/measure/timing.h"

enum { SKP_BENCH_TRACED = 5 };

struct skp__bench_options {
  bool train;        /* else evaluation */
  int64_t samples;   /* groups of steps between two waits */
  bool layers;       /* the launches of a step's first plan are timed, too */
  const char *trace; /* a file that receives a trace of SKP_BENCH_TRACED more steps; NULL: none */
  FILE *say;         /* lines for people; NULL: nowhere */
};

struct skp__bench {
  int64_t batch, ops, launches;   /* images, ops and launches of a step */
  double flops;                   /* of a step */
  double median, best;            /* seconds a step, of the samples */
  double cold_start;              /* seconds from the start of the process to the end of the first step */
  double loss;                    /* of training, of the random images */
  struct skp_backend_peaks peaks; /* of the device, where launches were timed and they are known */
  struct skp__timing timing;
};
/* As the session's recipe says, of its batch. skp__bench_free also after a failure. */
skp_status skp__bench_run(struct skp__bench *out, struct skp_session *s, const struct skp__bench_options *o);
void skp__bench_free(struct skp__bench *b);

#endif
