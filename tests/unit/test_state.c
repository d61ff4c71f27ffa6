/* test_state.c: what a run keeps of itself: where it stands, its values. SPDX-License-Identifier: MIT */
#include "folder.h"
#include "io/json.h"
#include "plan/methods.h"
#include "train/checkpoint/state.h"
#include "train/run/result.h"
#include "train/run/train.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NETWORK(before)                                                                                                \
  "return {input = {channels = 1, size = 28},\n"                                                                       \
  "recipe = {data = 'digits', batch = 32, epochs = 1, optimizer = 'sgd', lr = 0.1, momentum = 0.9},\n"                 \
  "network = function(x) " before "x = nn.linear(nn.flatten(x), 8, {name = 'a'})\n"                                    \
  "return nn.linear(nn.relu(x), 10, {name = 'b'}) end}\n"
static const char *network = NETWORK("");

/* The plain backend, which counts what is read of as much as the parameters are. */
static struct skp_backend_ops ops;
static int large_reads;

static skp_status read_counted(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, void *to,
                               int64_t bytes) {
  large_reads += bytes > 4 * 28 * 28 * 8;
  return skp__backend_reference.read(b, buffer, offset, to, bytes);
}

struct run {
  struct skp_model *model;
  struct skp_backend *b;
  struct skp_session *s;
};

static struct run make_run(const char *ema) {
  struct run r;
  ck_ok(skp__model_parse(&r.model, "net.lua", network, NULL, 0, 0, NULL));
  ck_ok(skp__recipe_set(&r.model->recipe, "ema", ema));
  ck_ok(skp__backend_open(&r.b, &(struct skp_backend_options){.backend = "reference"}));
  ops = *r.b->ops;
  ops.read = read_counted;
  r.b->ops = &ops;
  ck_ok(skp__session_create(&r.s, r.model, r.b));
  ck_ok(skp__session_init(r.s, 1));
  return r;
}

static void free_run(struct run *r) {
  skp__session_destroy(r->s);
  skp__backend_close(r->b);
  skp__model_destroy(r->model);
}

/* Three steps, each of which is saved. */
static void train(struct run *r) {
  struct skp_source *digits;
  struct skp_train_result result;
  ck_ok(skp__source_open(&digits, "digits", SKP_SPLIT_TRAIN));
  struct skp_data data = {.train = digits};
  struct skp_train_options o = {
      .out = folder, .seed = 1, .max_steps = 3, .shuffle = true, .threads = 1, .save = {.steps = 1}};
  ck_ok(skp__train(r->s, &data, &o, &result));
  skp__result_free(&result);
  skp__source_destroy(digits);
}

/* Parameters, a moment and, where wanted, averages: after each step, and at the end. */
START_TEST(a_save_reads_each_value_once) {
  static const char *const ema[] = {"0", "0.9"};
  struct run r = make_run(ema[_i]);
  large_reads = 0;
  train(&r);
  ck_assert_int_eq(large_reads, (3 + 1) * (2 + _i));
  free_run(&r);
}
END_TEST

static struct skp_st_tensor *row_of(struct skp__values *v, const char *name) {
  for (size_t i = 0; i < v->n; i++)
    if (!strcmp(v->at[i].name, name)) return &v->at[i];
  return NULL;
}

/* What checkpoints take is the averages where there are any; they are a part of all values. */
START_TEST(weights_are_among_the_values) {
  struct run r = make_run("0.9");
  struct skp__values all, weights;
  train(&r);
  ck_ok(skp__values_pull(&all, r.s));
  ck_ok(skp__values_pull_weights(&weights, r.s));
  ck_assert_uint_eq(all.n, 3);
  ck_assert_uint_eq(weights.n, 1);
  ck_assert_ptr_eq(skp__values_weights(&all, r.s, SKP_ROLE_PARAM), row_of(&all, "average")->data);
  ck_assert_ptr_null(skp__values_weights(&all, r.s, SKP_ROLE_STATE));
  r.s->averaged = false;
  ck_assert_ptr_eq(skp__values_weights(&all, r.s, SKP_ROLE_PARAM), row_of(&all, "params")->data);
  ck_assert(!memcmp(weights.at[0].data, row_of(&all, "average")->data, (size_t)weights.at[0].bytes));
  skp__values_free(&all);
  skp__values_free(&weights);
  free_run(&r);
}
END_TEST

START_TEST(shared_values_live_as_long_as_one_holds_them) {
  struct run r = make_run("0");
  struct skp__values first, second;
  ck_ok(skp__values_pull(&first, r.s));
  skp__values_share(&second, &first);
  ck_assert_ptr_eq(second.at, first.at);
  skp__values_free(&first);
  ck_assert_ptr_null(first.at);
  ck_ok(skp__values_check(&second, r.model));
  skp__values_free(&second);
  free_run(&r);
}
END_TEST

