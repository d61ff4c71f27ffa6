/* decode.c: pictures that nobody vouches for, of any format in formats.def. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/file.h"
#include "base/utf8.h"
#include "data/format.h"
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

/* Of a file whose name is shown as `shown`. */
static skp_status read_image(struct skp_image *out, const char *path, const char *shown, int channels) {
  void *bytes;
  int64_t size;
  SKP_TRY(skp__file_read(&bytes, &size, path, SKP_IMAGE_LARGEST));
  skp_status status = skp__image_decode(out, bytes, (size_t)size, shown, channels);
  free(bytes);
  return status;
}

static skp_status inspect_file(struct skp_image *out, const char *path, const char *shown) {
  char head[SKP_IMAGE_HEAD];
  void *bytes;
  int64_t size;
  SKP_TRY(skp__file_head(head, sizeof head, &size, path));
  skp_status status = skp__image_inspect_bytes(out, head, (size_t)size, shown);
  if (status == SKP_OK || size < SKP_IMAGE_HEAD) return status;
  SKP_TRY(skp__file_read(&bytes, &size, path, SKP_IMAGE_LARGEST));
  status = skp__image_inspect_bytes(out, bytes, (size_t)size, shown);
  free(bytes);
  return status;
}

skp_status skp__image_read(struct skp_image *out, const char *path, int channels) {
  char *shown;
  SKP_TRY(skp__utf8_shown(&shown, path));
  skp_status status = read_image(out, path, shown, channels);
  free(shown);
  return status;
}

skp_status skp__image_inspect(struct skp_image *out, const char *path) {
  char *shown;
  SKP_TRY(skp__utf8_shown(&shown, path));
  skp_status status = inspect_file(out, path, shown);
  free(shown);
  return status;
}
