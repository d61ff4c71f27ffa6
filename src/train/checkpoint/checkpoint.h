/* checkpoint.h: files of weights, from which the network can be built again. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_CHECKPOINT_CHECKPOINT_H
#define SKP_TRAIN_CHECKPOINT_CHECKPOINT_H

#include "data/source.h"
#include "io/safetensors.h"
#include "train/session/session.h"

/* Weights as PyTorch names and lays them out (and num_batches_tracked for every batchnorm); in the metadata: "skipper"
 * (version), "model_name", "model_source", "settings" (JSON), "recipe" (JSON: all of it), "classes"
 * (JSON list), "data_kind" (as in skp_source, where there is one). */
struct skp_checkpoint_extra {
  const struct skp_setting *set;
  size_t sets;
  char **class_names;
  int classes;
  const char *kind; /* of the data: see skp_source */
  int64_t steps;    /* num_batches_tracked */
};
skp_status skp__checkpoint_save(const char *path, struct skp_session *s, const struct skp_checkpoint_extra *extra);
/* The same from values on the host, as skp__session_pull gives them, which are finite; SKP_NUMERIC: they are not. */
skp_status skp__checkpoint_write(const char *path, const struct skp_model *m, const struct skp_checkpoint_extra *extra,
                                 const float *params, const float *state);
skp_status skp__checkpoint_check(const struct skp_model *m, const float *params, const float *state);
/* Loads weights by name. `strict`: anything missing or of another shape is an error that lists it; else what did not
 * match is said in lines to `report` (NULL: nowhere). */
skp_status skp__checkpoint_load_weights(const char *path, struct skp_session *s, bool strict, FILE *report);
/* The same of a file that was read: skp__checkpoint_read. `path` is its name in errors. */
skp_status skp__checkpoint_take(const struct skp_st_file *file, const char *path, struct skp_session *s, bool strict,
                                FILE *report);
/* What a recipe takes on from a checkpoint of Skipper: the mean and the std of pixels with which it was trained. */
struct skp_inherit {
  struct skp_recipe *recipe;
  bool mean, std;
};
/* The same, not strict, for a run that begins with them; what was done is said in `report` (NULL: nowhere). */
skp_status skp__checkpoint_init(const struct skp_st_file *file, const char *path, struct skp_session *s,
                                const struct skp_inherit *pixels, FILE *report);
/* Whether a path is the folder of a run with weights, or a file of weights, rather than a model file. */
bool skp__checkpoint_found(const char *path);
/* Whether it is a run's folder without best weights, which stands for its last ones. */
bool skp__checkpoint_latest(const char *path);
/* Reads the file that a path means, of whatever kind (io/weights.h): itself, or in a run's folder its best weights,
 * else its last ones. */
skp_status skp__checkpoint_read(struct skp_st_file *out, const char *said);
/* Rebuilds the model from a checkpoint's metadata, and what it knows of its classes
 * (labels may be NULL; skp__labels_free). */
skp_status skp__checkpoint_model(struct skp_model **out, struct skp_labels *labels, const char *path);
/* At least the size of its file. */
int64_t skp__checkpoint_bytes(const struct skp_model *m);

#endif
