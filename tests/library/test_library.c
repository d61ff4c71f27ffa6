/* test_library.c: the library as its users see it, by skipper.h and the shared file alone.
 * SPDX-License-Identifier: MIT */
#include "library.h"
#include <locale.h>

/* How this process writes numbers; a program that calls setlocale(LC_ALL, "") may have a comma there. */
static char sign[] = ".", nothing[] = "";
__attribute__((visibility("default"))) struct lconv *localeconv(void) {
  static struct lconv conventions;
  conventions = (struct lconv){.decimal_point = sign, .thousands_sep = nothing, .grouping = nothing};
  return &conventions;
}

/* ---- the tests --------------------------------------------------------------------------------------------------- */

START_TEST(versions_agree) {
  char text[32];
  ck_assert_str_eq(skp_version(), SKP_VERSION);
  snprintf(text, sizeof text, "%d.%d.%d", SKP_VERSION_MAJOR, SKP_VERSION_MINOR, SKP_VERSION_PATCH);
  ck_assert_str_eq(skp_version(), text);
}
END_TEST

/* Nothing is begun that would write 0,1. */
START_TEST(numbers_have_points) {
  skp_device *other;
  ck_ok(skp_model_build(&model, "plain", plain, NULL));
  *sign = ',';
  ck_fails(skp_device_open(&other, NULL), SKP_USAGE, "setlocale(LC_NUMERIC");
  ck_fails(skp_session_open(&session, model, device, 7), SKP_USAGE, "written with \",\"");
  skp_model *again;
  ck_fails(skp_model_build(&again, "plain", plain, NULL), SKP_USAGE, "setlocale");
  ck_fails(skp_model_load(&again, "resnet20", NULL), SKP_USAGE, "setlocale");
  *sign = '.';
  ck_ok(skp_session_open(&session, model, device, 7));
}
END_TEST

START_TEST(devices_are_described) {
  ck_ok(skp_host_set(&(skp_host_options){.scratch = folder, .root = "/", .probe_seconds = 20}));
  ck_ok(skp_host_set(NULL));
  size_t n, chosen;
  ck_ok(skp_device_count(&n));
  for (size_t i = 0; i < n; i++) {
    skp_device_info d;
    ck_ok(skp_device_describe(i, &d));
    ck_assert_int_gt((int)strlen(d.name), 0);
    ck_assert_msg(d.usable || *d.why, "%s is not usable, and nothing says why", d.name);
    ck_assert_int_gt(d.units, 0);
    ck_assert_int_le(d.most, d.memory);
    ck_assert_ptr_nonnull(strstr(d.version, "OpenCL"));
  }
  if (skp_device_choose(&chosen, NULL) == SKP_OK) ck_assert_uint_lt(chosen, n);
  ck_fails(skp_device_choose(&chosen, &(skp_device_options){.device = "no-such-device"}), SKP_NO_DEVICE, "");
  ck_fails(skp_device_describe(n, &(skp_device_info){0}), SKP_USAGE, "no device");
  skp_device_state state;
  skp_device_ask(device, &state);
  ck_assert_int_gt((int)strlen(state.name), 0);
}
END_TEST

