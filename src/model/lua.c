/* lua.c: Lua 5.4 in a sandbox. SPDX-License-Identifier: MIT
 *
 * Model files come with checkpoints from anywhere, so they are not trusted. They get neither files nor the clock, no
 * bytecode and no coroutines, no metatables of their own, no pcall that could swallow a limit, and none of the library
 * functions that can run long inside C, where the instruction count does not reach (string patterns, string.rep,
 * table.move). What is left is bounded by two limits: memory, in the allocator, and instructions, in a hook.
 *
 * The file runs in a coroutine because an error leaves the stack of a coroutine as it
 * was: so even "out of memory" gets a line. */
#include "base/utf8.h"
#include "model/build.h"
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

enum {
  MEMORY_LIMIT = 256 << 20,
  INSTRUCTION_LIMIT = 200000000, /* about two seconds */
  HOOK_STEP = 10000,
};

struct skp_build *skp__build_of(lua_State *L) {
  return *(struct skp_build **)lua_getextraspace(L);
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

static void *allocate(void *user, void *block, size_t old, size_t size) {
  struct skp_build *b = user;
  if (!block) old = 0; /* then it is a type tag */
  if (size == 0) {
    b->memory -= old;
    free(block);
    return NULL;
  }
  if (size > old && size - old > MEMORY_LIMIT - b->memory) return NULL;
  void *moved = realloc(block, size);
  if (moved) b->memory += size - old;
  return moved;
}

static void count_instructions(lua_State *L, lua_Debug *ar) {
  (void)ar;
  struct skp_build *b = skp__build_of(L);
  b->instructions += HOOK_STEP;
  if (b->instructions > INSTRUCTION_LIMIT)
    luaL_error(L, "more than %d million instructions: an endless loop?", INSTRUCTION_LIMIT / 1000000);
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
    return skp__fail(SKP_MODEL, "%sThe model needs more than %d MiB.", where, MEMORY_LIMIT >> 20);
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

static int print(lua_State *L) {
  FILE *to = skp__build_of(L)->print_to;
  for (int i = 1, n = lua_gettop(L); i <= n; i++) {
    const char *text = text_of(L, i);
    if (to && i > 1) fputc('\t', to);
    if (to) skp__print_lines(to, text);
    lua_pop(L, 1);
  }
  if (to) fputc('\n', to);
  return 0;
}

struct library {
  const char *name; /* "_G": the globals */
  lua_CFunction open;
  const char *kept; /* names with a space around each */
};

static const struct library libraries[] = {
    {LUA_GNAME, luaopen_base, " assert error ipairs next pairs select tonumber tostring type "},
    {LUA_MATHLIBNAME, luaopen_math,
     " abs ceil floor fmod huge log exp max maxinteger min mininteger modf pi sqrt tointeger type ult "},
    {LUA_STRLIBNAME, luaopen_string, " byte char format len lower reverse sub upper "},
    {LUA_TABLIBNAME, luaopen_table, " concat insert pack remove sort unpack "},
};

static bool keeps(const struct library *library, const char *name) {
  char word[64];
  snprintf(word, sizeof word, " %s ", name);
  return strstr(library->kept, word);
}

/* Clears what is not on the list from the library's table on top of the stack. */
static void strip(lua_State *L, const struct library *library) {
  for (lua_pushnil(L); lua_next(L, -2);) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING && keeps(library, lua_tostring(L, -1))) continue;
    lua_pushvalue(L, -1);
    lua_pushnil(L);
    lua_settable(L, -4); /* clearing an entry is allowed while traversing */
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
