/* test_full_disk.c: a disk that is full for a while, as a training run meets it. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "folder.h"
#include "io/safetensors.h"
#include "train/checkpoint/position.h"
#include "train/run/result.h"
#include "train/run/train.h"
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* ---- faults ------------------------------------------------------------------------------------------------------ */

/* So many of the next writes to files whose paths hold `file` find the disk full. */
static const char *file;
static atomic_int refusals; /* the saver's thread writes, too */
static bool threadless;     /* no thread starts any more once a step has run */
static int steps, spoilt;   /* steps so far; the one whose loss becomes NaN, once */

static bool refuses(int fd) {
  char link[64], path[1024];
  if (refusals < 1) return false;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  path[n > 0 ? n : 0] = 0;
  return strstr(path, file) && refusals-- > 0;
}

ssize_t write(int fd, const void *bytes, size_t n) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "write");
  if (!refuses(fd)) return real(fd, bytes, n);
  errno = ENOSPC;
  return -1;
}

int pthread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*work)(void *), void *user) {
  static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
  return threadless && steps > 0 ? EAGAIN : real(out, attributes, work, user);
}

static struct skp_backend_ops ops;

/* What an update is told is written once a step. */
static skp_status write_hyper(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, const void *from,
                              int64_t bytes) {
  steps += bytes == sizeof(struct skp_hyper);
  return skp__backend_reference.write(b, buffer, offset, from, bytes);
}

static skp_status read_loss(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, void *to, int64_t bytes) {
  SKP_TRY(skp__backend_reference.read(b, buffer, offset, to, bytes));
  if (bytes != sizeof(float) || !spoilt || steps < spoilt) return SKP_OK;
  spoilt = 0;
  *(float *)to = NAN;
  return SKP_OK;
}

/* ---- runs -------------------------------------------------------------------------------------------------------- */

enum { EPOCHS = 6, IMAGES = 8 };

/* Of one step an epoch. */
static const char network[] = "return {input = {channels = 1, size = 4},\n"
                              "recipe = {data = 'memory', batch = 8, epochs = 6, optimizer = 'sgd', lr = 0.1},\n"
                              "network = function(x) return nn.linear(nn.flatten(x), 2, {name = 'fc'}) end}\n";

static struct skp_train_result result;
static char said[4000];
static int64_t kept, traced;         /* how many step-N.safetensors stay; how many steps are traced */
static int64_t each = 1, limit = -1; /* epochs between saves; steps */
static bool resumed;

static struct skp_source *images(void) {
  static uint8_t bytes[IMAGES * 16];
  static int32_t labels[IMAGES];
  struct skp_source *s;
  for (int i = 0; i < IMAGES * 16; i++) bytes[i] = (uint8_t)(i * 37);
  for (int i = 0; i < IMAGES; i++) labels[i] = i % 2;
  ck_ok(skp__source_memory(
      &s,
      &(struct skp_held_images){.bytes = bytes, .n = IMAGES, .H = 4, .W = 4, .C = 1, .labels = labels, .classes = 2}));
  return s;
}

static skp_status train(const char *out, const char *lr, const char *on_nan) {
  struct skp_model *model;
  struct skp_backend *b;
  struct skp_session *s;
  struct skp_resume *resume = NULL;
  char path[256];
  FILE *say = fmemopen(said, sizeof said, "w");
  snprintf(path, sizeof path, "%s", in(out));
  steps = 0;
  if (resumed) ck_ok(skp__resume_open(&resume, path));
  ck_ok(skp__model_parse(&model, "net.lua", network, NULL, 0, 0, NULL));
  ck_ok(skp__recipe_set(&model->recipe, "lr", lr));
  ck_ok(skp__recipe_set(&model->recipe, "on_nan", on_nan));
  ck_ok(skp__backend_open(&b, &(struct skp_backend_options){.backend = "reference"}));
  ops = *b->ops;
  ops.write = write_hyper;
  ops.read = read_loss;
  b->ops = &ops;
  ck_ok(skp__session_create(&s, model, b));
  ck_ok(skp__session_init(s, 1));
  struct skp_source *train = images();
  const struct skp_data data = {.train = train};
  char trace[256];
  snprintf(trace, sizeof trace, "%s", in("trace.json"));
  const struct skp_train_options o = {.out = path,
                                      .say = say,
                                      .seed = 1,
                                      .max_steps = limit,
                                      .shuffle = true,
                                      .threads = 1,
                                      .save = {.epochs = each, .keep = kept},
                                      .trace = trace,
                                      .trace_steps = traced,
                                      .resume = resume};
  skp_status status = skp__train(s, &data, &o, &result);
  skp__result_free(&result);
  fclose(say);
  skp__resume_close(resume);
  skp__source_destroy(train);
  skp__session_destroy(s);
  skp__backend_close(b);
  skp__model_destroy(model);
  threadless = false;
  return status;
}

