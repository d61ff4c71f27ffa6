/* diagnose.c: see diagnose.h. SPDX-License-Identifier: MIT
 *
 *   step ─> what was found (examine.h) ─> where ─> who did it ─> what helps */
#include "train/step/diagnose.h"
#include "base/host.h"
#include "train/step/canary.h"
#include "train/step/examine.h"
#include <string.h>

static const struct skp_node *node_of(const struct skp__examination *e) {
  return &skp__plan_graph(e->plan)->nodes.at[e->node];
}

static struct skp_sig sig_of(const struct skp__examination *e) {
  return skp__graph_sig(skp__plan_graph(e->plan), node_of(e));
}

/* ---- what helps -------------------------------------------------------------------------------------------------- */

/* What is good against numbers that grow. */
static void advise_smaller(struct skp__text *out, const struct skp_recipe *r, double lr) {
  skp__text_add(out, " Try a smaller learning rate (%s %g)", skp__option("lr"), lr / 10);
  if (r->clip_norm == 0) skp__text_add(out, ", gradients of a bounded norm (%s 1)", skp__option("clip_norm"));
  if (r->warmup == 0) skp__text_add(out, ", a warm-up (%s 1)", skp__option("warmup"));
  skp__text_add(out, ", or check that the pixels are normalised (%s, %s).", skp__option("mean"), skp__option("std"));
}

/* Image `at` / values of the step, by name. */
static void name_image(struct skp__text *out, const struct skp__failed_step *f, const struct skp__numbers *images,
                       int64_t at) {
  const int64_t i = at / (images->n / f->step->batch->n);
  char text[SKP_SAMPLE_NAME];
  const char *name = skp__source_name_of(f->source, f->step->batch->samples[i], text);
  skp__text_add(out, "%s of %s, image %lld of the batch", name, f->source->name, (long long)i + 1);
}

/* Pixels far from what normalised ones are, weights far from fresh ones, maps that grew on their way. */
static void explain_numbers(struct skp__text *out, const struct skp__failed_step *f, const struct skp__examination *e) {
  const double pixels = 1e4, times = 100, way = 1e6;
  if (e->images.most > pixels) {
    skp__text_add(out, " The pixels are far from the usual ones around 0: ");
    name_image(out, f, &e->images, e->images.most_at);
    skp__text_add(out, ", has %.3g.", e->images.most);
  }
  if (e->weight && e->weights.most > times * (e->fresh > 0.1 ? e->fresh : 0.1))
    skp__text_add(out, " The weights have grown: %s has %.3g, where fresh ones are %s%.2g.", e->weight->name,
                  e->weights.most, e->fresh > 0 ? "within " : "", e->fresh);
  else if (e->read[0].most > way * (1 + e->images.most))
    skp__text_add(
        out, " Neither the images nor the weights are that large: the values grow from layer to layer. Layers that "
             "normalise (batchnorm2d) keep them small.");
}

/* Another method of the op that takes the call; NULL: there is none. */
static const char *other_method(struct skp_backend *b, const struct skp_sig *sig, const char *used) {
  const char *name;
  for (int n = 0; (name = b->ops->method_name(b, sig->op, n)); n++)
    if (strcmp(name, used) != 0 && !b->ops->method_refusal(b, sig, n)) return name;
  return NULL;
}

static void blame_device(struct skp__text *out, const struct skp__failed_step *f, const struct skp__examination *e) {
  const struct skp_sig sig = sig_of(e);
  struct skp_backend *b = f->st->s->b;
  const char *other = other_method(b, &sig, skp__plan_method(e->plan, e->node));
  skp__canary_line(out, b, e->plan, e->node, f->step->number + 1, e->verdict.text);
  skp__text_add(out, "\n");
  if (other)
    skp__text_add(out, "Another method may be right: %s=%s (%s). ", sig.op->name, other, skp__option("method"));
  skp__text_add(out, "%s tries them all; the run can go on on another device.", skp__option("skp_selftest"));
}

static void blame_moment(struct skp__text *out, const struct skp__failed_step *f, const struct skp__examination *e) {
  struct skp_backend_info info;
  (void)e;
  f->st->s->b->ops->info(f->st->s->b, &info);
  skp__text_add(out,
                " The same step of the same numbers gives the same bits on a sound device, so this one (%s, %s), its "
                "memory or its driver went wrong for a moment.",
                info.name, info.driver);
}

/* ---- where ------------------------------------------------------------------------------------------------------- */

static const char *phase(const struct skp__examination *e) {
  const struct skp_graph *g = skp__plan_graph(e->plan);
  const int loss = g->loss == SKP_NONE ? -1 : g->tensors.at[g->loss].producer, n = (int)e->node;
  return n < loss ? "forward" : n == loss ? "the loss" : "gradients";
}

static void add_inputs(struct skp__text *out, const struct skp__examination *e) {
  const struct skp_op *op = node_of(e)->op;
  for (int i = 0; i < 2 && e->input[i] >= 0; i++)
    skp__text_add(out, "%s%s up to %.3g", i ? ", " : " made of ", skp__op_in(op, e->input[i])->name, e->read[i].most);
}

static void add_place(struct skp__text *out, const struct skp__examination *e) {
  const struct skp_node *node = node_of(e);
  const struct skp_sig sig = sig_of(e);
  skp__text_add(out, " The step was made again, op by op. First to leave the finite numbers (%s): %s of ", phase(e),
                node->op->out[e->output].name);
  skp__sig_text(out, &sig);
  skp__text_add(out, " in %s%s, %lld of its %lld values,", *node->scope ? "layer " : "the network", node->scope,
                (long long)e->made.lost, (long long)e->made.n);
  add_inputs(out, e);
  skp__text_add(out, ".");
}

