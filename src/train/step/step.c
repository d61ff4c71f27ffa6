/* step.c: a step, from its images to its loss or its logits. SPDX-License-Identifier: MIT
 *
 *   step ─> pieces (all images at once, or micro-batches and an update)
 *        ─> of each: ports written, plan run, ports read */
#include "train/step/step.h"
#include "base/random.h"
#include "base/trace.h"
#include "train/step/canary.h"
#include <math.h>
#include <stdlib.h>

/* What a micro-batch needs until it is done. */
struct skp__micro_batch {
  float sum_scales[2]; /* see skp__graph_add_sums */
  int32_t key[2];
};

/* A run of a plan: n images from number `first` on of those that this rank has; plan NULL: there is none. The update
 * after the micro-batches has no images. */
struct piece {
  struct skp_plan *plan;
  int64_t k, first, n;
};

/* ---- ports ------------------------------------------------------------------------------------------------------ */

static int64_t port_bytes(const struct piece *p, skp_value v) {
  return skp__shape_bytes(&skp__plan_graph(p->plan)->tensors.at[v].shape);
}

static void *address_input(struct skp__stepper *st, struct skp__step *step, const struct piece *p) {
  const struct skp_graph *g = skp__plan_graph(p->plan);
  const int64_t image = skp__shape_bytes(&g->tensors.at[g->input].shape) / p->n;
  uint8_t *images = st->bytes ? step->batch->bytes : (uint8_t *)step->batch->x;
  return images + image * p->first;
}

static void *address_labels(struct skp__stepper *st, struct skp__step *step, const struct piece *p) {
  (void)st;
  return step->batch->labels + p->first;
}

static void *address_other(struct skp__stepper *st, struct skp__step *step, const struct piece *p) {
  (void)st;
  return step->batch->other + p->first;
}

static void *address_lambda(struct skp__stepper *st, struct skp__step *step, const struct piece *p) {
  (void)st;
  return step->batch->lambda + p->first;
}

/* The random key from which dropout makes its masks: each micro-batch of each step has its own, whichever rank it is
 * in. */
static void *address_key(struct skp__stepper *st, struct skp__step *step, const struct piece *p) {
  const uint64_t dropout = 0x64726f706f7574; /* a stream of its own among the run's random numbers */
  const int64_t piece = st->micro.rank * st->micro.most + p->k;
  const uint64_t bits = skp__random_bits(st->seed, dropout, (uint64_t)(step->number + (piece << 40)));
  int32_t *key = step->micro[p->k].key;
  key[0] = (int32_t)(uint32_t)bits;
  key[1] = (int32_t)(uint32_t)(bits >> 32);
  return key;
}

/* The gradient of the mean over all images is the sum of those of the micro-batches, each times its fraction of the
 * images. */
static void *address_sum_scales(struct skp__stepper *st, struct skp__step *step, const struct piece *p) {
  (void)st;
  float *scales = step->micro[p->k].sum_scales;
  scales[0] = p->first > 0;
  scales[1] = (float)((double)p->n / (double)step->n);
  return scales;
}

static void *address_hyper(struct skp__stepper *st, struct skp__step *step, const struct piece *p) {
  (void)st, (void)p;
  return &step->hyper;
}

static void *address_ema_scales(struct skp__stepper *st, struct skp__step *step, const struct piece *p) {
  (void)st, (void)p;
  step->ema_scales[0] = 1 - step->hyper.ema_rate;
  step->ema_scales[1] = step->hyper.ema_rate;
  return step->ema_scales;
}

/* The host's address for the values of a port in a piece, to be written from or read into; NULL: they are left. */
typedef void *(*address)(struct skp__stepper *st, struct skp__step *step, const struct piece *p);

static void *address_loss(struct skp__stepper *st, struct skp__step *step, const struct piece *p) {
  return skp__plan_graph(p->plan)->loss_sum == SKP_NONE && st->trains ? &step->loss : NULL;
}

static void *address_loss_sum(struct skp__stepper *st, struct skp__step *step, const struct piece *p) {
  (void)st;
  return p->n ? NULL : &step->loss;
}

static void *address_broken(struct skp__stepper *st, struct skp__step *step, const struct piece *p) {
  (void)st, (void)p;
  return &step->broken;
}

