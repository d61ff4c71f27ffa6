/* names.c: see names.h. SPDX-License-Identifier: MIT */
#include "base/names.h"
#include "base/listing.h"
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

skp_status skp__names_in(skp__names *list, const char *folder) {
  struct skp__listing l;
  SKP_TRY(skp__listing_open(&l, folder));
  const size_t before = list->n;
  skp_status status = SKP_OK;
  while (skp__listing_next(&l, &status))
    if (*l.entry->d_name != '.') status = skp__names_add(list, l.entry->d_name);
  skp__listing_close(&l);
  while (status != SKP_OK && list->n > before) free(list->at[--list->n]);
  skp__names_sort(list);
  return status;
}
