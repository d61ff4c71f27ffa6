/* values.c: see values.h. SPDX-License-Identifier: MIT */
#include "backend/opencl/values.h"
#include <stdio.h>

enum { WIDTH = 8 }; /* values of a work-item */

skp_status skp__cl_launch_values(struct skp_prepared *p, const char *file, const char *kernel, const char *more, int n,
                                 const struct skp__cl_arg *args) {
  char options[192];
  const size_t global = ((size_t)n + WIDTH - 1) / WIDTH;
  snprintf(options, sizeof options, "-DWIDTH=%d%s%s", WIDTH, *more ? " " : "", more);
  return skp__cl_launch(p, file, kernel, options, 1, &global, NULL, args);
}

int skp__cl_values(const struct skp_sig *sig) { return (int)skp__shape_count(&sig->out[0]); }
