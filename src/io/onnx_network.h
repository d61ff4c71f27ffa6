/* onnx_network.h: what the files share that turn an ONNX graph into the text of a model file.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_IO_ONNX_NETWORK_H
#define SKP_IO_ONNX_NETWORK_H

#include "io/onnx_file.h"
#include <stdio.h>

/* What a value is besides what has been written: operators that are only half of a layer wait for the other half. */
typedef enum skp__onnx_form {
  SKP__FORM_NONE,        /* not made yet */
  SKP__FORM_PIXELS,      /* the images, perhaps scaled and shifted */
  SKP__FORM_PLAIN,       /* v[lua] */
  SKP__FORM_SIGMOID,     /* of v[lua] */
  SKP__FORM_HARDSIGMOID, /* of v[lua] */
  SKP__FORM_ERF,         /* of v[lua] / sqrt 2 */
  SKP__FORM_PHI,         /* 1 + that */
  SKP__FORM_GELU,        /* of v[lua] */
  SKP__FORM_WINDOWS,     /* the columns of v[lua] averaged over windows, H of them; its rows are still W */
  SKP__FORM_EXTENT       /* numbers made of shapes, which say how many images there are */
} skp__onnx_form;

struct skp__onnx_value {
  skp__onnx_form form;
  double factor; /* of all forms but PIXELS and EXTENT */
  int lua;
  bool map, last; /* N×C×H×W, else N×C; its channels have been moved to the end */
  bool softmax;   /* it has been through one */
  int64_t H, W, C;
};

struct skp__onnx_weight { /* "NAME.weight": its values are those of `values`, in the order of files */
  char *name;
  float *values;
  int64_t n, dim[4];
  int rank;
};

struct skp__onnx_network {
  struct skp__onnx_file *file;
  const Skp__NodeProto *node; /* the one at work */
  int node_number;
  struct skp__onnx_value *value; /* by the number of the name */
  FILE *to;                      /* the text, a line a layer */
  int lines;
  int shifts;                /* steps of normalisation; PIXELS have in `lua` the number of theirs */
  bool begun;                /* a layer has read the pixels, so they are normalised */
  bool bytes;                /* pixels come from 0 to 255 */
  double scale[4], shift[4]; /* of the pixels, so far */
  int64_t channels, size;
  long last_at, last_end; /* where the text has the outputs of the last layer with weights */
  int64_t last_outputs;
  SKP_ARRAY(struct skp__onnx_weight) weights;
  void *taken; /* a tree of the names that the next layer may not have; see onnx_node.c */
};

/* SKP_UNSUPPORTED with the node and its operator. */
skp_status skp__onnx_refuse(const struct skp__onnx_network *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Input i as a constant; NULL: it is none, or not there. */
const Skp__TensorProto *skp__onnx_input_constant(const struct skp__onnx_network *w, size_t i);
bool skp__onnx_input_given(const struct skp__onnx_network *w, size_t i);
/* Input i as a value that was made before, in whatever form. */
skp_status skp__onnx_input_value(const struct skp__onnx_network *w, size_t i, struct skp__onnx_value **out);
/* The same as v[lua], with the layer written that it still lacks. */
skp_status skp__onnx_input_plain(struct skp__onnx_network *w, size_t i, struct skp__onnx_value **out);
skp_status skp__onnx_input_map(struct skp__onnx_network *w, size_t i, struct skp__onnx_value **out);
/* v[lua], a map whose channels are where those of x are. */
struct skp__onnx_value skp__onnx_map(const struct skp__onnx_value *x, int lua, int64_t C, int64_t H, int64_t W);
/* Whether pixels are those after all steps of their normalisation, which may still go on. */
skp_status skp__onnx_check_pixels(const struct skp__onnx_network *w, const struct skp__onnx_value *x);
/* Whether what an image is there is not empty, nor more than 2^31 - 1 numbers, so that no product of extents
 * overflows. */
bool skp__onnx_fits(const struct skp__onnx_value *value);
/* What the node makes. */
skp_status skp__onnx_make(struct skp__onnx_network *w, const struct skp__onnx_value *value);
/* Begins a line "v[N] = nn."; returns N. */
int skp__onnx_line(struct skp__onnx_network *w);

int64_t skp__onnx_int(const struct skp__onnx_network *w, const char *name, int64_t usual);
double skp__onnx_float(const struct skp__onnx_network *w, const char *name, double usual);
/* The attribute's text is this one, or it is not there and `usual`. */
bool skp__onnx_is(const struct skp__onnx_network *w, const char *name, const char *text, bool usual);
/* The one number of an input; false: it is not that. */
bool skp__onnx_input_number(const struct skp__onnx_network *w, size_t i, double *out);

/* An operator: writes the layer, or layers, of the node at work. */
struct skp__onnx_row {
  const char *operator;
  skp_status (*put)(struct skp__onnx_network *w);
};
extern const struct skp__onnx_row skp__onnx_layers[], skp__onnx_pools[], skp__onnx_maps[]; /* ended by NULL */

/* Averages the map over size × size windows. */
skp_status skp__onnx_adaptive_pool(struct skp__onnx_network *w, const struct skp__onnx_value *map, int64_t size);
/* A product with a matrix of windows is half of an adaptive pool. */
bool skp__onnx_is_half_pool(const struct skp__onnx_network *w);
skp_status skp__onnx_half_pool(struct skp__onnx_network *w);

/* The windows of convolutions and pools. */
struct skp__onnx_window {
  int64_t kernel, stride, pad, behind[2], dilation; /* behind: padding below and at the right */
};
skp_status skp__onnx_read_window(const struct skp__onnx_network *w, struct skp__onnx_window *out, int64_t kernel);
/* How many windows fit an axis, with so much behind it. */
int64_t skp__onnx_extent(const struct skp__onnx_window *o, int64_t in, int64_t behind, bool ceil);

/* A layer with weights: takes input `input` over as NAME.weight (or another end), of this shape; `turned`:
 * the file has it with its two axes exchanged. The layer's own name is chosen at `choose`. */
struct skp__onnx_take {
  size_t input;
  const char *end;
  int rank;
  int64_t dim[4];
  bool turned;
};
skp_status skp__onnx_choose_name(struct skp__onnx_network *w, size_t input, char *name, size_t size);
skp_status skp__onnx_take(struct skp__onnx_network *w, const char *layer, const struct skp__onnx_take *take);

#endif
