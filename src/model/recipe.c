/* recipe.c: recipe fields from and to text. SPDX-License-Identifier: MIT */
#include "model/recipe.h"
#include "base/host.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct skp_recipe_field skp__recipe_fields[] = {
#define X(kind, field, fallback, least, most, help)                                                                    \
  {#field, SKP_RECIPE_##kind, offsetof(struct skp_recipe, field), fallback, least, most, help},
    SKP_RECIPE_LIST(X)
#undef X
        {.name = NULL}};

const struct skp_recipe_field *skp__recipe_find(const char *name) {
  const struct skp_recipe_field *f = skp__recipe_fields;
  while (f->name && strcmp(f->name, name) != 0) f++;
  return f->name ? f : NULL;
}

static void *place(const struct skp_recipe *r, const struct skp_recipe_field *f) {
  return (char *)(uintptr_t)r + f->offset;
}

/* "sgd, adam": the words of a choice, or of these the ones that use a field. */
static const char *list_words(char *text, size_t size, const struct skp_recipe_choice *choice, const char *field) {
  *text = 0;
  for (int i = 0; i < choice->n; i++)
    if (choice->name(i) && (!field || choice->uses(i, field)))
      snprintf(text + strlen(text), size - strlen(text), "%s%s", *text ? ", " : "", choice->name(i));
  return text;
}

static skp_status fail_value(const struct skp_recipe_field *f, const char *value) {
  static const char *const kinds[] = {"a text", "a whole number", "a number", "true or false", "numbers"};
  if (f->kind == SKP_RECIPE_TEXT) return skp__fail(SKP_USAGE, "%s \"%s\" is too long.", f->name, value);
  if (f->kind == SKP_RECIPE_BOOL) return skp__fail(SKP_USAGE, "%s is true or false, not \"%s\".", f->name, value);
  const struct skp_recipe_choice *choice = skp__recipe_choice(f->name);
  char words[256];
  return skp__fail(SKP_USAGE, "%s is %s from %.10g to %.10g, not \"%s\" (%s%s%s).", f->name, kinds[f->kind], f->least,
                   f->most, value, f->help, choice ? ": " : "",
                   choice ? list_words(words, sizeof words, choice, NULL) : "");
}

/* Reads one number; *end is where it stops. */
static bool number(double *out, const struct skp_recipe_field *f, const char *text, char **end) {
  *out = strtod(text, end);
  return *end != text && isfinite(*out) && *out >= f->least && *out <= f->most;
}

static bool set_text(struct skp_recipe *r, const struct skp_recipe_field *f, const char *value) {
  return snprintf(place(r, f), sizeof r->data, "%s", value) < (int)sizeof r->data;
}

static const char automatic[] = "auto";

static bool can_be_automatic(const struct skp_recipe_field *f) { return strcmp(f->fallback, automatic) == 0; }

static bool set_number(struct skp_recipe *r, const struct skp_recipe_field *f, const char *value) {
  char *end;
  double x;
  if (can_be_automatic(f) && strcmp(value, automatic) == 0) {
    *(double *)place(r, f) = SKP_RECIPE_AUTO;
    return true;
  }
  if (!number(&x, f, value, &end) || *end) return false;
  if (f->kind == SKP_RECIPE_REAL) {
    *(double *)place(r, f) = x;
    return true;
  }
  *(int64_t *)place(r, f) = (int64_t)x;
  return x == floor(x);
}

static bool set_bool(struct skp_recipe *r, const struct skp_recipe_field *f, const char *value) {
  *(bool *)place(r, f) = strcmp(value, "true") == 0;
  return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
}

/* Known pixels: mean and standard deviation of sets that networks are trained on, by name. (torchvision's weights
 * expect ImageNet's; the others as computed from the training images, in the usual four digits.) */
static const struct pixels {
  const char *name, *mean, *std;
} known_pixels[] = {
    {"imagenet", "0.485,0.456,0.406", "0.229,0.224,0.225"},
    {"cifar10", "0.4914,0.4822,0.4465", "0.247,0.2435,0.2616"},
    {"cifar100", "0.5071,0.4865,0.4409", "0.2673,0.2564,0.2762"},
    {"mnist", "0.1307", "0.3081"},
};
enum { KNOWN_PIXELS = sizeof known_pixels / sizeof *known_pixels };

