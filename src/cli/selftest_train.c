/* selftest_train.c: skipper selftest --train MODEL: the same steps of a network on all devices and in plain C.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 50 };
static const char BATCH[] = "8"; /* unless one is said: plain C is slow */
/* By which part of 1 + the loss a device may be off: rounding grows from step to step, with Adam to several hundredths.
 * A gradient or an update that is missing makes it several tenths. */
static const double LOSS_MOST = 0.15;

/* How the steps went on a device. */
struct trial {
  char name[160];
  double loss[STEPS];
  int64_t steps;
  float *weights; /* all of them, one after the other */
  int64_t count;
};

static int note(void *user, const skp_event *e) {
  struct trial *t = user;
  if (!e->doing && !e->epoch_done && t->steps < STEPS) t->loss[t->steps++] = e->loss;
  return 0;
}

static skp_status read_weights(struct trial *t, skp_session *s) {
  skp_parameter p;
  for (size_t i = 0; i < skp_parameter_count(s); i++) {
    TRY(skp_parameter_describe(s, i, &p));
    float *more = realloc(t->weights, (size_t)(t->count + p.count) * sizeof *more);
    if (!more) return skp_fail(SKP_MEMORY, "There is not enough memory for the weights.");
    t->weights = more;
    TRY(skp_parameter_read(s, p.name, more + t->count, p.count));
    t->count += p.count;
  }
  return SKP_OK;
}

static skp_status train_on(struct cli *c, struct trial *t, skp_device *device, uint64_t seed) {
  skp_session *session;
  const skp_training training = {.seed = seed, .max_steps = STEPS, .workers = 1, .report = stderr};
  TRY(skp_session_open(&session, c->model, device, seed));
  skp_listen(note, t);
  skp_status status = skp_train(session, c->data, &training, NULL);
  cli_progress_start(&c->progress);
  if (status == SKP_OK) status = read_weights(t, session);
  skp_session_close(session);
  return status;
}

static skp_status try_device(struct cli *c, struct trial *t, const skp_device_options *options, uint64_t seed) {
  skp_device *device;
  skp_device_state state;
  *t = (struct trial){.steps = 0};
  TRY(skp_device_open(&device, options));
  skp_device_ask(device, &state);
  snprintf(t->name, sizeof t->name, "%s", state.name);
  fprintf(stderr, "%d steps on %s\n", STEPS, t->name);
  skp_status status = train_on(c, t, device, seed);
  skp_device_close(device);
  return status;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

/* NaN counts as infinite. */
static double larger(double most, double off) { return isnan(off) ? INFINITY : off > most ? off : most; }

static double loss_off(const struct trial *t, const struct trial *plain) {
  double most = t->steps == plain->steps ? 0 : INFINITY;
  for (int64_t i = 0; i < t->steps && i < plain->steps; i++)
    most = larger(most, fabs(t->loss[i] - plain->loss[i]) / (1 + fabs(plain->loss[i])));
  return most;
}

static double weights_off(const struct trial *t, const struct trial *plain) {
  double most = t->count == plain->count ? 0 : INFINITY;
  for (int64_t i = 0; i < t->count && i < plain->count; i++)
    most = larger(most, fabs((double)t->weights[i] - (double)plain->weights[i]));
  return most;
}

/* Shows how a device fared, or why it did not; true: it is as it should be. */
static bool show(const struct trial *t, const struct trial *plain, skp_status status, cJSON *list) {
  const double loss = loss_off(t, plain), weights = weights_off(t, plain);
  const bool good = status == SKP_OK && loss <= LOSS_MOST;
  const char *why = status == SKP_OK ? "" : skp_error_message();
  if (!list) {
    if (status == SKP_OK)
      skp_print(stdout, "%-6s  %s: loss off by %.2e of 1 + loss, weights by %.2e\n", good ? "passed" : "FAILED",
                t->name, loss, weights);
    else
      skp_print(stdout, "FAILED  %s: %s\n", t->name, why);
    return good;
  }
  cJSON *item = cJSON_CreateObject();
  cJSON_AddStringToObject(item, "device", t->name);
  cJSON_AddBoolToObject(item, "passed", good);
  cJSON_AddNumberToObject(item, "loss", loss); /* one that is infinite is null */
  cJSON_AddNumberToObject(item, "weights", weights);
  cJSON_AddStringToObject(item, "error", why);
  cJSON_AddItemToArray(list, item);
  return good;
}

/* ---- the devices ------------------------------------------------------------------------------------------------- */

struct all {
  struct cli *c;
  struct trial plain;
  uint64_t seed;
  cJSON *list; /* NULL: lines are printed */
  int failed, tried;
};

static void compare_device(struct all *a, const skp_device_options *options, const char *name) {
  struct trial t;
  skp_status status = try_device(a->c, &t, options, a->seed);
  if (!*t.name) snprintf(t.name, sizeof t.name, "%s", name);
  a->tried++;
  a->failed += !show(&t, &a->plain, status, a->list);
  fflush(stdout);
  free(t.weights);
}

/* The one that is said, else all that can be used. */
static skp_status compare_devices(struct all *a) {
  skp_device_options options;
  size_t n;
  TRY(cli_device_options(a->c, &options));
  options.report = stderr;
  if (options.device || options.platform) {
    compare_device(a, &options, options.device ? options.device : options.platform);
    return SKP_OK;
  }
  TRY(skp_device_count(&n));
  for (size_t i = 0; i < n; i++) {
    skp_device_info d;
    char place[32];
    TRY(skp_device_describe(i, &d));
    if (!d.usable) continue;
    snprintf(place, sizeof place, "%d:%d", d.platform, d.device);
    options.device = place;
    compare_device(a, &options, d.name);
  }
  return a->tried ? SKP_OK : skp_fail(SKP_NO_DEVICE, "There is no device to compare with plain C.");
}

static skp_status print_list(struct all *a) {
  cJSON *object = cJSON_CreateObject();
  cJSON_AddNumberToObject(object, "steps", STEPS);
  cJSON_AddNumberToObject(object, "failed", a->failed);
  cJSON_AddItemToObject(object, "devices", a->list);
  a->list = NULL;
  return cli_print_json(object);
}

skp_status cli_selftest_train(struct cli *c, uint64_t seed) {
  struct all a = {.c = c, .seed = seed};
  const skp_data_options data = {.report = stderr};
  TRY(cli_open_learner(c));
  TRY(cli_open_data(c, &data));
  if (!c->data) return skp_fail(SKP_USAGE, "The model's recipe names no data; choose some with --data DIR.");
  if (!cli_said_entry(c, "batch")) TRY(skp_model_set(c->model, "batch", BATCH));
  skp_status status = try_device(c, &a.plain, &(skp_device_options){.backend = "reference", .trust = 1}, seed);
  if (cli_said(c, CLI_JSON)) a.list = cJSON_CreateArray();
  if (status == SKP_OK) status = compare_devices(&a);
  if (status == SKP_OK && a.list) status = print_list(&a);
  cJSON_Delete(a.list);
  free(a.plain.weights);
  if (status != SKP_OK || !a.failed) return status;
  return skp_fail(SKP_DEVICE, "%d of %d devices train otherwise than plain C does.", a.failed, a.tried);
}
