/* test_metrics.c: what predictions are worth: ranks, losses, classes, the worst, and the files that tell it.
 * SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "folder.h"
#include "train/evaluate/metrics.h"
#include <math.h>

/* ---- one prediction ---------------------------------------------------------------------------------------------- */

START_TEST(places) {
  const float falling[7] = {6, 5, 4, 3, 2, 1, 0}, equal[3] = {2, 2, 1}, broken[3] = {2, NAN, NAN},
              infinite[3] = {2, INFINITY, 0};
  for (int label = 0; label < 7; label++) {
    struct skp_prediction a = skp__prediction(falling, 7, label);
    ck_assert_int_eq(a.rank, label);
    ck_assert_int_eq(a.predicted, 0);
  }
  ck_assert_int_eq(skp__prediction(equal, 3, 0).rank, 0); /* the first of equals is predicted */
  ck_assert_int_eq(skp__prediction(equal, 3, 1).rank, 1);
  ck_assert_int_eq(skp__prediction(equal, 3, 1).predicted, 0);
  for (int label = 0; label < 3; label++) { /* a prediction that is none */
    ck_assert_int_eq(skp__prediction(broken, 3, label).rank, 3);
    ck_assert_int_eq(skp__prediction(broken, 3, label).predicted, -1);
    ck_assert_float_nan(skp__prediction(broken, 3, label).loss);
    ck_assert_int_eq(skp__prediction(infinite, 3, label).predicted, -1);
  }
  ck_assert_int_eq(skp__prediction(broken, 3, -1).rank, 0);
}
END_TEST

START_TEST(losses) {
  const float x[2] = {1, 3}, large[3] = {1000, -1000, 1000},
              largest[2] = {-3e38f, 3e38f}; /* log(e + e^3) = 3.12692801 */
  ck_assert_float_eq_tol(skp__prediction(x, 2, 0).loss, 2.12692801f, 1e-6f);
  ck_assert_float_eq_tol(skp__prediction(x, 2, 1).loss, 0.12692801f, 1e-6f);
  ck_assert_float_eq_tol(skp__prediction(x, 2, 0).confidence, 0.88079708f, 1e-6f);
  ck_assert_float_eq_tol(skp__prediction(large, 3, 0).loss, 0.69314718f, 1e-6f);
  ck_assert_float_eq_tol(skp__prediction(large, 3, 1).loss, 2000.6931f, 1e-3f);
  ck_assert_float_eq(skp__prediction(largest, 2, 0).loss, 3.4028234664e38f); /* 6e38 is none */
  struct skp_prediction unknown = skp__prediction(x, 2, -1);
  ck_assert_int_eq(unknown.predicted, 1);
  ck_assert_int_eq(unknown.label, -1);
  ck_assert_float_eq(unknown.loss, 0);
}
END_TEST

/* ---- a report ---------------------------------------------------------------------------------------------------- */

/* Classes a, "b" (never predicted) and c,d; no image is of the last. */
static const struct skp_prediction predictions[] = {
    {.label = 0, .predicted = 0, .loss = 0.5f},
    {.label = -1, .predicted = 1, .loss = 0},
    {.label = 1, .predicted = 0, .loss = 3, .rank = 2, .confidence = 0.75f},
    {.label = 0, .predicted = 2, .loss = 1, .rank = 1},
    {.label = 0, .predicted = -1, .loss = NAN, .confidence = NAN},
    {.label = 1, .predicted = 0, .loss = 3},
};
enum { N = sizeof predictions / sizeof *predictions };

