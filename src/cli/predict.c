/* predict.c: skipper predict. SPDX-License-Identifier: MIT */
#include "cli/report.h"
#include "cli/system.h"
#include <math.h>
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

/* Those beyond the list are called by their number. */
static const char *class_name(const struct cli *c, int i, char *text, size_t size) {
  const char *name = skp_model_class_name(c->model, i);
  if (!name) snprintf(text, size, "%d", i);
  return name ? name : text;
}

static void print_prediction(const struct cli *c, const char *path, float *probability, int top) {
  skp_print(stdout, "%s:", path);
  for (int k = 0; k < top; k++) {
    float value;
    char name[16];
    int best = take_best(probability, skp_model_classes(c->model), &value);
    printf("%s %s %.2f %%", k ? "," : "", class_name(c, best, name, sizeof name), 100 * (double)value);
  }
  printf("\n");
}

/* An array has no place for a version: each of its objects has one. `top`, the classes, is taken over. */
static cJSON *add_picture(cJSON *list, const char *path, cJSON *top) {
  cJSON *image = cJSON_CreateObject();
  cJSON_AddItemToArray(list, image);
  cJSON_AddStringToObject(image, "image", path);
  cJSON_AddItemToObject(image, "top", top);
  cJSON_AddNumberToObject(image, "version", SKP_JSON_VERSION);
  return image;
}

/* One of which nothing is told. */
static void add_failure(cJSON *list, const char *path, const char *why) {
  cJSON_AddStringToObject(add_picture(list, path, cJSON_CreateArray()), "error", why);
}

static void add_prediction(cJSON *list, const struct cli *c, const char *path, float *probability, int top) {
  cJSON *predictions = cJSON_CreateArray();
  add_picture(list, path, predictions);
  for (int k = 0; k < top; k++) {
    float value;
    char name[16];
    int best = take_best(probability, skp_model_classes(c->model), &value);
    cJSON *prediction = cJSON_CreateObject();
    cJSON_AddItemToArray(predictions, prediction);
    cJSON_AddNumberToObject(prediction, "index", best);
    cJSON_AddStringToObject(prediction, "class", class_name(c, best, name, sizeof name));
    cJSON_AddNumberToObject(prediction, "probability", (double)value);
  }
}

/* Once, however many. */
static skp_status say_dark(const struct cli *c, const skp_pictures *p) {
  skp_picture file;
  char first[4200] = "";
  long long more = -1;
  for (size_t i = 0; i < skp_pictures_count(p) && !cli_said(c, CLI_INVERT); i++) {
    TRY(skp_pictures_describe(p, i, &file));
    if (!file.dark_on_light) continue;
    if (++more == 0) snprintf(first, sizeof first, "%s", file.path);
  }
  if (more > 0) skp_print(stderr, "%s and %lld more are dark on light; ", first, more);
  if (more == 0) skp_print(stderr, "%s is dark on light; ", first);
  if (more >= 0) skp_print(stderr, "for a network trained on light on dark, as MNIST is, add --invert.\n");
  return SKP_OK;
}

static bool is_finite(const float *row, int n) {
  bool all = true;
  for (int i = 0; i < n; i++) all = all && isfinite(row[i]);
  return all;
}

/* Images without a prediction: files that cannot be read, predictions that are not finite. */
struct missing {
  int64_t bad, lost;
  skp_status why; /* the first of the former has none */
};

static skp_status fail_lost(int64_t lost) {
  return skp_fail(SKP_NUMERIC, "%lld prediction%s infinite or not %s.", (long long)lost, lost == 1 ? " is" : "s are",
                  lost == 1 ? "a number" : "numbers");
}

static skp_status fail_missing(const struct missing *m, const skp_pictures *p) {
  if (m->lost) return fail_lost(m->lost);
  if (!m->bad) return SKP_OK;
  return skp_fail(m->why, "%lld of %zu images could not be read.", (long long)m->bad, skp_pictures_count(p));
}

/* Images without a prediction are said and counted. */
static skp_status show_pictures(const struct cli *c, const skp_pictures *p, float *predictions, int top,
                                struct missing *missing) {
  const int classes = skp_model_classes(c->model);
  const size_t n = skp_pictures_count(p);
  cJSON *list;
  TRY(say_dark(c, p));
  TRY(cli_create_json(c, &list, cJSON_CreateArray));
  for (size_t i = 0; i < n; i++) {
    float *own = predictions + i * (size_t)classes;
    skp_picture file;
    TRY(skp_pictures_describe(p, i, &file));
    if (file.error) {
      skp_print(stderr, "skipper predict: %s\n", file.error);
      if (!missing->bad++) missing->why = file.why;
      if (list) add_failure(list, file.shown, file.error);
    } else if (!is_finite(own, classes)) {
      if (list) add_failure(list, file.shown, "the network's prediction is not finite");
      skp_print(stderr, "skipper predict: %s: the network's prediction is not finite.\n", file.path);
      missing->lost++;
    } else if (list)
      add_prediction(list, c, file.shown, own, top);
    else
      print_prediction(c, file.path, own, top);
  }
  return list ? cli_print_json(list) : SKP_OK;
}

