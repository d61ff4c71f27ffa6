/* run.c: the folder of a run. SPDX-License-Identifier: MIT */
#include "train/run/run.h"
#include "base/disk.h"
#include "base/file.h"
#include "base/held.h"
#include "base/host.h"
#include "io/checksum.h"
#include "io/json.h"
#include "skipper/version.h"
#include "train/checkpoint/metadata.h"
#include "train/run/board.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- before any work -------------------------------------------------------------------------------------------- */

/* Bytes of the files in a run's folder that are written anew. */
static skp_status replaced(int64_t *bytes, const char *out) {
  static const char *const names[] = {"last.safetensors", "best.safetensors", "state.safetensors"};
  *bytes = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    struct skp__facts there;
    char *path;
    SKP_TRY(skp__path_join(&path, out, names[i]));
    if (skp__facts(&there, path)) *bytes += there.bytes;
    free(path);
  }
  return SKP_OK;
}

skp_status skp__run_check(const char *out, const struct skp_model *m, bool goes_on) {
  int64_t weights = skp__checkpoint_bytes(m), state, there = 0;
  SKP_TRY(skp__state_bytes(&state, m));
  const int64_t once = (weights > state ? weights : state) + (1 << 16), all = 2 * weights + state + once;
  char *probe; /* last, best, state, one being written; the logs' next lines */
  SKP_TRY(skp__folder_create(out));
  if (goes_on) SKP_TRY(replaced(&there, out));
  const int64_t bytes = all - there > once ? all - there : once;
  SKP_TRY(skp__format(&probe, "%s/%s.%ld.tmp", out, SKP_ASIDE_PROBE, (long)getpid()));
  int error = skp__try_room(probe, bytes);
  free(probe);
  if (!error) return SKP_OK;
  return skp__fail(SKP_IO, "Cannot write to the run folder %s: %s. It must take at least %lld bytes. %s", out,
                   strerror(error), (long long)bytes, skp__write_advice(error));
}

/* ---- a run that goes on ------------------------------------------------------------------------------------------ */

bool skp__run_going(const char *out) { return skp__is_held(out); }

int64_t skp__run_written(const char *out) {
  char *path;
  struct skp__facts there;
  if (skp__path_join(&path, out, "results.csv") != SKP_OK) return 0;
  (void)skp__facts(&there, path);
  free(path);
  return there.time;
}

/* ---- numbered checkpoints --------------------------------------------------------------------------------------- */

skp_status skp__run_numbered(char **out, const struct skp__run *run, int64_t step) {
  return skp__format(out, "%s/step-%08lld.safetensors", run->out, (long long)step);
}

/* How many are of a step from `from` to `to`. */
static int64_t count(const skp__names *names, long long from, long long to) {
  int64_t n = 0;
  for (size_t i = 0; i < names->n; i++) {
    long long step = skp__aside_step(names->at[i]);
    n += step >= 0 && step >= from && step <= to;
  }
  return n;
}

void skp__run_prune(const struct skp__run *run, int64_t step, int64_t keep) {
  skp__names names = {NULL, 0, 0};
  if (skp__aside_list(&names, run->out) == SKP_OK)
    for (size_t i = 0; i < names.n; i++) {
      long long its = skp__aside_step(names.at[i]);
      if (its >= 0 && (its > step || count(&names, its + 1, step) >= keep))
        skp__held_remove(run->own.held, names.at[i]);
    }
  skp__names_free(&names);
}

/* ---- config.json ------------------------------------------------------------------------------------------------ */

static bool add_source(cJSON *config, const char *key, const struct skp_source *source) {
  cJSON *entry = source ? cJSON_CreateObject() : NULL;
  if (!source) return true;
  const bool ok =
      skp__json_add_text(entry, "data", source->name) && skp__json_add_number(entry, "images", (double)source->n);
  return skp__json_add(config, key, entry) && ok;
}

