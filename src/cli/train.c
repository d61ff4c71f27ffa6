/* train.c: skipper train. SPDX-License-Identifier: MIT */
#include "cli/ending.h"
#include "cli/system.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char runs[] = "runs"; /* where a run's folder is that is not named */

struct training {
  struct cli *c;
  skp_training o;
  skp_data_options data;
  bool no_hang_up; /* SIGHUP is ignored */
};

/* ---- stopping --------------------------------------------------------------------------------------------------- */

static atomic_int stop;        /* the signal that asked for it */
static skp_run *begun;         /* that does not train yet */
static skp_session *stoppable; /* what it stops; NULL: nothing */

static void on_signal(int number) {
  static const char word[] = "\nStopping after this step, then saving; once more ends at once.\n";
  if (!stoppable) skp_run_forget(begun);
  if (stop || !stoppable) _exit(128 + number);
  stop = number;
  skp_session_stop(stoppable);
  if (write(STDERR_FILENO, word, sizeof word - 1) < 0) return; /* nowhere to say it */
}

/* What they stop from now on. A driver may have set handlers of its own when a device was opened. */
static void catch_signals(skp_session *session, bool ignore_hang_up) {
  stoppable = session;
  cli_catch_signals(on_signal, ignore_hang_up);
}

/* ---- what is going to happen ------------------------------------------------------------------------------------ */

static void say_model(FILE *to, const struct training *t, const skp_run_facts *f) {
  (void)f;
  const struct cli *c = t->c;
  char n[32], classes[32];
  const int size = skp_model_size(c->model);
  skp_print(to, "model    %s: %s parameters, %d×%d×%d in, %s classes\n", skp_model_name(c->model),
            cli_grouped(n, sizeof n, skp_model_parameters(c->model)), size, size, skp_model_channels(c->model),
            cli_grouped(classes, sizeof classes, skp_model_classes(c->model)));
}

/* What is made of images that are not what the network takes. */
static void say_fit(FILE *to, const struct cli *c, const skp_run_facts *f) {
  const int size = skp_model_size(c->model), channels = skp_model_channels(c->model);
  if (f->height == size && f->width == size && f->channels == channels) return;
  if (f->height)
    fprintf(to, "; %d×%d×%d is made %d×%d×%d", f->height, f->width, f->channels, size, size, channels);
  else
    fprintf(to, "; each is made %d×%d×%d", size, size, channels);
}

/* How many classes there are; files of labels alone may leave out some numbers. */
static void say_classes(FILE *to, const skp_run_facts *f) {
  char all[32];
  fprintf(to, ", %s class%s", cli_grouped(all, sizeof all, f->classes), f->classes == 1 ? "" : "es");
  if (f->without) fprintf(to, " (%d without images to train on)", f->without);
}

/* Pictures that nobody has sorted yet are no test; what they are good for. */
static void say_unsorted(FILE *to, const skp_run_facts *f) {
  char n[32];
  for (int i = 0; i < 2; i++) {
    const skp_unsorted *u = &f->unsorted[i];
    if (!u->name) continue;
    skp_print(to, "         %s: %s images in none of the classes that are trained on: they test nothing", u->name,
              cli_grouped(n, sizeof n, u->images));
    if (u->pictures) skp_print(to, "; skipper predict %s %s tells what they show", f->folder, u->name);
    fprintf(to, "\n");
  }
}

/* Each line is set in. */
static void say_remarks(FILE *to, const char *lines) {
  for (size_t n; *lines; lines += n + (lines[n] == '\n')) {
    n = strcspn(lines, "\n");
    fprintf(to, "         %.*s\n", (int)n, lines);
  }
}

static void say_data(FILE *to, const struct training *t, const skp_run_facts *f) {
  const struct cli *c = t->c;
  if (!c->data) return;
  char a[32], b[32];
  skp_print(to, "data     %s: %s images to train on", skp_data_name(c->data), cli_grouped(a, sizeof a, f->train));
  if (f->valid) fprintf(to, ", %s to judge by", cli_grouped(b, sizeof b, f->valid));
  if (f->too_few) fprintf(to, ", none to judge by (too few to leave any out)");
  if (f->unasked)
    fprintf(to, " (left out of the training; --valid-split 0 trains on all %s)", cli_grouped(b, sizeof b, f->whole));
  if (f->test) fprintf(to, ", %s to test with", cli_grouped(b, sizeof b, f->test));
  say_classes(to, f);
  say_fit(to, c, f);
  fprintf(to, "\n");
  say_remarks(to, f->remarks);
  say_unsorted(to, f);
}

