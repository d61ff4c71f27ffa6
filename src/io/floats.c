/* floats.c: the numbers of tensors in files as floats. SPDX-License-Identifier: MIT */
#include "base/bf16.h"
#include "io/weights.h"
#include <math.h>
#include <string.h>

/* IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction. */
static double from_f16(const unsigned char *at) {
  unsigned bits = at[0] | (unsigned)at[1] << 8, exponent = bits >> 10 & 31, fraction = bits & 1023;
  double x = exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
             : exponent     ? ldexp(1024 + fraction, (int)exponent - 25)
                            : ldexp(fraction, -24);
  return bits >> 15 ? -x : x;
}

static double from_bf16(const unsigned char *at) { return (double)skp__from_bf16((uint16_t)(at[0] | at[1] << 8)); }

static double from_f32(const unsigned char *at) {
  float x;
  memcpy(&x, at, sizeof x);
  return (double)x;
}

static double from_f64(const unsigned char *at) {
  double x;
  memcpy(&x, at, sizeof x);
  return x;
}

static const struct real {
  const char *dtype;
  int bytes;
  double (*value)(const unsigned char *at);
} reals[] = {{"F32", 4, from_f32}, {"F16", 2, from_f16}, {"BF16", 2, from_bf16}, {"F64", 8, from_f64}};

static const struct real *find_real(const struct skp_st_tensor *t) {
  for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
    if (!strcmp(reals[i].dtype, t->dtype)) return &reals[i];
  return NULL;
}

bool skp__weights_real(const struct skp_st_tensor *t) { return find_real(t); }

/* "[1, 0, 2]" */
static void place_text(char *text, size_t size, const struct skp_st_tensor *t, int64_t at) {
  int64_t below = 1;
  size_t used = 0;
  for (int d = 0; d < t->rank; d++) below *= t->dim[d];
  *text = 0;
  for (int d = 0; d < t->rank && used < size; d++) {
    below /= t->dim[d];
    used += (size_t)snprintf(text + used, size - used, "%s%lld", d ? ", " : "[", (long long)(at / below % t->dim[d]));
  }
  if (t->rank && used < size) snprintf(text + used, size - used, "]");
}

static skp_status fail_value(const struct skp_st_tensor *t, int64_t at, double value) {
  char place[200];
  place_text(place, sizeof place, t, at);
  if (isfinite(value)) return skp__fail(SKP_NUMERIC, "%s%s is %g, too large for a float.", t->name, place, value);
  return skp__fail(SKP_NUMERIC, "%s%s is %s: a run that went wrong left it, or the file is damaged.", t->name, place,
                   isnan(value) ? "not a number" : "infinite");
}

skp_status skp__weights_floats(float *out, const struct skp_st_tensor *t) {
  const struct real *real = find_real(t);
  const unsigned char *at = t->data;
  if (!real) return skp__fail(SKP_FORMAT, "%s has the type %s, which holds no weights.", t->name, t->dtype);
  for (int64_t i = 0; i < t->bytes / real->bytes; i++) {
    double value = real->value(at + i * real->bytes);
    out[i] = (float)value;
    if (!isfinite(out[i])) return fail_value(t, i, value);
  }
  return SKP_OK;
}
