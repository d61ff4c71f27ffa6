/* checkpoint.c: weights to and from safetensors files, by PyTorch's names and in its layouts.
 * SPDX-License-Identifier: MIT */
#include "train/checkpoint/checkpoint.h"
#include "base/file.h"
#include "base/finite.h"
#include "base/host.h"
#include "io/onnx.h"
#include "io/weights.h"
#include "train/checkpoint/metadata.h"
#include "train/checkpoint/names.h"
#include "train/session/values.h"
#include <stdlib.h>
#include <string.h>

static const char mean_suffix[] = ".running_mean", var_suffix[] = ".running_var",
                  tracked_suffix[] = ".num_batches_tracked";

/* The length of a layer's name if t is its weight with that suffix, else 0. */
static size_t layer_of(const struct skp_tensor *t, const char *suffix) {
  const size_t n = strlen(t->name), end = strlen(suffix);
  return n > end && strcmp(t->name + n - end, suffix) == 0 ? n - end : 0;
}

/* The length of a batchnorm's name if t is its running mean, else 0: where it is PyTorch
 * keeps a num_batches_tracked. */
static size_t tracked_by(const struct skp_tensor *t) { return layer_of(t, mean_suffix); }

/* A tensor as files have it: name (borrowed), dtype and shape, no data. */
static struct skp_st_tensor file_tensor(const struct skp_tensor *t) {
  struct skp_st_tensor f = {.name = t->name, .dtype = "F32"};
  f.rank = skp__param_file_shape(t, f.dim);
  return f;
}

/* ---- saving ----------------------------------------------------------------------------------------------------- */

struct rows {
  struct skp_st_tensor *at;
  size_t n;
  int64_t steps; /* the value of every num_batches_tracked */
};

static skp_status add_weight(struct rows *rows, const struct skp_tensor *t, const float *flat) {
  struct skp_st_tensor row = file_tensor(t);
  float *data;
  SKP_TRY(skp__alloc(&data, (size_t)skp__shape_count(&t->shape), sizeof *data));
  skp__param_to_file(data, flat + t->offset, t);
  row.data = data;
  skp_status status = skp__strdup(&row.name, t->name);
  if (status != SKP_OK) free(data);
  if (status == SKP_OK) rows->at[rows->n++] = row;
  return status;
}

static skp_status add_tracked(struct rows *rows, const struct skp_tensor *t) {
  struct skp_st_tensor row = {.dtype = "I64"};
  int64_t *data;
  SKP_TRY(skp__alloc(&data, 1, sizeof *data));
  *data = rows->steps;
  row.data = data;
  skp_status status = skp__format(&row.name, "%.*s%s", (int)tracked_by(t), t->name, tracked_suffix);
  if (status != SKP_OK) free(data);
  if (status == SKP_OK) rows->at[rows->n++] = row;
  return status;
}

static skp_status add_rows(struct rows *rows, const struct skp_graph *g, const float *params, const float *state) {
  SKP_TRY(skp__alloc(&rows->at, 2 * g->tensors.n, sizeof *rows->at));
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    if (!skp__is_weight(t)) continue;
    SKP_TRY(add_weight(rows, t, t->role == SKP_ROLE_PARAM ? params : state));
    if (tracked_by(t)) SKP_TRY(add_tracked(rows, t));
  }
  return SKP_OK;
}

static void free_rows(struct rows *rows) {
  for (size_t i = 0; i < rows->n; i++) {
    free(rows->at[i].name);
    free((void *)(uintptr_t)rows->at[i].data);
  }
  free(rows->at);
}

skp_status skp__checkpoint_check(const struct skp_model *m, const float *params, const float *state) {
  const struct skp_graph *g = m->graph;
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    const float *flat = t->role == SKP_ROLE_PARAM ? params : state;
    int64_t first;
    if (skp__is_weight(t) && skp__nonfinite(flat + t->offset, skp__shape_count(&t->shape), &first))
      return skp__fail(SKP_NUMERIC, "The values of %s became infinite or not numbers", t->name);
  }
  return SKP_OK;
}

