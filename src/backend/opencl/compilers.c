/* compilers.c: processes that compile programs ahead of their use, side by side, into the disk cache.
 * SPDX-License-Identifier: MIT
 *
 *   start: fork ─> … ─> expect: note what the methods of the coming ops would launch ─> jobs ─> compilers ─> disk cache
 *
 * PoCL holds one lock while it compiles, whatever thread asks, so threads gain nothing there. A compiler is forked
 * before this process loads a driver, as a driver's threads and locks do not survive a fork, and loads it itself with
 * its first job. All read jobs from one end of a socket: who is free takes the next. Nothing here fails: a job that was
 * lost (a compiler crashed) is compiled where it is needed. */
#include "backend/opencl/compilers.h"
#include "backend/opencl/jobs.h"
#include "backend/opencl/method.h"
#include "backend/opencl/program.h"
#include "base/clock.h"
#include "base/progress.h"
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  MOST = 4,      /* compilers: more would wait for the longest program anyway */
  IDLE_S = 30,   /* after which one ends: it keeps a hundred megabytes */
  LOOK_MS = 200, /* between two looks whether all are alive */
};

struct skp__cl_compilers {
  int socket;
  pid_t pid[MOST];
  int alive;
};

/* ---- a compiler ------------------------------------------------------------------------------------------------- */

static void be_quiet(void) {
  const struct rlimit no_core = {0, 0};
  int nowhere = open("/dev/null", O_RDWR);
  setrlimit(RLIMIT_CORE, &no_core);
  signal(SIGINT, SIG_IGN); /* a terminal sends it to all; this process ends when the socket does */
  if (nowhere >= 0) {
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
  }
}

static bool open_context(struct skp__cl *cl, const struct skp_device *d) {
  cl_int code = CL_SUCCESS;
  if (!cl->context && skp__device_handles(&cl->platform_id, &cl->device, d) == SKP_OK)
    cl->context = clCreateContext(NULL, 1, &cl->device, NULL, NULL, &code);
  return cl->context != NULL;
}

static void compile(struct skp__cl *cl, const struct skp_device *d, int socket) {
  struct skp__cl_job job;
  const struct timeval idle = {.tv_sec = IDLE_S};
  be_quiet();
  cl->trace = NULL;
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle);
  while (recv(socket, &job, sizeof job, 0) == sizeof job) {
    cl_program program;
    if (open_context(cl, d)) (void)skp__cl_program(cl, &program, job.file, job.options);
    if (send(socket, "", 1, MSG_NOSIGNAL) != 1) break;
  }
  _exit(0);
}

/* ---- starting and ending ---------------------------------------------------------------------------------------- */

static int processors(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}

static void fork_all(struct skp__cl *cl, const struct skp_device *d, int n) {
  struct skp__cl_compilers *k = cl->compilers;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) return;
  k->socket = ends[0];
  while (k->alive < n) {
    pid_t pid = fork();
    if (pid == 0) {
      close(ends[0]);
      skp__progress_listen(NULL, NULL); /* who listens hears of it from the parent */
      compile(cl, d, ends[1]);
    }
    if (pid < 0) break;
    k->pid[k->alive++] = pid;
  }
  close(ends[1]);
}

void skp__cl_compilers_start(struct skp__cl *cl, const struct skp_device *d, int threads) {
  static atomic_bool loaded; /* a driver, in this process */
  int n = processors();
  if (threads > 0 && threads < n) n = threads;
  if (n > MOST) n = MOST;
  if (atomic_exchange(&loaded, true) || n < 2 || !cl->cache ||
      strcmp(d->platform_name, "Portable Computing Language") ||
      skp__alloc(&cl->compilers, 1, sizeof *cl->compilers) != SKP_OK)
    return;
  cl->compilers->socket = -1;
  fork_all(cl, d, n);
}

void skp__cl_compilers_stop(struct skp__cl *cl) {
  struct skp__cl_compilers *k = cl->compilers;
  if (!k) return;
  if (k->socket >= 0) close(k->socket);
  for (int i = 0; i < k->alive; i++) {
    kill(k->pid[i], SIGKILL); /* entries of the cache are renamed into place: no half ones stay */
    waitpid(k->pid[i], NULL, 0);
  }
  free(k);
  cl->compilers = NULL;
}

/* ---- jobs ------------------------------------------------------------------------------------------------------- */

/* The longest first, so that none of them is left for the end. */
static int by_weight(const void *a, const void *b) {
  size_t x = ((const struct skp__cl_job *)a)->weight, y = ((const struct skp__cl_job *)b)->weight;
  return (x < y) - (x > y);
}

static void note_all(struct skp__cl *cl, struct skp__cl_jobs *jobs, const struct skp_sig *sigs, size_t n) {
  FILE *trace = cl->trace;
  cl->trace = NULL; /* methods are chosen again, in earnest, afterwards */
  cl->noting = jobs;
  for (size_t i = 0; i < n; i++) {
    struct skp_prepared *p;
    if (skp__cl_prepare(&cl->base, &p, &sigs[i], NULL) == SKP_OK) skp__cl_prepared_destroy(p);
  }
  cl->noting = NULL;
  cl->trace = trace;
  if (jobs->list.n) qsort(jobs->list.at, jobs->list.n, sizeof *jobs->list.at, by_weight);
}

/* How many have ended since the last look, each with a job at most. */
static size_t bury(struct skp__cl_compilers *k) {
  size_t dead = 0;
  for (int i = k->alive; i-- > 0;)
    if (waitpid(k->pid[i], NULL, WNOHANG)) {
      k->pid[i] = k->pid[--k->alive];
      dead++;
    }
  return dead;
}

/* Sends jobs, a few more than there are compilers at a time, until all are done or lost. */
static void distribute(struct skp__cl *cl, const struct skp__cl_jobs *jobs) {
  struct skp__cl_compilers *k = cl->compilers;
  size_t sent = 0, done = 0, lost = 0, all = jobs->list.n;
  const double start = skp__clock();
  while (k->alive && done + lost < all) {
    char answer;
    while (sent < all && sent - done - lost < 2 * (size_t)k->alive &&
           send(k->socket, &jobs->list.at[sent], sizeof *jobs->list.at, MSG_NOSIGNAL) > 0)
      sent++;
    skp__progress_work(skp__progress_compiling, (int64_t)(done + lost), (int64_t)all);
    struct pollfd look = {.fd = k->socket, .events = POLLIN};
    if (poll(&look, 1, LOOK_MS) > 0 && recv(k->socket, &answer, 1, MSG_DONTWAIT) == 1)
      done++;
    else
      lost += bury(k);
  }
  skp__progress_work(skp__progress_compiling, (int64_t)all, (int64_t)all);
  if (cl->trace) fprintf(cl->trace, "%zu of %zu programs compiled ahead in %.3f s\n", done, all, skp__clock() - start);
}

void skp__cl_expect(struct skp_backend *b, const struct skp_sig *sigs, size_t n) {
  struct skp__cl *cl = (struct skp__cl *)b;
  if (!cl->compilers || cl->lost) return;
  bury(cl->compilers);
  if (!cl->compilers->alive) return;
  struct skp__cl_jobs jobs = {0};
  note_all(cl, &jobs, sigs, n);
  if (jobs.list.n) distribute(cl, &jobs);
  SKP_FREE(&jobs.list);
}
