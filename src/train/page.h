/* page.h: pieces of the page about runs (folder.h) that several files write. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_PAGE_H
#define SKP_TRAIN_PAGE_H

#include "train/folder.h"
#include <stdbool.h>

/* A text as HTML shows it. */
void skp__page_text(FILE *to, const char *text);
/* A table that sorts by a click, folded away under its caption: what is written between these two are its rows. */
void skp__page_begin_table(FILE *to, const char *caption, const char *const *column, size_t n);
void skp__page_end_table(FILE *to);
/* The same of a whole table, its first row the names of the columns; `most` rows of it at most. */
void skp__page_table(FILE *to, const char *caption, const struct skp_table *t, size_t most);

/* page_figures.c: curves of all runs, by a column over the epochs, or over the steps. */
struct skp__page_curve {
  const char *title, *column;
  bool steps;
};
void skp__page_curves(FILE *to, const struct skp__page_curve *curve, const struct skp_folder *run, size_t runs);
/* page_classes.c: of one run: which classes are taken for which, and the worst images. */
void skp__page_confusion(FILE *to, const struct skp_folder *run);
skp_status skp__page_pictures(FILE *to, const struct skp_folder *run);

#endif