static void *address_logits(struct skp__stepper *st, struct skp__step *step, const struct piece *p) {
  return st->trains ? NULL : step->logits + p->first * st->s->model->recipe.classes;
}

#define ADDRESS_NEVER(name) NULL
#define ADDRESS_PLAN(name)  NULL /* see skp__session_plan */
#define ADDRESS_BATCH(name) address_##name
#define ADDRESS_STEP(name)  address_##name
#define ADDRESS_READ(name)  address_##name
static const address addresses[SKP_PORTS] = {
#define X(NAME, name, role, host) [SKP_PORT_##NAME] = ADDRESS_##host(name),
    SKP_PORT_LIST(X)
#undef X
};

/* Queues the copies of all ports of that kind. */
static skp_status copy_ports(struct skp__stepper *st, struct skp__step *step, const struct piece *p, skp_host host) {
  const struct skp_backend_ops *ops = st->s->b->ops;
  for (int port = 0; port < SKP_PORTS; port++) {
    const skp_value v = skp__plan_graph(p->plan)->port[port];
    if (skp__ports[port].host != host || v == SKP_NONE) continue;
    void *at = addresses[port](st, step, p);
    struct skp_buffer *buffer = skp__plan_buffer(p->plan, v);
    if (!at) continue;
    SKP_TRY(host == SKP_HOST_READ ? ops->read(st->s->b, buffer, 0, at, port_bytes(p, v))
                                  : ops->write(st->s->b, buffer, 0, at, port_bytes(p, v)));
  }
  return SKP_OK;
}

/* ---- one step --------------------------------------------------------------------------------------------------- */

static skp_step kind(const struct skp__stepper *st) {
  return !st->trains ? SKP_STEP_EVAL : st->micro.most * st->micro.ranks == 1 ? SKP_STEP_TRAIN : SKP_STEP_MICRO;
}

/* Of its steps, or micro-batches, of n images. */
static struct skp__variant variant(const struct skp__stepper *st, int64_t n) {
  const bool micro = kind(st) == SKP_STEP_MICRO;
  return (struct skp__variant){.step = kind(st),
                               .N = n,
                               .bytes = st->bytes,
                               .averaged = !st->trains && st->s->averaged,
                               .synced = micro && st->s->ranks && st->s->model->recipe.sync_bn};
}

static const struct skp__variant update = {SKP_STEP_UPDATE, .N = 1};

/* Piece k of a step of n images. */
static skp_status find_piece(struct skp__stepper *st, int64_t n, int64_t k, struct piece *p) {
  const int64_t size = skp__micro_size(&st->micro), pieces = skp__micro_pieces(&st->micro, n);
  const int64_t left = skp__micro_part(&st->micro, n).n - k * size;
  *p = (struct piece){.k = k, .first = k * size};
  if (k < pieces) p->n = size < left ? size : left;
  const struct skp__variant of = variant(st, p->n);
  if (p->n) return skp__session_plan(st->s, &p->plan, &of);
  return kind(st) == SKP_STEP_MICRO && k == pieces ? skp__session_plan(st->s, &p->plan, &update) : SKP_OK;
}

skp_status skp__stepper_plan(struct skp__stepper *st, int64_t k, struct skp_plan **out) {
  struct piece p;
  skp_status status = find_piece(st, skp__micro_full(&st->micro), k, &p);
  *out = p.plan;
  return status;
}

/* What ranks exchange while a plan runs. */
static skp_status after_node(void *user, struct skp_plan *p, size_t n) {
  struct skp__stepper *st = user;
  SKP_TRY(skp__sync_after(&st->sync, p, n));
  return skp__exchange_after(&st->exchange, p, n);
}

/* All ranks train in micro-batches of the same size: where the memory of one is too small, that of all is. */
static skp_status agree(const struct skp__stepper *st, skp_status status) {
  return st->trains ? skp__exchange_agree(st->s, status) : status;
}

/* All before the first change is done when that begins: where memory was too little so far, nothing is lost. `status`
 * is how it went up to here. From then on a rank that fails is not the only one that counts: others have changed. */
