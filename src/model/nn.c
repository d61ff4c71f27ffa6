/* nn.c: the table `nn` of model files: layers, tensors, scopes. SPDX-License-Identifier: MIT
 *
 * A row of the table `layers` is a layer: its op, the options that it takes, and what parameters it adds. One function
 * serves all. Layers are named as in PyTorch: an explicit name, or within a scope a running number, which counts every
 * layer as nn.Sequential does. */
#include "base/text.h"
#include "model/build.h"
#include <math.h>
#include <string.h>

enum { MAX_OPTIONS = 10, MAX_EXTENT = 1 << 20 };
static const char tensor_type[] = "tensor";

struct tensor { /* what Lua holds */
  skp_value v;
};

static struct skp_graph *graph_of(lua_State *L) { return skp__build_of(L)->model->graph; }

static const struct skp_shape *shape_of(lua_State *L, const struct tensor *t) {
  return &graph_of(L)->tensors.at[t->v].shape;
}

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

void skp__nn_push(lua_State *L, skp_value v) {
  struct tensor *t = lua_newuserdatauv(L, sizeof *t, 0);
  t->v = v;
  luaL_setmetatable(L, tensor_type);
}

skp_value skp__nn_value(lua_State *L, int index) {
  const struct tensor *t = luaL_testudata(L, index, tensor_type);
  return t ? t->v : SKP_NONE;
}

static const struct tensor *check_tensor(lua_State *L, int index, const char *layer) {
  const struct tensor *t = luaL_testudata(L, index, tensor_type);
  if (!t)
    skp__lua_fail(L, SKP_MODEL, "nn.%s: argument %d should be a tensor, but it is %s.", layer, index,
                  luaL_typename(L, index));
  return t;
}

/* Models are built for one image; what they see is N of them. */
static const char *shape_text(char *text, size_t size, const struct skp_shape *s) {
  char one[96];
  snprintf(text, size, "N%s", skp__shape_text(one, sizeof one, s) + 1);
  return text;
}

const char *skp__nn_text(char *text, size_t size, const struct skp_graph *g, skp_value v) {
  char shape[96];
  const struct skp_tensor *t = &g->tensors.at[v];
  const struct skp_node *node = t->producer < 0 ? NULL : &g->nodes.at[t->producer];
  const char *name = !node ? t->name : *node->scope ? node->scope : "network";
  snprintf(text, size, "%s %s%s %s", name, node ? node->op->name : "", node ? " " : "",
           shape_text(shape, sizeof shape, &t->shape));
  return text;
}

static int tensor_tostring(lua_State *L) {
  char text[512];
  lua_pushstring(L, skp__nn_text(text, sizeof text, graph_of(L), check_tensor(L, 1, "tostring")->v));
  return 1;
}

/* x.shape (without N), x.height, x.width, x.channels: a matrix has channels only. */
static int tensor_index(lua_State *L) {
  const struct skp_shape *s = shape_of(L, check_tensor(L, 1, "index"));
  const char *field = luaL_checkstring(L, 2);
  if (strcmp(field, "shape") == 0) {
    lua_createtable(L, s->rank - 1, 0);
    for (int i = 1; i < s->rank; i++) {
      lua_pushinteger(L, s->dim[i]);
      lua_rawseti(L, -2, i);
    }
  } else if (strcmp(field, "channels") == 0) {
    lua_pushinteger(L, s->dim[s->rank - 1]);
  } else if (strcmp(field, "height") == 0 || strcmp(field, "width") == 0) {
    if (s->rank == 4)
      lua_pushinteger(L, s->dim[*field == 'h' ? 1 : 2]);
    else
      lua_pushnil(L);
  } else {
    return skp__lua_fail(L, SKP_MODEL, "A tensor has no \"%s\". It has shape, height, width and channels.", field);
  }
  return 1;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static void check_name(lua_State *L, const char *name) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  size_t n = strlen(name);
  if (n == 0 || n > 64 || strspn(name, allowed) != n || *name == '.' || name[n - 1] == '.')
    skp__lua_fail(L, SKP_MODEL, "A name has 1 to 64 letters, digits and _ - with dots between, not \"%s\".", name);
}

