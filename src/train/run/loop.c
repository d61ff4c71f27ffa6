/* loop.c: training: steps (step.h), epochs of them, a run of these. SPDX-License-Identifier: MIT */
#include "train/run/loop.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "train/run/board.h"
#include "train/run/train.h"
#include <math.h>
#include <stdlib.h>

/* ---- one step --------------------------------------------------------------------------------------------------- */

static double lr_of(const struct skp__loop *l, int64_t step) {
  const int64_t steps = skp__loader_batches(l->loader);
  return skp__schedule_lr(&l->s->model->recipe, &l->at.plateau, step, steps) * skp__position_lr(l->at.cuts);
}

static skp_status take(void *user, struct skp__step *step) {
  struct skp__loop *l = user;
  step->lr = lr_of(l, l->stepper.queued);
  return skp__loader_next(l->loader, &step->batch, &l->waited);
}

/* Evaluation and checkpoints use the averages once there are any. */
static void choose_weights(struct skp__loop *l, bool any) { l->s->averaged = any && l->s->model->recipe.ema > 0; }

/* Waits for the oldest queued step and takes its loss. */
static skp_status retire_step(struct skp__loop *l) {
  struct skp__step *step;
  SKP_TRY(skp__stepper_retire(&l->stepper, &step));
  l->lr = step->lr;
  if (!step->sound) SKP_TRY(skp__broken_step(l, step));
  if (step->sound) l->at.in_a_row = 0;
  skp__loader_give_back(l->loader, step->batch);
  l->at.step++;
  l->at.epoch_steps++;
  l->at.images += step->n;
  if (isfinite(step->loss)) l->at.loss_sum += (double)step->loss * (double)step->n;
  l->unsaved = true;
  choose_weights(l, true);
  if (l->at.step == l->first) {
    skp__progress_work("beginning with the first step", 1, 1);
    skp__pace_begin(l);
  } else {
    SKP_TRY(skp__keep_bear(l, skp__tracer_step(&l->tracer)));
  }
  SKP_TRY(skp__keep_bear(l, skp__saver_look(&l->saver)));
  SKP_TRY(skp__run_step(&l->run, l->at.step, (double)step->loss, step->lr, !step->sound));
  skp__tell_step(l, (double)step->loss);
  return SKP_OK;
}

static skp_status retire_all(struct skp__loop *l) {
  while (l->at.step < l->stepper.queued) SKP_TRY(retire_step(l));
  return SKP_OK;
}

/* ---- one epoch -------------------------------------------------------------------------------------------------- */

static bool stopped(const struct skp__loop *l) { return l->o->stop && *l->o->stop; }
static bool late(const struct skp__loop *l) {
  return l->o->max_seconds > 0 && skp__pace_elapsed(l) >= l->o->max_seconds;
}
static bool at_limit(const struct skp__loop *l) { return l->o->max_steps >= 0 && l->stepper.queued >= l->o->max_steps; }

/* Signals and clocks are each rank's own: what follows from them they agree on, before a step or an epoch's end. */
static skp_status agree(struct skp__loop *l) {
  l->wishes = (stopped(l) ? SKP_WISH_STOP : 0) | (late(l) ? SKP_WISH_LATE : 0);
  if (skp__keep_late(l)) l->wishes |= SKP_WISH_SAVE;
  return skp__ranks_meet(l->s->ranks, SKP_OK, &l->wishes);
}

static bool ends(const struct skp__loop *l) { return l->wishes & (SKP_WISH_STOP | SKP_WISH_LATE); }

static skp_status close_epoch(struct skp__loop *l) {
  struct skp__run_epoch e = {.epoch = l->at.epoch + 1,
                             .step = l->at.step,
                             .accuracy = -1,
                             .train_loss = skp__pace_loss(l),
                             .img_per_s = skp__pace_epoch(l),
                             .data_wait = skp__pace_wait(l)};
  if (isnan(e.train_loss)) return skp__broken_fail(l, l->at.step, "No step of the epoch has a finite loss");
  SKP_TRY(skp__score_epoch(l, &e));
  l->result->accuracy = e.accuracy;
  e.seconds = l->earlier + skp__pace_elapsed(l);
  SKP_TRY(skp__keep_bear(l, skp__run_epoch(&l->run, &e)));
  SKP_TRY(skp__keep_bear(l, skp__board_weights(l->run.board, l->s, l->at.step)));
  skp__tell_epoch(l, &e);
  l->at.epoch++;
  l->at.epoch_steps = l->at.images = 0;
  l->at.loss_sum = l->at.lost = 0;
  l->unsaved = true;
  return skp__back_mark(l); /* an epoch is closed once, and stays: best.safetensors may hold its weights */
}

/* ---- the run ---------------------------------------------------------------------------------------------------- */