static void say_numbers(FILE *to, const char *what, const char *list) {
  fprintf(to, "%s", what);
  for (char *end; *list; list = end + (*end == ',')) {
    const double x = strtod(list, &end);
    if (end == list) return;
    fprintf(to, " %g", x);
  }
}

static void say_pixels(FILE *to, const struct cli *c) {
  char mean[512], std[512];
  cli_entry_text(c, "mean", mean, sizeof mean);
  cli_entry_text(c, "std", std, sizeof std);
  if (!cli_normalises(c)) return;
  say_numbers(to, ", pixels less", mean);
  say_numbers(to, " by", std);
}

static bool is_true(const struct cli *c, const char *entry) {
  char text[16];
  return strcmp(cli_entry_text(c, entry, text, sizeof text), "true") == 0;
}

/* Entries that are said where they are above 0. */
static void say_positive(FILE *to, const struct cli *c) {
  static const struct {
    const char *entry, *words;
  } rows[] = {{"weight_decay", "weight decay"}, {"clip_norm", "gradients up to"}, {"ema", "averages with decay"}};
  const double warmup = cli_entry(c, "warmup"), momentum = cli_entry(c, "momentum");
  if (warmup > 0) fprintf(to, ", %g epoch%s of warm-up", warmup, warmup == 1 ? "" : "s");
  if (momentum > 0) fprintf(to, ", %smomentum %g", is_true(c, "nesterov") ? "Nesterov " : "", momentum);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const double x = cli_entry(c, rows[i].entry);
    if (x > 0) fprintf(to, ", %s %g", rows[i].words, x);
  }
}

/* As many as are asked for may be more than a step has images, or not come out even. */
static void say_pieces(FILE *to, const struct cli *c, const skp_run_facts *f) {
  const int64_t asked = (int64_t)cli_entry(c, "accumulate"), made = f->micro_batches ? f->micro_batches : asked;
  if (asked > 1) fprintf(to, ", %lld micro-batches a step", (long long)made);
  if (made != asked) fprintf(to, " (its images do not make %lld)", (long long)asked);
}

static void say_recipe(FILE *to, const struct training *t, const skp_run_facts *f) {
  const struct cli *c = t->c;
  char optimizer[256], schedule[256];
  const double batch = cli_entry(c, "batch"), epochs = cli_entry(c, "epochs"), patience = cli_entry(c, "patience");
  cli_entry_text(c, "schedule", schedule, sizeof schedule);
  fprintf(to, "recipe   %s, learning rate %g", cli_entry_text(c, "optimizer", optimizer, sizeof optimizer),
          cli_entry(c, "lr"));
  if (strcmp(schedule, "constant") != 0) fprintf(to, ", %s schedule", schedule);
  say_positive(to, c);
  say_pieces(to, c, f);
  fprintf(to, ", batch %.0f%s", batch, c->data && batch > (double)f->train ? " (all images at once)" : "");
  if (epochs > 0) fprintf(to, ", %.0f epoch%s", epochs, epochs == 1 ? "" : "s");
  if (is_true(c, "balanced")) fprintf(to, ", classes balanced");
  say_pixels(to, c);
  if (patience > 0) fprintf(to, ", patience %.0f", patience);
  fprintf(to, ", seed %llu\n", (unsigned long long)t->o.seed);
}

static void say_run(FILE *to, const struct training *t, const skp_run_facts *f) {
  const struct cli *c = t->c;
  char schedule[256];
  skp_print(to, "run      %s%s\n", f->folder, f->resumed ? ", resumed" : "");
  if (f->spanned)
    fprintf(to, "         its %s schedule now spans %.0f epochs, not %lld: the learning rate jumps\n",
            cli_entry_text(c, "schedule", schedule, sizeof schedule), cli_entry(c, "epochs"), (long long)f->spanned);
}

static void say_frozen(FILE *to, const struct training *t, const skp_run_facts *f) {
  const struct cli *c = t->c;
  char a[32], b[32];
  if (f->frozen)
    fprintf(to, "frozen   %s of %s parameters\n", cli_grouped(a, sizeof a, f->frozen),
            cli_grouped(b, sizeof b, skp_model_parameters(c->model)));
}

static void say_device(FILE *to, const struct training *t, const skp_run_facts *f) {
  const struct cli *c = t->c;
  skp_device_state device;
  skp_device_ask(c->device, &device);
  if (f->device && strcmp(device.name, f->device) != 0)
    fprintf(to, "         the run began on %s: results will differ in their last digits\n", f->device);
}

