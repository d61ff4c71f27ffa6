/* ranks.c: what ranks tell each other. SPDX-License-Identifier: MIT
 *
 * A sum is made in buckets. Of each the ranks deal out pieces: a rank gets the same piece of all, adds these up in the
 * order of ranks, and all gather the sums. So a rank sends and receives twice its values, however many ranks there are,
 * and whatever the library of MPI does, nothing but the order of ranks decides the bits. */
#include "base/array.h"
#include "base/machine.h"
#include "ranks/wire.h"
#include <stdlib.h>
#include <string.h>

struct skp_ranks {
  struct skp__wire *wire;
  bool over;    /* one has failed: nobody listens any more */
  bool broken;  /* the wire itself did, so that they may be at different places */
  float *piece; /* what a bucket's piece is of each rank; NULL: no sum was made yet */
};

enum { BUCKET = 1 << 18 }; /* floats: pieces that caches hold */

/* ---- beginning, ending ------------------------------------------------------------------------------------------- */

skp_status skp__ranks_on(struct skp_ranks **out, struct skp__wire *wire) {
  skp_status status = skp__alloc(out, 1, sizeof **out);
  if (status == SKP_OK)
    (*out)->wire = wire;
  else
    wire->close(wire, false);
  return status;
}

skp_status skp__ranks_open(struct skp_ranks **out, double timeout) {
  struct skp__wire *wire;
  *out = NULL;
  SKP_TRY(skp__wire_mpi(&wire, timeout));
  if (wire->size <= SKP_RANKS_MOST) return skp__ranks_on(out, wire);
  const int size = wire->size;
  wire->close(wire, true);
  return skp__fail(SKP_USAGE, "%d ranks are more than the %d that can train together.", size, SKP_RANKS_MOST);
}

void skp__ranks_close(struct skp_ranks *r, skp_status status) {
  if (!r) return;
  if (!r->over) {
    char *kept = skp__error_keep();
    (void)skp__ranks_meet(r, status, NULL);
    (void)skp__error_restore(status, kept);
  }
  r->wire->close(r->wire, !r->broken);
  free(r->piece);
  free(r);
}

int skp__ranks_rank(const struct skp_ranks *r) { return r ? r->wire->rank : 0; }
int skp__ranks_size(const struct skp_ranks *r) { return r ? r->wire->size : 1; }
int skp__ranks_place(const struct skp_ranks *r) { return r ? r->wire->place : 0; }
int skp__ranks_neighbours(const struct skp_ranks *r) { return r ? r->wire->neighbours : 1; }

/* ---- meetings ---------------------------------------------------------------------------------------------------- */

/* What ranks are about to do together. */
enum purpose { MEET, GATHER, HAND_OUT, SUM };

struct word {
  int32_t status;
  uint32_t purpose, wishes;
};

/* What a rank that failed has to say. */
struct report {
  int32_t status;
  char host[64], text[1980];
};

/* What the wire did not carry leaves each where it was. */
static skp_status carried(struct skp_ranks *r, skp_status status) {
  if (status != SKP_OK) r->over = r->broken = true;
  return status;
}

/* The failure of the first rank that has one is that of all, but for those with one of their own. */
static skp_status pass_on(const struct report *all, int size, skp_status own, char *kept) {
  int first = 0;
  while (first < size - 1 && all[first].status == SKP_OK) first++;
  const struct report *f = &all[first];
  if (own != SKP_OK) return skp__error_restore(own, kept);
  free(kept);
  return skp__fail((skp_status)f->status, "Rank %d of %d (on %.63s) ended: %.1979s", first, size, f->host, f->text);
}

static skp_status tell_failures(struct skp_ranks *r, skp_status own) {
  const int size = r->wire->size;
  struct report mine = {.status = (int32_t)own}, *all;
  char *kept = own == SKP_OK ? NULL : skp__error_keep();
  if (own != SKP_OK) snprintf(mine.text, sizeof mine.text, "%s", skp_error_message());
  skp__machine_name(mine.host, sizeof mine.host);
  skp_status status = skp__alloc(&all, (size_t)size, sizeof *all);
  r->broken = status != SKP_OK;
  if (status == SKP_OK) status = carried(r, r->wire->gather(r->wire, all, &mine, sizeof mine));
  if (status == SKP_OK)
    status = pass_on(all, size, own, kept);
  else
    free(kept);
  free(all);
  return status;
}

