/* environment.c: the environment variables that the program reads, all of them, and what they stand for in the library,
 * which reads none. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <stdlib.h>
#include <string.h>

const char *cli_variable(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

/* A number of seconds; 0, which is the usual, for what is none. */
static double seconds(const char *name) {
  const char *text = cli_variable(name);
  const double x = text ? atof(text) : 0;
  return x > 0 && x < 1e9 ? x : 0;
}

static bool is_on(const char *name) {
  const char *text = cli_variable(name);
  return text && strcmp(text, "0") != 0;
}

/* Where kernels and what is known of devices and pictures are kept, as the XDG directories say; NULL: as the library
 * does without them. */
static const char *find_cache(void) {
  static char folder[4096];
  const char *own = cli_variable("SKIPPER_CACHE"), *xdg = cli_variable("XDG_CACHE_HOME"), *home = cli_variable("HOME");
  if (is_on("SKIPPER_NO_CACHE")) return "";
  if (own || !(xdg || home)) return own;
  snprintf(folder, sizeof folder, "%s/%s", xdg ? xdg : home, xdg ? "skipper" : ".cache/skipper");
  return folder;
}

/* NULL: pictures are looked at anew each time. */
static const char *find_index(void) {
  static char folder[4096 + sizeof "/pictures"];
  const char *cache = find_cache();
  if (!cache || !*cache) return NULL;
  snprintf(folder, sizeof folder, "%s/pictures", cache);
  return folder;
}

skp_status cli_environment_host(void) {
  return skp_host_set(&(skp_host_options){.scratch = cli_variable("TMPDIR"),
                                          .index = find_index(),
                                          .root = cli_variable("SKIPPER_ROOT"),
                                          .probe_seconds = seconds("SKIPPER_PROBE_TIMEOUT"),
                                          .call = cli_call});
}

double cli_environment_timeout(void) { return seconds("SKIPPER_TIMEOUT"); }

/* Each implementation of MPI tells it by a variable of its own: Open MPI; MPICH and Intel's; Slurm as PMIx does. */
bool cli_environment_ranks(void) {
  static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
  const char *slurm = cli_variable("PMIX_RANK") ? cli_variable("SLURM_NTASKS") : NULL;
  bool any = slurm && atoi(slurm) > 1;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    any = any || (cli_variable(sizes[i]) && atoi(cli_variable(sizes[i])) > 1);
  return any;
}

static skp_status read_memory(int64_t *out) {
  const char *text = cli_variable("SKIPPER_MEMORY");
  char *end;
  if (!text) return SKP_OK;
  const double mib = strtod(text, &end);
  if (*end || !(mib > 0 && mib < 1e12))
    return skp_fail(SKP_USAGE, "SKIPPER_MEMORY is a number of MiB, not \"%s\".", text);
  *out = (int64_t)(mib * (1 << 20));
  return SKP_OK;
}

skp_status cli_environment_device(skp_device_options *out) {
  *out = (skp_device_options){.backend = cli_variable("SKIPPER_BACKEND"),
                              .platform = cli_variable("SKIPPER_PLATFORM"),
                              .device = cli_variable("SKIPPER_DEVICE"),
                              .method = cli_variable("SKIPPER_METHOD"),
                              .tune = cli_variable("SKIPPER_TUNE"),
                              .cache = find_cache(),
                              .timeout = cli_environment_timeout(),
                              .sync = is_on("SKIPPER_SYNC"),
                              .trust = is_on("SKIPPER_TRUST")};
  return read_memory(&out->memory);
}
