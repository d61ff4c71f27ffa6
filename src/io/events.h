/* events.h: TensorBoard's event files. SPDX-License-Identifier: MIT */
#ifndef SKP_IO_EVENTS_H
#define SKP_IO_EVENTS_H

#include "base/error.h"
#include <cjson/cJSON.h>
#include <stdint.h>

struct skp_events;

/* Begins a file of its own in the folder, which is made. */
skp_status skp__events_open(struct skp_events **out, const char *folder);
/* What is written reaches the file with the next flush, at the latest, as a log's lines do: io/log.h. All take NULL
 * events, and write nothing then. */
skp_status skp__events_flush(struct skp_events *e);
void skp__events_close(struct skp_events *e);
/* Removes the file of a run that did not begin. */
void skp__events_forget(const struct skp_events *e);

skp_status skp__events_scalar(struct skp_events *e, int64_t step, const char *tag, double value);
/* What was told of steps after that one counts no more: the run has gone back, and tells of them anew. A reader who is
 * on his way through the file drops them; he would lose his place in one that is cut. */
skp_status skp__events_restart(struct skp_events *e, int64_t step);
/* How n values are spread; those that are not finite do not count. */
skp_status skp__events_histogram(struct skp_events *e, int64_t step, const char *tag, const float *values, int64_t n);
/* A picture of H × W × C bytes, C 1 or 3. */
skp_status skp__events_image(struct skp_events *e, int64_t step, const char *tag, const uint8_t *pixels, int H, int W,
                             int C);
/* The entries of an object (numbers, texts, truths) as hyperparameters. */
skp_status skp__events_hparams(struct skp_events *e, const char *run, const cJSON *entries);

#endif
