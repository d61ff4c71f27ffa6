/* test_metrics.c: what answers are worth: places, losses, classes, the worst, and the files that tell it. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "test.h"
#include "train/metrics.h"
#include <math.h>
#include <unistd.h>

/* ---- one answer ----------------------------------------------------------------------------------------------------- */

START_TEST(places) {
  const float falling[7] = {6, 5, 4, 3, 2, 1, 0}, equal[3] = {2, 2, 1}, broken[3] = {2, NAN, NAN};
  for (int label = 0; label < 7; label++) {
    struct skp_answer a = skp__answer(falling, 7, label);
    ck_assert_int_eq(a.place, label);
    ck_assert_int_eq(a.guess, 0);
  }
  ck_assert_int_eq(skp__answer(equal, 3, 0).place, 0); /* the first of equals is the answer */
  ck_assert_int_eq(skp__answer(equal, 3, 1).place, 1);
  ck_assert_int_eq(skp__answer(equal, 3, 1).guess, 0);
  ck_assert_int_eq(skp__answer(broken, 3, 1).place, 0); /* NaN is ahead of all numbers */
  ck_assert_int_eq(skp__answer(broken, 3, 2).place, 1);
  ck_assert_int_eq(skp__answer(broken, 3, 0).place, 2);
  ck_assert_int_eq(skp__answer(broken, 3, 0).guess, 1);
  ck_assert_float_nan(skp__answer(broken, 3, 0).loss);
}
END_TEST

START_TEST(losses) {
  const float x[2] = {1, 3}, large[3] = {1000, -1000, 1000}; /* log(e + e^3) = 3.12692801 */
  ck_assert_float_eq_tol(skp__answer(x, 2, 0).loss, 2.12692801f, 1e-6f);
  ck_assert_float_eq_tol(skp__answer(x, 2, 1).loss, 0.12692801f, 1e-6f);
  ck_assert_float_eq_tol(skp__answer(x, 2, 0).certainty, 0.88079708f, 1e-6f);
  ck_assert_float_eq_tol(skp__answer(large, 3, 0).loss, 0.69314718f, 1e-6f);
  ck_assert_float_eq_tol(skp__answer(large, 3, 1).loss, 2000.6931f, 1e-3f);
  struct skp_answer unknown = skp__answer(x, 2, -1);
  ck_assert_int_eq(unknown.guess, 1);
  ck_assert_int_eq(unknown.label, -1);
  ck_assert_float_eq(unknown.loss, 0);
}
END_TEST

/* ---- a report ------------------------------------------------------------------------------------------------------- */

/* Classes a, "b" (never guessed) and c,d; no image is of the last. */
static const struct skp_answer answers[] = {
    {.label = 0, .guess = 0, .loss = 0.5f},
    {.label = -1, .guess = 1, .loss = 0},
    {.label = 1, .guess = 0, .loss = 3, .place = 2, .certainty = 0.75f},
    {.label = 0, .guess = 2, .loss = 1, .place = 1},
    {.label = 0, .guess = 0, .loss = NAN},
    {.label = 1, .guess = 0, .loss = 3},
};
enum { N = sizeof answers / sizeof *answers };

START_TEST(classes_and_worst) {
  struct skp_report r;
  const int64_t confusion[9] = {2, 0, 1, 2, 0, 0, 0, 0, 0}, worst[] = {4, 2, 5, 3};
  ck_ok(skp__report_create(&r, answers, N, 3, 4));
  ck_assert_mem_eq(r.confusion, confusion, sizeof confusion);
  ck_assert_double_eq(r.of_class[0].precision, 0.5);
  ck_assert_double_eq_tol(r.of_class[0].recall, 2.0 / 3, 1e-12);
  ck_assert_double_eq_tol(r.of_class[0].f1, 4.0 / 7, 1e-12);
  ck_assert_double_nan(r.of_class[1].precision);
  ck_assert_double_eq(r.of_class[1].recall, 0);
  ck_assert_double_eq(r.of_class[1].f1, 0);
  ck_assert_double_eq(r.of_class[2].precision, 0);
  ck_assert_double_nan(r.of_class[2].recall);
  ck_assert_int_eq(r.worsts, 4);
  ck_assert_mem_eq(r.worst, worst, sizeof worst);
  skp__report_free(&r);
  ck_ok(skp__report_create(&r, answers, N, 3, 100));
  ck_assert_int_eq(r.worsts, N - 1);
  skp__report_free(&r);
}
END_TEST

static const char *name_of(const struct skp_source *s, int64_t i) {
  return s->n > i && i == 2 ? "folder/two, \"three\".png" : "one.png";
}

