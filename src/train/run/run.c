/* run.c: the folder of a run. SPDX-License-Identifier: MIT */
#include "train/run/run.h"
#include "base/file.h"
#include "base/host.h"
#include "io/json.h"
#include "skipper/version.h"
#include "train/checkpoint/metadata.h"
#include "train/run/board.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* All that a run writes but numbered checkpoints. */
static const char *const files[] = {"config.json",      "log.jsonl",         "results.csv",   "last.safetensors",
                                    "best.safetensors", "state.safetensors", "confusion.csv", "classes.csv",
                                    "worst.csv",        "trace.json",        "layers.csv"};
enum { FILES = sizeof files / sizeof *files };

/* N of step-N.safetensors, -1: another name. */
static long long step_of(const char *name) {
  long long step;
  int end = 0;
  return sscanf(name, "step-%18lld.safetensors%n", &step, &end) == 1 && end && !name[end] ? step : -1;
}

/* Whether the first n bytes of `name` are the name of a run's file. */
static bool ours(const char *name, size_t n) {
  char whole[64];
  if (n >= sizeof whole) return false;
  snprintf(whole, sizeof whole, "%.*s", (int)n, name);
  bool any = step_of(whole) >= 0;
  for (int i = 0; i < FILES && !any; i++) any = strcmp(whole, files[i]) == 0;
  return any;
}

static const char probe_name[] = ".space"; /* see skp__run_check */

/* ---- before any work -------------------------------------------------------------------------------------------- */

static int reserve(const char *path, int64_t bytes) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return errno;
  int error = posix_fallocate(fd, 0, bytes);
  close(fd);
  unlink(path);
  return error == EOPNOTSUPP || error == EINVAL ? 0 : error;
}

/* Bytes of the files in a run's folder that are written anew. */
static skp_status replaced(int64_t *bytes, const char *out) {
  static const char *const names[] = {"last.safetensors", "best.safetensors", "state.safetensors"};
  *bytes = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    struct stat st;
    char *path;
    SKP_TRY(skp__path_join(&path, out, names[i]));
    if (!stat(path, &st)) *bytes += st.st_size;
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
  SKP_TRY(skp__format(&probe, "%s/%s.%ld.tmp", out, probe_name, (long)getpid()));
  int error = reserve(probe, bytes);
  free(probe);
  if (!error) return SKP_OK;
  return skp__fail(SKP_IO, "Cannot write to the run folder %s: %s. It must take at least %lld bytes. %s", out,
                   strerror(error), (long long)bytes, skp__write_advice(error));
}

/* ---- an earlier run --------------------------------------------------------------------------------------------- */

/* Whether `name` is what a process that is gone left half-written: FILE.PID.tmp. */
static bool left_behind(const char *name) {
  size_t n = strlen(name);
  if (n < 5 || strcmp(name + n - 4, ".tmp") != 0) return false;
  for (n -= 5; n && name[n] != '.'; n--) continue;
  char *end;
  long pid = strtol(name + n + 1, &end, 10);
  bool known = ours(name, n) || (n == sizeof probe_name - 1 && strncmp(name, probe_name, n) == 0);
  return known && pid > 0 && strcmp(end, ".tmp") == 0 && kill((pid_t)pid, 0) && errno == ESRCH;
}

static void sweep(const char *out) {
  DIR *dir = opendir(out);
  for (struct dirent *e; dir && (e = readdir(dir));)
    if (left_behind(e->d_name)) unlinkat(dirfd(dir), e->d_name, 0);
  if (dir) closedir(dir);
}

