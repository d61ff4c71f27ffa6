/* fuzz_peaks.c: whatever the file says of what a device does at best (peaks/DEVICE.txt), the peaks are such as devices
 * have, and the next process has the same. The first byte says what the others are, see notes.h.
 * SPDX-License-Identifier: MIT */
#include "notes.h"
#include "train/measure/peak.h"

static struct note note;
static int measured;

static skp_status measure(struct skp_backend *backend, struct skp_backend_peaks *out) {
  (void)backend;
  measured++;
  *out = (struct skp_backend_peaks){2.5e11, 0, 1.25e10, 2e10, 2.25e10, 1e-6};
  return SKP_OK;
}

static bool between(double x, double least, double most) { return x >= least && x <= most; }

/* As a process does; how often it was measured. */
static int find(struct skp_backend_peaks *p) {
  char *path;
  measured = 0;
  if (skp__peak_find(p, &path, b, false) != SKP_OK || !path) abort();
  if (!between(p->fma, 1e6, 1e18) || !between(p->launch, 1e-9, 1) || !(p->narrow == 0 || between(p->narrow, 1e6, 1e18)))
    abort();
  if (!between(p->read, 1e6, 1e16) || !between(p->write, 1e6, 1e16) || !between(p->triad, 1e6, 1e16)) abort();
  free(path);
  return measured;
}

static void start(void) {
  struct skp_backend_peaks p;
  note_open();
  ops.measure = measure;
  if (find(&p) != 1) abort();
  note_look(&note, "peaks");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct skp_backend_peaks first, again;
  if (!b) start();
  if (!size) return 0;
  note_put(&note, bytes, size);
  if (find(&first) > 1 || find(&again) || memcmp(&first, &again, sizeof first) != 0) abort();
  return 0;
}
