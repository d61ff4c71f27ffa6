/* run.c: training, step by step or at once. SPDX-License-Identifier: MIT */
#include "train/run/run.h"
#include "api/api.h"
#include "base/file.h"
#include "base/host.h"
#include "data/damage.h"
#include "train/prepare/place.h"
#include "train/prepare/prepare.h"
#include "train/prepare/rest.h"
#include "train/report/seeds.h"
#include "train/run/result.h"
#include "train/step/schedule.h"
#include <stdlib.h>
#include <string.h>

struct skp_api_run {
  skp_model *model;
  bool own_model;            /* it was at rest */
  struct skp_resume *resume; /* NULL: it begins */
  skp_training t;            /* as prepared; `out` is in `folder` */
  const skp_data *data;
  struct skp__prepared p;
  struct skp__place folder;
  struct skp_seeds beside; /* what lay in the folder that was named: by_seed, runs that are to be of the same make */
  struct skp__place board; /* folder for TensorBoard's files; path NULL: there are none */
  char *trace;             /* file for a trace; NULL: there is none */
  int64_t finished;        /* steps of a run with nothing left to do; else -1 */
  double split;            /* what the recipe says of held-out images; a training fills in what it leaves open */
  bool trained;
};

/* ---- beginning, going on ----------------------------------------------------------------------------------------- */

skp_status skp_run_begin(skp_run **out, skp_model *model) {
  SKP_TRY(skp__alloc(out, 1, sizeof **out));
  (*out)->model = model;
  (*out)->split = model->m->recipe.valid_split;
  (*out)->finished = -1;
  return SKP_OK;
}

static skp_status find_folder(skp_run *run, const skp_resumption *said) {
  if (!said->folder && !said->runs) return skp__fail(SKP_USAGE, "Name the folder of the run that is to go on.");
  if (!said->folder) return skp__place_latest(&run->folder.path, said->runs);
  if (skp__file_exists(said->folder) && !skp__folder_exists(said->folder))
    return skp__fail(SKP_USAGE, "%s is a file; %s goes on with a run, and wants its folder.", said->folder,
                     skp__option("resume"));
  return skp__strdup(&run->folder.path, said->folder);
}

/* Whether the run is the one that is meant. The settings that were said are put together with those of a name. */
static skp_status check_said(const skp_run *run, const skp_resumption *said) {
  skp_model words = {.m = NULL};
  struct skp__said all = {.model = said->model, .data = said->data};
  skp_status status = skp__api_settings(&words, said->settings, &all.model);
  all.set = words.set.at;
  all.sets = words.set.n;
  if (status == SKP_OK) status = skp__rest_check(run->resume, run->folder.path, &all);
  for (size_t i = 0; i < words.texts.n; i++) free(words.texts.at[i]);
  SKP_FREE(&words.texts);
  SKP_FREE(&words.set);
  return status;
}

/* The run's model becomes one with a handle. */
static skp_status take_model(skp_run *run) {
  struct skp_resume *r = run->resume;
  SKP_TRY(skp__alloc(&run->model, 1, sizeof *run->model));
  run->own_model = true;
  run->model->resumed = true;
  run->model->m = r->model;
  r->model = NULL;
  run->split = run->model->m->recipe.valid_split;
  for (size_t i = 0; i < r->sets; i++) SKP_TRY(skp__api_setting(run->model, r->set[i].name, r->set[i].value));
  return SKP_OK;
}

static skp_status open_at_rest(skp_run *run, const skp_resumption *said) {
  SKP_TRY(find_folder(run, said));
  SKP_TRY(skp__resume_open(&run->resume, run->folder.path));
  SKP_TRY(check_said(run, said));
  SKP_TRY(take_model(run));
  if (said->size) run->model->m->recipe.size = said->size; /* preparing compares it */
  return SKP_OK;
}

skp_status skp_run_resume(skp_run **out, const skp_resumption *said) {
  skp_run *run;
  *out = NULL;
  SKP_TRY(skp__alloc(&run, 1, sizeof *run));
  run->finished = -1;
  skp_status status = open_at_rest(run, said);
  if (status == SKP_OK)
    *out = run;
  else
    skp_run_close(run);
  return status;
}

skp_model *skp_run_model(skp_run *run) { return run->model; }

void skp_run_options(const skp_run *run, skp_training *training, skp_data_options *data) {
  const struct skp_resume *r = run->resume;
  *training = (skp_training){.out = NULL};
  *data = (skp_data_options){.to_test = 0};
  if (!r) return;
  *training = (skp_training){.out = run->folder.path,
                             .resume = 1,
                             .seed = r->seed,
                             .max_steps = r->max_steps > 0 ? r->max_steps : 0,
                             .no_steps = r->max_steps == 0,
                             .in_stored_order = !r->shuffle,
                             .shares = r->shares,
                             .save_epochs = r->save.epochs,
                             .save_steps = r->save.steps,
                             .save_seconds = r->save.seconds,
                             .keep = r->save.keep};
  data->strict = r->max_damaged == 0;
  data->max_damaged = r->max_damaged > 0 ? r->max_damaged : 0;
}

