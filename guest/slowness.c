// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * The work of loading a scheduler is table look-ups and comparisons in the CPU's caches
 * (BTF in user space, the verifier in the kernel) and system calls. So is this measure:
 * dependent loads, multiplications and branches over 64 KiB, and some system calls.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "budget.h"
#include "clock.h"

#define WORDS 8192u
#define ROUNDS 160000u
#define CALLS 400u
/* What the same takes on the nominal machine: an x86 server core of about 3 GHz of the
 * 2020s, in a KVM guest. */
#define NOMINAL_NS UINT64_C(1000000)

static volatile uint64_t slowness_sink; /* so that the work is not optimized away */

static uint64_t measure_once(uint64_t *words)
{
	const uint64_t start = avd__guest_now();
	uint64_t x = 88172645463325252u;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint64_t *word = &words[x % WORDS];
		x ^= *word + i;
		x *= 0x9e3779b97f4a7c15u;
		x ^= x >> 29;
		if (x & 1)
			*word += x;
	}
	for (uint32_t i = 0; i < CALLS; i++)
		x += (uint64_t)syscall(SYS_getppid);
	slowness_sink = x;
	return avd__guest_now() - start;
}

uint32_t avd__slowness_measure(void)
{
	static uint64_t words[WORDS];
	uint64_t best = UINT64_MAX;

	/* The first round also pays for page faults, and any round may be interrupted by the
	 * host: the best one is the machine's own pace. */
	for (int i = 0; i < 4; i++) {
		const uint64_t took = measure_once(words);
		if (took < best)
			best = took;
	}
	return avd__slowness_clamp(best * 1000 / NOMINAL_NS);
}
