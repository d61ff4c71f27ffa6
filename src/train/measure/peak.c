/* peak.c: see peak.h. SPDX-License-Identifier: MIT
 *
 * The file, peaks/DEVICE.txt: what it is, what it holds for, a line a peak:
 *
 *   skipper VERSION peaks
 *   on NAME, DRIVER, N units
 *   fma 2.71e+11 float operations a second
 *   …
 *
 * or of a device that cannot be measured this in their place:
 *
 *   measuring failed
 *
 * One that is damaged, cut, another's or that says what no device does is measured anew. */
#include "train/measure/peak.h"
#include "backend/note.h"
#include "base/array.h"
#include "base/file.h"
#include "skipper/version.h"
#include <stdlib.h>
#include <string.h>

static const struct row {
  const char *name, *unit;
  size_t offset;
  double least, most;
  bool optional; /* 0: the device has no such thing */
} rows[] = {
#define ROW(name, unit, ...)                                                                                           \
  { #name, unit, offsetof(struct skp_backend_peaks, name), __VA_ARGS__ }
    ROW(fma, "float operations a second", 1e6, 1e18, false),
    ROW(narrow, "operations a second of bfloat16 products", 1e6, 1e18, true),
    ROW(read, "bytes a second read", 1e6, 1e16, false),
    ROW(write, "bytes a second written", 1e6, 1e16, false),
    ROW(triad, "bytes a second of a = b + s * c", 1e6, 1e16, false),
    ROW(launch, "seconds a launch", 1e-9, 1, false),
};
enum { ROWS = sizeof rows / sizeof *rows, FILE_LIMIT = 1 << 12 };

#define HEAD   "skipper " SKP_VERSION " peaks"
#define FAILED "measuring failed"

struct note {
  struct skp_backend_peaks peaks;
  bool failed; /* there are none */
  char on[SKP_NOTE_DEVICE + 40], *path;
};

static double *at(struct skp_backend_peaks *p, const struct row *r) { return (void *)((char *)p + r->offset); }

static bool is_sound(const struct row *r, double x) {
  return (x >= r->least && x <= r->most) || (r->optional && x == 0);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static void put(FILE *to, void *user) {
  struct note *n = user;
  fprintf(to, HEAD "\non %s\n", n->on);
  if (n->failed) fprintf(to, FAILED "\n");
  for (int i = 0; i < ROWS && !n->failed; i++)
    fprintf(to, "%s %.4g %s\n", rows[i].name, *at(&n->peaks, &rows[i]), rows[i].unit);
}

/* Moves *text past `word` and the letter behind it. */
static bool skip(const char **text, const char *word, char end) {
  const size_t n = strlen(word);
  if (strncmp(*text, word, n) != 0 || (*text)[n] != end) return false;
  *text += n + 1;
  return true;
}

static bool read_row(struct skp_backend_peaks *out, const struct row *r, const char **text) {
  char *end;
  if (!skip(text, r->name, ' ')) return false;
  *at(out, r) = strtod(*text, &end);
  if (end == *text || *end != ' ') return false;
  *text = end + 1;
  return is_sound(r, *at(out, r)) && skip(text, r->unit, '\n');
}

/* False unless the text is whole, of this device, and says what can be; or that there are none. */
static bool read_text(struct note *n, const char *text) {
  struct skp_backend_peaks found = {.fma = 0};
  if (!skip(&text, HEAD, '\n') || !skip(&text, "on", ' ') || !skip(&text, n->on, '\n')) return false;
  n->failed = strcmp(text, FAILED "\n") == 0;
  if (n->failed) return false;
  for (int i = 0; i < ROWS; i++)
    if (!read_row(&found, &rows[i], &text)) return false;
  if (*text) return false;
  n->peaks = found;
  return true;
}

static bool recall(struct note *n) {
  void *text;
  int64_t size;
  if (!n->path || !skp__file_exists(n->path) || skp__file_read(&text, &size, n->path, FILE_LIMIT) != SKP_OK)
    return false;
  const bool sound = read_text(n, text);
  free(text);
  return sound;
}

/* ---- measuring --------------------------------------------------------------------------------------------------- */

/* A tiny peak would make shares of hundreds. */
static skp_status check(struct skp_backend_peaks *p) {
  for (int i = 0; i < ROWS; i++)
    if (!is_sound(&rows[i], *at(p, &rows[i])))
      return skp__fail(SKP_UNSUPPORTED, "Measuring what the device does at best gave %g %s.", *at(p, &rows[i]),
                       rows[i].unit);
  return SKP_OK;
}

/* What cannot be written is measured again. */
static skp_status measure(struct note *n, struct skp_backend *b) {
  SKP_TRY(b->ops->measure(b, &n->peaks));
  SKP_TRY(check(&n->peaks));
  n->failed = false;
  if (n->path && skp__file_print_atomic(n->path, put, n) != SKP_OK) {
    free(n->path);
    n->path = NULL;
  }
  return SKP_OK;
}

/* Which device it is, and where what is known of it lies. */
static skp_status place(struct note *n, const struct skp_backend_info *info) {
  skp__note_device(n->on, info);
  const size_t used = strlen(n->on);
  snprintf(n->on + used, sizeof n->on - used, ", %d units", info->units);
  return skp__note_path(&n->path, info, "peaks", n->on);
}

double skp__peak_seconds(const struct skp_backend_peaks *p) {
  const double flops = 3.5e11, bytes = 6e9, launches = 250;
  return flops / p->fma + bytes / p->triad + launches * p->launch;
}

/* The same of a device that is listed, not opened; the options' `cache` says where. path NULL: nothing lasts. */
static skp_status place_listed(struct note *n, const struct skp_device *d, const char *cache) {
  struct skp_backend_info info;
  char *folder = NULL;
  *n = (struct note){.path = NULL};
  skp__devices_describe(&info, d);
  if (cache && !*cache) return SKP_OK;
  SKP_TRY(skp__cache_folder(&folder, cache));
  info.cache = folder;
  skp_status status = place(n, &info);
  free(folder);
  return status;
}

skp_status skp__peak_give_up(const struct skp_device *d, const char *cache) {
  struct note n;
  skp_status status = place_listed(&n, d, cache);
  n.failed = true;
  if (status == SKP_OK && n.path) status = skp__file_print_atomic(n.path, put, &n);
  free(n.path);
  return status;
}

double skp__peak_listed(struct skp_backend_peaks *out, const struct skp_device *d, const char *cache) {
  struct note n;
  const bool known = place_listed(&n, d, cache) == SKP_OK && recall(&n);
  if (out) *out = n.peaks;
  free(n.path);
  return known ? skp__peak_seconds(&n.peaks) : -(double)n.failed;
}

bool skp__peak_lasts(const struct skp_device *d, const char *cache) {
  struct note n;
  const bool lasts = place_listed(&n, d, cache) == SKP_OK && n.path && skp__file_try(n.path) == SKP_OK;
  free(n.path);
  return lasts;
}

skp_status skp__peak_find(struct skp_backend_peaks *out, char **path, struct skp_backend *b, bool anew) {
  struct skp_backend_info info;
  struct note n = {.path = NULL};
  b->ops->info(b, &info);
  *out = n.peaks;
  if (path) *path = NULL;
  SKP_TRY(place(&n, &info));
  skp_status status = !anew && recall(&n) ? SKP_OK : measure(&n, b);
  if (status == SKP_OK) *out = n.peaks;
  if (path && status == SKP_OK)
    *path = n.path;
  else
    free(n.path);
  return status;
}
