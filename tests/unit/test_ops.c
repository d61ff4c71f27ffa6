/* test_ops.c: the table of ops, attributes, shapes and their errors, cost. SPDX-License-Identifier: MIT */
#include "op_case.h"
#include <math.h>

/* ---- shapes: inputs and attributes -> outputs, or part of the error ---------------------------------------------- */

static const struct {
  const char *op, *in, *attrs, *out, *error;
} shapes[] = {
    {"conv2d", "2x5x6x3 3x3x3x4 4", "", "2x3x4x4", NULL},
    {"conv2d", "2x5x6x3 3x3x3x4 -", "stride=2 pad=1", "2x3x3x4", NULL},
    {"conv2d", "1x9x9x4 3x3x2x6 -", "dilation=2 groups=2", "1x5x5x6", NULL},
    {"conv2d", "1x5x5x4 5x5x4x1 -", "", "1x1x1x1", NULL},
    {"conv2d", "128x28x28x3 3x3x1x4 -", "", NULL,
     "conv2d: x 128×28×28×3 has 3 channels, w 3×3×1×4 expects 1 (groups 1)."},
    {"conv2d", "1x5x5x4 3x3x2x3 -", "groups=2", NULL, "w 3×3×2×3 makes 3 channels, which groups 2 does not divide"},
    {"conv2d", "1x5x5x4 6x5x4x1 -", "", NULL, "the window of w 6×5×4×1 (dilation 1) is larger than x 1×5×5×4"},
    {"conv2d", "1x5x5x4 3x3x4x1 -", "dilation=3", NULL, "dilation 3"},
    {"conv2d", "1x5x5x4 3x3x4x2 3", "", NULL, "b is float32 3, expected float32 2 (one for each channel that w makes)"},
    {"conv2d", "1x5x5x4 i3x3x4x2 -", "", NULL, "w is int32, expected float32"},
    {"conv2d", "5x5x4 3x3x4x2 -", "", NULL, "x is 5×5×4, expected 4 dimensions"},
    {"conv2d", "5x7 3x3x4x2 -", "", NULL,
     "x is 5×7, rows of numbers; it takes maps (N×H×W×C): leave out the flatten before it"},
    {"conv2d", "1x5x5x4 - -", "", NULL, "the input w is missing"},
    {"conv2d", "1x5x5x4 1x1x4x2 2 2 1x5x5x2 2", "", NULL, "takes 5 inputs"},
    {"conv2d", "1x5x5x4 1x1x4x2 2 2 1x5x5x2", "relu=1", "1x5x5x2", NULL},
    {"conv2d", "1x5x5x4 1x1x4x2 - 3", "", NULL, "scale is float32 3, expected float32 2"},
    {"conv2d", "1x5x5x4 1x1x4x2 - - 1x5x5x4", "", NULL,
     "residual is float32 1×5×5×4, expected float32 1×5×5×2 (the shape of y)"},
    {"conv2d", "2x9x8x4 1x1x4x3", "statistics=1", "2x9x8x3 2x3 2x3", NULL},
    {"conv2d", "1x16x8x4 1x1x4x3", "statistics=1", "1x16x8x3 1x3 1x3", NULL},
    {"conv2d_dx", "2x5x4x3 1x1x2x3 2x5x4x3", "h=5 w=4", NULL,
     "residual is float32 2×5×4×3, expected float32 2×5×4×2 (the shape of dx)"},
    {"conv2d_dx", "2x5x4x3 1x1x2x3 - 2x5x4x2", "h=5 w=4 relu=1", "2x5x4x2", NULL},
    {"conv2d_dx", "2x5x4x3 1x1x2x3 - 2x5x4x3", "h=5 w=4 relu=1", NULL,
     "mask is float32 2×5×4×3, expected float32 2×5×4×2 (the shape of dx, as there is a relu)"},
    {"conv2d_dx", "2x5x4x3 1x1x2x3 - 2x5x4x2", "h=5 w=4", NULL, "mask was given, but there is no relu"},
    {"conv2d_dx", "2x5x4x3 1x1x2x3", "h=5 w=4 relu=1", NULL, "the input mask is missing"},
    {"batchnorm_fold", "7 7 7 7", "", "7 7", NULL},
    {"batchnorm_fold", "7 7 7 7 7", "eps=0", "7 7", NULL},
    {"batchnorm_fold", "7 7 7 7 6", "", NULL, "b is float32 6, expected float32 7 (one for each of gamma)"},
    {"batchnorm_fold", "7 7 7 1x7", "", NULL, "running_var is float32 1×7"},
    {"batchnorm_fold", "7x1 7 7 7", "", NULL, "gamma is 7×1, expected 1 dimensions"},
    {"conv2d", "0x5x5x4 1x1x4x2 -", "", NULL, "x would be 0×5×5×4; every extent must be at least 1"},
    {"conv2d", "1x5x5x4 1x1x4x2 -", "stride=0", NULL, "stride is 0, expected at least 1"},
    {"conv2d", "1x5x5x4 1x1x4x2 -", "pad=-1", NULL, "pad is -1, expected at least 0"},
    {"conv2d", "1x5x5x4 1x1x4x2 -", "groups=0", NULL, "groups is 0"},
    {"conv2d", "1x5x5x4 1x1x4x2 -", "pad=2147483647", NULL, "more than 2147483647 elements"},
    {"conv2d", "1x5x5x4 3x3x4x2 -", "dilation=2147483647", NULL, "larger than x"},
    {"conv2d", "65536x65536x1x1 1x1x1x2 -", "", NULL, "x would be 65536×65536×1×1, more than 2147483647 elements"},
    {"conv2d", "4294967296x4294967296x4294967296x1 1x1x1x2 -", "", NULL, "more than 2147483647 elements"},
    {"conv2d_dx", "2x3x3x4 3x3x3x4", "stride=2 pad=1 h=5 w=6", "2x5x6x3", NULL},
    {"conv2d_dx", "2x3x3x6 1x1x2x6", "groups=3 h=3 w=3", "2x3x3x6", NULL},
    {"conv2d_dx", "2x3x3x4 3x3x3x4", "stride=2 pad=1 h=7 w=6", NULL, "dy is float32 2×3×3×4, expected float32 2×4×3×4"},
    {"conv2d_dx", "2x3x3x4 3x3x3x4", "stride=2 pad=1", NULL, "h is 0"},
    {"conv2d_dw", "2x5x6x3 2x3x3x4", "stride=2 pad=1 h=3 w=3", "3x3x3x4 4", NULL},
    {"conv2d_dw", "2x5x6x3 2x3x3x4", "stride=2 pad=1 h=1 w=3", NULL, "dy is float32 2×3×3×4, expected float32 2×4×3×4"},
    {"conv2d_dw", "2x5x6x3 2x3x3x4", "stride=2 pad=1 groups=2 h=3 w=3", NULL, "x 2×5×6×3 has 3 channels"},
    {"conv2d_dw_parts", "2x5x6x3 2x3x3x4", "stride=2 pad=1 h=3 w=3 parts=5", "5x27x4", NULL},
    {"conv2d_dw_parts", "2x5x6x4 2x3x3x4", "stride=2 pad=1 groups=2 h=3 w=3", "1x18x4", NULL},
    {"conv2d_dw_parts", "2x5x6x3 2x3x3x4", "stride=2 pad=1 h=3 w=3 parts=0", NULL, "parts is 0, expected at least 1"},
    {"conv2d_dw_parts", "2x5x6x3 2x3x3x4", "stride=2 pad=1 h=1 w=3", NULL,
     "dy is float32 2×3×3×4, expected float32 2×4×3×4"},
    {"batchnorm", "2x3x4x5 5 5 - 5 5", "", "2x3x4x5 5 5 5 5", NULL},
    {"batchnorm", "2x3x4x5 5 5 2x3x4x5 5 5", "fuse=2", "2x3x4x5 5 5 5 5", NULL},
    {"batchnorm", "2x9x8x5 5 5 - 5 5 2x5 2x5", "", "2x9x8x5 5 5 5 5", NULL},
    {"batchnorm", "2x9x8x5 5 5 - 5 5 1x5 2x5", "", NULL,
     "means is float32 1×5, expected float32 2×5 (the statistics of x)"},
    {"batchnorm", "2x9x8x5 5 5 - 5 5 2x5", "", NULL, "the input squares is missing (the statistics of x)"},
    {"batchnorm", "2x9x8x5 5 5 - 5 5 2x5 2x5", "training=0", NULL, "means was given, but running statistics are used"},
    {"batchnorm", "2x3x4x5 5 5 - 5 5", "fuse=2", NULL, "the input residual is missing"},
    {"batchnorm", "2x3x4x5 5 5 2x3x4x5 5 5", "fuse=1", NULL, "residual was given, but fuse is not add_relu"},
    {"batchnorm", "2x3x4x5 5 5 2x3x4x1 5 5", "fuse=2", NULL, "residual is float32 2×3×4×1, expected float32 2×3×4×5"},
    {"batchnorm", "2x3x4x5 5 4 - 5 5", "", NULL, "beta is float32 4, expected float32 5 (one for each channel of x)"},
    {"batchnorm", "2x3x4x5 5 5 - 5 5", "momentum=1.5", NULL, "momentum is 1.5, expected a number from 0 to 1"},
    {"batchnorm", "2x3x4x5 5 5 - 5 5", "eps=-1", NULL, "eps is -1"},
    {"batchnorm_dx", "2x3x4x5 2x3x4x5 - 5 5 5", "", "2x3x4x5 5 5 -", NULL},
    {"batchnorm_dx", "2x3x4x5 2x3x4x5 - 5 5 5 5", "fuse=1", "2x3x4x5 5 5 -", NULL},
    {"batchnorm_dx", "2x3x4x5 2x3x4x5 2x3x4x5 5 5 5", "fuse=2", "2x3x4x5 5 5 2x3x4x5", NULL},
    {"batchnorm_dx", "2x3x4x5 2x3x4x5 - 5 5 5", "fuse=2", NULL, "the input y is missing"},
    {"batchnorm_dx", "2x3x4x5 2x3x4x5 - 5 5 5", "fuse=1", NULL, "the input beta is missing"},
    {"batchnorm_dx", "2x3x4x5 2x3x4x5 2x3x4x5 5 5 5 5", "fuse=1", NULL, "y was given, but fuse is not add_relu"},
    {"batchnorm_dx", "2x3x4x5 2x3x4x5 2x3x4x5 5 5 5 5", "fuse=2", NULL, "beta was given, but fuse is not relu"},
    {"batchnorm_dx", "2x3x4x5 2x3x4x5 - 5 5 5 6", "fuse=1", NULL, "beta is float32 6, expected float32 5"},
    {"layernorm", "2x3x4x5 5 5", "", "2x3x4x5 24 24", NULL},
    {"layernorm", "7x5 5 5", "", "7x5 7 7", NULL},
    {"layernorm", "7x5 5 4", "", NULL, "beta is float32 4, expected float32 5 (one for each channel of x)"},
    {"layernorm", "7 5 5", "", NULL, "x is 7, expected 4 dimensions"},
    {"layernorm", "7x5 5 5", "eps=-1", NULL, "eps is -1"},
    {"layernorm_dx", "2x3x4x5 2x3x4x5 5 24 24", "", "2x3x4x5 5 5", NULL},
    {"layernorm_dx", "7x5 7x5 5 7 5", "", NULL, "rstd is float32 5, expected float32 7 (one for each pixel of x)"},
    {"activation", "7x3", "kind=1", "7x3", NULL},
    {"activation", "i7", "", NULL, "x is int32"},
    {"activation_dx", "7x3 7x3", "kind=5", "7x3", NULL},
    {"activation_dx", "7x3 3x7", "", NULL, "x is float32 3×7, expected float32 7×3"},
    {"mul", "2x3x4x5 2x3x4x5", "", "2x3x4x5", NULL},
    {"mul", "2x3x4x5 2x1x1x5", "", "2x3x4x5", NULL},
    {"mul", "2x3x4x5 5", "", "2x3x4x5", NULL},
    {"mul", "7x5 7x5", "", "7x5", NULL},
    {"mul", "7x5 5", "", NULL, "a is 7×5, rows of numbers"},
    {"mul", "2x3x4x5 1x1x1x5", "", NULL, "b is float32 1×1×1×5, expected float32 2×1×1×5"},
    {"mul", "2x3x4x5 4", "", NULL, "b is float32 4, expected float32 5 (one for each channel of a)"},
    {"mul_db", "2x3x4x5 2x3x4x5", "", "5", NULL},
    {"mul_db", "2x3x4x5 2x3x4x5", "images=1", "2x1x1x5", NULL},
    {"mul_db", "7x5 7x5", "", NULL, "dy is 7×5, rows of numbers"},
    {"concat", "2x3x4x5 2x3x4x1 2x3x4x2", "", "2x3x4x8", NULL},
    {"concat", "7x5 7x1", "", "7x6", NULL},
    {"concat", "7x5", "", "7x5", NULL},
    {"concat", "-", "", NULL, "the input x is missing"},
    {"concat", "7x5 -", "", NULL, "the input x is missing"},
    {"concat", "2x1 2x2 2x1 2x1 2x1 2x3 2x1 2x1 2x1 2x1 2x2 2x1 2x1 2x1 2x1 2x1 2x1 2x1", "", "2x22", NULL},
    {"concat", "2x3x4x5 2x3x5x5", "", NULL, "x is float32 2×3×5×5, expected float32 2×3×4×5 (all but the channels"},
    {"concat", "7x5 7", "", NULL, "x is float32 7, expected float32 7×5"},
    {"concat_dx", "2x3x4x5", "from=3 channels=2", "2x3x4x2", NULL},
    {"concat_dx", "2x3x4x5", "from=4 channels=2", NULL, "dy has 5 channels, not 2 from 4 on"},
    {"upsample_nearest", "2x3x4x5", "scale=3", "2x9x12x5", NULL},
    {"upsample_nearest", "2x3x4x5", "scale=0", NULL, "scale is 0"},
    {"upsample_nearest_dx", "2x6x4x5", "scale=2", "2x3x2x5", NULL},
    {"upsample_nearest_dx", "2x6x5x5", "scale=2", NULL, "dy of 6×5 pixels does not consist of squares of 2"},
    {"relu", "7x3", "", "7x3", NULL},
    {"relu", "i7", "", NULL, "x is int32"},
    {"relu_dx", "7x3 7x3", "", "7x3", NULL},
    {"relu_dx", "7x3 3x7", "", NULL, "y is float32 3×7, expected float32 7×3"},
    {"to_float32", "7x3", "", "7x3", NULL},
    {"to_float32", "i7", "", NULL, "x is int32"},
    {"to_bfloat16", "i7", "", NULL, "x is int32"},
    {"normalise", "u7x3x2x3 3x256", "", "7x3x2x3", NULL},
    {"normalise", "7x3x2x3 3x256", "", NULL, "bytes is float32 7×3×2×3, expected uint8 7×3×2×3"},
    {"normalise", "u7x3 3x256", "", NULL, "N×H×W×C bytes"},
    {"normalise", "u7x3x2x3 1x256", "", NULL, "levels is float32 1×256, expected float32 3×256"},
    {"add", "2x3x4x5 2x3x4x5", "relu=1", "2x3x4x5", NULL},
    {"add", "2x3x4x5 2x3x4x1", "", NULL, "b is float32 2×3×4×1, expected float32 2×3×4×5"},
    {"maxpool2d", "2x7x8x3", "kernel=3 stride=2 pad=1", "2x4x4x3 i2x4x4x3", NULL},
    {"maxpool2d", "2x7x8x3", "kernel=3 stride=2 ceil=1", "2x3x4x3 i2x3x4x3", NULL}, /* as PyTorch: */
    {"maxpool2d", "2x7x8x3", "kernel=1 stride=3 ceil=1", "2x3x3x3 i2x3x3x3", NULL}, /* the last begins inside */
    {"maxpool2d", "2x4x5x3", "kernel=2 stride=3 pad=1 ceil=1", "2x2x2x3 i2x2x2x3", NULL},
    {"maxpool2d", "2x2x5x3", "kernel=3 stride=2 ceil=1", "2x1x2x3 i2x1x2x3", NULL},
    {"maxpool2d", "2x1x5x3", "kernel=3 stride=2 ceil=1", NULL, "the window of 3×3 is larger than x"},
    {"maxpool2d", "2x7x8x3", "kernel=3 stride=2 pad=2", NULL, "pad is 2, expected a number from 0 to 1"},
    {"maxpool2d", "2x7x8x3", "kernel=8", NULL, "the window of 8×8 is larger than x 2×7×8×3"},
    {"dropout", "2x7x8x3 i2", "p=0.9", "2x7x8x3", NULL},
    {"dropout", "2x7 2", "", NULL, "key is float32 2, expected int32 2"},
    {"dropout", "2x7 i2", "p=1.001", NULL, "p is 1.001"},
    {"dropout", "2x7 i2", "stream=-1", NULL, "stream is -1"},
    {"maxpool2d", "2x7x8x3", "kernel=0", NULL, "kernel is 0"},
    {"maxpool2d_dx", "2x4x4x3 i2x4x4x3", "kernel=3 stride=2 pad=1 h=7 w=8", "2x7x8x3", NULL},
    {"maxpool2d_dx", "2x4x4x3 2x4x4x3", "kernel=3 stride=2 pad=1 h=7 w=8", NULL,
     "index is float32 2×4×4×3, expected int32"},
    {"avgpool2d", "2x7x8x3", "kernel=2 stride=3", "2x2x3x3", NULL},
    {"avgpool2d_dx", "2x2x3x3", "kernel=2 stride=3 h=7 w=8", "2x7x8x3", NULL},
    {"avgpool2d_dx", "2x2x3x3", "kernel=2 stride=3 h=9 w=8", NULL, "dy is float32 2×2×3×3, expected float32 2×3×3×3"},
    {"adaptive_avgpool2d", "2x7x8x3", "size=5", "2x5x5x3", NULL},
    {"adaptive_avgpool2d", "2x7x8x3", "size=0", NULL, "size is 0"},
    {"adaptive_avgpool2d_dx", "2x5x5x3", "size=5 h=7 w=8", "2x7x8x3", NULL},
    {"adaptive_avgpool2d_dx", "2x5x4x3", "size=5 h=7 w=8", NULL, "dy is float32 2×5×4×3, expected float32 2×5×5×3"},
    {"global_avgpool", "2x7x8x3", "", "2x3", NULL},
    {"global_avgpool_dx", "2x3", "h=7 w=8", "2x7x8x3", NULL},
    {"linear", "4x12 2x2x3x5 5", "", "4x5", NULL},
    {"linear", "4x13 2x2x3x5 5", "", NULL, "linear: x 4×13 has 13 features, w 2×2×3×5 expects 12."},
    {"linear", "4x2x2x3 2x2x3x5 5", "", NULL, "x is 4×2×2×3, expected 2 dimensions"},
    {"linear", "4x12 2x2x3x5 4", "", NULL, "b is float32 4, expected float32 5"},
    {"linear_dx", "4x5 2x2x3x5", "", "4x12", NULL},
    {"linear_dx", "4x4 2x2x3x5", "", NULL, "dy is float32 4×4, expected float32 4×5"},
    {"linear_dw", "4x12 4x5", "r=2 s=3", "2x3x2x5 5", NULL},
    {"linear_dw", "4x12 4x5", "r=5 s=1", NULL, "x 4×12 cannot be a flattened map of 5×1"},
    {"linear_dw", "4x12 3x5", "", NULL, "dy is float32 3×5, expected float32 4×5"},
    {"flatten", "2x3x4x5", "", "2x60", NULL},
    {"flatten", "2x60", "", "2x60", NULL},
    {"flatten", "2x60", "h=3 w=4 c=5", "2x3x4x5", NULL},
    {"flatten", "2x60", "h=3 w=4 c=6", NULL, "x 2×60 cannot become N×3×4×6"},
    {"flatten", "2x60", "h=3", NULL, "w is 0"},
    {"transpose", "2x60", "rows=12 columns=5", "2x60", NULL},
    {"transpose", "2x60", "rows=12 columns=6", NULL, "the features of x 2×60 are no matrix of 12×6"},
    {"transpose", "2x3x4x5", "rows=12 columns=5", NULL, "2×3×4×5"},
    {"transpose", "2x60", "rows=0 columns=5", NULL, "rows is 0"},
    {"softmax_cross_entropy", "7x10 i7", "", "1", NULL},
    {"softmax_cross_entropy", "7x10 i6", "", NULL, "labels is int32 6, expected int32 7"},
    {"softmax_cross_entropy", "7x10 7", "", NULL, "labels is float32 7, expected int32 7"},
    {"softmax_cross_entropy", "7x10 i7", "label_smoothing=1.5", NULL, "label_smoothing is 1.5"},
    {"softmax_cross_entropy", "7x10 i7 i7 7", "", "1", NULL},
    {"softmax_cross_entropy", "7x10 i7 i6 7", "", NULL, "other is int32 6, expected int32 7"},
    {"softmax_cross_entropy", "7x10 i7 i7 -", "", NULL, "lambda"},
    {"softmax_cross_entropy", "7x10 i7 - 7", "", NULL, "there are no other labels"},
    {"softmax_cross_entropy_dx", "7x10 i7 - i7 7", "", "7x10", NULL},
    {"softmax_cross_entropy_dx", "7x10 i7 - i7 6", "", NULL, "lambda is float32 6, expected float32 7"},
    {"softmax_cross_entropy_dx", "7x10 i7 -", "", "7x10", NULL},
    {"softmax_cross_entropy_dx", "7x10 i7 1", "", "7x10", NULL},
    {"softmax_cross_entropy_dx", "7x10 i7 7", "", NULL, "dloss is float32 7, expected float32 1"},
    {"resize_bilinear", "2x7x8x3", "out_h=14 out_w=5", "2x14x5x3", NULL},
    {"resize_bilinear", "2x7x8x3", "", NULL, "out_h is 0"},
    {"clip_norm", "9", "", "1", NULL},
    {"clip_norm", "9", "max_norm=-1", NULL, "max_norm is -1"},
    {"sum_parts", "5x27x4 - 1x2x3", "", "27x4 - 2x3 - - - - -", NULL},
    {"sum_parts", "5x27x4 27x4", "", NULL, "parts_2 is 27×4, expected 3 dimensions"},
    {"axpby", "9 9 2", "", "9", NULL},
    {"axpby", "9 8 2", "", NULL, "x is float32 8, expected float32 9"},
    {"axpby", "9 9 1", "", NULL, "w is float32 1, expected float32 2"},
    {"all_finite", "9 1 1", "sticky=1", "1", NULL},
    {"all_finite", "9 2 1", "", NULL, "loss is float32 2, expected float32 1"},
    {"all_finite", "9 1 2", "", NULL, "broken is float32 2, expected float32 1"},
    {"commit", "9 9 1", "", "9 9", NULL},
    {"commit", "9 8 1", "", NULL, "x is float32 8, expected float32 9"},
    {"sgd", "9 9 - 4 - - - 2", "", NULL, "broken is float32 2, expected float32 1"},
    {"sgd", "9 9 - 4", "", "9 -", NULL},
    {"sgd", "129 129 - 4 2x2 1 129", "", "129 - 129", NULL},
    {"sgd", "129 129 - 4 1x2", "", NULL, "factors is float32 1×2, expected float32 2×2"},
    {"sgd", "9 9 - 4 - 9", "", NULL, "scale is float32 9, expected float32 1"},
    {"adam", "9 9 9 9 4 - - 8", "", NULL, "average is float32 8, expected float32 9"},
    {"sgd", "9 9 9 4", "momentum=0.9 nesterov=1", "9 9", NULL},
    {"sgd", "9 9 - 4", "momentum=0.9", NULL, "the input m is missing"},
    {"sgd", "9 9 9 4", "", NULL, "m was given, but momentum is 0"},
    {"sgd", "9 9 - 4", "nesterov=1", NULL, "nesterov needs a momentum above 0"},
    {"sgd", "9 9 - 3", "", NULL, "hyper is float32 3, expected float32 4"},
    {"sgd", "9 9 - 4", "weight_decay=-1", NULL, "weight_decay is -1"},
    {"adam", "9 9 9 9 4", "", "9 9 9", NULL},
    {"adam", "9 9 9 8 4", "", NULL, "v is float32 8, expected float32 9"},
    {"adam", "9 9 9 9 4", "beta1=1", NULL, "beta1 is 1"},
    {"adamw", "9 9 9 9 4", "", "9 9 9", NULL},
    {"lion", "9 9 9 4", "", "9 9", NULL},
    {"lion", "9 9 - 4", "", NULL, "the input m is missing"},
    {"lion", "9 9 9 4", "beta1=1.1", NULL, "beta1 is 1.1"},
    {"adamw", "9 9 9 9 4", "beta2=-0.1", NULL, "beta2 is -0.1"},
};