static void say_augmentation(FILE *to, const struct training *t, const skp_run_facts *f) {
  (void)t;
  if (*f->augmentation) fprintf(to, "augment  %s\n", f->augmentation);
}

typedef void teller(FILE *to, const struct training *t, const skp_run_facts *f);

/* What they tell, in rows that fit the terminal. */
static skp_status say(const struct training *t, const skp_run_facts *f, teller *const *tell) {
  enum { INDENT = 9 };
  char *text;
  FILE *to = cli_text_open(&text);
  for (; to && *tell; tell++) (*tell)(to, t, f);
  const bool whole = to && cli_text_close(to, &text);
  if (whole) cli_wrap(stderr, cli_columns(&t->c->progress), INDENT, "%s", text);
  free(text);
  return whole ? SKP_OK : skp_fail(SKP_MEMORY, "Out of memory for a text.");
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

static void after_epoch(void *user) { cli_say_damage(user); }

/* The ending for programs: the last line. stopped NULL: the run is over. */
static skp_status print_ending_json(const struct cli_ending *e, const char *stopped) {
  const skp_outcome *o = e->o;
  cJSON *end = cJSON_CreateObject();
  cJSON_AddStringToObject(end, "saved_in", e->out);
  if (stopped) cJSON_AddStringToObject(end, "stopped", stopped);
  if (o->best_epoch) cJSON_AddNumberToObject(end, "best_epoch", (double)o->best_epoch);
  if (o->accuracy >= 0)
    cJSON_AddNumberToObject(end, o->by_validation ? "valid_accuracy" : "test_accuracy", o->accuracy);
  if (o->accuracy >= 0 && o->best_epoch) cJSON_AddNumberToObject(end, "best_accuracy", o->best);
  if (o->test_accuracy >= 0) cJSON_AddNumberToObject(end, "best_test_accuracy", o->test_accuracy);
  return cli_print_json(end);
}

static skp_status print_stopped(const struct cli_ending *e) {
  cli_print_position(e);
  printf("%s\n", skp_error_message());
  return SKP_OK;
}

/* A run that was stopped, or met its own limit, did what it was asked to do. */
static skp_status tell_ending(struct training *t, const skp_outcome *outcome, const char *folder, skp_status status) {
  struct cli *c = t->c;
  char data[512];
  const struct cli_ending ending = {.o = outcome,
                                    .report = skp_session_report(c->session),
                                    .out = folder,
                                    .data = cli_entry_text(c, "data", data, sizeof data)};
  const bool json = cli_said(c, CLI_JSON);
  if (status == SKP_OK) return json ? print_ending_json(&ending, NULL) : cli_print_ending(&ending);
  if (status != SKP_INTERRUPTED) return status;
  TRY(json ? print_ending_json(&ending, skp_error_message()) : print_stopped(&ending));
  c->signal = stop; /* none: the run's own limit */
  return SKP_OK;
}

static skp_status run(struct training *t, const skp_run_facts *f) {
  struct cli *c = t->c;
  skp_outcome outcome;
  c->progress.after_epoch = after_epoch;
  c->progress.user = c;
  c->folder = f->folder;
  catch_signals(c->session, t->no_hang_up);
  skp_status status = skp_run_train(c->run, c->session, &outcome);
  c->folder = NULL;
  cli_progress_end(&c->progress);
  cli_say_damage(c);
  return tell_ending(t, &outcome, f->folder, status);
}

/* What the command line says about training, on top of what a run that goes on began with. */
static skp_status take_options(struct training *t) {
  const struct cli *c = t->c;
  skp_training *o = &t->o;
  int64_t steps;
  skp_run_options(c->run, o, &t->data);
  const bool resumed = o->resume;
  TRY(cli_seed(c, &o->seed, UINT64_MAX, resumed ? o->seed : 1));
  TRY(cli_int(c, CLI_MAX_STEPS, &steps, 0, INT64_MAX, o->no_steps ? 0 : o->max_steps ? o->max_steps : -1));
  TRY(cli_max_time(c, &o->max_seconds));
  TRY(cli_data_options(c, &t->data));
  TRY(cli_save_options(c, o));
  TRY(cli_workers(c, &o->workers));
  o->no_steps = steps == 0;
  o->max_steps = steps > 0 ? steps : 0;
  if (cli_said(c, CLI_NO_SHUFFLE)) o->in_stored_order = 1;
  if (!resumed) o->out = c->value[CLI_OUT];
  o->by_seed = cli_said(c, CLI_SEEDS);
  o->runs = runs;
  o->report = stderr;
  o->lines = cli_said(c, CLI_JSON) ? stdout : NULL;
  o->tensorboard = c->value[CLI_TENSORBOARD];
  o->trace = c->value[CLI_TRACE];
  o->ranks = c->ranks;
  if (c->value[CLI_SHARES]) o->shares = c->value[CLI_SHARES];
  TRY(cli_int(c, CLI_TRACE_STEPS, &o->trace_steps, 1, 1 << 20, o->trace ? 10 : 0));
  t->data.report = stderr;
  return SKP_OK;
}

static skp_status resume(struct cli *c) {
  const char *said = c->value[CLI_RESUME], *folder = *said && !cli_typed(c, CLI_OUT) ? NULL : c->value[CLI_OUT];
  int64_t size;
  if (cli_said(c, CLI_INIT))
    return skp_fail(SKP_USAGE, "--resume goes on with the run's own weights; --init begins anew.");
  if (*said && folder && strcmp(said, folder) != 0)
    return skp_fail(SKP_USAGE, "A run goes on where it is: --resume %s or --out %s, not both.", said, folder);
  TRY(cli_int(c, CLI_SIZE, &size, 1, 1 << 14, 0));
  if (c->n_arguments) TRY(cli_check_file(c));
  TRY(skp_run_resume(&c->run, &(skp_resumption){.folder = *said ? said : folder,
                                                .runs = runs,
                                                .model = c->n_arguments ? c->arguments[0] : NULL,
                                                .settings = (const char *const *)c->settings,
                                                .size = (int)size,
                                                .data = cli_said_entry(c, "data")}));
  c->model = skp_run_model(c->run);
  return cli_override_recipe(c);
}

static skp_status begin(struct cli *c) {
  if (!c->n_arguments) return skp_fail(SKP_USAGE, "train wants MODEL.lua, or --resume to go on with a run.");
  TRY(cli_open_learner(c));
  return skp_run_begin(&c->run, c->model);
}

/* Everything that can be checked without a device is checked before one is opened. */
static skp_status check(struct training *t) {
  struct cli *c = t->c;
  TRY(cli_said(c, CLI_RESUME) ? resume(c) : begin(c));
  TRY(take_options(t));
  TRY(cli_open_data(c, &t->data));
  begun = c->run;
  return skp_run_prepare(c->run, c->data, &t->o);
}

static skp_status open_all(struct training *t, const skp_run_facts *f) {
  static teller *const before[] = {say_device, say_model, say_frozen, say_data, NULL};
  static teller *const after[] = {say_recipe, say_augmentation, say_run, NULL};
  struct cli *c = t->c;
  TRY(cli_open_device(c));
  catch_signals(NULL, t->no_hang_up);
  cli_say_device(c);
  TRY(say(t, f, before));
  cli_say_damage(c);
  TRY(cli_open_session(c, t->o.seed));
  return say(t, f, after);
}

/* More epochs do not help a run that has made as many steps as it is to make. */
static void say_finished(const struct training *t, const skp_run_facts *f) {
  const bool limited = t->o.no_steps || (t->o.max_steps && f->finished >= t->o.max_steps);
  skp_print(stdout, "The run in %s is finished after %lld steps", f->folder, (long long)f->finished);
  if (limited)
    printf(", as many as it is to make (--max-steps %lld). To train on, give it more --max-steps.\n",
           (long long)t->o.max_steps);
  else
    printf(". To train on, give it more --epochs%s.\n", cli_entry(t->c, "patience") > 0 ? " or --patience" : "");
}

static skp_status train(struct training *t, skp_run_facts *facts) {
  struct cli *c = t->c;
  TRY(check(t));
  skp_run_describe(c->run, facts);
  if (!facts->folder) facts->folder = ""; /* it is the first rank's */
  if (facts->finished >= 0) {
    say_finished(t, facts);
    return SKP_OK;
  }
  TRY(open_all(t, facts));
  return run(t, facts);
}

static skp_status train_once(struct cli *c, skp_run_facts *facts) {
  struct training t = {.c = c, .no_hang_up = cli_hang_up_ignored()};
  catch_signals(NULL, t.no_hang_up);
  cli_progress_again(&c->progress);
  skp_status status = train(&t, facts);
  begun = NULL;
  stoppable = NULL;
  return status;
}

skp_status cli_train(struct cli *c) {
  int64_t seeds;
  skp_run_facts facts;
  TRY(cli_int(c, CLI_SEEDS, &seeds, 1, 1000, 0));
  if (seeds && c->ranks)
    return skp_fail(SKP_USAGE, "Several processes share one training: call it once for each --seed.");
  return seeds ? cli_train_seeds(c, seeds, train_once) : train_once(c, &facts);
}
