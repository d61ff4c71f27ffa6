/* pictures.h: image files as a source of images. SPDX-License-Identifier: MIT */
#ifndef SKP_DATA_PICTURES_H
#define SKP_DATA_PICTURES_H

#include "base/array.h"
#include "data/source.h"
#include <pthread.h>
#include <stdio.h>

struct skp__picture {
  char *path;
  char *error;    /* why it cannot be read; NULL: it can */
  skp_status why; /* the kind of that error */
  bool spoilt;    /* it can, but nothing can be made of it */
  bool dark_on_light;
};

struct skp__pictures {
  struct skp_source base;
  bool invert;          /* dark becomes light */
  pthread_mutex_t lock; /* guards what is noted of files */
  SKP_ARRAY(struct skp__picture) files;
};

/* The files, and those with the ending of an image in the folders and the folders in them (see data/walk.h), by their
 * paths; what else lies there is said to `say` (NULL: to nobody). Each is delivered with `channels` channels; one that
 * cannot be read is black, and says so in its `error`. skp__pictures_free also after a failure. */
skp_status skp__pictures_open(struct skp__pictures *out, const char *const *names, size_t n, int channels, bool invert,
                              FILE *say);
void skp__pictures_free(struct skp__pictures *p);

#endif
