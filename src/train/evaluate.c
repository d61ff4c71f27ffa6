/* evaluate.c: a pass over labelled images with the network as it is. SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "train/session.h"
#include <string.h>

/* What a queued step writes; see loop.c. */
struct slot {
  struct skp_batch *batch;
  float loss, correct, correct5;
  uint64_t ticket;
};

struct pass {
  struct skp_session *s;
  struct skp_loader *loader;
  struct slot slot[SKP_STEPS_AHEAD];
  int64_t queued, done, images; /* steps; images in the queued ones */
  int64_t unknown;              /* labels */
  double loss, correct, correct5;
  float *logits;   /* NULL: not wanted */
  int32_t *labels; /* NULL: not wanted */
};

/* Keeps the labels for the caller; unknown ones are counted, and class 0 stands in for them on the device. */
static void take_labels(struct pass *p, struct skp_batch *batch) {
  if (p->labels) memcpy(p->labels + p->images, batch->labels, (size_t)batch->n * sizeof *batch->labels);
  for (int64_t i = 0; i < batch->n; i++) {
    if (batch->labels[i] >= 0) continue;
    batch->labels[i] = 0;
    p->unknown++;
  }
}

static skp_status read_results(struct pass *p, struct slot *slot, struct skp_plan *plan) {
  const struct skp_graph *g = skp__plan_graph(plan);
  struct skp_backend *b = p->s->b;
  int64_t classes = g->tensors.at[g->logits].shape.dim[1];
  SKP_TRY(b->ops->read(b, skp__plan_buffer(plan, g->loss), 0, &slot->loss, sizeof slot->loss));
  SKP_TRY(b->ops->read(b, skp__plan_buffer(plan, g->correct), 0, &slot->correct, sizeof slot->correct));
  SKP_TRY(b->ops->read(b, skp__plan_buffer(plan, g->correct5), 0, &slot->correct5, sizeof slot->correct5));
  if (p->logits)
    SKP_TRY(b->ops->read(b, skp__plan_buffer(plan, g->logits), 0, p->logits + p->images * classes,
                         4 * slot->batch->n * classes));
  return b->ops->ticket(b, &slot->ticket);
}

static skp_status queue_step(struct pass *p) {
  struct slot *slot = &p->slot[p->queued % SKP_STEPS_AHEAD];
  struct skp_plan *plan;
  SKP_TRY(skp__loader_next(p->loader, &slot->batch, NULL));
  take_labels(p, slot->batch);
  SKP_TRY(skp__session_eval_plan(p->s, &plan, slot->batch->n));
  SKP_TRY(skp__session_feed(p->s, plan, slot->batch));
  SKP_TRY(skp__plan_run(plan));
  SKP_TRY(read_results(p, slot, plan));
  p->images += slot->batch->n;
  p->queued++;
  return SKP_OK;
}

static skp_status retire_step(struct pass *p) {
  struct slot *slot = &p->slot[p->done % SKP_STEPS_AHEAD];
  SKP_TRY(p->s->b->ops->wait(p->s->b, slot->ticket));
  p->loss += (double)slot->loss * (double)slot->batch->n;
  p->correct += (double)slot->correct;
  p->correct5 += (double)slot->correct5;
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
                         struct skp_eval_result *out, float *logits, int32_t *labels) {
  struct pass p = {.s = s, .logits = logits, .labels = labels};
  struct skp_loader_options options = {.batch = batch, .threads = threads};
  skp__session_loading(&options, &s->model->recipe, false);
  options.depth = SKP_STEPS_AHEAD + 3;
  double start = skp__clock();
  SKP_TRY(skp__loader_create(&p.loader, source, &options));
  skp_status status = skp__session_settle(s, run(&p));
  skp__loader_destroy(p.loader);
  double n = (double)p.images;
  *out = (struct skp_eval_result){p.correct / n, p.correct5 / n, p.loss / n, n / (skp__clock() - start),
                                  p.images,      p.unknown};
  return status;
}
