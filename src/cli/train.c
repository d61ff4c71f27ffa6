/* train.c: skipper train. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/file.h"
#include "cli/ending.h"
#include "train/parts.h"
#include "train/schedule.h"
#include "train/sets.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct training {
  struct cli *c;
  struct skp_train_options o;
  int64_t frozen;                      /* numbers that the recipe leaves as they are */
  struct skp_source *part[SKP_SPLITS]; /* as they were opened; NULL: there is no such part */
  struct skp__sets sets;               /* what the run makes of them */
  int64_t *of;                         /* [classes] images to train on; NULL where there is no data */
  struct skp_resume *resume;           /* NULL: a run begins */
  char *out, *board;
  size_t existing;             /* letters of the folder's path that were there before us */
  bool no_hang_up;             /* SIGHUP is ignored */
  int64_t damaged[SKP_SPLITS]; /* images of each part of which was spoken */
};

/* ---- stopping --------------------------------------------------------------------------------------------------- */

static atomic_int stop; /* the signal that asked for it */

static void on_signal(int number) {
  static const char word[] = "\nStopping after this step, then saving; once more ends at once.\n";
  if (stop) _exit(128 + number);
  stop = number;
  if (write(STDERR_FILENO, word, sizeof word - 1) < 0) return; /* nowhere to say it */
}

/* Whether the caller wants a hang-up to be ignored (nohup): asked before a driver sets
 * handlers of its own, as PoCL's LLVM does. */
static bool hang_up_ignored(void) {
  struct sigaction now;
  return !sigaction(SIGHUP, NULL, &now) && now.sa_handler == SIG_IGN;
}

/* Takes the signals over from such a driver. */
static void catch_signals(bool ignore_hang_up) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  if (ignore_hang_up) action.sa_handler = SIG_IGN;
  sigaction(SIGHUP, &action, NULL);
  signal(SIGXFSZ, SIG_IGN); /* as main wants it */
}

/* ---- the run's folder ------------------------------------------------------------------------------------------- */

static const char runs[] = "runs";

/* runs/NAME-N with the first N that is free: whoever makes the folder has it. */
static skp_status new_folder(char **out, const char *name) {
  for (int n = 1;; n++) {
    SKP_TRY(skp__folder_create(runs));
    SKP_TRY(skp__format(out, "%s/%s-%d", runs, name, n));
    if (!mkdir(*out, 0777)) return SKP_OK;
    int error = errno;
    if (error == ENOENT) n--; /* another process, which failed, has just removed the empty `runs` */
    skp_status status = error == EEXIST || error == ENOENT
                            ? SKP_OK
                            : skp__fail(SKP_IO, "Cannot create the folder %s: %s.", *out, strerror(error));
    free(*out);
    *out = NULL;
    SKP_TRY(status);
  }
}

/* Cuts a path's last part off, and the slashes before it; its length then. */
static size_t cut(char *path) {
  size_t n = strlen(path);
  while (n && path[n - 1] == '/') n--;
  while (n && path[n - 1] != '/') n--;
  while (n && path[n - 1] == '/') n--;
  path[n] = 0;
  return n;
}

/* How many letters of a path name what is there. */
static skp_status find_existing(size_t *out, const char *path) {
  char *part;
  SKP_TRY(skp__strdup(&part, path));
  for (*out = strlen(part); *out && !skp__folder_exists(part);) *out = cut(part);
  free(part);
  return SKP_OK;
}

static skp_status choose_folder(struct training *t) {
  const char *said = t->out ? t->out : t->c->value[CLI_OUT];
  if (said && !*said) return skp__fail(SKP_USAGE, "--out wants the name of a folder, not nothing.");
  SKP_TRY(find_existing(&t->existing, said ? said : runs));
  if (!t->out) SKP_TRY(said ? skp__strdup(&t->out, said) : new_folder(&t->out, t->c->model->name));
  return skp__run_check(t->out, t->c->model);
}

/* After a run that did not begin: the folders that were made for it go, unless there is something in them. */
static void forget_folder(struct training *t) {
  for (size_t n = strlen(t->out); n > t->existing && !rmdir(t->out);) n = cut(t->out);
}

/* ---- what is going to happen ------------------------------------------------------------------------------------ */

