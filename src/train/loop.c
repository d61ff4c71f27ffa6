/* loop.c: training. SPDX-License-Identifier: MIT
 *
 *   loader ─> queue a step ─> [ up to SKP_STEPS_AHEAD steps on the device ] ─> retire a step: its loss, the log, progress
 *
 * The host never waits for the step it has just queued, so the device always has the next one. What a queued step still reads (images,
 * labels, the update's numbers) and writes (its loss) lies in a slot until the step's ticket is done. */
#include "base/clock.h"
#include "train/run.h"
#include "train/schedule.h"
#include <math.h>

struct slot {
  struct skp_batch *batch;
  float hyper[4], loss;
  double lr;
  uint64_t ticket;
  int64_t n; /* images */
};

struct loop {
  struct skp_session *s;
  const struct skp_source *train, *test;
  const struct skp_train_options *o;
  struct skp_loader *loader;
  struct skp__run run;
  struct slot slot[SKP_STEPS_AHEAD];
  int64_t queued, done;  /* steps */
  int64_t saved;         /* the step whose weights last.safetensors holds, -1: none */
  int64_t epoch, before; /* the present epoch, from 0; steps done before it */
  int64_t images;        /* in this epoch so far */
  double loss_sum;       /* over them */
  double start, began;   /* of the run; of the epoch, as far as its pace is concerned: */
  int64_t unpaced;       /* images from before, whose step compiled the kernels */
  double waited;         /* for data in this epoch */
  double best;           /* so far: accuracy, or minus the training loss */
};

/* ---- one step --------------------------------------------------------------------------------------------------- */

static skp_status queue_inputs(struct loop *l, struct slot *slot, struct skp_plan *plan) {
  const struct skp_graph *g = skp__plan_graph(plan);
  struct skp_backend *b = l->s->b;
  const struct skp_recipe *r = &l->s->model->recipe;
  slot->lr = skp__schedule_lr(r, l->queued, skp__loader_batches(l->loader));
  skp__session_hyper(slot->hyper, r, slot->lr, l->queued + 1);
  SKP_TRY(skp__session_feed(l->s, plan, slot->batch));
  return b->ops->write(b, skp__plan_buffer(plan, g->hyper), 0, slot->hyper, sizeof slot->hyper);
}

static skp_status queue_step(struct loop *l) {
  struct slot *slot = &l->slot[l->queued % SKP_STEPS_AHEAD];
  struct skp_backend *b = l->s->b;
  struct skp_plan *plan;
  SKP_TRY(skp__loader_next(l->loader, &slot->batch, &l->waited));
  slot->n = slot->batch->n;
  SKP_TRY(skp__session_train_plan(l->s, &plan, slot->n));
  SKP_TRY(queue_inputs(l, slot, plan));
  SKP_TRY(skp__plan_run(plan));
  SKP_TRY(b->ops->read(b, skp__plan_buffer(plan, skp__plan_graph(plan)->loss), 0, &slot->loss, sizeof slot->loss));
  SKP_TRY(b->ops->ticket(b, &slot->ticket));
  l->queued++;
  return SKP_OK;
}

/* `what` left the finite numbers: where, and what to do. */
static skp_status fail_numeric(const struct loop *l, int64_t step, const char *what) {
  double lr = l->s->model->recipe.lr;
  return skp__fail(SKP_NUMERIC,
                   "%s at step %lld (epoch %lld) with the learning rate %g. Try a smaller one (--lr %g), or check that "
                   "the pixels are normalised (--mean, --std). %s %s.",
                   what, (long long)step, (long long)l->epoch + 1, lr, lr / 10,
                   l->saved < 0 ? "Nothing was saved yet in" : "The weights from before are in",
                   l->saved < 0 ? l->o->out : l->run.last);
}

/* Images a second in this epoch; 0 while nothing can be said. */
static double pace(const struct loop *l) {
  double images = (double)(l->images - l->unpaced), seconds = skp__clock() - l->began;
  return images > 0 && seconds > 0 ? images / seconds : 0;
}

static void tell(const struct loop *l, struct skp_progress p) {
  if (!l->o->progress) return;
  p.epoch = l->epoch;
  p.epochs = l->s->model->recipe.epochs;
  p.step = l->done;
  p.steps_in_epoch = skp__loader_batches(l->loader);
  p.step_in_epoch = l->done - l->before;
  p.images = l->images;
  p.seconds = skp__clock() - l->start;
  p.data_wait = l->waited;
  if (!p.epoch_done) p.img_per_s = pace(l);
  l->o->progress(l->o->user, &p);
}

/* Waits for the oldest queued step and takes its loss. */
static skp_status retire_step(struct loop *l) {
  struct slot *slot = &l->slot[l->done % SKP_STEPS_AHEAD];
  SKP_TRY(l->s->b->ops->wait(l->s->b, slot->ticket));
  skp__loader_give_back(l->loader, slot->batch);
  slot->batch = NULL;
  if (!isfinite(slot->loss)) {
    const char *what = isnan(slot->loss) ? "The loss became not a number" : "The loss became infinite";
    return fail_numeric(l, l->done + 1, what);
  }
  l->done++;
  l->images += slot->n;
  l->loss_sum += (double)slot->loss * (double)slot->n;
  if (l->done == 1) l->unpaced = l->images, l->began = skp__clock();
  SKP_TRY(skp__run_step(&l->run, l->done, (double)slot->loss, slot->lr));
  tell(l, (struct skp_progress){.loss = (double)slot->loss});
  return SKP_OK;
}

