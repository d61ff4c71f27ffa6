/* golden.c: cases from files of reference values (golden/README.md). SPDX-License-Identifier: MIT
 *
 * Layouts in those files, and here:  images N C H W -> N H W C   weights K C R S -> R S C K   linear K F -> 1 1 F K */
#include "base/file.h"
#include "base/names.h"
#include "io/safetensors.h"
#include "verify/case.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One case of a file. */
struct source {
  const struct skp_st_file *file;
  const char *id;
  const cJSON *attrs, *inputs, *outputs, *grads, *error;
};

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

static skp_status find(const struct skp_st_tensor **out, const struct source *s, const char *name) {
  char full[160];
  snprintf(full, sizeof full, "%s.%s", s->id, name);
  *out = skp__st_find(s->file, full);
  if (!*out) return skp__fail(SKP_FORMAT, "The tensor '%s' is missing.", full);
  if (strcmp((*out)->dtype, "F32") && strcmp((*out)->dtype, "I32"))
    return skp__fail(SKP_FORMAT, "The tensor '%s' is neither F32 nor I32.", full);
  if ((*out)->rank < 1 || (*out)->rank > SKP_MAX_RANK || !(*out)->bytes)
    return skp__fail(SKP_FORMAT, "The tensor '%s' is empty or has %d dimensions.", full, (*out)->rank);
  return SKP_OK;
}

/* `to` receives the elements of `from` with dimension i of the result being dimension order[i] of the source. */
static void permute(uint32_t *to, const uint32_t *from, const int64_t dim[4], const int order[4]) {
  int64_t stride[4] = {dim[1] * dim[2] * dim[3], dim[2] * dim[3], dim[3], 1};
  for (int64_t a = 0; a < dim[order[0]]; a++)
    for (int64_t b = 0; b < dim[order[1]]; b++)
      for (int64_t c = 0; c < dim[order[2]]; c++)
        for (int64_t d = 0; d < dim[order[3]]; d++)
          *to++ = from[a * stride[order[0]] + b * stride[order[1]] + c * stride[order[2]] + d * stride[order[3]]];
}

/* The tensor NAME in our layout, in fresh memory. Weights are called w, and their gradient dw. */
static skp_status load(void **data, struct skp_shape *shape, const struct source *s, const char *name) {
  static const int image[4] = {0, 2, 3, 1}, weight[4] = {2, 3, 1, 0};
  const struct skp_st_tensor *t;
  uint32_t *raw;
  SKP_TRY(find(&t, s, name));
  bool weights = !strcmp(name, "w") || !strcmp(name, "dw");
  int64_t dim[4] = {t->dim[0], t->rank > 1 ? t->dim[1] : 1, t->rank > 2 ? t->dim[2] : 1, t->rank > 3 ? t->dim[3] : 1};
  const int *order = weights ? weight : image;
  *shape = skp__shape(strcmp(t->dtype, "I32") ? SKP_F32 : SKP_I32, t->rank, dim);
  SKP_TRY(skp__alloc(&raw, (size_t)t->bytes / 4, 4));
  memcpy(raw, t->data, (size_t)t->bytes);
  *data = raw;
  if (!weights && t->rank < 4) return SKP_OK;
  *shape = skp__shape4(dim[order[0]], dim[order[1]], dim[order[2]], dim[order[3]]);
  skp_status status = skp__alloc(data, (size_t)t->bytes / 4, 4);
  if (status == SKP_OK) permute(*data, raw, dim, order);
  free(raw);
  return status;
}

static bool listed(const cJSON *list, const char *name) {
  const cJSON *item;
  cJSON_ArrayForEach(item, list) if (cJSON_IsString(item) && !strcmp(item->valuestring, name)) return true;
  return false;
}

static skp_status expect_data(struct skp__case *c, skp_value v, const struct source *s, const char *name,
                              struct skp_shape shape, void *data) {
  const cJSON *error = cJSON_GetObjectItemCaseSensitive(s->error, name);
  double strays = cJSON_IsNumber(error) ? error->valuedouble : 0;
  double max = skp__case_max(data, skp__shape_count(&shape), shape.dtype);
  skp_status status = skp__case_expect(c, v, shape, data, 8 * strays + 2e-6 * (1 + max));
  return status == SKP_OK ? status : skp__fail_in(status, "tensor '%s'", name);
}

/* Expects NAME as value `v`. */
static skp_status expect(struct skp__case *c, skp_value v, const struct source *s, const char *name) {
  void *data;
  struct skp_shape shape;
  SKP_TRY(load(&data, &shape, s, name));
  if (v != SKP_NONE) return expect_data(c, v, s, name, shape, data);
  free(data);
  return skp__fail(SKP_FORMAT, "The op makes no '%s', which the case expects.", name);
}

/* What golden files call the gradient of an input. */
static const char *gradient_name(char text[40], const struct skp_slot *slot) {
  snprintf(text, 40, "d%s", slot->name);
  return text;
}

/* ---- cases ------------------------------------------------------------------------------------------------------- */

