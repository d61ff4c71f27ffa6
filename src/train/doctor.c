/* doctor.c: see doctor.h. SPDX-License-Identifier: MIT
 *
 *   step ─> what was found (examine.h) ─> where ─> who did it ─> what helps */
#include "train/doctor.h"
#include "base/host.h"
#include "train/canary.h"
#include "train/examine.h"
#include <string.h>

static const struct skp_node *node_of(const struct skp__examination *e) {
  return &skp__plan_graph(e->plan)->nodes.at[e->node];
}

static struct skp_sig sig_of(const struct skp__examination *e) {
  return skp__graph_sig(skp__plan_graph(e->plan), node_of(e));
}

/* ---- what helps -------------------------------------------------------------------------------------------------- */

void skp__doctor_advise(struct skp__text *out, const struct skp_recipe *r, double lr) {
  skp__text_add(out, " Try a smaller learning rate (%s %g)", skp__option("lr"), lr / 10);
  if (r->clip_norm == 0) skp__text_add(out, ", gradients of a bounded norm (%s 1)", skp__option("clip_norm"));
  if (r->warmup == 0) skp__text_add(out, ", a warm-up (%s 1)", skp__option("warmup"));
  skp__text_add(out, ", or check that the pixels are normalised (%s, %s).", skp__option("mean"), skp__option("std"));
}

static void advise(struct skp__text *out, const struct skp__patient *p) {
  skp__doctor_advise(out, &p->st->s->model->recipe, p->step->lr);
}

/* Image `at` / values of the step, by name. */
static void name_image(struct skp__text *out, const struct skp__patient *p, const struct skp__numbers *images,
                       int64_t at) {
  const int64_t i = at / (images->n / p->step->n);
  char number[32];
  const char *name =
      skp__source_name_of(p->source, skp__loader_sample(p->loader, p->step->batch, i), number, sizeof number);
  skp__text_add(out, "%s of %s, image %lld of the batch", name, p->source->name, (long long)i + 1);
}

/* Pixels far from what normalised ones are, weights far from fresh ones, maps that grew on their way. */
static void explain_numbers(struct skp__text *out, const struct skp__patient *p, const struct skp__examination *e) {
  const double pixels = 1e4, times = 100, way = 1e6;
  if (e->images.most > pixels) {
    skp__text_add(out, " The pixels are far from the usual ones around 0: ");
    name_image(out, p, &e->images, e->images.most_at);
    skp__text_add(out, ", has %.3g.", e->images.most);
  }
  if (e->weight && e->weights.most > times * (e->fresh > 0.1 ? e->fresh : 0.1))
    skp__text_add(out, " The weights have grown: %s has %.3g, where fresh ones are within %.2g.", e->weight->name,
                  e->weights.most, e->fresh);
  else if (e->read[0].most > way * (1 + e->images.most))
    skp__text_add(
        out, " Neither the images nor the weights are that large: the values grow from layer to layer. Layers that "
             "normalise (batchnorm2d) keep them small.");
  advise(out, p);
}

/* Another method of the op that takes the call; NULL: there is none. */
static const char *other_method(struct skp_backend *b, const struct skp_sig *sig, const char *used) {
  const char *name;
  for (int n = 0; (name = b->ops->method_name(b, sig->op, n)); n++)
    if (strcmp(name, used) != 0 && !b->ops->method_refusal(b, sig, n)) return name;
  return NULL;
}

static void blame_device(struct skp__text *out, const struct skp__patient *p, const struct skp__examination *e) {
  const struct skp_sig sig = sig_of(e);
  struct skp_backend *b = p->st->s->b;
  const char *other = other_method(b, &sig, skp__plan_method(e->plan, e->node));
  skp__text_add(out,
                " Plain C makes finite numbers of these inputs, so the device or its driver did it. Please report:\n");
  skp__canary_line(out, b, e->plan, e->node, p->step->number + 1, e->verdict.text);
  skp__text_add(out, "\n");
  if (other)
    skp__text_add(out, "Another method may be right: %s=%s (%s). ", sig.op->name, other, skp__option("method"));
  skp__text_add(out, "%s tries them all; the run can go on on another device.", skp__option("skp_selftest"));
}

