/* bench.c: see bench.h. SPDX-License-Identifier: MIT
 *
 *   start of the process ─> first step done (cold_start) ─> warm-up ─> samples
 *
 * A sample is a group of steps between two waits, long enough that the wait does not count in it. */
#include "train/measure/bench.h"
#include "base/clock.h"
#include "base/random.h"
#include "train/measure/peak.h"
#include "train/step/step.h"
#include "train/step/tracer.h"
#include <stdlib.h>

static const double least_sample = 5e-3, warm_up = 0.3; /* seconds */
enum { LEAST_WARM_STEPS = 3 };

struct bench {
  struct skp_session *s;
  struct skp__bench *out;
  bool train;
  int64_t samples, N;
  FILE *say;
  struct skp__stepper stepper;
  struct skp_batch batch; /* random images */
  bool fed;               /* they are on the device */
};

/* ---- steps ------------------------------------------------------------------------------------------------------ */

/* Random images that were mixed, in case the recipe mixes some. */
static skp_status make_images(struct bench *b) {
  const struct skp_graph *g = b->s->model->graph;
  const int64_t values = b->N * skp__shape_count(&g->tensors.at[g->input].shape); /* the model's is of one image */
  const uint32_t classes = (uint32_t)b->s->model->recipe.classes;
  struct skp__random r = skp__random_start(1, 0);
  b->batch.n = b->N;
  SKP_TRY(skp__alloc(&b->batch.bytes, (size_t)values, sizeof *b->batch.bytes));
  SKP_TRY(skp__alloc(&b->batch.labels, (size_t)b->N, sizeof *b->batch.labels));
  SKP_TRY(skp__alloc(&b->batch.other, (size_t)b->N, sizeof *b->batch.other));
  SKP_TRY(skp__alloc(&b->batch.lambda, (size_t)b->N, sizeof *b->batch.lambda));
  for (int64_t i = 0; i < values; i++) b->batch.bytes[i] = (uint8_t)skp__random_next(&r);
  for (int64_t i = 0; i < b->N; i++) {
    b->batch.labels[i] = (int32_t)skp__random_below(&r, classes);
    b->batch.other[i] = (int32_t)skp__random_below(&r, classes);
    b->batch.lambda[i] = (float)(1 + skp__random_uniform(&r)) / 2;
  }
  return SKP_OK;
}

static void free_images(struct bench *b) {
  free(b->batch.bytes);
  free(b->batch.labels);
  free(b->batch.other);
  free(b->batch.lambda);
}

/* The images stay on the device; the learning rate is 0, so that the weights cannot run away. */
static skp_status take(void *user, struct skp__step *step) {
  struct bench *b = user;
  step->batch = b->fed ? NULL : &b->batch;
  b->fed = true;
  return SKP_OK;
}

static skp_status feed_again(void *user) {
  struct bench *b = user;
  b->fed = false;
  return SKP_OK;
}

static skp_status open_stepper(struct bench *b) {
  if (b->train) SKP_TRY(skp__stepper_train(&b->stepper, b->s, INT64_MAX)); /* all batches are full */
  if (!b->train) skp__stepper_evaluate(&b->stepper, b->s, b->N, b->N);
  b->stepper.bytes = true;
  b->stepper.seed = 1;
  b->stepper.say = b->say;
  b->stepper.user = b;
  b->stepper.take = take;
  b->stepper.again = feed_again;
  return skp__stepper_open(&b->stepper);
}

static skp_status retire(struct bench *b) {
  struct skp__step *step;
  SKP_TRY(skp__stepper_retire(&b->stepper, &step));
  b->out->loss = (double)step->loss;
  return SKP_OK;
}

/* `steps` steps and a wait; the seconds that took. */
static skp_status time_steps(struct bench *b, int64_t steps, double *seconds) {
  struct skp__stepper *st = &b->stepper;
  double start = skp__clock();
  for (int64_t i = 0; i < steps; i++) {
    if (skp__stepper_full(st)) SKP_TRY(retire(b));
    SKP_TRY(skp__stepper_queue(st));
  }
  while (st->done < st->queued) SKP_TRY(retire(b));
  *seconds = skp__clock() - start;
  return SKP_OK;
}