/* One process works on a run at a time. */
static skp_status lock(struct skp__run *run) {
  run->lock = open(run->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (run->lock < 0) return skp__fail(SKP_IO, "Cannot open the folder %s: %s.", run->out, strerror(errno));
  if (flock(run->lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
    return skp__fail(SKP_IO, "The run in %s is going on: another process works on it.", run->out);
  return SKP_OK; /* a file system without locks will do */
}

bool skp__run_going(const char *out) {
  const int fd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool going = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
  if (fd >= 0) close(fd);
  return going;
}

int64_t skp__run_written(const char *out) {
  char *path;
  struct stat st;
  if (skp__path_join(&path, out, "results.csv") != SKP_OK) return 0;
  const bool there = !stat(path, &st);
  free(path);
  return there ? (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec : 0;
}

static skp_status move(const char *from_dir, const char *to_dir, const char *name) {
  char *from, *to = NULL;
  SKP_TRY(skp__path_join(&from, from_dir, name));
  skp_status status = skp__path_join(&to, to_dir, name);
  if (status == SKP_OK && rename(from, to) && errno != ENOENT)
    status = skp__fail(SKP_IO, "Cannot move %s to %s: %s.", from, to, strerror(errno));
  free(to);
  free(from);
  return status;
}

/* The names of a run's files in a folder. */
struct names {
  SKP_ARRAY(char *) list;
};

static skp_status list(struct names *names, const char *out) {
  DIR *dir = opendir(out);
  if (!dir) return skp__fail(SKP_IO, "Cannot list the folder %s: %s.", out, strerror(errno));
  skp_status status = SKP_OK;
  for (struct dirent *e; status == SKP_OK && (e = readdir(dir));) {
    if (!ours(e->d_name, strlen(e->d_name))) continue;
    status = SKP_GROW(&names->list);
    if (status == SKP_OK) status = skp__strdup(&names->list.at[names->list.n - 1], e->d_name);
  }
  closedir(dir);
  return status;
}

static void free_names(struct names *names) {
  for (size_t i = 0; i < names->list.n; i++) free(names->list.at[i]);
  SKP_FREE(&names->list);
}

static skp_status new_folder(char **out, const char *within) {
  *out = NULL;
  for (int n = 1;; n++) {
    SKP_TRY(skp__format(out, "%s/earlier-%d", within, n));
    if (!mkdir(*out, 0777)) return SKP_OK;
    skp_status status = SKP_OK;
    if (errno != EEXIST) status = skp__fail(SKP_IO, "Cannot create the folder %s: %s.", *out, strerror(errno));
    free(*out);
    *out = NULL;
    SKP_TRY(status);
  }
}

/* Moves the earlier run's files to where they were; true: it is whole there. The present error stays. */
static bool give_back(const struct skp__run *run) {
  struct names names = {.list = {.n = 0}};
  char *kept = skp__error_keep();
  bool moved = list(&names, run->earlier) == SKP_OK;
  for (size_t i = 0; i < names.list.n; i++) {
    char *from = NULL;
    moved = skp__path_join(&from, run->earlier, names.list.at[i]) == SKP_OK &&
            !renameat(AT_FDCWD, from, run->lock, names.list.at[i]) && moved;
    free(from);
  }
  free_names(&names);
  skp__error_restore(SKP_OK, kept);
  return moved && !rmdir(run->earlier);
}

/* Moves an earlier run's files into OUT/earlier-N: `out` holds one run, and none is lost. All of them or none. */
static skp_status set_aside(struct skp__run *run, FILE *say) {
  struct names names = {.list = {.n = 0}};
  skp_status status = list(&names, run->out);
  if (status == SKP_OK && names.list.n) status = new_folder(&run->earlier, run->out);
  for (size_t i = 0; i < names.list.n && status == SKP_OK; i++) status = move(run->out, run->earlier, names.list.at[i]);
  free_names(&names);
  if (status != SKP_OK && run->earlier) (void)give_back(run);
  if (status == SKP_OK && run->earlier && say)
    skp_print(say, "The earlier run in %s now lies in %s.\n", run->out, run->earlier);
  return status;
}

/* ---- numbered checkpoints --------------------------------------------------------------------------------------- */

skp_status skp__run_numbered(char **out, const struct skp__run *run, int64_t step) {
  return skp__format(out, "%s/step-%08lld.safetensors", run->out, (long long)step);
}

/* How many are of a step from `from` to `to`. */
static int64_t count(const struct names *names, long long from, long long to) {
  int64_t n = 0;
  for (size_t i = 0; i < names->list.n; i++) {
    long long step = step_of(names->list.at[i]);
    n += step >= 0 && step >= from && step <= to;
  }
  return n;
}

void skp__run_prune(const struct skp__run *run, int64_t step, int64_t keep) {
  struct names names = {.list = {.n = 0}};
  if (list(&names, run->out) == SKP_OK)
    for (size_t i = 0; i < names.list.n; i++) {
      long long its = step_of(names.list.at[i]);
      if (its >= 0 && (its > step || count(&names, its + 1, step) >= keep)) unlinkat(run->lock, names.list.at[i], 0);
    }
  free_names(&names);
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
         skp__json_add(config, "settings", skp__settings_json(o->extra.set, o->extra.sets)) &&
         skp__json_add(config, "recipe", skp__recipe_json(&s->model->recipe)) &&
         skp__json_add_number(config, "seed", (double)o->seed) &&
         skp__json_add(config, "shuffle", cJSON_CreateBool(o->shuffle)) &&
         (o->max_steps < 0 || skp__json_add_number(config, "max_steps", (double)o->max_steps)) &&
         (!o->resume || skp__json_add_number(config, "resumed_after_step", (double)at->step)) &&
         add_source(config, "train", data->train) && add_source(config, "valid", data->valid) &&
         add_source(config, "test", data->test);
}

static skp_status write_config(const struct skp_session *s, const struct skp_data *data,
                               const struct skp_train_options *o, const struct skp__position *at) {
  char *path, *text = NULL;
  cJSON *config = cJSON_CreateObject();
  skp_status status = describe(config, s, data, o, at) ? skp__json_text(&text, config, true)
                                                       : skp__fail_memory("the run's description", 0);
  cJSON_Delete(config);
  SKP_TRY(status);
  status = skp__path_join(&path, o->out, "config.json");
  if (status == SKP_OK) {
    status = skp__file_write_atomic(path, (struct skp__file_part[]){{text, (int64_t)strlen(text)}, {"\n", 1}}, 2);
    free(path);
  }
  free(text);
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

static skp_status open_log(struct skp_log **log, const char *out, const char *name, int64_t keep) {
  char *path;
  SKP_TRY(skp__path_join(&path, out, name));
  skp_status status = skp__log_create(log, path, keep);
  free(path);
  return status;
}

static skp_status begin_table(struct skp__run *run) {
  SKP_TRY(skp__log_line(run->table, "epoch,step,train_loss,%s_accuracy,%s_top5,%s_loss,img_per_s,seconds,data_wait",
                        run->judge, run->judge, run->judge));
  return skp__log_flush(run->table);
}

skp_status skp__run_open(struct skp__run *run, struct skp_session *s, const struct skp_data *data,
                         const struct skp_train_options *o, const struct skp__position *at) {
  *run = (struct skp__run){.out = o->out, .judge = data->valid ? "valid" : "test", .lock = -1, .lines = o->lines};
  SKP_TRY(introduce(run, s, data, o, at));
  if (o->board) SKP_TRY(skp__option_written("tensorboard", skp__events_open(&run->board, o->board)));
  SKP_TRY(skp__board_begin(run->board, o->out ? o->out : s->model->name, s, data->train));
  if (o->resume) SKP_TRY(skp__events_restart(run->board, at->step));
  if (!o->out) return SKP_OK;
  SKP_TRY(skp__folder_create(o->out));
  SKP_TRY(lock(run));
  sweep(o->out);
  if (!o->resume) SKP_TRY(set_aside(run, o->say));
  run->begun = !o->resume;
  skp__run_prune(run, at->step, INT64_MAX);
  SKP_TRY(skp__path_join(&run->last, o->out, "last.safetensors"));
  SKP_TRY(skp__path_join(&run->best, o->out, "best.safetensors"));
  SKP_TRY(skp__path_join(&run->state, o->out, "state.safetensors"));
  SKP_TRY(write_config(s, data, o, at));
  SKP_TRY(open_log(&run->log, o->out, "log.jsonl", at->log_bytes));
  SKP_TRY(open_log(&run->table, o->out, "results.csv", at->table_bytes));
  return at->table_bytes ? SKP_OK : begin_table(run);
}

void skp__run_close(struct skp__run *run) {
  skp__log_destroy(run->log);
  skp__log_destroy(run->table);
  skp__events_close(run->board);
  free(run->last);
  free(run->best);
  free(run->state);
  free(run->earlier);
  if (run->lock >= 0) close(run->lock);
}

void skp__run_forget(struct skp__run *run, FILE *say) {
  skp__events_forget(run->board);
  if (!run->begun) return;
  for (int i = 0; i < FILES; i++) unlinkat(run->lock, files[i], 0);
  if (run->earlier && give_back(run) && say) skp_print(say, "It lies in %s again.\n", run->out);
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

skp_status skp__run_mark(struct skp__run *run, struct skp__position *at) {
  SKP_TRY(skp__log_size(run->log, &at->log_bytes));
  return skp__log_size(run->table, &at->table_bytes);
}

skp_status skp__run_back(struct skp__run *run, const struct skp__position *at, int64_t from) {
  char line[160];
  snprintf(line, sizeof line, "{\"rollback\":%.0f,\"from_step\":%lld,\"to_step\":%lld,\"lr_factor\":%.9g}",
           at->rollbacks, (long long)from, (long long)at->step, skp__position_lr(at->cuts));
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
  SKP_TRY(skp__log_flush(run->log));
  SKP_TRY(skp__events_flush(run->board));
  return skp__log_flush(run->table);
}

skp_status skp__run_test(struct skp__run *run, const struct skp_eval_result *test) {
  char line[160];
  snprintf(line, sizeof line, "{\"weights\":\"best\",\"test_accuracy\":%.9g,\"test_top5\":%.9g,\"test_loss\":%.9g}",
           test->accuracy, test->top5, test->loss);
  SKP_TRY(put_line(run, line));
  return skp__log_flush(run->log);
}