static void disturb(const char *name, int times) {
  file = name;
  refusals = times;
}

/* The run ends well but for its status; each refusal has come, which is said once, and in the end. */
static void check_borne(skp_status status) {
  static const char goes_on[] = "Training goes on; each save tries again";
  ck_assert_int_eq(status, SKP_DISK_FULL);
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "Not every file could be written while the run went on, "));
  const char *first = strstr(said, goes_on);
  ck_assert_ptr_nonnull(first);
  ck_assert_ptr_null(strstr(first + 1, goes_on));
  ck_assert_int_eq(refusals, 0);
}

/* The weights of two runs' files, whose recipes may differ. */
static void check_same(const char *a, const char *b, const char *name) {
  struct skp_st_file f[2];
  char path[100];
  for (int i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s/%s", i ? b : a, name);
    ck_ok(skp__st_read(&f[i], in(path)));
  }
  ck_assert_uint_eq(f[0].tensors, f[1].tensors);
  for (size_t i = 0; i < f[0].tensors; i++) {
    const struct skp_st_tensor *t = &f[0].tensor[i], *u = skp__st_find(&f[1], t->name);
    ck_assert(u && t->bytes == u->bytes);
    ck_assert_msg(!memcmp(t->data, u->data, (size_t)t->bytes), "%s of %s differs", t->name, name);
  }
  for (int i = 0; i < 2; i++) skp__st_free(&f[i]);
}

/* What log.jsonl says: its steps, one behind the other. */
static void check_steps(const char *out) {
  void *text;
  int64_t size;
  char path[100];
  snprintf(path, sizeof path, "%s/log.jsonl", out);
  ck_ok(skp__file_read(&text, &size, in(path), 1 << 20));
  int step = 0;
  for (const char *at = text; (at = strstr(at, "{\"step\":")); at++) ck_assert_int_eq(atoi(at + 8), ++step);
  ck_assert_int_eq(step, EPOCHS);
  free(text);
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

/* The logs at an epoch's end: the place to go back to is known without them on the disk. */
START_TEST(logs_wait) {
  static const char *const on_nan[] = {"stop", "rollback"};
  ck_ok(train("whole", "0.1", "stop"));
  disturb("log.jsonl", 3);
  check_borne(train("run", "0.1", on_nan[_i]));
  check_steps("run");
  check_same("run", "whole", "last.safetensors");
  check_same("run", "whole", "best.safetensors");
}
END_TEST

/* A run that goes back keeps lines from before that have not reached the disk, and none from after. */
START_TEST(goes_back_with_lines_gathered) {
  disturb("log.jsonl", 6);
  spoilt = 3;
  check_borne(train("run", "0.1", "rollback"));
  ck_assert_ptr_nonnull(strstr(said, "The run goes back to step 2 "));
  check_steps("run");
}
END_TEST

/* Weights are written here and now where the saver gets no thread. */
START_TEST(without_threads) {
  ck_ok(train("whole", "0.1", "stop"));
  threadless = true;
  disturb("best.safetensors", 1);
  check_borne(train("run", "0.1", "stop"));
  check_same("run", "whole", "last.safetensors");
  check_same("run", "whole", "best.safetensors");
}
END_TEST

/* With such a rate each step makes it worse: the first epoch stays the best, and what the disk refused of it comes
 * later. */
START_TEST(best_weights_are_owed) {
  ck_ok(train("whole", "1e3", "stop"));
  ck_assert_int_eq(result.best_epoch, 1);
  threadless = _i;
  disturb("best.safetensors", 4);
  check_borne(train("run", "1e3", "stop"));
  ck_assert_int_eq(result.best_epoch, 1);
  check_same("run", "whole", "best.safetensors");
  check_same("run", "whole", "state.safetensors");
}
END_TEST

/* Until a state that knows of them is on the disk the old one speaks of logs that are gone, and is of no use: each step
 * tries anew. */
START_TEST(lost_logs_are_owed) {
  limit = 2;
  ck_ok(train("run", "0.1", "stop"));
  ck_assert(!unlink(in("run/log.jsonl")) && !unlink(in("run/results.csv")));
  limit = -1;
  each = 1000;
  resumed = threadless = true;
  disturb("state.safetensors", 2);
  check_borne(train("run", "0.1", "stop"));
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "went on, 2 times; what it ended with is in "));
}
END_TEST

