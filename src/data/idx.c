/* idx.c: IDX files, the format of MNIST and its family. SPDX-License-Identifier: MIT
 *
 * A file is 0, 0, type (8: unsigned bytes), rank, then `rank` sizes as big-endian 32-bit numbers, then the values, the
 * last dimension running fastest. zlib's gz functions read plain and gzip files alike, whatever their names say. */
#include "data/idx.h"
#include "base/array.h"
#include "base/file.h"
#include "data/source.h"
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
  if (error == Z_MEM_ERROR) return skp__fail_memory(r->path, (unsigned long long)n);
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

/* The sets that come in such files. Those of EMNIST say in their names which they are, and their pictures are stored
 * with rows for columns: here they stand upright, as MNIST's do. */
static const struct set {
  const char *name;      /* "": the usual one, of MNIST and all that took on its names */
  const char *splits[2]; /* what its files' names begin with */
  const char *kind;      /* see skp_source */
  int first;             /* label */
  const char *classes;   /* their names, a letter each; NULL: numbers */
  bool transposed;
} sets[] = {
    {"", {"train", "t10k"}, NULL, 0, NULL, false},
#define EMNIST(name, first, classes)                                                                                   \
  { "emnist-" name, {"emnist-" name "-train", "emnist-" name "-test"}, "EMNIST " name, first, classes, true }
#define DIGITS  "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    EMNIST("balanced", 0, DIGITS LETTERS "abdefghnqrt"),
    EMNIST("byclass", 0, DIGITS LETTERS "abcdefghijklmnopqrstuvwxyz"),
    EMNIST("bymerge", 0, DIGITS LETTERS "abdefghnqrt"),
    EMNIST("digits", 0, DIGITS),
    EMNIST("letters", 1, LETTERS),
    EMNIST("mnist", 0, DIGITS),
};
enum { SETS = sizeof sets / sizeof *sets };

struct idx_source {
  struct skp_source base;
  const struct set *set;
  struct skp_idx images, labels;
};

/* %s is the split, then what the file holds. */
static const char *const name_forms[] = {"%s-images-idx3-ubyte", "%s-images.idx3-ubyte", "%s-labels-idx1-ubyte",
                                         "%s-labels.idx1-ubyte"};
static const char *const endings[] = {"", ".gz"};
enum part { IMAGES, LABELS };

/* The path of a part under the first of its names that exists, or NULL. */
static skp_status find_part(char **out, const char *folder, const char *split, enum part part) {
  *out = NULL;
  for (int i = 0; i < 4; i++) {
    char stem[64], *path;
    snprintf(stem, sizeof stem, name_forms[2 * (int)part + i / 2], split);
    SKP_TRY(skp__format(&path, "%s/%s%s", folder, stem, endings[i % 2]));
    if (skp__file_exists(path)) {
      *out = path;
      return SKP_OK;
    }
    free(path);
  }
  return SKP_OK;
}

/* Whether any of the set's files lies in the folder. */
static skp_status holds(bool *out, const char *folder, const struct set *set) {
  *out = false;
  for (int i = 0; i < 4 && !*out; i++) {
    char *path;
    SKP_TRY(find_part(&path, folder, set->splits[i / 2], (enum part)(i % 2)));
    *out = path;
    free(path);
  }
  return SKP_OK;
}

/* The sets that `data` means: all that lie in the folder; or FOLDER/NAME, the one of them of this name. */
struct meant {
  char *folder;
  const struct set *set[SETS];
  int n;
};

static skp_status find_sets(struct meant *out, const char *data) {
  const char *slash = strrchr(data, '/'), *name = slash ? slash + 1 : data;
  const bool whole = skp__folder_exists(data);
  *out = (struct meant){.n = 0};
  SKP_TRY(skp__format(&out->folder, "%.*s",
                      whole   ? (int)strlen(data)
                      : slash ? (int)(slash - data)
                              : 1,
                      whole || slash ? data : "."));
  for (int i = 0; i < SETS; i++) {
    bool there = whole || (*sets[i].name && strcmp(name, sets[i].name) == 0);
    if (there) SKP_TRY(holds(&there, out->folder, &sets[i]));
    if (there) out->set[out->n++] = &sets[i];
  }
  return SKP_OK;
}

skp_status skp__source_idx_found(bool *out, const char *data) {
  struct meant meant;
  skp_status status = find_sets(&meant, data);
  *out = status == SKP_OK && meant.n;
  free(meant.folder);
  return status;
}

