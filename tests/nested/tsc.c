// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Prints the rate of this CPU's TSC in kHz, within 100 ppm or so: what a guest of TCG reads, too.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define WINDOW_NS 100000000u /* with the tries below, an error of some 20 ppm */
#define TRIES 1000 /* of which the one that nothing came between is taken */

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct pair {
	uint64_t ns, tsc;
};

/* Clock and TSC of the same moment: the closest of some tries, so that a preemption between the
 * two is not taken for time. */
static struct pair read_both(void)
{
	struct pair best = {0};
	uint64_t closest = UINT64_MAX;
	for (int i = 0; i < TRIES; i++) {
		const uint64_t before = __rdtsc();
		const uint64_t ns = now_ns();
		const uint64_t after = __rdtsc();
		if (after - before < closest) {
			closest = after - before;
			best = (struct pair){.ns = ns, .tsc = before + closest / 2};
		}
	}
	return best;
}

int main(void)
{
	const struct pair start = read_both();
	while (now_ns() - start.ns < WINDOW_NS)
		;
	const struct pair end = read_both();
	const double khz = (double)(end.tsc - start.tsc) * 1e6 / (double)(end.ns - start.ns);
	printf("%.0f\n", khz);
	return 0;
}
