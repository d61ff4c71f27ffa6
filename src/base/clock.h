/* clock.h: the time that has passed. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_CLOCK_H
#define SKP_BASE_CLOCK_H

/* Seconds since some moment in the past; never runs backwards. */
double skp__clock(void);
/* Seconds since this process was started (to 10 ms), or since the first call where the system does not say. */
double skp__clock_process(void);

#endif
