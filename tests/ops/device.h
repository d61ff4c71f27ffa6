/* device.h: the open device that tests of the OpenCL backend work on, and its cache folder.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_OPS_DEVICE_H
#define SKP_TESTS_OPS_DEVICE_H

#include "backend/opencl/buffer.h"
#include "backend/opencl/cache.h"
#include "backend/opencl/method.h"
#include "backend/opencl/program.h"
#include "backend/opencl/tickets.h"
#include "test.h"
#include "where.h"
#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct skp_backend_ops *ops = &skp__backend_opencl;
static struct skp_backend *b;
static struct skp__cl *cl;

static inline void open_with(struct skp_backend_options options) {
  options = where_else(options);
  ck_ok(ops->open(&b, &options));
  cl = (struct skp__cl *)b;
}

static inline void open_device(void) { open_with((struct skp_backend_options){0}); }

static inline void close_device(void) {
  ops->close(b);
  b = NULL;
}

static inline void finish(void) {
  uint64_t ticket;
  ck_ok(ops->ticket(b, &ticket));
  ck_ok(ops->wait(b, ticket));
}

static inline struct skp_buffer *buffer(int64_t floats) {
  struct skp_buffer *made;
  ck_ok(ops->buffer_create(b, &made, 4 * floats));
  return made;
}

static inline void write_floats(struct skp_buffer *to, const float *from, int64_t n) {
  ck_ok(ops->write(b, to, 0, from, 4 * n));
  finish();
}

static inline void read_floats(float *to, struct skp_buffer *from, int64_t n) {
  ck_ok(ops->read(b, from, 0, to, 4 * n));
  finish();
}

/* skp__sig_free it. */
static inline struct skp_sig relu_of(int64_t n) {
  struct skp_sig sig;
  ck_ok(skp__sig_create(&sig, &skp__op_relu, 1));
  sig.in[0] = sig.out[0] = skp__shape1(n);
  return sig;
}

static inline struct skp_prepared *prepare_relu(int64_t n) {
  struct skp_prepared *p;
  struct skp_sig sig = relu_of(n);
  ck_ok(ops->prepare(b, &p, &sig, NULL));
  skp__sig_free(&sig);
  return p;
}

/* relu of n values that cross zero, NaN among them, checked one by one. */
static inline void check_relu(int n) {
  float *x = calloc((size_t)n, sizeof *x), *y = calloc((size_t)n, sizeof *y);
  for (int i = 0; i < n; i++) x[i] = i % 7 == 3 ? NAN : (float)(i % 11 - 5);
  struct skp_buffer *in = buffer(n), *out = buffer(n);
  struct skp_prepared *p = prepare_relu(n);
  write_floats(in, x, n);
  ck_ok(ops->bind(p, &in, &out, NULL));
  ck_ok(ops->run(b, &p, 1));
  read_floats(y, out, n);
  for (int i = 0; i < n; i++)
    if (isnan(x[i]))
      ck_assert_msg(isnan(y[i]), "relu lost the NaN at %d of %d", i, n);
    else
      ck_assert_msg(y[i] == (x[i] < 0 ? 0 : x[i]), "relu at %d of %d: %g for %g", i, n, y[i], x[i]);
  ops->prepared_destroy(p);
  ops->buffer_destroy(b, in);
  ops->buffer_destroy(b, out);
  free(x);
  free(y);
}

static char folder[] = "/tmp/skipper-test-XXXXXX";

static inline void fresh_folder(void) {
  ck_assert_ptr_nonnull(mkdtemp(folder));
  setenv("SKIPPER_CACHE", folder, 1);
}

static inline void remove_folder(void) {
  char command[600];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  ck_assert_int_eq(system(command), 0);
}

/* Asked in a process of its own: the tests must find OpenCL not yet loaded. */
static inline bool there_is_a_device(void) {
  pid_t child = fork();
  if (!child) {
    const struct skp_backend_options options = where_else((struct skp_backend_options){0});
    bool good = ops->open(&b, &options) == SKP_OK;
    if (!good) fprintf(stderr, "Skipped: %s\n", skp_error_message());
    _exit(good ? 0 : 1);
  }
  int state = 1;
  return child > 0 && waitpid(child, &state, 0) == child && !state;
}

#endif
