/* methods.h: which method each call of a network was given, so that its other plans, and a run that goes on, give it
 * the same: another one makes other bits. A device's options come first, then what is noted here, then its own choice.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_PLAN_METHODS_H
#define SKP_PLAN_METHODS_H

#include "backend/backend.h"
#include "base/array.h"
#include "base/text.h"

struct skp__method_note {
  uint64_t key; /* of the call */
  char *method;
};

enum { SKP_METHODS_NAMED = 3, SKP_METHODS_MOST = 20000 /* that a state is believed */ };
struct skp__methods {
  SKP_ARRAY(struct skp__method_note) notes; /* of ops that have more than one */
  int missed;                               /* calls whose method could not be had again */
  struct skp__text names; /* of the first of them: "conv2d 64×…, by winograd (does not compile), now direct; …" */
};

/* Prepares `sig` by the method that is noted, or by another, which then is noted in its place. */
skp_status skp__methods_prepare(struct skp__methods *m, struct skp_backend *b, struct skp_prepared **out,
                                const struct skp_sig *sig);
skp_status skp__methods_note(struct skp__methods *m, uint64_t key, const char *method);
void skp__methods_free(struct skp__methods *m);

#endif