static skp_status try_plan(struct skp__stepper *st, struct skp_plan *plan, skp_status status) {
  const struct skp_graph *g = skp__plan_graph(plan);
  const size_t nodes = g->nodes.n, change = skp__graph_first_change(g);
  if (status == SKP_OK) status = skp__plan_run_nodes(plan, 0, change);
  if (change == nodes) return status;
  if (status == SKP_OK) status = skp__backend_finish(st->s->b);
  SKP_TRY(agree(st, status));
  if (st->s->ranks) st->tried = SKP_STEP_CHANGED;
  SKP_TRY(skp__plan_run_nodes(plan, change, change + 1));
  st->tried = SKP_STEP_CHANGED;
  return skp__plan_run_nodes(plan, change + 1, nodes);
}

/* If it went well so far, of which `status` tells. */
static skp_status run_plan(struct skp__stepper *st, const struct piece *p, skp_status status) {
  const int64_t step = st->queued + 1;
  const bool replayed = st->trains && p->k == 0 && skp__canary_due(st->s->b, step);
  skp__plan_watch(p->plan, st->trains && st->s->ranks && p->n ? after_node : NULL, st);
  if (st->tried != SKP_STEP_DONE)
    status = try_plan(st, p->plan, status);
  else if (status == SKP_OK)
    status = replayed ? skp__canary_run(st->s->b, p->plan, step) : skp__plan_run(p->plan);
  skp__plan_watch(p->plan, NULL, NULL);
  return status;
}

static skp_status write_ports(struct skp__stepper *st, struct skp__step *step, const struct piece *p) {
  if (step->batch) SKP_TRY(copy_ports(st, step, p, SKP_HOST_BATCH));
  return copy_ports(st, step, p, SKP_HOST_STEP);
}

static skp_status run_piece(struct skp__stepper *st, struct skp__step *step, const struct piece *p) {
  SKP_TRY(run_plan(st, p, write_ports(st, step, p)));
  return copy_ports(st, step, p, SKP_HOST_READ);
}

/* Labels outside the model's classes are refused; unknown ones (-1) are so in training. */
static skp_status check_labels(const struct skp__stepper *st, const struct skp_batch *batch) {
  const int classes = st->s->model->recipe.classes, least = st->trains ? 0 : -1;
  for (int64_t i = 0; i < batch->n; i++)
    if (batch->labels[i] < least || batch->labels[i] >= classes)
      return skp__fail(SKP_FORMAT, "Image %lld of batch %lld has the label %d; the network knows 0 to %d.",
                       (long long)i, (long long)batch->index, (int)batch->labels[i], classes - 1);
  return SKP_OK;
}

static struct skp__step *next_step(struct skp__stepper *st) { return &st->step[st->queued % SKP_STEPS_AHEAD]; }

static skp_status take(struct skp__stepper *st) {
  struct skp__step *step = next_step(st);
  SKP_TRY(st->take(st->user, step));
  step->n = step->batch ? step->batch->whole : skp__micro_full(&st->micro);
  return step->batch ? check_labels(st, step->batch) : SKP_OK;
}

/* The fraction of a step's images that this rank has. */
static double own_share(const struct skp__stepper *st, const struct skp__step *step) {
  return step->batch ? (double)step->batch->n / (double)step->n : 1 / (double)st->micro.ranks;
}

/* The pieces with images; *p is what comes after them. */
static skp_status run_images(struct skp__stepper *st, struct skp__step *step, struct piece *p) {
  const int64_t pieces = skp__micro_pieces(&st->micro, step->n);
  if (st->trains) SKP_TRY(skp__session_begin(st->s));
  for (int64_t k = 0;; k++) {
    SKP_TRY(find_piece(st, step->n, k, p));
    if (!p->n) return SKP_OK;
    if (st->trains && k == pieces - 1) SKP_TRY(skp__exchange_begin(&st->exchange, st->s));
    SKP_TRY(run_piece(st, step, p));
  }
}

/* The same where ranks exchange something on the way: as often as the one that has most pieces does. */
static skp_status run_synced(struct skp__stepper *st, struct skp__step *step, struct piece *p) {
  struct skp_plan *plan;
  const struct skp__variant of = variant(st, skp__micro_size(&st->micro));
  const int64_t runs = skp__micro_rounds(&st->micro, step->n);
  SKP_TRY(skp__session_plan(st->s, &plan, &of));
  skp__sync_begin(&st->sync, st->s, plan, runs);
  skp_status status = run_images(st, step, p);
  for (int64_t k = skp__micro_pieces(&st->micro, step->n); k < runs && status == SKP_OK; k++)
    status = skp__sync_idle(&st->sync, plan);
  return skp__sync_end(&st->sync, status);
}

