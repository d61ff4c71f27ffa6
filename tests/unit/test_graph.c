/* test_graph.c: adding nodes, views, slices, batch instances, the dump. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "step.h"

static struct skp_graph *empty(void) {
  struct skp_graph *g;
  ck_ok(skp__graph_create(&g));
  return g;
}

static skp_value value(struct skp_graph *g, const char *name, skp_role role, struct skp_shape shape) {
  skp_value v;
  ck_ok(skp__graph_value(g, &v, name, role, shape));
  return v;
}

START_TEST(a_failing_node_adds_nothing) {
  struct skp_graph *g = empty();
  skp_value in[2] = {value(g, "a", SKP_ROLE_INPUT, skp__shape4(1, 2, 2, 3)),
                     value(g, "b", SKP_ROLE_INPUT, skp__shape4(1, 2, 2, 4))},
            out;
  size_t tensors = g->tensors.n;
  ck_fails(skp__graph_node(g, &skp__op_add, NULL, in, NULL, "block.1", &out), SKP_SHAPE, "block.1");
  ck_fails(skp__graph_node(g, &skp__op_add, NULL, in, NULL, "block.1", &out), SKP_SHAPE, "1×2×2×3");
  ck_fails(skp__graph_node(g, &skp__op_add, NULL, in, NULL, "block.1", &out), SKP_SHAPE, "1×2×2×4");
  ck_assert_uint_eq(g->tensors.n, tensors);
  ck_assert_uint_eq(g->nodes.n, 0);
  skp__graph_destroy(g);
}
END_TEST

START_TEST(values_too_large_or_empty) {
  struct skp_graph *g = empty();
  skp_value v;
  ck_fails(skp__graph_value(g, &v, "x", SKP_ROLE_INPUT, skp__shape4(1 << 20, 1 << 20, 1 << 20, 1 << 20)), SKP_SHAPE,
           "too large");
  ck_fails(skp__graph_value(g, &v, "x", SKP_ROLE_INPUT, skp__shape2(0, 4)), SKP_SHAPE, "empty");
  ck_assert_uint_eq(g->tensors.n, 0);
  skp__graph_destroy(g);
}
END_TEST

START_TEST(views_live_in_what_they_view) {
  struct skp_graph *g = empty();
  skp_value x = value(g, "x", SKP_ROLE_INPUT, skp__shape4(2, 3, 3, 4)), flat, again;
  ck_ok(skp__graph_node(g, &skp__op_flatten, NULL, &x, NULL, "", &flat));
  ck_ok(skp__graph_node(g, &skp__op_flatten, NULL, &flat, NULL, "", &again));
  ck_assert_int_eq(g->tensors.at[flat].base, x);
  ck_assert_int_eq(g->tensors.at[again].base, x);
  ck_assert_int_eq(skp__graph_root(g, again), x);
  skp__graph_destroy(g);
}
END_TEST

START_TEST(updates_take_over_their_storage) {
  struct skp_model *m = step_model("identity");
  struct skp_graph *g = step_graph(m, 2, STEP_GRADIENTS | STEP_UPDATE);
  const struct skp_node *update = &g->nodes.at[g->nodes.n - 2]; /* behind it the running statistics */
  ck_assert_ptr_eq(update->op, &skp__op_adam);
  ck_assert_int_eq(g->tensors.at[update->out[0]].base, g->params);
  ck_assert_int_eq(g->tensors.at[update->out[2]].base, g->moment_2);
  int running = 0;
  for (size_t n = 0; n < g->nodes.n; n++)
    if (g->nodes.at[n].op == &skp__op_batchnorm) {
      const struct skp_tensor *now = &g->tensors.at[g->nodes.at[n].out[2]], *old = &g->tensors.at[g->nodes.at[n].in[5]];
      running += now->base == g->state_trial && now->offset == old->offset;
    }
  ck_assert_int_eq(running, 4);
  skp__graph_destroy(g);
  skp__model_destroy(m);
}
END_TEST

START_TEST(sgd_without_momentum_has_no_moments) {
  struct skp_model *m = step_model("identity");
  ck_ok(skp__recipe_set(&m->recipe, "optimizer", "sgd"));
  struct skp_graph *g = step_graph(m, 2, STEP_GRADIENTS | STEP_UPDATE);
  ck_assert_int_eq(g->moment_1, SKP_NONE);
  skp__graph_destroy(g);
  ck_ok(skp__recipe_set(&m->recipe, "momentum", "0.9"));
  g = step_graph(m, 2, STEP_GRADIENTS | STEP_UPDATE);
  ck_assert_int_ne(g->moment_1, SKP_NONE);
  ck_assert_int_eq(g->moment_2, SKP_NONE);
  skp__graph_destroy(g);
  skp__model_destroy(m);
}
END_TEST

