/* test_runs.c: whole training runs, step by step, against float64 (shared/golden/runs),
 * on the plain C and on the device.
 * SPDX-License-Identifier: MIT
 *
 * Losses must follow within 1e-3 to the last step, and so must weights, but for some, for a reason: the bias of a
 * convolution before a batchnorm has no influence on the loss, so its gradient is rounding noise. SGD hardly moves it;
 * Adam divides by the gradient's own size and takes steps of the learning rate in a random direction. Such biases are
 * left out, and running means, which contain them. Evaluation sees the difference of the two; so the golden ones stand
 * in for ours before logits are compared.
 *
 * A freshly initialised resnet20 amplifies rounding: its first 3 losses must follow within 1e-3, the others within five
 * times PyTorch's own float32 deviation, and its weights are not compared. */
#include "backend/backend.h"
#include "base/progress.h"
#include "io/safetensors.h"
#include "test.h"
#include "train/run/result.h"
#include "train/run/train.h"
#include "where.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <unistd.h>

static const double loss_tolerance = 1e-3, weight_tolerance = 1e-3,
                    logit_tolerance = 1e-2; /* the last two relative to 1 + |want| */

static const struct {
  const char *net, *optimizer, *data;
  bool amplifies;
} runs[] = {{"identity", "sgd", "mnist", false},  {"identity", "adam", "mnist", false},
            {"resize", "sgd", "mnist", false},    {"resize", "adam", "mnist", false},
            {"resnet20", "sgd", "cifar10", true}, {"resnet20", "adam", "cifar10", true}};
static const char *const backends[] = {"reference", "opencl"};
enum { RUNS = sizeof runs / sizeof *runs, BACKENDS = 2 };

static char golden[512], work[64] = "/tmp/skipper-runs-XXXXXX";

static const char *path(const char *format, const char *a, const char *b) {
  static char text[4][1024];
  static int next;
  char *out = text[next++ % 4];
  int n = snprintf(out, sizeof text[0], "%s/", golden);
  snprintf(out + n, sizeof text[0] - (size_t)n, format, a, b);
  return out;
}

/* ---- one run ---------------------------------------------------------------------------------------------------- */

struct follow {
  const cJSON *want; /* losses */
  double later;      /* tolerance from the fourth loss on */
  int steps;
  double worst;
};

static void on_progress(void *user, const struct skp_progress *p) {
  struct follow *f = user;
  if (p->doing || p->epoch_done) return;
  const cJSON *want = cJSON_GetArrayItem(f->want, f->steps++);
  ck_assert_int_eq(p->step, f->steps);
  ck_assert_ptr_nonnull(want);
  double off = fabs(p->loss - want->valuedouble);
  if (off > f->worst) f->worst = off;
  ck_assert_msg(off <= (f->steps <= 3 ? loss_tolerance : f->later), "step %d: loss %.9g, float64 says %.9g", f->steps,
                p->loss, want->valuedouble);
}

static void set_from(struct skp_recipe *r, const cJSON *run, const char *field) {
  const cJSON *value = cJSON_GetObjectItem(run, field);
  char text[32];
  snprintf(text, sizeof text, "%.17g", value ? value->valuedouble : 0);
  ck_ok(skp__recipe_set(r, field, text));
}

static void set_recipe(struct skp_recipe *r, const cJSON *run) {
  ck_ok(skp__recipe_set(r, "optimizer", cJSON_GetObjectItem(run, "optimizer")->valuestring));
  ck_ok(skp__recipe_set(r, "epochs", "1"));
  const char *fields[] = {"lr", "momentum", "weight_decay", "batch"};
  for (int i = 0; i < 4; i++) set_from(r, run, fields[i]);
}

/* Whether the losses do not depend on a tensor of `f`: running means, and biases that
 * are neither a linear layer's nor a batchnorm's. */
static bool unseen(const struct skp_st_file *f, const char *name) {
  char sibling[256];
  const char *end = strrchr(name, '.');
  if (strcmp(end, ".running_mean") == 0) return true;
  snprintf(sibling, sizeof sibling, "%.*s.running_mean", (int)(end - name), name);
  return strcmp(end, ".bias") == 0 && strncmp(name, "linear", 6) != 0 && !skp__st_find(f, sibling);
}

static void compare_weights(const char *got_path, const char *want_path) {
  struct skp_st_file got, want;
  ck_ok(skp__st_read(&got, got_path));
  ck_ok(skp__st_read(&want, want_path));
  double worst = 0;
  const char *where = "";
  for (size_t i = 0; i < want.tensors; i++) {
    const struct skp_st_tensor *w = &want.tensor[i], *g = skp__st_find(&got, w->name);
    if (strncmp(w->name, "__", 2) == 0 || unseen(&want, w->name)) continue;
    ck_assert_msg(g && g->bytes == w->bytes, "%s is missing", w->name);
    for (int64_t k = 0; k < w->bytes / 4; k++) {
      float a, b;
      memcpy(&a, (const char *)g->data + 4 * k, 4);
      memcpy(&b, (const char *)w->data + 4 * k, 4);
      double off = fabs((double)a - (double)b) / (1 + fabs((double)b));
      if (off > worst) {
        worst = off;
        where = w->name;
      }
    }
  }
  ck_assert_msg(worst <= weight_tolerance, "%s is off by %g", where, worst);
  printf("  weights off by %.1e (%s)", worst, where);
  skp__st_free(&got);
  skp__st_free(&want);
}

