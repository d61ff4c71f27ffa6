/* trace.h: what happened when: spans of host threads and of the device, as a file that Perfetto (ui.perfetto.dev) and
 * Chrome (about:tracing) show. There is one recording at a time, of the whole process; while there is none, each of
 * these calls is a look at a flag. Names are literals without quotes or backslashes: a recording keeps their addresses.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_TRACE_H
#define SKP_BASE_TRACE_H

#include "base/error.h"

/* Begins a recording; SKP_USAGE if there is one. */
skp_status skp__trace_start(void);
/* Ends it and writes the file; `path` NULL: none is written. After SKP_DISK_FULL it can be tried again, and is to be
 * ended by NULL where it is not. */
skp_status skp__trace_stop(const char *path);

/* The calling thread's name from now on. */
void skp__trace_thread(const char *name);
/* A span of the calling thread: begin, …, end. Those that begin within others end before them. */
double skp__trace_begin(void); /* now, as skp__clock has it; 0: nothing is recorded */
void skp__trace_end(const char *kind, const char *name, double begin);
/* What the device did, in the host's time; `detail` ("": none) says what for. */
void skp__trace_device(const char *kind, const char *name, const char *detail, double begin, double end);

#endif