START_TEST(slices_are_aligned_and_apart) {
  struct skp_model *m = step_model("resize");
  const struct skp_graph *g = m->graph;
  int64_t end = 0;
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    if (t->base != g->params) continue;
    ck_assert_int_eq(t->offset % SKP_SLICE_ALIGN, 0);
    ck_assert_int_ge(t->offset, end);
    end = t->offset + skp__shape_count(&t->shape);
  }
  ck_assert_int_ge(skp__shape_count(&g->tensors.at[g->params].shape), end);
  skp__model_destroy(m);
}
END_TEST

START_TEST(an_instance_keeps_slices_and_changes_the_batch) {
  struct skp_model *m = step_model("resize");
  struct skp_graph *train, *eval;
  ck_ok(skp__graph_instance(&train, m->graph, 64, true));
  ck_ok(skp__graph_instance(&eval, m->graph, 7, false));
  ck_assert_int_eq(train->tensors.at[train->logits].shape.dim[0], 64);
  ck_assert_int_eq(eval->tensors.at[eval->logits].shape.dim[0], 7);
  ck_assert_int_eq(eval->tensors.at[eval->logits].role, SKP_ROLE_RESULT);
  for (size_t i = 0; i < m->graph->tensors.n; i++) {
    const struct skp_tensor *t = &m->graph->tensors.at[i];
    if (t->role != SKP_ROLE_PARAM && t->role != SKP_ROLE_STATE) continue;
    skp_value v = skp__graph_find(eval, t->role, t->name);
    ck_assert_int_ne(v, SKP_NONE);
    ck_assert_int_eq(eval->tensors.at[v].offset, t->offset);
    ck_assert_int_eq(eval->tensors.at[v].file_rank, t->file_rank);
  }
  for (size_t n = 0; n < eval->nodes.n; n++)
    if (eval->nodes.at[n].op == &skp__op_batchnorm) {
      ck_assert_int_eq(eval->nodes.at[n].attrs.batchnorm.training, 0);
      ck_assert_int_eq(train->nodes.at[n].attrs.batchnorm.training, 1);
      ck_assert_int_eq(eval->nodes.at[n].out[1], SKP_NONE); /* running statistics stay */
      ck_assert_int_ne(train->nodes.at[n].out[1], SKP_NONE);
    }
  skp__graph_destroy(train);
  skp__graph_destroy(eval);
  skp__model_destroy(m);
}
END_TEST

/* Dropout is there in training, each layer with its own stream; in evaluation what it reads takes its place. */
START_TEST(evaluation_leaves_dropout_out) {
  struct skp_model *m =
      step_parse("x = nn.dropout(nn.flatten(x), {p = 0.25}) x = nn.dropout(nn.linear(x, 4)) return nn.dropout(x)");
  struct skp_graph *train, *eval;
  int stream = 0;
  ck_ok(skp__graph_instance(&train, m->graph, 3, true));
  ck_ok(skp__graph_instance(&eval, m->graph, 3, false));
  for (size_t n = 0; n < train->nodes.n; n++) {
    const struct skp_node *node = &train->nodes.at[n];
    if (node->op != &skp__op_dropout) continue;
    ck_assert_int_eq(node->attrs.dropout.stream, stream);
    ck_assert_float_eq(node->attrs.dropout.p, stream++ ? 0.5f : 0.25f);
    ck_assert_int_eq(node->in[1], train->key);
  }
  ck_assert_int_eq(stream, 3);
  ck_assert_int_eq(train->tensors.at[train->key].shape.dim[0], 2);
  ck_assert_uint_eq(eval->nodes.n, 2);
  ck_assert_int_eq(eval->logits, eval->nodes.at[1].out[0]);
  ck_assert_int_eq(eval->tensors.at[eval->logits].role, SKP_ROLE_RESULT);
  skp__graph_destroy(train);
  skp__graph_destroy(eval);
  skp__model_destroy(m);
}
END_TEST

/* ---- a graph as text --------------------------------------------------------------------------------------------- */