/* false: out of memory. */
static bool describe(cJSON *config, const struct skp_session *s, const struct skp_data *data,
                     const struct skp_train_options *o, const struct skp__position *at) {
  struct skp_backend_info info;
  char started[32];
  time_t now = time(NULL);
  struct tm utc;
  strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
  s->b->ops->info(s->b, &info);
  return skp__json_add_text(config, "skipper", SKP_VERSION) && skp__json_add_text(config, "started", started) &&
         skp__json_add_text(config, "device", info.name) && skp__json_add_text(config, "driver", info.driver) &&
         skp__json_add_text(config, "model", s->model->name) &&
         skp__json_add_text(config, "source", skp__checksum_of(s->model->source, strlen(s->model->source)).text) &&
         skp__json_add(config, "settings", skp__settings_json(o->extra.set, o->extra.sets)) &&
         skp__json_add(config, "recipe", skp__recipe_json(&s->model->recipe)) &&
         skp__json_add_whole(config, "seed", o->seed) &&
         skp__json_add(config, "shuffle", cJSON_CreateBool(o->shuffle)) && skp__describe_ranks(config, o) &&
         (o->max_steps < 0 || skp__json_add_number(config, "max_steps", (double)o->max_steps)) &&
         (!o->resume || skp__json_add_number(config, "resumed_after_step", (double)at->step)) &&
         add_source(config, "train", data->train) && add_source(config, "valid", data->valid) &&
         add_source(config, "test", data->test);
}

static skp_status describe_text(char **text, const struct skp_session *s, const struct skp_data *data,
                                const struct skp_train_options *o, const struct skp__position *at) {
  cJSON *config = cJSON_CreateObject();
  *text = NULL;
  skp_status status = describe(config, s, data, o, at) ? skp__json_text(text, config, true)
                                                       : skp__fail_memory("the run's description", 0);
  cJSON_Delete(config);
  return status;
}

static skp_status write_config(const char *out, const char *text) {
  char *path;
  SKP_TRY(skp__path_join(&path, out, "config.json"));
  skp_status status =
      skp__file_write_atomic(path, (struct skp__file_part[]){{text, (int64_t)strlen(text)}, {"\n", 1}}, 2);
  free(path);
  return status;
}

/* For programs that listen: a first line of what the run is made of. */
static skp_status introduce(const struct skp__run *run, const struct skp_session *s, const struct skp_data *data,
                            const struct skp_train_options *o, const struct skp__position *at) {
  char *text = NULL;
  if (!run->lines) return SKP_OK;
  cJSON *run_is = cJSON_CreateObject();
  const bool ok = skp__json_add_number(run_is, "version", SKP_JSON_VERSION) &&
                  (!run->out || skp__json_add_text(run_is, "out", run->out)) && describe(run_is, s, data, o, at);
  skp_status status = ok ? skp__json_text(&text, run_is, false) : skp__fail_memory("the run's description", 0);
  cJSON_Delete(run_is);
  if (status == SKP_OK && (fprintf(run->lines, "%s\n", text) < 0 || fflush(run->lines)))
    status = skp__fail(SKP_IO, "Cannot write a line to the program that listens.");
  free(text);
  return status;
}

/* ---- the run ---------------------------------------------------------------------------------------------------- */

/* *there: what of its first `keep` bytes is. */
static skp_status open_log(struct skp_log **log, int64_t *there, struct skp__run *run, const char *name, int64_t keep,
                           FILE *say) {
  char *path;
  SKP_TRY(skp__path_join(&path, run->out, name));
  skp_status status = skp__log_create(log, path, keep);
  if (status == SKP_OK) status = skp__log_size(*log, there);
  const bool lost = status == SKP_OK && *there < keep;
  if (lost && say) skp_print(say, "%s lacks what the run wrote into it; from here on it is told again.\n", path);
  run->lost = run->lost || lost;
  free(path);
  return status;
}

static skp_status begin_table(struct skp__run *run) {
  SKP_TRY(skp__log_line(run->table, "epoch,step,train_loss,%s_accuracy,%s_top5,%s_loss,img_per_s,seconds,data_wait",
                        run->judge, run->judge, run->judge));
  return skp__log_flush(run->table);
}

/* Others that were there before: in this folder, and beside it. */
static skp_status set_aside(struct skp__run *run, const struct skp_train_options *o, const char *config) {
  SKP_TRY(skp__aside_move(&run->own));
  run->begun = true;
  if (run->own.earlier && o->say)
    skp_print(o->say, "The earlier run in %s now lies in %s.\n", run->out, run->own.earlier);
  return skp__siblings_set_aside(&run->siblings, run->out, config, o->sibling, o->siblings, o->say);
}

