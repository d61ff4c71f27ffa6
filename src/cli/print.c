/* print.c: what several commands say. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <string.h>

void cli_say_device(struct cli *c) {
  struct skp_backend_info info;
  c->backend->ops->info(c->backend, &info);
  fprintf(stderr, "device   %s (%s)\n", info.name, info.driver);
}

skp_status cli_print_json(cJSON *object) {
  char *text = object ? cJSON_PrintUnformatted(object) : NULL;
  cJSON_Delete(object);
  if (!text) return skp__fail_memory("JSON", 0);
  puts(text);
  cJSON_free(text);
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
