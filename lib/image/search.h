/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Where the dynamic linker looks for a library. */
#ifndef AVD_LIB_IMAGE_SEARCH_H
#define AVD_LIB_IMAGE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

/* Paths that were found for one name: the common one, and variants for CPU levels
 * (glibc-hwcaps), of which the guest's ld.so takes the one that suits its CPU. */
struct avd__found {
	char **paths;
	size_t count;
	bool common; /* one that any CPU can run is among them */
};

void avd__found_free(struct avd__found *found);
/* 0 (also if it was there already) or -ENOMEM. */
int avd__found_add(struct avd__found *found, const char *path);

/* Whether ld.so would take the file: ELF, 64 bits, x86_64. Others it passes over. */
bool avd__search_usable(const char *path);

/* Looks in one directory and its glibc-hwcaps. 0 or -ENOMEM. */
int avd__search_dir(const char *dir, size_t dir_len, const char *name, bool hwcaps,
		    struct avd__found *found);

/* Looks in a colon-separated list in which $ORIGIN, $LIB and $PLATFORM stand for what ld.so(8)
 * says, until the common file is found. */
int avd__search_list(const char *list, const char *origin, const char *name, bool hwcaps,
		     struct avd__found *found);

#endif
