/* score.c: what the weights of an epoch are worth, and the best of them in the end. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/host.h"
#include "train/run/loop.h"
#include <stdlib.h>

const struct skp_source *skp__score_by(const struct skp__loop *l) {
  return l->data->valid ? l->data->valid : l->data->test;
}

/* Predictions without a finite one among them end the run as such a loss does. */
static skp_status evaluate(struct skp__loop *l, struct skp_session *s, const struct skp_source *source,
                           struct skp_eval_result *out) {
  SKP_TRY(skp__evaluate(s, source, skp__micro_size(&l->stepper.micro), l->o->threads, out, NULL, l->predictions));
  if (skp__evaluated(out, source) != SKP_OK) return skp__broken_fail(l, l->at.step, skp_error_message());
  if (out->lost && l->o->say)
    fprintf(l->o->say,
            "After step %lld %lld of the predictions for the %lld images of %s are not finite: they count as wrong.\n",
            (long long)l->at.step, (long long)out->lost, (long long)out->n, source->name);
  return SKP_OK;
}

/* Notes where the best weights err, by the predictions for the images of `source`, and writes it. */
static skp_status report(struct skp__loop *l, const struct skp_source *source) {
  const struct skp_class_names names = {l->o->extra.class_names, l->o->extra.classes};
  return skp__result_report(l->result, &l->predictions, source, &names, l->s->model->recipe.classes, l->o->out);
}

/* Damaged images have no label. */
static skp_status fail_unjudged(const struct skp_source *by) {
  return skp__fail(
      SKP_FORMAT,
      "Of the %lld images of %s that the run is judged by none is sound and of a known class, so it cannot "
      "be. Mend them, or take others (%s, %s).",
      (long long)by->n, by->name, skp__option("valid_split"), skp__option("seed"));
}

skp_status skp__score_epoch(struct skp__loop *l, struct skp__run_epoch *e) {
  const struct skp_source *by = skp__score_by(l);
  struct skp_eval_result test;
  SKP_TRY(skp__lead_averages(l->s));
  if (by) {
    SKP_TRY(evaluate(l, l->s, by, &test));
    if (test.unknown == test.n) return fail_unjudged(by);
    e->accuracy = test.accuracy;
    e->top5 = test.top5;
    e->loss = test.loss;
  }
  double score = by ? e->accuracy : -e->train_loss;
  skp__plateau_observe(&l->at.plateau, &l->s->model->recipe, e->epoch, score);
  if (score <= l->at.best) return SKP_OK;
  SKP_TRY(skp__keep_bear(l, skp__keep_weights(l, l->run.best)));
  if (by) SKP_TRY(skp__keep_bear(l, report(l, by)));
  l->at.best = score;
  l->at.best_epoch = e->epoch;
  return SKP_OK;
}

/* All ranks get the values of the first. */
static skp_status hand_out(struct skp_session *s, struct skp_ranks *ranks) {
  float *params, *state;
  if (!ranks) return SKP_OK;
  SKP_TRY(skp__session_pull(s, &params, &state));
  skp_status status = skp__ranks_hand_out(ranks, 0, params, (size_t)s->params_n * sizeof *params);
  if (status == SKP_OK) status = skp__ranks_hand_out(ranks, 0, state, (size_t)s->state_n * sizeof *state);
  if (status == SKP_OK) status = skp__session_push(s, params, state);
  free(params);
  free(state);
  return status;
}

static skp_status load_best(struct skp__loop *l, struct skp_session *best) {
  best->ranks = l->s->ranks;
  if (l->run.best) SKP_TRY(skp__checkpoint_load_weights(l->run.best, best, true, NULL));
  return hand_out(best, best->ranks);
}

/* Looks at images with the best weights, and writes where they err. */
static skp_status judge_best(struct skp__loop *l, const struct skp_source *source, struct skp_eval_result *out) {
  struct skp_session *best;
  skp__session_forget_plans(l->s); /* two networks may be too much for the device */
  SKP_TRY(skp__session_create(&best, l->s->model, l->s->b));
  skp_status status = load_best(l, best);
  if (status == SKP_OK) status = evaluate(l, best, source, out);
  skp__session_destroy(best);
  return status == SKP_OK ? skp__keep_bear(l, report(l, source)) : status;
}

skp_status skp__score_best(struct skp__loop *l) {
  const struct skp_source *by = skp__score_by(l);
  const bool unused = l->data->valid && l->data->test;
  struct skp_eval_result test;
  int wanted = by && l->at.best_epoch && l->o->out;
  if (wanted) wanted = !skp__saver_owes_best(&l->saver);
  if (!unused && wanted) wanted = !l->result->judge && skp__file_exists(l->run.best);
  SKP_TRY(skp__ranks_hand_out(l->s->ranks, 0, &wanted, sizeof wanted)); /* the one with the files knows */
  if (!wanted) return SKP_OK;
  SKP_TRY(judge_best(l, unused ? l->data->test : by, &test));
  if (!unused) return SKP_OK;
  l->result->tested = test.accuracy;
  return skp__keep_bear(l, skp__run_test(&l->run, &test));
}
