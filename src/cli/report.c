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

static void print_share(double x) {
  if (isnan(x))
    printf(" %9s", "-");
  else
    printf(" %9.4f", x);
}

/* What the class was taken for most often, itself apart; -1: it never was. */
static int confused_with(const struct skp_report *r, int label) {
  const int64_t *row = r->confusion + (int64_t)label * r->classes;
  int most = -1;
  for (int k = 0; k < r->classes; k++)
    if (k != label && row[k] && (most < 0 || row[k] > row[most])) most = k;
  return most;
}

static void print_class(const struct cli_report *c, int k) {
  char name[16], other[16], images[32];
  const struct skp_class_report *of = &c->r->of_class[k];
  int taken_for = confused_with(c->r, k);
  const char *class = skp__class_name(c->names, k, name, sizeof name);
  const int blanks = NAME - cli_letters(class);
  printf("%s%*s %9s", class, blanks > 0 ? blanks : 0, "", cli_grouped(images, sizeof images, of->images));
  print_share(of->precision);
  print_share(of->recall);
  print_share(of->f1);
  if (taken_for >= 0)
    printf("  %s %lld", skp__class_name(c->names, taken_for, other, sizeof other),
           (long long)c->r->confusion[(int64_t)k * c->r->classes + taken_for]);
  printf("\n");
}

/* All classes in their order, or if there are many the weakest of those that have images. */
static skp_status print_classes(const struct cli_report *c) {
  int there = 0, n = 0;
  struct weak *weak;
  for (int k = 0; k < c->r->classes; k++) there += skp__class_listed(c->r, c->names, k);
  const bool many = there > c->classes;
  SKP_TRY(skp__alloc(&weak, (size_t)c->r->classes, sizeof *weak));
  for (int k = 0; k < c->r->classes; k++)
    if (many ? c->r->of_class[k].images > 0 : skp__class_listed(c->r, c->names, k))
      weak[n++] = (struct weak){c->r->of_class[k].f1, k};
  if (many) qsort(weak, (size_t)n, sizeof *weak, weakest_first);
  printf("\n%-*s %9s %9s %9s %9s  %s\n", NAME, many ? "weakest classes" : "class", "images", "precision", "recall",
         "F1", "most often taken for");
  for (int i = 0; i < n && i < c->classes; i++) print_class(c, weak[i].class);
  free(weak);
  return SKP_OK;
}

static void print_worst(const struct cli_report *c) {
  printf("\nhighest loss\n");
  for (int64_t i = 0; i < c->r->worsts && i < c->worst; i++) {
    char image[32], label[16], guess[16], loss[32];
    const struct skp_answer *a = &c->answers[c->r->worst[i]];
    const char *name = skp__source_name_of(c->source, c->r->worst[i], image, sizeof image),
               *class = skp__class_name(c->names, a->label, label, sizeof label);
    if (a->guess < 0) {
      printf("%9s  %s: %s, and the answer is not finite\n", "-", name, class);
      continue;
    }
    printf("%9s  %s: %s, ", cli_loss(loss, sizeof loss, (double)a->loss), name, class);
    if (a->guess == a->label)
      printf("told right");
    else
      printf("taken for %s", skp__class_name(c->names, a->guess, guess, sizeof guess));
    printf(" with %.2f %%\n", 100 * (double)a->certainty);
  }
}

skp_status cli_print_report(const struct cli_report *c) {
  SKP_TRY(print_classes(c));
  print_worst(c);
  return SKP_OK;
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static void add_share(cJSON *object, const char *key, double x) {
  cJSON_AddItemToObject(object, key, isnan(x) ? cJSON_CreateNull() : cJSON_CreateNumber(x));
}

static void add_class(cJSON *list, const struct cli_report *c, int k) {
  char name[16];
  cJSON *entry = cJSON_CreateObject();
  const struct skp_class_report *of = &c->r->of_class[k];
  cJSON_AddItemToArray(list, entry);
  cJSON_AddStringToObject(entry, "class", skp__class_name(c->names, k, name, sizeof name));
  cJSON_AddNumberToObject(entry, "images", (double)of->images);
  cJSON_AddNumberToObject(entry, "guessed", (double)of->guessed);
  cJSON_AddNumberToObject(entry, "right", (double)of->right);
  add_share(entry, "precision", of->precision);
  add_share(entry, "recall", of->recall);
  add_share(entry, "f1", of->f1);
}

static void add_image(cJSON *list, const struct cli_report *c, int64_t image) {
  char text[32];
  cJSON *entry = cJSON_CreateObject();
  const struct skp_answer *a = &c->answers[image];
  cJSON_AddItemToArray(list, entry);
  cJSON_AddNumberToObject(entry, "image", (double)image);
  cJSON_AddStringToObject(entry, "name", skp__source_name_of(c->source, image, text, sizeof text));
  cJSON_AddStringToObject(entry, "class", skp__class_name(c->names, a->label, text, sizeof text));
  if (a->guess < 0)
    cJSON_AddNullToObject(entry, "guess");
  else
    cJSON_AddStringToObject(entry, "guess", skp__class_name(c->names, a->guess, text, sizeof text));
  add_share(entry, "loss", (double)a->loss);
  add_share(entry, "certainty", (double)a->certainty);
}

void cli_add_report(cJSON *object, const struct cli_report *c) {
  cJSON *classes = cJSON_AddArrayToObject(object, "classes"), *worst = cJSON_AddArrayToObject(object, "worst");
  for (int k = 0; k < c->r->classes; k++)
    if (skp__class_listed(c->r, c->names, k)) add_class(classes, c, k);
  for (int64_t i = 0; i < c->r->worsts; i++) add_image(worst, c, c->r->worst[i]);
}
