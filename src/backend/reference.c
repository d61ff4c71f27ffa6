/* reference.c: the backend that runs the ops' plain C on the host. What it computes is right by definition; other
 * backends are checked against it. Everything is done at once, so its queue is always empty.
 * SPDX-License-Identifier: MIT */
#include "backend/backend.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/machine.h"
#include "base/text.h"
#include "base/trace.h"
#include "skipper/version.h"
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };
static const char method[] = "reference"; /* the only one that every op has */

struct reference {
  struct skp_backend base;
  int64_t memory, used;
  uint64_t tickets;
  FILE *trace;
};

struct skp_buffer {
  char *at;
  int64_t bytes;
  bool slice; /* the memory belongs to another buffer */
};

struct skp_prepared {
  struct skp_sig sig;
  struct skp_call call;
  bool bound;
};

static struct reference *of(struct skp_backend *b) { return (struct reference *)b; }

/* ---- open, close, info ------------------------------------------------------------------------------------------- */

static skp_status reference_open(struct skp_backend **out, const struct skp_backend_options *options) {
  struct reference *r;
  SKP_TRY(skp__alloc(&r, 1, sizeof *r));
  r->base.ops = &skp__backend_reference;
  r->memory = skp__machine_memory();
  if (options->memory && options->memory < r->memory) r->memory = options->memory;
  r->trace = options->trace;
  *out = &r->base;
  return SKP_OK;
}

static void reference_close(struct skp_backend *b) { free(b); }

