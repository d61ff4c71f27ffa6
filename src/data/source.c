/* source.c: finds out what kind of data a name or a folder stands for. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/file.h"
#include "data/data.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sets that Skipper generates. */
static const struct {
  const char *name;
  skp_status (*open)(struct skp_source **out, skp_split split);
} built_in[] = {
    {"digits", skp__source_digits},
    {"shapes", skp__source_shapes},
};

/* Kinds of folders, in the order in which they are tried. */
static const struct {
  const char *what; /* what was looked for */
  bool (*found)(const char *folder);
  skp_status (*open)(struct skp_source **out, const char *folder, skp_split split);
} kinds[] = {
    {"IDX files (train-images-idx3-ubyte and train-labels-idx1-ubyte, t10k-…; plain or .gz)", skp__source_idx_found,
     skp__source_idx},
    {"CIFAR binary files (data_batch_1.bin … and test_batch.bin, or train.bin and test.bin)", skp__source_cifar_found,
     skp__source_cifar},
    {"image folders (train/CLASS/*.jpg and test/CLASS/*.jpg, or CLASS/*.jpg; or other pictures)",
     skp__source_folder_found, skp__source_folder},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Appends to a text of limited size; what does not fit is cut. */
static void append(char *text, size_t size, const char *more) { strncat(text, more, size - strlen(text) - 1); }

/* The first few names in a folder, for people. */
static void list_folder(char *text, size_t size, const char *folder) {
  enum { SHOWN = 8 };
  struct dirent **entry;
  int n = scandir(folder, &entry, skp__entry_visible, skp__entry_by_name);
  if (n <= 0) append(text, size, n ? "(it cannot be listed)" : "nothing");
  for (int i = 0; i < n; i++) {
    if (i < SHOWN) {
      append(text, size, i ? ", " : "");
      append(text, size, entry[i]->d_name);
    }
    free(entry[i]);
  }
  if (n > SHOWN) append(text, size, ", …");
  if (n >= 0) free(entry);
}

static skp_status fail_folder(const char *folder) {
  char wanted[1024] = "", there[1024] = "";
  for (size_t k = 0; k < COUNT(kinds); k++) {
    append(wanted, sizeof wanted, k ? "; " : "");
    append(wanted, sizeof wanted, kinds[k].what);
  }
  list_folder(there, sizeof there, folder);
  return skp__fail(SKP_FORMAT, "The folder %s holds no data that Skipper knows. Looked for: %s. What lies there: %s.",
                   folder, wanted, there);
}

static skp_status fail_name(const char *data) {
  char names[256] = "";
  for (size_t k = 0; k < COUNT(built_in); k++) {
    append(names, sizeof names, k ? ", " : "");
    append(names, sizeof names, built_in[k].name);
  }
  return skp__fail(SKP_IO, "'%s' is neither a folder nor a built-in data set (there is: %s).", data, names);
}

skp_status skp__source_open(struct skp_source **out, const char *data, skp_split split) {
  *out = NULL;
  for (size_t k = 0; k < COUNT(built_in); k++)
    if (!strcmp(data, built_in[k].name)) return built_in[k].open(out, split);
  if (!skp__folder_exists(data)) return fail_name(data);
  for (size_t k = 0; k < COUNT(kinds); k++)
    if (kinds[k].found(data)) return kinds[k].open(out, data, split);
  return fail_folder(data);
}

void skp__source_destroy(struct skp_source *s) {
  if (!s) return;
  for (int c = 0; s->class_names && c < s->classes; c++) free(s->class_names[c]);
  free(s->class_names);
  free(s->name);
  s->destroy(s);
}

skp_status skp__source_count(const struct skp_source *s, int64_t *of) {
  memset(of, 0, (size_t)s->classes * sizeof *of);
  for (int64_t i = 0; i < s->n; i++) {
    int32_t label;
    SKP_TRY(s->image(s, i, NULL, &label));
    if (label >= 0) of[label]++;
  }
  return SKP_OK;
}

const char *skp__source_name_of(const struct skp_source *s, int64_t i, char *text, size_t size) {
  if (s->name_of) return s->name_of(s, i);
  snprintf(text, size, "#%lld", (long long)i);
  return text;
}

skp_status skp__source_name_by_number(struct skp_source *s) {
  s->numbered = true;
  SKP_TRY(skp__alloc(&s->class_names, (size_t)s->classes, sizeof *s->class_names));
  for (int c = 0; c < s->classes; c++) SKP_TRY(skp__format(&s->class_names[c], "%d", c));
  return SKP_OK;
}
