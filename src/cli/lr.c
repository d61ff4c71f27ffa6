/* lr.c: skipper lr: the learning-rate finder, its curve as text, and a suggestion. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <math.h>
#include <string.h>

static const double first_rate = 1e-6, last_rate = 10;
enum { RAMP_STEPS = 100, ROWS = 14 };

/* ---- the plot --------------------------------------------------------------------------------------------------- */

/* A column a step. What lies more than as far above the start as the lowest lies below it is cut off. */
struct plot {
  double top, bottom;
  char cell[ROWS][RAMP_STEPS + 1];
};

static void draw(struct plot *p, const skp_lr_search *c) {
  double low = c->at[c->lowest].smooth, start = c->at[0].smooth;
  p->bottom = low;
  p->top = start + fmax(start - low, 0.1 * fabs(start) + 1e-9);
  memset(p->cell, ' ', sizeof p->cell);
  for (int row = 0; row < ROWS; row++) {
    p->cell[row][c->n] = 0;
    for (int64_t i = 0; i < c->n; i++)
      if (c->at[i].lr <= c->suggestion && (i + 1 == c->n || c->at[i + 1].lr > c->suggestion)) p->cell[row][i] = ':';
  }
  for (int64_t i = 0; i < c->n; i++) {
    double height = (p->top - c->at[i].smooth) / (p->top - p->bottom);
    if (height >= 0) p->cell[(int)(height * (ROWS - 1) + 0.5)][i] = '*';
  }
}

static void print_plot(const skp_lr_search *c) {
  struct plot p;
  draw(&p, c);
  printf("smoothed loss\n");
  for (int row = 0; row < ROWS; row++)
    printf("%9.4g |%s\n", p.top - (p.top - p.bottom) * row / (ROWS - 1), p.cell[row]);
  printf("%9s +", "");
  for (int64_t i = 0; i < c->n; i++) putchar('-');
  printf("\n%9s  %-12.1e", "", c->at[0].lr);
  for (int64_t i = 12; i + 7 < c->n; i++) putchar(' ');
  printf("%7.1e  learning rate\n", c->at[c->n - 1].lr);
}

/* `path`: where the curve is; NULL: nowhere. */
static skp_status print_curve(const struct cli *c, const skp_lr_search *curve, const char *path) {
  print_plot(curve);
  printf("%s after %lld steps", curve->diverged ? "diverged" : "ended", (long long)curve->n);
  if (path) printf("; the curve is in %s", path);
  printf("\n");
  if (curve->suggestion <= 0) {
    printf("At no rate does the loss fall by more than it strays from step to step: there is nothing to suggest.\n");
    return SKP_OK;
  }
  printf("lowest at %.2g\nsuggestion: --lr %.2g (%s uses %g)\n", curve->at[curve->lowest].lr, curve->suggestion,
         skp_model_name(c->model), cli_entry(c, "lr"));
  return SKP_OK;
}

static skp_status print_json(const struct cli *c, const skp_lr_search *curve) {
  cJSON *object = cJSON_CreateObject(), *list;
  cJSON_AddItemToObject(object, "suggestion",
                        curve->suggestion > 0 ? cJSON_CreateNumber(curve->suggestion) : cJSON_CreateNull());
  cJSON_AddNumberToObject(object, "lowest", curve->at[curve->lowest].lr);
  cJSON_AddBoolToObject(object, "diverged", curve->diverged);
  cJSON_AddNumberToObject(object, "recipe_lr", cli_entry(c, "lr"));
  list = cJSON_AddArrayToObject(object, "curve");
  for (int64_t i = 0; i < curve->n; i++) {
    const double point[] = {curve->at[i].lr, curve->at[i].loss, curve->at[i].smooth};
    cJSON_AddItemToArray(list, cJSON_CreateDoubleArray(point, 3));
  }
  return cli_print_json(object);
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

static skp_status find(struct cli *c, uint64_t seed) {
  const char *path = c->value[CLI_CURVE] ? c->value[CLI_CURVE] : "lr.csv";
  skp_lr_options o = {
      .seed = seed, .first = first_rate, .last = last_rate, .steps = RAMP_STEPS, .report = stderr, .curve = path};
  skp_lr_search found;
  TRY(cli_workers(c, &o.workers));
  TRY(cli_open_session(c, seed));
  const skp_status status = skp_find_lr(c->session, c->data, &o, &found);
  if (!found.n) TRY(status);
  if (!found.n)
    return skp_fail(SKP_NUMERIC,
                    "The very first loss, at the learning rate %g, is not finite. Check that the pixels "
                    "are normalised (--mean, --std).",
                    first_rate);
  TRY(cli_said(c, CLI_JSON) ? print_json(c, &found) : print_curve(c, &found, status == SKP_OK ? path : NULL));
  return status; /* of the file: what was found is said all the same */
}

skp_status cli_lr(struct cli *c) {
  skp_data_options options = {.report = stderr};
  uint64_t seed;
  if (cli_said_entry(c, "lr") || cli_said_entry(c, "schedule"))
    return skp_fail(SKP_USAGE, "lr looks for the learning rate itself: leave out --lr and --schedule.");
  TRY(cli_seed(c, &seed, UINT64_MAX, 1));
  TRY(cli_open_learner(c));
  TRY(cli_data_options(c, &options));
  TRY(cli_open_data(c, &options));
  if (!c->data) return skp_fail(SKP_USAGE, "The model's recipe names no data; choose some with --data DIR.");
  TRY(skp_data_check(c->data, c->model));
  TRY(cli_open_device(c));
  cli_say_device(c);
  return find(c, seed);
}
