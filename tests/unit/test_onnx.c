/* test_onnx.c: networks as ONNX files: what is written stays what onnxruntime read and answered from as Skipper does
 * (tests/interop/test_onnx.py); what PyTorch's exporters wrote, and what was written here, is read back as the same
 * network; what cannot be written or read is said. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/random.h"
#include "folder.h"
#include "io/onnx.h"
#include "io/weights.h"
#include "onnx/onnx.h"
#include "step.h"
#include <math.h>
#include <onnx.pb-c.h>
#include <stdlib.h>

/* ---- files stay as they are -------------------------------------------------------------------------------------- */

/* Networks of the families (but the largest, of which a text here has what is special), and FNV-1a of what is in the
 * file: as usual, and with all options. Where a change is meant, let test_onnx.py judge, then store what this says. */
static const struct written {
  const char *model;
  struct skp_setting set[4];
  int size;
  uint64_t usual, all;
} written[] = {
    {"", {{NULL, NULL}}, 0, 0x2a66cc2723138f7d, 0xd1c43928c1464a71},
    {"allconv", {{NULL, NULL}}, 32, 0x38ecdec2c49d82b8, 0x9475243b2ea8dd30},
    {"cifar10", {{NULL, NULL}}, 32, 0xaf0be1c9eb7b1da6, 0xa60a334dfe7382e6},
    {"densenet", {{"depth", "121"}, {"classes", "10"}}, 32, 0x7465dce2775da435, 0xb2514d3b5026f377},
    {"efficientnet", {{"classes", "10"}}, 32, 0x817fe46706c78d98, 0x9f6e1ca2e2e1145e},
    {"googlenet", {{"classes", "10"}}, 32, 0x7b9b3d92dcbfa734, 0xddddc7c087ef5a5a},
    {"identity", {{NULL, NULL}}, 28, 0x909cbe37fd6d2b2a, 0x9e1324cd79b64ef8},
    {"mobilenet_v2", {{"classes", "10"}}, 32, 0xb9cd15c4ceb27ed0, 0xf75a259d19894f16},
    {"mobilenet_v3", {{"classes", "10"}}, 32, 0x5fab91d312bfb088, 0xa248cde0441a47da},
    {"regnet", {{"classes", "10"}}, 32, 0x1c0f9ddb2eee875b, 0xd57ebcedce2dfdbb},
    {"resize", {{NULL, NULL}}, 28, 0xb1e4c8a9a4b0021f, 0xc425455e0cbc6920},
    {"resnet", {{"depth", "18"}, {"classes", "10"}}, 32, 0xc10167d3b3a7caa2, 0x2b7589eb194bd2d0},
    {"resnet20", {{NULL, NULL}}, 32, 0xf48a951c79d90fa1, 0x58be29cdbd78807c},
    {"se_resnet20", {{NULL, NULL}}, 32, 0x709b7c2c0aeb6cf0, 0x63b0f2d864eeff67},
    {"squeezenet", {{"classes", "10"}}, 65, 0xb4c31f51fa10e426, 0x8ddcce9e1132ba09},
    {"vgg", {{"depth", "11"}, {"hidden", "16"}, {"classes", "10"}}, 224, 0x2c1abcd74fd1b91b, 0xb898a26ebe12eeec},
};

static uint64_t hash(const uint8_t *bytes, size_t n) {
  uint64_t h = 14695981039346656037u;
  for (size_t i = 0; i < n; i++) h = (h ^ bytes[i]) * 1099511628211u;
  return h;
}

/* Values between 0.5 and 1.5, by their number alone. */
static float *values(int64_t n) {
  float *at;
  ck_ok(skp__alloc(&at, (size_t)n, sizeof *at));
  for (int64_t i = 0; i < n; i++) at[i] = 0.5f + (float)(skp__random_bits(1, 2, (uint64_t)i) >> 40) * 0x1p-24f;
  return at;
}

static skp_status export_to(const char *path, const struct skp_model *m, const struct skp_onnx_export *o) {
  const struct skp_graph *g = m->graph;
  float *params = values(skp__shape_count(&g->tensors.at[g->params].shape));
  float *state = g->state == SKP_NONE ? NULL : values(skp__shape_count(&g->tensors.at[g->state].shape));
  skp_status status = skp__onnx_export(path, m, params, state, o);
  free(params);
  free(state);
  return status;
}

