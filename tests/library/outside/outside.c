/* outside.c: asks a network that comes along about a grey image, and prints the version and how many classes it knows.
 * SPDX-License-Identifier: MIT */
#include <skipper/skipper.h>
#include <string.h>

static int fail(void) {
  fprintf(stderr, "outside: %s\n", skp_error_message());
  return 1;
}

int main(void) {
  static unsigned char grey[28 * 28];
  const skp_pixels image = {grey, SKP_BYTES, 1, 28, 28, 1};
  const skp_device_options plain = {.backend = "reference"};
  skp_device *device;
  skp_model *model;
  skp_session *session;
  float probability[10], sum = 0;
  memset(grey, 128, sizeof grey);
  if (skp_device_open(&device, &plain) || skp_model_load(&model, "identity", NULL)) return fail();
  if (skp_session_open(&session, model, device, 1)) return fail();
  if (skp_predict(session, &image, SKP_PROBABILITIES, probability)) return fail();
  for (int k = 0; k < 10; k++) sum += probability[k];
  printf("skipper %s: %d classes, in all %.3f\n", skp_version(), skp_model_classes(model), sum);
  skp_session_close(session);
  skp_model_free(model);
  skp_device_close(device);
  return 0;
}
