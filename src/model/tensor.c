/* tensor.c: tensors as model files see them. SPDX-License-Identifier: MIT */
#include "model/nn.h"
#include <string.h>

const char skp__nn_tensor_type[] = "tensor";

struct skp_graph *skp__nn_graph(lua_State *L) {
  return skp__build_of(L)->model->graph;
}

const struct skp_shape *skp__nn_shape(lua_State *L, const struct skp__nn_tensor *t) {
  return &skp__nn_graph(L)->tensors.at[t->v].shape;
}

void skp__nn_push(lua_State *L, skp_value v) {
  struct skp__nn_tensor *t = lua_newuserdatauv(L, sizeof *t, 0);
  t->v = v;
  luaL_setmetatable(L, skp__nn_tensor_type);
}

skp_value skp__nn_value(lua_State *L, int index) {
  const struct skp__nn_tensor *t = luaL_testudata(L, index, skp__nn_tensor_type);
  return t ? t->v : SKP_NONE;
}

const struct skp__nn_tensor *skp__nn_check(lua_State *L, int index, const char *layer) {
  const struct skp__nn_tensor *t = luaL_testudata(L, index, skp__nn_tensor_type);
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

int skp__nn_tostring(lua_State *L) {
  char text[512];
  lua_pushstring(L, skp__nn_text(text, sizeof text, skp__nn_graph(L), skp__nn_check(L, 1, "tostring")->v));
  return 1;
}

/* x.shape (without N), x.height, x.width, x.channels: a matrix has channels only. */
int skp__nn_index(lua_State *L) {
  const struct skp_shape *s = skp__nn_shape(L, skp__nn_check(L, 1, "index"));
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