/* Of the file's graph, which the version of the program is no part of. */
static uint64_t hash_written(const struct skp_model *m, const struct skp_onnx_export *o) {
  char path[64];
  void *bytes;
  int64_t size;
  snprintf(path, sizeof path, "%s/net.onnx", folder);
  ck_ok(export_to(path, m, o));
  ck_ok(skp__file_read(&bytes, &size, path, INT32_MAX));
  Skp__ModelProto *model = skp__model_proto__unpack(NULL, (size_t)size, bytes);
  ck_assert_ptr_nonnull(model);
  const size_t packed = skp__graph_proto__pack(model->graph, bytes);
  const uint64_t h = hash(bytes, packed);
  skp__model_proto__free_unpacked(model, NULL);
  free(bytes);
  return h;
}

/* What the families written here do not have. */
static const char special[] =
    "local y = nn.maxpool2d(nn.gelu(nn.tanh(nn.relu(x))), {kernel = 2, stride = 3, padding = 1, ceil_mode = true}) "
    "y = nn.upsample_nearest(nn.adaptive_avgpool2d(nn.channel_scale(nn.layernorm(y), {value = 2}), 2)) "
    "return nn.linear(nn.layernorm(nn.dropout(nn.flatten(y))), 3)";

static struct skp_model *load(const struct written *w) {
  if (!*w->model) return step_parse(special);
  char path[1024];
  size_t n = 0;
  struct skp_model *m;
  while (n < 4 && w->set[n].name) n++;
  snprintf(path, sizeof path, "%s/models/%s.lua", getenv("SKP_SOURCE_DIR"), w->model);
  ck_ok(skp__model_load(&m, path, w->set, n, w->size, NULL));
  return m;
}

START_TEST(bytes_stay) {
  static char *names[] = {"cat", "dog"};
  static const struct skp_onnx_export usual = {.opset = 0}, all = {.opset = 21,
                                                                   .dynamic_batch = true,
                                                                   .fold = true,
                                                                   .preprocessing = true,
                                                                   .class_names = names,
                                                                   .names = 2};
  const struct written *w = &written[_i];
  struct skp_model *m = load(w);
  const uint64_t a = hash_written(m, &usual), b = hash_written(m, &all);
  ck_assert_msg(a == w->usual && b == w->all, "%s: now 0x%016llx, 0x%016llx", w->model, (unsigned long long)a,
                (unsigned long long)b);
  skp__model_destroy(m);
}
END_TEST

/* ---- what cannot be written -------------------------------------------------------------------------------------- */

START_TEST(limits_are_said) {
  struct skp_model *m = step_parse("return nn.linear(nn.flatten(x), 3)");
  ck_fails(export_to("/nowhere/net.onnx", m, &(struct skp_onnx_export){.opset = 12}), SKP_USAGE, "13 to 21");
  ck_fails(export_to("/nowhere/net.onnx", m, &(struct skp_onnx_export){.opset = 22}), SKP_USAGE, "not 22");
  ck_fails(export_to("/nowhere/net.onnx", m, &(struct skp_onnx_export){.opset = 0}), SKP_IO, "/nowhere");
  skp__model_destroy(m);
}
END_TEST

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static skp_status read_sample(struct skp_st_file *f, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/tests/fuzz/corpus/onnx/%s", getenv("SKP_SOURCE_DIR"), name);
  return skp__weights_read(f, path);
}

/* The weights of the file, in the flat value. */
static void fill(const struct step *s, skp_value flat, skp_role role, const struct skp_st_file *f) {
  if (flat == SKP_NONE) return;
  float *data = step_read(s, flat);
  for (size_t i = 0; i < s->g->tensors.n; i++) {
    const struct skp_tensor *t = &s->g->tensors.at[i];
    if (t->role != role || t->base != flat) continue;
    const struct skp_st_tensor *have = skp__st_find(f, t->name);
    ck_assert_msg(have != NULL, "%s is not among the weights", t->name);
    ck_assert_int_eq(have->bytes, 4 * skp__shape_count(&t->shape));
    skp__param_from_file(data + t->offset, have->data, t);
  }
  step_write(s, flat, data);
  free(data);
}

