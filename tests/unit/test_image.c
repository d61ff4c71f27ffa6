/* test_image.c: pictures of all formats, sound and damaged, against what Pillow makes of the same files; PNG and JPEG
 * in all their kinds as the libraries that read them write them. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/memory.h"
#include "data/image.h"
#include "folder.h"
#include <limits.h>
#include <spng.h>
#include <turbojpeg.h>
#include <zlib.h>

enum { H = 13, W = 21 };

struct file {
  uint8_t *at;
  size_t n;
};

static void free_file(struct file *f) {
  free(f->at);
  f->at = NULL;
}

static void check_grey(const uint8_t *grey, const uint8_t *rgb) {
  for (int i = 0; i < H * W; i++, rgb += 3)
    ck_assert_double_eq_tol(grey[i], 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2], 0.51);
}

/* Decodes into fresh memory; *out is NULL where that fails. */
static skp_status decode(uint8_t **out, int *h, int *w, const void *bytes, size_t size, const char *name,
                         int channels) {
  struct skp_image image = {.H = 0};
  skp_status status = skp__image_decode(&image, bytes, size, name, channels);
  *out = NULL;
  if (status == SKP_OK) {
    ck_assert_int_eq(image.C, channels);
    *out = image.pixels;
    *h = image.H;
    *w = image.W;
    image.pixels = NULL;
  }
  skp__image_free(&image);
  return status;
}

/* ---- PNG --------------------------------------------------------------------------------------------------------- */

static const struct png_kind {
  int type, depth, channels, interlaced;
} png_kinds[] = {
    {SPNG_COLOR_TYPE_GRAYSCALE, 1, 1, 0},        {SPNG_COLOR_TYPE_GRAYSCALE, 2, 1, 0},
    {SPNG_COLOR_TYPE_GRAYSCALE, 4, 1, 0},        {SPNG_COLOR_TYPE_GRAYSCALE, 8, 1, 0},
    {SPNG_COLOR_TYPE_GRAYSCALE, 16, 1, 0},       {SPNG_COLOR_TYPE_TRUECOLOR, 8, 3, 0},
    {SPNG_COLOR_TYPE_TRUECOLOR, 16, 3, 0},       {SPNG_COLOR_TYPE_INDEXED, 1, 1, 0},
    {SPNG_COLOR_TYPE_INDEXED, 2, 1, 0},          {SPNG_COLOR_TYPE_INDEXED, 4, 1, 0},
    {SPNG_COLOR_TYPE_INDEXED, 8, 1, 0},          {SPNG_COLOR_TYPE_GRAYSCALE_ALPHA, 8, 2, 0},
    {SPNG_COLOR_TYPE_GRAYSCALE_ALPHA, 16, 2, 0}, {SPNG_COLOR_TYPE_TRUECOLOR_ALPHA, 8, 4, 0},
    {SPNG_COLOR_TYPE_TRUECOLOR_ALPHA, 16, 4, 0}, {SPNG_COLOR_TYPE_TRUECOLOR, 8, 3, 1},
    {SPNG_COLOR_TYPE_GRAYSCALE, 1, 1, 1},
};

static int value(int h, int w, int c, int depth) {
  return (int)((unsigned)(h * 7919 + w * 104729 + c * 1299709) * 2654435761u >> 16) & ((1 << depth) - 1);
}

static uint8_t palette(int index, int c) { return (uint8_t)(index * (3 + 2 * c) + 40 * c); }

/* What channel c of a pixel looks like as a byte. */
static uint8_t want_png(const struct png_kind *k, int h, int w, int c) {
  if (k->type == SPNG_COLOR_TYPE_INDEXED) return palette(value(h, w, 0, k->depth), c);
  int v = value(h, w, k->channels < 3 ? 0 : c, k->depth);
  return (uint8_t)(k->depth == 16 ? v >> 8 : v * 255 / ((1 << k->depth) - 1));
}

