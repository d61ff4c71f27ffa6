/* export.c: skipper export. SPDX-License-Identifier: MIT */
#include "cli/cli.h"

/* What was opened for the command. */
struct opened {
  skp_model *model;
  skp_device *device;
  skp_session *session;
};

/* Weights are written as they are, so no device is needed. */
static skp_status open_weights(struct opened *o, const char *path) {
  TRY(skp_model_load(&o->model, path, NULL));
  if (!skp_model_trained(o->model))
    return skp_fail(SKP_USAGE, "%s is a network without weights; train it first, and name the run's folder.", path);
  TRY(skp_device_open(&o->device, &(skp_device_options){.backend = "reference"}));
  return skp_session_open(&o->session, o->model, o->device, 0);
}

static skp_status write_onnx(struct opened *o, const struct cli *c, const skp_onnx_options *options) {
  const char *file = c->value[CLI_ONNX];
  TRY(open_weights(o, c->arguments[0]));
  TRY(skp_session_export_onnx(o->session, file, options));
  fprintf(stderr, "%s: input %s×%d×%d×%d, logits %s×%d\n", file, options->dynamic_batch ? "N" : "1",
          skp_model_channels(o->model), skp_model_size(o->model), skp_model_size(o->model),
          options->dynamic_batch ? "N" : "1", skp_model_classes(o->model));
  return SKP_OK;
}

skp_status cli_export(struct cli *c) {
  struct opened o = {NULL, NULL, NULL};
  int64_t opset;
  if (!cli_said(c, CLI_ONNX)) return skp_fail(SKP_USAGE, "Say which file is to be written: --onnx FILE.");
  TRY(cli_int(c, CLI_OPSET, &opset, 1, INT32_MAX, 0));
  const skp_onnx_options options = {.opset = (int)opset,
                                    .dynamic_batch = cli_said(c, CLI_DYNAMIC_BATCH),
                                    .fold = cli_said(c, CLI_FOLD),
                                    .preprocessing = cli_said(c, CLI_WITH_PREPROCESSING)};
  skp_status status = write_onnx(&o, c, &options);
  skp_session_close(o.session);
  skp_device_close(o.device);
  skp_model_free(o.model);
  return status;
}
