/* predict.c: skipper predict. SPDX-License-Identifier: MIT */
#include "base/utf8.h"
#include "cli/cli.h"
#include "data/pictures.h"
#include "io/safetensors.h"
#include <stdlib.h>
#include <string.h>

/* ---- images ----------------------------------------------------------------------------------------------------- */

/* The most likely class that is left; it is taken out. */
static int take_best(float *probability, int n, float *value) {
  int best = 0;
  for (int i = 1; i < n; i++)
    if (probability[i] > probability[best]) best = i;
  *value = probability[best];
  probability[best] = -1;
  return best;
}

static const char *class_name(const struct cli *c, int i, char *text, size_t size) {
  return skp__class_name(&(struct skp_class_names){c->labels.names, c->labels.known}, i, text, size);
}

static void print_answer(const struct cli *c, const char *path, float *probability, int top) {
  skp_print(stdout, "%s:", path);
  for (int k = 0; k < top; k++) {
    float value;
    char name[16];
    int best = take_best(probability, c->model->recipe.classes, &value);
    printf("%s %s %.2f %%", k ? "," : "", class_name(c, best, name, sizeof name), 100 * (double)value);
  }
  printf("\n");
}

static void add_answer(cJSON *list, const struct cli *c, const char *path, float *probability, int top) {
  cJSON *image = cJSON_CreateObject(), *answers;
  char *shown;
  cJSON_AddItemToArray(list, image);
  if (skp__utf8_escaped(&shown, path) == SKP_OK) cJSON_AddStringToObject(image, "image", shown);
  free(shown);
  answers = cJSON_AddArrayToObject(image, "top");
  for (int k = 0; k < top; k++) {
    float value;
    char name[16];
    int best = take_best(probability, c->model->recipe.classes, &value);
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddItemToArray(answers, answer);
    cJSON_AddNumberToObject(answer, "index", best);
    cJSON_AddStringToObject(answer, "class", class_name(c, best, name, sizeof name));
    cJSON_AddNumberToObject(answer, "probability", (double)value);
  }
}

/* What stands out about a file is said; false: it could not be read. */
static bool say_file(const struct skp__picture *file, bool invert) {
  if (file->error) skp_print(stderr, "skipper predict: %s\n", file->error);
  if (file->dark_on_light && !invert)
    skp_print(stderr, "%s is dark on light; for a network trained on light on dark, as MNIST is, add --invert.\n",
              file->path);
  return !file->error;
}

static skp_status fail_lost(int64_t lost) {
  return skp__fail(SKP_NUMERIC, "%lld answer%s infinite or not %s.", (long long)lost, lost == 1 ? " is" : "s are",
                   lost == 1 ? "a number" : "numbers");
}

/* `list` NULL: text. Files that cannot be read and answers that are not finite are left
 * out, and make the call fail in the end. */
static skp_status show_pictures(const struct cli *c, const struct skp__pictures *p, float *logits, int top,
                                cJSON *list) {
  int classes = c->model->recipe.classes;
  long long bad = 0, lost = 0;
  for (size_t i = 0; i < p->files.n; i++) {
    float *own = logits + (int64_t)i * classes;
    bad += p->files.at[i].error != NULL;
    if (!say_file(&p->files.at[i], p->invert)) continue;
    if (!skp__softmax(own, classes)) {
      skp_print(stderr, "skipper predict: %s: the network's answer is not finite.\n", p->files.at[i].path);
      lost++;
    } else if (list)
      add_answer(list, c, p->files.at[i].path, own, top);
    else
      print_answer(c, p->files.at[i].path, own, top);
  }
  if (list) SKP_TRY(cli_print_json(list));
  if (lost) return fail_lost(lost);
  return bad ? skp__fail(SKP_IO, "%lld of %zu images could not be read.", bad, p->files.n) : SKP_OK;
}

static skp_status predict_pictures(struct cli *c, const struct skp__pictures *p, int top) {
  const struct skp_recipe *r = &c->model->recipe;
  struct skp_eval_result result;
  float *logits;
  int64_t batch = r->batch < p->base.n ? r->batch : p->base.n;
  int workers;
  SKP_TRY(cli_workers(c, &workers));
  SKP_TRY(skp__alloc(&logits, (size_t)(p->base.n * r->classes), sizeof *logits));
  skp_status status = skp__evaluate(c->session, &p->base, batch, workers, &result, logits, NULL);
  if (status == SKP_OK)
    status = show_pictures(c, p, logits, top < r->classes ? top : r->classes,
                           cli_said(c, CLI_JSON) ? cJSON_CreateArray() : NULL);
  free(logits);
  return status;
}

static skp_status pictures(struct cli *c, int top) {
  struct skp__pictures p;
  int C = c->model->recipe.channels;
  if (C != 1 && C != 3)
    return skp__fail(SKP_UNSUPPORTED, "%s takes images of %d channels; files have 1 or 3.", c->model->name, C);
  skp_status status = skp__pictures_open(&p, (const char *const *)c->arguments.at + 1, c->arguments.n - 1, C,
                                         cli_said(c, CLI_INVERT), stderr);
  if (status == SKP_OK) status = predict_pictures(c, &p, top);
  skp__pictures_free(&p);
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
  int workers;
  SKP_TRY(cli_workers(c, &workers));
  SKP_TRY(skp__alloc(&logits, (size_t)(source->n * classes), sizeof *logits));
  skp_status status = skp__alloc(&answers, (size_t)source->n, sizeof *answers);
  if (status == SKP_OK)
    status = skp__evaluate(c->session, source, c->model->recipe.batch, workers, &result, logits, answers);
  cli_say_damage(source, &damaged);
  if (status == SKP_OK) status = write_logits(c->value[CLI_LOGITS], source->n, classes, logits, answers);
  free(logits);
  free(answers);
  if (status != SKP_OK) return status;
  skp_print(stdout, "%s: the answers to %lld images of %s\n", c->value[CLI_LOGITS], (long long)source->n, source->name);
  return result.lost ? fail_lost(result.lost) : SKP_OK;
}

static skp_status data_set(struct cli *c) {
  struct skp_source *source;
  SKP_TRY(cli_open_test(c, &source, false));
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
    return skp__fail(SKP_USAGE,
                     data ? "--data needs --logits FILE: where the answers go."
                          : "Give the images to look at, files or folders, or a data set (--data with --logits).");
  if (logits && (cli_said(c, CLI_TOP) || cli_said(c, CLI_JSON) || cli_said(c, CLI_INVERT)))
    return skp__fail(SKP_USAGE, "--top, --json and --invert are for images, not for --logits.");
  SKP_TRY(cli_open_checkpoint(c));
  return files ? pictures(c, (int)top) : data_set(c);
}
