/* layers.c: where a step's time goes: skipper bench --layers: a row a layer's work, then summed by operation and
 * method, then, beside what the device does at best, by kind of work. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <stdlib.h>
#include <string.h>

/* All layers that have something in common. */
struct group {
  const char *name, *method;
  int layers;
  double seconds, flops;
  double compute, memory; /* seconds that the operations and the bytes take at the peaks */
  double least;           /* seconds that all of it takes there */
};

/* What layers are summed by. */
typedef const char *(*name_of)(const skp_layer_time *l);
static const char *operation_of(const skp_layer_time *l) { return l->operation; }
static const char *method_of(const skp_layer_time *l) { return l->method; }
static const char *kind_of(const skp_layer_time *l) { return l->kind; }
static const char *nothing(const skp_layer_time *l) { return (void)l, ""; }

static double gflops(double flops, double seconds) { return seconds > 0 ? flops / seconds * 1e-9 : 0; }

static bool knows_peaks(const skp_speed *s) { return s->peaks.fma > 0; }

static double larger(double a, double b) { return a > b ? a : b; }

static const char *limit_of(double compute, double memory) { return compute > memory ? "FMA" : "memory"; }

static int slowest_first(const void *a, const void *b) {
  const struct group *x = a, *y = b;
  return (y->seconds > x->seconds) - (y->seconds < x->seconds);
}

static void add_layer(struct group *g, const skp_layer_time *l) {
  const double best = larger(l->compute_share, l->memory_share);
  g->layers++;
  g->seconds += l->seconds;
  g->flops += l->flops;
  g->compute += l->seconds * l->compute_share;
  g->memory += l->seconds * l->memory_share;
  g->least += l->seconds * (best < 1 ? best : 1);
}

