// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* Keeping the cache of unpacked kernels small. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "image/cache.h"

/* No writer takes that long: an older temporary file is that of a dead one. */
#define STALE_SECONDS 3600

struct entry {
	char *name;
	uint64_t size;
	struct timespec used;
};

struct entries {
	struct entry *list;
	size_t count;
	uint64_t total;
};

static bool is_key(const char *name)
{
	return strlen(name) == 2 * (size_t)AVD__BLAKE2B_SIZE &&
	       strspn(name, "0123456789abcdef") == 2 * (size_t)AVD__BLAKE2B_SIZE;
}

static int add_entry(struct entries *entries, const char *name, const struct stat *st)
{
	struct entry *more = realloc(entries->list, (entries->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	entries->list = more;
	more[entries->count] = (struct entry){
		.name = strdup(name), .size = (uint64_t)st->st_size, .used = st->st_atim};
	if (!more[entries->count].name)
		return -ENOMEM;
	entries->total += more[entries->count++].size;
	return 0;
}

static int look(DIR *dir, struct entries *entries, const char *keep)
{
	const time_t now = time(NULL);
	const struct dirent *item;
	struct stat st;
	int r = 0;
	while (r == 0 && (item = readdir(dir))) {
		const char *name = item->d_name;
		if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
			continue;
		if (!strncmp(name, AVD__CACHE_TEMP, sizeof(AVD__CACHE_TEMP) - 1)) {
			if (st.st_mtime < now - STALE_SECONDS)
				(void)unlinkat(dirfd(dir), name, 0);
		} else if (is_key(name) && !strcmp(name, keep)) {
			entries->total += (uint64_t)st.st_size;
		} else if (is_key(name)) {
			r = add_entry(entries, name, &st);
		}
	}
	return r;
}

static int compare_use(const void *a, const void *b)
{
	const struct timespec *x = &((const struct entry *)a)->used;
	const struct timespec *y = &((const struct entry *)b)->used;
	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

void avd__cache_prune(const char *dir_path, const char *keep, uint64_t max)
{
	struct entries entries = {0};
	DIR *dir = opendir(dir_path);
	if (!dir)
		return;
	if (look(dir, &entries, keep) == 0 && entries.count) {
		qsort(entries.list, entries.count, sizeof(*entries.list), compare_use);
		for (size_t i = 0; i < entries.count && entries.total > max; i++) {
			/* Whoever has it open keeps it. */
			(void)unlinkat(dirfd(dir), entries.list[i].name, 0);
			entries.total -= entries.list[i].size;
		}
	}
	for (size_t i = 0; i < entries.count; i++)
		free(entries.list[i].name);
	free(entries.list);
	closedir(dir);
}
