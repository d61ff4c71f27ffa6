/* listen.c: progress, as users of the library hear of it. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "base/progress.h"

static _Thread_local struct {
  skp_listener listener;
  void *user;
  skp_session *training;
} thread;

static void hear(void *user, const struct skp_progress *p) {
  const skp_event event = {.doing = p->doing,
                           .done = p->done,
                           .all = p->all,
                           .step = p->step,
                           .epoch = p->epoch,
                           .epochs = p->epochs,
                           .step_in_epoch = p->step_in_epoch,
                           .steps_in_epoch = p->steps_in_epoch,
                           .images_in_epoch = p->images,
                           .first = p->first,
                           .loss = p->loss,
                           .seconds = p->seconds,
                           .img_per_s = p->img_per_s,
                           .data_wait = p->data_wait,
                           .epoch_done = p->epoch_done,
                           .by_validation = p->valid,
                           .train_loss = p->train_loss,
                           .accuracy = p->accuracy,
                           .test_loss = p->test_loss};
  (void)user;
  if (thread.listener(thread.user, &event) && thread.training) skp_session_stop(thread.training);
}

void skp_listen(skp_listener listener, void *user) {
  thread.listener = listener;
  thread.user = user;
  skp__progress_listen(listener ? hear : NULL, NULL);
}

void skp__api_hears(skp_session *session) { thread.training = session; }
