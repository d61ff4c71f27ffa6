/* shares.h: how many of a step's images each rank has, where not all have as many. SPDX-License-Identifier: MIT */
#ifndef SKP_TRAIN_SESSION_SHARES_H
#define SKP_TRAIN_SESSION_SHARES_H

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

/* What may be said of shares. NULL, or none of these: all have as many where their devices are of one kind, else they
 * are measured. Numbers: "3:1", one a rank. */
extern const char skp__shares_equal[], skp__shares_measured[];

/* SKP_USAGE where it is none of these, or has not a number for each rank. NULL is fine. */
skp_status skp__shares_check(const char *shares, int64_t ranks);
/* Whether it is numbers. */
bool skp__shares_fixed(const char *shares);
/* The first of n images that that rank has, by numbers; those of the rank before end there. */
int64_t skp__shares_first(const char *shares, int64_t ranks, int64_t rank, int64_t n);
/* Shares of n images by images a second, one at least: numbers that add up to n. n is not below `ranks`. free() it. */
skp_status skp__shares_by_speed(char **out, const double *speed, int64_t ranks, int64_t n);

#endif
