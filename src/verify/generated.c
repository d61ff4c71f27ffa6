/* generated.c: cases with random inputs, so that a device can be tested without reference files.
 * SPDX-License-Identifier: MIT
 *
 * The plain C of the ops says what is right. Shapes are small and awkward: odd extents, single pixels, channel counts
 * around the widths of vectors and tiles, windows that leave a rest. */
#include "base/bf16.h"
#include "base/random.h"
#include "verify/case.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One line a case. Inputs "NAME=EXTENTxEXTENT…", attributes "NAME=VALUE"; "dy" stands for a gradient of the shape of
 * output 0; without it there is none. "nan": the first input has a number that is none; "set": the last one is 1, not
 * 0. The first of an op's lines that are marked make the quick set; those marked
 * 2 are there for one method, and in the quick set by the first that takes them alone, as they are large for others. */
static const struct row {
  int quick;
  const char *op, *inputs, *attrs;
} rows[] = {
    {1, "conv2d", "x=2x3x6x5 w=3x3x5x7 b=7 dy", "pad=1"},
    {2, "conv2d", "x=2x4x5x8 w=3x3x8x16 b=16 dy", "pad=1"},
    {1, "conv2d", "x=3x4x5x4 w=1x1x4x12 dy", ""},
    {2, "conv2d", "x=3x7x7x14 w=1x1x14x18 b=18 dy", ""},
    {1, "conv2d", "x=1x6x7x3 w=7x7x3x8 dy", "stride=2 pad=3"},
    {1, "conv2d", "x=2x5x6x8 w=3x3x4x6 b=6 dy", "stride=2 pad=1 groups=2"},
    {2, "conv2d", "x=1x5x7x16 w=3x3x16x32 b=32 dy", "pad=1"},
    {2, "conv2d", "x=2x3x6x32 w=3x3x32x16 dy", "pad=1"},
    {0, "conv2d", "x=2x9x9x5 w=3x3x5x7 b=7 dy", "pad=1"},
    {0, "conv2d", "x=1x28x28x1 w=3x3x1x4 b=4 dy", "pad=1"},
    {0, "conv2d", "x=2x13x12x16 w=3x3x16x32 dy", "pad=2 dilation=2"},
    {0, "conv2d", "x=2x7x9x6 w=3x3x1x6 dy", "pad=1 groups=6"},
    {0, "conv2d", "x=1x16x16x64 w=3x3x64x64 dy", "pad=1"},
    {0, "conv2d", "x=5x7x7x32 w=1x1x32x65 b=65 dy", "stride=2"},
    {0, "conv2d", "x=4x1x1x3 w=1x1x3x1 b=1 dy", ""},
    {0, "conv2d", "x=1x6x5x2 w=5x5x2x3 dy", "pad=4 stride=3"},
    {0, "conv2d", "x=4x1x14x4 w=1x1x4x15 b=15 dy", "stride=3"},
    {0, "conv2d", "x=2x5x5x192 w=3x3x192x160 b=160 dy", "pad=1"},
    {0, "conv2d", "x=13x3x3x160 w=3x3x160x192 dy", "pad=1"},
    {1, "conv2d", "x=2x3x5x16 w=3x3x1x16 b=16 dy", "pad=1 groups=16"},
    {1, "conv2d", "x=1x6x7x8 w=5x5x1x8 dy", "stride=2 pad=2 groups=8"},
    {0, "conv2d", "x=2x11x12x24 w=5x5x1x24 dy", "stride=2 pad=2 groups=24"},
    {0, "conv2d", "x=1x7x7x33 w=7x7x1x33 b=33 dy", "pad=3 groups=33"},
    {0, "conv2d", "x=3x2x2x8 w=3x3x1x8 dy", "stride=3 pad=1 groups=8"},
    {0, "conv2d", "x=1x9x10x4 w=3x2x1x4 b=4 dy", "dilation=2 pad=2 groups=4"},
    {1, "batchnorm", "x=4x5x6x7 gamma=7 beta=7 running_mean=7 running_var=7 dy", "training=1"},
    {1, "batchnorm", "x=4x5x6x16 gamma=16 beta=16 running_mean=16 running_var=16 dy", "training=1 fuse=relu"},
    {1, "batchnorm", "x=2x5x6x7 gamma=7 beta=7 residual=2x5x6x7 running_mean=7 running_var=7 dy",
     "training=1 fuse=add_relu"},
    {1, "batchnorm", "x=4x5x6x7 gamma=7 beta=7 running_mean=7 running_var=7 dy", "training=0 fuse=relu"},
    {0, "batchnorm", "x=4x5x6x8 gamma=8 beta=8 running_mean=8 running_var=8 dy", "training=0"},
    {0, "batchnorm", "x=2x1x1x3 gamma=3 beta=3 running_mean=3 running_var=3 dy", "training=1"},
    {0, "batchnorm", "x=3x17x19x1 gamma=1 beta=1 running_mean=1 running_var=1 dy", "training=1 fuse=relu"},
    {0, "batchnorm", "x=2x9x9x130 gamma=130 beta=130 residual=2x9x9x130 running_mean=130 running_var=130 dy",
     "training=1 fuse=add_relu"},
    {1, "batchnorm", "x=4x5x7x7 gamma=7 beta=7 running_mean=7 running_var=7 means=2x7 squares=2x7 dy", "training=1"},
    {1, "batchnorm", "x=2x9x9x16 gamma=16 beta=16 running_mean=16 running_var=16 means=2x16 squares=2x16",
     "training=1 fuse=relu"},
    {0, "batchnorm",
     "x=2x9x9x130 gamma=130 beta=130 residual=2x9x9x130 running_mean=130 running_var=130 means=2x130 squares=2x130",
     "training=1 fuse=add_relu"},
    {0, "batchnorm", "x=2x66x63x1 gamma=1 beta=1 running_mean=1 running_var=1 means=65x1 squares=65x1", "training=1"},
    {0, "batchnorm", "x=1x3x2x64 gamma=64 beta=64 running_mean=64 running_var=64 means=1x64 squares=1x64",
     "training=1"},
    {1, "layernorm", "x=2x5x6x7 gamma=7 beta=7 dy", ""},
    {1, "layernorm", "x=3x4x5x32 gamma=32 beta=32 dy", "eps=1e-6"},
    {0, "layernorm", "x=9x130 gamma=130 beta=130 dy", ""},
    {0, "layernorm", "x=2x15x17x24 gamma=24 beta=24 dy", ""},
    {1, "relu", "x=3x5x7x9 dy", ""},
    {0, "relu", "x=1x1x1x1 dy", ""},
    {1, "add", "a=3x5x7x9 b=3x5x7x9 dy", ""},
    {1, "add_relu", "a=3x5x7x9 b=3x5x7x9 dy", ""},
    {1, "sigmoid", "x=3x5x7x9 dy", ""},
    {1, "silu", "x=3x5x7x9 dy", ""},
    {1, "relu6", "x=3x5x7x9 dy", ""},
    {1, "hardsigmoid", "x=3x5x7x9 dy", ""},
    {1, "hardswish", "x=3x5x7x9 dy", ""},
    {1, "gelu", "x=3x5x7x9 dy", ""},
    {1, "tanh", "x=3x5x7x9 dy", ""},
    {0, "silu", "x=1x1 dy", ""},
    {1, "mul", "a=3x5x7x9 b=3x5x7x9 dy", ""},
    {1, "mul", "a=3x5x7x16 b=3x1x1x16 dy", ""},
    {1, "mul", "a=3x5x7x9 b=9 dy", ""},
    {0, "mul", "a=2x33x31x6 b=6 dy", ""},
    {0, "mul", "a=2x33x31x5 b=2x1x1x5 dy", ""},
    {0, "mul", "a=5x7 b=5x7 dy", ""},
    {1, "concat", "x=2x5x3x4 x=2x5x3x7 dy", ""},
    {0, "concat", "x=2x5x3x16 x=2x5x3x1 x=2x5x3x8 x=2x5x3x2 x=2x5x3x3 x=2x5x3x4 x=2x5x3x5 x=2x5x3x16 dy", ""},
    {0, "concat", "x=3x1 x=3x2 x=3x4 x=3x1 x=3x1 x=3x1 x=3x8 x=3x1 x=3x1 x=3x1 x=3x1 x=3x1 x=3x1 x=3x1 x=3x1 x=3x3 dy",
     ""},
    {0, "concat", "x=7x3 x=7x5 x=7x2 dy", ""},
    {0, "concat", "x=7x3 dy", ""},
    {1, "dropout", "x=3x5x7x9 key=2 dy", "p=0.3 stream=2"},
    {1, "dropout", "x=9x5x3x4 key=2 dy", "p=0.4 stream=1 images=1"},
    {0, "dropout", "x=3x1x1x1 key=2 dy", "p=0.4 images=1"},
    {0, "dropout", "x=5x8x5x16 key=2 dy", "p=0.4 images=1"},
    {0, "dropout", "x=1x1 key=2 dy", ""},
    {0, "dropout", "x=3x5x7x9 key=2 dy", "p=1"},
    {0, "dropout", "x=3x5x7x9 key=2 dy", "p=1 images=1"},
    {1, "maxpool2d", "x=2x9x8x5 dy", "kernel=3 stride=2 pad=1"},
    {0, "maxpool2d", "x=2x8x8x16 dy", "kernel=2 stride=2"},
    {0, "maxpool2d", "x=1x7x7x3 dy", "kernel=3 stride=1"},
    {1, "maxpool2d", "x=2x9x8x5 dy", "kernel=3 stride=2 ceil=1"},
    {0, "maxpool2d", "x=2x2x7x4 dy", "kernel=3 stride=3 pad=1 ceil=1"},
    {1, "avgpool2d", "x=2x9x8x5 dy", "kernel=3 stride=2 pad=1 count_include_pad=0"},
    {0, "avgpool2d", "x=2x8x8x16 dy", "kernel=2 stride=2"},
    {0, "avgpool2d", "x=1x7x7x3 dy", "kernel=3 stride=3 pad=1 count_include_pad=1"},
    {1, "adaptive_avgpool2d", "x=2x9x8x6 dy", "size=4"},
    {0, "adaptive_avgpool2d", "x=2x3x1x5 dy", "size=7"},
    {0, "adaptive_avgpool2d", "x=1x14x7x16 dy", "size=7"},
    {1, "global_avgpool", "x=3x7x5x9 dy", ""},
    {0, "global_avgpool", "x=2x1x1x64 dy", ""},
    {1, "upsample_nearest", "x=2x3x5x6 dy", "scale=2"},
    {0, "upsample_nearest", "x=1x4x3x7 dy", "scale=3"},
    {0, "upsample_nearest", "x=2x3x3x16 dy", "scale=1"},
    {1, "linear", "x=7x33 w=1x1x33x10 b=10 dy", ""},
    {1, "linear", "x=16x48 w=4x4x3x17 dy", ""},
    {2, "linear", "x=1x127 w=1x1x127x130 b=130 dy", ""},
    {0, "linear", "x=7x899 w=1x1x899x904 b=904 dy", ""},
    {0, "linear", "x=37x260 w=1x1x260x272 b=272 dy", ""},
    {0, "linear", "x=1x517 w=1x1x517x1000 dy", ""},
    {0, "linear", "x=128x784 w=28x28x1x10 b=10 dy", ""},
    {0, "linear", "x=1x5 w=1x1x5x1 b=1 dy", ""},
    {1, "transpose", "x=5x42 dy", "rows=6 columns=7"},
    {0, "transpose", "x=3x1001 dy", "rows=1 columns=1001"},
    {0, "transpose", "x=33x528 dy", "rows=16 columns=33"},
    {1, "to_float32", "x=3x5x7x9", ""},
    {1, "to_bfloat16", "x=3x5x7x9", ""},
    {1, "normalise", "bytes=3x5x7x3 levels=3x256", ""},
    {1, "normalise", "bytes=3x5x7x1 levels=1x256", ""},
    {1, "normalise", "bytes=2x9x5x4 levels=4x256", "narrow=1"},
    {0, "normalise", "bytes=1x1x1x3 levels=3x256", ""},
    {1, "softmax_cross_entropy", "x=9x10 labels=9", ""},
    {1, "softmax_cross_entropy", "x=9x10 labels=9", "label_smoothing=0.1"},
    {0, "softmax_cross_entropy", "x=130x100 labels=130", ""},
    {0, "softmax_cross_entropy_dx", "x=9x10 labels=9 dloss=1", "label_smoothing=0.1"},
    {1, "softmax_cross_entropy", "x=9x10 labels=9 other=9 lambda=9", "label_smoothing=0.1"},
    {0, "softmax_cross_entropy_dx", "x=130x100 labels=130 dloss=1 other=130 lambda=130", ""},
    {1, "resize_bilinear", "x=2x12x10x3", "out_h=7 out_w=5"},
    {0, "resize_bilinear", "x=2x7x5x1", "out_h=16 out_w=9"},
    {1, "clip_norm", "g=5003", "max_norm=1"},
    {0, "clip_norm", "g=3", "max_norm=100"},
    {0, "clip_norm", "g=4096", "max_norm=0.5"},
    {1, "axpby", "y=257 x=257 w=2", ""},
    {0, "axpby", "y=1 x=1 w=2", ""},
    {1, "all_finite", "g=5003 loss=1 broken=1", ""},
    {1, "all_finite", "g=5003 loss=1 broken=1 nan", ""},
    {0, "all_finite", "g=3 loss=1 broken=1 nan", ""},
    {0, "all_finite", "g=3 loss=1 broken=1 set", ""},
    {0, "all_finite", "g=3 loss=1 broken=1", "sticky=1"},
    {0, "all_finite", "g=4096 loss=1 broken=1 set", "sticky=1"},
    {0, "all_finite", "g=70000 loss=1 broken=1 nan", "sticky=1"},
    {1, "commit", "y=257 x=257 broken=1", ""},
    {1, "commit", "y=257 x=257 broken=1 set", ""},
    {0, "commit", "y=1 x=1 broken=1", ""},
    {1, "sgd", "p=257 g=257 hyper=4", ""},
    {1, "sgd", "p=257 g=257 m=257 hyper=4", "momentum=0.9 weight_decay=0.01 nesterov=1"},
    {0, "sgd", "p=4096 g=4096 m=4096 hyper=4", "momentum=0.9"},
    {1, "sgd", "p=257 g=257 m=257 hyper=4 factors=3x2 scale=1 average=257 broken=1", "momentum=0.9 weight_decay=0.01"},
    {1, "adam", "p=257 g=257 m=257 v=257 hyper=4", "weight_decay=0.01"},
    {1, "adamw", "p=257 g=257 m=257 v=257 hyper=4", "weight_decay=0.01"},
    {1, "lion", "p=257 g=257 m=257 hyper=4", "weight_decay=0.01"},
    {0, "lion", "p=257 g=257 m=257 hyper=4 factors=3x2 scale=1 average=257 broken=1", "beta2=0.9"},
    {0, "adam", "p=257 g=257 m=257 v=257 hyper=4 factors=3x2 scale=1 average=257 broken=1", "weight_decay=0.01"},
    {0, "adamw", "p=257 g=257 m=257 v=257 hyper=4 factors=3x2 scale=1 average=257 broken=1", "weight_decay=0.01"},
    {1, "sgd", "p=257 g=257 m=257 hyper=4 average=257 broken=1 set", "momentum=0.9"},
    {0, "lion", "p=257 g=257 m=257 hyper=4 broken=1 set", ""},
    {0, "adam", "p=257 g=257 m=257 v=257 hyper=4 average=257 broken=1 set", ""},
    {0, "adamw", "p=257 g=257 m=257 v=257 hyper=4 broken=1 set", ""},
    {1, "conv2d", "x=2x3x6x5 w=3x3x5x7 b=7 scale=7 residual=2x3x6x7", "pad=1 relu=1"},
    {2, "conv2d", "x=1x3x5x16 w=3x3x16x32 b=32 residual=1x3x5x32 dy", "pad=1 relu=1"},
    {1, "conv2d", "x=2x5x4x16 w=3x3x1x16 b=16 scale=16 residual=2x3x2x16", "pad=1 stride=2 groups=16 relu=1"},
    {0, "conv2d", "x=2x7x7x32 w=1x1x32x65 scale=65 residual=2x7x7x65", ""},
    {0, "conv2d", "x=3x8x7x4 w=1x1x4x12 b=12 scale=12 residual=3x8x7x12", "relu=1"},
    {0, "conv2d", "x=2x10x10x8 w=3x3x4x6 b=6 residual=2x5x5x6 dy", "stride=2 pad=1 groups=2"},
    {0, "conv2d", "x=2x6x9x4 w=3x3x4x1 b=1 scale=1 residual=2x6x9x1", "pad=1 relu=1"},
    {0, "conv2d", "x=2x6x6x192 w=3x3x192x160 b=160 scale=160 residual=2x6x6x160", "pad=1 relu=1"},
    {0, "conv2d", "x=1x12x13x64 w=3x3x64x48 b=48 scale=48 residual=1x12x13x48", "pad=1 relu=1"},
    {0, "conv2d", "x=1x3x3x512 w=3x3x512x8 scale=8 residual=1x1x1x8", "relu=1"},
    {1, "conv2d", "x=2x9x9x5 w=3x3x5x7 b=7 dy", "pad=1 statistics=1"},
    {1, "conv2d", "x=3x7x7x16 w=1x1x16x20 scale=20 residual=3x7x7x20", "relu=1 statistics=1"},
    {1, "conv2d", "x=2x11x12x24 w=5x5x1x24 b=24", "pad=2 groups=24 statistics=1"},
    {0, "conv2d", "x=2x16x17x16 w=1x1x16x132 b=132", "statistics=1"},
    {0, "conv2d", "x=1x24x25x8 w=1x1x8x256", "statistics=1"},
    {0, "conv2d", "x=5x17x16x8 w=3x3x4x24 dy", "stride=2 pad=1 groups=2 statistics=1"},
    {0, "conv2d", "x=1x4x4x520 w=3x3x520x36", "pad=1 statistics=1"},
    {0, "conv2d", "x=2x9x10x300 w=3x3x300x50 b=50 residual=2x9x10x50", "pad=1 relu=1 statistics=1"},
    {0, "conv2d", "x=2x16x16x3 w=3x3x3x1", "pad=1 statistics=1"},
    {0, "conv2d", "x=3x8x16x32 w=1x1x32x32", "statistics=1"},
    {1, "conv2d_dx", "dy=2x3x4x7 w=3x3x5x7 residual=2x5x7x5", "h=5 w=7 stride=2 pad=1"},
    {2, "conv2d_dx", "dy=1x3x5x32 w=3x3x16x32 residual=1x3x5x16", "h=3 w=5 pad=1"},
    {0, "conv2d_dx", "dy=2x4x4x32 w=1x1x16x32 residual=2x8x8x16", "h=8 w=8 stride=2"},
    {0, "conv2d_dx", "dy=2x5x5x192 w=3x3x160x192 residual=2x5x5x160", "h=5 w=5 pad=1"},
    {0, "conv2d_dx", "dy=2x4x4x8 w=3x3x4x8 residual=2x8x8x4", "h=8 w=8 pad=1 stride=2"},
    {0, "conv2d_dx", "dy=2x5x4x16 w=3x3x1x16 residual=2x9x8x16", "h=9 w=8 pad=1 stride=2 groups=16"},
    {0, "conv2d_dx", "dy=2x7x5x6 w=1x1x9x6 residual=2x7x5x9", "h=7 w=5"},
    {1, "conv2d_dx", "dy=2x3x4x7 w=3x3x5x7 residual=2x5x7x5 mask=2x5x7x5", "h=5 w=7 stride=2 pad=1 relu=1"},
    {1, "conv2d_dx", "dy=2x5x4x16 w=3x3x1x16 mask=2x9x8x16", "h=9 w=8 pad=1 stride=2 groups=16 relu=1"},
    {2, "conv2d_dx", "dy=1x3x5x32 w=3x3x16x32 mask=1x3x5x16", "h=3 w=5 pad=1 relu=1"},
    {0, "conv2d_dx", "dy=2x4x4x32 w=1x1x16x32 mask=2x8x8x16", "h=8 w=8 stride=2 relu=1"},
    {0, "conv2d_dx", "dy=2x5x5x192 w=3x3x160x192 residual=2x5x5x160 mask=2x5x5x160", "h=5 w=5 pad=1 relu=1"},
    {0, "conv2d_dx", "dy=2x4x4x8 w=3x3x4x8 residual=2x8x8x4 mask=2x8x8x4", "h=8 w=8 pad=1 stride=2 relu=1"},
    {0, "conv2d_dx", "dy=2x8x8x4 w=3x3x1x4 residual=2x8x8x1 mask=2x8x8x1", "h=8 w=8 pad=1 relu=1"},
    {0, "conv2d_dx", "dy=2x7x5x6 w=1x1x9x6 mask=2x7x5x9", "h=7 w=5 relu=1"},
    {1, "conv2d_dw_parts", "x=2x5x6x3 dy=2x3x3x4", "stride=2 pad=1 h=3 w=3 parts=4"},
    {1, "conv2d_dw_parts", "x=3x4x5x8 dy=3x4x5x8", "pad=1 groups=2 h=3 w=3 parts=7"},
    {0, "conv2d_dw_parts", "x=2x3x4x5 dy=2x3x4x7", "h=1 w=1 parts=1"},
    {0, "conv2d_dw_parts", "x=1x3x3x5 dy=1x3x3x2", "pad=1 h=3 w=3 parts=12"},
    {0, "conv2d_dw_parts", "x=2x12x11x64 dy=2x12x11x160", "pad=1 h=3 w=3 parts=3"},
    {0, "conv2d_dw_parts", "x=1x7x9x12 dy=1x4x5x20", "stride=2 dilation=2 pad=1 h=2 w=2 parts=2"},
    {1, "sum_parts", "parts_1=9x10x7", ""},
    {1, "sum_parts", "parts_1=2x1x1 parts_2=1x13x5 parts_3=33x2x64", ""},
    {0, "sum_parts",
     "parts_1=3x9x7 parts_2=17x1x3 parts_3=8x2x2 parts_4=1x1x1 parts_5=5x7x7 parts_6=2x64x1 parts_7=7x3x3 "
     "parts_8=4x5x9",
     ""},
    {1, "batchnorm_fold", "gamma=7 beta=7 running_mean=7 running_var=7 b=7", "eps=0.01"},
    {0, "batchnorm_fold", "gamma=130 beta=130 running_mean=130 running_var=130", ""},
};
enum { MOST_INPUTS = 20 }; /* of a row */
static const size_t n_rows = sizeof rows / sizeof *rows;