skp_status skp__checkpoint_write(const char *path, const struct skp_model *m, const struct skp_checkpoint_extra *extra,
                                 const float *params, const float *state) {
  struct rows rows = {.steps = extra->steps};
  struct skp__metadata meta = {.n = 0};
  skp_status status = add_rows(&rows, m->graph, params, state);
  if (status == SKP_OK) status = skp__metadata_make(&meta, m, extra);
  if (status == SKP_OK) status = skp__st_write(path, rows.at, rows.n, meta.at, meta.n);
  skp__metadata_free(&meta);
  free_rows(&rows);
  return status;
}

skp_status skp__checkpoint_save(const char *path, struct skp_session *s, const struct skp_checkpoint_extra *extra) {
  float *params, *state;
  SKP_TRY(skp__session_pull(s, &params, &state));
  skp_status status = skp__checkpoint_check(s->model, params, state);
  if (status == SKP_OK) status = skp__checkpoint_write(path, s->model, extra, params, state);
  free(params);
  free(state);
  return status;
}

int64_t skp__checkpoint_bytes(const struct skp_model *m) {
  const struct skp_graph *g = m->graph;
  int64_t bytes = 4096 + (int64_t)strlen(m->source);
  for (size_t i = 0; i < g->tensors.n; i++)
    if (skp__is_weight(&g->tensors.at[i])) bytes += 4 * skp__shape_count(&g->tensors.at[i].shape) + 512;
  return bytes;
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

struct load {
  struct skp__file_names names;
  bool *known;  /* one for each tensor of the file: the model has its name */
  FILE *report; /* NULL: nowhere */
  int matched, defects;
  char first[1024]; /* the first defects, for an error text */
};

static void defect(struct load *l, const char *text) {
  if (l->report) skp_print(l->report, "  %s\n", text);
  size_t used = strlen(l->first);
  if (l->defects++ < 8) snprintf(l->first + used, sizeof l->first - used, "\n  %s", text);
}

static const char *shape_text(char *text, size_t size, const struct skp_st_tensor *t) {
  snprintf(text, size, "%s", t->rank ? "" : "scalar");
  for (int i = 0; i < t->rank; i++) {
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%lld", i ? "×" : "", (long long)t->dim[i]);
  }
  return text;
}

/* The root is taken of a variance. */
static skp_status check_variance(const struct skp_tensor *t, const float *value) {
  const int64_t n = layer_of(t, var_suffix) ? skp__shape_count(&t->shape) : 0;
  for (int64_t i = 0; i < n; i++)
    if (value[i] < 0)
      return skp__fail(SKP_FORMAT, "%s[%lld] is %g, and a variance is never below 0: the file is damaged.", t->name,
                       (long long)i, (double)value[i]);
  return SKP_OK;
}

/* Copies one weight if the file has it with a type and shape that fit; else says why not. */
static skp_status load_weight(struct load *l, const struct skp_tensor *t, float *flat) {
  struct skp_st_tensor want = file_tensor(t);
  const struct skp_st_tensor *have = skp__file_names_find(&l->names, t->name);
  char text[512], a[128], b[128];
  if (!have) {
    snprintf(text, sizeof text, "%s: not in the file", t->name);
    defect(l, text);
    return SKP_OK;
  }
  l->known[have - l->names.file->tensor] = true;
  bool fits = have->rank == want.rank && skp__weights_real(have);
  for (int i = 0; fits && i < want.rank; i++) fits = have->dim[i] == want.dim[i];
  if (!fits) {
    snprintf(text, sizeof text, "%s: %s %s in the file, %s %s in the model", t->name, have->dtype,
             shape_text(a, sizeof a, have), want.dtype, shape_text(b, sizeof b, &want));
    defect(l, text);
    return SKP_OK;
  }
  float *copy;
  SKP_TRY(skp__alloc(&copy, (size_t)skp__shape_count(&t->shape), sizeof *copy));
  skp_status status = skp__weights_floats(copy, have);
  if (status == SKP_OK) status = check_variance(t, copy);
  if (status == SKP_OK) skp__param_from_file(flat + t->offset, copy, t);
  free(copy);
  l->matched += status == SKP_OK;
  return status;
}

static skp_status load_weights(struct load *l, const struct skp_graph *g, float *params, float *state) {
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    if (skp__is_weight(t)) SKP_TRY(load_weight(l, t, t->role == SKP_ROLE_PARAM ? params : state));
  }
  return SKP_OK;
}