/* Takes the values of the tensors that the losses do not depend on from `f`. All of them are vectors. */
static void take_unseen(struct skp_session *s, const struct skp_graph *g, const struct skp_st_file *f) {
  float *params, *state;
  ck_ok(skp__session_pull(s, &params, &state));
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    const struct skp_st_tensor *w = skp__st_find(f, t->name);
    if (!w || !unseen(f, t->name)) continue;
    ck_assert_int_eq(w->bytes, 4 * skp__shape_count(&t->shape));
    memcpy((t->role == SKP_ROLE_STATE ? state : params) + t->offset, w->data, (size_t)w->bytes);
  }
  ck_ok(skp__session_push(s, params, state));
  free(params);
  free(state);
}

static void compare_logits(struct skp_session *s, const struct skp_graph *g, const struct skp_source *source,
                           const char *want_path) {
  struct skp_st_file want;
  struct skp_eval_result result;
  ck_ok(skp__st_read(&want, want_path));
  take_unseen(s, g, &want);
  const struct skp_st_tensor *w = skp__st_find(&want, "__logits_first_batch_eval");
  ck_assert_ptr_nonnull(w);
  float *logits = calloc((size_t)(source->n * w->dim[1]), sizeof *logits);
  ck_ok(skp__evaluate(s, source, w->dim[0], 1, &result, logits, NULL));
  double worst = 0;
  for (int64_t k = 0; k < w->bytes / 4; k++) {
    float b;
    memcpy(&b, (const char *)w->data + 4 * k, 4);
    worst = fmax(worst, fabs((double)logits[k] - (double)b) / (1 + fabs((double)b)));
  }
  free(logits);
  printf("  logits off by %.1e\n", worst);
  ck_assert_msg(worst <= logit_tolerance, "logits are off by %g", worst);
  skp__st_free(&want);
}

static cJSON *read_run(int run) {
  FILE *f = fopen(path("%s-%s.json", runs[run].net, runs[run].optimizer), "r");
  char text[16384];
  ck_assert_ptr_nonnull(f);
  text[fread(text, 1, sizeof text - 1, f)] = 0;
  fclose(f);
  return cJSON_Parse(text);
}

static void follow(const char *backend, int run, struct skp_model *model, const struct skp_source *source) {
  struct skp_backend *b;
  struct skp_session *s;
  cJSON *json = read_run(run);
  double deviation = cJSON_GetObjectItem(json, "pytorch_float32_max_abs_loss_deviation")->valuedouble;
  struct follow f = {.want = cJSON_GetObjectItem(json, "loss_float64"),
                     .later = runs[run].amplifies ? 5 * deviation : loss_tolerance};
  char out[128], last[256];
  snprintf(out, sizeof out, "%s/%s-%d", work, backend, run);
  snprintf(last, sizeof last, "%s/last.safetensors", out);
  set_recipe(&model->recipe, json);
  const struct skp_backend_options where = where_else((struct skp_backend_options){.backend = backend});
  ck_ok(skp__backend_open(&b, &where));
  ck_ok(skp__session_create(&s, model, b));
  ck_ok(skp__checkpoint_load_weights(path("%s-%s.safetensors", runs[run].net, "init"), s, true, NULL));
  struct skp_train_result result;
  struct skp_train_options o = {.out = out, .max_steps = -1, .threads = 1, .extra = {.class_names = NULL}};
  skp__progress_listen(on_progress, &f);
  ck_ok(skp__train(s, &(struct skp_data){.train = source}, &o, &result));
  skp__result_free(&result);
  ck_assert_int_eq(f.steps, cJSON_GetArraySize(f.want));
  printf("%-9s %-8s %-4s losses off by %.1e", backend, runs[run].net, runs[run].optimizer, f.worst);
  const char *final = path("%s-%s-final.safetensors", runs[run].net, runs[run].optimizer);
  if (runs[run].amplifies) {
    printf("\n");
  } else {
    compare_weights(last, final);
    compare_logits(s, model->graph, source, final);
  }
  skp__session_destroy(s);
  skp__backend_close(b);
  cJSON_Delete(json);
}

START_TEST(test_run) {
  int run = _i % RUNS;
  char file[1024];
  struct skp_model *model;
  struct skp_source *source;
  snprintf(file, sizeof file, "%s/models/%s.lua", getenv("SKP_SOURCE_DIR"), runs[run].net);
  ck_ok(skp__model_load(&model, file, NULL, 0, 0, NULL));
  ck_ok(skp__source_open(&source, path("%s%s", runs[run].data, ""), SKP_SPLIT_TRAIN));
  follow(backends[_i / RUNS], run, model, source);
  skp__source_destroy(source);
  skp__model_destroy(model);
}
END_TEST

int main(void) {
  const char *shared = getenv("SKP_SHARED");
  snprintf(golden, sizeof golden, "%s/golden/runs", shared ? shared : "");
  if (!shared || access(golden, R_OK)) {
    printf("skipped: no reference data (SKP_SHARED/golden/runs)\n");
    return SKP_TEST_SKIPPED;
  }
  if (!mkdtemp(work)) return EXIT_FAILURE;
  Suite *suite = suite_create("runs");
  TCase *tests = tcase_create("golden");
  tcase_set_timeout(tests, 300);
  tcase_add_loop_test(tests, test_run, 0, RUNS * BACKENDS);
  suite_add_tcase(suite, tests);
  int status = skp__test_main(suite);
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", work);
  return system(command) ? EXIT_FAILURE : status;
}
