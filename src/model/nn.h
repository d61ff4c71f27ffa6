/* nn.h: what the files of the table `nn` of model files share. SPDX-License-Identifier: MIT
 *
 *   tensor.c, scope.c ─> layer.c (making a layer as its row says) ─> layers.c (the rows) ─> nn.c (the table)
 *
 * All may raise Lua errors. */
#ifndef SKP_MODEL_NN_H
#define SKP_MODEL_NN_H

#include "model/build.h"

/* ---- tensor.c ---------------------------------------------------------------------------------------------------- */

struct skp__nn_tensor { /* what Lua holds */
  skp_value v;
};
extern const char skp__nn_tensor_type[];

struct skp_graph *skp__nn_graph(lua_State *L);
const struct skp_shape *skp__nn_shape(lua_State *L, const struct skp__nn_tensor *t);
/* Argument `index` of nn.LAYER; an error if it is no tensor. */
const struct skp__nn_tensor *skp__nn_check(lua_State *L, int index, const char *layer);
int skp__nn_tostring(lua_State *L);
int skp__nn_index(lua_State *L);

/* ---- scope.c ----------------------------------------------------------------------------------------------------- */

void skp__nn_check_name(lua_State *L, const char *name);
/* Appends ".NAME" to a scope, of as many bytes as that of a build. */
void skp__nn_append_name(lua_State *L, char *scope, const char *name);
/* Notes a weight's name; false: it is there already. */
bool skp__nn_take_name(lua_State *L, const char *name);
/* nn.scope(name, f, …) */
int skp__nn_scope(lua_State *L);

/* ---- layer.c ----------------------------------------------------------------------------------------------------- */

enum { SKP_LAYER_OPTIONS = 10 };
#define SKP_AS_KERNEL -1

typedef enum skp_option_kind { SKP_OPTION_WHOLE, SKP_OPTION_NUMBER, SKP_OPTION_FLAG, SKP_OPTION_LIST } skp_option_kind;

struct skp__layer_option {
  const char *name;
  skp_option_kind kind;
  const char *attr; /* of the op that it sets; NULL: the layer reads it itself */
  double fallback;  /* NAN: must be given; SKP_AS_KERNEL: that of `kernel` */
  double least;
};

struct skp__layer_call;

struct skp__layer {
  const char *name; /* nn.NAME */
  const struct skp_op *op;
  const char *second; /* (optional) what the second argument, a whole number, is: it makes `K` below */
  struct skp__layer_option option[SKP_LAYER_OPTIONS];
  void (*complete)(struct skp__layer_call *c); /* (optional) adds inputs, and attributes that are no options */
};

struct skp__layer_call { /* one layer being made */
  lua_State *L;
  const struct skp__layer *layer;
  const struct skp__nn_tensor *x;
  int64_t K;                       /* the second argument */
  int options;                     /* where Lua's stack has the table of options, or nil */
  double value[SKP_LAYER_OPTIONS]; /* of the options, in order; of a list its length */
  char scope[256];
  union skp_attrs attrs;
  skp_value in[SKP_MAX_IN];
};

/* nn.LAYER(x, [number,] {options}) -> y; its row is the function's upvalue. */
int skp__layer_make(lua_State *L);
double skp__layer_option(const struct skp__layer_call *c, const char *name);
/* Adds a value that lives from step to step. name "": the layer's own. */
struct skp_tensor *skp__layer_param(struct skp__layer_call *c, int input, const char *name, skp_role role,
                                    struct skp_shape shape, int file_rank);
/* The list in option `name` as the first values of t. */
void skp__layer_values(struct skp__layer_call *c, const char *name, struct skp_tensor *t);

/* ---- layers.c ---------------------------------------------------------------------------------------------------- */

/* Ended by a row without a name. */
extern const struct skp__layer skp__layers[];

#endif
