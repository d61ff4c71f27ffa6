/* built_in.c: the sets that Skipper generates, by name. SPDX-License-Identifier: MIT */
#include "data/source.h"
#include <string.h>

static const struct {
  const char *name;
  skp_status (*open)(struct skp_source **out, skp_split split);
} built_in[] = {
    {"digits", skp__source_digits},
    {"shapes", skp__source_shapes},
};

#define COUNT (sizeof built_in / sizeof *built_in)

const char *skp__source_known(size_t i) { return i < COUNT ? built_in[i].name : NULL; }

static size_t find(const char *data) {
  size_t k = 0;
  while (k < COUNT && strcmp(data, built_in[k].name) != 0) k++;
  return k;
}

bool skp__source_built_in(const char *data) { return find(data) < COUNT; }

skp_status skp__source_generated(struct skp_source **out, const char *name, skp_split split) {
  *out = NULL;
  return split == SKP_SPLIT_VALID ? SKP_OK : built_in[find(name)].open(out, split);
}
