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
#include "model/limits.h"
#include <string.h>

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
    return b->late ? skp__fail(SKP_MODEL, "%smore than %d seconds: an endless loop?", where, SKP_LUA_SECONDS)
                   : skp__fail(SKP_MODEL, "%sThe model needs more than %d MiB.", where, SKP_LUA_BYTES >> 20);
  if (lua_type(co, -1) != LUA_TSTRING)
    return skp__fail(SKP_MODEL, "%sAn error that is no text but %s.", where, luaL_typename(co, -1));
  const char *text = lua_tostring(co, -1);
  bool placed = begins(text, b->path) || begins(text, "..."); /* Lua has written the place, a long path cut */
  return skp__fail(b->status == SKP_OK ? SKP_MODEL : b->status, "%s%s", placed ? "" : where, text);
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

/* Runs models/lib/NAME.lua for the global NAME. */
static void open_source(lua_State *L, const struct skp__lua_source *source) {
  char chunk[64];
  snprintf(chunk, sizeof chunk, "=%s.lua", source->name);
  if (luaL_loadbufferx(L, source->text, strlen(source->text), chunk, "t") != LUA_OK) lua_error(L);
  lua_call(L, 0, 1);
  lua_setglobal(L, source->name);
}

static int body_in_coroutine(lua_State *L) {
  lua_CFunction body = lua_tocfunction(L, 1);
  lua_State *co = lua_newthread(L);
  skp__lua_count(co);
  lua_pushcfunction(co, body);
  int results, error = lua_resume(co, L, 0, &results);
  lua_pushinteger(L, error == LUA_OK ? SKP_OK : describe(co, skp__build_of(L), error));
  return 1;
}

/* Argument 1 fills the globals before the model library is read. */
static int prepare(lua_State *L) {
  lua_CFunction globals = lua_tocfunction(L, 1);
  skp__lua_open(L);
  globals(L);
  for (const struct skp__lua_source *source = skp__lua_sources; source->name; source++) open_source(L, source);
  return 0;
}

skp_status skp__lua_run(struct skp_build *b, lua_CFunction globals, lua_CFunction body) {
  skp__lua_clock(b);
  lua_State *L = lua_newstate(skp__lua_allocate, b);
  if (!L) return skp__fail_memory("Lua", SKP_LUA_BYTES);
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
