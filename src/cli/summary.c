/* summary.c: skipper summary: layers, and whether the network fits the device. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "train/parts.h"
#include <stdlib.h>
#include <string.h>

/* ---- layers ----------------------------------------------------------------------------------------------------- */

static int64_t parameters_of(const struct skp_graph *g, const struct skp_node *node) {
  int64_t n = 0;
  for (int i = 0; i < node->n_in; i++)
    if (node->in[i] != SKP_NONE && g->tensors.at[node->in[i]].role == SKP_ROLE_PARAM)
      n += skp__shape_count(&g->tensors.at[node->in[i]].shape);
  return n;
}

struct layer {
  const struct skp_node *node;
  struct skp_shape output;
  int64_t parameters;
  double flops, bytes; /* of the output, which is kept until the backward pass; 0 for a view */
};

static struct layer layer_of(const struct skp_graph *g, size_t n) {
  const struct skp_node *node = &g->nodes.at[n];
  struct skp_sig sig = skp__graph_sig(g, node);
  bool view = !node->op->reference;
  return (struct layer){node, sig.out[0], parameters_of(g, node), view ? 0 : skp__op_flops(&sig),
                        view ? 0 : 4.0 * (double)skp__shape_count(&sig.out[0])};
}

/* printf counts bytes, but × is two of them. */
static int wide(const char *text, int width) {
  for (; *text; text++) width += (*text & 0xc0) == 0x80;
  return width;
}

static void print_layers(const struct skp_graph *g) {
  double flops = 0, bytes = 0;
  char shape[64], count[32], cost[32], memory[32];
  printf("%-28s %-18s %-18s %12s %12s %12s\n", "layer", "operation", "output", "parameters", "MFLOP", "activation");
  for (size_t n = 0; n < g->nodes.n; n++) {
    struct layer l = layer_of(g, n);
    skp__shape_text(shape, sizeof shape, &l.output);
    cli_grouped(count, sizeof count, l.parameters);
    printf("%-28s %-18s %-*s %12s %12s %12s\n", l.node->scope, l.node->op->name, wide(shape, 18), shape, count,
           cli_number(cost, sizeof cost, l.flops * 1e-6), cli_bytes(memory, sizeof memory, l.bytes));
    flops += l.flops;
    bytes += l.bytes;
  }
  printf("%-28s %-18s %-18s %12s %12s %12s\n", "total", "", "",
         cli_grouped(count, sizeof count, cli_count_parameters(g)), cli_number(cost, sizeof cost, flops * 1e-6),
         cli_bytes(memory, sizeof memory, bytes));
}

