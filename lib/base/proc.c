// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "base/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

/* Pages asked of mincore() at once: a GiB of guest takes 64 calls. */
#define MINCORE_PAGES 4096u

uint64_t avd__resident_bytes(const void *memory, size_t size)
{
	unsigned char in_core[MINCORE_PAGES];
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t end = (uintptr_t)memory + size;
	uint64_t pages = 0;
	for (uintptr_t at = (uintptr_t)memory & ~(page - 1); at < end;) {
		uintptr_t count = (end - at + page - 1) / page;
		if (count > MINCORE_PAGES)
			count = MINCORE_PAGES;
		if (mincore((void *)at, count * page, in_core) <
		    0) // NOLINT(performance-no-int-to-ptr)
			return 0;
		for (uintptr_t i = 0; i < count; i++)
			pages += in_core[i] & 1;
		at += count * page;
	}
	return pages * page;
}

struct mappings {
	uint64_t wanted; /* bytes */
	uint64_t size, pss; /* of the mapping at hand */
	uint64_t best_size, best_pss, sum;
};

static void end_mapping(struct mappings *m)
{
	m->sum += m->pss;
	if (m->size >= m->wanted && (!m->best_size || m->size < m->best_size)) {
		m->best_size = m->size;
		m->best_pss = m->pss;
	}
	m->size = m->pss = 0;
}

bool avd__proc_memory(pid_t pid, uint64_t ram_bytes, uint64_t *ret_ram, uint64_t *ret_rest)
{
	char path[64];
	char *line = NULL;
	size_t room = 0;
	struct mappings m = {.wanted = ram_bytes};
	snprintf(path, sizeof(path), "/proc/%ld/smaps", (long)pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	while (getline(&line, &room, file) > 0) {
		char *end;
		const uint64_t from = strtoull(line, &end, 16);
		if (*end == '-') { /* "from-to flags ...": the next one */
			end_mapping(&m);
			m.size = strtoull(end + 1, NULL, 16) - from;
		} else if (strncmp(line, "Pss:", 4) == 0) {
			m.pss = strtoull(line + 4, NULL, 10) * 1024;
		}
	}
	end_mapping(&m);
	free(line);
	fclose(file);
	if (!m.best_size)
		return false;
	*ret_ram = m.best_pss;
	*ret_rest = m.sum - m.best_pss;
	return true;
}
