/* examine.c: see examine.h. SPDX-License-Identifier: MIT */
#include "train/step/examine.h"
#include "base/clock.h"
#include "base/finite.h"
#include "train/step/canary.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

enum {
  ROOM = 4 << 20,      /* bytes that are read at a time, */
  SOME = 1024,         /* values that are looked at */
  MOST_BYTES = 1 << 30 /* that the values of a single op may take on the host */
};

struct search {
  struct skp__examination *e;
  struct skp_backend *b;
  void *room;
  double until; /* on the clock */
  int64_t k;    /* the place's piece of the step */
  bool found;
};

/* ---- looking at values ------------------------------------------------------------------------------------------- */

static void look_at_some(struct skp__numbers *x, const float *value, int64_t n) {
  int64_t first, lost = skp__nonfinite(value, n, &first);
  if (lost && !x->lost) x->lost_at = x->n + first;
  x->lost += lost;
  for (int64_t i = 0; i < n; i++) {
    const float size = fabsf(value[i]);
    if (!(size > (float)x->most && size <= FLT_MAX)) continue;
    x->most = (double)size;
    x->most_at = x->n + i;
  }
  x->n += n;
}

static void look(struct skp__numbers *x, const void *data, int64_t n, skp_dtype dtype) {
  float some[SOME];
  for (int64_t i = 0; i < n; i += SOME) {
    const int64_t now = n - i < SOME ? n - i : SOME;
    for (int64_t k = 0; k < now; k++) some[k] = (float)skp__case_element(data, i + k, dtype);
    look_at_some(x, some, now);
  }
}

/* n values of a buffer from one on, in turn. */
static skp_status look_there(struct skp__numbers *x, struct search *s, struct skp_buffer *buffer, int64_t from,
                             int64_t n, skp_dtype dtype) {
  const int64_t size = skp__dtype_bytes(dtype), most = ROOM / size;
  *x = (struct skp__numbers){.n = 0};
  while (n > 0) {
    const int64_t some = n < most ? n : most;
    SKP_TRY(skp__backend_read_now(s->b, buffer, size * from, s->room, size * some));
    look(x, s->room, some, dtype);
    from += some;
    n -= some;
  }
  return SKP_OK;
}

static skp_status look_at_value(struct skp__numbers *x, struct search *s, const struct skp_plan *p, skp_value v) {
  const struct skp_shape *shape = &skp__plan_graph(p)->tensors.at[v].shape;
  return look_there(x, s, skp__plan_buffer(p, v), 0, skp__shape_count(shape), shape->dtype);
}

/* ---- what a step begins with ------------------------------------------------------------------------------------- */

static double fresh_size(const struct skp_tensor *t) {
  const double deviations = 4; /* that hardly a normal number goes beyond */
  if (t->values) return skp__case_max(t->values, skp__shape_count(&t->shape), SKP_F32);
  return t->bound > 0 ? t->bound : t->std > 0 ? deviations * (double)t->std : fabs((double)t->fill);
}

/* By how much a parameter has grown; small ones may become usual ones. */
static double growth(const struct skp__numbers *x, double fresh) { return x->most / fmax(fresh, 0.1); }

/* Whether it tells more than what was seen before. */
static bool tells_more(const struct skp__examination *e, const struct skp_tensor *t, const struct skp__numbers *x) {
  if (e->weight && e->weights.lost) return false;
  return x->lost || !e->weight || growth(x, fresh_size(t)) > growth(&e->weights, e->fresh);
}

static skp_status look_at_weights(struct search *s, struct skp_session *session) {
  const struct skp_graph *g = session->model->graph;
  struct skp__examination *e = s->e;
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    struct skp__numbers x;
    if (!skp__is_parameter(t)) continue; /* running statistics are not read in training */
    SKP_TRY(look_there(&x, s, session->params, t->offset, skp__shape_count(&t->shape), SKP_F32));
    if (!tells_more(e, t, &x)) continue;
    e->weight = t;
    e->weights = x;
    e->fresh = fresh_size(t);
  }
  return SKP_OK;
}

