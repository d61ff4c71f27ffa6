/* call.c: what the library's names of things that can be set are on the command line. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/foreign.h"
#include <pthread.h>
#include <string.h>

/* Fields and functions of the library that no option has the name of. */
static const struct {
  const char *name, *said;
} others[] = {{"by_number", "--labels number"},
              {"folder", "--report"},
              {"max_seconds", "--max-time"},
              {"method", "SKIPPER_METHOD"},
              {"no_steps", "--max-steps 0"},
              {"page", "--out"},
              {"scratch", "TMPDIR"},
              {"settings", "--set"},
              {"sync", "SKIPPER_SYNC=1"},
              {"table", "--layers"},
              {"timeout", "SKIPPER_TIMEOUT"},
              {"skp_model_leave_images", "--no-augment"},
              {"skp_ranks_open", "SKIPPER_TIMEOUT"},
              {"skp_predict_files", "skipper predict"},
              {"skp_run_resume", "skipper train --resume"},
              {"skp_selftest", "skipper selftest"},
              {"skp_session_export_onnx", "--onnx"},
              {"skp_session_load", "--init"},
              {"skp_train", "skipper train"}};

static const char *const options[] = {
#define X(id, name, letter, argument, help) "--" name,
    CLI_OPTION_LIST(X)
#undef X
};

const char *cli_option_text(cli_option option) { return options[option]; }

/* An entry of the recipe as an option. Those that were asked for stay: each has the place of its number. */
static const char *entry_option(size_t i, const char *name) {
  enum { SIZE = 40 };
  static char text[CLI_ENTRIES_MOST][SIZE];
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&lock);
  if (!*text[i]) {
    memcpy(text[i], "--", 2);
    cli_dashed(text[i] + 2, SIZE - 2, name);
  }
  pthread_mutex_unlock(&lock);
  return text[i];
}

/* NULL: there is no such entry. */
static const char *entry_of(const char *dashed) {
  char its[64];
  skp_entry e;
  for (size_t i = 0; i < CLI_ENTRIES_MOST && skp_entry_describe(i, &e); i++) {
    cli_dashed(its, sizeof its, e.name);
    if (strcmp(its, dashed) == 0) return entry_option(i, e.name);
  }
  return NULL;
}

const char *cli_call(const char *name) {
  char dashed[64];
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (strcmp(others[i].name, name) == 0) return others[i].said;
  cli_dashed(dashed, sizeof dashed, name);
  const char *entry = entry_of(dashed);
  for (size_t i = 0; i < CLI_OPTIONS && !entry; i++)
    if (strcmp(options[i] + 2, dashed) == 0) entry = options[i];
  for (size_t i = 0; i < cli_foreign_n && !entry; i++)
    if (cli_foreign[i].name && cli_foreign[i].ours && strcmp(cli_foreign[i].name, dashed) == 0)
      entry = entry_of(cli_foreign[i].ours);
  return entry ? entry : name;
}
