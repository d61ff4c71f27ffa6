/* note.c: see note.h. SPDX-License-Identifier: MIT */
#include "backend/note.h"
#include "base/array.h"
#include "base/file.h"
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

void skp__note_device(char out[SKP_NOTE_DEVICE], const struct skp_backend_info *info) {
  snprintf(out, SKP_NOTE_DEVICE, "%s, %s%s%s", info->name, info->driver, *info->layers ? ", " : "", info->layers);
  for (char *c = out; *c; c++)
    if (*c == '\n' || *c == '\r') *c = ' ';
}

skp_status skp__note_path(char **out, const struct skp_backend_info *info, const char *kind, const char *line) {
  char *folder;
  *out = NULL;
  if (!info->cache) return SKP_OK;
  SKP_TRY(skp__path_join(&folder, info->cache, kind));
  skp_status status = SKP_OK;
  if (skp__folder_create(folder) == SKP_OK)
    status = skp__format(out, "%s/%016llx.txt", folder, (unsigned long long)XXH3_64bits(line, strlen(line) + 1));
  free(folder);
  return status;
}