/* Of 20 classes: class k is taken for class k + 1 k times, by confidences that rise and fall; class 0 never. */
START_TEST(confused) {
  enum { CLASSES = 20, MOST = CLASSES * CLASSES / 2 };
  static const float sure[] = {0.5f, 0.9f, 0.7f, 0.9f, 0.6f};
  struct skp_prediction all[MOST];
  int64_t n = 0, first[CLASSES];
  struct skp_report r;
  for (int k = 0; k < CLASSES; k++) {
    first[k] = n;
    for (int i = 0; i < k; i++)
      all[n++] = (struct skp_prediction){.label = k, .predicted = (k + 1) % CLASSES, .confidence = sure[i % 5]};
  }
  all[n++] = (struct skp_prediction){.label = 19, .predicted = 19, .confidence = 1}; /* right */
  all[n++] = (struct skp_prediction){.label = 19, .predicted = -1, .confidence = NAN};
  all[n++] = (struct skp_prediction){.label = -1, .predicted = 0, .confidence = 1};
  ck_ok(skp__report_create(&r, all, n, CLASSES, 0));
  ck_assert_int_eq(r.confuseds, 36); /* 3 of each of 12 pairs, from class 19 down to class 8 */
  for (int k = 0; k < 12; k++) {
    ck_assert_int_eq(r.confused[3 * k], first[19 - k] + 1); /* the first of equals */
    ck_assert_int_eq(r.confused[3 * k + 1], first[19 - k] + 3);
    ck_assert_int_eq(r.confused[3 * k + 2], first[19 - k] + 6);
  }
  skp__report_free(&r);
  ck_ok(skp__report_create(&r, all, 3, CLASSES, 0)); /* one of class 1, two of class 2 */
  const int64_t few[] = {2, 1, 0};
  ck_assert_int_eq(r.confuseds, 3);
  ck_assert_mem_eq(r.confused, few, sizeof few);
  skp__report_free(&r);
}
END_TEST

START_TEST(classes_and_worst) {
  struct skp_report r;
  const int64_t confusion[9] = {1, 0, 1, 2, 0, 0, 0, 0, 0}, worst[] = {4, 2, 5, 3};
  ck_ok(skp__report_create(&r, predictions, N, 3, 4));
  ck_assert_mem_eq(r.confusion, confusion, sizeof confusion);
  ck_assert_double_eq_tol(r.of_class[0].precision, 1.0 / 3, 1e-12);
  ck_assert_double_eq_tol(r.of_class[0].recall, 1.0 / 3, 1e-12);
  ck_assert_double_eq_tol(r.of_class[0].f1, 1.0 / 3, 1e-12);
  ck_assert_double_nan(r.of_class[1].precision);
  ck_assert_double_eq(r.of_class[1].recall, 0);
  ck_assert_double_eq(r.of_class[1].f1, 0);
  ck_assert_double_eq(r.of_class[2].precision, 0);
  ck_assert_double_nan(r.of_class[2].recall);
  ck_assert_int_eq(r.worsts, 4);
  ck_assert_mem_eq(r.worst, worst, sizeof worst);
  skp__report_free(&r);
  ck_ok(skp__report_create(&r, predictions, N, 3, 100));
  ck_assert_int_eq(r.worsts, N - 1);
  skp__report_free(&r);
}
END_TEST

static const char *name_of(const struct skp_source *s, int64_t i) {
  return s->n > i && i == 2 ? "folder/two, \"three\".png" : "one.png";
}

static void check_file(const char *name, const char *want) {
  void *text;
  int64_t bytes;
  ck_ok(skp__file_read(&text, &bytes, in(name), 4096));
  ck_assert_str_eq(text, want);
  free(text);
  ck_assert_int_eq(unlink(in(name)), 0);
}

