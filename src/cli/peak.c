/* peak.c: skipper bench --peak: what the device does at best. SPDX-License-Identifier: MIT */
#include "cli/cli.h"

/* A row a peak: how lines and JSON call it. */
#define PEAK_LIST(X)                                                                                                   \
  X(fma, "fma_gflops", 1e-9, "GFLOP/s of multiply-adds in float")                                                      \
  X(narrow, "bfloat16_gflops", 1e-9, "GFLOP/s of bfloat16 products with sums in float")                                \
  X(read, "read_gb_per_s", 1e-9, "GB/s read from memory")                                                              \
  X(write, "write_gb_per_s", 1e-9, "GB/s written to it")                                                               \
  X(triad, "triad_gb_per_s", 1e-9, "GB/s of a = b + s * c")                                                            \
  X(launch, "launch_us", 1e6, "us a launch")

void cli_add_peaks(cJSON *object, const skp_peaks *p) {
#define X(field, key, unit, words) cJSON_AddNumberToObject(object, key, p->field *unit);
  PEAK_LIST(X)
#undef X
}

static void print_peak(double value, const char *words) {
  char text[32];
  if (value > 0) printf("%s %s\n", cli_number(text, sizeof text, value), words);
}

static void print_peaks(const skp_peaks *p) {
#define X(field, key, unit, words) print_peak(p->field *unit, words);
  PEAK_LIST(X)
#undef X
}

skp_status cli_bench_peak(struct cli *c) {
  skp_peaks peaks;
  char file[4096];
  TRY(cli_open_device(c));
  cli_say_device(c);
  TRY(skp_device_measure(c->device, &peaks, file, sizeof file));
  if (*file) skp_print(stderr, "kept in  %s\n", file);
  if (!cli_said(c, CLI_JSON)) {
    print_peaks(&peaks);
    return SKP_OK;
  }
  cJSON *object = cJSON_CreateObject();
  cli_add_peaks(object, &peaks);
  cJSON_AddStringToObject(object, "file", file);
  return cli_print_json(object);
}