/* make_onnx.py's formula: from -1 to 1, image after image in the order of files. */
static void fill_images(const struct step *s) {
  const struct skp_shape *X = &s->g->tensors.at[s->g->input].shape;
  float *x = step_read(s, s->g->input);
  int64_t i = 0;
  for (int64_t n = 0; n < X->dim[0]; n++)
    for (int64_t c = 0; c < X->dim[3]; c++)
      for (int64_t p = 0; p < X->dim[1] * X->dim[2]; p++)
        x[(n * X->dim[1] * X->dim[2] + p) * X->dim[3] + c] = (float)(fmod((double)i++ * 0.61803398875, 1) * 2 - 1);
  step_write(s, s->g->input, x);
  free(x);
}

/* The logits of two images by a network and these weights; free() them. */
static float *answer(const struct skp_model *m, const struct skp_st_file *f) {
  struct step s = step_create(m, 2, STEP_EVAL);
  fill(&s, s.g->params, SKP_ROLE_PARAM, f);
  fill(&s, s.g->state, SKP_ROLE_STATE, f);
  fill_images(&s);
  ck_ok(skp__plan_run(s.plan));
  float *logits = step_read(&s, s.g->logits);
  step_destroy(&s);
  return logits;
}

static struct skp_model *rebuild(const struct skp_st_file *f) {
  struct skp_model *m;
  ck_ok(skp__model_parse(&m, "net", skp__st_meta(f, "model_source"), NULL, 0, 0, NULL));
  return m;
}

static const struct read {
  const char *name;
  double logits[10];
} reads[] = {
#define X(name, ...) {#name, {__VA_ARGS__}},
#include "interop/onnx.def"
#undef X
};

START_TEST(exporters_are_understood) {
  struct skp_st_file f;
  ck_ok(read_sample(&f, reads[_i].name));
  struct skp_model *m = rebuild(&f);
  float *got = answer(m, &f);
  for (int i = 0; i < 10; i++)
    ck_assert_msg(fabs((double)got[i] - reads[_i].logits[i]) < 1e-6, "%s: logit %d is %g, not %g", reads[_i].name, i,
                  (double)got[i], reads[_i].logits[i]);
  free(got);
  skp__model_destroy(m);
  skp__st_free(&f);
}
END_TEST

/* Layers that a training needs apart are still there, under PyTorch's names. */
START_TEST(layers_keep_names) {
  static const char *const names[] = {"conv1.weight", "bn1.running_var", "excite.fc1.bias", "norm.norm.weight"};
  struct skp_st_file f;
  ck_ok(read_sample(&f, "mean_training"));
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    ck_assert_msg(skp__st_find(&f, names[i]) != NULL, "there is no %s", names[i]);
  const char *source = skp__st_meta(&f, "model_source");
  ck_assert_ptr_nonnull(strstr(source, "nn.dropout("));
  ck_assert_ptr_nonnull(strstr(source, "nn.silu("));
  ck_assert_ptr_nonnull(strstr(source, "nn.gelu("));
  ck_assert_ptr_nonnull(strstr(source, "args.classes, {bias = true, name = \"fc\"}"));
  skp__st_free(&f);
}
END_TEST

/* Of each network that is written above, and of its weights. */
START_TEST(written_is_read) {
  const struct skp_onnx_export how = {.dynamic_batch = true, .preprocessing = true};
  struct skp_model *m = load(&written[_i]);
  struct skp_st_file f;
  char path[64];
  snprintf(path, sizeof path, "%s/net.onnx", folder);
  m->recipe.mean.at[0] = 0.25f;
  m->recipe.std.at[0] = 0.5f;
  ck_ok(export_to(path, m, &how));
  ck_ok(skp__weights_read(&f, path));
  struct skp_model *again = rebuild(&f);
  ck_assert_int_eq(again->recipe.classes, m->recipe.classes);
  ck_assert_int_eq(again->recipe.size, m->recipe.size);
  ck_assert_msg(fabsf(again->recipe.mean.at[0] - 0.25f) < 1e-6f, "mean %g", (double)again->recipe.mean.at[0]);
  ck_assert_msg(fabsf(again->recipe.std.at[0] - 0.5f) < 1e-6f, "std %g", (double)again->recipe.std.at[0]);
  if (m->recipe.size <= 28) {
    float *a = answer(m, &f), *b = answer(again, &f); /* the same names, so the same weights */
    ck_assert_mem_eq(a, b, 2 * (size_t)m->recipe.classes * sizeof *a);
    free(a);
    free(b);
  }
  skp__model_destroy(again);
  skp__st_free(&f);
  skp__model_destroy(m);
}
END_TEST

