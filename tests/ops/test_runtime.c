/* test_runtime.c: the OpenCL backend's own mechanisms: memory, launches, choice of methods, tickets and failures.
 * SPDX-License-Identifier: MIT */
#include "device.h"
#include <time.h>

/* ---- memory ------------------------------------------------------------------------------------------------------ */

START_TEST(fresh_memory_is_zero) {
  enum { N = 100003 };
  static float ones[N], got[N];
  for (int i = 0; i < N; i++) ones[i] = 1;
  for (int round = 0; round < 3; round++) { /* later rounds may get used memory */
    struct skp_buffer *fresh = buffer(N);
    read_floats(got, fresh, N);
    for (int i = 0; i < N; i++) ck_assert(got[i] == 0);
    write_floats(fresh, ones, N);
    ops->buffer_destroy(b, fresh);
  }
}
END_TEST

START_TEST(slices_share_their_base) {
  struct skp_backend_info info;
  ops->info(b, &info);
  int64_t step = info.alignment / 4;
  struct skp_buffer *base = buffer(4 * step), *slice, *inner, *wrong;
  float value = 7, all[4 * 1024] = {0};
  ck_assert(step <= 1024);
  ck_ok(ops->buffer_slice(b, &slice, base, 4 * step, 12 * step));
  ck_ok(ops->buffer_slice(b, &inner, slice, 4 * step, 4 * step));
  ck_ok(ops->write(b, inner, 4, &value, 4));
  finish();
  read_floats(all, base, 4 * step);
  for (int64_t i = 0; i < 4 * step; i++) ck_assert(all[i] == (i == 2 * step + 1 ? 7 : 0));
  ck_fails(ops->buffer_slice(b, &wrong, base, 0, 16 * step + 4), SKP_INTERNAL, "does not fit");
  ck_fails(ops->buffer_slice(b, &wrong, base, 4, 4), SKP_INTERNAL, "alignment");
  ops->buffer_destroy(b, inner);
  ops->buffer_destroy(b, slice);
  ops->buffer_destroy(b, base);
}
END_TEST

START_TEST(copies_stay_inside) {
  float value[2] = {0};
  struct skp_buffer *one = buffer(1);
  ck_fails(ops->write(b, one, 0, value, 8), SKP_INTERNAL, "leaves a buffer of 4");
  ck_fails(ops->read(b, one, 4, value, 4), SKP_INTERNAL, "leaves a buffer");
  ck_fails(ops->read(b, one, -4, value, 4), SKP_INTERNAL, "leaves a buffer");
  ops->buffer_destroy(b, one);
}
END_TEST

START_TEST(too_much_memory_is_refused) {
  struct skp_backend_info before, after;
  struct skp_buffer *huge;
  ops->info(b, &before);
  ck_fails(ops->buffer_create(b, &huge, before.max_allocation + 1), SKP_DEVICE_MEMORY, "in one piece");
  ck_assert_ptr_null(huge);
  ops->info(b, &after);
  ck_assert_int_eq(after.used, before.used);
  check_relu(10); /* the device is as good as before */
}
END_TEST

/* ---- launches ---------------------------------------------------------------------------------------------------- */

START_TEST(relu_of_any_length) {
  const int lengths[] = {1, 7, 8, 9, 511, 512, 513, 100001};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) check_relu(lengths[i]);
}
END_TEST

START_TEST(binding_again_changes_the_buffers) {
  float x[4] = {-1, 1, -2, 2}, y[4], z[4];
  struct skp_buffer *in = buffer(4), *first = buffer(4), *second = buffer(4);
  struct skp_prepared *p = prepare_relu(4);
  write_floats(in, x, 4);
  ck_fails(ops->run(b, &p, 1), SKP_INTERNAL, "before its buffers were bound");
  ck_ok(ops->bind(p, &in, &first, NULL));
  ck_ok(ops->run(b, &p, 1));
  ck_ok(ops->bind(p, &in, &second, NULL));
  ck_ok(ops->run(b, &p, 1));
  read_floats(y, first, 4);
  read_floats(z, second, 4);
  ck_assert(y[1] == 1 && y[2] == 0 && z[1] == 1 && z[2] == 0);
  ops->prepared_destroy(p);
  ops->buffer_destroy(b, in);
  ops->buffer_destroy(b, first);
  ops->buffer_destroy(b, second);
}
END_TEST

