/* op.h: what an op is. An op knows its attributes, the shapes of its results, its gradient, its cost and its meaning in
 * plain C; it knows nothing of graphs, devices or backends. SPDX-License-Identifier: MIT
 *
 * Layouts in memory, everywhere and always row-major:
 *   images        {N, H, W, C}
 *   matrices      {N, F}             F = H·W·C when a flatten made it
 *   convolution   {R, S, C/groups, K}
 *   linear        {R, S, C, K}       R·S·C = F: a linear layer on a flattened H×W×C map is a convolution as large as
 *                                    the map, so files (PyTorch: K × C·H·W) convert as those of convolutions do
 *   vectors       {C}                biases, gamma, beta, running statistics
 *   scalars       {1}
 * No value has more than SKP_MAX_COUNT elements, so kernels may index with int; every extent is at least 1.
 *
 * Maps, the images and matrices that run through a network, may be stored as bfloat16 in a plan that asks for it
 * (plan/precision.c): those of one use of an op all or none. Sums, and everything else, are float32.
 *
 * NaN never gets lost: relu(NaN) is NaN, a maximum over NaN is NaN, a NaN logit counts as the largest.
 */
#ifndef SKP_OPS_OP_H
#define SKP_OPS_OP_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Slots are what an op declares; a variadic one takes any number of values. */
enum { SKP_MAX_RANK = 4, SKP_MAX_IN = 16, SKP_MAX_OUT = 8, SKP_MAX_COUNT = INT32_MAX };

typedef enum skp_op_id {
#define X(name) SKP_OP_##name,
#include "ops/ops.def"
#undef X
  SKP_OP_COUNT
} skp_op_id;

/* bfloat16 is the upper half of a float32, rounded to nearest even: eight bits of exponent, eight of digits. Values of
 * whole types are never rounded, so any difference between two of them is a fault. */
typedef enum skp_dtype { SKP_F32, SKP_I32, SKP_BF16, SKP_U8 } skp_dtype;
static inline bool skp__dtype_whole(skp_dtype t) { return t == SKP_I32 || t == SKP_U8; }
static inline int64_t skp__dtype_bytes(skp_dtype t) { return t == SKP_U8 ? 1 : t == SKP_BF16 ? 2 : 4; }

/* A value's type. rank 0 means "absent": an optional input left out, or an output that nobody asked for. */
struct skp_shape {
  skp_dtype dtype;
  int rank;
  int64_t dim[SKP_MAX_RANK];
};

/* ---- attributes -------------------------------------------------------------------------------------------------
 * Each op has one small struct and one table that names its fields; Lua arguments, golden cases and texts all go
 * through that table. Gradient ops carry the struct of the op they belong to. */

typedef enum skp_fuse { SKP_FUSE_NONE, SKP_FUSE_RELU, SKP_FUSE_ADD_RELU } skp_fuse;

