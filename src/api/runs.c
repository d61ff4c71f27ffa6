/* runs.c: runs beside each other. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "base/host.h"
#include "train/folder.h"
#include "train/run.h"
#include <stdlib.h>

/* Reads all folders; *out is freed by close_runs, also after a failure. */
static skp_status open_runs(struct skp_folder **out, const char *const *folders, size_t n) {
  if (!n) return skp__fail(SKP_USAGE, "Name the folder of a run.");
  SKP_TRY(skp__alloc(out, n, sizeof **out));
  for (size_t i = 0; i < n; i++) SKP_TRY(skp__folder_read(&(*out)[i], folders[i]));
  return SKP_OK;
}

static void close_runs(struct skp_folder *runs, size_t n) {
  for (size_t i = 0; runs && i < n; i++) skp__folder_free(&runs[i]);
  free(runs);
}

skp_status skp_runs_show(const char *const *folders, size_t n, const skp_showing *what) {
  struct skp_folder *runs = NULL;
  skp_status status = open_runs(&runs, folders, n);
  if (status == SKP_OK && what->page)
    status = skp__option_written("page", skp__page_write(what->page, runs, n, what->reload));
  if (status == SKP_OK && what->figures)
    status = skp__option_written("figures", skp__page_files(what->figures, runs, n));
  close_runs(runs, n);
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
  struct skp_folder *runs = NULL;
  skp_status status = open_runs(&runs, folders, n);
  if (status == SKP_OK) status = skp__compare_print(to, runs, n);
  close_runs(runs, n);
  return status;
}