/* More launches than may be in flight, tickets among them. */
static void run_many(void) {
  enum { RUNS = 300 };
  struct skp_buffer *x = buffer(16), *y = buffer(16);
  struct skp_prepared *p = prepare_relu(16);
  uint64_t ticket = 0, before = 0;
  ck_ok(ops->bind(p, &x, &y, NULL));
  for (int i = 0; i < RUNS; i++) {
    struct skp_prepared *three[] = {p, p, p};
    ck_ok(ops->run(b, three, 3));
    if (i % 10 == 0) ck_ok(ops->ticket(b, &ticket));
    ck_assert(ticket >= before);
    before = ticket;
  }
  ck_ok(ops->wait(b, ticket));
  finish();
  ops->prepared_destroy(p);
  ops->buffer_destroy(b, x);
  ops->buffer_destroy(b, y);
}

START_TEST(many_launches) { run_many(); }
END_TEST

START_TEST(many_launches_one_by_one) {
  open_with((struct skp_backend_options){.sync = true});
  run_many();
  close_device();
}
END_TEST

/* What a faulty or too demanding method runs into; tests/unit/test_launch.c has what arguments may be wrong. */
static skp_status launch(size_t global, size_t local) {
  struct skp_prepared p = {.cl = cl, .sig = relu_of(8), .method = "test"};
  skp_status status = skp__cl_launch(&p, "relu", "relu", "", 1, &global, local ? &local : NULL,
                                     SKP_ARGS(SKP_OUT(y, 0), SKP_IN(x, 0), SKP_INT(n, 8)));
  skp__cl_steps_free(&p);
  return status;
}

START_TEST(launches_are_checked) {
  ck_ok(launch(64, 64));
  ck_ok(launch(65, 0)); /* any group */
  ck_fails(launch(65, 64), SKP_INTERNAL, "not a multiple");
  ck_fails(launch(0, 64), SKP_INTERNAL, "not a multiple");
  ck_fails(launch(cl->max_items[0] * 2, cl->max_items[0] * 2), SKP_UNSUPPORTED, "work-items");
}
END_TEST

START_TEST(kernels_that_do_not_compile) {
  cl_program program;
  skp_status status = skp__cl_build(cl, &program, "broken", "kernel void f(global float *x) { x[0] = y; }", "-DX=1");
  ck_fails(status, SKP_BUILD, "cl/broken.cl");
  ck_assert_ptr_null(program);
  ck_assert_ptr_nonnull(strstr(skp_error_message(), cl->name));
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "-DX=1"));
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "y")); /* the log */
  check_relu(10);
}
END_TEST

static void check_parameters(cl_program program, const struct skp__cl_kernel *k) {
  cl_int code;
  cl_uint takes = 0, listed = 0;
  cl_kernel kernel = clCreateKernel(program, k->name, &code);
  ck_assert_msg(code == CL_SUCCESS, "cl/%s.cl: %s: %s", k->file, k->name, skp__cl_error_name(code));
  ck_assert_int_eq(clGetKernelInfo(kernel, CL_KERNEL_NUM_ARGS, sizeof takes, &takes, NULL), CL_SUCCESS);
  while (k->parameters[listed].name) listed++;
  ck_assert_msg(takes == listed, "cl/%s.cl: %s takes %u arguments, not %u", k->file, k->name, takes, listed);
  clReleaseKernel(kernel);
}

/* Each file compiles by itself, without options, and its kernels are those of the table. Kernels for CPUs alone are not
 * given to other compilers, which their large private arrays keep busy, or crash. */
START_TEST(files_compile_alone) {
  if (!cl->cpu) return;
  for (const struct skp__cl_source *s = skp__cl_sources; s->name; s++) {
    cl_program program;
    ck_ok(skp__cl_build(cl, &program, s->name, s->text, "-cl-std=CL1.2 -w"));
    for (const struct skp__cl_kernel *k = skp__cl_kernels; k->name; k++)
      if (!strcmp(k->file, s->name)) check_parameters(program, k);
    clReleaseProgram(program);
  }
}
END_TEST

/* ---- methods ----------------------------------------------------------------------------------------------------- */

