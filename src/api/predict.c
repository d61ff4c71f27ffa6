/* predict.c: testing a network, and asking it about images. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "data/pictures.h"
#include "train/metrics.h"
#include <math.h>

/* ---- testing ----------------------------------------------------------------------------------------------------- */

/* Looks at all images of a source; logits may be NULL. */
static skp_status look(skp_session *session, const struct skp_source *source, struct skp_eval_result *result,
                       float *logits) {
  const struct skp_recipe *r = &session->model->m->recipe;
  SKP_TRY(skp__recipe_check(r));
  return skp__evaluate(session->s, source, r->batch < source->n ? r->batch : source->n, skp__loader_workers(), result,
                       logits, NULL);
}

static skp_status evaluate(skp_session *session, const struct skp_source *source, skp_score *out) {
  struct skp_eval_result result;
  SKP_TRY(look(session, source, &result, NULL));
  skp_status status = skp__evaluated(&result, source);
  if (status != SKP_OK) return skp__fail(status, "%s.", skp_error_message());
  if (result.unknown == result.n)
    return skp__fail(SKP_FORMAT, "None of the %lld images of %s has a label that the network knows.",
                     (long long)result.n, source->name);
  *out = (skp_score){.accuracy = result.accuracy,
                     .top5 = result.top5,
                     .loss = result.loss,
                     .img_per_s = result.img_per_s,
                     .images = result.n,
                     .unknown = result.unknown,
                     .not_finite = result.lost};
  return SKP_OK;
}

skp_status skp_evaluate(skp_session *session, const skp_data *data, skp_part part, skp_score *out) {
  const struct skp_source *source;
  struct skp_source *seen;
  struct skp_labels labels = session->model->labels;
  labels.classes = session->model->m->recipe.classes;
  *out = (skp_score){0};
  SKP_TRY(skp__api_part(&source, data, part));
  SKP_TRY(skp__source_relabel_view(&seen, source, &labels, false));
  skp_status status = evaluate(session, seen, out);
  skp__source_destroy(seen);
  return status;
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

static skp_status check_kind(skp_answer_kind kind) {
  if (kind == SKP_PROBABILITIES || kind == SKP_LOGITS) return SKP_OK;
  return skp__fail(SKP_USAGE, "Answers are SKP_PROBABILITIES or SKP_LOGITS, not %d.", (int)kind);
}

static skp_status predict(skp_session *session, const struct skp_source *source, skp_answer_kind kind, float *answers) {
  const int classes = session->model->m->recipe.classes;
  struct skp_eval_result result;
  SKP_TRY(look(session, source, &result, answers));
  if (result.lost == result.n) return skp__fail(SKP_NUMERIC, "No answer to %s is a finite number.", source->name);
  for (int64_t i = 0; kind == SKP_PROBABILITIES && i < source->n; i++) skp__softmax(answers + i * classes, classes);
  return SKP_OK;
}

skp_status skp_predict(skp_session *session, const skp_pixels *pixels, skp_answer_kind kind, float *answers) {
  struct skp_source *source;
  SKP_TRY(check_kind(kind));
  SKP_TRY(skp__api_pixels(&source, pixels, NULL, 0, NULL));
  skp_status status = predict(session, source, kind, answers);
  skp__source_destroy(source);
  return status;
}

/* Rows of files that cannot be read become NaN; the error is that of the first. */
static skp_status settle_unreadable(const struct skp__pictures *p, int classes, float *answers) {
  const struct skp__picture *first = NULL;
  for (size_t i = 0; i < p->files.n; i++) {
    if (!p->files.at[i].error) continue;
    if (!first) first = &p->files.at[i];
    for (int k = 0; k < classes; k++) answers[i * (size_t)classes + (size_t)k] = NAN;
  }
  return first ? skp__fail(SKP_IO, "%s", first->error) : SKP_OK;
}

static skp_status predict_files(skp_session *session, const struct skp__pictures *p, size_t n, skp_answer_kind kind,
                                float *answers) {
  if (p->files.n != n) return skp__fail(SKP_USAGE, "Name files; there is a folder among the %zu names.", n);
  SKP_TRY(predict(session, &p->base, kind, answers));
  return settle_unreadable(p, session->model->m->recipe.classes, answers);
}

skp_status skp_predict_files(skp_session *session, const char *const *paths, size_t n, skp_answer_kind kind,
                             float *answers) {
  const int C = session->model->m->recipe.channels;
  struct skp__pictures p;
  SKP_TRY(check_kind(kind));
  if (C != 1 && C != 3)
    return skp__fail(SKP_UNSUPPORTED, "%s takes images of %d channels; files have 1 or 3.", session->model->m->name, C);
  skp_status status = skp__pictures_open(&p, paths, n, C, false, NULL);
  if (status == SKP_OK) status = predict_files(session, &p, n, kind, answers);
  skp__pictures_free(&p);
  return status;
}
