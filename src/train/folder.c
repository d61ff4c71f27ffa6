/* folder.c: what a run left in its folder, read back. SPDX-License-Identifier: MIT */
#include "train/folder.h"
#include "base/file.h"
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
  f->config = status == SKP_OK ? cJSON_Parse(text) : NULL;
  if (status != SKP_OK)
    status = skp__fail(SKP_IO, "%s is no run's folder: there is no config.json in it.", f->path);
  else if (!f->config)
    status = skp__fail(SKP_FORMAT, "%s is damaged: it is no JSON.", path);
  free(text);
  free(path);
  return status;
}

static skp_status read_table(struct skp_table *out, const char *folder, const char *name) {
  char *path;
  SKP_TRY(skp__path_join(&path, folder, name));
  skp_status status = skp__table_read(out, path);
  free(path);
  return status;
}

skp_status skp__folder_read(struct skp_folder *out, const char *path) {
  *out = (struct skp_folder){.path = path};
  SKP_TRY(read_config(out));
  SKP_TRY(read_table(&out->results, path, "results.csv"));
  SKP_TRY(read_table(&out->confusion, path, "confusion.csv"));
  SKP_TRY(read_table(&out->classes, path, "classes.csv"));
  return read_table(&out->worst, path, "worst.csv");
}

void skp__folder_free(struct skp_folder *f) {
  cJSON_Delete(f->config);
  skp__table_free(&f->results);
  skp__table_free(&f->confusion);
  skp__table_free(&f->classes);
  skp__table_free(&f->worst);
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
