/* eval.c: skipper eval. SPDX-License-Identifier: MIT */
#include "cli/report.h"
#include <stdlib.h>

enum { CLASSES_SHOWN = 20, WORST_SHOWN = 5 };
enum { CLASSES_OF_FIVE = 5 }; /* with no more, every label is among the first five */

/* What does not count: images without a label, or of classes that the network does not know. */
static void add_others(cJSON *object, const struct skp_eval_result *result, const struct skp_unknown *u) {
  cJSON_AddNumberToObject(object, "unlabelled", (double)(result->unknown - u->images));
  cJSON_AddNumberToObject(object, "unknown_images", (double)u->images);
  cJSON *classes = cJSON_AddArrayToObject(object, "unknown_classes");
  for (int i = 0; i < u->classes; i++) cJSON_AddItemToArray(classes, cJSON_CreateString(u->names[i]));
}

static skp_status print_json(const struct skp_eval_result *result, const struct cli_report *report) {
  cJSON *object = cJSON_CreateObject();
  cJSON_AddNumberToObject(object, "accuracy", result->accuracy);
  cJSON_AddNumberToObject(object, "top5", result->top5);
  cJSON_AddNumberToObject(object, "loss", result->loss);
  cJSON_AddNumberToObject(object, "n", (double)result->n);
  cJSON_AddNumberToObject(object, "img_per_s", result->img_per_s);
  add_others(object, result, &report->source->unknown);
  cJSON_AddNumberToObject(object, "not_finite", (double)result->lost);
  cli_add_report(object, report);
  return cli_print_json(object);
}

static void print_figures(const struct skp_eval_result *result, const struct skp_unknown *u, int classes) {
  char n[32], loss[32];
  printf("accuracy %.2f %%", 100 * result->accuracy);
  if (classes > CLASSES_OF_FIVE) printf("  top-5 %.2f %%", 100 * result->top5);
  printf("  loss %s  %s images  %.0f images/s\n", cli_loss(loss, sizeof loss, result->loss),
         cli_grouped(n, sizeof n, result->n), result->img_per_s);
  if (result->lost)
    printf("%s answers are not finite numbers: they count as wrong, and have no loss.\n",
           cli_grouped(n, sizeof n, result->lost));
  if (result->unknown > u->images)
    printf("%s of them have no label and do not count.\n", cli_grouped(n, sizeof n, result->unknown - u->images));
}

static skp_status show(const struct cli *c, const struct skp_eval_result *result, const struct cli_report *report) {
  const char *folder = c->value[CLI_REPORT];
  if (folder) SKP_TRY(skp__report_write(report->r, report->answers, report->source, report->names, folder));
  if (folder) fprintf(stderr, "report   %s: confusion.csv, classes.csv, worst.csv\n", folder);
  if (cli_said(c, CLI_JSON)) return print_json(result, report);
  print_figures(result, &report->source->unknown, report->r->classes);
  return cli_print_report(report);
}

static skp_status evaluate(struct cli *c, const struct skp_source *source, struct skp_answer *answers, int64_t worst) {
  struct skp_eval_result result;
  struct skp_report r;
  const struct skp_class_names names = {source->class_names, source->classes};
  int64_t damaged = 0;
  int workers;
  SKP_TRY(cli_workers(c, &workers));
  SKP_TRY(skp__evaluate(c->session, source, c->model->recipe.batch, workers, &result, NULL, answers));
  cli_say_damage(source, &damaged);
  if (result.unknown == result.n)
    return skp__fail(SKP_FORMAT, "None of the %lld images of %s has a label to test against.", (long long)result.n,
                     source->name);
  skp_status status = skp__evaluated(&result, source);
  if (status != SKP_OK)
    return skp__fail(
        status,
        "%s. A run that diverged left its weights too large, or they expect other pixels (--mean, --std of the run).",
        skp_error_message());
  status = skp__report_create(&r, answers, source->n, c->model->recipe.classes, worst);
  if (status == SKP_OK)
    status = show(c, &result, &(struct cli_report){&r, answers, source, &names, CLASSES_SHOWN, WORST_SHOWN});
  skp__report_free(&r);
  return status;
}

skp_status cli_eval(struct cli *c) {
  struct skp_source *source;
  struct skp_answer *answers;
  int64_t worst;
  SKP_TRY(cli_int(c, CLI_WORST, &worst, 0, 1 << 20, 20));
  SKP_TRY(cli_open_checkpoint(c));
  SKP_TRY(cli_open_test(c, &source, true));
  cli_say_device(c);
  skp_status status = skp__alloc(&answers, (size_t)source->n, sizeof *answers);
  if (status == SKP_OK) status = evaluate(c, source, answers, worst);
  free(answers);
  skp__source_destroy(source);
  return status;
}
