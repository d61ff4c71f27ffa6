/* classify.c: says what a trained network sees in pictures. usage: classify CHECKPOINT|RUN PICTURE…
 * SPDX-License-Identifier: MIT */
#include <skipper/skipper.h>
#include <stdlib.h>

static void check(skp_status status) {
  if (status == SKP_OK) return;
  fprintf(stderr, "classify: %s\n", skp_error_message());
  exit(1);
}

static void print_best(const skp_model *model, const char *picture, const float *probability) {
  int best = 0;
  for (int k = 1; k < skp_model_classes(model); k++)
    if (probability[k] > probability[best]) best = k;
  const char *name = skp_model_class_name(model, best);
  printf("%s: class %d, %s, %.1f %%\n", picture, best, name ? name : "which has no name", 100 * probability[best]);
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: classify CHECKPOINT|RUN PICTURE...\n");
    return 2;
  }
  const char *const *pictures = (const char *const *)argv + 2;
  const size_t n = (size_t)argc - 2;
  skp_device *device;
  skp_model *model;
  skp_session *session;
  check(skp_device_open(&device, NULL));
  check(skp_model_load(&model, argv[1], NULL));        /* the network and its classes … */
  check(skp_session_open(&session, model, device, 0)); /* … and its weights, on the device */
  const size_t classes = (size_t)skp_model_classes(model);
  float *predictions = malloc(n * classes * sizeof *predictions);
  if (!predictions) return 1;
  check(skp_predict_files(session, pictures, n, SKP_PROBABILITIES, predictions));
  for (size_t i = 0; i < n; i++) print_best(model, pictures[i], predictions + i * classes);
  free(predictions);
  skp_session_close(session);
  skp_model_free(model);
  skp_device_close(device);
  return 0;
}
