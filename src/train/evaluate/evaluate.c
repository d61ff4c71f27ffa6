/* evaluate.c: a pass over images with the network as it is. The device makes the logits; what they are worth is found
 * on the host, while the device makes the next ones. SPDX-License-Identifier: MIT
 *
 *   images ─> a part for each rank ─> predictions ─> those of all ranks ─> figures */
#include "train/evaluate/evaluate.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/progress.h"
#include "train/evaluate/metrics.h"
#include "train/step/step.h"
#include <stdlib.h>
#include <string.h>

struct pass {
  struct skp_session *s;
  struct skp__stepper stepper;
  struct skp_loader *loader;
  int64_t from, n;        /* images of this rank: the first, how many */
  int64_t views, classes; /* how often each is seen, all of them once before any is seen again */
  int64_t seen;           /* views in the steps done */
  float *logits;          /* [n, classes] sums over the views so far; NULL: there is one view, and nobody wants them */
  float *own;             /* the sums where the caller wants none */
  struct skp_prediction *predictions; /* [n] */
};

static skp_status take(void *user, struct skp__step *step) {
  struct pass *p = user;
  return skp__loader_next(p->loader, &step->batch, NULL);
}

/* Adds up the logits of an image's views; the last one makes them their mean. Returns the sum so far. */
static const float *add_view(struct pass *p, int64_t image, int64_t view, const float *logits) {
  if (!p->logits) return logits;
  float *sum = p->logits + image * p->classes, scale = view == p->views - 1 ? 1 / (float)p->views : 1;
  for (int64_t c = 0; c < p->classes; c++) sum[c] = ((view ? sum[c] : 0) + logits[c]) * scale;
  return sum;
}

static skp_status retire_step(struct pass *p) {
  struct skp__step *step;
  SKP_TRY(skp__stepper_retire(&p->stepper, &step));
  for (int64_t i = 0; i < step->n; i++, p->seen++) {
    int64_t image = p->seen % p->n, view = p->seen / p->n;
    const float *logits = add_view(p, image, view, step->logits + i * p->classes);
    if (view == p->views - 1) p->predictions[image] = skp__prediction(logits, (int)p->classes, step->batch->labels[i]);
  }
  skp__loader_give_back(p->loader, step->batch);
  skp__progress_work("looking at images", p->seen, p->n * p->views);
  return SKP_OK;
}

static skp_status run(struct pass *p) {
  struct skp__stepper *st = &p->stepper;
  int64_t steps = skp__loader_batches(p->loader) * p->views;
  skp__progress_work("looking at images", 0, p->n * p->views);
  SKP_TRY(skp__stepper_first(st));
  while (st->queued < steps) {
    if (skp__stepper_full(st)) SKP_TRY(retire_step(p));
    SKP_TRY(skp__stepper_queue(st));
  }
  while (st->done < st->queued) SKP_TRY(retire_step(p));
  return SKP_OK;
}

static skp_status start(struct pass *p, const struct skp_source *source, int64_t batch, int threads) {
  struct skp_loader_options options = {
      .batch = batch, .threads = threads, .epochs = p->views, .from = p->from, .images = p->n};
  skp__session_loading(&options, &p->s->model->recipe, source, false);
  options.depth = SKP_STEPS_AHEAD + 3;
  skp__stepper_evaluate(&p->stepper, p->s, p->n, batch);
  p->stepper.bytes = options.bytes;
  p->stepper.user = p;
  p->stepper.take = take;
  SKP_TRY(skp__stepper_open(&p->stepper));
  if (p->views > 1 && !p->logits) {
    SKP_TRY(skp__alloc(&p->own, (size_t)(p->n * p->classes), sizeof *p->own));
    p->logits = p->own;
  }
  return skp__loader_create(&p->loader, source, &options);
}

/* The predictions for this rank's images. */
static skp_status look(struct pass *p, const struct skp_source *source, int64_t batch, int threads) {
  if (!p->n) return SKP_OK;
  skp_status status = start(p, source, batch, threads);
  if (status == SKP_OK) status = skp__session_settle(p->s, run(p));
  skp__loader_destroy(p->loader);
  skp__stepper_close(&p->stepper);
  free(p->own);
  return status;
}

/* Images of a rank, but for those after which there are no more. */
static int64_t part_of(const struct skp_session *s, int64_t n) {
  const int64_t size = skp__ranks_size(s->ranks);
  return (n + size - 1) / size;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

int64_t skp__evaluate_own(const struct skp_session *s, int64_t n) {
  const int64_t part = part_of(s, n), from = least(n, skp__ranks_rank(s->ranks) * part);
  return least(part, n - from);
}

/* In the order of the images, whoever looked at them. */
static struct skp_eval_result add_up(const struct skp_prediction *of, int64_t n) {
  struct skp_eval_result r = {.n = n};
  double loss = 0, first = 0, five = 0;
  for (int64_t i = 0; i < n; i++) {
    const bool labelled = of[i].label >= 0, lost = of[i].predicted < 0;
    r.unknown += !labelled;
    r.lost += lost;
    if (!labelled || lost) continue;
    r.judged++;
    first += of[i].rank < 1;
    five += of[i].rank < 5;
    loss += (double)of[i].loss;
  }
  const double labels = (double)(n - r.unknown), some = labels > 0 ? labels : 1;
  r.accuracy = first / some;
  r.top5 = five / some;
  r.loss = r.judged ? loss / (double)r.judged : 0;
  return r;
}

/* `all` and p->predictions have room for a part of each rank. */
static skp_status evaluate(struct pass *p, const struct skp_source *source, int64_t batch, int threads,
                           struct skp_prediction *all) {
  const int64_t part = part_of(p->s, source->n);
  SKP_TRY(look(p, source, batch, threads));
  return skp__ranks_gather(p->s->ranks, all, p->predictions, (size_t)part * sizeof *all);
}

skp_status skp__evaluate(struct skp_session *s, const struct skp_source *source, int64_t batch, int threads,
                         struct skp_eval_result *out, float *logits, struct skp_prediction *predictions) {
  const struct skp_recipe *r = &s->model->recipe;
  const int64_t part = part_of(s, source->n), n = source->n;
  struct pass p = {.s = s, .n = skp__evaluate_own(s, n), .views = r->test_views, .classes = r->classes};
  struct skp_prediction *all = NULL;
  const double begin = skp__clock();
  p.from = least(n, skp__ranks_rank(s->ranks) * part);
  p.logits = logits;
  skp_status status = skp__alloc(&p.predictions, (size_t)part, sizeof *p.predictions);
  if (status == SKP_OK) status = skp__alloc(&all, (size_t)(part * skp__ranks_size(s->ranks)), sizeof *all);
  if (status == SKP_OK) status = evaluate(&p, source, batch, threads, all);
  *out = add_up(all, status == SKP_OK ? n : 0);
  out->img_per_s = (double)n / (skp__clock() - begin);
  if (status == SKP_OK && predictions) memcpy(predictions, all, (size_t)n * sizeof *all);
  free(p.predictions);
  free(all);
  return status;
}

skp_status skp__evaluated(const struct skp_eval_result *result, const struct skp_source *source) {
  if (result->judged || result->unknown == result->n) return SKP_OK;
  return skp__fail(SKP_NUMERIC, "The network's predictions for the images of %s are infinite or not numbers",
                   source->name);
}
