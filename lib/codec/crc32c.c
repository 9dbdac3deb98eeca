// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * CRC-32C, reflected, polynomial 0x11EDC6F41.
 *
 * The CPU's crc32 instruction takes three cycles but can start one each cycle, so
 * large inputs run as three streams side by side. The first two streams' sums are
 * then moved over what follows them by one carry-less multiplication each (Gopal et
 * al., "Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction", Intel
 * 2011).
 */
#include "codec/crc32c.h"

#include <cpuid.h>
#include <nmmintrin.h>
#include <stdatomic.h>
#include <string.h>
#include <wmmintrin.h>

#include "codec/crc32c_table.h"

/* Little-endian as the CPU: the project is for x86-64 alone. */
static uint64_t load_u64(const uint8_t *bytes)
{
	uint64_t value;
	memcpy(&value, bytes, sizeof(value));
	return value;
}

static uint32_t load_u32(const uint8_t *bytes)
{
	uint32_t value;
	memcpy(&value, bytes, sizeof(value));
	return value;
}

static uint16_t load_u16(const uint8_t *bytes)
{
	uint16_t value;
	memcpy(&value, bytes, sizeof(value));
	return value;
}

uint32_t avd__crc32c_portable(uint32_t crc, const void *bytes, size_t size)
{
	const uint32_t(*table)[256] = avd__crc32c_table;
	const uint8_t *p = bytes;
	crc = ~crc;
	for (; size >= 8; size -= 8, p += 8) {
		const uint64_t v = load_u64(p) ^ crc;
		crc = table[7][v & 0xff] ^ table[6][v >> 8 & 0xff] ^ table[5][v >> 16 & 0xff] ^
		      table[4][v >> 24 & 0xff] ^ table[3][v >> 32 & 0xff] ^
		      table[2][v >> 40 & 0xff] ^ table[1][v >> 48 & 0xff] ^ table[0][v >> 56];
	}
	for (; size; size--, p++)
		crc = table[0][(crc ^ *p) & 0xff] ^ (crc >> 8);
	return ~crc;
}

/* One length of the three streams. shift_one is x^(8n-33) modulo the polynomial,
 * reflected, for n = bytes, and shift_two for n = 2 * bytes: the carry-less product of
 * a sum and such a constant, fed to the crc32 instruction, is that sum moved over n
 * bytes. A wrong constant shows at once against the portable way. */
struct span {
	size_t bytes;
	uint32_t shift_one;
	uint32_t shift_two;
};

/* From large to small: each mops up what the one before it left, so that less than 96
 * bytes go through a single stream. None is larger than 512: beyond, the streams are so
 * far apart that bytes straight from memory come slower, and the joins no longer count. */
static const struct span spans[] = {
	{512, 0xdd7e3b0c, 0x170076fa},
	{128, 0x0d3b6092, 0xb9e02b86},
	{32, 0xba4fc28e, 0x9e4addf8},
};

#define THREE_STREAMS_MIN (3u * 32u)

/* How far ahead of the streams' average place memory is asked for. The CPU's own
 * prefetcher takes three streams that hop along for no pattern: without this, bytes
 * that are not in the cache go through at a fifth of the speed. */
#define PREFETCH_BYTES 2048u
/* Each stream takes so much in one go, so that a go is worth one look ahead. */
#define STEP_BYTES 32u

#define TARGET_SSE42 __attribute__((target("sse4.2")))
#define TARGET_CLMUL __attribute__((target("sse4.2,pclmul")))

TARGET_SSE42 static uint32_t one_stream(uint32_t crc, const uint8_t *p, size_t size)
{
	uint64_t sum = crc;
	for (; size >= 8; size -= 8, p += 8)
		sum = _mm_crc32_u64(sum, load_u64(p));
	crc = (uint32_t)sum;
	/* The rest in three steps at most: in a chain each costs its latency. */
	if (size & 4) {
		crc = _mm_crc32_u32(crc, load_u32(p));
		p += 4;
	}
	if (size & 2) {
		crc = _mm_crc32_u16(crc, load_u16(p));
		p += 2;
	}
	return size & 1 ? _mm_crc32_u8(crc, *p) : crc;
}

