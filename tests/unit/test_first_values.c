/* test_first_values.c: what the weights of models begin with. SPDX-License-Identifier: MIT */
#include "step.h"
#include <math.h>

START_TEST(first_values) {
  struct skp_model *m = step_model("resize");
  const struct skp_graph *g = m->graph;
  float *params, *again, *state;
  int64_t n = skp__shape_count(&g->tensors.at[g->params].shape);
  ck_ok(skp__alloc(&params, (size_t)n, sizeof *params));
  ck_ok(skp__alloc(&again, (size_t)n, sizeof *again));
  ck_ok(skp__alloc(&state, (size_t)skp__shape_count(&g->tensors.at[g->state].shape), sizeof *state));
  skp__model_init(g, params, state, 1);
  skp__model_init(g, again, state, 1);
  ck_assert_mem_eq(params, again, (size_t)n * sizeof *params);
  skp__model_init(g, again, state, 2);
  ck_assert_mem_ne(params, again, (size_t)n * sizeof *params);
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    if (t->base == SKP_NONE || t->base == g->input) continue;
    const float *at = (t->role == SKP_ROLE_STATE ? state : params) + t->offset;
    int64_t count = skp__shape_count(&t->shape);
    double sum = 0, squares = 0, bound = t->bound;
    if (t->role != SKP_ROLE_PARAM && t->role != SKP_ROLE_STATE) continue;
    for (int64_t k = 0; k < count; k++) {
      sum += at[k];
      squares += (double)at[k] * at[k];
      if (t->bound > 0) ck_assert(fabs(at[k]) <= bound);
      if (t->bound == 0) ck_assert_float_eq(at[k], t->fill);
    }
    if (count < 1000) continue;
    ck_assert_double_eq_tol(sum / (double)count, 0, 0.1 * bound);
    ck_assert_double_eq_tol(squares / (double)count, bound * bound / 3, 0.1 * bound * bound);
  }
  const struct skp_tensor *linear = &g->tensors.at[skp__graph_find(g, SKP_ROLE_PARAM, "linear_1.bias")];
  ck_assert_double_eq(linear->bound, 1 / sqrt(1568));
  free(params);
  free(again);
  free(state);
  skp__model_destroy(m);
}
END_TEST

/* A model with its first values. */
struct fresh {
  struct skp_model *m;
  float *params, *state;
};

static struct fresh fresh_of(struct skp_model *m) {
  struct fresh f = {.m = m};
  const struct skp_graph *g = f.m->graph;
  ck_ok(skp__alloc(&f.params, (size_t)skp__shape_count(&g->tensors.at[g->params].shape), sizeof *f.params));
  ck_ok(skp__alloc(&f.state, (size_t)skp__shape_count(&g->tensors.at[g->state].shape), sizeof *f.state));
  skp__model_init(g, f.params, f.state, 1);
  return f;
}

static void fresh_free(struct fresh *f) {
  free(f->params);
  free(f->state);
  skp__model_destroy(f->m);
}

/* How a param begins: a row of these says what torchvision does. `deviation` 0: every value is `mean`. */
struct beginning {
  const char *name;
  double mean, deviation;
  double kurtosis; /* 3: normal, 1.8: uniform */
};

