// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * The text is a polynomial whose coefficients are its bytes, taken at a secret point modulo a
 * prime: two texts of at most n bytes agree at n points at most (Carter and Wegman, "Universal
 * classes of hash functions", 1979), whoever chose them, if it was before the point.
 */
#include "base/hash.h"

#include <sys/random.h>

#define PRIME ((UINT64_C(1) << 61) - 1)
/* Behind the last byte; no byte has this value. */
#define TEXT_END 256u

struct avd__hash_key avd__hash_key(void)
{
	struct avd__hash_key key;
	/* Without (an old kernel, a filter of system calls) a table works all the same. */
	if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
		key = (struct avd__hash_key){UINT64_C(0x9e3779b97f4a7c15),
					     UINT64_C(0xd1b54a32d192ed03)};
	key.point %= PRIME;
	key.spread |= 1;
	return key;
}

/* value * point + coefficient, modulo the prime. */
static uint64_t step(uint64_t value, uint64_t point, uint32_t coefficient)
{
	__extension__ const unsigned __int128 sum =
		(__extension__(unsigned __int128) value) * point + coefficient;
	const uint64_t folded = (uint64_t)(sum & PRIME) + (uint64_t)(sum >> 61);
	return folded >= PRIME ? folded - PRIME : folded;
}

uint64_t avd__hash_text(const struct avd__hash_key *key, uint64_t value, const char *text)
{
	for (; *text; text++)
		value = step(value, key->point, (uint8_t)*text);
	return step(value, key->point, TEXT_END);
}

size_t avd__hash_slot(const struct avd__hash_key *key, uint64_t value, size_t size)
{
	return (size_t)(value * key->spread >> (64 - __builtin_ctzl(size)));
}