/* Appends ".NAME" to a scope of sizeof b->scope bytes. */
static void append_name(lua_State *L, char *scope, const char *name) {
  size_t used = strlen(scope), left = sizeof skp__build_of(L)->scope - used;
  if (snprintf(scope + used, left, "%s%s", used ? "." : "", name) >= (int)left)
    skp__lua_fail(L, SKP_MODEL, "The name %s.%s is too long: scopes are nested too deep.", scope, name);
}

/* nn.scope(name, f, …): f(…) with NAME in front of the names of what it makes. An error ends the whole build, so the
 * scope need not be restored then. */
static int scope(lua_State *L) {
  struct skp_build *b = skp__build_of(L);
  size_t outer = strlen(b->scope);
  int index = b->index;
  const char *name = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  check_name(L, name);
  append_name(L, b->scope, name);
  b->index = 0;
  lua_call(L, lua_gettop(L) - 2, LUA_MULTRET);
  b->scope[outer] = 0;
  b->index = index;
  return lua_gettop(L) - 1;
}

/* ---- layers ------------------------------------------------------------------------------------------------------ */

typedef enum kind { WHOLE, NUMBER, FLAG, LIST } kind;

struct option {
  const char *name;
  kind kind;
  const char *attr; /* of the op that it sets; NULL: the layer reads it itself */
  double fallback;  /* NAN: must be given; negative: as `kernel` */
  double least;
};

struct call;

struct layer {
  const char *name; /* nn.NAME */
  const struct skp_op *op;
  const char *second; /* (optional) what the second argument, a whole number, is: it makes `K` below */
  struct option option[MAX_OPTIONS];
  void (*complete)(struct call *c); /* (optional) adds inputs, and attributes that are no options */
};

struct call { /* one layer being made */
  lua_State *L;
  const struct layer *layer;
  const struct tensor *x;
  int64_t K;                 /* the second argument */
  int options;               /* where Lua's stack has the table of options, or nil */
  double value[MAX_OPTIONS]; /* of the options, in order; of a list its length */
  char scope[256];
  union skp_attrs attrs;
  skp_value in[SKP_MAX_IN];
};

static double option_of(const struct call *c, const char *name) {
  const struct option *o = c->layer->option;
  while (strcmp(o->name, name) != 0) o++;
  return c->value[o - c->layer->option];
}

/* Notes a weight's name in a table of Lua's; false: it is there already. */
static bool take_name(lua_State *L, const char *name) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, "weights");
  const bool fresh = lua_getfield(L, -1, name) == LUA_TNIL;
  lua_pushboolean(L, true);
  lua_setfield(L, -3, name);
  lua_pop(L, 2);
  return fresh;
}

/* Adds a value that lives from step to step. name "": the layer's own. */
static struct skp_tensor *add_param(struct call *c, int input, const char *name, skp_role role, struct skp_shape shape,
                                    int file_rank) {
  struct skp_graph *g = graph_of(c->L);
  char full[sizeof c->scope + 32];
  snprintf(full, sizeof full, "%s%s%s", c->scope, *name ? "." : "", name);
  if (!take_name(c->L, full))
    skp__lua_fail(c->L, SKP_MODEL, "There are two layers named %s: give one another name or scope.", c->scope);
  skp__lua_check(c->L, skp__graph_value(g, &c->in[input], full, role, shape));
  struct skp_tensor *t = &g->tensors.at[c->in[input]];
  t->file_rank = file_rank;
  return t;
}

