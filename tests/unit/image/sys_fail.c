// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "sys_fail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/types.h>

static unsigned int fail_at, count, short_bytes, interruptions;
static int fail_errno, no_sendfile, no_tmpfile;

void sys_fail_at(unsigned int n, int err)
{
	fail_at = n;
	fail_errno = err;
	count = 0;
}

unsigned int sys_count(void)
{
	return count;
}

void sys_short(unsigned int bytes)
{
	short_bytes = bytes;
}

void sys_no_sendfile(int on)
{
	no_sendfile = on;
}

void sys_no_tmpfile(int on)
{
	no_tmpfile = on;
}

static int fails(void)
{
	if (++count != fail_at)
		return 0;
	errno = fail_errno;
	return 1;
}

/* For calls that move bytes: as above, or interrupted; else the number to ask for. */
static int transfer(size_t *size)
{
	if (fails())
		return -1;
	if (!short_bytes)
		return 0;
	if (interruptions++ % 2) {
		errno = EINTR;
		return -1;
	}
	if (*size > short_bytes)
		*size = short_bytes;
	return 0;
}

ssize_t __real_pread64(int fd, void *bytes, size_t size, off_t offset);
ssize_t __real_pwrite64(int fd, const void *bytes, size_t size, off_t offset);
ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __real_sendfile64(int out, int in, off_t *offset, size_t size);
int __real_open64(const char *path, int flags, ...);
int __real_fstat64(int fd, struct stat *st);
int __real_ftruncate64(int fd, off_t size);
off_t __real_lseek64(int fd, off_t offset, int whence);
int __real_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags);
int __real_rename(const char *from, const char *to);
int __real_mkostemp64(char *name, int flags);
int __real_memfd_create(const char *name, unsigned int flags);
ssize_t __real_readlink(const char *path, char *target, size_t size);

ssize_t __wrap_pread64(int fd, void *bytes, size_t size, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t size, off_t offset);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_sendfile64(int out, int in, off_t *offset, size_t size);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_fstat64(int fd, struct stat *st);
int __wrap_ftruncate64(int fd, off_t size);
off_t __wrap_lseek64(int fd, off_t offset, int whence);
int __wrap_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags);
int __wrap_rename(const char *from, const char *to);
int __wrap_mkostemp64(char *name, int flags);
int __wrap_memfd_create(const char *name, unsigned int flags);
ssize_t __wrap_readlink(const char *path, char *target, size_t size);

ssize_t __wrap_pread64(int fd, void *bytes, size_t size, off_t offset)
{
	return transfer(&size) ? -1 : __real_pread64(fd, bytes, size, offset);
}

ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
	return transfer(&size) ? -1 : __real_pwrite64(fd, bytes, size, offset);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t size)
{
	return transfer(&size) ? -1 : __real_write(fd, bytes, size);
}

ssize_t __wrap_sendfile64(int out, int in, off_t *offset, size_t size)
{
	if (no_sendfile) {
		errno = EINVAL;
		return -1;
	}
	return transfer(&size) ? -1 : __real_sendfile64(out, in, offset, size);
}

int __wrap_open64(const char *path, int flags, ...)
{
	mode_t mode = 0;
	if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) {
		va_list args;
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	if (no_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return fails() ? -1 : __real_open64(path, flags, mode);
}

int __wrap_fstat64(int fd, struct stat *st)
{
	return fails() ? -1 : __real_fstat64(fd, st);
}

int __wrap_ftruncate64(int fd, off_t size)
{
	return fails() ? -1 : __real_ftruncate64(fd, size);
}

off_t __wrap_lseek64(int fd, off_t offset, int whence)
{
	return fails() ? -1 : __real_lseek64(fd, offset, whence);
}

int __wrap_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	return fails() ? -1 : __real_linkat(from_dir, from, to_dir, to, flags);
}

int __wrap_rename(const char *from, const char *to)
{
	return fails() ? -1 : __real_rename(from, to);
}

int __wrap_mkostemp64(char *name, int flags)
{
	return fails() ? -1 : __real_mkostemp64(name, flags);
}

int __wrap_memfd_create(const char *name, unsigned int flags)
{
	return fails() ? -1 : __real_memfd_create(name, flags);
}

ssize_t __wrap_readlink(const char *path, char *target, size_t size)
{
	return fails() ? -1 : __real_readlink(path, target, size);
}
