/* device.c: which devices there are, and opening one. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "backend/devices.h"
#include "base/host.h"
#include "train/measure/peak.h"
#include "verify/admit.h"
#include "verify/tune.h"
#include <string.h>
#include <strings.h>

const char *skp_version(void) { return SKP_VERSION; }

skp_status skp_host_set(const skp_host_options *options) {
  static const skp_host_options nothing;
  const skp_host_options *o = options ? options : &nothing;
  return skp__host_set(&(struct skp__host){o->scratch, o->index, o->root, o->probe_seconds, o->call});
}

skp_status skp_device_count(size_t *out) {
  const struct skp_device_list *list;
  *out = 0;
  SKP_TRY(skp__devices_list(&list));
  *out = list->n;
  return SKP_OK;
}

static skp_status find_listed(const struct skp_device **out, size_t i) {
  const struct skp_device_list *list;
  *out = NULL;
  SKP_TRY(skp__devices_list(&list));
  if (i >= list->n) return skp__fail(SKP_USAGE, "There is no device %zu; there are %zu, from 0 on.", i, list->n);
  *out = &list->at[i];
  return SKP_OK;
}

skp_status skp_device_describe(size_t i, skp_device_info *out) {
  const struct skp_device *d;
  *out = (skp_device_info){0};
  SKP_TRY(find_listed(&d, i));
  *out = (skp_device_info){.platform = d->platform,
                           .device = d->device,
                           .name = d->name,
                           .vendor = d->vendor,
                           .platform_name = d->platform_name,
                           .driver = d->driver,
                           .type = d->type,
                           .version = d->version,
                           .language = d->c_version,
                           .units = d->units,
                           .clock_mhz = d->clock_mhz,
                           .memory = d->memory,
                           .most = d->max_allocation,
                           .local_memory = d->local_memory,
                           .max_group = (int64_t)d->max_group,
                           .fp16 = d->fp16,
                           .fp64 = d->fp64,
                           .subgroups = d->subgroups,
                           .unified = d->unified,
                           .usable = d->usable,
                           .why = d->skipped};
  return SKP_OK;
}

static const skp_device_options usual;

int skp_device_known(size_t i, const char *cache, skp_peaks *out) {
  const struct skp_device_list *list;
  struct skp_backend_peaks peaks;
  *out = (skp_peaks){.fma = 0};
  if (skp__devices_list(&list) != SKP_OK || i >= list->n) return 0;
  const double seconds = skp__peak_listed(&peaks, &list->at[i], cache);
  if (seconds > 0) *out = skp__api_peaks(&peaks);
  return (seconds > 0) - (seconds < 0);
}

/* By what was measured of them, where there are several. */
static skp_status choose(const struct skp_device **out, bool *meant, double seconds[SKP_MAX_DEVICES],
                         const struct skp_device_list *list, const skp_device_options *o) {
  for (size_t i = 0; i < list->n; i++) seconds[i] = skp__peak_listed(NULL, &list->at[i], o->cache);
  return skp__devices_choose(out, meant, list, seconds, o->platform, o->device);
}

/* Of a GPU that was taken for being one. */
static void say_slower(FILE *to, const struct skp_device_list *list, const double *seconds,
                       const struct skp_device *taken) {
  const double worth = 0.8, own = seconds[taken - list->at];
  const struct skp_device *other = NULL;
  for (size_t i = 0; i < list->n; i++)
    if (list->at[i].usable && seconds[i] > 0 && seconds[i] < worth * own &&
        (!other || seconds[i] < seconds[other - list->at]))
      other = &list->at[i];
  if (!other || strcmp(taken->type, "GPU") != 0) return;
  fprintf(to, "%s was measured to be %.1f times as fast as %s: %s %d:%d takes it.\n", other->name,
          own / seconds[other - list->at], taken->name, skp__option("device"), other->platform, other->device);
}

/* Whether what was said leaves it open which device of a kind is taken. */
static bool any_of_kind(const struct skp_device *d, const skp_device_options *o) {
  return !o->device || strcasecmp(o->device, d->type) == 0;
}

static bool may_be_taken(const struct skp_device *d, const struct skp_device *best, const skp_device_options *o) {
  return d == best || (d->usable && any_of_kind(best, o) && strcmp(d->type, best->type) == 0 &&
                       (!o->platform || d->platform == best->platform));
}

/* Neighbours take turns in taking one of those that are as good as *d; *sharing: how many get the same. CPUs of several
 * drivers are the same cores. */
static void take_turns(const struct skp_device **d, int *sharing, const struct skp_device_list *list,
                       const skp_device_options *o) {
  const struct skp_device *at[SKP_MAX_DEVICES];
  int n = 0;
  for (size_t i = 0; i < list->n; i++)
    if (may_be_taken(&list->at[i], *d, o)) at[n++] = &list->at[i];
  const int turn = o->place % n;
  *d = at[turn];
  *sharing = strcmp((*d)->type, "CPU") ? (o->neighbours - turn + n - 1) / n : o->neighbours;
}

