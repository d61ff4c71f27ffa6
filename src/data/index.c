/* index.c: see index.h. SPDX-License-Identifier: MIT
 *
 * To know the size of a million pictures is to open a million files, which takes minutes where the disk is slow, at
 * each start. Their time and size come with much less: stat. The file, FOLDER/HASH.index, is a head and rows in the
 * order of their keys, in this machine's order of bytes. */
#include "data/index.h"
#include "base/array.h"
#include "base/disk.h"
#include "base/file.h"
#include "base/host.h"
#include "base/prune.h"
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define FILE_LIMIT   ((int64_t)1 << 30)                                /* bytes of one, of 30 million pictures */
#define FOLDER_LIMIT ((int64_t)256 << 20)                              /* of all */
static const char magic[8] = {'S', 'K', 'P', 'I', 'N', 'D', 'X', '1'}; /* with another layout of rows another number */

struct head {
  char magic[8];
  uint64_t rows, sum; /* XXH3 of the rows */
};

struct row {
  uint64_t key;   /* of name and position */
  uint64_t stamp; /* of the file's time and size */
  int32_t H, W, C, unused;
};

struct skp__index {
  char *path;
  const struct row *known; /* in the order of keys */
  int64_t n;
  void *bytes;
  struct row *asked; /* [room] */
  int64_t room, m;
  bool news;
};

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static uint64_t hash(const char *text, uint64_t seed) { return XXH3_64bits_withSeed(text, strlen(text), seed); }

static struct row row_of(const char *name, const char *file, int64_t position) {
  struct skp__facts there;
  struct row row = {.key = hash(name, (uint64_t)position)};
  if (!skp__facts(&there, file)) return row;
  const int64_t said[] = {there.bytes, there.time / 1000000000, there.time % 1000000000};
  row.stamp = XXH3_64bits(said, sizeof said);
  return row;
}

static int by_key(const void *a, const void *b) {
  const struct row *x = a, *y = b;
  return (x->key > y->key) - (x->key < y->key);
}

bool skp__index_find(struct skp__index *x, struct skp_image *out, const char *name, const char *file,
                     int64_t position) {
  if (!x || x->m == x->room) return false;
  struct row *row = &x->asked[x->m++];
  *row = row_of(name, file, position);
  const struct row *found = x->n ? bsearch(row, x->known, (size_t)x->n, sizeof *row, by_key) : NULL;
  if (!found || found->stamp != row->stamp) return false;
  *row = *found;
  out->H = row->H;
  out->W = row->W;
  out->C = row->C;
  return true;
}

void skp__index_note(struct skp__index *x, const struct skp_image *image) {
  if (!x || !x->m) return;
  struct row *row = &x->asked[x->m - 1];
  row->H = image->H;
  row->W = image->W;
  row->C = image->C;
  x->news = true;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static bool is_sound(const struct row *row) { return row->H > 0 && row->W > 0 && row->C >= 1 && row->C <= 4; }

/* Takes what lies there, if all of it is what was written. */
static void take(struct skp__index *x, int64_t size) {
  const struct head *head = x->bytes;
  const int64_t rows = (size - (int64_t)sizeof *head) / (int64_t)sizeof *x->known;
  if (size < (int64_t)sizeof *head || memcmp(head->magic, magic, sizeof magic) != 0) return;
  const struct row *known = (const struct row *)(head + 1);
  if (head->rows != (uint64_t)rows || head->sum != XXH3_64bits(known, (size_t)rows * sizeof *known)) return;
  for (int64_t i = 0; i < rows; i++)
    if (!is_sound(&known[i]) || (i && known[i].key < known[i - 1].key)) return;
  x->known = known;
  x->n = rows;
}

static skp_status read_known(struct skp__index *x) {
  int64_t size;
  skp_status status = skp__file_exists(x->path) ? skp__file_read(&x->bytes, &size, x->path, FILE_LIMIT) : SKP_IO;
  SKP_TRY_MEMORY(status);
  if (status == SKP_OK) take(x, size);
  return SKP_OK;
}

static void write_asked(struct skp__index *x) {
  int64_t n = 0;
  for (int64_t i = 0; i < x->m; i++)
    if (is_sound(&x->asked[i])) x->asked[n++] = x->asked[i];
  qsort(x->asked, (size_t)n, sizeof *x->asked, by_key);
  const size_t bytes = (size_t)n * sizeof *x->asked;
  struct head head = {.rows = (uint64_t)n, .sum = XXH3_64bits(x->asked, bytes)};
  memcpy(head.magic, magic, sizeof magic);
  (void)skp__file_write_atomic(x->path, (struct skp__file_part[]){{&head, sizeof head}, {x->asked, (int64_t)bytes}}, 2);
}

/* ---- the set ----------------------------------------------------------------------------------------------------- */

static skp_status find_path(struct skp__index *x, const char *place, const char *first) {
  char *whole;
  SKP_TRY(skp__path_absolute(&whole, place));
  skp_status status =
      skp__format(&x->path, "%s/%016llx.index", skp__host()->index, (unsigned long long)hash(whole, hash(first, 0)));
  free(whole);
  return status;
}

static skp_status prepare(struct skp__index *x, const char *place, const char *first, int64_t pictures) {
  x->room = pictures;
  SKP_TRY(find_path(x, place, first));
  SKP_TRY(skp__alloc(&x->asked, (size_t)pictures, sizeof *x->asked));
  return read_known(x);
}

static void free_index(struct skp__index *x) {
  free(x->path);
  free(x->bytes);
  free(x->asked);
  free(x);
}

skp_status skp__index_open(struct skp__index **out, const char *place, const char *first, int64_t pictures) {
  const char *folder = skp__host()->index;
  struct skp__index *x;
  *out = NULL;
  if (pictures < SKP_INDEX_LEAST || !folder || skp__folder_create(folder) != SKP_OK) return SKP_OK;
  SKP_TRY(skp__alloc(&x, 1, sizeof *x));
  skp_status status = prepare(x, place, first, pictures);
  if (status == SKP_OK)
    *out = x;
  else
    free_index(x);
  return status;
}

void skp__index_close(struct skp__index *x) {
  if (!x) return;
  if (x->news || x->m != x->n) write_asked(x);
  skp__touch(x->path);
  skp__folder_prune(skp__host()->index, FOLDER_LIMIT);
  free_index(x);
}
