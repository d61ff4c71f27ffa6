/* decode.c: pictures that nobody vouches for, of any format in formats.def. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/file.h"
#include "base/utf8.h"
#include "data/format.h"
#include "io/tar.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- the table of formats ---------------------------------------------------------------------------------------- */

struct signature {
  const char *bytes;
  size_t n;
};

static const struct format {
  const char *endings;
  struct signature signature[4];
  skp_status (*inspect)(struct skp_image *image, const struct skp__file *f);
  skp_status (*decode)(struct skp_image *image, const struct skp__file *f);
} formats[] = {
#define SIGNATURE(bytes)                                                                                               \
  { bytes, sizeof bytes - 1 }
#define FORMAT(name, reader, endings, ...) {endings, {__VA_ARGS__}, skp__inspect_##reader, skp__decode_##reader},
#include "data/formats.def"
#undef FORMAT
#undef SIGNATURE
};

const char *skp__image_formats(void) {
  return &""
#define FORMAT(name, ...) ", " name
#include "data/formats.def"
#undef FORMAT
      [2];
}

const char *skp__image_endings(void) {
  return &""
#define FORMAT(name, reader, endings, ...) " " endings
#include "data/formats.def"
#undef FORMAT
      [1];
}

bool skp__image_named(const char *name) {
  const char *ending = strrchr(name, '.');
  size_t n = ending ? strlen(ending) : 0;
  for (const char *at = skp__image_endings(); n && *at; at += strspn(at, " ")) {
    size_t length = strcspn(at, " ");
    if (n == length && !strncasecmp(at, ending, n)) return true;
    at += length;
  }
  return false;
}

static bool begins_with(const struct skp__file *f, const struct signature *s) {
  bool same = s->n && f->size >= s->n;
  for (size_t i = 0; same && i < s->n; i++) same = s->bytes[i] == '?' || (uint8_t)s->bytes[i] == f->bytes[i];
  return same;
}

static skp_status find_format(const struct format **out, const struct skp__file *f) {
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    *out = &formats[i];
    for (size_t k = 0; k < sizeof formats->signature / sizeof *formats->signature; k++)
      if (begins_with(f, &formats[i].signature[k])) return SKP_OK;
  }
  return skp__fail(SKP_FORMAT, "%s is no picture of the formats that can be read (%s)%s.", f->name,
                   skp__image_formats(), f->size ? "" : "; it is empty");
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

skp_status skp__image_inspect_bytes(struct skp_image *out, const void *bytes, size_t size, const char *name) {
  const struct skp__file f = {bytes, size, name};
  const struct format *format;
  SKP_TRY(find_format(&format, &f));
  return format->inspect(out, &f);
}

skp_status skp__image_decode(struct skp_image *out, const void *bytes, size_t size, const char *name, int channels) {
  const struct skp__file f = {bytes, size, name};
  const struct format *format;
  if (channels != 1 && channels != 3)
    return skp__fail(SKP_UNSUPPORTED, "%s: images are decoded to 1 or 3 channels, not %d.", name, channels);
  SKP_TRY(find_format(&format, &f));
  SKP_TRY(format->decode(out, &f));
  return skp__image_set_channels(out, channels);
}

/* Where a picture's bytes lie. */
struct place {
  const char *path, *shown; /* of the file to open; what the picture is called */
  int64_t position;         /* of its header, where that file is an archive; -1: it is the picture */
};

static skp_status read_whole(void **out, int64_t *size, const struct place *p) {
  int64_t whole;
  if (p->position < 0) return skp__file_read(out, size, p->path, SKP_IMAGE_LARGEST);
  SKP_TRY(skp__tar_read(out, size, &whole, p->path, p->position, SKP_IMAGE_LARGEST));
  if (whole == *size) return SKP_OK;
  free(*out);
  *out = NULL;
  return skp__fail(SKP_FORMAT, "%s has %lld bytes; at most %lld are read.", p->shown, (long long)whole,
                   (long long)SKP_IMAGE_LARGEST);
}

static skp_status read_head(void **out, int64_t *size, int64_t *whole, const struct place *p) {
  if (p->position < 0) return skp__file_start(out, size, whole, p->path, SKP_IMAGE_HEAD);
  return skp__tar_read(out, size, whole, p->path, p->position, SKP_IMAGE_HEAD);
}

static skp_status read_at(struct skp_image *out, const struct place *p, int channels) {
  void *bytes;
  int64_t size;
  SKP_TRY(read_whole(&bytes, &size, p));
  skp_status status = skp__image_decode(out, bytes, (size_t)size, p->shown, channels);
  free(bytes);
  return status;
}

/* Headers end within the first bytes but for those with large profiles or previews, or that lie at the end. */
static skp_status inspect_at(struct skp_image *out, const struct place *p) {
  void *bytes;
  int64_t size, whole;
  SKP_TRY(read_head(&bytes, &size, &whole, p));
  skp_status status = skp__image_inspect_bytes(out, bytes, (size_t)size, p->shown);
  free(bytes);
  if (status == SKP_OK || size == whole) return status;
  SKP_TRY(read_whole(&bytes, &size, p));
  status = skp__image_inspect_bytes(out, bytes, (size_t)size, p->shown);
  free(bytes);
  return status;
}

skp_status skp__image_read(struct skp_image *out, const char *path, int channels) {
  char *shown;
  SKP_TRY(skp__utf8_shown(&shown, path));
  skp_status status = read_at(out, &(struct place){path, shown, -1}, channels);
  free(shown);
  return status;
}

skp_status skp__image_inspect(struct skp_image *out, const char *path) {
  char *shown;
  SKP_TRY(skp__utf8_shown(&shown, path));
  skp_status status = inspect_at(out, &(struct place){path, shown, -1});
  free(shown);
  return status;
}

skp_status skp__image_read_within(struct skp_image *out, const char *archive, int64_t position, const char *name,
                                  int channels) {
  return read_at(out, &(struct place){archive, name, position}, channels);
}

skp_status skp__image_inspect_within(struct skp_image *out, const char *archive, int64_t position, const char *name) {
  return inspect_at(out, &(struct place){archive, name, position});
}
