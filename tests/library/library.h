/* library.h: what the tests of the library share. They know the public headers alone. SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_LIBRARY_H
#define SKP_TESTS_LIBRARY_H

#include <check.h>
#include <math.h>
#include <pthread.h>
#include <skipper/skipper.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ck_ok(expr)                                                                                                    \
  do {                                                                                                                 \
    skp_status ck_status_ = (expr);                                                                                    \
    ck_assert_msg(ck_status_ == SKP_OK, "%s: %s: %s", #expr, skp_status_name(ck_status_), skp_error_message());        \
  } while (0)

#define ck_fails(expr, status, part)                                                                                   \
  do {                                                                                                                 \
    skp_status ck_status_ = (expr);                                                                                    \
    ck_assert_msg(ck_status_ == (status), "%s: %s instead of %s: %s", #expr, skp_status_name(ck_status_),              \
                  skp_status_name(status), skp_error_message());                                                       \
    ck_assert_msg(strstr(skp_error_message(), part), "%s: the text lacks '%s': %s", #expr, part, skp_error_message()); \
  } while (0)

/* A linear layer on 2 × 2 grey pixels: fast, and its answers are known. */
static const char plain[] = "return {input = {channels = 1, size = 2}, args = {classes = 2},\n"
                            "  recipe = {batch = 4, epochs = 2, optimizer = 'sgd', lr = 0.5},\n"
                            "  network = function(x, args)\n"
                            "    return nn.linear(nn.flatten(x), args.classes, {name = 'fc'}) end}\n";

static char folder[32];
static skp_device *device;
static skp_model *model;
static skp_session *session;

static inline void set_up(void) {
  strcpy(folder, "/tmp/skp-test-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  ck_ok(skp_device_open(&device, &(skp_device_options){.backend = "reference"}));
}

static inline void open_plain(const skp_model_options *options) {
  ck_ok(skp_model_build(&model, "plain", plain, options));
  ck_ok(skp_session_open(&session, model, device, 7));
}

static inline void close_model(void) {
  skp_session_close(session);
  skp_model_free(model);
  session = NULL;
  model = NULL;
}

static inline void tear_down(void) {
  char command[64];
  close_model();
  skp_device_close(device);
  snprintf(command, sizeof command, "rm -rf %s", folder);
  ck_assert_int_eq(system(command), 0);
}

static inline const char *in_folder(const char *name) {
  static char path[64];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

/* ---- data: the class of an image is which of its halves is light ------------------------------------------------- */

enum { IMAGES = 16 };
static uint8_t bytes[IMAGES][4];
static float floats[IMAGES][4];
static int32_t labels[IMAGES];
static const char *const names[] = {"left", "right"};

static inline void draw_images(void) {
  for (int i = 0; i < IMAGES; i++) {
    labels[i] = i % 2;
    for (int p = 0; p < 4; p++) {
      bytes[i][p] = (uint8_t)(p % 2 == labels[i] ? 255 - 3 * i : 2 * i);
      floats[i][p] = (float)bytes[i][p] / 255.0f;
    }
  }
}

static const skp_pixels as_bytes = {bytes, SKP_BYTES, IMAGES, 2, 2, 1};
static const skp_pixels as_floats = {floats, SKP_FLOATS, IMAGES, 2, 2, 1};

static inline skp_data *wrap(const skp_pixels *pixels) {
  skp_data *data;
  draw_images();
  ck_ok(skp_data_wrap(&data, pixels, labels, 2, names));
  ck_ok(skp_data_wrap_test(data, pixels, labels));
  return data;
}

static inline int run_tests(TCase *tests) {
  Suite *suite = suite_create("library");
  tcase_add_checked_fixture(tests, set_up, tear_down);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
