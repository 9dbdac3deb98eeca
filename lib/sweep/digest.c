// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "sweep/digest.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "image/blake2b.h"

uint64_t avd__digest(const struct avd__buf *gathered)
{
	uint8_t whole[AVD__BLAKE2B_SIZE];
	uint64_t first;
	if (gathered->error)
		return 0;
	avd__blake2b(gathered->data, gathered->len, whole);
	memcpy(&first, whole, sizeof(first));
	first = le64toh(first);
	return first ? first : 1; /* 0 is kept for "none" */
}

void avd__digest_text(struct avd__buf *gathered, const char *text)
{
	avd__buf_append(gathered, text, strlen(text) + 1);
}

/* 0, or -1 if there is no such regular file that can be read. */
static int add_file(struct avd__buf *gathered, const char *path)
{
	uint8_t digest[AVD__BLAKE2B_SIZE];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r = -1;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		void *bytes =
			st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)
				   : NULL;
		if (bytes != MAP_FAILED) {
			avd__blake2b(bytes ? bytes : "", (size_t)st.st_size, digest);
			avd__buf_append(gathered, digest, sizeof(digest));
			if (bytes)
				munmap(bytes, (size_t)st.st_size);
			r = 0;
		}
	}
	avd__close(&fd);
	return r;
}

void avd__digest_file(struct avd__buf *gathered, const char *path)
{
	if (add_file(gathered, path) < 0)
		avd__digest_text(gathered, "unreadable");
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name); /* not by locale: the same everywhere */
}

/* What a guest would see of it. Of the mode the right to run it: others differ with the umask of
 * who checked it out, and a guest's root reads all. Sockets and the like don't go along. */
static void add_entry(struct avd__buf *gathered, const FTSENT *entry, size_t root_len)
{
	char target[PATH_MAX];
	ssize_t n;
	if (entry->fts_info == FTS_DP)
		return;
	avd__digest_text(gathered, entry->fts_path + root_len);
	switch (entry->fts_info) {
	case FTS_D:
		avd__digest_text(gathered, "directory");
		break;
	case FTS_F:
		avd__digest_text(gathered, entry->fts_statp->st_mode & 0111 ? "program" : "file");
		avd__digest_file(gathered, entry->fts_accpath);
		break;
	case FTS_SL:
	case FTS_SLNONE:
		n = readlink(entry->fts_accpath, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		avd__digest_text(gathered, "link");
		avd__digest_text(gathered, target);
		break;
	case FTS_DEFAULT:
		avd__digest_text(gathered, "other");
		break;
	default:
		avd__digest_text(gathered, "unreadable");
	}
}

void avd__digest_tree(struct avd__buf *gathered, const char *path)
{
	char *root = strdup(path);
	char *roots[] = {root, NULL};
	FTS *walk =
		root ? fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name) : NULL;
	if (!walk)
		gathered->error = -ENOMEM;
	for (const FTSENT *entry; walk && (entry = fts_read(walk));)
		add_entry(gathered, entry, strlen(path));
	if (walk)
		fts_close(walk);
	free(root);
}

void avd__digest_program(struct avd__buf *gathered, const char *program)
{
	char path[PATH_MAX];
	const char *dirs = getenv("PATH");
	if (add_file(gathered, program) == 0)
		return;
	while (!strchr(program, '/') && dirs && *dirs) {
		const size_t len = strcspn(dirs, ":");
		const int n = snprintf(path, sizeof(path), "%.*s/%s", (int)len, dirs, program);
		/* As a cell looks for it: no relative directory, nothing that can't be run. */
		if (*dirs == '/' && n > 0 && (size_t)n < sizeof(path) && access(path, X_OK) == 0 &&
		    add_file(gathered, path) == 0)
			return;
		dirs += len + (dirs[len] == ':');
	}
	avd__digest_text(gathered, "unreadable");
}