static const char *refuse(const struct skp__cl *device, const struct skp_sig *sig) {
  (void)device, (void)sig;
  return "only on Sundays";
}
static skp_status works(struct skp_prepared *p, const struct skp_sig *sig) {
  (void)sig;
  skp__cl_need_workspace(p, 4);
  return SKP_OK;
}
static skp_status too_large(struct skp_prepared *p, const struct skp_sig *sig) {
  (void)sig;
  skp__cl_need_workspace(p, 8);
  return skp__fail(SKP_UNSUPPORTED, "too large a group");
}
static skp_status compiler_fails(struct skp_prepared *p, const struct skp_sig *sig) {
  (void)p, (void)sig;
  return skp__fail(SKP_BUILD, "the compiler says no");
}
static skp_status device_fails(struct skp_prepared *p, const struct skp_sig *sig) {
  (void)p, (void)sig;
  return skp__fail(SKP_DEVICE, "smoke");
}

/* Lets `table` choose; returns the method's name, or NULL with the error. The trace goes to `trace`. */
static const char *choice(const struct skp__cl_method *table, char *trace, size_t size) {
  struct skp_prepared p = {.cl = cl, .sig = relu_of(8)};
  memset(trace, 0, size);
  cl->trace = fmemopen(trace, size, "w");
  skp_status status = skp__cl_choose(&p, table, NULL, NULL);
  fclose(cl->trace);
  cl->trace = NULL;
  if (status == SKP_OK) ck_assert_int_eq(skp__cl_workspace(&p), 4);
  skp__cl_steps_free(&p);
  return status == SKP_OK ? p.method : NULL;
}

START_TEST(the_first_that_can_is_chosen) {
  char trace[800];
  unsigned here = cl->cpu ? SKP_CL_CPU : SKP_CL_GPU, elsewhere = SKP_CL_ANY ^ here;
  const struct skp__cl_method table[] = {{"never", SKP_CL_ANY, refuse, works, 0},
                                         {"big", SKP_CL_ANY, NULL, too_large, 0},
                                         {"broken", SKP_CL_ANY, NULL, compiler_fails, 0},
                                         {"foreign", elsewhere, NULL, works, 0},
                                         {"right", here, NULL, works, 0},
                                         {0}};
  ck_assert_str_eq(choice(table, trace, sizeof trace), "right");
  ck_assert_ptr_nonnull(strstr(trace, "relu 8 -> 8: right"));
  ck_assert_ptr_nonnull(strstr(trace, "never: only on Sundays"));
  ck_assert_ptr_nonnull(strstr(trace, "big: too large a group"));
  ck_assert_ptr_nonnull(strstr(trace, "broken: does not compile"));
  const struct skp__cl_method two[] = {
      {"broken", here, NULL, compiler_fails, 0}, {"foreign", elsewhere, NULL, works, 0}, {0}};
  const char *left = choice(two, trace, sizeof trace);
  if (cl->cpu)
    ck_assert_str_eq(left, "foreign");
  else
    ck_assert_ptr_null(left); /* made for CPUs alone */
}
END_TEST

START_TEST(no_method_left) {
  char trace[800];
  const struct skp__cl_method none[] = {
      {"never", SKP_CL_ANY, refuse, works, 0}, {"big", SKP_CL_ANY, NULL, too_large, 0}, {0}};
  ck_assert_ptr_null(choice(none, trace, sizeof trace));
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "never: only on Sundays; big: too large a group"));
  const struct skp__cl_method broken[] = {
      {"broken", SKP_CL_ANY, NULL, compiler_fails, 0}, {"big", SKP_CL_ANY, NULL, too_large, 0}, {0}};
  ck_assert_ptr_null(choice(broken, trace, sizeof trace));
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "the compiler says no"));
  const struct skp__cl_method smoke[] = {
      {"smoke", SKP_CL_ANY, NULL, device_fails, 0}, {"right", SKP_CL_ANY, NULL, works, 0}, {0}};
  ck_assert_ptr_null(choice(smoke, trace, sizeof trace)); /* no other method mends that */
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "smoke"));
}
END_TEST

