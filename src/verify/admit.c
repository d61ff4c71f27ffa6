/* admit.c: see admit.h. SPDX-License-Identifier: MIT
 *
 * The file, verified/DEVICE.txt: what it is, what it holds for, a line a call, and a checksum of all that:
 *
 *   skipper 1 verified
 *   on NAME, DRIVER
 *   KEY op method
 *   checksum XXH3
 *
 * One that is damaged, cut or another's is as good as none. */
#include "verify/admit.h"
#include "backend/note.h"
#include "base/array.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "skipper/version.h"
#include "verify/case.h"
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { FILE_LIMIT = 4 << 20 };
enum { COMPARISON = 2 }; /* how calls are compared; with another number what was admitted so far is compared anew */

/* A call by a method that was compared. */
struct admitted {
  uint64_t key;
  char op[48], method[32];
};

/* One that computed wrongly, in this process. */
struct refused {
  uint64_t key;
  char *text;
};

struct admission {
  struct skp_backend_check base;
  char *path;               /* where it is remembered, once the device is known; NULL: nowhere */
  char on[SKP_NOTE_DEVICE]; /* the device */
  FILE *say;
  bool asked, busy, news; /* once; by the comparison itself; something is not yet written */
  SKP_ARRAY(struct admitted) admitted;
  SKP_ARRAY(struct refused) refused;
};

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static uint64_t hash(uint64_t seed, const void *data, size_t bytes) { return XXH3_64bits_withSeed(data, bytes, seed); }
static uint64_t hash_text(uint64_t seed, const char *text) { return hash(seed, text, strlen(text) + 1); }

/* Of a call by a method, and the code that it runs. */
static uint64_t key_of(struct skp_backend *b, const struct skp_sig *sig, const char *method) {
  return skp__sig_hash(hash_text(b->ops->kernels(b, sig, method) + COMPARISON, method), sig);
}

static bool is_admitted(const struct admission *a, uint64_t key) {
  for (size_t i = 0; i < a->admitted.n; i++)
    if (a->admitted.at[i].key == key) return true;
  return false;
}

static const char *why_refused(const struct admission *a, uint64_t key) {
  for (size_t i = 0; i < a->refused.n; i++)
    if (a->refused.at[i].key == key) return a->refused.at[i].text;
  return NULL;
}

/* ---- remembering ------------------------------------------------------------------------------------------------- */

static skp_status add(struct admission *a, uint64_t key, const char *op, const char *method) {
  SKP_TRY(SKP_GROW(&a->admitted));
  struct admitted *one = &a->admitted.at[a->admitted.n - 1];
  one->key = key;
  snprintf(one->op, sizeof one->op, "%s", op);
  snprintf(one->method, sizeof one->method, "%s", method);
  return SKP_OK;
}

static void put_lines(FILE *to, void *user) {
  const struct admission *a = user;
  fprintf(to, "skipper %s verified\non %s\n", SKP_VERSION, a->on);
  for (size_t i = 0; i < a->admitted.n; i++)
    fprintf(to, "%016llx %s %s\n", (unsigned long long)a->admitted.at[i].key, a->admitted.at[i].op,
            a->admitted.at[i].method);
}

/* The lines, and of them the checksum. */
static void put(FILE *to, void *user) {
  struct skp__memory m;
  if (skp__memory_open(&m)) put_lines(m.to, user);
  if (skp__memory_close(&m)) fprintf(to, "%schecksum %016llx\n", m.text, (unsigned long long)hash(0, m.text, m.bytes));
  free(m.text);
}

/* What cannot be written is compared again. */
static void settle(struct skp_backend_check *check) {
  struct admission *a = (struct admission *)check;
  if (a->news && a->path) (void)skp__file_print_atomic(a->path, put, a);
  a->news = false;
}

/* Where the lines of calls begin in a file that is whole and of this device; NULL: it is not. */
static char *find_lines(const struct admission *a, char *text) {
  char head[SKP_NOTE_DEVICE + 100], tail[40], *checksum = strstr(text, "\nchecksum ");
  const int n = snprintf(head, sizeof head, "skipper %s verified\non %s\n", SKP_VERSION, a->on);
  if (strncmp(text, head, (size_t)n) != 0 || !checksum) return NULL;
  checksum++;
  snprintf(tail, sizeof tail, "checksum %016llx\n", (unsigned long long)hash(0, text, (size_t)(checksum - text)));
  if (strcmp(checksum, tail) != 0) return NULL;
  *checksum = '\0';
  return text + n;
}

static skp_status read_lines(struct admission *a, const char *at) {
  unsigned long long key;
  struct admitted line;
  for (int n; sscanf(at, "%16llx %47s %31s\n%n", &key, line.op, line.method, &n) == 3; at += n)
    SKP_TRY(add(a, key, line.op, line.method));
  return SKP_OK;
}

