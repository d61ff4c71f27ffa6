/* slice.c: see slice.h. SPDX-License-Identifier: MIT */
#include "verify/slice.h"
#include <stdlib.h>
#include <string.h>

/* ---- choosing ---------------------------------------------------------------------------------------------------- */

/* Groups tie channels to each other, and a row of an optimizer's factors ties neighbouring values. */
static bool is_free(const struct skp__slice *s, const struct skp_sig *sig, char letter) {
  if (letter == 'L' && s->whole.of['B' - 'A']) return false;
  return sig->op->kind != SKP_KIND_CONVOLUTION || sig->attrs.conv2d.groups == 1 || !strchr("IK", letter);
}

/* Blocks of a map's statistics that lie in the part: those of the first images, if others are missing. */
static int64_t blocks_of(const struct skp__slice *s, int64_t whole) {
  const int n = 'N' - 'A';
  if (s->count.of[n] == s->whole.of[n]) return whole;
  return s->from.of[n] ? 0 : skp__letters_pixels(&s->count) / SKP_STATISTICS_PIXELS;
}

/* Images at the beginning where there are statistics, whose blocks do not begin with an image. */
static void cut_letter(struct skp__slice *s, char letter, double share, int64_t least, bool first) {
  const int i = letter - 'A';
  int64_t count = (int64_t)((double)s->whole.of[i] * share);
  if (count < (letter == 'N' ? 1 : least)) count = letter == 'N' ? 1 : least;
  if (count > s->whole.of[i]) count = s->whole.of[i];
  s->count.of[i] = count;
  s->from.of[i] = first ? 0 : s->whole.of[i] - count;
}

struct skp__slice skp__slice_of(const struct skp_sig *sig, double flops, int64_t least) {
  const struct skp__letters *letters = skp__letters_of(sig->op);
  struct skp__slice s = {.whole = skp__letters_read(letters, sig)};
  double share = flops / skp__op_flops(sig);
  s.count = s.whole;
  for (const char *letter = letters->free; *letter && share < 1; letter++) {
    const int64_t whole = s.whole.of[*letter - 'A'];
    if (!whole || !is_free(&s, sig, *letter)) continue;
    cut_letter(&s, *letter, share, least, *letter == 'N' && skp__sig_statistics(sig));
    share *= (double)whole / (double)s.count.of[*letter - 'A'];
  }
  return s;
}

void skp__slice_hold(struct skp__slice *slice, const struct skp_sig *sig, int o, int64_t at) {
  const struct skp_shape *s = &sig->out[o];
  const struct skp__word word = skp__letters_word(skp__letters_of(sig->op), sig, sig->n_in + o);
  for (int d = s->rank; d-- > 0; at /= s->dim[d]) {
    bool share;
    const char letter = skp__letters_at(&word, s, d, &share);
    const int i = letter - 'A';
    if (letter == '.' || slice->whole.of[i] != s->dim[d]) continue;
    const int64_t last = slice->whole.of[i] - slice->count.of[i], from = at % s->dim[d] - slice->count.of[i] / 2;
    slice->from.of[i] = from < 0 ? 0 : from > last ? last : from;
  }
}

skp_status skp__slice_sig(struct skp_sig *out, const struct skp_sig *sig, const struct skp__slice *slice) {
  SKP_TRY(skp__sig_copy(out, sig));
  SKP_TRY(skp__letters_write(out, skp__letters_of(sig->op), &slice->whole, &slice->count));
  for (int o = 0; o < sig->n_out; o++) {
    if (!(sig->op->out[o].flags & SKP_STATISTICS) || !out->out[o].rank) continue;
    out->out[o].dim[0] = blocks_of(slice, sig->out[o].dim[0]);
    if (!out->out[o].dim[0]) out->out[o] = (struct skp_shape){.rank = 0};
  }
  return SKP_OK;
}

/* ---- copying ----------------------------------------------------------------------------------------------------- */

/* A block of a value: always four extents, the first ones 1. */
struct block {
  int64_t whole[SKP_MAX_RANK], from[SKP_MAX_RANK], count[SKP_MAX_RANK];
  size_t bytes; /* of an element */
};

static struct block block_of(const struct skp_sig *sig, int i, const struct skp__slice *slice) {
  const struct skp_shape *s = i < sig->n_in ? &sig->in[i] : &sig->out[i - sig->n_in];
  const struct skp__word word = skp__letters_word(skp__letters_of(sig->op), sig, i);
  struct block b = {{1, 1, 1, 1}, {0}, {1, 1, 1, 1}, (size_t)skp__dtype_bytes(s->dtype)};
  for (int d = 0; d < s->rank; d++) {
    const int at = SKP_MAX_RANK - s->rank + d;
    bool share;
    const char letter = skp__letters_at(&word, s, d, &share);
    const bool cut = letter != '.' && slice->whole.of[letter - 'A'] == s->dim[d];
    b.whole[at] = s->dim[d];
    b.from[at] = cut ? slice->from.of[letter - 'A'] : 0;
    const bool blocks = d < word.length && word.at[d] == '*';
    b.count[at] = cut ? slice->count.of[letter - 'A'] : blocks ? blocks_of(slice, s->dim[d]) : s->dim[d];
  }
  return b;
}