static void check_beginning(const struct fresh *f, const struct beginning *want) {
  const struct skp_graph *g = f->m->graph;
  skp_value v = skp__graph_find(g, SKP_ROLE_PARAM, want->name);
  ck_assert_msg(v != SKP_NONE, "%s", want->name);
  const float *x = f->params + g->tensors.at[v].offset;
  double sum = 0, squares = 0, fourth = 0, products = 0, var = want->deviation * want->deviation;
  const double n = (double)skp__shape_count(&g->tensors.at[v].shape);
  for (int64_t i = 0; i < (int64_t)n; i++) {
    const double d = (double)x[i] - want->mean;
    if (var == 0) ck_assert_msg(d == 0, "%s: %g", want->name, (double)x[i]);
    sum += d;
    squares += d * d;
    fourth += d * d * d * d;
    products += i ? d * ((double)x[i - 1] - want->mean) : 0;
  }
  if (var == 0) return;
  ck_assert_msg(fabs(sum / n) <= 5 * want->deviation / sqrt(n), "%s: mean %g", want->name, sum / n);
  ck_assert_msg(fabs(squares / n / var - 1) <= 8 / sqrt(n), "%s: variance %g", want->name, squares / n);
  ck_assert_msg(fabs(fourth / n / (var * var) - want->kurtosis) <= 50 / sqrt(n), "%s: fourth moment", want->name);
  ck_assert_msg(fabs(products / n / var) <= 5 / sqrt(n), "%s: neighbours depend on each other", want->name);
}

static void check_beginnings(const char *model, const struct skp_setting *set, const struct beginning *rows) {
  struct fresh f = fresh_of(step_model_set(model, set));
  for (; rows->name; rows++) check_beginning(&f, rows);
  fresh_free(&f);
}

/* ResNets: convolutions by the outputs (He), the linear layer as PyTorch's own; the last
 * batchnorm of a block with zeros if asked. */
START_TEST(resnets_begin_as_torchvisions) {
  static const struct skp_setting set[3] = {{"zero_init", "yes"}};
  const struct beginning rows[] = {
      {"conv1.weight", 0, sqrt(2.0 / (64 * 49)), 3},
      {"layer1.0.conv1.weight", 0, sqrt(2.0 / (64 * 9)), 3},
      {"layer2.0.downsample.0.weight", 0, sqrt(2.0 / 128), 3},
      {"layer1.0.bn1.weight", 1, 0, 0},
      {"layer1.0.bn1.bias", 0, 0, 0},
      {"layer1.0.bn2.weight", 0, 0, 0},
      {"layer2.0.downsample.1.weight", 1, 0, 0},
      {"fc.weight", 0, sqrt(1.0 / 512 / 3), 1.8},
      {"fc.bias", 0, sqrt(1.0 / 512 / 3), 1.8},
      {NULL, 0, 0, 0},
  };
  check_beginnings("resnet", set, rows);
}
END_TEST

/* VGGs: convolutions by the outputs, linear layers with 0.01, no biases. */
START_TEST(vggs_begin_as_torchvisions) {
  static const struct skp_setting set[3] = {{"depth", "11"}, {"bn", "yes"}, {"hidden", "64"}};
  const struct beginning rows[] = {
      {"features.0.weight", 0, sqrt(2.0 / (64 * 9)), 3},
      {"features.4.weight", 0, sqrt(2.0 / (128 * 9)), 3},
      {"features.4.bias", 0, 0, 0},
      {"features.5.weight", 1, 0, 0},
      {"features.5.bias", 0, 0, 0},
      {"classifier.0.weight", 0, 0.01, 3},
      {"classifier.6.weight", 0, 0.01, 3},
      {"classifier.6.bias", 0, 0, 0},
      {NULL, 0, 0, 0},
  };
  check_beginnings("vgg", set, rows);
}
END_TEST

/* The CIFAR networks begin as torchvision's; groups do not change what counts as outputs. */
START_TEST(blocks_begin_as_torchvisions) {
  static const struct skp_setting none[3] = {{NULL, NULL}}, zero[3] = {{"zero_init", "yes"}};
  const struct beginning all[] = {{"layer3.0.conv1.weight", 0, sqrt(2.0 / (64 * 9)), 3},
                                  {"layer3.2.bn2.weight", 1, 0, 0},
                                  {"fc.weight", 0, sqrt(1.0 / 64 / 3), 1.8},
                                  {NULL, 0, 0, 0}};
  const struct beginning zeros[] = {
      {"layer3.2.bn1.weight", 1, 0, 0}, {"layer3.2.bn2.weight", 0, 0, 0}, {NULL, 0, 0, 0}};
  check_beginnings("resnet20", none, all);
  check_beginnings("resnet20", zero, zeros);
  struct skp_model *m = step_parse(
      "x = blocks.conv(x, 64, 3) x = blocks.conv(x, 64, 3, {groups = 8}) return nn.linear(nn.global_avgpool(x), 2)");
  const struct skp_tensor *w = &m->graph->tensors.at[skp__graph_find(m->graph, SKP_ROLE_PARAM, "1.weight")];
  ck_assert_int_eq(w->shape.dim[2], 8);
  ck_assert_double_eq_tol((double)w->std, sqrt(2.0 / (64 * 9)), 1e-7);
  skp__model_destroy(m);
}
END_TEST