START_TEST(values_that_are_not_finite_are_named) {
  struct run r = make_run("0");
  struct skp__values v;
  ck_ok(skp__values_pull(&v, r.s));
  ck_ok(skp__values_check(&v, r.model));
  float *params = (float *)(uintptr_t)row_of(&v, "params")->data;
  skp_value b = skp__graph_find(r.model->graph, SKP_ROLE_PARAM, "b.weight");
  params[r.model->graph->tensors.at[b].offset + 1] = NAN;
  ck_fails(skp__values_check(&v, r.model), SKP_NUMERIC,
           "1 value of params became infinite or not numbers, the first "
           "of b.weight");
  params[0] = -INFINITY;
  ck_fails(skp__values_check(&v, r.model), SKP_NUMERIC,
           "2 values of params became infinite or not numbers, the first "
           "of a.weight");
  skp__values_free(&v);
  free_run(&r);
}
END_TEST

START_TEST(statistics_that_are_not_finite_are_named) {
  network = NETWORK("x = nn.batchnorm2d(x, {name = 'n'}) ");
  struct run r = make_run("0");
  struct skp__values v;
  ck_ok(skp__values_pull(&v, r.s));
  float *state = (float *)(uintptr_t)row_of(&v, "state")->data;
  skp_value variance = skp__graph_find(r.model->graph, SKP_ROLE_STATE, "n.running_var");
  state[r.model->graph->tensors.at[variance].offset] = INFINITY;
  ck_fails(skp__values_check(&v, r.model), SKP_NUMERIC,
           "1 value of state became infinite or not numbers, the first of n.running_var");
  skp__values_free(&v);
  free_run(&r);
  network = NETWORK("");
}
END_TEST

/* ---- methods ----------------------------------------------------------------------------------------------------- */

/* How many methods the plans are to take after a state with that entry, of that device, was taken up. */
static size_t recall(struct run *r, const char *device, const char *methods) {
  struct skp_st_meta meta[] = {{"device", (char *)(uintptr_t)device}, {"methods", (char *)(uintptr_t)methods}};
  struct skp_resume resume = {.path = NULL};
  const char *const path = in("state.safetensors");
  ck_ok(skp__st_write(path, NULL, 0, meta, methods ? 2 : 1));
  ck_ok(skp__st_read(&resume.file, path));
  ck_ok(skp__state_recall(&resume, r->s));
  skp__st_free(&resume.file);
  return skp__store_methods(r->s->store)->notes.n;
}

START_TEST(methods_are_recalled_on_the_same_device) {
  static const char here[] = "reference (plain C on the host)", known[] = "{\"00ff\":\"direct\",\"1\":\"cpu\",\"2\":3}";
  struct run r = make_run("0");
  ck_assert_uint_eq(recall(&r, here, NULL), 0); /* of an earlier build */
  ck_assert_uint_eq(recall(&r, here, "[]"), 0);
  ck_assert_uint_eq(recall(&r, "another", known), 0);
  ck_assert_uint_eq(recall(&r, here, known), 2);
  ck_assert_uint_eq(skp__store_methods(r.s->store)->notes.at[0].key, 0xff);
  ck_assert_str_eq(skp__store_methods(r.s->store)->notes.at[0].method, "direct");
  free_run(&r);
}
END_TEST

/* ---- the position ------------------------------------------------------------------------------------------------ */

/* As it comes back from its JSON. */
static skp_status reread(struct skp__position *out, const struct skp__position *at, const char *without) {
  cJSON *made = skp__position_json(at), *read;
  char *text;
  cJSON_DeleteItemFromObject(made, without);
  ck_ok(skp__json_text(&text, made, false));
  ck_ok(skp__json_parse(&read, text));
  struct skp_resume r = {.path = "run/state.safetensors", .position = read};
  skp_status status = skp__resume_position(out, &r);
  free(text);
  cJSON_Delete(made);
  cJSON_Delete(read);
  return status;
}

START_TEST(a_position_reads_back_to_the_same) {
  struct skp__position at = skp__position_start(), is;
#define X(kind, field) at.field = 7;
  SKP_POSITION_LIST(X)
#undef X
  at.step = (int64_t)1 << 53;
  at.loss_sum = 0.1 + 0.2;
  ck_ok(reread(&is, &at, ""));
#define X(kind, field) ck_assert(is.field == at.field);
  SKP_POSITION_LIST(X)
#undef X
  at.best = -INFINITY; /* of a run that was not judged yet */
  ck_ok(reread(&is, &at, ""));
  ck_assert(is.best == -INFINITY);
}
END_TEST