/* Reads one "NAME=VALUE" or "NAME" of a blank-separated list and moves on; false at its end. */
static bool next_token(const char **list, char name[32], char value[64]) {
  int length = 0;
  name[0] = value[0] = 0;
  if (sscanf(*list, " %31[a-z_0-9]%n=%63s%n", name, &length, value, &length) < 1) return false;
  *list += length;
  return true;
}

/* ---- contents ---------------------------------------------------------------------------------------------------- */

/* What an input is filled with, by its name; all others with numbers of mean 0 and variance 1. */
enum fill { NORMAL, ZERO, POSITIVE, FRACTION, LABELS, HYPER, BITS, BYTES };
static const struct {
  const char *name;
  enum fill fill;
} fills[] = {{"labels", LABELS}, {"other", LABELS},   {"lambda", FRACTION}, {"running_var", POSITIVE},
             {"v", POSITIVE},    {"gamma", POSITIVE}, {"hyper", HYPER},     {"key", BITS},
             {"broken", ZERO},   {"bytes", BYTES},    {"squares", POSITIVE}};

static enum fill fill_of(const char *name) {
  for (size_t i = 0; i < sizeof fills / sizeof *fills; i++)
    if (!strcmp(fills[i].name, name)) return fills[i].fill;
  return NORMAL;
}