/* {R,S,C,K} = {2,3,4,5} in memory is K,C,R,S in files. */
/* `values` are those of a weight file: K, C, R, S. In memory the outputs lie together.
 * There is no bias to begin with. */
START_TEST(listed_values) {
  struct fresh f = fresh_of(
      step_parse("x = nn.conv2d(x, 2, {kernel = 2, values = {1, 2, 3, 4, 5, 6, 7, 8, -1, -2, -3, -4, -5, -6, -7, -8}, "
                 "name = 'c'})\n"
                 "return nn.linear(nn.global_avgpool(nn.batchnorm2d(x)), 2, {values = {10, 20, 30, 40}, name = 'l'})"));
  static const float conv[] = {1, -1, 5, -5, 2, -2, 6, -6, 3, -3, 7, -7, 4, -4, 8, -8}, linear[] = {10, 30, 20, 40};
  const struct skp_graph *g = f.m->graph;
  const struct skp_tensor *t = g->tensors.at;
  ck_assert_mem_eq(f.params + t[skp__graph_find(g, SKP_ROLE_PARAM, "c.weight")].offset, conv, sizeof conv);
  ck_assert_mem_eq(f.params + t[skp__graph_find(g, SKP_ROLE_PARAM, "l.weight")].offset, linear, sizeof linear);
  check_beginning(&f, &(struct beginning){"c.bias", 0, 0, 0});
  fresh_free(&f);
}
END_TEST

/* The 16 filters of whitening are orthogonal, all but three see no evenly grey, red or
 * blue patch, and their negatives follow. */
START_TEST(whitening_filters) {
  static const struct skp_setting none[3] = {{NULL, NULL}};
  struct fresh f = fresh_of(step_model_set("cifar10", none));
  const struct skp_graph *g = f.m->graph;
  const float *w = f.params + g->tensors.at[skp__graph_find(g, SKP_ROLE_PARAM, "stem.weight")].offset; /* [27][32] */
  int see_even = 0;
  for (int a = 0; a < 16; a++) {
    double sum[3] = {0};
    for (int i = 0; i < 27; i++) {
      sum[i % 3] += (double)w[i * 32 + a];
      ck_assert_float_eq(w[i * 32 + 16 + a], -w[i * 32 + a]);
    }
    see_even += fabs(sum[0]) + fabs(sum[1]) + fabs(sum[2]) > 1e-5;
    for (int b = 0; b <= a; b++) {
      double product = 0;
      for (int i = 0; i < 27; i++) product += (double)w[i * 32 + a] * (double)w[i * 32 + b];
      ck_assert_msg(a == b ? product > 0.04 : fabs(product) < 1e-5, "filters %d and %d: %g", a, b, product);
    }
  }
  ck_assert_int_eq(see_even, 3);
  fresh_free(&f);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("first values");
  TCase *c = tcase_create("first values");
  tcase_set_timeout(c, 60);
  tcase_add_test(c, first_values);
  tcase_add_test(c, resnets_begin_as_torchvisions);
  tcase_add_test(c, vggs_begin_as_torchvisions);
  tcase_add_test(c, blocks_begin_as_torchvisions);
  tcase_add_test(c, listed_values);
  tcase_add_test(c, whitening_filters);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
