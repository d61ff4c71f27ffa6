/* choose.c: which of the listed devices is meant, or best. Knows no driver. SPDX-License-Identifier: MIT */
#include "backend/opencl/devices.h"
#include "base/host.h"
#include "base/pattern.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- one GPU, two platforms ------------------------------------------------------------------------------------- */

/* How much of a stand-in for the vendor's own a platform is. */
static int stand_in(const struct skp_device *d) {
  return skp__text_has(d->platform_name, "clover") ? 2 : skp__text_has(d->platform_name, "rusticl") ? 1 : 0;
}

static bool is_gpu(const struct skp_device *d) { return !strcmp(d->type, "GPU"); }

static bool same_gpu(const struct skp_device *a, const struct skp_device *b) {
  if (a->platform == b->platform || !is_gpu(a) || !is_gpu(b)) return false;
  return *a->bus && *b->bus ? !strcmp(a->bus, b->bus) : !strcasecmp(a->name, b->name);
}

void skp__devices_mark_twins(struct skp_device_list *list) {
  for (size_t i = 0; i < list->n; i++)
    for (size_t j = i + 1; j < list->n; j++) {
      struct skp_device *a = &list->at[i], *b = &list->at[j];
      if (!a->usable || !b->usable || !same_gpu(a, b)) continue;
      struct skp_device *kept = stand_in(a) <= stand_in(b) ? a : b, *twin = kept == a ? b : a;
      twin->usable = false;
      twin->twin = true;
      snprintf(twin->skipped, sizeof twin->skipped, "the same GPU as %d:%d; %s %d:%d takes it all the same",
               kept->platform, kept->device, skp__option("device"), twin->platform, twin->device);
    }
}

/* ---- who is meant ----------------------------------------------------------------------------------------------- */

/* What the user said of a platform or a device. */
struct wish {
  const char *text; /* NULL: nothing */
  bool exact;       /* the whole name, not a part of it */
  const char *kind; /* not NULL: the text is this kind of device */
};

static bool is_index(const char *text) { return *text && !text[strspn(text, "0123456789")]; }

static bool fits(const struct wish *wish, const char *name, int index) {
  if (!wish->text) return true;
  if (is_index(wish->text)) return strtol(wish->text, NULL, 10) == index;
  return wish->exact ? !strcasecmp(name, wish->text) : skp__text_has(name, wish->text);
}

/* "P:D" */
static bool is_pair(const char *text, int *platform, int *device) {
  int end = 0;
  return text && sscanf(text, "%d:%d%n", platform, device, &end) == 2 && !text[end];
}

/* The kind of device that is meant: one of the types, unless a device is called just so. */
static const char *kind_of(const struct skp_device_list *list, const char *device) {
  static const char *const kinds[] = {"GPU", "CPU", "ACCELERATOR"};
  const char *kind = NULL;
  for (size_t i = 0; device && i < sizeof kinds / sizeof *kinds; i++)
    if (!strcasecmp(device, kinds[i])) kind = kinds[i];
  for (size_t i = 0; kind && i < list->n; i++)
    if (!strcasecmp(list->at[i].name, device)) return NULL;
  return kind;
}

static bool matches(const struct skp_device *d, const struct wish *platform, const struct wish *device) {
  int p, i;
  if (device->kind) return fits(platform, d->platform_name, d->platform) && !strcmp(d->type, device->kind);
  if (is_pair(device->text, &p, &i)) return d->platform == p && d->device == i;
  return fits(platform, d->platform_name, d->platform) && fits(device, d->name, d->device);
}

struct matches {
  size_t n;
  const struct skp_device *at[SKP_MAX_DEVICES];
};

static struct matches find(const struct skp_device_list *list, const struct wish *platform, const struct wish *device,
                           bool twins) {
  struct matches m = {0};
  for (size_t i = 0; i < list->n; i++) {
    const struct skp_device *d = &list->at[i];
    if ((twins ? d->twin : d->usable) && matches(d, platform, device)) m.at[m.n++] = d;
  }
  return m;
}

/* A whole name goes before a part of one; a twin is taken only if nothing else fits what was said. */
static struct matches find_meant(const struct skp_device_list *list, const char *platform, const char *device) {
  struct matches m = {0};
  for (int twins = 0; twins <= (platform || device) && !m.n; twins++)
    for (int exact = 3; exact >= 0 && !m.n; exact--) {
      struct wish p = {platform, exact & 2, NULL}, d = {device, exact & 1, kind_of(list, device)};
      m = find(list, &p, &d, twins);
    }
  return m;
}

/* ---- the best ---------------------------------------------------------------------------------------------------- */

static int rank(const struct skp_device *d) {
  int kind = is_gpu(d) ? (d->unified ? 2 : 3) : !strcmp(d->type, "CPU") ? 1 : 0;
  return 4 * kind - stand_in(d);
}