START_TEST(files) {
  char a[] = "a", b[] = "\"b\"", *list[] = {a, b};
  const struct skp_class_names names = {list, 2}; /* the third is called by its number */
  const struct skp_source source = {.n = N, .name_of = name_of};
  struct skp_report r;
  ck_ok(skp__report_create(&r, predictions, N, 3, 2));
  ck_ok(skp__report_write(&r, predictions, &source, &names, folder));
  check_file("confusion.csv", "class,a,\"\"\"b\"\"\",2\na,1,0,1\n\"\"\"b\"\"\",2,0,0\n2,0,0,0\n");
  check_file(
      "classes.csv",
      "class,images,predicted,right,precision,recall,f1\na,3,3,1,0.333333,0.333333,0.333333\n\"\"\"b\"\"\",2,0,0,,0,0\n"
      "2,0,1,0,0,,0\n");
  check_file("worst.csv",
             "image,name,class,prediction,loss,confidence\n4,one.png,a,,,\n2,\"folder/two, \"\"three\"\".png\","
             "\"\"\"b\"\"\",a,3,0.75\n");
  check_file("confused.csv", "image,name,class,prediction,loss,confidence\n2,\"folder/two, \"\"three\"\".png\","
                             "\"\"\"b\"\"\",a,3,0.75\n5,one.png,\"\"\"b\"\"\",a,3,0\n3,one.png,a,2,1,0\n");
  skp__report_free(&r);
  ck_ok(skp__report_create(&r, predictions, N, 5, 0)); /* two outputs more, which are no classes */
  ck_ok(skp__report_write(&r, predictions, &source, &names, folder));
  check_file("confusion.csv", "class,a,\"\"\"b\"\"\",2\na,1,0,1\n\"\"\"b\"\"\",2,0,0\n2,0,0,0\n");
  check_file("worst.csv", "image,name,class,prediction,loss,confidence\n");
  skp__report_free(&r);
}
END_TEST

/* ---- a pass over images ------------------------------------------------------------------------------------------ */

/* Images of one pixel, its value the class that the network sees; image 3 has no label, image 4 a wrong one. */
static skp_status image(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  (void)s;
  if (out) SKP_TRY(skp__image_room(out, 1, 1, 1));
  if (out) *out->pixels = i % 2 ? 255 : 0;
  *label = i == 3 ? -1 : i == 4 ? 1 : (int32_t)(i % 2);
  return SKP_OK;
}

/* A session on the reference with a model of this text. */
struct trial {
  struct skp_model *m;
  struct skp_backend *b;
  struct skp_session *s;
  float *params, *state;
};

static struct trial trial_of(const char *text) {
  struct trial t;
  ck_ok(skp__model_parse(&t.m, "pixel.lua", text, NULL, 0, 0, NULL));
  ck_ok(skp__backend_open(&t.b, &(struct skp_backend_options){.backend = "reference"}));
  ck_ok(skp__session_create(&t.s, t.m, t.b));
  ck_ok(skp__session_pull(t.s, &t.params, &t.state));
  return t;
}

static float *param(const struct trial *t, const char *name) {
  const struct skp_graph *g = t->m->graph;
  return t->params + g->tensors.at[skp__graph_find(g, SKP_ROLE_PARAM, name)].offset;
}

static void trial_free(struct trial *t) {
  free(t->params);
  free(t->state);
  skp__session_destroy(t->s);
  skp__backend_close(t->b);
  skp__model_destroy(t->m);
}

START_TEST(unknown_labels_do_not_count) {
  static const char text[] = "return {input = {channels = 1, size = 1}, network = function(x) "
                             "return nn.linear(nn.flatten(x), 2, {name = 'fc'}) end}";
  const struct skp_source source = {
      .name = (char *)"pixels", .n = 7, .H = 1, .W = 1, .C = 1, .classes = 2, .image = image};
  struct trial t = trial_of(text);
  struct skp_prediction got[7];
  struct skp_eval_result result;
  float logits[14];
  param(&t, "fc.weight")[1] = 4; /* logits: 1 and 4 · pixel */
  param(&t, "fc.bias")[0] = 1;
  ck_ok(skp__session_push(t.s, t.params, t.state));
  for (int kept = 0; kept < 2; kept++) { /* batches of 3, the last smaller */
    ck_ok(skp__evaluate(t.s, &source, 3, 1, &result, kept ? logits : NULL, got));
    ck_assert_int_eq(result.n, 7);
    ck_assert_int_eq(result.unknown, 1);
    ck_assert_double_eq_tol(result.accuracy, 5.0 / 6, 1e-12);
    ck_assert_double_eq(result.top5, 1);
    double right0 = log(1 + exp(-1)), right1 = log(1 + exp(-3)), wrong = log(1 + exp(1));
    ck_assert_double_eq_tol(result.loss, (3 * right0 + 2 * right1 + wrong) / 6, 1e-6);
    ck_assert_int_eq(got[3].label, -1);
    ck_assert_int_eq(got[3].predicted, 1);
    ck_assert_int_eq(got[4].rank, 1);
  }
  ck_assert_float_eq(logits[13], 0);
  ck_assert_float_eq(logits[11], 4);
  trial_free(&t);
}
END_TEST