/* fc.weight is {classes, C·H·W}: the logits are its products with the pixels. */
START_TEST(parameters_are_read_and_written) {
  const float weight[8] = {1, 2, 3, 4, -1, 0, 0.5f, 0}, bias[2] = {0.25f, -2};
  const float pixels[4] = {0.5f, 1, 0, 0.25f};
  float read[8], logits[2];
  skp_parameter p;
  open_plain(NULL);
  ck_assert_uint_eq(skp_parameter_count(session), 2);
  ck_ok(skp_parameter_describe(session, 1, &p));
  ck_assert_str_eq(p.name, "fc.bias");
  ck_ok(skp_parameter_find(session, "fc.weight", &p));
  ck_assert_int_eq(p.rank, 2);
  ck_assert_int_eq(p.dim[0], 2);
  ck_assert_int_eq(p.dim[1], 4);
  ck_assert_int_eq(p.count, 8);
  ck_assert_int_eq(p.trained, 1);
  ck_ok(skp_parameter_write(session, "fc.weight", weight, 8));
  ck_ok(skp_parameter_write(session, "fc.bias", bias, 2));
  ck_ok(skp_parameter_read(session, "fc.weight", read, 8));
  ck_assert_mem_eq(read, weight, sizeof weight);
  ck_ok(skp_predict(session, &(skp_pixels){pixels, SKP_FLOATS, 1, 2, 2, 1}, SKP_LOGITS, logits));
  ck_assert_float_eq_tol(logits[0], 0.25f + 0.5f + 2 + 1, 1e-6f);
  ck_assert_float_eq_tol(logits[1], -2 - 0.5f, 1e-6f);
  ck_fails(skp_parameter_read(session, "fc.weight", read, 7), SKP_SHAPE, "8 values, not 7");
  ck_fails(skp_parameter_find(session, "fc.wait", &p), SKP_USAGE, "fc.weight");
  ck_fails(skp_parameter_describe(session, 2, &p), SKP_USAGE, "no parameter 2");
}
END_TEST

/* A convolution's weight is {K, C, R, S}, whatever it is in memory. */
START_TEST(layouts_are_those_of_pytorch) {
  static const char text[] = "return {input = {channels = 3, size = 4}, network = function(x)\n"
                             "  x = nn.batchnorm2d(nn.conv2d(x, 2, {kernel = 1, name = 'conv'}), {name = 'bn'})\n"
                             "  return nn.flatten(nn.global_avgpool(x)) end}\n";
  const float weight[6] = {1, 2, 3, 4, 5, 6}, none[2] = {0};
  uint8_t pixels[4 * 4 * 3];
  float logits[2];
  skp_parameter p;
  ck_ok(skp_model_build(&model, "net", text, NULL));
  ck_ok(skp_session_open(&session, model, device, 1));
  ck_ok(skp_parameter_find(session, "conv.weight", &p));
  ck_assert_int_eq(p.rank, 4);
  ck_assert_mem_eq(p.dim, ((int64_t[]){2, 3, 1, 1}), sizeof p.dim);
  ck_ok(skp_parameter_find(session, "bn.running_var", &p));
  ck_assert_int_eq(p.trained, 0);
  ck_ok(skp_parameter_write(session, "conv.weight", weight, 6));
  ck_ok(skp_parameter_write(session, "conv.bias", none, 2));
  ck_ok(skp_parameter_write(session, "bn.running_var", ((float[]){1, 4}), 2));
  for (int i = 0; i < 48; i++) pixels[i] = (uint8_t)(i % 3 * 51); /* 0, 0.2, 0.4 */
  ck_ok(skp_predict(session, &(skp_pixels){pixels, SKP_BYTES, 1, 4, 4, 3}, SKP_LOGITS, logits));
  ck_assert_float_eq_tol(logits[0], 2 * 0.2f + 3 * 0.4f, 1e-4f);
  ck_assert_float_eq_tol(logits[1], (5 * 0.2f + 6 * 0.4f) / 2, 1e-4f);
}
END_TEST