static void dump_values(const struct skp_graph *g, const skp_value *v, int n, bool shapes, FILE *to) {
  const char *comma = "";
  for (int i = 0; i < n; i++) {
    if (v[i] == SKP_NONE) continue;
    char text[96];
    const struct skp_tensor *t = &g->tensors.at[v[i]];
    fprintf(to, "%s%s", comma, t->name);
    if (shapes) fprintf(to, " %s", skp__shape_text(text, sizeof text, &t->shape));
    comma = ", ";
  }
}

static void dump_attrs(const struct skp_node *node, FILE *to) {
  const char *before = " {";
  for (const struct skp_attr *a = node->op->attrs; a && a->name; a++) {
    double value = skp__attr_get(a, &node->attrs);
    if ((float)value == (float)a->fallback) continue;
    fprintf(to, "%s%s ", before, a->name);
    if (a->kind == SKP_ATTR_CHOICE)
      fprintf(to, "%s", a->choices[(int)value]);
    else
      fprintf(to, "%.7g", value);
    before = ", ";
  }
  if (*before == ',') fputc('}', to);
}

/* One line a node: outputs with shapes = op {attributes that are not at their fallback} (inputs). */
static void dump_nodes(const struct skp_graph *g, FILE *to) {
  for (size_t n = 0; n < g->nodes.n; n++) {
    const struct skp_node *node = &g->nodes.at[n];
    dump_values(g, node->out, node->n_out, true, to);
    fprintf(to, " = %s", node->op->name);
    dump_attrs(node, to);
    fputs(" (", to);
    dump_values(g, node->in, node->n_in, false, to);
    fputs(")\n", to);
  }
}

static char *dump(const struct skp_graph *g) {
  struct skp__memory m;
  ck_assert(skp__memory_open(&m));
  dump_nodes(g, m.to);
  ck_assert(skp__memory_close(&m));
  return m.text;
}

static const char want[] =
    "0.conv2d 4×6×6×3 = conv2d {pad 1} (input, 0.weight)\n"
    "2.relu 4×6×6×3, 1.batchnorm.new_running_mean 3, 1.batchnorm.new_running_var 3, 1.batchnorm.mean 3, "
    "1.batchnorm.rstd 3 = batchnorm {fuse relu} (0.conv2d, 1.weight, 1.bias, 1.running_mean, "
    "1.running_var)\n"
    "3.flatten 4×108 = flatten (2.relu)\n"
    "4.linear 4×5 = linear (3.flatten, 4.weight, 4.bias)\n"
    "loss.softmax_cross_entropy 1 = softmax_cross_entropy (4.linear, labels)\n"
    "d 4.linear 4×5 = softmax_cross_entropy_dx (4.linear, labels)\n"
    "d 3.flatten 4×108 = linear_dx (d 4.linear, 4.weight)\n"
    "d 4.weight 6×6×3×5, d 4.bias 5 = linear_dw {r 6, s 6} (3.flatten, d 4.linear)\n"
    "d 2.relu 4×6×6×3 = flatten {h 6, w 6, c 3} (d 3.flatten)\n"
    "d 0.conv2d 4×6×6×3, d 1.weight 3, d 1.bias 3 = batchnorm_dx {fuse relu} (d 2.relu, 0.conv2d, "
    "1.weight, 1.batchnorm.mean, 1.batchnorm.rstd, 1.bias)\n"
    "d 0.weight 3×3×2×3 = conv2d_dw {pad 1, h 3, w 3} (input, d 0.conv2d)\n";

START_TEST(the_dump_is_stable) {
  struct skp_model *m = step_parse("x = nn.conv2d(x, 3, {kernel = 3, padding = 1, bias = false}) "
                                   "x = nn.relu(nn.batchnorm2d(x)) return nn.linear(nn.flatten(x), 5)");
  struct skp_graph *g = step_graph(m, 4, STEP_GRADIENTS | STEP_FUSED);
  char *text = dump(g);
  size_t same = 0;
  while (text[same] && text[same] == want[same]) same++;
  ck_assert_msg(!text[same] && !want[same], "the dump differs at: %.200s", text + same);
  free(text);
  skp__graph_destroy(g);
  skp__model_destroy(m);
}
END_TEST

/* Features change their order only where a layer cannot read them in the one that they have, and a linear layer's
 * weights are laid out for the map that it reads. The input is 6×6×2; test_references.c
 * compares such networks with PyTorch's. */
