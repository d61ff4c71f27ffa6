/* board.c: what TensorBoard is shown of a run. SPDX-License-Identifier: MIT */
#include "train/run/board.h"
#include "io/json.h"
#include "train/checkpoint/metadata.h"
#include <stdlib.h>

enum { IMAGES = 8 };

static skp_status put_image(struct skp_events *to, const struct skp_source *s, int64_t i) {
  struct skp_image image = {0};
  int32_t label;
  char *tag = NULL;
  skp_status status = s->image(s, i, &image, &label);
  if (status == SKP_OK && image.H && !image.values) {
    status = skp__format(&tag, "images/%lld_%s", (long long)i,
                         label >= 0 && label < s->classes ? s->class_names[label] : "unknown");
    if (status == SKP_OK) status = skp__events_image(to, 0, tag, image.pixels, image.H, image.W, image.C);
  }
  free(tag);
  skp__image_free(&image);
  return status;
}

/* Read back from its text, in which numbers are as they are written. */
static skp_status put_recipe(struct skp_events *to, const char *run, const struct skp_recipe *r) {
  cJSON *json = skp__recipe_json(r);
  char *text = NULL;
  skp_status status = skp__json_text(&text, json, false);
  cJSON_Delete(json);
  json = NULL;
  if (status == SKP_OK) status = skp__json_parse(&json, text);
  if (status == SKP_OK) status = skp__events_hparams(to, run, json);
  cJSON_Delete(json);
  free(text);
  return status;
}

skp_status skp__board_begin(struct skp_events *to, const char *run, const struct skp_session *s,
                            const struct skp_source *train) {
  if (!to) return SKP_OK;
  skp_status status = put_recipe(to, run, &s->model->recipe);
  for (int64_t i = 0; i < IMAGES && train && i < train->n && status == SKP_OK; i++)
    status = put_image(to, train, train->n > IMAGES ? i * (train->n / IMAGES) : i);
  return status == SKP_OK ? skp__events_flush(to) : status;
}

/* One histogram for each parameter, of its slice in `flat`. */
static skp_status put_slices(struct skp_events *to, const struct skp_graph *g, const float *flat, const char *what,
                             int64_t step) {
  skp_status status = SKP_OK;
  for (size_t i = 0; i < g->tensors.n && status == SKP_OK; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    char *tag;
    if (!skp__is_parameter(t)) continue;
    SKP_TRY(skp__format(&tag, "%s/%s", what, t->name));
    status = skp__events_histogram(to, step, tag, flat + t->offset, skp__shape_count(&t->shape));
    free(tag);
  }
  return status;
}

static skp_status put_gradients(struct skp_events *to, struct skp_session *s, int64_t step) {
  struct skp_buffer *buffer;
  float *flat;
  SKP_TRY(skp__store_buffer(s->store, &buffer, skp__ports[SKP_PORT_GRADS].name, 4 * s->params_n));
  SKP_TRY(skp__alloc(&flat, (size_t)s->params_n, sizeof *flat));
  skp_status status = skp__backend_read_now(s->b, buffer, 0, flat, 4 * s->params_n);
  if (status == SKP_OK) status = put_slices(to, s->model->graph, flat, "gradients", step);
  free(flat);
  return status;
}

skp_status skp__board_weights(struct skp_events *to, struct skp_session *s, int64_t step) {
  float *params, *state;
  if (!to) return SKP_OK;
  SKP_TRY(skp__session_pull(s, &params, &state));
  skp_status status = put_slices(to, s->model->graph, params, "weights", step);
  free(params);
  free(state);
  if (status == SKP_OK) status = put_gradients(to, s, step);
  return status == SKP_OK ? skp__events_flush(to) : status;
}
