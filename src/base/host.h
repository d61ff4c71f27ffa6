/* host.h: what holds for the whole process, said once by who uses the library. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_HOST_H
#define SKP_BASE_HOST_H

#include "base/error.h"

struct skp__host {
  char *scratch;        /* folder for temporary files; NULL: the system's */
  char *root;           /* stands for "" where the system's files are looked for */
  double probe_seconds; /* that a driver may take to list its devices */
};
/* Never NULL. It must not be set while another thread reads it. */
const struct skp__host *skp__host(void);
/* NULL, NULL and 0 stand for the usual. Texts are copied. */
skp_status skp__host_set(const char *scratch, const char *root, double probe_seconds);

#endif