static size_t pack_row(uint8_t *row, const struct png_kind *k, int h) {
  size_t bits = 0;
  memset(row, 0, W * 8);
  for (int w = 0; w < W; w++)
    for (int c = 0; c < k->channels; c++, bits += (size_t)k->depth) {
      int v = value(h, w, c, k->depth);
      if (k->depth == 16) row[bits / 8] = (uint8_t)(v >> 8), row[bits / 8 + 1] = (uint8_t)v;
      if (k->depth <= 8) row[bits / 8] |= (uint8_t)(v << (8 - k->depth - (int)(bits % 8)));
    }
  return (bits + 7) / 8;
}

static struct file encode_png(struct spng_ihdr *header, struct spng_plte *plte, struct spng_sbit *sbit,
                              const void *pixels, size_t n, int format) {
  spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
  struct file f;
  int error;
  spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1);
  ck_assert_int_eq(spng_set_ihdr(png, header), 0);
  if (plte) ck_assert_int_eq(spng_set_plte(png, plte), 0);
  if (sbit) ck_assert_int_eq(spng_set_sbit(png, sbit), 0);
  error = spng_encode_image(png, pixels, n, format, SPNG_ENCODE_FINALIZE);
  ck_assert_msg(!error, "%s", spng_strerror(error));
  f.at = spng_get_png_buffer(png, &f.n, &error);
  ck_assert_ptr_nonnull(f.at);
  spng_ctx_free(png);
  return f;
}

static struct file make_png(const struct png_kind *k) {
  uint8_t pixels[H * W * 8];
  struct spng_ihdr header = {.width = W,
                             .height = H,
                             .bit_depth = (uint8_t)k->depth,
                             .color_type = (uint8_t)k->type,
                             .interlace_method = (uint8_t)k->interlaced};
  struct spng_plte plte = {.n_entries = 1u << (k->depth < 8 ? k->depth : 8)};
  for (uint32_t i = 0; i < plte.n_entries; i++)
    plte.entries[i] = (struct spng_plte_entry){palette((int)i, 0), palette((int)i, 1), palette((int)i, 2), 0};
  size_t n = 0;
  for (int h = 0; h < H; h++) n += pack_row(pixels + n, k, h);
  return encode_png(&header, k->type == SPNG_COLOR_TYPE_INDEXED ? &plte : NULL, NULL, pixels, n, SPNG_FMT_RAW);
}

static void check_png(const struct png_kind *k, const uint8_t *rgb) {
  for (int i = 0; i < 3 * H * W; i++) ck_assert_int_eq(rgb[i], want_png(k, i / 3 / W, i / 3 % W, i % 3));
}

START_TEST(png) {
  const struct png_kind *k = &png_kinds[_i];
  struct file f = make_png(k);
  uint8_t *rgb, *grey;
  int h, w;
  ck_ok(decode(&rgb, &h, &w, f.at, f.n, "PNG", 3));
  ck_assert(h == H && w == W);
  ck_ok(decode(&grey, &h, &w, f.at, f.n, "PNG", 1));
  ck_assert(h == H && w == W);
  check_png(k, rgb);
  check_grey(grey, rgb);
  free(rgb);
  free(grey);
  free_file(&f);
}
END_TEST

/* Data of 12 bits in 16, whose file says so: as they come from the sensor, moved up, moved up with their upper bits
 * below, and without a word. */
static const struct {
  int bits, up, repeated,
      shown; /* the bits told, how far the data are moved up, whether they are repeated, the shift to a byte */
} deep[] = {{12, 0, 0, 4}, {12, 4, 0, 8}, {12, 4, 1, 8}, {0, 0, 0, 8}, {16, 0, 0, 8}, {10, 6, 0, 8}, {6, 0, 0, -2}};

