/* foreign.h: what other trainers call things. SPDX-License-Identifier: MIT */
#ifndef SKP_CLI_FOREIGN_H
#define SKP_CLI_FOREIGN_H

#include <stddef.h>

/* An option of torchvision's or timm's trainers, or one that is often tried. */
struct cli_foreign {
  const char *name;   /* "batch-size"; NULL: only a letter */
  char letter;        /* 0: none */
  const char *ours;   /* means exactly this option, and is taken for it; "set classes": --set classes=VALUE */
  const char *answer; /* else what to say: whole sentences */
};

enum { CLI_FOREIGN_MOST = 99 };
extern const struct cli_foreign cli_foreign[];
extern const size_t cli_foreign_n;

#endif
