/* loop.c: training: epochs of steps (step.h), saved and judged. SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/file.h"
#include "base/host.h"
#include "train/board.h"
#include "train/metrics.h"
#include "train/result.h"
#include "train/saver.h"
#include "train/schedule.h"
#include "train/step.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct loop {
  struct skp_session *s;
  struct skp__stepper stepper;
  const struct skp_data *data;
  const struct skp_train_options *o;
  struct skp_loader *loader;
  struct skp__run run;
  struct skp__saver saver;
  char *described; /* what the run is made of: see skp__state_describe */
  struct skp_train_result *result;
  struct skp_prediction *predictions; /* of the latest evaluation; room for the larger of the sets that judge */
  struct skp__position at;            /* after the steps whose result the host has */
  int64_t first,
      saved;       /* the step with which this process began; the one whose weights last.safetensors holds, -1: none */
  char *unwritten; /* the latest error of writing a file that did not end the run; NULL: there was none */
  bool unsaved;    /* something happened since */
  double lr;       /* of the last step */
  double start, saved_at; /* of this process; the last save: on the clock */
  double earlier;         /* seconds that the run took before this process */
  double began;           /* the epoch, as far as its pace is concerned: */
  int64_t unpaced;        /* images from before, whose step compiled the kernels */
  double entered;         /* when this process began with the epoch */
  int64_t before;         /* its images from before */
  double waited;          /* for data since then */
};

/* ---- one step --------------------------------------------------------------------------------------------------- */

static skp_status take(void *user, struct skp__step *step) {
  struct loop *l = user;
  const int64_t steps = skp__loader_batches(l->loader);
  step->lr = skp__schedule_lr(&l->s->model->recipe, &l->at.plateau, l->stepper.queued, steps);
  return skp__loader_next(l->loader, &step->batch, &l->waited);
}

/* Evaluation and checkpoints use the averages once there are any. */
static void choose_weights(struct loop *l, bool any) { l->s->averaged = any && l->s->model->recipe.ema > 0; }

/* `what` left the finite numbers: where, and what to do. */
static skp_status fail_numeric(const struct loop *l, int64_t step, const char *what) {
  const bool earlier = l->saved >= 0 && l->saved < step;
  const char *sound = earlier ? l->run.last : l->at.best_epoch ? l->run.best : NULL;
  return skp__fail(SKP_NUMERIC,
                   "%s at step %lld (epoch %lld) with the learning rate %g. Try a smaller one (%s %g), or check that "
                   "the pixels are normalised (%s, %s). %s%s.",
                   what, (long long)step, (long long)l->at.epoch + 1, l->lr, skp__option("lr"), l->lr / 10,
                   skp__option("mean"), skp__option("std"),
                   sound ? "The weights from before are in " : "There are no weights from before", sound ? sound : "");
}

/* From here on images a second are counted: at an epoch's start, and again after the first step, which compiles. */
static void begin_pace(struct loop *l) {
  l->unpaced = l->at.images;
  l->began = skp__clock();
}

/* All that this process does in the present epoch. */
static void enter_epoch(struct loop *l) {
  begin_pace(l);
  l->before = l->at.images;
  l->entered = l->began;
  l->waited = 0;
}

/* The fraction of that time in which the device had nothing to do for want of data. */
static double data_wait(const struct loop *l) {
  double seconds = skp__clock() - l->entered;
  return seconds > 0 ? l->waited / seconds : 0;
}

/* Images a second in this epoch; 0 while nothing can be said. */
static double pace(const struct loop *l) {
  double images = (double)(l->at.images - l->unpaced), seconds = skp__clock() - l->began;
  return images > 0 && seconds > 0 ? images / seconds : 0;
}

/* Of the images of the epoch so far; NaN: none has a finite loss. */
static double mean_loss(const struct loop *l) {
  const double images = (double)l->at.images - l->at.lost;
  return images > 0 ? l->at.loss_sum / images : NAN;
}

static double elapsed(const struct loop *l) { return skp__clock() - l->start; }