static skp_status image(const struct skp_source *source, int64_t i, struct skp_image *out, int32_t *label) {
  const struct idx_source *s = (const struct idx_source *)source;
  const size_t H = (size_t)s->base.H, W = (size_t)s->base.W;
  const uint8_t *stored = s->images.values + (size_t)i * H * W;
  *label = s->labels.values[i] - s->set->first;
  if (!out) return SKP_OK;
  SKP_TRY(skp__image_room(out, s->base.H, s->base.W, 1));
  if (!s->set->transposed)
    memcpy(out->pixels, stored, H * W);
  else
    for (size_t at = 0; at < H * W; at++) out->pixels[at] = stored[at % W * H + at / W];
  return SKP_OK;
}

static void destroy(struct skp_source *source) {
  struct idx_source *s = (struct idx_source *)source;
  free(s->images.values);
  free(s->labels.values);
  free(s);
}

/* Where a set names its classes there are so many; else as many as its labels tell of. */
static skp_status name_classes(struct idx_source *s, const char *labels) {
  const struct set *set = s->set;
  int most = 0;
  for (int64_t i = 0; i < s->base.n; i++) {
    const int label = s->labels.values[i] - set->first;
    if (label > most) most = label;
    if (label < 0 || (set->classes && label >= (int)strlen(set->classes)))
      return skp__fail(
          SKP_FORMAT, "%s: label %lld is %d; %s has labels from %d to %d. It is damaged, or another set's.", labels,
          (long long)i, label + set->first, set->name, set->first, set->first + (int)strlen(set->classes) - 1);
  }
  s->base.classes = set->classes ? (int)strlen(set->classes) : most + 1;
  if (!set->classes) return skp__source_name_by_number(&s->base);
  SKP_TRY(skp__alloc(&s->base.class_names, (size_t)s->base.classes, sizeof *s->base.class_names));
  for (int c = 0; c < s->base.classes; c++) SKP_TRY(skp__format(&s->base.class_names[c], "%c", set->classes[c]));
  return SKP_OK;
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
  s->base.H = (int)(s->set->transposed ? W : H);
  s->base.W = (int)(s->set->transposed ? H : W);
  s->base.C = 1;
  return name_classes(s, labels);
}

static skp_status open_parts(struct skp_source **out, const struct set *set, const char *data, const char *images,
                             const char *labels) {
  struct idx_source *s;
  SKP_TRY(skp__alloc(&s, 1, sizeof *s));
  s->set = set;
  s->base.kind = set->kind;
  s->base.image = image;
  s->base.destroy = destroy;
  skp_status status = skp__strdup(&s->base.name, data);
  if (status == SKP_OK) status = load(s, images, labels);
  if (status == SKP_OK)
    *out = &s->base;
  else
    skp__source_destroy(&s->base);
  return status;
}

static skp_status open_set(struct skp_source **out, const struct set *set, const char *data, const char *folder,
                           skp_split split) {
  char *images, *labels = NULL;
  SKP_TRY(find_part(&images, folder, set->splits[split], IMAGES));
  skp_status status = find_part(&labels, folder, set->splits[split], LABELS);
  if (status == SKP_OK && images && labels)
    status = open_parts(out, set, data, images, labels);
  else if (status == SKP_OK && (images || labels || split == SKP_SPLIT_TRAIN))
    status = skp__fail(SKP_FORMAT, "The folder %s lacks %s-%s (or the same as .gz).", folder, set->splits[split],
                       images ? "labels-idx1-ubyte" : "images-idx3-ubyte");
  free(images);
  free(labels);
  return status;
}

static skp_status fail_several(const struct meant *meant) {
  struct skp__text names = {.n = 0};
  for (int i = 0; i < meant->n; i++)
    skp__text_add(&names, "%s%s", i ? ", " : "", *meant->set[i]->name ? meant->set[i]->name : "MNIST's names");
  return skp__fail(SKP_FORMAT, "The folder %s holds several sets: %s. Name one of them: %s/%s.", meant->folder,
                   names.at, meant->folder, meant->set[meant->n - 1]->name);
}

skp_status skp__source_idx(struct skp_source **out, struct skp__site *site, skp_split split) {
  const char *data = site->path;
  struct meant meant;
  *out = NULL;
  skp_status status = find_sets(&meant, data);
  if (status == SKP_OK)
    status = meant.n > 1 ? fail_several(&meant)
             : meant.n   ? open_set(out, meant.set[0], data, meant.folder, split)
                         : skp__fail(SKP_IO, "The IDX files in %s are gone.", meant.folder);
  free(meant.folder);
  return status;
}
