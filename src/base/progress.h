/* progress.h: how the library says what it is doing: to the one who listens in the thread that works.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_PROGRESS_H
#define SKP_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

extern const char skp__progress_compiling[]; /* what is done where kernels are compiled */

/* Either a piece of work that takes a while, or (doing NULL) a step or an epoch of training. */
struct skp_progress {
  const char *doing; /* "compiling kernels", "reading pictures" */
  int64_t done, all; /* pieces of it; equal: it is over */

  int64_t epoch, epochs, step, steps_in_epoch, step_in_epoch, images;
  double loss, seconds, img_per_s; /* img_per_s 0: nothing can be said */
  double data_wait;                /* fraction of the epoch so far in which the host waited for the loader */
  bool first;                      /* step of this process */
  bool epoch_done;
  bool valid;                             /* the accuracy is that of the images held out for it */
  double train_loss, accuracy, test_loss; /* when epoch_done; accuracy < 0: no test set */
};

/* From now on this thread's progress is told to `hear` (NULL: to nobody), several times a second or more. */
void skp__progress_listen(void (*hear)(void *user, const struct skp_progress *p), void *user);
void skp__progress_tell(const struct skp_progress *p);
/* `done` of `all` pieces. Whoever begins a piece of work tells of its end too, unless it fails. */
void skp__progress_work(const char *doing, int64_t done, int64_t all);

#endif
