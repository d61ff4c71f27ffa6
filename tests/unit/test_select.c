/* test_select.c: what the recipe says of single parameters: freezing, factors of the learning rate, no weight decay.
 * SPDX-License-Identifier: MIT */
#include "base/random.h"
#include "step.h"
#include "train/session/session.h"

static int count(const struct skp_graph *g, const struct skp_op *op) {
  int n = 0;
  for (size_t i = 0; i < g->nodes.n; i++) n += g->nodes.at[i].op == op;
  return n;
}

static struct skp_graph *graph_with(struct skp_model *m, const char *field, const char *value) {
  struct skp_graph *g;
  ck_ok(skp__recipe_set(&m->recipe, field, value));
  ck_ok(skp__step_graph(&g, m, &(struct skp__variant){SKP_STEP_TRAIN, .N = 2}));
  return g;
}

/* ---- which gradients there are ----------------------------------------------------------------------------------- */

static const struct {
  const char *freeze;
  int dw, dx, bn; /* nodes of the backward half: of resnet20's 21 convolutions and batchnorms */
} backward[] = {
    {"", 21, 20, 21},                      /* all but the dx of the image */
    {"conv1,bn1", 20, 19, 20},             /* layer1.0.conv1 reads what needs no gradient */
    {"conv1,bn1,layer1", 14, 12, 14},      /* and so do layer2.0.conv1 and layer2.0.downsample.0 */
    {"*conv*,*bn*,*downsample*", 0, 0, 0}, /* all but fc */
    {"layer2", 14, 20, 21},                /* in the middle: gradients pass through */
    {"fc", 21, 20, 21},
};

START_TEST(frozen_layers_cost_no_backward_work) {
  struct skp_model *m = step_model("resnet20");
  struct skp_graph *g = graph_with(m, "freeze", backward[_i].freeze);
  ck_assert_int_eq(count(g, &skp__op_conv2d_dw), backward[_i].dw);
  ck_assert_int_eq(count(g, &skp__op_conv2d_dx), backward[_i].dx);
  ck_assert_int_eq(count(g, &skp__op_batchnorm_dx), backward[_i].bn);
  skp__graph_destroy(g);
  skp__model_destroy(m);
}
END_TEST

/* With all but the last layer frozen the backward half is the loss's gradient and one linear_dw. */
START_TEST(a_head_alone) {
  struct skp_model *m = step_model("resnet20");
  struct skp_graph *g = graph_with(m, "freeze", "conv1,bn1,layer*");
  size_t loss = (size_t)g->tensors.at[g->loss].producer;
  ck_assert_uint_eq(g->nodes.n - loss - 1, 5); /* and what guards the update, and the running statistics */
  ck_assert_ptr_eq(g->nodes.at[loss + 1].op, &skp__op_softmax_cross_entropy_dx);
  ck_assert_ptr_eq(g->nodes.at[loss + 2].op, &skp__op_linear_dw);
  ck_assert_ptr_eq(g->nodes.at[loss + 4].op, &skp__op_sgd);
  skp__graph_destroy(g);
  skp__model_destroy(m);
}
END_TEST

/* What leads nowhere has no gradient: neither decay nor an optimizer's memory may move it, whatever factors say, and it
 * takes as little of a step as what is frozen. Running statistics go on, as those of all batchnorms do. */
static struct skp_model *with_a_branch(void) {
  return step_parse("nn.batchnorm2d(nn.conv2d(x, 3, {kernel = 1, name = 'side'}), {name = 'bn'}) "
                    "return nn.linear(nn.global_avgpool(x), 4, {name = 'fc'})");
}

