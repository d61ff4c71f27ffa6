/* metadata.h: what a checkpoint says beside its weights: enough to build the network again.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_CHECKPOINT_METADATA_H
#define SKP_TRAIN_CHECKPOINT_METADATA_H

#include "io/safetensors.h"
#include "train/checkpoint/checkpoint.h"
#include <cjson/cJSON.h>

struct skp__metadata {
  struct skp_st_meta at[16];
  size_t n;
};
/* Values are fresh memory; skp__metadata_free, also after a failure. */
skp_status skp__metadata_make(struct skp__metadata *out, const struct skp_model *m,
                              const struct skp_checkpoint_extra *extra);
void skp__metadata_free(struct skp__metadata *m);
/* One more entry: a text, or a JSON value, which is taken over. */
skp_status skp__metadata_text(struct skp__metadata *m, const char *key, const char *value);
skp_status skp__metadata_json(struct skp__metadata *m, const char *key, cJSON *json);

/* Adds a finite number that reads back to the same bits. */
bool skp__json_number(cJSON *object, const char *name, double x);
/* A recipe as a JSON object: numbers as numbers, lists as lists. NULL when out of memory. */
cJSON *skp__recipe_json(const struct skp_recipe *r);
/* Settings as an object of texts; NULL likewise. */
cJSON *skp__settings_json(const struct skp_setting *set, size_t sets);
/* The other way round: *out is fresh memory that points into `json`; `path` is for errors. */
skp_status skp__settings_read(struct skp_setting **out, size_t *n, const cJSON *json, const char *path);

/* What a file says of mean and std of pixels: nothing, as others than Skipper do; those
 * of the recipe's channels; those of others. */
enum skp__pixels { SKP__PIXELS_UNSAID, SKP__PIXELS_FIT, SKP__PIXELS_DIFFER };
/* Hands them on where they fit. */
skp_status skp__metadata_pixels(const struct skp_inherit *to, enum skp__pixels *its, const struct skp_st_file *f,
                                const char *path);
/* The model that a file's metadata describe; see skp__checkpoint_model. */
skp_status skp__metadata_model(struct skp_model **out, struct skp_labels *labels, const struct skp_st_file *f,
                               const char *path);

#endif