static const struct {
  const char *network;
  int transposes;
  const char *weight; /* shape of the weight of the layer "w" */
} orders[] = {
    {"return nn.linear(nn.flatten(x), 5, {name = 'w'})", 0, "6×6×2×5"},
    {"return nn.linear(nn.relu(nn.dropout(nn.flatten(nn.flatten(x)))), 5, {name = 'w'})", 0, "6×6×2×5"},
    {"x = nn.linear(nn.flatten(x), 72) return nn.linear(x, 5, {name = 'w'})", 0, "1×1×72×5"},
    {"return nn.linear(nn.global_avgpool(x), 5, {name = 'w'})", 0, "1×1×2×5"},
    {"local y = nn.flatten(nn.conv2d(x, 2, {kernel = 1})) return nn.linear(y + nn.flatten(x), 5, {name = 'w'})", 0,
     "6×6×2×5"},
    {"local y = nn.flatten(nn.conv2d(x, 8, {kernel = 4})) return nn.linear(y + nn.flatten(x), 5, {name = 'w'})", 2,
     "1×1×72×5"},
    {"x = nn.flatten(x) return nn.linear(x + nn.linear(x, 72), 5, {name = 'w'})", 1, "1×1×72×5"},
    {"local y = nn.linear(nn.flatten(x), 36) x = nn.flatten(nn.conv2d(x, 1, {kernel = 1})) "
     "return nn.linear(x + y, 5, {name = 'w'})",
     0, "6×6×1×5"},
    {"x = nn.flatten(nn.conv2d(x, 72, {kernel = 6})) return nn.linear(x + nn.linear(x, 72), 5, {name = 'w'})", 0,
     "1×1×72×5"},
    {"return nn.flatten(nn.conv2d(x, 4, {kernel = 5, name = 'w'}))", 1, "5×5×2×4"},
    {"return nn.flatten(nn.conv2d(x, 4, {kernel = 6, name = 'w'}))", 0, "6×6×2×4"},
};

START_TEST(features_change_their_order_where_they_must) {
  struct skp_model *m = step_parse(orders[_i].network);
  const struct skp_tensor *weight = &m->graph->tensors.at[skp__graph_find(m->graph, SKP_ROLE_PARAM, "w.weight")];
  char text[100];
  int transposes = 0;
  for (size_t n = 0; n < m->graph->nodes.n; n++) transposes += m->graph->nodes.at[n].op == &skp__op_transpose;
  ck_assert_int_eq(transposes, orders[_i].transposes);
  ck_assert_str_eq(skp__shape_text(text, sizeof text, &weight->shape), orders[_i].weight);
  skp__model_destroy(m);
}
END_TEST

START_TEST(pruning_drops_what_nobody_reads) {
  struct skp_model *m = step_parse("return nn.linear(nn.flatten(nn.maxpool2d(nn.batchnorm2d(x), {kernel = 2})), 5)");
  struct skp_graph *g;
  ck_ok(
      skp__graph_instance(&g, m->graph, 2, true)); /* training without gradients: mean, rstd and index are of no use */
  ck_ok(skp__graph_prune(g));
  const struct skp_node *norm = &g->nodes.at[0], *pool = &g->nodes.at[1];
  ck_assert_int_ne(norm->out[1], SKP_NONE);
  ck_assert_int_eq(norm->out[3], SKP_NONE);
  ck_assert_int_eq(norm->out[4], SKP_NONE);
  ck_assert_int_ne(pool->out[0], SKP_NONE);
  ck_assert_int_eq(pool->out[1], SKP_NONE);
  skp__graph_destroy(g);
  skp__model_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("graph");
  TCase *c = tcase_create("graph");
  tcase_add_test(c, a_failing_node_adds_nothing);
  tcase_add_test(c, values_too_large_or_empty);
  tcase_add_test(c, views_live_in_what_they_view);
  tcase_add_test(c, updates_take_over_their_storage);
  tcase_add_test(c, sgd_without_momentum_has_no_moments);
  tcase_add_test(c, slices_are_aligned_and_apart);
  tcase_add_test(c, an_instance_keeps_slices_and_changes_the_batch);
  tcase_add_test(c, evaluation_leaves_dropout_out);
  tcase_add_test(c, the_dump_is_stable);
  tcase_add_loop_test(c, features_change_their_order_where_they_must, 0, sizeof orders / sizeof *orders);
  tcase_add_test(c, pruning_drops_what_nobody_reads);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