START_TEST(bytes_and_floats_are_the_same) {
  float a[IMAGES][2], b[IMAGES][2];
  draw_images();
  open_plain(NULL);
  ck_ok(skp_model_set(model, "mean", "0.3"));
  ck_ok(skp_model_set(model, "std", "0.2"));
  ck_ok(skp_predict(session, &as_bytes, SKP_LOGITS, a[0]));
  ck_ok(skp_predict(session, &as_floats, SKP_LOGITS, b[0]));
  for (int i = 0; i < IMAGES; i++)
    for (int k = 0; k < 2; k++) ck_assert_float_eq_tol(a[i][k], b[i][k], 1e-5f);
  ck_ok(skp_predict(session, &as_floats, SKP_PROBABILITIES, b[0]));
  for (int i = 0; i < IMAGES; i++) {
    ck_assert_float_eq_tol(b[i][0] + b[i][1], 1, 1e-6f);
    ck_assert_float_eq_tol(b[i][0], 1 / (1 + expf(a[i][1] - a[i][0])), 1e-5f);
  }
  ck_fails(skp_predict(session, &(skp_pixels){floats, SKP_FLOATS, 4, 4, 4, 1}, SKP_LOGITS, a[0]), SKP_SHAPE,
           "the network takes 2×2×1");
  ck_fails(skp_predict(session, &(skp_pixels){bytes, SKP_BYTES, 0, 2, 2, 1}, SKP_LOGITS, a[0]), SKP_USAGE, "memory");
  ck_fails(skp_predict(session, &(skp_pixels){bytes, SKP_BYTES, 1, 2, 2, 2}, SKP_LOGITS, a[0]), SKP_USAGE, "channel");
}
END_TEST

struct heard {
  int64_t steps, epochs, stop_after;
  double first, last;
};

static int hear(void *user, const skp_event *e) {
  struct heard *h = user;
  if (e->epoch_done) {
    h->epochs++;
  } else if (!e->doing) {
    if (!h->steps++) h->first = e->loss;
    h->last = e->loss;
  }
  return h->stop_after && h->steps >= h->stop_after;
}

/* Both kinds of pixels, without a file, twice in a session. */
START_TEST(a_network_learns_from_memory) {
  skp_data *data = wrap(_i ? &as_floats : &as_bytes);
  struct heard h = {0};
  skp_outcome outcome;
  skp_score score;
  open_plain(&(skp_model_options){.learns = data});
  ck_ok(skp_model_set(model, "epochs", "20"));
  skp_listen(hear, &h);
  ck_ok(skp_train(session, data, &(skp_training){.seed = 1}, &outcome));
  ck_assert_int_eq(h.steps, 80);
  ck_assert_int_eq(h.epochs, 20);
  ck_assert_int_eq(outcome.steps, 80);
  ck_assert_double_eq(outcome.accuracy, 1);
  ck_assert_double_lt(h.last, h.first / 2);
  ck_ok(skp_evaluate(session, data, SKP_TEST_IMAGES, NULL, &score));
  ck_assert_double_eq(score.accuracy, 1);
  ck_assert_int_eq(score.images, IMAGES);
  ck_assert_str_eq(skp_model_class_name(model, 1), "right");
  ck_assert_ptr_null(skp_model_class_name(model, 2));

  struct heard again = {.stop_after = 3};
  ck_ok(skp_model_set(model, "optimizer", "adam"));
  skp_listen(hear, &again);
  ck_fails(skp_train(session, data, NULL, &outcome), SKP_INTERRUPTED, "Stopped after step");
  skp_listen(NULL, NULL);
  ck_assert_int_ge(outcome.steps, 3);
  ck_assert_int_lt(outcome.steps, 10);
  ck_assert_double_lt(again.first, h.first / 2); /* it went on from the weights */
  skp_data_close(data);
}
END_TEST

/* An image that is not finite is named, whatever came of it, and the next training begins with sound weights. */
START_TEST(numbers_that_are_none_are_found) {
  skp_data *data = wrap(&as_floats);
  const skp_training three = {.max_steps = 3, .in_stored_order = 1};
  const float sound = floats[5][1];
  open_plain(&(skp_model_options){.learns = data});
  floats[5][1] = NAN;
  ck_fails(skp_train(session, data, &three, NULL), SKP_NUMERIC,
           "1 pixels are infinite or not numbers, the first in #5");
  ck_ok(skp_model_set(model, "on_nan", "rollback")); /* it would come again */
  ck_fails(skp_train(session, data, &three, NULL), SKP_NUMERIC, "There are no weights from before");
  floats[5][1] = sound;
  ck_ok(skp_train(session, data, &three, NULL));
  ck_ok(skp_parameter_write(session, "fc.bias", (float[]){NAN, 0}, 2));
  ck_fails(skp_train(session, data, &three, NULL), SKP_NUMERIC, "1 of the 2 weights of fc.bias were infinite or not");
  skp_data_close(data);
}
END_TEST

