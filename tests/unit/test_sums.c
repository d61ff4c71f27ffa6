/* test_sums.c: the gradients of micro-batches in spans, each of which is summed as soon as its gradients are there, and
 * what ranks make of them, a message a span. SPDX-License-Identifier: MIT */
#include "ranks/wire.h"
#include "step.h"
#include "train/step/step.h"

/* ---- spans ------------------------------------------------------------------------------------------------------- */

/* From the end to the beginning, without gaps, some MiB each, and not many. */
START_TEST(spans_are_all_there_is) {
  static const int64_t slices[] = {1, 8191, 8192, 8193, 100000, 131072, 131073, 1000000};
  for (size_t k = 0; k < sizeof slices / sizeof *slices; k++) {
    const int64_t total = slices[k] * SKP_SLICE_ALIGN;
    const int n = skp__spans(total);
    int64_t end = total;
    ck_assert_int_ge(n, 1);
    ck_assert_int_le(n, SKP_SPANS);
    for (int i = 0; i < n; i++) {
      const struct skp_span s = skp__span(total, i);
      ck_assert_int_eq(s.from + s.n, end);
      ck_assert_int_eq(s.from % SKP_SLICE_ALIGN, 0);
      ck_assert_int_gt(s.n, 0);
      if (i < n - 1) ck_assert_int_ge(s.n, 1 << 20);
      end = s.from;
    }
    ck_assert_int_eq(end, 0);
  }
  ck_assert_int_eq(skp__spans(0), 1);
  ck_assert_int_eq(skp__span(0, 0).n, 0);
}
END_TEST

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

/* Three spans: the weights of the second layer lie in all of them. */
static struct skp_model *wide(void) {
  return step_parse("x = nn.relu(nn.linear(nn.flatten(x), 1500)) return nn.linear(nn.relu(nn.linear(x, 1500)), 4)");
}

static bool writes_grads(const struct skp_graph *g, size_t n) {
  const struct skp_node *node = &g->nodes.at[n];
  for (int o = 0; o < node->n_out; o++)
    if (node->out[o] != SKP_NONE && skp__graph_root(g, node->out[o]) == g->grads) return true;
  return false;
}

/* Of a span the node that sums it; what stands right before it, sums of other spans aside, writes gradients. */
START_TEST(a_span_is_summed_as_soon_as_it_is_there) {
  struct skp_model *m = wide();
  struct skp_graph *g;
  int seen[SKP_SPANS] = {0}, spans = 0;
  ck_ok(skp__step_graph(&g, m, &(struct skp__variant){SKP_STEP_MICRO, .N = 2}));
  const int64_t total = skp__shape_count(&g->tensors.at[g->grads].shape);
  size_t last = 0, first = g->nodes.n;
  for (size_t n = 0; n < g->nodes.n; n++) {
    const int i = skp__span_summed(g, n);
    if (writes_grads(g, n)) last = n;
    if (i < 0) continue;
    size_t before = n - 1;
    while (skp__span_summed(g, before) >= 0) before--;
    ck_assert(writes_grads(g, before));
    if (n < first) first = n;
    seen[i]++;
    spans++;
  }
  ck_assert_int_eq(skp__spans(total), 3);
  ck_assert_int_eq(spans, 3);
  for (int i = 0; i < spans; i++) ck_assert_int_eq(seen[i], 1);
  ck_assert_uint_lt(first, last); /* the backward pass goes on behind it */
  skp__graph_destroy(g);
  skp__model_destroy(m);
}
END_TEST

/* ---- a device that is slow -------------------------------------------------------------------------------------- */

/* The reference backend, counted as if it began with what is queued when somebody waits for it, and did no more. */
static struct lazy {
  const struct skp_backend_ops *ops;
  struct skp_backend_ops own;
  size_t queued, done; /* nodes */
  size_t at[1 << 10];  /* of the latest tickets: how many were queued */
} lazy;
enum { TICKETS = sizeof lazy.at / sizeof *lazy.at };

static skp_status lazy_run(struct skp_backend *b, struct skp_prepared *const *list, size_t n) {
  lazy.queued += n;
  return lazy.ops->run(b, list, n);
}

static skp_status lazy_ticket(struct skp_backend *b, uint64_t *out) {
  const skp_status status = lazy.ops->ticket(b, out);
  lazy.at[*out % TICKETS] = lazy.queued;
  return status;
}

static skp_status lazy_wait(struct skp_backend *b, uint64_t ticket) {
  if (lazy.at[ticket % TICKETS] > lazy.done) lazy.done = lazy.at[ticket % TICKETS];
  return lazy.ops->wait(b, ticket);
}

