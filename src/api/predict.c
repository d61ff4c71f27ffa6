/* predict.c: testing a network, and asking it about images. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "base/file.h"
#include "base/host.h"
#include "base/utf8.h"
#include "data/damage.h"
#include "data/pictures.h"
#include "io/safetensors.h"
#include "train/evaluate/explain.h"
#include "train/prepare/fit.h"
#include "train/prepare/place.h"
#include "train/prepare/trial.h"
#include <math.h>
#include <stdlib.h>

/* ---- testing ----------------------------------------------------------------------------------------------------- */

/* What looking at the images of a source gives. */
struct look {
  const struct skp_source *source;
  int workers;
  float *logits;                      /* NULL: not wanted */
  struct skp_prediction *predictions; /* the same */
  struct skp_eval_result result;
};

static skp_status look(skp_session *session, struct look *l) {
  const struct skp_recipe *r = &session->model->m->recipe;
  const int64_t n = l->source->n;
  SKP_TRY(skp__recipe_check(r));
  return skp__evaluate(session->s, l->source, r->batch < n ? r->batch : n, skp__api_workers(l->workers), &l->result,
                       l->logits, l->predictions);
}

static skp_status write_logits(const char *path, const struct look *l, int64_t classes) {
  const int64_t n = l->source->n;
  int32_t *labels;
  SKP_TRY(skp__alloc(&labels, (size_t)n, sizeof *labels));
  for (int64_t i = 0; i < n; i++) labels[i] = l->predictions[i].label;
  char logits_name[] = "logits", labels_name[] = "labels";
  struct skp_st_tensor rows[2] = {
      {.name = logits_name, .dtype = "F32", .rank = 2, .dim = {n, classes}, .data = l->logits},
      {.name = labels_name, .dtype = "I32", .rank = 1, .dim = {n}, .data = labels},
  };
  skp_status status = skp__st_write(path, rows, 2, NULL, 0);
  free(labels);
  return status;
}

/* Whether the predictions can be judged at all. */
static skp_status judge(const struct look *l) {
  const struct skp_eval_result *r = &l->result;
  if (r->unknown == r->n)
    return skp__fail(SKP_FORMAT, "None of the %lld images of %s has a label to test against.", (long long)r->n,
                     l->source->name);
  skp_status status = skp__evaluated(r, l->source);
  if (status == SKP_OK) return SKP_OK;
  return skp__fail(
      status, "%s. A run that diverged left its weights too large, or they expect other pixels (%s, %s of the run).",
      skp_error_message(), skp__option("mean"), skp__option("std"));
}

/* What is known of them is told, whether it can be written or not. */
static skp_status report(skp_session *session, const struct look *l, const skp_testing *t) {
  const struct skp_class_names names = {l->source->class_names, l->source->classes};
  struct skp_report r;
  SKP_TRY(skp__report_create(&r, l->predictions, l->source->n, session->model->m->recipe.classes, t->worst));
  skp_status status = t->folder ? skp__report_write(&r, l->predictions, l->source, &names, t->folder) : SKP_OK;
  char *kept = status == SKP_OK ? NULL : skp__error_keep();
  const skp_status made = skp__api_report(&session->report, &r, l->predictions, l->source, &names);
  status = skp__option_written("folder", skp__error_restore(status, kept));
  return status == SKP_OK ? made : status;
}

/* Whether what is wanted can be written, before the images are looked at. */
static skp_status try_files(struct skp__place *made, const skp_testing *t) {
  char *path;
  if (t->logits) SKP_TRY(skp__option_written("logits", skp__file_try(t->logits)));
  if (!t->folder) return SKP_OK;
  SKP_TRY(skp__option_written("folder", skp__place_make(made, t->folder)));
  SKP_TRY(skp__path_join(&path, t->folder, "confusion.csv"));
  skp_status status = skp__option_written("folder", skp__file_try(path));
  free(path);
  return status;
}

