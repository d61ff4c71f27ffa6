/* aside.c: see aside.h. SPDX-License-Identifier: MIT */
#include "train/run/aside.h"
#include "base/disk.h"
#include "base/file.h"
#include "base/listing.h"
#include "base/pattern.h"
#include "base/thread.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a run's files ---------------------------------------------------------------------------------------------- */

/* All that a run writes but numbered checkpoints. */
static const char *const files[] = {"config.json",      "log.jsonl",         "results.csv",   "last.safetensors",
                                    "best.safetensors", "state.safetensors", "confusion.csv", "classes.csv",
                                    "worst.csv",        "confused.csv",      "trace.json",    "layers.csv"};
enum { FILES = sizeof files / sizeof *files };

long long skp__aside_step(const char *name) {
  long long step;
  int end = 0;
  return sscanf(name, "step-%18lld.safetensors%n", &step, &end) == 1 && end && !name[end] ? step : -1;
}

/* Whether the first n bytes of `name` are the name of a run's file. */
static bool ours(const char *name, size_t n) {
  char whole[64];
  if (n >= sizeof whole) return false;
  snprintf(whole, sizeof whole, "%.*s", (int)n, name);
  bool any = skp__aside_step(whole) >= 0;
  for (int i = 0; i < FILES && !any; i++) any = strcmp(whole, files[i]) == 0;
  return any;
}

bool skp__aside_owns(const char *name) { return ours(name, strlen(name)); }

skp_status skp__aside_list(skp__names *out, const char *folder) {
  skp__names all = {NULL, 0, 0};
  skp_status status = skp__names_in(&all, folder);
  for (size_t i = 0; i < all.n && status == SKP_OK; i++)
    if (skp__aside_owns(all.at[i])) status = skp__names_add(out, all.at[i]);
  skp__names_free(&all);
  return status;
}

void skp__aside_clear(const struct skp__aside *a) {
  for (int i = 0; i < FILES; i++) skp__held_remove(a->held, files[i]);
}

/* ---- taking a folder -------------------------------------------------------------------------------------------- */

/* Whether `name` is what a process that is gone left half-written: FILE.N.tmp, N being one of its threads. */
static bool left_behind(const char *name) {
  static const char probe[] = SKP_ASIDE_PROBE;
  size_t n = strlen(name);
  if (n < 5 || !skp__text_ends(name, ".tmp")) return false;
  for (n -= 5; n && name[n] != '.'; n--) continue;
  char *end;
  long pid = strtol(name + n + 1, &end, 10);
  bool known = ours(name, n) || (n == sizeof probe - 1 && strncmp(name, probe, n) == 0);
  return known && pid > 0 && strcmp(end, ".tmp") == 0 && skp__thread_gone(pid);
}

static skp_status sweep(const struct skp__aside *a) {
  struct skp__listing l;
  skp_status status = skp__listing_open(&l, a->out);
  while (skp__listing_next(&l, &status))
    if (left_behind(l.entry->d_name)) skp__held_remove(a->held, l.entry->d_name);
  skp__listing_close(&l);
  return status;
}

skp_status skp__aside_take(struct skp__aside *a, const char *out) {
  *a = (struct skp__aside){.out = out};
  const int error = skp__hold(&a->held, out, false);
  if (error == EWOULDBLOCK) return skp__fail(SKP_IO, "The run in %s is going on: another process works on it.", out);
  if (error) return skp__fail(SKP_IO, "Cannot open the folder %s: %s.", out, strerror(error));
  return sweep(a);
}

void skp__aside_release(struct skp__aside *a) {
  free(a->earlier);
  a->earlier = NULL;
  skp__let_go(a->held);
  a->held = NULL;
}

/* ---- an earlier run --------------------------------------------------------------------------------------------- */

static skp_status move(const char *from_dir, const char *to_dir, const char *name) {
  char *from, *to = NULL;
  SKP_TRY(skp__path_join(&from, from_dir, name));
  skp_status status = skp__path_join(&to, to_dir, name);
  if (status == SKP_OK && skp__rename(from, to) && errno != ENOENT)
    status = skp__fail(SKP_IO, "Cannot move %s to %s: %s.", from, to, strerror(errno));
  free(to);
  free(from);
  return status;
}

static skp_status new_folder(char **out, const char *within) {
  *out = NULL;
  for (int n = 1;; n++) {
    SKP_TRY(skp__format(out, "%s/earlier-%d", within, n));
    if (!skp__make_folder(*out)) return SKP_OK;
    skp_status status = SKP_OK;
    if (errno != EEXIST) status = skp__fail(SKP_IO, "Cannot create the folder %s: %s.", *out, strerror(errno));
    free(*out);
    *out = NULL;
    SKP_TRY(status);
  }
}

bool skp__aside_back(const struct skp__aside *a) {
  skp__names names = {NULL, 0, 0};
  if (!a->earlier) return false;
  char *kept = skp__error_keep();
  bool moved = skp__aside_list(&names, a->earlier) == SKP_OK;
  for (size_t i = 0; i < names.n; i++) {
    char *from = NULL;
    moved = skp__path_join(&from, a->earlier, names.at[i]) == SKP_OK && skp__held_receive(a->held, from, names.at[i]) &&
            moved;
    free(from);
  }
  skp__names_free(&names);
  skp__error_restore(SKP_OK, kept);
  return moved && !rmdir(a->earlier);
}

skp_status skp__aside_move(struct skp__aside *a) {
  skp__names names = {NULL, 0, 0};
  skp_status status = skp__aside_list(&names, a->out);
  if (status == SKP_OK && names.n) status = new_folder(&a->earlier, a->out);
  for (size_t i = 0; i < names.n && status == SKP_OK; i++) status = move(a->out, a->earlier, names.at[i]);
  skp__names_free(&names);
  if (status != SKP_OK) (void)skp__aside_back(a);
  return status;
}
