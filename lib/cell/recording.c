// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "cell/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

/* Tries for a temporary name that nobody has: 64 random bits each, so once is enough. */
#define TEMP_TRIES 16

static int out_of_memory(struct avd__error *error)
{
	return avd__fail(error, ENOMEM, "out of memory");
}

/* What may stand under the final name already: a regular file, or nothing. A link is followed,
 * so that the file it points to is replaced and not the link. */
static int find_target(const char *path, char **ret_path, struct avd__error *error)
{
	struct stat st;
	if (lstat(path, &st) < 0) {
		if (errno != ENOENT) {
			const int err = errno;
			return avd__fail(error, err, "cannot write %s: %s", path, strerror(err));
		}
		*ret_path = strdup(path);
		return *ret_path ? 0 : out_of_memory(error);
	}
	char *real = realpath(path, NULL);
	if (!real || stat(real, &st) < 0) {
		const int err = errno;
		free(real);
		return avd__fail(error, err, "cannot write %s: %s; name a file", path,
				 strerror(err));
	}
	if (!S_ISREG(st.st_mode)) {
		const int err = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		free(real);
		return avd__fail(error, err, "cannot write %s: it is %s; name a file", path,
				 err == EISDIR ? "a directory" : "not a regular file");
	}
	*ret_path = real;
	return 0;
}

static int temp_name(const char *name, char **ret_temp, struct avd__error *error)
{
	uint64_t random;
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return avd__fail(error, EIO, "no random bytes from the kernel");
	/* Hidden, recognizable, and short enough for any name (NAME_MAX). */
	if (asprintf(ret_temp, ".%.*s.%016" PRIx64 ".partial", 200, name, random) < 0) {
		*ret_temp = NULL;
		return out_of_memory(error);
	}
	return 0;
}

static const char *base_name(const struct avd__recording *recording)
{
	const char *slash = strrchr(recording->path, '/');
	return slash ? slash + 1 : recording->path;
}

static int open_spool(struct avd__recording *recording, struct avd__error *error)
{
	recording->fd = openat(recording->dir_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	if (recording->fd >= 0)
		return 0;
	int err = errno;
	/* Some file systems have no O_TMPFILE; kernels tell that in three ways (open(2)). */
	if (err == EOPNOTSUPP || err == EISDIR || err == ENOENT) {
		for (int i = 0; i < TEMP_TRIES; i++) {
			const int r = temp_name(base_name(recording), &recording->temp, error);
			if (r < 0)
				return r;
			recording->fd = openat(recording->dir_fd, recording->temp,
					       O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
			if (recording->fd >= 0)
				return 0;
			err = errno;
			free(recording->temp);
			recording->temp = NULL;
			if (err != EEXIST)
				break;
		}
	}
	return avd__fail(error, err, "cannot write %s: cannot write in its directory: %s",
			 recording->path, strerror(err));
}

int avd__recording_open(struct avd__recording *recording, const char *path,
			struct avd__error *error)
{
	int r = find_target(path, &recording->path, error);
	if (r < 0)
		return r;
	const char *name = base_name(recording);
	if (*name == '\0')
		r = avd__fail(error, EISDIR, "cannot write %s: name a file", path);
	else if (name == recording->path)
		recording->dir = strdup(".");
	else
		recording->dir = strndup(recording->path, (size_t)(name - recording->path));
	if (r == 0 && !recording->dir)
		r = out_of_memory(error);
	if (r == 0) {
		recording->dir_fd = open(recording->dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
		if (recording->dir_fd < 0) {
			const int err = errno;
			r = avd__fail(error, err,
				      "cannot write %s: its directory: %s; make it, or write "
				      "elsewhere",
				      path, strerror(err));
		}
	}
	if (r == 0)
		r = open_spool(recording, error);
	if (r < 0)
		avd__recording_close(recording);
	return r;
}

/* Frees the spool's space at once: on a full disk others want it too. */
static void give_up_spool(struct avd__recording *recording)
{
	if (recording->temp) {
		unlinkat(recording->dir_fd, recording->temp, 0);
		free(recording->temp);
		recording->temp = NULL;
	}
	avd__close(&recording->fd);
}

static void fail_recording(struct avd__recording *recording, int r)
{
	recording->failed = avd__fail(&recording->error, -r,
				      "%s could not be written: %s; make room there or write "
				      "elsewhere",
				      recording->path, strerror(-r));
	give_up_spool(recording);
}

int avd__recording_write(struct avd__recording *recording, const void *bytes, size_t size)
{
	if (recording->fd < 0)
		return 0;
	const int r = avd__write_all(recording->fd, bytes, size);
	if (r < 0)
		fail_recording(recording, r);
	return r;
}

/* A name for a file that has none. link(2) never replaces, so over an older file it takes a
 * temporary name first, and that one is renamed. */
static int link_spool(struct avd__recording *recording)
{
	char self[64];
	struct avd__error ignored;
	const char *name = base_name(recording);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", recording->fd);
	if (linkat(AT_FDCWD, self, recording->dir_fd, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	const int r = temp_name(name, &recording->temp, &ignored);
	if (r < 0)
		return r;
	if (linkat(AT_FDCWD, self, recording->dir_fd, recording->temp, AT_SYMLINK_FOLLOW) < 0) {
		const int err = errno;
		free(recording->temp);
		recording->temp = NULL;
		return -err;
	}
	return 0;
}

int avd__recording_commit(struct avd__recording *recording, struct avd__error *error)
{
	int r = 0;
	if (recording->fd >= 0) {
		/* Delayed allocation and network file systems tell a full disk only here. */
		if (fsync(recording->fd) < 0)
			r = -errno;
		if (r == 0 && !recording->temp)
			r = link_spool(recording);
		if (r == 0 && recording->temp &&
		    renameat(recording->dir_fd, recording->temp, recording->dir_fd,
			     base_name(recording)) < 0)
			r = -errno;
		if (r == 0) {
			free(recording->temp);
			recording->temp = NULL;
			/* The name itself; not every file system can, and the data is safe. */
			(void)fsync(recording->dir_fd);
			avd__close(&recording->fd);
		} else {
			fail_recording(recording, r);
		}
	}
	if (recording->failed && error)
		*error = recording->error;
	return recording->failed;
}

void avd__recording_close(struct avd__recording *recording)
{
	give_up_spool(recording);
	avd__close(&recording->dir_fd);
	free(recording->path);
	free(recording->dir);
	recording->path = NULL;
	recording->dir = NULL;
}