/* The device that is meant, as "P:D", and how many threads of a CPU. */
static skp_status find(char out[32], int *threads, const skp_device_options *o) {
  const struct skp_device_list *list;
  const struct skp_device *d;
  double seconds[SKP_MAX_DEVICES];
  SKP_TRY(skp__devices_list(&list));
  SKP_TRY(choose(&d, NULL, seconds, list, o));
  if (o->report) say_slower(o->report, list, seconds, d);
  int sharing = 1;
  if (o->neighbours > 0 && (o->place < 0 || o->place >= o->neighbours))
    return skp__fail(SKP_USAGE, "Of %d processes on a machine none has the place %d: they count from 0.", o->neighbours,
                     o->place);
  if (o->neighbours > 1) take_turns(&d, &sharing, list, o);
  *threads = o->threads;
  if (!o->threads && sharing > 1 && !strcmp(d->type, "CPU")) *threads = d->units > sharing ? d->units / sharing : 1;
  snprintf(out, 32, "%d:%d", d->platform, d->device);
  return SKP_OK;
}

skp_status skp_device_choose(size_t *out, const skp_device_options *options) {
  const skp_device_options *o = options ? options : &usual;
  const struct skp_device_list *list;
  const struct skp_device *d;
  double seconds[SKP_MAX_DEVICES];
  *out = 0;
  SKP_TRY(skp__devices_list(&list));
  SKP_TRY(choose(&d, NULL, seconds, list, o));
  *out = (size_t)(d - list->at);
  return SKP_OK;
}

int skp_device_unmeasured(size_t *i, const skp_device_options *options) {
  const skp_device_options *o = options ? options : &usual;
  const struct skp_device_list *list;
  const struct skp_device *d;
  double seconds[SKP_MAX_DEVICES];
  bool meant[SKP_MAX_DEVICES];
  size_t n = 0;
  if (skp__devices_list(&list) != SKP_OK || list->n < 2 || choose(&d, meant, seconds, list, o) != SKP_OK) return 0;
  for (size_t k = 0; k < list->n; k++) n += meant[k];
  for (; n > 1 && *i < list->n; ++*i)
    if (meant[*i] && seconds[*i] == 0 && skp__peak_lasts(&list->at[*i], o->cache)) return 1;
  return 0;
}

skp_status skp_device_unmeasurable(size_t i, const char *cache) {
  const struct skp_device *d;
  SKP_TRY(find_listed(&d, i));
  return skp__peak_give_up(d, cache);
}

skp_status skp_device_open(skp_device **out, const skp_device_options *options) {
  const skp_device_options *o = options ? options : &usual;
  const bool opencl = !o->backend || !strcmp(o->backend, "opencl");
  struct skp_backend_check *check = NULL;
  char device[32];
  *out = NULL;
  struct skp_backend_tuner *tuner;
  int threads = o->threads;
  SKP_TRY(skp__host_check_numbers());
  if (opencl) SKP_TRY(find(device, &threads, o));
  SKP_TRY(skp__tuner_create(&tuner, o->tune, o->report));
  if (!o->trust && skp__admission_create(&check, o->report) != SKP_OK) {
    if (tuner) tuner->close(tuner);
    return SKP_MEMORY;
  }
  return skp__backend_open(out, &(struct skp_backend_options){.backend = o->backend,
                                                              .platform = opencl ? NULL : o->platform,
                                                              .device = opencl ? device : o->device,
                                                              .method = o->method,
                                                              .threads = threads,
                                                              .at_will = !o->threads,
                                                              .memory = o->memory,
                                                              .cache = o->cache,
                                                              .timeout = o->timeout,
                                                              .sync = o->sync,
                                                              .trace = o->trace,
                                                              .report = o->report,
                                                              .hung = o->hung,
                                                              .user = o->user,
                                                              .check = check,
                                                              .tuner = tuner});
}

void skp_device_close(skp_device *device) { skp__backend_close(device); }

void skp_device_ask(skp_device *device, skp_device_state *out) {
  struct skp_backend_info info;
  device->ops->info(device, &info);
  *out = (skp_device_state){
      .memory = info.memory, .used = info.used, .most = info.max_allocation, .keeps_kernels = info.keeps_kernels};
  memcpy(out->name, info.name, sizeof out->name);
  memcpy(out->driver, info.driver, sizeof out->driver);
}

const char *skp_device_note(size_t i) {
  const struct skp_device_list *list;
  return skp__devices_list(&list) == SKP_OK && i < list->n_notes ? list->notes[i] : NULL;
}

int skp_device_idle_gpu(size_t i, skp_idle_gpu *out) {
  const struct skp_device_list *list;
  *out = (skp_idle_gpu){0};
  if (skp__devices_list(&list) != SKP_OK || i >= list->n_gpus) return 0;
  const struct skp_gpu *g = &list->gpus[i];
  *out = (skp_idle_gpu){g->name, g->why, g->remedy, g->package};
  return 1;
}
