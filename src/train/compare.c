/* compare.c: runs beside each other: what differs, and how they ended. SPDX-License-Identifier: MIT */
#include "skipper/status.h"
#include "train/folder.h"
#include <math.h>
#include <string.h>

enum { TEXT = 256 };

static const cJSON *part(const struct skp_folder *f, const char *name) {
  return *name ? cJSON_GetObjectItemCaseSensitive(f->config, name) : f->config;
}

/* A line of an entry, if not all runs have the same. */
static bool put_difference(FILE *to, const struct skp_folder *run, size_t runs, const char *of, const char *name) {
  char first[TEXT], other[TEXT];
  bool differs = false;
  skp__folder_said(first, sizeof first, part(&run[0], of), name);
  for (size_t i = 1; i < runs; i++)
    differs = differs || strcmp(first, skp__folder_said(other, sizeof other, part(&run[i], of), name)) != 0;
  if (!differs) return false;
  skp_print(to, "%-20s", name);
  for (size_t i = 0; i < runs; i++) {
    skp__folder_said(other, sizeof other, part(&run[i], of), name);
    skp_print(to, "  %-24s", *other ? other : "-");
  }
  fprintf(to, "\n");
  return true;
}

/* Of all entries that any of the runs has in a part of its config. */
static int put_part(FILE *to, const struct skp_folder *run, size_t runs, const char *of) {
  int differences = 0;
  for (size_t i = 0; i < runs; i++) {
    const cJSON *item;
    cJSON_ArrayForEach(item, part(&run[i], of)) {
      bool told = false;
      for (size_t before = 0; before < i; before++)
        told = told || cJSON_GetObjectItemCaseSensitive(part(&run[before], of), item->string);
      const bool nested = !*of && (cJSON_IsObject(item) || !strcmp(item->string, "started"));
      if (!told && !nested) differences += put_difference(to, run, runs, of, item->string);
    }
  }
  return differences;
}

/* Half of the interval in which 95 of 100 such accuracies lie, of so many images. */
static double spread(const struct skp_folder *f, double accuracy) {
  const cJSON *set = cJSON_GetObjectItemCaseSensitive(f->config, "valid");
  if (!set) set = cJSON_GetObjectItemCaseSensitive(f->config, "test");
  const cJSON *images = cJSON_GetObjectItemCaseSensitive(set, "images");
  const double n = cJSON_IsNumber(images) ? images->valuedouble : 0;
  return n > 0 ? 1.96 * sqrt(accuracy * (1 - accuracy) / n) : (double)NAN;
}

static void put_accuracy(FILE *to, const struct skp_folder *run, size_t runs) {
  fprintf(to, "%-20s", "best accuracy");
  for (size_t i = 0; i < runs; i++) {
    char text[64] = "-";
    const int column = skp__table_column(&run[i].results, "_accuracy");
    const double a = skp__table_number(&run[i].results, skp__folder_best(&run[i]), column);
    if (isfinite(a)) snprintf(text, sizeof text, "%.2f +- %.2f %%", 100 * a, 100 * spread(&run[i], a));
    fprintf(to, "  %-24s", text);
  }
  fprintf(to, "\n");
}

/* A column of results.csv, at the best epoch or at the last. */
static void put_figure(FILE *to, const struct skp_folder *run, size_t runs, const char *what, const char *column,
                       bool last) {
  fprintf(to, "%-20s", what);
  for (size_t i = 0; i < runs; i++) {
    const struct skp_table *t = &run[i].results;
    const size_t row = last ? t->rows.n - (t->rows.n > 0) : skp__folder_best(&run[i]);
    const char *cell = row ? skp__table_cell(t, row, skp__table_column(t, column)) : "";
    skp_print(to, "  %-24s", *cell ? cell : "-");
  }
  fprintf(to, "\n");
}

skp_status skp__compare_print(FILE *to, const struct skp_folder *run, size_t runs) {
  int differences = 0;
  static const char *const parts[] = {"", "settings", "recipe"};
  skp_print(to, "%-20s", "");
  for (size_t i = 0; i < runs; i++) skp_print(to, "  %-24s", run[i].path);
  fprintf(to, "\n");
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) differences += put_part(to, run, runs, parts[i]);
  if (!differences) fprintf(to, "The same network, recipe, seed and device.\n");
  put_accuracy(to, run, runs);
  put_figure(to, run, runs, "best epoch", "epoch", false);
  put_figure(to, run, runs, "train loss, best", "train_loss", false);
  put_figure(to, run, runs, "epochs", "epoch", true);
  put_figure(to, run, runs, "seconds", "seconds", true);
  put_figure(to, run, runs, "images/s, last", "img_per_s", true);
  return SKP_OK;
}