START_TEST(png_deep) {
  const int told = deep[_i].bits, bits = told && told < 16 ? told : 12;
  for (int channels = 1; channels <= 4; channels++) {
    uint16_t pixels[H * W * 4];
    uint8_t *rgb;
    int h, w, colour = channels == 2 || channels == 4 ? 4 : 0;
    for (int i = 0; i < H * W * channels; i++) {
      unsigned v = (unsigned)i * 2654435761u >> 7 & ((1u << bits) - 1), moved = v << deep[_i].up;
      pixels[i] = (uint16_t)(moved | (deep[_i].repeated ? v >> (bits - deep[_i].up) : 0));
    }
    struct spng_ihdr header = {
        .width = W, .height = H, .bit_depth = 16, .color_type = (uint8_t)(channels < 3 ? colour : colour | 2)};
    struct spng_sbit sbit = {(uint8_t)told, (uint8_t)told, (uint8_t)told, (uint8_t)told, 16};
    struct file f =
        encode_png(&header, NULL, told ? &sbit : NULL, pixels, (size_t)(H * W * channels * 2), SPNG_FMT_PNG);
    ck_ok(decode(&rgb, &h, &w, f.at, f.n, "PNG", 3));
    for (int i = 0; i < 3 * H * W; i++) {
      unsigned v = pixels[i / 3 * channels + (channels < 3 ? 0 : i % 3)];
      ck_assert_int_eq(rgb[i], (int)(deep[_i].shown < 0 ? v << -deep[_i].shown : v >> deep[_i].shown) & 255);
    }
    free(rgb);
    free_file(&f);
  }
}
END_TEST

/* All channels are moved up, or none: also one of round values, and a black one. */
START_TEST(png_deep_channels) {
  const uint16_t low[3] = {0xfff, 0x800, 0}, high[3] = {0xfff0, 0x0800, 0};
  const uint8_t shown[2][3] = {{0xff, 0x80, 0}, {0xff, 0x08, 0}};
  struct spng_ihdr header = {.width = 1, .height = 1, .bit_depth = 16, .color_type = SPNG_COLOR_TYPE_TRUECOLOR};
  struct spng_sbit sbit = {12, 12, 12, 12, 16};
  for (int i = 0; i < 2; i++) {
    uint8_t *rgb;
    int h, w;
    struct file f = encode_png(&header, NULL, &sbit, i ? high : low, sizeof low, SPNG_FMT_PNG);
    ck_ok(decode(&rgb, &h, &w, f.at, f.n, "PNG", 3));
    ck_assert_mem_eq(rgb, shown[i], 3);
    free(rgb);
    free_file(&f);
  }
}
END_TEST

/* Every beginning of a PNG up to its last picture data is an error; every flipped byte
 * is an error or spoils nothing. */
START_TEST(png_damaged) {
  struct file f = make_png(&png_kinds[5]);
  uint8_t *pixels;
  int h, w;
  for (size_t n = 0; n < f.n - 16; n++) {
    uint8_t *part = malloc(n ? n : 1); /* its exact size, so that a read beyond it is seen */
    memcpy(part, f.at, n);
    ck_fails(decode(&pixels, &h, &w, part, n, "FILE", 3), SKP_FORMAT, "FILE ");
    ck_assert_ptr_null(pixels);
    free(part);
  }
  for (size_t i = 0; i < f.n; i++) {
    f.at[i] ^= 0x55;
    if (decode(&pixels, &h, &w, f.at, f.n, "FILE", 3) == SKP_OK) {
      ck_assert_int_gt((int)i, (int)f.n - 24); /* the checksum, the end mark and a few unused bits */
      check_png(&png_kinds[5], pixels);
    }
    free(pixels);
    f.at[i] ^= 0x55;
  }
  free_file(&f);
}
END_TEST

static void put32(uint8_t *at, uint32_t v) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(v >> (24 - 8 * i));
}

static const struct {
  uint32_t w, h;
  const char *text;
} bombs[] = {
    {16385, 16385, "16385 × 16385 pixels; at most 268435456"},
    {1 << 28, 2, "at most 268435456"},
    {0x7fffffff, 0x7fffffff, "FILE cannot be decoded"},
    {0, 5, "FILE cannot be decoded"},
    {0x80000000, 1, "FILE cannot be decoded"},
    {16384, 16384, "FILE "}, /* allowed, but the data end at once */
};

