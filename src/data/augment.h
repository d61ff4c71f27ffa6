/* augment.h: random views of the training images. A view is drawn first, a pure function of (seed, epoch, sample), then rendered, which
 * knows no chance: so neither threads nor their order change a batch. SPDX-License-Identifier: MIT */
#ifndef SKP_DATA_AUGMENT_H
#define SKP_DATA_AUGMENT_H

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

enum { SKP_BRIGHTNESS, SKP_CONTRAST, SKP_SATURATION, SKP_HUE, SKP_COLOURS };

/* What may happen to an image; zeros: nothing. Names and meanings as in torchvision.transforms where it has them. */
struct skp_augment {
  double
      least_area; /* RandomResizedCrop: a part of at least this share of the image is scaled to the input; 0: all of it */
  bool crop;      /* RandomCrop: a window at random, else in the middle */
  int crop_padding;           /* pixels by which it may reach beyond each edge */
  bool crop_reflect;          /* what lies there mirrors the image, else it is black */
  bool flip;                  /* left and right change places, half the time */
  double jitter[SKP_COLOURS]; /* ColorJitter: how far each may be from what it is */
  int cutout;                 /* side of a square, somewhere, that becomes the mean colour (DeVries and Taylor 2017) */
  double erasing;             /* RandomErasing: how often a rectangle becomes it */
  int views;    /* of testing, without chance: epoch e shows view e of so many; 0 or 1: all show the image as it is */
  double mixup; /* alpha of the Beta distribution of the shares in pairs of images; 0: images stay apart */
};

enum { SKP_LEVELS = 256 };

struct skp_image; /* data.h */

struct skp__box {
  int top, left, height, width;
};

/* Factors by which the first three are multiplied, and the part of the colour circle by which hues are turned; in which order. */
struct skp__colour {
  float factor[SKP_COLOURS];
  int order[SKP_COLOURS];
};

/* How an image becomes an input of H × W pixels. */
struct skp__view {
  struct skp__box part;   /* of the image, which is */
  int scaled_h, scaled_w; /* scaled to this size */
  int H, W, top, left;    /* the window in that; it may reach beyond it */
  bool mirror, reflect;
  struct skp__colour colour;
  struct skp__box hole[2]; /* in the input; within it */
};

/* Draws the view of a sample in an epoch, for images of the size of `image`, as the input should be: H × W. `shorter`: what its shorter
 * side is scaled to first; 0: not at all. */
void skp__view_draw(struct skp__view *v, int H, int W, int shorter, const struct skp_image *image,
                    const struct skp_augment *a, uint64_t seed, int64_t epoch, int64_t sample);

/* Writes the view as {H, W, C}; table[c] has the normalised value of each byte of channel c. The image is used up; `spare` and
 * column, [W], are to work in. */
skp_status skp__view_render(float *out, const struct skp__view *v, struct skp_image *image, struct skp_image *spare,
                            const float table[][SKP_LEVELS], int *column);

/* table[c][v] = (v / 255 - mean) / std for C channels, from n numbers each of which the last repeats; none: mean 0, std 1. */
void skp__normalising(float table[][SKP_LEVELS], int C, const float *mean, const float *std, int n);

/* Changes brightness, contrast, saturation and hue (colour.c). */
void skp__colour_change(struct skp_image *image, const struct skp__colour *colour);

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