/* The list in option `name` as the first values of t. */
static void read_values(struct call *c, const char *name, struct skp_tensor *t) {
  int64_t n = skp__shape_count(&t->shape), given = (int64_t)option_of(c, name);
  if (given != n)
    skp__lua_fail(c->L, SKP_MODEL, "nn.%s: %s has %lld numbers, but %s has %lld.", c->layer->name, name,
                  (long long)given, t->name, (long long)n);
  skp__lua_check(c->L, skp__alloc(&t->values, (size_t)n, sizeof *t->values));
  lua_getfield(c->L, c->options, name);
  for (int64_t i = 0; i < n; i++) {
    int type = lua_rawgeti(c->L, -1, i + 1);
    t->values[i] = (float)lua_tonumber(c->L, -1);
    if (type != LUA_TNUMBER || !isfinite(t->values[i]))
      skp__lua_fail(c->L, SKP_MODEL, "nn.%s: %s[%lld] should be a number, not %s.", c->layer->name, name,
                    (long long)i + 1, luaL_tolstring(c->L, -1, NULL));
    lua_pop(c->L, 1);
  }
  lua_pop(c->L, 1);
}

/* weight {R,S,C,K} and, unless bias = false, bias {K}: both even in ±1/sqrt(inputs). With bound, std or values the
 * weights begin as these say and the bias with zeros, or even in ±bias_bound. */
static void add_weight(struct call *c, int64_t R, int64_t S, int64_t C, int file_rank) {
  const double bound = option_of(c, "bound"), std = option_of(c, "std"), usual = 1 / sqrt((double)(R * S * C));
  const bool values = option_of(c, "values") > 0, said = bound > 0 || std > 0 || values;
  struct skp_tensor *weight = add_param(c, 1, "weight", SKP_ROLE_PARAM, skp__shape4(R, S, C, c->K), file_rank);
  weight->bound = said ? bound : usual;
  weight->std = (float)std;
  if (values) read_values(c, "values", weight);
  if (option_of(c, "bias") == 0) return;
  add_param(c, 2, "bias", SKP_ROLE_PARAM, skp__shape1(c->K), 1)->bound = said ? option_of(c, "bias_bound") : usual;
}

static void conv2d_params(struct call *c) {
  const struct skp_shape *x = shape_of(c->L, c->x);
  int64_t C = x->dim[x->rank - 1], kernel = (int64_t)option_of(c, "kernel"), groups = (int64_t)option_of(c, "groups");
  if (C % groups || c->K % groups)
    skp__lua_fail(c->L, SKP_SHAPE, "nn.conv2d: %lld channels to %lld are not divisible into %lld groups.", (long long)C,
                  (long long)c->K, (long long)groups);
  add_weight(c, kernel, kernel, C / groups, 4);
}

static void linear_params(struct call *c) {
  const struct skp_shape *x = shape_of(c->L, c->x);
  char text[512];
  if (x->rank != 2)
    skp__lua_fail(c->L, SKP_SHAPE, "nn.linear wants rows of numbers: write nn.flatten(x) first. x is %s.",
                  skp__nn_text(text, sizeof text, graph_of(c->L), c->x->v));
  const int64_t rows[3] = {1, 1, x->dim[1]}, *map = graph_of(c->L)->tensors.at[c->x->v].map;
  if (!map[0]) map = rows;
  add_weight(c, map[0], map[1], map[2], 2);
}

/* A linear layer for each pixel: files have its weights as those of one. */
static void pointwise_params(struct call *c) {
  const struct skp_shape *x = shape_of(c->L, c->x);
  add_weight(c, 1, 1, x->dim[x->rank - 1], 2);
}

static struct skp_shape each_channel(const struct call *c) {
  const struct skp_shape *x = shape_of(c->L, c->x);
  return skp__shape1(x->dim[x->rank - 1]);
}

static void layernorm_params(struct call *c) {
  add_param(c, 1, "weight", SKP_ROLE_PARAM, each_channel(c), 1)->fill = 1;
  add_param(c, 2, "bias", SKP_ROLE_PARAM, each_channel(c), 1);
}