static skp_status recall(struct admission *a, struct skp_backend *b) {
  struct skp_backend_info info;
  void *text;
  int64_t size;
  b->ops->info(b, &info);
  skp__note_device(a->on, &info);
  SKP_TRY(skp__note_path(&a->path, &info, "verified", a->on));
  if (!a->path || !skp__file_exists(a->path) || skp__file_read(&text, &size, a->path, FILE_LIMIT) != SKP_OK)
    return SKP_OK;
  char *lines = find_lines(a, text);
  skp_status status = lines ? read_lines(a, lines) : SKP_OK;
  free(text);
  return status;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

/* One line that says all. */
static void report(const struct admission *a, const struct skp_sig *sig, const char *method, const char *text) {
  struct skp__text t = {0};
  if (!a->say) return;
  skp__sig_text(&t, sig);
  skp__sig_attrs_text(&t, sig);
  skp_print(a->say,
            "Wrong results: %s, skipper %s: %s by %s: %s. This method is not used for such calls; please report the "
            "line.\n",
            a->on, SKP_VERSION, t.at, method, text);
  fflush(a->say);
}

static skp_status refuse(struct admission *a, uint64_t key, const struct skp_sig *sig, const char *method,
                         const char *text) {
  SKP_TRY(SKP_GROW(&a->refused));
  struct refused *one = &a->refused.at[a->refused.n - 1];
  one->key = key;
  SKP_TRY(skp__format(&one->text, "computes wrongly: %s", text));
  report(a, sig, method, text);
  return SKP_OK;
}

static skp_status compare(struct admission *a, struct skp_backend *b, uint64_t key, const struct skp_sig *sig,
                          const char *method) {
  struct skp__case c;
  struct skp__verdict v;
  SKP_TRY(skp__case_of(&c, sig, key));
  skp_status status = skp__judge(&v, b, &c, 0, method);
  skp__case_free(&c);
  SKP_TRY(status);
  if (!v.ran) return skp__fail(SKP_UNSUPPORTED, "%s", v.text);
  return v.passed ? add(a, key, sig->op->name, method) : refuse(a, key, sig, method, v.text);
}

/* Whether the smaller call is right; where it has not been compared it is. */
static skp_status ask_small(bool *wrong, struct admission *a, struct skp_backend *b, const struct skp_sig *small,
                            const char *method) {
  const uint64_t key = key_of(b, small, method);
  if (is_admitted(a, key)) return SKP_OK;
  if (!why_refused(a, key)) SKP_TRY(compare(a, b, key, small, method));
  const char *why = why_refused(a, key);
  if (!why) return SKP_OK;
  *wrong = true;
  return skp__fail(SKP_UNSUPPORTED, "%s", why);
}

static skp_status ask_new(bool *wrong, struct admission *a, struct skp_backend *b, uint64_t key,
                          const struct skp_sig *sig, const char *method) {
  struct skp_sig small;
  SKP_TRY(skp__case_shrink(&small, sig, b, method));
  skp_status status = ask_small(wrong, a, b, &small, method);
  skp__sig_free(&small);
  SKP_TRY(status);
  a->news = true;
  return is_admitted(a, key) ? SKP_OK : add(a, key, sig->op->name, method);
}

static skp_status ask(bool *wrong, struct skp_backend_check *check, struct skp_backend *b, const struct skp_sig *sig,
                      const char *method) {
  struct admission *a = (struct admission *)check;
  if (a->busy) return SKP_OK;
  if (!a->asked) SKP_TRY(recall(a, b));
  a->asked = true;
  const uint64_t key = key_of(b, sig, method);
  if (is_admitted(a, key)) return SKP_OK;
  a->busy = true;
  skp_status status = ask_new(wrong, a, b, key, sig, method);
  a->busy = false;
  return status;
}

/* ---- create, close ----------------------------------------------------------------------------------------------- */

static void close_admission(struct skp_backend_check *check) {
  struct admission *a = (struct admission *)check;
  settle(check);
  for (size_t i = 0; i < a->refused.n; i++) free(a->refused.at[i].text);
  SKP_FREE(&a->refused);
  SKP_FREE(&a->admitted);
  free(a->path);
  free(a);
}

skp_status skp__admission_create(struct skp_backend_check **out, FILE *say) {
  struct admission *a;
  *out = NULL;
  SKP_TRY(skp__alloc(&a, 1, sizeof *a));
  a->base = (struct skp_backend_check){.ask = ask, .settle = settle, .close = close_admission};
  a->say = say;
  *out = &a->base;
  return SKP_OK;
}
