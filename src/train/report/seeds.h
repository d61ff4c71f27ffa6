/* seeds.h: runs that differ in nothing but their seeds, as one. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_REPORT_SEEDS_H
#define SKP_TRAIN_REPORT_SEEDS_H

#include "train/report/folder.h"

enum skp__holds { SKP_HOLDS_NOTHING, SKP_HOLDS_RUN, SKP_HOLDS_SEEDS };

/* The run in a folder, or those in its folders seed-1, seed-2, … */
struct skp_seeds {
  const char *path;       /* the caller's */
  struct skp_folder *run; /* [n], or NULL: not read */
  char **folder;          /* [n]: where each is */
  size_t n;
  enum skp__holds holds;
};
/* Where they are; what has not begun is left out. Where there is none yet it is the folder itself.
 * skp__seeds_free also after a failure. */
skp_status skp__seeds_find(struct skp_seeds *out, const char *path);
/* Reads them, too. */
skp_status skp__seeds_open(struct skp_seeds *out, const char *path);
void skp__seeds_free(struct skp_seeds *t);

/* Figures of several runs; n 0: no run has any. */
struct skp__spread {
  size_t n;
  double median, mean, least, most;
  double half; /* of the interval around the mean in which the true one lies 95 of 100 times (Student); NaN: n is 1 */
  double variance;
};
/* Of the best accuracies, 0 to 1. */
skp_status skp__spread_of(struct skp__spread *out, const struct skp_folder *run, size_t runs);
/* Half of that interval around the difference of two means (Welch); NaN: one of them is of a single run. */
double skp__spread_difference(const struct skp__spread *a, const struct skp__spread *b);

/* compare.c: what differs between runs, or several of each, and their figures. */
skp_status skp__compare_print(FILE *to, const struct skp_seeds *run, size_t runs);

#endif
