/* export.c: a network as an ONNX file. SPDX-License-Identifier: MIT
 *
 * ONNX has images as N, C, H, W, and weights as PyTorch has them, so they are written as files have them. Features of
 * a flattened map are in the order of files there, too: a transpose, which brings them into it, is nothing. What each
 * op becomes is in nodes.c. */
#include "io/json.h"
#include "onnx/nodes.h"
#include <stdlib.h>

/* Batchnorms that alone read what a convolution makes. */
static skp_status find_folded(struct skp__onnx_network *e) {
  int *reads;
  SKP_TRY(skp__alloc(&reads, e->g->tensors.n, sizeof *reads));
  skp__graph_reads(e->g, reads);
  for (size_t i = 0; i < e->g->nodes.n && e->options->fold; i++) {
    const struct skp_node *node = &e->g->nodes.at[i];
    const int producer = node->op == &skp__op_batchnorm ? e->g->tensors.at[node->in[0]].producer : -1;
    if (producer >= 0 && e->g->nodes.at[producer].op == &skp__op_conv2d && reads[node->in[0]] == 1)
      e->folded[node->in[0]] = node;
  }
  free(reads);
  return SKP_OK;
}

/* Whether a node's result is its first input here. */
static bool is_nothing(const struct skp__onnx_network *e, const struct skp_node *node) {
  const struct skp__onnx_form *form = skp__onnx_form(node->op);
  return form && (!form->emit || (node->op == &skp__op_batchnorm && e->folded[node->in[0]]));
}

static void find_last(struct skp__onnx_network *e) {
  e->last = e->g->logits;
  while (is_nothing(e, &e->g->nodes.at[e->g->tensors.at[e->last].producer]))
    e->last = e->g->nodes.at[e->g->tensors.at[e->last].producer].in[0];
}

static skp_status put_node(struct skp__onnx_network *e, size_t number) {
  const struct skp_node *node = &e->g->nodes.at[number];
  const struct skp__onnx_form *form = skp__onnx_form(node->op);
  if (!form) return skp__fail(SKP_UNSUPPORTED, "%s: %s has no form in ONNX.", node->scope, node->op->name);
  struct skp__onnx_job j = {.e = e, .node = node};
  const bool nothing = is_nothing(e, node);
  j.name = skp__onnx_text(&e->w, "%s%s%s_%zu", node->scope, *node->scope ? "/" : "", node->op->name, number);
  if (!nothing) form->emit(&j);
  e->name[node->out[0]] = nothing ? e->name[node->in[0]] : skp__onnx_result(&j);
  return e->w.status;
}

static void put_ends(struct skp__onnx_network *e) {
  const struct skp_recipe *r = &e->m->recipe;
  const int64_t N = e->options->dynamic_batch ? 0 : 1, image[] = {N, r->channels, r->size, r->size};
  const int64_t answers[] = {N, r->classes};
  skp__onnx_input(&e->w, "input", e->options->preprocessing ? SKP__ONNX_UINT8 : SKP__ONNX_FLOAT, image, 4);
  skp__onnx_output(&e->w, "logits", answers, 2);
  e->name[e->g->input] = e->options->preprocessing ? skp__onnx_pixels(e) : "input";
}

static skp_status put_list(struct skp__onnx_network *e, const char *key, cJSON *list) {
  char *text;
  skp_status status = skp__json_text(&text, list, false);
  cJSON_Delete(list);
  if (status == SKP_OK) skp__onnx_meta(&e->w, key, text);
  free(text);
  return status;
}

/* NULL: out of memory. */
static cJSON *numbers(const struct skp_recipe *r, const float *at) {
  cJSON *list = cJSON_CreateArray();
  bool whole = list;
  char text[32];
  for (int c = 0; whole && c < r->channels && c < 4; c++) {
    snprintf(text, sizeof text, "%.9g", (double)at[c]);
    whole = cJSON_AddItemToArray(list, cJSON_CreateRaw(text));
  }
  if (whole) return list;
  cJSON_Delete(list);
  return NULL;
}

static skp_status put_metadata(struct skp__onnx_network *e) {
  const struct skp_onnx_export *o = e->options;
  float mean[4], std[4];
  skp__recipe_norm(&e->m->recipe, mean, std);
  skp__onnx_meta(&e->w, "input",
                 o->preprocessing ? "N x C x H x W, pixels 0 to 255 (uint8), RGB"
                                  : "N x C x H x W, (pixels / 255 - mean) / std, RGB");
  SKP_TRY(put_list(e, "mean", numbers(&e->m->recipe, mean)));
  SKP_TRY(put_list(e, "std", numbers(&e->m->recipe, std)));
  if (!o->class_names) return SKP_OK;
  return put_list(e, "class_names", cJSON_CreateStringArray((const char *const *)o->class_names, o->names));
}

static skp_status put_network(struct skp__onnx_network *e) {
  SKP_TRY(find_folded(e));
  find_last(e);
  SKP_TRY(put_metadata(e));
  put_ends(e);
  for (size_t i = 0; i < e->g->nodes.n; i++) SKP_TRY(put_node(e, i));
  return e->w.status;
}

static skp_status check_options(const struct skp_onnx_export *o) {
  if (o->opset == 0 || (o->opset >= SKP_ONNX_LEAST && o->opset <= SKP_ONNX_MOST)) return SKP_OK;
  return skp__fail(SKP_USAGE, "ONNX's set of operators is of version %d to %d here, not %d.", SKP_ONNX_LEAST,
                   SKP_ONNX_MOST, o->opset);
}

skp_status skp__onnx_export(const char *path, const struct skp_model *m, const float *params, const float *state,
                            const struct skp_onnx_export *options) {
  struct skp_graph *g;
  struct skp__onnx_network e = {.m = m, .options = options, .params = params, .state = state};
  SKP_TRY(check_options(options));
  SKP_TRY(skp__graph_instance(&g, m->graph, 1, false));
  e.g = g;
  e.opset = options->opset ? options->opset : SKP_ONNX_USUAL;
  skp__onnx_begin(&e.w, m->name, e.opset);
  e.name = skp__onnx_own(&e.w, g->tensors.n, sizeof *e.name);
  e.folded = skp__onnx_own(&e.w, g->tensors.n, sizeof *e.folded);
  skp_status status = e.w.status == SKP_OK ? put_network(&e) : e.w.status;
  if (e.w.status == SKP_OK) e.w.status = status;
  status = skp__onnx_end(&e.w, path);
  skp__graph_destroy(g);
  return status;
}