static const struct skp_device *best_kind(const struct matches *m) {
  const struct skp_device *found = m->at[0];
  for (size_t i = 1; i < m->n; i++) {
    const struct skp_device *d = m->at[i];
    if (rank(d) > rank(found) || (rank(d) == rank(found) && is_gpu(d) && d->memory > found->memory)) found = d;
  }
  return found;
}

/* The best kind, unless all were measured and another is faster by more than measuring may err. Of what cannot be
 * measured nothing is known but its kind. */
static const struct skp_device *best(const struct matches *m, const struct skp_device_list *list,
                                     const double *seconds) {
  const double clearly = 0.8;
  const struct skp_device *usual = best_kind(m), *found = usual;
  for (size_t i = 0; i < m->n; i++) {
    const double own = seconds ? seconds[m->at[i] - list->at] : 0;
    if (own == 0) return usual;
    if (own > 0 && own < seconds[found - list->at]) found = m->at[i];
  }
  return seconds[found - list->at] < clearly * seconds[usual - list->at] ? found : usual;
}

static bool one_platform(const struct matches *m) {
  for (size_t i = 1; i < m->n; i++)
    if (m->at[i]->platform != m->at[0]->platform) return false;
  return true;
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static void add_device(struct skp__text *w, const struct skp_device *d) {
  skp__text_add(w, "\n  %d:%d  %s (%s)%s%s", d->platform, d->device, d->name, d->platform_name, *d->skipped ? ": " : "",
                d->skipped);
}

/* "platform X device Y" */
static void add_wish(struct skp__text *w, const char *platform, const char *device) {
  if (platform) skp__text_add(w, "%s %s", skp__option("platform"), platform);
  if (device) skp__text_add(w, "%s%s %s", platform ? " " : "", skp__option("device"), device);
}

/* Whether other programs call GPUs so: cuda, cuda:0. */
static bool names_gpus(const char *device) {
  static const char *const words[] = {"cuda", "hip", "rocm", "mps", "xpu", "metal", "opencl"};
  const size_t n = strcspn(device, ":");
  bool any = false;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    any = any || (strlen(words[i]) == n && !strncasecmp(device, words[i], n));
  return any;
}

static skp_status fail_none(const struct skp_device_list *list, const char *platform, const char *device) {
  struct skp__text w = {0};
  bool any = false, gpu = false;
  for (size_t i = 0; i < list->n; i++) {
    any = any || list->at[i].usable;
    gpu = gpu || (list->at[i].usable && is_gpu(&list->at[i]));
  }
  if (any) {
    skp__text_add(&w, "No usable device matches ");
    add_wish(&w, platform, device);
    skp__text_add(&w, ". ");
    if (device && names_gpus(device))
      skp__text_add(&w, "Did you mean %s gpu?%s ", skp__option("device"), gpu ? "" : " There is none that is usable.");
    skp__text_add(&w, "There are:");
  } else
    skp__text_add(&w, "%s%s", skp__devices_advice(), list->n + list->n_notes + list->n_gpus ? "\nWhat was found:" : "");
  for (size_t i = 0; i < list->n; i++) add_device(&w, &list->at[i]);
  for (size_t i = 0; i < list->n_notes; i++) skp__text_add(&w, "\n  %s", list->notes[i]);
  for (size_t i = 0; i < list->n_gpus; i++) {
    const struct skp_gpu *g = &list->gpus[i];
    skp__text_add(&w, "\n  %s: %s: %s", g->name, g->why, g->remedy);
  }
  return skp__fail(SKP_NO_DEVICE, "%s", w.at);
}

static skp_status fail_several(const struct matches *m, const char *platform, const char *device) {
  struct skp__text w = {0};
  add_wish(&w, platform, device);
  skp__text_add(&w, " matches several devices; %s P:D names one:", skp__option("device"));
  for (size_t i = 0; i < m->n; i++) add_device(&w, m->at[i]);
  return skp__fail(SKP_USAGE, "%s", w.at);
}

skp_status skp__cl_choose_device(const struct skp_device **out, bool *meant, const struct skp_device_list *list,
                                 const double *seconds, const char *platform, const char *device) {
  *out = NULL;
  for (size_t i = 0; meant && i < list->n; i++) meant[i] = false;
  struct matches m = find_meant(list, platform, device);
  if (!m.n) return fail_none(list, platform, device);
  bool named = device && !kind_of(list, device);
  if (m.n > 1 && (named || (platform && !one_platform(&m)))) return fail_several(&m, platform, device);
  for (size_t i = 0; meant && i < m.n; i++) meant[m.at[i] - list->at] = true;
  *out = best(&m, list, seconds);
  return SKP_OK;
}
