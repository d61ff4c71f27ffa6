/* compilers.c: processes that compile programs into the disk cache: so that a compiler that crashes or never ends costs
 * a program and not this process, and on PoCL several side by side, before they are needed.
 * SPDX-License-Identifier: MIT
 *
 *   start: fork keeper ─> fork workers ─> … ─> do: jobs ─> workers ─> disk cache
 *
 * PoCL holds one lock while it compiles, whatever thread asks, so threads gain nothing there. The keeper is forked
 * before this process loads a driver, as a driver's threads and locks do not survive a fork; it never loads one itself,
 * and forks another worker in the place of one that ended. A worker loads the driver with its first job. All read jobs
 * from one end of a socket: who is free takes the next. */
#include "backend/opencl/compilers.h"
#include "base/clock.h"
#include "base/machine.h"
#include "base/progress.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#ifdef __APPLE__ /* has no sockets of this kind: there programs are compiled where they are needed */
#define SOCK_CLOEXEC 0
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif
#endif

enum {
  MOST = 4,    /* workers: more would wait for the longest program anyway */
  IDLE_S = 30, /* after which one begins afresh: with the driver it keeps a hundred megabytes */
  BE_IDLE = 111,
  BE_OVER = 112 /* the ends of a worker that are none of a fault */
};

struct task { /* what a worker is sent */
  size_t number;
  struct skp__cl_job job;
};

struct report { /* what comes back */
  enum { BEGUN, DONE, GONE } kind;
  int worker;
  pid_t pid;     /* BEGUN: the worker's */
  size_t number; /* BEGUN: of the task */
  char fate[64]; /* GONE */
};

struct lost {
  struct skp__cl_job job;
  char fate[64];
};

struct skp__cl_compilers {
  int socket; /* -1: nobody reads it any more */
  pid_t keeper;
  int n;
  struct {
    bool busy;
    pid_t pid;
    size_t number; /* its task */
    double awake;  /* seconds that it has taken */
    bool late;
  } worker[MOST];
  SKP_ARRAY(struct lost) lost;
};

/* ---- a worker ---------------------------------------------------------------------------------------------------- */

/* What a keeper and its workers need. */
struct plan {
  struct skp__cl *cl;
  const struct skp_device *d;
  skp__cl_compile compile;
  int socket;
};

static bool open_context(const struct plan *p) {
  struct skp__cl *cl = p->cl;
  cl_int code = CL_SUCCESS;
  if (!cl->context && skp__device_handles(&cl->platform_id, &cl->device, p->d) == SKP_OK)
    cl->context = clCreateContext(NULL, 1, &cl->device, NULL, NULL, &code);
  return cl->context != NULL;
}

static void tell(int socket, const struct report *r) {
  if (send(socket, r, sizeof *r, MSG_NOSIGNAL) != sizeof *r) _exit(BE_OVER);
}

static void work(const struct plan *p, int number) {
  struct task task;
  struct report r = {.worker = number, .pid = getpid()};
  const struct timeval idle = {.tv_sec = IDLE_S};
  ssize_t n;
  while ((n = recv(p->socket, &task, sizeof task, 0)) == sizeof task || (n < 0 && errno == EAGAIN && !p->cl->context)) {
    if (n < 0) continue; /* the limit is the socket's, and so other workers' too */
    r.kind = BEGUN;
    r.number = task.number;
    tell(p->socket, &r);
    if (open_context(p)) (void)p->compile(p->cl, task.job.file, task.job.options);
    r.kind = DONE;
    tell(p->socket, &r);
    setsockopt(p->socket, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle);
  }
  _exit(n < 0 && errno == EAGAIN ? BE_IDLE : BE_OVER);
}

/* ---- the keeper, a process with nothing else in it --------------------------------------------------------------- */

static volatile pid_t workers[MOST];
static volatile sig_atomic_t ending;

static void end_workers(int number) {
  (void)number;
  ending = 1;
  for (int i = 0; i < MOST; i++)
    if (workers[i] > 0) kill(workers[i], SIGKILL); /* entries of the cache are renamed into place: no half ones stay */
}

