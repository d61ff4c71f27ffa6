/* scratch.c: the private folder, in the user's own folder for temporary files. SPDX-License-Identifier: MIT */
#include "base/scratch.h"
#include "base/disk.h"
#include "base/file.h"
#include "base/held.h"
#include "base/host.h"
#include "base/names.h"
#include "base/windows/windows.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "skipper-"

static char folder[MAX_PATH]; /* "": none */
static struct skp__held *held;

static void remove_folder(const char *path) {
  skp__names names = {NULL, 0, 0};
  (void)skp__names_in(&names, path);
  for (size_t i = 0; i < names.n; i++) {
    char *inner;
    if (skp__path_join(&inner, path, names.at[i]) != SKP_OK) continue;
    if (skp__folder_exists(inner))
      remove_folder(inner);
    else
      DeleteFileA(inner);
    free(inner);
  }
  skp__names_free(&names);
  RemoveDirectoryA(path);
}

void skp__scratch_remove(void) {
  if (!*folder) return;
  skp__let_go(held); /* the file that holds it lies in it */
  held = NULL;
  remove_folder(folder);
  *folder = 0;
}

/* Cuts `path` back to what is there of it. */
static void cut_to_existing(char *path) {
  while (*path && !skp__folder_exists(path)) {
    char *slash = strrchr(path, '/'), *back = strrchr(path, '\\');
    if (!slash || (back && back > slash)) slash = back;
    strcpy(slash ? slash : path, slash ? "" : ".");
  }
}

bool skp__can_run_from(const char *path) {
  char at[2 * MAX_PATH], probe[3 * MAX_PATH];
  if (!*path || snprintf(at, sizeof at, "%s", path) >= (int)sizeof at) return false;
  cut_to_existing(at);
  snprintf(probe, sizeof probe, "%s/.skipper-%ld", at, (long)GetCurrentThreadId());
  return !skp__try_room(probe, 4096);
}

/* Removes what processes left that were ended; a living one holds its own. */
static void sweep(const char *place) {
  skp__names names = {NULL, 0, 0};
  (void)skp__names_in(&names, place);
  for (size_t i = 0; i < names.n; i++) {
    char *path;
    struct skp__held *old;
    if (strncmp(names.at[i], PREFIX, sizeof PREFIX - 1) || skp__path_join(&path, place, names.at[i]) != SKP_OK)
      continue;
    const bool free_to_go = !skp__hold(&old, path, true);
    if (free_to_go) skp__let_go(old);
    if (free_to_go) remove_folder(path);
    free(path);
  }
  skp__names_free(&names);
}

static bool make_in(const char *place) {
  if (!place || !*place || !skp__can_run_from(place)) return false;
  sweep(place);
  const int n = snprintf(folder, sizeof folder, "%s/" PREFIX "%lu", place, (unsigned long)GetCurrentProcessId());
  if (n < (int)sizeof folder && !skp__make_folder(folder) && !skp__hold(&held, folder, true)) return true;
  *folder = 0;
  return false;
}

skp_status skp__scratch_folder(const char **out) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  char temporary[MAX_PATH] = "";
  pthread_mutex_lock(&lock);
  GetTempPathA(sizeof temporary, temporary);
  if (!*folder && (make_in(skp__host()->scratch) || make_in(temporary))) atexit(skp__scratch_remove);
  *out = folder;
  pthread_mutex_unlock(&lock);
  if (*folder) return SKP_OK;
  return skp__fail(SKP_IO, "There is no folder for temporary files: %s cannot be written. Name one that can (%s).",
                   temporary, skp__option("scratch"));
}
