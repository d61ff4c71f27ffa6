/* limits.c: how long to train and how often to save. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Units of time, by all their names. */
static const struct {
  const char *names;
  double seconds;
} units[] = {{"d day days", 86400},
             {"h hr hrs hour hours", 3600},
             {"m min mins minute minutes", 60},
             {"s sec secs second seconds", 1}};
enum { UNITS = sizeof units / sizeof *units };

/* Whether the n letters at `word` are one of the blank-separated names, in any case. */
static bool is_one_of(const char *names, const char *word, size_t n) {
  for (size_t length; *names; names += length + (names[length] == ' ')) {
    length = strcspn(names, " ");
    if (length == n && strncasecmp(names, word, n) == 0) return true;
  }
  return false;
}

static const char *skip_blanks(const char *text) { return text + strspn(text, " "); }

/* A number of a piece, and its unit, which may stand apart; *text moves behind both. */
static double number(const char **text, const char **unit, size_t *letters) {
  char *end;
  double x = strtod(*text, &end);
  bool plain = end != *text && isfinite(x) && x >= 0 && strspn(*text, "0123456789.") == (size_t)(end - *text);
  *unit = skip_blanks(end);
  *letters = 0;
  while (isalpha((unsigned char)(*unit)[*letters])) ++*letters;
  *text = skip_blanks(*unit + *letters);
  return plain ? x : -1;
}

/* One number and its unit at *text, which moves behind them; a bare number at the end is minutes. -1: neither. */
static double piece(const char **text) {
  const char *unit;
  size_t letters;
  double x = number(text, &unit, &letters);
  if (x >= 0 && !letters && !**text) return 60 * x;
  for (int i = 0; x >= 0 && i < UNITS; i++)
    if (is_one_of(units[i].names, unit, letters)) return x * units[i].seconds;
  return -1;
}

/* "90", "45m", "1h30m", "10 seconds" in seconds; 0: nothing of the kind. */
static double duration(const char *text) {
  double sum = 0, x = 0;
  text = skip_blanks(text);
  do sum += (x = piece(&text));
  while (x >= 0 && *text);
  return x >= 0 ? sum : 0;
}

skp_status cli_max_time(const struct cli *c, double *seconds) {
  const char *text = c->value[CLI_MAX_TIME];
  *seconds = text ? duration(text) : 0;
  if (!text || *seconds > 0) return SKP_OK;
  return skp_fail(SKP_USAGE, "--max-time is a time above 0 like 90 (minutes), 45m, 10s or 1h30m, not \"%s\".", text);
}

/* Reads "200steps"; a time otherwise. */
static bool read_when(skp_training *out, const char *text) {
  const char *unit, *rest = skip_blanks(text);
  size_t letters;
  double n = number(&rest, &unit, &letters);
  bool whole = n == floor(n) && n <= INT32_MAX && letters && !*rest;
  out->save_epochs = whole && is_one_of("epoch epochs", unit, letters) ? (int64_t)n : 0;
  out->save_steps = whole && is_one_of("step steps", unit, letters) ? (int64_t)n : 0;
  out->save_seconds = out->save_epochs || out->save_steps || !letters ? 0 : duration(text);
  return out->save_epochs > 0 || out->save_steps > 0 || out->save_seconds > 0;
}

skp_status cli_save_options(const struct cli *c, skp_training *out) {
  const char *text = c->value[CLI_SAVE_EVERY];
  TRY(cli_int(c, CLI_KEEP, &out->keep, 0, 1 << 20, out->keep));
  if (!text || read_when(out, text)) return SKP_OK;
  return skp_fail(SKP_USAGE,
                  "--save-every is a number of epochs, steps or minutes like 1epoch, 200steps or 5min, not \"%s\".",
                  text);
}