static void say_model(const struct cli *c) {
  const struct skp_graph *g = c->model->graph;
  const int64_t *in = g->tensors.at[g->input].shape.dim;
  char n[32], classes[32];
  skp_print(stderr, "model    %s: %s parameters, %lld×%lld×%lld in, %s classes\n", c->model->name,
            cli_grouped(n, sizeof n, cli_count_parameters(g)), (long long)in[1], (long long)in[2], (long long)in[3],
            cli_grouped(classes, sizeof classes, c->model->recipe.classes));
}

/* What is made of images that are not what the network takes. */
static void say_fit(const struct skp_source *s, const struct skp_recipe *r) {
  if (s->H == r->size && s->W == r->size && s->C == r->channels) return;
  if (s->H)
    fprintf(stderr, "; %d×%d×%d is made %d×%d×%d", s->H, s->W, s->C, r->size, r->size, r->channels);
  else
    fprintf(stderr, "; each is made %d×%d×%d", r->size, r->size, r->channels);
}

static void say_damage(struct training *t) {
  for (int split = 0; split < SKP_SPLITS; split++) cli_say_damage(t->part[split], &t->damaged[split]);
}

/* How many classes there are; files of labels alone may leave out some numbers. */
static void say_classes(const struct training *t) {
  const int n = t->o.extra.classes;
  int without = n;
  char all[32];
  for (int c = 0; c < t->sets.data.train->classes; c++) without -= t->of[c] > 0;
  fprintf(stderr, ", %s class%s", cli_grouped(all, sizeof all, n), n == 1 ? "" : "es");
  if (without) fprintf(stderr, " (%d without images to train on)", without);
}

/* A file that fixes the number of classes may have more than the data; who says so with --set knows. */
static void say_spare_classes(const struct training *t) {
  const struct skp_model *m = t->c->model;
  if (m->takes_classes || m->recipe.classes <= t->o.extra.classes) return;
  fprintf(stderr, "         the network has %d classes: to those beyond the data's %d no image belongs\n",
          m->recipe.classes, t->o.extra.classes);
}

/* Pictures that nobody has sorted yet are no test; what they are good for. */
static void say_unsorted(const struct training *t) {
  char n[32];
  for (int i = 0; i < 2; i++) {
    const struct skp_source *s = t->sets.unsorted[i];
    if (!s) continue;
    skp_print(stderr, "         %s: %s images in none of the classes that are trained on: they test nothing",
              s->place ? s->place : s->name, cli_grouped(n, sizeof n, s->n));
    if (s->place) skp_print(stderr, "; skipper predict %s %s tells what they show", t->out, s->place);
    fprintf(stderr, "\n");
  }
}

static void say_data(const struct training *t) {
  if (!t->sets.data.train) return;
  char a[32], b[32];
  skp_print(stderr, "data     %s: %s images to train on", t->sets.data.train->name,
            cli_grouped(a, sizeof a, t->sets.data.train->n));
  if (t->sets.data.valid) fprintf(stderr, ", %s to judge by", cli_grouped(b, sizeof b, t->sets.data.valid->n));
  if (t->sets.too_few) fprintf(stderr, ", none to judge by (too few to leave any out)");
  if (t->sets.unasked)
    fprintf(stderr, " (left out of the training; --valid-split 0 trains on all %s)",
            cli_grouped(b, sizeof b, t->sets.whole->n));
  if (t->sets.data.test) fprintf(stderr, ", %s to test with", cli_grouped(b, sizeof b, t->sets.data.test->n));
  say_classes(t);
  say_fit(t->sets.data.train, &t->c->model->recipe);
  fprintf(stderr, "\n");
  if (t->sets.data.valid) cli_say_unknown(t->sets.data.valid);
  if (t->sets.data.test) cli_say_unknown(t->sets.data.test);
  say_spare_classes(t);
  say_unsorted(t);
}

enum { VERY_UNEVEN = 10 }; /* so many times as many images of one class as of another */