static void be_quiet(void) {
  const struct rlimit no_core = {0, 0};
  int nowhere = open("/dev/null", O_RDWR);
  setrlimit(RLIMIT_CORE, &no_core);
  signal(SIGINT, SIG_IGN); /* a terminal sends it to all; these end when the socket does */
  if (nowhere >= 0) {
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
  }
}

/* No worker is forked that end_workers does not know. */
static void start_worker(const struct plan *p, int number) {
  sigset_t term, old;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, &old);
  const pid_t pid = ending ? -1 : fork();
  if (pid == 0) {
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_SETMASK, &old, NULL);
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody would notice what becomes of it */
#endif
    work(p, number);
  }
  workers[number] = pid;
  sigprocmask(SIG_SETMASK, &old, NULL);
}

static int find_worker(pid_t pid) {
  int i = 0;
  while (i < MOST && workers[i] != pid) i++;
  return i;
}

static void replace(const struct plan *p, int number, int state) {
  struct report r = {.kind = GONE, .worker = number, .fate = "ended the program"};
  const int code = WIFEXITED(state) ? WEXITSTATUS(state) : -1;
  workers[number] = 0;
  if (ending || code == BE_OVER) return;
  if (WIFSIGNALED(state)) snprintf(r.fate, sizeof r.fate, "crashed (%s)", skp__signal_name(WTERMSIG(state)));
  if (code != BE_IDLE) tell(p->socket, &r);
  start_worker(p, number);
}

static void keep(struct plan *p, int n) {
  pid_t pid;
  int state;
  be_quiet();
  signal(SIGTERM, end_workers);
  skp__progress_listen(NULL, NULL); /* who listens hears of it from the parent */
  p->cl->trace = NULL;
  p->cl->compilers = NULL;
  for (int i = 0; i < n; i++) start_worker(p, i);
  while ((pid = waitpid(-1, &state, 0)) > 0 || errno == EINTR)
    if (pid > 0 && find_worker(pid) < MOST) replace(p, find_worker(pid), state);
  _exit(0);
}

/* ---- starting and ending ----------------------------------------------------------------------------------------- */

static int processors(void) {
#ifdef __linux__
  cpu_set_t set; /* those that this process may use */
  return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
#else
  return skp__machine_cores();
#endif
}

/* Other drivers compile with threads of their own, and one on a GPU takes memory there. */
static int count(const struct skp_device *d, int threads) {
  int n = strcmp(d->platform_name, "Portable Computing Language") ? 1 : processors();
  if (threads > 0 && threads < n) n = threads;
  return n < MOST ? n : MOST;
}

void skp__cl_compilers_start(struct skp__cl *cl, const struct skp_device *d, int threads, skp__cl_compile compile) {
  static atomic_bool loaded; /* a driver, in this process */
  struct skp__cl_compilers *k;
  int ends[2];
  if (atomic_exchange(&loaded, true) || !cl->cache || skp__alloc(&k, 1, sizeof *k) != SKP_OK) return;
  k->n = count(d, threads);
  k->socket = -1;
  if (!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
    k->keeper = fork();
    if (k->keeper == 0) {
      close(ends[0]);
      keep(&(struct plan){cl, d, compile, ends[1]}, k->n);
    }
    close(ends[1]);
    k->socket = ends[0];
  }
  cl->compilers = k;
  if (k->socket < 0 || k->keeper < 0) skp__cl_compilers_stop(cl);
}

/* From now on programs are compiled where they are needed. */
static void give_up(struct skp__cl_compilers *k) {
  if (k->socket >= 0) close(k->socket);
  k->socket = -1;
  if (k->keeper <= 0) return;
  kill(k->keeper, SIGTERM);
  waitpid(k->keeper, NULL, 0);
  k->keeper = 0;
}

void skp__cl_compilers_stop(struct skp__cl *cl) {
  struct skp__cl_compilers *k = cl->compilers;
  if (!k) return;
  give_up(k);
  SKP_FREE(&k->lost);
  free(k);
  cl->compilers = NULL;
}

/* ---- jobs -------------------------------------------------------------------------------------------------------- */

/* Some jobs on their way. */
struct round {
  struct skp__cl *cl;
  const struct skp__cl_jobs *jobs;
  size_t sent, done, lost;
  double then, silent; /* awake seconds since the last report */
};