START_TEST(idle_layers_stay) {
  static const char *const idle[] = {"side.weight", "side.bias", "bn.weight", "bn.bias"};
  struct skp_model *m = with_a_branch();
  struct skp_graph *g = graph_with(m, "lr_mult", "*=2,side=3");
  float factors[2 * 16] = {0};
  ck_assert(g->factors != SKP_NONE);
  ck_assert_int_le(skp__shape_count(&g->tensors.at[g->factors].shape), 32);
  skp__graph_factors(g, factors);
  for (int i = 0; i < 4; i++) {
    const struct skp_tensor *t = &g->tensors.at[skp__graph_find(g, SKP_ROLE_PARAM, idle[i])];
    const float *own = factors + 2 * (t->offset / SKP_UPDATE_BLOCK);
    ck_assert_msg(t->idle && own[0] == 0 && own[1] == 0, "%s: %g, %g", idle[i], (double)own[0], (double)own[1]);
  }
  const struct skp_tensor *used = &g->tensors.at[skp__graph_find(g, SKP_ROLE_PARAM, "fc.weight")];
  ck_assert(!used->idle && factors[2 * (used->offset / SKP_UPDATE_BLOCK)] == 2);
  skp__graph_destroy(g);
  skp__model_destroy(m);
}
END_TEST

/* ---- patterns ---------------------------------------------------------------------------------------------------- */

static const struct {
  const char *pattern, *fits; /* parameters of the network below, by their letters: a = stem.weight … f = fc.bias */
} patterns[] = {
    {"stem", "a"},     {"stem.weight", "a"}, {"*.bias", "cf"},           {"b", "bc"},
    {"b.n", "bc"},     {"b*", "bc"},         {"fc,stem", "aef"},         {"[sf]*", "aef"},
    {"?.n.bias", "c"}, {"*", NULL},          {"fc.weight,b.n.w*", "be"},
};

static struct skp_model *lettered(void) {
  return step_parse("x = nn.conv2d(x, 3, {kernel = 1, bias = false, name = 'stem'}) "
                    "x = nn.scope('b', function() return nn.batchnorm2d(x, {name = 'n'}) end) "
                    "return nn.linear(nn.global_avgpool(x), 4, {name = 'fc'})");
}

static const char *const letters[] = {"stem.weight", "b.n.weight", "b.n.bias", NULL, "fc.weight", "fc.bias"};

START_TEST(patterns_fit) {
  struct skp_model *m = lettered();
  struct skp_graph *g;
  ck_ok(skp__recipe_set(&m->recipe, "freeze", patterns[_i].pattern));
  if (!patterns[_i].fits) {
    ck_fails(skp__step_graph(&g, m, &(struct skp__variant){SKP_STEP_TRAIN, .N = 2}), SKP_USAGE,
             "nothing is left to train");
  } else {
    ck_ok(skp__step_graph(&g, m, &(struct skp__variant){SKP_STEP_TRAIN, .N = 2}));
    for (int i = 0; i < 6; i++) {
      if (!letters[i]) continue;
      bool frozen = g->tensors.at[skp__graph_find(g, SKP_ROLE_PARAM, letters[i])].lr == 0;
      ck_assert_msg(frozen == (strchr(patterns[_i].fits, 'a' + i) != NULL), "%s and %s", patterns[_i].pattern,
                    letters[i]);
    }
    skp__graph_destroy(g);
  }
  skp__model_destroy(m);
}
END_TEST

static const struct {
  const char *field, *value, *says;
} wrong[] = {
    {"freeze", "stem,layr1", "freeze: no parameter of the network fits \"layr1\". Their names begin with stem, b, fc."},
    {"freeze", "ste", "\"ste\""},
    {"freeze", ",,", "freeze: no parameter of the network fits \",,\""},
    {"lr_mult", "head=2", "lr_mult: no parameter of the network fits \"head\""},
    {"lr_mult", "fc", "PATTERN=FACTOR, as in fc=10, not \"fc\""},
    {"lr_mult", "fc=", "not \"fc=\""},
    {"lr_mult", "fc=-1", "not \"fc=-1\""},
    {"lr_mult", "fc=1x", "not \"fc=1x\""},
    {"lr_mult", "fc=nan", "not \"fc=nan\""},
    {"freeze_bn", "true", "no batchnorm is frozen"},
};

START_TEST(wrong_patterns) {
  struct skp_model *m = lettered();
  struct skp_graph *g;
  ck_ok(skp__recipe_set(&m->recipe, wrong[_i].field, wrong[_i].value));
  ck_fails(skp__step_graph(&g, m, &(struct skp__variant){SKP_STEP_TRAIN, .N = 2}), SKP_USAGE, wrong[_i].says);
  ck_ok(skp__step_graph(&g, m, &(struct skp__variant){SKP_STEP_EVAL, .N = 2})); /* evaluation does not care */
  skp__graph_destroy(g);
  skp__model_destroy(m);
}
END_TEST

