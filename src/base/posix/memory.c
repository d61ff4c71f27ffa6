/* memory.c: see memory.h. SPDX-License-Identifier: MIT */
#include "base/memory.h"

bool skp__memory_open(struct skp__memory *m) {
  *m = (struct skp__memory){.to = NULL};
  m->to = open_memstream(&m->text, &m->bytes);
  return m->to;
}

bool skp__memory_close(struct skp__memory *m) {
  FILE *to = m->to;
  m->to = NULL;
  const bool whole = to && !ferror(to);
  return to && !fclose(to) && whole && m->text; /* glibc may tell that memory lacked by nothing but a text of NULL */
}
