/* print.c: what several commands say. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

skp_status cli_format(char **out, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const int n = vasprintf(out, format, args);
  va_end(args);
  if (n >= 0) return SKP_OK;
  *out = NULL;
  return skp_fail(SKP_MEMORY, "Out of memory for a text.");
}

skp_status cli_copy(char **out, const char *text) { return cli_format(out, "%s", text); }

skp_status cli_alloc(void *out, size_t n, size_t size) {
  void **at = out;
  *at = calloc(n ? n : 1, size);
  return *at ? SKP_OK : skp_fail(SKP_MEMORY, "Out of memory: %zu times %zu bytes.", n, size);
}

/* GPUs that lie idle while the CPU works, unless it was asked for. */
static void say_idle_gpus(const struct cli *c) {
  skp_device_options said;
  skp_idle_gpu gpu;
  if (cli_typed(c, CLI_DEVICE) || cli_typed(c, CLI_PLATFORM) || cli_device_options(c, &said) != SKP_OK) return;
  if (said.backend && strcmp(said.backend, "opencl") != 0) return;
  for (size_t i = 0; skp_device_idle_gpu(i, &gpu); i++)
    fprintf(stderr, "         %s is not used: skipper devices says why\n", gpu.name);
}

/* The platform and the driver's version, without OpenCL's in between. */
static const char *driver_text(char *text, size_t size, const char *driver) {
  const char *version = strrchr(driver, ',');
  snprintf(text, size, "%.*s%s", (int)strcspn(driver, ","), driver, version ? version + 1 : "");
  return text;
}

void cli_say_device(struct cli *c) {
  enum { NAME = 28, DRIVER = 38 }; /* letters: the line fits 80 columns */
  skp_device_state device;
  char name[192], driver[288], text[288];
  skp_device_ask(c->device, &device);
  driver_text(driver, sizeof driver, device.driver);
  fprintf(stderr, "device   %s (%s)\n", cli_shortened(name, sizeof name, device.name, NAME),
          cli_shortened(text, sizeof text, driver, DRIVER));
  say_idle_gpus(c);
}

static atomic_bool json_lacks; /* memory: an object may have lost an entry */

static void *json_memory(size_t bytes) {
  void *fresh = malloc(bytes);
  if (!fresh) atomic_store(&json_lacks, true);
  return fresh;
}

void cli_begin_json(void) { cJSON_InitHooks(&(cJSON_Hooks){json_memory, free}); }

static skp_status fail_json(void) { return skp_fail(SKP_MEMORY, "Out of memory for the JSON."); }

skp_status cli_create_json(const struct cli *c, cJSON **out, cJSON *(*create)(void)) {
  *out = cli_said(c, CLI_JSON) ? create() : NULL;
  return *out || !cli_said(c, CLI_JSON) ? SKP_OK : fail_json();
}

skp_status cli_print_json(cJSON *object) {
  if (cJSON_IsObject(object)) cJSON_AddNumberToObject(object, "version", SKP_JSON_VERSION);
  char *text = object ? cJSON_PrintUnformatted(object) : NULL;
  cJSON_Delete(object);
  if (!text || atomic_load(&json_lacks)) {
    cJSON_free(text);
    return fail_json();
  }
  skp_status status = skp_print_json(stdout, text);
  cJSON_free(text);
  return status;
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

/* Letters among the first `bytes`. */
static int letters_of(const char *text, size_t bytes) {
  int n = 0;
  for (size_t i = 0; i < bytes; i++) n += (text[i] & 0xc0) != 0x80; /* not the rest of one */
  return n;
}

int cli_letters(const char *text) { return letters_of(text, strlen(text)); }

static void wrap(FILE *to, int columns, int indent, const char *text) {
  for (int row = 0; *text;) {
    size_t blanks = strspn(text, " "), n = blanks + strcspn(text + blanks, " \n"); /* a word, and what is before it */
    if (columns && row > indent && row + letters_of(text, n) > columns) {
      row = fprintf(to, "\n%*s", indent, "") - 1;
      text += blanks;
      n -= blanks;
    }
    row += letters_of(text, n);
    fprintf(to, "%.*s", (int)n, text);
    text += n;
    if (*text != '\n') continue;
    fputc(*text++, to);
    row = 0;
  }
}

void cli_wrap(FILE *to, int columns, int indent, const char *format, ...) {
  char *text;
  va_list args;
  va_start(args, format);
  const int n = vasprintf(&text, format, args);
  va_end(args);
  if (n < 0) return;
  wrap(to, columns, indent, text);
  free(text);
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
