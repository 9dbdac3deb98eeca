/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* The paths of an archive, each with what stands there: a hash table, in order of addition. */
#ifndef AVD_LIB_IMAGE_PATHSET_H
#define AVD_LIB_IMAGE_PATHSET_H

#include <stddef.h>
#include <stdint.h>

struct avd__path_entry {
	char *path; /* without the leading slash; owned by the set */
	uint32_t mode; /* type and permissions */
	uint64_t header; /* where its header stands in the archive */
	uint64_t size;
};

struct avd__pathset {
	struct avd__path_entry *entries;
	size_t count;
	size_t cap;
	uint32_t *slots; /* index of an entry plus one, 0 if free */
	size_t slot_count; /* a power of two, at least twice the count */
};

void avd__pathset_free(struct avd__pathset *set);
/* NULL if there is none; valid until the next addition. */
const struct avd__path_entry *avd__pathset_find(const struct avd__pathset *set, const char *path);
/* The path must be new. 0 or -ENOMEM. */
int avd__pathset_add(struct avd__pathset *set, const char *path, uint32_t mode, uint64_t header,
		     uint64_t size);

#endif
