// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "image/search.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "image/file.h"

/* glibc's sysdeps/x86_64/dl-hwcaps-subdirs.c */
static const char *const hwcap_dirs[] = {"glibc-hwcaps/x86-64-v4/", "glibc-hwcaps/x86-64-v3/",
					 "glibc-hwcaps/x86-64-v2/"};

/* What $LIB may stand for: Debian's, the others' and musl's way. */
static const char *const lib_names[] = {"lib/x86_64-linux-gnu", "lib64", "lib"};

void avd__found_free(struct avd__found *found)
{
	for (size_t i = 0; i < found->count; i++)
		free(found->paths[i]);
	free(found->paths);
	*found = (struct avd__found){0};
}

int avd__found_add(struct avd__found *found, const char *path)
{
	for (size_t i = 0; i < found->count; i++) {
		if (!strcmp(found->paths[i], path))
			return 0;
	}
	char **more = realloc(found->paths, (found->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	found->paths = more;
	more[found->count] = strdup(path);
	if (!more[found->count])
		return -ENOMEM;
	found->count++;
	return 0;
}

bool avd__search_usable(const char *path)
{
	Elf64_Ehdr ehdr;
	struct stat st;
	int fd = -1;
	if (avd__file_open(path, "library", &fd, &st, NULL) < 0)
		return false;
	const int64_t n = avd__pread_all(fd, &ehdr, sizeof(ehdr), 0);
	avd__close(&fd);
	return n == sizeof(ehdr) && !memcmp(ehdr.e_ident, ELFMAG, SELFMAG) &&
	       ehdr.e_ident[EI_CLASS] == ELFCLASS64 && ehdr.e_machine == EM_X86_64 &&
	       ehdr.e_type == ET_DYN;
}

/* dir/sub/name, if it can be used. */
static int try_file(const char *dir, size_t dir_len, const char *sub, const char *name,
		    struct avd__found *found, bool *ret_hit)
{
	struct avd__buf path = {0};
	int r = avd__buf_printf(&path, "%.*s/%s%s", (int)dir_len, dir, sub, name);
	*ret_hit = r == 0 && avd__search_usable(path.data);
	if (*ret_hit)
		r = avd__found_add(found, path.data);
	avd__buf_free(&path);
	return r;
}

int avd__search_dir(const char *dir, size_t dir_len, const char *name, bool hwcaps,
		    struct avd__found *found)
{
	bool hit;
	int r = 0;
	while (dir_len > 1 && dir[dir_len - 1] == '/')
		dir_len--;
	for (size_t i = 0; r == 0 && hwcaps && i < AVD__ARRAY_SIZE(hwcap_dirs); i++)
		r = try_file(dir, dir_len, hwcap_dirs[i], name, found, &hit);
	if (r == 0) {
		r = try_file(dir, dir_len, "", name, found, &hit);
		if (hit)
			found->common = true;
	}
	return r;
}

/* The length of a token ("$NAME" or "${NAME}") at p, 0 if there is none. */
static size_t match_token(const char *p, const char *end, const char *name)
{
	const size_t len = strlen(name);
	const size_t left = (size_t)(end - p);
	if (left >= len + 3 && p[1] == '{' && !memcmp(p + 2, name, len) && p[len + 2] == '}')
		return len + 3;
	if (left >= len + 1 && !memcmp(p + 1, name, len))
		return len + 1;
	return 0;
}

static int expand(const char *dir, size_t len, const char *origin, const char *lib,
		  struct avd__buf *out, bool *ret_has_lib)
{
	const char *end = dir + len;
	*ret_has_lib = false;
	for (const char *p = dir; p < end; p++) {
		size_t n;
		if (*p != '$') {
			avd__buf_append(out, p, 1);
		} else if ((n = match_token(p, end, "ORIGIN"))) {
			avd__buf_puts(out, origin);
			p += n - 1;
		} else if ((n = match_token(p, end, "LIB"))) {
			avd__buf_puts(out, lib);
			*ret_has_lib = true;
			p += n - 1;
		} else if ((n = match_token(p, end, "PLATFORM"))) {
			avd__buf_puts(out, "x86_64");
			p += n - 1;
		} else {
			avd__buf_append(out, p, 1);
		}
	}
	return out->error;
}

int avd__search_list(const char *list, const char *origin, const char *name, bool hwcaps,
		     struct avd__found *found)
{
	int r = 0;
	while (r == 0 && *list && !found->common) {
		const size_t len = strcspn(list, ":");
		bool has_lib = true;
		for (size_t i = 0; r == 0 && has_lib && i < AVD__ARRAY_SIZE(lib_names); i++) {
			struct avd__buf dir = {0};
			r = expand(list, len, origin, lib_names[i], &dir, &has_lib);
			/* An empty or relative one means the working directory, which is
			 * another in the guest. */
			if (r == 0 && dir.data && dir.data[0] == '/')
				r = avd__search_dir(dir.data, dir.len, name, hwcaps, found);
			avd__buf_free(&dir);
			if (found->common)
				break;
		}
		list += len;
		list += *list == ':';
	}
	return r;
}
