/* test_autodiff.c: which gradient nodes there are, and how they add up. SPDX-License-Identifier: MIT */
#include "step.h"
#include <math.h>

static int count(const struct skp_graph *g, const struct skp_op *op) {
  int n = 0;
  for (size_t i = 0; i < g->nodes.n; i++) n += g->nodes.at[i].op == op;
  return n;
}

START_TEST(the_input_needs_no_gradient) {
  struct skp_model *m = step_model("resize");
  struct skp_graph *g = step_graph(m, 2, STEP_GRADIENTS);
  ck_assert_int_eq(count(g, &skp__op_conv2d), 6);
  ck_assert_int_eq(count(g, &skp__op_conv2d_dw), 6);
  ck_assert_int_eq(count(g, &skp__op_conv2d_dx), 4); /* not for the two that read the image */
  skp__graph_destroy(g);
  skp__model_destroy(m);
}
END_TEST

START_TEST(what_leads_to_no_param_gets_none) {
  struct skp_model *m = step_parse("x = nn.maxpool2d(nn.relu(x), {kernel = 2}) return nn.linear(nn.flatten(x), 5)");
  struct skp_graph *g = step_graph(m, 2, STEP_GRADIENTS);
  ck_assert_int_eq(count(g, &skp__op_relu_dx) + count(g, &skp__op_maxpool2d_dx) + count(g, &skp__op_linear_dx), 0);
  ck_assert_int_eq(count(g, &skp__op_linear_dw), 1);
  skp__graph_destroy(g);
  skp__model_destroy(m);
}
END_TEST

START_TEST(gradients_lie_in_their_slices) {
  struct skp_model *m = step_model("identity");
  struct skp_graph *g = step_graph(m, 2, STEP_GRADIENTS);
  int found = 0;
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *d = &g->tensors.at[i];
    if (d->role != SKP_ROLE_GRAD || d->base == SKP_NONE) continue;
    skp_value p = skp__graph_find(g, SKP_ROLE_PARAM, d->name + 2); /* "d NAME" */
    ck_assert_int_ne(p, SKP_NONE);
    ck_assert_int_eq(d->base, g->grads);
    ck_assert_int_eq(d->offset, g->tensors.at[p].offset);
    ck_assert(skp__shape_equal(&d->shape, &g->tensors.at[p].shape));
    ck_assert_int_ge(d->producer, 0);
    found++;
  }
  ck_assert_int_eq(found, 18);
  skp__graph_destroy(g);
  skp__model_destroy(m);
}
END_TEST

START_TEST(several_readers_add_up) {
  /* y is read three times: twice by one add. */
  struct skp_model *m = step_parse("local y = nn.conv2d(x, 2, {kernel = 1}) y = y + y + nn.relu(y) "
                                   "return nn.linear(nn.flatten(y), 5)");
  struct skp_graph *g = step_graph(m, 2, STEP_GRADIENTS);
  ck_assert_int_eq(count(g, &skp__op_add), 2 + 2);
  skp__graph_destroy(g);
  skp__model_destroy(m);
}
END_TEST

/* A graph in which the weight {1,1,2,2} is used by two convolutions, the second optional. */
static struct skp_graph *shared_weight(int uses) {
  struct skp_graph *g;
  skp_value x, w, fw, flat, in[SKP_MAX_IN], out[SKP_MAX_OUT];
  ck_ok(skp__graph_create(&g));
  ck_ok(skp__graph_value(g, &x, "input", SKP_ROLE_INPUT, skp__shape4(1, 2, 2, 2)));
  ck_ok(skp__graph_value(g, &w, "w", SKP_ROLE_PARAM, skp__shape4(1, 1, 2, 2)));
  ck_ok(skp__graph_value(g, &fw, "fc", SKP_ROLE_PARAM, skp__shape4(2, 2, 2, 3)));
  g->input = x;
  for (int i = 0; i < uses; i++) {
    memcpy(in, (skp_value[]){x, w, SKP_NONE, SKP_NONE, SKP_NONE}, 5 * sizeof *in);
    ck_ok(skp__graph_node(g, &skp__op_conv2d, NULL, in, NULL, "conv", out));
    x = out[0];
  }
  ck_ok(skp__graph_node(g, &skp__op_flatten, NULL, &x, NULL, "flat", &flat));
  memcpy(in, (skp_value[]){flat, fw, SKP_NONE}, 3 * sizeof *in);
  ck_ok(skp__graph_node(g, &skp__op_linear, NULL, in, NULL, "fc", &g->logits));
  g->tensors.at[g->logits].role = SKP_ROLE_RESULT;
  ck_ok(skp__graph_collect(g));
  ck_ok(skp__graph_add_loss(g, 0, false));
  ck_ok(skp__graph_differentiate(g));
  return g;
}

/* With w = a · identity, the net with w² has, by the chain rule, a gradient of a · (that
 * of both uses); checked by differences. */
START_TEST(a_param_used_twice) {
  struct step s;
  ck_ok(skp__backend_open(&s.b, &(struct skp_backend_options){.backend = "reference"}));
  ck_ok(skp__store_create(&s.store, s.b));
  ck_ok(skp__plan_create(&s.plan, shared_weight(2), s.b, s.store));
  s.g = skp__plan_graph(s.plan);
  float x[8], *params = step_read(&s, s.g->params);
  struct skp__random r = skp__random_start(1, 1);
  for (int i = 0; i < 8; i++) x[i] = (float)skp__random_normal(&r);
  for (int64_t i = 0; i < step_count(&s, s.g->params); i++) params[i] = 0.5f * (float)skp__random_normal(&r);
  step_write(&s, s.g->input, x);
  step_write(&s, s.g->labels, &(int32_t){1});
  step_write(&s, s.g->params, params);
  step_run(&s);
  float *grads = step_read(&s, s.g->grads);
  for (int i = 0; i < 4; i++) { /* the shared weight is the first slice */
    float old = params[i], h = 1e-2f;
    params[i] = old + h;
    step_write(&s, s.g->params, params);
    double up = step_run(&s);
    params[i] = old - h;
    step_write(&s, s.g->params, params);
    double down = step_run(&s);
    params[i] = old;
    ck_assert_double_eq_tol((up - down) / (2 * (double)h), (double)grads[i], 1e-3);
  }
  free(params);
  free(grads);
  step_destroy(&s);
}
END_TEST

START_TEST(no_params) {
  struct skp_model *m = step_parse("return nn.global_avgpool(x)");
  struct skp_graph *g = step_graph(m, 2, STEP_LOSS);
  ck_fails(skp__graph_differentiate(g), SKP_MODEL, "no parameters");
  skp__graph_destroy(g);
  skp__model_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("autodiff");
  TCase *c = tcase_create("autodiff");
  tcase_add_test(c, the_input_needs_no_gradient);
  tcase_add_test(c, what_leads_to_no_param_gets_none);
  tcase_add_test(c, gradients_lie_in_their_slices);
  tcase_add_test(c, several_readers_add_up);
  tcase_add_test(c, a_param_used_twice);
  tcase_add_test(c, no_params);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
