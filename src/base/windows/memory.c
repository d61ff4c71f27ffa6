/* memory.c: see memory.h. Windows' streams are of files alone: what is printed lies in one that goes when it is closed.
 * SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/windows/windows.h"
#include <fcntl.h>
#include <io.h>
#include <stdint.h>
#include <stdlib.h>

bool skp__memory_open(struct skp__memory *m) {
  char folder[MAX_PATH], path[MAX_PATH];
  *m = (struct skp__memory){.to = NULL};
  if (!GetTempPathA(sizeof folder, folder) || !GetTempFileNameA(folder, "skp", 0, path)) return false;
  HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_DELETE, NULL, CREATE_ALWAYS,
                            FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
  if (file == INVALID_HANDLE_VALUE) return false;
  m->to = _fdopen(_open_osfhandle((intptr_t)file, _O_BINARY), "w+b");
  return m->to;
}

/* All that lies in the file. */
static bool read_back(struct skp__memory *m) {
  const int64_t bytes = fflush(m->to) ? -1 : _ftelli64(m->to);
  if (bytes < 0 || ferror(m->to)) return false;
  m->text = malloc((size_t)bytes + 1);
  if (!m->text) return false;
  rewind(m->to);
  m->bytes = fread(m->text, 1, (size_t)bytes, m->to);
  m->text[m->bytes] = 0;
  return m->bytes == (size_t)bytes;
}

bool skp__memory_close(struct skp__memory *m) {
  if (!m->to) return false;
  const bool whole = read_back(m);
  fclose(m->to);
  m->to = NULL;
  return whole;
}
