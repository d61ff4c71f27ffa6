/* test_tune.c: methods are timed once for a device and a call; what the file says is obeyed, what is nonsense in it is
 * passed over, and a quick search keeps to its time. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/memory.h"
#include "folder.h"
#include "skipper/version.h"
#include "verify/tune.h"
#include "verify/tuned.h"
#include <stdlib.h>
#include <time.h>

/* A backend whose products have three methods, of which the second is the fastest. */
static struct skp_backend *b;
static struct skp_backend_ops made_up;
static const struct skp_backend_ops *plain;
static const char *const names[] = {"usual", "quick", "slow", NULL};
static const double seconds[] = {2e-3, 1e-3, 3e-3};
static int timed, made;
static struct {
  const struct skp_prepared *p;
  int method;
} makes[64];        /* the latest last */
static double each; /* seconds that each timing takes in truth */
static skp_status outcome;

static void info(struct skp_backend *of, struct skp_backend_info *out) {
  plain->info(of, out);
  out->cache = folder;
}
static const char *name(const struct skp_backend *of, const struct skp_op *op, int n) {
  (void)of, (void)op;
  return n < 4 ? names[n] : NULL;
}
static const char *refusal(struct skp_backend *of, const struct skp_sig *sig, int n) {
  (void)of, (void)sig, (void)n;
  return NULL;
}
static bool suits(const struct skp_backend *of, const struct skp_op *op, int n) {
  (void)of, (void)op;
  return n < 3;
}

static skp_status prepare(struct skp_backend *of, struct skp_prepared **out, const struct skp_sig *sig,
                          const char *method) {
  int n = 0;
  if (method && outcome != SKP_OK) return outcome;
  while (method && strcmp(names[n], method) != 0) n++;
  ck_ok(plain->prepare(of, out, sig, NULL));
  makes[made % 64].p = *out;
  makes[made++ % 64].method = n;
  return SKP_OK;
}

static int number_of(const struct skp_prepared *p) {
  int i = made - 1;
  while (makes[i % 64].p != p) i--;
  return makes[i % 64].method;
}

static skp_status time_one(struct skp_backend *of, struct skp_prepared *const *list, size_t n, skp__tell_launch tell,
                           void *user) {
  (void)of, (void)n;
  tell(user, 0, "launch", seconds[number_of(*list)]);
  timed++;
  nanosleep(&(struct timespec){.tv_nsec = (long)(1e9 * each)}, NULL);
  return SKP_OK;
}

static const char *method_of(const struct skp_prepared *p) { return names[number_of(p)]; }

static void start(void) {
  make_folder();
  ck_ok(skp__backend_open(&b, &(struct skp_backend_options){.backend = "reference"}));
  plain = b->ops;
  made_up = *plain;
  made_up.info = info;
  made_up.method_name = name;
  made_up.method_refusal = refusal;
  made_up.method_suits = suits;
  made_up.prepare = prepare;
  made_up.time = time_one;
  made_up.method = method_of;
  b->ops = &made_up;
  timed = made = 0;
  each = 0;
  outcome = SKP_OK;
}

static void stop(void) {
  b->ops = plain;
  skp__backend_close(b);
  remove_folder();
}

/* A convolution of n images; skp__sig_free it. */
static struct skp_sig conv_of(int64_t n) {
  struct skp_sig sig;
  ck_ok(skp__sig_create(&sig, &skp__op_conv2d, 2));
  sig.attrs.conv2d = (struct skp_conv2d_attrs){.stride = 1, .pad = 1, .dilation = 1, .groups = 1};
  sig.in[0] = skp__shape4(n, 4, 4, 2);
  sig.in[1] = skp__shape4(3, 3, 2, 2);
  ck_ok(skp__op_infer(&sig));
  return sig;
}

/* What is said of n calls of different sizes, in fresh memory. */
static char *tune(const char *how, int n) {
  struct skp_backend_tuner *t;
  struct skp__memory m;
  ck_assert(skp__memory_open(&m));
  struct skp_sig sigs[8];
  for (int i = 0; i < n; i++) sigs[i] = conv_of(i + 1);
  ck_ok(skp__tuner_create(&t, how, m.to));
  ck_ok(t->ready(t, b, sigs, (size_t)n));
  ck_ok(t->ready(t, b, sigs, (size_t)n)); /* known by now, or out of time */
  t->close(t);
  for (int i = 0; i < n; i++) skp__sig_free(&sigs[i]);
  ck_assert(skp__memory_close(&m));
  return m.text;
}

static void read_back(struct skp__tuned *t, FILE *say) {
  *t = (struct skp__tuned){.path = NULL};
  ck_ok(skp__tuned_open(t, b, say));
}

/* What the file says of the call of n images. */
static const char *known(const struct skp__tuned *t, int64_t n) {
  struct skp_sig sig = conv_of(n);
  char *call;
  ck_ok(skp__tuned_call(&call, &sig));
  const char *method = skp__tuned_method(t, call);
  free(call);
  skp__sig_free(&sig);
  return method;
}

