/* devices.c: skipper devices. SPDX-License-Identifier: MIT */
#include "backend/devices.h"
#include "cli/cli.h"
#include <stdlib.h>
#include <string.h>

static void print_device(const struct skp_device *d, bool chosen) {
  char memory[32], most[32], local[32];
  printf("%s %d:%d  %s\n", chosen ? "*" : " ", d->platform, d->device, d->name);
  printf("        %s of %s, %d units at %d MHz\n", d->type, d->platform_name, d->units, d->clock_mhz);
  printf("        %s%s, at most %s at once, local %s\n", cli_bytes(memory, sizeof memory, (double)d->memory),
         d->unified ? " shared with the host" : "", cli_bytes(most, sizeof most, (double)d->max_allocation),
         cli_bytes(local, sizeof local, (double)d->local_memory));
  printf("        %s, driver %s\n", d->c_version, d->driver);
  printf("        groups of %zu%s%s%s\n", d->max_group, d->fp16 ? ", fp16" : "", d->fp64 ? ", fp64" : "",
         d->subgroups ? ", subgroups" : "");
  if (*d->skipped) printf("        %s: %s\n", d->usable ? "taken only if named" : "not usable", d->skipped);
}

static void add_device(cJSON *list, const struct skp_device *d, bool chosen) {
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
  cJSON_AddStringToObject(o, "c_version", d->c_version);
  cJSON_AddNumberToObject(o, "units", d->units);
  cJSON_AddNumberToObject(o, "clock_mhz", d->clock_mhz);
  cJSON_AddNumberToObject(o, "memory", (double)d->memory);
  cJSON_AddNumberToObject(o, "max_allocation", (double)d->max_allocation);
  cJSON_AddNumberToObject(o, "local_memory", (double)d->local_memory);
  cJSON_AddNumberToObject(o, "max_group", (double)d->max_group);
  cJSON_AddBoolToObject(o, "fp16", d->fp16);
  cJSON_AddBoolToObject(o, "fp64", d->fp64);
  cJSON_AddBoolToObject(o, "subgroups", d->subgroups);
  cJSON_AddBoolToObject(o, "unified_memory", d->unified);
  cJSON_AddBoolToObject(o, "usable", d->usable);
  cJSON_AddStringToObject(o, "skipped", d->skipped);
  cJSON_AddBoolToObject(o, "default", chosen);
}

static void add_gpu(cJSON *list, const struct skp_gpu *g) {
  cJSON *o = cJSON_CreateObject();
  cJSON_AddItemToArray(list, o);
  cJSON_AddStringToObject(o, "name", g->name);
  cJSON_AddStringToObject(o, "why", g->why);
  cJSON_AddStringToObject(o, "remedy", g->remedy);
  cJSON_AddStringToObject(o, "package", g->package);
}

static skp_status print_json(const struct skp_device_list *list, const struct skp_device *chosen) {
  cJSON *all = cJSON_CreateObject(), *devices = cJSON_AddArrayToObject(all, "devices"),
        *notes = cJSON_AddArrayToObject(all, "notes"), *gpus = cJSON_AddArrayToObject(all, "gpus_without_driver");
  for (size_t i = 0; i < list->n; i++) add_device(devices, &list->at[i], &list->at[i] == chosen);
  for (size_t i = 0; i < list->n_notes; i++) cJSON_AddItemToArray(notes, cJSON_CreateString(list->notes[i]));
  for (size_t i = 0; i < list->n_gpus; i++) add_gpu(gpus, &list->gpus[i]);
  return cli_print_json(all);
}

static void print_text(const struct skp_device_list *list, const struct skp_device *chosen) {
  for (size_t i = 0; i < list->n; i++) print_device(&list->at[i], &list->at[i] == chosen);
  for (size_t i = 0; i < list->n_notes; i++) printf("  %s\n", list->notes[i]);
  for (size_t i = 0; i < list->n_gpus; i++)
    printf("  %s is not used: %s.\n        %s\n", list->gpus[i].name, list->gpus[i].why, list->gpus[i].remedy);
  if (chosen)
    printf("* is taken with the present options and environment; --device gpu, cpu, P:D or a\n  part of the name "
           "chooses another.\n");
}

/* The list is shown even if none of it can be chosen; then that is the error. */
skp_status cli_devices(struct cli *c) {
  const struct skp_device_list *list;
  const struct skp_device *chosen = NULL;
  skp_device_options said;
  SKP_TRY(cli_device_options(c, &said));
  SKP_TRY(skp__devices_list(&list));
  skp_status status = skp__devices_choose(&chosen, list, said.platform, said.device);
  if (status != SKP_OK) chosen = NULL;
  if (!cli_said(c, CLI_JSON))
    print_text(list, chosen);
  else if (status == SKP_OK)
    return print_json(list, chosen);
  else {
    char *text = strdup(skp_error_message());
    print_json(list, chosen);
    if (text) skp__fail(status, "%s", text);
    free(text);
  }
  return status;
}
