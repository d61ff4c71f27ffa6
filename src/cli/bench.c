/* bench.c: skipper bench: whole steps on random images that stay on the device. SPDX-License-Identifier: MIT
 *
 *   start of the process ─> first step done (cold_start_s) ─> warm-up ─> samples
 *
 * A sample is a group of steps between two waits, long enough that the wait does not count in it. */
#include "base/clock.h"
#include "base/random.h"
#include "cli/cli.h"
#include "train/parts.h"
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const double least_sample = 5e-3, warm_up = 0.3; /* seconds */
enum { LEAST_WARM_STEPS = 3 };

/* A plan that a step runs so many times: all its images at once, or a part, the rest, and the update. */
struct piece {
  struct skp_plan *plan;
  int64_t times;
};

struct bench {
  struct cli *c;
  bool train;
  int64_t samples, N;
  struct piece pieces[3];
  int n;
  float weights[2][2];             /* of the first part, of the others: see skp__graph_add_sums */
  double cold_start, median, best; /* the last two: seconds a step */
};

static skp_status write_value(const struct bench *b, const struct skp_plan *plan, skp_value v, const void *from,
                              int64_t bytes) {
  return v == SKP_NONE ? SKP_OK : skp__backend_write_now(b->c->backend, skp__plan_buffer(plan, v), 0, from, bytes);
}

/* Random images, labels, and a learning rate of 0: the work is that of a whole step, and
 * the weights cannot run away. */
static skp_status write_inputs(struct bench *b, struct skp_plan *plan, float *x, int32_t *labels, int64_t values) {
  const struct skp_graph *g = skp__plan_graph(plan);
  struct skp__random r = skp__random_start(1, 0);
  float hyper[4];
  int32_t draw[2];
  for (int64_t i = 0; i < values; i++) x[i] = (float)skp__random_uniform(&r);
  for (int64_t i = 0; i < b->N; i++) labels[i] = (int32_t)skp__random_below(&r, (uint32_t)b->c->model->recipe.classes);
  skp__session_hyper(hyper, &b->c->model->recipe, 0, 1);
  SKP_TRY(write_value(b, plan, g->input, x, 4 * values));
  SKP_TRY(write_value(b, plan, g->labels, labels, values ? 4 * g->tensors.at[g->input].shape.dim[0] : 0));
  SKP_TRY(write_value(b, plan, g->hyper, hyper, sizeof hyper));
  SKP_TRY(skp__session_draw(b->c->session, plan, draw, 1, 0));
  return skp__backend_finish(b->c->backend); /* draw is on this stack */
}

static skp_status fill_inputs(struct bench *b, struct skp_plan *plan) {
  const struct skp_graph *g = skp__plan_graph(plan);
  int64_t values = g->input == SKP_NONE ? 0 : skp__shape_count(&g->tensors.at[g->input].shape);
  float *x;
  int32_t *labels;
  SKP_TRY(skp__alloc(&x, (size_t)values, sizeof *x));
  skp_status status = skp__alloc(&labels, (size_t)b->N, sizeof *labels);
  if (status == SKP_OK) status = write_inputs(b, plan, x, labels, values);
  free(x);
  free(labels);
  return status;
}

static skp_status add_piece(struct bench *b, int64_t images, int64_t times, skp_step step) {
  struct piece *p = &b->pieces[b->n];
  if (!times) return SKP_OK;
  SKP_TRY(skp__session_plan(b->c->session, &p->plan, images, step));
  p->times = times;
  b->n++;
  return fill_inputs(b, p->plan);
}

/* As training does it: see train/parts.h. */
static skp_status add_pieces(struct bench *b) {
  struct skp__parts parts;
  if (!b->train) return add_piece(b, b->N, 1, SKP_STEP_EVAL);
  SKP_TRY(skp__parts_plan(&parts, b->c->model, INT64_MAX)); /* all batches are full */
  if (parts.parts == 1) return add_piece(b, b->N, 1, SKP_STEP_TRAIN);
  int64_t size = skp__parts_size(&parts), rest = b->N % size;
  for (int i = 0; i < 2; i++) b->weights[i][0] = (float)i, b->weights[i][1] = (float)((double)size / (double)b->N);
  SKP_TRY(add_piece(b, size, b->N / size, SKP_STEP_PART));
  SKP_TRY(add_piece(b, rest, rest > 0, SKP_STEP_PART));
  return add_piece(b, 1, 1, SKP_STEP_UPDATE);
}

static skp_status run_piece(struct bench *b, const struct piece *p, bool first) {
  struct skp_backend *backend = b->c->backend;
  const skp_value weights = skp__plan_graph(p->plan)->weights;
  for (int64_t i = 0; i < p->times; i++) {
    if (weights != SKP_NONE)
      SKP_TRY(backend->ops->write(backend, skp__plan_buffer(p->plan, weights), 0, b->weights[!first || i],
                                  sizeof b->weights[0]));
    SKP_TRY(skp__plan_run(p->plan));
  }
  return SKP_OK;
}

/* `steps` steps and a wait; the seconds that took. */
static skp_status time_steps(struct bench *b, int64_t steps, double *seconds) {
  double start = skp__clock();
  for (int64_t i = 0; i < steps; i++)
    for (int k = 0; k < b->n; k++) SKP_TRY(run_piece(b, &b->pieces[k], k == 0));
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
  double n = (double)b->N, mib = 1 << 20, flops = 0, launches = 0;
  for (int i = 0; i < b->n; i++) {
    flops += skp__plan_flops(b->pieces[i].plan) * (double)b->pieces[i].times;
    launches += (double)skp__plan_launches(b->pieces[i].plan) * (double)b->pieces[i].times;
  }
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
  };
  cJSON *object = cli_said(b->c, CLI_JSON) ? cJSON_CreateObject() : NULL;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (object) {
      cJSON_AddNumberToObject(object, rows[i].name, rows[i].value);
      continue;
    }
    printf("%s %s\n", cli_number(text, sizeof text, rows[i].value), rows[i].unit);
  }
  skp_status status = cli_said(b->c, CLI_LAYERS) ? cli_time_layers(b->pieces[0].plan, object) : SKP_OK;
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
  SKP_TRY(add_pieces(&b));
  SKP_TRY(measure(&b));
  return print_result(&b);
}
