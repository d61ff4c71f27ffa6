/* digits.c: "digits", a generated set of handwritten-looking digits, 28×28, grey, 10 classes.
 * SPDX-License-Identifier: MIT
 *
 * A digit is one of several styles of writing it: strokes, each a smooth curve through a few points. Each sample moves
 * the points, bends, slants, turns, scales and shifts the whole, draws it with a pen of some width and pressure, adds
 * stray marks, and puts it on a noisy ground. */
#include "data/generated.h"

enum {
  SIDE = 28,
  CLASSES = 10,
  STYLES = 5,      /* of each */
  ONE = 256,       /* 1 pixel; lengths are in 1/256 of it */
  UNIT = SKP_UNIT, /* half the side of the box that styles are written in, too */
  REACH = 4,       /* no pen reaches further, in pixels */
  ROOT_STEP = 64,  /* the table of roots has this many entries for a square pixel */
  MAX_POINTS = 16, /* of a stroke */
};

/* Two letters are a point, column a … z from the left and row A … Z from the top; a space ends a stroke. */
static const char *const styles[CLASSES][STYLES] = {
    {"mBhFfMhTmYrTtMrFmB", "nBjFiMiSmXqTrMrGnB", "pDlBhGfNiVmYrUtMrFlBjD", "iEfLgTlYrVtNrFmBiE",
     "qFnCiDfKgSkXqVtOsHpDlC"},
    {"mBmY", "hGnB nBmY", "hHnB nBnY hYtY", "pBkY", "kBnMnY"},
    {"gGjCnBrDsHqLlRfX fXtX", "gFlBqCsHoNiVfWgSkTpXuW", "gDpBsFqLfX fXsX", "hIiDnBrErJnPgX gXmWtX",
     "iDoBrGpMjSgWjUoWsX"},
    {"gDlBqDrHnLjM jMoMsQrVmYfW", "gBrB rBkK kKqMsRqWlYfV", "hDnBrEqJlM lMrOtTpYjYfU", "hFlBqDqIkL kLqNrTnYiXgT",
     "gCpBrFlLhL lLrOqVjYfW"},
    {"iBgO gOtO pBpY", "qBfP fPuP qBqY", "hBgJjNqM rBqMoY", "jBfP fPtO oJnY", "nBjHfO fOlPuN qGpY"},
    {"rBiB iBhL hLmJrMsSpXkYfV", "sBjCgK gKnIsNrUlYfW", "hBgK gKmJrNrTmYgW hBsB", "sDiC iChK hKpLrSnXgX",
     "iCiKnKsOqVjXfU jCrB"},
    {"pBjGgPhVmYrVsQoMjNgR", "oBiIfRjYpYsSpMkNgS", "rCkEgMgUlYrUqPlNgQ", "jBgMhVmXrUpOjPgT", "tCnCiIgQiWoXrTpPkQhU"},
    {"fBsB sBkY", "fCtB tBkY iMsM", "gEgB gBsB sBnLlY", "gCmDsB sBoKjX", "gDiBnCsB sBpLoY kMsL"},
    {"mLhHiDmBrDrHmLgQgVmYsVsQmL", "sEnBiDiHnMsQrWmYgVgQmMrHsE", "mBiDiIlLpJqEmB lLgRiXoYsTpNlL",
     "rDlBhFkKqPrVmYhUkOqIrD", "nLjHlCqDqIlNhTlYqVqPjKiE"},
    {"rHnMiKgGjCnBrDrH rHqPoY", "sGoLiKgFkBqBsG sGsQpXhW", "sDmBhFjLpKsG sBqY", "qEkChGlLqHqE qErOqY",
     "rFlBgGkMqJrC rCrPmYgV"},
};

struct digits {
  struct skp__generated base;
  int32_t root[REACH * REACH * ROOT_STEP + 1]; /* distance for a squared distance */
};

struct point {
  int32_t x, y;
};

/* What distinguishes one sample's writing. Ratios in UNIT, lengths in 1/ONE pixel. */
struct hand {
  int32_t xx, xy, yx, yy;     /* turn, slant and scale, as a matrix */
  struct point shift;         /* of the middle */
  int32_t bend[4], wave;      /* quadratic and cubic bending */
  int32_t jitter;             /* of points */
  int32_t radius, taper;      /* the pen's at the middle of a stroke, and how much it changes to the end */
  int32_t soft;               /* width of the edge */
  int32_t ink, ground, noise; /* grey values */
};

struct canvas {
  const struct digits *set;
  int32_t cover[SIDE * SIDE]; /* 0 … ONE */
};

