/* parts.h: how many images go through the network at once in training. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_PARTS_H
#define SKP_TRAIN_PARTS_H

#include "model/model.h"

struct skp__parts {
  int64_t images, batch; /* of a whole epoch, of a step */
  int64_t parts;         /* into which a step is cut, at most */
  char layer[256];       /* a batchnorm that no part of one image may reach; "": there is none */
};

/* As the recipe says, for a set of so many images. SKP_USAGE, with what helps, if a part
 * of a full step had one image and may not. */
skp_status skp__parts_plan(struct skp__parts *p, const struct skp_model *m, int64_t images);
/* Images of a step that is not an epoch's last. */
int64_t skp__parts_full(const struct skp__parts *p);
/* Images of a part, all but a step's last. */
int64_t skp__parts_size(const struct skp__parts *p);
/* Images that an epoch takes: all, or all but one that would be alone. */
int64_t skp__parts_epoch(const struct skp__parts *p);
/* Cuts steps into smaller parts; false if they are as small as they can be. */
bool skp__parts_cut(struct skp__parts *p);

#endif
