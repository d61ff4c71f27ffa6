/* run.c: the folder of a run. SPDX-License-Identifier: MIT */
#include "train/run.h"
#include "base/file.h"
#include "train/metadata.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* All that a run writes. */
static const char *const files[] = {"config.json", "log.jsonl", "results.csv", "last.safetensors", "best.safetensors"};
enum { FILES = sizeof files / sizeof *files };

/* ---- before any work -------------------------------------------------------------------------------------------- */

static int reserve(const char *path, int64_t bytes) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return errno;
  int error = posix_fallocate(fd, 0, bytes);
  close(fd);
  unlink(path);
  return error == EOPNOTSUPP || error == EINVAL ? 0 : error;
}

skp_status skp__run_check(const char *out, int64_t checkpoint_bytes) {
  int64_t bytes = 3 * checkpoint_bytes + (1 << 16); /* last, best, one being written; the logs' first lines */
  char *probe;
  SKP_TRY(skp__folder_create(out));
  SKP_TRY(skp__format(&probe, "%s/.space.%ld.tmp", out, (long)getpid()));
  int error = reserve(probe, bytes);
  free(probe);
  if (!error) return SKP_OK;
  return skp__fail(
      SKP_IO,
      "Cannot write to the run folder %s: %s. It must take at least %lld bytes. Free some space, check its "
      "permissions or name another folder with --out.",
      out, strerror(error), (long long)bytes);
}

/* ---- an earlier run --------------------------------------------------------------------------------------------- */

/* Whether `name` is what a process that is gone left half-written: FILE.PID.tmp. */
static bool left_behind(const char *name) {
  for (int i = 0; i < FILES; i++) {
    size_t n = strlen(files[i]);
    if (strncmp(name, files[i], n) != 0 || name[n] != '.') continue;
    char *end;
    long pid = strtol(name + n + 1, &end, 10);
    return pid > 0 && strcmp(end, ".tmp") == 0 && kill((pid_t)pid, 0) && errno == ESRCH;
  }
  return false;
}

static void sweep(const char *out) {
  DIR *dir = opendir(out);
  for (struct dirent *e; dir && (e = readdir(dir));)
    if (left_behind(e->d_name)) unlinkat(dirfd(dir), e->d_name, 0);
  if (dir) closedir(dir);
}

static skp_status move(const char *from_dir, const char *to_dir, const char *name) {
  char *from, *to;
  SKP_TRY(skp__path_join(&from, from_dir, name));
  skp_status status = skp__path_join(&to, to_dir, name);
  if (status == SKP_OK && rename(from, to) && errno != ENOENT)
    status = skp__fail(SKP_IO, "Cannot move %s to %s: %s.", from, to, strerror(errno));
  if (status == SKP_OK) free(to);
  free(from);
  return status;
}

static bool holds_run(const char *out) {
  bool any = false;
  for (int i = 0; i < FILES && !any; i++) {
    char *path;
    if (skp__path_join(&path, out, files[i]) != SKP_OK) continue;
    any = skp__file_exists(path);
    free(path);
  }
  return any;
}

/* Moves an earlier run's files into OUT/earlier-N: what --out names holds one run, and none is lost. */
static skp_status set_aside(const char *out, FILE *say) {
  char *folder = NULL;
  skp_status status = SKP_OK;
  if (!holds_run(out)) return SKP_OK;
  for (int n = 1; status == SKP_OK && !folder; n++) {
    status = skp__format(&folder, "%s/earlier-%d", out, n);
    if (status != SKP_OK || !mkdir(folder, 0777)) break;
    if (errno != EEXIST) status = skp__fail(SKP_IO, "Cannot create the folder %s: %s.", folder, strerror(errno));
    free(folder);
    folder = NULL;
  }
  for (int i = 0; i < FILES && status == SKP_OK; i++) status = move(out, folder, files[i]);
  if (status == SKP_OK && say) fprintf(say, "The earlier run in %s now lies in %s.\n", out, folder);
  free(folder);
  return status;
}

/* ---- config.json ------------------------------------------------------------------------------------------------ */

static void add_source(cJSON *config, const char *key, const struct skp_source *source) {
  cJSON *entry = source ? cJSON_AddObjectToObject(config, key) : NULL;
  cJSON_AddStringToObject(entry, "data", source ? source->name : "");
  cJSON_AddNumberToObject(entry, "images", source ? (double)source->n : 0);
}