static void tell(const struct loop *l, struct skp_progress p) {
  p.epoch = l->at.epoch;
  p.epochs = l->s->model->recipe.epochs;
  p.step = l->at.step;
  p.first = l->at.step == l->first;
  p.steps_in_epoch = skp__loader_batches(l->loader);
  p.step_in_epoch = l->at.epoch_steps;
  p.images = l->at.images;
  p.seconds = elapsed(l);
  if (!p.epoch_done) p.img_per_s = pace(l);
  if (!p.epoch_done) p.data_wait = data_wait(l);
  skp__progress_tell(&p);
}

/* A full disk ends nothing: the earlier files are there, and the next save tries again. It is said, and makes the run
 * fail in the end. Best weights that are not on the disk are none. */
static skp_status bear(struct loop *l, skp_status status) {
  if (status != SKP_DISK_FULL) return status;
  if (l->o->say && (!l->unwritten || strcmp(l->unwritten, skp_error_message()) != 0))
    skp_print(l->o->say, "%s Training goes on; the next save tries again.\n", skp_error_message());
  free(l->unwritten);
  SKP_TRY(skp__strdup(&l->unwritten, skp_error_message()));
  l->unsaved = true;
  if (l->saved > 0) l->saved = 0; /* what the files hold is of an earlier step */
  if (l->saver.failed && l->saver.failed == l->run.best) {
    l->at.best = -INFINITY;
    l->at.best_epoch = 0;
    l->saver.failed = NULL;
  }
  return SKP_OK;
}

/* Of a run that is done but for that. */
static skp_status fail_unwritten(const struct loop *l) {
  const char *out = l->o->out;
  return skp__fail(SKP_DISK_FULL, "Not every file could be written while the run went on%s%s. %s",
                   out ? "; what it ended with is in " : "", out ? out : "", l->unwritten);
}

enum { SKIPPED_IN_A_ROW = 10 }; /* steps that are left out one after the other, before that is no training any more */

static const char *what_broke(const struct skp__step *step) {
  return isnan(step->loss)   ? "The loss became not a number"
         : isinf(step->loss) ? "The loss became infinite"
                             : "The gradients became infinite or not numbers";
}

/* A step that is not finite has changed nothing: it is left out, or ends the run. */
static skp_status bear_broken(struct loop *l, const struct skp__step *step) {
  enum { TOLD = 10, AGAIN = 100 }; /* of so many each is told of, of those after them each hundredth */
  const bool skips = skp__recipe_skips(&l->s->model->recipe) && l->at.in_a_row < SKIPPED_IN_A_ROW;
  if (!skips) return fail_numeric(l, step->number + 1, what_broke(step));
  l->at.in_a_row++;
  l->at.skipped++;
  if (!isfinite(step->loss)) l->at.lost += (double)step->n;
  if (l->o->say && (l->at.skipped <= TOLD || fmod(l->at.skipped, AGAIN) == 0))
    fprintf(l->o->say, "%s at step %lld (learning rate %g): it is left out, %.0f so far.\n", what_broke(step),
            (long long)step->number + 1, step->lr, l->at.skipped);
  return SKP_OK;
}

/* Waits for the oldest queued step and takes its loss. */
static skp_status retire_step(struct loop *l) {
  struct skp__step *step;
  SKP_TRY(skp__stepper_retire(&l->stepper, &step));
  l->lr = step->lr;
  if (!step->sound) SKP_TRY(bear_broken(l, step));
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
    begin_pace(l);
  }
  SKP_TRY(bear(l, skp__saver_look(&l->saver)));
  SKP_TRY(skp__run_step(&l->run, l->at.step, (double)step->loss, step->lr, !step->sound));
  tell(l, (struct skp_progress){.loss = (double)step->loss});
  return SKP_OK;
}

static skp_status retire_all(struct loop *l) {
  while (l->at.step < l->stepper.queued) SKP_TRY(retire_step(l));
  return SKP_OK;
}

/* ---- saving ----------------------------------------------------------------------------------------------------- */

