/* train.h: a training run, from its first step to its end. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_RUN_TRAIN_H
#define SKP_TRAIN_RUN_TRAIN_H

#include "train/checkpoint/resume.h"

struct skp_train_result;
/* Trains as the model's recipe says and tells of each step and each epoch (base/progress.h). *out is how it ended, also
 * where it failed or was stopped: see result.h; skp__result_free. A run that fails before its first step is done leaves
 * no file. Writes log.jsonl, results.csv, config.json, last.safetensors, best.safetensors, state.safetensors. A step
 * that is not finite ends the run with SKP_NUMERIC, or SKP_DEVICE where the device is to blame, and leaves the last
 * good checkpoint, unless the recipe's on_nan has it left out or lets the run go back. */
skp_status skp__train(struct skp_session *s, const struct skp_data *data, const struct skp_train_options *o,
                      struct skp_train_result *out);

#endif
