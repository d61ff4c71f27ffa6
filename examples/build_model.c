/* build_model.c: a network built by calls, trained on images made in memory, and a look at its weights. No file is
 * read. usage: build_model [CHECKPOINT TO WRITE]      SPDX-License-Identifier: MIT */
#include <skipper/skipper.h>
#include <stdlib.h>

enum { IMAGES = 512, SIDE = 12 };

static void check(skp_status status) {
  if (status == SKP_OK) return;
  fprintf(stderr, "build_model: %s\n", skp_error_message());
  exit(1);
}

/* y = relu(x + F(x)) */
static skp_tensor block(skp_builder *b, skp_tensor x) {
  static const char *const F[] = {"conv2d 8 kernel=3 padding=1 bias=false", "batchnorm2d", "relu",
                                  "conv2d 8 kernel=3 padding=1 bias=false", "batchnorm2d"};
  skp_tensor y = x;
  for (size_t i = 0; i < sizeof F / sizeof *F; i++) y = skp_build_layer(b, y, F[i]);
  return skp_build_layer(b, skp_build_join(b, (skp_tensor[]){x, y}, 2, "add"), "relu");
}

static skp_model *build(void) {
  skp_builder *b;
  skp_model *model;
  check(skp_build_begin(&b, "stripes", SIDE, 1));
  skp_tensor x = skp_build_layer(b, SKP_IMAGES, "conv2d 8 kernel=3 padding=1 name=stem");
  x = block(b, block(b, x));
  x = skp_build_layer(b, skp_build_layer(b, x, "global_avgpool"), "flatten");
  check(skp_build_end(&model, b, skp_build_layer(b, x, "linear 2 name=head")));
  return model;
}

/* Stripes that lie or stand, with noise. */
static void draw(unsigned char *pixels, int32_t *labels) {
  for (int i = 0; i < IMAGES; i++) {
    labels[i] = rand() % 2;
    const int phase = rand() % 4;
    for (int h = 0; h < SIDE; h++)
      for (int w = 0; w < SIDE; w++)
        *pixels++ = (unsigned char)(((labels[i] ? w : h) + phase) / 2 % 2 * 120 + rand() % 120);
  }
}

int main(int argc, char **argv) {
  static unsigned char pixels[IMAGES * SIDE * SIDE];
  static int32_t labels[IMAGES];
  static const char *const names[] = {"lying", "standing"};
  const skp_pixels images = {pixels, SKP_BYTES, IMAGES, SIDE, SIDE, 1};
  skp_device *device;
  skp_session *session;
  skp_data *data;
  skp_score score;
  skp_parameter weight;
  float bias[2];
  draw(pixels, labels);
  check(skp_device_open(&device, NULL));
  check(skp_data_wrap(&data, &images, labels, 2, names));
  skp_model *model = build();
  check(skp_model_set(model, "optimizer", "adam"));
  check(skp_model_set(model, "batch", "32"));
  check(skp_model_set(model, "epochs", "3"));
  check(skp_session_open(&session, model, device, 1));
  check(skp_train(session, data, NULL, NULL));
  check(skp_evaluate(session, data, SKP_TRAINING_IMAGES, NULL, &score));
  check(skp_parameter_find(session, "stem.weight", &weight));
  check(skp_parameter_read(session, "head.bias", bias, 2));
  printf("accuracy %.3f; %s has %d values; head.bias is %.3f, %.3f\n", score.accuracy, weight.name, (int)weight.count,
         bias[0], bias[1]);
  if (argc > 1) check(skp_session_save(session, argv[1]));
  skp_session_close(session);
  skp_model_free(model);
  skp_data_close(data);
  skp_device_close(device);
  return 0;
}
