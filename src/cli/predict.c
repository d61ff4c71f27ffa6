/* predict.c: skipper predict. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "io/safetensors.h"
#include "train/session.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- images that the command line names, as a source --------------------------------------------------------------- */

struct pictures {
  struct skp_source base;
  const struct cli *c;
};

static bool dark_on_light(const struct skp_image *image) {
  int H = image->H, W = image->W;
  double sum = 0;
  for (int h = 0; h < H; h++)
    for (int w = 0; w < W; w++)
      if (h == 0 || w == 0 || h == H - 1 || w == W - 1) sum += image->pixels[h * W + w];
  return H > 1 && W > 1 && sum / (2 * (H + W) - 4) > 127;
}

static skp_status read_picture(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  const struct cli *c = ((const struct pictures *)s)->c;
  const char *path = c->arguments.at[i + 1];
  *label = -1;
  SKP_TRY(skp__image_read(out, path, s->C));
  if (cli_said(c, CLI_INVERT))
    for (int p = 0; p < out->H * out->W * out->C; p++) out->pixels[p] = (uint8_t)(255 - out->pixels[p]);
  else if (out->C == 1 && dark_on_light(out))
    fprintf(stderr, "%s is dark on light; for a network trained on light on dark, as MNIST is, add --invert.\n", path);
  return SKP_OK;
}

/* Loads them one by one, made what the network takes. */
static skp_status load_pictures(struct skp_loader **out, struct pictures *s, const struct skp_recipe *r) {
  static char name[] = "the command line";
  struct skp_loader_options o = {.batch = 1, .threads = 1, .depth = 2};
  s->base = (struct skp_source){.name = name,
                                .n = (int64_t)s->c->arguments.n - 1,
                                .C = r->channels,
                                .classes = r->classes,
                                .image = read_picture};
  skp__session_loading(&o, r, false);
  return skp__loader_create(out, &s->base, &o);
}

/* ---- one of them ---------------------------------------------------------------------------------------------------- */

/* Makes logits[classes] of the next picture. */
static skp_status run_picture(struct cli *c, float *logits, const struct skp_batch *batch) {
  struct skp_plan *plan;
  struct skp_backend *b = c->backend;
  SKP_TRY(skp__session_eval_plan(c->session, &plan, 1));
  const struct skp_graph *g = skp__plan_graph(plan);
  SKP_TRY(skp__session_feed(c->session, plan, batch));
  SKP_TRY(skp__plan_run(plan));
  return skp__backend_read_now(b, skp__plan_buffer(plan, g->logits), 0, logits, 4L * c->model->recipe.classes);
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

static void print_answers(const struct cli *c, const char *path, float *probability, int top) {
  printf("%s:", path);
  for (int k = 0; k < top; k++) {
    int best = take_best(probability, c->model->recipe.classes);
    printf("%s %s %.2f %%", k ? "," : "", c->class_names[best], 100 * (double)probability[best]);
    probability[best] = -1;
  }
  printf("\n");
}

static void add_answers(cJSON *list, const struct cli *c, const char *path, float *probability, int top) {
  cJSON *image = cJSON_CreateObject(), *answers;
  cJSON_AddItemToArray(list, image);
  cJSON_AddStringToObject(image, "image", path);
  answers = cJSON_AddArrayToObject(image, "top");
  for (int k = 0; k < top; k++) {
    int best = take_best(probability, c->model->recipe.classes);
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddItemToArray(answers, answer);
    cJSON_AddNumberToObject(answer, "index", best);
    cJSON_AddStringToObject(answer, "class", c->class_names[best]);
    cJSON_AddNumberToObject(answer, "probability", (double)probability[best]);
    probability[best] = -1;
  }
}

/* `list` NULL: text. */
static skp_status answer(struct cli *c, struct skp_loader *loader, float *logits, int top, cJSON *list) {
  int classes = c->model->recipe.classes;
  for (size_t i = 1; i < c->arguments.n; i++) {
    const char *path = c->arguments.at[i];
    struct skp_batch *batch;
    SKP_TRY(skp__loader_next(loader, &batch, NULL));
    SKP_TRY(run_picture(c, logits, batch));
    skp__loader_give_back(loader, batch);
    softmax(logits, classes);
    if (list)
      add_answers(list, c, path, logits, top);
    else
      print_answers(c, path, logits, top);
  }
  return SKP_OK;
}

static skp_status images(struct cli *c, int top) {
  const struct skp_recipe *r = &c->model->recipe;
  struct pictures pictures = {.c = c};
  struct skp_loader *loader = NULL;
  float *logits;
  if (r->channels != 1 && r->channels != 3)
    return skp__fail(SKP_UNSUPPORTED, "%s takes images of %d channels; files have 1 or 3.", c->model->name,
                     r->channels);
  SKP_TRY(skp__alloc(&logits, (size_t)r->classes, sizeof *logits));
  cJSON *list = cli_said(c, CLI_JSON) ? cJSON_CreateArray() : NULL;
  skp_status status = load_pictures(&loader, &pictures, r);
  if (status == SKP_OK) status = answer(c, loader, logits, top < r->classes ? top : r->classes, list);
  skp__loader_destroy(loader);
  free(logits);
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
  int64_t damaged = 0;
  SKP_TRY(skp__alloc(&logits, (size_t)(source->n * classes), sizeof *logits));
  skp_status status = skp__alloc(&answers, (size_t)source->n, sizeof *answers);
  if (status == SKP_OK)
    status = skp__evaluate(c->session, source, c->model->recipe.batch, cli_loader_threads(c), &result, logits, answers);
  cli_say_damage(source, &damaged);
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
  bool files = c->arguments.n > 1, logits = cli_said(c, CLI_LOGITS), data = cli_said_entry(c, "data");
  int64_t top;
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
