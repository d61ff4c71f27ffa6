/* runs.c: runs beside each other. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "base/file.h"
#include "base/host.h"
#include "train/evaluate/explain.h"
#include "train/report/seeds.h"
#include "train/run/run.h"
#include <stdlib.h>
#include <string.h>

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

/* ---- why --------------------------------------------------------------------------------------------------------- */

/* The best weights of the run that was asked about last. */
struct why {
  skp_device *device;
  const struct skp_folder *run;
  skp_model *model;
  skp_session *session;
  bool failed;
};

static void close_why(struct why *w) {
  skp_session_close(w->session);
  skp_model_free(w->model);
  *w = (struct why){.device = w->device, .failed = w->failed};
}

static skp_status open_why(struct why *w, const struct skp_folder *run) {
  if (w->run == run) return SKP_OK;
  close_why(w);
  SKP_TRY(skp_model_load(&w->model, run->path, &(skp_model_options){.trained = 1}));
  SKP_TRY(skp_session_open(&w->session, w->model, w->device, 0));
  w->run = run;
  return SKP_OK;
}

static skp_status draw_why(void *user, const struct skp_folder *run, const struct skp_source *s, int64_t i, void **png,
                           size_t *size) {
  struct why *w = user;
  skp_status status = open_why(w, run);
  if (status == SKP_OK) status = skp__explain(w->session->s, s, i, skp__api_workers(0), png, size);
  w->failed = status != SKP_OK && status != SKP_NUMERIC;
  return w->failed ? skp__fail_in(status, "%s", skp__option("why")) : status;
}

static skp_status write_page(const skp_showing *what, const struct skp_folder *run, size_t runs) {
  struct why why = {.device = what->why};
  const struct skp__page_why asked = {draw_why, &why};
  skp_status status = skp__page_write(what->page, run, runs, what->reload, what->why ? &asked : NULL);
  close_why(&why);
  return why.failed ? status : skp__option_written("page", status);
}

skp_status skp_runs_show(const char *const *folders, size_t n, const skp_showing *what) {
  struct skp_seeds *trials = NULL;
  struct skp_folder *run = NULL;
  size_t runs = 0;
  skp_status status = open_trials(&trials, folders, n);
  if (status == SKP_OK) status = line_up(&run, &runs, trials, n);
  if (status == SKP_OK && what->page) status = write_page(what, run, runs);
  if (status == SKP_OK && what->figures)
    status = skp__option_written("figures", skp__page_files(what->figures, run, runs));
  free(run);
  close_trials(trials, n);
  return status;
}

skp_status skp_runs_report(const char *const *folders, size_t n, const char *path) {
  return skp_runs_show(folders, n, &(skp_showing){.page = path});
}

/* What of all runs in the folders is of interest while they go on. */
struct news {
  bool going;
  int64_t latest;
};

static void add_news(struct news *out, const char *folder) {
  const int64_t written = skp__run_written(folder);
  out->going = out->going || skp__run_going(folder);
  if (written > out->latest) out->latest = written;
}

static struct news find_news(const char *const *folders, size_t n) {
  struct news news = {.going = false};
  for (size_t i = 0; i < n; i++) {
    struct skp_seeds t;
    const bool known = skp__seeds_find(&t, folders[i]) == SKP_OK;
    for (size_t k = 0; known && k < t.n; k++) add_news(&news, t.folder[k]);
    skp__seeds_free(&t);
  }
  return news;
}

int skp_runs_going(const char *const *folders, size_t n) { return find_news(folders, n).going; }
int64_t skp_runs_latest(const char *const *folders, size_t n) { return find_news(folders, n).latest; }

int skp_runs_file(const char *path) {
  const char *slash = strrchr(path, '/');
  return skp__aside_owns(slash ? slash + 1 : path);
}

/* ---- time by layer ---------------------------------------------------------------------------------------------- */

static skp_status time_model(skp_model *model, skp_device *device, const char *table, FILE *report) {
  const skp_bench_options options = {.samples = 1, .layers = 1, .report = report, .table = table};
  skp_session *session;
  skp_speed speed;
  SKP_TRY(skp_session_open(&session, model, device, 0));
  skp_status status = skp_bench(session, &options, &speed);
  skp_session_close(session);
  return status;
}

static skp_status time_run(const char *folder, skp_device *device, FILE *report) {
  skp_model *model;
  char *table;
  SKP_TRY(skp_model_load(&model, folder, &(skp_model_options){.trained = 1}));
  skp_status status = skp__path_join(&table, folder, "layers.csv");
  if (status == SKP_OK) status = time_model(model, device, table, report);
  free(table);
  skp_model_free(model);
  return status;
}

skp_status skp_runs_time(const char *const *folders, size_t n, skp_device *device, FILE *report) {
  skp_status status = SKP_OK;
  for (size_t i = 0; status == SKP_OK && i < n; i++) {
    struct skp_seeds t;
    status = skp__seeds_find(&t, folders[i]);
    for (size_t k = 0; status == SKP_OK && k < t.n; k++) status = time_run(t.folder[k], device, report);
    skp__seeds_free(&t);
  }
  return status;
}

/* ---- figures ---------------------------------------------------------------------------------------------------- */

skp_status skp_runs_compare(const char *const *folders, size_t n, FILE *to) {
  struct skp_seeds *trials = NULL;
  skp_status status = open_trials(&trials, folders, n);
  if (status == SKP_OK) status = skp__compare_print(to, trials, n);
  close_trials(trials, n);
  return status;
}

skp_status skp_runs_spread(const char *const *folders, size_t n, skp_spread *out) {
  struct skp_seeds *trials = NULL;
  struct skp_folder *run = NULL;
  struct skp__spread s = {.n = 0};
  size_t runs = 0;
  skp_status status = open_trials(&trials, folders, n);
  if (status == SKP_OK) status = line_up(&run, &runs, trials, n);
  if (status == SKP_OK) status = skp__spread_of(&s, run, runs);
  free(run);
  close_trials(trials, n);
  *out = (skp_spread){(int64_t)s.n, s.median, s.mean, s.half, s.least, s.most};
  return status;
}
