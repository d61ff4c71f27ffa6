/* test_onnx.c: networks as ONNX files: what is written stays what onnxruntime read and answered from as Skipper does
 * (tests/interop/test_onnx.py); what cannot be written is said. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/random.h"
#include "folder.h"
#include "onnx/onnx.h"
#include "test.h"
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
    {"", {{NULL, NULL}}, 0, 0xb6b4a5c823617c8d, 0xdee070dd304d692b},
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
    {"vgg", {{"depth", "11"}, {"hidden", "16"}, {"classes", "10"}}, 40, 0x3960994ae59b83c9, 0x83699f8b280433e0},
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

static struct skp_model *parse(const char *network) {
  char *text;
  struct skp_model *m;
  ck_ok(skp__format(&text, "return {input = {channels = 2, size = 6}, network = function(x) %s end}", network));
  ck_ok(skp__model_parse(&m, "test.lua", text, NULL, 0, 0, NULL));
  free(text);
  return m;
}

/* What the families written here do not have. */
static const char special[] =
    "local y = nn.maxpool2d(nn.gelu(x), {kernel = 2, stride = 3, padding = 1, ceil_mode = true}) "
    "y = nn.upsample_nearest(nn.adaptive_avgpool2d(nn.channel_scale(nn.layernorm(y), {value = 2}), 2)) "
    "return nn.linear(nn.layernorm(nn.dropout(nn.flatten(y))), 3)";

static struct skp_model *load(const struct written *w) {
  if (!*w->model) return parse(special);
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
  struct skp_model *m = parse("return nn.linear(nn.flatten(x), 3)");
  ck_fails(export_to("/nowhere/net.onnx", m, &(struct skp_onnx_export){.opset = 12}), SKP_USAGE, "13 to 21");
  ck_fails(export_to("/nowhere/net.onnx", m, &(struct skp_onnx_export){.opset = 22}), SKP_USAGE, "not 22");
  ck_fails(export_to("/nowhere/net.onnx", m, &(struct skp_onnx_export){.opset = 0}), SKP_IO, "/nowhere");
  skp__model_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("onnx");
  TCase *c = tcase_create("export");
  tcase_add_checked_fixture(c, make_folder, remove_folder);
  tcase_add_loop_test(c, bytes_stay, 0, sizeof written / sizeof *written);
  tcase_add_test(c, limits_are_said);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
