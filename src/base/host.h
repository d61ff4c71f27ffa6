/* host.h: what holds for the whole process, said once by who uses the library. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_HOST_H
#define SKP_BASE_HOST_H

#include "base/error.h"

struct skp__host {
  const char *scratch;  /* folder for temporary files; NULL: the system's */
  const char *index;    /* folder that keeps what was read of large sets of pictures; NULL: none does */
  const char *root;     /* stands for "" where the system's files are looked for */
  double probe_seconds; /* that a driver may take to list its devices */
  const char *(*call)(const char *name); /* see skp__option; NULL: as it is */
};
/* Never NULL. It must not be set while another thread reads it. */
const struct skp__host *skp__host(void);
/* Zeros stand for the usual. Texts are copied. */
skp_status skp__host_set(const struct skp__host *said);
/* SKP_USAGE where numbers in the process's texts have another sign than a point, as some languages have: what is read
 * and written would not be what it says. */
skp_status skp__host_check_numbers(void);
/* What a text calls something that whoever uses the library can set or do: an entry of the recipe ("valid_split"), a
 * field of its options ("max_seconds"), a function ("skp_run_resume"). A program says --valid-split, --max-time, … */
const char *skp__option(const char *name);
/* Where a file or a folder that it named could not be written, its name begins the error's text. Other statuses and
 * texts stay. */
skp_status skp__option_written(const char *name, skp_status status);

#endif
