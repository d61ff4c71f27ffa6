/* jobs.c: see jobs.h. SPDX-License-Identifier: MIT */
#include "backend/opencl/jobs.h"
#include "backend/opencl/program.h"
#include <string.h>
#include <xxhash.h>

static bool is_noted(const struct skp__cl_jobs *jobs, const char *file, const char *options) {
  for (size_t i = 0; i < jobs->list.n; i++)
    if (!strcmp(jobs->list.at[i].file, file) && !strcmp(jobs->list.at[i].options, options)) return true;
  return false;
}

static void list_program(struct skp__cl *cl, const char *file, const char *options) {
  struct skp__cl_jobs *jobs = cl->noting;
  size_t weight;
  if (is_noted(jobs, file, options) || strlen(options) >= sizeof jobs->list.at->options ||
      skp__cl_program_ready(cl, file, options, &weight) || SKP_GROW(&jobs->list) != SKP_OK)
    return;
  struct skp__cl_job *job = &jobs->list.at[jobs->list.n - 1];
  *job = (struct skp__cl_job){.file = file, .weight = weight};
  snprintf(job->options, sizeof job->options, "%s", options);
}

/* The final zero is counted in, so that "ab" "c" is not "a" "bc". */
static void add(struct skp__cl_jobs *jobs, const char *text) {
  jobs->kernels = XXH3_64bits_withSeed(text, strlen(text) + 1, jobs->kernels);
}

void skp__cl_note(struct skp__cl *cl, const char *file, const char *kernel, const char *options, int dims,
                  const size_t *local) {
  struct skp__cl_jobs *jobs = cl->noting;
  size_t group[3] = {0};
  if (local) memcpy(group, local, (size_t)dims * sizeof *local);
  add(jobs, skp__cl_source_of(file));
  add(jobs, kernel);
  add(jobs, options);
  jobs->kernels = XXH3_64bits_withSeed(group, sizeof group, jobs->kernels);
  if (jobs->ahead) list_program(cl, file, options);
}

void skp__cl_note_call(struct skp__cl *cl, const char *name) { add(cl->noting, name); }
