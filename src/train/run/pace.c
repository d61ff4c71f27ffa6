/* pace.c: how fast a run is, and how large its loss. SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "train/run/loop.h"
#include <math.h>

void skp__pace_begin(struct skp__loop *l) {
  l->unpaced = l->at.images;
  l->began = skp__clock();
}

void skp__pace_enter(struct skp__loop *l) {
  skp__pace_begin(l);
  l->before = l->at.images;
  l->entered = l->began;
  l->waited = 0;
}

double skp__pace_wait(const struct skp__loop *l) {
  double seconds = skp__clock() - l->entered;
  return seconds > 0 ? l->waited / seconds : 0;
}

double skp__pace_images(const struct skp__loop *l) {
  double images = (double)(l->at.images - l->unpaced), seconds = skp__clock() - l->began;
  return images > 0 && seconds > 0 ? images / seconds : 0;
}

double skp__pace_epoch(const struct skp__loop *l) {
  double pace = skp__pace_images(l);
  if (pace > 0) return pace;
  /* a single step, compiling included; none: the steps were those of another process */
  return (double)(l->at.images - l->before) / (skp__clock() - l->entered);
}

double skp__pace_loss(const struct skp__loop *l) {
  const double images = (double)(l->at.images - l->at.lost);
  return images > 0 ? l->at.loss_sum / images : NAN;
}

double skp__pace_elapsed(const struct skp__loop *l) { return skp__clock() - l->start; }
