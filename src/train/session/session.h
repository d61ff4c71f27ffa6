/* session.h: a network on a device: its values there, and plans for the batch sizes in use.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_SESSION_SESSION_H
#define SKP_TRAIN_SESSION_SESSION_H

#include "data/loader.h"
#include "model/model.h"
#include "plan/plan.h"
#include "ranks/ranks.h"

/* The graphs that a network has, for N images. */
typedef enum skp_step {
  SKP_STEP_EVAL,  /* forward: logits that the host can read */
  SKP_STEP_TRAIN, /* forward, loss, gradients, update */
  SKP_STEP_MICRO, /* of a step in micro-batches: forward, loss, gradients, which are added up */
  SKP_STEP_UPDATE /* and its update; N does not count */
} skp_step;

/* One of them, to the last choice. */
struct skp__variant {
  skp_step step;
  int64_t N;
  bool bytes;    /* images come as bytes (data/loader.h); not of UPDATE */
  bool averaged; /* of EVAL: the running averages of the weights are evaluated */
  bool synced;   /* of MICRO: batchnorms learn from the images of all ranks */
};
skp_status skp__step_graph(struct skp_graph **out, const struct skp_model *m, const struct skp__variant *of);

struct skp__session_plan {
  struct skp__variant of;
  struct skp_plan *plan;
};

struct skp_session {
  const struct skp_model *model;
  struct skp_backend *b;
  struct skp_store *store;
  struct skp_buffer *params, *state; /* the store's; state NULL where the model has none */
  int64_t params_n, state_n;         /* elements */
  struct skp_ranks *ranks;           /* with which it trains and evaluates; NULL: alone */
  const char *shares;                /* of a step's images, see shares.h; NULL: all ranks have as many */
  bool led;                          /* ranks' devices round differently: weights are the first one's, see lead.h */
  /* What holds of the values from one call to the next, whoever looks at them: */
  bool moved;    /* some were put in since the last step: skp__session_begin then sets right what goes with them */
  bool averaged; /* those that count, for evaluation and checkpoints, are the running averages */
  SKP_ARRAY(struct skp__session_plan) plans;
};

/* `m` and `b` stay the caller's and must outlive the session. */
skp_status skp__session_create(struct skp_session **out, const struct skp_model *m, struct skp_backend *b);
void skp__session_destroy(struct skp_session *s);
/* The plan of such a graph, made at the first call, then kept. */
skp_status skp__session_plan(struct skp_session *s, struct skp_plan **out, const struct skp__variant *of);
/* Gives the memory of all plans back; values stay. */
void skp__session_forget_plans(struct skp_session *s);
/* Initial values from a seed. */
skp_status skp__session_init(struct skp_session *s, uint64_t seed);
/* The host's copies of params and state, from the device (their averages where a run keeps them) and to it, where they
 * take the place of averages, too. */
skp_status skp__session_pull(struct skp_session *s, float **params, float **state);
skp_status skp__session_push(struct skp_session *s, const float *params, const float *state);
/* The values of one weight (skp__is_weight) of the model, in the layout of files. */
skp_status skp__session_read(struct skp_session *s, const struct skp_tensor *t, float *file);
skp_status skp__session_write(struct skp_session *s, const struct skp_tensor *t, const float *file);
/* What the update reads in step t (from 1). */
struct skp_hyper skp__session_hyper(const struct skp_recipe *recipe, double lr, int64_t t);

/* Whether those images come as bytes. */
bool skp__session_bytes(const struct skp_recipe *r, const struct skp_source *source, bool training);
/* What a loader of them must know of a recipe: that, normalisation, and augmentation if it is for training. */
void skp__session_loading(struct skp_loader_options *o, const struct skp_recipe *r, const struct skp_source *source,
                          bool training);

/* Adds to the present error text, which says that the device has too little memory for such a step, what the step takes
 * and what would help. Returns `status`. */
skp_status skp__session_fail_memory(const struct skp_session *s, skp_status status, const struct skp__variant *of);

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
