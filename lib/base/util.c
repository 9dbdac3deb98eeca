// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "base/util.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int avd__options_copy(void *known, size_t known_size, const void *given, size_t min_size)
{
	size_t size;
	if (!given)
		return -EINVAL;
	memcpy(&size, given, sizeof(size)); /* each options struct starts with its size */
	if (size < min_size)
		return -EINVAL;
	const uint8_t *bytes = given;
	for (size_t i = known_size; i < size; i++) {
		if (bytes[i])
			return -E2BIG;
	}
	memcpy(known, given, size < known_size ? size : known_size);
	return 0;
}

int avd__options_take(void *known, size_t known_size, const void *given, size_t min_size,
		      struct avd__error *error)
{
	const int r = avd__options_copy(known, known_size, given, min_size);
	if (r == -E2BIG)
		return avd__fail(error, E2BIG,
				 "the options are from a newer release than this library, %s, and "
				 "use something that it does not know",
				 avd_version());
	if (r < 0)
		return avd__fail(error, EINVAL,
				 "no options, or their size is not set; use AVD_OPTIONS_INIT");
	return 0;
}

void avd__close(int *fd)
{
	if (*fd >= 0) {
		const int saved = errno;
		close(*fd);
		errno = saved;
	}
	*fd = -1;
}

int avd__write_all(int fd, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	while (size) {
		const ssize_t n = write(fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

/* `offset` is NULL for a file that is read from where it stands. */
static int64_t fill(int fd, uint8_t *bytes, size_t size, const uint64_t *offset)
{
	size_t done = 0;
	while (done < size) {
		const ssize_t n =
			offset ? pread(fd, bytes + done, size - done, (off_t)(*offset + done))
			       : read(fd, bytes + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (int64_t)done;
}

int64_t avd__pread_all(int fd, void *bytes, size_t size, uint64_t offset)
{
	return fill(fd, bytes, size, &offset);
}

int64_t avd__read_all(int fd, void *bytes, size_t size)
{
	return fill(fd, bytes, size, NULL);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

uint64_t avd__now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t avd__thread_cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

int avd__cache_dir(const char *override_dir, char **ret_path, struct avd__error *error)
{
	char *path = NULL;
	const char *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	int r;
	if (override_dir && *override_dir)
		r = asprintf(&path, "%s", override_dir);
	else if (xdg && *xdg == '/') /* the XDG specification has relative ones ignored */
		r = asprintf(&path, "%s/attachverdict", xdg);
	else if (home && *home)
		r = asprintf(&path, "%s/.cache/attachverdict", home);
	else
		return avd__fail(error, ENOENT,
				 "no cache directory: neither XDG_CACHE_HOME nor HOME is set; "
				 "set one or name a directory");
	if (r < 0)
		return avd__fail(error, ENOMEM, "out of memory");
	*ret_path = path;
	return 0;
}

int avd__mkdirs(const char *path, struct avd__error *error)
{
	char *copy = strdup(path);
	if (!copy)
		return avd__fail(error, ENOMEM, "out of memory");
	int r = 0;
	for (char *p = copy + 1;; p++) {
		if (*p != '/' && *p != '\0')
			continue;
		const char end = *p;
		*p = '\0';
		if (mkdir(copy, 0700) < 0 && errno != EEXIST) {
			const int err = errno;
			r = avd__fail(error, err, "cannot create directory %s: %s", copy,
				      strerror(err));
			break;
		}
		*p = end;
		if (end == '\0')
			break;
	}
	free(copy);
	return r;
}

void avd__log(const struct avd__log *log, enum avd_log_level level, const char *fmt, ...)
{
	if (!log || !log->fn)
		return;
	const int saved = errno;
	char text[1024];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log->fn(log->userdata, level, text);
	errno = saved;
}