static void make_lazy(struct skp_backend *b) {
  lazy = (struct lazy){.ops = b->ops, .own = *b->ops};
  lazy.own.run = lazy_run;
  lazy.own.ticket = lazy_ticket;
  lazy.own.wait = lazy_wait;
  b->ops = &lazy.own;
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

/* The wire of a rank that is alone, in an exchange of which each value comes back doubled: as if there were another
 * that has the same. It fails when it is told to. */
struct echo {
  struct skp__wire wire; /* first */
  int deals, fails;      /* how many there were; before which one, from 1, it breaks */
  int64_t bytes;
  size_t left[64]; /* nodes that a slow device had before it when each began */
};

static skp_status echo_gather(struct skp__wire *w, void *all, const void *mine, size_t bytes) {
  (void)w;
  memcpy(all, mine, bytes);
  return SKP_OK;
}

static skp_status echo_deal(struct skp__wire *w, void *got, const void *mine, size_t bytes) {
  struct echo *e = (struct echo *)w;
  e->bytes += (int64_t)bytes;
  if (e->deals < (int)(sizeof e->left / sizeof *e->left)) e->left[e->deals] = lazy.queued - lazy.done;
  if (++e->deals == e->fails) return skp__fail(SKP_IO, "The wire broke.");
  for (size_t i = 0; i < bytes / sizeof(float); i++) ((float *)got)[i] = 2 * ((const float *)mine)[i];
  return SKP_OK;
}

static void echo_close(struct skp__wire *w, bool together) { (void)w, (void)together; }

struct run {
  struct skp_model *m;
  struct skp_backend *b;
  struct skp_session *s;
  struct skp_plan *plan;
  struct skp__exchange x;
  struct echo echo;
  int64_t total;
};

static skp_status after_node(void *user, struct skp_plan *p, size_t n) {
  return skp__exchange_after(&((struct run *)user)->x, p, n);
}

static void open_run(struct run *r, int fails) {
  *r = (struct run){.m = wide(),
                    .echo = {.wire = {0, 1, 0, 1, echo_gather, echo_deal, NULL, echo_close}, .fails = fails}};
  ck_ok(skp__backend_open(&r->b, &(struct skp_backend_options){.backend = "reference"}));
  ck_ok(skp__session_create(&r->s, r->m, r->b));
  ck_ok(skp__session_init(r->s, 5));
  ck_ok(skp__ranks_on(&r->s->ranks, &r->echo.wire));
  ck_ok(skp__session_plan(r->s, &r->plan, &(struct skp__variant){SKP_STEP_MICRO, .N = 2}));
  r->total = skp__shape_count(&skp__plan_graph(r->plan)->tensors.at[skp__plan_graph(r->plan)->grads].shape);
}

static void close_run(struct run *r) {
  skp__exchange_close(&r->x);
  skp__ranks_close(r->s->ranks, SKP_OK);
  skp__session_destroy(r->s);
  skp__backend_close(r->b);
  skp__model_destroy(r->m);
}

static void micro_batch(struct run *r) {
  static const float images[2 * 6 * 6 * 2] = {1, -1, 0.5f}, scales[2] = {0, 1};
  static const int32_t labels[2] = {0, 3};
  const struct skp_graph *g = skp__plan_graph(r->plan);
  ck_ok(skp__backend_write_now(r->b, skp__plan_buffer(r->plan, g->input), 0, images, sizeof images));
  ck_ok(skp__backend_write_now(r->b, skp__plan_buffer(r->plan, g->labels), 0, labels, sizeof labels));
  ck_ok(skp__backend_write_now(r->b, skp__plan_buffer(r->plan, g->sum_scales), 0, scales, sizeof scales));
  ck_ok(skp__exchange_begin(&r->x, r->s));
  skp__plan_watch(r->plan, after_node, r);
  ck_ok(skp__plan_run(r->plan));
  skp__plan_watch(r->plan, NULL, NULL);
}

static float *pull(struct run *r, skp_value v, int64_t n) {
  float *x = malloc((size_t)n * sizeof *x);
  ck_ok(skp__backend_read_now(r->b, skp__plan_buffer(r->plan, v), 0, x, 4 * n));
  return x;
}

/* All sums and the loss are what all ranks have together; nothing else is. */
START_TEST(each_value_is_exchanged_once) {
  struct run r;
  open_run(&r, 0);
  micro_batch(&r);
  const struct skp_graph *g = skp__plan_graph(r.plan);
  float *loss = pull(&r, g->loss_sum, 1), *own = pull(&r, g->grads, r.total);
  ck_ok(skp__exchange(&r.x, r.s, SKP_OK, 1));
  float *all = pull(&r, g->grads_sum, r.total), *losses = pull(&r, g->loss_sum, 1);
  int64_t differ = 0, moved = 0;
  for (int64_t i = 0; i < r.total; i++) {
    differ += all[i] != 2 * own[i];
    moved += own[i] != 0;
  }
  ck_assert_int_eq(differ, 0);
  ck_assert_int_gt(moved, 1000);
  ck_assert_float_gt(*loss, 0);
  ck_assert_float_eq(*losses, 2 * *loss);
  ck_assert_int_eq(r.echo.bytes, 4 * (r.total + 1));
  free(own), free(all), free(loss), free(losses);
  close_run(&r);
}
END_TEST

/* A rank without images gives zeros, as many as the others give values. */
START_TEST(a_rank_without_images_gives_nothing) {
  struct run r;
  open_run(&r, 0);
  micro_batch(&r); /* of the step before */
  ck_ok(skp__exchange(&r.x, r.s, SKP_OK, 0));
  float *all = pull(&r, skp__plan_graph(r.plan)->grads_sum, r.total);
  int64_t differ = 0;
  for (int64_t i = 0; i < r.total; i++) differ += all[i] != 0;
  ck_assert_int_eq(differ, 0);
  ck_assert_int_eq(r.echo.bytes, 4 * (r.total + 1));
  free(all);
  close_run(&r);
}
END_TEST

/* Each message's failure is that of the step, and nothing is exchanged after it. */
START_TEST(a_wire_that_breaks_between_two_spans_ends_the_step) {
  for (int fails = 1; fails <= 9; fails += 4) {
    struct run r;
    open_run(&r, fails);
    micro_batch(&r);
    ck_assert_int_eq(skp__exchange(&r.x, r.s, SKP_OK, 1), SKP_IO);
    ck_assert_int_eq(r.echo.deals, fails);
    close_run(&r);
  }
}
END_TEST

/* A failure of this rank before the exchange is what it returns, and nothing is sent. */
START_TEST(a_rank_that_failed_sends_nothing) {
  struct run r;
  open_run(&r, 0);
  ck_assert_int_eq(skp__exchange(&r.x, r.s, skp__fail(SKP_DEVICE, "It broke."), 1), SKP_DEVICE);
  ck_assert_str_eq(skp_error_message(), "It broke.");
  ck_assert_int_eq(r.echo.deals, 0);
  close_run(&r);
}
END_TEST

/* ---- steps ------------------------------------------------------------------------------------------------------- */

enum { IMAGES = 4, PIXELS = 6 * 6 * 2 };

static skp_status take(void *user, struct skp__step *step) {
  step->batch = user;
  step->lr = 0.1;
  return SKP_OK;
}

/* The first message of a step is exchanged while the device has the first layers' gradients before it, the next ones
 * when it has come further, the last one when all is done. */
START_TEST(spans_are_exchanged_during_the_backward_pass) {
  static float x[IMAGES * PIXELS] = {1, -1, 0.5f};
  static int32_t labels[IMAGES] = {0, 3, 1, 2};
  struct skp_batch batch = {.n = IMAGES, .whole = IMAGES, .x = x, .labels = labels};
  struct run r;
  struct skp__stepper st;
  struct skp__step *step;
  open_run(&r, 0);
  ck_ok(skp__recipe_set(&r.m->recipe, "batch", "4"));
  ck_ok(skp__recipe_set(&r.m->recipe, "accumulate", "2"));
  ck_ok(skp__stepper_train(&st, r.s, INT64_MAX));
  st.user = &batch;
  st.take = take;
  ck_ok(skp__stepper_open(&st));
  ck_ok(skp__stepper_first(&st));
  ck_ok(skp__stepper_retire(&st, &step));
  make_lazy(r.b);
  r.echo.deals = 0;
  ck_ok(skp__stepper_queue(&st));
  const size_t *left = r.echo.left;
  const int n = r.echo.deals;
  int waits = 1;
  ck_assert_int_ge(n, 3);
  ck_assert_int_le(n, (int)(sizeof r.echo.left / sizeof *r.echo.left));
  for (int i = 1; i < n; i++) {
    ck_assert_uint_le(left[i], left[i - 1]);
    waits += left[i] < left[i - 1];
  }
  ck_assert_uint_gt(left[0], 2); /* more than the sums of the spans that are left */
  ck_assert_int_eq(waits, 3);
  ck_assert_uint_eq(left[n - 1], 0);
  ck_ok(skp__stepper_retire(&st, &step));
  skp__stepper_close(&st);
  close_run(&r);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sums");
  TCase *c = tcase_create("sums");
  tcase_add_test(c, spans_are_all_there_is);
  tcase_add_test(c, a_span_is_summed_as_soon_as_it_is_there);
  tcase_add_test(c, each_value_is_exchanged_once);
  tcase_add_test(c, a_rank_without_images_gives_nothing);
  tcase_add_test(c, a_wire_that_breaks_between_two_spans_ends_the_step);
  tcase_add_test(c, a_rank_that_failed_sends_nothing);
  tcase_add_test(c, spans_are_exchanged_during_the_backward_pass);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
