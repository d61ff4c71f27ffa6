/* summary.c: skipper summary: layers, and whether the network fits the device. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <stddef.h>
#include <string.h>

/* ---- layers ----------------------------------------------------------------------------------------------------- */

/* printf counts bytes, but × is two of them. */
static int wide(const char *text, int width) {
  for (; *text; text++) width += (*text & 0xc0) == 0x80;
  return width;
}

/* "128×28×28×1" */
static const char *shape_text(char *text, size_t size, const skp_layer *l) {
  *text = 0;
  for (int i = 0; i < l->rank; i++) {
    const size_t n = strlen(text);
    snprintf(text + n, size - n, "%s%lld", i ? "×" : "", (long long)l->output[i]);
  }
  return text;
}

static skp_status print_layers(const struct cli *c, const skp_costs *costs) {
  double flops = 0, bytes = 0;
  char shape[96], count[32], cost[32], memory[32];
  printf("%-28s %-18s %-18s %12s %12s %12s\n", "layer", "operation", "output", "parameters", "MFLOP", "activation");
  for (size_t n = 0; n < skp_costs_layers(costs); n++) {
    skp_layer l;
    TRY(skp_costs_layer(costs, n, &l));
    shape_text(shape, sizeof shape, &l);
    cli_grouped(count, sizeof count, l.parameters);
    printf("%-28s %-18s %-*s %12s %12s %12s%s\n", l.name, l.operation, wide(shape, 18), shape, count,
           cli_number(cost, sizeof cost, l.flops * 1e-6), cli_bytes(memory, sizeof memory, (double)l.bytes),
           l.idle ? "  leads nowhere: no prediction depends on it" : "");
    flops += l.flops;
    bytes += (double)l.bytes;
  }
  printf("%-28s %-18s %-18s %12s %12s %12s\n", "total", "", "",
         cli_grouped(count, sizeof count, skp_model_parameters(c->model)), cli_number(cost, sizeof cost, flops * 1e-6),
         cli_bytes(memory, sizeof memory, bytes));
  return SKP_OK;
}

