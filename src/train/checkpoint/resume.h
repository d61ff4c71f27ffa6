/* resume.h: going on with a run that is at rest. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_CHECKPOINT_RESUME_H
#define SKP_TRAIN_CHECKPOINT_RESUME_H

#include "train/checkpoint/options.h"
#include <cjson/cJSON.h>

struct skp_resume { /* DIR/state.safetensors */
  char *path;
  struct skp_model *model; /* with the run's recipe */
  struct skp_setting *set;
  size_t sets;
  uint64_t seed; /* these as in skp_train_options */
  int64_t max_steps;
  int64_t epochs; /* that it was to have */
  bool shuffle;
  const char *shares; /* the run's; NULL: all ranks have as many, or it is alone */
  int64_t max_damaged;
  char *data; /* where they lay, from the root of the file system; NULL: nowhere, or an earlier build did not say */
  struct skp_save_options save;
  struct skp_st_file file;
  cJSON *run, *position, *settings;
};
skp_status skp__resume_open(struct skp_resume **out, const char *dir);
void skp__resume_close(struct skp_resume *r); /* NULL is fine */
/* SKP_USAGE that lists the differences, if the run was another. Epochs, limits, saving
 * and where the data lie may differ. */
skp_status skp__resume_check(const struct skp_resume *r, const struct skp_model *m, const struct skp_data *data,
                             const struct skp_train_options *o);
/* *steps: how many the run has done if it has nothing left to do, else -1. */
skp_status skp__resume_finished(const struct skp_resume *r, const struct skp_recipe *recipe, int64_t max_steps,
                                int64_t *steps);
/* The name of the device that the run was on. */
const char *skp__resume_device(const struct skp_resume *r);

#endif
