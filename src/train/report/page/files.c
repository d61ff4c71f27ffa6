/* files.c: each figure of the page as a file of its own, SVG. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/file.h"
#include "base/memory.h"
#include "train/report/page/page.h"
#include <stdlib.h>

struct figure {
  const struct skp__page_curve *curve; /* of all runs; else: */
  bool (*put)(FILE *to, const struct skp_folder *run);
  const struct skp_folder *run;
  size_t runs;
  bool there;
};

static bool put_network(FILE *to, const struct skp_folder *run) {
  struct skp_model *m;
  if (!skp__page_model(&m, run)) return false;
  skp__page_network(to, m->graph, true);
  skp__model_destroy(m);
  return true;
}

static bool put_bars(FILE *to, const struct skp_folder *run) { return skp__page_bars(to, run, true); }

static void put(FILE *to, struct figure *f) {
  f->there = f->curve ? skp__page_curve(to, f->curve, f->run, f->runs, true) : f->put(to, f->run);
}

/* Nothing is written of a figure that the runs do not have. */
static skp_status write_figure(const char *folder, const char *name, struct figure *f) {
  struct skp__memory m;
  char *path = NULL;
  if (!skp__memory_open(&m)) return skp__fail_memory("a figure", 0);
  put(m.to, f);
  skp_status status = skp__memory_close(&m) ? SKP_OK : skp__fail_memory("a figure", m.bytes);
  if (status == SKP_OK && f->there) status = skp__format(&path, "%s/%s.svg", folder, name);
  if (path) status = skp__file_write_atomic(path, &(struct skp__file_part){m.text, (int64_t)m.bytes}, 1);
  free(path);
  free(m.text);
  return status;
}

/* The figures that each run has of its own; of several runs with their numbers. */
static const struct {
  const char *name;
  bool (*put)(FILE *to, const struct skp_folder *run);
} own[] = {{"network", put_network},
           {"confusion", skp__page_matrix},
           {"confused", skp__page_confused_sheet},
           {"worst", skp__page_worst_sheet},
           {"layers", put_bars}};

static skp_status write_own(const char *folder, const struct skp_folder *run, size_t number, size_t runs) {
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
    char name[64];
    struct figure f = {.put = own[i].put, .run = run};
    if (runs > 1)
      snprintf(name, sizeof name, "%s-%zu", own[i].name, number + 1);
    else
      snprintf(name, sizeof name, "%s", own[i].name);
    SKP_TRY(write_figure(folder, name, &f));
  }
  return SKP_OK;
}

skp_status skp__page_files(const char *folder, const struct skp_folder *run, size_t runs) {
  SKP_TRY(skp__folder_create(folder));
  for (const struct skp__page_curve *c = skp__page_all_curves; c->title; c++)
    SKP_TRY(write_figure(folder, c->file, &(struct figure){.curve = c, .run = run, .runs = runs}));
  for (size_t i = 0; i < runs; i++) SKP_TRY(write_own(folder, &run[i], i, runs));
  return SKP_OK;
}