static void add_layers(cJSON *object, const struct skp_graph *g) {
  cJSON *list = cJSON_AddArrayToObject(object, "layers");
  for (size_t n = 0; n < g->nodes.n; n++) {
    struct layer l = layer_of(g, n);
    cJSON *entry = cJSON_CreateObject(), *output;
    cJSON_AddItemToArray(list, entry);
    cJSON_AddStringToObject(entry, "layer", l.node->scope);
    cJSON_AddStringToObject(entry, "operation", l.node->op->name);
    output = cJSON_AddArrayToObject(entry, "output");
    for (int i = 0; i < l.output.rank; i++) cJSON_AddItemToArray(output, cJSON_CreateNumber((double)l.output.dim[i]));
    cJSON_AddNumberToObject(entry, "parameters", (double)l.parameters);
    cJSON_AddNumberToObject(entry, "flops", l.flops);
    cJSON_AddNumberToObject(entry, "activation_bytes", l.bytes);
  }
  cJSON_AddNumberToObject(object, "parameters", (double)cli_count_parameters(g));
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

enum { EVALUATION, TRAINING, MODES };
static const char *const modes[MODES] = {"evaluation", "training"};

/* What the steps of one batch size need, and what keeps them from fitting. */
struct needs {
  skp_status status[MODES]; /* not SKP_OK: some value is larger than any device takes at once */
  struct skp_plan_needs of[MODES];
  bool fits[MODES];
};

/* A run that trains holds the plan for evaluation too; the weights are there once. */
static int64_t all_bytes(const struct needs *n, int mode) {
  const struct skp_plan_needs *eval = &n->of[EVALUATION];
  if (mode == EVALUATION) return eval->total;
  return n->of[TRAINING].total + eval->total - eval->of_role[SKP_ROLE_PARAM] - eval->of_role[SKP_ROLE_STATE];
}

static skp_status measure_step(struct skp_plan_needs *out, const struct cli *c, int64_t images, skp_step step) {
  struct skp_graph *g;
  SKP_TRY(skp__step_graph(&g, c->model, images, step));
  return skp__plan_measure(out, g, c->backend);
}

/* What the plans of one step need together: what the store holds is theirs in common. */
static void join(struct skp_plan_needs *n, const struct skp_plan_needs *other, double times) {
  n->flops += times * other->flops;
  n->total = 0;
  if (other->largest > n->largest) n->largest = other->largest;
  for (int role = 0; role < SKP_ROLES; role++) {
    bool own = role == SKP_ROLE_ACTIVATION || role == SKP_ROLE_INPUT || role == SKP_ROLE_RESULT;
    if (own || other->of_role[role] > n->of_role[role])
      n->of_role[role] = (own ? n->of_role[role] : 0) + other->of_role[role];
    n->total += n->of_role[role];
  }
}

/* A step in parts: train/parts.h. */
static skp_status measure_parts(struct skp_plan_needs *out, const struct cli *c, const struct skp__parts *parts) {
  struct skp_plan_needs other;
  int64_t size = skp__parts_size(parts), rest = parts->batch % size;
  *out = (struct skp_plan_needs){.total = 0};
  SKP_TRY(measure_step(&other, c, size, SKP_STEP_PART));
  join(out, &other, (double)(parts->batch / size));
  if (rest) SKP_TRY(measure_step(&other, c, rest, SKP_STEP_PART));
  if (rest) join(out, &other, 1);
  SKP_TRY(measure_step(&other, c, 1, SKP_STEP_UPDATE));
  join(out, &other, 1);
  return SKP_OK;
}

static skp_status measure_mode(struct skp_plan_needs *out, const struct cli *c, int64_t batch, bool training) {
  struct skp__parts parts;
  if (!training) return measure_step(out, c, batch, SKP_STEP_EVAL);
  SKP_TRY(skp__parts_plan(&parts, c->model, INT64_MAX)); /* all batches are full */
  parts.images = parts.batch = batch;                    /* the one in question, not the recipe's */
  return parts.parts == 1 ? measure_step(out, c, batch, SKP_STEP_TRAIN) : measure_parts(out, c, &parts);
}

/* Whether it says that a batch is too large. */
static bool about_size(skp_status status) {
  return status == SKP_SHAPE || status == SKP_DEVICE_MEMORY || status == SKP_UNSUPPORTED;
}

static skp_status measure(struct needs *n, const struct cli *c, int64_t batch) {
  struct skp_backend_info device = {.memory = INT64_MAX, .max_allocation = INT64_MAX};
  if (c->backend) c->backend->ops->info(c->backend, &device);
  for (int mode = 0; mode < MODES; mode++) {
    n->status[mode] = measure_mode(&n->of[mode], c, batch, mode == TRAINING);
    if (!about_size(n->status[mode])) SKP_TRY(n->status[mode]);
    n->fits[mode] = n->status[mode] == SKP_OK && n->status[EVALUATION] == SKP_OK &&
                    all_bytes(n, mode) <= device.memory && n->of[mode].largest <= device.max_allocation;
  }
  return SKP_OK;
}

/* The largest batch that fits where `batch` does not; 0: none does. */
static skp_status find_largest(int64_t *out, const struct cli *c, int64_t batch, int mode) {
  struct needs n;
  *out = 0;
  for (int64_t too_large = batch; too_large - *out > 1;) {
    int64_t middle = *out + (too_large - *out) / 2;
    SKP_TRY(measure(&n, c, middle));
    if (n.fits[mode])
      *out = middle;
    else
      too_large = middle;
  }
  return SKP_OK;
}

static const struct {
  skp_role role;
  const char *name, *key;
} parts[] = {
    {SKP_ROLE_ACTIVATION, "activations and workspaces", "activations"},
    {SKP_ROLE_PARAM, "parameters", "parameters"},
    {SKP_ROLE_GRAD, "gradients", "gradients"},
    {SKP_ROLE_MOMENT, "the optimizer's moments", "moments"},
    {SKP_ROLE_STATE, "running statistics", "statistics"},
    {SKP_ROLE_INPUT, "images and labels", "inputs"},
    {SKP_ROLE_RESULT, "answers", "results"},
};
enum { PARTS = sizeof parts / sizeof *parts };

static void print_part(const char *name, const struct needs *n, const int64_t bytes[MODES]) {
  char text[32];
  printf("  %-32s", name);
  for (int mode = MODES - 1; mode >= 0; mode--)
    printf(" %12s", n->status[mode] == SKP_OK ? cli_bytes(text, sizeof text, (double)bytes[mode]) : "too large");
  printf("\n");
}

static void print_parts(const struct needs *n) {
  for (int i = 0; i < PARTS; i++)
    print_part(parts[i].name, n, (int64_t[]){n->of[0].of_role[parts[i].role], n->of[1].of_role[parts[i].role]});
  print_part("together", n, (int64_t[]){n->of[0].total, n->of[1].total});
  print_part("in one piece at most", n, (int64_t[]){n->of[0].largest, n->of[1].largest});
}

static skp_status print_verdict(const struct cli *c, const struct needs *n, int mode) {
  struct skp_backend_info device;
  int64_t largest;
  char all[32], memory[32], piece[32];
  const char *subject = mode == TRAINING ? "Training, with its tests," : "Evaluation";
  c->backend->ops->info(c->backend, &device);
  cli_bytes(memory, sizeof memory, (double)device.memory);
  cli_bytes(piece, sizeof piece, (double)device.max_allocation);
  if (n->fits[mode]) {
    printf("%s fits %s: %s of %s.\n", subject, device.name, cli_bytes(all, sizeof all, (double)all_bytes(n, mode)),
           memory);
    return SKP_OK;
  }
  SKP_TRY(find_largest(&largest, c, c->model->recipe.batch, mode));
  printf("%s does not fit %s: it has %s, at most %s in one piece. ", subject, device.name, memory, piece);
  if (largest)
    printf("The largest batch that fits is %lld.\n", (long long)largest);
  else
    printf("Not even one image fits.\n");
  return SKP_OK;
}

static skp_status print_memory(const struct cli *c) {
  struct needs n;
  char title[96], pieces[32] = "", cost[32];
  SKP_TRY(measure(&n, c, c->model->recipe.batch));
  if (c->model->recipe.accumulate > 1)
    snprintf(pieces, sizeof pieces, " in %lld parts", (long long)c->model->recipe.accumulate);
  snprintf(title, sizeof title, "Device memory for a batch of %lld%s", (long long)c->model->recipe.batch, pieces);
  printf("\n%-34s %12s %12s\n", title, modes[TRAINING], modes[EVALUATION]);
  print_parts(&n);
  if (n.status[TRAINING] == SKP_OK)
    printf("A training step takes %s GFLOP.\n", cli_number(cost, sizeof cost, 1e-9 * n.of[TRAINING].flops));
  if (!c->backend) printf("Without a device the workspaces of its methods are not known.\n");
  for (int mode = MODES - 1; c->backend && mode >= 0; mode--) SKP_TRY(print_verdict(c, &n, mode));
  return SKP_OK;
}

static skp_status add_mode(cJSON *object, const struct cli *c, const struct needs *n, int mode) {
  int64_t largest;
  cJSON *entry = cJSON_AddObjectToObject(object, modes[mode]);
  for (int i = 0; i < PARTS && n->status[mode] == SKP_OK; i++)
    cJSON_AddNumberToObject(entry, parts[i].key, (double)n->of[mode].of_role[parts[i].role]);
  if (n->status[mode] == SKP_OK) {
    cJSON_AddNumberToObject(entry, "total", (double)n->of[mode].total);
    cJSON_AddNumberToObject(entry, "largest", (double)n->of[mode].largest);
    cJSON_AddNumberToObject(entry, "flops", n->of[mode].flops);
  }
  if (!c->backend) return SKP_OK;
  cJSON_AddBoolToObject(entry, "fits", n->fits[mode]);
  if (n->fits[mode]) return SKP_OK;
  SKP_TRY(find_largest(&largest, c, c->model->recipe.batch, mode));
  cJSON_AddNumberToObject(entry, "largest_batch", (double)largest);
  return SKP_OK;
}

static skp_status add_memory(cJSON *object, const struct cli *c) {
  struct needs n;
  struct skp_backend_info device;
  SKP_TRY(measure(&n, c, c->model->recipe.batch));
  cJSON_AddNumberToObject(object, "batch", (double)c->model->recipe.batch);
  for (int mode = MODES - 1; mode >= 0; mode--) SKP_TRY(add_mode(object, c, &n, mode));
  if (!c->backend) return SKP_OK;
  c->backend->ops->info(c->backend, &device);
  cJSON *entry = cJSON_AddObjectToObject(object, "device");
  cJSON_AddStringToObject(entry, "name", device.name);
  cJSON_AddNumberToObject(entry, "memory", (double)device.memory);
  cJSON_AddNumberToObject(entry, "max_allocation", (double)device.max_allocation);
  return SKP_OK;
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

static skp_status show(struct cli *c) {
  struct skp_graph *g = NULL;
  cJSON *object = cli_said(c, CLI_JSON) ? cJSON_CreateObject() : NULL;
  skp_status status = skp__graph_instance(&g, c->model->graph, c->model->recipe.batch, true);
  if (status == SKP_OK && object) {
    add_layers(object, g);
    status = add_memory(object, c);
  } else if (status == SKP_OK) {
    print_layers(g);
    fflush(stdout); /* choosing methods may take a while */
    status = print_memory(c);
  }
  skp__graph_destroy(g);
  if (status == SKP_OK && object) return cli_print_json(object);
  cJSON_Delete(object);
  return status;
}

/* Needs no device; one that was named must be there all the same. */
skp_status cli_summary(struct cli *c) {
  bool named = cli_said(c, CLI_DEVICE) || cli_said(c, CLI_PLATFORM) || cli_said(c, CLI_BACKEND);
  SKP_TRY(skp__checkpoint_found(c->arguments.at[0]) ? cli_open_checkpoint_model(c) : cli_open_model(c));
  skp_status status = cli_open_backend(c);
  if (status != SKP_OK && named) return status;
  if (status != SKP_OK) fprintf(stderr, "No device was opened: %s\n", skp_error_message());
  return show(c);
}
