/* metrics.c: what a network's predictions are worth, and where it errs. SPDX-License-Identifier: MIT */
#include "train/evaluate/metrics.h"
#include "base/file.h"
#include "base/finite.h"
#include "base/pairs.h"
#include "io/table.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one prediction --------------------------------------------------------------------------------------------- */

/* Whether logit a is ahead of logit b, which stands before it in the row or not. */
static bool ahead(float a, float b, bool before) { return before ? a >= b : a > b; }

static bool all_finite(const float *logits, int classes) {
  int64_t first;
  return !skp__nonfinite(logits, classes, &first);
}

bool skp__softmax(float *logits, int n) {
  float most = logits[0];
  double sum = 0;
  if (!all_finite(logits, n)) return false;
  for (int i = 1; i < n; i++) most = fmaxf(most, logits[i]);
  for (int i = 0; i < n; i++) sum += exp((double)(logits[i] - most));
  for (int i = 0; i < n; i++) logits[i] = (float)(exp((double)(logits[i] - most)) / sum);
  return true;
}

struct skp_prediction skp__prediction(const float *logits, int classes, int32_t label) {
  struct skp_prediction a = {.label = label};
  double sum = 0;
  if (!all_finite(logits, classes))
    return (struct skp_prediction){.label = label,
                                   .predicted = -1,
                                   .rank = label < 0 ? 0 : classes,
                                   .loss = label < 0 ? 0 : NAN,
                                   .confidence = NAN};
  for (int k = 1; k < classes; k++)
    if (ahead(logits[k], logits[a.predicted], false)) a.predicted = k;
  for (int k = 0; k < classes; k++) sum += exp((double)logits[k] - (double)logits[a.predicted]);
  a.confidence = (float)(1 / sum);
  if (label < 0) return a;
  a.loss = (float)fmin(log(sum) + (double)logits[a.predicted] - (double)logits[label], (double)FLT_MAX);
  for (int k = 0; k < classes; k++) a.rank += k != label && ahead(logits[k], logits[label], k < label);
  return a;
}

/* ---- the report ------------------------------------------------------------------------------------------------- */

static void count(struct skp_report *r, const struct skp_prediction *a) {
  r->of_class[a->label].images++;
  if (a->predicted < 0) return;
  r->confusion[(int64_t)a->label * r->classes + a->predicted]++;
  r->of_class[a->predicted].predicted++;
  r->of_class[a->label].right += a->label == a->predicted;
}

static double ratio(int64_t part, int64_t of) { return of ? (double)part / (double)of : NAN; }

struct rank {
  float loss;
  int64_t image;
};

static int by_loss(const void *a, const void *b) {
  const struct rank *x = a, *y = b;
  if (isnan(x->loss) != isnan(y->loss)) return isnan(x->loss) ? -1 : 1;
  if (x->loss < y->loss || x->loss > y->loss) return x->loss > y->loss ? -1 : 1;
  return x->image < y->image ? -1 : x->image > y->image;
}

static skp_status find_worst(struct skp_report *r, const struct skp_prediction *predictions, int64_t n, int64_t most) {
  struct rank *rank;
  int64_t labels = 0;
  SKP_TRY(skp__alloc(&rank, (size_t)n, sizeof *rank));
  for (int64_t i = 0; i < n; i++)
    if (predictions[i].label >= 0) rank[labels++] = (struct rank){predictions[i].loss, i};
  qsort(rank, (size_t)labels, sizeof *rank, by_loss);
  r->worsts = labels < most ? labels : most;
  skp_status status = skp__alloc(&r->worst, (size_t)r->worsts, sizeof *r->worst);
  for (int64_t i = 0; i < r->worsts && status == SKP_OK; i++) r->worst[i] = rank[i].image;
  free(rank);
  return status;
}

/* The images of a pair that are kept, by confidence. */
struct examples {
  int64_t image[SKP_PAIR_IMAGES];
  int n;
};

static void keep_example(struct examples *e, const struct skp_prediction *of, int64_t image) {
  int at = e->n;
  while (at > 0 && of[e->image[at - 1]].confidence < of[image].confidence) at--;
  if (at == SKP_PAIR_IMAGES) return;
  if (e->n < SKP_PAIR_IMAGES) e->n++;
  for (int i = e->n - 1; i > at; i--) e->image[i] = e->image[i - 1];
  e->image[at] = image;
}

static double confusions(const void *user, size_t label, size_t predicted) {
  const struct skp_report *r = user;
  return (double)r->confusion[label * (size_t)r->classes + predicted];
}

static skp_status find_confused(struct skp_report *r, const struct skp_prediction *predictions, int64_t n) {
  struct skp__pair pair[SKP_PAIRS];
  struct examples of[SKP_PAIRS] = {{.n = 0}};
  const size_t pairs = skp__pairs(pair, &(struct skp__counts){(size_t)r->classes, confusions, r});
  for (int64_t i = 0; i < n; i++) {
    const struct skp_prediction *a = &predictions[i];
    if (a->label < 0 || a->predicted < 0 || a->predicted == a->label) continue;
    for (size_t k = 0; k < pairs; k++)
      if (pair[k].is == (size_t)a->label && pair[k].taken == (size_t)a->predicted) keep_example(&of[k], predictions, i);
  }
  SKP_TRY(skp__alloc(&r->confused, SKP_PAIRS * SKP_PAIR_IMAGES, sizeof *r->confused));
  for (size_t k = 0; k < pairs; k++)
    for (int i = 0; i < of[k].n; i++) r->confused[r->confuseds++] = of[k].image[i];
  return SKP_OK;
}