START_TEST(png_bomb) {
  struct file f = make_png(&png_kinds[5]);
  uint8_t *pixels;
  int h, w;
  put32(f.at + 16, bombs[_i].w);
  put32(f.at + 20, bombs[_i].h);
  put32(f.at + 29, (uint32_t)crc32(crc32(0, NULL, 0), f.at + 12, 17));
  ck_fails(decode(&pixels, &h, &w, f.at, f.n, "FILE", 3), SKP_FORMAT, bombs[_i].text);
  free_file(&f);
}
END_TEST

/* ---- JPEG -------------------------------------------------------------------------------------------------------- */

static const struct jpeg_kind {
  int format, subsampling, flags;
} jpeg_kinds[] = {
    {TJPF_GRAY, TJSAMP_GRAY, 0}, {TJPF_RGB, TJSAMP_444, 0},  {TJPF_RGB, TJSAMP_422, 0},
    {TJPF_RGB, TJSAMP_420, 0},   {TJPF_RGB, TJSAMP_440, 0},  {TJPF_RGB, TJSAMP_GRAY, 0},
    {TJPF_CMYK, TJSAMP_444, 0},  {TJPF_CMYK, TJSAMP_420, 0}, {TJPF_RGB, TJSAMP_420, TJFLAG_PROGRESSIVE},
};

/* A smooth picture, which JPEG keeps well. */
static int smooth(int h, int w, int c) { return 60 + 9 * h - 3 * w + 15 * c; }

static struct file make_jpeg(const struct jpeg_kind *k) {
  uint8_t pixels[H * W * 4];
  int channels = tjPixelSize[k->format];
  for (int i = 0; i < H * W * channels; i++)
    pixels[i] = (uint8_t)(i % channels < 3 ? smooth(i / channels / W, i / channels % W, i % channels) : 230);
  tjhandle jpeg = tjInitCompress();
  unsigned char *at = NULL;
  unsigned long n = 0;
  ck_assert_int_eq(tjCompress2(jpeg, pixels, W, 0, H, k->format, &at, &n, k->subsampling, 100, k->flags), 0);
  struct file f = {malloc(n), n};
  memcpy(f.at, at, n);
  tjFree(at);
  tjDestroy(jpeg);
  return f;
}

static double want_jpeg(const struct jpeg_kind *k, int h, int w, int c) {
  if (k->format == TJPF_GRAY) return smooth(h, w, 0);
  if (k->format == TJPF_CMYK) return smooth(h, w, c) * 230 / 255.0;
  if (k->subsampling == TJSAMP_GRAY) return smooth(h, w, 0) * 0.299 + smooth(h, w, 1) * 0.587 + smooth(h, w, 2) * 0.114;
  return smooth(h, w, c);
}

START_TEST(jpeg) {
  const struct jpeg_kind *k = &jpeg_kinds[_i];
  struct file f = make_jpeg(k);
  uint8_t *rgb, *grey;
  int h, w;
  ck_ok(decode(&rgb, &h, &w, f.at, f.n, "JPEG", 3));
  ck_assert(h == H && w == W);
  ck_ok(decode(&grey, &h, &w, f.at, f.n, "JPEG", 1));
  for (h = 0; h < H; h++)
    for (w = 0; w < W; w++)
      for (int c = 0; c < 3; c++) ck_assert_double_eq_tol(rgb[3 * (h * W + w) + c], want_jpeg(k, h, w, c), 3.5);
  check_grey(grey, rgb);
  free(rgb);
  free(grey);
  free_file(&f);
}
END_TEST

