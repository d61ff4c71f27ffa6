/* folder.h: what a run left in its folder, read back. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_REPORT_FOLDER_H
#define SKP_TRAIN_REPORT_FOLDER_H

#include "io/table.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

struct skp_folder {
  const char *path; /* the caller's */
  cJSON *config;
  struct skp_table results, confusion, classes, worst, confused, layers;
  struct skp_table steps; /* "step", "loss", "lr": of log.jsonl, a long one thinned out to means of neighbours */
};

/* SKP_IO or SKP_FORMAT: it is no run. skp__folder_free also after a failure. */
skp_status skp__folder_read(struct skp_folder *out, const char *path);
void skp__folder_free(struct skp_folder *f);
/* A text or number of config.json, or of an object in it, in words; "" where it is not there. */
const char *skp__folder_said(char *text, size_t size, const cJSON *object, const char *name);
/* The row of results.csv with the highest accuracy, or else the lowest loss; 0: there is none. */
size_t skp__folder_best(const struct skp_folder *f);

/* Who knows on what the prediction of image i of a source rests, by the best weights of a run: *png is a picture of
 * that, free() it. It is asked run by run. */
struct skp_source;
struct skp__page_why {
  skp_status (*draw)(void *user, const struct skp_folder *run, const struct skp_source *s, int64_t i, void **png,
                     size_t *size);
  void *user;
};
/* page.c: writes one page about the runs: curves, recipes, classes, pictures. It needs nothing but itself. `reload`: it
 * loads itself again every few seconds. why NULL: nobody does. */
skp_status skp__page_write(const char *path, const struct skp_folder *run, size_t runs, bool reload,
                           const struct skp__page_why *why);
/* page/files.c: writes each of its figures as NAME.svg into a folder, which is made. */
skp_status skp__page_files(const char *folder, const struct skp_folder *run, size_t runs);

#endif
