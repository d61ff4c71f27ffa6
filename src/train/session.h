/* session.h: a session's inside, shared by the files of this folder. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_SESSION_H
#define SKP_TRAIN_SESSION_H

#include "train/train.h"

struct skp__session_plan {
  int64_t N;
  skp_step step;
  bool averaged, bytes;
  struct skp_plan *plan;
};

struct skp_session {
  const struct skp_model *model;
  struct skp_backend *b;
  struct skp_store *store;
  struct skp_buffer *params, *state; /* the store's; state NULL where the model has none */
  int64_t params_n, state_n;         /* elements */
  bool moved;                        /* values were put in since the last step */
  bool averaged;                     /* evaluation and checkpoints take the running averages instead */
  bool bytes;                        /* steps take images as bytes, see loader.h */
  SKP_ARRAY(struct skp__session_plan) plans;
};

/* Whether those images come as bytes. */
bool skp__session_bytes(const struct skp_recipe *r, const struct skp_source *source, bool training);
/* What a loader of them must know of a recipe: that, normalisation, and augmentation if it is for training. */
void skp__session_loading(struct skp_loader_options *o, const struct skp_recipe *r, const struct skp_source *source,
                          bool training);

/* Adds to the present error text, which says that the device has too little memory for such a step of N images, what
 * the step takes and what would help. Returns `status`. */
skp_status skp__session_fail_memory(const struct skp_session *s, skp_status status, int64_t N, skp_step step);

/* The same where not even the weights fit. */
skp_status skp__session_fail_weights(const struct skp_session *s, skp_status status);

/* Where the store has the flat weights of that role (PARAM or STATE) that evaluation and checkpoints take: the values
 * themselves, or their averages. */
skp_port skp__session_port(const struct skp_session *s, skp_role role);

/* Before a step: what it works on beside the values is as if there were no earlier ones. */
skp_status skp__session_begin(struct skp_session *s);

/* Waits until nothing queued uses host memory any more, if `status` is a failure, and returns it with its text. */
skp_status skp__session_settle(struct skp_session *s, skp_status status);

#endif
