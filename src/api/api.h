/* api.h: what is behind the handles of skipper.h. SPDX-License-Identifier: MIT */
#ifndef SKP_API_API_H
#define SKP_API_API_H

#include "backend/backend.h"
#include "base/array.h"
#include "ranks/ranks.h"
#include "skipper/run.h"
#include "skipper/tools.h"
#include "train/checkpoint/resume.h"
#include "train/evaluate/metrics.h"
#include "train/measure/bench.h"
#include "train/measure/find_lr.h"
#include "train/run/train.h"
#include <stdatomic.h>

/* As the library's users see them. */
skp_peaks skp__api_peaks(const struct skp_backend_peaks *p);

struct skp_api_data {
  struct skp_source *part[SKP_SPLITS]; /* NULL: there are no such images */
  char *name;                          /* by which they were opened; NULL: they are in memory */
  bool floats;                         /* its images are */
  int64_t max_damaged;                 /* images that are borne; SKP_DAMAGE_USUAL: a few */
  int64_t told[SKP_SPLITS];            /* damaged ones of which was told */
};

struct skp_api_model {
  struct skp_model *m;
  SKP_ARRAY(char *) texts;           /* "NAME\0VALUE" */
  SKP_ARRAY(struct skp_setting) set; /* pieces of `texts` */
  struct skp_labels labels;          /* names NULL: it has not learned any */
  char *weights;                     /* the checkpoint that it came from; NULL: it begins anew */
  struct skp_st_file *read;          /* its content, until the first session has taken it; NULL: it is read again */
  bool partly;                       /* it may lack some weights, or have them of other shapes */
  FILE *report;                      /* then it is said which, here; NULL: nowhere */
  bool resumed;                      /* its weights are those of the run that goes on */
  bool own_mean, own_std;            /* skp_model_set said them */
};

struct skp_api_session {
  struct skp_session *s;
  skp_model *model;
  skp_device *device;
  atomic_int stop;
  bool trained;                  /* the device still has what an optimizer remembered */
  struct skp_api_report *report; /* NULL: there is none */
  struct skp_lr_curve curve;     /* of the latest search */
  struct skp__bench bench;       /* the latest */
};

/* Itself whole: the images and the classes that it speaks of may go. */
struct skp_api_report {
  struct skp_report r;
  int known;                          /* classes that have a name */
  char **class_names;                 /* [r.classes] */
  char **image_names;                 /* [r.worsts] */
  struct skp_prediction *predictions; /* [r.worsts] */
  char **unknown;                     /* [unknowns] classes that the network does not know */
  int unknowns;
};

/* The ranks behind a handle; NULL: a process alone. */
struct skp_ranks *skp__api_ranks(const skp_ranks *handle);

/* A report on the predictions for the images of a source; `r` is taken over, also after a failure. */
skp_status skp__api_report(struct skp_api_report **out, struct skp_report *r, const struct skp_prediction *predictions,
                           const struct skp_source *source, const struct skp_class_names *names);
void skp__api_report_free(struct skp_api_report *r); /* NULL is fine */

/* While a session trains, the listener of this thread can stop it; NULL: none does. */
void skp__api_hears(skp_session *session);

/* Lets go of the file of weights, and of whom it was to be told to. */
void skp__api_forget_read(skp_model *model);
/* Adds "NAME=VALUE", a copy. */
skp_status skp__api_setting(skp_model *model, const char *name, const char *value);
/* The same of all that was said, up to NULL, and of the name of a network, which becomes its file's. */
skp_status skp__api_settings(skp_model *model, const char *const *said, const char **file);
/* Threads that load images. */
int skp__api_workers(int said);

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
