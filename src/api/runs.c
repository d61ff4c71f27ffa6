/* runs.c: runs beside each other. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "base/host.h"
#include "train/run.h"
#include "train/seeds.h"
#include <stdlib.h>

/* Reads all folders; skp__seeds_free of all n, also after a failure. */
static skp_status open_trials(struct skp_seeds **out, const char *const *folders, size_t n) {
  if (!n) return skp__fail(SKP_USAGE, "Name the folder of a run.");
  SKP_TRY(skp__alloc(out, n, sizeof **out));
  for (size_t i = 0; i < n; i++) SKP_TRY(skp__seeds_open(&(*out)[i], folders[i]));
  return SKP_OK;
}

static void close_trials(struct skp_seeds *trials, size_t n) {
  for (size_t i = 0; trials && i < n; i++) skp__seeds_free(&trials[i]);
  free(trials);
}

/* All their runs beside each other, as long as the trials are there. */
static skp_status line_up(struct skp_folder **out, size_t *runs, const struct skp_seeds *trials, size_t n) {
  *runs = 0;
  for (size_t i = 0; i < n; i++) *runs += trials[i].n;
  SKP_TRY(skp__alloc(out, *runs, sizeof **out));
  size_t at = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < trials[i].n; k++) (*out)[at++] = trials[i].run[k];
  return SKP_OK;
}

skp_status skp_runs_show(const char *const *folders, size_t n, const skp_showing *what) {
  struct skp_seeds *trials = NULL;
  struct skp_folder *run = NULL;
  size_t runs = 0;
  skp_status status = open_trials(&trials, folders, n);
  if (status == SKP_OK) status = line_up(&run, &runs, trials, n);
  if (status == SKP_OK && what->page)
    status = skp__option_written("page", skp__page_write(what->page, run, runs, what->reload));
  if (status == SKP_OK && what->figures)
    status = skp__option_written("figures", skp__page_files(what->figures, run, runs));
  free(run);
  close_trials(trials, n);
  return status;
}

skp_status skp_runs_report(const char *const *folders, size_t n, const char *path) {
  return skp_runs_show(folders, n, &(skp_showing){.page = path});
}

int skp_runs_going(const char *const *folders, size_t n) {
  bool any = false;
  for (size_t i = 0; i < n; i++) any = any || skp__run_going(folders[i]);
  return any;
}

skp_status skp_runs_compare(const char *const *folders, size_t n, FILE *to) {
  struct skp_seeds *trials = NULL;
  skp_status status = open_trials(&trials, folders, n);
  if (status == SKP_OK) status = skp__compare_print(to, trials, n);
  close_trials(trials, n);
  return status;
}

skp_status skp_runs_spread(const char *folder, skp_spread *out) {
  struct skp_seeds t;
  *out = (skp_spread){.runs = 0};
  skp_status status = skp__seeds_open(&t, folder);
  const struct skp__spread s = status == SKP_OK ? skp__spread_of(t.run, t.n) : (struct skp__spread){.n = 0};
  skp__seeds_free(&t);
  if (status != SKP_OK) return status;
  if (!s.n) return skp__fail(SKP_FORMAT, "No run in %s has an accuracy.", folder);
  *out = (skp_spread){(int64_t)s.n, s.median, s.mean, s.half, s.least, s.most};
  return SKP_OK;
}
