/* siblings.h: the runs in the folders beside a run's that are to differ from it in nothing but their seeds.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_RUN_SIBLINGS_H
#define SKP_TRAIN_RUN_SIBLINGS_H

#include "train/run/aside.h"

struct skp__siblings {
  SKP_ARRAY(struct skp__aside) moved;
};
/* Sets those aside that were made in another way: whatever is in those folders counts as the same measurement, made
 * several times. `config`: what the run in `out` says of itself; `folder`: all of them, it may be among them. What was
 * done is said in `say` (NULL: nowhere). skp__siblings_free also after a failure. */
skp_status skp__siblings_set_aside(struct skp__siblings *s, const char *out, const char *config,
                                   const char *const *folder, size_t n, FILE *say);
/* They lie where they were again. */
void skp__siblings_back(const struct skp__siblings *s);
void skp__siblings_free(struct skp__siblings *s);

#endif
