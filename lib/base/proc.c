// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "base/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"

/* "cpu wait slices", three 64-bit numbers. */
static uint64_t read_wait(int task_dir, const char *tid)
{
	char path[64], text[96];
	snprintf(path, sizeof(path), "%s/schedstat", tid);
	int fd = openat(task_dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return AVD__WAIT_UNKNOWN;
	const int64_t n = avd__pread_all(fd, text, sizeof(text) - 1, 0);
	avd__close(&fd);
	if (n <= 0)
		return AVD__WAIT_UNKNOWN;
	text[n] = '\0';
	char *end;
	strtoull(text, &end, 10);
	if (*end != ' ')
		return AVD__WAIT_UNKNOWN;
	return strtoull(end, NULL, 10);
}

static uint64_t sum_waits(DIR *tasks)
{
	uint64_t sum = 0;
	int known = 0;
	for (struct dirent *entry; (entry = readdir(tasks));) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		const uint64_t wait = read_wait(dirfd(tasks), entry->d_name);
		if (wait == AVD__WAIT_UNKNOWN) /* ended meanwhile */
			continue;
		sum += wait;
		known = 1;
	}
	return known ? sum : AVD__WAIT_UNKNOWN;
}

uint64_t avd__proc_wait_ns(pid_t pid, pid_t tid)
{
	const int saved = errno;
	char path[64], name[32];
	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	DIR *tasks = opendir(path);
	uint64_t wait = AVD__WAIT_UNKNOWN;
	if (tasks) {
		snprintf(name, sizeof(name), "%ld", (long)tid);
		wait = tid ? read_wait(dirfd(tasks), name) : sum_waits(tasks);
		closedir(tasks);
	}
	errno = saved;
	return wait;
}