START_TEST(forced_methods) {
  struct skp_backend *other;
  struct skp_prepared *p;
  struct skp_sig sig = relu_of(8);
  ck_fails(ops->open(&other, &(struct skp_backend_options){.method = "relu=fast"}), SKP_USAGE, "are: plain");
  ck_fails(ops->open(&other, &(struct skp_backend_options){.method = "add=plain,prelu=plain"}), SKP_USAGE,
           "no op prelu");
  ck_fails(ops->open(&other, &(struct skp_backend_options){.method = "relu"}), SKP_USAGE, "OP=METHOD");
  open_with((struct skp_backend_options){.method = "add=plain,relu=plain"});
  ck_ok(ops->prepare(b, &p, &sig, NULL));
  ck_assert_str_eq(ops->method(p), "plain");
  ops->prepared_destroy(p);
  ck_fails(ops->prepare(b, &p, &sig, "fast"), SKP_UNSUPPORTED, "no method fast");
  ck_assert_str_eq(ops->method_name(b, sig.op, 0), "plain");
  ck_assert_ptr_null(ops->method_name(b, sig.op, 1));
  ck_assert_ptr_null(ops->method_refusal(b, &sig, 0));
  sig.in[0] = sig.out[0] = skp__shape1((int64_t)1 << 31);
  ck_assert_str_eq(ops->method_refusal(b, &sig, 0), "more than 2^31 elements");
  skp__sig_free(&sig);
  close_device();
}
END_TEST

/* ---- failures ---------------------------------------------------------------------------------------------------- */

START_TEST(a_hang_is_named) {
  open_device();
  struct skp_buffer *x = buffer(16);
  struct skp_prepared *p = prepare_relu(16); /* compiling may take longer than … */
  uint64_t ticket;
  ck_ok(ops->bind(p, &x, &x, NULL));
  finish();
  cl->watch.limit = 0.3;                                 /* … what follows */
  cl_event never = clCreateUserEvent(cl->context, NULL); /* what a kernel without end looks like from here */
  ck_assert_int_eq(clEnqueueBarrierWithWaitList(cl->queue, 1, &never, NULL), CL_SUCCESS);
  ck_ok(ops->run(b, &p, 1));
  ck_ok(ops->ticket(b, &ticket));
  ck_fails(ops->wait(b, ticket), SKP_DEVICE, "did not finish within 0.3 s");
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "relu"));
  ck_fails(ops->run(b, &p, 1), SKP_DEVICE, "failed earlier");
  ck_fails(ops->read(b, x, 0, &(float){0}, 4), SKP_DEVICE, "failed earlier");
  cl_mem memory = x->mem;
  cl_command_queue queue = cl->queue;
  cl_context context = cl->context;
  ops->prepared_destroy(p);
  ops->buffer_destroy(b, x);
  close_device(); /* at once, and leaving alone what the driver would wait for */
  clSetUserEventStatus(never, CL_COMPLETE);
  clReleaseEvent(never);
  clReleaseMemObject(memory);
  clReleaseCommandQueue(queue);
  clReleaseContext(context);
}
END_TEST

START_TEST(codes) {
  ck_ok(skp__cl_check(cl, CL_SUCCESS, "clFinish", ""));
  ck_fails(skp__cl_check(cl, CL_MEM_OBJECT_ALLOCATION_FAILURE, "clEnqueueNDRangeKernel", "relu"), SKP_DEVICE_MEMORY,
           "clEnqueueNDRangeKernel relu");
  ck_fails(skp__cl_check(cl, CL_INVALID_KERNEL_ARGS, "clFinish", ""), SKP_DEVICE, "CL_INVALID_KERNEL_ARGS");
  for (cl_int code = -6; code <= -4; code++)
    ck_fails(skp__cl_check_queued(cl, code, "clEnqueueNDRangeKernel", "relu"), SKP_DEVICE_MEMORY, "out of memory");
  ck_assert(!cl->lost);
  ck_fails(skp__cl_check(cl, CL_OUT_OF_RESOURCES, "clFinish", ""), SKP_DEVICE, "CL_OUT_OF_RESOURCES");
  ck_assert(cl->lost);
  cl->lost = false;
  ck_fails(skp__cl_check(cl, -9999, "clFinish", ""), SKP_DEVICE, "code -9999");
  ck_assert(cl->lost);
  struct skp_buffer *none;
  ck_fails(ops->buffer_create(b, &none, 4), SKP_DEVICE, "failed earlier");
  ck_assert_str_eq(skp__cl_error_name(-72), "CL_MAX_SIZE_RESTRICTION_EXCEEDED");
}
END_TEST

START_TEST(tickets_that_were_never_taken) { ck_fails(ops->wait(b, 1000), SKP_INTERNAL, "never taken"); }
END_TEST

/* ---- opening ----------------------------------------------------------------------------------------------------- */