skp_status skp__report_create(struct skp_report *out, const struct skp_prediction *predictions, int64_t n, int classes,
                              int64_t most) {
  *out = (struct skp_report){.classes = classes};
  SKP_TRY(skp__alloc(&out->confusion, (size_t)classes * (size_t)classes, sizeof *out->confusion));
  SKP_TRY(skp__alloc(&out->of_class, (size_t)classes, sizeof *out->of_class));
  for (int64_t i = 0; i < n; i++)
    if (predictions[i].label >= 0) count(out, &predictions[i]);
  for (int k = 0; k < classes; k++) {
    struct skp_class_report *c = &out->of_class[k];
    c->precision = ratio(c->right, c->predicted);
    c->recall = ratio(c->right, c->images);
    c->f1 = ratio(2 * c->right, c->images + c->predicted);
  }
  SKP_TRY(find_confused(out, predictions, n));
  return find_worst(out, predictions, n, most);
}

void skp__report_free(struct skp_report *r) {
  free(r->confusion);
  free(r->of_class);
  free(r->worst);
  free(r->confused);
  *r = (struct skp_report){.classes = 0};
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

bool skp__class_listed(const struct skp_report *r, const struct skp_class_names *names, int i) {
  return i < names->n || r->of_class[i].images || r->of_class[i].predicted;
}

const char *skp__class_name(const struct skp_class_names *names, int i, char *text, size_t size) {
  if (i < names->n) return names->at[i];
  snprintf(text, size, "%d", i);
  return text;
}

struct report_text {
  const struct skp_report *r;
  const struct skp_prediction *predictions;
  const struct skp_source *source;
  const struct skp_class_names *names;
  FILE *to;
};

static void put_class(const struct report_text *t, int i) {
  char number[16];
  skp__table_put(t->to, skp__class_name(t->names, i, number, sizeof number));
}

/* A ratio, or nothing where there is none. */
static void put_ratio(FILE *to, double x) {
  if (isnan(x))
    fputc(',', to);
  else
    fprintf(to, ",%.6g", x);
}

static void put_confusion(const struct report_text *t) {
  int classes = t->r->classes;
  fputs("class", t->to);
  for (int k = 0; k < classes; k++) {
    if (!skp__class_listed(t->r, t->names, k)) continue;
    fputc(',', t->to);
    put_class(t, k);
  }
  for (int label = 0; label < classes; label++) {
    if (!skp__class_listed(t->r, t->names, label)) continue;
    fputc('\n', t->to);
    put_class(t, label);
    for (int k = 0; k < classes; k++)
      if (skp__class_listed(t->r, t->names, k))
        fprintf(t->to, ",%lld", (long long)t->r->confusion[(int64_t)label * classes + k]);
  }
  fputc('\n', t->to);
}

static void put_classes(const struct report_text *t) {
  fputs("class,images,predicted,right,precision,recall,f1\n", t->to);
  for (int k = 0; k < t->r->classes; k++) {
    const struct skp_class_report *c = &t->r->of_class[k];
    if (!skp__class_listed(t->r, t->names, k)) continue;
    put_class(t, k);
    fprintf(t->to, ",%lld,%lld,%lld", (long long)c->images, (long long)c->predicted, (long long)c->right);
    put_ratio(t->to, c->precision);
    put_ratio(t->to, c->recall);
    put_ratio(t->to, c->f1);
    fputc('\n', t->to);
  }
}

static void put_images(const struct report_text *t, const int64_t *images, int64_t n) {
  fputs("image,name,class,prediction,loss,confidence\n", t->to);
  for (int64_t i = 0; i < n; i++) {
    const int64_t image = images[i];
    const struct skp_prediction *a = &t->predictions[image];
    char text[SKP_SAMPLE_NAME];
    fprintf(t->to, "%lld,", (long long)image);
    skp__table_put(t->to, skp__source_name_of(t->source, image, text));
    fputc(',', t->to);
    put_class(t, a->label);
    fputc(',', t->to);
    if (a->predicted >= 0) put_class(t, a->predicted);
    put_ratio(t->to, (double)a->loss);
    put_ratio(t->to, (double)a->confidence);
    fputc('\n', t->to);
  }
}

static void put_worst(const struct report_text *t) { put_images(t, t->r->worst, t->r->worsts); }
static void put_confused(const struct report_text *t) { put_images(t, t->r->confused, t->r->confuseds); }

static const struct {
  const char *name;
  void (*put)(const struct report_text *t);
} files[] = {{"confusion.csv", put_confusion},
             {"classes.csv", put_classes},
             {"worst.csv", put_worst},
             {"confused.csv", put_confused}};

struct report_file {
  struct report_text text;
  void (*put)(const struct report_text *t);
};

static void put_file(FILE *to, void *user) {
  struct report_file *f = user;
  f->text.to = to;
  f->put(&f->text);
}

skp_status skp__report_write(const struct skp_report *r, const struct skp_prediction *predictions,
                             const struct skp_source *source, const struct skp_class_names *names, const char *folder) {
  skp_status status = skp__folder_create(folder);
  for (size_t i = 0; i < sizeof files / sizeof *files && status == SKP_OK; i++) {
    struct report_file file = {{r, predictions, source, names, NULL}, files[i].put};
    char *path;
    SKP_TRY(skp__path_join(&path, folder, files[i].name));
    status = skp__file_print_atomic(path, put_file, &file);
    free(path);
  }
  return status;
}
