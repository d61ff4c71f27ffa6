/* verify.c: all cases by all methods: counting and telling. SPDX-License-Identifier: MIT */
#include "verify/verify.h"
#include "io/json.h"
#include "skipper/version.h"
#include "verify/case.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How a method of an op fared. */
struct tally {
  const char *op, *method;
  int passed, failed;
};

struct run {
  const struct skp_verify_options *options;
  struct skp_backend *b;
  SKP_ARRAY(struct tally) tallies;
  cJSON *failures;
  int cases, passed, failed;
};

static skp_status tally_of(struct tally **out, struct run *r, const char *op, const char *method) {
  for (size_t i = 0; i < r->tallies.n; i++) {
    *out = &r->tallies.at[i];
    if (!strcmp((*out)->op, op) && !strcmp((*out)->method, method)) return SKP_OK;
  }
  SKP_TRY(SKP_GROW(&r->tallies));
  *out = &r->tallies.at[r->tallies.n - 1];
  (*out)->op = op;
  (*out)->method = method;
  return SKP_OK;
}

/* ---- telling ----------------------------------------------------------------------------------------------------- */

static void tell_failure(struct run *r, const struct skp__case *c, const char *node_op, const char *method,
                         const struct skp__verdict *v) {
  if (!r->options->json) {
    fprintf(r->options->to, "FAILED %s %s: %s by %s: %s\n", c->op, c->id, node_op, method, v->text);
    fflush(r->options->to);
    return;
  }
  cJSON *item = cJSON_CreateObject();
  cJSON_AddStringToObject(item, "op", c->op);
  cJSON_AddStringToObject(item, "case", c->id);
  cJSON_AddStringToObject(item, "call", node_op);
  cJSON_AddStringToObject(item, "method", method);
  if (*v->tensor) {
    cJSON_AddStringToObject(item, "tensor", v->tensor);
    cJSON_AddNumberToObject(item, "index", (double)v->index);
    cJSON_AddNumberToObject(item, "got", v->got);
    cJSON_AddNumberToObject(item, "want", v->want);
  }
  cJSON_AddStringToObject(item, "text", v->text);
  cJSON_AddItemToArray(r->failures, item);
}

static void tell_text(const struct run *r) {
  for (size_t i = 0; i < r->tallies.n; i++) {
    const struct tally *t = &r->tallies.at[i];
    fprintf(r->options->to, "%-26s %-20s %5d passed, %d failed\n", t->op, t->method, t->passed, t->failed);
  }
  fprintf(r->options->to, "%d passed, %d failed\n", r->passed, r->failed);
  fflush(r->options->to);
}

static skp_status tell_json(struct run *r) {
  cJSON *all = cJSON_CreateObject(), *methods = cJSON_AddArrayToObject(all, "methods");
  cJSON_AddNumberToObject(all, "version", SKP_JSON_VERSION);
  cJSON_AddNumberToObject(all, "cases", r->cases);
  cJSON_AddNumberToObject(all, "passed", r->passed);
  cJSON_AddNumberToObject(all, "failed", r->failed);
  for (size_t i = 0; i < r->tallies.n; i++) {
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "op", r->tallies.at[i].op);
    cJSON_AddStringToObject(item, "method", r->tallies.at[i].method);
    cJSON_AddNumberToObject(item, "passed", r->tallies.at[i].passed);
    cJSON_AddNumberToObject(item, "failed", r->tallies.at[i].failed);
    cJSON_AddItemToArray(methods, item);
  }
  cJSON_AddItemReferenceToObject(all, "failures", r->failures);
  char *text;
  skp_status status = skp__json_text(&text, all, false);
  if (status == SKP_OK) fprintf(r->options->to, "%s\n", text);
  free(text);
  cJSON_Delete(all);
  return status;
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static skp_status count(struct run *r, const struct skp__case *c, const char *node_op, const char *method,
                        const struct skp__verdict *v) {
  struct tally *t;
  SKP_TRY(tally_of(&t, r, node_op, method));
  ++*(v->passed ? &t->passed : &t->failed);
  ++*(v->passed ? &r->passed : &r->failed);
  if (!v->passed) tell_failure(r, c, node_op, method, v);
  return SKP_OK;
}

static void add_reason(struct skp__verdict *none, const char *method, const char *reason) {
  size_t n = strlen(none->text);
  snprintf(none->text + n, sizeof none->text - n, "; %.40s: %.300s", method, reason);
}

/* A node by each method that can take it, or by the first; there must be one. */
static skp_status visit_node(struct run *r, const struct skp__case *c, size_t n) {
  const struct skp_node *node = &c->g->nodes.at[n];
  struct skp_sig sig = skp__graph_sig(c->g, node);
  struct skp__verdict v = {0}, none = {.text = "no method takes it"};
  bool taken = false;
  const char *method;
  for (int m = 0; !(taken && c->best_only) && (method = r->b->ops->method_name(r->b, node->op, m)); m++) {
    const char *reason = r->b->ops->method_refusal(r->b, &sig, m);
    skp_status status = reason ? SKP_OK : skp__judge(&v, r->b, c, n, method);
    if (reason || (status == SKP_OK && v.refused)) {
      add_reason(&none, method, reason ? reason : v.text);
      continue;
    }
    taken = true;
    SKP_TRY(count(r, c, node->op->name, method, &v));
    if (status != SKP_OK) return skp__fail_in(status, "%s %s: %s by %s", c->op, c->id, node->op->name, method);
  }
  return taken ? SKP_OK : count(r, c, node->op->name, "none", &none);
}

static skp_status visit(void *user, const struct skp__case *c) {
  struct run *r = user;
  r->cases++;
  for (size_t n = 0; n < c->g->nodes.n; n++) SKP_TRY(visit_node(r, c, n));
  return SKP_OK;
}

static skp_status run_all(struct run *r) {
  const struct skp_verify_options *o = r->options;
  if (o->cases)
    SKP_TRY(skp__golden_each(o->cases, o->op, visit, r));
  else
    SKP_TRY(skp__generated_each(o->op, o->seed, o->quick, visit, r));
  if (!r->cases) return skp__fail(SKP_USAGE, "There is no case of an op '%s'.", o->op ? o->op : "");
  return SKP_OK;
}

skp_status skp__verify(struct skp_verify_result *out, struct skp_backend *b, const struct skp_verify_options *options) {
  struct run r = {.options = options, .b = b, .failures = cJSON_CreateArray()};
  struct skp_backend_check *check = b->check;
  *out = (struct skp_verify_result){0};
  b->check = NULL; /* nothing is refused before it is judged here */
  skp_status status = r.failures ? run_all(&r) : skp__fail_memory("the results", 0);
  if (status == SKP_OK && options->json)
    status = tell_json(&r);
  else if (status == SKP_OK)
    tell_text(&r);
  b->check = check;
  *out = (struct skp_verify_result){r.passed, r.failed};
  cJSON_Delete(r.failures);
  SKP_FREE(&r.tallies);
  return status;
}
