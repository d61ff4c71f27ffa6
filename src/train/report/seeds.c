/* seeds.c: see seeds.h. SPDX-License-Identifier: MIT */
#include "train/report/seeds.h"
#include "base/array.h"
#include "base/bounds.h"
#include "base/file.h"
#include "base/names.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the folders ------------------------------------------------------------------------------------------------- */

static bool seed_of(uint64_t *seed, const char *name) {
  static const char before[] = "seed-";
  const size_t n = sizeof before - 1;
  return !strncmp(name, before, n) && skp__digits(seed, name + n, UINT64_MAX);
}

static int by_seed(const void *a, const void *b) {
  uint64_t x = 0, y = 0;
  (void)seed_of(&x, *(char *const *)a);
  (void)seed_of(&y, *(char *const *)b);
  return (x > y) - (x < y);
}

static skp_status has_begun(bool *out, const char *folder) {
  char *config;
  SKP_TRY(skp__path_join(&config, folder, "config.json"));
  *out = skp__file_exists(config);
  free(config);
  return SKP_OK;
}

/* Those that are a run's folders, by their seeds. */
static skp_status add_folders(struct skp_seeds *t, const skp__names *names) {
  SKP_TRY(skp__alloc(&t->folder, names->n, sizeof *t->folder));
  for (size_t i = 0; i < names->n; i++) {
    uint64_t seed;
    char *folder;
    bool begun;
    if (!seed_of(&seed, names->at[i])) continue;
    SKP_TRY(skp__path_join(&folder, t->path, names->at[i]));
    skp_status status = has_begun(&begun, folder);
    if (status == SKP_OK && begun)
      t->folder[t->n++] = folder;
    else
      free(folder);
    SKP_TRY(status);
  }
  return SKP_OK;
}

static skp_status find_several(struct skp_seeds *t) {
  skp__names names = {NULL, 0, 0};
  skp_status status = skp__names_in(&names, t->path);
  if (status == SKP_IO) status = SKP_OK; /* there are none */
  if (status == SKP_OK && names.n) {
    qsort(names.at, names.n, sizeof *names.at, by_seed);
    status = add_folders(t, &names);
  }
  skp__names_free(&names);
  return status;
}

skp_status skp__seeds_find(struct skp_seeds *out, const char *path) {
  bool alone;
  *out = (struct skp_seeds){.path = path};
  SKP_TRY(has_begun(&alone, path));
  if (!alone) SKP_TRY(find_several(out));
  out->holds = alone ? SKP_HOLDS_RUN : out->n ? SKP_HOLDS_SEEDS : SKP_HOLDS_NOTHING;
  if (out->n) return SKP_OK;
  free(out->folder);
  SKP_TRY(skp__alloc(&out->folder, 1, sizeof *out->folder));
  SKP_TRY(skp__strdup(out->folder, path));
  out->n = 1;
  return SKP_OK;
}

skp_status skp__seeds_open(struct skp_seeds *out, const char *path) {
  SKP_TRY(skp__seeds_find(out, path));
  SKP_TRY(skp__alloc(&out->run, out->n, sizeof *out->run));
  for (size_t i = 0; i < out->n; i++) SKP_TRY(skp__folder_read(&out->run[i], out->folder[i]));
  return SKP_OK;
}

void skp__seeds_free(struct skp_seeds *t) {
  for (size_t i = 0; t->run && i < t->n; i++) skp__folder_free(&t->run[i]);
  for (size_t i = 0; i < t->n; i++) free(t->folder[i]);
  free(t->folder);
  free(t->run);
}

/* ---- their figures ----------------------------------------------------------------------------------------------- */

/* The 97.5 % quantile of Student's distribution. */
static double student(double freedom) {
  static const double exact[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                 2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086};
  const int table = sizeof exact / sizeof *exact;
  if (freedom < table) return exact[freedom < 1 ? 0 : (int)freedom - 1];
  return 1.96 + 2.4 / freedom + 3 / (freedom * freedom);
}

/* Of n sorted values. */
static struct skp__spread spread_of(const double *x, size_t n) {
  struct skp__spread s = {n, skp__median(x, n), 0, x[0], x[n - 1], NAN, 0};
  for (size_t i = 0; i < n; i++) s.mean += x[i] / (double)n;
  for (size_t i = 0; i < n && n > 1; i++) s.variance += (x[i] - s.mean) * (x[i] - s.mean) / (double)(n - 1);
  if (n > 1) s.half = student((double)n - 1) * sqrt(s.variance / (double)n);
  return s;
}

skp_status skp__spread_of(struct skp__spread *out, const struct skp_folder *run, size_t runs) {
  double *x;
  size_t n = 0;
  *out = (struct skp__spread){.n = 0};
  SKP_TRY(skp__alloc(&x, runs + 1, sizeof *x));
  for (size_t i = 0; i < runs; i++) {
    const struct skp_table *t = &run[i].results;
    const double a = skp__table_number(t, skp__folder_best(&run[i]), skp__table_column(t, "_accuracy"));
    if (isfinite(a)) x[n++] = a;
  }
  skp__sort(x, n);
  if (n) *out = spread_of(x, n);
  free(x);
  return SKP_OK;
}

double skp__spread_difference(const struct skp__spread *a, const struct skp__spread *b) {
  if (a->n < 2 || b->n < 2) return NAN;
  const double x = a->variance / (double)a->n, y = b->variance / (double)b->n;
  if (!(x + y > 0)) return 0;
  const double freedom = (x + y) * (x + y) / (x * x / ((double)a->n - 1) + y * y / ((double)b->n - 1));
  return student(freedom) * sqrt(x + y);
}
