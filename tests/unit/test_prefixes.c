/* test_prefixes.c: words in front of all names of a file's weights are found, soon also where each name has its own.
 * SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/memory.h"
#include "step.h"
#include "train/checkpoint/checkpoint.h"
#include <stdlib.h>
#include <time.h>

static const char network[] = "x = nn.linear(nn.flatten(x), 4, {name = 'fc'}) "
                              "for i = 1, 200 do x = nn.linear(x, 4) end return nn.linear(x, 2)";

static const float numbers[1024];

/* A weight of 1 number by that name, or of the shape and name of the model's tensor. */
static struct skp_st_tensor row(const char *format, int i, const struct skp_tensor *like) {
  struct skp_st_tensor t = {.dtype = "F32", .rank = 1, .dim = {1}, .data = numbers};
  if (like)
    ck_ok(skp__format(&t.name, "%s%s", format, like->name));
  else
    ck_ok(skp__format(&t.name, "p%d.%s", i, format));
  if (like) t.rank = skp__param_file_shape(like, t.dim);
  t.bytes = (int64_t)sizeof(float);
  for (int d = 0; d < t.rank; d++) t.bytes *= t.dim[d];
  return t;
}

static struct skp_session *begin(struct skp_model **m, struct skp_backend **b) {
  struct skp_session *s;
  *m = step_parse(network);
  ck_ok(skp__backend_open(b, &(struct skp_backend_options){.backend = "reference"}));
  ck_ok(skp__session_create(&s, *m, *b));
  ck_ok(skp__session_init(s, 1));
  return s;
}

START_TEST(many_are_told_soon) {
  enum { NAMES = 20000 };
  struct skp_model *m;
  struct skp_backend *b;
  struct skp_session *s = begin(&m, &b);
  struct skp_st_file f = {.tensors = NAMES};
  ck_ok(skp__alloc(&f.tensor, NAMES, sizeof *f.tensor));
  for (int i = 0; i < NAMES; i++) f.tensor[i] = row("fc.weight", i, NULL);
  const clock_t began = clock();
  struct skp__memory said;
  ck_assert(skp__memory_open(&said));
  ck_fails(skp__checkpoint_take(&f, "f", s, false, said.to), SKP_SHAPE, "No weight of f fits");
  ck_assert(clock() - began < 5 * CLOCKS_PER_SEC);
  ck_assert(skp__memory_close(&said));
  free(said.text);
  skp__st_free(&f);
  skp__session_destroy(s);
  skp__backend_close(b);
  skp__model_destroy(m);
}
END_TEST

/* Before all names, or before more than half of them. */
START_TEST(one_is_found) {
  struct skp_model *m;
  struct skp_backend *b;
  struct skp_session *s = begin(&m, &b);
  const struct skp_graph *g = m->graph;
  struct skp_st_file f = {.tensors = 0};
  ck_ok(skp__alloc(&f.tensor, g->tensors.n, sizeof *f.tensor));
  for (size_t i = 0, k = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    if (skp__is_weight(t) && (k++ % 3 || _i == 0)) f.tensor[f.tensors++] = row("a.b.", 0, t);
  }
  if (_i == 0)
    ck_ok(skp__checkpoint_take(&f, "f", s, true, NULL));
  else {
    ck_ok(skp__checkpoint_take(&f, "f", s, false, NULL));
    ck_fails(skp__checkpoint_take(&f, "f", s, true, NULL), SKP_SHAPE, "weights differ");
  }
  skp__st_free(&f);
  skp__session_destroy(s);
  skp__backend_close(b);
  skp__model_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("prefixes");
  TCase *c = tcase_create("prefixes");
  tcase_set_timeout(c, 60);
  tcase_add_test(c, many_are_told_soon);
  tcase_add_loop_test(c, one_is_found, 0, 2);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
