/* pictures.h: image files named on the command line as a source of images. SPDX-License-Identifier: MIT */
#ifndef SKP_CLI_PICTURES_H
#define SKP_CLI_PICTURES_H

#include "cli/cli.h"

struct cli_picture {
  char *path;
  char *error; /* why it cannot be read; NULL: it can */
  bool dark_on_light;
};

struct cli_pictures {
  struct skp_source base;
  bool invert; /* dark becomes light */
  SKP_ARRAY(struct cli_picture) files;
};

/* The files, and those with the ending of an image in the folders and the folders in them (see data/walk.h), by their paths; what else lies there is said. Each is
 * delivered with `channels` channels; one that cannot be read is black, and says so in its `error`. cli_pictures_free also after a failure. */
skp_status cli_pictures_open(struct cli_pictures *out, char *const *names, size_t n, int channels, bool invert);
void cli_pictures_free(struct cli_pictures *p);

#endif
