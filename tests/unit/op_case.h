/* op_case.h: calls of ops written in one line of text, and run at once by the reference. SPDX-License-Identifier: MIT
 *
 *   op_case(&sig, "conv2d", "2x5x6x3 3x3x3x4 -", "stride=2 pad=1")     shapes of the
 *                                                                      inputs; "-": absent; "i7": 7 × int32;
 *                                                                      "u7": 7 bytes */
#ifndef SKP_TESTS_UNIT_OP_CASE_H
#define SKP_TESTS_UNIT_OP_CASE_H

#include "ops/op.h"
#include "test.h"

/* The next blank-separated word of *text into `word` (emptied at the end); false when there is none. */
static inline bool next_word(char word[64], const char **text) {
  int n = 0;
  word[0] = 0;
  if (sscanf(*text, "%63s%n", word, &n) != 1) return false;
  *text += n;
  return true;
}

static inline struct skp_shape shape_of(const char *word) {
  struct skp_shape s = {.dtype = *word == 'i' ? SKP_I32 : *word == 'u' ? SKP_U8 : SKP_F32};
  if (*word == '-') return s;
  for (const char *p = word + (*word == 'i' || *word == 'u'); *p;) {
    char *end;
    ck_assert_int_lt(s.rank, SKP_MAX_RANK);
    s.dim[s.rank++] = strtoll(p, &end, 10);
    p = *end == 'x' ? end + 1 : end;
  }
  return s;
}

/* skp__sig_free(sig) after it. */
static inline void op_case(struct skp_sig *sig, const char *op, const char *shapes, const char *attrs) {
  char word[64];
  int n = 0;
  const struct skp_op *found = skp__op_by_name(op);
  ck_assert_msg(found != NULL, "no op %s", op);
  for (const char *at = shapes; next_word(word, &at);) n++;
  ck_ok(skp__sig_create(sig, found, n));
  for (int i = 0; next_word(word, &shapes); i++) sig->in[i] = shape_of(word);
  while (next_word(word, &attrs)) {
    char *equals = strchr(word, '=');
    *equals = 0;
    ck_ok(skp__attrs_set(sig->op, &sig->attrs, word, atof(equals + 1)));
  }
}

/* ---- values, and ops that run as they are added ------------------------------------------------------------------ */

struct value {
  struct skp_shape shape;
  void *at;
};

struct tape {
  struct value value[64];
  int n;
};

static inline skp_value tape_add(struct tape *t, struct skp_shape shape, void *at) {
  ck_assert_int_lt(t->n, 64);
  t->value[t->n] = (struct value){shape, at};
  return t->n++;
}

static inline skp_value tape_new(struct tape *t, struct skp_shape shape) {
  return tape_add(t, shape, calloc((size_t)skp__shape_count(&shape), 4));
}

static inline void tape_free(struct tape *t) {
  for (int i = 0; i < t->n; i++) { /* views share memory */
    bool shared = false;
    for (int j = 0; j < i; j++) shared = shared || t->value[j].at == t->value[i].at;
    if (!shared) free(t->value[i].at);
  }
  t->n = 0;
}

static inline float *floats(const struct tape *t, skp_value v) { return v == SKP_NONE ? NULL : t->value[v].at; }

/* Infers `sig` from its inputs' values and runs it; out[i] becomes SKP_NONE where the
 * output is absent or not wanted. */
static inline skp_status tape_run(struct tape *t, struct skp_sig *sig, const skp_value *in, const bool *want,
                                  skp_value *out) {
  const struct skp_op *op = sig->op;
  for (int i = 0; i < sig->n_in; i++) sig->in[i] = in[i] == SKP_NONE ? (struct skp_shape){0} : t->value[in[i]].shape;
  SKP_TRY(skp__op_infer(sig));
  const void *read[64];
  void *made[SKP_MAX_OUT];
  struct skp_call call = {sig, read, made};
  for (int i = 0; i < sig->n_in; i++) call.in[i] = in[i] == SKP_NONE ? NULL : t->value[in[i]].at;
  for (int i = 0; i < op->n_out; i++) {
    if (want && !want[i]) sig->out[i].rank = 0;
    out[i] = !sig->out[i].rank ? SKP_NONE
             : op->alias[i]    ? tape_add(t, sig->out[i], t->value[in[op->alias[i] - 1]].at)
                               : tape_new(t, sig->out[i]);
    call.out[i] = out[i] == SKP_NONE ? NULL : t->value[out[i]].at;
  }
  if (op->reference) op->reference(&call);
  return SKP_OK;
}

#endif
