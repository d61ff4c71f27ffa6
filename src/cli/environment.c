/* environment.c: the environment variables that the program reads, and what they stand for in the library,
 * which reads none. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <stdlib.h>
#include <string.h>

/* X(ID, help): Skipper's own variables but those of options, which preset.c knows: SKIPPER_ID. */
#define OWN_VARIABLES(X)                                                                                               \
  X(MEMORY, "MiB of the device's memory to use at most; a larger step goes through the network in micro-batches")      \
  X(METHOD, "op=method,... forces methods: conv2d=direct")                                                             \
  X(CACHE, "folder for compiled kernels and what is known of devices and pictures; else skipper in $XDG_CACHE_HOME")   \
  X(NO_CACHE, "1: compile each time")                                                                                  \
  X(TIMEOUT, "seconds after which the device, or another process of a training, counts as hung (600)")                 \
  X(SYNC, "1: wait after each launch, to learn which kernel fails")                                                    \
  X(TRUST, "1: methods are not compared with plain C")                                                                 \
  X(PROBE_TIMEOUT, "seconds that a driver may take to list its devices (10)")                                          \
  X(ROOT, "a folder that stands for / where graphics chips are looked for, for tests")

typedef enum variable {
#define X(id, help) id,
  OWN_VARIABLES(X)
#undef X
} variable;

static const struct {
  const char *name, *help;
} variables[] = {
#define X(id, help) {"SKIPPER_" #id, help},
    OWN_VARIABLES(X)
#undef X
};

const char *cli_variable(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

static const char *get(variable which) { return cli_variable(variables[which].name); }

void cli_each_variable(void (*tell)(void *user, const char *name, const char *help), void *user) {
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) tell(user, variables[i].name, variables[i].help);
}

/* A number of seconds; 0, which is the usual, for what is none. */
static double seconds(variable which) {
  const char *text = get(which);
  const double x = text ? atof(text) : 0;
  return x > 0 && x < 1e9 ? x : 0;
}

static bool is_on(variable which) {
  const char *text = get(which);
  return text && strcmp(text, "0") != 0;
}

/* Where kernels and what is known of devices and pictures are kept, as the XDG directories say; NULL: as the library
 * does without them. */
static const char *find_cache(void) {
  static char folder[4096];
  const char *own = get(CACHE), *xdg = cli_variable("XDG_CACHE_HOME"), *home = cli_variable("HOME");
  if (is_on(NO_CACHE)) return "";
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
                                          .root = get(ROOT),
                                          .probe_seconds = seconds(PROBE_TIMEOUT),
                                          .call = cli_call});
}

double cli_environment_timeout(void) { return seconds(TIMEOUT); }

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
  const char *text = get(MEMORY);
  char *end;
  if (!text) return SKP_OK;
  const double mib = strtod(text, &end);
  if (*end || !(mib > 0 && mib < 1e12))
    return skp_fail(SKP_USAGE, "SKIPPER_MEMORY is a number of MiB, not \"%s\".", text);
  *out = (int64_t)(mib * (1 << 20));
  return SKP_OK;
}

skp_status cli_environment_device(skp_device_options *out) {
  *out = (skp_device_options){.method = get(METHOD),
                              .cache = find_cache(),
                              .timeout = cli_environment_timeout(),
                              .sync = is_on(SYNC),
                              .trust = is_on(TRUST)};
  return read_memory(&out->memory);
}