/* ---- the pen ----------------------------------------------------------------------------------------------------- */

static int32_t integer_root(int32_t v) {
  int32_t root = 0;
  for (int32_t bit = 1 << 15; bit; bit >>= 1)
    if ((int64_t)(root + bit) * (root + bit) <= v) root += bit;
  return root;
}

/* Covers the pixels near the line from a to b, where the pen's radius is r. */
static void draw_line(struct canvas *canvas, struct point a, struct point b, int32_t r, int32_t soft) {
  int32_t reach = skp__clamp(r + soft / 2, 0, REACH * ONE - 1), limit = reach * reach;
  /* the pixels whose centres lie in the box around the line */
  int32_t before = ONE / 2 - 1 - reach, after = reach - ONE / 2;
  int32_t left = skp__clamp(((a.x < b.x ? a.x : b.x) + before) / ONE, 0, SIDE);
  int32_t right = skp__clamp(((a.x > b.x ? a.x : b.x) + after) / ONE, -1, SIDE - 1);
  int32_t top = skp__clamp(((a.y < b.y ? a.y : b.y) + before) / ONE, 0, SIDE);
  int32_t bottom = skp__clamp(((a.y > b.y ? a.y : b.y) + after) / ONE, -1, SIDE - 1);
  int32_t dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
  int32_t steep = ONE * UNIT / soft;
  int64_t inverse = length2 ? ((int64_t)1 << 32) / length2 : 0;
  for (int32_t row = top; row <= bottom; row++)
    for (int32_t column = left; column <= right; column++) {
      int32_t px = column * ONE + ONE / 2 - a.x, py = row * ONE + ONE / 2 - a.y;
      int32_t along = skp__clamp(px * dx + py * dy, 0, length2);
      int32_t t = (int32_t)(along * inverse >> 20); /* 0 … 4096 */
      int32_t ex = px - dx * t / UNIT, ey = py - dy * t / UNIT, distance2 = ex * ex + ey * ey;
      if (distance2 >= limit) continue;
      int32_t distance = canvas->set->root[distance2 / (ONE * ONE / ROOT_STEP)];
      int32_t cover = skp__clamp((r - distance) * steep / UNIT + ONE / 2, 0, ONE);
      int32_t *at = &canvas->cover[row * SIDE + column];
      if (cover > *at) *at = cover;
    }
}

/* From the styles' box (±UNIT) to the picture. */
static struct point place(const struct hand *h, struct point p) {
  int32_t uu = skp__times(p.x, p.x), vv = skp__times(p.y, p.y), uv = skp__times(p.x, p.y);
  int32_t x =
      p.x + skp__times(h->bend[0], vv) + skp__times(h->bend[1], uv) + skp__times(h->wave, skp__times(vv, p.y) - p.y);
  int32_t y = p.y + skp__times(h->bend[2], uu) + skp__times(h->bend[3], uv);
  return (struct point){h->shift.x + skp__times(h->xx, x) + skp__times(h->xy, y),
                        h->shift.y + skp__times(h->yx, x) + skp__times(h->yy, y)};
}

/* A point of the Catmull-Rom curve through p[0 … 3], between p[1] and p[2], at t = step/steps. */
static int32_t curve(int32_t a, int32_t b, int32_t c, int32_t d, int32_t t) {
  int32_t t2 = skp__times(t, t), t3 = skp__times(t2, t);
  return b +
         (skp__times(c - a, t) + skp__times(2 * a - 5 * b + 4 * c - d, t2) + skp__times(3 * (b - c) + d - a, t3)) / 2;
}

static void draw_stroke(struct canvas *canvas, const struct hand *h, const struct point *p, int n) {
  enum { STEPS = 4 };
  int lines = (n - 1) * STEPS;
  struct point from = place(h, p[0]);
  for (int i = 1; i <= lines; i++) {
    int k = (i - 1) / STEPS;
    int32_t t = UNIT * (i - k * STEPS) / STEPS;
    const struct point *a = &p[k ? k - 1 : 0], *b = &p[k], *c = &p[k + 1], *d = &p[k + 2 < n ? k + 2 : n - 1];
    struct point on = {curve(a->x, b->x, c->x, d->x, t), curve(a->y, b->y, c->y, d->y, t)};
    struct point to = place(h, on);
    draw_line(canvas, from, to, h->radius + h->taper * (2 * i - lines) / lines, h->soft);
    from = to;
  }
}

/* ---- a sample ---------------------------------------------------------------------------------------------------- */

