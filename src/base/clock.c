/* clock.c: see clock.h. SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double read_clock(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double skp__clock(void) { return read_clock(CLOCK_MONOTONIC); }

#ifdef __linux__
/* Field 22 of /proc/self/stat, in ticks since the machine was started; the name in field 2 may hold blanks. */
static double process_start(void) {
  char text[1024] = "";
  FILE *f = fopen("/proc/self/stat", "r");
  if (!f) return -1;
  size_t n = fread(text, 1, sizeof text - 1, f);
  fclose(f);
  text[n] = 0;
  const char *at = strrchr(text, ')');
  for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
  long long ticks;
  return at && sscanf(at, "%lld", &ticks) == 1 ? (double)ticks / (double)sysconf(_SC_CLK_TCK) : -1;
}
#define MACHINE_CLOCK CLOCK_BOOTTIME
#else
static double process_start(void) { return -1; }
#define MACHINE_CLOCK CLOCK_MONOTONIC
#endif

double skp__clock_process(void) {
  static double start = -1;
  if (start < 0) start = process_start();
  if (start < 0) start = read_clock(MACHINE_CLOCK);
  return read_clock(MACHINE_CLOCK) - start;
}
