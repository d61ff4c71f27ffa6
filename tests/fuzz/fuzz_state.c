/* fuzz_state.c: whatever a run's folder says of where it stands, it is taken up or refused with a text; a place that is
 * taken up fits. The bytes are the values of the state's entries and then the two logs, with zeros between them.
 * SPDX-License-Identifier: MIT */
#include "parts.h"
#include "plan/methods.h"
#include "train/checkpoint/state.h"

/* A network on the reference backend, for the methods that a state names. */
static struct skp_session *session(void) {
  static struct skp_session *s;
  struct skp_model *m;
  struct skp_backend *b;
  const char *net = "return {input = {channels = 1, size = 2}, recipe = {data = \"digits\"}, "
                    "network = function(x) return nn.linear(nn.flatten(x), 10) end}";
  if (s) return s;
  if (skp__model_parse(&m, "net", net, NULL, 0, 0, NULL) != SKP_OK) abort();
  if (skp__backend_open(&b, &(struct skp_backend_options){.backend = "reference"}) != SKP_OK) abort();
  if (skp__session_create(&s, m, b) != SKP_OK) abort();
  return s;
}

/* Each call is named once, with some method, and only by a state of the same device. */
static void check_methods(const struct skp_resume *r) {
  struct skp_session *s = session();
  struct skp_backend_info info;
  struct skp__methods *m = skp__store_methods(s->store);
  s->b->ops->info(s->b, &info);
  if (skp__state_recall(r, s) != SKP_OK) abort();
  if (m->notes.n && strcmp(info.name, skp__resume_device(r)) != 0) abort();
  for (size_t i = 0; i < m->notes.n; i++)
    for (size_t k = 0; k < i; k++)
      if (m->notes.at[i].key == m->notes.at[k].key || !m->notes.at[i].method) abort();
  skp__methods_free(m);
}

/* A run of nothing but its own model differs, as it has no images, or is refused with a text. */
static void check_comparison(const struct skp_resume *r) {
  const struct skp_data data = {.train = NULL};
  const struct skp_train_options o = {.seed = r->seed, .shuffle = r->shuffle};
  if (skp__resume_check(r, r->model, &data, &o) != SKP_OK && !*skp_error_message()) abort();
}

static void check_sound(const struct skp_resume *r) {
  struct skp__position at;
  int64_t steps;
  if (!r->model || skp__resume_position(&at, r) != SKP_OK) abort();
  if (at.step < 0 || at.epoch < 0 || at.images < 0 || at.log_bytes < 0 || at.table_bytes < 0) abort();
  if (skp__resume_finished(r, &r->model->recipe, r->max_steps, &steps) != SKP_OK && !*skp_error_message()) abort();
  check_comparison(r);
  check_methods(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const char *const keys[] = {"model_source", "settings", "recipe", "classes",
                                     "run",          "position", "device", "methods"};
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
