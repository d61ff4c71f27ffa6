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

static const char *judge_name(const struct cli_ending *e) { return e->valid ? "valid" : "test"; }

/* The weights to go on with. */
static const char *file_of(const struct cli_ending *e) {
  return e->r->best_epoch ? "best.safetensors" : "last.safetensors";
}

void cli_print_position(const struct cli_ending *e) {
  const struct skp_train_result *r = e->r;
  char loss[32];
  if (r->step)
    printf("epoch %lld ended after %lld of %lld steps, mean loss %s\n", (long long)r->epoch, (long long)r->step,
           (long long)r->steps, cli_loss(loss, sizeof loss, r->loss));
  if (!r->best_epoch) return;
  printf("best epoch %lld, ", (long long)r->best_epoch);
  if (r->best >= 0)
    printf("%s accuracy %.2f %%", judge_name(e), 100 * r->best);
  else
    printf("training loss %s", cli_loss(loss, sizeof loss, -r->best));
  printf(":");
  print_word(e->out, file_of(e));
  printf("\n");
}

/* Whether cell i of the confusion is a worse mistake than cell k: more images, or as many of a smaller class. */
static bool worse(const struct skp_report *r, int64_t i, int64_t k) {
  if (r->confusion[i] != r->confusion[k]) return r->confusion[i] > r->confusion[k];
  return r->of_class[i / r->classes].images < r->of_class[k / r->classes].images;
}

/* The two classes of which one was taken for the other most often. */
static void print_confused(const struct cli_ending *e) {
  const struct skp_report *report = &e->r->report;
  int64_t most = 0, at = 0;
  char label[16], guess[16], n[32], all[32];
  for (int64_t i = 0; i < (int64_t)report->classes * report->classes; i++) {
    if (i / report->classes == i % report->classes || !report->confusion[i]) continue;
    if (most && !worse(report, i, at)) continue;
    most = report->confusion[i];
    at = i;
  }
  const int is = (int)(at / report->classes), taken = (int)(at % report->classes);
  if (most)
    printf("most confused: %s taken for %s, %s of %s\n", skp__class_name(&e->names, is, label, sizeof label),
           skp__class_name(&e->names, taken, guess, sizeof guess), cli_grouped(n, sizeof n, most),
           cli_grouped(all, sizeof all, report->of_class[is].images));
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
  const struct skp_train_result *r = e->r;
  if (r->accuracy >= 0) printf("%s accuracy %.2f %% after the last epoch\n", judge_name(e), 100 * r->accuracy);
  if (r->tested >= 0) printf("test accuracy %.2f %% with the best weights\n", 100 * r->tested);
  if (r->judge) {
    SKP_TRY(cli_print_report(&(struct cli_report){&r->report, r->answers, r->judge, &e->names, CLASSES, WORST}));
    printf("\n");
    print_confused(e);
  }
  cli_print_position(e);
  printf("saved in %s\n", e->out);
  print_next(e);
  return SKP_OK;
}