START_TEST(once) {
  struct skp__tuned t;
  char *said = tune("full", 3);
  ck_assert_msg(strstr(said, ": 0 calls known, 3 timed in "), "%s", said);
  free(said);
  ck_assert_int_eq(timed, 3 * 3 * 7);
  said = tune("full", 3);
  ck_assert_msg(strstr(said, ": 3 calls known\n"), "%s", said);
  free(said);
  ck_assert_int_eq(timed, 3 * 3 * 7);
  read_back(&t, NULL);
  ck_assert_uint_eq(t.lines.n, 3);
  ck_assert(t.lines.at[0].ms == 1.0 && !strcmp(t.lines.at[0].method, "quick"));
  ck_assert_ptr_nonnull(strstr(t.lines.at[0].call, "conv2d 3×4×4×2, 3×3×2×2 -> 3×4×4×2 pad=1"));
  skp__tuned_free(&t);
}
END_TEST

START_TEST(methods_that_cannot) {
  struct skp__tuned t;
  outcome = SKP_UNSUPPORTED;
  free(tune("full", 1));
  read_back(&t, NULL);
  ck_assert_uint_eq(t.lines.n, 1);
  ck_assert_str_eq(t.lines.at[0].method, "usual");
  skp__tuned_free(&t);
}
END_TEST

START_TEST(quick_keeps_its_time) {
  struct skp__tuned t;
  each = 0.02; /* a call takes 0.4 s */
  free(tune("quick", 8));
  read_back(&t, NULL);
  ck_assert(t.lines.n >= 1 && t.lines.n < 8);                     /* whatever else the machine does meanwhile */
  ck_assert_ptr_nonnull(strstr(t.lines.at[0].call, "conv2d 8×")); /* most work first */
  skp__tuned_free(&t);
}
END_TEST

static const char call_of_1[] = "conv2d 1×4×4×2, 3×3×2×2 -> 1×4×4×2 pad=1";

/* Writes the file anew, with these lines. */
static char *write_lines(const char *head, const char *lines) {
  struct skp__tuned t;
  read_back(&t, NULL);
  char *path = t.path;
  FILE *f = fopen(path, "w");
  fprintf(f, head, SKP_VERSION, t.on);
  fputs(lines, f);
  ck_assert_int_eq(fclose(f), 0);
  t.path = NULL;
  skp__tuned_free(&t);
  return path;
}

static const char good_head[] = "skipper %s tuned\non %s\n";

START_TEST(edited) {
  struct skp__tuned t;
  char lines[300];
  snprintf(lines, sizeof lines, "# mine\nusual 4 %s\n\nslow 7.5 %s\n", call_of_1, call_of_1);
  free(write_lines(good_head, lines));
  read_back(&t, stderr);
  ck_assert_str_eq(known(&t, 1), "slow"); /* the last word counts */
  ck_assert_ptr_null(known(&t, 2));
  skp__tuned_free(&t);
  free(tune("full", 1));
  ck_assert_int_eq(timed, 0);
}
END_TEST

static const char *const nonsense[] = {"hugo 1 conv2d 1×4",
                                       "usual nan conv2d 1×4",
                                       "usual -1 conv2d 1×4",
                                       "usual 1e99 conv2d",
                                       "usual 1 conv9d 1×4",
                                       "usual 1 ",
                                       "usual",
                                       "\x01\x02\xff",
                                       "usual 1 conv2d \x1b[2J"};

START_TEST(nonsense_is_passed_over) {
  struct skp__tuned t;
  char lines[400];
  struct skp__memory said;
  ck_assert(skp__memory_open(&said));
  snprintf(lines, sizeof lines, "quick 1 %s\n%s\nusual 1 conv2d torn", call_of_1, nonsense[_i]);
  free(write_lines(good_head, lines));
  read_back(&t, said.to);
  ck_assert(skp__memory_close(&said));
  ck_assert_str_eq(known(&t, 1), "quick");
  ck_assert_uint_eq(t.lines.n, 1);
  ck_assert_msg(strstr(said.text, ": line 4 is ignored: it names no method, time and call, and 1 more.\n"), "%s",
                said.text);
  free(said.text);
  skp__tuned_free(&t);
}
END_TEST

START_TEST(of_another) {
  struct skp__tuned t;
  char lines[200];
  struct skp__memory said;
  ck_assert(skp__memory_open(&said));
  snprintf(lines, sizeof lines, "slow 1 %s\n", call_of_1);
  free(write_lines("skipper %s tuned\non another %s\n", lines));
  read_back(&t, said.to);
  ck_assert(skp__memory_close(&said));
  ck_assert_uint_eq(t.lines.n, 0);
  ck_assert_ptr_nonnull(strstr(said.text, " is ignored: it is of another version or device.\n"));
  free(said.text);
  skp__tuned_free(&t);
}
END_TEST

START_TEST(words) {
  struct skp_backend_tuner *t;
  ck_ok(skp__tuner_create(&t, NULL, NULL));
  ck_assert_ptr_null(t);
  ck_ok(skp__tuner_create(&t, "off", NULL));
  ck_assert_ptr_null(t);
  ck_fails(skp__tuner_create(&t, "fast", NULL), SKP_USAGE, "is off, quick or full, not \"fast\"");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tune");
  TCase *c = tcase_create("tune");
  tcase_add_checked_fixture(c, start, stop);
  tcase_add_test(c, once);
  tcase_add_test(c, methods_that_cannot);
  tcase_add_test(c, quick_keeps_its_time);
  tcase_add_test(c, edited);
  tcase_add_loop_test(c, nonsense_is_passed_over, 0, sizeof nonsense / sizeof *nonsense);
  tcase_add_test(c, of_another);
  tcase_add_test(c, words);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
