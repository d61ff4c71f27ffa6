/* names.c: see names.h. SPDX-License-Identifier: MIT */
#include "base/names.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void skp__names_free(skp__names *list) {
  for (size_t i = 0; i < list->n; i++) free(list->at[i]);
  SKP_FREE(list);
}

skp_status skp__names_add(skp__names *list, const char *name) {
  SKP_TRY(SKP_GROW(list));
  return skp__strdup(&list->at[list->n - 1], name);
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

void skp__names_sort(skp__names *list) {
  if (list->n) qsort(list->at, list->n, sizeof *list->at, by_bytes);
}

static skp_status fail_list(const char *folder) {
  return skp__fail(SKP_IO, "The folder %s cannot be listed: %s.", folder, strerror(errno));
}

skp_status skp__names_in(skp__names *list, const char *folder) {
  DIR *dir = opendir(folder);
  if (!dir) return fail_list(folder);
  const size_t before = list->n;
  skp_status status = SKP_OK;
  for (struct dirent *e; status == SKP_OK && (errno = 0, e = readdir(dir));)
    if (*e->d_name != '.') status = skp__names_add(list, e->d_name);
  if (status == SKP_OK && errno) status = fail_list(folder); /* a part of what lies there is no list of it */
  closedir(dir);
  while (status != SKP_OK && list->n > before) free(list->at[--list->n]);
  skp__names_sort(list);
  return status;
}