static skp_status start_loader(struct skp__loop *l) {
  const struct skp_recipe *r = &l->s->model->recipe;
  struct skp_loader_options options = {.batch = r->batch, .shuffle = l->o->shuffle, .seed = l->o->seed};
  skp__session_loading(&options, r, l->data->train, true);
  const struct skp__micro *micro = &l->stepper.micro;
  options.images = skp__micro_epoch(micro);
  if (micro->ranks > 1) options.share = skp__micro_part(micro, INT64_MAX).n;
  if (micro->ranks > 1) options.first = skp__micro_part(micro, INT64_MAX).first;
  options.start = l->at.step;
  options.threads = l->o->threads;
  options.depth = SKP_STEPS_AHEAD + 3;
  return skp__loader_create(&l->loader, l->data->train, &options);
}

/* In smaller micro-batches fewer images may be left over. */
static skp_status restart_loader(void *user) {
  struct skp__loop *l = user;
  skp__loader_destroy(l->loader);
  l->loader = NULL;
  return start_loader(l);
}

static skp_status open_stepper(struct skp__loop *l) {
  struct skp__stepper *st = &l->stepper;
  const struct skp_source *by = skp__score_by(l);
  SKP_TRY(skp__stepper_train(st, l->s, l->data->train->n));
  st->seed = l->o->seed;
  st->bytes = skp__session_bytes(&l->s->model->recipe, l->data->train, true);
  st->judged = by ? skp__evaluate_own(l->s, by->n) : 0;
  st->judged_bytes = by && skp__session_bytes(&l->s->model->recipe, by, false);
  st->say = l->o->say;
  st->user = l;
  st->take = take;
  st->again = restart_loader;
  st->queued = st->done = l->at.step;
  return skp__stepper_open(st);
}

static skp_status prepare(struct skp__loop *l) {
  SKP_TRY(skp__state_describe(&l->described, l->s->model, l->data, l->o));
  SKP_TRY(skp__alike_run(l));
  if (l->o->resume) SKP_TRY(skp__state_recall(l->o->resume, l->s));
  SKP_TRY(open_stepper(l));
  choose_weights(l, l->at.step > 0);
  skp__tell_begin(l);
  if (l->o->resume) SKP_TRY(skp__state_restore(l->o->resume, l->s));
  if (l->o->resume) l->saved = l->at.step;
  l->first = l->at.step + 1;
  l->earlier = l->at.seconds;
  l->at.finished = 0;
  SKP_TRY(skp__alike_values(l));
  SKP_TRY(start_loader(l));
  l->lr = l->at.step ? lr_of(l, l->at.step - 1) : 0; /* that of the latest step, whoever made it */
  skp__pace_enter(l);
  skp__progress_work("beginning with the first step", 0, 1); /* some drivers compile there */
  const struct skp__micro *micro = &l->stepper.micro;
  if (skp__position_fits(&l->at, skp__loader_batches(l->loader), micro->batch, skp__micro_epoch(micro)))
    return skp__back_mark(l);
  return skp__fail(SKP_FORMAT, "%s does not say where the run stands.", l->run.state);
}

/* ---- the steps -------------------------------------------------------------------------------------------------- */

static skp_status save_if_due(struct skp__loop *l) {
  if (!skp__keep_due(l, skp__loader_batches(l->loader))) return SKP_OK;
  SKP_TRY(retire_all(l));
  return skp__keep_bear(l, skp__keep_all(l));
}

/* The rest of the present epoch. */
static skp_status run_steps(struct skp__loop *l) {
  skp__pace_enter(l);
  if (l->stepper.queued < l->first) {
    SKP_TRY(skp__stepper_first(&l->stepper));
    SKP_TRY(retire_all(l)); /* the pace counts from its end, which ranks would else see when later ones are done, too */
    SKP_TRY(skp__tracer_start(&l->tracer, l->s->b, l->o->trace, l->o->trace_steps));
    SKP_TRY(save_if_due(l));
  }
  int64_t end = l->at.step - l->at.epoch_steps + skp__loader_batches(l->loader);
  while (l->stepper.queued < end && !at_limit(l)) {
    SKP_TRY(agree(l));
    if (ends(l)) break;
    if (skp__stepper_full(&l->stepper)) SKP_TRY(retire_step(l));
    SKP_TRY(skp__stepper_queue(&l->stepper));
    SKP_TRY(save_if_due(l));
  }
  return retire_all(l);
}

/* An epoch that has all its steps is closed first, also where a run goes on that was ended in between. */
static skp_status go_on(struct skp__loop *l) {
  if (l->at.epoch_steps == skp__loader_batches(l->loader)) return close_epoch(l);
  if (!skp__position_complete(&l->at, &l->s->model->recipe, l->o->max_steps)) return run_steps(l);
  l->at.finished = l->unsaved = 1;
  return SKP_OK;
}

/* It is saved before anything else: a run that is taken up again from there remembers that it went back. */
static skp_status go_back(struct skp__loop *l) {
  SKP_TRY(skp__back_go(l));
  SKP_TRY(restart_loader(l));
  choose_weights(l, l->at.step > 0);
  SKP_TRY(skp__keep_bear(l, skp__keep_all(l)));
  return skp__keep_bear(l, skp__saver_wait(&l->saver));
}