/* ---- preparing --------------------------------------------------------------------------------------------------- */

/* Of several ranks the first one does. */
static bool writes_files(const skp_run *run) { return skp__ranks_rank(skp__api_ranks(run->t.ranks)) == 0; }

static struct skp_train_options options(const skp_run *run) {
  const skp_training *t = &run->t;
  const bool each_epoch = !t->save_epochs && !t->save_steps && !(t->save_seconds > 0), writes = writes_files(run);
  return (struct skp_train_options){.out = writes ? run->folder.path : NULL,
                                    .sibling = (const char *const *)run->beside.folder,
                                    .siblings = run->beside.holds == SKP_HOLDS_SEEDS ? run->beside.n : 0,
                                    .say = writes ? t->report : NULL,
                                    .lines = writes ? t->lines : NULL,
                                    .board = run->board.path,
                                    .trace = run->trace,
                                    .trace_steps = run->trace ? t->trace_steps : 0,
                                    .seed = t->seed,
                                    .max_steps = t->no_steps    ? 0
                                                 : t->max_steps ? t->max_steps
                                                                : -1,
                                    .max_seconds = t->max_seconds,
                                    .max_damaged = run->data ? run->data->max_damaged : SKP_DAMAGE_USUAL,
                                    .shuffle = !t->in_stored_order,
                                    .threads = skp__api_workers(t->workers),
                                    .save = {.epochs = each_epoch ? 1 : t->save_epochs,
                                             .steps = t->save_steps,
                                             .seconds = t->save_seconds,
                                             .keep = t->keep},
                                    .extra = skp__api_extra(run->model),
                                    .resume = run->resume,
                                    .ranks = skp__api_ranks(run->t.ranks),
                                    .shares = t->shares};
}

static skp_status check_floats(const skp_data *data, const struct skp_recipe *r) {
  const struct skp_augment augment = skp__recipe_augment(r);
  struct skp__text text = {.n = 0};
  skp__augment_describe(&text, &augment);
  if (!data->floats || !text.n) return SKP_OK;
  return skp__fail(SKP_UNSUPPORTED, "Images of floats are taken as they are; the recipe wants %s. Hand in bytes.",
                   text.at);
}

/* What was learned from is part of the recipe, as long as it has a name. */
static skp_status name_data(struct skp_recipe *r, const skp_data *data) {
  return data->name && strlen(data->name) < sizeof r->data ? skp__recipe_set(r, "data", data->name) : SKP_OK;
}

static skp__classes origin_of(const skp_model *model) {
  bool said = false;
  for (size_t i = 0; i < model->set.n; i++) said = said || strcmp(model->set.at[i].name, "classes") == 0;
  return model->resumed || model->weights ? SKP__CLASSES_TRAINED : said ? SKP__CLASSES_SAID : SKP__CLASSES_OF_FILE;
}

skp_status skp_data_check(const skp_data *data, const skp_model *model) {
  return skp__fit_data(model->m, origin_of(model), data->part);
}

static skp_status prepare_data(skp_run *run) {
  skp_model *model = run->model;
  const struct skp_train_options o = options(run);
  if (!run->data && run->t.no_steps) return SKP_OK;
  if (!run->data)
    return skp__fail(SKP_USAGE, "The model's recipe names no data; choose some with %s DIR.", skp__option("data"));
  SKP_TRY(name_data(&model->m->recipe, run->data));
  SKP_TRY(check_floats(run->data, &model->m->recipe));
  SKP_TRY(skp__prepare_data(&run->p, model->m, origin_of(run->model), run->data->part, &o));
  return skp__api_learn_names(model, run->p.sets.learned);
}

/* A folder stands for one run, or for those of several seeds: with both in it, one would hide the others. */
static skp_status check_kind(const struct skp_seeds *there, bool by_seed) {
  if (by_seed && there->holds == SKP_HOLDS_RUN)
    return skp__fail(SKP_USAGE,
                     "%s holds a single run, which would hide those of several seeds. Name another folder with %s.",
                     there->path, skp__option("out"));
  if (!by_seed && there->holds == SKP_HOLDS_SEEDS)
    return skp__fail(SKP_USAGE,
                     "%s holds runs of several seeds, which a single one would hide. Name another folder with %s, or "
                     "one in it, as %s.",
                     there->path, skp__option("out"), there->folder[0]);
  return SKP_OK;
}

