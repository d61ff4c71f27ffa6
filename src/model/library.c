/* library.c: what of Lua's own library a model file may call, and what each call costs it.
 * SPDX-License-Identifier: MIT */
#include "base/utf8.h"
#include "model/limits.h"
#include <lualib.h>
#include <string.h>

/* ---- print ---------------------------------------------------------------------------------------------------- */

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
    skp__lua_charge(L, lua_istable(L, i) ? PRINTED * lua_rawlen(L, i) : 0);
    const char *text = text_of(L, i);
    skp__lua_charge(L, PRINTED * lua_rawlen(L, -1));
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
  for (unsigned long long i = 1; i <= n && bytes <= SKP_LUA_INSTRUCTIONS; i++, lua_pop(L, 1))
    if (lua_rawgeti(L, 1, (lua_Integer)i) == LUA_TSTRING) bytes += lua_rawlen(L, -1);
  return n > SKP_LUA_INSTRUCTIONS ? n : (8 * n + bytes) * levels;
}

/* unpack(t, from, to), and concat(t, between, from, to), which writes `between` each time. */
static unsigned long long cost_range(lua_State *L, int from) {
  const lua_Integer last = lua_isinteger(L, from + 1) ? lua_tointeger(L, from + 1) : (lua_Integer)entries(L);
  return lua_isinteger(L, from) ? absolute(last) + absolute(lua_tointeger(L, from)) : absolute(last);
}

static unsigned long long cost_unpack(lua_State *L) { return cost_range(L, 2); }

static unsigned long long cost_concat(lua_State *L) {
  const unsigned long long n = cost_range(L, 3), between = lua_type(L, 2) == LUA_TSTRING ? lua_rawlen(L, 2) : 0;
  return n > SKP_LUA_INSTRUCTIONS ? n : n * (between + 1);
}

/* byte(s, from, to) and select(n, …) push what they return. */
static unsigned long long cost_results(lua_State *L) { return cost_texts(L) + (unsigned long long)lua_gettop(L); }

static unsigned long long cost_one(lua_State *L) {
  (void)L;
  return 1;
}

/* ---- what there is -------------------------------------------------------------------------------------------- */

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
  skp__lua_charge(L, row->cost(L));
  const int results = lua_tocfunction(L, lua_upvalueindex(1))(L);
  if (results == 1 && lua_type(L, -1) == LUA_TSTRING) skp__lua_charge(L, lua_rawlen(L, -1));
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

void skp__lua_open(lua_State *L) {
  for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
    luaL_requiref(L, libraries[i].name, libraries[i].open, 0);
    strip(L, &libraries[i]);
    if (i) lua_setglobal(L, libraries[i].name);
    lua_settop(L, 0);
  }
  lua_register(L, "print", print);
}
