/* evaluate.c: a pass over images with the network as it is. The device makes the logits; what they are worth is found
 * on the host, while the device makes the next ones. SPDX-License-Identifier: MIT */
#include "train/evaluate/evaluate.h"
#include "base/clock.h"
#include "base/progress.h"
#include "train/evaluate/metrics.h"
#include "train/step/step.h"
#include <stdlib.h>

struct pass {
  struct skp_session *s;
  struct skp__stepper stepper;
  struct skp_loader *loader;
  int64_t n, views, classes; /* images; how often each is seen, all of them once before any is seen again */
  int64_t seen, unknown;     /* views in the steps done; images without a label */
  int64_t lost, lost_labels; /* images whose logits are not all finite; those of images with a label */
  int64_t first, five;       /* labels of rank 0, of rank below 5 */
  double loss;               /* over all labels whose logits are finite */
  float *logits; /* [n, classes] sums over the views so far; NULL: there is one view, and nobody wants them */
  float *own;    /* the sums where the caller wants none */
  struct skp_prediction *predictions; /* NULL: not wanted */
};

static skp_status take(void *user, struct skp__step *step) {
  struct pass *p = user;
  return skp__loader_next(p->loader, &step->batch, NULL);
}

static void judge(struct pass *p, int64_t image, const float *logits, int32_t label) {
  struct skp_prediction a = skp__prediction(logits, (int)p->classes, label);
  if (p->predictions) p->predictions[image] = a;
  p->unknown += label < 0;
  p->lost += a.predicted < 0;
  p->lost_labels += a.predicted < 0 && label >= 0;
  if (label < 0 || a.predicted < 0) return;
  p->first += a.rank < 1;
  p->five += a.rank < 5;
  p->loss += (double)a.loss;
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
    if (view == p->views - 1) judge(p, image, logits, step->batch->labels[i]);
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
  struct skp_loader_options options = {.batch = batch, .threads = threads, .epochs = p->views};
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

skp_status skp__evaluate(struct skp_session *s, const struct skp_source *source, int64_t batch, int threads,
                         struct skp_eval_result *out, float *logits, struct skp_prediction *predictions) {
  const struct skp_recipe *r = &s->model->recipe;
  struct pass p = {.s = s,
                   .n = source->n,
                   .views = r->test_views,
                   .classes = r->classes,
                   .logits = logits,
                   .predictions = predictions};
  double begin = skp__clock();
  skp_status status = start(&p, source, batch, threads);
  if (status == SKP_OK) status = skp__session_settle(s, run(&p));
  skp__loader_destroy(p.loader);
  skp__stepper_close(&p.stepper);
  free(p.own);
  double labels = (double)(p.n - p.unknown), some = labels > 0 ? labels : 1;
  int64_t losses = p.n - p.unknown - p.lost_labels;
  *out = (struct skp_eval_result){.accuracy = (double)p.first / some,
                                  .top5 = (double)p.five / some,
                                  .loss = losses ? p.loss / (double)losses : 0,
                                  .img_per_s = (double)p.n / (skp__clock() - begin),
                                  .n = p.n,
                                  .unknown = p.unknown,
                                  .lost = p.lost,
                                  .judged = losses};
  return status;
}

skp_status skp__evaluated(const struct skp_eval_result *result, const struct skp_source *source) {
  if (result->judged || result->unknown == result->n) return SKP_OK;
  return skp__fail(SKP_NUMERIC, "The network's predictions for the images of %s are infinite or not numbers",
                   source->name);
}
