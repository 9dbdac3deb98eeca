// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "image/pathset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64u /* a scheduler with its libraries has about 40 paths */

void avd__pathset_free(struct avd__pathset *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->entries[i].path);
	free(set->entries);
	free(set->slots);
	*set = (struct avd__pathset){0};
}

static uint64_t hash(const char *path)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a: short keys, none of them hostile */
	for (; *path; path++)
		h = (h ^ (uint8_t)*path) * UINT64_C(0x100000001b3);
	return h ^ h >> 32;
}

static size_t find_slot(const struct avd__pathset *set, const char *path)
{
	size_t slot = (size_t)hash(path) & (set->slot_count - 1);
	while (set->slots[slot] && strcmp(set->entries[set->slots[slot] - 1].path, path) != 0)
		slot = (slot + 1) & (set->slot_count - 1);
	return slot;
}

const struct avd__path_entry *avd__pathset_find(const struct avd__pathset *set, const char *path)
{
	if (!set->slot_count)
		return NULL;
	const uint32_t index = set->slots[find_slot(set, path)];
	return index ? &set->entries[index - 1] : NULL;
}

static int grow(struct avd__pathset *set)
{
	const size_t cap = set->cap ? 2 * set->cap : FIRST_CAP;
	if (cap > UINT32_MAX / 4)
		return -ENOMEM;
	struct avd__path_entry *entries = realloc(set->entries, cap * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	set->entries = entries;
	uint32_t *slots = calloc(2 * cap, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(set->slots);
	set->slots = slots;
	set->slot_count = 2 * cap;
	set->cap = cap;
	for (size_t i = 0; i < set->count; i++)
		slots[find_slot(set, entries[i].path)] = (uint32_t)i + 1;
	return 0;
}

int avd__pathset_add(struct avd__pathset *set, const char *path, uint32_t mode, uint64_t header,
		     uint64_t size)
{
	if (set->count == set->cap) {
		const int r = grow(set);
		if (r < 0)
			return r;
	}
	char *copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	set->entries[set->count++] = (struct avd__path_entry){
		.path = copy, .mode = mode, .header = header, .size = size};
	set->slots[find_slot(set, path)] = (uint32_t)set->count;
	return 0;
}
