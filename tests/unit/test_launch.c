/* test_launch.c: what kernels are launched with is checked against their parameters, without a device: every method of
 * every op on the generated cases, on made-up devices of all kinds, and mistakes one by one.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"
#include "backend/opencl/jobs.h"
#include "backend/opencl/launch.h"
#include "test.h"
#include "verify/case.h"

static const struct device {
  bool cpu;
  int lanes;
  unsigned vendor;
} devices[] = {{true, 8, 0}, {true, 16, 0}, {false, 1, 0x10de}, {false, 1, 0x1002}, {false, 1, 0x8086}, {false, 1, 0}};
enum { DEVICES = sizeof devices / sizeof *devices };

static struct skp__cl made_up(const struct device *d, struct skp__cl_jobs *jobs) {
  return (struct skp__cl){.base.ops = &skp__backend_opencl,
                          .cpu = d->cpu,
                          .lanes = d->lanes,
                          .vendor = d->vendor,
                          .units = 8,
                          .max_group = 1024,
                          .max_items = {1024, 1024, 64},
                          .local_memory = 48 << 10,
                          .name = "made up",
                          .forced = "",
                          .noting = jobs};
}

/* ---- all methods ------------------------------------------------------------------------------------------------- */

static int prepared;

static void prepare_all(struct skp_backend *b, const struct skp_sig *sig, const char *id) {
  const char *method;
  for (int m = 0; (method = b->ops->method_name(b, sig->op, m)); m++) {
    struct skp_prepared *p;
    if (b->ops->method_refusal(b, sig, m)) continue;
    skp_status status = b->ops->prepare(b, &p, sig, method);
    ck_assert_msg(status == SKP_OK, "%s: %s by %s: %s", id, sig->op->name, method, skp_error_message());
    b->ops->prepared_destroy(p);
    prepared++;
  }
}

static skp_status visit(void *user, const struct skp__case *c) {
  for (size_t n = 0; n < c->g->nodes.n; n++) {
    struct skp_sig sig = skp__graph_sig(c->g, &c->g->nodes.at[n]);
    prepare_all(user, &sig, c->id);
  }
  return SKP_OK;
}

START_TEST(every_method) {
  struct skp__cl_jobs jobs = {.ahead = true};
  struct skp__cl cl = made_up(&devices[_i], &jobs);
  ck_ok(skp__generated_each(NULL, 1, false, visit, &cl.base));
  ck_assert_int_gt(prepared, 300);
  ck_assert_uint_gt(jobs.list.n, 100);
  SKP_FREE(&jobs.list);
}
END_TEST

/* ---- mistakes ---------------------------------------------------------------------------------------------------- */

/* The launch of transpose(y, x, total, rows, columns), or another kernel, for relu of eight values. */
static skp_status launch(const char *kernel, const struct skp__cl_arg *args) {
  struct skp__cl_jobs jobs = {.ahead = true};
  struct skp__cl cl = made_up(&devices[0], &jobs);
  struct skp_shape x = skp__shape1(8);
  struct skp_prepared p = {.cl = &cl, .sig = {.op = &skp__op_relu, .n_in = 1, .n_out = 1, .in = &x, .out = &x}};
  const size_t global = 8;
  skp_status status = skp__cl_launch(&p, "transpose", kernel, "", 1, &global, NULL, args);
  SKP_FREE(&jobs.list);
  return status;
}

