/* state.h: a training run at rest, from which it goes on to the same bits. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_CHECKPOINT_STATE_H
#define SKP_TRAIN_CHECKPOINT_STATE_H

#include "train/checkpoint/metadata.h"
#include "train/checkpoint/position.h"
#include "train/session/values.h"

/* Adds how many ranks a run has, and of which a step's images, if there are several; false: out of memory. */
bool skp__describe_ranks(cJSON *to, const struct skp_train_options *o);

/* What a run is made of, as JSON: all that must be the same when it goes on, and its limits. free() it. */
skp_status skp__state_describe(char **out, const struct skp_model *m, const struct skp_data *data,
                               const struct skp_train_options *o);

/* state.safetensors holds a run's values and, as metadata, what a checkpoint's say, `run` as described, where it stands
 * and its methods. It is whole in itself: no other file of the run is needed to go on, so none has to be of the same
 * moment. */
skp_status skp__state_metadata(struct skp__metadata *meta, struct skp_session *s,
                               const struct skp_checkpoint_extra *extra, const char *run,
                               const struct skp__position *at);
/* Writes the file, with a checksum of each tensor and each entry. */
skp_status skp__state_write(const char *path, const struct skp__values *v, struct skp__metadata *meta);

/* Has the plans take the methods that the run had, on the same device: another one makes other bits. Before any plan is
 * made. A state of an earlier build names none. */
skp_status skp__state_recall(const struct skp_resume *r, struct skp_session *s);
/* Puts a state's values back. The training plans must have been made: they have made the store's buffers. */
skp_status skp__state_restore(const struct skp_resume *r, struct skp_session *s);
/* At least the size of the file. */
skp_status skp__state_bytes(int64_t *out, const struct skp_model *m);

#endif
