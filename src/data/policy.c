/* policy.c: changes that TrivialAugment (Müller and Hutter 2021, the "wide" one) and RandAugment (Cubuk et al. 2019)
 * draw, with the strengths of torchvision's TrivialAugmentWide and RandAugment (torchvision/transforms/autoaugment.py).
 * SPDX-License-Identifier: MIT */
#include "base/random.h"
#include "data/augment.h"

typedef enum direction { UP, DOWN, EITHER } direction;

/* An amount is `base` and, in this direction, the level's fraction of what each policy allows at most. */
static const struct choice {
  skp__change_kind kind;
  direction direction;
  double base, most[2];
  enum { NUMBER, WIDTHS, HEIGHTS } unit; /* RandAugment moves by fractions of the image's sides */
} choices[] = {
    {SKP_SHEAR_X, EITHER, 0, {0.99, 0.3}, NUMBER},
    {SKP_SHEAR_Y, EITHER, 0, {0.99, 0.3}, NUMBER},
    {SKP_TRANSLATE_X, EITHER, 0, {32, 150.0 / 331}, WIDTHS},
    {SKP_TRANSLATE_Y, EITHER, 0, {32, 150.0 / 331}, HEIGHTS},
    {SKP_ROTATE, EITHER, 0, {135, 30}, NUMBER},
    {SKP_BRIGHTNESS, EITHER, 1, {0.99, 0.9}, NUMBER},
    {SKP_SATURATION, EITHER, 1, {0.99, 0.9}, NUMBER},
    {SKP_CONTRAST, EITHER, 1, {0.99, 0.9}, NUMBER},
    {SKP_SHARPNESS, EITHER, 1, {0.99, 0.9}, NUMBER},
    {SKP_POSTERIZE, DOWN, 8, {6, 4}, NUMBER},
    {SKP_SOLARIZE, DOWN, 255, {255, 255}, NUMBER},
    {SKP_AUTOCONTRAST, UP, 0, {0, 0}, NUMBER},
    {SKP_EQUALIZE, UP, 0, {0, 0}, NUMBER},
};

enum { CHANGES = sizeof choices / sizeof *choices };
_Static_assert(CHANGES + 1 == SKP_POLICY_CHOICES, "one more than changes: to leave the image as it is");

/* torch.linspace(0, most, 31)[level]: from the nearer end, in single precision, rounded once. */
static double at_level(double most, int level) {
  const float end = (float)most, step = end / (SKP_POLICY_LEVELS - 1);
  if (level < SKP_POLICY_LEVELS / 2) return (double)(step * (float)level);
  return (double)(float)((double)end - (double)step * (SKP_POLICY_LEVELS - 1 - level));
}

bool skp__policy_change(struct skp__change *out, skp__policy policy, int which, int level, bool minus, int H, int W) {
  if (which >= CHANGES) return false;
  const struct choice *c = &choices[which];
  const bool sides = policy == SKP_RAND_AUGMENT && c->unit != NUMBER;
  const double reach = at_level(c->most[policy] * (sides ? c->unit == WIDTHS ? W : H : 1), level);
  const bool down = c->direction == DOWN || (c->direction == EITHER && minus);
  *out = (struct skp__change){c->kind, c->base + (down ? -reach : reach)};
  return true;
}

void skp__policy_draw(struct skp__view *v, skp__policy policy, int64_t level, struct skp__random *r) {
  const int which = (int)skp__random_below(r, SKP_POLICY_CHOICES), drawn = (int)skp__random_below(r, SKP_POLICY_LEVELS);
  const bool minus = skp__random_below(r, 2);
  struct skp__change change;
  if (skp__policy_change(&change, policy, which, level < 0 ? drawn : (int)level, minus, v->H, v->W))
    skp__view_add(v, change);
}
