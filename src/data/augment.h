/* augment.h: random views of the training images. A view is drawn first, a pure function of (seed, epoch, sample), then rendered, which
 * knows no chance: so neither threads nor their order change a batch. SPDX-License-Identifier: MIT */
#ifndef SKP_DATA_AUGMENT_H
#define SKP_DATA_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

/* What may happen to an image; zeros: nothing. */
struct skp_augment {
  bool crop;         /* a window at random, else in the middle */
  int crop_padding;  /* pixels by which it may reach beyond each edge */
  bool crop_reflect; /* what lies there mirrors the image, else it is black */
  bool flip;         /* left and right change places, half the time */
  double mixup;      /* alpha of the Beta distribution of the shares in pairs of images; 0: images stay apart */
  int cutout;        /* side of a square, somewhere, that becomes the mean colour (DeVries and Taylor 2017); 0: none */
};

enum { SKP_LEVELS = 256 };

struct skp_image; /* data.h */

struct skp__box {
  int top, left, height, width;
};

/* How an image becomes an input of H × W pixels. */
struct skp__view {
  int H, W;
  int top, left; /* of the window in the image; it may reach beyond it */
  bool mirror, reflect;
  struct skp__box hole; /* in the input; within it */
};

/* Draws the view of a sample in an epoch, for images of the size of `image`. */
void skp__view_draw(struct skp__view *v, int H, int W, const struct skp_image *image, const struct skp_augment *a,
                    uint64_t seed, int64_t epoch, int64_t sample);

/* Writes the view as {H, W, C}; table[c] has the normalised value of each byte of channel c. column: [W], to work in. */
void skp__view_render(float *out, const struct skp__view *v, const struct skp_image *image,
                      const float table[][SKP_LEVELS], int *column);

/* ---- mixup -------------------------------------------------------------------------------------------------------- */

/* A batch of n images whose content is `values` numbers each. */
struct skp__mixing {
  int64_t n, values;
  float *x;              /* {n, values} */
  const int32_t *labels; /* {n} */
  int32_t *other;        /* {n} */
  float *share;          /* {n} */
};

/* Mixes each image with the one before it in the batch, the first with the last (Zhang et al. 2018): all in one share of at least a half,
 * which the batch's number decides; `other` receives the labels of those before, `share` the shares. last: [values], to work in. */
void skp__mixup(const struct skp__mixing *m, double alpha, uint64_t seed, int64_t epoch, int64_t batch, float *last);

#endif
