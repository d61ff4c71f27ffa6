/* test_parts.c: weight gradients in parts: what they are, which of them are added by one node, and where that
 * stands. SPDX-License-Identifier: MIT */
#include "op_case.h"
#include "step.h"

#define CONV "x = nn.conv2d(x, 2, {kernel = 3, padding = 1, bias = false}) "

/* A step of `layers` convolutions whose weight gradients, but every `but`-th one (0: all), are sums in `parts`. */
static struct skp_graph *joined(int layers, int parts, int but) {
  char text[2000] = "";
  for (int i = 0; i < layers; i++) strcat(text, CONV);
  strcat(text, "return nn.global_avgpool(x)");
  struct skp_model *m = step_parse(text);
  struct skp_graph *g = step_graph(m, 2, STEP_GRADIENTS | STEP_UPDATE);
  int *of, seen = 0;
  ck_ok(skp__alloc(&of, g->nodes.n, sizeof *of));
  for (size_t n = 0; n < g->nodes.n; n++)
    if (g->nodes.at[n].op == &skp__op_conv2d_dw && (!but || ++seen % but)) of[n] = parts;
  ck_ok(skp__join_sums(g, of, 64 << 20));
  free(of);
  skp__model_destroy(m);
  return g;
}

static int count(const struct skp_graph *g, const struct skp_op *op) {
  int found = 0;
  for (size_t n = 0; n < g->nodes.n; n++) found += g->nodes.at[n].op == op;
  return found;
}

/* The first node from `n` on that is a sum. */
static size_t find_sum(const struct skp_graph *g, size_t n) {
  while (n < g->nodes.n && g->nodes.at[n].op != &skp__op_sum_parts) n++;
  return n;
}

static int layers_of(const struct skp_graph *g, size_t n) {
  int layers = 0;
  for (int i = 0; i < SKP_SUMS; i++) layers += g->nodes.at[n].in[i] != SKP_NONE;
  return layers;
}

static bool reads_gradients(const struct skp_graph *g, size_t n) {
  const struct skp_node *node = &g->nodes.at[n];
  for (int i = 0; i < node->n_in; i++)
    if (node->in[i] != SKP_NONE && skp__graph_root(g, node->in[i]) == g->grads) return true;
  return false;
}

/* Each value is made before it is read, and by what the graph says. */
static void check_order(const struct skp_graph *g) {
  for (size_t n = 0; n < g->nodes.n; n++) {
    const struct skp_node *node = &g->nodes.at[n];
    for (int i = 0; i < node->n_out; i++)
      if (node->out[i] != SKP_NONE) ck_assert_int_eq(g->tensors.at[node->out[i]].producer, (int)n);
    for (int i = 0; i < node->n_in; i++)
      if (node->in[i] != SKP_NONE) ck_assert_int_lt(g->tensors.at[node->in[i]].producer, (int)n);
  }
}

/* As many as a sum takes, then the rest before the first that reads gradients. */
START_TEST(sums_of_many) {
  struct skp_graph *g = joined(SKP_SUMS + 3, 5, 0);
  const size_t first = find_sum(g, 0), second = find_sum(g, first + 1);
  check_order(g);
  ck_assert_int_eq(count(g, &skp__op_conv2d_dw), 0);
  ck_assert_int_eq(count(g, &skp__op_conv2d_dw_parts), SKP_SUMS + 3);
  ck_assert_int_eq(count(g, &skp__op_sum_parts), 2);
  ck_assert_int_eq(layers_of(g, first), SKP_SUMS);
  ck_assert_int_eq(layers_of(g, second), 3);
  ck_assert_ptr_eq(g->nodes.at[first - 1].op, &skp__op_conv2d_dw_parts);
  ck_assert(reads_gradients(g, second + 1));
  for (size_t n = 0; n < second; n++) ck_assert(!reads_gradients(g, n));
  for (int i = 0; i < SKP_SUMS; i++) {
    const struct skp_tensor *parts = &g->tensors.at[g->nodes.at[first].in[i]],
                            *dw = &g->tensors.at[g->nodes.at[first].out[i]];
    ck_assert_int_eq(skp__shape_count(&parts->shape), 5 * skp__shape_count(&dw->shape));
    ck_assert_int_eq(skp__graph_root(g, g->nodes.at[first].out[i]), g->grads);
  }
  skp__graph_destroy(g);
}
END_TEST

START_TEST(others_stay) {
  struct skp_graph *g = joined(5, 3, 2);
  check_order(g);
  ck_assert_int_eq(count(g, &skp__op_conv2d_dw), 2);
  ck_assert_int_eq(count(g, &skp__op_conv2d_dw_parts), 3);
  ck_assert_int_eq(count(g, &skp__op_sum_parts), 1);
  skp__graph_destroy(g);
}
END_TEST

