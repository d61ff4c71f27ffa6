/* test_late_memory.c: memory that turns out to lack when the first step runs. SPDX-License-Identifier: MIT */
#include "backend/backend.h"
#include "io/safetensors.h"
#include "test.h"
#include "train/run/result.h"
#include "train/run/train.h"
#include <stdlib.h>
#include <string.h>

static const char network[] = "return {input = {channels = 1, size = 28},\n"
                              "recipe = {data = 'digits', batch = 32, epochs = 1, optimizer = 'sgd', lr = 0.1, "
                              "momentum = 0.9},\n"
                              "network = function(x) x = nn.linear(nn.flatten(x), 8, {name = 'a'})\n"
                              "return nn.linear(nn.relu(x), 10, {name = 'b'}) end}\n";

/* The plain backend, of which some first runs fail after their work: what they changed must not count. */
static struct skp_backend_ops ops;
static int failing, waits;

static skp_status run(struct skp_backend *b, struct skp_prepared *const *list, size_t n) {
  SKP_TRY(skp__backend_reference.run(b, list, n));
  return failing-- > 0 ? skp__fail(SKP_DEVICE_MEMORY, "no memory to launch with") : SKP_OK;
}

/* The same, noticed when the work is waited for. */
static skp_status wait_for(struct skp_backend *b, uint64_t ticket) {
  SKP_TRY(skp__backend_reference.wait(b, ticket));
  bool late = waits > 0 && failing < 0; /* a step was run since */
  if (!late) return SKP_OK;
  failing = waits = 0;
  return skp__fail(SKP_DEVICE_MEMORY, "no memory for a kernel");
}

static char folder[] = "/tmp/skipper-late-XXXXXX";
static char said[2000];

/* The status of three steps, and what their weights are in DIR/NAME/last.safetensors. */
static skp_status train(const char *name, const char *accumulate) {
  char out[200];
  struct skp_model *model;
  struct skp_backend *b;
  struct skp_session *s;
  struct skp_data data = {.train = NULL};
  struct skp_source *digits;
  FILE *say = fmemopen(said, sizeof said, "w");
  snprintf(out, sizeof out, "%s/%s", folder, name);
  ck_ok(skp__model_parse(&model, "net.lua", network, NULL, 0, 0, NULL));
  ck_ok(skp__recipe_set(&model->recipe, "accumulate", accumulate));
  ck_ok(skp__backend_open(&b, &(struct skp_backend_options){.backend = "reference"}));
  ops = *b->ops;
  ops.run = run;
  ops.wait = wait_for;
  b->ops = &ops;
  ck_ok(skp__session_create(&s, model, b));
  ck_ok(skp__session_init(s, 1));
  ck_ok(skp__source_open(&digits, "digits", SKP_SPLIT_TRAIN));
  data.train = digits;
  struct skp_train_options o = {
      .out = out, .say = say, .seed = 1, .max_steps = 3, .shuffle = true, .threads = 1, .save = {.epochs = 1}};
  struct skp_train_result result;
  skp_status status = skp__train(s, &data, &o, &result);
  skp__result_free(&result);
  fclose(say);
  skp__source_destroy(digits);
  skp__session_destroy(s);
  skp__backend_close(b);
  skp__model_destroy(model);
  return status;
}

static void check_same(const char *a, const char *b) {
  char path[2][200];
  struct skp_st_file f[2];
  snprintf(path[0], sizeof path[0], "%s/%s/last.safetensors", folder, a);
  snprintf(path[1], sizeof path[1], "%s/%s/last.safetensors", folder, b);
  for (int i = 0; i < 2; i++) ck_ok(skp__st_read(&f[i], path[i]));
  ck_assert_uint_eq(f[0].tensors, 4);
  for (size_t i = 0; i < f[0].tensors; i++) {
    const struct skp_st_tensor *t = &f[0].tensor[i], *u = skp__st_find(&f[1], t->name);
    ck_assert(u && t->bytes == u->bytes);
    ck_assert_msg(!memcmp(t->data, u->data, (size_t)t->bytes), "%s differs", t->name);
  }
  for (int i = 0; i < 2; i++) skp__st_free(&f[i]);
}

static void clean_up(void) {
  char command[300];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  ck_assert_int_eq(system(command), 0);
}

START_TEST(a_launch_that_fails_is_retried_in_micro_batches) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
  failing = 0;
  ck_ok(train("halves", "2"));
  failing = 1;
  ck_ok(train("late", "1"));
  ck_assert_ptr_nonnull(strstr(said, "network 16 at a time"));
  check_same("halves", "late");
  clean_up();
}
END_TEST

START_TEST(so_is_a_kernel_that_fails) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
  failing = 0;
  ck_ok(train("halves", "2"));
  failing = 0;
  waits = 1;
  ck_ok(train("late", "1"));
  ck_assert_int_eq(waits, 0);
  check_same("halves", "late");
  clean_up();
}
END_TEST

START_TEST(a_device_that_never_has_enough_is_an_error) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
  failing = 1000;
  ck_fails(train("never", "1"), SKP_DEVICE_MEMORY, "no memory to launch with");
  ck_assert_int_gt(failing, 900); /* halved a few times, then given up */
  clean_up();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("late memory");
  TCase *c = tcase_create("late memory");
  tcase_add_test(c, a_launch_that_fails_is_retried_in_micro_batches);
  tcase_add_test(c, so_is_a_kernel_that_fails);
  tcase_add_test(c, a_device_that_never_has_enough_is_an_error);
  tcase_set_timeout(c, 60);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
