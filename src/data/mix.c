/* mix.c: mixup and cutmix, as torchvision.transforms.v2 has them. SPDX-License-Identifier: MIT */
#include "base/random.h"
#include "data/augment.h"
#include <math.h>
#include <string.h>

static const uint64_t of_batches = 0x6d69787570; /* keeps these numbers apart from others of the same seed */

bool skp__augment_mixes(const struct skp_augment *a) { return a->mixup > 0 || a->cutmix > 0; }

static int below(struct skp__random *r, int n) { return (int)skp__random_below(r, (uint32_t)n); }
static int clamp(int v, int low, int high) { return v < low ? low : v > high ? high : v; }

/* What becomes of each image: in `box` of it (1 - share) is the image before, the rest stays. */
struct blending {
  struct skp__box box;
  float share; /* in the box */
  float label; /* share of the first label */
};

/* One number, so both ends of the Beta distribution are the same: the image itself keeps the larger share. */
static struct blending draw_mixup(const struct skp__mixing *m, double alpha, struct skp__random *r) {
  const double drawn = skp__random_beta(r, alpha);
  const float share = (float)(drawn < 0.5 ? 1 - drawn : drawn);
  return (struct blending){{0, 0, m->H, m->W}, share, share};
}

/* The box has 1 - share of the area, its middle is anywhere in the image; what lies
 * outside is cut off, and the labels' share with it. */
static struct blending draw_cutmix(const struct skp__mixing *m, double alpha, struct skp__random *r) {
  const double half = 0.5 * sqrt(1 - skp__random_beta(r, alpha));
  const int column = below(r, m->W), row = below(r, m->H), wide = (int)(half * m->W), high = (int)(half * m->H);
  const int left = clamp(column - wide, 0, m->W), right = clamp(column + wide, 0, m->W);
  const int top = clamp(row - high, 0, m->H), bottom = clamp(row + high, 0, m->H);
  const double area = (double)(right - left) * (bottom - top) / ((double)m->W * m->H);
  return (struct blending){{top, left, bottom - top, right - left}, 0, (float)(1 - area)};
}

static void blend_row(float *restrict to, const float *restrict with, float share, int64_t values) {
  for (int64_t i = 0; i < values; i++) to[i] = share * to[i] + (1 - share) * with[i];
}

static void blend(float *to, const float *with, const struct skp__mixing *m, const struct blending *b) {
  for (int y = b->box.top; y < b->box.top + b->box.height; y++) {
    const int64_t at = ((int64_t)y * m->W + b->box.left) * m->C;
    blend_row(to + at, with + at, b->share, (int64_t)b->box.width * m->C);
  }
}

void skp__mix(const struct skp__mixing *m, const struct skp_augment *a, uint64_t seed, int64_t epoch, int64_t batch) {
  const int64_t values = (int64_t)m->H * m->W * m->C;
  const uint64_t key = skp__random_bits(seed ^ of_batches, (uint64_t)epoch, (uint64_t)batch);
  struct skp__random r = skp__random_start(key, 0), choice = skp__random_start(key, 1);
  const bool cut = a->cutmix > 0 && (a->mixup <= 0 || below(&choice, 2));
  const struct blending b = cut ? draw_cutmix(m, a->cutmix, &r) : draw_mixup(m, a->mixup, &r);
  memcpy(m->last, m->x + (m->n - 1) * values, (size_t)values * sizeof *m->last);
  for (int64_t i = m->n - 1; i >= 0; i--) {
    blend(m->x + i * values, i ? m->x + (i - 1) * values : m->last, m, &b);
    m->other[i] = m->labels[i ? i - 1 : m->n - 1];
    m->share[i] = b.label;
  }
}
