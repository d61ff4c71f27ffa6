/* progress.c: how it is going: a line that is drawn anew on a terminal, lines of
 * training elsewhere, always on standard error.
 * SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/system.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const double bar_interval = 0.1, line_interval = 10, noticeable = 2; /* seconds */

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the line --------------------------------------------------------------------------------------------------- */

/* A part of the line. Those that matter least (the highest numbers) go first where the terminal is narrow; 0 stays. */
struct piece {
  int matters;
  char text[72];
};

/* A number of columns that the terminal may have changed since the last line. */
static int terminal_width(void) {
  enum { USUAL = 80 };
  const char *columns = cli_variable("COLUMNS");
  int width = cli_terminal_columns();
  if (width) return width;
  width = columns ? atoi(columns) : 0;
  return width > 0 ? width : USUAL;
}

/* How wide the pieces are with two blanks between them. */
static int line_letters(const struct piece *p, int n) {
  int letters = 0;
  for (int i = 0; i < n; i++)
    if (*p[i].text) letters += cli_letters(p[i].text) + (letters ? 2 : 0);
  return letters;
}

/* Empties the piece that matters least; false: all that are left stay. */
static bool drop_piece(struct piece *p, int n) {
  int least = -1;
  for (int i = 0; i < n; i++)
    if (*p[i].text && p[i].matters && (least < 0 || p[i].matters >= p[least].matters)) least = i;
  if (least >= 0) *p[least].text = 0;
  return least >= 0;
}

enum { LINE = 1024 }; /* bytes of a line, which its pieces cannot exceed */

/* Puts the pieces together in at most `width` letters; 0: however many they are. */
static void join(char line[LINE], struct piece *p, int n, int width) {
  char whole[LINE] = "";
  while (width && line_letters(p, n) > width && drop_piece(p, n)) continue;
  for (int i = 0; i < n; i++)
    if (*p[i].text) strcat(strcat(whole, *whole ? "  " : ""), p[i].text);
  if (width && cli_letters(whole) > width)
    cli_shortened(line, LINE, whole, width - 1);
  else
    strcpy(line, whole);
}

/* Takes the drawn line away so that another can follow; where the terminal has become
 * narrower it covers several rows. */
static void wipe(struct cli_progress *c) {
  int rows = c->drawn ? (c->drawn - 1) / terminal_width() : 0;
  if (rows) fprintf(stderr, "\033[%dA", rows);
  if (c->drawn)
    fprintf(stderr, rows ? "\r\033[J" : "\r\033[K"); /* J in the first row pushes it into what tmux scrolls back to */
  c->drawn = 0;
}

static void draw(struct cli_progress *c, struct piece *p, int n) {
  char line[LINE];
  join(line, p, n, terminal_width() - 1); /* the last column would begin a new row on some */
  wipe(c);
  fprintf(stderr, "%s", line);
  c->drawn = cli_letters(line);
}

/* A line that stays. */
static void say(struct cli_progress *c, struct piece *p, int n) {
  char line[LINE];
  join(line, p, n, c->terminal ? terminal_width() - 1 : 0);
  wipe(c);
  fprintf(stderr, "%s\n", line);
}

static void draw_bar(struct piece *p, int64_t done, int64_t all) {
  enum { WIDTH = 16 };
  int64_t filled = all > 0 ? done * WIDTH / all : 0;
  for (int i = 0; i < WIDTH; i++) strcat(p->text, i < filled ? "━" : "─");
}

/* ---- pieces of it ----------------------------------------------------------------------------------------------- */