/* ---- what cannot be read ----------------------------------------------------------------------------------------- */

/* Changes of a sound file's bytes, each of which makes the operator, or a number of its own, another. */
static const struct {
  const char *file, *from, *to, *text;
} broken[] = {
    {"mean_dynamo", "HardSwish", "HardSwosh", "(HardSwosh): no layer here does what"},
    {"mean_training", "conv1.weight", "conv1.weighT", "its weights are no constant"},
    {"mean_script", "ceil_mode", "ceil_mopp", "its maps have different sizes"},
};

static void replace(char *bytes, int64_t size, const char *from, const char *to) {
  const size_t n = strlen(from);
  char *at = bytes, *const last = bytes + size - n;
  while (at <= last && memcmp(at, from, n) != 0) at++;
  ck_assert(at <= last);
  memcpy(at, to, n);
}

START_TEST(refusals_name_the_node) {
  struct skp_st_file f;
  char path[4096];
  void *bytes;
  int64_t size;
  snprintf(path, sizeof path, "%s/tests/fuzz/corpus/onnx/%s", getenv("SKP_SOURCE_DIR"), broken[_i].file);
  ck_ok(skp__file_read(&bytes, &size, path, INT32_MAX));
  replace(bytes, size, broken[_i].from, broken[_i].to);
  ck_fails(skp__onnx_parse(&f, bytes, size, "net.onnx", NULL), SKP_UNSUPPORTED, broken[_i].text);
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "net.onnx: node \""));
  free(bytes);
}
END_TEST

/* Cut anywhere a file is damaged, not another network. */
START_TEST(cut_files_are_refused) {
  struct skp_st_file f;
  char path[4096];
  void *bytes;
  int64_t size;
  snprintf(path, sizeof path, "%s/tests/fuzz/corpus/onnx/mean_script", getenv("SKP_SOURCE_DIR"));
  ck_ok(skp__file_read(&bytes, &size, path, INT32_MAX));
  for (int64_t n = 0; n < size; n += 97) {
    ck_assert_int_ne(skp__onnx_parse(&f, bytes, n, "net.onnx", NULL), SKP_OK);
    ck_assert_ptr_nonnull(strstr(skp_error_message(), "net.onnx"));
  }
  free(bytes);
}
END_TEST

/* A megabyte of empty messages wants more memory than it may have. */
START_TEST(bombs_are_bounded) {
  enum { SIZE = 8 << 20 };
  struct skp_st_file f;
  uint8_t *bytes;
  ck_ok(skp__alloc(&bytes, SIZE, 1));
  for (int i = 0; i + 1 < SIZE; i += 2) bytes[i] = 8 << 3 | 2; /* an empty opset_import */
  ck_fails(skp__onnx_parse(&f, bytes, SIZE, "net.onnx", NULL), SKP_FORMAT, "cannot be read");
  free(bytes);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("onnx");
  TCase *c = tcase_create("export");
  tcase_add_checked_fixture(c, make_folder, remove_folder);
  tcase_add_loop_test(c, bytes_stay, 0, sizeof written / sizeof *written);
  tcase_add_test(c, limits_are_said);
  suite_add_tcase(suite, c);
  TCase *r = tcase_create("import");
  tcase_add_checked_fixture(r, make_folder, remove_folder);
  tcase_add_loop_test(r, exporters_are_understood, 0, sizeof reads / sizeof *reads);
  tcase_add_test(r, layers_keep_names);
  tcase_add_loop_test(r, written_is_read, 0, sizeof written / sizeof *written);
  tcase_add_loop_test(r, refusals_name_the_node, 0, sizeof broken / sizeof *broken);
  tcase_add_test(r, cut_files_are_refused);
  tcase_add_test(r, bombs_are_bounded);
  suite_add_tcase(suite, r);
  return skp__test_main(suite);
}
