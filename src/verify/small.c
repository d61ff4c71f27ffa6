/* small.c: of a network's own calls, smaller ones of the same kind. SPDX-License-Identifier: MIT
 *
 * What a kernel does wrong it mostly does where tiles, vectors and windows end. So extents are not just cut: whole
 * steps are taken away from them, which leaves the rests that the network has. Extents that depend on each other (those
 * of a map and of what a window makes of it) lose as many steps each. Whether the smaller call is a sound one the op's
 * own `infer` says, and whether it is of the same kind the method: it must launch the same kernels. */
#include "base/random.h"
#include "verify/case.h"
#include "verify/letters.h"
#include "verify/slice.h"
#include <stdlib.h>
#include <string.h>

static const double REFERENCE_FLOPS = 4e6; /* that plain C does for a call: some milliseconds */
enum {
  MOST_VALUES = 1 << 25, /* of a call, where a level leaves no more */
  LEAST_CHANNELS = 8     /* of a part's results: few would not say how large they usually are */
};

/* How small: the step that is taken away from extents of a kind, which is also the least that is left. 0: none is. */
struct level {
  int images, pixels, channels, values;
};
static const struct level levels[] = {
    {2, 12, 32, 4096}, {3, 12, 64, 4096}, {2, 12, 0, 4096},  {24, 12, 64, 4096}, {24, 12, 0, 4096},
    {2, 0, 64, 8192},  {2, 0, 0, 16384},  {24, 0, 0, 16384}, {0, 0, 0, 0},
};
enum { LEVELS = sizeof levels / sizeof *levels };

/* Channels of one of several layers. */
#define LAYER(letter)                                                                                                  \
  {                                                                                                                    \
    letter, offsetof(struct level, channels), {NULL}, { 1 }                                                            \
  }

/* Extents that lose steps together. */
static const struct axis {
  const char *letters;
  size_t step;          /* of struct level */
  const char *times[2]; /* by letter: an attribute by which its steps are larger; NULL: none */
  int share[2];         /* by letter: by how much they are smaller */
} axes[] = {
    {"N", offsetof(struct level, images), {NULL}, {1}},
    {"HP", offsetof(struct level, pixels), {"stride", "scale"}, {1, 1}},
    {"WQ", offsetof(struct level, pixels), {"stride", "scale"}, {1, 1}},
    {"C", offsetof(struct level, channels), {NULL}, {1}},
    {"I", offsetof(struct level, channels), {NULL}, {1}},
    {"K", offsetof(struct level, channels), {NULL}, {1}},
    {"LB", offsetof(struct level, values), {NULL, NULL}, {1, SKP_UPDATE_BLOCK}},
    LAYER("A"),
    LAYER("D"),
    LAYER("E"),
    LAYER("F"),
    LAYER("G"),
    LAYER("J"),
    LAYER("M"),
    LAYER("O"),
};

static int64_t attribute(const struct skp_sig *sig, const char *name) {
  for (const struct skp_attr *a = sig->op->attrs; name && a && a->name; a++)
    if (!strcmp(a->name, name)) return (int64_t)skp__attr_get(a, &sig->attrs);
  return 1;
}

static int64_t step_of(const struct axis *axis, int i, const struct skp_sig *sig, const struct level *level) {
  const int step = *(const int *)(const void *)((const char *)level + axis->step);
  return step * attribute(sig, axis->times[i]) / axis->share[i];
}

/* As many as leave every letter of the axis a step at least. */
static int64_t steps_of(const struct axis *axis, const struct skp__extents *e, const struct skp_sig *sig,
                        const struct level *level) {
  int64_t least = INT64_MAX;
  for (int i = 0; axis->letters[i]; i++) {
    const int64_t was = e->of[axis->letters[i] - 'A'], step = step_of(axis, i, sig, level);
    const int64_t steps = step && was > step ? (was - step) / step : 0;
    if (was && steps < least) least = steps;
  }
  return least == INT64_MAX ? 0 : least;
}

/* In place. */
static skp_status shrink(struct skp_sig *sig, const struct level *level) {
  const struct skp__letters *letters = skp__letters_of(sig->op);
  const struct skp__extents was = skp__letters_read(letters, sig);
  struct skp__extents now = was;
  for (size_t a = 0; a < sizeof axes / sizeof *axes; a++) {
    const int64_t steps = steps_of(&axes[a], &was, sig, level);
    for (int i = 0; axes[a].letters[i]; i++)
      now.of[axes[a].letters[i] - 'A'] -= steps * step_of(&axes[a], i, sig, level);
  }
  return skp__letters_write(sig, letters, &was, &now);
}

static int64_t values_of(const struct skp_sig *sig) {
  int64_t values = 0;
  for (int i = 0; i < sig->n_in; i++) values += skp__shape_count(&sig->in[i]);
  for (int o = 0; o < sig->n_out; o++) values += skp__shape_count(&sig->out[o]);
  return values;
}