static const struct pixels *find_pixels(const char *name) {
  for (int i = 0; i < KNOWN_PIXELS; i++)
    if (strcmp(known_pixels[i].name, name) == 0) return &known_pixels[i];
  return NULL;
}

bool skp__recipe_names_pixels(const char *mean) { return find_pixels(mean); }

bool skp__recipe_normalises(const struct skp_recipe *r) {
  return r->mean.n > 1 || r->mean.at[0] != 0 || r->std.n > 1 || r->std.at[0] != 1;
}

/* Numbers with commas between; none only where that is the default. */
static bool set_numbers(struct skp_recipe *r, const struct skp_recipe_field *f, const char *value) {
  skp__recipe_NUMBERS *list = place(r, f);
  int n = 0;
  for (char *end; *value || *f->fallback; value = end + 1) {
    double x;
    if (n == SKP_RECIPE_NUMBERS_MOST || !number(&x, f, value, &end)) return false;
    list->at[n++] = (float)x;
    if (!*end) break;
    if (*end != ',' || !end[1]) return false;
  }
  list->n = n;
  for (int i = n; i < SKP_RECIPE_NUMBERS_MOST; i++) list->at[i] = n ? list->at[n - 1] : 0;
  return true;
}

/* By kind. */
static bool (*const setters[])(struct skp_recipe *, const struct skp_recipe_field *,
                               const char *) = {set_text, set_number, set_number, set_bool, set_numbers};

void skp__recipe_default(struct skp_recipe *r) {
  memset(r, 0, sizeof *r);
  for (const struct skp_recipe_field *f = skp__recipe_fields; f->name; f++) setters[f->kind](r, f, f->fallback);
}

int skp__recipe_norm(const struct skp_recipe *r, float mean[4], float std[4]) {
  int n = r->mean.n > r->std.n ? r->mean.n : r->std.n;
  memcpy(mean, r->mean.at, 4 * sizeof *mean);
  memcpy(std, r->std.at, 4 * sizeof *std);
  return n < 4 ? n : 4;
}

enum { FLOAT, MIXED, PRECISIONS };
static const char *const precisions[PRECISIONS] = {[FLOAT] = "float", [MIXED] = "mixed"};

bool skp__recipe_is_mixed(const struct skp_recipe *r) { return strcmp(r->precision, precisions[MIXED]) == 0; }

enum { STOP, SKIP, ROLL_BACK, ON_NAN_WORDS };
static const char *const on_nan_words[ON_NAN_WORDS] = {[STOP] = "stop", [SKIP] = "skip", [ROLL_BACK] = "rollback"};

bool skp__recipe_skips(const struct skp_recipe *r) { return strcmp(r->on_nan, on_nan_words[SKIP]) == 0; }
bool skp__recipe_rolls_back(const struct skp_recipe *r) { return strcmp(r->on_nan, on_nan_words[ROLL_BACK]) == 0; }

struct skp_augment skp__recipe_augment(const struct skp_recipe *r) {
#define X(kind, field, ...) .field = r->field,
  return (struct skp_augment){SKP_AUGMENT_LIST(X)};
#undef X
}

void skp__recipe_no_augmentation(struct skp_recipe *r) {
  struct skp_recipe fallback;
  skp__recipe_default(&fallback);
#define X(kind, field, ...) r->field = fallback.field;
  SKP_AUGMENT_LIST(X)
#undef X
}

/* The entry that is meant by a name that whoever uses the library has a word for; NULL: none. */
static const struct skp_recipe_field *meant_by(const char *name) {
  char entry[64];
  const char *said = skp__option(name);
  snprintf(entry, sizeof entry, "%s", said + strspn(said, "-"));
  for (char *p = entry; *p; p++)
    if (*p == '-') *p = '_';
  return skp__recipe_find(entry);
}

