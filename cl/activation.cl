/* activation.cl: y = f(x), value by value, and its gradient. SPDX-License-Identifier: MIT
 *
 *   activation     y[i]  = f(x[i])              f of KIND, as src/ops/activation.c has it; a NaN stays one
 *   activation_dx  dx[i] = dy[i] · f'(x[i])
 *
 * A work-item does WIDTH neighbouring values; the last ones of n one by one. */

#ifndef WIDTH
#define WIDTH 8 /* values of a work-item: 2, 4, 8, 16 */
#endif
#ifndef KIND
#define KIND 0 /* 0 sigmoid, 1 silu, 2 relu6, 3 hardsigmoid, 4 hardswish, 5 gelu, 6 tanh */
#endif

#include "width.clh"

#define CLAMP(v, low, high) ((v) < (low) ? (TYPE)(low) : (v) > (high) ? (TYPE)(high) : (v))
#define SIGMOID(v) (1.0f / (1.0f + exp(-(v))))

/* Phi, the fraction of normal numbers below v. Compilers for CPUs make no vectors of erf; Abramowitz and Stegun's
 * formula 7.1.26 is within 8e-8 of it, less than a float of 1 can tell. */
#define T(v) (1.0f / (1.0f + 0.231641919f * fabs(v)))
#define POLYNOMIAL(t)                                                                                                  \
  (((((1.061405429f * (t) - 1.453152027f) * (t) + 1.421413741f) * (t) - 0.284496736f) * (t) + 0.254829592f) * (t))
#define BELL(v) exp((v) * (v) * -0.5f)
#define TAIL(v) (0.5f * POLYNOMIAL(T(v)) * BELL(v))
#define PHI(v) ((v) < 0.0f ? TAIL(v) : 1.0f - TAIL(v))

#if KIND == 0
#define F(v) SIGMOID(v)
#define SLOPE(v) (SIGMOID(v) * SIGMOID(-(v)))
#elif KIND == 1
#define F(v) ((v) * SIGMOID(v))
#define SLOPE(v) (SIGMOID(v) * (1.0f + (v) * SIGMOID(-(v))))
#elif KIND == 2
#define F(v) CLAMP(v, 0.0f, 6.0f)
#define SLOPE(v) ((v) > 0.0f && (v) < 6.0f ? (TYPE)(1.0f) : (TYPE)(0.0f))
#elif KIND == 3
#define F(v) (CLAMP((v) + 3.0f, 0.0f, 6.0f) / 6.0f)
#define SLOPE(v) ((v) > -3.0f && (v) < 3.0f ? (TYPE)(1.0f / 6.0f) : (TYPE)(0.0f))
#elif KIND == 4
#define F(v) ((v) * CLAMP((v) + 3.0f, 0.0f, 6.0f) / 6.0f)
#define SLOPE(v) ((v) <= -3.0f ? (TYPE)(0.0f) : (v) >= 3.0f ? (TYPE)(1.0f) : (v) / 3.0f + 0.5f)
#elif KIND == 5
#define F(v) ((v) * PHI(v))
#define SLOPE(v) (PHI(v) + (v) * BELL(v) * 0.39894228040143268f)
#else
#define F(v) tanh(v)
#define SLOPE(v) (4.0f * SIGMOID(2.0f * (v)) * SIGMOID(-2.0f * (v)))
#endif

#define TYPE FLOATS
static FLOATS of_vector(FLOATS v) { return F(v); }
static FLOATS slope_vector(FLOATS v) { return SLOPE(v); }
#undef TYPE
#define TYPE float
static float of_value(float v) { return F(v); }
static float slope_value(float v) { return SLOPE(v); }

kernel void activation(global float *restrict y, global const float *restrict x, int n) {
  int i = (int)get_global_id(0) * WIDTH;
  if (i + WIDTH <= n)
    STORE(of_vector(LOAD(x + i)), y + i);
  else
    for (; i < n; i++) y[i] = of_value(x[i]);
}

kernel void activation_dx(global float *restrict dx, global const float *restrict dy, global const float *restrict x,
                          int n) {
  int i = (int)get_global_id(0) * WIDTH;
  if (i + WIDTH <= n)
    STORE(LOAD(dy + i) * slope_vector(LOAD(x + i)), dx + i);
  else
    for (; i < n; i++) dx[i] = dy[i] * slope_value(x[i]);
}