static void lose(struct round *r, const struct skp__cl_job *job, const char *fate) {
  struct skp__cl_compilers *k = r->cl->compilers;
  r->lost++;
  if (SKP_GROW(&k->lost) != SKP_OK) return;
  struct lost *lost = &k->lost.at[k->lost.n - 1];
  lost->job = *job;
  snprintf(lost->fate, sizeof lost->fate, "%s", fate);
  if (r->cl->report)
    fprintf(r->cl->report, "The compiler of %s (%s) %s over cl/%s.cl %s: another way is taken where there is one.\n",
            r->cl->name, r->cl->driver, fate, job->file, job->options);
}

static void take(struct round *r, const struct report *report) {
  struct skp__cl_compilers *k = r->cl->compilers;
  const int i = report->worker;
  r->silent = 0;
  if (report->kind == BEGUN) {
    k->worker[i].busy = true;
    k->worker[i].pid = report->pid;
    k->worker[i].number = report->number;
    k->worker[i].awake = 0;
    return;
  }
  char late[64];
  snprintf(late, sizeof late, "did not come to an end within %g s", skp__watch_limit(&r->cl->watch));
  if (k->worker[i].busy && report->kind == DONE) r->done++;
  if (k->worker[i].busy && report->kind == GONE)
    lose(r, &r->jobs->list.at[k->worker[i].number], k->worker[i].late ? late : report->fate);
  k->worker[i].busy = k->worker[i].late = false;
}

/* A few more jobs than there are workers are on their way at a time. */
static void send_some(struct round *r) {
  const struct skp__cl_compilers *k = r->cl->compilers;
  while (r->sent < r->jobs->list.n && r->sent - r->done - r->lost < 2 * (size_t)k->n) {
    const struct task task = {r->sent, r->jobs->list.at[r->sent]};
    if (send(k->socket, &task, sizeof task, MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof task) return;
    r->sent++;
  }
}

/* A worker that has taken too long goes; the keeper tells of its end. */
static void count_time(struct round *r) {
  struct skp__cl_compilers *k = r->cl->compilers;
  const double passed = skp__awake_since(&r->then), limit = skp__watch_limit(&r->cl->watch);
  r->silent += passed;
  for (int i = 0; i < k->n; i++) {
    if (!k->worker[i].busy) continue;
    k->worker[i].awake += passed;
    if (k->worker[i].awake < limit || k->worker[i].late) continue;
    k->worker[i].late = true;
    kill(k->worker[i].pid, SIGKILL);
  }
}

/* False when nothing more is to be expected of them. */
static bool listen_to(struct round *r) {
  struct skp__cl_compilers *k = r->cl->compilers;
  struct report report;
  struct pollfd look = {.fd = k->socket, .events = POLLIN};
  if (poll(&look, 1, SKP_WATCH_TICK_MS) > 0) {
    const ssize_t n = recv(k->socket, &report, sizeof report, MSG_DONTWAIT);
    if (n == 0) return false;
    if (n == sizeof report) take(r, &report);
  }
  count_time(r);
  return r->silent < skp__watch_limit(&r->cl->watch) + SKP_WATCH_LEAST_S;
}

void skp__cl_compilers_do(struct skp__cl *cl, const struct skp__cl_jobs *jobs) {
  struct skp__cl_compilers *k = cl->compilers;
  struct round r = {.cl = cl, .jobs = jobs, .then = skp__clock()};
  const size_t all = jobs->list.n;
  if (!k || k->socket < 0) return;
  bool alive = true;
  while (alive && r.done + r.lost < all) {
    send_some(&r);
    skp__progress_work(skp__progress_compiling, (int64_t)(r.done + r.lost), (int64_t)all);
    alive = listen_to(&r);
  }
  if (!alive) give_up(k);
  skp__progress_work(skp__progress_compiling, (int64_t)all, (int64_t)all);
}

const char *skp__cl_compilers_fate(const struct skp__cl *cl, const char *file, const char *options) {
  const struct skp__cl_compilers *k = cl->compilers;
  for (size_t i = 0; k && i < k->lost.n; i++)
    if (!strcmp(k->lost.at[i].job.file, file) && !strcmp(k->lost.at[i].job.options, options)) return k->lost.at[i].fate;
  return NULL;
}
