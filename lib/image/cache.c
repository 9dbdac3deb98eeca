// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "image/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Read in pieces that stay in the CPU's cache. */
#define CHECK_CHUNK ((size_t)256 << 10)

struct trailer {
	char magic[16];
	uint8_t key[AVD__BLAKE2B_SIZE];
	uint64_t size;
	uint64_t crc; /* CRC-64/XZ of the ELF file */
};

static const char trailer_magic[16] = "avd-vmlinux-1\n";

struct names {
	char *dir; /* cache_dir/vmlinux */
	char *final; /* cache_dir/vmlinux/<key> */
};

static void names_free(struct names *names)
{
	free(names->dir);
	free(names->final);
}

static int names_make(const char *cache_dir, const uint8_t *key, struct names *names,
		      struct avd__error *error)
{
	char hex[2 * AVD__BLAKE2B_SIZE + 1];
	for (size_t i = 0; i < AVD__BLAKE2B_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", key[i]);
	*names = (struct names){0};
	if (asprintf(&names->dir, "%s/vmlinux", cache_dir) < 0) {
		names->dir = NULL;
		return avd__fail(error, ENOMEM, "out of memory");
	}
	if (asprintf(&names->final, "%s/%s", names->dir, hex) < 0) {
		names->final = NULL;
		names_free(names);
		return avd__fail(error, ENOMEM, "out of memory");
	}
	return 0;
}

static int fail_cache(const char *dir, int r, struct avd__error *error)
{
	static const char how[] = "choose another cache directory with --cache-dir or "
				  "XDG_CACHE_HOME";
	switch (-r) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return avd__fail(error, -r,
				 "cache directory %s: no room for the unpacked kernel (%s); free "
				 "some or %s",
				 dir, strerror(-r), how);
	case ENOMEM:
		return avd__fail(error, ENOMEM, "out of memory");
	default:
		return avd__fail(error, -r, "cache directory %s: cannot be written: %s; %s", dir,
				 strerror(-r), how);
	}
}

/* Whether the file is an entry for this key, whole. */
static int check_entry(int fd, const uint8_t *key, uint64_t *ret_size)
{
	struct stat st;
	struct trailer trailer;
	if (fstat(fd, &st) < 0)
		return -errno;
	/* Another user's file may change after the check. */
	if (!S_ISREG(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != 0) ||
	    st.st_size < (off_t)sizeof(trailer))
		return -EBADMSG;
	const uint64_t size = (uint64_t)st.st_size - sizeof(trailer);
	int64_t n = avd__pread_all(fd, &trailer, sizeof(trailer), size);
	if (n < 0)
		return (int)n;
	if (n != sizeof(trailer) || memcmp(trailer.magic, trailer_magic, sizeof(trailer_magic)) ||
	    memcmp(trailer.key, key, sizeof(trailer.key)) || trailer.size != size)
		return -EBADMSG;
	uint8_t *chunk = malloc(CHECK_CHUNK);
	if (!chunk)
		return -ENOMEM;
	uint64_t crc = 0;
	uint64_t at = 0;
	while (at < size) {
		const size_t want = size - at < CHECK_CHUNK ? (size_t)(size - at) : CHECK_CHUNK;
		n = avd__pread_all(fd, chunk, want, at);
		if (n <= 0)
			break;
		crc = lzma_crc64(chunk, (size_t)n, crc);
		at += (uint64_t)n;
	}
	free(chunk);
	if (n < 0)
		return (int)n;
	if (at != size || crc != trailer.crc)
		return -EBADMSG;
	*ret_size = size;
	return 0;
}

