/* test_fuse.c: which pairs become one node, and which do not. SPDX-License-Identifier: MIT */
#include "step.h"

/* What is left after fusion: op names in order, with what follows a batchnorm or an add. */
static char *fused(const char *network, int training) {
  struct skp_model *m = step_parse(network);
  struct skp_graph *g;
  ck_ok(skp__graph_instance(&g, m->graph, 2, training));
  ck_ok(skp__fuse(g));
  char *text;
  size_t size;
  FILE *to = open_memstream(&text, &size);
  static const char *const follows[] = {"", "+relu", "+add+relu"};
  for (size_t n = 0; n < g->nodes.n; n++) {
    const struct skp_node *node = &g->nodes.at[n];
    fprintf(to, "%s%s", n ? " " : "", node->op->name);
    if (node->op == &skp__op_batchnorm) fputs(follows[node->attrs.batchnorm.fuse], to);
    if (node->op == &skp__op_add) fputs(follows[node->attrs.add.relu], to);
    for (int i = 0; i < node->op->n_out; i++) /* the order is one that can run */
      if (node->out[i] != SKP_NONE) ck_assert_int_eq(g->tensors.at[node->out[i]].producer, (int)n);
    for (int i = 0; i < node->op->n_in; i++)
      if (node->in[i] != SKP_NONE) ck_assert_int_lt(g->tensors.at[node->in[i]].producer, (int)n);
  }
  fclose(to);
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
  for (int training = 0; training < 2; training++) {
    char *text = fused(rows[_i].network, training);
    ck_assert_str_eq(text, rows[_i].want);
    free(text);
  }
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
  tcase_add_test(c, results_stay);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