/* The first rank's files decide what the best weights are, so its position is that of all. */
static skp_status run_epochs(struct skp__loop *l) {
  while (!l->at.finished) {
    SKP_TRY(agree(l));
    if (ends(l)) break;
    SKP_TRY(skp__ranks_hand_out(l->s->ranks, 0, &l->at, sizeof l->at));
    skp_status status = go_on(l);
    if (l->retry != SKP_RETRY_NEVER) status = go_back(l);
    SKP_TRY(status);
  }
  skp__back_forget(l);
  return SKP_OK;
}

static skp_status train(struct skp__loop *l) {
  if (l->o->resume || l->o->max_steps != 0) {
    SKP_TRY(prepare(l));
    SKP_TRY(run_epochs(l));
    SKP_TRY(skp__keep_bear(l, skp__saver_wait(&l->saver)));
    SKP_TRY(skp__keep_bear(l, skp__saver_pay(&l->saver))); /* best.safetensors is read */
    SKP_TRY(skp__keep_bear(l, skp__events_flush(l->run.board)));
  }
  SKP_TRY(skp__keep_bear(l, skp__tracer_stop(&l->tracer)));
  skp__tell_end(l);
  if (l->at.finished) SKP_TRY(skp__score_best(l));
  if (l->unsaved || l->saved < 0) SKP_TRY(skp__keep_bear(l, skp__keep_all(l)));
  SKP_TRY(skp__keep_bear(l, skp__saver_wait(&l->saver)));
  SKP_TRY(skp__keep_outcome(l));
  if (l->at.finished || !l->loader) return SKP_OK;
  return skp__run_interrupted(&l->run, l->wishes & SKP_WISH_STOP ? "Stopped" : "The time is up: saved", l->at.step);
}

static void forget_best(struct skp__loop *l) {
  l->at.best = -INFINITY;
  l->at.best_epoch = 0;
}

/* Best weights that somebody took away are none: the best from here on are. */
static void seek_best(struct skp__loop *l) {
  if (!l->o->resume || !l->run.best || !l->at.best_epoch || skp__file_exists(l->run.best)) return;
  if (l->o->say)
    skp_print(l->o->say, "%s is gone, the weights of epoch %lld: the best from here on are kept.\n", l->run.best,
              (long long)l->at.best_epoch);
  forget_best(l);
}

/* Best weights that are not on the disk in the end are none. */
static void close_saver(struct skp__loop *l) {
  if (skp__saver_owes_best(&l->saver)) forget_best(l);
  skp__saver_close(&l->saver);
}

/* No rank is done before all are, and one that failed says so. */
static skp_status end_together(struct skp_ranks *ranks, skp_status status) {
  const skp_status met = skp__ranks_meet(ranks, status == SKP_INTERRUPTED ? SKP_OK : status, NULL);
  return met == SKP_OK ? status : met;
}

static skp_status train_in_folder(struct skp__loop *l) {
  skp_status status = skp__run_open(&l->run, l->s, l->data, l->o, &l->at);
  if (status == SKP_OK) seek_best(l);
  if (status == SKP_OK) status = skp__session_settle(l->s, train(l));
  status = end_together(l->s->ranks, skp__saver_settle(&l->saver, status));
  close_saver(l);
  if (status != SKP_OK && !l->o->resume && !l->at.step && l->saved < 0) skp__run_forget(&l->run, l->o->say);
  return status;
}

skp_status skp__train(struct skp_session *s, const struct skp_data *data, const struct skp_train_options *o,
                      struct skp_train_result *out) {
  struct skp__loop l = {
      .s = s, .data = data, .o = o, .start = skp__clock(), .saved_at = skp__clock(), .saved = -1, .result = out};
  int64_t valid = data->valid ? data->valid->n : 0, test = data->test ? data->test->n : 0;
  struct skp_train_options own = *o;
  char *shares = NULL;
  bool alike;
  s->ranks = o->ranks;
  l.o = &own;
  l.at = skp__position_start();
  skp_status status = skp__result_create(out, valid > test ? valid : test);
  if (status == SKP_OK)
    status = skp__alloc(&l.predictions, (size_t)(valid > test ? valid : test), sizeof *l.predictions);
  if (status == SKP_OK && o->resume) status = skp__resume_position(&l.at, o->resume);
  if (status == SKP_OK) status = skp__alike_devices(&alike, &l);
  if (status == SKP_OK) status = skp__shares_settle(&shares, s, data, o, alike);
  s->shares = own.shares = shares;
  if (status == SKP_OK) status = train_in_folder(&l);
  skp__tell_result(&l);
  skp__tracer_drop(&l.tracer);
  skp__back_forget(&l);
  skp__loader_destroy(l.loader);
  skp__stepper_close(&l.stepper);
  skp__run_close(&l.run);
  free(l.described);
  free(l.unwritten);
  free(l.predictions);
  free(shares);
  s->shares = NULL;
  s->ranks = NULL;
  s->led = false;
  return status;
}
