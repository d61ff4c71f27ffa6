/* model.c: runs a model file and reads what it returns. SPDX-License-Identifier: MIT
 *
 *   return {
 *     input = {channels = 1, size = 28},         what comes in: square images
 *     recipe = {data = "digits", batch = 128},   how to train: see recipe.h
 *     args = {depth = 18},                       (optional) what settings may change, with defaults
 *     network = function(x, args) … end,         the image tensor to the logits
 *   } */
#include "base/file.h"
#include "base/utf8.h"
#include "io/onnx.h"
#include "io/weights.h"
#include "model/build.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOURCE_LIMIT = 1 << 20, MAX_CHANNELS = 1024, MAX_SIZE = 1 << 14 };

/* ---- args -------------------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* Fails with the names in the table `args` on top of the stack, sorted: Lua's own order changes from run to run. */
static void fail_setting(lua_State *L, const char *name) {
  enum { MOST = 64 };
  const char *names[MOST];
  char list[512] = "";
  size_t n = 0;
  for (lua_pushnil(L); lua_next(L, -2) && n < MOST; lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING) names[n++] = lua_tostring(L, -2);
  qsort(names, n, sizeof *names, by_text);
  for (size_t i = 0; i < n; i++)
    snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
  skp__lua_fail(L, SKP_USAGE, "The model has no argument \"%s\" to set; it has %s.", name, n ? list : "none");
}

/* 1 for yes, 0 for no, -1 for neither. */
static int truth(const char *text) {
  if (strcmp(text, "true") == 0 || strcmp(text, "yes") == 0) return 1;
  return strcmp(text, "false") == 0 || strcmp(text, "no") == 0 ? 0 : -1;
}

/* Pushes `value` as the type that the default (on top of the stack) has. */
static void push_setting(lua_State *L, const struct skp_setting *s) {
  int type = lua_type(L, -1);
  int flag = truth(s->value);
  if (type == LUA_TNUMBER) {
    if (!lua_stringtonumber(L, s->value))
      skp__lua_fail(L, SKP_USAGE, "%s should be a number, not \"%s\".", s->name, s->value);
  } else if (type == LUA_TBOOLEAN) {
    if (flag < 0)
      skp__lua_fail(L, SKP_USAGE, "%s should be yes or no (or true or false), not \"%s\".", s->name, s->value);
    lua_pushboolean(L, flag);
  } else {
    lua_pushstring(L, s->value);
  }
}

/* Leaves the model's args, as changed by the settings, on the stack. */
static void push_args(lua_State *L, int model) {
  struct skp_build *b = skp__build_of(L);
  int type = lua_getfield(L, model, "args");
  if (type == LUA_TNIL) lua_newtable(L);
  if (type != LUA_TNIL && type != LUA_TTABLE)
    skp__lua_fail(L, SKP_MODEL, "args should be a table of names and defaults, not %s.", luaL_typename(L, -1));
  if (type == LUA_TNIL) lua_replace(L, -2);
  int args = lua_gettop(L);
  for (size_t i = 0; i < b->sets; i++) {
    if (lua_getfield(L, args, b->set[i].name) == LUA_TNIL) {
      lua_settop(L, args);
      fail_setting(L, b->set[i].name);
    }
    push_setting(L, &b->set[i]);
    lua_setfield(L, args, b->set[i].name);
    lua_settop(L, args);
  }
}

/* ---- recipe ------------------------------------------------------------------------------------------------------ */

/* The value on top of the stack as the text that skp__recipe_set takes: 0.01, true, adam, 0.5,0.25. */
static void recipe_text(lua_State *L, char *text, size_t size) {
  if (!lua_istable(L, -1)) {
    if (lua_type(L, -1) == LUA_TNUMBER && !lua_isinteger(L, -1))
      snprintf(text, size, "%.17g", lua_tonumber(L, -1));
    else
      snprintf(text, size, "%s", luaL_tolstring(L, -1, NULL));
    return;
  }
  *text = 0;
  for (int i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
    snprintf(text + strlen(text), size - strlen(text), "%s%s", i > 1 ? "," : "", luaL_tolstring(L, -1, NULL));
    lua_pop(L, 2);
  }
}

/* Sets an entry to the value on top of the stack. */
static void set_entry(lua_State *L, const char *name) {
  char text[512];
  recipe_text(L, text, sizeof text);
  if (skp__recipe_set(&skp__build_of(L)->model->recipe, name, text) != SKP_OK)
    skp__lua_check(L, skp__fail_in(SKP_MODEL, "recipe"));
}