static void check_file(const char *folder, const char *name, const char *want) {
  char *path;
  void *text;
  int64_t bytes;
  ck_ok(skp__path_join(&path, folder, name));
  ck_ok(skp__file_read(&text, &bytes, path, 4096));
  ck_assert_str_eq(text, want);
  free(text);
  unlink(path);
  free(path);
}

START_TEST(files) {
  char folder[] = "/tmp/skipper-report-XXXXXX", a[] = "a", b[] = "\"b\"", *list[] = {a, b};
  const struct skp_class_names names = {list, 2}; /* the third is called by its number */
  const struct skp_source source = {.n = N, .name_of = name_of};
  struct skp_report r;
  ck_assert_ptr_nonnull(mkdtemp(folder));
  ck_ok(skp__report_create(&r, answers, N, 3, 2));
  ck_ok(skp__report_write(&r, answers, &source, &names, folder));
  check_file(folder, "confusion.csv", "class,a,\"\"\"b\"\"\",2\na,2,0,1\n\"\"\"b\"\"\",2,0,0\n2,0,0,0\n");
  check_file(folder, "classes.csv",
             "class,images,guessed,right,precision,recall,f1\na,3,4,2,0.5,0.666667,0.571429\n\"\"\"b\"\"\",2,0,0,,0,0\n"
             "2,0,1,0,0,,0\n");
  check_file(folder, "worst.csv",
             "image,name,class,guess,loss,certainty\n4,one.png,a,a,nan,0\n2,\"folder/two, \"\"three\"\".png\","
             "\"\"\"b\"\"\",a,3,0.75\n");
  skp__report_free(&r);
  rmdir(folder);
}
END_TEST

/* ---- a pass over images --------------------------------------------------------------------------------------------- */

/* Images of one pixel, its value the class that the network sees; image 3 has no label, image 4 a wrong one. */
static skp_status image(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  (void)s;
  if (out) SKP_TRY(skp__image_room(out, 1, 1, 1));
  if (out) *out->pixels = i % 2 ? 255 : 0;
  *label = i == 3 ? -1 : i == 4 ? 1 : (int32_t)(i % 2);
  return SKP_OK;
}

START_TEST(unknown_labels_do_not_count) {
  static const char text[] = "return {input = {channels = 1, size = 1}, network = function(x) "
                             "return nn.linear(nn.flatten(x), 2, {name = 'fc'}) end}";
  const struct skp_source source = {
      .name = (char *)"pixels", .n = 7, .H = 1, .W = 1, .C = 1, .classes = 2, .image = image};
  struct skp_model *m;
  struct skp_backend *b;
  struct skp_session *s;
  struct skp_answer got[7];
  struct skp_eval_result result;
  float *params, *state, logits[14];
  ck_ok(skp__model_parse(&m, "pixel.lua", text, NULL, 0, 0, NULL));
  ck_ok(skp__backend_open(&b, &(struct skp_backend_options){.backend = "reference"}));
  ck_ok(skp__session_create(&s, m, b));
  ck_ok(skp__session_pull(s, &params, &state));
  skp_value w = skp__graph_find(m->graph, SKP_ROLE_PARAM, "fc.weight"),
            bias = skp__graph_find(m->graph, SKP_ROLE_PARAM, "fc.bias");
  params[m->graph->tensors.at[w].offset + 1] = 4; /* logits: 1 and 4 · pixel */
  params[m->graph->tensors.at[bias].offset] = 1;
  ck_ok(skp__session_push(s, params, state));
  for (int kept = 0; kept < 2; kept++) { /* batches of 3, the last smaller */
    ck_ok(skp__evaluate(s, &source, 3, 1, &result, kept ? logits : NULL, got));
    ck_assert_int_eq(result.n, 7);
    ck_assert_int_eq(result.unknown, 1);
    ck_assert_double_eq_tol(result.accuracy, 5.0 / 6, 1e-12);
    ck_assert_double_eq(result.top5, 1);
    double right0 = log(1 + exp(-1)), right1 = log(1 + exp(-3)), wrong = log(1 + exp(1));
    ck_assert_double_eq_tol(result.loss, (3 * right0 + 2 * right1 + wrong) / 6, 1e-6);
    ck_assert_int_eq(got[3].label, -1);
    ck_assert_int_eq(got[3].guess, 1);
    ck_assert_int_eq(got[4].place, 1);
  }
  ck_assert_float_eq(logits[13], 0);
  ck_assert_float_eq(logits[11], 4);
  free(params);
  free(state);
  skp__session_destroy(s);
  skp__backend_close(b);
  skp__model_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("metrics");
  TCase *tc = tcase_create("metrics");
  tcase_add_test(tc, places);
  tcase_add_test(tc, losses);
  tcase_add_test(tc, classes_and_worst);
  tcase_add_test(tc, files);
  tcase_add_test(tc, unknown_labels_do_not_count);
  suite_add_tcase(suite, tc);
  return skp__test_main(suite);
}