/* Whether a level gives a sound call of at most so many values. */
static bool try_level(struct skp_sig *out, const struct skp_sig *sig, const struct level *level, int64_t most) {
  if (skp__sig_copy(out, sig) != SKP_OK) return false;
  if (shrink(out, level) == SKP_OK && values_of(out) <= most) return true;
  skp__sig_free(out);
  return false;
}

/* What a smaller call must be like. */
struct wish {
  int64_t most;     /* values */
  uint64_t kernels; /* by the method; 0: any that it has */
};

/* The first level that gives such a call. */
static bool try_levels(struct skp_sig *out, const struct skp_sig *sig, struct skp_backend *b, const char *method,
                       const struct wish *wish) {
  for (int i = 0; i < LEVELS; i++) {
    if (!try_level(out, sig, &levels[i], wish->most)) continue;
    const uint64_t kernels = b->ops->kernels(b, out, method);
    if (kernels && (!wish->kernels || kernels == wish->kernels)) return true;
    skp__sig_free(out);
  }
  return false;
}

/* Rather one by other kernels than a large one; and rather a large one than all of the call. */
skp_status skp__case_shrink(struct skp_sig *out, const struct skp_sig *sig, struct skp_backend *b, const char *method) {
  const uint64_t same = b->ops->kernels(b, sig, method);
  const struct wish wishes[] = {{MOST_VALUES, same}, {MOST_VALUES, 0}, {INT64_MAX, same}, {INT64_MAX, 0}};
  for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
    if (try_levels(out, sig, b, method, &wishes[i])) return SKP_OK;
  return skp__sig_copy(out, sig);
}

/* ---- a case of it ------------------------------------------------------------------------------------------------ */

/* Winners of maxpool2d that lie in their windows: no other ones occur. */
static void choose_winners(int32_t *index, const struct skp_sig *sig, struct skp__random *r) {
  const struct skp_pool_attrs *a = &sig->attrs.pool;
  const struct skp_shape *s = &sig->in[1];
  for (int64_t i = 0; i < skp__shape_count(s); i++) {
    const int64_t q = i / s->dim[3] % s->dim[2], p = i / s->dim[3] / s->dim[2] % s->dim[1];
    int64_t h = p * a->stride - a->pad + skp__random_below(r, (uint32_t)a->kernel);
    int64_t w = q * a->stride - a->pad + skp__random_below(r, (uint32_t)a->kernel);
    h = h < 0 ? 0 : h < a->h ? h : a->h - 1;
    w = w < 0 ? 0 : w < a->w ? w : a->w - 1;
    index[i] = (int32_t)(h * a->w + w);
  }
}

static skp_status add_inputs(struct skp__case *c, skp_value *in, const struct skp_sig *sig, struct skp__random *r) {
  const int64_t classes = skp__channels(&sig->in[0]);
  for (int i = 0; i < sig->n_in; i++) {
    in[i] = SKP_NONE;
    if (!sig->in[i].rank) continue;
    const char *name = skp__op_in(sig->op, i)->name;
    SKP_TRY(skp__case_random(c, &in[i], name, sig->in[i], classes, r));
    if (sig->op == &skp__op_maxpool2d_dx && !strcmp(name, "index")) choose_winners(c->known.at[in[i]].data, sig, r);
  }
  /* What looks for such numbers is right about sound ones even if it does nothing. */
  if (sig->op == &skp__op_all_finite) skp__case_spoil(c, in[0], r);
  in[sig->n_in] = SKP_NONE;
  return SKP_OK;
}

static skp_status build(struct skp__case *c, const struct skp_sig *sig, skp_value *in, struct skp__random *r) {
  bool want[SKP_MAX_OUT];
  skp_value out[SKP_MAX_OUT];
  for (int o = 0; o < sig->n_out; o++) want[o] = sig->out[o].rank > 0;
  SKP_TRY(add_inputs(c, in, sig, r));
  SKP_TRY(skp__case_node(c, sig->op, &sig->attrs, in, want, out));
  if (skp__op_flops(sig) <= REFERENCE_FLOPS) return skp__case_complete(c);
  const struct skp__slice slice = skp__slice_of(sig, REFERENCE_FLOPS, LEAST_CHANNELS);
  return skp__slice_complete(c, 0, &slice);
}

skp_status skp__case_of(struct skp__case *c, const struct skp_sig *sig, uint64_t seed) {
  struct skp__random r = skp__random_start(seed, 0);
  skp_value *in;
  SKP_TRY(skp__alloc(&in, (size_t)sig->n_in + 1, sizeof *in));
  skp_status status = skp__case_create(c, sig->op->name, "");
  if (status == SKP_OK) status = build(c, sig, in, &r);
  free(in);
  if (status != SKP_OK) skp__case_free(c);
  return status;
}
