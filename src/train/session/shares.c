/* shares.c: see shares.h. SPDX-License-Identifier: MIT */
#include "train/session/shares.h"
#include "base/array.h"
#include "base/host.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 20 }; /* of a number: a step has no more images */

const char skp__shares_equal[] = "equal", skp__shares_measured[] = "measured";

bool skp__shares_fixed(const char *shares) { return shares && isdigit((unsigned char)*shares); }

/* Numbers from 1 to MOST with colons between; how many, 0: it is something else. */
static int64_t count(const char *shares) {
  for (int64_t n = 1;; n++) {
    char *end;
    const long long number = isdigit((unsigned char)*shares) ? strtoll(shares, &end, 10) : 0;
    if (number < 1 || number > MOST || (*end && *end != ':')) return 0;
    if (!*end) return n;
    shares = end + 1;
  }
}

skp_status skp__shares_check(const char *shares, int64_t ranks) {
  if (!shares || strcmp(shares, skp__shares_equal) == 0 || strcmp(shares, skp__shares_measured) == 0) return SKP_OK;
  const int64_t n = count(shares);
  if (n == ranks) return SKP_OK;
  if (!n)
    return skp__fail(SKP_USAGE, "%s is %s, %s, or a whole number for each rank, such as 3:1, not \"%.60s\".",
                     skp__option("shares"), skp__shares_equal, skp__shares_measured, shares);
  return skp__fail(SKP_USAGE, "%s %.60s is for %lld ranks, and there %s %lld.", skp__option("shares"), shares,
                   (long long)n, ranks == 1 ? "is" : "are", (long long)ranks);
}

static int64_t sum_of(const char *shares, int64_t n) {
  int64_t sum = 0;
  for (char *end; n-- > 0; shares = *end ? end + 1 : end) sum += strtoll(shares, &end, 10);
  return sum;
}

int64_t skp__shares_first(const char *shares, int64_t ranks, int64_t rank, int64_t n) {
  const int64_t all = sum_of(shares, ranks);
  return (2 * n * sum_of(shares, rank) + all) / (2 * all);
}

/* ---- by speed ---------------------------------------------------------------------------------------------------- */

/* The rank that is furthest below what it is due, or (sign -1) above it, and has more than one image then. */
static int64_t furthest(const double *due, const int64_t *share, int64_t ranks, int sign) {
  int64_t found = -1;
  double most = -INFINITY;
  for (int64_t q = 0; q < ranks; q++) {
    const double away = sign * (due[q] - (double)share[q]);
    if (away <= most || (sign < 0 && share[q] == 1)) continue;
    most = away;
    found = q;
  }
  return found;
}

static void deal(int64_t *share, const double *due, int64_t ranks, int64_t n) {
  for (int64_t q = 0; q < ranks; q++) n -= share[q] = (int64_t)fmax(1, floor(due[q]));
  for (; n > 0; n--) share[furthest(due, share, ranks, 1)]++;
  for (; n < 0; n++) share[furthest(due, share, ranks, -1)]--;
}

static skp_status write_down(char **out, const int64_t *share, int64_t ranks) {
  const size_t room = (size_t)ranks * sizeof ":1048576";
  size_t n = 0;
  SKP_TRY(skp__alloc(out, room, 1));
  for (int64_t q = 0; q < ranks; q++)
    n += (size_t)snprintf(*out + n, room - n, "%s%lld", q ? ":" : "", (long long)share[q]);
  return SKP_OK;
}

skp_status skp__shares_by_speed(char **out, const double *speed, int64_t ranks, int64_t n) {
  double *due, all = 0;
  int64_t *share;
  *out = NULL;
  SKP_TRY(skp__alloc(&due, (size_t)ranks, sizeof *due));
  skp_status status = skp__alloc(&share, (size_t)ranks, sizeof *share);
  for (int64_t q = 0; q < ranks; q++) all += speed[q];
  for (int64_t q = 0; q < ranks && status == SKP_OK; q++) due[q] = (double)n * speed[q] / all;
  if (status == SKP_OK) deal(share, due, ranks, n);
  if (status == SKP_OK) status = write_down(out, share, ranks);
  free(due);
  free(share);
  return status;
}