START_TEST(jpeg_truncated) {
  struct file f = make_jpeg(&jpeg_kinds[_i]);
  uint8_t *pixels;
  int h, w;
  for (size_t n = 0; n < f.n - 2; n++) {
    uint8_t *part = malloc(n ? n : 1);
    memcpy(part, f.at, n);
    ck_fails(decode(&pixels, &h, &w, part, n, "FILE", 3), SKP_FORMAT, "FILE ");
    ck_assert_ptr_null(pixels);
    free(part);
  }
  free_file(&f);
}
END_TEST

/* What a damaged file leaves behind does not reach the next one that is read into the same image. */
START_TEST(jpeg_after_damage) {
  struct file f = make_jpeg(&jpeg_kinds[1]);
  struct skp_image image = {.H = 0};
  uint8_t *want;
  int h, w;
  ck_ok(decode(&want, &h, &w, f.at, f.n, "FILE", 3));
  for (size_t n = 4; n < f.n - 2; n++) {
    ck_fails(skp__image_decode(&image, f.at, n, "FILE", 3), SKP_FORMAT, "FILE ");
    ck_ok(skp__image_decode(&image, f.at, f.n, "FILE", 3));
    ck_assert_mem_eq(image.pixels, want, H * W * 3);
  }
  skp__image_free(&image);
  free(want);
  free_file(&f);
}
END_TEST

/* Bytes flipped one by one: an error or a picture of the right size, and never a read out of bounds. */
START_TEST(jpeg_damaged) {
  struct file f = make_jpeg(&jpeg_kinds[3]);
  int errors = 0;
  for (size_t i = 0; i < f.n; i++) {
    uint8_t *pixels;
    int h, w;
    f.at[i] ^= 0x55;
    if (decode(&pixels, &h, &w, f.at, f.n, "FILE", 3) != SKP_OK) errors++;
    free(pixels);
    f.at[i] ^= 0x55;
  }
  ck_assert_int_gt(errors, 20);
  free_file(&f);
}
END_TEST

static size_t find_marker(const struct file *f, uint8_t marker) {
  for (size_t i = 0; i + 1 < f->n; i++)
    if (f->at[i] == 0xff && f->at[i + 1] == marker) return i;
  ck_abort_msg("no marker %02x", marker);
  return 0;
}

START_TEST(jpeg_bomb) {
  struct file f = make_jpeg(&jpeg_kinds[1]);
  uint8_t *pixels;
  int h, w;
  size_t frame = find_marker(&f, 0xc0);
  memset(f.at + frame + 5, 0xfd, 4); /* height and width */
  ck_fails(decode(&pixels, &h, &w, f.at, f.n, "FILE", 3), SKP_FORMAT, "65021 × 65021 pixels; at most");
  free_file(&f);
}
END_TEST

/* A grey picture of so many progressive scans, each of a few bytes: one code tells that 32767 blocks bring nothing. */
static struct file make_scans(int side, int scans) {
  static const uint8_t start[] = {0xff, 0xd8, 0xff, 0xc4, 0, 20, 0x10, 0, 1, 0, 0, 0,
                                  0,    0,    0,    0,    0, 0,  0,    0, 0, 0, 0, 0xe0};
  const uint8_t frame[] = {0xff,          0xc2, 0, 11,   8, (uint8_t)(side >> 8), (uint8_t)side, (uint8_t)(side >> 8),
                           (uint8_t)side, 1,    1, 0x11, 0};
  static const uint8_t scan[] = {0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0}, quantiser[] = {0xff, 0xdb, 0, 67, 0};
  const int runs = side / 8 * (side / 8) / 32767 + 1;
  struct skp__memory m;
  ck_assert(skp__memory_open(&m));
  FILE *to = m.to;
  fwrite(start, 1, sizeof start, to);
  fwrite(quantiser, 1, sizeof quantiser, to);
  for (int i = 0; i < 64; i++) fputc(1, to);
  fwrite(frame, 1, sizeof frame, to);
  for (int s = 0; s < scans; s++) {
    fwrite(scan, 1, sizeof scan, to);
    for (int r = 0; r < runs; r++) fwrite("\x3f\xff", 1, 3, to); /* a zero is put after each byte of ones */
  }
  fwrite("\xff\xd9", 1, 2, to);
  ck_assert(skp__memory_close(&m));
  return (struct file){(uint8_t *)m.text, m.bytes};
}

