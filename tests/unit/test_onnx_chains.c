/* test_onnx_chains.c: ONNX files made here whose pixels, sizes and names of weights are not those of exporters.
 * SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "io/onnx.h"
#include "test.h"
#include <onnx.pb-c.h>
#include <stdlib.h>
#include <time.h>

/* Images of one channel through a chain of nodes; each takes what the one before has made and `with`, a constant, or
 * the same again. */
struct chain {
  struct link {
    const char *op, *with;
  } link[64];
  int again;      /* as often the last one */
  int64_t size;   /* of the images */
  float k, scale; /* the constant k; s is {1, 1, scale, scale}, w {1, 1} */
  const char *text;
};

static void add_node(Skp__GraphProto *g, const struct link *link) {
  static char names[4096][8];
  static Skp__NodeProto nodes[4096], *list[4096];
  static char *in[4096][2], *out[4096];
  const size_t i = g->n_node++;
  snprintf(names[i + 1], sizeof *names, "v%zu", i + 1);
  in[i][0] = i ? names[i] : (char *)(uintptr_t) "x";
  in[i][1] = link->with ? (char *)(uintptr_t)link->with : in[i][0];
  out[i] = names[i + 1];
  nodes[i] = (Skp__NodeProto)SKP__NODE_PROTO__INIT;
  nodes[i].n_input = strcmp(link->op, "Flatten") ? 2 : 1;
  nodes[i].input = in[i];
  nodes[i].n_output = 1;
  nodes[i].output = &out[i];
  nodes[i].op_type = (char *)(uintptr_t)link->op;
  list[i] = &nodes[i];
  g->node = list;
}

static Skp__TensorProto constant(const char *name, int64_t *dims, size_t rank, float *values, size_t n) {
  Skp__TensorProto t = SKP__TENSOR_PROTO__INIT;
  t.name = (char *)(uintptr_t)name;
  t.dims = dims;
  t.n_dims = rank;
  t.has_data_type = 1;
  t.data_type = 1;
  t.float_data = values;
  t.n_float_data = n;
  return t;
}

/* Packs the file with this graph. */
static size_t pack(uint8_t **out, Skp__GraphProto *g, int64_t size) {
  Skp__DimensionProto dim[4], *dims[4];
  for (int i = 0; i < 4; i++) {
    dim[i] = (Skp__DimensionProto)SKP__DIMENSION_PROTO__INIT;
    dim[i].has_dim_value = 1;
    dim[i].dim_value = i < 2 ? 1 : size;
    dims[i] = &dim[i];
  }
  Skp__TensorShapeProto shape = SKP__TENSOR_SHAPE_PROTO__INIT;
  Skp__TensorTypeProto tensor = SKP__TENSOR_TYPE_PROTO__INIT;
  Skp__TypeProto type = SKP__TYPE_PROTO__INIT;
  Skp__ValueInfoProto input = SKP__VALUE_INFO_PROTO__INIT, output = input, *inputs[] = {&input}, *outputs[] = {&output};
  Skp__OperatorSetIdProto set = SKP__OPERATOR_SET_ID_PROTO__INIT, *sets[] = {&set};
  Skp__ModelProto model = SKP__MODEL_PROTO__INIT;
  shape.n_dim = 4;
  shape.dim = dims;
  tensor.has_elem_type = tensor.elem_type = 1;
  tensor.shape = &shape;
  type.tensor_type = &tensor;
  input.name = (char *)(uintptr_t) "x";
  input.type = &type;
  output.name = g->node[g->n_node - 1]->output[0];
  g->n_input = g->n_output = 1;
  g->input = inputs;
  g->output = outputs;
  set.has_version = 1;
  set.version = 9;
  model.has_ir_version = 1;
  model.ir_version = 8;
  model.graph = g;
  model.n_opset_import = 1;
  model.opset_import = sets;
  ck_ok(skp__alloc(out, skp__model_proto__get_packed_size(&model), 1));
  return skp__model_proto__pack(&model, *out);
}

static skp_status parse_chain(struct skp_st_file *f, const struct chain *c) {
  float k = c->k, s[] = {1, 1, c->scale, c->scale}, w = 1;
  int64_t four = 4, ones[] = {1, 1};
  Skp__TensorProto at[] = {constant("k", ones, 0, &k, 1), constant("s", &four, 1, s, 4), constant("w", ones, 2, &w, 1)},
                   *list[] = {&at[0], &at[1], &at[2]};
  Skp__GraphProto g = SKP__GRAPH_PROTO__INIT;
  uint8_t *bytes;
  g.n_initializer = 3;
  g.initializer = list;
  const struct link *link = c->link;
  for (; link->op; link++) add_node(&g, link);
  for (int i = 0; i < c->again; i++) add_node(&g, link - 1);
  const size_t n = pack(&bytes, &g, c->size);
  const skp_status status = skp__onnx_parse(f, bytes, (int64_t)n, "net.onnx", NULL);
  free(bytes);
  return status;
}

static const struct chain hostile[] = {
    {{{"Mul", "k"}, {"Flatten"}, {"MatMul", "w"}}, .size = 1, .k = -1, .text = "the standard deviation -1"},
    {{{"Mul", "k"}, {"Flatten"}, {"MatMul", "w"}}, .size = 1, .k = 1e-9f, .text = "the standard deviation 1e+09"},
    {{{"Add", "k"}, {"Flatten"}, {"MatMul", "w"}}, .size = 1, .k = 1e9f, .text = "the mean -1e+09"},
    {{{"Upsample", "s"}, {"Flatten"}}, .size = 1024, .scale = 64, .text = "more than 2^31 - 1 numbers"},
};

START_TEST(what_cannot_be_had_is_refused) {
  struct skp_st_file f;
  ck_fails(parse_chain(&f, &hostile[_i]), SKP_UNSUPPORTED, hostile[_i].text);
}
END_TEST

/* As many names are tried as there are layers: once that took the cube of their number. */
START_TEST(shared_weights_take_names_soon) {
  enum { LAYERS = 4000 };
  struct skp_st_file f;
  const clock_t began = clock();
  ck_ok(parse_chain(&f, &(struct chain){{{"Flatten"}, {"MatMul", "w"}}, LAYERS - 1, .size = 1}));
  ck_assert(clock() - began < 5 * CLOCKS_PER_SEC);
  ck_assert_int_eq(f.tensors, LAYERS);
  ck_assert_ptr_nonnull(skp__st_find(&f, "w.weight"));
  for (int i = 2; i <= LAYERS; i += LAYERS - 2) {
    char name[32];
    snprintf(name, sizeof name, "w_%d.weight", i);
    ck_assert_ptr_nonnull(skp__st_find(&f, name));
  }
  skp__st_free(&f);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("onnx_chains");
  TCase *c = tcase_create("onnx_chains");
  tcase_add_loop_test(c, what_cannot_be_had_is_refused, 0, sizeof hostile / sizeof *hostile);
  tcase_add_test(c, shared_weights_take_names_soon);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
