/* siblings.c: see siblings.h. SPDX-License-Identifier: MIT */
#include "train/run/siblings.h"
#include "base/file.h"
#include "base/host.h"
#include "io/json.h"
#include <stdlib.h>
#include <string.h>

/* What makes a run but for its seed. When, by which build and on what device it was trained is none of it. */
static const char *const makes[] = {"model", "source", "settings", "recipe", "shuffle", "max_steps",
                                    "ranks", "shares", "train",    "valid",  "test"};

static bool alike(const cJSON *a, const cJSON *b) {
  bool same = true;
  for (size_t i = 0; same && i < sizeof makes / sizeof *makes; i++) {
    const cJSON *x = cJSON_GetObjectItemCaseSensitive(a, makes[i]), *y = cJSON_GetObjectItemCaseSensitive(b, makes[i]);
    same = x && y ? cJSON_Compare(x, y, true) : x == y;
  }
  return same;
}

/* Of a run that cannot be read it is not known what it is: it counts as another. */
static skp_status read_config(cJSON **out, const char *folder) {
  enum { LIMIT = 64 << 20 };
  char *path;
  void *text = NULL;
  int64_t size;
  *out = NULL;
  SKP_TRY(skp__path_join(&path, folder, "config.json"));
  if (skp__file_read(&text, &size, path, LIMIT) == SKP_OK) (void)skp__json_parse(out, text);
  free(text);
  free(path);
  return SKP_OK;
}

static skp_status is_other(bool *out, const char *folder, const cJSON *own) {
  cJSON *its;
  SKP_TRY(read_config(&its, folder));
  *out = !alike(its, own);
  cJSON_Delete(its);
  return SKP_OK;
}

static skp_status move(struct skp__siblings *s, const char *folder, FILE *say) {
  SKP_TRY(SKP_GROW(&s->moved));
  struct skp__aside *a = &s->moved.at[s->moved.n - 1];
  SKP_TRY(skp__aside_take(a, folder));
  SKP_TRY(skp__aside_move(a));
  if (a->earlier && say)
    skp_print(say, "The run in %s differs from this one in more than its seed: it now lies in %s.\n", folder,
              a->earlier);
  return SKP_OK;
}

skp_status skp__siblings_set_aside(struct skp__siblings *s, const char *out, const char *config,
                                   const char *const *folder, size_t n, FILE *say) {
  cJSON *own;
  if (!n) return SKP_OK;
  SKP_TRY(skp__json_parse(&own, config));
  skp_status status = SKP_OK;
  for (size_t i = 0; status == SKP_OK && i < n; i++) {
    bool other = false;
    if (strcmp(folder[i], out) != 0) status = is_other(&other, folder[i], own);
    if (status == SKP_OK && other) status = move(s, folder[i], say);
  }
  cJSON_Delete(own);
  return status;
}

void skp__siblings_back(const struct skp__siblings *s) {
  for (size_t i = 0; i < s->moved.n; i++) (void)skp__aside_back(&s->moved.at[i]);
}

void skp__siblings_free(struct skp__siblings *s) {
  for (size_t i = 0; i < s->moved.n; i++) skp__aside_release(&s->moved.at[i]);
  SKP_FREE(&s->moved);
}