START_TEST(a_crashing_driver_does_not_disturb) {
  char command[2000];
  const char *vendors = getenv("OCL_ICD_VENDORS"), *fakes = getenv("SKP_FAKE_ICDS");
  ck_assert_ptr_nonnull(fakes);
  snprintf(command, sizeof command,
           "v='%s'; if [ -d \"$v\" ]; then cp \"$v\"/*.icd '%s'; else cp \"$v\" '%s'; fi; "
           "echo '%s/libfake_icd_CRASH.so' > '%s'/crash.icd",
           vendors && *vendors ? vendors : "/etc/OpenCL/vendors", folder, folder, fakes, folder);
  ck_assert_int_eq(system(command), 0);
  setenv("OCL_ICD_VENDORS", folder, 1);
  open_device();
  check_relu(100);
  close_device();
  const struct skp_device_list *list;
  ck_ok(skp__devices_list(&list));
  bool noted = false;
  for (size_t i = 0; i < list->n_notes; i++) noted = noted || strstr(list->notes[i], "crash.icd crashed (SIGABRT)");
  ck_assert(noted);
}
END_TEST

START_TEST(limited_threads) {
  const struct skp_backend_options one = where_else((struct skp_backend_options){.threads = 1});
  skp_status status = ops->open(&b, &one);
  if (status == SKP_UNSUPPORTED) { /* honest where the driver cannot */
    ck_assert_ptr_nonnull(strstr(skp_error_message(), "Leave out threads"));
    return;
  }
  ck_ok(status);
  cl = (struct skp__cl *)b;
  if (cl->cpu) ck_assert_int_eq(cl->units, 1);
  check_relu(1000);
  close_device();
}
END_TEST

/* All that there is, and no more than a device can; the memory is given back. */
START_TEST(peaks) {
  struct skp_backend_peaks p;
  struct skp_backend_info before, after;
  ops->info(b, &before);
  skp_status status = ops->measure(b, &p);
  if (status == SKP_DEVICE_MEMORY || status == SKP_UNSUPPORTED) return; /* honest where it cannot */
  ck_ok(status);
  ops->info(b, &after);
  ck_assert_int_eq(before.used, after.used);
  ck_assert(p.fma > 1e8 && p.fma < 1e15 && (p.narrow > 0) == cl->bf16_dot);
  ck_assert(p.read > 1e8 && p.write > 1e8 && p.triad > 1e8 && p.read < 1e14 && p.write < 1e14 && p.triad < 1e14);
  ck_assert(p.launch > 1e-8 && p.launch < 1);
  check_relu(100);
}
END_TEST

int main(void) {
  if (!there_is_a_device()) return SKP_TEST_SKIPPED;
  Suite *suite = suite_create("runtime");
  TCase *opened = tcase_create("opened"), *opening = tcase_create("opening");
  tcase_add_checked_fixture(opened, open_device, close_device);
  tcase_add_test(opened, fresh_memory_is_zero);
  tcase_add_test(opened, slices_share_their_base);
  tcase_add_test(opened, copies_stay_inside);
  tcase_add_test(opened, too_much_memory_is_refused);
  tcase_add_test(opened, relu_of_any_length);
  tcase_add_test(opened, binding_again_changes_the_buffers);
  tcase_add_test(opened, many_launches);
  tcase_add_test(opened, launches_are_checked);
  tcase_add_test(opened, kernels_that_do_not_compile);
  tcase_add_test(opened, files_compile_alone);
  tcase_add_test(opened, the_first_that_can_is_chosen);
  tcase_add_test(opened, no_method_left);
  tcase_add_test(opened, codes);
  tcase_add_test(opened, peaks);
  tcase_add_test(opened, tickets_that_were_never_taken);
  tcase_add_checked_fixture(opening, fresh_folder, remove_folder);
  tcase_add_test(opening, many_launches_one_by_one);
  tcase_add_test(opening, forced_methods);
  tcase_add_test(opening, a_hang_is_named);
  tcase_add_test(opening, a_crashing_driver_does_not_disturb);
  tcase_add_test(opening, limited_threads);
  tcase_set_timeout(opened, 0); /* all of cl/ takes a slow compiler minutes; ctest has a limit of its own */
  tcase_set_timeout(opening, 240);
  suite_add_tcase(suite, opened);
  suite_add_tcase(suite, opening);
  return skp__test_main(suite);
}
