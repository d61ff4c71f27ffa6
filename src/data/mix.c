/* mix.c: mixup and cutmix, as torchvision.transforms.v2 has them. SPDX-License-Identifier: MIT */
#include "base/bounds.h"
#include "base/random.h"
#include "data/augment.h"
#include <math.h>

static const uint64_t of_batches = 0x6d69787570; /* keeps these numbers apart from others of the same seed */

bool skp__augment_mixes(const struct skp_augment *a) { return a->mixup > 0 || a->cutmix > 0; }

static int below(struct skp__random *r, int n) { return (int)skp__random_below(r, (uint32_t)n); }

/* What becomes of each image: in `box` of it (1 - lambda) is the image before, the rest stays. */
struct mixture {
  struct skp__box box;
  float lambda; /* of the pixels in the box */
  float label;  /* and of the labels */
};

/* One number, so both ends of the Beta distribution are the same: the image itself weighs more. */
static struct mixture draw_mixup(const struct skp__mixing *m, double alpha, struct skp__random *r) {
  const double drawn = skp__random_beta(r, alpha);
  const float lambda = (float)(drawn < 0.5 ? 1 - drawn : drawn);
  return (struct mixture){{0, 0, m->H, m->W}, lambda, lambda};
}

/* The box has 1 - lambda of the area, its middle is anywhere in the image; what lies
 * outside is cut off, and the label weighs less by that. */
static struct mixture draw_cutmix(const struct skp__mixing *m, double alpha, struct skp__random *r) {
  const double half = 0.5 * sqrt(1 - skp__random_beta(r, alpha));
  const int column = below(r, m->W), row = below(r, m->H), wide = (int)(half * m->W), high = (int)(half * m->H);
  const int left = skp__clamp(column - wide, 0, m->W), right = skp__clamp(column + wide, 0, m->W);
  const int top = skp__clamp(row - high, 0, m->H), bottom = skp__clamp(row + high, 0, m->H);
  const double area = (double)(right - left) * (bottom - top) / ((double)m->W * m->H);
  return (struct mixture){{top, left, bottom - top, right - left}, 0, (float)(1 - area)};
}

static void mix_row(float *restrict to, const float *restrict with, float lambda, int64_t values) {
  for (int64_t i = 0; i < values; i++) to[i] = lambda * to[i] + (1 - lambda) * with[i];
}

static void mix(float *to, const float *with, const struct skp__mixing *m, const struct mixture *b) {
  for (int y = b->box.top; y < b->box.top + b->box.height; y++) {
    const int64_t at = ((int64_t)y * m->W + b->box.left) * m->C;
    mix_row(to + at, with + at, b->lambda, (int64_t)b->box.width * m->C);
  }
}

void skp__mix(const struct skp__mixing *m, const struct skp_augment *a, uint64_t seed, int64_t epoch, int64_t batch) {
  const int64_t values = (int64_t)m->H * m->W * m->C;
  const uint64_t key = skp__random_bits(seed ^ of_batches, (uint64_t)epoch, (uint64_t)batch);
  struct skp__random r = skp__random_start(key, 0), choice = skp__random_start(key, 1);
  const bool cut = a->cutmix > 0 && (a->mixup <= 0 || below(&choice, 2));
  const struct mixture b = cut ? draw_cutmix(m, a->cutmix, &r) : draw_mixup(m, a->mixup, &r);
  for (int64_t i = m->n - 1; i >= 0; i--) {
    mix(m->x + i * values, i ? m->x + (i - 1) * values : m->before, m, &b);
    m->other[i] = i ? m->labels[i - 1] : m->label;
    m->lambda[i] = b.label;
  }
}
