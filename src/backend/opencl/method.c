/* method.c: the tables of methods, and which method an op gets. SPDX-License-Identifier: MIT */
#include "backend/opencl/method.h"
#include "backend/opencl/buffer.h"
#include "backend/opencl/jobs.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

const struct skp__cl_method skp__cl_flatten[] = {{0}}; /* a view */

static const struct skp__cl_method *const tables[] = {
#define X(op) skp__cl_##op,
#include "ops/ops.def"
#undef X
};

static const struct skp__cl_method *table_of(const struct skp_op *op) { return tables[skp__op_id(op)]; }

static const struct skp__cl_method *find_method(const struct skp_op *op, const char *name, size_t length) {
  for (const struct skp__cl_method *m = table_of(op); m->name; m++)
    if (strlen(m->name) == length && !strncmp(m->name, name, length)) return m;
  return NULL;
}

/* ---- words for errors and traces -------------------------------------------------------------------------------- */

static void add_method_names(struct skp__text *w, const struct skp_op *op) {
  for (const struct skp__cl_method *m = table_of(op); m->name; m++)
    skp__text_add(w, "%s%s", m == table_of(op) ? "" : ", ", m->name);
}

/* ---- forced methods ---------------------------------------------------------------------------------------------- */

/* The length of the item at `at`, up to the next comma. */
static size_t item_length(const char *at) { return strcspn(at, ","); }

static skp_status check_item(const char *item, size_t length) {
  struct skp__text w = {0};
  char op_name[40] = "";
  const char *equals = memchr(item, '=', length);
  size_t n = equals ? (size_t)(equals - item) : 0;
  if (!equals || n >= sizeof op_name)
    return skp__fail(SKP_USAGE, "Forced method \"%.*s\": OP=METHOD is expected, as in conv2d=direct.", (int)length,
                     item);
  memcpy(op_name, item, n);
  const struct skp_op *op = skp__op_by_name(op_name);
  if (!op) return skp__fail(SKP_USAGE, "Forced method \"%.*s\": there is no op %s.", (int)length, item, op_name);
  if (find_method(op, equals + 1, length - n - 1)) return SKP_OK;
  add_method_names(&w, op);
  return skp__fail(SKP_USAGE, "Forced method \"%.*s\": the methods of %s are: %s.", (int)length, item, op_name, w.at);
}

skp_status skp__cl_forced_check(const char *forced) {
  for (const char *at = forced; *at;) {
    size_t n = item_length(at);
    if (n) SKP_TRY(check_item(at, n));
    at += n + (at[n] == ',');
  }
  return SKP_OK;
}

/* The method that `forced` names for `op`, or NULL. */
static const struct skp__cl_method *forced_method(const char *forced, const struct skp_op *op) {
  size_t name = strlen(op->name);
  for (const char *at = forced; *at;) {
    size_t n = item_length(at);
    if (n > name && at[name] == '=' && !strncmp(at, op->name, name))
      return find_method(op, at + name + 1, n - name - 1);
    at += n + (at[n] == ',');
  }
  return NULL;
}

/* ---- choosing ---------------------------------------------------------------------------------------------------- */

/* One search for a method: what was refused and why, and the first error. */
struct search {
  struct skp_prepared *p;
  bool wrong; /* one was refused because it computes wrongly */
  struct skp__text refused;
  skp_status status;
  char *error;
};

static const char *refusal(struct skp__cl *cl, const struct skp__cl_method *m, const struct skp_sig *sig) {
  if (!(m->suits & SKP_CL_GPU) && !cl->cpu) return "made for CPUs";
  if (m->suits & SKP_CL_AMX && !cl->amx && !cl->plain_tiles) return "made for CPUs with tiles of bfloat16";
  if (!(m->suits & SKP_CL_NARROW) && skp__sig_narrow(sig)) return "knows float32 alone";
  if (!(m->suits & SKP_CL_STATISTICS) && skp__sig_statistics(sig)) return "knows no statistics";
  return m->refuse ? m->refuse(cl, sig) : NULL;
}

static void note_refusal(struct search *s, const struct skp__cl_method *m, const char *reason) {
  skp__text_add(&s->refused, "%s%s: %s", s->refused.n ? "; " : "", m->name, reason);
}

/* Prepares the method, and asks whether it is right on this device; what is only noted does not run. */
static skp_status prepare_method(struct search *s, const struct skp__cl_method *m) {
  struct skp_prepared *p = s->p;
  struct skp_backend_check *check = p->cl->base.check;
  SKP_TRY(m->prepare(p, &p->sig));
  if (!check || p->cl->noting) return SKP_OK;
  return check->ask(&s->wrong, check, &p->cl->base, &p->sig, m->name);
}

