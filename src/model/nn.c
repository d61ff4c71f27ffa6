/* nn.c: the table `nn` of model files. SPDX-License-Identifier: MIT */
#include "model/nn.h"

/* ---- layers of several tensors ----------------------------------------------------------------------------------- */

/* A node of the enclosing scope, pushed. */
static int join(lua_State *L, const struct skp_op *op, const skp_value *in) {
  skp_value out;
  skp__lua_check(L, skp__graph_layer(skp__nn_graph(L), op, NULL, in, NULL, skp__build_of(L)->scope, &out));
  skp__nn_push(L, out);
  return 1;
}

/* nn.add(a, b), and a + b. */
static int add(lua_State *L) {
  const struct skp__nn_tensor *a = skp__nn_check(L, 1, "add"), *b = skp__nn_check(L, 2, "add");
  struct skp_graph *g = skp__nn_graph(L);
  char ta[512], tb[512];
  if (!skp__shape_equal(skp__nn_shape(L, a), skp__nn_shape(L, b)))
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
  const struct skp__nn_tensor *a = skp__nn_check(L, 1, "mul"), *b = skp__nn_check(L, 2, "mul");
  const struct skp_shape *sa = skp__nn_shape(L, a), *sb = skp__nn_shape(L, b);
  char ta[512], tb[512];
  if (!skp__shape_equal(sa, sb) && !scales(sa, sb) && !scales(sb, sa))
    skp__lua_fail(L, SKP_SHAPE, "cannot multiply %s and %s: the shapes should be the same, or one of them N×1×1×C.",
                  skp__nn_text(ta, sizeof ta, skp__nn_graph(L), a->v),
                  skp__nn_text(tb, sizeof tb, skp__nn_graph(L), b->v));
  const bool turned = !scales(sa, sb) && scales(sb, sa);
  return join(L, &skp__op_mul, (const skp_value[]){turned ? b->v : a->v, turned ? a->v : b->v});
}

/* nn.concat(a, b, …). What it reads is Lua's memory, which an error frees. */
static int concat(lua_State *L) {
  skp__nn_check(L, 1, "concat");
  const int n = lua_gettop(L);
  skp_value *in = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *in, 0);
  for (int i = 0; i < n; i++) in[i] = skp__nn_check(L, i + 1, "concat")->v;
  in[n] = SKP_NONE;
  if (n > 1) return join(L, &skp__op_concat, in);
  skp__nn_push(L, in[0]);
  return 1;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static const luaL_Reg functions[] = {
    {"scope", skp__nn_scope}, {"add", add}, {"mul", mul}, {"concat", concat}, {NULL, NULL}};

/* A name that is none: an error that lists those that are. */
static int no_layer(lua_State *L) {
  struct skp__text list = {.n = 0};
  const char *name = luaL_tolstring(L, 2, NULL);
  for (const luaL_Reg *f = functions; f->name; f++) skp__text_add(&list, " %s", f->name);
  for (const struct skp__layer *l = skp__layers; l->name; l++) skp__text_add(&list, " %s", l->name);
  return skp__lua_fail(L, SKP_MODEL, "There is no nn.%s. There is:%s.", name, list.at);
}

int skp__nn_open(lua_State *L) {
  static const luaL_Reg meta[] = {
      {"__tostring", skp__nn_tostring}, {"__index", skp__nn_index}, {"__add", add}, {"__mul", mul}, {NULL, NULL}};
  luaL_newmetatable(L, skp__nn_tensor_type);
  luaL_setfuncs(L, meta, 0);
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  for (const struct skp__layer *l = skp__layers; l->name; l++) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)l);
    lua_pushcclosure(L, skp__layer_make, 1);
    lua_setfield(L, -2, l->name);
  }
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, no_layer);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_setglobal(L, "nn");
  return 0;
}
