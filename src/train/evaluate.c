/* evaluate.c: a pass over images with the network as it is. The device makes the logits; what they are worth is found on the host, while the
 * device makes the next ones. SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "train/metrics.h"
#include "train/session.h"
#include <stdlib.h>

/* What a queued step writes; see loop.c. */
struct slot {
  struct skp_batch *batch;
  float *logits; /* the caller's or our own */
  uint64_t ticket;
};

struct pass {
  struct skp_session *s;
  struct skp_loader *loader;
  int64_t batch, classes;
  struct slot slot[SKP_STEPS_AHEAD];
  int64_t queued, done;            /* steps */
  int64_t images, judged, unknown; /* images: in the queued steps; judged ones, those of them without a label */
  int64_t first, five;             /* labels that were the first answer, among the first five */
  double loss;                     /* over all labels */
  float *logits, *own;             /* the caller's, NULL: not wanted; our own then */
  struct skp_answer *answers;      /* NULL: not wanted */
};

static skp_status queue_step(struct pass *p) {
  int64_t at = p->queued % SKP_STEPS_AHEAD;
  struct slot *slot = &p->slot[at];
  struct skp_backend *b = p->s->b;
  struct skp_plan *plan;
  SKP_TRY(skp__loader_next(p->loader, &slot->batch, NULL));
  slot->logits = p->logits ? p->logits + p->images * p->classes : p->own + at * p->batch * p->classes;
  SKP_TRY(skp__session_plan(p->s, &plan, slot->batch->n, SKP_STEP_EVAL));
  SKP_TRY(skp__session_feed(p->s, plan, slot->batch, 0));
  SKP_TRY(skp__plan_run(plan));
  SKP_TRY(b->ops->read(b, skp__plan_buffer(plan, skp__plan_graph(plan)->logits), 0, slot->logits,
                       4 * slot->batch->n * p->classes));
  SKP_TRY(b->ops->ticket(b, &slot->ticket));
  p->images += slot->batch->n;
  p->queued++;
  return SKP_OK;
}

static void judge(struct pass *p, const float *logits, int32_t label) {
  struct skp_answer a = skp__answer(logits, (int)p->classes, label);
  if (p->answers) p->answers[p->judged] = a;
  p->judged++;
  p->unknown += label < 0;
  if (label < 0) return;
  p->first += a.place < 1;
  p->five += a.place < 5;
  p->loss += (double)a.loss;
}

static skp_status retire_step(struct pass *p) {
  struct slot *slot = &p->slot[p->done % SKP_STEPS_AHEAD];
  SKP_TRY(p->s->b->ops->wait(p->s->b, slot->ticket));
  for (int64_t i = 0; i < slot->batch->n; i++) judge(p, slot->logits + i * p->classes, slot->batch->labels[i]);
  skp__loader_give_back(p->loader, slot->batch);
  p->done++;
  return SKP_OK;
}

static skp_status run(struct pass *p) {
  int64_t steps = skp__loader_batches(p->loader);
  for (int64_t i = 0; i < steps; i++) {
    if (p->queued - p->done == SKP_STEPS_AHEAD) SKP_TRY(retire_step(p));
    SKP_TRY(queue_step(p));
  }
  while (p->done < p->queued) SKP_TRY(retire_step(p));
  return SKP_OK;
}

skp_status skp__evaluate(struct skp_session *s, const struct skp_source *source, int64_t batch, int threads,
                         struct skp_eval_result *out, float *logits, struct skp_answer *answers) {
  struct pass p = {.s = s, .batch = batch, .classes = s->model->recipe.classes, .logits = logits, .answers = answers};
  struct skp_loader_options options = {.batch = batch, .threads = threads, .epochs = 1};
  skp__session_loading(&options, &s->model->recipe, false);
  options.depth = SKP_STEPS_AHEAD + 3;
  double start = skp__clock();
  if (!logits) SKP_TRY(skp__alloc(&p.own, (size_t)(SKP_STEPS_AHEAD * batch * p.classes), sizeof *p.own));
  skp_status status = skp__loader_create(&p.loader, source, &options);
  if (status == SKP_OK) status = skp__session_settle(s, run(&p));
  skp__loader_destroy(p.loader);
  free(p.own);
  double labels = (double)(p.images - p.unknown), some = labels > 0 ? labels : 1;
  *out = (struct skp_eval_result){.accuracy = (double)p.first / some,
                                  .top5 = (double)p.five / some,
                                  .loss = p.loss / some,
                                  .img_per_s = (double)p.images / (skp__clock() - start),
                                  .n = p.images,
                                  .unknown = p.unknown};
  return status;
}