/* True when the search is over: the method was prepared, or failed in a way that no other method mends. */
static bool try_method(struct search *s, const struct skp__cl_method *m) {
  struct skp_prepared *p = s->p;
  const char *reason = refusal(p->cl, m, &p->sig);
  if (reason) {
    note_refusal(s, m, reason);
    return false;
  }
  p->method = m->name;
  p->tolerance = m->tolerance;
  skp_status status = prepare_method(s, m);
  if (status == SKP_OK) {
    s->status = SKP_OK;
    return true;
  }
  skp__cl_steps_free(p);
  bool over = status != SKP_UNSUPPORTED && status != SKP_BUILD;
  if (over || s->status == SKP_OK) {
    free(s->error);
    s->status = status;
    if (skp__strdup(&s->error, skp_error_message()) != SKP_OK) s->error = NULL;
  }
  note_refusal(s, m, status == SKP_BUILD ? "does not compile" : skp_error_message());
  return over;
}

static unsigned kind_of(const struct skp__cl *cl) {
  return cl->cpu ? SKP_CL_CPU | (cl->amx ? SKP_CL_AMX : 0) : SKP_CL_GPU;
}

/* First those that suit this kind of device, then the others, in the table's order. */
static bool try_all(struct search *s, const struct skp__cl_method *table) {
  const unsigned kind = kind_of(s->p->cl);
  for (const struct skp__cl_method *m = table; m->name; m++)
    if (m->suits & kind && try_method(s, m)) return s->status == SKP_OK;
  for (const struct skp__cl_method *m = table; m->name; m++)
    if (!(m->suits & kind) && try_method(s, m)) return s->status == SKP_OK;
  return false;
}

static skp_status fail_search(const struct search *s) {
  struct skp__text sig = {0};
  skp__sig_text(&sig, &s->p->sig);
  if (s->error && s->status != SKP_UNSUPPORTED) return skp__fail(s->status, "%s: %s", sig.at, s->error);
  return skp__fail(s->wrong ? SKP_DEVICE : SKP_UNSUPPORTED, "No method can do %s on %s (%s).", sig.at, s->p->cl->name,
                   s->refused.n ? s->refused.at : "it has none");
}

static void trace_choice(const struct search *s) {
  FILE *to = s->p->cl->trace;
  if (!to) return;
  struct skp__text sig = {0};
  skp__sig_text(&sig, &s->p->sig);
  fprintf(to, "%s: %s%s%s%s\n", sig.at, s->p->method, s->refused.n ? " (" : "", s->refused.at, s->refused.n ? ")" : "");
}

/* An error of `first` that no other method mends ends the search. */
static bool try_first(struct search *s, const struct skp__cl_method *first, const struct skp__cl_method *table) {
  if (first && try_method(s, first)) return s->status == SKP_OK;
  return try_all(s, table);
}

skp_status skp__cl_choose(struct skp_prepared *p, const struct skp__cl_method *table,
                          const struct skp__cl_method *forced, const struct skp__cl_method *first) {
  struct search s = {.p = p};
  bool found = forced ? try_method(&s, forced) && s.status == SKP_OK : try_first(&s, first, table);
  skp_status status = found ? SKP_OK : fail_search(&s);
  if (found) trace_choice(&s);
  free(s.error);
  return status;
}

/* What the tuner found fastest, or NULL. */
static const struct skp__cl_method *tuned_method(struct skp_prepared *p) {
  struct skp_backend *b = &p->cl->base;
  const char *name = b->tuner ? b->tuner->method(b->tuner, b, &p->sig) : NULL;
  return name ? find_method(p->sig.op, name, strlen(name)) : NULL;
}

static skp_status choose(struct skp_prepared *p, const char *method) {
  const struct skp_op *op = p->sig.op;
  if (!op->reference) { /* a view needs no work */
    p->method = "view";
    return SKP_OK;
  }
  const struct skp__cl_method *forced =
      method ? find_method(op, method, strlen(method)) : forced_method(p->cl->forced, op);
  if (method && !forced) return skp__fail(SKP_UNSUPPORTED, "%s has no method %s on OpenCL.", op->name, method);
  return skp__cl_choose(p, table_of(op), forced, forced ? NULL : tuned_method(p));
}

