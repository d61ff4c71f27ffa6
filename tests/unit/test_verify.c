/* test_verify.c: a wrong result is caught and named, whatever the way in which it is
 * wrong; a case that cannot be used is an error.
 * SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/memory.h"
#include "io/safetensors.h"
#include "test.h"
#include "verify/verify.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <unistd.h>

static struct skp_backend *b;
static char folder[64], path[96];
static char *text; /* what the last run told */

static void start(void) {
  struct skp_backend_options where = {.backend = "reference"};
  ck_ok(skp__backend_open(&b, &where));
  snprintf(folder, sizeof folder, "/tmp/skp_test_%ld/ops", (long)getpid());
  ck_ok(skp__folder_create(folder));
  snprintf(path, sizeof path, "%s/relu.safetensors", folder);
}

static void stop(void) {
  skp__backend_close(b);
  unlink(path);
  rmdir(folder);
  *strrchr(folder, '/') = 0;
  rmdir(folder);
  free(text);
  text = NULL;
}

static skp_status run(struct skp_verify_result *result, struct skp_verify_options options) {
  struct skp__memory said;
  ck_assert(skp__memory_open(&said));
  options.to = said.to;
  skp_status status = skp__verify(result, b, &options);
  ck_assert(skp__memory_close(&said));
  free(text);
  text = said.text;
  return status;
}

static void text_has(const char *part) { ck_assert_msg(strstr(text, part), "'%s' is not in: %s", part, text); }

/* The same backend with each op's method twice, under two names. */
static struct skp_backend_ops twice;

static const char *one_of_two(const struct skp_backend *backend, const struct skp_op *op, int n) {
  static const char *const names[] = {"first", "second"};
  (void)backend, (void)op;
  return n < 2 ? names[n] : NULL;
}

static const char *takes_all(struct skp_backend *backend, const struct skp_sig *sig, int n) {
  (void)backend, (void)sig, (void)n;
  return NULL;
}

static skp_status prepare(struct skp_backend *backend, struct skp_prepared **out, const struct skp_sig *sig,
                          const char *method) {
  (void)method;
  return skp__backend_reference.prepare(backend, out, sig, NULL);
}

static int passed(const char *method) {
  char line[64];
  snprintf(line, sizeof line, "%-26s %-20s", "linear", method);
  const char *at = strstr(text, line);
  return at ? atoi(at + strlen(line)) : 0;
}

/* ---- generated cases --------------------------------------------------------------------------------------------- */

START_TEST(generated) {
  struct skp_verify_result result;
  ck_ok(run(&result, (struct skp_verify_options){.seed = 7}));
  ck_assert_msg(result.failed == 0 && result.passed > 80, "%s", text);
  char last[64];
  snprintf(last, sizeof last, "\n%d passed, 0 failed\n", result.passed);
  ck_assert_str_eq(text + strlen(text) - strlen(last), last);
}
END_TEST

START_TEST(large_for_all_but_one) {
  struct skp_verify_result result;
  twice = *b->ops;
  twice.method_name = one_of_two;
  twice.method_refusal = takes_all;
  twice.prepare = prepare;
  b->ops = &twice;
  ck_ok(run(&result, (struct skp_verify_options){.op = "linear"}));
  ck_assert_int_eq(passed("first"), passed("second"));
  ck_ok(run(&result, (struct skp_verify_options){.op = "linear", .quick = true}));
  ck_assert(passed("second") > 0 && passed("second") < passed("first"));
  b->ops = &skp__backend_reference;
}
END_TEST

START_TEST(one_op) {
  struct skp_verify_result result, quick;
  ck_ok(run(&result, (struct skp_verify_options){.op = "maxpool2d"}));
  ck_assert_ptr_null(strstr(text, "conv2d"));
  text_has("maxpool2d_dx ");
  ck_ok(run(&quick, (struct skp_verify_options){.op = "maxpool2d", .quick = true}));
  ck_assert(quick.passed > 0 && quick.passed < result.passed);
  ck_ok(
      run(&result, (struct skp_verify_options){.op = "activation"})); /* the op behind several names, and one of them */
  ck_ok(run(&quick, (struct skp_verify_options){.op = "gelu"}));
  ck_assert_int_gt(result.passed, quick.passed);
  ck_assert_int_eq(quick.passed, 2);
  ck_fails(run(&result, (struct skp_verify_options){.op = "nonsense"}), SKP_USAGE, "'nonsense'");
}
END_TEST