START_TEST(shapes_and_errors) {
  struct skp_sig sig;
  op_case(&sig, shapes[_i].op, shapes[_i].in, shapes[_i].attrs);
  if (shapes[_i].error) {
    ck_fails(skp__op_infer(&sig), SKP_SHAPE, shapes[_i].error);
    skp__sig_free(&sig);
    return;
  }
  ck_ok(skp__op_infer(&sig));
  const char *want = shapes[_i].out;
  char word[64];
  for (int i = 0; i < sig.n_out; i++) {
    struct skp_shape expected = {0};
    if (next_word(word, &want)) expected = shape_of(word);
    ck_assert_msg(skp__shape_equal(&sig.out[i], &expected), "%s: output %d", shapes[_i].op, i);
  }
  ck_assert_msg(!next_word(word, &want), "%s has fewer outputs", shapes[_i].op);
  skp__sig_free(&sig);
}
END_TEST

/* ---- the table --------------------------------------------------------------------------------------------------- */

static int slots(const struct skp_slot *slot, int size) {
  int n = 0;
  while (n < size && slot[n].name) n++;
  return n;
}

START_TEST(table_rows) {
  const struct skp_op *op = skp__op((skp_op_id)_i);
  ck_assert_int_eq(skp__op_id(op), _i);
  ck_assert_ptr_eq(skp__op_by_name(op->name), op);
  ck_assert_int_eq(slots(op->in, SKP_MAX_IN), op->n_in);
  ck_assert_int_eq(slots(op->out, SKP_MAX_OUT), op->n_out);
  ck_assert_ptr_nonnull(op->infer);
  for (int i = 0; i < op->n_out; i++) ck_assert_int_le(op->alias[i], op->n_in);
  for (int i = 0; i < op->n_in - 1; i++) ck_assert_msg(!(op->in[i].flags & SKP_VARIADIC), "%s", op->name);
  bool tested = false;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) tested = tested || !strcmp(shapes[i].op, op->name);
  ck_assert_msg(tested, "no shapes of %s are tested", op->name);
}
END_TEST