/* Without a folder, too, a run goes back to where it was sound, but not for ever. */
START_TEST(a_training_goes_back) {
  static const char text[] = "return {input = {channels = 1, size = 2}, network = function(x)\n"
                             "  x = nn.linear(nn.flatten(x), 4)\n"
                             "  return nn.linear(nn.mul(x, x), 2) end}\n";
  skp_data *data = wrap(&as_floats);
  ck_ok(skp_model_build(&model, "net", text, NULL));
  ck_ok(skp_session_open(&session, model, device, 1));
  ck_ok(skp_model_set(model, "on_nan", "rollback"));
  ck_ok(skp_model_set(model, "lr", "1e6"));
  ck_fails(skp_train(session, data, NULL, NULL), SKP_NUMERIC, "The run went back 5 times. There are no weights");
  skp_data_close(data);
}
END_TEST

/* An optimizer's memory does not outlive a training: two of one step each are those of two sessions. */
START_TEST(a_training_begins_afresh) {
  skp_data *data = wrap(&as_bytes);
  const skp_training one = {.max_steps = 1, .in_stored_order = 1};
  float weight[2][8];
  open_plain(NULL);
  ck_ok(skp_model_set(model, "momentum", "0.9"));
  ck_ok(skp_train(session, data, &one, NULL));
  char first[64];
  strcpy(first, in_folder("first.safetensors"));
  ck_ok(skp_session_save(session, first));
  ck_ok(skp_train(session, data, &one, NULL));
  ck_ok(skp_parameter_read(session, "fc.weight", weight[0], 8));
  ck_ok(skp_session_load(session, first, 0, NULL));
  ck_ok(skp_train(session, data, &one, NULL));
  ck_ok(skp_parameter_read(session, "fc.weight", weight[1], 8));
  ck_assert_mem_eq(weight[0], weight[1], sizeof weight[0]);
  skp_data_close(data);
}
END_TEST

/* With running averages, they are what counts, and what loading replaces. */
START_TEST(averages_are_the_weights) {
  skp_data *data = wrap(&as_bytes);
  float before[8], after[8], logits[2][IMAGES][2];
  open_plain(NULL);
  ck_ok(skp_session_save(session, in_folder("start.safetensors")));
  ck_ok(skp_parameter_read(session, "fc.weight", before, 8));
  ck_ok(skp_predict(session, &as_bytes, SKP_LOGITS, logits[0][0]));
  ck_ok(skp_model_set(model, "ema", "0.9"));
  ck_ok(skp_train(session, data, NULL, NULL));
  ck_ok(skp_parameter_read(session, "fc.weight", after, 8));
  ck_assert_mem_ne(before, after, sizeof before);
  ck_ok(skp_parameter_write(session, "fc.weight", before, 8));
  ck_ok(skp_parameter_read(session, "fc.weight", after, 8));
  ck_assert_mem_eq(before, after, sizeof before);
  ck_ok(skp_session_load(session, in_folder("start.safetensors"), 0, NULL));
  ck_ok(skp_predict(session, &as_bytes, SKP_LOGITS, logits[1][0]));
  ck_assert_mem_eq(logits[0], logits[1], sizeof logits[0]);
  skp_data_close(data);
}
END_TEST