/* Each scan goes over the whole picture, so a small file can hold hours of work. */
static const struct {
  int side, scans;
  const char *error; /* NULL: it is decoded */
} scans[] = {{64, 500, NULL}, {64, 501, "It has more than 500 scans"}, {8192, 129, "It has more than 128 scans"}};
START_TEST(jpeg_scans) {
  struct file f = make_scans(scans[_i].side, scans[_i].scans);
  uint8_t *pixels;
  int h, w;
  skp_status status = decode(&pixels, &h, &w, f.at, f.n, "FILE", 3);
  if (scans[_i].error)
    ck_fails(status, SKP_FORMAT, scans[_i].error);
  else
    ck_ok(status);
  free(pixels);
  free_file(&f);
}
END_TEST

/* Padding before the end mark, as some cameras write it, is no damage. */
START_TEST(jpeg_padded) {
  struct file f = make_jpeg(&jpeg_kinds[1]), padded = {malloc(f.n + 8), f.n + 8};
  memcpy(padded.at, f.at, f.n - 2);
  memset(padded.at + f.n - 2, 0, 8);
  memcpy(padded.at + f.n + 6, f.at + f.n - 2, 2);
  uint8_t *want, *got;
  int h, w;
  ck_ok(decode(&want, &h, &w, f.at, f.n, "FILE", 3));
  ck_ok(decode(&got, &h, &w, padded.at, padded.n, "FILE", 3));
  ck_assert_mem_eq(got, want, (size_t)h * (size_t)w * 3);
  free(want);
  free(got);
  free_file(&f);
  free_file(&padded);
}
END_TEST

/* ---- against Pillow ---------------------------------------------------------------------------------------------- */

static const struct stored {
  const char *name;
  bool refused;
  int W, H;
  uint32_t rgb, grey;
} stored[] = {
#define PICTURE(name, W, H, rgb, grey) {name, false, W, H, rgb, grey},
#define REFUSED(name)                  {name, true, 0, 0, 0, 0},
#include "pictures.def"
#undef PICTURE
#undef REFUSED
};

static uint32_t sum_of(const struct skp_image *image) {
  return (uint32_t)crc32(crc32(0, NULL, 0), image->pixels, (uInt)(image->H * image->W * image->C));
}

static const char *source_dir(void) {
  const char *root = getenv("SKP_SOURCE_DIR");
  return root ? root : ".";
}

START_TEST(as_pillow) {
  const struct stored *s = &stored[_i];
  struct skp_image image = {.H = 0};
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/tests/fuzz/corpus/image/%s", source_dir(), s->name);
  if (s->refused) {
    ck_fails(skp__image_read(&image, path, 3), SKP_FORMAT, s->name);
  } else {
    ck_ok(skp__image_inspect(&image, path));
    ck_assert_msg(image.W == s->W && image.H == s->H, "%s: %d × %d", s->name, image.W, image.H);
    ck_ok(skp__image_read(&image, path, 3));
    ck_assert_msg(image.W == s->W && image.H == s->H, "%s: %d × %d", s->name, image.W, image.H);
    ck_assert_msg(sum_of(&image) == s->rgb, "%s has other colours", s->name);
    ck_ok(skp__image_read(&image, path, 1));
    ck_assert_msg(sum_of(&image) == s->grey, "%s has other greys", s->name);
  }
  skp__image_free(&image);
}
END_TEST

START_TEST(endings) {
  static const char *const pictures[] = {"a.jpg",  "b.JPEG", "c.jpe", "d.jfif", "e.png",
                                         "f.webp", "g.gif",  "h.tif", "i.TIFF", "x.y/j.bmp"};
  static const char *const others[] = {"a.txt", "jpg", ".", "", "b.jp", "c.jpgg", "d.jpg.zip", "e. ", "f.jpg "};
  for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) ck_assert(skp__image_named(pictures[i]));
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) ck_assert(!skp__image_named(others[i]));
  ck_assert_str_eq(skp__image_formats(), "JPEG, PNG, WebP, GIF, TIFF, BMP");
  ck_assert_str_eq(skp__image_endings(), ".jpg .jpeg .jpe .jfif .png .webp .gif .tif .tiff .bmp");
}
END_TEST