START_TEST(the_last_factor_counts) {
  struct skp_model *m = lettered();
  ck_ok(skp__recipe_set(&m->recipe, "lr_mult", "*=2,fc=10,b=0"));
  struct skp_graph *g = graph_with(m, "freeze", "fc.bias");
  const float want[] = {2, 0, 0, 0, 10, 0};
  float factors[2 * 64];
  ck_assert_int_eq(skp__shape_count(&g->tensors.at[g->factors].shape), 2 * 5); /* each slice a block */
  skp__graph_factors(g, factors);
  for (int i = 0; i < 6; i++) {
    if (!letters[i]) continue;
    const struct skp_tensor *t = &g->tensors.at[skp__graph_find(g, SKP_ROLE_PARAM, letters[i])];
    ck_assert_float_eq(t->lr, want[i]);
    ck_assert_float_eq(factors[2 * (t->offset / SKP_UPDATE_BLOCK)], want[i]);
    ck_assert_float_eq(factors[2 * (t->offset / SKP_UPDATE_BLOCK) + 1], want[i] != 0);
  }
  skp__graph_destroy(g);
  ck_ok(skp__recipe_set(&m->recipe, "freeze", ""));
  g = graph_with(m, "lr_mult", "*=1");
  ck_assert_int_eq(g->factors, SKP_NONE);
  skp__graph_destroy(g);
  skp__model_destroy(m);
}
END_TEST

/* ---- steps ------------------------------------------------------------------------------------------------------- */

struct run {
  struct skp_backend *b;
  struct skp_session *s;
  float *before, *after, *state_before, *state_after;
};

/* Two steps on random images. */
static struct run run_steps(struct skp_model *m) {
  struct run r;
  struct skp_plan *plan;
  enum { N = 3, VALUES = N * 6 * 6 * 2 };
  float x[VALUES];
  const int32_t labels[N] = {0, 1, 2};
  struct skp__random random = skp__random_start(3, 1);
  for (int i = 0; i < VALUES; i++) x[i] = (float)skp__random_uniform(&random);
  ck_ok(skp__backend_open(&r.b, &(struct skp_backend_options){.backend = "reference"}));
  ck_ok(skp__session_create(&r.s, m, r.b));
  ck_ok(skp__session_init(r.s, 5));
  ck_ok(skp__session_pull(r.s, &r.before, &r.state_before));
  ck_ok(skp__session_plan(r.s, &plan, &(struct skp__variant){SKP_STEP_TRAIN, .N = N}));
  ck_ok(skp__session_begin(r.s));
  const struct skp_graph *g = skp__plan_graph(plan);
  ck_ok(skp__backend_write_now(r.b, skp__plan_buffer(plan, g->input), 0, x, sizeof x));
  ck_ok(skp__backend_write_now(r.b, skp__plan_buffer(plan, g->labels), 0, labels, sizeof labels));
  for (int t = 1; t <= 2; t++) {
    const struct skp_hyper hyper = skp__session_hyper(&m->recipe, m->recipe.lr, t);
    ck_ok(skp__backend_write_now(r.b, skp__plan_buffer(plan, g->hyper), 0, &hyper, sizeof hyper));
    ck_ok(skp__plan_run(plan));
  }
  ck_ok(skp__session_pull(r.s, &r.after, &r.state_after));
  return r;
}

static void run_free(struct run *r) {
  skp__session_destroy(r->s);
  skp__backend_close(r->b);
  free(r->before);
  free(r->after);
  free(r->state_before);
  free(r->state_after);
}

static bool moved(const float *before, const float *after, const struct skp_tensor *t) {
  return memcmp(before + t->offset, after + t->offset, 4 * (size_t)skp__shape_count(&t->shape)) != 0;
}

static const char *const optimizers[] = {"sgd", "adam", "adamw", "lion"};