START_TEST(a_checkpoint_is_a_model) {
  skp_data *data = wrap(&as_bytes);
  float predictions[2][IMAGES][2];
  const char *const settings[] = {"classes=2", NULL};
  char path[64], text[32];
  strcpy(path, in_folder("net.safetensors"));
  open_plain(&(skp_model_options){.settings = settings});
  ck_ok(skp_train(session, data, NULL, NULL));
  ck_ok(skp_predict(session, &as_bytes, SKP_PROBABILITIES, predictions[0][0]));
  ck_ok(skp_model_set(model, "mean", "0.1,0.2"));
  ck_fails(skp_session_save(session, path), SKP_USAGE, "one number or one a channel");
  ck_ok(skp_model_set(model, "mean", "0"));
  ck_ok(skp_session_save(session, path));
  close_model();
  ck_ok(skp_model_load(&model, path, NULL));
  ck_assert_int_eq(skp_model_classes(model), 2);
  ck_assert_str_eq(skp_model_class_name(model, 0), "left");
  ck_ok(skp_model_get(model, "lr", text, sizeof text));
  ck_assert_str_eq(text, "0.5");
  ck_ok(skp_session_open(&session, model, device, 99));
  ck_ok(skp_predict(session, &as_bytes, SKP_PROBABILITIES, predictions[1][0]));
  ck_assert_mem_eq(predictions[0], predictions[1], sizeof predictions[0]);
  ck_ok(skp_session_save(session, in_folder("again.safetensors"))); /* settings and names are still there */
  skp_model *third;
  ck_ok(skp_model_load(&third, in_folder("again.safetensors"), NULL));
  ck_assert_str_eq(skp_model_class_name(third, 1), "right");
  skp_model_free(third);
  ck_fails(skp_model_load(&third, path, &(skp_model_options){.settings = settings}), SKP_USAGE, "fixed");
  ck_assert_ptr_null(third);
  skp_data_close(data);
}
END_TEST

/* The first session takes the weights as they were read with the model, and tells of them; a later one reads them
 * again. */
START_TEST(a_file_is_read_once) {
  static const char *const files[] = {"net.safetensors", "net.onnx", "net.onnx"}, *const settings[] = {"classes=2",
                                                                                                       NULL};
  char path[64], moved[64], *told = NULL;
  size_t size = 0;
  FILE *to = open_memstream(&told, &size);
  const skp_model_options other = {.settings = settings, .print_to = to};
  open_plain(NULL);
  ck_ok(skp_session_save(session, in_folder("net.safetensors")));
  ck_ok(skp_session_export_onnx(session, in_folder("net.onnx"), NULL));
  close_model();
  strcpy(path, in_folder(files[_i]));
  strcpy(moved, in_folder("moved"));
  ck_ok(skp_model_load(&model, path, _i == 2 ? &other : NULL));
  ck_assert_int_eq(rename(path, moved), 0);
  ck_ok(skp_session_open(&session, model, device, 1));
  skp_session_close(session);
  fflush(to);
  const size_t once = size;
  ck_assert_int_eq(once > 0, _i == 2);
  ck_fails(skp_session_open(&session, model, device, 1), SKP_IO, path);
  ck_assert_int_eq(rename(moved, path), 0);
  ck_ok(skp_session_open(&session, model, device, 1));
  fclose(to);
  ck_assert_uint_eq(size, once);
  free(told);
}
END_TEST

/* The classes of data are told by their names, whatever their order. */
START_TEST(classes_go_by_name) {
  skp_data *data = wrap(&as_bytes), *other;
  skp_score score;
  int32_t turned[IMAGES];
  const char *const turned_names[] = {"nowhere", "right", "left"};
  open_plain(NULL);
  ck_ok(skp_model_set(model, "epochs", "20"));
  ck_ok(skp_train(session, data, NULL, NULL));
  for (int i = 0; i < IMAGES; i++) turned[i] = i < 2 ? 0 : 2 - labels[i];
  ck_ok(skp_data_wrap(&other, &as_bytes, turned, 3, turned_names));
  ck_ok(skp_evaluate(session, other, SKP_TRAINING_IMAGES, NULL, &score));
  ck_assert_double_eq(score.accuracy, 1);
  ck_assert_int_eq(score.unknown, 2);
  ck_fails(skp_evaluate(session, other, SKP_TEST_IMAGES, NULL, &score), SKP_FORMAT, "no test images");
  ck_fails(skp_train(session, other, NULL, NULL), SKP_SHAPE, "3 classes");
  skp_data_close(other);
  skp_data_close(data);
}
END_TEST

