/* shapes.c: "shapes", a generated set of plane figures, 32×32, colour, 10 classes. SPDX-License-Identifier: MIT
 *
 * A figure of any size, turn and place, stretched a little, lies on a ground. Both have colours and a pattern of their
 * own, about which the class says nothing; lines and dots lie under the figure and over it; the light falls unevenly,
 * and there is noise. So neither a pixel nor a colour tells the class, only the outline does. */
#include "data/generated.h"
#include <string.h>

enum {
  SIDE = 32,
  CLASSES = 10,
  ONE = 256,       /* 1 pixel; lengths are in 1/256 of it */
  GRID = 256,      /* a step of the grid on which figures are defined */
  MIDDLE = 12,     /* of that grid, and the radius of a figure */
  CORNER = 17,     /* no point of a figure is further from the middle */
  FINE = 3,        /* samples a pixel each way, at edges */
  MAX_PARTS = 3,   /* of a figure */
  MAX_POINTS = 12, /* of a part */
};

static const char *const names[CLASSES] = {"disc",   "ring",  "half_disc", "crescent", "triangle",
                                           "square", "cross", "star",      "arrow",    "heart"};

/* Parts are added (+) and taken away (-). Two letters are a point, column a … y from the left and row A … Y from the
 * top; "(" begins a circle: its middle, and its radius as a letter; "[" a polygon. */
static const char *const figures[CLASSES] = {
    "+(mMl",
    "+(mMl-(mMg",
    "+(mMm-[aMyMyYaY",
    "+(mMl-(rMj",
    "+[mAxTbT",
    "+[dDvDvVdV",
    "+[jBpBpJxJxPpPpXjXjPbPbJjJ",
    "+[mApIxIqNtWmRfWiNbIjI",
    "+[mAwLpLpXjXjLcL",
    "+(hIg+(rIg+[bKxKmY",
};

struct point {
  int32_t x, y;
};

struct part {
  bool taken;    /* away */
  int32_t reach; /* radius of a circle, squared; 0: a polygon */
  int n;
  struct point p[MAX_POINTS];
};

/* How a surface is coloured: between two colours, by a pattern. */
struct surface {
  int32_t colour[2][3];
  int pattern;
  int32_t dx, dy, period; /* direction in SKP_UNIT, length in ONE */
};

struct scene {
  struct part part[MAX_PARTS];
  int parts;
  int32_t xx, xy, yx, yy; /* from the picture to the grid */
  struct point middle;
  struct surface figure, ground;
  int32_t light_x, light_y, noise;
};

struct canvas {
  int32_t value[SIDE][SIDE][3];
};

/* ---- figures ----------------------------------------------------------------------------------------------------- */

static struct point read_point(const char *letters) {
  return (struct point){(letters[0] - 'a' - MIDDLE) * GRID, (letters[1] - 'A' - MIDDLE) * GRID};
}

static void read_figure(struct scene *s, const char *text) {
  for (s->parts = 0; *text; s->parts++) {
    struct part *part = &s->part[s->parts];
    *part = (struct part){.taken = *text == '-'};
    bool circle = text[1] == '(';
    for (text += 2; *text && *text != '+' && *text != '-'; text += 2) {
      part->p[part->n++] = read_point(text);
      if (!circle) continue;
      part->reach = (text[2] - 'a') * GRID * (text[2] - 'a') * GRID;
      text++;
    }
  }
}

/* In a polygon: a ray to the right crosses its outline an odd number of times. */
static bool in_polygon(const struct part *part, int32_t x, int32_t y) {
  bool inside = false;
  for (int i = 0; i < part->n; i++) {
    struct point a = part->p[i], b = part->p[(i + 1) % part->n];
    if ((a.y > y) != (b.y > y) && x < a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y)) inside = !inside;
  }
  return inside;
}

static bool in_part(const struct part *part, int32_t x, int32_t y) {
  if (!part->reach) return in_polygon(part, x, y);
  int32_t dx = x - part->p[0].x, dy = y - part->p[0].y;
  return dx * dx + dy * dy < part->reach;
}

/* x, y: from the middle of the figure, in ONE. */
static bool in_figure(const struct scene *s, int32_t x, int32_t y) {
  int32_t u = skp__times(s->xx, x) + skp__times(s->xy, y), v = skp__times(s->yx, x) + skp__times(s->yy, y);
  bool inside = false;
  if (u * u + v * v > CORNER * GRID * CORNER * GRID) return false;
  for (int i = 0; i < s->parts; i++)
    if (in_part(&s->part[i], u, v)) inside = !s->part[i].taken;
  return inside;
}

/* Whether the middle of each pixel is in the figure. */
static void find_middles(bool in[SIDE][SIDE], const struct scene *s) {
  for (int row = 0; row < SIDE; row++)
    for (int column = 0; column < SIDE; column++)
      in[row][column] = in_figure(s, column * ONE + ONE / 2 - s->middle.x, row * ONE + ONE / 2 - s->middle.y);
}