static skp_status fail_unknown(const char *name) {
  char known[1024] = "";
  const struct skp_recipe_field *meant = meant_by(name);
  if (meant) return skp__fail(SKP_USAGE, "A recipe knows no \"%s\". Did you mean %s?", name, meant->name);
  for (const struct skp_recipe_field *f = skp__recipe_fields; f->name; f++)
    snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", *known ? ", " : "", f->name);
  return skp__fail(SKP_USAGE, "A recipe knows no \"%s\". It knows %s.", name, known);
}

skp_status skp__recipe_set(struct skp_recipe *r, const char *name, const char *value) {
  const struct skp_recipe_field *f = skp__recipe_find(name);
  if (!f) return fail_unknown(name);
  const struct pixels *pixels = find_pixels(value);
  if (pixels && strcmp(name, "mean") == 0) SKP_TRY(skp__recipe_set(r, "std", pixels->std));
  if (pixels && strcmp(name, "mean") == 0) value = pixels->mean;
  if (pixels && strcmp(name, "std") == 0) value = pixels->std;
  struct skp_recipe next = *r; /* a bad value leaves the old one */
  if (!setters[f->kind](&next, f, value)) return fail_value(f, value);
  *r = next;
  return SKP_OK;
}

static void get_numbers(char *text, size_t size, const skp__recipe_NUMBERS *list) {
  *text = 0;
  for (int i = 0; i < list->n; i++)
    snprintf(text + strlen(text), size - strlen(text), "%s%.9g", i ? "," : "", (double)list->at[i]);
}

/* The shortest text that is read back as the same number. */
static void get_real(char *text, size_t size, const struct skp_recipe_field *f, double x) {
  if (can_be_automatic(f) && x == SKP_RECIPE_AUTO) {
    snprintf(text, size, "%s", automatic);
    return;
  }
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(text, size, "%.*g", digits, x);
    if (strtod(text, NULL) == x) return;
  }
}

const char *skp__recipe_get(char *text, size_t size, const struct skp_recipe *r, const struct skp_recipe_field *f) {
  const void *at = place(r, f);
  switch (f->kind) {
  case SKP_RECIPE_TEXT: snprintf(text, size, "%s", (const char *)at); break;
  case SKP_RECIPE_INT: snprintf(text, size, "%lld", (long long)*(const int64_t *)at); break;
  case SKP_RECIPE_REAL: get_real(text, size, f, *(const double *)at); break;
  case SKP_RECIPE_BOOL: snprintf(text, size, "%s", *(const bool *)at ? "true" : "false"); break;
  case SKP_RECIPE_NUMBERS: get_numbers(text, size, at); break;
  }
  return text;
}

/* ---- choices ---------------------------------------------------------------------------------------------------- */

skp_status skp__recipe_fail_choice(const struct skp_recipe_choice *choice, const char *said) {
  char words[256];
  return skp__fail(SKP_USAGE, "There is no %s \"%s\". There are %s.", choice->what, said,
                   list_words(words, sizeof words, choice, NULL));
}

void skp__recipe_reset(struct skp_recipe *r, const struct skp_recipe_choice *choice) {
  char who[256];
  for (const struct skp_recipe_field *f = skp__recipe_fields; f->name; f++)
    if (*list_words(who, sizeof who, choice, f->name)) skp__recipe_set(r, f->name, f->fallback);
}

skp_status skp__recipe_check_unused(const struct skp_recipe *r, const struct skp_recipe_choice *choice, int i) {
  struct skp_recipe fallback;
  char said[SKP_RECIPE_TEXT_MOST], usual[SKP_RECIPE_TEXT_MOST], who[256];
  skp__recipe_default(&fallback);
  for (const struct skp_recipe_field *f = skp__recipe_fields; f->name; f++) {
    if (choice->uses(i, f->name) || !*list_words(who, sizeof who, choice, f->name)) continue;
    skp__recipe_get(said, sizeof said, r, f);
    if (strcmp(said, skp__recipe_get(usual, sizeof usual, &fallback, f)) != 0)
      return skp__fail(SKP_USAGE, "The %s %s does not use %s (%s); %s would.", choice->what, choice->name(i), f->name,
                       said, who);
  }
  return SKP_OK;
}

/* ---- optimizer -------------------------------------------------------------------------------------------------- */

