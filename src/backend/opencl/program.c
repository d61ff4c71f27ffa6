/* program.c: kernels from source to program, shared by equal file and options. SPDX-License-Identifier: MIT */
#include "backend/opencl/runtime.h"
#include <stdlib.h>
#include <string.h>

struct skp__cl_program {
  char *file, *options;
  cl_program program;
};

static void free_program(struct skp__cl_program *p) {
  if (p->program) clReleaseProgram(p->program);
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
  cl_program program = clCreateProgramWithSource(cl->context, 1, &text, NULL, &code);
  SKP_TRY(skp__cl_check(cl, code, "clCreateProgramWithSource", file));
  code = clBuildProgram(program, 1, &cl->device, options, NULL, NULL);
  if (code != CL_SUCCESS) {
    skp_status status = fail_build(cl, program, code, file, options);
    clReleaseProgram(program);
    return status;
  }
  *out = program;
  return SKP_OK;
}

static skp_status build_file(struct skp__cl *cl, cl_program *out, const char *file, const char *options) {
  const char *text;
  char *all;
  SKP_TRY(find_source(&text, file));
  /* The language is asked for in the version of the device; none of the flags that drop NaN or infinity is ever given. */
  SKP_TRY(skp__format(&all, "-cl-std=CL1.2 %s", options));
  skp_status status = skp__cl_build(cl, out, file, text, all);
  free(all);
  return status;
}

skp_status skp__cl_program(struct skp__cl *cl, cl_program *out, const char *file, const char *options) {
  for (size_t i = 0; i < cl->programs.n; i++) {
    const struct skp__cl_program *p = &cl->programs.at[i];
    if (strcmp(p->file, file) || strcmp(p->options, options)) continue;
    *out = p->program;
    return SKP_OK;
  }
  SKP_TRY(skp__cl_alive(cl));
  SKP_TRY(SKP_GROW(&cl->programs));
  struct skp__cl_program *p = &cl->programs.at[cl->programs.n - 1];
  skp_status status = skp__strdup(&p->file, file);
  if (status == SKP_OK) status = skp__strdup(&p->options, options);
  if (status == SKP_OK) status = build_file(cl, &p->program, file, options);
  if (status == SKP_OK) {
    *out = p->program;
    return SKP_OK;
  }
  free_program(p);
  cl->programs.n--;
  return status;
}

void skp__cl_programs_free(struct skp__cl *cl) {
  for (size_t i = 0; i < cl->programs.n; i++) free_program(&cl->programs.at[i]);
  SKP_FREE(&cl->programs);
}