/* ---- golden cases ------------------------------------------------------------------------------------------------ */

static float x[8] = {1, -2, 3, -4, 5, -6, 7, -8}; /* N C H W = 1 2 2 2 */
static float y[8] = {1, 0, 3, 0, 5, 0, 7, 0};
static const char good[] =
    "[{\"id\": \"000\", \"attrs\": {}, \"inputs\": [\"x\"], \"outputs\": [\"y\"], \"grads\": [], "
    "\"float32_error\": {\"y\": 0.125}}]";

static void write_case(const char *op, const char *cases) {
  struct skp_st_tensor t[] = {{.name = (char[]){"000.x"}, .dtype = "F32", .rank = 4, .dim = {1, 2, 2, 2}, .data = x},
                              {.name = (char[]){"000.y"}, .dtype = "F32", .rank = 4, .dim = {1, 2, 2, 2}, .data = y}};
  struct skp_st_meta meta[] = {{(char[]){"op"}, (char *)op}, {(char[]){"cases"}, (char *)cases}};
  ck_ok(skp__st_write(path, t, 2, meta, 2));
}

/* Tolerance: 8 · 0.125 + 2e-6 · (1 + 7). */
START_TEST(golden) {
  struct skp_verify_result result;
  struct skp_verify_options options = {.cases = folder};
  write_case("relu", good);
  ck_ok(run(&result, options));
  ck_assert_str_eq(strrchr(text, '\n') - strlen("1 passed, 0 failed"), "1 passed, 0 failed\n");
  y[6] = 8.00001f;
  write_case("relu", good);
  ck_ok(run(&result, options));
  ck_assert_int_eq(result.failed, 0);
  y[6] = 8.00003f; /* element C, H, W = 1, 1, 0: 5 in our layout */
  write_case("relu", good);
  ck_ok(run(&result, options));
  ck_assert_int_eq(result.failed, 1);
  text_has("FAILED relu 000: relu by ");
  text_has("y[5] (0, 1, 0, 1): got 7, want 8.0000");
  text_has("1 of 8 wrong");
  text_has("\n0 passed, 1 failed\n");
  y[6] = NAN;
  write_case("relu", good);
  ck_ok(run(&result, options));
  ck_assert_int_eq(result.failed, 1);
}
END_TEST

START_TEST(json) {
  struct skp_verify_result result;
  y[6] = 9;
  write_case("relu", good);
  ck_ok(run(&result, (struct skp_verify_options){.cases = folder, .json = true}));
  cJSON *all = cJSON_Parse(text), *failure = cJSON_GetArrayItem(cJSON_GetObjectItem(all, "failures"), 0);
  ck_assert_double_eq(cJSON_GetNumberValue(cJSON_GetObjectItem(all, "failed")), 1);
  ck_assert_double_eq(cJSON_GetNumberValue(cJSON_GetObjectItem(failure, "index")), 5);
  ck_assert_double_eq(cJSON_GetNumberValue(cJSON_GetObjectItem(failure, "got")), 7);
  ck_assert_double_eq(cJSON_GetNumberValue(cJSON_GetObjectItem(failure, "want")), 9);
  ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(failure, "tensor")), "y");
  ck_assert_ptr_nonnull(cJSON_GetObjectItem(failure, "method"));
  cJSON_Delete(all);
}
END_TEST

static const struct {
  const char *op, *cases, *part;
} unusable[] = {
    {"relu", "{}", "list 'cases'"},
    {"relu", "[{}]", "no id"},
    {"nonsense", "[{\"id\":\"000\"}]", "no op 'nonsense'"},
    {"relu", "[{\"id\":\"000\",\"inputs\":[]}]", "the input x is missing"},
    {"relu", "[{\"id\":\"001\",\"inputs\":[\"x\"]}]", "'001.x' is missing"},
    {"relu", "[{\"id\":\"000\",\"inputs\":[\"x\"],\"grads\":[\"dx\"]}]", "case 000"},
    {"global_avgpool", "[{\"id\":\"000\",\"inputs\":[\"x\"],\"outputs\":[\"y\"]}]", "1×2 where 1×2×2×2 is expected"},
    {"relu", "[{\"id\":\"000\",\"attrs\":{\"slope\":1},\"inputs\":[\"x\"]}]", "slope"},
    {"maxpool2d", "[{\"id\":\"000\",\"attrs\":{\"kernel\":\"two\"},\"inputs\":[\"x\"]}]", "kernel"},
    {"resize_bilinear", "[{\"id\":\"000\",\"attrs\":{\"antialias\":false},\"inputs\":[\"x\"]}]", "antialias"},
};