static void read_recipe(lua_State *L, int model) {
  struct skp_recipe *r = &skp__build_of(L)->model->recipe;
  int type = lua_getfield(L, model, "recipe"), recipe = lua_gettop(L);
  if (type == LUA_TNIL) return;
  if (type != LUA_TTABLE) skp__lua_fail(L, SKP_MODEL, "recipe should be a table, not %s.", luaL_typename(L, -1));
  for (lua_pushnil(L); lua_next(L, recipe); lua_settop(L, recipe + 1)) {
    if (lua_type(L, -2) != LUA_TSTRING) skp__lua_fail(L, SKP_MODEL, "recipe has an entry without a name.");
    if (!skp__recipe_find(lua_tostring(L, -2))) set_entry(L, lua_tostring(L, -2)); /* which says that it is unknown */
  }
  for (const struct skp_recipe_field *f = skp__recipe_fields; f->name; f++) { /* in order: std after mean */
    if (lua_getfield(L, recipe, f->name) != LUA_TNIL) set_entry(L, f->name);
    lua_settop(L, recipe);
  }
  const struct skp_op *op;
  union skp_attrs attrs;
  if (skp__recipe_optimizer(&op, &attrs, r) != SKP_OK) skp__lua_check(L, skp__fail_in(SKP_MODEL, "recipe"));
}

/* ---- input and network ------------------------------------------------------------------------------------------- */

static int input_field(lua_State *L, int input, const char *name, int most) {
  lua_getfield(L, input, name);
  if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 1 || lua_tointeger(L, -1) > most)
    skp__lua_fail(L, SKP_MODEL, "input.%s should be a whole number from 1 to %d.", name, most);
  return (int)lua_tointeger(L, -1);
}

static void read_input(lua_State *L, int model) {
  static const char *const known[] = {"channels", "size", NULL};
  struct skp_build *b = skp__build_of(L);
  struct skp_recipe *r = &b->model->recipe;
  if (lua_getfield(L, model, "input") != LUA_TTABLE)
    skp__lua_fail(L, SKP_MODEL, "Say input = {channels = …, size = …}.");
  int input = lua_gettop(L);
  skp__lua_check_keys(L, input, "input", known);
  r->channels = input_field(L, input, "channels", MAX_CHANNELS);
  r->size = input_field(L, input, "size", MAX_SIZE);
  if (b->size) r->size = b->size;
  if (r->size < 1 || r->size > MAX_SIZE)
    skp__lua_fail(L, SKP_USAGE, "The size of the input is from 1 to %d, not %d.", MAX_SIZE, r->size);
}

/* The value that the network returned, on top of the stack, becomes the logits. */
static void take_logits(lua_State *L) {
  struct skp_model *m = skp__build_of(L)->model;
  struct skp_graph *g = m->graph;
  char text[512];
  skp_value v = skp__nn_value(L, -1);
  if (v == SKP_NONE)
    skp__lua_fail(L, SKP_MODEL, "network should return the logits, a tensor N×classes, not %s.", luaL_typename(L, -1));
  if (g->tensors.at[v].shape.rank != 2)
    skp__lua_fail(L, SKP_SHAPE, "network should return the logits, a tensor N×classes, not %s.",
                  skp__nn_text(text, sizeof text, g, v));
  skp__lua_check(L, skp__graph_file_order(g, &v, "logits"));
  g->logits = v;
  g->tensors.at[v].role = SKP_ROLE_RESULT;
  m->recipe.classes = (int)g->tensors.at[v].shape.dim[1];
}

static void run_network(lua_State *L, int model) {
  struct skp_model *m = skp__build_of(L)->model;
  const struct skp_recipe *r = &m->recipe;
  if (lua_getfield(L, model, "network") != LUA_TFUNCTION)
    skp__lua_fail(L, SKP_MODEL, "Say network = function(x) … end, from the image to the logits.");
  skp__lua_check(L, skp__graph_add_port(m->graph, SKP_PORT_INPUT, skp__shape4(1, r->size, r->size, r->channels)));
  skp__nn_push(L, m->graph->input);
  push_args(L, model);
  lua_call(L, 2, 1);
  take_logits(L);
}

/* What comes before the network; leaves the file's table at index 1. */
static void read_head(lua_State *L) {
  static const char *const known[] = {"input", "recipe", "args", "network", NULL};
  struct skp_build *b = skp__build_of(L);
  struct skp_model *m = b->model;
  char name[512];
  snprintf(name, sizeof name, "@%s", b->path);
  if (luaL_loadbufferx(L, m->source, strlen(m->source), name, "t") != LUA_OK) lua_error(L);
  lua_call(L, 0, 1);
  if (!lua_istable(L, 1))
    skp__lua_fail(L, SKP_MODEL, "The file should return a table {input = …, recipe = …, network = …}, not %s.",
                  luaL_typename(L, 1));
  skp__lua_check_keys(L, 1, "A model", known);
  read_recipe(L, 1);
  m->takes_classes = lua_getfield(L, 1, "args") == LUA_TTABLE && lua_getfield(L, -1, "classes") == LUA_TNUMBER;
}