/* A run of 3 epochs, and one that is stopped after the first and goes on, end alike. */
START_TEST(a_run_goes_on) {
  skp_data *data = wrap(&as_bytes);
  float weight[2][8];
  char out[64];
  for (int stopped = 0; stopped < 2; stopped++) {
    struct heard h = {.stop_after = stopped ? 4 : 0};
    skp_training t = {.out = out, .seed = 3};
    skp_listen(hear, &h);
    strcpy(out, in_folder(stopped ? "stopped" : "whole"));
    close_model();
    open_plain(NULL);
    ck_ok(skp_model_set(model, "epochs", "3"));
    ck_assert_int_eq(skp_train(session, data, &t, NULL), stopped ? SKP_INTERRUPTED : SKP_OK);
    if (stopped) {
      skp_outcome outcome;
      skp_session_close(session);
      ck_ok(skp_session_open(&session, model, device, 1234));
      h.stop_after = 0;
      t.resume = 1;
      ck_ok(skp_train(session, data, &t, &outcome));
      ck_assert_int_eq(outcome.steps, 12);
      t.seed = 4;
      ck_fails(skp_train(session, data, &t, NULL), SKP_USAGE, "was another");
    }
    ck_ok(skp_parameter_read(session, "fc.weight", weight[stopped], 8));
  }
  ck_assert_mem_eq(weight[0], weight[1], sizeof weight[0]);
  ck_fails(skp_train(session, data, &(skp_training){.resume = 1}, NULL), SKP_USAGE, "folder");
  skp_data_close(data);
}
END_TEST

/* Of three epochs the two latest saves stay; a folder with a picture that is none ends a strict training. */
START_TEST(what_is_kept_and_what_is_borne) {
  skp_data *data = wrap(&as_bytes);
  char command[512];
  open_plain(NULL);
  ck_ok(skp_model_set(model, "epochs", "3"));
  ck_ok(skp_train(session, data, &(skp_training){.out = in_folder("run"), .keep = 2}, NULL));
  ck_assert_int_ne(access(in_folder("run/step-00000004.safetensors"), F_OK), 0);
  ck_assert_int_eq(access(in_folder("run/step-00000008.safetensors"), F_OK), 0);
  ck_assert_int_eq(access(in_folder("run/step-00000012.safetensors"), F_OK), 0);
  skp_data_close(data);
  snprintf(command, sizeof command,
           "cd %s && mkdir -p set/a set/b && cp \"$SKP_SOURCE_DIR/tests/fuzz/corpus/image/grey.png\" set/a/1.png && "
           "cp set/a/1.png set/b/1.png && echo none >set/b/2.png",
           folder);
  ck_assert_int_eq(system(command), 0);
  ck_fails(skp_data_open(&data, in_folder("set"), &(skp_data_options){.strict = 1}), SKP_FORMAT, "2.png");
  ck_assert_ptr_null(data);
  ck_ok(skp_data_open(&data, in_folder("set"), &(skp_data_options){.max_damaged = 3}));
  ck_ok(skp_train(session, data, NULL, NULL));
  skp_data_damage(data, command, sizeof command);
  ck_assert_msg(strstr(command, "1 of the 3 images") && strstr(command, "2.png"), "%s", command);
  skp_data_damage(data, command, sizeof command); /* once */
  ck_assert_str_eq(command, "");
  skp_data_close(data);
}
END_TEST

static void *stop(void *user) {
  usleep(50000);
  skp_session_stop(user);
  return NULL;
}

