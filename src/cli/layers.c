/* layers.c: where a step's time goes: skipper bench --layers: a row a layer's work, then summed by operation and
 * method. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <stdlib.h>
#include <string.h>

/* All layers of one operation and method. */
struct kind {
  const char *operation, *method;
  int layers;
  double seconds, flops;
};

static double gflops(double flops, double seconds) { return seconds > 0 ? flops / seconds * 1e-9 : 0; }

static int slowest_first(const void *a, const void *b) {
  const struct kind *x = a, *y = b;
  return (y->seconds > x->seconds) - (y->seconds < x->seconds);
}

static size_t add_up(struct kind *kinds, const skp_speed *s) {
  size_t n = 0;
  for (size_t i = 0; i < s->n_layers; i++) {
    const skp_layer_time *l = &s->layers[i];
    size_t k = 0;
    while (k < n && (strcmp(kinds[k].operation, l->operation) || strcmp(kinds[k].method, l->method))) k++;
    if (k == n) kinds[n++] = (struct kind){.operation = l->operation, .method = l->method};
    kinds[k].layers++;
    kinds[k].seconds += l->seconds;
    kinds[k].flops += l->flops;
  }
  qsort(kinds, n, sizeof *kinds, slowest_first);
  return n;
}

static void print_layer(const skp_layer_time *l, double total) {
  printf("%9.3f %5.1f %9.1f  %-24s %-24s %-12s %s  (", 1e3 * l->seconds, 100 * l->seconds / total,
         gflops(l->flops, l->seconds), l->layer, l->operation, l->method, l->shapes);
  for (size_t i = 0; i < l->n_launches; i++)
    printf("%s%s %.3f", i ? ", " : "", l->launches[i].name, 1e3 * l->launches[i].seconds);
  printf(")\n");
}

static skp_status print(const skp_speed *s) {
  double total = 0;
  struct kind *kinds;
  for (size_t i = 0; i < s->n_layers; i++) total += s->layers[i].seconds;
  printf("\n%9s %5s %9s  %-24s %-24s %-12s %s\n", "ms", "%", "GFLOP/s", "layer", "operation", "method",
         "shapes (launches, ms)");
  for (size_t i = 0; i < s->n_layers; i++) print_layer(&s->layers[i], total);
  TRY(cli_alloc(&kinds, s->n_layers, sizeof *kinds));
  const size_t n = add_up(kinds, s);
  printf("\n%9s %5s %9s  %-24s %-24s %s\n", "ms", "%", "GFLOP/s", "nodes", "operation", "method");
  for (size_t i = 0; i < n; i++)
    printf("%9.3f %5.1f %9.1f  %-24d %-24s %s\n", 1e3 * kinds[i].seconds, 100 * kinds[i].seconds / total,
           gflops(kinds[i].flops, kinds[i].seconds), kinds[i].layers, kinds[i].operation, kinds[i].method);
  printf("%9.3f ms in all launches, each at the least of %d runs\n", 1e3 * total, SKP_TIMING_ROUNDS);
  free(kinds);
  return SKP_OK;
}

static void add_json(cJSON *list, const skp_layer_time *l) {
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
}

skp_status cli_show_layers(const skp_speed *s, cJSON *object) {
  if (!object) return print(s);
  cJSON *list = cJSON_AddArrayToObject(object, "layers");
  for (size_t i = 0; i < s->n_layers; i++) add_json(list, &s->layers[i]);
  return SKP_OK;
}