static void scale_params(struct call *c) {
  add_param(c, 1, "", SKP_ROLE_PARAM, each_channel(c), 3)->fill = (float)option_of(c, "value");
}

static void batchnorm_params(struct call *c) {
  struct skp_shape each = each_channel(c);
  add_param(c, 1, "weight", SKP_ROLE_PARAM, each, 1)->fill = (float)option_of(c, "gamma");
  add_param(c, 2, "bias", SKP_ROLE_PARAM, each, 1);
  add_param(c, 4, "running_mean", SKP_ROLE_STATE, each, 1);
  add_param(c, 5, "running_var", SKP_ROLE_STATE, each, 1)->fill = 1;
}

/* Each dropout layer has its own random numbers, by its place among them; all read the one number of the step. */
static void dropout_key(struct call *c) {
  struct skp_graph *g = graph_of(c->L);
  struct skp_shape halves = skp__shape1(2);
  halves.dtype = SKP_I32;
  if (g->key == SKP_NONE) skp__lua_check(c->L, skp__graph_add_port(g, SKP_PORT_KEY, halves));
  for (size_t i = 0; i < g->nodes.n; i++) c->attrs.dropout.stream += g->nodes.at[i].op == &skp__op_dropout;
  c->in[1] = g->key;
}

static void stochastic_depth(struct call *c) {
  dropout_key(c);
  c->attrs.dropout.images = 1;
}

/* An activation is called as its kind. */
static void activation_kind(struct call *c) {
  const char *const *called = skp__op_activation.attrs->choices;
  while (strcmp(called[c->attrs.activation.kind], c->layer->name) != 0) c->attrs.activation.kind++;
}

static void adaptive_size(struct call *c) { c->attrs.adaptive.size = (int)c->K; }

#define AS_KERNEL -1
static const struct layer layers[] = {
    {"conv2d",
     &skp__op_conv2d,
     "the number of output channels",
     {{"kernel", WHOLE, NULL, NAN, 1},
      {"stride", WHOLE, "stride", 1, 1},
      {"padding", WHOLE, "pad", 0, 0},
      {"dilation", WHOLE, "dilation", 1, 1},
      {"groups", WHOLE, "groups", 1, 1},
      {"bias", FLAG, NULL, 1, 0},
      {"bound", NUMBER, NULL, 0, 0},
      {"bias_bound", NUMBER, NULL, 0, 0},
      {"std", NUMBER, NULL, 0, 0},
      {"values", LIST, NULL, 0, 1}},
     conv2d_params},
    {"batchnorm2d",
     &skp__op_batchnorm,
     NULL,
     {{"eps", NUMBER, "eps", 1e-5, 0}, {"momentum", NUMBER, "momentum", 0.1, 0}, {"gamma", NUMBER, NULL, 1, 0}},
     batchnorm_params},
    {"relu", &skp__op_relu, NULL, {{0}}, NULL},
    {"sigmoid", &skp__op_activation, NULL, {{0}}, activation_kind},
    {"silu", &skp__op_activation, NULL, {{0}}, activation_kind},
    {"relu6", &skp__op_activation, NULL, {{0}}, activation_kind},
    {"hardsigmoid", &skp__op_activation, NULL, {{0}}, activation_kind},
    {"hardswish", &skp__op_activation, NULL, {{0}}, activation_kind},
    {"gelu", &skp__op_activation, NULL, {{0}}, activation_kind},
    {"tanh", &skp__op_activation, NULL, {{0}}, activation_kind},
    {"layernorm", &skp__op_layernorm, NULL, {{"eps", NUMBER, "eps", 1e-5, 0}}, layernorm_params},
    {"channel_scale", &skp__op_mul, NULL, {{"value", NUMBER, NULL, 1, 0}}, scale_params},
    {"stochastic_depth", &skp__op_dropout, NULL, {{"p", NUMBER, "p", NAN, 0}}, stochastic_depth},
    {"upsample_nearest", &skp__op_upsample_nearest, NULL, {{"scale", WHOLE, "scale", 2, 1}}, NULL},
    {"dropout", &skp__op_dropout, NULL, {{"p", NUMBER, "p", 0.5, 0}}, dropout_key},
    {"maxpool2d",
     &skp__op_maxpool2d,
     NULL,
     {{"kernel", WHOLE, "kernel", NAN, 1},
      {"stride", WHOLE, "stride", AS_KERNEL, 1},
      {"padding", WHOLE, "pad", 0, 0},
      {"ceil_mode", FLAG, "ceil", 0, 0}},
     NULL},
    {"avgpool2d",
     &skp__op_avgpool2d,
     NULL,
     {{"kernel", WHOLE, "kernel", NAN, 1},
      {"stride", WHOLE, "stride", AS_KERNEL, 1},
      {"padding", WHOLE, "pad", 0, 0},
      {"count_include_pad", FLAG, "count_include_pad", 1, 0}},
     NULL},
    {"adaptive_avgpool2d", &skp__op_adaptive_avgpool2d, "the side of the result", {{0}}, adaptive_size},
    {"global_avgpool", &skp__op_global_avgpool, NULL, {{0}}, NULL},
    {"flatten", &skp__op_flatten, NULL, {{0}}, NULL},
    {"pointwise",
     &skp__op_conv2d,
     "the number of outputs",
     {{"bias", FLAG, NULL, 1, 0},
      {"bound", NUMBER, NULL, 0, 0},
      {"bias_bound", NUMBER, NULL, 0, 0},
      {"std", NUMBER, NULL, 0, 0},
      {"values", LIST, NULL, 0, 1}},
     pointwise_params},
    {"linear",
     &skp__op_linear,
     "the number of outputs",
     {{"bias", FLAG, NULL, 1, 0},
      {"bound", NUMBER, NULL, 0, 0},
      {"bias_bound", NUMBER, NULL, 0, 0},
      {"std", NUMBER, NULL, 0, 0},
      {"values", LIST, NULL, 0, 1}},
     linear_params},
};

