// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "scratch_dir.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[32];

void scratch_enter(void)
{
	strcpy(dir, "/tmp/avd-unit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
}

const char *scratch_dir(void)
{
	return dir;
}

void scratch_leave(void)
{
	char command[64];
	ck_assert_int_eq(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	ck_assert_int_eq(system(command), 0);
}

void scratch_write(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}