static bool at_edge(const bool in[SIDE][SIDE], int row, int column) {
  for (int y = row - 1; y <= row + 1; y++)
    for (int x = column - 1; x <= column + 1; x++)
      if (x >= 0 && y >= 0 && x < SIDE && y < SIDE && in[y][x] != in[row][column]) return true;
  return false;
}

/* Of FINE · FINE samples of a pixel; only those at edges are looked at closely. */
static int32_t covered(const struct scene *s, const bool in[SIDE][SIDE], int row, int column) {
  int32_t count = 0;
  if (!at_edge(in, row, column)) return in[row][column] ? FINE * FINE : 0;
  for (int i = 0; i < FINE * FINE; i++) {
    int32_t x = column * ONE + (2 * (i % FINE) + 1) * ONE / (2 * FINE);
    int32_t y = row * ONE + (2 * (i / FINE) + 1) * ONE / (2 * FINE);
    count += in_figure(s, x - s->middle.x, y - s->middle.y);
  }
  return count;
}

/* ---- surfaces ---------------------------------------------------------------------------------------------------- */

/* Each says how much of the second colour there is at a place, 0 … ONE. */
static int32_t plain(const struct surface *s, struct point at) {
  (void)s, (void)at;
  return 0;
}

static int32_t along(const struct surface *s, struct point at) {
  return skp__times(s->dx, at.x) + skp__times(s->dy, at.y);
}

static int32_t fading(const struct surface *s, struct point at) {
  return skp__clamp(ONE / 2 + along(s, at) / SIDE, 0, ONE);
}

/* A place is never so far off that the sum is negative. */
static bool odd(const struct surface *s, int32_t length) { return (length + 64 * SIDE * ONE) / s->period % 2; }

static int32_t striped(const struct surface *s, struct point at) { return odd(s, along(s, at)) ? ONE : 0; }

static int32_t checked(const struct surface *s, struct point at) { return odd(s, at.x) != odd(s, at.y) ? ONE : 0; }

static int32_t (*const patterns[])(const struct surface *, struct point) = {plain, fading, striped, checked};
enum { PATTERNS = sizeof patterns / sizeof *patterns };

static void choose_turn(struct skp__random *r, int32_t *sine, int32_t *cosine) {
  int32_t sign = skp__between(r, 0, 1) ? 1 : -1;
  skp__turn(sine, cosine, skp__between(r, -SKP_UNIT, SKP_UNIT)); /* up to a right angle each way */
  *sine *= sign;
  *cosine *= sign;
}

static void choose_surface(struct surface *s, struct skp__random *r) {
  int32_t strength = skp__between(r, 8, 40);
  for (int c = 0; c < 3; c++) s->colour[0][c] = skp__between(r, 0, 255);
  for (int c = 0; c < 3; c++) s->colour[1][c] = s->colour[0][c] + skp__between(r, -strength, strength);
  s->pattern = skp__between(r, 0, PATTERNS - 1);
  s->period = skp__between(r, 2 * ONE, 5 * ONE);
  choose_turn(r, &s->dy, &s->dx);
}

static int32_t apart(const struct surface *a, const struct surface *b) {
  int32_t sum = 0;
  for (int c = 0; c < 3; c++) {
    int32_t d = a->colour[0][c] - b->colour[0][c];
    sum += d < 0 ? -d : d;
  }
  return sum;
}

/* ---- a sample ---------------------------------------------------------------------------------------------------- */

static void choose_scene(struct scene *s, struct skp__random *r) {
  enum { LEAST_APART = 200, TRIES = 16 };
  int32_t sine, cosine, wide = skp__between(r, 8 * ONE, 14 * ONE), high = wide * skp__between(r, 205, 320) / 256;
  high = skp__clamp(high, 6 * ONE, 15 * ONE);
  choose_turn(r, &sine, &cosine);
  /* turn back, then 1/scale: a radius of `wide` becomes MIDDLE steps of the grid */
  int32_t to_x = MIDDLE * GRID * SKP_UNIT / wide, to_y = MIDDLE * GRID * SKP_UNIT / high;
  s->xx = skp__times(cosine, to_x);
  s->xy = skp__times(sine, to_x);
  s->yx = skp__times(-sine, to_y);
  s->yy = skp__times(cosine, to_y);
  int32_t room = skp__clamp(SIDE * ONE / 2 - wide, 2 * ONE, 8 * ONE);
  s->middle =
      (struct point){SIDE * ONE / 2 + skp__between(r, -room, room), SIDE * ONE / 2 + skp__between(r, -room, room)};
  choose_surface(&s->ground, r);
  for (int i = 0; i < TRIES; i++) {
    choose_surface(&s->figure, r);
    if (apart(&s->figure, &s->ground) >= LEAST_APART) break;
  }
  s->light_x = skp__around(r, 40);
  s->light_y = skp__around(r, 40);
  s->noise = skp__between(r, 2, 24);
}