/* A value of the kind that the option wants, from the top of the stack. */
static double read_option(struct call *c, const struct option *o) {
  static const char *const kinds[] = {"a whole number", "a number", "true or false", "a list of numbers"};
  lua_State *L = c->L;
  double value = NAN;
  if (o->kind == FLAG && lua_isboolean(L, -1)) value = lua_toboolean(L, -1);
  if (o->kind == NUMBER && lua_type(L, -1) == LUA_TNUMBER) value = lua_tonumber(L, -1);
  if (o->kind == WHOLE && lua_type(L, -1) == LUA_TNUMBER && lua_isinteger(L, -1)) value = (double)lua_tointeger(L, -1);
  if (o->kind == LIST && lua_istable(L, -1)) value = (double)lua_rawlen(L, -1);
  if (value < o->least || value > MAX_EXTENT)
    skp__lua_fail(L, SKP_MODEL, "nn.%s: %s is %g; it should be from %g to %d.", c->layer->name, o->name, value,
                  o->least, MAX_EXTENT);
  if (isnan(value))
    skp__lua_fail(L, SKP_MODEL, "nn.%s: %s should be %s, not %s.", c->layer->name, o->name, kinds[o->kind],
                  luaL_tolstring(L, -1, NULL));
  return value;
}

/* Reads the table of options, which may be absent if nothing must be given. */
static void read_options(struct call *c) {
  lua_State *L = c->L;
  const int index = c->options;
  const struct option *option = c->layer->option;
  const char *known[MAX_OPTIONS + 2] = {0};
  bool given = !lua_isnoneornil(L, index);
  int n = 0;
  for (; n < MAX_OPTIONS && option[n].name; n++) known[n] = option[n].name;
  known[n] = "name";
  if (given) {
    if (!lua_istable(L, index))
      skp__lua_fail(L, SKP_MODEL, "nn.%s: argument %d should be a table of options, as {%s = …}, but it is %s.",
                    c->layer->name, index, known[0], luaL_typename(L, index));
    skp__lua_check_keys(L, index, c->layer->name, known);
  }
  for (int i = 0; i < n; i++) {
    bool said = given && lua_getfield(L, index, option[i].name) != LUA_TNIL;
    c->value[i] = said ? read_option(c, &option[i]) : option[i].fallback;
    if (isnan(c->value[i])) skp__lua_fail(L, SKP_MODEL, "nn.%s: say {%s = …}.", c->layer->name, option[i].name);
    if (c->value[i] < 0) c->value[i] = option_of(c, "kernel");
    lua_settop(L, index);
  }
}

