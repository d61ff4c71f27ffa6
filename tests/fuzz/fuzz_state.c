/* fuzz_state.c: whatever a run's folder says of where it stands, it is taken up or refused with a text; a place that is
 * taken up fits. The bytes are the values of the state's entries and then the two logs, with zeros between them.
 * SPDX-License-Identifier: MIT */
#include "parts.h"
#include "train/state.h"

static void check_sound(const struct skp_resume *r) {
  struct skp__position at;
  int64_t steps;
  if (!r->model || skp__resume_position(&at, r) != SKP_OK) abort();
  if (at.step < 0 || at.epoch < 0 || at.images < 0 || at.log_bytes < 0 || at.table_bytes < 0) abort();
  if (skp__resume_finished(r, &r->model->recipe, r->max_steps, &steps) != SKP_OK && !*skp_error_message()) abort();
  if (!skp__resume_device(r)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const char *const keys[] = {"model_source", "settings", "recipe", "classes", "run", "position"};
  enum { KEYS = sizeof keys / sizeof *keys };
  struct parts p = parts_of(bytes, size);
  struct skp_st_meta meta[KEYS];
  size_t metas = 0;
  char path[256];
  for (int i = 0; i < KEYS && i < p.n; i++) meta[metas++] = (struct skp_st_meta){(char *)keys[i], (char *)p.text[i]};
  snprintf(path, sizeof path, "%s/state.safetensors", folder());
  if (skp__st_write(path, NULL, 0, meta, metas) != SKP_OK) abort();
  folder_put("log.jsonl", p.text[KEYS], p.n > KEYS ? strlen(p.text[KEYS]) : 0);
  folder_put("results.csv", p.text[KEYS + 1], p.n > KEYS + 1 ? strlen(p.text[KEYS + 1]) : 0);
  struct skp_resume *r;
  if (skp__resume_open(&r, folder()) == SKP_OK)
    check_sound(r);
  else if (r || !*skp_error_message())
    abort();
  skp__resume_close(r);
  free(p.memory);
  return 0;
}
