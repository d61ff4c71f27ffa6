/* op.c: the table of ops, attributes by name, and the defaults of optional slots. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/text.h"
#include "ops/check.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* ---- the table --------------------------------------------------------------------------------------------------- */

static const struct skp_op *const table[SKP_OP_COUNT] = {
#define X(name) &skp__op_##name,
#include "ops/ops.def"
#undef X
};

const struct skp_op *skp__op(skp_op_id id) { return table[id]; }

skp_op_id skp__op_id(const struct skp_op *op) {
  int id = 0;
  while (id < SKP_OP_COUNT && table[id] != op) id++;
  return (skp_op_id)id;
}

const struct skp_op *skp__op_by_name(const char *name) {
  for (int id = 0; id < SKP_OP_COUNT; id++)
    if (!strcmp(table[id]->name, name)) return table[id];
  return NULL;
}

const struct skp_slot *skp__op_in(const struct skp_op *op, int i) { return &op->in[i < op->n_in ? i : op->n_in - 1]; }

int skp__op_count_in(const struct skp_op *op, const skp_value *in) {
  int n = op->n_in;
  while (op->in[op->n_in - 1].flags & SKP_VARIADIC && in[n] != SKP_NONE) n++;
  return n;
}

/* ---- signatures ------------------------------------------------------------------------------------------------- */

skp_status skp__sig_create(struct skp_sig *out, const struct skp_op *op, int n_in) {
  *out = (struct skp_sig){.op = op, .n_in = n_in > op->n_in ? n_in : op->n_in, .n_out = op->n_out};
  skp__attrs_default(op, &out->attrs);
  SKP_TRY(skp__alloc(&out->in, (size_t)(out->n_in + out->n_out), sizeof *out->in));
  out->out = out->in + out->n_in;
  return SKP_OK;
}

skp_status skp__sig_copy(struct skp_sig *out, const struct skp_sig *from) {
  SKP_TRY(skp__sig_create(out, from->op, from->n_in));
  out->attrs = from->attrs;
  out->constant = from->constant;
  memcpy(out->in, from->in, (size_t)from->n_in * sizeof *from->in);
  memcpy(out->out, from->out, (size_t)from->n_out * sizeof *from->out);
  return SKP_OK;
}

void skp__sig_free(struct skp_sig *sig) {
  free(sig->in);
  sig->in = sig->out = NULL;
}

void skp__sig_text(struct skp__text *w, const struct skp_sig *sig) {
  char shape[80];
  skp__text_add(w, "%s", sig->op->name);
  for (int i = 0; i < sig->n_in; i++)
    if (sig->in[i].rank) skp__text_add(w, "%s%s", i ? ", " : " ", skp__shape_text(shape, sizeof shape, &sig->in[i]));
  for (int i = 0; i < sig->n_out; i++)
    if (sig->out[i].rank)
      skp__text_add(w, "%s%s", i ? ", " : " -> ", skp__shape_text(shape, sizeof shape, &sig->out[i]));
}

static uint64_t hash_shapes(uint64_t seed, const struct skp_shape *s, int n) {
  for (int i = 0; i < n; i++) {
    int64_t words[2 + SKP_MAX_RANK] = {s[i].dtype, s[i].rank};
    memcpy(words + 2, s[i].dim, (size_t)s[i].rank * sizeof *s[i].dim);
    seed = XXH3_64bits_withSeed(words, sizeof words, seed);
  }
  return seed;
}

uint64_t skp__sig_hash(uint64_t seed, const struct skp_sig *sig) {
  seed = XXH3_64bits_withSeed(sig->op->name, strlen(sig->op->name) + 1, seed);
  for (const struct skp_attr *a = sig->op->attrs; a && a->name; a++) {
    const double value = skp__attr_get(a, &sig->attrs);
    seed = XXH3_64bits_withSeed(&value, sizeof value, seed);
  }
  return hash_shapes(hash_shapes(seed, sig->in, sig->n_in), sig->out, sig->n_out);
}

