/* place.c: see place.h. SPDX-License-Identifier: MIT */
#include "train/prepare/place.h"
#include "base/array.h"
#include "base/disk.h"
#include "base/file.h"
#include "base/host.h"
#include "base/listing.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a new one ----------------------------------------------------------------------------------------------------*/

/* Whoever makes the folder has it. */
static skp_status make_numbered(char **out, const char *runs, const char *name) {
  for (int n = 1;; n++) {
    char *path;
    SKP_TRY(skp__folder_create(runs));
    SKP_TRY(skp__format(&path, "%s/%s-%d", runs, name, n));
    const int error = skp__make_folder(path) ? errno : 0;
    if (!error) *out = path;
    if (!error) return SKP_OK;
    if (error == ENOENT) n--; /* another process, which failed, has just removed the empty `runs` */
    skp_status status = error == EEXIST || error == ENOENT
                            ? SKP_OK
                            : skp__fail(SKP_IO, "Cannot create the folder %s: %s.", path, strerror(error));
    free(path);
    SKP_TRY(status);
  }
}

/* Cuts a path's last part off, and the slashes before it; its length then. */
static size_t cut(char *path) {
  size_t n = strlen(path);
  while (n && path[n - 1] == '/') n--;
  while (n && path[n - 1] != '/') n--;
  while (n && path[n - 1] == '/') n--;
  path[n] = 0;
  return n;
}

/* How many letters of a path name what is there. */
static skp_status find_existing(size_t *out, const char *path) {
  char *part;
  SKP_TRY(skp__strdup(&part, path));
  for (*out = strlen(part); *out && !skp__folder_exists(part);) *out = cut(part);
  free(part);
  return SKP_OK;
}

skp_status skp__place_choose(struct skp__place *out, const char *said, const char *runs, const char *name) {
  if (said && !*said) return skp__fail(SKP_USAGE, "%s wants the name of a folder, not nothing.", skp__option("out"));
  SKP_TRY(find_existing(&out->existing, said ? said : runs));
  return said ? skp__strdup(&out->path, said) : make_numbered(&out->path, runs, name);
}

skp_status skp__place_by_seed(struct skp__place *out, uint64_t seed) {
  char *inside;
  char name[32];
  snprintf(name, sizeof name, "seed-%llu", (unsigned long long)seed);
  SKP_TRY(skp__path_join(&inside, out->path, name)); /* as they are found */
  if (skp__folder_exists(inside)) out->existing = strlen(inside);
  out->all = out->path;
  out->path = inside;
  return SKP_OK;
}

skp_status skp__place_make(struct skp__place *out, const char *said) {
  SKP_TRY(skp__place_choose(out, said, NULL, NULL));
  return skp__folder_create(out->path);
}

void skp__place_forget(struct skp__place *f) {
  for (size_t n = f->path ? strlen(f->path) : 0; n > f->existing && !rmdir(f->path);) n = cut(f->path);
}

void skp__place_free(struct skp__place *f) {
  free(f->path);
  free(f->all);
  f->path = f->all = NULL;
}

/* ---- one of several ---------------------------------------------------------------------------------------------- */

/* When the run `name` in runs was last saved, in ns; -1: it is none. */
static int64_t saved_at(const char *runs, const char *name) {
  char path[4096];
  struct skp__facts there;
  snprintf(path, sizeof path, "%s/%s/state.safetensors", runs, name);
  return skp__facts(&there, path) ? there.time : -1;
}

skp_status skp__place_latest(char **out, const char *runs) {
  char best[256] = "";
  int64_t newest = -1;
  struct skp__listing l;
  skp_status status = skp__listing_open(&l, runs);
  if (!skp__folder_exists(runs)) status = SKP_OK; /* one that is not there holds no run */
  while (skp__listing_next(&l, &status)) {
    int64_t when = saved_at(runs, l.entry->d_name);
    if (when <= newest) continue;
    newest = when;
    snprintf(best, sizeof best, "%s", l.entry->d_name);
  }
  skp__listing_close(&l);
  SKP_TRY(status);
  if (*best) return skp__path_join(out, runs, best);
  return skp__fail(SKP_USAGE, "There is no run to resume in %s; name its folder: %s DIR.", runs, skp__option("resume"));
}
