/* jobs.c: programs that are going to be launched, noted to be compiled ahead. SPDX-License-Identifier: MIT */
#include "backend/opencl/jobs.h"
#include "backend/opencl/program.h"
#include <string.h>

static bool is_noted(const struct skp__cl_jobs *jobs, const char *file, const char *options) {
  for (size_t i = 0; i < jobs->list.n; i++)
    if (!strcmp(jobs->list.at[i].file, file) && !strcmp(jobs->list.at[i].options, options)) return true;
  return false;
}

void skp__cl_note(struct skp__cl *cl, const char *file, const char *options) {
  struct skp__cl_jobs *jobs = cl->noting;
  size_t weight;
  if (is_noted(jobs, file, options) || strlen(options) >= sizeof jobs->list.at->options ||
      skp__cl_program_ready(cl, file, options, &weight) || SKP_GROW(&jobs->list) != SKP_OK)
    return;
  struct skp__cl_job *job = &jobs->list.at[jobs->list.n - 1];
  *job = (struct skp__cl_job){.file = file, .weight = weight};
  snprintf(job->options, sizeof job->options, "%s", options);
}
