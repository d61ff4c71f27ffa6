/* names.c: the sets that a name stands for. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/file.h"
#include "data/source.h"
#include <stdlib.h>
#include <string.h>

#define PLUS " + "

static bool is_there(const char *name) {
  return skp__source_built_in(name) || skp__file_exists(name) || skp__folder_exists(name);
}

/* How much of it is the first name: as much as something is called by, as names may hold a plus; else all before it. */
static skp_status first_name(size_t *out, const char *data) {
  char *one;
  *out = strlen(data);
  if (is_there(data) || !strstr(data, PLUS)) return SKP_OK;
  *out = (size_t)(strstr(data, PLUS) - data);
  SKP_TRY(skp__strdup(&one, data));
  for (const char *plus = data; (plus = strstr(plus, PLUS)); plus++) {
    one[plus - data] = 0;
    if (is_there(one)) *out = (size_t)(plus - data);
    one[plus - data] = PLUS[0];
  }
  free(one);
  return SKP_OK;
}

static skp_status add_name(skp__names *out, const char *name, size_t length) {
  char *one;
  SKP_TRY(skp__format(&one, "%.*s", (int)length, name));
  skp_status status = skp__names_add(out, one);
  free(one);
  return status;
}

skp_status skp__source_names(skp__names *out, const char *data) {
  *out = (skp__names){NULL, 0, 0};
  for (size_t length;; data += length + strlen(PLUS)) {
    SKP_TRY(first_name(&length, data));
    SKP_TRY(add_name(out, data, length));
    if (!data[length]) return SKP_OK;
  }
}

bool skp__source_there(const char *data) {
  skp__names names;
  bool all = skp__source_names(&names, data) == SKP_OK;
  for (size_t i = 0; i < names.n && all; i++) all = is_there(names.at[i]);
  skp__names_free(&names);
  return all;
}

static skp_status add_absolute(char **out, const char *name) {
  char *before = *out, *path;
  *out = NULL;
  skp_status status = skp__source_built_in(name) ? skp__strdup(&path, name) : skp__path_absolute(&path, name);
  if (status == SKP_OK) {
    status = skp__format(out, "%s%s%s", before ? before : "", before ? PLUS : "", path);
    free(path);
  }
  free(before);
  return status;
}

skp_status skp__source_absolute(char **out, const char *data) {
  skp__names names;
  *out = NULL;
  skp_status status = skp__source_names(&names, data);
  for (size_t i = 0; i < names.n && status == SKP_OK; i++) status = add_absolute(out, names.at[i]);
  skp__names_free(&names);
  return status;
}
