/* test_step.c: steps of a network, as all make them that make some. SPDX-License-Identifier: MIT */
#include "base/random.h"
#include "step.h"
#include "train/step/step.h"
#include <math.h>

enum { N = 6, PIXELS = 6 * 6 * 2, CLASSES = 4 };
static float x[N * PIXELS], lambda[N];
static int32_t labels[N] = {0, 1, 2, 3, 0, 1}, other[N] = {1, 2, 3, 0, 1, 2};
static uint8_t stored[N * PIXELS];
static struct skp_batch batch = {.n = N, .whole = N, .x = x, .labels = labels, .other = other, .lambda = lambda};

struct run {
  struct skp_backend *b;
  struct skp_model *m;
  struct skp_session *s;
};

static struct run make_run(const char *const fields[][2], size_t n) {
  struct run r = {.m = step_parse("x = nn.dropout(nn.conv2d(x, 3, {kernel = 3}), {p = 0.5}) "
                                  "return nn.linear(nn.flatten(nn.relu(x)), 4)")};
  struct skp__random random = skp__random_start(3, 1);
  for (int i = 0; i < N * PIXELS; i++) x[i] = (float)skp__random_uniform(&random);
  for (int i = 0; i < N; i++) lambda[i] = (float)(1 + skp__random_uniform(&random)) / 2;
  ck_ok(skp__recipe_set(&r.m->recipe, "batch", "6"));
  for (size_t i = 0; i < n; i++) ck_ok(skp__recipe_set(&r.m->recipe, fields[i][0], fields[i][1]));
  ck_ok(skp__backend_open(&r.b, &(struct skp_backend_options){.backend = "reference"}));
  ck_ok(skp__session_create(&r.s, r.m, r.b));
  ck_ok(skp__session_init(r.s, 5));
  return r;
}

static void free_run(struct run *r) {
  skp__session_destroy(r->s);
  skp__backend_close(r->b);
  skp__model_destroy(r->m);
}

static skp_status take(void *user, struct skp__step *step) {
  step->batch = user;
  step->lr = 0.1;
  return SKP_OK;
}

/* What the host writes has a role that gives it a buffer, and nothing else is written. */
START_TEST(ports_are_what_they_say) {
  for (int port = 0; port < SKP_PORTS; port++) {
    const skp_host host = skp__ports[port].host;
    const bool written = host == SKP_HOST_BATCH || host == SKP_HOST_STEP || host == SKP_HOST_PLAN;
    ck_assert_msg(written == (skp__ports[port].role == SKP_ROLE_INPUT), "%s", skp__ports[port].name);
  }
}
END_TEST

/* A fresh graph has no port, so none that a feature forgot is a value. */
START_TEST(ports_begin_absent) {
  struct skp_graph *g;
  ck_ok(skp__graph_create(&g));
  for (int port = 0; port < SKP_PORTS; port++) ck_assert_int_eq(g->port[port], SKP_NONE);
  skp__graph_destroy(g);
}
END_TEST

/* No input of a plan is zero after a step with everything that a recipe can ask for. */
START_TEST(all_inputs_are_written) {
  static const char *const fields[][2] = {
      {"mixup", "0.5"}, {"ema", "0.9"}, {"lr_mult", "0=2"}, {"clip_norm", "0.5"}, {"momentum", "0.9"}};
  static const char *const parts[] = {"1", "2"};
  for (int i = 0; i < 2; i++) {
    struct run r = make_run(fields, 5);
    struct skp__stepper st;
    struct skp__step *step;
    struct skp_plan *plan;
    ck_ok(skp__recipe_set(&r.m->recipe, "accumulate", parts[i]));
    ck_ok(skp__stepper_train(&st, r.s, INT64_MAX));
    st.user = &batch;
    st.take = take;
    ck_ok(skp__stepper_open(&st));
    ck_ok(skp__stepper_first(&st));
    ck_ok(skp__stepper_retire(&st, &step));
    ck_assert(isfinite(step->loss) && step->loss > 0.5f && step->loss < 4);
    for (int64_t k = 0; skp__stepper_plan(&st, k, &plan) == SKP_OK && plan; k++) {
      const struct skp_graph *g = skp__plan_graph(plan);
      for (skp_value v = 0; v < (skp_value)g->tensors.n; v++) {
        const int64_t n = skp__shape_count(&g->tensors.at[v].shape);
        int32_t *words, any = 0;
        if (g->tensors.at[v].role != SKP_ROLE_INPUT) continue;
        ck_ok(skp__alloc(&words, (size_t)n, sizeof *words));
        ck_ok(skp__backend_read_now(r.b, skp__plan_buffer(plan, v), 0, words, 4 * n));
        for (int64_t w = 0; w < n; w++) any |= words[w];
        ck_assert_msg(any, "%s of plan %d", g->tensors.at[v].name, (int)k);
        free(words);
      }
    }
    skp__stepper_close(&st);
    free_run(&r);
  }
}
END_TEST