/* The layer's full name: the option `name`, or the running number. */
static void name_layer(struct call *c) {
  lua_State *L = c->L;
  const int index = c->options;
  struct skp_build *b = skp__build_of(L);
  char number[16];
  const char *name = NULL;
  if (lua_istable(L, index) && lua_getfield(L, index, "name") != LUA_TNIL) {
    if (lua_type(L, -1) != LUA_TSTRING)
      skp__lua_fail(L, SKP_MODEL, "nn.%s: name should be a text, not %s.", c->layer->name, luaL_typename(L, -1));
    name = lua_tostring(L, -1);
    check_name(L, name);
  } else {
    snprintf(number, sizeof number, "%d", b->index++);
    name = number;
  }
  snprintf(c->scope, sizeof c->scope, "%s", b->scope);
  append_name(L, c->scope, name);
}

static int64_t read_second(struct call *c) {
  if (!lua_isinteger(c->L, 2) || lua_tointeger(c->L, 2) < 1 || lua_tointeger(c->L, 2) > MAX_EXTENT)
    skp__lua_fail(c->L, SKP_MODEL, "nn.%s: argument 2 should be %s, from 1 to %d.", c->layer->name, c->layer->second,
                  MAX_EXTENT);
  return lua_tointeger(c->L, 2);
}

static void set_attrs(struct call *c) {
  const struct option *o = c->layer->option;
  skp__attrs_default(c->layer->op, &c->attrs);
  for (int i = 0; i < MAX_OPTIONS && o[i].name; i++)
    if (o[i].attr) skp__lua_check(c->L, skp__attrs_set(c->layer->op, &c->attrs, o[i].attr, c->value[i]));
}

/* nn.LAYER(x, [number,] {options}) -> y. Each node makes its first output only: the
 * others come with skp__graph_instance. */
static int layer(lua_State *L) {
  static const bool first_only[SKP_MAX_OUT] = {true};
  struct call c = {.L = L, .layer = lua_touserdata(L, lua_upvalueindex(1))};
  c.options = c.layer->second ? 3 : 2;
  if (lua_gettop(L) > c.options)
    skp__lua_fail(L, SKP_MODEL, "nn.%s takes no more than nn.%s(x, %s{…}); here are %d arguments.", c.layer->name,
                  c.layer->name, c.layer->second ? "number, " : "", lua_gettop(L));
  skp_value out[SKP_MAX_OUT];
  c.x = check_tensor(L, 1, c.layer->name);
  if (c.layer->second) c.K = read_second(&c);
  lua_settop(L, c.options);
  read_options(&c);
  name_layer(&c);
  set_attrs(&c);
  for (int i = 0; i < SKP_MAX_IN; i++) c.in[i] = SKP_NONE;
  c.in[0] = c.x->v;
  if (c.layer->complete) c.layer->complete(&c);
  skp__lua_check(L, skp__graph_layer(graph_of(L), c.layer->op, &c.attrs, c.in, first_only, c.scope, out));
  skp__nn_push(L, out[0]);
  return 1;
}

/* ---- layers of several tensors ----------------------------------------------------------------------------------- */

