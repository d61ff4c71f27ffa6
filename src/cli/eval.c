/* eval.c: skipper eval. SPDX-License-Identifier: MIT */
#include "cli/report.h"
#include <string.h>

enum { CLASSES_SHOWN = 20, WORST_SHOWN = 5 };
enum { CLASSES_OF_FIVE = 5 }; /* with no more, every label is among the first five */

/* What does not count: images without a label, or of classes that the network does not know. */
static void add_others(cJSON *object, const skp_score *s, const skp_report *report) {
  cJSON_AddNumberToObject(object, "unlabelled", (double)s->unlabelled);
  cJSON_AddNumberToObject(object, "unknown_images", (double)s->unknown);
  cJSON *classes = cJSON_AddArrayToObject(object, "unknown_classes");
  const char *name;
  for (int i = 0; (name = skp_report_unknown(report, i)); i++) cJSON_AddItemToArray(classes, cJSON_CreateString(name));
}

static skp_status print_json(const skp_score *s, const skp_report *report) {
  cJSON *object = cJSON_CreateObject();
  cJSON_AddNumberToObject(object, "accuracy", s->accuracy);
  cJSON_AddNumberToObject(object, "top5", s->top5);
  cJSON_AddNumberToObject(object, "loss", s->loss);
  cJSON_AddNumberToObject(object, "n", (double)s->images);
  cJSON_AddNumberToObject(object, "img_per_s", s->img_per_s);
  add_others(object, s, report);
  cJSON_AddNumberToObject(object, "not_finite", (double)s->not_finite);
  cli_add_report(object, report);
  return cli_print_json(object);
}

static void print_figures(const skp_score *s, int classes) {
  char n[32], loss[32];
  printf("accuracy %.2f %%", 100 * s->accuracy);
  if (classes > CLASSES_OF_FIVE) printf("  top-5 %.2f %%", 100 * s->top5);
  printf("  loss %s  %s images  %.0f images/s\n", cli_loss(loss, sizeof loss, s->loss),
         cli_grouped(n, sizeof n, s->images), s->img_per_s);
  if (s->not_finite)
    printf("%s predictions are not finite numbers: they count as wrong, and have no loss.\n",
           cli_grouped(n, sizeof n, s->not_finite));
  if (s->unlabelled) printf("%s of them have no label and do not count.\n", cli_grouped(n, sizeof n, s->unlabelled));
}

static skp_status print_words(const skp_score *s, const skp_report *report) {
  print_figures(s, skp_report_classes(report));
  return cli_print_report(report, CLASSES_SHOWN, WORST_SHOWN);
}

skp_status cli_labels(const struct cli *c, skp_testing *out) {
  const char *how = c->value[CLI_LABELS];
  out->by_number = how && strcmp(how, "number") == 0;
  if (!how || out->by_number || strcmp(how, "name") == 0) return SKP_OK;
  return skp_fail(SKP_USAGE, "--labels is name or number, not \"%s\".", how);
}

skp_status cli_eval(struct cli *c) {
  skp_testing testing = {.folder = c->value[CLI_REPORT], .report = stderr};
  skp_score score;
  TRY(cli_int(c, CLI_WORST, &testing.worst, 0, 1 << 20, 20));
  TRY(cli_workers(c, &testing.workers));
  TRY(cli_labels(c, &testing));
  TRY(cli_open_checkpoint(c));
  TRY(cli_open_test(c, true));
  cli_say_device(c);
  skp_status status = skp_evaluate(c->session, c->data, SKP_BEST_IMAGES, &testing, &score);
  cli_say_damage(c);
  const skp_report *report = skp_session_report(c->session);
  if (!report) return status;
  if (testing.folder && status == SKP_OK)
    fprintf(stderr, "report   %s: confusion.csv, classes.csv, worst.csv, confused.csv\n", testing.folder);
  TRY(cli_said(c, CLI_JSON) ? print_json(&score, report) : print_words(&score, report));
  return status; /* of the files: what was found is said all the same */
}
