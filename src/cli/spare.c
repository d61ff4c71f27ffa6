/* spare.c: what a command reads is not what it writes. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/system.h"
#include <stdlib.h>
#include <string.h>

static bool lies_in(const char *file, const char *folder) {
  char *inner = cli_true_path(file), *outer = cli_true_path(folder);
  const size_t n = outer ? strlen(outer) : 0;
  const bool in = inner && outer && !strncmp(inner, outer, n) && inner[n] == '/';
  free(inner);
  free(outer);
  return in;
}

/* Whether commands read a file of this name in a folder of data, or of a run; others may be made anew. */
static bool is_read(const char *file, bool data) {
  static const char *const made[] = {".json", ".safetensors", ".onnx", ".html"};
  if (!data) return skp_runs_file(file) && !skp_text_ends(file, "trace.json");
  bool read = true;
  for (size_t i = 0; i < sizeof made / sizeof *made; i++) read = read && !skp_text_ends(file, made[i]);
  return read;
}

static skp_status spare(cli_option option, const char *out, const char *in, bool data) {
  if (!cli_same_file(out, in) && (!cli_is_folder(in) || !is_read(out, data) || !lies_in(out, in))) return SKP_OK;
  return skp_fail(SKP_USAGE, "%s: %s is there already, and what this command reads: name another file.",
                  cli_option_text(option), out);
}

/* Whether any of the outputs is what the command reads there; NULL: it reads nothing there. */
static skp_status spare_all(const struct cli *c, const char *in, bool data) {
  static const cli_option files[] = {CLI_OUT, CLI_CURVE, CLI_LOGITS, CLI_ONNX, CLI_TRACE};
  for (size_t i = 0; in && i < sizeof files / sizeof *files; i++) {
    const char *out = c->value[files[i]];
    if (out && cli_is_file(out)) TRY(spare(files[i], out, in, data));
  }
  return SKP_OK;
}

skp_status cli_spare(const struct cli *c) {
  const char *resumed = c->value[CLI_RESUME]; /* "": the folder that --out names */
  for (int i = 0; i < c->n_arguments; i++) TRY(spare_all(c, c->arguments[i], false));
  TRY(spare_all(c, c->value[CLI_INIT], false));
  return spare_all(c, resumed && !*resumed ? c->value[CLI_OUT] : resumed, false);
}

skp_status cli_spare_data(const struct cli *c, const char *data) { return spare_all(c, data, true); }
