/* open.c: opening what the command line names. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "cli/cli.h"
#include "data/walk.h"
#include "io/onnx.h"
#include "train/schedule.h"
#include <stdlib.h>
#include <string.h>

/* ---- device ----------------------------------------------------------------------------------------------------- */

/* "" on the command line takes back what the environment says. */
static void take(const char **out, const struct cli *c, cli_option o) {
  const char *said = c->value[o];
  if (said) *out = *said ? said : NULL;
}

skp_status cli_device_options(const struct cli *c, skp_device_options *out) {
  SKP_TRY(cli_environment_device(out));
  take(&out->backend, c, CLI_BACKEND);
  take(&out->platform, c, CLI_PLATFORM);
  take(&out->device, c, CLI_DEVICE);
  return SKP_OK;
}

skp_status cli_open_backend(struct cli *c) {
  int64_t threads;
  const char *backend = c->value[CLI_BACKEND];
  bool opencl = !backend || strcmp(backend, "opencl") == 0;
  SKP_TRY(cli_int(c, CLI_THREADS, &threads, 1, 1024, 0));
  if (!opencl && (cli_said(c, CLI_PLATFORM) || cli_said(c, CLI_DEVICE)))
    return skp__fail(SKP_USAGE, "--platform and --device choose an OpenCL device; --backend %s has none.", backend);
  skp_device_options options;
  SKP_TRY(cli_device_options(c, &options));
  options.threads = (int)threads;
  options.trace = cli_said(c, CLI_VERBOSE) ? stderr : NULL;
  SKP_TRY(skp_device_open(&c->backend, &options));
  c->progress.device = c->backend;
  return SKP_OK;
}

skp_status cli_workers(const struct cli *c, int *out) {
  int64_t workers;
  SKP_TRY(cli_int(c, CLI_THREADS, &workers, 1, 1024, skp__loader_workers()));
  SKP_TRY(cli_int(c, CLI_WORKERS, &workers, 0, 1024, workers));
  *out = workers ? (int)workers : 1; /* 0 asks for none beside the device; one it takes to load ahead of it */
  return SKP_OK;
}

/* ---- model ------------------------------------------------------------------------------------------------------ */

static int number_of(const char *field) {
  int i = 0;
  while (strcmp(skp__recipe_fields[i].name, field) != 0) i++;
  return i;
}

/* Whether the command line says something else for a field than `value`. */
static bool said_another(const struct cli *c, const char *field, const char *value) {
  const char *said = c->recipe[number_of(field)];
  return said && strcmp(said, value) != 0;
}

/* An optimizer or a schedule chosen on the command line does without the recipe's settings for another one. */
static void leave_old_settings(const struct cli *c, struct skp_recipe *r) {
  if (said_another(c, "schedule", r->schedule)) skp__schedule_reset(r);
  if (said_another(c, "optimizer", r->optimizer)) skp__recipe_reset_optimizer(r);
}

/* Entries that change nothing while another is at its default. */
static const struct {
  const char *entry, *without;
} idle[] = {{"no_decay", "weight_decay"},
            {"freeze_bn", "freeze"},
            {"crop_reflect", "crop_padding"},
            {"rand_augment_ops", "rand_augment"}};

static skp_status check_idle(const struct cli *c, const struct skp_recipe *r) {
  struct skp_recipe fallback;
  char name[2][32], said[SKP_RECIPE_TEXT_MOST], usual[SKP_RECIPE_TEXT_MOST];
  skp__recipe_default(&fallback);
  for (size_t i = 0; i < sizeof idle / sizeof *idle; i++) {
    if (!said_another(c, idle[i].entry, skp__recipe_fields[number_of(idle[i].entry)].fallback)) continue;
    const struct skp_recipe_field *f = &skp__recipe_fields[number_of(idle[i].without)];
    skp__recipe_get(said, sizeof said, r, f);
    if (strcmp(said, skp__recipe_get(usual, sizeof usual, &fallback, f)) == 0)
      return skp__fail(SKP_USAGE, "--%s changes nothing without --%s.",
                       cli_dashed(name[0], sizeof name[0], idle[i].entry),
                       cli_dashed(name[1], sizeof name[1], idle[i].without));
  }
  return SKP_OK;
}