START_TEST(table_lookups) {
  ck_assert_ptr_null(skp__op_by_name("conv3d"));
  ck_assert_ptr_null(skp__op_by_name(""));
  ck_assert_str_eq(skp__op(SKP_OP_conv2d)->name, "conv2d");
  ck_assert_int_eq(skp__op_id(NULL), SKP_OP_COUNT);
}
END_TEST

START_TEST(attributes_by_name) {
  const struct skp_op *op = skp__op((skp_op_id)_i);
  union skp_attrs attrs;
  memset(&attrs, 0xff, sizeof attrs);
  skp__attrs_default(op, &attrs);
  for (const struct skp_attr *a = op->attrs; a && a->name; a++) {
    ck_assert_double_eq_tol(skp__attr_get(a, &attrs), a->fallback, 1e-7);
    ck_ok(skp__attrs_set(op, &attrs, a->name, 1));
    ck_assert_double_eq(skp__attr_get(a, &attrs), 1);
    ck_assert(a->kind != SKP_ATTR_CHOICE || a->choices);
  }
  ck_fails(skp__attrs_set(op, &attrs, "colour", 1), SKP_USAGE, op->attrs ? op->attrs->name : "none");
  ck_fails(skp__attrs_set(op, &attrs, "colour", 1), SKP_USAGE, "has no attribute 'colour'");
}
END_TEST