static void paint(struct canvas *canvas, int row, int column, const struct surface *s, int32_t cover, int32_t whole) {
  struct point at = {column * ONE, row * ONE};
  int32_t weight = patterns[s->pattern](s, at);
  for (int c = 0; c < 3; c++) {
    int32_t *value = &canvas->value[row][column][c];
    int32_t colour = s->colour[0][c] + (s->colour[1][c] - s->colour[0][c]) * weight / ONE;
    *value += (colour - *value) * cover / whole;
  }
}

static void paint_ground(struct canvas *canvas, const struct scene *s) {
  for (int row = 0; row < SIDE; row++)
    for (int column = 0; column < SIDE; column++) paint(canvas, row, column, &s->ground, 1, 1);
}

static void paint_figure(struct canvas *canvas, const struct scene *s) {
  bool in[SIDE][SIDE];
  find_middles(in, s);
  for (int row = 0; row < SIDE; row++)
    for (int column = 0; column < SIDE; column++) {
      int32_t cover = covered(s, (const bool(*)[SIDE])in, row, column);
      if (cover) paint(canvas, row, column, &s->figure, cover, FINE * FINE);
    }
}

/* The pixel of a place, or the nearest there is. */
static int32_t pixel(int32_t place) { return skp__clamp(place, 0, SIDE * ONE - 1) / ONE; }

/* A line, or a dot where it has no length: pixels whose middle is nearer than its radius. */
static void draw_stray(struct canvas *canvas, struct skp__random *r) {
  struct surface s;
  choose_surface(&s, r);
  struct point a = {skp__between(r, 0, SIDE * ONE), skp__between(r, 0, SIDE * ONE)};
  int32_t reach = skp__between(r, 0, 2) ? 12 * ONE : 0, radius = skp__between(r, ONE / 2, reach ? ONE : 5 * ONE / 2);
  int32_t dx = skp__between(r, -reach, reach), dy = skp__between(r, -reach, reach), length2 = dx * dx + dy * dy;
  int32_t left = pixel((dx < 0 ? a.x + dx : a.x) - radius), right = pixel((dx < 0 ? a.x : a.x + dx) + radius);
  int32_t top = pixel((dy < 0 ? a.y + dy : a.y) - radius), bottom = pixel((dy < 0 ? a.y : a.y + dy) + radius);
  for (int32_t row = top; row <= bottom; row++)
    for (int32_t column = left; column <= right; column++) {
      int32_t x = column * ONE + ONE / 2 - a.x, y = row * ONE + ONE / 2 - a.y;
      int64_t t = length2 ? ((int64_t)x * dx + (int64_t)y * dy) * SKP_UNIT / length2 : 0;
      int32_t on = skp__clamp((int32_t)t, 0, SKP_UNIT);
      x -= skp__times(dx, on);
      y -= skp__times(dy, on);
      if (x * x + y * y < radius * radius) paint(canvas, row, column, &s, 1, 1);
    }
}

/* Light and noise: for each channel four bits more or less make a triangle. */
static void develop(const struct canvas *canvas, const struct scene *s, struct skp__random *r, uint8_t *pixels) {
  for (int row = 0; row < SIDE; row++)
    for (int column = 0; column < SIDE; column++) {
      uint64_t bits = skp__random_next(r);
      int32_t light = (s->light_x * (2 * column - SIDE) + s->light_y * (2 * row - SIDE)) / SIDE;
      for (int c = 0; c < 3; c++, bits >>= 8) {
        int32_t grain = ((int32_t)(bits & 15) - (int32_t)(bits >> 4 & 15)) * s->noise / 15;
        *pixels++ = (uint8_t)skp__clamp(canvas->value[row][column][c] + light + grain, 0, 255);
      }
    }
}

static void draw(const struct skp__generated *set, struct skp__random *r, uint8_t *pixels, uint8_t *label) {
  struct scene scene;
  struct canvas canvas;
  (void)set;
  *label = (uint8_t)skp__between(r, 0, CLASSES - 1);
  memset(&canvas, 0, sizeof canvas);
  read_figure(&scene, figures[*label]);
  choose_scene(&scene, r);
  paint_ground(&canvas, &scene);
  for (int left = skp__between(r, 0, 3); left > 0; left--) draw_stray(&canvas, r);
  paint_figure(&canvas, &scene);
  for (int left = skp__between(r, 0, 1); left > 0; left--) draw_stray(&canvas, r);
  develop(&canvas, &scene, r, pixels);
}

static const struct skp__generated_kind kind = {.name = "shapes",
                                                .seed = 0x736861706573,
                                                .train = 20000,
                                                .test = 4000,
                                                .side = SIDE,
                                                .C = 3,
                                                .classes = CLASSES,
                                                .class_names = names,
                                                .draw = draw};

skp_status skp__source_shapes(struct skp_source **out, skp_split split) {
  struct skp__generated *set;
  *out = NULL;
  SKP_TRY(skp__generated_create(&set, sizeof *set, &kind, split));
  *out = &set->base;
  return SKP_OK;
}