void skp__sig_attrs_text(struct skp__text *w, const struct skp_sig *sig) {
  for (const struct skp_attr *a = sig->op->attrs; a && a->name; a++)
    if ((float)skp__attr_get(a, &sig->attrs) != (float)a->fallback)
      skp__text_add(w, " %s=%g", a->name, skp__attr_get(a, &sig->attrs));
}

bool skp__sig_statistics(const struct skp_sig *sig) {
  bool any = false;
  for (int i = 0; i < sig->n_in; i++) any = any || (sig->in[i].rank && skp__op_in(sig->op, i)->flags & SKP_STATISTICS);
  for (int i = 0; i < sig->n_out; i++) any = any || (sig->out[i].rank && sig->op->out[i].flags & SKP_STATISTICS);
  return any;
}

/* ---- optional functions ----------------------------------------------------------------------------------------- */

double skp__op_flops(const struct skp_sig *sig) {
  if (!sig->op->reference) return 0;
  return sig->op->flops ? sig->op->flops(sig) : (double)skp__shape_count(&sig->out[0]);
}

double skp__no_flops(const struct skp_sig *sig) {
  (void)sig;
  return 0;
}

double skp__op_bytes(const struct skp_sig *sig) {
  if (!sig->op->reference) return 0;
  if (sig->op->bytes) return sig->op->bytes(sig);
  int64_t bytes = 0;
  for (int i = 0; i < sig->n_in; i++) bytes += skp__shape_bytes(&sig->in[i]);
  for (int i = 0; i < sig->n_out; i++) bytes += skp__shape_bytes(&sig->out[i]);
  return (double)bytes;
}

/* ---- inference and its checks ------------------------------------------------------------------------------------ */

enum { SHAPE_TEXT = 100 };

skp_status skp__op_fail(const struct skp_sig *sig, const char *format, ...) {
  char text[600];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return skp__fail(SKP_SHAPE, "%s: %s", sig->op->name, text);
}

static const char *dtype_name(skp_dtype dtype) {
  static const char *const names[] = {
      [SKP_F32] = "float32", [SKP_I32] = "int32", [SKP_BF16] = "bfloat16", [SKP_U8] = "uint8"};
  return names[dtype];
}

/* Extents are positive and few enough for kernels that index with int. */
static skp_status check_extents(const struct skp_sig *sig, const char *name, const struct skp_shape *s) {
  int64_t count = 1;
  char text[SHAPE_TEXT];
  if (s->rank < 0 || s->rank > SKP_MAX_RANK)
    return skp__op_fail(sig, "%s has %d dimensions; at most %d are possible.", name, s->rank, SKP_MAX_RANK);
  for (int d = 0; d < s->rank; d++)
    if (s->dim[d] < 1)
      return skp__op_fail(sig, "%s would be %s; every extent must be at least 1.", name,
                          skp__shape_text(text, sizeof text, s));
  for (int d = 0; d < s->rank; d++)
    if (__builtin_mul_overflow(count, s->dim[d], &count) || count > SKP_MAX_COUNT)
      return skp__op_fail(sig, "%s would be %s, more than %d elements. A smaller batch or image is needed.", name,
                          skp__shape_text(text, sizeof text, s), SKP_MAX_COUNT);
  return SKP_OK;
}

static skp_status check_input(const struct skp_sig *sig, int i) {
  const struct skp_slot *slot = skp__op_in(sig->op, i);
  const bool more = i >= sig->op->n_in; /* a further value of a variadic one */
  if (more && !(slot->flags & SKP_VARIADIC)) return skp__op_fail(sig, "takes %d inputs, no more.", sig->op->n_in);
  if (!sig->in[i].rank && (more || !(slot->flags & SKP_OPTIONAL)))
    return skp__op_fail(sig, "the input %s is missing.", slot->name);
  return check_extents(sig, slot->name, &sig->in[i]);
}

skp_status skp__op_infer(struct skp_sig *sig) {
  const struct skp_op *op = sig->op;
  memset(sig->out, 0, (size_t)sig->n_out * sizeof *sig->out);
  for (int i = 0; i < sig->n_in; i++) SKP_TRY(check_input(sig, i));
  SKP_TRY(skp__narrow_infer(sig));
  for (int i = 0; i < op->n_out; i++) SKP_TRY(check_extents(sig, op->out[i].name, &sig->out[i]));
  return SKP_OK;
}