struct skp_conv2d_attrs {
  int stride, pad, dilation, groups;
  int h, w;       /* conv2d_dx: height and width of dx; conv2d_dw, _parts: R and S of dw; 0 in conv2d */
  int relu;       /* conv2d: 1: y = max(·, 0); conv2d_dx: 1: 0 where that of the relu before it is; 0 in conv2d_dw */
  int statistics; /* conv2d: 1: those of y are wanted, too; 0 in the others */
  int parts;      /* conv2d_dw_parts: of the pixels; 0 in the others */
};
struct skp_batchnorm_attrs {
  float eps, momentum; /* running = (1 - momentum) · running + momentum · batch, as PyTorch */
  int training;        /* 1: batch statistics, and running ones are updated; 0: running statistics */
  int fuse;            /* skp_fuse: what follows the normalisation */
};
struct skp_layernorm_attrs {
  float eps;
};
struct skp_add_attrs {
  int relu; /* 1: y = max(a + b, 0) */
};
typedef enum skp_activation {
  SKP_SIGMOID,
  SKP_SILU,
  SKP_RELU6,
  SKP_HARDSIGMOID,
  SKP_HARDSWISH,
  SKP_GELU,
  SKP_TANH
} skp_activation;
struct skp_activation_attrs {
  int kind; /* skp_activation */
};
struct skp_mul_attrs {
  int images; /* mul_db: 1: db has a factor for each channel of each image, 0: for each channel */
};
struct skp_concat_attrs {
  int from, channels; /* concat_dx: the channels of dy that dx is */
};
struct skp_dropout_attrs {
  float p;    /* how likely a value is left out, below 1 */
  int stream; /* number of the layer: each has random numbers of its own */
  int images; /* 1: an image is left out, or kept, as a whole */
};
struct skp_pool_attrs {
  int kernel, stride, pad;
  int count_include_pad; /* avgpool2d only: padding counts in the divisor */
  int ceil;              /* maxpool2d only: a last window may reach beyond the padding, if it begins before it */
  int h, w;              /* *_dx: height and width of dx; 0 in the forward op */
};
struct skp_adaptive_attrs {
  int size; /* rows and columns of y */
  int h, w; /* adaptive_avgpool2d_dx: height and width of dx; 0 in the forward op */
};
struct skp_linear_attrs {
  int r, s; /* linear_dw: the R and S of dw; 0 in the others */
};
struct skp_flatten_attrs {
  int h, w, c; /* all 0: {N,H,W,C} becomes {N,F}; else {N,F} becomes {N,h,w,c}, which is the way back */
};
struct skp_transpose_attrs {
  int rows, columns; /* of the matrix that the features of x are */
};
enum { SKP_SUMS = 8 };          /* layers whose parts a sum_parts adds */
enum { SKP_BYTE_LEVELS = 256 }; /* a number for each byte */
struct skp_normalise_attrs {
  int narrow; /* 1: y is bfloat16 */
};
struct skp_resize_attrs {
  int out_h,
      out_w; /* golden files: "out": [h, w]; half-pixel centres, antialiased (triangle filter widened when shrinking) */
};
struct skp_upsample_attrs {
  int scale; /* rows and columns that a pixel becomes */
};
struct skp_loss_attrs {
  float label_smoothing;
};
/* What an optimizer reads that changes from step to step; t counts from 1. */
struct skp_hyper {
  float lr;
  float rest_1, rest_2; /* 1 - beta1^t, 1 - beta2^t: what is not yet in the moments */
  float ema_rate;       /* the weight of the new values in their running average: 1 - decay */
};
enum { SKP_HYPER = sizeof(struct skp_hyper) / sizeof(float) };
enum { SKP_UPDATE_BLOCK = 128 }; /* neighbouring values of p that share a row of an optimizer's factors */
struct skp_optimizer_attrs {
  float momentum;          /* sgd */
  int nesterov;            /* sgd */
  float beta1, beta2, eps; /* adam, adamw */
  float weight_decay;
};
struct skp_clip_attrs {
  float max_norm;
};
struct skp_guard_attrs {
  int sticky; /* all_finite: 1: what was broken stays so */
};
union skp_attrs {
  struct skp_conv2d_attrs conv2d;
  struct skp_batchnorm_attrs batchnorm;
  struct skp_layernorm_attrs layernorm;
  struct skp_add_attrs add;
  struct skp_activation_attrs activation;
  struct skp_mul_attrs mul;
  struct skp_concat_attrs concat;
  struct skp_dropout_attrs dropout;
  struct skp_pool_attrs pool;
  struct skp_adaptive_attrs adaptive;
  struct skp_linear_attrs linear;
  struct skp_flatten_attrs flatten;
  struct skp_transpose_attrs transpose;
  struct skp_normalise_attrs normalise;
  struct skp_resize_attrs resize;
  struct skp_upsample_attrs upsample;
  struct skp_loss_attrs loss;
  struct skp_optimizer_attrs optimizer;
  struct skp_clip_attrs clip;
  struct skp_guard_attrs guard;
};

typedef enum skp_attr_kind { SKP_ATTR_INT, SKP_ATTR_BOOL, SKP_ATTR_FLOAT, SKP_ATTR_CHOICE } skp_attr_kind;

struct skp_attr {
  const char *name;
  skp_attr_kind kind;
  size_t offset;              /* into union skp_attrs */
  double fallback;            /* the value when nothing is said */
  const char *const *choices; /* SKP_ATTR_CHOICE: names by value, NULL-terminated; else NULL */
};

/* ---- one use of an op ------------------------------------------------------------------------------------------- */

struct skp_op;

/* A call's types: what an op instance is chosen, prepared, tuned and cached by. There is a type for each slot of the
 * op, and for each further value of a variadic one. */
struct skp_sig {
  const struct skp_op *op;
  union skp_attrs attrs;
  bool constant; /* weights stay as they are from run to run: what is made of them alone may be kept */
  int n_in, n_out;
  struct skp_shape *in, *out;
};
/* A signature with memory of its own: absent types, n_in of inputs but no fewer than slots, attributes at their
 * fallback; the copy of one. */
skp_status skp__sig_create(struct skp_sig *out, const struct skp_op *op, int n_in);
skp_status skp__sig_copy(struct skp_sig *out, const struct skp_sig *from);
void skp__sig_free(struct skp_sig *sig);

/* A call's data for the reference: pointers stand where the shapes of `sig` do, NULL where rank is 0. An output that
 * aliases an input (see skp_op.alias) has the same pointer. */
struct skp_call {
  const struct skp_sig *sig;
  const void **in;
  void **out;
};

/* ---- building gradients ----------------------------------------------------------------------------------------- */