/* In place: the halves that are left lie side by side. */
static void narrow(void *data, int64_t count) {
  for (int64_t i = 0; i < count; i++) ((uint16_t *)data)[i] = skp__to_bf16(((const float *)data)[i]);
}

enum { PERIOD = 65521 }; /* values after which normal ones repeat themselves: they take time */

/* Random content; `classes` bounds labels. */
static skp_status make(void **out, enum fill fill, int64_t count, int64_t classes, struct skp__random *r) {
  static const float hyper[SKP_HYPER] = {0.01f, 0.19f, 0.002f, 0.3f}; /* Adam's second step */
  float *f;
  SKP_TRY(skp__alloc(&f, (size_t)count, sizeof *f));
  for (int64_t i = 0; i < count; i++) {
    if (fill == BYTES)
      ((uint8_t *)(void *)f)[i] = (uint8_t)skp__random_next(r);
    else if (fill == BITS)
      ((int32_t *)(void *)f)[i] = (int32_t)(uint32_t)skp__random_next(r);
    else if (fill == LABELS)
      ((int32_t *)(void *)f)[i] = (int32_t)skp__random_below(r, (uint32_t)classes);
    else if (fill == HYPER)
      f[i] = hyper[i % SKP_HYPER];
    else if (fill == POSITIVE)
      f[i] = (float)skp__random_between(r, 0.5, 1.5);
    else if (fill == ZERO)
      f[i] = 0;
    else if (fill == FRACTION)
      f[i] = (float)skp__random_uniform(r);
    else
      f[i] = i < PERIOD ? (float)skp__random_normal(r) : f[i - PERIOD];
  }
  *out = f;
  return SKP_OK;
}

