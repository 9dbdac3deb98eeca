// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Builds an archive as a test in another language asks for it:
 *	image-peer OUT [program PATH | path HOST GUEST | dir PATH | text PATH TEXT |
 *			link PATH TARGET]...
 * Prints "program KIND GUEST_PATH" for each program. On a failure prints "error ERRNO MESSAGE" and
 *ends with status 1, leaving no OUT.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "image/initramfs.h"

static int add_program(struct avd__initramfs *archive, const char *path, struct avd__error *error)
{
	enum avd__program_kind kind;
	char *guest = NULL;
	const int r = avd__initramfs_add_program(archive, path, &kind, &guest, error);
	if (r == 0)
		printf("program %d %s\n", (int)kind, guest);
	free(guest);
	return r;
}

/* The number of arguments used, 0 for an unknown word. */
static int add(struct avd__initramfs *archive, char **args, int left, int *ret,
	       struct avd__error *error)
{
	if (left >= 2 && !strcmp(args[0], "program")) {
		*ret = add_program(archive, args[1], error);
		return 2;
	}
	if (left >= 2 && !strcmp(args[0], "dir")) {
		*ret = avd__initramfs_add_dir(archive, args[1], 0755, error);
		return 2;
	}
	if (left >= 3 && !strcmp(args[0], "path")) {
		*ret = avd__initramfs_add_path(archive, args[1], args[2], error);
		return 3;
	}
	if (left >= 3 && !strcmp(args[0], "text")) {
		*ret = avd__initramfs_add_bytes(archive, args[1], 0644, args[2], strlen(args[2]),
						error);
		return 3;
	}
	if (left >= 3 && !strcmp(args[0], "link")) {
		*ret = avd__initramfs_add_symlink(archive, args[1], args[2], error);
		return 3;
	}
	return 0;
}

static int write_out(struct avd__initramfs *archive, const char *path, struct avd__error *error)
{
	int fd = -1;
	uint64_t size = 0;
	const int r = avd__initramfs_finish(archive, &fd, &size, error);
	if (r < 0)
		return r;
	const int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	off_t at = 0;
	while (out >= 0 && (uint64_t)at < size) {
		if (sendfile(out, fd, &at, (size_t)(size - (uint64_t)at)) <= 0)
			break;
	}
	close(fd);
	if (out < 0 || close(out) < 0 || (uint64_t)at != size)
		return avd__fail(error, 5, "%s: cannot be written", path);
	return 0;
}

int main(int argc, char **argv)
{
	struct avd__initramfs *archive = NULL;
	struct avd__error error = {0};
	int r = argc < 2 ? -1 : avd__initramfs_new(&archive, &error);
	for (int i = 2; r == 0 && i < argc;) {
		const int used = add(archive, argv + i, argc - i, &r, &error);
		if (!used) {
			fprintf(stderr, "image-peer: unknown word %s\n", argv[i]);
			return 2;
		}
		i += used;
	}
	if (r == 0)
		r = write_out(archive, argv[1], &error);
	avd__initramfs_free(archive);
	if (r < 0)
		printf("error %d %s\n", -r, error.text);
	return r < 0 ? 1 : 0;
}