typedef int skp_value; /* a tensor of the graph under construction; SKP_NONE = absent */
#define SKP_NONE (-1)

/* What an op's gradient builder sees of its node: the values it read and made, the gradients that arrive (dout), which
 * gradients are wanted (need), and where to put them (din, SKP_NONE on entry). A node is passed over when nothing
 * arrives at any of its outputs or nothing is wanted; the loss is where it starts: its dout is SKP_NONE and stands for
 * 1. Only output 0 is differentiable; the optional outputs that gradients read (index; mean, rstd) must have been made.
 * din may be a value that exists already (add passes dout through, to both sides), so the graph must add gradients into
 * fresh values, never in place. */
struct skp_grad {
  const struct skp_sig *sig;
  const skp_value *in, *out, *dout; /* as many as the signature has, as of all here */
  const bool *need;
  skp_value *din;
  /* Adds a node to the graph. `in` has an entry for each slot of the op, SKP_NONE where absent; `want` says which of
   * its outputs are to be made (NULL: all); `out` receives the op's n_out values. */
  skp_status (*emit)(struct skp_grad *g, skp_op_id op, const union skp_attrs *attrs, const skp_value *in,
                     const bool *want, skp_value *out);
  void *graph;
};

/* ---- the op ----------------------------------------------------------------------------------------------------- */

/* What a layer does with the order of a matrix's features. A flatten leaves a map's values as they lie in memory,
 * H·W·C, whereas files, like PyTorch, count them C·H·W; graph/order.c keeps the two apart. */
typedef enum skp_order {
  SKP_ORDER_FILE, /* it reads and makes matrices in the order of files */
  SKP_ORDER_SAME, /* value by value: it reads them in any one order and makes them in the same */
  /* it reads them in any order, as its weights are laid out for it, and makes them in the order of files */
  SKP_ORDER_ANY
} skp_order;

/* What work an op is, for those who sum times up or draw a network, and what of a product it makes. */
typedef enum skp_kind {
  SKP_KIND_OTHER,
  SKP_KIND_CONVOLUTION,
  SKP_KIND_LINEAR,
  SKP_KIND_BATCHNORM,
  SKP_KIND_LAYERNORM,
  SKP_KIND_POOL,
  SKP_KIND_UPDATE, /* an optimizer, and what happens to gradients before it */
  SKP_KINDS
} skp_kind;
typedef enum skp_pass { SKP_PASS_FORWARD, SKP_PASS_DATA, SKP_PASS_WEIGHTS, SKP_PASSES } skp_pass;

/* An input or output as the op declares it. */
enum {
  SKP_OPTIONAL = 1,  /* it may be absent */
  SKP_VARIADIC = 2,  /* an input, the last: any number of values of this kind, at least one */
  SKP_MAP = 4,       /* it may be bfloat16, as all maps of the call then are; others never are */
  SKP_STATISTICS = 8 /* it is of a map's statistics, see skp__statistics_shape */
};
struct skp_slot {
  const char *name; /* as in golden files */
  unsigned flags;
};

/* Of an optimizer: which of its inputs are the parameters, their gradient, what it remembers of earlier steps, and the
 * rest that src/ops/optimizer.c describes. */
enum { SKP_MOMENTS = 2 };
struct skp_optimizer {
  int p, g, hyper, factors, scale, average, broken;
  int moments, moment[SKP_MOMENTS];
  bool (*keeps)(const union skp_attrs *attrs); /* (optional) whether there are moments with these attributes */
};

struct skp_op {
  const char *name;
  skp_kind kind;
  skp_pass pass; /* of convolutions and linear layers: which of the three products, y, dx, dw */
  int n_in, n_out;
  struct skp_slot in[SKP_MAX_IN], out[SKP_MAX_OUT];
  int8_t alias[SKP_MAX_OUT]; /* 1 + index of the input whose storage this output takes over; 0: its own storage */
  const struct skp_optimizer *optimizer; /* NULL: it is none */
  const struct skp_attr *attrs;          /* terminated by name = NULL; NULL: no attributes */
  bool training_only;                    /* in evaluation output 0 is input 0, and no node is made */
  skp_order order;                       /* of features, in the forward half; gradients know memory only */
  /* (optional) Whether products in bfloat16 pay: then its maps are narrow, else they are not. NULL: there are no
   * products; as its inputs come. */
  bool (*narrow)(const struct skp_sig *sig);

