/* eval.c: skipper eval. SPDX-License-Identifier: MIT */
#include "cli/cli.h"

static skp_status print_result(const struct cli *c, const struct skp_eval_result *r) {
  if (!cli_said(c, CLI_JSON)) {
    char n[32];
    printf("accuracy %.2f %%  top-5 %.2f %%  loss %.4f  %s images  %.0f images/s\n", 100 * r->accuracy, 100 * r->top5,
           r->loss, cli_grouped(n, sizeof n, r->n), r->img_per_s);
    return SKP_OK;
  }
  cJSON *object = cJSON_CreateObject();
  cJSON_AddNumberToObject(object, "accuracy", r->accuracy);
  cJSON_AddNumberToObject(object, "top5", r->top5);
  cJSON_AddNumberToObject(object, "loss", r->loss);
  cJSON_AddNumberToObject(object, "n", (double)r->n);
  cJSON_AddNumberToObject(object, "img_per_s", r->img_per_s);
  return cli_print_json(object);
}

static skp_status evaluate(struct cli *c, const struct skp_source *source) {
  struct skp_eval_result result;
  SKP_TRY(skp__evaluate(c->session, source, c->model->recipe.batch, cli_loader_threads(c), &result, NULL, NULL));
  if (result.unknown)
    return skp__fail(SKP_FORMAT,
                     "%lld of the %lld images of %s have no label, so there is nothing to test them against.",
                     (long long)result.unknown, (long long)result.n, source->name);
  return print_result(c, &result);
}

/* Test images, or where a folder has none the training ones, said so. */
skp_status cli_eval(struct cli *c) {
  struct skp_source *source;
  SKP_TRY(cli_open_checkpoint(c));
  SKP_TRY(cli_open_data(c, &source, SKP_SPLIT_TEST));
  if (!source) {
    SKP_TRY(cli_open_data(c, &source, SKP_SPLIT_TRAIN));
    fprintf(stderr, "%s has no test images: its training images are used.\n", source->name);
  }
  cli_say_device(c);
  skp_status status = evaluate(c, source);
  skp__source_destroy(source);
  return status;
}