static skp_status input(struct skp__case *c, skp_value *v, const struct source *s, const char *name) {
  void *data;
  struct skp_shape shape;
  SKP_TRY(load(&data, &shape, s, name));
  return skp__case_input(c, v, shape, data);
}

static skp_status build_gradient(struct skp__case *c, const struct skp_op *op, const struct source *s) {
  skp_value dy = SKP_NONE, din[SKP_MAX_IN];
  bool need[SKP_MAX_IN] = {false};
  char name[40];
  if (listed(s->inputs, "dy")) SKP_TRY(input(c, &dy, s, "dy"));
  for (int i = 0; i < op->n_in; i++) need[i] = listed(s->grads, gradient_name(name, &op->in[i]));
  SKP_TRY(skp__case_gradient(c, 0, dy, need, din));
  for (int i = 0; i < op->n_in; i++)
    if (need[i]) SKP_TRY(expect(c, din[i], s, gradient_name(name, &op->in[i])));
  return SKP_OK;
}

/* The op, its results, and the gradients that the case lists. */
static skp_status build_plain(struct skp__case *c, const struct source *s) {
  const struct skp_op *op;
  union skp_attrs attrs;
  skp_value in[SKP_MAX_IN], out[SKP_MAX_OUT];
  SKP_TRY(skp__case_op(&op, &attrs, c->op, s->attrs));
  for (int i = 0; i < op->n_in; i++) {
    in[i] = SKP_NONE;
    if (listed(s->inputs, op->in[i].name)) SKP_TRY(input(c, &in[i], s, op->in[i].name));
  }
  SKP_TRY(skp__case_node(c, op, &attrs, in, NULL, out));
  for (int i = 0; i < op->n_out; i++)
    if (listed(s->outputs, op->out[i].name)) SKP_TRY(expect(c, out[i], s, op->out[i].name));
  return cJSON_GetArraySize(s->grads) ? build_gradient(c, op, s) : SKP_OK;
}

/* Row t of a matrix as a vector. */
static skp_status row(void **data, struct skp_shape *shape, const struct source *s, const char *name, int64_t t) {
  const struct skp_st_tensor *m;
  SKP_TRY(find(&m, s, name));
  if (m->rank != 2 || t >= m->dim[0])
    return skp__fail(SKP_FORMAT, "The tensor '%s' has no row %lld.", name, (long long)t);
  *shape = skp__shape1(m->dim[1]);
  SKP_TRY(skp__alloc(data, (size_t)m->dim[1], 4));
  memcpy(*data, (const char *)m->data + t * m->dim[1] * 4, (size_t)m->dim[1] * 4);
  return SKP_OK;
}

/* Inputs of an update: g is row t, hyper depends on t. What an earlier step made stays. */
static skp_status step_inputs(struct skp__case *c, skp_value *in, const struct source *s, const struct skp_op *op,
                              const struct skp_optimizer_attrs *a, int t) {
  void *data;
  struct skp_shape shape;
  struct skp_hyper *hyper;
  double lr = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(s->attrs, "lr"));
  SKP_TRY(row(&data, &shape, s, "g", t));
  SKP_TRY(skp__case_input(c, &in[op->optimizer->g], shape, data));
  SKP_TRY(skp__alloc(&hyper, 1, sizeof *hyper));
  *hyper = (struct skp_hyper){.lr = (float)lr,
                              .rest_1 = (float)(1 - pow((double)a->beta1, t + 1)),
                              .rest_2 = (float)(1 - pow((double)a->beta2, t + 1))};
  return skp__case_input(c, &in[op->optimizer->hyper], skp__shape1(SKP_HYPER), hyper);
}

/* p, and what the optimizer remembers, zero at first. */
static skp_status start_inputs(struct skp__case *c, skp_value *in, const struct source *s, const struct skp_op *op,
                               const union skp_attrs *attrs) {
  const struct skp_optimizer *o = op->optimizer;
  for (int i = 0; i < op->n_in; i++) in[i] = SKP_NONE;
  SKP_TRY(input(c, &in[o->p], s, "p"));
  struct skp_shape shape = c->g->tensors.at[in[o->p]].shape;
  for (int m = 0; m < o->moments; m++) {
    void *zero;
    if (o->keeps && !o->keeps(attrs)) continue;
    SKP_TRY(skp__alloc(&zero, (size_t)skp__shape_count(&shape), 4));
    SKP_TRY(skp__case_input(c, &in[o->moment[m]], shape, zero));
  }
  return SKP_OK;
}

/* Updates in a row; p is compared after each. The memory between them is the plain C's,
 * so it is completed step by step. */
