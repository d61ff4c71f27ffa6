/* test_memory.c: layouts of random graphs and of the models: nothing alive overlaps, and memory is reused.
 * SPDX-License-Identifier: MIT */
#include "plan/gaps.h"
#include "step.h"

enum { ALIGN = 256 };

struct span { /* what lies where, and when */
  int first, last, arena;
  int64_t begin, end;
};

/* Worked out here anew: for each root in an arena, and each workspace, its life and its place. */
static size_t spans_of(struct span *s, const struct skp_graph *g, const struct skp_memory *m,
                       const int64_t *workspace) {
  size_t n = 0;
  for (size_t v = 0; v < g->tensors.n; v++) {
    const struct skp_tensor *t = &g->tensors.at[v];
    if (m->offset[v] < 0) {
      ck_assert(t->role != SKP_ROLE_ACTIVATION || t->base != SKP_NONE || t->producer < 0);
      continue;
    }
    s[n] = (struct span){t->producer, t->producer, m->arena[v], m->offset[v],
                         m->offset[v] + 4 * skp__shape_count(&t->shape)};
    for (size_t i = 0; i < g->nodes.n; i++)
      for (int k = 0; k < g->nodes.at[i].op->n_in; k++) {
        skp_value in = g->nodes.at[i].in[k];
        if (in != SKP_NONE && skp__graph_root(g, in) == (skp_value)v) s[n].last = (int)i;
      }
    for (size_t i = 0; i < g->tensors.n; i++)
      if (g->tensors.at[i].base == (skp_value)v && g->tensors.at[i].role == SKP_ROLE_RESULT)
        s[n].last = (int)g->nodes.n;
    n++;
  }
  for (size_t i = 0; i < g->nodes.n; i++)
    if (workspace[i])
      s[n++] = (struct span){(int)i, (int)i, m->workspace_arena[i], m->workspace[i], m->workspace[i] + workspace[i]};
  return n;
}

static void check(const struct skp_graph *g, const struct skp_memory *m, const int64_t *workspace, int64_t limit) {
  struct span *s;
  ck_ok(skp__alloc(&s, g->tensors.n + g->nodes.n, sizeof *s));
  size_t n = spans_of(s, g, m, workspace);
  for (size_t i = 0; i < n; i++) {
    ck_assert_int_ge(s[i].begin, 0);
    ck_assert_int_eq(s[i].begin % ALIGN, 0);
    ck_assert_int_lt(s[i].arena, m->arenas);
    ck_assert_int_le(s[i].end, m->arena_bytes[s[i].arena]);
    for (size_t j = 0; j < i; j++) {
      bool time = s[i].first <= s[j].last && s[j].first <= s[i].last;
      bool place = s[i].arena == s[j].arena && s[i].begin < s[j].end && s[j].begin < s[i].end;
      ck_assert_msg(!(time && place), "two values alive at the same time overlap");
    }
  }
  for (int i = 0; i < m->arenas; i++) ck_assert_int_le(m->arena_bytes[i], limit);
  free(s);
}

/* A random network over matrices and images: adds, relus, flattens of what was made before. */
static struct skp_graph *random_graph(struct skp__random *r) {
  struct skp_graph *g;
  skp_value v, in[2];
  ck_ok(skp__graph_create(&g));
  for (int i = 0; i < 2; i++)
    ck_ok(skp__graph_value(g, &v, "x", SKP_ROLE_INPUT, skp__shape4(1 + i, 3, 1 + skp__random_below(r, 40), 4)));
  for (int i = 0; i < 60; i++) {
    for (int k = 0; k < 2; k++) in[k] = (skp_value)skp__random_below(r, (uint32_t)g->tensors.n);
    const struct skp_shape *a = &g->tensors.at[in[0]].shape, *b = &g->tensors.at[in[1]].shape;
    const struct skp_op *op = skp__shape_equal(a, b)                         ? &skp__op_add
                              : a->rank == 4 && skp__random_below(r, 3) == 0 ? &skp__op_flatten
                                                                             : &skp__op_relu;
    ck_ok(skp__graph_node(g, op, NULL, in, NULL, "", &v));
    if (skp__random_below(r, 12) == 0) g->tensors.at[v].role = SKP_ROLE_RESULT;
  }
  return g;
}

START_TEST(random_graphs) {
  struct skp__random r = skp__random_start(5, (uint64_t)_i);
  struct skp_graph *g = random_graph(&r);
  struct skp_memory m;
  int64_t workspace[60];
  for (int i = 0; i < 60; i++) workspace[i] = skp__random_below(&r, 3) ? 0 : 1 + skp__random_below(&r, 4000);
  int64_t limit = _i % 2 ? INT64_MAX : 8192;
  ck_ok(skp__memory_plan(&m, g, workspace, ALIGN, limit));
  check(g, &m, workspace, limit);
  ck_assert(m.arenas >= 1 && (_i % 2 == 0 || m.arenas == 1));
  skp__memory_free(&m);
  skp__graph_destroy(g);
}
END_TEST

