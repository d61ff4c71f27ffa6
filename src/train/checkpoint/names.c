/* names.c: see names.h. All searches are binary ones: strangers choose how many names a file has.
 * SPDX-License-Identifier: MIT */
#include "train/checkpoint/names.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b) {
  return strcmp((*(const struct skp_st_tensor *const *)a)->name, (*(const struct skp_st_tensor *const *)b)->name);
}

const struct skp_st_tensor *skp__file_names_find(const struct skp__file_names *n, const char *name) {
  char text[1024];
  const struct skp_st_tensor key = {.name = text}, *at = &key;
  snprintf(text, sizeof text, "%s%s", n->prefix, name);
  const struct skp_st_tensor *const *found =
      n->file->tensors ? bsearch(&at, n->sorted, n->file->tensors, sizeof at, by_name) : NULL;
  return found ? *found : NULL;
}

static int count_found(const struct skp__file_names *n, const struct skp_graph *g) {
  int found = 0;
  for (size_t i = 0; i < g->tensors.n; i++)
    found += skp__is_weight(&g->tensors.at[i]) && skp__file_names_find(n, g->tensors.at[i].name) != NULL;
  return found;
}

/* Takes what stands before `name` in `in_file` as the prefix; false: that does not end with a dot, or does not fit. */
static bool take_prefix(struct skp__file_names *n, const char *in_file, const char *name) {
  size_t whole = strlen(in_file), own = strlen(name);
  if (whole <= own || whole - own >= sizeof n->prefix || in_file[whole - own - 1] != '.') return false;
  snprintf(n->prefix, sizeof n->prefix, "%.*s", (int)(whole - own), in_file);
  return strcmp(in_file + whole - own, name) == 0;
}

/* Whether so many of the file's names begin with the prefix. */
static bool is_common(const struct skp__file_names *n, size_t many) {
  size_t from = 0, to = n->file->tensors;
  while (from < to) {
    const size_t middle = from + (to - from) / 2;
    if (strcmp(n->sorted[middle]->name, n->prefix) < 0)
      from = middle + 1;
    else
      to = middle;
  }
  return many <= n->file->tensors - from &&
         strncmp(n->sorted[from + many - 1]->name, n->prefix, strlen(n->prefix)) == 0;
}

/* Where more than half of the model's weights have the same words in front of their names in the file, and hardly any
 * stands there without, those words are the prefix. All that can be one stand in front of the model's first weight or,
 * where the file lacks that, of the next. */
static void find_prefix(struct skp__file_names *n, const struct skp_graph *g) {
  enum { TRIED = 4 };
  int all = 0, tried = 0, most = count_found(n, g);
  char best[sizeof n->prefix] = "";
  for (size_t i = 0; i < g->tensors.n; i++) all += skp__is_weight(&g->tensors.at[i]);
  for (size_t i = 0; i < g->tensors.n && tried < TRIED; i++) {
    if (!skp__is_weight(&g->tensors.at[i])) continue;
    tried++;
    for (size_t k = 0; k < n->file->tensors; k++) {
      if (!take_prefix(n, n->file->tensor[k].name, g->tensors.at[i].name) || !is_common(n, (size_t)all / 2 + 1))
        continue;
      int found = count_found(n, g);
      if (found <= most || 2 * found <= all) continue;
      most = found;
      strcpy(best, n->prefix);
    }
  }
  strcpy(n->prefix, best);
}

skp_status skp__file_names_create(struct skp__file_names *out, const struct skp_st_file *file,
                                  const struct skp_graph *model) {
  const size_t n = file->tensors;
  *out = (struct skp__file_names){.file = file};
  SKP_TRY(skp__alloc(&out->sorted, n, sizeof *out->sorted));
  for (size_t i = 0; i < n; i++) out->sorted[i] = &file->tensor[i];
  if (n) qsort(out->sorted, n, sizeof *out->sorted, by_name);
  find_prefix(out, model);
  return SKP_OK;
}

void skp__file_names_destroy(struct skp__file_names *n) {
  free(n->sorted);
  n->sorted = NULL;
}
