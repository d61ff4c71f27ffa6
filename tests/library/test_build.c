/* test_build.c: networks by name and by calls. SPDX-License-Identifier: MIT */
#include "library.h"

START_TEST(networks_go_by_name) {
  ck_ok(skp_model_load(&model, "resnet18", &(skp_model_options){.size = 32}));
  ck_assert_int_eq(skp_model_size(model), 32);
  ck_assert_int_eq(skp_model_channels(model), 3);
  ck_ok(skp_session_open(&session, model, device, 1));
  skp_parameter p;
  ck_ok(skp_parameter_find(session, "layer4.1.conv2.weight", &p));
  ck_assert_int_eq(p.dim[0], 512);
}
END_TEST

/* What calls build is what a file builds: the same names, the same first values, and a checkpoint that knows it. */
START_TEST(networks_are_built_by_calls) {
  static const char text[] = "return {input = {channels = 1, size = 2}, network = function(x)\n"
                             "  local y = nn.conv2d(x, 3, {kernel = 3, padding = 1, bias = false, name = 'a.conv'})\n"
                             "  y = nn.relu(nn.batchnorm2d(y))\n"
                             "  return nn.linear(nn.flatten(nn.add(y, y)), 2) end}\n";
  float file[IMAGES][2], calls[IMAGES][2];
  skp_builder *b;
  skp_parameter p;
  draw_images();
  ck_ok(skp_model_build(&model, "net", text, NULL));
  ck_ok(skp_session_open(&session, model, device, 5));
  ck_ok(skp_predict(session, &as_bytes, SKP_LOGITS, file[0]));
  close_model();
  ck_ok(skp_build_begin(&b, "net", 2, 1));
  skp_tensor x = skp_build_layer(b, SKP_IMAGES, "conv2d 3 kernel=3 padding=1 bias=false name=a.conv");
  x = skp_build_layer(b, skp_build_layer(b, x, "batchnorm2d"), "relu");
  x = skp_build_join(b, (skp_tensor[]){x, x}, 2, "add");
  ck_ok(skp_build_end(&model, b, skp_build_layer(b, skp_build_layer(b, x, "flatten"), "linear 2")));
  ck_ok(skp_session_open(&session, model, device, 5));
  ck_ok(skp_parameter_find(session, "a.conv.weight", &p));
  ck_ok(skp_predict(session, &as_bytes, SKP_LOGITS, calls[0]));
  ck_assert_mem_eq(file, calls, sizeof file);
  ck_ok(skp_session_save(session, in_folder("calls.safetensors")));
  skp_model *again;
  ck_ok(skp_model_load(&again, in_folder("calls.safetensors"), NULL));
  skp_model_free(again);
}
END_TEST

static const struct {
  const char *layer;
  skp_tensor x;
  skp_status status;
  const char *part;
} wrong[] = {
    {"conv3d 4", 1, SKP_MODEL, "net:2"},
    {"conv2d 4", 1, SKP_MODEL, "net:2: nn.conv2d: say {kernel"},
    {"conv2d 4 kernel=3 kernels=2", 1, SKP_MODEL, "kernels"},
    {"linear 4", 1, SKP_SHAPE, "net:2: nn.linear wants rows"},
    {"relu", 2, SKP_USAGE, "net:2: \"relu\" takes what earlier layers gave"},
    {"relu", -1, SKP_USAGE, "SKP_IMAGES"},
    {"", 1, SKP_USAGE, "begins with its name"},
    {"linear(x)", 1, SKP_USAGE, "begins with its name"},
    {"linear 4 name=a\"b", 1, SKP_USAGE, "NAME=VALUE"},
    {"linear name=a 4", 1, SKP_USAGE, "words are numbers, then"},
    {"linear four", 1, SKP_USAGE, "words are numbers"},
};

START_TEST(wrong_calls_are_told) {
  skp_builder *b;
  ck_ok(skp_build_begin(&b, "net", 4, 1));
  skp_build_layer(b, SKP_IMAGES, "relu");
  skp_tensor x = skp_build_layer(b, wrong[_i].x, wrong[_i].layer);
  skp_build_layer(b, x, "another mistake");
  ck_fails(skp_build_end(&model, b, x), SKP_USAGE, wrong[_i].status == SKP_USAGE ? wrong[_i].part : "net:3");
  ck_ok(skp_build_begin(&b, "net", 4, 1));
  skp_build_layer(b, SKP_IMAGES, "relu");
  x = skp_build_layer(b, wrong[_i].x, wrong[_i].layer);
  ck_fails(skp_build_end(&model, b, x), wrong[_i].status, wrong[_i].part);
  ck_assert_ptr_null(model);
  ck_ok(skp_build_begin(&b, "net", 4, 1));
  ck_ok(skp_build_end(NULL, b, 0)); /* given up */
}
END_TEST

int main(void) {
  TCase *tests = tcase_create("build");
  tcase_add_test(tests, networks_go_by_name);
  tcase_add_test(tests, networks_are_built_by_calls);
  tcase_add_loop_test(tests, wrong_calls_are_told, 0, sizeof wrong / sizeof *wrong);
  return run_tests(tests);
}