static skp_status look_around(skp_run *run) {
  SKP_TRY(skp__seeds_find(&run->beside, run->folder.path));
  SKP_TRY(check_kind(&run->beside, run->t.by_seed));
  return run->t.by_seed ? skp__place_by_seed(&run->folder, run->t.seed) : SKP_OK;
}

/* A run that is resumed has its folder. */
static skp_status choose_folder(skp_run *run) {
  const struct skp_model *m = run->model->m;
  if (!writes_files(run)) return SKP_OK;
  if (!run->folder.path && (run->t.out || run->t.runs)) {
    SKP_TRY(skp__option_written("out", skp__place_choose(&run->folder, run->t.out, run->t.runs, m->name)));
    SKP_TRY(look_around(run));
  }
  return run->folder.path ? skp__option_written("out", skp__run_check(run->folder.path, m, run->resume)) : SKP_OK;
}

static skp_status choose_board(skp_run *run) {
  const char *said = run->t.tensorboard;
  char *inside;
  if (!said || (!*said && !run->folder.path) || !writes_files(run)) return SKP_OK;
  if (*said) return skp__option_written("tensorboard", skp__place_make(&run->board, said));
  SKP_TRY(skp__path_join(&inside, run->folder.path, "tensorboard"));
  skp_status status = skp__place_make(&run->board, inside);
  free(inside);
  return status;
}

static skp_status choose_trace(skp_run *run) {
  if (run->t.trace_steps < 1 || !writes_files(run)) return SKP_OK;
  if (run->t.trace) return skp__strdup(&run->trace, run->t.trace);
  if (run->folder.path) return skp__path_join(&run->trace, run->folder.path, "trace.json");
  return skp__fail(SKP_USAGE, "The run writes no files: name the one for its trace with %s.", skp__option("trace"));
}

static skp_status check_resumed(skp_run *run) {
  struct skp_train_options o = options(run);
  if (!run->resume) return SKP_OK;
  o.out = run->folder.path;
  SKP_TRY(skp__resume_check(run->resume, run->model->m, &run->p.sets.data, &o));
  return skp__resume_finished(run->resume, &run->model->m->recipe, o.max_steps, &run->finished);
}

skp_status skp_run_prepare(skp_run *run, const skp_data *data, const skp_training *training) {
  static const skp_training usual;
  run->t = training ? *training : usual;
  run->data = data;
  const struct skp_train_options o = options(run);
  SKP_TRY(skp__prepare_recipe(&run->p, run->model->m, &o));
  SKP_TRY(prepare_data(run));
  SKP_TRY(choose_folder(run));
  SKP_TRY(choose_board(run));
  SKP_TRY(choose_trace(run));
  return check_resumed(run);
}

/* ---- describing -------------------------------------------------------------------------------------------------- */

static int64_t images_of(const struct skp_source *s) { return s ? s->n : 0; }

static void describe_data(const struct skp__sets *sets, skp_run_facts *out) {
  const struct skp_source *train = sets->data.train;
  out->train = images_of(train);
  out->valid = images_of(sets->data.valid);
  out->test = images_of(sets->data.test);
  out->whole = images_of(sets->whole);
  out->unasked = sets->unasked;
  out->too_few = sets->too_few;
  out->height = train->H;
  out->width = train->W;
  out->channels = train->C;
  out->classes = sets->learned->classes;
  for (int i = 0; i < 2; i++) {
    const struct skp_source *s = sets->unsorted[i];
    if (s) out->unsorted[i] = (skp_unsorted){s->place ? s->place : s->name, s->n, s->place != NULL};
  }
}

