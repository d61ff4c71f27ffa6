/* page.h: pieces of the page about runs (folder.h) that several files write. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_REPORT_PAGE_PAGE_H
#define SKP_TRAIN_REPORT_PAGE_PAGE_H

#include "graph/graph.h"
#include "model/model.h"
#include "train/report/folder.h"
#include <stdbool.h>

/* A text as HTML shows it. */
void skp__page_text(FILE *to, const char *text);
/* A table that sorts by a click, folded away under its caption: what is written between these two are its rows. */
void skp__page_begin_table(FILE *to, const char *caption, const char *const *column, size_t n);
void skp__page_end_table(FILE *to);
/* The same of a whole table, its first row the names of the columns; `most` rows of it at most. */
void skp__page_table(FILE *to, const char *caption, const struct skp_table *t, size_t most);

/* Begins a figure, which ends with </svg>: for the page, or alone, a file. `label`: a text without <, & and quotes. */
void skp__page_begin_svg(FILE *to, const char *label, int width, int height, bool alone);
extern const char skp__page_colours[]; /* the style sheet of all figures, in light and dark */

/* figures.c: curves of all runs, by a column over the epochs, or over the steps. */
struct skp__page_curve {
  const char *file, *title, *column;
  bool steps;
};
extern const struct skp__page_curve skp__page_all_curves[]; /* title NULL ends them */
/* The figure alone; false: there are no numbers, and nothing was written. */
bool skp__page_curve(FILE *to, const struct skp__page_curve *curve, const struct skp_folder *run, size_t runs,
                     bool alone);
/* With its title and legend. */
void skp__page_curves(FILE *to, const struct skp__page_curve *curve, const struct skp_folder *run, size_t runs);
/* pictures.c: the images of a run's tables, where they lie. */
struct skp__page_images {
  const struct skp_folder *run;
  struct skp_source *s; /* NULL: they are not to be had */
};
void skp__page_images_open(struct skp__page_images *out, const struct skp_folder *run);
void skp__page_images_close(struct skp__page_images *images);
/* Those that are kept of a class that was taken for another one. */
void skp__page_pair(FILE *to, const struct skp__page_images *images, const char *is, const char *taken);
/* Those with the highest loss. */
skp_status skp__page_worst(FILE *to, const struct skp__page_images *images, const struct skp__page_why *why);
/* The same two as figures of files; false: there are no such images. */
bool skp__page_confused_sheet(FILE *to, const struct skp_folder *run);
bool skp__page_worst_sheet(FILE *to, const struct skp_folder *run);
/* command.c: the command that trains such a run again. m: its network; NULL: there is no checkpoint yet. */
void skp__page_command(FILE *to, const struct skp_folder *run, const struct skp_model *m);
/* classes.c: which classes are taken for which. */
void skp__page_confusion(FILE *to, const struct skp__page_images *images);

/* network.c: a network as a column of blocks with their operations, shapes and parameters, and of the ways past
 * them. */
void skp__page_network(FILE *to, const struct skp_graph *g, bool alone);
/* What a run trained; false: it has no weights, or they are of another version, and it is shown without its layers. */
bool skp__page_model(struct skp_model **out, const struct skp_folder *run);
/* times.c: how long each layer's work takes, where layers.csv tells. */
void skp__page_times(FILE *to, const struct skp_folder *run);
bool skp__page_bars(FILE *to, const struct skp_folder *run, bool alone); /* the figure alone; false: none */
/* matrix.c: the confusion matrix as a figure; false: there is none, or it is too large to be seen. */
bool skp__page_matrix(FILE *to, const struct skp_folder *run);

#endif
