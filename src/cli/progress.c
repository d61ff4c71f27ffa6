/* progress.c: how training is going: a bar on a terminal, lines elsewhere, always on standard error. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double bar_interval = 0.1, line_interval = 10, noticeable = 2; /* seconds */

void cli_progress_start(struct cli_progress *p) {
  *p = (struct cli_progress){.terminal = isatty(STDERR_FILENO) && getenv("TERM") && strcmp(getenv("TERM"), "dumb")};
  if (p->terminal) fprintf(stderr, "preparing kernels …");
  p->width = p->terminal;
}

/* Ends a bar so that a line can follow. */
static void wipe(struct cli_progress *p) {
  if (p->width) fprintf(stderr, "\r\033[K");
  p->width = 0;
}

void cli_progress_end(struct cli_progress *p) { wipe(p); }

/* "1:02:03" or "2:03" */
static const char *duration(char *text, size_t size, double seconds) {
  long s = (long)(seconds + 0.5);
  if (s >= 3600)
    snprintf(text, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
  else
    snprintf(text, size, "%ld:%02ld", s / 60, s % 60);
  return text;
}

/* Steps to go in the whole run at the pace of this epoch. */
static double remaining(const struct skp_progress *p, int64_t batch_images) {
  double steps =
      (double)(p->steps_in_epoch - p->step_in_epoch) + (double)(p->epochs - p->epoch - 1) * (double)p->steps_in_epoch;
  return p->img_per_s > 0 ? steps * (double)batch_images / p->img_per_s : 0;
}

/* "3/10", or "3" where there is no end. */
static const char *epoch_text(char *text, size_t size, const struct skp_progress *p) {
  int n = snprintf(text, size, "%lld", (long long)p->epoch + 1);
  if (p->epochs > 0) snprintf(text + n, size - (size_t)n, "/%lld", (long long)p->epochs);
  return text;
}

/* "  ETA 2:03"; nothing where there is no end. */
static const char *eta_text(char *text, size_t size, const struct skp_progress *p) {
  char time[24];
  double seconds = remaining(p, p->images / (p->step_in_epoch ? p->step_in_epoch : 1));
  snprintf(text, size, "%s%s", p->epochs > 0 ? "  ETA " : "",
           p->epochs > 0 ? duration(time, sizeof time, seconds) : "");
  return text;
}

static void draw_bar(struct cli_progress *c, const struct skp_progress *p) {
  enum { WIDTH = 16 }; /* the whole line fits 80 columns */
  char bar[3 * WIDTH + 1] = "", epoch[48], eta[48];
  int64_t filled = p->step_in_epoch * WIDTH / p->steps_in_epoch;
  for (int i = 0; i < WIDTH; i++) strcat(bar, i < filled ? "━" : "─");
  fprintf(stderr, "\r\033[Kepoch %s %s %lld/%lld  loss %.4f  %.0f images/s%s", epoch_text(epoch, sizeof epoch, p), bar,
          (long long)p->step_in_epoch, (long long)p->steps_in_epoch, p->loss, p->img_per_s,
          eta_text(eta, sizeof eta, p));
  c->width = 1;
}

static void say_step(const struct skp_progress *p) {
  char epoch[48], eta[48];
  fprintf(stderr, "epoch %s  step %lld/%lld  loss %.4f  %.0f images/s%s\n", epoch_text(epoch, sizeof epoch, p),
          (long long)p->step_in_epoch, (long long)p->steps_in_epoch, p->loss, p->img_per_s,
          eta_text(eta, sizeof eta, p));
}

static void say_epoch(const struct skp_progress *p) {
  char epoch[48], time[32], test[96] = "";
  const char *set = p->valid ? "valid" : "test";
  if (p->accuracy >= 0)
    snprintf(test, sizeof test, "  %s accuracy %.2f %%  %s loss %.4f", set, 100 * p->accuracy, set, p->test_loss);
  fprintf(stderr, "epoch %s  loss %.4f%s  %.0f images/s  %s", epoch_text(epoch, sizeof epoch, p), p->train_loss, test,
          p->img_per_s, duration(time, sizeof time, p->seconds));
  fprintf(stderr, "  data wait %.1f %%\n", 100 * p->data_wait);
}

/* A long silence at the start wants a word. */
static void say_compiling(struct cli_progress *c, double seconds) {
  wipe(c);
  fprintf(stderr, "kernels  compiled for this device in %.0f s; later runs find them\n", seconds);
}

void cli_progress_tell(void *user, const struct skp_progress *p) {
  struct cli_progress *c = user;
  if (p->first && p->seconds > noticeable) {
    say_compiling(c, p->seconds);
    c->shown = p->seconds;
  }
  if (!p->epoch_done && p->img_per_s <= 0) return;
  double interval = c->terminal ? bar_interval : line_interval;
  if (!p->epoch_done && p->seconds - c->shown < interval) return;
  c->shown = p->seconds;
  if (p->epoch_done) wipe(c);
  if (p->epoch_done)
    say_epoch(p);
  else if (c->terminal)
    draw_bar(c, p);
  else
    say_step(p);
}