static int find_entry(const char *final, const uint8_t *key, int *ret_fd, uint64_t *ret_size)
{
	int fd = open(final, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	const int r = check_entry(fd, key, ret_size);
	if (r < 0) {
		avd__close(&fd);
		return r;
	}
	/* The time of last use, for the pruning; a failure only makes it less precise. */
	const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
	(void)futimens(fd, times);
	*ret_fd = fd;
	return 0;
}

int avd__cache_find(const char *cache_dir, const uint8_t key[AVD__BLAKE2B_SIZE], int *ret_fd,
		    uint64_t *ret_size, struct avd__error *error)
{
	struct names names;
	int r = names_make(cache_dir, key, &names, error);
	if (r < 0)
		return r;
	r = find_entry(names.final, key, ret_fd, ret_size);
	names_free(&names);
	if (r == -ENOMEM)
		return avd__fail(error, ENOMEM, "out of memory");
	return r < 0 ? -ENOENT : 0; /* whatever is wrong with it, a new one takes its place */
}

static int write_entry(int fd, const uint8_t *key, const uint8_t *vmlinux, size_t size)
{
	struct trailer trailer = {.size = size};
	memcpy(trailer.magic, trailer_magic, sizeof(trailer_magic));
	memcpy(trailer.key, key, sizeof(trailer.key));
	trailer.crc = lzma_crc64(vmlinux, size, 0);
	const int r = avd__write_all(fd, vmlinux, size);
	return r < 0 ? r : avd__write_all(fd, &trailer, sizeof(trailer));
}

/* Under a name of its own, then renamed: for file systems without O_TMPFILE, and to replace
 * an unsound entry. */
static int store_by_rename(const struct names *names, const uint8_t *key, const uint8_t *vmlinux,
			   size_t size, int *ret_fd)
{
	char *temp = NULL;
	if (asprintf(&temp, "%s/" AVD__CACHE_TEMP "XXXXXX", names->dir) < 0)
		return -ENOMEM;
	int fd = mkostemp(temp, O_CLOEXEC);
	int r = fd < 0 ? -errno : write_entry(fd, key, vmlinux, size);
	int readable = -1;
	if (r == 0) {
		readable = open(temp, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (readable < 0)
			r = -errno;
	}
	if (r == 0 && rename(temp, names->final) < 0)
		r = -errno;
	if (r < 0) {
		if (fd >= 0)
			unlink(temp);
		avd__close(&readable);
	} else {
		*ret_fd = readable;
	}
	avd__close(&fd);
	free(temp);
	return r;
}

/* Without a name until it is whole, so that a death leaves nothing. -EOPNOTSUPP: not
 * possible here; -EEXIST: there is an entry. */
static int store_by_link(const struct names *names, const uint8_t *key, const uint8_t *vmlinux,
			 size_t size, int *ret_fd)
{
	char self[64];
	int fd = open(names->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EISDIR || errno == ENOENT || errno == EINVAL ? -EOPNOTSUPP : -errno;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	int r = write_entry(fd, key, vmlinux, size);
	int readable = -1;
	if (r == 0) {
		readable = open(self, O_RDONLY | O_CLOEXEC);
		if (readable < 0)
			r = -EOPNOTSUPP; /* no /proc */
	}
	if (r == 0 && linkat(AT_FDCWD, self, AT_FDCWD, names->final, AT_SYMLINK_FOLLOW) < 0)
		r = errno == ENOENT ? -EOPNOTSUPP : -errno;
	if (r < 0)
		avd__close(&readable);
	else
		*ret_fd = readable;
	avd__close(&fd);
	return r;
}

int avd__cache_store(const char *cache_dir, const uint8_t key[AVD__BLAKE2B_SIZE],
		     const uint8_t *vmlinux, size_t size, int *ret_fd, struct avd__error *error)
{
	struct names names;
	uint64_t found = 0;
	int r = names_make(cache_dir, key, &names, error);
	if (r < 0)
		return r;
	struct avd__error detail = {0};
	r = avd__mkdirs(names.dir, &detail);
	if (r == 0)
		r = store_by_link(&names, key, vmlinux, size, ret_fd);
	if (r == -EEXIST) {
		/* Another process was faster, or what is there is torn. */
		r = find_entry(names.final, key, ret_fd, &found);
		if (r < 0 && r != -ENOMEM)
			r = -EOPNOTSUPP;
	}
	if (r == -EOPNOTSUPP)
		r = store_by_rename(&names, key, vmlinux, size, ret_fd);
	if (r < 0)
		fail_cache(cache_dir, r, error);
	else
		avd__cache_prune(names.dir, strrchr(names.final, '/') + 1,
				 AVD__CACHE_VMLINUX_BYTES);
	names_free(&names);
	return r;
}