static void blame_moment(struct skp__text *out, const struct skp__patient *p) {
  struct skp_backend_info info;
  p->st->s->b->ops->info(p->st->s->b, &info);
  skp__text_add(out,
                " The same step of the same numbers gives the same bits on a sound device, so this one (%s, %s), its "
                "memory or its driver went wrong for a moment. The run can go on from what it saved; if that comes "
                "again, try %s and another device.",
                info.name, info.driver, skp__option("skp_selftest"));
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

typedef skp_status (*tell)(struct skp__text *out, const struct skp__patient *p, const struct skp__examination *e);

static skp_status tell_nothing(struct skp__text *out, const struct skp__patient *p, const struct skp__examination *e) {
  (void)e;
  skp__text_add(out, " The step was made again, op by op, and all of it is finite.");
  blame_moment(out, p);
  return SKP_DEVICE;
}

static skp_status tell_late(struct skp__text *out, const struct skp__patient *p, const struct skp__examination *e) {
  (void)e;
  skp__text_add(out, " What left the finite numbers first was not found within %d s.", SKP_EXAMINE_SECONDS);
  advise(out, p);
  return SKP_NUMERIC;
}

static skp_status tell_moved(struct skp__text *out, const struct skp__patient *p, const struct skp__examination *e) {
  (void)e;
  advise(out, p);
  return SKP_NUMERIC;
}

static skp_status tell_images(struct skp__text *out, const struct skp__patient *p, const struct skp__examination *e) {
  skp__text_add(out, " The data are to blame: %lld pixels are infinite or not numbers, the first in ",
                (long long)e->images.lost);
  name_image(out, p, &e->images, e->images.lost_at);
  skp__text_add(out, ". Mend it or leave it out, and check how pixels are normalised (%s, %s).", skp__option("mean"),
                skp__option("std"));
  return SKP_NUMERIC;
}

static skp_status tell_weights(struct skp__text *out, const struct skp__patient *p, const struct skp__examination *e) {
  skp__text_add(out,
                " %lld of the %lld weights of %s were infinite or not numbers before it: the update of an earlier "
                "step was too large for them.",
                (long long)e->weights.lost, (long long)e->weights.n, e->weight->name);
  advise(out, p);
  return SKP_NUMERIC;
}

static skp_status tell_large(struct skp__text *out, const struct skp__patient *p, const struct skp__examination *e) {
  add_place(out, e);
  skp__text_add(out, " It is too large to be calculated again in plain C.");
  explain_numbers(out, p, e);
  return SKP_NUMERIC;
}

static skp_status tell_once(struct skp__text *out, const struct skp__patient *p, const struct skp__examination *e) {
  add_place(out, e);
  skp__text_add(out, " A second time it was finite.");
  blame_moment(out, p);
  return SKP_DEVICE;
}

static skp_status tell_arithmetic(struct skp__text *out, const struct skp__patient *p,
                                  const struct skp__examination *e) {
  add_place(out, e);
  skp__text_add(out, " Plain C makes the same of these inputs, so it is not the device.");
  explain_numbers(out, p, e);
  return SKP_NUMERIC;
}

static skp_status tell_overflow(struct skp__text *out, const struct skp__patient *p, const struct skp__examination *e) {
  add_place(out, e);
  skp__text_add(out, " Such numbers are too large for sums in float.");
  explain_numbers(out, p, e);
  return SKP_NUMERIC;
}

static skp_status tell_device(struct skp__text *out, const struct skp__patient *p, const struct skp__examination *e) {
  add_place(out, e);
  blame_device(out, p, e);
  return SKP_DEVICE;
}

static const tell tells[] = {[SKP_FOUND_NOTHING] = tell_nothing,   [SKP_FOUND_LATE] = tell_late,
                             [SKP_FOUND_MOVED] = tell_moved,       [SKP_FOUND_IMAGES] = tell_images,
                             [SKP_FOUND_WEIGHTS] = tell_weights,   [SKP_FOUND_LARGE] = tell_large,
                             [SKP_FOUND_ONCE] = tell_once,         [SKP_FOUND_ARITHMETIC] = tell_arithmetic,
                             [SKP_FOUND_OVERFLOW] = tell_overflow, [SKP_FOUND_DEVICE] = tell_device};

skp_status skp__doctor(struct skp__text *out, const struct skp__patient *p) {
  struct skp__examination e;
  if (skp__examine(&e, p->st, p->step) == SKP_OK) return tells[e.finding](out, p, &e);
  skp__text_add(out, " It could not be made again to see why: %s", skp_error_message());
  advise(out, p);
  return SKP_NUMERIC;
}