static const struct {
  const char *op, *name;
  double value;
  const char *error;
} bad_attrs[] = {
    {"conv2d", "stride", 1.5, "conv2d: stride is 1.5, expected a whole number"},
    {"conv2d", "stride", 1e10, "a whole number"},
    {"conv2d", "stride", NAN, "a whole number"},
    {"conv2d", "h", 1, "it has stride, pad, dilation, groups"},
    {"batchnorm", "training", 2, "true or false"},
    {"batchnorm", "eps", INFINITY, "a finite number"},
    {"batchnorm", "eps", 1e300, "a finite number"},
    {"batchnorm", "fuse", 3, "none, relu, add_relu"},
    {"batchnorm", "fuse", -1, "none, relu, add_relu"},
    {"batchnorm", "fuse", 0.5, "none, relu, add_relu"},
};

START_TEST(attributes_out_of_kind) {
  const struct skp_op *op = skp__op_by_name(bad_attrs[_i].op);
  union skp_attrs attrs, before;
  skp__attrs_default(op, &attrs);
  before = attrs;
  ck_fails(skp__attrs_set(op, &attrs, bad_attrs[_i].name, bad_attrs[_i].value), SKP_USAGE, bad_attrs[_i].error);
  ck_assert_mem_eq(&attrs, &before, sizeof attrs);
}
END_TEST