skp_status skp__case_random(struct skp__case *c, skp_value *v, const char *name, struct skp_shape shape,
                            int64_t classes, struct skp__random *r) {
  enum fill fill = fill_of(name);
  void *data;
  SKP_TRY(make(&data, fill, skp__shape_count(&shape), classes, r));
  if (fill == LABELS || fill == BITS) shape.dtype = SKP_I32;
  if (fill == BYTES) shape.dtype = SKP_U8;
  if (shape.dtype == SKP_BF16) narrow(data, skp__shape_count(&shape));
  return skp__case_input(c, v, shape, data);
}

void skp__case_spoil(struct skp__case *c, skp_value v, struct skp__random *r) {
  static const float none[] = {NAN, INFINITY, -INFINITY};
  const uint32_t n = (uint32_t)skp__shape_count(&c->g->tensors.at[v].shape);
  ((float *)c->known.at[v].data)[skp__random_below(r, n)] = none[skp__random_below(r, 3)];
}

/* ---- cases ------------------------------------------------------------------------------------------------------- */

static struct skp_shape read_shape(const char *text) {
  int64_t dim[SKP_MAX_RANK];
  int rank = 0;
  for (const char *p = text; rank < SKP_MAX_RANK && *p; p += *p == 'x') dim[rank++] = strtoll(p, (char **)&p, 10);
  return skp__shape(SKP_F32, rank, dim);
}