static cJSON *describe(const struct skp_session *s, const struct skp_source *train, const struct skp_source *test,
                       const struct skp_train_options *o) {
  struct skp_backend_info info;
  char started[32];
  time_t now = time(NULL);
  struct tm utc;
  strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
  s->b->ops->info(s->b, &info);
  cJSON *config = cJSON_CreateObject();
  cJSON_AddStringToObject(config, "skipper", SKP_VERSION);
  cJSON_AddStringToObject(config, "started", started);
  cJSON_AddStringToObject(config, "device", info.name);
  cJSON_AddStringToObject(config, "driver", info.driver);
  cJSON_AddStringToObject(config, "model", s->model->name);
  cJSON_AddItemToObject(config, "settings", skp__settings_json(o->extra.set, o->extra.sets));
  cJSON_AddItemToObject(config, "recipe", skp__recipe_json(&s->model->recipe));
  cJSON_AddNumberToObject(config, "seed", (double)o->seed);
  cJSON_AddBoolToObject(config, "shuffle", o->shuffle);
  if (o->max_steps >= 0) cJSON_AddNumberToObject(config, "max_steps", (double)o->max_steps);
  add_source(config, "train", train);
  add_source(config, "test", test);
  return config;
}

static skp_status write_config(const char *out, cJSON *config) {
  char *path, *text = config ? cJSON_Print(config) : NULL;
  cJSON_Delete(config);
  if (!text) return skp__fail_memory("config.json", 0);
  skp_status status = skp__path_join(&path, out, "config.json");
  if (status == SKP_OK) {
    status = skp__file_write_atomic(path, (struct skp__file_part[]){{text, (int64_t)strlen(text)}, {"\n", 1}}, 2);
    free(path);
  }
  cJSON_free(text);
  return status;
}

/* ---- the run ---------------------------------------------------------------------------------------------------- */

static skp_status open_log(struct skp_log **log, const char *out, const char *name) {
  char *path;
  SKP_TRY(skp__path_join(&path, out, name));
  skp_status status = skp__log_create(log, path);
  free(path);
  return status;
}

skp_status skp__run_open(struct skp__run *run, struct skp_session *s, const struct skp_source *train,
                         const struct skp_source *test, const struct skp_train_options *o) {
  *run = (struct skp__run){.last = NULL};
  SKP_TRY(skp__folder_create(o->out));
  sweep(o->out);
  SKP_TRY(set_aside(o->out, o->say));
  SKP_TRY(skp__path_join(&run->last, o->out, "last.safetensors"));
  SKP_TRY(skp__path_join(&run->best, o->out, "best.safetensors"));
  SKP_TRY(write_config(o->out, describe(s, train, test, o)));
  SKP_TRY(open_log(&run->log, o->out, "log.jsonl"));
  SKP_TRY(open_log(&run->table, o->out, "results.csv"));
  SKP_TRY(skp__log_line(run->table, "epoch,step,train_loss,test_accuracy,test_top5,test_loss,img_per_s,seconds"));
  return skp__log_flush(run->table);
}

void skp__run_close(struct skp__run *run) {
  skp__log_destroy(run->log);
  skp__log_destroy(run->table);
  free(run->last);
  free(run->best);
}

skp_status skp__run_step(struct skp__run *run, int64_t step, double loss, double lr) {
  return skp__log_line(run->log, "{\"step\":%lld,\"loss\":%.9g,\"lr\":%.9g}", (long long)step, loss, lr);
}

skp_status skp__run_epoch(struct skp__run *run, const struct skp__run_epoch *e) {
  char object[160] = "", cells[96] = ",,";
  if (e->accuracy >= 0) {
    snprintf(object, sizeof object, "\"test_accuracy\":%.9g,\"test_top5\":%.9g,\"test_loss\":%.9g,", e->accuracy,
             e->top5, e->test_loss);
    snprintf(cells, sizeof cells, "%.9g,%.9g,%.9g", e->accuracy, e->top5, e->test_loss);
  }
  SKP_TRY(skp__log_line(
      run->log, "{\"epoch\":%lld,\"train_loss\":%.9g,%s\"img_per_s\":%.6g,\"data_wait_s\":%.3g,\"seconds\":%.6g}",
      (long long)e->epoch, e->train_loss, object, e->img_per_s, e->data_wait, e->seconds));
  SKP_TRY(skp__log_line(run->table, "%lld,%lld,%.9g,%s,%.6g,%.6g", (long long)e->epoch, (long long)e->step,
                        e->train_loss, cells, e->img_per_s, e->seconds));
  SKP_TRY(skp__log_flush(run->log));
  return skp__log_flush(run->table);
}
