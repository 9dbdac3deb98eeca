/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/* Copies of what a caller's options point to, all of them released at once. */
#ifndef AVD_LIB_BASE_KEEP_H
#define AVD_LIB_BASE_KEEP_H

#include <stddef.h>

#include "base/error.h"

struct avd__keep {
	char *cwd; /* when the options were given; NULL: it could not be told */
	void **kept;
	size_t count, cap;
};

/* Looks where the process stands: a later chdir() of the caller must not change what was meant.
 * Who gives no relative path may stand in a directory that is gone. */
void avd__keep_init(struct avd__keep *keep);
void avd__keep_free(struct avd__keep *keep);

/* Takes over `memory` (also when it fails); NULL is an allocation that failed before: -ENOMEM. */
int avd__keep_add(struct avd__keep *keep, void *memory, struct avd__error *error);
/* Replaces *text by a copy. NULL stays NULL, and an empty text, as good as not given, becomes it.
 */
int avd__keep_text(struct avd__keep *keep, const char **text, struct avd__error *error);
/* The same for a path, which becomes absolute. -EINVAL: the current directory is gone. */
int avd__keep_path(struct avd__keep *keep, const char **path, struct avd__error *error);
/* The same for a program: without a slash it is a name to look for in $PATH. */
int avd__keep_program(struct avd__keep *keep, const char **name, struct avd__error *error);

#endif
