/* lua.c: Lua 5.4 in a sandbox. SPDX-License-Identifier: MIT
 *
 * Model files come with checkpoints from anywhere, so they are not trusted. They get neither files nor the clock, no
 * bytecode and no coroutines, no metatables of their own, no pcall that could swallow a limit, and no string patterns,
 * whose time has no bound. What is left is bounded by three limits: memory, in the allocator; instructions, in a hook,
 * where a library function counts as many as bytes and entries go through its hands; and seconds of the processor, in
 * both, for what runs long inside Lua itself, as joining and comparing long texts.
 *
 * The file runs in a coroutine because an error leaves the stack of a coroutine as it
 * was: so even "out of memory" gets a line. */
#include "base/utf8.h"
#include "model/build.h"
#include <lualib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  MEMORY_LIMIT = 8 << 20,
  INSTRUCTION_LIMIT = 200000, /* a fuzzer looks at many files a second */
#else
  MEMORY_LIMIT = 128 << 20,
  INSTRUCTION_LIMIT = 200000000, /* about two seconds */
#endif
  REFUSALS = 3,    /* of memory, each of which makes Lua look for garbage everywhere */
  HOOK_STEP = 100, /* instructions, each of which may compare two texts that fill the memory: some 10 ms */
  SECONDS_LIMIT = 5,
  LOOK_STEP = 1 << 20, /* bytes and instructions after which the clock is looked at */
};