/* Of 36 values 200,000 parts are 28.8 MB: two wait beside each other, no third one. */
START_TEST(parts_that_wait_are_bounded) {
  struct skp_graph *g = joined(5, 200000, 0);
  int waiting = 0;
  check_order(g);
  ck_assert_int_eq(count(g, &skp__op_sum_parts), 3);
  for (size_t n = 0; n < g->nodes.n; n++) {
    if (g->nodes.at[n].op == &skp__op_conv2d_dw_parts) ck_assert_int_le(++waiting, 2);
    if (g->nodes.at[n].op == &skp__op_sum_parts) waiting = 0;
  }
  skp__graph_destroy(g);
}
END_TEST

static int four(const struct skp_prepared *p) {
  (void)p;
  return 4;
}

/* Those of a step on plain C; `in_parts`: it says that each op is a sum in parts, which only some can be. */
static float *gradients(const struct skp_model *m, bool in_parts) {
  static struct skp_backend_ops ops;
  struct step s;
  ck_ok(skp__backend_open(&s.b, &(struct skp_backend_options){.backend = "reference"}));
  ops = *s.b->ops;
  if (in_parts) ops.parts = four;
  s.b->ops = &ops;
  ck_ok(skp__store_create(&s.store, s.b));
  ck_ok(skp__plan_create(&s.plan, step_graph(m, 2, STEP_GRADIENTS), s.b, s.store));
  s.g = skp__plan_graph(s.plan);
  ck_assert_int_eq(count(s.g, &skp__op_sum_parts), in_parts);
  ck_assert_int_eq(count(s.g, &skp__op_conv2d_dw), in_parts ? 0 : 3);
  step_fill(&s, m, 1);
  step_run(&s);
  float *grads = step_read(&s, s.g->grads);
  step_destroy(&s);
  return grads;
}

/* Whichever way they are summed. */
START_TEST(gradients_are_the_same) {
  struct skp_model *m = step_parse(CONV CONV CONV "return nn.global_avgpool(x)");
  float *plain = gradients(m, false), *joined = gradients(m, true);
  bool any = false;
  for (int i = 0; i < 3 * SKP_SLICE_ALIGN; i++) {
    ck_assert_double_eq_tol(plain[i], joined[i], 1e-6);
    any = any || plain[i] != 0;
  }
  ck_assert(any);
  free(plain);
  free(joined);
  skp__model_destroy(m);
}
END_TEST

/* ---- the ops ----------------------------------------------------------------------------------------------------- */

/* Of three pixels one each, and none. */
START_TEST(parts_of_a_weight_gradient) {
  struct tape t = {.n = 0};
  struct skp_sig sig;
  op_case(&sig, "conv2d_dw_parts", "1x1x3x1 1x1x3x2", "h=1 w=1 parts=4");
  const skp_value in[] = {tape_new(&t, sig.in[0]), tape_new(&t, sig.in[1])};
  skp_value out;
  static const float x[] = {1, 2, 3}, dy[] = {10, -1, 10, -2, 10, -3}, want[] = {10, -1, 20, -4, 30, -9, 0, 0};
  memcpy(floats(&t, in[0]), x, sizeof x);
  memcpy(floats(&t, in[1]), dy, sizeof dy);
  ck_ok(tape_run(&t, &sig, in, NULL, &out));
  ck_assert_mem_eq(floats(&t, out), want, sizeof want);
  skp__sig_free(&sig);
  tape_free(&t);
}
END_TEST

START_TEST(parts_of_several) {
  struct tape t = {.n = 0};
  struct skp_sig sig;
  skp_value in[SKP_SUMS], out[SKP_SUMS];
  op_case(&sig, "sum_parts", "2x1x2 - 1x1x1", "");
  for (int i = 0; i < SKP_SUMS; i++) in[i] = sig.in[i].rank ? tape_new(&t, sig.in[i]) : SKP_NONE;
  memcpy(floats(&t, in[0]), (const float[]){1, 2, 10, -20}, 16);
  memcpy(floats(&t, in[2]), (const float[]){7}, 4);
  ck_ok(tape_run(&t, &sig, in, NULL, out));
  ck_assert_mem_eq(floats(&t, out[0]), ((const float[]){11, -18}), 8);
  ck_assert_mem_eq(floats(&t, out[2]), (const float[]){7}, 4);
  skp__sig_free(&sig);
  tape_free(&t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sums in parts");
  TCase *tc = tcase_create("parts");
  tcase_add_test(tc, sums_of_many);
  tcase_add_test(tc, others_stay);
  tcase_add_test(tc, parts_that_wait_are_bounded);
  tcase_add_test(tc, gradients_are_the_same);
  tcase_add_test(tc, parts_of_a_weight_gradient);
  tcase_add_test(tc, parts_of_several);
  suite_add_tcase(suite, tc);
  return skp__test_main(suite);
}