static struct hand choose_hand(struct skp__random *r) {
  struct hand h;
  int32_t sine, cosine;
  skp__turn(&sine, &cosine, skp__around(r, 480));
  int32_t slant = skp__around(r, 1800), wide = skp__between(r, 1900, 3100), high = skp__between(r, 2300, 3300);
  /* turn · slant · scale, from half a box to pixels: 1.0 becomes 12 pixels at scale UNIT */
  int32_t to_pixels = 12 * ONE;
  h.xx = skp__times(skp__times(cosine, wide), to_pixels);
  h.yx = skp__times(skp__times(sine, wide), to_pixels);
  h.xy = skp__times(skp__times(-sine, high) + skp__times(cosine, skp__times(slant, high)), to_pixels);
  h.yy = skp__times(skp__times(cosine, high) + skp__times(sine, skp__times(slant, high)), to_pixels);
  h.shift = (struct point){SIDE * ONE / 2 + skp__around(r, 3 * ONE), SIDE * ONE / 2 + skp__around(r, 3 * ONE)};
  for (int i = 0; i < 4; i++) h.bend[i] = skp__around(r, 800);
  h.wave = skp__around(r, 1200);
  h.jitter = skp__between(r, 100, 380);
  h.radius = skp__between(r, 140, 400);
  h.taper = skp__around(r, 90);
  h.soft = skp__between(r, 200, 420);
  h.ground = skp__between(r, 0, 50);
  h.ink = skp__between(r, h.ground + 110, 255);
  h.noise = skp__between(r, 0, 40);
  return h;
}

static void draw_digit(struct canvas *canvas, const struct hand *h, struct skp__random *r, int digit) {
  struct point p[MAX_POINTS];
  int n = 0;
  const char *style = styles[digit][skp__between(r, 0, STYLES - 1)];
  for (const char *at = style;; at += 2) {
    if (*at == ' ' || !*at) {
      draw_stroke(canvas, h, p, n);
      n = 0;
      if (!*at++) break;
    }
    p[n++] = (struct point){(2 * (at[0] - 'a') - 25) * UNIT / 25 + skp__around(r, h->jitter),
                            (2 * (at[1] - 'A') - 25) * UNIT / 25 + skp__around(r, h->jitter)};
  }
}

/* Short lines and dots that belong to no digit. */
static void draw_strays(struct canvas *canvas, const struct hand *h, struct skp__random *r) {
  for (int left = skp__between(r, 0, 3); left > 0; left--) {
    struct point a = {skp__between(r, 0, SIDE * ONE), skp__between(r, 0, SIDE * ONE)};
    struct point b = {a.x + skp__around(r, 6 * ONE), a.y + skp__around(r, 6 * ONE)};
    draw_line(canvas, a, b, skp__between(r, 60, 220), h->soft);
  }
}

/* Ink on its ground, with noise: four bits more or less make a triangle. */
static void develop(const struct canvas *canvas, const struct hand *h, struct skp__random *r, uint8_t *pixels) {
  uint64_t bits = 0;
  for (int i = 0; i < SIDE * SIDE; i++) {
    if (i % 8 == 0) bits = skp__random_next(r);
    int32_t grain = ((int32_t)(bits & 15) - (int32_t)(bits >> 4 & 15)) * h->noise / 15;
    bits >>= 8;
    pixels[i] = (uint8_t)skp__clamp(h->ground + (h->ink - h->ground) * canvas->cover[i] / ONE + grain, 0, 255);
  }
}

static void draw(const struct skp__generated *set, struct skp__random *r, uint8_t *pixels, uint8_t *label) {
  struct canvas canvas = {.set = (const struct digits *)set};
  *label = (uint8_t)skp__between(r, 0, CLASSES - 1);
  struct hand h = choose_hand(r);
  draw_digit(&canvas, &h, r, *label);
  draw_strays(&canvas, &h, r);
  develop(&canvas, &h, r, pixels);
}

static const struct skp__generated_kind kind = {.name = "digits",
                                                .seed = 0x736b6970706572,
                                                .train = 60000,
                                                .test = 10000,
                                                .side = SIDE,
                                                .C = 1,
                                                .classes = CLASSES,
                                                .draw = draw};

skp_status skp__source_digits(struct skp_source **out, skp_split split) {
  struct skp__generated *set;
  *out = NULL;
  SKP_TRY(skp__generated_create(&set, sizeof(struct digits), &kind, split));
  struct digits *digits = (struct digits *)set;
  for (int i = 0; i <= REACH * REACH * ROOT_STEP; i++) digits->root[i] = integer_root(i * (ONE * ONE / ROOT_STEP));
  *out = &set->base;
  return SKP_OK;
}
