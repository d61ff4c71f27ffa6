/* folder.c: what a run left in its folder, read back. SPDX-License-Identifier: MIT */
#include "train/report/folder.h"
#include "base/file.h"
#include "base/memory.h"
#include "io/json.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static skp_status read_config(struct skp_folder *f) {
  enum { LIMIT = 64 << 20 };
  char *path;
  void *text = NULL;
  int64_t size;
  SKP_TRY(skp__path_join(&path, f->path, "config.json"));
  skp_status status = skp__file_read(&text, &size, path, LIMIT);
  if (status != SKP_OK)
    status = skp__fail(SKP_IO, "%s is no run's folder: there is no config.json in it.", f->path);
  else
    status = skp__json_parse(&f->config, text);
  if (status == SKP_OK && !f->config) status = skp__fail(SKP_FORMAT, "%s is damaged: it is no JSON.", path);
  free(text);
  free(path);
  return status;
}

static skp_status read_table(struct skp_table *out, const char *folder, const char *name) {
  char *path;
  SKP_TRY(skp__path_join(&path, folder, name));
  skp_status status = skp__table_read(out, path);
  skp__table_unmark(out);
  free(path);
  return status;
}

/* Means of so many steps each. */
struct thin {
  FILE *to;
  int64_t each, n;
  double loss, lr;
};

static void put_step(struct thin *t, const char *line) {
  long long step;
  double loss, lr;
  if (sscanf(line, "{\"step\":%lld,\"loss\":%lf,\"lr\":%lf", &step, &loss, &lr) != 3) return;
  t->loss += loss;
  t->lr += lr;
  if (++t->n < t->each) return;
  fprintf(t->to, "%lld,%.7g,%.7g\n", step, t->loss / (double)t->n, t->lr / (double)t->n);
  t->n = 0;
  t->loss = t->lr = 0;
}

static int64_t count_lines(const char *text) {
  int64_t n = 0;
  for (; (text = strchr(text, '\n')); text++) n++;
  return n;
}

/* The steps of a log as a table's text; fresh memory. */
static skp_status thin_out(char **out, const char *log) {
  enum { POINTS = 400 };
  struct skp__memory m;
  if (!skp__memory_open(&m)) return skp__fail_memory("a log", 0);
  struct thin t = {.to = m.to, .each = 1 + count_lines(log) / POINTS};
  fprintf(t.to, "step,loss,lr\n");
  for (const char *line = log; *line; line += strcspn(line, "\n"), line += *line == '\n') put_step(&t, line);
  const bool whole = skp__memory_close(&m);
  if (whole) *out = m.text;
  if (whole) return SKP_OK;
  free(m.text);
  return skp__fail_memory("a log", m.bytes);
}

static skp_status read_steps(struct skp_folder *f) {
  static const int64_t limit = INT64_C(4) << 30;
  char *path, *thin = NULL;
  void *log = NULL;
  int64_t size;
  SKP_TRY(skp__path_join(&path, f->path, "log.jsonl"));
  skp_status status = skp__file_exists(path) ? skp__file_read(&log, &size, path, limit) : SKP_OK;
  free(path);
  if (status == SKP_OK && log) status = thin_out(&thin, log);
  free(log);
  if (status != SKP_OK || !thin) return status;
  return skp__table_parse(&f->steps, thin);
}

skp_status skp__folder_read(struct skp_folder *out, const char *path) {
  *out = (struct skp_folder){.path = path};
  SKP_TRY(read_config(out));
  SKP_TRY(read_steps(out));
  SKP_TRY(read_table(&out->results, path, "results.csv"));
  SKP_TRY(read_table(&out->confusion, path, "confusion.csv"));
  SKP_TRY(read_table(&out->classes, path, "classes.csv"));
  SKP_TRY(read_table(&out->layers, path, "layers.csv"));
  SKP_TRY(read_table(&out->confused, path, "confused.csv"));
  return read_table(&out->worst, path, "worst.csv");
}

void skp__folder_free(struct skp_folder *f) {
  cJSON_Delete(f->config);
  skp__table_free(&f->results);
  skp__table_free(&f->steps);
  skp__table_free(&f->confusion);
  skp__table_free(&f->classes);
  skp__table_free(&f->worst);
  skp__table_free(&f->confused);
  skp__table_free(&f->layers);
}

const char *skp__folder_said(char *text, size_t size, const cJSON *object, const char *name) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
  char *printed = item ? cJSON_PrintUnformatted(item) : NULL;
  snprintf(text, size, "%s", cJSON_IsString(item) ? item->valuestring : printed ? printed : "");
  free(printed);
  return text;
}

size_t skp__folder_best(const struct skp_folder *f) {
  const struct skp_table *t = &f->results;
  const int accuracy = skp__table_column(t, "_accuracy"), loss = skp__table_column(t, "train_loss");
  size_t best = 0;
  double score = -INFINITY;
  for (size_t i = 1; i < t->rows.n; i++) {
    const double own = skp__table_number(t, i, accuracy), other = -skp__table_number(t, i, loss);
    const double here = isfinite(own) ? own : other;
    if (here <= score) continue;
    score = here;
    best = i;
  }
  return best;
}