/* What all said, put together. */
struct meeting {
  bool failed, parted; /* parted: not all want to do the same */
  unsigned wishes;
};

static skp_status hear(struct skp_ranks *r, struct meeting *out, const struct word *mine) {
  struct word *all;
  *out = (struct meeting){.failed = false};
  SKP_TRY(skp__alloc(&all, (size_t)r->wire->size, sizeof *all));
  skp_status status = carried(r, r->wire->gather(r->wire, all, mine, sizeof *mine));
  for (int q = 0; q < r->wire->size && status == SKP_OK; q++) {
    out->failed = out->failed || all[q].status != SKP_OK;
    out->parted = out->parted || all[q].purpose != mine->purpose;
    out->wishes |= all[q].wishes;
  }
  free(all);
  return status;
}

static skp_status meet(struct skp_ranks *r, enum purpose purpose, skp_status own, unsigned *wishes) {
  struct meeting m;
  if (r->over) return own != SKP_OK ? own : skp__fail(SKP_INTERNAL, "The ranks have parted.");
  SKP_TRY(hear(r, &m, &(struct word){(int32_t)own, purpose, wishes ? *wishes : 0}));
  if (wishes) *wishes = m.wishes;
  r->over = m.failed || m.parted;
  if (m.failed) return tell_failures(r, own);
  return m.parted ? skp__fail(SKP_INTERNAL, "The ranks are not at the same place of the run.") : SKP_OK;
}

skp_status skp__ranks_meet(struct skp_ranks *r, skp_status own, unsigned *wishes) {
  return r ? meet(r, MEET, own, wishes) : own;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

skp_status skp__ranks_gather(struct skp_ranks *r, void *all, const void *mine, size_t bytes) {
  if (!r) {
    memcpy(all, mine, bytes);
    return SKP_OK;
  }
  SKP_TRY(meet(r, GATHER, SKP_OK, NULL));
  return carried(r, r->wire->gather(r->wire, all, mine, bytes));
}

skp_status skp__ranks_hand_out(struct skp_ranks *r, int from, void *what, size_t bytes) {
  const size_t most = (size_t)BUCKET * sizeof(float);
  char *at = what;
  if (!r) return SKP_OK;
  SKP_TRY(meet(r, HAND_OUT, SKP_OK, NULL));
  for (size_t n; bytes; at += n, bytes -= n) {
    n = bytes < most ? bytes : most;
    SKP_TRY(carried(r, r->wire->hand_out(r->wire, from, at, n)));
  }
  return SKP_OK;
}

int64_t skp__ranks_room(const struct skp_ranks *r, int64_t n) {
  const int64_t size = skp__ranks_size(r);
  return (n + size - 1) / size * size;
}

/* n is a multiple of the number of ranks. */
static skp_status sum_bucket(struct skp_ranks *r, float *x, int64_t n) {
  const int64_t size = r->wire->size, each = n / size;
  float *sum = r->piece;
  SKP_TRY(carried(r, r->wire->deal(r->wire, r->piece, x, (size_t)each * sizeof *x)));
  for (int64_t q = 1; q < size; q++)
    for (int64_t i = 0; i < each; i++) sum[i] += r->piece[q * each + i];
  return carried(r, r->wire->gather(r->wire, x, sum, (size_t)each * sizeof *x));
}

skp_status skp__ranks_sum(struct skp_ranks *r, float *x, int64_t n) {
  if (!r) return SKP_OK;
  const int64_t room = skp__ranks_room(r, n), bucket = BUCKET / r->wire->size * r->wire->size;
  skp_status status = r->piece ? SKP_OK : skp__alloc(&r->piece, (size_t)bucket, sizeof *r->piece);
  SKP_TRY(meet(r, SUM, status, NULL));
  for (int64_t i = n; i < room; i++) x[i] = 0;
  for (int64_t at = 0; at < room && status == SKP_OK; at += bucket)
    status = sum_bucket(r, x + at, bucket < room - at ? bucket : room - at);
  return status;
}
