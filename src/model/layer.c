/* layer.c: makes a layer as its row of the table says. SPDX-License-Identifier: MIT */
#include "model/nn.h"
#include <math.h>
#include <string.h>

enum { MAX_EXTENT = 1 << 20 };

/* ---- for the rows ------------------------------------------------------------------------------------------------ */

double skp__layer_option(const struct skp__layer_call *c, const char *name) {
  const struct skp__layer_option *o = c->layer->option;
  while (strcmp(o->name, name) != 0) o++;
  return c->value[o - c->layer->option];
}

struct skp_tensor *skp__layer_param(struct skp__layer_call *c, int input, const char *name, skp_role role,
                                    struct skp_shape shape, int file_rank) {
  struct skp_graph *g = skp__nn_graph(c->L);
  char full[sizeof c->scope + 32];
  snprintf(full, sizeof full, "%s%s%s", c->scope, *name ? "." : "", name);
  if (!skp__nn_take_name(c->L, full))
    skp__lua_fail(c->L, SKP_MODEL, "There are two layers named %s: give one another name or scope.", c->scope);
  skp__lua_check(c->L, skp__graph_value(g, &c->in[input], full, role, shape));
  struct skp_tensor *t = &g->tensors.at[c->in[input]];
  t->file_rank = file_rank;
  return t;
}

void skp__layer_values(struct skp__layer_call *c, const char *name, struct skp_tensor *t) {
  int64_t n = skp__shape_count(&t->shape), given = (int64_t)skp__layer_option(c, name);
  if (given != n)
    skp__lua_fail(c->L, SKP_MODEL, "nn.%s: %s has %lld numbers, but %s has %lld.", c->layer->name, name,
                  (long long)given, t->name, (long long)n);
  skp__lua_take(c->L, (size_t)n, (size_t)n * sizeof *t->values);
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

/* ---- options ----------------------------------------------------------------------------------------------------- */

/* A value of the kind that the option wants, from the top of the stack. */
static double read_option(struct skp__layer_call *c, const struct skp__layer_option *o) {
  static const char *const kinds[] = {"a whole number", "a number", "true or false", "a list of numbers"};
  lua_State *L = c->L;
  double value = NAN;
  if (o->kind == SKP_OPTION_FLAG && lua_isboolean(L, -1)) value = lua_toboolean(L, -1);
  if (o->kind == SKP_OPTION_NUMBER && lua_type(L, -1) == LUA_TNUMBER) value = lua_tonumber(L, -1);
  if (o->kind == SKP_OPTION_WHOLE && lua_type(L, -1) == LUA_TNUMBER && lua_isinteger(L, -1))
    value = (double)lua_tointeger(L, -1);
  if (o->kind == SKP_OPTION_LIST && lua_istable(L, -1)) value = (double)lua_rawlen(L, -1);
  if (value < o->least || value > MAX_EXTENT)
    skp__lua_fail(L, SKP_MODEL, "nn.%s: %s is %g; it should be from %g to %d.", c->layer->name, o->name, value,
                  o->least, MAX_EXTENT);
  if (isnan(value))
    skp__lua_fail(L, SKP_MODEL, "nn.%s: %s should be %s, not %s.", c->layer->name, o->name, kinds[o->kind],
                  luaL_tolstring(L, -1, NULL));
  return value;
}

/* Reads the table of options, which may be absent if nothing must be given. */
static void read_options(struct skp__layer_call *c) {
  lua_State *L = c->L;
  const int index = c->options;
  const struct skp__layer_option *option = c->layer->option;
  const char *known[SKP_LAYER_OPTIONS + 2] = {0};
  bool given = !lua_isnoneornil(L, index);
  int n = 0;
  for (; n < SKP_LAYER_OPTIONS && option[n].name; n++) known[n] = option[n].name;
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
    if (c->value[i] < 0) c->value[i] = skp__layer_option(c, "kernel");
    lua_settop(L, index);
  }
}

/* The layer's full name: the option `name`, or the running number. */
static void name_layer(struct skp__layer_call *c) {
  lua_State *L = c->L;
  const int index = c->options;
  struct skp_build *b = skp__build_of(L);
  char number[16];
  const char *name = NULL;
  if (lua_istable(L, index) && lua_getfield(L, index, "name") != LUA_TNIL) {
    if (lua_type(L, -1) != LUA_TSTRING)
      skp__lua_fail(L, SKP_MODEL, "nn.%s: name should be a text, not %s.", c->layer->name, luaL_typename(L, -1));
    name = lua_tostring(L, -1);
    skp__nn_check_name(L, name);
  } else {
    snprintf(number, sizeof number, "%d", b->index++);
    name = number;
  }
  snprintf(c->scope, sizeof c->scope, "%s", b->scope);
  skp__nn_append_name(L, c->scope, name);
}

static int64_t read_second(struct skp__layer_call *c) {
  if (!lua_isinteger(c->L, 2) || lua_tointeger(c->L, 2) < 1 || lua_tointeger(c->L, 2) > MAX_EXTENT)
    skp__lua_fail(c->L, SKP_MODEL, "nn.%s: argument 2 should be %s, from 1 to %d.", c->layer->name, c->layer->second,
                  MAX_EXTENT);
  return lua_tointeger(c->L, 2);
}

static void set_attrs(struct skp__layer_call *c) {
  const struct skp__layer_option *o = c->layer->option;
  skp__attrs_default(c->layer->op, &c->attrs);
  for (int i = 0; i < SKP_LAYER_OPTIONS && o[i].name; i++)
    if (o[i].attr) skp__lua_check(c->L, skp__attrs_set(c->layer->op, &c->attrs, o[i].attr, c->value[i]));
}

/* Each node makes its first output only: the others come with skp__graph_instance. */
int skp__layer_make(lua_State *L) {
  static const bool first_only[SKP_MAX_OUT] = {true};
  struct skp__layer_call c = {.L = L, .layer = lua_touserdata(L, lua_upvalueindex(1))};
  c.options = c.layer->second ? 3 : 2;
  if (lua_gettop(L) > c.options)
    skp__lua_fail(L, SKP_MODEL, "nn.%s takes no more than nn.%s(x, %s{…}); here are %d arguments.", c.layer->name,
                  c.layer->name, c.layer->second ? "number, " : "", lua_gettop(L));
  skp_value out[SKP_MAX_OUT];
  c.x = skp__nn_check(L, 1, c.layer->name);
  if (c.layer->second) c.K = read_second(&c);
  lua_settop(L, c.options);
  read_options(&c);
  name_layer(&c);
  set_attrs(&c);
  for (int i = 0; i < SKP_MAX_IN; i++) c.in[i] = SKP_NONE;
  c.in[0] = c.x->v;
  if (c.layer->complete) c.layer->complete(&c);
  skp__lua_check(L, skp__graph_layer(skp__nn_graph(L), c.layer->op, &c.attrs, c.in, first_only, c.scope, out));
  skp__nn_push(L, out[0]);
  return 1;
}