skp_status skp__check_rank(const struct skp_sig *sig, int i, int rank) {
  const char *name = skp__op_in(sig->op, i)->name;
  char text[SHAPE_TEXT];
  if (sig->in[i].dtype != SKP_F32)
    return skp__op_fail(sig, "%s is %s, expected float32.", name, dtype_name(sig->in[i].dtype));
  if (sig->in[i].rank == rank) return SKP_OK;
  skp__shape_text(text, sizeof text, &sig->in[i]);
  if (i == 0 && rank == 4 && sig->in[0].rank == 2)
    return skp__op_fail(sig, "%s is %s, rows of numbers; it takes maps (N×H×W×C): leave out the flatten before it.",
                        name, text);
  return skp__op_fail(sig, "%s is %s, expected %d dimensions%s.", name, text, rank,
                      rank == 4   ? " (N×H×W×C images or R×S×C×K weights)"
                      : rank == 2 ? " (N×F)"
                                  : "");
}

skp_status skp__check_shape(const struct skp_sig *sig, int i, struct skp_shape want, const char *because) {
  const char *name = skp__op_in(sig->op, i)->name;
  char got[SHAPE_TEXT], wanted[SHAPE_TEXT];
  if (skp__shape_equal(&sig->in[i], &want)) return SKP_OK;
  if (!sig->in[i].rank) return skp__op_fail(sig, "the input %s is missing (%s).", name, because);
  return skp__op_fail(sig, "%s is %s %s, expected %s %s (%s).", name, dtype_name(sig->in[i].dtype),
                      skp__shape_text(got, sizeof got, &sig->in[i]), dtype_name(want.dtype),
                      skp__shape_text(wanted, sizeof wanted, &want), because);
}

skp_status skp__check_absent(const struct skp_sig *sig, int i, const char *because) {
  const char *name = skp__op_in(sig->op, i)->name;
  return sig->in[i].rank ? skp__op_fail(sig, "%s was given, but %s.", name, because) : SKP_OK;
}

skp_status skp__check_least(const struct skp_sig *sig, const char *name, int value, int low) {
  return value >= low ? SKP_OK : skp__op_fail(sig, "%s is %d, expected at least %d.", name, value, low);
}

skp_status skp__check_within(const struct skp_sig *sig, const char *name, double value, double low, double high) {
  if (value >= low && value <= high) return SKP_OK;
  return skp__op_fail(sig, "%s is %g, expected a number from %g to %g.", name, value, low, high);
}

/* ---- attributes -------------------------------------------------------------------------------------------------- */

static void attr_put(const struct skp_attr *attr, union skp_attrs *attrs, double value) {
  void *field = (char *)attrs + attr->offset;
  if (attr->kind == SKP_ATTR_FLOAT)
    *(float *)field = (float)value;
  else
    *(int *)field = (int)value;
}

double skp__attr_get(const struct skp_attr *attr, const union skp_attrs *attrs) {
  const void *field = (const char *)attrs + attr->offset;
  return attr->kind == SKP_ATTR_FLOAT ? (double)*(const float *)field : (double)*(const int *)field;
}

void skp__attrs_default(const struct skp_op *op, union skp_attrs *attrs) {
  memset(attrs, 0, sizeof *attrs);
  for (const struct skp_attr *a = op->attrs; a && a->name; a++) attr_put(a, attrs, a->fallback);
}

/* Writes "a, b, c" into text, cut to size. */
static void join(char *text, size_t size, const char *word, bool first) {
  size_t n = strlen(text);
  snprintf(text + n, size - n, "%s%s", first ? "" : ", ", word);
}

static skp_status fail_unknown(const struct skp_op *op, const char *name) {
  char known[400] = "";
  for (const struct skp_attr *a = op->attrs; a && a->name; a++) join(known, sizeof known, a->name, a == op->attrs);
  return skp__fail(SKP_USAGE, "%s has no attribute '%s'; it has %s.", op->name, name, *known ? known : "none");
}

