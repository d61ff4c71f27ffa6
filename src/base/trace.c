/* trace.c: see trace.h. Threads add to one list under a lock; the file is made of it at the end.
 * SPDX-License-Identifier: MIT */
#include "base/trace.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/thread.h"
#include <stdatomic.h>
#include <unistd.h>

enum { DEVICE_TRACK = 1, MOST = 1 << 20 }; /* MOST: spans of a recording; what comes after is counted alone */

struct span {
  int track;
  const char *kind, *name, *detail;
  double begin, end;
};

static struct {
  atomic_uint recording; /* its number; 0: there is none */
  pthread_mutex_t lock;  /* guards what follows */
  unsigned recordings;
  bool unwritten; /* it has ended, but there was no room for its file */
  long long lost;
  double start;
  SKP_ARRAY(struct span) spans;
  SKP_ARRAY(const char *) threads; /* the name of each track */
} trace = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local struct {
  const char *name;
  unsigned recording; /* in which it has the track */
  int track;
} self;

static bool tracing(void) { return atomic_load_explicit(&trace.recording, memory_order_relaxed); }

void skp__trace_thread(const char *name) { self.name = name; }

double skp__trace_begin(void) { return tracing() ? skp__clock() : 0; }

/* Under the lock: a track of its own; 0: there is no memory for one. */
static int new_track(const char *name) {
  if (SKP_GROW(&trace.threads) != SKP_OK) return 0;
  trace.threads.at[trace.threads.n - 1] = name;
  return (int)trace.threads.n;
}

/* Under the lock: that of the calling thread. */
static int own_track(unsigned recording) {
  if (self.recording != recording) self.track = new_track(self.name ? self.name : "host");
  self.recording = recording;
  return self.track;
}

/* track 0: the calling thread's. */
static void add(struct span span) {
  pthread_mutex_lock(&trace.lock);
  const unsigned recording = atomic_load(&trace.recording);
  if (recording && !span.track) span.track = own_track(recording);
  if (!recording || trace.spans.n == MOST || !span.track || SKP_GROW(&trace.spans) != SKP_OK)
    trace.lost += recording > 0;
  else
    trace.spans.at[trace.spans.n - 1] = span;
  pthread_mutex_unlock(&trace.lock);
}

void skp__trace_end(const char *kind, const char *name, double begin) {
  if (begin > 0 && tracing()) add((struct span){0, kind, name, "", begin, skp__clock()});
}

void skp__trace_device(const char *kind, const char *name, const char *detail, double begin, double end) {
  if (tracing()) add((struct span){DEVICE_TRACK, kind, name, detail, begin, end > begin ? end : begin});
}

skp_status skp__trace_start(void) {
  pthread_mutex_lock(&trace.lock);
  const bool free = !atomic_load(&trace.recording) && !trace.unwritten;
  int first = free ? new_track("device") : 0;
  if (first) {
    trace.start = skp__clock();
    trace.lost = 0;
    atomic_store(&trace.recording, ++trace.recordings);
  }
  pthread_mutex_unlock(&trace.lock);
  if (!free) return skp__fail(SKP_USAGE, "A trace is being recorded already: there is one at a time.");
  return first ? SKP_OK : skp__fail_memory("a trace", 0);
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static double micros(double at) { return 1e6 * (at - trace.start); }

static void put_thread(FILE *to, size_t track) {
  fprintf(to,
          "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%ld,\"tid\":%zu,\"args\":{\"name\":\"%s\"}},\n"
          "{\"ph\":\"M\",\"name\":\"thread_sort_index\",\"pid\":%ld,\"tid\":%zu,\"args\":{\"sort_index\":%zu}},\n",
          (long)getpid(), track, trace.threads.at[track - 1], (long)getpid(), track, track);
}

static void put_span(FILE *to, const struct span *s) {
  fprintf(to, "{\"ph\":\"X\",\"pid\":%ld,\"tid\":%d,\"ts\":%.3f,\"dur\":%.3f,\"cat\":\"%s\",\"name\":\"%s\"",
          (long)getpid(), s->track, micros(s->begin), 1e6 * (s->end - s->begin), s->kind, s->name);
  if (*s->detail) fprintf(to, ",\"args\":{\"op\":\"%s\"}", s->detail);
  fprintf(to, "},\n");
}

static void put(FILE *to, void *user) {
  (void)user;
  fprintf(to, "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"lost_spans\":%lld},\"traceEvents\":[\n", trace.lost);
  for (size_t i = 1; i <= trace.threads.n; i++) put_thread(to, i);
  for (size_t i = 0; i < trace.spans.n; i++) put_span(to, &trace.spans.at[i]);
  fprintf(to, "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%ld,\"args\":{\"name\":\"skipper\"}}]}\n",
          (long)getpid());
}

skp_status skp__trace_stop(const char *path) {
  pthread_mutex_lock(&trace.lock);
  atomic_store(&trace.recording, 0);
  skp_status status = path ? skp__file_print_atomic(path, put, NULL) : SKP_OK;
  trace.unwritten = status == SKP_DISK_FULL;
  if (!trace.unwritten) {
    SKP_FREE(&trace.spans);
    SKP_FREE(&trace.threads);
  }
  pthread_mutex_unlock(&trace.lock);
  return status;
}