skp_status cli_override_recipe(struct cli *c) {
  struct skp_recipe *r = &c->model->recipe;
  leave_old_settings(c, r);
  for (int i = 0; skp__recipe_fields[i].name; i++) {
    if (c->recipe[i]) SKP_TRY(skp__recipe_set(r, skp__recipe_fields[i].name, c->recipe[i]));
  }
  SKP_TRY(check_idle(c, r));
  if (cli_said(c, CLI_NO_AUGMENT)) skp__recipe_no_augmentation(r);
  return skp__recipe_check(r);
}

/* A run that is asked to be shorter than the recipe's warms up in the same share of it. */
static void shorten_warmup(const struct cli *c, int64_t usual_epochs) {
  struct skp_recipe *r = &c->model->recipe;
  if (c->recipe[number_of("warmup")] || r->epochs == 0 || r->epochs >= usual_epochs) return;
  r->warmup *= (double)r->epochs / (double)usual_epochs;
}

static bool sets(const struct cli *c, const char *name) {
  bool any = false;
  for (size_t i = 0; i < c->set.n; i++) any = any || strcmp(c->set.at[i].name, name) == 0;
  return any;
}

static skp_status take_known_model(struct cli *c, const struct skp_known_model *known) {
  for (const struct skp_setting *s = known->set; s->name; s++) {
    char *text;
    if (sets(c, s->name)) continue;
    SKP_TRY(skp__format(&text, "%s=%s", s->name, s->value));
    SKP_TRY(cli_add_setting(c, text));
  }
  free(c->arguments.at[0]);
  return skp__strdup(&c->arguments.at[0], known->file);
}

skp_status cli_find_model(struct cli *c) {
  const char *said = c->arguments.at[0];
  const struct skp_known_model *known = skp__model_known(said);
  if (known) return take_known_model(c, known);
  if (!skp__checkpoint_found(said) || skp__onnx_file_found(said)) return SKP_OK;
  return skp__fail(SKP_USAGE,
                   "%s holds a trained network; here a model file is expected, or the name of one that comes along. "
                   "train --resume goes on with a run, train MODEL --init %s begins with its weights.",
                   said, said);
}

skp_status cli_open_model(struct cli *c) {
  SKP_TRY(cli_find_model(c));
  int64_t size;
  SKP_TRY(cli_int(c, CLI_SIZE, &size, 1, 1 << 14, 0));
  SKP_TRY(skp__model_load(&c->model, c->arguments.at[0], c->set.at, c->set.n, (int)size, stderr));
  const int64_t usual_epochs = c->model->recipe.epochs;
  SKP_TRY(cli_override_recipe(c));
  shorten_warmup(c, usual_epochs);
  return SKP_OK;
}

/* Opens the data and lets --set say how many classes they have: those of the training images; where labels are mere
 * numbers the most of all parts, as each file knows only those in it. */
static skp_status take_classes(struct cli *c, const char *data) {
  char *text;
  for (int split = 0; split < SKP_SPLITS; split++) SKP_TRY(skp__source_open(&c->source[split], data, split));
  const struct skp_source *learned = skp__source_learned(c->source[SKP_SPLIT_TRAIN], c->source[SKP_SPLIT_TEST]);
  SKP_TRY(skp__format(&text, "classes=%d", learned->classes));
  return cli_add_setting(c, text);
}

skp_status cli_open_learner(struct cli *c) {
  struct skp_model *head;
  SKP_TRY(cli_find_model(c));
  if (sets(c, "classes")) return cli_open_model(c);
  skp_status status = skp__model_load_head(&head, c->arguments.at[0]);
  if (status != SKP_OK) return cli_open_model(c); /* which fails in the same place, or after what the file prints */
  const char *said = cli_said_entry(c, "data"), *data = said ? said : head->recipe.data;
  if (head->takes_classes && *data) status = take_classes(c, data);
  skp__model_destroy(head);
  return status == SKP_OK ? cli_open_model(c) : status;
}