/* "1:02:03" or "2:03" */
static const char *duration(char *text, size_t size, double seconds) {
  long s = (long)(seconds + 0.5);
  if (s >= 3600)
    snprintf(text, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
  else
    snprintf(text, size, "%ld:%02ld", s / 60, s % 60);
  return text;
}

/* "epoch 3/10", or "epoch 3" where there is no end. */
static void epoch_piece(struct piece *p, const skp_event *from) {
  int n = snprintf(p->text, sizeof p->text, "epoch %lld", (long long)from->epoch + 1);
  if (from->epochs > 0) snprintf(p->text + n, sizeof p->text - (size_t)n, "/%lld", (long long)from->epochs);
}

/* Nothing while there is nothing to say. */
static void rate_piece(struct piece *p, double rate) {
  char text[32];
  if (rate >= 10)
    snprintf(p->text, sizeof p->text, "%s images/s", cli_grouped(text, sizeof text, (int64_t)(rate + 0.5)));
  else if (rate > 0)
    snprintf(p->text, sizeof p->text, "%.2g images/s", rate);
}

static void loss_piece(struct piece *p, const char *what, double loss) {
  char text[32];
  snprintf(p->text, sizeof p->text, "%s %s", what, cli_loss(text, sizeof text, loss));
}

/* How long the rest of the run takes at the pace of this epoch; nothing where there is no end. */
static void eta_piece(struct piece *p, const skp_event *from) {
  char text[32];
  if (from->epochs <= 0 || from->img_per_s <= 0 || !from->step_in_epoch) return;
  double steps = (double)(from->steps_in_epoch - from->step_in_epoch) +
                 (double)(from->epochs - from->epoch - 1) * (double)from->steps_in_epoch;
  double images = steps * (double)from->images_in_epoch / (double)from->step_in_epoch;
  snprintf(p->text, sizeof p->text, "ETA %s", duration(text, sizeof text, images / from->img_per_s));
}

/* ---- what is told ----------------------------------------------------------------------------------------------- */

static void show_step(struct cli_progress *c, const skp_event *p) {
  struct piece line[] = {{0, ""}, {5, ""}, {1, ""}, {2, ""}, {4, ""}, {3, ""}};
  enum { PIECES = sizeof line / sizeof *line };
  epoch_piece(&line[0], p);
  if (c->terminal) draw_bar(&line[1], p->step_in_epoch, p->steps_in_epoch);
  snprintf(line[2].text, sizeof line[2].text, "%s%lld/%lld", c->terminal ? "" : "step ", (long long)p->step_in_epoch,
           (long long)p->steps_in_epoch);
  loss_piece(&line[3], "loss", p->loss);
  rate_piece(&line[4], p->img_per_s);
  eta_piece(&line[5], p);
  (c->terminal ? draw : say)(c, line, PIECES);
}

static void say_epoch(struct cli_progress *c, const skp_event *p) {
  static const double much = 0.1; /* of the epoch spent waiting for images: worth knowing */
  struct piece line[] = {{0, ""}, {1, ""}, {0, ""}, {3, ""}, {4, ""}, {2, ""}, {p->data_wait < much ? 5 : 1, ""}};
  enum { PIECES = sizeof line / sizeof *line };
  char time[32];
  const char *set = p->by_validation ? "valid" : "test";
  epoch_piece(&line[0], p);
  loss_piece(&line[1], "loss", p->train_loss);
  if (p->accuracy >= 0) {
    snprintf(line[2].text, sizeof line[2].text, "%s accuracy %.2f %%", set, 100 * p->accuracy);
    loss_piece(&line[3], p->by_validation ? "valid loss" : "test loss", p->test_loss);
  }
  rate_piece(&line[4], p->img_per_s);
  snprintf(line[5].text, sizeof line[5].text, "%s", duration(time, sizeof time, p->seconds));
  snprintf(line[6].text, sizeof line[6].text, "data wait %.1f %%", 100 * p->data_wait);
  say(c, line, PIECES);
}

static const char *what_becomes_of_kernels(const struct cli_progress *c) {
  skp_device_state device;
  skp_device_ask(c->device, &device);
  return device.keeps_kernels ? "later runs find them" : "SKIPPER_CACHE=FOLDER would keep them";
}

/* A long silence at the start wants a word, where that is what it was for. */
static void say_compiled(struct cli_progress *c, double seconds) {
  wipe(c);
  fprintf(stderr, "kernels  compiled for this device in %.0f s; %s\n", seconds, what_becomes_of_kernels(c));
}

/* The same while it lasts, once, where no line of progress is drawn. */
static void hear_compiling(struct cli_progress *c, const skp_event *p) {
  const double now = now_s(), before = c->compiling;
  if (c->working && !strcmp(c->doing, p->doing)) c->compiling += now - c->heard;
  c->heard = now;
  if (!c->terminal && c->device && before <= noticeable && c->compiling > noticeable)
    fprintf(stderr, "kernels  are being compiled for this device, %lld of %lld so far; %s\n", (long long)p->done,
            (long long)p->all, what_becomes_of_kernels(c));
  c->compiled = true;
}

/* Whether the time for another line has come; then it counts from now. */
static bool due(struct cli_progress *c, bool at_once) {
  double now = now_s(), interval = c->terminal ? bar_interval : line_interval;
  if (!at_once && now - c->shown < interval) return false;
  c->shown = now;
  return true;
}

static void hear_training(struct cli_progress *c, const skp_event *p) {
  if (c->compiled && p->first && !p->epoch_done && p->seconds > noticeable) {
    say_compiled(c, p->seconds);
    due(c, true);
  }
  if (!p->epoch_done && p->img_per_s <= 0) return;
  if (!due(c, p->epoch_done)) return;
  if (p->epoch_done)
    say_epoch(c, p);
  else
    show_step(c, p);
}

/* Another piece of work shows at once: a silence may follow. */
static void hear_work(struct cli_progress *c, const skp_event *p) {
  struct piece line[] = {{0, ""}, {2, ""}, {1, ""}};
  enum { PIECES = sizeof line / sizeof *line };
  char done[32], all[32];
  bool news = !c->working || strcmp(c->doing, p->doing) != 0;
  if (strcmp(p->doing, "compiling kernels") == 0) hear_compiling(c, p);
  c->working = p->done < p->all;
  snprintf(c->doing, sizeof c->doing, "%s", p->doing);
  if (!c->working && c->terminal) wipe(c);
  if (!c->working || !due(c, news && c->terminal)) return;
  snprintf(line[0].text, sizeof line[0].text, "%s", p->doing);
  if (c->terminal) draw_bar(&line[1], p->done, p->all);
  snprintf(line[2].text, sizeof line[2].text, "%s of %s", cli_grouped(done, sizeof done, p->done),
           cli_grouped(all, sizeof all, p->all));
  (c->terminal ? draw : say)(c, line, PIECES);
}

static int hear(void *user, const skp_event *p) {
  struct cli_progress *c = user;
  if (p->doing)
    hear_work(c, p);
  else
    hear_training(c, p);
  if (p->epoch_done && c->after_epoch) c->after_epoch(c->user);
  return 0;
}

void cli_progress_start(struct cli_progress *c) {
  const char *term = cli_variable("TERM");
  *c = (struct cli_progress){.terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb")};
  cli_progress_again(c);
}

void cli_progress_again(struct cli_progress *c) {
  c->shown = now_s();
  c->compiled = false;
  skp_listen(hear, c);
}

int cli_columns(const struct cli_progress *c) { return c->terminal ? terminal_width() : 0; }

void cli_progress_end(struct cli_progress *c) {
  wipe(c);
  skp_listen(NULL, NULL);
}
