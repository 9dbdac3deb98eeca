/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* A reader of newc archives, for looking at what lib/image has written. */
#ifndef AVD_TESTS_NEWC_KIT_H
#define AVD_TESTS_NEWC_KIT_H

#include "base/buf.h"

struct newc_file {
	const char *name;
	const char *data;
	uint32_t inode, mode, links, mtime, size;
};

/* Walks the archive; aborts the test if it is malformed. */
struct newc_kit {
	struct avd__buf bytes;
	struct newc_file *files;
	size_t count;
};

/* Takes the descriptor over. */
struct newc_kit newc_open(int fd);
void newc_close(struct newc_kit *archive);
/* Without the leading slash; NULL if there is none. */
const struct newc_file *newc_find(const struct newc_kit *archive, const char *name);

#endif