/* The file's own name without its ending, for a file of ours beside others of that name. */
static skp_status explain_picture(const struct cli *c, skp_pictures *p, size_t i) {
  skp_picture file;
  char *path;
  TRY(skp_pictures_describe(p, i, &file));
  if (file.error) return SKP_OK; /* which was said */
  const char *slash = strrchr(file.path, '/'), *name = slash ? slash + 1 : file.path, *dot = strrchr(name, '.');
  TRY(cli_format(&path, "%s/%zu-%.*s.png", c->value[CLI_EXPLAIN], i + 1, (int)(dot ? dot - name : (long)strlen(name)),
                 name));
  skp_status status = skp_pictures_explain(p, c->session, i, path);
  if (status == SKP_OK) skp_print(stderr, "%s\n", path);
  free(path);
  return status;
}

/* Where there is no prediction, nothing is to be explained. */
static skp_status explain(const struct cli *c, skp_pictures *p, const float *predictions) {
  const int classes = skp_model_classes(c->model);
  const char *folder = c->value[CLI_EXPLAIN];
  if (!folder) return SKP_OK;
  const int error = cli_make_folder(folder);
  if (error) return skp_fail(SKP_IO, "Cannot create the folder %s: %s.", folder, strerror(error));
  for (size_t i = 0; i < skp_pictures_count(p); i++)
    if (is_finite(predictions + i * (size_t)classes, classes)) TRY(explain_picture(c, p, i));
  return SKP_OK;
}

static skp_status predict_pictures(struct cli *c, skp_pictures *p, int top) {
  const int classes = skp_model_classes(c->model);
  struct missing missing = {.bad = 0};
  float *predictions;
  TRY(cli_alloc(&predictions, skp_pictures_count(p) * (size_t)classes, sizeof *predictions));
  skp_status status = skp_pictures_predict(p, c->session, SKP_PROBABILITIES, predictions);
  if (status == SKP_OK) status = show_pictures(c, p, predictions, top < classes ? top : classes, &missing);
  if (status == SKP_OK) status = explain(c, p, predictions);
  if (status == SKP_OK) status = fail_missing(&missing, p);
  free(predictions);
  return status;
}

static skp_status pictures(struct cli *c, int top) {
  skp_picture_options options = {.invert = cli_said(c, CLI_INVERT), .report = stderr};
  skp_pictures *p;
  TRY(cli_workers(c, &options.workers));
  TRY(skp_pictures_open(&p, c->model, (const char *const *)c->arguments + 1, (size_t)c->n_arguments - 1, &options));
  skp_status status = predict_pictures(c, p, top);
  skp_pictures_close(p);
  return status;
}

/* ---- a data set ------------------------------------------------------------------------------------------------- */

static skp_status data_set(struct cli *c) {
  skp_testing testing = {.logits = c->value[CLI_LOGITS], .report = stderr};
  skp_score score;
  TRY(cli_workers(c, &testing.workers));
  TRY(cli_labels(c, &testing));
  TRY(cli_open_test(c, false));
  skp_status status = skp_evaluate(c->session, c->data, SKP_BEST_IMAGES, &testing, &score);
  cli_say_damage(c);
  TRY(status);
  skp_print(stdout, "%s: logits of %lld images of %s\n", testing.logits, (long long)score.images,
            skp_data_name(c->data));
  return score.not_finite ? fail_lost(score.not_finite) : SKP_OK;
}

skp_status cli_predict(struct cli *c) {
  bool files = c->n_arguments > 1, logits = cli_said(c, CLI_LOGITS), data = cli_typed_entry(c, "data");
  int64_t top;
  TRY(cli_int(c, CLI_TOP, &top, 1, 1 << 20, 3));
  if (files && (logits || data))
    return skp_fail(SKP_USAGE, "Images and a data set exclude each other: give files, or --data with --logits.");
  if (!files && !logits)
    return skp_fail(SKP_USAGE,
                    data ? "--data needs --logits FILE: where they go."
                         : "Give the images to look at, files or folders, or a data set (--data with --logits).");
  if (logits && (cli_said(c, CLI_TOP) || cli_said(c, CLI_JSON) || cli_said(c, CLI_INVERT) || cli_said(c, CLI_EXPLAIN)))
    return skp_fail(SKP_USAGE, "--top, --json, --invert and --explain are for images, not for --logits.");
  TRY(cli_open_checkpoint(c));
  return files ? pictures(c, (int)top) : data_set(c);
}
