/* train_mnist.c: trains a residual network. usage: train_mnist [FOLDER WITH MNIST'S FILES]  (default: built-in digits)
 * SPDX-License-Identifier: MIT */
#include <skipper/skipper.h>
#include <stdlib.h>

static void check(skp_status status) {
  if (status == SKP_OK) return;
  fprintf(stderr, "train_mnist: %s\n", skp_error_message());
  exit(1);
}

static int tell(void *user, const skp_event *e) {
  (void)user;
  if (e->epoch_done) printf("epoch %d: loss %.3f, accuracy %.3f\n", (int)e->epoch + 1, e->train_loss, e->accuracy);
  return 0; /* anything else ends the training */
}

int main(int argc, char **argv) {
  skp_device *device;
  skp_data *data;
  skp_model *model;
  skp_session *session;
  skp_score score;
  check(skp_device_open(&device, NULL));
  check(skp_data_open(&data, argc > 1 ? argv[1] : "digits", NULL));
  check(skp_model_load(&model, "identity", &(skp_model_options){.learns = data}));
  check(skp_model_set(model, "epochs", "2"));
  check(skp_session_open(&session, model, device, 1));
  skp_listen(tell, NULL);
  check(skp_train(session, data, &(skp_training){.seed = 1}, NULL));
  check(skp_evaluate(session, data, SKP_TEST_IMAGES, NULL, &score));
  printf("%d test images: accuracy %.3f\n", (int)score.images, score.accuracy);
  check(skp_session_save(session, "mnist.safetensors"));
  skp_session_close(session);
  skp_model_free(model);
  skp_data_close(data);
  skp_device_close(device);
}