START_TEST(another_thread_stops_a_training) {
  skp_data *data = wrap(&as_bytes);
  pthread_t thread;
  open_plain(NULL);
  ck_ok(skp_model_set(model, "epochs", "1000000"));
  ck_assert_int_eq(pthread_create(&thread, NULL, stop, session), 0);
  ck_fails(skp_train(session, data, NULL, NULL), SKP_INTERRUPTED, "Stopped");
  pthread_join(thread, NULL);
  ck_ok(skp_train(session, data, &(skp_training){.max_steps = 1}, NULL)); /* once */
  skp_data_close(data);
}
END_TEST

struct own {
  const skp_data *data;
  float weight[8];
};

/* A device, a model and a session of its own. */
static void *train_alone(void *user) {
  struct own *own = user;
  skp_device *d;
  skp_model *m;
  skp_session *s;
  ck_ok(skp_device_open(&d, &(skp_device_options){.backend = "reference"}));
  ck_ok(skp_model_build(&m, "plain", plain, NULL));
  ck_ok(skp_model_set(m, "epochs", "50"));
  ck_ok(skp_session_open(&s, m, d, 7));
  ck_ok(skp_train(s, own->data, NULL, NULL));
  ck_ok(skp_parameter_read(s, "fc.weight", own->weight, 8));
  skp_session_close(s);
  skp_model_free(m);
  skp_device_close(d);
  return NULL;
}