/* The last node that has parameters of its own. */
static const struct skp_node *head_of(const struct skp_graph *g) {
  skp_value v = g->logits;
  while (v != SKP_NONE && g->tensors.at[v].producer >= 0) {
    const struct skp_node *node = &g->nodes.at[g->tensors.at[v].producer];
    for (int i = 1; i < node->n_in; i++)
      if (node->in[i] != SKP_NONE && g->tensors.at[node->in[i]].role == SKP_ROLE_PARAM) return node;
    v = node->in[0];
  }
  return NULL;
}

/* Weights for another number of classes are no accident. */
static void report_head(const struct load *l, const struct skp_graph *g) {
  const struct skp_node *head = head_of(g);
  if (!head || !l->report) return;
  const struct skp_tensor *t = &g->tensors.at[head->in[1]];
  const struct skp_st_tensor want = file_tensor(t), *have = skp__file_names_find(&l->names, t->name);
  if (have && have->rank == want.rank && have->dim[0] != want.dim[0])
    skp_print(l->report, "  The head %s begins anew: %lld classes in the file, %lld here\n", head->scope,
              (long long)have->dim[0], (long long)want.dim[0]);
}

/* Names of the file that the model does not know. */
static void report_unknown(const struct load *l) {
  const size_t before = strlen(l->names.prefix);
  for (size_t i = 0; l->report && i < l->names.file->tensors; i++) {
    const char *name = l->names.file->tensor[i].name;
    if (strncmp(name, l->names.prefix, before) == 0) name += before;
    if (!l->known[i] && !strstr(name, tracked_suffix)) skp_print(l->report, "  %s: not in the model\n", name);
  }
}

static skp_status check_load(const struct load *l, const char *path, bool strict) {
  if (strict && l->defects)
    return skp__fail(SKP_SHAPE, "%s does not fit the model; %d weights differ:%s", path, l->defects, l->first);
  if (!l->matched && l->defects) /* a network may have none */
    return skp__fail(SKP_SHAPE, "No weight of %s fits the model:%s\nIs it a checkpoint of another network?", path,
                     l->first);
  return SKP_OK;
}

/* Fills params and state with what the file has for them. */
static skp_status take(struct load *l, const char *path, const struct skp_graph *g, bool strict, float *params,
                       float *state) {
  const char *prefix = l->names.prefix;
  if (*prefix && l->report) skp_print(l->report, "  Its names begin with \"%s\", which is passed over\n", prefix);
  skp_status status = load_weights(l, g, params, state);
  if (status != SKP_OK) return skp__fail_in(status, "%s", path);
  report_unknown(l);
  report_head(l, g);
  return check_load(l, path, strict);
}

static skp_status load_create(struct load *l, const struct skp_st_file *file, const struct skp_graph *g) {
  SKP_TRY(skp__alloc(&l->known, file->tensors, sizeof *l->known));
  return skp__file_names_create(&l->names, file, g);
}

static void load_destroy(struct load *l) {
  skp__file_names_destroy(&l->names);
  free(l->known);
}