static skp_status build_optimizer(struct skp__case *c, const struct source *s) {
  const struct skp_op *op;
  union skp_attrs attrs;
  skp_value in[SKP_MAX_IN], out[SKP_MAX_OUT];
  const struct skp_st_tensor *g;
  SKP_TRY(skp__case_op(&op, &attrs, c->op, s->attrs));
  if (!op->optimizer) return skp__fail(SKP_FORMAT, "%s is no optimizer.", op->name);
  SKP_TRY(find(&g, s, "g"));
  SKP_TRY(start_inputs(c, in, s, op, &attrs));
  for (int t = 0; t < g->dim[0]; t++) {
    void *data;
    struct skp_shape shape;
    SKP_TRY(step_inputs(c, in, s, op, &attrs.optimizer, t));
    SKP_TRY(skp__case_node(c, op, &attrs, in, NULL, out));
    SKP_TRY(row(&data, &shape, s, "p_after", t));
    SKP_TRY(expect_data(c, out[0], s, "p_after", shape, data));
    for (int i = 0; i < op->n_out; i++)
      if (op->alias[i] && out[i] != SKP_NONE) in[op->alias[i] - 1] = out[i];
  }
  return SKP_OK;
}

static skp_status build(struct skp__case *c, const struct source *s) {
  bool steps = cJSON_GetObjectItemCaseSensitive(s->attrs, "optimizer");
  SKP_TRY(steps ? build_optimizer(c, s) : build_plain(c, s));
  return skp__case_complete(c);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static skp_status visit_case(const struct source *s, const char *op, skp__case_visit visit, void *user) {
  struct skp__case c;
  SKP_TRY(skp__case_create(&c, op, s->id));
  skp_status status = build(&c, s);
  if (status != SKP_OK)
    status = skp__fail_in(status, "case %s", s->id);
  else
    status = visit(user, &c);
  skp__case_free(&c);
  return status;
}

static skp_status visit_cases(const struct skp_st_file *file, const cJSON *cases, const char *op, skp__case_visit visit,
                              void *user) {
  const cJSON *json;
  cJSON_ArrayForEach(json, cases) {
    struct source s = {.file = file,
                       .id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "id")),
                       .attrs = cJSON_GetObjectItemCaseSensitive(json, "attrs"),
                       .inputs = cJSON_GetObjectItemCaseSensitive(json, "inputs"),
                       .outputs = cJSON_GetObjectItemCaseSensitive(json, "outputs"),
                       .grads = cJSON_GetObjectItemCaseSensitive(json, "grads"),
                       .error = cJSON_GetObjectItemCaseSensitive(json, "float32_error")};
    if (!s.id) return skp__fail(SKP_FORMAT, "A case has no id.");
    SKP_TRY(visit_case(&s, op, visit, user));
  }
  return SKP_OK;
}

static skp_status visit_file(const char *path, const char *only, skp__case_visit visit, void *user) {
  struct skp_st_file file;
  SKP_TRY(skp__st_read(&file, path));
  const char *op = skp__st_meta(&file, "op"), *text = skp__st_meta(&file, "cases");
  cJSON *cases = text ? cJSON_Parse(text) : NULL;
  skp_status status = SKP_OK;
  if (!op || !cJSON_IsArray(cases))
    status = skp__fail(SKP_FORMAT, "The metadata lack 'op' or a list 'cases'.");
  else if (skp__case_is_of(op, only))
    status = visit_cases(&file, cases, op, visit, user);
  if (status != SKP_OK) status = skp__fail_in(status, "%s", path);
  cJSON_Delete(cases);
  skp__st_free(&file);
  return status;
}

/* PATH/ops/NAME.safetensors; `n`: letters of the name. */
static bool is_case_file(const char *path, size_t n) {
  const char *end = strrchr(path, '.'), *name = path + strlen(path) - n;
  const bool in_ops = name - path >= 4 && !strncmp(name - 4, "ops/", 4);
  const bool whole = in_ops && (name - 4 == path || name[-5] == '/'); /* not "drops/" */
  return whole && end && !strcmp(end, ".safetensors") && skp__file_exists(path);
}

struct search {
  const char *op;
  skp__case_visit visit;
  void *user;
  size_t files;
};

static skp_status search_folder(struct search *s, const char *folder, int depth);

static skp_status look_at(struct search *s, const char *folder, const char *name, int depth) {
  char *path;
  SKP_TRY(skp__path_join(&path, folder, name));
  const bool case_file = is_case_file(path, strlen(name));
  skp_status status = SKP_OK;
  s->files += case_file;
  if (case_file)
    status = visit_file(path, s->op, s->visit, s->user);
  else if (skp__folder_exists(path))
    status = search_folder(s, path, depth + 1);
  free(path);
  return status;
}

static skp_status search_folder(struct search *s, const char *folder, int depth) {
  enum { DEEPEST = 16 }; /* a link may lead back */
  skp__names names = {NULL, 0, 0};
  if (depth > DEEPEST) return SKP_OK;
  skp_status status = skp__names_in(&names, folder);
  for (size_t i = 0; i < names.n && status == SKP_OK; i++) status = look_at(s, folder, names.at[i], depth);
  skp__names_free(&names);
  return status;
}

skp_status skp__golden_each(const char *folder, const char *op, skp__case_visit visit, void *user) {
  struct search s = {.op = op, .visit = visit, .user = user};
  skp_status status = skp__folder_exists(folder) ? search_folder(&s, folder, 0) : SKP_OK;
  if (status == SKP_OK && !s.files)
    status = skp__fail(SKP_IO, "There is no ops/*.safetensors below %s. Name the folder that holds the golden cases.",
                       folder);
  return status;
}
