/* predict.c: skipper predict. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "io/safetensors.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one image -------------------------------------------------------------------------------------------------- */

struct picture {
  struct skp_image spare;
  float table[4][SKP_LEVELS]; /* normalised values of bytes */
  int *column;                /* [W] */
  float *x;                   /* H·W·C as the network takes them */
  float *logits;
  int H, W, C, classes;
};

static bool dark_on_light(const uint8_t *pixels, int H, int W) {
  double sum = 0;
  for (int h = 0; h < H; h++)
    for (int w = 0; w < W; w++)
      if (h == 0 || w == 0 || h == H - 1 || w == W - 1) sum += pixels[h * W + w];
  return H > 1 && W > 1 && sum / (2 * (H + W) - 4) > 127;
}

/* What the network takes of an image, which is used up: as in evaluation. */
static skp_status look_at(const struct cli *c, struct picture *p, struct skp_image *image, const char *path) {
  static const struct skp_augment none;
  const struct skp_recipe *r = &c->model->recipe;
  struct skp__view view;
  if (cli_said(c, CLI_INVERT))
    for (int64_t i = 0; i < (int64_t)image->H * image->W * image->C; i++) image->pixels[i] = (uint8_t)~image->pixels[i];
  else if (p->C == 1 && dark_on_light(image->pixels, image->H, image->W))
    fprintf(stderr, "%s is dark on light; for a network trained on light on dark, as MNIST is, add --invert.\n", path);
  skp__view_draw(&view, p->H, p->W, r->resize ? (int)r->resize : r->size, image, &none, 0, 0, 0);
  return skp__view_render(p->x, &view, image, &p->spare, (const float(*)[SKP_LEVELS])p->table, p->column);
}

static skp_status read_picture(const struct cli *c, struct picture *p, const char *path) {
  struct skp_image image = {.C = p->C};
  SKP_TRY(skp__image_read(&image.pixels, &image.H, &image.W, path, p->C));
  skp_status status = look_at(c, p, &image, path);
  free(image.pixels);
  return status;
}

static skp_status run_picture(struct cli *c, struct picture *p) {
  struct skp_plan *plan;
  struct skp_backend *b = c->backend;
  SKP_TRY(skp__session_eval_plan(c->session, &plan, 1));
  const struct skp_graph *g = skp__plan_graph(plan);
  SKP_TRY(skp__backend_write_now(b, skp__plan_buffer(plan, g->input), 0, p->x, 4L * p->H * p->W * p->C));
  SKP_TRY(skp__plan_run(plan));
  return skp__backend_read_now(b, skp__plan_buffer(plan, g->logits), 0, p->logits, 4L * p->classes);
}

/* ---- answers ---------------------------------------------------------------------------------------------------- */

/* exp(logit) / sum, in place. */
static void softmax(float *logits, int n) {
  float most = logits[0];
  double sum = 0;
  for (int i = 1; i < n; i++) most = fmaxf(most, logits[i]);
  for (int i = 0; i < n; i++) sum += exp((double)(logits[i] - most));
  for (int i = 0; i < n; i++) logits[i] = (float)(exp((double)(logits[i] - most)) / sum);
}

/* The most likely class that is left; it is taken out. */
static int take_best(float *probability, int n) {
  int best = 0;
  for (int i = 1; i < n; i++)
    if (probability[i] > probability[best]) best = i;
  return best;
}

static void print_answers(const struct cli *c, const char *path, struct picture *p, int top) {
  printf("%s:", path);
  for (int k = 0; k < top; k++) {
    int best = take_best(p->logits, p->classes);
    printf("%s %s %.2f %%", k ? "," : "", c->class_names[best], 100 * (double)p->logits[best]);
    p->logits[best] = -1;
  }
  printf("\n");
}

static void add_answers(cJSON *list, const struct cli *c, const char *path, struct picture *p, int top) {
  cJSON *image = cJSON_CreateObject(), *answers;
  cJSON_AddItemToArray(list, image);
  cJSON_AddStringToObject(image, "image", path);
  answers = cJSON_AddArrayToObject(image, "top");
  for (int k = 0; k < top; k++) {
    int best = take_best(p->logits, p->classes);
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddItemToArray(answers, answer);
    cJSON_AddNumberToObject(answer, "index", best);
    cJSON_AddStringToObject(answer, "class", c->class_names[best]);
    cJSON_AddNumberToObject(answer, "probability", (double)p->logits[best]);
    p->logits[best] = -1;
  }
}