static skp_status settle_in(struct skp__run *run, struct skp_session *s, const struct skp_data *data,
                            const struct skp_train_options *o, const struct skp__position *at) {
  char *config;
  SKP_TRY(describe_text(&config, s, data, o, at));
  skp_status status = o->resume ? SKP_OK : set_aside(run, o, config);
  if (status == SKP_OK) status = write_config(run->out, config);
  free(config);
  return status;
}

skp_status skp__run_open(struct skp__run *run, struct skp_session *s, const struct skp_data *data,
                         const struct skp_train_options *o, const struct skp__position *at) {
  *run = (struct skp__run){.out = o->out, .judge = data->valid ? "valid" : "test", .lines = o->lines};
  run->own.held = NULL;
  SKP_TRY(introduce(run, s, data, o, at));
  if (o->board) SKP_TRY(skp__option_written("tensorboard", skp__events_open(&run->board, o->board)));
  SKP_TRY(skp__board_begin(run->board, o->out ? o->out : s->model->name, s, data->train));
  if (o->resume) SKP_TRY(skp__events_restart(run->board, at->step));
  if (!o->out) return SKP_OK;
  SKP_TRY(skp__folder_create(o->out));
  SKP_TRY(skp__aside_take(&run->own, o->out));
  SKP_TRY(settle_in(run, s, data, o, at));
  skp__run_prune(run, at->step, INT64_MAX);
  SKP_TRY(skp__path_join(&run->last, o->out, "last.safetensors"));
  SKP_TRY(skp__path_join(&run->best, o->out, "best.safetensors"));
  SKP_TRY(skp__path_join(&run->state, o->out, "state.safetensors"));
  int64_t there;
  SKP_TRY(open_log(&run->log, &there, run, "log.jsonl", at->log_bytes, o->say));
  SKP_TRY(open_log(&run->table, &there, run, "results.csv", at->table_bytes, o->say));
  return there ? SKP_OK : begin_table(run);
}

void skp__run_close(struct skp__run *run) {
  skp__log_destroy(run->log);
  skp__log_destroy(run->table);
  skp__events_close(run->board);
  free(run->last);
  free(run->best);
  free(run->state);
  skp__siblings_free(&run->siblings);
  skp__aside_release(&run->own);
}

void skp__run_forget(struct skp__run *run, FILE *say) {
  skp__events_forget(run->board);
  if (!run->begun) return;
  skp__aside_clear(&run->own);
  skp__siblings_back(&run->siblings);
  if (skp__aside_back(&run->own) && say) skp_print(say, "It lies in %s again.\n", run->out);
}

skp_status skp__run_interrupted(const struct skp__run *run, const char *why, int64_t step) {
  if (!run->out) return skp__fail(SKP_INTERRUPTED, "%s after step %lld.", why, (long long)step);
  return skp__fail(SKP_INTERRUPTED, "%s after step %lld; %s %s goes on from there.", why, (long long)step,
                   skp__option("skp_run_resume"), run->out);
}

/* A line of the log, and for programs that listen. */
static skp_status put_line(struct skp__run *run, const char *line) {
  const int open = (int)strlen(line) - 1; /* the closing brace */
  if (run->lines &&
      (fprintf(run->lines, "%.*s,\"version\":%d}\n", open, line, SKP_JSON_VERSION) < 0 || fflush(run->lines)))
    return skp__fail(SKP_IO, "Cannot write a line to the program that listens.");
  return skp__log_line(run->log, "%s", line);
}

skp_status skp__run_step(struct skp__run *run, int64_t step, double loss, double lr, bool skipped) {
  char line[128], number[32] = "null";
  if (isfinite(loss)) snprintf(number, sizeof number, "%.9g", loss);
  snprintf(line, sizeof line, "{\"step\":%lld,\"loss\":%s,\"lr\":%.9g%s}", (long long)step, number, lr,
           skipped ? ",\"skipped\":true" : "");
  if (isfinite(loss)) SKP_TRY(skp__events_scalar(run->board, step, "train/loss", loss));
  SKP_TRY(skp__events_scalar(run->board, step, "train/learning_rate", lr));
  return put_line(run, line);
}