/* Where an input of that name goes: its slot, or in a variadic one behind those before it; -1: nowhere. */
static int place_of(const struct skp_op *op, const skp_value *in, const char *name) {
  int i = 0;
  while (i < op->n_in && strcmp(op->in[i].name, name)) i++;
  if (i == op->n_in) return -1;
  while (op->in[op->n_in - 1].flags & SKP_VARIADIC && in[i] != SKP_NONE && i < MOST_INPUTS - 1) i++;
  return i;
}

/* A word without a value, behind the inputs, of which `last` is the latest. */
static void read_word(struct skp__case *c, const char *word, skp_value first, skp_value last, bool *dy,
                      struct skp__random *r) {
  *dy = *dy || !strcmp(word, "dy");
  if (!strcmp(word, "nan")) skp__case_spoil(c, first, r);
  if (!strcmp(word, "set")) *(float *)c->known.at[last].data = 1;
}

static skp_status read_inputs(struct skp__case *c, skp_value *in, bool *dy, const struct skp_op *op, const char *list,
                              bool narrow_maps, struct skp__random *r) {
  char name[32], value[64];
  int64_t classes = 0;
  skp_value last = SKP_NONE;
  for (int i = 0; i <= MOST_INPUTS; i++) in[i] = SKP_NONE;
  *dy = false;
  while (next_token(&list, name, value)) {
    if (!*value) read_word(c, name, in[0], last, dy, r);
    const int i = *value ? place_of(op, in, name) : -1;
    if (i < 0) continue;
    struct skp_shape shape = read_shape(value);
    if (!classes) classes = skp__channels(&shape);
    shape.dtype = narrow_maps && skp__op_in(op, i)->flags & SKP_MAP ? SKP_BF16 : SKP_F32;
    SKP_TRY(skp__case_random(c, &in[i], name, shape, classes, r));
    last = in[i];
  }
  return SKP_OK;
}

