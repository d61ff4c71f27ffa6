/* methods.c: see methods.h. SPDX-License-Identifier: MIT */
#include "plan/methods.h"
#include <stdlib.h>
#include <string.h>

static uint64_t key_of(const struct skp_sig *sig) { return skp__sig_hash(sig->constant, sig); }

static struct skp__method_note *find(struct skp__methods *m, uint64_t key) {
  for (size_t i = 0; i < m->notes.n; i++)
    if (m->notes.at[i].key == key) return &m->notes.at[i];
  return NULL;
}

skp_status skp__methods_note(struct skp__methods *m, uint64_t key, const char *method) {
  struct skp__method_note *note = find(m, key);
  char *copy;
  SKP_TRY(skp__strdup(&copy, method));
  skp_status status = note ? SKP_OK : SKP_GROW(&m->notes);
  if (status != SKP_OK) {
    free(copy);
    return status;
  }
  if (note) free(note->method);
  if (!note) note = &m->notes.at[m->notes.n - 1];
  *note = (struct skp__method_note){key, copy};
  return SKP_OK;
}

void skp__methods_free(struct skp__methods *m) {
  for (size_t i = 0; i < m->notes.n; i++) free(m->notes.at[i].method);
  SKP_FREE(&m->notes);
}

/* Notes for the eyes that the call has another method from here on. */
static void miss(struct skp__methods *m, const struct skp_sig *sig, const char *had, const char *why, const char *now) {
  if (m->missed++ >= SKP_METHODS_NAMED) return;
  skp__text_add(&m->names, "%s", m->names.n ? "; " : "");
  skp__sig_text(&m->names, sig);
  skp__text_add(&m->names, ", by %s (%s), now %s", had, why, now);
}

/* Prepares it by that method, or says in *why, in a few words, what keeps it from that. */
static skp_status prepare_noted(struct skp_backend *b, struct skp_prepared **out, const struct skp_sig *sig,
                                const char *method, const char **why) {
  struct skp_backend_info info;
  b->ops->info(b, &info);
  *why = "another is forced";
  if (info.forced) return b->ops->prepare(b, out, sig, NULL);
  skp_status status = b->ops->prepare(b, out, sig, method);
  if (status != SKP_BUILD && status != SKP_UNSUPPORTED) return status;
  *why = status == SKP_BUILD ? "does not compile" : "is refused";
  return b->ops->prepare(b, out, sig, NULL);
}

skp_status skp__methods_prepare(struct skp__methods *m, struct skp_backend *b, struct skp_prepared **out,
                                const struct skp_sig *sig) {
  const char *why;
  if (!b->ops->method_name(b, sig->op, 1)) return b->ops->prepare(b, out, sig, NULL);
  const uint64_t key = key_of(sig);
  const struct skp__method_note *note = find(m, key);
  SKP_TRY(note ? prepare_noted(b, out, sig, note->method, &why) : b->ops->prepare(b, out, sig, NULL));
  const char *now = b->ops->method(*out);
  if (note && strcmp(note->method, now) == 0) return SKP_OK;
  if (note) miss(m, sig, note->method, why, now);
  return skp__methods_note(m, key, now);
}
