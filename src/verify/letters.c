/* letters.c: the table of extents, see letters.h. SPDX-License-Identifier: MIT */
#include "verify/letters.h"
#include <string.h>

static const struct skp__letters rows[] = {
    {"conv2d", "NHWi ..IK K K NPQK > NPQK *K *K", "", "NK"},
    {"conv2d_dx", "NPQK ..IK NHWi NHWi > NHWi", "h=H w=W", "NI"},
    {"conv2d_dw", "NHWi NPQK > ..IK K", "", "IK"},
    {"conv2d_dw_parts", "NHWi NPQK > ..K", "", "K"},
    {"batchnorm", "NHWC C C NHWC C C *C *C > NHWC C C C C", "", "C"},
    {"batchnorm_dx", "NHWC NHWC NHWC C C C C > NHWC C C NHWC", "", "C"},
    {"batchnorm_fold", "C C C C C > C C", "", "C"},
    {"layernorm", "NHWC C C > NHWC . .", "", ""},
    {"layernorm_dx", "N..C N..C C n n > N..C C C", "", ""},
    {"relu", "NHWC > NHWC", "", "NHWC"},
    {"relu_dx", "NHWC NHWC > NHWC", "", "NHWC"},
    {"add", "NHWC NHWC > NHWC", "", "NHWC"},
    {"activation", "NHWC > NHWC", "", "NHWC"},
    {"activation_dx", "NHWC NHWC > NHWC", "", "NHWC"},
    {"mul", "NHWC NHWC > NHWC", "", "NHWC"},
    {"mul_db", "NHWC NHWC > NHWC", "", "C"},
    {"concat", "NHW. > NHW.", "", "NHW"},
    {"concat_dx", "NHW. > NHW.", "", "NHW"},
    {"dropout", "NHWC . > NHWC", "", ""}, /* a value's place says what is drawn */
    {"maxpool2d", "NHWC > NPQC NPQC", "", "NC"},
    {"maxpool2d_dx", "NPQC NPQC > NHWC", "h=H w=W", "NC"},
    {"avgpool2d", "NHWC > NPQC", "", "NC"},
    {"avgpool2d_dx", "NPQC > NHWC", "h=H w=W", "NC"},
    {"adaptive_avgpool2d", "NHWC > N..C", "", "NC"},
    {"adaptive_avgpool2d_dx", "N..C > NHWC", "h=H w=W", "NC"},
    {"global_avgpool", "NHWC > NC", "", "NC"},
    {"global_avgpool_dx", "NC > NHWC", "h=H w=W", "NC"},
    {"upsample_nearest", "NHWC > NPQC", "", "NC"},
    {"upsample_nearest_dx", "NPQC > NHWC", "", "NC"},
    {"linear", "Nc ..CK K > NK", "", "NK"},
    {"linear_dx", "NK ..CK > Nc", "", "N"},
    {"linear_dw", "Nc NK > ..CK K", "", "K"},
    {"flatten", "N... > N...", "", "N"},
    {"transpose", "N. > N.", "", "N"},
    {"softmax_cross_entropy", "N. N N N > .", "", ""}, /* a mean of all */
    {"softmax_cross_entropy_dx", "N. N . N N > N.", "", ""},
    {"to_float32", "NHWC > NHWC", "", "NHWC"},
    {"to_bfloat16", "NHWC > NHWC", "", "NHWC"},
    {"normalise", "NHW. .. > NHW.", "", "NHW"},
    {"resize_bilinear", "N..C > N..C", "", "NC"},
    {"sgd", "L L L . B. . L . > L L L", "", "L"},
    {"adam", "L L L L . B. . L . > L L L L", "", "L"},
    {"adamw", "L L L L . B. . L . > L L L L", "", "L"},
    {"lion", "L L L . B. . L . > L L L", "", "L"},
    {"clip_norm", "L > .", "", ""},
    {"sum_parts", "..A ..D ..E ..F ..G ..J ..M ..O > .A .D .E .F .G .J .M .O", "", ""},
    {"axpby", "L L . > L", "", "L"},
    {"all_finite", "L . . > .", "", ""},
    {"commit", "L L . > L L", "", "L"},
};

const struct skp__letters *skp__letters_of(const struct skp_op *op) {
  size_t i = 0;
  while (i + 1 < sizeof rows / sizeof *rows && strcmp(rows[i].op, op->name) != 0) i++;
  return &rows[i];
}

static const char *next_word(const char *at) {
  at += strcspn(at, " ");
  return at + (*at == ' ');
}

