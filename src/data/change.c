/* change.c: changes of an image's bytes. SPDX-License-Identifier: MIT
 *
 * Each gives the bytes that torchvision makes of a Pillow image (torchvision/transforms/_functional_pil.py; Pillow's
 * ImageEnhance, ImageOps, Image.transform, and its HSV mode, in which an angle is a byte):
 *   brightness  f · v                                contrast   m + f · (v - m), m the mean grey of the image, rounded
 *   saturation  g + f · (v - g), g the pixel's grey  sharpness  s + f · (v - s), s a blurred image
 *   blur        a Gaussian over mirrored edges, in float, rounded: what torchvision does in another order of sums
 *   hue         the pixel turned round the colour circle by f, 1 being all of it
 * Sums of that form are floats cut to whole numbers. Moved images have black where nothing comes from; the pixel at a
 * place comes from the one that lies nearest to where that place was. */
#include "base/array.h"
#include "data/augment.h"
#include "data/image.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint8_t to_byte(float v) { return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v); }

static int64_t bytes_of(const struct skp_image *image) { return (int64_t)image->H * image->W * image->C; }

/* From `base` by a factor of the way to v, and beyond. */
static uint8_t go(int base, int v, float factor) { return to_byte((float)base + factor * (float)(v - base)); }

static void map_bytes(uint8_t *p, int64_t n, int stride, const uint8_t table[SKP_LEVELS]) {
  for (int64_t i = 0; i < n; i++) p[i * stride] = table[p[i * stride]];
}

/* ---- brightness and colours -------------------------------------------------------------------------------------- */

static skp_status scale_from(struct skp_image *image, int grey, double factor) {
  uint8_t table[SKP_LEVELS];
  for (int v = 0; v < SKP_LEVELS; v++) table[v] = go(grey, v, (float)factor);
  map_bytes(image->pixels, bytes_of(image), 1, table);
  return SKP_OK;
}

static skp_status brightness(struct skp_image *image, struct skp_image *spare, double factor) {
  (void)spare;
  return scale_from(image, 0, factor);
}

static skp_status contrast(struct skp_image *image, struct skp_image *spare, double factor) {
  int64_t n = (int64_t)image->H * image->W, sum = 0;
  (void)spare;
  for (int64_t i = 0; i < n; i++) sum += skp__grey_of(image->pixels + i * image->C, image->C);
  return scale_from(image, (int)((double)sum / (double)n + 0.5), factor);
}

static skp_status saturation(struct skp_image *image, struct skp_image *spare, double factor) {
  (void)spare;
  if (image->C < 3) return SKP_OK;
  for (uint8_t *p = image->pixels, *end = p + bytes_of(image); p < end; p += image->C) {
    const int grey = skp__grey_of(p, image->C);
    for (int c = 0; c < 3; c++) p[c] = go(grey, p[c], (float)factor);
  }
  return SKP_OK;
}

/* The hue in 255ths of the circle and the saturation in 255ths, both cut. The pixel is not grey. */
static void to_hue(int *hue, int *strength, const uint8_t *p, int most, int least) {
  const float range = (float)(most - least);
  const float r = (float)(most - p[0]) / range, g = (float)(most - p[1]) / range, b = (float)(most - p[2]) / range;
  const float sixths = p[0] == most   ? b - g
                       : p[1] == most ? (float)(2.0 + (double)r - (double)b)
                                      : (float)(4.0 + (double)g - (double)r);
  *hue = (int)((double)(float)fmod((double)sixths / 6 + 1, 1) * 255);
  *strength = (int)((double)(range / (float)most) * 255);
}

/* The pixel of such a hue and strength whose largest channel is `most`. */
static void from_hue(uint8_t *p, int hue, int strength, int most) {
  const double sixths = hue * 6 / 255.0, full = most, s = (double)(float)(strength / 255.0);
  const int sector = (int)floor(sixths);
  const double f = (double)(float)(sixths - sector);
  const uint8_t high = (uint8_t)most, low = (uint8_t)round(full * (1 - s)),
                falling = (uint8_t)round(full * (1 - s * f)), rising = (uint8_t)round(full * (1 - s * (1 - f)));
  const uint8_t of[6][3] = {{high, rising, low},  {falling, high, low}, {low, high, rising},
                            {low, falling, high}, {rising, low, high},  {high, low, falling}};
  memcpy(p, of[sector % 6], 3);
}