/* The values on the host, the device free again; writing them is the saver's. What is not finite is found before. The
 * earlier save is through first: whether its files are there is a part of what this one says. */
static skp_status begin_save(struct loop *l, struct skp__save *save, const char *weights) {
  *save = (struct skp__save){.model = l->s->model, .extra = l->o->extra, .weights = weights, .run = &l->run};
  SKP_TRY(bear(l, skp__saver_wait(&l->saver)));
  save->extra.steps = l->at.step;
  SKP_TRY(skp__session_pull(l->s, &save->params, &save->state));
  skp_status status = skp__checkpoint_check(l->s->model, save->params, save->state);
  return status == SKP_NUMERIC ? fail_numeric(l, l->at.step, skp_error_message()) : status;
}

static skp_status hand_over(struct loop *l, struct skp__save *save, skp_status status) {
  if (status == SKP_OK) return skp__saver_start(&l->saver, save);
  skp__save_free(save);
  return status;
}

static skp_status save_weights(struct loop *l, const char *path) {
  struct skp__save save;
  if (!path) return SKP_OK; /* no file is written */
  skp_status status = begin_save(l, &save, path);
  return hand_over(l, &save, status);
}

static skp_status add_state(struct loop *l, struct skp__save *save) {
  save->state_path = l->run.state;
  SKP_TRY(skp__values_pull(&save->kept, l->s));
  if (skp__values_check(&save->kept, l->s->model) != SKP_OK) return fail_numeric(l, l->at.step, skp_error_message());
  return skp__state_metadata(&save->meta, l->s, &l->o->extra, l->described, &l->at);
}

static skp_status write_all(struct loop *l) {
  struct skp__save save;
  SKP_TRY(skp__log_size(l->run.log, &l->at.log_bytes));
  SKP_TRY(skp__log_size(l->run.table, &l->at.table_bytes));
  l->at.seconds = l->earlier + elapsed(l);
  skp_status status = begin_save(l, &save, l->run.last);
  save.keep = l->o->save.keep;
  if (status == SKP_OK && save.keep) status = skp__run_numbered(&save.numbered, &l->run, l->at.step);
  if (status == SKP_OK && l->loader) status = add_state(l, &save);
  return hand_over(l, &save, status);
}

static skp_status save(struct loop *l) {
  skp_status status = l->o->out ? write_all(l) : SKP_OK;
  if (status == SKP_OK) l->saved = l->at.step;
  if (status == SKP_OK) l->unsaved = false;
  l->saved_at = skp__clock();
  return status;
}

/* Whether the run is to be saved once all queued steps are done. */
static bool save_due(const struct loop *l, int64_t steps) {
  const struct skp_save_options *when = &l->o->save;
  int64_t epoch_steps = l->at.epoch_steps + l->stepper.queued - l->at.step;
  if (when->epochs && epoch_steps == steps && (l->at.epoch + 1) % when->epochs == 0) return true;
  if (when->steps && l->stepper.queued % when->steps == 0) return true;
  return when->seconds > 0 && skp__clock() - l->saved_at >= when->seconds;
}

/* ---- one epoch -------------------------------------------------------------------------------------------------- */

static bool stopped(const struct loop *l) { return l->o->stop && *l->o->stop; }
static bool late(const struct loop *l) { return l->o->max_seconds > 0 && elapsed(l) >= l->o->max_seconds; }
static bool at_limit(const struct loop *l) { return l->o->max_steps >= 0 && l->stepper.queued >= l->o->max_steps; }

/* The images by which an epoch is judged; NULL: there are none. */
static const struct skp_source *judged_by(const struct loop *l) {
  return l->data->valid ? l->data->valid : l->data->test;
}