START_TEST(unusable_case) {
  struct skp_verify_result result;
  struct skp_verify_options options = {.cases = folder};
  write_case(unusable[_i].op, unusable[_i].cases);
  ck_assert_int_ne(run(&result, options), SKP_OK);
  ck_assert_msg(strstr(skp_error_message(), path) && strstr(skp_error_message(), unusable[_i].part), "%s",
                skp_error_message());
}
END_TEST

START_TEST(no_files) {
  struct skp_verify_result result;
  ck_fails(run(&result, (struct skp_verify_options){.cases = folder}), SKP_IO, "no ops/*.safetensors");
  ck_fails(run(&result, (struct skp_verify_options){.cases = "/nowhere"}), SKP_IO, "/nowhere");
}
END_TEST

/* ---- a device that goes wrong ------------------------------------------------------------------------------------ */

/* The plain C, after which one word of the first output, or of the memory around, is spoilt. */
static const struct skp_backend_ops *sound;
static struct skp_buffer *whole, *first_output;
static bool outside;

static skp_status create_and_note(struct skp_backend *backend, struct skp_buffer **out, int64_t bytes) {
  skp_status status = sound->buffer_create(backend, out, bytes);
  whole = *out;
  return status;
}

static skp_status bind_and_note(struct skp_prepared *p, struct skp_buffer *const *in, struct skp_buffer *const *out,
                                struct skp_buffer *workspace) {
  first_output = out[0];
  return sound->bind(p, in, out, workspace);
}

static skp_status run_and_spoil(struct skp_backend *backend, struct skp_prepared *const *list, size_t n) {
  static const float wrong = 42;
  ck_ok(sound->run(backend, list, n));
  return outside ? sound->write(backend, whole, 8, &wrong, 4) : sound->write(backend, first_output, 12, &wrong, 4);
}

START_TEST(spoilt) {
  struct skp_verify_result result;
  struct skp_backend_ops faulty = *b->ops;
  sound = b->ops;
  faulty.buffer_create = create_and_note;
  faulty.bind = bind_and_note;
  faulty.run = run_and_spoil;
  b->ops = &faulty;
  outside = _i;
  ck_ok(run(&result, (struct skp_verify_options){.op = "relu", .quick = true}));
  b->ops = sound;
  ck_assert_int_eq(result.passed, 0);
  ck_assert_int_eq(result.failed, 4); /* both, in float32 and in bfloat16 */
  text_has(outside ? "[2] was written" : "y[3] (0, 0, 0, 3): got 42");
}
END_TEST

static double rough(const struct skp_prepared *p) {
  (void)p;
  return 2e-5;
}

/* A method's own tolerance comes to the case's: 2e-5 · (1 + 8). */
START_TEST(rough_method) {
  struct skp_verify_result result;
  const struct skp_verify_options options = {.cases = folder};
  struct skp_backend_ops roughly = *b->ops;
  sound = b->ops;
  roughly.tolerance = rough;
  b->ops = &roughly;
  y[6] = 8.00018f;
  write_case("relu", good);
  ck_ok(run(&result, options));
  ck_assert_int_eq(result.failed, 0);
  y[6] = 8.0003f;
  write_case("relu", good);
  ck_ok(run(&result, options));
  ck_assert_int_eq(result.failed, 1);
  b->ops = sound;
}
END_TEST

int main(void) {
  Suite *suite = suite_create("verify");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 120);
  tcase_add_checked_fixture(all, start, stop);
  tcase_add_test(all, generated);
  tcase_add_test(all, one_op);
  tcase_add_test(all, large_for_all_but_one);
  tcase_add_test(all, golden);
  tcase_add_test(all, json);
  tcase_add_loop_test(all, unusable_case, 0, sizeof unusable / sizeof *unusable);
  tcase_add_test(all, no_files);
  tcase_add_loop_test(all, spoilt, 0, 2);
  tcase_add_test(all, rough_method);
  suite_add_tcase(suite, all);
  return skp__test_main(suite);
}