static skp_status queue_taken(struct skp__stepper *st) {
  struct skp__step *step = next_step(st);
  struct piece p = {.plan = NULL};
  step->number = st->queued;
  if (st->trains) step->hyper = skp__session_hyper(&st->s->model->recipe, step->lr, st->queued + 1);
  skp_status status = (variant(st, 1).synced ? run_synced : run_images)(st, step, &p);
  if (st->trains) status = skp__exchange(&st->exchange, st->s, status, own_share(st, step));
  if (st->tried != SKP_STEP_DONE)
    status = agree(st, status); /* what was exchanged is on its way back: did it get there? */
  SKP_TRY(status);
  if (p.plan) status = run_piece(st, step, &p);
  if (st->trains) status = skp__lead_step(&st->lead, st->s, status);
  SKP_TRY(status);
  SKP_TRY(st->s->b->ops->ticket(st->s->b, &step->ticket));
  st->queued++;
  return SKP_OK;
}

skp_status skp__stepper_queue(struct skp__stepper *st) {
  const double begin = skp__trace_begin();
  SKP_TRY(take(st));
  skp_status status = queue_taken(st);
  skp__trace_end("host", st->trains ? "queue a step of training" : "queue a step of evaluation", begin);
  return status;
}

bool skp__stepper_full(const struct skp__stepper *st) { return st->queued - st->done == SKP_STEPS_AHEAD; }

skp_status skp__stepper_retire(struct skp__stepper *st, struct skp__step **out) {
  *out = &st->step[st->done % SKP_STEPS_AHEAD];
  SKP_TRY(st->s->b->ops->wait(st->s->b, (*out)->ticket));
  (*out)->sound = !st->trains || (isfinite((*out)->loss) && (*out)->broken == 0);
  st->done++;
  return SKP_OK;
}

skp_status skp__stepper_again(struct skp__stepper *st, struct skp__step *step, skp__run_piece run, void *user) {
  struct piece p;
  st->s->moved = true;
  skp_status status = skp__session_begin(st->s);
  for (int64_t k = 0; status == SKP_OK; k++) {
    status = find_piece(st, step->n, k, &p);
    if (status != SKP_OK || !p.plan) break;
    status = write_ports(st, step, &p);
    if (status == SKP_OK) status = run(user, p.plan, k);
  }
  st->s->moved = true; /* what it made on its way is nobody's */
  return status;
}

/* ---- fitting into memory ---------------------------------------------------------------------------------------- */

/* Plans for n images, as many at a time as `of` says. */
static skp_status prepare_pieces(struct skp__stepper *st, int64_t n, struct skp__variant of) {
  struct skp_plan *plan;
  const int64_t rest = n % of.N;
  if (n >= of.N) SKP_TRY(skp__session_plan(st->s, &plan, &of));
  of.N = rest;
  return rest ? skp__session_plan(st->s, &plan, &of) : SKP_OK;
}

/* A training is judged by averages where there are any. */
static skp_status prepare_judging(struct skp__stepper *st) {
  const bool averaged = st->s->model->recipe.ema > 0;
  return prepare_pieces(st, st->judged,
                        (struct skp__variant){SKP_STEP_EVAL, skp__micro_size(&st->micro), st->judged_bytes, averaged});
}

static skp_status prepare_plans(struct skp__stepper *st) {
  struct skp_plan *plan;
  const int64_t batch = st->micro.batch, n = skp__micro_epoch(&st->micro);
  const struct skp__variant of = variant(st, skp__micro_size(&st->micro));
  if (n >= batch) SKP_TRY(prepare_pieces(st, skp__micro_part(&st->micro, batch).n, of));
  if (n % batch) SKP_TRY(prepare_pieces(st, skp__micro_part(&st->micro, n % batch).n, of));
  if (kind(st) == SKP_STEP_MICRO) SKP_TRY(skp__session_plan(st->s, &plan, &update));
  if (st->judged) SKP_TRY(prepare_judging(st));
  skp_status status = skp__backend_finish(st->s->b); /* some drivers find out late */
  return status == SKP_DEVICE_MEMORY ? skp__session_fail_memory(st->s, status, &of) : status;
}