struct skp_build *skp__build_of(lua_State *L) {
  return *(struct skp_build **)lua_getextraspace(L);
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

/* Of this thread: neither others' load nor a pause counts. */
static double seconds_used(void) {
  struct timespec t;
  return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) ? 0 : (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Looks at the clock now and then; `work`: what may have been done since the last call. */
static bool is_late(struct skp_build *b, size_t work) {
  b->unseen += work;
  if (!b->late && b->unseen >= LOOK_STEP) {
    b->unseen = 0;
    b->late = seconds_used() - b->began > SECONDS_LIMIT;
  }
  return b->late;
}

/* NULL of an allocation ends the run: Lua says that memory lacks, whatever it was. */
static void *allocate(void *user, void *block, size_t old, size_t size) {
  struct skp_build *b = user;
  if (!block) old = 0; /* then it is a type tag */
  if (size == 0) {
    b->memory -= old;
    free(block);
    return NULL;
  }
  if (size > old && (b->refusals >= REFUSALS || is_late(b, size - old))) return NULL;
  if (size > old && size - old > MEMORY_LIMIT - b->memory) {
    b->refusals++;
    return NULL;
  }
  void *moved = realloc(block, size);
  if (moved) b->memory += size - old;
  return moved;
}

static void check_seconds(lua_State *L, size_t work) {
  if (is_late(skp__build_of(L), work)) luaL_error(L, "more than %d seconds: an endless loop?", SECONDS_LIMIT);
}

/* Counts what is about to be done as instructions; past a limit it is a Lua error. */
static void charge(lua_State *L, unsigned long long work) {
  struct skp_build *b = skp__build_of(L);
  const unsigned long long left = (unsigned long long)(INSTRUCTION_LIMIT - b->instructions);
  if (work > left) luaL_error(L, "more than %d million instructions: an endless loop?", INSTRUCTION_LIMIT / 1000000);
  b->instructions += (long long)work;
  check_seconds(L, (size_t)work);
}

/* An instruction may go over all that the memory holds, as a comparison does: the more that is, the sooner the clock is
 * looked at. */
static void count_instructions(lua_State *L, lua_Debug *ar) {
  (void)ar;
  charge(L, HOOK_STEP);
  check_seconds(L, HOOK_STEP * (skp__build_of(L)->memory >> 10));
}

void skp__lua_take(lua_State *L, size_t n, size_t bytes) {
  struct skp_build *b = skp__build_of(L);
  charge(L, n);
  if (bytes > MEMORY_LIMIT - b->memory) luaL_error(L, "The model needs more than %d MiB.", MEMORY_LIMIT >> 20);
  b->memory += bytes;
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

void skp__lua_check(lua_State *L, skp_status status) {
  if (status == SKP_OK) return;
  skp__build_of(L)->status = status;
  luaL_error(L, "%s", skp_error_message());
}

int skp__lua_fail(lua_State *L, skp_status status, const char *format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  skp__build_of(L)->status = status;
  return luaL_error(L, "%s", text);
}

void skp__lua_check_keys(lua_State *L, int index, const char *what, const char *const *known) {
  char list[512] = "";
  for (int i = 0; known[i]; i++)
    snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", known[i]);
  index = lua_absindex(L, index);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      skp__lua_fail(L, SKP_MODEL, "%s has an entry without a name. It knows %s.", what, list);
    int i = 0;
    while (known[i] && strcmp(known[i], lua_tostring(L, -2)) != 0) i++;
    if (!known[i]) skp__lua_fail(L, SKP_MODEL, "%s has no entry \"%s\". It knows %s.", what, lua_tostring(L, -2), list);
  }
}

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

/* Writes "FILE:LINE: " for the innermost function of the model file that co is in, or
 * "FILE: " when the file itself has ended. */
static void place_of(char *where, size_t size, lua_State *co, const struct skp_build *b) {
  lua_Debug ar;
  snprintf(where, size, "%s: ", b->path);
  for (int level = 0; lua_getstack(co, level, &ar); level++) {
    lua_getinfo(co, "Sl", &ar);
    if (ar.currentline <= 0 || *ar.source != '@') continue; /* C, or the library of blocks */
    snprintf(where, size, "%s:%d: ", ar.short_src, ar.currentline);
    return;
  }
}

/* Turns the failure of coroutine co into the error text. */
static skp_status describe(lua_State *co, const struct skp_build *b, int error) {
  char where[512];
  place_of(where, sizeof where, co, b);
  if (error == LUA_ERRMEM)
    return b->late ? skp__fail(SKP_MODEL, "%smore than %d seconds: an endless loop?", where, SECONDS_LIMIT)
                   : skp__fail(SKP_MODEL, "%sThe model needs more than %d MiB.", where, MEMORY_LIMIT >> 20);
  if (lua_type(co, -1) != LUA_TSTRING)
    return skp__fail(SKP_MODEL, "%sAn error that is no text but %s.", where, luaL_typename(co, -1));
  const char *text = lua_tostring(co, -1);
  bool placed = begins(text, b->path) || begins(text, "..."); /* Lua has written the place, a long path cut */
  return skp__fail(b->status == SKP_OK ? SKP_MODEL : b->status, "%s%s", placed ? "" : where, text);
}

/* ---- library ----------------------------------------------------------------------------------------------------- */

/* A value as text, pushed; of a list, as x.shape is one, what is in it: an address would tell nothing. */
static const char *text_of(lua_State *L, int index) {
  luaL_Buffer text;
  const lua_Integer n = lua_istable(L, index) ? (lua_Integer)lua_rawlen(L, index) : 0;
  if (!n) return luaL_tolstring(L, index, NULL);
  luaL_buffinit(L, &text);
  for (lua_Integer i = 1; i <= n; i++) {
    luaL_addstring(&text, i > 1 ? ", " : "{");
    lua_rawgeti(L, index, i);
    luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
    luaL_addvalue(&text);
  }
  luaL_addstring(&text, "}");
  luaL_pushresult(&text);
  return lua_tostring(L, -1);
}

/* Where it is shown, a byte costs more than an instruction, and whoever reads it time. */
static int print(lua_State *L) {
  enum { PRINTED = 16 };
  FILE *to = skp__build_of(L)->print_to;
  for (int i = 1, n = lua_gettop(L); i <= n; i++) {
    charge(L, lua_istable(L, i) ? PRINTED * lua_rawlen(L, i) : 0);
    const char *text = text_of(L, i);
    charge(L, PRINTED * lua_rawlen(L, -1));
    if (to && i > 1) fputc('\t', to);
    if (to) skp__print_lines(to, text);
    lua_pop(L, 1);
  }
  if (to) fputc('\n', to);
  return 0;
}

/* ---- what library functions do for their arguments, in instructions -------------------------------------------- */

typedef unsigned long long (*cost)(lua_State *L);

static unsigned long long absolute(lua_Integer n) {
  return n < 0 ? 0ULL - (unsigned long long)n : (unsigned long long)n;
}

/* The bytes of all texts. */
static unsigned long long cost_texts(lua_State *L) {
  unsigned long long bytes = 0;
  for (int i = 1; i <= lua_gettop(L); i++)
    if (lua_type(L, i) == LUA_TSTRING) bytes += lua_rawlen(L, i);
  return bytes;
}

/* Entries of the list that is argument 1. */
static unsigned long long entries(lua_State *L) { return lua_istable(L, 1) ? lua_rawlen(L, 1) : 0; }

/* insert(t, place, x) and remove(t, place) move what follows the place; without one nothing moves. */
static unsigned long long cost_insert(lua_State *L) { return lua_gettop(L) > 2 ? entries(L) : 1; }
static unsigned long long cost_remove(lua_State *L) { return lua_gettop(L) > 1 ? entries(L) : 1; }

/* n log n comparisons, each of which may go over a whole text. */
static unsigned long long cost_sort(lua_State *L) {
  const unsigned long long n = entries(L);
  unsigned long long bytes = 0, levels = 1;
  while (levels < 63 && n >> levels) levels++;
  for (unsigned long long i = 1; i <= n && bytes <= INSTRUCTION_LIMIT; i++, lua_pop(L, 1))
    if (lua_rawgeti(L, 1, (lua_Integer)i) == LUA_TSTRING) bytes += lua_rawlen(L, -1);
  return n > INSTRUCTION_LIMIT ? n : (8 * n + bytes) * levels;
}

/* unpack(t, from, to), and concat(t, between, from, to), which writes `between` each time. */
static unsigned long long cost_range(lua_State *L, int from) {
  const lua_Integer last = lua_isinteger(L, from + 1) ? lua_tointeger(L, from + 1) : (lua_Integer)entries(L);
  return lua_isinteger(L, from) ? absolute(last) + absolute(lua_tointeger(L, from)) : absolute(last);
}

static unsigned long long cost_unpack(lua_State *L) { return cost_range(L, 2); }

static unsigned long long cost_concat(lua_State *L) {
  const unsigned long long n = cost_range(L, 3), between = lua_type(L, 2) == LUA_TSTRING ? lua_rawlen(L, 2) : 0;
  return n > INSTRUCTION_LIMIT ? n : n * (between + 1);
}

/* byte(s, from, to) and select(n, …) push what they return. */
static unsigned long long cost_results(lua_State *L) { return cost_texts(L) + (unsigned long long)lua_gettop(L); }

static unsigned long long cost_one(lua_State *L) {
  (void)L;
  return 1;
}

struct kept {
  const char *name;
  cost cost;
};

struct library {
  const char *name; /* "_G": the globals */
  lua_CFunction open;
  struct kept kept[20];
};

static const struct library libraries[] = {
    {LUA_GNAME,
     luaopen_base,
     {{"assert", cost_one},
      {"error", cost_one},
      {"ipairs", cost_one},
      {"next", cost_one},
      {"pairs", cost_one},
      {"select", cost_results},
      {"tonumber", cost_texts},
      {"tostring", cost_texts},
      {"type", cost_one}}},
    {LUA_MATHLIBNAME,
     luaopen_math,
     {{"abs", cost_one},
      {"ceil", cost_one},
      {"floor", cost_one},
      {"fmod", cost_one},
      {"huge", NULL},
      {"log", cost_one},
      {"exp", cost_one},
      {"max", cost_results},
      {"maxinteger", NULL},
      {"min", cost_results},
      {"mininteger", NULL},
      {"modf", cost_one},
      {"pi", NULL},
      {"sqrt", cost_one},
      {"tointeger", cost_texts},
      {"type", cost_one},
      {"ult", cost_one}}},
    {LUA_STRLIBNAME,
     luaopen_string,
     {{"byte", cost_results},
      {"char", cost_results},
      {"format", cost_texts},
      {"len", cost_one},
      {"lower", cost_texts},
      {"reverse", cost_texts},
      {"sub", cost_texts},
      {"upper", cost_texts}}},
    {LUA_TABLIBNAME,
     luaopen_table,
     {{"concat", cost_concat},
      {"insert", cost_insert},
      {"pack", cost_results},
      {"remove", cost_remove},
      {"sort", cost_sort},
      {"unpack", cost_unpack}}},
};

/* A library function that is charged before it does its work, and for the text that it makes: its upvalues are the
 * library's own function and its row. */
static int charged(lua_State *L) {
  const struct kept *row = lua_touserdata(L, lua_upvalueindex(2));
  charge(L, row->cost(L));
  const int results = lua_tocfunction(L, lua_upvalueindex(1))(L);
  if (results == 1 && lua_type(L, -1) == LUA_TSTRING) charge(L, lua_rawlen(L, -1));
  return results;
}

static const struct kept *find_kept(const struct library *library, const char *name) {
  for (const struct kept *k = library->kept; k->name; k++)
    if (strcmp(k->name, name) == 0) return k;
  return NULL;
}

/* What takes the place of the value on top of the stack, pushed: nil, itself, or the function charged. */
static void push_kept(lua_State *L, const struct kept *kept) {
  if (!kept) {
    lua_pushnil(L);
    return;
  }
  lua_pushvalue(L, -1);
  if (!kept->cost) return;
  lua_pushlightuserdata(L, (void *)(uintptr_t)kept);
  lua_pushcclosure(L, charged, 2);
}

/* Clears what is not on the list from the library's table on top of the stack; the rest is charged. */
static void strip(lua_State *L, const struct library *library) {
  for (lua_pushnil(L); lua_next(L, -2);) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    push_kept(L, find_kept(library, name));
    lua_pushvalue(L, -3);
    lua_insert(L, -2);
    lua_settable(L, -5); /* changing an entry is allowed while traversing */
    lua_pop(L, 1);
  }
}

static void open_libraries(lua_State *L) {
  for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
    luaL_requiref(L, libraries[i].name, libraries[i].open, 0);
    strip(L, &libraries[i]);
    if (i) lua_setglobal(L, libraries[i].name);
    lua_settop(L, 0);
  }
  lua_register(L, "print", print);
}

