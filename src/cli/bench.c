/* bench.c: skipper bench: whole steps on random images that stay on the device. SPDX-License-Identifier: MIT
 *
 *   start of the process ─> first step done (cold_start_s) ─> warm-up ─> samples
 *
 * A sample is a group of steps between two waits, long enough that the wait does not count in it. */
#include "api/api.h"
#include "base/clock.h"
#include "base/random.h"
#include "cli/cli.h"
#include "train/step.h"
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const double least_sample = 5e-3, warm_up = 0.3; /* seconds */
enum { LEAST_WARM_STEPS = 3 };

struct bench {
  struct cli *c;
  bool train;
  int64_t samples, N;
  struct skp__stepper stepper;
  struct skp_batch batch;          /* random images */
  bool fed;                        /* they are on the device */
  double loss;                     /* of them in the latest step */
  double cold_start, median, best; /* the last two: seconds a step */
};

/* ---- steps ------------------------------------------------------------------------------------------------------ */

/* Random images that were mixed, in case the recipe mixes some. */
static skp_status make_images(struct bench *b) {
  const struct skp_graph *g = b->c->model->m->graph;
  const int64_t values = b->N * skp__shape_count(&g->tensors.at[g->input].shape); /* the model's is of one image */
  const uint32_t classes = (uint32_t)b->c->model->m->recipe.classes;
  struct skp__random r = skp__random_start(1, 0);
  b->batch.n = b->N;
  SKP_TRY(skp__alloc(&b->batch.x, (size_t)values, sizeof *b->batch.x));
  SKP_TRY(skp__alloc(&b->batch.labels, (size_t)b->N, sizeof *b->batch.labels));
  SKP_TRY(skp__alloc(&b->batch.other, (size_t)b->N, sizeof *b->batch.other));
  SKP_TRY(skp__alloc(&b->batch.share, (size_t)b->N, sizeof *b->batch.share));
  for (int64_t i = 0; i < values; i++) b->batch.x[i] = (float)skp__random_uniform(&r);
  for (int64_t i = 0; i < b->N; i++) {
    b->batch.labels[i] = (int32_t)skp__random_below(&r, classes);
    b->batch.other[i] = (int32_t)skp__random_below(&r, classes);
    b->batch.share[i] = (float)(1 + skp__random_uniform(&r)) / 2;
  }
  return SKP_OK;
}

static void free_images(struct bench *b) {
  free(b->batch.x);
  free(b->batch.labels);
  free(b->batch.other);
  free(b->batch.share);
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
  if (b->train) SKP_TRY(skp__stepper_train(&b->stepper, b->c->session->s, INT64_MAX)); /* all batches are full */
  if (!b->train) skp__stepper_evaluate(&b->stepper, b->c->session->s, b->N, b->N);
  b->stepper.seed = 1;
  b->stepper.say = stderr;
  b->stepper.user = b;
  b->stepper.take = take;
  b->stepper.again = feed_again;
  return skp__stepper_open(&b->stepper);
}

static skp_status retire(struct bench *b) {
  struct skp__step *step;
  SKP_TRY(skp__stepper_retire(&b->stepper, &step));
  b->loss = (double)step->loss;
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

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static skp_status take_samples(struct bench *b, double *sample, int64_t group) {
  for (int64_t i = 0; i < b->samples; i++) {
    SKP_TRY(time_steps(b, group, &sample[i]));
    sample[i] /= (double)group;
  }
  qsort(sample, (size_t)b->samples, sizeof *sample, compare);
  b->best = sample[0];
  b->median = (sample[(b->samples - 1) / 2] + sample[b->samples / 2]) / 2;
  return SKP_OK;
}

static skp_status measure(struct bench *b) {
  double seconds, step = 1e9, spent = 0;
  SKP_TRY(skp__stepper_first(&b->stepper));
  b->cold_start = skp__clock_process();
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
static skp_status add_up(struct bench *b, double *flops, double *launches) {
  *flops = *launches = 0;
  for (int64_t k = 0;; k++) {
    struct skp_plan *plan;
    SKP_TRY(skp__stepper_plan(&b->stepper, k, &plan));
    if (!plan) return SKP_OK;
    *flops += skp__plan_flops(plan);
    *launches += (double)skp__plan_launches(plan);
  }
}

static skp_status print_layers(struct bench *b, cJSON *object) {
  struct skp_plan *plan;
  SKP_TRY(skp__stepper_plan(&b->stepper, 0, &plan));
  return cli_time_layers(plan, object);
}

static skp_status print_result(struct bench *b) {
  struct skp_backend_info info;
  struct rusage usage;
  b->c->device->ops->info(b->c->device, &info);
  getrusage(RUSAGE_SELF, &usage);
  char text[32];
  double n = (double)b->N, mib = 1 << 20, flops, launches;
  SKP_TRY(add_up(b, &flops, &launches));
  const struct {
    const char *name, *unit;
    double value;
  } rows[] = {
      {"img_per_s", "images/s, the median of the samples", n / b->median},
      {"best_img_per_s", "images/s at best", n / b->best},
      {"gflops", "GFLOP/s", flops / b->median * 1e-9},
      {"cold_start_s", "s from the start of the process to the end of the first step", b->cold_start},
      {"peak_rss_mib", "MiB of host memory at most", (double)usage.ru_maxrss / 1024},
      {"device_mib", "MiB of device memory", (double)info.used / mib},
      {"batch", "images a step", n},
      {"launches", "launches a step", launches},
      {"loss", "is the loss of the random images", b->loss},
  };
  const size_t shown = sizeof rows / sizeof *rows - !b->train; /* an evaluation has no loss */
  cJSON *object = cli_said(b->c, CLI_JSON) ? cJSON_CreateObject() : NULL;
  for (size_t i = 0; i < shown; i++) {
    if (object) {
      cJSON_AddNumberToObject(object, rows[i].name, rows[i].value);
      continue;
    }
    printf("%s %s\n", cli_number(text, sizeof text, rows[i].value), rows[i].unit);
  }
  skp_status status = cli_said(b->c, CLI_LAYERS) ? print_layers(b, object) : SKP_OK;
  if (status == SKP_OK && object) return cli_print_json(object);
  cJSON_Delete(object);
  return status;
}

static skp_status read_options(struct bench *b) {
  const char *mode = b->c->value[CLI_MODE] ? b->c->value[CLI_MODE] : "train";
  SKP_TRY(cli_int(b->c, CLI_STEPS, &b->samples, 1, 1 << 20, 20));
  b->train = strcmp(mode, "train") == 0;
  if (!b->train && strcmp(mode, "eval") != 0) return skp__fail(SKP_USAGE, "--mode is train or eval, not \"%s\".", mode);
  return SKP_OK;
}

static skp_status run(struct bench *b) {
  SKP_TRY(skp_session_open(&b->c->session, b->c->model, b->c->device, 1));
  SKP_TRY(make_images(b));
  SKP_TRY(open_stepper(b));
  SKP_TRY(skp__session_settle(b->c->session->s, measure(b)));
  return print_result(b);
}

skp_status cli_bench(struct cli *c) {
  struct bench b = {.c = c};
  SKP_TRY(read_options(&b));
  SKP_TRY(cli_open_model(c));
  SKP_TRY(cli_open_device(c));
  cli_say_device(c);
  b.N = c->model->m->recipe.batch;
  skp_status status = run(&b);
  skp__stepper_close(&b.stepper);
  free_images(&b);
  return status;
}
