/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* CRC-32C (Castagnoli, RFC 3720 appendix B.4), by the CPU's instruction where it has one. */
#ifndef AVD_LIB_CODEC_CRC32C_H
#define AVD_LIB_CODEC_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continues `crc` (0 at the start) over `size` bytes: avd__crc32c(0, "123456789", 9) is 0xe3069283.
 */
uint32_t avd__crc32c(uint32_t crc, const void *bytes, size_t size);
/* Of `first` and then `second`, for a short `first`: one call less where calls count. */
uint32_t avd__crc32c_two(const void *first, size_t first_size, const void *second,
			 size_t second_size);
/* The portable one, for CPUs without SSE 4.2 and for tests. */
uint32_t avd__crc32c_portable(uint32_t crc, const void *bytes, size_t size);

/* The ways to compute it, worst first. */
enum avd__crc32c_way {
	AVD__CRC32C_PORTABLE = 1,
	AVD__CRC32C_SSE42 = 2, /* crc32 instruction, one stream */
	AVD__CRC32C_CLMUL = 3, /* three streams, joined by pclmulqdq */
};
/* The best way of this CPU; avd__crc32c() takes it. */
enum avd__crc32c_way avd__crc32c_best(void);
/* By one way, no better than avd__crc32c_best(): for tests and benchmarks. */
uint32_t avd__crc32c_by(enum avd__crc32c_way way, uint32_t crc, const void *bytes, size_t size);

#endif