START_TEST(frozen_values_stay) {
  struct skp_model *m = lettered();
  ck_ok(skp__recipe_set(&m->recipe, "optimizer", optimizers[_i]));
  ck_ok(skp__recipe_set(&m->recipe, "weight_decay", "0.1"));
  if (_i == 0) ck_ok(skp__recipe_set(&m->recipe, "momentum", "0.9"));
  ck_ok(skp__recipe_set(&m->recipe, "freeze", "b,fc.weight"));
  for (int freeze_bn = 0; freeze_bn < 2; freeze_bn++) {
    ck_ok(skp__recipe_set(&m->recipe, "freeze_bn", freeze_bn ? "true" : "false"));
    struct run r = run_steps(m);
    for (int i = 0; i < 6; i++) {
      if (!letters[i]) continue;
      const struct skp_tensor *t = &m->graph->tensors.at[skp__graph_find(m->graph, SKP_ROLE_PARAM, letters[i])];
      ck_assert_msg(moved(r.before, r.after, t) == (i == 0 || i == 5), "%s", letters[i]);
    }
    const char *running[] = {"b.n.running_mean", "b.n.running_var"};
    for (int i = 0; i < 2; i++) {
      const struct skp_tensor *t = &m->graph->tensors.at[skp__graph_find(m->graph, SKP_ROLE_STATE, running[i])];
      ck_assert_msg(moved(r.state_before, r.state_after, t) == !freeze_bn, "%s", running[i]);
    }
    run_free(&r);
  }
  skp__model_destroy(m);
}
END_TEST

/* Without gradients (lr 0 elsewhere hides them) what moves is the decay; a bias and a batchnorm keep their values. */
START_TEST(no_decay_spares_vectors) {
  struct skp_model *m = lettered();
  struct skp_graph *g;
  float factors[2 * 64];
  ck_ok(skp__recipe_set(&m->recipe, "weight_decay", "0.1"));
  g = graph_with(m, "no_decay", "true");
  skp__graph_factors(g, factors);
  for (int i = 0; i < 6; i++) {
    if (!letters[i]) continue;
    const struct skp_tensor *t = &g->tensors.at[skp__graph_find(g, SKP_ROLE_PARAM, letters[i])];
    ck_assert_float_eq(factors[2 * (t->offset / SKP_UPDATE_BLOCK)], 1);
    ck_assert_float_eq(factors[2 * (t->offset / SKP_UPDATE_BLOCK) + 1], i == 0 || i == 4);
  }
  skp__graph_destroy(g);
  skp__model_destroy(m);
}
END_TEST

/* A first step of plain SGD is lr · gradient: a factor of 4 is four times as far, to the bit. */
START_TEST(a_factor_lengthens_the_step) {
  struct skp_model *m = lettered();
  const struct skp_tensor *t = &m->graph->tensors.at[skp__graph_find(m->graph, SKP_ROLE_PARAM, "fc.bias")];
  float step[2];
  for (int i = 0; i < 2; i++) {
    ck_ok(skp__recipe_set(&m->recipe, "lr_mult", i ? "fc=4" : "fc=1"));
    ck_ok(skp__recipe_set(&m->recipe, "lr", "1e-4"));
    struct run r = run_steps(m);
    step[i] = r.after[t->offset] - r.before[t->offset];
    run_free(&r);
  }
  ck_assert_float_eq_tol(step[1] / step[0], 4, 0.01f);
  skp__model_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("select");
  TCase *c = tcase_create("select");
  tcase_set_timeout(c, 60);
  tcase_add_loop_test(c, frozen_layers_cost_no_backward_work, 0, sizeof backward / sizeof *backward);
  tcase_add_test(c, a_head_alone);
  tcase_add_test(c, idle_layers_stay);
  tcase_add_loop_test(c, patterns_fit, 0, sizeof patterns / sizeof *patterns);
  tcase_add_loop_test(c, wrong_patterns, 0, sizeof wrong / sizeof *wrong);
  tcase_add_test(c, the_last_factor_counts);
  tcase_add_loop_test(c, frozen_values_stay, 0, sizeof optimizers / sizeof *optimizers);
  tcase_add_test(c, no_decay_spares_vectors);
  tcase_add_test(c, a_factor_lengthens_the_step);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