static int larger(int a, int b) { return a > b ? a : b; }
static int smaller(int a, int b) { return a < b ? a : b; }

static void turn_hue(uint8_t *p, int turn) {
  const int most = larger(p[0], larger(p[1], p[2])), least = smaller(p[0], smaller(p[1], p[2]));
  int hue = 0, strength = 0;
  if (most == least) return;
  to_hue(&hue, &strength, p, most, least);
  if (strength)
    from_hue(p, (hue + turn) & 0xff, strength, most);
  else
    memset(p, most, 3);
}

/* Angles are bytes, as Pillow's are. */
static skp_status hue(struct skp_image *image, struct skp_image *spare, double turn) {
  (void)spare;
  if (image->C < 3) return SKP_OK;
  for (uint8_t *p = image->pixels, *end = p + bytes_of(image); p < end; p += image->C) turn_hue(p, (int)(turn * 255));
  return SKP_OK;
}

/* ---- sharpness --------------------------------------------------------------------------------------------------- */

/* The mean of 3 × 3 pixels of which the middle one counts five times. p points to its
 * channel; stride: bytes from row to row. */
static int smooth(const uint8_t *p, int64_t stride, int C) {
  const uint8_t *above = p - stride, *below = p + stride;
  const int sum = above[-C] + above[0] + above[C] + p[-C] + 5 * p[0] + p[C] + below[-C] + below[0] + below[C];
  return (2 * sum + 13) / 26;
}

/* Pixels of the edge stay. */
static skp_status sharpness(struct skp_image *image, struct skp_image *spare, double factor) {
  const int C = image->C;
  const int64_t stride = (int64_t)image->W * C;
  SKP_TRY(skp__image_room(spare, image->H, image->W, C));
  memcpy(spare->pixels, image->pixels, (size_t)bytes_of(image));
  for (int y = 1; y < image->H - 1; y++)
    for (int64_t i = y * stride + C; i < (y + 1) * stride - C; i++) {
      const uint8_t *p = image->pixels + i;
      spare->pixels[i] = go(smooth(p, stride, C), *p, (float)factor);
    }
  skp__image_swap(image, spare);
  return SKP_OK;
}

/* ---- blur -------------------------------------------------------------------------------------------------------- */

enum { BLUR_REACH = 3 }; /* times sigma: what lies farther away weighs less than half a percent */

/* weight[k], k = 0 … reach: of a pixel that lies k pixels to either side; with both sides they make 1. */
static void set_weights(float *weight, int reach, double sigma) {
  double sum = 0;
  for (int k = -reach; k <= reach; k++) sum += exp(-0.5 * (k / sigma) * (k / sigma));
  for (int k = 0; k <= reach; k++) weight[k] = (float)(exp(-0.5 * (k / sigma) * (k / sigma)) / sum);
}

/* Row y blurred up and down. */
static void blur_down(float *restrict line, const struct skp_image *image, int y, const float *weight, int reach) {
  const int n = image->W * image->C;
  memset(line, 0, (size_t)n * sizeof *line);
  for (int k = -reach; k <= reach; k++) {
    const uint8_t *row = image->pixels + (int64_t)skp__reflected(y + k, image->H) * n;
    const float w = weight[abs(k)];
    for (int i = 0; i < n; i++) line[i] += w * (float)row[i];
  }
}

/* A line of W pixels blurred along itself, rounded. It is mirrored into the `reach` pixels of room at either end. */
static void blur_along(uint8_t *restrict out, float *restrict line, int W, int C, const float *weight, int reach) {
  for (int k = 1; k <= reach; k++) {
    memcpy(line - k * C, line + skp__reflected(-k, W) * C, (size_t)C * sizeof *line);
    memcpy(line + (W - 1 + k) * C, line + skp__reflected(W - 1 + k, W) * C, (size_t)C * sizeof *line);
  }
  for (int i = 0; i < W * C; i++) {
    float sum = weight[0] * line[i];
    for (int k = 1; k <= reach; k++) sum += weight[k] * (line[i - k * C] + line[i + k * C]);
    out[i] = to_byte(rintf(sum));
  }
}

