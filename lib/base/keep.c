// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "base/keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_CAP 32 /* a cell's options and a short command */

void avd__keep_init(struct avd__keep *keep)
{
	*keep = (struct avd__keep){.cwd = getcwd(NULL, 0)};
}

void avd__keep_free(struct avd__keep *keep)
{
	for (size_t i = 0; i < keep->count; i++)
		free(keep->kept[i]);
	free(keep->kept);
	free(keep->cwd);
	*keep = (struct avd__keep){0};
}

int avd__keep_add(struct avd__keep *keep, void *memory, struct avd__error *error)
{
	if (memory && keep->count == keep->cap) {
		const size_t cap = keep->cap ? keep->cap * 2 : FIRST_CAP;
		void **kept = realloc(keep->kept, cap * sizeof(*kept));
		if (!kept) {
			free(memory);
			memory = NULL;
		} else {
			keep->kept = kept;
			keep->cap = cap;
		}
	}
	if (!memory)
		return avd__fail(error, ENOMEM, "out of memory");
	keep->kept[keep->count++] = memory;
	return 0;
}

int avd__keep_text(struct avd__keep *keep, const char **text, struct avd__error *error)
{
	if (!*text)
		return 0;
	if (**text == '\0') {
		*text = NULL;
		return 0;
	}
	char *copy = strdup(*text);
	*text = copy;
	return avd__keep_add(keep, copy, error);
}

int avd__keep_path(struct avd__keep *keep, const char **path, struct avd__error *error)
{
	if (!*path || **path == '\0' || **path == '/')
		return avd__keep_text(keep, path, error);
	if (!keep->cwd)
		return avd__fail(error, EINVAL,
				 "%s: the current directory is gone; give an absolute path", *path);
	char *joined = NULL;
	if (asprintf(&joined, "%s/%s", strcmp(keep->cwd, "/") == 0 ? "" : keep->cwd, *path) < 0)
		joined = NULL;
	*path = joined;
	return avd__keep_add(keep, joined, error);
}

int avd__keep_program(struct avd__keep *keep, const char **name, struct avd__error *error)
{
	return *name && strchr(*name, '/') ? avd__keep_path(keep, name, error)
					   : avd__keep_text(keep, name, error);
}