/* Whether the classes that have images have very different numbers of them, and what helps. */
static void say_uneven(const struct training *t) {
  const struct skp_source *s = t->sets.data.train;
  const int64_t *of = t->of;
  int least = -1, most = -1;
  if (!s || t->c->model->recipe.balanced) return;
  for (int c = 0; c < s->classes; c++) {
    if (of[c] && (least < 0 || of[c] < of[least])) least = c;
    if (of[c] && (most < 0 || of[c] > of[most])) most = c;
  }
  if (least >= 0 && of[most] >= VERY_UNEVEN * of[least])
    fprintf(stderr, "         very uneven: %lld of %s, %lld of %s; --balanced shows each class equally often\n",
            (long long)of[least], s->class_names[least], (long long)of[most], s->class_names[most]);
}

static void say_numbers(const char *what, const skp__recipe_NUMBERS *list) {
  fprintf(stderr, "%s", what);
  for (int i = 0; i < list->n; i++) fprintf(stderr, " %g", (double)list->at[i]);
}

static void say_recipe(const struct training *t) {
  const struct skp_recipe *r = &t->c->model->recipe;
  fprintf(stderr, "recipe   %s, learning rate %g", r->optimizer, r->lr);
  if (strcmp(r->schedule, "constant") != 0) fprintf(stderr, ", %s schedule", r->schedule);
  if (r->warmup > 0) fprintf(stderr, ", %g epoch%s of warm-up", r->warmup, r->warmup == 1 ? "" : "s");
  if (r->momentum > 0) fprintf(stderr, ", %smomentum %g", r->nesterov ? "Nesterov " : "", r->momentum);
  if (r->weight_decay > 0) fprintf(stderr, ", weight decay %g", r->weight_decay);
  if (r->clip_norm > 0) fprintf(stderr, ", gradients up to %g", r->clip_norm);
  if (r->ema > 0) fprintf(stderr, ", averages with decay %g", r->ema);
  if (r->accumulate > 1) fprintf(stderr, ", %lld parts a step", (long long)r->accumulate);
  fprintf(stderr, ", batch %lld%s", (long long)r->batch,
          t->sets.data.train && r->batch > t->sets.data.train->n ? " (all images at once)" : "");
  if (r->epochs > 0) fprintf(stderr, ", %lld epoch%s", (long long)r->epochs, r->epochs == 1 ? "" : "s");
  if (r->balanced) fprintf(stderr, ", classes balanced");
  if (skp__recipe_normalises(r)) {
    say_numbers(", pixels less", &r->mean);
    say_numbers(" by", &r->std);
  }
  if (r->patience > 0) fprintf(stderr, ", patience %lld", (long long)r->patience);
  fprintf(stderr, ", seed %lld\n", (long long)t->o.seed);
}

static void say_run(const struct training *t) {
  const struct skp_recipe *r = &t->c->model->recipe;
  skp_print(stderr, "run      %s%s\n", t->out, t->resume ? ", resumed" : "");
  if (t->resume && skp__schedule_spans_run(r) && t->resume->epochs != r->epochs)
    fprintf(stderr, "         its %s schedule now spans %lld epochs, not %lld: the learning rate jumps\n", r->schedule,
            (long long)r->epochs, (long long)t->resume->epochs);
}

static void say_frozen(const struct training *t) {
  char a[32], b[32];
  if (t->frozen)
    fprintf(stderr, "frozen   %s of %s parameters\n", cli_grouped(a, sizeof a, t->frozen),
            cli_grouped(b, sizeof b, cli_count_parameters(t->c->model->graph)));
}

