/* values.h: the flat values of a run, on the host. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_SESSION_VALUES_H
#define SKP_TRAIN_SESSION_VALUES_H

#include "io/safetensors.h"
#include "train/session/session.h"
#include <stdatomic.h>

struct skp__values {
  struct skp_st_tensor *at; /* a row for a buffer of the store, with its name */
  size_t n;
  atomic_int *holders; /* how many hold these rows */
};
/* Copies of all that a run must keep; of those alone that checkpoints take. */
skp_status skp__values_pull(struct skp__values *out, struct skp_session *s);
skp_status skp__values_pull_weights(struct skp__values *out, struct skp_session *s);
skp_status skp__values_push(const struct skp__values *v, struct skp_session *s);
/* Those among them that checkpoints take for the parameters, or for the state; NULL: the model has none. */
const float *skp__values_weights(const struct skp__values *v, const struct skp_session *s, skp_role role);
/* Whether a run keeps the store's buffer of that name. Gradients are none of it: each step makes them anew. */
bool skp__values_kept(const char *name);
/* SKP_NUMERIC, with the buffer and the weight, where one is not finite. */
skp_status skp__values_check(const struct skp__values *v, const struct skp_model *m);
/* Holds the same ones, which nobody changes from now on; other threads may, too. */
void skp__values_share(struct skp__values *out, const struct skp__values *v);
/* Holds them no longer; the last one frees them. */
void skp__values_free(struct skp__values *v);

#endif