TARGET_CLMUL static uint64_t moved(uint64_t sum, uint32_t shift)
{
	const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)sum),
						     _mm_cvtsi32_si128((int)shift), 0);
	return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

/* A hint that never faults, so it may point beyond the end. */
static void prefetch(const uint8_t *p, size_t ahead)
{
	__builtin_prefetch((const void *)((uintptr_t)p + ahead));
}

TARGET_CLMUL static uint32_t three_streams(uint32_t crc, const uint8_t *p, size_t size)
{
	uint64_t a = crc;
	for (const struct span *span = spans; span < spans + sizeof(spans) / sizeof(spans[0]);
	     span++) {
		const size_t n = span->bytes;
		for (; size >= 3 * n; size -= 3 * n, p += 3 * n) {
			uint64_t b = 0, c = 0;
			for (size_t at = 0; at < n; at += STEP_BYTES) {
				/* 96 bytes further on: one line, or two */
				prefetch(p, PREFETCH_BYTES + 3 * at);
				prefetch(p, PREFETCH_BYTES + 3 * at + 64);
				for (size_t i = at; i < at + STEP_BYTES; i += 8) {
					a = _mm_crc32_u64(a, load_u64(p + i));
					b = _mm_crc32_u64(b, load_u64(p + n + i));
					c = _mm_crc32_u64(c, load_u64(p + 2 * n + i));
				}
			}
			a = moved(a, span->shift_two) ^ moved(b, span->shift_one) ^ c;
		}
	}
	return one_stream((uint32_t)a, p, size);
}

enum avd__crc32c_way avd__crc32c_best(void)
{
	/* Remembered because cpuid takes a microsecond or, in a virtual machine, tens of
	 * them. Threads that race write the same value. Not __builtin_cpu_supports():
	 * that brings a constructor into the library. */
	static _Atomic unsigned int known;
	unsigned int way = atomic_load_explicit(&known, memory_order_relaxed);
	if (!way) {
		unsigned int eax, ebx, ecx = 0, edx;
		way = AVD__CRC32C_PORTABLE;
		if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_SSE4_2))
			way = ecx & bit_PCLMUL ? AVD__CRC32C_CLMUL : AVD__CRC32C_SSE42;
		atomic_store_explicit(&known, way, memory_order_relaxed);
	}
	return way;
}

uint32_t avd__crc32c_by(enum avd__crc32c_way way, uint32_t crc, const void *bytes, size_t size)
{
	switch (way) {
	case AVD__CRC32C_CLMUL:
		if (size >= THREE_STREAMS_MIN)
			return ~three_streams(~crc, bytes, size);
		return ~one_stream(~crc, bytes, size);
	case AVD__CRC32C_SSE42:
		return ~one_stream(~crc, bytes, size);
	case AVD__CRC32C_PORTABLE:
		break;
	}
	return avd__crc32c_portable(crc, bytes, size);
}

uint32_t avd__crc32c(uint32_t crc, const void *bytes, size_t size)
{
	return avd__crc32c_by(avd__crc32c_best(), crc, bytes, size);
}

TARGET_CLMUL static uint32_t two_by_clmul(const uint8_t *first, size_t first_size,
					  const uint8_t *second, size_t second_size)
{
	const uint32_t crc = one_stream(UINT32_MAX, first, first_size);
	if (second_size >= THREE_STREAMS_MIN)
		return ~three_streams(crc, second, second_size);
	return ~one_stream(crc, second, second_size);
}

uint32_t avd__crc32c_two(const void *first, size_t first_size, const void *second,
			 size_t second_size)
{
	if (avd__crc32c_best() == AVD__CRC32C_CLMUL)
		return two_by_clmul(first, first_size, second, second_size);
	return avd__crc32c(avd__crc32c(0, first, first_size), second, second_size);
}