/* ---- cost -------------------------------------------------------------------------------------------------------- */

static const struct {
  const char *op, *in, *attrs;
  double flops, bytes;
} costs[] = {
    {"conv2d", "2x4x4x3 3x3x3x8 -", "pad=1", 2. * 2 * 16 * 8 * 27, 4. * (96 + 216 + 256)},
    {"conv2d", "2x4x4x3 3x3x3x8 8", "pad=1", 2. * 2 * 16 * 8 * 27 + 256, 4. * (96 + 216 + 8 + 256)},
    {"conv2d", "1x4x4x4 1x1x2x4 -", "groups=2", 2. * 16 * 4 * 2, 4. * (64 + 8 + 64)},
    {"conv2d_dx", "2x4x4x8 3x3x3x8", "pad=1 h=4 w=4", 2. * 2 * 16 * 8 * 27, 4. * (96 + 216 + 256)},
    {"conv2d_dw", "2x4x4x3 2x4x4x8", "pad=1 h=3 w=3", 2. * 2 * 16 * 8 * 27 + 256, 4. * (96 + 216 + 8 + 256)},
    {"conv2d_dw_parts", "2x4x4x3 2x4x4x8", "pad=1 h=3 w=3 parts=4", 2. * 2 * 16 * 8 * 27, 4. * (96 + 4 * 216 + 256)},
    {"sum_parts", "5x27x4 1x2x3", "", 540 + 6, 4. * (540 + 108 + 6 + 6)},
    {"linear", "7x12 2x2x3x5 5", "", 7. * 5 * 25, 4. * (84 + 60 + 5 + 35)},
    {"linear_dx", "7x5 2x2x3x5", "", 7. * 5 * 24, 4. * (84 + 60 + 35)},
    {"linear_dw", "7x12 7x5", "", 7. * 5 * 25, 4. * (84 + 60 + 5 + 35)},
    {"relu", "7x3", "", 21, 8 * 21},
    {"add", "7x3 7x3", "relu=1", 42, 12 * 21},
    {"global_avgpool", "2x3x4x5", "", 120, 4. * 130},
    {"maxpool2d", "1x4x4x1", "", 16, 4. * (16 + 4 + 4)},
    {"mul_db", "2x3x4x5 2x3x4x5", "", 240, 4. * 245},
    {"concat", "7x3 7x2", "", 0, 8 * 35},
    {"concat_dx", "7x5", "channels=2", 0, 8 * 14},
    {"flatten", "2x3x4x5", "", 0, 0},
    {"transpose", "2x60", "rows=12 columns=5", 120, 4. * 240},
};

