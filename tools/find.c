// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

static int is_program(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

char *cli_find_program(const char *name)
{
	const char *path = getenv("PATH");
	if (!path || strchr(name, '/') || access(name, F_OK) == 0)
		return NULL;
	char *found = malloc(strlen(path) + strlen(name) + 3);
	while (found) {
		const size_t len = strcspn(path, ":");
		/* An empty item is the current directory, where it is not. */
		if (len) {
			memcpy(found, path, len);
			found[len] = '/';
			memcpy(found + len + 1, name, strlen(name) + 1);
			if (is_program(found))
				return found;
		}
		if (!path[len])
			break;
		path += len + 1;
	}
	free(found);
	return NULL;
}
