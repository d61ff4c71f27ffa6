/* limits.c: how long to train and how often to save. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Units of time. */
static const struct {
  const char *name;
  double seconds;
} units[] = {{"h", 3600}, {"min", 60}, {"m", 60}, {"s", 1}};
enum { UNITS = sizeof units / sizeof *units };

/* One number and its unit at *text, which moves behind them; a bare number at the end is minutes. -1: neither. */
static double piece(const char **text) {
  char *end;
  double x = strtod(*text, &end);
  if (end == *text || !isfinite(x) || x < 0 || strspn(*text, "0123456789.") != (size_t)(end - *text)) return -1;
  *text = end;
  if (!*end) return 60 * x;
  for (int i = 0; i < UNITS; i++) {
    size_t n = strlen(units[i].name);
    if (strncmp(end, units[i].name, n) != 0) continue;
    *text = end + n;
    return x * units[i].seconds;
  }
  return -1;
}

/* "90", "45m", "1h30m" in seconds; 0: nothing of the kind. */
static double duration(const char *text) {
  double sum = 0, x = 0;
  do sum += (x = piece(&text));
  while (x >= 0 && *text);
  return x >= 0 ? sum : 0;
}

skp_status cli_max_time(const struct cli *c, double *seconds) {
  const char *text = c->value[CLI_MAX_TIME];
  *seconds = text ? duration(text) : 0;
  if (!text || *seconds > 0) return SKP_OK;
  return skp__fail(SKP_USAGE, "--max-time is a time above 0 like 90 (minutes), 45m or 1h30m, not \"%s\".", text);
}

/* Reads "200steps"; a time otherwise. */
static bool read_when(struct skp_save_options *out, const char *text) {
  char *unit;
  long long n = strtoll(text, &unit, 10);
  out->epochs = strcmp(unit, "epoch") == 0 || strcmp(unit, "epochs") == 0 ? n : 0;
  out->steps = strcmp(unit, "step") == 0 || strcmp(unit, "steps") == 0 ? n : 0;
  out->seconds = out->epochs || out->steps || !*unit ? 0 : duration(text);
  return out->epochs > 0 || out->steps > 0 || out->seconds > 0;
}

skp_status cli_save_options(const struct cli *c, struct skp_save_options *out) {
  const char *text = c->value[CLI_SAVE_EVERY];
  SKP_TRY(cli_int(c, CLI_KEEP, &out->keep, 0, 1 << 20, out->keep));
  if (!text || read_when(out, text)) return SKP_OK;
  return skp__fail(SKP_USAGE,
                   "--save-every is a number of epochs, steps or minutes like 1epoch, 200steps or 5min, not \"%s\".",
                   text);
}
