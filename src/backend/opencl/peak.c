/* peak.c: what the device does at best, by the kernels of cl/peak.cl. Of many runs the fastest counts: whatever else
 * goes on in the machine makes them slower, nothing makes them faster. SPDX-License-Identifier: MIT */
#include "backend/opencl/peak.h"
#include "backend/opencl/buffer.h"
#include "backend/opencl/timing.h"
#include "base/clock.h"
#include "base/text.h"
#include <stdio.h>

enum {
  THIRD = 1 << 24,        /* floats of each of the triad's three values: more than caches hold */
  MEMORY = 3 * 4 * THIRD, /* bytes */
  GROUP = 64,             /* work-items of a group on GPUs */
  CPU_CHAINS = 12,
  GPU_CHAINS = 2,                     /* of sums of 16: these fit the registers */
  TILE_OPERATIONS = 2 * 16 * 16 * 32, /* of a product of two tiles */
  SAMPLES = 20,
  LAUNCHES = 256 /* of a sample of launches */
};
static const double least_seconds = 4e-3; /* of a launch that is timed */

/* The op that launches pass for: it has no values, only a workspace. */
static const struct skp_op op = {.name = "peak"};

struct peak {
  struct skp__cl *cl;
  struct skp_buffer *memory;
  size_t items; /* work-items that keep the device busy */
  int width;    /* neighbouring values of each */
};

static int chains_of(const struct peak *t) { return t->cl->cpu ? CPU_CHAINS : GPU_CHAINS; }

/* ---- one launch -------------------------------------------------------------------------------------------------- */

/* skp__cl_steps_free it, also after a failure. */
static skp_status prepare(struct skp_prepared *p, const struct peak *t, const char *kernel, const char *more,
                          const struct skp__cl_arg *args) {
  static const size_t alone = 1;
  char options[80];
  *p = (struct skp_prepared){.cl = t->cl, .sig = {.op = &op}, .method = kernel};
  snprintf(options, sizeof options, "-DCHAINS=%d -DWIDTH=%d%s", chains_of(t), t->width, more);
  skp__cl_need_workspace(p, t->memory->bytes);
  SKP_TRY(skp__cl_launch(p, "peak", kernel, options, 1, &t->items, t->cl->cpu ? &alone : NULL, args));
  return skp__cl_bind(p, NULL, NULL, t->memory);
}

static void keep_least(void *user, size_t i, const char *launch, double seconds) {
  double *least = user;
  (void)i, (void)launch;
  if (seconds < *least) *least = seconds;
}

/* A time that is none is no peak. */
static skp_status check_seconds(const struct skp__cl *cl, double seconds) {
  if (seconds > 1e-7 && seconds < 1e3) return SKP_OK;
  return skp__fail(SKP_UNSUPPORTED, "What %s does at best cannot be measured: its driver says that a launch took %g s.",
                   cl->name, seconds);
}

/* The least time of `samples` runs, or of as many as fit into a second. */
static skp_status time_prepared(struct skp_prepared *p, int samples, double *seconds) {
  const double end = skp__clock() + 1;
  *seconds = 1e9;
  for (int i = 0; i < samples && (!i || skp__clock() < end); i++)
    SKP_TRY(skp__cl_time(&p->cl->base, &p, 1, keep_least, seconds));
  return check_seconds(p->cl, *seconds);
}

