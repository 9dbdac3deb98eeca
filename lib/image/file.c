// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "image/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail_type(const char *path, const char *what, mode_t mode, struct avd__error *error)
{
	if (S_ISDIR(mode))
		return avd__fail(error, EISDIR, "%s %s: is a directory; name the file itself", what,
				 path);
	const char *type = S_ISFIFO(mode)   ? "a FIFO"
			   : S_ISSOCK(mode) ? "a socket"
			   : S_ISCHR(mode)  ? "a character device"
					    : "a block device";
	return avd__fail(error, EINVAL, "%s %s: is %s, not a regular file; copy it to a file first",
			 what, path, type);
}

static int fail_errno(const char *path, const char *what, int err, struct avd__error *error)
{
	switch (err) {
	case ENOENT:
	case ENOTDIR:
		return avd__fail(error, ENOENT, "%s %s: no such file; check the path%s", what, path,
				 strcmp(what, "kernel") == 0
					 ? ", 'attachverdict kernel list' shows what is here"
					 : "");
	case EACCES:
		return avd__fail(error, EACCES,
				 "%s %s: may not be read by this user; make a readable copy "
				 "(sudo install -m 644 FILE COPY) or run as a user who may",
				 what, path);
	default:
		return avd__fail(error, err, "%s %s: cannot be opened: %s", what, path,
				 strerror(err));
	}
}

int avd__file_open(const char *path, const char *what, int *ret_fd, struct stat *ret_stat,
		   struct avd__error *error)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return fail_errno(path, what, errno, error);
	if (!S_ISREG(st.st_mode))
		return fail_type(path, what, st.st_mode, error);
	/* O_NONBLOCK: should the file have become a FIFO since. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fail_errno(path, what, errno, error);
	if (fstat(fd, &st) < 0) {
		const int err = errno;
		close(fd);
		return fail_errno(path, what, err, error);
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return fail_type(path, what, st.st_mode, error);
	}
	*ret_fd = fd;
	*ret_stat = st;
	return 0;
}

int avd__source_read(const struct avd__source *source, uint64_t offset, void *bytes, size_t size)
{
	if (offset > source->size || size > source->size - offset)
		return -EBADMSG;
	if (source->mem) {
		memcpy(bytes, source->mem + offset, size);
		return 0;
	}
	const int64_t n = avd__pread_all(source->fd, bytes, size, offset);
	if (n < 0)
		return (int)n;
	return (size_t)n == size ? 0 : -EBADMSG;
}

int avd__view_get(const struct avd__source *source, uint64_t offset, uint64_t size, size_t max,
		  struct avd__view *ret_view)
{
	if (offset > source->size || size > source->size - offset)
		return -EBADMSG;
	if (size > max)
		return -E2BIG;
	struct avd__view view = {.size = (size_t)size};
	if (source->mem) {
		view.data = source->mem + offset;
	} else {
		view.owned = malloc(view.size ? view.size : 1);
		if (!view.owned)
			return -ENOMEM;
		const int r = avd__source_read(source, offset, view.owned, view.size);
		if (r < 0) {
			free(view.owned);
			return r;
		}
		view.data = view.owned;
	}
	*ret_view = view;
	return 0;
}

void avd__view_free(struct avd__view *view)
{
	free(view->owned);
	*view = (struct avd__view){0};
}

int avd__file_read(int fd, size_t max, uint8_t **ret_bytes, size_t *ret_size)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return -EFBIG;
	const size_t size = (size_t)st.st_size;
	uint8_t *bytes = malloc(size + 1);
	if (!bytes)
		return -ENOMEM;
	const int64_t n = avd__pread_all(fd, bytes, size, 0);
	if (n < 0) {
		free(bytes);
		return (int)n;
	}
	bytes[n] = '\0';
	*ret_bytes = bytes;
	*ret_size = (size_t)n;
	return 0;
}
