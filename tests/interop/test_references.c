/* test_references.c: every network of models/, and those of flattened.lua, compute what PyTorch's of that name do,
 * where there is no PyTorch: references.def holds its logits for weights and images
 * that a formula gives (make_references.py).
 * SPDX-License-Identifier: MIT */
#include "step.h"
#include <math.h>

enum { IMAGES = 2, MAX_SETS = 5 };

static const struct reference {
  const char *name, *model, *settings;
  int size;
  const double *logits;
  int n;
} references[] = {
#define X(name, model, settings, size, ...)                                                                            \
  {#name, model, settings, size, (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double)},
#include "interop/references.def"
#undef X
};

static double uniform(const char *name, uint64_t stream, int64_t i) {
  uint64_t seed = 14695981039346656037u; /* FNV-1a */
  for (; *name; name++) seed = (seed ^ (unsigned char)*name) * 1099511628211u;
  return (double)(skp__random_bits(seed, stream, (uint64_t)i) >> 40) * 0x1p-24;
}

static bool ends(const char *name, const char *with) {
  size_t n = strlen(name), m = strlen(with);
  return n >= m && strcmp(name + n - m, with) == 0;
}

/* Fills the slice of `t` in the flat value by the formula. */
static void fill(float *flat, const struct skp_tensor *t) {
  int64_t dim[4], n = skp__shape_count(&t->shape);
  int rank = skp__param_file_shape(t, dim);
  bool around_1 = ends(t->name, ".weight") || ends(t->name, ".running_var");
  double bound = rank > 1 ? sqrt(6.0 / (double)(n / dim[0])) : 0.1;
  float *file;
  ck_ok(skp__alloc(&file, (size_t)n, sizeof *file));
  for (int64_t i = 0; i < n; i++) {
    double u = uniform(t->name, 0, i);
    file[i] = (float)(rank == 1 && around_1 ? 0.5 + u : (2 * u - 1) * bound);
  }
  skp__param_from_file(flat + t->offset, file, t);
  free(file);
}

static void fill_flat(const struct step *s, skp_value flat, skp_role role) {
  if (flat == SKP_NONE) return;
  float *data = step_read(s, flat);
  for (size_t i = 0; i < s->g->tensors.n; i++)
    if (s->g->tensors.at[i].role == role && s->g->tensors.at[i].base == flat) fill(data, &s->g->tensors.at[i]);
  step_write(s, flat, data);
  free(data);
}

static void fill_images(const struct step *s) {
  float *x = step_read(s, s->g->input);
  int64_t each = step_count(s, s->g->input) / IMAGES;
  for (int64_t i = 0; i < IMAGES * each; i++) x[i] = (float)uniform("image", (uint64_t)(i / each), i % each);
  step_write(s, s->g->input, x);
  free(x);
}

/* The settings of a row, "depth=18 classes=10", in a copy of the text. */
static size_t read_settings(struct skp_setting set[MAX_SETS], char *text) {
  size_t n = 0;
  for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
    char *equals = strchr(word, '=');
    ck_assert(equals && n < MAX_SETS);
    *equals = 0;
    set[n++] = (struct skp_setting){word, equals + 1};
  }
  return n;
}

static struct skp_model *load(const struct reference *r) {
  char path[1024], text[200];
  struct skp_setting set[MAX_SETS];
  struct skp_model *m;
  snprintf(path, sizeof path, "%s/models/%s.lua", getenv("SKP_SOURCE_DIR"), r->model);
  snprintf(text, sizeof text, "%s", r->settings);
  size_t n = read_settings(set, text);
  ck_ok(skp__model_load(&m, path, set, n, r->size, NULL));
  return m;
}

/* Far closer than the 1e-4 of the largest that float32 is granted elsewhere: the plain
 * C's sums are in double, as the reference's. */
START_TEST(logits_are_pytorchs) {
  const struct reference *r = &references[_i];
  struct skp_model *m = load(r);
  struct step s = step_create(m, IMAGES, STEP_FUSED);
  double largest = 0, worst = 0;
  fill_flat(&s, s.g->params, SKP_ROLE_PARAM);
  fill_flat(&s, s.g->state, SKP_ROLE_STATE);
  fill_images(&s);
  ck_ok(skp__plan_run(s.plan));
  float *got = step_read(&s, s.g->logits);
  ck_assert_int_eq(step_count(&s, s.g->logits), r->n);
  for (int i = 0; i < r->n; i++) {
    largest = fmax(largest, fabs(r->logits[i]));
    worst = fmax(worst, isfinite(got[i]) ? fabs((double)got[i] - r->logits[i]) : INFINITY);
  }
  ck_assert_msg(worst <= 1e-5 * largest, "%s: logits differ by %.1e of the largest", r->name, worst / largest);
  free(got);
  step_destroy(&s);
  skp__model_destroy(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("references");
  TCase *c = tcase_create("references");
  tcase_set_timeout(c, 600);
  tcase_add_loop_test(c, logits_are_pytorchs, 0, sizeof references / sizeof *references);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