/* Runs models/lib/NAME.lua for the global NAME. */
static void open_source(lua_State *L, const struct skp__lua_source *source) {
  char chunk[64];
  snprintf(chunk, sizeof chunk, "=%s.lua", source->name);
  if (luaL_loadbufferx(L, source->text, strlen(source->text), chunk, "t") != LUA_OK) lua_error(L);
  lua_call(L, 0, 1);
  lua_setglobal(L, source->name);
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static int body_in_coroutine(lua_State *L) {
  lua_CFunction body = lua_tocfunction(L, 1);
  lua_State *co = lua_newthread(L);
  lua_sethook(co, count_instructions, LUA_MASKCOUNT, HOOK_STEP);
  lua_pushcfunction(co, body);
  int results, error = lua_resume(co, L, 0, &results);
  lua_pushinteger(L, error == LUA_OK ? SKP_OK : describe(co, skp__build_of(L), error));
  return 1;
}

/* Argument 1 fills the globals before the model library is read. */
static int prepare(lua_State *L) {
  lua_CFunction globals = lua_tocfunction(L, 1);
  open_libraries(L);
  globals(L);
  for (const struct skp__lua_source *source = skp__lua_sources; source->name; source++) open_source(L, source);
  return 0;
}

skp_status skp__lua_run(struct skp_build *b, lua_CFunction globals, lua_CFunction body) {
  b->began = seconds_used();
  lua_State *L = lua_newstate(allocate, b);
  if (!L) return skp__fail_memory("Lua", MEMORY_LIMIT);
  *(struct skp_build **)lua_getextraspace(L) = b;
  lua_pushcfunction(L, prepare); /* light C functions: pushing them needs no memory */
  lua_pushcfunction(L, globals);
  int error = lua_pcall(L, 1, 0, 0);
  if (error == LUA_OK) {
    lua_pushcfunction(L, body_in_coroutine);
    lua_pushcfunction(L, body);
    error = lua_pcall(L, 1, 1, 0);
  }
  skp_status status =
      error == LUA_OK ? (skp_status)lua_tointeger(L, -1) : skp__fail(SKP_MODEL, "Lua: %s", lua_tostring(L, -1));
  lua_close(L);
  return status;
}