static skp_status add_layers(cJSON *object, const struct cli *c, const skp_costs *costs) {
  cJSON *list = cJSON_AddArrayToObject(object, "layers");
  for (size_t n = 0; n < skp_costs_layers(costs); n++) {
    skp_layer l;
    TRY(skp_costs_layer(costs, n, &l));
    cJSON *entry = cJSON_CreateObject(), *output;
    cJSON_AddItemToArray(list, entry);
    cJSON_AddStringToObject(entry, "layer", l.name);
    cJSON_AddStringToObject(entry, "operation", l.operation);
    output = cJSON_AddArrayToObject(entry, "output");
    for (int i = 0; i < l.rank; i++) cJSON_AddItemToArray(output, cJSON_CreateNumber((double)l.output[i]));
    cJSON_AddNumberToObject(entry, "parameters", (double)l.parameters);
    cJSON_AddNumberToObject(entry, "flops", l.flops);
    cJSON_AddNumberToObject(entry, "activation_bytes", (double)l.bytes);
    if (l.idle) cJSON_AddBoolToObject(entry, "leads_nowhere", true);
  }
  cJSON_AddNumberToObject(object, "parameters", (double)skp_model_parameters(c->model));
  return SKP_OK;
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

enum { TRAINING, EVALUATION, MODES };
static const struct {
  const char *name, *subject;
} modes[MODES] = {{"training", "Training, with its tests,"}, {"evaluation", "Evaluation"}};

static const struct {
  size_t at; /* in skp_need */
  const char *name, *key;
} parts[] = {
    {offsetof(skp_need, activations), "activations and workspaces", "activations"},
    {offsetof(skp_need, parameters), "parameters", "parameters"},
    {offsetof(skp_need, gradients), "gradients", "gradients"},
    {offsetof(skp_need, moments), "the optimizer's moments", "moments"},
    {offsetof(skp_need, statistics), "running statistics", "statistics"},
    {offsetof(skp_need, inputs), "images and labels", "inputs"},
    {offsetof(skp_need, results), "predictions", "results"},
    {offsetof(skp_need, total), "together", "total"},
    {offsetof(skp_need, largest), "in one piece at most", "largest"},
};
enum { PARTS = sizeof parts / sizeof *parts };

static int64_t bytes_of(const skp_need *need, int part) {
  int64_t bytes;
  memcpy(&bytes, (const char *)need + parts[part].at, sizeof bytes);
  return bytes;
}

static void print_parts(const skp_need need[MODES]) {
  char text[32];
  for (int i = 0; i < PARTS; i++) {
    printf("  %-32s", parts[i].name);
    for (int mode = 0; mode < MODES; mode++)
      printf(" %12s",
             need[mode].possible ? cli_bytes(text, sizeof text, (double)bytes_of(&need[mode], i)) : "too large");
    printf("\n");
  }
}

static void print_verdict(const struct cli *c, const skp_need *need, int mode) {
  skp_device_state device;
  char all[32], memory[32], piece[32];
  skp_device_ask(c->device, &device);
  cli_bytes(memory, sizeof memory, (double)device.memory);
  cli_bytes(piece, sizeof piece, (double)device.most);
  if (need->fits) {
    printf("%s fits %s: %s of %s.\n", modes[mode].subject, device.name, cli_bytes(all, sizeof all, (double)need->all),
           memory);
    return;
  }
  printf("%s does not fit %s: it has %s, at most %s in one piece. ", modes[mode].subject, device.name, memory, piece);
  if (need->largest_batch)
    printf("The largest batch that fits is %lld.\n", (long long)need->largest_batch);
  else
    printf("Not even one image fits.\n");
}

static void print_memory(const struct cli *c, const skp_need need[MODES]) {
  const double pieces = cli_entry(c, "accumulate");
  char title[96], in_pieces[32] = "", cost[32];
  if (pieces > 1) snprintf(in_pieces, sizeof in_pieces, " in %.0f micro-batches", pieces);
  snprintf(title, sizeof title, "Device memory for a batch of %.0f%s", cli_entry(c, "batch"), in_pieces);
  printf("\n%-34s %12s %12s\n", title, modes[0].name, modes[1].name);
  print_parts(need);
  if (need[TRAINING].possible)
    printf("A training step takes %s GFLOP.\n", cli_number(cost, sizeof cost, 1e-9 * need[TRAINING].flops));
  if (!c->device) printf("Without a device the workspaces of its methods are not known.\n");
  for (int mode = 0; c->device && mode < MODES; mode++) print_verdict(c, &need[mode], mode);
}

static void add_mode(cJSON *object, const struct cli *c, const skp_need *need, int mode) {
  cJSON *entry = cJSON_AddObjectToObject(object, modes[mode].name);
  for (int i = 0; i < PARTS && need->possible; i++)
    cJSON_AddNumberToObject(entry, parts[i].key, (double)bytes_of(need, i));
  if (need->possible) cJSON_AddNumberToObject(entry, "flops", need->flops);
  if (!c->device) return;
  cJSON_AddBoolToObject(entry, "fits", need->fits);
  if (!need->fits) cJSON_AddNumberToObject(entry, "largest_batch", (double)need->largest_batch);
}

static void add_memory(cJSON *object, const struct cli *c, const skp_need need[MODES]) {
  skp_device_state device;
  cJSON_AddNumberToObject(object, "batch", cli_entry(c, "batch"));
  for (int mode = 0; mode < MODES; mode++) add_mode(object, c, &need[mode], mode);
  if (!c->device) return;
  skp_device_ask(c->device, &device);
  cJSON *entry = cJSON_AddObjectToObject(object, "device");
  cJSON_AddStringToObject(entry, "name", device.name);
  cJSON_AddNumberToObject(entry, "memory", (double)device.memory);
  cJSON_AddNumberToObject(entry, "max_allocation", (double)device.most);
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

/* object NULL: text, of which the layers come at once: choosing methods may take a while. */
static skp_status show(struct cli *c, skp_costs *costs, cJSON *object) {
  skp_need need[MODES];
  TRY(object ? add_layers(object, c, costs) : print_layers(c, costs));
  fflush(stdout);
  TRY(skp_costs_measure(costs, c->device, &need[EVALUATION], &need[TRAINING]));
  if (object)
    add_memory(object, c, need);
  else
    print_memory(c, need);
  return SKP_OK;
}

/* Needs no device; one that was named must be there all the same. */
skp_status cli_summary(struct cli *c) {
  bool named = cli_typed(c, CLI_DEVICE) || cli_typed(c, CLI_PLATFORM) || cli_typed(c, CLI_BACKEND);
  const skp_named found = skp_find_name(c->arguments[0]);
  skp_costs *costs;
  TRY(found == SKP_NAMES_TRAINED || found == SKP_NAMES_ONNX ? cli_open_checkpoint_model(c) : cli_open_model(c));
  skp_status status = cli_open_device(c);
  if (status != SKP_OK && (named || status == SKP_MEMORY)) return status;
  if (status != SKP_OK) fprintf(stderr, "No device was opened: %s\n", skp_error_message());
  cJSON *object;
  TRY(cli_create_json(c, &object, cJSON_CreateObject));
  status = skp_costs_open(&costs, c->model);
  if (status == SKP_OK) status = show(c, costs, object);
  skp_costs_close(costs);
  if (status == SKP_OK && object) return cli_print_json(object);
  cJSON_Delete(object);
  return status;
}