/* Answers without a finite one among them end the run as such a loss does. */
static skp_status evaluate(struct loop *l, struct skp_session *s, const struct skp_source *source,
                           struct skp_eval_result *out) {
  SKP_TRY(skp__evaluate(s, source, skp__micro_size(&l->stepper.micro), l->o->threads, out, NULL, l->predictions));
  if (skp__evaluated(out, source) != SKP_OK) return fail_numeric(l, l->at.step, skp_error_message());
  if (out->lost && l->o->say)
    fprintf(l->o->say,
            "After step %lld %lld of the answers to the %lld images of %s are not finite: they count as wrong.\n",
            (long long)l->at.step, (long long)out->lost, (long long)out->n, source->name);
  return SKP_OK;
}

/* Notes where the best weights err, by the predictions for the images of `source`, and writes it. */
static skp_status report(struct loop *l, const struct skp_source *source) {
  const struct skp_class_names names = {l->o->extra.class_names, l->o->extra.classes};
  return skp__result_report(l->result, &l->predictions, source, &names, l->s->model->recipe.classes, l->o->out);
}

/* Tests the network, takes its weights if they are the best so far, and tells the schedule. */
static skp_status judge(struct loop *l, struct skp__run_epoch *e) {
  const struct skp_source *by = judged_by(l);
  struct skp_eval_result test;
  if (by) {
    SKP_TRY(evaluate(l, l->s, by, &test));
    e->accuracy = test.accuracy;
    e->top5 = test.top5;
    e->loss = test.loss;
  }
  double score = by ? e->accuracy : -e->train_loss;
  skp__plateau_observe(&l->at.plateau, &l->s->model->recipe, e->epoch, score);
  if (score <= l->at.best) return SKP_OK;
  SKP_TRY(save_weights(l, l->run.best));
  if (by) SKP_TRY(bear(l, report(l, by)));
  l->at.best = score;
  l->at.best_epoch = e->epoch;
  return SKP_OK;
}

static skp_status close_epoch(struct loop *l) {
  struct skp__run_epoch e = {.epoch = l->at.epoch + 1, .step = l->at.step, .accuracy = -1, .data_wait = data_wait(l)};
  e.img_per_s = pace(l);
  if (e.img_per_s <= 0) /* a single step, compiling included; none: the steps were those of another process */
    e.img_per_s = (double)(l->at.images - l->before) / (skp__clock() - l->entered);
  e.train_loss = mean_loss(l);
  if (isnan(e.train_loss)) return fail_numeric(l, l->at.step, "No step of the epoch has a finite loss");
  SKP_TRY(judge(l, &e));
  l->result->accuracy = e.accuracy;
  e.seconds = l->earlier + elapsed(l);
  SKP_TRY(bear(l, skp__run_epoch(&l->run, &e)));
  SKP_TRY(bear(l, skp__board_weights(l->run.board, l->s, l->at.step)));
  tell(l, (struct skp_progress){.epoch_done = true,
                                .train_loss = e.train_loss,
                                .accuracy = e.accuracy,
                                .test_loss = e.loss,
                                .valid = l->data->valid,
                                .img_per_s = e.img_per_s,
                                .data_wait = e.data_wait});
  l->at.epoch++;
  l->at.epoch_steps = l->at.images = 0;
  l->at.loss_sum = l->at.lost = 0;
  l->unsaved = true;
  return SKP_OK;
}

/* ---- the run ---------------------------------------------------------------------------------------------------- */

static void say_left_out(const struct loop *l) {
  if (l->o->say && skp__micro_epoch(&l->stepper.micro) < l->stepper.micro.images)
    fprintf(l->o->say,
            "The last image of each epoch is left out: it would be alone, and %s, which normalises maps of one pixel, "
            "learns nothing from one value a channel.\n",
            l->stepper.micro.layer);
}

static skp_status start_loader(struct loop *l) {
  const struct skp_recipe *r = &l->s->model->recipe;
  struct skp_loader_options options = {.batch = r->batch, .shuffle = l->o->shuffle, .seed = l->o->seed};
  skp__session_loading(&options, r, true);
  options.images = skp__micro_epoch(&l->stepper.micro);
  options.start = l->at.step;
  options.threads = l->o->threads;
  options.depth = SKP_STEPS_AHEAD + 3;
  return skp__loader_create(&l->loader, l->data->train, &options);
}