static void say_augmentation(const struct training *t) {
  const struct skp_augment augment = skp__recipe_augment(&t->c->model->recipe);
  struct skp__text text = {.n = 0};
  skp__augment_describe(&text, &augment);
  if (text.n) fprintf(stderr, "augment  %s\n", text.at);
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

static void on_progress(void *user, const struct skp_progress *p) {
  struct training *t = user;
  cli_progress_hear(&t->c->progress, p);
  if (p->epoch_done) say_damage(t);
}

static skp_status start_weights(struct training *t) {
  return t->resume ? SKP_OK /* the state has them */ : cli_init_weights(t->c, t->o.seed);
}

/* A run that was stopped, or met its own limit, did what it was asked to do. */
/* The same for programs: the last line. */
static skp_status print_ending_json(const struct cli_ending *e, const char *stopped) {
  const struct skp_train_result *r = e->r;
  cJSON *end = cJSON_CreateObject();
  cJSON_AddStringToObject(end, "saved_in", e->out);
  if (stopped) cJSON_AddStringToObject(end, "stopped", stopped);
  if (r->best_epoch) cJSON_AddNumberToObject(end, "best_epoch", (double)r->best_epoch);
  if (r->accuracy >= 0) cJSON_AddNumberToObject(end, e->valid ? "valid_accuracy" : "test_accuracy", r->accuracy);
  if (r->accuracy >= 0 && r->best_epoch) cJSON_AddNumberToObject(end, "best_accuracy", r->best);
  if (r->tested >= 0) cJSON_AddNumberToObject(end, "best_test_accuracy", r->tested);
  return cli_print_json(end);
}

static skp_status tell_ending(struct training *t, const struct skp_train_result *result, skp_status status) {
  const struct cli_ending ending = {.r = result,
                                    .out = t->out,
                                    .data = t->c->model->recipe.data,
                                    .valid = t->sets.data.valid,
                                    .names = {t->o.extra.class_names, t->o.extra.classes}};
  const bool json = t->o.lines;
  if (status == SKP_OK) return json ? print_ending_json(&ending, NULL) : cli_print_ending(&ending);
  if (status != SKP_INTERRUPTED) return status;
  if (json) SKP_TRY(print_ending_json(&ending, skp_error_message()));
  if (!json) cli_print_position(&ending);
  if (!json) printf("%s\n", skp_error_message());
  t->c->signal = stop; /* none: the run's own limit */
  return SKP_OK;
}

static skp_status run(struct training *t) {
  struct cli *c = t->c;
  struct skp_train_result result;
  skp__progress_listen(on_progress, t);
  catch_signals(t->no_hang_up);
  skp_status status = skp__train(c->session, &t->sets.data, &t->o, &result);
  cli_progress_end(&c->progress);
  say_damage(t);
  status = tell_ending(t, &result, status);
  skp__result_free(&result);
  return status;
}

/* What the command line says about training, on top of what a run that goes on began with. */
static skp_status take_options(struct training *t) {
  const struct cli *c = t->c;
  const struct skp_resume *r = t->resume;
  struct skp_train_options *o = &t->o;
  int64_t seed;
  o->save = r ? r->save : (struct skp_save_options){.epochs = 1};
  SKP_TRY(cli_int(c, CLI_SEED, &seed, 0, INT64_MAX, r ? (int64_t)r->seed : 1));
  SKP_TRY(cli_int(c, CLI_MAX_STEPS, &o->max_steps, 0, INT64_MAX, r ? r->max_steps : -1));
  SKP_TRY(cli_max_time(c, &o->max_seconds));
  SKP_TRY(cli_max_damaged(c, &o->max_damaged));
  SKP_TRY(cli_save_options(c, &o->save));
  o->seed = (uint64_t)seed;
  o->shuffle = (!r || r->shuffle) && !cli_said(c, CLI_NO_SHUFFLE);
  SKP_TRY(cli_workers(c, &o->threads));
  o->extra = (struct skp_checkpoint_extra){.set = r ? r->set : c->set.at, .sets = r ? r->sets : c->set.n};
  o->say = stderr;
  o->resume = r;
  o->stop = &stop;
  return SKP_OK;
}

static skp_status open_data(struct training *t) {
  struct cli *c = t->c;
  if (t->o.max_steps == 0 && !*c->model->recipe.data) return SKP_OK;
  for (int split = 0; split < SKP_SPLITS; split++) SKP_TRY(cli_open_data(c, &t->part[split], split));
  SKP_TRY(skp__sets_make(&t->sets, &c->model->recipe, t->part, &t->o));
  t->o.extra.class_names = t->sets.learned->class_names;
  t->o.extra.classes = t->sets.learned->classes;
  t->o.extra.kind = t->sets.learned->kind;
  SKP_TRY(skp__alloc(&t->of, (size_t)t->sets.data.train->classes, sizeof *t->of));
  return skp__source_count(t->sets.data.train, t->of);
}

/* A step's graph shows whether the recipe fits the network, and what it freezes. */
static skp_status check_step(struct training *t) {
  struct skp_graph *g;
  SKP_TRY(skp__step_graph(&g, t->c->model, 1, SKP_STEP_TRAIN));
  for (size_t i = 0; i < g->tensors.n; i++) {
    const struct skp_tensor *p = &g->tensors.at[i];
    if (skp__is_parameter(p) && p->lr == 0) t->frozen += skp__shape_count(&p->shape);
  }
  skp__graph_destroy(g);
  return SKP_OK;
}

static skp_status check_end(const struct training *t) {
  const struct skp_recipe *r = &t->c->model->recipe;
  if (r->epochs > 0 || r->patience > 0 || t->o.max_steps >= 0 || t->o.max_seconds > 0) return SKP_OK;
  return skp__fail(SKP_USAGE,
                   "A run of --epochs 0 never ends by itself; give it --max-steps N, --max-time TIME or --patience N.");
}

/* Where TensorBoard's files go. */
static skp_status find_board(struct training *t) {
  const char *said = t->c->value[CLI_TENSORBOARD];
  if (!said) return SKP_OK;
  SKP_TRY(*said ? skp__strdup(&t->board, said) : skp__path_join(&t->board, t->out, "tensorboard"));
  t->o.board = t->board;
  return SKP_OK;
}

/* Everything that can be checked without a device is checked before one is opened. */
static skp_status check(struct training *t) {
  struct cli *c = t->c;
  struct skp__parts parts;
  SKP_TRY(skp__schedule_check(&c->model->recipe));
  SKP_TRY(check_end(t));
  if (t->o.max_steps != 0) SKP_TRY(check_step(t));
  SKP_TRY(open_data(t));
  if (t->o.max_steps != 0) SKP_TRY(skp__parts_plan(&parts, c->model, t->sets.data.train->n));
  SKP_TRY(choose_folder(t));
  t->o.out = t->out;
  t->o.lines = cli_said(t->c, CLI_JSON) ? stdout : NULL;
  SKP_TRY(find_board(t));
  return t->resume ? skp__resume_check(t->resume, c->model, &t->sets.data, &t->o) : SKP_OK;
}

static void say_device(const struct training *t) {
  struct skp_backend_info info;
  cli_say_device(t->c);
  t->c->backend->ops->info(t->c->backend, &info);
  if (t->resume && strcmp(info.name, skp__resume_device(t->resume)) != 0)
    fprintf(stderr, "         the run began on %s: results will differ in their last digits\n",
            skp__resume_device(t->resume));
}

static skp_status prepare(struct training *t) {
  struct cli *c = t->c;
  SKP_TRY(cli_open_backend(c));
  say_device(t);
  say_model(c);
  say_frozen(t);
  say_data(t);
  say_uneven(t);
  say_damage(t);
  SKP_TRY(skp__session_create(&c->session, c->model, c->backend));
  SKP_TRY(start_weights(t));
  say_recipe(t);
  say_augmentation(t);
  say_run(t);
  return SKP_OK;
}

static skp_status open(struct training *t) {
  struct cli *c = t->c;
  if (cli_said(c, CLI_RESUME)) return cli_open_resume(c, &t->resume, &t->out);
  if (!c->arguments.n) return skp__fail(SKP_USAGE, "train wants MODEL.lua, or --resume to go on with a run.");
  return cli_open_learner(c);
}

static skp_status train(struct training *t) {
  int64_t finished = -1;
  SKP_TRY(open(t));
  SKP_TRY(take_options(t));
  SKP_TRY(check(t));
  if (t->resume) SKP_TRY(skp__resume_finished(t->resume, &t->c->model->recipe, t->o.max_steps, &finished));
  if (finished >= 0) {
    printf("The run in %s is finished after %lld steps. To train on, give it more --epochs or --max-steps.\n", t->out,
           (long long)finished);
    return SKP_OK;
  }
  SKP_TRY(prepare(t));
  return run(t);
}

skp_status cli_train(struct cli *c) {
  struct training t = {.c = c, .no_hang_up = hang_up_ignored()};
  skp_status status = train(&t);
  if (status != SKP_OK && t.out && !cli_said(c, CLI_RESUME)) forget_folder(&t);
  skp__sets_free(&t.sets);
  for (int split = 0; split < SKP_SPLITS; split++) skp__source_destroy(t.part[split]);
  skp__resume_close(t.resume);
  free(t.of);
  free(t.out);
  free(t.board);
  return status;
}