/* A node of the enclosing scope, pushed. */
static int join(lua_State *L, const struct skp_op *op, const skp_value *in) {
  skp_value out;
  skp__lua_check(L, skp__graph_layer(graph_of(L), op, NULL, in, NULL, skp__build_of(L)->scope, &out));
  skp__nn_push(L, out);
  return 1;
}

/* nn.add(a, b), and a + b. */
static int add(lua_State *L) {
  const struct tensor *a = check_tensor(L, 1, "add"), *b = check_tensor(L, 2, "add");
  struct skp_graph *g = graph_of(L);
  char ta[512], tb[512];
  if (!skp__shape_equal(shape_of(L, a), shape_of(L, b)))
    skp__lua_fail(L, SKP_SHAPE, "cannot add tensors of different shapes: %s, and %s.",
                  skp__nn_text(ta, sizeof ta, g, a->v), skp__nn_text(tb, sizeof tb, g, b->v));
  return join(L, &skp__op_add, (const skp_value[]){a->v, b->v});
}

/* Whether b holds a factor for each channel of a's images. */
static bool scales(const struct skp_shape *a, const struct skp_shape *b) {
  const struct skp_shape each = skp__shape4(a->dim[0], 1, 1, a->dim[3]);
  return a->rank == 4 && skp__shape_equal(b, &each);
}

/* nn.mul(a, b), and a * b: of one shape, or the one N×1×1×C to the other's N×H×W×C. */
static int mul(lua_State *L) {
  const struct tensor *a = check_tensor(L, 1, "mul"), *b = check_tensor(L, 2, "mul");
  const struct skp_shape *sa = shape_of(L, a), *sb = shape_of(L, b);
  char ta[512], tb[512];
  if (!skp__shape_equal(sa, sb) && !scales(sa, sb) && !scales(sb, sa))
    skp__lua_fail(L, SKP_SHAPE, "cannot multiply %s and %s: the shapes should be the same, or one of them N×1×1×C.",
                  skp__nn_text(ta, sizeof ta, graph_of(L), a->v), skp__nn_text(tb, sizeof tb, graph_of(L), b->v));
  const bool turned = !scales(sa, sb) && scales(sb, sa);
  return join(L, &skp__op_mul, (const skp_value[]){turned ? b->v : a->v, turned ? a->v : b->v});
}

/* nn.concat(a, b, …). What it reads is Lua's memory, which an error frees. */
static int concat(lua_State *L) {
  const int n = lua_gettop(L) ? lua_gettop(L) : 1;
  skp_value *in = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *in, 0);
  for (int i = 0; i < n; i++) in[i] = check_tensor(L, i + 1, "concat")->v;
  in[n] = SKP_NONE;
  if (n > 1) return join(L, &skp__op_concat, in);
  skp__nn_push(L, in[0]);
  return 1;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static const luaL_Reg functions[] = {{"scope", scope}, {"add", add}, {"mul", mul}, {"concat", concat}, {NULL, NULL}};

/* A name that is none: an error that lists those that are. */
static int no_layer(lua_State *L) {
  struct skp__text list = {.n = 0};
  const char *name = luaL_tolstring(L, 2, NULL);
  for (const luaL_Reg *f = functions; f->name; f++) skp__text_add(&list, " %s", f->name);
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) skp__text_add(&list, " %s", layers[i].name);
  return skp__lua_fail(L, SKP_MODEL, "There is no nn.%s. There is:%s.", name, list.at);
}

int skp__nn_open(lua_State *L) {
  static const luaL_Reg meta[] = {
      {"__tostring", tensor_tostring}, {"__index", tensor_index}, {"__add", add}, {"__mul", mul}, {NULL, NULL}};
  luaL_newmetatable(L, tensor_type);
  luaL_setfuncs(L, meta, 0);
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)&layers[i]);
    lua_pushcclosure(L, layer, 1);
    lua_setfield(L, -2, layers[i].name);
  }
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, no_layer);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_setglobal(L, "nn");
  return 0;
}
