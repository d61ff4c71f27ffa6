/* resume.c: which run --resume means, and whether what else was said is about that one. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "cli/cli.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char all[] = "runs", state[] = "state.safetensors";

/* ---- the folder ------------------------------------------------------------------------------------------------- */

/* When the run `name` in runs was last saved, in ns; -1: it is none. */
static int64_t saved_at(const char *name) {
  char path[4096];
  struct stat st;
  snprintf(path, sizeof path, "%s/%s/%s", all, name, state);
  return stat(path, &st) ? -1 : (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

/* The run in runs that was saved last. */
static skp_status latest(char **out) {
  char best[256] = "";
  int64_t newest = -1;
  DIR *dir = opendir(all);
  for (struct dirent *e; dir && (e = readdir(dir));) {
    int64_t when = saved_at(e->d_name);
    if (when <= newest) continue;
    newest = when;
    snprintf(best, sizeof best, "%s", e->d_name);
  }
  if (dir) closedir(dir);
  if (*best) return skp__path_join(out, all, best);
  return skp__fail(SKP_USAGE, "There is no run to resume in %s; name its folder: --resume DIR.", all);
}

static skp_status find_folder(const struct cli *c, char **out) {
  const char *said = c->value[CLI_RESUME], *folder = c->value[CLI_OUT];
  if (*said && folder && strcmp(said, folder) != 0)
    return skp__fail(SKP_USAGE, "A run goes on where it is: --resume %s or --out %s, not both.", said, folder);
  if (*said && skp__file_exists(said) && !skp__folder_exists(said))
    return skp__fail(SKP_USAGE, "%s is a file; --resume goes on with a run, and wants its folder.", said);
  if (*said) return skp__strdup(out, said);
  return folder ? skp__strdup(out, folder) : latest(out);
}

/* ---- what else was said ----------------------------------------------------------------------------------------- */

static skp_status check_source(struct cli *c, const char *dir) {
  struct skp_model *head;
  if (!c->arguments.n) return SKP_OK;
  SKP_TRY(cli_find_model(c));
  SKP_TRY(skp__model_load_head(&head, c->arguments.at[0]));
  bool same = strcmp(head->source, c->model->source) == 0;
  skp__model_destroy(head);
  if (same) return SKP_OK;
  return skp__fail(
      SKP_USAGE,
      "%s is not the model that the run in %s began with. Leave the file out to go on with that one, or begin a "
      "new run without --resume.",
      c->arguments.at[0], dir);
}

static const char *find_setting(const struct skp_resume *r, const char *name) {
  for (size_t i = 0; i < r->sets; i++)
    if (strcmp(r->set[i].name, name) == 0) return r->set[i].value;
  return NULL;
}

static skp_status check_settings(const struct cli *c, const struct skp_resume *r, const char *dir) {
  for (size_t i = 0; i < c->set.n; i++) {
    const char *was = find_setting(r, c->set.at[i].name);
    if (was && strcmp(was, c->set.at[i].value) == 0) continue;
    return skp__fail(SKP_USAGE, "The run in %s was another: --set %s was %s there, not %s.", dir, c->set.at[i].name,
                     was ? was : "not given", c->set.at[i].value);
  }
  return SKP_OK;
}

/* ---- what it remembers ------------------------------------------------------------------------------------------ */

/* A path that was said from another folder leads there still. Where nothing is any more,
 * the same path may lead somewhere from here. */
static skp_status find_data(struct cli *c, const struct skp_resume *r) {
  struct skp_recipe *recipe = &c->model->recipe;
  char *here;
  if (cli_said_entry(c, "data") || !r->data) return SKP_OK;
  if (!skp__folder_exists(r->data) && skp__folder_exists(recipe->data)) return SKP_OK;
  if (!skp__folder_exists(r->data))
    return skp__fail(SKP_IO, "The images of the run are no longer in %s. Say where they are now: --data DIR.", r->data);
  SKP_TRY(skp__path_absolute(&here, recipe->data));
  const bool same = strcmp(here, r->data) == 0;
  free(here);
  return same ? SKP_OK : skp__recipe_set(recipe, "data", r->data);
}

/* As if it were said again. */
static skp_status bear_damage(struct cli *c, const struct skp_resume *r) {
  if (cli_said(c, CLI_STRICT) || cli_said(c, CLI_MAX_DAMAGED) || r->max_damaged == SKP_DAMAGE_USUAL) return SKP_OK;
  return skp__format(&c->value[CLI_MAX_DAMAGED], "%lld", (long long)r->max_damaged);
}

skp_status cli_open_resume(struct cli *c, struct skp_resume **out, char **dir) {
  int64_t size;
  if (cli_said(c, CLI_INIT))
    return skp__fail(SKP_USAGE, "--resume goes on with the run's own weights; --init begins anew.");
  SKP_TRY(find_folder(c, dir));
  SKP_TRY(skp__resume_open(out, *dir));
  c->model = (*out)->model;
  (*out)->model = NULL;
  SKP_TRY(check_source(c, *dir));
  SKP_TRY(check_settings(c, *out, *dir));
  SKP_TRY(cli_int(c, CLI_SIZE, &size, 1, 1 << 14, c->model->recipe.size));
  c->model->recipe.size = (int)size;
  SKP_TRY(bear_damage(c, *out));
  SKP_TRY(find_data(c, *out));
  return cli_override_recipe(c);
}