/* In smaller micro-batches fewer images may be left over. */
static skp_status restart_loader(void *user) {
  struct loop *l = user;
  skp__loader_destroy(l->loader);
  l->loader = NULL;
  return start_loader(l);
}

static skp_status open_stepper(struct loop *l) {
  struct skp__stepper *st = &l->stepper;
  const struct skp_source *by = judged_by(l);
  SKP_TRY(skp__stepper_train(st, l->s, l->data->train->n));
  st->seed = l->o->seed;
  st->judged = by ? by->n : 0;
  st->say = l->o->say;
  st->user = l;
  st->take = take;
  st->again = restart_loader;
  st->queued = st->done = l->at.step;
  return skp__stepper_open(st);
}

static skp_status prepare(struct loop *l) {
  SKP_TRY(open_stepper(l));
  choose_weights(l, l->at.step > 0);
  say_left_out(l);
  if (l->o->resume) SKP_TRY(skp__state_restore(l->o->resume, l->s));
  if (l->o->resume) l->saved = l->at.step;
  l->first = l->at.step + 1;
  l->earlier = l->at.seconds;
  l->at.finished = 0;
  SKP_TRY(skp__state_describe(&l->described, l->s->model, l->data, l->o));
  SKP_TRY(start_loader(l));
  enter_epoch(l);
  skp__progress_work("beginning with the first step", 0, 1); /* some drivers compile there */
  const struct skp__micro *micro = &l->stepper.micro;
  if (skp__position_fits(&l->at, skp__loader_batches(l->loader), micro->batch, skp__micro_epoch(micro))) return SKP_OK;
  return skp__fail(SKP_FORMAT, "%s does not say where the run stands.", l->run.state);
}

/* ---- the steps -------------------------------------------------------------------------------------------------- */

static skp_status save_if_due(struct loop *l) {
  if (!save_due(l, skp__loader_batches(l->loader))) return SKP_OK;
  SKP_TRY(retire_all(l));
  return bear(l, save(l));
}

/* The rest of the present epoch. */
static skp_status run_steps(struct loop *l) {
  enter_epoch(l);
  if (l->stepper.queued < l->first) {
    SKP_TRY(skp__stepper_first(&l->stepper));
    SKP_TRY(save_if_due(l));
  }
  int64_t end = l->at.step - l->at.epoch_steps + skp__loader_batches(l->loader);
  while (l->stepper.queued < end && !stopped(l) && !late(l) && !at_limit(l)) {
    if (skp__stepper_full(&l->stepper)) SKP_TRY(retire_step(l));
    SKP_TRY(skp__stepper_queue(&l->stepper));
    SKP_TRY(save_if_due(l));
  }
  return retire_all(l);
}

/* An epoch that has all its steps is closed first, also where a run goes on that was ended in between. */
static skp_status run_epochs(struct loop *l) {
  while (!stopped(l) && !late(l)) {
    if (l->at.epoch_steps == skp__loader_batches(l->loader)) {
      SKP_TRY(close_epoch(l));
    } else if (skp__position_complete(&l->at, &l->s->model->recipe, l->o->max_steps)) {
      l->at.finished = l->unsaved = 1;
      break;
    } else {
      SKP_TRY(run_steps(l));
    }
  }
  return SKP_OK;
}

/* Looks at images with the best weights, and writes where they err. */
static skp_status judge_best(struct loop *l, const struct skp_source *source, struct skp_eval_result *out) {
  struct skp_session *best;
  skp__session_forget_plans(l->s); /* two networks may be too much for the device */
  SKP_TRY(skp__session_create(&best, l->s->model, l->s->b));
  skp_status status = skp__checkpoint_load_weights(l->run.best, best, true, NULL);
  if (status == SKP_OK) status = evaluate(l, best, source, out);
  skp__session_destroy(best);
  return status == SKP_OK ? report(l, source) : status;
}

/* Where some training images judged each epoch, the test images are used once, for the weights that they found best. A
 * run that went on and became no better has forgotten where its best weights err. */
