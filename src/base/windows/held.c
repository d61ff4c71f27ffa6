/* held.c: see held.h. What holds a folder is a file in it that nobody else can open meanwhile, and that goes with the
 * process. SPDX-License-Identifier: MIT */
#include "base/held.h"
#include "base/disk.h"
#include "base/windows/windows.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct skp__held {
  HANDLE file;
  char folder[2 * MAX_PATH];
};

static HANDLE open_lock(const char *folder, DWORD how) {
  char path[2 * MAX_PATH + 16];
  snprintf(path, sizeof path, "%s/.held", folder);
  return CreateFileA(path, GENERIC_WRITE, 0, NULL, how, FILE_ATTRIBUTE_HIDDEN | FILE_FLAG_DELETE_ON_CLOSE, NULL);
}

int skp__hold(struct skp__held **held, const char *folder, bool surely) {
  struct skp__facts there;
  struct skp__held *h = *held = NULL;
  (void)surely; /* all of its file systems know locks */
  if (!skp__facts(&there, folder) || there.kind != SKP_FOLDER) return there.kind == SKP_NOTHING ? ENOENT : ENOTDIR;
  h = malloc(sizeof *h);
  if (!h) return ENOMEM;
  snprintf(h->folder, sizeof h->folder, "%s", folder);
  h->file = open_lock(folder, OPEN_ALWAYS);
  const bool busy = h->file == INVALID_HANDLE_VALUE && GetLastError() == ERROR_SHARING_VIOLATION;
  const int error = h->file != INVALID_HANDLE_VALUE ? 0 : busy ? EWOULDBLOCK : (skp__windows_failed(), errno);
  if (error)
    free(h);
  else
    *held = h;
  return error;
}

void skp__let_go(struct skp__held *held) {
  if (held) CloseHandle(held->file);
  free(held);
}

bool skp__is_held(const char *folder) {
  const HANDLE file = open_lock(folder, OPEN_EXISTING);
  const bool held = file == INVALID_HANDLE_VALUE && GetLastError() == ERROR_SHARING_VIOLATION;
  if (file != INVALID_HANDLE_VALUE) CloseHandle(file);
  return held;
}

/* The path of a file in it; it is folder's size and a name's. */
static void path_in(char *out, size_t size, const struct skp__held *held, const char *name) {
  snprintf(out, size, "%s/%s", held->folder, name);
}

bool skp__held_remove(const struct skp__held *held, const char *name) {
  char path[4 * MAX_PATH];
  path_in(path, sizeof path, held, name);
  return DeleteFileA(path);
}

bool skp__held_receive(const struct skp__held *held, const char *from, const char *name) {
  char path[4 * MAX_PATH];
  path_in(path, sizeof path, held, name);
  return !skp__rename(from, path);
}