static size_t add_up(struct group *groups, const skp_speed *s, name_of name, name_of method) {
  size_t n = 0;
  for (size_t i = 0; i < s->n_layers; i++) {
    const skp_layer_time *l = &s->layers[i];
    size_t k = 0;
    while (k < n && (strcmp(groups[k].name, name(l)) || strcmp(groups[k].method, method(l)))) k++;
    if (k == n) groups[n++] = (struct group){.name = name(l), .method = method(l)};
    add_layer(&groups[k], l);
  }
  qsort(groups, n, sizeof *groups, slowest_first);
  return n;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static void print_layer(const skp_layer_time *l, double total, bool shares) {
  printf("%9.3f %5.1f %9.1f", 1e3 * l->seconds, 100 * l->seconds / total, gflops(l->flops, l->seconds));
  if (shares)
    printf(" %5.0f %5.0f %-6s", 100 * l->compute_share, 100 * l->memory_share,
           limit_of(l->compute_share, l->memory_share));
  printf("  %-24s %-24s %-12s %s  (", l->layer, l->operation, l->method, l->shapes);
  for (size_t i = 0; i < l->n_launches; i++)
    printf("%s%s %.3f", i ? ", " : "", l->launches[i].name, 1e3 * l->launches[i].seconds);
  printf(")\n");
}

static void print_layers(const skp_speed *s, double total) {
  const bool shares = knows_peaks(s);
  printf("\n%9s %5s %9s%s  %-24s %-24s %-12s %s\n", "ms", "%", "GFLOP/s", shares ? "  FMA%  mem% limit " : "", "layer",
         "operation", "method", "shapes (launches, ms)");
  for (size_t i = 0; i < s->n_layers; i++) print_layer(&s->layers[i], total, shares);
}

static void print_methods(const struct group *groups, size_t n, double total) {
  printf("\n%9s %5s %9s  %-24s %-24s %s\n", "ms", "%", "GFLOP/s", "nodes", "operation", "method");
  for (size_t i = 0; i < n; i++)
    printf("%9.3f %5.1f %9.1f  %-24d %-24s %s\n", 1e3 * groups[i].seconds, 100 * groups[i].seconds / total,
           gflops(groups[i].flops, groups[i].seconds), groups[i].layers, groups[i].name, groups[i].method);
  printf("%9.3f ms in all launches, each at the least of %d runs\n", 1e3 * total, SKP_TIMING_ROUNDS);
}

static void print_kind(const struct group *g, double total) {
  printf("%9.3f %5.1f %5.0f %5.0f %-6s %9.3f  %s\n", 1e3 * g->seconds, 100 * g->seconds / total,
         100 * g->compute / g->seconds, 100 * g->memory / g->seconds, limit_of(g->compute, g->memory),
         1e3 * (g->seconds - g->least), g->name);
}

static void print_kinds(const skp_speed *s, const struct group *groups, size_t n, double total) {
  struct group all = {.name = "all", .seconds = 0};
  for (size_t i = 0; i < s->n_layers; i++) add_layer(&all, &s->layers[i]);
  printf("\n%9s %5s %5s %5s %-6s %9s  %s\n", "ms", "%", "FMA%", "mem%", "limit", "left, ms", "kind of work");
  for (size_t i = 0; i < n; i++)
    if (groups[i].seconds > 0) print_kind(&groups[i], total);
  print_kind(&all, total);
  printf("FMA%%, mem%%: of what the device does at best, %.0f GFLOP/s and %.1f GB/s; left: above what each layer takes "
         "there.\nWinograd's methods multiply less often than is counted, and what lies in caches moves no memory: "
         "these may be more than 100.\n",
         1e-9 * s->peaks.fma, 1e-9 * larger(s->peaks.read, larger(s->peaks.write, s->peaks.triad)));
}

static skp_status print(const skp_speed *s) {
  double total = 0;
  struct group *groups;
  for (size_t i = 0; i < s->n_layers; i++) total += s->layers[i].seconds;
  print_layers(s, total);
  TRY(cli_alloc(&groups, s->n_layers, sizeof *groups));
  print_methods(groups, add_up(groups, s, operation_of, method_of), total);
  if (knows_peaks(s)) print_kinds(s, groups, add_up(groups, s, kind_of, nothing), total);
  free(groups);
  return SKP_OK;
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static void add_shares(cJSON *object, double compute, double memory) {
  cJSON_AddNumberToObject(object, "fma_share", compute);
  cJSON_AddNumberToObject(object, "memory_share", memory);
  cJSON_AddStringToObject(object, "limit", limit_of(compute, memory));
}

static void add_json(cJSON *list, const skp_layer_time *l, bool shares) {
  cJSON *layer = cJSON_CreateObject(), *launches, *launch;
  cJSON_AddItemToArray(list, layer);
  cJSON_AddStringToObject(layer, "layer", l->layer);
  cJSON_AddStringToObject(layer, "operation", l->operation);
  cJSON_AddStringToObject(layer, "method", l->method);
  cJSON_AddStringToObject(layer, "shapes", l->shapes);
  cJSON_AddNumberToObject(layer, "ms", 1e3 * l->seconds);
  cJSON_AddNumberToObject(layer, "gflops", gflops(l->flops, l->seconds));
  launches = cJSON_AddArrayToObject(layer, "launches");
  for (size_t i = 0; i < l->n_launches; i++) {
    cJSON_AddItemToArray(launches, launch = cJSON_CreateObject());
    cJSON_AddStringToObject(launch, "name", l->launches[i].name);
    cJSON_AddNumberToObject(launch, "ms", 1e3 * l->launches[i].seconds);
  }
  cJSON_AddStringToObject(layer, "kind", l->kind);
  cJSON_AddNumberToObject(layer, "gb_per_s", gflops(l->bytes, l->seconds));
  if (shares) add_shares(layer, l->compute_share, l->memory_share);
}

static void add_kind(cJSON *list, const struct group *g) {
  cJSON *kind = cJSON_CreateObject();
  cJSON_AddItemToArray(list, kind);
  cJSON_AddStringToObject(kind, "kind", g->name);
  cJSON_AddNumberToObject(kind, "ms", 1e3 * g->seconds);
  cJSON_AddNumberToObject(kind, "left_ms", 1e3 * (g->seconds - g->least));
  if (g->seconds > 0) add_shares(kind, g->compute / g->seconds, g->memory / g->seconds);
}

static skp_status add_kinds(cJSON *object, const skp_speed *s) {
  struct group *groups;
  TRY(cli_alloc(&groups, s->n_layers, sizeof *groups));
  const size_t n = add_up(groups, s, kind_of, nothing);
  cJSON *list = cJSON_AddArrayToObject(object, "kinds");
  for (size_t i = 0; i < n; i++) add_kind(list, &groups[i]);
  cli_add_peaks(cJSON_AddObjectToObject(object, "peaks"), &s->peaks);
  free(groups);
  return SKP_OK;
}

skp_status cli_show_layers(const skp_speed *s, cJSON *object) {
  if (!object) return print(s);
  cJSON *list = cJSON_AddArrayToObject(object, "layers");
  for (size_t i = 0; i < s->n_layers; i++) add_json(list, &s->layers[i], knows_peaks(s));
  return knows_peaks(s) ? add_kinds(object, s) : SKP_OK;
}