static skp_status test_best(struct loop *l) {
  const struct skp_source *by = judged_by(l);
  const bool unused = l->data->valid && l->data->test;
  struct skp_eval_result test;
  if (!by || !l->at.best_epoch || !l->o->out) return SKP_OK;
  if (!unused && (l->result->judge || !skp__file_exists(l->run.best))) return SKP_OK;
  SKP_TRY(judge_best(l, unused ? l->data->test : by, &test));
  if (!unused) return SKP_OK;
  SKP_TRY(skp__run_test(&l->run, &test));
  l->result->tested = test.accuracy;
  return SKP_OK;
}

static void say_early(const struct loop *l) {
  if (!l->o->say || !skp__position_early(&l->at, &l->s->model->recipe)) return;
  fprintf(l->o->say, "Stopped early: epoch %lld was the best, none of the %lld after it was better.\n",
          (long long)l->at.best_epoch, (long long)(l->at.epoch - l->at.best_epoch));
}

static skp_status train(struct loop *l) {
  if (l->o->resume || l->o->max_steps != 0) {
    SKP_TRY(prepare(l));
    SKP_TRY(run_epochs(l));
    SKP_TRY(bear(l, skp__saver_wait(&l->saver))); /* best.safetensors is read */
    SKP_TRY(bear(l, skp__events_flush(l->run.board)));
  }
  if (l->at.skipped > 0 && l->o->say)
    fprintf(l->o->say, "%.0f of %lld steps were left out, as they were not finite.\n", l->at.skipped,
            (long long)l->at.step);
  if (l->at.finished) {
    say_early(l);
    SKP_TRY(test_best(l));
  }
  if (l->unsaved || l->saved < 0) SKP_TRY(save(l));
  SKP_TRY(skp__saver_wait(&l->saver));
  if (l->unwritten) return fail_unwritten(l);
  if (l->at.finished || !l->loader) return SKP_OK;
  return skp__run_interrupted(&l->run, stopped(l) ? "Stopped" : "The time is up: saved", l->at.step);
}

/* How it ended. */
static void tell_result(const struct loop *l) {
  struct skp_train_result *r = l->result;
  r->best = l->at.best;
  r->best_epoch = l->at.best_epoch;
  r->epoch = l->at.epoch + 1;
  r->step = l->at.epoch_steps;
  r->steps = l->loader ? skp__loader_batches(l->loader) : 0;
  r->loss = l->at.images ? mean_loss(l) : 0;
}

static skp_status train_in_folder(struct loop *l) {
  skp_status status = skp__run_open(&l->run, l->s, l->data, l->o, &l->at);
  if (status == SKP_OK) status = skp__session_settle(l->s, train(l));
  status = skp__saver_settle(&l->saver, status);
  if (status != SKP_OK && !l->o->resume && !l->at.step && l->saved < 0) skp__run_forget(&l->run, l->o->say);
  return status;
}

skp_status skp__train(struct skp_session *s, const struct skp_data *data, const struct skp_train_options *o,
                      struct skp_train_result *out) {
  struct loop l = {
      .s = s, .data = data, .o = o, .start = skp__clock(), .saved_at = skp__clock(), .saved = -1, .result = out};
  int64_t valid = data->valid ? data->valid->n : 0, test = data->test ? data->test->n : 0;
  l.at = skp__position_start();
  skp_status status = skp__result_create(out, valid > test ? valid : test);
  if (status == SKP_OK)
    status = skp__alloc(&l.predictions, (size_t)(valid > test ? valid : test), sizeof *l.predictions);
  if (status == SKP_OK && o->resume) status = skp__resume_position(&l.at, o->resume);
  if (status == SKP_OK) status = train_in_folder(&l);
  tell_result(&l);
  skp__loader_destroy(l.loader);
  skp__stepper_close(&l.stepper);
  skp__run_close(&l.run);
  free(l.described);
  free(l.unwritten);
  free(l.predictions);
  return status;
}