START_TEST(cost) {
  struct skp_sig sig;
  op_case(&sig, costs[_i].op, costs[_i].in, costs[_i].attrs);
  ck_ok(skp__op_infer(&sig));
  ck_assert_double_eq(skp__op_flops(&sig), costs[_i].flops);
  ck_assert_double_eq(skp__op_bytes(&sig), costs[_i].bytes);
  skp__sig_free(&sig);
}
END_TEST

/* ---- shapes as such ---------------------------------------------------------------------------------------------- */

START_TEST(shape_helpers) {
  char text[100], small[4];
  struct skp_shape s = skp__shape4(64, 28, 28, 4), absent = {0}, ints = skp__shape(SKP_I32, 1, (int64_t[]){64});
  ck_assert_str_eq(skp__shape_text(text, sizeof text, &s), "64×28×28×4");
  ck_assert_str_eq(skp__shape_text(text, sizeof text, &absent), "absent");
  ck_assert_uint_lt(strlen(skp__shape_text(small, sizeof small, &s)), sizeof small);
  ck_assert_int_eq(skp__shape_count(&s), 64 * 28 * 28 * 4);
  ck_assert_int_eq(skp__shape_count(&absent), 0);
  struct skp_shape one = skp__shape1(64), two = skp__shape2(64, 1);
  ck_assert(skp__shape_equal(&one, &one));
  ck_assert(!skp__shape_equal(&one, &ints));
  ck_assert(!skp__shape_equal(&one, &two));
}
END_TEST