/* ---- the place --------------------------------------------------------------------------------------------------- */

static skp_status look_at_outputs(struct search *s, struct skp_plan *p, size_t n) {
  const struct skp_node *node = &skp__plan_graph(p)->nodes.at[n];
  struct skp__examination *e = s->e;
  for (int o = 0; o < node->n_out && !s->found; o++) {
    struct skp__numbers x;
    if (node->out[o] == SKP_NONE) continue;
    SKP_TRY(look_at_value(&x, s, p, node->out[o]));
    s->found = x.lost;
    if (!s->found) continue;
    e->plan = p;
    e->node = n;
    e->output = o;
    e->made = x;
  }
  return SKP_OK;
}

static skp_status search_piece(void *user, struct skp_plan *p, int64_t k) {
  struct search *s = user;
  const struct skp_graph *g = skp__plan_graph(p);
  const size_t end = skp__graph_first_change(g);
  for (size_t n = 0; n < end && !s->found && s->e->finding != SKP_FOUND_LATE; n++) {
    if (!g->nodes.at[n].op->reference) continue;
    SKP_TRY(skp__plan_run_nodes(p, n, n + 1));
    SKP_TRY(look_at_outputs(s, p, n));
    s->k = k;
    if (skp__clock() > s->until) s->e->finding = SKP_FOUND_LATE;
  }
  return SKP_OK;
}

/* ---- beside plain C ---------------------------------------------------------------------------------------------- */

static void note_input(struct skp__examination *e, int i, const struct skp__numbers *x) {
  int at = 0;
  while (at < 2 && e->input[at] >= 0 && e->read[at].most >= x->most) at++;
  if (at == 2) return;
  if (at == 0) {
    e->input[1] = e->input[0];
    e->read[1] = e->read[0];
  }
  e->input[at] = i;
  e->read[at] = *x;
}

/* Whether it was looked at when it was made; statistics and sums may be what they will. */
static bool was_finite(const struct skp_graph *g, skp_value v) {
  const skp_role role = g->tensors.at[skp__graph_root(g, v)].role;
  return role == SKP_ROLE_ACTIVATION || role == SKP_ROLE_RESULT || role == SKP_ROLE_INPUT || role == SKP_ROLE_PARAM;
}

static skp_status look_at_inputs(struct search *s, struct skp_plan *p, const struct skp_node *node) {
  for (int i = 0; i < node->n_in; i++) {
    struct skp__numbers x;
    if (node->in[i] == SKP_NONE || skp__dtype_whole(node->types[i].dtype)) continue;
    SKP_TRY(look_at_value(&x, s, p, node->in[i]));
    note_input(s->e, i, &x);
    if (!x.lost || !was_finite(skp__plan_graph(p), node->in[i])) continue;
    s->e->finding = SKP_FOUND_SPOILT;
    s->e->spoilt = i;
  }
  return SKP_OK;
}

/* Whether products of such inputs may sum up to what a float cannot hold, on the way of some method. */
static bool overflows(const struct skp__examination *e, const struct skp_sig *sig) {
  const double way = 1000, terms = fmax(1, skp__op_flops(sig) / (double)skp__shape_count(&sig->out[0]));
  const double one = fmax(1, e->read[0].most), other = fmax(1, e->input[1] < 0 ? one : e->read[1].most);
  return fmax(one * other, one * one) * terms * way > (double)FLT_MAX;
}

static skp_status judge(struct search *s, struct skp__replay *r) {
  struct skp__examination *e = s->e;
  const struct skp_shape *shape = &r->sig.out[e->output];
  const double again = skp__case_element(r->value[r->sig.n_in + e->output], e->made.lost_at, shape->dtype);
  SKP_TRY(skp__replay_judge(&e->verdict, r, skp__plan_tolerance(e->plan, e->node)));
  e->finding = e->verdict.passed ? SKP_FOUND_ARITHMETIC : overflows(e, &r->sig) ? SKP_FOUND_OVERFLOW : SKP_FOUND_DEVICE;
  if (isfinite(again)) e->finding = SKP_FOUND_ONCE;
  return SKP_OK;
}

