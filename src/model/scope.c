/* scope.c: names of layers and weights. SPDX-License-Identifier: MIT
 *
 * Layers are named as in PyTorch: an explicit name, or within a scope a running number, which counts every layer as
 * nn.Sequential does (layer.c). */
#include "model/nn.h"
#include <string.h>

void skp__nn_check_name(lua_State *L, const char *name) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  size_t n = strlen(name);
  if (n == 0 || n > 64 || strspn(name, allowed) != n || *name == '.' || name[n - 1] == '.')
    skp__lua_fail(L, SKP_MODEL, "A name has 1 to 64 letters, digits and _ - with dots between, not \"%s\".", name);
}

void skp__nn_append_name(lua_State *L, char *scope, const char *name) {
  size_t used = strlen(scope), left = sizeof skp__build_of(L)->scope - used;
  if (snprintf(scope + used, left, "%s%s", used ? "." : "", name) >= (int)left)
    skp__lua_fail(L, SKP_MODEL, "The name %s.%s is too long: scopes are nested too deep.", scope, name);
}

/* nn.scope(name, f, …): f(…) with NAME in front of the names of what it makes. An error ends the whole build, so the
 * scope need not be restored then. */
int skp__nn_scope(lua_State *L) {
  struct skp_build *b = skp__build_of(L);
  size_t outer = strlen(b->scope);
  int index = b->index;
  const char *name = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  skp__nn_check_name(L, name);
  skp__nn_append_name(L, b->scope, name);
  b->index = 0;
  lua_call(L, lua_gettop(L) - 2, LUA_MULTRET);
  b->scope[outer] = 0;
  b->index = index;
  return lua_gettop(L) - 1;
}

/* They are keys of a table of Lua's. */
bool skp__nn_take_name(lua_State *L, const char *name) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, "weights");
  const bool fresh = lua_getfield(L, -1, name) == LUA_TNIL;
  lua_pushboolean(L, true);
  lua_setfield(L, -3, name);
  lua_pop(L, 2);
  return fresh;
}
