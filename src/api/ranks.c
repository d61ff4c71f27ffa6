/* ranks.c: processes that train together. SPDX-License-Identifier: MIT */
#include "api/api.h"
#include <stdlib.h>

struct skp_api_ranks {
  struct skp_ranks *r;
};

skp_status skp_ranks_open(skp_ranks **out, double timeout) {
  SKP_TRY(skp__alloc(out, 1, sizeof **out));
  skp_status status = skp__ranks_open(&(*out)->r, timeout);
  if (status == SKP_OK) return SKP_OK;
  free(*out);
  *out = NULL;
  return status;
}

void skp_ranks_close(skp_ranks *ranks, skp_status status) {
  if (!ranks) return;
  skp__ranks_close(ranks->r, status);
  free(ranks);
}

void skp_ranks_describe(const skp_ranks *ranks, skp_ranks_place *out) {
  const struct skp_ranks *r = skp__api_ranks(ranks);
  *out = (skp_ranks_place){skp__ranks_rank(r), skp__ranks_size(r), skp__ranks_place(r), skp__ranks_neighbours(r)};
}

struct skp_ranks *skp__api_ranks(const skp_ranks *handle) {
  return handle ? handle->r : NULL;
}
