/* test_fuse.c: which pairs become one node, and which do not. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "step.h"

/* What is left after fusion: op names in order, with what follows a batchnorm, an add or a convolution. */
static char *names_of(struct skp_graph *g) {
  struct skp__memory m;
  ck_assert(skp__memory_open(&m));
  FILE *to = m.to;
  static const char *const follows[] = {"", "+relu", "+add+relu"};
  for (size_t n = 0; n < g->nodes.n; n++) {
    const struct skp_node *node = &g->nodes.at[n];
    fprintf(to, "%s%s", n ? " " : "", node->op->name);
    if (node->op == &skp__op_batchnorm) fputs(follows[node->attrs.batchnorm.fuse], to);
    if (node->op == &skp__op_add) fputs(follows[node->attrs.add.relu], to);
    if (node->op == &skp__op_conv2d && node->in[3] != SKP_NONE) fputs("*scale", to);
    if (node->op == &skp__op_conv2d && node->in[4] != SKP_NONE) fputs("+add", to);
    if (node->op == &skp__op_conv2d_dx && node->in[2] != SKP_NONE) fputs("+add", to);
    if (node->op == &skp__op_conv2d || node->op == &skp__op_conv2d_dx) fputs(follows[node->attrs.conv2d.relu], to);
    if (node->op == &skp__op_conv2d && node->out[1] != SKP_NONE && node->out[2] != SKP_NONE) fputs(">sums", to);
    if (node->op == &skp__op_batchnorm && node->in[6] != SKP_NONE && node->in[7] != SKP_NONE) fputs("<sums", to);
    if (node->op == &skp__op_batchnorm_dx) fputs(follows[node->attrs.batchnorm.fuse], to);
    for (int i = 0; i < node->op->n_out; i++) /* the order is one that can run */
      if (node->out[i] != SKP_NONE) ck_assert_int_eq(g->tensors.at[node->out[i]].producer, (int)n);
    for (int i = 0; i < node->op->n_in; i++)
      if (node->in[i] != SKP_NONE) ck_assert_int_lt(g->tensors.at[node->in[i]].producer, (int)n);
  }
  ck_assert(skp__memory_close(&m));
  return m.text;
}

enum kind { EVALUATION, FORWARD, SHARED, STEP }; /* SHARED: with statistics; STEP: with gradients, too */

static char *fused(const char *network, enum kind kind) {
  struct skp_model *m = step_parse(network);
  struct skp_graph *g;
  ck_ok(skp__graph_instance(&g, m->graph, 2, kind != EVALUATION));
  if (kind == EVALUATION) ck_ok(skp__fold(g));
  ck_ok(skp__fuse(g));
  if (kind == STEP) {
    ck_ok(skp__graph_add_loss(g, 0, false));
    ck_ok(skp__graph_differentiate(g));
    ck_ok(skp__fuse(g));
  }
  if (kind == SHARED) ck_ok(skp__share_statistics(g));
  char *text = names_of(g);
  skp__graph_destroy(g);
  skp__model_destroy(m);
  return text;
}