static skp_status time_kernel(const struct peak *t, const char *kernel, const char *more,
                              const struct skp__cl_arg *args, int samples, double *seconds) {
  struct skp_prepared p;
  skp_status status = prepare(&p, t, kernel, more, args);
  if (status == SKP_OK) status = time_prepared(&p, samples, seconds);
  skp__cl_steps_free(&p);
  return status;
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

/* `operations` of a work-item and round. The rounds become more until a launch is long enough. */
static skp_status measure_rounds(const struct peak *t, const char *kernel, const char *more, int operations,
                                 double *out) {
  double seconds;
  for (int rounds = 1 << 8;; rounds *= 4) {
    const struct skp__cl_arg *args = SKP_ARGS(SKP_WORK(y), SKP_INT(rounds, rounds));
    const double work = (double)t->items * operations * rounds;
    skp_status status = time_kernel(t, kernel, more, args, 2, &seconds);
    if (status == SKP_UNSUPPORTED && rounds < 1 << 16) continue; /* too short for the driver's clock */
    SKP_TRY(status);
    if (seconds < least_seconds && rounds < 1 << 28) continue;
    SKP_TRY(time_kernel(t, kernel, more, args, SAMPLES, &seconds));
    *out = work / seconds;
    return SKP_OK;
  }
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* How work-items share out `floats`: on CPUs each has a piece of its own, on GPUs neighbours read neighbours. */
struct share {
  int apart, step, count;
};

static struct share share_of(const struct peak *t, int64_t floats) {
  const int count = (int)(floats / t->width / (int64_t)t->items);
  return t->cl->cpu ? (struct share){count, 1, count} : (struct share){1, (int)t->items, count};
}

/* Bytes a second, when each work-item moves `values` values a count. */
static skp_status measure_memory(const struct peak *t, const char *kernel, const struct skp__cl_arg *args,
                                 const struct share *s, int values, double *out) {
  double seconds;
  SKP_TRY(time_kernel(t, kernel, "", args, SAMPLES / 2, &seconds));
  *out = 4.0 * values * t->width * s->count * (double)t->items / seconds;
  return SKP_OK;
}

static skp_status measure_read(const struct peak *t, double *out) {
  const struct share s = share_of(t, 2 * (int64_t)THIRD);
  return measure_memory(t, "peak_read",
                        SKP_ARGS(SKP_WORK(y), SKP_WORK(x), SKP_INT(at, THIRD), SKP_INT(apart, s.apart),
                                 SKP_INT(step, s.step), SKP_INT(count, s.count / 4 * 4)),
                        &(struct share){s.apart, s.step, s.count / 4 * 4}, 1, out);
}

static skp_status measure_write(const struct peak *t, double *out) {
  const struct share s = share_of(t, 3 * (int64_t)THIRD);
  return measure_memory(t, "peak_write",
                        SKP_ARGS(SKP_WORK(y), SKP_INT(apart, s.apart), SKP_INT(step, s.step), SKP_INT(count, s.count)),
                        &s, 1, out);
}

static skp_status measure_triad(const struct peak *t, double *out) {
  const struct share s = share_of(t, THIRD);
  return measure_memory(t, "peak_triad",
                        SKP_ARGS(SKP_WORK(y), SKP_WORK(x), SKP_INT(at, THIRD), SKP_INT(apart, s.apart),
                                 SKP_INT(step, s.step), SKP_INT(count, s.count)),
                        &s, 3, out);
}

/* ---- launches ---------------------------------------------------------------------------------------------------- */

/* By the clock on the wall, as a training queues them. */
static skp_status time_launches(struct skp_prepared *p, double *out) {
  struct skp_prepared *list[LAUNCHES];
  for (int i = 0; i < LAUNCHES; i++) list[i] = p;
  for (int i = 0; i < SAMPLES; i++) {
    const double start = skp__clock();
    SKP_TRY(skp__cl_run(&p->cl->base, list, LAUNCHES));
    SKP_TRY(skp__backend_finish(&p->cl->base));
    const double seconds = (skp__clock() - start) / LAUNCHES;
    if (!i || seconds < *out) *out = seconds;
  }
  return SKP_OK;
}

static skp_status measure_launch(const struct peak *t, double *out) {
  struct skp_prepared p;
  skp_status status = prepare(&p, t, "peak_nothing", "", SKP_ARGS(SKP_WORK(y), SKP_INT(something, 0)));
  if (status == SKP_OK) status = time_launches(&p, out);
  skp__cl_steps_free(&p);
  return status;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static skp_status measure_all(const struct peak *t, struct skp_backend_peaks *out) {
  const int sums = 16 * chains_of(t);
  SKP_TRY(measure_rounds(t, "peak_products", "", 2 * sums, &out->fma));
  if (t->cl->amx)
    SKP_TRY(measure_rounds(t, "peak_tiles", " -DAMX", 4 * TILE_OPERATIONS, &out->narrow));
  else if (t->cl->bf16_dot)
    SKP_TRY(measure_rounds(t, "peak_products", " -DNARROW_MAPS -DBF16_DOT", 4 * sums, &out->narrow));
  SKP_TRY(measure_read(t, &out->read));
  SKP_TRY(measure_write(t, &out->write));
  SKP_TRY(measure_triad(t, &out->triad));
  return measure_launch(t, &out->launch);
}

/* Less memory would lie in caches. */
static skp_status find_memory(struct peak *t) {
  struct skp__cl *cl = t->cl;
  if (cl->max_allocation >= MEMORY && cl->memory - cl->used >= MEMORY)
    return skp__cl_buffer_create(&cl->base, &t->memory, MEMORY);
  return skp__fail(SKP_DEVICE_MEMORY, "%s has no %.0f MiB left in one piece, which measuring its peaks takes.",
                   cl->name, skp__mib(MEMORY));
}

skp_status skp__cl_measure(struct skp_backend *b, struct skp_backend_peaks *out) {
  struct skp__cl *cl = (struct skp__cl *)b;
  struct peak t = {.cl = cl, .width = cl->cpu ? 16 : 4};
  t.items = cl->cpu ? (size_t)cl->units : (size_t)cl->units * 16 * GROUP;
  *out = (struct skp_backend_peaks){.fma = 0};
  SKP_TRY(skp__cl_alive(cl));
  SKP_TRY(find_memory(&t));
  skp_status status = measure_all(&t, out);
  skp__cl_buffer_destroy(b, t.memory);
  return status;
}
