/* session.c: a network's weights on a device. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "base/host.h"
#include "onnx/onnx.h"
#include <stdlib.h>

static skp_status take(skp_session *s, const struct skp_st_file *file, const char *path, bool partly, FILE *report) {
  const skp_model *m = s->model;
  const struct skp_inherit pixels = {&m->m->recipe, !m->own_mean, !m->own_std};
  return partly ? skp__checkpoint_init(file, path, s->s, &pixels, report)
                : skp__checkpoint_take(file, path, s->s, true, report);
}

static skp_status load(skp_session *s, const char *path, bool partly, FILE *report) {
  struct skp_st_file file;
  SKP_TRY(skp__checkpoint_read(&file, path));
  skp_status status = take(s, &file, path, partly, report);
  skp__st_free(&file);
  return status;
}

/* Those that the model came with. The first session takes them as they were read with it. */
static skp_status trained_weights(skp_session *s) {
  skp_model *m = s->model;
  skp_status status =
      m->read ? take(s, m->read, m->weights, m->partly, m->report) : load(s, m->weights, m->partly, m->report);
  skp__api_forget_read(m);
  return status;
}

static skp_status first_weights(skp_session *s, uint64_t seed) {
  const skp_model *m = s->model;
  if (m->resumed) return SKP_OK; /* the run's state has them */
  if (!m->weights || m->partly) SKP_TRY(skp__session_init(s->s, seed));
  return m->weights ? trained_weights(s) : SKP_OK;
}

skp_status skp_session_open(skp_session **out, skp_model *model, skp_device *device, uint64_t seed) {
  skp_session *s;
  *out = NULL;
  SKP_TRY(skp__host_check_numbers());
  SKP_TRY(skp__alloc(&s, 1, sizeof *s));
  s->model = model;
  s->device = device;
  skp_status status = skp__session_create(&s->s, model->m, device);
  if (status == SKP_OK) status = first_weights(s, seed);
  if (status == SKP_OK)
    *out = s;
  else
    skp_session_close(s);
  return status;
}

void skp_session_close(skp_session *session) {
  if (!session) return;
  skp__session_destroy(session->s);
  skp__api_report_free(session->report);
  skp__lr_curve_free(&session->curve);
  skp__bench_free(&session->bench);
  free(session);
}

skp_status skp_session_save(skp_session *session, const char *path) {
  const struct skp_checkpoint_extra extra = skp__api_extra(session->model);
  SKP_TRY(skp__recipe_check(&session->model->m->recipe)); /* a file that says what cannot be is not taken by any */
  return skp__checkpoint_save(path, session->s, &extra);
}

skp_status skp_session_load(skp_session *session, const char *path, int partly, FILE *report) {
  return load(session, path, partly, report);
}

skp_status skp_session_export_onnx(skp_session *session, const char *path, const skp_onnx_options *options) {
  static const skp_onnx_options usual;
  const skp_onnx_options *o = options ? options : &usual;
  const skp_model *model = session->model;
  const struct skp_onnx_export export = {.opset = o->opset,
                                         .dynamic_batch = o->dynamic_batch,
                                         .fold = o->fold,
                                         .preprocessing = o->preprocessing,
                                         .class_names = model->labels.names,
                                         .names = model->labels.known};
  float *params, *state;
  SKP_TRY(skp__session_pull(session->s, &params, &state));
  skp_status status = skp__checkpoint_check(model->m, params, state);
  if (status == SKP_OK)
    status = skp__option_written("skp_session_export_onnx", skp__onnx_export(path, model->m, params, state, &export));
  free(params);
  free(state);
  return status;
}

const skp_report *skp_session_report(const skp_session *session) { return session->report; }

int skp__api_workers(int said) { return said > 0 ? said : skp__loader_workers(); }

void skp_session_stop(skp_session *session) {
  session->stop = 1;
  session->device->hurry = 1;
}
