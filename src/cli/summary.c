/* summary.c: skipper summary: layers, costs and memory before anything runs. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <stdlib.h>
#include <string.h>

/* ---- layers ----------------------------------------------------------------------------------------------------- */

static int64_t parameters_of(const struct skp_graph *g, const struct skp_node *node) {
  int64_t n = 0;
  for (int i = 0; i < node->op->n_in; i++)
    if (node->in[i] != SKP_NONE && g->tensors.at[node->in[i]].role == SKP_ROLE_PARAM)
      n += skp__shape_count(&g->tensors.at[node->in[i]].shape);
  return n;
}

/* printf counts bytes, but × is two of them. */
static int wide(const char *text, int width) {
  for (; *text; text++) width += (*text & 0xc0) == 0x80;
  return width;
}

static void print_layers(const struct skp_graph *g) {
  double flops = 0, bytes = 0;
  char shape[64], count[32], memory[32];
  printf("%-28s %-18s %-18s %12s %12s %12s\n", "layer", "operation", "output", "parameters", "MFLOP", "output");
  for (size_t n = 0; n < g->nodes.n; n++) {
    const struct skp_node *node = &g->nodes.at[n];
    struct skp_sig sig = skp__graph_sig(g, node);
    double cost = node->op->reference ? skp__op_flops(&sig) : 0;
    double size = node->op->reference ? 4.0 * (double)skp__shape_count(&sig.out[0]) : 0;
    skp__shape_text(shape, sizeof shape, &sig.out[0]);
    cli_grouped(count, sizeof count, parameters_of(g, node));
    printf("%-28s %-18s %-*s %12s %12.3f %12s\n", node->scope, node->op->name, wide(shape, 18), shape, count,
           cost * 1e-6, cli_bytes(memory, sizeof memory, size));
    flops += cost;
    bytes += size;
  }
  printf("%-28s %-18s %-18s %12s %12.3f %12s\n", "total", "", "",
         cli_grouped(count, sizeof count, cli_count_parameters(g)), flops * 1e-6,
         cli_bytes(memory, sizeof memory, bytes));
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

/* What a step holds: its arena, and all that outlives it or that the host writes and reads. */
struct need {
  int64_t arena, kept;
};

static skp_status measure_graph(struct need *out, struct skp_graph *g, const struct skp_backend_info *device) {
  struct skp_memory memory;
  int64_t *workspace;
  SKP_TRY(skp__graph_prune(g));
  SKP_TRY(skp__alloc(&workspace, g->nodes.n, sizeof *workspace));
  skp_status status = skp__memory_plan(&memory, g, workspace, device->alignment, device->max_allocation);
  free(workspace);
  SKP_TRY(status);
  out->arena = skp__memory_bytes(&memory);
  skp__memory_free(&memory);
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *t = &g->tensors.at[i];
    if (t->role != SKP_ROLE_ACTIVATION && t->base == SKP_NONE) out->kept += 4 * skp__shape_count(&t->shape);
  }
  return SKP_OK;
}

static skp_status measure(struct need *out, const struct cli *c, bool training, const struct skp_backend_info *device) {
  struct skp_graph *g;
  *out = (struct need){0, 0};
  SKP_TRY(skp__step_graph(&g, c->model, c->model->recipe.batch, training));
  skp_status status = measure_graph(out, g, device);
  skp__graph_destroy(g);
  return status;
}

static skp_status print_memory(struct cli *c) {
  static const char *const names[] = {"evaluation", "training step"};
  char arena[32], kept[32], all[32], memory[32];
  struct skp_backend_info device = {.memory = INT64_MAX, .max_allocation = INT64_MAX, .alignment = 128};
  if (c->backend) c->backend->ops->info(c->backend, &device);
  printf("\nDevice memory for a batch of %lld, without the workspaces of the methods chosen:\n",
         (long long)c->model->recipe.batch);
  for (int training = 1; training >= 0; training--) {
    struct need need;
    if (measure(&need, c, training, &device) != SKP_OK) {
      printf("  %-14s does not fit: %s\n", names[training], skp_error_message());
      continue;
    }
    int64_t bytes = need.arena + need.kept;
    printf("  %-14s activations %s, weights and inputs %s, together %s", names[training],
           cli_bytes(arena, sizeof arena, (double)need.arena), cli_bytes(kept, sizeof kept, (double)need.kept),
           cli_bytes(all, sizeof all, (double)bytes));
    if (c->backend)
      printf(": %s the %s of %s", bytes <= device.memory ? "fits" : "does not fit",
             cli_bytes(memory, sizeof memory, (double)device.memory), device.name);
    printf("\n");
  }
  return SKP_OK;
}

static skp_status print_all(struct cli *c) {
  struct skp_graph *g;
  SKP_TRY(skp__graph_instance(&g, c->model->graph, c->model->recipe.batch, true));
  print_layers(g);
  skp__graph_destroy(g);
  return print_memory(c);
}

/* Needs no device; one that was named must be there all the same. */
skp_status cli_summary(struct cli *c) {
  bool named = cli_said(c, CLI_DEVICE) || cli_said(c, CLI_PLATFORM) || cli_said(c, CLI_BACKEND);
  SKP_TRY(cli_open_model(c));
  skp_status status = cli_open_backend(c);
  if (status != SKP_OK && named) return status;
  if (status != SKP_OK) fprintf(stderr, "No device was opened: %s\n", skp_error_message());
  return print_all(c);
}