static void say_cut(const struct skp__stepper *st) {
  if (st->say)
    fprintf(st->say,
            "The device has not enough memory for a whole step: its images go through the network %lld at a time, and "
            "their gradients are added up. Batchnorms then see the statistics of so many images only, so the results "
            "differ from those of a device with more memory.\n",
            (long long)skp__micro_size(&st->micro));
}

/* Room for what each step needs of the host. */
static skp_status create_steps(struct skp__stepper *st) {
  for (int i = 0; i < SKP_STEPS_AHEAD; i++) {
    struct skp__step *step = &st->step[i];
    free(step->micro);
    SKP_TRY(skp__alloc(&step->micro, (size_t)st->micro.most, sizeof *step->micro));
    if (st->trains || step->logits) continue;
    SKP_TRY(skp__alloc(&step->logits, (size_t)(st->micro.batch * st->s->model->recipe.classes), sizeof *step->logits));
  }
  return SKP_OK;
}

/* Makes the plans, in smaller micro-batches as long as the device's memory demands it; `cut`: it did before, too. */
static skp_status fit(struct skp__stepper *st, bool cut) {
  skp_status status;
  while ((status = agree(st, prepare_plans(st))) == SKP_DEVICE_MEMORY && skp__micro_cut(&st->micro)) {
    skp__session_forget_plans(st->s);
    cut = true;
  }
  if (status == SKP_OK && cut) say_cut(st);
  return status == SKP_OK ? create_steps(st) : status;
}

/* Begins again in smaller micro-batches, where a step that was tried left the device. */
static skp_status retry_smaller(struct skp__stepper *st) {
  skp__session_forget_plans(st->s);
  SKP_TRY(fit(st, true));
  st->s->moved = true; /* what it made on its way is nobody's */
  if (!st->again) return SKP_OK;
  SKP_TRY(st->again(st->user));
  return take(st);
}

static skp_status finish_first(struct skp__stepper *st) {
  skp_status status = agree(st, skp__backend_finish(st->s->b));
  if (status != SKP_OK) st->queued--;
  return status;
}

static skp_status try_first(struct skp__stepper *st) {
  for (;;) {
    st->tried = SKP_STEP_TRIED;
    skp_status status = queue_taken(st);
    if (status == SKP_OK) status = finish_first(st);
    if (status != SKP_DEVICE_MEMORY || st->tried == SKP_STEP_CHANGED || !skp__micro_cut(&st->micro)) return status;
    skp__backend_finish(st->s->b); /* nothing uses the batch any more */
    SKP_TRY(retry_smaller(st));
  }
}

skp_status skp__stepper_first(struct skp__stepper *st) {
  SKP_TRY(take(st));
  skp_status status = try_first(st);
  st->tried = SKP_STEP_DONE;
  return status;
}

/* ---- open, close ------------------------------------------------------------------------------------------------ */

skp_status skp__stepper_train(struct skp__stepper *st, struct skp_session *s, int64_t images) {
  *st = (struct skp__stepper){.s = s, .trains = true};
  SKP_TRY(skp__micro_plan(&st->micro, s->model, images, s->ranks, s->shares));
  if (images == INT64_MAX) st->micro.images -= images % st->micro.batch;
  return SKP_OK;
}

void skp__stepper_evaluate(struct skp__stepper *st, struct skp_session *s, int64_t images, int64_t batch) {
  *st = (struct skp__stepper){.s = s, .micro = {.images = images, .batch = batch, .most = 1, .ranks = 1}};
}

skp_status skp__stepper_open(struct skp__stepper *st) { return fit(st, false); }

void skp__stepper_close(struct skp__stepper *st) {
  for (int i = 0; i < SKP_STEPS_AHEAD; i++) {
    free(st->step[i].micro);
    free(st->step[i].logits);
  }
  skp__exchange_close(&st->exchange);
  skp__lead_close(&st->lead);
  skp__sync_close(&st->sync);
}