skp_status skp__run_flush(struct skp__run *run) {
  SKP_TRY(skp__log_flush(run->log));
  return skp__log_flush(run->table);
}

skp_status skp__run_mark(const struct skp__run *run, struct skp__position *at) {
  SKP_TRY(skp__log_size(run->log, &at->log_bytes));
  if (run->tested) at->log_bytes = run->tested;
  SKP_TRY(skp__log_size(run->table, &at->table_bytes));
  SKP_TRY(skp__log_sum(run->log, at->log_bytes, &at->log));
  return skp__log_sum(run->table, at->table_bytes, &at->table);
}

skp_status skp__run_back(struct skp__run *run, const struct skp__position *at, int64_t from) {
  char line[160];
  snprintf(line, sizeof line, "{\"rollback\":%lld,\"from_step\":%lld,\"to_step\":%lld,\"lr_factor\":%.9g}",
           (long long)at->rollbacks, (long long)from, (long long)at->step, skp__position_lr(at->cuts));
  SKP_TRY(skp__log_cut(run->log, at->log_bytes));
  SKP_TRY(skp__log_cut(run->table, at->table_bytes));
  SKP_TRY(skp__events_restart(run->board, at->step));
  return put_line(run, line);
}

/* Accuracies and losses as TensorBoard's scalars: "valid/accuracy". */
static skp_status put_scores(struct skp__run *run, int64_t step, const char *of, double accuracy, double top5,
                             double loss) {
  const double values[] = {accuracy, top5, loss};
  static const char *const names[] = {"accuracy", "top5", "loss"};
  char tag[64];
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    snprintf(tag, sizeof tag, "%s/%s", of, names[i]);
    SKP_TRY(skp__events_scalar(run->board, step, tag, values[i]));
  }
  return SKP_OK;
}

static skp_status put_epoch(struct skp__run *run, const struct skp__run_epoch *e) {
  SKP_TRY(skp__events_scalar(run->board, e->step, "epoch/train_loss", e->train_loss));
  SKP_TRY(skp__events_scalar(run->board, e->step, "epoch/images_per_second", e->img_per_s));
  SKP_TRY(skp__events_scalar(run->board, e->step, "epoch/data_wait", e->data_wait));
  return e->accuracy < 0 ? SKP_OK : put_scores(run, e->step, run->judge, e->accuracy, e->top5, e->loss);
}

skp_status skp__run_epoch(struct skp__run *run, const struct skp__run_epoch *e) {
  char object[160] = "", cells[96] = ",,", line[400];
  if (e->accuracy >= 0) {
    snprintf(object, sizeof object, "\"%s_accuracy\":%.9g,\"%s_top5\":%.9g,\"%s_loss\":%.9g,", run->judge, e->accuracy,
             run->judge, e->top5, run->judge, e->loss);
    snprintf(cells, sizeof cells, "%.9g,%.9g,%.9g", e->accuracy, e->top5, e->loss);
  }
  snprintf(line, sizeof line,
           "{\"epoch\":%lld,\"train_loss\":%.9g,%s\"img_per_s\":%.6g,\"data_wait\":%.3g,\"seconds\":%.6g}",
           (long long)e->epoch, e->train_loss, object, e->img_per_s, e->data_wait, e->seconds);
  SKP_TRY(put_line(run, line));
  SKP_TRY(put_epoch(run, e));
  SKP_TRY(skp__log_line(run->table, "%lld,%lld,%.9g,%s,%.6g,%.6g,%.3g", (long long)e->epoch, (long long)e->step,
                        e->train_loss, cells, e->img_per_s, e->seconds, e->data_wait));
  SKP_TRY(skp__events_flush(run->board));
  return skp__run_flush(run);
}

skp_status skp__run_test(struct skp__run *run, const struct skp_eval_result *test) {
  char line[160];
  snprintf(line, sizeof line, "{\"weights\":\"best\",\"test_accuracy\":%.9g,\"test_top5\":%.9g,\"test_loss\":%.9g}",
           test->accuracy, test->top5, test->loss);
  SKP_TRY(skp__log_size(run->log, &run->tested));
  SKP_TRY(put_line(run, line));
  return skp__log_flush(run->log);
}