static skp_status compare(struct search *s, struct skp__replay *r) {
  struct skp__examination *e = s->e;
  skp__replay_hold(r, e->output, e->made.lost_at);
  if (skp__replay_bytes(r) > MOST_BYTES) e->finding = SKP_FOUND_LARGE;
  if (e->finding == SKP_FOUND_LARGE) return SKP_OK;
  SKP_TRY(skp__canary_take(s->b, e->plan, e->node, r));
  return judge(s, r);
}

static skp_status compare_node(struct search *s, struct skp_plan *p) {
  const struct skp_graph *g = skp__plan_graph(p);
  const struct skp_node *node = &g->nodes.at[s->e->node];
  const struct skp_sig sig = skp__graph_sig(g, node);
  struct skp__replay r;
  SKP_TRY(look_at_inputs(s, p, node));
  if (s->e->finding == SKP_FOUND_SPOILT) return SKP_OK;
  skp_status status = skp__replay_open(&r, &sig);
  if (status == SKP_OK) status = compare(s, &r);
  skp__replay_close(&r);
  return status;
}

static skp_status compare_piece(void *user, struct skp_plan *p, int64_t k) {
  struct search *s = user;
  if (k > s->k) return SKP_OK;
  SKP_TRY(skp__plan_run_nodes(p, 0, k < s->k ? skp__graph_first_change(skp__plan_graph(p)) : s->e->node));
  return k < s->k ? SKP_OK : compare_node(s, p);
}

/* ---- a step ------------------------------------------------------------------------------------------------------ */

/* As the network reads them. */
static void look_at_images(struct skp__numbers *out, const struct skp_recipe *r, const struct skp_batch *batch,
                           const struct skp_shape *x) {
  const int64_t n = batch->n * (skp__shape_count(x) / x->dim[0]);
  float mean[4], std[4], levels[4][SKP_BYTE_LEVELS];
  skp__normalising(levels, 4, mean, std, skp__recipe_norm(r, mean, std));
  if (batch->x) look(out, batch->x, n, SKP_F32);
  for (int64_t i = 0; !batch->x && i < n; i++) look(out, &levels[i % x->dim[3]][batch->bytes[i]], 1, SKP_F32);
}

/* Whether one of the steps after it has updated something. */
static bool moved_on(const struct skp__stepper *st) {
  for (int64_t i = st->done; i < st->queued; i++) {
    const struct skp__step *later = &st->step[i % SKP_STEPS_AHEAD];
    if (later->broken == 0) return true;
  }
  return false;
}

static skp_status search(struct search *s, struct skp__stepper *st, struct skp__step *step) {
  struct skp__examination *e = s->e;
  const struct skp_shape *x = &st->s->model->graph->tensors.at[st->s->model->graph->input].shape;
  if (moved_on(st)) e->finding = SKP_FOUND_MOVED;
  look_at_images(&e->images, &st->s->model->recipe, step->batch, x);
  if (e->images.lost) e->finding = SKP_FOUND_IMAGES;
  SKP_TRY(look_at_weights(s, st->s));
  if (e->finding == SKP_FOUND_NOTHING && e->weights.lost) e->finding = SKP_FOUND_WEIGHTS;
  if (e->finding != SKP_FOUND_NOTHING) return SKP_OK;
  SKP_TRY(skp__stepper_again(st, step, search_piece, s));
  return s->found ? skp__stepper_again(st, step, compare_piece, s) : SKP_OK;
}

skp_status skp__examine(struct skp__examination *e, struct skp__stepper *st, struct skp__step *step) {
  struct search s = {.e = e, .b = st->s->b, .until = skp__clock() + SKP_EXAMINE_SECONDS};
  *e = (struct skp__examination){.input = {-1, -1}};
  SKP_TRY(skp__backend_finish(s.b)); /* later steps are still under way */
  SKP_TRY(skp__alloc(&s.room, 1, ROOM));
  skp_status status = search(&s, st, step);
  free(s.room);
  return status;
}
