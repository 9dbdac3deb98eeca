// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/* The four ways to name an initramfs, each to a file descriptor and a size. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/initramfs.h"
#include "runner/internal.h"

#define GUEST_INIT "/init"

static int regular_size(int fd, const char *name, uint64_t *ret_size, struct avd__error *error)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		const int err = errno;
		return avd__fail(error, err, "%s: %s", name, strerror(err));
	}
	if (!S_ISREG(st.st_mode))
		return avd__fail(error, S_ISDIR(st.st_mode) ? EISDIR : EINVAL,
				 "%s is no regular file; pack the initramfs into one", name);
	if (!st.st_size)
		return avd__fail(error, EBADMSG, "%s is empty", name);
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

static int from_file(const char *path, int *ret_fd, uint64_t *ret_size, struct avd__error *error)
{
	/* Not to wait for the other end of a FIFO. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		const int err = errno;
		return avd__fail(error, err, "initramfs %s: %s", path, strerror(err));
	}
	const int r = regular_size(fd, path, ret_size, error);
	if (r < 0)
		avd__close(&fd);
	else
		*ret_fd = fd;
	return r;
}

static int from_fd(int given, int *ret_fd, uint64_t *ret_size, struct avd__error *error)
{
	int fd = fcntl(given, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		const int err = errno;
		return avd__fail(error, err, "initramfs_fd=%d: %s", given, strerror(err));
	}
	const int r = regular_size(fd, "initramfs_fd", ret_size, error);
	if (r < 0)
		avd__close(&fd);
	else
		*ret_fd = fd;
	return r;
}

static int from_memory(const void *data, size_t size, int *ret_fd, struct avd__error *error)
{
	int fd = memfd_create("attachverdict-initramfs", MFD_CLOEXEC);
	const int r = fd < 0 ? -errno : avd__write_all(fd, data, size);
	if (r < 0) {
		avd__close(&fd);
		return avd__fail(error, -r, "cannot hold the initramfs: %s", strerror(-r));
	}
	*ret_fd = fd;
	return 0;
}

/* The program at its host path, with what it needs, and a link to it. */
static int from_program(const char *path, int *ret_fd, uint64_t *ret_size, struct avd__error *error)
{
	struct avd__initramfs *archive = NULL;
	enum avd__program_kind kind;
	char *place = NULL;
	int r = avd__initramfs_new(&archive, error);
	if (r == 0)
		r = avd__initramfs_add_program(archive, path, &kind, &place, error);
	if (r == 0 && kind == AVD__PROGRAM_BPF)
		r = avd__fail(error, ENOEXEC, "init %s: a BPF object can't be run", path);
	if (r == 0 && strcmp(place, GUEST_INIT) != 0)
		r = avd__initramfs_add_symlink(archive, GUEST_INIT, place, error);
	if (r == 0)
		r = avd__initramfs_finish(archive, ret_fd, ret_size, error);
	free(place);
	avd__initramfs_free(archive);
	return r;
}

int avd__machine_initramfs(const struct avd_machine_options *options, int *ret_fd,
			   uint64_t *ret_size, struct avd__error *error)
{
	if (options->initramfs)
		return from_file(options->initramfs, ret_fd, ret_size, error);
	if (options->init)
		return from_program(options->init, ret_fd, ret_size, error);
	if (options->flags & AVD_MACHINE_INITRAMFS_FD)
		return from_fd(options->initramfs_fd, ret_fd, ret_size, error);
	*ret_size = options->initramfs_size;
	return from_memory(options->initramfs_data, options->initramfs_size, ret_fd, error);
}
