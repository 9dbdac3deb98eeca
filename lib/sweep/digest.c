// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "sweep/digest.h"

#include <endian.h>
#include <fcntl.h>
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

void avd__digest_program(struct avd__buf *gathered, const char *program)
{
	char path[PATH_MAX];
	const char *dirs = getenv("PATH");
	if (add_file(gathered, program) == 0)
		return;
	while (!strchr(program, '/') && dirs && *dirs) {
		const size_t len = strcspn(dirs, ":");
		const int n = snprintf(path, sizeof(path), "%.*s/%s", (int)len, dirs, program);
		if (n > 0 && (size_t)n < sizeof(path) && add_file(gathered, path) == 0)
			return;
		dirs += len + (dirs[len] == ':');
	}
	avd__digest_text(gathered, "unreadable");
}
