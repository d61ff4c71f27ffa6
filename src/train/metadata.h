/* metadata.h: what a checkpoint says beside its weights: enough to build the network again. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_METADATA_H
#define SKP_TRAIN_METADATA_H

#include "io/safetensors.h"
#include "train/train.h"
#include <cjson/cJSON.h>

struct skp__metadata {
  struct skp_st_meta at[8];
  size_t n;
};
/* Values are fresh memory; skp__metadata_free, also after a failure. */
skp_status skp__metadata_make(struct skp__metadata *out, const struct skp_model *m,
                              const struct skp_checkpoint_extra *extra);
void skp__metadata_free(struct skp__metadata *m);

/* A recipe as a JSON object: numbers as numbers, lists as lists. NULL when out of memory. */
cJSON *skp__recipe_json(const struct skp_recipe *r);
/* Settings as an object of texts. */
cJSON *skp__settings_json(const struct skp_setting *set, size_t sets);

#endif
