/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * A hash of texts for tables in memory. Each table has a key of its own, so that who writes the
 * texts, of an index from another machine say, can't choose ones that share a slot: reading them
 * would take time by the square of their number. Its values mean nothing elsewhere.
 */
#ifndef AVD_LIB_BASE_HASH_H
#define AVD_LIB_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct avd__hash_key {
	uint64_t point, spread;
};

/* A key by chance. */
struct avd__hash_key avd__hash_key(void);
/* Goes on from `value` (0 at first) with the text and its end. */
uint64_t avd__hash_text(const struct avd__hash_key *key, uint64_t value, const char *text);
/* Where to begin in a table of `size` slots, a power of two from 2 on. */
size_t avd__hash_slot(const struct avd__hash_key *key, uint64_t value, size_t size);

#endif