/* Images of 3×3 different pixels; image i is of class i % 2. */
static skp_status patch(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  (void)s;
  if (out) SKP_TRY(skp__image_room(out, 3, 3, 1));
  for (int p = 0; out && p < 9; p++) out->pixels[p] = (uint8_t)(40 * i + p * p % 11);
  *label = (int32_t)(i % 2);
  return SKP_OK;
}

/* The pixel at (y, x) of a view, a pixel beyond the edge being the one as far within. */
static double pixel_of(int64_t image, int view, int y, int x) {
  static const struct { int step, mirror; } views[] = {{-1, 0}, {1, 1}, {-1, 1}, {1, 0}};
  static const int inside[] = {1, 0, 1, 2, 1};
  y = inside[1 + y + views[view].step];
  x = inside[1 + (views[view].mirror ? 2 - x : x) + views[view].step];
  return (double)(40 * image + (3 * y + x) * (3 * y + x) % 11) / 255;
}

/* The network is linear, so that its predictions for views and their mean are easily told. */
START_TEST(views_are_averaged) {
  static const char text[] = "return {input = {channels = 1, size = 3}, network = function(x) "
                             "return nn.linear(nn.flatten(x), 2, {name = 'fc', values = {1, 2, 3, 4, 5, 6, 7, 8, 9, "
                             "-4, 9, 2, -3, 0, 5, 1, 7, -8}}) end}";
  static const double weights[2][9] = {{1, 2, 3, 4, 5, 6, 7, 8, 9}, {-4, 9, 2, -3, 0, 5, 1, 7, -8}};
  const struct skp_source source = {
      .name = (char *)"patches", .n = 5, .H = 3, .W = 3, .C = 1, .classes = 2, .image = patch};
  struct trial t = trial_of(text);
  ck_ok(skp__session_init(t.s, 1));
  for (int views = 2; views <= 4; views++) {
    struct skp_eval_result result;
    struct skp_prediction got[5];
    float logits[10];
    double loss = 0;
    t.m->recipe.test_views = views;
    ck_ok(skp__evaluate(t.s, &source, 3, 2, &result, views == 2 ? NULL : logits, got)); /* batches of 3 and 2 */
    ck_assert_int_eq(result.n, 5);
    for (int64_t i = 0; i < 5; i++) {
      double want[2] = {0};
      for (int k = 0; k < 2; k++)
        for (int p = 0; p < 9 * views; p++) want[k] += weights[k][p % 9] * pixel_of(i, p / 9, p % 9 / 3, p % 3) / views;
      for (int k = 0; k < 2 && views > 2; k++) ck_assert_double_eq_tol((double)logits[2 * i + k], want[k], 1e-5);
      ck_assert_int_eq(got[i].predicted, want[1] > want[0]);
      loss += log(1 + exp(want[1 - i % 2] - want[i % 2])) / 5;
    }
    ck_assert_double_eq_tol(result.loss, loss, 1e-5);
  }
  trial_free(&t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("metrics");
  TCase *tc = tcase_create("metrics");
  tcase_add_checked_fixture(tc, make_folder, remove_folder);
  tcase_add_test(tc, places);
  tcase_add_test(tc, losses);
  tcase_add_test(tc, classes_and_worst);
  tcase_add_test(tc, confused);
  tcase_add_test(tc, files);
  tcase_add_test(tc, unknown_labels_do_not_count);
  tcase_add_test(tc, views_are_averaged);
  suite_add_tcase(suite, tc);
  return skp__test_main(suite);
}