static skp_status retire_all(struct loop *l) {
  while (l->done < l->queued) SKP_TRY(retire_step(l));
  return SKP_OK;
}

/* ---- one epoch -------------------------------------------------------------------------------------------------- */

static bool stopped(const struct loop *l) { return l->o->stop && *l->o->stop; }
static bool at_limit(const struct loop *l) { return l->o->max_steps >= 0 && l->queued >= l->o->max_steps; }

static skp_status save(struct loop *l, const char *path) {
  struct skp_checkpoint_extra extra = l->o->extra;
  extra.steps = l->done;
  skp_status status = skp__checkpoint_save(path, l->s, &extra);
  if (status == SKP_NUMERIC) return fail_numeric(l, l->done, skp_error_message());
  if (status == SKP_OK) l->saved = l->done;
  return status;
}

static skp_status run_steps(struct loop *l, int64_t steps) {
  l->before = l->done;
  l->images = l->unpaced = 0;
  l->loss_sum = l->waited = 0;
  l->began = skp__clock();
  for (int64_t i = 0; i < steps && !stopped(l) && !at_limit(l); i++) {
    if (l->queued - l->done == SKP_STEPS_AHEAD) SKP_TRY(retire_step(l));
    SKP_TRY(queue_step(l));
  }
  return retire_all(l);
}

static skp_status close_epoch(struct loop *l) {
  struct skp__run_epoch e = {.epoch = l->epoch + 1, .step = l->done, .accuracy = -1, .data_wait = l->waited};
  struct skp_eval_result test;
  e.img_per_s = pace(l);
  if (e.img_per_s <= 0)
    e.img_per_s = (double)l->images / (skp__clock() - l->start); /* a single step, compiling included */
  e.train_loss = l->loss_sum / (double)l->images;
  SKP_TRY(save(l, l->run.last));
  if (l->test) {
    SKP_TRY(skp__evaluate(l->s, l->test, l->s->model->recipe.batch, l->o->threads, &test, NULL, NULL));
    e.accuracy = test.accuracy;
    e.top5 = test.top5;
    e.test_loss = test.loss;
  }
  e.seconds = skp__clock() - l->start;
  double score = l->test ? e.accuracy : -e.train_loss;
  if (score > l->best) SKP_TRY(save(l, l->run.best));
  l->best = fmax(score, l->best);
  SKP_TRY(skp__run_epoch(&l->run, &e));
  tell(l, (struct skp_progress){.epoch_done = true,
                                .train_loss = e.train_loss,
                                .accuracy = e.accuracy,
                                .test_loss = e.test_loss,
                                .img_per_s = e.img_per_s});
  return SKP_OK;
}

/* ---- the run ---------------------------------------------------------------------------------------------------- */

/* Makes the plans that the run will need, so that a lack of memory shows before any training. */
static skp_status prepare_plans(struct loop *l) {
  struct skp_plan *plan;
  int64_t batch = l->s->model->recipe.batch;
  const struct skp_source *sources[2] = {l->train, l->test};
  for (int i = 0; i < 2; i++) {
    int64_t n = sources[i] ? sources[i]->n : 0, sizes[2] = {n < batch ? 0 : batch, n % batch};
    for (int k = 0; k < 2; k++)
      if (sizes[k])
        SKP_TRY(i == 0 ? skp__session_train_plan(l->s, &plan, sizes[k])
                       : skp__session_eval_plan(l->s, &plan, sizes[k]));
  }
  return SKP_OK;
}

static skp_status run_epochs(struct loop *l) {
  int64_t steps = skp__loader_batches(l->loader), epochs = l->s->model->recipe.epochs;
  for (l->epoch = 0; l->epoch < epochs; l->epoch++) {
    SKP_TRY(run_steps(l, steps));
    if (l->done - l->before < steps) break;
    SKP_TRY(close_epoch(l));
    if (stopped(l) || at_limit(l)) return SKP_OK;
  }
  return SKP_OK;
}

static skp_status start_loader(struct loop *l) {
  const struct skp_recipe *r = &l->s->model->recipe;
  struct skp_loader_options options = {.batch = r->batch, .shuffle = l->o->shuffle, .seed = l->o->seed};
  skp__session_loading(&options, r, true);
  options.threads = l->o->threads;
  options.depth = SKP_STEPS_AHEAD + 3;
  return skp__loader_create(&l->loader, l->train, &options);
}

static skp_status train(struct loop *l) {
  if (l->o->max_steps != 0 && l->s->model->recipe.epochs > 0) {
    SKP_TRY(prepare_plans(l));
    SKP_TRY(start_loader(l));
    SKP_TRY(run_epochs(l));
  }
  if (l->saved != l->done) SKP_TRY(save(l, l->run.last));
  SKP_TRY(skp__log_flush(l->run.log));
  if (!stopped(l)) return SKP_OK;
  return skp__fail(SKP_INTERRUPTED, "Stopped after step %lld; %s holds the weights.", (long long)l->done, l->run.last);
}

skp_status skp__train(struct skp_session *s, const struct skp_source *train_set, const struct skp_source *test_set,
                      const struct skp_train_options *o) {
  struct loop l = {
      .s = s, .train = train_set, .test = test_set, .o = o, .start = skp__clock(), .best = -INFINITY, .saved = -1};
  skp_status status = skp__run_open(&l.run, s, train_set, test_set, o);
  if (status == SKP_OK) status = skp__session_settle(s, train(&l));
  skp__loader_destroy(l.loader);
  skp__run_close(&l.run);
  return status;
}
