/* devices.c: skipper devices. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <stddef.h>
#include <stdlib.h>

/* `known` as skp_device_known says it. */
static void print_peaks(const skp_peaks *p, int known) {
  char fma[32], triad[32], launch[32];
  if (known < 0) printf("        measuring it failed: it is taken for its kind; bench --peak --device tries again\n");
  if (known <= 0) return;
  printf("        measured: %s GFLOP/s, %s GB/s, %s us a launch\n", cli_number(fma, sizeof fma, p->fma * 1e-9),
         cli_number(triad, sizeof triad, p->triad * 1e-9), cli_number(launch, sizeof launch, p->launch * 1e6));
}

static void print_device(const skp_device_info *d, bool chosen) {
  char memory[32], most[32], local[32];
  printf("%s %d:%d  %s\n", chosen ? "*" : " ", d->platform, d->device, d->name);
  printf("        %s of %s, %d units at %d MHz\n", d->type, d->platform_name, d->units, d->clock_mhz);
  printf("        %s%s, at most %s at once, local %s\n", cli_bytes(memory, sizeof memory, (double)d->memory),
         d->unified ? " shared with the host" : "", cli_bytes(most, sizeof most, (double)d->most),
         cli_bytes(local, sizeof local, (double)d->local_memory));
  printf("        %s, driver %s\n", d->language, d->driver);
  printf("        groups of %lld%s%s%s\n", (long long)d->max_group, d->fp16 ? ", fp16" : "", d->fp64 ? ", fp64" : "",
         d->subgroups ? ", subgroups" : "");
  if (*d->why) printf("        %s: %s\n", d->usable ? "taken only if named" : "not usable", d->why);
}

static void add_device(cJSON *list, const skp_device_info *d, bool chosen, const skp_peaks *measured, int known) {
  cJSON *o = cJSON_CreateObject();
  cJSON_AddItemToArray(list, o);
  cJSON_AddNumberToObject(o, "platform", d->platform);
  cJSON_AddNumberToObject(o, "device", d->device);
  cJSON_AddStringToObject(o, "name", d->name);
  cJSON_AddStringToObject(o, "platform_name", d->platform_name);
  cJSON_AddStringToObject(o, "vendor", d->vendor);
  cJSON_AddStringToObject(o, "type", d->type);
  cJSON_AddStringToObject(o, "version", d->version);
  cJSON_AddStringToObject(o, "driver", d->driver);
  cJSON_AddStringToObject(o, "c_version", d->language);
  cJSON_AddNumberToObject(o, "units", d->units);
  cJSON_AddNumberToObject(o, "clock_mhz", d->clock_mhz);
  cJSON_AddNumberToObject(o, "memory", (double)d->memory);
  cJSON_AddNumberToObject(o, "max_allocation", (double)d->most);
  cJSON_AddNumberToObject(o, "local_memory", (double)d->local_memory);
  cJSON_AddNumberToObject(o, "max_group", (double)d->max_group);
  cJSON_AddBoolToObject(o, "fp16", d->fp16);
  cJSON_AddBoolToObject(o, "fp64", d->fp64);
  cJSON_AddBoolToObject(o, "subgroups", d->subgroups);
  cJSON_AddBoolToObject(o, "unified_memory", d->unified);
  cJSON_AddBoolToObject(o, "usable", d->usable);
  cJSON_AddStringToObject(o, "skipped", d->why);
  cJSON_AddBoolToObject(o, "default", chosen);
  if (known > 0) cli_add_peaks(cJSON_AddObjectToObject(o, "measured"), measured);
  if (known < 0) cJSON_AddNullToObject(o, "measured"); /* it failed */
}

static void add_gpu(cJSON *list, const skp_idle_gpu *g) {
  cJSON *o = cJSON_CreateObject();
  cJSON_AddItemToArray(list, o);
  cJSON_AddStringToObject(o, "name", g->name);
  cJSON_AddStringToObject(o, "why", g->why);
  cJSON_AddStringToObject(o, "remedy", g->remedy);
  cJSON_AddStringToObject(o, "package", g->package);
}

/* -1: none is chosen. */
struct devices {
  size_t n;
  ptrdiff_t chosen;
  const char *cache;
};

static skp_status print_json(const struct devices *all) {
  cJSON *object = cJSON_CreateObject(), *devices = cJSON_AddArrayToObject(object, "devices"),
        *notes = cJSON_AddArrayToObject(object, "notes"), *gpus = cJSON_AddArrayToObject(object, "gpus_without_driver");
  skp_device_info d;
  skp_peaks peaks;
  skp_idle_gpu g;
  const char *note;
  for (size_t i = 0; i < all->n && skp_device_describe(i, &d) == SKP_OK; i++) {
    const int known = skp_device_known(i, all->cache, &peaks);
    add_device(devices, &d, (ptrdiff_t)i == all->chosen, &peaks, known);
  }
  for (size_t i = 0; (note = skp_device_note(i)); i++) cJSON_AddItemToArray(notes, cJSON_CreateString(note));
  for (size_t i = 0; skp_device_idle_gpu(i, &g); i++) add_gpu(gpus, &g);
  return cli_print_json(object);
}

static skp_status print_text(const struct devices *all) {
  skp_device_info d;
  skp_peaks peaks;
  skp_idle_gpu g;
  const char *note;
  for (size_t i = 0; i < all->n; i++) {
    TRY(skp_device_describe(i, &d));
    print_device(&d, (ptrdiff_t)i == all->chosen);
    const int known = skp_device_known(i, all->cache, &peaks);
    print_peaks(&peaks, known);
  }
  for (size_t i = 0; (note = skp_device_note(i)); i++) printf("  %s\n", note);
  for (size_t i = 0; skp_device_idle_gpu(i, &g); i++)
    printf("  %s is not used: %s.\n        %s\n", g.name, g.why, g.remedy);
  if (all->chosen >= 0)
    printf("* is taken with the present options and environment; --device gpu, cpu, P:D or a\n"
           "  part of the name chooses another.\n");
  return SKP_OK;
}

/* The list is shown even if none of it can be chosen; then that is the error. */
skp_status cli_devices(struct cli *c) {
  struct devices all = {.chosen = -1};
  skp_device_options said;
  size_t chosen;
  char *why = NULL;
  TRY(cli_device_options(c, &said));
  all.cache = said.cache;
  TRY(skp_device_count(&all.n));
  const skp_status status = skp_device_choose(&chosen, &said);
  if (status == SKP_OK) all.chosen = (ptrdiff_t)chosen;
  if (status != SKP_OK) TRY(cli_copy(&why, skp_error_message()));
  skp_status shown = cli_said(c, CLI_JSON) ? print_json(&all) : print_text(&all);
  if (status != SKP_OK) (void)skp_fail(status, "%s", why);
  free(why);
  return status != SKP_OK ? status : shown;
}
