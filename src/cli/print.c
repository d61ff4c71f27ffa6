/* print.c: what several commands say. SPDX-License-Identifier: MIT */
#include "backend/devices.h"
#include "cli/cli.h"
#include "io/json.h"
#include "skipper/version.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* GPUs that lie idle while the CPU works, unless it was asked for. */
static void say_idle_gpus(const struct cli *c) {
  const struct skp_device_list *list;
  if (c->backend->ops != &skp__backend_opencl || cli_said(c, CLI_DEVICE) || cli_said(c, CLI_PLATFORM)) return;
  if (skp__devices_list(&list) != SKP_OK) return;
  for (size_t i = 0; i < list->n_gpus; i++)
    fprintf(stderr, "         %s is not used: skipper devices says why\n", list->gpus[i].name);
}

/* The platform and the driver's version, without OpenCL's in between. */
static const char *driver_text(char *text, size_t size, const char *driver) {
  const char *version = strrchr(driver, ',');
  snprintf(text, size, "%.*s%s", (int)strcspn(driver, ","), driver, version ? version + 1 : "");
  return text;
}

void cli_say_device(struct cli *c) {
  enum { NAME = 28, DRIVER = 38 }; /* letters: the line fits 80 columns */
  struct skp_backend_info info;
  char name[192], driver[288], text[288];
  c->backend->ops->info(c->backend, &info);
  driver_text(driver, sizeof driver, info.driver);
  fprintf(stderr, "device   %s (%s)\n", cli_shortened(name, sizeof name, info.name, NAME),
          cli_shortened(text, sizeof text, driver, DRIVER));
  say_idle_gpus(c);
}

skp_status cli_print_json(cJSON *object) {
  char *text;
  if (cJSON_IsObject(object)) cJSON_AddNumberToObject(object, "version", SKP_JSON_VERSION);
  skp_status status = skp__json_text(&text, object, false);
  cJSON_Delete(object);
  SKP_TRY(status);
  puts(text);
  free(text);
  return SKP_OK;
}

int64_t cli_count_parameters(const struct skp_graph *g) {
  int64_t n = 0;
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    if (skp__is_parameter(t)) n += skp__shape_count(&t->shape);
  }
  return n;
}

const char *cli_grouped(char *text, size_t size, int64_t n) {
  char digits[24];
  size_t used = 0, length = (size_t)snprintf(digits, sizeof digits, "%lld", (long long)n);
  for (size_t i = 0; i < length && used + 2 < size; i++) {
    if (i && (length - i) % 3 == 0 && digits[i - 1] != '-') text[used++] = ' ';
    text[used++] = digits[i];
  }
  text[used] = 0;
  return text;
}

const char *cli_number(char *text, size_t size, double x) {
  static const double whole = 1e3, most = 1e15; /* from here on fractions say nothing; grouping neither */
  if (fabs(x) >= whole && fabs(x) < most) return cli_grouped(text, size, (int64_t)round(x));
  snprintf(text, size, "%.4g", x);
  return text;
}

const char *cli_loss(char *text, size_t size, double loss) {
  static const double long_one = 1e5;
  snprintf(text, size, fabs(loss) < long_one ? "%.4f" : "%.3g", loss);
  return text;
}

int cli_letters(const char *text) {
  int n = 0;
  for (; *text; text++) n += (*text & 0xc0) != 0x80; /* not the rest of one */
  return n;
}

const char *cli_shortened(char *text, size_t size, const char *from, int most) {
  const char *end = from;
  for (int n = 0; *end && n < most; n++) do
      end++;
    while ((*end & 0xc0) == 0x80);
  snprintf(text, size, "%.*s%s", (int)(end - from), from, *end ? "…" : "");
  return text;
}

const char *cli_bytes(char *text, size_t size, double bytes) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  int unit = 0;
  while (bytes >= 1024 && unit < 4) {
    bytes /= 1024;
    unit++;
  }
  snprintf(text, size, unit && bytes < 100 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
  return text;
}