/* An optimizer is an op with a record of what its inputs are. */
static bool updates(const struct skp_op *op) { return op && op->optimizer; }

static bool has_attr(const struct skp_op *op, const char *name) {
  const struct skp_attr *a = op->attrs;
  while (a && a->name && strcmp(a->name, name) != 0) a++;
  return a && a->name;
}

static const char *optimizer_name(int i) { return updates(skp__op(i)) ? skp__op(i)->name : NULL; }
static bool optimizer_uses(int i, const char *field) { return has_attr(skp__op(i), field); }

static const char *pixels_name(int i) { return known_pixels[i].name; }
static const char *on_nan_name(int i) { return on_nan_words[i]; }
static const char *precision_name(int i) { return precisions[i]; }

enum { OPTIMIZER, ON_NAN, MEAN, STD, PRECISION, CHOICES };
static const struct skp_recipe_choice choices[CHOICES] = {
    [OPTIMIZER] = {"optimizer", SKP_OP_COUNT, optimizer_name, optimizer_uses},
    [ON_NAN] = {"on_nan", ON_NAN_WORDS, on_nan_name, NULL},
    [MEAN] = {"mean", KNOWN_PIXELS, pixels_name, NULL},
    [STD] = {"std", KNOWN_PIXELS, pixels_name, NULL},
    [PRECISION] = {"precision", PRECISIONS, precision_name, NULL},
};

const struct skp_recipe_choice *skp__recipe_choice(const char *field) {
  for (int i = 0; i < CHOICES; i++)
    if (strcmp(choices[i].what, field) == 0) return &choices[i];
  return NULL;
}

void skp__recipe_reset_optimizer(struct skp_recipe *r) { skp__recipe_reset(r, &choices[OPTIMIZER]); }

static double as_number(const struct skp_recipe *r, const struct skp_recipe_field *f) {
  const void *at = place(r, f);
  return f->kind == SKP_RECIPE_BOOL  ? (double)*(const bool *)at
         : f->kind == SKP_RECIPE_INT ? (double)*(const int64_t *)at
                                     : *(const double *)at;
}

/* Attributes take the recipe's fields of the same names. */
skp_status skp__recipe_optimizer(const struct skp_op **op, union skp_attrs *attrs, const struct skp_recipe *r) {
  *op = skp__op_by_name(r->optimizer);
  if (!updates(*op)) return skp__recipe_fail_choice(&choices[OPTIMIZER], r->optimizer);
  SKP_TRY(skp__recipe_check_unused(r, &choices[OPTIMIZER], (int)skp__op_id(*op)));
  if (r->nesterov && r->momentum == 0) return skp__fail(SKP_USAGE, "nesterov needs a momentum above 0.");
  skp__attrs_default(*op, attrs);
  for (const struct skp_attr *a = (*op)->attrs; a && a->name; a++) {
    const struct skp_recipe_field *f = skp__recipe_find(a->name);
    if (!f) continue;
    SKP_TRY(skp__attrs_set(*op, attrs, a->name, as_number(r, f)));
  }
  return SKP_OK;
}

skp_status skp__recipe_check(const struct skp_recipe *r) {
  const struct skp_op *op;
  union skp_attrs attrs;
  if ((r->mean.n != 1 && r->mean.n != r->channels) || (r->std.n != 1 && r->std.n != r->channels))
    return skp__fail(SKP_USAGE, "%s and %s take one number or one a channel: %d here.", skp__option("mean"),
                     skp__option("std"), r->channels);
  if (r->resize && r->resize < r->size)
    return skp__fail(SKP_USAGE, "Images resized to %lld have no room for an input of %d × %d; resize them to more.",
                     (long long)r->resize, r->size, r->size);
  bool known = false;
  for (int i = 0; i < ON_NAN_WORDS; i++) known = known || strcmp(r->on_nan, on_nan_words[i]) == 0;
  if (!known) return skp__recipe_fail_choice(&choices[ON_NAN], r->on_nan);
  if (strcmp(r->precision, precisions[FLOAT]) != 0 && !skp__recipe_is_mixed(r))
    return skp__recipe_fail_choice(&choices[PRECISION], r->precision);
  return skp__recipe_optimizer(&op, &attrs, r);
}
