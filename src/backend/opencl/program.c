/* program.c: kernels from source to program, shared by equal file and options. What was compiled goes to the disk cache
 * at once, so that the shortest run leaves it there; PoCL compiles what a program's kernels launch when it is asked for
 * the binary (see environment.c).
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/program.h"
#include "backend/opencl/cache.h"
#include "backend/opencl/compilers.h"
#include "base/clock.h"
#include "base/progress.h"
#include <stdlib.h>
#include <string.h>

/* Warnings are the business of Skipper's own tests; PoCL would print their number. Never
 * here: the flags that drop NaN or infinity. */
static const char COMMON_OPTIONS[] = "-cl-std=CL1.2 -w";

struct skp__cl_program {
  char *file, *options;
  const char *text;
  cl_program program;
};

static void free_program(struct skp__cl *cl, struct skp__cl_program *p) {
  if (p->program) SKP_CALL(cl, "clReleaseProgram", "", clReleaseProgram(p->program));
  free(p->file);
  free(p->options);
}

static skp_status find_source(const char **out, const char *file) {
  *out = NULL;
  for (const struct skp__cl_source *s = skp__cl_sources; s->name; s++)
    if (!strcmp(s->name, file)) {
      *out = s->text;
      return SKP_OK;
    }
  return skp__fail(SKP_INTERNAL, "There is no cl/%s.cl.", file);
}

const char *skp__cl_source_of(const char *file) {
  const char *text;
  return find_source(&text, file) == SKP_OK ? text : "";
}

bool skp__cl_reads_maps(const char *file) { return strstr(skp__cl_source_of(file), "NARROW_MAPS"); }

static skp_status fail_build(struct skp__cl *cl, cl_program program, cl_int code, const char *file,
                             const char *options) {
  size_t n = 0;
  char *log = NULL;
  clGetProgramBuildInfo(program, cl->device, CL_PROGRAM_BUILD_LOG, 0, NULL, &n);
  SKP_TRY(skp__alloc(&log, n + 1, 1));
  clGetProgramBuildInfo(program, cl->device, CL_PROGRAM_BUILD_LOG, n, log, NULL);
  skp_status status =
      skp__fail(SKP_BUILD, "%s does not compile cl/%s.cl with options \"%s\" (%s). Driver: %s. The compiler says:\n%s",
                cl->name, file, options, skp__cl_error_name(code), cl->driver, *log ? log : "(nothing)");
  free(log);
  return status;
}

skp_status skp__cl_build(struct skp__cl *cl, cl_program *out, const char *file, const char *text, const char *options) {
  *out = NULL;
  cl_int code;
  cl_program program;
  SKP_TRY(SKP_CHECK(cl, "clCreateProgramWithSource", file,
                    (program = clCreateProgramWithSource(cl->context, 1, &text, NULL, &code), code)));
  code = SKP_CALL(cl, "clBuildProgram", file, clBuildProgram(program, 1, &cl->device, options, NULL, NULL));
  if (code != CL_SUCCESS) {
    skp_status status = fail_build(cl, program, code, file, options);
    SKP_CALL(cl, "clReleaseProgram", file, clReleaseProgram(program));
    return status;
  }
  *out = program;
  return SKP_OK;
}

/* Has another process compile it into the disk cache. SKP_BUILD if that did it no good: then it is not to be tried
 * here. Any other failure shows here again, with the compiler's words. */
static skp_status build_elsewhere(struct skp__cl *cl, const char *file, const char *options) {
  struct skp__cl_job job = {.file = file};
  const struct skp__cl_jobs jobs = {.list = {&job, 1, 1}};
  const char *fate = skp__cl_compilers_fate(cl, file, options);
  if (strlen(options) >= sizeof job.options) return SKP_OK;
  snprintf(job.options, sizeof job.options, "%s", options);
  if (!fate) skp__cl_compilers_do(cl, &jobs);
  if (!fate) fate = skp__cl_compilers_fate(cl, file, options);
  if (!fate) return SKP_OK;
  return skp__fail(SKP_BUILD, "The compiler of %s %s over cl/%s.cl with options \"%s\". Driver: %s.", cl->name, fate,
                   file, options, cl->driver);
}

static skp_status build_here(struct skp__cl *cl, struct skp__cl_program *p, const char *file) {
  skp__progress_work(skp__progress_compiling, 0, 1);
  SKP_TRY(skp__cl_build(cl, &p->program, file, p->text, p->options));
  skp__progress_work(skp__progress_compiling, 1, 1);
  skp__cl_cache_store(cl, p->program, p->text, p->options);
  return SKP_OK;
}

static skp_status load_or_build(struct skp__cl *cl, struct skp__cl_program *p, const char *file, const char *options) {
  SKP_TRY(skp__strdup(&p->file, file));
  SKP_TRY(skp__format(&p->options, "%s %s", COMMON_OPTIONS, options));
  SKP_TRY(find_source(&p->text, file));
  double start = skp__clock();
  p->program = skp__cl_cache_load(cl, p->text, p->options);
  bool compiled = !p->program;
  if (compiled && !skp__cl_cache_has(cl, p->text, p->options)) SKP_TRY(build_elsewhere(cl, file, options));
  if (compiled) p->program = skp__cl_cache_load(cl, p->text, p->options);
  if (!p->program) SKP_TRY(build_here(cl, p, file));
  if (cl->trace)
    fprintf(cl->trace, "cl/%s.cl %s: %s in %.3f s\n", file, options, compiled ? "compiled" : "from the cache",
            skp__clock() - start);
  return SKP_OK;
}

static const struct skp__cl_program *find_program(const struct skp__cl *cl, const char *file, const char *options) {
  for (size_t i = 0; i < cl->programs.n; i++) {
    const struct skp__cl_program *p = &cl->programs.at[i];
    if (!strcmp(p->file, file) && !strcmp(p->options + sizeof COMMON_OPTIONS, options)) return p;
  }
  return NULL;
}

skp_status skp__cl_program(struct skp__cl *cl, cl_program *out, const char *file, const char *options) {
  const struct skp__cl_program *known = find_program(cl, file, options);
  if (known) {
    *out = known->program;
    return SKP_OK;
  }
  SKP_TRY(skp__cl_alive(cl));
  SKP_TRY(SKP_GROW(&cl->programs));
  struct skp__cl_program *p = &cl->programs.at[cl->programs.n - 1];
  skp_status status = load_or_build(cl, p, file, options);
  if (status == SKP_OK) {
    *out = p->program;
    return SKP_OK;
  }
  free_program(cl, p);
  cl->programs.n--;
  return status;
}

skp_status skp__cl_compile_here(struct skp__cl *cl, const char *file, const char *options) {
  cl_program program;
  return skp__cl_program(cl, &program, file, options);
}

bool skp__cl_program_ready(struct skp__cl *cl, const char *file, const char *options, size_t *weight) {
  char *all = NULL;
  const char *text;
  *weight = 0;
  if (find_program(cl, file, options) || find_source(&text, file) != SKP_OK ||
      skp__format(&all, "%s %s", COMMON_OPTIONS, options) != SKP_OK)
    return true; /* nothing that could be done ahead */
  *weight = strlen(text);
  bool ready = skp__cl_cache_has(cl, text, all);
  free(all);
  return ready;
}

void skp__cl_programs_free(struct skp__cl *cl) {
  for (size_t i = 0; i < cl->programs.n; i++) free_program(cl, &cl->programs.at[i]);
  SKP_FREE(&cl->programs);
}