skp_status cli_init_weights(struct cli *c, uint64_t seed) {
  const char *model = c->arguments.n ? c->arguments.at[0] : NULL;
  const char *file = c->value[CLI_INIT] || !model || !skp__onnx_file_found(model) ? c->value[CLI_INIT] : model;
  const char *mean = cli_said_entry(c, "mean");
  bool std = cli_said_entry(c, "std") || (mean && skp__recipe_names_pixels(mean));
  struct skp_inherit pixels = {&c->model->recipe, !mean, !std};
  SKP_TRY(skp__session_init(c->session, seed));
  if (!file) return SKP_OK;
  skp_print(stderr, "weights  %s\n", file);
  return skp__checkpoint_init(file, c->session, &pixels, stderr);
}

/* One of those that come along, or a file called as they are. */
static bool is_model_file(const char *said) {
  const char *dot = strrchr(said, '.');
  const bool there = skp__file_exists(said) || skp__folder_exists(said);
  return there ? dot && !strcmp(dot, ".lua") && !skp__checkpoint_found(said) : skp__model_known(said) != NULL;
}

/* Networks of other programs may not say how images are normalised. */
static void say_unknown_pixels(const struct cli *c) {
  const bool asks = skp__onnx_file_found(c->arguments.at[0]) && c->model->recipe.channels == 3;
  if (asks && !cli_said_entry(c, "mean") && !cli_said_entry(c, "std") && !skp__recipe_normalises(&c->model->recipe))
    fprintf(stderr, "%s does not say how pixels were normalised; networks of torchvision expect --mean imagenet\n",
            c->arguments.at[0]);
}

skp_status cli_open_checkpoint_model(struct cli *c) {
  if (c->set.n || cli_said(c, CLI_SIZE))
    return skp__fail(
        SKP_USAGE, "%s is a trained network, whose settings and size are fixed: --set and --size go with model files.",
        c->arguments.at[0]);
  if (is_model_file(c->arguments.at[0]))
    return skp__fail(
        SKP_USAGE,
        "%s is a model file, which has no weights yet: skipper train %s makes them. What is wanted here is "
        "the folder of a run, or a checkpoint in it.",
        c->arguments.at[0], c->arguments.at[0]);
  SKP_TRY(skp__checkpoint_model(&c->model, &c->labels, c->arguments.at[0]));
  SKP_TRY(cli_override_recipe(c));
  say_unknown_pixels(c);
  return SKP_OK;
}

skp_status cli_open_checkpoint(struct cli *c) {
  const char *path = c->arguments.at[0];
  SKP_TRY(cli_open_checkpoint_model(c));
  SKP_TRY(cli_open_backend(c));
  SKP_TRY(skp__session_create(&c->session, c->model, c->backend));
  return skp__checkpoint_load_weights(path, c->session, true, NULL);
}

/* ---- data ------------------------------------------------------------------------------------------------------- */

/* What gives a network more classes. */
static void advise_classes(char *text, size_t size, const struct cli *c, int classes) {
  if (cli_said(c, CLI_RESUME))
    snprintf(text, size, "A trained network keeps its number");
  else if (sets(c, "classes"))
    snprintf(text, size, "Leave --set classes out, or say --set classes=%d", classes);
  else if (c->model->takes_classes)
    snprintf(text, size, "Say --set classes=%d", classes);
  else
    snprintf(
        text, size,
        "In %s write args = {classes = %d} and, for the last layer's number, args.classes; then the data decide, or "
        "--set classes=%d",
        c->arguments.at[0], classes, classes);
}

/* Names both numbers, and the first image whose label is beyond the network's classes. */
static skp_status fail_classes(const struct cli *c, const struct skp_source *s) {
  const int classes = c->model->recipe.classes;
  char advice[1024];
  int32_t label = -1;
  int64_t i = 0;
  for (; i < s->n && label < classes; i++) SKP_TRY(s->image(s, i, NULL, &label));
  advise_classes(advice, sizeof advice, c, s->classes);
  return skp__fail(SKP_SHAPE,
                   "%s has %d classes, the network only %d: image %lld has the label %d. %s, or check the labels.",
                   s->name, s->classes, classes, (long long)i - 1, (int)label, advice);
}