struct skp__word skp__letters_word(const struct skp__letters *letters, const struct skp_sig *sig, int i) {
  const char *at = letters->values;
  if (i >= sig->n_in) at = strchr(at, '>') + 2;
  for (int k = i < sig->n_in ? i : i - sig->n_in; k > 0 && *next_word(at) && *next_word(at) != '>'; k--)
    at = next_word(at);
  return (struct skp__word){at, (int)strcspn(at, " ")};
}

char skp__letters_at(const struct skp__word *word, const struct skp_shape *s, int d, bool *share) {
  char letter = '.';
  if (word->length == s->rank)
    letter = word->at[d];
  else if (d == s->rank - 1)
    letter = word->at[word->length - 1];
  else if (d == 0)
    letter = word->at[0];
  if (letter == '*') letter = '.';
  *share = letter >= 'a' && letter <= 'z';
  return *share ? (char)(letter - 'a' + 'A') : letter;
}

static struct skp_shape *value_of(const struct skp_sig *sig, int i) {
  return i < sig->n_in ? &sig->in[i] : &sig->out[i - sig->n_in];
}

/* ---- attributes -------------------------------------------------------------------------------------------------- */

/* The letter of an attribute that is an extent; 0: it is none. */
static char letter_of(const struct skp__letters *letters, const struct skp_attr *a) {
  const char *at = strlen(a->name) == 1 ? strchr(letters->attrs, *a->name) : NULL;
  return at ? at[2] : '\0';
}

/* ---- reading and writing ----------------------------------------------------------------------------------------- */

struct skp__extents skp__letters_read(const struct skp__letters *letters, const struct skp_sig *sig) {
  struct skp__extents e = {.of = {0}};
  for (int i = 0; i < sig->n_in + sig->n_out; i++) {
    const struct skp_shape *s = value_of(sig, i);
    const struct skp__word word = skp__letters_word(letters, sig, i);
    for (int d = 0; d < s->rank; d++) {
      bool share;
      const char letter = skp__letters_at(&word, s, d, &share);
      if (letter != '.' && !share && s->dim[d] > e.of[letter - 'A']) e.of[letter - 'A'] = s->dim[d];
    }
  }
  return e;
}

int64_t skp__letters_pixels(const struct skp__extents *e) {
  const int64_t *of = e->of, height = of['P' - 'A'] ? of['P' - 'A'] : of['H' - 'A'];
  return of['N' - 'A'] * height * (of['Q' - 'A'] ? of['Q' - 'A'] : of['W' - 'A']);
}

static void write_value(struct skp_shape *s, const struct skp__word *word, const struct skp__extents *was,
                        const struct skp__extents *now) {
  if (s->rank && *word->at == '*')
    s->dim[0] = (skp__letters_pixels(now) + SKP_STATISTICS_PIXELS - 1) / SKP_STATISTICS_PIXELS;
  for (int d = 0; d < s->rank; d++) {
    bool share;
    const char letter = skp__letters_at(word, s, d, &share);
    const int64_t from = letter == '.' ? 0 : was->of[letter - 'A'];
    if (!from || s->dim[d] == 1) continue;
    s->dim[d] = share ? s->dim[d] / from * now->of[letter - 'A'] : now->of[letter - 'A'];
  }
}

static skp_status write_attrs(struct skp_sig *sig, const struct skp__letters *letters, const struct skp__extents *was,
                              const struct skp__extents *now) {
  for (const struct skp_attr *a = sig->op->attrs; a && a->name; a++) {
    const char letter = letter_of(letters, a);
    if (letter && was->of[letter - 'A'])
      SKP_TRY(skp__attrs_set(sig->op, &sig->attrs, a->name, (double)now->of[letter - 'A']));
  }
  return SKP_OK;
}

skp_status skp__letters_write(struct skp_sig *sig, const struct skp__letters *letters, const struct skp__extents *was,
                              const struct skp__extents *now) {
  bool want[SKP_MAX_OUT];
  for (int o = 0; o < sig->n_out; o++) want[o] = sig->out[o].rank > 0;
  for (int i = 0; i < sig->n_in; i++) {
    const struct skp__word word = skp__letters_word(letters, sig, i);
    write_value(&sig->in[i], &word, was, now);
  }
  SKP_TRY(write_attrs(sig, letters, was, now));
  SKP_TRY(skp__op_infer(sig));
  for (int o = 0; o < sig->n_out; o++)
    if (!want[o]) sig->out[o] = (struct skp_shape){.rank = 0};
  return SKP_OK;
}
