/* parameters.c: are the arguments of a launch those that its kernel takes? SPDX-License-Identifier: MIT */
#include "backend/opencl/launch.h"
#include "base/text.h"
#include <string.h>

static const struct skp__cl_kernel *find_kernel(const char *file, const char *name) {
  for (const struct skp__cl_kernel *k = skp__cl_kernels; k->name; k++)
    if (!strcmp(k->name, name) && !strcmp(k->file, file)) return k;
  return NULL;
}

/* What pointers to values of each type are called in kernels, after "global " and "const "; "stored" is what maps.clh
 * makes of maps, floats where none of the op's are narrow. */
static const char *const elements[][2] = {[SKP_F32] = {"float *", "stored *"},
                                          [SKP_I32] = {"int *", "uint *"},
                                          [SKP_BF16] = {"stored *", "stored *"},
                                          [SKP_U8] = {"uchar *", "uchar *"}};

static bool is_one_of(const char *type, const char *const names[2]) {
  return !strcmp(type, names[0]) || !strcmp(type, names[1]);
}

/* Moves `*text` past `word` if it begins with that. */
static bool skip(const char **text, const char *word) {
  size_t n = strlen(word);
  if (strncmp(*text, word, n) != 0) return false;
  *text += n;
  return true;
}

/* An input may be read, an output written, and both are of the value's type; nobody looks into an absent one. */
static bool suits_value(const struct skp_shape *values, int n, int number, bool allowed, const char *element,
                        bool narrow) {
  if (number < 0 || number >= n || !allowed) return false;
  if (!values[number].rank) return true;
  if (narrow && values[number].dtype == SKP_F32) return !strcmp(element, elements[SKP_F32][0]);
  return is_one_of(element, elements[values[number].dtype]);
}

static bool suits(const struct skp_sig *sig, const struct skp__cl_arg *arg, const char *type) {
  if (arg->kind == SKP_CL_INT) return !strcmp(type, "int");
  if (arg->kind == SKP_CL_FLOAT) return !strcmp(type, "float");
  if (!skip(&type, "global ")) return false;
  const bool constant = skip(&type, "const "), narrow = skp__sig_narrow(sig);
  if (arg->kind == SKP_CL_IN) return suits_value(sig->in, sig->n_in, arg->number, constant, type, narrow);
  if (arg->kind == SKP_CL_OUT) return suits_value(sig->out, sig->n_out, arg->number, !constant, type, narrow);
  return arg->kind == SKP_CL_ABSENT ||
         is_one_of(type, elements[SKP_F32]); /* the workspace is floats, or maps as they are */
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static void add_given(struct skp__text *w, const struct skp__cl_arg *arg) {
  static const char *const words[] = {
      [SKP_CL_IN] = "input",          [SKP_CL_OUT] = "output",      [SKP_CL_WORK] = "the workspace",
      [SKP_CL_KEPT] = "what is kept", [SKP_CL_ABSENT] = "no value", [SKP_CL_INT] = "an int",
      [SKP_CL_FLOAT] = "a float"};
  if (!arg->name) {
    skp__text_add(w, "nothing more");
    return;
  }
  skp__text_add(w, "%s", words[arg->kind]);
  if (arg->kind == SKP_CL_IN || arg->kind == SKP_CL_OUT) skp__text_add(w, " %d", arg->number);
  skp__text_add(w, " as \"%s\"", arg->name);
}

static skp_status fail(const struct skp__cl_kernel *k, size_t i, const struct skp__cl_arg *arg) {
  struct skp__text given = {0};
  const struct skp__cl_parameter *wanted = &k->parameters[i];
  add_given(&given, arg);
  if (!wanted->name)
    return skp__fail(SKP_INTERNAL, "Kernel %s of cl/%s.cl takes %zu arguments; given is also %s.", k->name, k->file, i,
                     given.at);
  return skp__fail(SKP_INTERNAL, "Kernel %s of cl/%s.cl: argument %zu is \"%s\", %s; given is %s.", k->name, k->file,
                   i + 1, wanted->name, wanted->type, given.at);
}

skp_status skp__cl_check_args(const struct skp_sig *sig, const char *file, const char *kernel,
                              const struct skp__cl_arg *args) {
  const struct skp__cl_kernel *k = find_kernel(file, kernel);
  if (!k) return skp__fail(SKP_INTERNAL, "There is no kernel %s in cl/%s.cl.", kernel, file);
  size_t i = 0;
  while (k->parameters[i].name && args[i].name && !strcmp(k->parameters[i].name, args[i].name) &&
         suits(sig, &args[i], k->parameters[i].type))
    i++;
  return k->parameters[i].name || args[i].name ? fail(k, i, &args[i]) : SKP_OK;
}