void skp__slice_rows(const struct skp_sig *sig, int i, const struct skp__slice *slice, int64_t *from, int64_t *count) {
  const struct block b = block_of(sig, i, slice);
  const int first = SKP_MAX_RANK - (i < sig->n_in ? sig->in[i].rank : sig->out[i - sig->n_in].rank);
  *from = b.from[first];
  *count = b.count[first];
}

static void copy_block(char *part, char *whole, const struct block *b, bool back) {
  const size_t row = (size_t)b->count[3] * b->bytes;
  for (int64_t i = 0; i < b->count[0]; i++)
    for (int64_t j = 0; j < b->count[1]; j++)
      for (int64_t k = 0; k < b->count[2]; k++, part += row) {
        const int64_t at =
            (((b->from[0] + i) * b->whole[1] + b->from[1] + j) * b->whole[2] + b->from[2] + k) * b->whole[3] +
            b->from[3];
        char *there = whole + (size_t)at * b->bytes;
        memcpy(back ? there : part, back ? part : there, row);
      }
}

void skp__slice_cut(void *part, const void *whole, const struct skp_sig *sig, int i, const struct skp__slice *slice) {
  const struct block b = block_of(sig, i, slice);
  copy_block(part, (char *)whole, &b, false);
}

/* The same back into the whole. */
static void paste(void *whole, const void *part, const struct skp_sig *sig, int i, const struct skp__slice *slice) {
  const struct block b = block_of(sig, i, slice);
  copy_block((char *)part, whole, &b, true);
}

/* ---- a case ------------------------------------------------------------------------------------------------------ */

/* A case of the smaller call, with the inputs' part. */
static skp_status add_part(struct skp__case *part, const struct skp__case *c, const struct skp_sig *sig,
                           const struct skp_sig *cut, const struct skp_node *node, const struct skp__slice *slice) {
  skp_value *in, out[SKP_MAX_OUT];
  bool want[SKP_MAX_OUT];
  skp_status status = skp__alloc(&in, (size_t)node->n_in + 1, sizeof *in);
  for (int i = 0; i < node->n_in && status == SKP_OK; i++) {
    void *data = NULL;
    in[i] = SKP_NONE;
    if (node->in[i] == SKP_NONE) continue;
    status = skp__alloc(&data, (size_t)skp__shape_bytes(&cut->in[i]), 1);
    if (status != SKP_OK) break;
    skp__slice_cut(data, c->known.at[node->in[i]].data, sig, i, slice);
    status = skp__case_input(part, &in[i], cut->in[i], data);
  }
  for (int o = 0; o < node->n_out; o++) want[o] = node->out[o] != SKP_NONE;
  if (status == SKP_OK) {
    in[node->n_in] = SKP_NONE;
    status = skp__case_node(part, node->op, &cut->attrs, in, want, out);
  }
  free(in);
  return status == SKP_OK ? skp__case_complete(part) : status;
}

/* Puts what the part's results are into the whole's place. */
static skp_status take_part(struct skp__case *c, const struct skp__case *part, const struct skp_sig *sig,
                            const struct skp_node *node, const struct skp__slice *slice) {
  const struct skp_node *own = &part->g->nodes.at[0];
  for (int o = 0; o < node->n_out; o++) {
    if (node->out[o] == SKP_NONE) continue;
    struct skp__known *k = &c->known.at[node->out[o]];
    SKP_TRY(skp__alloc(&k->data, (size_t)skp__shape_bytes(&sig->out[o]) + sizeof skp__case_unknown, 1));
    for (int64_t at = 0; at < skp__shape_bytes(&sig->out[o]); at += (int64_t)sizeof skp__case_unknown)
      memcpy((char *)k->data + at, &skp__case_unknown, sizeof skp__case_unknown);
    paste(k->data, part->known.at[own->out[o]].data, sig, sig->n_in + o, slice);
    k->tolerance = part->known.at[own->out[o]].tolerance;
  }
  return SKP_OK;
}

skp_status skp__slice_complete(struct skp__case *c, size_t n, const struct skp__slice *slice) {
  const struct skp_node *node = &c->g->nodes.at[n];
  const struct skp_sig sig = skp__graph_sig(c->g, node);
  struct skp__case part;
  struct skp_sig cut;
  SKP_TRY(skp__case_create(&part, c->op, c->id));
  skp_status status = skp__slice_sig(&cut, &sig, slice);
  if (status == SKP_OK) status = add_part(&part, c, &sig, &cut, node, slice);
  if (status == SKP_OK) status = take_part(c, &part, &sig, node, slice);
  skp__sig_free(&cut);
  skp__case_free(&part);
  return status;
}
