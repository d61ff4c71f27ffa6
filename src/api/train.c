/* train.c: training a session. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "train/result.h"
#include "train/schedule.h"
#include "train/sets.h"
#include <stdlib.h>
#include <string.h>

/* A call of skp_train. */
struct call {
  skp_session *session;
  const skp_training *t;
  struct skp__sets sets;
  struct skp_resume *resume;
};

/* ---- listening --------------------------------------------------------------------------------------------------- */

static void hear(void *user, const struct skp_progress *p) {
  const struct call *c = user;
  const skp_event event = {.doing = p->doing,
                           .done = p->done,
                           .all = p->all,
                           .step = p->step,
                           .epoch = p->epoch,
                           .epochs = p->epochs,
                           .step_in_epoch = p->step_in_epoch,
                           .steps_in_epoch = p->steps_in_epoch,
                           .loss = p->loss,
                           .seconds = p->seconds,
                           .img_per_s = p->img_per_s,
                           .epoch_done = p->epoch_done,
                           .train_loss = p->train_loss,
                           .accuracy = p->accuracy,
                           .test_loss = p->test_loss};
  if (c->t->listener(c->t->user, &event)) c->session->stop = 1;
}

/* ---- what is trained --------------------------------------------------------------------------------------------- */

static skp_status check_floats(const skp_data *data, const struct skp_recipe *r) {
  const struct skp_augment augment = skp__recipe_augment(r);
  struct skp__text text = {.n = 0};
  skp__augment_describe(&text, &augment);
  if (!data->floats || !text.n) return SKP_OK;
  return skp__fail(SKP_UNSUPPORTED, "Images of floats are taken as they are; the recipe wants %s. Hand in bytes.",
                   text.at);
}

static skp_status check(const struct call *c, const skp_data *data) {
  const struct skp_model *m = c->session->model->m;
  struct skp_graph *g;
  SKP_TRY(skp__recipe_check(&m->recipe));
  SKP_TRY(skp__schedule_check(&m->recipe));
  SKP_TRY(check_floats(data, &m->recipe));
  SKP_TRY(skp__step_graph(&g, m, 1, SKP_STEP_TRAIN)); /* says which entries do not fit the network */
  skp__graph_destroy(g);
  return c->t->out ? skp__run_check(c->t->out, m) : SKP_OK;
}

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

static struct skp_train_options options(const struct call *c) {
  const skp_training *t = c->t;
  const bool each_epoch = !t->save_epochs && !t->save_steps && !(t->save_seconds > 0);
  return (struct skp_train_options){.out = t->out,
                                    .say = t->report,
                                    .seed = t->seed,
                                    .max_steps = t->max_steps ? t->max_steps : -1,
                                    .max_seconds = t->max_seconds,
                                    .max_damaged = t->strict ? 0 : SKP_DAMAGE_USUAL,
                                    .shuffle = !t->in_stored_order,
                                    .threads = t->workers ? t->workers : skp__loader_workers(),
                                    .save = {.epochs = each_epoch ? 1 : t->save_epochs,
                                             .steps = t->save_steps,
                                             .seconds = t->save_seconds,
                                             .keep = t->keep},
                                    .extra = skp__api_extra(c->session->model),
                                    .resume = c->resume,
                                    .stop = &c->session->stop};
}

/* Which images were held out is the run's choice, where the recipe leaves it open. */
static skp_status open_run(struct call *c) {
  struct skp_recipe *r = &c->session->model->m->recipe;
  if (!c->t->resume) return SKP_OK;
  if (!c->t->out) return skp__fail(SKP_USAGE, "A run goes on in its folder: name it as `out`.");
  SKP_TRY(skp__resume_open(&c->resume, c->t->out));
  if (r->valid_split == SKP_RECIPE_AUTO) r->valid_split = c->resume->model->recipe.valid_split;
  return SKP_OK;
}

static skp_status check_data(const struct call *c) {
  const struct skp_model *m = c->session->model->m;
  const struct skp_source *l = c->sets.learned, *train = c->sets.data.train;
  if (train->C != m->recipe.channels && m->recipe.channels != 1 && m->recipe.channels != 3)
    return skp__fail(SKP_SHAPE, "The images of %s have %d channels, %s takes %d.", train->name, train->C, m->name,
                     m->recipe.channels);
  if (l->classes > m->recipe.classes)
    return skp__fail(SKP_SHAPE, "%s has %d classes, %s tells only %d apart.", train->name, l->classes, m->name,
                     m->recipe.classes);
  if (l->classes > 1) return SKP_OK;
  return skp__fail(SKP_FORMAT, "%s holds only one class; a network needs at least two to tell apart.", train->name);
}

static void report_unsorted(const struct call *c) {
  for (int i = 0; i < 2 && c->t->report; i++)
    if (c->sets.unsorted[i])
      skp_print(c->t->report, "%lld images of %s are in none of the classes that are trained on: they test nothing.\n",
                (long long)c->sets.unsorted[i]->n, c->sets.unsorted[i]->name);
}

/* What was learned from is part of the recipe, as long as it has a name. */
static skp_status name_data(struct skp_recipe *r, const skp_data *data) {
  return data->name && strlen(data->name) < sizeof r->data ? skp__recipe_set(r, "data", data->name) : SKP_OK;
}

static skp_status prepare(struct call *c, const skp_data *data) {
  skp_model *model = c->session->model;
  SKP_TRY(name_data(&model->m->recipe, data));
  SKP_TRY(check(c, data));
  SKP_TRY(open_run(c));
  const struct skp_train_options o = options(c);
  for (int split = 0; split < SKP_SPLITS; split++)
    if (data->part[split]) SKP_TRY(skp__damage_bear(data->part[split]->damage, o.max_damaged));
  SKP_TRY(skp__sets_make(&c->sets, &model->m->recipe, data->part, &o));
  SKP_TRY(check_data(c));
  report_unsorted(c);
  SKP_TRY(skp__api_learn_names(model, c->sets.learned));
  const struct skp_train_options named = options(c);
  if (c->resume) SKP_TRY(skp__resume_check(c->resume, model->m, &c->sets.data, &named));
  return begin_afresh(c->session);
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

static skp_outcome outcome_of(const struct skp_train_result *r) {
  const int64_t epochs = r->epoch > 0 ? r->epoch - 1 : 0;
  return (skp_outcome){.steps = epochs * r->steps + r->step, .accuracy = r->accuracy, .test_accuracy = r->tested};
}

static skp_status run(struct call *c, skp_outcome *outcome) {
  const struct skp_train_options o = options(c);
  struct skp_train_result result;
  if (c->t->listener) skp__progress_listen(hear, c);
  c->session->trained = true;
  skp_status status = skp__train(c->session->s, &c->sets.data, &o, &result);
  if (c->t->listener) skp__progress_listen(NULL, NULL);
  c->session->stop = 0;
  if (outcome) *outcome = outcome_of(&result);
  skp__result_free(&result);
  return status;
}

skp_status skp_train(skp_session *session, const skp_data *data, const skp_training *training, skp_outcome *outcome) {
  static const skp_training usual;
  struct call c = {.session = session, .t = training ? training : &usual};
  double *share = &session->model->m->recipe.valid_split;
  const double said = *share; /* a training fills in what it leaves open */
  if (outcome) *outcome = (skp_outcome){.accuracy = -1, .test_accuracy = -1};
  skp_status status = prepare(&c, data);
  if (status == SKP_OK) status = run(&c, outcome);
  *share = said;
  skp__resume_close(c.resume);
  skp__sets_free(&c.sets);
  return status;
}
