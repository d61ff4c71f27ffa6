/* idx.c: IDX files, the format of MNIST and its family. SPDX-License-Identifier: MIT
 *
 * A file is 0, 0, type (8: unsigned bytes), rank, then `rank` sizes as big-endian 32-bit numbers, then the values, the last dimension
 * running fastest. zlib's gz functions read plain and gzip files alike, whatever their names say. */
#include "base/array.h"
#include "base/file.h"
#include "data/data.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define MAX_BYTES ((int64_t)1 << 32)

/* ---- one file ---------------------------------------------------------------------------------------------------- */

struct reader {
  gzFile file;
  const char *path;
  int64_t disk_bytes; /* the file's size on disk */
};

static skp_status open_reader(struct reader *r, const char *path) {
  struct stat st;
  if (stat(path, &st)) return skp__fail(SKP_IO, "Cannot open %s: %s.", path, strerror(errno));
  if (!S_ISREG(st.st_mode)) return skp__fail(SKP_IO, "%s is not a regular file.", path);
  if (st.st_size > MAX_BYTES)
    return skp__fail(SKP_FORMAT, "%s has %lld bytes; an IDX file may have 4 GiB at most.", path, (long long)st.st_size);
  *r = (struct reader){gzopen(path, "rb"), path, st.st_size};
  if (!r->file) return skp__fail(SKP_IO, "Cannot open %s: %s.", path, strerror(errno ? errno : ENOMEM));
  gzbuffer(r->file, 1 << 17);
  return SKP_OK;
}

/* Reads up to n bytes and tells how many there were; damage is an error, an early end is not. */
static skp_status read_bytes(struct reader *r, void *out, int64_t n, int64_t *got) {
  enum { PIECE = 1 << 30 };
  *got = 0;
  for (int piece = 1; piece > 0 && *got<n; *got += piece> 0 ? piece : 0)
    piece = gzread(r->file, (char *)out + *got, (unsigned)(n - *got < PIECE ? n - *got : PIECE));
  int error;
  const char *text = gzerror(r->file, &error);
  if (error == Z_OK) return SKP_OK;
  if (error == Z_ERRNO) return skp__fail(SKP_IO, "Cannot read %s: %s.", r->path, strerror(errno));
  if (error == Z_BUF_ERROR)
    return skp__fail(SKP_FORMAT, "%s is truncated: its gzip data end too early. Fetch the file again.", r->path);
  return skp__fail(SKP_FORMAT, "%s is damaged: %s. Fetch the file again.", r->path, text);
}

/* Reads and checks the header; *bytes is the size of the values that must follow. */
static skp_status read_header(struct reader *r, struct skp_idx *idx, int rank, int64_t *bytes) {
  uint8_t head[4 + 4 * 3];
  int64_t size = 4 + 4 * rank, got;
  SKP_TRY(read_bytes(r, head, size, &got));
  if (got < size)
    return skp__fail(SKP_FORMAT, "%s is truncated: it has %lld of the header's %lld bytes.", r->path, (long long)got,
                     (long long)size);
  const uint8_t magic[4] = {0, 0, 8, (uint8_t)rank};
  if (memcmp(head, magic, sizeof magic))
    return skp__fail(SKP_FORMAT,
                     "%s begins with the bytes %02x %02x %02x %02x; an IDX file of unsigned bytes with %d dimension%s "
                     "begins with 00 00 08 %02x.",
                     r->path, head[0], head[1], head[2], head[3], rank, rank > 1 ? "s" : "", (unsigned)rank);
  *bytes = 1;
  for (int i = 0; i < 3; i++) {
    const uint8_t *b = head + 4 + 4 * i;
    idx->dim[i] = i < rank ? (int64_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3] : 1;
    if (!idx->dim[i]) return skp__fail(SKP_FORMAT, "%s: dimension %d is 0.", r->path, i);
    if (idx->dim[i] > MAX_BYTES / *bytes)
      return skp__fail(SKP_FORMAT, "%s: its header tells of more than 4 GiB of values.", r->path);
    *bytes *= idx->dim[i];
  }
  return SKP_OK;
}

/* Refuses a header that promises more than the file can hold, before memory is asked for. */
static skp_status check_size(struct reader *r, int rank, int64_t bytes) {
  enum { DEFLATE_BEST = 1032 }; /* no deflate stream grows by more */
  int64_t plain = r->disk_bytes - 4 - 4 * rank;
  if (gzdirect(r->file) ? plain == bytes : r->disk_bytes >= bytes / DEFLATE_BEST) return SKP_OK;
  if (gzdirect(r->file))
    return skp__fail(SKP_FORMAT, "%s holds %lld bytes of values, but its header tells of %lld.", r->path,
                     (long long)plain, (long long)bytes);
  return skp__fail(SKP_FORMAT,
                   "%s has %lld bytes, which cannot hold the %lld bytes of values that its header tells of.", r->path,
                   (long long)r->disk_bytes, (long long)bytes);
}

static skp_status read_values(struct reader *r, uint8_t *values, int64_t bytes) {
  int64_t got, more;
  uint8_t extra;
  SKP_TRY(read_bytes(r, values, bytes, &got));
  if (got < bytes)
    return skp__fail(SKP_FORMAT, "%s is truncated: it holds %lld bytes of values, but its header tells of %lld.",
                     r->path, (long long)got, (long long)bytes);
  SKP_TRY(read_bytes(r, &extra, 1, &more)); /* to the end, where gzip's checksum stands */
  return more ? skp__fail(SKP_FORMAT, "%s goes on after the %lld bytes of values that its header tells of.", r->path,
                          (long long)bytes)
              : SKP_OK;
}

