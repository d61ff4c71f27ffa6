/* tuned.c: see tuned.h. SPDX-License-Identifier: MIT */
#include "verify/tuned.h"
#include "base/file.h"
#include "base/text.h"
#include "skipper/version.h"
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 4 << 20, LONGEST_CALL = 1000, MOST_LINES = 20000, MOST_MS = 1000000 };
#define HEAD "skipper " SKP_VERSION " tuned\non %s\n"

/* ---- calls ------------------------------------------------------------------------------------------------------- */

skp_status skp__tuned_call(char **out, const struct skp_sig *sig) {
  struct skp__text t = {.n = 0};
  skp__sig_text(&t, sig);
  skp__sig_attrs_text(&t, sig);
  if (sig->constant) skp__text_add(&t, " constant");
  return skp__strdup(out, t.at);
}

static struct skp__tuned_line *find(const struct skp__tuned *t, const char *call) {
  for (size_t i = 0; i < t->lines.n; i++)
    if (!strcmp(t->lines.at[i].call, call)) return &t->lines.at[i];
  return NULL;
}

const char *skp__tuned_method(const struct skp__tuned *t, const char *call) {
  const struct skp__tuned_line *line = find(t, call);
  return line ? line->method : NULL;
}

/* The last word on a call counts. */
skp_status skp__tuned_add(struct skp__tuned *t, const char *call, const char *method, double ms) {
  struct skp__tuned_line *line = find(t, call);
  if (!line) {
    char *copy;
    SKP_TRY(skp__strdup(&copy, call));
    if (SKP_GROW(&t->lines) != SKP_OK) {
      free(copy);
      return SKP_MEMORY;
    }
    line = &t->lines.at[t->lines.n - 1];
    line->call = copy;
  }
  snprintf(line->method, sizeof line->method, "%s", method);
  line->ms = ms;
  return SKP_OK;
}

void skp__tuned_free(struct skp__tuned *t) {
  for (size_t i = 0; i < t->lines.n; i++) free(t->lines.at[i].call);
  SKP_FREE(&t->lines);
  free(t->path);
  t->path = NULL;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

struct reader {
  struct skp__tuned *t;
  struct skp_backend *b;
  int number, ignored, first; /* of the line that is read; lines ignored, the first of them */
};

static bool has_method(struct skp_backend *b, const struct skp_op *op, const char *method) {
  const char *name;
  for (int n = 0; (name = b->ops->method_name(b, op, n)); n++)
    if (!strcmp(name, method)) return true;
  return false;
}

/* Nothing that steers a terminal. */
static bool is_plain(const char *text) {
  for (; *text; text++)
    if ((unsigned char)*text < ' ' || *text == 0x7f) return false;
  return true;
}

/* False: it says nothing of use. */
static bool read_line(struct reader *r, const char *line, skp_status *status) {
  char method[SKP_TUNED_METHOD], name[48];
  double ms;
  int n = 0;
  if (sscanf(line, "%31s %lf %n", method, &ms, &n) != 2 || !n || !(ms > 0 && ms <= MOST_MS)) return false;
  const char *call = line + n;
  if (sscanf(call, "%47s", name) != 1 || strlen(call) > LONGEST_CALL || !is_plain(call)) return false;
  const struct skp_op *op = skp__op_by_name(name);
  if (!op || !has_method(r->b, op, method) || r->t->lines.n >= MOST_LINES) return false;
  *status = skp__tuned_add(r->t, call, method, ms);
  return true;
}

static skp_status read_lines(struct reader *r, char *at) {
  skp_status status = SKP_OK;
  for (r->number = 3; *at && status == SKP_OK; r->number++) {
    char *end = strchr(at, '\n');
    if (end) *end = '\0';
    if (*at != '#' && *at && (!end || !read_line(r, at, &status)) && !r->ignored++) r->first = r->number;
    at = end ? end + 1 : at + strlen(at);
  }
  return status;
}

static void tell(const struct reader *r, FILE *say) {
  char more[48] = "";
  if (!r->ignored || !say) return;
  if (r->ignored > 1) snprintf(more, sizeof more, ", and %d more", r->ignored - 1);
  skp_print(say, "%s: line %d is ignored: it names no method, time and call%s.\n", r->t->path, r->first, more);
}

static skp_status read_text(struct skp__tuned *t, struct skp_backend *b, char *text, FILE *say) {
  char head[sizeof t->on + 80];
  struct reader r = {.t = t, .b = b};
  const int n = snprintf(head, sizeof head, HEAD, t->on);
  if (strncmp(text, head, (size_t)n) != 0) {
    if (say) skp_print(say, "%s is ignored: it is of another version or device.\n", t->path);
    return SKP_OK;
  }
  SKP_TRY(read_lines(&r, text + n));
  tell(&r, say);
  return SKP_OK;
}

skp_status skp__tuned_open(struct skp__tuned *t, struct skp_backend *b, FILE *say) {
  struct skp_backend_info info;
  void *text;
  int64_t size;
  b->ops->info(b, &info);
  skp__note_device(t->on, &info);
  const size_t used = strlen(t->on);
  snprintf(t->on + used, sizeof t->on - used, ", %d units", info.units);
  SKP_TRY(skp__note_path(&t->path, &info, "tuned", t->on));
  if (!t->path || !skp__file_exists(t->path)) return SKP_OK;
  if (skp__file_read(&text, &size, t->path, FILE_LIMIT) != SKP_OK) {
    if (say) skp_print(say, "%s is ignored: %s\n", t->path, skp_error_message());
    return SKP_OK;
  }
  skp_status status = read_text(t, b, text, say);
  free(text);
  return status;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void put(FILE *to, void *user) {
  const struct skp__tuned *t = user;
  fprintf(to, HEAD, t->on);
  for (size_t i = 0; i < t->lines.n; i++)
    fprintf(to, "%s %.4g %s\n", t->lines.at[i].method, t->lines.at[i].ms, t->lines.at[i].call);
}

void skp__tuned_save(struct skp__tuned *t) {
  if (t->path) (void)skp__file_print_atomic(t->path, put, t);
}