/* Damaged images were passed over: they were not looked at, and do not lack a label. */
static skp_score score_of(const struct look *l) {
  const struct skp_eval_result *r = &l->result;
  struct skp__text text = {.n = 0};
  const int64_t others = l->source->unknown.images, damaged = skp__damage_list(l->source->damage, 0, &text);
  const int64_t unlabelled = r->unknown - others - damaged;
  return (skp_score){.accuracy = r->accuracy,
                     .top5 = r->top5,
                     .loss = r->loss,
                     .img_per_s = r->img_per_s,
                     .images = r->n - damaged,
                     .unlabelled = unlabelled > 0 ? unlabelled : 0, /* an image may be of no class and damaged */
                     .unknown = others,
                     .not_finite = r->lost};
}

static skp_status test(skp_session *session, struct look *l, const skp_testing *t, skp_score *out) {
  const int classes = session->model->m->recipe.classes;
  SKP_TRY(skp__alloc(&l->predictions, (size_t)l->source->n, sizeof *l->predictions));
  if (t->logits) SKP_TRY(skp__alloc(&l->logits, (size_t)(l->source->n * classes), sizeof *l->logits));
  SKP_TRY(look(session, l));
  if (t->logits) SKP_TRY(skp__option_written("logits", write_logits(t->logits, l, classes)));
  if (!t->logits) SKP_TRY(judge(l));
  *out = score_of(l);
  return report(session, l, t);
}

