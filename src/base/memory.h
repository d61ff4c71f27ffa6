/* memory.h: texts of any length that are printed into memory. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_MEMORY_H
#define SKP_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct skp__memory {
  FILE *to;     /* print here */
  char *text;   /* after skp__memory_close: all of it, with a zero behind it; free() it */
  size_t bytes; /* its length */
};
/* Opens it; what lies at `m` stays there until it is closed. False: memory lacks. */
bool skp__memory_open(struct skp__memory *m);
/* Closes it, if it was opened. False: memory lacked for something; the text, if there is one, is not whole. */
bool skp__memory_close(struct skp__memory *m);

#endif