static skp_status check_value(const struct skp_op *op, const struct skp_attr *a, double value) {
  int choices = 0;
  char names[400] = "";
  for (; a->choices && a->choices[choices]; choices++) join(names, sizeof names, a->choices[choices], choices == 0);
  const char *want = NULL;
  switch (a->kind) {
  case SKP_ATTR_INT:
    if (value != floor(value) || fabs(value) > INT32_MAX) want = "a whole number";
    break;
  case SKP_ATTR_BOOL:
    if (value != 0 && value != 1) want = "true or false (1 or 0)";
    break;
  case SKP_ATTR_FLOAT:
    if (!isfinite((float)value)) want = "a finite number";
    break;
  case SKP_ATTR_CHOICE:
    if (value != floor(value) || value < 0 || value >= choices) want = names;
    break;
  }
  return want ? skp__fail(SKP_USAGE, "%s: %s is %g, expected %s.", op->name, a->name, value, want) : SKP_OK;
}

skp_status skp__attrs_set(const struct skp_op *op, union skp_attrs *attrs, const char *name, double value) {
  const struct skp_attr *a = op->attrs;
  while (a && a->name && strcmp(a->name, name)) a++;
  if (!a || !a->name) return fail_unknown(op, name);
  SKP_TRY(check_value(op, a, value));
  attr_put(a, attrs, value);
  return SKP_OK;
}

/* ---- shapes ------------------------------------------------------------------------------------------------------ */

struct skp_shape skp__shape(skp_dtype dtype, int rank, const int64_t *dim) {
  struct skp_shape s = {.dtype = dtype, .rank = rank};
  for (int i = 0; i < rank && i < SKP_MAX_RANK; i++) s.dim[i] = dim[i];
  return s;
}

struct skp_shape skp__shape1(int64_t a) {
  return skp__shape(SKP_F32, 1, (int64_t[]){a});
}

struct skp_shape skp__shape2(int64_t a, int64_t b) {
  return skp__shape(SKP_F32, 2, (int64_t[]){a, b});
}

struct skp_shape skp__shape4(int64_t a, int64_t b, int64_t c, int64_t d) {
  return skp__shape(SKP_F32, 4, (int64_t[]){a, b, c, d});
}

struct skp_shape skp__shape_i32(struct skp_shape s) {
  s.dtype = SKP_I32;
  return s;
}

int64_t skp__shape_count(const struct skp_shape *s) {
  int64_t count = s->rank > 0;
  for (int i = 0; i < s->rank; i++) count *= s->dim[i];
  return count;
}

int64_t skp__shape_bytes(const struct skp_shape *s) { return skp__shape_count(s) * skp__dtype_bytes(s->dtype); }

struct skp_shape skp__statistics_shape(const struct skp_shape *map) {
  const int64_t C = skp__channels(map), pixels = skp__shape_count(map) / C;
  return skp__shape2((pixels + SKP_STATISTICS_PIXELS - 1) / SKP_STATISTICS_PIXELS, C);
}

bool skp__shape_equal(const struct skp_shape *a, const struct skp_shape *b) {
  if (a->rank != b->rank || a->dtype != b->dtype) return false;
  for (int i = 0; i < a->rank; i++)
    if (a->dim[i] != b->dim[i]) return false;
  return true;
}

const char *skp__shape_text(char *text, size_t size, const struct skp_shape *s) {
  size_t n = 0;
  snprintf(text, size, "absent");
  for (int i = 0; i < s->rank && n < size; i++)
    n += (size_t)snprintf(text + n, size - n, "%s%lld", i ? "×" : "", (long long)s->dim[i]);
  if (s->rank && s->dtype == SKP_BF16 && n < size) snprintf(text + n, size - n, " bf16");
  if (s->rank && s->dtype == SKP_U8 && n < size) snprintf(text + n, size - n, " u8");
  return text;
}

int64_t skp__window_extent(int64_t in, int kernel, int stride, int pad, int dilation) {
  int64_t room = in + 2 * (int64_t)pad - (int64_t)dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}