static skp_status hold(struct skp_prepared *p, const struct skp_sig *sig) {
  SKP_TRY(skp__sig_copy(&p->sig, sig));
  SKP_TRY(skp__alloc(&p->in, (size_t)sig->n_in, sizeof *p->in));
  SKP_TRY(skp__alloc(&p->out, (size_t)sig->n_out, sizeof *p->out));
  SKP_TRY(skp__alloc(&p->in_writes, (size_t)sig->n_in, sizeof *p->in_writes));
  return skp__alloc(&p->out_writes, (size_t)sig->n_out, sizeof *p->out_writes);
}

skp_status skp__cl_prepare(struct skp_backend *b, struct skp_prepared **out, const struct skp_sig *sig,
                           const char *method) {
  *out = NULL;
  struct skp__cl *cl = (struct skp__cl *)b;
  SKP_TRY(skp__cl_alive(cl));
  struct skp_prepared *p;
  SKP_TRY(skp__alloc(&p, 1, sizeof *p));
  p->cl = cl;
  skp_status status = hold(p, sig);
  if (status == SKP_OK) status = choose(p, method);
  if (status != SKP_OK) {
    skp__cl_prepared_destroy(p);
    return status;
  }
  *out = p;
  return SKP_OK;
}

void skp__cl_prepared_destroy(struct skp_prepared *p) {
  if (!p) return;
  skp__cl_steps_free(p);
  skp__cl_buffer_destroy(&p->cl->base, p->kept);
  skp__sig_free(&p->sig);
  free(p->in);
  free(p->out);
  free(p->in_writes);
  free(p->out_writes);
  free(p);
}

int64_t skp__cl_workspace(const struct skp_prepared *p) { return p->workspace_bytes; }

int skp__cl_parts(const struct skp_prepared *p) { return p->parts; }

size_t skp__cl_launches(const struct skp_prepared *p) {
  size_t n = 0;
  for (size_t i = 0; i < p->steps.n; i++) n += !p->steps.at[i].of_weights;
  return n;
}

int64_t skp__cl_kept(const struct skp_prepared *p) { return p->kept_bytes; }

const char *skp__cl_method_of(const struct skp_prepared *p) { return p->method; }

double skp__cl_tolerance(const struct skp_prepared *p) { return p->tolerance; }

const char *skp__cl_method_name(const struct skp_backend *b, const struct skp_op *op, int n) {
  (void)b;
  const struct skp__cl_method *m = table_of(op);
  while (m->name && n-- > 0) m++;
  return m->name;
}

const char *skp__cl_method_refusal(struct skp_backend *b, const struct skp_sig *sig, int n) {
  return refusal((struct skp__cl *)b, &table_of(sig->op)[n], sig);
}

bool skp__cl_method_suits(const struct skp_backend *b, const struct skp_op *op, int n) {
  return table_of(op)[n].suits & kind_of((const struct skp__cl *)b);
}

/* A method's launches, noted and not made. */
static skp_status note_launches(struct skp_prepared *p, const struct skp__cl_method *m, struct skp__cl_jobs *jobs) {
  p->cl->noting = jobs;
  p->method = m->name;
  skp_status status = refusal(p->cl, m, &p->sig) ? SKP_UNSUPPORTED : m->prepare(p, &p->sig);
  p->cl->noting = NULL;
  return status;
}

static skp_status note(struct skp_backend *b, const struct skp_sig *sig, const char *method,
                       struct skp__cl_jobs *jobs) {
  const struct skp__cl_method *m = find_method(sig->op, method, strlen(method));
  struct skp_prepared *p;
  if (!m) return SKP_UNSUPPORTED;
  SKP_TRY(skp__alloc(&p, 1, sizeof *p));
  p->cl = (struct skp__cl *)b;
  skp_status status = hold(p, sig);
  if (status == SKP_OK) status = note_launches(p, m, jobs);
  skp__cl_prepared_destroy(p);
  return status;
}

bool skp__cl_compiled(struct skp_backend *b, const struct skp_sig *sig, const char *method) {
  struct skp__cl_jobs jobs = {.ahead = true};
  const bool all = note(b, sig, method, &jobs) == SKP_OK && !jobs.list.n;
  SKP_FREE(&jobs.list);
  return all;
}

uint64_t skp__cl_kernels_of(struct skp_backend *b, const struct skp_sig *sig, const char *method) {
  struct skp__cl_jobs jobs = {.kernels = 0};
  return note(b, sig, method, &jobs) == SKP_OK ? jobs.kernels : 0;
}
