/* sets.h: what a run makes of its data. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_PREPARE_SETS_H
#define SKP_TRAIN_PREPARE_SETS_H

#include "train/checkpoint/options.h"

struct skp__sets {
  struct skp_data data;             /* what is trained on, judged by and tested with */
  const struct skp_source *learned; /* the set that names the classes, and says of what kind they are */
  const struct skp_source *whole;   /* data.train and data.valid are dealt from it; NULL: they are parts of their own */
  const struct skp_source *unsorted[2]; /* in place of valid and test: images of none of the classes */
  bool unasked;                         /* some images were held out although nothing was said of that */
  bool too_few;                         /* none were, as no class has enough */
  struct skp_source *own[4];            /* views that were made */
};

/* Gives the parts of a set the labels of the classes that are learned, and holds out images to judge by where the
 * recipe says so, or where it leaves that open and somebody's own pictures have no other part that can judge; the
 * recipe says from then on how many. NULL parts: there are none. The parts stay the caller's and must outlive what is
 * made of them. */
skp_status skp__sets_make(struct skp__sets *out, struct skp_recipe *r, struct skp_source *const part[SKP_SPLITS],
                          const struct skp_train_options *o);
void skp__sets_free(struct skp__sets *s); /* also after a failure */

#endif
