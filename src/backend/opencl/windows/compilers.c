/* compilers.c: see compilers.h. Windows has no fork, by which they would be had: programs are compiled where they are
 * needed. SPDX-License-Identifier: MIT */
#include "backend/opencl/compilers.h"

void skp__cl_compilers_start(struct skp__cl *cl, const struct skp_device *d, int threads, skp__cl_compile compile) {
  (void)cl, (void)d, (void)threads, (void)compile;
}

void skp__cl_compilers_stop(struct skp__cl *cl) { (void)cl; }

void skp__cl_compilers_do(struct skp__cl *cl, const struct skp__cl_jobs *jobs) { (void)cl, (void)jobs; }

const char *skp__cl_compilers_fate(const struct skp__cl *cl, const char *file, const char *options) {
  (void)cl, (void)file, (void)options;
  return NULL;
}
