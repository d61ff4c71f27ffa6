/* limits.h: how much memory, work and time a model file may take; see lua.c. SPDX-License-Identifier: MIT */
#ifndef SKP_MODEL_LIMITS_H
#define SKP_MODEL_LIMITS_H

#include "model/build.h"

enum {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  SKP_LUA_BYTES = 8 << 20,
  SKP_LUA_INSTRUCTIONS = 200000, /* a fuzzer looks at many files a second */
#else
  SKP_LUA_BYTES = 128 << 20,
  SKP_LUA_INSTRUCTIONS = 200000000, /* about two seconds */
#endif
  SKP_LUA_SECONDS = 5, /* of the processor */
};

/* Begins to count the seconds. */
void skp__lua_clock(struct skp_build *b);
/* Lua's allocator, for a build as its `user`. */
void *skp__lua_allocate(void *user, void *block, size_t old, size_t size);
/* Counts what a coroutine does from now on. */
void skp__lua_count(lua_State *co);
/* Counts what is about to be done as instructions; past a limit it is a Lua error. */
void skp__lua_charge(lua_State *L, unsigned long long work);

#endif
