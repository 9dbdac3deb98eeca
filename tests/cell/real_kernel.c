// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "real_kernel.h"

#include <dirent.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_version(const struct dirent **a, const struct dirent **b)
{
	return strverscmp((*a)->d_name, (*b)->d_name);
}

static int has_sched_ext(const char *path)
{
	struct avd_kernel_info info;
	return avd_kernel_describe(path, &info, NULL, 0) == 0 && info.sched_ext == AVD_YES;
}

const char *real_kernel(void)
{
	static char path[PATH_MAX];
	const char *top = getenv("AVD_TEST_KERNELS");
	struct avd_machine_info machine;
	struct dirent **entries = NULL;
	char error[512];
	int found = 0;
	if (avd_machine_probe(AVD_MACHINE_AUTO, NULL, &machine, error, sizeof(error)) < 0) {
		printf("skipped: %s\n", error);
		return NULL;
	}
	int count = top ? scandir(top, &entries, NULL, by_version) : 0;
	for (int i = count - 1; i >= 0; i--) {
		if (!found && entries[i]->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s/vmlinuz", top, entries[i]->d_name);
			found = has_sched_ext(path);
		}
		free(entries[i]);
	}
	free(entries);
	if (!found)
		printf("skipped: no kernel with sched_ext in %s; run tools/fetch-kernel\n",
		       top ? top : "$AVD_TEST_KERNELS, which is not set");
	return found ? path : NULL;
}

int count_entries(const char *directory)
{
	DIR *stream = opendir(directory);
	int count = stream ? 0 : -1;
	for (struct dirent *entry; stream && (entry = readdir(stream));)
		count += entry->d_name[0] != '.';
	if (stream)
		closedir(stream);
	return count;
}

void wait_for_threads(int count)
{
	while (count_entries("/proc/self/task") > count)
		poll(NULL, 0, 1);
}