static skp_status blur(struct skp_image *image, struct skp_image *spare, double sigma) {
  const int reach = (int)ceil(BLUR_REACH * sigma), W = image->W, C = image->C;
  float *room;
  SKP_TRY(skp__image_room(spare, image->H, W, C));
  SKP_TRY(skp__alloc(&room, (size_t)(W + 2 * reach) * (size_t)C + (size_t)reach + 1, sizeof *room));
  float *line = room + reach * C, *weight = line + (W + reach) * C;
  set_weights(weight, reach, sigma);
  for (int y = 0; y < image->H; y++) {
    blur_down(line, image, y, weight, reach);
    blur_along(spare->pixels + (int64_t)y * W * C, line, W, C, weight, reach);
  }
  free(room);
  skp__image_swap(image, spare);
  return SKP_OK;
}

/* ---- bytes by a table -------------------------------------------------------------------------------------------- */

static skp_status posterize(struct skp_image *image, struct skp_image *spare, double bits) {
  const int kept = 0xff & -(1 << (8 - (int)rint(bits)));
  (void)spare;
  for (int64_t i = 0, n = bytes_of(image); i < n; i++) image->pixels[i] &= (uint8_t)kept;
  return SKP_OK;
}

static skp_status solarize(struct skp_image *image, struct skp_image *spare, double least) {
  uint8_t table[SKP_LEVELS];
  (void)spare;
  for (int v = 0; v < SKP_LEVELS; v++) table[v] = (uint8_t)(v < least ? v : 255 - v);
  map_bytes(image->pixels, bytes_of(image), 1, table);
  return SKP_OK;
}

/* Makes a table from how often each value occurs in a channel; false: the channel stays. */
typedef bool table_maker(uint8_t table[SKP_LEVELS], const int64_t count[SKP_LEVELS]);

static void map_channels(struct skp_image *image, table_maker *make) {
  const int64_t n = (int64_t)image->H * image->W;
  for (int c = 0; c < image->C; c++) {
    int64_t count[SKP_LEVELS] = {0};
    uint8_t table[SKP_LEVELS], *p = image->pixels + c;
    for (int64_t i = 0; i < n; i++) count[p[i * image->C]]++;
    if (make(table, count)) map_bytes(p, n, image->C, table);
  }
}

/* The darkest value becomes 0, the brightest 255. */
static bool stretch(uint8_t table[SKP_LEVELS], const int64_t count[SKP_LEVELS]) {
  int low = 0, high = SKP_LEVELS - 1;
  while (low < high && !count[low]) low++;
  while (high > low && !count[high]) high--;
  if (high == low) return false;
  const double scale = 255.0 / (high - low), offset = -low * scale;
  for (int v = 0; v < SKP_LEVELS; v++) table[v] = (uint8_t)fmax(0, fmin(255, v * scale + offset));
  return true;
}

/* As many pixels between any two values as lie between them then. */
static bool level(uint8_t table[SKP_LEVELS], const int64_t count[SKP_LEVELS]) {
  int64_t sum = 0;
  int last = 0;
  for (int v = 0; v < SKP_LEVELS; v++)
    if (count[v]) sum += count[v], last = v;
  const int64_t step = (sum - count[last]) / 255;
  if (!step) return false;
  int64_t n = step / 2;
  for (int v = 0; v < SKP_LEVELS; n += count[v++]) table[v] = (uint8_t)(n / step < 255 ? n / step : 255);
  return true;
}

static skp_status autocontrast(struct skp_image *image, struct skp_image *spare, double unused) {
  (void)spare, (void)unused;
  map_channels(image, stretch);
  return SKP_OK;
}

static skp_status equalize(struct skp_image *image, struct skp_image *spare, double unused) {
  (void)spare, (void)unused;
  map_channels(image, level);
  return SKP_OK;
}

/* ---- moving ------------------------------------------------------------------------------------------------------ */

enum { ONE = 1 << 16, FARTHEST = 1 << 16 /* pixels: farther than any image is wide */ };

static int64_t fixed(double v) { return (int64_t)floor(v * ONE + 0.5); }