static const struct {
  const char *network, *want;
} rows[] = {
    {"x = nn.relu(nn.batchnorm2d(x)) return nn.global_avgpool(x)", "batchnorm+relu global_avgpool"},
    {"x = nn.relu(nn.batchnorm2d(x) + x) return nn.global_avgpool(x)", "batchnorm+add+relu global_avgpool"},
    {"x = nn.relu(x + nn.batchnorm2d(x)) return nn.global_avgpool(x)", "batchnorm+add+relu global_avgpool"},
    {"x = nn.relu(nn.batchnorm2d(x) + nn.batchnorm2d(x)) return nn.global_avgpool(x)",
     "batchnorm batchnorm+add+relu global_avgpool"},
    {"x = nn.relu(x + x) return nn.global_avgpool(x)", "add+relu global_avgpool"},
    /* read by two: stays */
    {"local y = nn.batchnorm2d(x) return nn.global_avgpool(nn.relu(y) + y)", "batchnorm relu add global_avgpool"},
    {"local y = nn.batchnorm2d(x) return nn.global_avgpool(nn.relu(y + y))", "batchnorm add+relu global_avgpool"},
    {"local y = x + x return nn.global_avgpool(nn.relu(y) + y)", "add relu add global_avgpool"},
    /* no relu after the add: stays */
    {"return nn.global_avgpool(nn.batchnorm2d(x) + x)", "batchnorm add global_avgpool"},
    /* a batchnorm that has its relu takes no second one */
    {"return nn.global_avgpool(nn.relu(nn.relu(nn.batchnorm2d(x))))", "batchnorm+relu relu global_avgpool"},
    {"return nn.global_avgpool(nn.relu(nn.relu(nn.batchnorm2d(x)) + x))", "batchnorm+relu add+relu global_avgpool"},
    /* the other operand is made between the two */
    {"local y = nn.batchnorm2d(x) local z = nn.avgpool2d(x, {kernel = 1}) return nn.global_avgpool(nn.relu(y + z))",
     "avgpool2d batchnorm+add+relu global_avgpool"},
};

START_TEST(patterns) {
  for (enum kind kind = EVALUATION; kind <= FORWARD; kind++) {
    char *text = fused(rows[_i].network, kind);
    ck_assert_str_eq(text, rows[_i].want);
    free(text);
  }
}
END_TEST