/* Full until the end: that is the last thing that is said, with how often. */
START_TEST(full_until_the_end) {
  disturb("last.safetensors", 1000);
  ck_assert_int_eq(train("run", "0.1", "stop"), SKP_DISK_FULL);
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "went on, 7 times; what was saved before is in "));
}
END_TEST

/* Nothing claims weights that never reached the disk: neither what the run says in the end, though it went back, nor a
 * state. */
START_TEST(refused_weights_are_none) {
  struct skp_resume *resume;
  struct skp__position at;
  disturb("best.safetensors", 1000);
  spoilt = 4;
  ck_assert_int_eq(train("run", "0.1", "rollback"), SKP_DISK_FULL);
  ck_assert_ptr_nonnull(strstr(said, "The run goes back to step 3 "));
  ck_assert_int_eq(result.best_epoch, 0);
  ck_assert(!skp__file_exists(in("run/best.safetensors")));
  ck_ok(skp__resume_open(&resume, in("run")));
  ck_ok(skp__resume_position(&at, resume));
  ck_assert_int_eq(at.best_epoch, 0);
  skp__resume_close(resume);
  ck_assert(refusals > 0);
}
END_TEST

/* Weights of a step are no later save's: those that the disk refused last come before the next ones, the trace at the
 * end. */
START_TEST(weights_of_a_step_are_owed) {
  kept = EPOCHS;
  ck_ok(train("whole", "0.1", "stop"));
  disturb("step-00000003.safetensors", 1);
  check_borne(train("run", "0.1", "stop"));
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "went on, 1 time; what it ended with is in "));
  for (int step = 1; step <= EPOCHS; step++) {
    char name[40];
    snprintf(name, sizeof name, "step-%08d.safetensors", step);
    check_same("run", "whole", name);
  }
}
END_TEST

/* Those of steps behind which the run went back are not written any more. */
START_TEST(weights_of_a_step_that_is_gone) {
  kept = EPOCHS;
  disturb("step-00000002.safetensors", 1);
  spoilt = 3;
  check_borne(train("run", "0.1", "rollback"));
  ck_assert_ptr_nonnull(strstr(said, "The run goes back to step 2 "));
  for (int step = 1; step <= EPOCHS; step++) {
    char name[40];
    snprintf(name, sizeof name, "run/step-%08d.safetensors", step);
    ck_assert_msg(skp__file_exists(in(name)), "there is no %s", name);
  }
}
END_TEST

START_TEST(trace_is_owed) {
  traced = 3;
  disturb("trace.json", 1);
  check_borne(train("run", "0.1", "stop"));
  ck_assert(skp__file_exists(in("trace.json")));
  traced = 0;
  ck_ok(train("run", "0.1", "stop"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("full_disk");
  TCase *c = tcase_create("full_disk");
  tcase_add_checked_fixture(c, make_folder, remove_folder);
  tcase_add_loop_test(c, logs_wait, 0, 2);
  tcase_add_test(c, goes_back_with_lines_gathered);
  tcase_add_test(c, without_threads);
  tcase_add_loop_test(c, best_weights_are_owed, 0, 2);
  tcase_add_test(c, lost_logs_are_owed);
  tcase_add_test(c, full_until_the_end);
  tcase_add_test(c, refused_weights_are_none);
  tcase_add_test(c, weights_of_a_step_are_owed);
  tcase_add_test(c, weights_of_a_step_that_is_gone);
  tcase_add_test(c, trace_is_owed);
  tcase_set_timeout(c, 60);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