/* The lowest gap as it is found without a tree: from 0 on, past whatever is in the way. */
static int64_t plain_gap(const struct span *s, size_t n, const struct span *wanted, int64_t bytes) {
  int64_t at = 0;
  for (size_t i = 0; i < n; i++) {
    const bool in_the_way =
        s[i].first <= wanted->last && wanted->first <= s[i].last && s[i].begin < at + bytes && at < s[i].end;
    if (!in_the_way) continue;
    at = s[i].end;
    i = (size_t)-1;
  }
  return at;
}

/* The same gaps, whatever is taken in whatever order: long and short lives, large and small. */
START_TEST(lowest_gaps) {
  enum { N = 150, TIMES = 37 };
  struct skp__random r = skp__random_start(6, (uint64_t)_i);
  struct skp__gaps *g;
  struct span s[N];
  ck_ok(skp__gaps_create(&g, TIMES));
  for (size_t i = 0; i < N; i++) {
    const int a = (int)skp__random_below(&r, TIMES), b = (int)skp__random_below(&r, TIMES);
    const int64_t bytes = 1 + skp__random_below(&r, _i % 2 ? 3 : 100);
    int64_t at;
    s[i] = (struct span){.first = a < b ? a : b, .last = a < b ? b : a};
    if (_i % 3 == 0) s[i].last = s[i].first;
    ck_ok(skp__gaps_lowest(g, &at, s[i].first, s[i].last, bytes));
    ck_assert_int_eq(at, plain_gap(s, i, &s[i], bytes));
    ck_ok(skp__gaps_take(g, at, s[i].first, s[i].last, bytes));
    s[i].begin = at;
    s[i].end = at + bytes;
  }
  skp__gaps_destroy(g);
}
END_TEST

static int64_t arena_bytes(const struct skp_memory *m) {
  int64_t bytes = 0;
  for (int i = 0; i < m->arenas; i++) bytes += m->arena_bytes[i];
  return bytes;
}

static int64_t sum_of_activations(const struct skp_graph *g) {
  int64_t sum = 0;
  for (size_t i = 0; i < g->tensors.n; i++)
    if (g->tensors.at[i].role == SKP_ROLE_ACTIVATION && g->tensors.at[i].base == SKP_NONE &&
        g->tensors.at[i].producer >= 0)
      sum += 4 * skp__shape_count(&g->tensors.at[i].shape);
  return sum;
}

/* The most that is alive at one node: no layout can be smaller. */
static int64_t lower_bound(const struct skp_graph *g, const struct skp_memory *m, const int64_t *workspace) {
  struct span *s;
  int64_t most = 0;
  ck_ok(skp__alloc(&s, g->tensors.n + g->nodes.n, sizeof *s));
  size_t n = spans_of(s, g, m, workspace);
  for (int node = 0; node <= (int)g->nodes.n; node++) {
    int64_t now = 0;
    for (size_t i = 0; i < n; i++)
      if (s[i].first <= node && node <= s[i].last) now += (s[i].end - s[i].begin + ALIGN - 1) / ALIGN * ALIGN;
    most = now > most ? now : most;
  }
  free(s);
  return most;
}

/* {kind of step, how much smaller than the sum the arena must be} */
START_TEST(models_reuse_memory) {
  static const struct {
    const char *model;
    int kind;
    double fraction;
  } row[] = {{"identity", STEP_EVAL, 0.5},
             {"resize", STEP_EVAL, 0.6},
             {"identity", STEP_GRADIENTS | STEP_FUSED, 0.75},
             {"resize", STEP_GRADIENTS | STEP_FUSED, 0.8}};
  struct skp_model *model = step_model(row[_i].model);
  struct skp_graph *g = step_graph(model, 32, row[_i].kind);
  struct skp_memory m;
  int64_t workspace[200] = {0};
  ck_assert_uint_lt(g->nodes.n, 200);
  ck_ok(skp__graph_prune(g));
  ck_ok(skp__memory_plan(&m, g, workspace, ALIGN, INT64_MAX));
  check(g, &m, workspace, INT64_MAX);
  double sum = (double)sum_of_activations(g), bytes = (double)arena_bytes(&m);
  ck_assert_msg(bytes < row[_i].fraction * sum, "%s: %g of %g", row[_i].model, bytes, sum);
  ck_assert_msg(bytes <= 1.1 * (double)lower_bound(g, &m, workspace), "%s: %g, possible %g", row[_i].model, bytes,
                (double)lower_bound(g, &m, workspace));
  skp__memory_free(&m);
  skp__graph_destroy(g);
  skp__model_destroy(model);
}
END_TEST

START_TEST(too_large_for_the_device) {
  struct skp_model *model = step_model("identity");
  struct skp_graph *g = step_graph(model, 32, STEP_EVAL);
  struct skp_memory m;
  int64_t workspace[200] = {0};
  ck_fails(skp__memory_plan(&m, g, workspace, ALIGN, 4096), SKP_DEVICE_MEMORY, "has no place in 16 arenas");
  ck_assert_ptr_null(m.offset);
  skp__graph_destroy(g);
  skp__model_destroy(model);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("memory");
  TCase *c = tcase_create("memory");
  tcase_add_loop_test(c, random_graphs, 0, 200);
  tcase_add_loop_test(c, lowest_gaps, 0, 60);
  tcase_add_loop_test(c, models_reuse_memory, 0, 4);
  tcase_add_test(c, too_large_for_the_device);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