/* That alone, in protected mode. */
static int build_head(lua_State *L) {
  read_head(L);
  return 0;
}

/* The whole model, in protected mode. */
static int build(lua_State *L) {
  read_head(L);
  read_input(L, 1);
  run_network(L, 1);
  return 0;
}

/* ---- loading ----------------------------------------------------------------------------------------------------- */

/* The file's name without folders and ending. */
static skp_status stem(char **out, const char *path) {
  const char *name = strrchr(path, '/');
  name = name ? name + 1 : path;
  SKP_TRY(skp__strdup(out, name));
  char *dot = strrchr(*out, '.');
  if (dot && dot != *out) *dot = 0;
  return SKP_OK;
}

static skp_status make(struct skp_build *b, const char *text, lua_CFunction body) {
  struct skp_model *m = b->model;
  SKP_TRY(stem(&m->name, b->path));
  SKP_TRY(skp__strdup(&m->source, text));
  SKP_TRY(skp__graph_create(&m->graph));
  skp__recipe_default(&m->recipe);
  SKP_TRY(skp__lua_run(b, skp__nn_open, body));
  return skp__graph_collect(m->graph);
}

/* Runs `body` on a text for b->model. */
static skp_status parse(struct skp_model **out, struct skp_build *b, const char *text, lua_CFunction body) {
  *out = NULL;
  SKP_TRY(skp__alloc(&b->model, 1, sizeof *b->model));
  skp_status status = make(b, text, body);
  if (status == SKP_OK)
    *out = b->model;
  else
    skp__model_destroy(b->model);
  return status;
}

static bool is_missing(const char *path) { return access(path, F_OK) && errno == ENOENT; }

static skp_status fail_missing(const char *path) {
  struct skp__text names = {.n = 0};
  char *name;
  SKP_TRY(stem(&name, path));
  const bool known = skp__model_source(name) || skp__model_known(name);
  if (known)
    skp__fail(SKP_IO, "There is no model file %s. The network %s comes along: that name alone means it.", path, name);
  free(name);
  if (known) return SKP_IO;
  skp__model_list(&names);
  return skp__fail(SKP_IO, "There is no model file %s, and none of that name comes along. Those that do: %s.", path,
                   names.at);
}

/* The network of an ONNX file, without its weights. */
static skp_status load_onnx(struct skp_model **out, struct skp_build *b, lua_CFunction body) {
  struct skp_st_file file;
  SKP_TRY(skp__weights_read(&file, b->path));
  skp_status status = parse(out, b, skp__st_meta(&file, "model_source"), body);
  skp__st_free(&file);
  return status;
}

static skp_status load(struct skp_model **out, struct skp_build *b, lua_CFunction body) {
  void *text;
  int64_t bytes;
  const char *known = skp__file_exists(b->path) ? NULL : skp__model_source(b->path);
  *out = NULL;
  if (known) return parse(out, b, known, body);
  if (is_missing(b->path)) return fail_missing(b->path);
  if (skp__onnx_file_found(b->path)) return load_onnx(out, b, body);
  SKP_TRY(skp__file_read(&text, &bytes, b->path, SOURCE_LIMIT));
  skp_status status = memchr(text, 0, (size_t)bytes)
                          ? skp__fail(SKP_MODEL, "%s: There is a zero byte in it: it is no Lua text.", b->path)
                          : parse(out, b, skp__utf8_unmarked(text), body);
  free(text);
  return status;
}

skp_status skp__model_parse(struct skp_model **out, const char *name, const char *text, const struct skp_setting *set,
                            size_t sets, int size, FILE *print_to) {
  struct skp_build b = {.path = name, .set = set, .sets = sets, .size = size, .print_to = print_to};
  return parse(out, &b, text, build);
}

skp_status skp__model_parse_head(struct skp_model **out, const char *name, const char *text) {
  struct skp_build b = {.path = name};
  return parse(out, &b, text, build_head);
}

skp_status skp__model_load(struct skp_model **out, const char *path, const struct skp_setting *set, size_t sets,
                           int size, FILE *print_to) {
  struct skp_build b = {.path = path, .set = set, .sets = sets, .size = size, .print_to = print_to};
  return load(out, &b, build);
}

skp_status skp__model_load_head(struct skp_model **out, const char *path) {
  struct skp_build b = {.path = path};
  return load(out, &b, build_head);
}

void skp__model_destroy(struct skp_model *m) {
  if (!m) return;
  free(m->name);
  free(m->source);
  skp__graph_destroy(m->graph);
  free(m);
}
