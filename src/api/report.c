/* report.c: where a network errs. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include <stdlib.h>

/* Copies the names of classes; those beyond the list are called by their number. */
static skp_status copy_classes(struct skp_api_report *r, const struct skp_class_names *names) {
  r->known = names->n < r->r.classes ? names->n : r->r.classes;
  SKP_TRY(skp__alloc(&r->class_names, (size_t)r->r.classes, sizeof *r->class_names));
  for (int i = 0; i < r->r.classes; i++) {
    char number[16];
    SKP_TRY(skp__strdup(&r->class_names[i], skp__class_name(names, i, number, sizeof number)));
  }
  return SKP_OK;
}

static skp_status copy_images(struct skp_api_report *r, const struct skp_prediction *predictions,
                              const struct skp_source *s) {
  SKP_TRY(skp__alloc(&r->image_names, (size_t)r->r.worsts, sizeof *r->image_names));
  SKP_TRY(skp__alloc(&r->predictions, (size_t)r->r.worsts, sizeof *r->predictions));
  for (int64_t i = 0; i < r->r.worsts; i++) {
    char text[SKP_SAMPLE_NAME];
    const int64_t image = r->r.worst[i];
    r->predictions[i] = predictions[image];
    SKP_TRY(skp__strdup(&r->image_names[i], skp__source_name_of(s, image, text)));
  }
  return SKP_OK;
}

static skp_status copy_unknown(struct skp_api_report *r, const struct skp_unknown *u) {
  SKP_TRY(skp__alloc(&r->unknown, (size_t)u->classes, sizeof *r->unknown));
  for (; r->unknowns < u->classes; r->unknowns++) SKP_TRY(skp__strdup(&r->unknown[r->unknowns], u->names[r->unknowns]));
  return SKP_OK;
}

skp_status skp__api_report(struct skp_api_report **out, struct skp_report *r, const struct skp_prediction *predictions,
                           const struct skp_source *source, const struct skp_class_names *names) {
  struct skp_api_report *made;
  *out = NULL;
  skp_status status = skp__alloc(&made, 1, sizeof *made);
  if (status != SKP_OK) {
    skp__report_free(r);
    return status;
  }
  made->r = *r;
  *r = (struct skp_report){.classes = 0};
  status = copy_classes(made, names);
  if (status == SKP_OK) status = copy_images(made, predictions, source);
  if (status == SKP_OK) status = copy_unknown(made, &source->unknown);
  if (status == SKP_OK)
    *out = made;
  else
    skp__api_report_free(made);
  return status;
}

static void free_texts(char **texts, int64_t n) {
  for (int64_t i = 0; texts && i < n; i++) free(texts[i]);
  free(texts);
}

void skp__api_report_free(struct skp_api_report *r) {
  if (!r) return;
  free_texts(r->class_names, r->r.classes);
  free_texts(r->image_names, r->r.worsts);
  free_texts(r->unknown, r->unknowns);
  free(r->predictions);
  skp__report_free(&r->r);
  free(r);
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

int skp_report_classes(const skp_report *report) { return report->r.classes; }

skp_status skp_report_class(const skp_report *report, int i, skp_class_score *out) {
  const struct skp_class_names names = {report->class_names, report->known};
  *out = (skp_class_score){0};
  if (i < 0 || i >= report->r.classes)
    return skp__fail(SKP_USAGE, "There is no class %d; there are %d, from 0 on.", i, report->r.classes);
  const struct skp_class_report *c = &report->r.of_class[i];
  *out = (skp_class_score){.name = report->class_names[i],
                           .listed = skp__class_listed(&report->r, &names, i),
                           .images = c->images,
                           .predicted = c->predicted,
                           .right = c->right,
                           .precision = c->precision,
                           .recall = c->recall,
                           .f1 = c->f1};
  return SKP_OK;
}

int64_t skp_report_confusion(const skp_report *report, int label, int taken) {
  return report->r.confusion[(int64_t)label * report->r.classes + taken];
}

int64_t skp_report_images(const skp_report *report) { return report->r.worsts; }

skp_status skp_report_image(const skp_report *report, int64_t i, skp_image_score *out) {
  *out = (skp_image_score){0};
  if (i < 0 || i >= report->r.worsts)
    return skp__fail(SKP_USAGE, "There is no image %lld in the report; it lists %lld, from 0 on.", (long long)i,
                     (long long)report->r.worsts);
  const struct skp_prediction *a = &report->predictions[i];
  *out = (skp_image_score){.image = report->r.worst[i],
                           .name = report->image_names[i],
                           .label = report->class_names[a->label],
                           .prediction = a->predicted < 0 ? NULL : report->class_names[a->predicted],
                           .right = a->predicted == a->label,
                           .loss = (double)a->loss,
                           .confidence = (double)a->confidence};
  return SKP_OK;
}

const char *skp_report_unknown(const skp_report *report, int i) {
  return i >= 0 && i < report->unknowns ? report->unknown[i] : NULL;
}