START_TEST(mistakes_are_refused) {
  static const char kernel[] = "transpose";
  const struct skp__cl_arg y = SKP_OUT(y, 0), x = SKP_IN(x, 0), total = SKP_INT(total, 8), rows = SKP_INT(rows, 1);
  const struct skp__cl_arg columns = SKP_INT(columns, 8);
  ck_ok(launch(kernel, SKP_ARGS(y, x, total, rows, columns)));
  ck_ok(launch(kernel, SKP_ARGS(SKP_WORK(y), SKP_WORK(x), total, rows, columns)));
  ck_ok(launch(kernel, SKP_ARGS(y, SKP_ABSENT(x), total, rows, columns)));
  const struct {
    const struct skp__cl_arg *args;
    const char *text;
  } wrong[] = {
      {SKP_ARGS(y, SKP_IN(map, 0), total, rows, columns),
       "argument 2 is \"x\", global const float *; given is input 0 as \"map\""},
      {SKP_ARGS(y, x, rows, total, columns), "argument 3 is \"total\", int; given is an int as \"rows\""},
      {SKP_ARGS(y, x, SKP_FLOAT(total, 8.0f), rows, columns),
       "argument 3 is \"total\", int; given is a float as \"total\""},
      {SKP_ARGS(y, x, SKP_WORK(total), rows, columns), "given is the workspace as \"total\""},
      {SKP_ARGS(y, SKP_INT(x, 0), total, rows, columns), "given is an int as \"x\""},
      {SKP_ARGS(SKP_IN(y, 0), x, total, rows, columns),
       "argument 1 is \"y\", global float *; given is input 0 as \"y\""},
      {SKP_ARGS(y, SKP_OUT(x, 0), total, rows, columns), "given is output 0 as \"x\""},
      {SKP_ARGS(y, SKP_IN(x, 1), total, rows, columns), "given is input 1 as \"x\""},
      {SKP_ARGS(y, x, total, rows), "argument 5 is \"columns\", int; given is nothing more"},
      {SKP_ARGS(y, x, total, rows, columns, columns), "takes 5 arguments; given is also an int as \"columns\""},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    ck_fails(launch(kernel, wrong[i].args), SKP_INTERNAL, wrong[i].text);
    ck_assert_ptr_nonnull(strstr(skp_error_message(), "Kernel transpose of cl/transpose.cl"));
  }
  ck_fails(launch("transpase", SKP_ARGS(y, x, total, rows, columns)), SKP_INTERNAL,
           "no kernel transpase in cl/transpose.cl");
}
END_TEST

START_TEST(types_of_values) {
  struct skp__cl_jobs jobs = {.ahead = true};
  struct skp__cl cl = made_up(&devices[0], &jobs);
  struct skp_shape labels = skp__shape1(8);
  labels.dtype = SKP_I32;
  struct skp_shape y = skp__shape1(8);
  const struct skp_sig sig = {.op = &skp__op_relu, .n_in = 1, .n_out = 1, .in = &labels, .out = &y};
  struct skp_prepared p = {.cl = &cl, .sig = sig};
  const size_t global = 8;
  ck_fails(
      skp__cl_launch(&p, "relu", "relu", "", 1, &global, NULL, SKP_ARGS(SKP_OUT(y, 0), SKP_IN(x, 0), SKP_INT(n, 8))),
      SKP_INTERNAL, "argument 2 is \"x\", global const stored *");
}
END_TEST

/* One output channel becomes a panel of many, and padding more than the image: positions there must be ints, too. */
START_TEST(large_copies) {
  static const struct {
    struct skp_shape x, w;
    int pad;
    const char *refusal;
  } sizes[] = {{{SKP_F32, 4, {1, 1, 1, 1 << 24}}, {SKP_F32, 4, {1, 1, 1 << 24, 1}}, 0, NULL},
               {{SKP_F32, 4, {1, 1, 1, 1 << 27}}, {SKP_F32, 4, {1, 1, 1 << 27, 1}}, 0, "in panels"},
               {{SKP_F32, 4, {1, 9, 9, 4}}, {SKP_F32, 4, {3, 3, 4, 16}}, 8000, NULL},
               {{SKP_F32, 4, {1, 9, 9, 4}}, {SKP_F32, 4, {3, 3, 4, 16}}, 16000, "with padding"}};
  const struct skp__cl cl = made_up(&devices[0], NULL);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    struct skp_shape in[] = {sizes[i].x, sizes[i].w, {0}}, y = {SKP_F32, 4, {1, 1, 1, sizes[i].w.dim[3]}};
    struct skp_sig sig = {.op = &skp__op_conv2d, .n_in = 3, .n_out = 1, .in = in, .out = &y};
    sig.attrs.conv2d = (struct skp_conv2d_attrs){.stride = 1, .pad = sizes[i].pad, .dilation = 1, .groups = 1};
    const char *reason = skp__conv_cpu_refuse(&cl, &sig);
    ck_assert_msg(!reason == !sizes[i].refusal && (!reason || strstr(reason, sizes[i].refusal)), "%zu: %s", i, reason);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("launch");
  TCase *c = tcase_create("launch");
  tcase_add_loop_test(c, every_method, 0, DEVICES);
  tcase_add_test(c, mistakes_are_refused);
  tcase_add_test(c, types_of_values);
  tcase_add_test(c, large_copies);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
