/* measure.c: where several devices may be meant, each is measured once, by a call of this very program: a driver that
 * fails, crashes or hangs at that is not the one that this call may want to use. SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { PATIENCE = 30, LOOKS_PER_SECOND = 20 };

/* 0, or what it ended with: a number that is not; without PATIENCE to wait longer it is ended. */
static int await(pid_t pid) {
  const struct timespec nap = {.tv_nsec = 1000000000 / LOOKS_PER_SECOND};
  int how = -1;
  for (int i = 0; i < PATIENCE * LOOKS_PER_SECOND; i++) {
    const pid_t got = waitpid(pid, &how, WNOHANG);
    if (got == pid) return how;
    if (got < 0 && errno != EINTR) return -1;
    nanosleep(&nap, NULL);
  }
  kill(pid, SIGKILL);
  waitpid(pid, &how, 0);
  return how;
}

/* Whether `skipper bench --peak` could be done on it. What that says is nothing for this call's readers. */
static bool measure(const char *program, const char *device) {
  char *const words[] = {(char *)program, "bench", "--peak", "--device", (char *)device, NULL};
  posix_spawn_file_actions_t files;
  pid_t pid;
  if (posix_spawn_file_actions_init(&files)) return false;
  int failed = 0;
  for (int fd = 0; fd <= STDERR_FILENO; fd++)
    failed |= posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
  if (!failed) failed = posix_spawnp(&pid, program, &files, NULL, words, environ);
  posix_spawn_file_actions_destroy(&files);
  return !failed && await(pid) == 0;
}

/* Neighbours would disturb each other: for them what is known is all there is. */
skp_status cli_measure_devices(const struct cli *c, const skp_device_options *o) {
  size_t n;
  if (o->neighbours > 1 || (o->backend && strcmp(o->backend, "opencl"))) return SKP_OK;
  TRY(skp_device_count(&n));
  for (size_t i = 0; i < n; i++) {
    skp_device_info d;
    char device[32];
    if (!skp_device_unmeasured(i, o)) continue; /* perhaps by now: one of that very name was */
    TRY(skp_device_describe(i, &d));
    snprintf(device, sizeof device, "%d:%d", d.platform, d.device);
    skp_print(stderr, "Several devices may be meant: %s %s is measured, once\n", device, d.name);
    if (measure(c->program, device) && !skp_device_unmeasured(i, o)) continue;
    skp_print(stderr, "%s could not be measured: a device is taken by its kind. --device names one\n", device);
    break;
  }
  return SKP_OK;
}
