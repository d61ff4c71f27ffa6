/* api.h: what is behind the handles of skipper.h. SPDX-License-Identifier: MIT */
#ifndef SKP_API_API_H
#define SKP_API_API_H

#include "backend/backend.h"
#include "base/array.h"
#include "skipper/skipper.h"
#include "train/train.h"
#include <stdatomic.h>

struct skp_api_data {
  struct skp_source *part[SKP_SPLITS]; /* NULL: there are no such images */
  char *name;                          /* by which they were opened; NULL: they are in memory */
  bool floats;                         /* its images are */
};

struct skp_api_model {
  struct skp_model *m;
  SKP_ARRAY(char *) texts;           /* "NAME\0VALUE" */
  SKP_ARRAY(struct skp_setting) set; /* pieces of `texts` */
  struct skp_labels labels;          /* names NULL: it has not learned any */
  char *weights;                     /* the checkpoint that it came from; NULL: it begins anew */
  bool partly;                       /* which may lack some, or have them of other shapes */
};

struct skp_api_session {
  struct skp_session *s;
  skp_model *model;
  skp_device *device;
  atomic_int stop;
  bool trained; /* the device still has what an optimizer remembered */
};

/* What a checkpoint of the model says beside weights. */
struct skp_checkpoint_extra skp__api_extra(const skp_model *model);
/* Notes what the classes of `s` are called. */
skp_status skp__api_learn_names(skp_model *model, const struct skp_source *s);
/* The source that pixels are; labels may be NULL. */
skp_status skp__api_pixels(struct skp_source **out, const skp_pixels *p, const int32_t *labels, int classes,
                           const char *const *names);
/* The images of a part; SKP_FORMAT if there are none. */
skp_status skp__api_part(const struct skp_source **out, const skp_data *data, skp_part part);

#endif
