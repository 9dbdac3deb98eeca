// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * A bit of each thing that loading a scheduler is made of: table look-ups and arithmetic,
 * calls through pointers, page faults, system calls. Emulation slows them differently: on
 * the same host, QEMU 7.2's TCG took 4.5, 14, 8 and 2.4 times as long.
 */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "budget.h"
#include "clock.h"

#define WORDS 8192u
#define LOOKUPS 200000u
#define CALLS 100000u
#define PAGE 4096u
#define PAGES 64u
#define MAPPINGS 4u
#define SYSCALLS 400u
/* What they take in sum on the nominal machine: a server core of 2.5 to 3 GHz of about 2020
 * (measured: 800 us on an EPYC of that time). */
#define NOMINAL_NS UINT64_C(800000)
/* The first round also pays for what is cold, and any may be interrupted by the host: the
 * best one is the machine's own pace. */
#define ROUNDS 4

static volatile uint64_t slowness_sink; /* so that the work is not optimized away */

static void look_up(uint64_t *words)
{
	uint64_t a = 1, b = 2, c = 3, d = 4;

	for (uint32_t i = 0; i < LOOKUPS; i++) {
		const uint64_t word = words[i % WORDS];
		a += word;
		b ^= word >> 3;
		c += b & 15;
		d += word < 3;
		c += word == a;
		words[i * 7 % WORDS] = d;
	}
	slowness_sink = a + b + c + d;
}

static uint64_t add(uint64_t x, uint64_t y)
{
	return x + y * 3;
}

static uint64_t mix(uint64_t x, uint64_t y)
{
	return x ^ (y >> 7);
}

static void call(void)
{
	static uint64_t (*const volatile functions[])(uint64_t x, uint64_t y) = {add, mix};
	uint64_t x = 1;

	for (uint32_t i = 0; i < CALLS; i++)
		x = functions[i % 2](x, i);
	slowness_sink = x;
}

static void fault(void)
{
	for (uint32_t k = 0; k < MAPPINGS; k++) {
		char *pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (pages == MAP_FAILED)
			return;
		for (uint32_t i = 0; i < PAGES; i++)
			((volatile char *)pages)[i * PAGE] = 1;
		munmap(pages, PAGES * PAGE);
	}
}

static void enter_kernel(void)
{
	for (uint32_t i = 0; i < SYSCALLS; i++)
		syscall(SYS_getppid);
}

uint32_t avd__slowness_measure(void)
{
	static uint64_t words[WORDS];
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < ROUNDS; i++) {
		const uint64_t start = avd__guest_now();
		look_up(words);
		call();
		fault();
		enter_kernel();
		const uint64_t took = avd__guest_now() - start;
		if (took < best)
			best = took;
	}
	return avd__slowness_clamp(best * 1000 / NOMINAL_NS);
}
