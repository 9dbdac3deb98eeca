// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * keep_dir: copies for the one who wants to look into a cell. They are no evidence: where
 * one can't be written any more, a warning says so and the cell goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "cell/internal.h"
#include "cell/limits.h"

/* The archive holds the nonce and copies of the user's files: for the user's eyes only. */
#define KEEP_MODE 0600

static const char *const keep_names[] = {AVD__KEEP_INITRAMFS, "console.log", "channel.bin"};

static int keep_file(int dir_fd, const char *dir, const char *name, int *ret_fd,
		     struct avd__error *error)
{
	/* Not through a link that somebody else left there. */
	const int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			      KEEP_MODE);
	if (fd < 0) {
		const int err = errno;
		return avd__fail(error, err, "cannot keep %s/%s: %s", dir, name, strerror(err));
	}
	*ret_fd = fd;
	return 0;
}

static int copy_archive(int fd, const struct avd__cell_boot *boot)
{
	off_t offset = 0;
	while ((uint64_t)offset < boot->initramfs_bytes) {
		const ssize_t n = sendfile(fd, boot->initramfs_fd, &offset,
					   (size_t)(boot->initramfs_bytes - (uint64_t)offset));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	return 0;
}

int avd__keep_open(struct avd_cell *cell, const struct avd__cell_boot *boot,
		   struct avd__error *error)
{
	const char *dir = cell->config.options.keep_dir;
	if (!dir)
		return 0;
	int dir_fd = open(dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (dir_fd < 0) {
		const int err = errno;
		return avd__fail(error, err, "keep_dir %s: %s; name an existing directory", dir,
				 strerror(err));
	}
	int archive_fd = -1;
	int r = keep_file(dir_fd, dir, keep_names[0], &archive_fd, error);
	if (r == 0) {
		r = copy_archive(archive_fd, boot);
		if (r < 0)
			r = avd__fail(error, -r, "cannot keep %s/initramfs.cpio: %s", dir,
				      strerror(-r));
	}
	avd__close(&archive_fd);
	if (r == 0)
		r = keep_file(dir_fd, dir, keep_names[1], &cell->keep.console_fd, error);
	if (r == 0)
		r = keep_file(dir_fd, dir, keep_names[2], &cell->keep.channel_fd, error);
	if (r < 0) { /* a full disk: leave no half of a copy there */
		avd__keep_close(cell);
		for (size_t i = 0; i < AVD__ARRAY_SIZE(keep_names); i++)
			unlinkat(dir_fd, keep_names[i], 0);
	}
	avd__close(&dir_fd);
	return r;
}

static void write_or_warn(struct avd_cell *cell, int *fd, const char *name, const void *bytes,
			  size_t size)
{
	if (*fd < 0 || size == 0)
		return;
	const int r = avd__write_all(*fd, bytes, size);
	if (r < 0) {
		avd__log(&cell->log, AVD_LOG_WARNING, "%s/%s is cut here: %s",
			 cell->config.options.keep_dir, name, strerror(-r));
		avd__close(fd);
	}
}

void avd__keep_console(struct avd_cell *cell, const void *bytes, size_t size)
{
	struct avd__cell_keep *keep = &cell->keep;
	const uint64_t room = AVD__CELL_CONSOLE_FILE_MAX - keep->console_bytes;
	const size_t take = size < room ? size : (size_t)room;
	if (keep->console_fd < 0)
		return;
	write_or_warn(cell, &keep->console_fd, "console.log", bytes, take);
	keep->console_bytes += take;
	if (take < size) {
		avd__log(&cell->log, AVD_LOG_WARNING,
			 "%s/console.log ends at %" PRIu64 " MiB, the guest goes on printing",
			 cell->config.options.keep_dir, AVD__CELL_CONSOLE_FILE_MAX / AVD__MIB);
		avd__close(&keep->console_fd);
	}
}

void avd__keep_channel(struct avd_cell *cell, const void *bytes, size_t size)
{
	write_or_warn(cell, &cell->keep.channel_fd, "channel.bin", bytes, size);
}

void avd__keep_close(struct avd_cell *cell)
{
	avd__close(&cell->keep.console_fd);
	avd__close(&cell->keep.channel_fd);
}
