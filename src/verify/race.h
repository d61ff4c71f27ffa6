/* race.h: which of its methods does a call fastest on this device? SPDX-License-Identifier: MIT */
#ifndef SKP_VERIFY_RACE_H
#define SKP_VERIFY_RACE_H

#include "backend/backend.h"

struct skp__race {
  double end;         /* by the clock, when it is to be over; 0: whenever */
  bool compiled;      /* only methods whose kernels are compiled take part */
  const char *winner; /* the backend's name for it; NULL: time lacked */
  double ms;          /* of the winner */
};

/* Methods are prepared, and so compared with plain C like all others, before they are timed, in turn. The one that is
 * the table's choice wins unless another is faster by more than timing strays. SKP_DEVICE_MEMORY: the call's values do
 * not fit now. */
skp_status skp__race_run(struct skp__race *r, struct skp_backend *b, const struct skp_sig *sig);

#endif
