/* command.c: the command that trains a run's network again. SPDX-License-Identifier: MIT
 *
 * What the model's own file says goes without saying: options are those entries of the recipe that the run has
 * otherwise. */
#include "base/host.h"
#include "model/model.h"
#include "train/checkpoint/metadata.h"
#include "train/report/page/page.h"
#include <stdlib.h>
#include <string.h>

static void put_option(FILE *to, const char *name) { fprintf(to, " %s", skp__option(name)); }

/* A word as a shell takes it. */
static void put_quoted(FILE *to, const char *text) {
  const bool plain =
      *text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,=+:@%") == strlen(text);
  if (!plain) fputc('\'', to);
  for (const char *at = text; *at; at++) {
    if (*at == '\'')
      fputs("'\\''", to);
    else
      skp__page_text(to, (char[]){*at, 0});
  }
  if (!plain) fputc('\'', to);
}

/* An option and its value. */
static void put_word(FILE *to, const char *option, const char *text) {
  put_option(to, option);
  fputc(' ', to);
  put_quoted(to, text);
}

/* A recipe's entry as an option has it: lists without brackets. */
static const char *option_text(char *text, size_t size, const cJSON *recipe, const char *name) {
  skp__folder_said(text, size, recipe, name);
  const size_t n = strlen(text);
  if (*text != '[' || n < 2) return text;
  memmove(text, text + 1, n - 2);
  text[n - 2] = 0;
  return text;
}

/* What the run was told beside its recipe, where it was told it. */
static void put_told(FILE *to, const struct skp_folder *run) {
  static const char *const names[] = {"seed", "max_steps", "shares"};
  char text[1024];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (*skp__folder_said(text, sizeof text, run->config, names[i])) put_word(to, names[i], text);
  if (cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(run->config, "shuffle"))) put_option(to, "no_shuffle");
}

/* What the model's file says, with the run's settings; where there is no checkpoint yet, what a silent one says. */
static void own_recipe(struct skp_recipe *out, const struct skp_folder *run, const struct skp_model *m) {
  struct skp_model *own = NULL;
  struct skp_setting *set = NULL;
  size_t sets = 0;
  skp__recipe_default(out);
  out->size = 0;
  if (!m) return;
  const cJSON *settings = cJSON_GetObjectItemCaseSensitive(run->config, "settings");
  if (skp__settings_read(&set, &sets, settings, run->path) == SKP_OK &&
      skp__model_parse(&own, m->name, m->source, set, sets, 0, NULL) == SKP_OK)
    *out = own->recipe;
  skp__model_destroy(own);
  free(set);
}

/* The recipe that the run had: beside its own what its config.json says. */
static void read_recipe(struct skp_recipe *r, const cJSON *recipe) {
  char text[1024];
  for (const struct skp_recipe_field *f = skp__recipe_fields; f->name; f++)
    if (cJSON_HasObjectItem(recipe, f->name))
      (void)skp__recipe_set(r, f->name, option_text(text, sizeof text, recipe, f->name));
  const cJSON *size = cJSON_GetObjectItemCaseSensitive(recipe, "size");
  if (cJSON_IsNumber(size)) r->size = size->valueint;
}

/* Whether the run has switched off what its model's file switches on; of images there is an option for that. */
static bool leaves_images(const struct skp_recipe *r, const struct skp_recipe *own) {
  struct skp_recipe bare = *own;
  char is[SKP_RECIPE_TEXT_MOST], was[SKP_RECIPE_TEXT_MOST], none[SKP_RECIPE_TEXT_MOST];
  bool off = false;
  skp__recipe_no_augmentation(&bare);
  for (const struct skp_recipe_field *f = skp__recipe_fields; f->name; f++) {
    skp__recipe_get(is, sizeof is, r, f);
    skp__recipe_get(was, sizeof was, own, f);
    skp__recipe_get(none, sizeof none, &bare, f);
    off = off || (strcmp(was, none) != 0 && strcmp(is, none) == 0);
  }
  return off;
}

static void put_recipe(FILE *to, const struct skp_folder *run, const struct skp_model *m) {
  struct skp_recipe own, r;
  char is[SKP_RECIPE_TEXT_MOST], was[SKP_RECIPE_TEXT_MOST];
  own_recipe(&own, run, m);
  r = own;
  read_recipe(&r, cJSON_GetObjectItemCaseSensitive(run->config, "recipe"));
  if (r.size != own.size && r.size > 0) {
    snprintf(is, sizeof is, "%d", r.size);
    put_word(to, "size", is);
  }
  if (leaves_images(&r, &own)) {
    put_option(to, "skp_model_leave_images");
    skp__recipe_no_augmentation(&own);
  }
  for (const struct skp_recipe_field *f = skp__recipe_fields; f->name; f++) {
    skp__recipe_get(is, sizeof is, &r, f);
    if (!strcmp(is, skp__recipe_get(was, sizeof was, &own, f))) continue;
    if (f->kind != SKP_RECIPE_BOOL)
      put_word(to, f->name, is);
    else if (!strcmp(is, "true"))
      put_option(to, f->name);
  }
}

static bool comes_along(const char *model) {
  const char *name;
  for (size_t i = 0; (name = skp__model_name(i)); i++)
    if (!strcmp(name, model)) return true;
  return false;
}

void skp__page_command(FILE *to, const struct skp_folder *run, const struct skp_model *m) {
  const cJSON *setting, *ranks = cJSON_GetObjectItemCaseSensitive(run->config, "ranks");
  char name[1024], text[1024];
  fprintf(to, "<pre class=wide tabindex=0>");
  if (cJSON_IsNumber(ranks)) fprintf(to, "mpirun -n %d ", ranks->valueint);
  fprintf(to, "%s ", skp__option("skp_train"));
  put_quoted(to, skp__folder_said(name, sizeof name, run->config, "model"));
  cJSON_ArrayForEach(setting, cJSON_GetObjectItemCaseSensitive(run->config, "settings")) {
    snprintf(text, sizeof text, "%s=%s", setting->string, cJSON_IsString(setting) ? setting->valuestring : "");
    put_word(to, "settings", text);
  }
  put_recipe(to, run, m);
  put_told(to, run);
  fprintf(to, "</pre>\n");
  if (comes_along(name)) return;
  fprintf(to, "<p>");
  skp__page_text(to, name);
  fprintf(to, " is the model's file, which a run does not know the place of.</p>\n");
}