skp_status skp__checkpoint_take(const struct skp_st_file *file, const char *path, struct skp_session *s, bool strict,
                                FILE *report) {
  struct load l = {.report = report};
  float *params = NULL, *state = NULL;
  skp_status status = load_create(&l, file, s->model->graph);
  if (status == SKP_OK) status = skp__session_pull(s, &params, &state);
  if (status == SKP_OK) status = take(&l, path, s->model->graph, strict, params, state);
  if (status == SKP_OK) status = skp__session_push(s, params, state);
  if (status == SKP_OK && report)
    skp_print(report, "  %d weights loaded from %s, %d left at their initial values\n", l.matched, path, l.defects);
  load_destroy(&l);
  free(params);
  free(state);
  return status;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static const char *const in_run[] = {"best.safetensors", "last.safetensors"};
enum { LAST = 1, IN_RUN };

/* Which of them a run's folder stands for, by number; IN_RUN: it has none, or is no folder. */
static skp_status find_in_run(int *out, const char *folder) {
  for (*out = 0; *out < IN_RUN; ++*out) {
    char *path;
    SKP_TRY(skp__path_join(&path, folder, in_run[*out]));
    const bool found = skp__file_exists(path);
    free(path);
    if (found) return SKP_OK;
  }
  return SKP_OK;
}

/* The file that a path means; free() it. */
static skp_status find_file(char **out, const char *said) {
  if (!skp__folder_exists(said)) return skp__strdup(out, said);
  int found;
  SKP_TRY(find_in_run(&found, said));
  if (found < IN_RUN) return skp__path_join(out, said, in_run[found]);
  return skp__fail(SKP_IO,
                   "The folder %s holds neither best.safetensors nor last.safetensors: it is no run that has "
                   "saved weights.",
                   said);
}

bool skp__checkpoint_latest(const char *path) {
  int found;
  return find_in_run(&found, path) == SKP_OK && found == LAST;
}

bool skp__checkpoint_found(const char *path) {
  unsigned char head[9];
  int64_t size;
  int found;
  if (skp__folder_exists(path)) return find_in_run(&found, path) == SKP_OK && found < IN_RUN;
  if (!skp__file_exists(path) || skp__file_head(head, sizeof head, &size, path) != SKP_OK || size < 9) return false;
  bool safetensors = !head[7] && head[8] == '{'; /* after the header's length, of which no text has the last byte */
  return safetensors || skp__torch_found(head, size) || skp__onnx_found(head, size);
}

static skp_status fail_state(struct skp_st_file *f, const char *path) {
  skp__st_free(f);
  return skp__fail(SKP_USAGE,
                   "%s is what %s goes on from. The weights for other uses are in best.safetensors and "
                   "last.safetensors beside it; the run's folder stands for them, too.",
                   path, skp__option("skp_run_resume"));
}

skp_status skp__checkpoint_read(struct skp_st_file *out, const char *said) {
  char *path;
  *out = (struct skp_st_file){0};
  SKP_TRY(find_file(&path, said));
  skp_status status = skp__weights_read(out, path);
  if (status == SKP_OK && skp__st_meta(out, "position")) status = fail_state(out, path);
  free(path);
  return status;
}

skp_status skp__checkpoint_load_weights(const char *path, struct skp_session *s, bool strict, FILE *report) {
  struct skp_st_file file;
  SKP_TRY(skp__checkpoint_read(&file, path));
  skp_status status = skp__checkpoint_take(&file, path, s, strict, report);
  skp__st_free(&file);
  return status;
}

/* Says which normalisation of pixels a run begins with, where the weights or nobody decided that. */
static void report_pixels(FILE *to, const struct skp_inherit *pixels, enum skp__pixels its) {
  static const char *const inherited[2][2] = {
      {NULL, "Std of the pixels is the one"},
      {"Mean of the pixels is the one", "Mean and std of the pixels are those"}};
  const char *what = inherited[pixels->mean][pixels->std];
  const struct skp_recipe *r = pixels->recipe;
  if (its == SKP__PIXELS_FIT && what) skp_print(to, "  %s that these weights were trained with\n", what);
  if (its == SKP__PIXELS_DIFFER && what)
    skp_print(to, "  These weights were trained with mean and std of other channels than %d: they are left\n",
              r->channels);
  if (its == SKP__PIXELS_UNSAID && pixels->mean && pixels->std && r->channels == 3 && !skp__recipe_normalises(r))
    skp_print(to, "  The file does not say how pixels were normalised; weights of torchvision expect %s imagenet\n",
              skp__option("mean"));
}

skp_status skp__checkpoint_init(const struct skp_st_file *file, const char *path, struct skp_session *s,
                                const struct skp_inherit *pixels, FILE *report) {
  enum skp__pixels its;
  SKP_TRY(skp__metadata_pixels(pixels, &its, file, path));
  if (report) report_pixels(report, pixels, its);
  return skp__checkpoint_take(file, path, s, false, report);
}

skp_status skp__checkpoint_model(struct skp_model **out, struct skp_labels *labels, const char *path) {
  *out = NULL;
  struct skp_st_file file;
  SKP_TRY(skp__checkpoint_read(&file, path));
  skp_status status = skp__metadata_model(out, labels, &file, path);
  skp__st_free(&file);
  return status;
}
