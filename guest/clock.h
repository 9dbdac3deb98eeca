/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Guest time: CLOCK_MONOTONIC in nanoseconds. */
#ifndef AVD_GUEST_CLOCK_H
#define AVD_GUEST_CLOCK_H

#include <stdint.h>
#include <time.h>

#define AVD__NS_PER_US UINT64_C(1000)
#define AVD__NS_PER_MS UINT64_C(1000000)
#define AVD__NS_PER_S UINT64_C(1000000000)

static inline uint64_t avd__guest_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * AVD__NS_PER_S + (uint64_t)ts.tv_nsec;
}

static inline void avd__guest_sleep(uint64_t ns)
{
	const struct timespec ts = {.tv_sec = (time_t)(ns / AVD__NS_PER_S),
				    .tv_nsec = (long)(ns % AVD__NS_PER_S)};
	nanosleep(&ts, NULL);
}

#endif
