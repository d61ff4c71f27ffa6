/* tell.c: what a run says of itself, while it goes on and at its end. SPDX-License-Identifier: MIT */
#include "base/progress.h"
#include "plan/methods.h"
#include "train/run/loop.h"

static void tell(const struct skp__loop *l, struct skp_progress p) {
  p.epoch = l->at.epoch;
  p.epochs = l->s->model->recipe.epochs;
  p.step = l->at.step;
  p.first = l->at.step == l->first;
  p.steps_in_epoch = skp__loader_batches(l->loader);
  p.step_in_epoch = l->at.epoch_steps;
  p.images = l->at.images;
  p.seconds = skp__pace_elapsed(l);
  skp__progress_tell(&p);
}

void skp__tell_step(const struct skp__loop *l, double loss) {
  tell(l, (struct skp_progress){.loss = loss, .img_per_s = skp__pace_images(l), .data_wait = skp__pace_wait(l)});
}

void skp__tell_epoch(const struct skp__loop *l, const struct skp__run_epoch *e) {
  tell(l, (struct skp_progress){.epoch_done = true,
                                .train_loss = e->train_loss,
                                .accuracy = e->accuracy,
                                .test_loss = e->loss,
                                .valid = l->data->valid,
                                .img_per_s = e->img_per_s,
                                .data_wait = e->data_wait});
}

/* Their number beyond those that are named. */
static void tell_methods(FILE *to, const struct skp__methods *m) {
  char more[40] = "";
  if (m->missed > SKP_METHODS_NAMED) snprintf(more, sizeof more, "; and %d more", m->missed - SKP_METHODS_NAMED);
  skp_print(
      to,
      "Methods that the run had cannot be had again: %s%s. Its results may differ in their last digits from here on.\n",
      m->names.at, more);
}

void skp__tell_begin(const struct skp__loop *l) {
  const struct skp__methods *methods = skp__store_methods(l->s->store);
  if (!l->o->say) return;
  if (methods->missed) tell_methods(l->o->say, methods);
  if (skp__micro_epoch(&l->stepper.micro) < l->stepper.micro.images)
    fprintf(l->o->say,
            "The last image of each epoch is left out: it would be alone, and %s, which normalises maps of one pixel, "
            "learns nothing from one value a channel.\n",
            l->stepper.micro.layer);
}

void skp__tell_end(const struct skp__loop *l) {
  if (!l->o->say) return;
  if (l->at.skipped > 0)
    fprintf(l->o->say, "%lld of %lld steps were left out, as they were not finite.\n", (long long)l->at.skipped,
            (long long)l->at.step);
  if (l->at.rollbacks > 0)
    fprintf(l->o->say, "The run went back %lld time%s; learning rates: × %g.\n", (long long)l->at.rollbacks,
            l->at.rollbacks > 1 ? "s" : "", skp__position_lr(l->at.cuts));
  if (l->at.finished && skp__position_early(&l->at, &l->s->model->recipe))
    fprintf(l->o->say, "Stopped early: epoch %lld was the best, none of the %lld after it was better.\n",
            (long long)l->at.best_epoch, (long long)(l->at.epoch - l->at.best_epoch));
}

void skp__tell_result(const struct skp__loop *l) {
  struct skp_train_result *r = l->result;
  r->best = l->at.best;
  r->best_epoch = l->at.best_epoch;
  r->epoch = l->at.epoch + 1;
  r->step = l->at.epoch_steps;
  r->steps = l->loader ? skp__loader_batches(l->loader) : 0;
  r->loss = l->at.images ? skp__pace_loss(l) : 0;
}