/* The README tells of the formats that there are, and the page about pictures of the endings of each. */
START_TEST(documents) {
  static const char *const needed[][2] = {
      {"README.md", "JPEG, PNG, WebP, GIF, TIFF, BMP"},
#define FORMAT(name, reader, endings, ...) {"docs/pictures.md", "| " name " | " endings " |"},
#include "data/formats.def"
#undef FORMAT
  };
  for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
    char path[PATH_MAX];
    void *text;
    int64_t n;
    snprintf(path, sizeof path, "%s/%s", source_dir(), needed[i][0]);
    ck_ok(skp__file_read(&text, &n, path, 1 << 20));
    ck_assert_msg(strstr(text, needed[i][1]), "%s lacks %s", path, needed[i][1]);
    free(text);
  }
}
END_TEST

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void save(const char *path, const void *bytes, size_t n) {
  ck_ok(skp__file_write_atomic(path, &(struct skp__file_part){bytes, (int64_t)n}, 1));
}

START_TEST(files) {
  const char *const path = in("picture");
  struct skp_image image = {.H = 0};
  save(path, "", 0);
  ck_fails(skp__image_read(&image, path, 3), SKP_FORMAT,
           "no picture of the formats that can be read (JPEG, PNG, WebP, GIF, TIFF, BMP); it is empty");
  save(path, "GIF89a", 6);
  ck_fails(skp__image_read(&image, path, 3), SKP_FORMAT, path);
  struct file f = make_png(&png_kinds[3]);
  save(path, f.at, f.n);
  ck_fails(skp__image_read(&image, path, 2), SKP_UNSUPPORTED, "1 or 3 channels");
  ck_ok(skp__image_inspect(&image, path));
  ck_assert(image.H == H && image.W == W && image.C == 1);
  ck_ok(skp__image_read(&image, path, 1));
  ck_assert_int_eq(image.pixels[1], want_png(&png_kinds[3], 0, 1, 0));
  free_file(&f);
  ck_assert_int_eq(unlink(path), 0);
  ck_fails(skp__image_read(&image, path, 3), SKP_IO, "No such file");
  skp__image_free(&image);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void) {
  Suite *suite = suite_create("image");
  TCase *c = tcase_create("image");
  tcase_set_timeout(c, 60);
  tcase_add_loop_test(c, png, 0, COUNT(png_kinds));
  tcase_add_loop_test(c, png_deep, 0, COUNT(deep));
  tcase_add_test(c, png_deep_channels);
  tcase_add_test(c, png_damaged);
  tcase_add_loop_test(c, png_bomb, 0, COUNT(bombs));
  tcase_add_loop_test(c, jpeg, 0, COUNT(jpeg_kinds));
  tcase_add_loop_test(c, jpeg_truncated, 0, COUNT(jpeg_kinds));
  tcase_add_test(c, jpeg_after_damage);
  tcase_add_test(c, jpeg_damaged);
  tcase_add_test(c, jpeg_bomb);
  tcase_add_loop_test(c, jpeg_scans, 0, COUNT(scans));
  tcase_add_test(c, jpeg_padded);
  tcase_add_loop_test(c, as_pillow, 0, COUNT(stored));
  tcase_add_test(c, endings);
  tcase_add_test(c, documents);
  suite_add_tcase(suite, c);
  TCase *on_disk = tcase_create("files");
  tcase_add_checked_fixture(on_disk, make_folder, remove_folder);
  tcase_add_test(on_disk, files);
  suite_add_tcase(suite, on_disk);
  return skp__test_main(suite);
}
