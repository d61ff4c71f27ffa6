/* ending.c: what train says when a run is over: what came of it, where it errs, what to do next.
 * SPDX-License-Identifier: MIT */
#include "cli/ending.h"
#include <stdlib.h>
#include <string.h>

/* A word that a shell reads back as it is. */
static void print_word(const char *folder, const char *file) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  const bool quoted = !*folder || folder[strspn(folder, plain)];
  printf(quoted ? " '" : " ");
  for (; *folder; folder++) printf(*folder == '\'' ? "'\\''" : "%c", *folder);
  printf("%s%s%s", *file && folder[-1] != '/' ? "/" : "", file, quoted ? "'" : "");
}

static const char *judge_name(const struct cli_ending *e) { return e->o->by_validation ? "valid" : "test"; }

/* The weights to go on with. */
static const char *file_of(const struct cli_ending *e) {
  return e->o->best_epoch ? "best.safetensors" : "last.safetensors";
}

void cli_print_position(const struct cli_ending *e) {
  const skp_outcome *o = e->o;
  char loss[32];
  if (o->step_in_epoch)
    printf("epoch %lld ended after %lld of %lld steps, mean loss %s\n", (long long)o->epoch,
           (long long)o->step_in_epoch, (long long)o->steps_in_epoch, cli_loss(loss, sizeof loss, o->loss));
  if (!o->best_epoch) return;
  printf("best epoch %lld, ", (long long)o->best_epoch);
  if (o->best >= 0)
    printf("%s accuracy %.2f %%", judge_name(e), 100 * o->best);
  else
    printf("training loss %s", cli_loss(loss, sizeof loss, -o->best));
  printf(":");
  print_word(e->out, file_of(e));
  printf("\n");
}

/* Images of one class that were taken for another. */
struct mistake {
  int label, taken;
  int64_t images, all; /* all: of the class */
};

/* Whether it is a worse mistake: more images, or as many of a smaller class. */
static bool worse(const struct mistake *a, const struct mistake *b) {
  return a->images != b->images ? a->images > b->images : a->all < b->all;
}

/* The two classes of which one was taken for the other most often. */
static skp_status print_confused(const skp_report *r) {
  struct mistake most = {.images = 0};
  skp_class_score label, prediction;
  char n[32], all[32];
  for (int i = 0; i < skp_report_classes(r); i++) {
    TRY(skp_report_class(r, i, &label));
    for (int k = 0; k < skp_report_classes(r); k++) {
      const struct mistake m = {i, k, skp_report_confusion(r, i, k), label.images};
      if (i != k && m.images && (!most.images || worse(&m, &most))) most = m;
    }
  }
  if (!most.images) return SKP_OK;
  TRY(skp_report_class(r, most.label, &label));
  TRY(skp_report_class(r, most.taken, &prediction));
  printf("most confused: %s taken for %s, %s of %s\n", label.name, prediction.name,
         cli_grouped(n, sizeof n, most.images), cli_grouped(all, sizeof all, most.all));
  return SKP_OK;
}

static void print_next(const struct cli_ending *e) {
  printf("next:  skipper predict");
  print_word(e->out, file_of(e));
  printf(" PICTURE\n");
  if (!*e->data) return;
  printf("       skipper eval");
  print_word(e->out, file_of(e));
  printf(" --data");
  print_word(e->data, "");
  printf("\n");
}

skp_status cli_print_ending(const struct cli_ending *e) {
  enum { CLASSES = 10, WORST = 3 };
  const skp_outcome *o = e->o;
  if (o->accuracy >= 0) printf("%s accuracy %.2f %% after the last epoch\n", judge_name(e), 100 * o->accuracy);
  if (o->test_accuracy >= 0) printf("test accuracy %.2f %% with the best weights\n", 100 * o->test_accuracy);
  if (e->report) {
    TRY(cli_print_report(e->report, CLASSES, WORST));
    printf("\n");
    TRY(print_confused(e->report));
  }
  cli_print_position(e);
  printf("saved in %s\n", e->out);
  print_next(e);
  return SKP_OK;
}