  /* Checks the inputs and fills the types of all outputs (of optional ones too: the caller then drops those that nobody
   * wants; one that does not exist with these attributes stays absent). The error text names both shapes. */
  skp_status (*infer)(struct skp_sig *sig);
  /* (optional) Emits nodes for the wanted gradients. NULL: nothing flows back. */
  skp_status (*gradient)(struct skp_grad *g);
  /* (optional) Floating-point operations of one call, a multiply-add being two. NULL: one for each element of the first
   * output (none for a view). */
  double (*flops)(const struct skp_sig *sig);
  /* (optional) Bytes that must move at least. NULL: all inputs and all outputs once (nothing for a view). */
  double (*bytes)(const struct skp_sig *sig);
  /* The meaning, in plain C, of maps in float32, sums in double; skp__op_run calls it. A view without work (flatten)
   * has NULL here: output 0 aliases input 0. */
  void (*reference)(const struct skp_call *call);
};

#define X(name) extern const struct skp_op skp__op_##name;
#include "ops/ops.def"
#undef X

/* The table made from ops.def. */
const struct skp_op *skp__op(skp_op_id id);
skp_op_id skp__op_id(const struct skp_op *op);
/* The op of that name, or NULL. */
const struct skp_op *skp__op_by_name(const char *name);

/* The slot of input i of a call, which is the last one for all values of a variadic one. */
const struct skp_slot *skp__op_in(const struct skp_op *op, int i);
/* How many inputs the entries in `in` are: the op's slots, and of a variadic one as many as come before SKP_NONE. */
int skp__op_count_in(const struct skp_op *op, const skp_value *in);

/* The wrappers that supply the defaults of optional functions. */
double skp__op_flops(const struct skp_sig *sig);
double skp__op_bytes(const struct skp_sig *sig);
/* Runs the reference; maps that are narrow are widened for it, and what it makes is rounded once. */
skp_status skp__op_run(const struct skp_call *call);
struct skp__text;
/* "conv2d 128×28×28×1, 3×3×1×4 -> 128×28×28×4" */
void skp__sig_text(struct skp__text *w, const struct skp_sig *sig);
/* A number by which equal signatures are known again, whatever the process: of op, attributes, and types. */
uint64_t skp__sig_hash(uint64_t seed, const struct skp_sig *sig);
/* " stride=2 pad=1": attributes that are not as nothing said has them. */
void skp__sig_attrs_text(struct skp__text *w, const struct skp_sig *sig);
/* Whether one of the values is bfloat16. */
bool skp__sig_narrow(const struct skp_sig *sig);
/* Whether one of them is of a map's statistics. */
bool skp__sig_statistics(const struct skp_sig *sig);
/* Checks that required inputs are there and sound, then infers. Outputs need no value on
 * entry. Call this, not the slot. */
skp_status skp__op_infer(struct skp_sig *sig);

/* Sets every attribute of `op` to its fallback; sets one by name (value of a choice: its index). An unknown name or a
 * value that does not fit the kind is SKP_USAGE with the list of names. */
void skp__attrs_default(const struct skp_op *op, union skp_attrs *attrs);
skp_status skp__attrs_set(const struct skp_op *op, union skp_attrs *attrs, const char *name, double value);
double skp__attr_get(const struct skp_attr *attr, const union skp_attrs *attrs);

/* What dropout does to a value that it keeps, and below which of 2^24 equally likely numbers it does not. */
float skp__dropout_scale(const struct skp_dropout_attrs *a);
uint32_t skp__dropout_threshold(const struct skp_dropout_attrs *a);
/* How many neighbouring values share a random number. */
int64_t skp__dropout_together(const struct skp_sig *sig);

/* Shapes: helpers used everywhere. */
struct skp_shape skp__shape(skp_dtype dtype, int rank, const int64_t *dim);
struct skp_shape skp__shape1(int64_t a);
struct skp_shape skp__shape2(int64_t a, int64_t b);
struct skp_shape skp__shape4(int64_t a, int64_t b, int64_t c, int64_t d);
int64_t skp__shape_count(const struct skp_shape *s); /* elements; 0 when absent */
/* The last extent: channels of a map, features of a matrix. */
static inline int64_t skp__channels(const struct skp_shape *s) { return s->dim[s->rank - 1]; }
int64_t skp__shape_bytes(const struct skp_shape *s);
bool skp__shape_equal(const struct skp_shape *a, const struct skp_shape *b);
/* Writes "64×28×28×4", "64×28×28×4 bf16" into text (at most size bytes, terminated) and returns text. */
const char *skp__shape_text(char *text, size_t size, const struct skp_shape *s);

/* The statistics of a map {N, H, W, C}: of each C values for each block of so many neighbouring pixels, the images
 * being one row of pixels; the last block has the rest. */
enum { SKP_STATISTICS_PIXELS = 128 };
struct skp_shape skp__statistics_shape(const struct skp_shape *map);

/* Output extent of a window: floor((in + 2·pad - dilation·(kernel - 1) - 1) / stride) + 1; ≤ 0 if it does not fit. */
int64_t skp__window_extent(int64_t in, int kernel, int stride, int pad, int dilation);

#endif
