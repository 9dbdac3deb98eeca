// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "image/blake2b.h"

#include <string.h>

#define BLOCK 128u

static const uint64_t iv[8] = {
	UINT64_C(0x6a09e667f3bcc908), UINT64_C(0xbb67ae8584caa73b), UINT64_C(0x3c6ef372fe94f82b),
	UINT64_C(0xa54ff53a5f1d36f1), UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f),
	UINT64_C(0x1f83d9abfb41bd6b), UINT64_C(0x5be0cd19137e2179),
};

/* RFC 7693, section 2.7 */
static const uint8_t sigma[10][16] = {
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	{14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
	{11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
	{7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
	{9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
	{2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
	{12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
	{13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
	{6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
	{10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static inline uint64_t rotate(uint64_t x, unsigned int n)
{
	return x >> n | x << (64 - n);
}

#define MIX(a, b, c, d, x, y)                   \
	do {                                    \
		v[a] += v[b] + (x);             \
		v[d] = rotate(v[d] ^ v[a], 32); \
		v[c] += v[d];                   \
		v[b] = rotate(v[b] ^ v[c], 24); \
		v[a] += v[b] + (y);             \
		v[d] = rotate(v[d] ^ v[a], 16); \
		v[c] += v[d];                   \
		v[b] = rotate(v[b] ^ v[c], 63); \
	} while (0)

static void compress(uint64_t h[8], const uint8_t block[BLOCK], uint64_t count, uint64_t final)
{
	uint64_t m[16];
	uint64_t v[16];
	memcpy(m, block, BLOCK); /* x86_64: little-endian, as the algorithm wants it */
	memcpy(v, h, 64);
	memcpy(v + 8, iv, 64);
	v[12] ^= count; /* the upper half of the counter stays zero: no input has 2^64 bytes */
	v[14] ^= final;
	for (unsigned int round = 0; round < 12; round++) {
		const uint8_t *s = sigma[round % 10];
		MIX(0, 4, 8, 12, m[s[0]], m[s[1]]);
		MIX(1, 5, 9, 13, m[s[2]], m[s[3]]);
		MIX(2, 6, 10, 14, m[s[4]], m[s[5]]);
		MIX(3, 7, 11, 15, m[s[6]], m[s[7]]);
		MIX(0, 5, 10, 15, m[s[8]], m[s[9]]);
		MIX(1, 6, 11, 12, m[s[10]], m[s[11]]);
		MIX(2, 7, 8, 13, m[s[12]], m[s[13]]);
		MIX(3, 4, 9, 14, m[s[14]], m[s[15]]);
	}
	for (unsigned int i = 0; i < 8; i++)
		h[i] ^= v[i] ^ v[i + 8];
}

void avd__blake2b(const void *bytes, size_t size, uint8_t ret_digest[AVD__BLAKE2B_SIZE])
{
	const uint8_t *p = bytes;
	uint64_t h[8];
	uint64_t count = 0;
	uint8_t last[BLOCK] = {0};
	memcpy(h, iv, sizeof(h));
	h[0] ^= UINT64_C(0x01010000) ^ AVD__BLAKE2B_SIZE;
	while (size > BLOCK) { /* a full last block is still the last one */
		count += BLOCK;
		compress(h, p, count, 0);
		p += BLOCK;
		size -= BLOCK;
	}
	if (size)
		memcpy(last, p, size);
	compress(h, last, count + size, ~UINT64_C(0));
	memcpy(ret_digest, h, AVD__BLAKE2B_SIZE);
}
