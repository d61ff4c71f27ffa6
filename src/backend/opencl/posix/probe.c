/* probe.c: listing devices in a child process, so that a driver that crashes or hangs while listing costs one line. If
 * the child does not survive, each driver (.icd file) is tried alone, and those that failed are hidden.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/devices.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/host.h"
#include "base/scratch.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLL_NS = 500000 };

static const char VENDORS[] = "OCL_ICD_VENDORS"; /* where the ICD loader looks, for ocl-icd and for Khronos' own */

/* What parent and child share. */
struct shared {
  struct skp_device_list list;
  bool complete;
};

/* ---- one child -------------------------------------------------------------------------------------------------- */

static void run_child(struct shared *shared) {
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  int nowhere = open("/dev/null", O_RDWR); /* a dying driver's last words would confuse */
  if (nowhere >= 0) {
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
  }
  skp__devices_ask(&shared->list);
  shared->complete = true;
  _exit(0);
}

/* Of those that end a faulty driver; C knows no names of signals. */
const char *skp__signal_name(int number) {
  static const struct {
    int number;
    const char *name;
  } names[] = {{SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},   {SIGILL, "SIGILL"},
               {SIGKILL, "SIGKILL"}, {SIGPIPE, "SIGPIPE"}, {SIGSEGV, "SIGSEGV"}, {SIGSYS, "SIGSYS"},
               {SIGTERM, "SIGTERM"}, {SIGTRAP, "SIGTRAP"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].number == number) return names[i].name;
  return "a signal";
}

/* Waits for the child's end. `fate` gets what became of it, and stays "" if it ended by itself (the status is no sign:
 * memory checkers set it). */
static void await_child(pid_t pid, char *fate, size_t size) {
  double until = skp__clock() + skp__host()->probe_seconds;
  int state = 0;
  pid_t ended;
  while ((ended = waitpid(pid, &state, WNOHANG)) == 0 && skp__clock() < until)
    nanosleep(&(struct timespec){0, POLL_NS}, NULL);
  if (ended == 0) {
    kill(pid, SIGKILL);
    waitpid(pid, &state, 0);
    snprintf(fate, size, "did not answer within %g s", skp__host()->probe_seconds);
  } else if (ended > 0 && WIFSIGNALED(state))
    snprintf(fate, size, "crashed (%s)", skp__signal_name(WTERMSIG(state)));
}

/* Adds the devices to a list, in a child. Where `fate` is not empty on return the list is as before. */
static skp_status ask_in_child(struct skp_device_list *list, char *fate, size_t size) {
  *fate = 0;
  struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return skp__fail_memory("the list of devices", sizeof *shared);
  shared->list = *list;
  pid_t pid = fork();
  if (pid == 0) run_child(shared);
  skp_status status = SKP_OK;
  if (pid < 0)
    status = skp__fail(SKP_NO_DEVICE, "Cannot start a process to look for devices: %s.", strerror(errno));
  else {
    await_child(pid, fate, size);
    if (!*fate && !shared->complete) snprintf(fate, size, "ended the program");
    if (!*fate) *list = shared->list;
  }
  munmap(shared, sizeof *shared);
  return status;
}

/* ---- driver by driver ------------------------------------------------------------------------------------------- */

/* The .icd files that the loader would read. */
static int find_drivers(glob_t *found) {
  const char *own = skp__environment_get(VENDORS), *path = skp__environment_get("OPENCL_VENDOR_PATH");
  const char *folder = own && *own ? own : path && *path ? path : "/etc/OpenCL/vendors";
  char pattern[4096];
  struct stat st;
  bool is_folder = !stat(folder, &st) && S_ISDIR(st.st_mode);
  snprintf(pattern, sizeof pattern, is_folder ? "%s/*.icd" : "%s", folder);
  return glob(pattern, 0, NULL, found);
}

/* A folder of links to some drivers, for the loader to read instead of its own. */
struct selection {
  char folder[512];
  glob_t *drivers;
};

static void link_path(char *out, size_t size, const struct selection *s, size_t i) {
  snprintf(out, size, "%s/%03zu.icd", s->folder, i); /* numbered: the loader's order stays */
}

static void selection_set(const struct selection *s, size_t i, bool in) {
  char path[560];
  char *target = realpath(s->drivers->gl_pathv[i], NULL);
  link_path(path, sizeof path, s, i);
  if (!in)
    unlink(path);
  else if (target &&
           symlink(target, path)) { /* fails only where the folder just made is gone: the driver is then left out */
  }
  free(target);
}

/* Keeps in the selection those drivers that survive alone; notes the others. */
static skp_status try_each(const struct selection *s, struct skp_device_list *notes) {
  bool *bad;
  char fate[80];
  size_t n = s->drivers->gl_pathc;
  struct skp_device_list *alone;
  SKP_TRY(skp__alloc(&bad, n, sizeof *bad));
  skp_status status = skp__alloc(&alone, 1, sizeof *alone);
  for (size_t i = 0; i < n && status == SKP_OK; i++) {
    selection_set(s, i, true);
    memset(alone, 0, sizeof *alone);
    status = ask_in_child(alone, fate, sizeof fate);
    selection_set(s, i, false);
    bad[i] = *fate;
    if (bad[i])
      skp__devices_note(notes, "Driver %s %s while listing its devices; it is left out.", s->drivers->gl_pathv[i],
                        fate);
  }
  for (size_t i = 0; i < n; i++)
    if (!bad[i]) selection_set(s, i, true);
  free(alone);
  free(bad);
  return status;
}

/* With the loader pointed at the selection: tries each driver, lists what the good ones have, and loads them here. */
static skp_status list_survivors(struct selection *s, struct skp_device_list *list) {
  struct skp_device_list *notes;
  char fate[80] = "";
  cl_uint n;
  SKP_TRY(skp__alloc(&notes, 1, sizeof *notes));
  skp_status status = try_each(s, notes);
  if (status == SKP_OK) status = ask_in_child(list, fate, sizeof fate);
  if (status == SKP_OK && *fate) skp__devices_note(notes, "The remaining drivers %s when listed together.", fate);
  if (status == SKP_OK && !*fate) clGetPlatformIDs(0, NULL, &n); /* the loader reads the selection now, and only now */
  for (size_t i = 0; i < notes->n_notes; i++) skp__devices_note(list, "%s", notes->notes[i]);
  free(notes);
  return status;
}

static skp_status isolate(struct skp_device_list *list, glob_t *drivers) {
  struct selection s = {.drivers = drivers};
  const char *scratch, *before = skp__environment_get(VENDORS);
  SKP_TRY(skp__scratch_folder(&scratch));
  snprintf(s.folder, sizeof s.folder, "%.500s/icd", scratch);
  SKP_TRY(skp__folder_create(s.folder));
  char *kept = before ? strdup(before) : NULL;
  setenv(VENDORS, s.folder, 1);
  skp_status status = list_survivors(&s, list);
  if (kept)
    setenv(VENDORS, kept, 1);
  else
    unsetenv(VENDORS);
  for (size_t i = 0; i < drivers->gl_pathc; i++) selection_set(&s, i, false);
  rmdir(s.folder);
  free(kept);
  return status;
}

skp_status skp__devices_probe(struct skp_device_list *list) {
  char fate[80];
  SKP_TRY(ask_in_child(list, fate, sizeof fate));
  if (!*fate) return SKP_OK;
  glob_t drivers;
  skp_status status = SKP_OK;
  if (find_drivers(&drivers))
    skp__devices_note(list, "The OpenCL loader %s while listing devices.", fate);
  else
    status = isolate(list, &drivers);
  globfree(&drivers);
  return status;
}