/* Size and channels need not fit: the loader makes them what the model takes. */
static skp_status check_fit(const struct cli *c, const struct skp_source *s) {
  const struct skp_recipe *r = &c->model->recipe;
  if (s->C == r->channels || r->channels == 1 || r->channels == 3) return SKP_OK;
  return skp__fail(SKP_SHAPE, "The images of %s have %d channel%s, %s takes %d.", s->name, s->C, s->C == 1 ? "" : "s",
                   c->model->name, r->channels);
}

/* Whether a class's pictures lie in folders: archives often unpack into one of their own, which then is the set. */
static skp_status has_folders(bool *out, const char *path) {
  skp__names loose = {NULL, 0, 0}, folders = {NULL, 0, 0};
  struct skp__tally passed = {.kinds = {.n = 0}};
  skp_status status = skp__walk_top(&loose, &folders, &passed, path);
  *out = folders.n > 0;
  skp__names_free(&loose);
  skp__names_free(&folders);
  skp__tally_free(&passed);
  return status;
}

static skp_status fail_one_class(const struct skp_source *s) {
  char *folder;
  bool set = false;
  SKP_TRY(skp__path_join(&folder, s->place ? s->place : s->name, s->class_names[0]));
  if (s->place && skp__folder_exists(folder)) SKP_TRY(has_folders(&set, folder));
  skp_status status = skp__fail(
      SKP_FORMAT, "%s holds only one class, %s; a network needs at least two to tell apart.%s%s%s", s->name,
      s->class_names[0], set ? " If the set is what lies in it, say --data " : "", set ? folder : "", set ? "." : "");
  free(folder);
  return status;
}

/* Whether there is something to learn, and room for it. Classes of a test that are not
 * among those to train on are none to learn. */
static skp_status check_classes(const struct cli *c, const struct skp_source *s, skp_split split) {
  if (split != SKP_SPLIT_TRAIN && !s->numbered) return SKP_OK;
  if (s->classes > c->model->recipe.classes) return fail_classes(c, s);
  if (s->classes > 1 || split != SKP_SPLIT_TRAIN) return SKP_OK;
  return fail_one_class(s);
}

skp_status cli_max_damaged(const struct cli *c, int64_t *most) {
  const bool strict = cli_said(c, CLI_STRICT);
  SKP_TRY(cli_int(c, CLI_MAX_DAMAGED, most, 0, INT64_MAX, strict ? 0 : SKP_DAMAGE_USUAL));
  return strict && *most ? skp__fail(SKP_USAGE, "--strict bears no damaged image; leave --max-damaged out.") : SKP_OK;
}

static skp_status open_split(struct cli *c, struct skp_source **out, skp_split split) {
  const char *data = c->model->recipe.data;
  int64_t most;
  if (!*data) return skp__fail(SKP_USAGE, "The model's recipe names no data; choose some with --data DIR.");
  *out = c->source[split];
  c->source[split] = NULL;
  if (!*out) SKP_TRY(skp__source_open(out, data, split));
  if (!*out) return SKP_OK;
  if ((*out)->remarks) fputs((*out)->remarks, stderr);
  SKP_TRY(cli_max_damaged(c, &most));
  SKP_TRY(skp__damage_bear((*out)->damage, most));
  return check_fit(c, *out);
}

/* Leaves nothing open after a failure. */
static skp_status settle(struct skp_source **out, skp_status status) {
  if (status == SKP_OK) return SKP_OK;
  skp__source_destroy(*out);
  *out = NULL;
  return status;
}

skp_status cli_open_data(struct cli *c, struct skp_source **out, skp_split split) {
  *out = NULL;
  skp_status status = open_split(c, out, split);
  if (status == SKP_OK && *out) status = check_classes(c, *out, split);
  return settle(out, status);
}

/* ---- data for a trained network --------------------------------------------------------------------------------- */