/* Gradients of all inputs but state, which outputs take the place of. */
static skp_status add_gradient(struct skp__case *c, const struct skp_op *op, const skp_value *in, skp_value out,
                               bool arrives, struct skp__random *r) {
  skp_value dy = SKP_NONE, din[MOST_INPUTS];
  bool need[MOST_INPUTS] = {false};
  for (int i = 0; i < skp__op_count_in(op, in); i++)
    need[i] = in[i] != SKP_NONE && c->g->tensors.at[in[i]].shape.dtype != SKP_I32;
  for (int o = 0; o < op->n_out; o++)
    if (op->alias[o]) need[op->alias[o] - 1] = false;
  if (arrives) SKP_TRY(skp__case_random(c, &dy, "dy", c->g->tensors.at[out].shape, 0, r));
  return skp__case_gradient(c, 0, dy, need, din);
}

static skp_status build(struct skp__case *c, const struct row *row, const cJSON *json, bool narrow_maps,
                        struct skp__random *r) {
  const struct skp_op *op;
  union skp_attrs attrs;
  skp_value in[MOST_INPUTS + 1], out[SKP_MAX_OUT];
  bool dy;
  SKP_TRY(skp__case_op(&op, &attrs, row->op, json));
  SKP_TRY(read_inputs(c, in, &dy, op, row->inputs, narrow_maps, r));
  SKP_TRY(skp__case_node(c, op, &attrs, in, NULL, out));
  const bool loss = c->g->tensors.at[out[0]].shape.rank == 1; /* where gradients begin */
  if (op->gradient && (dy || loss)) SKP_TRY(add_gradient(c, op, in, out[0], dy, r));
  SKP_TRY(skp__case_complete(c));
  return skp__case_add_twins(c);
}