#define CONV  "nn.conv2d(x, 2, {kernel = 3, padding = 1})"
#define CONV4 "nn.conv2d(x, 4, {kernel = 3, padding = 1})"
#define POOL  "return nn.global_avgpool(x)"
static const struct {
  const char *network;
  enum kind kind;
  const char *want;
} of_conv[] = {
    {"x = nn.relu(" CONV ") " POOL, FORWARD, "conv2d+relu global_avgpool"},
    {"x = " CONV " + x " POOL, FORWARD, "conv2d+add global_avgpool"},
    {"x = nn.relu(x + " CONV ") " POOL, FORWARD, "conv2d+add+relu global_avgpool"},
    /* one of two takes the other one's result */
    {"x = nn.relu(" CONV " + " CONV ") " POOL, FORWARD, "conv2d conv2d+add+relu global_avgpool"},
    /* what has its relu, or its add, takes no more */
    {"x = nn.relu(" CONV ") + x " POOL, FORWARD, "conv2d+relu add global_avgpool"},
    {"x = (" CONV " + x) + x " POOL, FORWARD, "conv2d+add add global_avgpool"},
    {"local y = " CONV " x = nn.relu(y) + y " POOL, FORWARD, "conv2d relu add global_avgpool"},
    /* batchnorm is folded in evaluation alone, and where nobody else reads what it reads */
    {"x = nn.batchnorm2d(" CONV ") " POOL, FORWARD, "conv2d batchnorm global_avgpool"},
    {"x = nn.batchnorm2d(" CONV ") " POOL, EVALUATION, "batchnorm_fold conv2d*scale global_avgpool"},
    {"x = nn.relu(nn.batchnorm2d(" CONV ") + x) " POOL, EVALUATION,
     "batchnorm_fold conv2d*scale+add+relu global_avgpool"},
    {"local y = " CONV " x = nn.batchnorm2d(y) + y " POOL, EVALUATION, "conv2d batchnorm add global_avgpool"},
    {"x = nn.batchnorm2d(nn.relu(" CONV ")) " POOL, EVALUATION, "conv2d+relu batchnorm global_avgpool"},
    {"x = nn.batchnorm2d(nn.batchnorm2d(" CONV ")) " POOL, EVALUATION,
     "batchnorm_fold conv2d*scale batchnorm global_avgpool"},
    /* a convolution sums for the batchnorms that read it, unless its groups are single channels */
    {"x = nn.batchnorm2d(" CONV4 ") " POOL, SHARED, "conv2d>sums batchnorm<sums global_avgpool"},
    {"x = nn.batchnorm2d(nn.relu(" CONV4 ")) " POOL, SHARED, "conv2d+relu>sums batchnorm<sums global_avgpool"},
    {"local y = " CONV4 " x = nn.batchnorm2d(y) + nn.batchnorm2d(y) " POOL, SHARED,
     "conv2d>sums batchnorm<sums batchnorm<sums add global_avgpool"},
    {"x = nn.batchnorm2d(nn.maxpool2d(" CONV4 ", {kernel = 2})) " POOL, SHARED,
     "conv2d maxpool2d batchnorm global_avgpool"},
    {"x = nn.batchnorm2d(x) x = nn.batchnorm2d(nn.conv2d(x, 2, {kernel = 3, groups = 2})) " POOL, SHARED,
     "batchnorm conv2d batchnorm global_avgpool"},
    {"x = nn.batchnorm2d(" CONV4 ") " POOL, FORWARD, "conv2d batchnorm global_avgpool"},
    /* the gradients that meet where a shortcut begins; two for the first convolution's weights */
    {"x = " CONV " x = nn.batchnorm2d(" CONV ") + x return nn.linear(nn.global_avgpool(x), 5)", STEP,
     "conv2d conv2d batchnorm add global_avgpool linear softmax_cross_entropy softmax_cross_entropy_dx linear_dx "
     "linear_dw global_avgpool_dx batchnorm_dx conv2d_dw conv2d_dx+add conv2d_dw"},
    {"x = " CONV " x = nn.relu(" CONV ") return nn.linear(nn.global_avgpool(x), 5)", STEP,
     "conv2d conv2d+relu global_avgpool linear softmax_cross_entropy softmax_cross_entropy_dx linear_dx linear_dw "
     "global_avgpool_dx relu_dx conv2d_dx conv2d_dw conv2d_dw"},
    /* a gradient that only goes through a relu is written as what passes */
    {"x = nn.relu(" CONV ") x = nn.relu(" CONV ") return nn.linear(nn.global_avgpool(x), 5)", STEP,
     "conv2d+relu conv2d+relu global_avgpool linear softmax_cross_entropy softmax_cross_entropy_dx linear_dx linear_dw "
     "global_avgpool_dx relu_dx conv2d_dw conv2d_dx+relu conv2d_dw"},
    /* so is one that goes through a relu to a shortcut and a batchnorm, the last of several */
    {"x = " CONV " x = nn.relu(nn.batchnorm2d(" CONV ") + x) x = nn.relu(nn.batchnorm2d(" CONV ") + x) "
     "return nn.linear(nn.global_avgpool(x), 5)",
     STEP,
     "conv2d conv2d batchnorm+add+relu conv2d batchnorm+add+relu global_avgpool linear softmax_cross_entropy "
     "softmax_cross_entropy_dx linear_dx linear_dw global_avgpool_dx batchnorm_dx+add+relu conv2d_dw "
     "conv2d_dx+add+relu batchnorm_dx conv2d_dw conv2d_dx+add conv2d_dw"},
    {"x = " CONV " x = nn.relu(nn.batchnorm2d(" CONV ") + x) x = nn.relu(nn.batchnorm2d(" CONV ") + " CONV ") "
     "return nn.linear(nn.global_avgpool(x), 5)",
     STEP,
     "conv2d conv2d batchnorm+add+relu conv2d conv2d batchnorm+add+relu global_avgpool linear softmax_cross_entropy "
     "softmax_cross_entropy_dx linear_dx linear_dw global_avgpool_dx batchnorm_dx+add+relu conv2d_dx conv2d_dw "
     "conv2d_dw conv2d_dx+add+relu batchnorm_dx conv2d_dw conv2d_dx+add conv2d_dw"},
};