static skp_status want_by_number(const struct cli *c, bool *by_number) {
  const char *how = c->value[CLI_LABELS];
  *by_number = how && strcmp(how, "number") == 0;
  if (!how || *by_number || strcmp(how, "name") == 0) return SKP_OK;
  return skp__fail(SKP_USAGE, "--labels is name or number, not \"%s\".", how);
}

static void list_names(struct skp__text *text, char *const *names, int n) {
  enum { SHOWN = 10 };
  for (int i = 0; i < n && i < SHOWN; i++) skp__text_add(text, "%s%s", i ? ", " : "", names[i]);
  if (n > SHOWN) skp__text_add(text, " and %d more", n - SHOWN);
}

void cli_say_unknown(const struct skp_source *s) {
  const struct skp_unknown *u = &s->unknown;
  struct skp__text names = {.n = 0};
  char n[32], all[32];
  list_names(&names, u->names, u->classes);
  if (!u->images) return;
  skp_print(stderr, "%s of the %s images of %s %s of %d unknown class%s and %s not count: %s\n",
            cli_grouped(n, sizeof n, u->images), cli_grouped(all, sizeof all, s->n), s->name,
            u->images == 1 ? "is" : "are", u->classes, u->classes == 1 ? "" : "es", u->images == 1 ? "does" : "do",
            names.at);
}

static skp_status fail_names(const struct cli *c, const struct skp_source *s) {
  struct skp__text here = {.n = 0}, known = {.n = 0};
  list_names(&here, s->unknown.names, s->unknown.classes);
  list_names(&known, c->labels.names, c->labels.known);
  return skp__fail(
      SKP_SHAPE,
      "The classes of %s cannot be told from their names: %s (%s), whereas the network learned %s. If their "
      "order is the same all the same, say --labels number.",
      s->name, s->numbered ? "its labels are mere numbers" : "it has", here.at, known.at);
}

/* Makes the labels those of the network. */
static skp_status relabel(const struct cli *c, struct skp_source **s) {
  bool by_number;
  struct skp_source *whole = *s;
  SKP_TRY(want_by_number(c, &by_number));
  *s = NULL;
  SKP_TRY(skp__source_relabel(s, whole, &c->labels, by_number));
  if (!by_number && skp__labels_by_number(&c->labels, whole))
    fprintf(stderr, "The network knows %s: labels go by number.\n",
            c->labels.known ? "its classes by their numbers in such files" : "no names of its classes");
  if ((*s)->unknown.images == (*s)->n) return fail_names(c, *s);
  cli_say_unknown(*s);
  return SKP_OK;
}

/* The parts that a trained network may be tried on, the best first. */
static const struct {
  skp_split split;
  const char *name;
} trials[] = {{SKP_SPLIT_TEST, "test"}, {SKP_SPLIT_VALID, "validation"}, {SKP_SPLIT_TRAIN, "training"}};

static skp_status open_test(struct cli *c, struct skp_source **out, bool labelled) {
  int i = 0;
  for (;; i++) {
    SKP_TRY(open_split(c, out, trials[i].split));
    if (trials[i].split == SKP_SPLIT_TRAIN || (*out && ((*out)->classes || !labelled))) break;
    if (*out) skp_print(stderr, "No classes are known of the pictures in %s.\n", (*out)->place);
    skp__source_destroy(*out);
    *out = NULL;
  }
  if (i) skp_print(stderr, "%s has no test images: its %s images are used.\n", (*out)->name, trials[i].name);
  return relabel(c, out);
}

skp_status cli_open_test(struct cli *c, struct skp_source **out, bool labelled) {
  *out = NULL;
  return settle(out, open_test(c, out, labelled));
}

void cli_say_damage(const struct skp_source *s, int64_t *said) {
  struct skp__text text = {.n = 0};
  char some[32], all[32];
  int64_t n = s ? skp__damage_list(s->damage, *said, &text) : 0;
  if (n > *said)
    fprintf(stderr, "%s of the %s images of %s %s %s and passed over:%s\n", cli_grouped(some, sizeof some, n),
            cli_grouped(all, sizeof all, s->n), s->name, n == 1 ? "is" : "are", skp__damage_word(s->damage, *said),
            text.at);
  if (n > *said) *said = n;
}