/* ---- who did it -------------------------------------------------------------------------------------------------- */

static void tell_late(struct skp__text *out, const struct skp__failed_step *f, const struct skp__examination *e) {
  (void)f, (void)e;
  skp__text_add(out, " What left the finite numbers first was not found within %d s.", SKP_EXAMINE_SECONDS);
}

static void tell_images(struct skp__text *out, const struct skp__failed_step *f, const struct skp__examination *e) {
  skp__text_add(out, " The data are to blame: %lld pixels are infinite or not numbers, the first in ",
                (long long)e->images.lost);
  name_image(out, f, &e->images, e->images.lost_at);
  skp__text_add(out, ". Mend it or leave it out, and check how pixels are normalised (%s, %s).", skp__option("mean"),
                skp__option("std"));
}

static void tell_weights(struct skp__text *out, const struct skp__failed_step *f, const struct skp__examination *e) {
  (void)f;
  skp__text_add(out,
                " %lld of the %lld weights of %s were infinite or not numbers before it: the update of an earlier "
                "step was too large for them.",
                (long long)e->weights.lost, (long long)e->weights.n, e->weight->name);
}

static void tell_spoilt(struct skp__text *out, const struct skp__failed_step *f, const struct skp__examination *e) {
  struct skp_backend_info info;
  f->st->s->b->ops->info(f->st->s->b, &info);
  skp__text_add(out,
                " Its input %s was finite when it was made and is not any more: something wrote over it, a kernel, the "
                "driver or the device (%s, %s). Try %s and another device.",
                skp__op_in(node_of(e)->op, e->spoilt)->name, info.name, info.driver, skp__option("skp_selftest"));
}

/* What is told of a finding, after the place, where there is one, and what that means. */
static const struct explanation {
  const char *sentence;
  void (*more)(struct skp__text *out, const struct skp__failed_step *f, const struct skp__examination *e);
  skp_status status;
  skp__retry retry;
} explanations[] = {
    [SKP_FOUND_NOTHING] = {" The step was made again, op by op, and all of it is finite.", blame_moment, SKP_DEVICE,
                           SKP_RETRY_SAME},
    [SKP_FOUND_LATE] = {"", tell_late, SKP_NUMERIC, SKP_RETRY_SMALLER},
    [SKP_FOUND_MOVED] = {" Later steps have changed the weights since, so it cannot be made again to see why.", NULL,
                         SKP_NUMERIC, SKP_RETRY_SMALLER},
    [SKP_FOUND_IMAGES] = {"", tell_images, SKP_NUMERIC, SKP_RETRY_NEVER},
    [SKP_FOUND_WEIGHTS] = {"", tell_weights, SKP_NUMERIC, SKP_RETRY_SMALLER},
    [SKP_FOUND_LARGE] = {" It is too large to be calculated again in plain C.", explain_numbers, SKP_NUMERIC,
                         SKP_RETRY_SMALLER},
    [SKP_FOUND_ONCE] = {" A second time it was finite.", blame_moment, SKP_DEVICE, SKP_RETRY_SAME},
    [SKP_FOUND_SPOILT] = {"", tell_spoilt, SKP_DEVICE, SKP_RETRY_NEVER},
    [SKP_FOUND_ARITHMETIC] = {" Plain C makes the same of these inputs, so it is not the device.", explain_numbers,
                              SKP_NUMERIC, SKP_RETRY_SMALLER},
    [SKP_FOUND_OVERFLOW] = {" Such numbers are too large for sums in float.", explain_numbers, SKP_NUMERIC,
                            SKP_RETRY_SMALLER},
    [SKP_FOUND_DEVICE] = {" Plain C makes finite numbers of these inputs, so the device or its driver did it. Please "
                          "report:\n",
                          blame_device, SKP_DEVICE, SKP_RETRY_NEVER},
};

static void tell(struct skp__diagnosis *out, const struct skp__failed_step *f, const struct skp__examination *e) {
  const struct explanation *explanation = &explanations[e->finding];
  if (e->plan) add_place(&out->why, e);
  skp__text_add(&out->why, "%s", explanation->sentence);
  if (explanation->more) explanation->more(&out->why, f, e);
  out->status = explanation->status;
  out->retry = explanation->retry;
}

void skp__diagnose_unseen(struct skp__diagnosis *out, const struct skp_recipe *r, double lr) {
  *out = (struct skp__diagnosis){.status = SKP_NUMERIC, .retry = SKP_RETRY_SMALLER};
  advise_smaller(&out->advice, r, lr);
}

void skp__diagnose(struct skp__diagnosis *out, const struct skp__failed_step *f) {
  struct skp__examination e;
  skp__diagnose_unseen(out, &f->st->s->model->recipe, f->step->lr);
  if (skp__examine(&e, f->st, f->step) == SKP_OK)
    tell(out, f, &e);
  else
    skp__text_add(&out->why, " It could not be made again to see why: %s", skp_error_message());
  if (out->retry == SKP_RETRY_SMALLER) return;
  out->advice = (struct skp__text){.n = 0};
  if (out->retry == SKP_RETRY_SAME)
    skp__text_add(&out->advice,
                  " The run can go on from what it saved; if that comes again, try %s and another device.",
                  skp__option("skp_selftest"));
}