START_TEST(window_extents) {
  for (int in = 1; in < 12; in++)
    for (int kernel = 1; kernel < 5; kernel++)
      for (int stride = 1; stride < 4; stride++)
        for (int pad = 0; pad < 3; pad++)
          for (int dilation = 1; dilation < 4; dilation++) {
            int windows = 0; /* counted one by one */
            for (int at = -pad; at + dilation * (kernel - 1) < in + pad; at += stride) windows++;
            ck_assert_int_eq(skp__window_extent(in, kernel, stride, pad, dilation), windows);
          }
}
END_TEST

#define COUNT(table) (int)(sizeof table / sizeof *table)

int main(void) {
  Suite *suite = suite_create("ops");
  TCase *tc = tcase_create("ops");
  tcase_add_loop_test(tc, shapes_and_errors, 0, COUNT(shapes));
  tcase_add_loop_test(tc, table_rows, 0, SKP_OP_COUNT);
  tcase_add_test(tc, table_lookups);
  tcase_add_loop_test(tc, attributes_by_name, 0, SKP_OP_COUNT);
  tcase_add_loop_test(tc, attributes_out_of_kind, 0, COUNT(bad_attrs));
  tcase_add_loop_test(tc, cost, 0, COUNT(costs));
  tcase_add_test(tc, shape_helpers);
  tcase_add_test(tc, window_extents);
  suite_add_tcase(suite, tc);
  return skp__test_main(suite);
}