/* Steps without a batch work on the images that are there: the same loss, as the learning rate is 0. */
static skp_status take_once(void *user, struct skp__step *step) {
  bool *fed = user;
  step->batch = *fed ? NULL : &batch;
  step->lr = 0;
  *fed = true;
  return SKP_OK;
}

START_TEST(images_stay_on_the_device) {
  static const char *const fields[][2] = {{"momentum", "0"}};
  struct run r = make_run(fields, 1);
  struct skp__stepper st;
  struct skp__step *step;
  bool fed = false;
  float logits[2][N * CLASSES];
  skp__stepper_evaluate(&st, r.s, N, N);
  st.user = &fed;
  st.take = take_once;
  ck_ok(skp__stepper_open(&st));
  ck_ok(skp__stepper_first(&st));
  for (int i = 0; i < 2; i++) {
    ck_ok(skp__stepper_queue(&st));
    ck_ok(skp__stepper_retire(&st, &step));
    ck_assert_int_eq(step->n, N);
    memcpy(logits[i], step->logits, sizeof logits[i]);
  }
  ck_assert_mem_eq(logits[0], logits[1], sizeof logits[0]);
  ck_assert_float_ne(logits[0][0], 0);
  skp__stepper_close(&st);
  free_run(&r);
}
END_TEST

/* Of two steps of 6 images, all at once or by threes. */
static void train(float *losses, float **params, bool bytes, const char *parts, struct skp_batch *images) {
  const char *const fields[][2] = {{"mean", "0.3,0.6"}, {"std", "0.2,0.45"}, {"accumulate", parts}};
  struct run r = make_run(fields, 3);
  struct skp__stepper st;
  struct skp__step *step;
  float levels[2][SKP_BYTE_LEVELS], mean[4], std[4], *state;
  skp__normalising(levels, 2, mean, std, skp__recipe_norm(&r.m->recipe, mean, std));
  for (int i = 0; i < N * PIXELS; i++) x[i] = levels[i % 2][stored[i]];
  ck_ok(skp__stepper_train(&st, r.s, INT64_MAX));
  st.user = images;
  st.take = take;
  st.bytes = bytes;
  ck_ok(skp__stepper_open(&st));
  for (int i = 0; i < 2; i++) {
    ck_ok(i ? skp__stepper_queue(&st) : skp__stepper_first(&st));
    ck_ok(skp__stepper_retire(&st, &step));
    losses[i] = step->loss;
  }
  ck_ok(skp__session_pull(r.s, params, &state));
  free(state);
  skp__stepper_close(&st);
  free_run(&r);
}

/* Images that go up as bytes are normalised there, to the same bits. */
START_TEST(bytes_are_the_same_images) {
  static const char *const parts[] = {"1", "2"};
  struct skp_batch as_bytes = batch;
  as_bytes.x = NULL;
  as_bytes.bytes = stored;
  for (int i = 0; i < N * PIXELS; i++) stored[i] = (uint8_t)(i * 37 + i / 7);
  for (int i = 0; i < 2; i++) {
    float losses[2][2], *params[2];
    train(losses[0], &params[0], false, parts[i], &batch);
    train(losses[1], &params[1], true, parts[i], &as_bytes);
    ck_assert_mem_eq(losses[0], losses[1], sizeof losses[0]);
    ck_assert_mem_eq(params[0], params[1], 3 * sizeof(float)); /* of the first layer */
    ck_assert_float_ne(losses[0][0], losses[0][1]);
    free(params[0]);
    free(params[1]);
  }
}
END_TEST

/* A label that the network does not know is named, whoever makes the step. */
START_TEST(labels_are_checked) {
  static const char *const fields[][2] = {{"momentum", "0"}};
  static const struct {
    bool trains;
    int32_t label;
    bool wrong;
  } cases[] = {{true, 4, true}, {true, -1, true}, {true, 3, false}, {false, 4, true}, {false, -1, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct run r = make_run(fields, 1);
    struct skp__stepper st;
    labels[2] = cases[i].label;
    if (cases[i].trains)
      ck_ok(skp__stepper_train(&st, r.s, INT64_MAX));
    else
      skp__stepper_evaluate(&st, r.s, N, N);
    st.user = &batch;
    st.take = take;
    ck_ok(skp__stepper_open(&st));
    if (cases[i].wrong)
      ck_fails(skp__stepper_first(&st), SKP_FORMAT, "Image 2 of batch 0 has the label");
    else
      ck_ok(skp__stepper_first(&st));
    skp__stepper_close(&st);
    free_run(&r);
  }
  labels[2] = 2;
}
END_TEST

int main(void) {
  Suite *suite = suite_create("step");
  TCase *c = tcase_create("step");
  tcase_add_test(c, ports_are_what_they_say);
  tcase_add_test(c, ports_begin_absent);
  tcase_add_test(c, all_inputs_are_written);
  tcase_add_test(c, images_stay_on_the_device);
  tcase_add_test(c, bytes_are_the_same_images);
  tcase_add_test(c, labels_are_checked);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