/* `list` NULL: text. */
static skp_status predict_images(struct cli *c, struct picture *p, int top, cJSON *list) {
  const struct skp_recipe *r = &c->model->recipe;
  skp__normalising(p->table, p->C, r->mean, r->std, r->n_norm);
  SKP_TRY(skp__alloc(&p->column, (size_t)p->W, sizeof *p->column));
  SKP_TRY(skp__alloc(&p->x, (size_t)p->H * (size_t)p->W * (size_t)p->C, sizeof *p->x));
  SKP_TRY(skp__alloc(&p->logits, (size_t)p->classes, sizeof *p->logits));
  for (size_t i = 1; i < c->arguments.n; i++) {
    const char *path = c->arguments.at[i];
    SKP_TRY(read_picture(c, p, path));
    SKP_TRY(run_picture(c, p));
    softmax(p->logits, p->classes);
    if (list)
      add_answers(list, c, path, p, top);
    else
      print_answers(c, path, p, top);
  }
  return SKP_OK;
}

static skp_status images(struct cli *c, int top) {
  const struct skp_graph *g = c->model->graph;
  const int64_t *in = g->tensors.at[g->input].shape.dim;
  struct picture p = {.H = (int)in[1], .W = (int)in[2], .C = (int)in[3], .classes = c->model->recipe.classes};
  if (p.C != 1 && p.C != 3)
    return skp__fail(SKP_UNSUPPORTED, "%s takes images of %d channels; files have 1 or 3.", c->model->name, p.C);
  if (top > p.classes) top = p.classes;
  cJSON *list = cli_said(c, CLI_JSON) ? cJSON_CreateArray() : NULL;
  skp_status status = predict_images(c, &p, top, list);
  skp__image_free(&p.spare);
  free(p.column);
  free(p.x);
  free(p.logits);
  if (status == SKP_OK && list) return cli_print_json(list);
  cJSON_Delete(list);
  return status;
}

/* ---- a data set ------------------------------------------------------------------------------------------------- */

static skp_status write_logits(const char *path, int64_t n, int64_t classes, const float *logits,
                               const struct skp_answer *answers) {
  int32_t *labels;
  SKP_TRY(skp__alloc(&labels, (size_t)n, sizeof *labels));
  for (int64_t i = 0; i < n; i++) labels[i] = answers[i].label;
  char logits_name[] = "logits", labels_name[] = "labels";
  struct skp_st_tensor rows[2] = {
      {.name = logits_name, .dtype = "F32", .rank = 2, .dim = {n, classes}, .data = logits},
      {.name = labels_name, .dtype = "I32", .rank = 1, .dim = {n}, .data = labels},
  };
  skp_status status = skp__st_write(path, rows, 2, NULL, 0);
  free(labels);
  return status;
}

static skp_status predict_set(struct cli *c, const struct skp_source *source) {
  int64_t classes = c->model->recipe.classes;
  struct skp_eval_result result;
  float *logits;
  struct skp_answer *answers = NULL;
  SKP_TRY(skp__alloc(&logits, (size_t)(source->n * classes), sizeof *logits));
  skp_status status = skp__alloc(&answers, (size_t)source->n, sizeof *answers);
  if (status == SKP_OK)
    status = skp__evaluate(c->session, source, c->model->recipe.batch, cli_loader_threads(c), &result, logits, answers);
  if (status == SKP_OK) status = write_logits(c->value[CLI_LOGITS], source->n, classes, logits, answers);
  free(logits);
  free(answers);
  if (status == SKP_OK)
    printf("%s: the answers to %lld images of %s\n", c->value[CLI_LOGITS], (long long)source->n, source->name);
  return status;
}

static skp_status data_set(struct cli *c) {
  struct skp_source *source;
  SKP_TRY(cli_open_data(c, &source, SKP_SPLIT_TEST));
  if (!source) SKP_TRY(cli_open_data(c, &source, SKP_SPLIT_TRAIN));
  skp_status status = predict_set(c, source);
  skp__source_destroy(source);
  return status;
}

skp_status cli_predict(struct cli *c) {
  bool files = c->arguments.n > 1, logits = cli_said(c, CLI_LOGITS), data = false;
  int64_t top;
  for (int i = 0; skp__recipe_fields[i].name; i++)
    data = data || (c->recipe[i] && strcmp(skp__recipe_fields[i].name, "data") == 0);
  SKP_TRY(cli_int(c, CLI_TOP, &top, 1, 1 << 20, 3));
  if (files && (logits || data))
    return skp__fail(SKP_USAGE, "Images and a data set exclude each other: give files, or --data with --logits.");
  if (!files && !logits)
    return skp__fail(SKP_USAGE, data ? "--data needs --logits FILE: where the answers go."
                                     : "Give the images to look at, or a data set (--data with --logits).");
  if (logits && (cli_said(c, CLI_TOP) || cli_said(c, CLI_JSON) || cli_said(c, CLI_INVERT)))
    return skp__fail(SKP_USAGE, "--top, --json and --invert are for images, not for --logits.");
  SKP_TRY(cli_open_checkpoint(c));
  return files ? images(c, (int)top) : data_set(c);
}