START_TEST(a_position_that_lacks_a_count_is_none) {
  struct skp__position at = skp__position_start(), is;
  ck_ok(reread(&is, &at, "skipped")); /* an earlier build knew none */
  ck_fails(reread(&is, &at, "step"), SKP_FORMAT, "run/state.safetensors does not say where the run stands");
}
END_TEST

/* What would be no count of anything, too large to be exact, or no number. */
START_TEST(hostile_positions_are_none) {
  static const char *const hostile[] = {"step 9007199254740994", "epoch 0.5",      "step -1",          "cuts -2",
                                        "rollbacks 1e300",       "skipped -1",     "in_a_row 0.5",     "lost 1e18",
                                        "loss_sum 1e999",        "seconds -1e300", "plateau.lr -0.01", "best \"1\""};
  struct skp__position at = skp__position_start(), is;
  char name[32], value[32];
  ck_assert_int_eq(sscanf(hostile[_i], "%31s %31s", name, value), 2);
  cJSON *json = skp__position_json(&at);
  cJSON_DeleteItemFromObject(json, name);
  cJSON_AddItemToObject(json, name, cJSON_Parse(value));
  ck_fails(skp__resume_position(&is, &(struct skp_resume){.path = "run/state.safetensors", .position = json}),
           SKP_FORMAT, "run/state.safetensors does not say where the run stands");
  cJSON_Delete(json);
}
END_TEST

START_TEST(runs_pass_some_positions_alone) {
  struct skp__position at = {.epoch = 2, .epoch_steps = 3, .step = 13, .images = 30};
  ck_assert(skp__position_fits(&at, 5, 10, 47));
  at.epoch_steps = 5;
  at.step = 15;
  at.images = 47; /* the last batch is smaller */
  ck_assert(skp__position_fits(&at, 5, 10, 47));
  ck_assert(!skp__position_fits(&at, 4, 10, 47));
  ck_assert(!skp__position_fits(&at, 5, 10, 48));
  at.best_epoch = 3;
  ck_assert(!skp__position_fits(&at, 5, 10, 47));
}
END_TEST

/* Each is more than a run counts on its way, or a product that overflows. */
START_TEST(no_run_passes_others) {
  const int64_t vast = (int64_t)1 << 53;
  const struct skp__position sound = {.epoch = 2, .epoch_steps = 3, .step = 13, .images = 30};
  ck_assert(skp__position_fits(&sound, 5, 10, 47));
  struct skp__position at[8];
  for (int i = 0; i < 8; i++) at[i] = sound;
  at[0].epoch_steps = vast;
  at[1].epoch = vast;
  at[2].skipped = 14;
  at[3].in_a_row = 1;
  at[4].lost = 31;
  at[5].cuts = 1;
  at[6].cuts = at[6].rollbacks = SKP_ROLLBACKS + 1;
  at[7] = (struct skp__position){.epoch = vast, .step = vast};
  for (int i = 0; i < 8; i++) ck_assert_msg(!skp__position_fits(&at[i], 5, 1 << 20, 47), "position %d", i);
}
END_TEST

START_TEST(a_run_is_complete_by_epochs_steps_or_patience) {
  struct skp_recipe r = {.epochs = 5};
  struct skp__position at = {.epoch = 4, .step = 40, .best_epoch = 1};
  ck_assert(!skp__position_complete(&at, &r, -1));
  ck_assert(skp__position_complete(&at, &r, 40));
  r.epochs = 4;
  ck_assert(skp__position_complete(&at, &r, -1));
  r.epochs = 0;
  ck_assert(!skp__position_complete(&at, &r, -1));
  r.patience = 3;
  ck_assert(skp__position_complete(&at, &r, -1) && skp__position_early(&at, &r));
  at.best_epoch = 0; /* nothing judged it yet */
  ck_assert(!skp__position_early(&at, &r));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("state");
  TCase *c = tcase_create("state");
  tcase_add_checked_fixture(c, make_folder, remove_folder);
  tcase_add_loop_test(c, a_save_reads_each_value_once, 0, 2);
  tcase_add_test(c, weights_are_among_the_values);
  tcase_add_test(c, shared_values_live_as_long_as_one_holds_them);
  tcase_add_test(c, values_that_are_not_finite_are_named);
  tcase_add_test(c, statistics_that_are_not_finite_are_named);
  tcase_add_test(c, methods_are_recalled_on_the_same_device);
  tcase_add_test(c, a_position_reads_back_to_the_same);
  tcase_add_test(c, a_position_that_lacks_a_count_is_none);
  tcase_add_loop_test(c, hostile_positions_are_none, 0, 12);
  tcase_add_test(c, runs_pass_some_positions_alone);
  tcase_add_test(c, no_run_passes_others);
  tcase_add_test(c, a_run_is_complete_by_epochs_steps_or_patience);
  tcase_set_timeout(c, 60);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
