/* report.c: where a network errs, printed: classes, and the images with the highest loss.
 * SPDX-License-Identifier: MIT */
#include "cli/report.h"
#include <math.h>
#include <stdlib.h>

enum { NAME = 24 }; /* letters of a column */

/* ---- text ------------------------------------------------------------------------------------------------------- */

struct weak {
  double f1;
  int class;
};

static int weakest_first(const void *a, const void *b) {
  const struct weak *x = a, *y = b;
  if (x->f1 != y->f1) return x->f1 < y->f1 ? -1 : 1;
  return (x->class > y->class) - (x->class < y->class);
}

static void print_ratio(double x) {
  if (isnan(x))
    printf(" %9s", "-");
  else
    printf(" %9.4f", x);
}

static skp_class_score class_of(const skp_report *r, int k) {
  skp_class_score c;
  (void)skp_report_class(r, k, &c); /* it is there */
  return c;
}

/* What the class was taken for most often, itself apart; -1: it never was. */
static int confused_with(const skp_report *r, int label) {
  int most = -1;
  for (int k = 0; k < skp_report_classes(r); k++) {
    const int64_t n = skp_report_confusion(r, label, k);
    if (k != label && n && (most < 0 || n > skp_report_confusion(r, label, most))) most = k;
  }
  return most;
}

static void print_class(const skp_report *r, int k) {
  char images[32];
  const skp_class_score c = class_of(r, k);
  const int taken_for = confused_with(r, k), blanks = NAME - cli_letters(c.name);
  printf("%s%*s %9s", c.name, blanks > 0 ? blanks : 0, "", cli_grouped(images, sizeof images, c.images));
  print_ratio(c.precision);
  print_ratio(c.recall);
  print_ratio(c.f1);
  if (taken_for >= 0)
    printf("  %s %lld", class_of(r, taken_for).name, (long long)skp_report_confusion(r, k, taken_for));
  printf("\n");
}

/* All classes in their order, or if there are many the weakest of those that have images. */
static skp_status print_classes(const skp_report *r, int shown) {
  const int classes = skp_report_classes(r);
  int there = 0, n = 0;
  struct weak *weak;
  for (int k = 0; k < classes; k++) there += class_of(r, k).listed;
  const bool many = there > shown;
  TRY(cli_alloc(&weak, (size_t)classes, sizeof *weak));
  for (int k = 0; k < classes; k++) {
    const skp_class_score c = class_of(r, k);
    if (many ? c.images > 0 : c.listed) weak[n++] = (struct weak){c.f1, k};
  }
  if (many) qsort(weak, (size_t)n, sizeof *weak, weakest_first);
  printf("\n%-*s %9s %9s %9s %9s  %s\n", NAME, many ? "weakest classes" : "class", "images", "precision", "recall",
         "F1", "most often taken for");
  for (int i = 0; i < n && i < shown; i++) print_class(r, weak[i].class);
  free(weak);
  return SKP_OK;
}

static void print_worst(const skp_report *r, int64_t shown) {
  skp_image_score s;
  printf("\nhighest loss\n");
  for (int64_t i = 0; i < shown && i < skp_report_images(r); i++) {
    char loss[32];
    if (skp_report_image(r, i, &s) != SKP_OK) return;
    if (!s.prediction) {
      printf("%9s  %s: %s, and the prediction is not finite\n", "-", s.name, s.label);
      continue;
    }
    printf("%9s  %s: %s, ", cli_loss(loss, sizeof loss, s.loss), s.name, s.label);
    if (s.right)
      printf("told right");
    else
      printf("taken for %s", s.prediction);
    printf(" with %.2f %%\n", 100 * s.confidence);
  }
}

skp_status cli_print_report(const skp_report *r, int classes, int64_t worst) {
  TRY(print_classes(r, classes));
  print_worst(r, worst);
  return SKP_OK;
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static void add_ratio(cJSON *object, const char *key, double x) {
  cJSON_AddItemToObject(object, key, isnan(x) ? cJSON_CreateNull() : cJSON_CreateNumber(x));
}

static void add_class(cJSON *list, const skp_class_score *c) {
  cJSON *entry = cJSON_CreateObject();
  cJSON_AddItemToArray(list, entry);
  cJSON_AddStringToObject(entry, "class", c->name);
  cJSON_AddNumberToObject(entry, "images", (double)c->images);
  cJSON_AddNumberToObject(entry, "predicted", (double)c->predicted);
  cJSON_AddNumberToObject(entry, "right", (double)c->right);
  add_ratio(entry, "precision", c->precision);
  add_ratio(entry, "recall", c->recall);
  add_ratio(entry, "f1", c->f1);
}

static void add_image(cJSON *list, const skp_image_score *s) {
  cJSON *entry = cJSON_CreateObject();
  cJSON_AddItemToArray(list, entry);
  cJSON_AddNumberToObject(entry, "image", (double)s->image);
  cJSON_AddStringToObject(entry, "name", s->name);
  cJSON_AddStringToObject(entry, "class", s->label);
  cJSON_AddItemToObject(entry, "prediction", s->prediction ? cJSON_CreateString(s->prediction) : cJSON_CreateNull());
  add_ratio(entry, "loss", s->loss);
  add_ratio(entry, "confidence", s->confidence);
}

void cli_add_report(cJSON *object, const skp_report *r) {
  cJSON *classes = cJSON_AddArrayToObject(object, "classes"), *worst = cJSON_AddArrayToObject(object, "worst");
  skp_image_score s;
  for (int k = 0; k < skp_report_classes(r); k++) {
    const skp_class_score c = class_of(r, k);
    if (c.listed) add_class(classes, &c);
  }
  for (int64_t i = 0; i < skp_report_images(r); i++)
    if (skp_report_image(r, i, &s) == SKP_OK) add_image(worst, &s);
}
