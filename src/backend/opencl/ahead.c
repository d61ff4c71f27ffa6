/* ahead.c: notes what the methods of the coming ops would launch, and has it compiled side by side.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/ahead.h"
#include "backend/opencl/compilers.h"
#include "backend/opencl/method.h"
#include "backend/opencl/program.h"
#include "base/clock.h"
#include <stdlib.h>

/* The longest first, so that none of them is left for the end. */
static int by_weight(const void *a, const void *b) {
  size_t x = ((const struct skp__cl_job *)a)->weight, y = ((const struct skp__cl_job *)b)->weight;
  return (x < y) - (x > y);
}

static void note_all(struct skp__cl *cl, struct skp__cl_jobs *jobs, const struct skp_sig *sigs, size_t n) {
  FILE *trace = cl->trace;
  cl->trace = NULL; /* methods are chosen again, in earnest, afterwards */
  cl->noting = jobs;
  for (size_t i = 0; i < n; i++) {
    struct skp_prepared *p;
    if (skp__cl_prepare(&cl->base, &p, &sigs[i], NULL) == SKP_OK) skp__cl_prepared_destroy(p);
  }
  cl->noting = NULL;
  cl->trace = trace;
  if (jobs->list.n) qsort(jobs->list.at, jobs->list.n, sizeof *jobs->list.at, by_weight);
}

/* How many of them are in the cache now. */
static size_t count_ready(struct skp__cl *cl, const struct skp__cl_jobs *jobs) {
  size_t ready = 0, weight;
  for (size_t i = 0; i < jobs->list.n; i++)
    ready += skp__cl_program_ready(cl, jobs->list.at[i].file, jobs->list.at[i].options, &weight);
  return ready;
}

void skp__cl_expect(struct skp_backend *b, const struct skp_sig *sigs, size_t n) {
  struct skp__cl *cl = (struct skp__cl *)b;
  const double start = skp__clock();
  if (!cl->compilers || cl->lost) return;
  struct skp__cl_jobs jobs = {.ahead = true};
  note_all(cl, &jobs, sigs, n);
  if (jobs.list.n) skp__cl_compilers_do(cl, &jobs);
  if (jobs.list.n && cl->trace)
    fprintf(cl->trace, "%zu of %zu programs compiled ahead in %.3f s\n", count_ready(cl, &jobs), jobs.list.n,
            skp__clock() - start);
  SKP_FREE(&jobs.list);
}