/* A row's attributes as golden files write them. */
static cJSON *read_attrs(const char *list) {
  cJSON *json = cJSON_CreateObject();
  char name[32], value[64];
  while (json && next_token(&list, name, value)) {
    cJSON *item = cJSON_Parse(value); /* a number, else a name */
    cJSON_AddItemToObject(json, name, item ? item : cJSON_CreateString(value));
  }
  return json;
}

static skp_status visit_row(const struct row *row, size_t n, uint64_t seed, bool best_only, bool narrow_maps,
                            skp__case_visit visit, void *user) {
  struct skp__case c;
  struct skp__random r = skp__random_start(seed, n);
  char id[sizeof c.id];
  snprintf(id, sizeof id, "%s%s%s%s", row->inputs, *row->attrs ? " " : "", row->attrs, narrow_maps ? " bf16" : "");
  cJSON *json = read_attrs(row->attrs);
  skp_status status = json ? skp__case_create(&c, row->op, id) : skp__fail_memory("a case", 0);
  if (status == SKP_OK) {
    c.best_only = best_only;
    status = build(&c, row, json, narrow_maps, &r);
    status = status == SKP_OK ? visit(user, &c) : skp__fail_in(status, "generated case %s %s", row->op, id);
    skp__case_free(&c);
  }
  cJSON_Delete(json);
  return status;
}

/* Whether the op of a row knows maps in bfloat16. */
static bool knows_narrow(const struct row *row) {
  const struct skp_op *op;
  union skp_attrs attrs;
  if (skp__case_op(&op, &attrs, row->op, NULL) != SKP_OK) return false;
  for (int i = 0; i < op->n_in; i++)
    if (op->in[i].flags & SKP_MAP) return true;
  return false;
}

skp_status skp__generated_each(const char *op, uint64_t seed, bool quick, skp__case_visit visit, void *user) {
  for (size_t i = 0; i < n_rows; i++) {
    if (!skp__case_is_of(rows[i].op, op) || (quick && !rows[i].quick)) continue;
    const bool best_only = quick && rows[i].quick == 2;
    SKP_TRY(visit_row(&rows[i], i, seed, best_only, false, visit, user));
    if (knows_narrow(&rows[i])) SKP_TRY(visit_row(&rows[i], i, seed, best_only, true, visit, user));
  }
  return SKP_OK;
}