skp_status skp_evaluate(skp_session *session, const skp_data *data, skp_part part, const skp_testing *testing,
                        skp_score *out) {
  static const skp_testing usual;
  const skp_testing *t = testing ? testing : &usual;
  const struct skp_source *source;
  struct skp_source *seen;
  struct skp_labels labels = session->model->labels;
  labels.classes = session->model->m->recipe.classes;
  *out = (skp_score){0};
  skp__api_report_free(session->report);
  session->report = NULL;
  SKP_TRY(skp__api_part(&source, data, part));
  SKP_TRY(skp__fit_channels(session->model->m, source));
  SKP_TRY(skp__trial_labels(&seen, source, &labels, t->by_number, t->report));
  struct look l = {.source = seen, .workers = t->workers};
  struct skp__place made = {.path = NULL};
  skp_status status = try_files(&made, t);
  if (status == SKP_OK) status = test(session, &l, t, out);
  skp__place_forget(&made);
  skp__place_free(&made);
  free(l.predictions);
  free(l.logits);
  skp__source_destroy(seen);
  return status;
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

static skp_status check_kind(skp_prediction_kind kind) {
  if (kind == SKP_PROBABILITIES || kind == SKP_LOGITS) return SKP_OK;
  return skp__fail(SKP_USAGE, "Predictions are SKP_PROBABILITIES or SKP_LOGITS, not %d.", (int)kind);
}

static skp_status fail_none(const struct skp_source *source) {
  return skp__fail(SKP_NUMERIC, "No prediction for %s is a finite number.", source->name);
}

/* *none: not one prediction is finite. */
static skp_status predict(skp_session *session, const struct skp_source *source, int workers, skp_prediction_kind kind,
                          float *predictions, bool *none) {
  const int classes = session->model->m->recipe.classes;
  struct look l = {.source = source, .workers = workers, .logits = predictions};
  SKP_TRY(check_kind(kind));
  SKP_TRY(look(session, &l));
  *none = l.result.lost == l.result.n;
  for (int64_t i = 0; kind == SKP_PROBABILITIES && i < source->n; i++) skp__softmax(predictions + i * classes, classes);
  return SKP_OK;
}

skp_status skp_predict(skp_session *session, const skp_pixels *pixels, skp_prediction_kind kind, float *predictions) {
  struct skp_source *source;
  SKP_TRY(skp__api_pixels(&source, pixels, NULL, 0, NULL));
  bool none = false;
  skp_status status = predict(session, source, 0, kind, predictions, &none);
  if (status == SKP_OK && none) status = fail_none(source);
  skp__source_destroy(source);
  return status;
}

/* ---- pictures ---------------------------------------------------------------------------------------------------- */

struct skp_api_pictures {
  struct skp__pictures p;
  int workers;
  bool none;    /* of the predictions is finite */
  char **shown; /* [files] */
};

static skp_status show_paths(skp_pictures *p) {
  const size_t n = p->p.files.n;
  SKP_TRY(skp__alloc(&p->shown, n, sizeof *p->shown));
  for (size_t i = 0; i < n; i++) SKP_TRY(skp__utf8_escaped(&p->shown[i], p->p.files.at[i].path));
  return SKP_OK;
}

skp_status skp_pictures_open(skp_pictures **out, const skp_model *model, const char *const *paths, size_t n,
                             const skp_picture_options *options) {
  static const skp_picture_options usual;
  const skp_picture_options *o = options ? options : &usual;
  const int C = model->m->recipe.channels;
  skp_pictures *made;
  *out = NULL;
  if (C != 1 && C != 3)
    return skp__fail(SKP_UNSUPPORTED, "%s takes images of %d channels; files have 1 or 3.", model->m->name, C);
  SKP_TRY(skp__alloc(&made, 1, sizeof *made));
  made->workers = o->workers;
  skp_status status = skp__pictures_open(&made->p, paths, n, C, o->invert, o->report);
  if (status == SKP_OK) status = show_paths(made);
  if (status == SKP_OK)
    *out = made;
  else
    skp_pictures_close(made);
  return status;
}

void skp_pictures_close(skp_pictures *pictures) {
  if (!pictures) return;
  for (size_t i = 0; pictures->shown && i < pictures->p.files.n; i++) free(pictures->shown[i]);
  free(pictures->shown);
  skp__pictures_free(&pictures->p);
  free(pictures);
}

size_t skp_pictures_count(const skp_pictures *pictures) { return pictures->p.files.n; }

skp_status skp_pictures_describe(const skp_pictures *pictures, size_t i, skp_picture *out) {
  *out = (skp_picture){0};
  if (i >= pictures->p.files.n)
    return skp__fail(SKP_USAGE, "There is no picture %zu; there are %zu, from 0 on.", i, pictures->p.files.n);
  const struct skp__picture *p = &pictures->p.files.at[i];
  *out = (skp_picture){p->path, pictures->shown[i], p->error, p->dark_on_light, p->why};
  return SKP_OK;
}

/* Rows of files that cannot be read. */
static void empty_unreadable(const struct skp__pictures *p, int classes, float *predictions) {
  for (size_t i = 0; i < p->files.n; i++)
    for (int k = 0; p->files.at[i].error && k < classes; k++) predictions[i * (size_t)classes + (size_t)k] = NAN;
}

skp_status skp_pictures_predict(skp_pictures *pictures, skp_session *session, skp_prediction_kind kind,
                                float *predictions) {
  struct skp__pictures *p = &pictures->p;
  SKP_TRY(predict(session, &p->base, pictures->workers, kind, predictions, &pictures->none));
  empty_unreadable(p, session->model->m->recipe.classes, predictions);
  return SKP_OK;
}

skp_status skp_pictures_explain(skp_pictures *pictures, skp_session *session, size_t i, const char *path) {
  skp_picture picture;
  SKP_TRY(skp_pictures_describe(pictures, i, &picture));
  if (picture.error) return skp__fail(picture.why, "%s", picture.error);
  const int workers = skp__api_workers(pictures->workers);
  void *png;
  size_t size;
  skp_status status = skp__explain(session->s, &pictures->p.base, (int64_t)i, workers, &png, &size);
  if (status == SKP_OK) status = skp__file_write_atomic(path, &(struct skp__file_part){png, (int64_t)size}, 1);
  free(png);
  return status;
}

static skp_status predict_files(skp_session *session, skp_pictures *pictures, size_t n, skp_prediction_kind kind,
                                float *predictions) {
  const struct skp__pictures *p = &pictures->p;
  if (p->files.n != n) return skp__fail(SKP_USAGE, "Name files; there is a folder among the %zu names.", n);
  SKP_TRY(skp_pictures_predict(pictures, session, kind, predictions));
  if (pictures->none) return fail_none(&p->base);
  for (size_t i = 0; i < n; i++)
    if (p->files.at[i].error) return skp__fail(p->files.at[i].why, "%s", p->files.at[i].error);
  return SKP_OK;
}

skp_status skp_predict_files(skp_session *session, const char *const *paths, size_t n, skp_prediction_kind kind,
                             float *predictions) {
  skp_pictures *pictures;
  SKP_TRY(skp_pictures_open(&pictures, session->model, paths, n, NULL));
  skp_status status = predict_files(session, pictures, n, kind, predictions);
  skp_pictures_close(pictures);
  return status;
}
