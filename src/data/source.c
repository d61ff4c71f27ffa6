/* source.c: what any set of labelled images can be asked. SPDX-License-Identifier: MIT */
#include "data/source.h"
#include "base/array.h"
#include "data/damage.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void skp__source_destroy(struct skp_source *s) {
  if (!s) return;
  for (int c = 0; s->class_names && c < s->classes; c++) free(s->class_names[c]);
  free(s->class_names);
  free(s->name);
  free(s->remarks);
  s->destroy(s);
}

const struct skp_source *skp__source_learned(const struct skp_source *train, const struct skp_source *test) {
  return test && test->numbered && test->classes > train->classes ? test : train;
}

skp_status skp__source_count(const struct skp_source *s, int64_t *of) {
  memset(of, 0, (size_t)s->classes * sizeof *of);
  for (int64_t i = 0; i < s->n; i++) {
    int32_t label;
    SKP_TRY(s->image(s, i, NULL, &label));
    if (label >= 0) of[label]++;
  }
  return SKP_OK;
}

/* Of each class, how many of its images are sound; -1: it has none at all. */
static skp_status count_sound(const struct skp_source *s, int64_t *of) {
  for (int c = 0; c < s->classes; c++) of[c] = -1;
  for (int64_t i = 0; i < s->n; i++) {
    int32_t label;
    SKP_TRY(s->image(s, i, NULL, &label));
    if (label >= 0 && of[label] < 0) of[label] = 0;
    if (label >= 0) of[label] += !skp__damage_known(s->damage, i);
  }
  return SKP_OK;
}

skp_status skp__source_check_classes(const struct skp_source *s) {
  struct skp__text text = {.n = 0};
  int64_t *sound;
  int bad = 0;
  if (!skp__damage_list(s->damage, 0, &text)) return SKP_OK;
  SKP_TRY(skp__alloc(&sound, (size_t)s->classes, sizeof *sound));
  skp_status status = count_sound(s, sound);
  while (status == SKP_OK && bad < s->classes && sound[bad]) bad++;
  free(sound);
  if (status != SKP_OK || bad == s->classes) return status;
  return skp__fail(SKP_FORMAT, "Not one picture of the class %s in %s can be read:%s", s->class_names[bad], s->name,
                   text.at);
}

const char *skp__source_name_of(const struct skp_source *s, int64_t i, char text[SKP_SAMPLE_NAME]) {
  const char *name = s->name_of ? s->name_of(s, i) : NULL;
  if (name && !s->set_of) return name;
  if (name)
    snprintf(text, SKP_SAMPLE_NAME, "%s: %s", s->set_of(s, i), name);
  else
    snprintf(text, SKP_SAMPLE_NAME, "#%lld", (long long)i);
  return text;
}

skp_status skp__source_name_by_number(struct skp_source *s) {
  s->numbered = true;
  SKP_TRY(skp__alloc(&s->class_names, (size_t)s->classes, sizeof *s->class_names));
  for (int c = 0; c < s->classes; c++) SKP_TRY(skp__format(&s->class_names[c], "%d", c));
  return SKP_OK;
}