static void info(struct skp_backend *b, struct skp_backend_info *out) {
  const struct reference *r = of(b);
  *out = (struct skp_backend_info){.memory = r->memory,
                                   .max_allocation = r->memory,
                                   .alignment = ALIGNMENT,
                                   .used = r->used,
                                   .narrow_maps = true,
                                   .units = 1};
  snprintf(out->name, sizeof out->name, "reference (plain C on the host)");
  snprintf(out->driver, sizeof out->driver, "skipper %s", SKP_VERSION);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static skp_status buffer_create(struct skp_backend *b, struct skp_buffer **out, int64_t bytes) {
  struct reference *r = of(b);
  struct skp_buffer *buffer;
  *out = NULL;
  if (bytes < 0) return skp__fail(SKP_INTERNAL, "A buffer of %lld bytes was asked for.", (long long)bytes);
  SKP_TRY(skp__alloc(&buffer, 1, sizeof *buffer));
  bool fits = bytes <= r->memory - r->used; /* asked first: calloc itself promises more than there is */
  size_t whole = ((size_t)bytes + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
  buffer->at = fits ? skp__aligned(ALIGNMENT, whole) : NULL;
  if (!buffer->at) {
    free(buffer);
    return skp__fail(SKP_DEVICE_MEMORY,
                     "Out of memory: %.1f MiB more are needed, and the host has %.1f, of which %.1f are in use.",
                     skp__mib((double)bytes), skp__mib((double)r->memory), skp__mib((double)r->used));
  }
  memset(buffer->at, 0, whole);
  buffer->bytes = bytes;
  r->used += bytes;
  *out = buffer;
  return SKP_OK;
}

static skp_status check_range(const struct skp_buffer *buffer, int64_t offset, int64_t bytes) {
  if (offset >= 0 && bytes >= 0 && bytes <= buffer->bytes - offset) return SKP_OK;
  return skp__fail(SKP_INTERNAL, "%lld bytes at %lld lie outside a buffer of %lld bytes.", (long long)bytes,
                   (long long)offset, (long long)buffer->bytes);
}

static skp_status buffer_slice(struct skp_backend *b, struct skp_buffer **out, struct skp_buffer *base, int64_t offset,
                               int64_t bytes) {
  (void)b;
  *out = NULL;
  SKP_TRY(check_range(base, offset, bytes));
  if (offset % ALIGNMENT)
    return skp__fail(SKP_INTERNAL, "A slice begins at byte %lld, which %d does not divide.", (long long)offset,
                     ALIGNMENT);
  SKP_TRY(skp__alloc(out, 1, sizeof **out));
  **out = (struct skp_buffer){.at = base->at + offset, .bytes = bytes, .slice = true};
  return SKP_OK;
}

static void buffer_destroy(struct skp_backend *b, struct skp_buffer *buffer) {
  if (!buffer) return;
  if (!buffer->slice) {
    of(b)->used -= buffer->bytes;
    skp__aligned_free(buffer->at);
  }
  free(buffer);
}

static skp_status copy_in(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, const void *from,
                          int64_t bytes) {
  (void)b;
  SKP_TRY(check_range(buffer, offset, bytes));
  memcpy(buffer->at + offset, from, (size_t)bytes);
  return SKP_OK;
}

static skp_status copy_out(struct skp_backend *b, struct skp_buffer *buffer, int64_t offset, void *to, int64_t bytes) {
  (void)b;
  SKP_TRY(check_range(buffer, offset, bytes));
  memcpy(to, buffer->at + offset, (size_t)bytes);
  return SKP_OK;
}

/* ---- ops --------------------------------------------------------------------------------------------------------- */

static const char *method_name(const struct skp_backend *b, const struct skp_op *op, int n) {
  (void)b;
  return n == 0 && op->reference ? method : NULL;
}

static const char *method_refusal(struct skp_backend *b, const struct skp_sig *sig, int n) {
  return method_name(b, sig->op, n) ? NULL : "there is no such method";
}

static void expect(struct skp_backend *b, const struct skp_sig *sigs, size_t n) {
  (void)b, (void)sigs, (void)n; /* nothing is compiled */
}

static void prepared_destroy(struct skp_prepared *p) {
  if (!p) return;
  skp__sig_free(&p->sig);
  free(p->call.in);
  free(p->call.out);
  free(p);
}

static skp_status hold_call(struct skp_prepared *p, const struct skp_sig *sig) {
  SKP_TRY(skp__sig_copy(&p->sig, sig));
  p->call.sig = &p->sig;
  SKP_TRY(skp__alloc(&p->call.in, (size_t)sig->n_in, sizeof *p->call.in));
  return skp__alloc(&p->call.out, (size_t)sig->n_out, sizeof *p->call.out);
}

static skp_status prepare(struct skp_backend *b, struct skp_prepared **out, const struct skp_sig *sig,
                          const char *wanted) {
  *out = NULL;
  if (!sig->op->reference) return skp__fail(SKP_UNSUPPORTED, "%s is a view: there is nothing to run.", sig->op->name);
  if (wanted && strcmp(wanted, method))
    return skp__fail(SKP_UNSUPPORTED, "%s has no method '%s' here, only '%s'.", sig->op->name, wanted, method);
  SKP_TRY(skp__alloc(out, 1, sizeof **out));
  skp_status status = hold_call(*out, sig);
  if (status != SKP_OK) {
    prepared_destroy(*out);
    *out = NULL;
    return status;
  }
  if (of(b)->trace) fprintf(of(b)->trace, "%s: %s\n", sig->op->name, method);
  return SKP_OK;
}

static int64_t no_bytes(const struct skp_prepared *p) {
  (void)p;
  return 0;
}

static const char *chosen_method(const struct skp_prepared *p) {
  (void)p;
  return method;
}

/* The memory behind a value: there just when the signature has it, and large enough. */
static skp_status bind_value(char **at, const struct skp_sig *sig, const char *name, const struct skp_shape *shape,
                             const struct skp_buffer *buffer) {
  const int64_t bytes = skp__shape_bytes(shape);
  *at = NULL;
  if (!shape->rank) return SKP_OK;
  if (!buffer) return skp__fail(SKP_INTERNAL, "%s: no buffer was given for %s.", sig->op->name, name);
  *at = buffer->at;
  if (buffer->bytes >= bytes) return SKP_OK;
  return skp__fail(SKP_INTERNAL, "%s: %s needs %lld bytes, its buffer has %lld.", sig->op->name, name, (long long)bytes,
                   (long long)buffer->bytes);
}

static skp_status bind(struct skp_prepared *p, struct skp_buffer *const *in, struct skp_buffer *const *out,
                       struct skp_buffer *none) {
  (void)none;
  const struct skp_op *op = p->sig.op;
  char *at;
  p->bound = false;
  for (int i = 0; i < p->sig.n_in; i++) {
    SKP_TRY(bind_value(&at, &p->sig, skp__op_in(op, i)->name, &p->sig.in[i], in[i]));
    p->call.in[i] = at;
  }
  for (int i = 0; i < op->n_out; i++) {
    SKP_TRY(bind_value(&at, &p->sig, op->out[i].name, &p->sig.out[i], out[i]));
    p->call.out[i] = at;
    if (at && op->alias[i] && at != p->call.in[op->alias[i] - 1])
      return skp__fail(SKP_INTERNAL, "%s: %s must share the memory of %s.", op->name, op->out[i].name,
                       op->in[op->alias[i] - 1].name);
  }
  p->bound = true;
  return SKP_OK;
}

static skp_status run(struct skp_backend *b, struct skp_prepared *const *list, size_t n) {
  (void)b;
  for (size_t i = 0; i < n; i++) {
    if (!list[i]->bound) return skp__fail(SKP_INTERNAL, "%s was run before it was bound.", list[i]->sig.op->name);
    const double begin = skp__trace_begin();
    SKP_TRY(skp__op_run(&list[i]->call));
    if (begin > 0) skp__trace_device("launch", method, list[i]->sig.op->name, begin, skp__clock());
  }
  return SKP_OK;
}

static skp_status time_each(struct skp_backend *b, struct skp_prepared *const *list, size_t n, skp__tell_launch tell,
                            void *user) {
  for (size_t i = 0; i < n; i++) {
    double start = skp__clock();
    SKP_TRY(run(b, list + i, 1));
    tell(user, i, method, skp__clock() - start);
  }
  return SKP_OK;
}

static skp_status measure(struct skp_backend *b, struct skp_backend_peaks *out) {
  (void)b;
  *out = (struct skp_backend_peaks){.fma = 0};
  return skp__fail(SKP_UNSUPPORTED, "The reference backend has no peaks: it is plain C, as slow as that is.");
}

static skp_status ticket(struct skp_backend *b, uint64_t *out) {
  *out = ++of(b)->tickets;
  return SKP_OK;
}

/* It runs on the host: there is nothing to list. */
static skp_status devices(const struct skp_device_list **out) {
  static const struct skp_device_list none;
  *out = &none;
  return SKP_OK;
}

static void describe(struct skp_backend_info *out, const struct skp_device *d) {
  (void)d;
  *out = (struct skp_backend_info){.units = 1};
}

static skp_status choose(const struct skp_device **out, bool *meant, const struct skp_device_list *list,
                         const double *seconds, const char *platform, const char *device) {
  (void)meant, (void)seconds, (void)list, (void)platform, (void)device;
  *out = NULL;
  return skp__fail(SKP_NO_DEVICE, "The reference backend has no devices to choose from: it runs on the host.");
}

/* Launches are told of where they run; copies are at once. */
static skp_status record(struct skp_backend *b, bool on) {
  (void)b, (void)on;
  return SKP_OK;
}

static int no_parts(const struct skp_prepared *p) {
  (void)p;
  return 0;
}

static size_t launches(const struct skp_prepared *p) {
  (void)p;
  return 1;
}

static double tolerance(const struct skp_prepared *p) {
  (void)p;
  return 0;
}

static skp_status wait_for(struct skp_backend *b, uint64_t taken) {
  if (taken <= of(b)->tickets) return SKP_OK;
  return skp__fail(SKP_INTERNAL, "Ticket %llu was never given out.", (unsigned long long)taken);
}

static bool method_suits(const struct skp_backend *b, const struct skp_op *op, int n) { return method_name(b, op, n); }

static bool compiled(struct skp_backend *b, const struct skp_sig *sig, const char *name) {
  (void)b, (void)sig, (void)name;
  return true;
}

/* It has none: its code is always the same. */
static uint64_t kernels(struct skp_backend *b, const struct skp_sig *sig, const char *name) {
  (void)b, (void)sig;
  return !strcmp(name, method);
}

/* All is done at once. */
static void drain(struct skp_backend *b) { (void)b; }

const struct skp_backend_ops skp__backend_reference = {
    .name = "reference",
    .devices = devices,
    .describe = describe,
    .choose = choose,
    .open = reference_open,
    .close = reference_close,
    .info = info,
    .buffer_create = buffer_create,
    .buffer_slice = buffer_slice,
    .buffer_destroy = buffer_destroy,
    .write = copy_in,
    .read = copy_out,
    .expect = expect,
    .prepare = prepare,
    .workspace = no_bytes,
    .kept = no_bytes,
    .method = chosen_method,
    .launches = launches,
    .parts = no_parts,
    .tolerance = tolerance,
    .bind = bind,
    .prepared_destroy = prepared_destroy,
    .run = run,
    .time = time_each,
    .measure = measure,
    .record = record,
    .ticket = ticket,
    .drain = drain,
    .wait = wait_for,
    .method_name = method_name,
    .method_refusal = method_refusal,
    .method_suits = method_suits,
    .kernels = kernels,
    .compiled = compiled,
};
