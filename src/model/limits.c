/* limits.c: how much memory, work and time a model file may take. SPDX-License-Identifier: MIT */
#include "model/limits.h"
#include <stdlib.h>
#include <time.h>

enum {
  REFUSALS = 3,        /* of memory, each of which makes Lua look for garbage everywhere */
  HOOK_STEP = 100,     /* instructions, each of which may compare two texts that fill the memory: some 10 ms */
  LOOK_STEP = 1 << 20, /* bytes and instructions after which the clock is looked at */
};

struct skp_build *skp__build_of(lua_State *L) {
  return *(struct skp_build **)lua_getextraspace(L);
}

/* Of this thread: neither others' load nor a pause counts. */
static double seconds_used(void) {
  struct timespec t;
  return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) ? 0 : (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void skp__lua_clock(struct skp_build *b) { b->began = seconds_used(); }

/* Looks at the clock now and then; `work`: what may have been done since the last call. */
static bool is_late(struct skp_build *b, size_t work) {
  b->unseen += work;
  if (!b->late && b->unseen >= LOOK_STEP) {
    b->unseen = 0;
    b->late = seconds_used() - b->began > SKP_LUA_SECONDS;
  }
  return b->late;
}

/* NULL of an allocation ends the run: Lua says that memory lacks, whatever it was. */
void *skp__lua_allocate(void *user, void *block, size_t old, size_t size) {
  struct skp_build *b = user;
  if (!block) old = 0; /* then it is a type tag */
  if (size == 0) {
    b->memory -= old;
    free(block);
    return NULL;
  }
  if (size > old && (b->refusals >= REFUSALS || is_late(b, size - old))) return NULL;
  if (size > old && size - old > SKP_LUA_BYTES - b->memory) {
    b->refusals++;
    return NULL;
  }
  void *moved = realloc(block, size);
  if (moved) b->memory += size - old;
  return moved;
}

static void check_seconds(lua_State *L, size_t work) {
  if (is_late(skp__build_of(L), work)) luaL_error(L, "more than %d seconds: an endless loop?", SKP_LUA_SECONDS);
}

void skp__lua_charge(lua_State *L, unsigned long long work) {
  struct skp_build *b = skp__build_of(L);
  const unsigned long long left = (unsigned long long)(SKP_LUA_INSTRUCTIONS - b->instructions);
  if (work > left) luaL_error(L, "more than %d million instructions: an endless loop?", SKP_LUA_INSTRUCTIONS / 1000000);
  b->instructions += (long long)work;
  check_seconds(L, (size_t)work);
}

/* An instruction may go over all that the memory holds, as a comparison does: the more that is, the sooner the clock is
 * looked at. */
static void count_instructions(lua_State *L, lua_Debug *ar) {
  (void)ar;
  skp__lua_charge(L, HOOK_STEP);
  check_seconds(L, HOOK_STEP * (skp__build_of(L)->memory >> 10));
}

void skp__lua_count(lua_State *co) { lua_sethook(co, count_instructions, LUA_MASKCOUNT, HOOK_STEP); }

void skp__lua_take(lua_State *L, size_t n, size_t bytes) {
  struct skp_build *b = skp__build_of(L);
  skp__lua_charge(L, n);
  if (bytes > SKP_LUA_BYTES - b->memory) luaL_error(L, "The model needs more than %d MiB.", SKP_LUA_BYTES >> 20);
  b->memory += bytes;
}