static skp_status read_open(struct reader *r, struct skp_idx *out, int rank) {
  int64_t bytes = 0;
  SKP_TRY(read_header(r, out, rank, &bytes));
  SKP_TRY(check_size(r, rank, bytes));
  SKP_TRY(skp__alloc(&out->values, (size_t)bytes, 1));
  return read_values(r, out->values, bytes);
}

skp_status skp__idx_read(struct skp_idx *out, const char *path, int rank) {
  struct reader r;
  *out = (struct skp_idx){0};
  SKP_TRY(open_reader(&r, path));
  skp_status status = read_open(&r, out, rank);
  gzclose(r.file);
  if (status != SKP_OK) {
    free(out->values);
    out->values = NULL;
  }
  return status;
}

/* ---- a folder ---------------------------------------------------------------------------------------------------- */

struct idx_source {
  struct skp_source base;
  struct skp_idx images, labels;
};

/* The usual names: %s is the split, then what the file holds. */
static const char *const name_forms[] = {"%s-images-idx3-ubyte", "%s-images.idx3-ubyte", "%s-labels-idx1-ubyte",
                                         "%s-labels.idx1-ubyte"};
static const char *const endings[] = {"", ".gz"};
static const char *const splits[] = {[SKP_SPLIT_TRAIN] = "train", [SKP_SPLIT_TEST] = "t10k"};
enum part { IMAGES, LABELS };

/* The path of a part under the first of its names that exists, or NULL. */
static skp_status find_part(char **out, const char *folder, skp_split split, enum part part) {
  *out = NULL;
  for (int i = 0; i < 4; i++) {
    char stem[64], *path;
    snprintf(stem, sizeof stem, name_forms[2 * part + i / 2], splits[split]);
    SKP_TRY(skp__format(&path, "%s/%s%s", folder, stem, endings[i % 2]));
    if (skp__file_exists(path)) {
      *out = path;
      return SKP_OK;
    }
    free(path);
  }
  return SKP_OK;
}

bool skp__source_idx_found(const char *folder) {
  bool found = false;
  for (int i = 0; i < 4 && !found; i++) {
    char *path = NULL;
    found = find_part(&path, folder, (skp_split)(i / 2), (enum part)(i % 2)) == SKP_OK && path;
    free(path);
  }
  return found;
}

static skp_status image(const struct skp_source *source, int64_t i, struct skp_image *out, int32_t *label) {
  const struct idx_source *s = (const struct idx_source *)source;
  size_t bytes = (size_t)s->base.H * (size_t)s->base.W;
  *label = s->labels.values[i];
  if (!out) return SKP_OK;
  SKP_TRY(skp__image_room(out, s->base.H, s->base.W, 1));
  memcpy(out->pixels, s->images.values + (size_t)i * bytes, bytes);
  return SKP_OK;
}

static void destroy(struct skp_source *source) {
  struct idx_source *s = (struct idx_source *)source;
  free(s->images.values);
  free(s->labels.values);
  free(s);
}

/* Fills the source from its two files. */
static skp_status load(struct idx_source *s, const char *images, const char *labels) {
  SKP_TRY(skp__idx_read(&s->images, images, 3));
  SKP_TRY(skp__idx_read(&s->labels, labels, 1));
  int64_t n = s->images.dim[0], H = s->images.dim[1], W = s->images.dim[2];
  if (H > 1 << 14 || W > 1 << 14)
    return skp__fail(SKP_FORMAT, "%s: its images of %lld × %lld pixels are too large (at most 16384 × 16384).", images,
                     (long long)H, (long long)W);
  if (n != s->labels.dim[0])
    return skp__fail(SKP_FORMAT, "%s has %lld images, but %s has %lld labels.", images, (long long)n, labels,
                     (long long)s->labels.dim[0]);
  s->base.n = n;
  s->base.H = (int)H;
  s->base.W = (int)W;
  s->base.C = 1;
  for (int64_t i = 0; i < n; i++)
    if (s->labels.values[i] >= s->base.classes) s->base.classes = s->labels.values[i] + 1;
  return skp__source_name_by_number(&s->base);
}

static skp_status open_parts(struct skp_source **out, const char *folder, const char *images, const char *labels) {
  struct idx_source *s;
  SKP_TRY(skp__alloc(&s, 1, sizeof *s));
  s->base.image = image;
  s->base.destroy = destroy;
  skp_status status = skp__strdup(&s->base.name, folder);
  if (status == SKP_OK) status = load(s, images, labels);
  if (status == SKP_OK)
    *out = &s->base;
  else
    skp__source_destroy(&s->base);
  return status;
}

skp_status skp__source_idx(struct skp_source **out, const char *folder, skp_split split) {
  char *images, *labels = NULL;
  *out = NULL;
  SKP_TRY(find_part(&images, folder, split, IMAGES));
  skp_status status = find_part(&labels, folder, split, LABELS);
  if (status == SKP_OK && images && labels)
    status = open_parts(out, folder, images, labels);
  else if (status == SKP_OK && (images || labels || split == SKP_SPLIT_TRAIN))
    status = skp__fail(SKP_FORMAT, "The folder %s lacks %s-%s (or the same as .gz).", folder, splits[split],
                       images ? "labels-idx1-ubyte" : "images-idx3-ubyte");
  free(images);
  free(labels);
  return status;
}