static void copy_pixel(uint8_t *to, const struct skp_image *from, int64_t x, int64_t y) {
  if (x < 0 || x >= from->W || y < 0 || y >= from->H) return;
  memcpy(to, from->pixels + (y * from->W + x) * from->C, (size_t)from->C);
}

/* The middle of pixel (x, y) comes from (m[0] x + m[1] y + m[2], m[3] x + m[4] y +
 * m[5]); in 16.16 fixed point, step by step, as Pillow. */
static skp_status move(struct skp_image *image, struct skp_image *spare, const double m[6]) {
  const int64_t right_x = fixed(m[0]), right_y = fixed(m[3]), down_x = fixed(m[1]), down_y = fixed(m[4]);
  const int64_t first_x = fixed(m[2] + m[0] * 0.5 + m[1] * 0.5), first_y = fixed(m[5] + m[3] * 0.5 + m[4] * 0.5);
  SKP_TRY(skp__image_room(spare, image->H, image->W, image->C));
  memset(spare->pixels, 0, (size_t)bytes_of(image));
  uint8_t *to = spare->pixels;
  for (int y = 0; y < image->H; y++)
    for (int x = 0; x < image->W; x++, to += image->C)
      copy_pixel(to, image, (first_x + x * right_x + y * down_x) >> 16, (first_y + x * right_y + y * down_y) >> 16);
  skp__image_swap(image, spare);
  return SKP_OK;
}

static skp_status shear_x(struct skp_image *image, struct skp_image *spare, double amount) {
  return move(image, spare, (const double[]){1, amount, 0, 0, 1, 0});
}

static skp_status shear_y(struct skp_image *image, struct skp_image *spare, double amount) {
  return move(image, spare, (const double[]){1, 0, 0, amount, 1, 0});
}

static skp_status translate_x(struct skp_image *image, struct skp_image *spare, double pixels) {
  return move(image, spare, (const double[]){1, 0, -trunc(pixels), 0, 1, 0});
}

static skp_status translate_y(struct skp_image *image, struct skp_image *spare, double pixels) {
  return move(image, spare, (const double[]){1, 0, 0, 0, 1, -trunc(pixels)});
}

static skp_status rotate(struct skp_image *image, struct skp_image *spare, double degrees) {
  const double angle = -degrees * (acos(-1) / 180), c = cos(angle), s = sin(angle);
  const double x = image->W / 2.0, y = image->H / 2.0;
  return move(image, spare, (const double[]){c, s, x - c * x - s * y, -s, c, y + s * x - c * y});
}

/* ------------------------------------------------------------------------------------------------------------------ */

skp_status skp__image_change(struct skp_image *image, struct skp_image *spare, const struct skp__change *change) {
  static const struct {
    skp_status (*make)(struct skp_image *, struct skp_image *, double);
    double least, most; /* amount; any augmentation stays within */
  } changes[SKP_CHANGE_KINDS] = {
      [SKP_BRIGHTNESS] = {brightness, 0, 11},
      [SKP_CONTRAST] = {contrast, 0, 11},
      [SKP_SATURATION] = {saturation, 0, 11},
      [SKP_HUE] = {hue, -1, 1},
      [SKP_SHARPNESS] = {sharpness, 0, 11},
      [SKP_POSTERIZE] = {posterize, 0, 8},
      [SKP_SOLARIZE] = {solarize, 0, SKP_LEVELS},
      [SKP_AUTOCONTRAST] = {autocontrast, 0, 0},
      [SKP_EQUALIZE] = {equalize, 0, 0},
      [SKP_SHEAR_X] = {shear_x, -2, 2},
      [SKP_SHEAR_Y] = {shear_y, -2, 2},
      [SKP_TRANSLATE_X] = {translate_x, -FARTHEST, FARTHEST},
      [SKP_TRANSLATE_Y] = {translate_y, -FARTHEST, FARTHEST},
      [SKP_ROTATE] = {rotate, -360, 360},
      [SKP_BLUR] = {blur, 1e-3, 16}, /* below that no other pixel weighs anything */
  };
  const double amount = fmin(fmax(change->amount, changes[change->kind].least), changes[change->kind].most);
  return changes[change->kind].make(image, spare, amount);
}