START_TEST(convolutions) {
  char *text = fused(of_conv[_i].network, of_conv[_i].kind);
  ck_assert_str_eq(text, of_conv[_i].want);
  free(text);
}
END_TEST

/* What a step's graph makes of the value `which` of random weights, images and statistics. */
static float *values(const struct skp_model *m, int kind, skp_value (*which)(const struct skp_graph *), int64_t *n) {
  struct step s = step_create(m, 9, kind);
  step_fill(&s, m, 7);
  float *state = step_read(&s, s.g->state);
  for (int64_t i = 0; i < step_count(&s, s.g->state); i++) state[i] = 0.5f + 0.01f * (float)(i % 37);
  step_write(&s, s.g->state, state);
  free(state);
  ck_ok(skp__plan_run(s.plan));
  float *out = step_read(&s, which(s.g));
  *n = step_count(&s, which(s.g));
  step_destroy(&s);
  return out;
}

static void same(const char *network, int kind, int other, skp_value (*which)(const struct skp_graph *)) {
  struct skp_model *m = step_parse(network);
  int64_t n, n_other;
  float *a = values(m, kind, which, &n), *b = values(m, other, which, &n_other);
  ck_assert_int_eq(n, n_other);
  for (int64_t i = 0; i < n; i++) ck_assert_double_eq_tol((double)a[i], (double)b[i], 1e-5);
  free(a);
  free(b);
  skp__model_destroy(m);
}

static skp_value logits(const struct skp_graph *g) { return g->logits; }
static skp_value gradients(const struct skp_graph *g) { return g->grads; }
static skp_value state(const struct skp_graph *g) { return g->state; }

START_TEST(same_answers_and_gradients) {
  static const char network[] =
      "x = nn.conv2d(x, 4, {kernel = 3}) "
      "local y = nn.relu(nn.batchnorm2d(nn.conv2d(x, 4, {kernel = 3, padding = 1, bias = false}))) "
      "x = nn.relu(nn.batchnorm2d(nn.conv2d(y, 4, {kernel = 1})) + x) "
      "x = nn.relu(nn.batchnorm2d(nn.conv2d(x, 4, {kernel = 3, padding = 1})) + x) "
      "x = nn.relu(nn.conv2d(x, 4, {kernel = 3, padding = 1}) + x) "
      "return nn.linear(nn.global_avgpool(x), 5)";
  same(network, STEP_EVAL, STEP_FOLDED | STEP_FUSED, logits);
  same(network, STEP_GRADIENTS, STEP_GRADIENTS | STEP_FUSED, gradients);
  same(network, STEP_GRADIENTS, STEP_GRADIENTS | STEP_FUSED | STEP_SHARED, gradients);
  same(network, STEP_GRADIENTS, STEP_GRADIENTS | STEP_FUSED | STEP_SHARED, state);
}
END_TEST

/* What the host reads is not merged away. */
START_TEST(results_stay) {
  struct skp_graph *g;
  skp_value x, y, z;
  ck_ok(skp__graph_create(&g));
  ck_ok(skp__graph_value(g, &x, "x", SKP_ROLE_INPUT, skp__shape2(2, 3)));
  skp_value in[2] = {x, x};
  ck_ok(skp__graph_node(g, &skp__op_add, NULL, in, NULL, "", &y));
  ck_ok(skp__graph_node(g, &skp__op_relu, NULL, &y, NULL, "", &z));
  g->tensors.at[y].role = SKP_ROLE_RESULT;
  ck_ok(skp__fuse(g));
  ck_assert_uint_eq(g->nodes.n, 2);
  skp__graph_destroy(g);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("fuse");
  TCase *c = tcase_create("fuse");
  tcase_add_loop_test(c, patterns, 0, sizeof rows / sizeof *rows);
  tcase_add_loop_test(c, convolutions, 0, sizeof of_conv / sizeof *of_conv);
  tcase_add_test(c, same_answers_and_gradients);
  tcase_add_test(c, results_stay);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
