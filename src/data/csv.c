/* csv.c: a list of pictures with their labels, FILE.csv, as a part of a set. SPDX-License-Identifier: MIT
 *
 * Its first row names the columns, whatever else there is: path (or file, filename, image), relative to where the list
 * lies; label (or class); and, if it likes, split (or set, subset): train, val or test, in the spellings of layout.c.
 * Without that column all pictures are to train on. The classes of a part are those of its rows, sorted by the bytes of
 * their names, as those of folders are. */
#include "base/file.h"
#include "base/utf8.h"
#include "data/layout.h"
#include "data/picture_set.h"
#include "io/table.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What is read of a row. */
enum column { PATH, LABEL, SPLIT, COLUMNS };

static const char *const names_of[COLUMNS][5] = {
    [PATH] = {"path", "file", "filename", "image"},
    [LABEL] = {"label", "class"},
    [SPLIT] = {"split", "set", "subset"},
};

struct list {
  struct skp_table table;
  int column[COLUMNS]; /* -1: there is none */
  const char *file;
};

static const char *cell(const struct list *l, size_t row, enum column which) {
  return skp__table_cell(&l->table, row, l->column[which]);
}

static bool is_called(const struct skp_table *t, int column, const char *name) {
  return !strcasecmp(skp__utf8_unmarked(skp__table_cell(t, 0, column)), name);
}

static int columns(const struct skp_table *t) { return t->rows.n ? (int)t->rows.at[0].cells.n : 0; }

static int find_column(const struct skp_table *t, const char *const *names) {
  for (size_t n = 0; names[n]; n++)
    for (int i = 0; i < columns(t); i++)
      if (is_called(t, i, names[n])) return i;
  return -1;
}

/* Which of two columns of one name is meant, nothing says. */
static skp_status check_once(const struct list *l, int column) {
  const char *name = skp__utf8_unmarked(skp__table_cell(&l->table, 0, column));
  for (int i = column + 1; i < columns(&l->table); i++)
    if (is_called(&l->table, i, name)) return skp__fail(SKP_FORMAT, "%s has two columns %s: leave one.", l->file, name);
  return SKP_OK;
}

static skp_status find_columns(struct list *l) {
  for (int c = 0; c < COLUMNS; c++) {
    l->column[c] = find_column(&l->table, names_of[c]);
    if (l->column[c] >= 0) SKP_TRY(check_once(l, l->column[c]));
  }
  for (int c = PATH; c <= LABEL; c++)
    if (l->column[c] < 0)
      return skp__fail(SKP_FORMAT,
                       "%s has no column %s: its first row names the columns, separated by commas: path, label and, if "
                       "you like, split (train, val, test).",
                       l->file, names_of[c][0]);
  return SKP_OK;
}

static skp_status fail_row(const struct list *l, size_t row, const char *what) {
  return skp__fail(SKP_FORMAT, "%s, row %zu: %s.", l->file, row + 1, what);
}

/* Whether a row is of this part. */
static skp_status belongs(bool *out, const struct list *l, size_t row, skp_split split) {
  const char *word = cell(l, row, SPLIT);
  const int part = l->column[SPLIT] < 0 ? SKP_SPLIT_TRAIN : skp__part_of(NULL, word);
  if (part == SKP_SPLITS) return fail_row(l, row, "the column split says none of train, val and test");
  if (!*cell(l, row, PATH)) return fail_row(l, row, "there is no path");
  if (!*cell(l, row, LABEL)) return fail_row(l, row, "there is no label");
  *out = part == (int)split;
  return SKP_OK;
}

static skp_status list_classes(skp__names *classes, const struct list *l, skp_split split) {
  for (size_t row = 1; row < l->table.rows.n; row++) {
    bool its;
    SKP_TRY(belongs(&its, l, row, split));
    if (its) SKP_TRY(skp__names_add(classes, cell(l, row, LABEL)));
  }
  skp__names_sort(classes);
  return SKP_OK;
}

static skp_status add_row(struct skp__picture_set *set, const struct list *l, size_t row) {
  int32_t label;
  char *path;
  SKP_TRY(skp__picture_set_class_shown(&label, set, cell(l, row, LABEL)));
  SKP_TRY(skp__strdup(&path, cell(l, row, PATH)));
  return skp__picture_set_add(set, path, label);
}

static skp_status add_rows(struct skp__picture_set *set, const struct list *l, skp_split split) {
  skp__names classes = {NULL, 0, 0};
  int32_t label;
  skp_status status = list_classes(&classes, l, split);
  for (size_t i = 0; i < classes.n && status == SKP_OK; i++)
    if (!i || strcmp(classes.at[i], classes.at[i - 1]) != 0)
      status = skp__picture_set_class_shown(&label, set, classes.at[i]);
  for (size_t row = 1; row < l->table.rows.n && status == SKP_OK; row++) {
    bool its;
    status = belongs(&its, l, row, split);
    if (status == SKP_OK && its) status = add_row(set, l, row);
  }
  skp__names_free(&classes);
  return status;
}

static skp_status load(struct skp__picture_set *set, const struct list *l, skp_split split) {
  struct skp__text remarks = {.n = 0};
  SKP_TRY(add_rows(set, l, split));
  if (!set->files.n && split == SKP_SPLIT_TRAIN)
    return skp__fail(SKP_FORMAT, "%s lists no pictures to train on.", l->file);
  SKP_TRY(skp__picture_set_look(set, &remarks));
  return remarks.n ? skp__strdup(&set->base.remarks, remarks.at) : SKP_OK;
}

static skp_status open_list(struct skp_source **out, struct list *l, skp_split split) {
  struct skp__picture_set *set;
  char *root;
  SKP_TRY(skp__table_read(&l->table, l->file));
  if (l->table.fault) return fail_row(l, l->table.fault_row, l->table.fault);
  SKP_TRY(find_columns(l));
  SKP_TRY(skp__path_folder(&root, l->file));
  skp_status status = skp__picture_set_create(&set, l->file, root, l->file);
  free(root);
  SKP_TRY(status);
  set->base.gathered = true;
  status = load(set, l, split);
  if (status == SKP_OK && set->base.n)
    *out = &set->base;
  else
    skp__source_destroy(&set->base);
  return status;
}

skp_status skp__source_csv(struct skp_source **out, struct skp__site *site, skp_split split) {
  const char *file = site->path;
  struct list l = {.file = file};
  *out = NULL;
  skp_status status = open_list(out, &l, split);
  skp__table_free(&l.table);
  return status;
}

skp_status skp__source_csv_found(bool *out, const char *file) {
  const size_t n = strlen(file);
  *out = n >= 4 && !strcasecmp(file + n - 4, ".csv") && skp__file_exists(file) && !skp__folder_exists(file);
  return SKP_OK;
}
