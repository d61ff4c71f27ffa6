/* build.h: what the files of this folder share while a Lua model file builds a graph. SPDX-License-Identifier: MIT */
#ifndef SKP_MODEL_BUILD_H
#define SKP_MODEL_BUILD_H

#include "model/model.h"
#include <lauxlib.h>
#include <lua.h>

/* One run of a model file. Lua functions find it by skp__build_of. */
struct skp_build {
  struct skp_model *model;
  const char *path; /* as errors show it */
  const struct skp_setting *set;
  size_t sets;
  int size;
  FILE *print_to;

  char scope[256]; /* "residual_block_1.block"; "" outside of nn.scope */
  int index;       /* the number that the next layer without a name gets in this scope */

  size_t memory;          /* bytes that Lua holds */
  long long instructions; /* executed so far, in steps of the hook */
  skp_status status;      /* of a C function that failed; the text is in the Lua error */
};

/* lua.c: the sandbox. Runs `body` with the build at hand; a Lua error, or a limit that was hit, becomes a status and a text with file and
 * line. Inside `body` everything may raise Lua errors; no C memory may be held across calls that do. */
skp_status skp__lua_run(struct skp_build *b, lua_CFunction body);
struct skp_build *skp__build_of(lua_State *L);
/* Raises a Lua error from the present error text unless `status` is SKP_OK. */
void skp__lua_check(lua_State *L, skp_status status);
/* Raises a Lua error of this status with file and line. */
int skp__lua_fail(lua_State *L, skp_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Raises an error unless the string keys of the table at `index` are among `known` (NULL-terminated); `what` names the table. */
void skp__lua_check_keys(lua_State *L, int index, const char *what, const char *const *known);

/* nn.c: puts the table `nn` into the globals. */
void skp__nn_open(lua_State *L);
/* Pushes value v as a Lua tensor. */
void skp__nn_push(lua_State *L, skp_value v);
/* The value of the Lua tensor at `index`, or SKP_NONE if it is none. */
skp_value skp__nn_value(lua_State *L, int index);
/* "block_1.0 conv2d  N×28×28×4": how a model file sees a value. */
const char *skp__nn_text(char *text, size_t size, const struct skp_graph *g, skp_value v);

#endif
