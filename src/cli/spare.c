/* spare.c: what a command reads is not what it writes. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool lies_in(const char *file, const char *folder) {
  char *inner = realpath(file, NULL), *outer = realpath(folder, NULL);
  const size_t n = outer ? strlen(outer) : 0;
  const bool in = inner && outer && !strncmp(inner, outer, n) && inner[n] == '/';
  free(inner);
  free(outer);
  return in;
}

/* Of a run's folder its own files are spared, so that a page or an ONNX file in it can be made anew; of data all. */
static skp_status spare(const char *option, const char *out, const struct stat *there, const char *in, bool data) {
  struct stat st;
  if (!in || stat(in, &st)) return SKP_OK;
  const bool same = st.st_dev == there->st_dev && st.st_ino == there->st_ino;
  if (!same && (!S_ISDIR(st.st_mode) || !(data || skp_runs_file(out)) || !lies_in(out, in))) return SKP_OK;
  return skp_fail(SKP_USAGE, "--%s: %s is there already, and what this command reads: name another file.", option, out);
}

skp_status cli_spare(const struct cli *c) {
  static const struct {
    cli_option option;
    const char *name;
  } files[] = {
      {CLI_OUT, "out"}, {CLI_CURVE, "curve"}, {CLI_LOGITS, "logits"}, {CLI_ONNX, "onnx"}, {CLI_TRACE, "trace"}};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    const char *out = c->value[files[i].option], *name = files[i].name;
    struct stat there;
    if (!out || stat(out, &there) || !S_ISREG(there.st_mode)) continue;
    for (int k = 0; k < c->n_arguments; k++) TRY(spare(name, out, &there, c->arguments[k], false));
    TRY(spare(name, out, &there, c->value[CLI_INIT], false));
    TRY(spare(name, out, &there, c->value[CLI_RESUME], false));
    TRY(spare(name, out, &there, cli_said_entry(c, "data"), true));
  }
  return SKP_OK;
}
