/* bench.c: skipper bench: whole steps on random images that stay on the device. SPDX-License-Identifier: MIT
 *
 *   start of the process ─> first step done (cold_start_s) ─> warm-up ─> samples
 *
 * A sample is a group of steps between two waits, long enough that the wait does not count in it. */
#include "base/clock.h"
#include "base/random.h"
#include "cli/cli.h"
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const double least_sample = 5e-3, warm_up = 0.3; /* seconds */
enum { LEAST_WARM_STEPS = 3 };

struct bench {
  struct cli *c;
  bool train;
  int64_t samples, N;
  struct skp_plan *plan;
  double cold_start, median, best; /* the last two: seconds a step */
};

/* Random images, labels, and a learning rate of 0: the work is that of a whole step, and the weights cannot run away. */
static skp_status write_inputs(struct bench *b, float *x, int32_t *labels, int64_t values) {
  const struct skp_graph *g = skp__plan_graph(b->plan);
  struct skp_backend *backend = b->c->backend;
  struct skp__random r = skp__random_start(1, 0);
  float hyper[4];
  int32_t draw[2];
  for (int64_t i = 0; i < values; i++) x[i] = (float)skp__random_uniform(&r);
  for (int64_t i = 0; i < b->N; i++) labels[i] = (int32_t)skp__random_below(&r, (uint32_t)b->c->model->recipe.classes);
  skp__session_hyper(hyper, &b->c->model->recipe, 0, 1);
  SKP_TRY(skp__backend_write_now(backend, skp__plan_buffer(b->plan, g->input), 0, x, 4 * values));
  if (!b->train) return SKP_OK;
  SKP_TRY(skp__backend_write_now(backend, skp__plan_buffer(b->plan, g->labels), 0, labels, 4 * b->N));
  SKP_TRY(skp__session_draw(b->c->session, b->plan, draw, 1, 0));
  return skp__backend_write_now(backend, skp__plan_buffer(b->plan, g->hyper), 0, hyper, sizeof hyper);
}

static skp_status fill_inputs(struct bench *b) {
  const struct skp_graph *g = skp__plan_graph(b->plan);
  int64_t values = skp__shape_count(&g->tensors.at[g->input].shape);
  float *x;
  int32_t *labels;
  SKP_TRY(skp__alloc(&x, (size_t)values, sizeof *x));
  skp_status status = skp__alloc(&labels, (size_t)b->N, sizeof *labels);
  if (status == SKP_OK) status = write_inputs(b, x, labels, values);
  free(x);
  free(labels);
  return status;
}

/* `steps` steps and a wait; the seconds that took. */
static skp_status time_steps(struct bench *b, int64_t steps, double *seconds) {
  double start = skp__clock();
  for (int64_t i = 0; i < steps; i++) SKP_TRY(skp__plan_run(b->plan));
  SKP_TRY(skp__backend_finish(b->c->backend));
  *seconds = skp__clock() - start;
  return SKP_OK;
}

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
  SKP_TRY(time_steps(b, 1, &seconds));
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

static skp_status print_result(const struct bench *b) {
  struct skp_backend_info info;
  struct rusage usage;
  b->c->backend->ops->info(b->c->backend, &info);
  getrusage(RUSAGE_SELF, &usage);
  char text[32];
  double n = (double)b->N, mib = 1 << 20;
  const struct {
    const char *name, *unit;
    double value;
  } rows[] = {
      {"img_per_s", "images/s, the median of the samples", n / b->median},
      {"best_img_per_s", "images/s at best", n / b->best},
      {"gflops", "GFLOP/s", skp__plan_flops(b->plan) / b->median * 1e-9},
      {"cold_start_s", "s from the start of the process to the end of the first step", b->cold_start},
      {"peak_rss_mib", "MiB of host memory at most", (double)usage.ru_maxrss / 1024},
      {"device_mib", "MiB of device memory", (double)info.used / mib},
      {"batch", "images a step", n},
      {"launches", "launches a step", (double)skp__plan_launches(b->plan)},
  };
  cJSON *object = cli_said(b->c, CLI_JSON) ? cJSON_CreateObject() : NULL;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (object) {
      cJSON_AddNumberToObject(object, rows[i].name, rows[i].value);
      continue;
    }
    printf("%s %s\n", cli_number(text, sizeof text, rows[i].value), rows[i].unit);
  }
  skp_status status = cli_said(b->c, CLI_LAYERS) ? cli_time_layers(b->plan, object) : SKP_OK;
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

skp_status cli_bench(struct cli *c) {
  struct bench b = {.c = c};
  SKP_TRY(read_options(&b));
  SKP_TRY(cli_open_model(c));
  skp__recipe_no_augmentation(&c->model->recipe); /* there is no loader that would mix images */
  SKP_TRY(cli_open_backend(c));
  cli_say_device(c);
  b.N = c->model->recipe.batch;
  SKP_TRY(skp__session_create(&c->session, c->model, c->backend));
  SKP_TRY(skp__session_init(c->session, 1));
  SKP_TRY(b.train ? skp__session_plan(c->session, &b.plan, b.N, SKP_STEP_TRAIN)
                  : skp__session_plan(c->session, &b.plan, b.N, SKP_STEP_EVAL));
  SKP_TRY(fill_inputs(&b));
  SKP_TRY(measure(&b));
  return print_result(&b);
}