void skp_run_describe(const skp_run *run, skp_run_facts *out) {
  const struct skp_recipe *recipe = &run->model->m->recipe;
  const struct skp_augment augment = skp__recipe_augment(recipe);
  const struct skp_resume *r = run->resume;
  struct skp__text text = {.n = 0};
  *out = (skp_run_facts){.folder = run->folder.path,
                         .seeds = run->folder.all,
                         .resumed = r != NULL,
                         .finished = run->finished,
                         .device = r ? skp__resume_device(r) : NULL,
                         .frozen = run->p.frozen,
                         .without = (int)run->p.without,
                         .micro_batches = run->p.pieces,
                         .remarks = run->p.remarks.at};
  if (r && skp__schedule_spans_run(recipe) && r->epochs != recipe->epochs) out->spanned = r->epochs;
  if (run->p.sets.data.train) describe_data(&run->p.sets, out);
  skp__augment_describe(&text, &augment);
  snprintf(out->augmentation, sizeof out->augmentation, "%.*s", (int)sizeof out->augmentation - 1, text.at);
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

/* An optimizer has no memory of an earlier training, whose plans may be of another recipe, too. */
static skp_status begin_afresh(skp_session *session) {
  struct skp_session *fresh = NULL;
  float *params, *state;
  if (!session->trained) return SKP_OK;
  skp__session_forget_plans(session->s);
  SKP_TRY(skp__session_pull(session->s, &params, &state));
  skp_status status = skp__session_create(&fresh, session->model->m, session->device);
  if (status == SKP_OK) status = skp__session_push(fresh, params, state);
  free(params);
  free(state);
  skp__session_destroy(status == SKP_OK ? session->s : fresh);
  if (status == SKP_OK) session->s = fresh;
  return status;
}

static skp_outcome outcome_of(const skp_run *run, const struct skp_train_result *r) {
  const int64_t epochs = r->epoch > 0 ? r->epoch - 1 : 0;
  return (skp_outcome){.steps = epochs * r->steps + r->step,
                       .accuracy = r->accuracy,
                       .test_accuracy = r->tested,
                       .by_validation = run->p.sets.data.valid != NULL,
                       .best_epoch = r->best_epoch,
                       .best = r->best,
                       .epoch = r->epoch,
                       .step_in_epoch = r->step,
                       .steps_in_epoch = r->steps,
                       .loss = r->loss};
}

/* Keeps what the best weights' predictions show. */
static skp_status keep_report(const skp_run *run, skp_session *session, struct skp_train_result *r) {
  const struct skp_labels *l = &run->model->labels;
  skp__api_report_free(session->report);
  session->report = NULL;
  if (!r->judge) return SKP_OK;
  return skp__api_report(&session->report, &r->report, r->predictions, r->judge,
                         &(struct skp_class_names){l->names, l->known});
}

skp_status skp_run_train(skp_run *run, skp_session *session, skp_outcome *outcome) {
  struct skp_train_options o = options(run);
  struct skp_train_result result;
  if (outcome) *outcome = (skp_outcome){.accuracy = -1, .test_accuracy = -1};
  if (session->model != run->model) return skp__fail(SKP_USAGE, "The session is of another model than the run.");
  SKP_TRY(begin_afresh(session));
  o.stop = &session->stop;
  session->trained = true;
  skp__api_hears(session);
  skp_status status = skp__train(session->s, &run->p.sets.data, &o, &result);
  skp__api_hears(NULL);
  session->stop = 0;
  session->device->hurry = 0;
  run->trained = status == SKP_OK || status == SKP_INTERRUPTED;
  if (outcome) *outcome = outcome_of(run, &result);
  if (status == SKP_OK) status = keep_report(run, session, &result);
  skp__result_free(&result);
  return status;
}

void skp_run_forget(skp_run *run) {
  if (!run || run->trained || run->resume) return;
  skp__place_forget(&run->board);
  skp__place_forget(&run->folder);
}

void skp_run_close(skp_run *run) {
  if (!run) return;
  if (run->model) run->model->m->recipe.valid_split = run->split;
  skp_run_forget(run);
  skp__place_free(&run->folder);
  skp__seeds_free(&run->beside);
  skp__place_free(&run->board);
  free(run->trace);
  skp__prepared_free(&run->p);
  skp__resume_close(run->resume);
  if (run->own_model) skp_model_free(run->model);
  free(run);
}

/* ---- at once ----------------------------------------------------------------------------------------------------- */

/* Goes on with the run in the folder, in the model of a session. Which images are held out is the run's choice, where
 * the recipe leaves it open. */
static skp_status go_on(skp_run *run, const char *out) {
  double *fraction = &run->model->m->recipe.valid_split;
  if (!out) return skp__fail(SKP_USAGE, "A run goes on in its folder: name it as `out`.");
  SKP_TRY(skp__strdup(&run->folder.path, out));
  SKP_TRY(skp__resume_open(&run->resume, out));
  if (*fraction == SKP_RECIPE_AUTO) *fraction = run->resume->model->recipe.valid_split;
  return SKP_OK;
}

skp_status skp_train(skp_session *session, const skp_data *data, const skp_training *training, skp_outcome *outcome) {
  skp_run *run;
  if (outcome) *outcome = (skp_outcome){.accuracy = -1, .test_accuracy = -1};
  SKP_TRY(skp_run_begin(&run, session->model));
  skp_status status = training && training->resume ? go_on(run, training->out) : SKP_OK;
  if (status == SKP_OK) status = skp_run_prepare(run, data, training);
  if (status == SKP_OK && run->t.report && run->p.remarks.n) fputs(run->p.remarks.at, run->t.report);
  if (status == SKP_OK) status = skp_run_train(run, session, outcome);
  skp_run_close(run);
  return status;
}