START_TEST(threads_work_side_by_side) {
  enum { THREADS = 4 };
  struct own own[THREADS];
  pthread_t thread[THREADS];
  skp_data *data = wrap(&as_bytes);
  for (int i = 0; i < THREADS; i++) {
    own[i].data = data;
    ck_assert_int_eq(pthread_create(&thread[i], NULL, train_alone, &own[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
  for (int i = 1; i < THREADS; i++) ck_assert_mem_eq(own[i].weight, own[0].weight, sizeof own[0].weight);
  skp_data_close(data);
}
END_TEST

START_TEST(weights_load_in_part) {
  char path[64];
  float bias[2], own[3];
  strcpy(path, in_folder("two.safetensors"));
  open_plain(NULL);
  ck_ok(skp_session_save(session, path));
  ck_ok(skp_parameter_read(session, "fc.bias", bias, 2));
  close_model();
  ck_ok(skp_model_build(&model, "three", plain, &(skp_model_options){.settings = (const char *[]){"classes=3", NULL}}));
  ck_ok(skp_session_open(&session, model, device, 1));
  ck_fails(skp_session_load(session, path, 0, NULL), SKP_SHAPE, "fc.weight");
  ck_fails(skp_session_load(session, path, 1, NULL), SKP_SHAPE, "No weight");
  ck_ok(skp_parameter_read(session, "fc.bias", own, 3));
  ck_fails(skp_session_load(session, in_folder("none"), 0, NULL), SKP_IO, "none");
}
END_TEST

/* What a file says is damaged is named, before anything of it is used. */
START_TEST(a_variance_below_zero_is_refused) {
  static const char text[] = "return {input = {channels = 1, size = 2}, network = function(x)\n"
                             "  return nn.linear(nn.flatten(nn.batchnorm2d(x, {name = 'bn'})), 2) end}\n";
  char path[64];
  float now;
  strcpy(path, in_folder("below.safetensors"));
  ck_ok(skp_model_build(&model, "net", text, NULL));
  ck_ok(skp_session_open(&session, model, device, 1));
  ck_ok(skp_parameter_write(session, "bn.running_var", (float[]){-1}, 1));
  ck_ok(skp_session_save(session, path));
  ck_ok(skp_parameter_write(session, "bn.running_var", (float[]){2}, 1));
  for (int partly = 0; partly < 2; partly++)
    ck_fails(skp_session_load(session, path, partly, NULL), SKP_FORMAT, "bn.running_var[0] is -1, and a variance");
  ck_ok(skp_parameter_read(session, "bn.running_var", &now, 1));
  ck_assert_float_eq(now, 2);
}
END_TEST

START_TEST(a_network_without_weights_is_loaded_as_it_was_saved) {
  static const char text[] = "return {input = {channels = 2, size = 2}, network = function(x)\n"
                             "  return nn.flatten(nn.global_avgpool(x)) end}\n";
  char path[64];
  strcpy(path, in_folder("none.safetensors"));
  ck_ok(skp_model_build(&model, "net", text, NULL));
  ck_ok(skp_session_open(&session, model, device, 1));
  ck_ok(skp_session_save(session, path));
  for (int partly = 0; partly < 2; partly++) ck_ok(skp_session_load(session, path, partly, NULL));
  close_model();
  ck_ok(skp_model_load(&model, path, NULL));
  ck_ok(skp_session_open(&session, model, device, 1));
}
END_TEST

START_TEST(mistakes_are_told) {
  skp_data *data;
  skp_model *none;
  open_plain(NULL);
  draw_images();
  ck_fails(skp_data_open(&data, "nothing like it", NULL), SKP_IO, "digits");
  ck_assert_ptr_null(data);
  ck_ok(skp_data_open(&data, "digits", &(skp_data_options){.to_test = 1}));
  ck_fails(skp_data_wrap_test(data, &as_bytes, labels), SKP_USAGE, "digits was opened by its name");
  skp_data_close(data);
  labels[3] = 2;
  ck_fails(skp_data_wrap(&data, &as_bytes, labels, 2, NULL), SKP_FORMAT, "Image 3");
  ck_fails(skp_model_build(&none, "bad.lua", "return {\n  x = }", NULL), SKP_MODEL, "bad.lua:2");
  ck_assert_ptr_null(none);
  ck_fails(skp_model_build(&none, "n", plain, &(skp_model_options){.settings = (const char *[]){"classes", NULL}}),
           SKP_USAGE, "NAME=VALUE");
  ck_fails(skp_model_load(&none, "no-such-model", NULL), SKP_IO, "resnet18");
  ck_fails(skp_model_set(model, "speed", "1"), SKP_USAGE, "lr");
  ck_fails(skp_model_set(model, "lr", "fast"), SKP_USAGE, "lr");
  skp_device *other;
  size_t chosen;
  ck_fails(skp_device_open(&other, &(skp_device_options){.backend = "abacus"}), SKP_USAGE, "abacus");
  for (int place = -1; skp_device_choose(&chosen, NULL) == SKP_OK && place <= 2; place += 3)
    ck_fails(skp_device_open(&other, &(skp_device_options){.place = place, .neighbours = 2}), SKP_USAGE, "place");
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("library");
  tcase_add_test(tests, versions_agree);
  tcase_add_test(tests, numbers_have_points);
  tcase_add_test(tests, devices_are_described);
  tcase_add_test(tests, parameters_are_read_and_written);
  tcase_add_test(tests, layouts_are_those_of_pytorch);
  tcase_add_test(tests, bytes_and_floats_are_the_same);
  tcase_add_loop_test(tests, a_network_learns_from_memory, 0, 2);
  tcase_add_test(tests, numbers_that_are_none_are_found);
  tcase_add_test(tests, a_training_goes_back);
  tcase_add_test(tests, a_training_begins_afresh);
  tcase_add_test(tests, averages_are_the_weights);
  tcase_add_test(tests, a_checkpoint_is_a_model);
  tcase_add_loop_test(tests, a_file_is_read_once, 0, 3);
  tcase_add_test(tests, classes_go_by_name);
  tcase_add_test(tests, a_run_goes_on);
  tcase_add_test(tests, what_is_kept_and_what_is_borne);
  tcase_add_test(tests, another_thread_stops_a_training);
  tcase_add_test(tests, threads_work_side_by_side);
  tcase_add_test(tests, weights_load_in_part);
  tcase_add_test(tests, a_variance_below_zero_is_refused);
  tcase_add_test(tests, a_network_without_weights_is_loaded_as_it_was_saved);
  tcase_add_test(tests, mistakes_are_told);
  return run_tests(tests);
}
