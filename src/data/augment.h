/* augment.h: random views of the training images. SPDX-License-Identifier: MIT
 *
 * A view is drawn first: it is a pure function of seed, epoch and sample. Then it is rendered, without chance. So
 * neither the number of threads nor their order changes a batch.
 *
 * A new augmentation is a row of SKP_AUGMENT_LIST (its field) and one of the table in augment.c (what it draws, how it
 * is described); one that changes bytes in a new way is a row of the table in change.c, too. */
#ifndef SKP_DATA_AUGMENT_H
#define SKP_DATA_AUGMENT_H

#include "base/error.h"
#include "base/random.h"
#include "base/text.h"
#include "data/augment_list.h"
#include <stdbool.h>
#include <stdint.h>

typedef int64_t skp__augment_INT;
typedef double skp__augment_REAL;
typedef bool skp__augment_BOOL;

/* What may happen to an image; zeros: nothing. Names and meanings as in torchvision.transforms where it has them. */
struct skp_augment {
#define X(kind, field, fallback, least, most, help) skp__augment_##kind field;
  SKP_AUGMENT_LIST(X)
#undef X
  int views; /* of testing, without chance: epoch e shows view e of so many; 0 or 1: all show the image as it is */
};

/* Appends what happens, for people: "random crop, horizontal flip". */
void skp__augment_describe(struct skp__text *text, const struct skp_augment *a);
/* Whether the images that come out are bytes yet: a hole in an image is at its mean, which is none, and a mixture lies
 * between two. */
bool skp__augment_keeps_bytes(const struct skp_augment *a);
/* Whether images of a batch, and their labels, are mixed. */
bool skp__augment_mixes(const struct skp_augment *a);

enum { SKP_LEVELS = 256 };

struct skp_image; /* image.h */

struct skp__box {
  int top, left, height, width;
};

/* ---- changes of an image's bytes (change.c) ---------------------------------------------------------------------- */

typedef enum skp__change_kind {
  SKP_BRIGHTNESS,   /* amount: the factor */
  SKP_CONTRAST,     /* the factor */
  SKP_SATURATION,   /* the factor */
  SKP_HUE,          /* turn, 1 being the whole circle */
  SKP_SHARPNESS,    /* the factor */
  SKP_POSTERIZE,    /* bits that remain of 8 */
  SKP_SOLARIZE,     /* the least value that is inverted */
  SKP_AUTOCONTRAST, /* the amount is not used */
  SKP_EQUALIZE,     /* nor here */
  SKP_SHEAR_X,      /* columns by which a row moves against the one above */
  SKP_SHEAR_Y,      /* rows by which a column moves against the one before */
  SKP_TRANSLATE_X,  /* pixels to the right; the fraction is cut */
  SKP_TRANSLATE_Y,  /* pixels down; the fraction is cut */
  SKP_ROTATE,       /* degrees, to the left, about the middle */
  SKP_BLUR,         /* sigma of a Gaussian, in pixels; more than 0 */
  SKP_CHANGE_KINDS
} skp__change_kind;

struct skp__change {
  skp__change_kind kind;
  double amount;
};

/* Changes the image, by no more than each kind knows bounds; `spare` is to work in, and may change places with it. */
skp_status skp__image_change(struct skp_image *image, struct skp_image *spare, const struct skp__change *change);

/* ---- views ------------------------------------------------------------------------------------------------------- */

enum { SKP_CHANGES_MOST = 16 };

/* How an image becomes an input of H × W pixels. */
struct skp__view {
  struct skp__box part;   /* of the image, which is */
  int scaled_h, scaled_w; /* scaled to this size */
  int H, W, top, left;    /* the window in that; it may reach beyond it */
  bool mirror, reflect;
  struct skp__change change[SKP_CHANGES_MOST]; /* of the window, one after the other */
  int changes;
  struct skp__box hole[2]; /* in the input; within it */
};

/* One more change of the window; beyond so many there is none. */
static inline void skp__view_add(struct skp__view *v, struct skp__change change) {
  if (v->changes < SKP_CHANGES_MOST) v->change[v->changes++] = change;
}

/* Draws the view of a sample in an epoch, for images of the size of `image`, as the input should be: H × W. `shorter`:
 * what its shorter side is scaled to first; 0: not at all. */
void skp__view_draw(struct skp__view *v, int H, int W, int shorter, const struct skp_image *image,
                    const struct skp_augment *a, uint64_t seed, int64_t epoch, int64_t sample);

/* Makes the image the view of it, but for the holes; `spare` and column, [W], are to work in, and the spare one may
 * change places with it. */
skp_status skp__view_show(const struct skp__view *v, struct skp_image *image, struct skp_image *spare, int *column);
/* The same, written as {H, W, C} numbers; table[c] has the normalised value of each byte of channel c. */
skp_status skp__view_render(float *out, const struct skp__view *v, struct skp_image *image, struct skp_image *spare,
                            const float table[][SKP_LEVELS], int *column);

/* table[c][v] = (v / 255 - mean) / std for C channels, from n numbers each of which the
 * last repeats; none: mean 0, std 1. */
void skp__normalising(float table[][SKP_LEVELS], int C, const float *mean, const float *std, int n);

/* ---- policies: changes drawn from a set of them (policy.c) ------------------------------------------------------- */

enum { SKP_POLICY_CHOICES = 14, SKP_POLICY_LEVELS = 31 /* of strength, 0 … 30 */ };

typedef enum skp__policy { SKP_TRIVIAL_AUGMENT, SKP_RAND_AUGMENT } skp__policy;

/* Change number `which` at a level, for an image of H × W pixels; `minus` turns those round that go both ways.
 * False: the one that leaves the image as it is. */
bool skp__policy_change(struct skp__change *out, skp__policy policy, int which, int level, bool minus, int H, int W);
/* Draws one for the view; a negative level is drawn, too. */
void skp__policy_draw(struct skp__view *v, skp__policy policy, int64_t level, struct skp__random *r);

/* ---- mixing the images of a batch (mix.c) ------------------------------------------------------------------------ */

/* A batch of n images of H × W × C numbers. */
struct skp__mixing {
  int64_t n;
  int H, W, C;
  float *x;              /* {n, H, W, C} */
  const int32_t *labels; /* {n} */
  int32_t *other;        /* {n} */
  float *lambda;         /* {n} */
  const float *before;   /* {H, W, C}: the image before the first */
  int32_t label;         /* and its label */
};

/* Mixes each image with the one before it in the batch; before the first of a whole one comes the last. All are mixed
 * by mixup with one lambda of at least a half (Zhang et al. 2018), or all by cutmix with one box (Yun et al. 2019). The
 * batch's number decides lambda and box, and which of the two where both are wanted. `other` receives the labels of the
 * images before, `lambda` the weights of the labels that were there. */
void skp__mix(const struct skp__mixing *m, const struct skp_augment *a, uint64_t seed, int64_t epoch, int64_t batch);

#endif