/* ---- samples ---------------------------------------------------------------------------------------------------- */

static skp_status take_samples(struct bench *b, double *sample, int64_t group) {
  for (int64_t i = 0; i < b->samples; i++) {
    SKP_TRY(time_steps(b, group, &sample[i]));
    sample[i] /= (double)group;
  }
  skp__sort(sample, (size_t)b->samples);
  b->out->best = sample[0];
  b->out->median = skp__median(sample, (size_t)b->samples);
  return SKP_OK;
}

static skp_status measure(struct bench *b) {
  double seconds, step = 1e9, spent = 0;
  SKP_TRY(skp__stepper_first(&b->stepper));
  b->out->cold_start = skp__clock_process();
  for (int i = 0; i < LEAST_WARM_STEPS || spent < warm_up; i++) {
    SKP_TRY(time_steps(b, 1, &seconds));
    spent += seconds;
    if (seconds < step) step = seconds;
  }
  int64_t group = step < least_sample ? (int64_t)(least_sample / step) + 1 : 1;
  double *sample;
  SKP_TRY(skp__alloc(&sample, (size_t)b->samples, sizeof *sample));
  skp_status status = take_samples(b, sample, group);
  free(sample);
  return status;
}

/* ---- the result ------------------------------------------------------------------------------------------------- */

/* What a step's plans do. */
static skp_status add_up(struct bench *b) {
  for (int64_t k = 0;; k++) {
    struct skp_plan *plan;
    SKP_TRY(skp__stepper_plan(&b->stepper, k, &plan));
    if (!plan) return SKP_OK;
    b->out->flops += skp__plan_flops(plan);
    b->out->ops += (int64_t)skp__plan_ops(plan);
    b->out->launches += (int64_t)skp__plan_launches(plan);
  }
}

/* Without peaks there are no shares of them. */
static skp_status find_peaks(struct bench *b) {
  skp_status status = skp__peak_find(&b->out->peaks, NULL, b->s->b, false);
  if (status != SKP_UNSUPPORTED && status != SKP_DEVICE_MEMORY) return status;
  if (b->say) fprintf(b->say, "No shares of peaks: %s\n", skp_error_message());
  return SKP_OK;
}

static skp_status time_layers(struct bench *b) {
  struct skp_plan *plan;
  SKP_TRY(find_peaks(b));
  SKP_TRY(skp__stepper_plan(&b->stepper, 0, &plan));
  return skp__timing_measure(&b->out->timing, plan, &b->out->peaks);
}

static skp_status trace_steps(struct bench *b, const char *path) {
  struct skp__tracer tracer = {.b = NULL};
  double seconds;
  skp_status status = skp__tracer_start(&tracer, b->s->b, path, SKP_BENCH_TRACED);
  if (status == SKP_OK) status = time_steps(b, SKP_BENCH_TRACED, &seconds);
  if (status == SKP_OK) status = skp__tracer_stop(&tracer);
  skp__tracer_drop(&tracer);
  return status;
}

static skp_status run(struct bench *b, const struct skp__bench_options *o) {
  SKP_TRY(make_images(b));
  SKP_TRY(open_stepper(b));
  SKP_TRY(skp__session_settle(b->s, measure(b)));
  SKP_TRY(add_up(b));
  if (o->trace) SKP_TRY(trace_steps(b, o->trace));
  return o->layers ? time_layers(b) : SKP_OK;
}

skp_status skp__bench_run(struct skp__bench *out, struct skp_session *s, const struct skp__bench_options *o) {
  struct bench b = {
      .s = s, .out = out, .train = o->train, .samples = o->samples, .N = s->model->recipe.batch, .say = o->say};
  *out = (struct skp__bench){.batch = b.N};
  skp_status status = run(&b, o);
  skp__stepper_close(&b.stepper);
  free_images(&b);
  return status;
}

void skp__bench_free(struct skp__bench *b) { skp__timing_free(&b->timing); }
